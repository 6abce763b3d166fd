#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/crypto.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/text.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/entry.h"

struct fixture {
    struct sg_arena *arena;
    char text[4096];
};

static int
setup(void **state)
{
    static struct fixture fixture;
    fixture.arena = sg_arena_new(1 << 20, 0);
    *state = &fixture;
    return fixture.arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    sg_arena_free(&f->arena);
    return 0;
}

static const char *
in_words(struct fixture *f, unsigned type, const ProtobufCMessage *message)
{
    struct sg_slice body;
    struct sg_writer w = sg_writer_on(f->text, sizeof(f->text) - 1);
    assert_int_equal(sg_codec_pack(message, f->arena, &body), SG_OK);
    assert_int_equal(sg_text_body(type, body, f->arena, &w), SG_OK);
    assert_false(w.full);
    f->text[w.len] = '\0';
    return f->text;
}

static void
a_body_is_shown_field_by_field_without_defaults(void **state)
{
    static uint8_t id[16] = {0xab}, long_bytes[100];
    char *verb = (char *)(uintptr_t) "policy.approve";
    Sgpb__AdminAct act = SGPB__ADMIN_ACT__INIT;
    act.verb = verb;
    assert_string_equal(in_words(*state, 65, &act.base),
                        "verb: \"policy.approve\" ");
    Sgpb__KeyReleased released = SGPB__KEY_RELEASED__INIT;
    ProtobufCBinaryData ids[2] = {{16, id}, {100, long_bytes}};
    released.deliveries = ids;
    released.n_deliveries = 2;
    released.object = 7;
    assert_string_equal(in_words(*state, 35, &released.base),
                        "deliveries: ab000000000000000000000000000000 "
                        "deliveries: (100 bytes) object: 7 ");
    Sgpb__RecallEntry recall = SGPB__RECALL_ENTRY__INIT;
    Sgpb__Signed order = SGPB__SIGNED__INIT;
    order.body = ids[0];
    recall.kind = 2;
    recall.order = &order;
    assert_string_equal(
        in_words(*state, 18, &recall.base),
        "kind: 2 order: { body: ab000000000000000000000000000000 } ");
}

static void
nothing_in_a_body_steers_a_terminal(void **state)
{
    char verb[] = "a\x1b[2J\"\\\n\xc3\xa9";
    Sgpb__AdminAct act = SGPB__ADMIN_ACT__INIT;
    act.verb = verb;
    assert_string_equal(in_words(*state, 65, &act.base),
                        "verb: \"a\\x1b[2J\\x22\\x5c\\x0a\\xc3\\xa9\" ");
}

static void
a_body_that_is_not_of_its_type_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sg_writer w = sg_writer_on(f->text, sizeof(f->text));
    assert_int_equal(sg_text_body(65, SG_SLICE("\xff\xff"), f->arena, &w),
                     SG_ERR_FORMAT);
    assert_int_equal(sg_text_body(999, SG_SLICE(""), f->arena, &w),
                     SG_ERR_UNSUPPORTED);
}

static void
what_was_signed_is_shown_in_words_too(void **state)
{
    struct fixture *f = *state;
    static uint8_t id[16] = {0xcd};
    Sgpb__Statement statement = SGPB__STATEMENT__INIT;
    Sgpb__Fate fate = SGPB__FATE__INIT, *fates = &fate;
    Sgpb__StatementEntry entry = SGPB__STATEMENT_ENTRY__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    struct sg_slice body;
    fate.delivery_id = (ProtobufCBinaryData){sizeof(id), id};
    fate.fate = 4;
    fate.entry = 49;
    statement.fates = &fates;
    statement.n_fates = 1;
    assert_int_equal(sg_codec_pack(&statement.base, f->arena, &body), SG_OK);
    document.body = sg_codec_bytes(body.ptr, body.len);
    entry.statement = &document;
    const char *text = in_words(f, 50, &entry.base);
    assert_non_null(strstr(text, "says: { fates: { delivery_id: cd0000"));
    assert_non_null(strstr(text, "fate: 4 (ciphertext only) entry: 49 "));
    // What cannot be read is only left out.
    document.body = (ProtobufCBinaryData){sizeof(id), id};
    assert_null(strstr(in_words(f, 50, &entry.base), "says"));
    entry.statement = NULL;
    assert_string_equal(in_words(f, 50, &entry.base), "");
}

static void
verdicts_are_always_said_and_times_are_times(void **state)
{
    Sgpb__Decision decision = SGPB__DECISION__INIT;
    Sgpb__DeliveryVerdict one = SGPB__DELIVERY_VERDICT__INIT, *ones = &one;
    Sgpb__PartVerdict parts[2] = {SGPB__PART_VERDICT__INIT,
                                  SGPB__PART_VERDICT__INIT};
    Sgpb__PartVerdict *each[2] = {&parts[0], &parts[1]};
    uint64_t rules[] = {1, 2ull << 32};
    parts[0].rules = rules;
    parts[0].n_rules = 2;
    parts[1].verdict = 1;
    parts[1].hold_until = 1795507200000000;
    one.parts = each;
    one.n_parts = 2;
    decision.release = 7;
    decision.stage = 3;
    decision.deliveries = &ones;
    decision.n_deliveries = 1;
    assert_string_equal(
        in_words(*state, 33, &decision.base),
        "release: 7 deliveries: { verdict: 0 (deny) parts: { verdict: 0 "
        "(deny) rules: 1 (file 1, rule 2) rules: 8589934592 (file 3, rule 1) } "
        "parts: { verdict: 1 (hold) hold_until: "
        "2026-11-24T08:00:00.000000Z } } stage: 3 (before the key) ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            verdicts_are_always_said_and_times_are_times, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_body_is_shown_field_by_field_without_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_in_a_body_steers_a_terminal,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_body_that_is_not_of_its_type_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_signed_is_shown_in_words_too,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
