// payload_write - the writer thread's side of the payload store.
//
// An attempt is one try to write one object. The loop makes it (with the sealing
// key already in it), hands it to the writer with the first item that names it,
// and frees it when the writer reports its end. Between, the writer alone
// touches all but `given`, which is the loop's. A chunk number is sealed once
// an attempt (decisions-security S32). A large object is durable when it is
// reported, a small one before the next entry is (writer.h).
#pragma once

#include "broker/base/crypto.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/payload.h"
#include "schemas/proof/seal.h"

// Where an object lies. segment 0: a file of its own.
struct sg_payload_place {
    uint32_t month;   // year * 100 + month
    uint32_t segment; // number of the small-object segment, from 1
    uint64_t at;      // its description in the segment
};

struct sg_payload_attempt {
    uint64_t token;
    struct sg_payload_meta meta; // chunk_root is set at the end
    struct sg_payload_place place;
    struct sg_seal seal; // aead NULL: chunks come sealed (adopt)
    int fd;              // a large object's file, or the adopted one
    uint64_t given;      // chunks queued by the loop
    bool dropped;        // by the loop: its events are not passed on
    uint64_t stored;     // chunks written
    uint64_t end;        // bytes written
    bool is_new;         // its name in the folder is not yet durable
    bool whole;
    bool dirty;
    enum sg_err err; // the first thing that went wrong
    struct sg_payload_attempt *next_dirty;
    struct sg_merkle tree; // of chunks
};

struct sg_payload_writer {
    const struct sg_disk *disk;
    char dir[SG_DISK_PATH];
    uint32_t month;   // of the open segment
    uint32_t segment; // its number; 0: none open
    uint32_t last;    // largest number used in this month
    int fd;
    uint64_t at, zeroed;
    bool dirty;
    bool broken; // a write failed: the next object begins a new segment
    uint32_t new_dirs[2]; // months whose folder is to be synced
    bool new_month;       // payload/ itself is to be synced
    struct sg_payload_attempt *dirty_list;
    uint8_t *buffer; // one sealed chunk
    size_t buffer_cap;
    void (*crash_point)(void *arg, const char *name);
    void *crash_arg;
};

// key: K, or NULL when the chunks come sealed. SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err
sg_payload_attempt_new(uint64_t token, const struct sg_payload_meta *meta,
                       const uint8_t *key, struct sg_payload_attempt **attempt);
void sg_payload_attempt_free(struct sg_payload_attempt **attempt);
// One chunk, small enough for a segment?
bool sg_payload_is_small(const struct sg_payload_meta *meta);

SG_MUST_CHECK enum sg_err
sg_payload_writer_open(struct sg_payload_writer *writer,
                       const struct sg_disk *disk, const char *dir);
void sg_payload_writer_close(struct sg_payload_writer *writer);

// Seals and stores the next chunk; with the last one the object is whole.
SG_MUST_CHECK enum sg_err
sg_payload_write_chunk(struct sg_payload_writer *writer,
                       struct sg_payload_attempt *attempt, uint64_t index,
                       struct sg_slice bytes);
// attempt->fd holds sealed chunks: length, hashes, description, name.
SG_MUST_CHECK enum sg_err
sg_payload_write_adopted(struct sg_payload_writer *writer,
                         struct sg_payload_attempt *attempt);
// Removes what an attempt has written.
void sg_payload_write_drop(struct sg_payload_writer *writer,
                           struct sg_payload_attempt *attempt);
bool sg_payload_is_dirty(const struct sg_payload_writer *writer);
// Large objects or new folders wait to be synced: not put off.
bool sg_payload_is_urgent(const struct sg_payload_writer *writer);
// Everything written so far becomes durable, names too.
SG_MUST_CHECK enum sg_err sg_payload_sync(struct sg_payload_writer *writer);

// ---- the loop's side of what the writer did ---------------------------------

// dir: home/payload; reads what is there, removes unfinished files. cap:
// objects at most.
SG_MUST_CHECK enum sg_err sg_payload_open(const struct sg_disk *disk,
                                          const char *dir, uint32_t cap,
                                          struct sg_payload **payload);
void sg_payload_close(struct sg_payload **payload);
// An object became durable. SG_ERR_FULL: cap; SG_ERR_EXISTS: its id is taken.
SG_MUST_CHECK enum sg_err sg_payload_add(struct sg_payload *payload,
                                         const uint8_t id[16],
                                         const struct sg_payload_place *place);

// Bytes on disk of an object, description included, and back.
void sg_payload_meta_encode(const struct sg_payload_meta *meta, bool removed,
                            uint8_t bytes[SG_PAYLOAD_META_LEN]);
SG_MUST_CHECK enum sg_err
sg_payload_meta_decode(const uint8_t bytes[SG_PAYLOAD_META_LEN],
                       struct sg_payload_meta *meta, bool *removed);
uint64_t sg_payload_stored_bytes(const struct sg_payload_meta *meta);
// Year and month of a time (proleptic Gregorian): year * 100 + month.
uint32_t sg_payload_month(uint64_t time_us);
bool sg_payload_object_path(char out[SG_DISK_PATH], const char *dir,
                            uint32_t month, const uint8_t id[16]);
bool sg_payload_segment_path(char out[SG_DISK_PATH], const char *dir,
                             uint32_t month, uint32_t segment);
