#define _GNU_SOURCE // memmem
// The roles of an inspector, called without their sandbox: the same functions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "broker/inspect/worker/rendering.h"
#include "broker/os/file.h"
#include "broker/os/memory.h"
#include "tests/unit/sdmx/obs_fixture.h"

#define HEAD                                                                   \
    "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT,TITLE,"              \
    "SOURCE,NOTE\n"
#define ROW(key, value, note) "T:F(1.0)," key "," value ",N,PT,,," note "\n"

// Not sorted on purpose: UG stands before KE.
static const char data[] = HEAD ROW("A,UG,2020", "1.50", "9")
    ROW("A,KE,2021", "2", "3") ROW("A,KE,2020", "3e1", "12");

struct store { // one sealed object
    int fd;
    uint8_t key[32], attempt[16];
    uint32_t purpose;
    uint64_t bytes, chunks;
};

struct fixture {
    struct sg_arena *arena, *scratch;
    const struct sg_structure *structure;
    struct sg_secret secret;
    uint8_t block[SG_SECRET_LEN], manifest[32], root[32];
    struct store spool, leaves, report, output;
    Sgpb__InspectTerms terms;
    Sgpb__Rendition rendition;
    Sgpb__DoneItem done;
    uint32_t role;
};

static void
store_init(struct store *store, uint8_t seed, uint32_t purpose)
{
    assert_int_equal(sg_os_memory_open(&store->fd), SG_OK);
    memset(store->key, seed, 32);
    memset(store->attempt, seed + 1, 16);
    store->purpose = purpose;
    store->bytes = store->chunks = 0;
}

static Sgpb__SealedInput
as_input(struct store *store, uint8_t *manifest)
{
    Sgpb__SealedInput in = SGPB__SEALED_INPUT__INIT;
    in.attempt = sg_codec_bytes(store->attempt, 16);
    in.manifest_sha256 = sg_codec_bytes(manifest, 32);
    in.purpose = store->purpose;
    in.key = sg_codec_bytes(store->key, 32);
    in.chunks = store->chunks;
    in.bytes = store->bytes;
    in.chunk_size = 64; // many chunks
    return in;
}

static Sgpb__SealedOutput
as_output(struct store *store, uint8_t *manifest)
{
    Sgpb__SealedOutput out = SGPB__SEALED_OUTPUT__INIT;
    out.attempt = sg_codec_bytes(store->attempt, 16);
    out.manifest_sha256 = sg_codec_bytes(manifest, 32);
    out.purpose = store->purpose;
    out.key = sg_codec_bytes(store->key, 32);
    out.chunk_size = 64;
    return out;
}

static void
put(struct fixture *f, struct store *store, struct sg_slice bytes)
{
    struct sg_sealed_out out;
    Sgpb__SealedOutput to = as_output(store, f->manifest);
    uint8_t sha256[32];
    assert_int_equal(sg_sealed_out_open(&out, &to, store->fd, 0, f->scratch),
                     SG_OK);
    assert_int_equal(sg_sealed_out_write(&out, bytes), SG_OK);
    assert_int_equal(sg_sealed_out_end(&out, sha256), SG_OK);
    store->bytes = out.bytes;
    store->chunks = out.index;
    sg_sealed_out_close(&out);
}

// All plaintext of an object, in the scratch arena.
static struct sg_slice
get(struct fixture *f, struct store *store)
{
    struct sg_sealed_in in;
    Sgpb__SealedInput from = as_input(store, f->manifest);
    uint64_t at = 0, used = 0;
    uint8_t *all = sg_arena_take(f->arena, store->bytes + 1);
    struct sg_slice plain;
    assert_int_equal(sg_sealed_in_open(&in, &from, store->fd, &at, f->scratch),
                     SG_OK);
    for (;;) {
        assert_int_equal(sg_sealed_in_next(&in, &plain), SG_OK);
        if (plain.len == 0)
            break;
        memcpy(all + used, plain.ptr, plain.len);
        used += plain.len;
    }
    sg_sealed_in_close(&in);
    assert_int_equal(used, store->bytes);
    return sg_slice_of(all, used);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sg_diag diag = {0};
    assert_int_equal(sg_crypto_start(), SG_OK);
    f->arena = sg_arena_new(256u << 20, 1 << 20);
    f->scratch = sg_arena_new(256u << 20, 1 << 20);
    assert_int_equal(
        fixture_open(f->arena, SG_SLICE(obs_fixture_dsd), &f->structure, &diag),
        SG_OK);
    for (size_t i = 0; i < 16; i++) {
        f->secret.seed[i] = (uint8_t)(i * 7 + 1);
        f->secret.id[i] = (uint8_t)(i * 5 + 2);
    }
    sg_secret_encode(&f->secret, f->block);
    memset(f->manifest, 0x4d, 32);
    store_init(&f->spool, 1, SG_SEAL_SPOOL);
    store_init(&f->leaves, 3, SG_SEAL_LEAVES);
    store_init(&f->report, 5, SG_SEAL_REPORT);
    store_init(&f->output, 7, SG_SEAL_VARIANT);
    f->terms = (Sgpb__InspectTerms)SGPB__INSPECT_TERMS__INIT;
    f->terms.media = SG_MEDIA_CSV10;
    f->terms.mode = 3;
    f->terms.dataflow = (char *)(uintptr_t) "T:F(1.0)";
    f->rendition = (Sgpb__Rendition)SGPB__RENDITION__INIT;
    f->rendition.media = SG_MEDIA_CSV10;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    (void)close(f->spool.fd);
    (void)close(f->leaves.fd);
    (void)close(f->report.fd);
    (void)close(f->output.fd);
    sg_arena_free(&f->arena);
    sg_arena_free(&f->scratch);
    free(f);
    return 0;
}

// Runs one role over one item, as serve.c does.
static enum sg_err
run(struct fixture *f, sg_role_run *role, struct store *input,
    struct store *source)
{
    Sgpb__Job job = SGPB__JOB__INIT;
    Sgpb__JobItem item = SGPB__JOB_ITEM__INIT;
    Sgpb__SealedInput in, from;
    Sgpb__SealedOutput leaves, report, output;
    struct sg_role_job of = {.job = &job,
                             .structure = f->structure,
                             .arena = f->arena,
                             .scratch = f->scratch,
                             .input_fd = input->fd,
                             .source_fd = source == NULL ? -1 : source->fd,
                             .leaves_fd = f->leaves.fd,
                             .report_fd = f->report.fd,
                             .output_fd = f->output.fd};
    struct sg_role_item one = {.of = &of,
                               .item = &item,
                               .done = &f->done,
                               .secret = f->secret,
                               .has_secret = true};
    job.terms = &f->terms;
    job.rendition = &f->rendition;
    job.salt = 77;
    in = as_input(input, f->manifest);
    item.input = &in;
    if (source != NULL) {
        from = as_input(source, f->manifest);
        item.source = &from;
    }
    leaves = as_output(&f->leaves, f->manifest);
    report = as_output(&f->report, f->manifest);
    output = as_output(&f->output, f->manifest);
    if (role == sg_role_reader)
        item.leaves = &leaves;
    if (role == sg_role_reader || role == sg_role_judge)
        item.report = &report;
    if (role == sg_role_writer)
        item.output = &output;
    item.content_root = sg_codec_bytes(f->root, 32);
    f->done = (Sgpb__DoneItem)SGPB__DONE_ITEM__INIT;
    enum sg_err err = role(&one);
    sg_arena_reset(f->scratch);
    return err;
}

// Spool, reader, and the root that a judge finds.
static void
read_in(struct fixture *f, const char *text)
{
    put(f, &f->spool, sg_slice_text(text));
    assert_int_equal(run(f, sg_role_reader, &f->spool, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    f->leaves.bytes = f->done.leaves_bytes;
    f->leaves.chunks = f->done.leaves_chunks;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.content_root.len, 32);
    memcpy(f->root, f->done.content_root.data, 32);
}

static void
write_out(struct fixture *f)
{
    assert_int_equal(run(f, sg_role_writer, &f->leaves, &f->spool), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    f->output.bytes = f->done.output_bytes;
    f->output.chunks = f->done.output_chunks;
}

static struct sg_slice
data_of(struct sg_slice rendition)
{
    uint32_t proof = sg_bytes_load_u32(rendition.ptr);
    return sg_slice_of(rendition.ptr + 4 + proof, rendition.len - 4 - proof);
}

static void
an_honest_release_is_read_and_judged(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    assert_int_equal(f->done.rows, 3);
    assert_int_equal(f->done.facts->observations, 3);
    assert_int_equal(f->done.facts->series, 2);
    assert_string_equal(f->done.facts->parts[0]->conf_status, "F");
}

static void
a_root_that_was_not_signed_is_refused(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    f->root[31] ^= 1;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_CONTENT));
}

static void
rows_that_a_reader_invents_give_another_root(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    uint8_t signed_root[32];
    memcpy(signed_root, f->root, 32);
    read_in(f, HEAD ROW("A,UG,2020", "1.50", "9") ROW("A,KE,2021", "2", "3")
                   ROW("A,KE,2020", "3e2", "12"));
    memcpy(f->root, signed_root, 32);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
}

static void
bad_data_are_refused_with_component_and_report(void **state)
{
    struct fixture *f = *state;
    put(f, &f->spool,
        SG_SLICE(HEAD ROW("A,XX,2020", "1", "") ROW("A,KE,2020", "x", "")));
    assert_int_equal(run(f, sg_role_reader, &f->spool, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_DATA));
    assert_string_equal(f->done.component, "AREA");
    assert_int_equal(f->done.faults, 2);
    assert_int_equal(f->done.leaves_chunks, 0);
    f->report.bytes = f->done.report_bytes;
    f->report.chunks = f->done.report_chunks;
    struct sg_slice bytes = get(f, &f->report);
    void *message;
    assert_int_equal(
        sg_codec_unpack(&sgpb__report__descriptor, bytes, f->arena, &message),
        SG_OK);
    const Sgpb__Report *report = message;
    assert_int_equal(report->n_faults, 2);
    assert_string_equal(report->faults[0]->code, "CODE");
    assert_int_equal(report->faults[0]->row, 1);
    assert_string_equal(report->faults[1]->code, "TYPE");
}

static void
renditions_read_back_as_what_was_signed(void **state)
{
    static const uint32_t media[] = {SG_MEDIA_CSV10, SG_MEDIA_CSV21,
                                     SG_MEDIA_ML21};
    struct fixture *f = *state;
    read_in(f, data);
    f->rendition.with_proof = true;
    for (size_t i = 0; i < SG_COUNT_OF(media); i++) {
        f->rendition.media = media[i];
        write_out(f);
        assert_memory_equal(f->done.content_root.data, f->root, 32);
        if (media[i] == SG_MEDIA_CSV10) { // as published: the very bytes
            struct sg_slice bytes = data_of(get(f, &f->output));
            assert_int_equal(bytes.len, sizeof data - 1);
            assert_memory_equal(bytes.ptr, data, bytes.len);
        }
        assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
        assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
        assert_int_equal(f->done.rows, 3);
    }
}

static void
a_rendition_with_one_changed_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    f->rendition.with_proof = true;
    f->rendition.media = SG_MEDIA_CSV21;
    write_out(f);
    struct sg_slice whole = get(f, &f->output);
    uint8_t *changed = sg_arena_take(f->arena, whole.len);
    uint32_t accepted = 0;
    for (size_t at = 0; at < whole.len; at++) {
        memcpy(changed, whole.ptr, whole.len);
        changed[at] ^= 1;
        put(f, &f->output, sg_slice_of(changed, whole.len));
        sg_arena_reset(f->scratch);
        enum sg_err err = run(f, sg_role_review, &f->output, &f->leaves);
        accepted += err == SG_OK && f->done.verdict == SG_ROLE_ACCEPT;
    }
    // Only the version of the dataflow (three rows, three characters) and a
    // separator that no value uses may differ.
    assert_in_range(accepted, 0, 10);
    put(f, &f->output, whole);
    assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
}

static void
small_cells_are_suppressed_under_a_seed_of_their_own(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    f->rendition.suppress_below = 5;
    f->rendition.count_component = (char *)(uintptr_t) "NOTE";
    write_out(f);
    assert_int_equal(f->done.suppressed, 1);
    assert_memory_not_equal(f->done.content_root.data, f->root, 32);
    struct sg_slice rendition = get(f, &f->output);
    struct sg_slice bytes = data_of(rendition);
    assert_null(memmem(bytes.ptr, bytes.len, "2021,2,", 7));
    assert_non_null(memmem(bytes.ptr, bytes.len, "1.50", 4));
    // The proof shows seeds: never those of the release.
    assert_null(memmem(rendition.ptr, rendition.len, f->secret.seed, 16));
    assert_null(memmem(rendition.ptr, rendition.len, f->secret.id, 16));
    assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
}

static void
a_writer_that_forgets_to_suppress_is_refused(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    write_out(f); // derived, nothing suppressed
    f->rendition.suppress_below = 5;
    f->rendition.count_component = (char *)(uintptr_t) "NOTE";
    assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
}

static void
a_key_filter_keeps_what_it_names(void **state)
{
    static const struct {
        const char *key, *period;
        uint64_t rows;
    } cases[] = {{"", "", 3},       {"A.KE", "", 2},      {".UG+TZ", "", 1},
                 {"Q", "", 0},      {"*.KE", "2021/", 1}, {"", "2020/2020", 2},
                 {"A.KE+UG", "", 3}};
    struct fixture *f = *state;
    read_in(f, data);
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        f->rendition.key_filter = (char *)(uintptr_t)cases[i].key;
        f->rendition.period = (char *)(uintptr_t)cases[i].period;
        write_out(f);
        assert_int_equal(f->done.rows, cases[i].rows);
        assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
        assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    }
}

static void
an_object_of_another_release_does_not_open(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    f->manifest[0] ^= 1;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_ERR_CORRUPT);
    assert_int_equal(f->done.verdict, SG_ROLE_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_honest_release_is_read_and_judged),
        TEST(a_root_that_was_not_signed_is_refused),
        TEST(rows_that_a_reader_invents_give_another_root),
        TEST(bad_data_are_refused_with_component_and_report),
        TEST(renditions_read_back_as_what_was_signed),
        TEST(a_rendition_with_one_changed_byte_is_refused),
        TEST(small_cells_are_suppressed_under_a_seed_of_their_own),
        TEST(a_writer_that_forgets_to_suppress_is_refused),
        TEST(a_key_filter_keeps_what_it_names),
        TEST(an_object_of_another_release_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
