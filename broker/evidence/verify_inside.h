// verify_inside - what verify.c and verify_marks.c share. For them alone.
#pragma once

#include "broker/evidence/disk.h"
#include "broker/evidence/segment.h"
#include "broker/evidence/verify.h"
#include "schemas/proof/epoch.h"
#include "schemas/proof/merkle.h"

struct sg_verify_file {
    const char *dir;
    uint64_t first;
};

// A size and root that somebody signed.
struct sg_verify_mark {
    char from[64]; // "checkpoint, slot 1", "receipt 1"
    uint64_t size, epoch;
    uint8_t root[32], found[32];
    bool compared, same, held; // held: by somebody else
    uint64_t index;            // entry of a receipt
    uint8_t leaf[32];
    bool has_leaf, leaf_seen, leaf_same;
};

struct sg_verify_doubt {
    bool open;
    uint64_t sequence, at, before_at;
};

struct sg_verify {
    const struct sg_verify_options *options;
    struct sg_verify_result *result;
    struct sg_verify_file *files; // ascending by first
    size_t files_count;
    struct sg_verify_mark *marks;
    size_t marks_count;
    struct sg_epoch *past; // those that are over
    size_t past_count;
    struct sg_segment segment;
    char name[SG_SEGMENT_NAME];
    uint64_t next;    // sequence expected
    uint8_t leaf[32]; // of the entry before
    uint64_t last_at;
    bool chained; // leaf is that of entry next - 1
    bool lost;    // entries are missing: no root can be computed
    uint64_t blamed;
    bool has_blamed;
    uint64_t before, total; // bytes: of the segments before this one, of all
    struct sg_verify_doubt doubt;
    struct sg_merkle tree;
    uint8_t log_key[32];
    bool has_key;
};

void sg_verify_report(struct sg_verify *v, const struct sg_verify_fault *fault);
// Segments of all folders, slots, what others hold.
SG_MUST_CHECK enum sg_err sg_verify_collect(struct sg_verify *v);
// Entry 0: pinned genesis, log key.
void sg_verify_genesis(struct sg_verify *v, const struct sg_entry *entry,
                       uint64_t at);
// Is the entry just taken one that a receipt holds?
void sg_verify_held_entry(struct sg_verify *v, struct sg_slice bytes);
// Was the mark signed over entries of an earlier epoch that the log has lost?
bool sg_verify_gone(const struct sg_verify *v,
                    const struct sg_verify_mark *mark);
// At the end: signatures, sizes and roots of all that was signed.
void sg_verify_marks(struct sg_verify *v);
