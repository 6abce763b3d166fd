// items - the frame of items that one ZeroMQ message carries (core-design 1).
//
// Item = header length u32 | payload length u32 | Envelope | payload. A second
// frame is the payload of the last item, whose payload length is then 0. A
// frame is taken whole or refused whole; Envelopes are not looked into.
#pragma once

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"

enum {
    SG_ITEMS_HEAD_LEN = 8,
    SG_ITEMS_INLINE_MAX = 4096, // a larger payload goes as the second frame
    SG_ITEMS_PAYLOAD_MAX = SG_LIMIT_CHUNK + 16, // one chunk with its tag
};

struct sg_item {              // borrowed from the frames
    struct sg_slice envelope; // never empty
    struct sg_slice payload;
};

// Appends one item. SG_ERR_FULL: over SG_LIMIT_HEADER or SG_LIMIT_FRAME, or no
// room in out (nothing is written). For a payload that goes as the second frame
// give an empty one here.
SG_MUST_CHECK enum sg_err sg_items_put(struct sg_writer *out,
                                       struct sg_slice envelope,
                                       struct sg_slice payload);
// second: ptr NULL when the message has one frame. items: room for
// SG_LIMIT_ITEMS. SG_ERR_PEER_MALFORMED: any fault; *count is then 0.
SG_MUST_CHECK enum sg_err sg_items_parse(struct sg_slice frame,
                                         struct sg_slice second,
                                         struct sg_item *items, size_t *count);
