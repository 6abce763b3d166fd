// Carries out what the core wants: sends, stores, keys. Jobs: env_job.c.
#include <stdlib.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/env_parts.h"
#include "broker/os/clock.h"
#include "broker/os/log.h"
#include "broker/os/process.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/seal.h"
#include "schemas/wire.pb-c.h"

enum { RECEIPT_MAX = 2 * 1024 * 1024, REPORT_MAX = 8 * 1024 * 1024 };

// ---- sending -------------------------------------------------------------------

static void
routing_of(const struct sg_routing *from, struct sg_wire_routing *to)
{
    memset(to, 0, sizeof *to);
    if (from->len > sizeof to->bytes)
        return;
    to->len = from->len;
    memcpy(to->bytes, from->bytes, from->len);
}

static void
gone(struct sg_env_local *local, const struct sg_wire_routing *who)
{
    struct sg_routing *peer =
        &sg_env_own(local, SG_EVENT_PEER_GONE)->event.u.peer;

    peer->len = who->len;
    memcpy(peer->bytes, who->bytes, who->len);
}

// The core waits for this word on every key it let go.
static void
tell_key(struct sg_env_local *local, const struct sg_event_key *key, bool sent)
{
    sg_env_own(local, sent ? SG_EVENT_KEY_SENT : SG_EVENT_KEY_NOT_SENT)
        ->event.u.key = *key;
}

void
sg_env_flush(struct sg_env_local *local)
{
    struct sg_env_frame *frame = &local->frame;

    if (frame->to.len == 0 || frame->items.len == 0)
        return;
    bool sent =
        sg_wire_send(local->options.wire, &frame->to,
                     sg_writer_slice(&frame->items), 0, NULL, NULL) == SG_OK;
    if (!sent)
        gone(local, &frame->to);
    for (size_t i = 0; i < frame->keys; i++)
        tell_key(local, &frame->key[i], sent);
    if (frame->keys > 0)
        sg_crypto_wipe(frame->bytes, frame->items.len);
    frame->keys = 0;
    frame->to.len = 0;
    frame->items.len = 0;
}

struct chunk {
    struct sg_env_local *local;
    const struct sg_effect_send *send;
};

static bool
fill_chunk(void *context, uint8_t *bytes, size_t len)
{
    const struct chunk *chunk = (const struct chunk *)context;
    struct sg_evidence *evidence = chunk->local->options.evidence;
    size_t got;

    if (chunk->send->opened)
        return sg_evidence_open_chunk(evidence, chunk->send->object,
                                      chunk->send->index, bytes, len,
                                      &got) == SG_OK &&
               got == len;
    return sg_payload_read(sg_evidence_payload(evidence), chunk->send->object,
                           chunk->send->index, bytes, len, &got) == SG_OK &&
           got == len;
}

static bool
fill_inline(void *context, uint8_t *bytes, size_t len)
{
    const struct sg_slice *payload = (const struct sg_slice *)context;

    memcpy(bytes, payload->ptr, len);
    return true;
}

static size_t
chunk_len(struct sg_env_local *local, const struct sg_effect_send *send)
{
    struct sg_payload_meta meta;

    if (sg_payload_find(sg_evidence_payload(local->options.evidence),
                        send->object, &meta) != SG_OK ||
        send->index >= meta.chunks)
        return 0;
    uint64_t first = send->index * meta.chunk_size;
    uint64_t plain = meta.bytes - first < meta.chunk_size ? meta.bytes - first
                                                          : meta.chunk_size;
    return (size_t)plain + (send->opened ? 0 : SG_TAG_LEN);
}

// A message of its own: what waits for this peer goes first, in order.
static void
send_with_payload(struct sg_env_local *local, const struct sg_effect_send *send,
                  const struct sg_wire_routing *to, struct sg_slice envelope)
{
    size_t room = envelope.len + SG_ITEMS_HEAD_LEN;
    uint8_t *head = sg_arena_take(local->arena, room);
    struct sg_writer items = sg_writer_on(head, head == NULL ? 0 : room);
    struct sg_slice payload = send->payload;
    struct chunk chunk = {local, send};
    size_t len = send->chunk_of ? chunk_len(local, send) : payload.len;
    enum sg_err err = SG_ERR_CORRUPT;

    sg_env_flush(local);
    if (len > 0 && len <= SG_ITEMS_PAYLOAD_MAX &&
        sg_items_put(&items, envelope, (struct sg_slice){NULL, 0}) == SG_OK)
        err =
            send->chunk_of
                ? sg_wire_send(local->options.wire, to, sg_writer_slice(&items),
                               len, fill_chunk, &chunk)
                : sg_wire_send(local->options.wire, to, sg_writer_slice(&items),
                               len, fill_inline, &payload);
    if (err == SG_ERR_UNREACHABLE || err == SG_ERR_BUSY)
        gone(local, to);
    // One that was removed since the core wanted it sent is not lost.
    if (err == SG_ERR_CORRUPT && send->chunk_of &&
        sg_env_knows(local, send->object))
        sg_env_lost(local, send->object);
}

static bool
send_item(struct sg_env_local *local, const struct sg_wire_routing *to,
          struct sg_slice envelope, struct sg_slice payload)
{
    struct sg_env_frame *frame = &local->frame;

    if (frame->to.len != to->len ||
        memcmp(frame->to.bytes, to->bytes, to->len) != 0)
        sg_env_flush(local);
    frame->to = *to;
    if (sg_items_put(&frame->items, envelope, payload) == SG_OK)
        return true;
    sg_env_flush(local);
    frame->to = *to;
    if (sg_items_put(&frame->items, envelope, payload) == SG_OK)
        return true;
    sg_log(SG_LOG_ERROR, "send.too_large", NULL);
    return false;
}

// A chunk small enough travels with what else goes to this peer.
static void
send_chunk(struct sg_env_local *local, const struct sg_effect_send *send,
           const struct sg_wire_routing *to, struct sg_slice envelope)
{
    uint8_t bytes[SG_ITEMS_INLINE_MAX];
    size_t len = chunk_len(local, send);
    struct chunk chunk = {local, send};

    if (len == 0 || len > sizeof bytes || !fill_chunk(&chunk, bytes, len))
        send_with_payload(local, send, to, envelope);
    else
        (void)send_item(local, to, envelope, sg_slice_of(bytes, len));
}

// The plaintext of a report, for its publisher.
static struct sg_slice
open_report(struct sg_env_local *local, const struct sg_effect_send *send)
{
    struct sg_payload_meta meta;
    struct sg_evidence *evidence = local->options.evidence;
    size_t used = 0;

    if (sg_payload_find(sg_evidence_payload(evidence), send->object, &meta) !=
            SG_OK ||
        meta.bytes > REPORT_MAX)
        return (struct sg_slice){NULL, 0};
    uint8_t *bytes = sg_arena_take(local->arena, (size_t)meta.bytes + 1);
    for (uint64_t i = 0; bytes != NULL && i < meta.chunks; i++) {
        size_t len;
        if (sg_evidence_open_chunk(evidence, send->object, i, bytes + used,
                                   (size_t)meta.bytes - used, &len) != SG_OK)
            return (struct sg_slice){NULL, 0};
        used += len;
    }
    return sg_slice_of(bytes, bytes == NULL ? 0 : used);
}

static enum sg_err
make_receipt(struct sg_env_local *local, uint64_t seq, struct sg_slice *receipt)
{
    size_t len = 0;
    uint8_t *bytes = NULL;

    // The size is asked for first; it is small but for rosters.
    enum sg_err err =
        sg_evidence_receipt(local->options.evidence, seq, NULL, 0, &len);
    if (err == SG_ERR_FULL && len <= RECEIPT_MAX)
        bytes = sg_arena_take(local->arena, len);
    if (bytes != NULL)
        err =
            sg_evidence_receipt(local->options.evidence, seq, bytes, len, &len);
    *receipt = sg_slice_of(bytes, err == SG_OK ? len : 0);
    if (err != SG_OK)
        sg_log(SG_LOG_ERROR, "receipt.failed", "reason", sg_err_sentence(err),
               NULL);
    return err;
}

static struct sg_figures
figures_now(const struct sg_env_local *local)
{
    struct sg_evidence *evidence = local->options.evidence;
    struct sg_env_peaks peaks = sg_env_local_peaks(local);
    struct sg_figures now = {.peak = peaks.gate,
                             .worker_peak = peaks.worker,
                             .evidence = sg_evidence_bytes(evidence)};
    bool enough;

    if (sg_payload_space(sg_evidence_payload(evidence), &now.disk_free,
                         &enough) != SG_OK)
        now.disk_free = 0;
    return now;
}

static void
send_effect(struct sg_env_local *local, const struct sg_effect_send *send)
{
    struct sg_filling with = {.receipt = {NULL, 0}};
    struct sg_slice envelope = send->envelope;
    struct sg_wire_routing to;
    enum sg_err proven = SG_OK;

    routing_of(&send->to, &to);
    if (to.len < 2)
        return;
    if (send->report_of)
        with.receipt = open_report(local, send);
    else if (send->receipt_of != SG_NO_ENTRY)
        proven = make_receipt(local, send->receipt_of, &with.receipt);
    if (send->checkpoint)
        with.note = sg_evidence_checkpoint(local->options.evidence);
    if (send->figures)
        with.figures = figures_now(local);
    if ((with.receipt.len > 0 || with.note.len > 0 || send->figures) &&
        sg_effect_fill(local->arena, send, &with, &envelope) != SG_OK) {
        sg_log(SG_LOG_ERROR, "send.fill_failed", NULL);
        return;
    }
    if (proven != SG_OK &&
        sg_effect_refuse(local->arena, &envelope, SG_ERR_DAMAGE) != SG_OK)
        return;
    if (send->chunk_of)
        send_chunk(local, send, &to, envelope);
    else if (send->payload.len > SG_ITEMS_INLINE_MAX)
        send_with_payload(local, send, &to, envelope);
    else
        (void)send_item(local, &to, envelope, send->payload);
}

// ---- payload -------------------------------------------------------------------

static void
not_stored(struct sg_env_local *local, uint64_t upload, uint64_t index,
           enum sg_err err)
{
    struct sg_event_stored *event =
        &sg_env_own(local, SG_EVENT_UPLOAD_STORED)->event.u.stored;

    event->upload = upload;
    event->index = index;
    event->err = err;
}

static void
begin_object(struct sg_env_local *local, uint64_t upload,
             const struct sg_object *object)
{
    struct sg_payload_meta meta = {
        .purpose = object->purpose,
        .chunk_size = object->chunk_size,
        .chunks = object->chunks,
        .bytes = object->bytes,
        .created_us = sg_env_clock_now(&local->clock),
    };

    memcpy(meta.id, object->id, 16);
    memcpy(meta.attempt, object->attempt, 16);
    memcpy(meta.variant, object->variant, 16);
    memcpy(meta.manifest_sha256, object->manifest, 32);
    enum sg_err err =
        sg_evidence_begin_object(local->options.evidence, upload, &meta);
    if (err != SG_OK)
        not_stored(local, upload, 0, err);
}

// The frame itself is kept when the chunk is all of it, else a copy.
static struct sg_env_buffer *
keep(struct sg_env_local *local, const struct sg_effect_store *store,
     struct sg_slice *bytes)
{
    uint64_t token = store->payload_token;
    bool whole = token >= 1 && token <= local->messages &&
                 local->message[token - 1].payload.len == store->payload.len &&
                 local->message[token - 1].payload.ptr == store->payload.ptr;
    struct sg_env_buffer *buffer =
        malloc(sizeof *buffer + (whole ? 0 : store->payload.len));

    if (buffer == NULL)
        return NULL;
    *buffer = (struct sg_env_buffer){.len = store->payload.len};
    if (whole) {
        buffer->held = sg_wire_hold(local->options.wire,
                                    local->message[token - 1].slot, bytes);
        if (buffer->held != NULL)
            return buffer;
        free(buffer);
        return NULL;
    }
    memcpy(buffer->bytes, store->payload.ptr, store->payload.len);
    *bytes = sg_slice_of(buffer->bytes, buffer->len);
    return buffer;
}

static void
store_chunk(struct sg_env_local *local, const struct sg_effect_store *store)
{
    struct sg_slice bytes;
    struct sg_env_buffer *buffer = keep(local, store, &bytes);
    enum sg_err err =
        buffer == NULL
            ? SG_ERR_MEMORY
            : sg_evidence_put_chunk(local->options.evidence, store->upload,
                                    store->index, bytes, buffer);
    if (err == SG_OK) {
        buffer->next = local->buffers;
        buffer->link = &local->buffers;
        if (buffer->next != NULL)
            buffer->next->link = &buffer->next;
        local->buffers = buffer;
        return;
    }
    if (buffer != NULL)
        sg_env_buffer_free(buffer);
    not_stored(local, store->upload, store->index, err);
}

// ---- keys ----------------------------------------------------------------------

// Into the frame of its peer, which leaves before anything else is appended.
static bool
put_key(struct sg_env_local *local, const struct sg_effect_key *wanted)
{
    struct sg_release_request request = {
        .reason = SG_RELEASE_DELIVERY,
        .manifest_sha256 = wanted->manifest,
        .variant = wanted->variant,
        .released = wanted->released,
    };
    Sgpb__DeliveryKey body = SGPB__DELIVERY_KEY__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    struct sg_seal_key_frame frame = {.released = wanted->released};
    uint8_t bytes[SG_SEAL_KEY_FRAME_LEN];
    struct sg_wire_routing to;
    struct sg_slice packed;

    routing_of(&wanted->to, &to);
    if (to.len < 2 ||
        sg_release_key(local->options.evidence, &request, frame.key) != SG_OK)
        return false;
    memcpy(frame.delivery_id, wanted->delivery, 16);
    sg_seal_key_frame_encode(&frame, bytes);
    sg_crypto_wipe(&frame, sizeof frame);
    body.delivery_id = sg_codec_bytes(wanted->delivery, 16);
    envelope.proto = 1;
    envelope.request = wanted->request;
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_KEY;
    envelope.delivery_key = &body;
    bool put = false;
    if (sg_codec_pack(&envelope.base, local->arena, &packed) == SG_OK) {
        if (local->frame.keys == SG_ENV_KEYS)
            sg_env_flush(local);
        put = send_item(local, &to, packed, sg_slice_of(bytes, sizeof bytes));
    }
    sg_crypto_wipe(bytes, sizeof bytes);
    return put;
}

static void
release_key(struct sg_env_local *local, const struct sg_effect_key *wanted)
{
    struct sg_event_key key = {.released = wanted->released};

    memcpy(key.delivery, wanted->delivery, 16);
    if (put_key(local, wanted))
        local->frame.key[local->frame.keys++] = key;
    else
        tell_key(local, &key, false);
}

static void
destroy(struct sg_env_local *local, const struct sg_effect *effect)
{
    char number[24];
    enum sg_err err;

    while ((err = sg_evidence_destroy_keys(
                local->options.evidence, effect->u.destroy.names,
                (uint32_t)effect->u.destroy.count)) == SG_ERR_BUSY &&
           sg_env_wait_writer(local))
        continue;
    if (err == SG_OK)
        return;
    sg_log(SG_LOG_ERROR, "keys.destroy_failed", "keys",
           sg_log_number(effect->u.destroy.count, number), "reason",
           sg_err_sentence(err), NULL);
    (void)sg_env_own(local, SG_EVENT_DESTROY_FAILED);
}

// ---- snapshots -----------------------------------------------------------------

// Written, hashed and synced by the writer.
static void
snapshot(struct sg_env_local *local, const struct sg_effect *effect)
{
    struct sg_evidence_snapshot made = {
        .seq = sg_evidence_next_seq(local->options.evidence) - 1,
        .pieces = effect->u.snapshot.pieces};
    enum sg_err err;

    memcpy(made.state_sha256, effect->u.snapshot.state_sha256, 32);
    while ((err = sg_evidence_save_snapshot(local->options.evidence, &made)) ==
               SG_ERR_BUSY &&
           sg_env_wait_writer(local))
        continue;
    local->rows = 0;
    if (err != SG_OK)
        sg_log(SG_LOG_WARN, "snapshot.failed", "reason", sg_err_sentence(err),
               NULL);
}

// ---- the table -------------------------------------------------------------------

static void
report_failure(const char *what, enum sg_err err)
{
    if (err != SG_OK && err != SG_ERR_EXISTS)
        sg_log(SG_LOG_ERROR, what, "reason", sg_err_sentence(err), NULL);
}

static void
make_key(struct sg_env_local *local, const struct sg_effect *effect)
{
    report_failure("key.make_failed",
                   sg_evidence_new_key(local->options.evidence,
                                       effect->u.make_key.manifest,
                                       effect->u.make_key.variant));
}

// A release without its secret block could never be inspected: the upload ends
// here.
static void
store_secret(struct sg_env_local *local, const struct sg_effect *effect)
{
    struct sg_slice block = effect->u.secret.block;
    enum sg_err err =
        block.len != SG_KEYS_SECRET_LEN
            ? SG_ERR_SECRET
            : sg_evidence_put_secret(local->options.evidence,
                                     effect->u.secret.manifest, block.ptr);

    report_failure("secret.store_failed", err);
    if (err != SG_OK && err != SG_ERR_EXISTS)
        not_stored(local, effect->u.secret.upload, 0, err);
}

static void
drop_object(struct sg_env_local *local, const struct sg_effect *effect)
{
    report_failure(
        "object.drop_failed",
        sg_evidence_drop_object(local->options.evidence, effect->u.upload));
}

static void
remove_object(struct sg_env_local *local, const struct sg_effect *effect)
{
    report_failure(
        "object.remove_failed",
        sg_payload_remove(sg_evidence_payload(local->options.evidence),
                          effect->u.object_id));
}

static void
check_object(struct sg_env_local *local, const struct sg_effect *effect)
{
    sg_env_check_add(local, effect->u.object_id);
}

static void
swap_keys(struct sg_env_local *local, const struct sg_effect *effect)
{
    report_failure("keys.swap_failed",
                   sg_wire_admit(local->options.wire, effect->u.swap.keys,
                                 (uint32_t)effect->u.swap.count));
}

// A row that is lost would be a release forgotten: the writer's queue is waited
// for, as with entries.
static void
put_row(struct sg_env_local *local, const struct sg_effect *effect)
{
    enum sg_err err;

    while ((err = sg_evidence_put_row(local->options.evidence,
                                      effect->u.row.table, effect->u.row.key,
                                      effect->u.row.value)) == SG_ERR_BUSY &&
           sg_env_wait_writer(local))
        continue;
    local->rows++;
    if (err == SG_OK)
        return;
    report_failure("index.put_failed", err);
    local->failed = true;
}

static void
do_send(struct sg_env_local *local, const struct sg_effect *effect)
{
    send_effect(local, &effect->u.send);
}

static void
do_begin(struct sg_env_local *local, const struct sg_effect *effect)
{
    begin_object(local, effect->u.begin.upload, &effect->u.begin.object);
}

static void
do_store(struct sg_env_local *local, const struct sg_effect *effect)
{
    store_chunk(local, &effect->u.store);
}

static void
do_start_job(struct sg_env_local *local, const struct sg_effect *effect)
{
    sg_env_job_start(local, effect->u.start_job);
}

static void
do_cancel_job(struct sg_env_local *local, const struct sg_effect *effect)
{
    sg_env_job_cancel(local, effect->u.job);
}

static void
do_release_key(struct sg_env_local *local, const struct sg_effect *effect)
{
    release_key(local, &effect->u.key);
}

static void
do_stop(struct sg_env_local *local, const struct sg_effect *effect)
{
    enum sg_err why = effect->u.reason;

    sg_env_flush(local);
    if (why != SG_OK)
        sg_log(SG_LOG_ERROR, sg_err_code(why), "reason", sg_err_sentence(why),
               "cure", sg_err_cure(why), NULL);
}

// libzmq cannot end one connection; the key is looked up for every message.
static void
do_nothing(struct sg_env_local *local, const struct sg_effect *effect)
{
    (void)local;
    (void)effect;
}

typedef void carry_out(struct sg_env_local *local,
                       const struct sg_effect *effect);
static carry_out *const table[] = {
    [SG_EFFECT_SEND] = do_send,
    [SG_EFFECT_MAKE_KEY] = make_key,
    [SG_EFFECT_STORE_SECRET] = store_secret,
    [SG_EFFECT_BEGIN_OBJECT] = do_begin,
    [SG_EFFECT_STORE_CHUNK] = do_store,
    [SG_EFFECT_DROP_OBJECT] = drop_object,
    [SG_EFFECT_REMOVE_OBJECT] = remove_object,
    [SG_EFFECT_CHECK_OBJECT] = check_object,
    [SG_EFFECT_START_JOB] = do_start_job,
    [SG_EFFECT_CANCEL_JOB] = do_cancel_job,
    [SG_EFFECT_RELEASE_KEY] = do_release_key,
    [SG_EFFECT_DESTROY] = destroy,
    [SG_EFFECT_SWAP_KEYS] = swap_keys,
    [SG_EFFECT_CLOSE_PEER] = do_nothing,
    [SG_EFFECT_PUT_ROW] = put_row,
    [SG_EFFECT_SNAPSHOT] = snapshot,
    [SG_EFFECT_STOP] = do_stop,
};
_Static_assert(SG_COUNT_OF(table) == SG_EFFECT_COUNT, "a row an effect");

void
sg_env_effect(void *ctx, const struct sg_effect *effect)
{
    struct sg_env_local *local = (struct sg_env_local *)ctx;

    SG_ASSERT((size_t)effect->kind < SG_COUNT_OF(table));
    table[effect->kind](local, effect);
    local->queued |= effect->kind != SG_EFFECT_SEND;
    sg_arena_reset(local->arena);
}
