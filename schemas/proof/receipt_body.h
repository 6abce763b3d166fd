// receipt_body - what an entry's body says that a receipt can be asked for.
//
// One row a kind: how its body is unpacked and which of the fields of struct
// sg_receipt_expect it has. A kind that has no row cannot be expected.
#pragma once

#include "schemas/proof/receipt.h"

// Is body of expect->kind, canonical, and does it say what is expected? step: 2
// (not a body of this kind) or 3 (a field differs), 0 if it fits; field: which.
void sg_receipt_body_compare(struct sg_slice body,
                             const struct sg_receipt_expect *expect,
                             struct sg_arena *arena, uint8_t *step,
                             const char **field);
