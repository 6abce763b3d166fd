// Batch signatures: the vectors of formats.md (a), S13 and the purposes.
#include "schemas/proof/batch.h"
#include "schemas/proof/commit.h"
#include "schemas/proof/merkle.h"
#include "schemas/proof/secret.h"
#include "schemas/proof/sign.h"
#include "tests/unit/proof/fixture.h"

static const char key_id_hex[] =
    "ea35e7d874b926051a9a23bf05f5fd701fb935af61e035370a7a21f7b4c74848";

// As OpenSSL's command line makes them with the same key; one digit of the
// second signature is wrong in the paper (offset 38, e8 for e1).
static const struct vector {
    unsigned count;
    const char *root, *sig;
} vectors[] = {
    {1, "479d78d84175e1d8d9580a99fb71338c46b99bc14b081d3d877e8147e7cc000f",
     "5153eaeea071e1b6a4728e47e2115aeb729c0406be4ad0f6f38c26ae1bbe481d"
     "89b7baed4c04eeb8a0855f3cb305798f2a3ac99be4325cb5f265bd19a7a00e0c"},
    {3, "cfc0c0e148ae9f848052d0d7745c7387b6dd2dfa852071d187964aeb1c009a2d",
     "46aed6b708619861c08a4369b8293101cde3d71128855cac3503b409659c9e0f"
     "ee5958234aeee198982479dc62db7049ffd67956dfd5356c1a854a5f43cfa708"},
};

static void
leaves_of(uint8_t (*leaves)[32], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "manifest %u", i);
        sg_batch_leaf(sg_slice_text(text), leaves[i]);
    }
}

static void
the_published_roots_and_signatures_come_out(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_signer *signer = new_signer(arena, TEST_SEED);
    struct sg_slice public_key = public_of(arena, signer);

    (void)state;
    assert_memory_equal(public_key.ptr, hex(arena, TEST_PUBLIC).ptr, 32);
    for (size_t i = 0; i < SG_COUNT_OF(vectors); i++) {
        uint8_t leaves[3][32], sig[64], bytes[SG_BATCH_HEAD_LEN];
        struct sg_batch_head head;

        leaves_of(leaves, vectors[i].count);
        assert_int_equal(sg_batch_sign(signer, (const uint8_t(*)[32])leaves,
                                       vectors[i].count, &head, sig),
                         SG_OK);
        assert_memory_equal(head.key_id, hex(arena, key_id_hex).ptr, 32);
        assert_memory_equal(head.root, hex(arena, vectors[i].root).ptr, 32);
        assert_memory_equal(sig, hex(arena, vectors[i].sig).ptr, 64);
        sg_batch_head_encode(&head, bytes);
        assert_int_equal(sg_batch_verify(sg_slice_of(bytes, sizeof bytes),
                                         SG_ALG_ED25519, public_key,
                                         sg_slice_of(sig, 64)),
                         SG_OK);
    }
    sg_crypto_signer_free(&signer);
    sg_arena_free(&arena);
}

static void
heads_out_of_range_are_no_heads(void **state)
{
    static const struct {
        uint8_t alg;
        uint16_t count;
        enum sg_err err;
    } cases[] = {
        {1, 1, SG_OK},
        {2, 256, SG_OK},
        {0, 1, SG_ERR_FORMAT},
        {3, 1, SG_ERR_FORMAT},
        {1, 0, SG_ERR_FORMAT},
        {1, 257, SG_ERR_FORMAT},
        {1, 65535, SG_ERR_FORMAT},
    };
    uint8_t bytes[SG_BATCH_HEAD_LEN + 1] = {0};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_batch_head head = {.alg = cases[i].alg,
                                     .count = cases[i].count};
        sg_batch_head_encode(&head, bytes);
        assert_int_equal(
            sg_batch_head_decode(sg_slice_of(bytes, SG_BATCH_HEAD_LEN), &head),
            cases[i].err);
    }
    struct sg_batch_head head;
    assert_int_equal(
        sg_batch_head_decode(sg_slice_of(bytes, SG_BATCH_HEAD_LEN - 1), &head),
        SG_ERR_FORMAT);
    assert_int_equal(
        sg_batch_head_decode(sg_slice_of(bytes, SG_BATCH_HEAD_LEN + 1), &head),
        SG_ERR_FORMAT);
}

// Batches of all sizes near powers of two: each manifest at its own place only,
// with a path of its own length only.
static void
a_manifest_stands_at_its_place_and_nowhere_else(void **state)
{
    static const unsigned counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65, 256};
    static uint8_t leaves[256][32];
    const uint8_t(*l)[32] = (const uint8_t(*)[32])leaves;

    (void)state;
    assert_int_equal(sg_crypto_start(), SG_OK);
    leaves_of(leaves, 256);
    for (size_t c = 0; c < SG_COUNT_OF(counts); c++) {
        struct sg_batch_head head = {.alg = 1, .count = (uint16_t)counts[c]};
        sg_batch_root(l, counts[c], head.root);
        for (unsigned i = 0; i < counts[c]; i += 1 + counts[c] / 17) {
            struct sg_batch_place place, wrong;
            char text[32];
            (void)snprintf(text, sizeof text, "manifest %u", i);
            struct sg_slice manifest = sg_slice_text(text);

            sg_batch_place(l, counts[c], i, &place);
            assert_true(sg_batch_holds(&head, manifest, &place));
            assert_false(sg_batch_holds(&head, SG_SLICE("manifest"), &place));
            wrong = place;
            wrong.path_len++;
            assert_false(sg_batch_holds(&head, manifest, &wrong));
            wrong.path_len = (uint8_t)(place.path_len - 1);
            assert_false(sg_batch_holds(&head, manifest, &wrong));
            wrong = place;
            wrong.index = (uint16_t)counts[c];
            assert_false(sg_batch_holds(&head, manifest, &wrong));
            wrong.index = (uint16_t)(i ^ 1);
            assert_false(sg_batch_holds(&head, manifest, &wrong));
            if (place.path_len > 0) {
                wrong = place;
                wrong.path[place.path_len - 1][31] ^= 1;
                assert_false(sg_batch_holds(&head, manifest, &wrong));
            }
        }
    }
}

static void
hashes_of_other_trees_are_no_hashes_of_a_batch(void **state)
{
    uint8_t leaves[2][32], row[32], bytes[64];
    struct sg_batch_head head = {.alg = 1, .count = 2};
    struct sg_batch_place place = {.index = 0, .path_len = 1};

    (void)state;
    leaves_of(leaves, 2);
    memcpy(place.path[0], leaves[1], 32);
    // Root of a row tree over the same leaf hashes.
    sg_merkle_node(SG_MERKLE_CONTENT, leaves[0], leaves[1], head.root);
    assert_false(sg_batch_holds(&head, SG_SLICE("manifest 0"), &place));
    // A manifest taken for a leaf of another tree.
    sg_merkle_leaf(SG_MERKLE_LOG, SG_SLICE("manifest 0"), row);
    sg_merkle_node(SG_MERKLE_BATCH, row, leaves[1], head.root);
    assert_false(sg_batch_holds(&head, SG_SLICE("manifest 0"), &place));
    // The two children of an inner node shown as one manifest.
    memcpy(bytes, leaves[0], 32);
    memcpy(bytes + 32, leaves[1], 32);
    head.count = 1;
    sg_merkle_node(SG_MERKLE_BATCH, leaves[0], leaves[1], head.root);
    place = (struct sg_batch_place){0};
    assert_false(sg_batch_holds(&head, sg_slice_of(bytes, 64), &place));
}

static void
the_wire_form_reads_back_and_any_change_is_refused(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_signer *signer = new_signer(arena, TEST_SEED);
    struct sg_slice public_key = public_of(arena, signer), got_sig;
    uint8_t leaves[3][32], sig[64], wire[SG_BATCH_WIRE_MAX + 1];
    struct sg_batch_head head;
    struct sg_batch_place place;
    unsigned refused = 0;

    (void)state;
    leaves_of(leaves, 3);
    assert_int_equal(
        sg_batch_sign(signer, (const uint8_t(*)[32])leaves, 3, &head, sig),
        SG_OK);
    sg_batch_place((const uint8_t(*)[32])leaves, 3, 1, &place);
    struct sg_writer w = sg_writer_on(wire, sizeof wire);
    sg_batch_encode(&head, sg_slice_of(sig, 64), &place, &w);
    assert_int_equal(w.len, 67 + 2 + 64 + 2 + 64);

    for (size_t bit = 0; bit <= w.len * 8; bit++) { // the last one: no change
        if (bit < w.len * 8)
            wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool fine =
            sg_batch_decode(sg_slice_of(wire, w.len), &head, &got_sig,
                            &place) == SG_OK &&
            sg_batch_verify(sg_slice_of(wire, SG_BATCH_HEAD_LEN),
                            SG_ALG_ED25519, public_key, got_sig) == SG_OK &&
            sg_batch_holds(&head, SG_SLICE("manifest 1"), &place);
        assert_int_equal(fine, bit == w.len * 8);
        refused += !fine;
        if (bit < w.len * 8)
            wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused >= 400);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(
            sg_batch_decode(sg_slice_of(wire, len), &head, &got_sig, &place),
            SG_ERR_SHORT);
    assert_int_equal(
        sg_batch_decode(sg_slice_of(wire, w.len + 1), &head, &got_sig, &place),
        SG_ERR_FORMAT);
    sg_crypto_signer_free(&signer);
    sg_arena_free(&arena);
}

static void
a_place_of_the_wrong_shape_is_none(void **state)
{
    struct sg_batch_head head = {.alg = 1, .count = 3};
    uint8_t hash[32] = {0};
    const struct sg_slice path[3] = {{hash, 32}, {hash, 32}, {hash, 32}};
    const struct sg_slice cut[2] = {{hash, 32}, {hash, 31}};
    struct sg_batch_place place;

    (void)state;
    assert_true(sg_batch_place_of(&head, 0, path, 2, &place));
    assert_true(sg_batch_place_of(&head, 2, path, 1, &place));
    assert_false(sg_batch_place_of(&head, 0, path, 1, &place));
    assert_false(sg_batch_place_of(&head, 0, path, 3, &place));
    assert_false(sg_batch_place_of(&head, 2, path, 2, &place));
    assert_false(sg_batch_place_of(&head, 3, path, 1, &place));
    assert_false(sg_batch_place_of(&head, UINT64_MAX, path, 1, &place));
    assert_false(sg_batch_place_of(&head, 0, cut, 2, &place));
}

static void
another_key_or_algorithm_is_another_use(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_signer *signer = new_signer(arena, TEST_SEED);
    struct sg_signer *other = new_signer(
        arena,
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    uint8_t leaves[1][32], sig[64], bytes[SG_BATCH_HEAD_LEN];
    struct sg_batch_head head;

    (void)state;
    leaves_of(leaves, 1);
    assert_int_equal(
        sg_batch_sign(signer, (const uint8_t(*)[32])leaves, 1, &head, sig),
        SG_OK);
    sg_batch_head_encode(&head, bytes);
    struct sg_slice head_bytes = sg_slice_of(bytes, sizeof bytes);
    assert_int_equal(sg_batch_verify(head_bytes, SG_ALG_ED25519,
                                     public_of(arena, other),
                                     sg_slice_of(sig, 64)),
                     SG_ERR_PEER_KEY_USE);
    assert_int_equal(sg_batch_verify(head_bytes, SG_ALG_P256,
                                     public_of(arena, signer),
                                     sg_slice_of(sig, 64)),
                     SG_ERR_PEER_KEY_USE);
    sig[5] ^= 1;
    assert_int_equal(sg_batch_verify(head_bytes, SG_ALG_ED25519,
                                     public_of(arena, signer),
                                     sg_slice_of(sig, 64)),
                     SG_ERR_SIGNATURE);
    assert_int_equal(sg_batch_verify(head_bytes, SG_ALG_ED25519,
                                     public_of(arena, signer),
                                     sg_slice_of(sig, 63)),
                     SG_ERR_SIGNATURE);
    sg_crypto_signer_free(&signer);
    sg_crypto_signer_free(&other);
    sg_arena_free(&arena);
}

// ---- purposes --------------------------------------------------------------

static void
a_signature_for_one_purpose_fits_no_other(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_signer *signer = new_signer(arena, TEST_SEED);
    struct sg_slice public_key = public_of(arena, signer);
    struct sg_slice body = SG_SLICE("the same bytes");

    (void)state;
    for (unsigned i = 0; i < SG_SIGN_COUNT; i++) {
        uint8_t sig[64];
        assert_int_equal(
            sg_sign_make(signer, (enum sg_sign_purpose)i, body, sig), SG_OK);
        for (unsigned j = 0; j < SG_SIGN_COUNT; j++)
            assert_int_equal(sg_sign_verify(SG_ALG_ED25519, public_key,
                                            (enum sg_sign_purpose)j, body,
                                            sg_slice_of(sig, 64)),
                             i == j);
        // Nor is it a signature over the bytes as such (a note).
        assert_false(sg_crypto_verify(SG_ALG_ED25519, public_key, body,
                                      sg_slice_of(sig, 64)));
    }
    sg_crypto_signer_free(&signer);
    sg_arena_free(&arena);
}

static void
the_purposes_are_those_of_the_paper(void **state)
{
    static const char *const words[] = {
        "join",
        "roster",
        "terms",
        "policy",
        "approval",
        "manifest-batch",
        "subscription",
        "consent-agreement",
        "sharing-agreement",
        "consent-event",
        "delivery",
        "derivation",
        "statement",
        "receipt-ack",
        "notice",
        "notice-answer",
        "hop",
        "recall",
        "destruction",
        "caller-proof",
        "bundle",
        "calendar",
        "revocation", // ours: one root key, at once (S05)
        "gap",        // ours: what became of revisions left out (S11)
    };

    (void)state;
    assert_int_equal(SG_COUNT_OF(words), SG_SIGN_COUNT);
    for (unsigned i = 0; i < SG_SIGN_COUNT; i++)
        assert_string_equal(sg_sign_purpose_name((enum sg_sign_purpose)i),
                            words[i]);
}

// Longer than what is joined on the stack.
static void
a_long_body_is_signed_like_a_short_one(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_signer *signer = new_signer(arena, TEST_SEED);
    struct sg_slice public_key = public_of(arena, signer);
    static uint8_t body[100000], joined[sizeof body + 32];
    static const char label[] = "statgate/policy/v1";
    uint8_t sig[64], want[64];

    (void)state;
    memset(body, 'x', sizeof body);
    memcpy(joined, label, sizeof label); // with its NUL
    for (size_t len = 4000; len <= sizeof body; len += 32000) {
        memcpy(joined + sizeof label, body, len);
        assert_int_equal(
            sg_sign_make(signer, SG_SIGN_POLICY, sg_slice_of(body, len), sig),
            SG_OK);
        assert_int_equal(sg_crypto_sign(signer,
                                        sg_slice_of(joined, sizeof label + len),
                                        want),
                         SG_OK);
        assert_memory_equal(sig, want, 64);
        assert_true(sg_sign_verify(SG_ALG_ED25519, public_key, SG_SIGN_POLICY,
                                   sg_slice_of(body, len),
                                   sg_slice_of(sig, 64)));
        assert_false(sg_sign_verify(SG_ALG_ED25519, public_key, SG_SIGN_POLICY,
                                    sg_slice_of(body, len - 1),
                                    sg_slice_of(sig, 64)));
    }
    sg_crypto_signer_free(&signer);
    sg_arena_free(&arena);
}

// ---- commitments and the secret block ----------------------------------------

static void
commitments_are_the_formulas_of_the_paper(void **state)
{
    uint8_t a[32], b[32], got[32], want[32], text[128];

    (void)state;
    memset(a, 0xa1, 32);
    memset(b, 0xb2, 32);
#define CHECK(call, label, salt_len, rest_len)                                 \
    do {                                                                       \
        const size_t at = sizeof label;                                        \
        memcpy(text, label, at);                                               \
        memcpy(text + at, a, salt_len);                                        \
        memcpy(text + at + (salt_len), b, rest_len);                           \
        sg_crypto_sha256(text, at + (salt_len) + (rest_len), want);            \
        call;                                                                  \
        assert_memory_equal(got, want, 32);                                    \
    } while (0)
    CHECK(sg_commit_seed(a, got), "statgate/seed/v1", 16, 0);
    CHECK(sg_commit_file(a, b, got), "statgate/file/v1", 32, 32);
    CHECK(sg_commit_report(a, b, got), "statgate/report/v1", 32, 32);
    CHECK(sg_commit_proof(a, sg_slice_of(b, 20), got), "statgate/proof/v1", 16,
          20);
    CHECK(sg_commit_shared_proof(a, sg_slice_of(b, 20), got),
          "statgate/shared-proof/v1", 16, 20);
    CHECK(sg_commit_plain(a, b, got), "statgate/plain/v1", 32, 32);
    CHECK(sg_commit_key(a, got), "statgate/keycommit/v1", 32, 0);
#undef CHECK
}

static void
a_secret_block_reads_back_and_nothing_else_is_one(void **state)
{
    uint8_t random[96], bytes[SG_SECRET_LEN + 1];
    struct sg_secret secret, again;

    (void)state;
    for (uint8_t i = 0; i < 96; i++)
        random[i] = i;
    sg_secret_from_random(random, &secret);
    sg_secret_encode(&secret, bytes);
    assert_memory_equal(bytes, "SGSB1", 5);
    assert_memory_equal(bytes + 5, random, 96);
    assert_int_equal(
        sg_secret_decode(sg_slice_of(bytes, SG_SECRET_LEN), &again), SG_OK);
    assert_memory_equal(&again, &secret, sizeof secret);
    assert_int_equal(again.seed[0], 0);
    assert_int_equal(again.id[0], 16);
    assert_int_equal(again.file_salt[0], 32);
    assert_int_equal(again.report_salt[0], 64);
    for (size_t len = 0; len < SG_SECRET_LEN; len++)
        assert_int_equal(sg_secret_decode(sg_slice_of(bytes, len), &again),
                         SG_ERR_SECRET);
    assert_int_equal(
        sg_secret_decode(sg_slice_of(bytes, SG_SECRET_LEN + 1), &again),
        SG_ERR_SECRET);
    bytes[4] = '2';
    assert_int_equal(
        sg_secret_decode(sg_slice_of(bytes, SG_SECRET_LEN), &again),
        SG_ERR_SECRET);
    sg_secret_wipe(&secret);
    for (size_t i = 0; i < sizeof secret.seed; i++)
        assert_int_equal(secret.seed[i], 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_roots_and_signatures_come_out),
        cmocka_unit_test(heads_out_of_range_are_no_heads),
        cmocka_unit_test(a_manifest_stands_at_its_place_and_nowhere_else),
        cmocka_unit_test(hashes_of_other_trees_are_no_hashes_of_a_batch),
        cmocka_unit_test(the_wire_form_reads_back_and_any_change_is_refused),
        cmocka_unit_test(a_place_of_the_wrong_shape_is_none),
        cmocka_unit_test(another_key_or_algorithm_is_another_use),
        cmocka_unit_test(a_signature_for_one_purpose_fits_no_other),
        cmocka_unit_test(the_purposes_are_those_of_the_paper),
        cmocka_unit_test(a_long_body_is_signed_like_a_short_one),
        cmocka_unit_test(commitments_are_the_formulas_of_the_paper),
        cmocka_unit_test(a_secret_block_reads_back_and_nothing_else_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
