#include "adapters/client/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"

enum { MAGIC = 5, HEAD_LEN = MAGIC + 32 + 32 + 4 * 8, ITEM_MAX = 1024 * 1024 };
enum { RECORD_HEAD = 36 }; // of a receipt: manifest, u32 length
static const char magic[] = "SGOB1";

static bool
head_path(const struct sg_home *home, const char *flow, char path[SG_OS_PATH])
{
    return sg_home_path_named(home, "outbox", flow, ".head", path);
}

bool
sg_outbox_head(const struct sg_home *home, const char *flow,
               struct sg_outbox_head *head)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    if (!head_path(home, flow, path) ||
        sg_os_file_read_own(path, HEAD_LEN, &bytes, &len) != SG_OK)
        return false;
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes, len));
    bool fine =
        sg_slice_eq(sg_bytes_take(&r, MAGIC), sg_slice_of(magic, MAGIC));
    struct sg_slice file = sg_bytes_take(&r, 32);
    struct sg_slice manifest = sg_bytes_take(&r, 32);
    head->size = sg_bytes_u64(&r);
    head->revision = sg_bytes_u64(&r);
    head->entry = sg_bytes_u64(&r);
    head->observations = sg_bytes_u64(&r);
    fine = fine && sg_bytes_end(&r);
    if (fine) {
        memcpy(head->file_sha256, file.ptr, 32);
        memcpy(head->manifest_sha256, manifest.ptr, 32);
    }
    free(bytes);
    return fine;
}

enum sg_err
sg_outbox_set_head(const struct sg_home *home, const char *flow,
                   const struct sg_outbox_head *head)
{
    char path[SG_OS_PATH];
    uint8_t bytes[HEAD_LEN];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);

    sg_bytes_put(&w, magic, MAGIC);
    sg_bytes_put(&w, head->file_sha256, 32);
    sg_bytes_put(&w, head->manifest_sha256, 32);
    sg_bytes_put_u64(&w, head->size);
    sg_bytes_put_u64(&w, head->revision);
    sg_bytes_put_u64(&w, head->entry);
    sg_bytes_put_u64(&w, head->observations);
    if (!head_path(home, flow, path))
        return SG_ERR_FULL;
    return sg_os_file_replace(path, sg_writer_slice(&w), true);
}

enum sg_err
sg_outbox_receipt(const struct sg_home *home, const uint8_t manifest_sha256[32],
                  struct sg_slice receipt, bool sync)
{
    char path[SG_OS_PATH];
    uint8_t head[RECORD_HEAD];
    int fd = -1;

    if (!sg_os_file_path(path, "%s/outbox/receipts", home->path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_open(path, SG_OS_OPEN_APPEND, &fd);
    if (err == SG_ERR_NOT_FOUND)
        err = sg_os_file_open(path, SG_OS_OPEN_NEW, &fd);
    memcpy(head, manifest_sha256, 32);
    sg_bytes_store_u32(head + 32, (uint32_t)receipt.len);
    if (err == SG_OK)
        err = sg_os_file_write(fd, sg_slice_of(head, sizeof head));
    if (err == SG_OK)
        err = sg_os_file_write(fd, receipt);
    if (err == SG_OK && sync)
        err = sg_os_file_sync(fd);
    sg_os_file_close(&fd);
    return err;
}

enum sg_err
sg_outbox_sync_receipts(const struct sg_home *home)
{
    char path[SG_OS_PATH];

    return sg_os_file_path(path, "%s/outbox/receipts", home->path)
               ? sg_os_file_sync_path(path)
               : SG_ERR_FULL;
}

static bool
kind_path(const struct sg_home *home, const uint8_t name[32], const char *kind,
          char path[SG_OS_PATH])
{
    char suffix[16];
    int len = snprintf(suffix, sizeof suffix, ".%s", kind);

    return len > 0 && (size_t)len < sizeof suffix &&
           sg_home_path(home, "outbox", sg_slice_of(name, 32), suffix, path);
}

enum sg_err
sg_outbox_put(const struct sg_home *home, const uint8_t name[32],
              const char *kind, struct sg_slice bytes)
{
    char path[SG_OS_PATH];

    return kind_path(home, name, kind, path) ? sg_os_file_put(path, bytes)
                                             : SG_ERR_FULL;
}

enum sg_err
sg_outbox_sync(const struct sg_home *home, const uint8_t (*names)[32],
               size_t count, const char *kind)
{
    char path[SG_OS_PATH];
    enum sg_err err = SG_OK;

    for (size_t i = 0; i < count; i++)
        if (kind_path(home, names[i], kind, path))
            sg_os_file_start_sync(path);
    for (size_t i = 0; i < count && err == SG_OK; i++)
        err = kind_path(home, names[i], kind, path) ? sg_os_file_sync_path(path)
                                                    : SG_ERR_FULL;
    if (err == SG_OK && !sg_os_file_path(path, "%s/outbox", home->path))
        err = SG_ERR_FULL;
    return err == SG_OK ? sg_os_file_sync_dir(path) : err;
}

enum sg_err
sg_outbox_get(const struct sg_home *home, const uint8_t name[32],
              const char *kind, uint8_t **bytes, size_t *len)
{
    char path[SG_OS_PATH];

    return kind_path(home, name, kind, path)
               ? sg_os_file_read_own(path, ITEM_MAX, bytes, len)
               : SG_ERR_FULL;
}

void
sg_outbox_remove(const struct sg_home *home, const uint8_t name[32],
                 const char *kind)
{
    char path[SG_OS_PATH];

    // What cannot be removed is sent once more, which changes nothing.
    if (kind_path(home, name, kind, path))
        (void)!sg_os_file_remove(path);
}

static bool
is_kind(const char *file, const char *kind, uint8_t name[32])
{
    return strlen(file) > 65 && file[64] == '.' &&
           strcmp(file + 65, kind) == 0 &&
           sg_encode_unhex(sg_slice_of(file, 64), name, 32);
}

bool
sg_outbox_left(const struct sg_home *home, const char *kind, uint8_t name[32])
{
    char path[SG_OS_PATH], **names = NULL;
    size_t count = 0;
    bool found = false;

    if (!sg_os_file_path(path, "%s/outbox", home->path) ||
        sg_os_file_list(path, &names, &count) != SG_OK)
        return false;
    for (size_t i = 0; i < count && !found; i++) {
        found = is_kind(names[i], kind, name);
    }
    free(names);
    return found;
}

enum sg_err
sg_outbox_all(const struct sg_home *home, const char *kind,
              uint8_t (**names)[32], size_t *count)
{
    char path[SG_OS_PATH], **files = NULL;
    size_t all = 0;

    *count = 0;
    *names = NULL;
    if (!sg_os_file_path(path, "%s/outbox", home->path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_list(path, &files, &all);
    if (err == SG_OK && (*names = calloc(all + 1, sizeof **names)) == NULL)
        err = SG_ERR_MEMORY;
    for (size_t i = 0; i < all && err == SG_OK; i++) {
        if (is_kind(files[i], kind, (*names)[*count]))
            (*count)++;
    }
    free(files);
    return err;
}

// ---- receipts ---------------------------------------------------------------------

// The record at *at; *at moves behind it. false: there is none, or half of one.
static bool
next_record(int fd, uint64_t size, uint64_t *at, uint8_t manifest_sha256[32],
            uint32_t *len)
{
    uint8_t head[RECORD_HEAD];

    if (size < RECORD_HEAD || *at > size - RECORD_HEAD ||
        sg_os_file_pread(fd, *at, head, sizeof head) != SG_OK)
        return false;
    *len = sg_bytes_load_u32(head + 32);
    if (*len > size - *at - RECORD_HEAD)
        return false;
    memcpy(manifest_sha256, head, 32);
    *at += RECORD_HEAD + *len;
    return true;
}

static bool
open_receipts(const struct sg_home *home, char path[SG_OS_PATH], int *fd,
              uint64_t *size)
{
    return sg_os_file_path(path, "%s/outbox/receipts", home->path) &&
           sg_os_file_open(path, SG_OS_OPEN_OWN, fd) == SG_OK &&
           sg_os_file_size(*fd, size) == SG_OK;
}

bool
sg_outbox_find_receipt(const struct sg_home *home,
                       const uint8_t manifest_sha256[32],
                       struct sg_arena *arena, struct sg_slice *receipt)
{
    char path[SG_OS_PATH];
    uint8_t name[32];
    uint64_t at = 0, size;
    uint32_t len;
    int fd = -1;
    bool found = false;

    if (open_receipts(home, path, &fd, &size))
        while (!found && next_record(fd, size, &at, name, &len))
            found = memcmp(name, manifest_sha256, 32) == 0;
    if (found) {
        uint8_t *bytes = sg_arena_take(arena, (size_t)len + 1);
        found = bytes != NULL &&
                sg_os_file_pread(fd, at - len, bytes, len) == SG_OK;
        *receipt = sg_slice_of(bytes, len);
    }
    sg_os_file_close(&fd);
    return found;
}

// Where each begins, in order, for a walk from the end.
static enum sg_err
places(int fd, uint64_t size, uint64_t **out, size_t *count)
{
    uint64_t at = 0, before = 0, *all = NULL;
    size_t room = 0;
    uint8_t name[32];
    uint32_t len;

    *count = 0;
    while (next_record(fd, size, &at, name, &len)) {
        if (*count == room) {
            room = room == 0 ? 256 : 2 * room;
            uint64_t *more = realloc(all, room * sizeof *more);
            if (more == NULL) {
                free(all);
                return SG_ERR_MEMORY;
            }
            all = more;
        }
        all[(*count)++] = before;
        before = at;
    }
    *out = all;
    return SG_OK;
}

enum sg_err
sg_outbox_each_receipt(const struct sg_home *home,
                       bool (*take)(void *context, struct sg_slice receipt),
                       void *context)
{
    char path[SG_OS_PATH];
    uint64_t size, *at = NULL;
    uint8_t name[32];
    size_t left = 0;
    uint32_t len = 0;
    int fd = -1;
    bool more = open_receipts(home, path, &fd, &size);

    enum sg_err err = more ? places(fd, size, &at, &left) : SG_OK;
    while (err == SG_OK && more && left > 0) {
        uint64_t from = at[--left];
        more = next_record(fd, size, &from, name, &len);
        uint8_t *bytes = malloc((size_t)len + 1);
        err = bytes == NULL ? SG_ERR_MEMORY
                            : sg_os_file_pread(fd, from - len, bytes, len);
        more = err == SG_OK && more && take(context, sg_slice_of(bytes, len));
        free(bytes);
    }
    free(at);
    sg_os_file_close(&fd);
    return err;
}

// A crash may have left half a receipt at the end; what came behind it could
// not be found. Its release is still in the outbox and gets its receipt again.
static enum sg_err
mend_receipts(const struct sg_home *home)
{
    char path[SG_OS_PATH];
    uint8_t name[32], *bytes = NULL;
    uint64_t at = 0, size = 0;
    size_t got;
    uint32_t len;
    int fd = -1;

    if (!open_receipts(home, path, &fd, &size)) {
        sg_os_file_close(&fd);
        return SG_OK; // none yet
    }
    while (next_record(fd, size, &at, name, &len))
        ;
    sg_os_file_close(&fd);
    if (at == size)
        return SG_OK;
    enum sg_err err = sg_os_file_read_own(path, (size_t)size, &bytes, &got);
    if (err == SG_OK)
        err = sg_os_file_replace(path, sg_slice_of(bytes, (size_t)at), true);
    free(bytes);
    return err;
}

enum sg_err
sg_outbox_lock(const struct sg_home *home, int *lock)
{
    char path[SG_OS_PATH];
    uint8_t name[32];

    if (!sg_os_file_path(path, "%s/outbox", home->path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(path);
    if (err == SG_OK && !sg_os_file_path(path, "%s/outbox/lock", home->path))
        err = SG_ERR_FULL;
    if (err != SG_OK)
        return err;
    if ((err = sg_os_file_lock(path, lock)) != SG_OK)
        return err == SG_ERR_EXISTS ? SG_ERR_BUSY : err;
    // Nothing was left: the last program that held it came to its end.
    if (sg_outbox_left(home, "group", name) ||
        sg_outbox_left(home, "item", name))
        err = mend_receipts(home);
    if (err != SG_OK)
        sg_os_file_close(lock);
    return err;
}
