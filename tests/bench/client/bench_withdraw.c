// Withdrawals under full load: from a consent taken back to the signed
// statement that no further key leaves, while one office publishes small
// releases as fast as it may and another sends what depends on that consent.
// load.sh then reads the evidence: no key under a consent that had ended.
#include <poll.h>

#include "tests/bench/client/load.h"

enum { GROUP = 64, FLOWS = 10, PAUSE_US = 300000 };

static int kept[2]; // a pipe: numbers of flows whose delivery was kept

static const char record[] = "6c1f0a52b7de4d0e9a3358e21b84c701";

// Runs work in a process of its own until it is ended.
static int
begin(void (*work)(struct load *load), struct load *load)
{
    int pid = load_fork();

    if (pid != 0)
        return pid;
    work(load);
    _exit(0);
}

static void
publish_groups(struct load *load)
{
    static struct statgate_receipt receipts[GROUP];
    static struct statgate_result results[GROUP];
    static struct statgate_release releases[GROUP];
    static char paths[GROUP][SG_OS_PATH];
    struct statgate *office = load_open(load, "office");

    for (;;) {
        for (unsigned i = 0; i < GROUP; i++) {
            load_file(load, LOAD_SMALL, paths[i]);
            releases[i] =
                (struct statgate_release){.flow = "SMALL", .file = paths[i]};
        }
        (void)statgate_publish_many(office, releases, GROUP, receipts, results);
        for (unsigned i = 0; i < GROUP; i++)
            (void)unlink(paths[i]);
    }
}

static void
take_groups(struct load *load)
{
    struct statgate *subscriber = load_open(load, "s0");
    struct statgate_delivery delivery;
    struct statgate_result result;

    for (;;) {
        if (statgate_next(subscriber, "SMALL", 1000, &delivery, &result) == 0)
            (void)statgate_keep(subscriber, &delivery, &result);
    }
}

// To each flow in turn; one whose consent has ended is published all the same.
static void
publish_panel(struct load *load)
{
    struct statgate *office = load_open(load, "rwanda");
    char flow[8];

    for (unsigned i = 0;; i++) {
        (void)snprintf(flow, sizeof flow, "P%u", i % FLOWS);
        (void)load_publish(load, office, flow, LOAD_SMALL);
        (void)usleep(20000); // below SG_LIMIT_VERIFY_PER_S
    }
}

static void
take_panel(struct load *load)
{
    struct statgate *agency = load_open(load, "research");
    struct statgate_delivery delivery;
    struct statgate_result result;
    char flow[8];

    for (unsigned i = 0;; i++) {
        (void)snprintf(flow, sizeof flow, "P%u", i % FLOWS);
        if (statgate_next(agency, flow, 50, &delivery, &result) == 0 &&
            statgate_keep(agency, &delivery, &result) == 0)
            (void)!write(kept[1], &(uint8_t){(uint8_t)(i % FLOWS)}, 1);
    }
}

// Until something of the flow has arrived: then more of it is on its way.
static void
wait_for(unsigned number)
{
    static bool seen[FLOWS];
    uint8_t flow;

    while (!seen[number]) {
        struct pollfd heard = {kept[0], POLLIN, 0};
        if (poll(&heard, 1, 3 * LOAD_MS) != 1 || read(kept[0], &flow, 1) != 1 ||
            flow >= FLOWS)
            load_die("nobody takes what is on consent");
        seen[flow] = true;
    }
}

static double
withdraw(const struct load *load, const char *program, unsigned number)
{
    char home[SG_OS_PATH], agreement[16];
    const char *argv[] = {program, "consent", "withdraw", agreement,
                          record,  "--home",  home,       NULL};
    int pid, status = 1;

    (void)snprintf(agreement, sizeof agreement, "A%u", number);
    if (!sg_os_file_path(home, "%s/ledger", load->folder))
        load_die("path");
    uint64_t begin_us = sg_os_clock_mono_us();
    if (sg_os_process_spawn(argv, NULL, &pid) != SG_OK ||
        !sg_os_process_wait(pid, LOAD_MS, &status) || status != 0)
        load_die("consent withdraw %s", agreement);
    return load_seconds(begin_us);
}

int
main(int argc, char **argv)
{
    void (*const work[])(struct load *) = {publish_groups, take_groups,
                                           publish_panel, take_panel};
    int pids[SG_COUNT_OF(work)], status;
    char program[SG_OS_PATH], folder[SG_OS_PATH];
    double took[FLOWS];
    struct load load;

    load_begin(&load, "bench_withdraw", argc, argv);
    if (sg_os_process_folder(folder, sizeof folder) != SG_OK ||
        !sg_os_file_path(program, "%s/../../../statgate", folder))
        load_die("statgate is not beside");
    if (pipe(kept) != 0)
        load_die("no pipe");
    for (size_t i = 0; i < SG_COUNT_OF(work); i++)
        pids[i] = begin(work[i], &load);
    double cpu = load_cpu(&load);
    uint64_t begin_us = sg_os_clock_mono_us();
    for (unsigned i = 0; i < FLOWS; i++) {
        wait_for(i);
        (void)usleep(PAUSE_US); // of load
        took[i] = withdraw(&load, program, i);
    }
    cpu = (load_cpu(&load) - cpu) / load_seconds(begin_us);
    for (size_t i = 0; i < SG_COUNT_OF(work); i++) {
        if (sg_os_process_wait(pids[i], 0, &status))
            load_die("a part of the load has ended with %d", status);
        sg_os_process_end(pids[i], true);
        (void)sg_os_process_wait(pids[i], LOAD_MS, &status);
    }
    printf("%d withdrawals by the command line, to the signed statement: p50 "
           "%.0f ms, longest %.0f ms; the gate used %.0f %% of a core\n",
           FLOWS, load_share(took, FLOWS, 0.5) * 1e3,
           load_share(took, FLOWS, 1) * 1e3, cpu * 100);
    return 0;
}
