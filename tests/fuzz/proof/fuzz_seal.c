// Sealed chunks, wrapped keys, key frames and secret blocks: what nobody sealed
// never opens, and what is taken is written the same again.
#include "broker/base/crypto.h"
#include "schemas/proof/seal.h"
#include "schemas/proof/secret.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[32] = {1}, manifest[32] = {2}, attempt[16] = {3};

static void
take_chunk(struct sg_slice all)
{
    struct sg_seal seal;
    uint8_t *out = malloc(all.len + 1);

    SG_ASSERT(out != NULL);
    SG_ASSERT(sg_seal_begin(&seal, key, manifest, attempt, SG_SEAL_SPOOL) ==
              SG_OK);
    enum sg_err err = sg_seal_open(&seal, all.len, all.len % 2 == 0, all, out);
    SG_ASSERT(err == SG_ERR_SHORT || err == SG_ERR_CORRUPT);
    sg_seal_end(&seal);
    free(out);
}

// What we sealed opens, but not with the bit that the input chooses turned.
static void
turn_a_bit(struct sg_slice all)
{
    struct sg_seal seal;
    uint8_t *sealed = malloc(all.len + SG_TAG_LEN);

    SG_ASSERT(sealed != NULL);
    SG_ASSERT(sg_seal_begin(&seal, key, manifest, attempt, SG_SEAL_LEAVES) ==
              SG_OK);
    SG_ASSERT(sg_seal_chunk(&seal, 7, true, all, sealed) == SG_OK);
    size_t bit = (all.len == 0 ? 0 : all.ptr[0]) % (all.len + SG_TAG_LEN);
    struct sg_slice whole = sg_slice_of(sealed, all.len + SG_TAG_LEN);
    uint8_t *plain = malloc(all.len + 1);
    SG_ASSERT(plain != NULL);
    SG_ASSERT(sg_seal_open(&seal, 7, true, whole, plain) == SG_OK);
    SG_ASSERT(sg_slice_eq(sg_slice_of(plain, all.len), all));
    SG_ASSERT(sg_seal_open(&seal, 7, false, whole, plain) == SG_ERR_CORRUPT);
    sealed[bit] ^= (uint8_t)(1u << all.len % 8);
    SG_ASSERT(sg_seal_open(&seal, 7, true, whole, plain) == SG_ERR_CORRUPT);
    sg_seal_end(&seal);
    free(plain);
    free(sealed);
}

static void
take_frames(struct sg_slice all)
{
    struct sg_seal_key_frame frame;
    struct sg_secret secret;
    uint8_t again[SG_SECRET_LEN + SG_SEAL_KEY_FRAME_LEN];

    if (sg_seal_key_frame_decode(all, &frame) == SG_OK) {
        sg_seal_key_frame_encode(&frame, again);
        SG_ASSERT(memcmp(again, all.ptr, all.len) == 0);
    }
    if (sg_secret_decode(all, &secret) == SG_OK) {
        sg_secret_encode(&secret, again);
        SG_ASSERT(memcmp(again, all.ptr, all.len) == 0);
    }
}

static void
take_row(struct sg_slice all)
{
    struct sg_seal_row row;
    uint8_t again[SG_SEAL_ROW_LEN], out[32];

    if (all.len < SG_SEAL_ROW_LEN)
        return;
    sg_seal_row_decode(all.ptr, &row);
    sg_seal_row_encode(&row, again);
    SG_ASSERT(memcmp(again, all.ptr, sizeof again) == 0);
    struct sg_aead *wrap = sg_crypto_aead_new(key);
    SG_ASSERT(wrap != NULL);
    SG_ASSERT(sg_seal_unwrap(wrap, 1, &row, out) == SG_ERR_CORRUPT);
    sg_crypto_aead_free(&wrap);
}

static void
fuzz(struct sg_slice all)
{
    take_chunk(all);
    turn_a_bit(all);
    take_frames(all);
    take_row(all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
