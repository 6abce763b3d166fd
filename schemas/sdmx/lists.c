#include "schemas/sdmx/lists.h"

enum { VARINT_MAX = 10 };

size_t
sg_lists_size(const struct sg_slice *parts, size_t count)
{
    size_t size = VARINT_MAX;
    for (size_t i = 0; i < count; i++)
        size += VARINT_MAX + parts[i].len;
    return size;
}

void
sg_lists_put(struct sg_writer *w, uint64_t number, const struct sg_slice *parts,
             size_t count)
{
    sg_bytes_put_varint(w, number);
    for (size_t i = 0; i < count; i++) {
        sg_bytes_put_varint(w, parts[i].len);
        sg_bytes_put(w, parts[i].ptr, parts[i].len);
    }
}

size_t
sg_lists_languages(struct sg_slice *pairs, size_t count, struct sg_slice *wrong)
{
    size_t kept = 0;
    *wrong = (struct sg_slice){NULL, 0};
    for (size_t i = 0; i < count; i += 2) {
        struct sg_slice tag = pairs[i], text = pairs[i + 1];
        size_t at = i;
        for (; at > 0 && sg_slice_cmp(pairs[at - 2], tag) > 0; at -= 2) {
            pairs[at] = pairs[at - 2];
            pairs[at + 1] = pairs[at - 1];
        }
        if (tag.len == 0 || (at > 0 && sg_slice_eq(pairs[at - 2], tag)))
            *wrong = tag.len == 0 ? SG_SLICE("") : tag;
        pairs[at] = tag;
        pairs[at + 1] = text;
    }
    for (size_t i = 0; i < count; i += 2) {
        if (pairs[i + 1].len == 0)
            continue;
        pairs[kept] = pairs[i];
        pairs[kept + 1] = pairs[i + 1];
        kept += 2;
    }
    return kept;
}
