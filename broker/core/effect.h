// effect - what the core wants done outside, and when it may be done.
//
// An effect may be carried out once every entry up to after_seq is durable
// (SG_AFTER_NOTHING: at once). The loop alone holds back and hands over
// (loop.h); the env carries out and reports back by events. Slices live in the
// output's arena until the loop has handed the effect over, but for
// store_chunk: its payload is the event's, which is why it never waits.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"
#include "broker/core/event.h"
#include "broker/core/object.h"

#define SG_AFTER_NOTHING UINT64_MAX // gated by no entry
#define SG_NO_ENTRY      UINT64_MAX

enum sg_effect_kind {
    SG_EFFECT_SEND,         // one item to one peer
    SG_EFFECT_MAKE_KEY,     // a fresh key for (manifest, variant)
    SG_EFFECT_STORE_SECRET, // secret block under the key of manifest
    SG_EFFECT_BEGIN_OBJECT, // opens object under the token `upload`
    SG_EFFECT_STORE_CHUNK,  // next chunk of it; answered by upload_stored
    SG_EFFECT_DROP_OBJECT,  // gives an unfinished object up
    SG_EFFECT_REMOVE_OBJECT,
    SG_EFFECT_CHECK_OBJECT, // answered by object_lost, or not at all
    SG_EFFECT_START_JOB,    // answered by job_done
    SG_EFFECT_CANCEL_JOB,
    SG_EFFECT_RELEASE_KEY, // answered by key_sent or key_not_sent
    SG_EFFECT_DESTROY,     // keys; answered by destroyed or destroy_failed
    SG_EFFECT_SWAP_KEYS,   // transport keys that ZAP admits from now on
    SG_EFFECT_CLOSE_PEER,
    SG_EFFECT_PUT_ROW,  // index
    SG_EFFECT_SNAPSHOT, // of the state that ends with entry 13
    SG_EFFECT_STOP,     // everything is written; end the program
    SG_EFFECT_COUNT,
};

// envelope: packed Envelope. receipt_of, checkpoint: the env fills what only
// it can make (sg_effect_fill). chunk_of: payload is the stored ciphertext of
// that chunk, tag included, or with opened its plaintext (structures); otherwise
// payload is inline and often empty.
struct sg_effect_send {
    struct sg_routing to;
    struct sg_slice envelope;
    struct sg_slice payload;
    uint64_t receipt_of; // entry; SG_NO_ENTRY: none
    bool checkpoint;     // fill the newest durable note
    bool figures;        // fill Status with figures of machine and disk
    bool chunk_of, opened;
    bool report_of; // the env opens object and fills ReportIs.report
    uint8_t object[16];
    uint64_t index;
};

struct sg_effect_store {
    uint64_t upload; // token
    uint64_t index;
    bool last;
    struct sg_slice payload;
    uint64_t payload_token; // of the message event
};

enum sg_job_role {
    SG_JOB_READER = 1,
    SG_JOB_JUDGE = 2,
    SG_JOB_WRITER = 3,
    SG_JOB_REVIEW = 4, // judge of a rendition
    SG_JOB_CHOICE = 5, // of a subscription: nothing to read, nothing made
};

// One release in a job. in, by role: reader: spool. judge: leaves, and spool as
// source when the commitment is `file`. writer: leaves, and spool as source.
// review: the rendition as input, leaves as source.
// out: reader: leaves and report; judge: report; writer: output.
struct sg_job_item {
    uint8_t manifest[32];
    struct sg_object input, source;
    struct sg_object leaves, report, output; // id zeros: not made
    bool secret;                             // hand the secret block over
    uint8_t content_root[32];
    uint8_t file_commit[32];
    uint64_t embargo_us; // claimed; 0: none
    uint64_t leaves_count;
    uint64_t size; // bytes as sent
};

struct sg_job {
    uint64_t job;
    enum sg_job_role role;
    struct sg_object structure; // compiled, readable under its own key
    uint8_t structure_sha256[32];
    struct sg_slice terms;     // packed InspectTerms
    struct sg_slice rendition; // packed Rendition; all but reader and judge
    const struct sg_job_item *items;
    size_t count; // 1..SG_LIMIT_JOB_BATCH
};

// The env yields the key through sg_release_key and sends the KEY frame, but
// only when the loop found stop_epoch unchanged (sg_core_stop_epoch).
struct sg_effect_key {
    uint8_t delivery[16];
    struct sg_routing to;
    uint64_t released; // entry 35
    uint64_t stop_epoch;
    uint8_t manifest[32]; // name of the key
    uint8_t variant[16];
    uint64_t request; // for the Envelope: 0
};

struct sg_effect {
    enum sg_effect_kind kind;
    bool done; // the loop handed it over already
    uint64_t after_seq;
    union {
        struct sg_effect_send send;
        struct {
            uint8_t manifest[32];
            uint8_t variant[16];
        } make_key;
        struct {
            uint64_t upload; // whose; a failure is its upload_stored
            uint8_t manifest[32];
            struct sg_slice block;
        } secret;
        struct {
            uint64_t upload;
            struct sg_object object;
        } begin;
        struct sg_effect_store store;
        uint64_t upload; // DROP_OBJECT
        uint8_t object_id[16];
        const struct sg_job *start_job;
        uint64_t job; // CANCEL_JOB
        struct sg_effect_key key;
        struct {
            // manifest | variant; variant all 0xff: every key of the release
            const uint8_t (*names)[48];
            size_t count;
        } destroy;
        struct {
            const uint8_t (*keys)[32]; // ascending by bytes
            size_t count;
        } swap;
        struct sg_routing peer;
        enum sg_err reason; // STOP: SG_OK, or why the gate must not go on
        struct {
            uint8_t table;
            struct sg_slice key, value;
        } row;
        struct {
            uint8_t state_sha256[32];      // as entry 13 states it
            const struct sg_piece *pieces; // of what a start reads, in order
        } snapshot;
    } u;
};

// An entry to append, in the order in which they come. The evidence writer adds
// prev and blind bytes (formats.md c).
struct sg_appended {
    uint64_t seq;
    uint16_t type; // enum sg_entry_type
    uint64_t time_us;
    struct sg_slice body;
};

// What one turn gave. Owned by the loop, filled by the core; all memory is in
// arena. Entries are already applied to the core.
struct sg_output {
    struct sg_arena *home; // where it lies itself
    size_t arena_cap;
    struct sg_arena *arena;
    struct sg_appended *entries;
    size_t entries_count, entries_cap;
    struct sg_effect *effects;
    size_t effects_count, effects_cap;
};

struct sg_output *sg_output_new(size_t arena_cap); // NULL: no memory
void sg_output_free(struct sg_output **output);
void sg_output_reset(struct sg_output *output);
// Room for one more message whatever it does? If not, end the turn.
bool sg_output_has_room(const struct sg_output *output);
// A zeroed effect at the end; asserts room.
struct sg_effect *sg_output_effect(struct sg_output *output,
                                   enum sg_effect_kind kind,
                                   uint64_t after_seq);
// A zeroed entry at the end; asserts room.
struct sg_appended *sg_output_entry(struct sg_output *output);

// What only the env knows of machine and disk, in bytes.
struct sg_figures {
    uint64_t peak;        // most memory that statgated ever had
    uint64_t worker_peak; // the same of the largest worker that answered
    uint64_t evidence;    // files of the log
    uint64_t disk_free;
};

// What the env has for a send; of each only what it was asked for is looked at.
struct sg_filling {
    struct sg_slice receipt; // with report_of the plaintext of the report
    struct sg_slice note;
    struct sg_figures figures;
};

// Puts it where it belongs in a packed Envelope (Receipt.receipt,
// Refusal.receipt, Result's, DeliveryBegin.receipt,
// StatementIs.receipt; Welcome.checkpoint, Checkpoint.note; Status). envelope:
// carved from arena. SG_ERR_FULL: arena.
SG_MUST_CHECK enum sg_err sg_effect_fill(struct sg_arena *arena,
                                         const struct sg_effect_send *send,
                                         const struct sg_filling *with,
                                         struct sg_slice *envelope);
// For a receipt that cannot be made: a RECEIPT or a RESULT that brings one
// becomes a refusal.
SG_MUST_CHECK enum sg_err sg_effect_refuse(struct sg_arena *arena,
                                           struct sg_slice *envelope,
                                           enum sg_err why);
