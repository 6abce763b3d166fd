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
    row->last = UINT32_MAX;
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

// Fields of the row whose bytes, separator included, are among the first ones.
static uint32_t
whole_fields(const struct sg_csv_row *row, size_t bytes)
{
    uint32_t f = row->first < row->count ? row->first : row->count;
    while (f < row->count && row->ends[f] < bytes)
        f++;
    while (f > 0 && row->ends[f - 1] >= bytes)
        f--;
    return f;
}

// Fields at the front that are byte for byte those of the row before.
static uint32_t
fields_alike(const struct sg_csv_row *row, const uint8_t *next, size_t left)
{
    size_t max = row->len < left ? row->len : left;
    return whole_fields(row, sg_scan_common(row->base, next, max));
}

// Behind the last field that is not among the bytes at the end that are those
// of the row before.
static uint32_t
last_field(const struct sg_csv_row *row, size_t alike)
{
    uint32_t last = row->count;
    while (last > 1 && row->len - row->ends[last - 2] <= alike)
        last--;
    return last;
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
            row->size = at + 1 - start;
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
    row->last = UINT32_MAX;
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
            row->size = place + 1 - at;
            if (skip && row->count <= SG_LIMIT_COLUMNS)
                row->last = last_field(
                    row, sg_scan_common_end(row->base + row->len, before,
                                            before_len < row->len ? before_len
                                                                  : row->len));
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

// Separators among bytes; UINT32_MAX if something is not plain ASCII.
static uint32_t
plain_separators(struct sg_slice bytes, uint8_t delimiter)
{
    uint32_t count = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        if (c == '"' || c == 0 || c > 127)
            return UINT32_MAX;
        count += c == delimiter;
    }
    return count;
}

enum sg_csv_again
sg_csv_row_split_again(struct sg_csv_row *row, struct sg_slice bytes,
                       uint8_t delimiter)
{
    size_t max = row->len < bytes.len ? row->len : bytes.len;
    size_t front = sg_scan_common(row->base, bytes.ptr, max);
    const uint8_t *lf =
        front == bytes.len ? NULL
                           : memchr(bytes.ptr + front, '\n', bytes.len - front);
    if (lf == NULL)
        return SG_CSV_AGAIN_NONE;
    uint32_t len = (uint32_t)(lf - bytes.ptr);
    uint32_t size = len + 1;
    len -= len > 0 && bytes.ptr[len - 1] == '\r';
    if (row->count > SG_LIMIT_COLUMNS || len < front)
        return SG_CSV_AGAIN_OTHER;
    uint32_t first = whole_fields(row, front);
    uint32_t start = first == 0 ? 0 : row->ends[first - 1] + 1;
    size_t least = row->len < len ? row->len : len;
    uint32_t last =
        last_field(row, sg_scan_common_end(row->base + row->len,
                                           bytes.ptr + len, least - start));
    uint32_t behind = row->len - row->ends[last - 1];
    struct sg_slice middle =
        sg_slice_of(bytes.ptr + start, len - behind - start);
    if (plain_separators(middle, delimiter) != last - first - 1)
        return SG_CSV_AGAIN_OTHER;
    uint32_t field = first;
    for (uint32_t i = start; field + 1 < last; i++)
        if (bytes.ptr[i] == delimiter)
            row->ends[field++] = i;
    for (field = last - 1; field < row->count; field++)
        row->ends[field] += len - row->len; // modulo 2^32
    row->base = bytes.ptr;
    row->len = len;
    row->size = size;
    row->first = first;
    row->last = last;
    row->lines = 1;
    return SG_CSV_AGAIN;
}
