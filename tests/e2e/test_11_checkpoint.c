// A gate whose store came back from yesterday, against peers that remember.
#include "tests/e2e/two.h"

// Says hello with a note; the answer, or NULL.
static const Sgpb__Envelope *
say_hello(struct raw_gate *gate, size_t member, struct sg_slice note)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello hello = SGPB__HELLO__INIT;
    void *peer = raw_member_dealer(gate, member);

    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &hello;
    hello.proto_min = hello.proto_max = 1;
    hello.software = (char *)(uintptr_t) "raw";
    hello.checkpoint = sg_codec_bytes(note.ptr, note.len);
    raw_send(gate, peer, &envelope, (struct sg_slice){NULL, 0});
    const Sgpb__Envelope *answer = raw_receive(gate, peer, 5000);
    zmq_close(peer);
    return answer;
}

static struct sg_slice
take_note(struct raw_gate *gate, struct sg_slice shown)
{
    const Sgpb__Envelope *answer = say_hello(gate, 0, shown);

    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_WELCOME);
    return sg_codec_slice(answer->welcome->checkpoint);
}

static void
copy_store(struct raw_gate *gate)
{
    char from[SG_OS_PATH], to[SG_OS_PATH];
    const char *argv[] = {"/bin/cp", "-a", from, to, NULL};
    int pid, status;

    assert_true(sg_os_file_path(from, "%s/store", gate->dir));
    assert_true(sg_os_file_path(to, "%s/yesterday", gate->dir));
    assert_int_equal(sg_os_process_spawn(argv, NULL, &pid), SG_OK);
    assert_true(sg_os_process_wait(pid, 20000, &status));
    assert_int_equal(status, 0);
}

static void
restore_store(struct raw_gate *gate)
{
    char store[SG_OS_PATH], yesterday[SG_OS_PATH];

    assert_true(sg_os_file_path(store, "%s/store", gate->dir));
    assert_true(sg_os_file_path(yesterday, "%s/yesterday", gate->dir));
    assert_int_equal(sg_os_file_remove_tree(store), SG_OK);
    assert_int_equal(sg_os_file_rename(yesterday, store), SG_OK);
}

static void
a_note_of_today_is_welcomed_again(void **state)
{
    struct raw_gate *gate = *state;
    struct sg_slice older = take_note(gate, (struct sg_slice){NULL, 0});

    assert_int_equal(raw_gate_end(gate, false), 0);
    raw_gate_start(gate);
    struct sg_slice newer = take_note(gate, older);
    assert_int_not_equal(sg_slice_eq(older, newer), true);
    take_note(gate, newer);
}

// What anybody could write must not end a gate.
static void
a_note_that_the_gate_never_signed_harms_nobody(void **state)
{
    struct raw_gate *gate = *state;
    struct sg_slice note = take_note(gate, (struct sg_slice){NULL, 0});
    uint8_t *forged = sg_arena_take(gate->arena, note.len);

    for (size_t i = 0; i < note.len; i += 7) {
        memcpy(forged, note.ptr, note.len);
        forged[i] ^= 1;
        const Sgpb__Envelope *answer =
            say_hello(gate, 1, sg_slice_of(forged, note.len));
        assert_non_null(answer);
        assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
        assert_string_equal(answer->refused->code, "peer.malformed");
    }
    take_note(gate, note);
}

// runs: how often the gate was started after the copy. The restored one is
// started once: with one run both logs have the same length and differ.
static void
is_refused(struct raw_gate *gate, int runs, const char *code)
{
    struct sg_slice note = {NULL, 0};
    int status = 0;

    assert_int_equal(raw_gate_end(gate, false), 0);
    copy_store(gate);
    for (int i = 0; i < runs; i++) {
        raw_gate_start(gate);
        note = take_note(gate, note);
        assert_int_equal(raw_gate_end(gate, false), 0);
    }
    restore_store(gate);
    raw_gate_start(gate);
    const Sgpb__Envelope *answer = say_hello(gate, 0, note);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(answer->refused->code, code);
    assert_true(sg_os_process_wait(gate->pid, 10000, &status));
    gate->pid = 0;
    assert_int_not_equal(status, 0);
    raw_gate_start(gate); // the log is whole in itself; for the next test
}

static void
a_log_of_yesterday_ends_the_gate(void **state)
{
    is_refused(*state, 2, "gate.damage");
}

static void
another_history_of_the_same_length_ends_the_gate(void **state)
{
    is_refused(*state, 1, "gate.fork");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_of_today_is_welcomed_again),
        cmocka_unit_test(a_note_that_the_gate_never_signed_harms_nobody),
        cmocka_unit_test(a_log_of_yesterday_ends_the_gate),
        cmocka_unit_test(another_history_of_the_same_length_ends_the_gate),
    };
    return cmocka_run_group_tests(tests, two_setup, two_teardown);
}
