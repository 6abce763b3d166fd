#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

// More room for one more of an array in the arena; the old one is left there.
static bool
grow(struct sg_json *json, void **at, uint32_t count, uint32_t *cap,
     size_t size)
{
    if (count < *cap)
        return true;
    uint32_t wider = *cap == 0 ? 16 : *cap * 2;
    void *piece = sg_arena_take(json->arena, wider * size);
    if (piece == NULL)
        return false;
    if (count > 0)
        memcpy(piece, *at, count * size);
    *at = piece;
    *cap = wider;
    return true;
}

// ---- structures --------------------------------------------------------------

static enum sg_err
open_structure(struct sg_json *json)
{
    bool alone =
        json->frames[json->depth - 1].place != SG_JSON_PLACE_STRUCTURES;
    if (json->layouts_known || (alone && json->layout_count > 0))
        return sg_json_refuse(json, SG_SLICE("structure"),
                              "the structures of the message stand twice");
    if (json->layout_count == SG_JSON_LAYOUTS)
        return sg_json_refuse(json, SG_SLICE("structures"),
                              "more structures than are accepted");
    struct sg_json_layout *layout =
        sg_arena_take(json->arena, sizeof *json->layout);
    if (layout == NULL)
        return SG_ERR_FULL;
    layout->line = json->line;
    json->layouts[json->layout_count++] = layout;
    json->layout = layout;
    if (json->media == SG_MEDIA_UNKNOWN)
        json->media = alone ? SG_MEDIA_JSON10 : SG_MEDIA_JSON20;
    return SG_OK;
}

static enum sg_err
open_structures(struct sg_json *json)
{
    if (json->layout_count > 0 || json->layouts_known)
        return sg_json_refuse(json, SG_SLICE("structures"),
                              "the structures of the message stand twice");
    return SG_OK;
}

// Where the components that are to come stand.
static enum sg_json_level
level_of(const struct sg_json *json)
{
    bool dims = json->frames[json->depth - 1].place == SG_JSON_PLACE_DIMENSIONS;
    if (json->frames[json->depth - 1].place == SG_JSON_PLACE_MEASURES)
        return SG_JSON_LEVEL_MEASURE;
    switch ((int)json->member) {
    case SG_JSON_NAME_DATASET:
    case SG_JSON_NAME_DATASET_DRAFT:
        return dims ? SG_JSON_LEVEL_DATASET : SG_JSON_LEVEL_DATASET_ATTR;
    case SG_JSON_NAME_SERIES:
        return dims ? SG_JSON_LEVEL_SERIES : SG_JSON_LEVEL_SERIES_ATTR;
    case SG_JSON_NAME_DIMENSION_GROUP:
        return SG_JSON_LEVEL_GROUP_ATTR;
    default:
        return dims ? SG_JSON_LEVEL_OBS : SG_JSON_LEVEL_OBS_ATTR;
    }
}

static enum sg_err
open_component(struct sg_json *json)
{
    struct sg_json_components *level = json->level;
    if (level->count == SG_LIMIT_COMPONENTS)
        return sg_json_refuse(json, SG_SLICE(""),
                              "more components than are accepted");
    void *at = level->at;
    if (!grow(json, &at, level->count, &level->cap, sizeof *level->at))
        return SG_ERR_FULL;
    level->at = at;
    json->component = &level->at[level->count++];
    *json->component = (struct sg_json_component){
        .component = -1, .key_position = -1, .line = json->line};
    return SG_OK;
}

enum sg_err
sg_json_layout_open(struct sg_json *json, enum sg_json_place place)
{
    switch ((int)place) {
    case SG_JSON_PLACE_STRUCTURE:
        return open_structure(json);
    case SG_JSON_PLACE_STRUCTURES:
        return open_structures(json);
    case SG_JSON_PLACE_LINK:
        json->link_rel = json->link_urn = json->link_href = SG_SLICE("");
        return SG_OK;
    case SG_JSON_PLACE_COMPONENTS:
        json->level = &json->layout->levels[level_of(json)];
        if (json->level->given)
            return sg_json_refuse(json, SG_SLICE("dataSet"),
                                  "the member stands twice");
        json->level->given = true;
        return SG_OK;
    case SG_JSON_PLACE_COMPONENT:
        return open_component(json);
    case SG_JSON_PLACE_VALUES:
        json->component->listed = true;
        return SG_OK;
    default: // VALUE
        json->name.len = 0;
        json->value_id = SG_SLICE("");
        json->value_given = false;
        return SG_OK;
    }
}

// ---- values --------------------------------------------------------------------

static enum sg_err
add_value(struct sg_json *json, struct sg_value value)
{
    struct sg_json_component *c = json->component;
    if (json->value_total++ == SG_LIMIT_CODES)
        return sg_json_refuse(json, SG_SLICE(""),
                              "more values of components than are accepted");
    void *at = c->values;
    if (!grow(json, &at, c->count, &c->cap, sizeof *c->values))
        return SG_ERR_FULL;
    c->values = at;
    c->values[c->count++] = value;
    return SG_OK;
}

static struct sg_value
text_value(struct sg_slice text)
{
    return text.len == 0
               ? (struct sg_value){NULL, 0, SG_VALUE_ABSENT}
               : (struct sg_value){text.ptr, (uint32_t)text.len, SG_VALUE_TEXT};
}

// A code has an id; a text has a value, or in 1.0 only a name.
static enum sg_err
close_value(struct sg_json *json)
{
    struct sg_slice text = json->value_id;
    if (json->value_given && text.len > 0 &&
        json->value.kind == SG_VALUE_TEXT &&
        !sg_slice_eq(sg_obs_value_bytes(&json->value), text)) {
        json->layout->bad = true;
        sg_json_say(json, SG_FAULT_JSON, 0, json->component->id, text,
                    "a value has an id and is another text; leave out what is "
                    "not meant");
    }
    if (json->value_given)
        return add_value(json, json->value);
    if (text.len == 0) {
        text = sg_json_copy(json, &json->lasting,
                            sg_slice_of(json->name.ptr, json->name.len));
        if (text.ptr == NULL)
            return SG_ERR_FULL;
    }
    return add_value(json, text_value(text));
}

static enum sg_err
say_cell(struct sg_json *json)
{
    const struct sg_json_cell *cell = &json->cell;
    json->layout->bad = true;
    sg_json_say(json, cell->code, 0, json->component->id, cell->shown,
                cell->why);
    return SG_OK;
}

enum sg_err
sg_json_layout_cell(struct sg_json *json)
{
    const struct sg_json_cell *cell = &json->cell;
    if (cell->code != SG_FAULT_TABLE_END)
        return say_cell(json);
    if (json->frames[json->depth].place == SG_JSON_PLACE_COMPONENT) {
        json->component->fallback = cell->value;
        return SG_OK;
    }
    json->value = cell->value;
    json->value_given = true;
    return SG_OK;
}

enum sg_err
sg_json_layout_item(struct sg_json *json, enum sg_json_place place,
                    enum sg_json_token token, struct sg_slice text)
{
    struct sg_json_component *c = json->component;
    struct sg_slice copy = SG_SLICE("");
    if (token != SG_JSON_NULL)
        copy = sg_json_copy(json, &json->lasting, text);
    if (copy.ptr == NULL)
        return SG_ERR_FULL;
    if (place == SG_JSON_PLACE_VALUES)
        return add_value(json, text_value(copy));
    if (c->relation_count == SG_LIMIT_COMPONENTS)
        return SG_OK; // no dimension of it is left out: there are fewer
    void *at = c->relation;
    if (!grow(json, &at, c->relation_count, &c->relation_cap,
              sizeof *c->relation))
        return SG_ERR_FULL;
    c->relation = at;
    c->relation[c->relation_count++] = copy;
    return SG_OK;
}

// ---- links ---------------------------------------------------------------------

// .../dataflow/AGENCY/ID/VERSION, as both REST interfaces write it.
static bool
ref_of_href(struct sg_slice href, const char *rel, struct sg_obs_ref *ref)
{
    size_t len = strlen(rel), at = 0;
    struct sg_slice parts[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (; at + len + 2 <= href.len; at++)
        if (href.ptr[at] == '/' && href.ptr[at + len + 1] == '/' &&
            memcmp(href.ptr + at + 1, rel, len) == 0)
            break;
    if (at + len + 2 > href.len)
        return false;
    at += len + 2;
    for (size_t i = 0; i < 3; i++) {
        size_t from = at;
        while (at < href.len && href.ptr[at] != '/' && href.ptr[at] != '?' &&
               href.ptr[at] != '#')
            at++;
        parts[i] = sg_slice_of(href.ptr + from, at - from);
        if (at == href.len || href.ptr[at] != '/')
            break;
        at++;
    }
    ref->agency = parts[0];
    ref->id = parts[1];
    ref->version = parts[2];
    return ref->agency.len > 0 && ref->id.len > 0;
}

// The first link that names what the data were asked for counts.
static enum sg_err
close_link(struct sg_json *json)
{
    struct sg_json_layout *layout = json->layout;
    enum sg_obs_ref_kind kind = sg_json_names_find_rel(json->link_rel);
    struct sg_obs_ref ref = {0};
    struct sg_slice urn = json->link_urn;
    if (kind == SG_OBS_REF_NONE)
        return SG_OK; // or found already: no text of it was taken
    const uint8_t *equal = urn.len == 0 ? NULL : memchr(urn.ptr, '=', urn.len);
    bool named =
        equal != NULL
            ? sg_obs_ref_parse(
                  sg_slice_of(equal + 1,
                              urn.len - (size_t)(equal + 1 - urn.ptr)),
                  &ref)
            : ref_of_href(json->link_href, sg_json_names_rel(kind), &ref);
    if (!named)
        return SG_OK;
    ref.kind = kind;
    layout->ref = ref;
    return SG_OK;
}

// ---- texts and ends ---------------------------------------------------------------

static enum sg_err
copy_text(struct sg_json *json, struct sg_slice text, struct sg_slice *out)
{
    *out = sg_json_copy(json, &json->lasting, text);
    return out->ptr == NULL ? SG_ERR_FULL : SG_OK;
}

static enum sg_err
value_text(struct sg_json *json, struct sg_slice text)
{
    if (json->member == SG_JSON_NAME_ID)
        return copy_text(json, text, &json->value_id);
    if (json->value_id.len > 0 || json->value_given)
        return SG_OK; // the name is a label
    if (!sg_json_scan_room(json->arena, &json->name, text.len + 1))
        return SG_ERR_FULL;
    memcpy(json->name.ptr, text.ptr, text.len);
    json->name.len = text.len;
    return SG_OK;
}

enum sg_err
sg_json_layout_text(struct sg_json *json, enum sg_json_place place,
                    enum sg_json_token token, struct sg_slice text)
{
    uint32_t position;
    if (place == SG_JSON_PLACE_VALUE)
        return value_text(json, text);
    if (place == SG_JSON_PLACE_LINK && json->layout->ref.kind != 0)
        return SG_OK; // found already
    if (json->member == SG_JSON_NAME_REL)
        return copy_text(json, text, &json->link_rel);
    if (json->member == SG_JSON_NAME_URN)
        return copy_text(json, text, &json->link_urn);
    if (json->member == SG_JSON_NAME_HREF)
        return copy_text(json, text, &json->link_href);
    if (json->member == SG_JSON_NAME_ID)
        return copy_text(json, text, &json->component->id);
    if (token == SG_JSON_NUMBER && sg_json_value_index(text, &position))
        json->component->key_position = position;
    return SG_OK;
}

static enum sg_err
close_structure(struct sg_json *json)
{
    bool alone =
        json->frames[json->depth - 1].place != SG_JSON_PLACE_STRUCTURES;
    json->layouts_known |= alone;
    json->layout->measures_given =
        (json->frames[json->depth].seen >> SG_JSON_NAME_MEASURES & 1) != 0;
    json->layout = NULL;
    return SG_OK;
}

enum sg_err
sg_json_layout_close(struct sg_json *json, enum sg_json_place place)
{
    switch ((int)place) {
    case SG_JSON_PLACE_STRUCTURE:
        return close_structure(json);
    case SG_JSON_PLACE_STRUCTURES:
        json->layouts_known = true;
        return SG_OK;
    case SG_JSON_PLACE_LINK:
        return close_link(json);
    case SG_JSON_PLACE_VALUE:
        return close_value(json);
    default: // COMPONENT
        if (json->component->id.len > 0)
            return SG_OK;
        return sg_json_refuse(json, SG_SLICE("id"),
                              "a component without its id");
    }
}
