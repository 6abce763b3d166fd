// suppress - cells that rest on too few units lose their value.
//
// A row is a small cell when the terms' count component says 0 < count < n, or
// says something that is no number: what cannot be shown to be large enough
// counts as small. Removed are the measures, the count itself where it is no
// dimension, and bounds of the value (UPPER_BOUND, LOWER_BOUND); OBS_STATUS
// becomes Q (suppressed) where the structure codes it.
// Never does: secondary suppression. Whether a cell can be computed back from
// others is another check (policy-language 4).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/limits.h"
#include "schemas/sdmx/obs.h"
#include "schemas/sdmx/structure.h"

struct sg_suppress_terms {
    uint32_t n;            // smaller counts are suppressed; at least 2
    struct sg_slice count; // id of the count component
    struct sg_slice when;  // only rows where this component ("" : all rows)
    struct sg_slice code;  // has this value
};

struct sg_suppress_plan {
    char n[12]; // as decimal text
    uint32_t components;
    int32_t count, when, status; // indexes; when, status -1: none
    struct sg_slice code;        // borrowed from the terms
    uint64_t removed[SG_LIMIT_COMPONENTS / 64];
    uint64_t rows, suppressed; // looked at, changed: counted by _row
};

// SG_ERR_NOT_FOUND: count or when is no component of the structure.
// SG_ERR_TERMS: n below 2, or nothing would be left to remove.
SG_MUST_CHECK enum sg_err
sg_suppress_plan_make(const struct sg_structure *structure,
                      const struct sg_suppress_terms *terms,
                      struct sg_suppress_plan *plan);
// The row is one of those that the terms mean, and small. values: one a component, canonical order.
bool sg_suppress_is_small(const struct sg_suppress_plan *plan,
                          const struct sg_value *values);
// Empties what must not be shown, in place; true: the row was a small cell.
// A row whose value is gone already is left as it is and not counted.
bool sg_suppress_row(struct sg_suppress_plan *plan, struct sg_value *values);
