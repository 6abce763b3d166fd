#include "broker/base/check.h"
#include "broker/base/limits.h"
#include "schemas/sdmx/canonical.h"

enum phase {
    PHASE_MAGIC,
    PHASE_COMPONENTS, // their number
    PHASE_COMPONENT,  // kind, length, id
    PHASE_PART,       // action, or the end
    PHASE_ROW,        // length, row
    PHASE_PART_COUNT,
    PHASE_TOTAL,
    PHASE_DONE,
};

struct sg_canonical_reader {
    struct sg_arena *arena;
    const struct sg_structure *structure;
    struct sg_canonical_sink sink;
    enum phase phase;
    struct sg_canonical_component *components;
    uint32_t count, read, dimensions;
    uint32_t parts;
    uint64_t rows, part_rows;
    // What a feed left over of an item; more than one row never.
    uint8_t *carry;
    size_t carry_len, carry_cap;
    // Two rows: the last one is compared with.
    struct sg_value *values[2];
    uint8_t *kept[2];
    size_t kept_cap[2];
    unsigned turn;
    struct sg_obs obs;
};

struct sg_canonical_reader *
sg_canonical_reader_new(struct sg_arena *arena,
                        const struct sg_structure *structure,
                        const struct sg_canonical_sink *sink)
{
    struct sg_canonical_reader *r = sg_arena_take(arena, sizeof *r);
    if (r == NULL)
        return NULL;
    r->arena = arena;
    r->structure = structure;
    r->sink = *sink;
    return r;
}

uint64_t
sg_canonical_reader_rows(const struct sg_canonical_reader *reader)
{
    return reader->rows;
}

// A varint at the front. false: not whole yet; *bad: no shortest varint.
static bool
front_varint(struct sg_slice bytes, uint64_t *value, size_t *used, bool *bad)
{
    size_t n = 0;
    while (n < bytes.len && n < 10 && (bytes.ptr[n] & 0x80) != 0)
        n++;
    *bad = n == 10;
    if (n == bytes.len || *bad)
        return false;
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes.ptr, n + 1));
    *value = sg_bytes_varint(&r);
    *used = n + 1;
    *bad = r.failed;
    return !r.failed;
}

static enum sg_err
take_magic(struct sg_canonical_reader *r, struct sg_slice bytes, size_t *used)
{
    size_t n = bytes.len < 4 ? bytes.len : 4;
    if (memcmp(bytes.ptr, "SGC1", n) != 0)
        return SG_ERR_FORMAT;
    if (n < 4)
        return SG_OK;
    *used = 4;
    r->phase = PHASE_COMPONENTS;
    return SG_OK;
}

static enum sg_err
take_components(struct sg_canonical_reader *r, uint64_t count)
{
    if (count == 0 || count > SG_LIMIT_COMPONENTS ||
        (r->structure != NULL && count != r->structure->component_count))
        return SG_ERR_FORMAT;
    r->count = (uint32_t)count;
    r->components = sg_arena_take(r->arena, count * sizeof *r->components);
    for (unsigned i = 0; i < 2; i++)
        r->values[i] = sg_arena_take(r->arena, count * sizeof *r->values[i]);
    if (r->components == NULL || r->values[0] == NULL || r->values[1] == NULL)
        return SG_ERR_FULL;
    r->phase = PHASE_COMPONENT;
    return SG_OK;
}

static bool
fits(const struct sg_canonical_reader *r,
     const struct sg_canonical_component *c)
{
    if ((c->kind & 0x0f) > SG_KIND_ATTRIBUTE || (c->kind & 0xc0) != 0)
        return false;
    if (r->structure == NULL)
        return true;
    const struct sg_component *want = &r->structure->components[r->read];
    return c->kind == sg_canonical_row_kind(want) &&
           sg_slice_eq(c->id, want->id);
}

static enum sg_err
take_component(struct sg_canonical_reader *r, struct sg_slice bytes,
               size_t *used)
{
    uint64_t len;
    size_t n;
    bool bad;
    struct sg_slice rest = sg_slice_of(bytes.ptr + 1, bytes.len - 1);
    if (!front_varint(rest, &len, &n, &bad))
        return bad ? SG_ERR_FORMAT : SG_OK;
    if (len == 0 || len > SG_LIMIT_ID)
        return SG_ERR_FORMAT;
    if (rest.len < n + len)
        return SG_OK;
    struct sg_canonical_component *c = &r->components[r->read];
    c->kind = bytes.ptr[0];
    c->id = sg_arena_copy(r->arena, sg_slice_of(rest.ptr + n, (size_t)len));
    if (c->id.ptr == NULL)
        return SG_ERR_FULL;
    if (!fits(r, c))
        return SG_ERR_FORMAT;
    // Dimensions and time stand in front.
    if ((c->kind & 0x0f) <= SG_KIND_TIME) {
        if (r->dimensions != r->read)
            return SG_ERR_FORMAT;
        r->dimensions++;
    }
    *used = 1 + n + (size_t)len;
    if (++r->read < r->count)
        return SG_OK;
    r->phase = PHASE_PART;
    return r->sink.header == NULL
               ? SG_OK
               : r->sink.header(r->sink.context, r->components, r->count);
}

static enum sg_err
take_part(struct sg_canonical_reader *r, uint8_t action)
{
    if (action == 0) {
        r->phase = PHASE_TOTAL;
        return SG_OK;
    }
    if ((action != SG_ACTION_MERGE && action != SG_ACTION_REPLACE &&
         action != SG_ACTION_DELETE) ||
        action == r->obs.action) // a part is a maximal run
        return SG_ERR_FORMAT;
    if (r->parts++ == SG_LIMIT_ACTION_PARTS)
        return SG_ERR_FULL;
    r->obs.action = r->obs.sent = action;
    r->obs.dataset = r->parts;
    r->part_rows = 0;
    r->phase = PHASE_ROW;
    return r->sink.part == NULL ? SG_OK : r->sink.part(r->sink.context, action);
}

static void
mark_changes(struct sg_canonical_reader *r, const struct sg_value *now,
             const struct sg_value *before)
{
    memset(r->obs.changed, 0, sizeof r->obs.changed);
    for (uint32_t i = 0; i < r->count; i++)
        if (!sg_obs_value_eq(&now[i], &before[i]))
            r->obs.changed[i / 64] |= 1ull << i % 64;
}

static enum sg_err
take_row(struct sg_canonical_reader *r, struct sg_slice row)
{
    unsigned turn = r->turn ^= 1;
    if (r->kept_cap[turn] < row.len) {
        r->kept_cap[turn] = row.len < 4096 ? 4096 : 2 * row.len;
        r->kept[turn] = sg_arena_take(r->arena, r->kept_cap[turn]);
        if (r->kept[turn] == NULL)
            return SG_ERR_FULL;
    }
    memcpy(r->kept[turn], row.ptr, row.len);
    row.ptr = r->kept[turn];
    struct sg_value *now = r->values[turn], *before = r->values[turn ^ 1];
    if (sg_canonical_row_take(row, now, r->count) != SG_OK)
        return SG_ERR_FORMAT;
    if (r->part_rows > 0 &&
        sg_canonical_row_compare(before, now, r->dimensions) > 0)
        return SG_ERR_FORMAT;
    if (r->rows > 0)
        mark_changes(r, now, before);
    else
        memset(r->obs.changed, 0xff, sizeof r->obs.changed);
    r->part_rows++;
    r->obs.row = ++r->rows;
    r->obs.values = now;
    return r->sink.row(r->sink.context, &r->obs, row);
}

static enum sg_err
take_length(struct sg_canonical_reader *r, struct sg_slice bytes, uint64_t len,
            size_t used_len, size_t *used)
{
    if (len == 0) {
        *used = used_len;
        r->phase = PHASE_PART_COUNT;
        return r->part_rows == 0 ? SG_ERR_FORMAT : SG_OK;
    }
    if (len > SG_LIMIT_ROW)
        return SG_ERR_FULL;
    if (bytes.len - used_len < len)
        return SG_OK;
    *used = used_len + (size_t)len;
    return take_row(r, sg_slice_of(bytes.ptr + used_len, (size_t)len));
}

static enum sg_err
take_count(struct sg_canonical_reader *r, uint64_t count)
{
    if (r->phase == PHASE_TOTAL) {
        r->phase = PHASE_DONE;
        return count == r->rows ? SG_OK : SG_ERR_FORMAT;
    }
    r->phase = PHASE_PART;
    if (count != r->part_rows)
        return SG_ERR_FORMAT;
    return r->sink.part_end == NULL ? SG_OK
                                    : r->sink.part_end(r->sink.context, count);
}

// One item from the front; *used 0: it is not whole yet.
static enum sg_err
take_item(struct sg_canonical_reader *r, struct sg_slice bytes, size_t *used)
{
    uint64_t value;
    size_t n;
    bool bad;
    *used = 0;
    if (r->phase == PHASE_DONE)
        return SG_ERR_FORMAT; // bytes behind the end
    if (r->phase == PHASE_MAGIC)
        return take_magic(r, bytes, used);
    if (r->phase == PHASE_COMPONENT)
        return take_component(r, bytes, used);
    if (r->phase == PHASE_PART) {
        *used = 1;
        return take_part(r, bytes.ptr[0]);
    }
    if (!front_varint(bytes, &value, &n, &bad))
        return bad ? SG_ERR_FORMAT : SG_OK;
    if (r->phase == PHASE_ROW)
        return take_length(r, bytes, value, n, used);
    *used = n;
    return r->phase == PHASE_COMPONENTS ? take_components(r, value)
                                        : take_count(r, value);
}

static enum sg_err
take_all(struct sg_canonical_reader *r, struct sg_slice *bytes)
{
    while (bytes->len > 0) {
        size_t used;
        enum sg_err err = take_item(r, *bytes, &used);
        if (err != SG_OK)
            return err;
        if (used == 0)
            break;
        *bytes = sg_slice_of(bytes->ptr + used, bytes->len - used);
    }
    return SG_OK;
}

static enum sg_err
keep(struct sg_canonical_reader *r, struct sg_slice bytes)
{
    size_t need = r->carry_len + bytes.len;
    if (need > r->carry_cap) {
        size_t cap = r->carry_cap == 0 ? 4096 : r->carry_cap;
        while (cap < need)
            cap *= 2;
        uint8_t *piece = sg_arena_take(r->arena, cap);
        if (piece == NULL)
            return SG_ERR_FULL;
        if (r->carry_len > 0)
            memcpy(piece, r->carry, r->carry_len);
        r->carry = piece;
        r->carry_cap = cap;
    }
    if (bytes.len > 0)
        memcpy(r->carry + r->carry_len, bytes.ptr, bytes.len);
    r->carry_len = need;
    return SG_OK;
}

// How many bytes the item in the carry still needs, at least one.
static size_t
missing(const struct sg_canonical_reader *r)
{
    uint64_t len;
    size_t n;
    bool bad;
    struct sg_slice bytes = sg_slice_of(r->carry, r->carry_len);
    if (r->phase != PHASE_ROW || !front_varint(bytes, &len, &n, &bad) ||
        len > SG_LIMIT_ROW || n + len <= r->carry_len)
        return 1;
    return n + (size_t)len - r->carry_len;
}

enum sg_err
sg_canonical_reader_feed(struct sg_canonical_reader *r, struct sg_slice bytes)
{
    while (r->carry_len > 0 && bytes.len > 0) {
        size_t take = missing(r);
        if (take > bytes.len)
            take = bytes.len;
        enum sg_err err = keep(r, sg_slice_of(bytes.ptr, take));
        if (err != SG_OK)
            return err;
        bytes = sg_slice_of(bytes.ptr + take, bytes.len - take);
        struct sg_slice rest = sg_slice_of(r->carry, r->carry_len);
        err = take_all(r, &rest);
        if (err != SG_OK)
            return err;
        if (rest.len > 0 && rest.ptr != r->carry)
            memmove(r->carry, rest.ptr, rest.len);
        r->carry_len = rest.len;
    }
    enum sg_err err = take_all(r, &bytes);
    return err != SG_OK || bytes.len == 0 ? err : keep(r, bytes);
}

enum sg_err
sg_canonical_reader_end(struct sg_canonical_reader *r)
{
    return r->phase == PHASE_DONE && r->carry_len == 0 ? SG_OK : SG_ERR_SHORT;
}
