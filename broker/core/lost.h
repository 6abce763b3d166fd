// lost - damage found in the payload store, and what can still be done.
//
// A rendition is made again from its source. A release whose own bytes are
// damaged keeps the deliveries that have their rendition; the others wait, and
// their subscribers are told so, until the operator has put the object back and
// started the gate again. Nothing of it is evidence: the log says what was
// decided, not what a disk forgot.
#pragma once

#include "broker/core/turn.h"

void sg_lost_object(struct sg_turn *turn, const struct sg_event *event);
bool sg_lost_release(const struct sg_core *core, uint32_t release);
// It was destroyed: there is nothing to be put back. release: its entry.
void sg_lost_forget(struct sg_core *core, uint64_t release);
uint32_t sg_lost_releases(const struct sg_core *core); // how many
// Has the env compare an object with its chunk root; damage comes back as an
// event.
void sg_lost_check(struct sg_turn *turn, const struct sg_object *object);
