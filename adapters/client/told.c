#include "adapters/client/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/table.h"
#include "broker/os/file.h"
#include "broker/os/random.h"

struct sg_told {
    char path[SG_OS_PATH];
    struct sg_table *table; // id -> decision
    bool dirty;
};

static void
load(struct sg_told *told)
{
    uint8_t *bytes;
    size_t len;

    if (sg_os_file_read_own(told->path, SG_TOLD_RECORD * (size_t)SG_TOLD_MAX,
                            &bytes, &len) != SG_OK)
        return;
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes, len));
    while (len % SG_TOLD_RECORD == 0 && !sg_bytes_end(&r)) {
        struct sg_slice id = sg_bytes_take(&r, 16);
        uint64_t decision = sg_bytes_u64(&r);
        if (sg_table_put(told->table, id, decision) != SG_OK)
            break;
    }
    free(bytes);
}

struct sg_told *
sg_told_open(const char *path)
{
    struct sg_told *told = calloc(1, sizeof *told);
    uint8_t key[16];

    if (told == NULL)
        return NULL;
    sg_os_random_fill(key, sizeof key);
    told->table = sg_table_new(SG_TOLD_MAX, key);
    if (told->table == NULL || !sg_os_file_path(told->path, "%s", path)) {
        sg_table_free(&told->table);
        free(told);
        return NULL;
    }
    load(told);
    return told;
}

static enum sg_err
save(const struct sg_told *told)
{
    size_t size = (size_t)sg_table_count(told->table) * SG_TOLD_RECORD;
    uint8_t *bytes = malloc(size + 1);
    struct sg_slice id;
    uint64_t decision;
    uint32_t at = 0;

    if (bytes == NULL)
        return SG_ERR_MEMORY;
    struct sg_writer w = sg_writer_on(bytes, size);
    while (sg_table_next(told->table, &at, &id, &decision)) {
        sg_bytes_put(&w, id.ptr, id.len);
        sg_bytes_put_u64(&w, decision);
    }
    enum sg_err err =
        sg_os_file_replace(told->path, sg_slice_of(bytes, size), true);
    free(bytes);
    return err;
}

enum sg_err
sg_told_close(struct sg_told **told)
{
    enum sg_err err = SG_OK;

    if (*told == NULL)
        return SG_OK;
    if ((*told)->dirty)
        err = save(*told);
    sg_table_free(&(*told)->table);
    free(*told);
    *told = NULL;
    return err;
}

bool
sg_told_has(const struct sg_told *told, const uint8_t delivery_id[16],
            uint64_t decision)
{
    uint64_t known;

    return sg_table_get(told->table, sg_slice_of(delivery_id, 16), &known) &&
           known == decision;
}

void
sg_told_add(struct sg_told *told, const uint8_t delivery_id[16],
            uint64_t decision)
{
    struct sg_slice id = sg_slice_of(delivery_id, 16);

    told->dirty = true;
    if (sg_table_put(told->table, id, decision) != SG_ERR_FULL)
        return;
    sg_table_clear(told->table);
    (void)!sg_table_put(told->table, id, decision);
}
