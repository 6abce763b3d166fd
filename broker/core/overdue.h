// overdue - keys that could not be destroyed, and when each is tried again.
//
// A key is named as in the effect: manifest | variant. It is tried again after a
// minute, then after twice as long each time, at last every hour. Volatile: the
// next start looks at everything. Invariant: a key is in here from the first
// failure until it is gone or wanted again; how many are is in the status. At
// most SG_OVERDUE_MAX are remembered.
#pragma once

#include "broker/core/volatile.h"

// Has its time not come yet?
bool sg_overdue_waits(const struct sg_core *core, struct sg_slice name,
                      uint64_t now);
// It failed now. false: no room.
bool sg_overdue_failed(struct sg_core *core, struct sg_slice name,
                       uint64_t now);
void sg_overdue_gone(struct sg_core *core, struct sg_slice name);
// All that is to go was looked for, and nothing more was found: what is due and
// was not found has been wanted again meanwhile.
void sg_overdue_looked(struct sg_core *core, uint64_t now);
// When the next one is to be looked for; UINT64_MAX: there is none.
uint64_t sg_overdue_next(const struct sg_core *core);
uint32_t sg_overdue_count(const struct sg_core *core);
