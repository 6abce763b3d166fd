// release - accepted transmissions: immutable, numbered, found by their hash.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_release_apply(struct sg_state *state,
                             const struct sg_appended *entry, const void *body);
enum sg_err sg_release_apply_refused(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);
enum sg_err sg_release_apply_recall(struct sg_state *state,
                                    const struct sg_appended *entry,
                                    const void *body);
enum sg_err sg_release_apply_destroyed(struct sg_state *state,
                                       const struct sg_appended *entry,
                                       const void *body);
// Puts a release into the tables; also after a snapshot.
enum sg_err sg_release_index(struct sg_state *state, uint32_t index);

uint32_t sg_release_find(const struct sg_state *state, uint32_t flow,
                         uint64_t revision); // 0: none
// The entry's body; read again when it is not at hand. NULL: not there.
const Sgpb__Accepted *sg_release_detail(struct sg_turn *turn, uint32_t index);
// Its objects; false: not to be had.
bool sg_release_objects(struct sg_turn *turn, uint32_t release,
                        struct sg_object *spool, struct sg_object *leaves);

// The upload becomes a release, or a refusal; both answer and end it.
void sg_release_accept(struct sg_turn *turn, uint32_t index);
void sg_release_refuse(struct sg_turn *turn, uint32_t index);
// Takes what workers made of an upload out of the store.
void sg_release_forget(struct sg_turn *turn, const struct sg_upload *upload);

void sg_release_recall(struct sg_turn *turn);
// Keys of releases whose time is over are destroyed; then entry 19.
void sg_release_retention(struct sg_turn *turn);
void sg_release_destroyed(struct sg_turn *turn, const struct sg_event *event);
