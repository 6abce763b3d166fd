#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/bytes.h"
#include "broker/core/session.h"
#include "broker/core/volatile.h"

enum { PEERS = 300, SECOND = 1000000 };

// Only what credit looks at.
struct fixture {
    struct sg_core core;
    struct sg_turn turn;
    bool one_key; // all sessions are of one key
};

static int
setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    f.core.sessions = sg_pool_new(PEERS, sizeof(struct sg_session));
    f.turn.core = &f.core;
    f.turn.now = 1000 * (uint64_t)SECOND;
    *state = &f;
    return f.core.sessions == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    sg_pool_free(&f->core.sessions);
    return 0;
}

// Somebody speaks who was greeted; what the answer grants.
static uint64_t
speaks(struct fixture *f, uint32_t *index)
{
    Sgpb__Envelope answer = SGPB__ENVELOPE__INIT;

    bool fresh = *index == 0;

    if (fresh)
        *index = sg_pool_take(f->core.sessions);
    f->turn.session = sg_pool_at(f->core.sessions, *index);
    if (fresh && !f->one_key)
        sg_bytes_store_u32(f->turn.session->curve_key, *index);
    f->turn.session->greeted = true;
    f->turn.session->seen = f->turn.now;
    sg_session_grant(&f->turn, &answer);
    return answer.grant_bytes;
}

static void
who_pays_has_more_credit_than_who_only_said_hello(void **state)
{
    struct fixture *f = *state;
    uint32_t index = 0;

    assert_int_equal(speaks(f, &index), SG_LIMIT_CHUNK);
    assert_int_equal(speaks(f, &index), 0); // it has not used it yet
    f->turn.session->pays = true;
    assert_int_equal(speaks(f, &index), 3 * SG_LIMIT_CHUNK);
    assert_int_equal(f->core.credit_used, 4 * SG_LIMIT_CHUNK);
}

static void
connections_that_are_gone_do_not_keep_the_pool(void **state)
{
    struct fixture *f = *state;
    uint32_t index[PEERS] = {0};
    size_t most = SG_LIMIT_CREDIT_POOL / SG_LIMIT_CHUNK;

    assert_true(most + 2 < PEERS);
    for (size_t i = 0; i < most; i++)
        assert_int_equal(speaks(f, &index[i]), SG_LIMIT_CHUNK);
    assert_int_equal(speaks(f, &index[most]), 0);
    // All but the first stay silent for a while.
    f->turn.now += 6 * SECOND;
    (void)speaks(f, &index[0]);
    assert_int_equal(speaks(f, &index[most]), 0);
    f->turn.now += 5 * SECOND;
    assert_int_equal(speaks(f, &index[most]), SG_LIMIT_CHUNK);
    const struct sg_session *first = sg_pool_at(f->core.sessions, index[0]);
    const struct sg_session *silent = sg_pool_at(f->core.sessions, index[1]);
    assert_int_equal(first->granted, SG_LIMIT_CHUNK);
    assert_true(first->greeted);
    assert_int_equal(silent->granted, 0);
    assert_false(silent->greeted);
    assert_int_equal(f->core.credit_used, 2 * SG_LIMIT_CHUNK);
}

// A command line that is started again and again leaves connections behind.
static void
programs_of_one_key_that_ended_give_the_pool_back_soon(void **state)
{
    struct fixture *f = *state;
    uint32_t index[PEERS] = {0}, other = 0;
    size_t most = SG_LIMIT_CREDIT_POOL / SG_LIMIT_CHUNK;

    f->one_key = true;
    for (size_t i = 0; i < most; i++)
        assert_int_equal(speaks(f, &index[i]), SG_LIMIT_CHUNK);
    assert_int_equal(speaks(f, &index[most]), 0);
    f->turn.now += SECOND;
    f->one_key = false;
    assert_int_equal(speaks(f, &other), 0); // not for somebody else
    f->turn.now += SECOND;
    assert_int_equal(speaks(f, &index[most]), SG_LIMIT_CHUNK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_pays_has_more_credit_than_who_only_said_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(
            connections_that_are_gone_do_not_keep_the_pool, setup, teardown),
        cmocka_unit_test_setup_teardown(
            programs_of_one_key_that_ended_give_the_pool_back_soon, setup,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
