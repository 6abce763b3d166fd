// What err.h promises: stable codes, each with a sentence.
#include "tests/unit/base/fixture.h"

#include "broker/base/err.h"

static void
zero_is_success_and_nothing_else_is(void **unused)
{
    (void)unused;
    assert_int_equal(SG_OK, 0);
    assert_int_equal(sg_err_exit(SG_OK), 0);
    assert_string_equal(sg_err_code(SG_OK), "ok");
}

static void
each_code_names_one_row(void **unused)
{
    (void)unused;
    for (int i = 0; i < SG_ERR_COUNT; i++) {
        const char *code = sg_err_code((enum sg_err)i);
        assert_int_equal(sg_err_by_code(code), i); // the first with this code
        assert_true(strlen(code) > 0);
        for (const char *c = code; *c != '\0'; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_' || *c == '.');
    }
    assert_int_equal(sg_err_by_code("no.such"), SG_ERR_COUNT);
    assert_int_equal(sg_err_by_code(""), SG_ERR_COUNT);
}

static void
each_error_says_what_and_how_to_mend(void **unused)
{
    (void)unused;
    for (int i = 1; i < SG_ERR_COUNT; i++) {
        assert_true(strlen(sg_err_sentence((enum sg_err)i)) > 0);
        assert_true(strlen(sg_err_cure((enum sg_err)i)) > 0);
    }
}

// Exit statuses follow sysexits: 75 says "the same again later may work".
static void
try_again_later_is_said_only_where_it_may_help(void **unused)
{
    (void)unused;
    for (int i = 0; i < SG_ERR_COUNT; i++) {
        if (sg_err_exit((enum sg_err)i) == 75)
            assert_true(sg_err_retry((enum sg_err)i));
        if (sg_err_exit((enum sg_err)i) == 77)
            assert_false(sg_err_retry((enum sg_err)i));
    }
}

static void
ask_beyond(void *unused)
{
    (void)unused;
    (void)sg_err_code(SG_ERR_COUNT);
}

static void
an_error_outside_the_table_stops_the_program(void **unused)
{
    (void)unused;
    assert_stops(ask_beyond, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_success_and_nothing_else_is),
        cmocka_unit_test(each_code_names_one_row),
        cmocka_unit_test(each_error_says_what_and_how_to_mend),
        cmocka_unit_test(try_again_later_is_said_only_where_it_may_help),
        cmocka_unit_test(an_error_outside_the_table_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
