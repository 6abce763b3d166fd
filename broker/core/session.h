// session - one connection: who it is, what it may say, what may be in flight.
//
// The sender is the CURVE key of the message, looked up in the live roster each
// time (S01, S02); a session remembers credit and deliveries only, never
// authority.
#pragma once

#include "broker/core/turn.h"

// One item from a peer: look-up, guard, credit, rights, then its handler.
void sg_session_message(struct sg_turn *turn, const struct sg_event *event);
void sg_session_gone(struct sg_turn *turn, const struct sg_routing *peer);

// NULL: there is none.
struct sg_session *sg_session_find(struct sg_core *core,
                                   const struct sg_routing *peer);
// The session that a subscription is attached to, if its key may still act.
struct sg_session *sg_session_of(struct sg_core *core, uint32_t subscription);

// The subscription is attached to the session in hand; the newest wins.
void sg_session_attach(struct sg_turn *turn, uint32_t subscription);

// Puts new credit into an envelope that goes to the session in hand.
void sg_session_grant(struct sg_turn *turn, Sgpb__Envelope *envelope);
// Payload bytes that came are durable or dropped: their room is free again.
void sg_session_stored(struct sg_turn *turn, const struct sg_routing *peer,
                       uint64_t bytes);

// After a roster entry: quotas anew, peers without a usable key closed.
void sg_session_new_roster(struct sg_turn *turn);
void sg_session_drop_unusable(struct sg_turn *turn, uint64_t after_seq);
