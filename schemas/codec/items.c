#include "schemas/codec/items.h"

static enum sg_err
parse(struct sg_slice frame, struct sg_slice second, struct sg_item *items,
      size_t *count)
{
    struct sg_reader r = sg_reader_on(frame);

    while (r.len > 0) {
        uint32_t header = sg_bytes_u32(&r);
        uint32_t payload = sg_bytes_u32(&r);
        struct sg_item item = {.envelope = sg_bytes_take(&r, header)};
        item.payload = sg_bytes_take(&r, payload);
        if (r.failed || header == 0 || header > SG_LIMIT_HEADER ||
            *count == SG_LIMIT_ITEMS)
            return SG_ERR_PEER_MALFORMED;
        items[(*count)++] = item;
    }
    if (*count == 0)
        return SG_ERR_PEER_MALFORMED;
    if (second.ptr == NULL)
        return SG_OK;
    if (items[*count - 1].payload.len > 0) // it has one already
        return SG_ERR_PEER_MALFORMED;
    items[*count - 1].payload = second;
    return SG_OK;
}

enum sg_err
sg_items_parse(struct sg_slice frame, struct sg_slice second,
               struct sg_item *items, size_t *count)
{
    enum sg_err err = SG_ERR_PEER_MALFORMED;

    *count = 0;
    if (frame.len <= SG_LIMIT_FRAME && second.len <= SG_ITEMS_PAYLOAD_MAX)
        err = parse(frame, second, items, count);
    if (err != SG_OK)
        *count = 0;
    return err;
}

enum sg_err
sg_items_put(struct sg_writer *w, struct sg_slice envelope,
             struct sg_slice payload)
{
    SG_ASSERT(envelope.len > 0);
    if (envelope.len > SG_LIMIT_HEADER || payload.len > w->cap ||
        SG_ITEMS_HEAD_LEN + envelope.len + payload.len > w->cap - w->len)
        return SG_ERR_FULL;
    sg_bytes_put_u32(w, (uint32_t)envelope.len);
    sg_bytes_put_u32(w, (uint32_t)payload.len);
    sg_bytes_put(w, envelope.ptr, envelope.len);
    sg_bytes_put(w, payload.ptr, payload.len);
    SG_ASSERT(!w->full);
    return SG_OK;
}
