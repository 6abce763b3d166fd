// env_clock - the time that the gate goes by (decisions-security S50).
//
// Owns: a pair of times of one instant, wall and boot, and HOME/clock, where it
// lies for the next start within the same boot. Invariant: time goes on with
// the boot clock; the wall clock is followed while it agrees with that (2 s and
// 500 parts in a million), since the last look and since the anchor: many small
// steps are one large one. A step is told and not followed, over restarts
// too, until it agrees again, the machine is booted, or the operator takes
// HOME/clock away: no embargo opens and no key is destroyed by setting a clock.
// Never: decides what a step means.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/os/file.h"

enum { SG_ENV_BOOT_ID = 40 };

struct sg_env_clock {
    uint64_t time_us, boot_us; // one instant: the last look that agreed
    uint64_t anchor_time_us, anchor_boot_us; // the first of this boot
    uint64_t saved_us;           // time_us - boot_us as HOME/clock has it
    uint64_t told_from, told_to; // the step told last; 0, 0: clocks agree
    char boot_id[SG_ENV_BOOT_ID], path[SG_OS_PATH];
};

// path: of HOME/clock; one that is missing, of another boot or unreadable is
// made anew from the wall clock.
void sg_env_clock_start(struct sg_env_clock *clock, const char *path);
uint64_t sg_env_clock_now(const struct sg_env_clock *clock); // microseconds UTC
// Looks at both clocks. true: the wall clock stepped since the last look, from
// the time that we go by to another; or it agrees again.
bool sg_env_clock_look(struct sg_env_clock *clock, uint64_t *from,
                       uint64_t *to);
