// scan - finds the characters of CSV that mean something, many bytes at a time.
//
// Owns the choice of the processor's widest path; the plain path is the
// specification and is tested equal.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

enum { SG_SCAN_WINDOW = 16384 }; // bytes a call at most

struct sg_scan {
    uint32_t count; // structural characters found
    bool ascii;     // no byte above 127 and no NUL
    // Places from the window's start, ascending; 64 more than can be found, as
    // the wide path writes whole groups.
    uint32_t at[SG_SCAN_WINDOW + 64];
};

// Places of delimiter, quote and LF in window (at most SG_SCAN_WINDOW bytes).
void sg_scan_csv(struct sg_slice window, uint8_t delimiter,
                 struct sg_scan *out);
// The same, one byte at a time.
void sg_scan_csv_portable(struct sg_slice window, uint8_t delimiter,
                          struct sg_scan *out);
// Length of the common prefix of a and b, at most max bytes (both readable).
size_t sg_scan_common(const uint8_t *a, const uint8_t *b, size_t max);
// Length of the common end of the bytes before a and before b, at most max.
size_t sg_scan_common_end(const uint8_t *a, const uint8_t *b, size_t max);
