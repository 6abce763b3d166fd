// check_run - reads one data file and checks it, for `check` and `convert`.
//
// Owns reader, check, structures and what of standard input may be asked for once
// more. Invariant: a row is handed on in the order of the file, after it was
// checked, and before it is known whether the file is accepted.
#pragma once

#include "adapters/cli/check_flow.h"
#include "adapters/cli/check_print.h"
#include "adapters/cli/structure_store.h"
#include "broker/base/arena.h"

struct sg_check_run {
    struct sg_check_print_options print;
    const char *wanted; // --structure; NULL: what the file names
    struct sg_check_flow flow;
    // NULL: nobody wants it. Its error ends the reading.
    enum sg_err (*row)(struct sg_check_run *run, const struct sg_obs *obs);
    void *context;
    // ---- as it goes
    struct sg_structure_store *store;
    struct sg_arena *structures, *memory, *reading;
    const struct sg_structure *structure;
    struct sg_obs_ref ref;       // what the file names; of `structures`
    struct sg_obs_header header; // the same of its header; SDMX-ML and JSON
    uint8_t sha256[32];
    struct sg_check *check;
    struct sg_obs_reader *reader;
    struct sg_check_occurrences occurrences;
    enum sg_err err; // of a callback that cannot return one
    bool told;       // why, on stderr
};

// The exit status; 0: the file is read to its end, and the check is complete.
// Else it is said. path "-": standard input.
int sg_check_run_file(struct sg_check_run *run, const char *path);
void sg_check_run_close(struct sg_check_run *run);
