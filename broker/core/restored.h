// restored - a gate whose store came back from a copy (decisions-security S27).
//
// Owns the epochs of the log, and who was heard since the newest one began. A
// copy may lack a withdrawal, a recall, a revoked key: until every participant
// has said hello, and with it what it knows, or the root key holders have waived
// it by name in a roster, the gate reads out, takes what forbids, and decides
// and delivers nothing. Invariant: what a participant holds of a lost part of
// the log is an entry of type testimony before the gate goes on.
#pragma once

#include "broker/core/turn.h"

// ---- apply (sg_core_apply only) ----
enum sg_err sg_restored_apply_epoch(struct sg_state *state,
                                    const struct sg_appended *entry,
                                    const void *body);
enum sg_err sg_restored_apply_testimony(struct sg_state *state,
                                        const struct sg_appended *entry,
                                        const void *body);
// After a change of the roster or a revocation: is anybody still missing?
void sg_restored_settle(struct sg_state *state);
// Puts a participant that was heard into its table; also after a snapshot.
enum sg_err sg_restored_index(struct sg_state *state, uint32_t index);

// ---- deciding ----
// Is it still to be heard? Not one that is paused or has no transport key.
bool sg_restored_misses(const struct sg_state *state,
                        const Sgpb__Participant *who);
// The ids it waits for, up to most bytes of text, "" when it does not wait.
const char *sg_restored_missing(struct sg_turn *turn, size_t most);
// The entry epoch, when the log has begun one and not yet said so.
void sg_restored_begin(struct sg_turn *turn);
// What the note of a hello means. *testimony: the entry that holds one of a lost
// part of the log, or SG_NO_ENTRY. *after: what must be durable before the
// answer. SG_ERR_DAMAGE, SG_ERR_FORK: this log is not the one that was signed;
// SG_ERR_SIGNATURE: not a note of ours; else it cannot be told now.
SG_MUST_CHECK enum sg_err sg_restored_hear(struct sg_turn *turn,
                                           struct sg_slice note,
                                           uint64_t *testimony,
                                           uint64_t *after);
// TESTIFY: a receipt of what was lost becomes an entry of its own. *seq: that
// entry, or the one that it is about; *there: nothing was written. Errors as
// above; SG_ERR_FORMAT: it proves nothing.
SG_MUST_CHECK enum sg_err sg_restored_testify(struct sg_turn *turn,
                                              uint64_t *seq, bool *there);
