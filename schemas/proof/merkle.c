#include "schemas/proof/merkle.h"

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"

static const uint64_t leaves_max = UINT64_C(1) << SG_MERKLE_DEPTH;

void
sg_merkle_leaf(enum sg_merkle_tag tag, struct sg_slice bytes, uint8_t out[32])
{
    const uint8_t first = (uint8_t)tag;
    const struct sg_slice parts[] = {{&first, 1}, bytes};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

void
sg_merkle_node(enum sg_merkle_tag tag, const uint8_t left[32],
               const uint8_t right[32], uint8_t out[32])
{
    uint8_t text[1 + 2 * 32];

    text[0] = (uint8_t)(tag + 1);
    memcpy(text + 1, left, 32);
    memcpy(text + 33, right, 32);
    sg_crypto_sha256(text, sizeof text, out);
}

// ---- growing ---------------------------------------------------------------

void
sg_merkle_init(struct sg_merkle *tree, enum sg_merkle_tag tag)
{
    *tree = (struct sg_merkle){.tag = tag};
}

enum sg_err
sg_merkle_add(struct sg_merkle *tree, const uint8_t leaf[32])
{
    return sg_merkle_add_subtree(tree, 0, leaf);
}

enum sg_err
sg_merkle_add_subtree(struct sg_merkle *tree, unsigned level,
                      const uint8_t hash[32])
{
    uint8_t carry[32];

    SG_ASSERT(level <= SG_MERKLE_DEPTH);
    const uint64_t span = UINT64_C(1) << level;
    SG_ASSERT(tree->count % span == 0);
    if (span > leaves_max - tree->count)
        return SG_ERR_FULL;

    memcpy(carry, hash, 32);
    // Each set bit from level upwards is a finished subtree to the left.
    for (; (tree->count >> level & 1) != 0; level++)
        sg_merkle_node(tree->tag, tree->nodes[level], carry, carry);
    memcpy(tree->nodes[level], carry, 32);
    tree->count += span;
    return SG_OK;
}

void
sg_merkle_root(const struct sg_merkle *tree, uint8_t root[32])
{
    unsigned level = 0;

    if (tree->count == 0) {
        sg_crypto_sha256(NULL, 0, root);
        return;
    }
    while ((tree->count >> level & 1) == 0)
        level++;
    memcpy(root, tree->nodes[level], 32);
    for (level++; level <= SG_MERKLE_DEPTH; level++) {
        if ((tree->count >> level & 1) != 0)
            sg_merkle_node(tree->tag, tree->nodes[level], root, root);
    }
}

size_t
sg_merkle_save(const struct sg_merkle *tree,
               uint8_t out[SG_MERKLE_SNAPSHOT_MAX])
{
    struct sg_writer w = sg_writer_on(out, SG_MERKLE_SNAPSHOT_MAX);

    sg_bytes_put_u64(&w, tree->count);
    for (unsigned level = 0; level <= SG_MERKLE_DEPTH; level++) {
        if ((tree->count >> level & 1) != 0)
            sg_bytes_put(&w, tree->nodes[level], 32);
    }
    SG_ASSERT(!w.full);
    return w.len;
}

enum sg_err
sg_merkle_load(struct sg_merkle *tree, enum sg_merkle_tag tag,
               struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);

    sg_merkle_init(tree, tag);
    const uint64_t count = sg_bytes_u64(&r);
    if (r.failed || count > leaves_max)
        return SG_ERR_FORMAT;
    for (unsigned level = 0; level <= SG_MERKLE_DEPTH; level++) {
        if ((count >> level & 1) == 0)
            continue;
        struct sg_slice node = sg_bytes_take(&r, 32);
        if (r.failed)
            return SG_ERR_FORMAT;
        memcpy(tree->nodes[level], node.ptr, 32);
    }
    if (!sg_bytes_end(&r))
        return SG_ERR_FORMAT;
    tree->count = count;
    return SG_OK;
}

// ---- paths -----------------------------------------------------------------

// Largest power of two below n; n >= 2.
static uint64_t
split_of(uint64_t n)
{
    uint64_t split = 1;

    while (split * 2 < n)
        split *= 2;
    return split;
}

unsigned
sg_merkle_path_len(uint64_t index, uint64_t count)
{
    unsigned len = 0;

    SG_ASSERT(index < count && count <= leaves_max);
    for (; count > 1; len++) {
        const uint64_t left = split_of(count);
        if (index < left) {
            count = left;
        } else {
            index -= left;
            count -= left;
        }
    }
    return len;
}

struct source {
    enum sg_merkle_tag tag;
    sg_merkle_read read;
    void *arg;
};

// Hash over leaves [first, end), where first is a multiple of every power of two
// that fits the range: whole subtrees from left to right, folded from the right.
static enum sg_err
range_hash(const struct source *source, uint64_t first, uint64_t end,
           uint8_t out[32])
{
    uint8_t parts[SG_MERKLE_DEPTH + 1][32];
    unsigned count = 0;

    while (first < end) {
        unsigned level = 0;
        while (level < SG_MERKLE_DEPTH && UINT64_C(2) << level <= end - first)
            level++;
        SG_ASSERT(count < SG_COUNT_OF(parts));
        enum sg_err err =
            source->read(source->arg, level, first >> level, parts[count++]);
        if (err != SG_OK)
            return err;
        first += UINT64_C(1) << level;
    }
    SG_ASSERT(count > 0);
    memcpy(out, parts[--count], 32);
    while (count > 0)
        sg_merkle_node(source->tag, parts[--count], out, out);
    return SG_OK;
}

static void
reverse(uint8_t (*hashes)[32], size_t count)
{
    uint8_t kept[32];

    for (size_t i = 0; i < count / 2; i++) {
        memcpy(kept, hashes[i], 32);
        memcpy(hashes[i], hashes[count - 1 - i], 32);
        memcpy(hashes[count - 1 - i], kept, 32);
    }
}

enum sg_err
sg_merkle_path(enum sg_merkle_tag tag, uint64_t index, uint64_t count,
               sg_merkle_read read, void *arg,
               uint8_t path[SG_MERKLE_DEPTH][32])
{
    const struct source source = {tag, read, arg};
    uint64_t first = 0, end = count;
    size_t len = 0;

    SG_ASSERT(index < count && count <= leaves_max);
    while (end - first > 1) { // from the root down; wanted the other way round
        const uint64_t middle = first + split_of(end - first);
        const bool left = index < middle;
        enum sg_err err = left ? range_hash(&source, middle, end, path[len])
                               : range_hash(&source, first, middle, path[len]);
        if (err != SG_OK)
            return err;
        len++;
        if (left)
            end = middle;
        else
            first = middle;
    }
    reverse(path, len);
    return SG_OK;
}

struct leaf_array {
    enum sg_merkle_tag tag;
    const uint8_t (*leaves)[32];
};

static enum sg_err
read_array(void *arg, unsigned level, uint64_t index, uint8_t out[32])
{
    const struct leaf_array *array = arg;
    const uint64_t first = index << level;
    struct sg_merkle tree;

    sg_merkle_init(&tree, array->tag);
    for (uint64_t i = 0; i < UINT64_C(1) << level; i++) {
        enum sg_err err = sg_merkle_add(&tree, array->leaves[first + i]);
        if (err != SG_OK)
            return err;
    }
    sg_merkle_root(&tree, out);
    return SG_OK;
}

void
sg_merkle_path_of(enum sg_merkle_tag tag, uint64_t index,
                  const uint8_t (*leaves)[32], uint64_t count,
                  uint8_t path[SG_MERKLE_DEPTH][32])
{
    struct leaf_array array = {tag, leaves};
    enum sg_err err =
        sg_merkle_path(tag, index, count, read_array, &array, path);

    SG_ASSERT(err == SG_OK); // reading an array cannot fail
}

// ---- verifying -------------------------------------------------------------

bool
sg_merkle_climb(enum sg_merkle_tag tag, const struct sg_merkle_place *place,
                const uint8_t leaf[32], uint8_t root[32])
{
    uint64_t node = place->index, last = place->count - 1;

    if (place->count > leaves_max || place->index >= place->count)
        return false;
    memcpy(root, leaf, 32);
    for (size_t i = 0; i < place->path_len; i++) {
        if (last == 0)
            return false; // too long
        if ((node & 1) != 0 || node == last) {
            sg_merkle_node(tag, place->path[i], root, root);
            while (node != 0 && (node & 1) == 0) { // no right side up to there
                node >>= 1;
                last >>= 1;
            }
        } else {
            sg_merkle_node(tag, root, place->path[i], root);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0; // else too short
}

bool
sg_merkle_verify(enum sg_merkle_tag tag, const struct sg_merkle_place *place,
                 const uint8_t leaf[32], const uint8_t root[32])
{
    uint8_t reached[32];

    return sg_merkle_climb(tag, place, leaf, reached) &&
           memcmp(reached, root, 32) == 0;
}

enum sg_err
sg_merkle_consistency(enum sg_merkle_tag tag, uint64_t old_count,
                      uint64_t count, sg_merkle_read read, void *arg,
                      struct sg_merkle_proof *proof)
{
    const struct source source = {tag, read, arg};
    uint64_t first = 0, end = count;
    bool known = true; // the verifier has the hash of [first, old_count)
    size_t len = 0;
    enum sg_err err = SG_OK;

    SG_ASSERT(old_count > 0 && old_count <= count && count <= leaves_max);
    proof->len = 0;
    while (old_count != end && err == SG_OK) {
        const uint64_t middle = first + split_of(end - first);
        if (old_count <= middle) {
            err = range_hash(&source, middle, end, proof->hashes[len++]);
            end = middle;
        } else {
            err = range_hash(&source, first, middle, proof->hashes[len++]);
            first = middle;
            known = false;
        }
    }
    if (err == SG_OK && !known)
        err = range_hash(&source, first, end, proof->hashes[len++]);
    if (err != SG_OK)
        return err;
    reverse(proof->hashes, len);
    proof->len = len;
    return SG_OK;
}

bool
sg_merkle_consistent(enum sg_merkle_tag tag, const struct sg_merkle_head *older,
                     const struct sg_merkle_head *newer,
                     const uint8_t (*proof)[32], size_t proof_len)
{
    uint64_t node = older->count - 1, last = newer->count - 1;
    uint8_t from[32], to[32]; // what leads to the old root, to the new one
    size_t at = 0;

    if (older->count == 0 || older->count > newer->count ||
        newer->count > leaves_max)
        return false;
    if (older->count == newer->count)
        return proof_len == 0 && memcmp(older->root, newer->root, 32) == 0;
    for (; (node & 1) != 0; last >>= 1)
        node >>= 1;
    // A power of two: the old root is a whole subtree and is not sent again.
    const bool whole = (older->count & (older->count - 1)) == 0;
    if (!whole && proof_len == 0)
        return false;
    memcpy(from, whole ? older->root : proof[at++], 32);
    memcpy(to, from, 32);
    for (; at < proof_len; at++, node >>= 1, last >>= 1) {
        if (last == 0)
            return false;
        if ((node & 1) == 0 && node != last) {
            sg_merkle_node(tag, to, proof[at], to);
            continue;
        }
        sg_merkle_node(tag, proof[at], from, from);
        sg_merkle_node(tag, proof[at], to, to);
        for (; node != 0 && (node & 1) == 0; last >>= 1)
            node >>= 1;
    }
    return last == 0 && memcmp(from, older->root, 32) == 0 &&
           memcmp(to, newer->root, 32) == 0;
}
