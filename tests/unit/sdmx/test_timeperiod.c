#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/base/check.h"
#include "schemas/sdmx/timeperiod.h"

static const struct {
    const char *text;
    int kind; // 0: refused
    bool odd;
} periods[] = {
    {"2020", SG_TIMEPERIOD_YEAR, false},
    {"2020Z", SG_TIMEPERIOD_YEAR, false},
    {"2020+14:00", SG_TIMEPERIOD_YEAR, false},
    {"2020-14:00", SG_TIMEPERIOD_YEAR, false},
    {"2020+14:01", 0, false},
    {"2020-01", SG_TIMEPERIOD_MONTH, false},
    {"2020-13", 0, false},
    {"2020-00", 0, false},
    {"2020-1", 0, false},
    {"2020-02-29", SG_TIMEPERIOD_DAY, false},
    {"2021-02-29", 0, false},
    {"1900-02-29", 0, false},
    {"2000-02-29", SG_TIMEPERIOD_DAY, false},
    {"2020-04-31", 0, false},
    {"2020-01-31Z", SG_TIMEPERIOD_DAY, false},
    {"2020-01-31T10:00:00", SG_TIMEPERIOD_DATETIME, false},
    {"2020-01-31T10:00:00.25+02:00", SG_TIMEPERIOD_DATETIME, false},
    {"2020-01-31T24:00:00", SG_TIMEPERIOD_DATETIME, false},
    {"2020-01-31T24:00:00.000", SG_TIMEPERIOD_DATETIME, false},
    {"2020-01-31T24:00:01", 0, false},
    {"2020-01-31T10:00", 0, false},
    {"2020-01-31T10:60:00", 0, false},
    {"2020-01-31T10:00:60", 0, false},
    {"2020-01-31T10:00:00.", 0, false},
    {"2020-A1", SG_TIMEPERIOD_REPORTING_YEAR, false},
    {"2020-A2", 0, false},
    {"2020-S2", SG_TIMEPERIOD_REPORTING_SEMESTER, false},
    {"2020-S3", 0, false},
    {"2020-T3", SG_TIMEPERIOD_REPORTING_TRIMESTER, false},
    {"2020-T4", 0, false},
    {"2020-Q4", SG_TIMEPERIOD_REPORTING_QUARTER, false},
    {"2020-Q0", 0, false},
    {"2020-Q01", 0, false},
    {"2020-M12", SG_TIMEPERIOD_REPORTING_MONTH, false},
    {"2020-M1", 0, false},
    {"2020-M13", 0, false},
    {"2020-W53", SG_TIMEPERIOD_REPORTING_WEEK, false},
    {"2021-W53", SG_TIMEPERIOD_REPORTING_WEEK, true},
    {"2015-W53", SG_TIMEPERIOD_REPORTING_WEEK, false},
    {"2020-W54", 0, false},
    {"2020-W1", 0, false},
    {"2020-D001", SG_TIMEPERIOD_REPORTING_DAY, false},
    {"2020-D010", SG_TIMEPERIOD_REPORTING_DAY, false},
    {"2020-D090", SG_TIMEPERIOD_REPORTING_DAY, false},
    {"2020-D366", SG_TIMEPERIOD_REPORTING_DAY, false},
    {"2021-D366", SG_TIMEPERIOD_REPORTING_DAY, true},
    {"2020-D367", 0, false},
    {"2020-D000", 0, false},
    {"2020-D1", 0, false},
    {"2020-Q1+02:00", SG_TIMEPERIOD_REPORTING_QUARTER, false},
    {"2020-Q1+15:00", 0, false},
    {"2020-01-01/P1M", SG_TIMEPERIOD_RANGE, false},
    {"2020-01-01T00:00:00Z/P1Y2M3DT4H5M6.5S", SG_TIMEPERIOD_RANGE, false},
    {"2020-01-01/P", 0, false},
    {"2020-01-01/P1YT", 0, false},
    {"2020-01-01/PT1H", SG_TIMEPERIOD_RANGE, false},
    {"2020-01-01/P1M1Y", 0, false},
    {"2020-01-01/P1.5M", 0, false},
    {"2020-02-30/P1M", 0, false},
    {"2020-01/P1M", 0, false},
    {"", 0, false},
    {"0000", 0, false},
    {"02020", 0, false},
    {"-2020", 0, false},
    {"2020Q1", 0, false},
    {"2020-", 0, false},
    {"2020-q1", 0, false},
    {" 2020", 0, false},
    {"2020 ", 0, false},
};

static void
time_periods_are_taken_and_refused_as_sdmx_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(periods); i++) {
        struct sg_timeperiod period;
        bool taken =
            sg_timeperiod_parse(sg_slice_text(periods[i].text), &period);
        if (taken != (periods[i].kind != 0) ||
            (taken && ((int)period.kind != periods[i].kind ||
                       period.odd != periods[i].odd)))
            fail_msg("%s: taken %d kind %d odd %d", periods[i].text, taken,
                     (int)period.kind, period.odd);
    }
}

static void
a_type_takes_only_its_own_periods(void **state)
{
    static const struct {
        enum sg_type type;
        enum sg_timeperiod_kind kind;
        bool fits;
    } cases[] = {
        {SG_TYPE_OBSERVATIONAL_TIME, SG_TIMEPERIOD_RANGE, true},
        {SG_TYPE_STANDARD_TIME, SG_TIMEPERIOD_RANGE, false},
        {SG_TYPE_STANDARD_TIME, SG_TIMEPERIOD_REPORTING_WEEK, true},
        {SG_TYPE_BASIC_TIME, SG_TIMEPERIOD_DATETIME, true},
        {SG_TYPE_BASIC_TIME, SG_TIMEPERIOD_REPORTING_YEAR, false},
        {SG_TYPE_GREGORIAN_TIME, SG_TIMEPERIOD_DATETIME, false},
        {SG_TYPE_GREGORIAN_TIME, SG_TIMEPERIOD_MONTH, true},
        {SG_TYPE_REPORTING_TIME, SG_TIMEPERIOD_REPORTING_DAY, true},
        {SG_TYPE_REPORTING_TIME, SG_TIMEPERIOD_YEAR, false},
        {SG_TYPE_DATE_TIME, SG_TIMEPERIOD_DATETIME, true},
        {SG_TYPE_DATE_TIME, SG_TIMEPERIOD_DAY, false},
        {SG_TYPE_GREGORIAN_YEAR, SG_TIMEPERIOD_YEAR, true},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_int_equal(sg_timeperiod_fits(cases[i].kind, cases[i].type),
                         cases[i].fits);
}

static void
a_frequency_asks_for_its_own_period(void **state)
{
    (void)state;
    assert_true(sg_timeperiod_pairs(SG_SLICE("A"), SG_TIMEPERIOD_YEAR));
    assert_true(
        sg_timeperiod_pairs(SG_SLICE("A"), SG_TIMEPERIOD_REPORTING_YEAR));
    assert_false(sg_timeperiod_pairs(SG_SLICE("A"), SG_TIMEPERIOD_MONTH));
    assert_true(sg_timeperiod_pairs(SG_SLICE("B"), SG_TIMEPERIOD_DAY));
    assert_true(sg_timeperiod_pairs(SG_SLICE("A5"), SG_TIMEPERIOD_DAY));
    assert_true(sg_timeperiod_pairs(SG_SLICE("Q"), SG_TIMEPERIOD_RANGE));
}

static void
a_period_has_a_first_and_a_last_day(void **state)
{
    static const struct {
        const char *text;
        int64_t first, last; // days since 1 January 1970
    } cases[] = {
        {"1970", 0, 364},
        {"1970-01-01", 0, 0},
        {"1969-12-31", -1, -1},
        {"2000-02", 10988, 11016},
        {"2000-02-29T10:00:00", 11016, 11016},
        {"2000-A1", 10957, 11322},
        {"2000-S2", 11139, 11322},
        {"2000-T1", 10957, 11077},
        {"2000-Q4", 11231, 11322},
        {"2000-M12", 11292, 11322},
        {"2000-D366", 11322, 11322},
        {"2020-W53", 18624, 18630}, // 28 December 2020 to 3 January 2021
        {"2021-W01", 18631, 18637},
        {"1970-W01", -3, 3}, // 29 December 1969
        {"1960-W01", -3650, -3644},
        {"2000-02-28/P2D", 11015, 11015},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_timeperiod period;
        int64_t first, last;
        assert_true(sg_timeperiod_parse(sg_slice_text(cases[i].text), &period));
        sg_timeperiod_days(&period, &first, &last);
        if (first != cases[i].first || last != cases[i].last)
            fail_msg("%s: %lld to %lld", cases[i].text, (long long)first,
                     (long long)last);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_periods_are_taken_and_refused_as_sdmx_says),
        cmocka_unit_test(a_type_takes_only_its_own_periods),
        cmocka_unit_test(a_frequency_asks_for_its_own_period),
        cmocka_unit_test(a_period_has_a_first_and_a_last_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
