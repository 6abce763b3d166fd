#include "broker/core/pack.h"

#include "schemas/codec/codec.h"

void *
sg_pack_open(struct sg_arena *arena, const ProtobufCMessageDescriptor *type,
             struct sg_slice bytes)
{
    void *message = NULL;

    if (arena == NULL) // nothing is kept, so there is nothing to open
        return NULL;
    return sg_codec_unpack(type, bytes, arena, &message) == SG_OK ? message
                                                                  : NULL;
}

struct sg_slice
sg_pack_close(struct sg_arena *arena, const ProtobufCMessage *message)
{
    struct sg_slice out = {0};

    return sg_codec_pack(message, arena, &out) == SG_OK ? out
                                                        : (struct sg_slice){0};
}

char *
sg_pack_text(struct sg_arena *arena, struct sg_slice text)
{
    struct sg_slice copy = sg_arena_copy(arena, text);

    SG_ASSERT(copy.ptr != NULL);
    return (char *)(uintptr_t)copy.ptr;
}

Sgpb__ObjectRef *
sg_pack_object(struct sg_arena *arena, const struct sg_object *object)
{
    static const uint8_t zeros[16];
    Sgpb__ObjectRef *ref;

    if (!sg_object_exists(object))
        return NULL;
    ref = sg_arena_take(arena, sizeof *ref);
    SG_ASSERT(ref != NULL);
    *ref = (Sgpb__ObjectRef)SGPB__OBJECT_REF__INIT;
    ref->id = sg_pack_bytes(object->id, 16);
    ref->attempt = sg_pack_bytes(object->attempt, 16);
    ref->purpose = object->purpose;
    ref->chunks = object->chunks;
    ref->bytes = object->bytes;
    if (memcmp(object->variant, zeros, 16) != 0)
        ref->variant = sg_pack_bytes(object->variant, 16);
    ref->chunk_root = sg_pack_bytes(object->chunk_root, 32);
    return ref;
}

bool
sg_pack_object_open(const Sgpb__ObjectRef *ref, const uint8_t manifest[32],
                    struct sg_object *object)
{
    *object = (struct sg_object){0};
    if (ref == NULL)
        return true;
    if (ref->id.len != 16 || ref->attempt.len != 16 ||
        ref->chunk_root.len != 32 ||
        (ref->variant.len != 0 && ref->variant.len != 16))
        return false;
    memcpy(object->id, ref->id.data, 16);
    memcpy(object->attempt, ref->attempt.data, 16);
    memcpy(object->manifest, manifest, 32);
    if (ref->variant.len == 16)
        memcpy(object->variant, ref->variant.data, 16);
    memcpy(object->chunk_root, ref->chunk_root.data, 32);
    object->purpose = ref->purpose;
    object->chunks = ref->chunks;
    object->bytes = ref->bytes;
    object->chunk_size = 256 * 1024;
    return true;
}
