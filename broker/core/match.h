// match - which release goes to which subscription, and whether it may.
//
// Each part of a release is decided; in this version a release goes whole, so
// the worst verdict of its parts is that of the delivery. All decisions on one
// release in one turn are one entry.
#pragma once

#include "broker/core/turn.h"
#include "policy/decide.h"

// What policy, consent, availability and roster say now of one release for one
// subscription. Zeroed: deny. In the turn's memory, and large: one is decided
// into again and again.
struct sg_outcome {
    enum sg_verdict verdict;
    enum sg_why why;
    size_t parts;
    uint32_t index[SG_PARTS_MAX]; // in the facts, of each part
    uint64_t object; // entry of the rendition whose facts; 0: the release's
    struct sg_request request[SG_PARTS_MAX]; // of each part
    struct sg_decision part[SG_PARTS_MAX];
    struct sg_obligation obligations[SG_LIMIT_OBLIGATIONS]; // of all parts
    size_t obligations_count;
    uint64_t hold_until; // microseconds; 0: until an event
    uint32_t suppress_below;
    size_t worst;       // the part that decided
    uint64_t epochs[8]; // of the agreements, in the order of the terms
    size_t epochs_count;
    // Room for the second look, kept for the next decision into this outcome.
    struct sg_outcome *spare;
};

void sg_match_decide(struct sg_turn *turn, uint32_t release,
                     uint32_t subscription, uint64_t first_held,
                     struct sg_outcome *outcome);
// The same of a release that may have left memory.
void sg_match_decide_on(struct sg_turn *turn, const struct sg_release *release,
                        uint32_t subscription, uint64_t first_held,
                        struct sg_outcome *outcome);
uint32_t sg_match_day(uint64_t now_us); // days since 1970
// The attributes of level S: who the recipient is and what he asks for.
void sg_match_recipient(struct sg_turn *turn, const Sgpb__FlowTerms *terms,
                        const struct sg_subscription *to, uint16_t *code);
// What beside the request a decision for this subscription rests on.
struct sg_context *sg_match_context(struct sg_turn *turn,
                                    const Sgpb__FlowTerms *terms,
                                    const struct sg_subscription *to,
                                    uint64_t first_held);

// Collects the decisions of one turn on one release, then writes the entry.
// release: its entry. Room for at most SG_MATCH_ADDED_MAX of them.
enum { SG_MATCH_ADDED_MAX = 512 };
struct sg_deciding;
struct sg_deciding *sg_match_begin(struct sg_turn *turn, uint64_t release,
                                   uint32_t stage, size_t most);
void sg_match_add(struct sg_turn *turn, struct sg_deciding *deciding,
                  const uint8_t delivery_id[16], uint32_t subscription,
                  const struct sg_outcome *outcome);
// Deliveries that are over leave memory first, the oldest ones.
void sg_match_make_room(struct sg_deciding *deciding, uint32_t deliveries);
// Sequence number; 0: nothing was added.
uint64_t sg_match_write(struct sg_turn *turn, struct sg_deciding *deciding);

enum sg_err sg_match_apply(struct sg_state *state,
                           const struct sg_appended *entry, const void *body);
// Links a delivery into its subscription; also after a snapshot.
enum sg_err sg_match_index(struct sg_state *state, uint32_t index);

void sg_match_timers(struct sg_turn *turn);       // holds whose time has come
void sg_match_turn(struct sg_turn *turn);         // what is due by flow
bool sg_match_is_due(const struct sg_core *core); // anything for it to do now?
// Decides on the flow's releases for the subscriptions that wait for them, and
// takes what that costs from the budget (match_walk.c). What is left then: 0,
// SG_DUE_MATCH at the end of the budget, SG_DUE_ROOMS for want of room.
uint8_t sg_match_walk(struct sg_turn *turn, uint32_t flow, size_t *budget);
// Decides again on what waits in the flow, as far as the budget goes
// (match_again.c). due: what is due of it; what is left then: SG_DUE_AGAIN, and
// SG_DUE_DECIDE where that was asked for in the middle.
uint8_t sg_match_again(struct sg_turn *turn, uint32_t flow, uint8_t due,
                       size_t *budget);
// What there is room for: SG_DUE_ROOMS.
uint8_t sg_match_room(const struct sg_core *core);
// Sets the timer of a delivery that waits for a time.
void sg_match_wait(struct sg_core *core, uint32_t index);
