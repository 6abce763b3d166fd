#include "broker/evidence/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/limits.h"
#include "broker/evidence/evidence_inside.h"
#include "broker/os/file.h"
#include "broker/os/random.h"

#define MAP_BYTES (16ull << 30)

static enum sg_err
system_random(void *arg, void *out, size_t len)
{
    (void)arg;
    sg_os_random_fill(out, len);
    return SG_OK;
}

static struct sg_keys_random
keys_random(const struct sg_evidence *ev)
{
    return (struct sg_keys_random){ev->parts.random, ev->parts.random_arg};
}

// What both making and opening need; nothing is touched on disk.
static enum sg_err
set_up(const struct sg_evidence_options *options, struct sg_evidence **out)
{
    *out = NULL;
    struct sg_evidence *ev = calloc(1, sizeof(*ev));
    if (ev == NULL)
        return SG_ERR_MEMORY;
    ev->options = *options;
    ev->lock_fd = ev->read_fd = ev->parts.slots.fd = -1;
    ev->disk = options->disk == NULL ? &sg_disk_real : options->disk;
    if (ev->options.segment_bytes == 0)
        ev->options.segment_bytes = SG_LIMIT_SEGMENT;
    if (ev->options.keys_cap == 0)
        ev->options.keys_cap = SG_LIMIT_KEYS_KEPT;
    if (ev->options.map_bytes == 0)
        ev->options.map_bytes = MAP_BYTES;
    struct sg_writer_parts *parts = &ev->parts;
    parts->disk = ev->disk;
    parts->log_key = options->log_key;
    parts->random = options->random == NULL ? system_random : options->random;
    parts->random_arg = options->random_arg;
    parts->crash_point = options->crash_point;
    parts->crash_arg = options->crash_arg;
    sg_crypto_signer_public(options->log_key, ev->log_public);
    if (sg_disk_path(ev->home, "%s", options->home) &&
        sg_disk_path(ev->dir, "%s/evidence", options->home) &&
        sg_disk_path(ev->keys_dir, "%s/keys", options->home) &&
        sg_slice_is_id(sg_slice_text(options->gate))) {
        memcpy(ev->gate, options->gate, strlen(options->gate));
        *out = ev;
        return SG_OK;
    }
    free(ev);
    return SG_ERR_FORMAT;
}

// ---- making ----------------------------------------------------------------------

static void
no_root(void *arg, uint8_t root[32])
{
    (void)arg;
    memset(root, 0, 32);
}

static enum sg_err
no_entry(void *arg, const struct sg_entry *entry, const uint8_t leaf[32],
         uint32_t frame_at)
{
    (void)arg, (void)entry, (void)leaf, (void)frame_at;
    return SG_OK;
}

// Entry 0 into an empty segment 0, durable.
static enum sg_err
put_genesis(struct sg_evidence *ev, const char *dir, uint64_t time_us,
            struct sg_slice body)
{
    struct sg_log *log = &ev->parts.log;
    const struct sg_log_start start = {.at = SG_ENTRY_SEGMENT_LEN};
    const struct sg_log_known known = {0};
    const struct sg_log_visit visit = {NULL, no_root, no_entry};
    struct sg_entry entry = {
        .type = SG_ENTRY_GENESIS, .time_us = time_us, .body = body};
    uint32_t at;
    enum sg_err err = sg_log_create(ev->disk, dir, ev->options.segment_bytes);
    if (err == SG_OK)
        err = sg_log_open(log, ev->disk, dir, ev->options.segment_bytes);
    if (err == SG_OK)
        err = sg_log_recover(log, &start, &known, &visit, NULL);
    if (err == SG_OK)
        err = sg_log_settle(log, 0);
    if (err == SG_OK && !sg_log_has_room(log, body.len))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = ev->parts.random(ev->parts.random_arg, entry.blind,
                               sizeof(entry.blind));
    if (err != SG_OK)
        return err;
    sg_log_append(log, &entry, ev->genesis, &at);
    err = sg_log_write(log);
    if (err == SG_OK)
        err = sg_log_sync(log);
    if (err == SG_OK)
        err = sg_tree_open(&ev->parts.tree, ev->disk, dir);
    return err != SG_OK ? err
                        : sg_tree_append(&ev->parts.tree, ev->genesis, at);
}

static enum sg_err
put_first_slot(struct sg_evidence *ev, const char *dir)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/checkpoint", dir))
        return SG_ERR_FULL;
    enum sg_err err = sg_note_origin(sg_slice_text(ev->gate), ev->genesis, 1,
                                     ev->parts.origin);
    if (err == SG_OK)
        err = sg_writer_sign(&ev->parts, &ev->slot);
    if (err == SG_OK)
        err = sg_slot_create(ev->disk, path, &ev->slot);
    if (err == SG_OK)
        err = sg_tree_sync(&ev->parts.tree);
    return err != SG_OK ? err : ev->disk->sync_dir(ev->disk->arg, dir);
}

static enum sg_err
make_folders(struct sg_evidence *ev, const char *beside)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/payload", ev->home))
        return SG_ERR_FULL;
    // What a run that was cut has left.
    if (sg_disk_exists(beside) && sg_os_file_remove_tree(beside) != SG_OK)
        return SG_ERR_IO;
    enum sg_err err = ev->disk->make_dir(ev->disk->arg, path);
    if (err == SG_OK)
        err = ev->disk->make_dir(ev->disk->arg, ev->keys_dir);
    return err != SG_OK ? err : ev->disk->make_dir(ev->disk->arg, beside);
}

enum sg_err
sg_evidence_create(const struct sg_evidence_options *options, uint64_t time_us,
                   struct sg_slice genesis_body, uint8_t genesis[32])
{
    struct sg_evidence *ev;
    char beside[SG_DISK_PATH];
    enum sg_err err = set_up(options, &ev);
    if (err != SG_OK)
        return err;
    struct sg_keys_random random = keys_random(ev);
    if (sg_disk_exists(ev->dir))
        err = SG_ERR_EXISTS;
    else if (!sg_disk_path(beside, "%s/evidence.new", ev->home))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = make_folders(ev, beside);
    if (err == SG_OK)
        err = sg_keys_create(ev->disk, ev->keys_dir, &random);
    if (err == SG_OK)
        err = put_genesis(ev, beside, time_us, genesis_body);
    if (err == SG_OK)
        err = put_first_slot(ev, beside);
    if (err == SG_OK)
        err = ev->disk->sync_dir(ev->disk->arg, ev->home);
    if (err == SG_OK)
        err = ev->disk->rename(ev->disk->arg, beside, ev->dir);
    if (err == SG_OK)
        err = ev->disk->sync_dir(ev->disk->arg, ev->home);
    memcpy(genesis, ev->genesis, 32);
    sg_evidence_close(&ev);
    return err;
}

// ---- opening ----------------------------------------------------------------------

// The slot's note must be ours and say what the slot says.
static bool
slot_is_ours(const struct sg_evidence *ev)
{
    struct sg_note note;
    return sg_note_parse(sg_slice_of(ev->slot.note, ev->slot.note_len),
                         &note) == SG_OK &&
           sg_note_verify(&note, ev->log_public) &&
           note.size == ev->slot.size &&
           memcmp(note.root, ev->slot.root, 32) == 0 &&
           sg_note_is_of(&note, sg_slice_text(ev->gate), ev->genesis);
}

static enum sg_err
open_slot(struct sg_evidence *ev, struct sg_diag *diag)
{
    char path[SG_DISK_PATH];
    unsigned valid;
    if (!sg_disk_path(path, "%s/checkpoint", ev->dir))
        return SG_ERR_FULL;
    enum sg_err err =
        sg_slot_open(ev->disk, path, &ev->parts.slots, &ev->slot, &valid);
    if (err == SG_ERR_NOT_FOUND || err == SG_ERR_CORRUPT) {
        sg_diag_set(diag, 0, 0,
                    "evidence/checkpoint %s, so nothing says how long the log "
                    "must be. Stop; restore it from a copy",
                    err == SG_ERR_NOT_FOUND ? "is missing"
                                            : "fails its check in both slots");
        return SG_ERR_DAMAGE;
    }
    if (err == SG_OK && !slot_is_ours(ev)) {
        sg_diag_set(diag, 0, 0,
                    "evidence/checkpoint is not signed by the log key of this "
                    "gate for this log. Stop; restore it from a copy");
        err = SG_ERR_DAMAGE;
    }
    return err;
}

// A snapshot counts when the stored tree gives its root.
static enum sg_err
choose_start(struct sg_evidence *ev)
{
    uint8_t root[32];
    struct sg_tree *tree = &ev->parts.tree;
    sg_index_snapshot(ev->index, &ev->snapshot);
    uint64_t size = ev->snapshot.size;
    ev->largest_seen =
        ev->index_state.known && ev->index_state.size > ev->slot.size
            ? ev->index_state.size
            : ev->slot.size;
    // Of a copy the index may be of another day than the log.
    if (ev->options.new_epoch != 0)
        ev->index_state.known = false;
    else if (size > 0 && size < 1ull << SG_LIMIT_PATH &&
             sg_tree_load(tree, size) == SG_OK) {
        sg_tree_root(tree, root);
        if (memcmp(root, ev->snapshot.root, 32) == 0 &&
            sg_evidence_ends_with(ev, size, root, &ev->last) == SG_OK)
            return SG_OK;
    }
    return sg_evidence_drop_snapshot(ev);
}

static enum sg_err
open_stores(struct sg_evidence *ev, struct sg_diag *diag)
{
    char path[SG_DISK_PATH];
    struct sg_keys_random random = keys_random(ev);
    ev->attempts = sg_table_new_own(SG_EVIDENCE_ATTEMPTS);
    ev->chunk = malloc(SG_LIMIT_CHUNK + SG_TAG_LEN);
    ev->entry = malloc(SG_LOG_ENTRY);
    if (ev->attempts == NULL || ev->chunk == NULL || ev->entry == NULL)
        return SG_ERR_MEMORY;
    const char *part = "index";
    enum sg_err err = sg_index_open(ev->home, ev->options.map_bytes,
                                    ev->genesis, &ev->index, &ev->index_state);
    if (err == SG_OK) {
        part = "evidence/tree";
        err = sg_tree_open(&ev->parts.tree, ev->disk, ev->dir);
    }
    if (err == SG_OK)
        err = choose_start(ev);
    if (err != SG_OK && diag->text[0] == '\0')
        sg_diag_set(diag, 0, 0, "%s/%s: %s; take it away and it is made again",
                    ev->home, part, sg_err_sentence(err));
    if (err == SG_OK)
        err = sg_keys_open(ev->disk, ev->keys_dir, ev->options.keys_cap,
                           &random, &ev->keys, diag);
    if (err == SG_OK && !sg_disk_path(path, "%s/payload", ev->home))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_payload_open(ev->disk, path, SG_LIMIT_OBJECTS_KEPT,
                              &ev->payload);
    return err;
}

static enum sg_err
open_all(struct sg_evidence *ev, struct sg_diag *diag)
{
    char path[SG_DISK_PATH];
    uint64_t epoch;
    if (!sg_disk_exists(ev->dir))
        return SG_ERR_NOT_FOUND;
    if (!sg_disk_path(path, "%s/lock", ev->home))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_lock(path, &ev->lock_fd);
    if (err == SG_ERR_EXISTS)
        sg_diag_set(diag, 0, 0, "another program works in %s; stop it first",
                    ev->home);
    if (err == SG_OK)
        err = sg_log_identity(ev->dir, ev->genesis, &epoch, diag);
    if (err == SG_OK)
        err = open_slot(ev, diag);
    if (err != SG_OK && diag->text[0] == '\0')
        sg_diag_set(diag, 0, 0,
                    "%s: the log or its checkpoint: %s; restore the folder "
                    "from a copy",
                    ev->dir, sg_err_sentence(err));
    if (err == SG_OK)
        err = sg_log_open(&ev->parts.log, ev->disk, ev->dir,
                          ev->options.segment_bytes);
    memcpy(ev->parts.log.genesis, ev->genesis, 32);
    return err != SG_OK ? err : open_stores(ev, diag);
}

enum sg_err
sg_evidence_open(const struct sg_evidence_options *options,
                 struct sg_evidence **evidence, struct sg_diag *diag)
{
    struct sg_evidence *ev;
    sg_diag_set(diag, 0, 0, "%s", "");
    enum sg_err err = set_up(options, &ev);
    if (err == SG_OK)
        err = open_all(ev, diag);
    if (err != SG_OK)
        sg_evidence_close(&ev);
    *evidence = ev;
    return err;
}

// The file `running` stands while the writer runs and stays when it ends badly.
// Was it there? Of use only until the next boot: then the cache is the disk.
static bool
mark_running(const struct sg_evidence *ev, bool running)
{
    char path[SG_DISK_PATH];
    int fd = -1;
    if (!sg_disk_path(path, "%s/running", ev->home))
        return true;
    if (!running)
        return sg_disk_real.remove(NULL, path) != SG_OK;
    enum sg_err err = sg_disk_real.open(NULL, path, SG_DISK_CREATE, &fd);
    if (fd >= 0)
        sg_disk_real.close(NULL, fd);
    return err != SG_OK;
}

static void
free_attempts(struct sg_evidence *ev)
{
    uint32_t at = 0;
    struct sg_slice key;
    uint64_t value;
    while (ev->attempts != NULL &&
           sg_table_next(ev->attempts, &at, &key, &value)) {
        struct sg_payload_attempt *attempt =
            (struct sg_payload_attempt *)(uintptr_t)value;
        if (attempt->fd >= 0)
            ev->disk->close(ev->disk->arg, attempt->fd);
        sg_payload_attempt_free(&attempt);
    }
    sg_table_free(&ev->attempts);
}

void
sg_evidence_close(struct sg_evidence **evidence)
{
    struct sg_evidence *ev = *evidence;
    if (ev == NULL)
        return;
    if (ev->thread != NULL && sg_writer_stop(&ev->thread) == SG_OK)
        mark_running(ev, false);
    free_attempts(ev);
    sg_evidence_recheck_close(&ev->recheck);
    sg_payload_writer_close(&ev->parts.payload);
    sg_keys_files_close(&ev->parts.keys);
    sg_slot_close(ev->disk, &ev->parts.slots);
    sg_tree_close(&ev->parts.tree);
    sg_log_close(&ev->parts.log);
    sg_index_close(&ev->index);
    sg_keys_close(&ev->keys);
    sg_payload_close(&ev->payload);
    if (ev->read_fd >= 0)
        sg_disk_real.close(sg_disk_real.arg, ev->read_fd);
    sg_os_file_close(&ev->lock_fd);
    if (ev->chunk != NULL)
        sg_crypto_wipe(ev->chunk, SG_LIMIT_CHUNK + SG_TAG_LEN);
    free(ev->chunk);
    free(ev->entry);
    free(ev->firsts);
    free(ev);
    *evidence = NULL;
}

bool
sg_evidence_snapshot(struct sg_evidence *evidence,
                     struct sg_evidence_snapshot *snapshot)
{
    memset(snapshot, 0, sizeof(*snapshot));
    if (evidence->snapshot.size == 0)
        return false;
    snapshot->seq = evidence->snapshot.size - 1;
    snapshot->core = evidence->snapshot.core;
    memcpy(snapshot->state_sha256, evidence->snapshot.state_sha256, 32);
    snapshot->type = evidence->last.type;
    snapshot->body = evidence->last.body;
    return true;
}

enum sg_err
sg_evidence_drop_snapshot(struct sg_evidence *evidence)
{
    // The watermark says how long the log must be, unless it is a copy's.
    const struct sg_index_state *must =
        evidence->options.new_epoch == 0 ? &evidence->index_state : NULL;
    memset(&evidence->snapshot, 0, sizeof(evidence->snapshot));
    sg_tree_reset(&evidence->parts.tree);
    evidence->index_dropped = true;
    return sg_index_drop(evidence->index, must);
}

// ---- replay -------------------------------------------------------------------------

struct replay {
    struct sg_evidence *ev;
    enum sg_err (*visit)(void *arg, const struct sg_evidence_entry *entry);
    void *arg;
    enum sg_err refused; // by visit
};

static void
replay_root(void *arg, uint8_t root[32])
{
    struct replay *replay = arg;
    sg_tree_root(&replay->ev->parts.tree, root);
}

static enum sg_err
replay_entry(void *arg, const struct sg_entry *entry, const uint8_t leaf[32],
             uint32_t frame_at)
{
    struct replay *replay = arg;
    struct sg_evidence_entry out = {.seq = entry->sequence,
                                    .type = entry->type,
                                    .time_us = entry->time_us,
                                    .body = entry->body};
    memcpy(out.leaf, leaf, 32);
    enum sg_err err = sg_tree_append(&replay->ev->parts.tree, leaf, frame_at);
    // A visitor that refuses an entry may have met a changed one: the walk goes
    // on, so that damage is called damage.
    if (err == SG_OK && replay->refused == SG_OK)
        replay->refused = replay->visit(replay->arg, &out);
    return err;
}

enum sg_err
sg_evidence_replay(struct sg_evidence *evidence,
                   enum sg_err (*visit)(void *arg,
                                        const struct sg_evidence_entry *entry),
                   void *arg, struct sg_diag *diag)
{
    struct sg_evidence *ev = evidence;
    struct replay replay = {ev, visit, arg, SG_OK};
    struct sg_log_visit walk = {&replay, replay_root, replay_entry};
    struct sg_log_start start = {.at = SG_ENTRY_SEGMENT_LEN};
    struct sg_log_known known = {.size = ev->slot.size};
    memcpy(known.root, ev->slot.root, 32);
    if (ev->index_state.known) {
        known.index_size = ev->index_state.size;
        memcpy(known.index_leaf, ev->index_state.leaf, 32);
    }
    if (ev->snapshot.size > 0) {
        start.size = ev->snapshot.size;
        start.segment = ev->snapshot.segment;
        start.at = ev->snapshot.at;
        start.time_us = ev->snapshot.time_us;
        memcpy(start.leaf, ev->snapshot.leaf, 32);
    }
    enum sg_err err =
        sg_log_recover(&ev->parts.log, &start, &known, &walk, diag);
    sg_index_rest(ev->index);
    return err != SG_OK ? err : replay.refused;
}

// By the clock, so that what was signed after an earlier start from the same
// copy has another origin.
static uint64_t
next_epoch(const struct sg_evidence *ev)
{
    uint64_t after = ev->parts.log.epoch + 1;
    return ev->options.new_epoch > after ? ev->options.new_epoch : after;
}

enum sg_err
sg_evidence_start(struct sg_evidence *evidence, struct sg_diag *diag)
{
    struct sg_evidence *ev = evidence;
    struct sg_writer_parts *parts = &ev->parts;
    char path[SG_DISK_PATH];
    sg_diag_set(diag, 0, 0, "the disk refused to take what the log holds");
    parts->index = ev->index;
    enum sg_err err = sg_log_settle(&parts->log, ev->slot.size);
    if (err == SG_OK && ev->options.new_epoch != 0)
        err = sg_log_new_epoch(&parts->log, next_epoch(ev));
    if (err == SG_OK)
        err = sg_tree_flush(&parts->tree);
    if (err == SG_OK)
        err = sg_note_origin(sg_slice_text(ev->gate), ev->genesis,
                             parts->log.epoch, parts->origin);
    if (err == SG_OK)
        err = sg_writer_checkpoint(parts, &ev->durable);
    if (err == SG_OK && ev->rows_put)
        err = sg_index_commit(ev->index, parts->log.next_seq,
                              parts->log.last_leaf, NULL);
    if (err == SG_OK && !sg_disk_path(path, "%s/payload", ev->home))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_payload_writer_open(&parts->payload, ev->disk, path);
    if (err == SG_OK)
        err = sg_keys_files_open(&parts->keys, ev->disk, ev->keys_dir,
                                 sg_keys_generation(ev->keys),
                                 mark_running(ev, true));
    // Old wrapping keys that a cut run had been told to destroy.
    if (err == SG_OK)
        err = sg_keys_destroy_wraps(&parts->keys);
    parts->log.crash_point = parts->payload.crash_point =
        parts->keys.crash_point = parts->crash_point;
    parts->log.crash_arg = parts->payload.crash_arg = parts->keys.crash_arg =
        parts->crash_arg;
    ev->next_seq = ev->told = parts->log.next_seq;
    ev->last_time = parts->log.last_time;
    if (err == SG_OK)
        err = sg_writer_start(parts, &ev->durable, &ev->thread);
    if (err == SG_OK)
        sg_diag_set(diag, 0, 0, "%s", "");
    return err;
}

// ---- what it is ----------------------------------------------------------------------

uint64_t
sg_evidence_signed_size(const struct sg_evidence *evidence)
{
    return evidence->slot.size;
}

const uint8_t *
sg_evidence_genesis(const struct sg_evidence *evidence)
{
    return evidence->genesis;
}

const char *
sg_evidence_origin(const struct sg_evidence *evidence)
{
    return evidence->parts.origin;
}

uint64_t
sg_evidence_epoch(const struct sg_evidence *evidence)
{
    return evidence->parts.log.epoch;
}

uint64_t
sg_evidence_largest_seen(const struct sg_evidence *evidence)
{
    return evidence->largest_seen;
}

const uint8_t *
sg_evidence_root(const struct sg_evidence *evidence)
{
    return evidence->durable.root;
}

uint64_t
sg_evidence_next_seq(const struct sg_evidence *evidence)
{
    return evidence->next_seq;
}

uint64_t
sg_evidence_last_time(const struct sg_evidence *evidence)
{
    return evidence->last_time;
}

uint64_t
sg_evidence_bytes(const struct sg_evidence *evidence)
{
    char path[SG_OS_PATH], **names = NULL;
    uint64_t sum = 0, bytes;
    size_t count = 0;

    if (sg_os_file_list(evidence->dir, &names, &count) != SG_OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int fd = -1;
        if (sg_os_file_path(path, "%s/%s", evidence->dir, names[i]) &&
            sg_os_file_open(path, SG_OS_OPEN_READ, &fd) == SG_OK &&
            sg_os_file_size(fd, &bytes) == SG_OK)
            sum += bytes;
        sg_os_file_close(&fd);
    }
    free(names);
    return sum;
}

uint64_t
sg_evidence_durable_size(const struct sg_evidence *evidence)
{
    return evidence->durable.size;
}

struct sg_payload *
sg_evidence_payload(struct sg_evidence *evidence)
{
    return evidence->payload;
}

struct sg_keys *
sg_evidence_keys(struct sg_evidence *evidence)
{
    return evidence->keys;
}
