#include "schemas/codec/codec.h"

#include "broker/base/limits.h"

// ---- the first look --------------------------------------------------------

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
    ROUNDING = 16,  // of one piece of an arena
    PER_FIELD = 96, // what protobuf-c notes about a field while it unpacks
};

// One message on the way down.
struct level {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *end;
    uint32_t last; // field before; fields ascend, only repeated ones come again
};

struct guard {
    struct level levels[SG_LIMIT_PB_DEPTH];
    unsigned depth; // levels in use
    const uint8_t *at;
    size_t memory, memory_max;
};

struct field {
    const ProtobufCFieldDescriptor *type;
    unsigned wire;
    struct sg_slice bytes; // of WIRE_BYTES
};

static bool
spend(struct guard *g, size_t bytes)
{
    if (bytes > g->memory_max - g->memory)
        return false;
    g->memory += bytes;
    return true;
}

// The shortest form, ten bytes at most.
static bool
varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        const uint8_t byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return shift == 0 || byte != 0;
    }
    return false;
}

static bool
skip(struct guard *g, size_t len, const uint8_t *end)
{
    if (len > (size_t)(end - g->at))
        return false;
    g->at += len;
    return true;
}

static unsigned
wire_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return WIRE_VARINT;
}

static bool
is_repeated(const ProtobufCFieldDescriptor *type)
{
    return type->label == PROTOBUF_C_LABEL_REPEATED;
}

// Scalars of a repeated field travel in one run (proto3).
static bool
is_packed(const ProtobufCFieldDescriptor *type)
{
    return is_repeated(type) && wire_of(type->type) != WIRE_BYTES;
}

static bool
take_value(struct guard *g, struct field *field, const uint8_t *end)
{
    uint64_t value;

    field->bytes = (struct sg_slice){NULL, 0};
    switch (field->wire) {
    case WIRE_VARINT:
        return varint(&g->at, end, &value);
    case WIRE_FIXED64:
        return skip(g, 8, end);
    case WIRE_FIXED32:
        return skip(g, 4, end);
    case WIRE_BYTES:
        if (!varint(&g->at, end, &value) || value > (size_t)(end - g->at))
            return false;
        field->bytes = sg_slice_of(g->at, (size_t)value);
        g->at += value;
        return true;
    default: // groups and what never was
        return false;
    }
}

static bool
take_field(struct guard *g, struct field *field)
{
    struct level *level = &g->levels[g->depth - 1];
    uint64_t tag;

    if (!varint(&g->at, level->end, &tag) || tag >> 3 > INT32_MAX)
        return false;
    const uint32_t number = (uint32_t)(tag >> 3);
    field->wire = (unsigned)(tag & 7);
    field->type = protobuf_c_message_descriptor_get_field(level->type, number);
    if (field->type == NULL || number < level->last)
        return false;
    const bool packed = is_packed(field->type);
    if (number == level->last && (!is_repeated(field->type) || packed))
        return false;
    level->last = number;
    return field->wire == (packed ? WIRE_BYTES : wire_of(field->type->type)) &&
           take_value(g, field, level->end);
}

// What unpacking this field will take, at most.
static bool
spend_field(struct guard *g, const struct field *field)
{
    size_t bytes = PER_FIELD + ROUNDING;

    if (is_packed(field->type))
        bytes += 8 * field->bytes.len; // a byte makes one number at most
    else if (field->type->type != PROTOBUF_C_TYPE_MESSAGE)
        bytes += field->bytes.len + 1;
    return spend(g, bytes);
}

static enum sg_err
enter(struct guard *g, const ProtobufCMessageDescriptor *type,
      struct sg_slice bytes)
{
    if (g->depth == SG_LIMIT_PB_DEPTH ||
        !spend(g, type->sizeof_message + ROUNDING))
        return SG_ERR_FULL;
    g->levels[g->depth++] = (struct level){
        .type = type,
        .end = bytes.len == 0 ? g->at : bytes.ptr + bytes.len,
    };
    return SG_OK;
}

// A message is entered: its fields come next, and then those after it.
static enum sg_err
look_at_field(struct guard *g)
{
    struct field field;

    if (!take_field(g, &field))
        return SG_ERR_FORMAT;
    if (!spend_field(g, &field))
        return SG_ERR_FULL;
    if (field.type->type == PROTOBUF_C_TYPE_STRING)
        return sg_slice_is_utf8(field.bytes) ? SG_OK : SG_ERR_FORMAT;
    if (field.type->type != PROTOBUF_C_TYPE_MESSAGE)
        return SG_OK;
    g->at -= field.bytes.len;
    return enter(g, field.type->descriptor, field.bytes);
}

enum sg_err
sg_codec_guard(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
               size_t *memory)
{
    struct guard g = {.at = bytes.ptr};

    if (memory != NULL)
        *memory = 0;
    if (bytes.len > SG_LIMIT_DOCUMENT)
        return SG_ERR_FULL;
    // A document may hold files whole, so its own length counts on top.
    g.memory_max = SG_LIMIT_PB_MEMORY + 4 * bytes.len;
    enum sg_err err = enter(&g, type, bytes);
    while (err == SG_OK && g.depth > 0) {
        if (g.at == g.levels[g.depth - 1].end)
            g.depth--;
        else
            err = look_at_field(&g);
    }
    if (err == SG_OK && memory != NULL)
        *memory = g.memory;
    return err;
}

// ---- unpacking -------------------------------------------------------------

// Where pieces of a message come from, and whether one was refused.
struct source {
    struct sg_arena *arena;
    bool full;
};

static void *
take_piece(void *data, size_t size)
{
    struct source *source = data;
    void *piece = sg_arena_take(source->arena, size);

    source->full = source->full || piece == NULL;
    return piece;
}

static void
give_nothing(void *data, void *piece)
{
    (void)data; // the arena is reset as a whole
    (void)piece;
}

// A buffer that compares what is packed into it.
struct compare {
    ProtobufCBuffer base; // first: protobuf-c hands a pointer to it back
    struct sg_slice left;
    bool equal;
};

static void
compare_append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
    struct compare *c = (struct compare *)(void *)buffer;

    if (len > c->left.len || (len > 0 && memcmp(c->left.ptr, data, len) != 0))
        c->equal = false;
    if (!c->equal || len == 0)
        return;
    c->left.ptr += len;
    c->left.len -= len;
}

static bool
is_canonical(const ProtobufCMessage *message, struct sg_slice bytes)
{
    struct compare c = {{compare_append}, bytes, true};

    (void)protobuf_c_message_pack_to_buffer(message, &c.base);
    return c.equal && c.left.len == 0;
}

enum sg_err
sg_codec_unpack(const ProtobufCMessageDescriptor *type, struct sg_slice bytes,
                struct sg_arena *arena, void **out)
{
    static const uint8_t nothing[1];
    struct source source = {arena, false};
    ProtobufCAllocator allocator = {take_piece, give_nothing, &source};

    *out = NULL;
    enum sg_err err = sg_codec_guard(type, bytes, NULL);
    if (err != SG_OK)
        return err;
    // What the guard took is refused here only when the arena is full or a
    // packed run ends inside a number.
    ProtobufCMessage *message = protobuf_c_message_unpack(
        type, &allocator, bytes.len, bytes.len == 0 ? nothing : bytes.ptr);
    if (message == NULL)
        return source.full ? SG_ERR_FULL : SG_ERR_FORMAT;
    if (!is_canonical(message, bytes))
        return SG_ERR_FORMAT;
    *out = message;
    return SG_OK;
}

enum sg_err
sg_codec_pack(const ProtobufCMessage *message, struct sg_arena *arena,
              struct sg_slice *out)
{
    const size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = sg_arena_take(arena, len + 1); // never an empty piece

    *out = (struct sg_slice){NULL, 0};
    if (bytes == NULL)
        return SG_ERR_FULL;
    *out = sg_slice_of(bytes, protobuf_c_message_pack(message, bytes));
    SG_ASSERT(out->len == len);
    return SG_OK;
}
