// Constraints come later than the structure, and from others: they are added to
// what was compiled, since its source is not there any more.
#include "schemas/sdmx/structure_compiler.h"

#define NEW(arena, type) ((type *)sg_arena_take(arena, sizeof(type)))

// ---- back to what a message says -------------------------------------------------

static struct sg_model_value *
recall_texts(const struct sg_structure *s,
             const struct sg_constraint_values *from, struct sg_arena *arena)
{
    struct sg_model_value *first = NULL, **at = &first;
    for (uint32_t i = 0; i < from->count; i++) {
        struct sg_model_value *value = NEW(arena, struct sg_model_value);
        if (value == NULL)
            return NULL;
        value->text = sg_structure_constraint_value(s, from, i);
        *at = value;
        at = &value->next;
    }
    return first;
}

static struct sg_model_values *
recall_values(const struct sg_structure *s,
              const struct sg_constraint_values *from, struct sg_arena *arena)
{
    struct sg_model_values *values = NEW(arena, struct sg_model_values);
    if (values == NULL)
        return NULL;
    values->component = from->component;
    values->include = from->include;
    values->time_range = from->time_range;
    values->start_open = from->start_open;
    values->end_open = from->end_open;
    values->cascade = from->cascade;
    values->below_only = from->below_only;
    if (from->time_range) { // sg_structure_open saw that there are two
        values->start = sg_structure_constraint_value(s, from, 0);
        values->end = sg_structure_constraint_value(s, from, 1);
        return values;
    }
    values->values = recall_texts(s, from, arena);
    return values->values == NULL && from->count > 0 ? NULL : values;
}

static struct sg_model_part *
recall_part(const struct sg_structure *s, const struct sg_constraint_part *from,
            struct sg_arena *arena)
{
    struct sg_model_part *part = NEW(arena, struct sg_model_part);
    if (part == NULL)
        return NULL;
    part->key = from->key;
    part->include = from->include;
    struct sg_model_values **at = &part->values;
    for (uint32_t i = 0; i < from->count; i++) {
        struct sg_constraint_values values =
            sg_structure_constraint_values(s, from, i);
        *at = recall_values(s, &values, arena);
        if (*at == NULL)
            return NULL;
        at = &(*at)->next;
    }
    return part;
}

// "Dataflow=AGENCY:ID(VERSION)"
static bool
recall_target(const struct sg_constraint *from, struct sg_model_target *target)
{
    const uint8_t *at = from->target.len == 0
                            ? NULL
                            : memchr(from->target.ptr, '=', from->target.len);
    size_t len = at == NULL ? 0 : (size_t)(at - from->target.ptr);
    target->known = true;
    if (at == NULL ||
        !sg_structure_parse_ref(sg_slice_of(at + 1, from->target.len - len - 1),
                                &target->ref))
        return false;
    target->ref.class = sg_slice_of(from->target.ptr, len);
    return true;
}

static bool
is_same(const struct sg_constraint *a, const struct sg_constraint *b)
{
    return sg_slice_eq(a->agency, b->agency) && sg_slice_eq(a->id, b->id) &&
           sg_slice_eq(a->version, b->version) &&
           a->first_part == b->first_part;
}

// The constraint whose first row is at *index, which moves behind its last.
static struct sg_model_constraint *
recall(const struct sg_structure *s, uint32_t *index, struct sg_arena *arena)
{
    const struct sg_constraint *from = &s->constraints[*index];
    struct sg_model_constraint *k = NEW(arena, struct sg_model_constraint);
    if (k == NULL)
        return NULL;
    k->self = (struct sg_model_ref){
        .agency = from->agency, .id = from->id, .version = from->version};
    k->allowed = from->allowed;
    struct sg_model_part **part = &k->parts;
    for (uint32_t p = 0; p < from->parts; p++) {
        struct sg_constraint_part row =
            sg_structure_constraint_part(s, from, p);
        *part = recall_part(s, &row, arena);
        if (*part == NULL)
            return NULL;
        part = &(*part)->next;
    }
    struct sg_model_target **target = &k->targets;
    for (;
         *index < s->constraint_count && is_same(from, &s->constraints[*index]);
         ++*index) {
        *target = NEW(arena, struct sg_model_target);
        if (*target == NULL || !recall_target(&s->constraints[*index], *target))
            return NULL;
        target = &(*target)->next;
    }
    return k;
}

// ---- old beside new --------------------------------------------------------------

static bool
same_values(const struct sg_model_values *a, const struct sg_model_values *b)
{
    const struct sg_model_value *x = a->values, *y = b->values;
    while (x != NULL && y != NULL && sg_slice_eq(x->text, y->text)) {
        x = x->next;
        y = y->next;
    }
    return x == NULL && y == NULL && sg_slice_eq(a->component, b->component) &&
           a->include == b->include && a->time_range == b->time_range &&
           a->start_open == b->start_open && a->end_open == b->end_open &&
           a->cascade == b->cascade && a->below_only == b->below_only &&
           sg_slice_eq(a->start, b->start) && sg_slice_eq(a->end, b->end);
}

static bool
same_parts(const struct sg_model_part *a, const struct sg_model_part *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        const struct sg_model_values *x = a->values, *y = b->values;
        while (x != NULL && y != NULL && same_values(x, y)) {
            x = x->next;
            y = y->next;
        }
        if (x != NULL || y != NULL || a->key != b->key ||
            a->include != b->include)
            return false;
    }
    return a == NULL && b == NULL;
}

// Does every target of old hold in the new one too?
static bool
same_targets(const struct sg_model_constraint *old,
             const struct sg_model_constraint *now)
{
    for (const struct sg_model_target *o = old->targets; o; o = o->next) {
        const struct sg_model_target *n = now->targets;
        while (n != NULL && !(sg_slice_eq(n->ref.class, o->ref.class) &&
                              sg_slice_eq(n->ref.agency, o->ref.agency) &&
                              sg_slice_eq(n->ref.id, o->ref.id) &&
                              sg_slice_eq(n->ref.version, o->ref.version)))
            n = n->next;
        if (n == NULL)
            return false;
    }
    return true;
}

static const struct sg_model_constraint *
find(const struct sg_model *model, const struct sg_model_ref *self)
{
    const struct sg_model_constraint *k = model->constraints;
    while (k != NULL && !(sg_slice_eq(k->self.agency, self->agency) &&
                          sg_slice_eq(k->self.id, self->id) &&
                          sg_slice_eq(k->self.version, self->version)))
        k = k->next;
    return k;
}

// Puts the constraints of old before those of the model, but for those that the
// model has itself.
static enum sg_err
recall_all(const struct sg_structure *old, const struct sg_model *from,
           bool replace, struct sg_model *model, struct sg_diag *diag)
{
    for (uint32_t i = 0; i < old->constraint_count;) {
        struct sg_model_constraint *k = recall(old, &i, model->arena);
        if (k == NULL)
            return SG_ERR_FULL;
        const struct sg_model_constraint *now = find(from, &k->self);
        if (now == NULL) {
            k->next = model->constraints;
            model->constraints = k;
        } else if (!replace &&
                   (k->allowed != now->allowed || !same_targets(k, now) ||
                    !same_parts(k->parts, now->parts))) {
            sg_diag_set(diag, now->self.line, 0,
                        "constraint %.*s:%.*s(%.*s) is there with another "
                        "content; give it a new version, or replace it with "
                        "--replace",
                        SG_SLICE_ARG(k->self.agency), SG_SLICE_ARG(k->self.id),
                        SG_SLICE_ARG(k->self.version));
            return SG_ERR_EXISTS;
        }
    }
    return SG_OK;
}

// ---- the blob --------------------------------------------------------------------

static bool
is_of_constraints(enum sg_structure_section s)
{
    return s == SG_SECTION_CONSTRAINTS || s == SG_SECTION_PARTS ||
           s == SG_SECTION_VALUES || s == SG_SECTION_VALUE_TEXTS;
}

// Texts of constraints stand behind all others (structure_compile.c).
static uint32_t
texts_before(const struct sg_structure_head *head, const uint8_t *bytes)
{
    const struct sg_structure_constraint_row *rows =
        (const void *)(bytes + head->sections[SG_SECTION_CONSTRAINTS].at);
    uint32_t least = head->sections[SG_SECTION_TEXTS].count;
    for (uint32_t i = 0; i < head->sections[SG_SECTION_CONSTRAINTS].count; i++)
        least = rows[i].agency.at < least ? rows[i].agency.at : least;
    return least;
}

static enum sg_err
copy(struct sg_structure_compiler *c, const struct sg_structure *base)
{
    const uint8_t *bytes = base->blob.ptr;
    const struct sg_structure_head *head = (const void *)bytes;
    uint32_t texts = texts_before(head, bytes);
    for (uint32_t s = 0; s < SG_SECTION_TEXTS; s++)
        if (!is_of_constraints((enum sg_structure_section)s))
            c->counts[s] = head->sections[s].count;
    c->counts[SG_SECTION_TEXTS] = texts;
    sg_structure_want_constraints(c);
    enum sg_err err = sg_structure_lay_out(c);
    if (err != SG_OK)
        return err;
    for (uint32_t s = 0; s < SG_SECTION_TEXTS; s++)
        if (!is_of_constraints((enum sg_structure_section)s))
            memcpy(c->bytes + c->head->sections[s].at,
                   bytes + head->sections[s].at,
                   (size_t)head->sections[s].count *
                       sg_structure_record_size((enum sg_structure_section)s));
    memcpy(c->bytes + c->head->sections[SG_SECTION_TEXTS].at,
           bytes + head->sections[SG_SECTION_TEXTS].at, texts);
    c->texts_len = texts;
    c->head->agency = head->agency;
    c->head->id = head->id;
    c->head->structure_version = head->structure_version;
    c->head->urn = head->urn;
    return SG_OK;
}

enum sg_err
sg_structure_constrain(const struct sg_structure *base,
                       const struct sg_structure *old,
                       const struct sg_model *model, bool replace,
                       struct sg_arena *arena, struct sg_slice *blob,
                       struct sg_diag *diag)
{
    struct sg_structure_compiler *c = NEW(arena, struct sg_structure_compiler);
    struct sg_model *all = NEW(arena, struct sg_model);
    struct sg_model_dsd *dsd = NEW(arena, struct sg_model_dsd);
    if (c == NULL || all == NULL || dsd == NULL)
        return SG_ERR_FULL;
    *all = *model;
    all->arena = arena;
    // References to the structure find this one.
    dsd->self = (struct sg_model_ref){
        .agency = base->agency, .id = base->id, .version = base->version};
    memcpy(dsd->source_sha256, base->source_sha256, 32);
    dsd->next = all->dsds;
    all->dsds = dsd;
    c->model = all;
    c->base = base;
    c->dsd = dsd;
    c->arena = arena;
    c->diag = diag;
    enum sg_err err =
        old == NULL ? SG_OK : recall_all(old, model, replace, all, diag);
    if (err == SG_OK)
        err = sg_structure_find_constraints(c);
    if (err == SG_OK)
        err = copy(c, base);
    if (err != SG_OK)
        return err;
    sg_structure_fill_constraints(c);
    *blob = sg_slice_of(c->bytes, c->head->size);
    return SG_OK;
}
