// promise - which promises the rules ask of a recipient, told without looking.
//
// A recipient may hear what he himself can mend (S44), and a promise is his own
// word. But which rules apply, and whether it is a promise that is wanting,
// follows from the content too. So nothing of that is looked at here: rules are
// tried with what the recipient may know, his own attributes and what public
// terms say, and every other condition is taken as if it could hold. Two worlds
// that differ in content alone give the same answer; it may name a promise that
// this very release would not have asked for.
#pragma once

#include "policy/decide.h"

// known: bits of enum sg_attr whose code in request the recipient may know.
// made: what he promises already. Fills lacking with the rest, merged, at most
// SG_LIMIT_OBLIGATIONS, ordered by name; only what this gate follows up
// (context performs), because no promise cures the others. Returns how many.
size_t sg_promise_lacking(const struct sg_rules *rules, uint32_t day,
                          const struct sg_request *request, uint64_t known,
                          const struct sg_context *made,
                          struct sg_obligation *lacking);
