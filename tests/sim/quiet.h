// quiet - a world of the simulation in which nothing happens by itself.
//
// For tests that lead their peers step by step, after the loop; a world that
// breaks fails the test at once.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { QUIET_TICK_US = 40000 };

// One peer does what is next for it, and all that follows is done.
static inline void
quiet_tick(struct sim *sim, int peer)
{
    sim_peer_tick(sim, peer);
    sim_settle(sim);
    if (sim->broken != NULL)
        fail_msg("%s", sim->broken);
}

static inline void
quiet_tick_until_step(struct sim *sim, int peer, unsigned step, int most)
{
    for (int i = 0; i < most && sim->peer[peer].step < step; i++)
        quiet_tick(sim, peer);
    assert_int_equal(sim->peer[peer].step, step);
}

// Everybody says hello; policy, structure, flow and one given consent are there,
// and NEAR has subscribed. most: ticks for each of them.
static inline void
quiet_found(struct sim *sim, int most)
{
    for (int i = 0; i < PEERS; i++)
        quiet_tick(sim, i);
    quiet_tick_until_step(sim, ADMIN, 2, most);
    quiet_tick_until_step(sim, PUBLISHER, 2, most);
    quiet_tick_until_step(sim, COLLECTOR, 2, most);
    quiet_tick_until_step(sim, NEAR, 1, most);
}

// All peers take turns, in time.
static inline void
quiet_rounds(struct sim *sim, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        for (int peer = 0; peer < PEERS; peer++)
            sim_peer_tick(sim, peer);
        sim_settle(sim);
        sim->now += QUIET_TICK_US;
    }
    assert_null(sim->broken);
}
