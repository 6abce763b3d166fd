// Any bytes as a segment: recovery and verification end, and say what they saw.
//
// The input stands behind a valid header in a file that stays in memory.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/evidence/log.h"
#include "broker/evidence/verify.h"
#include "broker/os/file.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT = 64 * 1024 };

static char folder[64];

static void
remove_folder(void)
{
    if (sg_os_file_remove_tree(folder) != SG_OK)
        fprintf(stderr, "fuzz_segment: %s stays\n", folder);
}

static void
set_up(void)
{
    const char *memory = "/dev/shm";
    if (folder[0] != '\0')
        return;
    (void)snprintf(folder, sizeof(folder), "%s/fuzz-segment-XXXXXX",
                   sg_disk_exists(memory) ? memory : ".");
    if (sg_crypto_start() != SG_OK || mkdtemp(folder) == NULL ||
        sg_log_create(&sg_disk_real, folder, SEGMENT) != SG_OK)
        abort();
    (void)atexit(remove_folder);
}

static void
count_root(void *arg, uint8_t root[32])
{
    (void)arg;
    memset(root, 0, 32);
}

static enum sg_err
count_entry(void *arg, const struct sg_entry *entry, const uint8_t leaf[32],
            uint32_t frame_at)
{
    uint64_t *count = arg;
    (void)leaf, (void)frame_at;
    if (entry->sequence != *count)
        abort();
    ++*count;
    return SG_OK;
}

static void
on_fault(void *arg, const struct sg_verify_fault *fault)
{
    (void)arg;
    if (fault->text[0] == '\0')
        abort();
}

static void
fuzz(struct sg_slice input)
{
    char path[SG_DISK_PATH];
    static uint8_t bytes[SEGMENT - SG_ENTRY_SEGMENT_LEN];
    int fd;
    uint64_t count = 0;
    set_up();
    if (input.len > sizeof(bytes))
        return;
    memset(bytes, 0, sizeof(bytes));
    if (input.len > 0)
        memcpy(bytes, input.ptr, input.len);
    if (!sg_disk_path(path, "%s/0000000000000000.log", folder) ||
        sg_disk_real.open(NULL, path, SG_DISK_WRITE, &fd) != SG_OK ||
        sg_disk_real.write(NULL, fd, SG_ENTRY_SEGMENT_LEN, bytes,
                           sizeof(bytes)) != SG_OK)
        abort();
    sg_disk_real.close(NULL, fd);

    struct sg_log log;
    const struct sg_log_start start = {.at = SG_ENTRY_SEGMENT_LEN};
    const struct sg_log_known known = {0};
    const struct sg_log_visit visit = {&count, count_root, count_entry};
    if (sg_log_open(&log, &sg_disk_real, folder, SEGMENT) != SG_OK)
        abort();
    // Nothing is known to be signed: all of it may be a torn tail.
    if (sg_log_recover(&log, &start, &known, &visit, NULL) != SG_OK ||
        log.next_seq != count)
        abort();
    sg_log_close(&log);

    const char *dirs[] = {folder};
    struct sg_verify_result result;
    struct sg_verify_options options = {
        .dirs = dirs, .dirs_count = 1, .fault = on_fault};
    if (sg_verify_log(&options, &result) != SG_OK || result.faults == 0)
        abort(); // there is no checkpoint: that at least is a fault
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
