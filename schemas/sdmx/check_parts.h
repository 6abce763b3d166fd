// check_parts - what the files of the check share.
#pragma once

#include "broker/base/limits.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/keylog.h"
#include "schemas/sdmx/keyset.h"
#include "schemas/sdmx/siphash.h"

enum {
    SG_CHECK_MEMO = 64,  // values remembered for a component
    SG_CHECK_MASKS = 32, // different sets of dimensions of attributes
};

// A value of at most 16 bytes and what was found out about it.
struct sg_check_memo {
    uint64_t head, tail;
    struct sg_siphash hash;
    uint32_t len; // 0: empty place
    uint8_t code; // enum sg_fault_code; SG_FAULT_TABLE_END: right
    uint8_t period;
    bool odd;
};

// One component: what is to be done with its values, and its last one.
struct sg_check_component {
    const struct sg_component *component;
    bool dimension, examined, hashed;
    bool number;                // any number, without facets
    int8_t mask;                // of its dimensions, in masks; -1: none
    uint32_t masks;             // dimension: bit m: is in masks[m]
    struct sg_check_memo *memo; // NULL: not worth it
    // the last value
    uint8_t code;
    uint8_t period;
    bool odd;
    struct sg_siphash hash;
    const char *why;
    struct sg_report_cause *cause;
};

struct sg_check_mask {
    uint64_t dimensions;
    struct sg_siphash hash; // of the values of these dimensions
    bool dirty;             // since the last row
};

struct sg_check {
    struct sg_arena *arena;
    struct sg_check_options options;
    struct sg_report *report;
    const struct sg_structure *structure;
    uint64_t rows, observations; // with a whole key
    uint64_t columns[SG_OBS_CHANGED_WORDS];
    bool columns_known;
    uint64_t columns_line;
    struct sg_check_component *components;
    uint32_t count;
    uint32_t words; // of a set of components
    struct sg_check_mask masks[SG_CHECK_MASKS];
    uint32_t mask_count;
    int32_t freq, conf; // FREQ, CONF_STATUS; -1: none
    // sets of components
    uint64_t all[SG_OBS_CHANGED_WORDS], mandatory[SG_OBS_CHANGED_WORDS];
    uint64_t detail[SG_OBS_CHANGED_WORDS]; // measures, observation attributes
    uint64_t above[SG_OBS_CHANGED_WORDS];  // attributes above observations
    uint64_t dimensions[SG_OBS_CHANGED_WORDS];
    // of the row
    uint64_t present[SG_OBS_CHANGED_WORDS], bad[SG_OBS_CHANGED_WORDS];
    struct sg_siphash key; // of all dimensions and the data set
    struct sg_siphash dataset_hash;
    uint32_t dataset;
    bool first, partial_seen, conflict_warns;
    bool above_done; // the row before was looked at for conflicts
    // memory
    struct sg_keylog *seen;
    struct sg_keyset *values;
    struct sg_siphash last_key;
    struct sg_check_rule *rules; // check_constraint.c
    uint32_t rule_count;
    uint64_t steps; // left to lay them out
};

static inline void
sg_check_xor(struct sg_siphash *a, struct sg_siphash b)
{
    a->low ^= b.low;
    a->high ^= b.high;
}

// Looks at the new value of a component and brings the state up to date.
void sg_check_component_update(struct sg_check *check, uint32_t index,
                               const struct sg_value *value);
// Says that the value of the row is wrong.
void sg_check_component_say(struct sg_check *check, uint32_t index,
                            const struct sg_obs *obs);
// Is what this component says of the row not to be told? A figure or a free text
// under a CONF_STATUS other than F (sdmx-facts 1.10); codes are told.
bool sg_check_component_masked(const struct sg_check *check, uint32_t index,
                               const struct sg_obs *obs);
// The value for a report: as sent, "(confidential)", or none if it is no text.
struct sg_slice sg_check_component_told(const struct sg_check *check,
                                        uint32_t index,
                                        const struct sg_obs *obs);
// Lays out components, masks and sets.
enum sg_err sg_check_component_plan(struct sg_check *check);
