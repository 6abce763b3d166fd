// Who may say what: tables over a real core in a quiet world, message by
// message. One good case of each table is accepted, so that the refusals of
// the others are about what the row says. The loop is compiled in, as in the
// other tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/roster.h"
#include "tests/sim/manifest.h"

// And the collector's agreement, which manifests may rest on.
static int
setup(void **state)
{
    if (bench_open(state) != 0)
        return 1;
    struct bench *bench = *state;
    sim_peer_tick(bench->sim, COLLECTOR);
    sim_settle(bench->sim);
    return bench->sim->peer[COLLECTOR].step == 1 ? 0 : 1;
}

// ---- manifests -------------------------------------------------------------

static const char *
try_matrix(struct bench *bench, const int who[3], int flow)
{
    struct signature by;
    struct made *made = make(bench, flow);

    made->m.publisher = TEXT(bench->sim->peer[who[2]].id);
    made->m.key_id = BYTES(bench->sim->peer[who[1]].key_id, 32);
    struct sg_slice bytes = sign_as(bench, who[1], &made->m, &by);
    return publish(bench, who[0], bytes, &by, made->secret);
}

// Connection x signature x claimed publisher x flow.
static void
only_the_owner_publishes_with_its_own_key_into_its_own_flow(void **state)
{
    struct bench *bench = *state;
    static const int flows[] = {PUBLISHER, NEAR};
    unsigned refused = 0;

    for (int i = 0; i < PEERS * PEERS * PEERS * 2; i++) {
        const int who[3] = {i / 2 % PEERS, i / 2 / PEERS % PEERS,
                            i / 2 / PEERS / PEERS};
        int flow = flows[i % 2];
        if (who[0] == flow && who[1] == flow && who[2] == flow)
            continue; // the diagonal comes last: it takes revision 1
        const char *code = try_matrix(bench, who, flow);
        if (code[0] == '\0')
            fail_msg("%s took %s's flow, signed by %s as %s",
                     bench->sim->peer[who[0]].id, bench->sim->peer[flow].id,
                     bench->sim->peer[who[1]].id, bench->sim->peer[who[2]].id);
        if (who[0] != PUBLISHER && who[0] != NEAR)
            assert_string_equal(code, "peer.rights");
        refused++;
    }
    assert_int_equal(refused, 248);
    for (size_t i = 0; i < SG_COUNT_OF(flows); i++) {
        const int who[3] = {flows[i], flows[i], flows[i]};
        assert_string_equal(try_matrix(bench, who, flows[i]), "");
    }
}

// What the publisher signs itself and the gate must not believe.
static void
a_signed_manifest_that_does_not_fit_the_gate_is_refused(void **state)
{
    struct bench *bench = *state;
    static uint8_t other[32] = {1};
    const char *claim = sg_err_code(SG_ERR_CLAIM);
    char *words[] = {TEXT("en")}; // the terms name none
    Sgpb__AgreementRef ref = SGPB__AGREEMENT_REF__INIT, *refs[] = {&ref};
    ref.id = TEXT("PANEL_1"); // of no revision
#define ROW(change, expected)                                                  \
    do {                                                                       \
        struct made *made = make(bench, PUBLISHER);                            \
        Sgpb__Manifest *m = &made->m;                                          \
        struct signature by;                                                   \
        change;                                                                \
        struct sg_slice bytes = sign_as(bench, PUBLISHER, m, &by);             \
        assert_string_equal(                                                   \
            publish(bench, PUBLISHER, bytes, &by, made->secret), expected);    \
    } while (0)
    ROW(m->format = 2, sg_err_code(SG_ERR_MANIFEST_FIELD));
    ROW(m->gate = TEXT("HUC"), sg_err_code(SG_ERR_AUDIENCE));
    ROW(m->log_genesis = BYTES(other, 32), sg_err_code(SG_ERR_AUDIENCE));
    ROW(m->publisher = TEXT("TZ_NBS"), sg_err_code(SG_ERR_OWNER));
    ROW(m->flow = TEXT("TZ_HEALTH"), sg_err_code(SG_ERR_FLOW));
    ROW(m->flow = TEXT("NO_SUCH"), sg_err_code(SG_ERR_FLOW));
    ROW(m->roster_sha256 = BYTES(other, 32), sg_err_code(SG_ERR_ROSTER_OLD));
    ROW(m->terms_sha256 = BYTES(other, 32), sg_err_code(SG_ERR_TERMS_CHANGED));
    ROW(m->structure = TEXT("urn:SDH"), sg_err_code(SG_ERR_STRUCTURE));
    ROW(m->structure_sha256 = BYTES(other, 32), sg_err_code(SG_ERR_STRUCTURE));
    ROW(m->mode = 1, sg_err_code(SG_ERR_MANIFEST_FIELD));
    ROW((m->mode = 1, m->leaves = 1), sg_err_code(SG_ERR_MODE));
    ROW(m->order = 1, sg_err_code(SG_ERR_MODE));
    ROW(m->revision = 2, sg_err_code(SG_ERR_REVISION));
    ROW(m->prev_manifest_sha256 = BYTES(other, 32),
        sg_err_code(SG_ERR_REVISION));
    ROW(made->claims.action = 2, sg_err_code(SG_ERR_ACTION));
    ROW(m->supersedes_recall = BYTES(other, 32),
        sg_err_code(SG_ERR_UNSUPPORTED));
    ROW(made->claims.origin_label = TEXT("guessed"), claim);
    ROW((made->claims.languages = words, made->claims.n_languages = 1), claim);
    ROW((made->claims.agreements = refs, made->claims.n_agreements = 1), claim);
    ROW((ref.id = TEXT("PANEL_2"), made->claims.agreements = refs,
         made->claims.n_agreements = 1),
        claim);
    ROW(m->expires = m->created, sg_err_code(SG_ERR_EXPIRED));
    ROW((m->created += 25 * 3600 * 1000000ull,
         m->expires = m->created + 24 * 3600 * 1000000ull),
        sg_err_code(SG_ERR_MANIFEST_FIELD));
    ROW(m->size = data.len + 1, sg_err_code(SG_ERR_SHORT));
    ROW(made->secret[0] = 'X', sg_err_code(SG_ERR_SECRET));
    ROW(made->secret[5] ^= 1, sg_err_code(SG_ERR_SECRET));
    ref.id = TEXT("PANEL_1");
    ref.revision_sha256 = BYTES(bench->sim->agreement_sha, 32);
#define RESTS(change, expected)                                                \
    ROW((change, made->claims.agreements = refs,                               \
         made->claims.n_agreements = 1),                                       \
        expected)
    RESTS(ref.epoch = 1000, claim); // of which the gate has not heard
    ref.epoch = 0;
    RESTS(ref.set_commit = BYTES(other, 31), claim);
    ref.set_commit = BYTES(other, 32);
    RESTS(ref.revision_sha256 = BYTES(other, 32), claim);
    ref.revision_sha256 = BYTES(bench->sim->agreement_sha, 32);
    RESTS((void)0, "");
#undef RESTS
#undef ROW
}

// ---- two persons (S45) --------------------------------------------------------

struct approval {
    int peer; // connection
    struct sg_signer *signer;
    enum sg_sign_purpose purpose;
    const char *gate;
    const uint8_t *object, *base;
    uint64_t created, expires, effective;
    const char *code;
};

static const char *
approve(struct bench *bench, const struct approval *row)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyApprove put = SGPB__POLICY_APPROVE__INIT;
    Sgpb__Approval doc = SGPB__APPROVAL__INIT;

    doc.gate = TEXT(row->gate);
    doc.object_sha256 = BYTES(row->object, 32);
    doc.base_sha256 = BYTES(row->base, 32);
    doc.created = row->created;
    doc.expires = row->expires;
    doc.effective_from = row->effective;
    put.approval = sim_sign(bench->sim, row->signer, row->purpose, &doc.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_APPROVE;
    envelope.policy_approve = &put;
    return bench_ask(bench, row->peer, &envelope, (struct sg_slice){NULL, 0});
}

static void
a_policy_needs_a_second_person_for_this_text_on_this_base_in_time(void **state)
{
    struct bench *bench = *state;
    struct sim *sim = bench->sim;
    static const uint8_t zeros[32];
    static const uint8_t other[32] = {1};
    const uint64_t day = 24ull * 3600 * BENCH_SECOND_US, from = sim->now;
    const struct approval rows[] = {
#define GOOD   SG_SIGN_APPROVAL, "HUB", sim->bundle_sha, zeros
#define WINDOW from, from + day, 0
        // the proposer, with the key of the proposal
        {ADMIN, sim->peer[ADMIN].signer, GOOD, WINDOW, "peer.key_use"},
        // the proposer, with another key
        {ADMIN, sim->second_signer, GOOD, WINDOW, "policy.two_persons"},
        // another person, but no key for approvals
        {ADMIN, sim->peer[PUBLISHER].signer, GOOD, WINDOW, "peer.key_use"},
        // nobody of the roster
        {ADMIN, sim->gate_signer, GOOD, WINDOW, "peer.unknown"},
        // from a connection without the role
        {PUBLISHER, sim->approve_signer, GOOD, WINDOW, "peer.rights"},
        // signed as something else
        {ADMIN, sim->approve_signer, SG_SIGN_POLICY, "HUB", sim->bundle_sha,
         zeros, WINDOW, "peer.signature"},
        // another gate, text, base
        {ADMIN, sim->approve_signer, SG_SIGN_APPROVAL, "HUC", sim->bundle_sha,
         zeros, WINDOW, "policy.base"},
        {ADMIN, sim->approve_signer, SG_SIGN_APPROVAL, "HUB", other, zeros,
         WINDOW, "policy.base"},
        {ADMIN, sim->approve_signer, SG_SIGN_APPROVAL, "HUB", sim->bundle_sha,
         other, WINDOW, "policy.base"},
        // expired; expires before it was made; for too long; not yet
        {ADMIN, sim->approve_signer, GOOD, from - day, from - 1, 0,
         "policy.base"},
        {ADMIN, sim->approve_signer, GOOD, from + 2 * day, from + day, 0,
         "policy.base"},
        {ADMIN, sim->approve_signer, GOOD, from, from + 15 * day, 0,
         "policy.base"},
        {ADMIN, sim->approve_signer, GOOD, from, from + day, from + day / 2,
         "policy.base"},
        // another person, this text, this base, in time
        {ADMIN, sim->approve_signer, GOOD, WINDOW, ""},
        // the same again: the base is another now
        {ADMIN, sim->approve_signer, GOOD, WINDOW, "policy.base"},
#undef GOOD
#undef WINDOW
    };

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        const char *code = approve(bench, &rows[i]);
        if (strcmp(code, rows[i].code) != 0)
            fail_msg("row %zu: \"%s\", not \"%s\"", i, code, rows[i].code);
    }
}

// Not as often as a publisher can ask, lest he learns the law of others by it.
static void
a_rehearsal_takes_a_token_of_its_own(void **state)
{
    struct bench *bench = *state;
    struct sim *sim = bench->sim;
    struct sg_bucket *bucket =
        &sg_roster_quota(sim->core, sim->peer[PUBLISHER].id)
             ->bucket[SG_BUCKET_REHEARSED];
    struct signature by;
    struct made *made = make(bench, PUBLISHER);
    struct sg_slice bytes = sign_as(bench, PUBLISHER, &made->m, &by);

    bucket->at = sim->now + 2 * BENCH_SECOND_US; // when it is asked
    bucket->milli = 999;
    assert_string_equal(send(bench, PUBLISHER, bytes, &by, made->secret, true),
                        "peer.rate");
    assert_string_equal(send(bench, PUBLISHER, bytes, &by, made->secret, true),
                        "");
    assert_int_equal(bucket->milli, (SG_LIMIT_REHEARSED_PER_S - 1) * 1000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(only_the_owner_publishes_with_its_own_key_into_its_own_flow),
        TEST(a_signed_manifest_that_does_not_fit_the_gate_is_refused),
        TEST(a_rehearsal_takes_a_token_of_its_own),
        TEST(a_policy_needs_a_second_person_for_this_text_on_this_base_in_time),
    };
#undef TEST

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
