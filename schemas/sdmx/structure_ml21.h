// structure_ml21 - reads SDMX-ML structure messages into a model.
//
// Owns the reader's place in the document. Reads liberally: any order, any
// namespace version (2.1, and 3.x where it says the same in other words),
// unknown elements are passed over; agencies' own messages are often not valid
// by their schema (sdmx-facts 0.7). Sources: SDMXStructure*.xsd of 2.1 and 3.0.
// Invariant: after an error the model must be thrown away.
// Never does: I/O, resolving of references (structure_compile does).
#pragma once

#include "schemas/sdmx/structure_model.h"

struct sg_structure_ml21; // opaque, in the model's arena

// A reader that adds to model (whose arena it uses). salt: see xml.h.
// source_sha256: of the whole document, kept with each structure in it.
// SG_ERR_FULL, SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err
sg_structure_ml21_open(struct sg_model *model, uint64_t salt,
                       const uint8_t source_sha256[32],
                       struct sg_structure_ml21 **out);
void sg_structure_ml21_close(struct sg_structure_ml21 **reader);

// SG_ERR_SYNTAX (diag says where), SG_ERR_FULL (arena or a limit),
// SG_ERR_UNSUPPORTED: not a structure message, or of SDMX 2.0.
SG_MUST_CHECK enum sg_err
sg_structure_ml21_feed(struct sg_structure_ml21 *reader, struct sg_slice bytes,
                       struct sg_diag *diag);
SG_MUST_CHECK enum sg_err
sg_structure_ml21_finish(struct sg_structure_ml21 *reader,
                         struct sg_diag *diag);
