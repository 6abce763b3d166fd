// content - the content root SGR1: building, proving, verifying.
//
// One root, signed by the publisher, under which rows of a release verify in
// every format and with rows withheld (content-root.md). Everything streams in
// order, in O(log n) memory: 41 seeds and 41 hashes. Canonical bytes of rows
// are schemas/sdmx/canonical.h's. Every input is judged strictly: one content has one
// root, one withheld set has one proof.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"
#include "schemas/proof/merkle.h"

enum {
    SG_CONTENT_SEED_LEN = 16,
    SG_CONTENT_ID_LEN = 16,
    SG_CONTENT_NAME_MAX = 64, // bytes of a component id
};

enum sg_content_level {
    SG_CONTENT_FILE = 0, // one leaf: the bytes as sent
    SG_CONTENT_SERIES = 1,
    SG_CONTENT_ROW = 2,
};

// Low nibble a kind, high nibble flags.
enum sg_content_kind {
    SG_CONTENT_DIMENSION = 0,
    SG_CONTENT_TIME = 1,
    SG_CONTENT_MEASURE = 2,
    SG_CONTENT_ATTRIBUTE = 3,
    SG_CONTENT_SEVERAL = 0x10,
    SG_CONTENT_LANGUAGES = 0x20,
};

// What a verifier answers; names are stable (content-root.md 6, vectors).
// clang-format off
#define SG_CONTENT_RESULTS(X)                                                  \
    X(OK, "OK", "the content is what was signed")                              \
    X(SHORT, "SHORT", "the proof ends too early")                              \
    X(LONG, "LONG", "bytes follow the end of the proof")                       \
    X(FORMAT, "FORMAT", "the proof is not in canonical form")                  \
    X(LIMIT, "LIMIT", "a count is over its limit")                             \
    X(COUNT, "COUNT", "more or fewer leaves were given than the proof discloses") \
    X(MISMATCH, "MISMATCH", "the content is not what was signed")
// clang-format on

enum sg_content_result {
#define X(name, word, sentence) SG_CONTENT_##name,
    SG_CONTENT_RESULTS(X)
#undef X
};

const char *sg_content_result_name(enum sg_content_result result);
const char *sg_content_result_sentence(enum sg_content_result result);
// OK: SG_OK; COUNT, MISMATCH: SG_ERR_CONTENT; SHORT: SG_ERR_SHORT; LIMIT:
// SG_ERR_FULL; else SG_ERR_FORMAT.
enum sg_err sg_content_result_err(enum sg_content_result result);

struct sg_content_component {
    uint8_t kind;       // enum sg_content_kind, flags in the high nibble
    struct sg_slice id; // 1..SG_CONTENT_NAME_MAX bytes
};

struct sg_content_part { // a maximal run of rows of one action
    uint8_t action;      // 'M', 'R' or 'D'
    uint64_t count;      // leaves, at least 1
};

struct sg_content_header { // arrays are borrowed
    uint8_t level;         // enum sg_content_level
    uint8_t id[SG_CONTENT_ID_LEN];
    const struct sg_content_component *components;
    size_t component_count;
    const struct sg_content_part *parts;
    size_t part_count;
};

// SG_ERR_FORMAT, SG_ERR_FULL: a field of header is out of range, or two parts
// that follow each other have one action (nothing written). The writer
// remembers overflow.
SG_MUST_CHECK enum sg_err
sg_content_header_encode(const struct sg_content_header *header,
                         struct sg_writer *out);
// Bytes of a header, and the content root over them: H(12, header, tree hash).
size_t sg_content_header_len(const struct sg_content_header *header);
void sg_content_seal(struct sg_slice header, const uint8_t tree[32],
                     uint8_t root[32]);

// ---- building --------------------------------------------------------------

// Position in the seed tree: seeds[l] is the seed of the right child that waits
// at level l, or, at the level reached, of the current node. Secret.
struct sg_content_seeds {
    uint8_t id[SG_CONTENT_ID_LEN];
    uint8_t at[SG_MERKLE_DEPTH + 1][SG_CONTENT_SEED_LEN];
};

struct sg_content_builder {
    struct sg_merkle tree; // tree.count: leaves so far
    struct sg_content_seeds seeds;
    struct sg_content_part *parts; // the caller's
    size_t part_count, part_cap;
};

// parts: room for part_cap action parts (SG_LIMIT_ACTION_PARTS are allowed; one
// is enough for whole releases).
void sg_content_begin(struct sg_content_builder *builder,
                      const uint8_t id[SG_CONTENT_ID_LEN],
                      const uint8_t seed[SG_CONTENT_SEED_LEN],
                      struct sg_content_part *parts, size_t part_cap);
// The next leaf, in the order of content-root.md 3 (within a part sorted by
// key, stable), which the caller keeps. SG_ERR_FULL: 2^40 leaves or part_cap;
// SG_ERR_FORMAT: action.
SG_MUST_CHECK enum sg_err sg_content_add(struct sg_content_builder *builder,
                                         uint8_t action, struct sg_slice leaf);
// Content root over what was added; the builder stays as it is. arena: for the
// header's bytes, at most 64 KiB. SG_ERR_FULL, SG_ERR_FORMAT: components.
SG_MUST_CHECK enum sg_err sg_content_root(
    const struct sg_content_builder *builder, enum sg_content_level level,
    const struct sg_content_component *components, size_t component_count,
    struct sg_arena *arena, uint8_t root[32]);
// Wipes the seeds.
void sg_content_end(struct sg_content_builder *builder);

// Level file: one leaf, the bytes as sent, through a running hash. Between both
// calls the caller adds the bytes with sg_crypto_sha256_add.
void sg_content_file_begin(struct sg_sha256 *hash,
                           const uint8_t id[SG_CONTENT_ID_LEN],
                           const uint8_t seed[SG_CONTENT_SEED_LEN]);
// The same with the seed of the leaf, as a proof over a whole file shows it.
void sg_content_file_begin_shown(struct sg_sha256 *hash,
                                 const uint8_t leaf_seed[SG_CONTENT_SEED_LEN]);
void sg_content_file_end(struct sg_sha256 *hash,
                         const uint8_t id[SG_CONTENT_ID_LEN], uint8_t root[32]);

// ---- proving ---------------------------------------------------------------

struct sg_content_run { // leaves [start, start + count) are withheld
    uint64_t start, count;
};

// Bytes of the proof, exactly. SG_ERR_FORMAT: header or runs are not in order
// (ascending, not touching, count >= 1, inside). O(k log n).
SG_MUST_CHECK enum sg_err
sg_content_proof_len(const struct sg_content_header *header,
                     const struct sg_content_run *runs, size_t run_count,
                     uint64_t *len);

struct sg_content_prover {
    struct sg_content_seeds seeds;
    struct sg_merkle span; // the withheld span in hand
    uint64_t total, place; // leaves in all; next leaf
    uint64_t span_last;    // one after the span in hand; 0: none
    const struct sg_content_run *run, *run_end;
    struct sg_writer *out;
};

// Writes header and runs into out, which must outlive the prover. Then feed the
// withheld leaves, and only these, in order; none withheld: nothing to feed.
SG_MUST_CHECK enum sg_err sg_content_prove_begin(
    struct sg_content_prover *prover, const struct sg_content_header *header,
    const uint8_t seed[SG_CONTENT_SEED_LEN], const struct sg_content_run *runs,
    size_t run_count, struct sg_writer *out);
// Number of the leaf wanted next; false: none any more.
bool sg_content_prove_next(const struct sg_content_prover *prover,
                           uint64_t *number);
// Asserts that one is wanted.
void sg_content_prove_add(struct sg_content_prover *prover,
                          struct sg_slice leaf);
// Wipes the seeds. SG_ERR_SHORT: leaves were not given; SG_ERR_FULL: out has no
// room.
SG_MUST_CHECK enum sg_err
sg_content_prove_end(struct sg_content_prover *prover);

// The second look before a proof is sent (S19): no seed in these bytes is above
// a leaf of runs, and each is the one that the seed tree has there. By another
// way than the prover's. SG_ERR_CORRUPT: do not send.
SG_MUST_CHECK enum sg_err
sg_content_proof_check(struct sg_slice proof,
                       const uint8_t seed[SG_CONTENT_SEED_LEN],
                       const struct sg_content_run *runs, size_t run_count);

// ---- verifying -------------------------------------------------------------

struct sg_content_verifier {
    uint8_t root[32];
    // What the proof says; to be believed only after sg_content_verify_end.
    uint8_t level;
    uint64_t total, withheld, disclosed;
    struct sg_slice header;            // its bytes
    struct sg_slice components, parts; // inside, for the walks below
    struct sg_slice run_bytes;
    // The walk.
    uint8_t id[SG_CONTENT_ID_LEN];
    struct sg_content_seeds seeds;
    struct sg_merkle tree;
    struct sg_slice nodes; // not yet used
    struct sg_slice runs;  // not yet used
    struct sg_content_run run;
    uint64_t place;     // next leaf
    uint64_t span_last; // one after the disclosed span in hand
    uint64_t given;
    uint8_t tail[32]; // withheld span that reaches over the last leaf
    bool has_tail;
    enum sg_content_result failed; // the first one, kept
};

// proof must outlive the verifier. Compare verifier->disclosed with the rows at
// hand: another number is COUNT.
SG_MUST_CHECK enum sg_content_result
sg_content_verify_begin(struct sg_content_verifier *verifier,
                        const uint8_t root[32], struct sg_slice proof);
// The next disclosed leaf in order.
SG_MUST_CHECK enum sg_content_result
sg_content_verify_add(struct sg_content_verifier *verifier,
                      struct sg_slice leaf);
// OK only if the leaves given, in order, are exactly the disclosed leaves of
// the tree under root.
SG_MUST_CHECK enum sg_content_result
sg_content_verify_end(struct sg_content_verifier *verifier);

// Components and parts as the proof's header has them; *at starts as the slice
// ->components or ->parts and moves. false: no more.
bool sg_content_next_component(struct sg_slice *at,
                               struct sg_content_component *component);
bool sg_content_next_part(struct sg_slice *at, struct sg_content_part *part);
// Withheld runs of the proof, in order: *at starts as ->run_bytes, *run zeroed.
bool sg_content_next_run(struct sg_slice *at, struct sg_content_run *run);
