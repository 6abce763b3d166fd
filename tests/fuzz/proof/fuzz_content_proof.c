// Proofs under a content root: any bytes, any rows; and the proof that we write
// for a set that the input chooses holds.
#include "schemas/proof/content.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAVES = 24 };

static void
take_foreign(struct sg_slice proof)
{
    static const uint8_t root[32] = {1};
    struct sg_content_verifier v;
    struct sg_content_component component;
    struct sg_content_part part;
    struct sg_content_run run = {0, 0};
    uint64_t withheld = 0;
    enum sg_content_result result = sg_content_verify_begin(&v, root, proof);

    if (result != SG_CONTENT_OK)
        return;
    for (struct sg_slice at = v.components;
         sg_content_next_component(&at, &component);)
        SG_ASSERT(component.id.len > 0);
    for (struct sg_slice at = v.parts; sg_content_next_part(&at, &part);)
        SG_ASSERT(part.count > 0);
    for (struct sg_slice at = v.run_bytes; sg_content_next_run(&at, &run);)
        withheld += run.count;
    SG_ASSERT(withheld == v.withheld);
    for (unsigned i = 0; i < 200 && result == SG_CONTENT_OK; i++)
        result = sg_content_verify_add(&v, SG_SLICE("row"));
    SG_ASSERT(sg_content_verify_end(&v) != SG_CONTENT_OK);
}

static struct sg_slice
leaf_of(uint64_t number)
{
    static uint8_t bytes[8];

    sg_bytes_store_u64(bytes, number * number);
    return sg_slice_of(bytes, sizeof bytes);
}

static size_t
runs_of(const uint8_t *bits, struct sg_content_run *runs)
{
    size_t n = 0;

    for (uint64_t i = 0; i < LEAVES; i++) {
        if ((bits[i / 8] >> i % 8 & 1) == 0)
            continue;
        if (n > 0 && runs[n - 1].start + runs[n - 1].count == i)
            runs[n - 1].count++;
        else
            runs[n++] = (struct sg_content_run){i, 1};
    }
    return n;
}

static void
make_own(const uint8_t *bits)
{
    static const uint8_t id[16] = {1}, seed[16] = {2};
    struct sg_content_part parts[1];
    struct sg_content_builder builder;
    struct sg_content_prover prover;
    struct sg_content_verifier v;
    struct sg_content_run runs[LEAVES];
    uint8_t room[2048], root[32];
    uint64_t number;
    struct sg_arena *arena = sg_arena_new(4096, 0);

    SG_ASSERT(arena != NULL);
    sg_content_begin(&builder, id, seed, parts, 1);
    for (uint64_t i = 0; i < LEAVES; i++)
        SG_ASSERT(sg_content_add(&builder, 'M', leaf_of(i)) == SG_OK);
    SG_ASSERT(sg_content_root(&builder, SG_CONTENT_ROW, NULL, 0, arena, root) ==
              SG_OK);
    struct sg_content_header header = {
        .level = SG_CONTENT_ROW, .id = {1}, .parts = parts, .part_count = 1};
    const size_t count = runs_of(bits, runs);
    struct sg_writer w = sg_writer_on(room, sizeof room);
    SG_ASSERT(sg_content_prove_begin(&prover, &header, seed, runs, count, &w) ==
              SG_OK);
    while (sg_content_prove_next(&prover, &number))
        sg_content_prove_add(&prover, leaf_of(number));
    SG_ASSERT(sg_content_prove_end(&prover) == SG_OK);
    SG_ASSERT(sg_content_proof_check(sg_writer_slice(&w), seed, runs, count) ==
              SG_OK);
    SG_ASSERT(sg_content_verify_begin(&v, root, sg_writer_slice(&w)) ==
              SG_CONTENT_OK);
    for (uint64_t i = 0; i < LEAVES; i++) {
        if ((bits[i / 8] >> i % 8 & 1) == 0)
            SG_ASSERT(sg_content_verify_add(&v, leaf_of(i)) == SG_CONTENT_OK);
    }
    SG_ASSERT(sg_content_verify_end(&v) == SG_CONTENT_OK);
    sg_arena_free(&arena);
}

static void
fuzz(struct sg_slice all)
{
    take_foreign(all);
    if (all.len >= 3)
        make_own(all.ptr + all.len - 3);
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
