// outbox - what was signed and not yet answered, and what was accepted last.
//
// Owns HOME/outbox: one file a group or a large release that is on its way
// (synced before its first byte leaves, removed when it is answered), one head
// a flow, and the receipts. Invariant: what is sent again are the same signed
// bytes. Names are hashes, of groups behind a time; files are their owner's
// alone (they hold seeds).
#pragma once

#include "adapters/client/home.h"

struct sg_outbox_head { // the last accepted release of a flow
    uint8_t file_sha256[32];
    uint64_t size, revision, entry, observations;
    uint8_t manifest_sha256[32];
};

// Takes the outbox for this program until *lock is closed. SG_ERR_BUSY.
SG_MUST_CHECK enum sg_err sg_outbox_lock(const struct sg_home *home, int *lock);
// false: nothing of this flow was accepted from this home.
bool sg_outbox_head(const struct sg_home *home, const char *flow,
                    struct sg_outbox_head *head);
SG_MUST_CHECK enum sg_err sg_outbox_set_head(const struct sg_home *home,
                                             const char *flow,
                                             const struct sg_outbox_head *head);
// Keeps one receipt; synced with sync, or by the next call.
SG_MUST_CHECK enum sg_err sg_outbox_receipt(const struct sg_home *home,
                                            const uint8_t manifest_sha256[32],
                                            struct sg_slice receipt, bool sync);
SG_MUST_CHECK enum sg_err sg_outbox_sync_receipts(const struct sg_home *home);
// The receipt kept of this manifest, copied into arena. false: there is none.
bool sg_outbox_find_receipt(const struct sg_home *home,
                            const uint8_t manifest_sha256[32],
                            struct sg_arena *arena, struct sg_slice *receipt);
// Shows the receipts kept, the newest first, until take returns false.
SG_MUST_CHECK enum sg_err
sg_outbox_each_receipt(const struct sg_home *home,
                       bool (*take)(void *context, struct sg_slice receipt),
                       void *context);
// What is on its way: one file, durable after sg_outbox_sync. kind: "group" or
// "item".
SG_MUST_CHECK enum sg_err sg_outbox_put(const struct sg_home *home,
                                        const uint8_t name[32],
                                        const char *kind,
                                        struct sg_slice bytes);
// These of one kind become durable together.
SG_MUST_CHECK enum sg_err sg_outbox_sync(const struct sg_home *home,
                                         const uint8_t (*names)[32],
                                         size_t count, const char *kind);
// free() *bytes. SG_ERR_NOT_FOUND.
SG_MUST_CHECK enum sg_err sg_outbox_get(const struct sg_home *home,
                                        const uint8_t name[32],
                                        const char *kind, uint8_t **bytes,
                                        size_t *len);
void sg_outbox_remove(const struct sg_home *home, const uint8_t name[32],
                      const char *kind);
// The one of the lowest name that was left over; false: none. Ask again after
// removing it.
bool sg_outbox_left(const struct sg_home *home, const char *kind,
                    uint8_t name[32]);
// All that were left over; free() *names.
SG_MUST_CHECK enum sg_err sg_outbox_all(const struct sg_home *home,
                                        const char *kind, uint8_t (**names)[32],
                                        size_t *count);
