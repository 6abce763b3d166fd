// What each kind of entry says, and that nothing else passes for it.
#include "tests/unit/proof/fixture.h"

#include "broker/base/check.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/receipt_body.h"
#include "schemas/roster.pb-c.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static uint8_t digest[32] = {0x11}, delivery_id[16] = {0x22};

struct made { // a body, and what it says
    struct sg_arena *arena;
    struct sg_slice body;
    struct sg_receipt_expect says;
};

static void
pack(struct made *m, const ProtobufCMessage *message)
{
    assert_int_equal(sg_codec_pack(message, m->arena, &m->body), SG_OK);
}

// document as the body of a signature; its digest is what the entry says.
static struct sg_slice
document(struct made *m, const ProtobufCMessage *message)
{
    uint8_t *sha256 = sg_arena_take(m->arena, 32);
    struct sg_slice bytes;

    assert_int_equal(sg_codec_pack(message, m->arena, &bytes), SG_OK);
    sg_crypto_sha256(bytes.ptr, bytes.len, sha256);
    m->says.manifest_sha256 = sg_slice_of(sha256, 32);
    return bytes;
}

static Sgpb__Signed *
one_signed(struct made *m, const ProtobufCMessage *message)
{
    Sgpb__Signed *out = sg_arena_take(m->arena, sizeof *out);
    struct sg_slice bytes = document(m, message);

    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(bytes.ptr, bytes.len);
    return out;
}

static Sgpb__TwoSigned *
two_signed(struct made *m, const ProtobufCMessage *message)
{
    Sgpb__TwoSigned *out = sg_arena_take(m->arena, sizeof *out);
    struct sg_slice bytes = document(m, message);

    *out = (Sgpb__TwoSigned)SGPB__TWO_SIGNED__INIT;
    out->body = sg_codec_bytes(bytes.ptr, bytes.len);
    return out;
}

// ---- one function a kind ------------------------------------------------------

static void
subscription(struct made *m)
{
    Sgpb__SubscriptionEntry entry = SGPB__SUBSCRIPTION_ENTRY__INIT;
    Sgpb__Subscription inner = SGPB__SUBSCRIPTION__INIT;

    inner.gate = TEXT("GATE");
    inner.subscriber = TEXT("AGENCY");
    inner.flow = TEXT("FLOW");
    entry.subscription = one_signed(m, &inner.base);
    m->says.participant = SG_SLICE("AGENCY");
    m->says.flow = SG_SLICE("FLOW");
    pack(m, &entry.base);
}

static void
subscription_ended(struct made *m)
{
    Sgpb__SubscriptionEnded entry = SGPB__SUBSCRIPTION_ENDED__INIT;

    entry.id = TEXT("AGENCY/name");
    m->says.participant = SG_SLICE("AGENCY");
    pack(m, &entry.base);
}

static void
terms(struct made *m)
{
    Sgpb__TermsEntry entry = SGPB__TERMS_ENTRY__INIT;
    Sgpb__FlowTerms inner = SGPB__FLOW_TERMS__INIT;

    inner.provider = TEXT("OFFICE");
    inner.flow = TEXT("FLOW");
    entry.terms = two_signed(m, &inner.base);
    m->says.participant = SG_SLICE("OFFICE");
    m->says.flow = SG_SLICE("FLOW");
    pack(m, &entry.base);
}

static void
flow_closed(struct made *m)
{
    Sgpb__FlowClosed entry = SGPB__FLOW_CLOSED__INIT;

    entry.by = TEXT("OFFICE");
    entry.flow = TEXT("FLOW");
    m->says.participant = SG_SLICE("OFFICE");
    m->says.flow = SG_SLICE("FLOW");
    pack(m, &entry.base);
}

static void
roster(struct made *m)
{
    Sgpb__RosterEntry entry = SGPB__ROSTER_ENTRY__INIT;

    entry.version = 3;
    entry.sha256 = sg_codec_bytes(digest, 32);
    m->says.revision = 3;
    m->says.manifest_sha256 = sg_slice_of(digest, 32);
    pack(m, &entry.base);
}

static void
policy(struct made *m)
{
    Sgpb__PolicyEntry entry = SGPB__POLICY_ENTRY__INIT;

    entry.sha256 = sg_codec_bytes(digest, 32);
    m->says.manifest_sha256 = sg_slice_of(digest, 32);
    pack(m, &entry.base);
}

static void
approval(struct made *m)
{
    Sgpb__ApprovalEntry entry = SGPB__APPROVAL_ENTRY__INIT;
    Sgpb__Approval inner = SGPB__APPROVAL__INIT;

    inner.gate = TEXT("GATE");
    entry.approval = one_signed(m, &inner.base);
    pack(m, &entry.base);
}

static void
structure(struct made *m)
{
    Sgpb__StructureEntry entry = SGPB__STRUCTURE_ENTRY__INIT;

    entry.by = TEXT("OFFICE");
    entry.sha256 = sg_codec_bytes(digest, 32);
    m->says.participant = SG_SLICE("OFFICE");
    m->says.manifest_sha256 = sg_slice_of(digest, 32);
    pack(m, &entry.base);
}

static void
key_revoked(struct made *m)
{
    Sgpb__KeyRevoked entry = SGPB__KEY_REVOKED__INIT;
    Sgpb__Revocation inner = SGPB__REVOCATION__INIT;

    inner.gate = TEXT("GATE");
    entry.revocation = one_signed(m, &inner.base);
    pack(m, &entry.base);
}

static void
recall(struct made *m)
{
    Sgpb__RecallEntry entry = SGPB__RECALL_ENTRY__INIT;
    Sgpb__RecallOrder inner = SGPB__RECALL_ORDER__INIT;

    inner.flow = TEXT("FLOW");
    inner.revision = 7;
    entry.order = one_signed(m, &inner.base);
    m->says.flow = SG_SLICE("FLOW");
    m->says.revision = 7;
    pack(m, &entry.base);
}

static void
agreement(struct made *m)
{
    Sgpb__AgreementEntry entry = SGPB__AGREEMENT_ENTRY__INIT;
    Sgpb__ConsentAgreement inner = SGPB__CONSENT_AGREEMENT__INIT;

    inner.controller = TEXT("OFFICE");
    inner.revision = 2;
    entry.agreement = two_signed(m, &inner.base);
    m->says.participant = SG_SLICE("OFFICE");
    m->says.revision = 2;
    pack(m, &entry.base);
}

static void
consent_event(struct made *m)
{
    Sgpb__ConsentEventEntry entry = SGPB__CONSENT_EVENT_ENTRY__INIT;
    Sgpb__ConsentEvent inner = SGPB__CONSENT_EVENT__INIT;

    inner.agreement = TEXT("A");
    entry.by = TEXT("OFFICE");
    entry.event = one_signed(m, &inner.base);
    m->says.participant = SG_SLICE("OFFICE");
    pack(m, &entry.base);
}

static void
delivery(struct made *m)
{
    Sgpb__DeliveryEntry entry = SGPB__DELIVERY_ENTRY__INIT;
    Sgpb__Delivery inner = SGPB__DELIVERY__INIT;

    inner.gate = TEXT("GATE");
    inner.subscriber = TEXT("AGENCY");
    inner.manifest_sha256 = sg_codec_bytes(digest, 32);
    inner.delivery_id = sg_codec_bytes(delivery_id, 16);
    entry.delivery = one_signed(m, &inner.base);
    m->says.participant = SG_SLICE("AGENCY");
    m->says.manifest_sha256 = sg_slice_of(digest, 32);
    m->says.delivery_id = sg_slice_of(delivery_id, 16);
    pack(m, &entry.base);
}

// Names several; the one that is asked for is among them.
static void
key_released(struct made *m)
{
    static uint8_t other[16] = {0x33};
    ProtobufCBinaryData list[2] = {sg_codec_bytes(other, 16),
                                   sg_codec_bytes(delivery_id, 16)};
    Sgpb__KeyReleased entry = SGPB__KEY_RELEASED__INIT;

    entry.deliveries = list;
    entry.n_deliveries = 2;
    m->says.delivery_id = sg_slice_of(delivery_id, 16);
    pack(m, &entry.base);
}

static const struct row {
    enum sg_entry_type kind;
    bool gate; // the body names it
    void (*make)(struct made *m);
} rows[] = {
    {SG_ENTRY_SUBSCRIPTION, true, subscription},
    {SG_ENTRY_SUBSCRIPTION_ENDED, false, subscription_ended},
    {SG_ENTRY_TERMS, false, terms},
    {SG_ENTRY_FLOW_CLOSED, false, flow_closed},
    {SG_ENTRY_ROSTER, false, roster},
    {SG_ENTRY_POLICY, false, policy},
    {SG_ENTRY_APPROVAL, true, approval},
    {SG_ENTRY_STRUCTURE, false, structure},
    {SG_ENTRY_KEY_REVOKED, true, key_revoked},
    {SG_ENTRY_RECALL, false, recall},
    {SG_ENTRY_AGREEMENT, false, agreement},
    {SG_ENTRY_CONSENT_EVENT, false, consent_event},
    {SG_ENTRY_DELIVERY, true, delivery},
    {SG_ENTRY_KEY_RELEASED, false, key_released},
};

static struct made
make(const struct row *row)
{
    struct made m = {.arena = new_arena(),
                     .says = {.gate = SG_SLICE("GATE"), .kind = row->kind}};
    row->make(&m);
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

// Another value than the body has; one that it does not have, too.
static void
nothing_else_can_be_expected_of_it(void **state)
{
    static const uint8_t other[32] = {0x77};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct made m = make(&rows[i]);
        const struct sg_receipt_expect says = m.says;
        m.says.gate = SG_SLICE("OTHER");
        compare(&m, &rows[i], rows[i].gate ? 3 : 0, rows[i].gate ? "gate" : "");
        m.says = says;
        m.says.participant = SG_SLICE("OTHER");
        compare(&m, &rows[i], 3, "participant");
        m.says = says;
        m.says.flow = SG_SLICE("OTHER");
        compare(&m, &rows[i], 3, "flow");
        m.says = says;
        m.says.revision++;
        compare(&m, &rows[i], 3, "revision");
        m.says = says;
        m.says.manifest_sha256 = sg_slice_of(other, 32);
        compare(&m, &rows[i], 3, "manifest_sha256");
        m.says = says;
        m.says.request_id = sg_slice_of(other, 16);
        compare(&m, &rows[i], 3, "request_id");
        m.says = says;
        m.says.delivery_id = sg_slice_of(other, 16);
        compare(&m, &rows[i], 3, "delivery_id");
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
    static const enum sg_entry_type kinds[] = {
        SG_ENTRY_SUBSCRIPTION,  SG_ENTRY_TERMS,   SG_ENTRY_APPROVAL,
        SG_ENTRY_KEY_REVOKED,   SG_ENTRY_RECALL,  SG_ENTRY_AGREEMENT,
        SG_ENTRY_CONSENT_EVENT, SG_ENTRY_DELIVERY};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(kinds); i++) {
        const struct row row = {.kind = kinds[i]};
        struct made m = {.arena = new_arena(),
                         .says = {.gate = SG_SLICE("GATE"), .kind = kinds[i]}};
        compare(&m, &row, 2, "body");
        sg_arena_free(&m.arena);
    }
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
