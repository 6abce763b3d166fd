#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdlib.h>

#include "broker/base/crypto.h"
#include "broker/base/crypto_state.h"

enum { P256_PUBLIC_LEN = 65, P256_DER_MAX = 80 };

struct sg_signer {
    EVP_PKEY *key;
    EVP_MD_CTX *context;
    uint8_t public_key[32];
};

enum sg_err
sg_crypto_signer_new(const uint8_t seed[32], struct sg_signer **signer)
{
    size_t len = sizeof(*signer)->public_key;

    *signer = NULL;
    struct sg_signer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    made->context = EVP_MD_CTX_new();
    if (made->key == NULL || made->context == NULL ||
        EVP_PKEY_get_raw_public_key(made->key, made->public_key, &len) != 1) {
        sg_crypto_signer_free(&made);
        return SG_ERR_CRYPTO;
    }
    *signer = made;
    return SG_OK;
}

void
sg_crypto_signer_free(struct sg_signer **signer)
{
    if (*signer == NULL)
        return;
    EVP_MD_CTX_free((*signer)->context);
    EVP_PKEY_free((*signer)->key); // OpenSSL wipes the private part
    free(*signer);
    *signer = NULL;
}

void
sg_crypto_signer_public(const struct sg_signer *signer, uint8_t out[32])
{
    memcpy(out, signer->public_key, 32);
}

enum sg_err
sg_crypto_sign(struct sg_signer *signer, struct sg_slice message,
               uint8_t sig[64])
{
    static const uint8_t none[1];
    size_t len = SG_SIG_LEN;

    if (EVP_MD_CTX_reset(signer->context) != 1 ||
        EVP_DigestSignInit(signer->context, NULL, NULL, NULL, signer->key) !=
            1 ||
        EVP_DigestSign(signer->context, sig, &len,
                       message.len == 0 ? none : message.ptr,
                       message.len) != 1 ||
        len != SG_SIG_LEN)
        return SG_ERR_CRYPTO;
    return SG_OK;
}

// ---- Ed25519 ---------------------------------------------------------------

// libsodium's verification refuses S >= L, a non-canonical or small-order A and
// a small-order R. It compares R as bytes with the R it computes, so a
// non-canonical R can never fit. That A lies in the main subgroup is asked when
// the key enters the roster, as it costs as much as a verification.
static bool
ed25519_valid(struct sg_slice key)
{
    return key.len == 32 && crypto_core_ed25519_is_valid_point(key.ptr) == 1;
}

static bool
ed25519_verify(struct sg_slice key, struct sg_slice message,
               struct sg_slice sig)
{
    static const uint8_t none[1];

    return sig.len == SG_SIG_LEN && key.len == SG_KEY_LEN &&
           crypto_sign_verify_detached(sig.ptr,
                                       message.len == 0 ? none : message.ptr,
                                       message.len, key.ptr) == 0;
}

// ---- ECDSA P-256 ---------------------------------------------------------------

static EVP_PKEY *
p256_key(struct sg_slice key)
{
    EVP_PKEY *made = NULL;
    char group[] = "P-256";
    union {
        const uint8_t *borrowed;
        uint8_t *as_api;
    } ptr = {key.ptr};

    if (key.len != P256_PUBLIC_LEN || key.ptr[0] != 0x04)
        return NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, ptr.as_api,
                                          key.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        made = NULL;
    EVP_PKEY_CTX_free(context);
    return made;
}

static bool
p256_valid(struct sg_slice key)
{
    EVP_PKEY *made = p256_key(key);
    EVP_PKEY_CTX *context =
        made == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, made, NULL);
    bool valid = context != NULL && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(made);
    return valid;
}

// 0 < r < n and 0 < s <= n/2, big endian; n of FIPS 186-4 D.1.2.3. The lower
// half of s makes the signature the only one for its message and nonce.
static bool
p256_range(const uint8_t *sig)
{
    static const uint8_t order[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    static const uint8_t half[32] = {
        0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
        0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

    return sodium_is_zero(sig, 32) == 0 && memcmp(sig, order, 32) < 0 &&
           sodium_is_zero(sig + 32, 32) == 0 && memcmp(sig + 32, half, 32) <= 0;
}

static size_t
der_integer(const uint8_t *number, uint8_t *out)
{
    size_t skip = 0;

    while (skip < 31 && number[skip] == 0)
        skip++;
    size_t pad = number[skip] >= 0x80 ? 1 : 0;
    out[0] = 0x02;
    out[1] = (uint8_t)(32 - skip + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, number + skip, 32 - skip);
    return 2 + pad + 32 - skip;
}

static bool
p256_verify(struct sg_slice key, struct sg_slice message, struct sg_slice sig)
{
    uint8_t der[P256_DER_MAX];

    if (sig.len != SG_SIG_LEN || !p256_range(sig.ptr))
        return false;
    size_t len = der_integer(sig.ptr, der + 2);
    len += der_integer(sig.ptr + 32, der + 2 + len);
    der[0] = 0x30;
    der[1] = (uint8_t)len;
    EVP_PKEY *made = p256_key(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fits =
        made != NULL && context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, made,
                                NULL) == 1 &&
        EVP_DigestVerify(context, der, len + 2, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(made);
    return fits;
}

// ---- by algorithm ----------------------------------------------------------------

bool
sg_crypto_verify(enum sg_alg alg, struct sg_slice public_key,
                 struct sg_slice message, struct sg_slice sig)
{
    switch (alg) {
    case SG_ALG_ED25519:
        return ed25519_verify(public_key, message, sig);
    case SG_ALG_P256:
        return p256_verify(public_key, message, sig);
    }
    return false; // a number from outside that is no algorithm
}

bool
sg_crypto_key_valid(enum sg_alg alg, struct sg_slice public_key)
{
    switch (alg) {
    case SG_ALG_ED25519:
        return ed25519_valid(public_key);
    case SG_ALG_P256:
        return p256_valid(public_key);
    }
    return false;
}

void
sg_crypto_key_id(enum sg_alg alg, struct sg_slice public_key, uint8_t out[32])
{
    static const char tag[] = "statgate/key/v1"; // its NUL belongs to it
    uint8_t byte = (uint8_t)alg;
    struct sg_slice parts[] = {
        {(const uint8_t *)tag, sizeof tag}, {&byte, 1}, public_key};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}
