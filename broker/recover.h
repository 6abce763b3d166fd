// recover - from what is on the disk to a core that may serve.
//
// The newest snapshot that the log states, then the entries after it; without
// one, all of the log. Decides nothing: entries are applied, rows of what they
// make final are put into the index again. What it does on the way is said in
// the program's log.
#pragma once

#include "broker/core/core.h"
#include "broker/evidence/evidence.h"

struct sg_recover_options {
    const char *store;                    // home of the evidence
    const char *gate;                     // id
    struct sg_signer *log_key, *sign_key; // borrowed
    bool stop_on_damage;                  // of old segments, found afterwards
    uint64_t snapshot_every;              // 0: SG_LIMIT_SNAPSHOT
    uint64_t new_epoch; // the store is from a copy: at least this; 0: it is not
};

struct sg_recover {
    struct sg_evidence *evidence; // started; the caller's
    struct sg_core *core;         // the caller's
    uint64_t replayed;            // entries read after the snapshot
};

// After an error too, what was made is the caller's. diag: where the store is
// damaged, and the cure.
SG_MUST_CHECK enum sg_err
sg_recover_open(const struct sg_recover_options *options,
                struct sg_recover *made, struct sg_diag *diag);
