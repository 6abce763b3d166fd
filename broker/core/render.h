// render - renditions: what a kind of subscriber gets, made once, shared (R5).
//
// Made by a writer, read back by a judge before it counts. Whole releases under
// a row commitment carry a proof under the publisher's root in every format; all
// else that is changed carries the gate's signed derivation (R6).
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_render_apply(struct sg_state *state,
                            const struct sg_appended *entry, const void *body);
enum sg_err sg_render_open(struct sg_state *state,
                           struct sg_rendition *rendition);
// Puts it into the tables; also after a snapshot.
enum sg_err sg_render_index(struct sg_state *state, uint32_t index);

// Takes it out of the tables and gives its place back (sg_destroy_apply).
void sg_render_drop(struct sg_state *state, uint32_t index);

// The rendition of a permitted delivery; 0: not there yet, it waits for a worker
// or for its answer (or could not: tried again when something happens).
uint32_t sg_render_want(struct sg_turn *turn, uint32_t index);
// What a subscription would get of a release with this suppression, if it was
// made; 0: not, or it is gone.
uint32_t sg_render_made(struct sg_turn *turn, const struct sg_release *release,
                        const struct sg_subscription *to,
                        uint32_t suppress_below);
// Starts what waits: small releases of one flow that are wanted alike in one
// job.
void sg_render_turn(struct sg_turn *turn);
// From sg_inspect_done: what a writer or its judge answered. answer NULL: none.
void sg_render_done(struct sg_turn *turn, const struct sg_pending_job *done,
                    const Sgpb__Done *answer, const struct sg_event_job *job);
// Why a permitted delivery has no rendition and none is being made; SG_OK: it
// has, or one is, or will be.
enum sg_err sg_render_stuck(struct sg_turn *turn, uint32_t index);
