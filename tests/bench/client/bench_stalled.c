// Subscribers that take nothing beside one that does: memory of statgated, and
// how long the good one waits for a medium release. Without any, with one, with
// SG_STALLED of them (default 10, 100 in the campaign), and once more as many
// releases later.
#include "tests/bench/client/load.h"

enum { RELEASES = 12, WARM = 2, MOST = 100 };

struct seen {
    double p50, p99, memory;
};

// A stalled subscriber has attached, has granted credit and never reads again.
static void
stall(const struct load *load, struct statgate **handle, unsigned number)
{
    struct statgate_delivery delivery;
    struct statgate_result result;
    char name[16];

    *handle = load_open(load, "s1");
    (void)snprintf(name, sizeof name, "STALLED%u", number);
    if (statgate_next(*handle, name, 0, &delivery, &result) != 75)
        load_die("%s is not idle: %s (%s)", name, result.sentence, result.code);
}

// From the first byte published to the release kept.
static struct seen
run(struct load *load, struct statgate *office)
{
    struct load_receiver good =
        load_receiver(load, "s0", "GOOD", WARM + RELEASES);
    double took[RELEASES];

    for (unsigned i = 0; i < WARM + RELEASES; i++) {
        uint64_t begin = sg_os_clock_mono_us();
        (void)load_publish(load, office, "GOOD", LOAD_MEDIUM);
        load_wait_release(&good);
        if (i >= WARM)
            took[i - WARM] = load_seconds(begin);
    }
    load_end_receiver(&good);
    return (struct seen){load_share(took, RELEASES, 0.5),
                         load_share(took, RELEASES, 0.99), load_memory(load)};
}

static void
print(const char *what, unsigned count, const struct seen *now,
      const struct seen *none)
{
    printf("%4u %-8s statgated %6.1f MiB (%+.1f)  good one: p50 %6.0f ms, p99 "
           "%6.0f ms (ratios %.2f, %.2f)\n",
           count, what, now->memory / 1048576,
           (now->memory - none->memory) / 1048576, now->p50 * 1e3,
           now->p99 * 1e3, now->p50 / none->p50, now->p99 / none->p99);
}

int
main(int argc, char **argv)
{
    static struct statgate *handles[MOST];
    struct load load;
    unsigned many = load_number("SG_STALLED", 10);

    load_begin(&load, "bench_stalled", argc, argv);
    if (many > MOST)
        many = MOST;
    struct statgate *office = load_open(&load, "office");
    (void)run(&load, office); // what the first releases need for ever
    struct seen none = run(&load, office);
    print("stalled", 0, &none, &none);
    for (unsigned i = 0; i < many; i++) {
        stall(&load, &handles[i], i);
        if (i != 0 && i + 1 != many)
            continue;
        struct seen now = run(&load, office);
        print("stalled", i + 1, &now, &none);
    }
    struct seen later = run(&load, office);
    print("later", many, &later, &none);
    for (unsigned i = 0; i < many; i++)
        statgate_close(&handles[i]);
    statgate_close(&office);
    return 0;
}
