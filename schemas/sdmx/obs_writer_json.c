// SDMX-JSON 2.0 and 2.1, flat: each observation under its whole key, with all its
// attributes, which are texts and no indexes. The values of dimensions are known
// when all rows are written, so the structure stands behind the data.
#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/limits.h"
#include "schemas/sdmx/json_names.h"
#include "schemas/sdmx/obs_writer_parts.h"
#include "schemas/sdmx/siphash.h"

// The values of a dimension, in the order of their indexes.
struct values {
    uint32_t count, cap; // of text; slots has twice cap places
    struct sg_slice *text;
    uint32_t *slots; // index + 1; 0: empty
};

struct sg_obs_writer_json {
    bool any;   // a data set was written
    bool comma; // before the next observation
    struct values dims[];
};

// ---- words ---------------------------------------------------------------------

// Within quotes.
static void
put_escaped(struct sg_obs_writer *w, struct sg_slice text)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sg_obs_writer_bytes(w, sg_slice_of(text.ptr + from, i - from));
        from = i + 1;
        if (c >= 0x20) {
            sg_obs_writer_byte(w, '\\');
            sg_obs_writer_byte(w, c);
        } else {
            sg_obs_writer_text(w, "\\u00");
            sg_obs_writer_byte(w, (uint8_t)digits[c >> 4]);
            sg_obs_writer_byte(w, (uint8_t)digits[c & 15]);
        }
    }
    sg_obs_writer_bytes(w, sg_slice_of(text.ptr + from, text.len - from));
}

static void
put_string(struct sg_obs_writer *w, struct sg_slice text)
{
    sg_obs_writer_byte(w, '"');
    put_escaped(w, text);
    sg_obs_writer_byte(w, '"');
}

static void
put_name(struct sg_obs_writer *w, enum sg_json_name name)
{
    put_string(w, sg_slice_text(sg_json_names_text(name)));
    sg_obs_writer_byte(w, ':');
}

static void
put_decimal(struct sg_obs_writer *w, uint32_t n)
{
    uint8_t text[10];
    size_t at = sizeof text;
    do {
        text[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    sg_obs_writer_bytes(w, sg_slice_of(text + at, sizeof text - at));
}

static size_t
digits_at(struct sg_slice text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] >= '0' &&
           text.ptr[at + n] <= '9')
        n++;
    return n;
}

// A number as JSON writes it (RFC 8259, 6): others go as strings.
static bool
is_number(struct sg_slice text)
{
    size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    size_t n = digits_at(text, at);
    if (n == 0 || (n > 1 && text.ptr[at] == '0') ||
        text.len > SG_LIMIT_JSON_NUMBER)
        return false;
    at += n;
    if (at < text.len && text.ptr[at] == '.') {
        n = digits_at(text, ++at);
        at += n;
        if (n == 0)
            return false;
    }
    if (at < text.len && (text.ptr[at] | 0x20) == 'e') {
        at++;
        if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
            at++;
        n = digits_at(text, at);
        at += n;
        if (n == 0)
            return false;
    }
    return at == text.len;
}

// ---- values of dimensions --------------------------------------------------------

static uint32_t *
slot_of(const struct values *v, struct sg_slice text)
{
    static const uint64_t key[2] = {0x6a736f6e20776f72, 0x64732067726f7721};
    uint32_t mask = 2 * v->cap - 1;
    uint32_t at = (uint32_t)sg_siphash_bytes(key, text).low & mask;
    while (v->slots[at] != 0 && !sg_slice_eq(v->text[v->slots[at] - 1], text))
        at = (at + 1) & mask;
    return &v->slots[at];
}

static bool
grow(struct sg_obs_writer *w, struct values *v)
{
    struct values more = {.count = v->count, .cap = v->cap * 2};
    if (more.cap == 0)
        more.cap = 32;
    more.text = sg_arena_take(w->arena, more.cap * sizeof *more.text);
    more.slots = sg_arena_take(w->arena, 2 * more.cap * sizeof *more.slots);
    if (more.text == NULL || more.slots == NULL)
        return false;
    memset(more.slots, 0, 2 * more.cap * sizeof *more.slots);
    for (uint32_t i = 0; i < v->count; i++) {
        more.text[i] = v->text[i];
        *slot_of(&more, v->text[i]) = i + 1;
    }
    *v = more;
    return true;
}

// The index of a value, which is new or not; false: arena full.
static bool
index_of(struct sg_obs_writer *w, uint32_t dim, struct sg_slice text,
         uint32_t *index)
{
    struct values *v = &w->json->dims[dim];
    if (v->count == v->cap && !grow(w, v))
        return false;
    uint32_t *slot = slot_of(v, text);
    if (*slot == 0) {
        struct sg_slice kept = sg_arena_copy(w->arena, text);
        if (kept.ptr == NULL)
            return false;
        v->text[v->count++] = kept;
        *slot = v->count;
    }
    *index = *slot - 1;
    return true;
}

// ---- rows ------------------------------------------------------------------------

static void
put_languages(struct sg_obs_writer *w, struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);
    uint64_t count = sg_bytes_varint(&r);
    sg_obs_writer_byte(w, '{');
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            sg_obs_writer_byte(w, ',');
        put_string(w, sg_bytes_take(&r, sg_bytes_varint(&r)));
        sg_obs_writer_byte(w, ':');
        put_string(w, sg_bytes_take(&r, sg_bytes_varint(&r)));
    }
    sg_obs_writer_byte(w, '}');
}

static void
put_several(struct sg_obs_writer *w, struct sg_slice bytes, bool languages)
{
    struct sg_reader r = sg_reader_on(bytes);
    uint64_t count = sg_bytes_varint(&r);
    sg_obs_writer_byte(w, '[');
    for (uint64_t i = 0; i < count; i++) {
        struct sg_slice item = sg_bytes_take(&r, sg_bytes_varint(&r));
        if (i > 0)
            sg_obs_writer_byte(w, ',');
        if (languages && item.len > 0)
            put_languages(w, item);
        else
            put_string(w, item);
    }
    sg_obs_writer_byte(w, ']');
}

static void
put_value(struct sg_obs_writer *w, const struct sg_value *value, uint32_t i)
{
    const struct sg_component *c = &w->structure->components[i];
    struct sg_slice bytes = sg_obs_value_bytes(value);
    if (value->kind == SG_VALUE_LANGUAGES)
        put_languages(w, bytes);
    else if (value->kind == SG_VALUE_SEVERAL)
        put_several(w, bytes, c->languages);
    else if (value->kind == SG_VALUE_ABSENT)
        sg_obs_writer_text(w, "null");
    else if (c->kind == SG_KIND_MEASURE && is_number(bytes))
        sg_obs_writer_bytes(w, bytes);
    else
        put_string(w, bytes);
}

static enum sg_err
check_row(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct sg_value *v = &obs->values[i];
        if (i < w->dimensions && v->kind != SG_VALUE_TEXT)
            return sg_obs_writer_refuse(
                w, obs, (int32_t)i,
                "an attribute at a part of the key, which is not written as "
                "SDMX-JSON");
        if (v->kind == SG_VALUE_OFF)
            return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                        "SDMX-JSON has no ~ here");
    }
    return SG_OK;
}

static void
close_dataset(struct sg_obs_writer *w)
{
    if (w->dataset_open)
        sg_obs_writer_text(w, "}}");
    w->dataset_open = false;
}

static void
open_dataset(struct sg_obs_writer *w, uint8_t action)
{
    // 2.0 does not know Merge.
    uint8_t sent = action != SG_ACTION_MERGE             ? action
                   : w->options.media == SG_MEDIA_JSON20 ? 'I'
                                                         : 'M';
    close_dataset(w);
    sg_obs_writer_text(w, w->json->any ? ",{" : "{");
    put_name(w, SG_JSON_NAME_STRUCTURE);
    sg_obs_writer_text(w, "0,");
    put_name(w, SG_JSON_NAME_ACTION);
    put_string(w, sg_slice_text(sg_json_names_action(sent)));
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_OBSERVATIONS);
    sg_obs_writer_byte(w, '{');
    w->json->any = w->dataset_open = true;
    w->json->comma = false;
    w->action = action;
}

static enum sg_err
put_key(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    sg_obs_writer_text(w, w->json->comma ? ",\n\"" : "\n\"");
    w->json->comma = true;
    for (uint32_t d = 0; d < w->dimensions; d++) {
        uint32_t index;
        if (!index_of(w, d, sg_obs_value_bytes(&obs->values[d]), &index))
            return SG_ERR_FULL;
        if (d > 0)
            sg_obs_writer_byte(w, ':');
        put_decimal(w, index);
    }
    sg_obs_writer_text(w, "\":[");
    return SG_OK;
}

enum sg_err
sg_obs_writer_json_put(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    enum sg_err err = check_row(w, obs);
    if (err != SG_OK)
        return err;
    if (!w->dataset_open || w->action != obs->action)
        open_dataset(w, obs->action);
    err = put_key(w, obs);
    if (err != SG_OK)
        return err;
    uint32_t end = w->count; // what is absent at the end need not be said
    while (end > w->dimensions && obs->values[end - 1].kind == SG_VALUE_ABSENT)
        end--;
    for (uint32_t i = w->dimensions; i < end; i++) {
        if (i > w->dimensions)
            sg_obs_writer_byte(w, ',');
        put_value(w, &obs->values[i], i);
    }
    sg_obs_writer_byte(w, ']');
    return SG_OK;
}

// ---- around them -------------------------------------------------------------------

static void
put_member(struct sg_obs_writer *w, enum sg_json_name name,
           struct sg_slice text, const char *other)
{
    put_name(w, name);
    put_string(w, text.len > 0 ? text : sg_slice_text(other));
}

enum sg_err
sg_obs_writer_json_begin(struct sg_obs_writer *w)
{
    static const char schema21[] =
        "https://json.sdmx.org/2.1/sdmx-json-data-schema.json";
    static const char schema20[] =
        "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
        "data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json";
    const struct sg_obs_header *h = &w->options.header;
    w->json = sg_arena_take(
        w->arena, sizeof *w->json + w->dimensions * sizeof *w->json->dims);
    if (w->json == NULL)
        return SG_ERR_FULL;
    memset(w->json, 0, sizeof *w->json + w->dimensions * sizeof *w->json->dims);
    sg_obs_writer_byte(w, '{');
    if (w->options.media == SG_MEDIA_JSON21) {
        put_member(w, SG_JSON_NAME_ROOT_SCHEMA, SG_SLICE(schema21), "");
        sg_obs_writer_byte(w, ',');
    }
    put_name(w, SG_JSON_NAME_META);
    sg_obs_writer_byte(w, '{');
    if (w->options.media == SG_MEDIA_JSON20) {
        put_member(w, SG_JSON_NAME_SCHEMA, SG_SLICE(schema20), "");
        sg_obs_writer_byte(w, ',');
    }
    put_member(w, SG_JSON_NAME_ID, h->id, "statgate");
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_TEST);
    sg_obs_writer_text(w, h->test ? "true," : "false,");
    put_member(w, SG_JSON_NAME_PREPARED, h->prepared, "1970-01-01T00:00:00Z");
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_SENDER);
    sg_obs_writer_byte(w, '{');
    put_member(w, SG_JSON_NAME_ID, h->sender, "statgate");
    sg_obs_writer_text(w, "}},\n");
    put_name(w, SG_JSON_NAME_DATA);
    sg_obs_writer_byte(w, '{');
    put_name(w, SG_JSON_NAME_DATASETS);
    sg_obs_writer_byte(w, '[');
    return SG_OK;
}

static void
put_link(struct sg_obs_writer *w)
{
    const struct sg_obs_ref *ref = &w->options.ref;
    static const char *const classes[] = {
        [SG_OBS_REF_DATAFLOW] = "datastructure.Dataflow=",
        [SG_OBS_REF_DATASTRUCTURE] = "datastructure.DataStructure=",
        [SG_OBS_REF_DATAPROVISION] = "registry.ProvisionAgreement=",
    };
    const char *rel = sg_json_names_rel(ref->kind);
    SG_ASSERT(ref->kind < SG_COUNT_OF(classes) && rel != NULL);
    put_name(w, SG_JSON_NAME_LINKS);
    sg_obs_writer_text(w, "[{");
    put_member(w, SG_JSON_NAME_REL, sg_slice_text(rel), "");
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_URN);
    sg_obs_writer_text(w, "\"urn:sdmx:org.sdmx.infomodel.");
    sg_obs_writer_text(w, classes[ref->kind]);
    put_escaped(w, ref->agency);
    sg_obs_writer_byte(w, ':');
    put_escaped(w, ref->id);
    sg_obs_writer_byte(w, '(');
    put_escaped(w, ref->version.len > 0 ? ref->version : SG_SLICE("1.0"));
    sg_obs_writer_text(w, ")\"}],\n");
}

// Id and name, which the schemas want: the structure keeps names of codes alone.
static void
put_id(struct sg_obs_writer *w, const struct sg_component *c)
{
    put_member(w, SG_JSON_NAME_ID, c->id, "");
    sg_obs_writer_byte(w, ',');
    put_member(w, SG_JSON_NAME_NAME, c->id, "");
}

static void
put_dimension_value(struct sg_obs_writer *w, uint32_t d, struct sg_slice text)
{
    const struct sg_component *c = &w->structure->components[d];
    int32_t code = c->list >= 0 ? sg_structure_code(w->structure, d, text) : -1;
    sg_obs_writer_byte(w, '{');
    if (code < 0) {
        put_member(w, SG_JSON_NAME_VALUE, text, "");
    } else {
        struct sg_slice name = sg_structure_code_name(
            w->structure, (uint32_t)c->list, (uint32_t)code, SG_SLICE("en"));
        put_member(w, SG_JSON_NAME_ID, text, "");
        sg_obs_writer_byte(w, ',');
        put_member(w, SG_JSON_NAME_NAME, name.len > 0 ? name : text, "");
    }
    sg_obs_writer_byte(w, '}');
}

static void
put_dimension(struct sg_obs_writer *w, uint32_t d)
{
    const struct values *v = &w->json->dims[d];
    const struct sg_component *c = &w->structure->components[d];
    sg_obs_writer_text(w, d > 0 ? ",\n{" : "\n{");
    put_id(w, c);
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_KEY_POSITION);
    put_decimal(w, d);
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_VALUES);
    sg_obs_writer_byte(w, '[');
    for (uint32_t i = 0; i < v->count; i++) {
        if (i > 0)
            sg_obs_writer_byte(w, ',');
        put_dimension_value(w, d, v->text[i]);
    }
    sg_obs_writer_text(w, "]}");
}

// The components of a kind, which follow each other.
static void
put_components(struct sg_obs_writer *w, enum sg_json_name name, bool measures)
{
    bool comma = false;
    put_name(w, name);
    sg_obs_writer_byte(w, '{');
    put_name(w, SG_JSON_NAME_OBSERVATION);
    sg_obs_writer_byte(w, '[');
    for (uint32_t i = w->dimensions; i < w->count; i++) {
        const struct sg_component *c = &w->structure->components[i];
        if ((c->kind == SG_KIND_MEASURE) != measures)
            continue;
        sg_obs_writer_text(w, comma ? ",{" : "{");
        comma = true;
        put_id(w, c);
        sg_obs_writer_byte(w, '}');
    }
    sg_obs_writer_text(w, "]}");
}

enum sg_err
sg_obs_writer_json_end(struct sg_obs_writer *w)
{
    close_dataset(w);
    sg_obs_writer_text(w, "],\n");
    put_name(w, SG_JSON_NAME_STRUCTURES);
    sg_obs_writer_text(w, "[{");
    put_link(w);
    put_member(w, SG_JSON_NAME_NAME, w->structure->id, "");
    sg_obs_writer_byte(w, ',');
    put_name(w, SG_JSON_NAME_DIMENSIONS);
    sg_obs_writer_byte(w, '{');
    put_name(w, SG_JSON_NAME_OBSERVATION);
    sg_obs_writer_byte(w, '[');
    for (uint32_t d = 0; d < w->dimensions; d++)
        put_dimension(w, d);
    sg_obs_writer_text(w, "]},\n");
    put_components(w, SG_JSON_NAME_MEASURES, true);
    sg_obs_writer_text(w, ",\n");
    put_components(w, SG_JSON_NAME_ATTRIBUTES, false);
    sg_obs_writer_text(w, "}]}}\n");
    return SG_OK;
}
