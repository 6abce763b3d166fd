// What one participant may cost the gate at its door, and what the log keeps of
// what was refused there: a real core in a quiet world. The loop is compiled
// in, as in the other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/intake.h"

enum { MANY = 1000 };

// ---- signatures ----------------------------------------------------------------

static const char *
say_agreement(struct world *world, const char *id, uint8_t flip)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    Sgpb__TwoSigned two = SGPB__TWO_SIGNED__INIT;
    Sgpb__DocumentSignature sig = SGPB__DOCUMENT_SIGNATURE__INIT;
    Sgpb__DocumentSignature *list[1] = {&sig};
    uint8_t zeros[32] = {0};

    doc.id = TEXT(id);
    doc.revision = 1;
    doc.controller = TEXT("KE_PANEL");
    doc.prev_sha256 = BYTES(zeros, 32);
    const Sgpb__Signed *one =
        sim_sign(world->sim, world->sim->peer[COLLECTOR].signer,
                 SG_SIGN_CONSENT_AGREEMENT, &doc.base);
    one->sig.data[0] ^= flip;
    two.body = one->body;
    sig.alg = one->alg;
    sig.key_id = one->key_id;
    sig.sig = one->sig;
    two.signatures = list;
    two.n_signatures = 1;
    put.agreement = &two;
    envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
    envelope.agreement_put = &put;
    return decide_on(world, COLLECTOR, &envelope);
}

static const char *
forge_agreement(struct world *world)
{
    return say_agreement(world, "PANEL_2", 1);
}

static const char *
put_agreement(struct world *world, const char *id)
{
    return say_agreement(world, id, 0);
}

static const char *
forge_consent(struct world *world)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;
    Sgpb__ConsentEvent event;
    uint8_t record[16] = {42};
    Sgpb__Signed *one[1];

    fill_event(world->sim, &event, record);
    one[0] = forged(world->sim, world->sim->peer[COLLECTOR].signer,
                    SG_SIGN_CONSENT_EVENT, &event.base);
    body.events = one;
    body.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    return decide_on(world, COLLECTOR, &envelope);
}

static const char *
forge_recall(struct world *world)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Recall recall = SGPB__RECALL__INIT;
    Sgpb__RecallOrder order = SGPB__RECALL_ORDER__INIT;

    order.flow = TEXT("KE_HEALTH");
    order.revision = 1;
    recall.order = forged(world->sim, world->sim->peer[PUBLISHER].signer,
                          SG_SIGN_RECALL, &order.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_RECALL;
    envelope.recall = &recall;
    return decide_on(world, PUBLISHER, &envelope);
}

static const char *
forge_terms(struct world *world)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowPut put = SGPB__FLOW_PUT__INIT;

    put.terms = forged_two(sim_terms(world->sim, PUBLISHER, "KE_OTHER"));
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_PUT;
    envelope.flow_put = &put;
    return decide_on(world, PUBLISHER, &envelope);
}

static const char *
forge_subscription(struct world *world)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Subscribe put = SGPB__SUBSCRIBE__INIT;
    Sgpb__Subscription doc = SGPB__SUBSCRIPTION__INIT;

    doc.gate = TEXT("HUB");
    doc.subscriber = TEXT("TZ_NBS");
    doc.name = TEXT("OTHER");
    doc.flow = TEXT("KE_HEALTH");
    doc.purpose = TEXT("official_statistics");
    doc.start = 1;
    put.subscription = forged(world->sim, world->sim->peer[NEAR].signer,
                              SG_SIGN_SUBSCRIPTION, &doc.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIBE;
    envelope.subscribe = &put;
    return decide_on(world, NEAR, &envelope);
}

// An own root key would be needed; that of somebody is known to everybody.
static const char *
forge_revocation(struct world *world)
{
    const Sgpb__Roster *roster = world->sim->core->state->roster.doc;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Revoke revoke = SGPB__REVOKE__INIT;
    Sgpb__Revocation order = SGPB__REVOCATION__INIT;
    uint8_t root[32];

    sg_crypto_key_id(SG_ALG_ED25519,
                     sg_slice_of(roster->roots[0]->public_key.data, 32), root);
    order.gate = TEXT("HUB");
    order.key_id = BYTES(world->sim->peer[FAR].key_id, 32);
    revoke.revocation = sim_sign(world->sim, world->sim->peer[NEAR].signer,
                                 SG_SIGN_REVOCATION, &order.base);
    revoke.revocation->key_id = BYTES(root, 32);
    envelope.body_case = SGPB__ENVELOPE__BODY_REVOKE;
    envelope.revoke = &revoke;
    return decide_on(world, NEAR, &envelope);
}

static const struct {
    const char *what;
    const char *(*forge)(struct world *world);
    int peer;
} forgeries[] = {
    {"agreement", forge_agreement, COLLECTOR},
    {"consent", forge_consent, COLLECTOR},
    {"recall", forge_recall, PUBLISHER},
    {"terms", forge_terms, PUBLISHER},
    {"subscription", forge_subscription, NEAR},
    {"revocation", forge_revocation, NEAR},
};

static void
every_signature_check_costs_its_sender_a_token(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < SG_COUNT_OF(forgeries); i++) {
        unsigned looked = 0, told_to_wait = 0;
        for (unsigned n = 0; n < 2 * SG_LIMIT_VERIFY_PER_S; n++) {
            const char *code = forgeries[i].forge(world);
            looked += strcmp(code, "peer.signature") == 0;
            told_to_wait += strcmp(code, "gate.busy") == 0;
        }
        if (looked != SG_LIMIT_VERIFY_PER_S ||
            told_to_wait != SG_LIMIT_VERIFY_PER_S)
            fail_msg("%s: %u signatures were looked at, %u not",
                     forgeries[i].what, looked, told_to_wait);
        world->sim->now += 2 * SECOND;
    }
}

// More than the bucket holds, in one message, and each once more.
static void
what_is_news_costs_no_token(void **state)
{
    static uint8_t record[MANY][16];
    static Sgpb__Signed *events[MANY];
    struct world *world = *state;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;

    body.events = events;
    for (uint32_t i = 0; i < MANY; i++) {
        Sgpb__ConsentEvent event;
        record[i][0] = 9;
        sg_bytes_store_u32(&record[i][8], i);
        fill_event(world->sim, &event, record[i]);
        events[i] = sim_sign(world->sim, world->sim->peer[COLLECTOR].signer,
                             SG_SIGN_CONSENT_EVENT, &event.base);
    }
    body.n_events = MANY;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    assert_string_equal(decide_on(world, COLLECTOR, &envelope), "");
    assert_int_equal(world->output->entries_count, MANY);
    assert_string_equal(decide_on(world, COLLECTOR, &envelope), "");
    assert_int_equal(world->output->entries_count, 0); // no news
    const struct sg_quota *quota =
        sg_roster_quota(world->sim->core, "KE_PANEL");
    assert_int_equal(quota->bucket[SG_BUCKET_VERIFY].milli,
                     SG_LIMIT_VERIFY_PER_S * 1000);
}

// ---- what was refused is recorded -------------------------------------------------

static const Sgpb__Refused *
refused_at(struct world *world, size_t i)
{
    void *open;

    assert_in_range(i, 0, world->output->entries_count - 1);
    assert_int_equal(world->output->entries[i].type, SG_ENTRY_REFUSED);
    assert_int_equal(sg_codec_unpack(&sgpb__refused__descriptor,
                                     world->output->entries[i].body,
                                     world->sim->mem, &open),
                     SG_OK);
    return open;
}

// The aggregates that the end of a turn writes, summed up.
static uint64_t
counted(struct world *world)
{
    uint8_t random[32] = {2};
    uint64_t sum = 0;
    void *open;

    sg_output_reset(world->output);
    sg_core_end_turn(world->sim->core, random, world->sim->now, world->output);
    write_down(world);
    for (size_t i = 0; i < world->output->entries_count; i++)
        if (world->output->entries[i].type == SG_ENTRY_REFUSED_AGGREGATE) {
            assert_int_equal(
                sg_codec_unpack(&sgpb__refused_aggregate__descriptor,
                                world->output->entries[i].body, world->sim->mem,
                                &open),
                SG_OK);
            sum += ((const Sgpb__RefusedAggregate *)open)->count;
        }
    return sum;
}

static void
a_wrong_signature_is_recorded_one_by_one_then_counted(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < SG_COUNT_OF(forgeries); i++) {
        unsigned recorded = 0;
        for (unsigned n = 0; n < SG_LIMIT_VERIFY_PER_S; n++) {
            assert_string_equal(forgeries[i].forge(world), "peer.signature");
            recorded += world->output->entries_count == 1;
            if (world->output->entries_count == 0)
                continue;
            const Sgpb__Refused *entry = refused_at(world, 0);
            assert_string_equal(entry->code, "peer.signature");
            assert_string_equal(entry->publisher,
                                world->sim->peer[forgeries[i].peer].id);
        }
        assert_int_equal(recorded, SG_LIMIT_REFUSED_PER_S);
        assert_int_equal(counted(world), 0); // not before a minute is over
        world->sim->now += 61ull * SECOND;
        assert_int_equal(counted(world),
                         SG_LIMIT_VERIFY_PER_S - SG_LIMIT_REFUSED_PER_S);
    }
    (void)forge_consent(world);
    assert_string_equal(refused_at(world, 0)->component, "CONSENT.events[0]");
}

static void
a_malformed_message_is_recorded_of_those_in_the_roster_alone(void **state)
{
    struct world *world = *state;
    const struct sg_slice garbage = SG_SLICE("\xff\xff garbage");
    uint8_t transport[32];

    assert_string_equal(decide_bytes(world, NEAR, garbage, none),
                        "peer.malformed");
    assert_string_equal(refused_at(world, 0)->code, "peer.malformed");
    assert_string_equal(refused_at(world, 0)->publisher, "TZ_NBS");
    memcpy(transport, world->sim->peer[NEAR].transport, 32);
    memset(world->sim->peer[NEAR].transport, 0x77, 32); // in no roster
    (void)decide_bytes(world, NEAR, garbage, none);
    assert_int_equal(world->output->entries_count, 0);
    assert_int_equal(world->output->effects_count, 0);
    assert_int_equal(world->sim->core->unknown_keys, 1);
    memcpy(world->sim->peer[NEAR].transport, transport, 32);
}

// What may be sent again unchanged is no bad input.
static void
who_is_told_to_wait_is_not_recorded(void **state)
{
    struct world *world = *state;

    for (unsigned n = 0; n < SG_LIMIT_VERIFY_PER_S; n++)
        (void)forge_recall(world);
    world->sim->now += 61ull * SECOND;
    (void)counted(world);
    for (unsigned n = 0; n < SG_LIMIT_VERIFY_PER_S; n++)
        (void)forge_recall(world);
    assert_string_equal(forge_recall(world), "gate.busy");
    world->sim->now += 61ull * SECOND;
    assert_int_equal(counted(world),
                     SG_LIMIT_VERIFY_PER_S - SG_LIMIT_REFUSED_PER_S);
}

static void
a_revoked_key_that_speaks_is_recorded(void **state)
{
    struct world *world = *state;
    struct sim *sim = world->sim;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Revoke revoke = SGPB__REVOKE__INIT;
    Sgpb__Revocation order = SGPB__REVOCATION__INIT;
    uint8_t seed[32] = {200}, id[32];
    struct sg_signer *root;

    sg_crypto_key_id(16, sg_slice_of(sim->peer[FAR].transport, 32), id);
    order.gate = TEXT("HUB");
    order.key_id = BYTES(id, 32);
    assert_int_equal(sg_crypto_signer_new(seed, &root), SG_OK);
    revoke.revocation = sim_sign(sim, root, SG_SIGN_REVOCATION, &order.base);
    sg_crypto_signer_free(&root);
    envelope.body_case = SGPB__ENVELOPE__BODY_REVOKE;
    envelope.revoke = &revoke;
    assert_string_equal(decide_on(world, NEAR, &envelope), "");
    envelope = (Sgpb__Envelope)SGPB__ENVELOPE__INIT;
    Sgpb__CatalogueGet get = SGPB__CATALOGUE_GET__INIT;
    envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE_GET;
    envelope.catalogue_get = &get;
    assert_string_equal(decide_on(world, FAR, &envelope), "peer.key_revoked");
    assert_string_equal(refused_at(world, 0)->publisher, "UG_UBOS");
    assert_string_equal(refused_at(world, 0)->code, "peer.key_revoked");
}

// S54: what came from it was no message, so the env alone knows.
static void
who_makes_memory_grow_is_recorded(void **state)
{
    struct world *world = *state;
    struct sg_event event = {.kind = SG_EVENT_FLOODED};

    memcpy(event.u.curve_key, world->sim->peer[NEAR].transport, 32);
    sg_output_reset(world->output);
    sg_core_decide(world->sim->core, &event, world->sim->now, world->output);
    write_down(world);
    assert_string_equal(refused_at(world, 0)->publisher, "TZ_NBS");
    assert_string_equal(refused_at(world, 0)->component, "wire");
}

// ---- places and memory ------------------------------------------------------------

static const char *
show_roster(struct world *world, uint64_t version, const uint8_t sha256[32])
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello hello = SGPB__HELLO__INIT;
    Sgpb__RosterRef ref = SGPB__ROSTER_REF__INIT;

    hello.proto_min = hello.proto_max = 1;
    ref.version = version;
    ref.sha256 = BYTES(sha256, 32);
    hello.roster = &ref;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &hello;
    return decide_on(world, NEAR, &envelope);
}

static bool
has_session(const struct world *world, int peer)
{
    const struct sim_peer *of = &world->sim->peer[peer];
    const uint8_t routing[2] = {(uint8_t)peer, of->generation};

    return sg_table_get(world->sim->core->session_of, sg_slice_of(routing, 2),
                        NULL);
}

static void
who_takes_all_sessions_loses_his_own(void **state)
{
    struct world *world = *state;
    struct sim_peer *near = &world->sim->peer[NEAR];
    uint8_t before = near->generation;

    for (unsigned i = 1; i < 200; i++) { // 64 have a place
        near->generation = (uint8_t)(before + i);
        world->sim->now += 1000;
        assert_string_equal(show_roster(world, 1, world->sim->roster_sha), "");
    }
    assert_true(has_session(world, NEAR)); // the newest
    for (int peer = 0; peer < PEERS; peer++)
        assert_true(has_session(world, peer));
    near->generation = before;
    assert_false(has_session(world, NEAR)); // the oldest
}

static const char *
publish_made(struct world *world, uint64_t created)
{
    struct sim *sim = world->sim;
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    uint64_t now = sim->now;
    void *open;

    sim->now = created;
    sim_make_publish(sim, peer->revision + 1, peer->head, NULL);
    sim->now = now;
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor, peer->publish,
                                     sim->mem, &open),
                     SG_OK);
    return decide_bytes(world, PUBLISHER, peer->publish, peer->payload);
}

static void
a_manifest_is_not_of_tomorrow(void **state)
{
    struct world *world = *state;
    uint64_t ahead = SG_LIMIT_AHEAD_S * 1000000ull;

    assert_string_equal(publish_made(world, world->sim->now + ahead + 1),
                        "publisher.manifest_field");
    assert_string_equal(refused_at(world, 0)->component, "created");
    assert_string_equal(publish_made(world, world->sim->now + ahead), "");
}

// An agreement of so many signatures: two bytes each, and a hundred unpacked.
static const char *
put_swollen(struct world *world, uint64_t revision)
{
    enum { SWOLLEN = 15000 };
    static Sgpb__DocumentSignature nothing = SGPB__DOCUMENT_SIGNATURE__INIT;
    static Sgpb__DocumentSignature *list[SWOLLEN];
    struct sim *sim = world->sim;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    Sgpb__TwoSigned two = SGPB__TWO_SIGNED__INIT;
    Sgpb__DocumentSignature sig = SGPB__DOCUMENT_SIGNATURE__INIT;
    uint8_t prev[32];

    memcpy(prev, sim->agreement_sha, 32);
    doc.id = TEXT("PANEL_1");
    doc.revision = revision;
    doc.prev_sha256 = BYTES(prev, 32);
    doc.controller = TEXT("KE_PANEL");
    doc.compatible_before = true;
    const Sgpb__Signed *one = sim_sign(sim, sim->peer[COLLECTOR].signer,
                                       SG_SIGN_CONSENT_AGREEMENT, &doc.base);
    sg_crypto_sha256(one->body.data, one->body.len, sim->agreement_sha);
    two.body = one->body;
    sig.alg = one->alg;
    sig.key_id = one->key_id;
    sig.sig = one->sig;
    for (size_t i = 0; i < SWOLLEN; i++)
        list[i] = i == 0 ? &sig : &nothing;
    two.signatures = list;
    two.n_signatures = SWOLLEN;
    put.agreement = &two;
    envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
    envelope.agreement_put = &put;
    return decide_on(world, COLLECTOR, &envelope);
}

static void
a_page_of_entries_ends_before_the_memory_of_a_turn(void **state)
{
    enum { PUTS = 30, MOST = 16 * 1024 * 1024 };
    struct world *world = *state;
    struct sim *sim = world->sim;
    uint64_t from = sim->core->state->next_seq;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__EntriesGet get = SGPB__ENTRIES_GET__INIT;
    unsigned pages = 0;
    void *open;

    for (uint64_t i = 0; i < PUTS; i++)
        assert_string_equal(put_swollen(world, i + 2), "");
    sim->core->durable = sim->durable = sim->count;
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES_GET;
    envelope.entries_get = &get;
    for (get.from = from; get.from < from + PUTS; pages++) {
        assert_string_equal(decide_on(world, NEAR, &envelope), "");
        assert_true(sg_arena_used(world->output->arena) < MOST);
        assert_int_equal(
            sg_codec_unpack(&sgpb__envelope__descriptor,
                            world->output->effects[0].u.send.envelope, sim->mem,
                            &open),
            SG_OK);
        const Sgpb__Entries *page = ((const Sgpb__Envelope *)open)->entries;
        assert_true(page->next > get.from);
        get.from = page->next;
    }
    assert_true(pages > 1);
}

// ---- the roster ------------------------------------------------------------------

static void
two_rosters_of_one_version_are_a_fork(void **state)
{
    struct world *world = *state;
    uint8_t other[32];

    memcpy(other, world->sim->roster_sha, 32);
    assert_string_equal(show_roster(world, 1, other), "");
    assert_string_equal(show_roster(world, 2, other), "gate.roster_old");
    assert_string_equal(refused_at(world, 0)->code, "gate.roster_old");
    other[31] ^= 1;
    assert_string_equal(show_roster(world, 1, other), "gate.fork");
    assert_string_equal(refused_at(world, 0)->component, "HELLO.roster");
}

static const char *
approve(struct world *world)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyApprove put = SGPB__POLICY_APPROVE__INIT;
    Sgpb__Approval doc = SGPB__APPROVAL__INIT;

    doc.gate = TEXT("HUB");
    put.approval = sim_sign(world->sim, world->sim->approve_signer,
                            SG_SIGN_APPROVAL, &doc.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_APPROVE;
    envelope.policy_approve = &put;
    return decide_on(world, ADMIN, &envelope);
}

static void
nothing_new_is_agreed_under_a_roster_that_has_expired(void **state)
{
    struct world *world = *state;

    assert_string_equal(approve(world), "policy.base");
    world->sim->now = world->sim->core->state->roster.expires;
    assert_string_equal(approve(world), "gate.roster_expired");
    assert_string_equal(forge_agreement(world), "gate.roster_expired");
    assert_string_equal(forge_terms(world), "gate.roster_expired");
    assert_string_equal(forge_subscription(world), "gate.roster_expired");
}

// The roster that follows, signed by both roots, changed like this. The field
// at fault; NULL: it is taken.
static const char *
follow(struct world *world, void (*change)(Sgpb__Roster *roster))
{
    struct sim *sim = world->sim;
    const struct sg_state *now = sim->core->state;
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    Sgpb__RootSignature root[2], *roots[2] = {&root[0], &root[1]};
    Sgpb__Roster roster;
    uint8_t random[32] = {1}, prev[32];
    const char *what = NULL;
    uint64_t seq;
    void *open;

    // A copy of its own: the one there is goes when another is taken.
    assert_int_equal(sg_codec_unpack(&sgpb__roster__descriptor,
                                     sim_pack(sim, &now->roster.doc->base),
                                     sim->mem, &open),
                     SG_OK);
    roster = *(Sgpb__Roster *)open;
    memcpy(prev, now->roster.sha256, 32);
    roster.version++;
    roster.prev_sha256 = BYTES(prev, 32);
    change(&roster);
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32] = {(uint8_t)(200 + i)};
        struct sg_signer *signer;
        assert_int_equal(sg_crypto_signer_new(seed, &signer), SG_OK);
        const Sgpb__Signed *one =
            sim_sign(sim, signer, SG_SIGN_ROSTER, &roster.base);
        sg_crypto_signer_free(&signer);
        root[i] = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
        root[i].key_id = one->key_id;
        root[i].sig = one->sig;
        outer.roster = one->body;
    }
    outer.signatures = roots;
    outer.n_signatures = 2;
    sg_output_reset(world->output);
    struct sg_turn turn = {.core = sim->core,
                           .state = now,
                           .output = world->output,
                           .arena = world->output->arena,
                           .now = sim->now,
                           .random = random};
    enum sg_err err =
        sg_roster_take(&turn, sim_pack(sim, &outer.base), &seq, &what);
    write_down(world);
    return err == SG_OK ? NULL : what;
}

static uint8_t gate_key[32];

static void
root_signs(Sgpb__Roster *roster)
{
    roster->participants[0]->keys[1]->public_key = roster->roots[0]->public_key;
}

static void
gate_has_anothers(Sgpb__Roster *roster)
{
    roster->gate_sign_key = roster->participants[1]->keys[1]->public_key;
}

static void
gate_has_one_key_twice(Sgpb__Roster *roster)
{
    roster->gate_sign_key = roster->gate_log_key = BYTES(gate_key, 32);
}

static void
gate_has_its_own(Sgpb__Roster *roster)
{
    roster->gate_log_key = BYTES(gate_key, 32);
}

static void
gives_the_gates_away(Sgpb__Roster *roster)
{
    roster->gate_log_key = BYTES(NULL, 0);
    roster->participants[0]->keys[1]->public_key = BYTES(gate_key, 32);
}

static void
a_key_of_root_or_gate_is_no_other_ever(void **state)
{
    struct world *world = *state;

    sg_crypto_signer_public(world->sim->gate_signer, gate_key);
    assert_string_equal(follow(world, root_signs), "participants.keys");
    assert_string_equal(follow(world, gate_has_anothers), "gate_sign_key");
    assert_string_equal(follow(world, gate_has_one_key_twice), "gate_sign_key");
    for (unsigned n = 0; n < 2 * SG_LIMIT_REFUSED_PER_S; n++)
        (void)forge_recall(world);
    assert_null(follow(world, gate_has_its_own));
    assert_int_equal(world->output->entries[0].type,
                     SG_ENTRY_REFUSED_AGGREGATE); // what was counted so far
    assert_null(follow(world, gate_has_its_own));
    assert_string_equal(follow(world, gives_the_gates_away),
                        "participants.keys");
}

// The one consent there is, so that what is published from now on is denied.
static void
withdraw(struct world *world)
{
    struct sim *sim = world->sim;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;
    Sgpb__ConsentEvent event;
    uint8_t record[16] = {7}; // sim_peer.c
    Sgpb__Signed *one[1];
    struct sg_consent_record now = sg_consent_record_of(
        sim->core->state->consent, SG_SLICE("PANEL_1"), record);

    fill_event(sim, &event, record);
    event.from = SG_CONSENT_STATE_GIVEN;
    event.to = SG_CONSENT_STATE_WITHDRAWN;
    event.prev_event_sha256 = BYTES(now.last_event_sha256, 32);
    one[0] = sim_sign(sim, sim->peer[COLLECTOR].signer, SG_SIGN_CONSENT_EVENT,
                      &event.base);
    body.events = one;
    body.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    assert_string_equal(decide_on(world, COLLECTOR, &envelope), "");
}

// One delivery that waits is decided again at each attachment.
static void
attaching_again_and_again_is_bounded(void **state)
{
    struct world *world = *state;
    const struct sg_state *now = world->sim->core->state;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Attach attach = SGPB__ATTACH__INIT;
    unsigned taken = 0, waiting = 0;

    withdraw(world);
    for (unsigned i = 0; i < 32; i++) {
        sim_peer_tick(world->sim, PUBLISHER);
        sim_settle(world->sim);
        world->sim->now += 40000;
    }
    world->sim->now += 2 * SECOND;
    uint32_t at = sg_state_find(now->subscription_of, SG_SLICE("TZ_NBS/ALL"));
    assert_int_not_equal(at, 0);
    for (uint32_t d = sg_state_subscription(now, at)->first; d != 0;
         d = sg_state_delivery(now, d)->next)
        waiting += sg_state_delivery(now, d)->state == SG_DELIVERY_DENIED;
    assert_int_not_equal(waiting, 0);
    attach.subscription = TEXT("TZ_NBS/ALL");
    envelope.body_case = SGPB__ENVELOPE__BODY_ATTACH;
    envelope.attach = &attach;
    for (unsigned i = 0; i < 2 * SG_LIMIT_TOLD_PER_S; i++)
        taken += strcmp(decide_on(world, NEAR, &envelope), "") == 0;
    assert_in_range(taken, 1, SG_LIMIT_TOLD_PER_S / waiting);
    world->sim->now += 2 * SECOND;
    assert_string_equal(decide_on(world, NEAR, &envelope), "");
}

// As if he held all but one of his share.
static void
nobody_takes_more_than_his_share(void **state)
{
    struct world *world = *state;
    struct sg_core *core = world->sim->core;
    struct sg_quota *publisher = sg_roster_quota(core, "KE_KNBS");
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowPut put = SGPB__FLOW_PUT__INIT;
    uint8_t terms[32];

    memcpy(terms, world->sim->terms_sha, 32);
    assert_int_equal(publisher->held[SG_SHARE_FLOWS], 1);
    assert_int_equal(publisher->held[SG_SHARE_STRUCTURES], 1);
    assert_int_equal(publisher->held[SG_SHARE_UPLOADS], 0);
    assert_int_equal(
        sg_roster_quota(core, "TZ_NBS")->held[SG_SHARE_SUBSCRIPTIONS], 1);
    assert_int_equal(
        sg_roster_quota(core, "KE_PANEL")->held[SG_SHARE_AGREEMENTS], 1);
    publisher->held[SG_SHARE_FLOWS] = SG_LIMIT_FLOWS_EACH - 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_PUT;
    envelope.flow_put = &put;
    put.terms = sim_terms(world->sim, PUBLISHER, "KE_LAST");
    assert_string_equal(decide_on(world, PUBLISHER, &envelope), "");
    put.terms = sim_terms(world->sim, PUBLISHER, "KE_MORE");
    assert_string_equal(decide_on(world, PUBLISHER, &envelope), "gate.limit");
    put.terms = sim_terms(world->sim, NEAR, "TZ_OTHER");
    assert_string_equal(decide_on(world, NEAR, &envelope), "");
    sg_roster_quota(core, "KE_PANEL")->held[SG_SHARE_AGREEMENTS] =
        SG_LIMIT_AGREEMENTS_EACH;
    assert_string_equal(put_agreement(world, "PANEL_2"), "gate.limit");
    sg_roster_quota(core, "KE_PANEL")->held[SG_SHARE_AGREEMENTS] = 1;
    assert_string_equal(put_agreement(world, "PANEL_2"), "");
    publisher->held[SG_SHARE_UPLOADS] = SG_LIMIT_UPLOADS_HELD;
    memcpy(world->sim->terms_sha, terms, 32); // of the first flow
    assert_string_equal(publish_made(world, world->sim->now), "gate.busy");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_signature_check_costs_its_sender_a_token),
        TEST(what_is_news_costs_no_token),
        TEST(a_wrong_signature_is_recorded_one_by_one_then_counted),
        TEST(a_malformed_message_is_recorded_of_those_in_the_roster_alone),
        TEST(who_is_told_to_wait_is_not_recorded),
        TEST(a_revoked_key_that_speaks_is_recorded),
        TEST(who_makes_memory_grow_is_recorded),
        TEST(who_takes_all_sessions_loses_his_own),
        TEST(a_manifest_is_not_of_tomorrow),
        TEST(a_page_of_entries_ends_before_the_memory_of_a_turn),
        TEST(attaching_again_and_again_is_bounded),
        TEST(nobody_takes_more_than_his_share),
        TEST(two_rosters_of_one_version_are_a_fork),
        TEST(nothing_new_is_agreed_under_a_roster_that_has_expired),
        TEST(a_key_of_root_or_gate_is_no_other_ever),
    };
    enum sg_err err = sg_crypto_start();

    return err != SG_OK ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
