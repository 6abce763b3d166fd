// What a gate believes of consent (S38): a good event and a good agreement with
// one thing wrong at a time, over a real core in a quiet world. The good one is
// taken at the end, so that the refusals are about what the row says.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/volatile.h"
#include "policy/consent.h"
#include "tests/sim/bench.h"

enum {
    REQUESTED = SG_CONSENT_STATE_REQUESTED,
    GIVEN = SG_CONSENT_STATE_GIVEN,
    WITHDRAWN = SG_CONSENT_STATE_WITHDRAWN,
    EXPIRED = SG_CONSENT_STATE_EXPIRED,
    STATES = SG_CONSENT_STATE_COUNT
};
static uint8_t zeros[32], other[32] = {1};

struct event { // a good one of COLLECTOR, to be spoiled
    Sgpb__ConsentEvent doc;
    int peer; // connection
    struct sg_signer *signer;
    enum sg_sign_purpose purpose;
};

// What follows `last`, the event that the record had last.
static struct event
follow(struct bench *bench, uint32_t from, uint32_t to, uint8_t last[32])
{
    struct sim *sim = bench->sim;
    struct event event = {.doc = SGPB__CONSENT_EVENT__INIT,
                          .peer = COLLECTOR,
                          .signer = sim->peer[COLLECTOR].signer,
                          .purpose = SG_SIGN_CONSENT_EVENT};
    uint8_t *record = sim_take(sim, 16), *nonce = sim_take(sim, 16);

    sim_bytes(sim, nonce, 16);
    record[0] = 7;
    event.doc.agreement = TEXT("PANEL_1");
    event.doc.revision_sha256 = BYTES(sim->agreement_sha, 32);
    event.doc.record_id = BYTES(record, 16);
    event.doc.from = from;
    event.doc.to = to;
    event.doc.prev_event_sha256 = BYTES(last, 32);
    event.doc.at = sim->now;
    event.doc.nonce = BYTES(nonce, 16);
    return event;
}

static const char *
send_events(struct bench *bench, int peer, Sgpb__Signed *one, size_t count)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;

    body.events = sim_take(bench->sim, (count + 1) * sizeof(void *));
    for (size_t i = 0; i < count; i++)
        body.events[body.n_events++] = one;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    return bench_ask(bench, peer, &envelope, (struct sg_slice){NULL, 0});
}

// Taken by the gate; out: what the next event follows.
static Sgpb__Signed *
must_take(struct bench *bench, const struct event *event, uint8_t out[32])
{
    Sgpb__Signed *one =
        sim_sign(bench->sim, event->signer, event->purpose, &event->doc.base);

    assert_string_equal(send_events(bench, event->peer, one, 1), "");
    sg_crypto_sha256(one->body.data, one->body.len, out);
    return one;
}

static void
put_agreement(struct bench *bench)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;

    put.agreement = sim_agreement(bench->sim);
    envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
    envelope.agreement_put = &put;
    assert_string_equal(
        bench_ask(bench, COLLECTOR, &envelope, (struct sg_slice){0}), "");
}

// change: of the event before it is signed; spoil: of what was signed.
#define ROW(change, spoil, code)                                               \
    do {                                                                       \
        struct event e = follow(bench, GIVEN, WITHDRAWN, given);               \
        Sgpb__ConsentEvent *doc = &e.doc;                                      \
        (void)doc;                                                             \
        change;                                                                \
        Sgpb__Signed *one =                                                    \
            sim_sign(bench->sim, e.signer, e.purpose, &e.doc.base);            \
        spoil;                                                                 \
        const char *said = send_events(bench, e.peer, one, 1);                 \
        if (strcmp(said, code) != 0)                                           \
            fail_msg("%s; %s: \"%s\", not \"%s\"", #change, #spoil, said,      \
                     code);                                                    \
    } while (0)
#define AS_IT_IS (void)0

// ---- events ---------------------------------------------------------------------

static void
a_withdrawal_with_any_field_wrong_is_refused(void **state)
{
    struct bench *bench = *state;
    struct sim *sim = bench->sim;
    uint8_t given[32], last[32];

    put_agreement(bench);
    struct event first = follow(bench, 0, GIVEN, zeros);
    (void)must_take(bench, &first, given);
    // What it says.
    ROW(doc->agreement = TEXT("PANEL_2"), AS_IT_IS, "gate.not_found");
    ROW(doc->agreement = TEXT(""), AS_IT_IS, "gate.not_found");
    ROW(doc->revision_sha256 = BYTES(other, 32), AS_IT_IS, "consent.event");
    ROW(doc->revision_sha256.len = 31, AS_IT_IS, "peer.malformed");
    ROW(doc->record_id = BYTES(other, 16), AS_IT_IS, "consent.event");
    ROW(doc->record_id.len = 15, AS_IT_IS, "peer.malformed");
    ROW(doc->from = 0, AS_IT_IS, "consent.event");
    ROW(doc->from = WITHDRAWN, AS_IT_IS, "consent.event");
    ROW(doc->from = STATES, AS_IT_IS, "peer.malformed");
    ROW(doc->to = 0, AS_IT_IS, "consent.event");
    ROW(doc->to = EXPIRED, AS_IT_IS, "consent.event");
    ROW(doc->to = STATES, AS_IT_IS, "peer.malformed");
    ROW(doc->prev_event_sha256 = BYTES(zeros, 32), AS_IT_IS, "consent.event");
    ROW(doc->prev_event_sha256 = BYTES(other, 32), AS_IT_IS, "consent.event");
    ROW(doc->prev_event_sha256.len = 0, AS_IT_IS, "peer.malformed");
    ROW(doc->nonce.len = 0, AS_IT_IS, "peer.malformed");
    // Who says it, and as what.
    ROW(e.signer = sim->peer[FAR].signer, AS_IT_IS, "consent.event");
    ROW((e.signer = sim->peer[FAR].signer, e.peer = FAR), AS_IT_IS,
        "consent.event");
    ROW(e.signer = sim->peer[PUBLISHER].signer, AS_IT_IS, "peer.key_use");
    ROW(e.signer = sim->peer[NEAR].signer, AS_IT_IS, "peer.key_use");
    ROW(e.signer = sim->gate_signer, AS_IT_IS, "peer.unknown");
    ROW(e.signer = sim->approve_signer, AS_IT_IS, "peer.key_use");
    ROW(e.purpose = SG_SIGN_STATEMENT, AS_IT_IS, "peer.signature");
    ROW(e.purpose = SG_SIGN_CONSENT_AGREEMENT, AS_IT_IS, "peer.signature");
    ROW(e.peer = PUBLISHER, AS_IT_IS, "peer.rights");
    ROW(e.peer = ADMIN, AS_IT_IS, "peer.rights");
    // What was signed.
    ROW(AS_IT_IS, one->sig.data[0] ^= 1, "peer.signature");
    ROW(AS_IT_IS, one->sig.data[63] ^= 0x80, "peer.signature");
    ROW(AS_IT_IS, one->sig.len = 63, "peer.signature");
    ROW(AS_IT_IS, one->sig.len = 0, "peer.signature");
    ROW(AS_IT_IS, one->alg++, "peer.signature");
    ROW(AS_IT_IS, one->key_id.data[0] ^= 1, "peer.unknown");
    ROW(AS_IT_IS, one->key_id.len = 0, "peer.unknown");
    ROW(AS_IT_IS, one->key_id = BYTES(sim->peer[NEAR].key_id, 32),
        "peer.signature");
    ROW(AS_IT_IS, one->body.data[one->body.len - 1] ^= 1, "peer.signature");
    ROW(AS_IT_IS, one->body.len--, "peer.malformed");
    ROW(AS_IT_IS, one->body.len = 0, "peer.malformed");
    // Nothing of this has withdrawn anything: this one does.
    struct event good = follow(bench, GIVEN, WITHDRAWN, given);
    Sgpb__Signed *kept = must_take(bench, &good, last);
    // The same bytes again are the same withdrawal, until consent is given
    // once more: then they are about what is over.
    assert_string_equal(send_events(bench, COLLECTOR, kept, 1), "");
    struct event again = follow(bench, WITHDRAWN, GIVEN, last);
    (void)must_take(bench, &again, last);
    assert_string_equal(send_events(bench, COLLECTOR, kept, 1),
                        "consent.event");
    assert_string_equal(send_events(bench, COLLECTOR, kept, 0),
                        "peer.malformed");
    assert_string_equal(send_events(bench, COLLECTOR, kept, 1001),
                        "peer.malformed");
}
#undef ROW

static void
an_agreement_with_any_field_wrong_is_refused(void **state)
{
    struct bench *bench = *state;
    struct sim *sim = bench->sim;
#define ROW(change, spoil, code)                                               \
    do {                                                                       \
        Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;            \
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;                        \
        Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;                    \
        Sgpb__TwoSigned two = SGPB__TWO_SIGNED__INIT;                          \
        Sgpb__DocumentSignature by = SGPB__DOCUMENT_SIGNATURE__INIT,           \
                                *list = &by;                                   \
        struct sg_signer *signer = sim->peer[COLLECTOR].signer;                \
        enum sg_sign_purpose purpose = SG_SIGN_CONSENT_AGREEMENT;              \
        int peer = COLLECTOR;                                                  \
        doc.id = TEXT("PANEL_2");                                              \
        doc.revision = 1;                                                      \
        doc.prev_sha256 = BYTES(zeros, 32);                                    \
        doc.controller = TEXT("KE_PANEL");                                     \
        change;                                                                \
        Sgpb__Signed *one = sim_sign(sim, signer, purpose, &doc.base);         \
        by.alg = one->alg;                                                     \
        by.key_id = one->key_id;                                               \
        by.sig = one->sig;                                                     \
        two.body = one->body;                                                  \
        two.signatures = &list;                                                \
        two.n_signatures = 1;                                                  \
        put.agreement = &two;                                                  \
        spoil;                                                                 \
        envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;               \
        envelope.agreement_put = &put;                                         \
        const char *said =                                                     \
            bench_ask(bench, peer, &envelope, (struct sg_slice){NULL, 0});     \
        if (strcmp(said, code) != 0)                                           \
            fail_msg("%s; %s: \"%s\", not \"%s\"", #change, #spoil, said,      \
                     code);                                                    \
    } while (0)
    ROW(doc.id = TEXT(""), AS_IT_IS, "peer.malformed");
    ROW(doc.id = TEXT("../PANEL"), AS_IT_IS, "peer.malformed");
    ROW(doc.controller = TEXT("KE_KNBS"), AS_IT_IS, "consent.event");
    ROW(doc.controller = TEXT(""), AS_IT_IS, "consent.event");
    ROW(doc.revision = 0, AS_IT_IS, "consent.event");
    ROW(doc.revision = 2, AS_IT_IS, "consent.event");
    ROW(doc.prev_sha256 = BYTES(other, 32), AS_IT_IS, "consent.event");
    ROW(signer = sim->peer[FAR].signer, AS_IT_IS, "consent.event");
    ROW((doc.controller = TEXT("KE_KNBS"),
         signer = sim->peer[PUBLISHER].signer),
        AS_IT_IS, "peer.key_use");
    ROW(signer = sim->gate_signer, AS_IT_IS, "peer.unknown");
    ROW(signer = sim->approve_signer, AS_IT_IS, "peer.key_use");
    ROW(purpose = SG_SIGN_CONSENT_EVENT, AS_IT_IS, "peer.signature");
    ROW(peer = PUBLISHER, AS_IT_IS, "peer.rights");
    ROW(AS_IT_IS, by.sig.data[5] ^= 1, "peer.signature");
    ROW(AS_IT_IS, by.key_id.data[5] ^= 1, "peer.unknown");
    ROW(AS_IT_IS, by.alg++, "peer.signature");
    ROW(AS_IT_IS, two.n_signatures = 0, "peer.malformed");
    ROW(AS_IT_IS, two.body.len--, "peer.malformed");
    ROW(AS_IT_IS, put.agreement = NULL, "peer.malformed");
    ROW(AS_IT_IS, AS_IT_IS, "");
    ROW(doc.retention_days = 30, AS_IT_IS, "consent.event"); // 1 is there
#undef ROW
}

// S27: the copy may lack what the persons behind the data have said since.
static void
a_restored_gate_takes_a_withdrawal_and_no_consent(void **state)
{
    struct bench *bench = *state;
    struct sim *sim = bench->sim;
    uint8_t given[32], last[32];

    put_agreement(bench);
    struct event first = follow(bench, 0, GIVEN, zeros);
    (void)must_take(bench, &first, given);
    sim->core->state->epochs.waiting = true;
    struct event end = follow(bench, GIVEN, WITHDRAWN, given);
    (void)must_take(bench, &end, last);
    struct event again = follow(bench, WITHDRAWN, GIVEN, last);
    struct event ask = follow(bench, WITHDRAWN, REQUESTED, last);
    Sgpb__Signed *one = sim_sign(sim, ask.signer, ask.purpose, &ask.doc.base);
    assert_string_equal(send_events(bench, COLLECTOR, one, 1), "gate.restored");
    one = sim_sign(sim, again.signer, again.purpose, &again.doc.base);
    assert_string_equal(send_events(bench, COLLECTOR, one, 1), "gate.restored");
    sim->core->state->epochs.waiting = false;
    assert_string_equal(send_events(bench, COLLECTOR, one, 1), "");
}

int
main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(a_withdrawal_with_any_field_wrong_is_refused),
        TEST(an_agreement_with_any_field_wrong_is_refused),
        TEST(a_restored_gate_takes_a_withdrawal_and_no_consent),
    };
#undef TEST

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
