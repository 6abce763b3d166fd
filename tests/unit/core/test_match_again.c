// What is decided again when something changed, and what sending finds due.
#include "tests/unit/core/match_fixture.h"

// ---- decided again -----------------------------------------------------------------

enum { MANY = 600, EACH = 3 };

static struct fixture *
begin_many(void)
{
    struct fixture *f = begin(64, 4096, EACH, 0);
    char id[16];

    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "S%d", i);
        subscribe(f, 1, id, 0);
    }
    turns(f);
    f->count = 0;
    return f;
}

// All are as they were before what made them wait.
static void
permit_all(struct fixture *f)
{
    struct sg_pool *all = f->core->state->deliveries;

    for (uint32_t i = sg_pool_next(all, 0); i != 0; i = sg_pool_next(all, i))
        ((struct sg_delivery *)sg_pool_at(all, i))->state = SG_DELIVERY_QUEUED;
    sg_policy_due_flow(f->core, 1, SG_DUE_DECIDE);
}

static size_t
in_state(const struct fixture *f, uint8_t wanted)
{
    const struct sg_pool *all = f->core->state->deliveries;
    size_t count = 0;

    for (uint32_t i = sg_pool_next(all, 0); i != 0; i = sg_pool_next(all, i))
        count +=
            ((const struct sg_delivery *)sg_pool_at(all, i))->state == wanted;
    return count;
}

// Verdicts of the entries from number `from`; *entries: how many those are.
static size_t
verdicts(struct fixture *f, size_t from, size_t *entries)
{
    struct sg_arena *arena = sg_arena_new(ARENA, 65536);
    size_t count = 0;

    *entries = f->count - from;
    for (size_t i = from; i < f->count; i++) {
        assert_int_equal(f->log[i].type, SG_ENTRY_DECISION);
        sg_arena_reset(arena);
        const Sgpb__Decision *body =
            sg_pack_open(arena, &sgpb__decision__descriptor, f->log[i].body);
        assert_int_equal(body->stage, 2);
        count += body->n_deliveries;
    }
    sg_arena_free(&arena);
    return count;
}

// What a release needs more than one entry for is some; more there are none.
static void
what_waits_is_decided_again_in_slices(void **state)
{
    struct fixture *f = begin_many();
    size_t all = 0, entries, slices = 0;

    (void)state;
    permit_all(f);
    while (sg_core_due(f->core) == 0) {
        size_t before = f->count;
        turn(f);
        size_t count = verdicts(f, before, &entries);
        assert_in_range(count, 0, SG_LIMIT_MATCH_TURN);
        assert_in_range(entries, 0, EACH + count / SG_MATCH_ADDED_MAX);
        all += count;
        slices += count > 0;
    }
    assert_int_equal(all, MANY * EACH);
    assert_int_equal(slices, (MANY * EACH - 1) / SG_LIMIT_MATCH_TURN + 1);
    assert_int_equal(in_state(f, SG_DELIVERY_HELD), MANY * EACH);
    end(f);
}

// Each slice is asked for anew, and the last of them gets its look all the same.
static void
who_asks_again_and_again_keeps_nobody_from_his_look(void **state)
{
    struct fixture *f = begin_many();
    int count = 0;

    (void)state;
    permit_all(f);
    for (; in_state(f, SG_DELIVERY_QUEUED) > 0; count++) {
        assert_in_range(count, 0, 3);
        sg_policy_due_flow(f->core, 1, SG_DUE_DECIDE);
        turn(f);
    }
    // What was asked for in the middle is done after the end.
    first_of(f, 1)->state = SG_DELIVERY_QUEUED;
    turns(f);
    assert_int_equal(in_state(f, SG_DELIVERY_HELD), MANY * EACH);
    end(f);
}

// ---- what is due once more ---------------------------------------------------------

// A session of the subscription's, that waits for what it is sent.
static void
attach(struct fixture *f, uint32_t subscription)
{
    uint32_t index = sg_pool_take(f->core->sessions);
    uint8_t key[8];

    assert_int_not_equal(index, 0);
    sg_bytes_store_u64(key, subscription);
    assert_int_equal(
        sg_table_put(f->core->attached, sg_slice_of(key, sizeof key), index),
        SG_OK);
}

// A rendition as a delivery wants it that goes whole and as published.
static void
make_rendition(struct fixture *f, const struct sg_delivery *delivery)
{
    static const char label[] = "statgate/rendition/v1";
    struct sg_state *state = f->core->state;
    Sgpb__Rendition wanted = SGPB__RENDITION__INIT;
    uint32_t index = sg_pool_take(state->renditions);
    struct sg_rendition *made = sg_pool_at(state->renditions, index);

    wanted.with_proof = true;
    struct sg_slice parts[] = {
        sg_slice_of(label, sizeof label),
        sg_state_hash(sg_state_release(state, delivery->release)->manifest),
        sg_pack_close(f->turn.arena, &wanted.base)};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), made->parameters);
    made->release = delivery->release;
    assert_int_equal(sg_table_put(state->rendition_of,
                                  sg_state_hash(made->parameters), index),
                     SG_OK);
}

// It was permitted, and is not when it is stated.
static void
what_sending_finds_is_decided_in_the_next_turn(void **state)
{
    struct fixture *f = begin(64, 64, 1, 0);
    uint32_t a = subscribe(f, 1, "A", 0);

    (void)state;
    turns(f);
    first_of(f, a)->state = SG_DELIVERY_QUEUED;
    make_rendition(f, first_of(f, a));
    attach(f, a);
    sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
    turn(f);
    assert_int_equal(first_of(f, a)->state, SG_DELIVERY_QUEUED);
    assert_int_equal(sg_core_due(f->core), 0);
    turn(f);
    assert_int_equal(first_of(f, a)->state, SG_DELIVERY_HELD);
    assert_int_not_equal(sg_core_due(f->core), 0);
    end(f);
}

// No turn comes for it alone, and what makes it readable brings one.
static void
what_cannot_be_read_yet_is_sent_when_the_log_has_it(void **state)
{
    struct fixture *f = begin(64, 64, 1, 0);
    uint32_t a = subscribe(f, 1, "A", 0);
    const struct sg_event durable = {.kind = SG_EVENT_DURABLE, .u.seq = 7};

    (void)state;
    turns(f);
    first_of(f, a)->state = SG_DELIVERY_STATED;
    attach(f, a);
    sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
    turn(f);
    assert_int_not_equal(sg_core_due(f->core), 0);
    sg_core_decide(f->core, &durable, 1, f->output);
    assert_int_equal(sg_core_due(f->core), 0);
    turn(f);
    assert_int_not_equal(sg_core_due(f->core), 0);
    end(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_sending_finds_is_decided_in_the_next_turn),
        cmocka_unit_test(what_cannot_be_read_yet_is_sent_when_the_log_has_it),
        cmocka_unit_test(what_waits_is_decided_again_in_slices),
        cmocka_unit_test(who_asks_again_and_again_keeps_nobody_from_his_look),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
