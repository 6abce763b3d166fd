// slot - the newest signed checkpoint, durable before anything is acknowledged.
//
// Owns evidence/checkpoint: two slots of 4096 bytes, written in turn, so that a
// cut in the middle of one leaves the other. Of two valid slots the larger tree
// size counts (formats.md (c), decisions-security S25). A slot:
//   "SGSLOT1" 00 | counter u64 | tree size u64 | root 32 | u32 note length |
//   note | zeros | CRC32C u32 of the 4092 bytes before
// Knows nothing of signatures: whoever reads a note verifies it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/evidence/disk.h"

enum {
    SG_SLOT_BYTES = 4096,
    SG_SLOT_NOTE_MAX = SG_SLOT_BYTES - 64,
};

struct sg_slot {
    uint64_t counter; // of writings, from 1; 0: the slot is not valid
    uint64_t size;    // entries covered
    uint8_t root[32];
    uint32_t note_len;
    char note[SG_SLOT_NOTE_MAX];
};

struct sg_slots {
    int fd;
    uint64_t counter; // of the last writing
    unsigned next;    // 0 or 1: where the next one goes
};

// false: the 4096 bytes are no valid slot.
SG_MUST_CHECK bool sg_slot_decode(const uint8_t bytes[SG_SLOT_BYTES],
                                  struct sg_slot *slot);
void sg_slot_encode(const struct sg_slot *slot, uint8_t bytes[SG_SLOT_BYTES]);

// Makes the file with slot in both places, not yet synced as a name.
SG_MUST_CHECK enum sg_err sg_slot_create(const struct sg_disk *disk,
                                         const char *path,
                                         const struct sg_slot *slot);
// newest: the valid slot with the larger size. valid: bit 0 and 1 say which
// slots pass their check. SG_ERR_NOT_FOUND: no file; SG_ERR_CORRUPT: neither.
SG_MUST_CHECK enum sg_err sg_slot_open(const struct sg_disk *disk,
                                       const char *path, struct sg_slots *slots,
                                       struct sg_slot *newest, unsigned *valid);
// Writes slot (its counter is set here) over the older or broken one and syncs.
SG_MUST_CHECK enum sg_err sg_slot_put(const struct sg_disk *disk,
                                      struct sg_slots *slots,
                                      struct sg_slot *slot,
                                      void (*written)(void *arg), void *arg);
void sg_slot_close(const struct sg_disk *disk, struct sg_slots *slots);
