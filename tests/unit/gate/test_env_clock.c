#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>

#include "broker/os/clock.h"

static uint64_t at_wall, at_boot;

static uint64_t
wall(void)
{
    return at_wall;
}

static uint64_t
boot(void)
{
    return at_boot;
}

// On purpose: the same code on clocks of ours.
#define sg_os_clock_wall_us wall
#define sg_os_clock_boot_us boot
#include "broker/env_clock.c" // NOLINT(bugprone-suspicious-include)

enum { SECOND = 1000000 };
static const uint64_t day = 86400ull * SECOND;
static char path[] = "/tmp/statgate-clock-XXXXXX";

static void
start(struct sg_env_clock *clock)
{
    (void)!sg_os_file_remove(path);
    at_wall = 1795372800000000;
    at_boot = 1000 * SECOND;
    sg_env_clock_start(clock, path);
}

static bool
pass(struct sg_env_clock *clock, uint64_t by, int64_t wall_by)
{
    uint64_t from, to;

    at_boot += by;
    at_wall += (uint64_t)wall_by;
    return sg_env_clock_look(clock, &from, &to);
}

static void
a_clock_that_goes_with_the_machine_is_followed(void **state)
{
    struct sg_env_clock clock;

    (void)state;
    start(&clock);
    for (int i = 0; i < 100; i++) // 100 parts in a million too fast
        assert_false(pass(&clock, day, (int64_t)(day + day / 10000)));
    assert_int_equal(sg_env_clock_now(&clock), at_wall);
}

static void
a_clock_that_is_set_is_told_once_and_not_followed(void **state)
{
    struct sg_env_clock clock;

    (void)state;
    start(&clock);
    assert_true(pass(&clock, SECOND, (int64_t)(SECOND + day)));
    assert_false(pass(&clock, SECOND, SECOND));
    assert_int_equal(sg_env_clock_now(&clock), at_wall - day);
    assert_true(pass(&clock, SECOND, SECOND - (int64_t)day)); // it agrees again
    assert_int_equal(sg_env_clock_now(&clock), at_wall);
}

static void
many_small_steps_are_one_large_one(void **state)
{
    struct sg_env_clock clock;
    uint64_t begun;
    bool told = false;

    (void)state;
    start(&clock);
    begun = at_wall;
    for (int i = 0; i < 100; i++) // a second ahead at each look
        told |= pass(&clock, SECOND / 10, SECOND / 10 + SECOND);
    assert_true(told);
    assert_true(sg_env_clock_now(&clock) <= begun + 13 * SECOND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_with_the_machine_is_followed),
        cmocka_unit_test(a_clock_that_is_set_is_told_once_and_not_followed),
        cmocka_unit_test(many_small_steps_are_one_large_one),
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    sg_os_file_close(&fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)!sg_os_file_remove(path);
    return failed;
}
