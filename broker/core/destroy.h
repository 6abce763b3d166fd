// destroy - the end of keys and objects: retention, what nobody uses, what was
// left over.
//
// What is in the payload store and in the wrapping table follows from the log:
// releases and refusals with a report, structures, renditions. Keys go in
// groups, at most one on its way; entry 19 says which, how surely and why, and
// only then the old wrapping key and the objects go (S34, core-design 0 R5). A
// group that fails is taken apart: nothing of it is said to be gone, each key is
// found again when its time has come, and others go meanwhile.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_destroy_apply(struct sg_state *state,
                             const struct sg_appended *entry, const void *body);

// Turns: begins the next group, if one is due and none is on its way.
void sg_destroy_turn(struct sg_turn *turn);
void sg_destroy_done(struct sg_turn *turn, const struct sg_event *event);
void sg_destroy_failed(struct sg_turn *turn, const struct sg_event *event);
// When what failed is tried again; UINT64_MAX: nothing did.
uint64_t sg_destroy_due(const struct sg_core *core);
// Keys that the env found and nothing known needs (event ORPHANS).
void sg_destroy_orphans(struct sg_turn *turn, const struct sg_event *event);

// A key of ours that nothing needs any more; variant NULL: the release itself.
void sg_destroy_key(struct sg_core *core, const uint8_t manifest[32],
                    const uint8_t *variant);
// The rendition was used now.
void sg_destroy_used(struct sg_turn *turn, uint32_t rendition);
// Its bytes are damaged: it goes, and is made again where it is wanted.
void sg_destroy_lost(struct sg_core *core, uint32_t rendition);
bool sg_destroy_is_lost(const struct sg_core *core, uint32_t rendition);
