// RFC 6962 trees: against the definition, against lies, through a snapshot.
#include "schemas/proof/merkle.h"
#include "tests/unit/proof/fixture.h"

enum { LEAVES = 70 };

static uint8_t leaves[LEAVES][32];

// MTH of RFC 6962 2.1, word for word.
static void
by_definition(enum sg_merkle_tag tag, const uint8_t (*d)[32], uint64_t n,
              uint8_t out[32])
{
    uint8_t left[32], right[32];
    uint64_t k = 1;

    if (n == 1) {
        memcpy(out, d[0], 32);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    by_definition(tag, d, k, left);
    by_definition(tag, d + k, n - k, right);
    sg_merkle_node(tag, left, right, out);
}

static int
set_up(void **state)
{
    (void)state;
    assert_int_equal(sg_crypto_start(), SG_OK);
    for (uint8_t i = 0; i < LEAVES; i++)
        sg_merkle_leaf(SG_MERKLE_LOG, sg_slice_of(&i, 1), leaves[i]);
    return 0;
}

static const uint8_t (*as_const(void))[32]
{
    return (const uint8_t(*)[32])leaves;
}

static enum sg_err
read_leaves(void *arg, unsigned level, uint64_t index, uint8_t out[32])
{
    (void)arg;
    by_definition(SG_MERKLE_LOG, as_const() + (index << level),
                  UINT64_C(1) << level, out);
    return SG_OK;
}

static enum sg_err
read_fails(void *arg, unsigned level, uint64_t index, uint8_t out[32])
{
    (void)arg;
    (void)level;
    (void)index;
    (void)out;
    return SG_ERR_IO;
}

static bool
verify(enum sg_merkle_tag tag, uint64_t index, uint64_t count,
       const uint8_t leaf[32], const uint8_t (*path)[32], size_t len,
       const uint8_t root[32])
{
    const struct sg_merkle_place place = {index, count, path, len};

    return sg_merkle_verify(tag, &place, leaf, root);
}

static void
a_growing_tree_has_the_root_of_the_definition(void **state)
{
    struct sg_merkle tree;
    uint8_t want[32], got[32];

    (void)state;
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    sg_merkle_root(&tree, got);
    sg_crypto_sha256("", 0, want);
    assert_memory_equal(got, want, 32);
    for (uint64_t n = 1; n <= LEAVES; n++) {
        assert_int_equal(sg_merkle_add(&tree, leaves[n - 1]), SG_OK);
        sg_merkle_root(&tree, got);
        by_definition(SG_MERKLE_LOG, as_const(), n, want);
        assert_memory_equal(got, want, 32);
    }
}

static void
a_tree_goes_on_from_its_snapshot(void **state)
{
    uint8_t bytes[SG_MERKLE_SNAPSHOT_MAX + 1], want[32], got[32];

    (void)state;
    for (uint64_t n = 0; n < LEAVES; n++) {
        struct sg_merkle tree, again;
        sg_merkle_init(&tree, SG_MERKLE_LOG);
        for (uint64_t i = 0; i < n; i++)
            assert_int_equal(sg_merkle_add(&tree, leaves[i]), SG_OK);
        size_t len = sg_merkle_save(&tree, bytes);
        assert_int_equal(
            sg_merkle_load(&again, SG_MERKLE_LOG, sg_slice_of(bytes, len)),
            SG_OK);
        assert_int_equal(sg_merkle_add(&again, leaves[n]), SG_OK);
        sg_merkle_root(&again, got);
        by_definition(SG_MERKLE_LOG, as_const(), n + 1, want);
        assert_memory_equal(got, want, 32);
        bytes[len] = 0;
        assert_int_equal(
            sg_merkle_load(&again, SG_MERKLE_LOG, sg_slice_of(bytes, len + 1)),
            SG_ERR_FORMAT);
        assert_int_equal(
            sg_merkle_load(&again, SG_MERKLE_LOG, sg_slice_of(bytes, len - 1)),
            SG_ERR_FORMAT);
    }
    memset(bytes, 0xff, 8);
    struct sg_merkle huge;
    assert_int_equal(
        sg_merkle_load(&huge, SG_MERKLE_LOG, sg_slice_of(bytes, sizeof bytes)),
        SG_ERR_FORMAT);
}

static void
a_full_tree_takes_no_leaf_more(void **state)
{
    struct sg_merkle tree;

    (void)state;
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    assert_int_equal(sg_merkle_add_subtree(&tree, 39, leaves[0]), SG_OK);
    assert_int_equal(sg_merkle_add_subtree(&tree, 39, leaves[1]), SG_OK);
    assert_int_equal(tree.count, UINT64_C(1) << 40);
    assert_int_equal(sg_merkle_add(&tree, leaves[2]), SG_ERR_FULL);
    assert_int_equal(sg_merkle_add_subtree(&tree, 40, leaves[2]), SG_ERR_FULL);
    assert_int_equal(tree.count, UINT64_C(1) << 40);
}

static void
every_path_verifies_at_its_own_place_only(void **state)
{
    uint8_t path[SG_MERKLE_DEPTH][32], stored[SG_MERKLE_DEPTH][32], root[32];

    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        by_definition(SG_MERKLE_LOG, as_const(), n, root);
        for (uint64_t i = 0; i < n; i++) {
            const unsigned len = sg_merkle_path_len(i, n);
            const uint8_t(*p)[32] = (const uint8_t(*)[32])path;

            sg_merkle_path_of(SG_MERKLE_LOG, i, as_const(), n, path);
            assert_int_equal(
                sg_merkle_path(SG_MERKLE_LOG, i, n, read_leaves, NULL, stored),
                SG_OK);
            assert_memory_equal(path, stored, (size_t)len * 32);
            assert_true(verify(SG_MERKLE_LOG, i, n, leaves[i], p, len, root));
            // One hash more, one less, another leaf, another tree, another n.
            assert_false(
                verify(SG_MERKLE_LOG, i, n, leaves[i], p, len + 1, root));
            assert_false(len > 0 && verify(SG_MERKLE_LOG, i, n, leaves[i], p,
                                           len - 1, root));
            assert_false(verify(SG_MERKLE_LOG, i, n, root, p, len, root) &&
                         n > 1);
            assert_false(n > 1 && verify(SG_MERKLE_CONTENT, i, n, leaves[i], p,
                                         len, root));
            for (uint64_t j = 0; j < n; j++)
                assert_false(j != i && verify(SG_MERKLE_LOG, j, n, leaves[i], p,
                                              len, root));
        }
        assert_false(verify(SG_MERKLE_LOG, n, n, leaves[0], NULL, 0, root));
    }
    assert_false(verify(SG_MERKLE_LOG, 0, 0, leaves[0], NULL, 0, leaves[0]));
    assert_false(verify(SG_MERKLE_LOG, 0, (UINT64_C(1) << 40) + 1, leaves[0],
                        NULL, 0, leaves[0]));
}

static void
an_inner_node_is_no_leaf(void **state)
{
    uint8_t root[32], pair[32], text[65];
    const uint8_t(*path)[32] = as_const() + 2;

    (void)state;
    by_definition(SG_MERKLE_LOG, as_const(), 3, root);
    sg_merkle_node(SG_MERKLE_LOG, leaves[0], leaves[1], pair);
    // As if the tree had two leaves, the first of them the inner node ...
    assert_true(verify(SG_MERKLE_LOG, 0, 2, pair, path, 1, root));
    // ... but nobody has bytes whose leaf hash is that node.
    memcpy(text, leaves[0], 32);
    memcpy(text + 32, leaves[1], 32);
    uint8_t leaf[32];
    sg_merkle_leaf(SG_MERKLE_LOG, sg_slice_of(text, 64), leaf);
    assert_memory_not_equal(leaf, pair, 32);
}

static bool
consistent(const struct sg_merkle_head *older,
           const struct sg_merkle_head *newer,
           const struct sg_merkle_proof *proof)
{
    return sg_merkle_consistent(SG_MERKLE_LOG, older, newer,
                                (const uint8_t(*)[32])proof->hashes,
                                proof->len);
}

static void
consistency_holds_between_all_sizes_and_for_no_other_root(void **state)
{
    struct sg_merkle_head from, to;

    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        to.count = n;
        by_definition(SG_MERKLE_LOG, as_const(), n, to.root);
        for (uint64_t m = 1; m <= n; m++) {
            struct sg_merkle_proof proof = {0};

            from.count = m;
            by_definition(SG_MERKLE_LOG, as_const(), m, from.root);
            assert_int_equal(sg_merkle_consistency(SG_MERKLE_LOG, m, n,
                                                   read_leaves, NULL, &proof),
                             SG_OK);
            assert_true(consistent(&from, &to, &proof));
            from.root[0] ^= 1;
            assert_false(consistent(&from, &to, &proof));
            from.root[0] ^= 1;
            to.root[31] ^= 1;
            assert_false(consistent(&from, &to, &proof));
            to.root[31] ^= 1;
            proof.len++;
            assert_false(consistent(&from, &to, &proof));
            proof.len -= 2;
            assert_false(proof.len < n && consistent(&from, &to, &proof));
            proof.len++;
            for (size_t i = 0; i < proof.len; i++) {
                proof.hashes[i][7] ^= 4;
                assert_false(consistent(&from, &to, &proof));
                proof.hashes[i][7] ^= 4;
            }
        }
    }
    const struct sg_merkle_head none = {0};
    assert_false(sg_merkle_consistent(SG_MERKLE_LOG, &none, &to, NULL, 0));
    assert_false(sg_merkle_consistent(SG_MERKLE_LOG, &to, &none, NULL, 0));
}

static void
a_failing_store_fails_the_proof(void **state)
{
    uint8_t path[SG_MERKLE_DEPTH][32];
    struct sg_merkle_proof proof;

    (void)state;
    assert_int_equal(
        sg_merkle_path(SG_MERKLE_LOG, 3, 9, read_fails, NULL, path), SG_ERR_IO);
    assert_int_equal(
        sg_merkle_consistency(SG_MERKLE_LOG, 3, 9, read_fails, NULL, &proof),
        SG_ERR_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_growing_tree_has_the_root_of_the_definition),
        cmocka_unit_test(a_tree_goes_on_from_its_snapshot),
        cmocka_unit_test(a_full_tree_takes_no_leaf_more),
        cmocka_unit_test(every_path_verifies_at_its_own_place_only),
        cmocka_unit_test(an_inner_node_is_no_leaf),
        cmocka_unit_test(
            consistency_holds_between_all_sizes_and_for_no_other_root),
        cmocka_unit_test(a_failing_store_fails_the_proof),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
