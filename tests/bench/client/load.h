// load - what the measurements under load share: files to publish, a gate's
// processor time and memory, subscribers in processes of their own.
//
// A program called with BUILD alone becomes load.sh, which founds a gate and
// calls it back as PROGRAM - GATE_PID FOLDER; homes lie in FOLDER.
#pragma once

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "adapters/client/statgate.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/process.h"

enum {
    LOAD_MS = 20000, // of every call
    LOAD_YEARS = 50,
    LOAD_AREAS = 200,
    LOAD_MEDIUM = LOAD_YEARS * LOAD_AREAS, // observations: 1.1 MB
    LOAD_SMALL = 10,
    LOAD_RETRIES = 20,
};

struct load {
    const char *folder;
    int gate; // process id
    char areas[LOAD_AREAS][4];
    unsigned count; // of areas
    unsigned written;
};

__attribute__((noreturn, format(printf, 1, 2))) static inline void
load_die(const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static inline double
load_seconds(uint64_t begin)
{
    return (double)(sg_os_clock_mono_us() - begin + 1) / 1e6;
}

// A size that the environment gives, or the one for `make bench`.
static inline unsigned
load_number(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text == NULL ? usual : (unsigned)strtoul(text, NULL, 10);
}

// ---- what is published ------------------------------------------------------

static inline void
load_areas(struct load *load)
{
    FILE *in = fopen("schemas/sdg/areas.csv", "r");
    char line[256];

    if (in == NULL)
        load_die("run from the top of the source tree");
    while (load->count < LOAD_AREAS && fgets(line, sizeof line, in) != NULL) {
        if (strspn(line, "0123456789") == 3 && line[3] == ',')
            memcpy(load->areas[load->count++], line, 3);
    }
    (void)fclose(in);
    if (load->count == 0)
        load_die("no areas");
}

// A file whose figures differ from those of any other.
static inline void
load_file(struct load *load, unsigned rows, char path[SG_OS_PATH])
{
    unsigned number = ++load->written;

    if (!sg_os_file_path(path, "%s/file-%d-%u.csv", load->folder, getpid(),
                         number))
        load_die("path");
    FILE *out = fopen(path, "w");
    if (out == NULL)
        load_die("%s", path);
    fputs("DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"
          "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"
          "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"
          "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE\n",
          out);
    for (unsigned i = 0; i < rows; i++)
        fprintf(out,
                "STATGATE:DF_SDG(1.0),A,G,AG_FPA_COMM,%s,_T,_T,_T,_T,_T,_T,_T,"
                "_T,_T,_T,CPC2_1_112,%u,%u.%09u,A,0,IX,G\n",
                load->areas[i / LOAD_YEARS % load->count],
                1970 + i % LOAD_YEARS, number + (unsigned)getpid() * 1000, i);
    (void)fclose(out);
}

static inline struct statgate *
load_open(const struct load *load, const char *home)
{
    struct statgate *handle;
    struct statgate_result result;
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/%s", load->folder, home) ||
        statgate_open(path, NULL, LOAD_MS, &handle, &result) != 0)
        load_die("open %s: %s", home, result.sentence);
    return handle;
}

// One release; how long until it is accepted, in seconds.
static inline double
load_publish(struct load *load, struct statgate *office, const char *flow,
             unsigned rows)
{
    struct statgate_receipt receipt;
    struct statgate_result result;
    char path[SG_OS_PATH];
    const struct statgate_release release = {.flow = flow, .file = path};

    load_file(load, rows, path);
    uint64_t begin = sg_os_clock_mono_us();
    if (statgate_publish(office, &release, NULL, NULL, &receipt, &result) != 0)
        load_die("publish %s: %s (%s) %s", flow, result.sentence, result.code,
                 result.component);
    double took = load_seconds(begin);
    (void)unlink(path);
    return took;
}

// ---- who receives -------------------------------------------------------------

// The next release of the subscription, taken and kept. A delivery that could
// not be taken comes again. Asserts that none comes twice and none is left out.
static inline void
load_take(struct statgate *handle, const char *name, uint64_t *revision)
{
    struct statgate_delivery delivery;
    struct statgate_result result;

    for (int again = 0;; again++) {
        if (statgate_next(handle, name, LOAD_MS, &delivery, &result) == 0)
            break;
        if (again == LOAD_RETRIES)
            load_die("next %s: %s (%s)", name, result.sentence, result.code);
    }
    if (delivery.stopped ||
        (*revision != 0 && delivery.revision != *revision + 1))
        load_die("%s: release %llu came after %llu", name,
                 (unsigned long long)delivery.revision,
                 (unsigned long long)*revision);
    *revision = delivery.revision;
    if (statgate_keep(handle, &delivery, &result) != 0)
        load_die("keep %s: %s (%s)", name, result.sentence, result.code);
}

// A process of ours; 0 in the child, which does not outlive us.
static inline int
load_fork(void)
{
    int pid;

    if (sg_os_process_fork(&pid) != SG_OK)
        load_die("no process");
    if (pid == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

struct load_receiver {
    int pid, heard; // a byte for each release kept
};

// A process that takes count releases of the subscription called like the flow.
static inline struct load_receiver
load_receiver(const struct load *load, const char *home, const char *flow,
              unsigned count)
{
    struct load_receiver out;
    uint64_t revision = 0;
    int ends[2];

    if (pipe(ends) != 0)
        load_die("no pipe for a receiver");
    out.pid = load_fork();
    out.heard = ends[0];
    if (out.pid != 0) {
        (void)close(ends[1]);
        return out;
    }
    (void)close(ends[0]);
    struct statgate *handle = load_open(load, home);
    for (unsigned i = 0; i < count; i++) {
        load_take(handle, flow, &revision);
        (void)!write(ends[1], "", 1);
    }
    statgate_close(&handle);
    _exit(0);
}

static inline void
load_wait_release(const struct load_receiver *receiver)
{
    char byte;

    if (read(receiver->heard, &byte, 1) != 1)
        load_die("a receiver did not get everything");
}

static inline void
load_end_receiver(struct load_receiver *receiver)
{
    int status = 1;

    (void)close(receiver->heard);
    if (!sg_os_process_wait(receiver->pid, LOAD_MS, &status) || status != 0)
        load_die("a receiver failed");
}

// ---- what the gate takes ------------------------------------------------------

struct load_stat { // of /proc/PID/stat
    int pid, parent;
    double self, children; // seconds of processor time
};

static inline bool
load_stat(const char *pid, struct load_stat *out)
{
    char path[64], text[1024];
    unsigned long long user, system;
    long long user_of, system_of;

    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, in);
    (void)fclose(in);
    text[len] = '\0';
    const char *behind = strrchr(text, ')'); // a name may be anything
    if (behind == NULL ||
        sscanf(behind + 1,
               " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld "
               "%lld",
               &out->parent, &user, &system, &user_of, &system_of) != 5)
        return false;
    double tick = (double)sysconf(_SC_CLK_TCK);
    out->pid = atoi(pid);
    out->self = (double)(user + system) / tick;
    out->children = (double)(user_of + system_of) / tick;
    return true;
}

// statgated, its template, and every worker there is or was.
static inline double
load_cpu(const struct load *load)
{
    enum { MOST = 4096 };
    static struct load_stat all[MOST];
    size_t count = 0;
    double sum = 0;
    int template = -1;
    DIR *proc = opendir("/proc");

    if (proc == NULL)
        load_die("no /proc");
    for (struct dirent *d; (d = readdir(proc)) != NULL && count < MOST;)
        if (d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
            load_stat(d->d_name, &all[count]))
            count++;
    (void)closedir(proc);
    for (size_t i = 0; i < count; i++)
        if (all[i].parent == load->gate)
            template = all[i].pid;
    for (size_t i = 0; i < count; i++) {
        if (all[i].pid == load->gate || all[i].parent == template)
            sum += all[i].self;
        if (all[i].pid == template)
            sum += all[i].self + all[i].children;
    }
    return sum;
}

// Resident memory of statgated, in bytes.
static inline double
load_memory(const struct load *load)
{
    char path[64];
    unsigned long long resident = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/statm", load->gate);
    FILE *in = fopen(path, "r");
    if (in == NULL || fscanf(in, "%*u %llu", &resident) != 1)
        load_die("statgated is gone");
    (void)fclose(in);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

// ---- telling ------------------------------------------------------------------

static inline int
load_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

// The share-th part of the sorted values, e.g. 0.99; sorts them.
static inline double
load_share(double *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, load_order);
    size_t at = (size_t)((double)count * share);
    return values[at < count ? at : count - 1];
}

// Becomes load.sh, or fills load for the call back.
static inline void
load_begin(struct load *load, const char *name, int argc, char **argv)
{
    static const char script[] = "tests/bench/client/load.sh";

    *load = (struct load){0};
    if (argc == 2) {
        (void)execl(script, script, argv[1], name, (char *)NULL);
        load_die("run from the top of the source tree");
    }
    if (argc != 4 || sg_crypto_start() != SG_OK)
        load_die("usage: %s BUILD", name);
    load->gate = atoi(argv[2]);
    load->folder = argv[3];
    load_areas(load);
}
