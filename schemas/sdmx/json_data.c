#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

static const struct sg_value absent = {NULL, 0, SG_VALUE_ABSENT};
static const struct sg_value off = {NULL, 0, SG_VALUE_OFF};

// ---- values of the row -----------------------------------------------------------

void
sg_json_data_set(struct sg_json *json, int32_t component,
                 const struct sg_value *value, bool lasting)
{
    if (component < 0)
        return;
    struct sg_value *kept = &json->values[component];
    uint64_t bit = 1ull << component % 64;
    uint32_t word = (uint32_t)component / 64;
    // What does not last may be gone: it is not looked at, and lies nowhere
    // where something lasting of this component lies.
    bool same = lasting && kept->ptr == value->ptr && kept->len == value->len &&
                kept->kind == value->kind;
    if (same)
        return;
    *kept = *value;
    json->pending[word] |= bit;
}

const struct sg_value *
sg_json_data_fallback(const struct sg_json *json,
                      const struct sg_json_component *c)
{
    return json->obs.action == SG_ACTION_DELETE ? &absent : &c->fallback;
}

// Cells from the given one on have nothing said of them.
static void
set_fallbacks(struct sg_json *json, const struct sg_json_component **cells,
              uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < count; i++)
        sg_json_data_set(json, cells[i]->component,
                         sg_json_data_fallback(json, cells[i]), true);
}

// The values are not those of the key that was read last.
static void
forget_key(struct sg_json *json)
{
    if (json->fast != NULL)
        json->fast->same = false;
}

void
sg_json_data_clear(struct sg_json *json, enum sg_json_level level)
{
    forget_key(json);
    const struct sg_json_components *l = &json->layout->levels[level];
    for (uint32_t i = 0; i < l->count; i++)
        sg_json_data_set(json, l->at[i].component, &absent, true);
}

enum sg_err
sg_json_data_emit(struct sg_json *json, uint64_t line)
{
    memcpy(json->obs.changed, json->pending, sizeof json->pending);
    memset(json->pending, 0, sizeof json->pending);
    json->obs.row = json->rows;
    json->obs.line = line;
    return json->sink.obs(json->sink.context, &json->obs);
}

enum sg_err
sg_json_data_alone(struct sg_json *json, uint64_t line)
{
    sg_json_data_clear(json, SG_JSON_LEVEL_MEASURE);
    sg_json_data_clear(json, SG_JSON_LEVEL_OBS_ATTR);
    json->rows++;
    json->dataset_rows++;
    return sg_json_data_emit(json, line);
}

// ---- keys ----------------------------------------------------------------------

bool
sg_json_data_indexes(struct sg_json *json, struct sg_slice text, uint32_t *out,
                     uint32_t want, uint64_t row, const char *what)
{
    uint32_t count = 0;
    size_t at = 0;
    bool right = true;
    if (want == 0 && (text.len == 0 || sg_slice_eq(text, SG_SLICE("0"))))
        return true;
    for (;;) {
        size_t from = at;
        while (at < text.len && text.ptr[at] != ':')
            at++;
        struct sg_slice part = sg_slice_of(text.ptr + from, at - from);
        uint32_t index = SG_JSON_KEY_EMPTY;
        if (part.len == 1 && part.ptr[0] == '~')
            index = SG_JSON_KEY_OFF;
        else if (part.len > 0)
            right &= sg_json_value_index(part, &index);
        if (count < want)
            out[count] = index;
        count++;
        if (at == text.len)
            break;
        at++;
    }
    if (right && count == want)
        return true;
    char hint[120];
    snprintf(hint, sizeof hint,
             right ? "the key has %u indexes where the message has %u "
                     "dimensions of %s"
                   : "a key is indexes with colons between them (%u; %u "
                     "dimensions of %s)",
             count, want, what);
    sg_json_say(json, SG_FAULT_JSON, row, SG_SLICE("key"), text, hint);
    return false;
}

void
sg_json_data_out_of_range(struct sg_json *json,
                          const struct sg_json_component *c, uint32_t index,
                          uint64_t row)
{
    char value[16], hint[80];
    int len = snprintf(value, sizeof value, "%u", index);
    snprintf(hint, sizeof hint,
             "an index of %u values, which begin with number 0", c->count);
    sg_json_say(json, SG_FAULT_JSON, row, c->id,
                sg_slice_of(value, (size_t)len), hint);
}

// Sets the dimensions of a level; false: said why not.
static bool
take_indexes(struct sg_json *json, enum sg_json_level level,
             const uint32_t *index, uint64_t row)
{
    const struct sg_json_components *l = &json->layout->levels[level];
    for (uint32_t i = 0; i < l->count; i++) {
        const struct sg_json_component *c = &l->at[i];
        const struct sg_value *value = &absent;
        json->dim_at[c->order] = index[i];
        if (index[i] < c->count) {
            value = &c->values[index[i]];
        } else if (index[i] == SG_JSON_KEY_OFF) {
            value = &off;
        } else if (index[i] != SG_JSON_KEY_EMPTY && c->component >= 0) {
            sg_json_data_out_of_range(json, c, index[i], row);
            return false;
        }
        sg_json_data_set(json, c->component, value, true);
    }
    return true;
}

static bool
take_key(struct sg_json *json, enum sg_json_level level, struct sg_slice text,
         uint64_t row)
{
    uint32_t index[SG_JSON_DIMENSIONS] = {0};
    return sg_json_data_indexes(
               json, text, index, json->layout->levels[level].count, row,
               level == SG_JSON_LEVEL_SERIES ? "series" : "observations") &&
           take_indexes(json, level, index, row);
}

// The standard's own sample has the dimensions of series in the keys too where
// it lists observations without them, though its field guide does not.
static bool
take_flat_key(struct sg_json *json, struct sg_slice text)
{
    uint32_t series = json->layout->levels[SG_JSON_LEVEL_SERIES].count;
    uint32_t obs = json->layout->levels[SG_JSON_LEVEL_OBS].count, parts = 1;
    uint32_t index[SG_JSON_DIMENSIONS] = {0};
    for (size_t i = 0; series > 0 && i < text.len; i++)
        parts += text.ptr[i] == ':';
    if (series == 0 || parts != series + obs)
        return take_key(json, SG_JSON_LEVEL_OBS, text, json->rows);
    return sg_json_data_indexes(json, text, index, parts, json->rows,
                                "all levels") &&
           take_indexes(json, SG_JSON_LEVEL_SERIES, index, json->rows) &&
           take_indexes(json, SG_JSON_LEVEL_OBS, index + series, json->rows);
}

// ---- what of a data set must be known first ------------------------------------------

static const struct {
    enum sg_json_name name;
    enum sg_json_place place;
} aheads[] = {
    [SG_JSON_AHEAD_STRUCTURE] = {SG_JSON_NAME_STRUCTURE, SG_JSON_PLACE_TEXT},
    [SG_JSON_AHEAD_ACTION] = {SG_JSON_NAME_ACTION, SG_JSON_PLACE_TEXT},
    [SG_JSON_AHEAD_ATTRIBUTES] = {SG_JSON_NAME_ATTRIBUTES,
                                  SG_JSON_PLACE_DATASET_CELLS},
    [SG_JSON_AHEAD_GROUPS] = {SG_JSON_NAME_GROUP_ATTRIBUTES,
                              SG_JSON_PLACE_GROUPS},
};

static bool
some_layout_has(const struct sg_json *json, enum sg_json_level level)
{
    for (uint32_t i = 0; i < json->layout_count; i++)
        if (json->layouts[i]->levels[level].count > 0)
            return true;
    return false;
}

// May what the rows need stand behind them?
static bool
must_look(const struct sg_json *json)
{
    uint64_t seen = json->frames[json->depth].seen;
    if (json->second)
        return false;
    if (!json->layouts_known || json->layout_count == 0 ||
        (seen >> SG_JSON_NAME_ACTION & 1) == 0)
        return true; // without an action the version decides
    return ((seen >> SG_JSON_NAME_STRUCTURE & 1) == 0 &&
            json->layout_count > 1) ||
           ((seen >> SG_JSON_NAME_ATTRIBUTES & 1) == 0 &&
            some_layout_has(json, SG_JSON_LEVEL_DATASET_ATTR)) ||
           ((seen >> SG_JSON_NAME_GROUP_ATTRIBUTES & 1) == 0 &&
            some_layout_has(json, SG_JSON_LEVEL_GROUP_ATTR));
}

static void
start_looking(struct sg_json *json)
{
    if (!json->looking)
        json->first_look = json->obs.dataset;
    json->looking = true;
}

// Keeps what the data set says for the second reading.
static enum sg_err
keep_look(struct sg_json *json)
{
    struct sg_json_look *look = sg_arena_take(json->arena, sizeof *look);
    if (look == NULL)
        return SG_ERR_FULL;
    for (size_t i = 0; i < SG_JSON_AHEADS; i++) {
        const struct sg_json_buffer *from = &json->ahead[i].bytes;
        struct sg_json_buffer *to = &look->tapes[i].bytes;
        if (from->len == 0)
            continue;
        to->ptr = sg_arena_room(json->arena, from->len);
        if (to->ptr == NULL)
            return SG_ERR_FULL;
        memcpy(to->ptr, from->ptr, from->len);
        to->len = to->cap = from->len;
    }
    *json->looks_end = look;
    json->looks_end = &look->next;
    return SG_OK;
}

// ---- data set ----------------------------------------------------------------------

static enum sg_err
open_dataset(struct sg_json *json)
{
    json->obs.dataset++;
    json->begun = json->blind = json->dataset_bad = false;
    json->dataset_has_attributes = false;
    json->dataset_rows = 0;
    json->dataset_line = json->line;
    json->layout_index = 0;
    json->sent = json->media == SG_MEDIA_JSON21 ? 'M' : 'I';
    json->action_said = false;
    json->dataset_room.len = 0;
    for (size_t i = 0; i < SG_JSON_AHEADS; i++)
        json->ahead[i].bytes.len = 0;
    return SG_OK;
}

static void
begin_values(struct sg_json *json)
{
    const struct sg_json_layout *layout = json->layout;
    forget_key(json);
    memset(json->values, 0,
           json->structure->component_count * sizeof *json->values);
    memset(json->pending, 0xff, sizeof json->pending);
    for (uint32_t l = SG_JSON_LEVEL_DATASET_ATTR; l < SG_JSON_LEVEL_OBS_ATTR;
         l++)
        set_fallbacks(json, layout->attrs[l], 0, layout->levels[l].count);
    const struct sg_json_components *dims =
        &layout->levels[SG_JSON_LEVEL_DATASET];
    for (uint32_t i = 0; i < dims->count; i++) {
        json->dim_at[dims->at[i].order] = 0;
        if (dims->at[i].count > 0)
            sg_json_data_set(json, dims->at[i].component, dims->at[i].values,
                             true);
    }
}

// Before the first row, when all that is needed is on the tapes.
static enum sg_err
begin_rows(struct sg_json *json)
{
    struct sg_json_tape *tapes = json->ahead;
    enum sg_err err = SG_OK;
    if (json->begun)
        return SG_OK;
    json->begun = true;
    if (json->second) {
        if (json->look_at == NULL)
            return sg_json_refuse(json, SG_SLICE("dataSets"),
                                  "the message changed while it was read");
        tapes = json->look_at->tapes;
        json->look_at = json->look_at->next;
    }
    for (size_t i = 0; i < SG_JSON_AHEADS && err == SG_OK; i++) {
        if (i == SG_JSON_AHEAD_ATTRIBUTES) {
            json->obs.sent = json->sent;
            if (json->sink.action != NULL)
                json->sink.action(json->sink.context,
                                  json->action_said ? json->sent : 'I', 0,
                                  json->dataset_line);
            json->obs.action = json->sent == 'R' || json->sent == 'D'
                                   ? json->sent
                                   : SG_ACTION_MERGE;
            json->blind = true;
            if (json->layout_index < json->layout_count)
                err = sg_json_bind(json, json->layouts[json->layout_index]);
            if (err == SG_OK && !json->blind)
                begin_values(json);
        }
        if (err == SG_OK && !(i >= SG_JSON_AHEAD_ATTRIBUTES && json->blind))
            err = sg_json_replay(json, &tapes[i], aheads[i].place,
                                 aheads[i].name);
    }
    return err;
}

// "structure" or "action".
enum sg_err
sg_json_data_text(struct sg_json *json, enum sg_json_token token,
                  struct sg_slice text)
{
    uint32_t index = UINT32_MAX;
    if (json->member == SG_JSON_NAME_ACTION) {
        uint8_t sent = sg_json_names_find_action(text);
        if (sent == 0 || token != SG_JSON_STRING)
            sg_json_say(json, SG_FAULT_ACTION, 0, SG_SLICE("action"), text,
                        NULL);
        else {
            json->sent = sent;
            json->action_said = true;
        }
        return SG_OK;
    }
    if (token == SG_JSON_NUMBER && sg_json_value_index(text, &index) &&
        index < json->layout_count) {
        json->layout_index = index;
        return SG_OK;
    }
    json->layout_index = UINT32_MAX;
    sg_json_say(json, SG_FAULT_STRUCTURE_REF, 0, SG_SLICE("structure"), text,
                "not the number of a structure of the message");
    return SG_OK;
}

static bool
dataset_row_wanted(const struct sg_json *json)
{
    return json->dataset_rows == 0 && !json->dataset_bad &&
           (json->dataset_has_attributes ||
            json->obs.action == SG_ACTION_DELETE);
}

// A row for what the data set says of itself alone: at its dimensions, where
// the attribute depends on them.
static enum sg_err
emit_dataset(struct sg_json *json)
{
    const struct sg_json_components *attrs =
        &json->layout->levels[SG_JSON_LEVEL_DATASET_ATTR];
    bool keyed = json->obs.action == SG_ACTION_DELETE;
    for (uint32_t i = 0; i < attrs->count; i++) {
        int32_t c = attrs->at[i].component;
        keyed |= c >= 0 && json->values[c].kind != SG_VALUE_ABSENT &&
                 json->structure->components[c].attach != SG_ATTACH_DATASET;
    }
    if (!keyed)
        sg_json_data_clear(json, SG_JSON_LEVEL_DATASET);
    sg_json_data_clear(json, SG_JSON_LEVEL_SERIES);
    sg_json_data_clear(json, SG_JSON_LEVEL_OBS);
    sg_json_data_clear(json, SG_JSON_LEVEL_SERIES_ATTR);
    sg_json_data_clear(json, SG_JSON_LEVEL_GROUP_ATTR);
    return sg_json_data_alone(json, json->dataset_line);
}

static enum sg_err
close_dataset(struct sg_json *json)
{
    if (json->second && json->obs.dataset < json->first_look)
        return SG_OK; // its rows went out with the first reading
    if (!json->begun && (json->looking || must_look(json)))
        start_looking(json);
    if (json->looking)
        return keep_look(json);
    enum sg_err err = begin_rows(json);
    if (err != SG_OK || json->blind || json->dead)
        return err;
    if (!json->dataset_bad)
        err = sg_json_group_flush(json);
    if (err == SG_OK && dataset_row_wanted(json))
        err = emit_dataset(json);
    sg_json_group_clear(json);
    return err;
}

// ---- series ------------------------------------------------------------------------

// No group has the row by these dimensions.
static void
forget_indexes(struct sg_json *json, enum sg_json_level level)
{
    const struct sg_json_components *l = &json->layout->levels[level];
    for (uint32_t i = 0; i < l->count; i++)
        json->dim_at[l->at[i].order] = SG_JSON_KEY_EMPTY;
}

static enum sg_err
start_series(struct sg_json *json, struct sg_slice text)
{
    json->next = SG_JSON_PLACE_SERIES;
    json->in_series = true;
    json->series_bad = json->dataset_bad;
    json->series_sealed = json->series_has_attributes = false;
    json->groups_applied = false;
    json->series_rows = 0;
    json->series_line = json->line;
    json->series_room.len = 0;
    json->held.bytes.len = 0;
    if (json->blind || json->series_bad)
        return SG_OK;
    if (json->series_seen == NULL)
        json->series_seen = sg_keylog_new(json->arena);
    if (json->series_seen == NULL)
        return SG_ERR_FULL;
    const uint64_t key[2] = {json->salt, 0x736572696573ull};
    enum sg_err err = sg_keylog_add(
        json->series_seen, sg_siphash_word(key, json->obs.dataset, text),
        json->line, json->line);
    json->series_bad =
        !take_key(json, SG_JSON_LEVEL_SERIES, text, json->rows + 1);
    const struct sg_json_layout *layout = json->layout;
    set_fallbacks(json, layout->attrs[SG_JSON_LEVEL_SERIES_ATTR], 0,
                  layout->levels[SG_JSON_LEVEL_SERIES_ATTR].count);
    return err;
}

static enum sg_err
close_series(struct sg_json *json)
{
    enum sg_err err = SG_OK;
    if (json->held.bytes.len > 0)
        err = sg_json_replay(json, &json->held, SG_JSON_PLACE_OBSERVATIONS,
                             SG_JSON_NAME_OBSERVATIONS);
    json->in_series = false;
    if (err != SG_OK || json->blind || json->series_bad ||
        json->series_rows > 0 || json->dead ||
        (!json->series_has_attributes && json->obs.action != SG_ACTION_DELETE))
        return err;
    if (json->groups != NULL) {
        forget_indexes(json, SG_JSON_LEVEL_OBS);
        sg_json_group_apply(json, json->rows + 1);
    }
    sg_json_data_clear(json, SG_JSON_LEVEL_OBS);
    return sg_json_data_alone(json, json->series_line);
}

static enum sg_err
series_member(struct sg_json *json)
{
    bool attributes = json->member == SG_JSON_NAME_ATTRIBUTES;
    uint64_t seen = json->frames[json->depth].seen;
    if (attributes && (json->blind || json->series_bad)) {
        json->next = SG_JSON_PLACE_SKIP;
        return SG_OK;
    }
    if (attributes)
        return json->series_sealed
                   ? sg_json_refuse(json, SG_SLICE("attributes"),
                                    "attributes behind more observations than "
                                    "can wait for them; write them first")
                   : SG_OK;
    if (!json->blind && !json->series_bad &&
        (seen >> SG_JSON_NAME_ATTRIBUTES & 1) == 0 &&
        json->layout->levels[SG_JSON_LEVEL_SERIES_ATTR].count > 0)
        sg_json_record(json, &json->held);
    return SG_OK;
}

// ---- members of data sets -------------------------------------------------------------

static enum sg_err
dataset_member(struct sg_json *json)
{
    enum sg_json_place place = json->next;
    if (json->second && json->obs.dataset < json->first_look) {
        json->next = SG_JSON_PLACE_SKIP;
        return SG_OK;
    }
    for (size_t i = 0; i < SG_JSON_AHEADS; i++) {
        if (aheads[i].name != json->member)
            continue;
        if (json->second ||
            (json->begun && json->blind && i >= SG_JSON_AHEAD_ATTRIBUTES))
            json->next = SG_JSON_PLACE_SKIP; // known from the first reading
        else if (!json->begun)
            sg_json_record(json, &json->ahead[i]);
        return SG_OK;
    }
    if (!json->begun && !json->looking && must_look(json))
        start_looking(json);
    if (json->looking) {
        json->next = SG_JSON_PLACE_SKIP;
        return SG_OK;
    }
    enum sg_json_name member = json->member;
    enum sg_err err = begin_rows(json);
    json->next = place;
    json->member = member;
    json->in_series = false;
    if (err != SG_OK || json->blind || place != SG_JSON_PLACE_OBSERVATIONS)
        return err;
    forget_indexes(json, SG_JSON_LEVEL_SERIES);
    sg_json_data_clear(json, SG_JSON_LEVEL_SERIES);
    sg_json_data_clear(json, SG_JSON_LEVEL_SERIES_ATTR);
    return SG_OK;
}

enum sg_err
sg_json_data_member(struct sg_json *json, enum sg_json_place place)
{
    return place == SG_JSON_PLACE_DATASET ? dataset_member(json)
                                          : series_member(json);
}

// ---- observations ----------------------------------------------------------------------

static enum sg_err
start_observation(struct sg_json *json, struct sg_slice text)
{
    forget_key(json);
    json->rows++;
    json->series_rows++;
    json->dataset_rows++;
    json->row_room.len = 0;
    json->row_line = json->line;
    bool bad = json->blind || json->dataset_bad ||
               (json->in_series && json->series_bad);
    json->next = bad ? SG_JSON_PLACE_SKIP : SG_JSON_PLACE_OBSERVATION;
    if (bad)
        return SG_OK;
    json->row_bad =
        !(json->in_series ? take_key(json, SG_JSON_LEVEL_OBS, text, json->rows)
                          : take_flat_key(json, text));
    if (json->row_bad)
        json->next = SG_JSON_PLACE_SKIP;
    return SG_OK;
}

enum sg_err
sg_json_data_key(struct sg_json *json, enum sg_json_place place,
                 struct sg_slice text)
{
    if (place == SG_JSON_PLACE_OBSERVATIONS)
        return start_observation(json, text);
    if (place == SG_JSON_PLACE_ALL_SERIES)
        return start_series(json, text);
    json->next = SG_JSON_PLACE_GROUP_CELLS;
    return sg_json_group_start(json, text);
}

enum sg_err
sg_json_data_odd(struct sg_json *json, enum sg_json_place place)
{
    bool row = place == SG_JSON_PLACE_OBSERVATIONS;
    sg_json_say(json, SG_FAULT_JSON, row ? json->rows : 0, SG_SLICE(""),
                SG_SLICE(""),
                row                                 ? "an observation is an "
                                                      "array"
                : place == SG_JSON_PLACE_ALL_SERIES ? "a series is an object"
                                                    : "the attributes of a "
                                                      "group are an array");
    json->dataset_bad |= place == SG_JSON_PLACE_GROUPS;
    return SG_OK;
}

// ---- cells ---------------------------------------------------------------------------

enum sg_err
sg_json_data_open(struct sg_json *json, enum sg_json_place place)
{
    enum sg_json_level level = SG_JSON_LEVEL_SERIES_ATTR;
    if (place == SG_JSON_PLACE_DATASET)
        return open_dataset(json);
    json->cell_at = 0;
    if (place == SG_JSON_PLACE_OBSERVATION) {
        json->cells = json->layout->cells;
        json->cell_count = json->layout->cell_count;
        return SG_OK;
    }
    if (place == SG_JSON_PLACE_DATASET_CELLS)
        level = SG_JSON_LEVEL_DATASET_ATTR;
    else if (place == SG_JSON_PLACE_GROUP_CELLS)
        level = SG_JSON_LEVEL_GROUP_ATTR;
    json->cells = json->layout->attrs[level];
    json->cell_count = json->layout->levels[level].count;
    return SG_OK;
}

// Something is wrong with a cell: what it belongs to gives no rows.
static void
cell_wrong(struct sg_json *json, enum sg_json_place place,
           struct sg_slice component)
{
    const struct sg_json_cell *cell = &json->cell;
    bool *bad = place == SG_JSON_PLACE_OBSERVATION    ? &json->row_bad
                : place == SG_JSON_PLACE_SERIES_CELLS ? &json->series_bad
                                                      : &json->dataset_bad;
    uint64_t row = place == SG_JSON_PLACE_OBSERVATION    ? json->rows
                   : place == SG_JSON_PLACE_SERIES_CELLS ? json->rows + 1
                                                         : 0;
    if (!*bad)
        sg_json_say(json, cell->code, row, component, cell->shown, cell->why);
    *bad = true;
}

// Behind the attributes only numbers of annotations may stand.
static void
annotation(struct sg_json *json, enum sg_json_place place)
{
    struct sg_json_cell *cell = &json->cell;
    uint32_t index;
    if (cell->code == SG_FAULT_TABLE_END && cell->value.kind == SG_VALUE_TEXT &&
        sg_json_value_index(sg_obs_value_bytes(&cell->value), &index))
        return;
    cell->code = SG_FAULT_ROW_WIDTH;
    cell->why = "more values than the message has components here, and they "
                "are no numbers of annotations";
    cell->shown = SG_SLICE("");
    cell_wrong(json, place, SG_SLICE(""));
}

enum sg_err
sg_json_data_cell(struct sg_json *json, enum sg_json_place place)
{
    const struct sg_json_cell *cell = &json->cell;
    uint32_t at = json->cell_at++;
    if (at >= json->cell_count) {
        annotation(json, place);
        return SG_OK;
    }
    const struct sg_json_component *c = json->cells[at];
    if (c->component < 0)
        return SG_OK; // said when the structure was bound
    if (cell->code != SG_FAULT_TABLE_END) {
        cell_wrong(json, place, c->id);
        return SG_OK;
    }
    bool there = cell->value.kind != SG_VALUE_ABSENT;
    if (place == SG_JSON_PLACE_GROUP_CELLS) {
        if (json->group != NULL)
            json->group->values[at] = cell->value;
        return SG_OK;
    }
    if (place == SG_JSON_PLACE_SERIES_CELLS)
        json->series_has_attributes |= there;
    if (place == SG_JSON_PLACE_DATASET_CELLS)
        json->dataset_has_attributes |= there;
    sg_json_data_set(json, c->component,
                     there ? &cell->value : sg_json_data_fallback(json, c),
                     cell->lasting || !there);
    return SG_OK;
}

enum sg_err
sg_json_data_row(struct sg_json *json)
{
    if (json->row_bad)
        return SG_OK;
    if (json->groups != NULL &&
        (json->groups_of_obs || !json->in_series || !json->groups_applied))
        sg_json_group_apply(json, json->rows);
    json->groups_applied = true;
    return json->row_bad ? SG_OK : sg_json_data_emit(json, json->row_line);
}

static enum sg_err
close_observation(struct sg_json *json)
{
    set_fallbacks(json, json->cells, json->cell_at, json->cell_count);
    return sg_json_data_row(json);
}

enum sg_err
sg_json_data_close(struct sg_json *json, enum sg_json_place place)
{
    switch ((int)place) {
    case SG_JSON_PLACE_DATASET:
        return close_dataset(json);
    case SG_JSON_PLACE_SERIES:
        return close_series(json);
    case SG_JSON_PLACE_OBSERVATION:
        return close_observation(json);
    case SG_JSON_PLACE_GROUP_CELLS:
        return sg_json_group_end(json);
    default:
        return SG_OK;
    }
}
