// What process.h promises about this process and its children.
#define _GNU_SOURCE // pipe2
#include "tests/unit/os/fixture.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "broker/os/clock.h"
#include "broker/os/process.h"
#include "broker/os/random.h"

static int
shell(const char *script, const int *keep)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    int pid = 0;

    assert_int_equal(sg_os_process_spawn(argv, keep, &pid), SG_OK);
    assert_true(pid > 0);
    return pid;
}

static void
a_child_ends_with_its_status_or_its_signal(void **unused)
{
    static const struct {
        const char *script;
        int status;
    } cases[] = {
        {"exit 0", 0},
        {"exit 75", 75},
        {"kill -9 $$", 128 + 9},
        {"kill -15 $$", 128 + 15},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        int status = -1;
        int pid = shell(cases[i].script, NULL);
        assert_true(sg_os_process_wait(pid, 10000, &status));
        assert_int_equal(status, cases[i].status);
        assert_false(sg_os_process_wait(pid, 10000, &status)); // only once
    }
}

static void
waiting_ends_in_time_and_a_child_can_be_ended(void **unused)
{
    int status = -1;
    int pid = shell("exec sleep 60", NULL);
    (void)unused;
    uint64_t before = sg_os_clock_mono_us();
    assert_false(sg_os_process_wait(pid, 20, &status));
    assert_in_range(sg_os_clock_mono_us() - before, 20000, 10000000);
    sg_os_process_end(pid, false);
    assert_true(sg_os_process_wait(pid, 10000, &status));
    assert_int_equal(status, 128 + SIGTERM);
    pid = shell("exec sleep 60", NULL);
    sg_os_process_end(pid, true);
    assert_true(sg_os_process_wait(pid, 10000, &status));
    assert_int_equal(status, 128 + SIGKILL);
    sg_os_process_end(0, true);  // would be our own group
    sg_os_process_end(-1, true); // would be everybody
}

static void
a_child_gets_the_descriptors_it_shall_keep_and_no_others(void **unused)
{
    char script[128];
    int kept[2], other[2], status;
    (void)unused;
    assert_int_equal(pipe2(kept, O_CLOEXEC), 0);
    assert_int_equal(pipe2(other, O_CLOEXEC), 0);
    const int keep[] = {kept[1], -1};
    (void)snprintf(script, sizeof script,
                   "test -e /proc/self/fd/%d && ! test -e /proc/self/fd/%d && "
                   "! test -e /proc/self/fd/%d",
                   kept[1], kept[0], other[1]);
    int pid = shell(script, keep);
    assert_true(sg_os_process_wait(pid, 10000, &status));
    assert_int_equal(status, 0);
    assert_true((fcntl(kept[1], F_GETFD) & FD_CLOEXEC) != 0); // here as before
    for (int i = 0; i < 2; i++) {
        sg_os_file_close(&kept[i]);
        sg_os_file_close(&other[i]);
    }
}

static void
a_program_that_is_not_there_is_said_as_such(void **unused)
{
    const char *const argv[] = {"/no/such/program", NULL};
    int pid;
    (void)unused;
    assert_int_equal(sg_os_process_spawn(argv, NULL, &pid), SG_ERR_NOT_FOUND);
}

static void
any_child_that_ended_can_be_reaped(void **unused)
{
    int pid, got = 0, status = -1;
    (void)unused;
    assert_false(sg_os_process_reap(&got, &status));
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0)
        _exit(7);
    uint64_t end = sg_os_clock_mono_us() + 10000000;
    while (!sg_os_process_reap(&got, &status) && sg_os_clock_mono_us() < end)
        ;
    assert_int_equal(got, pid);
    assert_int_equal(status, 7);
}

static void
term_and_int_ask_to_stop_and_a_closed_pipe_asks_nothing(void **unused)
{
    static const int signals[] = {SIGTERM, SIGINT};
    int ends[2];
    (void)unused;
    sg_os_process_signals();
    for (size_t i = 0; i < 2; i++) {
        sg_os_process_stop = 0;
        assert_int_equal(raise(signals[i]), 0);
        assert_int_equal(sg_os_process_stop, 1);
    }
    assert_int_equal(pipe(ends), 0);
    sg_os_file_close(&ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    sg_os_file_close(&ends[1]);
}

static void
memory_in_use_follows_what_is_touched(void **unused)
{
    enum { LEN = 64 * 1024 * 1024 };
#ifdef __SANITIZE_THREAD__
    const uint64_t most = 8ull * LEN; // it remembers who touched what
#else
    const uint64_t most = 2ull * LEN;
#endif
    uint64_t before = sg_os_process_rss();
    (void)unused;
    volatile char *bytes = malloc(LEN); // else the compiler leaves it out
    for (size_t i = 0; i < LEN; i += 1024)
        bytes[i] = 1;
    uint64_t after = sg_os_process_rss();
    assert_in_range(after - before, LEN - (1 << 22), most);
    assert_true(sg_os_process_peak() >= LEN);
    free((void *)(uintptr_t)bytes);
}

static void
limits_are_raised_as_far_as_the_system_lets(void **unused)
{
    struct rlimit limit;
    (void)unused;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(sg_os_process_raise_files(64), 64);
    assert_int_equal(sg_os_process_raise_files(UINT64_MAX - 1), limit.rlim_max);
    sg_os_process_no_core();
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
}

static void
the_folder_of_the_program_holds_the_program(void **unused)
{
    char folder[SG_OS_PATH], small[4], path[SG_OS_PATH + 32];
    (void)unused;
    assert_int_equal(sg_os_process_folder(folder, sizeof folder), SG_OK);
    (void)snprintf(path, sizeof path, "%s/test_process", folder);
    assert_true(sg_os_file_exists(path));
    assert_int_equal(sg_os_process_folder(small, sizeof small), SG_ERR_IO);
}

static void
random_bytes_fill_all_of_the_room_and_differ(void **unused)
{
    uint8_t seen[700] = {0}, first[32], second[32], bytes[700];
    (void)unused;
    sg_os_random_fill(first, sizeof first);
    sg_os_random_fill(second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    for (int round = 0; round < 16; round++) { // over what one call may give
        sg_os_random_fill(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_not_equal(seen[i], 0); // by chance once in 2^118
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_ends_with_its_status_or_its_signal),
        cmocka_unit_test(waiting_ends_in_time_and_a_child_can_be_ended),
        cmocka_unit_test(
            a_child_gets_the_descriptors_it_shall_keep_and_no_others),
        cmocka_unit_test(a_program_that_is_not_there_is_said_as_such),
        cmocka_unit_test(any_child_that_ended_can_be_reaped),
        cmocka_unit_test(
            term_and_int_ask_to_stop_and_a_closed_pipe_asks_nothing),
        cmocka_unit_test(memory_in_use_follows_what_is_touched),
        cmocka_unit_test(limits_are_raised_as_far_as_the_system_lets),
        cmocka_unit_test(the_folder_of_the_program_holds_the_program),
        cmocka_unit_test(random_bytes_fill_all_of_the_room_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
