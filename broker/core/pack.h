// pack - between slices of the core and protobuf bodies.
#pragma once

#include <stdbool.h>

#include "broker/base/arena.h"
#include "broker/base/slice.h"
#include "broker/core/object.h"
#include "schemas/evidence.pb-c.h"

static inline ProtobufCBinaryData
sg_pack_bytes(const void *ptr, size_t len) // borrowed
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)ptr};
}
static inline struct sg_slice
sg_pack_slice(ProtobufCBinaryData data)
{
    return sg_slice_of(data.data, data.len);
}
static inline bool
sg_pack_is(ProtobufCBinaryData data, const void *bytes, size_t len)
{
    return data.len == len && memcmp(data.data, bytes, len) == 0;
}

// Unpacks guarded and canonical, or NULL. The message lives in arena.
void *sg_pack_open(struct sg_arena *arena,
                   const ProtobufCMessageDescriptor *type,
                   struct sg_slice bytes);
// Packs into arena; ptr NULL: full.
struct sg_slice sg_pack_close(struct sg_arena *arena,
                              const ProtobufCMessage *message);
char *sg_pack_text(struct sg_arena *arena, struct sg_slice text); // NUL at end

// id absent gives NULL.
Sgpb__ObjectRef *sg_pack_object(struct sg_arena *arena,
                                const struct sg_object *object);
// false: lengths are wrong. NULL ref: zeroed object, true.
bool sg_pack_object_open(const Sgpb__ObjectRef *ref, const uint8_t manifest[32],
                         struct sg_object *object);
