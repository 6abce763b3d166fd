#include "broker/env_local.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/core/snapshot.h"
#include "broker/env_parts.h"
#include "broker/os/clock.h"
#include "broker/os/log.h"
#include "broker/os/process.h"
#include "broker/os/random.h"
#include "schemas/proof/entry.h"

enum {
    ARENA_BYTES = 48 * 1024 * 1024, // a frame of receipts, a large roster
    WAIT_MS_MAX = 100,              // memory and disk are looked at so often
    FDS_MAX = 1 + SG_WORKERS_MAX,
    RECHECKED = 512, // entries ten times a second: two million in seven minutes
};

static const uint64_t look_us = 100000;

static void
draw(void *ctx, uint8_t out[32])
{
    (void)ctx;
    sg_os_random_fill(out, 32);
}

struct sg_env_own *
sg_env_own(struct sg_env_local *local, enum sg_event_kind kind)
{
    SG_ASSERT(local->own_count < SG_ENV_OWN);
    uint32_t at = (local->own_first + local->own_count++) % SG_ENV_OWN;
    struct sg_env_own *own = &local->own[at];

    memset(own, 0, sizeof *own);
    own->event.kind = kind;
    return own;
}

// ---- events --------------------------------------------------------------------

static void
stored(struct sg_env_local *local, const struct sg_evidence_event *from,
       bool whole)
{
    if (sg_env_job_stored(local, from->token, from->err, &from->meta))
        return;
    struct sg_env_own *own = sg_env_own(local, SG_EVENT_UPLOAD_STORED);
    own->event.u.stored = (struct sg_event_stored){
        .upload = from->token,
        .index = from->index,
        .whole = whole,
        .err = from->err,
        .bytes = from->seq,
    };
    memcpy(own->event.u.stored.chunk_root, from->meta.chunk_root, 32);
}

void
sg_env_buffer_free(struct sg_env_buffer *buffer)
{
    if (buffer->link != NULL) {
        *buffer->link = buffer->next;
        if (buffer->next != NULL)
            buffer->next->link = buffer->link;
    }
    sg_wire_release(&buffer->held);
    free(buffer);
}

static void
chunk_stored(struct sg_env_local *local, const struct sg_evidence_event *from)
{
    struct sg_env_buffer *buffer = from->buffer;
    struct sg_evidence_event with_bytes = *from;

    with_bytes.seq = buffer == NULL ? 0 : buffer->len;
    if (buffer != NULL)
        sg_env_buffer_free(buffer);
    stored(local, &with_bytes, false);
}

static void
wrap_gone(const struct sg_evidence_event *from)
{
    char number[24];

    sg_log(SG_LOG_INFO, "keys.destroyed", "table",
           sg_log_number(from->seq, number), "class",
           sg_keys_class_name(from->class), NULL);
}

// The core writes entry 19 at DESTROYED; the old wrapping key goes when that
// entry is durable (append, gather).
static void
rewrapped(struct sg_env_local *local, const struct sg_evidence_event *from)
{
    struct sg_env_own *own = sg_env_own(local, SG_EVENT_DESTROYED);

    own->event.u.destroyed.table = from->seq;
    own->event.u.destroyed.class = sg_keys_class_name(from->class);
}

static void
from_evidence(struct sg_env_local *local, const struct sg_evidence_event *from)
{
    switch (from->kind) {
    case SG_EVIDENCE_DURABLE:
        sg_env_own(local, SG_EVENT_DURABLE)->event.u.seq = from->seq;
        break;
    case SG_EVIDENCE_CHUNK:
        chunk_stored(local, from);
        break;
    case SG_EVIDENCE_OBJECT:
        stored(local, from, true);
        break;
    case SG_EVIDENCE_INDEX:
        sg_env_own(local, SG_EVENT_INDEX_AT)->event.u.seq = from->seq;
        break;
    case SG_EVIDENCE_SNAPSHOT:
        break;
    case SG_EVIDENCE_REWRAPPED:
        rewrapped(local, from);
        break;
    case SG_EVIDENCE_WRAP_GONE:
        wrap_gone(from);
        break;
    case SG_EVIDENCE_FAILED: // final: stop, exit, recover
        sg_log(SG_LOG_ERROR, "evidence.failed", "what", from->text, "reason",
               sg_err_sentence(from->err), NULL);
        local->failed = true;
        (void)sg_env_own(local, SG_EVENT_EVIDENCE_FAILED);
        break;
    }
}

// Low rate: a few milliseconds a second. Old segments are read by nobody else.
static void
look_back(struct sg_env_local *local)
{
    struct sg_diag diag = {.line = 0};

    if (local->rechecked || local->failed)
        return;
    enum sg_err err = sg_evidence_recheck(local->options.evidence, RECHECKED,
                                          &local->rechecked, &diag);
    if (err == SG_OK)
        return;
    local->rechecked = true;
    sg_log(SG_LOG_ERROR, "evidence.damaged", "what", diag.text, "reason",
           sg_err_sentence(err), NULL);
    if (err == SG_ERR_DAMAGE)
        sg_env_own(local, SG_EVENT_LOG_DAMAGED)->event.u.seq =
            sg_evidence_damaged_at(local->options.evidence);
}

// Memory, disk, clock, handshakes: about ten times a second.
static void
look_around(struct sg_env_local *local, uint64_t mono_us)
{
    uint64_t free_bytes;
    uint8_t suspect[32];
    bool enough, found;

    if (mono_us - local->looked_us < look_us)
        return;
    local->looked_us = mono_us;
    look_back(local);
    if (sg_wire_guard(local->options.wire, sg_os_process_rss(), mono_us, &found,
                      suspect)) {
        // The frames at hand went with their slots; their senders ask again.
        local->messages = local->message_at = 0;
        local->items = local->item_at = 0;
        sg_log(SG_LOG_WARN, "wire.reset", "reason", "memory", NULL);
    }
    if (found)
        memcpy(sg_env_own(local, SG_EVENT_FLOODED)->event.u.curve_key, suspect,
               sizeof suspect);
    if (sg_payload_space(sg_evidence_payload(local->options.evidence),
                         &free_bytes, &enough) == SG_OK &&
        enough == local->disk_low) {
        local->disk_low = !enough;
        struct sg_env_own *own = sg_env_own(local, SG_EVENT_DISK);
        own->event.u.disk.free_bytes = free_bytes;
        own->event.u.disk.enough = enough;
    }
    uint64_t refused = sg_wire_counts(local->options.wire).refused;
    if (refused != local->refused) {
        sg_env_own(local, SG_EVENT_ZAP_REFUSED)->event.u.refused =
            refused - local->refused;
        local->refused = refused;
    }
}

static void
look_at_clock(struct sg_env_local *local)
{
    uint64_t from, to;

    if (!sg_env_clock_look(&local->clock, &from, &to))
        return;
    struct sg_env_own *own = sg_env_own(local, SG_EVENT_CLOCK_STEPPED);
    own->event.u.clock.from = from;
    own->event.u.clock.to = to;
    sg_log(SG_LOG_WARN, "clock.stepped", "cure",
           "set it right; statgated(8) tells how to make the gate follow it",
           NULL);
}

// The writer's queue may be full: then the next time. Once it has failed, the
// next start destroys them.
static void
destroy_wraps(struct sg_env_local *local)
{
    if (local->wraps_due == 0 ||
        sg_evidence_durable_size(local->options.evidence) < local->wraps_due)
        return;
    enum sg_err err = sg_evidence_destroy_wraps(local->options.evidence);
    if (err == SG_ERR_BUSY)
        return;
    local->wraps_due = 0;
    if (err != SG_OK)
        sg_log(SG_LOG_ERROR, "keys.destroy_failed", "reason",
               sg_err_sentence(err), NULL);
}

static void
gather(struct sg_env_local *local)
{
    struct sg_evidence_event event;
    struct sg_workers_done done;
    uint64_t mono_us = sg_os_clock_mono_us();

    while (local->own_count < SG_ENV_OWN / 2 &&
           sg_evidence_poll(local->options.evidence, &event))
        from_evidence(local, &event);
    while (local->own_count < SG_ENV_OWN / 2 &&
           sg_workers_poll(local->options.workers, mono_us, &done))
        sg_env_job_ended(local, &done);
    look_around(local, mono_us);
    if (sg_os_process_stop != 0 && !local->stop_told) {
        local->stop_told = true;
        (void)sg_env_own(local, SG_EVENT_STOP);
    }
    destroy_wraps(local);
}

// The next item of the frames at hand as an event. false: none is left.
static bool
next_message(struct sg_env_local *local, struct sg_event *event)
{
    while (local->item_at == local->items) {
        if (local->message_at == local->messages)
            return false;
        struct sg_wire_message *message = &local->message[local->message_at++];
        local->item_at = 0;
        local->items = 0;
        if (message->malformed ||
            sg_items_parse(message->items, message->payload, local->item,
                           &local->items) != SG_OK) {
            local->items = 1; // one event that says so
            local->item[0] = (struct sg_item){{NULL, 0}, {NULL, 0}};
        }
    }
    const struct sg_wire_message *from = &local->message[local->message_at - 1];
    const struct sg_item *item = &local->item[local->item_at++];
    event->kind = SG_EVENT_MESSAGE;
    memcpy(event->u.message.curve_key, from->key, 32);
    event->u.message.from.len = from->from.len;
    memcpy(event->u.message.from.bytes, from->from.bytes, from->from.len);
    event->u.message.envelope = item->envelope;
    event->u.message.payload = item->payload;
    event->u.message.payload_token = local->message_at; // number + 1
    event->u.message.malformed = item->envelope.len == 0;
    return true;
}

static size_t
hand_out(struct sg_env_local *local, struct sg_event *events, size_t cap)
{
    size_t count = 0;

    while (count < cap && local->own_count > 0) {
        struct sg_env_own *own = &local->own[local->own_first];
        events[count] = own->event;
        draw(NULL, events[count++].random);
        if (own->memory != NULL)
            local->spent_memory = own->memory;
        if (own->job != NULL) { // its memory lives until the next wait
            own->job->next = local->spent;
            local->spent = own->job;
        }
        local->own_first = (local->own_first + 1) % SG_ENV_OWN;
        local->own_count--;
    }
    while (count < cap) {
        memset(&events[count], 0, sizeof events[count]);
        if (!next_message(local, &events[count]))
            break;
        draw(NULL, events[count++].random);
    }
    return count;
}

static void
free_spent(struct sg_env_local *local)
{
    while (local->spent != NULL) {
        struct sg_env_job *next = local->spent->next;
        sg_env_job_free(local->spent);
        local->spent = next;
    }
    free(local->spent_memory);
    local->spent_memory = NULL;
}

// What a turn gave the writer besides entries: chunks, keys, outputs of jobs.
static void
flush_writer(struct sg_env_local *local)
{
    if (local->queued && !local->failed &&
        sg_evidence_flush(local->options.evidence) == SG_OK)
        local->queued = false;
}

// Between turns all rows of all entries appended have been put.
static void
commit_rows(struct sg_env_local *local)
{
    struct sg_evidence *evidence = local->options.evidence;

    if (local->rows < SG_ENV_ROWS || local->failed ||
        sg_evidence_commit_rows(evidence, sg_evidence_next_seq(evidence) - 1) !=
            SG_OK)
        return; // the queue is full: after the next turn
    local->rows = 0;
    local->queued = true;
}

static size_t
wait_events(void *ctx, uint64_t due_us, struct sg_event *events, size_t cap)
{
    struct sg_env_local *local = (struct sg_env_local *)ctx;
    int fds[FDS_MAX];
    bool ready[FDS_MAX];

    sg_env_flush(local);
    free_spent(local);
    look_at_clock(local);
    gather(local);
    commit_rows(local);
    flush_writer(local);
    sg_env_check_step(local);
    bool busy = sg_env_check_pending(local) || local->own_count > 0 ||
                local->item_at < local->items ||
                local->message_at < local->messages || local->failed;
    uint64_t now_us = sg_env_clock_now(&local->clock);
    uint64_t ms = due_us <= now_us ? 0 : (due_us - now_us) / 1000 + 1;
    uint32_t timeout = busy ? 0 : ms > WAIT_MS_MAX ? WAIT_MS_MAX : (uint32_t)ms;
    fds[0] = sg_evidence_fd(local->options.evidence);
    uint32_t count = 1 + (uint32_t)sg_workers_fds(local->options.workers,
                                                  fds + 1, FDS_MAX - 1);
    bool message =
        sg_wire_wait(local->options.wire, fds, ready, count, timeout);
    gather(local);
    if (message && local->item_at == local->items &&
        local->message_at == local->messages) {
        local->messages = sg_wire_receive(local->options.wire, local->message,
                                          SG_ENV_MESSAGES);
        local->message_at = 0;
        local->items = local->item_at = 0;
    }
    return hand_out(local, events, cap);
}

static uint64_t
now(void *ctx)
{
    return sg_env_clock_now(&((struct sg_env_local *)ctx)->clock);
}

// What was queued and not flushed would never be worked off. Events of our own
// that find no place stay with the writer until they have one.
bool
sg_env_wait_writer(struct sg_env_local *local)
{
    struct sg_evidence_event event;
    int fd = sg_evidence_fd(local->options.evidence);
    bool ready;

    if (sg_evidence_flush(local->options.evidence) == SG_ERR_IO)
        return false;
    (void)sg_wire_wait(local->options.wire, &fd, &ready, 1, 5);
    while (local->own_count < SG_ENV_OWN / 2 &&
           sg_evidence_poll(local->options.evidence, &event))
        from_evidence(local, &event);
    return !local->failed;
}

// The loop makes room before a turn; the queue of the writer is larger than a
// turn. Busy therefore means that the disk is slow: wait for it here, because
// an entry that was applied must be written.
static enum sg_err
append_one(struct sg_env_local *local, const struct sg_appended *entry)
{
    enum sg_err err;

    while ((err = sg_evidence_append(local->options.evidence, entry->seq,
                                     entry->type, entry->time_us,
                                     entry->body)) == SG_ERR_BUSY)
        if (!sg_env_wait_writer(local))
            return SG_ERR_IO;
    return err;
}

static enum sg_err
append(void *ctx, const struct sg_appended *entries, size_t count)
{
    struct sg_env_local *local = (struct sg_env_local *)ctx;

    sg_env_flush(local); // keys let go before what is written now
    if (local->failed)
        return SG_ERR_IO;
    for (size_t i = 0; i < count; i++) {
        enum sg_err err = append_one(local, &entries[i]);
        if (err != SG_OK)
            return err;
        if (entries[i].type == SG_ENTRY_DESTROYED)
            local->wraps_due = entries[i].seq + 1;
    }
    // Chunks handed over in this turn end a group too.
    return sg_evidence_flush(local->options.evidence);
}

static bool
settle(void *ctx, uint64_t *durable)
{
    struct sg_env_local *local = (struct sg_env_local *)ctx;
    bool goes_on = sg_env_wait_writer(local);

    *durable = sg_evidence_durable_size(local->options.evidence);
    return goes_on;
}

// ---- look-ups ------------------------------------------------------------------

static bool
look_up_raw(void *ctx, uint64_t seq, struct sg_arena *arena,
            struct sg_slice *raw)
{
    struct sg_evidence *evidence = (struct sg_evidence *)ctx;
    uint8_t first[1];
    size_t len = 0;

    enum sg_err err =
        sg_evidence_read(evidence, seq, first, sizeof first, &len);
    if (err != SG_ERR_FULL || len > SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN)
        return false;
    uint8_t *bytes = sg_arena_take(arena, len);
    if (bytes == NULL ||
        sg_evidence_read(evidence, seq, bytes, len, &len) != SG_OK)
        return false;
    *raw = sg_slice_of(bytes, len);
    return true;
}

static bool
look_up_entry(void *ctx, uint64_t seq, struct sg_arena *arena,
              struct sg_slice *body)
{
    struct sg_entry entry;
    struct sg_slice raw;

    if (!look_up_raw(ctx, seq, arena, &raw) ||
        sg_entry_decode(raw, &entry) != SG_OK)
        return false;
    *body = entry.body;
    return true;
}

static enum sg_err
look_up_shown(void *ctx, struct sg_slice note, struct sg_shown *shown)
{
    return sg_evidence_shown((struct sg_evidence *)ctx, note, shown);
}

static enum sg_err
take_value(struct sg_row *row, struct sg_slice value)
{
    if (value.len > sizeof row->value)
        return SG_ERR_CORRUPT;
    row->value_len = (uint16_t)value.len;
    memcpy(row->value, value.ptr, value.len);
    return SG_OK;
}

static enum sg_err
look_up_find(void *ctx, struct sg_row *row)
{
    struct sg_slice value;

    enum sg_err err =
        sg_evidence_find((struct sg_evidence *)ctx, row->table,
                         sg_slice_of(row->key, row->key_len), &value);
    return err != SG_OK ? err : take_value(row, value);
}

static enum sg_err
look_up_next(void *ctx, struct sg_row *row)
{
    struct sg_slice key, value;

    enum sg_err err = sg_evidence_find_next(
        (struct sg_evidence *)ctx, row->table,
        sg_slice_of(row->key, row->key_len), &key, &value);
    if (err != SG_OK)
        return err;
    if (key.len > sizeof row->key)
        return SG_ERR_CORRUPT;
    row->key_len = (uint8_t)key.len;
    memcpy(row->key, key.ptr, key.len);
    return take_value(row, value);
}

struct sg_lookup
sg_env_local_lookup(struct sg_evidence *evidence)
{
    return (struct sg_lookup){.ctx = evidence,
                              .entry = look_up_entry,
                              .raw = look_up_raw,
                              .shown = look_up_shown,
                              .find = look_up_find,
                              .next = look_up_next};
}

// ---- life ----------------------------------------------------------------------

enum sg_err
sg_env_local_open(const struct sg_env_options *options,
                  struct sg_env_local **local)
{
    *local = NULL;
    struct sg_env_local *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->options = *options;
    sg_env_clock_start(&made->clock, options->clock_path);
    made->arena = sg_arena_new(ARENA_BYTES, 256 * 1024);
    made->own = calloc(SG_ENV_OWN, sizeof *made->own);
    made->frame.items = sg_writer_on(made->frame.bytes, SG_LIMIT_FRAME);
    made->next_token = SG_ENV_TOKENS;
    if (made->arena == NULL || made->own == NULL) {
        sg_env_local_close(&made);
        return SG_ERR_MEMORY;
    }
    *local = made;
    return SG_OK;
}

void
sg_env_local_close(struct sg_env_local **local)
{
    if (*local == NULL)
        return;
    free_spent(*local);
    for (uint32_t i = 0; (*local)->own != NULL && i < (*local)->own_count;
         i++) {
        struct sg_env_own *own =
            &(*local)->own[((*local)->own_first + i) % SG_ENV_OWN];
        if (own->job != NULL)
            sg_env_job_free(own->job);
        free(own->memory);
    }
    while ((*local)->buffers != NULL) {
        struct sg_env_buffer *next = (*local)->buffers->next;
        sg_wire_release(&(*local)->buffers->held);
        free((*local)->buffers);
        (*local)->buffers = next;
    }
    while ((*local)->jobs != NULL) {
        struct sg_env_job *next = (*local)->jobs->next;
        sg_env_job_free((*local)->jobs);
        (*local)->jobs = next;
    }
    sg_env_structures_close(*local);
    sg_env_check_free(*local);
    sg_arena_free(&(*local)->arena);
    free((*local)->own);
    free(*local);
    *local = NULL;
}

struct sg_env
sg_env_local_env(struct sg_env_local *local)
{
    return (struct sg_env){
        .ctx = local,
        .wait = wait_events,
        .settle = settle,
        .now = now,
        .random = draw,
        .append = append,
        .effect = sg_env_effect,
    };
}

struct sg_env_peaks
sg_env_local_peaks(const struct sg_env_local *local)
{
    return (struct sg_env_peaks){sg_os_process_peak(), local->worker_peak};
}
