// deliver - one delivery on its way in: a statement, ciphertext, then the key.
//
// Owns HOME/inbox/<delivery id>: .<attempt>.part while it comes, .data and .sgv
// at the end. Invariant: nothing but ciphertext is there until every check passed;
// then data and sidecar appear whole, by renaming. A delivery that fails
// leaves nothing.
#pragma once

#include "adapters/client/home.h"
#include "adapters/client/statement.h"

enum sg_deliver_state {
    SG_DELIVER_COMING, // chunks are missing
    SG_DELIVER_WHOLE,  // all there; the key is waited for
    SG_DELIVER_SHOWN,  // verified, visible
};

struct sg_delivery_in {
    struct sg_home *home;
    struct sg_arena *arena;
    struct sg_statement statement;
    struct sg_slice begin; // packed DeliveryBegin
    const char *subscription;
    uint8_t id[16];
    uint64_t offset, next, chunks, bytes, observations;
    enum sg_deliver_state state;
    bool asked;      // DeliveryReady was sent
    bool structured; // its structure was looked for
    bool follows;    // no revision before it is missing in silence
    int fd;          // .part
    char part[SG_OS_PATH], data[SG_OS_PATH], sidecar[SG_OS_PATH];
    uint8_t proof_commit[32], plain_commit[32];
    const char *words;
    const char *why; // static; what was wrong
    struct sg_delivery_in *following;
};

// A delivery begins. Checks the statement; resumes what is in the inbox.
// *in NULL unless SG_OK; why (static) otherwise.
SG_MUST_CHECK enum sg_err
sg_deliver_begin(struct sg_home *home, const Sgpb__DeliveryBegin *begin,
                 const struct sg_statement_expect *expect,
                 struct sg_delivery_in **in, const char **why);
// The next chunk, as ciphertext. SG_ERR_CHUNK_ORDER: not the one that follows.
SG_MUST_CHECK enum sg_err sg_deliver_chunk(struct sg_delivery_in *in,
                                           uint64_t index,
                                           struct sg_slice sealed);
// All is here, but it has not the chunk root that the gate stated.
bool sg_deliver_is_damaged(struct sg_delivery_in *in);
// The KEY frame: everything is verified, then shown; or nothing is, and the
// ciphertext is thrown away (in->why says what was wrong). It stays where the
// fault was here: see sg_deliver_here.
SG_MUST_CHECK enum sg_err sg_deliver_key(struct sg_delivery_in *in,
                                         struct sg_slice frame);
// Is this the fault of this computer (disk, memory, a structure that is not in
// the home), so that the delivery is as good as before once it is mended?
bool sg_deliver_here(enum sg_err err);
// Removes what is in the inbox of it (stopped, or refused).
void sg_deliver_discard(struct sg_delivery_in *in);
// The whole list; *.part stays for a resume.
void sg_deliver_free(struct sg_delivery_in **in);
