// clock - what time it is: wall, monotonic, boot.
//
// Never decides anything: the loop reads it once a turn and bounds steps (S50).
#pragma once

#include <stdint.h>

uint64_t sg_os_clock_wall_us(void); // since 1970-01-01 UTC
uint64_t sg_os_clock_mono_us(void); // for waiting; stands still in suspend
uint64_t sg_os_clock_boot_us(void); // goes on in suspend
