#include "schemas/codec/items.h"

enum sg_err
sg_items_put(struct sg_writer *out, struct sg_slice envelope,
             struct sg_slice payload)
{
    SG_ASSERT(envelope.len > 0);
    if (out->full || envelope.len > SG_LIMIT_HEADER ||
        payload.len > SG_LIMIT_FRAME)
        return SG_ERR_FULL;
    const size_t len = SG_ITEMS_HEAD_LEN + envelope.len + payload.len;
    if (len > out->cap - out->len || out->len + len > SG_LIMIT_FRAME)
        return SG_ERR_FULL;
    sg_bytes_put_u32(out, (uint32_t)envelope.len);
    sg_bytes_put_u32(out, (uint32_t)payload.len);
    sg_bytes_put(out, envelope.ptr, envelope.len);
    sg_bytes_put(out, payload.ptr, payload.len);
    return SG_OK;
}

static bool
take_item(struct sg_reader *r, struct sg_item *item)
{
    const uint32_t envelope = sg_bytes_u32(r);
    const uint32_t payload = sg_bytes_u32(r);

    if (envelope == 0 || envelope > SG_LIMIT_HEADER)
        return false;
    item->envelope = sg_bytes_take(r, envelope);
    item->payload = sg_bytes_take(r, payload);
    return !r->failed;
}

enum sg_err
sg_items_parse(struct sg_slice frame, struct sg_slice second,
               struct sg_item *items, size_t *count)
{
    struct sg_reader r = sg_reader_on(frame);
    size_t taken = 0;

    *count = 0;
    if (frame.len == 0 || frame.len > SG_LIMIT_FRAME)
        return SG_ERR_PEER_MALFORMED;
    while (r.len > 0) {
        if (taken == SG_LIMIT_ITEMS || !take_item(&r, &items[taken]))
            return SG_ERR_PEER_MALFORMED;
        taken++;
    }
    if (second.ptr != NULL) {
        struct sg_item *last = &items[taken - 1];
        if (second.len == 0 || second.len > SG_ITEMS_PAYLOAD_MAX ||
            last->payload.len > 0)
            return SG_ERR_PEER_MALFORMED;
        last->payload = second;
    }
    *count = taken;
    return SG_OK;
}
