// csv - reads SDMX-CSV 1.0, 2.0 and 2.1 from slices of any size.
//
// Owns the header's meaning (separators, columns, labels), the splitting of
// rows and the turning of cells into values; obs.h is the front door.
// Invariant: the fast path (whole windows scanned at once, fields equal to
// those of the row before skipped) and the portable path (one byte at a time)
// give the same calls of the sink; a cell is left as it was sent, so a formula
// for a spreadsheet stays one (who opens data in a spreadsheet must know).
// Source: SDMX-CSV field guides 1.0, 2.0, 2.1; RFC 4180.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"

struct sg_csv; // opaque; lives in the arena

struct sg_csv *sg_csv_new(struct sg_arena *arena,
                          const struct sg_obs_sink *sink, bool portable);
SG_MUST_CHECK enum sg_err sg_csv_feed(struct sg_csv *csv,
                                      struct sg_slice bytes);
SG_MUST_CHECK enum sg_err sg_csv_end(struct sg_csv *csv);
uint64_t sg_csv_rows(const struct sg_csv *csv);
