#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/sdmx/scan.h"
#include "tests/unit/sdmx/obs_fixture.h"

#define V1 "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
#define V2                                                                     \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT\n"
#define F "T:FLOW(1.0)"

struct message {
    const char *csv;
    uint64_t rows;
    const char *faults;
};

static const struct message messages[] = {
    // all is well
    {V1 F ",A,KE,2020,1,N,PT\n" F ",A,KE,2021,2,N,PT\n", 2, ""},
    {V1 F ",A,KE,2020,1,N,PT\r\n" F ",A,KE,2021,2,N,PT", 2, ""},
    {"\xef\xbb\xbf" V1 F ",A,KE,2020,1,N,PT\n", 1, ""},
    {V1 "\n" F ",A,KE,2020,1,N,PT\n\n", 1, ""},
    {V1, 0, "w:NO_OBSERVATIONS  0 \n"},
    {V1 F ",A,KE,2020,1,N,\"a,\"\"b\"\"\nc\"\n" F ",A,UG,2020,1,N,PT\n", 2, ""},
    {"DATAFLOW;FREQ;AREA;TIME_PERIOD;OBS_VALUE;STATUS;UNIT\n"
     "T:FLOW(1.0);A;KE;2020;1;N;PT\n",
     1, ""},
    {"\"DATAFLOW\",\"FREQ\",AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
     "\"T:FLOW(1.0)\",\"A\",\"KE\",\"2020\",\"1\",\"N\",\"PT\"\n",
     1, ""},
    {"DATAFLOW,FREQ: Frequency,AREA: Area,TIME_PERIOD: Time,OBS_VALUE,"
     "STATUS: Status,UNIT: Unit\n"
     "T:FLOW(1.0): A flow,A: Annual,KE: Kenya: a land,2020,1,N: Normal,"
     "a: b\n",
     1, ""},
    {V2 "dataflow," F ",I,A,KE,2020,1,N,PT\n", 1, ""},
    {V2 "DATAFLOW," F ",,A,KE,2020,1,N,PT\n", 1, ""},
    {V2 "datastructure,T:DSD,A,A,KE,2020,1,N,PT\n", 1, ""},
    {"STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,FREQ,Frequency,AREA,Area,"
     "TIME_PERIOD,Time,OBS_VALUE,Value,STATUS,Status,UNIT,Unit\n"
     "dataflow," F ",Flow,I,A,Annual,KE,Kenya,2020,,1,,N,Normal,PT,Percent\n",
     1, ""},
    {"STRUCTURE,STRUCTURE_ID,SERIES_KEY,OBS_KEY,FREQ,AREA,TIME_PERIOD,"
     "OBS_VALUE,STATUS,UNIT\ndataflow," F ",A.KE,A.KE.2020,A,KE,2020,1,N,PT\n",
     1, ""},
    // partial keys, actions
    {V2 "dataflow," F ",I,A,KE,,,,PT\ndataflow," F ",I,A,KE,2020,1,N,\n", 2,
     ""},
    {V2 "dataflow," F ",M,A,KE,2020,1,,\n", 1, ""},
    {V2 "dataflow," F ",D,A,,,-,,\n", 1, ""},
    {V2 "dataflow," F ",I,A,~,2020,1,N,PT\n", 1, "DIM_MISSING AREA 1 \n"},
    {V2 "dataflow," F ",X,A,KE,2020,1,N,PT\n", 1, "ACTION ACTION 1 X\n"},
    {V2 "flow," F ",I,A,KE,2020,1,N,PT\n", 1,
     "STRUCTURE_TYPE STRUCTURE 1 flow\n"},
    {V2 "dataflow,FLOW,I,A,KE,2020,1,N,PT\n", 1,
     "STRUCTURE_REF STRUCTURE_ID 1 FLOW\n"},
    {V2 "dataflow,NONE:F(1.0),I,A,KE,2020,1,N,PT\n"
        "dataflow,NONE:F(1.0),I,A,KE,2021,1,N,PT\n",
     2, "STRUCTURE_UNKNOWN STRUCTURE_ID 1 NONE:F(1.0)\n"},
    // faults of form
    {"", 0, "EMPTY  0 \n"},
    {"\xef\xbb\xbf", 0, "EMPTY  0 \n"},
    {"FLOW,FREQ\n1,2\n", 0, "HEADER  0 \n"},
    {"DATAFLOW\nT:F(1.0)\n", 0, "HEADER  0 \n"},
    {"STRUCTURE[,],STRUCTURE_ID\n", 0, "HEADER  0 \n"},
    {"STRUCTURE,FREQ\n", 0, "HEADER STRUCTURE_ID 0 \n"},
    {"DATAFLOW,FREQ,AREA,FREQ,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
     "T:F(1.0),A,KE,A,2020,1,N,PT\n",
     1, "HEADER_DUPLICATE FREQ 0 \n"},
    {"STRUCTURE,STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT[]\n",
     0, "HEADER_SUBDELIM UNIT 0 \n"},
    {"STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,"
     "UNIT[]\ndataflow," F ",A,KE,2020,1,N,a;b\n",
     1, "OCCURS UNIT 1 \n"},
    {"STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,"
     "UNIT[en;fr]\ndataflow," F ",A,KE,2020,1,N,en:a;en:b\n",
     1, "LANGUAGE UNIT 1 en:a;en:b\n"},
    {V1 F ",A,KE,2020,1,N,PT,x\n" F ",A,KE,2021,1,N\n" F ",A,KE,2022,1,N,PT\n",
     3, "ROW_WIDTH  1 \n"},
    {V1 F ",A,KE,2020,1,N,a\"b\n" F ",A,KE,2021,1,N,PT\n", 2,
     "CSV_SYNTAX  1 \n"},
    {V1 F ",A,KE,2020,1,N,\"a\"b\n" F ",A,KE,2021,1,N,PT\n", 2,
     "CSV_SYNTAX  1 \n"},
    {V1 F ",A,KE,2020,1,N,PT\n" F ",A,KE,2021,1,N,\"PT\n", 2,
     "CSV_SYNTAX  2 \n"},
    {V1 F ",A,KE,2020,1,N,\xff\n" F ",A,KE,2021,1,N,PT\n", 2, "ENCODING  1 \n"},
    {V1 F ",A,KE,2020,1,N,\xc3\xa9\n", 1, ""},
    // ends that are alike, up to within a field and beyond the row before
    {V1 F
     ",A,KE,2020,11,N,PT\n" F ",A,KE,2021,1,N,PT\n" F ",A,KE,2022,21,N,PT\n" F
     ",A,UG,2022,21,N,PT\n" F ",A,UG,2023,21,E,PT\n" F ",A,UG,2024,1,N,T\n" F
     ",A,UG,2025,1,N,PT\n" F ",A,TZ,2025,1,N,PT\r\n" F ",A,TZ,2026,1,N,PT\r\n" F
     ",A,KE,2026,,N,PT\n" F ",A,KE,2027,,N,PT\n" F ",A,KE,2028,,N,\"PT\"\n" F
     ",A,KE,2029,,N,PT\n",
     13, "ATTR_CONFLICT UNIT 6 T\n"},
    // values that were put together must not lie where the next row's will
    {"STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,UNIT[en],TIME_PERIOD,OBS_VALUE,"
     "STATUS,NOTE[en]\n"
     "dataflow," F ",A,KE,en:abc,2020,1,N,en:x\n"
     "dataflow," F ",A,KE,en:abc,2021,1,N,en:yyyyyyy\n"
     "dataflow," F ",A,KE,en:abc,2022,1,N,en:zz\n",
     3, ""},
    {"DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT,MINE\n"
     "T:F(1.0),A,KE,2020,1,N,PT,x\n",
     1, "w:UNKNOWN_COMPONENT MINE 0 \n"},
};

static void
messages_are_read_whatever_their_pieces(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    static const size_t chunks[] = {1 << 20, 1, 2, 7, 64, 100};
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(messages); i++) {
        const struct message *m = &messages[i];
        uint8_t *first = NULL;
        size_t first_len = 0;
        for (size_t c = 0; c < 2 * SG_COUNT_OF(chunks); c++) {
            assert_int_equal(obs_fixture_run(f, sg_slice_text(m->csv),
                                             chunks[c / 2], c % 2 != 0),
                             SG_OK);
            if (f->rows != m->rows || strcmp(f->text, m->faults) != 0)
                fail_msg("%s\nchunk %zu: %d rows, faults:\n%s", m->csv,
                         chunks[c / 2], (int)f->rows, f->text);
            if (first == NULL) {
                first = malloc(f->len);
                memcpy(first, f->bytes, f->len);
                first_len = f->len;
            }
            assert_int_equal(f->len, first_len);
            assert_memory_equal(f->bytes, first, first_len);
        }
        free(first);
    }
    obs_fixture_free(f);
}

// Rows that cross windows, rows longer than one, quotes and faults in between.
static void
long_messages_are_the_same_on_both_paths(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    static const size_t chunks[] = {1u << 20, 16384, 16385, 5000, 333};
    size_t cap = 4u << 20, len = 0;
    char *csv = malloc(cap);
    uint64_t seed = 12345;
    (void)state;
    len += (size_t)snprintf(csv, cap, "%s", V1);
    for (int i = 0; i < 5000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned r = (unsigned)(seed >> 40);
        const char *area = r % 97 == 0 ? "\"KE\"" : r % 89 == 0 ? "" : "UG";
        len += (size_t)snprintf(csv + len, cap - len, F ",A,%s,%u-%02u,%u,N,",
                                area, 1000 + i / 12, 1 + i % 12, r % 1000);
        if (r % 211 == 0) {
            len += (size_t)snprintf(csv + len, cap - len, "\"%s",
                                    r % 2 == 0 ? "a\"\"\n" : "b,");
            size_t fill = r % 3 == 0 ? 20000 : 100;
            memset(csv + len, r % 5 == 0 ? '\n' : 'z', fill);
            len += fill;
            csv[len++] = '"';
        }
        len += (size_t)snprintf(csv + len, cap - len,
                                r % 499 == 0   ? "x\"y\n"
                                : r % 397 == 0 ? "\xff\n"
                                : r % 401 == 0 ? ",,\n"
                                               : "\r\n");
    }
    uint8_t *first = NULL;
    size_t first_len = 0;
    static char text[sizeof f->text];
    for (size_t c = 0; c < 2 * SG_COUNT_OF(chunks); c++) {
        assert_int_equal(obs_fixture_run(f, sg_slice_of(csv, len),
                                         chunks[c / 2], c % 2 == 0),
                         SG_OK);
        if (first == NULL) {
            first = malloc(f->len);
            memcpy(first, f->bytes, f->len);
            first_len = f->len;
            memcpy(text, f->text, sizeof text);
        }
        assert_int_equal(f->rows, 5000);
        assert_string_equal(f->text, text);
        assert_int_equal(f->len, first_len);
        assert_memory_equal(f->bytes, first, first_len);
    }
    free(first);
    free(csv);
    obs_fixture_free(f);
}

static void
a_nul_is_refused(void **state)
{
    static const char csv[] = V1 F ",A,KE,2020,1,N,P\0T\n";
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 5, false), SG_OK);
    assert_string_equal(f->text, "ENCODING  1 \n");
    assert_int_equal(obs_fixture_run(f, SG_SLICE(csv), 4096, false), SG_OK);
    assert_string_equal(f->text, "ENCODING  1 \n");
    obs_fixture_free(f);
}

static void
a_million_columns_are_refused(void **state)
{
    size_t len = 9 + 2 * 1000000;
    uint8_t *csv = malloc(len + 1);
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    memcpy(csv, "DATAFLOW,", 9);
    for (size_t i = 9; i + 1 < len; i += 2) {
        csv[i] = 'x';
        csv[i + 1] = ',';
    }
    csv[len] = '\n';
    assert_int_equal(
        obs_fixture_run(f, sg_slice_of(csv, len + 1), 65536, false), SG_OK);
    assert_string_equal(f->text, "HEADER  0 \n");
    free(csv);
    obs_fixture_free(f);
}

static void
quotes_that_never_close_end_at_a_limit(void **state)
{
    size_t len = 6u << 20;
    uint8_t *csv = malloc(len);
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    static const char start[] = V1 F ",A,KE,2020,1,N,\"";
    (void)state;
    memset(csv, 'x', len);
    memcpy(csv, start, sizeof start - 1);
    for (size_t chunk = 10000; chunk <= len; chunk += len - 10000) {
        assert_int_equal(
            obs_fixture_run(f, sg_slice_of(csv, len), chunk, false), SG_OK);
        assert_string_equal(f->text, "CSV_SYNTAX  1 \n");
    }
    free(csv);
    obs_fixture_free(f);
}

static void
the_wide_scan_finds_what_the_plain_one_finds(void **state)
{
    static struct sg_scan wide, plain;
    static uint8_t bytes[SG_SCAN_WINDOW];
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t len = round < 200 ? (size_t)round : (size_t)(seed % 3000);
        for (size_t i = 0; i < len; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            static const char some[] = ",,\"\nabcdefx;|0123456789";
            bytes[i] = seed % 400 == 0 ? (uint8_t)(seed >> 32)
                                       : (uint8_t)some[seed % 22];
        }
        uint8_t delimiter = (uint8_t) ",;x"[round % 3];
        sg_scan_csv(sg_slice_of(bytes, len), delimiter, &wide);
        sg_scan_csv_portable(sg_slice_of(bytes, len), delimiter, &plain);
        assert_int_equal(wide.count, plain.count);
        assert_int_equal(wide.ascii, plain.ascii);
        assert_memory_equal(wide.at, plain.at,
                            plain.count * sizeof plain.at[0]);
    }
}

static void
common_ends_are_found(void **state)
{
    uint8_t a[80], b[80];
    (void)state;
    for (size_t len = 0; len <= sizeof a; len++)
        for (size_t same = 0; same <= len; same++) {
            memset(a, 'x', sizeof a);
            memset(b, 'x', sizeof b);
            if (same < len)
                b[sizeof b - same - 1] = 'y';
            assert_int_equal(
                sg_scan_common_end(a + sizeof a, b + sizeof b, len), same);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read_whatever_their_pieces),
        cmocka_unit_test(long_messages_are_the_same_on_both_paths),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(a_million_columns_are_refused),
        cmocka_unit_test(quotes_that_never_close_end_at_a_limit),
        cmocka_unit_test(the_wide_scan_finds_what_the_plain_one_finds),
        cmocka_unit_test(common_ends_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
