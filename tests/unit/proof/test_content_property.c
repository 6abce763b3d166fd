// Random trees and withheld sets: honest proofs hold, lies do not, and no seed
// stands above a leaf that is withheld (decisions-security S19).
#include "tests/unit/proof/content_tool.h"

enum { LEAVES_MAX = 90, ROUNDS = 600 };

static struct tool_tree *
random_tree(struct sg_arena *arena, uint64_t *seed)
{
    struct tool_tree *tree = sg_arena_take(arena, sizeof *tree);
    uint8_t actions[LEAVES_MAX];
    static const uint8_t letters[] = {'M', 'R', 'D'};
    uint8_t action = 0;

    assert_non_null(tree);
    tree->arena = arena;
    tree->count = 1 + draw(seed) % LEAVES_MAX;
    draw_bytes(seed, tree->id, 16);
    draw_bytes(seed, tree->seed, 16);
    tree->rows = sg_arena_take(arena, LEAVES_MAX * sizeof *tree->rows);
    assert_non_null(tree->rows);
    for (uint64_t i = 0; i < tree->count; i++) {
        const size_t len = draw(seed) % 120;
        uint8_t *row = sg_arena_take(arena, len + 1);
        assert_non_null(row);
        draw_bytes(seed, row, len);
        tree->rows[i] = sg_slice_of(row, len);
        if (action < 2 && draw(seed) % 40 == 0)
            action++;
        actions[i] = letters[action];
    }
    tool_build(tree, actions);
    return tree;
}

static void
random_withheld(const struct tool_tree *tree, uint64_t *seed, bool *withheld)
{
    const uint64_t every = 1 + draw(seed) % 12;
    bool now = false;

    for (uint64_t i = 0; i < tree->count; i++) {
        if (draw(seed) % every == 0)
            now = draw(seed) % 2 == 0;
        withheld[i] = now;
    }
}

// Salt of one leaf, straight from the root seed: content-root.md 4.
static void
salt_of(const struct tool_tree *tree, unsigned level, uint64_t index,
        uint8_t out[16])
{
    memcpy(out, tree->seed, 16);
    for (unsigned l = 40; l > level; l--) {
        uint8_t text[42] = {0x13}, pair[32];
        const uint64_t node = (index << level) >> l;
        memcpy(text + 1, tree->id, 16);
        text[17] = (uint8_t)l;
        sg_bytes_store_u64(text + 18, node);
        memcpy(text + 26, out, 16);
        sg_crypto_sha256(text, sizeof text, pair);
        const bool right = ((index << level) >> (l - 1) & 1) != 0;
        memcpy(out, pair + (right ? 16 : 0), 16);
    }
}

// Does any seed of the tree above or at a withheld leaf stand in the proof, at
// any byte of it?
static bool
leaks(const struct tool_tree *tree, const bool *withheld, struct sg_slice proof)
{
    for (uint64_t leaf = 0; leaf < tree->count; leaf++) {
        for (unsigned level = 0; withheld[leaf] && level <= 7; level++) {
            uint8_t seed[16];
            salt_of(tree, level, leaf >> level, seed);
            for (size_t at = 0; at + 16 <= proof.len; at++) {
                if (memcmp(proof.ptr + at, seed, 16) == 0)
                    return true;
            }
        }
    }
    return false;
}

static void
honest_proofs_hold_and_show_no_seed_of_a_withheld_leaf(void **state)
{
    uint64_t seed = 20261124;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct sg_arena *arena = new_arena();
        struct tool_tree *tree = random_tree(arena, &seed);
        bool withheld[LEAVES_MAX];
        struct sg_slice shown[LEAVES_MAX];
        struct sg_content_run runs[LEAVES_MAX / 2 + 1];

        random_withheld(tree, &seed, withheld);
        const size_t run_count = tool_runs(withheld, tree->count, runs);
        struct sg_slice proof = tool_prove(tree, runs, run_count);
        const size_t count = tool_disclosed(tree, withheld, shown);
        assert_int_equal(tool_verify(tree->root, proof, shown, count),
                         SG_CONTENT_OK);
        assert_false(leaks(tree, withheld, proof));
        assert_int_equal(
            sg_content_proof_check(proof, tree->seed, runs, run_count), SG_OK);
        sg_arena_free(&arena);
    }
}

// A row withheld that was shown, or shown that was withheld, in the same proof.
static void
another_withheld_set_does_not_fit_the_proof(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct sg_arena *arena = new_arena();
        struct tool_tree *tree = random_tree(arena, &seed);
        bool withheld[LEAVES_MAX], other[LEAVES_MAX];
        struct sg_slice shown[LEAVES_MAX];
        struct sg_content_run runs[LEAVES_MAX / 2 + 1];

        random_withheld(tree, &seed, withheld);
        memcpy(other, withheld, sizeof other);
        other[draw(&seed) % tree->count] ^= true;
        struct sg_slice proof =
            tool_prove(tree, runs, tool_runs(withheld, tree->count, runs));
        const size_t count = tool_disclosed(tree, other, shown);
        assert_int_equal(tool_verify(tree->root, proof, shown, count),
                         SG_CONTENT_COUNT);
        // The second look sees that the proof is for another set.
        const size_t n = tool_runs(other, tree->count, runs);
        assert_int_equal(sg_content_proof_check(proof, tree->seed, runs, n),
                         SG_ERR_CORRUPT);
        sg_arena_free(&arena);
    }
}

static void
twelve_thousand_mutations_of_proofs_are_refused(void **state)
{
    uint64_t seed = 99;
    unsigned refused = 0;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct sg_arena *arena = new_arena();
        struct tool_tree *tree = random_tree(arena, &seed);
        bool withheld[LEAVES_MAX];
        struct sg_slice shown[LEAVES_MAX];
        struct sg_content_run runs[LEAVES_MAX / 2 + 1];

        random_withheld(tree, &seed, withheld);
        struct sg_slice proof =
            tool_prove(tree, runs, tool_runs(withheld, tree->count, runs));
        const size_t count = tool_disclosed(tree, withheld, shown);
        uint8_t *bytes = sg_arena_take(arena, proof.len);
        assert_non_null(bytes);
        for (unsigned i = 0; i < 200; i++, refused++) {
            memcpy(bytes, proof.ptr, proof.len);
            for (uint64_t n = 1 + draw(&seed) % 3; n > 0; n--) {
                const size_t at = draw(&seed) % proof.len;
                const uint8_t was = bytes[at];
                do
                    bytes[at] = (uint8_t)draw(&seed);
                while (bytes[at] == was);
            }
            if (memcmp(bytes, proof.ptr, proof.len) == 0)
                continue;
            assert_int_not_equal(tool_verify(tree->root,
                                             sg_slice_of(bytes, proof.len),
                                             shown, count),
                                 SG_CONTENT_OK);
        }
        sg_arena_free(&arena);
    }
    assert_int_equal(refused, 12000);
}

// What a faulty prover would send: a seed one level too high, the two seeds of
// a withheld span in the place of its hash.
static void
the_second_look_stops_a_proof_that_gives_too_much(void **state)
{
    struct sg_arena *arena = new_arena();
    uint64_t seed = 5;
    struct tool_tree *tree = random_tree(arena, &seed);
    static const struct sg_content_run run = {2, 2};
    uint8_t wrong[16];

    (void)state;
    while (tree->count < 8)
        tree = random_tree(arena, &seed);
    struct sg_slice proof = tool_prove(tree, &run, 1);
    uint8_t *bytes = sg_arena_take(arena, proof.len);
    assert_non_null(bytes);
    assert_int_equal(sg_content_proof_check(proof, tree->seed, &run, 1), SG_OK);

    // Nodes: seed of [0,2), hash of [2,4), seed of [4,8), ...
    const size_t nodes =
        4 + sg_content_header_len(&tree->header) + 3; // one run: 3 bytes
    memcpy(bytes, proof.ptr, proof.len);
    salt_of(tree, 1, 0, wrong);
    assert_memory_equal(bytes + nodes, wrong, 16);
    salt_of(tree, 2, 0, wrong); // above [2,4)
    memcpy(bytes + nodes, wrong, 16);
    assert_int_equal(sg_content_proof_check(sg_slice_of(bytes, proof.len),
                                            tree->seed, &run, 1),
                     SG_ERR_CORRUPT);
    for (unsigned level = 0; level < 2; level++) {
        for (unsigned half = 0; half < 2; half++) {
            memcpy(bytes, proof.ptr, proof.len);
            salt_of(tree, level, level == 0 ? 2 + half : 1, wrong);
            memcpy(bytes + nodes + 16 + 16 * (size_t)half, wrong, 16);
            assert_int_equal(
                sg_content_proof_check(sg_slice_of(bytes, proof.len),
                                       tree->seed, &run, 1),
                SG_ERR_CORRUPT);
        }
    }
    sg_arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            honest_proofs_hold_and_show_no_seed_of_a_withheld_leaf),
        cmocka_unit_test(another_withheld_set_does_not_fit_the_proof),
        cmocka_unit_test(twelve_thousand_mutations_of_proofs_are_refused),
        cmocka_unit_test(the_second_look_stops_a_proof_that_gives_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
