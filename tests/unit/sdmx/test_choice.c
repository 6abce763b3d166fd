#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/sdmx/choice.h"
#include "tests/unit/sdmx/obs_fixture.h"

static int
setup(void **state)
{
    *state = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    return 0;
}

static int
teardown(void **state)
{
    obs_fixture_free(*state);
    return 0;
}

// Dimensions FREQ (A Q), AREA (KE UG TZ); time.
static void
a_choice_fits_the_structure_or_the_place_is_named(void **state)
{
    static const struct {
        const char *key, *period;
        enum sg_err err;
        const char *place;
    } rows[] = {
        {"", "", SG_OK, ""},
        {"A.KE", "", SG_OK, ""},
        {"A+Q.KE+UG+TZ", "2015/2020", SG_OK, ""},
        {".KE", "", SG_OK, ""},
        {"*.KE", "", SG_OK, ""},
        {"A", "", SG_OK, ""}, // left out: any
        {"A.", "", SG_OK, ""},
        {".", "", SG_OK, ""},
        {"A.KE.2020", "", SG_ERR_KEY_FIELDS, "key \"A.KE.2020\""},
        {"A.KE.", "", SG_ERR_KEY_FIELDS, "key \"A.KE.\""},
        {"..", "", SG_ERR_KEY_FIELDS, "key \"..\""},
        {"A.XX", "", SG_ERR_KEY_CODE, "AREA \"XX\""},
        {"M.KE", "", SG_ERR_KEY_CODE, "FREQ \"M\""},
        {"KE.A", "", SG_ERR_KEY_CODE, "FREQ \"KE\""},
        {"A.KE+XX+UG", "", SG_ERR_KEY_CODE, "AREA \"XX\""},
        {"A.ke", "", SG_ERR_KEY_CODE, "AREA \"ke\""},
        {"A.KE ", "", SG_ERR_KEY_CODE, "AREA \"KE \""},
        {"A.KE+", "", SG_ERR_KEY_CODE, "AREA \"\""},
        {"A.+KE", "", SG_ERR_KEY_CODE, "AREA \"\""},
        {"A.KE+*", "", SG_ERR_KEY_CODE, "AREA \"*\""},
        {"A,KE", "", SG_ERR_KEY_CODE, "FREQ \"A,KE\""},
        {"", "2015/", SG_OK, ""},
        {"", "/2020", SG_OK, ""},
        {"", "2020/2020", SG_OK, ""},
        {"", "2020-06/2020", SG_OK, ""},
        {"", "2020-Q1/2020-Q4", SG_OK, ""},
        {"", "2019-W53/2020-W02", SG_OK, ""},
        {"", "2020-01-31/2020-02-29", SG_OK, ""},
        {"", "2020", SG_ERR_PERIOD, "period \"2020\""},
        {"", "/", SG_ERR_PERIOD, "period \"/\""},
        {"", "2020-13/2021", SG_ERR_PERIOD, "period \"2020-13\""},
        {"", "2020/2021-Q5", SG_ERR_PERIOD, "period \"2021-Q5\""},
        {"", "last/2021", SG_ERR_PERIOD, "period \"last\""},
        {"", "2020/2021-02-29", SG_ERR_PERIOD, "period \"2021-02-29\""},
        {"", "2020/2021/2022", SG_ERR_PERIOD, "period \"2021/2022\""},
        {"", "2020/2021-01-01/P1M", SG_ERR_PERIOD, "period \"2021-01-01/P1M\""},
        {"", "2021/2020", SG_ERR_PERIOD_ORDER, "period \"2021/2020\""},
        {"", "2020-Q3/2020-Q2", SG_ERR_PERIOD_ORDER,
         "period \"2020-Q3/2020-Q2\""},
        {"", "2021-01/2020", SG_ERR_PERIOD_ORDER, "period \"2021-01/2020\""},
        {"A.XX", "2021/2020", SG_ERR_KEY_CODE, "AREA \"XX\""},
    };
    struct obs_fixture *f = *state;

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_choice_fault fault;
        char place[65] = "";
        enum sg_err err =
            sg_choice_check(f->structure, sg_slice_text(rows[i].key),
                            sg_slice_text(rows[i].period), &fault);
        if (err != SG_OK)
            sg_choice_place(err, &fault, place, sizeof place);
        if (err != rows[i].err || strcmp(place, rows[i].place) != 0)
            fail_msg("%s %s: %s, %s", rows[i].key, rows[i].period,
                     sg_err_code(err), place);
    }
}

static void
the_code_that_was_meant_is_named(void **state)
{
    struct obs_fixture *f = *state;
    struct sg_choice_fault fault;

    assert_int_equal(sg_choice_check(f->structure, SG_SLICE("A.Kenya"),
                                     SG_SLICE(""), &fault),
                     SG_ERR_KEY_CODE);
    assert_true(sg_slice_eq(fault.hint, SG_SLICE("KE")));
}

// A dimension that is not coded takes any text; without time there is no period.
static void
without_code_list_or_time_nothing_is_looked_up(void **state)
{
    struct obs_fixture *f = *state;
    static struct sg_component components[SG_LIMIT_COMPONENTS];
    struct sg_structure free = *f->structure;
    struct sg_choice_fault fault;

    memcpy(components, free.components,
           free.component_count * sizeof *components);
    components[1].list = -1;
    free.components = components;
    free.time = -1;
    assert_int_equal(
        sg_choice_check(&free, SG_SLICE("A.any"), SG_SLICE(""), &fault), SG_OK);
    assert_int_equal(
        sg_choice_check(&free, SG_SLICE("A.a++b"), SG_SLICE(""), &fault),
        SG_ERR_KEY_CODE);
    assert_int_equal(
        sg_choice_check(&free, SG_SLICE(""), SG_SLICE("2020/"), &fault),
        SG_ERR_PERIOD);
}

// What was subscribed under an older structure still chooses.
static void
reading_takes_codes_that_are_no_more(void **state)
{
    struct obs_fixture *f = *state;
    struct sg_choice choice;

    assert_int_equal(sg_choice_read(f->structure, SG_SLICE("A.KE+XX"),
                                    SG_SLICE("2021/2020"), &choice),
                     SG_OK);
    assert_true(sg_slice_eq(choice.code[1], SG_SLICE("KE+XX")));
    assert_int_equal(
        sg_choice_read(f->structure, SG_SLICE("A.KE.X"), SG_SLICE(""), &choice),
        SG_ERR_SUBSCRIPTION);
    assert_int_equal(
        sg_choice_read(f->structure, SG_SLICE(""), SG_SLICE("2020"), &choice),
        SG_ERR_SUBSCRIPTION);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_choice_fits_the_structure_or_the_place_is_named),
        TEST(the_code_that_was_meant_is_named),
        TEST(without_code_list_or_time_nothing_is_looked_up),
        TEST(reading_takes_codes_that_are_no_more),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
