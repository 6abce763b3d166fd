#include <errno.h>
#include <unistd.h>

#include "broker/os/calls.h"
#include "tests/unit/client/fake_gate.h"

// What the library does with everything that the gate sends. The delivery is
// freed; *shown says whether it ended visible.
static char words[1 << 20]; // of the last one that was shown

static enum sg_err
run(struct fake *f, bool *shown)
{
    const struct sg_statement_expect expect = {.roster = &f->home.roster,
                                               .gate = "GATE",
                                               .genesis = f->home.genesis,
                                               .subscriber = "AGENCY",
                                               .flow = "FLOW",
                                               .subscription_sha256 =
                                                   f->subscription};
    struct sg_seal_key_frame frame = {.released = 12};
    uint8_t bytes[SG_SEAL_KEY_FRAME_LEN];
    struct sg_delivery_in *in;
    const char *why;

    *shown = false;
    enum sg_err err = sg_deliver_begin(&f->home, &f->begin, &expect, &in, &why);
    for (uint64_t i = 0; i < f->chunks && err == SG_OK; i++)
        err = sg_deliver_chunk(in, i, fake_chunk(f, i));
    memcpy(frame.key, f->key, 32);
    memcpy(frame.delivery_id, f->id, 16);
    frame.key[0] ^= f->wrong == FAKE_KEY;
    frame.delivery_id[0] ^= f->wrong == FAKE_OTHER_ID;
    sg_seal_key_frame_encode(&frame, bytes);
    if (err == SG_OK)
        err = sg_deliver_key(in, sg_slice_of(bytes, sizeof bytes));
    if (in != NULL)
        *shown = in->state == SG_DELIVER_SHOWN;
    if (*shown)
        (void)snprintf(words, sizeof words, "%s", in->words);
    sg_deliver_free(&in);
    return err;
}

// Files of the inbox that are not mere ciphertext.
static size_t
visible(const struct fake *f)
{
    char path[SG_OS_PATH], **names = NULL;
    size_t count = 0, found = 0;

    assert_true(sg_os_file_path(path, "%s/inbox", f->folder));
    if (sg_os_file_list(path, &names, &count) != SG_OK)
        return 0;
    for (size_t i = 0; i < count; i++)
        found += strstr(names[i], ".part") == NULL;
    free(names);
    return found;
}

static void
a_true_delivery_appears_whole(void **state)
{
    struct fake f;
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;
    bool shown;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    assert_int_equal(run(&f, &shown), SG_OK);
    assert_true(shown);
    assert_int_equal(visible(&f), 2); // data and sidecar
    assert_true(
        sg_home_path(&f.home, "inbox", sg_slice_of(f.id, 16), ".data", path));
    assert_int_equal(sg_os_file_read(path, 4 * 1024 * 1024, &bytes, &len),
                     SG_OK);
    assert_int_equal(len, f.csv.len);
    assert_memory_equal(bytes, f.csv.ptr, len);
    free(bytes);
    fake_close(&f);
}

static void
whatever_is_wrong_is_refused_with_nothing_visible(void **state)
{
    (void)state;
    for (int wrong = FAKE_NOTHING + 1; wrong < FAKE_COUNT; wrong++) {
        struct fake f;
        bool shown;
        fake_open(&f, (enum fake_wrong)wrong);
        enum sg_err err = run(&f, &shown);
        if (err == SG_OK || shown || visible(&f) != 0)
            fail_msg("case %d was not refused, or left something", wrong);
        fake_close(&f);
    }
}

static void
a_cut_delivery_goes_on_where_it_was(void **state)
{
    struct fake f;
    const struct sg_statement_expect expect = {
        .genesis = f.home.genesis, .roster = &f.home.roster, .gate = "GATE"};
    struct sg_delivery_in *in;
    const char *why;
    bool shown;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    assert_int_equal(sg_deliver_begin(&f.home, &f.begin, &expect, &in, &why),
                     SG_OK);
    assert_int_equal(sg_deliver_chunk(in, 1, fake_chunk(&f, 1)),
                     SG_ERR_CHUNK_ORDER);
    assert_int_equal(sg_deliver_chunk(in, 0, fake_chunk(&f, 0)), SG_OK);
    assert_int_equal(sg_deliver_chunk(in, 1, fake_chunk(&f, 1)), SG_OK);
    sg_deliver_free(&in);
    assert_int_equal(sg_deliver_begin(&f.home, &f.begin, &expect, &in, &why),
                     SG_OK);
    assert_int_equal(in->next, 2);
    sg_deliver_free(&in);
    assert_int_equal(run(&f, &shown), SG_OK);
    assert_true(shown);
    fake_close(&f);
}

// ---- a disk that is full ------------------------------------------------------

static unsigned calls_left; // until the disk is full

static bool
full(void)
{
    if (calls_left > 0) {
        calls_left--;
        return false;
    }
    errno = ENOSPC;
    return true;
}

static ssize_t
full_write(int fd, const void *bytes, size_t len)
{
    return full() ? -1 : write(fd, bytes, len);
}

static ssize_t
full_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return full() ? -1 : pwrite(fd, bytes, len, at);
}

static int
full_sync(int fd)
{
    return full() ? -1 : fsync(fd);
}

static int
full_rename(const char *from, const char *to)
{
    return full() ? -1 : rename(from, to);
}

static const struct sg_os_calls on_full_disk = {.write = full_write,
                                                .pwrite = full_pwrite,
                                                .fdatasync = full_sync,
                                                .fsync = full_sync,
                                                .rename = full_rename};

static void
a_full_disk_shows_nothing_and_the_delivery_goes_on_later(void **state)
{
    static const unsigned many = 1000;
    unsigned broken = 0;

    (void)state;
    for (enum sg_err err = SG_ERR_DISK; err != SG_OK && broken < many;
         broken++) {
        struct fake f;
        bool shown;
        fake_open(&f, FAKE_NOTHING);
        calls_left = broken;
        sg_os_calls_replace(&on_full_disk);
        err = run(&f, &shown);
        sg_os_calls_replace(NULL);
        if (err != SG_OK) {
            assert_true(sg_deliver_here(err));
            assert_false(shown);
            assert_int_equal(visible(&f), 0);
            assert_int_equal(run(&f, &shown), SG_OK);
        }
        assert_true(shown);
        assert_int_equal(visible(&f), 2);
        fake_close(&f);
    }
    assert_in_range(broken, 6, many - 1);
}

static void
without_its_structure_a_delivery_waits(void **state)
{
    struct fake f;
    bool shown;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    const struct sg_structure *structure = f.home.structure;
    f.home.structure = NULL;
    assert_int_equal(run(&f, &shown), SG_ERR_STRUCTURE);
    assert_int_equal(visible(&f), 0);
    f.home.structure = structure;
    assert_int_equal(run(&f, &shown), SG_OK);
    assert_true(shown);
    fake_close(&f);
}

// Each line of the words is the library's own; what does not fit is said.
static void
words_of_the_gate_are_no_lines_of_ours(void **state)
{
    static const char cut[] = "(the rest is too long to be shown)\n";
    struct fake f;
    bool shown;

    (void)state;
    fake_open(&f, FAKE_WORDS);
    assert_int_equal(run(&f, &shown), SG_OK);
    assert_true(shown);
    assert_non_null(
        strstr(words, "duty: keep?VALID?signed by UN (key 00)?[2J\n"));
    assert_null(strstr(words, "\nVALID"));
    assert_null(strchr(words, '\033'));
    size_t len = strlen(words);
    assert_true(len > sizeof cut);
    assert_string_equal(words + len - (sizeof cut - 1), cut);
    fake_close(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_delivery_appears_whole),
        cmocka_unit_test(words_of_the_gate_are_no_lines_of_ours),
        cmocka_unit_test(whatever_is_wrong_is_refused_with_nothing_visible),
        cmocka_unit_test(a_cut_delivery_goes_on_where_it_was),
        cmocka_unit_test(
            a_full_disk_shows_nothing_and_the_delivery_goes_on_later),
        cmocka_unit_test(without_its_structure_a_delivery_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
