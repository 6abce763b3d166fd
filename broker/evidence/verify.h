// verify - is this folder the log that was signed, whole and unchanged?
//
// Offline, reading only, over one folder of segments or several (archived ones).
// Looks at everything: headers, frames, form, sequence, chain, times, the zeros
// behind the last entry, both checkpoint slots, the signed roots. Goes on after
// a fault where it can, so that one damaged entry does not hide another. Says
// where (segment, byte, entry) and what in words. Does not judge what the
// entries say. Memory: one window and one hash a level. O(bytes).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/proof/entry.h"

struct sg_verify_fault {
    char file[64];     // name of the segment, or "checkpoint"; "": the log
    bool has_sequence; // an entry is named
    uint64_t sequence;
    bool has_at; // a byte is named
    uint64_t at;
    char text[200];
};

struct sg_verify_options {
    const char *const *dirs;
    size_t dirs_count;
    const uint8_t *genesis; // 32, pinned; NULL: that of entry 0 is taken
    const uint8_t *log_key; // 32, pinned; NULL: that in entry 0 is taken
    // A receipt (SGRC1) or a checkpoint note that somebody holds; or empty.
    const struct sg_slice *against;
    size_t against_count;
    void *arg;
    void (*fault)(void *arg, const struct sg_verify_fault *fault);
    // Each entry that has its form; NULL: nobody wants them.
    void (*entry)(void *arg, const struct sg_entry *entry,
                  const uint8_t leaf[32]);
    // How many bytes of all were looked at, after each entry; NULL: nobody asks.
    void (*progress)(void *arg, uint64_t done, uint64_t total);
};

struct sg_verify_result {
    uint64_t segments, entries, faults;
    uint64_t signed_size; // of the newest valid checkpoint; 0: none
    uint8_t root[32];     // over all entries
    uint8_t genesis[32];
    uint64_t epoch;
    uint64_t first_us, last_us; // times of the first and last entry
    bool key_pinned;            // the log key was given
};

// SG_OK: looked at everything; result->faults says whether it is whole.
// SG_ERR_NOT_FOUND: no segments; SG_ERR_IO, SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_verify_log(const struct sg_verify_options *options,
                                        struct sg_verify_result *result);
