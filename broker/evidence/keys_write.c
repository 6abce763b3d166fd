// The writer thread's side of the wrapping table.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/evidence/keys_table.h"

enum { HEAD_LEN = 32, ZERO_AHEAD = 64 * 1024 };

static void
crash_point(const struct sg_keys_files *files, const char *name)
{
    if (files->crash_point != NULL)
        files->crash_point(files->crash_arg, name);
}

// A whole new file, synced.
static enum sg_err
put_file(const struct sg_disk *disk, const char *path, const uint8_t *head,
         size_t head_len, struct sg_slice rest)
{
    int fd;
    enum sg_err err = disk->remove(disk->arg, path); // of a run that was cut
    if (err == SG_OK)
        err = disk->open(disk->arg, path, SG_DISK_CREATE, &fd);
    if (err != SG_OK)
        return err;
    err = disk->write(disk->arg, fd, 0, head, head_len);
    if (err == SG_OK && rest.len > 0)
        err = disk->write(disk->arg, fd, head_len, rest.ptr, rest.len);
    if (err == SG_OK)
        err = disk->sync(disk->arg, fd);
    disk->close(disk->arg, fd);
    return err;
}

static enum sg_err
put_wrap(const struct sg_disk *disk, const char *dir, uint64_t generation,
         const uint8_t wrap[32])
{
    uint8_t bytes[SG_KEYS_WRAP_BYTES] = "SGKW1";
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/wrap-%llu", dir,
                      (unsigned long long)generation))
        return SG_ERR_FULL;
    sg_bytes_store_u64(bytes + 8, generation);
    memcpy(bytes + 16, wrap, 32);
    sg_bytes_store_u32(bytes + 48, sg_bytes_crc32c(0, bytes, 48));
    enum sg_err err =
        put_file(disk, path, bytes, sizeof(bytes), sg_slice_of(NULL, 0));
    sg_crypto_wipe(bytes, sizeof(bytes));
    return err;
}

// Written under another name first: table-<g> is there whole or not at all.
static enum sg_err
put_table(const struct sg_disk *disk, const char *dir, uint64_t generation,
          struct sg_slice rows)
{
    uint8_t head[HEAD_LEN] = "SGKT1";
    char from[SG_DISK_PATH], to[SG_DISK_PATH];
    if (!sg_disk_path(from, "%s/new-table", dir) ||
        !sg_disk_path(to, "%s/table-%llu", dir, (unsigned long long)generation))
        return SG_ERR_FULL;
    sg_bytes_store_u64(head + 8, generation);
    sg_bytes_store_u32(head + 28, sg_bytes_crc32c(0, head, 28));
    enum sg_err err = put_file(disk, from, head, sizeof(head), rows);
    if (err == SG_OK)
        err = disk->rename(disk->arg, from, to);
    return err != SG_OK ? err : disk->sync_dir(disk->arg, dir);
}

enum sg_err
sg_keys_create(const struct sg_disk *disk, const char *dir,
               const struct sg_keys_random *random)
{
    uint8_t wrap[32];
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/secrets", dir))
        return SG_ERR_FULL;
    enum sg_err err = random->fill(random->arg, wrap, sizeof(wrap));
    if (err == SG_OK)
        err = put_file(disk, path, NULL, 0, sg_slice_of(NULL, 0));
    if (err == SG_OK)
        err = put_wrap(disk, dir, 1, wrap);
    if (err == SG_OK)
        err = put_table(disk, dir, 1, sg_slice_of(NULL, 0));
    sg_crypto_wipe(wrap, sizeof(wrap));
    return err;
}

static enum sg_err
open_table(struct sg_keys_files *files, uint64_t generation)
{
    char path[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/table-%llu", files->dir,
                      (unsigned long long)generation))
        return SG_ERR_FULL;
    enum sg_err err = files->disk->open(files->disk->arg, path, SG_DISK_WRITE,
                                        &files->table_fd);
    if (err == SG_OK)
        err = sg_disk_size(files->table_fd, &files->table_zeroed);
    files->generation = generation;
    return err;
}

static enum sg_err
write_again(const struct sg_disk *disk, int fd, uint64_t len)
{
    uint8_t bytes[8192];
    enum sg_err err = SG_OK;
    for (uint64_t at = 0; at < len && err == SG_OK;) {
        size_t part =
            len - at < sizeof(bytes) ? (size_t)(len - at) : sizeof(bytes);
        err = sg_disk_read(fd, at, bytes, part);
        if (err == SG_OK)
            err = disk->write(disk->arg, fd, at, bytes, part);
        at += part;
    }
    return err != SG_OK ? err : disk->sync(disk->arg, fd);
}

enum sg_err
sg_keys_files_open(struct sg_keys_files *files, const struct sg_disk *disk,
                   const char *dir, uint64_t generation, bool again)
{
    char path[SG_DISK_PATH];
    memset(files, 0, sizeof(*files));
    files->disk = disk;
    files->table_fd = files->secrets_fd = -1;
    if (!sg_disk_path(files->dir, "%s", dir) ||
        !sg_disk_path(path, "%s/secrets", dir))
        return SG_ERR_FULL;
    enum sg_err err =
        disk->open(disk->arg, path, SG_DISK_WRITE, &files->secrets_fd);
    if (err == SG_OK)
        err = sg_disk_size(files->secrets_fd, &files->secrets_zeroed);
    if (err == SG_OK)
        err = open_table(files, generation);
    if (err != SG_OK || !again)
        return err;
    err = write_again(disk, files->table_fd, files->table_zeroed);
    return err != SG_OK
               ? err
               : write_again(disk, files->secrets_fd, files->secrets_zeroed);
}

void
sg_keys_files_close(struct sg_keys_files *files)
{
    if (files->disk == NULL)
        return;
    if (files->table_fd >= 0)
        files->disk->close(files->disk->arg, files->table_fd);
    if (files->secrets_fd >= 0)
        files->disk->close(files->disk->arg, files->secrets_fd);
    files->table_fd = files->secrets_fd = -1;
}

static enum sg_err
put_record(struct sg_keys_files *files, int fd, uint64_t *zeroed, uint64_t at,
           struct sg_slice bytes)
{
    enum sg_err err = SG_OK;
    if (at + bytes.len > *zeroed) {
        err = sg_disk_zero(files->disk, fd, *zeroed, ZERO_AHEAD);
        *zeroed += err == SG_OK ? ZERO_AHEAD : 0;
    }
    return err != SG_OK ? err
                        : files->disk->write(files->disk->arg, fd, at,
                                             bytes.ptr, bytes.len);
}

enum sg_err
sg_keys_write_row(struct sg_keys_files *files, uint32_t index,
                  const uint8_t row[SG_KEYS_ROW_BYTES])
{
    files->table_dirty = true;
    return put_record(files, files->table_fd, &files->table_zeroed,
                      HEAD_LEN + (uint64_t)index * SG_KEYS_ROW_BYTES,
                      sg_slice_of(row, SG_KEYS_ROW_BYTES));
}

enum sg_err
sg_keys_write_secret(struct sg_keys_files *files, uint32_t index,
                     const uint8_t record[SG_KEYS_SECRET_BYTES])
{
    files->secrets_dirty = true;
    return put_record(files, files->secrets_fd, &files->secrets_zeroed,
                      (uint64_t)index * SG_KEYS_SECRET_BYTES,
                      sg_slice_of(record, SG_KEYS_SECRET_BYTES));
}

enum sg_err
sg_keys_sync(struct sg_keys_files *files)
{
    enum sg_err err = SG_OK;
    if (files->table_dirty)
        err = files->disk->sync(files->disk->arg, files->table_fd);
    if (err == SG_OK && files->secrets_dirty)
        err = files->disk->sync(files->disk->arg, files->secrets_fd);
    if (err == SG_OK)
        files->table_dirty = files->secrets_dirty = false;
    return err;
}

enum sg_err
sg_keys_write_image(struct sg_keys_files *files,
                    const struct sg_keys_image *image)
{
    static const uint8_t zeros[SG_KEYS_SECRET_BYTES];
    char path[SG_DISK_PATH];
    enum sg_err err =
        put_wrap(files->disk, files->dir, image->generation, image->wrap);
    crash_point(files, "wrap_written");
    if (err == SG_OK)
        err = put_table(files->disk, files->dir, image->generation,
                        sg_slice_of(image->rows, (size_t)image->rows_count *
                                                     SG_KEYS_ROW_BYTES));
    crash_point(files, "table_renamed");
    for (uint32_t i = 0; i < image->dead_count && err == SG_OK; i++)
        err = sg_keys_write_secret(files, image->dead[i], zeros);
    if (err == SG_OK)
        err = sg_keys_sync(files);
    if (err != SG_OK || !sg_disk_path(path, "%s/table-%llu", files->dir,
                                      (unsigned long long)files->generation))
        return err == SG_OK ? SG_ERR_FULL : err;
    files->disk->close(files->disk->arg, files->table_fd);
    files->table_fd = -1;
    err = files->disk->remove(files->disk->arg, path);
    return err != SG_OK ? err : open_table(files, image->generation);
}

// Overwrite, sync, unlink: what a file system can do. What a flash translation
// layer or a journal keeps is why the class says no more than it does.
static enum sg_err
destroy_wrap(struct sg_keys_files *files, const char *name)
{
    char path[SG_DISK_PATH];
    int fd;
    if (!sg_disk_path(path, "%s/%s", files->dir, name))
        return SG_ERR_FULL;
    enum sg_err err =
        files->disk->open(files->disk->arg, path, SG_DISK_WRITE, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_zero(files->disk, fd, 0, SG_KEYS_WRAP_BYTES);
    if (err == SG_OK)
        err = files->disk->sync(files->disk->arg, fd);
    files->disk->close(files->disk->arg, fd);
    crash_point(files, "wrap_overwritten");
    return err != SG_OK ? err : files->disk->remove(files->disk->arg, path);
}

enum sg_err
sg_keys_destroy_wraps(struct sg_keys_files *files)
{
    struct dirent **names = NULL;
    int count = scandir(files->dir, &names, NULL, alphasort);
    enum sg_err err = count < 0 ? SG_ERR_IO : SG_OK;
    for (int i = 0; i < count; i++) {
        uint64_t g;
        const char *name = names[i]->d_name;
        bool wrap = strncmp(name, "wrap-", 5) == 0 &&
                    sg_slice_u64(sg_slice_text(name + 5), &g);
        if (err == SG_OK && wrap && g != files->generation)
            err = destroy_wrap(files, name);
        free(names[i]);
    }
    free(names);
    return err != SG_OK ? err
                        : files->disk->sync_dir(files->disk->arg, files->dir);
}
