// secret - the secret block of a release: "SGSB1" (formats.md a).
//
// Salts and seed that open the commitments of a manifest. Travels encrypted
// beside the manifest, is stored only under the release key and dies with it;
// never in evidence, index or a log line (decisions-security S09, S17).
#pragma once

#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum { SG_SECRET_LEN = 101 }; // magic 5, three of 32

struct sg_secret {
    uint8_t seed[16]; // of the seed tree, secret
    uint8_t id[16];   // of the content root, public: stands in every proof
    uint8_t file_salt[32];
    uint8_t report_salt[32];
};

void sg_secret_encode(const struct sg_secret *secret,
                      uint8_t out[SG_SECRET_LEN]);
// SG_ERR_SECRET: not exactly such a block.
SG_MUST_CHECK enum sg_err sg_secret_decode(struct sg_slice bytes,
                                           struct sg_secret *secret);
// Fresh CSPRNG bytes (96) become a secret; who draws them is the caller's.
void sg_secret_from_random(const uint8_t random[96], struct sg_secret *secret);
void sg_secret_wipe(struct sg_secret *secret);
