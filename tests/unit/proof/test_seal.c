// Payload encryption: subkeys, chunks at their place, rows, key frames, and the
// one ciphertext that opens under two keys.
#include "schemas/proof/commit.h"
#include "schemas/proof/seal.h"
#include "tests/unit/proof/fixture.h"

static void
fill(uint8_t *out, size_t len, uint8_t from)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(from + i);
}

static void
a_subkey_is_hkdf_over_attempt_and_purpose(void **state)
{
    static const char *const names[] = {"spool",  "leaves",  "facts",
                                        "report", "variant", "secret"};
    uint8_t key[32], attempt[16], got[32], want[32], seen[6][32];

    (void)state;
    assert_int_equal(sg_crypto_start(), SG_OK);
    fill(key, 32, 1);
    fill(attempt, 16, 100);
    for (unsigned i = 0; i < 6; i++) {
        const enum sg_seal_purpose purpose = (enum sg_seal_purpose)(i + 1);
        char info[64] = "statgate/payload/v1";
        const size_t at = strlen(info) + 1;

        assert_string_equal(sg_seal_purpose_name(purpose), names[i]);
        memcpy(info + at, names[i], strlen(names[i]));
        sg_crypto_hkdf(sg_slice_of(key, 32), sg_slice_of(attempt, 16),
                       sg_slice_of(info, at + strlen(names[i])), want);
        sg_seal_subkey(key, attempt, purpose, got);
        assert_memory_equal(got, want, 32);
        memcpy(seen[i], got, 32);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(seen[j], got, 32);
    }
    attempt[0] ^= 1;
    sg_seal_subkey(key, attempt, SG_SEAL_SECRET, got);
    assert_memory_not_equal(got, seen[5], 32);
}

static void
a_chunk_is_gcm_with_its_number_as_nonce_and_its_place_as_aad(void **state)
{
    uint8_t key[32], manifest[32], attempt[16], subkey[32], got[64], want[64];
    uint8_t nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2};
    uint8_t aad[5 + 32 + 16 + 9] = "SGCH1";
    struct sg_slice plain = SG_SLICE("REF_AREA,OBS_VALUE\nKE,1\n");
    struct sg_seal seal;

    (void)state;
    fill(key, 32, 1);
    fill(manifest, 32, 50);
    fill(attempt, 16, 100);
    assert_int_equal(
        sg_seal_begin(&seal, key, manifest, attempt, SG_SEAL_SPOOL), SG_OK);
    assert_int_equal(sg_seal_chunk(&seal, 0x102, true, plain, got), SG_OK);

    sg_seal_subkey(key, attempt, SG_SEAL_SPOOL, subkey);
    struct sg_aead *aead = sg_crypto_aead_new(subkey);
    assert_non_null(aead);
    memcpy(aad + 5, manifest, 32);
    memcpy(aad + 37, attempt, 16);
    sg_bytes_store_u64(aad + 53, 0x102);
    aad[61] = 1;
    assert_int_equal(
        sg_crypto_seal(aead, nonce, sg_slice_of(aad, sizeof aad), plain, want),
        SG_OK);
    assert_memory_equal(got, want, plain.len + SG_TAG_LEN);
    sg_crypto_aead_free(&aead);
    sg_seal_end(&seal);
}

// S32: number, last flag, attempt, release, purpose, key, and every bit.
static void
a_chunk_opens_at_its_own_place_only(void **state)
{
    uint8_t key[32], manifest[32], attempt[16], sealed[64], out[64];
    struct sg_slice plain = SG_SLICE("one chunk of a release");
    struct sg_slice bytes = sg_slice_of(sealed, plain.len + SG_TAG_LEN);
    struct sg_seal seal, other;

    (void)state;
    fill(key, 32, 1);
    fill(manifest, 32, 50);
    fill(attempt, 16, 100);
    assert_int_equal(
        sg_seal_begin(&seal, key, manifest, attempt, SG_SEAL_VARIANT), SG_OK);
    assert_int_equal(sg_seal_chunk(&seal, 7, false, plain, sealed), SG_OK);
    assert_int_equal(sg_seal_open(&seal, 7, false, bytes, out), SG_OK);
    assert_memory_equal(out, plain.ptr, plain.len);

    assert_int_equal(sg_seal_open(&seal, 8, false, bytes, out), SG_ERR_CORRUPT);
    assert_int_equal(sg_seal_open(&seal, 7, true, bytes, out), SG_ERR_CORRUPT);
    for (unsigned i = 0; i < 4; i++) {
        key[0] ^= i == 0;
        manifest[31] ^= i == 1;
        attempt[3] ^= i == 2;
        assert_int_equal(
            sg_seal_begin(&other, key, manifest, attempt,
                          i == 3 ? SG_SEAL_SPOOL : SG_SEAL_VARIANT),
            SG_OK);
        assert_int_equal(sg_seal_open(&other, 7, false, bytes, out),
                         SG_ERR_CORRUPT);
        sg_seal_end(&other);
        key[0] ^= i == 0;
        manifest[31] ^= i == 1;
        attempt[3] ^= i == 2;
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sg_seal_open(&seal, 7, false, bytes, out),
                         SG_ERR_CORRUPT);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(
        sg_seal_open(&seal, 7, false, sg_slice_of(sealed, 15), out),
        SG_ERR_SHORT);
    sg_seal_end(&seal);
}

static void
chunk_leaves_bind_number_and_last_flag(void **state)
{
    uint8_t text[64] = {0x30}, got[32], want[32];
    struct sg_slice sealed = SG_SLICE("ciphertext with its tag");

    (void)state;
    sg_bytes_store_u64(text + 1, 5);
    text[9] = 1;
    memcpy(text + 10, sealed.ptr, sealed.len);
    sg_crypto_sha256(text, 10 + sealed.len, want);
    sg_seal_chunk_leaf(5, true, sealed, got);
    assert_memory_equal(got, want, 32);
    sg_seal_chunk_leaf(5, false, sealed, got);
    assert_memory_not_equal(got, want, 32);
    sg_seal_chunk_leaf(6, true, sealed, got);
    assert_memory_not_equal(got, want, 32);
}

// ---- S33: GCM does not commit to its key ----------------------------------------

// Multiplication in GF(2^128) as NIST SP 800-38D 6.3 defines it.
static void
gf_multiply(const uint8_t x[16], const uint8_t y[16], uint8_t out[16])
{
    uint8_t z[16] = {0}, v[16];

    memcpy(v, y, 16);
    for (unsigned i = 0; i < 128; i++) {
        if ((x[i / 8] >> (7 - i % 8) & 1) != 0)
            for (unsigned j = 0; j < 16; j++)
                z[j] ^= v[j];
        const bool odd = (v[15] & 1) != 0;
        for (unsigned j = 15; j > 0; j--)
            v[j] = (uint8_t)(v[j] >> 1 | v[j - 1] << 7);
        v[0] >>= 1;
        if (odd)
            v[0] ^= 0xe1;
    }
    memcpy(out, z, 16);
}

// x^(2^128 - 2)
static void
gf_invert(const uint8_t x[16], uint8_t out[16])
{
    uint8_t power[16], result[16];

    memcpy(power, x, 16);
    gf_multiply(power, power, power); // x^2
    memcpy(result, power, 16);
    for (unsigned i = 2; i < 128; i++) {
        gf_multiply(power, power, power);
        gf_multiply(result, power, result);
    }
    memcpy(out, result, 16);
}

// What GCM under a key does at a place with one nonce, learnt through its door:
// the key stream, and the tag as a function of ciphertext.
struct gcm_view {
    struct sg_seal seal;
    uint8_t stream[32]; // two blocks
    uint8_t h[16];      // hash key
};

static void
tag_of(struct gcm_view *view, const uint8_t cipher[32], uint8_t tag[16])
{
    uint8_t plain[32], sealed[48];

    for (unsigned i = 0; i < 32; i++)
        plain[i] = cipher[i] ^ view->stream[i];
    assert_int_equal(
        sg_seal_chunk(&view->seal, 0, true, sg_slice_of(plain, 32), sealed),
        SG_OK);
    assert_memory_equal(sealed, cipher, 32);
    memcpy(tag, sealed + 32, 16);
}

static void
view_of(struct gcm_view *view, const uint8_t key[32],
        const uint8_t manifest[32], const uint8_t attempt[16])
{
    const uint8_t zeros[32] = {0};
    uint8_t sealed[48], cipher[32] = {0}, t0[16], t1[16], square[16];

    assert_int_equal(
        sg_seal_begin(&view->seal, key, manifest, attempt, SG_SEAL_VARIANT),
        SG_OK);
    assert_int_equal(
        sg_seal_chunk(&view->seal, 0, true, sg_slice_of(zeros, 32), sealed),
        SG_OK);
    memcpy(view->stream, sealed, 32);
    // The second block counts with H^2: tag(1 there) - tag(0) = H^2, and the
    // square root is the 127-fold square.
    tag_of(view, cipher, t0);
    cipher[16] = 0x80;
    tag_of(view, cipher, t1);
    for (unsigned i = 0; i < 16; i++)
        square[i] = t0[i] ^ t1[i];
    memcpy(view->h, square, 16);
    for (unsigned i = 0; i < 127; i++)
        gf_multiply(view->h, view->h, view->h);
}

static void
one_ciphertext_for_two_keys_is_refused_by_its_key_commitment(void **state)
{
    uint8_t key[2][32], manifest[32], attempt[16], commit[2][32];
    uint8_t cipher[48], tag[2][16], out[2][32];
    struct gcm_view view[2];

    (void)state;
    fill(manifest, 32, 50);
    fill(attempt, 16, 100);
    for (uint8_t i = 0; i < 2; i++) {
        fill(key[i], 32, (uint8_t)(1 + 90 * i));
        view_of(&view[i], key[i], manifest, attempt);
    }
    // Any first block; the second so that both tags agree: the difference of
    // the tags is linear in it with the factor H1^2 + H2^2.
    uint8_t sum[16], inverse[16], difference[16], h2[2][16];
    memset(cipher, 0x42, 16);
    memset(cipher + 16, 0, 16);
    for (unsigned i = 0; i < 2; i++) {
        gf_multiply(view[i].h, view[i].h, h2[i]);
        tag_of(&view[i], cipher, tag[i]);
    }
    for (unsigned i = 0; i < 16; i++) {
        sum[i] = h2[0][i] ^ h2[1][i];
        difference[i] = tag[0][i] ^ tag[1][i];
    }
    gf_invert(sum, inverse);
    gf_multiply(difference, inverse, cipher + 16);
    tag_of(&view[0], cipher, cipher + 32);

    // The salamander: one ciphertext, two keys, two texts. GCM takes both.
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(sg_seal_open(&view[i].seal, 0, true,
                                      sg_slice_of(cipher, 48), out[i]),
                         SG_OK);
    assert_memory_not_equal(out[0], out[1], 32);
    // The statement commits to one key; the other does not fit it.
    for (unsigned i = 0; i < 2; i++)
        sg_commit_key(key[i], commit[i]);
    assert_memory_not_equal(commit[0], commit[1], 32);
    for (unsigned i = 0; i < 2; i++)
        sg_seal_end(&view[i].seal);
}

// ---- rows and frames ---------------------------------------------------------

static void
a_wrapped_key_opens_in_its_own_row_and_table_only(void **state)
{
    uint8_t wrap_key[32], key[32], got[32], bytes[SG_SEAL_ROW_LEN];
    struct sg_seal_row row, again;

    (void)state;
    fill(wrap_key, 32, 9);
    fill(key, 32, 200);
    fill(row.manifest_sha256, 32, 50);
    memset(row.variant, 0, 16);
    fill(row.nonce, 12, 70);
    struct sg_aead *wrap = sg_crypto_aead_new(wrap_key);
    assert_non_null(wrap);
    assert_int_equal(sg_seal_wrap(wrap, 3, key, &row), SG_OK);
    sg_seal_row_encode(&row, bytes);
    sg_seal_row_decode(bytes, &again);
    assert_memory_equal(&again, &row, sizeof row);
    assert_int_equal(sg_seal_unwrap(wrap, 3, &again, got), SG_OK);
    assert_memory_equal(got, key, 32);
    assert_int_equal(sg_seal_unwrap(wrap, 4, &again, got), SG_ERR_CORRUPT);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        sg_seal_row_decode(bytes, &again);
        assert_int_equal(sg_seal_unwrap(wrap, 3, &again, got), SG_ERR_CORRUPT);
        bytes[i] ^= 1;
    }
    sg_crypto_aead_free(&wrap);
}

static void
a_key_frame_reads_back_and_nothing_else_is_one(void **state)
{
    struct sg_seal_key_frame frame = {.released = 0x0102030405060708}, again;
    uint8_t bytes[SG_SEAL_KEY_FRAME_LEN + 1];

    (void)state;
    fill(frame.delivery_id, 16, 1);
    fill(frame.key, 32, 100);
    sg_seal_key_frame_encode(&frame, bytes);
    assert_memory_equal(bytes, "SGKEY1", 6);
    assert_int_equal(bytes[22], 1);
    assert_int_equal(bytes[29], 8);
    assert_int_equal(sg_seal_key_frame_decode(
                         sg_slice_of(bytes, SG_SEAL_KEY_FRAME_LEN), &again),
                     SG_OK);
    assert_memory_equal(&again, &frame, sizeof frame);
    for (size_t len = 0; len < SG_SEAL_KEY_FRAME_LEN; len++)
        assert_int_equal(
            sg_seal_key_frame_decode(sg_slice_of(bytes, len), &again),
            SG_ERR_FORMAT);
    assert_int_equal(sg_seal_key_frame_decode(
                         sg_slice_of(bytes, SG_SEAL_KEY_FRAME_LEN + 1), &again),
                     SG_ERR_FORMAT);
    bytes[5] = '2';
    assert_int_equal(sg_seal_key_frame_decode(
                         sg_slice_of(bytes, SG_SEAL_KEY_FRAME_LEN), &again),
                     SG_ERR_FORMAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subkey_is_hkdf_over_attempt_and_purpose),
        cmocka_unit_test(
            a_chunk_is_gcm_with_its_number_as_nonce_and_its_place_as_aad),
        cmocka_unit_test(a_chunk_opens_at_its_own_place_only),
        cmocka_unit_test(chunk_leaves_bind_number_and_last_flag),
        cmocka_unit_test(
            one_ciphertext_for_two_keys_is_refused_by_its_key_commitment),
        cmocka_unit_test(a_wrapped_key_opens_in_its_own_row_and_table_only),
        cmocka_unit_test(a_key_frame_reads_back_and_nothing_else_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
