// near - which permits came closest, and what each lacked. For explanations.
#pragma once

#include "policy/ast.h"

enum { SG_NEAR_MOST = 3 };

struct sg_near {
    const struct sg_rule *rule[SG_NEAR_MOST];
    uint32_t failed[SG_NEAR_MOST]; // attributes that fail, unless counts one
    uint64_t attrs[SG_NEAR_MOST];  // dimensions of the terms that fail
    bool unless[SG_NEAR_MOST];     // the exception holds
    uint32_t count;
};

// The permits of file, valid on day, with the fewest failures; equal ones in
// the order of the file. q is read as the decision read it.
void sg_near_find(struct sg_near *out, const struct sg_policy_set *set,
                  const struct sg_file *file, uint32_t day,
                  const struct sg_request *q);
