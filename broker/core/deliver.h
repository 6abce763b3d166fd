// deliver - a rendition on its way to one subscription, key last (S36).
//
// Ciphertext travels within the subscriber's credit; when all is there, the
// transfer is decided once more, `key released` is written, and the key goes
// once that is durable and no stop has come in between. The life of a delivery
// is the table in deliver_fsm.c.
#pragma once

#include "broker/base/fsm.h"
#include "broker/core/turn.h"
#include "schemas/vocabulary/obligation.h"

extern const struct sg_fsm sg_deliver_fsm;

// Moves the delivery; false: the table does not know this move.
bool sg_deliver_step(struct sg_delivery *delivery, uint8_t event);
bool sg_deliver_final(uint8_t state); // nothing can come of it any more
bool sg_deliver_left(uint8_t state);  // a key was released for it
uint64_t sg_deliver_stop_epoch(const struct sg_state *state, uint32_t index);
// n of suppress_small_cells(n) of a part; 0: none.
uint32_t sg_deliver_suppress(const Sgpb__PartVerdict *part);
Sgpb__Obligation *sg_deliver_obligation(struct sg_turn *turn,
                                        const struct sg_obligation *one);

enum sg_err sg_deliver_apply_statement(struct sg_state *state,
                                       const struct sg_appended *entry,
                                       const void *body);
enum sg_err sg_deliver_apply_released(struct sg_state *state,
                                      const struct sg_appended *entry,
                                      const void *body);
enum sg_err sg_deliver_apply_cancelled(struct sg_state *state,
                                       const struct sg_appended *entry,
                                       const void *body);
enum sg_err sg_deliver_apply_ack(struct sg_state *state,
                                 const struct sg_appended *entry,
                                 const void *body);
enum sg_err sg_deliver_apply_stopped(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);
enum sg_err sg_deliver_apply_expired(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);

void sg_deliver_attach(struct sg_turn *turn);
void sg_deliver_ready(struct sg_turn *turn);
void sg_deliver_receipt(struct sg_turn *turn);
void sg_deliver_key_sent(struct sg_turn *turn, const struct sg_event *event);
void sg_deliver_key_not_sent(struct sg_turn *turn,
                             const struct sg_event *event);

// Body of entry 34, from this turn or the log. NULL: not readable yet.
const Sgpb__DeliveryEntry *sg_deliver_statement(struct sg_turn *turn,
                                                uint64_t seq);
// Is the slot in use? The delivery may have ended and left memory since.
bool sg_deliver_sends(const struct sg_state *state,
                      const struct sg_sending *slot);
// Where a delivery goes on, as the subscriber said when it attached.
void sg_deliver_resume(struct sg_session *session, const struct sg_state *state,
                       struct sg_sending *slot);
// Goes on with the deliveries of a flow, or of a session: renditions,
// statements, chunks within credit. A flow as far as the turn has room; due: why
// it is looked at. SG_DUE_REST: it goes on in the next turn; else 0.
SG_MUST_CHECK uint8_t sg_deliver_flow(struct sg_turn *turn, uint32_t flow,
                                      uint8_t due);
void sg_deliver_pump(struct sg_turn *turn, struct sg_session *session);
// Tells the subscriber, if it is attached, that the delivery waits or ended.
void sg_deliver_tell(struct sg_turn *turn, uint32_t index);
// The same of all deliveries of the release that cannot be rendered.
void sg_deliver_tell_release(struct sg_turn *turn, uint32_t release);
// The last look at what is ready, and its keys.
void sg_deliver_turn(struct sg_turn *turn);
