// check - everything that can be said of a policy before it is proposed.
//
// Notes of reading, review dates, proofs of every never, results of every test.
// Says them one by one, in the order of the text within each kind.
#pragma once

#include "policy/policy.h"

enum sg_check_kind {
    SG_CHECK_NOTE,
    SG_CHECK_WARNING,
    SG_CHECK_PASSED, // a test, or a never that is proved
    SG_CHECK_FAILED, // a test, or a never that is broken or undecided
};

struct sg_check_line {
    enum sg_check_kind kind;
    uint16_t file;
    uint32_t line, column;
    bool dated; // a review date has passed: said, but the check succeeds
    struct sg_slice text; // valid during the call
};

struct sg_check_sink {
    void (*say)(void *ctx, const struct sg_check_line *line);
    void *ctx;
};

struct sg_check_counts {
    uint32_t tests, nevers, failed, warnings; // failed: of both
};

// today: review dates before it are remarked on; 0: none is. scratch is used up
// bit by bit: a new one for each set. tests_only: no notes and no proofs.
// steps: of all proofs together, then undecided; about 0.1 us each.
SG_MUST_CHECK enum sg_err
sg_check_set(struct sg_arena *scratch, const struct sg_policy_set *set,
             uint32_t today, bool tests_only, uint64_t steps,
             const struct sg_check_sink *sink, struct sg_check_counts *counts);
