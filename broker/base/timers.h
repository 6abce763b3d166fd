// timers - what is due when: a binary heap of (due time, id).
//
// Knows no clock: the caller says what time it is. Equal times come out in the
// order of their ids, so that two runs of the simulation agree.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"

struct sg_timers; // opaque

struct sg_timers *sg_timers_new(uint32_t cap);
void sg_timers_free(struct sg_timers **timers);

// Sets or moves the timer id (unique, chosen by the caller). O(log n).
SG_MUST_CHECK enum sg_err sg_timers_set(struct sg_timers *timers, uint64_t id,
                                        uint64_t due_us);
void sg_timers_clear(struct sg_timers *timers, uint64_t id); // absent: no-op
// The earliest; false when there is none.
bool sg_timers_peek(const struct sg_timers *timers, uint64_t *id,
                    uint64_t *due_us);
// Takes out the earliest that is due at now_us; false when none is.
bool sg_timers_pop(struct sg_timers *timers, uint64_t now_us, uint64_t *id);
uint32_t sg_timers_count(const struct sg_timers *timers);
