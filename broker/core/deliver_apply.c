#include "broker/core/deliver.h"

#include "broker/core/settle.h"

static struct sg_delivery *
named(struct sg_state *state, ProtobufCBinaryData id)
{
    uint32_t index = sg_state_find(state->delivery_of, sg_pack_slice(id));

    return index == 0 ? NULL : sg_pool_at(state->deliveries, index);
}

static void
settle(struct sg_state *state, ProtobufCBinaryData id, uint64_t seq)
{
    sg_settle_delivery(
        state, sg_state_find(state->delivery_of, sg_pack_slice(id)), seq);
}

enum sg_err
sg_deliver_apply_statement(struct sg_state *state,
                           const struct sg_appended *entry, const void *body)
{
    const Sgpb__DeliveryEntry *shown = body;
    const Sgpb__Delivery *doc =
        shown->delivery == NULL
            ? NULL
            : sg_pack_open(state->scratch, &sgpb__delivery__descriptor,
                           sg_pack_slice(shown->delivery->body));
    uint8_t at[8];

    struct sg_delivery *delivery =
        doc == NULL ? NULL : named(state, doc->delivery_id);
    sg_bytes_store_u64(at, shown->object);
    uint32_t rendition = sg_state_find(state->rendition_at, sg_slice_of(at, 8));
    if (delivery == NULL || rendition == 0 ||
        !sg_deliver_step(delivery, SG_DELIVERY_STATE))
        return SG_ERR_DAMAGE;
    delivery->statement = entry->seq;
    delivery->rendition = rendition;
    return SG_OK;
}

enum sg_err
sg_deliver_apply_released(struct sg_state *state,
                          const struct sg_appended *entry, const void *body)
{
    const Sgpb__KeyReleased *shown = body;

    for (size_t i = 0; i < shown->n_deliveries; i++) {
        struct sg_delivery *delivery = named(state, shown->deliveries[i]);
        if (delivery == NULL || !sg_deliver_step(delivery, SG_DELIVERY_RELEASE))
            return SG_ERR_DAMAGE;
        if (delivery->released == 0)
            delivery->first_released = entry->seq;
        delivery->released = entry->seq;
    }
    return SG_OK;
}

// A first key that never was handed over: nothing has left. A later one: the
// first may have, so the delivery stays where it was.
enum sg_err
sg_deliver_apply_cancelled(struct sg_state *state,
                           const struct sg_appended *entry, const void *body)
{
    const Sgpb__KeyCancelled *shown = body;

    for (size_t i = 0; i < shown->n_deliveries; i++) {
        struct sg_delivery *delivery = named(state, shown->deliveries[i]);
        if (delivery == NULL || delivery->released != shown->released)
            return SG_ERR_DAMAGE;
        if (delivery->first_released != delivery->released)
            continue;
        if (!sg_deliver_step(delivery, SG_DELIVERY_CANCEL))
            return SG_ERR_DAMAGE;
        delivery->released = delivery->first_released = 0;
        delivery->cancelled = entry->seq;
        settle(state, shown->deliveries[i], entry->seq);
    }
    return SG_OK;
}

enum sg_err
sg_deliver_apply_ack(struct sg_state *state, const struct sg_appended *entry,
                     const void *body)
{
    const Sgpb__ReceiptAckEntry *shown = body;
    const Sgpb__ReceiptAck *ack =
        shown->ack == NULL
            ? NULL
            : sg_pack_open(state->scratch, &sgpb__receipt_ack__descriptor,
                           sg_pack_slice(shown->ack->body));
    struct sg_delivery *delivery =
        ack == NULL ? NULL : named(state, ack->delivery_id);

    if (delivery == NULL ||
        !sg_deliver_step(delivery, ack->kept == 1 ? SG_DELIVERY_KEEP
                                                  : SG_DELIVERY_REFUSE))
        return SG_ERR_DAMAGE;
    delivery->ack = entry->seq;
    struct sg_subscription *to =
        sg_pool_at(state->subscriptions, delivery->subscription);
    if (shown->cursor > to->cursor)
        to->cursor = shown->cursor;
    settle(state, ack->delivery_id, entry->seq);
    return SG_OK;
}

static enum sg_err
ended(struct sg_state *state, const void *body, uint8_t event, uint64_t seq)
{
    const Sgpb__DeliveryStopped *shown = body;
    struct sg_delivery *delivery = named(state, shown->delivery_id);

    if (delivery == NULL || !sg_deliver_step(delivery, event))
        return SG_ERR_DAMAGE;
    delivery->stops++;
    settle(state, shown->delivery_id, seq);
    return SG_OK;
}

enum sg_err
sg_deliver_apply_stopped(struct sg_state *state,
                         const struct sg_appended *entry, const void *body)
{
    return ended(state, body, SG_DELIVERY_STOP, entry->seq);
}

enum sg_err
sg_deliver_apply_expired(struct sg_state *state,
                         const struct sg_appended *entry, const void *body)
{
    return ended(state, body, SG_DELIVERY_EXPIRE, entry->seq);
}
