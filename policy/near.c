#include "policy/near.h"

static uint64_t
failing(const struct sg_policy_set *set, const struct sg_rule *rule,
        const struct sg_request *q)
{
    uint64_t attrs = 0;
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        if (sg_boxes_term_holds(set, t, q, false))
            continue;
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next)
            attrs |= 1ull << c->dim;
    }
    return attrs;
}

static void
offer(struct sg_near *out, const struct sg_rule *rule, uint64_t attrs,
      bool unless)
{
    uint32_t failed =
        (uint32_t)__builtin_popcountll(attrs) + (unless ? 1u : 0u);
    uint32_t at = out->count;
    while (at > 0 && out->failed[at - 1] > failed)
        at--;
    if (at == SG_NEAR_MOST)
        return;
    if (out->count < SG_NEAR_MOST)
        out->count++;
    for (uint32_t i = out->count - 1; i > at; i--) {
        out->rule[i] = out->rule[i - 1];
        out->failed[i] = out->failed[i - 1];
        out->attrs[i] = out->attrs[i - 1];
        out->unless[i] = out->unless[i - 1];
    }
    out->rule[at] = rule;
    out->failed[at] = failed;
    out->attrs[at] = attrs;
    out->unless[at] = unless;
}

void
sg_near_find(struct sg_near *out, const struct sg_policy_set *set,
             const struct sg_file *file, uint32_t day,
             const struct sg_request *q)
{
    *out = (struct sg_near){0};
    for (const struct sg_rule *r = file->rules; r != NULL; r = r->next) {
        if (r->effect != SG_EFFECT_PERMIT || day < r->from || day >= r->until)
            continue;
        bool unless =
            r->unless != NULL && sg_boxes_all_hold(set, r->unless, q, true);
        offer(out, r, failing(set, r, q), unless);
    }
}
