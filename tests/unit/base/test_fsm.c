// What fsm.h promises about state machines as tables.
#include "tests/unit/base/fixture.h"

#include "broker/base/fsm.h"

enum { SHUT, OPEN };
enum { PUSH, PULL, SLAM };

static const char *const states[] = {"shut", "open"};
static const char *const events[] = {"push", "pull", "slam"};
static const uint8_t next[] = {
    OPEN,      SG_FSM_NO, SG_FSM_NO, // shut
    SG_FSM_NO, SHUT,      SHUT,      // open
};
static const struct sg_fsm door = {
    .name = "door",
    .states = 2,
    .events = 3,
    .state_name = states,
    .event_name = events,
    .next = next,
};

static void
rows_are_states_and_columns_are_events(void **unused)
{
    (void)unused;
    sg_fsm_check(&door);
    assert_int_equal(sg_fsm_next(&door, SHUT, PUSH), OPEN);
    assert_int_equal(sg_fsm_next(&door, SHUT, PULL), SG_FSM_NO);
    assert_int_equal(sg_fsm_next(&door, SHUT, SLAM), SG_FSM_NO);
    assert_int_equal(sg_fsm_next(&door, OPEN, PUSH), SG_FSM_NO);
    assert_int_equal(sg_fsm_next(&door, OPEN, PULL), SHUT);
    assert_int_equal(sg_fsm_next(&door, OPEN, SLAM), SHUT);
}

static void
beyond_states(void *unused)
{
    (void)unused;
    (void)sg_fsm_next(&door, 2, PUSH);
}

static void
beyond_events(void *unused)
{
    (void)unused;
    (void)sg_fsm_next(&door, SHUT, 3);
}

static void
check(void *fsm)
{
    sg_fsm_check(fsm);
}

static void
a_state_or_event_outside_the_table_stops_the_program(void **unused)
{
    uint8_t wrong[6];
    struct sg_fsm broken = door;
    (void)unused;
    assert_stops(beyond_states, NULL);
    assert_stops(beyond_events, NULL);
    memcpy(wrong, next, sizeof wrong);
    wrong[5] = 2;
    broken.next = wrong;
    assert_stops(check, &broken);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_states_and_columns_are_events),
        cmocka_unit_test(a_state_or_event_outside_the_table_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
