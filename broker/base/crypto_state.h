// crypto_state - the fetched algorithms that crypto_*.c share; nobody else.
#pragma once

#include <openssl/evp.h>

struct sg_crypto_state {
    EVP_MD *sha256;
    EVP_CIPHER *aes_256_gcm;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
};

// After sg_crypto_start; asserts that it was called.
const struct sg_crypto_state *sg_crypto_state(void);
