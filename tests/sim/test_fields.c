// Each field that a publisher signs, one by one, over a real core in a quiet
// world: what refuses it when it is not what it should be. Everything is signed
// anew after the change, so that no other check stands in for the field's own;
// a field that no check of the core looks at has its reason in the table. The
// loop is compiled in, as in the other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "schemas/proof/sign.h"
#include "tests/sim/manifest.h"

enum { CASES_S11 = 400, KEPT_DAYS = 2 }; // those of sim_terms

// ---- fields of a manifest (S11) ----------------------------------------------

// What refuses a field that has another value, or none, under a good signature.
// SG_OK: nothing here does; `who` says who looks at it, or why nobody need.
struct rule {
    const char *field;
    enum sg_err changed, omitted;
    const char *who;
    bool open; // refused or not: the rule for it is not settled
};

#define FIELD SG_ERR_MANIFEST_FIELD
static const struct rule of_manifest[] = {
    {"format", FIELD, FIELD, NULL, false},
    {"gate", SG_ERR_AUDIENCE, SG_ERR_AUDIENCE, NULL, false},
    {"log_genesis", SG_ERR_AUDIENCE, FIELD, NULL, false},
    {"publisher", SG_ERR_OWNER, SG_ERR_OWNER, NULL, false},
    {"key_id", SG_ERR_PEER_UNKNOWN, FIELD, NULL, false},
    {"roster_sha256", SG_ERR_ROSTER_OLD, FIELD, NULL, false},
    {"flow", SG_ERR_FLOW, SG_ERR_FLOW, NULL, false},
    {"revision", SG_ERR_REVISION, FIELD, NULL, false},
    {"prev_manifest_sha256", SG_ERR_REVISION, FIELD, NULL, false},
    {"terms_sha256", SG_ERR_TERMS_CHANGED, FIELD, NULL, false},
    {"structure", SG_ERR_STRUCTURE, SG_ERR_STRUCTURE, NULL, false},
    {"structure_sha256", SG_ERR_STRUCTURE, FIELD, NULL, false},
    {"mode", SG_ERR_MODE, SG_ERR_MODE, NULL, false},
    {"order", SG_ERR_MODE, SG_ERR_MODE, NULL, false},
    {"leaves", SG_OK, SG_OK, "what the judge counts (inspect.c)", false},
    {"content_root", SG_OK, FIELD, "what the judge computes", false},
    {"seed_commit", SG_ERR_SECRET, FIELD, NULL, false},
    {"media", FIELD, FIELD, NULL, false}, // another known: the reader's affair
    {"size", SG_ERR_SHORT, FIELD, NULL, false},
    {"chunk_size", FIELD, FIELD, NULL, false},
    {"chunks", FIELD, FIELD, NULL, false},
    {"file_commit", SG_OK, FIELD, "what the judge computes", false},
    {"claims", SG_OK, FIELD, "each of its fields, below", false},
    {"created", SG_OK, FIELD, "any time that is not ahead of the gate by a day",
     false},
    {"expires", SG_OK, SG_ERR_EXPIRED, "14 days from `created`, at most",
     false},
    {"nonce", SG_OK, FIELD, "random, so that no two are equal", false},
    {"supersedes_recall", SG_OK, SG_OK, "a recall of the flow", true},
};
static const struct rule of_claims[] = {
    {"classification", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"data_kind", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"unit", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"identifiability", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"sensitive", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"lawful_basis", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"special_condition", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"purposes", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"onward", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"retention_days", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"licence", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"languages", SG_OK, SG_OK, "the terms", true},
    {"origin_label", SG_OK, SG_OK, "a list of codes", true},
    {"embargo_us", SG_OK, SG_OK, "the publisher's own wish; it is kept", false},
    {"release_kind", SG_ERR_CLAIM, SG_OK, NULL, false},
    {"action", FIELD, FIELD, NULL, false},
    {"agreements", SG_OK, SG_OK, "the agreements of the terms", true},
};
#undef FIELD

static void *
member(void *message, const ProtobufCFieldDescriptor *field)
{
    return (uint8_t *)message + field->offset;
}

static size_t
size_of(const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return sizeof(void *);
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_UINT32:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 0;
    }
}

static void
omit(void *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        *(size_t *)(void *)((uint8_t *)message + field->quantifier_offset) = 0;
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        *(char **)member(message, field) = TEXT("");
    else
        memset(member(message, field), 0, size_of(field));
}

enum form { CHANGED, LONGER, OMITTED, NO_SUCH };

static enum form
change_text(struct bench *bench, char **at, unsigned which)
{
    size_t len = strlen(*at);
    char *text = sim_take(bench->sim, len + 2);

    if (which > len)
        return NO_SUCH;
    memcpy(text, *at, len);
    text[which] = which == len ? 'x' : (char)(text[which] ^ 1);
    *at = text;
    return CHANGED;
}

static enum form
change_bytes(struct bench *bench, ProtobufCBinaryData *bytes, unsigned which)
{
    uint8_t *copy = sim_take(bench->sim, bytes->len + 1);
    bool longer = which == bytes->len;

    if (which > bytes->len)
        return NO_SUCH;
    if (bytes->len > 0)
        memcpy(copy, bytes->data, bytes->len);
    copy[which] ^= 1;
    *bytes = BYTES(copy, bytes->len + longer);
    return longer ? LONGER : CHANGED;
}

// One more, that nobody knows.
static enum form
change_list(struct bench *bench, void *message,
            const ProtobufCFieldDescriptor *field)
{
    size_t *count =
        (size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
    void **list = sim_take(bench->sim, sizeof *list);
    Sgpb__AgreementRef *ref = sim_take(bench->sim, sizeof *ref);

    *ref = (Sgpb__AgreementRef)SGPB__AGREEMENT_REF__INIT;
    ref->id = TEXT("x");
    list[0] = field->type == PROTOBUF_C_TYPE_STRING ? (void *)TEXT("x") : ref;
    *count = 1;
    memcpy(member(message, field), &list, sizeof list);
    return CHANGED;
}

// Change number `which`: one bit of a number, one byte of a text or of bytes.
static enum form
change(struct bench *bench, void *message,
       const ProtobufCFieldDescriptor *field, unsigned which)
{
    void *at = member(message, field);

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return which > 0 ? NO_SUCH : change_list(bench, message, field);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return change_text(bench, at, which);
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return change_bytes(bench, at, which);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE || which >= 4)
        return NO_SUCH;
    ((uint8_t *)at)[which / 2] ^= which % 2 == 0 ? 1 : 0x80;
    for (size_t i = 0; i < size_of(field); i++)
        if (((const uint8_t *)at)[i] != 0)
            return CHANGED;
    return OMITTED;
}

struct table {
    struct bench *bench;
    struct made *good;
    struct signature by;
    struct sg_slice bytes;
    unsigned cases, wrong;
    const struct rule *taken; // with this field changed it was accepted
};

// Terms that keep for KEPT_DAYS days.
static int
open_bench(void **state)
{
    return bench_open_seed(state, 2);
}

static void
open_table(struct table *table, void *bench)
{
    *table = (struct table){.bench = bench};
    table->good = make(bench, PUBLISHER);
    table->good->claims.retention_days = KEPT_DAYS;
    table->bytes = sign_as(bench, PUBLISHER, &table->good->m, &table->by);
}

// All that is wrong is shown, not the first alone.
static void
says(struct table *table, const char *name, const char *how, const char *code,
     const char *want)
{
    table->cases++;
    if (strcmp(code, want) == 0)
        return;
    print_error("%s, %s: \"%s\", not \"%s\"\n", name, how, code, want);
    table->wrong++;
}

// The manifest as it is now: under the signature of the good one, and signed
// anew, so that what refuses it is the check of the field and nothing else.
static void
tell(struct table *table, const Sgpb__Manifest *m, const struct rule *rule,
     enum form form)
{
    static const char *const how[] = {"changed", "longer", "omitted"};
    struct bench *bench = table->bench;
    struct signature anew;
    struct sg_slice bytes = sign_as(bench, PUBLISHER, m, &anew);
    const char *code;

    if (sg_slice_eq(bytes, table->bytes) ||
        (form == CHANGED && table->taken == rule))
        return; // it was empty already; once is enough: uploads are few
    code = publish(bench, PUBLISHER, bytes, &table->by, table->good->secret);
    table->cases++;
    if (code[0] == '\0')
        says(table, rule->field, "under the old signature", code, "refused");
    enum sg_err want = form == OMITTED  ? rule->omitted
                       : form == LONGER ? SG_ERR_MANIFEST_FIELD
                                        : rule->changed;
    code = send(bench, PUBLISHER, bytes, &anew, table->good->secret, true);
    if (form == CHANGED && code[0] == '\0')
        table->taken = rule;
    if (!rule->open)
        says(table, rule->field, how[form], code,
             want == SG_OK ? "" : sg_err_code(want));
}

static void
each_field(struct table *table, const ProtobufCMessageDescriptor *shape,
           const struct rule *rules, bool claims)
{
    for (unsigned i = 0; i < shape->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &shape->fields[i];
        enum form form = CHANGED;
        assert_string_equal(rules[i].field, field->name);
        assert_true(rules[i].changed != SG_OK || rules[i].who != NULL);
        for (unsigned which = 0; form != NO_SUCH; which++) {
            Sgpb__Manifest m = table->good->m;
            Sgpb__Claims said = table->good->claims;
            m.claims = &said;
            form = change(table->bench, claims ? (void *)&said : (void *)&m,
                          field, which);
            if (form == NO_SUCH)
                omit(claims ? (void *)&said : (void *)&m, field);
            tell(table, &m, &rules[i], form == NO_SUCH ? OMITTED : form);
        }
    }
}

static void
each_field_of_a_manifest_is_held_against_what_the_gate_knows(void **state)
{
    struct table table;

    open_table(&table, *state);
    assert_int_equal(sgpb__manifest__descriptor.n_fields,
                     SG_COUNT_OF(of_manifest));
    assert_int_equal(sgpb__claims__descriptor.n_fields, SG_COUNT_OF(of_claims));
    each_field(&table, &sgpb__manifest__descriptor, of_manifest, false);
    each_field(&table, &sgpb__claims__descriptor, of_claims, true);
    print_message("%u cases\n", table.cases);
    assert_true(table.cases >= CASES_S11);
    assert_int_equal(table.wrong, 0);
    assert_string_equal(publish(table.bench, PUBLISHER, table.bytes, &table.by,
                                table.good->secret),
                        "");
}

// Does it differ from the good one in a field that is checked?
static bool
is_checked(const struct table *table, struct made *other, unsigned i)
{
    const ProtobufCFieldDescriptor *field =
        &sgpb__manifest__descriptor.fields[i];
    Sgpb__Manifest m = table->good->m;

    memcpy(member(&m, field), member(&other->m, field), size_of(field));
    return of_manifest[i].changed != SG_OK &&
           !sg_slice_eq(sim_pack(table->bench->sim, &m.base), table->bytes);
}

// Any one and any two fields of another good manifest.
static void
swap_fields(struct table *table, struct made *other)
{
    const ProtobufCMessageDescriptor *shape = &sgpb__manifest__descriptor;

    for (unsigned i = 0; i < shape->n_fields; i++)
        for (unsigned k = i; k < shape->n_fields; k++) {
            const ProtobufCFieldDescriptor *one = &shape->fields[i];
            const ProtobufCFieldDescriptor *two = &shape->fields[k];
            Sgpb__Manifest m = table->good->m;
            struct signature by;
            memcpy(member(&m, one), member(&other->m, one), size_of(one));
            memcpy(member(&m, two), member(&other->m, two), size_of(two));
            if (!is_checked(table, other, i) && !is_checked(table, other, k))
                continue;
            struct sg_slice bytes = sign_as(table->bench, PUBLISHER, &m, &by);
            const char *code = send(table->bench, PUBLISHER, bytes, &by,
                                    table->good->secret, true);
            table->cases++;
            if (code[0] == '\0')
                fail_msg("%s and %s: accepted", one->name, two->name);
        }
}

static void
fields_of_two_good_manifests_do_not_mix(void **state)
{
    struct table table;

    open_table(&table, *state);
    swap_fields(&table, make(table.bench, PUBLISHER));
    swap_fields(&table, make(table.bench, NEAR));
    print_message("%u cases\n", table.cases);
    assert_true(table.cases >= CASES_S11 / 3);
    assert_string_equal(publish(table.bench, PUBLISHER, table.bytes, &table.by,
                                table.good->secret),
                        "");
}

// ---- the signature and its head ------------------------------------------------

// Byte `at` of the head has another value, and the publisher signs that.
static const char *
with_head(struct table *table, size_t at, uint8_t flip)
{
    struct bench *bench = table->bench;
    struct signature by = table->by;

    by.head[at] ^= flip;
    assert_int_equal(sg_sign_make(bench->sim->peer[PUBLISHER].signer,
                                  SG_SIGN_MANIFEST_BATCH,
                                  sg_slice_of(by.head, sizeof by.head), by.sig),
                     SG_OK);
    return publish(bench, PUBLISHER, table->bytes, &by, table->good->secret);
}

static void
each_byte_of_a_signature_and_its_head_is_looked_at(void **state)
{
    const char *const use = sg_err_code(SG_ERR_PEER_KEY_USE);
    const char *const bad = sg_err_code(SG_ERR_SIGNATURE);
    struct table table;
    struct signature by;

    open_table(&table, *state);
    says(&table, "alg", "of another kind", with_head(&table, 0, 1 ^ 2), use);
    says(&table, "alg", "unknown", with_head(&table, 0, 0x80), bad);
    for (size_t i = 1; i < SG_BATCH_HEAD_LEN; i++)
        says(&table,
             i < 33   ? "key_id"
             : i < 35 ? "count"
                      : "root",
             "changed", with_head(&table, i, i == 34 ? 3 : 1),
             i < 33 ? use : bad);
    says(&table, "count", "none", with_head(&table, 34, 1), bad);
    for (size_t i = 0; i < sizeof by.sig; i++) {
        by = table.by;
        by.sig[i] ^= 1;
        says(&table, "sig", "changed",
             publish(table.bench, PUBLISHER, table.bytes, &by,
                     table.good->secret),
             bad);
    }
    // the manifest names its owner's key, and another signs
    struct sg_slice bytes = sign_as(table.bench, NEAR, &table.good->m, &by);
    says(&table, "key_id", "of another",
         publish(table.bench, PUBLISHER, bytes, &by, table.good->secret), use);
    assert_int_equal(table.wrong, 0);
    assert_string_equal(publish(table.bench, PUBLISHER, table.bytes, &table.by,
                                table.good->secret),
                        "");
}

// One of a batch of two.
struct large {
    Sgpb__SignedManifest doc;
    Sgpb__PublishBegin begin;
    ProtobufCBinaryData path[2];
    uint8_t leaves[2][32];
    struct signature by;
};

static struct large *
make_large(struct bench *bench, struct made *made)
{
    struct large *large = sim_take(bench->sim, sizeof *large);
    struct sg_slice bytes = sim_pack(bench->sim, &made->m.base);
    struct sg_batch_head head;

    large->doc = (Sgpb__SignedManifest)SGPB__SIGNED_MANIFEST__INIT;
    large->begin = (Sgpb__PublishBegin)SGPB__PUBLISH_BEGIN__INIT;
    sg_batch_leaf(bytes, large->leaves[0]);
    sim_bytes(bench->sim, large->leaves[1], 32);
    assert_int_equal(sg_batch_sign(bench->sim->peer[PUBLISHER].signer,
                                   (const uint8_t(*)[32])large->leaves, 2,
                                   &head, large->by.sig),
                     SG_OK);
    sg_batch_head_encode(&head, large->by.head);
    large->path[0] = large->path[1] = BYTES(large->leaves[1], 32);
    large->doc.manifest = BYTES(bytes.ptr, bytes.len);
    large->doc.head = BYTES(large->by.head, sizeof large->by.head);
    large->doc.sig = BYTES(large->by.sig, sizeof large->by.sig);
    large->doc.path = large->path;
    large->doc.n_path = 1;
    large->begin.manifest = &large->doc;
    large->begin.secret_block = BYTES(made->secret, sizeof made->secret);
    large->begin.bytes = made->m.size;
    large->begin.chunks = made->m.chunks;
    return large;
}

static const char *
ask_begin(struct bench *bench, struct large *large)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;

    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH_BEGIN;
    envelope.publish_begin = &large->begin;
    return bench_ask(bench, PUBLISHER, &envelope, (struct sg_slice){NULL, 0});
}

static void
a_large_manifest_is_where_its_signature_says(void **state)
{
    struct bench *bench = *state;
    struct made *made = make(bench, PUBLISHER);
#define ROW(change, expected)                                                  \
    do {                                                                       \
        struct large *large = make_large(bench, made);                         \
        change;                                                                \
        assert_string_equal(ask_begin(bench, large), expected);                \
    } while (0)
    ROW(large->doc.index = 1, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->doc.index = 2, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->doc.n_path = 0, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->doc.n_path = 2, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->path[0].len = 31, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->leaves[1][0] ^= 1, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->by.sig[0] ^= 1, sg_err_code(SG_ERR_SIGNATURE));
    ROW(large->doc.head.len--, sg_err_code(SG_ERR_PEER_MALFORMED));
    ROW(large->begin.bytes++, sg_err_code(SG_ERR_MANIFEST_FIELD));
    ROW(large->begin.chunks++, sg_err_code(SG_ERR_MANIFEST_FIELD));
    ROW(large->begin.encoding = TEXT("zstd"), sg_err_code(SG_ERR_UNSUPPORTED));
    ROW(large->begin.secret_block.len--, sg_err_code(SG_ERR_SECRET));
    ROW((void)0, "");
#undef ROW
}

// ---- the secret block ------------------------------------------------------------

static void
each_byte_of_a_secret_block_is_held_against_the_manifest(void **state)
{
    static const struct {
        const char *field;
        size_t end;
        enum sg_err err;
        const char *who;
    } rows[] = {
        {"magic", 5, SG_ERR_SECRET, NULL},
        {"seed", 21, SG_ERR_SECRET, NULL},
        {"id", 37, SG_OK, "the judge: it is in the content root"},
        {"file_salt", 69, SG_OK, "the judge: it is in file_commit"},
        {"report_salt", 101, SG_OK, "nobody: the gate commits with it itself"},
    };
    struct table table = {.bench = *state};

    for (size_t i = 0, row = 0; i < 101; i++) {
        struct made *made = make(table.bench, PUBLISHER);
        struct signature by;
        struct sg_slice bytes = sign_as(table.bench, PUBLISHER, &made->m, &by);
        row += i == rows[row].end;
        if (rows[row].err == SG_OK && i != rows[row - 1].end &&
            i + 1 != rows[row].end)
            continue; // first and last are enough: uploads are few
        assert_true(rows[row].err != SG_OK || rows[row].who != NULL);
        made->secret[i] ^= 1;
        says(&table, rows[row].field, "changed",
             send(table.bench, PUBLISHER, bytes, &by, made->secret, true),
             rows[row].err == SG_OK ? "" : sg_err_code(rows[row].err));
    }
    assert_int_equal(table.wrong, 0);
}

int
main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_bench, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(each_field_of_a_manifest_is_held_against_what_the_gate_knows),
        TEST(fields_of_two_good_manifests_do_not_mix),
        TEST(each_byte_of_a_signature_and_its_head_is_looked_at),
        TEST(a_large_manifest_is_where_its_signature_says),
        TEST(each_byte_of_a_secret_block_is_held_against_the_manifest),
    };
#undef TEST

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
