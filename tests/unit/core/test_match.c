// Releases of the past and subscriptions that begin there: a flow whose releases
// have left memory all but the newest, in an index that counts who looks.
#include "tests/unit/core/match_fixture.h"

// ---- what has left memory --------------------------------------------------------

static void
old_releases_are_looked_up_in_slices(void **state)
{
    enum { RELEASES = 600 };
    struct fixture *f = begin(4096, 4096, RELEASES, 0);
    unsigned count = 0;

    (void)state;
    f->looked = 0;
    subscribe(f, 1, "A", 0);
    assert_int_equal(f->looked, 0); // the entry alone brings nothing back
    assert_int_equal(sg_pool_count(f->core->state->releases), 1);
    while (sg_core_due(f->core) == 0) {
        turn(f);
        assert_in_range(f->looked, 0, SG_LIMIT_MATCH_TURN);
        assert_in_range(++count, 1, TURNS_MAX);
    }
    assert_true(count > RELEASES * 20 / SG_LIMIT_MATCH_TURN);
    assert_int_equal(sg_pool_count(f->core->state->releases), RELEASES);
    assert_decided(f, "A", 1, 1, RELEASES, 0);
    end(f);
}

static void
assert_replayed(struct fixture *f)
{
    uint8_t live[32], again[32];

    sg_snapshot_hash(f->core, live);
    struct sg_core *core = new_core(f, 0);
    for (size_t i = 0; i < f->count; i++)
        assert_int_equal(sg_core_apply(core, &f->log[i]), SG_OK);
    sg_snapshot_hash(core, again);
    assert_memory_equal(live, again, 32);
    sg_core_free(&core);
}

static void
the_log_alone_gives_the_same_state(void **state)
{
    enum { RELEASES = 200 };
    struct fixture *f = begin(4096, 150, RELEASES, 0);

    (void)state;
    subscribe(f, 1, "A", seq_of(1, 50));
    uint32_t b = subscribe(f, 1, "B", seq_of(1, 150));
    turns(f);
    for (int i = 0; i < 20; i++) {
        expire_first(f, b);
        turns(f);
    }
    assert_replayed(f);
    end(f);
}

static void
a_start_between_two_releases_takes_the_later_one(void **state)
{
    static const struct {
        uint64_t start, first;
    } rows[] = {{0, 1},      {10001, 1}, {10002, 2}, {10040, 40}, // the newest
                {10041, 41}, // none of them
                {99999, 41}};

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct fixture *f = begin(4096, 4096, 40, 0);
        subscribe(f, 1, "A", rows[i].start);
        turns(f);
        assert_decided(f, "A", 1, rows[i].first, 40, 0);
        end(f);
    }
}

static void
a_recalled_release_is_passed_over(void **state)
{
    struct fixture *f = begin_recalled(4096, 4096, 40, 0, 7);

    (void)state;
    subscribe(f, 1, "A", 0);
    turns(f);
    assert_decided(f, "A", 1, 1, 40, 7);
    end(f);
}

static void
a_release_that_is_nowhere_stops_the_gate(void **state)
{
    struct fixture *f = begin(4096, 4096, 40, 0);
    uint32_t a;

    (void)state;
    f->rows[1][30] = (struct sg_row){0};
    a = subscribe(f, 1, "A", 0);
    for (int i = 0; i < 40; i++)
        turn(f);
    assert_int_equal(sg_cold_failed(f->core->state), SG_ERR_CORRUPT);
    assert_in_range(reached(f, a), 0, 29); // and nothing is left out
    end(f);
}

// ---- who waits -------------------------------------------------------------------

static void
who_has_far_to_go_keeps_nobody_waiting(void **state)
{
    enum { RELEASES = 1000 };
    struct fixture *f = begin(4096, 4096, RELEASES, 5);

    (void)state;
    uint32_t far = subscribe(f, 1, "FAR", 0);
    turn(f);
    uint32_t near = subscribe(f, 1, "NEAR", seq_of(1, RELEASES));
    uint32_t other = subscribe(f, 2, "OTHER", 0);
    for (int i = 0; i < 3; i++)
        turn(f);
    assert_int_equal(reached(f, near), RELEASES);
    assert_int_equal(reached(f, other), 5);
    assert_in_range(reached(f, far), 1, RELEASES - 1);
    turns(f);
    assert_decided(f, "FAR", 1, 1, RELEASES, 0);
    assert_decided(f, "NEAR", 1, RELEASES, RELEASES, 0);
    end(f);
}

// One entry says it of all of them, up to what an entry holds.
static void
who_stands_together_is_decided_for_together(void **state)
{
    struct fixture *f = begin(64, 4096, 3, 0);
    char id[16];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "S%d", i);
        subscribe(f, 1, id, 0);
    }
    size_t before = f->count;
    turns(f);
    assert_int_equal(f->count - before, 3);
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "S%d", i);
        assert_decided(f, id, 1, 1, 3, 0);
    }
    end(f);
}

// ---- room ------------------------------------------------------------------------

static void
without_room_for_deliveries_a_subscription_stays_where_it_is(void **state)
{
    enum { CAP = 6, RELEASES = 40 };
    struct fixture *f = begin(4096, CAP, RELEASES, 3);

    (void)state;
    uint32_t a = subscribe(f, 1, "A", 0);
    turns(f);
    uint32_t b = subscribe(f, 1, "B", seq_of(1, RELEASES - 1));
    uint32_t c = subscribe(f, 2, "C", 0);
    turns(f); // ends: nothing is tried again and again
    assert_int_equal(sg_pool_count(f->core->state->deliveries), CAP);
    assert_int_equal(reached(f, a), CAP);
    assert_int_equal(reached(f, b), 0);
    const uint32_t all[] = {a, b, c};
    for (int i = 0; reached(f, a) < RELEASES; i++) {
        expire_first(f, all[i % 3]);
        something_else(f);
        assert_in_range(turns(f), 0, CAP);
        assert_in_range(sg_pool_count(f->core->state->deliveries), 1, CAP);
        assert_true(i < 3 * CAP || reached(f, c) > 0); // each in its turn
        assert_in_range(i, 0, TURNS_MAX);
    }
    assert_decided(f, "A", 1, 1, RELEASES, 0);
    assert_decided(f, "B", 1, RELEASES - 1, RELEASES, 0);
    assert_decided(f, "C", 2, 1, 3, 0);
    end(f);
}

// Nothing else is written here, so that nothing would ever leave memory. One
// whose key is on its way stays: the key may come back.
static void
what_is_over_makes_room_where_it_is_needed(void **state)
{
    enum { CAP = 6, RELEASES = 40 };
    struct fixture *f = begin(4096, CAP, RELEASES, 0);
    const struct sg_pool *all = f->core->state->deliveries;

    (void)state;
    f->options.settle_after = f->core->state->settle_after = LOG_MAX;
    uint32_t a = subscribe(f, 1, "A", 0);
    turns(f);
    assert_int_equal(reached(f, a), CAP);
    struct sg_slice first = sg_slice_of(first_of(f, a)->id, 16);
    assert_int_equal(sg_table_put(f->core->in_flight, first, 1), SG_OK);
    expire_first(f, a);
    assert_int_equal(turns(f), 0);
    sg_table_remove(f->core->in_flight, first);
    for (uint64_t at = CAP + 1; at <= RELEASES; at++) {
        turns(f);
        assert_int_equal(reached(f, a), at);
        assert_int_equal(sg_pool_count(all), CAP);
        expire_first(f, a);
    }
    assert_decided(f, "A", 1, 1, RELEASES, 0);
    assert_replayed(f);
    end(f);
}

static void
old_releases_come_back_while_new_ones_keep_their_room(void **state)
{
    enum { CAP = 20, RETURNED = CAP * SG_LIMIT_RETURNED_PCT / 100 };
    enum { RELEASES = 60 };
    struct fixture *f = begin(CAP, 4096, RELEASES, 0);

    (void)state;
    uint32_t a = subscribe(f, 1, "A", 0);
    turns(f);
    assert_int_equal(sg_pool_count(f->core->state->releases), RETURNED);
    assert_int_equal(reached(f, a), RETURNED - 1); // the newest is there too
    uint32_t b = subscribe(f, 1, "B", seq_of(1, RELEASES));
    turns(f);
    assert_int_equal(reached(f, b), RELEASES); // needs no room
    while (reached(f, a) < RELEASES) {
        expire_first(f, a);
        turns(f);
        assert_in_range(sg_pool_count(f->core->state->releases), 1, RETURNED);
    }
    assert_decided(f, "A", 1, 1, RELEASES, 0);
    end(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_releases_are_looked_up_in_slices),
        cmocka_unit_test(the_log_alone_gives_the_same_state),
        cmocka_unit_test(a_start_between_two_releases_takes_the_later_one),
        cmocka_unit_test(a_recalled_release_is_passed_over),
        cmocka_unit_test(a_release_that_is_nowhere_stops_the_gate),
        cmocka_unit_test(who_has_far_to_go_keeps_nobody_waiting),
        cmocka_unit_test(who_stands_together_is_decided_for_together),
        cmocka_unit_test(
            without_room_for_deliveries_a_subscription_stays_where_it_is),
        cmocka_unit_test(what_is_over_makes_room_where_it_is_needed),
        cmocka_unit_test(old_releases_come_back_while_new_ones_keep_their_room),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
