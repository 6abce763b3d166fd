#include "schemas/proof/seal.h"

#include "broker/base/bytes.h"

enum { AAD_LEN = 5 + 32 + 16 + 8 + 1, WRAP_AAD_LEN = 5 + 8 + 32 + 16 };

// Tags whose NUL is part of the hash input.
#define TAG(text) ((struct sg_slice){(const uint8_t *)(text), sizeof(text)})

static const char *
purpose_word(uint32_t purpose)
{
    switch (purpose) {
#define X(name, number, word)                                                  \
    case number:                                                               \
        return word;
        SG_SEAL_TABLE(X)
#undef X
    default:
        return NULL;
    }
}

bool
sg_seal_purpose_known(uint32_t purpose)
{
    return purpose_word(purpose) != NULL;
}

void
sg_seal_subkey(const uint8_t key[32], const uint8_t attempt[16],
               enum sg_seal_purpose purpose, uint8_t out[32])
{
    uint8_t info[40];
    struct sg_writer w = sg_writer_on(info, sizeof info);
    const char *word = purpose_word(purpose);

    SG_ASSERT(word != NULL);
    sg_bytes_put(&w, "statgate/payload/v1", sizeof "statgate/payload/v1");
    sg_bytes_put(&w, word, strlen(word));
    SG_ASSERT(!w.full);
    sg_crypto_hkdf(sg_slice_of(key, 32), sg_slice_of(attempt, 16),
                   sg_writer_slice(&w), out);
}

enum sg_err
sg_seal_init(struct sg_seal *seal, const uint8_t key[32],
             const uint8_t manifest[32], const uint8_t attempt[16],
             enum sg_seal_purpose purpose)
{
    uint8_t subkey[32];

    memcpy(seal->manifest, manifest, 32);
    memcpy(seal->attempt, attempt, 16);
    sg_seal_subkey(key, attempt, purpose, subkey);
    seal->aead = sg_crypto_aead_new(subkey);
    sg_crypto_wipe(subkey, sizeof subkey);
    return seal->aead == NULL ? SG_ERR_MEMORY : SG_OK;
}

void
sg_seal_fini(struct sg_seal *seal)
{
    sg_crypto_aead_free(&seal->aead);
    sg_crypto_wipe(seal, sizeof *seal);
}

static void
bind(const struct sg_seal *seal, uint64_t index, bool last, uint8_t nonce[12],
     uint8_t aad[AAD_LEN])
{
    struct sg_writer w = sg_writer_on(aad, AAD_LEN);

    memset(nonce, 0, 4);
    sg_bytes_store_u64(nonce + 4, index);
    sg_bytes_put(&w, "SGCH1", 5);
    sg_bytes_put(&w, seal->manifest, 32);
    sg_bytes_put(&w, seal->attempt, 16);
    sg_bytes_put_u64(&w, index);
    sg_bytes_put_u8(&w, last ? 1 : 0);
    SG_ASSERT(!w.full && w.len == AAD_LEN);
}

enum sg_err
sg_seal_chunk(struct sg_seal *seal, uint64_t index, bool last,
              struct sg_slice plain, uint8_t *out)
{
    uint8_t nonce[12], aad[AAD_LEN];

    bind(seal, index, last, nonce, aad);
    return sg_crypto_seal(seal->aead, nonce, sg_slice_of(aad, AAD_LEN), plain,
                          out);
}

enum sg_err
sg_seal_open_chunk(struct sg_seal *seal, uint64_t index, bool last,
                   struct sg_slice sealed, uint8_t *out)
{
    uint8_t nonce[12], aad[AAD_LEN];

    bind(seal, index, last, nonce, aad);
    return sg_crypto_open(seal->aead, nonce, sg_slice_of(aad, AAD_LEN), sealed,
                          out);
}

void
sg_seal_chunk_leaf(uint64_t index, bool last, struct sg_slice sealed,
                   uint8_t out[32])
{
    uint8_t head[10] = {0x30};
    struct sg_slice parts[] = {{head, sizeof head}, sealed};

    sg_bytes_store_u64(head + 1, index);
    head[9] = last ? 1 : 0;
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

// ---- salted commitments --------------------------------------------------------

static void
commit(struct sg_slice tag, struct sg_slice salt, struct sg_slice what,
       uint8_t out[32])
{
    struct sg_slice parts[] = {tag, salt, what};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

void
sg_seal_key_commit(const uint8_t key[32], uint8_t out[32])
{
    commit(TAG("statgate/keycommit/v1"), sg_slice_of(key, 32),
           (struct sg_slice){NULL, 0}, out);
}

void
sg_seal_seed_commit(const uint8_t seed[16], uint8_t out[32])
{
    commit(TAG("statgate/seed/v1"), sg_slice_of(seed, 16),
           (struct sg_slice){NULL, 0}, out);
}

void
sg_seal_file_commit(const uint8_t salt[32], const uint8_t sha256[32],
                    uint8_t out[32])
{
    commit(TAG("statgate/file/v1"), sg_slice_of(salt, 32),
           sg_slice_of(sha256, 32), out);
}

void
sg_seal_report_commit(const uint8_t salt[32], const uint8_t sha256[32],
                      uint8_t out[32])
{
    commit(TAG("statgate/report/v1"), sg_slice_of(salt, 32),
           sg_slice_of(sha256, 32), out);
}

void
sg_seal_proof_commit(const uint8_t delivery[16], struct sg_slice proof,
                     uint8_t out[32])
{
    commit(TAG("statgate/proof/v1"), sg_slice_of(delivery, 16), proof, out);
}

void
sg_seal_plain_commit(const uint8_t key[32], const uint8_t sha256[32],
                     uint8_t out[32])
{
    commit(TAG("statgate/plain/v1"), sg_slice_of(key, 32),
           sg_slice_of(sha256, 32), out);
}

// ---- wrapped keys ------------------------------------------------------------

static void
bind_wrap(uint64_t table, const uint8_t manifest[32], const uint8_t variant[16],
          uint8_t aad[WRAP_AAD_LEN])
{
    struct sg_writer w = sg_writer_on(aad, WRAP_AAD_LEN);

    sg_bytes_put(&w, "SGWT1", 5);
    sg_bytes_put_u64(&w, table);
    sg_bytes_put(&w, manifest, 32);
    sg_bytes_put(&w, variant, 16);
    SG_ASSERT(!w.full && w.len == WRAP_AAD_LEN);
}

enum sg_err
sg_seal_wrap(const uint8_t wrap[32], uint64_t table, const uint8_t manifest[32],
             const uint8_t variant[16], const uint8_t nonce[12],
             const uint8_t key[32], uint8_t out[SG_SEAL_WRAPPED_LEN])
{
    uint8_t aad[WRAP_AAD_LEN];
    struct sg_aead *aead = sg_crypto_aead_new(wrap);

    if (aead == NULL)
        return SG_ERR_MEMORY;
    bind_wrap(table, manifest, variant, aad);
    memcpy(out, nonce, 12);
    enum sg_err err = sg_crypto_seal(aead, nonce, sg_slice_of(aad, sizeof aad),
                                     sg_slice_of(key, 32), out + 12);
    sg_crypto_aead_free(&aead);
    return err;
}

enum sg_err
sg_seal_unwrap(const uint8_t wrap[32], uint64_t table,
               const uint8_t manifest[32], const uint8_t variant[16],
               const uint8_t wrapped[SG_SEAL_WRAPPED_LEN], uint8_t key[32])
{
    uint8_t aad[WRAP_AAD_LEN];
    struct sg_aead *aead = sg_crypto_aead_new(wrap);

    if (aead == NULL)
        return SG_ERR_MEMORY;
    bind_wrap(table, manifest, variant, aad);
    enum sg_err err = sg_crypto_open(
        aead, wrapped, sg_slice_of(aad, sizeof aad),
        sg_slice_of(wrapped + 12, SG_SEAL_WRAPPED_LEN - 12), key);
    sg_crypto_aead_free(&aead);
    return err;
}

// ---- secret block ------------------------------------------------------------

void
sg_seal_put_secrets(const struct sg_seal_secrets *secrets,
                    uint8_t out[SG_SEAL_SECRET_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_SEAL_SECRET_LEN);

    sg_bytes_put(&w, "SGSB1", 5);
    sg_bytes_put(&w, secrets->seed, sizeof secrets->seed);
    sg_bytes_put(&w, secrets->id, sizeof secrets->id);
    sg_bytes_put(&w, secrets->file_salt, sizeof secrets->file_salt);
    sg_bytes_put(&w, secrets->report_salt, sizeof secrets->report_salt);
    SG_ASSERT(!w.full && w.len == SG_SEAL_SECRET_LEN);
}

enum sg_err
sg_seal_get_secrets(struct sg_slice block, struct sg_seal_secrets *secrets)
{
    if (block.len != SG_SEAL_SECRET_LEN || memcmp(block.ptr, "SGSB1", 5) != 0)
        return SG_ERR_FORMAT;
    memcpy(secrets->seed, block.ptr + 5, 16);
    memcpy(secrets->id, block.ptr + 21, 16);
    memcpy(secrets->file_salt, block.ptr + 37, 32);
    memcpy(secrets->report_salt, block.ptr + 69, 32);
    return SG_OK;
}

enum sg_err
sg_seal_secret(const uint8_t key[32], const uint8_t manifest[32],
               const uint8_t attempt[16],
               const uint8_t block[SG_SEAL_SECRET_LEN],
               uint8_t out[SG_SEAL_SECRET_LEN + SG_TAG_LEN])
{
    struct sg_seal seal;
    enum sg_err err =
        sg_seal_init(&seal, key, manifest, attempt, SG_SEAL_SECRET);

    if (err == SG_OK)
        err = sg_seal_chunk(&seal, 0, true,
                            sg_slice_of(block, SG_SEAL_SECRET_LEN), out);
    sg_seal_fini(&seal);
    return err;
}

enum sg_err
sg_seal_open_secret(const uint8_t key[32], const uint8_t manifest[32],
                    const uint8_t attempt[16],
                    const uint8_t sealed[SG_SEAL_SECRET_LEN + SG_TAG_LEN],
                    uint8_t block[SG_SEAL_SECRET_LEN])
{
    struct sg_seal seal;
    enum sg_err err =
        sg_seal_init(&seal, key, manifest, attempt, SG_SEAL_SECRET);

    if (err == SG_OK)
        err = sg_seal_open_chunk(
            &seal, 0, true,
            sg_slice_of(sealed, SG_SEAL_SECRET_LEN + SG_TAG_LEN), block);
    sg_seal_fini(&seal);
    return err;
}

// ---- KEY frame -----------------------------------------------------------------

void
sg_seal_put_key_frame(const struct sg_seal_key_frame *frame,
                      uint8_t out[SG_SEAL_KEY_FRAME_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_SEAL_KEY_FRAME_LEN);

    sg_bytes_put(&w, "SGKEY1", 6);
    sg_bytes_put(&w, frame->delivery, sizeof frame->delivery);
    sg_bytes_put_u64(&w, frame->released);
    sg_bytes_put(&w, frame->key, sizeof frame->key);
    SG_ASSERT(!w.full && w.len == SG_SEAL_KEY_FRAME_LEN);
}

enum sg_err
sg_seal_get_key_frame(struct sg_slice bytes, struct sg_seal_key_frame *frame)
{
    struct sg_reader r = sg_reader_on(bytes);
    struct sg_slice magic = sg_bytes_take(&r, 6);
    struct sg_slice delivery = sg_bytes_take(&r, sizeof frame->delivery);

    frame->released = sg_bytes_u64(&r);
    struct sg_slice key = sg_bytes_take(&r, sizeof frame->key);
    if (!sg_bytes_end(&r) || memcmp(magic.ptr, "SGKEY1", 6) != 0)
        return SG_ERR_FORMAT;
    memcpy(frame->delivery, delivery.ptr, delivery.len);
    memcpy(frame->key, key.ptr, key.len);
    return SG_OK;
}
