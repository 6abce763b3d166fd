#include "broker/evidence/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/evidence/verify_inside.h"

enum { TRIES = 1024 }; // frames looked at behind a broken one

void
sg_verify_report(struct sg_verify *v, const struct sg_verify_fault *fault)
{
    v->result->faults++;
    v->options->fault(v->options->arg, fault);
}

static void
fault_at(struct sg_verify *v, uint64_t sequence, uint64_t at, const char *text)
{
    struct sg_verify_fault fault = {
        .has_sequence = true, .sequence = sequence, .has_at = true, .at = at};
    (void)snprintf(fault.file, sizeof(fault.file), "%s", v->name);
    (void)snprintf(fault.text, sizeof(fault.text), "%s", text);
    sg_verify_report(v, &fault);
}

// ---- one entry ----------------------------------------------------------------------

// Roots that somebody signed, each compared when the log has that many entries.
static void
compare_roots(struct sg_verify *v)
{
    for (size_t i = 0; i < v->marks_count; i++) {
        struct sg_verify_mark *mark = &v->marks[i];
        if (mark->size != v->next || mark->compared || sg_verify_gone(v, mark))
            continue;
        mark->compared = true;
        mark->same = true;
        if (v->lost) // said already; no root can be met now
            continue;
        sg_merkle_root(&v->tree, mark->found);
        mark->same = memcmp(mark->found, mark->root, 32) == 0;
    }
}

// Entry i does not name the leaf of entry i-1. Which of the two was changed
// shows the entry after: it names the leaf of i as i was written.
static void
settle_doubt(struct sg_verify *v, const struct sg_entry *next)
{
    struct sg_verify_doubt *doubt = &v->doubt;
    char text[200];
    if (!doubt->open)
        return;
    doubt->open = false;
    if (next != NULL && memcmp(next->prev, v->leaf, 32) != 0) {
        fault_at(v, doubt->sequence, doubt->at,
                 "the entry was changed: its field prev is not the leaf of the "
                 "entry before, and the entry after names another leaf for it");
        v->blamed = doubt->sequence;
        v->has_blamed = true;
        return;
    }
    (void)snprintf(text, sizeof(text),
                   next != NULL ? "the entry was changed (type, time, blind "
                                  "or body): entry %llu names another leaf "
                                  "for it"
                                : "entry %llu names another leaf: one of the "
                                  "two was changed",
                   (unsigned long long)doubt->sequence);
    fault_at(v, doubt->sequence - 1, doubt->before_at, text);
}

static void
check_chain(struct sg_verify *v, const struct sg_entry *entry, uint64_t at)
{
    char text[200];
    bool follows = memcmp(entry->prev, v->leaf, 32) == 0;
    settle_doubt(v, entry);
    if (entry->sequence != v->next) {
        (void)snprintf(text, sizeof(text),
                       "the sequence field says %llu; %llu is its place",
                       (unsigned long long)entry->sequence,
                       (unsigned long long)v->next);
        fault_at(v, v->next, at, text);
        v->blamed = v->next;
        v->has_blamed = true;
    } else if (!follows && v->chained &&
               !(v->has_blamed && v->blamed + 1 == v->next)) {
        v->doubt = (struct sg_verify_doubt){true, v->next, at, v->last_at};
    }
    // Where the chain breaks, the time of either may have been changed.
    if (entry->time_us < v->result->last_us && v->chained && follows)
        fault_at(v, v->next, at,
                 "its time lies before that of the entry before");
}

static void
take_entry(struct sg_verify *v, struct sg_slice bytes,
           const struct sg_entry *entry, uint64_t at)
{
    struct sg_verify_result *result = v->result;
    check_chain(v, entry, at);
    sg_entry_leaf(bytes, v->leaf);
    if (v->next == 0) {
        memcpy(result->genesis, v->leaf, 32);
        result->first_us = entry->time_us;
        sg_verify_genesis(v, entry, at);
    }
    if (!v->lost && sg_merkle_add(&v->tree, v->leaf) != SG_OK)
        v->lost = true;
    v->chained = true;
    v->last_at = at;
    v->next++;
    result->entries++;
    result->last_us = entry->time_us;
    if (v->options->entry != NULL)
        v->options->entry(v->options->arg, entry, v->leaf);
    sg_verify_held_entry(v, bytes);
    compare_roots(v);
    if (v->options->progress != NULL)
        v->options->progress(v->options->arg, v->before + v->segment.at,
                             v->total);
}

// ---- one segment --------------------------------------------------------------------

static const char *
form_fault(struct sg_slice bytes, char text[200])
{
    struct sg_reader r = sg_reader_on(bytes);
    struct sg_slice magic = sg_bytes_take(&r, 4);
    unsigned type = sg_bytes_u16(&r);
    unsigned flags = sg_bytes_u16(&r);
    if (!sg_slice_eq(magic, SG_SLICE("SGE1")))
        return "it does not begin with SGE1";
    if (sg_entry_type_name(type) == NULL) {
        (void)snprintf(text, 200, "type %u is no type of entries", type);
        return text;
    }
    if (flags != 0)
        return "its flags are not 0";
    return "its body length does not fit its frame";
}

// The frame cannot be read. Is there a whole one behind it, from `from` on?
static bool
skip_broken(struct sg_verify *v, uint64_t at, uint64_t from, const char *text)
{
    struct sg_slice bytes;
    struct sg_entry entry;
    uint64_t frame_at;
    fault_at(v, v->next, at, text);
    v->blamed = v->next;
    v->has_blamed = true;
    // Frames begin at multiples of 8: the next that reads well is taken. Bytes
    // made to look like the beginnings of frames are not followed for ever.
    for (unsigned tries = 0; tries < TRIES; tries++, from += 8) {
        if (!sg_segment_find(&v->segment, &from))
            return false;
        if (sg_segment_next(&v->segment, &frame_at, &bytes, &entry) ==
                SG_SEGMENT_ENTRY &&
            entry.sequence > v->next && entry.sequence - v->next < 1u << 20) {
            v->next = entry.sequence;
            v->chained = false;
            v->lost = true;
            v->segment.at = from;
            return true;
        }
    }
    return false;
}

// At length 0: zeros to the end of the segment, or damage.
static enum sg_err
check_tail(struct sg_verify *v, uint64_t at, bool *more)
{
    uint64_t first;
    v->segment.at = at;
    enum sg_err err = sg_segment_tail(&v->segment, &first);
    *more = false;
    if (err != SG_OK || first == v->segment.len)
        return err;
    *more = skip_broken(v, first & ~7ull, first & ~7ull,
                        "after the last entry stands something else than "
                        "zeros: entries were overwritten, bits flipped, or a "
                        "crash cut a write (then start the gate once)");
    return SG_OK;
}

static enum sg_err
walk(struct sg_verify *v)
{
    char text[200];
    for (;;) {
        uint64_t at;
        struct sg_slice bytes;
        struct sg_entry entry;
        bool more = false;
        switch (sg_segment_next(&v->segment, &at, &bytes, &entry)) {
        case SG_SEGMENT_ENTRY:
            take_entry(v, bytes, &entry, at);
            more = true;
            break;
        case SG_SEGMENT_BROKEN:
            more = skip_broken(v, at, at + 8,
                               "the frame is broken: length, check sum "
                               "(CRC32C), padding or the entry was changed");
            break;
        case SG_SEGMENT_FORM:
            more = skip_broken(v, at, at + 8, form_fault(bytes, text));
            break;
        case SG_SEGMENT_IO:
            return SG_ERR_IO;
        case SG_SEGMENT_END: {
            enum sg_err err = check_tail(v, at, &more);
            if (err != SG_OK)
                return err;
            break;
        }
        }
        if (!more)
            return SG_OK;
    }
}

static bool
add_epoch(struct sg_verify *v, const struct sg_verify_file *file)
{
    struct sg_epoch *more =
        realloc(v->past, (v->past_count + 1) * sizeof(*more));
    if (more == NULL)
        return false;
    v->past = more;
    v->past[v->past_count++] =
        (struct sg_epoch){.number = v->result->epoch, .size = file->first};
    return true;
}

static enum sg_err
check_head(struct sg_verify *v, const struct sg_entry_segment *head,
           const struct sg_verify_file *file, uint64_t len)
{
    static const uint8_t none[32];
    const uint8_t *genesis = file->first == 0 ? none : v->result->genesis;
    if (head->first_sequence != file->first)
        fault_at(v, v->next, 24,
                 "the header names another first sequence than the file");
    if (memcmp(head->genesis, genesis, 32) != 0 &&
        (file->first == 0 || v->chained))
        fault_at(v, v->next, 8, "the header names another genesis");
    if (head->epoch < v->result->epoch)
        fault_at(v, v->next, 16, "the epoch in the header goes back");
    if (head->epoch > v->result->epoch && v->next > 0 && !add_epoch(v, file))
        return SG_ERR_MEMORY;
    if (head->size != len)
        fault_at(v, v->next, 56, "the file has not the size its header says");
    v->result->epoch = head->epoch;
    return SG_OK;
}

static enum sg_err
verify_segment(struct sg_verify *v, const struct sg_verify_file *file)
{
    char path[SG_DISK_PATH];
    uint8_t bytes[SG_ENTRY_SEGMENT_LEN];
    struct sg_entry_segment head;
    uint64_t len = 0;
    int fd;
    sg_segment_name(file->first, v->name);
    if (!sg_disk_path(path, "%s/%s", file->dir, v->name))
        return SG_ERR_FULL;
    enum sg_err err = sg_disk_real.open(NULL, path, SG_DISK_READ, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_size(fd, &len);
    if (err == SG_OK && len >= sizeof(bytes)) {
        err = sg_disk_read(fd, 0, bytes, sizeof(bytes));
        if (err == SG_OK &&
            sg_entry_segment_decode(sg_slice_of(bytes, sizeof(bytes)), &head) ==
                SG_OK)
            err = check_head(v, &head, file, len);
        else if (err == SG_OK)
            fault_at(v, v->next, 0, "the header of the segment is broken");
        sg_segment_begin(&v->segment, fd, len, SG_ENTRY_SEGMENT_LEN);
        if (err == SG_OK)
            err = walk(v);
    } else if (err == SG_OK) {
        fault_at(v, v->next, 0, "the file is shorter than a header");
    }
    sg_disk_real.close(NULL, fd);
    v->result->segments++;
    v->before += len;
    return err;
}

// Only for the progress; what cannot be opened is said when its turn comes.
static uint64_t
total_of(const struct sg_verify *v)
{
    char path[SG_DISK_PATH], name[SG_SEGMENT_NAME];
    uint64_t total = 0, len;
    int fd;

    for (size_t i = 0; i < v->files_count; i++) {
        sg_segment_name(v->files[i].first, name);
        if (!sg_disk_path(path, "%s/%s", v->files[i].dir, name) ||
            sg_disk_real.open(NULL, path, SG_DISK_READ, &fd) != SG_OK)
            continue;
        if (sg_disk_size(fd, &len) == SG_OK)
            total += len;
        sg_disk_real.close(NULL, fd);
    }
    return total;
}

static enum sg_err
verify_segments(struct sg_verify *v)
{
    enum sg_err err = SG_OK;
    for (size_t i = 0; i < v->files_count && err == SG_OK; i++) {
        const struct sg_verify_file *file = &v->files[i];
        bool said = v->has_blamed && v->blamed == v->next;
        v->lost = v->lost || file->first != v->next;
        if (file->first != v->next && !(said && file->first > v->next)) {
            struct sg_verify_fault fault = {.has_sequence = true,
                                            .sequence = v->next};
            (void)snprintf(fault.text, sizeof(fault.text),
                           "entries %llu to %llu are not here; give the folder "
                           "they were moved to as well",
                           (unsigned long long)v->next,
                           (unsigned long long)file->first - 1);
            if (file->first < v->next)
                (void)snprintf(fault.text, sizeof(fault.text),
                               "segment %016llx begins before the one before "
                               "it ends",
                               (unsigned long long)file->first);
            sg_verify_report(v, &fault);
        }
        if (file->first != v->next) {
            v->next = file->first;
            v->chained = false;
            v->has_blamed = false;
        }
        err = verify_segment(v, file);
    }
    settle_doubt(v, NULL);
    return err;
}

enum sg_err
sg_verify_log(const struct sg_verify_options *options,
              struct sg_verify_result *result)
{
    struct sg_verify v = {.options = options, .result = result};
    memset(result, 0, sizeof(*result));
    sg_merkle_init(&v.tree, SG_MERKLE_LOG);
    enum sg_err err = sg_segment_init(&v.segment);
    if (err == SG_OK)
        err = sg_verify_collect(&v);
    if (err == SG_OK && options->progress != NULL)
        v.total = total_of(&v);
    if (err == SG_OK)
        err = verify_segments(&v);
    if (err == SG_OK) {
        if (!v.lost)
            sg_merkle_root(&v.tree, result->root);
        sg_verify_marks(&v);
    }
    sg_segment_fini(&v.segment);
    free(v.files);
    free(v.marks);
    free(v.past);
    return err;
}
