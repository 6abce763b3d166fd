// Checkpoint slots: with a check that fits, whatever the rest is, the fields
// are within their bounds and are written the same again.
#include "broker/base/bytes.h"
#include "broker/evidence/slot.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz(struct sg_slice all)
{
    static uint8_t bytes[SG_SLOT_BYTES], again[SG_SLOT_BYTES];
    static struct sg_slot slot, second;

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, all.ptr, all.len < sizeof bytes ? all.len : sizeof bytes);
    if (sg_slot_decode(bytes, &slot)) // the input has a check of its own
        SG_ASSERT(slot.note_len <= SG_SLOT_NOTE_MAX);
    sg_bytes_store_u32(bytes + SG_SLOT_BYTES - 4,
                       sg_bytes_crc32c(0, bytes, SG_SLOT_BYTES - 4));
    if (!sg_slot_decode(bytes, &slot))
        return;
    SG_ASSERT(slot.counter > 0 && slot.size > 0);
    SG_ASSERT(slot.note_len <= SG_SLOT_NOTE_MAX);
    sg_slot_encode(&slot, again);
    SG_ASSERT(sg_slot_decode(again, &second));
    SG_ASSERT(second.counter == slot.counter && second.size == slot.size &&
              second.note_len == slot.note_len &&
              memcmp(second.note, slot.note, slot.note_len) == 0 &&
              memcmp(second.root, slot.root, 32) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    struct sg_slice all = seed_bytes(data, size, &made);
    if (all.len > 0)
        fuzz(all);
    free(made);
    return 0;
}
