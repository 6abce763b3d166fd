// What a subscription asks for is looked at by a worker before it is taken: a
// real core in a quiet world; the test is the worker. The loop is compiled in,
// as in the other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

enum { ROUNDS = 12, REQUEST = 7 };

struct bench {
    struct sim *sim;
    struct sg_output *output;
    const struct sg_job *job; // the last one that was started
};

static int
setup(void **state)
{
    static struct bench bench;

    bench = (struct bench){.sim = sim_open(1, BUG_NONE)};
    bench.output = sg_output_new(64 * 1024 * 1024);
    bench.sim->quiet = true;
    quiet_rounds(bench.sim, ROUNDS);
    *state = &bench;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *bench = *state;

    sg_output_free(&bench->output);
    sim_close(&bench->sim);
    return 0;
}

// One event and the end of its turn. What was sent to the subscriber, or NULL.
static const Sgpb__Envelope *
happens(struct bench *bench, struct sg_event *event)
{
    struct sim *sim = bench->sim;
    const Sgpb__Envelope *found = NULL;
    void *open;

    sim->now += 2000000; // buckets are full again
    sim_bytes(sim, event->random, 32);
    sg_output_reset(bench->output);
    sg_core_decide(sim->core, event, sim->now, bench->output);
    sg_core_end_turn(sim->core, event->random, sim->now, bench->output);
    bench->job = NULL;
    for (size_t i = 0; i < bench->output->effects_count; i++) {
        const struct sg_effect *effect = &bench->output->effects[i];
        if (effect->kind == SG_EFFECT_START_JOB)
            bench->job = effect->u.start_job;
        if (effect->kind != SG_EFFECT_SEND)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                         effect->u.send.envelope, sim->mem,
                                         &open),
                         SG_OK);
        if (((Sgpb__Envelope *)open)->request == REQUEST)
            found = open;
    }
    return found;
}

static const Sgpb__Envelope *
subscribe(struct bench *bench, const char *name, const char *key,
          const char *period)
{
    struct sim *sim = bench->sim;
    const struct sim_peer *peer = &sim->peer[FAR];
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Subscribe put = SGPB__SUBSCRIBE__INIT;
    Sgpb__Subscription doc = SGPB__SUBSCRIPTION__INIT;
    uint8_t nonce[16] = {2};

    doc.gate = TEXT("HUB");
    doc.subscriber = TEXT(peer->id);
    doc.name = TEXT(name);
    doc.flow = TEXT("KE_HEALTH");
    doc.key_filter = TEXT(key);
    doc.period = TEXT(period);
    doc.purpose = TEXT("official_statistics");
    doc.start = 1;
    doc.nonce = BYTES(nonce, 16);
    put.subscription =
        sim_sign(sim, peer->signer, SG_SIGN_SUBSCRIPTION, &doc.base);
    envelope.proto = 1;
    envelope.request = REQUEST;
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIBE;
    envelope.subscribe = &put;
    memcpy(event.u.message.curve_key, peer->transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = FAR;
    event.u.message.from.bytes[1] = peer->generation;
    event.u.message.envelope = sim_pack(sim, &envelope.base);
    return happens(bench, &event);
}

// code "": accepted; NULL: the worker died.
static const Sgpb__Envelope *
answer(struct bench *bench, const char *code, const char *place)
{
    static struct sg_job_outputs outputs;
    struct sg_event event = {.kind = SG_EVENT_JOB_DONE};
    Sgpb__Done done = SGPB__DONE__INIT;
    Sgpb__DoneItem item = SGPB__DONE_ITEM__INIT;
    Sgpb__DoneItem *items = &item;

    assert_non_null(bench->job);
    assert_int_equal(bench->job->role, SG_JOB_CHOICE);
    event.u.job.job = done.job = bench->job->job;
    done.items = &items;
    done.n_items = 1;
    item.verdict = code != NULL && code[0] == '\0' ? 1 : 2;
    if (code == NULL) {
        event.u.job.err = SG_ERR_IO;
        return happens(bench, &event);
    }
    item.code = TEXT(code);
    item.component = TEXT(place);
    event.u.job.done = sim_pack(bench->sim, &done.base);
    event.u.job.outputs = &outputs;
    event.u.job.outputs_count = 1;
    return happens(bench, &event);
}

static void
is_refused(const Sgpb__Envelope *said, const char *code, const char *place)
{
    assert_non_null(said);
    assert_int_equal(said->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(said->refused->code, code);
    assert_string_equal(said->refused->place->component, place);
    assert_true(said->refused->cure[0] != '\0');
}

static void
is_taken(const Sgpb__Envelope *said, const char *id)
{
    assert_non_null(said);
    assert_int_equal(said->body_case, SGPB__ENVELOPE__BODY_SUBSCRIPTION);
    assert_string_equal(said->subscription->id, id);
}

static void
a_choice_is_taken_or_refused_as_the_worker_says(void **state)
{
    struct bench *bench = *state;
    const struct sg_state *durable = bench->sim->core->state;
    uint32_t before = sg_pool_count(durable->subscriptions);
    void *wanted;

    assert_null(subscribe(bench, "N1", "A.XX", "2020/"));
    assert_non_null(bench->job);
    assert_int_equal(sg_codec_unpack(&sgpb__rendition__descriptor,
                                     bench->job->rendition, bench->sim->mem,
                                     &wanted),
                     SG_OK);
    assert_string_equal(((Sgpb__Rendition *)wanted)->key_filter, "A.XX");
    assert_string_equal(((Sgpb__Rendition *)wanted)->period, "2020/");
    is_refused(answer(bench, "subscriber.key_code", "AREA \"XX\""),
               "subscriber.key_code", "AREA \"XX\"");
    assert_int_equal(sg_pool_count(durable->subscriptions), before);
    assert_null(subscribe(bench, "N1", "A.KE", ""));
    is_taken(answer(bench, "", ""), "UG_UBOS/N1");
    assert_int_equal(sg_pool_count(durable->subscriptions), before + 1);
    // The same bytes again: known, nobody is asked.
    is_taken(subscribe(bench, "N1", "A.KE", ""), "UG_UBOS/N1");
    assert_null(bench->job);
    // Everything of the flow: there is nothing to look at.
    is_taken(subscribe(bench, "N2", "", ""), "UG_UBOS/N2");
    assert_null(bench->job);
}

// Twice, then the subscriber is told to try again; nothing was taken.
static void
a_worker_that_dies_or_says_nonsense_takes_nothing(void **state)
{
    struct bench *bench = *state;
    const struct sg_state *durable = bench->sim->core->state;
    uint32_t before = sg_pool_count(durable->subscriptions);

    assert_null(subscribe(bench, "N3", "A.KE", ""));
    assert_null(answer(bench, NULL, NULL));
    is_refused(answer(bench, "peer.rights", "x"), "gate.busy", "key_filter");
    assert_null(subscribe(bench, "N3", "A.KE", ""));
    assert_null(answer(bench, "no.code", "x"));
    is_refused(answer(bench, NULL, NULL), "gate.busy", "key_filter");
    assert_int_equal(sg_pool_count(durable->subscriptions), before);
}

// Asked twice, answered once; and one subscriber fills no gate.
static void
a_subscriber_waits_in_few_places(void **state)
{
    struct bench *bench = *state;
    const struct sg_core *core = bench->sim->core;
    char key[16];

    for (int i = 0; i < (int)SG_LIMIT_CHOICES_EACH; i++) {
        (void)snprintf(key, sizeof key, "A.K%d", i);
        assert_null(subscribe(bench, "N4", key, ""));
        assert_null(subscribe(bench, "N4", key, ""));
    }
    assert_int_equal(sg_pool_count(core->choosings), SG_LIMIT_CHOICES_EACH);
    is_refused(subscribe(bench, "N4", "A.MORE", ""), "gate.busy", "key_filter");
    assert_int_equal(sg_pool_count(core->choosings), SG_LIMIT_CHOICES_EACH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_is_taken_or_refused_as_the_worker_says),
        cmocka_unit_test(a_worker_that_dies_or_says_nonsense_takes_nothing),
        cmocka_unit_test(a_subscriber_waits_in_few_places),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, setup, teardown)
               : 1;
}
