// Finding the end of a log, and telling a torn tail from damage.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/evidence/log.h"

enum { COPY = 256 * 1024 };

struct walk {
    struct sg_log *log;
    const struct sg_log_known *known;
    const struct sg_log_visit *visit;
    struct sg_diag *diag;
    struct sg_segment segment;
    uint64_t *firsts; // of all segments
    size_t count, now;
    bool ended; // the end of what is whole is found
};

static enum sg_err
open_segment(const char *dir, uint64_t first_seq, int *fd, uint64_t *len,
             struct sg_entry_segment *head)
{
    char name[SG_SEGMENT_NAME], path[SG_DISK_PATH];
    uint8_t bytes[SG_ENTRY_SEGMENT_LEN];
    *fd = -1;
    sg_segment_name(first_seq, name);
    if (!sg_disk_path(path, "%s/%s", dir, name))
        return SG_ERR_FULL;
    enum sg_err err =
        sg_disk_real.open(sg_disk_real.arg, path, SG_DISK_READ, fd);
    if (err == SG_OK)
        err = sg_disk_size(*fd, len);
    if (err == SG_OK)
        err = sg_disk_read(*fd, 0, bytes, sizeof(bytes));
    if (err == SG_OK)
        err = sg_entry_segment_decode(sg_slice_of(bytes, sizeof(bytes)), head);
    if (err == SG_ERR_FORMAT)
        err = SG_ERR_CORRUPT;
    if (err == SG_OK && head->first_sequence != first_seq)
        err = SG_ERR_CORRUPT;
    return err;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        sg_disk_real.close(sg_disk_real.arg, *fd);
    *fd = -1;
}

// The end of what is whole: torn when nothing signed lies behind it.
static enum sg_err
end_here(struct walk *walk, uint64_t at, const char *why)
{
    const struct sg_log *log = walk->log;
    const struct sg_log_known *known = walk->known;
    uint64_t must =
        known->size > known->index_size ? known->size : known->index_size;
    walk->ended = true;
    if (log->next_seq >= must)
        return SG_OK;
    sg_diag_set(walk->diag, 0, 0,
                "evidence/%016llx.log, byte %llu, entry %llu: %s; but %llu "
                "entries were %s. Stop; restore the log from a copy",
                (unsigned long long)walk->firsts[walk->now],
                (unsigned long long)at, (unsigned long long)log->next_seq, why,
                (unsigned long long)must,
                must == known->size ? "signed" : "indexed");
    return SG_ERR_DAMAGE;
}

static enum sg_err
differs(struct walk *walk, const char *than)
{
    sg_diag_set(walk->diag, 0, 0,
                "the log is whole up to entry %llu, but it is not the one that "
                "%s. Stop; restore the log from a copy",
                (unsigned long long)walk->log->next_seq - 1, than);
    return SG_ERR_DAMAGE;
}

// What the checkpoint and the index say about the log up to here.
static enum sg_err
compare_known(struct walk *walk)
{
    const struct sg_log *log = walk->log;
    const struct sg_log_known *known = walk->known;
    if (known->index_size > 0 && log->next_seq == known->index_size &&
        memcmp(log->last_leaf, known->index_leaf, 32) != 0)
        return differs(walk, "the index was made from");
    if (known->size > 0 && log->next_seq == known->size) {
        uint8_t root[32];
        walk->visit->root(walk->visit->arg, root);
        if (memcmp(root, known->root, 32) != 0)
            return differs(walk, "was signed in the newest checkpoint");
    }
    return SG_OK;
}

static enum sg_err
take_entry(struct walk *walk, struct sg_slice bytes,
           const struct sg_entry *entry, uint64_t frame_at)
{
    struct sg_log *log = walk->log;
    const char *why = NULL;
    if (entry->sequence != log->next_seq)
        why = "it has another sequence number";
    else if (memcmp(entry->prev, log->last_leaf, 32) != 0)
        why = "it does not follow from the entry before";
    else if (entry->time_us < log->last_time)
        why = "its time lies before the entry before";
    if (why != NULL)
        return end_here(walk, frame_at, why);
    sg_entry_leaf(bytes, log->last_leaf);
    log->next_seq++;
    log->last_time = entry->time_us;
    log->at = walk->segment.at;
    enum sg_err err = walk->visit->entry(walk->visit->arg, entry,
                                         log->last_leaf, (uint32_t)frame_at);
    return err != SG_OK ? err : compare_known(walk);
}

static enum sg_err
walk_segment(struct walk *walk)
{
    struct sg_log *log = walk->log;
    while (!walk->ended) {
        uint64_t frame_at, first;
        struct sg_slice bytes;
        struct sg_entry entry;
        enum sg_err err = SG_OK;
        switch (sg_segment_next(&walk->segment, &frame_at, &bytes, &entry)) {
        case SG_SEGMENT_ENTRY:
            err = take_entry(walk, bytes, &entry, frame_at);
            break;
        case SG_SEGMENT_BROKEN:
            err = end_here(walk, frame_at, "its frame is broken");
            break;
        case SG_SEGMENT_FORM:
            err = end_here(walk, frame_at, "it has not the form of an entry");
            break;
        case SG_SEGMENT_IO:
            return SG_ERR_IO;
        case SG_SEGMENT_END:
            err = sg_segment_tail(&walk->segment, &first);
            if (err != SG_OK)
                return err;
            if (first == walk->segment.len && walk->now + 1 < walk->count &&
                walk->firsts[walk->now + 1] == log->next_seq)
                return SG_OK; // goes on in the next one
            err = end_here(walk, frame_at, "it is missing");
            break;
        }
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

// A segment that cannot be opened ends the log like a broken frame.
static enum sg_err
walk_one(struct walk *walk, uint64_t at)
{
    struct sg_log *log = walk->log;
    struct sg_entry_segment head;
    uint64_t first_seq = walk->firsts[walk->now], len = 0;
    int fd;
    enum sg_err err = open_segment(log->dir, first_seq, &fd, &len, &head);
    if (err == SG_OK && first_seq != 0 &&
        memcmp(head.genesis, log->genesis, 32) != 0)
        err = SG_ERR_CORRUPT;
    if (err == SG_OK && head.epoch < log->epoch)
        err = SG_ERR_CORRUPT;
    if (err == SG_ERR_CORRUPT || err == SG_ERR_SHORT) {
        close_fd(&fd);
        return end_here(walk, 0, "the header of its segment is broken");
    }
    if (err == SG_OK) {
        log->first_seq = first_seq;
        log->at = at;
        log->epoch = head.epoch;
        sg_segment_begin(&walk->segment, fd, len < head.size ? len : head.size,
                         at);
        err = walk_segment(walk);
    }
    close_fd(&fd);
    return err;
}

static enum sg_err
find_start(struct walk *walk, const struct sg_log_start *start)
{
    while (walk->now < walk->count && walk->firsts[walk->now] != start->segment)
        walk->now++;
    if (walk->now < walk->count)
        return SG_OK;
    sg_diag_set(walk->diag, 0, 0,
                "evidence/%016llx.log is missing; restore it from a copy",
                (unsigned long long)start->segment);
    return SG_ERR_DAMAGE;
}

enum sg_err
sg_log_recover(struct sg_log *log, const struct sg_log_start *start,
               const struct sg_log_known *known,
               const struct sg_log_visit *visit, struct sg_diag *diag)
{
    struct walk walk = {
        .log = log, .known = known, .visit = visit, .diag = diag};
    log->next_seq = start->size;
    log->last_time = start->time_us;
    log->epoch = 0;
    memcpy(log->last_leaf, start->leaf, 32);
    enum sg_err err = sg_segment_init(&walk.segment);
    if (err == SG_OK)
        err = sg_segment_list(log->dir, &walk.firsts, &walk.count);
    if (err == SG_OK)
        err = find_start(&walk, start);
    if (err == SG_OK && start->size > 0)
        err = compare_known(&walk);
    for (uint64_t at = start->at; err == SG_OK && !walk.ended; walk.now++) {
        err = walk_one(&walk, at);
        at = SG_ENTRY_SEGMENT_LEN;
    }
    sg_segment_fini(&walk.segment);
    free(walk.firsts);
    return err;
}

enum sg_err
sg_log_identity(const char *dir, uint8_t genesis[32], uint64_t *epoch,
                struct sg_diag *diag)
{
    uint64_t *firsts = NULL, len = 0, frame_at;
    size_t count = 0;
    int fd = -1;
    struct sg_entry_segment head = {0};
    struct sg_segment segment;
    enum sg_err err = sg_segment_init(&segment);
    if (err == SG_OK)
        err = sg_segment_list(dir, &firsts, &count);
    if (err == SG_OK && count == 0)
        err = SG_ERR_NOT_FOUND;
    if (err == SG_OK)
        err = open_segment(dir, firsts[0], &fd, &len, &head);
    if (err == SG_OK && firsts[0] == 0) {
        struct sg_slice bytes;
        struct sg_entry entry;
        sg_segment_begin(&segment, fd, len, SG_ENTRY_SEGMENT_LEN);
        if (sg_segment_next(&segment, &frame_at, &bytes, &entry) ==
            SG_SEGMENT_ENTRY)
            sg_entry_leaf(bytes, head.genesis);
        else
            err = SG_ERR_CORRUPT;
    }
    *epoch = head.epoch;
    memcpy(genesis, head.genesis, 32);
    if (err == SG_ERR_CORRUPT || err == SG_ERR_SHORT) {
        sg_diag_set(diag, 0, 0,
                    "the first segment in %s is broken at its beginning; "
                    "restore it from a copy",
                    dir);
        err = SG_ERR_DAMAGE;
    }
    close_fd(&fd);
    sg_segment_fini(&segment);
    free(firsts);
    return err;
}

// ---- making the end found the end on disk ----------------------------------------

// Writes [at, to) of a file over itself, so that the kernel has to write it.
static enum sg_err
rewrite(const struct sg_disk *disk, int fd, uint64_t at, uint64_t to,
        uint8_t *buffer)
{
    while (at < to) {
        size_t part = to - at < COPY ? (size_t)(to - at) : COPY;
        enum sg_err err = sg_disk_read(fd, at, buffer, part);
        if (err == SG_OK)
            err = disk->write(disk->arg, fd, at, buffer, part);
        if (err != SG_OK)
            return err;
        at += part;
    }
    return SG_OK;
}

// The file to its full size, zeros from `at` on.
static enum sg_err
clean_tail(const struct sg_log *log, int fd, uint64_t at)
{
    struct sg_segment segment;
    uint64_t len, first;
    enum sg_err err = sg_segment_init(&segment);
    if (err == SG_OK)
        err = sg_disk_size(fd, &len);
    if (err == SG_OK) {
        sg_segment_begin(&segment, fd, len, at < len ? at : len);
        err = sg_segment_tail(&segment, &first);
    }
    if (err == SG_OK && first < len)
        err = sg_disk_zero(log->disk, fd, at, len - at);
    if (err == SG_OK && len < log->segment_bytes)
        err = sg_disk_zero(log->disk, fd, len, log->segment_bytes - len);
    sg_segment_fini(&segment);
    return err;
}

static enum sg_err
settle_segment(struct sg_log *log, uint64_t first_seq, bool last, bool above)
{
    const struct sg_disk *disk = log->disk;
    char name[SG_SEGMENT_NAME], path[SG_DISK_PATH];
    uint64_t len;
    int fd;
    sg_segment_name(first_seq, name);
    if (!sg_disk_path(path, "%s/%s", log->dir, name))
        return SG_ERR_FULL;
    enum sg_err err = disk->open(disk->arg, path, SG_DISK_WRITE, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_size(fd, &len);
    // A buffer of the log that is not in use yet.
    if (err == SG_OK && above)
        err = rewrite(disk, fd, 0, last ? log->at : len, log->buffer);
    if (err == SG_OK && last)
        err = clean_tail(log, fd, log->at);
    if (err == SG_OK)
        err = disk->sync(disk->arg, fd);
    if (last && err == SG_OK)
        log->fd = fd;
    else
        disk->close(disk->arg, fd);
    return err;
}

enum sg_err
sg_log_settle(struct sg_log *log, uint64_t durable_size)
{
    uint64_t *firsts = NULL;
    size_t count = 0;
    char name[SG_SEGMENT_NAME], path[SG_DISK_PATH];
    enum sg_err err = sg_segment_list(log->dir, &firsts, &count);
    for (size_t i = count; i-- > 0 && err == SG_OK;) {
        sg_segment_name(firsts[i], name);
        if (!sg_disk_path(path, "%s/%s", log->dir, name))
            err = SG_ERR_FULL;
        else if (firsts[i] > log->first_seq)
            err = log->disk->remove(log->disk->arg, path);
        else if (firsts[i] == log->first_seq ||
                 (i + 1 < count && firsts[i + 1] > durable_size))
            err = settle_segment(log, firsts[i], firsts[i] == log->first_seq,
                                 log->next_seq > durable_size);
    }
    if (err == SG_OK)
        err = log->disk->sync_dir(log->disk->arg, log->dir);
    free(firsts);
    log->buffer_len = 0;
    log->buffer_at = log->at;
    return err;
}
