#include "schemas/sdmx/structure_compiler.h"

static void
want(struct sg_structure_compiler *c, enum sg_structure_section section,
     uint32_t count)
{
    c->counts[section] += count;
}

static void
want_text(struct sg_structure_compiler *c, struct sg_slice text)
{
    c->counts[SG_SECTION_TEXTS] += (uint32_t)text.len;
}

static void
want_ref(struct sg_structure_compiler *c, const struct sg_model_ref *ref)
{
    want_text(c, ref->agency);
    want_text(c, ref->id);
    want_text(c, ref->version);
}

static void
want_list(struct sg_structure_compiler *c, const struct sg_model_list *list)
{
    want(c, SG_SECTION_LISTS, 1);
    want(c, SG_SECTION_CODES, list->count);
    want(c, SG_SECTION_SLOTS, sg_structure_slots_for(list->count));
    want_ref(c, &list->self);
    for (const struct sg_model_code *at = list->codes; at; at = at->next) {
        want_text(c, at->id);
        for (const struct sg_model_text *n = at->names; n; n = n->next) {
            want(c, SG_SECTION_NAMES, 1);
            want_text(c, n->language);
            want_text(c, n->text);
        }
        for (const struct sg_model_note *n = at->notes; n; n = n->next) {
            want(c, SG_SECTION_NOTES, 1);
            want_text(c, n->type);
            want_text(c, n->text);
        }
    }
}

static void
want_parts(struct sg_structure_compiler *c, const struct sg_model_constraint *k)
{
    for (const struct sg_model_part *p = k->parts; p; p = p->next) {
        want(c, SG_SECTION_PARTS, 1);
        for (const struct sg_model_values *v = p->values; v; v = v->next) {
            want(c, SG_SECTION_VALUES, 1);
            want_text(c, v->component);
            want(c, SG_SECTION_VALUE_TEXTS, v->time_range ? 2 : 0);
            want_text(c, v->start);
            want_text(c, v->end);
            for (const struct sg_model_value *t = v->values; t; t = t->next) {
                want(c, SG_SECTION_VALUE_TEXTS, 1);
                want_text(c, t->text);
            }
        }
    }
}

static void
want_constraint(struct sg_structure_compiler *c,
                const struct sg_model_constraint *k)
{
    bool wanted = false;
    for (const struct sg_model_target *t = k->targets; t; t = t->next) {
        if (!sg_structure_compile_holds(c, t))
            continue;
        want(c, SG_SECTION_CONSTRAINTS, 1);
        want_ref(c, &k->self);
        want_ref(c, &t->ref);
        want(c, SG_SECTION_TEXTS, 4); // "=:()" of the target
        want_text(c, t->ref.class);
        if (!wanted)
            want_parts(c, k);
        wanted = true;
    }
}

void
sg_structure_want_constraints(struct sg_structure_compiler *c)
{
    for (uint32_t i = 0; i < c->constraint_count; i++)
        want_constraint(c, c->constraints[i]);
}

static void
want_components(struct sg_structure_compiler *c)
{
    want(c, SG_SECTION_COMPONENTS, c->component_count);
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct sg_facets *f = &c->used[i].facets;
        const struct sg_slice texts[] = {
            c->components[i]->id, f->pattern,       f->min_value, f->max_value,
            f->start_value,       f->end_value,     f->interval,  f->start_time,
            f->end_time,          f->time_interval,
        };
        for (size_t t = 0; t < SG_COUNT_OF(texts); t++)
            want_text(c, texts[t]);
    }
    for (const struct sg_model_group *g = c->dsd->groups; g; g = g->next) {
        want(c, SG_SECTION_GROUPS, 1);
        want_text(c, g->id);
    }
}

enum sg_err
sg_structure_make_room(struct sg_structure_compiler *c)
{
    want_ref(c, &c->dsd->self);
    want_ref(c, &c->dsd->self); // once more in the URN
    want(c, SG_SECTION_TEXTS, sizeof(SG_STRUCTURE_URN_HEAD ":()") - 1);
    want_components(c);
    for (uint32_t l = 0; l < c->list_count; l++)
        want_list(c, c->lists[l]);
    for (const struct sg_model_flow *f = c->model->flows; f; f = f->next) {
        if (!sg_structure_compile_uses(c, f))
            continue;
        want(c, SG_SECTION_FLOWS, 1);
        want_ref(c, &f->self);
    }
    sg_structure_want_constraints(c);
    return sg_structure_lay_out(c);
}

enum sg_err
sg_structure_lay_out(struct sg_structure_compiler *c)
{
    uint64_t at[SG_SECTION_END];
    uint64_t size = sizeof *c->head;
    for (uint32_t s = 0; s < SG_SECTION_END; s++) {
        at[s] = size;
        size +=
            ((uint64_t)c->counts[s] * sg_structure_record_size(s) + 7) / 8 * 8;
    }
    c->bytes = size > UINT32_MAX ? NULL : sg_arena_take(c->arena, size);
    if (c->bytes == NULL)
        return sg_structure_compile_full(c, "too many codes and texts");
    c->head = (struct sg_structure_head *)(void *)c->bytes;
    memcpy(c->head->magic, SG_STRUCTURE_MAGIC, 8);
    c->head->version = SG_STRUCTURE_VERSION;
    c->head->order = SG_STRUCTURE_ORDER;
    c->head->size = size;
    memcpy(c->head->source_sha256, c->dsd->source_sha256, 32);
    for (uint32_t s = 0; s < SG_SECTION_END; s++) {
        c->head->sections[s].at = (uint32_t)at[s];
        c->head->sections[s].count = c->counts[s];
        c->counts[s] = 0;
    }
    return SG_OK;
}
