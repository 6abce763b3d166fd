// Frames of items: taken whole, and written the same again.
#include "schemas/codec/items.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz(struct sg_slice all)
{
    static struct sg_item items[SG_LIMIT_ITEMS];
    static uint8_t room[SG_LIMIT_FRAME];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    size_t count;

    if (sg_items_parse(all, (struct sg_slice){NULL, 0}, items, &count) !=
        SG_OK) {
        SG_ASSERT(count == 0);
        return;
    }
    for (size_t i = 0; i < count; i++)
        SG_ASSERT(sg_items_put(&w, items[i].envelope, items[i].payload) ==
                  SG_OK);
    SG_ASSERT(w.len == all.len && memcmp(room, all.ptr, all.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
