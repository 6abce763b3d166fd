// What becomes of an answer whose receipt cannot be made.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/effect.h"
#include "broker/core/pack.h"
#include "schemas/wire.pb-c.h"

static Sgpb__Envelope *
refused(struct sg_arena *arena, const Sgpb__Envelope *made)
{
    struct sg_slice envelope = sg_pack_close(arena, &made->base);

    assert_int_equal(sg_effect_refuse(arena, &envelope, SG_ERR_DAMAGE), SG_OK);
    Sgpb__Envelope *open =
        sg_pack_open(arena, &sgpb__envelope__descriptor, envelope);
    assert_non_null(open);
    assert_int_equal(open->request, 7);
    return open;
}

static void
a_receipt_that_cannot_be_made_becomes_a_refusal(void **state)
{
    struct sg_arena *arena = sg_arena_new(1024 * 1024, 4096);
    Sgpb__Envelope made = SGPB__ENVELOPE__INIT;
    Sgpb__Receipt receipt = SGPB__RECEIPT__INIT;
    Sgpb__Result result = SGPB__RESULT__INIT;
    Sgpb__StatementIs statement = SGPB__STATEMENT_IS__INIT;

    (void)state;
    made.proto = 1;
    made.request = 7;
    receipt.duplicate = true;
    made.body_case = SGPB__ENVELOPE__BODY_RECEIPT;
    made.receipt = &receipt;
    const Sgpb__Envelope *open = refused(arena, &made);
    assert_int_equal(open->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(open->refused->code, "gate.damage");

    result.receipt = &receipt;
    made.body_case = SGPB__ENVELOPE__BODY_RESULT;
    made.result = &result;
    open = refused(arena, &made);
    assert_int_equal(open->body_case, SGPB__ENVELOPE__BODY_RESULT);
    assert_null(open->result->receipt);
    assert_string_equal(open->result->refusal->code, "gate.damage");

    // A statement is signed by itself and goes without the proof.
    made.body_case = SGPB__ENVELOPE__BODY_STATEMENT;
    made.statement = &statement;
    open = refused(arena, &made);
    assert_int_equal(open->body_case, SGPB__ENVELOPE__BODY_STATEMENT);
    sg_arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_that_cannot_be_made_becomes_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
