#include "broker/evidence/keys.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/base/pool.h"
#include "broker/base/table.h"
#include "broker/evidence/keys_table.h"
#include "schemas/proof/seal.h"

enum { HEAD_LEN = 32, ROW_CRC = SG_KEYS_ROW_LEN, SECRET_CRC = 172 };

static const uint8_t zeros[SG_KEYS_SECRET_BYTES];

// Bytes of a secret record.
enum { SECRET_ATTEMPT = 32, SECRET_SEALED = 48 };

struct sg_keys {
    const struct sg_disk *disk;
    char dir[SG_DISK_PATH];
    struct sg_keys_random random;
    uint64_t generation;
    struct sg_aead *wrap;     // under W_g
    struct sg_table *rows;    // name -> index in pool
    struct sg_pool *pool;     // struct sg_seal_row
    struct sg_table *secrets; // manifest -> index of its record
    int secrets_fd;
    uint32_t next_row, next_secret; // in the files
    uint64_t wraps;                 // made under this W
    uint32_t bad;
};

const char *sg_keys_class_name(enum sg_keys_class class)
{
    switch (class) {
    case SG_KEYS_BEST_EFFORT:
        return "best_effort";
    case SG_KEYS_MEDIUM:
        return "medium";
    case SG_KEYS_HARDWARE:
        return "hardware";
    }
    SG_UNREACHABLE();
}

void
sg_keys_store_name(const uint8_t genesis[32], uint8_t out[32])
{
    // sizeof counts the NUL of the purpose.
    static const char purpose[] = "statgate/store/v1";
    struct sg_slice parts[] = {sg_slice_of(purpose, sizeof(purpose)),
                               sg_slice_of(genesis, 32)};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

bool
sg_keys_has(const struct sg_keys *keys, const uint8_t manifest_sha256[32],
            const uint8_t variant[16])
{
    uint8_t name[SG_KEYS_NAME_LEN];
    memcpy(name, manifest_sha256, 32);
    memcpy(name + 32, variant, 16);
    return sg_table_get(keys->rows, sg_slice_of(name, sizeof(name)), NULL);
}

bool
sg_keys_next(const struct sg_keys *keys, uint32_t *at,
             uint8_t name[SG_KEYS_NAME_LEN])
{
    struct sg_slice key;
    uint64_t index;

    if (!sg_table_next(keys->rows, at, &key, &index))
        return false;
    memcpy(name, key.ptr, SG_KEYS_NAME_LEN);
    return true;
}

uint32_t
sg_keys_count(const struct sg_keys *keys)
{
    return sg_table_count(keys->rows);
}

uint64_t
sg_keys_generation(const struct sg_keys *keys)
{
    return keys->generation;
}

uint32_t
sg_keys_bad(const struct sg_keys *keys)
{
    return keys->bad;
}

void
sg_keys_close(struct sg_keys **keys)
{
    struct sg_keys *k = *keys;
    if (k == NULL)
        return;
    if (k->secrets_fd >= 0)
        k->disk->close(k->disk->arg, k->secrets_fd);
    sg_table_free(&k->rows);
    sg_table_free(&k->secrets);
    sg_pool_free(&k->pool);
    sg_crypto_aead_free(&k->wrap);
    free(k);
    *keys = NULL;
}

// ---- opening -----------------------------------------------------------------

static void
name_of(const uint8_t manifest_sha256[32], const uint8_t variant[16],
        uint8_t name[SG_KEYS_NAME_LEN])
{
    memcpy(name, manifest_sha256, 32);
    memcpy(name + 32, variant, 16);
}

static enum sg_err
add_row(struct sg_keys *keys, const struct sg_seal_row *row)
{
    uint8_t bytes[SG_KEYS_NAME_LEN];
    struct sg_slice name = sg_slice_of(bytes, sizeof(bytes));
    name_of(row->manifest_sha256, row->variant, bytes);
    if (sg_table_get(keys->rows, name, NULL))
        return SG_ERR_EXISTS;
    uint32_t index = sg_pool_take(keys->pool);
    if (index == 0)
        return SG_ERR_FULL;
    *(struct sg_seal_row *)sg_pool_at(keys->pool, index) = *row;
    enum sg_err err = sg_table_put(keys->rows, name, index);
    if (err != SG_OK)
        sg_pool_give(keys->pool, index);
    return err;
}

static enum sg_err
load_row(struct sg_keys *keys, const uint8_t bytes[SG_KEYS_ROW_BYTES],
         uint32_t index)
{
    struct sg_seal_row row;
    if (memcmp(bytes, zeros, SG_KEYS_ROW_BYTES) == 0)
        return SG_OK;
    keys->next_row = index + 1;
    if (sg_bytes_load_u32(bytes + ROW_CRC) !=
        sg_bytes_crc32c(0, bytes, ROW_CRC)) {
        keys->bad++;
        return SG_OK;
    }
    keys->wraps++;
    sg_seal_row_decode(bytes, &row);
    enum sg_err err = add_row(keys, &row);
    return err == SG_ERR_EXISTS ? SG_OK : err;
}

static enum sg_err
load_secret(struct sg_keys *keys, const uint8_t bytes[SG_KEYS_SECRET_BYTES],
            uint32_t index)
{
    if (memcmp(bytes, zeros, SG_KEYS_SECRET_BYTES) == 0)
        return SG_OK;
    keys->next_secret = index + 1;
    if (sg_bytes_load_u32(bytes + SECRET_CRC) !=
        sg_bytes_crc32c(0, bytes, SECRET_CRC)) {
        keys->bad++;
        return SG_OK;
    }
    return sg_table_put(keys->secrets, sg_slice_of(bytes, 32), index);
}

// Calls load for each record of len bytes from byte `at` on.
static enum sg_err
load_all(struct sg_keys *keys, int fd, uint64_t at, size_t len,
         enum sg_err (*load)(struct sg_keys *keys, const uint8_t *bytes,
                             uint32_t index))
{
    enum { BATCH = 64 };
    uint8_t bytes[BATCH * SG_KEYS_SECRET_BYTES];
    uint64_t size;
    enum sg_err err = sg_disk_size(fd, &size);
    for (uint32_t index = 0; err == SG_OK && at + len <= size;) {
        uint64_t left = (size - at) / len;
        uint32_t count = left < BATCH ? (uint32_t)left : BATCH;
        err = sg_disk_read(fd, at, bytes, count * len);
        for (uint32_t i = 0; i < count && err == SG_OK; i++)
            err = load(keys, bytes + i * len, index + i);
        at += count * len;
        index += count;
    }
    sg_crypto_wipe(bytes, sizeof(bytes));
    return err;
}

// The largest g of which a whole table is there; 0: none.
static uint64_t
newest_table(const char *dir)
{
    uint64_t newest = 0;
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        uint64_t g;
        if (strncmp(entry->d_name, "table-", 6) == 0 &&
            sg_slice_u64(sg_slice_text(entry->d_name + 6), &g) && g > newest)
            newest = g;
    }
    (void)closedir(folder);
    return newest;
}

static enum sg_err
load_table(struct sg_keys *keys)
{
    uint8_t head[HEAD_LEN];
    char path[SG_DISK_PATH];
    int fd;
    if (!sg_disk_path(path, "%s/table-%llu", keys->dir,
                      (unsigned long long)keys->generation))
        return SG_ERR_FULL;
    enum sg_err err =
        keys->disk->open(keys->disk->arg, path, SG_DISK_READ, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_read(fd, 0, head, sizeof(head));
    if (err == SG_OK &&
        (memcmp(head, "SGKT1\0\0", 8) != 0 ||
         sg_bytes_load_u64(head + 8) != keys->generation ||
         sg_bytes_load_u32(head + 28) != sg_bytes_crc32c(0, head, 28)))
        err = SG_ERR_CORRUPT;
    if (err == SG_OK)
        err = load_all(keys, fd, HEAD_LEN, SG_KEYS_ROW_BYTES, load_row);
    keys->disk->close(keys->disk->arg, fd);
    return err;
}

static enum sg_err
load_wrap(struct sg_keys *keys)
{
    uint8_t head[52];
    char path[SG_DISK_PATH];
    int fd;
    if (!sg_disk_path(path, "%s/wrap-%llu", keys->dir,
                      (unsigned long long)keys->generation))
        return SG_ERR_FULL;
    enum sg_err err =
        keys->disk->open(keys->disk->arg, path, SG_DISK_READ, &fd);
    if (err != SG_OK)
        return err;
    err = sg_disk_read(fd, 0, head, sizeof(head));
    if (err == SG_OK &&
        (memcmp(head, "SGKW1\0\0", 8) != 0 ||
         sg_bytes_load_u64(head + 8) != keys->generation ||
         sg_bytes_load_u32(head + 48) != sg_bytes_crc32c(0, head, 48)))
        err = SG_ERR_CORRUPT;
    if (err == SG_OK && (keys->wrap = sg_crypto_aead_new(head + 16)) == NULL)
        err = SG_ERR_MEMORY;
    sg_crypto_wipe(head, sizeof(head));
    keys->disk->close(keys->disk->arg, fd);
    return err;
}

static enum sg_err
load(struct sg_keys *keys, struct sg_diag *diag)
{
    char path[SG_DISK_PATH];
    unsigned long long g = keys->generation = newest_table(keys->dir);
    if (g == 0) {
        sg_diag_set(diag, 0, 0, "keys: there is no table in %s; restore it",
                    keys->dir);
        return SG_ERR_NOT_FOUND;
    }
    enum sg_err err = load_table(keys);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "keys/table-%llu: %s; restore it from a copy",
                    g, sg_err_sentence(err));
        return err;
    }
    err = load_wrap(keys);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "keys/wrap-%llu: %s; restore it from a copy", g,
                    sg_err_sentence(err));
        return err;
    }
    if (!sg_disk_path(path, "%s/secrets", keys->dir))
        return SG_ERR_FULL;
    err = keys->disk->open(keys->disk->arg, path, SG_DISK_READ,
                           &keys->secrets_fd);
    if (err == SG_OK)
        err = load_all(keys, keys->secrets_fd, 0, SG_KEYS_SECRET_BYTES,
                       load_secret);
    if (err != SG_OK)
        sg_diag_set(diag, 0, 0, "keys/secrets: %s; restore it from a copy",
                    sg_err_sentence(err));
    return err;
}

enum sg_err
sg_keys_open(const struct sg_disk *disk, const char *dir, uint32_t cap,
             const struct sg_keys_random *random, struct sg_keys **keys,
             struct sg_diag *diag)
{
    uint8_t seed[16];
    *keys = NULL;
    enum sg_err err = random->fill(random->arg, seed, sizeof(seed));
    struct sg_keys *k = err == SG_OK ? calloc(1, sizeof(*k)) : NULL;
    if (k == NULL)
        return err == SG_OK ? SG_ERR_MEMORY : err;
    k->disk = disk;
    k->random = *random;
    k->secrets_fd = -1;
    // A publisher can choose what a manifest's hash begins with: keyed tables.
    k->rows = sg_table_new(cap, seed);
    k->secrets = sg_table_new(cap, seed);
    k->pool = sg_pool_new(cap, sizeof(struct sg_seal_row));
    if (k->rows == NULL || k->secrets == NULL || k->pool == NULL)
        err = SG_ERR_MEMORY;
    else if (!sg_disk_path(k->dir, "%s", dir))
        err = SG_ERR_FULL;
    else
        err = load(k, diag);
    if (err != SG_OK)
        sg_keys_close(&k);
    *keys = k;
    return err;
}

// ---- rows ---------------------------------------------------------------------

static enum sg_err
wrap_row(const struct sg_keys *keys, struct sg_aead *wrap, uint64_t generation,
         const uint8_t key[32], struct sg_seal_row *row)
{
    enum sg_err err =
        keys->random.fill(keys->random.arg, row->nonce, sizeof(row->nonce));
    return err != SG_OK ? err : sg_seal_wrap(wrap, generation, key, row);
}

static void
encode_row(const struct sg_seal_row *row, uint8_t out[SG_KEYS_ROW_BYTES])
{
    sg_seal_row_encode(row, out);
    sg_bytes_store_u32(out + ROW_CRC, sg_bytes_crc32c(0, out, ROW_CRC));
}

enum sg_err
sg_keys_make(struct sg_keys *keys, const uint8_t manifest_sha256[32],
             const uint8_t variant[16], uint32_t *index,
             uint8_t out[SG_KEYS_ROW_BYTES])
{
    uint8_t key[32];
    struct sg_seal_row row;
    if (keys->wraps >= SG_LIMIT_WRAPS)
        return SG_ERR_FULL;
    memcpy(row.manifest_sha256, manifest_sha256, 32);
    memcpy(row.variant, variant, 16);
    enum sg_err err = keys->random.fill(keys->random.arg, key, sizeof(key));
    if (err == SG_OK)
        err = wrap_row(keys, keys->wrap, keys->generation, key, &row);
    sg_crypto_wipe(key, sizeof(key));
    if (err == SG_OK)
        err = add_row(keys, &row);
    if (err != SG_OK)
        return err;
    keys->wraps++;
    *index = keys->next_row++;
    encode_row(&row, out);
    return SG_OK;
}

enum sg_err
sg_keys_unwrap(struct sg_keys *keys, const uint8_t manifest_sha256[32],
               const uint8_t variant[16], uint8_t key[32])
{
    uint8_t name[SG_KEYS_NAME_LEN];
    uint64_t index;
    name_of(manifest_sha256, variant, name);
    memset(key, 0, 32);
    if (!sg_table_get(keys->rows, sg_slice_of(name, sizeof(name)), &index))
        return SG_ERR_NOT_FOUND;
    return sg_seal_unwrap(keys->wrap, keys->generation,
                          sg_pool_at(keys->pool, (uint32_t)index), key);
}

// ---- secret blocks --------------------------------------------------------------

enum sg_err
sg_keys_put_secret(struct sg_keys *keys, const uint8_t manifest_sha256[32],
                   const uint8_t key[32],
                   const uint8_t block[SG_KEYS_SECRET_LEN], uint32_t *index,
                   uint8_t record[SG_KEYS_SECRET_BYTES])
{
    struct sg_slice name = sg_slice_of(manifest_sha256, 32);
    if (sg_table_get(keys->secrets, name, NULL))
        return SG_ERR_EXISTS;
    memset(record, 0, SG_KEYS_SECRET_BYTES);
    memcpy(record, manifest_sha256, 32);
    enum sg_err err =
        keys->random.fill(keys->random.arg, record + SECRET_ATTEMPT, 16);
    struct sg_seal seal = {0};
    if (err == SG_OK)
        err = sg_seal_begin(&seal, key, manifest_sha256,
                            record + SECRET_ATTEMPT, SG_SEAL_SECRET);
    if (err == SG_OK)
        err = sg_seal_chunk(&seal, 0, true,
                            sg_slice_of(block, SG_KEYS_SECRET_LEN),
                            record + SECRET_SEALED);
    sg_seal_end(&seal);
    if (err == SG_OK)
        err = sg_table_put(keys->secrets, name, keys->next_secret);
    if (err != SG_OK)
        return err;
    sg_bytes_store_u32(record + SECRET_CRC,
                       sg_bytes_crc32c(0, record, SECRET_CRC));
    *index = keys->next_secret++;
    return SG_OK;
}

enum sg_err
sg_keys_get_secret(struct sg_keys *keys, const uint8_t manifest_sha256[32],
                   const uint8_t key[32], uint8_t block[SG_KEYS_SECRET_LEN])
{
    uint8_t record[SG_KEYS_SECRET_BYTES];
    uint64_t index;
    memset(block, 0, SG_KEYS_SECRET_LEN);
    if (!sg_table_get(keys->secrets, sg_slice_of(manifest_sha256, 32), &index))
        return SG_ERR_NOT_FOUND;
    enum sg_err err = sg_disk_read(
        keys->secrets_fd, index * SG_KEYS_SECRET_BYTES, record, sizeof(record));
    if (err == SG_OK && memcmp(record, manifest_sha256, 32) != 0)
        err = SG_ERR_CORRUPT;
    struct sg_seal seal = {0};
    if (err == SG_OK)
        err = sg_seal_begin(&seal, key, manifest_sha256,
                            record + SECRET_ATTEMPT, SG_SEAL_SECRET);
    if (err == SG_OK)
        err = sg_seal_open(&seal, 0, true,
                           sg_slice_of(record + SECRET_SEALED,
                                       SG_KEYS_SECRET_LEN + SG_TAG_LEN),
                           block);
    sg_seal_end(&seal);
    if (err != SG_OK)
        sg_crypto_wipe(block, SG_KEYS_SECRET_LEN);
    return err;
}

// ---- re-wrapping -----------------------------------------------------------------

void
sg_keys_image_free(struct sg_keys_image **image)
{
    if (*image == NULL)
        return;
    sg_crypto_wipe((*image)->wrap, sizeof((*image)->wrap));
    free((*image)->rows);
    free((*image)->dead);
    free(*image);
    *image = NULL;
}

static const uint8_t every[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff};

// One name: a single key, or with variant ff.. every key of the release.
static bool
is_doomed(const struct sg_table *doomed, struct sg_slice name)
{
    uint8_t all[SG_KEYS_NAME_LEN];

    name_of(name.ptr, every, all);
    return sg_table_get(doomed, name, NULL) ||
           sg_table_get(doomed, sg_slice_of(all, sizeof(all)), NULL);
}

// Into the image alone: what fails leaves everything as it was.
static enum sg_err
wrap_living(const struct sg_keys *keys, const struct sg_table *doomed,
            struct sg_aead *wrap, struct sg_keys_image *image)
{
    uint32_t at = 0;
    struct sg_slice name;
    uint64_t index;
    while (sg_table_next(keys->rows, &at, &name, &index)) {
        struct sg_seal_row row;
        uint8_t key[32];
        if (is_doomed(doomed, name))
            continue;
        row = *(const struct sg_seal_row *)sg_pool_at(keys->pool,
                                                      (uint32_t)index);
        enum sg_err err =
            sg_seal_unwrap(keys->wrap, keys->generation, &row, key);
        if (err == SG_OK)
            err = wrap_row(keys, wrap, image->generation, key, &row);
        sg_crypto_wipe(key, sizeof(key));
        if (err != SG_OK)
            return err;
        encode_row(&row, image->rows +
                             (size_t)image->rows_count++ * SG_KEYS_ROW_BYTES);
    }
    return SG_OK;
}

// The rows of the image in the place of those they were made from, in the order
// of wrap_living.
static void
take_over(struct sg_keys *keys, const struct sg_table *doomed,
          const struct sg_keys_image *image)
{
    const uint8_t *from = image->rows;
    uint32_t at = 0;
    struct sg_slice name;
    uint64_t index;
    while (sg_table_next(keys->rows, &at, &name, &index)) {
        if (is_doomed(doomed, name)) {
            sg_pool_give(keys->pool, (uint32_t)index);
            (void)sg_table_remove(keys->rows, name);
            continue;
        }
        sg_seal_row_decode(from, sg_pool_at(keys->pool, (uint32_t)index));
        from += SG_KEYS_ROW_BYTES;
    }
}

static void
drop_secret(struct sg_keys *keys, const uint8_t name[SG_KEYS_NAME_LEN],
            struct sg_keys_image *image)
{
    struct sg_slice manifest = sg_slice_of(name, 32);
    uint64_t index;
    if ((memcmp(name + 32, every, 16) == 0 ||
         memcmp(name + 32, zeros, 16) == 0) &&
        sg_table_get(keys->secrets, manifest, &index)) {
        image->dead[image->dead_count++] = (uint32_t)index;
        (void)sg_table_remove(keys->secrets, manifest);
    }
}

static struct sg_keys_image *
new_image(const struct sg_keys *keys, uint32_t names)
{
    struct sg_keys_image *image = calloc(1, sizeof(*image));
    if (image == NULL)
        return NULL;
    image->generation = keys->generation + 1;
    image->dead = calloc((size_t)names + 1, sizeof(*image->dead));
    image->rows = calloc((size_t)sg_keys_count(keys) + 1, SG_KEYS_ROW_BYTES);
    if (image->dead == NULL || image->rows == NULL)
        sg_keys_image_free(&image);
    return image;
}

// The names as a set. A publisher can choose what a manifest's hash begins with.
static enum sg_err
gather_doomed(const struct sg_keys *keys,
              const uint8_t (*names)[SG_KEYS_NAME_LEN], uint32_t count,
              struct sg_table **doomed)
{
    uint8_t seed[16];
    enum sg_err err = keys->random.fill(keys->random.arg, seed, sizeof(seed));

    if (err != SG_OK)
        return err;
    *doomed = sg_table_new(count + 1, seed);
    err = *doomed == NULL ? SG_ERR_MEMORY : SG_OK;
    for (uint32_t i = 0; i < count && err == SG_OK; i++)
        err = sg_table_put(*doomed, sg_slice_of(names[i], SG_KEYS_NAME_LEN), 1);
    return err;
}

enum sg_err
sg_keys_rewrap(struct sg_keys *keys, const uint8_t (*names)[SG_KEYS_NAME_LEN],
               uint32_t count, struct sg_keys_image **out)
{
    *out = NULL;
    struct sg_keys_image *image = new_image(keys, count);
    if (image == NULL)
        return SG_ERR_MEMORY;
    struct sg_table *doomed = NULL;
    struct sg_aead *wrap = NULL;
    enum sg_err err = gather_doomed(keys, names, count, &doomed);
    if (err == SG_OK)
        err = keys->random.fill(keys->random.arg, image->wrap,
                                sizeof(image->wrap));
    if (err == SG_OK && (wrap = sg_crypto_aead_new(image->wrap)) == NULL)
        err = SG_ERR_MEMORY;
    if (err == SG_OK)
        err = wrap_living(keys, doomed, wrap, image);
    if (err == SG_OK) {
        take_over(keys, doomed, image);
        for (uint32_t i = 0; i < count; i++)
            drop_secret(keys, names[i], image);
        sg_crypto_aead_free(&keys->wrap);
        keys->wrap = wrap;
        keys->generation = image->generation;
        keys->next_row = image->rows_count;
        keys->wraps = image->rows_count;
        *out = image;
    } else {
        sg_crypto_aead_free(&wrap);
        sg_keys_image_free(&image);
    }
    sg_table_free(&doomed);
    return err;
}
