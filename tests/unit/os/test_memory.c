// What memory.h promises about files that two processes share.
#include "tests/unit/os/fixture.h"

#include <fcntl.h>

#include "broker/os/log.h"
#include "broker/os/memory.h"

static void
sealed_bytes_cannot_be_changed_by_anybody(void **unused)
{
    char path[64];
    int fd, again;
    (void)unused;
    assert_int_equal(sg_os_memory_sealed(SG_SLICE("compiled"), &fd), SG_OK);
    assert_int_not_equal(sg_os_file_pwrite(fd, 0, SG_SLICE("C")), SG_OK);
    assert_int_not_equal(sg_os_file_pwrite(fd, 8, SG_SLICE("x")), SG_OK);
    assert_int_not_equal(ftruncate(fd, 2), 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(sg_os_file_open(path, SG_OS_OPEN_WRITE, &again), SG_OK);
    assert_int_not_equal(sg_os_file_pwrite(again, 0, SG_SLICE("C")), SG_OK);
    sg_os_file_close(&again);
    struct sg_slice bytes;
    assert_int_equal(sg_os_memory_map(fd, &bytes), SG_OK);
    assert_true(sg_slice_eq(bytes, SG_SLICE("compiled")));
    sg_os_memory_unmap(&bytes);
    assert_null(bytes.ptr);
    sg_os_memory_unmap(&bytes);
    sg_os_file_close(&fd);
}

static void
an_open_one_grows_until_it_is_sealed(void **unused)
{
    struct sg_slice bytes;
    int fd;
    (void)unused;
    assert_int_equal(sg_os_memory_open(&fd), SG_OK);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(sg_os_memory_map(fd, &bytes), SG_ERR_SHORT);
    assert_int_equal(sg_os_file_pwrite(fd, 5000, SG_SLICE("end")), SG_OK);
    assert_int_equal(sg_os_memory_seal(fd), SG_OK);
    assert_int_not_equal(sg_os_file_pwrite(fd, 0, SG_SLICE("x")), SG_OK);
    assert_int_equal(sg_os_memory_map(fd, &bytes), SG_OK);
    assert_int_equal(bytes.len, 5003);
    assert_memory_equal(bytes.ptr + 5000, "end", 3);
    sg_os_memory_unmap(&bytes);
    sg_os_file_close(&fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_bytes_cannot_be_changed_by_anybody),
        cmocka_unit_test(an_open_one_grows_until_it_is_sealed),
    };
    sg_log_set_level(SG_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
