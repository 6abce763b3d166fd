#include "schemas/proof/sign.h"

#include "broker/base/arena.h"
#include "broker/base/bytes.h"

enum { ON_STACK = 4096, PREFIX_MAX = 64 };

static const char *const words[] = {
#define X(name, word) [SG_SIGN_##name] = word,
    SG_SIGN_TABLE(X)
#undef X
};
_Static_assert(SG_COUNT_OF(words) == SG_SIGN_COUNT, "a word for each purpose");

const char *
sg_sign_word(enum sg_sign_purpose purpose)
{
    SG_ASSERT((size_t)purpose < SG_COUNT_OF(words));
    return words[purpose];
}

enum sg_sign_purpose
sg_sign_by_word(const char *word)
{
    for (size_t i = 0; i < SG_COUNT_OF(words); i++) {
        if (strcmp(words[i], word) == 0)
            return (enum sg_sign_purpose)i;
    }
    return SG_SIGN_COUNT;
}

// The signature input, on the caller's stack or, when it is long, in an arena.
struct input {
    uint8_t near[ON_STACK];
    struct sg_arena *far;
    struct sg_slice bytes;
};

static enum sg_err
input_init(struct input *input, enum sg_sign_purpose purpose,
           struct sg_slice body)
{
    const char *word = sg_sign_word(purpose);
    size_t len = sizeof "statgate/" - 1 + strlen(word) + sizeof "/v1" +
                 body.len; // the NUL of "/v1" is part of it
    uint8_t *to = input->near;

    input->far = NULL;
    if (body.len > SG_SIGN_BODY_MAX)
        return SG_ERR_FULL;
    if (len > ON_STACK) {
        input->far = sg_arena_new(len + 64, 0);
        to = input->far == NULL ? NULL : sg_arena_take(input->far, len);
        if (to == NULL) {
            sg_arena_free(&input->far);
            return SG_ERR_MEMORY;
        }
    }
    struct sg_writer w = sg_writer_on(to, len);
    sg_bytes_put(&w, "statgate/", sizeof "statgate/" - 1);
    sg_bytes_put(&w, word, strlen(word));
    sg_bytes_put(&w, "/v1", sizeof "/v1");
    sg_bytes_put(&w, body.ptr, body.len);
    SG_ASSERT(!w.full && w.len == len);
    input->bytes = sg_writer_slice(&w);
    return SG_OK;
}

enum sg_err
sg_sign_make(struct sg_signer *signer, enum sg_sign_purpose purpose,
             struct sg_slice body, uint8_t sig[64])
{
    struct input input;
    enum sg_err err = input_init(&input, purpose, body);

    if (err == SG_OK)
        err = sg_crypto_sign(signer, input.bytes, sig);
    sg_arena_free(&input.far);
    return err;
}

bool
sg_sign_verify(enum sg_alg alg, struct sg_slice public_key,
               enum sg_sign_purpose purpose, struct sg_slice body,
               struct sg_slice sig)
{
    struct input input;

    if (input_init(&input, purpose, body) != SG_OK)
        return false;
    bool fits = sg_crypto_verify(alg, public_key, input.bytes, sig);
    sg_arena_free(&input.far);
    return fits;
}
