#include "schemas/sdmx/structure_compiler.h"

// A code is found within this many places, or another seed is taken; a list
// for which no seed does it was made to collide.
#define PROBES_MAX 32u
#define SEEDS      16u

// ---- filling ---------------------------------------------------------------

// The next free record of a section.
static void *
put(struct sg_structure_compiler *c, enum sg_structure_section s)
{
    SG_ASSERT(c->counts[s] < c->head->sections[s].count);
    uint32_t at =
        c->head->sections[s].at + c->counts[s]++ * sg_structure_record_size(s);
    return c->bytes + at;
}

static struct sg_structure_text
put_text(struct sg_structure_compiler *c, struct sg_slice text)
{
    struct sg_structure_text out = {c->texts_len, (uint32_t)text.len};
    SG_ASSERT(text.len <=
              c->head->sections[SG_SECTION_TEXTS].count - c->texts_len);
    if (text.len > 0)
        memcpy(c->bytes + c->head->sections[SG_SECTION_TEXTS].at + out.at,
               text.ptr, text.len);
    c->texts_len += (uint32_t)text.len;
    return out;
}

// Appends to the text put last.
static void
put_more(struct sg_structure_compiler *c, struct sg_structure_text *to,
         struct sg_slice text)
{
    to->len += put_text(c, text).len;
}

static struct sg_structure_text
put_urn(struct sg_structure_compiler *c, struct sg_slice head,
        const struct sg_model_ref *ref)
{
    struct sg_structure_text out = put_text(c, head);
    put_more(c, &out, ref->agency);
    put_more(c, &out, SG_SLICE(":"));
    put_more(c, &out, ref->id);
    put_more(c, &out, SG_SLICE("("));
    put_more(c, &out, ref->version);
    put_more(c, &out, SG_SLICE(")"));
    return out;
}

// The mask of named dimensions.
static enum sg_err
mask_of(struct sg_structure_compiler *c, const struct sg_model_dim *dims,
        uint64_t *mask)
{
    *mask = 0;
    for (const struct sg_model_dim *d = dims; d != NULL; d = d->next) {
        int32_t at = sg_structure_compile_find(c, d->id);
        if (at < 0 || c->components[at]->kind > SG_KIND_TIME) {
            sg_diag_set(c->diag, d->line, 0,
                        "%.*s is no dimension of %.*s; name one that is",
                        SG_SLICE_ARG(d->id), SG_SLICE_ARG(c->dsd->self.id));
            return SG_ERR_NOT_FOUND;
        }
        *mask |= 1ull << at;
    }
    return SG_OK;
}

static enum sg_err
fill_groups(struct sg_structure_compiler *c)
{
    for (const struct sg_model_group *g = c->dsd->groups; g; g = g->next) {
        struct sg_structure_group_row *row = put(c, SG_SECTION_GROUPS);
        row->id = put_text(c, g->id);
        enum sg_err err = mask_of(c, g->dims, &row->dimensions);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

static int32_t
find_group(const struct sg_structure_compiler *c, struct sg_slice id,
           uint64_t *mask)
{
    int32_t index = 0;
    const struct sg_structure_group_row *rows =
        (const void *)(c->bytes + c->head->sections[SG_SECTION_GROUPS].at);
    for (const struct sg_model_group *g = c->dsd->groups; g; g = g->next) {
        if (sg_slice_eq(g->id, id)) {
            *mask = rows[index].dimensions;
            return index;
        }
        index++;
    }
    return -1;
}

// An attribute on every dimension with time belongs to the observation.
static enum sg_err
fill_attachment(struct sg_structure_compiler *c,
                const struct sg_model_component *from,
                struct sg_structure_component_row *row)
{
    row->group = -1;
    row->attach = (uint8_t)from->attach;
    if (from->kind != SG_KIND_ATTRIBUTE)
        row->attach = SG_ATTACH_NONE;
    else if (from->attach == SG_ATTACH_NONE)
        row->attach = SG_ATTACH_OBSERVATION;
    if (row->attach == SG_ATTACH_GROUP) {
        row->group = find_group(c, from->group, &row->dimensions);
        if (row->group >= 0)
            return SG_OK;
        sg_diag_set(c->diag, from->line, 0,
                    "attribute %.*s belongs to group %.*s, which %.*s does not "
                    "have; add the group",
                    SG_SLICE_ARG(from->id), SG_SLICE_ARG(from->group),
                    SG_SLICE_ARG(c->dsd->self.id));
        return SG_ERR_NOT_FOUND;
    }
    if (row->attach != SG_ATTACH_DIMENSIONS)
        return SG_OK;
    enum sg_err err = mask_of(c, from->dims, &row->dimensions);
    uint64_t all = (1ull << c->dimension_count) - 1;
    bool has_time = (row->dimensions & ~all) != 0;
    if (has_time && (row->dimensions & all) == all) {
        row->attach = SG_ATTACH_OBSERVATION;
        row->dimensions = 0;
    }
    return err;
}

static enum sg_err
fill_component(struct sg_structure_compiler *c, uint32_t i)
{
    const struct sg_model_component *from = c->components[i];
    const struct sg_model_representation *used = &c->used[i];
    const struct sg_facets *f = &used->facets;
    struct sg_structure_component_row *row = put(c, SG_SECTION_COMPONENTS);
    row->id = put_text(c, from->id);
    row->kind = (uint8_t)from->kind;
    row->type = (uint8_t)used->type;
    row->list = c->list_of[i];
    row->flags = (uint8_t)((from->mandatory ? SG_COMPONENT_MANDATORY : 0) |
                           (used->several ? SG_COMPONENT_SEVERAL : 0) |
                           (used->languages ? SG_COMPONENT_LANGUAGES : 0) |
                           (used->typed ? SG_COMPONENT_TYPED : 0) |
                           (f->is_sequence ? SG_COMPONENT_SEQUENCE : 0));
    row->pattern = put_text(c, f->pattern);
    row->min_value = put_text(c, f->min_value);
    row->max_value = put_text(c, f->max_value);
    row->start_value = put_text(c, f->start_value);
    row->end_value = put_text(c, f->end_value);
    row->interval = put_text(c, f->interval);
    row->start_time = put_text(c, f->start_time);
    row->end_time = put_text(c, f->end_time);
    row->time_interval = put_text(c, f->time_interval);
    row->min_length = f->min_length;
    row->max_length = f->max_length;
    row->decimals = f->decimals;
    return fill_attachment(c, from, row);
}

// ---- code lists ------------------------------------------------------------

// Puts the code into the table. 0: done; 1: too far from its place; 2: there.
static int
place_code(struct sg_code_slot *slots, uint32_t mask, uint64_t seed,
           struct sg_slice code, uint32_t ordinal, const struct sg_slice *codes)
{
    struct sg_code_slot slot = {
        .head = sg_structure_load(code.ptr, code.len),
        .tail = sg_structure_tail(code),
        .ordinal_1 = ordinal + 1,
        .len = (uint32_t)code.len,
    };
    uint64_t at = sg_structure_hash(slot.head, slot.tail, code.len, seed);
    for (uint32_t probes = 0; probes < PROBES_MAX; probes++, at++) {
        struct sg_code_slot *to = &slots[at & mask];
        if (to->ordinal_1 == 0) {
            *to = slot;
            return 0;
        }
        if (sg_slice_eq(codes[to->ordinal_1 - 1], code))
            return 2;
    }
    return 1;
}

static enum sg_err
fill_slots(struct sg_structure_compiler *c, const struct sg_model_list *list,
           struct sg_structure_list_row *row)
{
    struct sg_slice *codes =
        sg_arena_take(c->arena, sizeof *codes * (list->count + 1));
    if (codes == NULL)
        return sg_structure_compile_full(c, "too many codes");
    uint32_t n = 0;
    for (const struct sg_model_code *at = list->codes; at; at = at->next)
        codes[n++] = at->id;
    row->first_slot = c->counts[SG_SECTION_SLOTS];
    row->slots = sg_structure_slots_for(n);
    c->counts[SG_SECTION_SLOTS] += row->slots;
    struct sg_code_slot *slots =
        (struct sg_code_slot *)(void *)(c->bytes +
                                        c->head->sections[SG_SECTION_SLOTS].at);
    slots += row->first_slot;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        row->seed = seed * 0xa0761d6478bd642full;
        memset(slots, 0, sizeof *slots * row->slots);
        int how = 0;
        uint32_t i = 0;
        for (; i < n && how == 0; i++)
            how = place_code(slots, row->slots - 1, row->seed, codes[i], i,
                             codes);
        if (how == 0)
            return SG_OK;
        if (how != 2)
            continue;
        sg_diag_set(c->diag, list->self.line, 0,
                    "code %.*s is twice in code list %.*s; remove one",
                    SG_SLICE_ARG(codes[i - 1]), SG_SLICE_ARG(list->self.id));
        return SG_ERR_SYNTAX;
    }
    return sg_structure_compile_full(c, "a code list made to collide");
}

static void
fill_code(struct sg_structure_compiler *c, const struct sg_model_code *code)
{
    struct sg_structure_code_row *row = put(c, SG_SECTION_CODES);
    row->text = put_text(c, code->id);
    row->first_name = c->counts[SG_SECTION_NAMES];
    for (const struct sg_model_text *n = code->names; n; n = n->next) {
        struct sg_structure_pair_row *pair = put(c, SG_SECTION_NAMES);
        pair->key = put_text(c, n->language);
        pair->text = put_text(c, n->text);
        row->names++;
    }
    row->first_note = c->counts[SG_SECTION_NOTES];
    for (const struct sg_model_note *n = code->notes; n; n = n->next) {
        struct sg_structure_pair_row *pair = put(c, SG_SECTION_NOTES);
        pair->key = put_text(c, n->type);
        pair->text = put_text(c, n->text);
        row->notes++;
    }
}

// Parents that are not in the list stay out: a partial list may lack them.
static void
fill_parents(struct sg_structure_compiler *c, const struct sg_model_list *list,
             const struct sg_structure_list_row *row)
{
    struct sg_structure_code_row *rows =
        (struct sg_structure_code_row
             *)(void *)(c->bytes + c->head->sections[SG_SECTION_CODES].at);
    const struct sg_code_slot *slots =
        (const struct sg_code_slot
             *)(const void *)(c->bytes +
                              c->head->sections[SG_SECTION_SLOTS].at);
    struct sg_structure view = {
        .texts = c->bytes + c->head->sections[SG_SECTION_TEXTS].at,
        .texts_len = c->head->sections[SG_SECTION_TEXTS].count,
    };
    const struct sg_code_list table = {
        .count = row->codes,
        .slots = slots + row->first_slot,
        .mask = row->slots - 1,
        .seed = row->seed,
        .rows = rows + row->first_code,
    };
    struct sg_structure_code_row *to = rows + row->first_code;
    for (const struct sg_model_code *at = list->codes; at; at = at->next, to++)
        to->parent = at->parent.len == 0
                         ? -1
                         : sg_structure_list_code(&view, &table, at->parent);
}

static enum sg_err
fill_list(struct sg_structure_compiler *c, const struct sg_model_list *list)
{
    struct sg_structure_list_row *row = put(c, SG_SECTION_LISTS);
    row->agency = put_text(c, list->self.agency);
    row->id = put_text(c, list->self.id);
    row->version = put_text(c, list->self.version);
    row->first_code = c->counts[SG_SECTION_CODES];
    row->codes = list->count;
    for (const struct sg_model_code *at = list->codes; at; at = at->next)
        fill_code(c, at);
    enum sg_err err = fill_slots(c, list, row);
    if (err == SG_OK)
        fill_parents(c, list, row);
    return err;
}

// ---- constraints, flows ----------------------------------------------------

static void
fill_values(struct sg_structure_compiler *c, const struct sg_model_values *v)
{
    struct sg_structure_values_row *row = put(c, SG_SECTION_VALUES);
    row->component = put_text(c, v->component);
    row->include = v->include;
    row->flags = (v->time_range ? SG_VALUES_TIME_RANGE : 0u) |
                 (v->start_open ? SG_VALUES_START_OPEN : 0u) |
                 (v->end_open ? SG_VALUES_END_OPEN : 0u) |
                 (v->cascade ? SG_VALUES_CASCADE : 0u) |
                 (v->below_only ? SG_VALUES_BELOW_ONLY : 0u);
    row->first = c->counts[SG_SECTION_VALUE_TEXTS];
    if (v->time_range) {
        struct sg_structure_text *range = put(c, SG_SECTION_VALUE_TEXTS);
        range[0] = put_text(c, v->start);
        range = put(c, SG_SECTION_VALUE_TEXTS);
        range[0] = put_text(c, v->end);
        row->count = 2;
    }
    for (const struct sg_model_value *t = v->values; t; t = t->next) {
        struct sg_structure_text *text = put(c, SG_SECTION_VALUE_TEXTS);
        *text = put_text(c, t->text);
        row->count++;
    }
}

static void
fill_parts(struct sg_structure_compiler *c, const struct sg_model_constraint *k)
{
    for (const struct sg_model_part *p = k->parts; p; p = p->next) {
        struct sg_structure_part_row *part = put(c, SG_SECTION_PARTS);
        part->key = p->key;
        part->include = p->include;
        part->first = c->counts[SG_SECTION_VALUES];
        for (const struct sg_model_values *v = p->values; v; v = v->next) {
            fill_values(c, v);
            part->count++;
        }
    }
}

// One row for each thing that it stands on; they share the parts.
static void
fill_constraint(struct sg_structure_compiler *c,
                const struct sg_model_constraint *k)
{
    uint32_t first_part = c->counts[SG_SECTION_PARTS];
    bool filled = false;
    for (const struct sg_model_target *t = k->targets; t; t = t->next) {
        if (!sg_structure_compile_holds(c, t))
            continue;
        struct sg_structure_constraint_row *row =
            put(c, SG_SECTION_CONSTRAINTS);
        row->agency = put_text(c, k->self.agency);
        row->id = put_text(c, k->self.id);
        row->version = put_text(c, k->self.version);
        row->target = put_text(c, t->ref.class);
        put_more(c, &row->target, SG_SLICE("="));
        struct sg_structure_text rest =
            put_urn(c, (struct sg_slice){0}, &t->ref);
        row->target.len += rest.len;
        row->allowed = k->allowed;
        row->first_part = first_part;
        if (!filled)
            fill_parts(c, k);
        filled = true;
        row->parts = c->counts[SG_SECTION_PARTS] - first_part;
    }
}

void
sg_structure_fill_constraints(struct sg_structure_compiler *c)
{
    for (uint32_t i = 0; i < c->constraint_count; i++)
        fill_constraint(c, c->constraints[i]);
}

static enum sg_err
fill(struct sg_structure_compiler *c)
{
    const struct sg_model_ref *self = &c->dsd->self;
    c->head->agency = put_text(c, self->agency);
    c->head->id = put_text(c, self->id);
    c->head->structure_version = put_text(c, self->version);
    c->head->urn = put_urn(c, SG_SLICE(SG_STRUCTURE_URN_HEAD), self);
    enum sg_err err = fill_groups(c);
    for (uint32_t i = 0; i < c->component_count && err == SG_OK; i++)
        err = fill_component(c, i);
    for (uint32_t l = 0; l < c->list_count && err == SG_OK; l++)
        err = fill_list(c, c->lists[l]);
    if (err != SG_OK)
        return err;
    for (const struct sg_model_flow *f = c->model->flows; f; f = f->next) {
        if (!sg_structure_compile_uses(c, f))
            continue;
        struct sg_structure_flow_row *row = put(c, SG_SECTION_FLOWS);
        row->agency = put_text(c, f->self.agency);
        row->id = put_text(c, f->self.id);
        row->version = put_text(c, f->self.version);
    }
    sg_structure_fill_constraints(c);
    return SG_OK;
}

enum sg_err
sg_structure_compile(const struct sg_model *model,
                     const struct sg_model_dsd *dsd, struct sg_arena *arena,
                     struct sg_slice *blob, struct sg_diag *diag)
{
    struct sg_structure_compiler *c = sg_arena_take(arena, sizeof *c);
    if (c == NULL)
        return SG_ERR_FULL;
    c->model = model;
    c->dsd = dsd;
    c->arena = arena;
    c->diag = diag;
    enum sg_err err = sg_structure_resolve(c);
    if (err == SG_OK)
        err = sg_structure_make_room(c);
    if (err == SG_OK)
        err = fill(c);
    if (err == SG_OK)
        *blob = sg_slice_of(c->bytes, c->head->size);
    return err;
}
