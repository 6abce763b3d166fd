#include "schemas/sdmx/structure_compiler.h"

#define DIMS_MAX 63u // bits of a mask, and time

enum sg_err
sg_structure_compile_full(struct sg_structure_compiler *c, const char *what)
{
    sg_diag_set(c->diag, c->dsd->self.line, 0,
                "data structure %.*s has %s; split it",
                SG_SLICE_ARG(c->dsd->self.id), what);
    return SG_ERR_FULL;
}

// Position in the canonical order (content-root.md 2): kind, then position for
// dimensions that have one. Equal: as written.
static bool
comes_before(const struct sg_model_component *a,
             const struct sg_model_component *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->kind == SG_KIND_DIMENSION && a->position != 0 &&
           b->position != 0 && a->position < b->position;
}

static enum sg_err
order_components(struct sg_structure_compiler *c)
{
    for (const struct sg_model_component *at = c->dsd->components; at != NULL;
         at = at->next) {
        if (c->component_count == SG_LIMIT_COMPONENTS)
            return sg_structure_compile_full(c, "too many components");
        uint32_t to = c->component_count++;
        for (; to > 0 && comes_before(at, c->components[to - 1]); to--)
            c->components[to] = c->components[to - 1];
        c->components[to] = at;
        c->dimension_count += at->kind == SG_KIND_DIMENSION;
    }
    if (c->dimension_count > DIMS_MAX)
        return sg_structure_compile_full(c, "more than 63 dimensions");
    if (c->dimension_count > 0)
        return SG_OK;
    sg_diag_set(c->diag, c->dsd->self.line, 0,
                "data structure %.*s has no dimension; add its DimensionList",
                SG_SLICE_ARG(c->dsd->self.id));
    return SG_ERR_SYNTAX;
}

static enum sg_err
check_ids(struct sg_structure_compiler *c)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct sg_model_component *a = c->components[i];
        if (a->id.len == 0 || a->id.len > SG_LIMIT_ID) {
            sg_diag_set(c->diag, a->line, 0,
                        "a component without an id, or with one of more than "
                        "64 bytes; give it one, or a ConceptIdentity");
            return SG_ERR_SYNTAX;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (!sg_slice_eq(a->id, c->components[j]->id))
                continue;
            sg_diag_set(c->diag, a->line, 0,
                        "two components are called %.*s; rename one",
                        SG_SLICE_ARG(a->id));
            return SG_ERR_SYNTAX;
        }
        times += a->kind == SG_KIND_TIME;
        if (times > 1) {
            sg_diag_set(c->diag, a->line, 0,
                        "a second time dimension; a structure has one");
            return SG_ERR_SYNTAX;
        }
    }
    return SG_OK;
}

int32_t
sg_structure_compile_find(const struct sg_structure_compiler *c,
                          struct sg_slice id)
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        if (sg_slice_eq(c->components[i]->id, id))
            return (int32_t)i;
    }
    return -1;
}

// LocalRepresentation, else the concept's CoreRepresentation, else none.
static void
choose_representation(struct sg_structure_compiler *c, uint32_t i)
{
    const struct sg_model_component *component = c->components[i];
    struct sg_model_representation none = {
        .facets = {.min_length = -1, .max_length = -1, .decimals = -1},
    };
    // "concept" alone is a keyword to clang-format.
    const struct sg_model_concept *core = NULL;
    if (!component->local.given && component->concept.line != 0)
        core = sg_structure_model_concept(c->model, &component->concept);
    if (component->local.given)
        c->used[i] = component->local;
    else if (core != NULL && core->core.given)
        c->used[i] = core->core;
    else
        c->used[i] = none;
    if (c->used[i].typed)
        return;
    if (component->kind == SG_KIND_TIME)
        c->used[i].type = SG_TYPE_OBSERVATIONAL_TIME;
    else if (component->kind == SG_KIND_MEASURE)
        c->used[i].type = SG_TYPE_DOUBLE;
}

static enum sg_err
missing_list(struct sg_structure_compiler *c,
             const struct sg_model_component *component,
             const struct sg_model_ref *ref, const char *why)
{
    sg_diag_set(c->diag, component->line, 0,
                "%.*s of %.*s uses code list %.*s:%.*s(%.*s), which %s",
                SG_SLICE_ARG(component->id), SG_SLICE_ARG(c->dsd->self.id),
                SG_SLICE_ARG(ref->agency), SG_SLICE_ARG(ref->id),
                SG_SLICE_ARG(ref->version), why);
    return SG_ERR_NOT_FOUND;
}

static enum sg_err
find_list(struct sg_structure_compiler *c, uint32_t i)
{
    const struct sg_model_ref *ref = &c->used[i].list;
    c->list_of[i] = -1;
    if (ref->line == 0)
        return SG_OK;
    const struct sg_model_list *list = sg_structure_model_list(c->model, ref);
    struct sg_model_ref scheme = *ref;
    scheme.class = SG_SLICE("ConceptScheme");
    // A MeasureDimension takes concepts, and a Ref need not say so.
    if (list == NULL && ref->class.len == 0)
        list = sg_structure_model_list(c->model, &scheme);
    if (list == NULL)
        return missing_list(c, c->components[i], ref,
                            "is not there; add it to the message (registries: "
                            "references=children)");
    enum sg_err err =
        list->extensions == NULL ? SG_OK : sg_structure_extend(c, &list);
    if (err != SG_OK)
        return err;
    for (uint32_t l = 0; l < c->list_count; l++) {
        if (sg_slice_eq(c->lists[l]->self.agency, list->self.agency) &&
            sg_slice_eq(c->lists[l]->self.id, list->self.id) &&
            sg_slice_eq(c->lists[l]->self.version, list->self.version))
            c->list_of[i] = (int32_t)l;
    }
    if (c->list_of[i] < 0) {
        c->list_of[i] = (int32_t)c->list_count;
        c->lists[c->list_count++] = list;
    }
    return SG_OK;
}

static enum sg_err
resolve_components(struct sg_structure_compiler *c)
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        choose_representation(c, i);
        enum sg_err err = find_list(c, i);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

bool
sg_structure_compile_holds(const struct sg_structure_compiler *c,
                           const struct sg_model_target *on)
{
    const struct sg_model_ref *target = &on->ref;
    const struct sg_model_ref *structure = NULL;
    const struct sg_model_flow *flow = NULL;
    if (on->known)
        return true;
    if (sg_slice_eq(target->class, SG_SLICE("DataStructure"))) {
        structure = target;
    } else if (sg_slice_eq(target->class, SG_SLICE("Dataflow"))) {
        flow = sg_structure_model_flow(c->model, target);
    } else {
        const struct sg_model_agreement *agreement =
            sg_structure_model_agreement(c->model, target);
        if (agreement != NULL)
            flow = sg_structure_model_flow(c->model, &agreement->flow);
    }
    if (flow != NULL)
        structure = &flow->structure;
    return structure != NULL &&
           sg_structure_model_dsd(c->model, structure) == c->dsd;
}

static bool
holds(const struct sg_structure_compiler *c,
      const struct sg_model_constraint *constraint)
{
    for (const struct sg_model_target *t = constraint->targets; t; t = t->next)
        if (sg_structure_compile_holds(c, t))
            return true;
    return false;
}

static int
order_of_refs(const struct sg_model_ref *a, const struct sg_model_ref *b)
{
    int order = sg_slice_cmp(a->agency, b->agency);
    if (order == 0)
        order = sg_slice_cmp(a->id, b->id);
    return order == 0 ? sg_slice_cmp(a->version, b->version) : order;
}

static bool
has_component(const struct sg_structure_compiler *c, struct sg_slice id)
{
    return c->base == NULL ? sg_structure_compile_find(c, id) >= 0
                           : sg_structure_find(c->base, id) >= 0;
}

static enum sg_err
check_constraint(struct sg_structure_compiler *c,
                 const struct sg_model_constraint *k)
{
    for (const struct sg_model_part *p = k->parts; p && k->allowed; p = p->next)
        for (const struct sg_model_values *v = p->values; v; v = v->next)
            if (!has_component(c, v->component)) {
                sg_diag_set(
                    c->diag, k->self.line, 0,
                    "constraint %.*s:%.*s(%.*s) names %.*s, which is "
                    "no component of %.*s:%.*s(%.*s); correct its id",
                    SG_SLICE_ARG(k->self.agency), SG_SLICE_ARG(k->self.id),
                    SG_SLICE_ARG(k->self.version), SG_SLICE_ARG(v->component),
                    SG_SLICE_ARG(c->dsd->self.agency),
                    SG_SLICE_ARG(c->dsd->self.id),
                    SG_SLICE_ARG(c->dsd->self.version));
                return SG_ERR_NOT_FOUND;
            }
    return SG_OK;
}

enum sg_err
sg_structure_find_constraints(struct sg_structure_compiler *c)
{
    uint32_t all = 0;
    for (const struct sg_model_constraint *k = c->model->constraints; k;
         k = k->next)
        all++;
    c->constraints =
        sg_arena_take(c->arena, (all + 1) * sizeof *c->constraints);
    if (c->constraints == NULL)
        return SG_ERR_FULL;
    for (const struct sg_model_constraint *k = c->model->constraints; k;
         k = k->next) {
        if (!holds(c, k))
            continue;
        enum sg_err err = check_constraint(c, k);
        if (err != SG_OK)
            return err;
        uint32_t at = c->constraint_count++;
        for (; at > 0 &&
               order_of_refs(&c->constraints[at - 1]->self, &k->self) > 0;
             at--)
            c->constraints[at] = c->constraints[at - 1];
        c->constraints[at] = k;
    }
    return SG_OK;
}

bool
sg_structure_compile_uses(const struct sg_structure_compiler *c,
                          const struct sg_model_flow *flow)
{
    return flow->structure.line != 0 &&
           sg_structure_model_dsd(c->model, &flow->structure) == c->dsd;
}

enum sg_err
sg_structure_resolve(struct sg_structure_compiler *c)
{
    enum sg_err err = order_components(c);
    if (err == SG_OK)
        err = check_ids(c);
    if (err == SG_OK)
        err = resolve_components(c);
    return err == SG_OK ? sg_structure_find_constraints(c) : err;
}
