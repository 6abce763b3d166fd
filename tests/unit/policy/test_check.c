// Tests that stand in a policy: they pass when the law does what they expect of
// it, in every word, and fail otherwise.
#include "tests/unit/policy/fixture.h"

#include "policy/check.h"

// A law with an example, a duty, a deny with a reason and a deny by nobody.
#define LAW                                                                    \
    HEAD("hub")                                                                \
    "define example table = "                                                  \
    "provider_in KE, area KE, destination UG, stored_in UG, recipient nso, "   \
    "classification public, data_kind aggregate, unit person, "                \
    "identifiability anonymous, sensitive none, conf_status F, conf_redist "   \
    "not_limited, availability released, purpose sdg_reporting, lawful_basis " \
    "statistics_law, special_condition none, instrument none, consent "        \
    "not_relied_on, community_consent not_concerned, onward allowed, "         \
    "localisation none, licence cc_by\n"                                       \
    "rule \"open\" permit when" OPEN                                           \
    "oblige attribute_source, suppress_small_cells(5) because \"x\"\n"         \
    "rule \"not there\" forbid when destination is CH because \"x\"\n"

static const struct {
    const char *test;
    bool passes;
} rows[] = {
    {"given example table expect permit", true},
    {"on 2030-01-01 given example table expect permit", true},
    {"given example table expect hold", false},
    {"given example table expect deny", false},
    {"given example table expect permit by \"open\"", true},
    {"given example table expect permit by \"not there\"", false},
    {"given example table expect permit with attribute_source", true},
    {"given example table expect permit with suppress_small_cells(5), "
     "attribute_source",
     true},
    {"given example table expect permit with suppress_small_cells(6)", false},
    {"given example table expect permit with no_onward", false},
    {"given example table expect permit by \"open\" with no_onward", false},
    {"given example table, destination CH expect deny by \"not there\"", true},
    {"given example table, destination CH expect permit", false},
    {"given example table, destination CH expect deny incomplete", false},
    {"given example table, destination unknown expect deny incomplete", true},
    {"given example table, destination unknown expect deny", false},
};

struct heard {
    enum sg_check_kind kind;
    unsigned count;
};

static void
hear(void *ctx, const struct sg_check_line *line)
{
    struct heard *heard = ctx;

    assert_true(line->text.len > 0);
    heard->kind = line->kind;
    heard->count++;
}

static bool
passes(const char *test)
{
    struct heard heard = {SG_CHECK_NOTE, 0};
    const struct sg_check_sink sink = {hear, &heard};
    struct sg_check_counts counts;
    struct world w;
    char text[4096];

    (void)snprintf(text, sizeof text, LAW "test \"t\" %s\n", test);
    world_begin(&w);
    world_add(&w, "x.policy", text);
    world_must_load(&w);
    assert_int_equal(
        sg_check_set(w.arena, w.set, w.day, true, UINT64_MAX, &sink, &counts),
        SG_OK);
    assert_int_equal(heard.count, 1);
    assert_int_equal(counts.tests, 1);
    assert_int_equal(counts.failed, heard.kind == SG_CHECK_FAILED);
    world_end(&w);
    return heard.kind == SG_CHECK_PASSED;
}

static void
a_test_in_a_policy_passes_only_when_every_word_of_it_holds(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (passes(rows[i].test) != rows[i].passes)
            fail_msg("%s: %s", rows[i].test,
                     rows[i].passes ? "fails" : "passes");
    }
}

// Of what cannot be read the place is said.
static void
a_test_that_cannot_be_read_refuses_the_policy(void **unused)
{
    static const char *const tests[] = {
        "given example nobody expect permit",
        "given example table, destination NOWHERE expect permit",
        "given example table expect permit with a_duty_that_is_none",
        "given example table expect permit with suppress_small_cells",
        "on 2026-02-30 given example table expect permit",
        "given example table expect maybe",
    };

    (void)unused;
    assert_true(passes("given example table expect permit")); // the law is one
    for (size_t i = 0; i < SG_COUNT_OF(tests); i++) {
        struct world w;
        char text[4096];
        (void)snprintf(text, sizeof text, LAW "test \"t\" %s\n", tests[i]);
        world_begin(&w);
        world_add(&w, "x.policy", text);
        if (world_load(&w) == SG_OK || w.fault.at.line == 0)
            fail_msg("taken: %s", tests[i]);
        world_end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_test_in_a_policy_passes_only_when_every_word_of_it_holds),
        cmocka_unit_test(a_test_that_cannot_be_read_refuses_the_policy),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
