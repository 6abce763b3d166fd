#include "schemas/sdmx/canonical.h"

#include "broker/base/check.h"

static size_t
varint_size(uint64_t value)
{
    size_t n = 1;
    while (value >= 0x80) {
        value >>= 7;
        n++;
    }
    return n;
}

size_t
sg_canonical_row_size(const struct sg_value *values, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += values[i].kind == SG_VALUE_TEXT
                    ? varint_size(3 + (uint64_t)values[i].len) + values[i].len
                    : 1 + values[i].len;
    return size;
}

void
sg_canonical_row_put(struct sg_writer *writer, const struct sg_value *values,
                     uint32_t count)
{
    // v of content-root.md 2 for the kinds that are no text.
    static const uint8_t v[] = {[SG_VALUE_ABSENT] = 0,
                                [SG_VALUE_OFF] = 1,
                                [SG_VALUE_SEVERAL] = 2,
                                [SG_VALUE_LANGUAGES] = 3};
    for (uint32_t i = 0; i < count; i++) {
        const struct sg_value *value = &values[i];
        if (value->kind == SG_VALUE_TEXT)
            sg_bytes_put_varint(writer, 3 + (uint64_t)value->len);
        else
            sg_bytes_put_u8(writer, v[value->kind]);
        if (value->len > 0)
            sg_bytes_put(writer, value->ptr, value->len);
    }
}

// ---- reading a row -----------------------------------------------------------

// varint count, then that many byte strings; languages: pairs, tags ascending.
static bool
skip_list(struct sg_reader *r, bool languages)
{
    uint64_t count = sg_bytes_varint(r);
    struct sg_slice last = {NULL, 0};
    if (count == 0 || count > r->len)
        return false; // an empty list is absent
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        struct sg_slice item = sg_bytes_take(r, sg_bytes_varint(r));
        if (!languages) {
            if (count == 1 && item.len == 0)
                return false; // a list of one empty value is absent
            continue;
        }
        if (i > 0 && sg_slice_cmp(last, item) >= 0)
            return false;
        last = item;
        sg_bytes_take(r, sg_bytes_varint(r));
    }
    return !r->failed;
}

static bool
take_value(struct sg_reader *r, struct sg_value *out)
{
    uint64_t v = sg_bytes_varint(r);
    *out = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
    if (r->failed)
        return false;
    if (v <= 1) {
        out->kind = v == 0 ? SG_VALUE_ABSENT : SG_VALUE_OFF;
        return true;
    }
    if (v > 3) {
        struct sg_slice text = sg_bytes_take(r, v - 3);
        *out = (struct sg_value){text.ptr, (uint32_t)text.len, SG_VALUE_TEXT};
        return !r->failed;
    }
    // v 3 is languages: text has at least one byte, so 3 + len is above 3.
    const uint8_t *from = r->ptr;
    if (!skip_list(r, v == 3))
        return false;
    *out = (struct sg_value){from, (uint32_t)(r->ptr - from),
                             v == 2 ? SG_VALUE_SEVERAL : SG_VALUE_LANGUAGES};
    return true;
}

enum sg_err
sg_canonical_row_take(struct sg_slice row, struct sg_value *values,
                      uint32_t count)
{
    struct sg_reader r = sg_reader_on(row);
    for (uint32_t i = 0; i < count; i++)
        if (!take_value(&r, &values[i]))
            return SG_ERR_FORMAT;
    return sg_bytes_end(&r) ? SG_OK : SG_ERR_FORMAT;
}

// ---- order -------------------------------------------------------------------

static int
rank(const struct sg_value *value)
{
    return value->kind == SG_VALUE_ABSENT ? 0
           : value->kind == SG_VALUE_OFF  ? 1
                                          : 2;
}

int
sg_canonical_row_compare(const struct sg_value *a, const struct sg_value *b,
                         uint32_t dimensions)
{
    for (uint32_t i = 0; i < dimensions; i++) {
        int order = rank(&a[i]) - rank(&b[i]);
        if (order == 0)
            order = sg_slice_cmp(sg_obs_value_bytes(&a[i]),
                                 sg_obs_value_bytes(&b[i]));
        if (order != 0)
            return order;
    }
    return 0;
}

uint32_t
sg_canonical_row_dimensions(const struct sg_structure *structure)
{
    return structure->dimension_count + (structure->time >= 0);
}

uint8_t
sg_canonical_row_kind(const struct sg_component *component)
{
    return (uint8_t)((unsigned)component->kind |
                     (component->several ? 0x10u : 0u) |
                     (component->languages ? 0x20u : 0u));
}
