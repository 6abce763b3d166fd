// Peers that lie, against the real statgated.
#include "tests/e2e/two.h"

static void
a_participant_is_welcomed(void **state)
{
    struct raw_gate *gate = *state;
    void *peer = raw_member_dealer(gate, 0);
    assert_true(raw_hello(gate, peer, 5000));
    zmq_close(peer);
}

static void
an_unknown_key_gets_no_answer(void **state)
{
    struct raw_gate *gate = *state;
    struct sg_os_keyfile stranger = {.use = "transport"};
    sg_os_random_fill(stranger.secret, 32);
    sg_crypto_curve_public(stranger.secret, stranger.public_key);
    void *peer =
        raw_dealer(gate, gate->data, &stranger, gate->transport.public_key);
    assert_false(raw_hello(gate, peer, 1000));
    zmq_close(peer);
    two_serves(gate, 5000);
}

static void
a_peer_without_curve_gets_no_answer(void **state)
{
    struct raw_gate *gate = *state;
    void *peer = raw_dealer(gate, gate->data, NULL, NULL);
    assert_false(raw_hello(gate, peer, 1000));
    zmq_close(peer);
    two_serves(gate, 5000);
}

static void
a_peer_that_expects_another_gate_gets_no_answer(void **state)
{
    struct raw_gate *gate = *state;
    uint8_t other[32];
    memcpy(other, gate->transport.public_key, 32);
    other[0] ^= 1;
    void *peer =
        raw_dealer(gate, gate->data, &gate->members[0].transport, other);
    assert_false(raw_hello(gate, peer, 1000));
    zmq_close(peer);
    two_serves(gate, 5000);
}

// Frames that are no sequence of items: each is refused or ignored, none
// disturbs the next peer.
static void
malformed_frames_harm_nobody(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } frames[] = {
        {"", 0},
        {"\0", 1},
        {"\0\0\0\0\0\0\0\0", 8},
        {"\0\0\0\1\0\0\0\0\xff", 9},
        {"\xff\xff\xff\xff\0\0\0\0", 8},
        {"\0\0\0\2\xff\xff\xff\xff\x08\x01", 10},
        {"\0\0\0\4\0\0\0\0\x08\x01\x08\x01", 12},         // field twice
        {"\0\0\0\3\0\0\0\0\x08\x81\x00", 11},             // long varint
        {"\0\0\0\2\0\0\0\0\x08\x00", 10},                 // explicit default
        {"\0\0\0\3\0\0\0\0\xf8\x7f\x01", 11},             // unknown field
        {"\0\0\0\4\0\0\0\0\x52\x02\x1a\x05", 12},         // cut string
        {"\0\0\0\6\0\0\0\0\x52\x04\x1a\x02\xff\xfe", 14}, // not UTF-8
    };
    struct raw_gate *gate = *state;
    for (size_t i = 0; i < SG_COUNT_OF(frames); i++) {
        void *peer = raw_member_dealer(gate, 0);
        assert_true(zmq_send(peer, frames[i].bytes, frames[i].len, 0) >= 0);
        const Sgpb__Envelope *answer = raw_receive(gate, peer, 500);
        assert_true(answer == NULL ||
                    answer->body_case == SGPB__ENVELOPE__BODY_REFUSED);
        zmq_close(peer);
    }
    two_serves(gate, 5000);
}

static void
a_nesting_bomb_is_refused(void **state)
{
    struct raw_gate *gate = *state;
    static uint8_t frame[SG_LIMIT_HEADER + 8];
    struct sg_writer w = sg_writer_on(frame, sizeof frame);
    sg_bytes_put_u32(&w, 60000);
    sg_bytes_put_u32(&w, 0);
    while (w.len < 60008)
        sg_bytes_put(&w, "\x52\x7f", 2);
    void *peer = raw_member_dealer(gate, 0);
    assert_true(zmq_send(peer, frame, 60008, 0) >= 0);
    const Sgpb__Envelope *answer = raw_receive(gate, peer, 2000);
    assert_true(answer == NULL ||
                answer->body_case == SGPB__ENVELOPE__BODY_REFUSED);
    zmq_close(peer);
    two_serves(gate, 5000);
}

static void
an_oversize_frame_is_cut_off(void **state)
{
    struct raw_gate *gate = *state;
    static uint8_t frame[2 * SG_LIMIT_ZMQ_MESSAGE];
    void *peer = raw_member_dealer(gate, 0);
    assert_true(zmq_send(peer, frame, sizeof frame, 0) >= 0);
    assert_null(raw_receive(gate, peer, 1000));
    zmq_close(peer);
    two_serves(gate, 5000);
}

static void
three_frames_are_refused(void **state)
{
    struct raw_gate *gate = *state;
    void *peer = raw_member_dealer(gate, 0);
    for (int i = 0; i < 200; i++)
        assert_true(zmq_send(peer, "frame", 5, ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(peer, "end", 3, 0) >= 0);
    const Sgpb__Envelope *answer = raw_receive(gate, peer, 2000);
    assert_true(answer == NULL ||
                answer->body_case == SGPB__ENVELOPE__BODY_REFUSED);
    zmq_close(peer);
    two_serves(gate, 5000);
}

// What a key may do stands in the roster, not in what it asks.
static void
a_role_that_is_not_given_is_refused(void **state)
{
    struct raw_gate *gate = *state;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyApprove approve = SGPB__POLICY_APPROVE__INIT;
    void *peer = raw_member_dealer(gate, 1);
    assert_true(raw_hello(gate, peer, 5000));
    envelope.proto = 1;
    envelope.request = 2;
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_APPROVE;
    envelope.policy_approve = &approve;
    raw_send(gate, peer, &envelope, (struct sg_slice){NULL, 0});
    const Sgpb__Envelope *answer = raw_receive(gate, peer, 5000);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(answer->refused->code, "peer.rights");
    assert_string_equal(answer->refused->sentence,
                        "the role of this key does not allow that: "
                        "policy_admin is needed, it has subscriber");
    zmq_close(peer);
}

static void
the_gate_stops_cleanly_and_comes_back(void **state)
{
    struct raw_gate *gate = *state;
    assert_int_equal(raw_gate_end(gate, false), 0);
    raw_gate_start(gate);
    two_serves(gate, 5000);
    (void)raw_gate_end(gate, true); // kill -9
    raw_gate_start(gate);
    two_serves(gate, 5000);
}

// The last entries become zeros, as an insider or a lying disk would have it:
// the checkpoint knows better (S25).
static void
a_log_cut_behind_its_checkpoint_is_damage(void **state)
{
    struct raw_gate *gate = *state;
    static uint8_t zeros[200];
    char path[SG_OS_PATH];
    const char *argv[] = {gate->program, gate->dir, NULL};
    uint8_t *bytes;
    size_t len;
    int status;

    (void)raw_gate_end(gate, true);
    assert_true(
        sg_os_file_path(path, "%s/store/evidence/%016x.log", gate->dir, 0));
    assert_int_equal(sg_os_file_read(path, SG_LIMIT_SEGMENT, &bytes, &len),
                     SG_OK);
    while (len > 0 && bytes[len - 1] == 0)
        len--;
    free(bytes);
    assert_true(len > sizeof zeros);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(len - sizeof zeros), SEEK_SET), 0);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    assert_int_equal(fclose(file), 0);
    gate->pid = raw_spawn(argv);
    assert_true(sg_os_process_wait(gate->pid, 10000, &status));
    assert_int_not_equal(status, 0);
    gate->pid = 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_participant_is_welcomed),
        cmocka_unit_test(an_unknown_key_gets_no_answer),
        cmocka_unit_test(a_peer_without_curve_gets_no_answer),
        cmocka_unit_test(a_peer_that_expects_another_gate_gets_no_answer),
        cmocka_unit_test(malformed_frames_harm_nobody),
        cmocka_unit_test(a_nesting_bomb_is_refused),
        cmocka_unit_test(an_oversize_frame_is_cut_off),
        cmocka_unit_test(three_frames_are_refused),
        cmocka_unit_test(a_role_that_is_not_given_is_refused),
        cmocka_unit_test(the_gate_stops_cleanly_and_comes_back),
        cmocka_unit_test(a_log_cut_behind_its_checkpoint_is_damage),
    };
    return cmocka_run_group_tests(tests, two_setup, two_teardown);
}
