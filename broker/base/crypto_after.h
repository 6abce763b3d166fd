// crypto_after - signatures over a prefix followed by a message.
//
// For signatures that begin with a purpose (schemas/proof/sign.h) over bodies
// that must not be copied by every caller. Ed25519 reads its message twice, so
// both are joined here: on the stack, or above 4 KiB in memory of its own.
#pragma once

#include "broker/base/crypto.h"

// SG_ERR_MEMORY, SG_ERR_CRYPTO.
SG_MUST_CHECK enum sg_err sg_crypto_sign_after(struct sg_signer *signer,
                                               struct sg_slice prefix,
                                               struct sg_slice message,
                                               uint8_t sig[64]);
// false also when there is no memory to check: not checked is not signed.
SG_MUST_CHECK bool sg_crypto_verify_after(enum sg_alg alg,
                                          struct sg_slice public_key,
                                          struct sg_slice prefix,
                                          struct sg_slice message,
                                          struct sg_slice sig);
