// check - is a data message what its structure says it must be?
//
// One engine for `statgate check` (rows from a reader, with lines), for the
// reader worker and for the judge (rows of a canonical stream). Owns the
// report, the set of keys seen and the values of attributes above observation
// level; everything lies in the caller's arena.
// Invariant: constant memory but for keys (about 21 bytes an observation) and
// one entry for each attribute of a series or group.
// Checked: dimensions there, codes, types, facets, time periods, mandatory
// attributes, two values of an attribute of one series, group or data set,
// duplicates, values where the structure allows one, content constraints.
// Warnings: week 53 and day 366 where the year has none, a period that does not
// fit FREQ.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"
#include "schemas/sdmx/report.h"

struct sg_check; // opaque; lives in the arena

struct sg_check_options {
    uint64_t key[2]; // random: hash of foreign values
    // Rows that merge need their mandatory attributes too: what is published
    // is whole. False: a row sent as M may be a partial update.
    bool complete;
    // Rows come sorted (canonical stream): no set of keys is needed.
    bool sorted;
    // What is published is whole: append, merge and delete are faults, and so
    // is no observation at all, which is a warning elsewhere.
    bool whole;
    // The same key twice is no fault: parts of a stream may hold what two data
    // sets said (content-root.md 3).
    bool equal_keys;
    // For every occurrence, in order of discovery; may be NULL. Duplicates are
    // discovered by sg_check_end.
    void (*each)(void *context, const struct sg_fault *fault);
    void *context;
};

// NULL: arena full.
struct sg_check *sg_check_new(struct sg_arena *arena,
                              const struct sg_check_options *options);
// Before the first row, once. SG_ERR_FULL.
SG_MUST_CHECK enum sg_err sg_check_begin(struct sg_check *check,
                                         const struct sg_structure *structure);
// What the rows from here on are of, as the message or the flow's terms name it:
// a dataflow, a provision agreement (with its dataflow). The constraints on
// these hold beside those on the structure, which always do; without this call
// only the latter. After sg_check_begin.
void sg_check_named(struct sg_check *check, const struct sg_obs_ref *refs,
                    size_t count);
// The format the rows were sent in. In SDMX-ML each Series element states its
// attributes, and national files repeat a series with others: there
// ATTR_CONFLICT is a warning; in all other formats (and if this is not called)
// it is a fault.
void sg_check_media(struct sg_check *check, enum sg_media media);
// What obs.h calls action, columns and fault.
void sg_check_action(struct sg_check *check, uint8_t sent, uint64_t row,
                     uint64_t line);
void sg_check_columns(struct sg_check *check,
                      const uint64_t present[SG_OBS_CHANGED_WORDS],
                      uint64_t line);
void sg_check_fault(struct sg_check *check, const struct sg_fault *fault);
// One row. SG_ERR_FULL: arena.
SG_MUST_CHECK enum sg_err sg_check_obs(struct sg_check *check,
                                       const struct sg_obs *obs);
// No more rows; the report is complete then.
SG_MUST_CHECK enum sg_err sg_check_end(struct sg_check *check);
uint64_t sg_check_rows(const struct sg_check *check);
struct sg_report *sg_check_report(struct sg_check *check);
// Nothing but warnings.
bool sg_check_accepts(const struct sg_check *check);
