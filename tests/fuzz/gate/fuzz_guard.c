// The guard against keys that make the process grow, driven by any sequence of
// what can happen to it: its answers stay within their bounds, and it finds
// nobody who was not connected or heard.
#include "broker/base/check.h"
#include "broker/wire_guard.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 256 };

struct run {
    struct sg_wire_guard guard;
    bool known[KEYS]; // connected or heard at any time
    uint64_t now_us;
};

static void
key_of(uint8_t number, uint8_t key[32])
{
    memset(key, number, 32);
}

static void
connect(struct run *run, uint8_t number)
{
    if (run->guard.connected == SG_WIRE_GUARD_SUSPECTS)
        return;
    key_of(number, run->guard.connected_keys[run->guard.connected++]);
    run->known[number] = true;
}

static void
reset(struct run *run)
{
    bool found;
    uint32_t count = sg_wire_guard_reset(&run->guard, run->now_us, &found);

    SG_ASSERT(count <= SG_WIRE_GUARD_SUSPECTS && (!found || count == 1));
    SG_ASSERT(run->guard.penalty_min <= 60);
    SG_ASSERT(count == 0 || run->guard.until_us > run->now_us);
    for (uint32_t i = 0; i < count; i++)
        SG_ASSERT(run->known[run->guard.keep_out[i][0]]);
    run->guard.connected = 0;
}

static void
step(struct run *run, uint8_t what, uint8_t number)
{
    uint8_t key[32];

    switch (what % 4) {
    case 0:
        connect(run, number);
        return;
    case 1:
        key_of(number, key);
        run->known[number] = true;
        sg_wire_guard_saw(&run->guard, key, (size_t)what << 20);
        return;
    case 2:
        run->now_us += (uint64_t)number * 100000;
        sg_wire_guard_tick(&run->guard, run->now_us);
        return;
    default:
        reset(run);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    uint8_t *made;

    struct sg_slice all = seed_bytes(data, size, &made);
    memset(&run, 0, sizeof run);
    for (size_t i = 0; i + 2 <= all.len; i += 2) {
        step(&run, all.ptr[i], all.ptr[i + 1]);
        SG_ASSERT(run.guard.suspects <= SG_WIRE_GUARD_SUSPECTS);
        SG_ASSERT(run.guard.away <= SG_WIRE_GUARD_SUSPECTS);
    }
    free(made);
    return 0;
}
