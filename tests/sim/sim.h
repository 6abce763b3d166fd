// sim - the real core and the real loop in a world made of numbers.
//
// One seed gives one run: clock, disk, network, workers and peers are virtual,
// every choice comes from one generator. Invariants are checked at each step;
// the first that is broken stops the run with a sentence.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/core/snapshot.h"
#include "broker/loop.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/batch.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/merkle.h"
#include "schemas/proof/note.h"
#include "schemas/proof/sign.h"
#include "schemas/roster.pb-c.h"
#include "schemas/wire.pb-c.h"
#include "schemas/worker.pb-c.h"

#define BYTES(ptr, len)                                                        \
    ((ProtobufCBinaryData){(len), (uint8_t *)(uintptr_t)(ptr)})
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define DAY_US        (24 * 3600 * 1000000ull)
#define SIM_START_US  1799539200000000ull // 2027-01-10

enum sim_peer_name { PUBLISHER, ADMIN, COLLECTOR, NEAR, FAR, PEERS };
enum {
    ROWS_MAX = 65536,
    ENTRIES_MAX = 8192,
    QUEUE_MAX = 16384,
    RELEASES_MAX = 64,
    SEEN_MAX = 64,
    KEYS_OUT_MAX = 256
};

// Planted bugs; each must be found (test_planted.c).
enum sim_bug {
    BUG_NONE,
    BUG_EARLY,      // the env says durable before it is
    BUG_SKIP_APPLY, // recovery leaves an entry out
    BUG_EPOCH,      // the loop does not compare stop epochs
    BUG_LOSE_ENTRY, // the disk loses an acknowledged entry
    BUG_RANDOM,     // a random number that is not of the seed
    BUG_SNAPSHOT,   // the disk changes a snapshot
    BUG_KEPT_KEY,   // the env says that a key is gone, and it is not
    BUG_ROOM,       // the env does not say that there is no room
    // In the core itself (test_planted.c).
    BUG_FIRST_LOOK, // what was permitted once is permitted for ever
    BUG_NO_WAIT,    // a statement does not wait for keys on their way
    BUG_TWICE,      // a release is decided twice for one subscriber
};

struct sim_entry {
    uint64_t seq, time;
    uint16_t type;
    struct sg_slice body;
};

struct sim_item { // one thing that will happen
    uint64_t due, order;
    int peer; // -1: to the gate
    struct sg_event event;
    struct sg_slice envelope, payload; // to a peer
    uint8_t generation;                // of the connection
};

struct sim_peer {
    const char *id, *jurisdiction, *role;
    uint8_t transport[32], seed[32];
    struct sg_signer *signer;
    uint8_t public_key[32], key_id[32];
    uint8_t generation;
    bool greeted;
    unsigned step;
    uint8_t note[SG_NOTE_MAX]; // newest one held
    size_t note_len;
    uint64_t request, upload;
    // publisher
    uint64_t revision; // accepted so far
    uint8_t head[32];
    struct sg_slice publish; // envelope being retried
    struct sg_slice payload;
    uint8_t acknowledged[RELEASES_MAX + 1][32];
    // subscriber
    struct {
        uint8_t delivery[16], manifest[32];
        uint64_t offset, chunks, got;
        bool visible, receipted;
    } seen[SEEN_MAX];
    size_t seen_count;
    // what was heard last: body, receipt's entry, refusal's code
    int heard;
    uint64_t heard_seq;
    bool heard_duplicate;
    char heard_code[64];
    // collector
    bool withdrawn, stated;
    uint64_t withdraw_at;
    uint8_t last_event[32];
};

struct sim {
    uint64_t seed, rng, now, order, steps;
    enum sim_bug bug;
    struct sg_arena *mem;
    struct sg_core *core;
    struct sg_loop *loop;
    struct sg_env env;
    struct sg_signer *gate_signer, *approve_signer, *second_signer;
    struct sim_entry *entries;
    size_t count, durable, told; // told: what the core was told is durable
    uint8_t prev[32];
    struct sg_merkle tree;
    struct sim_item **queue;
    size_t queue_count;
    struct sim_peer peer[PEERS];
    uint8_t genesis[32], structure_sha[32], terms_sha[32], roster_sha[32];
    uint8_t agreement_sha[32], bundle_sha[32];
    struct sg_slice roster, structure, bundle, terms, agreement;
    unsigned crashes, crashes_max;
    uint64_t epoch;
    unsigned unheard; // peers, as bits, since the epoch began
    bool crash_now, quiet;
    uint64_t crash_after;   // appends
    uint64_t withdrawn_seq; // entry, 0: none
    uint64_t sync_due;
    // the index: a snapshot is there after a crash, or the one before it
    struct sim_snapshot {
        size_t size; // entries; 0: none
        struct sg_slice bytes;
    } snapshot, snapshot_new;
    unsigned snapshots, restored;
    // rows of the index, in the order in which they were put; those below
    // rows_found are committed and outlive a crash
    struct sg_row **rows;
    size_t rows_count, rows_found;
    size_t rows_size;  // entries whose rows are all found
    bool index_broken; // no row can be read
    uint64_t settle_after;
    uint32_t deliveries_cap;
    uint64_t releases;       // that the publisher makes
    uint32_t retention_days; // that it claims
    // of the agreement: purpose, recipient, onward; NULL: what the flow needs
    const char *asked[3];
    bool promises;      // subscribers: to delete after 30 days
    bool refuses;       // the next judge finds a fault
    bool asked_again;   // the agreement is its second revision
    unsigned left;      // rows that were put, in all
    unsigned settled;   // times that the loop waited for the disk alone
    const char *broken; // the invariant
    uint8_t log_hash[32];
    unsigned keys, keys_cancelled, denied;
    uint8_t (*reports)[16]; // that jobs made and nobody has removed
    size_t reports_count, reports_named;
    struct sim_store *store; // sim_store.c
    uint64_t tables;
    // destructions that fail: so many more, each time one of so many
    unsigned destroy_fails, destroy_tries;
    uint64_t destroy_one_of;
    // what else goes wrong (sim_faults.c)
    bool faulty;                      // by seed, as long as it is not quiet
    uint64_t disk_after;              // appends until the disk fails
    bool disk_failed;                 // nothing becomes durable any more
    bool disk_told;                   // and the core was told
    bool full, full_told, full_known; // no room: so it is, told, decided on
    unsigned stepped, noted; // steps of the clock: told, found in the log
    struct sim_key {         // released, not handed over and not cancelled
        uint8_t delivery[16];
        uint64_t released;
    } keys_out[KEYS_OUT_MAX];
    size_t keys_out_count;
    // what the data and the person behind them say, and who hears what is
    // sent (test_twins.c); NULL: public figures, consent given
    const struct sim_secret {
        const char *conf_status[RELEASES_MAX];
        const char *area[RELEASES_MAX];
        uint64_t rows[RELEASES_MAX], embargo[RELEASES_MAX];
        uint32_t consent;
    } * secret;
    void (*overhear)(struct sim *sim, int peer, struct sg_slice envelope);
    void *context;
};

uint64_t sim_random(struct sim *sim);
uint64_t sim_below(struct sim *sim, uint64_t n);
void sim_bytes(struct sim *sim, void *out, size_t len);
void *sim_take(struct sim *sim, size_t size);
struct sg_slice sim_pack(struct sim *sim, const ProtobufCMessage *message);
void sim_break(struct sim *sim, const char *what);

void sim_to_gate(struct sim *sim, const struct sg_event *event, uint64_t delay);
void sim_say(struct sim *sim, int peer, Sgpb__Envelope *envelope,
             struct sg_slice payload);

Sgpb__TwoSigned *sim_agreement(struct sim *sim);
void sim_peers_open(struct sim *sim); // keys, roster, documents
void sim_peers_close(struct sim *sim);
void sim_peer_tick(struct sim *sim, int at);
void sim_peer_hear(struct sim *sim, int at, struct sg_slice envelope,
                   struct sg_slice payload);
void sim_work(struct sim *sim, const struct sg_job *job); // sim_worker.c
// Is this report in the store? removed: it goes.
bool sim_has_report(struct sim *sim, const uint8_t id[16], bool removed);
void sim_watch_report(struct sim *sim, const struct sg_appended *entry);

// sim_watch.c: what is seen in the entries.
extern unsigned sim_remade; // renditions that were lost, of all runs
extern unsigned sim_epochs; // that restores began, of all runs
void sim_watch(struct sim *sim, const struct sg_appended *entry);
// ---- sim_restored.c
struct sg_slice sim_note(struct sim *sim);
void sim_note_keep(struct sim_peer *peer, struct sg_slice bytes);
enum sg_err sim_note_shown(void *ctx, struct sg_slice bytes,
                           struct sg_shown *shown);
void sim_restore(struct sim *sim); // at a crash: perhaps an epoch begins
void sim_log_is(struct sim *sim);  // told to the core
void sim_watch_restored(struct sim *sim, const struct sg_appended *entry);
void sim_key_settled(struct sim *sim, const uint8_t delivery[16],
                     uint64_t released);
void sim_trace(const struct sim *sim, const char *what, unsigned number);

// sim_faults.c: disk, room, clock and connections go wrong by seed.
extern unsigned sim_faults[]; // how often each was told, by kind of event
void sim_faults_begin(struct sim *sim);
void sim_fault(struct sim *sim); // perhaps one, before a turn
void sim_faults_end(struct sim *sim);
void sim_faults_over(struct sim *sim); // the gate was started again
void sim_fault_told(struct sim *sim, const struct sg_event *event);
bool sim_disk_refuses(struct sim *sim); // one append more
// Is nobody there any more? Then the gate is told.
bool sim_is_gone(struct sim *sim, const struct sg_routing *to);
void sim_faults_check(struct sim *sim, enum sg_err err, bool stopped);

// sim_store.c: names in the payload store and the wrapping table.
void sim_store_effect(struct sim *sim, const struct sg_effect *effect);
void sim_store_made(struct sim *sim, const struct sg_object *object);
// An entry was appended: what it names may be damaged from now on.
void sim_store_entry(struct sim *sim, uint16_t type, struct sg_slice body);
void sim_store_recover(struct sim *sim);
bool sim_store_damaged(struct sim *sim, const uint8_t id[16]);
void sim_store_lost(struct sim *sim, const uint8_t id[16]); // tells the gate
void sim_store_check(struct sim *sim); // breaks when it is not what it must be
void sim_quiet_days(struct sim *sim);  // and the check after them

// Terms of a flow with one signature; terms_sha is of the last ones made.
Sgpb__TwoSigned *sim_terms(struct sim *sim, int peer, const char *flow);
Sgpb__Signed *sim_sign(struct sim *sim, struct sg_signer *signer,
                       enum sg_sign_purpose purpose,
                       const ProtobufCMessage *body);

struct sg_slice sim_copy(struct sim *sim, struct sg_slice bytes);

// The index (sim_index.c).
struct sg_slice sim_serialise(struct sim *sim);
void sim_settle_snapshot(struct sim *sim);
void sim_take_snapshot(struct sim *sim, const struct sg_effect *effect);
void sim_put_row(struct sim *sim, const struct sg_row *row);
void sim_put_effect(struct sim *sim, const struct sg_effect *effect);
enum sg_err sim_lookup_find(void *ctx, struct sg_row *row);
enum sg_err sim_lookup_next(void *ctx, struct sg_row *row);
void sim_check_takers(struct sim *sim); // each delivery is found by its id

// What is replayed, and read from a snapshot, equals what is.
void sim_compare(struct sim *sim);
void sim_crash(struct sim *sim);
void sim_commit(struct sim *sim); // the rows put so far are found from now on
// The publisher's next manifest, or the one it is about to repeat.
void sim_make_publish(struct sim *sim, uint64_t revision,
                      const uint8_t prev[32], const uint8_t *seed);
// The subscriber says once more that it holds delivery number i.
void sim_acknowledge(struct sim *sim, int at, size_t i);

// A gate that was founded and started; nobody speaks yet.
struct sim *sim_open(uint64_t seed, enum sim_bug bug);
void sim_close(struct sim **sim);
// Until nothing is on its way: nothing is lost, no timer of a peer ticks.
void sim_settle(struct sim *sim);

// The script of sim_run, step by step: peers begin, then turns with what goes
// wrong in between.
void sim_begin(struct sim *sim);
void sim_step(struct sim *sim);
// Runs one seed; NULL: every invariant held. log_hash is set.
const char *sim_run(uint64_t seed, enum sim_bug bug, uint8_t log_hash[32],
                    unsigned *keys);
