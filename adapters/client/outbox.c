#include "adapters/client/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"

enum { MAGIC = 5, HEAD_LEN = MAGIC + 32 + 32 + 4 * 8, ITEM_MAX = 1024 * 1024 };
static const char magic[] = "SGOB1";

enum sg_err
sg_outbox_lock(const struct sg_home *home, int *lock)
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/outbox", home->path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(path);
    if (err == SG_OK && !sg_os_file_path(path, "%s/outbox/lock", home->path))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_os_file_lock(path, lock);
    return err == SG_ERR_EXISTS ? SG_ERR_BUSY : err;
}

static bool
head_path(const struct sg_home *home, const char *flow, char path[SG_OS_PATH])
{
    uint8_t name[32];

    sg_crypto_sha256(flow, strlen(flow), name);
    return sg_home_path(home, "outbox", sg_slice_of(name, 32), ".head", path);
}

bool
sg_outbox_head(const struct sg_home *home, const char *flow,
               struct sg_outbox_head *head)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    if (!head_path(home, flow, path) ||
        sg_os_file_read(path, HEAD_LEN, &bytes, &len) != SG_OK)
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
    uint8_t head[36];
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
               ? sg_os_file_read(path, ITEM_MAX, bytes, len)
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
        found = strlen(names[i]) > 65 && names[i][64] == '.' &&
                strcmp(names[i] + 65, kind) == 0 &&
                sg_encode_unhex(sg_slice_of(names[i], 64), name, 32);
    }
    free(names);
    return found;
}
