// Any bytes as a canonical stream: what is taken, written again is the same.
#include "schemas/sdmx/canonical.h"
#include "tests/fuzz/proof/seed.h"
#include "tests/unit/sdmx/obs_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sg_err
on_row(void *context, const struct sg_obs *obs, struct sg_slice bytes)
{
    struct obs_fixture *f = context;
    SG_ASSERT(sg_canonical_row_size(
                  obs->values, f->structure->component_count) == bytes.len);
    enum sg_err err = sg_canonical_writer_put(f->canonical, obs);
    return err == SG_ERR_ORDER ? SG_ERR_UNSUPPORTED : err; // a partial key
}

static void
fuzz(struct sg_slice input)
{
    static struct obs_fixture *f;
    if (f == NULL)
        f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct sg_arena *arena = sg_arena_new(1u << 26, 1u << 16);
    const struct sg_canonical_sink sink = {.context = f, .row = on_row};
    const struct sg_canonical_out out = {f, obs_fixture_write};
    struct sg_canonical_reader *r =
        sg_canonical_reader_new(arena, f->structure, &sink);
    f->len = 0;
    f->canonical = sg_canonical_writer_new(arena, f->structure,
                                           SG_CANONICAL_MODE_STREAM, &out);
    size_t cut = input.len / 3;
    enum sg_err err = sg_canonical_reader_feed(r, sg_slice_of(input.ptr, cut));
    if (err == SG_OK)
        err = sg_canonical_reader_feed(
            r, sg_slice_of(input.ptr + cut, input.len - cut));
    if (err == SG_OK)
        err = sg_canonical_reader_end(r);
    if (err == SG_OK) {
        SG_ASSERT(sg_canonical_writer_end(f->canonical) == SG_OK);
        SG_ASSERT(f->len == input.len &&
                  memcmp(f->bytes, input.ptr, input.len) == 0);
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
