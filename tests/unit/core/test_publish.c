#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/publish.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static Sgpb__FlowTerms
terms_of(const char *classification, const char *onward)
{
    Sgpb__FlowTerms t = SGPB__FLOW_TERMS__INIT;

    t.classification = TEXT(classification);
    t.data_kind = TEXT("aggregate");
    t.identifiability = TEXT("anonymous");
    t.lawful_basis = TEXT("statistics_law");
    t.special_condition = TEXT("none");
    t.onward = TEXT(onward);
    return t;
}

// S15: for every claim and every terms the value decided on is at least as
// strict as both.
static void
a_claim_never_makes_the_terms_milder(void **state)
{
    static const char *const levels[] = {"public", "limited", "restricted",
                                         "secret"};
    static const char *const onward[] = {"forbidden", "to_named",
                                         "with_approval", "allowed"};
    uint16_t codes[SG_ATTR_COUNT];
    enum sg_attr attr;

    (void)state;
    for (uint16_t t = 0; t < 4; t++)
        for (uint16_t c = 0; c < 4; c++) {
            Sgpb__FlowTerms terms = terms_of(levels[t], onward[t]);
            Sgpb__Claims claims = SGPB__CLAIMS__INIT;
            claims.classification = TEXT(levels[c]);
            claims.onward = TEXT(onward[c]);
            if (!sg_publish_codes(&terms, &claims, "KE", codes, &attr))
                continue; // refused: stricter than anything
            assert_true(codes[SG_ATTR_CLASSIFICATION] >= t + 1 &&
                        codes[SG_ATTR_CLASSIFICATION] >= c + 1);
            assert_true(codes[SG_ATTR_ONWARD] <= t + 1 &&
                        codes[SG_ATTR_ONWARD] <= c + 1);
        }
}

static void
a_claim_outside_the_terms_is_named(void **state)
{
    static const struct {
        const char *basis, *kind, *unit;
        enum sg_attr attr; // SG_ATTR_COUNT: accepted
    } rows[] = {
        {"", "", "", SG_ATTR_COUNT},
        {"statistics_law", "aggregate", "", SG_ATTR_COUNT},
        {"consent", "", "", SG_ATTR_LAWFUL_BASIS},
        {"no_such_basis", "", "", SG_ATTR_LAWFUL_BASIS},
        {"", "public_use_file", "", SG_ATTR_DATA_KIND},
        {"", "", "person", SG_ATTR_UNIT}, // the terms say: not applicable
    };
    uint16_t codes[SG_ATTR_COUNT];

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        Sgpb__FlowTerms terms = terms_of("public", "allowed");
        Sgpb__Claims claims = SGPB__CLAIMS__INIT;
        enum sg_attr attr = SG_ATTR_COUNT;
        claims.lawful_basis = TEXT(rows[i].basis);
        claims.data_kind = TEXT(rows[i].kind);
        claims.unit = TEXT(rows[i].unit);
        bool taken = sg_publish_codes(&terms, &claims, "KE", codes, &attr);
        assert_int_equal(taken, rows[i].attr == SG_ATTR_COUNT);
        if (!taken)
            assert_int_equal(attr, rows[i].attr);
        else
            assert_int_equal(codes[SG_ATTR_PROVIDER_IN], SG_PLACE_KE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_never_makes_the_terms_milder),
        cmocka_unit_test(a_claim_outside_the_terms_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
