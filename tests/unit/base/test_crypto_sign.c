// Signatures: the vectors of the standards, and the strict rule of Ed25519.
#include "tests/unit/base/fixture.h"

#include <sodium.h>

#include "broker/base/crypto.h"

static int
start(void **unused)
{
    (void)unused;
    return sg_crypto_start() == SG_OK ? 0 : -1;
}

// RFC 8032 7.1: TEST 1, TEST 2, TEST 3
static const struct {
    const char *seed, *public_key, *message, *sig;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void
ed25519_follows_rfc_8032(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rfc8032); i++) {
        struct sg_slice message = hex(rfc8032[i].message);
        struct sg_signer *signer;
        uint8_t key[32], sig[64];
        assert_int_equal(
            sg_crypto_signer_new(hex(rfc8032[i].seed).ptr, &signer), SG_OK);
        sg_crypto_signer_public(signer, key);
        assert_hex(key, rfc8032[i].public_key);
        for (int again = 0; again < 2; again++) {
            memset(sig, 0, sizeof sig);
            assert_int_equal(sg_crypto_sign(signer, message, sig), SG_OK);
            assert_hex(sig, rfc8032[i].sig);
        }
        assert_true(sg_crypto_key_valid(SG_ALG_ED25519, sg_slice_of(key, 32)));
        assert_true(sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(key, 32),
                                     message, sg_slice_of(sig, 64)));
        sg_crypto_signer_free(&signer);
        assert_null(signer);
    }
}

static void
each_changed_bit_breaks_an_ed25519_signature(void **unused)
{
    uint8_t key[32], sig[64], message[2];
    (void)unused;
    memcpy(key, hex(rfc8032[2].public_key).ptr, 32);
    memcpy(sig, hex(rfc8032[2].sig).ptr, 64);
    memcpy(message, hex(rfc8032[2].message).ptr, 2);
    const struct {
        uint8_t *bytes;
        size_t len;
    } parts[] = {{key, 32}, {sig, 64}, {message, 2}};
    for (size_t i = 0; i < SG_COUNT_OF(parts); i++) {
        for (size_t bit = 0; bit < parts[i].len * 8; bit++) {
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(key, 32),
                                          sg_slice_of(message, 2),
                                          sg_slice_of(sig, 64)));
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_true(sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(key, 32),
                                 sg_slice_of(message, 2),
                                 sg_slice_of(sig, 64)));
}

static void
wrong_lengths_and_unknown_algorithms_are_false(void **unused)
{
    struct sg_slice key = hex(rfc8032[1].public_key);
    struct sg_slice message = hex(rfc8032[1].message);
    struct sg_slice sig = hex(rfc8032[1].sig);
    (void)unused;
    for (size_t len = 0; len < 64; len++)
        assert_false(sg_crypto_verify(SG_ALG_ED25519, key, message,
                                      sg_slice_of(sig.ptr, len)));
    assert_false(sg_crypto_verify(SG_ALG_ED25519, key, message,
                                  sg_slice_of(sig.ptr, 65)));
    for (size_t len = 0; len < 32; len++) {
        assert_false(sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(key.ptr, len),
                                      message, sig));
        assert_false(
            sg_crypto_key_valid(SG_ALG_ED25519, sg_slice_of(key.ptr, len)));
    }
    for (int alg = 0; alg < 256; alg++) {
        if (alg == SG_ALG_ED25519)
            continue;
        assert_false(sg_crypto_verify((enum sg_alg)alg, key, message, sig));
        assert_false(sg_crypto_key_valid((enum sg_alg)alg, key));
    }
}

// Every encoding of the eight points of small order: the canonical ones, and
// those with y + p, or with the sign of an x that is zero ("Taming the many
// EdDSAs", table 1; all in the list of S04).
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    // not canonical
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void
no_point_of_small_order_is_a_key(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(small_order); i++)
        assert_false(sg_crypto_key_valid(SG_ALG_ED25519, hex(small_order[i])));
}

// Under the identity as key, R = identity and S = 0 fit every message; with a
// key of order 2, 4 or 8 they fit every second, fourth or eighth.
static void
a_small_order_key_or_r_signs_nothing(void **unused)
{
    uint8_t sig[64] = {0};
    (void)unused;
    for (size_t a = 0; a < SG_COUNT_OF(small_order); a++) {
        for (size_t r = 0; r < SG_COUNT_OF(small_order); r++) {
            memcpy(sig, hex(small_order[r]).ptr, 32);
            for (uint8_t m = 0; m < 16; m++)
                assert_false(
                    sg_crypto_verify(SG_ALG_ED25519, hex(small_order[a]),
                                     sg_slice_of(&m, 1), sg_slice_of(sig, 64)));
        }
    }
}

// A signer who knows his secret scalar and bends what he sends. A = a B + i T,
// R = r B + j T with T of order 8, S = r + k a for k = H(R, A, message): the
// equation with cofactor always holds, the one without only if k i + j = 0
// mod 8.
struct bent {
    uint8_t public_key[32], sig[64];
    unsigned k_mod_8;
};

static void
add_torsion(uint8_t point[32], unsigned times)
{
    uint8_t t[32];

    memcpy(t, hex(small_order[6]).ptr, 32);
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(crypto_core_ed25519_add(point, point, t), 0);
}

static void
challenge(const struct bent *bent, struct sg_slice message, uint8_t k[32])
{
    crypto_hash_sha512_state hash;
    uint8_t wide[64];

    crypto_hash_sha512_init(&hash);
    crypto_hash_sha512_update(&hash, bent->sig, 32);
    crypto_hash_sha512_update(&hash, bent->public_key, 32);
    crypto_hash_sha512_update(&hash, message.ptr, message.len);
    crypto_hash_sha512_final(&hash, wide);
    crypto_core_ed25519_scalar_reduce(k, wide);
}

// a or r NULL: zero, so that only torsion is left of the point.
static struct bent
bend(const uint8_t *a, unsigned i, const uint8_t *r, unsigned j,
     struct sg_slice message)
{
    static const uint8_t zero[32];
    struct bent bent;
    uint8_t k[32], product[32];

    memcpy(bent.public_key, hex(small_order[0]).ptr, 32);
    memcpy(bent.sig, hex(small_order[0]).ptr, 32);
    if (a != NULL)
        assert_int_equal(
            crypto_scalarmult_ed25519_base_noclamp(bent.public_key, a), 0);
    if (r != NULL)
        assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(bent.sig, r),
                         0);
    add_torsion(bent.public_key, i);
    add_torsion(bent.sig, j);
    challenge(&bent, message, k);
    crypto_core_ed25519_scalar_mul(product, k, a == NULL ? zero : a);
    crypto_core_ed25519_scalar_add(bent.sig + 32, product,
                                   r == NULL ? zero : r);
    bent.k_mod_8 = k[0] % 8;
    return bent;
}

static bool
accepted(const struct bent *bent, struct sg_slice message)
{
    return sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(bent->public_key, 32),
                            message, sg_slice_of(bent->sig, 64));
}

// The cases of the paper that mix orders. Without torsion all is well; a point
// that is only torsion never counts; a mixed one counts only when the equation
// holds without the cofactor - and no such key gets into a roster.
static void
only_the_equation_without_cofactor_counts(void **unused)
{
    static const uint8_t a[32] = {11, 22, 33}, r[32] = {44, 55, 66};
    unsigned cofactorless = 0;
    (void)unused;
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned j = 0; j < 8; j++) {
            for (uint8_t m = 0; m < 16; m++) {
                struct sg_slice message = sg_slice_of(&m, 1);
                struct bent bent = bend(a, i, r, j, message);
                bool holds = (bent.k_mod_8 * i + j) % 8 == 0;
                cofactorless += holds && i > 0;
                assert_int_equal(accepted(&bent, message), holds);
                assert_int_equal(
                    sg_crypto_key_valid(SG_ALG_ED25519,
                                        sg_slice_of(bent.public_key, 32)),
                    i == 0);
                bent = bend(NULL, i, r, j, message); // small A
                assert_false(accepted(&bent, message));
                bent = bend(a, i, NULL, j, message); // small R
                assert_false(accepted(&bent, message));
            }
        }
    }
    assert_true(cofactorless > 0); // such a case was among them
}

// S + L, S + 2 L, ... fit the equation as well as S: other bytes, same
// signature.
static void
s_has_one_form(void **unused)
{
    static const char order[] =
        "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    struct sg_slice key = hex(rfc8032[1].public_key);
    struct sg_slice message = hex(rfc8032[1].message);
    uint8_t sig[64];
    (void)unused;
    memcpy(sig, hex(rfc8032[1].sig).ptr, 64);
    for (unsigned times = 0; times < 15; times++) {
        assert_int_equal(sg_crypto_verify(SG_ALG_ED25519, key, message,
                                          sg_slice_of(sig, 64)),
                         times == 0);
        sodium_add(sig + 32, hex(order).ptr, 32);
    }
}

// RFC 6979 A.2.5, P-256 with SHA-256: the signature of "test" has a low s,
// that of "sample" a high one, whose twin n - s is the only one that counts.
static const char p256_key[] =
    "04"
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char p256_test[] =
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";
static const char p256_sample_r[] =
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";

static bool
p256(const char *key, const char *message, const char *r, const char *s)
{
    char sig[257];

    (void)snprintf(sig, sizeof sig, "%s%s", r, s);
    return sg_crypto_verify(SG_ALG_P256, hex(key), sg_slice_text(message),
                            hex(sig));
}

static void
p256_follows_rfc_6979_with_a_low_s(void **unused)
{
    (void)unused;
    assert_true(sg_crypto_key_valid(SG_ALG_P256, hex(p256_key)));
    assert_true(p256(p256_key, "test", p256_test, ""));
    assert_false(p256(p256_key, "tesT", p256_test, ""));
    assert_false(p256(p256_key, "", p256_test, ""));
    assert_false(p256(p256_key, "test", "", p256_test + 2)); // 63 bytes
    // the other one of s and n - s
    assert_false(p256(
        p256_key, "sample", p256_sample_r,
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"));
    assert_true(p256(
        p256_key, "sample", p256_sample_r,
        "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"));
    assert_false(p256(
        p256_key, "sample", p256_sample_r,
        "0000000000000000000000000000000000000000000000000000000000000000"));
    assert_false(p256(
        p256_key, "sample",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"));
}

static void
a_p256_key_is_an_uncompressed_point_of_the_curve(void **unused)
{
    uint8_t key[65];
    (void)unused;
    memcpy(key, hex(p256_key).ptr, 65);
    key[64] ^= 1; // not on the curve
    assert_false(sg_crypto_key_valid(SG_ALG_P256, sg_slice_of(key, 65)));
    key[64] ^= 1;
    assert_false(sg_crypto_key_valid(SG_ALG_P256, sg_slice_of(key, 64)));
    for (int form = 0; form < 256; form++) {
        key[0] = (uint8_t)form;
        assert_int_equal(sg_crypto_key_valid(SG_ALG_P256, sg_slice_of(key, 65)),
                         form == 4);
    }
    key[0] = 2; // compressed
    assert_false(sg_crypto_key_valid(SG_ALG_P256, sg_slice_of(key, 33)));
    key[0] = 0; // the point at infinity
    assert_false(sg_crypto_key_valid(SG_ALG_P256, sg_slice_of(key, 1)));
}

// formats.md (a)
static void
the_id_of_a_key_follows_formats_md(void **unused)
{
    uint8_t id[32];
    (void)unused;
    sg_crypto_key_id(SG_ALG_ED25519, hex(rfc8032[0].public_key), id);
    assert_hex(
        id, "ea35e7d874b926051a9a23bf05f5fd701fb935af61e035370a7a21f7b4c74848");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_follows_rfc_8032),
        cmocka_unit_test(each_changed_bit_breaks_an_ed25519_signature),
        cmocka_unit_test(wrong_lengths_and_unknown_algorithms_are_false),
        cmocka_unit_test(no_point_of_small_order_is_a_key),
        cmocka_unit_test(a_small_order_key_or_r_signs_nothing),
        cmocka_unit_test(only_the_equation_without_cofactor_counts),
        cmocka_unit_test(s_has_one_form),
        cmocka_unit_test(p256_follows_rfc_6979_with_a_low_s),
        cmocka_unit_test(a_p256_key_is_an_uncompressed_point_of_the_curve),
        cmocka_unit_test(the_id_of_a_key_follows_formats_md),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
