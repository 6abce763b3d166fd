// Idle peers: what each of SG_IDLE_PEERS (default 1,000; 10,000 in the campaign)
// greeted CURVE connections costs statgated, and how long a valid publish takes
// beside them. As many as come in within two minutes and as the machine's limit
// on open files allows; what was reached is printed.
#include <zmq.h>

#include "adapters/client/home.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/items.h"
#include "schemas/wire.pb-c.h"
#include "tests/bench/client/load.h"

enum {
    EACH = 2500, // connections of one process: two files each
    PROCESSES = 8,
    COME_IN_S = 120,
    PUBLISHES = 200,
    HOLD_S = 5,
    PACE_US = 20000, // below SG_LIMIT_VERIFY_PER_S
};

struct crowd {
    int pid, told, leave; // told: how many were greeted; leave: closed by us
};

static void *
connection(void *context, const struct sg_home *home)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int none = 0;

    if (socket == NULL ||
        zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, home->gate_transport, 32) !=
            0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, home->transport.public_key,
                       32) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, home->transport.secret,
                       32) != 0 ||
        zmq_connect(socket, home->endpoint[1]) != 0)
        return NULL;
    return socket;
}

static struct sg_slice
hello(struct sg_arena *arena)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello body = SGPB__HELLO__INIT;
    struct sg_slice packed;
    uint8_t *room = sg_arena_take(arena, 1024);

    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &body;
    body.proto_min = body.proto_max = 1;
    body.software = (char *)(uintptr_t) "idle";
    struct sg_writer w = sg_writer_on(room, 1024);
    if (sg_codec_pack(&envelope.base, arena, &packed) != SG_OK ||
        sg_items_put(&w, packed, (struct sg_slice){NULL, 0}) != SG_OK)
        load_die("hello");
    return sg_writer_slice(&w);
}

// Connects, greets, counts answers until all are there or the time is over,
// says how many, and stays until it is told to leave.
static void
stay(const struct load *load, unsigned wanted, int tell, int leave)
{
    static void *sockets[EACH];
    struct sg_home home;
    struct sg_diag diag;
    char path[SG_OS_PATH], bytes[4096];
    unsigned made = 0, greeted = 0;
    void *context = zmq_ctx_new();
    struct sg_arena *arena = sg_arena_new(1 << 20, 0);
    uint64_t begin = sg_os_clock_mono_us();

    if (arena == NULL || !sg_os_file_path(path, "%s/s0", load->folder) ||
        sg_home_open(path, &home, &diag) != SG_OK ||
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, EACH + 8) != 0)
        load_die("a crowd has no home");
    struct sg_slice greeting = hello(arena);
    for (; made < wanted; made++) {
        sockets[made] = connection(context, &home);
        if (sockets[made] == NULL ||
            zmq_send(sockets[made], greeting.ptr, greeting.len, 0) < 0)
            break;
    }
    for (unsigned at = 0; greeted < made && load_seconds(begin) < COME_IN_S;
         at = (at + 1) % made) {
        if (sockets[at] != NULL &&
            zmq_recv(sockets[at], bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0)
            greeted++;
        if (at == 0)
            (void)usleep(20000);
    }
    (void)!write(tell, &greeted, sizeof greeted);
    (void)!read(leave, bytes, 1);
    _exit(0);
}

static struct crowd
gather(const struct load *load, unsigned wanted)
{
    struct crowd crowd;
    int told[2], leave[2];

    if (pipe(told) != 0 || pipe(leave) != 0)
        load_die("no pipe for a crowd");
    crowd.pid = load_fork();
    if (crowd.pid == 0) {
        (void)close(leave[1]);
        (void)close(told[0]);
        stay(load, wanted, told[1], leave[0]);
    }
    (void)close(told[1]);
    (void)close(leave[0]);
    crowd.told = told[0];
    crowd.leave = leave[1];
    return crowd;
}

static void
measure(struct load *load, struct statgate *office, unsigned peers,
        double took[PUBLISHES])
{
    for (unsigned i = 0; i < PUBLISHES; i++) {
        took[i] = load_publish(load, office, "SMALL", LOAD_SMALL);
        (void)usleep(PACE_US);
    }
    printf("%6u peers: valid publish p50 %6.1f ms, p99 %6.1f ms\n", peers,
           load_share(took, PUBLISHES, 0.5) * 1e3,
           load_share(took, PUBLISHES, 0.99) * 1e3);
}

static unsigned
come_in(const struct load *load, struct crowd *crowds, unsigned wanted)
{
    unsigned greeted = 0;

    for (unsigned i = 0; i < PROCESSES; i++) {
        unsigned share = wanted / PROCESSES + (i < wanted % PROCESSES);
        crowds[i] = gather(load, share < EACH ? share : EACH);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        unsigned count = 0;
        if (read(crowds[i].told, &count, sizeof count) != sizeof count)
            load_die("a crowd is gone");
        greeted += count;
    }
    return greeted;
}

int
main(int argc, char **argv)
{
    static double before[PUBLISHES], beside[PUBLISHES];
    struct crowd crowds[PROCESSES];
    struct load load;
    unsigned wanted = load_number("SG_IDLE_PEERS", 1000);

    load_begin(&load, "bench_idle", argc, argv);
    struct statgate *office = load_open(&load, "office");
    measure(&load, office, 0, before);
    double memory = load_memory(&load);
    uint64_t begin = sg_os_clock_mono_us();
    unsigned peers = come_in(&load, crowds, wanted);
    double took = load_seconds(begin);
    double each = (load_memory(&load) - memory) / (peers == 0 ? 1 : peers);
    double cpu = load_cpu(&load);
    (void)sleep(HOLD_S); // what doing nothing costs
    cpu = (load_cpu(&load) - cpu) / HOLD_S;
    measure(&load, office, peers, beside);
    printf("%6u of %u peers greeted in %.1f s: %.1f KB each, %.1f %% of a core "
           "idle; p99 of a valid publish %.2f times that without them\n",
           peers, wanted, took, each / 1e3, cpu * 100,
           load_share(beside, PUBLISHES, 0.99) /
               load_share(before, PUBLISHES, 0.99));
    for (unsigned i = PROCESSES; i-- > 0;) { // later ones hold our ends open
        int status;
        (void)close(crowds[i].leave);
        (void)sg_os_process_wait(crowds[i].pid, LOAD_MS, &status);
    }
    statgate_close(&office);
    return 0;
}
