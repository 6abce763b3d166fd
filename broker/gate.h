// gate - one gate's home, and its life from recovery to stop.
//
// Home: gate.conf (names and addresses), identity/ (keys of roles transport,
// log, sign), roster.first (signed roster 1, whose hash genesis pins), store/
// (evidence, index, payload, keys), lock, endpoints (what is bound, written at
// the start). Invariant: nobody can connect before recovery is whole, and
// nothing is served after a failed write.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"

struct sg_gate_options {
    const char *home;
    uint32_t workers; // running at once; 0: 2
    bool restored;    // the store is from a copy: a new epoch begins
};

// Runs until SIGTERM or SIGINT. SG_OK: stopped cleanly.
SG_MUST_CHECK enum sg_err sg_gate_run(const struct sg_gate_options *options);
