// What policy-language 5.6 refuses or remarks upon in a rule that parses.
#include "policy/build.h"

static const enum sg_attr must_speak[] = {
    SG_ATTR_AVAILABILITY, SG_ATTR_CONF_STATUS,       SG_ATTR_IDENTIFIABILITY,
    SG_ATTR_CONSENT,      SG_ATTR_COMMUNITY_CONSENT, SG_ATTR_CLASSIFICATION,
};

static bool
grows(unsigned dim)
{
    return dim == SG_ATTR_PURPOSE || dim == SG_ATTR_RECIPIENT ||
           dim == SG_ATTR_DATA_KIND;
}

static bool
says_any(const struct sg_rule *rule, enum sg_attr attr)
{
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if (c->any && c->dim == attr)
                return true;
        }
    }
    return false;
}

static bool
box_speaks_of(const struct sg_box *box, enum sg_attr attr)
{
    for (uint8_t i = 0; i < box->count; i++) {
        if (box->sides[i].dim == attr)
            return true;
    }
    return false;
}

static void
check_open(struct sg_build *b, const struct sg_rule *rule)
{
    struct sg_token at = {.line = rule->line, .column = rule->column};
    for (size_t a = 0; a < SG_COUNT_OF(must_speak); a++) {
        enum sg_attr attr = must_speak[a];
        const char *name = sg_vocabulary_attr(attr)->name;
        bool open = false;
        for (uint32_t i = 0; i < rule->boxes_count; i++)
            open |= !box_speaks_of(&rule->boxes[i], attr);
        if (open && !says_any(rule, attr))
            sg_build_fail(b, &at,
                          "rule \"" SG_SLICE_FMT "\" leaves %s open; constrain "
                          "it or write \"%s is any\"",
                          SG_SLICE_ARG(rule->name), name, name);
    }
}

// Does a when-condition name codes of dim that it lets through?
static bool
names_some(const struct sg_rule *rule, unsigned dim)
{
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if (c->dim == dim && c->positive)
                return true;
        }
    }
    return false;
}

static void
check_growing(struct sg_build *b, const struct sg_rule *rule,
              const struct sg_term *terms, bool inside)
{
    for (const struct sg_term *t = terms; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if (!grows(c->dim) || c->positive == inside ||
                names_some(rule, c->dim))
                continue;
            struct sg_token at = {.line = c->line, .column = c->column};
            const char *name = sg_vocabulary_attr((enum sg_attr)c->dim)->name;
            sg_build_fail(b, &at,
                          "a permit names what it lets through: list the %s "
                          "codes with \"is one of\" (%s may get new codes)",
                          name, name);
        }
    }
}

void
sg_build_lint_rule(struct sg_build *b, const struct sg_rule *rule)
{
    struct sg_token at = {.line = rule->line, .column = rule->column};
    if (rule->because == NULL)
        sg_build_note(b, SG_POLICY_WARNING, rule->line, rule->column,
                      "rule \"" SG_SLICE_FMT
                      "\" has neither because nor source",
                      SG_SLICE_ARG(rule->name));
    if (rule->effect == SG_EFFECT_PERMIT) {
        check_open(b, rule);
        check_growing(b, rule, rule->when, true);
        check_growing(b, rule, rule->unless, false);
    }
    if (rule->effect == SG_EFFECT_HOLD && rule->waits == 0)
        sg_build_fail(b, &at,
                      "rule \"" SG_SLICE_FMT "\" can never open (no event "
                      "changes its attributes): use forbid",
                      SG_SLICE_ARG(rule->name));
}

void
sg_build_lint_file(struct sg_build *b)
{
    const struct sg_file *file = b->file;
    for (const struct sg_group *g = file->groups; g != NULL; g = g->next) {
        if (!g->used)
            sg_build_note(b, SG_POLICY_WARNING, g->line, g->column,
                          "group " SG_SLICE_FMT " is defined and not used",
                          SG_SLICE_ARG(g->name));
    }
}
