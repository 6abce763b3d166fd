// A gate whose store was brought back from yesterday's copy, and is told so.
#include "tests/e2e/world.h"

enum { HEAR_MS = 10000 };

static void
copy(const struct world *world, const char *from, const char *to)
{
    const char *argv[] = {"/bin/cp", "-a", world_path(world, "%s", from),
                          world_path(world, "%s", to), NULL};
    int pid, status;

    if (sg_os_file_exists(argv[3]))
        assert_int_equal(sg_os_file_remove_tree(argv[3]), SG_OK);
    assert_int_equal(sg_os_process_spawn(argv, NULL, &pid), SG_OK);
    assert_true(sg_os_process_wait(pid, 20000, &status));
    assert_int_equal(status, 0);
}

static void
publish(struct world *world, unsigned figure, const char *code)
{
    struct statgate *kenya = world_connect(world, "kenya");
    const char *file = world_figures(world, "figures.csv", figure, 4000);

    assert_string_equal(world_good(world, kenya, "KE_SDG", file), code);
    statgate_close(&kenya);
}

static void
receive(struct world *world, uint64_t revision)
{
    struct statgate *norway = world_connect(world, "norway");
    struct statgate_delivery delivery;
    struct statgate_result result;

    if (statgate_next(norway, "KE_SDG", HEAR_MS, &delivery, &result) != 0)
        fail_msg("%s: %s", result.code, result.sentence);
    assert_int_equal(delivery.revision, revision);
    assert_int_equal(statgate_keep(norway, &delivery, &result), 0);
    statgate_close(&norway);
}

static bool
has(const struct world *world, const char *name)
{
    return sg_os_file_exists(world_path(world, "%s", name));
}

static void
bring_back(struct world *world)
{
    copy(world, "yesterday", "HUB/store");
    world->gate.restored = true;
    world_start(world);
    world->gate.restored = false; // once
}

// A release of before, one of after the copy was made, and the copy.
static void
lose_a_day(struct world *world)
{
    publish(world, 404, "");
    receive(world, 1);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    copy(world, "HUB/store", "yesterday");
    world_start(world);
    publish(world, 800, "");
    receive(world, 2);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    bring_back(world);
}

static unsigned long long
epoch(struct world *world)
{
    unsigned long long number = 0;

    world_do(world, "desk", "status", "--json", NULL);
    const char *at = strstr(world->said, "\"epoch\":");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"epoch\":%llu", &number), 1);
    return number;
}

static bool
is_restored(struct world *world, bool waits, const char *for_whom)
{
    char text[200];

    (void)snprintf(text, sizeof text, "\"restored\":%s,\"waits_for\":\"%s\"",
                   waits ? "true" : "false", for_whom);
    world_do(world, "desk", "status", "--json", NULL);
    return world_said(world, text);
}

static void
say_hello(struct world *world, const char *home)
{
    world_do(world, home, "flow", "list", NULL);
}

// The next roster: without research, in the epoch that is now.
static void
waive(struct world *world, const char *from, const char *next)
{
    char number[32];

    (void)snprintf(number, sizeof number, "%llu", epoch(world));
    world_do(world, "HUB", "roster", "waive", from, "--epoch", number,
             "--without", "UG_RESEARCH", "-o", next, NULL);
}

static void
sign(struct world *world, const char *roster, const char *person)
{
    world_do(world, "HUB", "roster", "sign", roster, "--key",
             world_path(world, "%s.key", person), NULL);
}

static void
nothing_is_decided_before_everybody_was_heard(void **state)
{
    struct world *world = *state;

    lose_a_day(world);
    assert_true(epoch(world) > 1500000000);
    assert_true(is_restored(world, true,
                            "KE_KNBS RW_NISR NO_OFFICE UG_UBOS UG_RESEARCH"));
    say_hello(world, "kenya");
    assert_true(world_said(world, "note: the gate HUB was brought back"));
    assert_true(has(world, "kenya/checkpoint.1"));
    say_hello(world, "kenya");
    assert_false(world_said(world, "note:"));
    publish(world, 646, "gate.restored");
    struct statgate *norway = world_connect(world, "norway");
    struct statgate_delivery delivery;
    struct statgate_result result;
    assert_int_equal(
        statgate_next(norway, "KE_SDG", HEAR_MS, &delivery, &result), 75);
    assert_string_equal(result.code, "gate.restored");
    statgate_close(&norway);
    assert_true(has(world, "norway/checkpoint.1"));
    // What is proven to be lost becomes an entry, once.
    for (int again = 0; again < 2; again++) {
        world_do(world, "kenya", "testify", NULL);
        assert_true(world_said(world, "1 of entries that were lost"));
        assert_int_equal(world_log(world, " testimony ", "receipt"), 1);
    }
    assert_int_equal(world_verb(world, "rwanda", "testify",
                                world_path(world, "roster.1"), NULL),
                     65);
    // What is only read goes on.
    world_do(world, "kenya", "flow", "show", "KE_SDG", NULL);
    (void)raw_gate_end(&world->gate, true);
    world_start(world); // it still waits, and has not forgotten who came
    assert_true(is_restored(world, true, "RW_NISR UG_UBOS UG_RESEARCH"));
    say_hello(world, "rwanda");
    say_hello(world, "uganda");
    publish(world, 646, "gate.restored"); // research is missing
    assert_int_equal(world_log(world, " testimony ", ""), 6);
    assert_int_equal(world_log(world, " epoch ", "largest_seen"), 1);
}

// By as many root keys of distinct persons as sign a roster.
static void
who_cannot_come_is_waived_by_name(void **state)
{
    struct world *world = *state;
    const char *next = world_path(world, "roster.2");

    waive(world, world_path(world, "roster.1"), next);
    sign(world, next, "one");
    assert_int_equal(world_verb(world, "desk", "roster", "put", next, NULL),
                     65);
    publish(world, 646, "gate.restored");
    sign(world, next, "two");
    world_do(world, "desk", "roster", "put", next, NULL);
    assert_true(is_restored(world, false, ""));
    publish(world, 646, "");
    receive(world, 2); // another one than the lost one
}

static void
what_was_lost_is_still_proven_and_told(void **state)
{
    struct world *world = *state;

    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    world_do(world, "desk", "log", "verify",
             world_path(world, "HUB/store/evidence"), NULL);
    const char *held = world_path(world, "kenya/checkpoint.1");
    assert_int_not_equal(world_verb(world, "desk", "log", "verify",
                                    world_path(world, "HUB/store/evidence"),
                                    "--against", held, NULL),
                         0);
    assert_true(world_said(world, "of epoch 1"));
    assert_true(world_said(world, "brought back from a copy"));
    world_start(world);
    world_serves(world);
}

// The same copy once more: what was signed in the epoch between is lost too, and
// the roster with it, which the operator holds.
static void
the_same_copy_twice_is_two_epochs(void **state)
{
    struct world *world = *state;
    unsigned long long first = epoch(world);
    char kept[64];

    (void)snprintf(kept, sizeof kept, "kenya/checkpoint.%llu", first);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    bring_back(world);
    assert_int_equal(world_verb(world, "desk", "flow", "list", "--json", NULL),
                     1);
    assert_true(world_said(world, "gate.roster_old"));
    world_do(world, "desk", "roster", "put", world_path(world, "roster.2"),
             NULL);
    assert_true(epoch(world) > first);
    assert_true(is_restored(world, true,
                            "KE_KNBS RW_NISR NO_OFFICE UG_UBOS UG_RESEARCH"));
    static const char *const homes[] = {"kenya", "rwanda", "norway", "uganda"};
    for (size_t i = 0; i < SG_COUNT_OF(homes); i++)
        say_hello(world, homes[i]);
    assert_true(has(world, kept));
    assert_true(is_restored(world, true, "UG_RESEARCH"));
    const char *next = world_path(world, "roster.3");
    waive(world, world_path(world, "roster.2"), next);
    sign(world, next, "one");
    sign(world, next, "two");
    world_do(world, "desk", "roster", "put", next, NULL);
    assert_true(is_restored(world, false, ""));
    publish(world, 646, "");
    receive(world, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_decided_before_everybody_was_heard),
        cmocka_unit_test(who_cannot_come_is_waived_by_name),
        cmocka_unit_test(what_was_lost_is_still_proven_and_told),
        cmocka_unit_test(the_same_copy_twice_is_two_epochs),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
