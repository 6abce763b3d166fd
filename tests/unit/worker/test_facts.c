// Parts: what policy decides on, found by the judge.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/inspect/worker/rows.h"

enum { AREA, STATUS, NATURE, CONF, EMBARGO, REDIST, COMPONENTS };

struct fixture {
    struct sg_arena *arena;
    struct sg_component components[COMPONENTS];
    struct sg_structure structure;
    Sgpb__Job job;
    struct sg_role_job of;
    struct sg_check *check;
    struct sg_rows_facts facts;
    struct sg_value values[COMPONENTS];
    uint64_t row;
};

static int
setup(void **state)
{
    static const char *const ids[] = {"REF_AREA",     "OBS_STATUS",
                                      "NATURE",       "CONF_STATUS",
                                      "EMBARGO_TIME", "CONF_REDIST"};
    static const struct sg_check_options options = {.key = {1, 2}};
    struct fixture *f = calloc(1, sizeof *f);
    for (size_t i = 0; i < COMPONENTS; i++)
        f->components[i] = (struct sg_component){
            .id = sg_slice_text(ids[i]),
            .kind = i == AREA ? SG_KIND_DIMENSION : SG_KIND_ATTRIBUTE,
            .list = -1,
            .group = -1};
    f->structure = (struct sg_structure){.component_count = COMPONENTS,
                                         .dimension_count = 1,
                                         .time = -1,
                                         .measure = -1,
                                         .components = f->components};
    f->arena = sg_arena_new(64u << 20, 1 << 20);
    f->check = sg_check_new(f->arena, &options);
    f->job = (Sgpb__Job)SGPB__JOB__INIT;
    f->of = (struct sg_role_job){.job = &f->job, .structure = &f->structure};
    assert_int_equal(sg_rows_facts_begin(&f->facts, &f->of), SG_OK);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    sg_arena_free(&f->arena);
    free(f);
    return 0;
}

static void
see_all(struct fixture *f, const char *const texts[COMPONENTS])
{
    struct sg_obs obs = {.values = f->values, .row = ++f->row};
    memset(obs.changed, 0xff, sizeof obs.changed);
    for (size_t i = 0; i < COMPONENTS; i++)
        f->values[i] = (struct sg_value){
            (const uint8_t *)texts[i], (uint32_t)strlen(texts[i]),
            texts[i][0] == '\0' ? SG_VALUE_ABSENT : SG_VALUE_TEXT};
    sg_rows_facts_add(&f->facts, &obs);
}

static void
see(struct fixture *f, const char *area, const char *status, const char *nature,
    const char *conf, const char *embargo)
{
    see_all(f, (const char *const[]){area, status, nature, conf, embargo, ""});
}

static const Sgpb__Facts *
end(struct fixture *f)
{
    Sgpb__Facts *facts = NULL;
    assert_int_equal(sg_rows_facts_end(&f->facts, f->arena, f->check, &facts),
                     SG_OK);
    return facts;
}

static void
observations_that_differ_in_what_policy_sees_are_parts(void **state)
{
    struct fixture *f = *state;
    see(f, "404", "A", "C", "", "");
    see(f, "404", "B", "C", "", ""); // B is NORMAL too
    see(f, "404", "E", "M", "", "");
    see(f, "800", "A", "C", "C", "");
    see(f, "404", "A", "C", "", "");
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 3);
    assert_int_equal(facts->parts[0]->observations, 3);
    assert_string_equal(facts->parts[0]->area, "KE");
    assert_string_equal(facts->parts[0]->obs_status, "NORMAL");
    assert_string_equal(facts->parts[0]->conf_status, "F");
    assert_string_equal(facts->parts[1]->obs_status, "ESTIMATED");
    assert_string_equal(facts->parts[1]->nature, "M");
    assert_string_equal(facts->parts[2]->area, "UG");
    assert_string_equal(facts->parts[2]->conf_status, "C");
}

// sdmx-facts 1.10: E is as N until its time, which N does not know.
static void
an_embargo_goes_with_its_flag(void **state)
{
    static const struct {
        const char *conf, *embargo;
        uint64_t us;
    } cases[] = {
        {"E", "1970-01-01T00:00:01Z", 1000000},   {"E", "", UINT64_MAX},
        {"E", "1970-01-01T00:00:01", UINT64_MAX}, // no zone
        {"N", "1970-01-01T00:00:01Z", 0},         {"N", "", 0},
        {"", "1970-01-01T00:00:01Z", 1000000},    {"", "", 0}};
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        see(f, "404", "A", "C", cases[i].conf, cases[i].embargo);
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, SG_COUNT_OF(cases));
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_true(facts->parts[i]->embargo_us == cases[i].us);
}

static const char *const africa[] = {"404", "800", "646", "834", "108", "231",
                                     "706", "728", "729", "894", "716", "508",
                                     "454", "710", "72",  "426", "748"};

static void
a_part_of_many_areas_says_which_they_are(void **state)
{
    struct fixture *f = *state;
    struct sg_places which;
    for (size_t i = 0; i < SG_COUNT_OF(africa); i++)
        see(f, africa[i], "A", i % 2 == 0 ? "C" : "G", "", "");
    see(f, "1", "A", "G", "", "");       // one more, when all are together
    see(f, "404", "A", "G", "", "");     // KE, until now in the other part
    see(f, "NOWHERE", "A", "C", "", ""); // a code that is no place
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 2);
    assert_int_equal(
        facts->parts[0]->observations + facts->parts[1]->observations, 20);
    assert_string_equal(facts->parts[0]->area, "several");
    assert_string_equal(facts->parts[0]->nature, "C");
    assert_true(sg_places_open(
        sg_slice_of(facts->parts[0]->areas.data, facts->parts[0]->areas.len),
        &which));
    assert_int_equal(sg_places_count(&which), 10);
    assert_true(sg_places_has(&which, SG_PLACE_KE));
    assert_true(sg_places_has(&which, SG_PLACE_UNKNOWN));
    assert_false(sg_places_has(&which, SG_PLACE_UG));
    assert_true(sg_places_open(
        sg_slice_of(facts->parts[1]->areas.data, facts->parts[1]->areas.len),
        &which));
    assert_int_equal(sg_places_count(&which), 10);
    assert_true(sg_places_has(&which, SG_PLACE_UG));
    assert_true(sg_places_has(&which, SG_PLACE_KE));
    assert_true(sg_places_has(&which, SG_PLACE_WORLD));
    assert_int_equal(facts->parts[0]->counterparts.len, 0);
    assert_string_equal(facts->parts[0]->counterpart, "");
    assert_int_equal(facts->area_field, 1);
    assert_int_equal(facts->counterpart_field, 0);
}

// What a writer of a key calls by two codes is one country.
static void
a_part_of_one_area_says_its_name(void **state)
{
    static const char *const codes[] = {"404", "KE", "KEN"};
    struct fixture *f = *state;
    char conf[16];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(conf, sizeof conf, "X%d", i);
        see(f, codes[i % 3], "A", "C", conf, "");
    }
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 1);
    assert_string_equal(facts->parts[0]->area, "KE");
    assert_int_equal(facts->parts[0]->areas.len, 0);
}

static void
codes_that_were_given_up_are_unknown_and_absent_ones_are_not(void **state)
{
    struct fixture *f = *state;
    char text[16];
    see(f, "404", "", "", "", "");
    const Sgpb__Facts *facts = end(f);
    assert_string_equal(facts->parts[0]->obs_status, "NORMAL");
    assert_string_equal(facts->parts[0]->conf_status, "F");
    assert_string_equal(facts->parts[0]->conf_redist, "not_limited");
    for (int i = 0; i < 20; i++) {
        (void)snprintf(text, sizeof text, "X%d", i);
        see_all(f, (const char *const[]){"404", "A", "C", text, "", text});
    }
    facts = end(f);
    assert_int_equal(facts->n_parts, 1);
    assert_string_equal(facts->parts[0]->obs_status, "");
    assert_string_equal(facts->parts[0]->conf_status, "");
    assert_string_equal(facts->parts[0]->conf_redist, "");
}

static void
terms_may_want_the_confidentiality_said(void **state)
{
    struct fixture *f = *state;
    Sgpb__InspectTerms terms = SGPB__INSPECT_TERMS__INIT;
    terms.require_conf_status = true;
    f->job.terms = &terms;
    see(f, "404", "A", "C", "", "");
    see(f, "404", "A", "C", "F", "");
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 2);
    assert_string_equal(facts->parts[0]->conf_status, "");
    assert_string_equal(facts->parts[1]->conf_status, "F");
}

static void
a_list_of_organisations_is_ids_or_unknown(void **state)
{
    static const struct {
        const char *sent, *is;
    } rows[] = {
        {"", "not_limited"},
        {"KE_KNBS", "KE_KNBS"},
        {"KE_KNBS;FR_INSEE , KE_KNBS", "FR_INSEE,KE_KNBS"},
        {"not KE_KNBS", ""},
        {"NOT KE_KNBS", ""},
        {"KE_KNBS,", ""},
        {"not_limited", ""}, // a word of ours is no id
        {"recipient_named", ""},
        {" ", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        assert_int_equal(sg_rows_facts_begin(&f->facts, &f->of), SG_OK);
        see_all(f,
                (const char *const[]){"404", "A", "C", "", "", rows[i].sent});
        const Sgpb__Facts *facts = end(f);
        assert_string_equal(facts->parts[0]->conf_redist, rows[i].is);
    }
    static const uint8_t items[] = "\x02\x07KE_KNBS\x08UG_UBOS2";
    struct sg_value value = {items, sizeof items - 1, SG_VALUE_SEVERAL};
    char out[SG_ROWS_VALUE];
    assert_true(sg_rows_listed(&value, out, sizeof out));
    assert_string_equal(out, "KE_KNBS,UG_UBOS2");
    assert_false(sg_rows_listed(&value, out, 10)); // none is left out
    value.len--;
    assert_false(sg_rows_listed(&value, out, sizeof out));
    value = (struct sg_value){(const uint8_t *)"", 1, SG_VALUE_SEVERAL};
    assert_true(sg_rows_listed(&value, out, sizeof out));
    assert_string_equal(out, "nobody");
    value.kind = SG_VALUE_OFF;
    assert_false(sg_rows_listed(&value, out, sizeof out));
}

static void
too_many_codes_are_unknown(void **state)
{
    struct fixture *f = *state;
    char conf[16];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(conf, sizeof conf, "X%d", i);
        see(f, "404", "A", "C", conf, "");
    }
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 1);
    assert_string_equal(facts->parts[0]->conf_status, "");
    assert_int_equal(facts->parts[0]->observations, 20);
}

static void
an_embargo_without_zone_is_not_over(void **state)
{
    struct fixture *f = *state;
    see(f, "404", "A", "C", "E", "1970-01-01T00:00:01Z");
    see(f, "404", "A", "C", "E", "2020-01-01T00:00:00");
    see(f, "404", "A", "C", "F", "");
    const Sgpb__Facts *facts = end(f);
    assert_int_equal(facts->n_parts, 3);
    assert_int_equal(facts->parts[0]->embargo_us, 1000000);
    assert_true(facts->parts[1]->embargo_us == UINT64_MAX);
    assert_int_equal(facts->parts[2]->embargo_us, 0);
}

static void
a_release_without_rows_has_a_part(void **state)
{
    const Sgpb__Facts *facts = end(*state);
    assert_int_equal(facts->n_parts, 1);
    assert_int_equal(facts->parts[0]->observations, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(observations_that_differ_in_what_policy_sees_are_parts),
        TEST(an_embargo_goes_with_its_flag),
        TEST(a_part_of_many_areas_says_which_they_are),
        TEST(a_part_of_one_area_says_its_name),
        TEST(codes_that_were_given_up_are_unknown_and_absent_ones_are_not),
        TEST(terms_may_want_the_confidentiality_said),
        TEST(a_list_of_organisations_is_ids_or_unknown),
        TEST(too_many_codes_are_unknown),
        TEST(an_embargo_without_zone_is_not_over),
        TEST(a_release_without_rows_has_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
