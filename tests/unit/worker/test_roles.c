#define _GNU_SOURCE // memmem
// The roles of an inspector, called without their sandbox: the same functions.
#include "schemas/proof/commit.h"
#include "tests/unit/worker/role_fixture.h"

// Not sorted on purpose: UG stands before KE.
static const char data[] = HEAD ROW("A,UG,2020", "1.50", "9")
    ROW("A,KE,2021", "2", "3") ROW("A,KE,2020", "3e1", "12");

// The same, and what it is to be read by stands behind it.
static const char json[] =
    "{\"$schema\":\"https://json.sdmx.org/2.1/x.json\",\"data\":{\"dataSets\":[{"
    "\"series\":{\"0:1\":{\"observations\":{\"0\":[1.50,0,\"9\"]},"
    "\"attributes\":[0]},\"0:0\":{\"attributes\":[0],\"observations\":{"
    "\"1\":[2,0,\"3\"],\"0\":[3e1,0,\"12\"]}}},\"action\":\"Replace\"}],"
    "\"structures\":[{\"links\":[{\"rel\":\"dataflow\",\"urn\":\"x=T:F(1.0)\"}],"
    "\"dimensions\":{\"series\":[{\"id\":\"FREQ\",\"values\":[{\"id\":\"A\"}]},"
    "{\"id\":\"AREA\",\"values\":[{\"id\":\"KE\"},{\"id\":\"UG\"}]}],"
    "\"observation\":[{\"id\":\"TIME_PERIOD\",\"values\":[{\"id\":\"2020\"},"
    "{\"id\":\"2021\"}]}]},\"attributes\":{\"series\":[{\"id\":\"UNIT\","
    "\"values\":[{\"value\":\"PT\"}]}],\"observation\":[{\"id\":\"STATUS\","
    "\"values\":[{\"id\":\"N\"}]},{\"id\":\"NOTE\"}]}}]}}";

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
a_commitment_to_other_bytes_is_refused(void **state)
{
    struct fixture *f = *state;
    read_in(f, data);
    f->file[0] ^= 1;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_CONTENT));
    assert_string_equal(f->done.component, "file_commit");
    // At level file the two commitments are one.
    f->terms.mode = 1;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    memcpy(f->root, f->done.content_root.data, 32);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_string_equal(f->done.component, "file_commit");
    memcpy(f->file, f->root, 32);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
}

static void
a_judge_without_the_bytes_accepts_nothing(void **state)
{
    struct fixture *f = *state;
    struct store none = f->spool;
    read_in(f, data);
    none.bytes = none.chunks = 0;
    enum sg_err err = run(f, sg_role_judge, &f->leaves, &none);
    assert_false(err == SG_OK && f->done.verdict == SG_ROLE_ACCEPT);
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
        // The judge commits to the proof that it has compared.
        struct sg_slice whole = get(f, &f->output);
        uint8_t commit[32];
        sg_commit_shared_proof(
            f->output.attempt,
            sg_slice_of(whole.ptr + 4, sg_bytes_load_u32(whole.ptr)), commit);
        assert_int_equal(f->done.shared_proof_commit.len, 32);
        assert_memory_equal(f->done.shared_proof_commit.data, commit, 32);
    }
}

static void
data_whose_structure_stands_behind_them_are_read_twice(void **state)
{
    struct fixture *f = *state;
    f->terms.media = SG_MEDIA_JSON21;
    read_in(f, json);
    assert_int_equal(f->done.rows, 3);
    f->rendition.with_proof = true;
    f->rendition.media = SG_MEDIA_JSON21; // as published
    write_out(f);
    struct sg_slice bytes = data_of(get(f, &f->output));
    assert_int_equal(bytes.len, sizeof json - 1);
    assert_memory_equal(bytes.ptr, json, bytes.len);
    assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    assert_int_equal(f->done.rows, 3);
    f->rendition.media = SG_MEDIA_ML21;
    write_out(f);
    assert_int_equal(run(f, sg_role_review, &f->output, &f->leaves), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
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

// Of a subscription, before there is any release.
static void
a_choice_fits_the_structure_or_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *key, *period, *code, *place;
    } cases[] = {
        {"A.KE", "2020/", "", ""},
        {"A.KE.X", "", "subscriber.key", "key \"A.KE.X\""},
        {"A.XX", "", "subscriber.key_code", "AREA \"XX\""},
        {"", "2020", "subscriber.period", "period \"2020\""},
        {"", "2021/2020", "subscriber.period_order", "period \"2021/2020\""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        f->rendition.key_filter = (char *)(uintptr_t)cases[i].key;
        f->rendition.period = (char *)(uintptr_t)cases[i].period;
        assert_int_equal(run(f, sg_role_choice, &f->leaves, NULL), SG_OK);
        assert_int_equal(f->done.verdict, cases[i].code[0] == '\0'
                                              ? SG_ROLE_ACCEPT
                                              : SG_ROLE_REJECT);
        assert_string_equal(f->done.code, cases[i].code);
        assert_string_equal(f->done.component, cases[i].place);
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
        TEST(a_commitment_to_other_bytes_is_refused),
        TEST(a_judge_without_the_bytes_accepts_nothing),
        TEST(rows_that_a_reader_invents_give_another_root),
        TEST(bad_data_are_refused_with_component_and_report),
        TEST(renditions_read_back_as_what_was_signed),
        TEST(data_whose_structure_stands_behind_them_are_read_twice),
        TEST(a_rendition_with_one_changed_byte_is_refused),
        TEST(small_cells_are_suppressed_under_a_seed_of_their_own),
        TEST(a_writer_that_forgets_to_suppress_is_refused),
        TEST(a_key_filter_keeps_what_it_names),
        TEST(a_choice_fits_the_structure_or_is_refused_with_its_place),
        TEST(an_object_of_another_release_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
