// What timers.h promises: the earliest first, equals by id.
#include "tests/unit/base/fixture.h"

#include "broker/base/timers.h"

static void
what_is_due_comes_out_in_order_of_time_then_id(void **unused)
{
    struct sg_timers *timers = sg_timers_new(1000);
    uint64_t id, due_us, last_due = 0, last_id = 0;
    (void)unused;
    for (uint64_t i = 1; i <= 1000; i++) // 7919 is prime: each id once
        assert_int_equal(
            sg_timers_set(timers, i * 7919 % 1009 + 1, i * 31 % 17), SG_OK);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(sg_timers_peek(timers, &id, &due_us));
        assert_true(due_us > last_due || (due_us == last_due && id > last_id));
        last_due = due_us;
        last_id = id;
        assert_true(sg_timers_pop(timers, UINT64_MAX, &id));
        assert_int_equal(id, last_id);
    }
    assert_int_equal(sg_timers_count(timers), 0);
    assert_false(sg_timers_pop(timers, UINT64_MAX, &id));
    assert_false(sg_timers_peek(timers, &id, &due_us));
    sg_timers_free(&timers);
    assert_null(timers);
}

static void
nothing_comes_out_before_its_time(void **unused)
{
    struct sg_timers *timers = sg_timers_new(4);
    uint64_t id = 0;
    (void)unused;
    assert_int_equal(sg_timers_set(timers, 7, 100), SG_OK);
    assert_false(sg_timers_pop(timers, 99, &id));
    assert_int_equal(sg_timers_count(timers), 1);
    assert_true(sg_timers_pop(timers, 100, &id));
    assert_int_equal(id, 7);
    sg_timers_free(&timers);
}

static void
a_timer_set_again_moves_both_ways(void **unused)
{
    struct sg_timers *timers = sg_timers_new(4);
    uint64_t id, due_us;
    (void)unused;
    for (uint64_t i = 1; i <= 4; i++)
        assert_int_equal(sg_timers_set(timers, i, i * 10), SG_OK);
    assert_int_equal(sg_timers_set(timers, 1, 99), SG_OK); // later
    assert_int_equal(sg_timers_set(timers, 4, 5), SG_OK);  // earlier
    assert_int_equal(sg_timers_count(timers), 4);
    static const uint64_t order[] = {4, 2, 3, 1};
    for (unsigned i = 0; i < 4; i++) {
        assert_true(sg_timers_pop(timers, 1000, &id));
        assert_int_equal(id, order[i]);
    }
    assert_false(sg_timers_peek(timers, &id, &due_us));
    sg_timers_free(&timers);
}

static void
a_full_heap_refuses_new_timers_and_still_moves_old_ones(void **unused)
{
    struct sg_timers *timers = sg_timers_new(100);
    uint64_t id;
    (void)unused;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(sg_timers_set(timers, i, i), SG_OK);
    assert_int_equal(sg_timers_set(timers, 100, 0), SG_ERR_FULL);
    assert_int_equal(sg_timers_set(timers, 99, 0), SG_OK);
    assert_true(sg_timers_pop(timers, 0, &id));
    assert_int_equal(id, 0);
    assert_int_equal(sg_timers_set(timers, 100, 0), SG_OK);
    sg_timers_free(&timers);
}

// Against the simplest thing that can be right: an array of due times.
static void
it_agrees_with_a_plain_list_over_many_random_steps(void **unused)
{
    enum { IDS = 60, STEPS = 20000 };
    struct sg_timers *timers = sg_timers_new(IDS);
    uint64_t due[IDS], seed = 1;
    unsigned count = 0;
    (void)unused;
    memset(due, 0xff, sizeof due);
    for (unsigned step = 0; step < STEPS; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t id = (seed >> 33) % IDS, value = (seed >> 40) % 50;
        if (seed >> 61 < 5) {
            count += due[id] == UINT64_MAX;
            assert_int_equal(sg_timers_set(timers, id, value), SG_OK);
            due[id] = value;
        } else if (seed >> 61 < 7) {
            count -= due[id] != UINT64_MAX;
            sg_timers_clear(timers, id);
            due[id] = UINT64_MAX;
        } else {
            uint64_t first = 0, got = 0;
            for (uint64_t i = 1; i < IDS; i++)
                first = due[i] < due[first] ? i : first;
            bool expected = due[first] != UINT64_MAX && due[first] <= value;
            assert_int_equal(sg_timers_pop(timers, value, &got), expected);
            if (expected) {
                assert_int_equal(got, first);
                due[first] = UINT64_MAX;
                count--;
            }
        }
        assert_int_equal(sg_timers_count(timers), count);
    }
    sg_timers_free(&timers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_comes_out_in_order_of_time_then_id),
        cmocka_unit_test(nothing_comes_out_before_its_time),
        cmocka_unit_test(a_timer_set_again_moves_both_ways),
        cmocka_unit_test(
            a_full_heap_refuses_new_timers_and_still_moves_old_ones),
        cmocka_unit_test(it_agrees_with_a_plain_list_over_many_random_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
