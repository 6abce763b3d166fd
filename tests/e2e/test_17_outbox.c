// A publisher that dies at every call to its disk, then publishes the same
// again at the real gate: one release, and its receipt.
//   test_17_outbox                founds a gate (outbox.sh), which comes back as
//   test_17_outbox OFFICE FOLDER  with a home and a folder for files
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first
#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "adapters/client/manifest.h"
#include "adapters/client/statgate.h"
#include "broker/os/calls.h"
#include "broker/os/file.h"
#include "broker/os/process.h"

enum { MANY = 4, TIMEOUT_MS = 30000, LARGE_ROWS = 3000, POINTS_MAX = 300 };

static const char *home, *folder;

// ---- a disk that ends its program ----------------------------------------------

static unsigned calls_left;

static void
die_here(void)
{
    if (calls_left-- == 0)
        (void)raise(SIGKILL);
}

static ssize_t
last_write(int fd, const void *bytes, size_t len)
{
    die_here();
    return write(fd, bytes, len);
}

static int
last_sync(int fd)
{
    die_here();
    return fsync(fd);
}

static int
last_rename(const char *from, const char *to)
{
    die_here();
    return rename(from, to);
}

// Dies in the middle of what it writes.
static ssize_t
half_write(int fd, const void *bytes, size_t len)
{
    if (calls_left == 0)
        (void)!write(fd, bytes, len / 2);
    die_here();
    return write(fd, bytes, len);
}

static const struct sg_os_calls deadly = {.write = last_write,
                                          .fdatasync = last_sync,
                                          .fsync = last_sync,
                                          .rename = last_rename};
static const struct sg_os_calls halving = {.write = half_write,
                                           .fdatasync = last_sync,
                                           .fsync = last_sync,
                                           .rename = last_rename};

// ---- releases --------------------------------------------------------------------

struct set {
    char path[MANY][SG_OS_PATH];
    struct statgate_release release[MANY];
    size_t count;
};

static void
write_file(char path[SG_OS_PATH], unsigned number, unsigned rows)
{
    assert_true(sg_os_file_path(path, "%s/%u.csv", folder, number));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"
          "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"
          "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"
          "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE\n",
          out);
    for (unsigned i = 0; i < rows; i++)
        fprintf(out,
                "STATGATE:DF_SDG(1.0),A,G,AG_FPA_COMM,404,_T,_T,_T,_T,_T,_T,_T,"
                "_T,_T,_T,CPC2_1_112,%04u,%u,A,0,IX,G\n",
                1000 + i, number);
    assert_int_equal(fclose(out), 0);
}

// Two of flow A and two of flow B; what no release ever held.
static void
make_small(struct set *set, unsigned *number)
{
    static const char *const flow[MANY] = {"A", "B", "A", "B"};

    memset(set, 0, sizeof *set);
    set->count = MANY;
    for (size_t i = 0; i < MANY; i++) {
        write_file(set->path[i], ++*number, 2);
        set->release[i].flow = flow[i];
        set->release[i].file = set->path[i];
    }
}

static void
make_large(struct set *set, unsigned *number)
{
    memset(set, 0, sizeof *set);
    set->count = 1;
    write_file(set->path[0], ++*number, LARGE_ROWS);
    set->release[0].flow = "LARGE";
    set->release[0].file = set->path[0];
}

static struct statgate *
open_home(void)
{
    struct statgate_result result;
    struct statgate *handle;

    if (statgate_open(home, NULL, TIMEOUT_MS, &handle, &result) != 0)
        fail_msg("open: %s", result.sentence);
    return handle;
}

static uint64_t
revision_of(struct statgate *handle, const char *flow)
{
    struct statgate_result result;
    struct sg_head *head;

    assert_int_equal(sg_manifest_head(handle, flow, true, &head, &result), 0);
    return head->revision;
}

static void
publish(struct statgate *handle, const struct set *set,
        struct statgate_receipt *receipts, struct statgate_result *results)
{
    if (set->count == 1)
        (void)statgate_publish(handle, &set->release[0], NULL, NULL,
                               &receipts[0], &results[0]);
    else
        (void)statgate_publish_many(handle, set->release, set->count, receipts,
                                    results);
}

// true: it died at that call. false: it came to its end before.
static bool
publish_and_die(const struct set *set, const struct sg_os_calls *calls,
                unsigned point)
{
    int pid, status;

    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0) {
        struct statgate_receipt receipts[MANY];
        struct statgate_result results[MANY];
        struct statgate *handle = open_home();
        calls_left = point;
        sg_os_calls_replace(calls);
        publish(handle, set, receipts, results);
        _exit(0); // as if it died before it could use the answers
    }
    assert_true(sg_os_process_wait(pid, TIMEOUT_MS, &status));
    assert_true(status == 0 || status == 128 + SIGKILL);
    return status != 0;
}

static void
check_again(const struct set *set, const uint64_t *before, unsigned point)
{
    struct statgate_receipt receipts[MANY];
    struct statgate_result results[MANY];
    struct statgate *handle = open_home();

    memset(receipts, 0, sizeof receipts);
    publish(handle, set, receipts, results);
    for (size_t i = 0; i < set->count; i++) {
        uint64_t wanted = before[i] + 1;
        for (size_t k = 0; k < i; k++)
            wanted += strcmp(set->release[k].flow, set->release[i].flow) == 0;
        if (results[i].exit != 0 || receipts[i].revision != wanted ||
            receipts[i].observations != (set->count == 1 ? LARGE_ROWS : 2))
            fail_msg("call %u, release %zu: %s, revision %llu of %llu, %llu "
                     "observations",
                     point, i, results[i].code,
                     (unsigned long long)receipts[i].revision,
                     (unsigned long long)wanted,
                     (unsigned long long)receipts[i].observations);
    }
    for (size_t i = 0; i < set->count; i++)
        assert_int_equal(revision_of(handle, set->release[i].flow),
                         before[i] + (set->count == 1 ? 1 : 2));
    statgate_close(&handle);
}

static void
die_everywhere(void (*make)(struct set *set, unsigned *number),
               const struct sg_os_calls *calls, unsigned least)
{
    static unsigned number;
    unsigned point = 0;
    bool died = true;

    while (died) {
        uint64_t before[MANY];
        struct set set;
        struct statgate *handle = open_home();
        make(&set, &number);
        for (size_t i = 0; i < set.count; i++)
            before[i] = revision_of(handle, set.release[i].flow);
        statgate_close(&handle);
        died = publish_and_die(&set, calls, point);
        if (died)
            check_again(&set, before, point++);
        assert_true(point < POINTS_MAX);
    }
    print_message("died at %u calls\n", point);
    assert_true(point >= least);
}

static void
a_publisher_of_many_that_dies_anywhere_makes_each_release_once(void **state)
{
    (void)state;
    die_everywhere(make_small, &deadly, 12);
}

static void
half_a_receipt_at_the_end_of_the_outbox_hides_no_other(void **state)
{
    (void)state;
    die_everywhere(make_small, &halving, 12);
}

static void
a_publisher_of_a_large_release_that_dies_anywhere_makes_it_once(void **state)
{
    (void)state;
    die_everywhere(make_large, &halving, 6);
}

// The gate's processes are children of the script, which ends them by pid.
static int
found(const char *self)
{
    char statgate[SG_OS_PATH], own[SG_OS_PATH], programs[SG_OS_PATH];
    int pid, status = 1;

    if (sg_os_process_folder(programs, sizeof programs) != SG_OK ||
        !sg_os_file_path(statgate, "%s/../../statgate", programs) ||
        !sg_os_file_path(own, "%s/%s", programs, strrchr(self, '/') + 1))
        return 1;
    const char *argv[] = {"/bin/sh", "tests/e2e/outbox.sh", statgate, own,
                          (char *)NULL};
    if (sg_os_process_spawn(argv, NULL, &pid) != SG_OK ||
        !sg_os_process_wait(pid, 280000, &status))
        return 1;
    return status;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_publisher_of_many_that_dies_anywhere_makes_each_release_once),
        cmocka_unit_test(
            half_a_receipt_at_the_end_of_the_outbox_hides_no_other),
        cmocka_unit_test(
            a_publisher_of_a_large_release_that_dies_anywhere_makes_it_once),
    };

    if (argc != 3)
        return found(argv[0]);
    home = argv[1];
    folder = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
