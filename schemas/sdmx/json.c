#include "schemas/sdmx/json.h"

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

// ---- the shape of a message --------------------------------------------------

enum shape { ANY, SCALAR, OBJECT, ARRAY };

// What a place is, and what the elements of an array are.
static const struct {
    enum shape shape;
    enum sg_json_place element;
    const char *odd; // something else stands there
} places[] = {
    [SG_JSON_PLACE_SKIP] = {ANY, SG_JSON_PLACE_SKIP, NULL},
    [SG_JSON_PLACE_TEXT] = {SCALAR, SG_JSON_PLACE_SKIP,
                            "a text or a number must stand here"},
    [SG_JSON_PLACE_CELL] = {ANY, SG_JSON_PLACE_SKIP, NULL},
    [SG_JSON_PLACE_STRAY] = {SCALAR, SG_JSON_PLACE_SKIP,
                             "no such member stands in the data, and nothing "
                             "of it would be read"},
#define O(name)    [SG_JSON_PLACE_##name] = {OBJECT, SG_JSON_PLACE_SKIP, object}
#define A(name, e) [SG_JSON_PLACE_##name] = {ARRAY, SG_JSON_PLACE_##e, array}
#define object     "an object must stand here"
#define array      "an array must stand here"
    O(ROOT),
    O(META),
    O(SENDER),
    O(DATA),
    O(STRUCTURE),
    O(LINK),
    O(DIMENSIONS),
    O(MEASURES),
    O(ATTRIBUTES),
    O(COMPONENT),
    O(VALUE),
    O(RELATION),
    O(ERROR),
    O(DATASET),
    O(ALL_SERIES),
    O(SERIES),
    O(OBSERVATIONS),
    O(GROUPS),
    A(STRUCTURES, STRUCTURE),
    A(LINKS, LINK),
    A(COMPONENTS, COMPONENT),
    A(VALUES, VALUE),
    A(RELATION_IDS, TEXT),
    A(ERRORS, ERROR),
    A(DATASETS, DATASET),
    A(OBSERVATION, CELL),
    A(SERIES_CELLS, CELL),
    A(DATASET_CELLS, CELL),
    A(GROUP_CELLS, CELL),
#undef O
#undef A
#undef object
#undef array
};

// Which members of which object we read, and what they are. Others are no data.
static const struct {
    uint8_t place, name, opens;
} members[] = {
#define M(place, name, opens)                                                  \
    {                                                                          \
        SG_JSON_PLACE_##place, SG_JSON_NAME_##name, SG_JSON_PLACE_##opens      \
    }
    M(ROOT, ROOT_SCHEMA, TEXT),
    M(ROOT, META, META),
    M(ROOT, HEADER, META),
    M(ROOT, DATA, DATA),
    M(ROOT, STRUCTURE, STRUCTURE),
    M(ROOT, STRUCTURES, STRUCTURES),
    M(ROOT, DATASETS, DATASETS),
    M(ROOT, ERRORS, ERRORS),
    M(META, ID, TEXT),
    M(META, PREPARED, TEXT),
    M(META, TEST, TEXT),
    M(META, SENDER, SENDER),
    M(SENDER, ID, TEXT),
    M(DATA, STRUCTURE, STRUCTURE),
    M(DATA, STRUCTURES, STRUCTURES),
    M(DATA, DATASETS, DATASETS),
    M(ERROR, CODE, TEXT),
    M(ERROR, TITLE, TEXT),
    M(STRUCTURE, LINKS, LINKS),
    M(STRUCTURE, DIMENSIONS, DIMENSIONS),
    M(STRUCTURE, MEASURES, MEASURES),
    M(STRUCTURE, ATTRIBUTES, ATTRIBUTES),
    M(LINK, REL, TEXT),
    M(LINK, URN, TEXT),
    M(LINK, HREF, TEXT),
    M(DIMENSIONS, DATASET, COMPONENTS),
    M(DIMENSIONS, DATASET_DRAFT, COMPONENTS),
    M(DIMENSIONS, SERIES, COMPONENTS),
    M(DIMENSIONS, OBSERVATION, COMPONENTS),
    M(MEASURES, OBSERVATION, COMPONENTS),
    M(ATTRIBUTES, DATASET, COMPONENTS),
    M(ATTRIBUTES, DATASET_DRAFT, COMPONENTS),
    M(ATTRIBUTES, DIMENSION_GROUP, COMPONENTS),
    M(ATTRIBUTES, SERIES, COMPONENTS),
    M(ATTRIBUTES, OBSERVATION, COMPONENTS),
    M(COMPONENT, ID, TEXT),
    M(COMPONENT, KEY_POSITION, TEXT),
    M(COMPONENT, DEFAULT, CELL),
    M(COMPONENT, VALUES, VALUES),
    M(COMPONENT, RELATIONSHIP, RELATION),
    M(RELATION, DIMENSIONS, RELATION_IDS),
    M(VALUE, ID, TEXT),
    M(VALUE, NAME, TEXT),
    M(VALUE, VALUE, CELL),
    M(VALUE, VALUES, CELL),
    M(DATASET, STRUCTURE, TEXT),
    M(DATASET, ACTION, TEXT),
    M(DATASET, ATTRIBUTES, DATASET_CELLS),
    M(DATASET, GROUP_ATTRIBUTES, GROUPS),
    M(DATASET, SERIES, ALL_SERIES),
    M(DATASET, OBSERVATIONS, OBSERVATIONS),
    M(SERIES, ATTRIBUTES, SERIES_CELLS),
    M(SERIES, OBSERVATIONS, OBSERVATIONS),
#undef M
};

// ---- saying --------------------------------------------------------------------

void
sg_json_say(struct sg_json *json, enum sg_fault_code code, uint64_t row,
            struct sg_slice component, struct sg_slice value, const char *hint)
{
    struct sg_fault fault = {.code = code,
                             .component = component,
                             .value = value,
                             .hint = sg_slice_text(hint),
                             .row = row,
                             .line = json->line};
    json->sink.fault(json->sink.context, &fault);
}

enum sg_err
sg_json_refuse(struct sg_json *json, struct sg_slice value, const char *hint)
{
    json->dead = true;
    sg_json_say(json, SG_FAULT_JSON, 0, SG_SLICE(""), value, hint);
    return SG_OK;
}

uint8_t *
sg_json_room(struct sg_json *json, struct sg_json_buffer *room, size_t len)
{
    if (room->cap - room->len < len) {
        size_t cap = room->cap < 4096 ? 4096 : room->cap * 2;
        if (cap > 1u << 20)
            cap = 1u << 20;
        if (cap < len)
            cap = len;
        // What lies in the old piece stays valid: the arena keeps it.
        uint8_t *piece = sg_arena_room(json->arena, cap);
        if (piece == NULL)
            return NULL;
        *room = (struct sg_json_buffer){piece, 0, cap};
    }
    uint8_t *at = room->ptr + room->len;
    room->len += len;
    return at;
}

struct sg_slice
sg_json_copy(struct sg_json *json, struct sg_json_buffer *room,
             struct sg_slice bytes)
{
    if (bytes.len == 0)
        return SG_SLICE("");
    uint8_t *at = sg_json_room(json, room, bytes.len);
    if (at == NULL)
        return (struct sg_slice){NULL, 0};
    memcpy(at, bytes.ptr, bytes.len);
    return sg_slice_of(at, bytes.len);
}

// ---- tapes ---------------------------------------------------------------------

static enum sg_err
tape_put(struct sg_json *json, enum sg_json_token token, struct sg_slice text)
{
    struct sg_json_tape *tape = json->tape;
    size_t most = text.len + 21;
    if (!sg_json_scan_room(json->arena, &tape->bytes, most))
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(tape->bytes.ptr + tape->bytes.len, most);
    sg_bytes_put_u8(&w, (uint8_t)token);
    sg_bytes_put_varint(&w, json->line - tape->line);
    sg_bytes_put_varint(&w, text.len);
    sg_bytes_put(&w, text.ptr, text.len);
    tape->bytes.len += w.len;
    tape->line = json->line;
    return SG_OK;
}

void
sg_json_record(struct sg_json *json, struct sg_json_tape *tape)
{
    tape->bytes.len = 0;
    tape->line = 0;
    json->tape = tape;
    json->tape_depth = 0;
}

enum sg_err
sg_json_replay(struct sg_json *json, struct sg_json_tape *tape,
               enum sg_json_place next, enum sg_json_name member)
{
    struct sg_reader r =
        sg_reader_on(sg_slice_of(tape->bytes.ptr, tape->bytes.len));
    uint64_t line = json->line;
    enum sg_err err = SG_OK;
    json->next = next;
    json->member = member;
    json->line = 0;
    tape->bytes.len = 0;
    while (r.len > 0 && err == SG_OK && !json->dead) {
        enum sg_json_token token = (enum sg_json_token)sg_bytes_u8(&r);
        json->line += sg_bytes_varint(&r);
        uint64_t len = sg_bytes_varint(&r);
        err = sg_json_take(json, token, sg_bytes_take(&r, len));
    }
    json->line = line;
    return err;
}

// A series whose observations are too many to wait for its attributes.
static enum sg_err
stop_waiting(struct sg_json *json)
{
    json->tape = NULL;
    json->series_sealed = true;
    return sg_json_replay(json, &json->held, SG_JSON_PLACE_OBSERVATIONS,
                          SG_JSON_NAME_OBSERVATIONS);
}

static enum sg_err
record(struct sg_json *json, enum sg_json_token token, struct sg_slice text)
{
    struct sg_json_tape *tape = json->tape;
    enum sg_err err = tape_put(json, token, text);
    if (err != SG_OK)
        return err;
    if (token == SG_JSON_OBJECT || token == SG_JSON_ARRAY)
        json->tape_depth++;
    if (token == SG_JSON_OBJECT_END || token == SG_JSON_ARRAY_END)
        json->tape_depth--;
    if (json->tape_depth == 0)
        json->tape = NULL;
    else if (tape == &json->held && tape->bytes.len > SG_LIMIT_JSON_SERIES)
        return stop_waiting(json);
    else if (tape->bytes.len > SG_LIMIT_JSON_AHEAD)
        return sg_json_refuse(json, SG_SLICE(""),
                              "more attributes of data sets and groups than "
                              "are accepted in one message");
    return SG_OK;
}

// ---- header and errors -----------------------------------------------------------

static enum sg_err
take_schema(struct sg_json *json, struct sg_slice text)
{
    static const char version[] = "/2.1";
    for (size_t i = 0; i + sizeof version - 1 <= text.len; i++)
        if (memcmp(text.ptr + i, version, sizeof version - 1) == 0)
            json->media = SG_MEDIA_JSON21;
    return SG_OK;
}

static enum sg_err
take_header(struct sg_json *json, struct sg_slice text)
{
    struct sg_slice *out = NULL;
    if (json->frames[json->depth].place == SG_JSON_PLACE_SENDER)
        out = &json->header.sender;
    else if (json->member == SG_JSON_NAME_ID)
        out = &json->header.id;
    else if (json->member == SG_JSON_NAME_PREPARED)
        out = &json->header.prepared;
    if (out == NULL)
        return SG_OK;
    *out = sg_arena_copy(json->arena, text);
    return out->ptr == NULL ? SG_ERR_FULL : SG_OK;
}

static enum sg_err
take_error(struct sg_json *json, struct sg_slice text)
{
    if (text.len > SG_LIMIT_TEXT)
        text.len = 0;
    if (json->member == SG_JSON_NAME_CODE) {
        json->error_code = 0;
        json->error.len = 0;
    }
    if (!sg_json_scan_room(json->arena, &json->error, text.len + 1))
        return SG_ERR_FULL;
    memcpy(json->error.ptr + json->error.len, text.ptr, text.len);
    json->error.len += text.len;
    if (json->member == SG_JSON_NAME_CODE)
        json->error_code = text.len;
    return SG_OK;
}

static void
say_error(struct sg_json *json)
{
    struct sg_fault fault = {
        .code = SG_FAULT_FOOTER,
        .warning = true,
        .value = sg_slice_of(json->error.ptr, json->error_code),
        .hint = sg_slice_of(json->error.ptr + json->error_code,
                            json->error.len - json->error_code),
        .line = json->line};
    json->sink.fault(json->sink.context, &fault);
    json->error.len = json->error_code = 0;
}

static enum sg_err
take_text(struct sg_json *json, enum sg_json_place place,
          enum sg_json_token token, struct sg_slice text)
{
    switch ((int)place) {
    case SG_JSON_PLACE_ROOT:
        return take_schema(json, text);
    case SG_JSON_PLACE_META:
        if (json->member == SG_JSON_NAME_TEST)
            json->header.test = token == SG_JSON_TRUE;
        return take_header(json, text);
    case SG_JSON_PLACE_SENDER:
        return take_header(json, text);
    case SG_JSON_PLACE_ERROR:
        return take_error(json, text);
    case SG_JSON_PLACE_DATASET:
        return sg_json_data_text(json, token, text);
    default:
        return sg_json_layout_text(json, place, token, text);
    }
}

// ---- the walk --------------------------------------------------------------------

static enum sg_err
opened(struct sg_json *json, enum sg_json_place place)
{
    switch ((int)place) {
    case SG_JSON_PLACE_STRUCTURE:
    case SG_JSON_PLACE_STRUCTURES:
    case SG_JSON_PLACE_LINK:
    case SG_JSON_PLACE_COMPONENTS:
    case SG_JSON_PLACE_COMPONENT:
    case SG_JSON_PLACE_VALUES:
    case SG_JSON_PLACE_VALUE:
        return sg_json_layout_open(json, place);
    case SG_JSON_PLACE_DATASETS:
        if (json->datasets_seen)
            return sg_json_refuse(json, SG_SLICE("dataSets"),
                                  "the member stands twice");
        json->datasets_seen = true;
        return SG_OK;
    case SG_JSON_PLACE_OBSERVATIONS:
        json->scan.members = json->fast != NULL;
        return SG_OK;
    case SG_JSON_PLACE_DATASET:
    case SG_JSON_PLACE_OBSERVATION:
    case SG_JSON_PLACE_SERIES_CELLS:
    case SG_JSON_PLACE_DATASET_CELLS:
    case SG_JSON_PLACE_GROUP_CELLS:
        return sg_json_data_open(json, place);
    default:
        return SG_OK;
    }
}

static enum sg_err
closed(struct sg_json *json, enum sg_json_place place)
{
    switch ((int)place) {
    case SG_JSON_PLACE_OBSERVATIONS:
        json->scan.members = false;
        return SG_OK;
    case SG_JSON_PLACE_META:
        if (json->sink.header != NULL)
            json->sink.header(json->sink.context, &json->header);
        return SG_OK;
    case SG_JSON_PLACE_ERROR:
        say_error(json);
        return SG_OK;
    case SG_JSON_PLACE_STRUCTURE:
    case SG_JSON_PLACE_STRUCTURES:
    case SG_JSON_PLACE_LINK:
    case SG_JSON_PLACE_COMPONENT:
    case SG_JSON_PLACE_VALUE:
        return sg_json_layout_close(json, place);
    case SG_JSON_PLACE_DATASET:
    case SG_JSON_PLACE_SERIES:
    case SG_JSON_PLACE_OBSERVATION:
    case SG_JSON_PLACE_SERIES_CELLS:
    case SG_JSON_PLACE_DATASET_CELLS:
    case SG_JSON_PLACE_GROUP_CELLS:
        return sg_json_data_close(json, place);
    default:
        return SG_OK;
    }
}

// The cell that was open, or a value that is none, is whole.
static enum sg_err
cell_done(struct sg_json *json)
{
    enum sg_json_place place =
        (enum sg_json_place)json->frames[json->depth].place;
    if (place == SG_JSON_PLACE_COMPONENT || place == SG_JSON_PLACE_VALUE)
        return sg_json_layout_cell(json);
    return sg_json_data_cell(json, place);
}

static enum sg_err
take_cell(struct sg_json *json, enum sg_json_token token, struct sg_slice text)
{
    if (!json->cell.open) {
        enum sg_json_place place =
            (enum sg_json_place)json->frames[json->depth].place;
        struct sg_json_buffer *room = &json->row_room;
        const struct sg_json_component *of = NULL;
        if (place == SG_JSON_PLACE_COMPONENT || place == SG_JSON_PLACE_VALUE)
            room = &json->lasting;
        else if (json->cell_at < json->cell_count)
            of = json->cells[json->cell_at];
        if (place == SG_JSON_PLACE_GROUP_CELLS)
            room = &json->lasting;
        else if (place == SG_JSON_PLACE_SERIES_CELLS)
            room = &json->series_room;
        else if (place == SG_JSON_PLACE_DATASET_CELLS)
            room = &json->dataset_room;
        sg_json_value_begin(json, room, of, of != NULL && of->listed);
    }
    enum sg_err err = sg_json_value_take(json, token, text);
    return err != SG_OK || json->cell.open ? err : cell_done(json);
}

static bool
takes_keys(enum sg_json_place place)
{
    return place == SG_JSON_PLACE_OBSERVATIONS ||
           place == SG_JSON_PLACE_ALL_SERIES || place == SG_JSON_PLACE_GROUPS;
}

// Only the data are of interest when they are read at last.
static bool
of_first_reading(const struct sg_json *json, enum sg_json_place opens)
{
    return json->second && opens != SG_JSON_PLACE_DATA &&
           opens != SG_JSON_PLACE_DATASETS;
}

// Of a member of the data that is not read: a text is passed over, what could
// be figures is not, but for what is known to be none.
static enum sg_json_place
unread(enum sg_json_place place, struct sg_slice name)
{
    bool data = place == SG_JSON_PLACE_DATASET || place == SG_JSON_PLACE_SERIES;
    return data && !sg_slice_eq(name, SG_SLICE("annotations")) &&
                   !sg_slice_eq(name, SG_SLICE("links"))
               ? SG_JSON_PLACE_STRAY
               : SG_JSON_PLACE_SKIP;
}

static enum sg_err
take_name(struct sg_json *json, struct sg_slice text)
{
    struct sg_json_frame *frame = &json->frames[json->depth];
    enum sg_json_place place = (enum sg_json_place)frame->place;
    if (takes_keys(place))
        return sg_json_data_key(json, place, text);
    json->next = SG_JSON_PLACE_SKIP;
    enum sg_json_name name = sg_json_names_find(text);
    for (size_t i = 0; i < SG_COUNT_OF(members); i++)
        if (members[i].place == place && members[i].name == name)
            json->next = (enum sg_json_place)members[i].opens;
    if (json->next == SG_JSON_PLACE_SKIP) {
        json->next = unread(place, text);
        return SG_OK;
    }
    if ((frame->seen >> name & 1) != 0)
        return sg_json_refuse(json, text, "the member stands twice");
    frame->seen |= 1ull << name;
    json->member = name;
    if (place == SG_JSON_PLACE_DATASET || place == SG_JSON_PLACE_SERIES)
        return sg_json_data_member(json, place);
    if ((place == SG_JSON_PLACE_ROOT || place == SG_JSON_PLACE_DATA) &&
        of_first_reading(json, json->next))
        json->next = SG_JSON_PLACE_SKIP;
    return SG_OK;
}

// What the value is that begins now.
static enum sg_json_place
place_of_value(const struct sg_json *json)
{
    if (json->depth == 0)
        return SG_JSON_PLACE_ROOT;
    enum sg_json_place open =
        (enum sg_json_place)json->frames[json->depth].place;
    return places[open].shape == ARRAY ? places[open].element : json->next;
}

static enum sg_err
odd(struct sg_json *json, enum sg_json_place place, struct sg_slice text)
{
    enum sg_json_place open =
        (enum sg_json_place)json->frames[json->depth].place;
    if (json->depth > 0 && takes_keys(open))
        return sg_json_data_odd(json, open);
    return sg_json_refuse(json, text, places[place].odd);
}

static enum sg_err
take_open(struct sg_json *json, enum sg_json_token token)
{
    enum sg_json_place place = place_of_value(json);
    enum shape shape = token == SG_JSON_OBJECT ? OBJECT : ARRAY;
    if (places[place].shape == shape) {
        json->frames[++json->depth] =
            (struct sg_json_frame){.place = (uint8_t)place};
        return opened(json, place);
    }
    if (place == SG_JSON_PLACE_CELL)
        return take_cell(json, token, SG_SLICE(""));
    json->skip = 1;
    return place == SG_JSON_PLACE_SKIP ? SG_OK : odd(json, place, SG_SLICE(""));
}

static enum sg_err
take_close(struct sg_json *json)
{
    enum sg_err err =
        closed(json, (enum sg_json_place)json->frames[json->depth].place);
    json->depth--;
    return err;
}

static enum sg_err
take_scalar(struct sg_json *json, enum sg_json_token token,
            struct sg_slice text)
{
    enum sg_json_place place = place_of_value(json);
    enum sg_json_place open =
        (enum sg_json_place)json->frames[json->depth].place;
    if (place == SG_JSON_PLACE_SKIP || place == SG_JSON_PLACE_STRAY)
        return SG_OK;
    if (place == SG_JSON_PLACE_CELL)
        return take_cell(json, token, text);
    if (open == SG_JSON_PLACE_VALUES || open == SG_JSON_PLACE_RELATION_IDS)
        return sg_json_layout_item(json, open, token, text);
    if (token == SG_JSON_NULL && !takes_keys(open) && json->depth > 0)
        return SG_OK; // as if it were not there
    if (place == SG_JSON_PLACE_TEXT)
        return take_text(json, open, token, text);
    return odd(json, place, text);
}

enum sg_err
sg_json_take(struct sg_json *json, enum sg_json_token token,
             struct sg_slice text)
{
    if (json->tape != NULL)
        return record(json, token, text);
    if (json->skip > 0) {
        json->skip += token == SG_JSON_OBJECT || token == SG_JSON_ARRAY;
        json->skip -= token == SG_JSON_OBJECT_END || token == SG_JSON_ARRAY_END;
        return SG_OK;
    }
    if (json->cell.open)
        return take_cell(json, token, text);
    switch (token) {
    case SG_JSON_NAME:
        return take_name(json, text);
    case SG_JSON_OBJECT:
    case SG_JSON_ARRAY:
        return take_open(json, token);
    case SG_JSON_OBJECT_END:
    case SG_JSON_ARRAY_END:
        return take_close(json);
    case SG_JSON_STRING:
    case SG_JSON_NUMBER:
    case SG_JSON_TRUE:
    case SG_JSON_FALSE:
    case SG_JSON_NULL:
        break;
    }
    return take_scalar(json, token, text);
}

// ---- reader ------------------------------------------------------------------------

static enum sg_err
on_token(void *user, enum sg_json_token token, struct sg_slice text)
{
    struct sg_json *json = user;
    if (json->dead)
        return SG_OK;
    json->line = json->scan.line;
    return sg_json_take(json, token, text);
}

static size_t
on_member(void *user, struct sg_slice bytes, uint64_t *lines, enum sg_err *err)
{
    struct sg_json *json = user;
    json->line = json->scan.line;
    return sg_json_fast_member(json, bytes, lines, err);
}

struct sg_json *
sg_json_new(struct sg_arena *arena, const struct sg_obs_sink *sink,
            uint64_t salt, bool portable)
{
    static const struct sg_json_events events = {on_token, on_member};
    struct sg_json *json = sg_arena_take(arena, sizeof *json);
    if (json == NULL)
        return NULL;
    json->arena = arena;
    json->sink = *sink;
    json->salt = salt;
    json->groups_end = &json->groups;
    json->looks_end = &json->looks;
    sg_json_scan_init(&json->scan, arena, &events, json);
    if (portable)
        return json;
    json->fast = sg_arena_take(arena, sizeof *json->fast);
    return json->fast == NULL ? NULL : json;
}

// The text itself is refused: one fault, and no more is read.
static enum sg_err
refuse(struct sg_json *json, enum sg_err err)
{
    enum sg_fault_code code = SG_FAULT_JSON;
    char hint[160];
    if (json->scan.fault == SG_JSON_FAULT_NONE)
        return err; // a callback's
    if (json->scan.fault == SG_JSON_FAULT_ENCODING)
        code = SG_FAULT_ENCODING;
    else if (json->scan.fault == SG_JSON_FAULT_EMPTY)
        code = SG_FAULT_EMPTY;
    // One line is all that many messages have.
    snprintf(hint, sizeof hint, "byte %llu: %s",
             (unsigned long long)json->scan.at + 1, json->scan.why);
    json->dead = true;
    json->line = json->scan.line;
    sg_json_say(json, code, 0, SG_SLICE(""), SG_SLICE(""), hint);
    return SG_OK;
}

enum sg_err
sg_json_feed(struct sg_json *json, struct sg_slice bytes)
{
    if (json->dead)
        return SG_OK;
    enum sg_err err = sg_json_scan_feed(&json->scan, bytes);
    return err == SG_OK ? SG_OK : refuse(json, err);
}

static void
on_twice(void *context, uint64_t row, uint64_t line)
{
    struct sg_json *json = context;
    (void)row;
    json->line = line;
    sg_json_say(json, SG_FAULT_JSON, 0, SG_SLICE("series"), SG_SLICE(""),
                "the series stands twice in its data set");
}

// No data set: the structure named must be known all the same.
static enum sg_err
end_without_data(struct sg_json *json)
{
    if (json->layout_count == 0) {
        sg_json_say(json, SG_FAULT_HEADER, 0, SG_SLICE(""), SG_SLICE(""),
                    json->datasets_seen
                        ? "no structure to read the data by"
                        : "no data message of SDMX-JSON: it has no dataSets");
        return SG_OK;
    }
    return json->obs.dataset > 0 ? SG_OK : sg_json_bind(json, json->layouts[0]);
}

enum sg_err
sg_json_end(struct sg_json *json)
{
    if (json->dead)
        return SG_OK;
    enum sg_err err = sg_json_scan_end(&json->scan);
    if (err != SG_OK)
        return refuse(json, err);
    if (json->looking && json->layout_count > 0)
        return SG_OK; // sg_json_again
    if (json->series_seen != NULL)
        err = sg_keylog_twice(json->series_seen, on_twice, json);
    return err == SG_OK ? end_without_data(json) : err;
}

bool
sg_json_again(struct sg_json *json)
{
    if (json->dead || !json->looking || json->layout_count == 0)
        return false;
    sg_json_scan_again(&json->scan);
    json->looking = json->datasets_seen = false;
    json->second = true;
    json->look_at = json->looks;
    json->obs.dataset = 0;
    return true;
}

uint64_t
sg_json_rows(const struct sg_json *json)
{
    return json->rows;
}

enum sg_media
sg_json_media(const struct sg_json *json)
{
    return json->media;
}
