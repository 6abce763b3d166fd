// What is found out at the desk, before anything is sent: a file that the gate
// would refuse.
#include "tests/e2e/world.h"

#define OTHER "schemas/sdg/data/kyrgyzstan_national.csv"

static void
a_file_is_checked_with_the_rules_of_its_flow(void **state)
{
    struct world *world = *state;

    world_do(world, "kenya", "check", WORLD_KENYA, "--flow", "KE_SDG", NULL);
    assert_true(world_said(world, "accept"));
    // Right by the structure that it names, which is not that of the flow.
    world_do(world, "kenya", "structure", "import",
             "schemas/sdg/national_example.xml", NULL);
    world_do(world, "kenya", "check", OTHER, NULL);
    assert_int_equal(
        world_verb(world, "kenya", "check", OTHER, "--flow", "KE_SDG", NULL),
        65);
    assert_true(world_said(world, "STRUCTURE_UNKNOWN"));
}

static void
a_flow_of_nobody_or_another_has_no_rules_for_us(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_verb(world, "kenya", "check", WORLD_KENYA, "--flow",
                                "KE_NONE", NULL),
                     65);
    assert_int_not_equal(world_verb(world, "kenya", "check", WORLD_KENYA,
                                    "--flow", "RW_SDG", NULL),
                         0);
    assert_false(world_said(world, "accept"));
}

static void
put_policy(struct world *world, const char *name, const char *text)
{
    world_write(world, name, sg_slice_text(text));
}

static void
what_policy_check_refuses_is_not_proposed(void **state)
{
    struct world *world = *state;
    unsigned before = world_log(world, " policy ", "");

    assert_int_equal(
        world_verb(world, "desk", "policy", "propose", "README.md", NULL), 2);
    put_policy(world, "wrong.policy",
               "policy \"x\" version 1\nexport of KE\npermit wen\n");
    assert_int_equal(world_verb(world, "desk", "policy", "propose",
                                world_path(world, "wrong.policy"), NULL),
                     65);
    assert_true(world_said(world, "wrong.policy:"));
    assert_int_equal(world_log(world, " policy ", ""), before);
    world_do(world, "desk", "policy", "propose", "policy/examples", NULL);
    assert_int_equal(world_log(world, " policy ", ""), before + 1);
}

static void
a_rehearsal_says_to_whom_it_would_go_and_is_recorded(void **state)
{
    struct world *world = *state;
    unsigned decided = world_log(world, " decision ", "");
    unsigned accepted = world_log(world, " accepted ", "");

    world_do(world, "uganda", "subscribe", "KE_SDG", "--purpose",
             "sdg_reporting", NULL); // promises nothing
    world_do(world, "kenya", "publish", WORLD_KENYA, "--flow", "KE_SDG",
             "--rehearse", NULL);
    if (!world_said(world, "NO_OFFICE/KE_SDG: permit by the rule"))
        fail_msg("%s", world->said);
    assert_true(world_said(world, "UG_UBOS/KE_SDG: deny (cannot_fulfil)"));
    assert_int_equal(world_log(world, " admin act ", "rehearse"), 1);
    assert_int_equal(world_log(world, " decision ", ""), decided);
    assert_int_equal(world_log(world, " accepted ", ""), accepted);
}

// The verb fails with this exit, and says so.
#define SAYS(exit, word, ...)                                                  \
    do {                                                                       \
        assert_int_equal(world_verb(world, __VA_ARGS__, NULL), exit);          \
        if (!world_said(world, word))                                          \
            fail_msg("%s", world->said);                                       \
    } while (0)

static void
a_mistake_is_told_in_the_words_that_were_typed(void **state)
{
    struct world *world = *state;

    SAYS(65, ": KE_NONE (", "kenya", "flow", "show", "KE_NONE");
    SAYS(65, "statgate flow list", "norway", "flow", "show", "KE_NONE");
    SAYS(65, ": KE_NONE@1 NO_OFFICE/KE_SDG", "kenya", "why", "KE_NONE@1",
         "NO_OFFICE/KE_SDG");
    SAYS(2, "it is one of: ended", "kenya", "flow", "close", "KE_SDG",
         "--reason", "whatever");
    SAYS(65, "did you mean \"official_statistics\"", "desk", "policy",
         "explain", "policy/examples", "--given", "purpose official_statistic");
    put_policy(world, "request.json", "{\"purpose\": \"official_statistic\"}");
    SAYS(65, "did you mean \"official_statistics\"", "desk", "policy",
         "explain", "policy/examples", "--request",
         world_path(world, "request.json"));
    SAYS(1, "irectory", "kenya", "structure", "import", "schemas/sdg");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_checked_with_the_rules_of_its_flow),
        cmocka_unit_test(a_flow_of_nobody_or_another_has_no_rules_for_us),
        cmocka_unit_test(what_policy_check_refuses_is_not_proposed),
        cmocka_unit_test(a_rehearsal_says_to_whom_it_would_go_and_is_recorded),
        cmocka_unit_test(a_mistake_is_told_in_the_words_that_were_typed),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
