#include "tests/unit/client/fake_gate.h"

#undef fail // a name that receive.c has too
// On purpose: what is given out of what has come is nobody else's to see.
#include "adapters/client/receive.c"

static void
one_of_another_subscription_waits_until_that_is_asked_for(void **state)
{
    struct fake f;
    const struct sg_statement_expect expect = {
        .genesis = f.home.genesis, .roster = &f.home.roster, .gate = "GATE"};
    static struct statgate handle;
    static struct sg_receiving r;
    struct statgate_delivery out = {.stopped = 0};
    const char *why;

    (void)state;
    fake_open(&f, FAKE_NOTHING);
    r.handle = &handle;
    f.begin.subscription = fake_text(&f, "AGENCY/ALL");
    assert_int_equal(
        sg_deliver_begin(&f.home, &f.begin, &expect, &handle.delivery, &why),
        SG_OK);
    handle.delivery->state = SG_DELIVER_SHOWN; // its key came late
    (void)snprintf(r.kept.id, sizeof r.kept.id, "AGENCY/SOME");
    assert_false(fill(&r, &out));
    (void)snprintf(r.kept.id, sizeof r.kept.id, "AGENCY/ALL");
    assert_true(fill(&r, &out));
    assert_string_equal(out.subscription, "AGENCY/ALL");
    assert_memory_equal(out.delivery_id, f.id, 16);
    sg_deliver_free(&handle.delivery);
    fake_close(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            one_of_another_subscription_waits_until_that_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
