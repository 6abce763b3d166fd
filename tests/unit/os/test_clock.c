// What clock.h promises.
#include "tests/unit/os/fixture.h"

#include "broker/os/clock.h"

static void
clocks_go_forward_and_the_wall_shows_this_century(void **unused)
{
    (void)unused;
    uint64_t mono = sg_os_clock_mono_us(), boot = sg_os_clock_boot_us();
    assert_true(sg_os_clock_mono_us() >= mono);
    assert_true(sg_os_clock_boot_us() >= boot);
    assert_true(boot >= mono); // it also counts suspended time
    assert_in_range(sg_os_clock_wall_us(), UINT64_C(1709210096000007),
                    UINT64_C(4107542400000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward_and_the_wall_shows_this_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
