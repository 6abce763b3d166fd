// env_local - the real world for the loop, on one machine.
//
// Owns: evidence (log, payload, keys), the wire, the inspectors, and what lies
// between them: frames being split into events, answers being gathered into
// frames, jobs being put together and taken apart. Invariant: it decides
// nothing; each effect is carried out as it stands or reported as impossible.
// One thread (the loop's) calls everything here.
#pragma once

#include <stdint.h>

#include "broker/base/diag.h"
#include "broker/core/env.h"
#include "broker/evidence/evidence.h"
#include "broker/inspect/workers.h"
#include "broker/wire_zmq.h"

struct sg_env_local; // opaque

struct sg_env_options {
    struct sg_evidence *evidence; // started; borrowed
    struct sg_wire *wire;         // borrowed
    struct sg_workers *workers;   // borrowed
    const char *clock_path;       // HOME/clock
};

SG_MUST_CHECK enum sg_err
sg_env_local_open(const struct sg_env_options *options,
                  struct sg_env_local **local);
void sg_env_local_close(struct sg_env_local **local);

// The seam for the loop.
struct sg_env sg_env_local_env(struct sg_env_local *local);
// Look-ups for the core, before and after the start.
struct sg_lookup sg_env_local_lookup(struct sg_evidence *evidence);

// After recovery, before the first turn: removes objects that the core does not
// know, and tells it of keys that nothing needs and of renditions without key.
// The core lives as long as the loop goes on: it is asked again.
struct sg_core;
void sg_env_local_sweep(struct sg_env_local *local, const struct sg_core *core);

// Peaks for status and tests, in bytes.
struct sg_env_peaks {
    uint64_t gate;   // this process
    uint64_t worker; // the largest that answered
};
struct sg_env_peaks sg_env_local_peaks(const struct sg_env_local *local);
