// The real gate dies at each named point of its loop and is started again: what
// was acknowledged is there, nothing is there twice, and the log verifies.
#include "tests/e2e/world.h"

#include <dirent.h>

#include "tests/e2e/crashes.h"

enum { SHORT_MS = 250, DEATH_MS = 3000, ASKS_MAX = 20 };

static int
setup(void **state)
{
    return world_setup_as(state, "crash");
}

static void
dies(struct world *world, enum crash at)
{
    int status = -1;
    if (!sg_os_process_wait(world->gate.pid, DEATH_MS, &status))
        fail_msg("point %d is not reached", (int)at);
    world->gate.pid = 0;
    assert_int_equal(status, 137);
    assert_int_equal(world->faults->crash_at, CRASH_NONE);
}

// kenya's next release, with so long to wait for its receipt. true: it came.
static bool
publish(struct world *world, uint32_t ms)
{
    struct statgate *kenya = world_connect(world, "kenya");
    kenya->timeout_ms = ms;
    (void)world_good(world, kenya, "KE_SDG", "schemas/sdg/data/kenya.csv");
    statgate_close(&kenya);
    return world->code[0] == '\0';
}

static void
receive(struct world *world)
{
    (void)world_verb(world, "norway", "receive", "KE_SDG", "--once", "--wait",
                     "1", "--out", world_path(world, "norway/got"), NULL);
}

static unsigned
held(struct world *world)
{
    unsigned count = 0;
    DIR *dir = opendir(world_path(world, "norway/got"));
    for (struct dirent *one; dir != NULL && (one = readdir(dir)) != NULL;)
        count += strstr(one->d_name, ".csv") != NULL &&
                 strstr(one->d_name, ".csv.") == NULL;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

static unsigned
entries(const char *log, const char *type)
{
    unsigned count = 0;
    for (const char *at = log; (at = strstr(at, type)) != NULL; at++)
        count++;
    return count;
}

// All that was said is in the log once, and norway holds each release once.
// What a death took from the line comes when norway asks again.
static void
all_is_well(struct world *world, enum crash at, unsigned releases)
{
    unsigned accepted = 0, receipts = 0;
    for (unsigned asked = 0; asked < ASKS_MAX; asked++) {
        world_do(world, "desk", "log", "show",
                 world_path(world, "HUB/store/evidence"), NULL);
        accepted = entries(world->said, "Z accepted ");
        receipts = entries(world->said, "Z receipt-ack ");
        if (accepted == releases && receipts == releases &&
            held(world) == releases)
            return;
        receive(world);
    }
    fail_msg("point %d: %u accepted, %u receipts, %u held of %u", (int)at,
             accepted, receipts, held(world), releases);
}

static void
the_log_is_whole(struct world *world)
{
    world_do(world, "desk", "log", "verify",
             world_path(world, "HUB/store/evidence"), NULL);
}

static void
the_gate_may_die_at_every_point_of_the_loop(void **state)
{
    struct world *world = *state;
    unsigned releases = 0;
    for (enum crash at = CRASH_RECEIVED; at < CRASH_RECOVERY; at++) {
        bool in = at < CRASH_FORWARD;
        bool told = false;
        if (in)
            world->faults->crash_at = at;
        told = publish(world, in ? SHORT_MS : WORLD_MS);
        if (!in) {
            world->faults->crash_at = at;
            receive(world);
        }
        dies(world, at);
        world_start(world);
        // The same signed bytes, unless the receipt is there.
        if (!told && !publish(world, WORLD_MS))
            fail_msg("point %d: %s", (int)at, world->code);
        all_is_well(world, at, ++releases);
    }
    the_log_is_whole(world);
}

static void
the_gate_may_die_while_it_recovers(void **state)
{
    struct world *world = *state;
    unsigned releases = world_log(world, " accepted ", "");
    assert_true(publish(world, WORLD_MS));
    assert_int_equal(raw_gate_end(&world->gate, true), 137);
    for (enum crash at = CRASH_RECOVERY; at < CRASHES; at++) {
        world->faults->crash_at = at;
        world_spawn(world);
        dies(world, at);
    }
    world_start(world);
    all_is_well(world, CRASHES, releases + 1);
    the_log_is_whole(world);
    assert_int_equal(world->faults->crashed, CRASHES - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gate_may_die_at_every_point_of_the_loop),
        cmocka_unit_test(the_gate_may_die_while_it_recovers),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
