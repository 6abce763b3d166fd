// policy_admin - the policy in force: proposed, approved by another person,
// activated whole (S45).
//
// The bundle that is active is evidence; compiling it is a function of its
// bytes and the day, so the compiled tables are a cache. No valid policy, or
// none for today: deny all. Also says which flows must be looked at again.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_policy_apply(struct sg_state *state,
                            const struct sg_appended *entry, const void *body);
enum sg_err sg_policy_apply_active(struct sg_state *state,
                                   const struct sg_appended *entry,
                                   const void *body);
enum sg_err sg_policy_open(struct sg_bundle *bundle);

void sg_policy_begin(struct sg_turn *turn, struct sg_upload *upload,
                     const Sgpb__Signed *by);
void sg_policy_chunk(struct sg_turn *turn, uint32_t index,
                     struct sg_slice payload);
void sg_policy_approve(struct sg_turn *turn);
void sg_policy_get(struct sg_turn *turn);

// Compiles what is active for the day of now_us; NULL rules when it cannot be.
void sg_policy_compile(struct sg_core *core, uint64_t now_us);
// At a day on which rules begin or end: a new generation.
void sg_policy_slice(struct sg_turn *turn);
uint64_t sg_policy_due(const struct sg_core *core); // microseconds
void sg_policy_digests(struct sg_turn *turn, ProtobufCBinaryData **digests,
                       size_t *count);

// Looks at flows again when the turn ends. what: SG_DUE_*.
void sg_policy_due_flow(struct sg_core *core, uint32_t flow, uint8_t what);
void sg_policy_due_all(struct sg_core *core, uint8_t what);
void sg_policy_due_agreement(struct sg_core *core, const char *agreement);
