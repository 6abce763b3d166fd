// What content.h promises: vectors of content-root.md, strictness, seeds.
#include "tests/unit/proof/content_tool.h"
#include "tests/unit/proof/vectors5.h"

static struct tool_tree *
vector_of_five(struct sg_arena *arena)
{
    struct tool_tree *tree = sg_arena_take(arena, sizeof *tree);

    assert_non_null(tree);
    tree->arena = arena;
    tree->count = 5;
    memcpy(tree->id, hex(arena, vector_id).ptr, 16);
    memcpy(tree->seed, hex(arena, vector_seed).ptr, 16);
    tree->rows = sg_arena_take(arena, 5 * sizeof *tree->rows);
    assert_non_null(tree->rows);
    for (size_t i = 0; i < 5; i++)
        tree->rows[i] = hex(arena, vector_rows[i]);
    tool_build(tree, NULL);
    return tree;
}

static void
five_rows_have_the_published_root(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);

    (void)state;
    assert_memory_equal(tree->root, hex(arena, vector_root).ptr, 32);
    sg_arena_free(&arena);
}

static void
no_rows_have_the_published_root(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree tree = {.arena = arena};

    (void)state;
    memcpy(tree.id, hex(arena, vector_id).ptr, 16);
    memcpy(tree.seed, hex(arena, vector_empty_seed).ptr, 16);
    tool_build(&tree, NULL);
    assert_memory_equal(tree.root, hex(arena, vector_empty_root).ptr, 32);
    struct sg_slice proof = tool_prove(&tree, NULL, 0);
    assert_int_equal(tool_verify(tree.root, proof, NULL, 0), SG_CONTENT_OK);
    sg_arena_free(&arena);
}

static void
every_published_proof_is_written_and_taken(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(vector_proofs); i++) {
        const struct vector_proof *v = &vector_proofs[i];
        struct sg_content_run runs[3];
        struct sg_slice rows[5];
        const size_t run_count = tool_runs(v->withheld, 5, runs);
        struct sg_slice want = hex(arena, v->proof);
        struct sg_slice got = tool_prove(tree, runs, run_count);

        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.ptr, want.ptr, want.len);
        assert_int_equal(
            sg_content_proof_check(got, tree->seed, runs, run_count), SG_OK);
        const size_t shown = tool_disclosed(tree, v->withheld, rows);
        assert_int_equal(tool_verify(tree->root, want, rows, shown),
                         SG_CONTENT_OK);
    }
    sg_arena_free(&arena);
}

// A number of runs that the bytes cannot hold is over its limit.
static bool
is_short(enum sg_content_result result)
{
    return result == SG_CONTENT_SHORT || result == SG_CONTENT_LIMIT;
}

static void
a_proof_changed_in_any_bit_or_cut_anywhere_is_refused(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(vector_proofs); i++) {
        struct sg_slice rows[5];
        const size_t shown =
            tool_disclosed(tree, vector_proofs[i].withheld, rows);
        struct sg_slice proof = hex(arena, vector_proofs[i].proof);
        uint8_t *bytes = sg_arena_take(arena, proof.len);

        assert_non_null(bytes);
        for (size_t bit = 0; bit < proof.len * 8; bit++, refused++) {
            memcpy(bytes, proof.ptr, proof.len);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(tool_verify(tree->root,
                                             sg_slice_of(bytes, proof.len),
                                             rows, shown),
                                 SG_CONTENT_OK);
        }
        for (size_t len = 0; len < proof.len; len++, refused++)
            assert_true(is_short(tool_verify(
                tree->root, sg_slice_of(proof.ptr, len), rows, shown)));
    }
    assert_true(refused > 4000);
    sg_arena_free(&arena);
}

// One mutation of a header each, all well formed: another root every time.
static void
everything_in_the_header_is_under_the_root(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    static const uint8_t actions[][5] = {{'R', 'R', 'R', 'R', 'R'},
                                         {'D', 'D', 'D', 'D', 'D'},
                                         {'M', 'M', 'M', 'M', 'R'},
                                         {'D', 'M', 'M', 'M', 'M'}};
    uint8_t first[32];

    (void)state;
    memcpy(first, tree->root, 32);
    for (size_t i = 0; i < SG_COUNT_OF(actions); i++) {
        tool_build(tree, actions[i]);
        assert_memory_not_equal(tree->root, first, 32);
    }
    tree->id[3] ^= 1;
    tool_build(tree, NULL);
    assert_memory_not_equal(tree->root, first, 32);
    tree->id[3] ^= 1;
    tree->seed[15] ^= 1;
    tool_build(tree, NULL);
    assert_memory_not_equal(tree->root, first, 32);
    tree->seed[15] ^= 1;
    tree->count = 4;
    tool_build(tree, NULL);
    assert_memory_not_equal(tree->root, first, 32);
    sg_arena_free(&arena);
}

// Strictness that the vectors do not reach: header bytes and what they give.
static void
headers_out_of_form_are_named(void **state)
{
    static const struct {
        const char *why, *after_id; // what follows the id
        uint8_t suite, level;
        enum sg_content_result result;
    } cases[] = {
        {"suite", "0000", 2, 2, SG_CONTENT_FORMAT},
        {"level", "0000", 1, 3, SG_CONTENT_FORMAT},
        {"blind level is not built", "0000", 1, 0x12, SG_CONTENT_FORMAT},
        {"kind", "0104014100", 1, 2, SG_CONTENT_FORMAT},
        {"flag of a kind", "0140014100", 1, 2, SG_CONTENT_FORMAT},
        {"empty id", "01000000", 1, 2, SG_CONTENT_FORMAT},
        {"257 components", "8102", 1, 2, SG_CONTENT_LIMIT},
        {"id of 65 bytes", "010041", 1, 2, SG_CONTENT_LIMIT},
        {"long varint", "800000", 1, 2, SG_CONTENT_FORMAT},
        {"endless varint", "ffffffffffffffffffff00", 1, 2, SG_CONTENT_FORMAT},
        {"action I", "00014901", 1, 2, SG_CONTENT_FORMAT},
        {"part of no leaves", "00014d00", 1, 2, SG_CONTENT_FORMAT},
        {"two parts of one action", "00024d014d0100", 1, 2, SG_CONTENT_FORMAT},
        {"4097 parts", "008120", 1, 2, SG_CONTENT_LIMIT},
        {"2^40 + 1 leaves", "00014d818080808020", 1, 2, SG_CONTENT_LIMIT},
        {"2^40 and 1 leaves", "00024d8080808080205201", 1, 2, SG_CONTENT_LIMIT},
        {"file of two leaves", "00014d0200", 1, 0, SG_CONTENT_FORMAT},
        {"file that deletes", "0001440100", 1, 0, SG_CONTENT_FORMAT},
        {"file with a component", "0100014100", 1, 0, SG_CONTENT_FORMAT},
        {"more runs than bytes", "00014d0502", 1, 2, SG_CONTENT_LIMIT},
        {"run of no leaves", "00014d05010000", 1, 2, SG_CONTENT_FORMAT},
        {"run behind the end", "00014d05010501", 1, 2, SG_CONTENT_LIMIT},
        {"runs that touch", "00014d050200010001", 1, 2, SG_CONTENT_FORMAT},
    };
    struct sg_arena *arena = new_arena();

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        uint8_t bytes[64];
        const uint8_t root[32] = {0};
        struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
        struct sg_slice rest = hex(arena, cases[i].after_id);
        struct sg_content_verifier v;

        sg_bytes_put(&w, "SGR1", 4);
        sg_bytes_put_u8(&w, cases[i].suite);
        sg_bytes_put_u8(&w, cases[i].level);
        sg_bytes_put(&w, (uint8_t[16]){0}, 16);
        sg_bytes_put(&w, rest.ptr, rest.len);
        enum sg_content_result got =
            sg_content_verify_begin(&v, root, sg_writer_slice(&w));
        if (got != cases[i].result)
            fail_msg("%s: %s", cases[i].why, sg_content_result_name(got));
    }
    sg_arena_free(&arena);
}

static void
rows_swapped_missing_doubled_or_changed_are_refused(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    struct sg_slice proof = tool_prove(tree, NULL, 0);
    struct sg_slice rows[6];

    (void)state;
    memcpy(rows, tree->rows, 5 * sizeof *rows);
    rows[5] = rows[4];
    assert_int_equal(tool_verify(tree->root, proof, rows, 5), SG_CONTENT_OK);
    assert_int_equal(tool_verify(tree->root, proof, rows, 4), SG_CONTENT_COUNT);
    assert_int_equal(tool_verify(tree->root, proof, rows, 6), SG_CONTENT_COUNT);
    rows[0] = tree->rows[1];
    rows[1] = tree->rows[0];
    assert_int_equal(tool_verify(tree->root, proof, rows, 5),
                     SG_CONTENT_MISMATCH);
    memcpy(rows, tree->rows, 5 * sizeof *rows);
    rows[2] = tree->rows[1];
    assert_int_equal(tool_verify(tree->root, proof, rows, 5),
                     SG_CONTENT_MISMATCH);
    rows[2] = SG_SLICE("");
    assert_int_equal(tool_verify(tree->root, proof, rows, 5),
                     SG_CONTENT_MISMATCH);
    sg_arena_free(&arena);
}

// Who streams rows without knowing their number is stopped all the same.
static void
a_verifier_fed_too_much_or_too_little_says_count(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    struct sg_slice proof = tool_prove(tree, NULL, 0);
    struct sg_content_verifier v;

    (void)state;
    assert_int_equal(sg_content_verify_begin(&v, tree->root, proof),
                     SG_CONTENT_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(sg_content_verify_add(&v, tree->rows[i]),
                         SG_CONTENT_OK);
    assert_int_equal(sg_content_verify_add(&v, tree->rows[4]),
                     SG_CONTENT_COUNT);
    assert_int_equal(sg_content_verify_end(&v), SG_CONTENT_COUNT); // for good
    assert_int_equal(sg_content_verify_begin(&v, tree->root, proof),
                     SG_CONTENT_OK);
    assert_int_equal(sg_content_verify_add(&v, tree->rows[0]), SG_CONTENT_OK);
    assert_int_equal(sg_content_verify_end(&v), SG_CONTENT_COUNT);
    sg_arena_free(&arena);
}

static void
the_header_can_be_read_from_the_proof(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    static const uint8_t actions[] = {'M', 'M', 'R', 'D', 'D'};
    static const struct sg_content_run want[] = {{1, 1}, {3, 2}};
    struct sg_content_verifier v;
    struct sg_content_component component;
    struct sg_content_part part;
    struct sg_content_run run = {0, 0};
    size_t n = 0;

    (void)state;
    tool_build(tree, actions);
    struct sg_slice proof = tool_prove(tree, want, 2);
    assert_int_equal(sg_content_verify_begin(&v, tree->root, proof),
                     SG_CONTENT_OK);
    for (struct sg_slice at = v.components;
         sg_content_next_component(&at, &component); n++) {
        assert_int_equal(component.kind, tool_components[n].kind);
        assert_true(sg_slice_eq(component.id, tool_components[n].id));
    }
    assert_int_equal(n, 3);
    n = 0;
    for (struct sg_slice at = v.parts; sg_content_next_part(&at, &part); n++) {
        assert_int_equal(part.action, tree->parts[n].action);
        assert_int_equal(part.count, tree->parts[n].count);
    }
    assert_int_equal(n, 3);
    n = 0;
    for (struct sg_slice at = v.run_bytes; sg_content_next_run(&at, &run); n++)
        assert_memory_equal(&run, &want[n], sizeof run);
    assert_int_equal(n, 2);
    assert_int_equal(v.total, 5);
    assert_int_equal(v.withheld, 3);
    sg_arena_free(&arena);
}

static void
level_file_is_one_salted_leaf_under_the_same_rules(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    struct sg_sha256 *hash = sg_crypto_sha256_new();
    static const struct sg_content_part whole = {'M', 1};
    struct sg_slice file = SG_SLICE("REF_AREA,OBS_VALUE\nKE,1\n");
    uint8_t root[32];

    (void)state;
    assert_non_null(hash);
    sg_content_file_begin(hash, tree->id, tree->seed);
    sg_crypto_sha256_add(hash, file.ptr, 10);
    sg_crypto_sha256_add(hash, file.ptr + 10, file.len - 10);
    sg_content_file_end(hash, tree->id, root);
    sg_crypto_sha256_free(&hash);

    struct tool_tree one = {.arena = arena, .rows = &file, .count = 1};
    memcpy(one.id, tree->id, 16);
    memcpy(one.seed, tree->seed, 16);
    one.header = (struct sg_content_header){
        .level = SG_CONTENT_FILE, .parts = &whole, .part_count = 1};
    memcpy(one.header.id, tree->id, 16);
    struct sg_slice proof = tool_prove(&one, NULL, 0);
    assert_int_equal(tool_verify(root, proof, &file, 1), SG_CONTENT_OK);
    struct sg_slice other = SG_SLICE("REF_AREA,OBS_VALUE\nKE,2\n");
    assert_int_equal(tool_verify(root, proof, &other, 1), SG_CONTENT_MISMATCH);
    sg_arena_free(&arena);
}

static void
limits_and_wrong_calls_of_the_builder_are_errors(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_content_builder b;
    struct sg_content_part parts[2];
    const uint8_t zeros[16] = {0};
    uint8_t root[32];
    struct sg_content_component bad = {0x04, SG_SLICE("A")};
    struct sg_content_component many[257];

    (void)state;
    sg_content_begin(&b, zeros, zeros, parts, 2);
    assert_int_equal(sg_content_add(&b, 'A', SG_SLICE("x")), SG_ERR_FORMAT);
    assert_int_equal(sg_content_add(&b, 'M', SG_SLICE("x")), SG_OK);
    assert_int_equal(sg_content_add(&b, 'D', SG_SLICE("x")), SG_OK);
    assert_int_equal(sg_content_add(&b, 'R', SG_SLICE("x")), SG_ERR_FULL);
    assert_int_equal(b.tree.count, 2);
    assert_int_equal(sg_content_root(&b, SG_CONTENT_ROW, &bad, 1, arena, root),
                     SG_ERR_FORMAT);
    for (size_t i = 0; i < SG_COUNT_OF(many); i++)
        many[i] = (struct sg_content_component){0, SG_SLICE("A")};
    assert_int_equal(
        sg_content_root(&b, SG_CONTENT_ROW, many, 257, arena, root),
        SG_ERR_FULL);
    assert_int_equal(
        sg_content_root(&b, SG_CONTENT_ROW, many, 256, arena, root), SG_OK);
    sg_arena_free(&arena);
}

static void
headers_out_of_form_are_not_written(void **state)
{
    static const struct {
        struct sg_content_part parts[2];
        uint8_t level;
        enum sg_err err;
    } cases[] = {
        {{{'M', 1}, {'D', 1}}, SG_CONTENT_ROW, SG_OK},
        {{{'M', 1}, {'M', 1}}, SG_CONTENT_ROW, SG_ERR_FORMAT},
        {{{'M', 1}, {'I', 1}}, SG_CONTENT_ROW, SG_ERR_FORMAT},
        {{{'M', 1}, {'D', 0}}, SG_CONTENT_ROW, SG_ERR_FORMAT},
        {{{'M', 1}, {'D', 1}}, 3, SG_ERR_FORMAT},
        {{{'M', SG_LIMIT_LEAVES}, {'D', 1}}, SG_CONTENT_ROW, SG_ERR_FULL},
    };

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        uint8_t room[256];
        struct sg_writer w = sg_writer_on(room, sizeof room);
        const struct sg_content_header header = {
            .level = cases[i].level, .parts = cases[i].parts, .part_count = 2};
        assert_int_equal(sg_content_header_encode(&header, &w), cases[i].err);
        assert_int_equal(
            w.len, cases[i].err == SG_OK ? sg_content_header_len(&header) : 0);
    }
}

static void
bytes_behind_a_proof_are_long(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    struct sg_slice proof = tool_prove(tree, NULL, 0);
    uint8_t *bytes = sg_arena_take(arena, proof.len + 1);

    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, proof.ptr, proof.len);
    assert_int_equal(tool_verify(tree->root, sg_slice_of(bytes, proof.len + 1),
                                 tree->rows, 5),
                     SG_CONTENT_LONG);
    sg_arena_free(&arena);
}

static void
runs_out_of_order_are_refused_by_the_prover(void **state)
{
    static const struct sg_content_run cases[][2] = {
        {{0, 0}, {3, 1}}, // empty
        {{0, 2}, {2, 1}}, // touching
        {{3, 1}, {0, 1}}, // not ascending
        {{0, 3}, {1, 1}}, // overlapping
        {{0, 1}, {4, 2}}, // over the end
        {{0, 1}, {5, 1}}, // behind the end
        {{0, 1}, {2, UINT64_MAX}},
    };
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_content_prover prover;
        uint8_t room[512];
        struct sg_writer w = sg_writer_on(room, sizeof room);
        uint64_t len;
        assert_int_equal(sg_content_proof_len(&tree->header, cases[i], 2, &len),
                         SG_ERR_FORMAT);
        assert_int_equal(sg_content_prove_begin(&prover, &tree->header,
                                                tree->seed, cases[i], 2, &w),
                         SG_ERR_FORMAT);
    }
    sg_arena_free(&arena);
}

static void
an_unfinished_proof_is_not_given_out(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree *tree = vector_of_five(arena);
    static const struct sg_content_run run = {1, 2};
    struct sg_content_prover prover;
    uint8_t room[512];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    uint64_t number;

    (void)state;
    assert_int_equal(
        sg_content_prove_begin(&prover, &tree->header, tree->seed, &run, 1, &w),
        SG_OK);
    assert_true(sg_content_prove_next(&prover, &number));
    assert_int_equal(number, 1);
    sg_content_prove_add(&prover, tree->rows[1]);
    assert_int_equal(sg_content_prove_end(&prover), SG_ERR_SHORT);

    w = sg_writer_on(room, 40);
    assert_int_equal(
        sg_content_prove_begin(&prover, &tree->header, tree->seed, NULL, 0, &w),
        SG_OK);
    assert_int_equal(sg_content_prove_end(&prover), SG_ERR_FULL);
    sg_arena_free(&arena);
}

// What a recipient of a whole file does: the proof shows the seed of the leaf,
// never that of the release.
static void
a_proof_over_a_file_opens_its_leaf(void **state)
{
    static const struct sg_content_part whole = {'M', 1};
    struct sg_content_header header = {
        .level = SG_CONTENT_FILE, .parts = &whole, .part_count = 1};
    uint8_t id[16], seed[16], want[32], got[32], bytes[128];
    struct sg_writer out = sg_writer_on(bytes, sizeof bytes);
    struct sg_sha256 *hash = sg_crypto_sha256_new();
    struct sg_content_prover prover;
    (void)state;
    memset(id, 7, sizeof id);
    memset(seed, 9, sizeof seed);
    memcpy(header.id, id, sizeof id);
    sg_content_file_begin(hash, id, seed);
    sg_crypto_sha256_add(hash, "a file", 6);
    sg_content_file_end(hash, id, want);
    assert_int_equal(
        sg_content_prove_begin(&prover, &header, seed, NULL, 0, &out), SG_OK);
    assert_int_equal(sg_content_prove_end(&prover), SG_OK);
    const uint8_t *shown = bytes + out.len - SG_CONTENT_SEED_LEN;
    assert_memory_not_equal(shown, seed, sizeof seed);
    sg_content_file_begin_shown(hash, shown);
    sg_crypto_sha256_add(hash, "a file", 6);
    sg_content_file_end(hash, id, got);
    assert_memory_equal(got, want, sizeof want);
    sg_crypto_sha256_free(&hash);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_rows_have_the_published_root),
        cmocka_unit_test(no_rows_have_the_published_root),
        cmocka_unit_test(every_published_proof_is_written_and_taken),
        cmocka_unit_test(a_proof_changed_in_any_bit_or_cut_anywhere_is_refused),
        cmocka_unit_test(everything_in_the_header_is_under_the_root),
        cmocka_unit_test(headers_out_of_form_are_named),
        cmocka_unit_test(rows_swapped_missing_doubled_or_changed_are_refused),
        cmocka_unit_test(a_verifier_fed_too_much_or_too_little_says_count),
        cmocka_unit_test(the_header_can_be_read_from_the_proof),
        cmocka_unit_test(level_file_is_one_salted_leaf_under_the_same_rules),
        cmocka_unit_test(limits_and_wrong_calls_of_the_builder_are_errors),
        cmocka_unit_test(headers_out_of_form_are_not_written),
        cmocka_unit_test(bytes_behind_a_proof_are_long),
        cmocka_unit_test(runs_out_of_order_are_refused_by_the_prover),
        cmocka_unit_test(an_unfinished_proof_is_not_given_out),
        cmocka_unit_test(a_proof_over_a_file_opens_its_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
