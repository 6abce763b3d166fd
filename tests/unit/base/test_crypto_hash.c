// Hashes against the vectors of their standards.
#include "tests/unit/base/fixture.h"

#include <pthread.h>

#include "broker/base/crypto.h"

static const struct {
    const char *text, *digest;
} sha_cases[] = {
    // FIPS 180-4 examples
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static int
start(void **unused)
{
    (void)unused;
    return sg_crypto_start() == SG_OK && sg_crypto_start() == SG_OK ? 0 : -1;
}

static void
sha256_follows_fips_180_4_in_one_piece_in_parts_and_running(void **unused)
{
    struct sg_sha256 *running = sg_crypto_sha256_new();
    uint8_t out[32];
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(sha_cases); i++) {
        struct sg_slice text = sg_slice_text(sha_cases[i].text);
        sg_crypto_sha256(text.ptr, text.len, out);
        assert_hex(out, sha_cases[i].digest);
        struct sg_slice parts[] = {
            sg_slice_of(text.ptr, text.len / 3),
            {NULL, 0},
            sg_slice_of(text.ptr + text.len / 3, text.len - text.len / 3)};
        sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
        assert_hex(out, sha_cases[i].digest);
        sg_crypto_sha256_init(running);
        for (size_t j = 0; j < text.len; j++)
            sg_crypto_sha256_add(running, text.ptr + j, 1);
        sg_crypto_sha256_final(running, out);
        assert_hex(out, sha_cases[i].digest);
    }
    sg_crypto_sha256_free(&running);
    assert_null(running);
}

static void
a_million_letters_hash_as_the_standard_says(void **unused)
{
    struct sg_sha256 *running = sg_crypto_sha256_new();
    char letters[1000];
    uint8_t out[32];
    (void)unused;
    memset(letters, 'a', sizeof letters);
    for (unsigned i = 0; i < 1000; i++)
        sg_crypto_sha256_add(running, letters, sizeof letters);
    sg_crypto_sha256_final(running, out);
    assert_hex(out, "cdc76e5c9914fb9281a1c7e284d73e67"
                    "f1809a48a497200e046d39ccc7112cd0");
    sg_crypto_sha256_free(&running);
}

static void
a_one_shot_hash_does_not_disturb_a_running_one(void **unused)
{
    struct sg_sha256 *running = sg_crypto_sha256_new();
    uint8_t out[32];
    (void)unused;
    sg_crypto_sha256_add(running, "a", 1);
    sg_crypto_sha256("zzz", 3, out);
    sg_crypto_sha256_add(running, "bc", 2);
    sg_crypto_sha256_final(running, out);
    assert_hex(out, sha_cases[1].digest);
    sg_crypto_sha256_free(&running);
}

// Each thread hashes its own text over and over; *text becomes NULL when one
// digest is another than the first.
static void *
hash_much(void *text)
{
    struct sg_slice own = sg_slice_text(*(const char **)text);
    uint8_t first[32], out[32];

    sg_crypto_sha256(own.ptr, own.len, first);
    for (unsigned i = 0; i < 20000; i++) {
        sg_crypto_sha256(own.ptr, own.len, out);
        if (memcmp(out, first, 32) != 0)
            *(const char **)text = NULL;
    }
    sg_crypto_thread_end();
    return NULL;
}

static void
threads_hash_at_the_same_time(void **unused)
{
    const char *text[] = {"one thread", "another thread", "a third"};
    pthread_t threads[3];
    (void)unused;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_much, &text[i]),
                         0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_non_null(text[i]);
    }
}

// RFC 4231
static void
hmac_follows_rfc_4231(void **unused)
{
    uint8_t aa[131], out[32];
    (void)unused;
    memset(aa, 0xaa, sizeof aa);
    sg_crypto_hmac(hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                   SG_SLICE("Hi There"), out);
    assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b"
                    "881dc200c9833da726e9376c2e32cff7");
    sg_crypto_hmac(SG_SLICE("Jefe"), SG_SLICE("what do ya want for nothing?"),
                   out);
    assert_hex(out, "5bdcc146bf60754e6a042426089575c7"
                    "5a003f089d2739839dec58b964ec3843");
    sg_crypto_hmac(sg_slice_of(aa, 131),
                   SG_SLICE("Test Using Larger Than Block-Size Key - "
                            "Hash Key First"),
                   out);
    assert_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f"
                    "8e0bc6213728c5140546040f0ee37f54");
    // no key, no bytes: computed with another implementation
    sg_crypto_hmac(SG_SLICE(""), (struct sg_slice){NULL, 0}, out);
    assert_hex(out, "b613679a0814d9ec772f95d778c35fc5"
                    "ff1697c493715653c6c712144292c5ad");
}

// RFC 5869 A.1 to A.3; the first 32 bytes of each OKM.
static void
hkdf_follows_rfc_5869(void **unused)
{
    uint8_t ikm[80], salt[80], info[80], out[32];
    (void)unused;
    struct sg_slice twenty_two =
        hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    sg_crypto_hkdf(twenty_two, hex("000102030405060708090a0b0c"),
                   hex("f0f1f2f3f4f5f6f7f8f9"), out);
    assert_hex(out, "3cb25f25faacd57a90434f64d0362f2a"
                    "2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    for (uint8_t i = 0; i < 80; i++) {
        ikm[i] = i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    sg_crypto_hkdf(sg_slice_of(ikm, 80), sg_slice_of(salt, 80),
                   sg_slice_of(info, 80), out);
    assert_hex(out, "b11e398dc80327a1c8e7f78c596a4934"
                    "4f012eda2d4efad8a050cc4c19afa97c");
    sg_crypto_hkdf(twenty_two, (struct sg_slice){NULL, 0},
                   (struct sg_slice){NULL, 0}, out);
    assert_hex(out, "8da4e775a563c18f715f802a063c5a31"
                    "b8a11f5c5ee1879ec3454e5f3c738d2d");
}

static void
comparing_and_wiping_reach_every_byte(void **unused)
{
    uint8_t a[40], b[40];
    (void)unused;
    memset(a, 7, sizeof a);
    memset(b, 7, sizeof b);
    assert_true(sg_crypto_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        assert_false(sg_crypto_equal(a, b, sizeof a));
        b[i] ^= 0x80;
    }
    sg_crypto_wipe(a, sizeof a - 1);
    for (size_t i = 0; i < sizeof a - 1; i++)
        assert_int_equal(a[i], 0);
    assert_int_equal(a[39], 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            sha256_follows_fips_180_4_in_one_piece_in_parts_and_running),
        cmocka_unit_test(a_million_letters_hash_as_the_standard_says),
        cmocka_unit_test(a_one_shot_hash_does_not_disturb_a_running_one),
        cmocka_unit_test(threads_hash_at_the_same_time),
        cmocka_unit_test(hmac_follows_rfc_4231),
        cmocka_unit_test(hkdf_follows_rfc_5869),
        cmocka_unit_test(comparing_and_wiping_reach_every_byte),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
