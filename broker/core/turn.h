// turn - one event in hand: what a handler needs, and the only way to write.
//
// A handler reads const state, and changes the durable state by
// sg_turn_append alone, which applies the entry at once and puts it into the
// output. Replies to the message in hand go through sg_turn_reply and
// sg_turn_refuse.
#pragma once

#include <stdio.h>

#include "broker/core/pack.h"
#include "broker/core/volatile.h"
#include "schemas/proof/entry.h"
#include "schemas/wire.pb-c.h"

struct sg_turn {
    struct sg_core *core; // volatile state may be changed
    const struct sg_state *state;
    struct sg_output *output;
    struct sg_arena *arena; // of output
    uint64_t now;           // microseconds UTC
    const uint8_t *random;
    uint32_t drawn;
    // the message in hand, or NULL
    const struct sg_event_message *message;
    const Sgpb__Envelope *envelope;
    struct sg_session *session;
    const struct sg_key *key; // transport key of the sender
    const Sgpb__Participant *who;
    const char *judged; // name of what it brings, if a refusal of it is
                        // recorded (refuse.h); "": it has none; NULL: it is not
    uint64_t payload_left; // bytes not handed to the store
    uint32_t checks;       // tokens.h: taken and not given back
    struct sg_outcome
        *told; // room of sg_deliver_tell, taken once a turn; or NULL
    const struct sg_chosen *chosen; // NULL: nobody was asked yet (choice.h)
};

// Writes an entry of this body and applies it. Returns its sequence number.
uint64_t sg_turn_append(struct sg_turn *turn, enum sg_entry_type type,
                        const ProtobufCMessage *body);
// len bytes made from the event's random bytes; fresh at each call.
void sg_turn_draw(struct sg_turn *turn, void *out, size_t len);

// Sends one item. envelope: body set; proto and grants are filled in here.
struct sg_effect_send *sg_turn_send(struct sg_turn *turn,
                                    const struct sg_routing *to,
                                    Sgpb__Envelope *envelope,
                                    uint64_t after_seq);
// To the sender of the message in hand, under its request number.
struct sg_effect_send *sg_turn_reply(struct sg_turn *turn,
                                     Sgpb__Envelope *envelope,
                                     uint64_t after_seq);
// RECEIPT of an entry, once it is durable.
void sg_turn_receipt(struct sg_turn *turn, uint64_t seq, bool duplicate);
// REFUSED, as sg_refuse_reply. component: a field or NULL.
void sg_turn_refuse(struct sg_turn *turn, enum sg_err code,
                    const char *component);

// Memory that cannot run out within a turn (sg_output_has_room).
void *sg_turn_take(struct sg_turn *turn, size_t size);
