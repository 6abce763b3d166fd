// dry - what --dry-run shares: looking without touching, and saying so.
//
// A verb reads, checks and computes as ever; then it says in one sentence what
// it would do, and neither writes nor sends it. Of the gate it may ask what the
// gate shows. What the gate alone knows is not promised.
#pragma once

#include <stdbool.h>

#include "adapters/cli/gate_call.h"
#include "schemas/roster.pb-c.h"

// "dry run: it would ...; nothing was changed", or one object; returns 0.
int sg_dry_say(bool json, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Could this file be written? fresh: and it must not be there yet.
SG_MUST_CHECK enum sg_err sg_dry_file(const char *path, bool fresh);
// Could this folder be made, or written into?
SG_MUST_CHECK enum sg_err sg_dry_folder(const char *path);
// The gate's newest roster, in call->arena; NULL: call->result says why.
const Sgpb__SignedRoster *sg_dry_roster(struct sg_gate_call *call,
                                        const Sgpb__Roster **doc);
// Who this home is in the roster, if a key of his has the role; NULL:
// call->result says why not.
const Sgpb__Participant *sg_dry_may(struct sg_gate_call *call,
                                    const char *role);
