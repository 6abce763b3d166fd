// settle - what is over leaves memory, and comes back when it is owed again.
//
// A delivery is over when nothing can come of it (sg_deliver_final) and its
// release is not the newest of its flow. A release is settled when it is not
// the newest, none of its deliveries and renditions is in memory, and no
// subscription still waits to be decided for it: what the store holds of it is
// then found by its objects alone (cold.h). What is over waits SG_LIMIT_SETTLE entries, more
// than a turn writes, so that no index of it is held by a handler; then it
// becomes rows of the index (cold.h). All of it is part of apply: the same log
// gives the same state in memory.
#pragma once

#include "broker/core/state.h"

// Does a subscription wait to be decided for this release?
bool sg_settle_owed(const struct sg_state *state, uint32_t release);
// Nothing can come of the release any more; renditions of it may still be there.
bool sg_settle_over(const struct sg_state *state, uint32_t release);
// After each move of a delivery; seq: entry being applied.
void sg_settle_delivery(struct sg_state *state, uint32_t index, uint64_t seq);
// After something may have settled a release.
void sg_settle_release(struct sg_state *state, uint32_t index, uint64_t seq);
// The release is no longer the newest of its flow.
void sg_settle_superseded(struct sg_state *state, uint32_t index, uint64_t seq);
// All releases of the flow that are in memory: a subscription ended.
void sg_settle_flow(struct sg_state *state, uint32_t flow, uint64_t seq);
// What has waited long enough leaves memory. Called after each entry.
SG_MUST_CHECK enum sg_err sg_settle_leave(struct sg_state *state, uint64_t seq);

// The releases of the flow from entry `from` on that have left memory: how
// many, and back into it (for a subscription that begins in the past).
SG_MUST_CHECK enum sg_err sg_settle_count(const struct sg_state *state,
                                          uint32_t flow, uint64_t from,
                                          uint64_t *count);
SG_MUST_CHECK enum sg_err sg_settle_return(struct sg_state *state,
                                           uint32_t flow, uint64_t from);

// Rows of those that settle, after a snapshot: at the end.
void sg_settle_wait_delivery(struct sg_state *state, uint32_t index);
void sg_settle_wait_release(struct sg_state *state, uint32_t index);
