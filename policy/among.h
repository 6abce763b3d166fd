// among - the decision on a part that holds several areas or partners.
//
// A part is decided for each of its places as if it held that one alone, and
// the worst of these verdicts is the part's: a law that forbids one area forbids
// a part in which it occurs. What all permit is permitted under the duties of
// all. Places that no rule, no law of their own and no comparison can tell
// apart are decided once. Pure, no allocation, like decide.h.
#pragma once

#include "policy/decide.h"
#include "schemas/vocabulary/places.h"

struct sg_among { // an empty set: unknown
    struct sg_places areas, counterparts;
};

// request: all but area and counterpart. *decided is what *out was decided on:
// the places that denied or held, or, where all permit, "several" for more than
// one. O(kinds of areas x kinds of partners).
void sg_among_decide(const struct sg_rules *rules,
                     const struct sg_request *request,
                     const struct sg_among *among, uint32_t day,
                     const struct sg_context *context,
                     struct sg_request *decided, struct sg_decision *out);
