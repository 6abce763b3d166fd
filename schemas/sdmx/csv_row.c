#include "broker/base/check.h"
#include "schemas/sdmx/csv_parts.h"

size_t
sg_csv_row_end(enum sg_csv_state *state, struct sg_slice bytes,
               uint8_t delimiter)
{
    enum sg_csv_state s = *state;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        if (s == SG_CSV_STATE_QUOTED) {
            if (c == '"')
                s = SG_CSV_STATE_CLOSING;
        } else if (c == '"' && s != SG_CSV_STATE_PLAIN) {
            s = SG_CSV_STATE_QUOTED;
        } else if (c == delimiter) {
            s = SG_CSV_STATE_START;
        } else if (c == '\n') {
            *state = SG_CSV_STATE_START;
            return i + 1;
        } else {
            s = SG_CSV_STATE_PLAIN;
        }
    }
    *state = s;
    return SIZE_MAX;
}

static void
row_begin(struct sg_csv_row *row, const uint8_t *base)
{
    row->base = base;
    row->count = 0;
    row->first = 0;
    row->alike = 0;
    row->lines = 0;
    row->quotes = row->stray = row->open = false;
    memset(row->quoted, 0, sizeof row->quoted);
}

static void
put_field(struct sg_csv_row *row, uint32_t end)
{
    if (row->count < SG_LIMIT_COLUMNS)
        row->ends[row->count] = end;
    row->count++;
}

static void
put_last(struct sg_csv_row *row, uint32_t end)
{
    uint32_t from = row->count == 0 ? 0
                    : row->count <= SG_LIMIT_COLUMNS
                        ? row->ends[row->count - 1] + 1
                        : end;
    if (end > from && row->base[end - 1] == '\r')
        end--;
    put_field(row, end);
    row->len = end;
}

static void
mark_quoted(struct sg_csv_row *row)
{
    row->quotes = true;
    if (row->count < SG_LIMIT_COLUMNS)
        row->quoted[row->count / 64] |= 1ull << row->count % 64;
}

void
sg_csv_row_split(struct sg_csv_row *row, struct sg_slice bytes,
                 uint8_t delimiter)
{
    row_begin(row, bytes.ptr);
    enum sg_csv_state s = SG_CSV_STATE_START;
    uint32_t end = (uint32_t)bytes.len;
    for (uint32_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        row->lines += c == '\n';
        if (s == SG_CSV_STATE_QUOTED) {
            if (c == '"')
                s = SG_CSV_STATE_CLOSING;
        } else if (c == delimiter) {
            put_field(row, i);
            s = SG_CSV_STATE_START;
        } else if (c == '\n') {
            end = i;
            break;
        } else if (c == '"' && s == SG_CSV_STATE_START) {
            mark_quoted(row);
            s = SG_CSV_STATE_QUOTED;
        } else if (c == '"' && s == SG_CSV_STATE_CLOSING) {
            s = SG_CSV_STATE_QUOTED;
        } else {
            bool cr =
                c == '\r' && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n';
            cr = cr || (c == '\r' && i + 1 == bytes.len);
            row->stray |= c == '"' || (s == SG_CSV_STATE_CLOSING && !cr);
            row->quotes |= c == '"';
            s = SG_CSV_STATE_PLAIN;
        }
    }
    row->open = s == SG_CSV_STATE_QUOTED;
    put_last(row, end);
}

// Fields at the front that are byte for byte those of the row before.
static uint32_t
fields_alike(struct sg_csv_row *row, const uint8_t *next, size_t left)
{
    size_t max = row->len < left ? row->len : left;
    size_t alike = sg_scan_common(row->base, next, max);
    uint32_t f = row->first < row->count ? row->first : row->count;
    while (f < row->count && row->ends[f] < alike)
        f++;
    while (f > 0 && row->ends[f - 1] >= alike)
        f--;
    return f;
}

// Bytes at the end that are those of the row before, which ended at before.
static uint32_t
end_alike(const struct sg_csv_row *row, const uint8_t *before, size_t len)
{
    size_t max = row->len < len ? row->len : len;
    return (uint32_t)sg_scan_common_end(row->base + row->len, before, max);
}

// Within quotes at window[*i]: moves *next behind the closing quote. false:
// not in the window.
static bool
close_quotes(struct sg_csv_row *row, struct sg_slice window,
             const struct sg_scan *scan, uint32_t *next)
{
    for (uint32_t n = *next; n < scan->count; n++) {
        uint32_t at = scan->at[n];
        row->lines += window.ptr[at] == '\n';
        if (window.ptr[at] != '"')
            continue;
        if (at + 1 >= window.len)
            return false; // may be doubled
        if (window.ptr[at + 1] == '"') {
            n++;
            continue;
        }
        uint8_t after = window.ptr[at + 1];
        bool ends = n + 1 < scan->count && scan->at[n + 1] == at + 1;
        bool cr = after == '\r' &&
                  (at + 2 >= window.len || window.ptr[at + 2] == '\n');
        row->stray |= !ends && !cr;
        *next = n + 1;
        return true;
    }
    return false;
}

// A row that has quotes, from its field row->count on.
static bool
split_rest(struct sg_csv_row *row, struct sg_slice window,
           const struct sg_scan *scan, uint32_t *next, uint32_t start,
           uint32_t field)
{
    for (uint32_t n = *next; n < scan->count;) {
        uint32_t at = scan->at[n];
        uint8_t c = window.ptr[at];
        if (c == '"') {
            row->quotes = true;
            n++;
            if (at == field) {
                mark_quoted(row);
                if (!close_quotes(row, window, scan, &n))
                    return false;
            } else {
                row->stray = true;
            }
            continue;
        }
        n++;
        if (c == '\n') {
            row->lines++;
            put_last(row, at - start);
            *next = n;
            return true;
        }
        put_field(row, at - start);
        field = at + 1;
    }
    return false;
}

bool
sg_csv_row_split_fast(struct sg_csv_row *row, struct sg_slice window,
                      const struct sg_scan *scan, uint32_t *next, uint32_t at,
                      bool skip)
{
    uint32_t alike =
        skip ? fields_alike(row, window.ptr + at, window.len - at) : 0;
    const uint8_t *before = row->base + row->len;
    size_t before_len = skip ? row->len : 0;
    if (!skip)
        memset(row->quoted, 0, sizeof row->quoted);
    row->base = window.ptr + at;
    row->first = row->count = alike;
    row->alike = 0;
    row->lines = 0;
    row->quotes = row->stray = row->open = false;
    uint32_t n = *next + alike;
    for (; n < scan->count; n++) {
        uint32_t place = scan->at[n];
        uint8_t c = window.ptr[place];
        if (c == '\n') {
            row->lines = 1;
            put_last(row, place - at);
            *next = n + 1;
            row->alike = end_alike(row, before, before_len);
            return true;
        }
        if (c == '"') {
            uint32_t field = row->count == 0 ? at
                             : row->count <= SG_LIMIT_COLUMNS
                                 ? at + row->ends[row->count - 1] + 1
                                 : place + 1;
            *next = n;
            return split_rest(row, window, scan, next, at, field);
        }
        put_field(row, place - at);
    }
    return false;
}
