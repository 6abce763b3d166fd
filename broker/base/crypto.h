// crypto - hashes, signatures, sealing: the one door to OpenSSL and libsodium.
//
// Algorithms are fetched once by sg_crypto_start; contexts are per caller or
// per thread. Ed25519 is verified by libsodium everywhere (strict: S < L,
// canonical A and R, neither of small order; decisions-security S04) and signed
// by OpenSSL. Secret memory is wiped by sg_crypto_wipe. Randomness is not here:
// it comes through the seam (sg_os_random in programs).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum { SG_HASH_LEN = 32, SG_KEY_LEN = 32, SG_SIG_LEN = 64, SG_TAG_LEN = 16 };

// Fetches all algorithms; call once before anything else in this header, in a
// worker before its sandbox closes. SG_ERR_CRYPTO: the library is unusable.
SG_MUST_CHECK enum sg_err sg_crypto_start(void);
// Frees what the one-shot calls keep for the calling thread; last call of a
// thread that ends before the program does.
void sg_crypto_thread_end(void);

// ---- SHA-256 (FIPS 180-4) --------------------------------------------------
void sg_crypto_sha256(const void *bytes, size_t len, uint8_t out[32]);
// The concatenation of count slices.
void sg_crypto_sha256v(const struct sg_slice *parts, size_t count,
                       uint8_t out[32]);
struct sg_sha256; // a running hash, reusable after final
struct sg_sha256 *sg_crypto_sha256_new(void); // NULL: no memory
void sg_crypto_sha256_free(struct sg_sha256 **hash);
void sg_crypto_sha256_init(struct sg_sha256 *hash);
void sg_crypto_sha256_add(struct sg_sha256 *hash, const void *bytes,
                          size_t len);
void sg_crypto_sha256_final(struct sg_sha256 *hash, uint8_t out[32]);

void sg_crypto_hmac(struct sg_slice key, struct sg_slice bytes,
                    uint8_t out[32]);
// HKDF-SHA-256 (RFC 5869), 32 bytes out.
void sg_crypto_hkdf(struct sg_slice ikm, struct sg_slice salt,
                    struct sg_slice info, uint8_t out[32]);

// ---- signatures ------------------------------------------------------------
// alg ids of formats.md 0.
enum sg_alg { SG_ALG_ED25519 = 1, SG_ALG_P256 = 2 };

struct sg_signer; // a private key in memory that is wiped when freed

// Ed25519 from its 32-byte seed (RFC 8032).
SG_MUST_CHECK enum sg_err sg_crypto_signer_new(const uint8_t seed[32],
                                               struct sg_signer **signer);
void sg_crypto_signer_free(struct sg_signer **signer);
void sg_crypto_signer_public(const struct sg_signer *signer, uint8_t out[32]);
SG_MUST_CHECK enum sg_err sg_crypto_sign(struct sg_signer *signer,
                                         struct sg_slice message,
                                         uint8_t sig[64]);
// The strict rule. alg SG_ALG_P256: public_key 65 bytes uncompressed,
// sig r||s with s <= n/2. Anything malformed is simply false.
bool sg_crypto_verify(enum sg_alg alg, struct sg_slice public_key,
                      struct sg_slice message, struct sg_slice sig);
// A canonical point of the prime-order group, not the identity (Ed25519), or a
// valid uncompressed P-256 point. Asked once, when a key enters the roster.
bool sg_crypto_key_valid(enum sg_alg alg, struct sg_slice public_key);
// key_id = H("statgate/key/v1" 00, alg, public key).
void sg_crypto_key_id(enum sg_alg alg, struct sg_slice public_key,
                      uint8_t out[32]);

// ---- sealing ---------------------------------------------------------------
struct sg_aead; // AES-256-GCM under one key

struct sg_aead *sg_crypto_aead_new(const uint8_t key[32]); // NULL: no memory
void sg_crypto_aead_free(struct sg_aead **aead);
// out has room for plain.len + 16: ciphertext, then tag. In place allowed.
SG_MUST_CHECK enum sg_err sg_crypto_seal(struct sg_aead *aead,
                                         const uint8_t nonce[12],
                                         struct sg_slice aad,
                                         struct sg_slice plain, uint8_t *out);
// sealed: ciphertext with tag; out has room for sealed.len - 16.
// SG_ERR_CORRUPT: the tag does not fit; nothing of out may be used.
SG_MUST_CHECK enum sg_err sg_crypto_open(struct sg_aead *aead,
                                         const uint8_t nonce[12],
                                         struct sg_slice aad,
                                         struct sg_slice sealed, uint8_t *out);

// X25519 + XSalsa20-Poly1305 (crypto_box), for join requests: the box is made
// with our secret key for the other side's public key (S03).
SG_MUST_CHECK enum sg_err sg_crypto_box(const uint8_t to_public[32],
                                        const uint8_t own_secret[32],
                                        const uint8_t nonce[24],
                                        struct sg_slice plain,
                                        uint8_t *out); // plain.len + 16
SG_MUST_CHECK enum sg_err sg_crypto_unbox(const uint8_t from_public[32],
                                          const uint8_t own_secret[32],
                                          const uint8_t nonce[24],
                                          struct sg_slice box, uint8_t *out);
// The CURVE public key of a secret one (X25519 base point).
void sg_crypto_curve_public(const uint8_t secret[32], uint8_t out[32]);

bool sg_crypto_equal(const void *a, const void *b, size_t len); // constant time
void sg_crypto_wipe(void *bytes, size_t len);
