// publish_group - small releases: groups under one signature, several on their
// way.
//
// Owns the groups of one call: the one that is filled and those that were sent
// and wait for their answers. Invariant: a group lies in the outbox, synced,
// from before its first byte leaves until all its answers are here; groups are
// sent in order, so that revisions follow each other at the gate before the
// first of them is answered; every release gets its result once.
#pragma once

#include "adapters/client/content.h"
#include "adapters/client/session.h"

struct sg_publish_window; // opaque

SG_MUST_CHECK enum sg_err
sg_publish_window_new(struct statgate *handle,
                      struct sg_publish_window **window);
void sg_publish_window_free(struct sg_publish_window **window);

// One release, which must live until sg_publish_window_end as receipt and
// result do; file was looked at and is copied. May send, and wait for answers
// of earlier ones when too many groups are on their way.
void sg_publish_window_add(struct sg_publish_window *window,
                           const struct statgate_release *release,
                           const struct sg_content_file *file,
                           struct statgate_receipt *receipt,
                           struct statgate_result *result);
// Sends what is open and waits until every release has its result.
void sg_publish_window_end(struct sg_publish_window *window);

// Sends again what a crash or a silence left in the outbox without answers.
// true: the release of this flow and content (both may be NULL) was among them
// and is accepted; *found is its receipt.
bool sg_publish_window_left(struct sg_publish_window *window, const char *flow,
                            const uint8_t sha256[32],
                            struct statgate_receipt *found);
