#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/obs_fixture.h"

#define V2                                                                     \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT,TITLE,SOURCE,NOTE\n"
#define F "dataflow,T:FLOW(1.0),"

static void
a_row_has_the_bytes_of_the_paper(void **state)
{
    uint8_t long_text[200];
    memset(long_text, 'x', sizeof long_text);
    const struct sg_value values[] = {
        {(const uint8_t *)"KE", 2, SG_VALUE_TEXT},
        {NULL, 0, SG_VALUE_ABSENT},
        {NULL, 0, SG_VALUE_OFF},
        {(const uint8_t *)"\2\1a\1b", 5, SG_VALUE_SEVERAL},
        {(const uint8_t *)"\1\2en\1x", 6, SG_VALUE_LANGUAGES},
        {long_text, sizeof long_text, SG_VALUE_TEXT},
    };
    static const uint8_t front[] = {5,   'K', 'E', 0, 1,   2,   2, 1,   'a', 1,
                                    'b', 3,   1,   2, 'e', 'n', 1, 'x', 203, 1};
    uint8_t bytes[256];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
    struct sg_value back[6];
    (void)state;
    assert_int_equal(sg_canonical_row_size(values, 6), sizeof front + 200);
    sg_canonical_row_put(&w, values, 6);
    assert_int_equal(w.len, sizeof front + 200);
    assert_memory_equal(bytes, front, sizeof front);
    assert_int_equal(sg_canonical_row_take(sg_writer_slice(&w), back, 6),
                     SG_OK);
    for (size_t i = 0; i < 6; i++)
        assert_true(sg_obs_value_eq(&values[i], &back[i]));
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(
            sg_canonical_row_take(sg_slice_of(bytes, len), back, 6),
            SG_ERR_FORMAT);
    assert_int_equal(
        sg_canonical_row_take(sg_slice_of(bytes, w.len + 1), back, 6),
        SG_ERR_FORMAT);
}

static void
rows_that_are_not_canonical_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x83\x00", 2},     // absent in a longer varint
        {"\x02\x00", 2},     // an empty list
        {"\x02\x01\x00", 3}, // a list of one empty value
        {"\x02\x02\x01"
         "a",
         4}, // an item is missing
        {"\x03\x02\x01"
         "b\x01x\x01"
         "a\x01x",
         10}, // languages out of order
        {"\x03\x02\x01"
         "a\x01x\x01"
         "a\x01x",
         10},                                             // a language twice
        {"\x05K", 2},                                     // short
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, // endless
    };
    struct sg_value value;
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_int_equal(
            sg_canonical_row_take(sg_slice_of(cases[i].bytes, cases[i].len),
                                  &value, 1),
            SG_ERR_FORMAT);
}

static void
absent_sorts_before_off_before_text(void **state)
{
    const struct sg_value absent = {NULL, 0, SG_VALUE_ABSENT};
    const struct sg_value off = {NULL, 0, SG_VALUE_OFF};
    const struct sg_value a = {(const uint8_t *)"A", 1, SG_VALUE_TEXT};
    const struct sg_value ab = {(const uint8_t *)"AB", 2, SG_VALUE_TEXT};
    const struct sg_value high = {(const uint8_t *)"\xc3\xa9", 2,
                                  SG_VALUE_TEXT};
    const struct sg_value *order[] = {&absent, &off, &a, &ab, &high};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            int c = sg_canonical_row_compare(order[i], order[j], 1);
            assert_true(i < j ? c < 0 : i > j ? c > 0 : c == 0);
        }
}

// ---- streams -------------------------------------------------------------------

struct seen {
    char text[4096];
    size_t len;
    uint32_t count;
    const struct sg_value *last;
};

static void
add(struct seen *seen, struct sg_slice text)
{
    assert_true(seen->len + text.len < sizeof seen->text);
    if (text.len > 0)
        memcpy(seen->text + seen->len, text.ptr, text.len);
    seen->len += text.len;
    seen->text[seen->len] = '\0';
}

static enum sg_err
on_part(void *context, uint8_t action)
{
    add(context, sg_slice_of(&action, 1));
    add(context, SG_SLICE(":"));
    return SG_OK;
}

static enum sg_err
on_row(void *context, const struct sg_obs *obs, struct sg_slice bytes)
{
    (void)bytes;
    for (uint32_t i = 1; i < 9; i++) {
        add(context, sg_obs_value_bytes(&obs->values[i]));
        add(context, SG_SLICE(","));
    }
    add(context, SG_SLICE("\n"));
    return SG_OK;
}

static enum sg_err
read_stream(const struct obs_fixture *f, struct sg_slice bytes, size_t chunk,
            struct seen *seen)
{
    const struct sg_canonical_sink sink = {
        .context = seen, .part = on_part, .row = on_row};
    struct sg_arena *arena = sg_arena_new(1u << 26, 1u << 16);
    struct sg_canonical_reader *r =
        sg_canonical_reader_new(arena, f->structure, &sink);
    enum sg_err err = SG_OK;
    seen->len = 0;
    seen->text[0] = '\0';
    for (size_t at = 0; err == SG_OK && at < bytes.len; at += chunk) {
        size_t n = bytes.len - at < chunk ? bytes.len - at : chunk;
        uint8_t *piece = malloc(n);
        memcpy(piece, bytes.ptr + at, n);
        err = sg_canonical_reader_feed(r, sg_slice_of(piece, n));
        free(piece);
    }
    if (err == SG_OK)
        err = sg_canonical_reader_end(r);
    sg_arena_free(&arena);
    return err;
}

static void
parts_keep_their_order_and_rows_are_sorted_stable(void **state)
{
    static const char csv[] = V2 F "I,A,UG,2020,2,N,PT,,,\n" //
        F "A,A,KE,2021,1,N,PT,,,\n"                          //
        F "M,A,KE,2020,1,N,PT,,,\n"                          //
        F "D,A,KE,,,,,,,\n"                                  //
        F "R,A,UG,2020,5,N,PT,,,\n"                          //
        F "R,A,KE,2020,4,N,PT,,,\n";
    // order of components: FREQ AREA TIME OBS_VALUE STATUS UNIT ...
    static const char want[] = "M:KE,2020,1,N,PT,,,,\nKE,2021,1,N,PT,,,,\n"
                               "UG,2020,2,N,PT,,,,\nD:KE,,,,,,,,\n"
                               "R:KE,2020,4,N,PT,,,,\nUG,2020,5,N,PT,,,,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct seen seen;
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    for (size_t chunk = 1; chunk < 1000; chunk = chunk * 5 + 1) {
        assert_int_equal(
            read_stream(f, sg_slice_of(f->bytes, f->len), chunk, &seen), SG_OK);
        assert_string_equal(seen.text, want);
    }
    obs_fixture_free(f);
}

static void
equal_keys_keep_the_order_they_were_sent_in(void **state)
{
    static const char csv[] = V2 F "I,A,KE,2021,1,N,PT,,,\n" //
        F "I,A,KE,2020,2,N,PT,,,\n"                          //
        F "I,A,KE,2021,3,N,PT,,,\n"                          //
        F "I,A,KE,2020,4,N,PT,,,\n"                          //
        F "I,A,KE,2020,5,N,PT,,,\n";
    static const char want[] = "M:KE,2020,2,N,PT,,,,\nKE,2020,4,N,PT,,,,\n"
                               "KE,2020,5,N,PT,,,,\nKE,2021,1,N,PT,,,,\n"
                               "KE,2021,3,N,PT,,,,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct seen seen;
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    assert_int_equal(read_stream(f, sg_slice_of(f->bytes, f->len), 4096, &seen),
                     SG_OK);
    assert_string_equal(seen.text, want);
    obs_fixture_free(f);
}

static void
two_parts_of_one_action_beside_each_other_are_refused(void **state)
{
    static const char csv[] = V2 F "I,A,KE,2020,1,N,PT,,,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct seen seen;
    uint8_t bytes[1024];
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    // ... 'M' len row 0 1 | 0 1: the part once more, with and without a change
    size_t end = f->len - 2, part = end - 1;
    while (f->bytes[part] != 'M' || f->bytes[part + 2] != 4)
        part--;
    size_t len = end - part;
    memcpy(bytes, f->bytes, end);
    memcpy(bytes + end, f->bytes + part, len);
    memcpy(bytes + end + len, "\0\2", 2);
    struct sg_slice stream = sg_slice_of(bytes, end + len + 2);
    assert_int_equal(read_stream(f, stream, 4096, &seen), SG_ERR_FORMAT);
    bytes[end] = 'R';
    assert_int_equal(read_stream(f, stream, 4096, &seen), SG_OK);
    obs_fixture_free(f);
}

static void
every_cut_and_every_changed_byte_is_noticed_or_harmless(void **state)
{
    static const char csv[] = V2 F "I,A,KE,2020,1,N,PT,,,\n" //
        F "I,A,UG,2020,2,N,PT,,,\n" F "D,A,KE,,,,,,,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct seen seen;
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    for (size_t len = 0; len < f->len; len++)
        assert_int_equal(read_stream(f, sg_slice_of(f->bytes, len), 7, &seen),
                         SG_ERR_SHORT);
    uint8_t *bytes = malloc(f->len + 1);
    memcpy(bytes, f->bytes, f->len);
    bytes[f->len] = 0;
    assert_int_equal(read_stream(f, sg_slice_of(bytes, f->len + 1), 999, &seen),
                     SG_ERR_FORMAT);
    // What is taken was a change within a value; nothing may crash.
    for (size_t i = 0; i < f->len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            enum sg_err err =
                read_stream(f, sg_slice_of(bytes, f->len), 13, &seen);
            assert_true(err == SG_OK || err == SG_ERR_FORMAT ||
                        err == SG_ERR_SHORT || err == SG_ERR_FULL);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    free(bytes);
    obs_fixture_free(f);
}

static void
rows_out_of_order_are_refused(void **state)
{
    static const char csv[] = V2 F "I,A,KE,2020,1,N,PT,,,\n" //
        F "I,A,KE,2021,2,N,PT,,,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct seen seen;
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    uint8_t *year = NULL;
    for (size_t i = 0; year == NULL && i + 4 < f->len; i++)
        if (memcmp(f->bytes + i, "2020", 4) == 0)
            year = f->bytes + i;
    assert_non_null(year);
    memcpy(year, "2022", 4);
    assert_int_equal(read_stream(f, sg_slice_of(f->bytes, f->len), 4096, &seen),
                     SG_ERR_FORMAT);
    obs_fixture_free(f);
}

static void
attributes_at_partial_keys_are_repeated_on_their_rows(void **state)
{
    static const char partial[] = V2 F "I,A,KE,2020,1,N,,,,\n" //
        F "I,A,KE,2021,2,N,,,,\n"                              //
        F "I,A,KE,,,,PT,,,\n"                                  //
        F "I,,KE,,,,,T,,\n"                                    //
        F "I,,,,,,,,S,\n"                                      //
        F "I,,TZ,,,,,U,,\n";
    static const char whole[] = V2 F "I,,TZ,,,,,U,,\n" //
        F "I,A,KE,2020,1,N,PT,T,S,\n"                  //
        F "I,A,KE,2021,2,N,PT,T,S,\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct obs_fixture *g = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(partial), 4096, false), SG_OK);
    assert_int_equal(obs_fixture_run(g, SG_SLICE(whole), 4096, false), SG_OK);
    assert_int_equal(f->len, g->len);
    assert_memory_equal(f->bytes, g->bytes, f->len);
    obs_fixture_free(f);
    obs_fixture_free(g);
}

static void
streaming_stops_at_the_first_row_out_of_order(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    const struct sg_canonical_out out = {f, obs_fixture_write};
    struct sg_canonical_writer *w = sg_canonical_writer_new(
        f->arena, f->structure, SG_CANONICAL_MODE_STREAM, &out);
    struct sg_value values[9] = {{(const uint8_t *)"A", 1, SG_VALUE_TEXT},
                                 {(const uint8_t *)"KE", 2, SG_VALUE_TEXT},
                                 {(const uint8_t *)"2020", 4, SG_VALUE_TEXT}};
    struct sg_obs obs = {.values = values, .action = 'M'};
    (void)state;
    assert_int_equal(f->structure->component_count, 9);
    assert_int_equal(sg_canonical_writer_put(w, &obs), SG_OK);
    assert_int_equal(sg_canonical_writer_put(w, &obs), SG_OK);
    values[2].ptr = (const uint8_t *)"2019";
    assert_int_equal(sg_canonical_writer_put(w, &obs), SG_ERR_ORDER);
    obs_fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_the_bytes_of_the_paper),
        cmocka_unit_test(rows_that_are_not_canonical_are_refused),
        cmocka_unit_test(absent_sorts_before_off_before_text),
        cmocka_unit_test(parts_keep_their_order_and_rows_are_sorted_stable),
        cmocka_unit_test(equal_keys_keep_the_order_they_were_sent_in),
        cmocka_unit_test(two_parts_of_one_action_beside_each_other_are_refused),
        cmocka_unit_test(
            every_cut_and_every_changed_byte_is_noticed_or_harmless),
        cmocka_unit_test(rows_out_of_order_are_refused),
        cmocka_unit_test(attributes_at_partial_keys_are_repeated_on_their_rows),
        cmocka_unit_test(streaming_stops_at_the_first_row_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
