#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <sodium.h>
#include <stdlib.h>

#include "broker/base/crypto.h"
#include "broker/base/crypto_state.h"

// The one piece of process-wide state: fetched algorithms, constant after the
// start. An implicit fetch at each call would cost three times the hash.
static struct sg_crypto_state state;

// Two contexts a thread for the one-shot calls, which make the content root: a
// fresh one and the one that works. Copying is the cheapest start of a hash
// that EVP has, a tenth below initialising the same context again.
static _Thread_local EVP_MD_CTX *thread_fresh, *thread_hash;

enum sg_err
sg_crypto_start(void)
{
    if (state.hkdf != NULL)
        return SG_OK;
    if (sodium_init() < 0)
        return SG_ERR_CRYPTO;
    state.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    state.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    state.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    state.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (state.sha256 == NULL || state.aes_256_gcm == NULL ||
        state.hmac == NULL || state.hkdf == NULL)
        return SG_ERR_CRYPTO;
    return SG_OK;
}

const struct sg_crypto_state *
sg_crypto_state(void)
{
    SG_ASSERT(state.hkdf != NULL);
    return &state;
}

// Hashing known-good memory with a fetched algorithm fails only when the
// library is broken: nothing that is signed or checked may go on then.
static void
must(int result)
{
    SG_ASSERT(result == 1);
}

static EVP_MD_CTX *
begin(void)
{
    if (thread_hash == NULL) {
        thread_fresh = EVP_MD_CTX_new();
        thread_hash = EVP_MD_CTX_new();
        SG_ASSERT(thread_fresh != NULL && thread_hash != NULL);
        must(EVP_DigestInit_ex2(thread_fresh, sg_crypto_state()->sha256, NULL));
    }
    must(EVP_MD_CTX_copy_ex(thread_hash, thread_fresh));
    return thread_hash;
}

void
sg_crypto_thread_end(void)
{
    EVP_MD_CTX_free(thread_hash);
    EVP_MD_CTX_free(thread_fresh);
    thread_hash = thread_fresh = NULL;
}

void
sg_crypto_sha256(const void *bytes, size_t len, uint8_t out[32])
{
    EVP_MD_CTX *hash = begin();

    must(EVP_DigestUpdate(hash, bytes, len));
    must(EVP_DigestFinal_ex(hash, out, NULL));
}

void
sg_crypto_sha256v(const struct sg_slice *parts, size_t count, uint8_t out[32])
{
    EVP_MD_CTX *hash = begin();

    for (size_t i = 0; i < count; i++)
        must(EVP_DigestUpdate(hash, parts[i].ptr, parts[i].len));
    must(EVP_DigestFinal_ex(hash, out, NULL));
}

struct sg_sha256 {
    EVP_MD_CTX *context;
};

struct sg_sha256 *
sg_crypto_sha256_new(void)
{
    struct sg_sha256 *hash = calloc(1, sizeof *hash);

    if (hash == NULL)
        return NULL;
    hash->context = EVP_MD_CTX_new();
    if (hash->context == NULL) {
        free(hash);
        return NULL;
    }
    must(EVP_DigestInit_ex2(hash->context, sg_crypto_state()->sha256, NULL));
    return hash;
}

void
sg_crypto_sha256_free(struct sg_sha256 **hash)
{
    if (*hash == NULL)
        return;
    EVP_MD_CTX_free((*hash)->context);
    free(*hash);
    *hash = NULL;
}

void
sg_crypto_sha256_init(struct sg_sha256 *hash)
{
    must(EVP_DigestInit_ex2(hash->context, NULL, NULL));
}

void
sg_crypto_sha256_add(struct sg_sha256 *hash, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(hash->context, bytes, len));
}

void
sg_crypto_sha256_final(struct sg_sha256 *hash, uint8_t out[32])
{
    must(EVP_DigestFinal_ex(hash->context, out, NULL));
}

void
sg_crypto_hmac(struct sg_slice key, struct sg_slice bytes, uint8_t out[32])
{
    static const uint8_t none[1];
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t len = 0;

    EVP_MAC_CTX *context = EVP_MAC_CTX_new(sg_crypto_state()->hmac);
    SG_ASSERT(context != NULL);
    must(EVP_MAC_init(context, key.len == 0 ? none : key.ptr, key.len,
                      parameters));
    must(EVP_MAC_update(context, bytes.ptr, bytes.len));
    must(EVP_MAC_final(context, out, &len, SG_HASH_LEN));
    EVP_MAC_CTX_free(context);
}

static OSSL_PARAM
octets(const char *name, struct sg_slice bytes)
{
    static uint8_t none[1];
    union {
        const uint8_t *borrowed;
        uint8_t *as_api; // OSSL_PARAM takes inputs through a pointer to plain
    } ptr = {bytes.ptr};

    return OSSL_PARAM_construct_octet_string(
        name, bytes.len == 0 ? none : ptr.as_api, bytes.len);
}

void
sg_crypto_hkdf(struct sg_slice ikm, struct sg_slice salt, struct sg_slice info,
               uint8_t out[32])
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, ikm),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };

    EVP_KDF_CTX *context = EVP_KDF_CTX_new(sg_crypto_state()->hkdf);
    SG_ASSERT(context != NULL);
    must(EVP_KDF_derive(context, out, SG_HASH_LEN, parameters));
    EVP_KDF_CTX_free(context);
}

bool
sg_crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void
sg_crypto_wipe(void *bytes, size_t len)
{
    OPENSSL_cleanse(bytes, len);
}
