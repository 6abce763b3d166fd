// evidence_inside - what the files of the façade share. For them alone.
#pragma once

#include "broker/base/table.h"
#include "broker/evidence/evidence.h"
#include "broker/evidence/writer.h"

enum { SG_EVIDENCE_ATTEMPTS = 2 * 4096 }; // SG_LIMIT_UPLOADS and jobs' outputs

// Checking again what a start from a snapshot did not read
// (evidence_recheck.c).
struct sg_recheck {
    bool begun, done;
    bool unchained; // the entry before the next is in an archive
    struct sg_segment segment;
    uint64_t *firsts; // of all segments
    size_t count, now;
    uint64_t next_seq;
    uint8_t leaf[32];
    uint64_t bad_from, bad_to; // entries that cannot be shown; equal: none
};

struct sg_evidence {
    struct sg_evidence_options options;
    char home[SG_DISK_PATH];
    char gate[65];
    char dir[SG_DISK_PATH]; // home/evidence
    char keys_dir[SG_DISK_PATH];
    int lock_fd;
    uint8_t genesis[32];
    uint8_t log_public[32];
    const struct sg_disk *disk;

    struct sg_writer_parts parts; // the thread's while it runs
    struct sg_writer_thread *thread;
    struct sg_writer_durable durable; // as last seen by poll
    uint64_t next_seq, last_time;
    uint64_t told; // size of the last SG_EVIDENCE_DURABLE
    bool failure_told;

    struct sg_index *index;
    struct sg_index_state index_state;
    struct sg_index_snapshot snapshot;
    struct sg_entry last;  // of the snapshot; its body in `entry`
    struct sg_slot slot;   // newest at open
    uint64_t largest_seen; // at open, by checkpoint or index
    bool rows_put;         // during replay
    bool index_dropped;    // it is empty, whatever index_state says

    struct sg_keys *keys;
    struct sg_payload *payload;
    struct sg_table *attempts; // token -> struct sg_payload_attempt *
    uint8_t *chunk;            // one sealed chunk
    uint8_t *entry;            // one entry or row, while it is put together

    struct sg_recheck recheck;

    // reading entries
    uint64_t *firsts;
    size_t firsts_count;
    int read_fd;
    uint64_t read_first;
};

// The last of the first size entries under root; its body lies in ev->entry.
SG_MUST_CHECK enum sg_err sg_evidence_ends_with(struct sg_evidence *ev,
                                                uint64_t size,
                                                const uint8_t root[32],
                                                struct sg_entry *entry);
void sg_evidence_recheck_close(struct sg_recheck *at);
