#include "policy/promise.h"

#include "policy/grid.h"

struct asking {
    const struct sg_rules *rules;
    const struct sg_request *request;
    uint32_t day;
    uint64_t known;
    const struct sg_context *made;
    struct sg_obligation *lacking;
    size_t count;
};

static bool
is_known(const struct asking *a, unsigned dim)
{
    uint8_t first, second;

    if (dim < SG_ATTR_COUNT)
        return (a->known >> dim & 1) != 0;
    sg_dims_pair(dim, &first, &second);
    return (a->known >> first & 1) != 0 && (a->known >> second & 1) != 0;
}

static bool
all_known(const struct asking *a, const struct sg_term *terms)
{
    for (const struct sg_term *t = terms; t != NULL; t = t->next)
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next)
            if (!is_known(a, c->dim))
                return false;
    return true;
}

// Could the permit apply, whatever the content is?
static bool
may_apply(const struct asking *a, const struct sg_rule *rule)
{
    const struct sg_policy_set *set = a->rules->set;

    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        struct sg_term alone = *t;
        alone.next = NULL;
        if (all_known(a, &alone) &&
            !sg_boxes_term_holds(set, t, a->request, false))
            return false;
    }
    return rule->unless == NULL || !all_known(a, rule->unless) ||
           !sg_boxes_all_hold(set, rule->unless, a->request, true);
}

static bool
is_made(const struct asking *a, const struct sg_obligation *one)
{
    for (uint32_t i = 0; i < a->made->promises_count; i++)
        if (sg_obligation_satisfies(&a->made->promises[i], one))
            return true;
    return false;
}

static void
look_at_file(struct asking *a, const struct sg_file *file)
{
    for (const struct sg_rule *r = file->rules; r != NULL; r = r->next) {
        if (r->effect != SG_EFFECT_PERMIT || a->day < r->from ||
            a->day >= r->until || !may_apply(a, r))
            continue;
        for (uint32_t i = 0; i < r->obligations_count; i++) {
            const struct sg_obligation *one = &r->obligations[i];
            if (sg_obligation_kind_of((enum sg_obligation_name)one->name) !=
                    SG_OBLIGATION_KIND_PROMISE ||
                (a->made->performs >> one->name & 1) == 0 || is_made(a, one))
                continue;
            if (!sg_obligation_merge(a->lacking, &a->count,
                                     SG_LIMIT_OBLIGATIONS, one))
                return; // as many as a decision can hold
        }
    }
}

static void
look_at(struct asking *a, struct sg_grid_span span)
{
    for (uint32_t i = 0; i < span.count; i++)
        look_at_file(a, a->rules->set->files[a->rules->lists[span.first + i]]);
}

size_t
sg_promise_lacking(const struct sg_rules *rules, uint32_t day,
                   const struct sg_request *request, uint64_t known,
                   const struct sg_context *made, struct sg_obligation *lacking)
{
    struct asking a = {.rules = rules,
                       .request = request,
                       .day = day,
                       .known = known,
                       .made = made,
                       .lacking = lacking};
    uint16_t home = request->code[SG_ATTR_PROVIDER_IN];
    uint16_t destination = request->code[SG_ATTR_DESTINATION];

    if (rules == NULL || !is_known(&a, SG_ATTR_PROVIDER_IN) ||
        !is_known(&a, SG_ATTR_DESTINATION) || home >= SG_PLACE_COUNT ||
        destination >= SG_PLACE_COUNT)
        return 0;
    // The law of the areas described follows from the content: it is left out.
    look_at(&a, rules->export_of[home]);
    look_at(&a, rules->hubs);
    look_at(&a, rules->import_of[destination].count > 0
                    ? rules->import_of[destination]
                    : rules->import_default);
    return a.count;
}
