#include "schemas/sdmx/structure_compile.h"

#include "broker/base/limits.h"
#include "schemas/sdmx/structure_blob.h"

// A code is found within this many places, or another seed is taken; a list
// for which no seed does it was made to collide.
#define PROBES_MAX 32u
#define SEEDS      16u
#define DIMS_MAX   63u // bits of a mask, and time
#define URN_HEAD   "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure="

struct compiler {
    const struct sg_model *model;
    const struct sg_model_dsd *dsd;
    struct sg_arena *arena;
    struct sg_diag *diag;
    // Components in canonical order, and the code lists they use, in order of
    // first use.
    const struct sg_model_component *components[SG_LIMIT_COMPONENTS];
    struct sg_model_representation used[SG_LIMIT_COMPONENTS];
    int32_t list_of[SG_LIMIT_COMPONENTS];
    const struct sg_model_list *lists[SG_LIMIT_COMPONENTS];
    uint32_t component_count, list_count, dimension_count;
    // The blob.
    uint8_t *bytes;
    struct sg_structure_head *head;
    uint32_t counts[SG_SECTION_END]; // wanted, then (again from 0) filled
    uint32_t texts_len;
};

static const uint32_t record_size[SG_SECTION_END] = {
    [SG_SECTION_COMPONENTS] = sizeof(struct sg_structure_component_row),
    [SG_SECTION_LISTS] = sizeof(struct sg_structure_list_row),
    [SG_SECTION_GROUPS] = sizeof(struct sg_structure_group_row),
    [SG_SECTION_FLOWS] = sizeof(struct sg_structure_flow_row),
    [SG_SECTION_CONSTRAINTS] = sizeof(struct sg_structure_constraint_row),
    [SG_SECTION_PARTS] = sizeof(struct sg_structure_part_row),
    [SG_SECTION_VALUES] = sizeof(struct sg_structure_values_row),
    [SG_SECTION_VALUE_TEXTS] = sizeof(struct sg_structure_text),
    [SG_SECTION_CODES] = sizeof(struct sg_structure_code_row),
    [SG_SECTION_SLOTS] = sizeof(struct sg_code_slot),
    [SG_SECTION_NAMES] = sizeof(struct sg_structure_pair_row),
    [SG_SECTION_NOTES] = sizeof(struct sg_structure_pair_row),
    [SG_SECTION_TEXTS] = 1,
};

static enum sg_err
full(struct compiler *c, const char *what)
{
    sg_diag_set(c->diag, c->dsd->self.line, 0,
                "data structure %.*s has %s; split it",
                SG_SLICE_ARG(c->dsd->self.id), what);
    return SG_ERR_FULL;
}

// ---- order and references --------------------------------------------------

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
order_components(struct compiler *c)
{
    for (const struct sg_model_component *at = c->dsd->components; at != NULL;
         at = at->next) {
        if (c->component_count == SG_LIMIT_COMPONENTS)
            return full(c, "too many components");
        uint32_t to = c->component_count++;
        for (; to > 0 && comes_before(at, c->components[to - 1]); to--)
            c->components[to] = c->components[to - 1];
        c->components[to] = at;
        c->dimension_count += at->kind == SG_KIND_DIMENSION;
    }
    if (c->dimension_count > DIMS_MAX)
        return full(c, "more than 63 dimensions");
    if (c->dimension_count > 0)
        return SG_OK;
    sg_diag_set(c->diag, c->dsd->self.line, 0,
                "data structure %.*s has no dimension; add its DimensionList",
                SG_SLICE_ARG(c->dsd->self.id));
    return SG_ERR_SYNTAX;
}

static enum sg_err
check_ids(struct compiler *c)
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

static int32_t
find_component(const struct compiler *c, struct sg_slice id)
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        if (sg_slice_eq(c->components[i]->id, id))
            return (int32_t)i;
    }
    return -1;
}

// LocalRepresentation, else the concept's CoreRepresentation, else none.
static void
choose_representation(struct compiler *c, uint32_t i)
{
    const struct sg_model_component *component = c->components[i];
    struct sg_model_representation none = {
        .facets = {.min_length = -1, .max_length = -1, .decimals = -1},
    };
    const struct sg_model_concept *concept = NULL;
    if (!component->local.given && component->concept.line != 0)
    concept = sg_structure_model_concept(c->model, &component->concept);
    if (component->local.given)
        c->used[i] = component->local;
    else if (concept != NULL && concept->core.given)
    c->used[i] = concept->core;
    else c->used[i] = none;
    if (c->used[i].typed)
        return;
    if (component->kind == SG_KIND_TIME)
        c->used[i].type = SG_TYPE_OBSERVATIONAL_TIME;
    else if (component->kind == SG_KIND_MEASURE)
        c->used[i].type = SG_TYPE_DOUBLE;
}

static enum sg_err
missing_list(struct compiler *c, const struct sg_model_component *component,
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
find_list(struct compiler *c, uint32_t i)
{
    const struct sg_model_ref *ref = &c->used[i].list;
    c->list_of[i] = -1;
    if (ref->line == 0)
        return SG_OK;
    const struct sg_model_list *list = sg_structure_model_list(c->model, ref);
    if (list == NULL)
        return missing_list(c, c->components[i], ref,
                            "is not there; add it to the message (registries: "
                            "references=children)");
    if (list->extended)
        return missing_list(c, c->components[i], ref,
                            "takes codes from other lists; export it whole");
    for (uint32_t l = 0; l < c->list_count; l++) {
        if (c->lists[l] == list)
            c->list_of[i] = (int32_t)l;
    }
    if (c->list_of[i] < 0) {
        c->list_of[i] = (int32_t)c->list_count;
        c->lists[c->list_count++] = list;
    }
    return SG_OK;
}

static enum sg_err
resolve_components(struct compiler *c)
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        choose_representation(c, i);
        enum sg_err err = find_list(c, i);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

// Does the constraint stand on this structure, a dataflow of it, or an
// agreement on such a dataflow?
static const struct sg_model_ref *
constraint_target(const struct compiler *c,
                  const struct sg_model_constraint *constraint)
{
    for (const struct sg_model_target *t = constraint->targets; t != NULL;
         t = t->next) {
        const struct sg_model_ref *structure = NULL;
        const struct sg_model_flow *flow = NULL;
        if (sg_slice_eq(t->ref.class, SG_SLICE("DataStructure"))) {
            structure = &t->ref;
        } else if (sg_slice_eq(t->ref.class, SG_SLICE("Dataflow"))) {
            flow = sg_structure_model_flow(c->model, &t->ref);
        } else {
            const struct sg_model_agreement *agreement =
                sg_structure_model_agreement(c->model, &t->ref);
            if (agreement != NULL)
                flow = sg_structure_model_flow(c->model, &agreement->flow);
        }
        if (flow != NULL)
            structure = &flow->structure;
        if (structure != NULL &&
            sg_structure_model_dsd(c->model, structure) == c->dsd)
            return &t->ref;
    }
    return NULL;
}

// ---- sizes -----------------------------------------------------------------

static void
want(struct compiler *c, enum sg_structure_section section, uint32_t count)
{
    c->counts[section] += count;
}

static void
want_text(struct compiler *c, struct sg_slice text)
{
    c->counts[SG_SECTION_TEXTS] += (uint32_t)text.len;
}

static void
want_ref(struct compiler *c, const struct sg_model_ref *ref)
{
    want_text(c, ref->agency);
    want_text(c, ref->id);
    want_text(c, ref->version);
}

static uint32_t
slots_for(uint32_t codes)
{
    uint32_t slots = 4;
    while (slots < 2 * codes + 2)
        slots *= 2;
    return slots;
}

static void
want_list(struct compiler *c, const struct sg_model_list *list)
{
    want(c, SG_SECTION_LISTS, 1);
    want(c, SG_SECTION_CODES, list->count);
    want(c, SG_SECTION_SLOTS, slots_for(list->count));
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
want_constraint(struct compiler *c, const struct sg_model_constraint *k)
{
    const struct sg_model_ref *target = constraint_target(c, k);
    if (target == NULL)
        return;
    want(c, SG_SECTION_CONSTRAINTS, 1);
    want_ref(c, &k->self);
    want_ref(c, target);
    want(c, SG_SECTION_TEXTS, 4); // "=:()" of the target
    want_text(c, target->class);
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
want_components(struct compiler *c)
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

static bool
is_flow_of(const struct compiler *c, const struct sg_model_flow *flow)
{
    return flow->structure.line != 0 &&
           sg_structure_model_dsd(c->model, &flow->structure) == c->dsd;
}

static enum sg_err
make_room(struct compiler *c)
{
    want_ref(c, &c->dsd->self);
    want_ref(c, &c->dsd->self); // once more in the URN
    want(c, SG_SECTION_TEXTS, sizeof(URN_HEAD ":()") - 1);
    want_components(c);
    for (uint32_t l = 0; l < c->list_count; l++)
        want_list(c, c->lists[l]);
    for (const struct sg_model_flow *f = c->model->flows; f; f = f->next) {
        if (!is_flow_of(c, f))
            continue;
        want(c, SG_SECTION_FLOWS, 1);
        want_ref(c, &f->self);
    }
    for (const struct sg_model_constraint *k = c->model->constraints; k;
         k = k->next)
        want_constraint(c, k);

    uint64_t at[SG_SECTION_END];
    uint64_t size = sizeof *c->head;
    for (uint32_t s = 0; s < SG_SECTION_END; s++) {
        at[s] = size;
        size += ((uint64_t)c->counts[s] * record_size[s] + 7) / 8 * 8;
    }
    c->bytes = size > UINT32_MAX ? NULL : sg_arena_take(c->arena, size);
    if (c->bytes == NULL)
        return full(c, "too many codes and texts");
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

// ---- filling ---------------------------------------------------------------

// The next free record of a section.
static void *
put(struct compiler *c, enum sg_structure_section s)
{
    SG_ASSERT(c->counts[s] < c->head->sections[s].count);
    uint32_t at = c->head->sections[s].at + c->counts[s]++ * record_size[s];
    return c->bytes + at;
}

static struct sg_structure_text
put_text(struct compiler *c, struct sg_slice text)
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
put_more(struct compiler *c, struct sg_structure_text *to, struct sg_slice text)
{
    to->len += put_text(c, text).len;
}

static struct sg_structure_text
put_urn(struct compiler *c, struct sg_slice head,
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
mask_of(struct compiler *c, const struct sg_model_dim *dims, uint64_t *mask)
{
    *mask = 0;
    for (const struct sg_model_dim *d = dims; d != NULL; d = d->next) {
        int32_t at = find_component(c, d->id);
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
fill_groups(struct compiler *c)
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
find_group(const struct compiler *c, struct sg_slice id, uint64_t *mask)
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
fill_attachment(struct compiler *c, const struct sg_model_component *from,
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
fill_component(struct compiler *c, uint32_t i)
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
        .ordinal_1 = ordinal + 1,
        .len = (uint32_t)code.len,
    };
    if (code.len > 8)
        memcpy(&slot.tail, code.ptr + code.len - 8, 8);
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
fill_slots(struct compiler *c, const struct sg_model_list *list,
           struct sg_structure_list_row *row)
{
    struct sg_slice *codes =
        sg_arena_take(c->arena, sizeof *codes * (list->count + 1));
    if (codes == NULL)
        return full(c, "too many codes");
    uint32_t n = 0;
    for (const struct sg_model_code *at = list->codes; at; at = at->next)
        codes[n++] = at->id;
    row->first_slot = c->counts[SG_SECTION_SLOTS];
    row->slots = slots_for(n);
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
    return full(c, "a code list made to collide");
}

static void
fill_code(struct compiler *c, const struct sg_model_code *code)
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
fill_parents(struct compiler *c, const struct sg_model_list *list,
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
fill_list(struct compiler *c, const struct sg_model_list *list)
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
fill_values(struct compiler *c, const struct sg_model_values *v)
{
    struct sg_structure_values_row *row = put(c, SG_SECTION_VALUES);
    row->component = put_text(c, v->component);
    row->include = v->include;
    row->time_range = v->time_range;
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
fill_constraint(struct compiler *c, const struct sg_model_constraint *k)
{
    const struct sg_model_ref *target = constraint_target(c, k);
    if (target == NULL)
        return;
    struct sg_structure_constraint_row *row = put(c, SG_SECTION_CONSTRAINTS);
    row->agency = put_text(c, k->self.agency);
    row->id = put_text(c, k->self.id);
    row->version = put_text(c, k->self.version);
    row->target = put_text(c, target->class);
    put_more(c, &row->target, SG_SLICE("="));
    struct sg_structure_text rest = put_urn(c, (struct sg_slice){0}, target);
    row->target.len += rest.len;
    row->allowed = k->allowed;
    row->first_part = c->counts[SG_SECTION_PARTS];
    for (const struct sg_model_part *p = k->parts; p; p = p->next) {
        struct sg_structure_part_row *part = put(c, SG_SECTION_PARTS);
        part->key = p->key;
        part->include = p->include;
        part->first = c->counts[SG_SECTION_VALUES];
        for (const struct sg_model_values *v = p->values; v; v = v->next) {
            fill_values(c, v);
            part->count++;
        }
        row->parts++;
    }
}

static enum sg_err
fill(struct compiler *c)
{
    const struct sg_model_ref *self = &c->dsd->self;
    c->head->agency = put_text(c, self->agency);
    c->head->id = put_text(c, self->id);
    c->head->structure_version = put_text(c, self->version);
    c->head->urn = put_urn(c, SG_SLICE(URN_HEAD), self);
    enum sg_err err = fill_groups(c);
    for (uint32_t i = 0; i < c->component_count && err == SG_OK; i++)
        err = fill_component(c, i);
    for (uint32_t l = 0; l < c->list_count && err == SG_OK; l++)
        err = fill_list(c, c->lists[l]);
    if (err != SG_OK)
        return err;
    for (const struct sg_model_flow *f = c->model->flows; f; f = f->next) {
        if (!is_flow_of(c, f))
            continue;
        struct sg_structure_flow_row *row = put(c, SG_SECTION_FLOWS);
        row->agency = put_text(c, f->self.agency);
        row->id = put_text(c, f->self.id);
        row->version = put_text(c, f->self.version);
    }
    for (const struct sg_model_constraint *k = c->model->constraints; k;
         k = k->next)
        fill_constraint(c, k);
    return SG_OK;
}

enum sg_err
sg_structure_compile(const struct sg_model *model,
                     const struct sg_model_dsd *dsd, struct sg_arena *arena,
                     struct sg_slice *blob, struct sg_diag *diag)
{
    struct compiler *c = sg_arena_take(arena, sizeof *c);
    if (c == NULL)
        return SG_ERR_FULL;
    c->model = model;
    c->dsd = dsd;
    c->arena = arena;
    c->diag = diag;
    enum sg_err err = order_components(c);
    if (err == SG_OK)
        err = check_ids(c);
    if (err == SG_OK)
        err = resolve_components(c);
    if (err == SG_OK)
        err = make_room(c);
    if (err == SG_OK)
        err = fill(c);
    if (err == SG_OK)
        *blob = sg_slice_of(c->bytes, c->head->size);
    return err;
}
