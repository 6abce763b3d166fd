// clock - what time it is: wall, monotonic, boot; and times as text.
//
// Never decides anything: the loop reads it once a turn and bounds steps (S50).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

uint64_t sg_os_clock_wall_us(void); // since 1970-01-01 UTC
uint64_t sg_os_clock_mono_us(void); // for waiting; stands still in suspend
uint64_t sg_os_clock_boot_us(void); // goes on in suspend

enum { SG_OS_CLOCK_TEXT = 48 };
// "2026-11-24T08:00:00.000000Z" (ISO 8601). After year 9999: all nines.
void sg_os_clock_format(uint64_t us, char out[SG_OS_CLOCK_TEXT]);
// The same form; the fraction may have 0 to 6 digits or be absent, the zone is
// Z or +hh:mm, never absent. false: no such time.
bool sg_os_clock_parse(struct sg_slice text, uint64_t *us);
