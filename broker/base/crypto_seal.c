#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "broker/base/crypto.h"
#include "broker/base/crypto_state.h"

enum { NONCE_LEN = 12 };

// Both directions keep their key schedule: a chunk costs no new one.
struct sg_aead {
    EVP_CIPHER_CTX *seal, *open;
};

struct sg_aead *
sg_crypto_aead_new(const uint8_t key[32])
{
    const EVP_CIPHER *cipher = sg_crypto_state()->aes_256_gcm;
    struct sg_aead *aead = calloc(1, sizeof *aead);

    if (aead == NULL)
        return NULL;
    aead->seal = EVP_CIPHER_CTX_new();
    aead->open = EVP_CIPHER_CTX_new();
    if (aead->seal == NULL || aead->open == NULL ||
        EVP_EncryptInit_ex2(aead->seal, cipher, key, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(aead->open, cipher, key, NULL, NULL) != 1)
        sg_crypto_aead_free(&aead);
    return aead;
}

void
sg_crypto_aead_free(struct sg_aead **aead)
{
    if (*aead == NULL)
        return;
    EVP_CIPHER_CTX_free((*aead)->seal); // wipes the key schedule
    EVP_CIPHER_CTX_free((*aead)->open);
    free(*aead);
    *aead = NULL;
}

enum sg_err
sg_crypto_seal(struct sg_aead *aead, const uint8_t nonce[12],
               struct sg_slice aad, struct sg_slice plain, uint8_t *out)
{
    int done = 0;

    if (plain.len > INT32_MAX || aad.len > INT32_MAX)
        return SG_ERR_FULL;
    if (EVP_EncryptInit_ex2(aead->seal, NULL, NULL, nonce, NULL) != 1 ||
        (aad.len > 0 && EVP_EncryptUpdate(aead->seal, NULL, &done, aad.ptr,
                                          (int)aad.len) != 1) ||
        (plain.len > 0 && EVP_EncryptUpdate(aead->seal, out, &done, plain.ptr,
                                            (int)plain.len) != 1) ||
        EVP_EncryptFinal_ex(aead->seal, out + plain.len, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(aead->seal, EVP_CTRL_AEAD_GET_TAG, SG_TAG_LEN,
                            out + plain.len) != 1)
        return SG_ERR_CRYPTO;
    return SG_OK;
}

enum sg_err
sg_crypto_open(struct sg_aead *aead, const uint8_t nonce[12],
               struct sg_slice aad, struct sg_slice sealed, uint8_t *out)
{
    uint8_t tag[SG_TAG_LEN];
    uint8_t rest[SG_TAG_LEN];
    int done = 0;

    if (sealed.len < SG_TAG_LEN)
        return SG_ERR_CORRUPT;
    size_t len = sealed.len - SG_TAG_LEN;
    if (len > INT32_MAX || aad.len > INT32_MAX)
        return SG_ERR_FULL;
    memcpy(tag, sealed.ptr + len, sizeof tag); // out may be sealed.ptr
    if (EVP_DecryptInit_ex2(aead->open, NULL, NULL, nonce, NULL) != 1 ||
        (aad.len > 0 && EVP_DecryptUpdate(aead->open, NULL, &done, aad.ptr,
                                          (int)aad.len) != 1) ||
        (len > 0 && EVP_DecryptUpdate(aead->open, out, &done, sealed.ptr,
                                      (int)len) != 1) ||
        EVP_CIPHER_CTX_ctrl(aead->open, EVP_CTRL_AEAD_SET_TAG, SG_TAG_LEN,
                            tag) != 1)
        return SG_ERR_CRYPTO;
    if (EVP_DecryptFinal_ex(aead->open, rest, &done) != 1) {
        sg_crypto_wipe(out, len); // nobody shall use what is not proven
        return SG_ERR_CORRUPT;
    }
    return SG_OK;
}

enum sg_err
sg_crypto_box(const uint8_t to_public[32], const uint8_t own_secret[32],
              const uint8_t nonce[24], struct sg_slice plain, uint8_t *out)
{
    return crypto_box_easy(out, plain.ptr, plain.len, nonce, to_public,
                           own_secret) == 0
               ? SG_OK
               : SG_ERR_CRYPTO;
}

enum sg_err
sg_crypto_unbox(const uint8_t from_public[32], const uint8_t own_secret[32],
                const uint8_t nonce[24], struct sg_slice box, uint8_t *out)
{
    return crypto_box_open_easy(out, box.ptr, box.len, nonce, from_public,
                                own_secret) == 0
               ? SG_OK
               : SG_ERR_CORRUPT;
}

void
sg_crypto_curve_public(const uint8_t secret[32], uint8_t out[32])
{
    int done = crypto_scalarmult_base(out, secret);

    SG_ASSERT(done == 0);
}
