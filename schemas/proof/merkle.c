#include "schemas/proof/merkle.h"

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"

void
sg_merkle_node(enum sg_merkle_tag tag, const uint8_t left[32],
               const uint8_t right[32], uint8_t out[32])
{
    uint8_t input[65];

    input[0] = (uint8_t)tag;
    memcpy(input + 1, left, 32);
    memcpy(input + 33, right, 32);
    sg_crypto_sha256(input, sizeof input, out);
}

void
sg_merkle_add(struct sg_merkle *tree, enum sg_merkle_tag tag,
              const uint8_t leaf[32])
{
    uint8_t carry[32];
    uint32_t level = 0;

    SG_ASSERT(tree->size < SG_LIMIT_LEAVES);
    memcpy(carry, leaf, 32);
    for (; (tree->size >> level & 1) != 0; level++)
        sg_merkle_node(tag, tree->edge[level], carry, carry);
    memcpy(tree->edge[level], carry, 32);
    tree->size++;
}

void
sg_merkle_root(const struct sg_merkle *tree, enum sg_merkle_tag tag,
               uint8_t out[32])
{
    bool begun = false;

    if (tree->size == 0) {
        sg_crypto_sha256("", 0, out);
        return;
    }
    for (uint32_t level = 0; level < SG_LIMIT_PATH; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (begun)
            sg_merkle_node(tag, tree->edge[level], out, out);
        else
            memcpy(out, tree->edge[level], 32);
        begun = true;
    }
}

size_t
sg_merkle_save(const struct sg_merkle *tree, uint8_t out[SG_MERKLE_STATE_MAX])
{
    struct sg_writer w = sg_writer_on(out, SG_MERKLE_STATE_MAX);

    sg_bytes_put_u64(&w, tree->size);
    for (uint32_t level = 0; level < SG_LIMIT_PATH; level++) {
        if ((tree->size >> level & 1) != 0)
            sg_bytes_put(&w, tree->edge[level], 32);
    }
    SG_ASSERT(!w.full);
    return w.len;
}

enum sg_err
sg_merkle_load(struct sg_merkle *tree, struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);

    memset(tree, 0, sizeof *tree);
    uint64_t size = sg_bytes_u64(&r);
    if (r.failed || size > SG_LIMIT_LEAVES)
        return SG_ERR_FORMAT;
    for (uint32_t level = 0; level < SG_LIMIT_PATH; level++) {
        if ((size >> level & 1) == 0)
            continue;
        struct sg_slice edge = sg_bytes_take(&r, 32);
        if (edge.len == 32)
            memcpy(tree->edge[level], edge.ptr, 32);
    }
    if (!sg_bytes_end(&r))
        return SG_ERR_FORMAT;
    tree->size = size;
    return SG_OK;
}

// Largest power of two below size (size >= 2), as its exponent.
static uint32_t
split_level(uint64_t size)
{
    return 63 - (uint32_t)__builtin_clzll(size - 1);
}

uint32_t
sg_merkle_path_len(uint64_t index, uint64_t size)
{
    uint32_t len = 0;

    SG_ASSERT(index < size);
    while (size > 1) {
        uint64_t left = (uint64_t)1 << split_level(size);
        if (index < left) {
            size = left;
        } else {
            index -= left;
            size -= left;
        }
        len++;
    }
    return len;
}

// Hash of the leaves from first on, count of them; first is a multiple of the
// size of every complete subtree that is asked for.
static enum sg_err
range_root(sg_merkle_at *get, void *context, enum sg_merkle_tag tag,
           uint64_t first, uint64_t count, uint8_t out[32])
{
    uint8_t part[SG_LIMIT_PATH][32];
    uint32_t parts = 0;

    for (uint32_t level = SG_LIMIT_PATH; level-- > 0;) {
        if ((count >> level & 1) == 0)
            continue;
        if (!get(context, level, first >> level, part[parts++]))
            return SG_ERR_CORRUPT;
        first += (uint64_t)1 << level;
    }
    memcpy(out, part[--parts], 32);
    while (parts-- > 0)
        sg_merkle_node(tag, part[parts], out, out);
    return SG_OK;
}

enum sg_err
sg_merkle_path(sg_merkle_at *get, void *context, enum sg_merkle_tag tag,
               uint64_t index, uint64_t size, uint8_t (*path)[32],
               uint32_t *len)
{
    uint64_t first = 0;
    uint32_t depth = sg_merkle_path_len(index, size);

    SG_ASSERT(size <= SG_LIMIT_LEAVES);
    *len = depth;
    while (depth-- > 0) { // from the root down, written from the end
        uint64_t left = (uint64_t)1 << split_level(size);
        enum sg_err err;
        if (index < first + left) {
            err = range_root(get, context, tag, first + left, size - left,
                             path[depth]);
            size = left;
        } else {
            err = range_root(get, context, tag, first, left, path[depth]);
            first += left;
            size -= left;
        }
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

bool
sg_merkle_verify(enum sg_merkle_tag tag, const uint8_t leaf[32], uint64_t index,
                 uint64_t size, const uint8_t (*path)[32], uint32_t len,
                 const uint8_t root[32])
{
    uint8_t hash[32];

    if (index >= size || size > SG_LIMIT_LEAVES ||
        len != sg_merkle_path_len(index, size))
        return false;
    memcpy(hash, leaf, 32);
    // At each height the node is a right child, or a left one with a sibling,
    // or the last of its row and goes up alone.
    uint64_t last = size - 1;
    for (uint32_t i = 0; i < len; i++) {
        while ((index & 1) == 0 && index == last) {
            index >>= 1;
            last >>= 1;
        }
        if ((index & 1) != 0)
            sg_merkle_node(tag, path[i], hash, hash);
        else
            sg_merkle_node(tag, hash, path[i], hash);
        index >>= 1;
        last >>= 1;
    }
    return memcmp(hash, root, 32) == 0;
}
