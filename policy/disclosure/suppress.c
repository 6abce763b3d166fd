#include "policy/disclosure/suppress.h"

#include <stdio.h>

#include "schemas/sdmx/value.h"

static void
remove_component(struct sg_suppress_plan *plan, uint32_t i)
{
    plan->removed[i / 64] |= 1ull << (i % 64);
}

static bool
is_removed(const struct sg_suppress_plan *plan, uint32_t i)
{
    return (plan->removed[i / 64] >> (i % 64) & 1) != 0;
}

static bool
is_bound(struct sg_slice id)
{
    return sg_slice_eq(id, SG_SLICE("UPPER_BOUND")) ||
           sg_slice_eq(id, SG_SLICE("LOWER_BOUND"));
}

static bool
has_code_q(const struct sg_structure *s, int32_t list)
{
    for (uint32_t i = 0; list >= 0 && i < s->lists[list].count; i++) {
        if (sg_slice_eq(sg_structure_code_text(s, (uint32_t)list, i),
                        SG_SLICE("Q")))
            return true;
    }
    return false;
}

static int32_t
status_component(const struct sg_structure *s)
{
    int32_t at = sg_structure_find(s, SG_SLICE("OBS_STATUS"));
    if (at < 0 || s->components[at].kind != SG_KIND_ATTRIBUTE)
        return -1;
    return has_code_q(s, s->components[at].list) ? at : -1;
}

enum sg_err
sg_suppress_plan_make(const struct sg_structure *structure,
                      const struct sg_suppress_terms *terms,
                      struct sg_suppress_plan *plan)
{
    *plan = (struct sg_suppress_plan){.when = -1, .code = terms->code};
    plan->components = structure->component_count;
    if (terms->n < 2 || plan->components > SG_LIMIT_COMPONENTS)
        return SG_ERR_TERMS;
    snprintf(plan->n, sizeof plan->n, "%u", terms->n);
    plan->count = sg_structure_find(structure, terms->count);
    if (terms->when.len > 0)
        plan->when = sg_structure_find(structure, terms->when);
    if (plan->count < 0 || (terms->when.len > 0 && plan->when < 0))
        return SG_ERR_NOT_FOUND;
    plan->status = status_component(structure);
    bool measure = false;
    for (uint32_t i = 0; i < plan->components; i++) {
        const struct sg_component *c = &structure->components[i];
        bool of_key = c->kind == SG_KIND_DIMENSION || c->kind == SG_KIND_TIME;
        bool counts = (int32_t)i == plan->count;
        if (!of_key &&
            (c->kind == SG_KIND_MEASURE || counts || is_bound(c->id)))
            remove_component(plan, i);
        measure |= c->kind == SG_KIND_MEASURE;
    }
    return measure ? SG_OK : SG_ERR_TERMS;
}

static struct sg_slice
bytes_of(const struct sg_value *v)
{
    return sg_obs_value_bytes(v);
}

static bool
is_finite(struct sg_slice number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] == 'N') // INF, -INF, NaN
            return false;
    }
    return number.len > 0;
}

static bool
applies(const struct sg_suppress_plan *plan, const struct sg_value *values)
{
    if (plan->when < 0)
        return true;
    const struct sg_value *v = &values[plan->when];
    return v->kind == SG_VALUE_TEXT && sg_slice_eq(bytes_of(v), plan->code);
}

bool
sg_suppress_is_small(const struct sg_suppress_plan *plan,
                     const struct sg_value *values)
{
    const struct sg_value *v = &values[plan->count];
    if (!applies(plan, values))
        return false;
    if (v->kind != SG_VALUE_TEXT || !sg_value_is_number(bytes_of(v)) ||
        !is_finite(bytes_of(v)))
        return true;
    return sg_value_compare(bytes_of(v), SG_SLICE("0")) > 0 &&
           sg_value_compare(bytes_of(v), sg_slice_text(plan->n)) < 0;
}

bool
sg_suppress_row(struct sg_suppress_plan *plan, struct sg_value *values)
{
    static const uint8_t q[] = "Q";
    bool changed = false;
    plan->rows++;
    if (!sg_suppress_is_small(plan, values))
        return false;
    for (uint32_t i = 0; i < plan->components; i++) {
        if (!is_removed(plan, i) || values[i].kind == SG_VALUE_ABSENT)
            continue;
        values[i] = (struct sg_value){.kind = SG_VALUE_ABSENT};
        changed = true;
    }
    if (changed && plan->status >= 0)
        values[plan->status] =
            (struct sg_value){.ptr = q, .len = 1, .kind = SG_VALUE_TEXT};
    plan->suppressed += changed;
    return changed;
}
