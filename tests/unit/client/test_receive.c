#include "adapters/client/session.h"
#include "tests/unit/client/fake_gate.h"

static int end_first(struct statgate *handle, enum sg_wire_lane lane,
                     Sgpb__Envelope *envelope, struct sg_slice payload,
                     struct statgate_result *result);

#define sg_session_send end_first
#undef fail // a name that receive.c has too
// On purpose: what is given out of what has come is nobody else's to see.
#include "adapters/client/receive.c" // NOLINT(bugprone-suspicious-include)

static void
one_of_another_subscription_waits_until_that_is_asked_for(void **state)
{
    struct fake f;
    const struct sg_statement_expect expect = {
        .genesis = f.home.genesis, .roster = &f.home.roster, .gate = "GATE"};
    static struct statgate handle;
    static struct sg_receiving r;
    struct statgate_delivery out = {.stopped = 0};
    const char *why;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    r.handle = &handle;
    f.begin.subscription = fake_text(&f, "AGENCY/ALL");
    assert_int_equal(
        sg_deliver_begin(&f.home, &f.begin, &expect, &handle.delivery, &why),
        SG_OK);
    handle.delivery->state = SG_DELIVER_SHOWN; // its key came late
    handle.delivery->follows = true;
    (void)snprintf(r.kept.id, sizeof r.kept.id, "AGENCY/SOME");
    assert_false(fill(&r, &out));
    (void)snprintf(r.kept.id, sizeof r.kept.id, "AGENCY/ALL");
    assert_true(fill(&r, &out));
    assert_string_equal(out.subscription, "AGENCY/ALL");
    assert_memory_equal(out.delivery_id, f.id, 16);
    sg_deliver_free(&handle.delivery);
    fake_close(&f);
}

// Sending may greet, which hears: here that the first delivery has ended.
static int
end_first(struct statgate *handle, enum sg_wire_lane lane,
          Sgpb__Envelope *envelope, struct sg_slice payload,
          struct statgate_result *result)
{
    (void)lane, (void)payload;
    assert_int_equal(envelope->body_case, SGPB__ENVELOPE__BODY_DELIVERY_READY);
    forget(handle, handle->delivery);
    return sg_session_done(result);
}

static void
all_keys_are_asked_for_though_a_delivery_ends_meanwhile(void **state)
{
    static struct statgate handle;
    static struct sg_receiving r;
    Sgpb__Delivery no_chunks = SGPB__DELIVERY__INIT;
    struct statgate_result result;
    struct sg_merkle tree;
    uint8_t root[32];

    (void)state;
    sg_merkle_init(&tree, SG_MERKLE_CHUNKS);
    sg_merkle_root(&tree, root);
    no_chunks.chunk_root = sg_codec_bytes(root, 32);
    r.handle = &handle;
    for (int i = 0; i < 2; i++) {
        struct sg_delivery_in *in = calloc(1, sizeof *in);
        assert_non_null(in);
        in->fd = -1;
        in->state = SG_DELIVER_WHOLE;
        in->statement.delivery = &no_chunks;
        append(&handle, in);
    }
    assert_int_equal(speak(&r, &result), 0);
    assert_null(handle.delivery); // both were asked for, and ended
}

// Its ciphertext would stay in the inbox for ever, once for each that comes.
static void
one_too_many_leaves_no_file(void **state)
{
    static struct statgate handle;
    struct fake f;
    const struct sg_statement_expect expect = {
        .genesis = f.home.genesis, .roster = &f.home.roster, .gate = "GATE"};
    char part[SG_OS_PATH];
    struct sg_delivery_in *in;
    const char *why;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    for (int i = 0; i < COMING_MAX; i++) {
        in = calloc(1, sizeof *in);
        assert_non_null(in);
        in->fd = -1;
        append(&handle, in);
    }
    assert_int_equal(sg_deliver_begin(&f.home, &f.begin, &expect, &in, &why),
                     SG_OK);
    (void)snprintf(part, sizeof part, "%s", in->part);
    assert_true(sg_os_file_exists(part));
    append(&handle, in);
    assert_false(sg_os_file_exists(part));
    sg_deliver_free(&handle.delivery);
    fake_close(&f);
}

static struct sg_slice
packed_receipt(struct fake *f)
{
    Sgpb__DeliveryReceipt receipt = SGPB__DELIVERY_RECEIPT__INIT;
    Sgpb__ReceiptAck ack = SGPB__RECEIPT_ACK__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    struct sg_slice body;

    ack.delivery_id = sg_codec_bytes(f->id, 16);
    ack.kept = 1;
    body = fake_pack(f, &ack.base);
    document.body = sg_codec_bytes(body.ptr, body.len);
    receipt.ack = &document;
    return fake_pack(f, &receipt.base);
}

static void
put_empty(const struct fake *f, const char *folder, const char *suffix)
{
    char path[SG_OS_PATH];

    assert_true(
        sg_home_path(&f->home, folder, sg_slice_of(f->id, 16), suffix, path));
    fake_write(path, (struct sg_slice){NULL, 0});
}

static void
put_files(const struct fake *f, size_t data_len, size_t sidecar_cut)
{
    static const uint8_t data[100];
    Sgpb__DeliveryBegin begin = SGPB__DELIVERY_BEGIN__INIT;
    uint8_t bytes[512];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
    char path[SG_OS_PATH];

    begin.bytes = 4 + 3 + sizeof data;
    sg_bytes_put(&w, "SGSV1", 5);
    sg_bytes_put(&w, data, 32);
    sg_bytes_put_blob(&w, fake_pack((struct fake *)(uintptr_t)f, &begin.base));
    sg_bytes_put_blob(&w, SG_SLICE("pro"));
    sg_bytes_put_blob(&w, SG_SLICE("roster"));
    assert_true(
        sg_home_path(&f->home, "inbox", sg_slice_of(f->id, 16), ".sgv", path));
    fake_write(path, sg_slice_of(bytes, w.len - sidecar_cut));
    assert_true(
        sg_home_path(&f->home, "inbox", sg_slice_of(f->id, 16), ".data", path));
    fake_write(path, sg_slice_of(data, data_len));
}

static void
what_a_power_cut_left_short_was_not_kept(void **state)
{
    struct fake f;
    struct statgate *handle = calloc(1, sizeof *handle);
    char folder[SG_OS_PATH];

    (void)state;
    assert_non_null(handle);
    fake_open(&f, FAKE_NOTHING);
    handle->home = f.home;
    assert_true(sg_os_file_path(folder, "%s/inbox", f.folder));
    assert_int_equal(sg_os_file_make_dirs(folder), SG_OK);
    struct sg_slice receipt = packed_receipt(&f);
    assert_int_equal(sg_keep_put(handle, f.id, receipt), SG_OK);
    put_files(&f, 100, 0);
    assert_true(sg_keep_has(&f.home, f.id));
    put_files(&f, 99, 0);
    assert_false(sg_keep_has(&f.home, f.id));
    assert_int_equal(sg_keep_put(handle, f.id, receipt), SG_OK);
    put_files(&f, 100, 1);
    assert_false(sg_keep_has(&f.home, f.id));
    free(handle);
    fake_close(&f);
}

// Then the gate delivers once more, as it was told nothing.
static void
what_a_power_cut_left_empty_was_not_kept(void **state)
{
    static const char *const suffix[] = {".data", ".sgv"};
    struct fake f;
    struct statgate *handle = calloc(1, sizeof *handle);
    char folder[SG_OS_PATH];

    (void)state;
    assert_non_null(handle);
    fake_open(&f, FAKE_NOTHING);
    handle->home = f.home;
    assert_true(sg_os_file_path(folder, "%s/inbox", f.folder));
    assert_int_equal(sg_os_file_make_dirs(folder), SG_OK);
    struct sg_slice receipt = packed_receipt(&f);
    assert_false(sg_keep_has(&f.home, f.id));
    assert_int_equal(sg_keep_put(handle, f.id, receipt), SG_OK);
    assert_true(sg_keep_has(&f.home, f.id)); // its files were taken away
    put_empty(&f, "acks", "");
    assert_false(sg_keep_has(&f.home, f.id));
    for (size_t i = 0; i < SG_COUNT_OF(suffix); i++) {
        assert_int_equal(sg_keep_put(handle, f.id, receipt), SG_OK);
        assert_true(sg_keep_has(&f.home, f.id));
        put_empty(&f, "inbox", suffix[i]);
        assert_false(sg_keep_has(&f.home, f.id));
        assert_int_equal(sg_os_file_remove_tree(folder), SG_OK);
        assert_int_equal(sg_os_file_make_dirs(folder), SG_OK);
    }
    free(handle);
    fake_close(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            one_of_another_subscription_waits_until_that_is_asked_for),
        cmocka_unit_test(
            all_keys_are_asked_for_though_a_delivery_ends_meanwhile),
        cmocka_unit_test(one_too_many_leaves_no_file),
        cmocka_unit_test(what_a_power_cut_left_short_was_not_kept),
        cmocka_unit_test(what_a_power_cut_left_empty_was_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
