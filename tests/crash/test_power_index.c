// Power cuts in the index: LMDB with NOMETASYNC and one sync for a snapshot.
//
// What LMDB writes to data.mdb is recorded by functions of its own names, which
// this program lays over the C library's. A cut keeps, drops or tears each write
// that was not synced before it, at sectors of 512 bytes; half of the trials keep
// a prefix in order. Whatever is left must open, must hold a snapshot at least as
// new as the last one that was told, and every row that its watermark covers.
// SG_POWER_INDEX_STATES sets the number of states (600).
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/index.h"
#include "broker/os/file.h"

enum { SECTOR = 512, OPS = 65536, GROUPS = 120, PER_GROUP = 20, MAP = 1 << 26 };

struct op {
    bool sync;
    uint64_t at, len;
    uint8_t *bytes;
    uint64_t told; // size of the last snapshot told of before it
};

static struct op ops[OPS];
static size_t count;
static bool recording;
static ino_t watched; // data.mdb
static uint64_t told;

static bool
is_watched(int fd)
{
    struct stat st;

    return recording && fstat(fd, &st) == 0 && st.st_ino == watched;
}

static struct op *
add(bool sync)
{
    if (count == OPS)
        abort();
    ops[count] = (struct op){.sync = sync, .told = told};
    return &ops[count++];
}

static void
add_write(const void *bytes, size_t len, uint64_t at)
{
    struct op *op = add(false);

    op->at = at;
    op->len = len;
    op->bytes = malloc(len);
    if (op->bytes == NULL)
        abort();
    memcpy(op->bytes, bytes, len);
}

// ---- laid over the C library's -----------------------------------------------

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (is_watched(fd))
        add_write(bytes, len, (uint64_t)at);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t
writev(int fd, const struct iovec *pieces, int pieces_count)
{
    if (is_watched(fd)) {
        uint64_t at = (uint64_t)lseek(fd, 0, SEEK_CUR);
        for (int i = 0; i < pieces_count; i++) {
            add_write(pieces[i].iov_base, pieces[i].iov_len, at);
            at += pieces[i].iov_len;
        }
    }
    return syscall(SYS_writev, fd, pieces, pieces_count);
}

int
fdatasync(int fd)
{
    if (is_watched(fd))
        (void)add(true);
    return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    if (is_watched(fd))
        (void)add(true);
    return (int)syscall(SYS_fsync, fd);
}

// ---- what the gate does with its index -----------------------------------------

static const uint8_t genesis[32] = {1, 2, 3};

static struct sg_slice
row_key(uint8_t key[16], uint64_t row)
{
    sg_bytes_store_u64(key, row * 0x9e3779b97f4a7c15u); // anywhere in the tree
    sg_bytes_store_u64(key + 8, row);
    return sg_slice_of(key, 16);
}

static void
leaf_of(uint64_t size, uint8_t leaf[32])
{
    uint8_t bytes[8];

    sg_bytes_store_u64(bytes, size);
    sg_crypto_sha256(bytes, sizeof bytes, leaf);
}

static void
fill_core(uint8_t *core, size_t len, uint64_t size)
{
    for (size_t i = 0; i < len; i++)
        core[i] = (uint8_t)(size * 31 + i * 7);
}

static size_t
core_len(uint64_t size)
{
    return 3000 + size % 7 * 9000;
}

static uint8_t core_bytes[128 * 1024], copied[4 * 1024 * 1024];

static void
commit(struct sg_index *index, uint64_t size, bool with_snapshot)
{
    struct sg_index_snapshot snapshot = {.size = size};
    uint8_t leaf[32];

    leaf_of(size, leaf);
    fill_core(core_bytes, core_len(size), size);
    snapshot.core = sg_slice_of(core_bytes, core_len(size));
    assert_int_equal(
        sg_index_commit(index, size, leaf, with_snapshot ? &snapshot : NULL),
        SG_OK);
    if (with_snapshot)
        told = size;
}

static void
work(const char *home)
{
    struct sg_index_state state;
    struct sg_index *index;
    char path[SG_DISK_PATH];
    struct stat st;
    uint8_t key[16], value[64] = {0};

    assert_int_equal(sg_index_open(home, MAP, genesis, &index, &state), SG_OK);
    assert_true(sg_disk_path(path, "%s/index/data.mdb", home));
    assert_int_equal(stat(path, &st), 0);
    // What is there was synced before it got its name.
    watched = st.st_ino;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(copied, 1, sizeof copied, file);
    assert_int_equal(fclose(file), 0);
    recording = true;
    add_write(copied, len, 0);
    (void)add(true);
    for (uint64_t g = 0; g < GROUPS; g++) {
        for (uint64_t i = 0; i < PER_GROUP; i++) {
            uint64_t row = g * PER_GROUP + i;
            sg_bytes_store_u64(value, row);
            assert_int_equal(sg_index_put(index, 1, row_key(key, row),
                                          sg_slice_of(value, sizeof value)),
                             SG_OK);
        }
        commit(index, (g + 1) * PER_GROUP, g % 8 == 7);
    }
    recording = false;
    sg_index_close(&index);
}

// ---- what a cut leaves ---------------------------------------------------------

static uint64_t
draw(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return *random >> 33;
}

static void
keep(FILE *file, const struct op *op, uint64_t len)
{
    assert_int_equal(fseek(file, (long)op->at, SEEK_SET), 0);
    assert_int_equal(fwrite(op->bytes, 1, len, file), len);
}

static size_t
last_sync(size_t cut)
{
    while (cut > 0 && !ops[cut - 1].sync)
        cut--;
    return cut;
}

static void
replay(const char *home, size_t cut, bool with_syncs, uint64_t *random)
{
    char path[SG_DISK_PATH];
    size_t synced = with_syncs ? last_sync(cut) : 2;
    bool prefix = draw(random) % 2 == 0;
    size_t until = synced + (cut > synced ? draw(random) % (cut - synced) : 0);

    assert_true(sg_disk_path(path, "%s/index", home));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(sg_disk_path(path, "%s/index/data.mdb", home));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < cut; i++) {
        uint64_t len = ops[i].len, fate = draw(random) % 3;
        if (ops[i].sync || (i >= synced && (prefix ? i >= until : fate == 0)))
            continue;
        if (i >= synced && !prefix && fate == 1)
            len = len < SECTOR ? 0 : draw(random) % (len / SECTOR) * SECTOR;
        keep(file, &ops[i], len);
    }
    assert_int_equal(fclose(file), 0);
}

static const char *
look(const char *home, uint64_t must_have)
{
    struct sg_index_state state;
    struct sg_index_snapshot snapshot;
    struct sg_index *index;
    const char *why = NULL;
    uint8_t key[16];

    if (sg_index_open(home, MAP, genesis, &index, &state) != SG_OK)
        return "it does not open";
    sg_index_snapshot(index, &snapshot);
    if (snapshot.size < must_have || state.size < snapshot.size)
        why = "a snapshot that was told is lost";
    if (why == NULL && snapshot.size > 0) {
        fill_core(core_bytes, core_len(snapshot.size), snapshot.size);
        if (!sg_slice_eq(snapshot.core,
                         sg_slice_of(core_bytes, core_len(snapshot.size))))
            why = "a snapshot has other bytes";
    }
    for (uint64_t row = 0; row < state.size && why == NULL; row++) {
        struct sg_slice value;
        if (sg_index_find(index, 1, row_key(key, row), &value) != SG_OK ||
            value.len != 64 || sg_bytes_load_u64(value.ptr) != row)
            why = "a row below the watermark is lost";
    }
    sg_index_close(&index);
    return why;
}

// In a process of its own: what a lying disk leaves may be the end of LMDB.
static const char *
look_safely(const char *home, uint64_t must_have)
{
    static char why[128];
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGBUS, SIG_DFL);
        (void)signal(SIGSEGV, SIG_DFL);
        const char *found = look(home, must_have);
        size_t len = found == NULL ? 0 : strlen(found);
        _exit(write(ends[1], found, len) == (ssize_t)len ? 0 : 1);
    }
    (void)close(ends[1]);
    ssize_t len = read(ends[0], why, sizeof why - 1);
    (void)close(ends[0]);
    why[len > 0 ? len : 0] = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return "LMDB does not survive it";
    return len > 0 ? why : NULL;
}

static unsigned
cut_many(const char *home, unsigned states, bool with_syncs)
{
    uint64_t random = 7;
    unsigned bad = 0;

    for (unsigned i = 0; i < states; i++) {
        size_t cut = 2 + draw(&random) % (count - 1);
        uint64_t must_have = cut < count ? ops[cut].told : told;
        assert_int_equal(mkdir(home, 0700), 0);
        replay(home, cut, with_syncs, &random);
        const char *why = look_safely(home, must_have);
        if (why != NULL && with_syncs)
            print_message("state %u, cut before %zu of %zu: %s\n", i, cut,
                          count, why);
        bad += why != NULL;
        assert_int_equal(sg_os_file_remove_tree(home), SG_OK);
    }
    return bad;
}

static void
a_snapshot_that_was_told_outlives_a_power_cut(void **state)
{
    const char *wanted = getenv("SG_POWER_INDEX_STATES");
    unsigned states =
        wanted == NULL ? 600 : (unsigned)strtoul(wanted, NULL, 10);
    // The syncs of so many starts cost nothing there.
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char home[64], cut[sizeof home + 4];

    (void)state;
    (void)snprintf(home, sizeof home, "%s/statgate-index-XXXXXX", where);
    assert_non_null(mkdtemp(home));
    (void)snprintf(cut, sizeof cut, "%s-cut", home);
    work(home);
    assert_true(count > 3 * GROUPS);
    assert_int_equal(cut_many(cut, states, true), 0);
    // A disk that does not keep what it synced must be found out.
    assert_true(cut_many(cut, states / 6, false) > 0);
    for (size_t i = 0; i < count; i++)
        free(ops[i].bytes);
    assert_int_equal(sg_os_file_remove_tree(home), SG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_that_was_told_outlives_a_power_cut),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
