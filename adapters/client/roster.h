// roster - the signed list that a participant holds, and its keys.
//
// Owns one SignedRoster in an arena of its own. Invariant: what is held was
// either pinned by its fingerprint or is signed by k distinct persons whose
// root keys the roster held before names. Never goes back to an older one.
#pragma once

#include "broker/base/arena.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "schemas/manifest.pb-c.h"
#include "schemas/proof/sign.h"
#include "schemas/roster.pb-c.h"

struct sg_roster {
    struct sg_arena *arena;
    struct sg_slice bytes; // packed SignedRoster
    const Sgpb__SignedRoster *outer;
    const Sgpb__Roster *doc;
    uint8_t sha256[32]; // of the roster bytes; the fingerprint of version 1
};

// Reads one; nothing is verified. SG_ERR_ROSTER: not a roster; SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_roster_read(struct sg_slice bytes,
                                         struct sg_roster *roster);
void sg_roster_drop(struct sg_roster *roster);
// May next follow held? SG_ERR_ROSTER_OLD, SG_ERR_FORK (same version, another
// content), SG_ERR_ROSTER (signatures, gate, predecessor).
SG_MUST_CHECK enum sg_err sg_roster_follows(const struct sg_roster *held,
                                            const struct sg_roster *next);

// The key with this id; NULL: none. *who: its participant.
const Sgpb__RosterKey *sg_roster_key(const struct sg_roster *roster,
                                     struct sg_slice key_id,
                                     const Sgpb__Participant **who);
const Sgpb__Participant *sg_roster_participant(const struct sg_roster *roster,
                                               const char *id);
// A document signed by the gate's own key of role sign.
SG_MUST_CHECK bool sg_roster_gate_signed(const struct sg_roster *roster,
                                         const Sgpb__Signed *document,
                                         enum sg_sign_purpose purpose);
