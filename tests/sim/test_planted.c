// The simulation must be able to fail: each bug planted here has to be found.
// The loop is compiled in with its comparison of stop epochs made a no-op, when
// the run asks for it.
#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"

static bool blind;
#define sg_core_stop_epoch(core, delivery)                                     \
    (blind ? effect->u.key.stop_epoch                                          \
           : (sg_core_stop_epoch)((core), (delivery)))
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)
#undef sg_core_stop_epoch

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 400 };

// The first seed that finds the bug says what the bug breaks.
static void
is_found(enum sim_bug bug, const char *as)
{
    blind = bug == BUG_EPOCH;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint8_t hash[32];
        unsigned keys;
        const char *broken = sim_run(seed, bug, hash, &keys);
        if (broken != NULL && strcmp(broken, as) == 0) {
            blind = false;
            return;
        }
    }
    blind = false;
    fail_msg("not found in %d seeds: %s", SEEDS, as);
}

static void
effects_before_the_disk_are_found(void **state)
{
    (void)state;
    is_found(BUG_EARLY, "an effect before its decision was durable");
}

static void
a_key_after_a_withdrawal_is_found(void **state)
{
    (void)state;
    is_found(BUG_EPOCH, "a key left after a durable withdrawal");
}

static void
an_entry_not_applied_is_found(void **state)
{
    (void)state;
    is_found(BUG_SKIP_APPLY, "recovery gives another state");
}

static void
an_acknowledged_entry_that_the_disk_loses_is_found(void **state)
{
    (void)state;
    is_found(BUG_LOSE_ENTRY, "an acknowledged release is lost");
}

static void
a_snapshot_that_the_disk_changed_is_found(void **state)
{
    (void)state;
    is_found(BUG_SNAPSHOT, "a snapshot is not what the log states");
}

static void
a_key_that_is_said_to_be_gone_and_is_not_is_found(void **state)
{
    (void)state;
    is_found(BUG_KEPT_KEY, "a key is there that is said to be destroyed");
}

static void
a_random_number_from_elsewhere_is_found(void **state)
{
    uint8_t a[32], b[32];
    unsigned keys;

    (void)state;
    sim_run(1, BUG_RANDOM, a, &keys);
    sim_run(1, BUG_RANDOM, b, &keys);
    assert_memory_not_equal(a, b, 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_before_the_disk_are_found),
        cmocka_unit_test(a_key_after_a_withdrawal_is_found),
        cmocka_unit_test(an_entry_not_applied_is_found),
        cmocka_unit_test(an_acknowledged_entry_that_the_disk_loses_is_found),
        cmocka_unit_test(a_snapshot_that_the_disk_changed_is_found),
        cmocka_unit_test(a_key_that_is_said_to_be_gone_and_is_not_is_found),
        cmocka_unit_test(a_random_number_from_elsewhere_is_found),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
