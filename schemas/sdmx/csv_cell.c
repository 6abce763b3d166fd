#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "schemas/sdmx/csv_parts.h"
#include "schemas/sdmx/lists.h"

enum { MAX_PARTS = 256 }; // values of one cell

uint8_t *
sg_csv_scratch_take(struct sg_csv_scratch *scratch, size_t len)
{
    if (scratch->cap - scratch->len < len) {
        size_t cap = scratch->cap < 4096 ? 4096 : scratch->cap * 2;
        while (cap < len)
            cap *= 2;
        // What the row has in the old piece stays valid: the arena keeps it.
        uint8_t *piece = sg_arena_take(scratch->arena, cap);
        if (piece == NULL) {
            scratch->full = true;
            return NULL;
        }
        scratch->ptr = piece;
        scratch->len = 0;
        scratch->cap = cap;
    }
    uint8_t *at = scratch->ptr + scratch->len;
    scratch->len += len;
    return at;
}

// Takes off the quotes around and makes doubled quotes single; text begins
// with a quote. What stands behind a closing quote is kept as it is.
static struct sg_slice
unquote(struct sg_slice text, struct sg_csv_scratch *scratch)
{
    const uint8_t *inner = text.ptr + 1;
    size_t len = text.len - 1;
    const uint8_t *quote = len == 0 ? NULL : memchr(inner, '"', len);
    if (quote == NULL)
        return sg_slice_of(inner, len);
    if (quote == inner + len - 1)
        return sg_slice_of(inner, len - 1);
    uint8_t *out = sg_csv_scratch_take(scratch, len);
    if (out == NULL)
        return (struct sg_slice){NULL, 0};
    size_t n = 0;
    bool inside = true;
    for (size_t i = 0; i < len; i++) {
        bool is_quote = inner[i] == '"';
        if (inside && is_quote) {
            if (i + 1 < len && inner[i + 1] == '"') {
                out[n++] = '"';
                i++;
            } else {
                inside = false;
            }
            continue;
        }
        out[n++] = inner[i];
    }
    return sg_slice_of(out, n);
}

struct sg_slice
sg_csv_cell_text(const struct sg_csv_row *row, uint32_t field,
                 struct sg_csv_scratch *scratch)
{
    struct sg_slice raw = sg_csv_cell_raw(row, field);
    if ((row->quoted[field / 64] >> field % 64 & 1) == 0)
        return raw;
    return unquote(raw, scratch);
}

// ---- sub-fields ------------------------------------------------------------

// Splits at sub outside quotes; items in quotes are unquoted. Returns the
// number of items, 0: too many or the arena is full.
static size_t
split_items(struct sg_slice text, uint8_t sub, struct sg_csv_scratch *scratch,
            struct sg_slice *items)
{
    size_t count = 0, at = 0;
    for (;;) {
        size_t from = at;
        bool quoted = at < text.len && text.ptr[at] == '"', inside = quoted;
        if (quoted)
            at++;
        for (; at < text.len; at++) {
            if (quoted && text.ptr[at] == '"')
                inside = !inside;
            if (!inside && text.ptr[at] == sub)
                break;
        }
        if (count == MAX_PARTS)
            return 0;
        struct sg_slice item = sg_slice_of(text.ptr + from, at - from);
        items[count++] = quoted ? unquote(item, scratch) : item;
        if (scratch->full)
            return 0;
        if (at == text.len)
            return count;
        at++;
    }
}

static struct sg_slice
join_items(const struct sg_slice *items, size_t count,
           struct sg_csv_scratch *scratch, uint64_t announced)
{
    size_t room = sg_lists_size(items, count);
    uint8_t *out = sg_csv_scratch_take(scratch, room);
    if (out == NULL)
        return (struct sg_slice){NULL, 0};
    struct sg_writer w = sg_writer_on(out, room);
    sg_lists_put(&w, announced, items, count);
    return sg_writer_slice(&w);
}

// en:Text;fr:Texte -> pairs of tag and text.
static enum sg_fault_code
languages(struct sg_slice text, uint8_t sub, struct sg_csv_scratch *scratch,
          struct sg_slice *out)
{
    struct sg_slice items[MAX_PARTS], pairs[2 * MAX_PARTS];
    size_t count = split_items(text, sub, scratch, items), n = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *colon =
            items[i].len == 0 ? NULL : memchr(items[i].ptr, ':', items[i].len);
        if (colon == NULL || colon == items[i].ptr)
            return SG_FAULT_LANGUAGE;
        struct sg_slice tag =
            sg_slice_of(items[i].ptr, (size_t)(colon - items[i].ptr));
        struct sg_slice words =
            sg_slice_of(colon + 1, items[i].len - tag.len - 1);
        pairs[n] = tag;
        pairs[n + 1] = words;
        n += 2;
    }
    struct sg_slice wrong;
    n = sg_lists_languages(pairs, n, &wrong);
    if (wrong.ptr != NULL)
        return SG_FAULT_LANGUAGE;
    if (count == 0)
        return SG_FAULT_CSV_SYNTAX;
    *out = n == 0 ? (struct sg_slice){NULL, 0}
                  : join_items(pairs, n, scratch, n / 2);
    return SG_FAULT_TABLE_END;
}

static enum sg_fault_code
several(const struct sg_csv_column *column, uint8_t sub, struct sg_slice text,
        struct sg_csv_scratch *scratch, struct sg_value *out)
{
    struct sg_slice items[MAX_PARTS];
    size_t count = split_items(text, sub, scratch, items);
    if (count == 0)
        return SG_FAULT_CSV_SYNTAX;
    for (size_t i = 0; column->languages && i < count; i++) {
        enum sg_fault_code code = languages(items[i], sub, scratch, &items[i]);
        if (code != SG_FAULT_TABLE_END)
            return code;
    }
    if (count == 1 && items[0].len == 0)
        return SG_FAULT_TABLE_END; // a list of one empty value is absent
    struct sg_slice bytes = join_items(items, count, scratch, count);
    *out = (struct sg_value){bytes.ptr, (uint32_t)bytes.len, SG_VALUE_SEVERAL};
    return SG_FAULT_TABLE_END;
}

enum sg_fault_code
sg_csv_cell_parts(const struct sg_csv_column *column, uint8_t sub,
                  struct sg_slice text, struct sg_csv_scratch *scratch,
                  struct sg_value *out)
{
    *out = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
    if (text.len == 0)
        return SG_FAULT_TABLE_END;
    if (column->several)
        return several(column, sub, text, scratch, out);
    struct sg_slice bytes;
    enum sg_fault_code code = languages(text, sub, scratch, &bytes);
    if (code == SG_FAULT_TABLE_END && bytes.len > 0)
        *out = (struct sg_value){bytes.ptr, (uint32_t)bytes.len,
                                 SG_VALUE_LANGUAGES};
    return code;
}

void
sg_csv_cell_wrap(struct sg_csv_scratch *scratch, struct sg_value *value)
{
    struct sg_slice item = sg_obs_value_bytes(value);
    struct sg_slice bytes = join_items(&item, 1, scratch, 1);
    *value =
        (struct sg_value){bytes.ptr, (uint32_t)bytes.len, SG_VALUE_SEVERAL};
}
