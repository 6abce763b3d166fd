// A gate that asks for the same chunks of an upload again and again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/client/session.h"

static bool credit(struct statgate *handle, enum sg_wire_lane lane, size_t len,
                   uint64_t deadline, struct statgate_result *result);
static int take_chunk(struct statgate *handle, enum sg_wire_lane lane,
                      Sgpb__Envelope *envelope, struct sg_slice payload,
                      struct statgate_result *result);
static bool hear(struct statgate *handle, uint32_t ms);

#define sg_session_credit credit
#define sg_session_send   take_chunk
#define sg_session_hear   hear
// On purpose: how chunks are sent is nobody else's to see.
#include "adapters/client/publish_large.c" // NOLINT(bugprone-suspicious-include)

enum { CHUNKS = 4 };

static struct upload up;
static unsigned taken;
static bool again; // from the first one

static bool
credit(struct statgate *handle, enum sg_wire_lane lane, size_t len,
       uint64_t deadline, struct statgate_result *result)
{
    (void)handle, (void)lane, (void)len, (void)deadline, (void)result;
    return true;
}

static int
take_chunk(struct statgate *handle, enum sg_wire_lane lane,
           Sgpb__Envelope *envelope, struct sg_slice payload,
           struct statgate_result *result)
{
    (void)handle, (void)lane, (void)payload, (void)result;
    assert_int_equal(envelope->body_case, SGPB__ENVELOPE__BODY_CHUNK);
    taken++;
    return 0;
}

static bool
hear(struct statgate *handle, uint32_t ms)
{
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;

    (void)handle, (void)ms;
    refusal.code = (char *)(uintptr_t)sg_err_code(SG_ERR_CHUNK_ORDER);
    if (again && up.next == 2)
        refused(&up, &refusal);
    return false;
}

static void
only_a_further_chunk_makes_the_gate_worth_waiting_for(void **state)
{
    static uint8_t bytes[SG_LIMIT_CHUNK];
    static struct statgate handle = {.timeout_ms = 100};
    static struct statgate_result result;
    Sgpb__Manifest manifest = SGPB__MANIFEST__INIT;
    char path[] = "/tmp/statgate-large-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ftruncate(fd, CHUNKS * (off_t)SG_LIMIT_CHUNK), 0);
    handle.greeted[SG_WIRE_DATA] = true;
    manifest.size = CHUNKS * (uint64_t)SG_LIMIT_CHUNK;
    up = (struct upload){.handle = &handle,
                         .result = &result,
                         .manifest = &manifest,
                         .chunks = CHUNKS,
                         .token = 1};
    up.deadline = sg_session_deadline(handle.timeout_ms);
    assert_true(send_chunks(&up, fd, bytes));
    assert_int_equal(taken, CHUNKS);
    up.next = up.reached = 0;
    up.deadline = sg_session_deadline(handle.timeout_ms);
    again = true;
    assert_true(send_chunks(&up, fd, bytes)); // it ends
    assert_true(up.next < CHUNKS);
    assert_int_equal(up.reached, 2);
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_further_chunk_makes_the_gate_worth_waiting_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
