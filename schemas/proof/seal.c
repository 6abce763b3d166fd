#include "schemas/proof/seal.h"

// Layouts of formats.md (e) and (d).
enum {
    NONCE_LEN = 12,
    CHUNK_AAD_LEN = 5 + 32 + 16 + 8 + 1,
    WRAP_AAD_LEN = 5 + 8 + 32 + 16,
};

static const char key_magic[6] = {'S', 'G', 'K', 'E', 'Y', '1'};

static const char *const purposes[SG_SEAL_END] = {
    [SG_SEAL_SPOOL] = "spool",     [SG_SEAL_LEAVES] = "leaves",
    [SG_SEAL_FACTS] = "facts",     [SG_SEAL_REPORT] = "report",
    [SG_SEAL_VARIANT] = "variant", [SG_SEAL_SECRET] = "secret",
};

const char *
sg_seal_purpose_name(enum sg_seal_purpose purpose)
{
    SG_ASSERT(purpose > 0 && purpose < SG_SEAL_END);
    return purposes[purpose];
}

void
sg_seal_subkey(const uint8_t key[32], const uint8_t attempt[16],
               enum sg_seal_purpose purpose, uint8_t out[32])
{
    static const char label[] = "statgate/payload/v1"; // with its 00
    uint8_t info[sizeof label + 16];
    const char *name = sg_seal_purpose_name(purpose);
    struct sg_writer w = sg_writer_on(info, sizeof info);

    sg_bytes_put(&w, label, sizeof label);
    sg_bytes_put(&w, name, strlen(name));
    SG_ASSERT(!w.full);
    sg_crypto_hkdf(sg_slice_of(key, 32), sg_slice_of(attempt, 16),
                   sg_writer_slice(&w), out);
}

// ---- chunks ----------------------------------------------------------------

enum sg_err
sg_seal_begin(struct sg_seal *seal, const uint8_t key[32],
              const uint8_t manifest_sha256[32], const uint8_t attempt[16],
              enum sg_seal_purpose purpose)
{
    uint8_t subkey[32];

    *seal = (struct sg_seal){0};
    memcpy(seal->manifest_sha256, manifest_sha256, 32);
    memcpy(seal->attempt, attempt, 16);
    sg_seal_subkey(key, attempt, purpose, subkey);
    seal->aead = sg_crypto_aead_new(subkey);
    sg_crypto_wipe(subkey, sizeof subkey);
    return seal->aead == NULL ? SG_ERR_MEMORY : SG_OK;
}

void
sg_seal_end(struct sg_seal *seal)
{
    sg_crypto_aead_free(&seal->aead);
}

static void
chunk_place(const struct sg_seal *seal, uint64_t index, bool last,
            uint8_t nonce[NONCE_LEN], uint8_t aad[CHUNK_AAD_LEN])
{
    struct sg_writer w = sg_writer_on(aad, CHUNK_AAD_LEN);

    memset(nonce, 0, 4);
    sg_bytes_store_u64(nonce + 4, index);
    sg_bytes_put(&w, "SGCH1", 5);
    sg_bytes_put(&w, seal->manifest_sha256, 32);
    sg_bytes_put(&w, seal->attempt, 16);
    sg_bytes_put_u64(&w, index);
    sg_bytes_put_u8(&w, last);
    SG_ASSERT(!w.full && w.len == CHUNK_AAD_LEN);
}

enum sg_err
sg_seal_chunk(struct sg_seal *seal, uint64_t index, bool last,
              struct sg_slice plain, uint8_t *out)
{
    uint8_t nonce[NONCE_LEN], aad[CHUNK_AAD_LEN];

    chunk_place(seal, index, last, nonce, aad);
    return sg_crypto_seal(seal->aead, nonce, sg_slice_of(aad, sizeof aad),
                          plain, out);
}

enum sg_err
sg_seal_open(struct sg_seal *seal, uint64_t index, bool last,
             struct sg_slice sealed, uint8_t *out)
{
    uint8_t nonce[NONCE_LEN], aad[CHUNK_AAD_LEN];

    if (sealed.len < SG_TAG_LEN)
        return SG_ERR_SHORT;
    chunk_place(seal, index, last, nonce, aad);
    return sg_crypto_open(seal->aead, nonce, sg_slice_of(aad, sizeof aad),
                          sealed, out);
}

void
sg_seal_chunk_leaf(uint64_t index, bool last, struct sg_slice sealed,
                   uint8_t leaf[32])
{
    uint8_t head[1 + 8 + 1];

    head[0] = SG_MERKLE_CHUNKS;
    sg_bytes_store_u64(head + 1, index);
    head[9] = last;
    const struct sg_slice parts[] = {{head, sizeof head}, sealed};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), leaf);
}

// ---- rows of the wrapping table ----------------------------------------------

static void
wrap_aad(uint64_t g, const struct sg_seal_row *row, uint8_t aad[WRAP_AAD_LEN])
{
    struct sg_writer w = sg_writer_on(aad, WRAP_AAD_LEN);

    sg_bytes_put(&w, "SGWT1", 5);
    sg_bytes_put_u64(&w, g);
    sg_bytes_put(&w, row->manifest_sha256, 32);
    sg_bytes_put(&w, row->variant, 16);
    SG_ASSERT(!w.full && w.len == WRAP_AAD_LEN);
}

enum sg_err
sg_seal_wrap(struct sg_aead *wrap, uint64_t g, const uint8_t key[32],
             struct sg_seal_row *row)
{
    uint8_t aad[WRAP_AAD_LEN];

    wrap_aad(g, row, aad);
    return sg_crypto_seal(wrap, row->nonce, sg_slice_of(aad, sizeof aad),
                          sg_slice_of(key, 32), row->wrapped);
}

enum sg_err
sg_seal_unwrap(struct sg_aead *wrap, uint64_t g, const struct sg_seal_row *row,
               uint8_t key[32])
{
    uint8_t aad[WRAP_AAD_LEN];

    wrap_aad(g, row, aad);
    enum sg_err err =
        sg_crypto_open(wrap, row->nonce, sg_slice_of(aad, sizeof aad),
                       sg_slice_of(row->wrapped, sizeof row->wrapped), key);
    if (err != SG_OK)
        sg_crypto_wipe(key, 32);
    return err;
}

void
sg_seal_row_encode(const struct sg_seal_row *row, uint8_t out[SG_SEAL_ROW_LEN])
{
    memcpy(out, row->manifest_sha256, 32);
    memcpy(out + 32, row->variant, 16);
    memcpy(out + 48, row->nonce, 12);
    memcpy(out + 60, row->wrapped, SG_SEAL_WRAPPED_LEN);
}

void
sg_seal_row_decode(const uint8_t bytes[SG_SEAL_ROW_LEN],
                   struct sg_seal_row *row)
{
    memcpy(row->manifest_sha256, bytes, 32);
    memcpy(row->variant, bytes + 32, 16);
    memcpy(row->nonce, bytes + 48, 12);
    memcpy(row->wrapped, bytes + 60, SG_SEAL_WRAPPED_LEN);
}

// ---- KEY frame -------------------------------------------------------------

void
sg_seal_key_frame_encode(const struct sg_seal_key_frame *frame,
                         uint8_t out[SG_SEAL_KEY_FRAME_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_SEAL_KEY_FRAME_LEN);

    sg_bytes_put(&w, key_magic, sizeof key_magic);
    sg_bytes_put(&w, frame->delivery_id, 16);
    sg_bytes_put_u64(&w, frame->released);
    sg_bytes_put(&w, frame->key, 32);
    SG_ASSERT(!w.full && w.len == SG_SEAL_KEY_FRAME_LEN);
}

enum sg_err
sg_seal_key_frame_decode(struct sg_slice bytes, struct sg_seal_key_frame *frame)
{
    struct sg_reader r = sg_reader_on(bytes);

    *frame = (struct sg_seal_key_frame){0};
    if (bytes.len != SG_SEAL_KEY_FRAME_LEN ||
        memcmp(sg_bytes_take(&r, sizeof key_magic).ptr, key_magic,
               sizeof key_magic) != 0)
        return SG_ERR_FORMAT;
    memcpy(frame->delivery_id, sg_bytes_take(&r, 16).ptr, 16);
    frame->released = sg_bytes_u64(&r);
    memcpy(frame->key, sg_bytes_take(&r, 32).ptr, 32);
    return SG_OK;
}
