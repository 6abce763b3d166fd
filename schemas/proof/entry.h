// entry - bytes of one evidence entry, its frame and its segment (formats.md c).
//
// Owns "SGE1", the frame with its CRC, the header "SGSEG1" and the numbers of
// all entry types. The leaf covers the whole entry, so type, sequence, time and
// chain cannot be changed under it (decisions-security S29). Knows no files and
// does not look into bodies.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// name, number, word. Fixed for ever once a log exists (formats.md c,
// core-design 2): rows are added, never changed.
// clang-format off
#define SG_ENTRY_TYPES(X)                                                      \
    X(GENESIS, 1, "genesis")                                                   \
    X(EPOCH, 2, "epoch")                                                       \
    X(ROSTER, 3, "roster")                                                     \
    X(TERMS, 4, "terms")                                                       \
    X(POLICY, 5, "policy")                                                     \
    X(APPROVAL, 6, "approval")                                                 \
    X(STRUCTURE, 7, "structure")                                               \
    X(FLOW_CLOSED, 8, "flow closed")                                           \
    X(KEY_REVOKED, 9, "key revoked")                                           \
    X(POLICY_ACTIVE, 10, "policy active")                                      \
    X(GATE_STARTED, 11, "gate started")                                        \
    X(GATE_STOPPED, 12, "gate stopped")                                        \
    X(SNAPSHOT, 13, "snapshot")                                                \
    X(PEER, 14, "peer")                                                        \
    X(ACCEPTED, 16, "accepted")                                                \
    X(REFUSED, 17, "refused")                                                  \
    X(RECALL, 18, "recall")                                                    \
    X(DESTROYED, 19, "destroyed")                                              \
    X(LEGAL_HOLD, 20, "legal hold")                                            \
    X(CONFLICT, 21, "conflict")                                                \
    X(OBJECT_MADE, 22, "object made")                                          \
    X(LEGAL_HOLD_LIFTED, 23, "legal hold lifted")                              \
    X(NOTICE_SENT, 24, "notice sent")                                          \
    X(NOTICE_ANSWERED, 25, "notice answered")                                  \
    X(NOTICE_ESCALATED, 26, "notice escalated")                                \
    X(SUBSCRIPTION, 32, "subscription")                                        \
    X(DECISION, 33, "decision")                                                \
    X(DELIVERY, 34, "delivery statement")                                      \
    X(KEY_RELEASED, 35, "key released")                                        \
    X(KEY_CANCELLED, 36, "key cancelled")                                      \
    X(RECEIPT_ACK, 37, "receipt-ack")                                          \
    X(PARKED, 38, "parked")                                                    \
    X(DUTY_OWED, 39, "duty owed")                                              \
    X(SUBSCRIPTION_ENDED, 40, "subscription ended")                            \
    X(STOPPED, 41, "stopped")                                                  \
    X(UNPARKED, 42, "unparked")                                                \
    X(EXPIRED, 43, "expired")                                                  \
    X(DUTY_MET, 44, "duty met")                                                \
    X(DUTY_MISSED, 45, "duty missed")                                          \
    X(AGREEMENT, 48, "agreement")                                              \
    X(CONSENT_EVENT, 49, "consent event")                                      \
    X(STATEMENT, 50, "withdrawal statement")                                   \
    X(APPEAL, 51, "appeal")                                                    \
    X(APPEAL_DECIDED, 52, "appeal decided")                                    \
    X(SHARING_AGREEMENT, 53, "sharing agreement")                              \
    X(PAYLOAD_READ, 64, "payload read")                                        \
    X(ADMIN_ACT, 65, "admin act")                                              \
    X(REFUSED_AGGREGATE, 66, "aggregate of refused")                           \
    X(CHECKPOINT_KEY, 67, "checkpoint key")                                    \
    X(WITNESS, 68, "witness")                                                  \
    X(TESTIMONY, 69, "testimony")
// clang-format on

enum sg_entry_type {
#define X(name, number, word) SG_ENTRY_##name = number,
    SG_ENTRY_TYPES(X)
#undef X
};

enum {
    SG_ENTRY_HEAD_LEN = 76,    // before the body
    SG_ENTRY_FRAME_LEN = 8,    // before the entry: length, CRC32C
    SG_ENTRY_SEGMENT_LEN = 64, // header of a segment file
    SG_ENTRY_BLIND_LEN = 16,
};

struct sg_entry {
    uint16_t type; // enum sg_entry_type
    uint64_t sequence;
    uint64_t time_us;
    uint8_t prev[32];  // leaf of the entry before; zeros for sequence 0
    uint8_t blind[16]; // fresh random bytes, so that leaves tell nothing (S24)
    struct sg_slice body; // borrowed
};

// NULL: no such type.
const char *sg_entry_type_name(unsigned type);

// Appends head and body; asserts a known type and body.len <= SG_LIMIT_ENTRY.
// Overflow is remembered by the writer.
void sg_entry_encode(const struct sg_entry *entry, struct sg_writer *out);
// Exactly one entry; body borrowed from bytes. SG_ERR_SHORT: it ends too
// early; SG_ERR_FORMAT: anything else, bytes after it and unknown types too.
SG_MUST_CHECK enum sg_err sg_entry_decode(struct sg_slice bytes,
                                          struct sg_entry *entry);
void sg_entry_leaf(struct sg_slice bytes, uint8_t leaf[32]); // H(00, bytes)

// ---- frames ----------------------------------------------------------------

// Bytes of the frame of an entry of that length, a multiple of 8.
size_t sg_entry_frame_size(size_t entry_len);
// Appends length, CRC, entry and zeros to 8.
void sg_entry_frame(struct sg_slice entry, struct sg_writer *out);

enum sg_entry_scan {
    SG_ENTRY_SCAN_VALID,   // *entry, *frame_size say what and how far
    SG_ENTRY_SCAN_END,     // length 0, and every byte after it is zero
    SG_ENTRY_SCAN_TORN,    // does not check, and no valid frame comes after it
    SG_ENTRY_SCAN_DAMAGED, // does not check although a valid frame comes after
                           // it; or something else than zeros after the end
};

// What stands at the front of rest (the remainder of a segment, from a multiple
// of 8). A valid frame holds an entry that sg_entry_decode takes. Whether torn
// bytes may be cut is not decided here: below the newest checkpoint both TORN
// and DAMAGED are damage, above it both may come from a power cut (S25).
// O(frame) when valid, O(rest) otherwise.
enum sg_entry_scan sg_entry_scan(struct sg_slice rest, struct sg_slice *entry,
                                 size_t *frame_size);

// ---- segments --------------------------------------------------------------

struct sg_entry_segment {
    uint8_t genesis[32]; // zeros in segment 0
    uint64_t epoch;
    uint64_t first_sequence;
    uint32_t size; // bytes of the whole file
};

void sg_entry_segment_encode(const struct sg_entry_segment *segment,
                             uint8_t out[SG_ENTRY_SEGMENT_LEN]);
// SG_ERR_SHORT, SG_ERR_FORMAT (magic, reserved bytes), SG_ERR_CORRUPT (CRC).
SG_MUST_CHECK enum sg_err
sg_entry_segment_decode(struct sg_slice bytes,
                        struct sg_entry_segment *segment);
