// compile - a policy set as bitset tables, for one slice of days.
//
// Per file and per (attribute, code) the set of rule boxes that allow it,
// identical columns shared, with a summary bit per 512 boxes. Immutable once
// made; owned by the arena. Rules hold for [from, until) and know it: asked
// about another day they deny.
#pragma once

#include "policy/policy.h"

struct sg_rules; // opaque

// The rules in force on day. generation is the caller's number for them, it
// only travels with them. SG_ERR_FULL: the arena's capacity. Time grows with
// boxes x codes (some 10 ms for 5000 rules).
SG_MUST_CHECK enum sg_err sg_compile_slice(struct sg_arena *arena,
                                           const struct sg_policy_set *set,
                                           uint32_t day, uint64_t generation,
                                           struct sg_rules **rules);
uint64_t sg_compile_generation(const struct sg_rules *rules);
uint32_t sg_compile_from(const struct sg_rules *rules);  // first day
uint32_t sg_compile_until(const struct sg_rules *rules); // first day no more
const struct sg_policy_set *sg_compile_set(const struct sg_rules *rules);
