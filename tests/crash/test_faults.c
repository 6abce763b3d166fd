// Failing syncs and a full disk: what was told stays told, nothing is told
// after the failure, and the next start recovers.
#include "tests/crash/power_disk.h"
#include "tests/crash/work.h"

// Every fault point is its own run of the store. ThreadSanitizer looks for
// races, which no point has to itself: there SG_FAULT_STRIDE=n takes every n-th
// of them. Every other build takes all, and so does no setting.
static unsigned
stride(void)
{
    const char *said = getenv("SG_FAULT_STRIDE");
    uint64_t number = 1;
    if (said == NULL)
        return 1;
    if (!sg_slice_u64(sg_slice_text(said), &number) || number < 1 ||
        number > 50)
        fail_msg("SG_FAULT_STRIDE is '%s': give a number from 1 to 50", said);
    return (unsigned)number;
}

// Works until the writer fails or `turns` are done; returns what was told.
static uint64_t
work(struct home *home, unsigned turns, bool *failed)
{
    uint64_t told = sg_evidence_durable_size(home->ev);
    struct sg_evidence_event event;
    *failed = false;
    for (unsigned turn = 0; turn < turns && !*failed; turn++) {
        struct sg_payload_meta meta;
        uint8_t body[64];
        uint64_t seq = sg_evidence_next_seq(home->ev);
        size_t len = home_body(seq, body);
        object_meta(seq * 2, &meta); // small
        enum sg_err err =
            sg_evidence_new_key(home->ev, meta.manifest_sha256, meta.variant);
        if (err == SG_OK)
            err = sg_evidence_put_object(home->ev, seq, &meta,
                                         sg_slice_of(plain, meta.bytes));
        if (err == SG_OK)
            err = sg_evidence_append(home->ev, seq, SG_ENTRY_ADMIN_ACT,
                                     HOME_TIME + seq, sg_slice_of(body, len));
        if (err == SG_OK)
            err = sg_evidence_flush(home->ev);
        *failed = err != SG_OK;
        while (!*failed && sg_evidence_durable_size(home->ev) <= seq) {
            struct pollfd fd = {.fd = sg_evidence_fd(home->ev),
                                .events = POLLIN};
            assert_true(poll(&fd, 1, 20000) > 0);
            while (sg_evidence_poll(home->ev, &event)) {
                if (event.kind == SG_EVIDENCE_DURABLE)
                    told = event.seq + 1;
                *failed = *failed || event.kind == SG_EVIDENCE_FAILED;
            }
        }
    }
    return told;
}

// Keys for entries from `first` on: fresh, or found after a failed sync.
static void
take_keys(struct home *home, uint64_t first)
{
    for (uint64_t seq = first; seq < first + 3; seq++) {
        struct sg_payload_meta meta;
        object_meta(seq * 2, &meta);
        enum sg_err err =
            sg_evidence_new_key(home->ev, meta.manifest_sha256, meta.variant);
        assert_true(err == SG_OK || err == SG_ERR_EXISTS);
    }
    home_append_durable(home, 1);
}

static void
check_after(struct home *home, uint64_t told, uint64_t keys_from)
{
    home->options.disk = NULL;
    home_open(home);
    for (uint64_t seq = keys_from; seq > 0 && seq < keys_from + 3; seq++) {
        struct sg_payload_meta meta;
        object_meta(seq * 2, &meta);
        assert_true(sg_keys_has(sg_evidence_keys(home->ev),
                                meta.manifest_sha256, meta.variant));
    }
    if (home->replayed < told)
        fail_msg("told %llu, found %llu", (unsigned long long)told,
                 (unsigned long long)home->replayed);
    home_append_durable(home, 2);
    home_close(home);
}

// The n-th sync fails, for every n until the work runs clean.
static void
a_failed_sync_is_final_and_nothing_is_told_after_it(void **state)
{
    (void)state;
    bool failed = true;
    unsigned n = 0, tried = 0;
    for (; failed; n += stride(), tried++) {
        struct home home;
        static struct power power;
        home_create(&home);
        power_start(&power, home.path);
        home.options.disk = &power.disk;
        power.sync_fails_at = n + 1;
        enum sg_err err = home_try_open(&home);
        uint64_t told = 1;
        failed = err != SG_OK;
        if (!failed) {
            told = work(&home, 120, &failed);
            if (failed) { // for good
                struct sg_evidence_event event;
                while (sg_evidence_poll(home.ev, &event))
                    assert_int_not_equal(event.kind, SG_EVIDENCE_DURABLE);
                assert_int_equal(
                    sg_evidence_append(home.ev, sg_evidence_next_seq(home.ev),
                                       SG_ENTRY_ADMIN_ACT, HOME_TIME + 100000,
                                       SG_SLICE("x")),
                    SG_ERR_IO);
            }
        }
        home_close(&home);
        unsigned syncs = power.syncs;
        power_end(&power);
        check_after(&home, told, 0);
        home_remove(&home);
        assert_true(!failed || syncs == n + 1); // and never a second try
    }
    print_message("%u of some %u syncs failed one by one\n", tried - 1,
                  n - stride());
    assert_true(n > 200);
}

// The failed sync lost its writes, as kernels do, and then the power went.
static void
a_failed_sync_followed_by_a_power_cut_loses_nothing_told(void **state)
{
    (void)state;
    uint64_t random = 99;
    for (unsigned n = 1; n < 60; n += stride()) {
        static struct home home;
        static struct power power;
        struct home after;
        bool failed;
        home_make(&home);
        power_start(&power, home.path);
        home.options.disk = &power.disk;
        assert_int_equal(sg_evidence_create(&home.options, HOME_TIME,
                                            SG_SLICE("genesis"), home.genesis),
                         SG_OK);
        home_open(&home);
        power.sync_fails_at = power.syncs + n;
        uint64_t told = work(&home, 40, &failed);
        assert_true(failed);
        home_close(&home);
        after = home;
        (void)snprintf(after.path, sizeof(after.path), "%.200s-cut", home.path);
        after.options.home = after.path;
        power_replay(&power, power.count, true, &random, after.path);
        check_after(&after, told, 0);
        assert_int_equal(sg_os_file_remove_tree(after.path), SG_OK);
        power_end(&power);
        home_remove(&home);
    }
}

// After a failed sync the cache still shows what the disk does not have. What
// the next start finds there and tells must outlive a power cut.
static void
what_a_start_finds_after_a_failed_sync_is_written_again(void **state)
{
    (void)state;
    uint64_t random = 31;
    unsigned above = 0;
    for (unsigned n = 1; n < 60; n += stride()) {
        static struct home home;
        static struct power power;
        struct home after;
        bool failed;
        home_make(&home);
        power_start(&power, home.path);
        home.options.disk = &power.disk;
        assert_int_equal(sg_evidence_create(&home.options, HOME_TIME,
                                            SG_SLICE("genesis"), home.genesis),
                         SG_OK);
        home_open(&home);
        power.sync_fails_at = power.syncs + n;
        uint64_t told = work(&home, 40, &failed);
        assert_true(failed);
        home_close(&home);
        home_open(&home);
        above += sg_evidence_next_seq(home.ev) > told;
        uint64_t keys_from = told;
        take_keys(&home, keys_from);
        told = sg_evidence_durable_size(home.ev);
        home_close(&home);
        after = home;
        (void)snprintf(after.path, sizeof(after.path), "%.200s-cut", home.path);
        after.options.home = after.path;
        power_replay(&power, power.count, true, &random, after.path);
        check_after(&after, told, keys_from);
        assert_int_equal(sg_os_file_remove_tree(after.path), SG_OK);
        power_end(&power);
        home_remove(&home);
    }
    assert_true(above > 5 / stride()); // it did happen
}

// The n-th write finds the disk full, for every n until the work runs clean. A
// full disk in payload ends that object alone; in the log it ends the gate.
static void
a_full_disk_loses_nothing_told(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 400; n += stride()) {
        struct home home;
        static struct power power;
        uint64_t told = 1;
        bool failed;
        home_create(&home);
        power_start(&power, home.path);
        home.options.disk = &power.disk;
        power.write_fails_at = n;
        if (home_try_open(&home) == SG_OK)
            told = work(&home, 60, &failed);
        home_close(&home);
        power_end(&power);
        check_after(&home, told, 0);
        home_remove(&home);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_sync_is_final_and_nothing_is_told_after_it),
        cmocka_unit_test(
            a_failed_sync_followed_by_a_power_cut_loses_nothing_told),
        cmocka_unit_test(
            what_a_start_finds_after_a_failed_sync_is_written_again),
        cmocka_unit_test(a_full_disk_loses_nothing_told),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    if (sg_disk_exists("/dev/shm"))
        (void)setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
