#include "schemas/proof/sign.h"

#include "broker/base/bytes.h"
#include "broker/base/crypto_after.h"

enum { INPUT_MAX = 64 }; // "statgate/" purpose "/v1" 00

static const char *const names[SG_SIGN_COUNT] = {
#define X(name, word) [SG_SIGN_##name] = word,
    SG_SIGN_PURPOSES(X)
#undef X
};

const char *
sg_sign_purpose_name(enum sg_sign_purpose purpose)
{
    SG_ASSERT(purpose < SG_SIGN_COUNT);
    return names[purpose];
}

// What stands before the body.
static struct sg_slice
label(enum sg_sign_purpose purpose, char room[INPUT_MAX])
{
    static const char front[] = "statgate/", back[] = "/v1"; // with its NUL
    const char *name = sg_sign_purpose_name(purpose);

    struct sg_writer w = sg_writer_on(room, INPUT_MAX);
    sg_bytes_put(&w, front, sizeof front - 1);
    sg_bytes_put(&w, name, strlen(name));
    sg_bytes_put(&w, back, sizeof back);
    SG_ASSERT(!w.full);
    return sg_writer_slice(&w);
}

enum sg_err
sg_sign_make(struct sg_signer *signer, enum sg_sign_purpose purpose,
             struct sg_slice body, uint8_t sig[64])
{
    char room[INPUT_MAX];

    return sg_crypto_sign_after(signer, label(purpose, room), body, sig);
}

bool
sg_sign_verify(enum sg_alg alg, struct sg_slice public_key,
               enum sg_sign_purpose purpose, struct sg_slice body,
               struct sg_slice sig)
{
    char room[INPUT_MAX];

    return sg_crypto_verify_after(alg, public_key, label(purpose, room), body,
                                  sig);
}
