// manifest - what a publisher signs about one file.
#pragma once

#include "adapters/client/content.h"
#include "adapters/client/session.h"

struct sg_manifest_made {
    struct sg_slice bytes; // packed Manifest, in the arena given
    uint8_t sha256[32];
    uint8_t secret[SG_SECRET_LEN];
    uint64_t revision, chunks;
};

// Content, claims and place in the row of revisions. file was looked at. The
// head moves on to this release. Fills result when it fails.
SG_MUST_CHECK int
sg_manifest_make(struct statgate *handle,
                 const struct statgate_release *release, struct sg_head *head,
                 struct sg_content_file *file, struct sg_arena *arena,
                 struct sg_manifest_made *made, struct statgate_result *result);
// What the gate says of the flow, asked once; the terms are signed by the
// provider himself. again: forget what was known.
SG_MUST_CHECK int sg_manifest_head(struct statgate *handle, const char *flow,
                                   bool again, struct sg_head **head,
                                   struct statgate_result *result);
