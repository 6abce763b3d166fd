// rehearse - what would become of a release that is only tried.
//
// Decides for the flow's subscriptions as the release stands now, for the eyes
// of its provider. Invariant: nothing is kept of it and no delivery comes of it;
// that somebody rehearsed is an entry of the log (S44). Bounded: of a flow with
// many subscriptions some are decided, the others counted.
#pragma once

#include "broker/core/turn.h"

// In words, a line a subscription, in turn's memory.
const char *sg_rehearse_words(struct sg_turn *turn,
                              const struct sg_upload *upload);
void sg_rehearse_record(struct sg_turn *turn, const struct sg_upload *upload);
