#include "schemas/codec/text.h"

#include <stdio.h>

#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "schemas/codec/codec.h"
#include "schemas/documents.pb-c.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/manifest.pb-c.h"

enum { HEX_MOST = 64 }; // bytes shown; a hash has 32, a signature 64

static const struct {
    unsigned type;
    const ProtobufCMessageDescriptor *body;
    const ProtobufCMessageDescriptor *says; // what it signs
} bodies[] = {
    {1, &sgpb__genesis__descriptor, NULL},
    {2, &sgpb__epoch__descriptor, NULL},
    {3, &sgpb__roster_entry__descriptor, NULL},
    {4, &sgpb__terms_entry__descriptor, &sgpb__flow_terms__descriptor},
    {5, &sgpb__policy_entry__descriptor, NULL},
    {6, &sgpb__approval_entry__descriptor, &sgpb__approval__descriptor},
    {7, &sgpb__structure_entry__descriptor, NULL},
    {8, &sgpb__flow_closed__descriptor, NULL},
    {9, &sgpb__key_revoked__descriptor, NULL},
    {10, &sgpb__policy_active__descriptor, NULL},
    {11, &sgpb__gate_started__descriptor, NULL},
    {12, &sgpb__gate_stopped__descriptor, NULL},
    {13, &sgpb__snapshot_entry__descriptor, NULL},
    {16, &sgpb__accepted__descriptor, NULL},
    {17, &sgpb__refused__descriptor, NULL},
    {18, &sgpb__recall_entry__descriptor, &sgpb__recall_order__descriptor},
    {19, &sgpb__destroyed__descriptor, NULL},
    {21, &sgpb__refused__descriptor, NULL},
    {22, &sgpb__object_made__descriptor, NULL},
    {32, &sgpb__subscription_entry__descriptor,
     &sgpb__subscription__descriptor},
    {33, &sgpb__decision__descriptor, NULL},
    {34, &sgpb__delivery_entry__descriptor, &sgpb__delivery__descriptor},
    {35, &sgpb__key_released__descriptor, NULL},
    {36, &sgpb__key_cancelled__descriptor, NULL},
    {37, &sgpb__receipt_ack_entry__descriptor, &sgpb__receipt_ack__descriptor},
    {38, &sgpb__delivery_stopped__descriptor, NULL},
    {39, &sgpb__duty__descriptor, NULL},
    {40, &sgpb__subscription_ended__descriptor, NULL},
    {41, &sgpb__delivery_stopped__descriptor, NULL},
    {42, &sgpb__delivery_stopped__descriptor, NULL},
    {43, &sgpb__delivery_stopped__descriptor, NULL},
    {44, &sgpb__duty__descriptor, NULL},
    {45, &sgpb__duty__descriptor, NULL},
    {48, &sgpb__agreement_entry__descriptor,
     &sgpb__consent_agreement__descriptor},
    {49, &sgpb__consent_event_entry__descriptor,
     &sgpb__consent_event__descriptor},
    {50, &sgpb__statement_entry__descriptor, &sgpb__statement__descriptor},
    {64, &sgpb__payload_read__descriptor, NULL},
    {65, &sgpb__admin_act__descriptor, NULL},
    {66, &sgpb__refused_aggregate__descriptor, NULL},
    {67, &sgpb__checkpoint_key__descriptor, NULL},
    {69, &sgpb__testimony__descriptor, NULL},
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

// What is counted never reaches these numbers, which are the times from 2000 to
// 2199 in microseconds.
static void
put_wide(struct sg_writer *out, uint64_t number)
{
    char text[SG_UTC_TEXT];
    if (number < 946684800000000 || number >= 7258118400000000) {
        put_number(out, number);
        return;
    }
    sg_utc_format(number, text);
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
        put_wide(out, wide);
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

static const char *const fates[] = {"", "left, receipted",
                                    "left, not receipted", "cancelled",
                                    "ciphertext only"};
static const char *const verdicts[] = {"deny", "hold", "permit"};
static const char *const stages[] = {"", "at match", "again", "before the key"};
static const char *const ends[] = {"", "kept", "refused"};
static const char *const consents[] = {"none",    "requested",  "given",
                                       "refused", "withdrawn",  "revoked",
                                       "expired", "superseded", "invalidated"};

// Numbers that are words. A verdict is said although deny is the default.
#define WORDS(list) list, SG_COUNT_OF(list)
static const struct {
    const ProtobufCMessageDescriptor *of;
    const char *field;
    const char *const *words;
    size_t count;
    bool always;
} named[] = {
    {&sgpb__fate__descriptor, "fate", WORDS(fates), false},
    {&sgpb__delivery_verdict__descriptor, "verdict", WORDS(verdicts), true},
    {&sgpb__part_verdict__descriptor, "verdict", WORDS(verdicts), true},
    {&sgpb__decision__descriptor, "stage", WORDS(stages), false},
    {&sgpb__receipt_ack__descriptor, "kept", WORDS(ends), false},
    {&sgpb__consent_event__descriptor, "from", WORDS(consents), false},
    {&sgpb__consent_event__descriptor, "to", WORDS(consents), false},
};
#undef WORDS

// SG_COUNT_OF(named): it is just a number.
static size_t
named_at(const ProtobufCMessageDescriptor *of,
         const ProtobufCFieldDescriptor *field)
{
    size_t i = 0;
    while (i < SG_COUNT_OF(named) &&
           (named[i].of != of || strcmp(named[i].field, field->name) != 0))
        i++;
    return i;
}

static void
put_word(struct sg_writer *out, size_t name, const uint8_t *at)
{
    uint32_t number;
    if (name == SG_COUNT_OF(named))
        return;
    memcpy(&number, at, sizeof(number));
    if (number >= named[name].count)
        return;
    put_text(out, " (");
    put_text(out, named[name].words[number]);
    put_text(out, ")");
}

// Which rule decided: by the order of files in the bundle, and of rules in one.
static void
put_rule(struct sg_writer *out, const ProtobufCMessageDescriptor *of,
         const ProtobufCFieldDescriptor *field, const uint8_t *at)
{
    char text[48];
    uint64_t rule;
    if (of != &sgpb__part_verdict__descriptor ||
        strcmp(field->name, "rules") != 0)
        return;
    memcpy(&rule, at, sizeof(rule));
    (void)snprintf(text, sizeof(text), " (file %u, rule %u)",
                   (unsigned)(rule >> 32) + 1, (unsigned)(uint32_t)rule + 1);
    put_text(out, text);
}

static void
put_field(struct sg_writer *out, const ProtobufCMessage *message,
          const ProtobufCFieldDescriptor *field)
{
    const uint8_t *at = (const uint8_t *)message + field->offset;
    size_t name = named_at(message->descriptor, field);
    bool always = name < SG_COUNT_OF(named) && named[name].always;
    size_t count = 1;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(&count, (const uint8_t *)message + field->quantifier_offset,
               sizeof(count));
        const uint8_t *values;
        memcpy(&values, at, sizeof(values));
        at = values;
    } else if (is_default(field, at) && !always) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        put_text(out, field->name);
        put_text(out, ": ");
        put_value(out, field, at + i * value_size(field));
        put_word(out, name, at);
        put_rule(out, message->descriptor, field, at + i * value_size(field));
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

// The Signed or TwoSigned of an entry; NULL: none.
static const ProtobufCMessage *
document_of(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const ProtobufCMessage *document;
        if (field->label == PROTOBUF_C_LABEL_REPEATED ||
            (field->descriptor != &sgpb__signed__descriptor &&
             field->descriptor != &sgpb__two_signed__descriptor))
            continue;
        memcpy(&document, (const uint8_t *)message + field->offset,
               sizeof(document));
        return document;
    }
    return NULL;
}

// What was signed; both kinds of document begin with it.
static void
put_signed(struct sg_writer *out, const ProtobufCMessage *message,
           const ProtobufCMessageDescriptor *says, struct sg_arena *arena)
{
    const ProtobufCMessage *document = document_of(message);
    ProtobufCBinaryData body;
    void *said;
    if (document == NULL)
        return;
    memcpy(&body,
           (const uint8_t *)document + document->descriptor->fields[0].offset,
           sizeof(body));
    if (sg_codec_unpack(says, sg_codec_slice(body), arena, &said) != SG_OK)
        return;
    put_text(out, "says: { ");
    put_message(out, said);
    put_text(out, "}");
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
        if (err == SG_OK && bodies[i].says != NULL)
            put_signed(out, message, bodies[i].says, arena);
        return err;
    }
    return SG_ERR_UNSUPPORTED;
}

const char *
sg_text_consent(uint32_t state)
{
    return state < SG_COUNT_OF(consents) ? consents[state] : "unknown";
}
