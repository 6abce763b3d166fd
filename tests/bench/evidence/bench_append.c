// Durable appends a second in groups of 1, 8 and 64, beside a bare log in the
// same run: a file zeroed ahead, one write and one fdatasync a group, no hash,
// no checkpoint. Entries of 288 bytes, as measured in core-design 3.
//   bench_append [BUILD]
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/crypto.h"
#include "broker/base/limits.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/evidence.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "schemas/proof/entry.h"

enum { BODY = 288 - SG_ENTRY_HEAD_LEN, ROUNDS = 5, MILLISECONDS = 400 };

static uint8_t body[BODY];

static void
must(enum sg_err err, const char *what)
{
    if (err == SG_OK)
        return;
    fprintf(stderr, "bench_append: %s: %s\n", what, sg_err_sentence(err));
    exit(1);
}

static enum sg_err
nothing(void *arg, const struct sg_evidence_entry *entry)
{
    (void)arg, (void)entry;
    return SG_OK;
}

static struct sg_evidence *
open_log(const char *home, struct sg_signer *key)
{
    struct sg_evidence_options options = {
        .home = home, .gate = "BENCH", .log_key = key};
    struct sg_evidence *ev;
    struct sg_diag diag;
    uint8_t genesis[32];
    must(sg_evidence_create(&options, 1, SG_SLICE("genesis"), genesis),
         "create");
    must(sg_evidence_open(&options, &ev, &diag), "open");
    must(sg_evidence_replay(ev, nothing, NULL, &diag), "replay");
    must(sg_evidence_start(ev, &diag), "start");
    return ev;
}

// depth groups at most wait to become durable. 1: as a loop with one publisher
// that waits for its receipt has it; more: as a busy one.
static double
run_evidence(struct sg_evidence *ev, unsigned group, unsigned depth)
{
    uint64_t begin = sg_os_clock_mono_us(), now = begin, count = 0;
    while (now - begin < MILLISECONDS * 1000) {
        struct sg_evidence_event event;
        uint64_t seq = sg_evidence_next_seq(ev);
        for (unsigned i = 0; i < group; i++)
            must(sg_evidence_append(ev, seq + i, SG_ENTRY_ADMIN_ACT, seq + i,
                                    sg_slice_of(body, sizeof(body))),
                 "append");
        must(sg_evidence_flush(ev), "flush");
        while (sg_evidence_durable_size(ev) + (depth - 1) * group <
               seq + group) {
            struct pollfd fd = {.fd = sg_evidence_fd(ev), .events = POLLIN};
            (void)poll(&fd, 1, 1000);
            while (sg_evidence_poll(ev, &event))
                must(event.err, "write");
        }
        count += group;
        now = sg_os_clock_mono_us();
    }
    return (double)count * 1e6 / (double)(now - begin);
}

static double
run_bare(int fd, unsigned group)
{
    static uint8_t bytes[64 * 296];
    uint64_t begin = sg_os_clock_mono_us(), now = begin, count = 0, at = 0;
    while (now - begin < MILLISECONDS * 1000) {
        if (at + group * 296u > SG_LIMIT_SEGMENT)
            at = 0;
        must(sg_disk_real.write(NULL, fd, at, bytes, group * 296u), "write");
        must(sg_disk_real.sync(NULL, fd), "sync");
        at += group * 296u;
        count += group;
        now = sg_os_clock_mono_us();
    }
    return (double)count * 1e6 / (double)(now - begin);
}

static double
median(double *values)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned j = i + 1; j < ROUNDS; j++) {
            if (values[j] < values[i]) {
                double value = values[i];
                values[i] = values[j];
                values[j] = value;
            }
        }
    }
    return values[ROUNDS / 2];
}

int
main(void)
{
    static const unsigned groups[] = {1, 8, 64};
    static const uint8_t seed[32] = {1};
    char home[] = "./bench-append-XXXXXX", path[SG_DISK_PATH];
    struct sg_signer *key;
    int fd;
    if (sg_crypto_start() != SG_OK || mkdtemp(home) == NULL)
        return 1;
    must(sg_crypto_signer_new(seed, &key), "key");
    must(sg_disk_path(path, "%s/bare", home) ? SG_OK : SG_ERR_FULL, "path");
    must(sg_disk_real.open(NULL, path, SG_DISK_CREATE, &fd), "bare");
    must(sg_disk_zero(&sg_disk_real, fd, 0, SG_LIMIT_SEGMENT), "bare");
    must(sg_disk_real.sync(NULL, fd), "bare");
    must(sg_disk_path(path, "%s/gate", home) ? SG_OK : SG_ERR_FULL, "path");
    struct sg_evidence *ev = open_log(path, key);
    printf("%-8s %14s %14s %8s %18s %8s\n", "group", "evidence /s",
           "bare log /s", "ratio", "4 groups wait /s", "ratio");
    for (size_t g = 0; g < SG_COUNT_OF(groups); g++) {
        double evidence[ROUNDS], busy[ROUNDS], bare[ROUNDS];
        for (unsigned i = 0; i < ROUNDS; i++) { // interleaved
            evidence[i] = run_evidence(ev, groups[g], 1);
            busy[i] = run_evidence(ev, groups[g], 4);
            bare[i] = run_bare(fd, groups[g]);
        }
        double a = median(evidence), b = median(bare), c = median(busy);
        printf("%-8u %14.0f %14.0f %8.2f %18.0f %8.2f\n", groups[g], a, b,
               a / b, c, c / b);
    }
    printf("evidence: chain, tree, signed checkpoint, two syncs a group; bare: "
           "one\n");
    sg_evidence_close(&ev);
    sg_disk_real.close(NULL, fd);
    sg_crypto_signer_free(&key);
    must(sg_os_file_remove_tree(home), "remove");
    return 0;
}
