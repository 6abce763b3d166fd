// refuse - every refusal: code, sentence, cure, whose turn it is.
//
// Two audiences (S44): the provider of the data sees all; anyone else sees what
// he can act upon. A refusal of what a participant brings - a release, a
// document, a message that is malformed - is evidence, at most
// SG_LIMIT_REFUSED_PER_S of them one by one, the rest counted in one aggregate
// entry a minute (S53). Questions, and what may be sent again unchanged, leave
// no trace; nor does who is in no roster.
#pragma once

#include "broker/core/turn.h"

struct sg_refusal {
    enum sg_err code;
    const char *component; // field or component; NULL
    const char *sentence;  // NULL: that of the table
    const char *cure;      // the same
    uint64_t next_chunk, head;
    uint64_t seq; // entry; 0: not recorded
    uint32_t retry_after_ms;
};

// The Refusal of a wire message, in turn's memory.
Sgpb__Refusal *sg_refuse_make(struct sg_turn *turn,
                              const struct sg_refusal *refusal);
// REFUSED to the sender of the message in hand; recorded where turn->judged says
// so and the code speaks of what was brought.
void sg_refuse_reply(struct sg_turn *turn, const struct sg_refusal *refusal);

// PEER_RIGHTS to the sender of the message in hand: which roles (SG_ROLE_*, one
// is enough) would do, and which the key has.
void sg_refuse_rights(struct sg_turn *turn, uint8_t needed, uint8_t held,
                      const char *component);

// What a refused release is known by.
struct sg_refused {
    const char *publisher;
    const Sgpb__Manifest *manifest;
    const uint8_t *manifest_sha256;
    enum sg_err code;
    const char *worker_code; // code of the check; "" none
    const char *component;
    uint64_t count;
    uint64_t accepted; // conflict: entry of the accepted one
    const struct sg_object *report;
    const uint8_t *report_commit;
};

// Writes entry 17 or 21 and returns its number, or 0 when the participant's
// bucket is empty: then it is counted.
uint64_t sg_refuse_record(struct sg_turn *turn, const struct sg_refused *what);

// The same of bad input that is no release. component: place or NULL.
uint64_t sg_refuse_input(struct sg_turn *turn, const char *participant,
                         enum sg_err code, const char *component);
// Bad input of who is not admitted at the moment: it is only counted.
void sg_refuse_count(struct sg_turn *turn, const char *participant,
                     enum sg_err code);

// Writes the aggregates that are due; all: of everybody, as their counters go.
void sg_refuse_aggregate(struct sg_turn *turn, bool all);

// Takes one token; false: empty. per_s tokens a second, at most that many.
bool sg_refuse_token(struct sg_bucket *bucket, uint64_t now, uint32_t per_s);
// Takes so many more thousandths, or all that is left.
void sg_refuse_spend(struct sg_bucket *bucket, uint64_t milli);
// Gives one back.
void sg_refuse_untake(struct sg_bucket *bucket, uint32_t per_s);
