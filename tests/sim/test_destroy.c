// Destructions that fail: what is tried again and when, and what is said of it
// meanwhile. A real core in a quiet world; the loop is compiled in, as in the
// other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/destroy.h"
#include "broker/core/overdue.h"
#include "tests/sim/sim.h"

enum { ROUNDS = 400, TICK_US = 40000 };
#define SECOND_US 1000000ull
#define MINUTE_US (60 * SECOND_US)

static struct sim *
world(uint32_t retention_days)
{
    struct sim *sim = sim_open(1, BUG_NONE); // with room for all deliveries

    sim->quiet = true;
    sim->crash_after = 0;
    sim->retention_days = retention_days;
    sim->destroy_one_of = 1;
    sim->core->state->settle_after = 100000; // all stays in memory
    for (int i = 0; i < ROUNDS; i++) {
        for (int peer = 0; peer < PEERS; peer++)
            sim_peer_tick(sim, peer);
        sim_settle(sim);
        sim->now += TICK_US;
    }
    assert_null(sim->broken);
    assert_int_equal(sim->destroy_tries, 0);
    assert_true(sg_pool_count(sim->core->state->renditions) > 2);
    return sim;
}

static void
after(struct sim *sim, uint64_t us)
{
    sim->now += us;
    sim_settle(sim);
    if (sim->broken != NULL)
        fail_msg("%s", sim->broken);
}

// The newest of its type, if it is not older than from.
static const Sgpb__Destroyed *
destroyed_since(struct sim *sim, size_t from)
{
    void *body;

    for (size_t i = sim->count; i > from; i--) {
        if (sim->entries[i - 1].type != SG_ENTRY_DESTROYED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__destroyed__descriptor,
                                         sim->entries[i - 1].body, sim->mem,
                                         &body),
                         SG_OK);
        return body;
    }
    return NULL;
}

// As the operator is told.
static unsigned
overdue(struct sim *sim)
{
    struct sg_output *output = sg_output_new(1024 * 1024);
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__StatusGet get = SGPB__STATUS_GET__INIT;
    unsigned count = 0;
    void *open;

    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_STATUS_GET;
    envelope.status_get = &get;
    memcpy(event.u.message.curve_key, sim->peer[ADMIN].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = ADMIN;
    event.u.message.from.bytes[1] = sim->peer[ADMIN].generation;
    event.u.message.envelope = sim_pack(sim, &envelope.base);
    sg_core_decide(sim->core, &event, sim->now, output);
    assert_int_equal(output->effects_count, 1);
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                     output->effects[0].u.send.envelope,
                                     sim->mem, &open),
                     SG_OK);
    const Sgpb__Envelope *answer = open;
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_STATUS);
    static const char name[] = "\"keys_overdue\":";
    char *text = sim_take(sim, answer->status->json.len + 1);
    memcpy(text, answer->status->json.data, answer->status->json.len);
    const char *at = strstr(text, name);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(name), "%u", &count), 1);
    sg_output_free(&output);
    return count;
}

// The n-th rendition in memory; its bytes turn out to be damaged.
static uint64_t
lose(struct sim *sim, unsigned n)
{
    const struct sg_state *state = sim->core->state;
    uint32_t at = 0;

    for (unsigned i = 0; i <= n; i++)
        at = sg_pool_next(state->renditions, at);
    assert_int_not_equal(at, 0);
    sim_store_lost(sim, sg_state_rendition(state, at)->object.id);
    return sg_state_rendition(state, at)->seq;
}

static void
what_failed_is_tried_again_and_others_go_meanwhile(void **state)
{
    struct sim *sim = world(0);
    size_t from = sim->count;

    (void)state;
    sim->destroy_fails = 1;
    uint64_t first = lose(sim, 0);
    after(sim, 0);
    assert_int_equal(sim->destroy_tries, 1);
    assert_null(destroyed_since(sim, from));
    assert_int_equal(overdue(sim), 1);
    uint64_t second = lose(sim, 1);
    after(sim, 3 * SECOND_US);
    after(sim, 3 * SECOND_US);
    const Sgpb__Destroyed *said = destroyed_since(sim, from);
    assert_non_null(said);
    assert_int_equal(said->n_objects, 1);
    assert_int_equal(said->objects[0], second);
    assert_int_equal(overdue(sim), 1);
    from = sim->count;
    after(sim, MINUTE_US - 10 * SECOND_US);
    assert_null(destroyed_since(sim, from));
    after(sim, 10 * SECOND_US);
    said = destroyed_since(sim, from);
    assert_non_null(said);
    assert_int_equal(said->n_objects, 1);
    assert_int_equal(said->objects[0], first);
    assert_string_equal(said->ground, "lost");
    assert_int_equal(overdue(sim), 0);
    assert_int_equal(sim->destroy_tries, 3);
    sim_close(&sim);
}

static void
pauses_double_up_to_an_hour(void **state)
{
    static const unsigned minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct sim *sim = world(0);

    (void)state;
    sim->destroy_fails = SG_COUNT_OF(minutes);
    lose(sim, 0);
    after(sim, 0);
    for (size_t i = 0; i < SG_COUNT_OF(minutes); i++) {
        assert_int_equal(sim->destroy_tries, i + 1);
        assert_int_equal(overdue(sim), 1);
        // The loop wakes for it by itself.
        assert_in_range(sg_core_due(sim->core), sim->now,
                        sim->now + minutes[i] * MINUTE_US);
        after(sim, minutes[i] * MINUTE_US - 10 * SECOND_US);
        assert_int_equal(sim->destroy_tries, i + 1);
        after(sim, 10 * SECOND_US);
    }
    assert_int_equal(sim->destroy_tries, SG_COUNT_OF(minutes) + 1);
    assert_int_equal(overdue(sim), 0);
    sim_close(&sim);
}

static void
a_release_whose_key_is_there_is_not_said_to_be_destroyed(void **state)
{
    struct sim *sim = world(1);
    size_t from = sim->count;
    uint8_t head[32];

    (void)state;
    memcpy(head, sim->peer[PUBLISHER].head, 32);
    sim->destroy_fails = 3;
    after(sim, DAY_US);
    for (int i = 0; i < 3; i++) { // after each failure the rest is tried
        assert_true(sg_core_knows_key(sim->core, head));
        assert_null(destroyed_since(sim, from));
        after(sim, MINUTE_US << i);
    }
    assert_non_null(destroyed_since(sim, from));
    assert_false(sg_core_knows_key(sim->core, head));
    after(sim, DAY_US / 2);
    assert_int_equal(overdue(sim), 0);
    sim_store_check(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

static void
a_key_that_is_left_over_is_not_forgotten(void **state)
{
    static const uint8_t manifest[32] = {9};
    struct sim *sim = world(0);
    size_t from = sim->count;

    (void)state;
    sim->destroy_fails = 2;
    sg_destroy_key(sim->core, manifest, NULL);
    after(sim, 60 * MINUTE_US);
    assert_int_equal(sim->destroy_tries, 1);
    after(sim, MINUTE_US);
    assert_int_equal(sim->destroy_tries, 2);
    assert_null(destroyed_since(sim, from));
    after(sim, 2 * MINUTE_US);
    const Sgpb__Destroyed *said = destroyed_since(sim, from);
    assert_non_null(said);
    assert_string_equal(said->ground, "left_over");
    assert_int_equal(said->n_manifests, 1);
    assert_memory_equal(said->manifests[0].data, manifest, 32);
    assert_int_equal(sim->core->dead_count, 0);
    sim_close(&sim);
}

// Of more than are remembered none is tried without a pause; what was wanted
// again is forgotten.
static void
what_cannot_be_remembered_waits_a_minute(void **state)
{
    struct sim *sim = world(0);
    size_t from = sim->count;
    uint8_t name[48] = {0};

    (void)state;
    for (uint32_t i = 0; i < SG_OVERDUE_MAX; i++) {
        sg_bytes_store_u32(name, i);
        assert_true(
            sg_overdue_failed(sim->core, sg_slice_of(name, 48), sim->now));
    }
    assert_false(sg_overdue_failed(sim->core, sg_slice_of("", 1), sim->now));
    sim->destroy_fails = 1;
    uint64_t lost = lose(sim, 0);
    after(sim, 0);
    sim->core->lost_due = true; // another look, as for another one
    after(sim, MINUTE_US - 10 * SECOND_US);
    assert_int_equal(sim->destroy_tries, 1);
    after(sim, 11 * SECOND_US);
    assert_int_equal(sim->destroy_tries, 2);
    assert_int_equal(destroyed_since(sim, from)->objects[0], lost);
    assert_int_equal(overdue(sim), 0);
    sim_close(&sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_is_tried_again_and_others_go_meanwhile),
        cmocka_unit_test(pauses_double_up_to_an_hour),
        cmocka_unit_test(
            a_release_whose_key_is_there_is_not_said_to_be_destroyed),
        cmocka_unit_test(a_key_that_is_left_over_is_not_forgotten),
        cmocka_unit_test(what_cannot_be_remembered_waits_a_minute),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
