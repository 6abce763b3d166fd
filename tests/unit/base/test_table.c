// What table.h promises: every key once, in the order it came.
#include "tests/unit/base/fixture.h"

#include "broker/base/check.h"
#include "broker/base/table.h"

static const uint8_t sip_key[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                    8, 9, 10, 11, 12, 13, 14, 15};

// Keys on both sides of what lies in the slot itself, and the empty one.
static struct sg_slice
key_of(unsigned i, char text[64])
{
    int len =
        snprintf(text, 64, i % 2 == 0 ? "%u" : "%u-a-key-beyond-inline", i);
    return sg_slice_of(text, i == 0 ? 0 : (size_t)len);
}

static struct sg_table *
make(bool own, uint32_t cap)
{
    struct sg_table *table =
        own ? sg_table_new_own(cap) : sg_table_new(cap, sip_key);
    assert_non_null(table);
    return table;
}

static void
fill(struct sg_table *table, unsigned from, unsigned to)
{
    char text[64];

    for (unsigned i = from; i < to; i++)
        assert_int_equal(sg_table_put(table, key_of(i, text), i * 3), SG_OK);
}

static void
what_was_put_is_found_and_nothing_else(void **unused)
{
    char text[64];
    (void)unused;
    for (int own = 0; own < 2; own++) {
        struct sg_table *table = make(own, 5000);
        assert_false(sg_table_get(table, SG_SLICE("1"), NULL));
        fill(table, 0, 5000);
        assert_int_equal(sg_table_count(table), 5000);
        for (unsigned i = 0; i < 5000; i++) {
            uint64_t value = 0;
            assert_true(sg_table_get(table, key_of(i, text), &value));
            assert_int_equal(value, i * 3);
        }
        for (unsigned i = 5000; i < 6000; i++)
            assert_false(sg_table_get(table, key_of(i, text), NULL));
        sg_table_free(&table);
        assert_null(table);
    }
}

static void
a_key_put_again_gets_the_new_value_and_keeps_its_place(void **unused)
{
    struct sg_table *table = make(false, 3);
    struct sg_slice key;
    uint64_t value;
    uint32_t at = 0;
    (void)unused;
    fill(table, 1, 4);
    assert_int_equal(sg_table_put(table, SG_SLICE("2"), 77), SG_OK); // at cap
    assert_int_equal(sg_table_count(table), 3);
    assert_true(sg_table_next(table, &at, &key, &value));
    assert_true(sg_table_next(table, &at, &key, &value));
    assert_true(sg_slice_eq(key, SG_SLICE("2")));
    assert_int_equal(value, 77);
    sg_table_free(&table);
}

static void
a_full_table_refuses_until_something_goes(void **unused)
{
    struct sg_table *table = make(false, 10);
    (void)unused;
    fill(table, 0, 10);
    for (int round = 0; round < 100; round++) {
        assert_int_equal(sg_table_put(table, SG_SLICE("new"), 1), SG_ERR_FULL);
        assert_false(sg_table_get(table, SG_SLICE("new"), NULL));
        assert_true(sg_table_remove(table, SG_SLICE("4")));
        assert_int_equal(sg_table_put(table, SG_SLICE("4"), 1), SG_OK);
    }
    sg_table_free(&table);
}

// Two replays of one log walk alike, whatever the keys hash to.
static void
the_walk_follows_the_order_of_insertion_across_removals(void **unused)
{
    static const uint8_t other[16] = {99};
    struct sg_table *tables[] = {make(true, 9000), make(false, 9000),
                                 sg_table_new(9000, other)};
    (void)unused;
    for (size_t t = 0; t < SG_COUNT_OF(tables); t++) {
        char text[64];
        struct sg_slice key;
        uint64_t value;
        uint32_t at = 0;
        fill(tables[t], 0, 3000);
        for (unsigned i = 0; i < 3000; i++) {
            if (i % 3 != 0)
                assert_true(sg_table_remove(tables[t], key_of(i, text)));
        }
        fill(tables[t], 3000, 5000); // packs the holes away meanwhile
        assert_true(sg_table_remove(tables[t], key_of(3, text)));
        assert_int_equal(sg_table_put(tables[t], key_of(3, text), 9), SG_OK);
        for (unsigned i = 0; i < 5000; i++) {
            if (i == 3 || (i < 3000 && i % 3 != 0))
                continue;
            assert_true(sg_table_next(tables[t], &at, &key, &value));
            assert_true(sg_slice_eq(key, key_of(i, text)));
            assert_int_equal(value, i * 3);
        }
        assert_true(sg_table_next(tables[t], &at, &key, &value)); // back last
        assert_int_equal(value, 9);
        assert_false(sg_table_next(tables[t], &at, &key, &value));
        sg_table_free(&tables[t]);
    }
}

static void
a_walk_may_remove_what_it_was_just_given(void **unused)
{
    struct sg_table *table = make(false, 1000);
    struct sg_slice key;
    uint64_t value;
    uint32_t at = 0;
    unsigned seen = 0;
    (void)unused;
    fill(table, 0, 1000);
    while (sg_table_next(table, &at, &key, &value)) {
        assert_int_equal(value, seen++ * 3);
        assert_true(sg_table_remove(table, key));
    }
    assert_int_equal(seen, 1000);
    assert_int_equal(sg_table_count(table), 0);
    sg_table_free(&table);
}

static void
what_is_removed_or_cleared_is_gone(void **unused)
{
    struct sg_table *table = make(true, 100);
    char text[64];
    (void)unused;
    for (int round = 0; round < 3; round++) {
        fill(table, 0, 100);
        assert_true(sg_table_remove(table, key_of(7, text)));
        assert_false(sg_table_remove(table, key_of(7, text)));
        assert_false(sg_table_get(table, key_of(7, text), NULL));
        assert_int_equal(sg_table_count(table), 99);
        sg_table_clear(table);
        assert_int_equal(sg_table_count(table), 0);
        for (unsigned i = 0; i < 100; i++)
            assert_false(sg_table_get(table, key_of(i, text), NULL));
    }
    sg_table_free(&table);
    sg_table_free(&table);
}

// A queue for years: as many go as come, so nothing may pile up.
static void
keys_that_come_and_go_leave_nothing_behind(void **unused)
{
    struct sg_table *table = make(true, 8);
    (void)unused;
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t old = i - 8;
        assert_int_equal(sg_table_put(table, sg_slice_of(&i, sizeof i), i),
                         SG_OK);
        if (i >= 7) {
            old = i - 7;
            assert_true(sg_table_remove(table, sg_slice_of(&old, sizeof old)));
        }
    }
    struct sg_slice key;
    uint64_t value;
    uint32_t at = 0;
    for (uint64_t i = 200000 - 7; i < 200000; i++) {
        assert_true(sg_table_next(table, &at, &key, &value));
        assert_int_equal(value, i);
        assert_in_range(at, 1, 64); // the holes were packed away
    }
    sg_table_free(&table);
}

// Appendix A of the SipHash paper and the reference's vectors.
static void
siphash_follows_its_reference(void **unused)
{
    uint8_t message[15];
    (void)unused;
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    assert_int_equal(sg_table_siphash(sip_key, sg_slice_of(message, 0)),
                     0x726fdb47dd0e0e31);
    assert_int_equal(sg_table_siphash(sip_key, sg_slice_of(message, 8)),
                     0x93f5f5799a932462);
    assert_int_equal(sg_table_siphash(sip_key, sg_slice_of(message, 15)),
                     0xa129ca6149be45e5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_and_nothing_else),
        cmocka_unit_test(
            a_key_put_again_gets_the_new_value_and_keeps_its_place),
        cmocka_unit_test(a_full_table_refuses_until_something_goes),
        cmocka_unit_test(
            the_walk_follows_the_order_of_insertion_across_removals),
        cmocka_unit_test(a_walk_may_remove_what_it_was_just_given),
        cmocka_unit_test(what_is_removed_or_cleared_is_gone),
        cmocka_unit_test(keys_that_come_and_go_leave_nothing_behind),
        cmocka_unit_test(siphash_follows_its_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
