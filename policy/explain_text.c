// The same in sentences.
#include <stdio.h>

#include "policy/explain.h"
#include "policy/explain_json.h"
#include "policy/explain_view.h"

static const char *
place(const struct sg_request *q, enum sg_attr attr)
{
    return sg_vocabulary_place_name(q->code[attr]);
}

static void
say_verdict(struct sg_writer *w, const struct sg_view *v)
{
    static const char *const words[] = {"DENIED", "HELD", "PERMITTED"};
    const struct sg_request *q = &v->request;
    sg_explain_printf(w, "%s: %s -> %s", words[v->verdict],
                      place(q, SG_ATTR_PROVIDER_IN),
                      place(q, SG_ATTR_DESTINATION));
    // What kind of data it is may have been derived from the content.
    if (v->audience == SG_AUDIENCE_PROVIDER)
        sg_explain_printf(
            w, ", %s",
            sg_vocabulary_text(SG_ATTR_DATA_KIND, q->code[SG_ATTR_DATA_KIND]));
    sg_explain_put(w, ".");
}

static void
say_attrs(struct sg_writer *w, const char *before, uint64_t bits)
{
    const char *glue = before;
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if ((bits >> a & 1) == 0)
            continue;
        sg_explain_printf(w, "%s%s", glue,
                          sg_vocabulary_attr((enum sg_attr)a)->name);
        glue = ", ";
    }
    if (bits != 0)
        sg_explain_put(w, ".");
}

static const char *
rule_word(const struct sg_view *v, uint32_t i)
{
    if (v->refs[i].file == SG_POLICY_GUARDS)
        return "Stopped by";
    switch ((enum sg_effect)v->rules[i]->effect) {
    case SG_EFFECT_FORBID:
        return "Forbidden by";
    case SG_EFFECT_HOLD:
        return "Held by";
    case SG_EFFECT_PERMIT:
        return "Permitted by";
    case SG_EFFECT_NEVER:
        break;
    }
    SG_UNREACHABLE();
}

static void
say_rule(struct sg_writer *w, const struct sg_view *v, uint32_t i)
{
    const struct sg_rule *rule = v->rules[i];
    sg_explain_printf(w, "\n  %s rule \"", rule_word(v, i));
    sg_explain_slice(w, rule->name);
    sg_explain_put(w, "\"");
    const char *glue = " (";
    if (v->audience == SG_AUDIENCE_PROVIDER &&
        v->refs[i].file != SG_POLICY_GUARDS) {
        sg_explain_put(w, glue);
        sg_explain_slice(w, sg_policy_label(v->set, v->refs[i].file));
        sg_explain_printf(w, " line %u", rule->line);
        glue = ", ";
    }
    for (const struct sg_text *t = rule->because; t != NULL; t = t->next) {
        sg_explain_put(w, glue);
        sg_explain_slice(w, t->text);
        glue = "; ";
    }
    sg_explain_put(w, glue[1] == '(' ? "." : ").");
    for (const struct sg_text *t = rule->say; t != NULL; t = t->next) {
        sg_explain_put(w, "\n    ");
        sg_explain_slice(w, t->text);
    }
}

// "It would be permitted by rule X if destination is one of A, B and ..."
static void
say_near(struct sg_writer *w, const struct sg_view *v)
{
    if (v->near.count == 0)
        return;
    const struct sg_rule *rule = v->near.rule[0];
    const char *glue = " if ";
    sg_explain_put(w, "\n  Nearest: it would be permitted by rule \"");
    sg_explain_slice(w, rule->name);
    sg_explain_put(w, "\"");
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        if (sg_boxes_term_holds(v->set, t, &v->request, false))
            continue;
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            sg_explain_put(w, glue);
            sg_explain_flat(w, c->text);
            glue = " or ";
        }
        glue = " and ";
    }
    sg_explain_put(w, v->near.unless[0] ? ", and its exception did not apply."
                                        : ".");
}

static void
say_obligations(struct sg_writer *w, const struct sg_view *v)
{
    const char *glue = "\n  With: ";
    for (uint32_t i = 0; i < v->decision->obligations_count; i++) {
        bool with_args;
        const struct sg_obligation *one = &v->decision->obligations[i];
        if (!sg_explain_shows(v, one, &with_args))
            continue;
        sg_explain_put(w, glue);
        sg_explain_obligation(w, v, one, with_args);
        glue = ", ";
    }
    if (glue[0] == ',')
        sg_explain_put(w, ".");
}

static void
say_cannot(struct sg_writer *w, uint32_t bits)
{
    const char *glue = "\n  Asked for and not to be had: ";
    for (unsigned i = 0; i < SG_OBLIGATION_COUNT; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        sg_explain_printf(w, "%s%s", glue,
                          sg_obligation_text((enum sg_obligation_name)i));
        glue = ", ";
    }
    if (bits != 0)
        sg_explain_put(w, ".");
}

static void
say_layer(struct sg_writer *w, const struct sg_view *v)
{
    static const char *const texts[] = {"", "export", "hub", "import"};
    const struct sg_decision *d = v->decision;
    if (d->why == SG_WHY_NO_POLICY && d->layer == SG_LAYER_NONE) {
        sg_explain_put(w, " No policy is in force.");
    } else if (d->why == SG_WHY_NO_POLICY) {
        sg_explain_printf(w, " There is no %s policy", texts[d->layer]);
        if (d->layer_place != 0)
            sg_explain_printf(w, " for %s",
                              sg_vocabulary_place_name(d->layer_place));
        sg_explain_put(w, ".");
    } else if (d->why == SG_WHY_NOT_PERMITTED &&
               v->audience == SG_AUDIENCE_PROVIDER) {
        sg_explain_put(w, " No rule of \"");
        sg_explain_slice(w, sg_policy_name(v->set, d->layer_file));
        sg_explain_put(w, "\" permits it.");
    }
}

static void
say_for_provider(struct sg_writer *w, const struct sg_view *v)
{
    const struct sg_decision *d = v->decision;
    say_attrs(w, " Nobody said: ", d->missing);
    say_attrs(w, " It waits for ", d->waiting_for);
    if (d->deadline_days != 0)
        sg_explain_printf(w, " At most %u days.", d->deadline_days);
}

void
sg_explain_text(struct sg_writer *w, const struct sg_explained *what)
{
    struct sg_view v;
    sg_explain_look(&v, what);
    say_verdict(w, &v);
    say_layer(w, &v);
    if (what->audience == SG_AUDIENCE_PROVIDER)
        say_for_provider(w, &v);
    else if (v.code[0] != '\0')
        sg_explain_printf(w, " %s.", v.code);
    for (uint32_t i = 0; i < v.rules_count; i++)
        say_rule(w, &v, i);
    if (what->audience == SG_AUDIENCE_PROVIDER)
        say_near(w, &v);
    else
        say_attrs(w, "\n  To be mended: ", v.needs);
    say_obligations(w, &v);
    if (what->audience == SG_AUDIENCE_PROVIDER)
        say_cannot(w, v.decision->cannot);
    sg_explain_put(w, "\n");
}
