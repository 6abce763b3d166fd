// Torn tails are cut; damage is told from them, and named (S25, S29, S55).
#include "tests/unit/evidence/home.h"

#include "broker/evidence/verify.h"

enum { FRAMES = 512 };

struct faults {
    unsigned count;
    struct sg_verify_fault first;
    bool show;
};

static void
on_fault(void *arg, const struct sg_verify_fault *fault)
{
    struct faults *faults = arg;
    if (faults->count++ == 0)
        faults->first = *fault;
    if (faults->show)
        print_message("  %s entry %llu byte %llu: %s\n", fault->file,
                      (unsigned long long)fault->sequence,
                      (unsigned long long)fault->at, fault->text);
}

static void
verify(const struct home *home, struct faults *faults,
       struct sg_verify_result *result)
{
    char dir[SG_DISK_PATH];
    const char *dirs[1] = {dir};
    uint8_t log_key[32];
    home_file(home, "evidence", dir);
    sg_crypto_signer_public(home->log_key, log_key);
    memset(faults, 0, sizeof(*faults));
    struct sg_verify_options options = {.dirs = dirs,
                                        .dirs_count = 1,
                                        .genesis = home->genesis,
                                        .log_key = log_key,
                                        .arg = faults,
                                        .fault = on_fault};
    assert_int_equal(sg_verify_log(&options, result), SG_OK);
    assert_int_equal(result->faults, faults->count);
}

static void
make_log(struct home *home, unsigned groups, unsigned each)
{
    home_create(home);
    home_open(home);
    for (unsigned i = 0; i < groups; i++)
        home_append_durable(home, each);
    home_close(home);
}

static void
a_whole_log_verifies(void **state)
{
    (void)state;
    struct home home;
    struct faults faults;
    struct sg_verify_result result;
    make_log(&home, 10, 30);
    verify(&home, &faults, &result);
    assert_int_equal(faults.count, 0);
    assert_int_equal(result.entries, 301);
    assert_int_equal(result.signed_size, 301);
    assert_true(result.segments > 1);
    assert_int_equal(result.first_us, HOME_TIME);
    home_remove(&home);
}

static void
zero_last(const struct home *home, const struct home_frame *frames,
          size_t count, size_t k)
{
    static const uint8_t zeros[4096];
    for (size_t i = count - k; i < count; i++)
        home_write(home, frames[i].name, frames[i].at, zeros, frames[i].size);
}

// S25: an insider overwrites the last k entries.
static void
zeroed_acknowledged_entries_are_damage(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 2, 3, 10, 50, 99, 100};
    struct home home;
    static struct home_frame frames[FRAMES];
    struct faults faults;
    struct sg_verify_result result;
    char path[SG_DISK_PATH];
    for (size_t i = 0; i < SG_COUNT_OF(cuts); i++) {
        make_log(&home, 12, 10);
        size_t count = home_frames(&home, frames, FRAMES);
        assert_int_equal(count, 121);
        zero_last(&home, frames, count, cuts[i]);
        assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
        assert_non_null(strstr(home.diag.text, "121 entries were signed"));
        verify(&home, &faults, &result);
        assert_true(faults.count > 0);
        home_file(&home, "evidence/checkpoint", path);
        assert_int_equal(sg_os_file_remove(path), SG_OK);
        assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
        assert_non_null(strstr(home.diag.text, "checkpoint is missing"));
        verify(&home, &faults, &result);
        assert_true(faults.count > 0);
        home_remove(&home);
    }
}

// Entries above the checkpoint were never acknowledged: half of one is cut.
static void
a_torn_tail_above_the_checkpoint_is_cut(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[FRAMES];
    size_t len;
    for (unsigned keep = 0; keep < 5; keep++) {
        make_log(&home, 1, 5);
        uint8_t *slots = home_read(&home, "evidence/checkpoint", &len);
        home_open(&home);
        home_append_durable(&home, 5);
        home_close(&home);
        size_t count = home_frames(&home, frames, FRAMES);
        home_write(&home, "evidence/checkpoint", 0, slots, len);
        free(slots);
        // What a cut left: `keep` whole entries, one torn in the middle, one
        // whole behind it.
        const struct home_frame *torn = &frames[6 + keep];
        if (keep < 5)
            home_flip(&home, torn->name, torn->at + torn->size / 2, 3);
        assert_int_equal(count, 11);
        home_open(&home);
        assert_int_equal(home.replayed, 6 + keep);
        home_append_durable(&home, 3);
        home_close(&home);
        struct faults faults;
        struct sg_verify_result result;
        verify(&home, &faults, &result);
        assert_int_equal(faults.count, 0);
        assert_int_equal(result.entries, 9 + keep);
        home_remove(&home);
    }
}

// One broken slot is a cut write: the other counts and the log is not cut.
static void
one_broken_slot_loses_nothing(void **state)
{
    (void)state;
    struct home home;
    for (unsigned slot = 0; slot < 2; slot++) {
        struct faults faults;
        struct sg_verify_result result;
        make_log(&home, 5, 7);
        home_flip(&home, "evidence/checkpoint", slot * 4096 + 100, 1);
        verify(&home, &faults, &result);
        assert_true(faults.count > 0);
        assert_string_equal(faults.first.file, "checkpoint");
        home_open(&home);
        assert_int_equal(home.replayed, 36);
        home_close(&home);
        verify(&home, &faults, &result);
        assert_int_equal(faults.count, 0);
        home_remove(&home);
    }
}

// S29: each byte of each field of frame and entry, check sum made right again.
static void
every_changed_byte_of_an_entry_is_named(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[FRAMES];
    make_log(&home, 2, 5);
    size_t count = home_frames(&home, frames, FRAMES);
    assert_int_equal(count, 11);
    static const size_t victims[] = {0, 5, 10};
    for (size_t v = 0; v < SG_COUNT_OF(victims); v++) {
        const struct home_frame *frame = &frames[victims[v]];
        size_t len;
        uint8_t *file = home_read(&home, frame->name, &len);
        for (size_t i = 0; i < frame->size; i++) {
            struct faults faults;
            struct sg_verify_result result;
            uint8_t *bytes = malloc(frame->size);
            assert_non_null(bytes);
            memcpy(bytes, file + frame->at, frame->size);
            bytes[i] ^= 0x11;
            if (i < 4 || i >= 8) { // the CRC itself stays flipped
                uint32_t entry_len = sg_bytes_load_u32(file + frame->at);
                uint32_t crc = sg_bytes_crc32c(0, bytes, 4);
                crc = sg_bytes_crc32c(crc, bytes + 8, entry_len);
                sg_bytes_store_u32(bytes + 4, crc);
            }
            home_write(&home, frame->name, frame->at, bytes, frame->size);
            free(bytes);
            verify(&home, &faults, &result);
            if (faults.count == 0)
                fail_msg("entry %zu byte %zu: not seen", victims[v], i);
            bool named = faults.first.has_sequence &&
                         faults.first.sequence == victims[v];
            // Of the last entry only the signed root knows.
            if (!named && victims[v] != 10)
                fail_msg("entry %zu byte %zu: %llu %s", victims[v], i,
                         (unsigned long long)faults.first.sequence,
                         faults.first.text);
            assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
            home_write(&home, frame->name, frame->at, file + frame->at,
                       frame->size);
        }
        free(file);
    }
    home_open(&home);
    home_remove(&home);
}

// S55
static void
one_bit_in_the_zero_tail_is_named(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[FRAMES];
    struct faults faults;
    struct sg_verify_result result;
    make_log(&home, 1, 20);
    size_t count = home_frames(&home, frames, FRAMES);
    uint64_t end = frames[count - 1].at + frames[count - 1].size;
    const uint64_t places[] = {end, end + 1, end + 7, end + 8, 16000, 16383};
    for (size_t i = 0; i < SG_COUNT_OF(places); i++) {
        home_flip(&home, frames[0].name, places[i], (unsigned)i);
        verify(&home, &faults, &result);
        assert_int_equal(faults.count, 1);
        assert_true(faults.first.has_at && faults.first.at <= places[i]);
        home_flip(&home, frames[0].name, places[i], (unsigned)i);
    }
    verify(&home, &faults, &result);
    assert_int_equal(faults.count, 0);
    home_remove(&home);
}

// The same far behind the window that is in memory.
static void
one_bit_far_behind_the_last_entry_is_named(void **state)
{
    (void)state;
    struct home home;
    struct faults faults;
    struct sg_verify_result result;
    home_make(&home);
    home.options.segment_bytes = 16u << 20;
    assert_int_equal(sg_evidence_create(&home.options, HOME_TIME,
                                        SG_SLICE("genesis"), home.genesis),
                     SG_OK);
    home_open(&home);
    home_append_durable(&home, 20);
    home_close(&home);
    home_flip(&home, "evidence/0000000000000000.log", 15000000, 4);
    verify(&home, &faults, &result);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.first.at / 8, 15000000 / 8);
    home_open(&home); // above the checkpoint: a torn tail, cut
    assert_int_equal(home.replayed, 21);
    home_close(&home);
    verify(&home, &faults, &result);
    assert_int_equal(faults.count, 0);
    home_remove(&home);
}

// 1,000 flips over all that must not change: every one is seen.
static void
a_thousand_flipped_bits_are_all_seen(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[FRAMES];
    struct faults faults;
    struct sg_verify_result result;
    uint64_t random = 88172645463325252ull;
    make_log(&home, 8, 40);
    size_t count = home_frames(&home, frames, FRAMES);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t draw[3];
        assert_int_equal(home_random(&random, draw, sizeof(draw)), SG_OK);
        bool slot = draw[0] % 10 == 0;
        const char *name =
            slot ? "evidence/checkpoint" : frames[draw[0] % count].name;
        uint64_t at = draw[1] % (slot ? 8192 : 16384);
        home_flip(&home, name, at, draw[2] % 8);
        verify(&home, &faults, &result);
        if (faults.count == 0)
            fail_msg("bit %u of byte %llu in %s: not seen",
                     (unsigned)(draw[2] % 8), (unsigned long long)at, name);
        home_flip(&home, name, at, draw[2] % 8);
    }
    verify(&home, &faults, &result);
    assert_int_equal(faults.count, 0);
    home_remove(&home);
}

static void
a_missing_segment_is_named(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[FRAMES];
    struct faults faults;
    struct sg_verify_result result;
    char path[SG_DISK_PATH];
    make_log(&home, 12, 40);
    size_t count = home_frames(&home, frames, FRAMES);
    size_t i = 0;
    while (strcmp(frames[i].name, frames[0].name) == 0)
        i++;
    home_file(&home, frames[i].name, path);
    assert_int_equal(sg_os_file_remove(path), SG_OK);
    assert_true(i < count);
    verify(&home, &faults, &result);
    assert_int_equal(faults.first.sequence, i);
    assert_non_null(strstr(faults.first.text, "are not here"));
    assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
    home_remove(&home);
}

// What a participant holds is compared with the log.
static void
a_receipt_held_shows_a_log_that_was_cut_or_rewritten(void **state)
{
    (void)state;
    struct home home;
    static uint8_t receipt[16384];
    size_t len;
    char dir[SG_DISK_PATH];
    const char *dirs[1] = {dir};
    uint8_t log_key[32];
    struct faults faults;
    for (unsigned how = 0; how < 3; how++) {
        struct home other;
        struct sg_verify_result result;
        home_create(&home);
        home_open(&home);
        home_append_durable(&home, 20);
        assert_int_equal(
            sg_evidence_receipt(home.ev, 15, receipt, sizeof(receipt), &len),
            SG_OK);
        home_close(&home);
        home_create(&other);
        home_open(&other);
        home_append_durable(&other, how == 1 ? 10 : 30);
        home_close(&other);
        home_file(how == 0 ? &home : &other, "evidence", dir);
        sg_crypto_signer_public(home.log_key, log_key);
        memset(&faults, 0, sizeof(faults));
        struct sg_slice held = sg_slice_of(receipt, len);
        struct sg_verify_options options = {.dirs = dirs,
                                            .dirs_count = 1,
                                            .log_key = log_key,
                                            .against = &held,
                                            .against_count = 1,
                                            .arg = &faults,
                                            .fault = on_fault};
        assert_int_equal(sg_verify_log(&options, &result), SG_OK);
        assert_true((how == 0) == (faults.count == 0));
        home_remove(&home);
        home_remove(&other);
    }
}

// ---- what a start from a snapshot did not read -------------------------------------

// 300 entries over several segments, of which the last 50 follow a snapshot.
static void
open_from_snapshot(struct home *home, const struct home_frame *broken)
{
    struct sg_evidence_event event;
    struct sg_evidence_snapshot snapshot = {.seq = 250,
                                            .core = SG_SLICE("state")};
    static const uint8_t noise[1] = {0xa5};
    home_create(home);
    home_open(home);
    home_append_durable(home, 250);
    assert_int_equal(sg_evidence_save_snapshot(home->ev, &snapshot), SG_OK);
    home_append(home, 50);
    home_await(home, SG_EVIDENCE_SNAPSHOT, &event);
    home_close(home);
    if (broken != NULL)
        home_write(home, broken->name, broken->at + broken->size / 2, noise,
                   sizeof(noise));
    home_open(home);
    assert_int_equal(home->replayed, 50);
}

static enum sg_err
recheck_all(struct home *home)
{
    bool done = false;
    enum sg_err err = SG_OK;
    for (unsigned i = 0; i < 1000 && !done && err == SG_OK; i++)
        err = sg_evidence_recheck(home->ev, 7, &done, &home->diag);
    assert_true(done || err != SG_OK);
    return err;
}

static void
old_segments_are_checked_after_the_start(void **state)
{
    (void)state;
    struct home home;
    static struct home_frame frames[301];
    static uint8_t bytes[16384];
    size_t len;
    open_from_snapshot(&home, NULL);
    assert_int_equal(recheck_all(&home), SG_OK);
    assert_int_equal(home_frames(&home, frames, 301), 301);
    home_remove(&home);

    open_from_snapshot(&home, &frames[20]);
    assert_int_equal(recheck_all(&home), SG_ERR_DAMAGE);
    assert_non_null(strstr(home.diag.text, "entry 20: its frame is broken"));
    assert_int_equal(sg_evidence_damaged_at(home.ev), 20);
    bool done;
    assert_int_equal(sg_evidence_recheck(home.ev, 7, &done, &home.diag), SG_OK);
    assert_true(done); // told once
    const struct {
        uint64_t seq;
        enum sg_err err;
    } rows[] = {{19, SG_OK},
                {20, SG_ERR_DAMAGE},
                {21, SG_ERR_DAMAGE},
                {250, SG_OK},
                {260, SG_OK}};
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_int_equal(sg_evidence_receipt(home.ev, rows[i].seq, bytes,
                                             sizeof(bytes), &len),
                         rows[i].err);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_segments_are_checked_after_the_start),
        cmocka_unit_test(a_whole_log_verifies),
        cmocka_unit_test(zeroed_acknowledged_entries_are_damage),
        cmocka_unit_test(a_torn_tail_above_the_checkpoint_is_cut),
        cmocka_unit_test(one_broken_slot_loses_nothing),
        cmocka_unit_test(every_changed_byte_of_an_entry_is_named),
        cmocka_unit_test(one_bit_in_the_zero_tail_is_named),
        cmocka_unit_test(one_bit_far_behind_the_last_entry_is_named),
        cmocka_unit_test(a_thousand_flipped_bits_are_all_seen),
        cmocka_unit_test(a_missing_segment_is_named),
        cmocka_unit_test(a_receipt_held_shows_a_log_that_was_cut_or_rewritten),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
