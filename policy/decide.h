// decide - may this part of this release go to this recipient, now?
//
// The algorithm of policy-language 5.4. Pure: same rules, request, day and
// context give the same decision. No allocation, no clock. A zeroed decision
// is a deny; rules NULL, or made for other days, deny with no_policy.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/limits.h"
#include "policy/compile.h"

enum sg_verdict { SG_VERDICT_DENY, SG_VERDICT_HOLD, SG_VERDICT_PERMIT };

// Why. The texts are those of traces: "no_policy", "incomplete", ...
#define SG_WHY_TABLE(X)                                                        \
    X(NO_POLICY, "no_policy")                                                  \
    X(INCOMPLETE, "incomplete")                                                \
    X(GUARD, "guard")                                                          \
    X(FORBIDDEN, "forbidden")                                                  \
    X(NOT_PERMITTED, "not_permitted")                                          \
    X(HELD, "held")                                                            \
    X(HOLD_EXPIRED, "hold_expired")                                            \
    X(CONFLICT, "conflict")                                                    \
    X(CANNOT_FULFIL, "cannot_fulfil")                                          \
    X(CHECK_FAILED, "check_failed")                                            \
    X(NO_FIXPOINT, "no_fixpoint")                                              \
    X(PERMITTED, "")
enum sg_why {
#define X(name, text) SG_WHY_##name,
    SG_WHY_TABLE(X)
#undef X
        SG_WHY_COUNT,
};
const char *sg_decide_why(enum sg_why why);
const char *sg_decide_verdict(enum sg_verdict verdict); // deny hold permit

enum sg_layer { SG_LAYER_NONE, SG_LAYER_EXPORT, SG_LAYER_HUB, SG_LAYER_IMPORT };

enum { SG_DECISION_RULES = 32, SG_DECISION_LAYERS = 24 };

// The two availability guards and partial consent are not rules of a table.
enum {
    SG_GUARD_WITHDRAWN,
    SG_GUARD_CONSENT,
    SG_GUARD_COMMUNITY_CONSENT,
    SG_GUARD_COMMUNITY_NOT_ASKED,
    SG_GUARD_REDISTRIBUTION,
    SG_GUARD_LOCALISATION,
    SG_GUARD_OPEN_LANE,
    SG_GUARD_PARTIAL_CONSENT,
    SG_GUARD_AVAILABILITY,
    SG_GUARD_COUNT,
};

// Everything beside the request that a decision depends on. Zeroed: the gate
// performs nothing and the recipient promises nothing.
struct sg_context {
    bool law_of_the_area; // the flow's terms say so
    uint32_t held_days;   // days since it was first held; 0: not held before
    uint32_t performs;    // bits of obligations: SG_OBLIGATION_PERFORMED
    // What the recipient's subscription or sharing agreement promises; a
    // promise asked for and not in it is cannot_fulfil.
    const struct sg_obligation *promises;
    uint32_t promises_count;
    bool promises_anything; // rehearsals: as if it promised whatever is asked
    // The second decision, after changes were made and attributes derived
    // again: these were performed. Then everything but a permit whose changes
    // are all among them is no_fixpoint.
    bool second;
    const struct sg_obligation *performed;
    uint32_t performed_count;
    // Changes of several parts or places were united before they were
    // performed: with these parameters, or with stricter ones.
    bool united;
};

struct sg_decision {
    uint8_t verdict; // enum sg_verdict
    uint8_t why;     // enum sg_why
    // no_policy, forbidden, not_permitted: the layer that decided.
    uint8_t layer;          // enum sg_layer
    uint16_t layer_place;   // export, import: of this place
    uint16_t layer_file;    // forbidden, not_permitted: the file
    uint64_t missing;       // incomplete: bits of enum sg_attr
    uint64_t waiting_for;   // held: bits of enum sg_attr that an event changes
    uint32_t deadline_days; // held by rules: at most; 0: until the event
    uint32_t cannot;        // cannot_fulfil, conflict: bits of obligations
    // Files asked, in order; their digests belong into evidence.
    uint16_t files[SG_DECISION_LAYERS];
    uint8_t files_count;
    // deny: forbids or guards; held: holds; permit: permits. In order of file
    // and rule; rules_total may be larger than what fits.
    struct sg_rule_ref rules[SG_DECISION_RULES];
    uint8_t rules_count;
    uint32_t rules_total;
    // permit: merged, stricter parameter; ordered by enum sg_obligation_name.
    struct sg_obligation obligations[SG_LIMIT_OBLIGATIONS];
    uint32_t obligations_count;
};

// out is set whole. O(boxes / 512 + hits).
void sg_decide_request(const struct sg_rules *rules,
                       const struct sg_request *request, uint32_t day,
                       const struct sg_context *context,
                       struct sg_decision *out);

// The same by one file of the set alone, which then counts as the export layer
// whatever it is and whenever it is in force: tests and trials of one file.
void sg_decide_alone(const struct sg_rules *rules, uint16_t file,
                     const struct sg_request *request, uint32_t day,
                     const struct sg_context *context, struct sg_decision *out);

// Would it have to be kept longer than it may?
bool sg_decide_conflict(const struct sg_obligation *list, size_t count);

// deny > hold > permit: for flows that go whole or not at all.
enum sg_verdict sg_decide_worst(enum sg_verdict a, enum sg_verdict b);
