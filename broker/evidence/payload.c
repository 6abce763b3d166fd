#include "broker/evidence/payload.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/base/pool.h"
#include "broker/base/table.h"
#include "broker/evidence/payload_write.h"

struct sg_payload {
    const struct sg_disk *disk;
    char dir[SG_DISK_PATH];
    struct sg_table *table; // id -> index in places, in order of storing
    struct sg_pool *places; // struct sg_payload_place
    // The segment read last; small objects are read in runs.
    int segment_fd;
    uint32_t segment_month, segment;
};

void
sg_payload_close(struct sg_payload **payload)
{
    struct sg_payload *p = *payload;
    if (p == NULL)
        return;
    if (p->segment_fd >= 0)
        p->disk->close(p->disk->arg, p->segment_fd);
    sg_table_free(&p->table);
    sg_pool_free(&p->places);
    free(p);
    *payload = NULL;
}

enum sg_err
sg_payload_add(struct sg_payload *payload, const uint8_t id[16],
               const struct sg_payload_place *place)
{
    struct sg_slice key = sg_slice_of(id, SG_PAYLOAD_ID_LEN);
    if (sg_table_get(payload->table, key, NULL))
        return SG_ERR_EXISTS;
    uint32_t index = sg_pool_take(payload->places);
    if (index == 0)
        return SG_ERR_FULL;
    *(struct sg_payload_place *)sg_pool_at(payload->places, index) = *place;
    enum sg_err err = sg_table_put(payload->table, key, index);
    if (err != SG_OK)
        sg_pool_give(payload->places, index);
    return err;
}

// The descriptions in one segment of small objects, up to its end or to where
// a cut left it.
static enum sg_err
scan_segment(struct sg_payload *payload, uint32_t month, uint32_t segment)
{
    char path[SG_DISK_PATH];
    int fd;
    struct sg_payload_place place = {month, segment, 0};
    if (!sg_payload_segment_path(path, payload->dir, month, segment))
        return SG_ERR_FULL;
    enum sg_err err =
        payload->disk->open(payload->disk->arg, path, SG_DISK_READ, &fd);
    while (err == SG_OK) {
        uint8_t bytes[SG_PAYLOAD_META_LEN];
        struct sg_payload_meta meta;
        bool removed;
        if (sg_disk_read(fd, place.at, bytes, sizeof(bytes)) != SG_OK ||
            sg_payload_meta_decode(bytes, &meta, &removed) != SG_OK ||
            !sg_payload_is_small(&meta))
            break;
        if (!removed)
            err = sg_payload_add(payload, meta.id, &place);
        if (err == SG_ERR_EXISTS)
            err = SG_OK; // ids are random: the same object stored twice
        place.at +=
            (SG_PAYLOAD_META_LEN + sg_payload_stored_bytes(&meta) + 7) & ~7ull;
    }
    if (fd >= 0)
        payload->disk->close(payload->disk->arg, fd);
    return err;
}

static enum sg_err
scan_file(struct sg_payload *payload, uint32_t month, const char *name)
{
    char path[SG_DISK_PATH];
    uint8_t id[16];
    uint64_t segment = 0;
    size_t len = strlen(name);
    if (len == 16 && strncmp(name, "small-", 6) == 0 &&
        strcmp(name + 12, ".seg") == 0 &&
        sg_slice_u64(sg_slice_of(name + 6, 6), &segment))
        return scan_segment(payload, month, (uint32_t)segment);
    if (len == SG_PAYLOAD_NAME_LEN &&
        sg_encode_unhex(sg_slice_text(name), id, sizeof(id))) {
        struct sg_payload_place place = {month, 0, 0};
        return sg_payload_add(payload, id, &place);
    }
    if (len != SG_PAYLOAD_NAME_LEN + 5 ||
        strcmp(name + SG_PAYLOAD_NAME_LEN, ".part") != 0)
        return SG_OK; // nothing of ours
    if (!sg_disk_path(path, "%s/%04u-%02u/%s", payload->dir, month / 100,
                      month % 100, name))
        return SG_ERR_FULL;
    return payload->disk->remove(payload->disk->arg, path);
}

static enum sg_err
scan_month(struct sg_payload *payload, uint32_t month)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/%04u-%02u", payload->dir, month / 100,
                      month % 100))
        return SG_ERR_FULL;
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    enum sg_err err = count < 0 ? SG_ERR_IO : SG_OK;
    for (int i = 0; i < count; i++) {
        if (err == SG_OK && names[i]->d_name[0] != '.')
            err = scan_file(payload, month, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return err;
}

// "2026-11"
static bool
is_month(const char *name, uint32_t *month)
{
    uint64_t years, months;
    if (strlen(name) != 7 || name[4] != '-' ||
        !sg_slice_u64(sg_slice_of(name, 4), &years) ||
        !sg_slice_u64(sg_slice_of(name + 5, 2), &months))
        return false;
    *month = (uint32_t)(years * 100 + months);
    return true;
}

static enum sg_err
scan_all(struct sg_payload *payload)
{
    struct dirent **names = NULL;
    int count = scandir(payload->dir, &names, NULL, alphasort);
    enum sg_err err = count < 0 ? SG_ERR_IO : SG_OK;
    for (int i = 0; i < count; i++) {
        uint32_t month;
        if (err == SG_OK && is_month(names[i]->d_name, &month))
            err = scan_month(payload, month);
        free(names[i]);
    }
    free(names);
    return err;
}

enum sg_err
sg_payload_open(const struct sg_disk *disk, const char *dir, uint32_t cap,
                struct sg_payload **payload)
{
    *payload = NULL;
    struct sg_payload *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return SG_ERR_MEMORY;
    p->disk = disk;
    p->segment_fd = -1;
    p->table = sg_table_new_own(cap); // ids are random and our own
    p->places = sg_pool_new(cap, sizeof(struct sg_payload_place));
    enum sg_err err = p->table == NULL || p->places == NULL ? SG_ERR_MEMORY
                      : !sg_disk_path(p->dir, "%s", dir)    ? SG_ERR_FULL
                                                            : scan_all(p);
    if (err != SG_OK)
        sg_payload_close(&p);
    *payload = p;
    return err;
}

static const struct sg_payload_place *
place_of(const struct sg_payload *payload, const uint8_t id[16])
{
    uint64_t index;
    if (!sg_table_get(payload->table, sg_slice_of(id, SG_PAYLOAD_ID_LEN),
                      &index))
        return NULL;
    return sg_pool_at(payload->places, (uint32_t)index);
}

// Opens what holds the object; *at: where its description stands.
static enum sg_err
open_place(struct sg_payload *payload, const uint8_t id[16],
           const struct sg_payload_place *place, int *fd, uint64_t *at)
{
    char path[SG_DISK_PATH];
    *fd = -1;
    *at = place->at;
    if (place->segment == 0) {
        if (!sg_payload_object_path(path, payload->dir, place->month, id))
            return SG_ERR_FULL;
        uint64_t len = 0;
        enum sg_err err =
            payload->disk->open(payload->disk->arg, path, SG_DISK_READ, fd);
        if (err == SG_OK)
            err = sg_disk_size(*fd, &len);
        if (err == SG_OK && len < SG_PAYLOAD_META_LEN)
            err = SG_ERR_CORRUPT;
        *at = len - SG_PAYLOAD_META_LEN;
        return err;
    }
    if (payload->segment_fd < 0 || payload->segment_month != place->month ||
        payload->segment != place->segment) {
        if (payload->segment_fd >= 0)
            payload->disk->close(payload->disk->arg, payload->segment_fd);
        payload->segment_fd = -1;
        if (!sg_payload_segment_path(path, payload->dir, place->month,
                                     place->segment))
            return SG_ERR_FULL;
        enum sg_err err = payload->disk->open(
            payload->disk->arg, path, SG_DISK_READ, &payload->segment_fd);
        if (err != SG_OK)
            return err;
        payload->segment_month = place->month;
        payload->segment = place->segment;
    }
    *fd = payload->segment_fd;
    return SG_OK;
}

static void
close_place(struct sg_payload *payload, int fd)
{
    if (fd >= 0 && fd != payload->segment_fd)
        payload->disk->close(payload->disk->arg, fd);
}

static enum sg_err
read_meta(int fd, uint64_t at, const uint8_t id[16], bool large,
          struct sg_payload_meta *meta)
{
    uint8_t bytes[SG_PAYLOAD_META_LEN];
    bool removed;
    enum sg_err err = sg_disk_read(fd, at, bytes, sizeof(bytes));
    if (err == SG_OK)
        err = sg_payload_meta_decode(bytes, meta, &removed);
    if (err == SG_OK &&
        (memcmp(meta->id, id, SG_PAYLOAD_ID_LEN) != 0 || removed ||
         (large && sg_payload_stored_bytes(meta) != at)))
        err = SG_ERR_CORRUPT;
    return err;
}

enum sg_err
sg_payload_find(struct sg_payload *payload, const uint8_t id[16],
                struct sg_payload_meta *meta)
{
    const struct sg_payload_place *place = place_of(payload, id);
    struct sg_payload_meta own;
    uint64_t at;
    int fd;
    if (place == NULL)
        return SG_ERR_NOT_FOUND;
    if (meta == NULL)
        meta = &own;
    enum sg_err err = open_place(payload, id, place, &fd, &at);
    if (err == SG_OK)
        err = read_meta(fd, at, id, place->segment == 0, meta);
    close_place(payload, fd);
    return err;
}

enum sg_err
sg_payload_read(struct sg_payload *payload, const uint8_t id[16],
                uint64_t index, uint8_t *out, size_t cap, size_t *len)
{
    const struct sg_payload_place *place = place_of(payload, id);
    struct sg_payload_meta meta;
    uint64_t at;
    int fd;
    *len = 0;
    if (place == NULL)
        return SG_ERR_NOT_FOUND;
    enum sg_err err = open_place(payload, id, place, &fd, &at);
    if (err == SG_OK)
        err = read_meta(fd, at, id, place->segment == 0, &meta);
    if (err == SG_OK && index >= meta.chunks)
        err = SG_ERR_NOT_FOUND;
    if (err == SG_OK) {
        uint64_t before = index * meta.chunk_size;
        uint64_t left = meta.bytes - before;
        size_t want =
            (size_t)(left < meta.chunk_size ? left : meta.chunk_size) + 16;
        uint64_t from = place->segment == 0 ? 0 : at + SG_PAYLOAD_META_LEN;
        if (want > cap)
            err = SG_ERR_FULL;
        else
            err = sg_disk_read(fd, from + before + index * 16, out, want);
        *len = err == SG_OK ? want : 0;
    }
    close_place(payload, fd);
    return err;
}

enum sg_err
sg_payload_open_object(struct sg_payload *payload, const uint8_t id[16],
                       int *fd)
{
    const struct sg_payload_place *place = place_of(payload, id);
    uint64_t at;
    *fd = -1;
    if (place == NULL)
        return SG_ERR_NOT_FOUND;
    if (place->segment != 0)
        return SG_ERR_UNSUPPORTED;
    return open_place(payload, id, place, fd, &at);
}

enum sg_err
sg_payload_tmpfile(struct sg_payload *payload, uint64_t now_us, int *fd)
{
    char path[SG_DISK_PATH];
    uint32_t month = sg_payload_month(now_us);
    *fd = -1;
    if (!sg_disk_path(path, "%s/%04u-%02u", payload->dir, month / 100,
                      month % 100))
        return SG_ERR_FULL;
    enum sg_err err = payload->disk->make_dir(payload->disk->arg, path);
    return err != SG_OK ? err
                        : payload->disk->open(payload->disk->arg, path,
                                              SG_DISK_UNNAMED, fd);
}

// Zeros over the ciphertext, then the description with state "removed".
static enum sg_err
remove_small(struct sg_payload *payload, const uint8_t id[16],
             const struct sg_payload_place *place)
{
    const struct sg_disk *disk = payload->disk;
    char path[SG_DISK_PATH];
    uint8_t bytes[SG_PAYLOAD_META_LEN];
    struct sg_payload_meta meta;
    int fd;
    if (!sg_payload_segment_path(path, payload->dir, place->month,
                                 place->segment))
        return SG_ERR_FULL;
    enum sg_err err = disk->open(disk->arg, path, SG_DISK_WRITE, &fd);
    if (err != SG_OK)
        return err;
    err = read_meta(fd, place->at, id, false, &meta);
    if (err == SG_OK)
        err = sg_disk_zero(disk, fd, place->at + SG_PAYLOAD_META_LEN,
                           sg_payload_stored_bytes(&meta));
    if (err == SG_OK) {
        sg_payload_meta_encode(&meta, true, bytes);
        err = disk->write(disk->arg, fd, place->at, bytes, sizeof(bytes));
    }
    disk->close(disk->arg, fd);
    return err;
}

enum sg_err
sg_payload_remove(struct sg_payload *payload, const uint8_t id[16])
{
    struct sg_slice key = sg_slice_of(id, SG_PAYLOAD_ID_LEN);
    char path[SG_DISK_PATH];
    uint64_t index;
    if (!sg_table_get(payload->table, key, &index))
        return SG_OK;
    const struct sg_payload_place *place =
        sg_pool_at(payload->places, (uint32_t)index);
    enum sg_err err = SG_ERR_FULL;
    if (place->segment != 0)
        err = remove_small(payload, id, place);
    else if (sg_payload_object_path(path, payload->dir, place->month, id))
        err = payload->disk->remove(payload->disk->arg, path);
    if (err != SG_OK)
        return err;
    sg_pool_give(payload->places, (uint32_t)index);
    (void)sg_table_remove(payload->table, key);
    return SG_OK;
}

static enum sg_err
remove_files(const struct sg_payload *payload, const char *folder)
{
    char path[SG_DISK_PATH];
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, NULL);
    enum sg_err err = SG_OK;
    for (int i = 0; i < count; i++) {
        if (err == SG_OK && names[i]->d_name[0] != '.')
            err = sg_disk_path(path, "%s/%s", folder, names[i]->d_name)
                      ? payload->disk->remove(payload->disk->arg, path)
                      : SG_ERR_FULL;
        free(names[i]);
    }
    free(names);
    if (err != SG_OK || count < 0)
        return err;
    return payload->disk->remove_dir(payload->disk->arg, folder);
}

enum sg_err
sg_payload_remove_month(struct sg_payload *payload, uint32_t month)
{
    char path[SG_DISK_PATH];
    uint32_t at = 0;
    struct sg_slice key;
    uint64_t index;
    while (sg_table_next(payload->table, &at, &key, &index)) {
        const struct sg_payload_place *place =
            sg_pool_at(payload->places, (uint32_t)index);
        if (place->month != month)
            continue;
        sg_pool_give(payload->places, (uint32_t)index);
        (void)sg_table_remove(payload->table, key);
    }
    if (!sg_disk_path(path, "%s/%04u-%02u", payload->dir, month / 100,
                      month % 100))
        return SG_ERR_FULL;
    return remove_files(payload, path);
}

bool
sg_payload_next(const struct sg_payload *payload, uint32_t *at, uint8_t id[16])
{
    struct sg_slice key;
    uint64_t index;
    if (!sg_table_next(payload->table, at, &key, &index))
        return false;
    memcpy(id, key.ptr, SG_PAYLOAD_ID_LEN);
    return true;
}

uint32_t
sg_payload_count(const struct sg_payload *payload)
{
    return sg_table_count(payload->table);
}

enum sg_err
sg_payload_space(struct sg_payload *payload, uint64_t *free_bytes, bool *enough)
{
    struct statvfs space;
    *free_bytes = 0;
    *enough = false;
    if (statvfs(payload->dir, &space) != 0)
        return SG_ERR_IO;
    *free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    *enough = (uint64_t)space.f_bavail * 100 >=
              (uint64_t)space.f_blocks * SG_LIMIT_DISK_KEEP_PCT;
    return SG_OK;
}
