// receipt - "SGRC1": one entry, its path, a checkpoint (formats.md d).
//
// A receipt proves nothing by itself: it is verified against what the holder
// expects, and there is no form without it (decisions-security S28). Reads no
// clock and no file; what the verifier holds comes in as struct
// sg_receipt_expect.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/merkle.h"

struct sg_receipt { // all is borrowed
    uint64_t index; // of the leaf = sequence of the entry
    uint64_t size;  // of the tree
    uint8_t path_len;
    const uint8_t (*path)[32]; // leaf upwards, path_len of them
    struct sg_slice entry;
    struct sg_slice checkpoint;  // note, with cosignatures
    struct sg_slice roster_link; // empty: the verifier holds the rosters
};

// The writer remembers overflow. Asserts path_len <= SG_MERKLE_DEPTH.
void sg_receipt_encode(const struct sg_receipt *receipt, struct sg_writer *out);
// Bytes of it.
size_t sg_receipt_len(const struct sg_receipt *receipt);
// Form only. SG_ERR_SHORT, SG_ERR_FORMAT (bytes after the end too), SG_ERR_FULL.
SG_MUST_CHECK enum sg_err sg_receipt_decode(struct sg_slice bytes,
                                            struct sg_receipt *receipt);

// ---- verifying -------------------------------------------------------------

// A log key from a roster that the holder traced from its pinned one.
struct sg_receipt_key {
    uint8_t public_key[32];
    uint64_t below; // signs checkpoints of at most this size; UINT64_MAX: all.
                    // Set where the log says that the key was revoked.
};

struct sg_receipt_witness {
    struct sg_slice name;   // of its cosignature line
    struct sg_slice person; // distinct persons count
    uint8_t public_key[32];
};

// A checkpoint that the holder kept, verified before.
struct sg_receipt_held {
    uint64_t size; // 0: none
    uint8_t root[32];
    uint64_t epoch; // of its origin; with a note of another nothing is compared
    // Consistency proof between the smaller and the larger of held and
    // receipt, where the gate gave one; NULL: none at hand.
    const uint8_t (*proof)[32];
    size_t proof_len;
};

// Every field that the kind's body has is compared; a field that is left empty
// must be empty in the body too. Which fields a kind has: receipt_body.c.
struct sg_receipt_expect {
    struct sg_slice gate;
    uint8_t genesis[32];
    enum sg_entry_type kind;
    struct sg_slice manifest_sha256; // 32; of a document: sha256 of its body
    struct sg_slice participant;     // publisher or subscriber
    struct sg_slice flow;
    uint64_t revision;
    struct sg_slice request_id;  // accepted, refused, conflict
    struct sg_slice delivery_id; // receipt-ack

    const struct sg_receipt_key *log_keys;
    size_t log_key_count;
    const struct sg_receipt_witness *witnesses;
    size_t witness_count;
    uint32_t witnesses_wanted; // k distinct persons; 0: not asked
    struct sg_receipt_held held;
};

enum sg_receipt_answer { // fail closed: zero is invalid
    SG_RECEIPT_INVALID = 0,
    SG_RECEIPT_NOT_WITNESSED, // valid, but fewer than k cosignatures, or k = 0
    SG_RECEIPT_VALID,
    SG_RECEIPT_FORK, // two signed histories: keep both notes
};

struct sg_receipt_result {
    enum sg_receipt_answer answer;
    uint8_t step;      // 1..7 of formats.md (d) at which it failed; 0: none
    const char *field; // what differed (static), "" otherwise
    bool compared;     // with the checkpoint held (step 7); false when none was
                       // held, or the sizes differ and no proof is at hand
    uint64_t sequence, time_us; // of the entry; 0 when invalid
    uint64_t size;              // of the checkpoint
    struct sg_slice body;       // of the entry, borrowed
};

// arena: for unpacking the body; nothing of it is kept.
struct sg_receipt_result
sg_receipt_verify(struct sg_slice bytes, const struct sg_receipt_expect *expect,
                  struct sg_arena *arena);
