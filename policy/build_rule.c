// Rules and nevers: effect, conditions, obligations, reasons, validity.
#include "broker/base/limits.h"
#include "policy/build.h"

// Attributes that an event can change without a new release.
static const uint64_t event_attrs =
    1ull << SG_ATTR_AVAILABILITY | 1ull << SG_ATTR_VALIDATION |
    1ull << SG_ATTR_CONSENT | 1ull << SG_ATTR_COMMUNITY_CONSENT |
    1ull << SG_ATTR_EMERGENCY | 1ull << SG_ATTR_QUALITY |
    1ull << SG_ATTR_INSTRUMENT;

void
sg_build_rule_begin(struct sg_build *b, const struct sg_token *at,
                    const struct sg_token *name, enum sg_effect effect)
{
    if (b->file->rules_count >= SG_LIMIT_POLICY_RULES - 1)
        sg_build_fail(b, at, "more than %u rules", SG_LIMIT_POLICY_RULES - 1);
    struct sg_rule *rule = sg_build_take(b, sizeof *rule);
    if (rule == NULL)
        return;
    rule->name = name->text;
    rule->effect = (uint8_t)effect;
    rule->line = at->line;
    rule->column = at->column;
    rule->until = SG_DAY_NEVER;
    rule->days = SG_HOLD_DAYS;
    b->rule = rule;
    b->in_unless = false;
}

void
sg_build_hold_days(struct sg_build *b, const struct sg_token *days)
{
    uint64_t n;
    if (b->err != SG_OK)
        return;
    if (!sg_slice_u64(days->text, &n) || n == 0 || n > 36500)
        sg_build_fail(b, days, "a hold lasts 1 to 36500 days");
    b->rule->days = (uint32_t)n;
}

// One term of a single condition at a time: do all such on dim leave a code?
static void
check_together(struct sg_build *b, const struct sg_term *terms, unsigned dim)
{
    uint32_t words = sg_dims_words(b->set, dim);
    uint64_t left = 0;
    const struct sg_cond *last = NULL;
    for (uint32_t w = 0; w < words; w++) {
        uint64_t both = ~0ull;
        for (const struct sg_term *t = terms; t != NULL; t = t->next) {
            const struct sg_cond *c = t->conds;
            if (c->next != NULL || c->dim != dim || c->any)
                continue;
            both &= c->codes[w];
            last = c;
        }
        left |= last == NULL ? 1 : both;
    }
    if (left != 0 || last == NULL)
        return;
    char name[48];
    struct sg_token at = {.line = last->line, .column = last->column};
    sg_build_fail(b, &at, "conditions on \"%s\" can never hold together",
                  sg_dims_name(dim, name));
}

static void
check_terms(struct sg_build *b, const struct sg_term *terms)
{
    uint64_t seen = 0;
    for (const struct sg_term *t = terms; t != NULL; t = t->next) {
        if (t->conds->next == NULL)
            seen |= 1ull << t->conds->dim;
    }
    // Lists are not known yet while texts are read the first time.
    seen &= ~(1ull << SG_ATTR_PARTY);
    for (unsigned d = 0; d < SG_DIM_COUNT && b->err == SG_OK; d++) {
        if ((seen >> d & 1) != 0)
            check_together(b, terms, d);
    }
}

void
sg_build_when(struct sg_build *b, const struct sg_all *all)
{
    if (b->err != SG_OK)
        return;
    b->rule->when = all->terms;
    check_terms(b, all->terms);
}

void
sg_build_unless(struct sg_build *b, const struct sg_all *all)
{
    if (b->err != SG_OK)
        return;
    b->rule->unless = all->terms;
    check_terms(b, all->terms);
}

void
sg_build_obligation_begin(struct sg_build *b, const struct sg_token *name,
                          struct sg_obligation *out)
{
    char cure[160];
    enum sg_obligation_name id = sg_obligation_named(name->text);
    *out = (struct sg_obligation){.name = (uint8_t)id};
    if (id != SG_OBLIGATION_COUNT)
        return;
    sg_cure_obligation(name->text, cure, sizeof cure);
    sg_build_fail(b, name, "unknown obligation \"" SG_SLICE_FMT "\"%s",
                  SG_SLICE_ARG(name->text), cure);
}

static uint64_t
dimension_bit(struct sg_build *b, const struct sg_token *at)
{
    struct sg_policy_set *set = b->set;
    for (uint32_t i = 0; i < set->dimensions_count; i++) {
        if (sg_slice_eq(set->dimensions[i], at->text))
            return 1ull << i;
    }
    if (set->dimensions_count == SG_COUNT_OF(set->dimensions)) {
        sg_build_fail(b, at, "the policies name more than 64 dimensions");
        return 0;
    }
    set->dimensions[set->dimensions_count] = at->text;
    return 1ull << set->dimensions_count++;
}

static void
obligation_number(struct sg_build *b, struct sg_obligation *out,
                  uint32_t *count, const struct sg_token *arg)
{
    uint64_t n = sg_obligation_level(arg->text);
    if (arg->raw == SG_RAW_NUMBER && !sg_slice_u64(arg->text, &n))
        n = UINT32_MAX;
    for (const struct sg_protected *p = b->file->secrets; p != NULL;
         p = p->next) {
        if (sg_slice_eq(p->name, arg->text)) {
            n = p->value;
            out->hidden = 1;
            break;
        }
    }
    out->arg[*count] = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    (*count)++;
}

static void
bad_arguments(struct sg_build *b, const struct sg_token *name,
              const struct sg_obligation *out)
{
    char usage[160];
    sg_obligation_usage((enum sg_obligation_name)out->name, usage,
                        sizeof usage);
    sg_build_fail(b, name, "%s", usage);
}

void
sg_build_obligation_arg(struct sg_build *b, const struct sg_token *name,
                        struct sg_obligation *out, uint32_t *count,
                        const struct sg_token *arg)
{
    if (b->err != SG_OK)
        return;
    if (sg_obligation_takes_names((enum sg_obligation_name)out->name) &&
        arg->raw == SG_RAW_ID) {
        out->names |= dimension_bit(b, arg);
        return;
    }
    bool level = sg_obligation_level(arg->text) != 0;
    bool wants_level = out->name == SG_OBLIGATION_COARSEN_GEOGRAPHY;
    unsigned most = sg_obligation_arg_count((enum sg_obligation_name)out->name);
    if (*count >= most || level != wants_level)
        bad_arguments(b, name, out);
    else
        obligation_number(b, out, count, arg);
}

void
sg_build_obligation_end(struct sg_build *b, const struct sg_token *name,
                        struct sg_obligation *out, uint32_t count)
{
    if (b->err != SG_OK)
        return;
    if (count != sg_obligation_arg_count((enum sg_obligation_name)out->name) ||
        !sg_obligation_valid(out))
        bad_arguments(b, name, out);
}

void
sg_build_oblige_word(struct sg_build *b, const struct sg_token *at)
{
    if (b->err == SG_OK && b->rule->effect != SG_EFFECT_PERMIT)
        sg_build_fail(b, at, "only a permit can oblige");
}

// A longer copy of a list of obligations with one more at the end.
static struct sg_obligation *
append(struct sg_build *b, const struct sg_obligation *list, uint32_t count,
       const struct sg_obligation *one)
{
    struct sg_obligation *out = sg_build_take(b, (count + 1) * sizeof *out);
    if (out == NULL)
        return NULL;
    if (count > 0)
        memcpy(out, list, count * sizeof *out);
    out[count] = *one;
    return out;
}

void
sg_build_oblige(struct sg_build *b, const struct sg_obligation *one)
{
    if (b->err != SG_OK)
        return;
    struct sg_rule *rule = b->rule;
    struct sg_token at = {.line = rule->line, .column = rule->column};
    if (rule->obligations_count == SG_LIMIT_OBLIGATIONS) {
        sg_build_fail(b, &at, "more than %u obligations in one rule",
                      SG_LIMIT_OBLIGATIONS);
        return;
    }
    rule->obligations =
        append(b, rule->obligations, rule->obligations_count, one);
    rule->obligations_count++;
}

static void
add_text(struct sg_build *b, struct sg_text **list, struct sg_slice lang,
         struct sg_slice text)
{
    struct sg_text *link = sg_build_take(b, sizeof *link);
    if (link == NULL)
        return;
    *link = (struct sg_text){text, lang, NULL};
    while (*list != NULL)
        list = &(*list)->next;
    *list = link;
}

void
sg_build_because(struct sg_build *b, const struct sg_token *text)
{
    if (b->err == SG_OK)
        add_text(b, &b->rule->because, (struct sg_slice){0}, text->text);
}

void
sg_build_say(struct sg_build *b, const struct sg_token *lang,
             const struct sg_token *text)
{
    if (b->err == SG_OK)
        add_text(b, &b->rule->say, lang->text, text->text);
}

// What the hold waits for, and which availability codes a permit names.
static void
derive(struct sg_rule *rule)
{
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if (c->dim < SG_ATTR_COUNT)
                rule->waits |= event_attrs & 1ull << c->dim;
            if (c->dim == SG_ATTR_AVAILABILITY && !c->any && c->positive)
                rule->early |= (uint32_t)c->codes[0];
        }
    }
}

void
sg_build_rule_end(struct sg_build *b)
{
    if (b->err != SG_OK)
        return;
    struct sg_rule *rule = b->rule;
    struct sg_token at = {.line = rule->line, .column = rule->column};
    derive(rule);
    enum sg_err err = sg_boxes_expand(b->set, rule);
    if (err == SG_ERR_SYNTAX)
        sg_build_fail(b, &at,
                      "too complex, split the rule (more than %u "
                      "boxes)",
                      SG_LIMIT_POLICY_BOXES);
    else if (err != SG_OK)
        sg_build_full(b);
    if (rule->effect == SG_EFFECT_NEVER) {
        if (rule->obligations_count > 0 || rule->because != NULL)
            sg_build_fail(b, &at, "a never has conditions only");
        *b->nevers_end = rule;
        b->nevers_end = &rule->next;
        rule->index = (uint16_t)b->file->nevers_count++;
        return;
    }
    *b->rules_end = rule;
    b->rules_end = &rule->next;
    rule->index = (uint16_t)b->file->rules_count++;
    if (b->lint)
        sg_build_lint_rule(b, rule);
}
