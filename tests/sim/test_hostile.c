// What a participant may send, and when, that could end the gate or make it
// forget: a real core and loop in a quiet world. The loop is compiled in, as in
// the other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEED = 1, SWOLLEN = 18000, AT_ONCE = 240 };

// Everybody has said hello; structure, flow, policy and one given consent are
// there. rounds: of ticks.
static struct sim *
open_world(unsigned rounds)
{
    struct sim *sim = sim_open(SEED, BUG_NONE);

    sim->quiet = true;
    sim->peer[COLLECTOR].withdraw_at = UINT64_MAX;
    for (unsigned i = 0; i < rounds; i++) {
        for (int peer = 0; peer < PEERS; peer++)
            sim_peer_tick(sim, peer);
        sim_settle(sim);
        sim->now += 40000;
    }
    assert_null(sim->broken);
    return sim;
}

static void
say(struct sim *sim, int peer, Sgpb__Envelope *envelope, struct sg_slice bytes)
{
    envelope->request = ++sim->peer[peer].request;
    sim_say(sim, peer, envelope, bytes);
}

// Another text of the one agreement there is.
static void
say_agreement(struct sim *sim, uint64_t revision, bool compatible,
              uint32_t valid_days)
{
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__TwoSigned two = SGPB__TWO_SIGNED__INIT;
    Sgpb__DocumentSignature sig = SGPB__DOCUMENT_SIGNATURE__INIT;
    Sgpb__DocumentSignature *list[1] = {&sig};
    uint8_t prev[32];

    memcpy(prev, sim->agreement_sha, 32);
    doc.id = TEXT("PANEL_1");
    doc.revision = revision;
    doc.prev_sha256 = BYTES(prev, 32);
    doc.controller = TEXT("KE_PANEL");
    doc.purpose = TEXT("official_statistics");
    doc.compatible_before = compatible;
    doc.valid_days = valid_days;
    const Sgpb__Signed *one = sim_sign(sim, sim->peer[COLLECTOR].signer,
                                       SG_SIGN_CONSENT_AGREEMENT, &doc.base);
    sg_crypto_sha256(one->body.data, one->body.len, sim->agreement_sha);
    two.body = one->body;
    sig.alg = one->alg;
    sig.key_id = one->key_id;
    sig.sig = one->sig;
    two.signatures = list;
    two.n_signatures = 1;
    put.agreement = &two;
    envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
    envelope.agreement_put = &put;
    say(sim, COLLECTOR, &envelope, (struct sg_slice){NULL, 0});
}

// ---- more than a turn holds ---------------------------------------------------

// Two bytes an event on the wire, a hundred and more when it is unpacked.
static void
say_swollen(struct sim *sim, int peer)
{
    static Sgpb__Signed nothing = SGPB__SIGNED__INIT;
    static Sgpb__Signed *events[SWOLLEN];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent consent = SGPB__CONSENT__INIT;

    for (size_t i = 0; i < SWOLLEN; i++)
        events[i] = &nothing;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &consent;
    consent.events = events;
    consent.n_events = SWOLLEN;
    say(sim, peer, &envelope, (struct sg_slice){NULL, 0});
}

static void
more_than_all_outputs_hold_waits_for_the_disk(void **state)
{
    struct sim *sim = open_world(12);

    (void)state;
    say_agreement(sim, 2, true, 0); // an entry that is to become durable
    for (int i = 0; i < AT_ONCE; i++)
        say_swollen(sim, PUBLISHER);
    for (size_t i = 0; i < sim->queue_count; i++)
        sim->queue[i]->due = sim->now; // in one turn
    sim_settle(sim);
    assert_null(sim->broken);
    assert_true(sim->settled > 0);
    assert_int_equal(sim->peer[PUBLISHER].heard, SGPB__ENVELOPE__BODY_REFUSED);
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_all_outputs_hold_waits_for_the_disk),
    };
    enum sg_err err = sg_crypto_start();

    return err != SG_OK ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
