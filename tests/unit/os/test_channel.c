// What channel.h promises: packets whole or not at all, no descriptor lost.
#include "tests/unit/os/fixture.h"

#include <fcntl.h>

#include "broker/os/channel.h"
#include "broker/os/memory.h"

struct ends {
    int fd[2];
};

static int
make(void **state)
{
    struct ends *ends = calloc(1, sizeof *ends);
    *state = ends;
    return sg_os_channel_pair(ends->fd) == SG_OK ? 0 : -1;
}

static int
drop(void **state)
{
    struct ends *ends = *state;
    sg_os_file_close(&ends->fd[0]);
    sg_os_file_close(&ends->fd[1]);
    free(ends);
    return 0;
}

static unsigned
open_descriptors(void)
{
    char **names;
    size_t count;
    assert_int_equal(sg_os_file_list("/proc/self/fd", &names, &count), SG_OK);
    free(names);
    return (unsigned)count;
}

static void
packets_keep_their_borders(void **state)
{
    struct ends *ends = *state;
    char packet[8];
    size_t len;
    assert_int_equal(
        sg_os_channel_poll(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_ERR_BUSY);
    assert_int_equal(sg_os_channel_send(ends->fd[0], SG_SLICE("one"), NULL, 0),
                     SG_OK);
    assert_int_equal(
        sg_os_channel_send(ends->fd[0], SG_SLICE("12345678"), NULL, 0), SG_OK);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(packet, "one", 3);
    assert_int_equal(
        sg_os_channel_poll(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_int_equal(len, 8);
}

static void
a_packet_over_the_cap_is_no_packet_and_the_next_one_is_whole(void **state)
{
    struct ends *ends = *state;
    char packet[8];
    size_t len;
    assert_int_equal(
        sg_os_channel_send(ends->fd[0], SG_SLICE("123456789"), NULL, 0), SG_OK);
    assert_int_equal(sg_os_channel_send(ends->fd[0], SG_SLICE("next"), NULL, 0),
                     SG_OK);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_ERR_FORMAT);
    assert_int_equal(len, 0);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_memory_equal(packet, "next", 4);
}

static void
descriptors_arrive_open_and_close_on_exec(void **state)
{
    struct ends *ends = *state;
    char packet[8];
    size_t len;
    int sent[2], got[4] = {-1, -1, -1, -1};
    struct sg_os_channel_fds fds = {got, 4, 0};
    assert_int_equal(sg_os_memory_sealed(SG_SLICE("first"), &sent[0]), SG_OK);
    assert_int_equal(sg_os_memory_sealed(SG_SLICE("second"), &sent[1]), SG_OK);
    assert_int_equal(sg_os_channel_send(ends->fd[0], SG_SLICE("x"), sent, 2),
                     SG_OK);
    sg_os_file_close(&sent[0]);
    sg_os_file_close(&sent[1]);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, &fds),
        SG_OK);
    assert_int_equal(fds.count, 2);
    static const char *const texts[] = {"first", "second"};
    for (size_t i = 0; i < 2; i++) {
        struct sg_slice bytes;
        assert_true((fcntl(got[i], F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(sg_os_memory_map(got[i], &bytes), SG_OK);
        assert_true(sg_slice_eq(bytes, sg_slice_text(texts[i])));
        sg_os_memory_unmap(&bytes);
        sg_os_file_close(&got[i]);
    }
    assert_int_equal(got[2], -1);
}

// A worker is not trusted: what it sends too much must not pile up here.
static void
descriptors_nobody_asked_for_are_closed(void **state)
{
    static const size_t counts[] = {1, 3, 253};
    struct ends *ends = *state;
    unsigned before = open_descriptors();
    int sent[253], got[2];
    for (size_t i = 0; i < 253; i++)
        sent[i] = ends->fd[0];
    for (size_t i = 0; i < SG_COUNT_OF(counts); i++) {
        for (size_t cap = 0; cap <= 2; cap++) {
            char packet[2];
            size_t len;
            struct sg_os_channel_fds fds = {got, cap, 9};
            bool fits = counts[i] <= cap;
            assert_int_equal(
                sg_os_channel_send(ends->fd[0], SG_SLICE("x"), sent, counts[i]),
                SG_OK);
            assert_int_equal(
                sg_os_channel_receive(ends->fd[1], packet, 2, &len, &fds),
                fits ? SG_OK : SG_ERR_FORMAT);
            for (size_t j = 0; j < fds.count; j++)
                sg_os_file_close(&got[j]);
            assert_int_equal(open_descriptors(), before);
        }
    }
    // also with a packet that is too long
    char packet[2];
    size_t len;
    struct sg_os_channel_fds fds = {got, 2, 0};
    assert_int_equal(sg_os_channel_send(ends->fd[0], SG_SLICE("xyz"), sent, 2),
                     SG_OK);
    assert_int_equal(sg_os_channel_receive(ends->fd[1], packet, 2, &len, &fds),
                     SG_ERR_FORMAT);
    assert_int_equal(fds.count, 0);
    assert_int_equal(open_descriptors(), before);
}

static void
the_end_of_the_other_side_is_seen(void **state)
{
    struct ends *ends = *state;
    char packet[8];
    size_t len = 9;
    assert_int_equal(sg_os_channel_send(ends->fd[0], SG_SLICE("last"), NULL, 0),
                     SG_OK);
    sg_os_file_close(&ends->fd[0]);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_int_equal(len, 4);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_int_equal(len, 0);
    assert_int_equal(sg_os_channel_send(ends->fd[1], SG_SLICE("x"), NULL, 0),
                     SG_ERR_UNREACHABLE);
}

static void
a_reader_that_sleeps_makes_the_sender_busy_not_stuck(void **state)
{
    struct ends *ends = *state;
    enum sg_err err = SG_OK;
    unsigned sent = 0;
    char packet[4096] = {0};
    size_t len;
    while (err == SG_OK && sent < 100000) {
        err = sg_os_channel_send(ends->fd[0],
                                 sg_slice_of(packet, sizeof packet), NULL, 0);
        sent += err == SG_OK;
    }
    assert_int_equal(err, SG_ERR_BUSY);
    assert_true(sent > 0);
    assert_int_equal(
        sg_os_channel_receive(ends->fd[1], packet, sizeof packet, &len, NULL),
        SG_OK);
    assert_int_equal(sg_os_channel_send(ends->fd[0],
                                        sg_slice_of(packet, sizeof packet),
                                        NULL, 0),
                     SG_OK);
}

static void
the_room_bounds_a_packet(void **state)
{
    struct ends *ends = *state;
    uint8_t *packet = calloc(1, 1 << 20);
    assert_int_equal(sg_os_channel_room(ends->fd[0], 64 * 1024), SG_OK);
    assert_int_equal(sg_os_channel_send(
                         ends->fd[0], sg_slice_of(packet, 64 * 1024), NULL, 0),
                     SG_OK);
    assert_int_equal(
        sg_os_channel_send(ends->fd[0], sg_slice_of(packet, 1 << 20), NULL, 0),
        SG_ERR_FULL);
    free(packet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_keep_their_borders, make, drop),
        cmocka_unit_test_setup_teardown(
            a_packet_over_the_cap_is_no_packet_and_the_next_one_is_whole, make,
            drop),
        cmocka_unit_test_setup_teardown(
            descriptors_arrive_open_and_close_on_exec, make, drop),
        cmocka_unit_test_setup_teardown(descriptors_nobody_asked_for_are_closed,
                                        make, drop),
        cmocka_unit_test_setup_teardown(the_end_of_the_other_side_is_seen, make,
                                        drop),
        cmocka_unit_test_setup_teardown(
            a_reader_that_sleeps_makes_the_sender_busy_not_stuck, make, drop),
        cmocka_unit_test_setup_teardown(the_room_bounds_a_packet, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
