#include "schemas/codec/codec.h"

#include "broker/base/limits.h"

// ---- the look before unpacking -----------------------------------------------

struct look {
    const uint8_t *at, *end;
    int64_t budget; // bytes that unpacking may still take
};

enum { OVERHEAD = 48, FIELDS_SEEN = 128 };

static enum sg_err
varint(struct look *look, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (look->at == look->end)
            return SG_ERR_FORMAT;
        uint8_t byte = *look->at++;
        if (shift == 63 && byte > 1)
            return SG_ERR_FORMAT;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return shift > 0 && byte == 0 ? SG_ERR_FORMAT : SG_OK;
    }
    return SG_ERR_FORMAT;
}

// The value of one field of that wire type; *bytes is set for type 2.
static enum sg_err
skip_value(struct look *look, unsigned wire, struct sg_slice *bytes)
{
    uint64_t value, left = (uint64_t)(look->end - look->at);
    enum sg_err err;

    *bytes = (struct sg_slice){look->at, 0};
    switch (wire) {
    case 0:
        return varint(look, &value);
    case 1:
    case 5:
        if (left < (wire == 1 ? 8 : 4))
            return SG_ERR_FORMAT;
        look->at += wire == 1 ? 8 : 4;
        return SG_OK;
    case 2:
        if ((err = varint(look, &value)) != SG_OK)
            return err;
        if (value > (uint64_t)(look->end - look->at))
            return SG_ERR_FORMAT;
        *bytes = sg_slice_of(look->at, (size_t)value);
        look->at += value;
        return SG_OK;
    default: // groups
        return SG_ERR_FORMAT;
    }
}

static bool
is_length_delimited(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ||
           type == PROTOBUF_C_TYPE_MESSAGE;
}

static enum sg_err look_message(const ProtobufCMessageDescriptor *type,
                                struct look *look, unsigned depth);

// One field whose tag was read: form, cost, and what is inside.
static enum sg_err
look_field(const ProtobufCFieldDescriptor *field,
           unsigned wire, // NOLINT(misc-no-recursion)
           struct look *look, unsigned depth)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool scalar = !is_length_delimited(field->type);
    struct sg_slice bytes;
    enum sg_err err = skip_value(look, wire, &bytes);

    if (err != SG_OK)
        return err;
    if (scalar && wire == 2) { // packed
        if (!repeated)
            return SG_ERR_FORMAT;
        look->budget -= 8 * (int64_t)bytes.len + OVERHEAD;
        return SG_OK;
    }
    if (!scalar && wire != 2)
        return SG_ERR_FORMAT;
    look->budget -= OVERHEAD + (int64_t)bytes.len;
    if (field->type == PROTOBUF_C_TYPE_STRING && !sg_slice_is_utf8(bytes))
        return SG_ERR_FORMAT;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return SG_OK;
    struct look inner = {bytes.ptr, bytes.ptr + bytes.len, look->budget};
    err = look_message((const ProtobufCMessageDescriptor *)field->descriptor,
                       &inner, depth - 1);
    look->budget = inner.budget;
    return err;
}

static enum sg_err
look_message(
    const ProtobufCMessageDescriptor *type, // NOLINT(misc-no-recursion)
    struct look *look, unsigned depth)
{
    uint64_t seen[FIELDS_SEEN / 64] = {0};
    enum sg_err err;

    if (depth == 0)
        return SG_ERR_FULL;
    SG_ASSERT(type->n_fields <= FIELDS_SEEN);
    look->budget -= (int64_t)type->sizeof_message + OVERHEAD;
    while (look->at < look->end) {
        uint64_t tag;
        if ((err = varint(look, &tag)) != SG_OK)
            return err;
        if (tag >> 32 != 0)
            return SG_ERR_FORMAT;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field == NULL)
            return SG_ERR_FORMAT; // unknown
        size_t place = (size_t)(field - type->fields);
        uint64_t bit = (uint64_t)1 << (place % 64);
        if (field->label != PROTOBUF_C_LABEL_REPEATED &&
            (seen[place / 64] & bit) != 0)
            return SG_ERR_FORMAT; // twice
        seen[place / 64] |= bit;
        err = look_field(field, (unsigned)(tag & 7), look, depth);
        if (err != SG_OK)
            return err;
        if (look->budget < 0)
            return SG_ERR_FULL;
    }
    return SG_OK;
}

enum sg_err
sg_codec_guard(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
               size_t *memory)
{
    static const uint8_t none[1];
    const uint8_t *at = bytes.len == 0 ? none : bytes.ptr;
    // What a large document may take grows with its size, never with its depth.
    int64_t most = (int64_t)SG_LIMIT_PB_MEMORY + 16 * (int64_t)bytes.len;
    struct look look = {at, at + bytes.len, most};

    enum sg_err err = look_message(type, &look, SG_LIMIT_PB_DEPTH);
    if (memory != NULL)
        *memory = err == SG_OK ? (size_t)(most - look.budget) : 0;
    return err;
}

// ---- unpacking over an arena -------------------------------------------------

static void *
take(void *arena, size_t size)
{
    return sg_arena_take((struct sg_arena *)arena, size);
}

static void
give(void *arena, void *piece)
{
    (void)arena; // the arena is dropped as a whole
    (void)piece;
}

static enum sg_err
unpack(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
       struct sg_arena *arena, void **out)
{
    ProtobufCAllocator allocator = {take, give, arena};
    enum sg_err err = sg_codec_guard(type, bytes, NULL);

    *out = NULL;
    if (err != SG_OK)
        return err;
    // Guarded bytes fail for one reason only: the arena is full.
    *out = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.ptr);
    return *out == NULL ? SG_ERR_FULL : SG_OK;
}

// Compares what the packer would write with the bytes that came, piece by
// piece: nothing is kept.
struct compare {
    ProtobufCBuffer base; // first: protobuf-c hands it back to us
    struct sg_slice left;
    bool differs;
};

static void
compare_append(ProtobufCBuffer *buffer, size_t len, const uint8_t *bytes)
{
    struct compare *compare = (struct compare *)(void *)buffer;

    if (compare->differs || len > compare->left.len ||
        (len > 0 && memcmp(compare->left.ptr, bytes, len) != 0)) {
        compare->differs = true;
        return;
    }
    compare->left.ptr += len;
    compare->left.len -= len;
}

enum sg_err
sg_codec_unpack(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
                struct sg_arena *arena, void **out)
{
    enum sg_err err = unpack(type, bytes, arena, out);

    if (err != SG_OK)
        return err;
    struct compare compare = {.base = {compare_append}, .left = bytes};
    (void)protobuf_c_message_pack_to_buffer((const ProtobufCMessage *)*out,
                                            &compare.base);
    if (!compare.differs && compare.left.len == 0)
        return SG_OK;
    *out = NULL;
    return SG_ERR_FORMAT;
}

enum sg_err
sg_codec_pack(const ProtobufCMessage *message, struct sg_arena *arena,
              struct sg_slice *out)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = (uint8_t *)sg_arena_take(arena, len + 1);

    *out = (struct sg_slice){NULL, 0};
    if (bytes == NULL)
        return SG_ERR_FULL;
    size_t written = protobuf_c_message_pack(message, bytes);
    SG_ASSERT(written == len);
    *out = sg_slice_of(bytes, len);
    return SG_OK;
}
