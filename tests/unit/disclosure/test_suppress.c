// What suppress.h promises: small cells lose what would tell them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy/disclosure/suppress.h"
#include "tests/unit/sdmx/structure_fixture.h"

#define ATTRIBUTE(id, representation)                                          \
    "<s:Attribute id='" id "' assignmentStatus='Conditional'>" representation  \
    "<s:AttributeRelationship><s:PrimaryMeasure><Ref id='OBS_VALUE'/>"         \
    "</s:PrimaryMeasure></s:AttributeRelationship></s:Attribute>"
#define CODED(list)                                                            \
    "<s:LocalRepresentation><s:Enumeration><Ref agencyID='T' id='" list        \
    "' version='1.0'/></s:Enumeration></s:LocalRepresentation>"

static const char dsd[] =
    "<m:Structure xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "message' xmlns:s='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "structure' xmlns:c='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "common'><m:Structures><s:Codelists>"
    "<s:Codelist agencyID='T' id='CL_STATUS' version='1.0'><c:Name>s</c:Name>"
    "<s:Code id='A'><c:Name>Normal</c:Name></s:Code>"
    "<s:Code id='Q'><c:Name>Suppressed</c:Name></s:Code></s:Codelist>"
    "</s:Codelists><s:DataStructures>"
    "<s:DataStructure agencyID='T' id='DSD' version='1.0'><c:Name>d</c:Name>"
    "<s:DataStructureComponents><s:DimensionList>"
    "<s:Dimension id='AREA' position='1'/>"
    "<s:TimeDimension id='TIME_PERIOD'><s:LocalRepresentation><s:TextFormat "
    "textType='ObservationalTimePeriod'/></s:LocalRepresentation>"
    "</s:TimeDimension></s:DimensionList><s:AttributeList>" ATTRIBUTE(
        "OBS_STATUS", CODED("CL_STATUS")) ATTRIBUTE("N", "")
        ATTRIBUTE("UPPER_BOUND", "") ATTRIBUTE("KIND", "") ATTRIBUTE(
            "NOTE",
            "") "</s:AttributeList><s:MeasureList><s:PrimaryMeasure id='OBS_VALUE'/>"
                "</s:MeasureList></s:DataStructureComponents></s:DataStructure>"
                "</s:DataStructures></m:Structures></m:Structure>";

static const struct sg_structure *structure;

static int
open_structure(void **state)
{
    struct sg_diag diag;
    struct sg_arena *arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    *state = arena;
    return fixture_open(arena, sg_slice_text(dsd), &structure, &diag) == SG_OK
               ? 0
               : -1;
}

static int
close_structure(void **state)
{
    struct sg_arena *arena = *state;
    sg_arena_free(&arena);
    return 0;
}

static struct sg_value
value(const char *text)
{
    if (text[0] == '\0')
        return (struct sg_value){.kind = SG_VALUE_ABSENT};
    return (struct sg_value){(const uint8_t *)text, (uint32_t)strlen(text),
                             SG_VALUE_TEXT};
}

static uint32_t
index_of(const char *id)
{
    int32_t at = sg_structure_find(structure, sg_slice_text(id));
    assert_true(at >= 0);
    return (uint32_t)at;
}

static void
fill(struct sg_value values[16], const char *count, const char *kind)
{
    assert_true(structure->component_count <= 16);
    values[index_of("AREA")] = value("KE");
    values[index_of("TIME_PERIOD")] = value("2020");
    values[index_of("OBS_VALUE")] = value("12.5");
    values[index_of("OBS_STATUS")] = value("A");
    values[index_of("UPPER_BOUND")] = value("13");
    values[index_of("NOTE")] = value("text");
    values[index_of("N")] = value(count);
    values[index_of("KIND")] = value(kind);
}

static bool
is_text(const struct sg_value *v, const char *text)
{
    return v->kind == SG_VALUE_TEXT &&
           sg_slice_eq(sg_obs_value_bytes(v), sg_slice_text(text));
}

static void
counts_below_n_are_small_and_zero_is_not(void **unused)
{
    static const struct {
        const char *count;
        bool small;
    } rows[] = {
        {"0", false},  {"0.0", false}, {"1", true},    {"4", true},
        {"4.9", true}, {"5", false},   {"5.0", false}, {"1e1", false},
        {"1e0", true}, {"100", false}, {"", true},     {"NaN", true},
        {"INF", true}, {"many", true}, {"-3", false},  {"0.5", true},
    };
    struct sg_suppress_terms terms = {.n = 5, .count = SG_SLICE("N")};
    struct sg_suppress_plan plan;
    (void)unused;
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan), SG_OK);
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_value values[16] = {{0}};
        fill(values, rows[i].count, "x");
        if (sg_suppress_row(&plan, values) != rows[i].small)
            fail_msg("count \"%s\"", rows[i].count);
        assert_int_equal(is_text(&values[index_of("OBS_VALUE")], "12.5"),
                         !rows[i].small);
    }
    assert_int_equal(plan.rows, SG_COUNT_OF(rows));
    assert_int_equal(plan.suppressed, 9);
}

static void
a_small_cell_loses_value_count_and_bounds_and_keeps_its_key(void **unused)
{
    struct sg_suppress_terms terms = {.n = 5, .count = SG_SLICE("N")};
    struct sg_suppress_plan plan;
    struct sg_value values[16] = {{0}};
    (void)unused;
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan), SG_OK);
    fill(values, "3", "x");
    assert_true(sg_suppress_row(&plan, values));
    assert_int_equal(values[index_of("OBS_VALUE")].kind, SG_VALUE_ABSENT);
    assert_int_equal(values[index_of("N")].kind, SG_VALUE_ABSENT);
    assert_int_equal(values[index_of("UPPER_BOUND")].kind, SG_VALUE_ABSENT);
    assert_true(is_text(&values[index_of("OBS_STATUS")], "Q"));
    assert_true(is_text(&values[index_of("AREA")], "KE"));
    assert_true(is_text(&values[index_of("TIME_PERIOD")], "2020"));
    assert_true(is_text(&values[index_of("NOTE")], "text"));
    // Once more: nothing is left to take away.
    assert_false(sg_suppress_row(&plan, values));
    assert_int_equal(plan.suppressed, 1);
}

static void
only_rows_that_the_terms_mean_are_looked_at(void **unused)
{
    struct sg_suppress_terms terms = {.n = 5,
                                      .count = SG_SLICE("OBS_VALUE"),
                                      .when = SG_SLICE("KIND"),
                                      .code = SG_SLICE("NUMBER")};
    struct sg_suppress_plan plan;
    (void)unused;
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan), SG_OK);
    static const struct {
        const char *value, *kind;
        bool small;
    } rows[] = {
        {"3", "NUMBER", true},
        {"3", "PERCENT", false},
        {"3", "", false},
        {"300", "NUMBER", false},
    };
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_value values[16] = {{0}};
        fill(values, "9", rows[i].kind);
        values[index_of("OBS_VALUE")] = value(rows[i].value);
        assert_int_equal(sg_suppress_row(&plan, values), rows[i].small);
    }
}

static void
terms_that_name_nothing_are_refused(void **unused)
{
    struct sg_suppress_plan plan;
    struct sg_suppress_terms terms = {.n = 5, .count = SG_SLICE("COUNT")};
    (void)unused;
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan),
                     SG_ERR_NOT_FOUND);
    terms.count = SG_SLICE("N");
    terms.when = SG_SLICE("NOWHERE");
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan),
                     SG_ERR_NOT_FOUND);
    terms.when = (struct sg_slice){0};
    terms.n = 1;
    assert_int_equal(sg_suppress_plan_make(structure, &terms, &plan),
                     SG_ERR_TERMS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_below_n_are_small_and_zero_is_not),
        cmocka_unit_test(
            a_small_cell_loses_value_count_and_bounds_and_keeps_its_key),
        cmocka_unit_test(only_rows_that_the_terms_mean_are_looked_at),
        cmocka_unit_test(terms_that_name_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, open_structure, close_structure);
}
