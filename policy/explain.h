// explain - a decision in words and as a trace, for two audiences.
//
// The provider sees everything; the recipient, and anyone else, sees what does
// not depend on content, on the consent of others or on derived facts (S44).
// The trace is computed again from rules, request and decision, so that the
// fast path keeps nothing for it; same inputs give the same bytes.
#pragma once

#include "broker/base/bytes.h"
#include "policy/decide.h"

enum sg_audience { SG_AUDIENCE_RECIPIENT, SG_AUDIENCE_PROVIDER };

// A decision and what it was made from; all must be what it was made with.
struct sg_explained {
    const struct sg_rules *rules;
    const struct sg_request *request;
    uint32_t day;
    const struct sg_decision *decision;
    enum sg_audience audience; // zeroed: the recipient
};

// One JSON object on one line (policy-language 5.7), without id, time and
// hashes of the message, which the caller knows. w->full: it did not fit.
void sg_explain_json(struct sg_writer *w, const struct sg_explained *what);
// Sentences for people, lines ending in \n.
void sg_explain_text(struct sg_writer *w, const struct sg_explained *what);
// The code that an answer to the recipient carries: policy.forbidden,
// policy.held, policy.content, ...; "" for a permit. Static text.
const char *sg_explain_code(const struct sg_explained *what);
