// inspect - jobs: reader, then judge, then accepted or refused.
//
// A reader is believed in nothing but its refusal; verdict, facts and root come
// from a judge, and the root is compared with what the publisher signed (S30).
// Releases of a flow are accepted in the order of their revisions.
#pragma once

#include "broker/core/turn.h"

// All bytes of the upload are durable: it waits for a worker.
void sg_inspect_ready(struct sg_turn *turn, uint32_t upload);
// Starts what waits, small releases of one publisher and flow together.
void sg_inspect_turn(struct sg_turn *turn);
void sg_inspect_done(struct sg_turn *turn, const struct sg_event *event);
// What the head of a flow's row has become: accepted or refused, in order.
void sg_inspect_settle(struct sg_turn *turn, uint32_t flow);

// The upload cannot become a release: says so and forgets it, and with it
// those that follow.
void sg_inspect_failed(struct sg_turn *turn, uint32_t index, enum sg_err err);

// Room for one more reader, or writer? What waits grows into larger jobs, so
// that a busy gate spends less on each release.
bool sg_inspect_has_room(const struct sg_core *core, enum sg_job_role role);
// A job with a number, or NULL when there are too many; role and items follow.
struct sg_pending_job *sg_inspect_new_job(struct sg_turn *turn,
                                          enum sg_job_role role);
void sg_inspect_end_job(struct sg_core *core, struct sg_pending_job *job);
// Fills what every job of a flow needs; items are count zeroed ones.
struct sg_job *sg_inspect_job(struct sg_turn *turn,
                              const struct sg_pending_job *pending,
                              uint32_t flow, uint32_t media, uint32_t mode,
                              size_t count);
// Parts that can be decided on? Otherwise the judge lied.
bool sg_inspect_sound(const Sgpb__Facts *facts);
