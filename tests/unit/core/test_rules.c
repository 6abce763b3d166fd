#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/deliver.h"
#include "broker/core/flow.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/subscribe.h"

static void
every_move_of_a_delivery_is_defined(void **state)
{
    (void)state;
    sg_fsm_check(&sg_deliver_fsm);
}

// Whatever happens afterwards, a released key stays released until it is
// cancelled, and what is over stays over.
static void
what_has_left_never_counts_as_not_left(void **state)
{
    (void)state;
    for (uint8_t s = 0; s < (uint8_t)SG_DELIVERY_STATES; s++)
        for (uint8_t e = 0; e < (uint8_t)SG_DELIVERY_EVENTS; e++) {
            uint8_t next = sg_fsm_next(&sg_deliver_fsm, s, e);
            if (next == SG_FSM_NO)
                continue;
            if (sg_deliver_left(s) && e != SG_DELIVERY_CANCEL &&
                e != SG_DELIVERY_REFUSE)
                assert_true(sg_deliver_left(next));
            if (e == SG_DELIVERY_RELEASE) // only what has a statement
                assert_true(s == SG_DELIVERY_STATED || s == SG_DELIVERY_KEYED);
            if (e == SG_DELIVERY_PERMIT) // nothing that stopped goes on
                assert_true(s <= SG_DELIVERY_KEYED);
        }
}

static void
a_bucket_gives_its_rate_and_no_more(void **state)
{
    struct sg_bucket bucket = {0};
    uint64_t now = 1000000;
    unsigned given = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        given += sg_refuse_token(&bucket, now, 10);
    assert_int_equal(given, 10); // a second's worth at once
    for (int i = 0; i < 100; i++) {
        now += 10000; // over one more second
        given += sg_refuse_token(&bucket, now, 10);
    }
    assert_in_range(given, 19, 20);
    assert_true(sg_refuse_token(&bucket, now + 60000000, 10));
}

// ---- terms ----------------------------------------------------------------

static Sgpb__TermsAttribute said[7];
static Sgpb__TermsAttribute *list[7];
static char *purposes[] = {(char *)(uintptr_t) "official_statistics"};

static Sgpb__FlowTerms
sound(void)
{
    static const char *const names[][2] = {
        {"localisation", "none"},
        {"geo_detail", "country"},
        {"validation", "not_needed"},
        {"emergency", "none"},
        {"community_consent", "not_concerned"},
        {"quality", "complete"},
        {"sdc_state", "none"}};
    Sgpb__FlowTerms t = SGPB__FLOW_TERMS__INIT;

    for (size_t i = 0; i < 7; i++) {
        said[i] = (Sgpb__TermsAttribute)SGPB__TERMS_ATTRIBUTE__INIT;
        said[i].attribute = (char *)(uintptr_t)names[i][0];
        said[i].value = (char *)(uintptr_t)names[i][1];
        list[i] = &said[i];
    }
    t.flow = (char *)(uintptr_t) "KE_HEALTH";
    t.provider = (char *)(uintptr_t) "KE_KNBS";
    t.classification = (char *)(uintptr_t) "limited";
    t.data_kind = (char *)(uintptr_t) "aggregate";
    t.identifiability = (char *)(uintptr_t) "anonymous";
    t.sensitive = (char *)(uintptr_t) "none";
    t.lawful_basis = (char *)(uintptr_t) "statistics_law";
    t.special_condition = (char *)(uintptr_t) "none";
    t.onward = (char *)(uintptr_t) "to_named";
    t.commit = (char *)(uintptr_t) "row";
    t.purposes = purposes;
    t.n_purposes = 1;
    t.attributes = list;
    t.n_attributes = 7;
    return t;
}

static void
terms_that_leave_something_open_are_refused(void **state)
{
    const char *field;

    (void)state;
    Sgpb__FlowTerms t = sound();
    assert_int_equal(sg_flow_check_terms(&t, &field), SG_OK);
    for (size_t i = 0; i < 7; i++) {
        t = sound();
        said[i].attribute = (char *)(uintptr_t) "licence";
        assert_int_equal(sg_flow_check_terms(&t, &field), SG_ERR_TERMS);
        assert_non_null(field);
    }
    t = sound();
    t.classification = (char *)(uintptr_t) "open";
    assert_int_equal(sg_flow_check_terms(&t, &field), SG_ERR_TERMS);
    assert_string_equal(field, "classification");
    t = sound();
    t.lawful_basis = (char *)(uintptr_t) "consent"; // whose?
    assert_int_equal(sg_flow_check_terms(&t, &field), SG_ERR_TERMS);
    assert_string_equal(field, "agreements");
}

// Who signs a condition relies on it: what is not performed is not taken.
static void
terms_that_the_gate_does_not_perform_are_refused(void **state)
{
    static char *concepts[] = {(char *)(uintptr_t) "CONTACT"};
    const char *field;

    (void)state;
#define ROW(name, change)                                                      \
    do {                                                                       \
        Sgpb__FlowTerms t = sound();                                           \
        change;                                                                \
        assert_int_equal(sg_flow_check_terms(&t, &field), SG_ERR_UNSUPPORTED); \
        assert_string_equal(field, name);                                      \
    } while (0)
    ROW("order", t.order = 1);
    ROW("decoys", t.decoys = 1);
    ROW("embargo", t.embargo = (char *)(uintptr_t) "calendar");
    ROW("tolerance", t.tolerance = (char *)(uintptr_t) "0.1");
    ROW("require_metadata",
        (t.require_metadata = concepts, t.n_require_metadata = 1));
    ROW("ttl_days", t.ttl_days = 1);
#undef ROW
}

static void
a_map_of_areas_gives_each_code_one_place(void **state)
{
    Sgpb__AreaMap one[2] = {SGPB__AREA_MAP__INIT, SGPB__AREA_MAP__INIT};
    Sgpb__AreaMap *map[] = {&one[0], &one[1]};
    static const struct {
        const char *code[2], *place[2];
        enum sg_err err;
    } rows[] = {{{"N1", "N2"}, {"KE", "KE"}, SG_OK},
                {{"N1", "N1"}, {"KE", "UG"}, SG_ERR_TERMS},
                {{"N1", ""}, {"KE", "UG"}, SG_ERR_TERMS},
                {{"N1", "N2"}, {"KE", "Kenya"}, SG_ERR_TERMS},
                {{"N1", "N2"}, {"KE", ""}, SG_ERR_TERMS}};
    const char *field;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        Sgpb__FlowTerms t = sound();
        for (size_t k = 0; k < 2; k++) {
            one[k].code = (char *)(uintptr_t)rows[i].code[k];
            one[k].jurisdiction = (char *)(uintptr_t)rows[i].place[k];
        }
        t.area_map = map;
        t.n_area_map = 2;
        assert_int_equal(sg_flow_check_terms(&t, &field), rows[i].err);
    }
}

// S22: `file` rests on the reader, so only what is public and anonymous.
static void
a_file_commitment_is_for_public_and_anonymous_flows_only(void **state)
{
    static const struct {
        const char *commit, *classification, *identifiability;
        enum sg_err err;
    } rows[] = {{"file", "public", "anonymous", SG_OK},
                {"file", "limited", "anonymous", SG_ERR_MODE},
                {"file", "public", "pseudonymised", SG_ERR_MODE},
                {"row", "limited", "pseudonymised", SG_OK},
                {"series", "public", "anonymous", SG_ERR_MODE},
                {"", "public", "anonymous", SG_ERR_MODE}};
    const char *field;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        Sgpb__FlowTerms t = sound();
        t.commit = (char *)(uintptr_t)rows[i].commit;
        t.classification = (char *)(uintptr_t)rows[i].classification;
        t.identifiability = (char *)(uintptr_t)rows[i].identifiability;
        assert_int_equal(sg_flow_check_terms(&t, &field), rows[i].err);
    }
}

static void
loosening_is_anything_that_is_not_plainly_stricter(void **state)
{
    static char *more[] = {(char *)(uintptr_t) "official_statistics",
                           (char *)(uintptr_t) "commercial"};
    Sgpb__MinCell five = SGPB__MIN_CELL__INIT, three = SGPB__MIN_CELL__INIT;

    (void)state;
    five.n = 5;
    three.n = 3;
    five.count_component = three.count_component = (char *)(uintptr_t) "N";
#define LOOSER(change, expected)                                               \
    do {                                                                       \
        Sgpb__FlowTerms now = sound(), next = sound();                         \
        now.min_cell = next.min_cell = &five;                                  \
        now.retention_days = next.retention_days = 100;                        \
        change;                                                                \
        assert_int_equal(sg_flow_looser(&now, &next), expected);               \
    } while (0)
    LOOSER((void)0, false);
    LOOSER(next.classification = (char *)(uintptr_t) "restricted", false);
    LOOSER(next.classification = (char *)(uintptr_t) "public", true);
    LOOSER(next.onward = (char *)(uintptr_t) "forbidden", false);
    LOOSER(next.onward = (char *)(uintptr_t) "allowed", true);
    LOOSER(next.lawful_basis = (char *)(uintptr_t) "contract", true);
    LOOSER((next.purposes = more, next.n_purposes = 2), true);
    LOOSER((now.purposes = more, now.n_purposes = 2), false);
    LOOSER(next.min_cell = &three, true);
    LOOSER(now.min_cell = &three, false);
    LOOSER(next.min_cell = NULL, true);
    LOOSER(next.retention_days = 101, true);
    LOOSER(next.retention_days = 99, false);
    LOOSER(now.whole_or_nothing = 1, true);
    LOOSER(next.whole_or_nothing = 1, false);
#undef LOOSER
}

// ---- persons ---------------------------------------------------------------

static void
two_keys_of_one_person_are_one_person(void **state)
{
    static const struct {
        const char *a, *b;
        bool two;
    } rows[] = {{"ann", "ben", true},
                {"ann", "ann", false},
                {"", "ben", false},
                {"ann", "", false},
                {"", "", false}};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        Sgpb__RosterKey a = SGPB__ROSTER_KEY__INIT, b = SGPB__ROSTER_KEY__INIT;
        a.person = (char *)(uintptr_t)rows[i].a;
        b.person = (char *)(uintptr_t)rows[i].b;
        struct sg_key one = {.doc = &a}, other = {.doc = &b, .place = 1};
        assert_int_equal(sg_roster_two_persons(NULL, &one, &other),
                         rows[i].two);
    }
}

static void
only_formats_that_writers_make_can_be_subscribed(void **state)
{
    (void)state;
    assert_int_equal(sg_subscribe_media(""), 0);
    assert_int_equal(sg_subscribe_media("csv10"), 1);
    assert_int_equal(sg_subscribe_media("ml21"), 4);
    assert_int_equal(sg_subscribe_media("json10"), UINT8_MAX);
    assert_int_equal(sg_subscribe_media("CSV10"), UINT8_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_of_a_delivery_is_defined),
        cmocka_unit_test(what_has_left_never_counts_as_not_left),
        cmocka_unit_test(a_bucket_gives_its_rate_and_no_more),
        cmocka_unit_test(terms_that_leave_something_open_are_refused),
        cmocka_unit_test(terms_that_the_gate_does_not_perform_are_refused),
        cmocka_unit_test(a_map_of_areas_gives_each_code_one_place),
        cmocka_unit_test(
            a_file_commitment_is_for_public_and_anonymous_flows_only),
        cmocka_unit_test(loosening_is_anything_that_is_not_plainly_stricter),
        cmocka_unit_test(two_keys_of_one_person_are_one_person),
        cmocka_unit_test(only_formats_that_writers_make_can_be_subscribed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
