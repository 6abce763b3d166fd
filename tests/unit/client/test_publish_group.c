#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/os/calls.h"

// On purpose: how groups take the gate's words is nobody else's to see.
#include "adapters/client/publish_group.c" // NOLINT(bugprone-suspicious-include)

enum { FIRST = 7, SECOND = 8 };

static struct statgate handle;
static struct sg_publish_window window;
static struct statgate_release release = {.flow = "KE_SDG"};
static struct statgate_receipt receipt[2];
static struct statgate_result result[2];

// Two groups of one release each are on their way.
static int
two_on_their_way(void **state)
{
    (void)state;
    memset(&handle, 0, sizeof handle);
    memset(&window, 0, sizeof window);
    memset(result, 0, sizeof result);
    handle.greeted[SG_WIRE_DATA] = true;
    window.handle = &handle;
    window.count = 2;
    for (size_t i = 0; i < 2; i++) {
        struct group *group = &window.group[i];
        group->count = group->left = 1;
        group->request = FIRST + i;
        group->one[0] = (struct small){
            .release = &release, .receipt = &receipt[i], .result = &result[i]};
        group->one[0].made.sha256[0] = (uint8_t)(1 + i);
    }
    return 0;
}

static void
hear_refusal(uint64_t request, const char *component)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Place place = SGPB__PLACE__INIT;

    place.component = (char *)(uintptr_t)component;
    refusal.code = (char *)(uintptr_t)sg_err_code(SG_ERR_PEER_MALFORMED);
    refusal.place = &place;
    envelope.request = request;
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = &refusal;
    on_result(&window, &envelope, (struct sg_slice){NULL, 0});
}

// A result for the release of one group: refused with this code.
static void
hear_result(size_t group, enum sg_err err)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Result said = SGPB__RESULT__INIT;

    refusal.code = (char *)(uintptr_t)sg_err_code(err);
    said.manifest_sha256 =
        sg_codec_bytes(window.group[group].one[0].made.sha256, 32);
    said.refusal = &refusal;
    envelope.body_case = SGPB__ENVELOPE__BODY_RESULT;
    envelope.result = &said;
    on_result(&window, &envelope, (struct sg_slice){NULL, 0});
}

static void
a_gate_that_wants_a_hello_has_not_refused_the_group(void **state)
{
    (void)state;
    handle.greeted[SG_WIRE_DATA] = false;
    hear_refusal(FIRST, "hello");
    assert_false(window.group[0].whole);
    handle.greeted[SG_WIRE_DATA] = true;
    hear_refusal(FIRST, "lengths");
    assert_true(window.group[0].whole);
}

static void
a_refusal_of_one_message_leaves_the_others_alone(void **state)
{
    (void)state;
    hear_refusal(SECOND, "lengths");
    assert_false(window.group[0].whole);
    assert_true(window.group[1].whole);
    hear_refusal(SECOND + 1, "lengths");
    assert_false(window.group[0].whole);
}

static void
a_revision_out_of_turn_waits_for_those_before_it(void **state)
{
    (void)state;
    hear_result(1, SG_ERR_REVISION);
    assert_false(window.group[1].one[0].answered);
    assert_true(window.group[1].unsure);
    hear_result(1, SG_ERR_DATA); // any other word is the last
    assert_true(window.group[1].one[0].answered);
    assert_int_equal(window.group[1].left, 0);
}

static void
a_revision_refused_in_its_turn_is_refused(void **state)
{
    (void)state;
    hear_result(0, SG_ERR_REVISION);
    assert_true(window.group[0].one[0].answered);
    assert_string_equal(result[0].code, "publisher.revision");
    hear_result(0, SG_ERR_DATA); // said twice: the first holds
    assert_string_equal(result[0].code, "publisher.revision");
}

static void
what_was_said_before_keeps_nobody_waiting(void **state)
{
    (void)state;
    handle.timeout_ms = 60000;
    window.deadline = 1;
    hear_result(0, SG_ERR_DATA);
    assert_int_not_equal(window.deadline, 1);
    window.deadline = 1;
    hear_result(0, SG_ERR_DATA);
    assert_int_equal(window.deadline, 1);
    hear_refusal(SECOND, "lengths");
    assert_int_not_equal(window.deadline, 1);
    window.deadline = 1;
    hear_refusal(SECOND, "lengths");
    assert_int_equal(window.deadline, 1);
}

static void
the_last_accepted_of_a_flow_stands_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        window.group[i].one[0].answered = true;
    assert_true(has_later(&window, 2, 0, 0));
    assert_false(has_later(&window, 2, 1, 0));
    result[1].exit = 65; // the later one was refused
    assert_false(has_later(&window, 2, 0, 0));
}

static int
no_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static void
receipts_that_cannot_be_synced_fail_all_their_releases(void **state)
{
    static const struct sg_os_calls broken = {.fdatasync = no_sync,
                                              .fsync = no_sync};
    static const Sgpb__Publish publish = SGPB__PUBLISH__INIT;
    static const uint8_t bytes[] = "receipt";
    char path[SG_OS_PATH];
    uint8_t(*names)[32];
    size_t left;

    (void)state;
    (void)snprintf(handle.home.path, sizeof handle.home.path,
                   "/tmp/statgate-group-XXXXXX");
    assert_non_null(mkdtemp(handle.home.path));
    assert_true(sg_os_file_path(path, "%s/outbox", handle.home.path));
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    for (size_t i = 0; i < 2; i++) {
        struct group *group = &window.group[i];
        group->publish = &publish;
        group->arena = sg_arena_new(4096, 0);
        group->one[0].answered = true;
        group->left = 0;
        group->name[0] = (uint8_t)i;
        receipt[i].bytes = bytes;
        receipt[i].len = sizeof bytes;
        assert_int_equal(sg_outbox_put(&handle.home, group->name, "group",
                                       sg_slice_of(bytes, sizeof bytes)),
                         SG_OK);
    }
    sg_os_calls_replace(&broken);
    end_groups(&window, 2, &result[0]);
    sg_os_calls_replace(NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(result[i].code, sg_err_code(SG_ERR_IO));
        sg_arena_free(&window.group[i].arena);
    }
    assert_int_equal(sg_outbox_all(&handle.home, "group", &names, &left),
                     SG_OK);
    assert_int_equal(left, 2); // sent again, they get their receipts again
    free(names);
    assert_int_equal(sg_os_file_remove_tree(handle.home.path), SG_OK);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup(test, two_on_their_way)
    const struct CMUnitTest tests[] = {
        T(a_gate_that_wants_a_hello_has_not_refused_the_group),
        T(a_refusal_of_one_message_leaves_the_others_alone),
        T(a_revision_out_of_turn_waits_for_those_before_it),
        T(a_revision_refused_in_its_turn_is_refused),
        T(what_was_said_before_keeps_nobody_waiting),
        T(the_last_accepted_of_a_flow_stands_for_it),
        T(receipts_that_cannot_be_synced_fail_all_their_releases),
    };
#undef T
    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
