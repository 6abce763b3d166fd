// choice - does what a subscription asks for fit its flow? A worker is asked.
//
// The core reads no structures. A Subscribe with a key filter or a period waits
// here until a worker has compared them with the structure of the flow; then the
// message is handled once more from the start, with the answer at hand, so that
// whoever lost his right in between is refused. Forgotten at a restart: the
// subscriber asks again.
#pragma once

#include "broker/core/turn.h"

// What a worker said of a choice; turn->chosen while its message is handled.
struct sg_chosen {
    uint8_t choice[32]; // structure, key filter and period
    enum sg_err err;
    const char *place; // NULL: none
};

// Of the message in hand, a Subscribe. false: it waits for a worker, or was
// refused; nothing more is to be done. A choice of everything fits.
bool sg_choice_fits(struct sg_turn *turn, const Sgpb__Subscription *doc);
// Starts what waits.
void sg_choice_turn(struct sg_turn *turn);
// From sg_inspect_done. answer NULL: none.
void sg_choice_done(struct sg_turn *turn, const struct sg_pending_job *done,
                    const Sgpb__Done *answer);
