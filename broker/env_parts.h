// env_parts - what env_local.c, env_effect.c and env_job.c share; nobody else.
#pragma once

#include "broker/base/bytes.h"
#include "broker/base/table.h"
#include "broker/env_clock.h"
#include "broker/env_local.h"
#include "schemas/codec/items.h"

enum {
    SG_ENV_MESSAGES = 64,  // taken off the wire at once
    SG_ENV_OWN = 16384,    // events of our own: half for keys of 16 turns
    SG_ENV_ROWS = 4096,    // put before the index is committed
    SG_ENV_KEYS = 64,      // content keys in one frame
    SG_ENV_STRUCTURES = 8, // kept open; one is a few hundred KiB
};

// Answers for one peer that wait to travel together, content keys among them:
// those are one KEY frame (S36), sent or not as a whole.
struct sg_env_frame {
    struct sg_wire_routing to; // len 0: empty
    struct sg_writer items;
    struct sg_event_key key[SG_ENV_KEYS]; // whose keys are in it
    size_t keys;
    uint8_t bytes[SG_LIMIT_FRAME];
};

// What job_done has to wait for: the outputs of a job becoming durable.
struct sg_env_job {
    struct sg_env_job *next;
    uint64_t job;
    enum sg_job_role role;
    size_t count;
    struct sg_job_item *items; // count
    struct sg_job_outputs *outputs;
    int leaves_fd, report_fd, output_fd; // -1: not wanted
    uint32_t pending;                    // outputs not yet durable
    uint64_t first_token;                // of its outputs, in order
    bool ended;                          // the inspector has answered
    enum sg_err err;
    uint8_t *done; // packed Done
    size_t done_len;
};

// A chunk's bytes while the writer has them: a frame kept, or a copy behind.
struct sg_env_buffer {
    struct sg_env_buffer *next, **link; // of those that the writer has
    struct sg_wire_held *held;          // NULL: the bytes follow
    size_t len;
    uint8_t bytes[];
};

// Tokens of job outputs begin here; those of the core lie below.
#define SG_ENV_TOKENS ((uint64_t)1 << 62)

// An event that we made; bodies that need memory keep it here.
struct sg_env_own {
    struct sg_event event;
    struct sg_env_job *job; // of JOB_DONE; freed after the turn
    void *memory;           // names of ORPHANS; freed after the turn
};

// The structure of the last jobs, in sealed memory: what is the same for all of
// a flow is opened once.
struct sg_env_structure {
    uint8_t object_id[16];
    uint64_t used; // when, counted; 0: free
    int fd;
};

struct sg_env_local {
    struct sg_env_options options;
    struct sg_arena *arena; // of one effect
    struct sg_env_frame frame;
    // frames of the last receive, item by item
    struct sg_wire_message message[SG_ENV_MESSAGES];
    uint32_t messages, message_at;
    struct sg_item item[SG_LIMIT_ITEMS];
    size_t items, item_at;
    // events of our own, a ring
    struct sg_env_own *own;
    uint32_t own_first, own_count;
    struct sg_env_structure structure[SG_ENV_STRUCTURES];
    uint64_t structures_used;
    struct sg_env_buffer *buffers; // with the writer
    struct sg_env_job *jobs;       // with inspectors or waiting for the disk
    struct sg_env_job *spent;      // reported; freed at the next wait
    uint64_t next_token;           // of job outputs, from SG_ENV_TOKENS on
    void *spent_memory;            // of an event; freed at the next wait
    struct sg_env_check *check;    // NULL: nothing was ever to be checked
    const struct sg_core *core;    // since the sweep: who knows what is ours
    uint64_t wraps_due; // entry after which old wrapping keys go; 0: none
    uint32_t rows;      // put since the index was committed
    bool queued;        // the writer was given work that no flush followed yet
    bool stop_told, disk_low, failed, rechecked;
    uint64_t looked_us; // at memory and disk
    uint64_t refused;   // handshakes reported so far
    uint64_t worker_peak;
    struct sg_env_clock clock;
};

void sg_env_buffer_free(struct sg_env_buffer *buffer);
// Puts an event of our own at the end; NULL: too many wait (a bug).
struct sg_env_own *sg_env_own(struct sg_env_local *local,
                              enum sg_event_kind kind);
void sg_env_effect(void *ctx, const struct sg_effect *effect);
// The writer's queue is full: waits until it has worked. false: it has failed.
bool sg_env_wait_writer(struct sg_env_local *local);
// ---- damage (env_check.c) --------------------------------------------------
// Says so in the log of the program and to the core.
void sg_env_lost(struct sg_env_local *local, const uint8_t id[16]);
// Does the log name it still? Also when that is not known.
bool sg_env_knows(const struct sg_env_local *local, const uint8_t id[16]);
void sg_env_check_add(struct sg_env_local *local, const uint8_t id[16]);
bool sg_env_check_pending(const struct sg_env_local *local);
void sg_env_check_step(struct sg_env_local *local);
void sg_env_check_free(struct sg_env_local *local);

// Sends what waits in the frame.
void sg_env_flush(struct sg_env_local *local);

// ---- jobs (env_job.c) --------------------------------------------------------
void sg_env_job_start(struct sg_env_local *local, const struct sg_job *from);
void sg_env_job_cancel(struct sg_env_local *local, uint64_t number);
// An inspector has ended.
void sg_env_job_ended(struct sg_env_local *local,
                      const struct sg_workers_done *done);
// An output became durable, or did not. false: the token is no output's.
bool sg_env_job_stored(struct sg_env_local *local, uint64_t token,
                       enum sg_err err, const struct sg_payload_meta *meta);
void sg_env_job_free(struct sg_env_job *job);
void sg_env_structures_close(struct sg_env_local *local);
