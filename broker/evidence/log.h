// log - the segment files of the evidence log: appending and recovering.
//
// Owns evidence/*.log: files of one fixed size, zeroed ahead, so that appending
// changes nothing but bytes. Entries are chained by their leaves. Invariants:
// frames are written in order of sequence; the next segment is begun only when
// the one before is synced; whoever appends has synced the payload that the
// entries speak of before he calls _write. What is torn and what is damage:
// entries below the size that was signed must be there and chained; only what
// lies above may be cut (formats.md (c), decisions-security S25).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/diag.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/segment.h"

enum {
    SG_LOG_ENTRY = SG_ENTRY_HEAD_LEN + SG_LIMIT_ENTRY,
    SG_LOG_BUFFER = SG_LIMIT_ENTRY + 1024 * 1024,
};

struct sg_log {
    const struct sg_disk *disk;
    char dir[SG_DISK_PATH];
    uint8_t genesis[32];
    uint64_t epoch;
    uint32_t segment_bytes;
    // end of the log
    uint64_t next_seq;
    uint64_t last_time;
    uint8_t last_leaf[32];
    // segment being written
    int fd;
    uint64_t first_seq; // its name
    uint64_t at;        // where the next frame goes, buffered ones counted
    bool dirty;
    uint8_t *entry; // one, while it is framed
    uint8_t *buffer;
    size_t buffer_len;
    uint64_t buffer_at; // where buffer[0] goes
    // the next one, zeroed ahead piece by piece
    int spare_fd;
    uint64_t spare_zeroed;
    void (*crash_point)(void *arg, const char *name);
    void *crash_arg;
};

// Where a walk begins: behind the entries that a snapshot covers, or at 0.
struct sg_log_start {
    uint64_t size;    // entries before
    uint64_t segment; // first sequence of the segment to begin in
    uint32_t at;      // and where
    uint8_t leaf[32]; // of entry size - 1
    uint64_t time_us;
};

// What must be there. size 0: nothing is known.
struct sg_log_known {
    uint64_t size; // entries under the newest durable checkpoint
    uint8_t root[32];
    uint64_t index_size; // entries that the index follows from
    uint8_t index_leaf[32];
};

struct sg_log_visit {
    void *arg;
    // root over the entries so far, asked for at known.size alone
    void (*root)(void *arg, uint8_t root[32]);
    enum sg_err (*entry)(void *arg, const struct sg_entry *entry,
                         const uint8_t leaf[32], uint32_t frame_at);
};

// Makes segment 0 in dir with its header and no entries, durable.
SG_MUST_CHECK enum sg_err sg_log_create(const struct sg_disk *disk,
                                        const char *dir,
                                        uint32_t segment_bytes);
// Sets up; nothing is read yet. segment_bytes: of segments to be made.
SG_MUST_CHECK enum sg_err sg_log_open(struct sg_log *log,
                                      const struct sg_disk *disk,
                                      const char *dir, uint32_t segment_bytes);
void sg_log_close(struct sg_log *log);

// genesis (leaf of entry 0) of a folder of segments, and the epoch of the newest
// one. SG_ERR_NOT_FOUND: no segments; SG_ERR_DAMAGE: no usable first one.
SG_MUST_CHECK enum sg_err sg_log_identity(const char *dir, uint8_t genesis[32],
                                          uint64_t *epoch,
                                          struct sg_diag *diag);
// Walks from start to the end of what is whole, calling visit. Entries that
// must be there (known) and are not, or are others: SG_ERR_DAMAGE and diag.
// Afterwards the log knows its end. O(bytes after start).
SG_MUST_CHECK enum sg_err sg_log_recover(struct sg_log *log,
                                         const struct sg_log_start *start,
                                         const struct sg_log_known *known,
                                         const struct sg_log_visit *visit,
                                         struct sg_diag *diag);
// Makes the end found by sg_log_recover the end on disk: writes again what lies
// above the durable size (after a failed sync the cache may hold what the disk
// does not), zeros behind it, removes segments behind it, syncs.
SG_MUST_CHECK enum sg_err sg_log_settle(struct sg_log *log,
                                        uint64_t durable_size);
// After it: goes on in a segment of this epoch, which is later than that of the
// log. One that a cut left without entries is written over.
SG_MUST_CHECK enum sg_err sg_log_new_epoch(struct sg_log *log, uint64_t epoch);

// Room for a body of body_len bytes without writing?
bool sg_log_has_room(const struct sg_log *log, size_t body_len);
// Writes what is buffered and goes on to the next segment if the body does not
// fit this one.
SG_MUST_CHECK enum sg_err sg_log_make_room(struct sg_log *log, size_t body_len);
// Buffers one entry: type, time, blind and body are given, sequence and prev are
// set here. Asserts room and times in order. *frame_at: in its segment.
void sg_log_append(struct sg_log *log, struct sg_entry *entry, uint8_t leaf[32],
                   uint32_t *frame_at);
SG_MUST_CHECK enum sg_err sg_log_write(struct sg_log *log);
SG_MUST_CHECK enum sg_err sg_log_sync(struct sg_log *log);
// A piece of the next segment, when this one is half full: call when idle.
SG_MUST_CHECK enum sg_err sg_log_prepare(struct sg_log *log);
