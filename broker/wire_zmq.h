// wire_zmq - the gate's sockets: ROUTER with CURVE, nothing else.
//
// Owns: the ZeroMQ context, the ZAP thread, one ROUTER for control messages
// (withdraw, recall, revoke, policy: read first, S60) and one for everything
// else, and the guard over memory. Invariant: a message that leaves
// sg_wire_receive carries the CURVE key that ZAP admitted in this run; all
// others are dropped and counted. Never: knows what a message means, who a key
// is, or answers anything by itself.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_wire; // opaque

enum sg_wire_lane { SG_WIRE_CONTROL, SG_WIRE_DATA, SG_WIRE_LANES };

// Where an answer goes: the lane and the routing id that libzmq made. Carries
// no authority (reliability.md D).
struct sg_wire_routing {
    uint8_t len; // 1..SG_WIRE_ROUTING_MAX, the first byte is the lane
    uint8_t bytes[32];
};

struct sg_wire_message {
    struct sg_wire_routing from;
    uint8_t key[32];         // CURVE public key
    struct sg_slice items;   // first frame
    struct sg_slice payload; // second frame, or empty
    bool malformed;          // more than two frames, or an empty first one
    uint32_t slot;           // for sg_wire_hold
};

struct sg_wire_options {
    const char
        *endpoint[SG_WIRE_LANES]; // "tcp://127.0.0.1:7341", port * allowed
    uint8_t public_key[32], secret_key[32]; // CURVE
    char token[33];                         // of zap.h
    uint64_t rss_soft; // bytes; above it the sockets are made anew
};

// ZAP is bound before the sockets. SG_ERR_IO: an endpoint cannot be bound.
SG_MUST_CHECK enum sg_err sg_wire_open(const struct sg_wire_options *options,
                                       struct sg_wire **wire);
void sg_wire_close(struct sg_wire **wire);

// The endpoint bound, with its port; static for the life of wire.
const char *sg_wire_endpoint(const struct sg_wire *wire,
                             enum sg_wire_lane lane);

// Admitted keys, ascending by bytes; copied.
SG_MUST_CHECK enum sg_err
sg_wire_admit(struct sg_wire *wire, const uint8_t (*keys)[32], uint32_t count);

// Waits until a message, one of count descriptors (readable) or the time is
// there. ready[i] is set for each descriptor; true: a message may be waiting.
bool sg_wire_wait(struct sg_wire *wire, const int *fds, bool *ready,
                  uint32_t count, uint32_t timeout_ms);

// Takes what has come, control first; never blocks. The slices live until the
// next call unless held. Returns the number, at most cap (<= 256).
uint32_t sg_wire_receive(struct sg_wire *wire, struct sg_wire_message *messages,
                         uint32_t cap);

// Keeps the payload of a message beyond the next receive, without a copy; may
// be released from another thread.
struct sg_wire_held; // opaque
struct sg_wire_held *sg_wire_hold(struct sg_wire *wire, uint32_t slot,
                                  struct sg_slice *payload);
void sg_wire_release(struct sg_wire_held **held);

// Writes len bytes of payload; false: they are not to be had.
typedef bool sg_wire_fill(void *context, uint8_t *bytes, size_t len);

// Never blocks. payload_len 0: one frame. fill writes the payload straight into
// the frame. SG_ERR_UNREACHABLE: the peer is gone; SG_ERR_BUSY: its queue is
// full (a breach of credit); SG_ERR_CORRUPT: fill said no, nothing was sent.
SG_MUST_CHECK enum sg_err sg_wire_send(struct sg_wire *wire,
                                       const struct sg_wire_routing *to,
                                       struct sg_slice items,
                                       size_t payload_len, sg_wire_fill *fill,
                                       void *context);

// Looks at the process's memory; over the soft limit all connections are
// dropped and the key that grew is searched and put on the back-off list (S54).
// Returns true when the sockets were made anew; then *suspect tells whether a
// key was found and which. Call about ten times a second.
bool sg_wire_guard(struct sg_wire *wire, uint64_t rss, uint64_t now_us,
                   bool *found, uint8_t suspect[32]);

struct sg_wire_counts {
    uint64_t dropped;   // without our User-Id, or from a key not admitted now
    uint64_t refused;   // handshakes
    uint64_t malformed; // frames
    uint64_t resets;    // by the guard
};
struct sg_wire_counts sg_wire_counts(const struct sg_wire *wire);
