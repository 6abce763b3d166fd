// zap - the thread that says who may connect (ZeroMQ RFC 27, CURVE only).
//
// Owns: the copy of the admitted transport keys, the back-off list, the REP
// socket at inproc://zeromq.zap.01. Invariant: it is bound before any server
// socket, and its end while the gate runs is the end of the gate (abort):
// libzmq lets everybody in when nobody answers (decisions-security S01).
// Never: knows a participant, a role or a revocation reason; those are looked
// up by key in the live roster for every message.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"

struct sg_zap; // opaque

enum {
    SG_ZAP_TOKEN_LEN = 32
}; // hex digits drawn at start, never sent or logged

// Starts the thread and returns once it is bound. context: a ZeroMQ context.
// token: SG_ZAP_TOKEN_LEN hex digits and a NUL. No key is admitted yet: who
// knocks before the first sg_zap_swap waits for it in the handshake.
SG_MUST_CHECK enum sg_err sg_zap_start(void *context, const char *token,
                                       struct sg_zap **zap);
// Two steps, because the thread only wakes when the context is shut down:
// stopping says that its end is wanted; stop, after zmq_ctx_shutdown, waits for
// it and frees.
void sg_zap_stopping(struct sg_zap *zap);
void sg_zap_stop(struct sg_zap **zap);

// Replaces the admitted keys by a copy of these; ascending by bytes.
SG_MUST_CHECK enum sg_err
sg_zap_swap(struct sg_zap *zap, const uint8_t (*keys)[32], uint32_t count);

// Handshakes with this key are refused until the monotonic time given; the peer
// tries again by itself. At most 1,024 keys; the earliest to end makes room.
void sg_zap_back_off(struct sg_zap *zap, const uint8_t key[32],
                     uint64_t until_us, uint64_t now_us);

// The keys that shook hands since the last call, each once, and forgets them.
// Returns how many were written, at most cap.
uint32_t sg_zap_connected(struct sg_zap *zap, uint8_t (*keys)[32],
                          uint32_t cap);

// Handshakes refused since the start.
uint64_t sg_zap_refused(struct sg_zap *zap);
