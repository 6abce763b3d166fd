// volatile - what is forgotten at a restart: talk in progress, and caches.
//
// Owns sessions (one a connection), uploads, jobs, deliveries being sent, token
// buckets, the compiled policy. Nothing here is evidence: a crash loses it and
// sg_core_resume begins again what the state owes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/timers.h"
#include "broker/core/state.h"
#include "policy/compile.h"
#include "policy/policy.h"
#include "schemas/facts.pb-c.h"
#include "schemas/worker.pb-c.h"

// A token bucket in thousandths, so that it needs no fractions.
struct sg_bucket {
    uint64_t at; // microseconds of the last look
    uint32_t milli;
};

enum sg_bucket_kind {
    SG_BUCKET_VERIFY,  // signature checks
    SG_BUCKET_REFUSED, // refusals recorded one by one
    SG_BUCKET_BAD_BATCH,
    SG_BUCKET_REHEARSED,
    SG_BUCKET_TOLD,  // deliveries decided again because somebody attached
    SG_BUCKET_ASKED, // questions, and what they made the gate look at
    SG_BUCKET_KINDS,
};

enum sg_share { // of tables; share.h
    SG_SHARE_STRUCTURES,
    SG_SHARE_FLOWS,
    SG_SHARE_SUBSCRIPTIONS,
    SG_SHARE_AGREEMENTS,
    SG_SHARE_UPLOADS,
    SG_SHARES,
};

// Of a participant, by its place in the roster.
struct sg_quota {
    struct sg_bucket bucket[SG_BUCKET_KINDS];
    uint32_t uploads;         // those that send chunks
    uint32_t held[SG_SHARES]; // of each table
    uint64_t unrecorded;      // refusals since `since`
    uint64_t since;
    char code[48]; // of the last one
};

enum { SG_SENDING_MAX = 64 }; // deliveries on their way to one peer

struct sg_sending {
    uint32_t delivery; // 0: free; it may have left memory: sg_deliver_sends
    uint8_t delivery_id[16];
    uint64_t next_index;
    bool ready; // the subscriber says that all chunks are there
    uint8_t tries;
};

enum { SG_ATTACHED_MAX = 256 }; // subscriptions of one connection

struct sg_have { // what a subscriber said it holds when it attached
    uint8_t delivery_id[16];
    uint64_t next_index;
};

struct sg_session {
    struct sg_routing peer;
    uint8_t curve_key[32];
    uint64_t number;
    uint64_t seen;
    uint64_t send_bytes; // credit of the peer for chunks
    uint32_t send_messages;
    uint64_t granted;   // bytes of ours that it has not used
    uint32_t keys_out;  // KEY frames not yet receipted
    bool greeted, pays; // pays: has sent payload
    uint32_t subscriptions[SG_ATTACHED_MAX];
    size_t subscriptions_count;
    struct sg_have have[SG_SENDING_MAX];
    size_t have_count;
    struct sg_sending sending[SG_SENDING_MAX];
};

// Where deciding again goes on: the subscription, and the entry of the release
// of its next delivery.
struct sg_again {
    uint32_t subscription;
    uint64_t release;
};

// Where sending goes on: the subscription, 0: no pass is under way.
struct sg_send_at {
    uint32_t subscription;
    bool again; // something changed meanwhile: another pass follows
};

enum sg_upload_kind {
    SG_UPLOAD_RELEASE,
    SG_UPLOAD_STRUCTURE,
    SG_UPLOAD_POLICY
};
enum sg_upload_state {
    SG_UPLOAD_OPEN,    // chunks are coming
    SG_UPLOAD_STORING, // all here, not yet durable
    SG_UPLOAD_WAITING, // for a worker
    SG_UPLOAD_READING,
    SG_UPLOAD_JUDGING,
    SG_UPLOAD_DONE, // judged; waits for its predecessor
};

struct sg_upload {
    struct sg_arena *mem;
    uint8_t kind, state;
    uint64_t token;
    struct sg_routing peer; // who gets the result
    uint64_t request;
    uint32_t index; // in the request
    bool rehearse;
    char owner[SG_LIMIT_ID + 1]; // participant
    uint8_t sha256[32];          // manifest, or the document's
    uint8_t name[32];            // by which it is found again
    uint64_t bytes, chunks, next_chunk, got_bytes;
    uint64_t deadline;
    struct sg_object object;
    // release
    uint32_t flow;
    uint32_t follows; // next upload of the flow, in order of revision
    struct sg_slice signed_manifest; // packed SignedManifest
    const Sgpb__Manifest *manifest;
    struct sg_object leaves, report;
    uint64_t job;
    uint8_t tries;
    bool alone; // not in one job with others again
    enum sg_err result;
    struct sg_slice facts; // packed Facts of the judge
    uint8_t report_sha256[32], report_salt[32];
    char component[SG_LIMIT_ID + 1];
    char code[64]; // of the worker, when refused
    uint64_t faults;
    // document
    struct sg_sha256 *hash; // of a structure's bytes so far
    const Sgpb__Signed *by;
    uint8_t *room; // policy text, collected
};

struct sg_pending_job {
    uint64_t number;
    uint8_t role; // enum sg_job_role
    uint32_t count;
    uint32_t of[SG_LIMIT_JOB_BATCH]; // uploads, or renditions being made
};

struct sg_choosing { // one Subscribe that waits for a look at what it asks for
    struct sg_arena *mem;
    struct sg_slice envelope; // the message, packed, without its grants
    struct sg_routing from;
    uint8_t curve_key[32];
    char owner[SG_LIMIT_ID + 1]; // participant
    uint8_t choice[32];          // choice.h
    uint32_t flow;
    uint8_t tries;
    bool started;
};

struct sg_making {    // one rendition that is being made
    uint32_t release; // while the delivery is open
    uint8_t manifest[32];
    uint8_t delivery_id[16]; // the one that asked first
    uint8_t parameters[32];
    uint64_t bytes; // of the release as sent
    bool alone;     // not in one job with others: that was tried
    struct sg_object output;
    uint8_t key_commit[32];
    uint64_t rows_in, rows_out, proof_len, suppressed;
    uint8_t content_root[32];
};

struct sg_asked { // who waits for the statement on an agreement
    uint32_t agreement;
    uint64_t event; // entry of the newest withdrawal when it asked
    struct sg_routing peer;
    uint64_t request;
};

struct sg_fate { // as Fate of manifest.proto
    uint8_t id[16];
    uint32_t what;
    uint64_t entry;
};

struct sg_stating {     // the statement in hand (consented_statement.c)
    size_t most, looks; // fates on a page, look-ups in a turn; tests take less
    uint32_t agreement; // 0: none
    uint32_t last;      // agreement that had its turn last
    uint64_t event;     // withdrawal that it answers
    uint8_t event_sha256[32];
    uint32_t flow, subscription; // what is looked at next; 0: none yet
    uint64_t revision;           // 0: to be found
    uint32_t page;
    uint64_t previous; // entry of the page before
    uint8_t previous_sha256[32];
    uint64_t named, last_key; // up to and with the page before
    size_t count;             // on this page so far
    struct sg_fate fate[SG_LIMIT_FATES];
};

enum { SG_ASKED_MAX = 4096 };

enum { SG_DYING_MAX = 2048, SG_OVERDUE_MAX = 2 * SG_DYING_MAX };

struct sg_dying_key {
    uint8_t manifest[32];
    uint8_t variant[16]; // whole: all 0xff
    bool whole;          // the release's own key and every other of it
    uint32_t rendition;  // whose key it is; 0: none's
    bool sent;           // of the dead: it is in the group on its way
};

// Why nobody is to be given a rendition any more.
enum { SG_GOING_DAMAGED = 1, SG_GOING_SENT = 2 };

struct sg_dying { // keys being destroyed; one group at a time
    bool busy;
    const char *ground;
    size_t count;
    struct sg_dying_key key[SG_DYING_MAX];
};

struct sg_core {
    struct sg_arena *home; // where it lies
    struct sg_core_options options;
    struct sg_state *state; // written by sg_core_apply only
    uint8_t sign_key_id[32];

    struct sg_pool *sessions, *uploads, *jobs, *makings, *choosings;
    struct sg_table *session_of; // routing id
    struct sg_table *upload_of;  // token, 8 bytes
    struct sg_table *upload_by;  // sha256
    struct sg_table *job_of;     // number
    struct sg_table *attached;   // subscription index -> session
    struct sg_table *lost_of;    // release's entry -> its own bytes are damaged
    struct sg_table *refused_of; // manifest -> entry of a late refusal
    struct sg_table *render_tries;
    struct sg_arena *scratch;   // of one apply
    struct sg_table *render_of; // parameters sha256 -> making
    struct sg_table *in_flight; // delivery id -> entry 35: not handed over yet
    struct sg_quota *quotas;    // by place in the roster
    size_t quotas_count;
    struct sg_arena *quota_mem;
    uint64_t tokens, jobs_made, sessions_made; // counters
    uint32_t jobs_of[2];    // going on: inspections, renditions
    uint32_t jobs_cap;      // of either: more wait, and grow together
    uint64_t credit_used;   // of SG_LIMIT_CREDIT_POOL
    uint64_t credit_looked; // when silent peers' credit was taken back
    uint64_t durable;       // entries below it
    uint64_t snapshot_at;   // entries under the newest snapshot; 0: none
    uint64_t snapshot_every;
    struct sg_arena *snapshot_mem; // of the last turn's snapshot, or NULL

    // the policy of the day
    struct sg_arena *policy_mem;
    struct sg_policy_set *policy;
    struct sg_rules *rules; // NULL: deny all
    uint32_t rules_day;
    uint64_t rules_generation;
    uint32_t slice_until; // day

    uint8_t *flow_due; // by flow index: SG_DUE_*
    bool any_due;
    struct sg_timers *timers; // delivery index -> decide again
    struct sg_asked *asked;
    size_t asked_count;
    struct sg_stating *stating;
    struct sg_arena *mem; // of the arrays
    uint32_t flows_cap, releases_cap, subscriptions_cap, deliveries_cap;
    uint32_t agreements_cap, records_cap, renditions_cap;
    uint32_t uploads_cap;
    uint32_t *flow_pending; // by flow index: first upload of its row
    uint64_t *match_at;     // by subscription index: revision that it is to be
                            // decided for next; 0: to be found (match_walk.c)
    uint32_t match_last;    // flow at which the last slice of matching ended
    uint8_t match_waits;    // SG_DUE_ROOMS of all flows
    bool sends_wait; // SG_DUE_SEND of any flow, until the log can be read
    struct sg_again *again_at;  // by flow index
    struct sg_send_at *send_at; // by flow index
    struct sg_dying *dying;
    struct sg_dying_key *dead; // keys that wait for their group
    size_t dead_count;
    struct sg_table *overdue; // keys that could not be destroyed (overdue.h)
    uint64_t *rendition_used; // by index: when it last was; 0: before the start
    uint8_t *rendition_going; // by index: SG_GOING_*
    bool lost_due;
    struct sg_core_log log; // as it was after recovery
    bool was_waiting;       // restored.h: at the end of the turn before
    uint32_t *waiting;      // uploads for a worker, in order
    size_t waiting_count;
    uint32_t *render_waiting; // makings for a worker, in order
    size_t render_waiting_count;
    size_t choosings_waiting; // not started
    uint64_t next_sweep, next_retention, next_crowded;
    uint64_t next_retry;    // of what is overdue; 0: nothing is
    uint64_t destroy_after; // no group begins before
    bool disk_full, stopping, stopped, keys_due;
    uint64_t clock_ahead; // of the time we go by: what a step has added
    enum sg_err halted;   // the log is not whole: nothing more is decided
    uint64_t unknown_keys, dropped; // messages without an answer
    uint64_t refused_handshakes, lost;
    uint64_t log_damaged; // entry + 1; 0: no damage was found
};

// Why a flow is looked at when the turn ends.
enum {
    SG_DUE_MATCH = 1,  // a new release or subscription
    SG_DUE_DECIDE = 2, // consent, terms, roster, policy, time: decide again
    SG_DUE_SEND = 4,   // credit, a rendition, a new session
    // What matching waits for, and goes on when it is there.
    SG_DUE_DELIVERIES = 8, // room for one more
    SG_DUE_RETURN = 16,    // room for a release that has left memory
    SG_DUE_AGAIN = 32,     // deciding again, in the middle (match_again.c)
    SG_DUE_REST = 64,      // sending, in the middle (deliver.c)
    SG_DUE_ROOMS = SG_DUE_DELIVERIES | SG_DUE_RETURN,
};

bool sg_volatile_open(struct sg_core *core);
void sg_volatile_close(struct sg_core *core);
