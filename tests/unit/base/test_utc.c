// What utc.h promises about times as text.
#include "tests/unit/base/fixture.h"

#include "broker/base/check.h"
#include "broker/base/utc.h"

static const struct {
    const char *text;
    uint64_t us;
} times[] = {
    {"1970-01-01T00:00:00.000000Z", 0},
    {"1970-01-01T00:00:00.000001Z", 1},
    {"1999-12-31T23:59:59.999999Z", 946684799999999},
    {"2000-02-29T00:00:00.000000Z", 951782400000000},
    {"2000-03-01T00:00:00.000000Z", 951868800000000},
    {"2024-02-29T12:34:56.000007Z", 1709210096000007},
    {"2026-11-24T08:00:00.000000Z", 1795507200000000},
    {"2038-01-19T03:14:08.000000Z", 2147483648000000},
    {"2100-02-28T23:59:59.000000Z", 4107542399000000},
    {"2100-03-01T00:00:00.000000Z", 4107542400000000},
    {"9999-12-31T23:59:59.999999Z", 253402300799999999},
};

static void
times_are_written_in_utc_and_read_back(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(times); i++) {
        char text[SG_UTC_TEXT];
        uint64_t us = 1;
        sg_utc_format(times[i].us, text);
        assert_string_equal(text, times[i].text);
        assert_true(sg_utc_parse(sg_slice_text(text), &us));
        assert_int_equal(us, times[i].us);
    }
}

static void
every_day_of_four_centuries_has_its_own_text(void **unused)
{
    char before[SG_UTC_TEXT] = "", text[SG_UTC_TEXT];
    (void)unused;
    for (uint64_t day = 0; day < 146097; day++) {
        uint64_t us;
        sg_utc_format(day * 86400000000u, text);
        assert_true(strcmp(text, before) > 0);
        assert_true(sg_utc_parse(sg_slice_text(text), &us));
        assert_int_equal(us, day * 86400000000u);
        memcpy(before, text, sizeof text);
    }
    assert_string_equal(text, "2369-12-31T00:00:00.000000Z");
}

static void
what_lies_beyond_the_year_9999_is_all_nines(void **unused)
{
    char text[SG_UTC_TEXT];
    (void)unused;
    sg_utc_format(253402300800000000, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    sg_utc_format(UINT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void
zones_and_short_fractions_are_understood(void **unused)
{
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        {"1970-01-01T00:00:01Z", 1000000},
        {"1970-01-01T00:00:01.5Z", 1500000},
        {"1970-01-01T00:00:01.000001Z", 1000001},
        {"1970-01-01T02:00:01+02:00", 1000000},
        {"1969-12-31T23:30:00-00:30", UINT64_MAX}, // years start at 1970
        {"1970-01-01T00:00:00-05:30", 19800000000},
        {"1970-01-01T00:00:00+00:01", UINT64_MAX}, // before the epoch
        {"1970-01-01T00:01:00+00:01", 0},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        uint64_t us = UINT64_MAX;
        assert_int_equal(sg_utc_parse(sg_slice_text(cases[i].text), &us),
                         cases[i].us != UINT64_MAX);
        assert_int_equal(us, cases[i].us);
    }
}

static void
what_is_no_time_is_refused(void **unused)
{
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T08:00:00",  // no zone
        "2026-11-24 08:00:00Z", // no T
        "2026-11-24t08:00:00Z",
        "2026-11-24T08:00:00z",
        "2026-11-24T08:00:00ZZ",
        "2026-11-24T08:00:00Z ",
        " 2026-11-24T08:00:00Z",
        "2026-11-24T08:00:00.Z",
        "2026-11-24T08:00:00.0000001Z",
        "2026-11-24T08:00:00,5Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T08:60:00Z",
        "2026-11-24T08:00:60Z",
        "2026-11-31T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2100-02-29T08:00:00Z",
        "2026-00-01T08:00:00Z",
        "2026-13-01T08:00:00Z",
        "2026-01-00T08:00:00Z",
        "2026-1-01T08:00:00Z",
        "26-01-01T08:00:00Z",
        "2026-01-01T8:00:00Z",
        "2026-01-01T08:00Z",
        "2026-01-01T08:00:00+0200",
        "2026-01-01T08:00:00+15:00",
        "2026-01-01T08:00:00+02:60",
        "2026-01-01T08:00:00+02",
        "-026-01-01T08:00:00Z",
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(bad); i++) {
        uint64_t us;
        assert_false(sg_utc_parse(sg_slice_text(bad[i]), &us));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc_and_read_back),
        cmocka_unit_test(every_day_of_four_centuries_has_its_own_text),
        cmocka_unit_test(what_lies_beyond_the_year_9999_is_all_nines),
        cmocka_unit_test(zones_and_short_fractions_are_understood),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
