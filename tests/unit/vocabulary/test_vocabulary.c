// What vocabulary.h promises: names, numbers, places, the strictest value.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/vocabulary/vocabulary.h"

static struct sg_slice
text(const char *s)
{
    return sg_slice_text(s);
}

static void
every_code_has_a_text_that_leads_back_to_it(void **unused)
{
    (void)unused;
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        enum sg_attr attr = (enum sg_attr)a;
        uint16_t count = sg_vocabulary_code_count(attr);
        assert_int_equal(
            sg_vocabulary_attr_named(text(sg_vocabulary_attr(attr)->name)), a);
        assert_true(count > 2 || attr == SG_ATTR_PARTY);
        assert_string_equal(sg_vocabulary_text(attr, 0), "unknown");
        assert_string_equal(sg_vocabulary_text(attr, count),
                            attr == SG_ATTR_PARTY ? "listed" : "unknown");
        for (uint16_t c = 1; c < count; c++) {
            if (!sg_vocabulary_is_code(attr, c))
                continue;
            const char *name = sg_vocabulary_text(attr, c);
            assert_int_equal(sg_vocabulary_code(attr, text(name)), c);
        }
    }
}

// These numbers stand in evidence: a change here breaks old logs.
static void
numbers_that_evidence_holds_do_not_move(void **unused)
{
    static const struct {
        unsigned is, must_be;
    } rows[] = {
        {SG_ATTR_PROVIDER_IN, 0},
        {SG_ATTR_AREA, 1},
        {SG_ATTR_DESTINATION, 3},
        {SG_ATTR_PARTY, 6},
        {SG_ATTR_AVAILABILITY, 18},
        {SG_ATTR_CONSENT, 24},
        {SG_ATTR_SDC_STATE, 32},
        {SG_ATTR_COUNT, 33},
        {SG_PLACE_INTL, 1},
        {SG_PLACE_ANYWHERE, 2},
        {SG_PLACE_SEVERAL, 5},
        {SG_PLACE_AF, 16},
        {SG_PLACE_XK, 265},
        {SG_CONSENT_GIVEN, 2},
        {SG_AVAILABILITY_WITHDRAWN, 4},
        {SG_CLASSIFICATION_SECRET, 4},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_int_equal(rows[i].is, rows[i].must_be);
}

static void
a_code_belongs_to_its_attribute(void **unused)
{
    (void)unused;
    assert_int_equal(sg_vocabulary_code(SG_ATTR_DESTINATION, text("ANYWHERE")),
                     SG_PLACE_ANYWHERE);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_AREA, text("ANYWHERE")), 0);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_AREA, text("INTL")), 0);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_AREA, text("WORLD")),
                     SG_PLACE_WORLD);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_DESTINATION, text("no")), 0);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_DESTINATION, text("NO")),
                     SG_PLACE_NO);
    assert_int_equal(sg_vocabulary_code(SG_ATTR_PURPOSE, text("unknown")), 0);
    assert_false(sg_vocabulary_is_code(SG_ATTR_AREA, SG_PLACE_INTL));
    assert_false(sg_vocabulary_is_code(SG_ATTR_DESTINATION, 7));
}

static void
vague_places_are_the_same_as_nothing(void **unused)
{
    static const struct {
        uint16_t a, b;
        enum sg_same same;
    } rows[] = {
        {SG_PLACE_KE, SG_PLACE_KE, SG_SAME_YES},
        {SG_PLACE_KE, SG_PLACE_UG, SG_SAME_NO},
        {SG_PLACE_INTL, SG_PLACE_INTL, SG_SAME_UNKNOWN},
        {SG_PLACE_INTL, SG_PLACE_KE, SG_SAME_NO},
        {SG_PLACE_ANYWHERE, SG_PLACE_KE, SG_SAME_UNKNOWN},
        {SG_PLACE_KE, SG_PLACE_SEVERAL, SG_SAME_UNKNOWN},
        {SG_PLACE_REGION, SG_PLACE_REGION, SG_SAME_UNKNOWN},
        {SG_PLACE_WORLD, SG_PLACE_KE, SG_SAME_NO},
        {SG_PLACE_WORLD, SG_PLACE_WORLD, SG_SAME_YES},
        {0, SG_PLACE_KE, SG_SAME_UNKNOWN},
        {0, 0, SG_SAME_UNKNOWN},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        assert_int_equal(sg_vocabulary_same(rows[i].a, rows[i].b),
                         rows[i].same);
        assert_int_equal(sg_vocabulary_same(rows[i].b, rows[i].a),
                         rows[i].same);
    }
}

static void
ref_area_becomes_a_country_a_region_or_unknown(void **unused)
{
    static const struct {
        const char *code;
        uint16_t place;
    } rows[] = {
        {"404", SG_PLACE_KE},
        {"KE", SG_PLACE_KE},
        {"KEN", SG_PLACE_KE},
        {"4", SG_PLACE_AF},
        {"004", SG_PLACE_AF},
        {"1", SG_PLACE_WORLD},
        {"202", SG_PLACE_REGION},
        {"2", SG_PLACE_REGION},
        {"412", SG_PLACE_XK},
        {"XK", SG_PLACE_XK},
        {"NA", SG_PLACE_NA},
        {"826", SG_PLACE_GB},
        {"827", SG_PLACE_GB},
        {"836", SG_PLACE_TZ},
        {"UK", 0},
        {"EU", 0},
        {"ke", 0},
        {"", 0},
        {"999", 0},
        {"99018", 0},
        {"65536", 0},
        {"65940", 0},
        {"-404", 0},
        {"Kenya", 0},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_int_equal(sg_vocabulary_area(text(rows[i].code)), rows[i].place);
}

static void
the_country_that_somebody_meant_is_named(void **unused)
{
    static const struct {
        const char *word, *code;
    } rows[] = {
        {"UK", "GB"},
        {"EL", "GR"},
        {"KEN", "KE"},
        {"GBR", "GB"},
        {"404", "KE"},
        {"NAM", "NA"},
        {"Kenya", "KE"},
        {"XK", "XK"},
        {"VU", "VU"},
        {"EU", "unknown"},
        {"Atlantis", "unknown"},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        uint16_t place = sg_vocabulary_country_meant(text(rows[i].word));
        assert_string_equal(sg_vocabulary_text(SG_ATTR_DESTINATION, place),
                            rows[i].code);
    }
}

static void
observation_status_is_grouped(void **unused)
{
    static const char *const rows[] = {
        "A1", "B1", "D1", "G1", "J1", "N1", "S1", "U1", "W1", "P2", "E3",
        "F3", "I3", "H4", "K4", "L4", "M4", "O4", "Q5", "V6", "X0", "a0"};
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_int_equal(sg_vocabulary_obs_status(sg_slice_of(rows[i], 1)),
                         rows[i][1] - '0');
    assert_int_equal(sg_vocabulary_obs_status(text("")), 0);
    assert_int_equal(sg_vocabulary_obs_status(text("AB")), 0);
}

// claim, terms, derived (-1: none) -> the value, or -1: outside the terms.
static void
the_strictest_of_claim_terms_and_derivation_counts(void **unused)
{
    static const struct {
        enum sg_attr attr;
        uint16_t claim, terms[2];
        size_t terms_count;
        int derived, want;
    } rows[] = {
        {SG_ATTR_CLASSIFICATION, 1, {2}, 1, -1, 2},
        {SG_ATTR_CLASSIFICATION, 3, {2}, 1, 1, 3},
        {SG_ATTR_CLASSIFICATION, 1, {1}, 1, 4, 4},
        {SG_ATTR_CLASSIFICATION, 0, {1}, 1, -1, 0},
        {SG_ATTR_CLASSIFICATION, 1, {0}, 1, -1, 0},
        {SG_ATTR_CLASSIFICATION, 1, {1}, 1, 0, 0},
        {SG_ATTR_ONWARD,
         SG_ONWARD_ALLOWED,
         {SG_ONWARD_TO_NAMED},
         1,
         -1,
         SG_ONWARD_TO_NAMED},
        {SG_ATTR_ONWARD,
         SG_ONWARD_FORBIDDEN,
         {SG_ONWARD_ALLOWED},
         1,
         -1,
         SG_ONWARD_FORBIDDEN},
        {SG_ATTR_DATA_KIND, 1, {1, 2}, 2, -1, 1},
        {SG_ATTR_DATA_KIND, 3, {1, 2}, 2, -1, -1},
        {SG_ATTR_DATA_KIND, 1, {1, 2}, 2, 2, 2},
        {SG_ATTR_DATA_KIND, 1, {1, 2}, 2, 3, -1},
        {SG_ATTR_DATA_KIND, 1, {0}, 0, 1, 1},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        uint16_t out = 9;
        struct sg_stated stated = {
            .claim = rows[i].claim,
            .terms = rows[i].terms,
            .terms_count = rows[i].terms_count,
            .has_derived = rows[i].derived >= 0,
            .derived = (uint16_t)(rows[i].derived < 0 ? 0 : rows[i].derived),
        };
        bool ok = sg_vocabulary_strictest(rows[i].attr, &stated, &out);
        assert_int_equal(ok ? out : -1, rows[i].want);
        assert_true(ok || out == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_that_leads_back_to_it),
        cmocka_unit_test(numbers_that_evidence_holds_do_not_move),
        cmocka_unit_test(a_code_belongs_to_its_attribute),
        cmocka_unit_test(vague_places_are_the_same_as_nothing),
        cmocka_unit_test(ref_area_becomes_a_country_a_region_or_unknown),
        cmocka_unit_test(the_country_that_somebody_meant_is_named),
        cmocka_unit_test(observation_status_is_grouped),
        cmocka_unit_test(the_strictest_of_claim_terms_and_derivation_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
