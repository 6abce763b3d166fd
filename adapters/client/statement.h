// statement - what stands around delivered data: who signed what.
//
// Checks the publisher's signed manifest, the gate's delivery statement and its
// derivation against a roster, and says in words what was found. The gate's
// words are told as the gate's, never as the publisher's (S20).
#pragma once

#include "adapters/client/content.h"
#include "adapters/client/roster.h"
#include "schemas/wire.pb-c.h"

struct sg_statement_expect {
    const struct sg_roster *roster;
    const char *gate;
    const uint8_t *genesis;             // 32
    const char *subscriber;             // NULL: anyone's
    const char *flow;                   // NULL: any
    const uint8_t *subscription_sha256; // NULL: any
};

struct sg_statement { // borrowed from arena and roster
    const Sgpb__Manifest *manifest;
    const Sgpb__Delivery *delivery;
    const Sgpb__Derivation *derivation; // NULL: as published
    const Sgpb__Participant *publisher;
    uint8_t manifest_sha256[32];
    uint8_t key_id[32]; // the publisher's
    enum sg_content_level level;
    const uint8_t *root; // 32, that the data must have
    enum sg_media media;
};

// SG_ERR_SIGNATURE, SG_ERR_AUDIENCE, SG_ERR_FORMAT, SG_ERR_CONTENT; why
// (static) says what did not fit.
SG_MUST_CHECK enum sg_err sg_statement_check(
    const Sgpb__DeliveryBegin *begin, const struct sg_statement_expect *expect,
    struct sg_arena *arena, struct sg_statement *out, const char **why);
// The data against it. found->withheld must be what the gate states by rule.
SG_MUST_CHECK enum sg_err
sg_statement_data(const struct sg_statement *statement,
                  struct sg_content_file *file, struct sg_slice proof,
                  struct sg_content_found *found, const char **why);
// Lines for people, from arena, at most SG_STATEMENT_WORDS with the NUL; where
// there are more, the last one says so. NULL: full. observations are told where
// rows were counted.
enum { SG_STATEMENT_WORDS = 64 * 1024 };
const char *sg_statement_words(const struct sg_statement *statement,
                               const struct sg_content_found *found,
                               uint64_t observations, struct sg_arena *arena);
