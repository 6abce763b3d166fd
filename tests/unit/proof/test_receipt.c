// Receipts: every field of the expectation, every byte, every step.
#include "broker/base/encode.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/note.h"
#include "schemas/proof/receipt.h"
#include "schemas/roster.pb-c.h"
#include "tests/unit/proof/fixture.h"

enum { ENTRIES = 21, AT = 9 };

static const uint8_t manifest[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t request[16] = {0xaa, 0xbb};
static const uint8_t delivery_id[16] = {0xd1, 0xd2};
static const char witness_seeds[3][65] = {
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
};

// A log of ENTRIES entries, entry `at` (AT) having the body under test, and what a
// participant expects of its receipt.
struct world {
    uint64_t at;
    struct sg_arena *arena;
    struct sg_signer *log, *witness[3];
    uint8_t leaves[ENTRIES][32], root[32], path[SG_MERKLE_DEPTH][32];
    char origin[SG_NOTE_ORIGIN_MAX];
    struct sg_slice entry, note, bytes;
    struct sg_receipt receipt;
    struct sg_receipt_key key;
    struct sg_receipt_witness witnesses[3];
    struct sg_receipt_expect expect;
};

static struct sg_slice
pack(struct world *w, const ProtobufCMessage *message)
{
    struct sg_slice out;

    assert_int_equal(sg_codec_pack(message, w->arena, &out), SG_OK);
    return out;
}

static char *
text_of(const char *literal)
{
    union {
        const char *constant;
        char *field;
    } text = {literal};
    return text.field;
}

static struct sg_slice
accepted_body(struct world *w)
{
    Sgpb__Accepted body = SGPB__ACCEPTED__INIT;

    body.gate = text_of("KE_GATE");
    body.publisher = text_of("KE_KNBS");
    body.flow = text_of("KE_KNBS.POP");
    body.revision = 7;
    body.manifest_sha256 = sg_codec_bytes(manifest, 32);
    body.request_id = sg_codec_bytes(request, 16);
    return pack(w, &body.base);
}

static struct sg_slice
refused_body(struct world *w)
{
    Sgpb__Refused body = SGPB__REFUSED__INIT;

    body.gate = text_of("KE_GATE");
    body.publisher = text_of("KE_KNBS");
    body.flow = text_of("KE_KNBS.POP");
    body.revision = 7;
    body.manifest_sha256 = sg_codec_bytes(manifest, 32);
    body.request_id = sg_codec_bytes(request, 16);
    body.code = text_of("publisher.data");
    return pack(w, &body.base);
}

static struct sg_slice
ack_body(struct world *w)
{
    Sgpb__ReceiptAck ack = SGPB__RECEIPT_ACK__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    Sgpb__ReceiptAckEntry body = SGPB__RECEIPT_ACK_ENTRY__INIT;

    ack.delivery_id = sg_codec_bytes(delivery_id, 16);
    ack.manifest_sha256 = sg_codec_bytes(manifest, 32);
    ack.kept = 1;
    struct sg_slice inner = pack(w, &ack.base);
    document.body = sg_codec_bytes(inner.ptr, inner.len);
    body.ack = &document;
    body.subscription = text_of("UG_UBOS/pop");
    return pack(w, &body.base);
}

// The whole log around one body; the tree and the note follow from it.
static void
build(struct world *w, enum sg_entry_type type, struct sg_slice body)
{
    struct sg_merkle tree;
    uint8_t prev[32] = {0}, *bytes = sg_arena_take(w->arena, 65536);
    struct sg_writer note;
    struct sg_note parsed;

    assert_non_null(bytes);
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct sg_entry entry = {.type = i == w->at ? (uint16_t)type
                                                    : SG_ENTRY_ADMIN_ACT,
                                 .sequence = i,
                                 .time_us = 1795372800000000 + i,
                                 .body = i == w->at ? body : SG_SLICE("other")};
        struct sg_writer one = sg_writer_on(bytes, 4096);
        memcpy(entry.prev, prev, 32);
        memset(entry.blind, (int)i, 16);
        sg_entry_encode(&entry, &one);
        sg_entry_leaf(sg_writer_slice(&one), w->leaves[i]);
        memcpy(prev, w->leaves[i], 32);
        assert_int_equal(sg_merkle_add(&tree, w->leaves[i]), SG_OK);
        if (i == w->at)
            w->entry = sg_arena_copy(w->arena, sg_writer_slice(&one));
    }
    sg_merkle_root(&tree, w->root);
    memcpy(w->expect.genesis, w->leaves[0], 32);
    assert_int_equal(
        sg_note_origin(SG_SLICE("KE_GATE"), w->expect.genesis, 0, w->origin),
        SG_OK);
    note = sg_writer_on(bytes + 8192, SG_NOTE_MAX);
    assert_int_equal(
        sg_note_sign(sg_slice_text(w->origin), ENTRIES, w->root, w->log, &note),
        SG_OK);
    assert_int_equal(sg_note_parse(sg_writer_slice(&note), &parsed), SG_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sg_note_cosign(&parsed, w->witnesses[i].name, 1795372,
                                        w->witness[i], &note),
                         SG_OK);
    w->note = sg_writer_slice(&note);
    sg_merkle_path_of(SG_MERKLE_LOG, w->at, (const uint8_t(*)[32])w->leaves,
                      ENTRIES, w->path);
    w->receipt = (struct sg_receipt){
        .index = w->at,
        .size = ENTRIES,
        .path_len = (uint8_t)sg_merkle_path_len(w->at, ENTRIES),
        .path = (const uint8_t(*)[32])w->path,
        .entry = w->entry,
        .checkpoint = w->note};
}

static void
encode(struct world *w)
{
    const size_t len = sg_receipt_len(&w->receipt);
    uint8_t *bytes = sg_arena_take(w->arena, len);

    assert_non_null(bytes);
    struct sg_writer out = sg_writer_on(bytes, len);
    sg_receipt_encode(&w->receipt, &out);
    assert_false(out.full);
    assert_int_equal(out.len, len);
    w->bytes = sg_writer_slice(&out);
}

static void
expect_release(struct world *w, enum sg_entry_type kind)
{
    w->expect.kind = kind;
    w->expect.gate = SG_SLICE("KE_GATE");
    w->expect.participant = SG_SLICE("KE_KNBS");
    w->expect.flow = SG_SLICE("KE_KNBS.POP");
    w->expect.revision = 7;
    w->expect.manifest_sha256 = sg_slice_of(manifest, 32);
    w->expect.request_id = sg_slice_of(request, 16);
    w->expect.delivery_id = (struct sg_slice){NULL, 0};
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->at = AT;
    w->arena = new_arena();
    w->log = new_signer(w->arena, TEST_SEED);
    sg_crypto_signer_public(w->log, w->key.public_key);
    w->key.below = UINT64_MAX;
    w->expect.log_keys = &w->key;
    w->expect.log_key_count = 1;
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"UG_UBOS", "TZ_NBS", "UG_UBOS2"};
        static const char *const persons[] = {"grace", "asha", "grace"};
        w->witness[i] = new_signer(w->arena, witness_seeds[i]);
        sg_crypto_signer_public(w->witness[i], w->witnesses[i].public_key);
        w->witnesses[i].name = sg_slice_text(names[i]);
        w->witnesses[i].person = sg_slice_text(persons[i]);
    }
    w->expect.witnesses = w->witnesses;
    w->expect.witness_count = 3;
    build(w, SG_ENTRY_ACCEPTED, accepted_body(w));
    encode(w);
    expect_release(w, SG_ENTRY_ACCEPTED);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    sg_crypto_signer_free(&w->log);
    for (unsigned i = 0; i < 3; i++)
        sg_crypto_signer_free(&w->witness[i]);
    sg_arena_free(&w->arena);
    free(w);
    return 0;
}

static struct sg_receipt_result
verify(struct world *w)
{
    return sg_receipt_verify(w->bytes, &w->expect, w->arena);
}

static void
assert_invalid(struct world *w, uint8_t step, const char *field)
{
    struct sg_receipt_result r = verify(w);

    assert_int_equal(r.answer, SG_RECEIPT_INVALID);
    if (r.step != step || strcmp(r.field, field) != 0)
        fail_msg("step %u (%s) instead of %u (%s)", r.step, r.field, step,
                 field);
}

// ---- what holds --------------------------------------------------------------

static void
an_honest_receipt_is_valid_and_says_whether_it_is_witnessed(void **state)
{
    struct world *w = *state;
    struct sg_receipt_result r = verify(w);

    assert_int_equal(r.answer, SG_RECEIPT_NOT_WITNESSED); // not asked
    assert_int_equal(r.sequence, AT);
    assert_int_equal(r.size, ENTRIES);
    assert_int_equal(r.time_us, 1795372800000000 + AT);
    assert_false(r.compared);
    w->expect.witnesses_wanted = 2;
    assert_int_equal(verify(w).answer, SG_RECEIPT_VALID);
    // Three cosignatures, but of two persons.
    w->expect.witnesses_wanted = 3;
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    w->witnesses[2].person = SG_SLICE("amina");
    assert_int_equal(verify(w).answer, SG_RECEIPT_VALID);
    w->witnesses[0].public_key[0] ^= 1;
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
}

static void
a_receipt_reads_back(void **state)
{
    struct world *w = *state;
    struct sg_receipt again;

    w->receipt.roster_link = SG_SLICE("link");
    encode(w);
    assert_int_equal(sg_receipt_decode(w->bytes, &again), SG_OK);
    assert_int_equal(again.index, AT);
    assert_int_equal(again.size, ENTRIES);
    assert_int_equal(again.path_len, w->receipt.path_len);
    assert_memory_equal(again.path, w->path, (size_t)again.path_len * 32);
    assert_true(sg_slice_eq(again.entry, w->entry));
    assert_true(sg_slice_eq(again.checkpoint, w->note));
    assert_true(sg_slice_eq(again.roster_link, SG_SLICE("link")));
    for (size_t len = 0; len < w->bytes.len; len++)
        assert_int_not_equal(
            sg_receipt_decode(sg_slice_of(w->bytes.ptr, len), &again), SG_OK);
}

// ---- S28: taken for another ----------------------------------------------------

static void
another_expectation_is_refused_field_by_field(void **state)
{
    struct world *w = *state;
    const struct sg_receipt_expect honest = w->expect;
    uint8_t other[32] = {9};

#define CASE(change, step, field)                                              \
    do {                                                                       \
        w->expect = honest;                                                    \
        change;                                                                \
        assert_invalid(w, step, field);                                        \
    } while (0)
    CASE(w->expect.kind = SG_ENTRY_REFUSED, 2, "kind");
    CASE(w->expect.kind = SG_ENTRY_CONFLICT, 2, "kind");
    CASE(w->expect.gate = SG_SLICE("UG_GATE"), 3, "gate");
    CASE(w->expect.participant = SG_SLICE("UG_UBOS"), 3, "participant");
    CASE(w->expect.participant = SG_SLICE(""), 3, "participant");
    CASE(w->expect.flow = SG_SLICE("KE_KNBS.GDP"), 3, "flow");
    CASE(w->expect.flow = SG_SLICE("KE_KNBS.PO"), 3, "flow");
    CASE(w->expect.revision = 6, 3, "revision");
    CASE(w->expect.revision = 0, 3, "revision");
    CASE(w->expect.manifest_sha256 = sg_slice_of(other, 32), 3,
         "manifest_sha256");
    CASE(w->expect.manifest_sha256 = sg_slice_of(manifest, 31), 3,
         "manifest_sha256");
    CASE(w->expect.manifest_sha256 = SG_SLICE(""), 3, "manifest_sha256");
    CASE(w->expect.request_id = sg_slice_of(other, 16), 3, "request_id");
    CASE(w->expect.request_id = SG_SLICE(""), 3, "request_id");
    CASE(w->expect.delivery_id = sg_slice_of(delivery_id, 16), 3,
         "delivery_id");
    CASE(w->expect.genesis[0] ^= 1, 4, "origin");
    CASE(w->expect.log_key_count = 0, 5, "log key");
    CASE(w->key.public_key[5] ^= 1, 5, "log key");
    w->key.public_key[5] ^= 1;
    CASE(w->key.below = ENTRIES - 1, 5, "log key"); // revoked before
#undef CASE
    w->expect = honest;
    w->key.below = ENTRIES;
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
}

static void
a_refusal_is_never_an_acceptance(void **state)
{
    struct world *w = *state;

    build(w, SG_ENTRY_REFUSED, refused_body(w));
    encode(w);
    assert_invalid(w, 2, "kind");
    expect_release(w, SG_ENTRY_REFUSED);
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    // The body of a refusal under the type of an acceptance: its fields from
    // 10 on do not read as one.
    build(w, SG_ENTRY_ACCEPTED, refused_body(w));
    encode(w);
    expect_release(w, SG_ENTRY_ACCEPTED);
    assert_invalid(w, 2, "body");
}

static void
a_receipt_ack_is_for_its_subscriber_and_delivery(void **state)
{
    struct world *w = *state;

    build(w, SG_ENTRY_RECEIPT_ACK, ack_body(w));
    encode(w);
    w->expect.kind = SG_ENTRY_RECEIPT_ACK;
    w->expect.participant = SG_SLICE("UG_UBOS");
    w->expect.flow = w->expect.request_id = (struct sg_slice){NULL, 0};
    w->expect.revision = 0;
    w->expect.delivery_id = sg_slice_of(delivery_id, 16);
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    w->expect.participant = SG_SLICE("UG_UBO");
    assert_invalid(w, 3, "participant");
    w->expect.participant = SG_SLICE("UG_UBOS");
    w->expect.delivery_id = sg_slice_of(request, 16);
    assert_invalid(w, 3, "delivery_id");
    w->expect.delivery_id = (struct sg_slice){NULL, 0};
    assert_invalid(w, 3, "delivery_id");
    // What the body does not say cannot be expected of it.
    w->expect.delivery_id = sg_slice_of(delivery_id, 16);
    w->expect.flow = SG_SLICE("KE_KNBS.POP");
    assert_invalid(w, 3, "flow");
}

static void
a_kind_without_a_rule_cannot_be_expected(void **state)
{
    struct world *w = *state;

    build(w, SG_ENTRY_GATE_STOPPED, SG_SLICE(""));
    encode(w);
    w->expect.kind = SG_ENTRY_GATE_STOPPED;
    assert_invalid(w, 2, "body");
}

static void
signed_documents_are_expected_by_their_digest(void **state)
{
    struct world *w = *state;
    Sgpb__Statement statement = SGPB__STATEMENT__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    Sgpb__StatementEntry body = SGPB__STATEMENT_ENTRY__INIT;
    uint8_t digest[32];

    statement.gate = text_of("KE_GATE");
    statement.event_index = 4;
    struct sg_slice inner = pack(w, &statement.base);
    document.body = sg_codec_bytes(inner.ptr, inner.len);
    body.statement = &document;
    build(w, SG_ENTRY_STATEMENT, pack(w, &body.base));
    encode(w);
    sg_crypto_sha256(inner.ptr, inner.len, digest);
    w->expect.kind = SG_ENTRY_STATEMENT;
    w->expect.participant = w->expect.flow = w->expect.request_id =
        (struct sg_slice){NULL, 0};
    w->expect.revision = 0;
    assert_invalid(w, 3, "manifest_sha256");
    w->expect.manifest_sha256 = sg_slice_of(digest, 32);
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    body.statement = NULL; // an entry without its document
    build(w, SG_ENTRY_STATEMENT, pack(w, &body.base));
    encode(w);
    assert_invalid(w, 2, "body");
}

static void
a_decision_is_expected_by_one_of_its_deliveries(void **state)
{
    struct world *w = *state;
    Sgpb__DeliveryVerdict one = SGPB__DELIVERY_VERDICT__INIT, two = one;
    Sgpb__DeliveryVerdict *both[] = {&one, &two};
    Sgpb__Decision body = SGPB__DECISION__INIT;

    one.delivery_id = sg_codec_bytes(request, 16);
    one.subscription = text_of("TZ_NBS/x");
    two.delivery_id = sg_codec_bytes(delivery_id, 16);
    two.subscription = text_of("UG_UBOS/pop");
    body.deliveries = both;
    body.n_deliveries = 2;
    build(w, SG_ENTRY_DECISION, pack(w, &body.base));
    encode(w);
    expect_release(w, SG_ENTRY_DECISION);
    w->expect.flow = w->expect.request_id = w->expect.manifest_sha256 =
        (struct sg_slice){NULL, 0};
    w->expect.revision = 0;
    w->expect.participant = SG_SLICE("UG_UBOS");
    w->expect.delivery_id = sg_slice_of(delivery_id, 16);
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    w->expect.delivery_id = sg_slice_of(request, 16); // another's
    assert_invalid(w, 3, "participant");
    w->expect.delivery_id = sg_slice_of(manifest, 16); // nobody's
    assert_invalid(w, 3, "participant");
    w->expect.delivery_id = w->expect.participant = (struct sg_slice){NULL, 0};
    assert_invalid(w, 3, "delivery_id"); // to expect nothing is not enough
}

// ---- mutations -----------------------------------------------------------------

static void
every_flipped_bit_of_a_receipt_is_refused(void **state)
{
    struct world *w = *state;
    uint8_t *bytes = sg_arena_take(w->arena, w->bytes.len);
    struct sg_slice honest = w->bytes;
    unsigned refused = 0;

    assert_non_null(bytes);
    w->expect.witnesses_wanted = 3;
    w->witnesses[2].person = SG_SLICE("amina");
    assert_int_equal(verify(w).answer, SG_RECEIPT_VALID);
    w->bytes = sg_slice_of(bytes, honest.len);
    for (size_t at = 0; at < honest.len; at++) {
        for (unsigned bit = 0; bit < 8; bit += at % 3 == 0 ? 1 : 5) {
            memcpy(bytes, honest.ptr, honest.len);
            bytes[at] ^= (uint8_t)(1u << bit);
            assert_int_not_equal(verify(w).answer, SG_RECEIPT_VALID);
            refused++;
        }
    }
    assert_true(refused > 400);
}

static void
sizes_and_paths_that_do_not_belong_together_stop_at_step_1(void **state)
{
    struct world *w = *state;
    const struct sg_receipt honest = w->receipt;

#define CASE(change)                                                           \
    do {                                                                       \
        w->receipt = honest;                                                   \
        change;                                                                \
        encode(w);                                                             \
        assert_invalid(w, 1, "sizes");                                         \
    } while (0)
    CASE(w->receipt.path_len--);
    CASE(w->receipt.path_len++);
    CASE(w->receipt.path_len = 0);
    CASE(w->receipt.index = ENTRIES);
    CASE(w->receipt.index = UINT64_MAX);
    CASE(w->receipt.size = 0);
    CASE(w->receipt.size = AT);
    CASE(w->receipt.size = UINT64_MAX);
#undef CASE
    w->receipt = honest;
    w->receipt.index = AT + 1; // its path is as long
    encode(w);
    assert_invalid(w, 2, "sequence");
    w->receipt = honest;
    w->receipt.size = ENTRIES + 1;
    encode(w);
    assert_invalid(w, 4, "size");
}

// The origin has the front of the genesis; entry 0 has all of it.
static void
entry_0_shows_the_whole_genesis(void **state)
{
    struct world *w = *state;

    w->expect.genesis[31] ^= 1;
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    w->at = 0;
    build(w, SG_ENTRY_ACCEPTED, accepted_body(w));
    encode(w);
    assert_int_equal(verify(w).answer, SG_RECEIPT_NOT_WITNESSED);
    w->expect.genesis[31] ^= 1;
    assert_invalid(w, 4, "genesis");
}

static void
bytes_behind_a_receipt_are_refused(void **state)
{
    struct world *w = *state;
    uint8_t *bytes = sg_arena_take(w->arena, w->bytes.len + 1);

    assert_non_null(bytes);
    memcpy(bytes, w->bytes.ptr, w->bytes.len);
    w->bytes = sg_slice_of(bytes, w->bytes.len + 1);
    assert_invalid(w, 1, "sizes");
}

static void
a_note_of_another_log_or_another_key_is_refused(void **state)
{
    struct world *w = *state;
    uint8_t bytes[SG_NOTE_MAX];
    char origin[SG_NOTE_ORIGIN_MAX];
    struct sg_writer out = sg_writer_on(bytes, sizeof bytes);

    assert_int_equal(
        sg_note_origin(SG_SLICE("UG_GATE"), w->expect.genesis, 0, origin),
        SG_OK);
    assert_int_equal(
        sg_note_sign(sg_slice_text(origin), ENTRIES, w->root, w->log, &out),
        SG_OK);
    w->receipt.checkpoint = sg_writer_slice(&out);
    encode(w);
    assert_invalid(w, 4, "origin");
    out = sg_writer_on(bytes, sizeof bytes);
    assert_int_equal(sg_note_sign(sg_slice_text(w->origin), ENTRIES, w->root,
                                  w->witness[0], &out),
                     SG_OK);
    w->receipt.checkpoint = sg_writer_slice(&out);
    encode(w);
    assert_invalid(w, 5, "log key");
    out = sg_writer_on(bytes, sizeof bytes);
    assert_int_equal(
        sg_note_sign(sg_slice_text(w->origin), ENTRIES, manifest, w->log, &out),
        SG_OK);
    w->receipt.checkpoint = sg_writer_slice(&out);
    encode(w);
    assert_invalid(w, 4, "root");
}

// ---- forks -----------------------------------------------------------------------

static enum sg_err
read_log(void *arg, unsigned level, uint64_t index, uint8_t out[32])
{
    struct world *w = arg;
    struct sg_merkle tree;

    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (uint64_t i = 0; i < UINT64_C(1) << level; i++)
        assert_int_equal(sg_merkle_add(&tree, w->leaves[(index << level) + i]),
                         SG_OK);
    sg_merkle_root(&tree, out);
    return SG_OK;
}

static void
another_history_than_the_one_held_is_a_fork(void **state)
{
    struct world *w = *state;
    struct sg_receipt_held *held = &w->expect.held;
    struct sg_merkle_proof proof;
    struct sg_merkle tree;

    // The same size.
    held->size = ENTRIES;
    memcpy(held->root, w->root, 32);
    struct sg_receipt_result r = verify(w);
    assert_int_equal(r.answer, SG_RECEIPT_NOT_WITNESSED);
    assert_true(r.compared);
    held->root[0] ^= 1;
    r = verify(w);
    assert_int_equal(r.answer, SG_RECEIPT_FORK);
    assert_int_equal(r.step, 7);
    // An older one: nothing can be said without a proof, all with it.
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (unsigned i = 0; i < 13; i++)
        assert_int_equal(sg_merkle_add(&tree, w->leaves[i]), SG_OK);
    held->size = 13;
    sg_merkle_root(&tree, held->root);
    r = verify(w);
    assert_int_equal(r.answer, SG_RECEIPT_NOT_WITNESSED);
    assert_false(r.compared);
    assert_int_equal(
        sg_merkle_consistency(SG_MERKLE_LOG, 13, ENTRIES, read_log, w, &proof),
        SG_OK);
    held->proof = (const uint8_t(*)[32])proof.hashes;
    held->proof_len = proof.len;
    r = verify(w);
    assert_int_equal(r.answer, SG_RECEIPT_NOT_WITNESSED);
    assert_true(r.compared);
    held->root[0] ^= 1;
    assert_int_equal(verify(w).answer, SG_RECEIPT_FORK);
    held->root[0] ^= 1;
    proof.hashes[0][0] ^= 1;
    assert_int_equal(verify(w).answer, SG_RECEIPT_FORK);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_honest_receipt_is_valid_and_says_whether_it_is_witnessed),
        TEST(a_receipt_reads_back),
        TEST(another_expectation_is_refused_field_by_field),
        TEST(a_refusal_is_never_an_acceptance),
        TEST(a_receipt_ack_is_for_its_subscriber_and_delivery),
        TEST(a_kind_without_a_rule_cannot_be_expected),
        TEST(signed_documents_are_expected_by_their_digest),
        TEST(a_decision_is_expected_by_one_of_its_deliveries),
        TEST(every_flipped_bit_of_a_receipt_is_refused),
        TEST(sizes_and_paths_that_do_not_belong_together_stop_at_step_1),
        TEST(entry_0_shows_the_whole_genesis),
        TEST(bytes_behind_a_receipt_are_refused),
        TEST(a_note_of_another_log_or_another_key_is_refused),
        TEST(another_history_than_the_one_held_is_a_fork),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
