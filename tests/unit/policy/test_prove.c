// What prove.h promises: a never that is proved has no exception, and one that
// is broken shows a request that exists.
#include "policy/check.h"
#include "policy/prove.h"
#include "tests/unit/policy/fixture.h"
#include "tests/unit/policy/random.h"

static void *
stack(void)
{
    static void *memory;
    if (memory == NULL)
        memory = malloc(SG_PROVE_STACK);
    assert_non_null(memory);
    return memory;
}

static struct sg_proof_result
prove(const struct world *w, uint16_t file)
{
    struct sg_proof_result r;
    const struct sg_file *f = w->set->files[file];
    uint64_t steps = UINT64_MAX;
    sg_prove_never(stack(), w->set, f, f->nevers, &steps, &r);
    return r;
}

static void
nevers_are_proved_broken_or_need_the_guards(void **unused)
{
    static const struct {
        const char *rules;
        enum sg_proof proof;
    } rows[] = {
        {"never \"n\" permit when purpose is audit", SG_PROOF_PROVED},
        {ALL_PERMIT "never \"n\" permit when purpose is audit",
         SG_PROOF_BROKEN},
        {ALL_PERMIT "rule \"f\" forbid when purpose is audit\n"
                    "never \"n\" permit when purpose is audit",
         SG_PROOF_PROVED},
        {ALL_PERMIT "rule \"h\" hold when purpose is audit and quality is any\n"
                    "never \"n\" permit when purpose is audit",
         SG_PROOF_PROVED},
        {ALL_PERMIT "rule \"f\" forbid when purpose is audit unless "
                    "destination is KE\n"
                    "never \"n\" permit when purpose is audit",
         SG_PROOF_BROKEN},
        {ALL_PERMIT "rule \"f\" forbid when purpose is audit unless "
                    "destination is KE\n"
                    "never \"n\" permit when purpose is audit and destination "
                    "is not KE",
         SG_PROOF_PROVED},
        {ALL_PERMIT "never \"n\" permit when conf_redist is nobody",
         SG_PROOF_WITH_GUARDS},
        {ALL_PERMIT "never \"n\" permit when availability is scheduled",
         SG_PROOF_WITH_GUARDS},
        // Comparisons follow from the codes compared.
        {ALL_PERMIT "rule \"f\" forbid when destination is not same as "
                    "provider_in\nnever \"n\" permit when provider_in is KE "
                    "and destination is UG",
         SG_PROOF_PROVED},
        {ALL_PERMIT "rule \"f\" forbid when destination is same as "
                    "provider_in\nnever \"n\" permit when provider_in is KE "
                    "and destination is UG",
         SG_PROOF_BROKEN},
        {ALL_PERMIT "never \"n\" permit when destination is same as area and "
                    "area is same as provider_in and destination is not same "
                    "as provider_in",
         SG_PROOF_BROKEN},
        // A hole of one country in a closed list.
        {ALL_PERMIT "rule \"f\" forbid when destination is none of KE, UG\n"
                    "never \"n\" permit when destination is not KE",
         SG_PROOF_BROKEN},
        // A sunset opens a gap on a later day.
        {ALL_PERMIT "rule \"f\" forbid when purpose is audit valid from "
                    "2000-01-01 until 2030-01-01\n"
                    "never \"n\" permit when purpose is audit",
         SG_PROOF_BROKEN},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct world w;
        world_of(&w, rows[i].rules, ALL_PERMIT);
        struct sg_proof_result r = prove(&w, 0);
        if (r.proof != rows[i].proof)
            print_error("row %zu\n", i);
        assert_int_equal(r.proof, rows[i].proof);
        world_end(&w);
    }
}

static bool
inside(const struct world *w, const struct sg_rule *never,
       const struct sg_request *q)
{
    return sg_boxes_rule_holds(w->set, never, q);
}

static struct sg_decision
alone(const struct world *w, const struct sg_request *q)
{
    struct sg_decision d;
    sg_decide_alone(w->rules, 0, q, w->day, &generous, &d);
    return d;
}

static void
look_for_an_exception(const struct world *w, const struct sg_rule *never,
                      const struct sg_proof_result *r, uint64_t *rnd)
{
    for (int i = 0; i < 300; i++) {
        struct sg_request q = random_request(w, rnd);
        if (alone(w, &q).verdict == SG_VERDICT_PERMIT && inside(w, never, &q))
            assert_int_equal(r->proof, SG_PROOF_BROKEN);
    }
}

static void
random_nevers_are_judged_rightly(void **unused)
{
    static char rules[8192];
    uint64_t rnd = 99;
    unsigned broken = 0, proved = 0;
    (void)unused;
    for (int round = 0; round < 400;) {
        struct world w;
        char *at = rules + sprintf(rules, "%s", HEAD("hub"));
        for (int i = 0; i < 4; i++) {
            put_rule(at, &rnd, i);
            at += strlen(at);
        }
        at += sprintf(at, "never \"n\" permit when ");
        put_all(at, &rnd, true, false);
        world_begin(&w);
        world_add(&w, "x.policy", rules);
        if (world_load(&w) != SG_OK) {
            world_end(&w);
            continue;
        }
        round++;
        const struct sg_rule *never = w.set->files[0]->nevers;
        struct sg_proof_result r = prove(&w, 0);
        assert_int_not_equal(r.proof, SG_PROOF_UNDECIDED);
        look_for_an_exception(&w, never, &r, &rnd);
        proved += r.proof >= SG_PROOF_WITH_GUARDS;
        if (r.proof == SG_PROOF_BROKEN) {
            struct sg_decision d = alone(&w, &r.witness);
            broken++;
            assert_true(inside(&w, never, &r.witness));
            // The calendar holds what a hub's file alone lets through early.
            uint16_t when = r.witness.code[SG_ATTR_AVAILABILITY];
            if (when == SG_AVAILABILITY_RELEASED)
                assert_int_equal(d.verdict, SG_VERDICT_PERMIT);
        }
        world_end(&w);
    }
    assert_true(broken > 50);
    assert_true(proved > 50);
}

// ---- check says all of it ---------------------------------------------------------
struct lines {
    char text[16][512];
    enum sg_check_kind kind[16];
    size_t count;
};

static void
keep_line(void *ctx, const struct sg_check_line *line)
{
    struct lines *l = ctx;
    assert_true(l->count < SG_COUNT_OF(l->text));
    l->kind[l->count] = line->kind;
    snprintf(l->text[l->count++], sizeof l->text[0], SG_SLICE_FMT,
             SG_SLICE_ARG(line->text));
}

static void
check_says_notes_nevers_and_tests(void **unused)
{
    struct world w;
    struct lines l = {.count = 0};
    struct sg_check_sink sink = {keep_line, &l};
    struct sg_check_counts counts;
    (void)unused;
    world_begin(&w);
    world_add(&w, "x.policy",
              HEAD("hub") "define country group A = UG review by 2026-01-01 "
                          "source \"s\"\n" ALL_PERMIT
                          "rule \"f\" forbid when destination is A\n"
                          "never \"good\" permit when destination is UG\n"
                          "never \"bad\" permit when purpose is audit\n"
                          "test \"right\" given purpose audit expect deny "
                          "incomplete\n"
                          "test \"wrong\" given purpose audit expect permit\n");
    world_must_load(&w);
    assert_int_equal(
        sg_check_set(w.arena, w.set, w.day, false, UINT64_MAX, &sink, &counts),
        SG_OK);
    static const char *const begins[] = {
        "rule \"f\" has neither because nor source",
        "review date 2026-01-01 has passed",
        "never \"good\" proved",
        "never \"bad\" IS BROKEN by rule \"all\" (line 3), on 1970-01-01, for "
        "example: provider_in ",
        "test \"right\" ok",
        "test \"wrong\" FAILED: DENIED: unknown -> unknown, unknown. Nobody "
        "said: provider_in, ",
    };
    assert_int_equal(l.count, SG_COUNT_OF(begins));
    for (size_t i = 0; i < l.count; i++)
        assert_memory_equal(l.text[i], begins[i], strlen(begins[i]));
    assert_int_equal(counts.failed, 2);
    assert_int_equal(counts.warnings, 1);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nevers_are_proved_broken_or_need_the_guards),
        cmocka_unit_test(random_nevers_are_judged_rightly),
        cmocka_unit_test(check_says_notes_nevers_and_tests),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
