// tree - the hashes of the evidence log, stored so that proofs are O(log n).
//
// Owns evidence/tree.nodes (every complete subtree's hash, 32 bytes each, in the
// order in which they become complete: the leaf, then the parents it closes) and
// evidence/tree.at (u32 a leaf: where its frame begins in its segment). Both
// follow from the log and are written again after a crash. The right edge is in
// memory. Tree: RFC 6962 2.1, leaf H(00, entry), node H(01, left, right).
// One thread appends; another may read what was flushed, by its own sg_tree_path
// on the same descriptors.
#pragma once

#include <stdint.h>

#include "broker/base/limits.h"
#include "broker/evidence/disk.h"
#include "schemas/proof/merkle.h"

enum { SG_TREE_PENDING = 1024 }; // hashes kept before a write

struct sg_tree {
    const struct sg_disk *disk;
    int nodes_fd, at_fd;
    struct sg_merkle edge; // count and right edge
    uint8_t nodes[SG_TREE_PENDING][32];
    uint64_t nodes_at; // index of nodes[0] in the file
    uint32_t nodes_count;
    uint8_t at[SG_TREE_PENDING][4];
    uint64_t at_first;
    uint32_t at_count;
};

// Opens or makes the two files in the folder dir.
SG_MUST_CHECK enum sg_err
sg_tree_open(struct sg_tree *tree, const struct sg_disk *disk, const char *dir);
void sg_tree_close(struct sg_tree *tree);

// Begins again with no leaves; the files are written over.
void sg_tree_reset(struct sg_tree *tree);
// Takes the first size leaves as they are stored and leaves it to the caller to
// compare sg_tree_root with what he knows. SG_ERR_SHORT: not so many are there.
SG_MUST_CHECK enum sg_err sg_tree_load(struct sg_tree *tree, uint64_t size);

SG_MUST_CHECK enum sg_err
sg_tree_append(struct sg_tree *tree, const uint8_t leaf[32], uint32_t frame_at);
// Writes what is pending, so that readers see it; sync makes it durable too.
SG_MUST_CHECK enum sg_err sg_tree_flush(struct sg_tree *tree);
SG_MUST_CHECK enum sg_err sg_tree_sync(struct sg_tree *tree);
// Root over all leaves; asserts at least one. O(log n).
void sg_tree_root(const struct sg_tree *tree, uint8_t root[32]);

// Audit path of leaf index in the tree of the first size leaves, leaf upwards
// (RFC 6962 2.1.1). Asserts index < size. O(log n) reads.
SG_MUST_CHECK enum sg_err sg_tree_path(int nodes_fd, uint64_t index,
                                       uint64_t size,
                                       uint8_t path[SG_LIMIT_PATH][32],
                                       uint32_t *path_len);
// Root of the first size leaves; asserts size > 0.
SG_MUST_CHECK enum sg_err sg_tree_root_at(int nodes_fd, uint64_t size,
                                          uint8_t root[32]);
// Leaf hash and place of its frame.
SG_MUST_CHECK enum sg_err sg_tree_leaf(int nodes_fd, uint64_t index,
                                       uint8_t leaf[32]);
SG_MUST_CHECK enum sg_err sg_tree_at(int at_fd, uint64_t index, uint32_t *at);
