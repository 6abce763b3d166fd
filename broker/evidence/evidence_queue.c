// What the loop gives to the writer, and what comes back.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/evidence/evidence_inside.h"

static enum sg_err
push(struct sg_evidence *ev, const struct sg_writer_item *item, bool copy)
{
    SG_ASSERT(ev->thread != NULL);
    return sg_writer_push(ev->thread, item, copy);
}

// ---- entries ----------------------------------------------------------------------

enum sg_err
sg_evidence_append(struct sg_evidence *evidence, uint64_t seq, uint16_t type,
                   uint64_t time_us, struct sg_slice body)
{
    SG_ASSERT(seq == evidence->next_seq);
    SG_ASSERT(time_us >= evidence->last_time);
    size_t frame = sg_entry_frame_size(SG_ENTRY_HEAD_LEN + body.len);
    if (SG_ENTRY_HEAD_LEN + body.len > SG_LIMIT_ENTRY ||
        SG_ENTRY_SEGMENT_LEN + frame > evidence->options.segment_bytes)
        return SG_ERR_FULL;
    struct sg_writer_item item = {.kind = SG_WRITER_ENTRY,
                                  .type = type,
                                  .number = seq,
                                  .time_us = time_us,
                                  .bytes = body};
    enum sg_err err = push(evidence, &item, true);
    if (err != SG_OK)
        return err;
    evidence->next_seq++;
    evidence->last_time = time_us;
    return SG_OK;
}

enum sg_err
sg_evidence_flush(struct sg_evidence *evidence)
{
    struct sg_writer_item item = {.kind = SG_WRITER_FLUSH};
    return push(evidence, &item, false);
}

uint32_t
sg_evidence_room(const struct sg_evidence *evidence)
{
    return sg_writer_room(evidence->thread);
}

int
sg_evidence_fd(const struct sg_evidence *evidence)
{
    return sg_writer_fd(evidence->thread);
}

// ---- what comes back ----------------------------------------------------------------

static struct sg_slice
token_key(uint8_t bytes[8], uint64_t token)
{
    sg_bytes_store_u64(bytes, token);
    return sg_slice_of(bytes, 8);
}

static struct sg_payload_attempt *
find_attempt(const struct sg_evidence *ev, uint64_t token)
{
    uint8_t bytes[8];
    uint64_t value;
    if (!sg_table_get(ev->attempts, token_key(bytes, token), &value))
        return NULL;
    return (struct sg_payload_attempt *)(uintptr_t)value;
}

static void
forget_attempt(struct sg_evidence *ev, struct sg_payload_attempt *attempt)
{
    uint8_t bytes[8];
    (void)sg_table_remove(ev->attempts, token_key(bytes, attempt->token));
    sg_payload_attempt_free(&attempt);
}

// An attempt's end; false: the caller has dropped it, nobody wants to know.
static bool
end_attempt(struct sg_evidence *ev, const struct sg_writer_done *done,
            struct sg_evidence_event *event)
{
    struct sg_payload_attempt *attempt = done->attempt;
    bool dropped = attempt->dropped;
    event->token = attempt->token;
    event->meta = attempt->meta;
    if (event->err == SG_OK && attempt->whole)
        event->err =
            sg_payload_add(ev->payload, attempt->meta.id, &attempt->place);
    // What cannot be removed is an orphan: found by sg_payload_next.
    if (dropped && attempt->whole && event->err == SG_OK)
        event->err = sg_payload_remove(ev->payload, attempt->meta.id);
    forget_attempt(ev, attempt);
    return !dropped;
}

// false: nothing to be told.
static bool
from_done(struct sg_evidence *ev, const struct sg_writer_done *done,
          struct sg_evidence_event *event)
{
    memset(event, 0, sizeof(*event));
    event->kind = done->kind;
    event->err = done->err;
    event->seq = done->seq;
    event->index = done->index;
    event->buffer = done->buffer;
    event->class = done->class;
    if (done->kind == SG_EVIDENCE_CHUNK) {
        event->token = done->seq;
        event->seq = 0;
    }
    return done->kind != SG_EVIDENCE_OBJECT || end_attempt(ev, done, event);
}

static bool
from_durable(struct sg_evidence *ev, struct sg_evidence_event *event)
{
    sg_writer_durable(ev->thread, &ev->durable);
    memset(event, 0, sizeof(*event));
    if (ev->durable.size > ev->told) {
        ev->told = ev->durable.size;
        event->kind = SG_EVIDENCE_DURABLE;
        event->seq = ev->told - 1;
        return true;
    }
    if (ev->durable.failed != SG_OK && !ev->failure_told) {
        ev->failure_told = true;
        event->kind = SG_EVIDENCE_FAILED;
        event->err = ev->durable.failed;
        (void)snprintf(event->text, sizeof(event->text),
                       "writing or syncing failed: %s", ev->durable.failed_at);
        return true;
    }
    return false;
}

bool
sg_evidence_poll(struct sg_evidence *evidence, struct sg_evidence_event *event)
{
    struct sg_writer_done done;
    uint64_t count;
    sg_index_rest(evidence->index);
    // Once more after the descriptor was emptied: what came in between would
    // otherwise lie there unseen.
    for (unsigned round = 0; round < 2; round++) {
        while (sg_writer_next(evidence->thread, &done)) {
            if (from_done(evidence, &done, event))
                return true;
        }
        if (from_durable(evidence, event))
            return true;
        if (round == 0 && read(sg_evidence_fd(evidence), &count,
                               sizeof(count)) != sizeof(count))
            return false;
    }
    return false;
}

// ---- keys -----------------------------------------------------------------------------

enum sg_err
sg_evidence_new_key(struct sg_evidence *evidence,
                    const uint8_t manifest_sha256[32],
                    const uint8_t variant[16])
{
    uint8_t row[SG_KEYS_ROW_BYTES];
    uint32_t index;
    // Looked at first: a row in memory must get into the file.
    if (sg_evidence_room(evidence) == 0)
        return SG_ERR_BUSY;
    enum sg_err err =
        sg_keys_make(evidence->keys, manifest_sha256, variant, &index, row);
    if (err != SG_OK)
        return err;
    struct sg_writer_item item = {.kind = SG_WRITER_KEY_ROW,
                                  .number = index,
                                  .bytes = sg_slice_of(row, sizeof(row))};
    return push(evidence, &item, true);
}

enum sg_err
sg_evidence_put_secret(struct sg_evidence *evidence,
                       const uint8_t manifest_sha256[32],
                       const uint8_t block[SG_KEYS_SECRET_LEN])
{
    static const uint8_t release[16];
    const struct sg_release_request request = {SG_RELEASE_SEAL, manifest_sha256,
                                               release, 0};
    uint8_t key[32], record[SG_KEYS_SECRET_BYTES];
    uint32_t index;
    if (sg_evidence_room(evidence) == 0)
        return SG_ERR_BUSY;
    enum sg_err err = sg_release_key(evidence, &request, key);
    if (err == SG_OK)
        err = sg_keys_put_secret(evidence->keys, manifest_sha256, key, block,
                                 &index, record);
    sg_crypto_wipe(key, sizeof(key));
    if (err != SG_OK)
        return err;
    struct sg_writer_item item = {.kind = SG_WRITER_SECRET,
                                  .number = index,
                                  .bytes = sg_slice_of(record, sizeof(record))};
    return push(evidence, &item, true);
}

enum sg_err
sg_evidence_get_secret(struct sg_evidence *evidence,
                       const uint8_t manifest_sha256[32],
                       uint8_t block[SG_KEYS_SECRET_LEN])
{
    static const uint8_t release[16];
    const struct sg_release_request request = {SG_RELEASE_JOB, manifest_sha256,
                                               release, 0};
    uint8_t key[32];
    enum sg_err err = sg_release_key(evidence, &request, key);
    if (err == SG_OK)
        err = sg_keys_get_secret(evidence->keys, manifest_sha256, key, block);
    sg_crypto_wipe(key, sizeof(key));
    return err;
}

enum sg_err
sg_evidence_destroy_keys(struct sg_evidence *evidence,
                         const uint8_t (*names)[SG_KEYS_NAME_LEN],
                         uint32_t count)
{
    struct sg_keys_image *image;
    if (sg_evidence_room(evidence) == 0)
        return SG_ERR_BUSY;
    enum sg_err err = sg_keys_rewrap(evidence->keys, names, count, &image);
    if (err != SG_OK)
        return err;
    struct sg_writer_item item = {.kind = SG_WRITER_REWRAP, .image = image};
    err = push(evidence, &item, false);
    if (err != SG_OK)
        sg_keys_image_free(&image);
    return err;
}

enum sg_err
sg_evidence_destroy_wraps(struct sg_evidence *evidence)
{
    struct sg_writer_item item = {.kind = SG_WRITER_DESTROY_WRAPS,
                                  .class = evidence->options.keys_class};
    return push(evidence, &item, false);
}

// ---- objects ----------------------------------------------------------------------------

static bool
meta_is_sound(const struct sg_payload_meta *meta)
{
    return meta->chunk_size > 0 && meta->chunk_size <= SG_LIMIT_CHUNK &&
           meta->bytes > 0 && meta->bytes <= SG_LIMIT_OBJECT &&
           meta->chunks == (meta->bytes - 1) / meta->chunk_size + 1 &&
           meta->purpose > 0 && meta->purpose < SG_SEAL_END;
}

// key NULL: chunks come sealed.
static enum sg_err
begin(struct sg_evidence *ev, uint64_t token,
      const struct sg_payload_meta *meta, const uint8_t *key,
      struct sg_payload_attempt **attempt)
{
    uint8_t bytes[8];
    uint64_t free_bytes;
    bool enough;
    *attempt = NULL;
    if (!meta_is_sound(meta))
        return SG_ERR_FORMAT;
    if (find_attempt(ev, token) != NULL)
        return SG_ERR_EXISTS;
    enum sg_err err = sg_payload_space(ev->payload, &free_bytes, &enough);
    if (err == SG_OK && !enough)
        err = SG_ERR_DISK;
    if (err == SG_OK)
        err = sg_payload_attempt_new(token, meta, key, attempt);
    if (err == SG_OK)
        err = sg_table_put(ev->attempts, token_key(bytes, token),
                           (uint64_t)(uintptr_t)*attempt);
    if (err != SG_OK)
        sg_payload_attempt_free(attempt);
    return err;
}

enum sg_err
sg_evidence_begin_object(struct sg_evidence *evidence, uint64_t token,
                         const struct sg_payload_meta *meta)
{
    const struct sg_release_request request = {
        SG_RELEASE_SEAL, meta->manifest_sha256, meta->variant, 0};
    struct sg_payload_attempt *attempt;
    uint8_t key[32];
    enum sg_err err = sg_release_key(evidence, &request, key);
    if (err == SG_OK)
        err = begin(evidence, token, meta, key, &attempt);
    sg_crypto_wipe(key, sizeof(key));
    return err;
}

static enum sg_err
put(struct sg_evidence *ev, struct sg_payload_attempt *attempt, uint64_t index,
    struct sg_slice bytes, void *buffer, bool copy)
{
    const struct sg_payload_meta *meta = &attempt->meta;
    if (index < attempt->given)
        return SG_ERR_CHUNK_CHANGED;
    if (index > attempt->given || index >= meta->chunks)
        return SG_ERR_CHUNK_ORDER;
    uint64_t left = meta->bytes - index * meta->chunk_size;
    if (bytes.len != (left < meta->chunk_size ? left : meta->chunk_size))
        return SG_ERR_FORMAT;
    struct sg_writer_item item = {.kind = SG_WRITER_CHUNK,
                                  .number = index,
                                  .bytes = bytes,
                                  .buffer = buffer,
                                  .attempt = attempt};
    enum sg_err err = push(ev, &item, copy);
    if (err == SG_OK)
        attempt->given++;
    return err;
}

enum sg_err
sg_evidence_put_chunk(struct sg_evidence *evidence, uint64_t token,
                      uint64_t index, struct sg_slice bytes, void *buffer)
{
    struct sg_payload_attempt *attempt = find_attempt(evidence, token);
    if (attempt == NULL || attempt->dropped || attempt->seal.aead == NULL)
        return SG_ERR_NOT_FOUND;
    return put(evidence, attempt, index, bytes, buffer, false);
}

enum sg_err
sg_evidence_put_object(struct sg_evidence *evidence, uint64_t token,
                       const struct sg_payload_meta *meta,
                       struct sg_slice bytes)
{
    if (meta->chunks != 1 || sg_evidence_room(evidence) == 0)
        return meta->chunks != 1 ? SG_ERR_FORMAT : SG_ERR_BUSY;
    enum sg_err err = sg_evidence_begin_object(evidence, token, meta);
    if (err != SG_OK)
        return err;
    err = put(evidence, find_attempt(evidence, token), 0, bytes, NULL, true);
    if (err != SG_OK)
        forget_attempt(evidence, find_attempt(evidence, token));
    return err;
}

enum sg_err
sg_evidence_adopt(struct sg_evidence *evidence, uint64_t token,
                  const struct sg_payload_meta *meta, int fd)
{
    struct sg_payload_attempt *attempt = NULL;
    enum sg_err err = begin(evidence, token, meta, NULL, &attempt);
    if (err == SG_OK) {
        attempt->fd = fd;
        attempt->given = meta->chunks;
        struct sg_writer_item item = {.kind = SG_WRITER_ADOPT,
                                      .attempt = attempt};
        err = push(evidence, &item, false);
        if (err != SG_OK)
            forget_attempt(evidence, attempt);
    }
    if (err != SG_OK)
        evidence->disk->close(evidence->disk->arg, fd);
    return err;
}

enum sg_err
sg_evidence_drop_object(struct sg_evidence *evidence, uint64_t token)
{
    struct sg_payload_attempt *attempt = find_attempt(evidence, token);
    if (attempt == NULL || attempt->dropped)
        return SG_OK;
    // All given: its end comes by itself and is not passed on.
    bool ends = attempt->given == attempt->meta.chunks;
    if (attempt->given == 0) {
        forget_attempt(evidence, attempt);
        return SG_OK;
    }
    struct sg_writer_item item = {.kind = SG_WRITER_DROP, .attempt = attempt};
    enum sg_err err = ends ? SG_OK : push(evidence, &item, false);
    attempt->dropped = err == SG_OK;
    return err;
}

enum sg_err
sg_evidence_open_chunk(struct sg_evidence *evidence, const uint8_t id[16],
                       uint64_t index, uint8_t *out, size_t cap, size_t *len)
{
    struct sg_payload_meta meta;
    struct sg_seal seal = {0};
    uint8_t key[32];
    size_t sealed_len;
    *len = 0;
    enum sg_err err = sg_payload_find(evidence->payload, id, &meta);
    if (err == SG_OK)
        err = sg_payload_read(evidence->payload, id, index, evidence->chunk,
                              SG_LIMIT_CHUNK + SG_TAG_LEN, &sealed_len);
    if (err == SG_OK && sealed_len - SG_TAG_LEN > cap)
        err = SG_ERR_FULL;
    if (err != SG_OK)
        return err;
    const struct sg_release_request request = {
        SG_RELEASE_READ, meta.manifest_sha256, meta.variant, 0};
    err = sg_release_key(evidence, &request, key);
    if (err == SG_OK)
        err = sg_seal_begin(&seal, key, meta.manifest_sha256, meta.attempt,
                            (enum sg_seal_purpose)meta.purpose);
    sg_crypto_wipe(key, sizeof(key));
    if (err == SG_OK) {
        err = sg_seal_open(&seal, index, index + 1 == meta.chunks,
                           sg_slice_of(evidence->chunk, sealed_len), out);
        sg_seal_end(&seal);
    }
    *len = err == SG_OK ? sealed_len - SG_TAG_LEN : 0;
    return err;
}

// ---- index --------------------------------------------------------------------------------

enum sg_err
sg_evidence_put_row(struct sg_evidence *evidence, uint8_t table,
                    struct sg_slice key, struct sg_slice value)
{
    uint8_t *bytes = evidence->entry; // to lay both side by side
    if (key.len > SG_INDEX_KEY_MAX || value.len > SG_LIMIT_ENTRY - key.len)
        return SG_ERR_FULL;
    if (evidence->thread == NULL) {
        evidence->rows_put = true;
        return sg_index_put(evidence->index, table, key, value);
    }
    if (key.len > 0)
        memcpy(bytes, key.ptr, key.len);
    if (value.len > 0)
        memcpy(bytes + key.len, value.ptr, value.len);
    struct sg_writer_item item = {.kind = SG_WRITER_ROW,
                                  .table = table,
                                  .key_len = (uint32_t)key.len,
                                  .bytes =
                                      sg_slice_of(bytes, key.len + value.len)};
    return push(evidence, &item, true);
}

enum sg_err
sg_evidence_commit_rows(struct sg_evidence *evidence, uint64_t seq)
{
    SG_ASSERT(seq + 1 == evidence->next_seq);
    struct sg_writer_item item = {.kind = SG_WRITER_COMMIT_ROWS, .number = seq};
    return push(evidence, &item, false);
}

enum sg_err
sg_evidence_find(struct sg_evidence *evidence, uint8_t table,
                 struct sg_slice key, struct sg_slice *value)
{
    if (key.len > SG_INDEX_KEY_MAX)
        return SG_ERR_NOT_FOUND;
    return sg_index_find(evidence->index, table, key, value);
}

enum sg_err
sg_evidence_find_next(struct sg_evidence *evidence, uint8_t table,
                      struct sg_slice key, struct sg_slice *found,
                      struct sg_slice *value)
{
    if (key.len > SG_INDEX_KEY_MAX)
        return SG_ERR_NOT_FOUND;
    return sg_index_next(evidence->index, table, key, found, value);
}

bool
sg_evidence_has_rows(const struct sg_evidence *evidence, uint64_t seq)
{
    return !evidence->index_dropped && seq < evidence->index_state.rows;
}

enum sg_err
sg_evidence_replay_commit(struct sg_evidence *evidence,
                          const struct sg_evidence_entry *last)
{
    // The watermark never goes back: it says how long the log must be.
    SG_ASSERT(!sg_evidence_has_rows(evidence, last->seq));
    return sg_index_commit(evidence->index, last->seq + 1, last->leaf, NULL);
}

enum sg_err
sg_evidence_save_snapshot(struct sg_evidence *evidence,
                          const struct sg_evidence_snapshot *snapshot)
{
    const struct sg_piece whole = {.bytes = snapshot->core};
    const struct sg_piece *first =
        snapshot->pieces == NULL ? &whole : snapshot->pieces;
    size_t len = 0;
    SG_ASSERT(snapshot->seq + 1 == evidence->next_seq);
    for (const struct sg_piece *at = first; at != NULL; at = at->next)
        len += at->bytes.len;
    struct sg_index_snapshot *copy = calloc(1, sizeof(*copy) + len);
    if (copy == NULL)
        return SG_ERR_MEMORY;
    memcpy(copy->state_sha256, snapshot->state_sha256, 32);
    copy->core = sg_slice_of(copy + 1, len);
    uint8_t *to = (uint8_t *)(copy + 1);
    for (const struct sg_piece *at = first; at != NULL; at = at->next) {
        if (at->bytes.len > 0)
            memcpy(to, at->bytes.ptr, at->bytes.len);
        to += at->bytes.len;
    }
    struct sg_writer_item item = {
        .kind = SG_WRITER_SNAPSHOT, .number = snapshot->seq, .snapshot = copy};
    enum sg_err err = push(evidence, &item, false);
    if (err != SG_OK)
        free(copy);
    return err;
}
