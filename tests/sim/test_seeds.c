// The seeds of fuzz_snapshot are what a gate of today writes: those that are
// whole must be read as a snapshot, or the target never comes behind their first
// bytes. When the form changes, this makes them anew:
//   SG_SEEDS=write build/release/tests/sim/test_seeds
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/snapshot.h"
#include "broker/core/volatile.h"
#include "tests/fuzz/proof/seed.h"
#include "tests/sim/sim.h"

#define FOLDER "tests/fuzz/seeds/fuzz_snapshot/"
enum { SEED_MAX = 65536, TICK_US = 40000, TAIL = 8 + 16, SECTIONS = 8 };

struct made {
    uint8_t bytes[SEED_MAX];
    size_t len;
};

static enum sg_err
put(void *ctx, struct sg_slice bytes)
{
    struct made *made = ctx;

    assert_in_range(bytes.len, 0, SEED_MAX - made->len);
    memcpy(made->bytes + made->len, bytes.ptr, bytes.len);
    made->len += bytes.len;
    return SG_OK;
}

static void
take(const struct sg_core *core, struct made *made)
{
    const struct sg_snapshot_sink sink = {made, put};

    made->len = 0;
    assert_int_equal(sg_snapshot_write(core, &sink), SG_OK);
}

static bool
no_entry(void *ctx, uint64_t seq, struct sg_arena *arena, struct sg_slice *body)
{
    (void)ctx, (void)seq, (void)arena, (void)body;
    return false;
}

static struct sg_core *
new_core(const struct sim *sim)
{
    const struct sg_core_options options = {.gate = SG_SLICE("HUB"),
                                            .signer = sim->gate_signer,
                                            .lookup = {.entry = no_entry}};
    struct sg_core *core = sg_core_new(&options);

    assert_non_null(core);
    return core;
}

static void
make_empty(struct sim *sim, struct made *made)
{
    struct sg_core *core = new_core(sim);

    take(core, made);
    sg_core_free(&core);
}

// Flows are counted that are not there: nothing but zeros follows.
static void
make_without_body(struct sim *sim, struct made *made)
{
    make_empty(sim, made);
    sg_bytes_store_u64(made->bytes + made->len - TAIL - SECTIONS * 8, 4);
}

static void
make_roster(struct sim *sim, struct made *made)
{
    take(sim->core, made);
}

// As far as a release that somebody gets.
static void
make_releases(struct sim *sim, struct made *made)
{
    for (int i = 0; i < 400 && sg_pool_count(sim->core->state->deliveries) < 2;
         i++) {
        for (int peer = 0; peer < PEERS; peer++)
            sim_peer_tick(sim, peer);
        sim_settle(sim);
        sim->now += TICK_US;
    }
    assert_null(sim->broken);
    take(sim->core, made);
}

static const struct {
    const char *name;
    void (*make)(struct sim *sim, struct made *made);
    enum sg_err err;
} rows[] = {
    {"empty", make_empty, SG_OK},
    {"roster", make_roster, SG_OK},
    {"flows-and-releases", make_releases, SG_OK},
    {"object-without-a-body", make_without_body, SG_ERR_CORRUPT},
};

static void
write_seed(const char *name, struct sim *sim)
{
    static struct made made;
    char path[256];

    sim->quiet = true;
    sim->crash_after = 0;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            rows[i].make(sim, &made);
    (void)snprintf(path, sizeof path, FOLDER "%s", name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("0x", file);
    for (size_t i = 0; i < made.len; i++)
        (void)fprintf(file, "%02x", made.bytes[i]);
    (void)fputc('\n', file);
    assert_int_equal(fclose(file), 0);
}

static enum sg_err
read_seed(const char *name, const struct sim *sim)
{
    static uint8_t text[2 * SEED_MAX + 4];
    char path[256];
    uint8_t *made;

    (void)snprintf(path, sizeof path, FOLDER "%s", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    assert_int_equal(fclose(file), 0);
    struct sg_slice seed = seed_bytes(text, len, &made);
    struct sg_core *core = new_core(sim);
    enum sg_err err = sg_snapshot_read(core, seed);
    sg_core_free(&core);
    free(made);
    return err;
}

static void
the_seeds_of_the_fuzz_target_are_snapshots_of_today(void **state)
{
    const char *how = getenv("SG_SEEDS");

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sim *sim = sim_open(1, BUG_NONE);
        if (how != NULL && strcmp(how, "write") == 0)
            write_seed(rows[i].name, sim);
        if (read_seed(rows[i].name, sim) != rows[i].err)
            fail_msg(FOLDER "%s is not of today: run this test with "
                            "SG_SEEDS=write",
                     rows[i].name);
        sim_close(&sim);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_of_the_fuzz_target_are_snapshots_of_today),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
