// What file.h promises: whole or not at all, whatever the system does.
#include "tests/unit/os/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "broker/os/calls.h"
#include "broker/os/log.h"

// ---- a system that fails half-way ------------------------------------------

static struct {
    int interrupts;   // so many calls are interrupted first
    size_t piece;     // at most so many bytes a call; 0: all
    ssize_t room;     // bytes until the disk is full; -1: it never is
    int sync_errno;   // what every sync says; 0: it works
    int rename_errno; // what rename says; 0: it works
    unsigned syncs;
} fault;

static ssize_t
allowed(size_t len, bool writes)
{
    if (fault.interrupts > 0) {
        fault.interrupts--;
        errno = EINTR;
        return -1;
    }
    len = fault.piece != 0 && len > fault.piece ? fault.piece : len;
    if (!writes || fault.room < 0)
        return (ssize_t)len;
    if (fault.room == 0) {
        errno = ENOSPC;
        return -1;
    }
    len = len > (size_t)fault.room ? (size_t)fault.room : len;
    fault.room -= (ssize_t)len;
    return (ssize_t)len;
}

static ssize_t
bad_read(int fd, void *bytes, size_t len)
{
    ssize_t part = allowed(len, false);
    return part < 0 ? -1 : read(fd, bytes, (size_t)part);
}

static ssize_t
bad_write(int fd, const void *bytes, size_t len)
{
    ssize_t part = allowed(len, true);
    return part < 0 ? -1 : write(fd, bytes, (size_t)part);
}

static ssize_t
bad_pread(int fd, void *bytes, size_t len, off_t at)
{
    ssize_t part = allowed(len, false);
    return part < 0 ? -1 : pread(fd, bytes, (size_t)part, at);
}

static ssize_t
bad_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t part = allowed(len, true);
    return part < 0 ? -1 : pwrite(fd, bytes, (size_t)part, at);
}

static int
bad_sync(int fd)
{
    (void)fd;
    fault.syncs++;
    errno = fault.sync_errno;
    return fault.sync_errno == 0 ? 0 : -1;
}

static int
bad_rename(const char *from, const char *to)
{
    errno = fault.rename_errno;
    return fault.rename_errno == 0 ? rename(from, to) : -1;
}

static const struct sg_os_calls bad = {
    bad_read, bad_write, bad_pread, bad_pwrite, bad_sync, bad_sync, bad_rename};

static int
make(void **state)
{
    memset(&fault, 0, sizeof fault);
    fault.room = -1;
    sg_os_calls_replace(&bad);
    return home_make(state);
}

static int
drop(void **state)
{
    sg_os_calls_replace(NULL);
    return home_drop(state);
}

static void
assert_content(const char *path, const char *text)
{
    uint8_t *bytes;
    size_t len;

    assert_int_equal(sg_os_file_read(path, 1 << 20, &bytes, &len), SG_OK);
    assert_int_equal(len, strlen(text));
    assert_string_equal((char *)bytes, text); // with a NUL behind it
    free(bytes);
}

static void
put(const char *path, const char *text)
{
    assert_int_equal(sg_os_file_replace(path, sg_slice_text(text), true),
                     SG_OK);
}

// ---- reading and writing ------------------------------------------------------

static void
interrupted_and_short_calls_are_finished(void **state)
{
    const char *path = in(state, "numbers");
    char out[11] = "";
    uint8_t *bytes;
    size_t len;
    int fd;
    fault.piece = 3;
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_NEW, &fd), SG_OK);
    fault.interrupts = 2;
    assert_int_equal(sg_os_file_write(fd, SG_SLICE("0123456789")), SG_OK);
    fault.interrupts = 2;
    assert_int_equal(sg_os_file_pwrite(fd, 4, SG_SLICE("abcde")), SG_OK);
    fault.interrupts = 2;
    assert_int_equal(sg_os_file_pread(fd, 1, out, 9), SG_OK);
    assert_string_equal(out, "123abcde9");
    sg_os_file_close(&fd);
    assert_int_equal(fd, -1);
    fault.interrupts = 2;
    assert_int_equal(sg_os_file_read(path, 10, &bytes, &len), SG_OK);
    assert_int_equal(len, 10);
    assert_memory_equal(bytes, "0123abcde9", 11);
    free(bytes);
}

static void
a_full_disk_is_said_as_such(void **state)
{
    int fd;
    assert_int_equal(sg_os_file_open(in(state, "a"), SG_OS_OPEN_NEW, &fd),
                     SG_OK);
    fault.room = 5;
    assert_int_equal(sg_os_file_write(fd, SG_SLICE("0123456789")), SG_ERR_DISK);
    fault.room = 5;
    assert_int_equal(sg_os_file_pwrite(fd, 0, SG_SLICE("0123456789")),
                     SG_ERR_DISK);
    sg_os_file_close(&fd);
}

static void
a_failed_sync_is_reported_and_not_tried_again(void **state)
{
    int fd;
    assert_int_equal(sg_os_file_open(in(state, "a"), SG_OS_OPEN_NEW, &fd),
                     SG_OK);
    assert_int_equal(sg_os_file_sync(fd), SG_OK);
    fault.syncs = 0;
    fault.sync_errno = EIO;
    assert_int_equal(sg_os_file_sync(fd), SG_ERR_IO);
    assert_int_equal(fault.syncs, 1);
    fault.sync_errno = EINTR; // not even then: the pages may be lost
    assert_int_equal(sg_os_file_sync(fd), SG_ERR_IO);
    assert_int_equal(fault.syncs, 2);
    assert_int_equal(sg_os_file_sync_dir(in(state, ".")), SG_ERR_IO);
    sg_os_file_close(&fd);
}

static void
a_file_over_the_cap_is_refused_and_an_empty_one_is_read(void **state)
{
    const char *path = in(state, "a");
    uint8_t *bytes;
    size_t len;
    put(path, "0123456789");
    assert_int_equal(sg_os_file_read(path, 10, &bytes, &len), SG_OK);
    free(bytes);
    assert_int_equal(sg_os_file_read(path, 9, &bytes, &len), SG_ERR_FULL);
    assert_null(bytes);
    assert_int_equal(len, 0);
    put(path, "");
    assert_content(path, "");
    assert_int_equal(sg_os_file_read(in(state, "none"), 9, &bytes, &len),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(sg_os_file_read(in(state, "."), 9, &bytes, &len),
                     SG_ERR_IO); // a folder
}

static void
large_files_and_pipes_are_read_to_their_end(void **state)
{
    enum { LEN = 300000 };
    uint8_t *made = malloc(LEN), *bytes;
    size_t len;
    int ends[2];
    for (size_t i = 0; i < LEN; i++)
        made[i] = (uint8_t)(i * 7 + i / 255);
    assert_int_equal(
        sg_os_file_replace(in(state, "big"), sg_slice_of(made, LEN), false),
        SG_OK);
    assert_int_equal(sg_os_file_read(in(state, "big"), LEN, &bytes, &len),
                     SG_OK);
    assert_int_equal(len, LEN);
    assert_memory_equal(bytes, made, LEN);
    free(bytes);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], made, 5000), 5000);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(sg_os_file_read_fd(ends[0], 5000, &bytes, &len), SG_OK);
    assert_int_equal(len, 5000);
    free(bytes);
    sg_os_file_close(&ends[0]);
    free(made);
}

static void
reading_beyond_the_end_is_short(void **state)
{
    char out[8];
    int fd;
    put(in(state, "a"), "0123");
    assert_int_equal(sg_os_file_open(in(state, "a"), SG_OS_OPEN_READ, &fd),
                     SG_OK);
    assert_int_equal(sg_os_file_pread(fd, 0, out, 4), SG_OK);
    assert_int_equal(sg_os_file_pread(fd, 0, out, 5), SG_ERR_SHORT);
    assert_int_equal(sg_os_file_pread(fd, 9, out, 1), SG_ERR_SHORT);
    uint64_t size;
    assert_int_equal(sg_os_file_size(fd, &size), SG_OK);
    assert_int_equal(size, 4);
    sg_os_file_close(&fd);
}

static void
files_open_as_asked_and_never_for_a_child(void **state)
{
    const char *path = in(state, "a");
    struct stat about;
    int fd;
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_READ, &fd),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_WRITE, &fd),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_NEW, &fd), SG_OK);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(fstat(fd, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    sg_os_file_close(&fd);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_NEW, &fd), SG_ERR_EXISTS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_APPEND, &fd), SG_OK);
        assert_int_equal(sg_os_file_write(fd, SG_SLICE("ab")), SG_OK);
        sg_os_file_close(&fd);
    }
    assert_content(path, "abab");
}

// ---- replacing ----------------------------------------------------------------

// Whatever fails on the way: the old bytes, and nothing left lying about.
static void
a_replacement_that_fails_leaves_the_old_file(void **state)
{
    const char *path = in(state, "roster");
    for (int failure = 0; failure < 3; failure++) {
        char **names;
        size_t count;
        put(path, "old");
        fault.room = failure == 0 ? 2 : -1;
        fault.sync_errno = failure == 1 ? EIO : 0;
        fault.rename_errno = failure == 2 ? EIO : 0;
        assert_int_equal(sg_os_file_replace(path, SG_SLICE("newer"), true),
                         failure == 0 ? SG_ERR_DISK : SG_ERR_IO);
        assert_content(path, "old");
        assert_int_equal(sg_os_file_list(in(state, "."), &names, &count),
                         SG_OK);
        assert_int_equal(count, 1);
        free(names);
        fault.room = -1;
        fault.sync_errno = fault.rename_errno = 0;
    }
}

static void
a_replacement_is_synced_twice_and_has_the_mode_asked_for(void **state)
{
    const char *path = in(state, "key");
    struct stat about;
    (void)umask(022);
    for (int private_ = 0; private_ < 2; private_++) {
        put(in(state, "key.new"), "of a crash"); // is in nobody's way
        fault.syncs = 0;
        assert_int_equal(sg_os_file_replace(path, SG_SLICE("x"), private_ == 1),
                         SG_OK);
        assert_int_equal(fault.syncs, 2); // the file, then its folder
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, private_ == 1 ? 0600 : 0644);
        assert_false(sg_os_file_exists(in(state, "key.new")));
    }
}

// ---- folders -------------------------------------------------------------------

static void
folders_are_made_with_their_parents_for_us_alone(void **state)
{
    struct stat about;
    const char *path = in(state, "a/b/c");
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    assert_int_equal(stat(in(state, "a"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    put(in(state, "a/file"), "x");
    assert_int_equal(sg_os_file_make_dirs(in(state, "a/file")), SG_ERR_EXISTS);
    assert_int_equal(sg_os_file_make_dirs(in(state, "a/file/d")),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(sg_os_file_make_dirs(""), SG_ERR_FULL);
}

static void
a_folder_lists_sorted_and_without_dots(void **state)
{
    char name[16], **names;
    size_t count;
    assert_int_equal(sg_os_file_list(in(state, "."), &names, &count), SG_OK);
    assert_int_equal(count, 0);
    free(names);
    for (unsigned i = 0; i < 1500; i++) {
        int fd;
        (void)snprintf(name, sizeof name, "%u", i * 7 % 1500);
        assert_int_equal(sg_os_file_open(in(state, name), SG_OS_OPEN_NEW, &fd),
                         SG_OK);
        sg_os_file_close(&fd);
    }
    assert_int_equal(sg_os_file_list(in(state, "."), &names, &count), SG_OK);
    assert_int_equal(count, 1500);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(names[i - 1], names[i]) < 0);
    assert_null(names[count]);
    free(names);
    assert_int_equal(sg_os_file_list(in(state, "none"), &names, &count),
                     SG_ERR_NOT_FOUND);
}

static void
a_tree_goes_whole_and_links_out_of_it_are_not_followed(void **state)
{
    char deep[SG_OS_PATH];
    assert_int_equal(sg_os_file_make_dirs(in(state, "keep")), SG_OK);
    put(in(state, "keep/file"), "x");
    assert_int_equal(sg_os_file_make_dirs(in(state, "tree/a/b")), SG_OK);
    put(in(state, "tree/a/file"), "x");
    assert_int_equal(symlink(in(state, "keep"), in(state, "tree/a/out")), 0);
    assert_int_equal(symlink(in(state, "keep"), in(state, "link")), 0);
    assert_int_equal(sg_os_file_remove_tree(in(state, "link")),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(sg_os_file_remove_tree(in(state, "tree")), SG_OK);
    assert_false(sg_os_file_exists(in(state, "tree")));
    assert_content(in(state, "keep/file"), "x");
    assert_int_equal(sg_os_file_remove_tree(in(state, "tree")),
                     SG_ERR_NOT_FOUND);

    (void)snprintf(deep, sizeof deep, "%s", in(state, "deep"));
    for (int i = 0; i < 17; i++)
        strcat(deep, "/d");
    assert_int_equal(sg_os_file_make_dirs(deep), SG_OK);
    assert_int_equal(sg_os_file_remove_tree(in(state, "deep")), SG_ERR_FULL);
    assert_int_equal(sg_os_file_remove_tree(in(state, "deep/d/d/d")), SG_OK);
}

static void
an_unnamed_file_gets_its_name_when_it_is_whole(void **state)
{
    char **names;
    size_t count;
    int fd;
    assert_int_equal(sg_os_file_unnamed(in(state, "."), &fd), SG_OK);
    assert_int_equal(sg_os_file_write(fd, SG_SLICE("whole")), SG_OK);
    assert_int_equal(sg_os_file_list(in(state, "."), &names, &count), SG_OK);
    assert_int_equal(count, 0);
    free(names);
    assert_int_equal(sg_os_file_link(fd, in(state, "name")), SG_OK);
    assert_int_equal(sg_os_file_link(fd, in(state, "name")), SG_ERR_EXISTS);
    sg_os_file_close(&fd);
    assert_content(in(state, "name"), "whole");
    assert_int_equal(sg_os_file_rename(in(state, "name"), in(state, "other")),
                     SG_OK);
    assert_int_equal(sg_os_file_remove(in(state, "other")), SG_OK);
    assert_int_equal(sg_os_file_remove(in(state, "other")), SG_OK);
}

static void
a_home_has_one_holder(void **state)
{
    int first, second;
    assert_int_equal(sg_os_file_lock(in(state, "lock"), &first), SG_OK);
    assert_int_equal(sg_os_file_lock(in(state, "lock"), &second),
                     SG_ERR_EXISTS);
    assert_int_equal(second, -1);
    sg_os_file_close(&first);
    assert_int_equal(sg_os_file_lock(in(state, "lock"), &second), SG_OK);
    sg_os_file_close(&second);
}

static void
free_space_is_a_share_of_the_disk(void **state)
{
    uint64_t bytes;
    uint32_t percent;
    assert_int_equal(sg_os_file_space(in(state, "."), &bytes, &percent), SG_OK);
    assert_in_range(percent, 0, 100);
    assert_true(bytes > 0);
    assert_int_equal(sg_os_file_space(in(state, "none"), &bytes, &percent),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(bytes, 0); // as good as full
}

static void
a_path_that_does_not_fit_is_none(void **state)
{
    char path[SG_OS_PATH], long_[SG_OS_PATH];
    (void)state;
    memset(long_, 'a', sizeof long_);
    long_[SG_OS_PATH - 1] = '\0';
    assert_true(sg_os_file_path(path, "%s", long_));
    assert_false(sg_os_file_path(path, "%s/", long_));
}

// A pipe in the place of a file would be waited for without an end.
static void
what_is_no_plain_file_is_refused_at_once(void **state)
{
    const char *folder = *state;
    char path[SG_OS_PATH];
    uint8_t *bytes = NULL;
    size_t len;
    int fd;

    assert_true(sg_os_file_path(path, "%s/pipe", folder));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(sg_os_file_read_own(path, 100, &bytes, &len), SG_ERR_IO);
    assert_non_null(strstr(sg_os_file_reason(), "no plain file"));
    assert_null(bytes);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_WRITE, &fd), SG_ERR_IO);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_APPEND, &fd), SG_ERR_IO);
    assert_int_equal(fd, -1);
    assert_int_equal(sg_os_file_read_own(folder, 100, &bytes, &len), SG_ERR_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            interrupted_and_short_calls_are_finished, make, drop),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said_as_such, make,
                                        drop),
        cmocka_unit_test_setup_teardown(
            a_failed_sync_is_reported_and_not_tried_again, make, drop),
        cmocka_unit_test_setup_teardown(
            a_file_over_the_cap_is_refused_and_an_empty_one_is_read, make,
            drop),
        cmocka_unit_test_setup_teardown(
            large_files_and_pipes_are_read_to_their_end, make, drop),
        cmocka_unit_test_setup_teardown(reading_beyond_the_end_is_short, make,
                                        drop),
        cmocka_unit_test_setup_teardown(
            files_open_as_asked_and_never_for_a_child, make, drop),
        cmocka_unit_test_setup_teardown(
            a_replacement_that_fails_leaves_the_old_file, make, drop),
        cmocka_unit_test_setup_teardown(
            a_replacement_is_synced_twice_and_has_the_mode_asked_for, make,
            drop),
        cmocka_unit_test_setup_teardown(
            folders_are_made_with_their_parents_for_us_alone, make, drop),
        cmocka_unit_test_setup_teardown(a_folder_lists_sorted_and_without_dots,
                                        make, drop),
        cmocka_unit_test_setup_teardown(
            a_tree_goes_whole_and_links_out_of_it_are_not_followed, make, drop),
        cmocka_unit_test_setup_teardown(
            an_unnamed_file_gets_its_name_when_it_is_whole, make, drop),
        cmocka_unit_test_setup_teardown(a_home_has_one_holder, make, drop),
        cmocka_unit_test_setup_teardown(
            what_is_no_plain_file_is_refused_at_once, make, drop),
        cmocka_unit_test_setup_teardown(free_space_is_a_share_of_the_disk, make,
                                        drop),
        cmocka_unit_test(a_path_that_does_not_fit_is_none),
    };
    sg_log_set_level(SG_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
