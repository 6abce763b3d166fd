// batch - one signature over 1 to 256 manifests (formats.md a).
//
// The only form in which a manifest is signed. Head: alg, key id, count, root;
// a manifest that travels alone carries its index and its path. The number of
// hashes of a path follows from (index, count) and must be exact (S13).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"

enum {
    SG_BATCH_HEAD_LEN = 67,
    SG_BATCH_PATH_MAX = 8, // 2^8 = SG_LIMIT_BATCH
    // head, u16, sig, u16, path
    SG_BATCH_WIRE_MAX = SG_BATCH_HEAD_LEN + 2 + 64 + 2 + SG_BATCH_PATH_MAX * 32,
};

struct sg_batch_head {
    uint8_t alg; // enum sg_alg
    uint8_t key_id[32];
    uint16_t count; // 1..SG_LIMIT_BATCH
    uint8_t root[32];
};

struct sg_batch_place { // of one manifest in its batch
    uint16_t index;
    uint8_t path_len;
    uint8_t path[SG_BATCH_PATH_MAX][32]; // leaf upwards
};

void sg_batch_head_encode(const struct sg_batch_head *head,
                          uint8_t out[SG_BATCH_HEAD_LEN]);
// SG_ERR_FORMAT: not exactly a head; unknown alg, count 0 or over the limit.
SG_MUST_CHECK enum sg_err sg_batch_head_decode(struct sg_slice bytes,
                                               struct sg_batch_head *head);

void sg_batch_leaf(struct sg_slice manifest, uint8_t out[32]); // H(20, bytes)
// Over count leaves; asserts 1..SG_LIMIT_BATCH.
void sg_batch_root(const uint8_t (*leaves)[32], unsigned count,
                   uint8_t root[32]);
void sg_batch_place(const uint8_t (*leaves)[32], unsigned count, unsigned index,
                    struct sg_batch_place *place);

// Fills head and signs it (Ed25519).
SG_MUST_CHECK enum sg_err
sg_batch_sign(struct sg_signer *signer, const uint8_t (*leaves)[32],
              unsigned count, struct sg_batch_head *head, uint8_t sig[64]);
// The head is signed by this key. SG_ERR_FORMAT: no head; SG_ERR_PEER_KEY_USE:
// alg or key id is another's; SG_ERR_SIGNATURE. One signature check.
SG_MUST_CHECK enum sg_err sg_batch_verify(struct sg_slice head, enum sg_alg alg,
                                          struct sg_slice public_key,
                                          struct sg_slice sig);
// The manifest stands at this place under head. No signature check.
SG_MUST_CHECK bool sg_batch_holds(const struct sg_batch_head *head,
                                  struct sg_slice manifest,
                                  const struct sg_batch_place *place);

// Place as it travels in a SignedManifest: hashes of 32 bytes each. false: the
// index or the number of hashes does not belong to count, or a length is wrong.
SG_MUST_CHECK bool sg_batch_place_of(const struct sg_batch_head *head,
                                     uint64_t index,
                                     const struct sg_slice *path, size_t len,
                                     struct sg_batch_place *place);

// Wire: head | u16 sig length | sig | u16 index | path.
void sg_batch_encode(const struct sg_batch_head *head, struct sg_slice sig,
                     const struct sg_batch_place *place, struct sg_writer *out);
// sig borrowed from bytes. SG_ERR_SHORT, SG_ERR_FORMAT.
SG_MUST_CHECK enum sg_err sg_batch_decode(struct sg_slice bytes,
                                          struct sg_batch_head *head,
                                          struct sg_slice *sig,
                                          struct sg_batch_place *place);
