// What a participant may send, and when, that could end the gate or make it
// forget: a real core and loop in a quiet world. The loop is compiled in, as in
// the other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/consented.h"
#include "broker/core/flow.h"
#include "broker/core/roster.h"
#include "policy/consent.h"
#include "tests/sim/quiet.h"

enum { SEED = 1, SWOLLEN = 18000, AT_ONCE = 240 };

// Everybody has said hello; structure, flow, policy and one given consent are
// there. rounds: of ticks.
static struct sim *
open_world(unsigned rounds)
{
    struct sim *sim = sim_open(SEED, BUG_NONE);

    sim->quiet = true;
    sim->peer[COLLECTOR].withdraw_at = UINT64_MAX;
    quiet_rounds(sim, rounds);
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

// So many copies of the withdrawal of the one record there is.
static void
withdraw(struct sim *sim, Sgpb__Signed **events, size_t count)
{
    static const uint8_t record[16] = {7}; // sim_peer.c
    Sgpb__ConsentEvent event = SGPB__CONSENT_EVENT__INIT;
    uint8_t nonce[16] = {1};
    struct sg_consent_record now = sg_consent_record_of(
        sim->core->state->consent, SG_SLICE("PANEL_1"), record);

    event.agreement = TEXT("PANEL_1");
    event.revision_sha256 = BYTES(sim->agreement_sha, 32);
    event.record_id = BYTES(record, 16);
    event.from = SG_CONSENT_STATE_GIVEN;
    event.to = SG_CONSENT_STATE_WITHDRAWN;
    event.prev_event_sha256 = BYTES(now.last_event_sha256, 32);
    event.at = sim->now;
    event.nonce = BYTES(nonce, 16);
    for (size_t i = 0; i < count; i++)
        events[i] = sim_sign(sim, sim->peer[COLLECTOR].signer,
                             SG_SIGN_CONSENT_EVENT, &event.base);
}

// The statement on a withdrawal comes once, however often it is asked for.
static void
a_statement_is_given_once_for_all_events_of_a_message(void **state)
{
    struct sim *sim = open_world(12);
    struct sg_output *output = sg_output_new(1024 * 1024);
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;
    Sgpb__Signed *events[50];
    unsigned statements = 0;
    void *open;

    (void)state;
    withdraw(sim, events, SG_COUNT_OF(events));
    body.events = events;
    body.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    say(sim, COLLECTOR, &envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
    assert_true(sim->peer[COLLECTOR].stated);
    body.n_events = SG_COUNT_OF(events);
    envelope.request = 77;
    memcpy(event.u.message.curve_key, sim->peer[COLLECTOR].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = COLLECTOR;
    event.u.message.from.bytes[1] = sim->peer[COLLECTOR].generation;
    event.u.message.envelope = sim_pack(sim, &envelope.base);
    sg_core_decide(sim->core, &event, sim->now, output);
    for (size_t i = 0; i < output->effects_count; i++) {
        assert_int_equal(output->effects[i].kind, SG_EFFECT_SEND);
        assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                         output->effects[i].u.send.envelope,
                                         sim->mem, &open),
                         SG_OK);
        statements += ((const Sgpb__Envelope *)open)->body_case ==
                      SGPB__ENVELOPE__BODY_STATEMENT;
    }
    assert_int_equal(statements, 1);
    sg_output_free(&output);
    sim_close(&sim);
}

// ---- all places are taken -----------------------------------------------------

// The bytes of a number, under the hash of another or its own.
static void
put_structure_as(struct sim *sim, uint32_t number, uint32_t named)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectPut put = SGPB__OBJECT_PUT__INIT;
    Sgpb__Chunk chunk = SGPB__CHUNK__INIT;
    uint8_t bytes[4], sha256[32];

    sg_bytes_store_u32(bytes, named);
    sg_crypto_sha256(bytes, sizeof bytes, sha256);
    sg_bytes_store_u32(bytes, number);
    put.kind = TEXT("structure");
    put.sha256 = BYTES(sha256, 32);
    put.bytes = sizeof bytes;
    put.chunks = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_PUT;
    envelope.object_put = &put;
    say(sim, NEAR, &envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
    if (sim->peer[NEAR].heard == SGPB__ENVELOPE__BODY_REFUSED)
        return;
    envelope = (Sgpb__Envelope)SGPB__ENVELOPE__INIT;
    chunk.upload = sim->core->tokens; // the newest one
    envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
    envelope.chunk = &chunk;
    say(sim, NEAR, &envelope, sg_slice_of(bytes, sizeof bytes));
    sim_settle(sim);
}

static void
put_structure(struct sim *sim, uint32_t number)
{
    put_structure_as(sim, number, number);
}

static void
a_structure_under_anothers_hash_is_refused(void **state)
{
    struct sim *sim = open_world(3);
    uint32_t before = sg_pool_count(sim->core->state->structures);

    (void)state;
    sim->peer[NEAR].step = 1; // it has the floor
    put_structure_as(sim, 7, 8);
    assert_string_equal(sim->peer[NEAR].heard_code,
                        "publisher.content_mismatch");
    assert_int_equal(sg_pool_count(sim->core->state->structures), before);
    put_structure(sim, 8);
    assert_int_equal(sim->peer[NEAR].heard, SGPB__ENVELOPE__BODY_RECEIPT);
    assert_int_equal(sg_pool_count(sim->core->state->structures), before + 1);
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

// The roster there is, of the next version, without this one; signed by all.
static void
put_roster_without(struct sim *sim, const char *gone)
{
    const struct sg_state *state = sim->core->state;
    struct sg_output *output = sg_output_new(1024 * 1024);
    uint8_t random[32] = {1}, id[2][32], sig[2][64], public_key[32], prev[32];
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    Sgpb__RootSignature root[2], *roots[2] = {&root[0], &root[1]};
    Sgpb__Roster roster = *state->roster.doc;
    Sgpb__Participant *left[PEERS];
    const char *what = "";
    uint64_t seq;

    memcpy(prev, state->roster.sha256, 32);
    roster.version++;
    roster.prev_sha256 = BYTES(prev, 32);
    roster.participants = left;
    roster.n_participants = 0;
    for (size_t i = 0; i < state->roster.doc->n_participants; i++)
        if (strcmp(state->roster.doc->participants[i]->id, gone) != 0)
            left[roster.n_participants++] = state->roster.doc->participants[i];
    struct sg_slice bytes = sim_pack(sim, &roster.base);
    outer.roster = BYTES(bytes.ptr, bytes.len);
    outer.signatures = roots;
    outer.n_signatures = 2;
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32] = {(uint8_t)(200 + i)};
        struct sg_signer *signer;
        assert_int_equal(sg_crypto_signer_new(seed, &signer), SG_OK);
        assert_int_equal(sg_sign_make(signer, SG_SIGN_ROSTER, bytes, sig[i]),
                         SG_OK);
        sg_crypto_signer_public(signer, public_key);
        sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key, 32), id[i]);
        sg_crypto_signer_free(&signer);
        root[i] = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
        root[i].key_id = BYTES(id[i], 32);
        root[i].sig = BYTES(sig[i], 64);
    }
    struct sg_turn turn = {.core = sim->core,
                           .state = sim->core->state,
                           .output = output,
                           .arena = output->arena,
                           .now = sim->now,
                           .random = random};
    enum sg_err err =
        sg_roster_take(&turn, sim_pack(sim, &outer.base), &seq, &what);
    if (err != SG_OK)
        fail_msg("the roster is refused: %s", what);
    assert_int_equal(
        sim->env.append(sim, output->entries, output->entries_count), SG_OK);
    sg_output_free(&output);
}

static void
a_structure_for_which_no_place_is_left_is_refused(void **state)
{
    struct sim *sim = open_world(3);

    (void)state;
    sim->core->snapshot_every = UINT64_MAX; // too many for the index of numbers
    sim->peer[NEAR].step = 1;               // it has the floor
    uint32_t before = sg_pool_count(sim->core->state->structures);
    for (uint32_t i = 0; i < SG_LIMIT_STRUCTURES_EACH + 2; i++)
        put_structure(sim, i);
    assert_null(sim->broken);
    assert_int_equal(sg_pool_count(sim->core->state->structures),
                     before + SG_LIMIT_STRUCTURES_EACH);
    assert_string_equal(sim->peer[NEAR].heard_code, "gate.limit");
    // His share is counted again from the state.
    struct sg_quota *quota = sg_roster_quota(sim->core, "TZ_NBS");
    assert_int_equal(quota->held[SG_SHARE_STRUCTURES],
                     SG_LIMIT_STRUCTURES_EACH);
    put_roster_without(sim, "UG_UBOS");
    quota = sg_roster_quota(sim->core, "TZ_NBS");
    assert_int_equal(quota->held[SG_SHARE_STRUCTURES],
                     SG_LIMIT_STRUCTURES_EACH);
    // All places: he has some left, and there are none.
    quota->held[SG_SHARE_STRUCTURES] = 0;
    while (sg_pool_count(sim->core->state->structures) < SG_LIMIT_STRUCTURES)
        assert_int_not_equal(sg_pool_take(sim->core->state->structures), 0);
    sim->peer[NEAR].heard_code[0] = '\0';
    put_structure(sim, SG_LIMIT_STRUCTURES);
    assert_string_equal(sim->peer[NEAR].heard_code, "gate.limit");
    sim_close(&sim);
}

// ---- consent over a restart ---------------------------------------------------

static void
put_agreement(struct sim *sim, uint64_t revision, bool compatible,
              uint32_t valid_days)
{
    say_agreement(sim, revision, compatible, valid_days);
    sim_settle(sim);
    assert_int_equal(sim->peer[COLLECTOR].heard, SGPB__ENVELOPE__BODY_RECEIPT);
}

// For a record of its own.
static void
give(struct sim *sim, uint8_t record_id, uint64_t at)
{
    Sgpb__ConsentEvent event = SGPB__CONSENT_EVENT__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;
    uint8_t record[16] = {record_id}, nonce[16] = {record_id}, zeros[32] = {0};
    Sgpb__Signed *one[1];

    event.agreement = TEXT("PANEL_1");
    event.revision_sha256 = BYTES(sim->agreement_sha, 32);
    event.record_id = BYTES(record, 16);
    event.to = SG_CONSENT_STATE_GIVEN;
    event.prev_event_sha256 = BYTES(zeros, 32);
    event.at = at;
    event.nonce = BYTES(nonce, 16);
    one[0] = sim_sign(sim, sim->peer[COLLECTOR].signer, SG_SIGN_CONSENT_EVENT,
                      &event.base);
    body.events = one;
    body.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    say(sim, COLLECTOR, &envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
}

// What a gate that starts from the snapshot of this moment would say.
static uint16_t
code_after_restart(struct sim *sim, uint64_t now)
{
    struct sg_core *core = sg_core_new(&sim->core->options);

    assert_non_null(core);
    assert_int_equal(sg_snapshot_read(core, sim_serialise(sim)), SG_OK);
    uint16_t code =
        sg_consent_code(core->state->consent, SG_SLICE("PANEL_1"), now);
    sg_core_free(&core);
    return code;
}

static uint16_t
code_now(const struct sim *sim, uint64_t now)
{
    return sg_consent_code(sim->core->state->consent, SG_SLICE("PANEL_1"), now);
}

static void
consent_to_an_older_text_is_not_revived_by_a_restart(void **state)
{
    struct sim *sim = open_world(12);

    (void)state;
    assert_int_equal(code_now(sim, sim->now), SG_CONSENT_GIVEN);
    assert_int_equal(code_after_restart(sim, sim->now), SG_CONSENT_GIVEN);
    put_agreement(sim, 2, false, 0);
    assert_int_equal(code_now(sim, sim->now), SG_CONSENT_WITHDRAWN);
    assert_int_equal(code_after_restart(sim, sim->now), SG_CONSENT_WITHDRAWN);
    put_agreement(sim, 3, true, 0);
    assert_int_equal(code_after_restart(sim, sim->now), SG_CONSENT_WITHDRAWN);
    give(sim, 9, sim->now);
    assert_int_equal(code_now(sim, sim->now), SG_CONSENT_PARTIAL);
    assert_int_equal(code_after_restart(sim, sim->now), SG_CONSENT_PARTIAL);
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

static void
consent_ends_over_a_restart_when_it_was_to_end(void **state)
{
    struct sim *sim = open_world(12);

    (void)state;
    put_agreement(sim, 2, false, 10);
    give(sim, 9, sim->now);
    uint64_t end = sim->now + 11 * DAY_US;
    put_agreement(sim, 3, true, 0); // from now on without an end
    assert_int_equal(code_now(sim, sim->now), SG_CONSENT_PARTIAL);
    assert_int_equal(code_after_restart(sim, sim->now), SG_CONSENT_PARTIAL);
    assert_int_equal(code_now(sim, end), SG_CONSENT_WITHDRAWN);
    assert_int_equal(code_after_restart(sim, end), SG_CONSENT_WITHDRAWN);
    sim_close(&sim);
}

// Who gives an hour that is still to come would make it last longer.
static void
consent_that_is_given_tomorrow_is_refused(void **state)
{
    struct sim *sim = open_world(12);

    (void)state;
    put_agreement(sim, 2, false, 10);
    give(sim, 9, sim->now + 2 * DAY_US);
    assert_string_equal(sim->peer[COLLECTOR].heard_code, "consent.event");
    give(sim, 9, UINT64_MAX);
    assert_string_equal(sim->peer[COLLECTOR].heard_code, "consent.event");
    give(sim, 9, sim->now);
    assert_int_equal(sim->peer[COLLECTOR].heard, SGPB__ENVELOPE__BODY_RECEIPT);
    sim_close(&sim);
}

// ---- a roster that comes between ------------------------------------------------

// A publication whose chunks are all there, and which is not judged yet.
static void
begin_publication(struct sim *sim)
{
    bool stopped = false;

    for (int i = 0; i < 100 && sg_pool_count(sim->core->uploads) == 0; i++) {
        if (sim->peer[PUBLISHER].publish.ptr == NULL)
            sim_peer_tick(sim, PUBLISHER);
        assert_int_equal(sg_loop_turn(sim->loop, &stopped), SG_OK);
    }
    assert_int_equal(sg_pool_count(sim->core->uploads), 1);
}

static void
what_is_on_its_way_ends_with_its_publisher(void **state)
{
    struct sim *sim = open_world(12);
    uint32_t flow = sg_flow_find(sim->core->state, "KE_HEALTH");

    (void)state;
    begin_publication(sim);
    uint64_t revision = sg_state_flow(sim->core->state, flow)->revision;
    put_roster_without(sim, "KE_KNBS");
    sim_settle(sim);
    assert_string_equal(sim->broken, "peer.unknown"); // what it is told
    sim->broken = NULL;
    assert_int_equal(sg_pool_count(sim->core->uploads), 0);
    assert_int_equal(sg_state_flow(sim->core->state, flow)->revision, revision);
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

static void
a_new_roster_counts_open_uploads_alone(void **state)
{
    struct sim *sim = open_world(12);

    (void)state;
    begin_publication(sim);
    put_roster_without(sim, "UG_UBOS");
    assert_int_equal(sg_roster_quota(sim->core, "KE_KNBS")->uploads, 0);
    sim_settle(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

// ---- numbers at their end -------------------------------------------------------

static void
what_is_kept_for_all_times_is_kept(void **state)
{
    struct sim *sim = open_world(12);
    uint32_t flow = sg_flow_find(sim->core->state, "KE_HEALTH");

    (void)state;
    sim->retention_days = 213503983; // 2^64 microseconds and half a day
    begin_publication(sim);
    sim_settle(sim);
    const struct sg_release *head = sg_state_release(
        sim->core->state, sg_state_flow(sim->core->state, flow)->head_release);
    assert_int_equal(head->retain_until, 0); // no end
    sim_close(&sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_all_outputs_hold_waits_for_the_disk),
        cmocka_unit_test(a_statement_is_given_once_for_all_events_of_a_message),
        cmocka_unit_test(a_structure_under_anothers_hash_is_refused),
        cmocka_unit_test(a_structure_for_which_no_place_is_left_is_refused),
        cmocka_unit_test(consent_to_an_older_text_is_not_revived_by_a_restart),
        cmocka_unit_test(consent_ends_over_a_restart_when_it_was_to_end),
        cmocka_unit_test(consent_that_is_given_tomorrow_is_refused),
        cmocka_unit_test(what_is_on_its_way_ends_with_its_publisher),
        cmocka_unit_test(a_new_roster_counts_open_uploads_alone),
        cmocka_unit_test(what_is_kept_for_all_times_is_kept),
    };
    enum sg_err err = sg_crypto_start();

    return err != SG_OK ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
