// Small and medium releases through a running gate, end to end: signed, sent,
// inspected, decided, durable, delivered to one subscriber who verifies them;
// beside what the machine does bare, in the same run.
//   bench_publish BUILD           founds a gate (gate.sh), which comes back as
//   bench_publish - OFFICE SUBSCRIBER FOLDER     with the homes of its two
// participants and a folder for files; flows SMALL, FILE and ROW are there.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "adapters/client/statgate.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/process.h"

enum {
    SMALL = 1024, // releases of a run, a multiple of GROUP
    GROUP = 64,
    MEDIUM = 24,
    SMALL_ROWS = 10,
    YEARS = 50,
    AREAS = 200,
    CHUNK = 128 * 1024, // of a bare proxy's message
    TIMEOUT_MS = 10000,
    RETRIES = 20, // each is said on standard error
    BARE_US = 400000,
    ENTRY = 296, // bytes of an entry in the log
};

struct bench {
    const char *office, *subscriber, *folder;
    struct statgate *handle;
    char areas[AREAS][4];
    size_t count; // of areas
    uint64_t small_bytes, medium_bytes;
};

struct rate { // releases a second: answered, and held by the subscriber
    double accepted, delivered;
};

static void
die(const char *what, const struct statgate_result *result)
{
    (void)fflush(stdout);
    fprintf(stderr, "bench_publish: %s: %s (%s) %s\n", what,
            result == NULL ? "" : result->sentence,
            result == NULL ? "" : result->code,
            result == NULL ? "" : result->component);
    exit(1);
}

static double
seconds_since(uint64_t begin)
{
    return (double)(sg_os_clock_mono_us() - begin + 1) / 1e6;
}

// ---- files ----------------------------------------------------------------------

static void
read_areas(struct bench *b)
{
    FILE *in = fopen("schemas/sdg/areas.csv", "r");
    char line[256];

    if (in == NULL)
        die("run from the top of the source tree", NULL);
    while (b->count < AREAS && fgets(line, sizeof line, in) != NULL) {
        if (strspn(line, "0123456789") == 3 && line[3] == ',') {
            memcpy(b->areas[b->count], line, 3);
            b->count++;
        }
    }
    (void)fclose(in);
    if (b->count == 0)
        die("no areas", NULL);
}

// rows observations whose figures differ from those of any other number.
static uint64_t
write_file(const struct bench *b, const char *name, unsigned number,
           unsigned rows)
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/%s-%u.csv", b->folder, name, number))
        die("path", NULL);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        die(path, NULL);
    fputs("DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"
          "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"
          "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"
          "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE\n",
          out);
    for (unsigned i = 0; i < rows; i++)
        fprintf(out,
                "STATGATE:DF_SDG(1.0),A,G,AG_FPA_COMM,%s,_T,_T,_T,_T,_T,_T,_T,"
                "_T,_T,_T,CPC2_1_112,%u,%u.%09u,A,0,IX,G\n",
                b->areas[i / YEARS % b->count], 1970 + i % YEARS, number, i);
    long len = ftell(out);
    (void)fclose(out);
    return (uint64_t)len;
}

// ---- the gate -------------------------------------------------------------------

// The subscriber is a process of its own: it takes count deliveries, each
// verified whole before it is given out, and says when it has them all.
static int
subscribe(const struct bench *b, const char *flow, unsigned count, int *pid)
{
    struct statgate_delivery delivery;
    struct statgate_result result;
    struct statgate *handle;
    int ends[2];

    if (pipe(ends) != 0 || sg_os_process_fork(pid) != SG_OK)
        die("subscriber", NULL);
    if (*pid != 0) {
        (void)close(ends[1]);
        return ends[0];
    }
    if (statgate_open(b->subscriber, NULL, TIMEOUT_MS, &handle, &result) != 0)
        die("subscriber", &result);
    for (unsigned i = 0, again = 0; i < count; i++) {
        if (statgate_next(handle, flow, TIMEOUT_MS, &delivery, &result) != 0) {
            fprintf(stderr, "delivery %u, not kept: %s\n", i, result.code);
            if (again++ == RETRIES)
                die("next", &result);
            i--;
            continue;
        }
        if (delivery.stopped || statgate_keep(handle, &delivery, &result) != 0)
            die("keep", &result);
    }
    (void)!write(ends[1], "", 1);
    statgate_close(&handle);
    _exit(0);
}

static void
wait_for(int fd, int pid)
{
    char byte;
    int status = 1;

    if (read(fd, &byte, 1) != 1)
        die("the subscriber did not get everything", NULL);
    (void)close(fd);
    if (!sg_os_process_wait(pid, TIMEOUT_MS, &status) || status != 0)
        die("the subscriber failed", NULL);
}

static void
publish(struct bench *b, const struct statgate_release *releases, size_t count)
{
    static struct statgate_receipt receipts[SMALL];
    static struct statgate_result results[SMALL];

    if (statgate_publish_many(b->handle, releases, count, receipts, results) ==
        0)
        return;
    for (size_t i = 0; i < count; i++)
        if (results[i].exit != 0)
            die(releases[i].file, &results[i]);
}

static struct rate
run(struct bench *b, const char *flow, const char *name, unsigned first,
    unsigned count, unsigned group)
{
    static char paths[SMALL][SG_OS_PATH];
    static struct statgate_release releases[SMALL];
    struct rate rate;
    int pid;

    for (unsigned i = 0; i < count; i++) {
        if (!sg_os_file_path(paths[i], "%s/%s-%u.csv", b->folder, name,
                             first + i))
            die("path", NULL);
        releases[i] = (struct statgate_release){
            .flow = flow, .file = paths[i], .alone = group == 1};
    }
    int fd = subscribe(b, flow, count, &pid);
    uint64_t begin = sg_os_clock_mono_us();
    publish(b, releases, count);
    rate.accepted = count / seconds_since(begin);
    fprintf(stderr, "%s, %u a group: %.1f accepted /s\n", flow, group,
            rate.accepted);
    wait_for(fd, pid);
    rate.delivered = count / seconds_since(begin);
    return rate;
}

// ---- the machine ----------------------------------------------------------------

static double
bare_append(const struct bench *b)
{
    static uint8_t zeros[1 << 20], entry[ENTRY];
    char path[SG_OS_PATH];
    uint64_t count = 0;
    int fd = -1;

    if (!sg_os_file_path(path, "%s/bare", b->folder) ||
        sg_os_file_open(path, SG_OS_OPEN_NEW, &fd) != SG_OK ||
        sg_os_file_pwrite(fd, 0, sg_slice_of(zeros, sizeof zeros)) != SG_OK ||
        fdatasync(fd) != 0)
        die("bare log", NULL);
    uint64_t begin = sg_os_clock_mono_us();
    for (; sg_os_clock_mono_us() - begin < BARE_US; count++)
        if (sg_os_file_pwrite(fd, count * ENTRY % (sizeof zeros - ENTRY),
                              sg_slice_of(entry, ENTRY)) != SG_OK ||
            fdatasync(fd) != 0)
            die("bare log", NULL);
    double rate = (double)count / seconds_since(begin);
    sg_os_file_close(&fd);
    return rate;
}

static void
bare_signatures(double *sign, double *verify)
{
    static const uint8_t seed[32] = {7}, text[300];
    uint8_t key[32], sig[64];
    struct sg_signer *signer;
    uint64_t count = 0, begin;

    if (sg_crypto_signer_new(seed, &signer) != SG_OK)
        die("key", NULL);
    sg_crypto_signer_public(signer, key);
    for (begin = sg_os_clock_mono_us(); sg_os_clock_mono_us() - begin < BARE_US;
         count++)
        if (sg_crypto_sign(signer, sg_slice_of(text, sizeof text), sig) !=
            SG_OK)
            die("sign", NULL);
    *sign = (double)count / seconds_since(begin);
    for (count = 0, begin = sg_os_clock_mono_us();
         sg_os_clock_mono_us() - begin < BARE_US; count++)
        if (!sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(key, 32),
                              sg_slice_of(text, sizeof text),
                              sg_slice_of(sig, 64)))
            die("verify", NULL);
    *verify = (double)count / seconds_since(begin);
    sg_crypto_signer_free(&signer);
}

struct proxy {
    void *context, *in, *out;
    uint8_t public_key[32], secret_key[32];
    char in_at[128], out_at[128];
    uint64_t messages;
    size_t len;
};

// A proxy that does nothing: what came in by one encrypted connection goes out
// by another.
static void *
carry(void *arg)
{
    struct proxy *p = arg;
    zmq_msg_t message;

    (void)zmq_msg_init(&message);
    for (uint64_t i = 0; i < p->messages; i++)
        if (zmq_msg_recv(&message, p->in, 0) < 0 ||
            zmq_msg_send(&message, p->out, 0) < 0)
            die("proxy", NULL);
    (void)zmq_msg_close(&message);
    return NULL;
}

static void *
serve(struct proxy *p, int type, char at[128])
{
    void *socket = zmq_socket(p->context, type);
    size_t len = 128;
    int one = 1;

    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, p->secret_key, 32) != 0 ||
        zmq_bind(socket, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, at, &len) != 0)
        die("proxy", NULL);
    return socket;
}

static void *
reach(struct proxy *p, int type, const char *at)
{
    void *socket = zmq_socket(p->context, type);

    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, p->public_key, 32) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, p->public_key, 32) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, p->secret_key, 32) != 0 ||
        zmq_connect(socket, at) != 0)
        die("proxy", NULL);
    return socket;
}

static void *
give(void *arg)
{
    struct proxy *p = arg;
    void *socket = reach(p, ZMQ_PUSH, p->in_at);
    uint8_t *bytes = calloc(1, p->len);

    for (uint64_t i = 0; i < p->messages && bytes != NULL; i++)
        if (zmq_send(socket, bytes, p->len, 0) < 0)
            die("proxy", NULL);
    free(bytes);
    (void)zmq_close(socket);
    return NULL;
}

// Messages a second of len bytes each.
static double
bare_proxy(size_t len, uint64_t messages)
{
    struct proxy p = {.messages = messages, .len = len};
    char public_text[41], secret_text[41];
    pthread_t carrier, giver;
    zmq_msg_t message;

    p.context = zmq_ctx_new();
    if (zmq_curve_keypair(public_text, secret_text) != 0 ||
        zmq_z85_decode(p.public_key, public_text) == NULL ||
        zmq_z85_decode(p.secret_key, secret_text) == NULL)
        die("proxy", NULL);
    p.in = serve(&p, ZMQ_PULL, p.in_at);
    p.out = serve(&p, ZMQ_PUSH, p.out_at);
    void *taker = reach(&p, ZMQ_PULL, p.out_at);
    uint64_t begin = sg_os_clock_mono_us();
    if (pthread_create(&carrier, NULL, carry, &p) != 0 ||
        pthread_create(&giver, NULL, give, &p) != 0)
        die("proxy", NULL);
    (void)zmq_msg_init(&message);
    for (uint64_t i = 0; i < messages; i++)
        if (zmq_msg_recv(&message, taker, 0) < 0)
            die("proxy", NULL);
    double rate = (double)messages / seconds_since(begin);
    (void)zmq_msg_close(&message);
    (void)pthread_join(carrier, NULL);
    (void)pthread_join(giver, NULL);
    (void)zmq_close(taker);
    (void)zmq_close(p.in);
    (void)zmq_close(p.out);
    (void)zmq_ctx_term(p.context);
    return rate;
}

// ---- the table ------------------------------------------------------------------

static void
print_small(const struct bench *b, const char *what, struct rate rate,
            double proxy, double bound)
{
    printf("%-28s %10.1f /s %10.1f /s %8.3f MB/s  bare proxy %.0f /s: %.4f  "
           "bound %.0f /s: %.3f\n",
           what, rate.accepted, rate.delivered,
           rate.delivered * (double)b->small_bytes / 1e6, proxy,
           rate.delivered / proxy, bound, rate.delivered / bound);
}

static void
print_medium(const struct bench *b, const char *what, struct rate rate,
             double proxy)
{
    printf("%-28s %10.2f /s %10.2f /s %8.1f MB/s  bare proxy %.1f MB/s: %.3f\n",
           what, rate.accepted, rate.delivered,
           rate.delivered * (double)b->medium_bytes / 1e6, proxy / 1e6,
           rate.delivered * (double)b->medium_bytes / proxy);
}

static void
measure(struct bench *b)
{
    double sign, verify, append = bare_append(b);

    bare_signatures(&sign, &verify);
    double small_proxy = bare_proxy(b->small_bytes, 20000);
    double medium_proxy = bare_proxy(CHUNK, 2000) * CHUNK;
    printf("machine: bare durable append %.0f /s, Ed25519 sign %.0f /s, verify "
           "%.0f /s\n",
           append, sign, verify);
    printf("%-28s %13s %13s\n", "releases", "accepted", "delivered");
    struct rate one = run(b, "SMALL", "small", 0, SMALL, 1);
    struct rate many = run(b, "SMALL", "small", SMALL, SMALL, GROUP);
    // What no order of things can beat: one signature, three looks at it, one
    // durable entry; shared by the group where it is shared.
    double stages = 1 / sign + 3 / verify + 1 / append + 1 / small_proxy;
    double shared =
        (1 / sign + 3 / verify + 1 / append) / GROUP + 1 / small_proxy;
    print_small(b, "10 obs, 1 signature each", one, small_proxy, 1 / stages);
    print_small(b, "10 obs, 64 a signature", many, small_proxy, 1 / shared);
    print_medium(b, "10,000 obs, commit file",
                 run(b, "FILE", "medium", 0, MEDIUM, 1), medium_proxy);
    print_medium(b, "10,000 obs, commit row",
                 run(b, "ROW", "medium", 0, MEDIUM, 1), medium_proxy);
    printf("bytes: small %llu, medium %llu; delivered: the subscriber has "
           "verified and kept it\n",
           (unsigned long long)b->small_bytes,
           (unsigned long long)b->medium_bytes);
}

int
main(int argc, char **argv)
{
    static const char script[] = "tests/bench/client/gate.sh";
    struct statgate_result result;
    struct bench b = {0};

    if (argc == 2) {
        (void)execl(script, script, argv[1], (char *)NULL);
        die("run from the top of the source tree", NULL);
    }
    if (argc != 5 || sg_crypto_start() != SG_OK)
        die("usage: bench_publish BUILD", NULL);
    b.office = argv[2];
    b.subscriber = argv[3];
    b.folder = argv[4];
    read_areas(&b);
    for (unsigned i = 0; i < 2 * SMALL; i++)
        b.small_bytes = write_file(&b, "small", i, SMALL_ROWS);
    for (unsigned i = 0; i < MEDIUM; i++)
        b.medium_bytes = write_file(&b, "medium", i, YEARS * AREAS);
    if (statgate_open(b.office, NULL, TIMEOUT_MS, &b.handle, &result) != 0)
        die("open", &result);
    measure(&b);
    statgate_close(&b.handle);
    return 0;
}
