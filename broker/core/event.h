// event - what happens to the core: everything that comes from outside.
//
// One tag and one body each. All slices and pointers are borrowed for the call
// of sg_core_decide only; what the core keeps it copies. Every event carries 32
// fresh CSPRNG bytes, the only randomness the core ever sees: it derives ids of
// deliveries, attempts, variants and objects from them (random.h), so that the
// same events give the same log.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "broker/core/object.h"

enum { SG_ROUTING_MAX = 40 };

// Where an answer goes; opaque bytes of the env, no authority in them.
struct sg_routing {
    uint8_t len; // 0: nobody
    uint8_t bytes[SG_ROUTING_MAX];
};

enum sg_event_kind {
    SG_EVENT_MESSAGE,       // one item of a frame
    SG_EVENT_PEER_GONE,     // its connection ended (EHOSTUNREACH)
    SG_EVENT_UPLOAD_STORED, // a chunk was stored, or the whole object, or not
    SG_EVENT_JOB_DONE,
    SG_EVENT_KEY_SENT,     // a KEY frame was handed to the transport
    SG_EVENT_KEY_NOT_SENT, // it was not and never will be
    SG_EVENT_DURABLE,      // every entry up to seq is durable
    SG_EVENT_INDEX_AT,     // rows of entries up to seq are found in the index
    SG_EVENT_TIMER,        // time went on, nothing else
    SG_EVENT_DISK,         // free space crossed the line
    SG_EVENT_FLOODED,      // a key made memory grow and is kept out for a while
    SG_EVENT_CLOCK_STEPPED, // more than limits allow; now() goes on (S50)
    SG_EVENT_ZAP_REFUSED,
    SG_EVENT_OBJECT_LOST,     // damage found on reading
    SG_EVENT_LOG_DAMAGED,     // seq: in what was checked after the start
    SG_EVENT_DESTROYED,       // the keys named are gone
    SG_EVENT_DESTROY_FAILED,  // none of them is
    SG_EVENT_ORPHANS,         // keys that nothing known needs, after recovery
    SG_EVENT_STOP,            // the operator wants the gate to end
    SG_EVENT_EVIDENCE_FAILED, // nothing will become durable any more
    SG_EVENT_COUNT,
};

// curve_key is what ZAP admitted; the core looks it up in the live roster for
// every message. A frame that was no sequence of items comes with malformed.
struct sg_event_message {
    uint8_t curve_key[32];
    struct sg_routing from;
    struct sg_slice envelope; // packed Envelope, unchecked
    struct sg_slice payload;  // payload of the item, or empty
    uint64_t payload_token;   // env's name for payload (effect store_chunk)
    bool malformed;
};

// whole false: chunk index of upload is stored (it may be sealed and queued, it
// need not be durable: frees credit). whole true: all chunks of the object are
// written, and durable before any entry decided from now on is; chunk_root
// holds. err: the object is given up and removed.
struct sg_event_stored {
    uint64_t upload;
    uint64_t index;
    uint64_t bytes; // plaintext of the chunk
    bool whole;
    enum sg_err err;
    uint8_t chunk_root[32];
};

// What became of one output object of a job: written, and durable before any
// entry decided from now on is.
struct sg_job_output {
    bool made;
    uint64_t chunks, bytes; // plaintext bytes
    uint8_t chunk_root[32];
    uint8_t key_commit[32]; // of the object's key (formats.md d)
};

// Outputs in the order of the job's items: leaves, report, output.
struct sg_job_outputs {
    struct sg_job_output leaves, report, output;
};

// err != SG_OK: no answer (crash, timeout, lie); done is empty then.
struct sg_event_job {
    uint64_t job;
    enum sg_err err;
    struct sg_slice done; // packed Done of worker.proto, unchecked
    const struct sg_job_outputs *outputs;
    size_t outputs_count; // that of the job's items, or 0
};

struct sg_event_key {
    uint8_t delivery[16];
    uint64_t released; // entry 35
};

struct sg_event {
    enum sg_event_kind kind;
    uint8_t random[32];
    union {
        struct sg_event_message message;
        struct sg_routing peer; // PEER_GONE
        struct sg_event_stored stored;
        struct sg_event_job job;
        struct sg_event_key key; // KEY_SENT, KEY_NOT_SENT
        uint64_t seq;            // DURABLE, INDEX_AT, LOG_DAMAGED
        struct {
            uint64_t free_bytes;
            bool enough; // SG_LIMIT_DISK_KEEP_PCT are free
        } disk;
        uint8_t curve_key[32]; // FLOODED
        struct {
            uint64_t from, to; // microseconds UTC
        } clock;
        uint64_t refused;      // ZAP_REFUSED: handshakes since the last
        uint8_t object_id[16]; // OBJECT_LOST
        struct {
            uint64_t table;
            const char *class; // hardware medium best_effort
        } destroyed;           // the group of the effect DESTROY
        struct {
            const uint8_t (*names)[48]; // manifest | variant
            size_t count;
        } orphans;
    } u;
};
