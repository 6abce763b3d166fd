#include "broker/evidence/payload_write.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/limits.h"

enum {
    SEGMENT_BYTES = SG_LIMIT_SEGMENT,
    ZERO_AHEAD = 4 * 1024 * 1024, // so that most syncs change no file size
};

static void
crash_point(const struct sg_payload_writer *writer, const char *name)
{
    if (writer->crash_point != NULL)
        writer->crash_point(writer->crash_arg, name);
}

enum sg_err
sg_payload_attempt_new(uint64_t token, const struct sg_payload_meta *meta,
                       const uint8_t *key, struct sg_payload_attempt **out)
{
    *out = NULL;
    struct sg_payload_attempt *attempt = calloc(1, sizeof(*attempt));
    if (attempt == NULL)
        return SG_ERR_MEMORY;
    attempt->token = token;
    attempt->meta = *meta;
    attempt->fd = -1;
    sg_merkle_init(&attempt->tree, SG_MERKLE_CHUNKS);
    attempt->place.month = sg_payload_month(meta->created_us);
    enum sg_err err = SG_OK;
    if (key != NULL)
        err = sg_seal_begin(&attempt->seal, key, meta->manifest_sha256,
                            meta->attempt, (enum sg_seal_purpose)meta->purpose);
    if (err != SG_OK)
        sg_payload_attempt_free(&attempt);
    *out = attempt;
    return err;
}

void
sg_payload_attempt_free(struct sg_payload_attempt **attempt)
{
    if (*attempt == NULL)
        return;
    if ((*attempt)->seal.aead != NULL)
        sg_seal_end(&(*attempt)->seal);
    free(*attempt);
    *attempt = NULL;
}

enum sg_err
sg_payload_writer_open(struct sg_payload_writer *writer,
                       const struct sg_disk *disk, const char *dir)
{
    memset(writer, 0, sizeof(*writer));
    writer->disk = disk;
    writer->fd = -1;
    writer->buffer_cap = SG_LIMIT_CHUNK + SG_PAYLOAD_META_LEN + SG_TAG_LEN + 8;
    writer->buffer = malloc(writer->buffer_cap);
    if (writer->buffer == NULL || !sg_disk_path(writer->dir, "%s", dir))
        return SG_ERR_MEMORY;
    return SG_OK;
}

void
sg_payload_writer_close(struct sg_payload_writer *writer)
{
    if (writer->disk != NULL && writer->fd >= 0)
        writer->disk->close(writer->disk->arg, writer->fd);
    if (writer->buffer != NULL)
        sg_crypto_wipe(writer->buffer, writer->buffer_cap);
    free(writer->buffer);
    writer->buffer = NULL;
    writer->fd = -1;
}

static void
mark_dirty(struct sg_payload_writer *writer, struct sg_payload_attempt *attempt)
{
    if (attempt->dirty)
        return;
    attempt->dirty = true;
    attempt->next_dirty = writer->dirty_list;
    writer->dirty_list = attempt;
}

// The folder of a month, made when it is missing, remembered for the next sync.
static enum sg_err
month_folder(struct sg_payload_writer *writer, uint32_t month)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/%04u-%02u", writer->dir, month / 100,
                      month % 100))
        return SG_ERR_FULL;
    if (!sg_disk_exists(path)) {
        enum sg_err err = writer->disk->make_dir(writer->disk->arg, path);
        if (err != SG_OK)
            return err;
        writer->new_month = true;
    }
    if (writer->new_dirs[0] == month || writer->new_dirs[1] == month)
        return SG_OK;
    if (writer->new_dirs[0] != 0 && writer->new_dirs[1] != 0) {
        enum sg_err err = sg_payload_sync(writer);
        if (err != SG_OK)
            return err;
    }
    writer->new_dirs[writer->new_dirs[0] == 0 ? 0 : 1] = month;
    return SG_OK;
}

// A fresh segment for a month; never goes on with one of an earlier run, whose
// end may be torn.
static enum sg_err
open_segment(struct sg_payload_writer *writer, uint32_t month)
{
    char path[SG_DISK_PATH];
    enum sg_err err = SG_OK;
    if (writer->dirty)
        err = sg_payload_sync(writer);
    if (err == SG_OK)
        err = month_folder(writer, month);
    if (err != SG_OK)
        return err;
    if (writer->fd >= 0)
        writer->disk->close(writer->disk->arg, writer->fd);
    writer->fd = -1;
    if (writer->month != month)
        writer->last = 0;
    do {
        writer->last++;
        if (!sg_payload_segment_path(path, writer->dir, month, writer->last))
            return SG_ERR_FULL;
    } while (sg_disk_exists(path));
    writer->month = month;
    writer->broken = false;
    writer->segment = writer->last;
    writer->at = writer->zeroed = 0;
    return writer->disk->open(writer->disk->arg, path, SG_DISK_CREATE,
                              &writer->fd);
}

// A whole small object: description and ciphertext in one write.
static enum sg_err
write_small(struct sg_payload_writer *writer,
            struct sg_payload_attempt *attempt, size_t sealed_len)
{
    uint64_t len = (SG_PAYLOAD_META_LEN + sealed_len + 7) & ~7ull;
    enum sg_err err = SG_OK;
    if (writer->fd < 0 || writer->broken ||
        writer->month != attempt->place.month ||
        writer->at + len > SEGMENT_BYTES)
        err = open_segment(writer, attempt->place.month);
    if (err == SG_OK && writer->at + len > writer->zeroed) {
        err =
            sg_disk_zero(writer->disk, writer->fd, writer->zeroed, ZERO_AHEAD);
        writer->zeroed += err == SG_OK ? ZERO_AHEAD : 0;
    }
    writer->broken = err != SG_OK;
    if (err != SG_OK)
        return err;
    sg_payload_meta_encode(&attempt->meta, false, writer->buffer);
    memset(writer->buffer + SG_PAYLOAD_META_LEN + sealed_len, 0,
           len - SG_PAYLOAD_META_LEN - sealed_len);
    attempt->place.segment = writer->segment;
    attempt->place.at = writer->at;
    err = writer->disk->write(writer->disk->arg, writer->fd, writer->at,
                              writer->buffer, len);
    writer->at += len;
    writer->dirty = true;
    // Nothing may follow a record that is not whole: reading stops there.
    writer->broken = err != SG_OK;
    return err;
}

static enum sg_err
unfinished_path(const struct sg_payload_writer *writer,
                const struct sg_payload_attempt *attempt,
                char out[SG_DISK_PATH])
{
    char path[SG_DISK_PATH];
    return sg_payload_object_path(path, writer->dir, attempt->place.month,
                                  attempt->meta.id) &&
                   sg_disk_path(out, "%s.part", path)
               ? SG_OK
               : SG_ERR_FULL;
}

static enum sg_err
open_large(struct sg_payload_writer *writer, struct sg_payload_attempt *attempt)
{
    char path[SG_DISK_PATH];
    enum sg_err err = unfinished_path(writer, attempt, path);
    if (err == SG_OK)
        err = month_folder(writer, attempt->place.month);
    if (err == SG_OK)
        err = writer->disk->open(writer->disk->arg, path, SG_DISK_CREATE,
                                 &attempt->fd);
    return err;
}

// Description behind the chunks, synced before the name says "whole".
static enum sg_err
finish_large(struct sg_payload_writer *writer,
             struct sg_payload_attempt *attempt)
{
    const struct sg_disk *disk = writer->disk;
    uint8_t meta[SG_PAYLOAD_META_LEN];
    char from[SG_DISK_PATH], to[SG_DISK_PATH];
    sg_payload_meta_encode(&attempt->meta, false, meta);
    enum sg_err err =
        disk->write(disk->arg, attempt->fd, attempt->end, meta, sizeof(meta));
    if (err == SG_OK)
        err = disk->sync(disk->arg, attempt->fd);
    if (err == SG_OK &&
        !sg_payload_object_path(to, writer->dir, attempt->place.month,
                                attempt->meta.id))
        err = SG_ERR_FULL;
    if (err != SG_OK)
        return err;
    crash_point(writer, "object_described");
    if (attempt->seal.aead == NULL) {
        err = disk->link(disk->arg, attempt->fd, to);
    } else {
        err = unfinished_path(writer, attempt, from);
        if (err == SG_OK)
            err = disk->rename(disk->arg, from, to);
    }
    attempt->is_new = true;
    crash_point(writer, "object_named");
    return err != SG_OK ? err : month_folder(writer, attempt->place.month);
}

static void
add_leaf(struct sg_payload_attempt *attempt, bool last, struct sg_slice sealed)
{
    uint8_t leaf[32];
    sg_seal_chunk_leaf(attempt->stored++, last, sealed, leaf);
    // 2^40 chunks cannot be: SG_LIMIT_OBJECT.
    enum sg_err err = sg_merkle_add(&attempt->tree, leaf);
    SG_ASSERT(err == SG_OK);
    if (last)
        sg_merkle_root(&attempt->tree, attempt->meta.chunk_root);
}

enum sg_err
sg_payload_write_chunk(struct sg_payload_writer *writer,
                       struct sg_payload_attempt *attempt, uint64_t index,
                       struct sg_slice bytes)
{
    SG_ASSERT(index == attempt->stored && !attempt->whole);
    bool last = index + 1 == attempt->meta.chunks;
    bool small = sg_payload_is_small(&attempt->meta);
    uint8_t *sealed = writer->buffer + (small ? SG_PAYLOAD_META_LEN : 0);
    size_t sealed_len = bytes.len + SG_TAG_LEN;
    enum sg_err err = SG_OK;
    if (!small && attempt->fd < 0)
        err = open_large(writer, attempt);
    if (err == SG_OK)
        err = sg_seal_chunk(&attempt->seal, index, last, bytes, sealed);
    if (err != SG_OK)
        return err;
    add_leaf(attempt, last, sg_slice_of(sealed, sealed_len));
    if (small) {
        attempt->whole = true;
        return write_small(writer, attempt, sealed_len);
    }
    err = writer->disk->write(writer->disk->arg, attempt->fd, attempt->end,
                              sealed, sealed_len);
    attempt->end += sealed_len;
    mark_dirty(writer, attempt);
    if (err == SG_OK && last) {
        attempt->whole = true;
        err = finish_large(writer, attempt);
    }
    return err;
}

// Hashes the chunks of an adopted file; what a worker says about them is not
// believed.
static enum sg_err
hash_adopted(struct sg_payload_writer *writer,
             struct sg_payload_attempt *attempt)
{
    const struct sg_payload_meta *meta = &attempt->meta;
    uint64_t left = meta->bytes;
    for (uint64_t i = 0; i < meta->chunks; i++) {
        size_t len = left < meta->chunk_size ? (size_t)left : meta->chunk_size;
        enum sg_err err = sg_disk_read(attempt->fd, attempt->end,
                                       writer->buffer + SG_PAYLOAD_META_LEN,
                                       len + SG_TAG_LEN);
        if (err != SG_OK)
            return err;
        add_leaf(attempt, i + 1 == meta->chunks,
                 sg_slice_of(writer->buffer + SG_PAYLOAD_META_LEN,
                             len + SG_TAG_LEN));
        attempt->end += len + SG_TAG_LEN;
        left -= len;
    }
    return SG_OK;
}

// Copied into the segment: its own file is of no more use.
static enum sg_err
adopt_small(struct sg_payload_writer *writer,
            struct sg_payload_attempt *attempt)
{
    enum sg_err err = write_small(
        writer, attempt, (size_t)sg_payload_stored_bytes(&attempt->meta));

    if (err == SG_OK) {
        writer->disk->close(writer->disk->arg, attempt->fd);
        attempt->fd = -1;
    }
    return err;
}

enum sg_err
sg_payload_write_adopted(struct sg_payload_writer *writer,
                         struct sg_payload_attempt *attempt)
{
    uint64_t len;
    enum sg_err err = sg_disk_size(attempt->fd, &len);
    if (err == SG_OK && len != sg_payload_stored_bytes(&attempt->meta))
        err = SG_ERR_CORRUPT;
    if (err == SG_OK)
        err = hash_adopted(writer, attempt);
    if (err != SG_OK)
        return err;
    attempt->whole = true;
    if (sg_payload_is_small(&attempt->meta))
        return adopt_small(writer, attempt);
    mark_dirty(writer, attempt);
    err = month_folder(writer, attempt->place.month);
    return err != SG_OK ? err : finish_large(writer, attempt);
}

void
sg_payload_write_drop(struct sg_payload_writer *writer,
                      struct sg_payload_attempt *attempt)
{
    char path[SG_DISK_PATH];
    if (attempt->fd >= 0)
        writer->disk->close(writer->disk->arg, attempt->fd);
    // What cannot be removed now is removed at the next start.
    if (attempt->fd >= 0 && attempt->seal.aead != NULL && !attempt->whole &&
        unfinished_path(writer, attempt, path) == SG_OK)
        (void)writer->disk->remove(writer->disk->arg, path);
    attempt->fd = -1;
    for (struct sg_payload_attempt **at = &writer->dirty_list; *at != NULL;
         at = &(*at)->next_dirty) {
        if (*at != attempt)
            continue;
        *at = attempt->next_dirty;
        break;
    }
    attempt->dirty = false;
}

bool
sg_payload_is_dirty(const struct sg_payload_writer *writer)
{
    return writer->dirty || writer->dirty_list != NULL ||
           writer->new_dirs[0] != 0 || writer->new_month;
}

bool
sg_payload_is_urgent(const struct sg_payload_writer *writer)
{
    return writer->dirty_list != NULL || writer->new_dirs[0] != 0 ||
           writer->new_month;
}

static enum sg_err
sync_folders(struct sg_payload_writer *writer)
{
    char path[SG_DISK_PATH];
    enum sg_err err = SG_OK;
    for (unsigned i = 0; i < 2 && err == SG_OK; i++) {
        uint32_t month = writer->new_dirs[i];
        if (month == 0)
            continue;
        if (!sg_disk_path(path, "%s/%04u-%02u", writer->dir, month / 100,
                          month % 100))
            return SG_ERR_FULL;
        err = writer->disk->sync_dir(writer->disk->arg, path);
        if (err == SG_OK)
            writer->new_dirs[i] = 0;
    }
    if (err == SG_OK && writer->new_month) {
        err = writer->disk->sync_dir(writer->disk->arg, writer->dir);
        writer->new_month = err != SG_OK;
    }
    return err;
}

enum sg_err
sg_payload_sync(struct sg_payload_writer *writer)
{
    const struct sg_disk *disk = writer->disk;
    while (writer->dirty_list != NULL) {
        struct sg_payload_attempt *attempt = writer->dirty_list;
        // What is whole was synced before it got its name.
        enum sg_err err =
            attempt->whole ? SG_OK : disk->sync(disk->arg, attempt->fd);
        if (err != SG_OK)
            return err;
        writer->dirty_list = attempt->next_dirty;
        attempt->dirty = false;
        if (attempt->whole) {
            disk->close(disk->arg, attempt->fd);
            attempt->fd = -1;
        }
    }
    if (writer->dirty) {
        enum sg_err err = disk->sync(disk->arg, writer->fd);
        if (err != SG_OK)
            return err;
        writer->dirty = false;
    }
    return sync_folders(writer);
}
