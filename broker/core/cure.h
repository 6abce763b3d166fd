// cure - what a recipient can do himself when he does not get a release.
#pragma once

#include "broker/core/turn.h"

// A sentence with the command that adds the promises which the rules may ask of
// this subscription and it does not make; "" when none is wanting. Does not
// look at the release: it reads the same whatever the content is (S44).
char *sg_cure_promises(struct sg_turn *turn, uint32_t subscription);
