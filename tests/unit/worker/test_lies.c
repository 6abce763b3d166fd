// A planted malicious reader: it writes what it likes instead of what was sent,
// well-formed or not. Under a row commitment nothing of it is accepted: the
// judge compares with what the publisher signed.
#include "tests/unit/worker/role_fixture.h"

#define SENT                                                                   \
    HEAD ROW("A,KE,2020", "10", "12") ROW("A,KE,2021", "20", "3")              \
        ROW("A,UG,2020", "30", "9")

// Data that the reader could pretend to have read.
static const char *const lies[] = {
    HEAD ROW("A,KE,2020", "10", "12") ROW("A,KE,2021", "20", "3"), // one less
    SENT ROW("A,UG,2021", "40", "1"),                              // one more
    HEAD ROW("A,KE,2020", "11", "12") ROW("A,KE,2021", "20", "3")
        ROW("A,UG,2020", "30", "9"), // a value
    HEAD ROW("A,KE,2020", "10", "12") ROW("A,KE,2021", "20", "30")
        ROW("A,UG,2020", "30", "9"), // a count above the limit
    HEAD ROW("A,KE,2020", "20", "12") ROW("A,KE,2021", "10", "3")
        ROW("A,UG,2020", "30", "9"), // two values swapped
    HEAD ROW("A,KE,2020", "10", "12") ROW("A,KE,2021", "20", "3")
        ROW("A,TZ,2020", "30", "9"), // another area
    HEAD ROW("A,KE,2020", "10", "12") ROW("A,KE,2022", "20", "3")
        ROW("A,UG,2020", "30", "9"), // another year
    HEAD ROW("A,KE,2020", "10.0", "12") ROW("A,KE,2021", "20", "3")
        ROW("A,UG,2020", "30", "9"), // the same number, another text
    HEAD ROW("A,KE,2020", "", "12") ROW("A,KE,2021", "20", "3")
        ROW("A,UG,2020", "30", "9"), // a value withheld
    "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
    "T:F(1.0),A,KE,2020,10,E,PT\n"
    "T:F(1.0),A,KE,2021,20,N,PT\n"
    "T:F(1.0),A,UG,2020,30,N,PT\n", // flags changed, notes dropped
};

// What the publisher signed stays; then the judge gets the lie.
static void
judge_lie(struct fixture *f, const char *lie)
{
    uint8_t signed_root[32];
    memcpy(signed_root, f->root, 32);
    read_in(f, lie);
    memcpy(f->root, signed_root, 32);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
}

static void
wrong_observations_are_never_accepted(void **state)
{
    struct fixture *f = *state;
    read_in(f, SENT);
    judge_lie(f, SENT); // the truth, for comparison
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    for (size_t i = 0; i < SG_COUNT_OF(lies); i++) {
        judge_lie(f, lies[i]);
        assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
        assert_string_equal(f->done.code, sg_err_code(SG_ERR_CONTENT));
    }
}

static enum sg_err
collect(void *context, struct sg_slice bytes)
{
    sg_bytes_put((struct sg_writer *)context, bytes.ptr, bytes.len);
    return SG_OK;
}

static void
a_stream_without_rows_is_told_as_what_was_not_signed(void **state)
{
    struct fixture *f = *state;
    uint8_t room[4096];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    const struct sg_canonical_out out = {&w, collect};
    read_in(f, SENT);
    struct sg_canonical_writer *none = sg_canonical_writer_new(
        f->scratch, f->structure, SG_CANONICAL_MODE_STREAM, &out);
    assert_non_null(none);
    assert_int_equal(sg_canonical_writer_end(none), SG_OK);
    put(f, &f->leaves, sg_slice_of(room, w.len));
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_CONTENT));
}

// Every byte of the canonical stream changed in three ways, and every cut: the
// judge refuses, fails, or (never) accepts.
static void
no_changed_stream_is_accepted(void **state)
{
    struct fixture *f = *state;
    uint32_t tried = 0;
    read_in(f, SENT);
    struct sg_slice honest = get(f, &f->leaves);
    uint8_t *forged = sg_arena_take(f->arena, honest.len + 1);
    for (size_t at = 0; at < honest.len; at++) {
        static const uint8_t masks[] = {0x01, 0x80, 0xff};
        for (size_t m = 0; m <= SG_COUNT_OF(masks); m++, tried++) {
            size_t len = honest.len;
            memcpy(forged, honest.ptr, honest.len);
            if (m < SG_COUNT_OF(masks))
                forged[at] ^= masks[m];
            else
                len = at;
            put(f, &f->leaves, sg_slice_of(forged, len));
            sg_arena_reset(f->scratch);
            enum sg_err err = run(f, sg_role_judge, &f->leaves, NULL);
            assert_false(err == SG_OK && f->done.verdict == SG_ROLE_ACCEPT);
        }
    }
    assert_true(tried > 400);
    forged[honest.len] = 0; // one byte too many
    memcpy(forged, honest.ptr, honest.len);
    put(f, &f->leaves, sg_slice_of(forged, honest.len + 1));
    assert_false(run(f, sg_role_judge, &f->leaves, NULL) == SG_OK &&
                 f->done.verdict == SG_ROLE_ACCEPT);
}

static void
rows_of_another_release_are_not_accepted(void **state)
{
    struct fixture *f = *state;
    read_in(f, SENT);
    f->secret.seed[3] ^= 1; // the seed of the other one
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    f->secret.seed[3] ^= 1;
    f->secret.id[0] ^= 1;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_observations_are_never_accepted),
        TEST(a_stream_without_rows_is_told_as_what_was_not_signed),
        TEST(no_changed_stream_is_accepted),
        TEST(rows_of_another_release_are_not_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
