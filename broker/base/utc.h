// utc - times as text and as dates of the civil calendar (RFC 3339).
//
// Owns nothing and looks at no clock: microseconds since 1970-01-01 UTC in, text
// out, and back. Leap seconds are not counted, as in POSIX.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

enum { SG_UTC_TEXT = 48 };
// "2026-11-24T08:00:00.000000Z". After year 9999: all nines.
void sg_utc_format(uint64_t us, char out[SG_UTC_TEXT]);
// The same form; the fraction may have 0 to 6 digits or be absent, the zone is
// Z or +hh:mm, never absent. false: no such time.
bool sg_utc_parse(struct sg_slice text, uint64_t *us);
// The date of a day counted from 1970-01-01; months and days from 1.
void sg_utc_date(uint64_t days, uint64_t *year, uint64_t *month, uint64_t *day);
