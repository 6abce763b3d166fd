// objects - documents that the gate holds, given to who may have them.
//
// Structures by their hash, policy bundles, the roster: whole documents of
// others, found by the hash that a signed paper names, so that nobody has to
// trust the way they came.
#pragma once

#include "broker/core/turn.h"

void sg_objects_get(struct sg_turn *turn);
