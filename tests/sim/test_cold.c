// What is over leaves memory, and is found all the same: a quiet world with
// thirty releases of one flow, of which hardly any is in memory at the end.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/cold.h"
#include "broker/core/release.h"
#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

// FEW_SEED: a gate that has room for few deliveries (sim_open).
enum { RELEASES = 30, OLD = 5, FEW_SEED = 3 };

static void
publish_up_to(struct sim *sim, uint64_t revision)
{
    for (int i = 0; i < 4000 && sim->peer[PUBLISHER].revision < revision; i++) {
        quiet_tick(sim, PUBLISHER);
        quiet_tick(sim, NEAR);
    }
    assert_int_equal(sim->peer[PUBLISHER].revision, revision);
}

// A flow with a policy and consent; NEAR takes it, FAR not yet.
static struct sim *
world_of(uint64_t seed, uint32_t retention_days)
{
    struct sim *sim = sim_open(seed, BUG_NONE);

    sim->quiet = true;
    sim->releases = RELEASES;
    sim->retention_days = retention_days;
    sim->crash_after = 0;
    quiet_found(sim, 40);
    return sim;
}

static struct sim *
world(uint32_t retention_days)
{
    return world_of(1, retention_days);
}

static int
setup(void **state)
{
    struct sim *sim = world(0);

    publish_up_to(sim, RELEASES);
    for (int i = 0; i < 40; i++)
        quiet_tick(sim, NEAR);
    sim_commit(sim);
    sim_settle(sim);
    *state = sim;
    return 0;
}

static int
teardown(void **state)
{
    struct sim *sim = *state;

    sim_compare(sim);
    const char *broken = sim->broken;
    sim_close(&sim);
    if (broken != NULL)
        fail_msg("%s", broken);
    return 0;
}

static uint64_t
entry_of(struct sim *sim, const uint8_t manifest[32])
{
    for (size_t i = 0; i < sim->count; i++) {
        void *body;
        if (sim->entries[i].type == SG_ENTRY_ACCEPTED &&
            sg_codec_unpack(&sgpb__accepted__descriptor, sim->entries[i].body,
                            sim->mem, &body) == SG_OK &&
            memcmp(((Sgpb__Accepted *)body)->manifest_sha256.data, manifest,
                   32) == 0)
            return i;
    }
    return 0;
}

static struct sim_peer *
ask(struct sim *sim, int peer, Sgpb__Envelope *envelope)
{
    sim->now += 2000000; // buckets are full again
    envelope->request = ++sim->peer[peer].request;
    sim_say(sim, peer, envelope, (struct sg_slice){NULL, 0});
    sim_settle(sim);
    return &sim->peer[peer];
}

static struct sim_peer *
publish_made(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    void *open;

    sim->now += 2000000;
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor, peer->publish,
                                     sim->mem, &open),
                     SG_OK);
    peer->publish = (struct sg_slice){NULL, 0};
    sim_say(sim, PUBLISHER, open, peer->payload);
    sim_settle(sim);
    return peer;
}

static void
memory_holds_what_is_open(void **state)
{
    const struct sim *sim = *state;
    const struct sg_state *core = sim->core->state;

    assert_true(sim->peer[NEAR].seen_count == RELEASES);
    assert_in_range(sg_pool_count(core->releases), 1, 6);
    assert_in_range(sg_pool_count(core->deliveries), 1, 6);
    assert_in_range(sg_pool_count(core->renditions), 1, 6);
    assert_int_equal(sg_cold_count(core), 0);
    assert_true(sim->rows_found > 4 * (RELEASES - 6));
}

static void
an_old_manifest_gets_its_old_receipt(void **state)
{
    struct sim *sim = *state;
    const struct sim_peer *peer = &sim->peer[PUBLISHER];
    uint64_t seq = 0;

    // The bytes that were accepted then, as the log has them.
    for (size_t i = 0; i < sim->count && seq == 0; i++) {
        void *body;
        if (sim->entries[i].type != SG_ENTRY_ACCEPTED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__accepted__descriptor,
                                         sim->entries[i].body, sim->mem, &body),
                         SG_OK);
        const Sgpb__Accepted *old = body;
        if (old->revision != OLD)
            continue;
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__PublishBegin begin = SGPB__PUBLISH_BEGIN__INIT;
        begin.manifest = old->manifest;
        begin.bytes = 12;
        begin.chunks = 1;
        envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH_BEGIN;
        envelope.publish_begin = &begin;
        ask(sim, PUBLISHER, &envelope);
        seq = i;
    }
    assert_int_equal(peer->heard, SGPB__ENVELOPE__BODY_RECEIPT);
    assert_true(peer->heard_duplicate);
    assert_int_equal(peer->heard_seq, seq);
}

static void
another_manifest_for_an_old_revision_is_a_conflict(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    void *body;

    sim_make_publish(sim, OLD, peer->acknowledged[OLD - 1], NULL);
    publish_made(sim);
    assert_string_equal(peer->heard_code, "publisher.conflict");
    const struct sim_entry *last = &sim->entries[sim->count - 1];
    while (last->type != SG_ENTRY_CONFLICT)
        last--;
    assert_int_equal(sg_codec_unpack(&sgpb__refused__descriptor, last->body,
                                     sim->mem, &body),
                     SG_OK);
    assert_int_equal(((Sgpb__Refused *)body)->accepted,
                     entry_of(sim, peer->acknowledged[OLD]));
}

static void
a_seed_is_used_once_for_ever(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    static const uint8_t seed[16] = {42};

    sim->releases = RELEASES + 20;
    sim_make_publish(sim, peer->revision + 1, peer->head, seed);
    publish_up_to(sim, RELEASES + 20);
    sim_commit(sim);
    sim_settle(sim);
    sim_make_publish(sim, peer->revision + 1, peer->head, seed);
    publish_made(sim);
    assert_string_equal(peer->heard_code, "publisher.seed_reused");
}

static void
a_receipt_for_an_old_delivery_is_answered_again(void **state)
{
    struct sim *sim = *state;

    sim->now += 2000000;
    sim_acknowledge(sim, NEAR, OLD);
    sim_settle(sim);
    assert_int_equal(sim->peer[NEAR].heard, SGPB__ENVELOPE__BODY_RECEIPT);
    assert_true(sim->peer[NEAR].heard_duplicate);
    assert_int_equal(sim->entries[sim->peer[NEAR].heard_seq].type,
                     SG_ENTRY_RECEIPT_ACK);
}

static void
why_answers_about_an_old_release(void **state)
{
    struct sim *sim = *state;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Why why = SGPB__WHY__INIT;

    why.flow = TEXT("KE_HEALTH");
    why.revision = OLD;
    why.subscription = TEXT("TZ_NBS/ALL");
    envelope.body_case = SGPB__ENVELOPE__BODY_WHY;
    envelope.why = &why;
    assert_int_equal(ask(sim, PUBLISHER, &envelope)->heard,
                     SGPB__ENVELOPE__BODY_TRACE);
    why.revision = RELEASES + 100;
    assert_string_equal(ask(sim, PUBLISHER, &envelope)->heard_code,
                        "gate.not_found");
}

static void
recall(struct sim *sim, uint64_t revision)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Recall put = SGPB__RECALL__INIT;
    Sgpb__RecallOrder order = SGPB__RECALL_ORDER__INIT;

    order.flow = TEXT("KE_HEALTH");
    order.revision = revision;
    order.kind = 1;
    put.order =
        sim_sign(sim, sim->peer[PUBLISHER].signer, SG_SIGN_RECALL, &order.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_RECALL;
    envelope.recall = &put;
    assert_int_equal(ask(sim, PUBLISHER, &envelope)->heard,
                     SGPB__ENVELOPE__BODY_RECEIPT);
}

static bool
is_recalled(struct sim *sim, uint64_t revision)
{
    const struct sg_state *core = sim->core->state;
    struct sg_release release;

    assert_int_equal(
        sg_cold_release(core,
                        sg_state_find(core->flow_of, SG_SLICE("KE_HEALTH")),
                        revision, false, &release),
        SG_OK);
    return release.recalled_at != 0;
}

static void
an_old_release_is_recalled_and_stays_so(void **state)
{
    struct sim *sim = *state;

    recall(sim, OLD);
    assert_true(is_recalled(sim, OLD));
    assert_false(is_recalled(sim, OLD + 1));
    sim_commit(sim);
    sim_settle(sim);
    sim_crash(sim);
    quiet_tick(sim, PUBLISHER);
    assert_true(is_recalled(sim, OLD));
    recall(sim, OLD); // again: nothing changes
    assert_true(is_recalled(sim, OLD));
}

// FAR subscribes from the second release on.
static void
subscribe_in_the_past(struct sim *sim)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Subscribe put = SGPB__SUBSCRIBE__INIT;
    Sgpb__Subscription doc = SGPB__SUBSCRIPTION__INIT;
    uint8_t nonce[16] = {1};

    doc.gate = TEXT("HUB");
    doc.subscriber = TEXT(sim->peer[FAR].id);
    doc.name = TEXT("ALL");
    doc.flow = TEXT("KE_HEALTH");
    doc.purpose = TEXT("official_statistics");
    doc.basis = TEXT("statistics_law");
    doc.format = TEXT("ml21");
    doc.start = 3;
    doc.offset = entry_of(sim, sim->peer[PUBLISHER].acknowledged[2]);
    doc.nonce = BYTES(nonce, 16);
    put.subscription =
        sim_sign(sim, sim->peer[FAR].signer, SG_SIGN_SUBSCRIPTION, &doc.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIBE;
    envelope.subscribe = &put;
    assert_int_equal(ask(sim, FAR, &envelope)->heard,
                     SGPB__ENVELOPE__BODY_SUBSCRIPTION);
    sim_compare(sim);
}

// What a subscription in the past waits for comes back, is delivered, leaves.
static void
a_subscription_may_begin_with_what_has_left_memory(void **state)
{
    struct sim *sim = *state;

    recall(sim, OLD);
    subscribe_in_the_past(sim);
    for (int i = 0; i < 400; i++)
        quiet_tick(sim, FAR);
    // All from the second on but the recalled one, each once.
    assert_int_equal(sim->peer[FAR].seen_count, RELEASES - 2);
    for (size_t i = 0; i < RELEASES - 2; i++)
        assert_true(sim->peer[FAR].seen[i].visible);
    sim->releases = RELEASES + 10;
    publish_up_to(sim, RELEASES + 10);
    for (int i = 0; i < 60; i++)
        quiet_tick(sim, FAR);
    assert_int_equal(sim->peer[FAR].seen_count, RELEASES + 8);
    // They leave when their renditions are destroyed.
    sim->now += 3600 * 1000000ull;
    sim->releases = RELEASES + 20;
    publish_up_to(sim, RELEASES + 20);
    for (int i = 0; i < 60; i++)
        quiet_tick(sim, FAR);
    assert_in_range(sg_pool_count(sim->core->state->releases), 1, 20);
}

static unsigned
times_seen(const struct sim_peer *peer, const uint8_t manifest[32])
{
    unsigned times = 0;

    for (size_t i = 0; i < peer->seen_count; i++)
        times += memcmp(peer->seen[i].manifest, manifest, 32) == 0;
    return times;
}

// The gate has room for a few deliveries only, and crashes again and again.
static void
for_want_of_room_no_delivery_is_left_out(void **state)
{
    struct sim *sim = world_of(FEW_SEED, 0);
    const struct sim_peer *far = &sim->peer[FAR];

    (void)state;
    assert_in_range(sim->deliveries_cap, 1, RELEASES / 2);
    publish_up_to(sim, RELEASES);
    subscribe_in_the_past(sim);
    for (int i = 0; i < 1000 && far->seen_count < sim->releases - 1; i++) {
        quiet_tick(sim, FAR);
        quiet_tick(sim, NEAR);
        if (i % 50 == 49) { // something happens, else nothing leaves memory
            publish_up_to(sim, ++sim->releases);
            sim_commit(sim);
            sim_crash(sim);
        }
        assert_in_range(sg_pool_count(sim->core->state->deliveries), 0,
                        sim->deliveries_cap);
    }
    for (uint64_t r = 2; r <= RELEASES; r++)
        assert_int_equal(times_seen(far, sim->peer[PUBLISHER].acknowledged[r]),
                         1);
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

// Each return of a release makes its renditions again: that must not end.
static void
what_was_made_is_not_counted_against_the_next_time(void **state)
{
    const struct sim *sim = *state;

    assert_true(sim->peer[NEAR].seen_count == RELEASES);
    assert_int_equal(sg_table_count(sim->core->render_tries), 0);
}

static void
recovery_at_any_entry_gives_the_same_state(void **state)
{
    struct sim *sim = *state;

    for (int i = 0; i < 12; i++) {
        sim->releases++;
        publish_up_to(sim, sim->releases);
        if (i % 3 == 1)
            sim_commit(sim);
        sim_crash(sim);
        for (int k = 0; k < PEERS; k++)
            quiet_tick(sim, k);
        sim_compare(sim);
        assert_null(sim->broken);
    }
    assert_true(sim->restored > 6);
}

static void
releases_out_of_memory_end_with_their_time(void **state)
{
    struct sim *sim = world(1);
    size_t destroyed = 0;

    (void)state;
    publish_up_to(sim, RELEASES);
    sim_commit(sim);
    sim_settle(sim);
    for (int day = 0; day < 3; day++) {
        sim->now += DAY_US + 1000000;
        quiet_tick(sim, NEAR);
        sim_settle(sim);
    }
    for (size_t i = 0; i < sim->count; i++) {
        void *body;
        if (sim->entries[i].type == SG_ENTRY_DESTROYED &&
            sg_codec_unpack(&sgpb__destroyed__descriptor, sim->entries[i].body,
                            sim->mem, &body) == SG_OK)
            destroyed += ((Sgpb__Destroyed *)body)->n_manifests;
    }
    assert_int_equal(destroyed, RELEASES); // each once
    sim_compare(sim);
    assert_null(sim->broken);
    sim_close(&sim);
}

// Are its bytes and its key what the core keeps?
static bool
is_known(const struct sim *sim, const Sgpb__Accepted *release)
{
    bool bytes = sg_core_knows_object(sim->core, release->spool->id.data);
    bool leaves = sg_core_knows_object(sim->core, release->leaves->id.data);

    assert_int_equal(bytes, leaves);
    assert_int_equal(
        bytes, sg_core_knows_key(sim->core, release->manifest_sha256.data));
    return bytes;
}

static unsigned
known_releases(struct sim *sim)
{
    unsigned known = 0;

    for (size_t i = 0; i < sim->count; i++) {
        void *body;
        if (sim->entries[i].type == SG_ENTRY_ACCEPTED &&
            sg_codec_unpack(&sgpb__accepted__descriptor, sim->entries[i].body,
                            sim->mem, &body) == SG_OK)
            known += is_known(sim, body);
    }
    return known;
}

static void
what_the_log_names_is_kept_wherever_its_release_is(void **state)
{
    static const uint8_t stranger[32] = {7};
    struct sim *sim = world(2);

    (void)state;
    publish_up_to(sim, RELEASES);
    assert_int_equal(known_releases(sim), RELEASES); // not yet in the index
    sim_commit(sim);
    sim_settle(sim);
    sim->now += 3600 * 1000000ull;
    quiet_tick(sim, NEAR);
    assert_true(sg_pool_count(sim->core->state->releases) < RELEASES);
    assert_int_equal(known_releases(sim), RELEASES);
    sim_crash(sim); // and the sweep after it
    assert_int_equal(known_releases(sim), RELEASES);
    for (int day = 0; day < 4; day++) {
        sim->now += DAY_US + 1000000;
        quiet_tick(sim, NEAR);
    }
    assert_int_equal(known_releases(sim), 0);
    sim_store_check(sim);
    assert_null(sim->broken);
    assert_false(sg_core_knows_object(sim->core, stranger));
    assert_false(sg_core_knows_key(sim->core, stranger));
    sim->index_broken = true; // what cannot be known is kept
    assert_true(sg_core_knows_object(sim->core, stranger));
    assert_true(sg_core_knows_key(sim->core, stranger));
    sim_close(&sim);
}

static void
the_report_of_a_refusal_is_kept_with_its_key(void **state)
{
    uint8_t id[16] = {8}, manifest[32] = {9};
    struct sim *sim = world(0);
    Sgpb__Refused body = SGPB__REFUSED__INIT;
    Sgpb__ObjectRef report = SGPB__OBJECT_REF__INIT;
    const struct sg_appended entry = {.seq = sim->core->state->next_seq,
                                      .type = SG_ENTRY_REFUSED};

    (void)state;
    body.manifest_sha256 = BYTES(manifest, 32);
    assert_false(sg_core_knows_key(sim->core, manifest));
    assert_int_equal(sg_release_apply_refused(sim->core->state, &entry, &body),
                     SG_OK);
    assert_false(sg_core_knows_key(sim->core, manifest)); // nothing under it
    report.id = BYTES(id, 16);
    body.report = &report;
    assert_int_equal(sg_release_apply_refused(sim->core->state, &entry, &body),
                     SG_OK);
    assert_true(sg_core_knows_object(sim->core, id));
    assert_true(sg_core_knows_key(sim->core, manifest));
    sim_close(&sim);
}

static void
damage_found_after_the_start_is_told_and_may_stop_the_gate(void **state)
{
    struct sim *sim = world(0);
    const struct sg_event event = {.kind = SG_EVENT_LOG_DAMAGED, .u.seq = 7};

    (void)state;
    sim_to_gate(sim, &event, 100);
    sim_settle(sim);
    assert_null(sim->broken);
    assert_int_equal(sim->core->log_damaged, 8);
    assert_int_equal(sim->core->halted, SG_OK);
    sim->core->options.stop_on_damage = true;
    sim_to_gate(sim, &event, 100);
    enum sg_err err = SG_OK;
    bool stopped = false;
    for (int i = 0; i < 50 && !stopped; i++)
        err = sg_loop_turn(sim->loop, &stopped);
    assert_true(stopped);
    assert_int_equal(err, SG_ERR_DAMAGE);
    assert_int_equal(sim->core->halted, SG_ERR_DAMAGE);
    sim_close(&sim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_holds_what_is_open),
        TEST(an_old_manifest_gets_its_old_receipt),
        TEST(another_manifest_for_an_old_revision_is_a_conflict),
        TEST(a_seed_is_used_once_for_ever),
        TEST(a_receipt_for_an_old_delivery_is_answered_again),
        TEST(why_answers_about_an_old_release),
        TEST(an_old_release_is_recalled_and_stays_so),
        TEST(a_subscription_may_begin_with_what_has_left_memory),
        cmocka_unit_test(for_want_of_room_no_delivery_is_left_out),
        TEST(what_was_made_is_not_counted_against_the_next_time),
        TEST(recovery_at_any_entry_gives_the_same_state),
        cmocka_unit_test(
            damage_found_after_the_start_is_told_and_may_stop_the_gate),
        cmocka_unit_test(releases_out_of_memory_end_with_their_time),
        cmocka_unit_test(what_the_log_names_is_kept_wherever_its_release_is),
        cmocka_unit_test(the_report_of_a_refusal_is_kept_with_its_key),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
