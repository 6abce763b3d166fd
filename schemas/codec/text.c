#include "schemas/codec/text.h"

#include <stdio.h>

#include "broker/base/encode.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"

enum { HEX_MOST = 64 }; // bytes shown; a hash has 32, a signature 64

static const struct {
    unsigned type;
    const ProtobufCMessageDescriptor *body;
} bodies[] = {
    {1, &sgpb__genesis__descriptor},
    {2, &sgpb__epoch__descriptor},
    {3, &sgpb__roster_entry__descriptor},
    {4, &sgpb__terms_entry__descriptor},
    {5, &sgpb__policy_entry__descriptor},
    {6, &sgpb__approval_entry__descriptor},
    {7, &sgpb__structure_entry__descriptor},
    {8, &sgpb__flow_closed__descriptor},
    {9, &sgpb__key_revoked__descriptor},
    {10, &sgpb__policy_active__descriptor},
    {11, &sgpb__gate_started__descriptor},
    {12, &sgpb__gate_stopped__descriptor},
    {13, &sgpb__snapshot_entry__descriptor},
    {16, &sgpb__accepted__descriptor},
    {17, &sgpb__refused__descriptor},
    {18, &sgpb__recall_entry__descriptor},
    {19, &sgpb__destroyed__descriptor},
    {21, &sgpb__refused__descriptor},
    {22, &sgpb__object_made__descriptor},
    {32, &sgpb__subscription_entry__descriptor},
    {33, &sgpb__decision__descriptor},
    {34, &sgpb__delivery_entry__descriptor},
    {35, &sgpb__key_released__descriptor},
    {36, &sgpb__key_cancelled__descriptor},
    {37, &sgpb__receipt_ack_entry__descriptor},
    {38, &sgpb__delivery_stopped__descriptor},
    {39, &sgpb__duty__descriptor},
    {40, &sgpb__subscription_ended__descriptor},
    {41, &sgpb__delivery_stopped__descriptor},
    {42, &sgpb__delivery_stopped__descriptor},
    {43, &sgpb__delivery_stopped__descriptor},
    {44, &sgpb__duty__descriptor},
    {45, &sgpb__duty__descriptor},
    {48, &sgpb__agreement_entry__descriptor},
    {49, &sgpb__consent_event_entry__descriptor},
    {50, &sgpb__statement_entry__descriptor},
    {64, &sgpb__payload_read__descriptor},
    {65, &sgpb__admin_act__descriptor},
    {66, &sgpb__refused_aggregate__descriptor},
    {67, &sgpb__checkpoint_key__descriptor},
};

static void
put_text(struct sg_writer *out, const char *text)
{
    sg_bytes_put(out, text, strlen(text));
}

static void
put_number(struct sg_writer *out, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    put_text(out, text);
}

static void
put_quoted(struct sg_writer *out, const char *text)
{
    sg_bytes_put_u8(out, '"');
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        char escaped[8];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            sg_bytes_put_u8(out, byte);
            continue;
        }
        (void)snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
        put_text(out, escaped);
    }
    sg_bytes_put_u8(out, '"');
}

static void
put_bytes(struct sg_writer *out, const ProtobufCBinaryData *bytes)
{
    char hex[2 * HEX_MOST + 1];
    if (bytes->len <= HEX_MOST) {
        sg_encode_hex(bytes->data, bytes->len, hex);
        put_text(out, hex);
        return;
    }
    put_text(out, "(");
    put_number(out, bytes->len);
    put_text(out, " bytes)");
}

static void put_message(struct sg_writer *out, const ProtobufCMessage *message);

// One value; field types that our schemas do not use are numbers of 4 bytes.
static void
put_value(struct sg_writer *out, const ProtobufCFieldDescriptor *field,
          const void *value)
{
    uint64_t wide = 0;
    uint32_t narrow = 0;
    protobuf_c_boolean truth;
    const char *text;
    const ProtobufCMessage *message;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        memcpy(&text, value, sizeof(text));
        put_quoted(out, text);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        put_bytes(out, value);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        memcpy(&message, value, sizeof(message));
        put_text(out, "{ ");
        put_message(out, message);
        put_text(out, "}");
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        memcpy(&truth, value, sizeof(truth));
        put_text(out, truth ? "true" : "false");
    } else if (field->type == PROTOBUF_C_TYPE_UINT64 ||
               field->type == PROTOBUF_C_TYPE_FIXED64) {
        memcpy(&wide, value, sizeof(wide));
        put_number(out, wide);
    } else {
        memcpy(&narrow, value, sizeof(narrow));
        put_number(out, narrow);
    }
}

static size_t
value_size(const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return sizeof(ProtobufCBinaryData);
    if (field->type == PROTOBUF_C_TYPE_STRING ||
        field->type == PROTOBUF_C_TYPE_MESSAGE)
        return sizeof(void *);
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return sizeof(protobuf_c_boolean);
    if (field->type == PROTOBUF_C_TYPE_UINT64 ||
        field->type == PROTOBUF_C_TYPE_FIXED64)
        return sizeof(uint64_t);
    return sizeof(uint32_t);
}

// Left out of the bytes, and here too?
static bool
is_default(const ProtobufCFieldDescriptor *field, const uint8_t *value)
{
    static const uint8_t zeros[sizeof(ProtobufCBinaryData)];
    const char *text;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        memcpy(&text, value, sizeof(text));
        return text == NULL || *text == '\0';
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        ProtobufCBinaryData bytes;
        memcpy(&bytes, value, sizeof(bytes));
        return bytes.len == 0;
    }
    return memcmp(value, zeros, value_size(field)) == 0;
}

static void
put_field(struct sg_writer *out, const ProtobufCMessage *message,
          const ProtobufCFieldDescriptor *field)
{
    const uint8_t *at = (const uint8_t *)message + field->offset;
    size_t count = 1;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(&count, (const uint8_t *)message + field->quantifier_offset,
               sizeof(count));
        const uint8_t *values;
        memcpy(&values, at, sizeof(values));
        at = values;
    } else if (is_default(field, at)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        put_text(out, field->name);
        put_text(out, ": ");
        put_value(out, field, at + i * value_size(field));
        put_text(out, " ");
    }
}

// As deep as the guard of sg_codec_unpack let it be.
static void
put_message(struct sg_writer *out, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        put_field(out, message, &message->descriptor->fields[i]);
}

enum sg_err
sg_text_body(unsigned type, struct sg_slice body, struct sg_arena *arena,
             struct sg_writer *out)
{
    for (size_t i = 0; i < SG_COUNT_OF(bodies); i++) {
        void *message;
        if (bodies[i].type != type)
            continue;
        enum sg_err err =
            sg_codec_unpack(bodies[i].body, body, arena, &message);
        if (err == SG_OK)
            put_message(out, message);
        return err;
    }
    return SG_ERR_UNSUPPORTED;
}
