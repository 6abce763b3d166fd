// What goes wrong under the gate: disk and space. It stops cleanly or goes
// on, says so, and nothing that was told is lost.
#include "tests/e2e/world.h"

#include "schemas/documents.pb-c.h"

#define KENYA  "schemas/sdg/data/kenya.csv"
#define RWANDA "schemas/sdg/data/rwanda_national.csv"

enum { SLOW_MS = 60, SHORT_MS = 2000 };

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

static int
teardown(void **state)
{
    world_close(*state);
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
    publish(world, "kenya", "KE_SDG", KENYA);
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
    publish(world, "kenya", "KE_SDG", KENYA);
    unsigned before = accepted(world);
    world->faults->sync_fails = 1;
    assert_string_equal(try_publish(world, "rwanda", "RW_SDG", RWANDA),
                        "gate.unreachable");
    assert_int_equal(world_wait(world), sg_err_exit(SG_ERR_IO));
    assert_true(world->faults->refused > 0);
    world->faults->sync_fails = 0;
    world_start(world);
    publish(world, "rwanda", "RW_SDG", RWANDA); // the same signed bytes
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
         i < 50 &&
         strcmp(try_publish(world, "kenya", "KE_SDG", KENYA), "gate.disk") != 0;
         i++)
        before = accepted(world);
    assert_string_equal(world->code, "gate.disk");
    assert_int_equal(accepted(world), before);
    world_serves(world);
    world_do(world, "norway", "subscribe", "KE_SDG", "--name", "SECOND",
             "--purpose", "sdg_reporting", NULL);
    world->faults->disk_low = 0;
    for (int i = 0; i < 50 && try_publish(world, "kenya", "KE_SDG", KENYA)[0];
         i++)
        assert_string_equal(world->code, "gate.disk");
    assert_string_equal(world->code, "");
}

// Full in the middle: the release ends with a code or the gate ends, and what
// was told is there when there is room again.
static void
a_full_disk_loses_nothing_that_was_told(void **state)
{
    struct world *world = *state;
    int status;
    publish(world, "kenya", "KE_SDG", KENYA);
    unsigned before = accepted(world);
    world->faults->refused = 0;
    world->faults->disk_full = 1;
    (void)try_publish(world, "rwanda", "RW_SDG", RWANDA);
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
    publish(world, "rwanda", "RW_SDG", RWANDA);
    assert_int_equal(accepted(world), before + 1);
    the_log_is_whole(world);
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
    assert_int_equal(world_log(world, "policy active", ""), laws);
    publish(world, "kenya", "KE_SDG", KENYA);
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
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
