// What was signed over the log: the gate's own checkpoint slots, and notes and
// receipts that others hold.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/arena.h"
#include "broker/evidence/slot.h"
#include "broker/evidence/verify_inside.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/note.h"
#include "schemas/proof/receipt.h"

static void
fault(struct sg_verify *v, const char *file, const char *text)
{
    struct sg_verify_fault out = {0};
    (void)snprintf(out.file, sizeof(out.file), "%s", file);
    (void)snprintf(out.text, sizeof(out.text), "%s", text);
    sg_verify_report(v, &out);
}

static enum sg_err
add_mark(struct sg_verify *v, const struct sg_verify_mark *mark)
{
    struct sg_verify_mark *more =
        realloc(v->marks, (v->marks_count + 1) * sizeof(*more));
    if (more == NULL)
        return SG_ERR_MEMORY;
    v->marks = more;
    v->marks[v->marks_count++] = *mark;
    return SG_OK;
}

bool
sg_verify_gone(const struct sg_verify *v, const struct sg_verify_mark *mark)
{
    return sg_epoch_lost(v->past, v->past_count, v->result->epoch, mark->epoch,
                         mark->size);
}

static bool
note_is_ours(const struct sg_verify *v, struct sg_slice bytes,
             struct sg_note *note)
{
    return sg_note_parse(bytes, note) == SG_OK && v->has_key &&
           sg_note_verify(note, v->log_key) &&
           memcmp(note->genesis_front, v->result->genesis,
                  sizeof note->genesis_front) == 0;
}

// ---- the slots ------------------------------------------------------------------------

static enum sg_err
read_slot(const char *dir, unsigned i, struct sg_slot *slot, bool *valid)
{
    char path[SG_DISK_PATH];
    uint8_t bytes[SG_SLOT_BYTES];
    int fd;
    *valid = false;
    if (!sg_disk_path(path, "%s/checkpoint", dir))
        return SG_ERR_FULL;
    if (!sg_disk_exists(path))
        return SG_ERR_NOT_FOUND;
    enum sg_err err = sg_disk_real.open(NULL, path, SG_DISK_READ, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_read(fd, i * SG_SLOT_BYTES, bytes, sizeof(bytes));
    sg_disk_real.close(NULL, fd);
    *valid = err == SG_OK && sg_slot_decode(bytes, slot);
    return err == SG_ERR_SHORT ? SG_OK : err;
}

static enum sg_err
collect_slots(struct sg_verify *v, const char *dir, bool *some)
{
    enum sg_err err = SG_OK;
    for (unsigned i = 0; i < 2 && err == SG_OK; i++) {
        struct sg_slot slot;
        bool valid;
        err = read_slot(dir, i, &slot, &valid);
        if (err != SG_OK)
            break;
        *some = true;
        if (!valid) {
            fault(v, "checkpoint",
                  i == 0 ? "slot 0 fails its check: damage, or a crash cut its "
                           "writing (then start the gate once)"
                         : "slot 1 fails its check: damage, or a crash cut its "
                           "writing (then start the gate once)");
            continue;
        }
        struct sg_note note;
        struct sg_verify_mark mark = {.size = slot.size};
        if (sg_note_parse(sg_slice_of(slot.note, slot.note_len), &note) ==
            SG_OK)
            mark.epoch = note.epoch;
        (void)snprintf(mark.from, sizeof(mark.from), "checkpoint, slot %u", i);
        memcpy(mark.root, slot.root, 32);
        err = add_mark(v, &mark);
    }
    return err == SG_ERR_NOT_FOUND ? SG_OK : err;
}

static void
check_slots(struct sg_verify *v)
{
    for (size_t d = 0; d < v->options->dirs_count; d++) {
        for (unsigned i = 0; i < 2; i++) {
            struct sg_slot slot;
            struct sg_note note;
            bool valid;
            if (read_slot(v->options->dirs[d], i, &slot, &valid) != SG_OK ||
                !valid)
                continue;
            if (!note_is_ours(v, sg_slice_of(slot.note, slot.note_len),
                              &note) ||
                note.size != slot.size || memcmp(note.root, slot.root, 32) != 0)
                fault(v, "checkpoint",
                      i == 0
                          ? "slot 0 is not signed by the log key for this log"
                          : "slot 1 is not signed by the log key for this "
                            "log");
            else if (slot.size > v->result->signed_size)
                v->result->signed_size = slot.size;
        }
    }
}

// ---- what others hold ------------------------------------------------------------------

static enum sg_err
collect_held(struct sg_verify *v, size_t i)
{
    struct sg_slice bytes = v->options->against[i];
    struct sg_verify_mark mark = {.held = true};
    struct sg_receipt receipt;
    struct sg_note note;
    (void)snprintf(mark.from, sizeof(mark.from), "held %zu", i + 1);
    if (bytes.len >= 5 && memcmp(bytes.ptr, "SGRC1", 5) == 0) {
        if (sg_receipt_decode(bytes, &receipt) != SG_OK) {
            fault(v, mark.from, "it has not the form of a receipt");
            return SG_OK;
        }
        mark.has_leaf = true;
        mark.index = receipt.index;
        sg_entry_leaf(receipt.entry, mark.leaf);
        bytes = receipt.checkpoint;
        if (sg_note_parse(bytes, &note) == SG_OK &&
            !sg_merkle_verify(SG_MERKLE_LOG,
                              &(struct sg_merkle_place){receipt.index,
                                                        note.size, receipt.path,
                                                        receipt.path_len},
                              mark.leaf, note.root))
            fault(v, mark.from, "its path does not lead to its checkpoint");
    }
    if (sg_note_parse(bytes, &note) != SG_OK) {
        fault(v, mark.from, "it is neither a receipt nor a checkpoint note");
        return SG_OK;
    }
    mark.size = note.size;
    mark.epoch = note.epoch;
    memcpy(mark.root, note.root, 32);
    return add_mark(v, &mark);
}

static void
check_held(struct sg_verify *v)
{
    for (size_t i = 0; i < v->options->against_count; i++) {
        struct sg_slice bytes = v->options->against[i];
        struct sg_receipt receipt;
        struct sg_note note;
        char from[64];
        (void)snprintf(from, sizeof(from), "held %zu", i + 1);
        if (sg_receipt_decode(bytes, &receipt) == SG_OK)
            bytes = receipt.checkpoint;
        if (sg_note_parse(bytes, &note) == SG_OK &&
            !note_is_ours(v, bytes, &note))
            fault(v, from, "it is not signed by the log key for this log");
    }
}

void
sg_verify_held_entry(struct sg_verify *v, struct sg_slice bytes)
{
    (void)bytes;
    for (size_t i = 0; i < v->marks_count; i++) {
        struct sg_verify_mark *mark = &v->marks[i];
        if (!mark->has_leaf || mark->index + 1 != v->next ||
            sg_verify_gone(v, mark))
            continue;
        mark->leaf_seen = true;
        mark->leaf_same = memcmp(mark->leaf, v->leaf, 32) == 0;
    }
}

// ---- entry 0 ---------------------------------------------------------------------------

void
sg_verify_genesis(struct sg_verify *v, const struct sg_entry *entry,
                  uint64_t at)
{
    const struct sg_verify_options *options = v->options;
    struct sg_verify_fault out = {
        .has_sequence = true, .has_at = true, .at = at};
    (void)snprintf(out.file, sizeof(out.file), "%s", v->name);
    if (entry->type != SG_ENTRY_GENESIS) {
        (void)snprintf(out.text, sizeof(out.text),
                       "entry 0 is not of type genesis");
        sg_verify_report(v, &out);
    }
    if (options->genesis != NULL &&
        memcmp(options->genesis, v->result->genesis, 32) != 0) {
        (void)snprintf(out.text, sizeof(out.text),
                       "this is another log: its genesis is not the one given");
        sg_verify_report(v, &out);
    }
    if (v->has_key)
        return;
    struct sg_arena *arena = sg_arena_new(64 * 1024, 0);
    void *message = NULL;
    if (arena != NULL &&
        sg_codec_unpack(&sgpb__genesis__descriptor, entry->body, arena,
                        &message) == SG_OK) {
        const Sgpb__Genesis *genesis = message;
        v->has_key = genesis->log_public_key.len == 32;
        if (v->has_key)
            memcpy(v->log_key, genesis->log_public_key.data, 32);
    }
    sg_arena_free(&arena);
}

// ---- together ----------------------------------------------------------------------------

static int
by_first(const void *a, const void *b)
{
    const struct sg_verify_file *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static enum sg_err
collect_segments(struct sg_verify *v, const char *dir)
{
    uint64_t *firsts;
    size_t count;
    enum sg_err err = sg_segment_list(dir, &firsts, &count);
    if (err != SG_OK)
        return err;
    struct sg_verify_file *more =
        realloc(v->files, (v->files_count + count + 1) * sizeof(*more));
    if (more != NULL) {
        v->files = more;
        for (size_t i = 0; i < count; i++)
            v->files[v->files_count++] =
                (struct sg_verify_file){dir, firsts[i]};
    }
    free(firsts);
    return more == NULL ? SG_ERR_MEMORY : SG_OK;
}

enum sg_err
sg_verify_collect(struct sg_verify *v)
{
    const struct sg_verify_options *options = v->options;
    bool slots = false;
    enum sg_err err = SG_OK;
    if (options->log_key != NULL) {
        memcpy(v->log_key, options->log_key, 32);
        v->has_key = v->result->key_pinned = true;
    }
    for (size_t i = 0; i < options->dirs_count && err == SG_OK; i++) {
        err = collect_segments(v, options->dirs[i]);
        if (err == SG_OK)
            err = collect_slots(v, options->dirs[i], &slots);
    }
    if (err == SG_OK && v->files_count == 0)
        err = SG_ERR_NOT_FOUND;
    for (size_t i = 0; i < options->against_count && err == SG_OK; i++)
        err = collect_held(v, i);
    if (err != SG_OK)
        return err;
    if (!slots)
        fault(v, "checkpoint",
              "the file is missing: nothing says how long the log must be");
    qsort(v->files, v->files_count, sizeof(*v->files), by_first);
    return SG_OK;
}

void
sg_verify_marks(struct sg_verify *v)
{
    char text[200];
    check_slots(v);
    check_held(v);
    for (size_t i = 0; i < v->marks_count; i++) {
        const struct sg_verify_mark *mark = &v->marks[i];
        if (mark->epoch > v->result->epoch) {
            (void)snprintf(text, sizeof(text),
                           "it is of epoch %llu of the log, and this log has "
                           "only come to epoch %llu: it is an older copy",
                           (unsigned long long)mark->epoch,
                           (unsigned long long)v->result->epoch);
            fault(v, mark->from, text);
        } else if (sg_verify_gone(v, mark)) {
            (void)snprintf(text, sizeof(text),
                           "it covers %llu entries of epoch %llu, and the log "
                           "was brought back from a copy without all of them: "
                           "keep it, it proves what was lost",
                           (unsigned long long)mark->size,
                           (unsigned long long)mark->epoch);
            fault(v, mark->from, text);
        } else if (!mark->compared && mark->size > v->next) {
            (void)snprintf(text, sizeof(text),
                           "it covers %llu entries; the log has %llu: entries "
                           "were cut off",
                           (unsigned long long)mark->size,
                           (unsigned long long)v->next);
            fault(v, mark->from, text);
        } else if (mark->compared && !mark->same) {
            (void)snprintf(text, sizeof(text),
                           "the root over the first %llu entries is another "
                           "than the one signed%s",
                           (unsigned long long)mark->size,
                           mark->held ? ": a fork, keep both" : "");
            fault(v, mark->from, text);
        }
        if (mark->leaf_seen && !mark->leaf_same)
            fault(v, mark->from,
                  "its entry is another than the one in the log: a fork, keep "
                  "both");
    }
}
