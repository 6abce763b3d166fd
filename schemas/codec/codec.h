// codec - the guarded way between protobuf bytes and messages.
//
// Foreign bytes are walked against the schema before protobuf-c sees them:
// depth, memory that unpacking would take, wire types, UTF-8 without NUL, field
// twice, unknown field. Then they are unpacked into the caller's arena, packed
// again and compared: one meaning has one encoding (decisions-security S12).
// Signed bytes are kept as received; nobody signs or hashes what came out of
// sg_codec_pack of a foreign message.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// Only canonical bytes give a message; it lives in arena, strings and bytes
// too. SG_ERR_FORMAT: anything wrong with the bytes; SG_ERR_FULL: deeper than
// SG_LIMIT_PB_DEPTH, larger than SG_LIMIT_PB_MEMORY unpacked, or arena full.
// *out: NULL unless SG_OK. O(bytes).
SG_MUST_CHECK enum sg_err
sg_codec_unpack(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
                struct sg_arena *arena, void **out);
// The first look alone; memory: upper bound of what unpacking takes, may be
// NULL.
SG_MUST_CHECK enum sg_err sg_codec_guard(const ProtobufCMessageDescriptor *type,
                                         struct sg_slice bytes, size_t *memory);

// Canonical bytes in arena; out->ptr is never NULL after SG_OK. SG_ERR_FULL.
SG_MUST_CHECK enum sg_err sg_codec_pack(const ProtobufCMessage *message,
                                        struct sg_arena *arena,
                                        struct sg_slice *out);

// Bytes of a message as slices and back, borrowed both ways.
static inline struct sg_slice
sg_codec_slice(ProtobufCBinaryData data)
{
    return (struct sg_slice){data.data, data.len};
}
static inline ProtobufCBinaryData
sg_codec_bytes(const void *ptr, size_t len)
{
    union {
        const void *borrowed;
        uint8_t *as_field; // protobuf-c has no pointer to constant bytes
    } at = {ptr};
    return (ProtobufCBinaryData){.len = len, .data = at.as_field};
}
