#include "schemas/sdmx/timeperiod.h"

#include "broker/base/check.h"

// What is left of a text; every step takes from the front.
struct rest {
    const uint8_t *at, *end;
};

static bool
take(struct rest *r, char c)
{
    if (r->at == r->end || *r->at != (uint8_t)c)
        return false;
    r->at++;
    return true;
}

// Exactly that many digits.
static bool
digits(struct rest *r, unsigned count, unsigned *value)
{
    if ((size_t)(r->end - r->at) < count)
        return false;
    unsigned v = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned d = (unsigned)r->at[i] - '0';
        if (d > 9)
            return false;
        v = v * 10 + d;
    }
    r->at += count;
    *value = v;
    return true;
}

static bool
number_in(struct rest *r, unsigned count, unsigned low, unsigned high)
{
    unsigned v;
    return digits(r, count, &v) && v >= low && v <= high;
}

static bool
is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned
days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    return days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

// Monday 0 .. Sunday 6 of 1 January (Gregorian, proleptic).
static unsigned
first_weekday(unsigned year)
{
    unsigned y = year - 1;
    return (y + y / 4 - y / 100 + y / 400) % 7;
}

// ISO 8601: 53 weeks if 1 January is a Thursday, or a Wednesday of a leap year.
static unsigned
weeks_of(unsigned year)
{
    unsigned day = first_weekday(year);
    return day == 3 || (day == 2 && is_leap(year)) ? 53 : 52;
}

// Nothing, Z or +hh:mm up to 14:00, and then the end.
static bool
zone_and_end(struct rest *r)
{
    if (r->at == r->end)
        return true;
    if (take(r, 'Z'))
        return r->at == r->end;
    unsigned hours, minutes;
    if (!take(r, '+') && !take(r, '-'))
        return false;
    return digits(r, 2, &hours) && take(r, ':') && digits(r, 2, &minutes) &&
           minutes <= 59 && (hours < 14 || (hours == 14 && minutes == 0)) &&
           r->at == r->end;
}

// hh:mm:ss[.f]; 24:00:00 is legal.
static bool
clock(struct rest *r)
{
    unsigned hours, minutes, seconds;
    if (!digits(r, 2, &hours) || !take(r, ':') || !digits(r, 2, &minutes) ||
        !take(r, ':') || !digits(r, 2, &seconds))
        return false;
    bool zero = minutes == 0 && seconds == 0;
    if (take(r, '.')) {
        const uint8_t *from = r->at;
        for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
            zero = zero && *r->at == '0';
        if (r->at == from)
            return false;
    }
    return minutes <= 59 && seconds <= 59 &&
           (hours <= 23 || (hours == 24 && zero));
}

// Digits and one of the designators, each at most once and in order; seconds
// may have a fraction.
static bool
duration_parts(struct rest *r, const char *designators, unsigned *count)
{
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
            r->at++;
        bool fraction = false;
        if (take(r, '.')) {
            const uint8_t *from = r->at;
            while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
                r->at++;
            if (r->at == from)
                return false;
            fraction = true;
        }
        if (r->at == r->end)
            return false;
        while (*designators != '\0' && (uint8_t)*designators != *r->at)
            designators++;
        if (*designators == '\0' || (fraction && *r->at != 'S'))
            return false;
        designators++;
        r->at++;
        (*count)++;
    }
    return true;
}

static bool
duration(struct rest *r)
{
    unsigned dates = 0, times = 0;
    if (!take(r, 'P') || !duration_parts(r, "YMD", &dates))
        return false;
    if (take(r, 'T') && (!duration_parts(r, "HMS", &times) || times == 0))
        return false;
    return dates + times > 0 && r->at == r->end;
}

static bool
reporting(struct rest *r, char letter, struct sg_timeperiod *out)
{
    static const struct {
        char letter;
        uint8_t digits;
        uint16_t last;
        enum sg_timeperiod_kind kind;
    } forms[] = {
        {'A', 1, 1, SG_TIMEPERIOD_REPORTING_YEAR},
        {'S', 1, 2, SG_TIMEPERIOD_REPORTING_SEMESTER},
        {'T', 1, 3, SG_TIMEPERIOD_REPORTING_TRIMESTER},
        {'Q', 1, 4, SG_TIMEPERIOD_REPORTING_QUARTER},
        {'M', 2, 12, SG_TIMEPERIOD_REPORTING_MONTH},
        {'W', 2, 53, SG_TIMEPERIOD_REPORTING_WEEK},
        {'D', 3, 366, SG_TIMEPERIOD_REPORTING_DAY},
    };
    for (size_t i = 0; i < SG_COUNT_OF(forms); i++) {
        if (forms[i].letter != letter)
            continue;
        unsigned number;
        if (!digits(r, forms[i].digits, &number) || number < 1 ||
            number > forms[i].last || !zone_and_end(r))
            return false;
        out->kind = forms[i].kind;
        out->number = (uint16_t)number;
        out->odd = (letter == 'W' && number > weeks_of(out->year)) ||
                   (letter == 'D' && number == 366 && !is_leap(out->year));
        return true;
    }
    return false;
}

// After year and month: [-dd[Thh:mm:ss][/duration]][zone].
static bool
calendar(struct rest *r, unsigned month, struct sg_timeperiod *out)
{
    out->number = (uint16_t)month;
    out->kind = SG_TIMEPERIOD_MONTH;
    const uint8_t *mark = r->at;
    if (zone_and_end(r))
        return true;
    r->at = mark;
    unsigned day;
    if (!take(r, '-') || !digits(r, 2, &day) || day < 1 ||
        day > days_of(out->year, month))
        return false;
    out->day = (uint8_t)day;
    out->kind = SG_TIMEPERIOD_DAY;
    if (take(r, 'T')) {
        if (!clock(r))
            return false;
        out->kind = SG_TIMEPERIOD_DATETIME;
    }
    const uint8_t *slash = memchr(r->at, '/', (size_t)(r->end - r->at));
    if (slash == NULL)
        return zone_and_end(r);
    struct rest zone = {r->at, slash};
    struct rest length = {slash + 1, r->end};
    out->kind = SG_TIMEPERIOD_RANGE;
    return zone_and_end(&zone) && duration(&length);
}

bool
sg_timeperiod_parse(struct sg_slice text, struct sg_timeperiod *out)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    unsigned year, month;
    memset(out, 0, sizeof *out);
    if (text.len < 4 || !digits(&r, 4, &year) || year == 0)
        return false;
    out->year = (uint16_t)year;
    out->kind = SG_TIMEPERIOD_YEAR;
    const uint8_t *mark = r.at;
    if (zone_and_end(&r))
        return true;
    r.at = mark;
    if (!take(&r, '-') || r.at == r.end)
        return false;
    if (*r.at >= 'A' && *r.at <= 'Z') {
        char letter = (char)*r.at++;
        return reporting(&r, letter, out);
    }
    return digits(&r, 2, &month) && month >= 1 && month <= 12 &&
           calendar(&r, month, out);
}

// Years begin in March here, so that leap days come last.
static int64_t
day_number(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t of_year =
        (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    int64_t in_era = year % 400;
    return year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
           of_year - 719468;
}

// Months first..first + count - 1 of the year.
static void
months(const struct sg_timeperiod *p, unsigned number, unsigned count,
       int64_t *first, int64_t *last)
{
    unsigned end = number * count;
    *first = day_number(p->year, end - count + 1, 1);
    *last = day_number(p->year, end, days_of(p->year, end));
}

void
sg_timeperiod_days(const struct sg_timeperiod *p, int64_t *first, int64_t *last)
{
    static const uint8_t month_count[] = {
        [SG_TIMEPERIOD_MONTH] = 1,
        [SG_TIMEPERIOD_REPORTING_SEMESTER] = 6,
        [SG_TIMEPERIOD_REPORTING_TRIMESTER] = 4,
        [SG_TIMEPERIOD_REPORTING_QUARTER] = 3,
        [SG_TIMEPERIOD_REPORTING_MONTH] = 1,
        [SG_TIMEPERIOD_RANGE] = 0,
    };
    int64_t begin = day_number(p->year, 1, 1);
    if (month_count[p->kind] > 0) {
        months(p, p->number, month_count[p->kind], first, last);
    } else if (p->kind == SG_TIMEPERIOD_YEAR ||
               p->kind == SG_TIMEPERIOD_REPORTING_YEAR) {
        months(p, 1, 12, first, last);
    } else if (p->kind == SG_TIMEPERIOD_REPORTING_WEEK) {
        // Week 1 holds 4 January; day 0 was a Thursday.
        int64_t fourth = begin + 3;
        int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7;
        *first = monday + 7 * (p->number - 1);
        *last = *first + 6;
    } else if (p->kind == SG_TIMEPERIOD_REPORTING_DAY) {
        *first = *last = begin + p->number - 1;
    } else {
        *first = *last = day_number(p->year, p->number, p->day);
    }
}

static bool
is_basic(enum sg_timeperiod_kind kind)
{
    return kind <= SG_TIMEPERIOD_DATETIME;
}

static bool
is_reporting(enum sg_timeperiod_kind kind)
{
    return kind >= SG_TIMEPERIOD_REPORTING_YEAR &&
           kind <= SG_TIMEPERIOD_REPORTING_DAY;
}

// The one kind that a narrow type allows; 0: not a narrow type.
static enum sg_timeperiod_kind
only_kind(enum sg_type type)
{
    static const struct {
        enum sg_type type;
        enum sg_timeperiod_kind kind;
    } pairs[] = {
        {SG_TYPE_GREGORIAN_YEAR, SG_TIMEPERIOD_YEAR},
        {SG_TYPE_GREGORIAN_YEAR_MONTH, SG_TIMEPERIOD_MONTH},
        {SG_TYPE_GREGORIAN_DAY, SG_TIMEPERIOD_DAY},
        {SG_TYPE_DATE_TIME, SG_TIMEPERIOD_DATETIME},
        {SG_TYPE_REPORTING_YEAR, SG_TIMEPERIOD_REPORTING_YEAR},
        {SG_TYPE_REPORTING_SEMESTER, SG_TIMEPERIOD_REPORTING_SEMESTER},
        {SG_TYPE_REPORTING_TRIMESTER, SG_TIMEPERIOD_REPORTING_TRIMESTER},
        {SG_TYPE_REPORTING_QUARTER, SG_TIMEPERIOD_REPORTING_QUARTER},
        {SG_TYPE_REPORTING_MONTH, SG_TIMEPERIOD_REPORTING_MONTH},
        {SG_TYPE_REPORTING_WEEK, SG_TIMEPERIOD_REPORTING_WEEK},
        {SG_TYPE_REPORTING_DAY, SG_TIMEPERIOD_REPORTING_DAY},
        {SG_TYPE_TIME_RANGE, SG_TIMEPERIOD_RANGE},
    };
    for (size_t i = 0; i < SG_COUNT_OF(pairs); i++)
        if (pairs[i].type == type)
            return pairs[i].kind;
    return 0;
}

bool
sg_timeperiod_fits(enum sg_timeperiod_kind kind, enum sg_type type)
{
    if (type == SG_TYPE_OBSERVATIONAL_TIME)
        return true;
    if (type == SG_TYPE_STANDARD_TIME)
        return kind != SG_TIMEPERIOD_RANGE;
    if (type == SG_TYPE_BASIC_TIME)
        return is_basic(kind);
    if (type == SG_TYPE_GREGORIAN_TIME)
        return is_basic(kind) && kind != SG_TIMEPERIOD_DATETIME;
    if (type == SG_TYPE_REPORTING_TIME)
        return is_reporting(kind);
    return only_kind(type) == kind;
}

bool
sg_timeperiod_is_type(enum sg_type type)
{
    return (type >= SG_TYPE_OBSERVATIONAL_TIME &&
            type <= SG_TYPE_GREGORIAN_TIME) ||
           type == SG_TYPE_REPORTING_TIME || only_kind(type) != 0;
}

bool
sg_timeperiod_pairs(struct sg_slice freq, enum sg_timeperiod_kind kind)
{
    static const struct {
        char code;
        enum sg_timeperiod_kind gregorian, reporting;
    } pairs[] = {
        {'A', SG_TIMEPERIOD_YEAR, SG_TIMEPERIOD_REPORTING_YEAR},
        {'S', SG_TIMEPERIOD_REPORTING_SEMESTER,
         SG_TIMEPERIOD_REPORTING_SEMESTER},
        {'T', SG_TIMEPERIOD_REPORTING_TRIMESTER,
         SG_TIMEPERIOD_REPORTING_TRIMESTER},
        {'Q', SG_TIMEPERIOD_REPORTING_QUARTER, SG_TIMEPERIOD_REPORTING_QUARTER},
        {'M', SG_TIMEPERIOD_MONTH, SG_TIMEPERIOD_REPORTING_MONTH},
        {'W', SG_TIMEPERIOD_REPORTING_WEEK, SG_TIMEPERIOD_REPORTING_WEEK},
        {'D', SG_TIMEPERIOD_DAY, SG_TIMEPERIOD_REPORTING_DAY},
        {'B', SG_TIMEPERIOD_DAY, SG_TIMEPERIOD_REPORTING_DAY},
        {'H', SG_TIMEPERIOD_DATETIME, SG_TIMEPERIOD_DATETIME},
        {'I', SG_TIMEPERIOD_DATETIME, SG_TIMEPERIOD_DATETIME},
        {'N', SG_TIMEPERIOD_DATETIME, SG_TIMEPERIOD_DATETIME},
    };
    if (freq.len != 1 || kind == SG_TIMEPERIOD_RANGE)
        return true;
    for (size_t i = 0; i < SG_COUNT_OF(pairs); i++)
        if ((uint8_t)pairs[i].code == freq.ptr[0])
            return kind == pairs[i].gregorian || kind == pairs[i].reporting;
    return true;
}

bool
sg_timeperiod_duration(struct sg_slice text)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    return text.len > 0 && duration(&r);
}

bool
sg_timeperiod_clock(struct sg_slice text)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    return text.len > 0 && clock(&r) && zone_and_end(&r);
}

bool
sg_timeperiod_gmonth(struct sg_slice text)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    return text.len > 0 && take(&r, '-') && take(&r, '-') &&
           number_in(&r, 2, 1, 12) && zone_and_end(&r);
}

bool
sg_timeperiod_gmonthday(struct sg_slice text)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    unsigned month, day;
    return text.len > 0 && take(&r, '-') && take(&r, '-') &&
           digits(&r, 2, &month) && month >= 1 && month <= 12 &&
           take(&r, '-') && digits(&r, 2, &day) && day >= 1 &&
           day <= days_of(2000, month) && zone_and_end(&r);
}

bool
sg_timeperiod_gday(struct sg_slice text)
{
    struct rest r = {text.ptr, text.ptr + text.len};
    return text.len > 0 && take(&r, '-') && take(&r, '-') && take(&r, '-') &&
           number_in(&r, 2, 1, 31) && zone_and_end(&r);
}
