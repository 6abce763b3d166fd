// What each kind of entry says, and that nothing else passes for it.
#include "tests/unit/proof/fixture.h"

#include "broker/base/check.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/receipt_body.h"
#include "schemas/roster.pb-c.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

// clang-format off
// Of each kind: where the document lies that somebody signed, and which field,
// of the document or else of the entry, says what; NULL: none does.
static const struct row {
    enum sg_entry_type kind;
    const ProtobufCMessageDescriptor *entry, *document;
    const char *holder; // of the document in the entry
    const char *gate, *participant, *flow, *revision, *manifest, *request,
        *delivery;
    const char *subscription; // whose front names the participant
} rows[] = {
#define ENTRY(kind, entry)      SG_ENTRY_##kind, &sgpb__##entry##__descriptor
#define HOLDS(document, holder) &sgpb__##document##__descriptor, holder
#define RELEASE                                                                \
    .gate = "gate", .participant = "publisher", .flow = "flow",                \
    .revision = "revision", .manifest = "manifest_sha256",                     \
    .request = "request_id"
    {ENTRY(ACCEPTED, accepted), RELEASE},
    {ENTRY(REFUSED, refused), RELEASE},
    {ENTRY(CONFLICT, refused), RELEASE},
    {ENTRY(RECEIPT_ACK, receipt_ack_entry), HOLDS(receipt_ack, "ack"),
     .subscription = "subscription", .manifest = "manifest_sha256", .delivery = "delivery_id"},
    {ENTRY(SUBSCRIPTION, subscription_entry), HOLDS(subscription, "subscription"),
     .gate = "gate", .participant = "subscriber", .flow = "flow"},
    {ENTRY(SUBSCRIPTION_ENDED, subscription_ended), .subscription = "id"},
    {ENTRY(TERMS, terms_entry), HOLDS(flow_terms, "terms"),
     .participant = "provider", .flow = "flow"},
    {ENTRY(FLOW_CLOSED, flow_closed), .participant = "by", .flow = "flow"},
    {ENTRY(ROSTER, roster_entry), .revision = "version", .manifest = "sha256"},
    {ENTRY(POLICY, policy_entry), .manifest = "sha256"},
    {ENTRY(APPROVAL, approval_entry), HOLDS(approval, "approval"), .gate = "gate"},
    {ENTRY(STRUCTURE, structure_entry), .participant = "by", .manifest = "sha256"},
    {ENTRY(KEY_REVOKED, key_revoked), HOLDS(revocation, "revocation"), .gate = "gate"},
    {ENTRY(RECALL, recall_entry), HOLDS(recall_order, "order"),
     .flow = "flow", .revision = "revision"},
    {ENTRY(AGREEMENT, agreement_entry), HOLDS(consent_agreement, "agreement"),
     .participant = "controller", .revision = "revision"},
    {ENTRY(CONSENT_EVENT, consent_event_entry), HOLDS(consent_event, "event"),
     .participant = "by"},
    {ENTRY(STATEMENT, statement_entry), HOLDS(statement, "statement"), .gate = "gate"},
    {ENTRY(DELIVERY, delivery_entry), HOLDS(delivery, "delivery"), .gate = "gate",
     .participant = "subscriber", .manifest = "manifest_sha256", .delivery = "delivery_id"},
    {ENTRY(KEY_RELEASED, key_released), .delivery = "deliveries"},
#undef ENTRY
#undef HOLDS
#undef RELEASE
};
// clang-format on

enum { REVISION = 7 };
static uint8_t digest[32] = {0x11}, delivery_id[16] = {0x22},
               request_id[16] = {0x44};

struct made { // a body, and what it says
    struct sg_arena *arena;
    ProtobufCMessage *document, *entry; // document NULL: none
    struct sg_slice body;
    struct sg_receipt_expect says;
};

static ProtobufCMessage *
blank(struct made *m, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *out = sg_arena_take(m->arena, type->sizeof_message);

    type->message_init(out);
    return out;
}

static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessage *message, const char *name)
{
    return message == NULL ? NULL
                           : protobuf_c_message_descriptor_get_field_by_name(
                                 message->descriptor, name);
}

static void *
place_in(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (uint8_t *)message + field->offset;
}

// The field of this name, which is of this type.
static void *
place_of(struct made *m, const char *name, ProtobufCType type)
{
    ProtobufCMessage *in =
        field_of(m->document, name) != NULL ? m->document : m->entry;
    const ProtobufCFieldDescriptor *field = field_of(in, name);

    if (field == NULL || field->type != type)
        fail_msg("%s has no such field %s", in->descriptor->name, name);
    return place_in(in, field);
}

static struct sg_slice
say_text(struct made *m, const char *name, const char *text)
{
    if (name == NULL)
        return (struct sg_slice){NULL, 0};
    *(char **)place_of(m, name, PROTOBUF_C_TYPE_STRING) = TEXT(text);
    return sg_slice_of(text, strcspn(text, "/"));
}

// One that is repeated names several; the one that is asked for is among them.
static struct sg_slice
say_bytes(struct made *m, const char *name, uint8_t *bytes, size_t len)
{
    static uint8_t other[32] = {0x33};
    ProtobufCBinaryData *list = sg_arena_take(m->arena, 2 * sizeof *list);

    if (name == NULL)
        return (struct sg_slice){NULL, 0};
    void *at = place_of(m, name, PROTOBUF_C_TYPE_BYTES);
    const ProtobufCFieldDescriptor *field = field_of(m->entry, name);
    list[0] = sg_codec_bytes(other, len);
    list[1] = sg_codec_bytes(bytes, len);
    if (field != NULL && field->label == PROTOBUF_C_LABEL_REPEATED) {
        *(ProtobufCBinaryData **)at = list;
        *(size_t *)(void *)((uint8_t *)m->entry + field->quantifier_offset) = 2;
    } else {
        *(ProtobufCBinaryData *)at = list[1];
    }
    return sg_slice_of(bytes, len);
}

// The document goes into its entry as the body of a signature. Its digest is
// what the entry says, unless the document itself names one.
static void
hold(struct made *m, const char *name)
{
    const ProtobufCFieldDescriptor *field = field_of(m->entry, name);
    uint8_t *sha256 = sg_arena_take(m->arena, 32);
    struct sg_slice bytes;

    assert_non_null(field);
    ProtobufCMessage *holder = blank(m, field->descriptor);
    *(ProtobufCMessage **)place_in(m->entry, field) = holder;
    field = field_of(holder, "body");
    assert_non_null(field);
    assert_int_equal(sg_codec_pack(m->document, m->arena, &bytes), SG_OK);
    *(ProtobufCBinaryData *)place_in(holder, field) =
        sg_codec_bytes(bytes.ptr, bytes.len);
    sg_crypto_sha256(bytes.ptr, bytes.len, sha256);
    if (m->says.manifest_sha256.ptr == NULL)
        m->says.manifest_sha256 = sg_slice_of(sha256, 32);
}

static struct made
make(const struct row *row)
{
    struct made m = {.arena = new_arena(),
                     .says = {.gate = SG_SLICE("GATE"), .kind = row->kind}};

    m.entry = blank(&m, row->entry);
    if (row->document != NULL)
        m.document = blank(&m, row->document);
    (void)say_text(&m, row->gate, "GATE");
    m.says.participant = row->subscription != NULL
                             ? say_text(&m, row->subscription, "OFFICE/name")
                             : say_text(&m, row->participant, "OFFICE");
    m.says.flow = say_text(&m, row->flow, "FLOW");
    if (row->revision != NULL) {
        *(uint64_t *)place_of(&m, row->revision, PROTOBUF_C_TYPE_UINT64) =
            REVISION;
        m.says.revision = REVISION;
    }
    m.says.manifest_sha256 = say_bytes(&m, row->manifest, digest, 32);
    m.says.request_id = say_bytes(&m, row->request, request_id, 16);
    m.says.delivery_id = say_bytes(&m, row->delivery, delivery_id, 16);
    if (row->document != NULL)
        hold(&m, row->holder);
    assert_int_equal(sg_codec_pack(m.entry, m.arena, &m.body), SG_OK);
    return m;
}

static void
compare(struct made *m, const struct row *row, uint8_t step, const char *field)
{
    uint8_t found_step;
    const char *found;

    sg_receipt_body_compare(m->body, &m->says, m->arena, &found_step, &found);
    if (found_step != step || strcmp(found, field) != 0)
        fail_msg("%s: step %d at \"%s\", not %d at \"%s\"",
                 sg_entry_type_name(row->kind), found_step, found, step, field);
}

static void
each_kind_says_what_stands_in_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct made m = make(&rows[i]);
        compare(&m, &rows[i], 0, "");
        sg_arena_free(&m.arena);
    }
}

static const struct {
    const char *name;
    size_t at, len; // of another value
} fields[] = {
#define FIELD(name, len)                                                       \
    {                                                                          \
#name, offsetof(struct sg_receipt_expect, name), len                   \
    }
    FIELD(participant, 32), FIELD(flow, 32), FIELD(manifest_sha256, 32),
    FIELD(request_id, 16), FIELD(delivery_id, 16)
#undef FIELD
};

// Another value than the body has, one that it does not have, and none where
// it has one.
static void
nothing_else_can_be_expected_of_it(void **state)
{
    static const uint8_t other[32] = {0x77};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct made m = make(&rows[i]);
        const struct sg_receipt_expect says = m.says;
        m.says.gate = SG_SLICE("OTHER");
        compare(&m, &rows[i], rows[i].gate != NULL ? 3 : 0,
                rows[i].gate != NULL ? "gate" : "");
        m.says = says;
        m.says.revision++;
        compare(&m, &rows[i], 3, "revision");
        for (size_t k = 0; k < SG_COUNT_OF(fields); k++) {
            m.says = says;
            struct sg_slice *one = (void *)((uint8_t *)&m.says + fields[k].at);
            bool has = one->len > 0;
            *one = sg_slice_of(other, fields[k].len);
            compare(&m, &rows[i], 3, fields[k].name);
            *one = (struct sg_slice){NULL, 0};
            compare(&m, &rows[i], has ? 3 : 0, has ? fields[k].name : "");
        }
        sg_arena_free(&m.arena);
    }
}

static void
a_body_of_another_kind_or_with_a_byte_behind_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct made m = make(&rows[i]);
        uint8_t *longer = sg_arena_take(m.arena, m.body.len + 1);
        memcpy(longer, m.body.ptr, m.body.len);
        longer[m.body.len] = 0xff;
        m.body = sg_slice_of(longer, m.body.len + 1);
        compare(&m, &rows[i], 2, "body");
        m.body.len--;
        m.says.kind = SG_ENTRY_GATE_STARTED; // nobody has a receipt of it
        compare(&m, &rows[i], 2, "body");
        sg_arena_free(&m.arena);
    }
}

static void
an_entry_whose_document_is_missing_says_nothing(void **state)
{
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct made m = {
            .arena = new_arena(),
            .says = {.gate = SG_SLICE("GATE"), .kind = rows[i].kind}};
        if (rows[i].document != NULL) {
            compare(&m, &rows[i], 2, "body");
            count++;
        }
        sg_arena_free(&m.arena);
    }
    assert_int_equal(count, 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_says_what_stands_in_it),
        cmocka_unit_test(nothing_else_can_be_expected_of_it),
        cmocka_unit_test(a_body_of_another_kind_or_with_a_byte_behind_is_none),
        cmocka_unit_test(an_entry_whose_document_is_missing_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
