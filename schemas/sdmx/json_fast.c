#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

// Observations are most of a message and look alike: a key, an array of plain
// values. One that lies whole in the bytes at hand is read here at once; with
// whatever else it holds, and whatever is wrong with it, the walk over tokens
// begins again at its first byte. So this changes nothing but the speed.

enum {
    LONGEST = 4096, // bytes of a text or a number taken here
    DIGITS = 9,     // of an index taken here
};

struct bytes {
    const uint8_t *at, *end;
    uint64_t lines;
};

// The next byte that is no white space; false: there is none.
static inline bool
next_is(struct bytes *b, uint8_t wanted)
{
    while (b->at < b->end && *b->at <= ' ') {
        if (*b->at == '\n')
            b->lines++;
        else if (*b->at != ' ' && *b->at != '\t' && *b->at != '\r')
            return false;
        b->at++;
    }
    return b->at < b->end && *b->at == wanted;
}

static inline bool
take_byte(struct bytes *b, uint8_t wanted)
{
    if (!next_is(b, wanted))
        return false;
    b->at++;
    return true;
}

// Decimal without sign and leading zeros.
static inline bool
take_index(struct bytes *b, uint32_t *index)
{
    const uint8_t *from = b->at;
    uint32_t value = 0;
    while (b->at < b->end && (uint8_t)(*b->at - '0') <= 9 &&
           b->at - from < DIGITS)
        value = value * 10 + (uint32_t)(*b->at++ - '0');
    *index = value;
    return b->at > from && (*from != '0' || b->at - from == 1);
}

// How many bytes are those of the key before.
static inline uint32_t
common(const struct sg_json_fast *fast, const struct bytes *b)
{
    size_t left = (size_t)(b->end - b->at);
    uint32_t most = left < fast->key_len ? (uint32_t)left : fast->key_len;
    uint32_t n = 0;
    uint64_t x, y;
    for (; n + 8 <= most; n += 8) {
        memcpy(&x, fast->key + n, 8);
        memcpy(&y, b->at + n, 8);
        if (x != y)
            return n + (uint32_t)__builtin_ctzll(x ^ y) / 8;
    }
    while (n < most && fast->key[n] == b->at[n])
        n++;
    return n;
}

// The indexes of a key, in quotes, each of a value that there is. Keys begin
// alike: only what differs from the one before is looked at.
static inline bool
take_key(struct bytes *b, const struct sg_json_components *level,
         struct sg_json_fast *fast)
{
    uint32_t i = 0, from = 0;
    if (level->count == 0 || b->end - b->at < 2 || *b->at++ != '"')
        return false;
    const uint8_t *start = b->at;
    if (fast->same && level->count > 1) {
        uint32_t alike = common(fast, b);
        for (i = level->count - 1; i > 0 && fast->behind[i - 1] > alike; i--)
            ;
        from = i > 0 ? fast->behind[i - 1] : 0;
    }
    b->at = start + from;
    fast->first = i;
    fast->same = false;
    for (; i < level->count; i++) {
        if (!take_index(b, &fast->index[i]) ||
            fast->index[i] >= level->at[i].count || b->at == b->end)
            return false;
        uint8_t behind = i + 1 < level->count ? ':' : '"';
        if (*b->at++ != behind)
            return false;
        fast->behind[i] = (uint32_t)(b->at - start);
    }
    fast->key_len = fast->behind[level->count - 1];
    if (fast->key_len > sizeof fast->key)
        return false;
    memcpy(fast->key + from, start + from, fast->key_len - from);
    return true;
}

// A number without an exponent, as it is written.
static inline bool
take_number(struct bytes *b, struct sg_value *value)
{
    const uint8_t *from = b->at, *first;
    b->at += *b->at == '-';
    first = b->at;
    while (b->at < b->end && (uint8_t)(*b->at - '0') <= 9)
        b->at++;
    if (b->at == first || (*first == '0' && b->at - first > 1) ||
        b->at == b->end)
        return false;
    if (*b->at == '.') {
        first = ++b->at;
        while (b->at < b->end && (uint8_t)(*b->at - '0') <= 9)
            b->at++;
        if (b->at == first || b->at == b->end)
            return false;
    }
    if (b->at - from > (ptrdiff_t)SG_LIMIT_JSON_NUMBER)
        return false;
    *value = (struct sg_value){from, (uint32_t)(b->at - from), SG_VALUE_TEXT};
    return *b->at == ',' || *b->at == ']' || *b->at <= ' ';
}

// ASCII without escapes.
static inline bool
take_text(struct bytes *b, struct sg_value *value)
{
    const uint8_t *from = ++b->at;
    while (b->at < b->end && *b->at != '"' && *b->at != '\\' &&
           (uint8_t)(*b->at - 0x20) < 0x60)
        b->at++;
    if (b->at == b->end || *b->at != '"' || b->at - from > LONGEST)
        return false;
    uint32_t len = (uint32_t)(b->at++ - from);
    *value = len == 0 ? (struct sg_value){NULL, 0, SG_VALUE_ABSENT}
                      : (struct sg_value){from, len, SG_VALUE_TEXT};
    return true;
}

static inline bool
take_null(struct bytes *b)
{
    if (b->end - b->at < 5 || memcmp(b->at, "null", 4) != 0)
        return false;
    b->at += 4;
    return true;
}

// A cell of the observation; *kept: its value, where it is one of the list.
static inline bool
take_cell(struct bytes *b, const struct sg_json_component *c,
          struct sg_value *value, const struct sg_value **kept)
{
    uint32_t index;
    *kept = NULL;
    *value = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
    if (b->at == b->end)
        return false;
    if (*b->at == 'n')
        return take_null(b);
    if (c->listed) {
        if (!take_index(b, &index) || index >= c->count || b->at == b->end ||
            !(*b->at == ',' || *b->at == ']' || *b->at <= ' '))
            return false;
        *kept = &c->values[index];
        return true;
    }
    if (c->several)
        return false; // becomes a list
    return *b->at == '"' ? take_text(b, value) : take_number(b, value);
}

// All cells up to the end of the array. *count: how many.
static inline bool
take_cells(struct bytes *b, const struct sg_json_layout *layout,
           struct sg_json_fast *fast, uint32_t *count)
{
    uint32_t n = 0;
    if (take_byte(b, ']')) {
        *count = 0;
        return true;
    }
    for (;;) {
        if (n == layout->cell_count ||
            !take_cell(b, layout->cells[n], &fast->values[n], &fast->kept[n]))
            return false;
        n++;
        if (b->at < b->end && *b->at == ',') {
            b->at++;
        } else if (take_byte(b, ']')) {
            *count = n;
            return true;
        } else if (!take_byte(b, ',')) {
            return false;
        }
        (void)next_is(b, '\0'); // over the white space
    }
}

static void
use_cells(struct sg_json *json, uint32_t count)
{
    const struct sg_json_layout *layout = json->layout;
    const struct sg_json_fast *fast = json->fast;
    for (uint32_t i = 0; i < layout->cell_count; i++) {
        const struct sg_json_component *c = layout->cells[i];
        const struct sg_value *value = &fast->values[i];
        bool lasting = i >= count || fast->kept[i] != NULL;
        if (lasting)
            value = i < count ? fast->kept[i] : value;
        if (i >= count || value->kind == SG_VALUE_ABSENT) {
            value = sg_json_data_fallback(json, c);
            lasting = true;
        }
        sg_json_data_set(json, c->component, value, lasting);
    }
}

static enum sg_err
use_row(struct sg_json *json, uint32_t count)
{
    struct sg_json_fast *fast = json->fast;
    const struct sg_json_components *dims =
        &json->layout->levels[SG_JSON_LEVEL_OBS];
    json->rows++;
    json->series_rows++;
    json->dataset_rows++;
    json->row_line = json->line;
    json->row_bad = false;
    for (uint32_t i = fast->first; i < dims->count; i++) {
        const struct sg_json_component *c = &dims->at[i];
        json->dim_at[c->order] = fast->index[i];
        sg_json_data_set(json, c->component, &c->values[fast->index[i]], true);
    }
    fast->same = true;
    use_cells(json, count);
    return sg_json_data_row(json);
}

size_t
sg_json_fast_member(struct sg_json *json, struct sg_slice bytes,
                    uint64_t *lines, enum sg_err *err)
{
    uint32_t count;
    struct bytes b = {bytes.ptr, bytes.ptr + bytes.len, 0};
    const struct sg_json_layout *layout = json->layout;
    if (json->fast == NULL || json->dead ||
        json->frames[json->depth].place != SG_JSON_PLACE_OBSERVATIONS ||
        json->tape != NULL || json->skip > 0 || json->cell.open ||
        json->blind || json->dataset_bad ||
        (json->in_series && json->series_bad) ||
        !take_key(&b, &layout->levels[SG_JSON_LEVEL_OBS], json->fast) ||
        !take_byte(&b, ':') || !take_byte(&b, '['))
        return 0;
    (void)next_is(&b, '\0');
    if (!take_cells(&b, layout, json->fast, &count))
        return 0;
    *lines = b.lines;
    *err = use_row(json, count);
    return (size_t)(b.at - bytes.ptr);
}
