// writer - the one thread that makes things durable.
//
// Takes items from a bounded queue that the loop alone fills, in order, and
// works them off in groups that end where the loop said so (SG_WRITER_FLUSH):
// key rows and payload synced -> entries written -> log synced -> checkpoint
// signed -> slot synced -> told to the loop. No payload in a group: its syncs
// fall away; no entries: small objects and key rows are told as written, and are
// synced before the next entry is. While the thread runs, the parts belong to
// it; before and after, to the loop. The first failed write or sync of log, slot
// or keys ends it for good (reliability.md B): what is not yet told never will
// be.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/evidence/evidence.h"
#include "broker/evidence/index.h"
#include "broker/evidence/keys_table.h"
#include "broker/evidence/log.h"
#include "broker/evidence/payload_write.h"
#include "broker/evidence/slot.h"
#include "broker/evidence/tree.h"
#include "schemas/proof/note.h"

enum {
    SG_WRITER_ITEMS = 8192,             // a turn of 256 releases makes < 3000
    SG_WRITER_BYTES = 32 * 1024 * 1024, // copies: entries, rows, small objects
};

enum sg_writer_kind {
    SG_WRITER_ENTRY = 1,
    SG_WRITER_CHUNK, // attempt, index, bytes, buffer
    SG_WRITER_ADOPT, // attempt
    SG_WRITER_DROP,  // attempt
    SG_WRITER_KEY_ROW,
    SG_WRITER_SECRET,
    SG_WRITER_REWRAP,        // image
    SG_WRITER_DESTROY_WRAPS, // class
    SG_WRITER_ROW,           // table, key, bytes
    SG_WRITER_COMMIT_ROWS,
    SG_WRITER_SNAPSHOT, // snapshot
    SG_WRITER_FLUSH,
};

struct sg_writer_item {
    enum sg_writer_kind kind;
    uint16_t type;
    uint8_t table;
    uint32_t key_len;
    uint64_t number; // seq, chunk index, or index of a row
    uint64_t time_us;
    struct sg_slice bytes; // copied into the queue when `copy` was asked
    void *buffer;
    struct sg_payload_attempt *attempt;
    struct sg_keys_image *image;
    struct sg_index_snapshot *snapshot; // malloc'ed, core behind it
    enum sg_keys_class class;
    uint64_t ring_end; // of the copies, once this one is done
};

// What the thread tells. Attempts come back with SG_EVIDENCE_OBJECT.
struct sg_writer_done {
    enum sg_evidence_event_kind kind;
    enum sg_err err;
    uint64_t seq, index;
    void *buffer;
    struct sg_payload_attempt *attempt;
    enum sg_keys_class class;
};

// The newest durable state.
struct sg_writer_durable {
    uint64_t size;
    uint8_t root[32];
    uint64_t segment; // first sequence of the newest segment
    char note[SG_NOTE_MAX];
    uint32_t note_len;
    enum sg_err failed;
    const char *failed_at;
};

struct sg_writer_parts {
    struct sg_log log;
    struct sg_tree tree;
    struct sg_slots slots;
    struct sg_payload_writer payload;
    struct sg_keys_files keys;
    struct sg_index *index;
    struct sg_signer *log_key;
    char origin[SG_NOTE_ORIGIN_MAX];
    enum sg_err (*random)(void *arg, void *out, size_t len);
    void *random_arg;
    const struct sg_disk *disk;
    void (*crash_point)(void *arg, const char *name);
    void *crash_arg;
};

struct sg_writer_thread; // opaque

// A checkpoint over all entries of parts, signed, not written.
SG_MUST_CHECK enum sg_err sg_writer_sign(struct sg_writer_parts *parts,
                                         struct sg_slot *slot);
// Signs one and puts it into the slot.
SG_MUST_CHECK enum sg_err sg_writer_checkpoint(struct sg_writer_parts *parts,
                                               struct sg_writer_durable *out);

// parts stay the caller's and must outlive the thread. durable: what is so now.
SG_MUST_CHECK enum sg_err
sg_writer_start(struct sg_writer_parts *parts,
                const struct sg_writer_durable *durable,
                struct sg_writer_thread **thread);
// Works off what is queued, then ends the thread; its failure, if it has failed.
// *thread becomes NULL.
enum sg_err sg_writer_stop(struct sg_writer_thread **thread);

int sg_writer_fd(const struct sg_writer_thread *thread);
uint32_t sg_writer_room(struct sg_writer_thread *thread);
// copy: bytes are copied; else they stay untouched until the item is told of.
// SG_ERR_BUSY: no room; SG_ERR_IO: the thread has failed.
SG_MUST_CHECK enum sg_err sg_writer_push(struct sg_writer_thread *thread,
                                         const struct sg_writer_item *item,
                                         bool copy);
bool sg_writer_next(struct sg_writer_thread *thread,
                    struct sg_writer_done *done);
void sg_writer_durable(struct sg_writer_thread *thread,
                       struct sg_writer_durable *out);
// The size alone; cheap.
uint64_t sg_writer_durable_size(struct sg_writer_thread *thread);
