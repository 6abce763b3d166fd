// cold - what is final and has left memory: rows of the index (core-design 3).
//
// A row is put by apply, so it is a function of the log like the state itself;
// until the index says that it has it (sg_cold_indexed) it is also kept here.
// Rows are read back by deciding and, while a log is replayed, by apply: the
// index may then be ahead of the entry in hand, so what a row says of later
// entries (recalled, destroyed) is stated as their number and left out until
// they are reached. Invariant: everything that has left memory is found.
#pragma once

#include "broker/core/env.h"
#include "broker/core/state.h"

enum sg_cold_table {
    SG_COLD_RELEASE = 1, // flow id, 00, revision -> the release
    SG_COLD_MANIFEST,    // manifest sha256 -> key of SG_COLD_RELEASE
    SG_COLD_SEED,        // seed commitment -> entry
    SG_COLD_DELIVERY,    // release's entry, subscription's place -> receipt
    SG_COLD_RETAIN,      // end of its time, entry -> key of SG_COLD_RELEASE
    SG_COLD_OBJECT,      // id -> key of SG_COLD_RELEASE, in memory or not
    SG_COLD_REPORT,      // of a refusal: object id, or manifest sha256 -> entry
    SG_COLD_TAKER,       // delivery id -> subscription's place
    SG_COLD_REFUSED,     // end of its time, entry of a refusal -> manifest
};

// What is answered about a delivery that has left memory.
struct sg_cold_delivery {
    uint8_t id[16];
    uint8_t state;
    uint64_t ack, released, statement; // entries; 0: none
    uint64_t first_released, cancelled;
};

struct sg_cold *sg_cold_new(const struct sg_lookup *lookup); // NULL: no memory
void sg_cold_free(struct sg_cold **cold);

// Puts (value of 0 bytes: takes away) the row of row->table and row->key, which
// follows from the entry being applied.
SG_MUST_CHECK enum sg_err sg_cold_put(struct sg_state *state,
                                      const struct sg_row *row);
// Fills in the value. SG_ERR_NOT_FOUND; SG_ERR_CORRUPT and others: the index
// cannot be read, which sg_cold_failed then says too: the gate must stop.
SG_MUST_CHECK enum sg_err sg_cold_find(const struct sg_state *state,
                                       struct sg_row *row);
// The first row of the table in the index whose key is not before row->key;
// rows that the index does not have yet are not seen.
SG_MUST_CHECK enum sg_err sg_cold_next(const struct sg_state *state,
                                       struct sg_row *row);
enum sg_err sg_cold_failed(const struct sg_state *state);
// A row that must be there is not, or says nothing: SG_ERR_CORRUPT.
enum sg_err sg_cold_damaged(const struct sg_state *state);

// The next row not given out yet, in the order in which they were put. NULL:
// none. It lives until sg_cold_indexed.
const struct sg_row *sg_cold_give(struct sg_state *state);
// The index has the rows of entries 0..seq.
void sg_cold_indexed(struct sg_state *state, uint64_t seq);
uint32_t sg_cold_count(const struct sg_state *state); // rows kept here

// ---- what lies in the payload store ----------------------------------------------
// Rows of objects are put with the entry that names them and stay: whether they
// are destroyed is known of their release.
SG_MUST_CHECK enum sg_err sg_cold_put_object(struct sg_state *state,
                                             const uint8_t id[16],
                                             uint32_t flow, uint64_t revision);
SG_MUST_CHECK enum sg_err sg_cold_object(const struct sg_state *state,
                                         const uint8_t id[16], uint32_t *flow,
                                         uint64_t *revision);
// The report of a refusal; of one manifest the newest alone is kept, until the
// time ends (SG_LIMIT_REPORT_DAYS after the refusal), or that of the release that
// was accepted under the same manifest.
struct sg_cold_report {
    uint64_t seq, end; // end 0: with the release
    uint8_t id[16];    // of the object
};
SG_MUST_CHECK enum sg_err sg_cold_put_report(struct sg_state *state,
                                             const uint8_t id[16],
                                             const uint8_t manifest[32],
                                             uint64_t end);
SG_MUST_CHECK enum sg_err sg_cold_report_of(const struct sg_state *state,
                                            const uint8_t manifest[32],
                                            struct sg_cold_report *report);
// It is kept as long as the release that was accepted now; it is gone. Both are
// SG_OK where there is none.
SG_MUST_CHECK enum sg_err sg_cold_keep_report(struct sg_state *state,
                                              const uint8_t manifest[32]);
SG_MUST_CHECK enum sg_err sg_cold_end_report(struct sg_state *state,
                                             const uint8_t manifest[32]);
// Is there a refusal with a report that has this name: 16 bytes of the object,
// 32 of the manifest? SG_OK, SG_ERR_NOT_FOUND, or not to be known.
SG_MUST_CHECK enum sg_err sg_cold_report(const struct sg_state *state,
                                         struct sg_slice name);

// ---- releases and deliveries as rows -------------------------------------------
void sg_cold_release_key(struct sg_row *row, struct sg_slice flow,
                         uint64_t revision);
// Rows of a release that leaves.
SG_MUST_CHECK enum sg_err sg_cold_put_release(struct sg_state *state,
                                              const struct sg_release *release);
// Its main row alone, and whether its time still runs.
SG_MUST_CHECK enum sg_err sg_cold_amend(struct sg_state *state,
                                        const struct sg_release *release);
// A release of the flow that has left memory. whole: also what entries not yet
// applied say (for amending).
SG_MUST_CHECK enum sg_err sg_cold_release(const struct sg_state *state,
                                          uint32_t flow, uint64_t revision,
                                          bool whole,
                                          struct sg_release *release);
// The same by what another row names it with.
SG_MUST_CHECK enum sg_err sg_cold_named_release(const struct sg_state *state,
                                                const struct sg_row *name,
                                                bool whole,
                                                struct sg_release *release);
SG_MUST_CHECK enum sg_err sg_cold_by_manifest(const struct sg_state *state,
                                              const uint8_t manifest[32],
                                              bool whole,
                                              struct sg_release *release);
SG_MUST_CHECK enum sg_err
sg_cold_put_delivery(struct sg_state *state, uint64_t release,
                     uint32_t subscription,
                     const struct sg_cold_delivery *delivery);
SG_MUST_CHECK enum sg_err sg_cold_delivery(const struct sg_state *state,
                                           uint64_t release,
                                           uint32_t subscription,
                                           struct sg_cold_delivery *delivery);
// Whose delivery it is, for entries that say nothing but its id.
SG_MUST_CHECK enum sg_err sg_cold_put_taker(struct sg_state *state,
                                            const uint8_t id[16],
                                            uint32_t subscription);
SG_MUST_CHECK enum sg_err sg_cold_taker(const struct sg_state *state,
                                        const uint8_t id[16],
                                        uint32_t *subscription);
