// Consent counts for what was asked: the purpose, the class of the recipient and
// the onward use that the agreement names (vocabulary.md 2), at the decision and
// again when the agreement changes before the key.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/deliver.h"
#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

// A flow that rests on an agreement which asks for this; NEAR subscribes.
static struct sim *
world(const char *purpose, const char *recipient, const char *onward)
{
    struct sim *sim = sim_open(1, BUG_NONE);

    sim->quiet = true;
    sim->releases = 2;
    sim->crash_after = 0;
    sim->asked[0] = purpose;
    sim->asked[1] = recipient;
    sim->asked[2] = onward;
    quiet_found(sim, 40);
    return sim;
}

static void
publish(struct sim *sim, uint64_t revision)
{
    for (int i = 0; i < 400 && sim->peer[PUBLISHER].revision < revision; i++)
        quiet_tick(sim, PUBLISHER);
    assert_int_equal(sim->peer[PUBLISHER].revision, revision);
    for (int i = 0; i < 60; i++)
        quiet_tick(sim, NEAR);
}

static void
end(struct sim *sim)
{
    sim_compare(sim);
    const char *broken = sim->broken;
    sim_close(&sim);
    if (broken != NULL)
        fail_msg("%s", broken);
}

static void
consent_counts_for_what_was_asked_and_nothing_else(void **state)
{
    static const struct {
        const char *purpose, *recipient, *onward;
        size_t taken;
    } rows[] = {
        {"official_statistics", "nso", "allowed", 2},
        {"scientific_research", "nso", "allowed", 0},
        {"", "nso", "allowed", 0},
        {"official_statistic", "nso", "allowed", 0}, // no purpose at all
        {"official_statistics", "private", "allowed", 0},
        {"official_statistics", "", "allowed", 0}, // asked for nobody
        {"official_statistics", "nobody", "allowed", 0},
        {"official_statistics", "nso", "with_approval", 0}, // terms: allowed
        {"official_statistics", "nso", "", 0},
        {"official_statistics", "nso", "everywhere", 0},
    };

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sim *sim =
            world(rows[i].purpose, rows[i].recipient, rows[i].onward);
        publish(sim, 2);
        if (sim->peer[NEAR].seen_count != rows[i].taken ||
            (rows[i].taken == 0 && sim->keys != 0))
            fail_msg("%s, %s, %s: %zu taken", rows[i].purpose,
                     rows[i].recipient, rows[i].onward,
                     sim->peer[NEAR].seen_count);
        end(sim);
    }
}

static void
a_new_text_with_another_purpose_stops_what_comes_after_it(void **state)
{
    struct sim *sim = world(NULL, NULL, NULL);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;

    (void)state;
    publish(sim, 1);
    assert_int_equal(sim->peer[NEAR].seen_count, 1);
    unsigned keys = sim->keys;
    sim->asked[0] = "audit";
    sim->asked_again = true;
    sim->now += 2000000;
    put.agreement = sim_agreement(sim);
    envelope.request = ++sim->peer[COLLECTOR].request;
    envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
    envelope.agreement_put = &put;
    sim_say(sim, COLLECTOR, &envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
    assert_int_equal(sim->peer[COLLECTOR].heard, SGPB__ENVELOPE__BODY_RECEIPT);
    publish(sim, 2);
    assert_int_equal(sim->peer[NEAR].seen_count, 1);
    assert_int_equal(sim->keys, keys);
    end(sim);
}

// What is known of a delivery is in its statement (formats.md d).
static void
a_statement_says_how_far_and_how_long(void **state)
{
    struct sim *sim = sim_open(1, BUG_NONE);
    size_t count = 0;

    (void)state;
    sim->quiet = true;
    sim->releases = 2;
    sim->crash_after = 0;
    sim->retention_days = 30;
    for (int i = 0; i < 400 && sim->peer[NEAR].seen_count < 2; i++)
        quiet_tick(sim, i % PEERS);
    for (size_t i = 0; i < sim->count; i++) {
        void *open;
        if (sim->entries[i].type != SG_ENTRY_DELIVERY)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__delivery_entry__descriptor,
                                         sim->entries[i].body, sim->mem, &open),
                         SG_OK);
        const ProtobufCBinaryData body =
            ((Sgpb__DeliveryEntry *)open)->delivery->body;
        assert_int_equal(sg_codec_unpack(&sgpb__delivery__descriptor,
                                         sg_slice_of(body.data, body.len),
                                         sim->mem, &open),
                         SG_OK);
        const Sgpb__Delivery *said = open;
        assert_int_equal(said->onward, SG_ONWARD_ALLOWED); // of the terms
        assert_true(said->expires > sim->entries[i].time + 29 * DAY_US);
        assert_true(said->expires <= sim->entries[i].time + 30 * DAY_US);
        count++;
    }
    assert_true(count >= 2);
    sim_close(&sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consent_counts_for_what_was_asked_and_nothing_else),
        cmocka_unit_test(
            a_new_text_with_another_purpose_stops_what_comes_after_it),
        cmocka_unit_test(a_statement_says_how_far_and_how_long),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
