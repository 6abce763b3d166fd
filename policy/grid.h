// grid - one policy file as rows of bits: box b is in row (dimension, code)
// when it allows that code. Internal to policy/.
//
// Boxes lie in blocks of 512: first all blocks of forbids, then of holds, then
// of permits. Each row begins with its summary, one bit a block.
#pragma once

#include "policy/ast.h"

enum { SG_GRID_BLOCK_WORDS = 8, SG_GRID_BLOCK_BITS = 512 };

struct sg_grid_dim {
    const uint64_t *const *rows; // by code: summary words, then block words
    uint8_t dim;
};

struct sg_grid {
    const struct sg_file *file;
    uint16_t index; // of the file in its set
    uint32_t blocks, forbid_blocks, hold_blocks;
    uint32_t summary_words; // padded to whole cache lines
    struct sg_grid_dim dims[SG_DIM_COUNT];
    uint32_t dims_count;
    const uint16_t *box_rule; // by bit: rule index in the file
};

struct sg_grid_span { // of struct sg_rules.lists
    uint32_t first, count;
};

struct sg_rules {
    const struct sg_policy_set *set;
    uint64_t generation;
    uint32_t from, until;
    struct sg_grid *grids;         // one a file, in force or not
    uint32_t codes[SG_ATTR_COUNT]; // numbers below are codes,
    uint16_t holes[SG_ATTR_COUNT]; // but for these of the first 16
    uint64_t required;             // attributes, as bits
    uint64_t pairs;                // comparisons that some grid looks at
    // In force: files by place, and the others.
    uint16_t *lists;
    struct sg_grid_span export_of[SG_PLACE_COUNT], import_of[SG_PLACE_COUNT];
    struct sg_grid_span hubs, import_default;
    // By place: the first one that no rule tells apart from it.
    uint16_t area_like[SG_PLACE_COUNT], counterpart_like[SG_PLACE_COUNT];
};

// The grid of a file for a day. SG_ERR_FULL: the arena.
SG_MUST_CHECK enum sg_err sg_grid_make(struct sg_arena *arena,
                                       const struct sg_policy_set *set,
                                       uint16_t index, uint32_t day,
                                       struct sg_grid *grid);
