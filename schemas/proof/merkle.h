// merkle - the one binary hash tree: log, content, batch and chunks.
//
// Shape of RFC 6962 2.1 for any number of leaves; the first byte of every hash
// says which tree it belongs to, so that no hash of one tree is one of another
// (decisions-security S13). Works on leaf hashes; whoever owns a format makes
// them. Memory: one hash a level, no matter how many leaves.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// First byte of a leaf; that of a node is one more (formats.md 0).
enum sg_merkle_tag {
    SG_MERKLE_LOG = 0x00,
    SG_MERKLE_CONTENT = 0x10,
    SG_MERKLE_BATCH = 0x20,
    SG_MERKLE_CHUNKS = 0x30,
};

enum {
    SG_MERKLE_DEPTH = 40, // at most 2^40 leaves
    SG_MERKLE_SNAPSHOT_MAX = 8 + (SG_MERKLE_DEPTH + 1) * 32,
};

// The right edge of a growing tree: nodes[l] is the hash of a whole subtree of
// 2^l leaves where bit l of count is set. Plain data: copy it freely.
struct sg_merkle {
    uint64_t count; // leaves so far
    enum sg_merkle_tag tag;
    uint8_t nodes[SG_MERKLE_DEPTH + 1][32];
};

// H(tag, bytes) and H(tag + 1, left, right); out may be left or right.
void sg_merkle_leaf(enum sg_merkle_tag tag, struct sg_slice bytes,
                    uint8_t out[32]);
void sg_merkle_node(enum sg_merkle_tag tag, const uint8_t left[32],
                    const uint8_t right[32], uint8_t out[32]);

// ---- growing ---------------------------------------------------------------

void sg_merkle_init(struct sg_merkle *tree, enum sg_merkle_tag tag);
// SG_ERR_FULL: 2^40 leaves are there. Amortised two hashes.
SG_MUST_CHECK enum sg_err sg_merkle_add(struct sg_merkle *tree,
                                        const uint8_t leaf[32]);
// Hash of a whole subtree of 2^level leaves at once; asserts that count is a
// multiple of 2^level.
SG_MUST_CHECK enum sg_err sg_merkle_add_subtree(struct sg_merkle *tree,
                                                unsigned level,
                                                const uint8_t hash[32]);
// Of all leaves so far; none: H(""). O(log n) hashes.
void sg_merkle_root(const struct sg_merkle *tree, uint8_t root[32]);

// Snapshot: u64 count, then the nodes of its set bits, lowest first. Returns
// the bytes written, at most SG_MERKLE_SNAPSHOT_MAX.
size_t sg_merkle_save(const struct sg_merkle *tree,
                      uint8_t out[SG_MERKLE_SNAPSHOT_MAX]);
// SG_ERR_FORMAT: not exactly such bytes.
SG_MUST_CHECK enum sg_err sg_merkle_load(struct sg_merkle *tree,
                                         enum sg_merkle_tag tag,
                                         struct sg_slice bytes);

// ---- paths -----------------------------------------------------------------

// Length of the path of leaf index among count; asserts index < count <= 2^40.
unsigned sg_merkle_path_len(uint64_t index, uint64_t count);

// Hash of the whole subtree number `index` of 2^level leaves; level 0: a leaf.
typedef enum sg_err (*sg_merkle_read)(void *arg, unsigned level, uint64_t index,
                                      uint8_t out[32]);
// Inclusion path, leaf upwards (RFC 6962 2.1.1), path_len hashes of it. Asserts
// index < count. Errors of read. O(log^2 n) reads at most.
SG_MUST_CHECK enum sg_err sg_merkle_path(enum sg_merkle_tag tag, uint64_t index,
                                         uint64_t count, sg_merkle_read read,
                                         void *arg,
                                         uint8_t path[SG_MERKLE_DEPTH][32]);
// The same from an array of all leaf hashes. O(count).
void sg_merkle_path_of(enum sg_merkle_tag tag, uint64_t index,
                       const uint8_t (*leaves)[32], uint64_t count,
                       uint8_t path[SG_MERKLE_DEPTH][32]);

// Where a leaf stands, and the path that shows it. Borrowed.
struct sg_merkle_place {
    uint64_t index, count;
    const uint8_t (*path)[32]; // leaf upwards
    size_t path_len;
};

// The root that leaf and path lead to; false: index, count and path_len do not
// belong together (RFC 9162 2.1.3.2, but the length must be exact).
SG_MUST_CHECK bool sg_merkle_climb(enum sg_merkle_tag tag,
                                   const struct sg_merkle_place *place,
                                   const uint8_t leaf[32], uint8_t root[32]);
SG_MUST_CHECK bool sg_merkle_verify(enum sg_merkle_tag tag,
                                    const struct sg_merkle_place *place,
                                    const uint8_t leaf[32],
                                    const uint8_t root[32]);

// ---- consistency (RFC 9162 2.1.4) --------------------------------------------

struct sg_merkle_proof {
    size_t len;
    uint8_t hashes[SG_MERKLE_DEPTH + 1][32];
};

// That all `count` leaves begin with the first `old_count`. Asserts
// 0 < old_count <= count. Errors of read.
SG_MUST_CHECK enum sg_err sg_merkle_consistency(enum sg_merkle_tag tag,
                                                uint64_t old_count,
                                                uint64_t count,
                                                sg_merkle_read read, void *arg,
                                                struct sg_merkle_proof *proof);

struct sg_merkle_head {
    uint64_t count;
    uint8_t root[32];
};

// false also for an older head of no leaves, or of more than the newer one.
SG_MUST_CHECK bool sg_merkle_consistent(enum sg_merkle_tag tag,
                                        const struct sg_merkle_head *older,
                                        const struct sg_merkle_head *newer,
                                        const uint8_t (*proof)[32],
                                        size_t proof_len);
