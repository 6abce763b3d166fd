// evidence - the gate's memory: log, checkpoints, index, payload, keys.
//
// The one door of broker/evidence for the loop (env_local.c). Owns under home:
// evidence/ (segments, checkpoint, tree), index/ (LMDB), payload/, keys/ and the
// one writer thread. The loop puts work into a bounded queue and never waits
// for a disk; what became durable comes back through sg_evidence_poll when the
// descriptor of sg_evidence_fd is readable. Invariant: nothing is reported
// durable before its payload, the log, and a signed checkpoint over it are on
// disk, in this order (core-design 0 R3). A failed write or sync is final: one
// SG_EVIDENCE_FAILED comes, every later call returns SG_ERR_IO, and the program
// must exit and recover. It never decides anything and never reads a clock.
//
// Way of a start: _open, _snapshot (the core loads it, or _drop_snapshot),
// _replay (the core applies), _start; then appends. All calls from one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "broker/evidence/keys.h"
#include "broker/evidence/payload.h"
#include "broker/evidence/release_key.h"
#include "schemas/proof/epoch.h"

struct sg_evidence; // opaque
struct sg_disk;     // disk.h: the file operations; NULL takes the real ones

struct sg_evidence_options {
    const char *home;          // folder; made with 0700 by _create
    const char *gate;          // id
    struct sg_signer *log_key; // role log; borrowed until _close; the writer
                               // thread alone uses it after _start
    // 16 blind bytes an entry, keys, nonces. NULL: the system's.
    enum sg_err (*random)(void *arg, void *out, size_t len);
    void *random_arg;
    const struct sg_disk *disk; // tests inject faults here
    void (*crash_point)(void *arg, const char *name); // tests only; or NULL
    void *crash_arg;
    uint32_t segment_bytes; // 0: SG_LIMIT_SEGMENT; tests take less
    uint32_t keys_cap;      // rows; 0: 1,000,000
    uint64_t map_bytes;     // address space of the index; 0: 16 GiB
    // How surely an overwritten and unlinked wrapping key is gone: MEDIUM only
    // where keys/ lies on a file system of its own that writes in place.
    enum sg_keys_class keys_class;
    // The home was brought back from a copy: _start opens a new epoch of the
    // log with at least this number (S27). 0: the log goes on.
    uint64_t new_epoch;
};

struct sg_evidence_entry {
    uint64_t seq;
    uint16_t type; // enum sg_entry_type of schemas/proof/entry.h
    uint64_t time_us;
    struct sg_slice body; // valid during the call
    uint8_t leaf[32];
};

// State of the core after entries 0..seq.
struct sg_evidence_snapshot {
    uint64_t seq;
    uint8_t state_sha256[32];      // what entry 13 says; the core compares
    struct sg_slice core;          // opaque; valid until _replay returns
    const struct sg_piece *pieces; // the same to be saved; NULL: in core
    // When found: the entry seq itself, proven to be of this log. Who wrote the
    // snapshot says there what the state was; the index alone proves nothing.
    uint16_t type;
    struct sg_slice body; // valid until the next call
};

// ---- making and opening ----------------------------------------------------

// Makes evidence/, payload/ and keys/ in home, with a log whose entry 0 (type
// genesis) has this body, durable and under a signed checkpoint. evidence/ is
// made under another name and renamed last, so that a half-made one is never
// seen. genesis: leaf of entry 0. SG_ERR_EXISTS: there is a log already.
SG_MUST_CHECK enum sg_err
sg_evidence_create(const struct sg_evidence_options *options, uint64_t time_us,
                   struct sg_slice genesis_body, uint8_t genesis[32]);

// Opens and checks slot, snapshot, index, keys. SG_ERR_DAMAGE: the log is
// shorter or other than what was signed (diag says what, where, and the cure);
// nothing may be served. SG_ERR_NOT_FOUND: no home.
SG_MUST_CHECK enum sg_err
sg_evidence_open(const struct sg_evidence_options *options,
                 struct sg_evidence **evidence, struct sg_diag *diag);
// Before _start, or after a failure: lets everything go. After _start: what is
// queued is made durable first. *evidence becomes NULL; takes NULL.
void sg_evidence_close(struct sg_evidence **evidence);

// The newest usable snapshot; false: none, replay begins at entry 0. One whose
// last entry is not in the log (it is newer, or of another log) is forgotten.
bool sg_evidence_snapshot(struct sg_evidence *evidence,
                          struct sg_evidence_snapshot *snapshot);
// The core cannot use it: forget it and the whole index, replay from 0; the
// core puts the rows again.
SG_MUST_CHECK enum sg_err
sg_evidence_drop_snapshot(struct sg_evidence *evidence);

// Calls visit for each entry after the snapshot, in order, each verified (CRC,
// form, chain, times). visit's error is returned unless the log is
// damaged; no further entry is shown then.
// sg_evidence_put_row may be called from visit. O(bytes of the log after the
// snapshot). SG_ERR_DAMAGE as above.
SG_MUST_CHECK enum sg_err sg_evidence_replay(
    struct sg_evidence *evidence,
    enum sg_err (*visit)(void *arg, const struct sg_evidence_entry *entry),
    void *arg, struct sg_diag *diag);

// Cuts a torn tail, makes the rest durable again, signs a checkpoint over all
// of it, starts the writer thread.
SG_MUST_CHECK enum sg_err sg_evidence_start(struct sg_evidence *evidence,
                                            struct sg_diag *diag);

// A note that a participant shows, or a receipt's. SG_ERR_SIGNATURE: it is not
// signed by our log key for this gate and genesis.
SG_MUST_CHECK enum sg_err sg_evidence_shown(struct sg_evidence *evidence,
                                            struct sg_slice bytes,
                                            struct sg_shown *out);

// Entries under the checkpoint that was found when the log was opened.
uint64_t sg_evidence_signed_size(const struct sg_evidence *evidence);
const uint8_t *sg_evidence_genesis(const struct sg_evidence *evidence); // 32
const char *sg_evidence_origin(const struct sg_evidence *evidence);
uint64_t sg_evidence_epoch(const struct sg_evidence *evidence);
// The most entries that the home said there were when it was opened, by its
// checkpoint or its index: more than the log has only when it is from a copy.
uint64_t sg_evidence_largest_seen(const struct sg_evidence *evidence);
// Root over the durable entries; after _start.
const uint8_t *sg_evidence_root(const struct sg_evidence *evidence); // 32
// Sequence number of the next entry (entries appended or queued so far).
uint64_t sg_evidence_next_seq(const struct sg_evidence *evidence);
// Time of the last entry appended or queued; `now` of the core never lies
// before it.
uint64_t sg_evidence_last_time(const struct sg_evidence *evidence);
// Bytes of the files in evidence/, what is zeroed ahead counted. O(files).
uint64_t sg_evidence_bytes(const struct sg_evidence *evidence);
// Every entry below it is durable and under a checkpoint.
uint64_t sg_evidence_durable_size(const struct sg_evidence *evidence);

// ---- appending and what comes back -----------------------------------------

enum sg_evidence_event_kind {
    SG_EVIDENCE_DURABLE = 1, // seq: the last durable entry
    // token, index, err, buffer: written; or err (SG_ERR_DISK), then drop it
    SG_EVIDENCE_CHUNK,
    // token, err, meta: whole, and durable before the next entry is; or given up
    SG_EVIDENCE_OBJECT,
    SG_EVIDENCE_INDEX,     // seq: rows put before are found by _find
    SG_EVIDENCE_SNAPSHOT,  // seq: a restart begins after it
    SG_EVIDENCE_REWRAPPED, // seq: g of the new table, durable
    SG_EVIDENCE_WRAP_GONE, // seq: g destroyed; class
    SG_EVIDENCE_FAILED,    // err, text: exit and recover
};

struct sg_evidence_event {
    enum sg_evidence_event_kind kind;
    enum sg_err err;
    uint64_t seq;
    uint64_t token;
    uint64_t index;
    void *buffer; // given with the chunk; the caller's again
    enum sg_keys_class class;
    struct sg_payload_meta meta;
    char text[128]; // FAILED: what failed
};

int sg_evidence_fd(const struct sg_evidence *evidence); // readable: poll
// Never waits. false: nothing more at the moment.
bool sg_evidence_poll(struct sg_evidence *evidence,
                      struct sg_evidence_event *event);

// Queues one entry; seq must be sg_evidence_next_seq (asserted), time_us not
// before the last. The body is copied. SG_ERR_BUSY: the queue is full, poll and
// try again; SG_ERR_FULL: body over SG_LIMIT_ENTRY; SG_ERR_IO: failed.
SG_MUST_CHECK enum sg_err sg_evidence_append(struct sg_evidence *evidence,
                                             uint64_t seq, uint16_t type,
                                             uint64_t time_us,
                                             struct sg_slice body);
// Ends the group that the writer is collecting: call once at the end of a turn.
// What was queued before it becomes durable together.
SG_MUST_CHECK enum sg_err sg_evidence_flush(struct sg_evidence *evidence);
// Room in the queue, in items, so that a turn can be refused before it begins.
uint32_t sg_evidence_room(const struct sg_evidence *evidence);

// ---- payload ---------------------------------------------------------------

struct sg_payload *sg_evidence_payload(struct sg_evidence *evidence);
struct sg_keys *sg_evidence_keys(struct sg_evidence *evidence);

// A new key for (manifest, variant); exists: SG_ERR_EXISTS. Durable before the
// first chunk under it is acknowledged. SG_ERR_FULL: keys_cap.
SG_MUST_CHECK enum sg_err sg_evidence_new_key(struct sg_evidence *evidence,
                                              const uint8_t manifest_sha256[32],
                                              const uint8_t variant[16]);
// The secret block of a release (SG_KEYS_SECRET_LEN bytes), sealed under its
// key, kept beside the table; goes with the key. SG_ERR_NOT_FOUND: no key.
SG_MUST_CHECK enum sg_err
sg_evidence_put_secret(struct sg_evidence *evidence,
                       const uint8_t manifest_sha256[32],
                       const uint8_t block[SG_KEYS_SECRET_LEN]);
SG_MUST_CHECK enum sg_err
sg_evidence_get_secret(struct sg_evidence *evidence,
                       const uint8_t manifest_sha256[32],
                       uint8_t block[SG_KEYS_SECRET_LEN]);

// Opens an attempt to write an object under a token of the caller's (unique
// among open ones). meta: id, manifest, variant, attempt, purpose, chunk_size,
// chunks, bytes, created_us are read; the key must exist (variant zeros or its
// own). SG_ERR_DISK: less than 5 % of the disk is free.
SG_MUST_CHECK enum sg_err
sg_evidence_begin_object(struct sg_evidence *evidence, uint64_t token,
                         const struct sg_payload_meta *meta);
// Plaintext of the next chunk, in order; the writer seals and stores it. bytes
// stay untouched until SG_EVIDENCE_CHUNK brings buffer back. A number is
// written once an attempt: an index already given is SG_ERR_CHUNK_CHANGED, one
// that leaves a gap SG_ERR_CHUNK_ORDER. After the last chunk
// SG_EVIDENCE_OBJECT follows.
SG_MUST_CHECK enum sg_err sg_evidence_put_chunk(struct sg_evidence *evidence,
                                                uint64_t token, uint64_t index,
                                                struct sg_slice bytes,
                                                void *buffer);
// Gives an attempt up; its bytes go. Absent: SG_OK.
SG_MUST_CHECK enum sg_err sg_evidence_drop_object(struct sg_evidence *evidence,
                                                  uint64_t token);
// A whole small object at once (one chunk, copied): begin and put in one.
SG_MUST_CHECK enum sg_err
sg_evidence_put_object(struct sg_evidence *evidence, uint64_t token,
                       const struct sg_payload_meta *meta,
                       struct sg_slice bytes);
// A worker's output (sg_payload_tmpfile or a memfd) that holds sealed chunks
// from byte 0: its length is checked against meta, its chunks are hashed here,
// then it is named without a copy (a memfd is copied). Takes fd over.
SG_MUST_CHECK enum sg_err sg_evidence_adopt(struct sg_evidence *evidence,
                                            uint64_t token,
                                            const struct sg_payload_meta *meta,
                                            int fd);
// Opens one chunk inside the gate (reports, structures, policy bundles);
// out has room for chunk_size bytes.
SG_MUST_CHECK enum sg_err sg_evidence_open_chunk(struct sg_evidence *evidence,
                                                 const uint8_t id[16],
                                                 uint64_t index, uint8_t *out,
                                                 size_t cap, size_t *len);

// ---- destroying keys -------------------------------------------------------

// Names to drop: manifest | variant; variant all 0xff: every key of the
// release. The living are wrapped under a fresh W in table g+1; ends with
// SG_EVIDENCE_REWRAPPED. From now on sg_release_key does not find them.
SG_MUST_CHECK enum sg_err
sg_evidence_destroy_keys(struct sg_evidence *evidence,
                         const uint8_t (*names)[SG_KEYS_NAME_LEN],
                         uint32_t count);
// After entry 19 is durable: destroys every wrapping key older than the current
// one; SG_EVIDENCE_WRAP_GONE says how surely.
SG_MUST_CHECK enum sg_err
sg_evidence_destroy_wraps(struct sg_evidence *evidence);

// ---- index and snapshots ---------------------------------------------------

// A row of the index (final entities): a value of 0 bytes removes the key. Found
// only after _commit_rows came back as SG_EVIDENCE_INDEX (during replay: after
// _start). key <= 500 bytes.
SG_MUST_CHECK enum sg_err sg_evidence_put_row(struct sg_evidence *evidence,
                                              uint8_t table,
                                              struct sg_slice key,
                                              struct sg_slice value);
// Everything put so far follows from entries 0..seq.
SG_MUST_CHECK enum sg_err sg_evidence_commit_rows(struct sg_evidence *evidence,
                                                  uint64_t seq);
// value: borrowed from the map until the next call of any function here.
// SG_ERR_NOT_FOUND; SG_ERR_CORRUPT: the row fails its check, the index will be
// rebuilt at the next start, stop now.
SG_MUST_CHECK enum sg_err sg_evidence_find(struct sg_evidence *evidence,
                                           uint8_t table, struct sg_slice key,
                                           struct sg_slice *value);
// The first row of the table whose key is not before key; otherwise as _find.
SG_MUST_CHECK enum sg_err sg_evidence_find_next(struct sg_evidence *evidence,
                                                uint8_t table,
                                                struct sg_slice key,
                                                struct sg_slice *found,
                                                struct sg_slice *value);
// During _replay: does the index hold the rows of entry seq already? Then they
// are not put again: it may hold newer ones.
bool sg_evidence_has_rows(const struct sg_evidence *evidence, uint64_t seq);
// During _replay: makes the rows of entries up to the last one visited found.
SG_MUST_CHECK enum sg_err
sg_evidence_replay_commit(struct sg_evidence *evidence,
                          const struct sg_evidence_entry *last);
// State after entries 0..seq where seq is the last appended; copied. Implies
// _commit_rows(seq).
SG_MUST_CHECK enum sg_err
sg_evidence_save_snapshot(struct sg_evidence *evidence,
                          const struct sg_evidence_snapshot *snapshot);

// ---- what a start did not read ----------------------------------------------

// Frames and chain of the entries before the snapshot that the start began
// with, so many a call, oldest first; *done: all are looked at. SG_ERR_DAMAGE,
// once: diag says where. From then on no receipt is made of the entries from
// there to the end of their segment. After _start.
SG_MUST_CHECK enum sg_err sg_evidence_recheck(struct sg_evidence *evidence,
                                              uint32_t entries, bool *done,
                                              struct sg_diag *diag);

uint64_t sg_evidence_damaged_at(const struct sg_evidence *evidence);

// ---- proofs ----------------------------------------------------------------

// "SGRC1" (formats.md (d)) for a durable entry against the newest durable
// checkpoint, without roster link. SG_ERR_DAMAGE: it lies in a part of the log
// that is damaged. out: *len bytes; SG_ERR_FULL: cap too small,
// *len says what is needed. O(log n) reads.
SG_MUST_CHECK enum sg_err sg_evidence_receipt(struct sg_evidence *evidence,
                                              uint64_t seq, uint8_t *out,
                                              size_t cap, size_t *len);
// The newest durable checkpoint as a signed note; borrowed until the next poll.
struct sg_slice sg_evidence_checkpoint(const struct sg_evidence *evidence);
// The bytes of a durable entry; SG_ERR_NOT_FOUND: not there (yet), or archived.
SG_MUST_CHECK enum sg_err sg_evidence_read(struct sg_evidence *evidence,
                                           uint64_t seq, uint8_t *out,
                                           size_t cap, size_t *len);
