// settle - what is over leaves memory, and comes back when it is decided on.
//
// A delivery is over when nothing can come of it (sg_deliver_final) and its
// release is not the newest of its flow. A release is settled when it is not
// the newest and none of its deliveries and renditions is in memory: what the
// store holds of it is then found by its objects alone (cold.h). What is over
// waits SG_LIMIT_SETTLE entries, more than a handler writes while it holds an
// index of it; then it becomes rows of the index (cold.h). Deliveries leave
// sooner where a decision says that it needs their room. Whoever waits to be
// decided for it finds it there (match_walk.c), and the decision brings it back.
// All of it is part of apply: the same log gives the same state in memory, and
// no entry brings more than one release.
#pragma once

#include "broker/core/state.h"

// Nothing in memory can come of the release any more but a new decision;
// renditions of it may still be there.
bool sg_settle_over(const struct sg_state *state, uint32_t release);
// After each move of a delivery; seq: entry being applied.
void sg_settle_delivery(struct sg_state *state, uint32_t index, uint64_t seq);
// After something may have settled a release.
void sg_settle_release(struct sg_state *state, uint32_t index, uint64_t seq);
// The release is no longer the newest of its flow.
void sg_settle_superseded(struct sg_state *state, uint32_t index, uint64_t seq);
// What has waited long enough leaves memory. Called after each entry.
SG_MUST_CHECK enum sg_err sg_settle_leave(struct sg_state *state, uint64_t seq);
// The `count` deliveries that have waited longest leave it now, for the entry
// that is being applied.
SG_MUST_CHECK enum sg_err sg_settle_make_room(struct sg_state *state,
                                              uint32_t count, uint64_t seq);

// A release that was accepted, wherever it is (sg_release_look); that it is
// nowhere is damage of the index, and the gate stops.
SG_MUST_CHECK enum sg_err sg_settle_look(const struct sg_state *state,
                                         uint32_t flow, uint64_t revision,
                                         struct sg_release *release);
// The first revision of the flow whose entry is not before `from`; the one after
// the newest: none is. Looks at as many as the count of revisions has bits.
SG_MUST_CHECK enum sg_err sg_settle_first(const struct sg_state *state,
                                          uint32_t flow, uint64_t from,
                                          uint64_t *revision);
// Back into memory: the release of the flow that is entry `seq`, which has left.
SG_MUST_CHECK enum sg_err sg_settle_return(struct sg_state *state,
                                           uint32_t flow, uint64_t seq,
                                           uint32_t *index);

// Rows of those that settle, after a snapshot: at the end.
void sg_settle_wait_delivery(struct sg_state *state, uint32_t index);
void sg_settle_wait_release(struct sg_state *state, uint32_t index);
