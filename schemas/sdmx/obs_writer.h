// obs_writer - rows out again, in a format of SDMX: the one door to writers.
//
// Writes SDMX-CSV 1.0, 2.0, 2.1; SDMX-ML 2.1 and 3.0 structure-specific (series;
// flat for a structure without time); SDMX-JSON 2.0 and 2.1, flat. Values come out
// as they came in, so reading the message back gives the same canonical rows. What
// a format cannot carry is refused by name, never changed and never left out.
// Invariant: memory of one row, of SDMX-JSON also of the values of dimensions;
// rows of one action part come sorted by key (canonical.h), else series are merely
// repeated.
// A cell that a spreadsheet would take for a formula stays as it is: changing
// it would change data that were signed.
#pragma once

#include <stdbool.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "schemas/sdmx/canonical.h"
#include "schemas/sdmx/obs.h"

struct sg_obs_writer; // opaque; lives in the arena

struct sg_obs_writer_options {
    enum sg_media media;
    struct sg_obs_ref ref;       // what the message names as its structure
    struct sg_obs_header header; // SDMX-ML: id, sender, prepared, test
    uint8_t delimiter;           // CSV; 0: a comma
};

// Is there a writer of it?
bool sg_obs_writer_writes(enum sg_media media);
// options' slices and structure outlive the writer. NULL: arena full. A format
// that is not written gives SG_ERR_UNSUPPORTED with the first row or the end.
struct sg_obs_writer *
sg_obs_writer_new(struct sg_arena *arena, const struct sg_structure *structure,
                  const struct sg_obs_writer_options *options,
                  const struct sg_canonical_out *out);
// Uses values, action and row. SG_ERR_UNSUPPORTED: the format cannot carry a
// value, see sg_obs_writer_refused; the row may be put again without it, unless
// that gives the same. SG_ERR_FULL; else what write returned.
SG_MUST_CHECK enum sg_err sg_obs_writer_put(struct sg_obs_writer *writer,
                                            const struct sg_obs *obs);
SG_MUST_CHECK enum sg_err sg_obs_writer_end(struct sg_obs_writer *writer);
// Component and reason of SG_ERR_UNSUPPORTED; never NULL.
const struct sg_fault *
sg_obs_writer_refused(const struct sg_obs_writer *writer);
