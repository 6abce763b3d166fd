// What decide.h promises: golden cases, and what holds for every policy.
#include <glob.h>

#include "tests/unit/policy/golden.h"
#include "tests/unit/policy/random.h"

static void
golden_cases_decide_as_written(void **unused)
{
    glob_t found;
    unsigned cases = 0;
    (void)unused;
    assert_int_equal(glob("tests/golden/policy/*.case", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        cases += golden_run(found.gl_pathv[i]);
    globfree(&found);
    assert_true(cases >= 45);
}

static void
nothing_at_all_denies(void **unused)
{
    struct sg_decision d;
    struct sg_request q = {0};
    struct world w;
    (void)unused;
    memset(&d, 0xff, sizeof d);
    sg_decide_request(NULL, &q, 1, &generous, &d);
    assert_int_equal(d.verdict, SG_VERDICT_DENY);
    assert_int_equal(d.why, SG_WHY_NO_POLICY);
    world_begin(&w);
    world_must_load(&w); // no file at all
    d = decide_words(&w, "");
    assert_int_equal(d.verdict, SG_VERDICT_DENY);
    assert_int_equal(d.why, SG_WHY_NO_POLICY);
    assert_int_equal(d.layer, SG_LAYER_EXPORT);
    world_end(&w);
}

static void
rules_of_another_day_deny(void **unused)
{
    struct world w;
    struct sg_decision d;
    (void)unused;
    world_of(&w,
             "rule \"a\" permit when" OPEN
             "because \"x\" valid from 2027-01-01 until 2027-02-01\n",
             ALL_PERMIT);
    struct sg_request q = request(&w, "");
    uint32_t end = sg_compile_until(w.rules);
    assert_int_equal(sg_compile_from(w.rules), w.day);
    assert_int_equal(end, w.day + 31);
    assert_int_equal(sg_policy_next_slice(w.set, end), SG_DAY_NEVER);
    for (uint32_t day = w.day - 1; day <= end; day++) {
        sg_decide_request(w.rules, &q, day, &generous, &d);
        assert_int_equal(d.verdict == SG_VERDICT_PERMIT,
                         day >= w.day && day < end);
    }
    assert_int_equal(sg_compile_slice(w.arena, w.set, end, 8, &w.rules), SG_OK);
    assert_int_equal(sg_compile_generation(w.rules), 8);
    sg_decide_request(w.rules, &q, end, &generous, &d);
    assert_int_equal(d.why, SG_WHY_NOT_PERMITTED);
    world_end(&w);
}

static void
a_number_that_is_no_code_counts_as_unknown(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w, ALL_PERMIT, ALL_PERMIT);
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        struct sg_request odd = request(&w, ""), none = odd;
        odd.code[a] = 0xffff;
        none.code[a] = 0;
        struct sg_decision x = decide(&w, &odd), y = decide(&w, &none);
        assert_memory_equal(&x, &y, sizeof x);
    }
    struct sg_request q = request(&w, "");
    q.code[SG_ATTR_DESTINATION] = SG_PLACE_WORLD; // a code of area only
    assert_int_equal(decide(&w, &q).why, SG_WHY_INCOMPLETE);
    world_end(&w);
}

static void
the_gate_of_this_version_denies_what_it_cannot_perform(void **unused)
{
    static const char *const permitted[] = {
        "attribute_source", "keep_licence", "delete_after_days(30)",
        "notify_origin",    "no_onward",    "suppress_small_cells(5)",
    };
    static const char *const denied[] = {
        "minimum_count(5)",     "k_anonymity(5)",       "round_base(5)",
        "keep_flags",           "statistical_use_only", "report_use",
        "drop_dimensions(SEX)",
    };
    struct sg_context gate = {.performs = SG_OBLIGATION_PERFORMED,
                              .promises_anything = true};
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(permitted) + SG_COUNT_OF(denied); i++) {
        struct world w;
        struct sg_decision d;
        char rule[1024];
        bool can = i < SG_COUNT_OF(permitted);
        snprintf(rule, sizeof rule, "rule \"a\" permit when" OPEN "oblige %s",
                 can ? permitted[i] : denied[i - SG_COUNT_OF(permitted)]);
        world_of(&w, rule, ALL_PERMIT);
        struct sg_request q = request(&w, "");
        sg_decide_request(w.rules, &q, w.day, &gate, &d);
        assert_int_equal(d.verdict, can ? SG_VERDICT_PERMIT : SG_VERDICT_DENY);
        assert_int_equal(d.why, can ? SG_WHY_PERMITTED : SG_WHY_CANNOT_FULFIL);
        assert_int_equal(d.cannot != 0, !can);
        world_end(&w);
    }
}

static void
the_second_decision_wants_no_other_change(void **unused)
{
    struct world w;
    struct sg_decision d;
    struct sg_obligation done = {.name = SG_OBLIGATION_SUPPRESS_SMALL_CELLS,
                                 .arg = {5, 0}};
    struct sg_context second = generous;
    (void)unused;
    world_of(&w,
             "rule \"a\" permit when" OPEN
             "oblige suppress_small_cells(5), no_onward",
             ALL_PERMIT);
    struct sg_request q = request(&w, "");
    second.second = true;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.why, SG_WHY_NO_FIXPOINT);
    second.performed = &done;
    second.performed_count = 1;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    done.arg[0] = 4;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.why, SG_WHY_NO_FIXPOINT);
    done.arg[0] = 5;
    q.code[SG_ATTR_CONF_REDIST] = SG_CONF_REDIST_NOBODY;
    sg_decide_request(w.rules, &q, w.day, &second, &d);
    assert_int_equal(d.verdict, SG_VERDICT_DENY);
    assert_int_equal(d.why, SG_WHY_NO_FIXPOINT);
    world_end(&w);
}

static void
more_rules_than_a_decision_lists_still_decide(void **unused)
{
    static char rules[60000];
    struct world w;
    char *at = rules;
    (void)unused;
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "rule \"p%d\" permit when" OPEN "because \"x\"\n", i);
    world_of(&w, rules,
             "rule \"never\" permit when classification is secret "
             "and" OPEN "because \"x\"\n");
    struct sg_decision d = decide_words(&w, "");
    assert_int_equal(d.why, SG_WHY_NOT_PERMITTED); // the hub's silence counts
    assert_int_equal(d.layer, SG_LAYER_HUB);
    d = decide_words(&w, "classification secret");
    assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
    assert_int_equal(d.rules_count, SG_DECISION_RULES);
    assert_int_equal(d.rules_total, 102);
    world_end(&w);
}

// ---- what holds for every policy -------------------------------------------
enum { RULES = 6 };

struct random_policy {
    char rule[RULES][2048];
    char text[RULES * 2048 + 256];
};

// order: which rule comes when; twice: the first once more, under a new name.
static void
assemble(struct random_policy *p, const int order[RULES], bool twice)
{
    char *at = p->text + sprintf(p->text, "%s", HEAD("hub"));
    for (int i = 0; i < RULES; i++)
        at += sprintf(at, "%s", p->rule[order[i]]);
    if (twice) {
        const char *rest = strchr(p->rule[0], '"');
        sprintf(at, "rule \"again %s", rest + 1);
    }
}

// false: no policy (a contradiction): another is drawn.
static bool
make_world(struct world *w, struct random_policy *p)
{
    world_begin(w);
    world_add(w, "ke.policy", HEAD("export for KE") ALL_PERMIT);
    world_add(w, "hub.policy", p->text);
    if (world_load(w) == SG_OK)
        return true;
    world_end(w);
    return false;
}

static void
grids_say_what_conditions_say(const struct world *w, const struct sg_request *q,
                              const struct sg_decision *d)
{
    const struct sg_file *hub = w->set->files[1];
    bool forbidden = false, held = false, permitted = false;
    for (const struct sg_rule *r = hub->rules; r != NULL; r = r->next) {
        bool hits = sg_boxes_rule_holds(w->set, r, q);
        forbidden |= hits && r->effect == SG_EFFECT_FORBID;
        held |= hits && r->effect == SG_EFFECT_HOLD;
        permitted |= hits && r->effect == SG_EFFECT_PERMIT;
    }
    enum sg_verdict want = forbidden || !permitted ? SG_VERDICT_DENY
                           : held                  ? SG_VERDICT_HOLD
                                                   : SG_VERDICT_PERMIT;
    if (d->why != SG_WHY_INCOMPLETE && d->why != SG_WHY_GUARD)
        assert_int_equal(d->verdict, want);
}

static void
forgetting_opens_nothing(const struct world *w, const struct sg_request *q,
                         const struct sg_decision *d)
{
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        struct sg_request less = *q;
        less.code[a] = 0;
        assert_true(decide(w, &less).verdict <= d->verdict);
    }
}

static void
random_policies_keep_the_laws(void **unused)
{
    static const int forward[RULES] = {0, 1, 2, 3, 4, 5};
    static const int backward[RULES] = {5, 3, 4, 1, 0, 2};
    static struct random_policy p;
    uint64_t rnd = 20270101;
    unsigned verdicts[3] = {0};
    (void)unused;
    for (int round = 0; round < 300;) {
        struct world w, other;
        for (int i = 0; i < RULES; i++)
            put_rule(p.rule[i], &rnd, i);
        assemble(&p, forward, false);
        if (!make_world(&w, &p))
            continue;
        round++;
        assemble(&p, backward, true);
        assert_true(make_world(&other, &p));
        for (int i = 0; i < 40; i++) {
            struct sg_request q = random_request(&w, &rnd);
            struct sg_decision d = decide(&w, &q), e = decide(&other, &q);
            grids_say_what_conditions_say(&w, &q, &d);
            forgetting_opens_nothing(&w, &q, &d);
            assert_int_equal(d.verdict, e.verdict); // order, duplicates
            assert_int_equal(d.why, e.why);
            assert_int_equal(d.obligations_count, e.obligations_count);
            assert_memory_equal(d.obligations, e.obligations,
                                sizeof d.obligations);
            verdicts[d.verdict]++;
        }
        world_end(&w);
        world_end(&other);
    }
    for (int i = 0; i < 3; i++)
        assert_true(verdicts[i] > 100);
}

// The guards of decide.c are code; the guards that explanations show are rules.
static void
guards_hold_under_a_policy_that_permits_everything(void **unused)
{
    struct world w;
    uint64_t rnd = 42;
    unsigned guarded = 0;
    (void)unused;
    world_of(&w, ALL_PERMIT, ALL_PERMIT);
    for (int i = 0; i < 20000; i++) {
        struct sg_request q = request(&w, "");
        for (int k = 0; k < 4; k++) {
            enum sg_attr a = (enum sg_attr)below(&rnd, SG_ATTR_COUNT);
            uint16_t c = (uint16_t)below(&rnd, sg_vocabulary_code_count(a));
            q.code[a] = sg_vocabulary_is_code(a, c) ? c : 0;
        }
        struct sg_decision d = decide(&w, &q);
        bool any = false;
        const struct sg_rule *r = w.set->guards->rules;
        for (; r != NULL && r->index < SG_GUARD_PARTIAL_CONSENT; r = r->next) {
            bool holds = sg_boxes_rule_holds(w.set, r, &q);
            struct sg_slice name = r->name;
            char text[64];
            snprintf(text, sizeof text, "%.*s", SG_SLICE_ARG(name));
            if (d.why == SG_WHY_GUARD && d.verdict == SG_VERDICT_DENY &&
                !hit_by(&w, &d, "guard: partial consent"))
                assert_int_equal(hit_by(&w, &d, text), holds);
            any |= holds;
        }
        guarded += any;
        if (any)
            assert_int_equal(d.verdict, SG_VERDICT_DENY);
    }
    assert_true(guarded > 1000);
    world_end(&w);
}

static void
a_set_with_too_many_policies_of_one_place_is_refused(void **unused)
{
    static const char *const names[] = {"1.policy", "2.policy", "3.policy",
                                        "4.policy", "5.policy"};
    struct world w;
    (void)unused;
    world_begin(&w);
    for (size_t i = 0; i < SG_COUNT_OF(names); i++)
        world_add(&w, names[i], HEAD("export for KE") ALL_PERMIT);
    assert_int_equal(world_load(&w), SG_ERR_SYNTAX);
    assert_string_equal(w.fault.at.text,
                        "too many policies of one layer for Kenya; join them "
                        "into fewer files");
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases_decide_as_written),
        cmocka_unit_test(nothing_at_all_denies),
        cmocka_unit_test(rules_of_another_day_deny),
        cmocka_unit_test(a_number_that_is_no_code_counts_as_unknown),
        cmocka_unit_test(
            the_gate_of_this_version_denies_what_it_cannot_perform),
        cmocka_unit_test(the_second_decision_wants_no_other_change),
        cmocka_unit_test(more_rules_than_a_decision_lists_still_decide),
        cmocka_unit_test(random_policies_keep_the_laws),
        cmocka_unit_test(guards_hold_under_a_policy_that_permits_everything),
        cmocka_unit_test(a_set_with_too_many_policies_of_one_place_is_refused),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
