// sign - signatures over documents, each for one purpose (formats.md 0).
//
// What is signed is "statgate/" purpose "/v1" 00 body, so that no document of
// one kind can be shown as another (decisions-security S08). Body: the bytes as
// received, never encoded again (S12).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// clang-format off
#define SG_SIGN_PURPOSES(X)                                                    \
    X(JOIN, "join")                                                            \
    X(ROSTER, "roster")                                                        \
    X(TERMS, "terms")                                                          \
    X(POLICY, "policy")                                                        \
    X(APPROVAL, "approval")                                                    \
    X(MANIFEST_BATCH, "manifest-batch")                                        \
    X(SUBSCRIPTION, "subscription")                                            \
    X(CONSENT_AGREEMENT, "consent-agreement")                                  \
    X(SHARING_AGREEMENT, "sharing-agreement")                                  \
    X(CONSENT_EVENT, "consent-event")                                          \
    X(DELIVERY, "delivery")                                                    \
    X(DERIVATION, "derivation")                                                \
    X(STATEMENT, "statement")                                                  \
    X(RECEIPT_ACK, "receipt-ack")                                              \
    X(NOTICE, "notice")                                                        \
    X(NOTICE_ANSWER, "notice-answer")                                          \
    X(HOP, "hop")                                                              \
    X(RECALL, "recall")                                                        \
    X(DESTRUCTION, "destruction")                                              \
    X(CALLER_PROOF, "caller-proof")                                            \
    X(BUNDLE, "bundle")                                                        \
    X(CALENDAR, "calendar")                                                    \
    X(REVOCATION, "revocation")                                                \
    X(GAP, "gap")
// clang-format on

enum sg_sign_purpose {
#define X(name, word) SG_SIGN_##name,
    SG_SIGN_PURPOSES(X)
#undef X
        SG_SIGN_COUNT,
};

const char *sg_sign_purpose_name(enum sg_sign_purpose purpose);

// SG_ERR_CRYPTO, SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_sign_make(struct sg_signer *signer,
                                       enum sg_sign_purpose purpose,
                                       struct sg_slice body, uint8_t sig[64]);
// Anything malformed is simply false.
SG_MUST_CHECK bool sg_sign_verify(enum sg_alg alg, struct sg_slice public_key,
                                  enum sg_sign_purpose purpose,
                                  struct sg_slice body, struct sg_slice sig);
