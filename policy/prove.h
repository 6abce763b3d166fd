// prove - is a region of requests closed? Exactly, by boxes (policy-language
// 5.6).
//
// A never holds when no permit's box has a point inside it that lies outside
// every box of forbids and holds. A box is taken apart along the first box that
// covers part of it until nothing is left or a point is found; comparisons
// (`same as`) follow from the codes, so every point is a request that can
// exist.
#pragma once

#include "policy/ast.h"

enum sg_proof {
    SG_PROOF_UNDECIDED, // too many steps
    SG_PROOF_BROKEN,
    SG_PROOF_WITH_GUARDS, // proved, with the built-in guards
    SG_PROOF_PROVED,
};

struct sg_proof_result {
    enum sg_proof proof;
    const struct sg_rule *permit; // broken: the rule that lets it through
    uint32_t day;                 // broken: on
    struct sg_request witness;    // broken: for example
};

enum { SG_PROVE_STACK = 24 * 1024 * 1024 }; // bytes; more boxes: undecided

// For every slice of days of the file. stack: SG_PROVE_STACK bytes of scratch,
// aligned for any type. At most 2 million steps a slice, then undecided; so is
// what would take more than *steps, which are used up.
void sg_prove_never(void *stack, const struct sg_policy_set *set,
                    const struct sg_file *file, const struct sg_rule *never,
                    uint64_t *steps, struct sg_proof_result *out);
