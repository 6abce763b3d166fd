// consented - consent agreements, events and the answer to a withdrawal.
//
// An event is evidence before it is answered. A withdrawal is answered by a
// signed statement once every key released before it has been handed over or
// cancelled (S36); the statement names what left, what was cancelled and what
// is ciphertext for ever.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_consented_apply_agreement(struct sg_state *state,
                                         const struct sg_appended *entry,
                                         const void *body);
enum sg_err sg_consented_apply_event(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);
enum sg_err sg_consented_apply_statement(struct sg_state *state,
                                         const struct sg_appended *entry,
                                         const void *body);
// Unpacks kept and tells the ledger; also after a snapshot.
enum sg_err sg_consented_open(struct sg_state *state,
                              struct sg_agreement *agreement);
// A record read from a snapshot, into tables and ledger.
enum sg_err sg_consented_restore(struct sg_state *state, uint32_t index);

// Were those who gave consent asked for this: the purpose and the class of the
// recipient that the attributes name, and no more onward than they allow? What
// the agreement does not say was not asked. One that is not there, or is of the
// other kind (community or not), is for the ledger to judge: true.
bool sg_consented_covers(const struct sg_state *state, const char *agreement,
                         bool community, const uint16_t *code);

void sg_consented_agreement(struct sg_turn *turn);
void sg_consented_events(struct sg_turn *turn);
void sg_consented_get(struct sg_turn *turn);
void sg_consented_record(struct sg_turn *turn);
void sg_consented_expire(struct sg_turn *turn);
// Answers the withdrawals whose keys are settled, as far as one turn goes.
void sg_consented_statements(struct sg_turn *turn);
bool sg_consented_is_due(const struct sg_core *core); // is one half made?
