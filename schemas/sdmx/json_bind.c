#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

// ---- components ----------------------------------------------------------------

// May a component of this level be one of this kind?
static bool
of_level(enum sg_json_level level, enum sg_component_kind kind)
{
    if (level <= SG_JSON_LEVEL_OBS)
        return kind == SG_KIND_DIMENSION || kind == SG_KIND_TIME;
    return level == SG_JSON_LEVEL_MEASURE ? kind == SG_KIND_MEASURE
                                          : kind == SG_KIND_ATTRIBUTE;
}

// Where a component allows several values, one is a list of one.
static enum sg_err
bind_values(struct sg_json *json, struct sg_json_component *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->values[i].kind != SG_VALUE_TEXT)
            continue;
        enum sg_err err =
            sg_json_value_wrap(json, &json->lasting, &c->values[i]);
        if (err != SG_OK)
            return err;
    }
    return c->fallback.kind == SG_VALUE_TEXT
               ? sg_json_value_wrap(json, &json->lasting, &c->fallback)
               : SG_OK;
}

static void
say_component(struct sg_json *json, const struct sg_json_component *c,
              enum sg_fault_code code, const char *hint)
{
    json->line = c->line;
    sg_json_say(json, code, 0, c->id, SG_SLICE(""), hint);
}

static enum sg_err
bind_one(struct sg_json *json, struct sg_json_layout *layout,
         enum sg_json_level level, struct sg_json_component *c,
         uint64_t present[SG_OBS_CHANGED_WORDS])
{
    const struct sg_structure *s = json->structure;
    int32_t found = sg_structure_find(s, c->id);
    if (found < 0 && sg_slice_eq(c->id, SG_SLICE("REPORTING_YEAR_START_DAY")))
        return SG_OK;
    if (found < 0 || !of_level(level, s->components[found].kind)) {
        say_component(json, c, SG_FAULT_UNKNOWN_COMPONENT,
                      found < 0 ? NULL
                                : "the structure has it as another kind of "
                                  "component");
        return SG_OK;
    }
    uint64_t bit = 1ull << found % 64;
    if ((present[found / 64] & bit) != 0) {
        layout->bad = true;
        say_component(json, c, SG_FAULT_HEADER_DUPLICATE,
                      "the component stands twice in the message's structure");
        return SG_OK;
    }
    if (level == SG_JSON_LEVEL_DATASET && c->count > 1) {
        layout->bad = true;
        say_component(json, c, SG_FAULT_JSON,
                      "a dimension of the whole data set has one value");
    }
    present[found / 64] |= bit;
    c->component = found;
    c->several = s->components[found].several;
    return c->several ? bind_values(json, c) : SG_OK;
}

static enum sg_err
bind_components(struct sg_json *json, struct sg_json_layout *layout,
                uint64_t present[SG_OBS_CHANGED_WORDS])
{
    for (uint32_t l = 0; l < SG_JSON_LEVELS; l++) {
        struct sg_json_components *level = &layout->levels[l];
        for (uint32_t i = 0; i < level->count; i++) {
            enum sg_err err = bind_one(json, layout, (enum sg_json_level)l,
                                       &level->at[i], present);
            if (err != SG_OK)
                return err;
        }
    }
    return SG_OK;
}

// Without "measures" each observation begins with the value of the one measure
// there is (field guide 2.1, structure; 1.0 has no other way).
static enum sg_err
add_measure(struct sg_json *json, struct sg_json_layout *layout)
{
    struct sg_json_components *level = &layout->levels[SG_JSON_LEVEL_MEASURE];
    const struct sg_structure *s = json->structure;
    level->at = sg_arena_take(json->arena, sizeof *level->at);
    if (level->at == NULL)
        return SG_ERR_FULL;
    level->count = 1;
    *level->at = (struct sg_json_component){
        .id = s->measure >= 0 ? s->components[s->measure].id
                              : SG_SLICE("OBS_VALUE"),
        .component = -1,
        .key_position = -1,
        .line = layout->line};
    return SG_OK;
}

// ---- dimensions ----------------------------------------------------------------

// All dimensions as they stand, and by position.
static void
order_dimensions(struct sg_json *json, struct sg_json_layout *layout)
{
    uint32_t n = 0;
    for (uint32_t l = SG_JSON_LEVEL_DATASET; l <= SG_JSON_LEVEL_OBS; l++) {
        struct sg_json_components *level = &layout->levels[l];
        for (uint32_t i = 0; i < level->count; i++, n++) {
            struct sg_json_component *c = &level->at[i];
            c->order = n;
            if (n >= SG_JSON_DIMENSIONS)
                continue;
            layout->dims[n] = c;
            uint32_t at = n;
            for (; at > 0 &&
                   layout->sorted[at - 1]->key_position > c->key_position;
                 at--)
                layout->sorted[at] = layout->sorted[at - 1];
            layout->sorted[at] = c;
        }
    }
    layout->dim_count = n;
    if (n <= SG_JSON_DIMENSIONS)
        return;
    layout->bad = true;
    json->line = layout->line;
    sg_json_say(json, SG_FAULT_JSON, 0, SG_SLICE("dimensions"), SG_SLICE(""),
                "more dimensions than are accepted");
}

static void
bind_relations(struct sg_json_layout *layout)
{
    struct sg_json_components *level =
        &layout->levels[SG_JSON_LEVEL_GROUP_ATTR];
    for (uint32_t a = 0; a < level->count; a++)
        for (uint32_t r = 0; r < level->at[a].relation_count; r++)
            for (uint32_t d = 0;
                 d < layout->dim_count && d < SG_JSON_DIMENSIONS; d++)
                if (sg_slice_eq(level->at[a].relation[r], layout->dims[d]->id))
                    level->at[a].relation_mask |= 1ull << d;
}

// ---- cells ---------------------------------------------------------------------

static const struct sg_json_component **
list_cells(struct sg_json *json, const struct sg_json_components *a,
           const struct sg_json_components *b)
{
    const struct sg_json_component **cells =
        sg_arena_take(json->arena, (a->count + b->count + 1) * sizeof *cells);
    for (uint32_t i = 0; cells != NULL && i < a->count + b->count; i++)
        cells[i] = i < a->count ? &a->at[i] : &b->at[i - a->count];
    return cells;
}

static enum sg_err
bind_cells(struct sg_json *json, struct sg_json_layout *layout)
{
    static const struct sg_json_components none = {0};
    struct sg_json_components *levels = layout->levels;
    for (uint32_t l = SG_JSON_LEVEL_DATASET_ATTR; l < SG_JSON_LEVEL_OBS_ATTR;
         l++) {
        layout->attrs[l] = list_cells(json, &levels[l], &none);
        if (layout->attrs[l] == NULL)
            return SG_ERR_FULL;
    }
    layout->cells = list_cells(json, &levels[SG_JSON_LEVEL_MEASURE],
                               &levels[SG_JSON_LEVEL_OBS_ATTR]);
    layout->cell_count = levels[SG_JSON_LEVEL_MEASURE].count +
                         levels[SG_JSON_LEVEL_OBS_ATTR].count;
    return layout->cells == NULL ? SG_ERR_FULL : SG_OK;
}

// ---- the structure named ----------------------------------------------------------

static enum sg_err
find_structure(struct sg_json *json, struct sg_json_layout *layout)
{
    const struct sg_structure *found =
        json->sink.structure(json->sink.context, &layout->ref);
    json->line = layout->line;
    layout->bad = true;
    if (found == NULL) {
        sg_json_say(json, SG_FAULT_STRUCTURE_UNKNOWN, 0, SG_SLICE("structure"),
                    layout->ref.id,
                    layout->ref.kind == SG_OBS_REF_NONE
                        ? "the message has no link to a dataflow or data "
                          "structure; name one beside it"
                        : NULL);
        return SG_OK;
    }
    if (json->structure != NULL && json->structure != found) {
        sg_json_say(json, SG_FAULT_STRUCTURE_REF, 0, SG_SLICE(""),
                    layout->ref.id,
                    "the data sets of one message follow one structure; send "
                    "another message");
        return SG_OK;
    }
    layout->bad = false;
    if (json->structure != NULL)
        return SG_OK;
    json->structure = found;
    json->values = sg_arena_take(json->arena,
                                 found->component_count * sizeof *json->values);
    json->obs.values = json->values;
    return json->values == NULL ? SG_ERR_FULL : SG_OK;
}

static enum sg_err
bind_layout(struct sg_json *json, struct sg_json_layout *layout)
{
    layout->bound = true;
    if (layout->bad)
        return SG_OK; // said when it was read
    enum sg_err err = find_structure(json, layout);
    if (err != SG_OK || layout->bad)
        return err;
    if (!layout->measures_given)
        err = add_measure(json, layout);
    if (err == SG_OK)
        err = bind_components(json, layout, layout->present);
    order_dimensions(json, layout);
    bind_relations(layout);
    return err == SG_OK ? bind_cells(json, layout) : err;
}

enum sg_err
sg_json_bind(struct sg_json *json, struct sg_json_layout *layout)
{
    uint64_t line = json->line;
    enum sg_err err = layout->bound ? SG_OK : bind_layout(json, layout);
    json->line = line;
    json->layout = layout;
    json->blind = layout->bad;
    if (err != SG_OK || layout->bad || json->columns_of == layout)
        return err;
    json->columns_of = layout;
    if (json->sink.columns != NULL)
        json->sink.columns(json->sink.context, layout->present, layout->line);
    return SG_OK;
}
