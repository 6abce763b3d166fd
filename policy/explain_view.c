#include "policy/explain_view.h"

#include <stdio.h>

#include "policy/explain_json.h"

// ---- what depends on content ---------------------------------------------------
static bool
terms_are_derived(const struct sg_term *terms)
{
    for (const struct sg_term *t = terms; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if ((sg_dims_source(c->dim) & SG_SOURCE_D) != 0)
                return true;
        }
    }
    return false;
}

static bool
is_open_to_recipient(const struct sg_rule *rule)
{
    return !terms_are_derived(rule->when) && !terms_are_derived(rule->unless);
}

// Attributes that only the recipient's side has, as bits.
static uint64_t
subscription_attrs(bool verified_only)
{
    uint64_t bits = 0;
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        const struct sg_attr_info *info = sg_vocabulary_attr((enum sg_attr)a);
        if (info->level == SG_LEVEL_S &&
            (!verified_only || info->source == SG_SOURCE_V))
            bits |= 1ull << a;
    }
    return bits;
}

static void
see_rules(struct sg_view *v)
{
    const struct sg_decision *d = v->decision;
    for (uint8_t i = 0; i < d->rules_count; i++) {
        const struct sg_rule *rule = sg_policy_rule(v->set, d->rules[i]);
        if (rule == NULL || (v->audience == SG_AUDIENCE_RECIPIENT &&
                             !is_open_to_recipient(rule)))
            continue;
        v->refs[v->rules_count] = d->rules[i];
        v->rules[v->rules_count++] = rule;
    }
}

// Cures name verified attributes of the subscription only: to say "if purpose
// were ..." teaches to lie.
static void
see_cures(struct sg_view *v)
{
    uint64_t own = subscription_attrs(true);
    for (uint32_t i = 0; i < v->near.count; i++) {
        uint64_t attrs = v->near.attrs[i];
        if (attrs != 0 && !v->near.unless[i] && (attrs & ~own) == 0)
            v->needs |= attrs;
    }
}

static const char *
recipient_code(struct sg_view *v)
{
    const struct sg_decision *d = v->decision;
    bool shown = v->rules_count > 0;
    switch ((enum sg_why)d->why) {
    case SG_WHY_PERMITTED:
        return "";
    case SG_WHY_NO_POLICY:
        return "policy.no_policy";
    case SG_WHY_INCOMPLETE:
        v->needs = d->missing & subscription_attrs(false);
        return v->needs != 0 ? "policy.incomplete" : "policy.content";
    case SG_WHY_FORBIDDEN:
        return shown ? "policy.forbidden" : "policy.content";
    case SG_WHY_GUARD:
        return shown ? "policy.guard" : "policy.content";
    case SG_WHY_HELD:
        return shown ? "policy.held" : "policy.content";
    case SG_WHY_HOLD_EXPIRED:
        return shown ? "policy.hold_expired" : "policy.content";
    case SG_WHY_NOT_PERMITTED:
        see_cures(v);
        return v->needs != 0 ? "policy.not_permitted" : "policy.content";
    case SG_WHY_CONFLICT:
    case SG_WHY_CANNOT_FULFIL:
    case SG_WHY_CHECK_FAILED:
    case SG_WHY_NO_FIXPOINT:
    case SG_WHY_COUNT:
        break;
    }
    return "policy.content";
}

static const char *
provider_code(const struct sg_decision *d)
{
    static const char *const codes[SG_WHY_COUNT] = {
#define X(name, text) "policy." text,
        SG_WHY_TABLE(X)
#undef X
    };
    return d->verdict == SG_VERDICT_PERMIT ? "" : codes[d->why];
}

static bool
is_early(uint16_t availability)
{
    return availability == SG_AVAILABILITY_SCHEDULED ||
           availability == SG_AVAILABILITY_PRE_RELEASE;
}

void
sg_explain_look(struct sg_view *view, const struct sg_explained *what)
{
    const struct sg_decision *d = what->decision;
    *view = (struct sg_view){
        .set = what->rules == NULL ? NULL : what->rules->set,
        .decision = d,
        .request = *what->request,
        .audience = what->audience,
    };
    if (view->set != NULL)
        see_rules(view);
    if (d->why == SG_WHY_NOT_PERMITTED && view->set != NULL) {
        // Before its time it was decided as if released.
        uint16_t *availability = &view->request.code[SG_ATTR_AVAILABILITY];
        if (is_early(*availability))
            *availability = SG_AVAILABILITY_RELEASED;
        sg_near_find(&view->near, view->set, view->set->files[d->layer_file],
                     what->day, &view->request);
    }
    view->code = what->audience == SG_AUDIENCE_PROVIDER ? provider_code(d)
                                                        : recipient_code(view);
    // Whether it waits or was refused would tell what content it has (S44).
    view->verdict = strcmp(view->code, "policy.content") == 0 &&
                            what->audience == SG_AUDIENCE_RECIPIENT
                        ? SG_VERDICT_DENY
                        : (enum sg_verdict)d->verdict;
}

const char *
sg_explain_code(const struct sg_explained *what)
{
    struct sg_view view;
    struct sg_explained to = *what;
    to.audience = SG_AUDIENCE_RECIPIENT;
    sg_explain_look(&view, &to);
    return view.code;
}

bool
sg_explain_shows(const struct sg_view *view, const struct sg_obligation *one,
                 bool *with_args)
{
    enum sg_obligation_kind kind =
        sg_obligation_kind_of((enum sg_obligation_name)one->name);
    bool provider = view->audience == SG_AUDIENCE_PROVIDER;
    *with_args =
        (provider || kind == SG_OBLIGATION_KIND_PROMISE) && one->hidden == 0;
    return provider || kind != SG_OBLIGATION_KIND_CHECK;
}

void
sg_explain_obligation(struct sg_writer *w, const struct sg_view *view,
                      const struct sg_obligation *one, bool with_args)
{
    char text[80];
    if (!with_args) {
        sg_explain_put(w,
                       sg_obligation_text((enum sg_obligation_name)one->name));
        return;
    }
    sg_obligation_print(one, text, sizeof text);
    sg_explain_put(w, text);
    const char *glue = "(";
    for (unsigned i = 0; i < 64 && one->names != 0; i++) {
        if ((one->names >> i & 1) == 0)
            continue;
        sg_explain_put(w, glue);
        sg_explain_slice(w, sg_policy_dimension(view->set, i));
        glue = ",";
    }
    if (one->names != 0)
        sg_explain_put(w, ")");
}
