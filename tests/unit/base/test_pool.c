// What pool.h promises about stable indexes.
#include "tests/unit/base/fixture.h"

#include <stdbool.h>

#include "broker/base/pool.h"

static void
a_full_pool_refuses_and_zero_is_never_given_out(void **unused)
{
    static const uint32_t caps[] = {0, 1, 1023, 1024, 1025, 3000};
    (void)unused;
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        struct sg_pool *pool = sg_pool_new(caps[i], 24);
        for (uint32_t taken = 0; taken < caps[i]; taken++)
            assert_in_range(sg_pool_take(pool), 1, caps[i]);
        assert_int_equal(sg_pool_take(pool), 0);
        assert_int_equal(sg_pool_count(pool), caps[i]);
        sg_pool_free(&pool);
        assert_null(pool);
    }
}

static void
objects_are_zeroed_apart_and_stay_where_they_are(void **unused)
{
    struct sg_pool *pool = sg_pool_new(3000, 24);
    static uint64_t *place[3001];
    (void)unused;
    for (uint32_t i = 1; i <= 3000; i++) {
        uint32_t index = sg_pool_take(pool);
        place[index] = sg_pool_at(pool, index);
        for (unsigned j = 0; j < 3; j++)
            assert_int_equal(place[index][j], 0);
        place[index][0] = place[index][2] = index;
    }
    for (uint32_t i = 1; i <= 3000; i++) {
        assert_ptr_equal(sg_pool_at(pool, i), place[i]);
        assert_int_equal(place[i][0], i);
        assert_int_equal(place[i][2], i);
    }
    sg_pool_free(&pool);
}

static void
a_given_back_index_comes_again_with_a_zeroed_object(void **unused)
{
    struct sg_pool *pool = sg_pool_new(10, 40);
    (void)unused;
    for (unsigned i = 0; i < 10; i++)
        memset(sg_pool_at(pool, sg_pool_take(pool)), 0xff, 40);
    for (int round = 0; round < 3; round++) {
        sg_pool_give(pool, 4);
        sg_pool_give(pool, 9);
        assert_int_equal(sg_pool_count(pool), 8);
        uint32_t first = sg_pool_take(pool), second = sg_pool_take(pool);
        assert_int_equal(first + second, 13);
        assert_true(first == 4 || first == 9);
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(((uint8_t *)sg_pool_at(pool, first))[i], 0);
        assert_int_equal(sg_pool_take(pool), 0);
        memset(sg_pool_at(pool, first), 0xff, 40);
    }
    sg_pool_free(&pool);
}

static void
a_walk_meets_each_object_in_use_once(void **unused)
{
    struct sg_pool *pool = sg_pool_new(2100, 8);
    uint32_t expected = 0;
    (void)unused;
    assert_int_equal(sg_pool_next(pool, 0), 0);
    for (unsigned i = 0; i < 2100; i++)
        (void)sg_pool_take(pool);
    for (uint32_t i = 1; i <= 2100; i++) {
        if (i % 7 != 3)
            sg_pool_give(pool, i);
    }
    for (uint32_t at = sg_pool_next(pool, 0); at != 0;
         at = sg_pool_next(pool, at)) {
        assert_int_equal(at, expected * 7 + 3);
        expected++;
    }
    assert_int_equal(expected, sg_pool_count(pool));
    sg_pool_free(&pool);
}

static void
look_at_nothing(void *pool)
{
    (void)sg_pool_at(pool, 0);
}

static void
look_at_a_free_one(void *pool)
{
    (void)sg_pool_at(pool, 2);
}

static void
look_beyond(void *pool)
{
    (void)sg_pool_at(pool, 1u << 30);
}

static void
give_twice(void *pool)
{
    sg_pool_give(pool, 2);
}

static void
a_stale_index_stops_the_program(void **unused)
{
    struct sg_pool *pool = sg_pool_new(10, 8);
    (void)unused;
    for (unsigned i = 0; i < 3; i++)
        (void)sg_pool_take(pool);
    sg_pool_give(pool, 2);
    assert_stops(look_at_nothing, pool);
    assert_stops(look_at_a_free_one, pool);
    assert_stops(look_beyond, pool);
    assert_stops(give_twice, pool);
    sg_pool_free(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pool_refuses_and_zero_is_never_given_out),
        cmocka_unit_test(objects_are_zeroed_apart_and_stay_where_they_are),
        cmocka_unit_test(a_given_back_index_comes_again_with_a_zeroed_object),
        cmocka_unit_test(a_walk_meets_each_object_in_use_once),
        cmocka_unit_test(a_stale_index_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
