#include "policy/check.h"

#include <stdio.h>

#include "broker/base/bytes.h"
#include "policy/explain.h"
#include "policy/explain_json.h"
#include "policy/grid.h"
#include "policy/prove.h"

struct checking {
    struct sg_arena *scratch;
    const struct sg_policy_set *set;
    const struct sg_check_sink *sink;
    struct sg_check_counts *counts;
    struct sg_rules *rules; // of the last day asked for
    void *stack;            // of proofs; NULL until the first
    uint16_t file;
    uint32_t today;
    uint64_t steps; // left, of all proofs
};

static void
say(struct checking *c, enum sg_check_kind kind, uint32_t line, uint32_t column,
    struct sg_slice text)
{
    struct sg_check_line out = {
        .kind = kind,
        .file = c->file,
        .line = line,
        .column = column,
        .text = text,
    };
    c->counts->failed += kind == SG_CHECK_FAILED;
    c->counts->warnings += kind == SG_CHECK_WARNING;
    c->sink->say(c->sink->ctx, &out);
}

static void
say_notes(struct checking *c)
{
    for (const struct sg_note_link *l = c->set->notes; l != NULL; l = l->next) {
        if (l->note.file != c->file)
            continue;
        say(c,
            l->note.kind == SG_POLICY_NOTE ? SG_CHECK_NOTE : SG_CHECK_WARNING,
            l->note.line, l->note.column, sg_slice_text(l->note.text));
    }
}

static void
say_reviews(struct checking *c, const struct sg_file *file)
{
    char date[11], text[64];
    for (const struct sg_review *r = file->reviews; r != NULL; r = r->next) {
        if (r->day >= c->today)
            continue;
        sg_policy_day_print(r->day, date);
        snprintf(text, sizeof text, "review date %s has passed", date);
        struct sg_check_line out = {
            .kind = SG_CHECK_WARNING,
            .file = c->file,
            .line = r->line,
            .column = r->column,
            .dated = true,
            .text = sg_slice_text(text),
        };
        c->sink->say(c->sink->ctx, &out);
    }
}

static void
put_witness(struct sg_writer *w, const struct checking *c,
            const struct sg_request *q)
{
    char text[72];
    const char *glue = "";
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if (q->code[a] == 0)
            continue;
        sg_explain_printf(w, "%s%s %s", glue,
                          sg_vocabulary_attr((enum sg_attr)a)->name,
                          sg_dims_text(c->set, a, q->code[a], text));
        glue = ", ";
    }
}

static void
say_proof(struct checking *c, const struct sg_rule *never,
          const struct sg_proof_result *r)
{
    uint8_t room[4096];
    char date[11];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    sg_explain_put(&w, "never \"");
    sg_explain_slice(&w, never->name);
    sg_explain_put(&w, "\" ");
    switch (r->proof) {
    case SG_PROOF_PROVED:
        sg_explain_put(&w, "proved");
        break;
    case SG_PROOF_WITH_GUARDS:
        sg_explain_put(&w, "proved, with the built-in guards");
        break;
    case SG_PROOF_UNDECIDED:
        sg_explain_put(&w, "IS UNDECIDED (too many steps): split the rules");
        break;
    case SG_PROOF_BROKEN:
        sg_policy_day_print(r->day, date);
        sg_explain_put(&w, "IS BROKEN by rule \"");
        sg_explain_slice(&w, r->permit->name);
        sg_explain_printf(
            &w, "\" (line %u), on %s, for example: ", r->permit->line, date);
        put_witness(&w, c, &r->witness);
        break;
    }
    say(c, r->proof > SG_PROOF_BROKEN ? SG_CHECK_PASSED : SG_CHECK_FAILED,
        never->line, never->column, w.full ? never->name : sg_writer_slice(&w));
}

static enum sg_err
rules_for(struct checking *c, uint32_t day)
{
    if (c->rules != NULL && sg_compile_from(c->rules) <= day &&
        day < sg_compile_until(c->rules))
        return SG_OK;
    return sg_compile_slice(c->scratch, c->set, day, 0, &c->rules);
}

static bool
has_rule(const struct checking *c, const struct sg_decision *d,
         struct sg_slice name)
{
    for (uint8_t i = 0; i < d->rules_count; i++) {
        if (sg_slice_eq(sg_policy_rule_name(c->set, d->rules[i]), name))
            return true;
    }
    return false;
}

static bool
has_obligation(const struct sg_decision *d, const struct sg_obligation *one)
{
    for (uint32_t i = 0; i < d->obligations_count; i++) {
        const struct sg_obligation *o = &d->obligations[i];
        if (o->name == one->name && o->arg[0] == one->arg[0] &&
            o->arg[1] == one->arg[1] && o->names == one->names)
            return true;
    }
    return false;
}

static bool
is_expected(const struct checking *c, const struct sg_test *test,
            const struct sg_decision *d)
{
    bool incomplete = d->why == SG_WHY_INCOMPLETE;
    if (d->verdict != test->verdict)
        return false;
    if (d->verdict == SG_VERDICT_DENY && incomplete != test->incomplete)
        return false;
    if (test->has_by && !has_rule(c, d, test->by))
        return false;
    for (uint32_t i = 0; i < test->with_count; i++) {
        if (!has_obligation(d, &test->with[i]))
            return false;
    }
    return true;
}

static enum sg_err
run_test(struct checking *c, const struct sg_file *file,
         const struct sg_test *test)
{
    // Tests speak of the law, not of what this gate can perform.
    static const struct sg_context anything = {.performs = SG_OBLIGATION_ALL,
                                               .promises_anything = true};
    uint8_t room[6000];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    struct sg_decision d;
    uint32_t day = test->has_day ? test->day : file->since;
    enum sg_err err = rules_for(c, day);
    if (err != SG_OK)
        return err;
    sg_decide_alone(c->rules, c->file, &test->given, day, &anything, &d);
    bool passed = is_expected(c, test, &d);
    sg_explain_put(&w, "test \"");
    sg_explain_slice(&w, test->name);
    sg_explain_put(&w, passed ? "\" ok" : "\" FAILED: ");
    if (!passed) {
        struct sg_explained what = {c->rules, &test->given, day, &d,
                                    SG_AUDIENCE_PROVIDER};
        sg_explain_text(&w, &what);
        w.len -= w.len > 0 && !w.full ? 1 : 0; // the line's end
    }
    c->counts->tests++;
    say(c, passed ? SG_CHECK_PASSED : SG_CHECK_FAILED, test->line, test->column,
        w.full ? test->name : sg_writer_slice(&w));
    return SG_OK;
}

static enum sg_err
check_file(struct checking *c, const struct sg_file *file, bool tests_only)
{
    enum sg_err err = SG_OK;
    const struct sg_rule *n = tests_only ? NULL : file->nevers;
    if (!tests_only) {
        say_notes(c);
        say_reviews(c, file);
    }
    if (n != NULL && c->stack == NULL)
        c->stack = sg_arena_take(c->scratch, SG_PROVE_STACK);
    if (n != NULL && c->stack == NULL)
        return SG_ERR_FULL;
    for (; n != NULL; n = n->next) {
        struct sg_proof_result result;
        sg_prove_never(c->stack, c->set, file, n, &c->steps, &result);
        c->counts->nevers++;
        say_proof(c, n, &result);
    }
    for (const struct sg_test *t = file->tests; t != NULL && err == SG_OK;
         t = t->next)
        err = run_test(c, file, t);
    return err;
}

enum sg_err
sg_check_set(struct sg_arena *scratch, const struct sg_policy_set *set,
             uint32_t today, bool tests_only, uint64_t steps,
             const struct sg_check_sink *sink, struct sg_check_counts *counts)
{
    struct checking c = {.scratch = scratch,
                         .set = set,
                         .sink = sink,
                         .counts = counts,
                         .today = today,
                         .steps = steps};
    *counts = (struct sg_check_counts){0};
    for (; c.file < set->count; c.file++) {
        if (set->files[c.file]->built_in)
            continue;
        enum sg_err err = check_file(&c, set->files[c.file], tests_only);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}
