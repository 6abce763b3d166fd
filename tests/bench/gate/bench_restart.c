// Restart after kill -9 with a million entries in the log: at the worst place,
// just before a snapshot, at the best, just after one, and without any; beside
// reading the same bytes in the same run. Releases of two subscribers each, as
// in bench_state.
//   bench_restart [BUILD]      SG_BENCH_ENTRIES: 1048576
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/core/snapshot.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/segment.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/log.h"
#include "broker/os/process.h"
#include "broker/recover.h"
#include "tests/bench/gate/history.h"

enum { GROUP = 2048, ROWS = 4096, ROUNDS = 3, BEHIND = 64 };

static const uint8_t log_seed[32] = {1};

struct maker {
    struct history h;
    struct sg_evidence *ev;
    struct sg_core *core;
    unsigned rows, grouped;
    uint8_t *bytes; // of a snapshot
    size_t len, cap;
};

static void
must(enum sg_err err, const char *what)
{
    if (err == SG_OK)
        return;
    fprintf(stderr, "bench_restart: %s: %s\n", what, sg_err_sentence(err));
    exit(1);
}

static struct sg_signer *
log_key(void)
{
    struct sg_signer *key;

    must(sg_crypto_signer_new(log_seed, &key), "key");
    return key;
}

// ---- making the log --------------------------------------------------------

static void
await(struct maker *m, enum sg_evidence_event_kind kind)
{
    struct sg_evidence_event event = {0};

    must(sg_evidence_flush(m->ev), "flush");
    while (event.kind != kind) {
        struct pollfd fd = {.fd = sg_evidence_fd(m->ev), .events = POLLIN};
        (void)poll(&fd, 1, 1000);
        while (event.kind != kind && sg_evidence_poll(m->ev, &event))
            must(event.err, "write");
    }
}

static void
await_durable(struct maker *m)
{
    struct sg_evidence_event event;

    must(sg_evidence_flush(m->ev), "flush");
    while (sg_evidence_durable_size(m->ev) < sg_evidence_next_seq(m->ev)) {
        struct pollfd fd = {.fd = sg_evidence_fd(m->ev), .events = POLLIN};
        (void)poll(&fd, 1, 1000);
        while (sg_evidence_poll(m->ev, &event))
            must(event.err, "write");
    }
}

static void
put_rows(struct maker *m)
{
    const struct sg_row *row;

    while ((row = sg_core_row(m->core)) != NULL) {
        must(sg_evidence_put_row(m->ev, row->table,
                                 sg_slice_of(row->key, row->key_len),
                                 sg_slice_of(row->value, row->value_len)),
             "row");
        m->rows++;
    }
    if (m->rows < ROWS)
        return;
    uint64_t last = sg_evidence_next_seq(m->ev) - 1;
    must(sg_evidence_commit_rows(m->ev, last), "rows");
    await(m, SG_EVIDENCE_INDEX);
    sg_core_indexed(m->core, last);
    m->rows = 0;
}

static void
append(struct maker *m, const struct sg_appended *entry)
{
    must(sg_core_apply(m->core, entry), "apply");
    must(sg_evidence_append(m->ev, entry->seq, entry->type, entry->time_us,
                            entry->body),
         "append");
    put_rows(m);
    if (++m->grouped == GROUP) {
        m->grouped = 0;
        await_durable(m);
    }
}

static enum sg_err
gather(void *ctx, struct sg_slice piece)
{
    struct maker *m = (struct maker *)ctx;

    if (m->cap - m->len < piece.len) {
        m->cap = (m->cap + piece.len) * 2;
        m->bytes = realloc(m->bytes, m->cap);
        if (m->bytes == NULL)
            return SG_ERR_MEMORY;
    }
    memcpy(m->bytes + m->len, piece.ptr, piece.len);
    m->len += piece.len;
    return SG_OK;
}

// As the core does it: entry 13, then the state that it states.
static void
take_snapshot(struct maker *m)
{
    Sgpb__SnapshotEntry body = SGPB__SNAPSHOT_ENTRY__INIT;
    struct sg_evidence_snapshot made = {.seq = m->h.next};
    struct sg_snapshot_sink sink = {.ctx = m, .put = gather};

    sg_snapshot_hash(m->core, made.state_sha256);
    body.at = m->h.next - 1;
    body.state_sha256 = BYTES(made.state_sha256, 32);
    sg_arena_reset(m->h.arena);
    append(m, &(struct sg_appended){.seq = m->h.next++,
                                    .type = SG_ENTRY_SNAPSHOT,
                                    .time_us = m->h.time,
                                    .body = history_pack(&m->h, &body.base)});
    m->len = 0;
    must(sg_snapshot_write(m->core, &sink), "snapshot");
    made.core = sg_slice_of(m->bytes, m->len);
    must(sg_evidence_save_snapshot(m->ev, &made), "snapshot");
    await(m, SG_EVIDENCE_SNAPSHOT);
    sg_core_indexed(m->core, made.seq);
    m->rows = 0;
}

static enum sg_err
nothing(void *arg, const struct sg_evidence_entry *entry)
{
    (void)arg, (void)entry;
    return SG_OK;
}

static void
begin(struct maker *m, const char *home)
{
    struct sg_evidence_options options = {
        .home = home, .gate = "HUB", .log_key = log_key()};
    struct sg_diag diag;
    uint8_t genesis[32];

    history_open(&m->h);
    m->h.destroys = true; // as a gate does within a day
    const struct sim_entry *first = &m->h.sim->entries[0];
    struct sg_core_options core = {.gate = SG_SLICE("HUB"),
                                   .signer = m->h.sim->gate_signer};
    m->core = sg_core_new(&core);
    must(sg_evidence_create(&options, first->time, first->body, genesis),
         "create");
    must(sg_evidence_open(&options, &m->ev, &diag), "open");
    must(sg_evidence_replay(m->ev, nothing, NULL, &diag), "replay");
    must(sg_evidence_start(m->ev, &diag), "start");
    for (size_t i = 0; i < m->h.sim->count; i++) {
        const struct sim_entry *one = &m->h.sim->entries[i];
        struct sg_appended entry = {.seq = one->seq,
                                    .type = one->type,
                                    .time_us = one->time,
                                    .body = one->body};
        if (i == 0)
            must(sg_core_apply(m->core, &entry), "apply");
        else
            append(m, &entry);
    }
}

static void
tell(int fd)
{
    if (write(fd, "x", 1) != 1)
        _exit(1);
}

// Tells when the next entry would be the last snapshot's and waits for a copy
// to be made; goes on a little beyond it, tells, and is killed.
static _Noreturn void
make(const char *home, uint64_t entries, int out, int in)
{
    static struct maker m;
    struct sg_appended entry;
    char go;

    begin(&m, home);
    uint64_t next = SG_LIMIT_SNAPSHOT, last = entries / SG_LIMIT_SNAPSHOT;
    for (uint64_t n = 1; n <= last; n++, next = m.h.next + SG_LIMIT_SNAPSHOT) {
        while (m.h.next < next) {
            history_next(&m.h, &entry);
            append(&m, &entry);
        }
        if (n == last) {
            await_durable(&m);
            tell(out);
            if (read(in, &go, 1) != 1)
                _exit(1);
        }
        take_snapshot(&m);
    }
    for (unsigned i = 0; i < BEHIND; i++) {
        history_next(&m.h, &entry);
        append(&m, &entry);
    }
    await_durable(&m);
    tell(out);
    for (;;)
        (void)pause();
}

// ---- measuring -------------------------------------------------------------

struct measured {
    double seconds;
    uint64_t rss, peak, replayed, entries;
};

static struct measured
restart(const char *home)
{
    struct measured out = {0};
    int ends[2];

    if (pipe(ends) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t sign[32] = {99};
        struct sg_recover_options options = {
            .store = home, .gate = "HUB", .log_key = log_key()};
        struct sg_recover made;
        struct sg_diag diag;
        must(sg_crypto_signer_new(sign, &options.sign_key), "key");
        sg_log_set_level(SG_LOG_OFF);
        uint64_t before = sg_os_process_rss();
        uint64_t begin_us = sg_os_clock_mono_us();
        enum sg_err err = sg_recover_open(&options, &made, &diag);
        if (err != SG_OK)
            fprintf(stderr, "%s\n", diag.text);
        must(err, "restart");
        out.seconds = (double)(sg_os_clock_mono_us() - begin_us) / 1e6;
        out.rss = sg_os_process_rss() - before;
        out.peak = sg_os_process_peak();
        out.replayed = made.replayed;
        out.entries = sg_core_next_seq(made.core);
        _exit(write(ends[1], &out, sizeof out) == sizeof out ? 0 : 1);
    }
    (void)close(ends[1]);
    if (read(ends[0], &out, sizeof out) != sizeof out)
        exit(1);
    (void)close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    return out;
}

// As `wc -c` that looks: all bytes of the log, once.
static double
read_log(const char *home, double *megabytes)
{
    static uint8_t buffer[256 * 1024];
    char path[SG_DISK_PATH];
    uint64_t *firsts, sum = 0, bytes = 0;
    size_t count;
    uint64_t begin_us = sg_os_clock_mono_us();

    must(sg_disk_path(path, "%s/evidence", home) ? SG_OK : SG_ERR_FULL, "path");
    must(sg_segment_list(path, &firsts, &count), "segments");
    for (size_t i = 0; i < count; i++) {
        char name[SG_SEGMENT_NAME];
        sg_segment_name(firsts[i], name);
        must(sg_disk_path(path, "%s/evidence/%s", home, name) ? SG_OK
                                                              : SG_ERR_FULL,
             "path");
        FILE *file = fopen(path, "rb");
        for (size_t got;
             file != NULL && (got = fread(buffer, 1, sizeof buffer, file)) > 0;
             bytes += got)
            for (size_t k = 0; k + 8 <= got; k += 8)
                sum += sg_bytes_load_u64(buffer + k);
        if (file != NULL)
            (void)fclose(file);
    }
    free(firsts);
    double seconds = (double)(sg_os_clock_mono_us() - begin_us) / 1e6;
    *megabytes = (double)bytes / 1e6 + (sum == 1 ? 1e-9 : 0);
    return seconds;
}

static void
print(const char *name, const char *home, unsigned rounds)
{
    struct measured best = {.seconds = 1e9};
    double megabytes, reading = 1e9;

    for (unsigned i = 0; i < rounds; i++) { // interleaved
        struct measured one = restart(home);
        double seconds = read_log(home, &megabytes);
        best = one.seconds < best.seconds ? one : best;
        reading = seconds < reading ? seconds : reading;
    }
    printf("%-24s %9llu %9llu %8.2f s %8.2f s %7.1f %8.1f MB\n", name,
           (unsigned long long)best.entries, (unsigned long long)best.replayed,
           best.seconds, reading, best.seconds / reading,
           (double)best.rss / 1e6);
    (void)fflush(stdout);
}

static void
copy_tree(const char *from, const char *to)
{
    char command[2 * SG_DISK_PATH + 32];

    (void)snprintf(command, sizeof command, "cp -a '%s' '%s'", from, to);
    if (system(command) != 0) // NOLINT(cert-env33-c): names are our own
        exit(1);
}

int
main(void)
{
    const char *wanted = getenv("SG_BENCH_ENTRIES");
    uint64_t entries = wanted == NULL ? 1048576 : strtoull(wanted, NULL, 10);
    char home[] = "./bench-restart-XXXXXX";
    char made[SG_DISK_PATH], worst[SG_DISK_PATH], path[SG_DISK_PATH], told;
    int out[2], in[2];

    if (sg_crypto_start() != SG_OK || mkdtemp(home) == NULL || pipe(out) != 0 ||
        pipe(in) != 0)
        return 1;
    must(sg_disk_path(made, "%s/made", home) &&
                 sg_disk_path(worst, "%s/worst", home) &&
                 sg_disk_path(path, "%s/made/index", home)
             ? SG_OK
             : SG_ERR_FULL,
         "path");
    must(sg_disk_real.make_dir(NULL, made), "folder");
    pid_t pid = fork();
    if (pid == 0)
        make(made, entries, out[1], in[0]);
    (void)close(out[1]); // so that its end is seen
    if (read(out[0], &told, 1) != 1)
        return 1;
    copy_tree(made, worst); // what kill -9 leaves: nothing is in flight
    tell(in[1]);
    if (read(out[0], &told, 1) != 1)
        return 1;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    printf("%-24s %9s %9s %10s %10s %7s %11s\n", "killed", "entries",
           "replayed", "serving", "reading", "ratio", "memory");
    print("just after a snapshot", made, ROUNDS);
    print("just before a snapshot", worst, ROUNDS);
    must(sg_os_file_remove_tree(path), "remove");
    print("no snapshot to be used", made, 1);
    printf("reading: all bytes of the log once, as wc does, in the same run\n");
    must(sg_os_file_remove_tree(home), "remove");
    return 0;
}
