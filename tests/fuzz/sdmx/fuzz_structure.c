// Any bytes as a structure message: read, compiled, opened, looked into, its
// constraints applied, taken out and put in again.
#include "schemas/sdmx/structure_compile.h"
#include "schemas/sdmx/structure_ml21.h"
#include "tests/fuzz/sdmx/constraints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct sg_structure *s)
{
    for (uint32_t l = 0; l < s->list_count; l++) {
        for (uint32_t i = 0; i < s->lists[l].count; i++) {
            struct sg_slice code = sg_structure_code_text(s, l, i);
            SG_ASSERT(sg_structure_list_code(s, &s->lists[l], code) ==
                      (int32_t)i);
            SG_ASSERT(sg_structure_nearest(s, l, code) >= -1);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t source[32] = {0};
    struct sg_arena *arena = sg_arena_new(64u << 20, 1u << 16);
    struct sg_model model = {.arena = arena};
    struct sg_structure_ml21 *reader = NULL;
    struct sg_diag diag;
    if (arena == NULL)
        return 0;
    enum sg_err err = sg_structure_ml21_open(&model, 1, source, &reader);
    if (err == SG_OK)
        err = sg_structure_ml21_feed(reader, sg_slice_of(data, size), &diag);
    if (err == SG_OK)
        err = sg_structure_ml21_finish(reader, &diag);
    sg_structure_ml21_close(&reader);
    for (struct sg_model_dsd *at = model.dsds; err == SG_OK && at != NULL;
         at = at->next) {
        struct sg_slice blob;
        const struct sg_structure *s;
        if (at->stub ||
            sg_structure_compile(&model, at, arena, &blob, &diag) != SG_OK)
            continue;
        SG_ASSERT(sg_structure_open(blob, arena, &s) == SG_OK);
        look(s);
        constraints_check(s, arena);
        if (constraints_again(s, arena, &blob))
            SG_ASSERT(sg_slice_eq(blob, s->blob));
    }
    sg_arena_free(&arena);
    return 0;
}
