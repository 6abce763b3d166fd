// loop - one turn after the other: wait, decide, append, let go.
//
// Owns the outputs of turns whose effects wait for durability. Invariant: no
// effect is handed to the env before the entries it rests on are durable, and
// no content key when its stop epoch has moved (S36).
#pragma once

#include <stdbool.h>

#include "broker/core/core.h"
#include "broker/core/env.h"

struct sg_loop; // opaque

struct sg_loop *sg_loop_new(struct sg_core *core, const struct sg_env *env);
void sg_loop_free(struct sg_loop **loop);

// Resumes the core and writes what that gives. Once, before the first turn.
SG_MUST_CHECK enum sg_err sg_loop_start(struct sg_loop *loop,
                                        const char *reason);
// One turn. *stopped: the core has said stop and everything is handed over.
// Any error is final: exit and recover; after SG_ERR_DAMAGE and SG_ERR_FORK, of
// which a participant has the proof, recovery is for people.
SG_MUST_CHECK enum sg_err sg_loop_turn(struct sg_loop *loop, bool *stopped);
