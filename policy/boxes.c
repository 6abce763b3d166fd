// Unknown closes a permit and opens a forbid, hold or never; after unless the
// other way round (policy-language 5.4, S40). A rule becomes a union of boxes:
// one condition picked from each term of when, times one term of unless whose
// conditions all fail.
#include "broker/base/limits.h"
#include "policy/ast.h"

static bool
cond_holds(const struct sg_policy_set *set, const struct sg_cond *cond,
           const struct sg_request *q, bool unknown)
{
    if (cond->any)
        return true;
    uint32_t value = sg_dims_value(set, cond->dim, q);
    return sg_ast_has(cond->codes, value) || (value == 0 && unknown);
}

bool
sg_boxes_term_holds(const struct sg_policy_set *set, const struct sg_term *term,
                    const struct sg_request *q, bool unknown)
{
    for (const struct sg_cond *c = term->conds; c != NULL; c = c->next) {
        if (cond_holds(set, c, q, unknown))
            return true;
    }
    return false;
}

bool
sg_boxes_all_hold(const struct sg_policy_set *set, const struct sg_term *terms,
                  const struct sg_request *q, bool unknown)
{
    for (const struct sg_term *t = terms; t != NULL; t = t->next) {
        if (!sg_boxes_term_holds(set, t, q, unknown))
            return false;
    }
    return true;
}

bool
sg_boxes_rule_holds(const struct sg_policy_set *set, const struct sg_rule *rule,
                    const struct sg_request *q)
{
    bool loose = rule->effect != SG_EFFECT_PERMIT;
    if (!sg_boxes_all_hold(set, rule->when, q, loose))
        return false;
    return rule->unless == NULL ||
           !sg_boxes_all_hold(set, rule->unless, q, !loose);
}

enum { MAX_TERMS = 64, MAX_PICKS = 65536 };

struct expansion {
    const struct sg_policy_set *set;
    struct sg_rule *rule;
    bool loose;
    const struct sg_cond *pick[MAX_TERMS];
    uint32_t terms;
    struct sg_box boxes[SG_LIMIT_POLICY_BOXES];
    uint32_t count, tried;
};

// sides[dim] &= allowed, in fresh memory. false: the arena is full.
static bool
narrow(struct expansion *e, const uint64_t **sides, unsigned dim,
       const uint64_t *allowed)
{
    uint32_t words = sg_dims_words(e->set, dim);
    uint64_t *fresh = sg_arena_take(e->set->arena, words * sizeof *fresh);
    if (fresh == NULL)
        return false;
    for (uint32_t i = 0; i < words; i++)
        fresh[i] = allowed[i] & (sides[dim] == NULL ? ~0ull : sides[dim][i]);
    sides[dim] = fresh;
    return true;
}

// The codes for which cond holds (or, with fails, surely does not hold).
static uint64_t *
allowed_codes(struct expansion *e, const struct sg_cond *cond, bool fails)
{
    uint32_t words = sg_dims_words(e->set, cond->dim);
    uint64_t *out = sg_arena_take(e->set->arena, words * sizeof *out);
    if (out == NULL)
        return NULL;
    uint32_t codes = sg_dims_codes(e->set, cond->dim);
    for (uint32_t c = 1; c < codes; c++) {
        if (sg_dims_valid(e->set, cond->dim, c) &&
            sg_ast_has(cond->codes, c) != fails)
            sg_ast_put(out, c);
    }
    // Unknown satisfies the when of a loose rule, and never its unless.
    if (e->loose || (!fails && sg_ast_has(cond->codes, 0)))
        sg_ast_put(out, 0);
    return out;
}

static bool
is_empty(struct expansion *e, unsigned dim, const uint64_t *codes)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < sg_dims_words(e->set, dim); i++)
        any |= codes[i];
    return any == 0;
}

static enum sg_err
keep_box(struct expansion *e, const uint64_t **sides)
{
    uint32_t count = 0;
    for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
        if (sides[d] == NULL)
            continue;
        if (is_empty(e, d, sides[d]))
            return SG_OK;
        count++;
    }
    if (e->count == SG_LIMIT_POLICY_BOXES)
        return SG_ERR_SYNTAX;
    struct sg_side *out =
        sg_arena_take(e->set->arena, (count + 1) * sizeof *out);
    if (out == NULL)
        return SG_ERR_FULL;
    struct sg_box *box = &e->boxes[e->count++];
    *box = (struct sg_box){.sides = out, .count = (uint8_t)count};
    for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
        if (sides[d] != NULL)
            *out++ = (struct sg_side){sides[d], (uint8_t)d};
    }
    return SG_OK;
}

// One box: the picked conditions hold and every condition of tail fails.
static enum sg_err
add_box(struct expansion *e, const struct sg_term *tail)
{
    const uint64_t *sides[SG_DIM_COUNT] = {NULL};
    if (++e->tried > MAX_PICKS)
        return SG_ERR_SYNTAX;
    for (uint32_t i = 0; i < e->terms; i++) {
        if (e->pick[i]->any)
            continue;
        uint64_t *codes = allowed_codes(e, e->pick[i], false);
        if (codes == NULL || !narrow(e, sides, e->pick[i]->dim, codes))
            return SG_ERR_FULL;
    }
    const struct sg_cond *c = tail == NULL ? NULL : tail->conds;
    for (; c != NULL; c = c->next) {
        uint64_t *codes = allowed_codes(e, c, true);
        if (codes == NULL || !narrow(e, sides, c->dim, codes))
            return SG_ERR_FULL;
    }
    return keep_box(e, sides);
}

static enum sg_err
add_boxes(struct expansion *e)
{
    if (e->rule->unless == NULL)
        return add_box(e, NULL);
    enum sg_err err = SG_OK;
    for (const struct sg_term *t = e->rule->unless; t != NULL && err == SG_OK;
         t = t->next)
        err = add_box(e, t);
    return err;
}

// Steps to the next combination of picks; false: there is none.
static bool
next_pick(struct expansion *e)
{
    uint32_t i = 0;
    for (const struct sg_term *t = e->rule->when; t != NULL; t = t->next) {
        if (e->pick[i]->next != NULL) {
            e->pick[i] = e->pick[i]->next;
            return true;
        }
        e->pick[i++] = t->conds;
    }
    return false;
}

enum sg_err
sg_boxes_expand(const struct sg_policy_set *set, struct sg_rule *rule)
{
    struct expansion whole = {.set = set, .rule = rule};
    struct expansion *e = &whole;
    e->loose = rule->effect != SG_EFFECT_PERMIT;
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        if (e->terms == MAX_TERMS)
            return SG_ERR_SYNTAX;
        e->pick[e->terms++] = t->conds;
    }
    do {
        enum sg_err err = add_boxes(e);
        if (err != SG_OK)
            return err;
    } while (next_pick(e));
    struct sg_box *boxes =
        sg_arena_take(set->arena, (e->count + 1) * sizeof *boxes);
    if (boxes == NULL)
        return SG_ERR_FULL;
    memcpy(boxes, e->boxes, e->count * sizeof *boxes);
    rule->boxes = boxes;
    rule->boxes_count = e->count;
    return SG_OK;
}
