// The files of the wrapping table, any bytes behind their checks: records that
// do not pass are counted and passed over, and no key comes out of them.
//
// The first byte says which file the rest replaces: table, wrap or secrets.
// Heads and records get checks that fit, so that what lies behind them is read.
#include "broker/base/bytes.h"
#include "broker/evidence/keys_table.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 64, HEAD = 32, MOST = 32 * 1024 };

static enum sg_err
fill(void *arg, void *out, size_t len)
{
    (void)arg;
    memset(out, 7, len);
    return SG_OK;
}

static void
mend(uint8_t *at, size_t len)
{
    sg_bytes_store_u32(at + len - 4, sg_bytes_crc32c(0, at, len - 4));
}

// Odd files keep the checks that the input gave them.
static void
mend_all(uint8_t which, uint8_t *bytes, size_t len)
{
    if (which % 6 == 0 && len >= HEAD) {
        memcpy(bytes, "SGKT1\0\0", 8);
        sg_bytes_store_u64(bytes + 8, 1);
        mend(bytes, HEAD);
        for (size_t at = HEAD; at + SG_KEYS_ROW_BYTES <= len;
             at += SG_KEYS_ROW_BYTES)
            mend(bytes + at, SG_KEYS_ROW_BYTES);
    }
    if (which % 6 == 2 && len >= 52)
        mend(bytes, 52);
    if (which % 6 == 4)
        for (size_t at = 0; at + SG_KEYS_SECRET_BYTES <= len;
             at += SG_KEYS_SECRET_BYTES)
            mend(bytes + at, SG_KEYS_SECRET_BYTES);
}

static void
look(struct sg_keys *keys, struct sg_slice bytes)
{
    uint8_t key[32] = {0}, block[SG_KEYS_SECRET_LEN], name[SG_KEYS_NAME_LEN];

    SG_ASSERT(sg_keys_generation(keys) == 1 && sg_keys_count(keys) <= ROWS);
    for (size_t at = 0; at + sizeof name <= bytes.len && at < 4096; at += 16) {
        memcpy(name, bytes.ptr + at, sizeof name);
        SG_ASSERT(sg_keys_unwrap(keys, name, name + 32, key) != SG_OK);
        SG_ASSERT(sg_keys_get_secret(keys, name, key, block) != SG_OK);
    }
}

static void
fuzz(struct sg_slice all)
{
    static const char *const names[] = {"table-1", "wrap-1", "secrets"};
    static const struct sg_keys_random random = {fill, NULL};
    static uint8_t bytes[MOST];
    struct sg_keys *keys;
    struct sg_diag diag = {0};
    char path[SG_OS_PATH];

    if (all.len == 0 || all.len > MOST)
        return;
    if (folder_make())
        SG_ASSERT(sg_crypto_start() == SG_OK);
    for (size_t i = 0; i < SG_COUNT_OF(names); i++)
        if (sg_os_file_path(path, "%s/%s", folder, names[i]))
            (void)unlink(path);
    SG_ASSERT(sg_keys_create(&sg_disk_real, folder, &random) == SG_OK);
    memcpy(bytes, all.ptr + 1, all.len - 1);
    mend_all(all.ptr[0], bytes, all.len - 1);
    struct sg_slice put = sg_slice_of(bytes, all.len - 1);
    folder_put(names[all.ptr[0] % 6 / 2], put, path);
    if (sg_keys_open(&sg_disk_real, folder, ROWS, &random, &keys, &diag) ==
        SG_OK)
        look(keys, put);
    sg_keys_close(&keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
