// What was refused has a report that its publisher may read, and after 90 days
// neither the report nor the key that opens it (S23).
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/cold.h"
#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

struct refusal {
    uint8_t manifest[32], report[16];
    uint64_t seq;
};

static struct sim *
world(void)
{
    struct sim *sim = sim_open(1, BUG_NONE);

    sim->quiet = true;
    sim->crash_after = 0;
    for (int i = 0; i < PEERS; i++)
        quiet_tick(sim, i);
    for (int i = 0; i < 40 && sim->peer[PUBLISHER].step < 2; i++) {
        quiet_tick(sim, ADMIN);
        quiet_tick(sim, PUBLISHER);
    }
    assert_int_equal(sim->peer[PUBLISHER].step, 2);
    return sim;
}

static void
days(struct sim *sim, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sim->now += DAY_US;
        sim_commit(sim);
        sim_settle(sim);
    }
    if (sim->broken != NULL)
        fail_msg("%s", sim->broken);
}

// The publisher sends what was made; nobody waits for the result.
static void
publish(struct sim *sim, bool refused)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    void *open;

    sim->refuses = refused;
    sim->now += 2000000;
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor, peer->publish,
                                     sim->mem, &open),
                     SG_OK);
    struct sg_slice kept = peer->publish;
    peer->publish = (struct sg_slice){NULL, 0};
    sim_say(sim, PUBLISHER, open, peer->payload);
    sim_settle(sim);
    peer->publish = kept; // to be sent once more
    sim->refuses = false;
}

static struct refusal
refused(struct sim *sim)
{
    struct refusal out = {.seq = sim->count - 1};
    void *open;

    publish(sim, true);
    for (out.seq = sim->count - 1; out.seq > 0; out.seq--)
        if (sim->entries[out.seq].type == SG_ENTRY_REFUSED)
            break;
    assert_int_not_equal(out.seq, 0);
    assert_int_equal(sg_codec_unpack(&sgpb__refused__descriptor,
                                     sim->entries[out.seq].body, sim->mem,
                                     &open),
                     SG_OK);
    const Sgpb__Refused *body = open;
    assert_non_null(body->report);
    // Under which law: what is known is said.
    assert_true(body->n_policy_digests > 0);
    memcpy(out.manifest, body->manifest_sha256.data, 32);
    memcpy(out.report, body->report->id.data, 16);
    return out;
}

// As its publisher would hear.
static bool
can_be_read(struct sim *sim, const struct refusal *of)
{
    struct sg_output *output = sg_output_new(1024 * 1024);
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ReportGet get = SGPB__REPORT_GET__INIT;
    void *open;

    while (!sim->peer[PUBLISHER].greeted)
        quiet_tick(sim, PUBLISHER);
    get.manifest_sha256 = BYTES(of->manifest, 32);
    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_REPORT_GET;
    envelope.report_get = &get;
    memcpy(event.u.message.curve_key, sim->peer[PUBLISHER].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = PUBLISHER;
    event.u.message.from.bytes[1] = sim->peer[PUBLISHER].generation;
    event.u.message.envelope = sim_pack(sim, &envelope.base);
    sg_core_decide(sim->core, &event, sim->now, output);
    assert_int_equal(output->effects_count, 1);
    const struct sg_effect_send *send = &output->effects[0].u.send;
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                     send->envelope, sim->mem, &open),
                     SG_OK);
    bool given =
        ((Sgpb__Envelope *)open)->body_case == SGPB__ENVELOPE__BODY_REPORT &&
        memcmp(send->object, of->report, 16) == 0;
    sg_output_free(&output);
    return given;
}

static unsigned
destroyed(struct sim *sim, const struct refusal *of, const char *ground)
{
    unsigned count = 0;
    void *open;

    for (size_t i = of->seq; i < sim->count; i++) {
        if (sim->entries[i].type != SG_ENTRY_DESTROYED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__destroyed__descriptor,
                                         sim->entries[i].body, sim->mem, &open),
                         SG_OK);
        const Sgpb__Destroyed *body = open;
        for (size_t k = 0; k < body->n_manifests; k++)
            count += memcmp(body->manifests[k].data, of->manifest, 32) == 0 &&
                     strcmp(body->ground, ground) == 0;
    }
    return count;
}

static void
end(struct sim *sim)
{
    sim_compare(sim);
    sim_store_check(sim);
    const char *broken = sim->broken;
    sim_close(&sim);
    if (broken != NULL)
        fail_msg("%s", broken);
}

static void
a_report_and_its_key_end_after_ninety_days(void **state)
{
    static const uint8_t zeros[32];
    struct sim *sim = world();

    (void)state;
    sim_make_publish(sim, 1, zeros, NULL);
    struct refusal one = refused(sim);
    assert_true(can_be_read(sim, &one));
    days(sim, 89);
    assert_int_equal(destroyed(sim, &one, "retention"), 0);
    assert_true(sg_core_knows_key(sim->core, one.manifest));
    assert_true(can_be_read(sim, &one));
    sim_crash(sim); // the time runs on
    days(sim, 2);
    assert_int_equal(destroyed(sim, &one, "retention"), 1);
    assert_false(sg_core_knows_key(sim->core, one.manifest));
    assert_false(sg_core_knows_object(sim->core, one.report));
    assert_false(sim_has_report(sim, one.report, false));
    assert_false(can_be_read(sim, &one));
    sim_crash(sim);
    days(sim, 2);
    assert_int_equal(destroyed(sim, &one, "retention"), 1);
    assert_false(sg_core_knows_key(sim->core, one.manifest));
    end(sim);
}

static void
refused_again_the_newer_report_is_in_the_place_of_the_older(void **state)
{
    static const uint8_t zeros[32];
    struct sim *sim = world();

    (void)state;
    sim_make_publish(sim, 1, zeros, NULL);
    struct refusal one = refused(sim);
    struct refusal two = refused(sim);
    assert_memory_equal(one.manifest, two.manifest, 32);
    assert_false(sim_has_report(sim, one.report, false));
    assert_false(sg_core_knows_object(sim->core, one.report));
    assert_true(can_be_read(sim, &two));
    days(sim, 89);
    assert_int_equal(destroyed(sim, &two, "retention"), 0);
    days(sim, 2);
    assert_int_equal(destroyed(sim, &two, "retention"), 1);
    end(sim);
}

static void
what_is_accepted_after_all_keeps_its_key(void **state)
{
    static const uint8_t zeros[32];
    struct sim *sim = world();

    (void)state;
    sim_make_publish(sim, 1, zeros, NULL);
    struct refusal one = refused(sim);
    publish(sim, false);
    assert_int_equal(sg_pool_count(sim->core->state->releases), 1);
    days(sim, 95);
    assert_int_equal(destroyed(sim, &one, "retention"), 0);
    assert_true(sg_core_knows_key(sim->core, one.manifest));
    end(sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_and_its_key_end_after_ninety_days),
        cmocka_unit_test(
            refused_again_the_newer_report_is_in_the_place_of_the_older),
        cmocka_unit_test(what_is_accepted_after_all_keeps_its_key),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
