// intake - a quiet world at whose door one message at a time is decided, at a
// moment that stands still. For tests, after the loop.
#pragma once

#include "broker/core/roster.h"
#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

enum { SEED = 1, SECOND = 1000000 };

static const struct sg_slice none;

struct world {
    struct sim *sim;
    struct sg_output *output;
};

// Everybody has said hello; structure, flow, policy, one given consent and the
// subscriptions are there.
static inline int
setup(void **state)
{
    static struct world world;
    struct sim *sim = sim_open(SEED, BUG_NONE);

    world = (struct world){sim, sg_output_new(16 * 1024 * 1024)};
    sim->quiet = true;
    sim->peer[COLLECTOR].withdraw_at = UINT64_MAX;
    quiet_rounds(sim, 24);
    sim->now += 2 * SECOND; // all buckets are full
    assert_null(sim->broken);
    *state = &world;
    return 0;
}

static inline int
teardown(void **state)
{
    struct world *world = *state;

    sg_output_free(&world->output);
    sim_close(&world->sim);
    return 0;
}

static inline void
write_down(struct world *world)
{
    assert_int_equal(world->sim->env.append(world->sim, world->output->entries,
                                            world->output->entries_count),
                     SG_OK);
}

// One message, decided at this moment. The code of the refusal; "": another
// answer.
static inline const char *
decide_bytes(struct world *world, int peer, struct sg_slice envelope,
             struct sg_slice payload)
{
    struct sim *sim = world->sim;
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    const char *code = "";

    memcpy(event.u.message.curve_key, sim->peer[peer].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = (uint8_t)peer;
    event.u.message.from.bytes[1] = sim->peer[peer].generation;
    event.u.message.envelope = envelope;
    event.u.message.payload = payload;
    sg_output_reset(world->output);
    sg_core_decide(sim->core, &event, sim->now, world->output);
    write_down(world);
    for (size_t i = 0; i < world->output->effects_count; i++) {
        const struct sg_effect *effect = &world->output->effects[i];
        void *open;
        if (effect->kind != SG_EFFECT_SEND)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                         effect->u.send.envelope, sim->mem,
                                         &open),
                         SG_OK);
        const Sgpb__Envelope *answer = open;
        if (answer->body_case == SGPB__ENVELOPE__BODY_REFUSED)
            code = answer->refused->code;
        else if (answer->body_case == SGPB__ENVELOPE__BODY_RESULT &&
                 answer->result->refusal != NULL)
            code = answer->result->refusal->code;
    }
    return code;
}

static inline const char *
decide_on(struct world *world, int peer, Sgpb__Envelope *envelope)
{
    envelope->proto = 1;
    envelope->request = ++world->sim->peer[peer].request;
    return decide_bytes(world, peer, sim_pack(world->sim, &envelope->base),
                        none);
}

static inline Sgpb__Signed *
forged(struct sim *sim, struct sg_signer *signer, enum sg_sign_purpose purpose,
       const ProtobufCMessage *body)
{
    Sgpb__Signed *out = sim_sign(sim, signer, purpose, body);

    out->sig.data[0] ^= 1;
    return out;
}

static inline Sgpb__TwoSigned *
forged_two(Sgpb__TwoSigned *two)
{
    two->signatures[0]->sig.data[0] ^= 1;
    return two;
}

static inline void
fill_event(struct sim *sim, Sgpb__ConsentEvent *event, uint8_t record[16])
{
    static uint8_t zeros[32];

    *event = (Sgpb__ConsentEvent)SGPB__CONSENT_EVENT__INIT;
    event->agreement = TEXT("PANEL_1");
    event->revision_sha256 = BYTES(sim->agreement_sha, 32);
    event->record_id = BYTES(record, 16);
    event->to = SG_CONSENT_STATE_GIVEN;
    event->prev_event_sha256 = BYTES(zeros, 32);
    event->at = sim->now;
    event->nonce = BYTES(record, 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
