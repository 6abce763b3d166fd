// timeperiod - time periods of SDMX: what a text means and whether it may be.
//
// Source: SDMXCommon.xsd 2.1 and 3.0, technical notes section 6, 4.2 (sdmx-facts
// 1.9). Real calendar dates only; D001..D366 all (the published pattern forgets
// D010, D020 ...); years of four digits.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"
#include "schemas/sdmx/structure.h"

enum sg_timeperiod_kind {
    SG_TIMEPERIOD_YEAR = 1, // 2020
    SG_TIMEPERIOD_MONTH,    // 2020-01
    SG_TIMEPERIOD_DAY,      // 2020-01-31
    SG_TIMEPERIOD_DATETIME, // 2020-01-31T10:00:00
    SG_TIMEPERIOD_REPORTING_YEAR,
    SG_TIMEPERIOD_REPORTING_SEMESTER,
    SG_TIMEPERIOD_REPORTING_TRIMESTER,
    SG_TIMEPERIOD_REPORTING_QUARTER,
    SG_TIMEPERIOD_REPORTING_MONTH,
    SG_TIMEPERIOD_REPORTING_WEEK,
    SG_TIMEPERIOD_REPORTING_DAY,
    SG_TIMEPERIOD_RANGE, // 2020-01-31/P1M
};

struct sg_timeperiod {
    enum sg_timeperiod_kind kind;
    uint16_t year;
    uint16_t number; // of a reporting period; month of YEAR-MONTH and later
    uint8_t day;     // of month, 0: none
    // Legal, but the year has no such week (53) or day (366) when it begins on
    // 1 January: worth a warning.
    bool odd;
};

// The whole text; false: none of the forms.
bool sg_timeperiod_parse(struct sg_slice text, struct sg_timeperiod *out);
// First and last day, counted from 1 January 1970 (proleptic Gregorian). Times
// of day are left out; of a range only its start is taken; reporting years are
// taken to begin on 1 January. O(1).
void sg_timeperiod_days(const struct sg_timeperiod *period, int64_t *first,
                        int64_t *last);
// May a component of this type hold a period of this kind?
bool sg_timeperiod_fits(enum sg_timeperiod_kind kind, enum sg_type type);
// Is type one of the time types of the table above?
bool sg_timeperiod_is_type(enum sg_type type);
// The normal pairing of a code of CL_FREQ and a period (sdmx-facts 1.9); true
// for codes that it does not know.
bool sg_timeperiod_pairs(struct sg_slice freq, enum sg_timeperiod_kind kind);
// xs:duration (XML Schema part 2, 3.2.6), without sign.
bool sg_timeperiod_duration(struct sg_slice text);
// xs:time, --MM, --MM-DD, ---DD with optional zone.
bool sg_timeperiod_clock(struct sg_slice text);
bool sg_timeperiod_gmonth(struct sg_slice text);
bool sg_timeperiod_gmonthday(struct sg_slice text);
bool sg_timeperiod_gday(struct sg_slice text);
