// state - all that follows from the evidence log, in tables.
//
// Owns participants and keys (the newest roster), flows, structures, releases,
// renditions, subscriptions, deliveries, agreements and consent records, the
// policy bundle. Objects refer to each other by pool index (0: none); in
// snapshots by what the log calls them. Documents are kept as the body of the
// entry that brought them, unpacked beside it in the object's own memory.
// Invariant: only the functions called sg_*_apply_* change it, and only from
// sg_core_apply (core.c); everybody else has a const pointer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/base/pool.h"
#include "broker/base/slice.h"
#include "broker/base/table.h"
#include "broker/core/core.h"
#include "broker/core/object.h"
#include "policy/consent.h"
#include "schemas/documents.pb-c.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/manifest.pb-c.h"
#include "schemas/proof/epoch.h"
#include "schemas/roster.pb-c.h"
#include "schemas/vocabulary/vocabulary.h"

// An entry body and what was unpacked from it, in memory of their own.
struct sg_kept {
    struct sg_arena *mem;
    struct sg_slice body;
};

enum sg_key_use {
    SG_USE_NONE,
    SG_USE_TRANSPORT,
    SG_USE_SIGN,
    SG_USE_LOG,
    SG_USE_WITNESS,
    SG_USE_APPROVE,
    SG_USE_ROOT,
};

// Roles of a key (RosterKey.roles) as bits.
enum {
    SG_ROLE_OPERATOR = 1,
    SG_ROLE_POLICY_ADMIN = 2,
    SG_ROLE_PUBLISHER = 4,
    SG_ROLE_SUBSCRIBER = 8,
    SG_ROLE_CONSENT = 16,
    SG_ROLE_AUDITOR = 32,
};

struct sg_key {
    uint8_t id[32];
    uint8_t use; // enum sg_key_use
    uint8_t roles;
    uint16_t place;       // participant index in the roster document
    uint64_t from, until; // until 0: with the roster
    const Sgpb__RosterKey *doc;
};

struct sg_roster {
    struct sg_kept kept; // body: RosterEntry
    struct sg_slice signed_bytes;
    const Sgpb__Roster *doc; // NULL: none yet, nobody may do anything
    uint64_t seq, version, expires;
    uint8_t sha256[32];
    struct sg_key *keys;
    size_t keys_count;
    struct sg_table *by_id;     // key_id -> index + 1
    struct sg_table *by_public; // transport public key -> index + 1
    struct sg_table *by_name;   // participant id -> place + 1
};

struct sg_flow {
    struct sg_kept kept; // body: TermsEntry
    const Sgpb__FlowTerms *terms;
    const Sgpb__TwoSigned *signatures;
    struct sg_slice id;
    uint64_t seq; // of the terms
    uint8_t terms_sha256[32];
    bool closed;
    uint64_t revision; // of the last accepted release; 0: none
    uint8_t head[32];  // its manifest_sha256
    uint32_t head_release;
    uint64_t head_time;
    uint32_t first_release, last_release; // in memory, in order of revision
    uint32_t first_subscription;
    uint64_t stops; // terms loosened or tightened: goes up
};

struct sg_structure {
    uint64_t seq;
    uint8_t sha256[32];
    struct sg_slice urn;
    struct sg_object object;
    struct sg_kept kept; // body: StructureEntry
};

// Details at hand: what is not durable yet cannot be read from the log.
enum { SG_DETAILS_MAX = 4096 };
enum { SG_PARTS_MAX = 16 };

// Detail (manifest, objects, facts) is in the entry and read when wanted.
struct sg_release {
    uint64_t seq;
    uint32_t flow, next, prev; // neighbours in memory of the flow
    uint64_t revision;
    uint64_t time;
    uint64_t embargo_us;
    uint8_t manifest[32];
    uint8_t seed_commit[32];
    uint16_t codes[SG_ATTR_COUNT]; // level R, strictest of claim and terms
    uint32_t chunk_size;
    uint8_t media, mode;
    uint64_t recalled_at, destroyed_at; // entries; 0: not so
    uint64_t retain_until;
    // Until it leaves memory (settle.h).
    uint32_t deliveries; // in memory
    uint32_t first_rendition;
    uint32_t settling;   // next in the row of those that settle
    uint64_t settled;    // entry; 0: not in that row
    struct sg_kept kept; // body: Accepted; kept while it is the head
    const Sgpb__Accepted *doc;
};

struct sg_rendition {
    struct sg_kept kept; // body: ObjectMade
    const Sgpb__ObjectMade *doc;
    uint64_t seq;
    uint8_t parameters[32];
    uint32_t release, next; // next of the release
    struct sg_object object;
};

struct sg_subscription {
    struct sg_kept kept; // body: SubscriptionEntry
    const Sgpb__Subscription *doc;
    const Sgpb__Signed *signature;
    struct sg_slice id;
    uint64_t seq;
    uint32_t flow, next;  // next of the flow
    uint64_t start;       // entry of the first release that concerns it
    uint64_t matched;     // entry of the last release decided for it + 1
    uint64_t cursor;      // entry of the last release receipted + 1
    uint32_t first, last; // deliveries, in order
    uint8_t media;        // 0: as published
    bool ended;
    uint64_t stops;
};

enum sg_delivery_state {
    SG_DELIVERY_NONE,
    SG_DELIVERY_HELD,
    SG_DELIVERY_DENIED,
    SG_DELIVERY_QUEUED,  // permitted, no statement yet
    SG_DELIVERY_STATED,  // ciphertext may travel
    SG_DELIVERY_WAITING, // held after its statement
    SG_DELIVERY_KEYED,   // it has left
    SG_DELIVERY_LEFT,    // it has left, and no further key goes
    SG_DELIVERY_KEPT,    // receipted
    SG_DELIVERY_REFUSED, // by the subscriber
    SG_DELIVERY_STOPPED,
    SG_DELIVERY_EXPIRED,
    SG_DELIVERY_STATES,
};

enum sg_delivery_event {
    SG_DELIVERY_DENY,
    SG_DELIVERY_HOLD,
    SG_DELIVERY_PERMIT,
    SG_DELIVERY_STATE,
    SG_DELIVERY_RELEASE,
    SG_DELIVERY_CANCEL,
    SG_DELIVERY_KEEP,
    SG_DELIVERY_REFUSE,
    SG_DELIVERY_STOP,
    SG_DELIVERY_EXPIRE,
    SG_DELIVERY_UNMAKE, // its rendition is gone
    SG_DELIVERY_EVENTS,
};

struct sg_delivery {
    uint8_t id[16];
    uint8_t state;
    uint8_t why; // enum sg_why of the last decision
    uint32_t release, subscription, rendition;
    uint32_t next, prev; // of the subscription
    uint32_t settling;   // next in the row of those that settle
    uint64_t settled;    // entry; 0: not in that row
    uint64_t decision, decided_at;
    uint64_t generation;               // of policy, when decided
    uint64_t hold_until;               // 0: until an event
    uint64_t first_held;               // 0: never
    uint64_t statement;                // entry; 0: none (entry 0 is genesis)
    uint64_t released, first_released; // entries of `key released`; 0: none
    uint64_t cancelled;                // entry of the newest `key cancelled`
    uint64_t ack;
    uint64_t stops;
    uint32_t suppress_below;
};

struct sg_agreement {
    struct sg_kept kept; // body: AgreementEntry
    const Sgpb__ConsentAgreement *doc;
    struct sg_slice id;
    uint64_t seq;
    uint8_t sha256[32];
    uint64_t epoch;
    uint64_t stops;      // withdrawals and the like
    uint64_t last_event; // entry
    uint64_t last_stop;  // entry of the newest withdrawal; 0: none
    uint8_t stop_sha256[32];
    uint64_t stated;    // events below this entry have their statement
    uint64_t statement; // entry of the newest; 0: none
};

// What the ledger of policy/consent.h is made from again.
struct sg_consented {
    uint32_t agreement;
    uint8_t record[16];
    uint8_t state;
    uint8_t event_sha256[32], revision_sha256[32];
    uint64_t at;
    uint64_t expires; // of a given one, as of when it was given; 0: never
    uint64_t seq;
    uint8_t collector_len;
    char collector[SG_LIMIT_ID];
};

struct sg_bundle {
    struct sg_kept kept; // body: PolicyEntry
    const Sgpb__PolicyBundle *doc;
    uint64_t seq; // 0: none
    uint8_t sha256[32];
    uint8_t person[32]; // who proposed: H(participant, person)
};

// Of the log (S27).
struct sg_epochs {
    uint64_t now;
    bool waiting; // for those who were not heard since it began
    uint32_t count;
    struct sg_epoch
        past[SG_LIMIT_EPOCHS]; // ascending; the oldest are forgotten
};

struct sg_heard { // a participant, since the epoch began
    char id[SG_LIMIT_ID + 1];
    uint64_t seq;         // of its testimony
    uint64_t epoch, size; // of the note in it; 0: it showed none
};

struct sg_state {
    struct sg_arena *home;    // where it lies
    struct sg_arena *scratch; // of the apply in hand
    char gate[SG_LIMIT_ID + 1];
    uint64_t next_seq, last_time, genesis_time;
    uint8_t roster_pin[32]; // of roster 1, from genesis
    struct sg_roster roster;
    struct sg_table *known_keys; // key_id -> first 8 bytes of H(owner): S03
    struct sg_table *revoked;    // key_id -> since + 1

    struct sg_pool *flows, *structures, *releases, *renditions, *subscriptions;
    struct sg_pool *deliveries, *agreements, *records, *heard;
    struct sg_table *flow_of;          // id
    struct sg_table *structure_of;     // sha256
    struct sg_table *release_of;       // manifest sha256
    struct sg_table *release_at;       // seq, 8 bytes
    struct sg_table *release_by;       // flow index 4, revision 8 bytes
    struct sg_table *seeds;            // seed_commit
    struct sg_table *rendition_of;     // parameters sha256
    struct sg_table *rendition_at;     // seq, 8 bytes
    struct sg_table *rendition_object; // object id
    struct sg_table *subscription_of;  // id
    struct sg_table *delivery_of;      // id
    struct sg_table *agreement_of;     // id
    struct sg_table *record_of;        // agreement | record
    struct sg_table *heard_of;         // participant
    struct sg_table *testified;        // leaf of a lost entry -> entry 69
    struct sg_epochs epochs;
    struct sg_consent *consent;
    struct sg_cold *cold; // rows of what has left memory

    // What is over and waits to leave memory, in order of `settled`.
    struct {
        uint32_t first, last;
    } settling_deliveries, settling_releases;
    uint64_t settle_after;             // entries between
    uint64_t detailed[SG_DETAILS_MAX]; // releases whose detail is at hand
    uint64_t details;                  // accepted since the start
    struct sg_bundle proposed, active;
    uint64_t generation; // 0: no policy yet
    uint64_t active_from;
};

struct sg_state *sg_state_new(const struct sg_core_options *options);
void sg_state_free(struct sg_state **state);

// Takes a copy of body and makes room to unpack it. false: no memory.
bool sg_state_keep(struct sg_kept *kept, struct sg_slice body);
void sg_state_drop(struct sg_kept *kept);

// Look-ups; 0: there is none.
uint32_t sg_state_find(const struct sg_table *table, struct sg_slice key);
uint32_t sg_state_release_at(const struct sg_state *state, uint64_t seq);
static inline struct sg_slice
sg_state_hash(const uint8_t sha256[32])
{
    return sg_slice_of(sha256, 32);
}

static inline const struct sg_flow *
sg_state_flow(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->flows, index);
}
static inline const struct sg_release *
sg_state_release(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->releases, index);
}
static inline const struct sg_subscription *
sg_state_subscription(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->subscriptions, index);
}
static inline const struct sg_delivery *
sg_state_delivery(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->deliveries, index);
}
static inline const struct sg_rendition *
sg_state_rendition(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->renditions, index);
}
static inline const struct sg_agreement *
sg_state_agreement(const struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->agreements, index);
}
