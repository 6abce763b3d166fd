// gap - what became of revisions that a subscriber did not get (S11).
//
// The gate signs it, revision by revision, and the subscriber keeps it: whoever
// drops a release in silence has to sign a lie that the log contradicts. It says
// nothing that DeliveryStop does not: no content, no reason.
#pragma once

#include "broker/core/turn.h"

void sg_gap_get(struct sg_turn *turn);
