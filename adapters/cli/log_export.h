// log_export - entries that a gate shows, kept in a file (statgate log export).
//
// A file is "SGEXP1" 00 00 and then frames as in a segment (formats.md c): each
// with its CRC. An auditor's file is a stretch of the log without a gap, so its
// chain can be followed; anybody else's has what names him, with gaps between.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "schemas/proof/entry.h"

int sg_log_export(int argc, char **argv); // argv[0] is "export"

// Is it such a file, and no folder? Reads its first bytes.
bool sg_log_export_is(const char *path);
// Calls show for each entry in order. *faults counts frames that do not check,
// entries out of order, and neighbours that do not follow each other.
SG_MUST_CHECK enum sg_err
sg_log_export_read(const char *path,
                   void (*show)(void *arg, const struct sg_entry *entry,
                                const uint8_t leaf[32]),
                   void *arg, size_t *faults);
