// What goes wrong under the gate: disk, space, clock. It stops cleanly or goes
// on, says so, and nothing that was told is lost.
#include "tests/e2e/world.h"

#include <unistd.h>

#include "schemas/documents.pb-c.h"

#define DAY_US    (24 * 3600 * 1000000ll)
#define SECOND_US 1000000ll

enum { SLOW_MS = 40, SHORT_MS = 1500, IDLE_MS = 300, RELEASES = 60 };

// A disk whose syncs are slow, from the first start to a law, flows and the
// next start: nobody is told that the gate does not answer.
static int
setup(void **state)
{
    static struct world world;
    world_open(&world);
    world.faults->sync_delay_ms = SLOW_MS;
    world_laws(&world);
    world_flows(&world);
    *state = &world;
    return 0;
}

static void
publish(struct world *world, const char *home, const char *flow,
        const char *file)
{
    struct statgate *office = world_connect(world, home);
    if (world_good(world, office, flow, file)[0] != '\0')
        fail_msg("%s: %s", home, world->code);
    statgate_close(&office);
}

static unsigned
accepted(struct world *world)
{
    return world_log(world, " accepted ", "");
}

static void
the_log_is_whole(struct world *world)
{
    world_do(world, "desk", "log", "verify",
             world_path(world, "HUB/store/evidence"), NULL);
}

static void
a_slow_disk_is_waited_for(void **state)
{
    struct world *world = *state;
    publish(world, "kenya", "KE_SDG", WORLD_KENYA);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(raw_gate_end(&world->gate, i == 1), i == 1 ? 137 : 0);
        world_start(world);
        world_serves(world);
    }
    world->faults->sync_delay_ms = 0;
    assert_int_equal(accepted(world), 1);
}

// ---- the disk --------------------------------------------------------------------

// Says what came of it within a short time.
static const char *
try_publish(struct world *world, const char *home, const char *flow,
            const char *file)
{
    struct statgate *office = world_connect(world, home);
    office->timeout_ms = SHORT_MS;
    (void)world_good(world, office, flow, file);
    statgate_close(&office);
    return world->code;
}

static void
a_sync_that_fails_ends_the_gate_and_nothing_told_is_lost(void **state)
{
    struct world *world = *state;
    publish(world, "kenya", "KE_SDG", WORLD_KENYA);
    unsigned before = accepted(world);
    world->faults->sync_fails = 1;
    assert_string_equal(try_publish(world, "rwanda", "RW_SDG", WORLD_RWANDA),
                        "gate.unreachable");
    assert_int_equal(world_wait(world), sg_err_exit(SG_ERR_IO));
    assert_true(world->faults->refused > 0);
    world->faults->sync_fails = 0;
    world_start(world);
    publish(world, "rwanda", "RW_SDG", WORLD_RWANDA); // the same signed bytes
    assert_int_equal(accepted(world), before + 1);
    the_log_is_whole(world);
}

static void
a_nearly_full_disk_takes_no_release_and_serves_all_the_rest(void **state)
{
    struct world *world = *state;
    unsigned before = accepted(world);
    world->faults->disk_low = 1;
    // The gate looks ten times a second.
    for (int i = 0;
         i < 50 && strcmp(try_publish(world, "kenya", "KE_SDG", WORLD_KENYA),
                          "gate.disk") != 0;
         i++)
        before = accepted(world);
    assert_string_equal(world->code, "gate.disk");
    assert_int_equal(accepted(world), before);
    world_serves(world);
    world_do(world, "norway", "subscribe", "KE_SDG", "--name", "SECOND",
             "--purpose", "sdg_reporting", NULL);
    world->faults->disk_low = 0;
    for (int i = 0;
         i < 50 && try_publish(world, "kenya", "KE_SDG", WORLD_KENYA)[0]; i++)
        ;
    assert_string_equal(world->code, "");
}

// Full in the middle: the release ends with a code or the gate ends, and what
// was told is there when there is room again.
static void
a_full_disk_loses_nothing_that_was_told(void **state)
{
    struct world *world = *state;
    int status;
    publish(world, "kenya", "KE_SDG", WORLD_KENYA);
    unsigned before = accepted(world);
    world->faults->refused = 0;
    world->faults->disk_full = 1;
    (void)try_publish(world, "rwanda", "RW_SDG", WORLD_RWANDA);
    print_message("on a full disk: \"%s\"\n", world->code);
    assert_true(strcmp(world->code, "gate.disk") == 0 ||
                strcmp(world->code, "gate.unreachable") == 0 ||
                strcmp(world->code, "gate.io") == 0);
    assert_true(world->faults->refused > 0);
    world->faults->disk_full = 0;
    if (sg_os_process_wait(world->gate.pid, 200, &status)) {
        world->gate.pid = 0;
        assert_int_equal(status, sg_err_exit(SG_ERR_IO));
        world_start(world);
    }
    publish(world, "rwanda", "RW_SDG", WORLD_RWANDA);
    assert_int_equal(accepted(world), before + 1);
    the_log_is_whole(world);
}

// ---- the clock (S50) -------------------------------------------------------------

static unsigned
steps(struct world *world)
{
    return world_log(world, "gate started", "clock_stepped");
}

static void
wait_for_steps(struct world *world, unsigned wanted)
{
    for (int i = 0; i < 100 && steps(world) < wanted; i++)
        (void)zmq_poll(NULL, 0, 20);
    assert_int_equal(steps(world), wanted);
}

// Takes what norway is given of kenya's flow until nothing came for so many
// times, or this revision did. true: it did.
static bool
norway_gets(struct world *world, uint64_t revision, int patience)
{
    struct statgate *norway = world_connect(world, "norway");
    struct statgate_delivery delivery;
    struct statgate_result result;
    bool found = false;
    for (int left = patience; left > 0 && !found;) {
        if (statgate_next(norway, "KE_SDG", IDLE_MS, &delivery, &result) == 0) {
            found = delivery.revision == revision;
            left = patience;
            assert_int_equal(statgate_keep(norway, &delivery, &result), 0);
        } else { // what is held reads like what is denied (S44)
            left--;
            if (strcmp(result.code, "policy.content") != 0)
                assert_string_equal(result.code, "gate.idle");
        }
    }
    statgate_close(&norway);
    return found;
}

// kenya's next release, which opens so much later by the gate's time.
static uint64_t
under_embargo(struct world *world, int64_t us)
{
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate_release release = {
        .flow = "KE_SDG", .file = WORLD_KENYA, .again = 1};
    struct statgate_receipt receipt;
    struct statgate_result result;
    release.embargo_us =
        sg_os_clock_wall_us() + (uint64_t)(world->faults->passed_us + us);
    assert_int_equal(
        statgate_publish(kenya, &release, NULL, NULL, &receipt, &result), 0);
    statgate_close(&kenya);
    return receipt.revision;
}

static void
a_clock_a_day_ahead_opens_no_embargo(void **state)
{
    struct world *world = *state;
    uint64_t revision = under_embargo(world, DAY_US / 2);
    assert_false(norway_gets(world, revision, 3));
    unsigned before = steps(world);
    world->faults->clock_us += DAY_US;
    wait_for_steps(world, before + 1);
    assert_false(norway_gets(world, revision, 3));
    // And over a restart, however it ended.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(raw_gate_end(&world->gate, i == 1), i == 1 ? 137 : 0);
        world_start(world);
        assert_false(norway_gets(world, revision, 3));
    }
    // Set right again, and half a day later: now it comes.
    before = steps(world);
    world->faults->clock_us -= DAY_US;
    wait_for_steps(world, before + 1);
    world->faults->passed_us += DAY_US / 2 + 1000000;
    assert_true(norway_gets(world, revision, 60));
}

// Each step is small enough to be followed; all of them together are not.
static void
a_clock_that_creeps_ahead_opens_no_embargo(void **state)
{
    struct world *world = *state;
    unsigned before = steps(world);
    uint64_t revision = under_embargo(world, 60 * SECOND_US);
    for (int i = 0; i < 50; i++) {
        world->faults->clock_us += 3 * SECOND_US / 2;
        (void)zmq_poll(NULL, 0, 130); // looked at every 100 ms
    }
    assert_true(steps(world) > before);
    assert_false(norway_gets(world, revision, 2));
    // Nor does a restart begin to count anew.
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    world_start(world);
    assert_false(norway_gets(world, revision, 2));
    before = steps(world);
    world->faults->clock_us -= 75 * SECOND_US;
    wait_for_steps(world, before + 1);
    world->faults->passed_us += 60 * SECOND_US;
    assert_true(norway_gets(world, revision, 5));
}

static void
a_clock_a_day_behind_keeps_order_and_serves(void **state)
{
    struct world *world = *state;
    unsigned before = steps(world);
    world->faults->clock_us -= DAY_US;
    wait_for_steps(world, before + 1);
    publish(world, "rwanda", "RW_SDG", WORLD_RWANDA);
    the_log_is_whole(world); // times never go back
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    world_start(world);
    publish(world, "rwanda", "RW_SDG", WORLD_RWANDA);
    the_log_is_whole(world);
    before = steps(world);
    world->faults->clock_us += DAY_US;
    wait_for_steps(world, before + 1);
}

// A roster expires; a clock that is set back does not bring it back.
static void
an_expired_roster_stays_expired_whatever_the_clock_says(void **state)
{
    struct world *world = *state;
    static const int64_t back[] = {0, -2 * DAY_US, -800 * DAY_US};
    // A clock far ahead stops what crosses borders as long as it is so.
    for (int i = 0; i < 2; i++) {
        unsigned before = steps(world);
        world->faults->clock_us += i == 0 ? 800 * DAY_US : -800 * DAY_US;
        wait_for_steps(world, before + 1);
        int exit = world_verb(world, "uganda", "subscribe", "RW_SDG",
                              "--purpose", "sdg_reporting", NULL);
        assert_true(i == 0 ? world_said(world, "gate.roster_expired")
                           : exit == 0);
    }
    world->faults->passed_us += 366 * 2 * DAY_US;
    for (size_t i = 0; i < SG_COUNT_OF(back); i++) {
        for (int again = 0; again < 2; again++) {
            world->faults->clock_us = back[i];
            assert_int_not_equal(world_verb(world, "norway", "subscribe",
                                            "RW_SDG", "--name", "LATE",
                                            "--purpose", "sdg_reporting", NULL),
                                 0);
            assert_true(world_said(world, "gate.roster_expired"));
            assert_int_equal(raw_gate_end(&world->gate, again == 1),
                             again == 1 ? 137 : 0);
            world_start(world);
        }
    }
    world_serves(world);
    the_log_is_whole(world);
}

// ---- readers of a log that is being written ----------------------------------------

// An auditor looks while the gate works: what it was writing just then is no
// damage.
static void
a_log_that_is_being_written_is_no_damaged_one(void **state)
{
    struct world *world = *state;
    int pid, status;
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0) {
        struct statgate *kenya = world_connect(world, "kenya");
        for (int i = 0; i < RELEASES; i++)
            if (world_good(world, kenya, "KE_SDG", WORLD_KENYA)[0] != '\0')
                _exit(1);
        _exit(0);
    }
    unsigned looks = 0;
    while (!sg_os_process_wait(pid, 0, &status)) {
        the_log_is_whole(world);
        (void)accepted(world);
        looks++;
    }
    assert_int_equal(status, 0);
    assert_true(looks > 5);
}

// ---- the law ---------------------------------------------------------------------

static void
a_policy_with_a_typo_is_refused_with_its_place_and_the_law_stays(void **state)
{
    struct world *world = *state;
    static const char from[] = "policy/examples/import-default.policy";
    uint8_t *bytes;
    size_t len;
    assert_int_equal(sg_os_file_read(from, 1 << 20, &bytes, &len), SG_OK);
    char *at = strstr((char *)bytes, "destination is not");
    assert_non_null(at);
    at[0] = 'b'; // bestination
    world_write(world, "typo.policy", sg_slice_of(bytes, len));
    free(bytes);
    unsigned laws = world_log(world, "policy active", "");
    assert_int_equal(world_verb(world, "desk", "policy", "check",
                                world_path(world, "typo.policy"), NULL),
                     65);
    assert_true(world_said(world, "typo.policy:15:8"));
    assert_int_equal(world_verb(world, "desk", "policy", "propose",
                                world_path(world, "typo.policy"), NULL),
                     65);
    assert_true(world_said(world, "typo.policy:15:8")); // and nothing is sent
    assert_int_equal(world_log(world, "policy active", ""), laws);
    publish(world, "kenya", "KE_SDG", WORLD_KENYA);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_disk_is_waited_for),
        cmocka_unit_test(
            a_sync_that_fails_ends_the_gate_and_nothing_told_is_lost),
        cmocka_unit_test(
            a_nearly_full_disk_takes_no_release_and_serves_all_the_rest),
        cmocka_unit_test(a_full_disk_loses_nothing_that_was_told),
        cmocka_unit_test(
            a_policy_with_a_typo_is_refused_with_its_place_and_the_law_stays),
        cmocka_unit_test(a_log_that_is_being_written_is_no_damaged_one),
        cmocka_unit_test(a_clock_a_day_ahead_opens_no_embargo),
        cmocka_unit_test(a_clock_that_creeps_ahead_opens_no_embargo),
        cmocka_unit_test(a_clock_a_day_behind_keeps_order_and_serves),
        cmocka_unit_test(
            an_expired_roster_stays_expired_whatever_the_clock_says),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
