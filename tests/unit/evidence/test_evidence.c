// Appending, recovering, snapshots and receipts through the façade.
#include "tests/unit/evidence/home.h"

#include "broker/evidence/tree.h"
#include "schemas/proof/note.h"
#include "schemas/proof/receipt.h"

static void
what_was_durable_is_replayed_in_order(void **state)
{
    (void)state;
    struct home home;
    home_create(&home);
    home_open(&home);
    assert_int_equal(home.replayed, 1);
    home_append_durable(&home, 1);
    home_append_durable(&home, 64);
    home_append_durable(&home, 300); // over several segments
    home_close(&home);
    home_open(&home);
    assert_int_equal(home.replayed, 366);
    assert_int_equal(sg_evidence_next_seq(home.ev), 366);
    assert_memory_equal(sg_evidence_genesis(home.ev), home.genesis, 32);
    home_append_durable(&home, 5);
    home_close(&home);
    home_open(&home);
    assert_int_equal(home.replayed, 371);
    home_remove(&home);
}

static void
a_log_is_never_made_over_another(void **state)
{
    (void)state;
    struct home home;
    uint8_t genesis[32];
    home_create(&home);
    assert_int_equal(sg_evidence_create(&home.options, HOME_TIME,
                                        SG_SLICE("genesis"), genesis),
                     SG_ERR_EXISTS);
    home_remove(&home);
}

static void
two_programs_never_share_a_home(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence *second;
    home_create(&home);
    home_open(&home);
    assert_int_equal(sg_evidence_open(&home.options, &second, &home.diag),
                     SG_ERR_EXISTS);
    assert_null(second);
    home_remove(&home);
}

static void
replay_begins_after_the_snapshot(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    struct sg_evidence_snapshot snapshot = {.core = SG_SLICE("core state")};
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 200);
    snapshot.seq = 200;
    memset(snapshot.state_sha256, 9, 32);
    assert_int_equal(
        sg_evidence_put_row(home.ev, 3, SG_SLICE("key"), SG_SLICE("value")),
        SG_OK);
    assert_int_equal(sg_evidence_save_snapshot(home.ev, &snapshot), SG_OK);
    home_append(&home, 50);
    home_await(&home, SG_EVIDENCE_SNAPSHOT, &event);
    assert_int_equal(event.seq, 200);
    home_close(&home);

    assert_int_equal(sg_evidence_open(&home.options, &home.ev, &home.diag),
                     SG_OK);
    struct sg_evidence_snapshot found;
    assert_true(sg_evidence_snapshot(home.ev, &found));
    assert_int_equal(found.seq, 200);
    assert_true(sg_slice_eq(found.core, SG_SLICE("core state")));
    assert_memory_equal(found.state_sha256, snapshot.state_sha256, 32);
    home_close(&home);
    home_open(&home);
    assert_int_equal(home.replayed, 50);
    assert_int_equal(home.first_seen, 201);
    struct sg_slice value;
    assert_int_equal(sg_evidence_find(home.ev, 3, SG_SLICE("key"), &value),
                     SG_OK);
    assert_true(sg_slice_eq(value, SG_SLICE("value")));
    assert_int_equal(sg_evidence_find(home.ev, 4, SG_SLICE("key"), &value),
                     SG_ERR_NOT_FOUND);
    home_remove(&home);
}

static void
a_snapshot_the_core_cannot_use_means_replay_from_zero(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    struct sg_evidence_snapshot snapshot = {.seq = 40};
    home_create(&home);
    home_open(&home);
    home_append(&home, 40);
    assert_int_equal(sg_evidence_save_snapshot(home.ev, &snapshot), SG_OK);
    assert_int_equal(sg_evidence_flush(home.ev), SG_OK);
    home_await(&home, SG_EVIDENCE_SNAPSHOT, &event);
    home_close(&home);
    assert_int_equal(sg_evidence_open(&home.options, &home.ev, &home.diag),
                     SG_OK);
    assert_int_equal(sg_evidence_drop_snapshot(home.ev), SG_OK);
    home.replayed = 0;
    assert_int_equal(sg_evidence_replay(home.ev, home_visit, &home, &home.diag),
                     SG_OK);
    assert_int_equal(home.replayed, 41);
    assert_int_equal(
        sg_evidence_put_row(home.ev, 1, SG_SLICE("again"), SG_SLICE("row")),
        SG_OK);
    assert_int_equal(sg_evidence_start(home.ev, &home.diag), SG_OK);
    struct sg_slice value;
    assert_int_equal(sg_evidence_find(home.ev, 1, SG_SLICE("again"), &value),
                     SG_OK);
    home_remove(&home);
}

// Index lost, unreadable or cut short by some pages: made again by full replay.
static void
an_index_that_is_lost_is_made_again(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    struct sg_evidence_snapshot snapshot = {.seq = 100};
    char path[SG_DISK_PATH];
    static const uint8_t noise[8192] = {0x5a, 0xa5};
    for (unsigned how = 0; how < 6; how++) {
        size_t len;
        home_create(&home);
        home_open(&home);
        home_append(&home, 100);
        assert_int_equal(sg_evidence_save_snapshot(home.ev, &snapshot), SG_OK);
        home_append(&home, 10);
        home_await(&home, SG_EVIDENCE_SNAPSHOT, &event);
        home_close(&home);
        home_file(&home, "index", path);
        if (how == 0) {
            assert_int_equal(sg_os_file_remove_tree(path), SG_OK);
        } else if (how == 1) {
            home_write(&home, "index/data.mdb", 0, noise, sizeof(noise));
        } else {
            free(home_read(&home, "index/data.mdb", &len));
            assert_true(len >= 6 * 4096);
            home_file(&home, "index/data.mdb", path);
            assert_int_equal(truncate(path, (off_t)(len - (how - 1) * 4096)),
                             0);
        }
        home_open(&home);
        assert_int_equal(home.replayed, 111);
        home_append_durable(&home, 1);
        home_remove(&home);
    }
}

static void
an_index_that_knows_more_than_the_log_is_damage(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    struct home_frame frames[64];
    static const uint8_t zeros[4096];
    char path[SG_DISK_PATH];
    size_t len;
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 10);
    uint8_t *slot = home_read(&home, "evidence/checkpoint", &len);
    home_append(&home, 10);
    assert_int_equal(sg_evidence_commit_rows(home.ev, 20), SG_OK);
    assert_int_equal(sg_evidence_flush(home.ev), SG_OK);
    home_await(&home, SG_EVIDENCE_INDEX, &event);
    home_close(&home);
    // An older checkpoint, and the entries above it gone: only the index tells.
    home_write(&home, "evidence/checkpoint", 0, slot, len);
    free(slot);
    size_t count = home_frames(&home, frames, 64);
    assert_int_equal(count, 21);
    for (size_t i = 11; i < count; i++)
        home_write(&home, frames[i].name, frames[i].at, zeros, frames[i].size);
    for (int again = 0; again < 3; again++) { // what ends is started again
        assert_int_equal(home_try_open(&home), SG_ERR_DAMAGE);
        assert_non_null(strstr(home.diag.text, "21 entries were indexed"));
    }
    home_file(&home, "index", path);
    assert_int_equal(sg_os_file_remove_tree(path), SG_OK);
    home_open(&home); // nothing else remembers: what witnesses are for
    assert_int_equal(home.replayed, 11);
    home_remove(&home);
}

static struct sg_slice
number_key(uint8_t bytes[8], uint64_t number)
{
    sg_bytes_store_u64(bytes, number);
    return sg_slice_of(bytes, 8);
}

// Rows put while the log is replayed, as a core does that has lost its index.
static enum sg_err
visit_rows(void *arg, const struct sg_evidence_entry *entry)
{
    struct home *home = arg;
    uint8_t key[8];
    enum sg_err err = sg_evidence_put_row(
        home->ev, 7, number_key(key, 2 * entry->seq), SG_SLICE("row"));
    if (err != SG_OK || entry->seq % 16 != 0)
        return err;
    assert_false(sg_evidence_has_rows(home->ev, entry->seq));
    err = sg_evidence_replay_commit(home->ev, entry);
    if (err == SG_OK && entry->seq > 0) { // the rows so far are found at once
        struct sg_slice value;
        err = sg_evidence_find(home->ev, 7, number_key(key, 2 * entry->seq - 2),
                               &value);
    }
    return err;
}

static void
rows_are_found_by_key_and_in_order_of_their_keys(void **state)
{
    (void)state;
    struct home home;
    struct sg_slice key, value;
    uint8_t wanted[8];
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 50);
    home_close(&home);
    assert_int_equal(sg_evidence_open(&home.options, &home.ev, &home.diag),
                     SG_OK);
    assert_int_equal(sg_evidence_replay(home.ev, visit_rows, &home, &home.diag),
                     SG_OK);
    assert_int_equal(sg_evidence_start(home.ev, &home.diag), SG_OK);
    for (uint64_t n = 0; n <= 100; n++) {
        enum sg_err err =
            sg_evidence_find(home.ev, 7, number_key(wanted, n), &value);
        assert_int_equal(err, n % 2 == 0 ? SG_OK : SG_ERR_NOT_FOUND);
        assert_int_equal(sg_evidence_find_next(
                             home.ev, 7, number_key(wanted, n), &key, &value),
                         SG_OK);
        assert_int_equal(sg_bytes_load_u64(key.ptr), (n + 1) / 2 * 2);
        assert_true(sg_slice_eq(value, SG_SLICE("row")));
    }
    assert_int_equal(sg_evidence_find_next(home.ev, 7, number_key(wanted, 101),
                                           &key, &value),
                     SG_ERR_NOT_FOUND);
    assert_int_equal(
        sg_evidence_find_next(home.ev, 6, SG_SLICE(""), &key, &value),
        SG_ERR_NOT_FOUND);
    home_remove(&home);
}

static void
each_receipt_leads_to_the_signed_root(void **state)
{
    (void)state;
    struct home home;
    static uint8_t bytes[16384];
    size_t len;
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 130);
    for (uint64_t seq = 0; seq <= 130; seq++) {
        struct sg_receipt receipt;
        struct sg_note note;
        struct sg_entry entry;
        uint8_t leaf[32], public_key[32];
        assert_int_equal(
            sg_evidence_receipt(home.ev, seq, bytes, sizeof(bytes), &len),
            SG_OK);
        assert_int_equal(sg_receipt_decode(sg_slice_of(bytes, len), &receipt),
                         SG_OK);
        assert_int_equal(sg_note_parse(receipt.checkpoint, &note), SG_OK);
        sg_crypto_signer_public(home.log_key, public_key);
        assert_true(sg_note_verify(&note, public_key));
        assert_int_equal(note.size, 131);
        assert_int_equal(sg_entry_decode(receipt.entry, &entry), SG_OK);
        assert_int_equal(entry.sequence, seq);
        sg_entry_leaf(receipt.entry, leaf);
        assert_true(sg_merkle_verify(
            SG_MERKLE_LOG,
            &(struct sg_merkle_place){seq, note.size, receipt.path,
                                      receipt.path_len},
            leaf, note.root));
    }
    assert_int_equal(
        sg_evidence_receipt(home.ev, 131, bytes, sizeof(bytes), &len),
        SG_ERR_NOT_FOUND);
    assert_int_equal(sg_evidence_receipt(home.ev, 7, bytes, 20, &len),
                     SG_ERR_FULL);
    assert_true(len > 20);
    home_remove(&home);
}

static void
a_damaged_stored_hash_never_becomes_a_proof(void **state)
{
    (void)state;
    struct home home;
    static uint8_t bytes[16384];
    size_t len;
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 63);
    for (unsigned at = 0; at < 127 * 32; at += 32) {
        unsigned good = 0;
        home_flip(&home, "evidence/tree.nodes", at, 3);
        for (uint64_t seq = 0; seq < 64; seq++) {
            enum sg_err err =
                sg_evidence_receipt(home.ev, seq, bytes, sizeof(bytes), &len);
            assert_true(err == SG_OK || err == SG_ERR_CORRUPT);
            good += err == SG_OK;
        }
        // The root alone is in no path.
        assert_true(good < 64 || at == 126 * 32);
        home_flip(&home, "evidence/tree.nodes", at, 3);
    }
    home_close(&home);
    home_open(&home); // and is written again from the log
    assert_int_equal(home.replayed, 64);
    home_remove(&home);
}

static void
a_note_is_told_from_what_the_log_holds(void **state)
{
    (void)state;
    struct home home;
    struct sg_shown said;
    char older[SG_NOTE_MAX], newer[SG_NOTE_MAX];
    home_create(&home);
    home_open(&home);
    home_append_durable(&home, 10);
    struct sg_slice note = sg_evidence_checkpoint(home.ev);
    size_t older_len = note.len;
    memcpy(older, note.ptr, note.len);
    home_append_durable(&home, 10);
    note = sg_evidence_checkpoint(home.ev);
    size_t newer_len = note.len;
    memcpy(newer, note.ptr, note.len);
    assert_int_equal(
        sg_evidence_shown(home.ev, sg_slice_of(older, older_len), &said),
        SG_OK);
    assert_true(said.epoch == 1 && said.size == 11 && said.held && said.same);
    assert_int_equal(
        sg_evidence_shown(home.ev, sg_slice_of(newer, newer_len), &said),
        SG_OK);
    assert_true(said.size == 21 && said.held && said.same);

    // Ours by key and origin, but of another history.
    uint8_t root[32] = {1};
    struct sg_writer w = sg_writer_on(older, sizeof(older));
    assert_int_equal(sg_note_sign(sg_slice_text(sg_evidence_origin(home.ev)),
                                  15, root, home.log_key, &w),
                     SG_OK);
    assert_int_equal(sg_evidence_shown(home.ev, sg_writer_slice(&w), &said),
                     SG_OK);
    assert_true(said.held && !said.same);
    w = sg_writer_on(older, sizeof(older));
    assert_int_equal(sg_note_sign(sg_slice_text(sg_evidence_origin(home.ev)),
                                  22, root, home.log_key, &w),
                     SG_OK);
    assert_int_equal(sg_evidence_shown(home.ev, sg_writer_slice(&w), &said),
                     SG_OK);
    assert_true(!said.held && !said.same);
    newer[newer_len - 5] ^= 1;
    assert_int_equal(
        sg_evidence_shown(home.ev, sg_slice_of(newer, newer_len), &said),
        SG_ERR_SIGNATURE);
    home_remove(&home);
}

static void
an_entry_too_large_for_a_segment_is_refused(void **state)
{
    (void)state;
    struct home home;
    static uint8_t body[20000];
    home_create(&home);
    home_open(&home);
    assert_int_equal(sg_evidence_append(home.ev, 1, SG_ENTRY_ADMIN_ACT,
                                        HOME_TIME + 1,
                                        sg_slice_of(body, sizeof(body))),
                     SG_ERR_FULL);
    assert_int_equal(sg_evidence_next_seq(home.ev), 1);
    home_remove(&home);
}

static void
a_full_queue_refuses_and_loses_nothing(void **state)
{
    (void)state;
    struct home home;
    struct sg_evidence_event event;
    uint64_t taken = 0;
    home_create(&home);
    home_open(&home);
    for (;; taken++) { // never flushed: nothing is taken out
        uint8_t body[64];
        uint64_t seq = sg_evidence_next_seq(home.ev);
        size_t len = home_body(seq, body);
        enum sg_err err =
            sg_evidence_append(home.ev, seq, SG_ENTRY_ADMIN_ACT,
                               HOME_TIME + seq, sg_slice_of(body, len));
        if (err == SG_ERR_BUSY)
            break;
        assert_int_equal(err, SG_OK);
    }
    assert_true(taken > 4000 && taken < 10000);
    assert_int_equal(sg_evidence_room(home.ev), 0);
    home_close(&home); // the end makes durable what is queued
    home_open(&home);
    assert_int_equal(home.replayed, taken + 1);
    home_append(&home, 3);
    home_await(&home, SG_EVIDENCE_DURABLE, &event);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_is_replayed_in_order),
        cmocka_unit_test(a_log_is_never_made_over_another),
        cmocka_unit_test(two_programs_never_share_a_home),
        cmocka_unit_test(replay_begins_after_the_snapshot),
        cmocka_unit_test(rows_are_found_by_key_and_in_order_of_their_keys),
        cmocka_unit_test(a_snapshot_the_core_cannot_use_means_replay_from_zero),
        cmocka_unit_test(an_index_that_is_lost_is_made_again),
        cmocka_unit_test(an_index_that_knows_more_than_the_log_is_damage),
        cmocka_unit_test(each_receipt_leads_to_the_signed_root),
        cmocka_unit_test(a_damaged_stored_hash_never_becomes_a_proof),
        cmocka_unit_test(a_note_is_told_from_what_the_log_holds),
        cmocka_unit_test(an_entry_too_large_for_a_segment_is_refused),
        cmocka_unit_test(a_full_queue_refuses_and_loses_nothing),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
