// What among.h promises: a part with several places is as bad as its worst.
#include "policy/among.h"

#include "tests/unit/policy/fixture.h"

static void
set_of(struct sg_places *set, const char *const *texts, size_t count)
{
    *set = (struct sg_places){0};
    for (size_t i = 0; i < count; i++)
        sg_places_add(
            set, sg_vocabulary_code(SG_ATTR_AREA, sg_slice_text(texts[i])));
}

static const char *const east[] = {"KE", "RW", "TZ", "UG", "BI"};

static void
the_law_of_each_area_is_asked(void **unused)
{
    struct world w;
    struct sg_context context = generous;
    struct sg_among among = {.counterparts = {{0}}};
    struct sg_request q, decided;
    struct sg_decision d;
    (void)unused;
    world_begin(&w);
    world_add(&w, "ke.policy", HEAD("export for KE") ALL_PERMIT);
    world_add(&w, "hub.policy", HEAD("hub") ALL_PERMIT);
    world_add(&w, "ug.policy",
              HEAD("export for UG") "rule \"none\" forbid when destination is "
                                    "any because \"x\"\n");
    world_must_load(&w);
    set_of(&among.areas, east, SG_COUNT_OF(east));
    q = request(&w, "area unknown");
    sg_among_decide(w.rules, &q, &among, w.day, &context, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT); // the law is Kenya's alone
    assert_int_equal(decided.code[SG_ATTR_AREA], SG_PLACE_SEVERAL);
    context.law_of_the_area = true;
    sg_among_decide(w.rules, &q, &among, w.day, &context, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_DENY);
    assert_int_equal(d.why, SG_WHY_FORBIDDEN);
    assert_true(hit_by(&w, &d, "none"));
    assert_int_equal(decided.code[SG_ATTR_AREA], SG_PLACE_UG);
    set_of(&among.areas, east, 3);
    sg_among_decide(w.rules, &q, &among, w.day, &context, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    sg_places_add(&among.areas, SG_PLACE_UNKNOWN); // and whose law is that?
    sg_among_decide(w.rules, &q, &among, w.day, &context, &decided, &d);
    assert_int_equal(d.why, SG_WHY_INCOMPLETE);
    world_end(&w);
}

static void
duties_and_waits_of_all_places_are_united(void **unused)
{
    struct world w;
    struct sg_among among = {.counterparts = {{0}}};
    struct sg_request q, decided;
    struct sg_decision d;
    (void)unused;
    world_of(&w,
             ALL_PERMIT
             "rule \"a\" permit when" OPEN
             "and area is TZ oblige suppress_small_cells(5), no_onward\n"
             "rule \"b\" permit when" OPEN
             "and area is RW oblige suppress_small_cells(9)\n"
             "rule \"c\" hold for at most 30 days when area is BI and quality "
             "is any\n"
             "rule \"d\" hold for at most 10 days when area is UG and quality "
             "is any and validation is any\n",
             ALL_PERMIT);
    q = request(&w, "");
    set_of(&among.areas, east, 3);
    sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    assert_int_equal(d.obligations_count, 2);
    assert_int_equal(d.obligations[0].name, SG_OBLIGATION_SUPPRESS_SMALL_CELLS);
    assert_int_equal(d.obligations[0].arg[0], 9);
    assert_int_equal(d.rules_count, 5); // all, a, b; the hub's; the import's
    assert_int_equal(d.rules_total, 5);
    set_of(&among.areas, east, SG_COUNT_OF(east));
    sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_HOLD);
    assert_int_equal(d.deadline_days, 10);
    assert_true((d.waiting_for >> SG_ATTR_VALIDATION & 1) != 0);
    assert_true(hit_by(&w, &d, "c") && hit_by(&w, &d, "d"));
    assert_int_equal(d.obligations_count, 0);
    world_end(&w);
}

static void
what_two_areas_ask_may_be_impossible_together(void **unused)
{
    struct world w;
    struct sg_among among = {.counterparts = {{0}}};
    struct sg_request q, decided;
    struct sg_decision d;
    (void)unused;
    world_of(&w,
             ALL_PERMIT "rule \"a\" permit when" OPEN
                        "and area is TZ oblige delete_after_days(30)\n"
                        "rule \"b\" permit when" OPEN
                        "and area is RW oblige keep_at_least_days(60)\n",
             ALL_PERMIT);
    q = request(&w, "");
    set_of(&among.areas, east, 2);
    sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    set_of(&among.areas, east, 3);
    sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
    assert_int_equal(d.why, SG_WHY_CONFLICT);
    assert_int_equal(d.obligations_count, 0);
    world_end(&w);
}

static void
a_stricter_change_did_what_one_place_asks(void **unused)
{
    struct world w;
    struct sg_obligation done = {.name = SG_OBLIGATION_SUPPRESS_SMALL_CELLS,
                                 .arg = {9, 0}};
    struct sg_context second = generous;
    struct sg_decision d;
    (void)unused;
    world_of(&w, "rule \"a\" permit when" OPEN "oblige suppress_small_cells(5)",
             ALL_PERMIT);
    struct sg_request q = request(&w, "");
    second.second = true;
    second.performed = &done;
    second.performed_count = 1;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.why, SG_WHY_NO_FIXPOINT);
    second.united = true;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    done.arg[0] = 4;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.why, SG_WHY_NO_FIXPOINT);
    world_end(&w);
}

static void
no_rules_permit_nothing_anywhere(void **unused)
{
    struct sg_among among = {.counterparts = {{0}}};
    struct sg_request q = {{0}}, decided;
    struct sg_decision d;
    (void)unused;
    set_of(&among.areas, east, SG_COUNT_OF(east));
    sg_among_decide(NULL, &q, &among, 1, &generous, &decided, &d);
    assert_int_equal(d.verdict, SG_VERDICT_DENY);
    assert_int_equal(d.why, SG_WHY_NO_POLICY);
}

static void
places_alike_still_make_a_pair_of_different_ones(void **unused)
{
    static const char *const far[] = {"DE", "FR"};
    struct world w;
    struct sg_among among;
    struct sg_request q, decided;
    struct sg_decision d;
    (void)unused;
    world_of(&w,
             "rule \"a\" permit when" OPEN "and area is same as counterpart\n",
             ALL_PERMIT);
    q = request(&w, "");
    for (size_t i = 0; i < SG_COUNT_OF(far); i++) {
        set_of(&among.counterparts, &far[i], 1);
        set_of(&among.areas, &far[i], 1);
        sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
        assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
        set_of(&among.areas, far, SG_COUNT_OF(far));
        sg_among_decide(w.rules, &q, &among, w.day, &generous, &decided, &d);
        assert_int_equal(d.verdict, SG_VERDICT_DENY);
    }
    world_end(&w);
}

// ---- the same as asking for each pair -----------------------------------------

static void
draw_rules(uint64_t *rnd, char *out)
{
    static const char *const conds[] = {
        "area is UG",
        "area is one of KE, UG, RW",
        "area is none of TZ, UG",
        "area is WORLD",
        "area is REGION",
        "counterpart is TZ",
        "counterpart is none of KE, RW",
        "area is same as counterpart",
        "area is not same as counterpart",
        "area is same as destination",
        "area is not same as provider_in",
        "counterpart is same as destination",
        "counterpart is not same as stored_in",
        "counterpart is one of UG, BI",
    };
    uint32_t count = 1 + below(rnd, 5);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t effect = below(rnd, 5);
        out += sprintf(out, "rule \"r%u\" %s when %s and ", i,
                       effect < 3    ? "permit"
                       : effect == 3 ? "forbid"
                                     : "hold",
                       effect < 3 ? OPEN : "quality is any");
        out += sprintf(out, "%s", conds[below(rnd, SG_COUNT_OF(conds))]);
        if (below(rnd, 3) == 0)
            out +=
                sprintf(out, " and %s", conds[below(rnd, SG_COUNT_OF(conds))]);
        out += sprintf(out, " because \"x\"\n");
    }
    if (below(rnd, 2) == 0)
        sprintf(out, ALL_PERMIT);
}

static struct sg_places
draw_places(uint64_t *rnd)
{
    static const uint16_t from[] = {
        SG_PLACE_KE,      SG_PLACE_UG,     SG_PLACE_TZ,    SG_PLACE_RW,
        SG_PLACE_BI,      SG_PLACE_NO,     SG_PLACE_FR,    SG_PLACE_DE,
        SG_PLACE_UNKNOWN, SG_PLACE_REGION, SG_PLACE_WORLD, SG_PLACE_SEVERAL};
    struct sg_places set = {0};
    uint32_t count = below(rnd, 7);
    for (uint32_t i = 0; i < count; i++)
        sg_places_add(
            &set, from[below(rnd, below(rnd, 2) == 0 ? 8 : SG_COUNT_OF(from))]);
    return set;
}

static enum sg_verdict
worst_of_each(const struct world *w, struct sg_request q,
              const struct sg_among *among, const struct sg_context *context)
{
    enum sg_verdict worst = SG_VERDICT_PERMIT;
    struct sg_among all = *among;
    struct sg_decision d;
    if (sg_places_count(&all.areas) == 0)
        sg_places_add(&all.areas, SG_PLACE_UNKNOWN);
    if (sg_places_count(&all.counterparts) == 0)
        sg_places_add(&all.counterparts, SG_PLACE_UNKNOWN);
    for (uint16_t a = 0; a < SG_PLACE_COUNT; a++) {
        for (uint16_t c = 0; c < SG_PLACE_COUNT; c++) {
            if (!sg_places_has(&all.areas, a) ||
                !sg_places_has(&all.counterparts, c))
                continue;
            q.code[SG_ATTR_AREA] = a;
            q.code[SG_ATTR_COUNTERPART] = c;
            sg_decide_request(w->rules, &q, w->day, context, &d);
            worst = sg_decide_worst(worst, (enum sg_verdict)d.verdict);
        }
    }
    return worst;
}

static void
one_decision_is_the_worst_over_every_pair(void **unused)
{
    uint64_t rnd = 20270101;
    unsigned verdicts[3] = {0};
    (void)unused;
    for (int i = 0; i < 400; i++) {
        static char ke[9000], hub[9000], ug[9000], text[8192];
        struct world w;
        struct sg_context context = generous;
        draw_rules(&rnd, text);
        snprintf(ke, sizeof ke, HEAD("export for KE") "%s", text);
        draw_rules(&rnd, text);
        snprintf(ug, sizeof ug, HEAD("export for UG") "%s", text);
        snprintf(hub, sizeof hub, HEAD("hub") ALL_PERMIT);
        world_begin(&w);
        world_add(&w, "ke.policy", ke);
        world_add(&w, "ug.policy", ug);
        world_add(&w, "hub.policy", hub);
        bool sound = world_load(&w) == SG_OK; // or a rule that cannot hold
        context.law_of_the_area = below(&rnd, 2) == 0;
        for (int k = 0; sound && k < 20; k++) {
            struct sg_among among = {draw_places(&rnd), draw_places(&rnd)};
            struct sg_request q = request(&w, "destination TZ, stored_in RW");
            struct sg_request decided;
            struct sg_decision d;
            sg_among_decide(w.rules, &q, &among, w.day, &context, &decided, &d);
            assert_int_equal(d.verdict, worst_of_each(&w, q, &among, &context));
            verdicts[d.verdict]++;
        }
        world_end(&w);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(verdicts[i] > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law_of_each_area_is_asked),
        cmocka_unit_test(duties_and_waits_of_all_places_are_united),
        cmocka_unit_test(what_two_areas_ask_may_be_impossible_together),
        cmocka_unit_test(a_stricter_change_did_what_one_place_asks),
        cmocka_unit_test(no_rules_permit_nothing_anywhere),
        cmocka_unit_test(places_alike_still_make_a_pair_of_different_ones),
        cmocka_unit_test(one_decision_is_the_worst_over_every_pair),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
