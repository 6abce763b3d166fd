// Structures are stored by their hash: nobody can put other bytes under it, nor
// stand in the way of another who has the right ones.
#include "tests/e2e/world.h"

#include "adapters/client/object.h"

static int
setup(void **state)
{
    static struct world world;
    *state = &world; // first: what fails half way is closed too
    world_open(&world);
    return 0;
}

// "": the gate is ready for the bytes, or has them (*upload 0).
static const char *
put(struct world *world, struct statgate *from, const char *text,
    uint64_t *upload)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectPut body = SGPB__OBJECT_PUT__INIT;
    const Sgpb__Envelope *answer;
    uint8_t sha256[32];

    sg_crypto_sha256(text, strlen(text), sha256);
    body.kind = (char *)(uintptr_t) "structure";
    body.sha256 = sg_codec_bytes(sha256, 32);
    body.bytes = strlen(text);
    body.chunks = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_PUT;
    envelope.object_put = &body;
    *upload = 0;
    const char *code = world_ask(world, from, SG_WIRE_DATA, &envelope,
                                 (struct sg_slice){NULL, 0}, &answer);
    if (*code == '\0' && answer->body_case == SGPB__ENVELOPE__BODY_OBJECT_READY)
        *upload = answer->object_ready->upload;
    return code;
}

static const char *
chunk(struct world *world, struct statgate *from, uint64_t upload,
      const char *text)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Chunk body = SGPB__CHUNK__INIT;
    const Sgpb__Envelope *answer;

    body.upload = upload;
    envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
    envelope.chunk = &body;
    return world_ask(world, from, SG_WIRE_DATA, &envelope, sg_slice_text(text),
                     &answer);
}

// Sends it, and asks until the gate has it on its disk.
static void
store(struct world *world, struct statgate *from, uint64_t upload,
      const char *text)
{
    uint64_t left = upload;

    world_chunk(from, upload, 0, sg_slice_text(text));
    for (int i = 0; i < 500 && left != 0; i++) {
        assert_string_equal(put(world, from, text, &left), "");
        (void)zmq_poll(NULL, 0, left == 0 ? 0 : 20);
    }
    assert_int_equal(left, 0);
}

static bool
there(struct statgate *from, const char *text)
{
    struct statgate_result result;
    struct sg_slice bytes;
    uint8_t sha256[32];

    sg_crypto_sha256(text, strlen(text), sha256);
    sg_arena_reset(from->arena);
    return sg_object_fetch(from, SG_WIRE_DATA, "structure",
                           sg_slice_of(sha256, 32), &bytes, &result) == 0 &&
           sg_slice_eq(bytes, sg_slice_text(text));
}

static void
other_bytes_are_refused_and_the_right_ones_come_in(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate *rwanda = world_connect(world, "rwanda");
    uint64_t bad, good;

    assert_string_equal(put(world, rwanda, "the right", &bad), "");
    assert_string_equal(put(world, kenya, "the right", &good), "");
    assert_true(bad != 0 && good != 0 && bad != good);
    assert_string_equal(chunk(world, rwanda, bad, "the wrong"),
                        "publisher.content_mismatch");
    assert_false(there(kenya, "the right"));
    store(world, kenya, good, "the right");
    assert_true(there(kenya, "the right"));
    // The wrong one's key went, not this one's; also over a restart.
    assert_string_equal(put(world, rwanda, "the right", &bad), "");
    assert_int_equal(bad, 0);
    statgate_close(&kenya);
    statgate_close(&rwanda);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    world_start(world);
    kenya = world_connect(world, "kenya");
    assert_true(there(kenya, "the right"));
    statgate_close(&kenya);
}

static void
two_who_send_the_same_are_both_answered(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate *rwanda = world_connect(world, "rwanda");
    uint64_t one, two;

    assert_string_equal(put(world, kenya, "the same", &one), "");
    assert_string_equal(put(world, rwanda, "the same", &two), "");
    store(world, kenya, one, "the same");
    store(world, rwanda, two, "the same");
    assert_true(there(kenya, "the same"));
    assert_int_equal(world_log(world, " structure ", ""), 2);
    statgate_close(&kenya);
    statgate_close(&rwanda);
    world_serves(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_bytes_are_refused_and_the_right_ones_come_in),
        cmocka_unit_test(two_who_send_the_same_are_both_answered),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
