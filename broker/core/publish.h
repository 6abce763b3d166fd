// publish - what a publisher asks: is this release fit to be looked at?
//
// Order of formats.md (a): form, sender, owner, audience, roster, terms,
// expiry, then the token bucket, then the signature, then the place in the row
// of revisions. Nothing is stored before the bucket. The same manifest again is
// the same receipt; the same revision with another manifest is a conflict.
#pragma once

#include "broker/core/turn.h"

// Looks at a manifest alone. *flow: its index. *field: what is wrong.
enum sg_err sg_publish_check(const struct sg_turn *turn,
                             const Sgpb__Manifest *manifest,
                             const uint8_t manifest_sha256[32], uint32_t *flow,
                             const char **field);
// Is the key of the manifest its publisher's, now? Asked when it comes and once
// more when it is accepted: a roster may have come between.
enum sg_err sg_publish_check_key(const struct sg_turn *turn,
                                 const Sgpb__Manifest *manifest);
// Codes of level R from claims and terms; false: a claim lies outside them.
// out: SG_ATTR_COUNT codes. *attr: the one outside.
bool sg_publish_codes(const Sgpb__FlowTerms *terms, const Sgpb__Claims *claims,
                      const char *jurisdiction, uint16_t *out,
                      enum sg_attr *attr);
// The last revision that is accepted or on its way, and its manifest.
uint64_t sg_publish_tail(const struct sg_core *core, uint32_t flow,
                         uint8_t manifest_sha256[32]);

void sg_publish_batch(struct sg_turn *turn);
void sg_publish_begin(struct sg_turn *turn);
void sg_publish_status(struct sg_turn *turn);
void sg_publish_report(struct sg_turn *turn);

// RESULT of one manifest. seq: entry, SG_NO_ENTRY: none.
void sg_publish_result(struct sg_turn *turn, const struct sg_upload *upload,
                       enum sg_err err, uint64_t seq, bool duplicate);
