// gap - no revision of a flow is passed over in silence (S11).
//
// Owns HOME/subscriptions/<hash of id>.last, the newest revision that was given
// out with its manifest, and HOME/gaps, where the gate's signed word on each
// revision that was not lies as it came. Invariant: what follows a gap is given
// out only after the gate has shown, under its signature, what became of every
// revision in it; what follows at once names the manifest that was given out.
// Before the first delivery that is what came since the subscription began.
#pragma once

#include "adapters/client/deliver.h"
#include "adapters/client/subscribe.h"

// May this delivery be given out? Asks the gate where there is a gap: handle's
// list may be another one afterwards. Returns result->exit; gate.gap: no.
SG_MUST_CHECK int sg_gap_check(struct statgate *handle,
                               const struct sg_subscribe_kept *kept,
                               const Sgpb__Manifest *manifest,
                               struct statgate_result *result);
// It was kept or refused by the application.
SG_MUST_CHECK enum sg_err sg_gap_passed(const struct sg_home *home,
                                        const char *subscription,
                                        uint64_t revision,
                                        const uint8_t manifest_sha256[32]);
