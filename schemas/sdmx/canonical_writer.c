#include "broker/base/check.h"
#include "broker/base/limits.h"
#include "schemas/sdmx/canonical.h"

enum {
    OUT = 65536,  // bytes handed to write at once
    CHUNK = 4096, // rows a piece of the index
    ROOM = 256 * 1024,
};

struct row {
    const uint8_t *ptr;
    uint32_t len;
    bool partial; // a dimension is missing: attributes of a partial key
    bool met;     // its attributes were repeated on a row
};

struct piece {
    struct piece *next;
    struct row rows[CHUNK];
};

struct sg_canonical_writer {
    struct sg_arena *arena;
    const struct sg_structure *structure;
    enum sg_canonical_mode mode;
    struct sg_canonical_out out;
    uint32_t count, dimensions;
    bool begun;
    uint8_t action; // of the open part; 0: none
    uint32_t parts;
    uint64_t rows, part_rows;
    uint8_t *buffer;
    size_t used;
    // stream: the last key, in two turns
    uint8_t *last[2];
    size_t last_cap[2];
    unsigned turn;
    struct sg_value *values, *others;
    // sort: the rows of the part, pieces and memory used again by later parts
    struct piece *first, *current;
    uint8_t *room;
    size_t room_left;
    uint64_t partial_rows;
};

struct sg_canonical_writer *
sg_canonical_writer_new(struct sg_arena *arena,
                        const struct sg_structure *structure,
                        enum sg_canonical_mode mode,
                        const struct sg_canonical_out *out)
{
    struct sg_canonical_writer *w = sg_arena_take(arena, sizeof *w);
    if (w == NULL)
        return NULL;
    w->arena = arena;
    w->structure = structure;
    w->mode = mode;
    w->out = *out;
    w->count = structure->component_count;
    w->dimensions = sg_canonical_row_dimensions(structure);
    w->buffer = sg_arena_take(arena, OUT);
    w->values = sg_arena_take(arena, w->count * sizeof *w->values);
    w->others = sg_arena_take(arena, w->count * sizeof *w->others);
    return w->buffer == NULL || w->values == NULL || w->others == NULL ? NULL
                                                                       : w;
}

uint64_t
sg_canonical_writer_rows(const struct sg_canonical_writer *writer)
{
    return writer->rows;
}

// ---- output --------------------------------------------------------------------

static enum sg_err
flush(struct sg_canonical_writer *w)
{
    struct sg_slice bytes = sg_slice_of(w->buffer, w->used);
    w->used = 0;
    return bytes.len == 0 ? SG_OK : w->out.write(w->out.context, bytes);
}

static enum sg_err
put(struct sg_canonical_writer *w, const void *bytes, size_t len)
{
    if (len > OUT - w->used) {
        enum sg_err err = flush(w);
        if (err != SG_OK)
            return err;
        if (len > OUT)
            return w->out.write(w->out.context, sg_slice_of(bytes, len));
    }
    memcpy(w->buffer + w->used, bytes, len);
    w->used += len;
    return SG_OK;
}

static enum sg_err
put_varint(struct sg_canonical_writer *w, uint64_t value)
{
    uint8_t room[10];
    struct sg_writer v = sg_writer_on(room, sizeof room);
    sg_bytes_put_varint(&v, value);
    return put(w, room, v.len);
}

static enum sg_err
put_header(struct sg_canonical_writer *w)
{
    w->begun = true;
    enum sg_err err = put(w, "SGC1", 4);
    if (err == SG_OK)
        err = put_varint(w, w->count);
    for (uint32_t i = 0; err == SG_OK && i < w->count; i++) {
        const struct sg_component *c = &w->structure->components[i];
        uint8_t kind = sg_canonical_row_kind(c);
        err = put(w, &kind, 1);
        if (err == SG_OK)
            err = put_varint(w, c->id.len);
        if (err == SG_OK)
            err = put(w, c->id.ptr, c->id.len);
    }
    return err;
}

static enum sg_err
put_row(struct sg_canonical_writer *w, struct sg_slice row)
{
    enum sg_err err = put_varint(w, row.len);
    w->rows++;
    w->part_rows++;
    return err == SG_OK ? put(w, row.ptr, row.len) : err;
}

// ---- sorting -------------------------------------------------------------------

static int
compare(struct sg_canonical_writer *w, const struct row *a, const struct row *b)
{
    // Our own bytes: they are rows.
    SG_ASSERT(sg_canonical_row_take(sg_slice_of(a->ptr, a->len), w->values,
                                    w->count) == SG_OK);
    SG_ASSERT(sg_canonical_row_take(sg_slice_of(b->ptr, b->len), w->others,
                                    w->count) == SG_OK);
    return sg_canonical_row_compare(w->values, w->others, w->dimensions);
}

// Stable merge of [low, mid) and [mid, high) through spare.
static void
merge(struct sg_canonical_writer *w, struct row **rows, struct row **spare,
      uint64_t low, uint64_t mid, uint64_t high)
{
    if (mid >= high || compare(w, rows[mid - 1], rows[mid]) <= 0)
        return;
    memcpy(spare + low, rows + low, (size_t)(mid - low) * sizeof *rows);
    uint64_t a = low, b = mid, to = low;
    while (a < mid && b < high) {
        if (compare(w, spare[a], rows[b]) <= 0)
            rows[to++] = spare[a++];
        else
            rows[to++] = rows[b++];
    }
    while (a < mid)
        rows[to++] = spare[a++];
}

static void
sort(struct sg_canonical_writer *w, struct row **rows, struct row **spare,
     uint64_t count)
{
    for (uint64_t width = 1; width < count; width *= 2)
        for (uint64_t low = 0; low + width < count; low += 2 * width) {
            uint64_t high = low + 2 * width;
            merge(w, rows, spare, low, low + width,
                  high < count ? high : count);
        }
}

// ---- attributes at partial keys --------------------------------------------------

static uint8_t *
take_room(struct sg_canonical_writer *w, size_t len)
{
    if (w->room_left < len) {
        w->room_left = len > ROOM ? len : ROOM;
        w->room = sg_arena_take(w->arena, w->room_left);
        if (w->room == NULL) {
            w->room_left = 0;
            return NULL;
        }
    }
    uint8_t *at = w->room;
    w->room += len;
    w->room_left -= len;
    return at;
}

static enum sg_err
encode(struct sg_canonical_writer *w, const struct sg_value *values,
       struct row *row)
{
    size_t len = sg_canonical_row_size(values, w->count);
    if (len > SG_LIMIT_ROW)
        return SG_ERR_FULL;
    uint8_t *at = take_room(w, len);
    if (at == NULL)
        return SG_ERR_FULL;
    struct sg_writer bytes = sg_writer_on(at, len);
    sg_canonical_row_put(&bytes, values, w->count);
    SG_ASSERT(!bytes.full && bytes.len == len);
    row->ptr = at;
    row->len = (uint32_t)len;
    return SG_OK;
}

// Does the partial key in others fit the row in values? Then the row gets the
// attributes that it does not have. *changed: it got some.
static bool
join(struct sg_canonical_writer *w, bool *changed)
{
    for (uint32_t i = 0; i < w->dimensions; i++)
        if (w->others[i].kind != SG_VALUE_ABSENT &&
            w->others[i].kind != SG_VALUE_OFF &&
            !sg_obs_value_eq(&w->others[i], &w->values[i]))
            return false;
    for (uint32_t i = w->dimensions; i < w->count; i++)
        if (w->values[i].kind == SG_VALUE_ABSENT &&
            w->others[i].kind != SG_VALUE_ABSENT) {
            w->values[i] = w->others[i];
            *changed = true;
        }
    return true;
}

static enum sg_err
join_row(struct sg_canonical_writer *w, struct row **rows, uint64_t count,
         struct row *row)
{
    bool changed = false;
    SG_ASSERT(sg_canonical_row_take(sg_slice_of(row->ptr, row->len), w->values,
                                    w->count) == SG_OK);
    for (uint64_t i = 0; i < count; i++) {
        if (!rows[i]->partial)
            continue;
        SG_ASSERT(sg_canonical_row_take(sg_slice_of(rows[i]->ptr, rows[i]->len),
                                        w->others, w->count) == SG_OK);
        if (join(w, &changed))
            rows[i]->met = true;
    }
    return changed ? encode(w, w->values, row) : SG_OK;
}

// Partial keys sort to where an absent value stands: before the rows that they
// belong to, but not beside them; so all of them are tried.
static enum sg_err
join_all(struct sg_canonical_writer *w, struct row **rows, uint64_t count)
{
    struct row **partial =
        sg_arena_take(w->arena, (size_t)w->partial_rows * sizeof *partial);
    if (partial == NULL || w->partial_rows > SG_LIMIT_PARTIAL_KEYS)
        return SG_ERR_FULL;
    uint64_t n = 0;
    for (uint64_t i = 0; i < count; i++)
        if (rows[i]->partial)
            partial[n++] = rows[i];
    for (uint64_t i = 0; i < count; i++) {
        enum sg_err err =
            rows[i]->partial ? SG_OK : join_row(w, partial, n, rows[i]);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

// ---- parts ---------------------------------------------------------------------

// Pointers to all rows of the part, as they came.
static enum sg_err
index_rows(struct sg_canonical_writer *w, uint64_t count, struct row ***rows)
{
    *rows = sg_arena_take(w->arena, 2 * (size_t)count * sizeof **rows);
    if (*rows == NULL)
        return SG_ERR_FULL;
    struct piece *piece = w->first;
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0 && i % CHUNK == 0)
            piece = piece->next;
        (*rows)[i] = &piece->rows[i % CHUNK];
    }
    return SG_OK;
}

static enum sg_err
put_sorted(struct sg_canonical_writer *w, uint64_t count)
{
    struct row **rows;
    enum sg_err err = index_rows(w, count, &rows);
    if (err != SG_OK)
        return err;
    if (w->partial_rows > 0 && w->action != SG_ACTION_DELETE)
        err = join_all(w, rows, count);
    if (err != SG_OK)
        return err;
    sort(w, rows, rows + count, count);
    w->part_rows = 0;
    for (uint64_t i = 0; err == SG_OK && i < count; i++)
        if (!rows[i]->met)
            err = put_row(w, sg_slice_of(rows[i]->ptr, rows[i]->len));
    w->partial_rows = 0;
    w->current = w->first;
    return err;
}

static enum sg_err
end_part(struct sg_canonical_writer *w)
{
    enum sg_err err = SG_OK;
    if (w->action == 0)
        return SG_OK;
    if (w->mode == SG_CANONICAL_MODE_SORT)
        err = put_sorted(w, w->part_rows);
    if (err == SG_OK)
        err = put_varint(w, 0);
    if (err == SG_OK)
        err = put_varint(w, w->part_rows);
    w->action = 0;
    return err;
}

static enum sg_err
begin_part(struct sg_canonical_writer *w, uint8_t action)
{
    enum sg_err err = end_part(w);
    if (err != SG_OK)
        return err;
    if (w->parts++ == SG_LIMIT_ACTION_PARTS)
        return SG_ERR_FULL;
    w->action = action;
    w->part_rows = 0;
    return put(w, &action, 1);
}

// ---- rows ----------------------------------------------------------------------

static bool
is_partial(const struct sg_canonical_writer *w, const struct sg_value *values)
{
    for (uint32_t i = 0; i < w->dimensions; i++)
        if (values[i].kind != SG_VALUE_TEXT)
            return true;
    return false;
}

// Keeps the row for the next one to be compared with, and writes it.
static enum sg_err
stream_row(struct sg_canonical_writer *w, const struct sg_obs *obs)
{
    unsigned turn = w->turn ^= 1;
    size_t len = sg_canonical_row_size(obs->values, w->count);
    if (len > SG_LIMIT_ROW)
        return SG_ERR_FULL;
    if (w->last_cap[turn] < len) {
        w->last_cap[turn] = len < 4096 ? 4096 : 2 * len;
        w->last[turn] = sg_arena_take(w->arena, w->last_cap[turn]);
        if (w->last[turn] == NULL)
            return SG_ERR_FULL;
    }
    struct sg_writer bytes = sg_writer_on(w->last[turn], len);
    sg_canonical_row_put(&bytes, obs->values, w->count);
    SG_ASSERT(!bytes.full && bytes.len == len);
    struct sg_slice row = sg_slice_of(w->last[turn], len);
    if (w->part_rows > 0 &&
        sg_canonical_row_compare(w->values, obs->values, w->dimensions) > 0)
        return SG_ERR_ORDER;
    SG_ASSERT(sg_canonical_row_take(row, w->values, w->count) == SG_OK);
    return put_row(w, row);
}

static enum sg_err
keep_row(struct sg_canonical_writer *w, const struct sg_obs *obs)
{
    uint64_t i = w->part_rows;
    if (i % CHUNK == 0) {
        struct piece **next = i == 0 ? &w->first : &w->current->next;
        if (*next == NULL)
            *next = sg_arena_take(w->arena, sizeof **next);
        if (*next == NULL)
            return SG_ERR_FULL;
        w->current = *next;
    }
    struct row *row = &w->current->rows[i % CHUNK];
    row->met = false;
    row->partial = is_partial(w, obs->values);
    w->partial_rows += row->partial;
    w->part_rows++;
    return encode(w, obs->values, row);
}

enum sg_err
sg_canonical_writer_put(struct sg_canonical_writer *w, const struct sg_obs *obs)
{
    enum sg_err err = w->begun ? SG_OK : put_header(w);
    if (err == SG_OK && obs->action != w->action)
        err = begin_part(w, obs->action);
    if (err != SG_OK)
        return err;
    if (w->mode == SG_CANONICAL_MODE_SORT)
        return keep_row(w, obs);
    if (obs->action != SG_ACTION_DELETE && is_partial(w, obs->values))
        return SG_ERR_ORDER;
    return stream_row(w, obs);
}

enum sg_err
sg_canonical_writer_end(struct sg_canonical_writer *w)
{
    enum sg_err err = w->begun ? SG_OK : put_header(w);
    if (err == SG_OK)
        err = end_part(w);
    if (err == SG_OK)
        err = put(w, "", 1); // a zero: no more parts
    if (err == SG_OK)
        err = put_varint(w, w->rows);
    return err == SG_OK ? flush(w) : err;
}
