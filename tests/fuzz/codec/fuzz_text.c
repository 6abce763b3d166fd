// Bodies of entries in words: whatever stands in a body, what is shown is one
// line of printable ASCII, and the first byte chooses the entry's type.
#include "schemas/codec/text.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz(struct sg_slice all)
{
    static uint8_t room[1 << 16];
    struct sg_writer w = sg_writer_on(room, sizeof room);

    if (all.len == 0)
        return;
    struct sg_arena *arena = sg_arena_new(1u << 24, 1u << 16);
    SG_ASSERT(arena != NULL);
    struct sg_slice body = {all.ptr + 1, all.len - 1};
    if (sg_text_body(all.ptr[0], body, arena, &w) == SG_OK) {
        for (size_t i = 0; i < w.len; i++)
            SG_ASSERT(room[i] >= ' ' && room[i] <= '~');
    }
    sg_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
