// report - what a check found, grouped by cause.
//
// Owns copies of everything it was told. A cause is a code with its component
// and, where it is the value that is wrong, the value. Nothing is capped in
// counting; beyond SG_LIMIT_FAULT_GROUPS causes only the totals grow.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "schemas/sdmx/fault.h"

struct sg_report_cause {
    struct sg_fault fault; // the first occurrence
    uint64_t count;
    struct sg_report_cause *next_bucket;
    uint64_t hash;
};

struct sg_report; // opaque; lives in the arena

// key: secret of the hash over foreign values. each (may be NULL) is called
// for every occurrence, in order.
struct sg_report *sg_report_new(struct sg_arena *arena, const uint64_t key[2],
                                void (*each)(void *context,
                                             const struct sg_fault *fault),
                                void *context);
// The cause; NULL: over the limit or the arena is full (counted all the same).
struct sg_report_cause *sg_report_add(struct sg_report *report,
                                      const struct sg_fault *fault);
// One more of a cause (may be NULL); row and line of this occurrence.
void sg_report_again(struct sg_report *report, struct sg_report_cause *cause,
                     const struct sg_fault *fault);
// Has this cause been seen? Saves working out its hint again.
struct sg_report_cause *sg_report_find(const struct sg_report *report,
                                       const struct sg_fault *fault);
// Puts causes in order of row, line and appearance; call once, at the end.
void sg_report_sort(struct sg_report *report);
uint32_t sg_report_count(const struct sg_report *report); // causes kept
const struct sg_report_cause *sg_report_at(const struct sg_report *report,
                                           uint32_t index);
uint64_t sg_report_faults(const struct sg_report *report); // occurrences
uint64_t sg_report_warnings(const struct sg_report *report);
// Causes that are not kept one by one: something was cut.
uint64_t sg_report_uncounted(const struct sg_report *report);
