// The simulation must be able to fail: each bug planted here has to be found.
// The loop is compiled in with its comparison of stop epochs made a no-op, when
// the run asks for it; bugs of the core stand where its files call each other
// (ld --wrap).
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

#include "broker/core/consented.h"
#include "broker/core/match.h"
#include "tests/sim/sim.h"

enum { SEEDS = 400 };

// ---- bugs in the core ----------------------------------------------------------

static enum sim_bug planted;
static const struct sg_table *awaited; // of who looks whether a key is out

void __real_sg_match_decide(struct sg_turn *turn, uint32_t release,
                            uint32_t subscription, uint64_t held,
                            struct sg_outcome *outcome);
void __wrap_sg_match_decide(struct sg_turn *turn, uint32_t release,
                            uint32_t subscription, uint64_t held,
                            struct sg_outcome *outcome);
struct sg_deciding *__real_sg_match_begin(struct sg_turn *turn,
                                          uint64_t release, uint32_t stage,
                                          size_t most);
struct sg_deciding *__wrap_sg_match_begin(struct sg_turn *turn,
                                          uint64_t release, uint32_t stage,
                                          size_t most);
void __real_sg_match_add(struct sg_turn *turn, struct sg_deciding *deciding,
                         const uint8_t delivery[16], uint32_t subscription,
                         const struct sg_outcome *outcome);
void __wrap_sg_match_add(struct sg_turn *turn, struct sg_deciding *deciding,
                         const uint8_t delivery[16], uint32_t subscription,
                         const struct sg_outcome *outcome);
void __real_sg_consented_statements(struct sg_turn *turn);
void __wrap_sg_consented_statements(struct sg_turn *turn);
bool __real_sg_table_next(const struct sg_table *table, uint32_t *at,
                          struct sg_slice *key, uint64_t *value);
bool __wrap_sg_table_next(const struct sg_table *table, uint32_t *at,
                          struct sg_slice *key, uint64_t *value);

// The law is looked at when a release comes, and not again (S36: at (1) only).
void
__wrap_sg_match_decide(struct sg_turn *turn, uint32_t release,
                       uint32_t subscription, uint64_t held,
                       struct sg_outcome *outcome)
{
    __real_sg_match_decide(turn, release, subscription, held, outcome);
    if (planted == BUG_FIRST_LOOK && outcome->verdict == SG_VERDICT_DENY)
        outcome->verdict = SG_VERDICT_PERMIT;
}

// One release, one subscriber, two deliveries.
struct sg_deciding *
__wrap_sg_match_begin(struct sg_turn *turn, uint64_t release, uint32_t stage,
                      size_t most)
{
    return __real_sg_match_begin(turn, release, stage,
                                 planted == BUG_TWICE ? 2 * most : most);
}

void
__wrap_sg_match_add(struct sg_turn *turn, struct sg_deciding *deciding,
                    const uint8_t delivery[16], uint32_t subscription,
                    const struct sg_outcome *outcome)
{
    uint8_t other[16];

    __real_sg_match_add(turn, deciding, delivery, subscription, outcome);
    if (planted != BUG_TWICE ||
        sg_state_find(turn->state->delivery_of, sg_slice_of(delivery, 16)) != 0)
        return; // decided once more
    memcpy(other, delivery, sizeof other);
    other[0] ^= 1;
    __real_sg_match_add(turn, deciding, other, subscription, outcome);
}

// Keys on their way are not waited for.
void
__wrap_sg_consented_statements(struct sg_turn *turn)
{
    awaited = planted == BUG_NO_WAIT ? turn->core->in_flight : NULL;
    __real_sg_consented_statements(turn);
    awaited = NULL;
}

bool
__wrap_sg_table_next(const struct sg_table *table, uint32_t *at,
                     struct sg_slice *key, uint64_t *value)
{
    return table != awaited && __real_sg_table_next(table, at, key, value);
}

// The first seed that finds the bug says what the bug breaks.
static void
is_found(enum sim_bug bug, const char *as)
{
    blind = bug == BUG_EPOCH;
    planted = bug;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint8_t hash[32];
        unsigned keys;
        const char *broken = sim_run(seed, bug, hash, &keys);
        if (broken != NULL && strcmp(broken, as) == 0) {
            blind = false;
            planted = BUG_NONE;
            return;
        }
    }
    blind = false;
    planted = BUG_NONE;
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
a_law_that_is_looked_at_once_only_is_found(void **state)
{
    (void)state;
    is_found(BUG_FIRST_LOOK, "a key left after a durable withdrawal");
}

static void
a_statement_that_waits_for_no_key_is_found(void **state)
{
    (void)state;
    is_found(BUG_NO_WAIT, "a statement while a key is on its way");
}

static void
a_release_that_is_visible_twice_is_found(void **state)
{
    (void)state;
    is_found(BUG_TWICE, "a release is visible twice");
}

static void
a_full_disk_that_nobody_tells_of_is_found(void **state)
{
    (void)state;
    is_found(BUG_ROOM, "an upload is taken on a full disk");
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
        cmocka_unit_test(a_law_that_is_looked_at_once_only_is_found),
        cmocka_unit_test(a_statement_that_waits_for_no_key_is_found),
        cmocka_unit_test(a_release_that_is_visible_twice_is_found),
        cmocka_unit_test(a_full_disk_that_nobody_tells_of_is_found),
        cmocka_unit_test(a_random_number_from_elsewhere_is_found),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
