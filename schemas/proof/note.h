// note - checkpoints as C2SP signed notes, and cosignatures over them.
//
// Text of a checkpoint: three lines, origin, decimal size, base64 root
// (formats.md c). Notes are the only thing signed without a purpose, with keys
// of role log or witness that sign nothing else (decisions-security S08).
// Source: C2SP signed-note v1, tlog-checkpoint v1, tlog-cosignature v1.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum {
    SG_NOTE_ORIGIN_MAX = 128, // "statgate/" id "/" 16 hex "/" epoch, and NUL
    SG_NOTE_MAX = 4032,       // bytes of a note; fits a checkpoint slot
    SG_NOTE_SIGNATURES = 16,  // lines; the gate's and witnesses'
    SG_NOTE_NAME_MAX = 255,
};

// Second last byte of a key hash's input (C2SP signed-note: signature types).
enum sg_note_type { SG_NOTE_ED25519 = 1, SG_NOTE_COSIGNATURE = 4 };

struct sg_note_signature {
    struct sg_slice name;
    uint8_t key_hash[4];
    uint8_t bytes[72]; // 64 of a signature; 72: time u64, signature
    uint8_t len;       // 0: of a form that is not ours; to be ignored
};

struct sg_note {                  // slices are borrowed from the note's bytes
    struct sg_slice text;         // what is signed: three lines with their LF
    struct sg_slice origin, gate; // the origin and its parts
    uint8_t genesis_front[8];
    uint64_t epoch;
    uint64_t size; // never 0
    uint8_t root[32];
    uint32_t count;
    struct sg_note_signature signatures[SG_NOTE_SIGNATURES];
};

// "statgate/<gate>/<16 hex>/<epoch>", NUL-terminated. SG_ERR_FORMAT: gate is
// no id.
SG_MUST_CHECK enum sg_err sg_note_origin(struct sg_slice gate,
                                         const uint8_t genesis[32],
                                         uint64_t epoch,
                                         char out[SG_NOTE_ORIGIN_MAX]);
// The parts of an origin; false: not of this form. A shard is refused.
SG_MUST_CHECK bool sg_note_origin_parse(struct sg_slice origin,
                                        struct sg_slice *gate,
                                        uint8_t genesis_front[8],
                                        uint64_t *epoch);

void sg_note_key_hash(struct sg_slice name, enum sg_note_type type,
                      const uint8_t public_key[32], uint8_t out[4]);

// Appends a whole note with one signature line under the name origin.
// SG_ERR_FORMAT: size 0 or not an origin; SG_ERR_FULL: no room; SG_ERR_CRYPTO.
SG_MUST_CHECK enum sg_err sg_note_sign(struct sg_slice origin, uint64_t size,
                                       const uint8_t root[32],
                                       struct sg_signer *signer,
                                       struct sg_writer *out);
// Appends one cosignature/v1 line over note (as parsed) under a witness's name.
SG_MUST_CHECK enum sg_err sg_note_cosign(const struct sg_note *note,
                                         struct sg_slice name, uint64_t time_s,
                                         struct sg_signer *signer,
                                         struct sg_writer *out);

// Strict; at least one signature line. SG_ERR_SHORT, SG_ERR_FORMAT, SG_ERR_FULL
// (longer than SG_NOTE_MAX, more lines than SG_NOTE_SIGNATURES).
SG_MUST_CHECK enum sg_err sg_note_parse(struct sg_slice bytes,
                                        struct sg_note *note);
// Of this gate's log, by its origin; of the genesis that has 8 bytes.
bool sg_note_is_of(const struct sg_note *note, struct sg_slice gate,
                   const uint8_t genesis[32]);
// Signed by the log key under the origin's name.
SG_MUST_CHECK bool sg_note_verify(const struct sg_note *note,
                                  const uint8_t public_key[32]);
// Cosigned by that witness; time_s: seconds, may be NULL.
SG_MUST_CHECK bool sg_note_verify_cosignature(const struct sg_note *note,
                                              struct sg_slice name,
                                              const uint8_t public_key[32],
                                              uint64_t *time_s);
