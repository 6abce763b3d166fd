// Which documents of the gate go to whom, and how much at once: a real core in
// a quiet world, message by message. The loop is compiled in, as in the other
// tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "tests/sim/quiet.h"

enum { ROUNDS = 12 };

struct bench {
    struct sim *sim;
    struct sg_output *output;
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

static const Sgpb__Envelope *
opened(struct bench *bench, size_t effect)
{
    void *open;

    assert_true(effect < bench->output->effects_count);
    assert_int_equal(
        sg_codec_unpack(&sgpb__envelope__descriptor,
                        bench->output->effects[effect].u.send.envelope,
                        bench->sim->mem, &open),
        SG_OK);
    return open;
}

static const Sgpb__Envelope *
say(struct bench *bench, int peer, Sgpb__Envelope *envelope)
{
    struct sim *sim = bench->sim;
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};

    envelope->proto = 1;
    envelope->request = 7;
    memcpy(event.u.message.curve_key, sim->peer[peer].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = (uint8_t)peer;
    event.u.message.from.bytes[1] = sim->peer[peer].generation;
    event.u.message.envelope = sim_pack(sim, &envelope->base);
    sim_bytes(sim, event.random, 32);
    sg_output_reset(bench->output);
    sg_core_decide(sim->core, &event, sim->now, bench->output);
    return opened(bench, 0);
}

// grant: chunks that the asker takes.
static const Sgpb__Envelope *
get(struct bench *bench, int peer, const char *kind, const uint8_t *sha256,
    uint32_t grant)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectGet body = SGPB__OBJECT_GET__INIT;

    body.kind = TEXT(kind);
    body.sha256 = BYTES(sha256, sha256 == NULL ? 0 : 32);
    envelope.grant_bytes = (uint64_t)grant * SG_LIMIT_CHUNK;
    envelope.grant_messages = grant;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_GET;
    envelope.object_get = &body;
    return say(bench, peer, &envelope);
}

static void
each_kind_goes_to_whom_its_row_says(void **state)
{
    struct bench *bench = *state;
    const struct sim *sim = bench->sim;
    static const uint8_t unknown[32] = {1};
    const struct {
        int peer;
        const char *kind;
        const uint8_t *sha256;
        const char *code; // "": given
    } rows[] = {
        {NEAR, "structure", sim->structure_sha, ""},
        {COLLECTOR, "structure", sim->structure_sha, ""},
        {NEAR, "structure", unknown, "gate.not_found"},
        {NEAR, "structure", NULL, "gate.not_found"},
        {ADMIN, "policy", sim->bundle_sha, ""},
        {ADMIN, "policy", unknown, "gate.not_found"},
        {NEAR, "policy", sim->bundle_sha, "peer.rights"},
        {PUBLISHER, "policy", sim->bundle_sha, "peer.rights"},
        {FAR, "roster", sim->roster_sha, ""},
        {FAR, "roster", NULL, ""},
        {FAR, "roster", unknown, "gate.not_found"},
        {ADMIN, "keys", sim->roster_sha, "gate.unsupported"},
    };

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        const Sgpb__Envelope *answer =
            get(bench, rows[i].peer, rows[i].kind, rows[i].sha256, 1);
        const char *code = answer->body_case == SGPB__ENVELOPE__BODY_REFUSED
                               ? answer->refused->code
                               : "";
        if (strcmp(code, rows[i].code) != 0)
            fail_msg("row %zu: %s", i, code);
        if (code[0] == '\0')
            assert_int_equal(answer->body_case,
                             SGPB__ENVELOPE__BODY_OBJECT_BEGIN);
    }
}

static void
a_missing_right_is_named_and_so_is_what_is_held(void **state)
{
    struct bench *bench = *state;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__StatusGet status = SGPB__STATUS_GET__INIT;
    const Sgpb__Envelope *answer =
        get(bench, NEAR, "policy", bench->sim->bundle_sha, 1);

    assert_string_equal(answer->refused->sentence,
                        "the role of this key does not allow that: "
                        "policy_admin or auditor is needed, it has publisher, "
                        "subscriber");
    assert_string_equal(answer->refused->place->component, "kind");
    envelope.body_case = SGPB__ENVELOPE__BODY_STATUS_GET;
    envelope.status_get = &status;
    answer = say(bench, FAR, &envelope);
    assert_string_equal(answer->refused->sentence,
                        "the role of this key does not allow that: "
                        "operator or auditor is needed, it has subscriber, "
                        "consent");
    assert_string_equal(answer->refused->place->component, "roles");
    assert_non_null(strstr(answer->refused->cure, "operator or auditor"));
}

static void
chunks_come_as_far_as_the_credit_goes(void **state)
{
    struct bench *bench = *state;
    const struct sim *sim = bench->sim;

    // The collector has never granted anything.
    const Sgpb__Envelope *answer =
        get(bench, COLLECTOR, "structure", sim->structure_sha, 0);
    assert_int_equal(answer->object_begin->chunks, 1);
    assert_int_equal(answer->object_begin->bytes, sim->structure.len);
    assert_int_equal(answer->object_begin->count, 0);
    assert_int_equal(bench->output->effects_count, 1);
    answer = get(bench, COLLECTOR, "structure", sim->structure_sha, 1);
    assert_int_equal(answer->object_begin->count, 1);
    assert_int_equal(bench->output->effects_count, 2);
    const struct sg_effect_send *chunk = &bench->output->effects[1].u.send;
    assert_true(chunk->chunk_of && chunk->opened);
    assert_int_equal(opened(bench, 1)->request, 7);
    assert_int_equal(opened(bench, 1)->body_case, SGPB__ENVELOPE__BODY_CHUNK);
    // What is in the state goes as it is, and no object is read.
    answer = get(bench, ADMIN, "policy", sim->bundle_sha, 1);
    assert_int_equal(answer->object_begin->count, 1);
    chunk = &bench->output->effects[1].u.send;
    assert_false(chunk->chunk_of);
    assert_true(sg_slice_eq(chunk->payload, sim->bundle));
}

static void
a_structure_of_no_open_flow_is_its_owners_and_the_auditors(void **state)
{
    struct bench *bench = *state;
    const struct sim *sim = bench->sim;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowClose close = SGPB__FLOW_CLOSE__INIT;

    close.flow = TEXT("KE_HEALTH");
    close.code = TEXT("ended");
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_CLOSE;
    envelope.flow_close = &close;
    assert_int_equal(say(bench, PUBLISHER, &envelope)->body_case,
                     SGPB__ENVELOPE__BODY_RECEIPT);
    const Sgpb__Envelope *answer =
        get(bench, NEAR, "structure", sim->structure_sha, 1);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(answer->refused->code, "gate.not_found");
    static const int may[] = {PUBLISHER, ADMIN};
    for (size_t i = 0; i < SG_COUNT_OF(may); i++) {
        answer = get(bench, may[i], "structure", sim->structure_sha, 1);
        assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_OBJECT_BEGIN);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_goes_to_whom_its_row_says),
        cmocka_unit_test(a_missing_right_is_named_and_so_is_what_is_held),
        cmocka_unit_test(chunks_come_as_far_as_the_credit_goes),
        cmocka_unit_test(
            a_structure_of_no_open_flow_is_its_owners_and_the_auditors),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, setup, teardown)
               : 1;
}
