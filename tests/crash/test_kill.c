// kill -9 at every named point of the writer, and at random times.
//
// A child works and tells through a pipe how many entries are durable; it kills
// itself at the n-th time it passes a point. Whatever it told must be there.
// SG_KILL_RANDOM sets the number of kills at random times (50).
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/crash/work.h"

static const char *const points[] = {
    "group_taken",       "key_item",
    "payload_item",      "object_described",
    "object_named",      "payload_written",
    "payload_synced",    "log_half_written",
    "log_written",       "log_synced",
    "checkpoint_signed", "slot_written",
    "slot_synced",       "told",
    "segment_ready",     "segment_renamed",
    "index_rows_put",    "index_committed",
    "wrap_written",      "table_renamed",
    "wrap_overwritten",
};

#define SNAPSHOT ((uint64_t)1 << 63) // told: a snapshot, not entries

struct victim {
    const char *point; // NULL: the parent kills
    unsigned times;    // passes before it dies
};

static void
die_at(void *arg, const char *name)
{
    struct victim *victim = arg;
    if (victim->point != NULL && strcmp(name, victim->point) == 0 &&
        victim->times-- == 0)
        (void)raise(SIGKILL);
}

static void
tell(int fd, uint64_t acked)
{
    if (write(fd, &acked, sizeof(acked)) != sizeof(acked))
        _exit(3);
}

static void
destroy_one(struct home *home, uint64_t n)
{
    struct sg_payload_meta meta;
    uint8_t name[1][SG_KEYS_NAME_LEN];
    struct sg_evidence_event event;
    object_meta(n, &meta);
    memset(meta.manifest_sha256 + 8, 0xee, 8); // one that no entry speaks of
    assert_int_equal(
        sg_evidence_new_key(home->ev, meta.manifest_sha256, meta.variant),
        SG_OK);
    memcpy(name[0], meta.manifest_sha256, 32);
    memset(name[0] + 32, 0xff, 16);
    assert_int_equal(sg_evidence_destroy_keys(
                         home->ev, (const uint8_t(*)[SG_KEYS_NAME_LEN])name, 1),
                     SG_OK);
    assert_int_equal(sg_evidence_destroy_wraps(home->ev), SG_OK);
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    home_await(home, SG_EVIDENCE_WRAP_GONE, &event);
}

static _Noreturn void
work_until_killed(struct home *home, int fd)
{
    struct sg_evidence_snapshot snapshot = {.core = SG_SLICE("core")};
    struct sg_evidence_event event;
    home_open(home);
    tell(fd, sg_evidence_next_seq(home->ev));
    for (unsigned turn = 0; turn < 100000; turn++) {
        uint64_t next = sg_evidence_next_seq(home->ev);
        uint64_t count = 1 + (next * 2654435761u >> 7) % 9;
        for (uint64_t seq = next; seq < next + count; seq++) {
            if (has_object(seq))
                store_object(home, seq);
        }
        home_append_durable(home, count);
        tell(fd, next + count);
        if (turn % 8 == 7)
            destroy_one(home, next);
        if (turn % 10 == 9) {
            snapshot.seq = next + count - 1;
            assert_int_equal(sg_evidence_save_snapshot(home->ev, &snapshot),
                             SG_OK);
            if (turn % 20 == 19) { // else it dies with one on its way
                assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
                home_await(home, SG_EVIDENCE_SNAPSHOT, &event);
                tell(fd, SNAPSHOT | snapshot.seq);
            }
        }
    }
    _exit(0);
}

// Everything the pipe holds; the last number told, and the last snapshot.
static uint64_t
listen(int fd, int pid, unsigned patience_us, uint64_t *snapshot)
{
    uint64_t acked = 0, now;
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    if (patience_us > 0) {
        (void)usleep(patience_us);
        (void)kill(pid, SIGKILL);
    }
    while (poll(&poller, 1, 60000) > 0 &&
           read(fd, &now, sizeof(now)) == sizeof(now)) {
        if ((now & SNAPSHOT) != 0)
            *snapshot = now & ~SNAPSHOT;
        else
            acked = now;
    }
    return acked;
}

static void
one_kill(struct home *home, struct victim victim, unsigned patience_us)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        home->options.crash_point = die_at;
        home->options.crash_arg = &victim;
        work_until_killed(home, ends[1]);
    }
    (void)close(ends[1]);
    uint64_t snapshot = 0, acked = listen(ends[0], pid, patience_us, &snapshot);
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const char *why = check_state(home, acked, 0);
    if (why == NULL && home->snapshot_seq < snapshot)
        why = "a snapshot that was told is not begun with";
    if (why != NULL)
        fail_msg("killed at %s: %s",
                 victim.point == NULL ? "random" : victim.point, why);
}

static void
nothing_told_is_lost_at_any_named_point(void **state)
{
    (void)state;
    struct home home;
    for (size_t i = 0; i < SG_COUNT_OF(points); i++) {
        home_create(&home);
        for (unsigned times = 0; times < 4; times++)
            one_kill(&home, (struct victim){points[i], times * 2}, 0);
        home_remove(&home);
    }
}

static void
nothing_told_is_lost_at_random_times(void **state)
{
    (void)state;
    struct home home;
    uint64_t random = 20261124;
    const char *wanted = getenv("SG_KILL_RANDOM");
    unsigned kills = wanted == NULL ? 50 : (unsigned)strtoul(wanted, NULL, 10);
    home_create(&home);
    home.options.keys_cap = 100000; // as many objects as the time allows
    for (unsigned i = 0; i < kills; i++) {
        uint64_t draw;
        (void)home_random(&random, &draw, sizeof(draw));
        one_kill(&home, (struct victim){NULL, 0},
                 5000 + (unsigned)(draw % 60000));
    }
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_is_lost_at_any_named_point),
        cmocka_unit_test(nothing_told_is_lost_at_random_times),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
