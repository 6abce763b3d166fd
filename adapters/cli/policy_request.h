// policy_request - a request to decide on, from words or from JSON.
#pragma once

#include <jansson.h>

#include "adapters/cli/cli.h"
#include "policy/decide.h"

struct sg_policy_request {
    struct sg_request q;
    struct sg_context context;
    bool outside; // a claim lies outside its terms
    bool has_day;
    uint32_t day;
    struct sg_obligation performed[SG_LIMIT_OBLIGATIONS];
};

// "destination KE, consent given": later facts win. false: said on stderr.
bool sg_policy_request_words(const struct sg_policy_set *set, const char *words,
                             struct sg_policy_request *r);
// {attribute: code | {"claim","terms","derived"}, "on": DATE,
// "law_of_the_area", "held_days", "cannot": [names], "performed": [[name,
// [args]]]}. Codes that are none count as unknown. false: said on stderr.
bool sg_policy_request_json(const struct sg_policy_set *set, json_t *json,
                            struct sg_policy_request *r);
