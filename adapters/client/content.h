// content - a data file as rows under a content root.
//
// Reads a file twice at most: as a stream, or, when its rows are out of order,
// sorting them. Used to build the root that a manifest signs and to verify one
// that was delivered. Memory: O(log n) for sorted files.
#pragma once

#include <stdint.h>

#include "broker/base/err.h"
#include "schemas/proof/content.h"
#include "schemas/proof/secret.h"
#include "schemas/sdmx/obs.h"

struct sg_content_file {
    const char *path;
    enum sg_media media; // UNKNOWN: detected, and filled in
    const struct sg_structure *structure;
    const char *dataflow; // of the terms
    bool any_flow;        // delivered rows: the root decides, not the name
    // found
    const char *foreign; // what it is that cannot be published; NULL: data
    uint64_t observations, size;
    uint8_t sha256[32];
    bool unknown_structure; // the file names another one
    // Append, merge or delete, as sent: the first of them. 0: none was seen.
    uint8_t change;
    uint64_t change_row, change_line;
    // EmbargoDate of the header. UINT64_MAX: not to be understood; 0: none.
    uint64_t embargo_us;
};

// Size, hash and media. SG_ERR_NOT_FOUND, SG_ERR_IO.
SG_MUST_CHECK enum sg_err sg_content_look(struct sg_content_file *file);
// Rows in canonical order. begin is called before each pass. SG_ERR_FULL, what
// the callbacks return.
struct sg_content_walk {
    void *context;
    enum sg_err (*begin)(void *context);
    enum sg_err (*row)(void *context, uint8_t action, struct sg_slice bytes);
};
SG_MUST_CHECK enum sg_err sg_content_walk(struct sg_content_file *file,
                                          const struct sg_content_walk *walk);
// The root over rows (leaves: how many), or over the bytes of the file. Both
// find out what the message says of itself; for bytes only as far as they can be
// read, since what is wrong with them is the gate's to say.
SG_MUST_CHECK enum sg_err sg_content_rows(struct sg_content_file *file,
                                          const struct sg_secret *secret,
                                          uint8_t root[32], uint64_t *leaves);
SG_MUST_CHECK enum sg_err sg_content_bytes(struct sg_content_file *file,
                                           const struct sg_secret *secret,
                                           uint8_t root[32]);

struct sg_content_found {
    uint64_t total, withheld;
    const char *why; // static; what did not fit
};
// Is the file what root commits to, under this proof? level: what it must be.
// SG_ERR_CONTENT and what else sg_content_result_err gives.
SG_MUST_CHECK enum sg_err sg_content_check(struct sg_content_file *file,
                                           enum sg_content_level level,
                                           const uint8_t root[32],
                                           struct sg_slice proof,
                                           struct sg_content_found *found);
