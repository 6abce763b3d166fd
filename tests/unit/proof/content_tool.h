// content_tool - small ways into content.h for its tests.
#pragma once

#include "schemas/proof/content.h"
#include "tests/unit/proof/fixture.h"

static const struct sg_content_component tool_components[] = {
    {SG_CONTENT_DIMENSION, {(const uint8_t *)"REF_AREA", 8}},
    {SG_CONTENT_TIME, {(const uint8_t *)"TIME_PERIOD", 11}},
    {SG_CONTENT_MEASURE, {(const uint8_t *)"OBS_VALUE", 9}},
};

struct tool_tree {
    struct sg_arena *arena;
    uint8_t id[16], seed[16], root[32];
    struct sg_slice *rows;
    uint64_t count;
    struct sg_content_part parts[8];
    struct sg_content_header header;
};

// Root of rows under tree->id, tree->seed; fills header and root. Action of row
// i: actions[i], or 'M' when actions is NULL.
static inline void
tool_build(struct tool_tree *tree, const uint8_t *actions)
{
    struct sg_content_builder b;

    sg_content_begin(&b, tree->id, tree->seed, tree->parts,
                     SG_COUNT_OF(tree->parts));
    for (uint64_t i = 0; i < tree->count; i++)
        assert_int_equal(sg_content_add(&b, actions == NULL ? 'M' : actions[i],
                                        tree->rows[i]),
                         SG_OK);
    assert_int_equal(sg_content_root(&b, SG_CONTENT_ROW, tool_components,
                                     SG_COUNT_OF(tool_components), tree->arena,
                                     tree->root),
                     SG_OK);
    tree->header = (struct sg_content_header){
        .level = SG_CONTENT_ROW,
        .components = tool_components,
        .component_count = SG_COUNT_OF(tool_components),
        .parts = tree->parts,
        .part_count = b.part_count,
    };
    memcpy(tree->header.id, tree->id, 16);
    sg_content_end(&b);
}

// Runs of what is withheld; room for count / 2 + 1.
static inline size_t
tool_runs(const bool *withheld, uint64_t count, struct sg_content_run *runs)
{
    size_t n = 0;

    for (uint64_t i = 0; i < count; i++) {
        if (!withheld[i])
            continue;
        if (n > 0 && runs[n - 1].start + runs[n - 1].count == i)
            runs[n - 1].count++;
        else
            runs[n++] = (struct sg_content_run){i, 1};
    }
    return n;
}

static inline struct sg_slice
tool_prove(const struct tool_tree *tree, const struct sg_content_run *runs,
           size_t run_count)
{
    struct sg_content_prover prover;
    uint64_t len = 0, number;

    assert_int_equal(sg_content_proof_len(&tree->header, runs, run_count, &len),
                     SG_OK);
    uint8_t *bytes = sg_arena_take(tree->arena, len);
    assert_non_null(bytes);
    struct sg_writer w = sg_writer_on(bytes, len);
    assert_int_equal(sg_content_prove_begin(&prover, &tree->header, tree->seed,
                                            runs, run_count, &w),
                     SG_OK);
    while (sg_content_prove_next(&prover, &number))
        sg_content_prove_add(&prover, tree->rows[number]);
    assert_int_equal(sg_content_prove_end(&prover), SG_OK);
    assert_int_equal(w.len, len); // the length told before is exact
    return sg_writer_slice(&w);
}

// As a reader does: the count first, then row by row.
static inline enum sg_content_result
tool_verify(const uint8_t root[32], struct sg_slice proof,
            const struct sg_slice *rows, uint64_t count)
{
    struct sg_content_verifier v;
    enum sg_content_result result = sg_content_verify_begin(&v, root, proof);

    if (result == SG_CONTENT_OK && v.disclosed != count)
        result = SG_CONTENT_COUNT;
    for (uint64_t i = 0; i < count && result == SG_CONTENT_OK; i++)
        result = sg_content_verify_add(&v, rows[i]);
    return result == SG_CONTENT_OK ? sg_content_verify_end(&v) : result;
}

static inline size_t
tool_disclosed(const struct tool_tree *tree, const bool *withheld,
               struct sg_slice *out)
{
    size_t n = 0;

    for (uint64_t i = 0; i < tree->count; i++) {
        if (!withheld[i])
            out[n++] = tree->rows[i];
    }
    return n;
}
