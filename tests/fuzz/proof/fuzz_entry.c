// Entries, frames and segment headers: what is taken is written the same again.
#include "broker/base/crypto.h"
#include "schemas/proof/entry.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_again(struct sg_slice bytes, const struct sg_entry *entry)
{
    static uint8_t room[1u << 16];
    struct sg_writer w = sg_writer_on(room, sizeof room);

    sg_entry_encode(entry, &w);
    SG_ASSERT(w.full || sg_slice_eq(sg_writer_slice(&w), bytes));
}

static void
fuzz(struct sg_slice all)
{
    struct sg_slice found;
    struct sg_entry entry;
    struct sg_entry_segment segment;
    size_t frame;

    if (sg_entry_decode(all, &entry) == SG_OK)
        write_again(all, &entry);
    if (sg_entry_segment_decode(all, &segment) == SG_OK) {
        uint8_t again[SG_ENTRY_SEGMENT_LEN];
        sg_entry_segment_encode(&segment, again);
        SG_ASSERT(memcmp(again, all.ptr, sizeof again) == 0);
    }
    for (struct sg_slice rest = all;
         sg_entry_scan(rest, &found, &frame) == SG_ENTRY_SCAN_VALID;) {
        SG_ASSERT(frame % 8 == 0 && frame <= rest.len);
        SG_ASSERT(sg_entry_decode(found, &entry) == SG_OK);
        write_again(found, &entry);
        rest.ptr += frame;
        rest.len -= frame;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
