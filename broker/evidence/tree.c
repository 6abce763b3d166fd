#include "broker/evidence/tree.h"

#include <string.h>

#include "broker/base/bytes.h"

// Where the hash of the complete subtree number `index` of height `level` is
// stored: after all hashes of the leaves before its last leaf, and `level`
// hashes after that leaf.
static uint64_t
node_place(unsigned level, uint64_t index)
{
    uint64_t leaf = ((index + 1) << level) - 1; // its last leaf
    uint64_t place = 0;
    for (uint64_t n = leaf; n > 0; n >>= 1)
        place += n;
    return place + level;
}

// Hashes stored for size leaves.
static uint64_t
node_count(uint64_t size)
{
    uint64_t count = 0;
    for (uint64_t n = size; n > 0; n >>= 1)
        count += n;
    return count;
}

static enum sg_err
read_node(int fd, unsigned level, uint64_t index, uint8_t out[32])
{
    return sg_disk_read(fd, node_place(level, index) * 32, out, 32);
}

static enum sg_err
open_or_make(const struct sg_disk *disk, const char *path, int *fd)
{
    return disk->open(disk->arg, path,
                      sg_disk_exists(path) ? SG_DISK_WRITE : SG_DISK_CREATE,
                      fd);
}

enum sg_err
sg_tree_open(struct sg_tree *tree, const struct sg_disk *disk, const char *dir)
{
    char path[SG_DISK_PATH];
    memset(tree, 0, sizeof(*tree));
    tree->disk = disk;
    sg_merkle_init(&tree->edge, SG_MERKLE_LOG);
    tree->nodes_fd = tree->at_fd = -1;
    if (!sg_disk_path(path, "%s/tree.nodes", dir))
        return SG_ERR_FULL;
    enum sg_err err = open_or_make(disk, path, &tree->nodes_fd);
    if (err != SG_OK)
        return err;
    if (!sg_disk_path(path, "%s/tree.at", dir))
        return SG_ERR_FULL;
    return open_or_make(disk, path, &tree->at_fd);
}

void
sg_tree_close(struct sg_tree *tree)
{
    if (tree->disk == NULL)
        return;
    if (tree->nodes_fd >= 0)
        tree->disk->close(tree->disk->arg, tree->nodes_fd);
    if (tree->at_fd >= 0)
        tree->disk->close(tree->disk->arg, tree->at_fd);
    tree->nodes_fd = tree->at_fd = -1;
}

void
sg_tree_reset(struct sg_tree *tree)
{
    tree->edge.count = tree->nodes_at = tree->at_first = 0;
    tree->nodes_count = tree->at_count = 0;
}

// The complete subtrees at the right edge of the first size leaves.
static enum sg_err
load_edge(int nodes_fd, uint64_t size, struct sg_merkle *edge)
{
    for (unsigned level = 0; level < SG_LIMIT_PATH; level++) {
        if ((size >> level & 1) == 0)
            continue;
        enum sg_err err =
            read_node(nodes_fd, level, (size >> level) - 1, edge->nodes[level]);
        if (err != SG_OK)
            return err;
    }
    edge->count = size;
    return SG_OK;
}

enum sg_err
sg_tree_load(struct sg_tree *tree, uint64_t size)
{
    uint64_t bytes;
    sg_tree_reset(tree);
    enum sg_err err = sg_disk_size(tree->at_fd, &bytes);
    if (err == SG_OK && bytes < size * 4)
        err = SG_ERR_SHORT;
    if (err == SG_OK)
        err = load_edge(tree->nodes_fd, size, &tree->edge);
    if (err != SG_OK)
        return err;
    tree->at_first = size;
    tree->nodes_at = node_count(size);
    return SG_OK;
}

enum sg_err
sg_tree_flush(struct sg_tree *tree)
{
    const struct sg_disk *disk = tree->disk;
    enum sg_err err = SG_OK;
    if (tree->nodes_count > 0)
        err = disk->write(disk->arg, tree->nodes_fd, tree->nodes_at * 32,
                          tree->nodes, (size_t)tree->nodes_count * 32);
    if (err == SG_OK && tree->at_count > 0)
        err = disk->write(disk->arg, tree->at_fd, tree->at_first * 4, tree->at,
                          (size_t)tree->at_count * 4);
    if (err != SG_OK)
        return err;
    tree->nodes_at += tree->nodes_count;
    tree->at_first += tree->at_count;
    tree->nodes_count = tree->at_count = 0;
    return SG_OK;
}

enum sg_err
sg_tree_sync(struct sg_tree *tree)
{
    enum sg_err err = sg_tree_flush(tree);
    if (err == SG_OK)
        err = tree->disk->sync(tree->disk->arg, tree->nodes_fd);
    return err == SG_OK ? tree->disk->sync(tree->disk->arg, tree->at_fd) : err;
}

enum sg_err
sg_tree_append(struct sg_tree *tree, const uint8_t leaf[32], uint32_t frame_at)
{
    // One leaf closes at most 63 subtrees.
    if (tree->nodes_count + 64 > SG_TREE_PENDING) {
        enum sg_err err = sg_tree_flush(tree);
        if (err != SG_OK)
            return err;
    }
    struct sg_merkle *edge = &tree->edge;
    uint8_t(*closed)[32] = &tree->nodes[tree->nodes_count];
    unsigned level = 0;
    sg_bytes_store_u32(tree->at[tree->at_count++], frame_at);
    memcpy(closed[0], leaf, 32);
    for (; (edge->count >> level & 1) != 0; level++)
        sg_merkle_node(SG_MERKLE_LOG, edge->nodes[level], closed[level],
                       closed[level + 1]);
    memcpy(edge->nodes[level], closed[level], 32);
    tree->nodes_count += level + 1;
    edge->count++;
    return SG_OK;
}

void
sg_tree_root(const struct sg_tree *tree, uint8_t root[32])
{
    SG_ASSERT(tree->edge.count > 0);
    sg_merkle_root(&tree->edge, root);
}

static enum sg_err
stored_node(void *arg, unsigned level, uint64_t index, uint8_t out[32])
{
    const int *fd = arg;
    return read_node(*fd, level, index, out);
}

enum sg_err
sg_tree_path(int nodes_fd, uint64_t index, uint64_t size,
             uint8_t path[SG_LIMIT_PATH][32], uint32_t *path_len)
{
    *path_len = sg_merkle_path_len(index, size);
    return sg_merkle_path(SG_MERKLE_LOG, index, size, stored_node, &nodes_fd,
                          path);
}

enum sg_err
sg_tree_root_at(int nodes_fd, uint64_t size, uint8_t root[32])
{
    struct sg_merkle edge;
    sg_merkle_init(&edge, SG_MERKLE_LOG);
    SG_ASSERT(size > 0 && size < 1ull << SG_LIMIT_PATH);
    enum sg_err err = load_edge(nodes_fd, size, &edge);
    if (err == SG_OK)
        sg_merkle_root(&edge, root);
    return err;
}

enum sg_err
sg_tree_leaf(int nodes_fd, uint64_t index, uint8_t leaf[32])
{
    return read_node(nodes_fd, 0, index, leaf);
}

enum sg_err
sg_tree_at(int at_fd, uint64_t index, uint32_t *at)
{
    uint8_t bytes[4];
    enum sg_err err = sg_disk_read(at_fd, index * 4, bytes, sizeof(bytes));
    *at = err == SG_OK ? sg_bytes_load_u32(bytes) : 0;
    return err;
}
