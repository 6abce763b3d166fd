#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/sdmx/keylog.h"
#include "schemas/sdmx/keyset.h"
#include "schemas/sdmx/pattern.h"
#include "schemas/sdmx/siphash.h"
#include "schemas/sdmx/value.h"
#include "tests/unit/sdmx/obs_fixture.h"

#define V1                                                                     \
    "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT,TITLE,"              \
    "SOURCE,NOTE\n"
#define F "T:F(1.0),"
#define PARTIAL                                                                \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,"    \
    "UNIT,TITLE,SOURCE,NOTE\ndataflow," F "I,,TZ,,,,,U,,\n"

static void
rows_are_judged(void **state)
{
    static const struct {
        const char *csv, *faults;
    } cases[] = {
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,2020,2,N,PT,,,\n",
         "DUPLICATE key 2 \n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,ke,2020,2,N,PT,,,\n" F
           "A,ke,2021,2,N,PT,,,\n",
         "CODE AREA 2 ke\n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,,2021,2,N,PT,,,\n",
         "DIM_MISSING AREA 2 \n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,2021,2,,PT,,,\n",
         "ATTR_MANDATORY STATUS 2 \n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,2021,2,N,,,,\n",
         "ATTR_MANDATORY UNIT 2 \n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,2021,2,N,NUMBER,,,\n" F
           "A,KE,2022,2,N,PT,,,\n",
         "ATTR_CONFLICT UNIT 2 NUMBER\n"},
        {F "A,KE,2020,1,N,PT,a,,\n" F "A,UG,2020,2,N,PT,b,,\n" F
           "Q,KE,2020-Q1,2,N,PT,c,,\n",
         "ATTR_CONFLICT TITLE 3 c\n"},
        {F "A,KE,2020,1,N,PT,,s,\n" F "A,UG,2020,2,N,PT,,t,\n",
         "ATTR_CONFLICT SOURCE 2 t\n"},
        // a conflict is seen again behind other faults
        {F "A,KE,2020,1,N,PT,,,\n" F "A,,2020,1,N,PT,,,\n" F
           "A,KE,2021,1,N,NR,,,\n",
         "DIM_MISSING AREA 2 \nATTR_CONFLICT UNIT 3 NR\n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,,1,N,NR,,,\n" F
           "A,KE,2021,1,N,NR,,,\n",
         "DIM_MISSING TIME_PERIOD 2 \nATTR_CONFLICT UNIT 3 NR\n"},
        {F "A,KE,2020,1,N,PT,,,\n" F "A,KE,2021-13,1,N,PT,,,\n",
         "TIME_FORMAT TIME_PERIOD 2 2021-13\n"},
        {F "A,KE,2020,1.5e3,N,PT,,,\n" F "A,KE,2021,NaN,N,PT,,,\n" F
           "A,KE,2022,INF,N,PT,,,\n" F "A,KE,2023,#N/A,N,PT,,,\n" F
           "A,KE,2024,,N,PT,,,\n",
         ""},
        {F "A,KE,2020,1 ,N,PT,,,\n", "TYPE OBS_VALUE 1 1 \n"},
        {F "A,KE,2020,1,N,PT,,,12345\n" F "A,KE,2021,1,N,PT,,,123456\n",
         "TYPE NOTE 2 123456\n"},
        {F "A,KE,2020-Q1,1,N,PT,,,\n", "w:FREQ_PERIOD TIME_PERIOD 1 2020-Q1\n"},
        {F "A,KE,2020,1,X,PT,,,\n" F "A,UG,2020,1,X,PT,,,\n" F
           "A,TZ,2020,1,Y,PT,,,\n",
         "CODE STATUS 1 X\nCODE STATUS 3 Y\n"},
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char csv[2048];
        snprintf(csv, sizeof csv, "%s%s", V1, cases[i].csv);
        for (size_t chunk = 3; chunk < 5000; chunk *= 40) {
            assert_int_equal(
                obs_fixture_run(f, sg_slice_text(csv), chunk, false), SG_OK);
            if (strcmp(f->text, cases[i].faults) != 0)
                fail_msg("%s\nfaults:\n%s", csv, f->text);
        }
    }
    obs_fixture_free(f);
}

static void
a_column_missing_in_the_header_is_one_fault_of_the_header(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    assert_int_equal(
        obs_fixture_run(f,
                        SG_SLICE("DATAFLOW,FREQ,TIME_PERIOD,OBS_VALUE,UNIT\n" F
                                 "A,2020,1,PT\n" F "A,2021,1,PT\n"),
                        4096, false),
        SG_OK);
    assert_string_equal(f->text,
                        "DIM_MISSING AREA 0 \nATTR_MANDATORY STATUS 0 \n");
    obs_fixture_free(f);
}

static void
a_message_without_observations_is_a_warning_and_no_release(void **state)
{
    static const struct {
        const char *csv;
        bool whole;
        const char *faults;
    } cases[] = {
        {V1, false, "w:NO_OBSERVATIONS  0 \n"},
        {V1, true, "NO_OBSERVATIONS  0 \n"},
        {V1 F "A,KE,2020,1,N,PT,,,\n", true, ""},
        // one root cause, one fault
        {V1 F "A,,2020,1,N,PT,,,\n", true, "DIM_MISSING AREA 1 \n"},
        {"", true, "EMPTY  0 \n"},
        // attributes of a group and no observation
        {PARTIAL, false, ""},
        {PARTIAL, true, "NO_OBSERVATIONS  0 \n"},
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        f->whole = cases[i].whole;
        assert_int_equal(
            obs_fixture_run(f, sg_slice_text(cases[i].csv), 4096, false),
            SG_OK);
        assert_string_equal(f->text, cases[i].faults);
    }
    obs_fixture_free(f);
}

#define FLAGGED                                                                \
    "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT,NOTE,CONF_STATUS\n"

static struct obs_fixture *
flagged(void)
{
    static const char flag[] =
        "<s:Attribute id='CONF_STATUS' assignmentStatus='Conditional'>"
        "<s:AttributeRelationship><s:PrimaryMeasure><Ref id='OBS_VALUE'/>"
        "</s:PrimaryMeasure></s:AttributeRelationship></s:Attribute>";
    static char xml[16384];
    const char *at = strstr(obs_fixture_dsd, "<s:Attribute id='NOTE'");
    int len = snprintf(xml, sizeof xml, "%.*s%s%s", (int)(at - obs_fixture_dsd),
                       obs_fixture_dsd, flag, at);
    assert_in_range(len, 1, sizeof xml - 1);
    return obs_fixture_new(sg_slice_text(xml));
}

static void
a_report_does_not_tell_what_is_confidential(void **state)
{
    static const struct {
        const char *csv, *faults;
    } cases[] = {
        {F "A,KE,2020,12x,N,PT,,F\n", "TYPE OBS_VALUE 1 12x\n"},
        {F "A,KE,2020,12x,N,PT,,\n", "TYPE OBS_VALUE 1 12x\n"},
        {F "A,KE,2020,12x,N,PT,,C\n", "TYPE OBS_VALUE 1 (confidential)\n"},
        // an unknown flag is no F
        {F "A,KE,2020,12x,N,PT,,f\n", "TYPE OBS_VALUE 1 (confidential)\n"},
        // what was told of one row is not counted for the next
        {F "A,KE,2020,12x,N,PT,,F\n" F "A,KE,2021,12x,N,PT,,N\n" F
           "A,KE,2022,12x,N,PT,,F\n",
         "TYPE OBS_VALUE 1 12x\nTYPE OBS_VALUE 2 (confidential)\n"},
        {F "A,KE,2020,1,N,PT,secret,D\n", "TYPE NOTE 1 (confidential)\n"},
        {F "A,KE,2020,1,N,PT,,F\n" F "A,KE,2021,1,N,NR,,S\n",
         "ATTR_CONFLICT UNIT 2 (confidential)\n"},
        // codes are told: they must be mended, and are the key
        {F "A,KEN,2020,1,X,PT,,C\n", "CODE AREA 1 KEN\nCODE STATUS 1 X\n"},
        {F "A,KE,2020-13,1,N,PT,,C\n", "TIME_FORMAT TIME_PERIOD 1 2020-13\n"},
    };
    struct obs_fixture *f = flagged();
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char csv[2048];
        snprintf(csv, sizeof csv, "%s%s", FLAGGED, cases[i].csv);
        assert_int_equal(obs_fixture_run(f, sg_slice_text(csv), 4096, false),
                         SG_OK);
        if (strcmp(f->text, cases[i].faults) != 0)
            fail_msg("%s\nfaults:\n%s", csv, f->text);
    }
    obs_fixture_free(f);
}

static void
a_report_counts_every_occurrence(void **state)
{
    struct sg_arena *arena = sg_arena_new(64u << 20, 1u << 16);
    const uint64_t key[2] = {1, 2};
    struct sg_report *report = sg_report_new(arena, key, NULL, NULL);
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        char value[16];
        snprintf(value, sizeof value, "v%u", i % 15000);
        struct sg_fault fault = {.code = SG_FAULT_CODE,
                                 .component = SG_SLICE("AREA"),
                                 .value = sg_slice_text(value),
                                 .row = 20000 - i};
        sg_report_add(report, &fault);
    }
    assert_int_equal(sg_report_faults(report), 20000);
    assert_int_equal(sg_report_count(report), 10000);
    assert_int_equal(sg_report_uncounted(report), 5000);
    sg_report_sort(report);
    for (uint32_t i = 1; i < sg_report_count(report); i++)
        assert_true(sg_report_at(report, i - 1)->fault.row <=
                    sg_report_at(report, i)->fault.row);
    sg_arena_free(&arena);
}

static void
a_keyset_knows_a_million_keys_in_24_bytes_each(void **state)
{
    struct sg_arena *arena = sg_arena_new((size_t)1 << 30, 1u << 20);
    struct sg_keyset *set = sg_keyset_new(arena, true);
    const uint64_t secret[2] = {3, 4};
    bool known;
    (void)state;
    for (int round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 1000000; i++) {
            struct sg_siphash key = sg_siphash_word(secret, i, SG_SLICE(""));
            uint64_t value = i * 3;
            assert_int_equal(sg_keyset_put(set, key, &value, &known), SG_OK);
            assert_int_equal(known, round);
            assert_int_equal(value, i * 3);
        }
    assert_int_equal(sg_keyset_count(set), 1000000);
    struct sg_siphash other = sg_siphash_word(secret, 1u << 30, SG_SLICE(""));
    assert_false(sg_keyset_get(set, other, NULL));
    sg_arena_free(&arena);
#ifndef SG_ARENA_EACH_MALLOC
    arena = sg_arena_new((size_t)1 << 30, 1u << 20);
    set = sg_keyset_new(arena, false);
    for (uint64_t i = 0; i < 3000000; i++) {
        struct sg_siphash key = sg_siphash_word(secret, i, SG_SLICE(""));
        assert_int_equal(sg_keyset_put(set, key, NULL, &known), SG_OK);
        if (i % 250000 == 249999 && sg_arena_used(arena) > 24 * (i + 1))
            fail_msg("%zu bytes for %d keys", sg_arena_used(arena), (int)i);
    }
    sg_arena_free(&arena);
#endif
}

static void
next_place(void *context, uint64_t row, uint64_t line)
{
    uint64_t *last = context;
    assert_int_equal(row, *last + 1000);
    assert_int_equal(line, row + 7);
    *last = row;
}

// Every thousandth key has been there before.
static void
a_keylog_tells_what_came_twice_in_order_and_24_bytes_a_key(void **state)
{
    (void)state;
    struct sg_arena *arena = sg_arena_new((size_t)1 << 30, 1u << 20);
    struct sg_keylog *log = sg_keylog_new(arena);
    const uint64_t secret[2] = {3, 4};
    enum { KEYS = 500000 };
    for (uint64_t i = 1; i <= KEYS; i++) {
        uint64_t word = i % 1000 == 0 ? i - 1 : i;
        struct sg_siphash key = sg_siphash_word(secret, word, SG_SLICE(""));
        assert_int_equal(sg_keylog_add(log, key, i, i + 7), SG_OK);
    }
#ifndef SG_ARENA_EACH_MALLOC
    assert_true(sg_arena_used(arena) <= 24 * (size_t)KEYS);
#endif
    uint64_t last = 0;
    assert_int_equal(sg_keylog_twice(log, next_place, &last), SG_OK);
    assert_int_equal(last, KEYS);
    sg_arena_free(&arena);
}

static void
siphash_is_that_of_the_paper(void **state)
{
    // vectors_sip128 of the reference implementation: key 00..0f, input 00..
    static const uint8_t want[][16] = {
        {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14,
         0xc7, 0x55, 0x02, 0x93},
        {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11,
         0x9b, 0x22, 0xfc, 0x45},
    };
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(want); i++) {
        uint8_t input[1] = {0};
        struct sg_siphash h = sg_siphash_bytes(key, sg_slice_of(input, i));
        assert_memory_equal(&h, want[i], 16);
    }
    uint64_t word = 0x0807060504030201u;
    uint8_t bytes[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9};
    struct sg_siphash a = sg_siphash_bytes(key, sg_slice_of(bytes, 11));
    struct sg_siphash b = sg_siphash_word(key, word, sg_slice_of(bytes + 8, 3));
    assert_memory_equal(&a, &b, sizeof a);
}

static void
patterns_match_the_whole_value(void **state)
{
    static const struct {
        const char *pattern, *text;
        enum sg_pattern result;
    } cases[] = {
        {"[0-9]{9}", "123456789", SG_PATTERN_YES},
        {"[0-9]{9}", "12345678", SG_PATTERN_NO},
        {"[0-9]{9}", "1234567890", SG_PATTERN_NO},
        {"a|bc|d*", "ddd", SG_PATTERN_YES},
        {"a|bc|d*", "", SG_PATTERN_YES},
        {"a|bc|d*", "bcd", SG_PATTERN_NO},
        {"(ab|c){2,3}", "abcab", SG_PATTERN_YES},
        {"(ab|c){2,3}", "ab", SG_PATTERN_NO},
        {"(ab|c){2,3}", "cccc", SG_PATTERN_NO},
        {"(a|b)*c+", "ababcc", SG_PATTERN_YES},
        {"x{0}y", "y", SG_PATTERN_YES},
        {"a{2,}", "aaaa", SG_PATTERN_YES},
        {"a{2,}", "a", SG_PATTERN_NO},
        {"[^a-c]\\d\\.", "x5.", SG_PATTERN_YES},
        {"[^a-c]\\d\\.", "b5.", SG_PATTERN_NO},
        {".", "\xc3\xa9", SG_PATTERN_YES},
        {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", SG_PATTERN_NO},
        {"\\p{L}", "a", SG_PATTERN_UNKNOWN},
        {"(", "a", SG_PATTERN_UNKNOWN},
        {"a{3,2}", "a", SG_PATTERN_UNKNOWN},
        {"((((((((((((((((((((a))))))))))))))))))))", "a", SG_PATTERN_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        if (sg_pattern_match(sg_slice_text(cases[i].pattern),
                             sg_slice_text(cases[i].text)) != cases[i].result)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void
types_and_facets_are_those_of_the_schema(void **state)
{
    static const struct {
        enum sg_type type;
        const char *text, *low, *high;
        bool taken;
    } cases[] = {
        {SG_TYPE_DOUBLE, "1.", "", "", true},
        {SG_TYPE_DOUBLE, ".5E-3", "", "", true},
        {SG_TYPE_DOUBLE, "-INF", "", "", true},
        {SG_TYPE_DOUBLE, "+INF", "", "", false},
        {SG_TYPE_DOUBLE, "1e", "", "", false},
        {SG_TYPE_DOUBLE, ".", "", "", false},
        {SG_TYPE_DOUBLE, "0x10", "", "", false},
        {SG_TYPE_DECIMAL, "1e3", "", "", false},
        {SG_TYPE_INTEGER, "2147483647", "", "", true},
        {SG_TYPE_INTEGER, "2147483648", "", "", false},
        {SG_TYPE_LONG, "-9223372036854775808", "", "", true},
        {SG_TYPE_LONG, "9223372036854775808", "", "", false},
        {SG_TYPE_BIG_INTEGER, "99999999999999999999999", "", "", true},
        {SG_TYPE_SHORT, "-32769", "", "", false},
        {SG_TYPE_BOOLEAN, "true", "", "", true},
        {SG_TYPE_BOOLEAN, "yes", "", "", false},
        {SG_TYPE_ALPHA, "abC", "", "", true},
        {SG_TYPE_ALPHA, "ab1", "", "", false},
        {SG_TYPE_URI, "http://x/ y", "", "", false},
        {SG_TYPE_MONTH, "--12", "", "", true},
        {SG_TYPE_DAY, "---32", "", "", false},
        {SG_TYPE_DURATION, "P1Y", "", "", true},
        {SG_TYPE_DATE_TIME, "2020", "", "", false},
        {SG_TYPE_DOUBLE, "100", "0", "100.0", true},
        {SG_TYPE_DOUBLE, "100.0000001", "0", "1e2", false},
        {SG_TYPE_DOUBLE, "-0", "0", "1", true},
        {SG_TYPE_DOUBLE, "0.00001e5", "1", "", true},
        {SG_TYPE_DOUBLE, "9.99e-1", "1", "", false},
        {SG_TYPE_EXCLUSIVE_RANGE, "1", "1", "2", false},
        {SG_TYPE_INCLUSIVE_RANGE, "1", "1", "2", true},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_component c = {.kind = SG_KIND_ATTRIBUTE,
                                 .type = cases[i].type,
                                 .typed = true,
                                 .list = -1};
        c.facets.min_length = c.facets.max_length = c.facets.decimals = -1;
        c.facets.min_value = sg_slice_text(cases[i].low);
        c.facets.max_value = sg_slice_text(cases[i].high);
        bool taken = sg_value_refused(&c, sg_slice_text(cases[i].text)) == NULL;
        if (taken != cases[i].taken)
            fail_msg("%s as %s", cases[i].text,
                     sg_structure_type_name(cases[i].type));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_judged),
        cmocka_unit_test(
            a_column_missing_in_the_header_is_one_fault_of_the_header),
        cmocka_unit_test(
            a_message_without_observations_is_a_warning_and_no_release),
        cmocka_unit_test(a_report_does_not_tell_what_is_confidential),
        cmocka_unit_test(a_report_counts_every_occurrence),
        cmocka_unit_test(a_keyset_knows_a_million_keys_in_24_bytes_each),
        cmocka_unit_test(
            a_keylog_tells_what_came_twice_in_order_and_24_bytes_a_key),
        cmocka_unit_test(siphash_is_that_of_the_paper),
        cmocka_unit_test(patterns_match_the_whole_value),
        cmocka_unit_test(types_and_facets_are_those_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
