// keep - receipts for deliveries: durable here first, then said to the gate.
//
// Owns HOME/acks, one signed DeliveryReceipt a delivery, and the list of those
// that the gate has not been told. Invariant: what is in acks is never shown to
// the application again; the gate hears of a receipt only when the data, the
// sidecar and the receipt are on disk. Several are made durable together, since
// a disk takes as long for one as for sixty.
#pragma once

#include "adapters/client/session.h"

// Was this delivery answered for, by this program or one before it? What a loss
// of power left empty is none of it: the gate was told nothing of it, and gives
// it again.
bool sg_keep_has(const struct sg_home *home, const uint8_t id[16]);
// Writes the packed DeliveryReceipt and puts it on the list. Told later.
SG_MUST_CHECK enum sg_err sg_keep_put(struct statgate *handle,
                                      const uint8_t id[16],
                                      struct sg_slice receipt);
// One that was written before is owed again. false: the list is full.
bool sg_keep_again(struct statgate *handle, const uint8_t id[16]);
// Makes everything on the list durable and sends it, without waiting for the
// answers. Returns result->exit; on failure nothing was said that is not so.
int sg_keep_tell(struct statgate *handle, struct statgate_result *result);
