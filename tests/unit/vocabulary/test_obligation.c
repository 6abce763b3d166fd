// What obligation.h promises: obligations are read, printed and made stricter.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/vocabulary/obligation.h"

static bool
parse(const char *name, const char *a, const char *b, struct sg_obligation *out)
{
    struct sg_slice args[2] = {sg_slice_text(a), sg_slice_text(b)};
    size_t count = a == NULL ? 0 : b == NULL ? 1 : 2;
    return sg_obligation_parse(sg_slice_text(name), args, count, out);
}

static struct sg_obligation
must_parse(const char *name, const char *a, const char *b)
{
    struct sg_obligation one;
    assert_true(parse(name, a, b, &one));
    return one;
}

static void
names_and_arguments_are_checked(void **unused)
{
    static const struct {
        const char *name, *a, *b, *printed; // NULL: refused
    } rows[] = {
        {"k_anonymity", "5", NULL, "k_anonymity(5)"},
        {"k_anonymity", "1", NULL, NULL},
        {"k_anonymity", "1001", NULL, NULL},
        {"k_anonymity", "5", "6", NULL},
        {"k_anonymity", NULL, NULL, NULL},
        {"dominance", "2", "85", "dominance(2,85)"},
        {"dominance", "6", "85", NULL},
        {"dominance", "0", "85", NULL},
        {"dominance", "2", "101", NULL},
        {"coarsen_geography", "admin2", NULL, "coarsen_geography(admin2)"},
        {"coarsen_geography", "2", NULL, NULL},
        {"no_onward", NULL, NULL, "no_onward"},
        {"no_onward", "1", NULL, NULL},
        {"delete_after_days", "730", NULL, "delete_after_days(730)"},
        {"delete_after_days", "4294967297", NULL, NULL},
        {"drop_dimensions", "SEX", NULL, NULL},
        {"make_tea", NULL, NULL, NULL},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        char text[80];
        struct sg_obligation one;
        bool ok = parse(rows[i].name, rows[i].a, rows[i].b, &one);
        assert_int_equal(ok, rows[i].printed != NULL);
        if (!ok)
            continue;
        sg_obligation_print(&one, text, sizeof text);
        assert_string_equal(text, rows[i].printed);
    }
}

static void
merging_takes_the_stricter_parameter_in_either_order(void **unused)
{
    static const struct {
        const char *name, *a, *a2, *b, *b2, *want;
    } rows[] = {
        {"minimum_count", "3", NULL, "10", NULL, "minimum_count(10)"},
        {"delete_after_days", "30", NULL, "90", NULL, "delete_after_days(30)"},
        {"keep_at_least_days", "30", NULL, "90", NULL,
         "keep_at_least_days(90)"},
        {"coarsen_geography", "admin3", NULL, "country", NULL,
         "coarsen_geography(country)"},
        {"dominance", "1", "90", "1", "80", "dominance(1,80)"},
        {"suppress_small_cells", "5", NULL, "3", NULL,
         "suppress_small_cells(5)"},
    };
    (void)unused;
    for (size_t i = 0; i < 2 * SG_COUNT_OF(rows); i++) {
        size_t r = i / 2;
        char text[80];
        struct sg_obligation list[4], both[2];
        size_t count = 0;
        both[i % 2] = must_parse(rows[r].name, rows[r].a, rows[r].a2);
        both[1 - i % 2] = must_parse(rows[r].name, rows[r].b, rows[r].b2);
        assert_true(sg_obligation_merge(list, &count, 4, &both[0]));
        assert_true(sg_obligation_merge(list, &count, 4, &both[1]));
        assert_int_equal(count, 1);
        sg_obligation_print(&list[0], text, sizeof text);
        assert_string_equal(text, rows[r].want);
    }
}

static void
lists_stay_ordered_and_a_full_one_says_so(void **unused)
{
    (void)unused;
    struct sg_obligation list[3];
    size_t count = 0;
    struct sg_obligation no_onward = must_parse("no_onward", NULL, NULL);
    struct sg_obligation d2 = must_parse("dominance", "2", "85");
    struct sg_obligation d1 = must_parse("dominance", "1", "70");
    struct sg_obligation keep = must_parse("keep_flags", NULL, NULL);
    assert_true(sg_obligation_merge(list, &count, 3, &no_onward));
    assert_true(sg_obligation_merge(list, &count, 3, &d2));
    assert_true(sg_obligation_merge(list, &count, 3, &d1));
    assert_int_equal(count, 3);
    assert_int_equal(list[0].arg[0], 1);
    assert_int_equal(list[1].arg[0], 2);
    assert_int_equal(list[2].name, SG_OBLIGATION_NO_ONWARD);
    assert_false(sg_obligation_merge(list, &count, 3, &keep));
    assert_true(sg_obligation_merge(list, &count, 3, &d1));
}

static void
a_promise_as_strict_as_asked_is_enough(void **unused)
{
    static const struct {
        const char *have, *a, *wanted, *b;
        bool enough;
    } rows[] = {
        {"delete_after_days", "30", "delete_after_days", "30", true},
        {"delete_after_days", "10", "delete_after_days", "30", true},
        {"delete_after_days", "31", "delete_after_days", "30", false},
        {"keep_at_least_days", "31", "keep_at_least_days", "30", true},
        {"keep_at_least_days", "29", "keep_at_least_days", "30", false},
        {"no_onward", NULL, "no_onward", NULL, true},
        {"no_onward", NULL, "notify_origin", NULL, false},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_obligation have = must_parse(rows[i].have, rows[i].a, NULL);
        struct sg_obligation want = must_parse(rows[i].wanted, rows[i].b, NULL);
        assert_int_equal(sg_obligation_satisfies(&have, &want), rows[i].enough);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_arguments_are_checked),
        cmocka_unit_test(merging_takes_the_stricter_parameter_in_either_order),
        cmocka_unit_test(lists_stay_ordered_and_a_full_one_says_so),
        cmocka_unit_test(a_promise_as_strict_as_asked_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
