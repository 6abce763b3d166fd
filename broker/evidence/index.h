// index - what is final, found by key: an LMDB environment beside the log.
//
// Owns home/index/. Holds rows (table, key) -> bytes, a watermark (how much of
// the log the rows follow from) and the newest snapshot. All of it follows from
// the log: it is made in a folder beside and renamed, thrown away whenever it
// is missing, unreadable or another log's, and made again by replay. LMDB does
// not see flipped bits, so every record has its own CRC32C. Never MDB_NOSYNC
// and never WRITEMAP (reliability.md 0.8-0.10): commits leave out only the sync
// of the meta page, which sg_index_commit makes good when asked.
// One thread writes; another may find.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_index; // opaque

enum { SG_INDEX_KEY_MAX = 500 };

// Where replay goes on: state after the first size entries.
struct sg_index_snapshot {
    uint64_t size;    // 0: there is none
    uint8_t leaf[32]; // of entry size - 1
    uint64_t time_us; // its time
    uint8_t root[32]; // over size entries
    uint64_t segment; // first sequence of the segment it ends in
    uint32_t at;      // where its frame ends there
    uint64_t epoch;
    uint8_t state_sha256[32];
    struct sg_slice core; // borrowed from the map until sg_index_rest
};

struct sg_index_state {
    bool known;       // a watermark that passes its check
    uint64_t size;    // entries it stands for
    uint8_t leaf[32]; // of entry size - 1
    uint64_t rows;    // entries the rows follow from; less after a drop
};

// Opens home/index, or makes an empty one. genesis: leaf of entry 0; an index
// of another log, or one that cannot be read, is thrown away. state->known is
// false for an empty one.
SG_MUST_CHECK enum sg_err sg_index_open(const char *home, uint64_t map_bytes,
                                        const uint8_t genesis[32],
                                        struct sg_index **index,
                                        struct sg_index_state *state);
void sg_index_close(struct sg_index **index);
// Throws the rows and the snapshot away and begins again. must: the watermark
// that is kept, so that a log that was found too short is so at the next start
// too; NULL: none.
SG_MUST_CHECK enum sg_err sg_index_drop(struct sg_index *index,
                                        const struct sg_index_state *must);
// size 0: none, or it fails its check.
void sg_index_snapshot(struct sg_index *index,
                       struct sg_index_snapshot *snapshot);

// Found by others only after sg_index_commit. value of 0 bytes: removes.
SG_MUST_CHECK enum sg_err sg_index_put(struct sg_index *index, uint8_t table,
                                       struct sg_slice key,
                                       struct sg_slice value);
// Everything put follows from the first size entries, the last of which has
// this leaf. snapshot: may be NULL; with one, everything is synced to disk.
SG_MUST_CHECK enum sg_err
sg_index_commit(struct sg_index *index, uint64_t size, const uint8_t leaf[32],
                const struct sg_index_snapshot *snapshot);
// value: borrowed until the next find or sg_index_rest. SG_ERR_CORRUPT: the
// record fails its check; the index will be thrown away at the next open.
SG_MUST_CHECK enum sg_err sg_index_find(struct sg_index *index, uint8_t table,
                                        struct sg_slice key,
                                        struct sg_slice *value);
// The first record of the table whose key is not before key; both borrowed like
// value above. SG_ERR_NOT_FOUND: there is none.
SG_MUST_CHECK enum sg_err sg_index_next(struct sg_index *index, uint8_t table,
                                        struct sg_slice key,
                                        struct sg_slice *found,
                                        struct sg_slice *value);
// Lets borrowed bytes go, so that pages can be used again.
void sg_index_rest(struct sg_index *index);
