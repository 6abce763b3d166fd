#include "broker/evidence/log.h"

#include <stdlib.h>
#include <string.h>

enum { SPARE_STEP = 1024 * 1024 };

static void
crash_point(const struct sg_log *log, const char *name)
{
    if (log->crash_point != NULL)
        log->crash_point(log->crash_arg, name);
}

// ---- making segments -------------------------------------------------------------

static enum sg_err
put_head(const struct sg_disk *disk, int fd, const uint8_t genesis[32],
         uint64_t epoch, uint64_t first_seq, uint32_t size)
{
    uint8_t head[SG_ENTRY_SEGMENT_LEN];
    struct sg_entry_segment segment = {
        .epoch = epoch, .first_sequence = first_seq, .size = size};
    memcpy(segment.genesis, genesis, 32);
    sg_entry_segment_encode(&segment, head);
    return disk->write(disk->arg, fd, 0, head, sizeof(head));
}

static bool
segment_path(char out[SG_DISK_PATH], const char *dir, uint64_t first_seq)
{
    char name[SG_SEGMENT_NAME];
    sg_segment_name(first_seq, name);
    return sg_disk_path(out, "%s/%s", dir, name);
}

enum sg_err
sg_log_create(const struct sg_disk *disk, const char *dir,
              uint32_t segment_bytes)
{
    static const uint8_t none[32]; // segment 0 cannot name its own entry
    char path[SG_DISK_PATH];
    int fd;
    if (!segment_path(path, dir, 0))
        return SG_ERR_FULL;
    enum sg_err err = disk->open(disk->arg, path, SG_DISK_CREATE, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_zero(disk, fd, 0, segment_bytes);
    if (err == SG_OK)
        err = put_head(disk, fd, none, 1, 0, segment_bytes);
    if (err == SG_OK)
        err = disk->sync(disk->arg, fd);
    disk->close(disk->arg, fd);
    return err != SG_OK ? err : disk->sync_dir(disk->arg, dir);
}

enum sg_err
sg_log_open(struct sg_log *log, const struct sg_disk *disk, const char *dir,
            uint32_t segment_bytes)
{
    memset(log, 0, sizeof(*log));
    log->disk = disk;
    log->fd = log->spare_fd = -1;
    log->segment_bytes = segment_bytes;
    log->buffer = malloc(SG_LOG_BUFFER);
    log->entry = malloc(SG_LOG_ENTRY);
    if (log->buffer == NULL || log->entry == NULL)
        return SG_ERR_MEMORY;
    return sg_disk_path(log->dir, "%s", dir) ? SG_OK : SG_ERR_FULL;
}

void
sg_log_close(struct sg_log *log)
{
    if (log->disk == NULL)
        return;
    if (log->fd >= 0)
        log->disk->close(log->disk->arg, log->fd);
    if (log->spare_fd >= 0)
        log->disk->close(log->disk->arg, log->spare_fd);
    log->fd = log->spare_fd = -1;
    free(log->buffer);
    free(log->entry);
    log->buffer = log->entry = NULL;
}

static enum sg_err
open_spare(struct sg_log *log)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/next", log->dir))
        return SG_ERR_FULL;
    // One of an earlier run is of no known content.
    enum sg_err err = log->disk->remove(log->disk->arg, path);
    log->spare_zeroed = 0;
    return err != SG_OK ? err
                        : log->disk->open(log->disk->arg, path, SG_DISK_CREATE,
                                          &log->spare_fd);
}

static enum sg_err
zero_spare(struct sg_log *log, uint64_t most)
{
    uint64_t left = log->segment_bytes - log->spare_zeroed;
    uint64_t part = left < most ? left : most;
    enum sg_err err =
        sg_disk_zero(log->disk, log->spare_fd, log->spare_zeroed, part);
    if (err == SG_OK)
        log->spare_zeroed += part;
    return err;
}

enum sg_err
sg_log_prepare(struct sg_log *log)
{
    if (log->at < log->segment_bytes / 2 ||
        (log->spare_fd >= 0 && log->spare_zeroed == log->segment_bytes))
        return SG_OK;
    enum sg_err err = log->spare_fd < 0 ? open_spare(log) : SG_OK;
    return err != SG_OK ? err : zero_spare(log, SPARE_STEP);
}

// Header, sync, name, sync: the segment counts when its name is durable.
static enum sg_err
next_segment(struct sg_log *log)
{
    const struct sg_disk *disk = log->disk;
    char from[SG_DISK_PATH], to[SG_DISK_PATH];
    enum sg_err err = log->spare_fd < 0 ? open_spare(log) : SG_OK;
    if (err == SG_OK)
        err = zero_spare(log, log->segment_bytes);
    if (err == SG_OK)
        err = put_head(disk, log->spare_fd, log->genesis, log->epoch,
                       log->next_seq, log->segment_bytes);
    if (err == SG_OK)
        err = disk->sync(disk->arg, log->spare_fd);
    crash_point(log, "segment_ready");
    if (err == SG_OK && (!sg_disk_path(from, "%s/next", log->dir) ||
                         !segment_path(to, log->dir, log->next_seq)))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = disk->rename(disk->arg, from, to);
    crash_point(log, "segment_renamed");
    if (err == SG_OK)
        err = disk->sync_dir(disk->arg, log->dir);
    if (err != SG_OK)
        return err;
    disk->close(disk->arg, log->fd);
    log->fd = log->spare_fd;
    log->spare_fd = -1;
    log->first_seq = log->next_seq;
    log->at = log->buffer_at = SG_ENTRY_SEGMENT_LEN;
    return SG_OK;
}

enum sg_err
sg_log_new_epoch(struct sg_log *log, uint64_t epoch)
{
    SG_ASSERT(epoch > log->epoch);
    log->epoch = epoch;
    return next_segment(log);
}

// ---- appending -------------------------------------------------------------------

bool
sg_log_has_room(const struct sg_log *log, size_t body_len)
{
    size_t frame = sg_entry_frame_size(SG_ENTRY_HEAD_LEN + body_len);
    return log->buffer_len + frame <= SG_LOG_BUFFER &&
           log->at + frame <= log->segment_bytes;
}

enum sg_err
sg_log_write(struct sg_log *log)
{
    const struct sg_disk *disk = log->disk;
    enum sg_err err = SG_OK;
    size_t first = 0;
    if (log->buffer_len == 0)
        return SG_OK;
    log->dirty = true;
    if (log->crash_point != NULL) {
        first = log->buffer_len / 2;
        err =
            disk->write(disk->arg, log->fd, log->buffer_at, log->buffer, first);
        crash_point(log, "log_half_written");
    }
    if (err == SG_OK)
        err = disk->write(disk->arg, log->fd, log->buffer_at + first,
                          log->buffer + first, log->buffer_len - first);
    log->buffer_at += log->buffer_len;
    log->buffer_len = 0;
    return err;
}

enum sg_err
sg_log_sync(struct sg_log *log)
{
    if (!log->dirty)
        return SG_OK;
    enum sg_err err = log->disk->sync(log->disk->arg, log->fd);
    log->dirty = err != SG_OK;
    return err;
}

enum sg_err
sg_log_make_room(struct sg_log *log, size_t body_len)
{
    enum sg_err err = sg_log_write(log);
    if (err != SG_OK || sg_log_has_room(log, body_len))
        return err;
    err = sg_log_sync(log);
    return err != SG_OK ? err : next_segment(log);
}

void
sg_log_append(struct sg_log *log, struct sg_entry *entry, uint8_t leaf[32],
              uint32_t *frame_at)
{
    SG_ASSERT(entry->time_us >= log->last_time);
    SG_ASSERT(sg_log_has_room(log, entry->body.len));
    entry->sequence = log->next_seq;
    memcpy(entry->prev, log->last_leaf, 32);
    struct sg_writer bytes = sg_writer_on(log->entry, SG_LOG_ENTRY);
    struct sg_writer frame = sg_writer_on(log->buffer + log->buffer_len,
                                          SG_LOG_BUFFER - log->buffer_len);
    sg_entry_encode(entry, &bytes);
    sg_entry_frame(sg_writer_slice(&bytes), &frame);
    SG_ASSERT(!bytes.full && !frame.full);
    sg_entry_leaf(sg_writer_slice(&bytes), leaf);
    *frame_at = (uint32_t)log->at;
    log->buffer_len += frame.len;
    log->at += frame.len;
    log->next_seq++;
    log->last_time = entry->time_us;
    memcpy(log->last_leaf, leaf, 32);
}
