// structure_store - the structures that were imported, and those shipped.
//
// Owns STATGATE_HOME/structures: compiled structures as files named by their
// sha256, and `index`, one line for each structure, dataflow, provision
// agreement and data provider. Shipped structures (schemas/sdg) are read from
// their source when they are asked for; what was imported goes before them.
// Invariant: a file's name is the sha256 of its bytes, checked when read; the
// index is replaced whole under a lock. An id is never part of a path.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "broker/base/arena.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"
#include "schemas/sdmx/structure_model.h"

struct sg_structure_store; // opaque

enum sg_store_kind {
    SG_STORE_ANY, // a structure, else a dataflow, else an agreement
    SG_STORE_STRUCTURE,
    SG_STORE_FLOW,
    SG_STORE_AGREEMENT,
    SG_STORE_PROVIDER, // only in the index
};

struct sg_store_entry {
    enum sg_store_kind kind;
    struct sg_model_ref self; // provider: its scheme and, as item, its id
    struct sg_model_ref to;   // flow: structure; agreement: flow
    uint8_t sha256[32];       // structure: of the blob; shipped: zero
    uint8_t source_sha256[32];
    bool shipped;
    struct sg_store_entry *next;
};

// home: STATGATE_HOME. shipped: folder of structure messages; NULL: found
// beside the program (STATGATE_SHARE/sdg, the source tree, PREFIX/share); "":
// none.
// A home without structures is fine. SG_ERR_FORMAT: the index is damaged.
SG_MUST_CHECK enum sg_err
sg_structure_store_open(const char *home, const char *shipped,
                        struct sg_structure_store **out);
// To add, one program at a time (else SG_ERR_BUSY); without shipped ones.
SG_MUST_CHECK enum sg_err
sg_structure_store_open_to_add(const char *home,
                               struct sg_structure_store **out);
void sg_structure_store_close(struct sg_structure_store **store);

// name: a URN, AGENCY:ID(VERSION), or AGENCY:ID for the newest. The structure
// itself, that of a dataflow, or that of an agreement's dataflow; laid out in
// arena. SG_ERR_NOT_FOUND, SG_ERR_CORRUPT (the file is not what it was), diag
// with the cure.
SG_MUST_CHECK enum sg_err
sg_structure_store_find(struct sg_structure_store *store,
                        enum sg_store_kind kind, struct sg_slice name,
                        struct sg_arena *arena, const struct sg_structure **out,
                        struct sg_diag *diag);

// The dataflow of a provision agreement; false: not known here.
bool sg_structure_store_flow_of(const struct sg_structure_store *store,
                                const struct sg_obs_ref *agreement,
                                struct sg_obs_ref *flow);

// Entries in home, then shipped; the first. Valid until save or close.
const struct sg_store_entry *
sg_structure_store_entries(const struct sg_structure_store *store);

// Writes one compiled structure. Known under the same version with another
// content: SG_ERR_EXISTS unless replace. Its line appears with save. A store that
// was not opened to add only says whether it would.
SG_MUST_CHECK enum sg_err
sg_structure_store_add(struct sg_structure_store *store,
                       const struct sg_structure *structure, bool replace,
                       struct sg_diag *diag);
// Adds the dataflows, agreements and providers of the model to the index.
SG_MUST_CHECK enum sg_err
sg_structure_store_add_model(struct sg_structure_store *store,
                             const struct sg_model *model);
// Puts the dataflows and agreements of the index before those of the model, so
// that what stands on them is found. SG_ERR_FULL.
SG_MUST_CHECK enum sg_err
sg_structure_store_extend(const struct sg_structure_store *store,
                          struct sg_model *model);
// Replaces the index.
SG_MUST_CHECK enum sg_err
sg_structure_store_save(struct sg_structure_store *store);

// Reads one structure message into model: its bytes (through the file system),
// sha256 of them, SDMX-ML. diag names the line.
SG_MUST_CHECK enum sg_err sg_structure_store_read(const char *path,
                                                  struct sg_model *model,
                                                  uint8_t source_sha256[32],
                                                  struct sg_diag *diag);
