#include "broker/evidence/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sg_writer_thread {
    struct sg_writer_parts *parts;
    pthread_t id;
    pthread_mutex_t lock;
    pthread_cond_t work;
    int event_fd;

    // under lock
    uint64_t pushed, taken; // items: put in, worked off
    uint64_t flushed;       // items up to the last flush
    uint64_t told, fetched; // dones: visible, fetched by the loop
    uint64_t ring_used_end; // copies: end of what is worked off
    bool stop;
    struct sg_writer_durable durable;

    // the loop's alone
    uint64_t ring_end; // where the next copy goes, counted without wrapping

    // the thread's alone
    uint64_t done_end;
    uint64_t size; // entries durable
    const char *step;

    struct sg_writer_item items[SG_WRITER_ITEMS];
    struct sg_writer_done dones[2 * SG_WRITER_ITEMS];
    uint8_t *ring; // SG_WRITER_BYTES
};

static void
crash_point(const struct sg_writer_parts *parts, const char *name)
{
    if (parts->crash_point != NULL)
        parts->crash_point(parts->crash_arg, name);
}

static void
slot_written(void *arg)
{
    crash_point(arg, "slot_written");
}

// ---- the thread --------------------------------------------------------------------

enum sg_err
sg_writer_sign(struct sg_writer_parts *parts, struct sg_slot *slot)
{
    memset(slot, 0, sizeof(*slot));
    slot->size = parts->tree.edge.count;
    sg_tree_root(&parts->tree, slot->root);
    struct sg_writer w = sg_writer_on(slot->note, sizeof(slot->note));
    enum sg_err err = sg_note_sign(sg_slice_text(parts->origin), slot->size,
                                   slot->root, parts->log_key, &w);
    slot->note_len = (uint32_t)w.len;
    return err == SG_OK && w.full ? SG_ERR_FULL : err;
}

enum sg_err
sg_writer_checkpoint(struct sg_writer_parts *parts,
                     struct sg_writer_durable *out)
{
    struct sg_slot slot;
    enum sg_err err = sg_writer_sign(parts, &slot);
    if (err != SG_OK)
        return err;
    crash_point(parts, "checkpoint_signed");
    err = sg_slot_put(parts->disk, &parts->slots, &slot, slot_written, parts);
    if (err != SG_OK)
        return err;
    crash_point(parts, "slot_synced");
    out->size = slot.size;
    out->segment = parts->log.first_seq;
    out->note_len = slot.note_len;
    memcpy(out->root, slot.root, 32);
    memcpy(out->note, slot.note, slot.note_len);
    return SG_OK;
}

static struct sg_writer_done *
tell(struct sg_writer_thread *t, enum sg_evidence_event_kind kind)
{
    struct sg_writer_done *done =
        &t->dones[t->done_end++ % SG_COUNT_OF(t->dones)];
    *done = (struct sg_writer_done){.kind = kind};
    return done;
}

// What entries speak of is durable before they can be on disk.
static enum sg_err
sync_payload(struct sg_writer_thread *t)
{
    struct sg_writer_parts *parts = t->parts;
    t->step = "keys";
    enum sg_err err = sg_keys_sync(&parts->keys);
    if (err != SG_OK)
        return err;
    t->step = "payload";
    if (!sg_payload_is_dirty(&parts->payload))
        return SG_OK;
    crash_point(parts, "payload_written");
    err = sg_payload_sync(&parts->payload);
    crash_point(parts, "payload_synced");
    return err;
}

// Everything worked off so far becomes durable, signed, and told. Without
// entries there is nothing yet that speaks of small objects and key rows: they
// wait for the first group that has some, which syncs them first.
static enum sg_err
end_group(struct sg_writer_thread *t)
{
    struct sg_writer_parts *parts = t->parts;
    struct sg_writer_durable durable;
    enum sg_err err = SG_OK;
    bool grown = parts->log.next_seq > t->size;
    if (grown || sg_payload_is_urgent(&parts->payload))
        err = sync_payload(t);
    if (err != SG_OK)
        return err;
    if (grown) {
        t->step = "log";
        err = sg_log_write(&parts->log);
        crash_point(parts, "log_written");
        if (err == SG_OK)
            err = sg_log_sync(&parts->log);
        crash_point(parts, "log_synced");
        if (err == SG_OK)
            err = sg_tree_flush(&parts->tree);
        if (err == SG_OK) {
            t->step = "checkpoint";
            err = sg_writer_checkpoint(parts, &durable);
        }
        if (err != SG_OK)
            return err;
        t->size = durable.size;
    }
    (void)pthread_mutex_lock(&t->lock);
    if (grown) {
        durable.failed = SG_OK;
        durable.failed_at = NULL;
        t->durable = durable;
    }
    t->told = t->done_end;
    (void)pthread_mutex_unlock(&t->lock);
    crash_point(parts, "told");
    uint64_t one = 1;
    return write(t->event_fd, &one, sizeof(one)) == sizeof(one) ? SG_OK
                                                                : SG_ERR_IO;
}

static enum sg_err
do_entry(struct sg_writer_thread *t, const struct sg_writer_item *item)
{
    struct sg_writer_parts *parts = t->parts;
    struct sg_entry entry = {
        .type = item->type, .time_us = item->time_us, .body = item->bytes};
    uint8_t leaf[32];
    uint32_t at;
    SG_ASSERT(item->number == parts->log.next_seq);
    t->step = "log";
    enum sg_err err = SG_OK;
    if (!sg_log_has_room(&parts->log, item->bytes.len)) {
        err = sync_payload(t);
        if (err == SG_OK)
            err = sg_log_make_room(&parts->log, item->bytes.len);
    }
    if (err == SG_OK)
        err =
            parts->random(parts->random_arg, entry.blind, sizeof(entry.blind));
    if (err != SG_OK)
        return err;
    sg_log_append(&parts->log, &entry, leaf, &at);
    return sg_tree_append(&parts->tree, leaf, at);
}

// A full disk or a lying worker ends one attempt, not the gate.
static bool
only_this_attempt(enum sg_err err)
{
    return err == SG_ERR_DISK || err == SG_ERR_CORRUPT || err == SG_ERR_SHORT ||
           err == SG_ERR_EXISTS;
}

static enum sg_err
do_payload(struct sg_writer_thread *t, const struct sg_writer_item *item)
{
    struct sg_payload_attempt *attempt = item->attempt;
    struct sg_payload_writer *payload = &t->parts->payload;
    enum sg_err err = attempt->err;
    t->step = "payload";
    if (err == SG_OK && item->kind == SG_WRITER_CHUNK)
        err =
            sg_payload_write_chunk(payload, attempt, item->number, item->bytes);
    else if (err == SG_OK && item->kind == SG_WRITER_ADOPT)
        err = sg_payload_write_adopted(payload, attempt);
    if (err != SG_OK && !only_this_attempt(err))
        return err;
    bool first = attempt->err == SG_OK && err != SG_OK;
    attempt->err = err;
    if (item->kind == SG_WRITER_DROP || first)
        sg_payload_write_drop(payload, attempt);
    if (item->kind == SG_WRITER_CHUNK) {
        struct sg_writer_done *done = tell(t, SG_EVIDENCE_CHUNK);
        done->err = err;
        done->index = item->number;
        done->buffer = item->buffer;
        done->seq = attempt->token;
    }
    // The loop sends no more of an attempt after its last chunk, an adopt or a
    // drop; then it is its own again.
    bool last = item->kind != SG_WRITER_CHUNK ||
                item->number + 1 == attempt->meta.chunks;
    if (last) {
        struct sg_writer_done *done = tell(t, SG_EVIDENCE_OBJECT);
        done->err = err;
        done->attempt = attempt;
    }
    crash_point(t->parts, "payload_item");
    return SG_OK;
}

static enum sg_err
do_keys(struct sg_writer_thread *t, struct sg_writer_item *item)
{
    struct sg_keys_files *keys = &t->parts->keys;
    enum sg_err err = SG_OK;
    t->step = "keys";
    if (item->kind == SG_WRITER_KEY_ROW)
        err = sg_keys_write_row(keys, (uint32_t)item->number, item->bytes.ptr);
    if (item->kind == SG_WRITER_SECRET)
        err =
            sg_keys_write_secret(keys, (uint32_t)item->number, item->bytes.ptr);
    if (item->kind == SG_WRITER_REWRAP) {
        err = sg_keys_write_image(keys, item->image);
        tell(t, SG_EVIDENCE_REWRAPPED)->seq = item->image->generation;
        sg_keys_image_free(&item->image);
    }
    if (item->kind == SG_WRITER_DESTROY_WRAPS) {
        err = sg_keys_destroy_wraps(keys);
        struct sg_writer_done *done = tell(t, SG_EVIDENCE_WRAP_GONE);
        done->seq = keys->generation;
        done->class = item->class;
    }
    crash_point(t->parts, "key_item");
    return err;
}

// Rows follow from entries that are durable: the group ends first.
static enum sg_err
do_commit(struct sg_writer_thread *t, struct sg_writer_item *item)
{
    struct sg_writer_parts *parts = t->parts;
    struct sg_index_snapshot *snapshot = item->snapshot;
    enum sg_err err = end_group(t);
    if (err != SG_OK)
        return err;
    t->step = "index";
    if (snapshot != NULL) {
        snapshot->size = parts->log.next_seq;
        snapshot->time_us = parts->log.last_time;
        snapshot->segment = parts->log.first_seq;
        snapshot->at = (uint32_t)parts->log.at;
        snapshot->epoch = parts->log.epoch;
        memcpy(snapshot->leaf, parts->log.last_leaf, 32);
        sg_tree_root(&parts->tree, snapshot->root);
        err = sg_tree_sync(&parts->tree);
    }
    crash_point(parts, "index_rows_put");
    if (err == SG_OK)
        err = sg_index_commit(parts->index, parts->log.next_seq,
                              parts->log.last_leaf, snapshot);
    crash_point(parts, "index_committed");
    tell(t, SG_EVIDENCE_INDEX)->seq = item->number;
    if (snapshot != NULL)
        tell(t, SG_EVIDENCE_SNAPSHOT)->seq = item->number;
    free(snapshot);
    item->snapshot = NULL;
    return err;
}

static enum sg_err
do_item(struct sg_writer_thread *t, struct sg_writer_item *item)
{
    switch (item->kind) {
    case SG_WRITER_ENTRY:
        return do_entry(t, item);
    case SG_WRITER_CHUNK:
    case SG_WRITER_ADOPT:
    case SG_WRITER_DROP:
        return do_payload(t, item);
    case SG_WRITER_KEY_ROW:
    case SG_WRITER_SECRET:
    case SG_WRITER_REWRAP:
    case SG_WRITER_DESTROY_WRAPS:
        return do_keys(t, item);
    case SG_WRITER_ROW:
        t->step = "index";
        return sg_index_put(t->parts->index, item->table,
                            sg_slice_of(item->bytes.ptr, item->key_len),
                            sg_slice_of(item->bytes.ptr + item->key_len,
                                        item->bytes.len - item->key_len));
    case SG_WRITER_COMMIT_ROWS:
    case SG_WRITER_SNAPSHOT:
        return do_commit(t, item);
    case SG_WRITER_FLUSH:
        return SG_OK;
    }
    SG_UNREACHABLE();
}

static void
fail(struct sg_writer_thread *t, enum sg_err err)
{
    (void)pthread_mutex_lock(&t->lock);
    t->durable.failed = err;
    t->durable.failed_at = t->step;
    (void)pthread_mutex_unlock(&t->lock);
    uint64_t one = 1;
    // The loop also learns it from the next push.
    if (write(t->event_fd, &one, sizeof(one)) != sizeof(one))
        return;
}

// Waits for a flushed item or the end; false: nothing more to do.
static bool
wait_for_group(struct sg_writer_thread *t, uint64_t *from, uint64_t *to)
{
    (void)pthread_mutex_lock(&t->lock);
    while (t->flushed <= t->taken && !t->stop)
        (void)pthread_cond_wait(&t->work, &t->lock);
    *from = t->taken;
    *to = t->stop ? t->pushed : t->flushed;
    (void)pthread_mutex_unlock(&t->lock);
    return *from < *to;
}

static void
work(struct sg_writer_thread *t)
{
    uint64_t from, to;
    while (wait_for_group(t, &from, &to)) {
        enum sg_err err = SG_OK;
        crash_point(t->parts, "group_taken");
        for (uint64_t i = from; i < to && err == SG_OK; i++)
            err = do_item(t, &t->items[i % SG_WRITER_ITEMS]);
        if (err == SG_OK)
            err = end_group(t);
        if (err == SG_OK) {
            t->step = "next segment";
            err = sg_log_prepare(&t->parts->log);
        }
        // No room for it yet: tried again when it is needed.
        if (err == SG_ERR_DISK && strcmp(t->step, "next segment") == 0)
            err = SG_OK;
        if (err != SG_OK) {
            fail(t, err);
            return;
        }
        (void)pthread_mutex_lock(&t->lock);
        t->ring_used_end = t->items[(to - 1) % SG_WRITER_ITEMS].ring_end;
        t->taken = to;
        (void)pthread_mutex_unlock(&t->lock);
    }
}

static void *
run(void *arg)
{
    work(arg);
    sg_crypto_thread_end();
    return NULL;
}

// ---- the loop's side -----------------------------------------------------------------

enum sg_err
sg_writer_start(struct sg_writer_parts *parts,
                const struct sg_writer_durable *durable,
                struct sg_writer_thread **thread)
{
    *thread = NULL;
    struct sg_writer_thread *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return SG_ERR_MEMORY;
    t->parts = parts;
    t->durable = *durable;
    t->size = durable->size;
    t->step = "start";
    t->ring = malloc(SG_WRITER_BYTES);
    t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->work, NULL);
    if (t->ring == NULL || t->event_fd < 0 ||
        pthread_create(&t->id, NULL, run, t) != 0) {
        if (t->event_fd >= 0)
            (void)close(t->event_fd);
        free(t->ring);
        free(t);
        return SG_ERR_MEMORY;
    }
    *thread = t;
    return SG_OK;
}

// What a failed thread left behind, so that nothing leaks at the end.
static void
free_left(struct sg_writer_thread *t)
{
    for (uint64_t i = t->taken; i < t->pushed; i++) {
        struct sg_writer_item *item = &t->items[i % SG_WRITER_ITEMS];
        sg_keys_image_free(&item->image);
        free(item->snapshot);
    }
}

enum sg_err
sg_writer_stop(struct sg_writer_thread **thread)
{
    struct sg_writer_thread *t = *thread;
    if (t == NULL)
        return SG_OK;
    (void)pthread_mutex_lock(&t->lock);
    t->stop = true;
    (void)pthread_cond_signal(&t->work);
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->id, NULL);
    enum sg_err failed = t->durable.failed;
    free_left(t);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_cond_destroy(&t->work);
    (void)close(t->event_fd);
    free(t->ring);
    free(t);
    *thread = NULL;
    return failed;
}

int
sg_writer_fd(const struct sg_writer_thread *thread)
{
    return thread->event_fd;
}

// Items queued, and things told that the loop has not fetched: an item makes at
// most two of them, for which `dones` has room.
static uint32_t
room(const struct sg_writer_thread *t)
{
    // A copy of the largest size always fits, even behind an empty rest.
    if (t->ring_end - t->ring_used_end > SG_WRITER_BYTES - 2 * SG_LIMIT_ENTRY)
        return 0;
    uint64_t items = SG_WRITER_ITEMS - (t->pushed - t->taken);
    uint64_t dones = SG_COUNT_OF(t->dones) - 2 * (t->pushed - t->taken) -
                     (t->told - t->fetched);
    return (uint32_t)(items < dones / 2 ? items : dones / 2);
}

uint32_t
sg_writer_room(struct sg_writer_thread *thread)
{
    (void)pthread_mutex_lock(&thread->lock);
    uint32_t count = room(thread);
    (void)pthread_mutex_unlock(&thread->lock);
    return count;
}

// A run of len bytes in the ring that does not wrap; false: no room.
static bool
reserve(struct sg_writer_thread *t, size_t len, uint64_t *at)
{
    uint64_t start = t->ring_end;
    uint64_t left = SG_WRITER_BYTES - start % SG_WRITER_BYTES;
    if (left < len)
        start += left; // the rest of this round stays empty
    if (start + len - t->ring_used_end > SG_WRITER_BYTES)
        return false;
    *at = start;
    return true;
}

enum sg_err
sg_writer_push(struct sg_writer_thread *thread,
               const struct sg_writer_item *item, bool copy)
{
    struct sg_writer_thread *t = thread;
    uint64_t at = t->ring_end;
    size_t len = copy ? item->bytes.len : 0;
    enum sg_err err = SG_OK;
    (void)pthread_mutex_lock(&t->lock);
    if (t->durable.failed != SG_OK)
        err = SG_ERR_IO;
    else if (room(t) == 0 || !reserve(t, len, &at))
        err = SG_ERR_BUSY;
    if (err == SG_OK) {
        struct sg_writer_item *slot = &t->items[t->pushed % SG_WRITER_ITEMS];
        *slot = *item;
        if (copy && len > 0) {
            uint8_t *to = t->ring + at % SG_WRITER_BYTES;
            memcpy(to, item->bytes.ptr, len);
            slot->bytes = sg_slice_of(to, len);
            t->ring_end = at + len;
        }
        slot->ring_end = t->ring_end;
        t->pushed++;
        if (item->kind == SG_WRITER_FLUSH) {
            t->flushed = t->pushed;
            (void)pthread_cond_signal(&t->work);
        }
    }
    (void)pthread_mutex_unlock(&t->lock);
    return err;
}

bool
sg_writer_next(struct sg_writer_thread *thread, struct sg_writer_done *done)
{
    (void)pthread_mutex_lock(&thread->lock);
    bool some = thread->fetched < thread->told;
    if (some)
        *done = thread->dones[thread->fetched++ % SG_COUNT_OF(thread->dones)];
    (void)pthread_mutex_unlock(&thread->lock);
    return some;
}

void
sg_writer_durable(struct sg_writer_thread *thread,
                  struct sg_writer_durable *out)
{
    (void)pthread_mutex_lock(&thread->lock);
    *out = thread->durable;
    (void)pthread_mutex_unlock(&thread->lock);
}

uint64_t
sg_writer_durable_size(struct sg_writer_thread *thread)
{
    (void)pthread_mutex_lock(&thread->lock);
    uint64_t size = thread->durable.size;
    (void)pthread_mutex_unlock(&thread->lock);
    return size;
}
