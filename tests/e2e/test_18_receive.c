// What an application may do with a delivery, through the library: keep it,
// refuse it with a reason, or end before it has done either.
#include <glob.h>

#include "tests/e2e/world.h"

enum { HEAR_MS = 10000, IDLE_MS = 1000 };

// The next delivery to norway of release `revision` of KE_SDG.
static void
must_come(struct statgate *norway, uint64_t revision,
          struct statgate_delivery *delivery)
{
    struct statgate_result result;

    if (statgate_next(norway, "KE_SDG", HEAR_MS, delivery, &result) != 0)
        fail_msg("%s: %s", result.code, result.sentence);
    assert_int_equal(delivery->revision, revision);
    assert_true(sg_os_file_exists(delivery->data_path));
}

static void
nothing_comes(struct world *world)
{
    struct statgate *norway = world_connect(world, "norway");
    struct statgate_delivery delivery;
    struct statgate_result result;

    assert_int_equal(
        statgate_next(norway, "KE_SDG", IDLE_MS, &delivery, &result), 75);
    assert_string_equal(result.code, "gate.idle");
    statgate_close(&norway);
}

static void
publish(struct world *world, unsigned figure)
{
    struct statgate *kenya = world_connect(world, "kenya");
    const char *file = world_figures(world, "figures.csv", figure, 4000);

    assert_string_equal(world_good(world, kenya, "KE_SDG", file), "");
    statgate_close(&kenya);
}

static void
what_was_neither_kept_nor_refused_comes_again(void **state)
{
    struct world *world = *state;
    struct statgate_delivery delivery;
    struct statgate_result result;
    uint8_t id[16];

    publish(world, 404);
    struct statgate *norway = world_connect(world, "norway");
    must_come(norway, 1, &delivery);
    memcpy(id, delivery.delivery_id, 16);
    statgate_close(&norway); // as if the application had ended
    assert_int_equal(world_log(world, " receipt-ack ", ""), 0);
    norway = world_connect(world, "norway");
    must_come(norway, 1, &delivery);
    assert_memory_equal(delivery.delivery_id, id, 16);
    assert_int_equal(statgate_keep(norway, &delivery, &result), 0);
    statgate_close(&norway);
    assert_int_equal(world_log(world, " receipt-ack ", ""), 1);
    nothing_comes(world);
}

static void
what_an_application_refuses_is_recorded_with_its_reason_and_over(void **state)
{
    struct world *world = *state;
    struct statgate_delivery delivery;
    struct statgate_result result;

    publish(world, 800);
    struct statgate *norway = world_connect(world, "norway");
    must_come(norway, 2, &delivery);
    assert_int_equal(
        statgate_refuse(norway, &delivery, "receiver.schema", &result), 0);
    assert_false(sg_os_file_exists(delivery.data_path));
    statgate_close(&norway);
    assert_int_equal(world_log(world, " receipt-ack ",
                               "kept: 2 (refused) code: \"receiver.schema\""),
                     1);
    nothing_comes(world);
    // The next release is another matter.
    publish(world, 646);
    norway = world_connect(world, "norway");
    must_come(norway, 3, &delivery);
    assert_int_equal(statgate_keep(norway, &delivery, &result), 0);
    statgate_close(&norway);
}

static void
publish_under_embargo(struct world *world)
{
    struct statgate *kenya = world_connect(world, "kenya");
    const struct statgate_release release = {
        .flow = "KE_SDG",
        .file = world_figures(world, "later.csv", 800, 4000),
        .embargo_us = 4102444800000000ull, // 2100
        .again = 1};
    struct statgate_receipt receipt;
    struct statgate_result result;

    assert_int_equal(
        statgate_publish(kenya, &release, NULL, NULL, &receipt, &result), 0);
    statgate_close(&kenya);
}

static unsigned
gaps_kept(const struct world *world)
{
    glob_t found;

    if (glob(world_path(world, "norway/gaps/*"), 0, NULL, &found) != 0)
        return 0;
    unsigned count = (unsigned)found.gl_pathc;
    globfree(&found);
    return count;
}

// Release 4 is held: the gate signs that it is, and release 5 is given out.
static void
what_lies_between_two_deliveries_is_signed_for(void **state)
{
    struct world *world = *state;
    struct statgate_delivery delivery;
    struct statgate_result result;

    assert_int_equal(gaps_kept(world), 0);
    publish_under_embargo(world);
    publish(world, 404);
    struct statgate *norway = world_connect(world, "norway");
    do
        (void)statgate_next(norway, "KE_SDG", HEAR_MS, &delivery, &result);
    while (delivery.stopped);
    assert_int_equal(result.exit, 0);
    assert_int_equal(delivery.revision, 5);
    assert_int_equal(statgate_keep(norway, &delivery, &result), 0);
    statgate_close(&norway);
    assert_int_equal(gaps_kept(world), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_neither_kept_nor_refused_comes_again),
        cmocka_unit_test(
            what_an_application_refuses_is_recorded_with_its_reason_and_over),
        cmocka_unit_test(what_lies_between_two_deliveries_is_signed_for),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
