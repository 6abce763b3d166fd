// home - one participant's folder at one gate.
//
// home.conf, keys/{transport,sign,approve}.key, roster, genesis, checkpoint,
// structures/, outbox/, inbox/, subscriptions/, acks/, consents/, statements/.
// Invariant: names of files are our own or hashes in hexadecimal; no id from
// outside is a path. Whatever is written is whole or not there.
#pragma once

#include <stdbool.h>

#include "adapters/client/roster.h"
#include "broker/base/diag.h"
#include "broker/os/file.h"
#include "broker/os/keyfile.h"
#include "schemas/proof/note.h"
#include "schemas/proof/receipt.h"
#include "schemas/sdmx/structure.h"

struct sg_home {
    char path[SG_OS_PATH];
    char participant[65], gate[65];
    char endpoint[2][128]; // control, data
    uint8_t gate_transport[32];
    uint8_t pin[32]; // fingerprint of the roster that was pinned
    bool has_pin;
    uint8_t genesis[32];
    bool has_genesis;
    struct sg_os_keyfile transport, sign, approve;
    bool has_approve;
    uint8_t sign_id[32];
    struct sg_signer *signer;
    struct sg_roster roster; // doc NULL: none held
    char checkpoint[SG_NOTE_MAX];
    size_t checkpoint_len;
    uint64_t checkpoint_size; // 0: none held
    uint64_t checkpoint_epoch;
    uint8_t checkpoint_root[32];
    bool checkpoint_dirty;
    bool look_only; // nothing is written
    // The structure used last.
    uint8_t structure_sha256[32];
    uint8_t *structure_bytes;
    struct sg_arena *structure_arena;
    const struct sg_structure *structure;
};

// Reads home.conf, keys, roster, checkpoint. SG_ERR_NOT_FOUND: no home; diag
// says which file and the cure.
SG_MUST_CHECK enum sg_err sg_home_open(const char *path, struct sg_home *home,
                                       struct sg_diag *diag);
void sg_home_close(struct sg_home *home); // keeps the checkpoint, wipes

// path/<folder>/<hex of hash><suffix>.
SG_MUST_CHECK bool sg_home_path(const struct sg_home *home, const char *folder,
                                struct sg_slice hash, const char *suffix,
                                char out[SG_OS_PATH]);
// The same of a name that comes from outside: its hash is the file's.
SG_MUST_CHECK bool sg_home_path_named(const struct sg_home *home,
                                      const char *folder, const char *name,
                                      const char *suffix, char out[SG_OS_PATH]);
// Takes a roster from the gate if it may follow the one held, and keeps it.
SG_MUST_CHECK enum sg_err sg_home_take_roster(struct sg_home *home,
                                              struct sg_slice bytes);
// First contact: remembered; later: compared. SG_ERR_FORK.
SG_MUST_CHECK enum sg_err sg_home_take_genesis(struct sg_home *home,
                                               struct sg_slice genesis);
// A note that the gate showed; newest: it says that this is all. SG_ERR_DAMAGE:
// smaller than the one held, or of an earlier epoch; SG_ERR_FORK: another root
// at the same size; SG_ERR_SIGNATURE.
SG_MUST_CHECK enum sg_err sg_home_take_checkpoint(struct sg_home *home,
                                                  struct sg_slice note,
                                                  bool newest);
// The same of a gate that was brought back from a copy: testimony is the receipt
// of the entry in which it wrote down that the note held so far is of a part of
// its log that it has lost. That note is kept beside. SG_ERR_RECEIPT: it does
// not say so.
SG_MUST_CHECK enum sg_err sg_home_take_restored(struct sg_home *home,
                                                struct sg_slice note,
                                                struct sg_slice testimony,
                                                struct sg_arena *arena);
// Looks at a receipt as this home must see it: of its gate, its history, under
// the log key of its roster, in line with the checkpoint it holds. kind and what
// it is about are the caller's part of expect. SG_ERR_ROSTER: no roster held;
// SG_ERR_FORK; SG_ERR_RECEIPT.
SG_MUST_CHECK enum sg_err sg_home_receipt(const struct sg_home *home,
                                          struct sg_slice receipt,
                                          struct sg_receipt_expect *expect,
                                          struct sg_arena *arena,
                                          struct sg_receipt_result *found);
// The compiled structure with this hash, from structures/. SG_ERR_STRUCTURE.
SG_MUST_CHECK enum sg_err sg_home_structure(struct sg_home *home,
                                            struct sg_slice sha256,
                                            const struct sg_structure **out);
// A key of the home; NULL: there is none of this use.
const struct sg_os_keyfile *sg_home_key(const struct sg_home *home,
                                        const char *use);
