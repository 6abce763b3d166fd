// zstd - streaming compression with caps against bombs.
//
// The one door to libzstd. Each release is a stream of its own and nothing is
// compressed across releases (decisions-security S52). Contexts are libzstd's
// own memory (about 1 MiB); everything else is the caller's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum {
    SG_ZSTD_LEVEL = 1,
    SG_ZSTD_WINDOW_LOG = 21, // 2 MiB: what a foreign stream may make us keep
    SG_ZSTD_RATIO = 1024,    // plaintext per byte, counted from the 1 MiB on
};

struct sg_zstd; // opaque; lives in the arena, its context in libzstd

// NULL: no memory. End both with sg_zstd_close.
struct sg_zstd *sg_zstd_open_pack(struct sg_arena *arena);
// Plaintext beyond max_bytes is SG_ERR_FULL.
struct sg_zstd *sg_zstd_open_unpack(struct sg_arena *arena, uint64_t max_bytes);
void sg_zstd_close(struct sg_zstd **zstd); // takes a NULL

// Takes from the front of *in and appends to out until one of them is used up.
// Call again while *in has bytes left or out came back full; give out room in
// between. last: *in ends the stream; *done becomes true once everything stands
// in out. SG_ERR_FORMAT: no zstd stream, or bytes follow its end; SG_ERR_SHORT:
// last was said before the stream ended; SG_ERR_FULL: a cap was reached.
SG_MUST_CHECK enum sg_err sg_zstd_step(struct sg_zstd *zstd,
                                       struct sg_slice *in, bool last,
                                       struct sg_writer *out, bool *done);
