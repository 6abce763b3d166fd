// bench - a real core in a quiet world, asked message by message.
//
// For tests whose rows are messages: everybody has said hello, two flows are
// open, a policy is proposed, and nothing else moves. The loop is compiled into
// the test, as in the others of the simulation.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { BENCH_SECOND_US = 1000000 };
static const char *const bench_flow[PEERS] = {
    [PUBLISHER] = "KE_HEALTH", [NEAR] = "TZ_HEALTH"};

struct bench {
    struct sim *sim;
    struct sg_output *output;
    uint8_t terms[PEERS][32];
    uint64_t request;
};

static inline void
bench_put_flow(struct bench *bench, int peer)
{
    struct sim *sim = bench->sim;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowPut put = SGPB__FLOW_PUT__INIT;

    put.terms = sim_terms(sim, peer, bench_flow[peer]);
    memcpy(bench->terms[peer], sim->terms_sha, 32);
    envelope.request = ++bench->request;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_PUT;
    envelope.flow_put = &put;
    sim_say(sim, peer, &envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
}

// Everybody has said hello, two flows are open, a policy is proposed.
static inline int
bench_open_seed(void **state, uint64_t seed)
{
    static struct bench bench;

    bench = (struct bench){.sim = sim_open(seed, BUG_NONE)};
    bench.output = sg_output_new(64 * 1024 * 1024);
    bench.sim->quiet = true;
    for (int i = 0; i < PEERS; i++)
        sim_peer_tick(bench.sim, i);
    sim_settle(bench.sim);
    for (int i = 0; i < PEERS; i++)
        assert_true(bench.sim->peer[i].greeted);
    sim_peer_tick(bench.sim, ADMIN);
    sim_settle(bench.sim);
    for (int i = 0; i < 3 && bench.sim->peer[PUBLISHER].step == 0; i++) {
        sim_peer_tick(bench.sim, PUBLISHER); // the structure, until it is known
        sim_settle(bench.sim);
    }
    assert_int_equal(bench.sim->peer[ADMIN].step, 1);
    assert_int_equal(bench.sim->peer[PUBLISHER].step, 1);
    bench_put_flow(&bench, PUBLISHER);
    bench_put_flow(&bench, NEAR);
    assert_null(bench.sim->broken);
    *state = &bench;
    return 0;
}

static inline int
bench_open(void **state)
{
    return bench_open_seed(state, 1);
}

static inline int
bench_close(void **state)
{
    struct bench *bench = *state;

    sg_output_free(&bench->output);
    sim_close(&bench->sim);
    return 0;
}

// What the core answers: "" when it takes the thing, else the code of refusal.
static inline const char *
bench_ask(struct bench *bench, int peer, Sgpb__Envelope *envelope,
          struct sg_slice payload)
{
    struct sim *sim = bench->sim;
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    const char *code = NULL;

    sim->now += 2 * BENCH_SECOND_US; // buckets are full again
    envelope->proto = 1;
    envelope->request = ++bench->request;
    memcpy(event.u.message.curve_key, sim->peer[peer].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = (uint8_t)peer;
    event.u.message.from.bytes[1] = sim->peer[peer].generation;
    event.u.message.envelope = sim_pack(sim, &envelope->base);
    event.u.message.payload = payload;
    sim_bytes(sim, event.random, 32);
    sg_output_reset(bench->output);
    sg_core_decide(sim->core, &event, sim->now, bench->output);
    for (size_t i = 0; i < bench->output->effects_count; i++) {
        const struct sg_effect *effect = &bench->output->effects[i];
        void *open;
        if (effect->kind == SG_EFFECT_BEGIN_OBJECT)
            return "";
        if (effect->kind != SG_EFFECT_SEND)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                         effect->u.send.envelope, sim->mem,
                                         &open),
                         SG_OK);
        const Sgpb__Envelope *heard = open;
        if (heard->body_case == SGPB__ENVELOPE__BODY_REFUSED)
            code = heard->refused->code;
        else if (heard->body_case == SGPB__ENVELOPE__BODY_RESULT)
            code = heard->result->refusal == NULL
                       ? ""
                       : heard->result->refusal->code;
        else if (heard->body_case == SGPB__ENVELOPE__BODY_RECEIPT)
            code = "";
    }
    assert_non_null(code);
    return code;
}
