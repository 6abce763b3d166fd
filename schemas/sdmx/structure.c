#include "schemas/sdmx/structure.h"

#include "broker/base/crypto.h"
#include "schemas/sdmx/structure_compiler.h"

struct sg_structure_sections {
    const struct sg_structure_head *head;
    const struct sg_structure_pair_row *names, *notes;
    const struct sg_structure_part_row *parts;
    const struct sg_structure_values_row *values;
    const struct sg_structure_text *value_texts;
};

// ---- opening ---------------------------------------------------------------

struct opener {
    struct sg_structure *view;
    struct sg_structure_sections *sections;
    const uint8_t *bytes;
    const struct sg_structure_head *head;
    struct sg_arena *arena;
};

static bool
in_section(const struct opener *o, enum sg_structure_section s, uint32_t first,
           uint32_t count)
{
    uint32_t all = o->head->sections[s].count;
    return first <= all && count <= all - first;
}

static bool
text_fits(const struct opener *o, struct sg_structure_text text)
{
    return in_section(o, SG_SECTION_TEXTS, text.at, text.len);
}

// A text known to fit.
static struct sg_slice
slice_of(const struct sg_structure *s, struct sg_structure_text text)
{
    if (text.len == 0)
        return (struct sg_slice){0};
    return sg_slice_of(s->texts + text.at, text.len);
}

// Sets *out to the text; false: it does not fit.
static bool
take_text(const struct opener *o, struct sg_structure_text text,
          struct sg_slice *out)
{
    if (!text_fits(o, text))
        return false;
    *out = slice_of(o->view, text);
    return true;
}

static const void *
section(const struct opener *o, enum sg_structure_section s)
{
    return o->bytes + o->head->sections[s].at;
}

static bool
check_sections(const struct opener *o, size_t len)
{
    uint64_t at = sizeof *o->head;
    for (uint32_t s = 0; s < SG_SECTION_END; s++) {
        if (o->head->sections[s].at != at)
            return false;
        at += ((uint64_t)o->head->sections[s].count *
                   sg_structure_record_size(s) +
               7) /
              8 * 8;
    }
    return at == len;
}

static bool
open_component(const struct opener *o,
               const struct sg_structure_component_row *row,
               struct sg_component *to)
{
    struct sg_facets *f = &to->facets;
    *to = (struct sg_component){
        .kind = (enum sg_component_kind)row->kind,
        .type = (enum sg_type)row->type,
        .typed = (row->flags & SG_COMPONENT_TYPED) != 0,
        .mandatory = (row->flags & SG_COMPONENT_MANDATORY) != 0,
        .several = (row->flags & SG_COMPONENT_SEVERAL) != 0,
        .languages = (row->flags & SG_COMPONENT_LANGUAGES) != 0,
        .attach = (enum sg_attach)row->attach,
        .dimensions = row->dimensions,
        .group = row->group,
        .list = row->list,
        .facets = {.min_length = row->min_length,
                   .max_length = row->max_length,
                   .decimals = row->decimals,
                   .is_sequence = (row->flags & SG_COMPONENT_SEQUENCE) != 0},
    };
    return row->kind <= SG_KIND_ATTRIBUTE && row->type < SG_TYPE_TABLE_END &&
           row->attach <= SG_ATTACH_OBSERVATION && row->group >= -1 &&
           row->group < (int64_t)o->head->sections[SG_SECTION_GROUPS].count &&
           row->list >= -1 &&
           row->list < (int64_t)o->head->sections[SG_SECTION_LISTS].count &&
           (row->attach != SG_ATTACH_GROUP || row->group >= 0) &&
           row->id.len > 0 && take_text(o, row->id, &to->id) &&
           take_text(o, row->pattern, &f->pattern) &&
           take_text(o, row->min_value, &f->min_value) &&
           take_text(o, row->max_value, &f->max_value) &&
           take_text(o, row->start_value, &f->start_value) &&
           take_text(o, row->end_value, &f->end_value) &&
           take_text(o, row->interval, &f->interval) &&
           take_text(o, row->start_time, &f->start_time) &&
           take_text(o, row->end_time, &f->end_time) &&
           take_text(o, row->time_interval, &f->time_interval);
}

// Kinds ascend, at least one dimension, at most one time.
static enum sg_err
open_components(const struct opener *o)
{
    struct sg_structure *s = o->view;
    const struct sg_structure_component_row *rows =
        section(o, SG_SECTION_COMPONENTS);
    uint32_t count = o->head->sections[SG_SECTION_COMPONENTS].count;
    if (count == 0 || count > SG_LIMIT_COMPONENTS)
        return SG_ERR_FORMAT;
    struct sg_component *to = sg_arena_take(o->arena, sizeof *to * count);
    if (to == NULL)
        return SG_ERR_FULL;
    s->components = to;
    s->component_count = count;
    s->time = s->measure = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (!open_component(o, &rows[i], &to[i]) ||
            (i > 0 && to[i].kind < to[i - 1].kind) ||
            (i > 0 && to[i].kind == SG_KIND_TIME &&
             to[i - 1].kind == SG_KIND_TIME))
            return SG_ERR_FORMAT;
        s->dimension_count += to[i].kind == SG_KIND_DIMENSION;
        if (to[i].kind == SG_KIND_TIME)
            s->time = (int32_t)i;
        if (to[i].kind == SG_KIND_MEASURE && s->measure < 0)
            s->measure = (int32_t)i;
    }
    uint32_t keys = s->dimension_count + (s->time >= 0);
    if (s->dimension_count == 0 || keys > 64)
        return SG_ERR_FORMAT;
    for (uint32_t i = 0; i < count; i++) {
        if (keys < 64 && to[i].dimensions >> keys != 0)
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static bool
check_codes(const struct opener *o)
{
    const struct sg_structure_code_row *rows = section(o, SG_SECTION_CODES);
    uint32_t count = o->head->sections[SG_SECTION_CODES].count;
    for (uint32_t i = 0; i < count; i++) {
        if (!text_fits(o, rows[i].text) || rows[i].text.len == 0 ||
            !in_section(o, SG_SECTION_NAMES, rows[i].first_name,
                        rows[i].names) ||
            !in_section(o, SG_SECTION_NOTES, rows[i].first_note, rows[i].notes))
            return false;
    }
    return true;
}

static bool
check_pairs(const struct opener *o, enum sg_structure_section which)
{
    const struct sg_structure_pair_row *rows = section(o, which);
    for (uint32_t i = 0; i < o->head->sections[which].count; i++) {
        if (!text_fits(o, rows[i].key) || !text_fits(o, rows[i].text))
            return false;
    }
    return true;
}

// Every code is found where it is looked for, and nothing else is in the
// table; so at least half of it is empty and every search ends.
static bool
check_table(const struct opener *o, const struct sg_code_list *list)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i <= list->mask; i++) {
        if (list->slots[i].ordinal_1 > list->count)
            return false;
        used += list->slots[i].ordinal_1 != 0;
    }
    if (used != list->count)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->rows[i].parent < -1 ||
            list->rows[i].parent >= (int64_t)list->count ||
            sg_structure_list_code(o->view, list,
                                   slice_of(o->view, list->rows[i].text)) !=
                (int32_t)i)
            return false;
    }
    return true;
}

static enum sg_err
open_lists(const struct opener *o)
{
    const struct sg_structure_list_row *rows = section(o, SG_SECTION_LISTS);
    const struct sg_structure_code_row *codes = section(o, SG_SECTION_CODES);
    const struct sg_code_slot *slots = section(o, SG_SECTION_SLOTS);
    uint32_t count = o->head->sections[SG_SECTION_LISTS].count;
    struct sg_code_list *to = sg_arena_take(o->arena, sizeof *to * (count + 1));
    if (to == NULL)
        return SG_ERR_FULL;
    o->view->lists = to;
    o->view->list_count = count;
    if (!check_codes(o))
        return SG_ERR_FORMAT;
    for (uint32_t i = 0; i < count; i++) {
        const struct sg_structure_list_row *row = &rows[i];
        if (!take_text(o, row->agency, &to[i].agency) ||
            !take_text(o, row->id, &to[i].id) ||
            !take_text(o, row->version, &to[i].version) ||
            !in_section(o, SG_SECTION_CODES, row->first_code, row->codes) ||
            !in_section(o, SG_SECTION_SLOTS, row->first_slot, row->slots) ||
            row->slots == 0 || (row->slots & (row->slots - 1)) != 0 ||
            row->codes > row->slots / 2)
            return SG_ERR_FORMAT;
        to[i].count = row->codes;
        to[i].slots = slots + row->first_slot;
        to[i].mask = row->slots - 1;
        to[i].seed = row->seed;
        to[i].rows = codes + row->first_code;
        if (!check_table(o, &to[i]))
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static enum sg_err
open_groups(const struct opener *o)
{
    const struct sg_structure_group_row *rows = section(o, SG_SECTION_GROUPS);
    uint32_t count = o->head->sections[SG_SECTION_GROUPS].count;
    struct sg_group *to = sg_arena_take(o->arena, sizeof *to * (count + 1));
    if (to == NULL)
        return SG_ERR_FULL;
    o->view->groups = to;
    o->view->group_count = count;
    uint32_t keys = o->view->dimension_count + (o->view->time >= 0);
    for (uint32_t i = 0; i < count; i++) {
        to[i].dimensions = rows[i].dimensions;
        if (!take_text(o, rows[i].id, &to[i].id) ||
            (keys < 64 && rows[i].dimensions >> keys != 0))
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static enum sg_err
open_flows(const struct opener *o)
{
    const struct sg_structure_flow_row *rows = section(o, SG_SECTION_FLOWS);
    uint32_t count = o->head->sections[SG_SECTION_FLOWS].count;
    struct sg_flow_ref *to = sg_arena_take(o->arena, sizeof *to * (count + 1));
    if (to == NULL)
        return SG_ERR_FULL;
    o->view->flows = to;
    o->view->flow_count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_text(o, rows[i].agency, &to[i].agency) ||
            !take_text(o, rows[i].id, &to[i].id) ||
            !take_text(o, rows[i].version, &to[i].version))
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static bool
check_parts(const struct opener *o)
{
    const struct sg_structure_part_row *parts = section(o, SG_SECTION_PARTS);
    for (uint32_t i = 0; i < o->head->sections[SG_SECTION_PARTS].count; i++) {
        if (!in_section(o, SG_SECTION_VALUES, parts[i].first, parts[i].count))
            return false;
    }
    const struct sg_structure_values_row *values =
        section(o, SG_SECTION_VALUES);
    for (uint32_t i = 0; i < o->head->sections[SG_SECTION_VALUES].count; i++) {
        if (!text_fits(o, values[i].component) ||
            !in_section(o, SG_SECTION_VALUE_TEXTS, values[i].first,
                        values[i].count) ||
            ((values[i].flags & SG_VALUES_TIME_RANGE) != 0 &&
             values[i].count < 2))
            return false;
    }
    const struct sg_structure_text *texts = section(o, SG_SECTION_VALUE_TEXTS);
    uint32_t count = o->head->sections[SG_SECTION_VALUE_TEXTS].count;
    for (uint32_t i = 0; i < count; i++) {
        if (!text_fits(o, texts[i]))
            return false;
    }
    return true;
}

static enum sg_err
open_constraints(const struct opener *o)
{
    const struct sg_structure_constraint_row *rows =
        section(o, SG_SECTION_CONSTRAINTS);
    uint32_t count = o->head->sections[SG_SECTION_CONSTRAINTS].count;
    struct sg_constraint *to =
        sg_arena_take(o->arena, sizeof *to * (count + 1));
    if (to == NULL)
        return SG_ERR_FULL;
    o->view->constraints = to;
    o->view->constraint_count = count;
    if (!check_parts(o))
        return SG_ERR_FORMAT;
    for (uint32_t i = 0; i < count; i++) {
        to[i].allowed = rows[i].allowed != 0;
        to[i].parts = rows[i].parts;
        to[i].first_part = rows[i].first_part;
        if (!take_text(o, rows[i].agency, &to[i].agency) ||
            !take_text(o, rows[i].id, &to[i].id) ||
            !take_text(o, rows[i].version, &to[i].version) ||
            !take_text(o, rows[i].target, &to[i].target) ||
            !in_section(o, SG_SECTION_PARTS, rows[i].first_part, rows[i].parts))
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static enum sg_err
open_head(const struct opener *o, size_t len)
{
    const struct sg_structure_head *head = o->head;
    struct sg_structure *s = o->view;
    if (memcmp(head->magic, SG_STRUCTURE_MAGIC, 8) != 0)
        return SG_ERR_FORMAT;
    if (head->order != SG_STRUCTURE_ORDER ||
        head->version != SG_STRUCTURE_VERSION)
        return SG_ERR_UNSUPPORTED;
    if (head->size != len || !check_sections(o, len))
        return SG_ERR_FORMAT;
    s->texts = section(o, SG_SECTION_TEXTS);
    s->texts_len = head->sections[SG_SECTION_TEXTS].count;
    s->source_sha256 = head->source_sha256;
    s->sections = o->sections;
    o->sections->head = head;
    o->sections->names = section(o, SG_SECTION_NAMES);
    o->sections->notes = section(o, SG_SECTION_NOTES);
    o->sections->parts = section(o, SG_SECTION_PARTS);
    o->sections->values = section(o, SG_SECTION_VALUES);
    o->sections->value_texts = section(o, SG_SECTION_VALUE_TEXTS);
    if (!take_text(o, head->agency, &s->agency) ||
        !take_text(o, head->id, &s->id) ||
        !take_text(o, head->structure_version, &s->version) ||
        !take_text(o, head->urn, &s->urn) ||
        !check_pairs(o, SG_SECTION_NAMES) || !check_pairs(o, SG_SECTION_NOTES))
        return SG_ERR_FORMAT;
    return SG_OK;
}

enum sg_err
sg_structure_open(struct sg_slice blob, struct sg_arena *arena,
                  const struct sg_structure **out)
{
    if (blob.len < sizeof(struct sg_structure_head) ||
        (uintptr_t)blob.ptr % 8 != 0)
        return SG_ERR_FORMAT;
    struct opener o = {
        .view = sg_arena_take(arena, sizeof(struct sg_structure)),
        .sections = sg_arena_take(arena, sizeof(struct sg_structure_sections)),
        .bytes = blob.ptr,
        .head = (const struct sg_structure_head *)(const void *)blob.ptr,
        .arena = arena,
    };
    if (o.view == NULL || o.sections == NULL)
        return SG_ERR_FULL;
    o.view->blob = blob;
    enum sg_err err = open_head(&o, blob.len);
    if (err == SG_OK)
        err = open_components(&o);
    if (err == SG_OK)
        err = open_lists(&o);
    if (err == SG_OK)
        err = open_groups(&o);
    if (err == SG_OK)
        err = open_flows(&o);
    if (err == SG_OK)
        err = open_constraints(&o);
    if (err == SG_OK)
        *out = o.view;
    return err;
}

// ---- looking ---------------------------------------------------------------

void
sg_structure_sha256(const struct sg_structure *s, uint8_t out[32])
{
    sg_crypto_sha256(s->blob.ptr, s->blob.len, out);
}

int32_t
sg_structure_find(const struct sg_structure *s, struct sg_slice id)
{
    for (uint32_t i = 0; i < s->component_count; i++) {
        if (sg_slice_eq(s->components[i].id, id))
            return (int32_t)i;
    }
    return -1;
}

static const char *const type_names[SG_TYPE_TABLE_END] = {
#define X(name, text) [SG_TYPE_##name] = text,
    SG_TYPE_TABLE(X)
#undef X
};

const char *
sg_structure_type_name(enum sg_type type)
{
    SG_ASSERT((unsigned)type < SG_TYPE_TABLE_END);
    return type_names[type];
}

bool
sg_structure_type_by_name(struct sg_slice name, enum sg_type *type)
{
    for (uint32_t i = 0; i < SG_TYPE_TABLE_END; i++) {
        if (!sg_slice_eq(sg_slice_text(type_names[i]), name))
            continue;
        *type = (enum sg_type)i;
        return true;
    }
    return false;
}

static const struct sg_structure_code_row *
code_row(const struct sg_structure *s, uint32_t list, uint32_t ordinal)
{
    SG_ASSERT(list < s->list_count && ordinal < s->lists[list].count);
    return &s->lists[list].rows[ordinal];
}

bool
sg_structure_code_is(const struct sg_structure *s,
                     const struct sg_code_list *list, uint32_t ordinal,
                     struct sg_slice code)
{
    return sg_slice_eq(slice_of(s, list->rows[ordinal].text), code);
}

struct sg_slice
sg_structure_code_text(const struct sg_structure *s, uint32_t list,
                       uint32_t ordinal)
{
    return slice_of(s, code_row(s, list, ordinal)->text);
}

struct sg_slice
sg_structure_code_name(const struct sg_structure *s, uint32_t list,
                       uint32_t ordinal, struct sg_slice language)
{
    const struct sg_structure_code_row *row = code_row(s, list, ordinal);
    const struct sg_structure_pair_row *names =
        s->sections->names + row->first_name;
    const struct sg_structure_pair_row *best = NULL;
    for (uint32_t i = 0; i < row->names; i++) {
        struct sg_slice key = slice_of(s, names[i].key);
        if (sg_slice_eq(key, language))
            return slice_of(s, names[i].text);
        if (best == NULL || (sg_slice_eq(key, SG_SLICE("en")) &&
                             !sg_slice_eq(slice_of(s, best->key), key)))
            best = &names[i];
    }
    return best == NULL ? (struct sg_slice){0} : slice_of(s, best->text);
}

int32_t
sg_structure_code_parent(const struct sg_structure *s, uint32_t list,
                         uint32_t ordinal)
{
    return code_row(s, list, ordinal)->parent;
}

bool
sg_structure_code_annotation(const struct sg_structure *s, uint32_t list,
                             uint32_t ordinal, uint32_t *at,
                             struct sg_slice *type, struct sg_slice *text)
{
    const struct sg_structure_code_row *row = code_row(s, list, ordinal);
    if (*at >= row->notes)
        return false;
    const struct sg_structure_pair_row *note =
        s->sections->notes + row->first_note + (*at)++;
    *type = slice_of(s, note->key);
    *text = slice_of(s, note->text);
    return true;
}

struct sg_slice
sg_structure_code_note(const struct sg_structure *s, uint32_t list,
                       uint32_t ordinal, struct sg_slice type)
{
    struct sg_slice key, text;
    uint32_t at = 0;
    while (sg_structure_code_annotation(s, list, ordinal, &at, &key, &text)) {
        if (sg_slice_eq(key, type))
            return text;
    }
    return (struct sg_slice){0};
}

struct sg_constraint_part
sg_structure_constraint_part(const struct sg_structure *s,
                             const struct sg_constraint *c, uint32_t part)
{
    SG_ASSERT(part < c->parts);
    const struct sg_structure_part_row *row =
        s->sections->parts + c->first_part + part;
    return (struct sg_constraint_part){
        .key = row->key != 0,
        .include = row->include != 0,
        .first = row->first,
        .count = row->count,
    };
}

struct sg_constraint_values
sg_structure_constraint_values(const struct sg_structure *s,
                               const struct sg_constraint_part *part,
                               uint32_t index)
{
    SG_ASSERT(index < part->count);
    const struct sg_structure_values_row *row =
        s->sections->values + part->first + index;
    return (struct sg_constraint_values){
        .component = slice_of(s, row->component),
        .include = row->include != 0,
        .time_range = (row->flags & SG_VALUES_TIME_RANGE) != 0,
        .start_open = (row->flags & SG_VALUES_START_OPEN) != 0,
        .end_open = (row->flags & SG_VALUES_END_OPEN) != 0,
        .cascade = (row->flags & SG_VALUES_CASCADE) != 0,
        .below_only = (row->flags & SG_VALUES_BELOW_ONLY) != 0,
        .first = row->first,
        .count = row->count,
    };
}

struct sg_slice
sg_structure_constraint_value(const struct sg_structure *s,
                              const struct sg_constraint_values *values,
                              uint32_t index)
{
    SG_ASSERT(index < values->count);
    return slice_of(s, s->sections->value_texts[values->first + index]);
}
