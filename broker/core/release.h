// release - accepted transmissions: immutable, numbered, found by their hash.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_release_apply(struct sg_state *state,
                             const struct sg_appended *entry, const void *body);
// Nothing changes but which bytes are kept: the report.
enum sg_err sg_release_apply_refused(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);
enum sg_err sg_release_apply_recall(struct sg_state *state,
                                    const struct sg_appended *entry,
                                    const void *body);
// Puts a release into the tables and among those of its flow, by revision; also
// after a snapshot, and when it comes back. And takes it out.
enum sg_err sg_release_index(struct sg_state *state, uint32_t index);
void sg_release_unindex(struct sg_state *state, uint32_t index);

// In memory; 0: not there, which says nothing about what has left it.
uint32_t sg_release_find(const struct sg_state *state, uint32_t flow,
                         uint64_t revision);
// Wherever it is; a copy, with the detail borrowed. SG_ERR_NOT_FOUND: there
// never was one; all else: the index cannot be read.
SG_MUST_CHECK enum sg_err sg_release_look(const struct sg_state *state,
                                          uint32_t flow, uint64_t revision,
                                          struct sg_release *release);
SG_MUST_CHECK enum sg_err sg_release_named(const struct sg_state *state,
                                           const uint8_t manifest[32],
                                           struct sg_release *release);
// The release that an object belongs to: its bytes, leaves or report.
// SG_ERR_NOT_FOUND: none does; all else: it cannot be known.
SG_MUST_CHECK enum sg_err sg_release_of_object(const struct sg_state *state,
                                               const uint8_t id[16],
                                               struct sg_release *release);
// The entry's body; read again when it is not at hand. NULL: not there.
const Sgpb__Accepted *sg_release_detail(struct sg_turn *turn, uint32_t index);
const Sgpb__Accepted *sg_release_detail_of(struct sg_turn *turn,
                                           const struct sg_release *release);
// Its objects; false: not to be had.
bool sg_release_objects(struct sg_turn *turn, const struct sg_release *release,
                        struct sg_object *spool, struct sg_object *leaves);

// The upload becomes a release, or a refusal; both answer and end it.
void sg_release_accept(struct sg_turn *turn, uint32_t index);
void sg_release_refuse(struct sg_turn *turn, uint32_t index);
// Takes what workers made of an upload out of the store.
void sg_release_forget(struct sg_turn *turn, const struct sg_upload *upload);

void sg_release_recall(struct sg_turn *turn);
