// explain_view - what of a decision an audience may see. Internal to policy/.
#pragma once

#include "policy/explain.h"
#include "policy/grid.h"
#include "policy/near.h"

struct sg_view {
    const struct sg_policy_set *set;
    const struct sg_decision *decision;
    struct sg_request request; // as the deciding pass read it
    enum sg_audience audience;
    const char *code;                               // "" for a permit
    enum sg_verdict verdict;                        // to be shown
    const struct sg_rule *rules[SG_DECISION_RULES]; // to be shown
    struct sg_rule_ref refs[SG_DECISION_RULES];
    uint32_t rules_count;
    struct sg_near near; // not_permitted: permits that came closest
    uint64_t needs;      // recipient: attributes of its own to mend
};

void sg_explain_look(struct sg_view *view, const struct sg_explained *what);
// May this obligation be shown, and with its arguments?
bool sg_explain_shows(const struct sg_view *view,
                      const struct sg_obligation *one, bool *with_args);
// "k_anonymity(5)", arguments left out where they are protected.
void sg_explain_obligation(struct sg_writer *w, const struct sg_view *view,
                           const struct sg_obligation *one, bool with_args);
