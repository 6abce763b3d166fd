// A participant who sends more than a turn can hold, against the real statgated.
#include "tests/e2e/two.h"

// One keeps what is freed, the other a shadow of all: a few frames will do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVENTS = 18000, FRAMES = 4, WAVES = 1, GATE_MB = 1024 };
#else
enum { EVENTS = 18000, FRAMES = 48, WAVES = 4, GATE_MB = 256 };
#endif

static unsigned
resident_mb(int pid)
{
    char path[64], line[256];
    unsigned kb = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %u", &kb) == 1)
            break;
    assert_int_equal(fclose(file), 0);
    return kb / 1024;
}

// A Consent of so many empty events: two bytes each on the wire, fifty times as
// much when it is unpacked. Which role the key has is looked at after that.
static struct sg_slice
swollen(struct raw_gate *gate)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent consent = SGPB__CONSENT__INIT;
    static Sgpb__Signed nothing = SGPB__SIGNED__INIT;
    static Sgpb__Signed *events[EVENTS];
    struct sg_slice packed;

    for (size_t i = 0; i < EVENTS; i++)
        events[i] = &nothing;
    envelope.proto = 1;
    envelope.request = 2;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &consent;
    consent.events = events;
    consent.n_events = EVENTS;
    assert_int_equal(sg_codec_pack(&envelope.base, gate->arena, &packed),
                     SG_OK);
    assert_in_range(packed.len, 0, SG_LIMIT_HEADER);
    return packed;
}

static void
what_swells_in_one_turn_ends_no_gate(void **state)
{
    struct raw_gate *gate = *state;
    struct sg_slice envelope = swollen(gate);
    uint8_t *room = sg_arena_take(gate->arena, SG_LIMIT_FRAME);
    struct sg_writer w = sg_writer_on(room, SG_LIMIT_FRAME);
    void *peer = raw_member_dealer(gate, 0);

    assert_true(raw_hello(gate, peer, 5000));
    while (sg_items_put(&w, envelope, (struct sg_slice){NULL, 0}) == SG_OK)
        continue;
    for (int wave = 0; wave < WAVES; wave++) {
        for (int i = 0; i < FRAMES; i++)
            assert_true(zmq_send(peer, room, w.len, 0) >= 0);
        const Sgpb__Envelope *answer = raw_receive(gate, peer, 20000);
        assert_non_null(answer);
        assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
        two_serves(gate, 10000);
    }
    zmq_close(peer);
    // What they took was given back: the doors stay open (SG_LIMIT_RSS_SOFT).
    assert_in_range(resident_mb(gate->pid), 1, GATE_MB);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_swells_in_one_turn_ends_no_gate),
    };
    return cmocka_run_group_tests(tests, two_setup, two_teardown);
}
