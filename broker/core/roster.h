// roster - who may do what, as the newest signed roster says (S02, S03, S05-S08).
//
// Authority is a key with a use, looked up by the key at every message; the
// participant's id follows from it. Revocation acts at once and for ever; a
// public key that was ever in a roster keeps its owner and use.
#pragma once

#include "broker/core/turn.h"
#include "schemas/proof/sign.h"

// ---- apply (sg_core_apply only) ----
enum sg_err sg_roster_apply(struct sg_state *state,
                            const struct sg_appended *entry, const void *body);
enum sg_err sg_roster_apply_revoked(struct sg_state *state,
                                    const struct sg_appended *entry,
                                    const void *body);
// Unpacks kept; also after a snapshot.
enum sg_err sg_roster_open(struct sg_roster *roster);
// Makes the look-up tables for roster->kept; also after a snapshot.
enum sg_err sg_roster_index(struct sg_state *state, bool remember);

// ---- asking ----
const struct sg_key *sg_roster_by_curve(const struct sg_state *state,
                                        const uint8_t curve_key[32]);
const struct sg_key *sg_roster_by_id(const struct sg_state *state,
                                     struct sg_slice key_id);
// SG_OK, PEER_REVOKED, PEER_UNKNOWN (not yet, no more, or paused).
enum sg_err sg_roster_usable(const struct sg_state *state,
                             const struct sg_key *key, uint64_t now);
const Sgpb__Participant *sg_roster_participant(const struct sg_state *state,
                                               struct sg_slice id);
static inline const Sgpb__Participant *
sg_roster_owner(const struct sg_state *state, const struct sg_key *key)
{
    return state->roster.doc->participants[key->place];
}
// Names of the roles (SG_ROLE_*) of a key with between in between; NULL: arena.
char *sg_roster_roles(struct sg_arena *arena, uint8_t held,
                      const char *between);
bool sg_roster_has_role(const Sgpb__Participant *who, const char *role);
// By the later of the times that are told (S50).
bool sg_roster_expired(const struct sg_turn *turn);
// Do two keys belong to different persons? Keys without a person: never.
bool sg_roster_two_persons(const struct sg_state *state, const struct sg_key *a,
                           const struct sg_key *b);
// The register of instruments: the entry that covers them now, else none.
uint16_t sg_roster_instrument(const struct sg_state *state,
                              const Sgpb__Participant *from,
                              const Sgpb__Participant *to, const char *purpose,
                              uint64_t now);
enum { SG_ROSTER_TRANSPORT_ALG = 16 }; // CURVE25519, of RosterKey

// A public key of a roster and whose it is, for ever (S03).
struct sg_roster_owned {
    struct sg_slice public_key;
    uint8_t id[32];
    uint64_t owner; // first 8 bytes of H(participant, person, use)
    bool ends;      // the roster says until when
    const char *field;
};
struct sg_roster_owned sg_roster_owned_by(const Sgpb__Participant *who,
                                          const Sgpb__RosterKey *key);
// Those of nobody's row: the roots, then the gate's three, which may be empty.
// false: no more.
bool sg_roster_owned_at(const Sgpb__Roster *roster, size_t at,
                        struct sg_roster_owned *key);
struct sg_quota *sg_roster_quota(struct sg_core *core, const char *participant);

// ---- signed documents ----
// Who signed body for this purpose with a usable key of this use? NULL: *err
// says why (PEER_UNKNOWN, PEER_REVOKED, PEER_KEY_USE, SIGNATURE; BUSY: the
// sender has no token for the check).
const struct sg_key *sg_roster_signer(struct sg_turn *turn,
                                      const Sgpb__Signed *document,
                                      enum sg_sign_purpose purpose,
                                      enum sg_key_use use, enum sg_err *err);
// The gate's own signature, in turn's memory.
Sgpb__Signed *sg_roster_sign(struct sg_turn *turn, enum sg_sign_purpose purpose,
                             const ProtobufCMessage *body);

// May this roster follow the current one (or be the first)? roster: unpacked.
enum sg_err sg_roster_check(struct sg_turn *turn,
                            const Sgpb__SignedRoster *signed_roster,
                            const char **what);
// Checks it and writes the entry. What a bad one lacks: *what.
enum sg_err sg_roster_take(struct sg_turn *turn, struct sg_slice signed_bytes,
                           uint64_t *seq, const char **what);
// The transport keys in force, to ZAP.
void sg_roster_swap(struct sg_turn *turn, uint64_t after_seq);

// ---- messages ----
void sg_roster_get(struct sg_turn *turn);
void sg_roster_put(struct sg_turn *turn);
void sg_roster_revoke(struct sg_turn *turn);
