// content_walk - how prover and verifier go through the tree of content.h.
//
// The seed tree, leaf by leaf or span by span from left to right, and the spans
// that a proof has a node for. Shared by content*.c; nobody else includes it.
#pragma once

#include "schemas/proof/content.h"

// Pair of seeds below the node (level, index): H(13, id, level, index, seed).
void sg_content_walk_split(const uint8_t id[SG_CONTENT_ID_LEN], unsigned level,
                           uint64_t index,
                           const uint8_t seed[SG_CONTENT_SEED_LEN],
                           uint8_t pair[2 * SG_CONTENT_SEED_LEN]);
// From the node of `leaf` at level `from`, whose seed is at[from], down to the
// one at level `to`. Right seeds wait on the way.
void sg_content_walk_descend(struct sg_content_seeds *seeds, unsigned from,
                             unsigned to, uint64_t leaf);
// The node that begins at leaf, after all before it: puts its seed at the level
// returned. Asserts nothing; leaf is not 0.
unsigned sg_content_walk_next(struct sg_content_seeds *seeds, uint64_t leaf);
// H(10, seed, leaf bytes).
void sg_content_walk_leaf(const uint8_t salt[SG_CONTENT_SEED_LEN],
                          struct sg_slice leaf, uint8_t out[32]);

// Level of the smallest span from leaf 0 that holds total leaves.
unsigned sg_content_walk_top(uint64_t total);

// The span that begins at place and has a node of its own in the proof: all of
// it is withheld or none.
struct sg_content_span {
    unsigned level;
    uint64_t last; // one after its last leaf
    bool withheld;
    bool whole; // no leaf is missing on its right side
};
// run: the first one that ends behind place; count 0: none.
struct sg_content_span sg_content_walk_span(uint64_t place, uint64_t total,
                                            struct sg_content_run run);

size_t sg_content_walk_varint_len(uint64_t value);
