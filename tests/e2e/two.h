// two - a gate with two members, who speak to it byte by byte.
//
// For the tests that need no more; `two_setup` and `two_teardown` are cmocka's.
#pragma once

#include "tests/e2e/raw.h"

static inline int
two_setup(void **state)
{
    static struct raw_member members[] = {
        {"KE_KNBS", "KE", "nso", "publisher", {.alg = ""}, {.alg = ""}},
        {"UG_UBOS", "UG", "nso", "subscriber", {.alg = ""}, {.alg = ""}},
    };
    static struct raw_gate gate;

    raw_gate_make(&gate, members, SG_COUNT_OF(members));
    raw_gate_start(&gate);
    *state = &gate;
    return 0;
}

static inline int
two_teardown(void **state)
{
    raw_gate_free(*state);
    return 0;
}

static inline void
two_serves(struct raw_gate *gate, int within_ms)
{
    void *good = raw_member_dealer(gate, 1);
    bool served = raw_hello(gate, good, within_ms);
    zmq_close(good);
    assert_true(served);
}
