#include "broker/base/utc.h"

#include <stdio.h>

static const uint64_t day_us = 86400000000u;

// Days since 1970-01-01 of the first of March of a year that is counted from
// March on: leap days come last, so no table of months is needed.
static uint64_t
days_of(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t shifted = month > 2 ? month - 3 : month + 9;
    uint64_t y = month > 2 ? year : year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + (shifted * 153 + 2) / 5 + day -
           1 - 719468;
}

void
sg_utc_date(uint64_t days, uint64_t *year, uint64_t *month, uint64_t *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097, in_era = z % 146097;
    uint64_t y =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    uint64_t shifted = (5 * in_year + 2) / 153;

    *day = in_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = y + era * 400 + (*month <= 2);
}

void
sg_utc_format(uint64_t us, char out[SG_UTC_TEXT])
{
    uint64_t year, month, day, rest = us % day_us;

    sg_utc_date(us / day_us, &year, &month, &day);
    if (year > 9999) {
        (void)snprintf(out, SG_UTC_TEXT, "9999-12-31T23:59:59.999999Z");
        return;
    }
    (void)snprintf(
        out, SG_UTC_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)year,
        (unsigned)month, (unsigned)day, (unsigned)(rest / 3600000000u),
        (unsigned)(rest / 60000000u % 60), (unsigned)(rest / 1000000u % 60),
        (unsigned)(rest % 1000000u));
}

// count digits at *text, which moves on; -1: others.
static int
digits(struct sg_slice *text, size_t count)
{
    int value = 0;

    if (text->len < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return -1;
        value = value * 10 + (text->ptr[i] - '0');
    }
    text->ptr += count;
    text->len -= count;
    return value;
}

static bool
literal(struct sg_slice *text, char c)
{
    if (text->len == 0 || text->ptr[0] != (uint8_t)c)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool
parse_date(struct sg_slice *text, uint64_t *days)
{
    static const int length[] = {31, 29, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31};
    int year = digits(text, 4);
    if (year < 1970 || !literal(text, '-'))
        return false;
    int month = digits(text, 2);
    if (month < 1 || month > 12 || !literal(text, '-'))
        return false;
    int day = digits(text, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day < 1 || day > length[month - 1] ||
        (month == 2 && day == 29 && !leap))
        return false;
    *days = days_of((uint64_t)year, (uint64_t)month, (uint64_t)day);
    return true;
}

static bool
parse_zone(struct sg_slice *text, int64_t *offset_us)
{
    *offset_us = 0;
    if (literal(text, 'Z'))
        return true;
    int64_t sign = literal(text, '+') ? 1 : literal(text, '-') ? -1 : 0;
    if (sign == 0)
        return false;
    int hours = digits(text, 2);
    if (hours < 0 || hours > 14 || !literal(text, ':'))
        return false;
    int minutes = digits(text, 2);
    if (minutes < 0 || minutes > 59)
        return false;
    *offset_us = sign * (hours * 60 + minutes) * (int64_t)60000000;
    return true;
}

bool
sg_utc_parse(struct sg_slice text, uint64_t *us)
{
    uint64_t days;
    int64_t offset_us;

    if (!parse_date(&text, &days) || !literal(&text, 'T'))
        return false;
    int hour = digits(&text, 2);
    if (hour < 0 || hour > 23 || !literal(&text, ':'))
        return false;
    int minute = digits(&text, 2);
    if (minute < 0 || minute > 59 || !literal(&text, ':'))
        return false;
    int second = digits(&text, 2);
    if (second < 0 || second > 59)
        return false;
    int fraction = 0, scale = 1000000;
    if (literal(&text, '.')) {
        int digit;
        while (scale > 1 && (digit = digits(&text, 1)) >= 0) {
            fraction = fraction * 10 + digit;
            scale /= 10;
        }
        if (scale == 1000000)
            return false;
        fraction *= scale;
    }
    if (!parse_zone(&text, &offset_us) || text.len != 0)
        return false;
    int64_t local = (int64_t)(days * day_us) +
                    (hour * 3600 + minute * 60 + second) * (int64_t)1000000 +
                    fraction;
    if (local < offset_us)
        return false;
    *us = (uint64_t)(local - offset_us);
    return true;
}
