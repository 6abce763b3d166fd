// keys_table - the inside of keys.h: rows, files, re-wrapping.
//
// Files in home/keys, each 0600:
//   table-<g>: "SGKT1" 000 | g u64 | zeros 12 | CRC32C of the 28 before; then a
//              row every 112 bytes: row of formats.md (e) 108 | CRC32C
//   wrap-<g>:  "SGKW1" 000 | g u64 | W_g 32 | CRC32C of the 48 before | zeros to
//              4096
//   secrets:   records of 176: manifest 32 | attempt 16 | block sealed under K_a
//              (purpose secret) 117 | zeros 7 | CRC32C. Without K a record is
//              noise; a destroyed release's is overwritten besides
// A row or record that fails its check was either cut while it was written, then
// nothing under its key was acknowledged, or is damage: it is passed over and
// counted, and its key is not found.
#pragma once

#include "broker/base/crypto.h"
#include "broker/base/diag.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/keys.h"

enum {
    SG_KEYS_ROW_BYTES = 112,
    SG_KEYS_SECRET_BYTES = 176,
    SG_KEYS_WRAP_BYTES = 4096,
};

// Where randomness comes from.
struct sg_keys_random {
    enum sg_err (*fill)(void *arg, void *out, size_t len);
    void *arg;
};

// ---- the loop's side ---------------------------------------------------------

// Generation 1 with no rows, durable.
SG_MUST_CHECK enum sg_err sg_keys_create(const struct sg_disk *disk,
                                         const char *dir,
                                         const struct sg_keys_random *random);
// The newest complete generation. cap: rows at most.
SG_MUST_CHECK enum sg_err sg_keys_open(const struct sg_disk *disk,
                                       const char *dir, uint32_t cap,
                                       const struct sg_keys_random *random,
                                       struct sg_keys **keys,
                                       struct sg_diag *diag);
void sg_keys_close(struct sg_keys **keys); // wipes
// Rows and records that failed their check when opened.
uint32_t sg_keys_bad(const struct sg_keys *keys);

// Makes K and its row; index and row are for sg_keys_write_row.
SG_MUST_CHECK enum sg_err sg_keys_make(struct sg_keys *keys,
                                       const uint8_t manifest_sha256[32],
                                       const uint8_t variant[16],
                                       uint32_t *index,
                                       uint8_t row[SG_KEYS_ROW_BYTES]);
// Only sg_release_key may call it.
SG_MUST_CHECK enum sg_err sg_keys_unwrap(struct sg_keys *keys,
                                         const uint8_t manifest_sha256[32],
                                         const uint8_t variant[16],
                                         uint8_t key[32]);
// key: K of the release. index and record are for sg_keys_write_secret.
SG_MUST_CHECK enum sg_err
sg_keys_put_secret(struct sg_keys *keys, const uint8_t manifest_sha256[32],
                   const uint8_t key[32],
                   const uint8_t block[SG_KEYS_SECRET_LEN], uint32_t *index,
                   uint8_t record[SG_KEYS_SECRET_BYTES]);
SG_MUST_CHECK enum sg_err sg_keys_get_secret(struct sg_keys *keys,
                                             const uint8_t manifest_sha256[32],
                                             const uint8_t key[32],
                                             uint8_t block[SG_KEYS_SECRET_LEN]);

// What the writer needs to put table g+1 in the place of table g.
struct sg_keys_image {
    uint64_t generation;
    uint8_t wrap[32];
    uint8_t *rows; // rows_count * SG_KEYS_ROW_BYTES
    uint32_t rows_count;
    uint32_t *dead; // indexes of secrets to overwrite
    uint32_t dead_count;
};
void sg_keys_image_free(struct sg_keys_image **image); // wipes
// Drops the named keys and wraps the others under a fresh W, in memory at once;
// when it fails nothing has changed.
SG_MUST_CHECK enum sg_err
sg_keys_rewrap(struct sg_keys *keys, const uint8_t (*names)[SG_KEYS_NAME_LEN],
               uint32_t count, struct sg_keys_image **image);

// ---- the writer's side --------------------------------------------------------

struct sg_keys_files {
    const struct sg_disk *disk;
    char dir[SG_DISK_PATH];
    uint64_t generation;
    int table_fd, secrets_fd;
    uint64_t table_zeroed, secrets_zeroed;
    bool table_dirty, secrets_dirty;
    void (*crash_point)(void *arg, const char *name);
    void *crash_arg;
};

// again: write both files over themselves first, because the run before did not
// end well: after a failed sync the cache shows rows that the disk does not have.
SG_MUST_CHECK enum sg_err sg_keys_files_open(struct sg_keys_files *files,
                                             const struct sg_disk *disk,
                                             const char *dir,
                                             uint64_t generation, bool again);
void sg_keys_files_close(struct sg_keys_files *files);
SG_MUST_CHECK enum sg_err
sg_keys_write_row(struct sg_keys_files *files, uint32_t index,
                  const uint8_t row[SG_KEYS_ROW_BYTES]);
SG_MUST_CHECK enum sg_err
sg_keys_write_secret(struct sg_keys_files *files, uint32_t index,
                     const uint8_t record[SG_KEYS_SECRET_BYTES]);
SG_MUST_CHECK enum sg_err sg_keys_sync(struct sg_keys_files *files);
// Table and wrap of the new generation, durable, then the old table goes; the
// old wrap stays until sg_keys_destroy_wraps.
SG_MUST_CHECK enum sg_err
sg_keys_write_image(struct sg_keys_files *files,
                    const struct sg_keys_image *image);
// Overwrites and unlinks every wrap of another generation than the current.
SG_MUST_CHECK enum sg_err sg_keys_destroy_wraps(struct sg_keys_files *files);
