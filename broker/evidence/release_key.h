// release_key - the one function that yields a content key (S37).
//
// Every exit calls it: jobs of workers, deliveries, the secret block for a
// judge, sealing what comes in. It refuses a delivery's key until its entry
// `key released` is durable. Nothing else in the product touches key material.
#pragma once

#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"

struct sg_evidence;

enum sg_release_reason {
    SG_RELEASE_NONE,     // refused
    SG_RELEASE_JOB,      // to a worker, for one job
    SG_RELEASE_DELIVERY, // to a subscriber: the KEY frame
    SG_RELEASE_SEAL,     // inside the gate: chunks come in
    SG_RELEASE_READ,     // inside the gate: report, structure, policy object
};

struct sg_release_request {
    enum sg_release_reason reason;
    const uint8_t *manifest_sha256; // 32
    const uint8_t *variant;         // 16; zeros: the release itself
    uint64_t released;              // entry 35; only for SG_RELEASE_DELIVERY
};

// key: wipe it (sg_crypto_wipe) as soon as it is used. SG_ERR_NOT_FOUND: never
// made or destroyed; SG_ERR_STOPPED: entry 35 is not durable;
// SG_ERR_CORRUPT: the row fails its check.
SG_MUST_CHECK enum sg_err
sg_release_key(struct sg_evidence *evidence,
               const struct sg_release_request *request, uint8_t key[32]);
