#include "broker/base/crypto_after.h"

#include <stdlib.h>

enum { ON_STACK = 4096 }; // almost every document that is signed is shorter

// prefix and message as one run, in room where they fit. NULL: no memory.
static uint8_t *
joined(struct sg_slice prefix, struct sg_slice message, uint8_t room[ON_STACK])
{
    uint8_t *all = room;

    if (message.len > SIZE_MAX - prefix.len)
        return NULL;
    if (prefix.len + message.len > ON_STACK)
        all = malloc(prefix.len + message.len);
    if (all == NULL)
        return NULL;
    if (prefix.len > 0)
        memcpy(all, prefix.ptr, prefix.len);
    if (message.len > 0)
        memcpy(all + prefix.len, message.ptr, message.len);
    return all;
}

enum sg_err
sg_crypto_sign_after(struct sg_signer *signer, struct sg_slice prefix,
                     struct sg_slice message, uint8_t sig[64])
{
    uint8_t room[ON_STACK];
    uint8_t *all = joined(prefix, message, room);

    if (all == NULL)
        return SG_ERR_MEMORY;
    enum sg_err err =
        sg_crypto_sign(signer, sg_slice_of(all, prefix.len + message.len), sig);
    if (all != room)
        free(all);
    return err;
}

bool
sg_crypto_verify_after(enum sg_alg alg, struct sg_slice public_key,
                       struct sg_slice prefix, struct sg_slice message,
                       struct sg_slice sig)
{
    uint8_t room[ON_STACK];
    uint8_t *all = joined(prefix, message, room);

    if (all == NULL)
        return false; // not checked is not signed
    const bool fits = sg_crypto_verify(
        alg, public_key, sg_slice_of(all, prefix.len + message.len), sig);
    if (all != room)
        free(all);
    return fits;
}
