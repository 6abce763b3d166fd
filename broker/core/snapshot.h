// snapshot - the durable state as bytes and back, and its hash.
//
// Canonical: two cores that applied the same entries write the same bytes, so
// that the hash in entry 13 lets an auditor compare a replay with it. What is
// volatile is not in it.
#pragma once

#include <stdint.h>

#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "broker/core/core.h"

struct sg_snapshot_sink {
    void *ctx;
    enum sg_err (*put)(void *ctx, struct sg_slice bytes); // in order
};

// Writes the state after entries 0..next_seq - 1. The sink's error ends it.
// O(state).
SG_MUST_CHECK enum sg_err
sg_snapshot_write(const struct sg_core *core,
                  const struct sg_snapshot_sink *sink);
// Its two parts: the place in the log, and the state.
SG_MUST_CHECK enum sg_err sg_snapshot_head(const struct sg_core *core,
                                           const struct sg_snapshot_sink *sink);
SG_MUST_CHECK enum sg_err sg_snapshot_body(const struct sg_core *core,
                                           const struct sg_snapshot_sink *sink);
// The state in pieces in arena, and its hash, in one walk; later, when entry 13
// is applied, the place before it.
SG_MUST_CHECK enum sg_err sg_snapshot_take(const struct sg_core *core,
                                           struct sg_arena *arena,
                                           struct sg_piece **body,
                                           uint8_t sha256[32]);
SG_MUST_CHECK enum sg_err sg_snapshot_lead(const struct sg_core *core,
                                           struct sg_arena *arena,
                                           struct sg_piece **all);
// Into a core fresh from sg_core_new. SG_ERR_CORRUPT: not a snapshot of this
// version; make a new core and replay from entry 0.
SG_MUST_CHECK enum sg_err sg_snapshot_read(struct sg_core *core,
                                           struct sg_slice bytes);
// SHA-256 of the state without its place in the log: what entry 13 states.
void sg_snapshot_hash(const struct sg_core *core, uint8_t out[32]);
