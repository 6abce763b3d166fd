// Ten subscribers instead of one: how much more processor time statgated and
// its workers take for a medium release. Everything is received, verified and
// kept; a rendition is made once and shared.
#include "tests/bench/client/load.h"

enum { TEN = 10, RELEASES = 12, WARM = 2 };

// Seconds of processor time a release, with this many subscribers to the flow.
static double
run(struct load *load, struct statgate *office, const char *flow,
    unsigned subscribers)
{
    struct load_receiver receivers[TEN];
    char home[8];
    double before = 0;

    for (unsigned i = 0; i < subscribers; i++) {
        (void)snprintf(home, sizeof home, "s%u", i);
        receivers[i] = load_receiver(load, home, flow, WARM + RELEASES);
    }
    for (unsigned i = 0; i < WARM + RELEASES; i++) {
        if (i == WARM) // all are connected, and what is owed is done
            before = load_cpu(load);
        (void)load_publish(load, office, flow, LOAD_MEDIUM);
        for (unsigned k = 0; k < subscribers; k++)
            load_wait_release(&receivers[k]);
    }
    double took = (load_cpu(load) - before) / RELEASES;
    for (unsigned i = 0; i < subscribers; i++)
        load_end_receiver(&receivers[i]);
    return took;
}

static void
compare(struct load *load, struct statgate *office, const char *commit,
        const char *one, const char *ten)
{
    double single = run(load, office, one, 1);
    double many = run(load, office, ten, TEN);

    printf("%-22s 1 subscriber %7.1f ms a release, 10 subscribers %7.1f ms: "
           "ratio %.2f\n",
           commit, single * 1e3, many * 1e3, many / single);
}

int
main(int argc, char **argv)
{
    struct load load;

    load_begin(&load, "bench_fanout", argc, argv);
    struct statgate *office = load_open(&load, "office");
    printf("processor time of statgated and its workers, releases of %d "
           "observations, each kept by all\n",
           LOAD_MEDIUM);
    compare(&load, office, "medium, commit file", "FILE1", "FILE10");
    compare(&load, office, "medium, commit row", "ROW1", "ROW10");
    statgate_close(&office);
    return 0;
}
