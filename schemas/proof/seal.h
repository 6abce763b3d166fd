// seal - payload encryption: chunks, key rows and key frames (formats.md e, d).
//
// One fresh key K a release and one a variant; a subkey for each attempt and
// purpose; AES-256-GCM by chunk with the chunk's number as nonce. The caller
// keeps the rule on which all rests: A NUMBER IS WRITTEN ONCE AN ATTEMPT. Other
// bytes for a number that was sealed under this attempt mean a new attempt (16
// fresh CSPRNG bytes, durable before the first chunk; S32). Draws no random
// numbers itself.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/proof/merkle.h"

// Numbers stand in entries and job messages: never renumber. 0 is none.
enum sg_seal_purpose {
    SG_SEAL_SPOOL = 1,
    SG_SEAL_LEAVES = 2,
    SG_SEAL_FACTS = 3,
    SG_SEAL_REPORT = 4,
    SG_SEAL_VARIANT = 5,
    SG_SEAL_SECRET = 6,
    SG_SEAL_END,
};

enum {
    SG_SEAL_WRAPPED_LEN = 48, // K with its tag
    SG_SEAL_ROW_LEN = 108,    // manifest 32, variant 16, nonce 12, wrapped 48
    SG_SEAL_KEY_FRAME_LEN = 62,
};

const char *sg_seal_purpose_name(enum sg_seal_purpose purpose);

// K_a = HKDF-SHA-256(K, salt attempt, info "statgate/payload/v1" 00 purpose).
void sg_seal_subkey(const uint8_t key[32], const uint8_t attempt[16],
                    enum sg_seal_purpose purpose, uint8_t out[32]);

// ---- chunks ----------------------------------------------------------------

// Chunks of one attempt and purpose; aead is under K_a.
struct sg_seal {
    struct sg_aead *aead;
    uint8_t manifest_sha256[32];
    uint8_t attempt[16];
};

// Derives K_a. SG_ERR_MEMORY. End it with sg_seal_end.
SG_MUST_CHECK enum sg_err sg_seal_begin(struct sg_seal *seal,
                                        const uint8_t key[32],
                                        const uint8_t manifest_sha256[32],
                                        const uint8_t attempt[16],
                                        enum sg_seal_purpose purpose);
void sg_seal_end(struct sg_seal *seal);

// out has room for plain.len + 16; in place allowed.
SG_MUST_CHECK enum sg_err sg_seal_chunk(struct sg_seal *seal, uint64_t index,
                                        bool last, struct sg_slice plain,
                                        uint8_t *out);
// sealed: ciphertext with tag; out has room for sealed.len - 16. SG_ERR_SHORT:
// no room for a tag; SG_ERR_CORRUPT: changed, moved, of another release,
// attempt or key; nothing of out may be used.
SG_MUST_CHECK enum sg_err sg_seal_open(struct sg_seal *seal, uint64_t index,
                                       bool last, struct sg_slice sealed,
                                       uint8_t *out);

// Leaf of the chunk root: H(30, u64 index, u8 last, ciphertext with tag); add
// it to a struct sg_merkle of SG_MERKLE_CHUNKS.
void sg_seal_chunk_leaf(uint64_t index, bool last, struct sg_slice sealed,
                        uint8_t leaf[32]);

// ---- rows of keys/table-<g> ---------------------------------------------------

struct sg_seal_row {
    uint8_t manifest_sha256[32];
    uint8_t variant[16]; // zeros: the release itself
    uint8_t nonce[12];   // random; at most 2^32 under one wrapping key
    uint8_t wrapped[SG_SEAL_WRAPPED_LEN];
};

// wrap: AES-256-GCM under W_g, g the generation of the table. Reads manifest,
// variant and nonce of row, fills wrapped.
SG_MUST_CHECK enum sg_err sg_seal_wrap(struct sg_aead *wrap, uint64_t g,
                                       const uint8_t key[32],
                                       struct sg_seal_row *row);
// SG_ERR_CORRUPT: not wrapped under this W for this place.
SG_MUST_CHECK enum sg_err sg_seal_unwrap(struct sg_aead *wrap, uint64_t g,
                                         const struct sg_seal_row *row,
                                         uint8_t key[32]);
void sg_seal_row_encode(const struct sg_seal_row *row,
                        uint8_t out[SG_SEAL_ROW_LEN]);
void sg_seal_row_decode(const uint8_t bytes[SG_SEAL_ROW_LEN],
                        struct sg_seal_row *row);

// ---- KEY frame -------------------------------------------------------------

struct sg_seal_key_frame { // holds a key: wipe it
    uint8_t delivery_id[16];
    uint64_t released; // entry index of `key released`
    uint8_t key[32];
};

void sg_seal_key_frame_encode(const struct sg_seal_key_frame *frame,
                              uint8_t out[SG_SEAL_KEY_FRAME_LEN]);
// SG_ERR_FORMAT: not exactly such a frame.
SG_MUST_CHECK enum sg_err
sg_seal_key_frame_decode(struct sg_slice bytes,
                         struct sg_seal_key_frame *frame);
