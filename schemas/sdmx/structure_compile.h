// structure_compile - turns one data structure of a model into a blob.
//
// Owns the byte layout together with structure_blob.h. The same model gives
// the same bytes, always: the blob's sha256 is the structure's pin.
// Never does: I/O.
#pragma once

#include "schemas/sdmx/structure_model.h"

// blob lies in arena, aligned to 8. SG_ERR_NOT_FOUND: a code list, dimension
// or group that the structure names is missing; SG_ERR_SYNTAX: it contradicts
// itself (an id or code twice, no dimension); SG_ERR_FULL: arena or a limit.
// diag names line, fault and cure in all cases.
SG_MUST_CHECK enum sg_err sg_structure_compile(const struct sg_model *model,
                                               const struct sg_model_dsd *dsd,
                                               struct sg_arena *arena,
                                               struct sg_slice *blob,
                                               struct sg_diag *diag);

// The structure base with the constraints of the model that hold for it, and
// with those of old (base itself, or an earlier compilation of it; NULL: none)
// that the model does not have. The same bytes as if all had been compiled at
// once. SG_ERR_EXISTS: a constraint of old has another content in the model,
// and replace is false; diag names it. SG_ERR_FULL.
SG_MUST_CHECK enum sg_err sg_structure_constrain(
    const struct sg_structure *base, const struct sg_structure *old,
    const struct sg_model *model, bool replace, struct sg_arena *arena,
    struct sg_slice *blob, struct sg_diag *diag);
