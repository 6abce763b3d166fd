#include "schemas/proof/batch.h"

#include "schemas/proof/merkle.h"
#include "schemas/proof/sign.h"

void
sg_batch_head_encode(const struct sg_batch_head *head,
                     uint8_t out[SG_BATCH_HEAD_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_BATCH_HEAD_LEN);

    sg_bytes_put_u8(&w, head->alg);
    sg_bytes_put(&w, head->key_id, sizeof head->key_id);
    sg_bytes_put_u16(&w, head->count);
    sg_bytes_put(&w, head->root, sizeof head->root);
    SG_ASSERT(!w.full && w.len == SG_BATCH_HEAD_LEN);
}

enum sg_err
sg_batch_head_decode(struct sg_slice bytes, struct sg_batch_head *head)
{
    struct sg_reader r = sg_reader_on(bytes);

    *head = (struct sg_batch_head){0};
    if (bytes.len != SG_BATCH_HEAD_LEN)
        return SG_ERR_FORMAT;
    head->alg = sg_bytes_u8(&r);
    memcpy(head->key_id, sg_bytes_take(&r, 32).ptr, 32);
    head->count = sg_bytes_u16(&r);
    memcpy(head->root, sg_bytes_take(&r, 32).ptr, 32);
    if ((head->alg != SG_ALG_ED25519 && head->alg != SG_ALG_P256) ||
        head->count < 1 || head->count > SG_LIMIT_BATCH)
        return SG_ERR_FORMAT;
    return SG_OK;
}

void
sg_batch_leaf(struct sg_slice manifest, uint8_t out[32])
{
    sg_merkle_leaf(SG_MERKLE_BATCH, manifest, out);
}

void
sg_batch_root(const uint8_t (*leaves)[32], unsigned count, uint8_t root[32])
{
    struct sg_merkle tree;

    SG_ASSERT(count >= 1 && count <= SG_LIMIT_BATCH);
    sg_merkle_init(&tree, SG_MERKLE_BATCH);
    for (unsigned i = 0; i < count; i++) {
        enum sg_err err = sg_merkle_add(&tree, leaves[i]);
        SG_ASSERT(err == SG_OK); // 256 leaves fit
    }
    sg_merkle_root(&tree, root);
}

void
sg_batch_place(const uint8_t (*leaves)[32], unsigned count, unsigned index,
               struct sg_batch_place *place)
{
    uint8_t path[SG_MERKLE_DEPTH][32];

    SG_ASSERT(count >= 1 && count <= SG_LIMIT_BATCH && index < count);
    *place = (struct sg_batch_place){.index = (uint16_t)index};
    sg_merkle_path_of(SG_MERKLE_BATCH, index, leaves, count, path);
    place->path_len = (uint8_t)sg_merkle_path_len(index, count);
    memcpy(place->path, path, (size_t)place->path_len * 32);
}

enum sg_err
sg_batch_sign(struct sg_signer *signer, const uint8_t (*leaves)[32],
              unsigned count, struct sg_batch_head *head, uint8_t sig[64])
{
    uint8_t public_key[32], bytes[SG_BATCH_HEAD_LEN];

    *head =
        (struct sg_batch_head){.alg = SG_ALG_ED25519, .count = (uint16_t)count};
    sg_crypto_signer_public(signer, public_key);
    sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key, 32), head->key_id);
    sg_batch_root(leaves, count, head->root);
    sg_batch_head_encode(head, bytes);
    return sg_sign_make(signer, SG_SIGN_MANIFEST_BATCH,
                        sg_slice_of(bytes, sizeof bytes), sig);
}

enum sg_err
sg_batch_verify(struct sg_slice head_bytes, enum sg_alg alg,
                struct sg_slice public_key, struct sg_slice sig)
{
    struct sg_batch_head head;
    uint8_t key_id[32];

    enum sg_err err = sg_batch_head_decode(head_bytes, &head);
    if (err != SG_OK)
        return err;
    sg_crypto_key_id(alg, public_key, key_id);
    if (head.alg != alg || memcmp(head.key_id, key_id, sizeof key_id) != 0)
        return SG_ERR_PEER_KEY_USE;
    return sg_sign_verify(alg, public_key, SG_SIGN_MANIFEST_BATCH, head_bytes,
                          sig)
               ? SG_OK
               : SG_ERR_SIGNATURE;
}

bool
sg_batch_holds(const struct sg_batch_head *head, struct sg_slice manifest,
               const struct sg_batch_place *place)
{
    const struct sg_merkle_place at = {place->index, head->count,
                                       (const uint8_t(*)[32])place->path,
                                       place->path_len};
    uint8_t leaf[32];

    if (head->count > SG_LIMIT_BATCH || place->path_len > SG_BATCH_PATH_MAX)
        return false;
    sg_batch_leaf(manifest, leaf);
    return sg_merkle_verify(SG_MERKLE_BATCH, &at, leaf, head->root);
}

bool
sg_batch_place_of(const struct sg_batch_head *head, uint64_t index,
                  const struct sg_slice *path, size_t len,
                  struct sg_batch_place *place)
{
    *place = (struct sg_batch_place){0};
    if (head->count > SG_LIMIT_BATCH || index >= head->count ||
        len != sg_merkle_path_len(index, head->count))
        return false;
    place->index = (uint16_t)index;
    place->path_len = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        if (path[i].len != 32)
            return false;
        memcpy(place->path[i], path[i].ptr, 32);
    }
    return true;
}

void
sg_batch_encode(const struct sg_batch_head *head, struct sg_slice sig,
                const struct sg_batch_place *place, struct sg_writer *out)
{
    uint8_t bytes[SG_BATCH_HEAD_LEN];

    SG_ASSERT(sig.len <= UINT16_MAX && place->path_len <= SG_BATCH_PATH_MAX);
    sg_batch_head_encode(head, bytes);
    sg_bytes_put(out, bytes, sizeof bytes);
    sg_bytes_put_u16(out, (uint16_t)sig.len);
    sg_bytes_put(out, sig.ptr, sig.len);
    sg_bytes_put_u16(out, place->index);
    sg_bytes_put(out, place->path, (size_t)place->path_len * 32);
}

enum sg_err
sg_batch_decode(struct sg_slice bytes, struct sg_batch_head *head,
                struct sg_slice *sig, struct sg_batch_place *place)
{
    struct sg_reader r = sg_reader_on(bytes);

    *sig = (struct sg_slice){NULL, 0};
    *place = (struct sg_batch_place){0};
    struct sg_slice head_bytes = sg_bytes_take(&r, SG_BATCH_HEAD_LEN);
    if (r.failed)
        return SG_ERR_SHORT;
    enum sg_err err = sg_batch_head_decode(head_bytes, head);
    if (err != SG_OK)
        return err;
    *sig = sg_bytes_take(&r, sg_bytes_u16(&r));
    place->index = sg_bytes_u16(&r);
    if (r.failed)
        return SG_ERR_SHORT;
    if (sig->len != SG_SIG_LEN || place->index >= head->count)
        return SG_ERR_FORMAT; // both algorithms sign with 64 bytes
    place->path_len = (uint8_t)sg_merkle_path_len(place->index, head->count);
    struct sg_slice path = sg_bytes_take(&r, (size_t)place->path_len * 32);
    if (r.failed)
        return SG_ERR_SHORT;
    if (path.len > 0)
        memcpy(place->path, path.ptr, path.len);
    return sg_bytes_end(&r) ? SG_OK : SG_ERR_FORMAT;
}
