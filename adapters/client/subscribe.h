// subscribe - what a home remembers of its subscriptions.
#pragma once

#include "adapters/client/session.h"

struct sg_subscribe_kept {    // HOME/subscriptions/<hash of name>
    struct sg_slice document; // packed Signed, in the handle's arena
    const Sgpb__Subscription *doc;
    uint8_t sha256[32]; // of its body, as delivery statements name it
    char id[130];       // SUBSCRIBER/name
};

// Of the subscription that the gate accepted.
// SG_ERR_NOT_FOUND: this home has no such subscription.
SG_MUST_CHECK enum sg_err sg_subscribe_read(struct statgate *handle,
                                            const char *name,
                                            struct sg_subscribe_kept *kept);
// The gate's answer to a subscription was lost: asks for it again, by the same
// signed bytes. Nothing happens where none was.
void sg_subscribe_ask_again(struct statgate *handle, const char *name);
