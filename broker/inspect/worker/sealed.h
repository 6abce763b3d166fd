// sealed - the only bytes a worker reads and writes: chunks under a job's key.
//
// Inputs and outputs of several releases lie one after the other in one
// descriptor; each stream knows where its own begin and where they end. What
// does not open under its key is SG_ERR_CORRUPT, never data.
#pragma once

#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/proof/seal.h"
#include "schemas/worker.pb-c.h"

struct sg_sealed_in {
    struct sg_seal seal;
    int fd;
    uint64_t at; // of the next chunk in fd
    uint64_t index, chunks, bytes;
    uint32_t chunk_size;
    uint8_t *room; // one chunk and its tag
    size_t room_len;
};

// room comes from arena. *at is where the stream begins in fd, and is moved
// behind it. SG_ERR_FORMAT: sizes that contradict each other.
SG_MUST_CHECK enum sg_err sg_sealed_in_open(struct sg_sealed_in *in,
                                            const Sgpb__SealedInput *from,
                                            int fd, uint64_t *at,
                                            struct sg_arena *arena);
// From the first chunk again.
void sg_sealed_in_rewind(struct sg_sealed_in *in);
// The next plaintext; len 0: the end. Valid until the next call.
SG_MUST_CHECK enum sg_err sg_sealed_in_next(struct sg_sealed_in *in,
                                            struct sg_slice *plain);
void sg_sealed_in_close(struct sg_sealed_in *in); // wipes

struct sg_sealed_out {
    struct sg_seal seal;
    int fd;
    uint64_t at; // of the next chunk in fd
    uint64_t index, bytes;
    uint32_t chunk_size;
    uint8_t *room;          // chunk_size + tag
    size_t used, most;      // most: bytes of room that were written
    struct sg_sha256 *hash; // of the plaintext
};

// from NULL: the output is not wanted and everything below does nothing.
SG_MUST_CHECK enum sg_err sg_sealed_out_open(struct sg_sealed_out *out,
                                             const Sgpb__SealedOutput *from,
                                             int fd, uint64_t at,
                                             struct sg_arena *arena);
// context of type struct sg_sealed_out, so that it can be a sink's function.
SG_MUST_CHECK enum sg_err sg_sealed_out_write(void *context,
                                              struct sg_slice plain);
// Writes the last chunk; no bytes: no chunk. sha256: of all plaintext.
SG_MUST_CHECK enum sg_err sg_sealed_out_end(struct sg_sealed_out *out,
                                            uint8_t sha256[32]);
void sg_sealed_out_close(struct sg_sealed_out *out); // wipes
