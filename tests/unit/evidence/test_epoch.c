// A home that was brought back from a copy: the log goes on in a new epoch.
#include "broker/evidence/verify.h"
#include "broker/os/process.h"
#include "schemas/proof/note.h"
#include "tests/unit/evidence/home.h"

struct kept { // a note that somebody has
    uint8_t bytes[SG_NOTE_MAX];
    size_t len;
};

static struct kept
keep_note(const struct home *home)
{
    struct kept kept;
    struct sg_slice note = sg_evidence_checkpoint(home->ev);
    kept.len = note.len;
    memcpy(kept.bytes, note.ptr, note.len);
    return kept;
}

static void
copy(const struct home *home, const char *from, const char *to)
{
    char source[SG_DISK_PATH], target[SG_DISK_PATH];
    const char *argv[] = {"/bin/cp", "-a", source, target, NULL};
    int pid, status;
    home_file(home, from, source);
    home_file(home, to, target);
    assert_int_equal(sg_os_process_spawn(argv, NULL, &pid), SG_OK);
    assert_true(sg_os_process_wait(pid, 20000, &status));
    assert_int_equal(status, 0);
}

// Ten entries, a copy of evidence/, ten more, and the copy in its place: what
// the gate had signed last.
static struct kept
bring_back(struct home *home)
{
    char path[SG_DISK_PATH];
    home_create(home);
    home_open(home);
    home_append_durable(home, 10);
    home_close(home);
    copy(home, "evidence", "copy");
    home_open(home);
    home_append_durable(home, 10);
    struct kept last = keep_note(home);
    home_close(home);
    home_file(home, "evidence", path);
    assert_int_equal(sg_os_file_remove_tree(path), SG_OK);
    copy(home, "copy", "evidence");
    return last;
}

static struct sg_shown
shown(const struct home *home, const struct kept *kept)
{
    struct sg_shown note;
    assert_int_equal(
        sg_evidence_shown(home->ev, sg_slice_of(kept->bytes, kept->len), &note),
        SG_OK);
    return note;
}

static void
no_word(void *arg, const struct sg_verify_fault *fault)
{
    (void)arg, (void)fault;
}

static uint64_t
faults(const struct home *home, struct sg_slice held)
{
    char path[SG_DISK_PATH];
    const char *dirs[] = {path};
    struct sg_verify_options options = {.dirs = dirs,
                                        .dirs_count = 1,
                                        .fault = no_word,
                                        .against = &held,
                                        .against_count = held.len > 0};
    struct sg_verify_result result;
    uint8_t log_key[32];
    home_file(home, "evidence", path);
    sg_crypto_signer_public(home->log_key, log_key);
    options.log_key = log_key;
    assert_int_equal(sg_verify_log(&options, &result), SG_OK);
    return result.faults;
}

static void
a_copy_goes_on_in_a_new_epoch(void **state)
{
    (void)state;
    struct home home;
    struct kept lost = bring_back(&home);
    home.options.new_epoch = 1000;
    home_open(&home);
    assert_int_equal(home.replayed, 11);
    assert_int_equal(sg_evidence_epoch(home.ev), 1000);
    // The index was not brought back: it knows how much there was.
    assert_int_equal(sg_evidence_largest_seen(home.ev), 11);

    struct sg_shown note = shown(&home, &lost);
    assert_int_equal(note.epoch, 1);
    assert_int_equal(note.size, 21);
    assert_false(note.held);
    home_append_durable(&home, 15);
    note = shown(&home, &lost);
    assert_true(note.held);
    assert_false(note.same); // each has its own blind bytes
    struct kept now = keep_note(&home);
    note = shown(&home, &now);
    assert_int_equal(note.epoch, 1000);
    assert_true(note.held && note.same);

    home.options.new_epoch = 0; // and at every start from now on
    home_close(&home);
    home_open(&home);
    assert_int_equal(home.replayed, 26);
    assert_int_equal(sg_evidence_epoch(home.ev), 1000);
    home_close(&home);
    assert_int_equal(faults(&home, (struct sg_slice){NULL, 0}), 0);
    assert_int_equal(faults(&home, sg_slice_of(lost.bytes, lost.len)), 1);
    assert_int_equal(faults(&home, sg_slice_of(now.bytes, now.len)), 0);
    home_remove(&home);
}

static void
an_index_that_is_newer_than_the_copy_tells_how_much_there_was(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 10);
    home_close(&home);
    copy(&home, "evidence", "copy");
    home_open(&home);
    home_append_durable(&home, 10);
    assert_int_equal(
        sg_evidence_commit_rows(home.ev, sg_evidence_next_seq(home.ev) - 1),
        SG_OK);
    assert_int_equal(sg_evidence_flush(home.ev), SG_OK);
    home_await(&home, SG_EVIDENCE_INDEX, &event);
    home_close(&home);
    char path[SG_DISK_PATH];
    home_file(&home, "evidence", path);
    assert_int_equal(sg_os_file_remove_tree(path), SG_OK);
    copy(&home, "copy", "evidence");
    assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
    home.options.new_epoch = 2;
    home_open(&home);
    assert_int_equal(sg_evidence_largest_seen(home.ev), 21);
    home_remove(&home);
}

static void
an_epoch_is_never_opened_twice(void **state)
{
    (void)state;
    struct home home;
    (void)bring_back(&home);
    home.options.new_epoch = 1000;
    home_open(&home);
    home_close(&home); // cut before the first entry
    home_open(&home);  // the clock has not moved
    assert_int_equal(sg_evidence_epoch(home.ev), 1001);
    home_append_durable(&home, 3);
    home_close(&home);
    home.options.new_epoch = 7; // or has gone back
    home_open(&home);
    assert_int_equal(sg_evidence_epoch(home.ev), 1002);
    assert_int_equal(home.replayed, 14);
    home_close(&home);
    assert_int_equal(faults(&home, (struct sg_slice){NULL, 0}), 0);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_goes_on_in_a_new_epoch),
        cmocka_unit_test(
            an_index_that_is_newer_than_the_copy_tells_how_much_there_was),
        cmocka_unit_test(an_epoch_is_never_opened_twice),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
