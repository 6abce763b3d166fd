// What a release with two subscribers costs in memory, while it is open and
// when it is over; and how long the loop stands still for a snapshot of many
// open ones. Entries are applied to a core, rows go nowhere.
//   bench_state [BUILD]
#include <malloc.h>
#include <stdio.h>

#include "broker/core/snapshot.h"
#include "broker/os/clock.h"
#include "broker/os/process.h"
#include "tests/bench/gate/history.h"

enum { STEPS = 5, COLD = 40000, OPEN = 20000, INDEXED = 4096 };

static struct sg_core *
new_core(const struct history *h, uint64_t settle_after)
{
    struct sg_core_options options = {.gate = SG_SLICE("HUB"),
                                      .signer = h->sim->gate_signer,
                                      .settle_after = settle_after};

    memcpy(options.genesis, h->sim->genesis, 32);
    return sg_core_new(&options);
}

static void
apply(struct sg_core *core, const struct sg_appended *entry, unsigned *rows)
{
    if (sg_core_apply(core, entry) != SG_OK)
        abort();
    while (sg_core_row(core) != NULL)
        ++*rows;
    if (*rows >= INDEXED) {
        sg_core_indexed(core, entry->seq);
        *rows = 0;
    }
}

static struct sg_core *
begin(struct history *h, uint64_t settle_after)
{
    history_open(h);
    struct sg_core *core = new_core(h, settle_after);
    unsigned rows = 0;

    for (size_t i = 0; core != NULL && i < h->sim->count; i++) {
        const struct sim_entry *one = &h->sim->entries[i];
        apply(core,
              &(struct sg_appended){.seq = one->seq,
                                    .type = one->type,
                                    .time_us = one->time,
                                    .body = one->body},
              &rows);
    }
    return core;
}

// As the end of a turn does it.
static void
print_snapshot(const struct sg_core *core, unsigned releases)
{
    struct sg_arena *arena = sg_arena_new((size_t)8 << 30, 1024 * 1024);
    struct sg_piece *pieces;
    uint8_t sha256[32];
    size_t bytes = 0;
    uint64_t begin_us = sg_os_clock_mono_us();

    if (arena == NULL ||
        sg_snapshot_take(core, arena, &pieces, sha256) != SG_OK)
        abort();
    uint64_t us = sg_os_clock_mono_us() - begin_us;
    for (const struct sg_piece *at = pieces; at != NULL; at = at->next)
        bytes += at->bytes.len;
    sg_arena_free(&arena);
    printf("%-28s %10u %14.1f MB %8.0f ms in the loop\n", "snapshot, open",
           releases, (double)bytes / 1e6, (double)us / 1e3);
}

static void
run(const char *name, uint64_t settle_after, unsigned each)
{
    struct history h;
    struct sg_core *core = begin(&h, settle_after);
    struct sg_appended entry;
    unsigned rows = 0;
    uint64_t before = 0;

    if (core == NULL)
        abort();
    h.destroys = settle_after == 0; // what is over keeps no renditions
    unsigned entries = each * history_steps(&h);
    for (unsigned step = 1; step <= STEPS; step++) {
        uint64_t begin_us = sg_os_clock_mono_us();
        for (unsigned i = 0; i < entries; i++) {
            history_next(&h, &entry);
            apply(core, &entry, &rows);
        }
        uint64_t us = sg_os_clock_mono_us() - begin_us;
        (void)malloc_trim(0);
        uint64_t rss = sg_os_process_rss();
        printf("%-28s %10u %14.1f MB %8.0f bytes each %6.1f us an entry\n",
               name, step * each, (double)rss / 1e6,
               step == 1 ? 0.0 : ((double)rss - (double)before) / each,
               (double)us / entries);
        before = rss;
    }
    if (settle_after != 0)
        print_snapshot(core, STEPS * each);
    sg_core_free(&core);
    history_close(&h);
}

int
main(void)
{
    if (sg_crypto_start() != SG_OK)
        return 1;
    printf("%-28s %10s %17s\n", "releases with 2 subscribers", "releases",
           "resident");
    run("over", 0, COLD);
    run("open", UINT64_MAX / 2, OPEN);
    return 0;
}
