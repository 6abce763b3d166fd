#include "schemas/proof/batch.h"

#include "broker/base/bytes.h"
#include "schemas/proof/merkle.h"
#include "schemas/proof/sign.h"

void
sg_batch_leaf(struct sg_slice manifest, uint8_t out[32])
{
    static const uint8_t tag = 0x20;
    struct sg_slice parts[] = {{&tag, 1}, manifest};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

void
sg_batch_identity(struct sg_slice manifest, uint8_t out[32])
{
    sg_crypto_sha256(manifest.ptr, manifest.len, out);
}

void
sg_batch_root(const uint8_t (*leaves)[32], size_t count, uint8_t out[32])
{
    struct sg_merkle tree = {.size = 0};

    SG_ASSERT(count >= 1 && count <= SG_LIMIT_BATCH);
    for (size_t i = 0; i < count; i++)
        sg_merkle_add(&tree, SG_MERKLE_BATCH, leaves[i]);
    sg_merkle_root(&tree, SG_MERKLE_BATCH, out);
}

struct leaves {
    const uint8_t (*leaf)[32];
    size_t count;
};

// Complete subtree of 2^level leaves, computed anew: a batch is small.
static bool
subtree(void *context, uint32_t level, uint64_t index, uint8_t out[32])
{
    const struct leaves *all = (const struct leaves *)context;
    size_t first = (size_t)index << level, count = (size_t)1 << level;

    SG_ASSERT(first + count <= all->count);
    sg_batch_root(all->leaf + first, count, out);
    return true;
}

uint32_t
sg_batch_path(const uint8_t (*leaves)[32], size_t count, size_t index,
              uint8_t path[SG_BATCH_PATH_MAX][32])
{
    struct leaves all = {leaves, count};
    uint32_t len = 0;

    SG_ASSERT(count >= 1 && count <= SG_LIMIT_BATCH && index < count);
    enum sg_err err = sg_merkle_path(subtree, &all, SG_MERKLE_BATCH, index,
                                     count, path, &len);
    SG_ASSERT(err == SG_OK && len <= SG_BATCH_PATH_MAX);
    return len;
}

enum sg_err
sg_batch_sign(struct sg_signer *signer, const uint8_t (*leaves)[32],
              size_t count, uint8_t head[SG_BATCH_HEAD_LEN], uint8_t sig[64])
{
    struct sg_writer w = sg_writer_on(head, SG_BATCH_HEAD_LEN);
    uint8_t key[32], key_id[32], root[32];

    sg_crypto_signer_public(signer, key);
    sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(key, sizeof key), key_id);
    sg_batch_root(leaves, count, root);
    sg_bytes_put_u8(&w, SG_ALG_ED25519);
    sg_bytes_put(&w, key_id, sizeof key_id);
    sg_bytes_put_u16(&w, (uint16_t)count);
    sg_bytes_put(&w, root, sizeof root);
    SG_ASSERT(!w.full && w.len == SG_BATCH_HEAD_LEN);
    return sg_sign_make(signer, SG_SIGN_MANIFEST_BATCH, sg_writer_slice(&w),
                        sig);
}

enum sg_err
sg_batch_parse(struct sg_slice head, struct sg_batch_head *out)
{
    struct sg_reader r = sg_reader_on(head);

    memset(out, 0, sizeof *out);
    uint8_t alg = sg_bytes_u8(&r);
    struct sg_slice key_id = sg_bytes_take(&r, sizeof out->key_id);
    out->count = sg_bytes_u16(&r);
    struct sg_slice root = sg_bytes_take(&r, sizeof out->root);
    if (!sg_bytes_end(&r) || out->count < 1 || out->count > SG_LIMIT_BATCH ||
        (alg != SG_ALG_ED25519 && alg != SG_ALG_P256))
        return SG_ERR_FORMAT;
    out->alg = (enum sg_alg)alg;
    memcpy(out->key_id, key_id.ptr, key_id.len);
    memcpy(out->root, root.ptr, root.len);
    return SG_OK;
}

bool
sg_batch_verify(struct sg_slice head, struct sg_slice public_key,
                struct sg_slice sig)
{
    struct sg_batch_head parsed;
    uint8_t key_id[32];

    if (sg_batch_parse(head, &parsed) != SG_OK)
        return false;
    sg_crypto_key_id(parsed.alg, public_key, key_id);
    return memcmp(key_id, parsed.key_id, sizeof key_id) == 0 &&
           sg_sign_verify(parsed.alg, public_key, SG_SIGN_MANIFEST_BATCH, head,
                          sig);
}

bool
sg_batch_holds(const struct sg_batch_head *head, struct sg_slice manifest,
               uint32_t index, const uint8_t (*path)[32], uint32_t len)
{
    uint8_t leaf[32];

    sg_batch_leaf(manifest, leaf);
    return sg_merkle_verify(SG_MERKLE_BATCH, leaf, index, head->count, path,
                            len, head->root);
}
