// rendering - what a rendition is made of: rows chosen, changed, proven.
//
// Owns the change of cells (suppression) and the proof that stands before the
// data; which rows there are says the choice (schemas/sdmx/choice.h). Writer and
// review both go through it, from different sides: the writer from the leaves to
// the rendition, the review from the rendition back, and both from the leaves
// again.
#pragma once

#include "broker/inspect/worker/rows.h"
#include "policy/disclosure/suppress.h"
#include "schemas/sdmx/choice.h"

struct sg_rendering {
    struct sg_role_item *item;
    const Sgpb__Rendition *wanted;
    bool as_sent;            // the bytes that the publisher sent
    bool file_level;         // proof over these bytes, not over rows
    struct sg_secret secret; // of the root: the release's, or derived
    struct sg_choice choice; // of rows
    // change
    bool suppress;
    struct sg_suppress_plan plan;
    struct sg_value *values; // of the changed row
    uint8_t *room;           // of its bytes
    size_t room_len;
    uint64_t rows_in, rows_out;
};

// variant: the key and attempt of the rendition's object. SG_ERR_SUBSCRIPTION:
// the key filter does not fit the structure.
SG_MUST_CHECK enum sg_err sg_rendering_begin(struct sg_rendering *rendering,
                                             struct sg_role_item *item,
                                             struct sg_slice variant_key,
                                             struct sg_slice attempt);
void sg_rendering_end(struct sg_rendering *rendering); // wipes

// What becomes of one row of the leaves. *kept false: it is left out. Else *out
// and *bytes are the row as delivered; valid until the next call.
SG_MUST_CHECK enum sg_err sg_rendering_row(struct sg_rendering *rendering,
                                           const struct sg_obs *obs,
                                           struct sg_slice row, bool *kept,
                                           struct sg_obs *out,
                                           struct sg_slice *bytes);

// The proof over a whole content with this root builder (rows), or over the
// file; from arena. *root: what it proves.
SG_MUST_CHECK enum sg_err sg_rendering_proof(struct sg_rendering *rendering,
                                             const struct sg_rows_root *rows,
                                             const uint8_t file_root[32],
                                             struct sg_slice *proof,
                                             uint8_t root[32]);
