#include "broker/evidence/index.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"
#include "broker/evidence/disk.h"

enum { CRC_LEN = 4, ROW_KEY_MAX = SG_INDEX_KEY_MAX + 1, SNAPSHOT_HEAD = 168 };

struct sg_index {
    char home[SG_DISK_PATH];
    uint64_t map_bytes;
    uint8_t genesis[32];
    MDB_env *env;
    MDB_dbi rows, meta;
    MDB_txn *write; // open while rows are being put
    MDB_txn *read;  // kept, reset between finds
    bool reading;
};

static enum sg_err
from_lmdb(int rc)
{
    if (rc == MDB_SUCCESS)
        return SG_OK;
    if (rc == MDB_NOTFOUND)
        return SG_ERR_NOT_FOUND;
    if (rc == ENOMEM)
        return SG_ERR_MEMORY;
    if (rc == MDB_MAP_FULL || rc == ENOSPC)
        return SG_ERR_DISK;
    if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC ||
        rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
        return SG_ERR_CORRUPT;
    return SG_ERR_IO;
}

// ---- records: CRC32C over key and value, then the value ------------------------

static uint32_t
record_crc(const MDB_val *key, const void *value, size_t len)
{
    uint32_t crc = sg_bytes_crc32c(0, key->mv_data, key->mv_size);
    return sg_bytes_crc32c(crc, value, len);
}

static enum sg_err
put_record(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct sg_slice head,
           struct sg_slice value)
{
    MDB_val room = {.mv_size = CRC_LEN + head.len + value.len};
    int rc = mdb_put(txn, dbi, key, &room, MDB_RESERVE);
    if (rc != MDB_SUCCESS)
        return from_lmdb(rc);
    uint8_t *bytes = room.mv_data;
    if (head.len > 0)
        memcpy(bytes + CRC_LEN, head.ptr, head.len);
    if (value.len > 0)
        memcpy(bytes + CRC_LEN + head.len, value.ptr, value.len);
    sg_bytes_store_u32(
        bytes, record_crc(key, bytes + CRC_LEN, room.mv_size - CRC_LEN));
    return SG_OK;
}

static enum sg_err
open_record(const MDB_val *key, const MDB_val *found, struct sg_slice *value)
{
    const uint8_t *bytes = found->mv_data;
    if (found->mv_size < CRC_LEN ||
        sg_bytes_load_u32(bytes) !=
            record_crc(key, bytes + CRC_LEN, found->mv_size - CRC_LEN))
        return SG_ERR_CORRUPT;
    *value = sg_slice_of(bytes + CRC_LEN, found->mv_size - CRC_LEN);
    return SG_OK;
}

static enum sg_err
get_record(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct sg_slice *value)
{
    MDB_val found;
    *value = sg_slice_of(NULL, 0);
    int rc = mdb_get(txn, dbi, key, &found);
    return rc != MDB_SUCCESS ? from_lmdb(rc) : open_record(key, &found, value);
}

static MDB_val
meta_key(char *name)
{
    return (MDB_val){.mv_size = strlen(name), .mv_data = name};
}

// ---- opening -----------------------------------------------------------------------

static void
close_env(struct sg_index *index)
{
    if (index->write != NULL)
        mdb_txn_abort(index->write);
    if (index->read != NULL)
        mdb_txn_abort(index->read);
    if (index->env != NULL)
        mdb_env_close(index->env);
    index->write = index->read = NULL;
    index->env = NULL;
    index->reading = false;
}

// LMDB reads its pages where the file is mapped: of one that was cut, the kernel
// would end the gate at the first page that is missing.
static int
is_whole(MDB_env *env, const char *path)
{
    char file[SG_DISK_PATH];
    MDB_envinfo info;
    MDB_stat pages;
    struct stat on_disk;
    int rc = mdb_env_info(env, &info);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_stat(env, &pages);
    if (rc != MDB_SUCCESS)
        return rc;
    if (!sg_disk_path(file, "%s/data.mdb", path) || stat(file, &on_disk) != 0)
        return MDB_CORRUPTED;
    return (uint64_t)on_disk.st_size / pages.ms_psize > info.me_last_pgno
               ? MDB_SUCCESS
               : MDB_CORRUPTED;
}

static enum sg_err
open_env(struct sg_index *index, const char *path)
{
    int dead;
    MDB_txn *txn = NULL;
    int rc = mdb_env_create(&index->env);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_mapsize(index->env, index->map_bytes);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxdbs(index->env, 2);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(index->env, path,
                          MDB_NOMETASYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (rc == MDB_SUCCESS)
        rc = is_whole(index->env, path);
    if (rc == MDB_SUCCESS)
        rc = mdb_reader_check(index->env, &dead);
    if (rc == MDB_SUCCESS)
        rc = mdb_txn_begin(index->env, NULL, 0, &txn);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "rows", MDB_CREATE, &index->rows);
    if (rc == MDB_SUCCESS)
        rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &index->meta);
    if (rc == MDB_SUCCESS)
        rc = mdb_txn_commit(txn);
    else if (txn != NULL)
        mdb_txn_abort(txn);
    if (rc != MDB_SUCCESS)
        close_env(index);
    return from_lmdb(rc);
}

static enum sg_err
remove_index(const char *path)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char file[SG_DISK_PATH];
    for (size_t i = 0; i < SG_COUNT_OF(files); i++) {
        if (!sg_disk_path(file, "%s/%s", path, files[i]))
            return SG_ERR_FULL;
        if (unlink(file) != 0 && errno != ENOENT && errno != ENOTDIR)
            return SG_ERR_IO;
    }
    return rmdir(path) == 0 || errno == ENOENT ? SG_OK : SG_ERR_IO;
}

// ---- how much of the log it stands for ---------------------------------------

// Records of meta, each genesis | size | leaf of entry size - 1.
#define WATERMARK "watermark" // the rows follow from so many entries
#define MUST      "must"      // so many there were before a drop
enum { MARK_LEN = 72 };

static enum sg_err
put_mark(struct sg_index *index, const char *text, uint64_t size,
         const uint8_t leaf[32])
{
    char name[16];
    (void)snprintf(name, sizeof(name), "%s", text);
    MDB_val key = meta_key(name);
    uint8_t value[MARK_LEN];
    memcpy(value, index->genesis, 32);
    sg_bytes_store_u64(value + 32, size);
    memcpy(value + 40, leaf, 32);
    return put_record(index->write, index->meta, &key,
                      sg_slice_of(value, sizeof(value)), sg_slice_of(NULL, 0));
}

// Takes the record into state when it says more than what is there.
static enum sg_err
load_mark(struct sg_index *index, MDB_txn *txn, const char *text,
          struct sg_index_state *state)
{
    char name[16];
    struct sg_slice value;
    (void)snprintf(name, sizeof(name), "%s", text);
    MDB_val key = meta_key(name);
    enum sg_err err = get_record(txn, index->meta, &key, &value);
    if (err == SG_ERR_NOT_FOUND)
        return SG_OK;
    if (err == SG_OK && value.len != MARK_LEN)
        err = SG_ERR_CORRUPT;
    if (err == SG_OK && memcmp(value.ptr, index->genesis, 32) != 0)
        err = SG_ERR_CORRUPT; // another log's
    if (err != SG_OK || sg_bytes_load_u64(value.ptr + 32) <= state->size)
        return err;
    state->known = true;
    state->size = sg_bytes_load_u64(value.ptr + 32);
    memcpy(state->leaf, value.ptr + 40, 32);
    return SG_OK;
}

static enum sg_err
load_state(struct sg_index *index, struct sg_index_state *state)
{
    MDB_txn *txn;
    memset(state, 0, sizeof(*state));
    int rc = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn);
    if (rc != MDB_SUCCESS)
        return from_lmdb(rc);
    enum sg_err err = load_mark(index, txn, WATERMARK, state);
    state->rows = state->size;
    if (err == SG_OK)
        err = load_mark(index, txn, MUST, state);
    mdb_txn_abort(txn);
    return err;
}

static enum sg_err
begin_write(struct sg_index *index)
{
    if (index->write != NULL)
        return SG_OK;
    return from_lmdb(mdb_txn_begin(index->env, NULL, 0, &index->write));
}

static enum sg_err
commit_write(struct sg_index *index)
{
    enum sg_err err = from_lmdb(mdb_txn_commit(index->write));
    index->write = NULL;
    return err;
}

// Makes an empty one beside, whole and synced, then gives it its name: a failed
// sync while LMDB writes its first pages leaves a file that cannot be opened.
static enum sg_err
make_fresh(struct sg_index *index, const struct sg_index_state *must)
{
    char beside[SG_DISK_PATH], path[SG_DISK_PATH];
    if (!sg_disk_path(beside, "%s/index.new", index->home) ||
        !sg_disk_path(path, "%s/index", index->home))
        return SG_ERR_FULL;
    enum sg_err err = remove_index(beside);
    if (err == SG_OK)
        err = remove_index(path);
    if (err == SG_OK && mkdir(beside, 0700) != 0)
        err = SG_ERR_IO;
    if (err == SG_OK)
        err = open_env(index, beside);
    if (err == SG_OK && must != NULL && must->known) {
        err = begin_write(index);
        if (err == SG_OK)
            err = put_mark(index, MUST, must->size, must->leaf);
        if (err == SG_OK)
            err = commit_write(index);
    }
    if (err == SG_OK)
        err = from_lmdb(mdb_env_sync(index->env, 1));
    close_env(index);
    if (err == SG_OK && rename(beside, path) != 0)
        err = SG_ERR_IO;
    return err != SG_OK ? err : open_env(index, path);
}

enum sg_err
sg_index_drop(struct sg_index *index, const struct sg_index_state *must)
{
    close_env(index);
    return make_fresh(index, must);
}

// A file that stands while an index is being opened and looked at. Found at the
// next start, it means that LMDB did not survive what it found there.
static bool
suspect_path(const struct sg_index *index, char path[SG_DISK_PATH])
{
    return sg_disk_path(path, "%s/index.suspect", index->home);
}

static void
mark_suspect(const struct sg_index *index)
{
    char path[SG_DISK_PATH];
    FILE *file = suspect_path(index, path) ? fopen(path, "w") : NULL;
    if (file != NULL)
        (void)fclose(file);
}

static enum sg_err
open_existing(struct sg_index *index, struct sg_index_state *state)
{
    char path[SG_DISK_PATH], mark[SG_DISK_PATH];
    if (!sg_disk_path(path, "%s/index", index->home) ||
        !suspect_path(index, mark))
        return SG_ERR_FULL;
    if (!sg_disk_exists(path) || sg_disk_exists(mark))
        return SG_ERR_CORRUPT;
    mark_suspect(index);
    enum sg_err err = open_env(index, path);
    if (err == SG_OK)
        err = load_state(index, state);
    if (err == SG_OK)
        (void)unlink(mark);
    return err;
}

enum sg_err
sg_index_open(const char *home, uint64_t map_bytes, const uint8_t genesis[32],
              struct sg_index **out, struct sg_index_state *state)
{
    char mark[SG_DISK_PATH];
    *out = NULL;
    memset(state, 0, sizeof(*state));
    struct sg_index *index = calloc(1, sizeof(*index));
    if (index == NULL)
        return SG_ERR_MEMORY;
    index->map_bytes = map_bytes;
    memcpy(index->genesis, genesis, 32);
    enum sg_err err = SG_ERR_FULL;
    if (sg_disk_path(index->home, "%s", home) && suspect_path(index, mark)) {
        err = open_existing(index, state);
        if (err != SG_OK) {
            memset(state, 0, sizeof(*state));
            err = sg_index_drop(index, NULL);
        }
        if (err == SG_OK)
            (void)unlink(mark);
    }
    if (err != SG_OK)
        sg_index_close(&index);
    *out = index;
    return err;
}

void
sg_index_close(struct sg_index **index)
{
    if (*index == NULL)
        return;
    close_env(*index);
    free(*index);
    *index = NULL;
}

// ---- writing -------------------------------------------------------------------------

static MDB_val
row_key(uint8_t bytes[ROW_KEY_MAX], uint8_t table, struct sg_slice key)
{
    SG_ASSERT(key.len <= SG_INDEX_KEY_MAX);
    bytes[0] = table;
    if (key.len > 0)
        memcpy(bytes + 1, key.ptr, key.len);
    return (MDB_val){.mv_size = key.len + 1, .mv_data = bytes};
}

enum sg_err
sg_index_put(struct sg_index *index, uint8_t table, struct sg_slice key,
             struct sg_slice value)
{
    uint8_t bytes[ROW_KEY_MAX];
    MDB_val name = row_key(bytes, table, key);
    enum sg_err err = begin_write(index);
    if (err != SG_OK)
        return err;
    if (value.len > 0)
        return put_record(index->write, index->rows, &name,
                          sg_slice_of(NULL, 0), value);
    err = from_lmdb(mdb_del(index->write, index->rows, &name, NULL));
    return err == SG_ERR_NOT_FOUND ? SG_OK : err;
}

static enum sg_err
put_snapshot(struct sg_index *index, const struct sg_index_snapshot *snapshot)
{
    char name[] = "snapshot";
    MDB_val key = meta_key(name);
    uint8_t head[SNAPSHOT_HEAD], sha256[32];
    struct sg_writer w = sg_writer_on(head, sizeof(head));
    sg_crypto_sha256(snapshot->core.ptr, snapshot->core.len, sha256);
    sg_bytes_put_u64(&w, snapshot->size);
    sg_bytes_put(&w, snapshot->leaf, 32);
    sg_bytes_put_u64(&w, snapshot->time_us);
    sg_bytes_put(&w, snapshot->root, 32);
    sg_bytes_put_u64(&w, snapshot->segment);
    sg_bytes_put_u32(&w, snapshot->at);
    sg_bytes_put_u64(&w, snapshot->epoch);
    sg_bytes_put(&w, snapshot->state_sha256, 32);
    sg_bytes_put_u32(&w, 0);
    sg_bytes_put(&w, sha256, 32);
    SG_ASSERT(!w.full && w.len == sizeof(head));
    return put_record(index->write, index->meta, &key,
                      sg_slice_of(head, sizeof(head)), snapshot->core);
}

enum sg_err
sg_index_commit(struct sg_index *index, uint64_t size, const uint8_t leaf[32],
                const struct sg_index_snapshot *snapshot)
{
    enum sg_err err = begin_write(index);
    if (err == SG_OK)
        err = put_mark(index, WATERMARK, size, leaf);
    if (err == SG_OK && snapshot != NULL)
        err = put_snapshot(index, snapshot);
    if (err != SG_OK)
        return err;
    err = commit_write(index);
    if (err == SG_OK && snapshot != NULL)
        err = from_lmdb(mdb_env_sync(index->env, 1));
    return err;
}

// ---- reading -------------------------------------------------------------------------

void
sg_index_rest(struct sg_index *index)
{
    if (index->reading)
        mdb_txn_reset(index->read);
    index->reading = false;
}

static enum sg_err
begin_read(struct sg_index *index)
{
    sg_index_rest(index);
    int rc = index->read == NULL
                 ? mdb_txn_begin(index->env, NULL, MDB_RDONLY, &index->read)
                 : mdb_txn_renew(index->read);
    index->reading = rc == MDB_SUCCESS;
    return from_lmdb(rc);
}

enum sg_err
sg_index_find(struct sg_index *index, uint8_t table, struct sg_slice key,
              struct sg_slice *value)
{
    uint8_t bytes[ROW_KEY_MAX];
    MDB_val name = row_key(bytes, table, key);
    *value = sg_slice_of(NULL, 0);
    enum sg_err err = begin_read(index);
    if (err == SG_OK)
        err = get_record(index->read, index->rows, &name, value);
    if (err == SG_ERR_CORRUPT)
        mark_suspect(index);
    return err;
}

enum sg_err
sg_index_next(struct sg_index *index, uint8_t table, struct sg_slice key,
              struct sg_slice *found, struct sg_slice *value)
{
    uint8_t bytes[ROW_KEY_MAX];
    MDB_val name = row_key(bytes, table, key), record;
    MDB_cursor *cursor = NULL;
    *found = *value = sg_slice_of(NULL, 0);
    enum sg_err err = begin_read(index);
    if (err == SG_OK)
        err = from_lmdb(mdb_cursor_open(index->read, index->rows, &cursor));
    if (err == SG_OK)
        err = from_lmdb(mdb_cursor_get(cursor, &name, &record, MDB_SET_RANGE));
    if (err == SG_OK &&
        (name.mv_size == 0 || *(const uint8_t *)name.mv_data != table))
        err = SG_ERR_NOT_FOUND;
    if (err == SG_OK)
        err = open_record(&name, &record, value);
    if (err == SG_OK)
        *found =
            sg_slice_of((const uint8_t *)name.mv_data + 1, name.mv_size - 1);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (err == SG_ERR_CORRUPT)
        mark_suspect(index);
    return err;
}

static bool
read_snapshot(struct sg_slice value, struct sg_index_snapshot *snapshot)
{
    uint8_t sha256[32];
    if (value.len < SNAPSHOT_HEAD)
        return false;
    const uint8_t *head = value.ptr;
    snapshot->core =
        sg_slice_of(value.ptr + SNAPSHOT_HEAD, value.len - SNAPSHOT_HEAD);
    sg_crypto_sha256(snapshot->core.ptr, snapshot->core.len, sha256);
    if (memcmp(sha256, head + 136, 32) != 0)
        return false;
    snapshot->size = sg_bytes_load_u64(head);
    memcpy(snapshot->leaf, head + 8, 32);
    snapshot->time_us = sg_bytes_load_u64(head + 40);
    memcpy(snapshot->root, head + 48, 32);
    snapshot->segment = sg_bytes_load_u64(head + 80);
    snapshot->at = sg_bytes_load_u32(head + 88);
    snapshot->epoch = sg_bytes_load_u64(head + 92);
    memcpy(snapshot->state_sha256, head + 100, 32);
    return true;
}

void
sg_index_snapshot(struct sg_index *index, struct sg_index_snapshot *snapshot)
{
    char name[] = "snapshot";
    MDB_val key = meta_key(name);
    struct sg_slice value;
    memset(snapshot, 0, sizeof(*snapshot));
    if (begin_read(index) == SG_OK &&
        get_record(index->read, index->meta, &key, &value) == SG_OK &&
        read_snapshot(value, snapshot))
        return;
    memset(snapshot, 0, sizeof(*snapshot));
}
