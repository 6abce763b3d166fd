// What a row of the row tree costs beside the plain SHA-256 of one block, in one
// run on one core. usage: bench_content [ROWS]
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "schemas/proof/content.h"

enum { ROW = 90 }; // bytes of a canonical row of UN data (content-root.md 8)

static double
cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static uint8_t row[ROW];

static struct sg_slice
row_of(uint64_t number)
{
    sg_bytes_store_u64(row, number);
    return sg_slice_of(row, sizeof row);
}

static double
block_ns(uint64_t rounds)
{
    uint8_t block[42] = {0}, hash[32];
    const double start = cpu_ns();

    for (uint64_t i = 0; i < rounds; i++) {
        sg_crypto_sha256(block, sizeof block, hash);
        memcpy(block, hash, 32);
    }
    return (cpu_ns() - start) / (double)rounds;
}

static double
leaf_ns(uint64_t rounds)
{
    uint8_t block[107] = {0}, hash[32];
    const double start = cpu_ns();

    for (uint64_t i = 0; i < rounds; i++) {
        sg_crypto_sha256(block, sizeof block, hash);
        memcpy(block, hash, 32);
    }
    return (cpu_ns() - start) / (double)rounds;
}

static void
must(bool holds)
{
    if (!holds) {
        (void)fprintf(stderr, "bench_content: a check failed\n");
        exit(1);
    }
}

static double
build_ns(uint64_t rows, struct sg_content_part *part, uint8_t root[32])
{
    static const uint8_t id[16] = {1}, seed[16] = {2};
    struct sg_content_builder builder;
    struct sg_arena *arena = sg_arena_new(4096, 0);

    must(arena != NULL);
    const double start = cpu_ns();
    sg_content_begin(&builder, id, seed, part, 1);
    for (uint64_t i = 0; i < rows; i++)
        must(sg_content_add(&builder, 'M', row_of(i)) == SG_OK);
    must(sg_content_root(&builder, SG_CONTENT_ROW, NULL, 0, arena, root) ==
         SG_OK);
    const double ns = (cpu_ns() - start) / (double)rows;
    sg_arena_free(&arena);
    return ns;
}

// Every step-th leaf is withheld.
static void
prove_and_verify(uint64_t rows, uint64_t step,
                 const struct sg_content_part *part, const uint8_t root[32])
{
    static const uint8_t seed[16] = {2};
    const struct sg_content_header header = {
        .level = SG_CONTENT_ROW, .id = {1}, .parts = part, .part_count = 1};
    const size_t count = step == 0 ? 0 : (size_t)(rows / step);
    struct sg_content_run *runs = calloc(count + 1, sizeof *runs);
    struct sg_content_prover prover;
    struct sg_content_verifier v;
    uint64_t len = 0, number;

    must(runs != NULL);
    for (size_t i = 0; i < count; i++)
        runs[i] = (struct sg_content_run){i * step, 1};
    must(sg_content_proof_len(&header, runs, count, &len) == SG_OK);
    uint8_t *bytes = malloc(len);
    must(bytes != NULL);
    struct sg_writer w = sg_writer_on(bytes, len);
    double start = cpu_ns();
    must(sg_content_prove_begin(&prover, &header, seed, runs, count, &w) ==
         SG_OK);
    while (sg_content_prove_next(&prover, &number))
        sg_content_prove_add(&prover, row_of(number));
    must(sg_content_prove_end(&prover) == SG_OK);
    const double prove = cpu_ns() - start;
    start = cpu_ns();
    must(sg_content_verify_begin(&v, root, sg_writer_slice(&w)) ==
         SG_CONTENT_OK);
    for (uint64_t i = 0; i < rows; i++) {
        if (step == 0 || i % step != 0 || i / step >= count)
            must(sg_content_verify_add(&v, row_of(i)) == SG_CONTENT_OK);
    }
    must(sg_content_verify_end(&v) == SG_CONTENT_OK);
    (void)printf("proof, %zu of %llu rows withheld: %llu bytes, prove %.1f ms, "
                 "verify %.1f ms\n",
                 count, (unsigned long long)rows, (unsigned long long)len,
                 prove / 1e6, (cpu_ns() - start) / 1e6);
    free(bytes);
    free(runs);
}

int
main(int argc, char **argv)
{
    const uint64_t given = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const uint64_t rows = given > 0 ? given : 1000000; // or a build folder
    struct sg_content_part part;
    uint8_t root[32];

    must(rows > 0 && sg_crypto_start() == SG_OK);
    const double block = block_ns(rows), leaf = leaf_ns(rows);
    const double build = build_ns(rows, &part, root);
    (void)printf("SHA-256 of 42 bytes %.0f ns, of 107 bytes %.0f ns\n", block,
                 leaf);
    // A row is one leaf, one seed block and one node of two blocks.
    (void)printf("row tree %.0f ns a row = %.2f blocks of 42 bytes\n", build,
                 build / block);
    prove_and_verify(rows, 0, &part, root);
    prove_and_verify(rows, 1000, &part, root);
    prove_and_verify(rows, 10, &part, root);
    return 0;
}
