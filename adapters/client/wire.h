// wire - two encrypted sockets to one gate: control and data.
//
// CURVE with the gate's key pinned; a gate with another key is never spoken
// to. Frames of items out, frames of items in. Invariant: nothing here is
// looked into; what came in is borrowed until the next receive.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum sg_wire_lane { SG_WIRE_CONTROL, SG_WIRE_DATA, SG_WIRE_LANES };

struct sg_wire_options {
    const char *endpoint[SG_WIRE_LANES];
    uint8_t server_key[32]; // the gate's, pinned
    uint8_t public_key[32], secret_key[32];
};

struct sg_wire_message { // borrowed until the next receive
    enum sg_wire_lane lane;
    struct sg_slice items, payload; // payload.ptr NULL: one frame
};

struct sg_wire; // opaque

// Does not wait: libzmq connects when it can. SG_ERR_IO: an address that is
// none; SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_wire_open(const struct sg_wire_options *options,
                                       struct sg_wire **wire);
void sg_wire_close(struct sg_wire **wire);
// A fresh connection in this lane; what was not sent is lost.
SG_MUST_CHECK enum sg_err sg_wire_reset(struct sg_wire *wire,
                                        enum sg_wire_lane lane);
// The gate did not let our key in: it is in no roster there, not any more, or
// was revoked. The lane is dead from then on, until a reset.
bool sg_wire_denied(struct sg_wire *wire, enum sg_wire_lane lane);
// payload may be empty. SG_ERR_UNREACHABLE: no room within timeout_ms.
SG_MUST_CHECK enum sg_err sg_wire_send(struct sg_wire *wire,
                                       enum sg_wire_lane lane,
                                       struct sg_slice items,
                                       struct sg_slice payload,
                                       uint32_t timeout_ms);
// SG_ERR_UNREACHABLE: nothing came; SG_ERR_PEER_MALFORMED: more than two
// frames.
SG_MUST_CHECK enum sg_err sg_wire_receive(struct sg_wire *wire,
                                          uint32_t timeout_ms,
                                          struct sg_wire_message *message);
