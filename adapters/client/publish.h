// publish - inside of publishing: large releases, by chunks.
#pragma once

#include "adapters/client/content.h"
#include "adapters/client/outbox.h"
#include "adapters/client/session.h"

enum { SG_PUBLISH_AGAIN_MS = 5000, SG_PUBLISH_SLICE_MS = 100 };

// One release that does not fit one chunk; file was looked at. The signed item
// lies in the outbox from before its first byte leaves until its answer.
// Both return result->exit.
int sg_publish_large(struct statgate *handle,
                     const struct statgate_release *release,
                     struct sg_content_file *file, statgate_progress *progress,
                     void *context, struct statgate_receipt *receipt,
                     struct statgate_result *result);
// A receipt for this manifest: verified, its bytes kept in handle->arena.
int sg_publish_accepted(struct statgate *handle, const char *flow,
                        uint64_t revision, const uint8_t manifest_sha256[32],
                        const Sgpb__Receipt *said,
                        struct statgate_receipt *receipt,
                        struct statgate_result *result);
// The last accepted of its flow, into the outbox.
SG_MUST_CHECK enum sg_err
sg_publish_set_head(struct statgate *handle, const char *flow,
                    const struct sg_content_file *file,
                    const struct statgate_receipt *receipt);
void sg_publish_forget_head(struct statgate *handle, const char *flow);

// What groups in the outbox hold; NULL: there are none. free() it.
struct sg_publish_left;
struct sg_publish_left *sg_publish_left_look(struct statgate *handle);
// true: this release was one of them and was accepted; receipt and result are
// filled. Asked after they were sent again.
bool sg_publish_left_take(struct sg_publish_left *left, struct statgate *handle,
                          const struct statgate_release *release,
                          struct statgate_receipt *receipt,
                          struct statgate_result *result);
// Does a large release of this flow and content wait in the outbox?
bool sg_publish_large_left(struct statgate *handle,
                           const struct statgate_release *release,
                           const struct sg_content_file *file);
// Why a file cannot be published at all, and why the outbox cannot be had.
int sg_publish_no_data(const struct sg_content_file *file, const char *path,
                       struct statgate_result *result);
int sg_publish_outbox_fail(struct statgate_result *result, enum sg_err err);
