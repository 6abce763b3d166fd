// A flow with more subscribers than a turn has room for.
#define FIXTURE_SESSIONS 1024
#include "tests/unit/core/match_fixture.h"

#include "broker/core/deliver.h"
#include "broker/core/session.h"

enum { SUBSCRIBERS = 600, ROOM = 64 * 1024, MOST = 32 * 1024 };

static Sgpb__Accepted accepted;
static Sgpb__ObjectMade made;
static uint8_t large[2000]; // of a manifest, so that a few fill the room

static bool
statement(void *ctx, uint64_t seq, struct sg_arena *arena,
          struct sg_slice *body)
{
    Sgpb__DeliveryEntry entry = SGPB__DELIVERY_ENTRY__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;

    (void)ctx, (void)seq;
    entry.delivery = &document;
    entry.subscription = TEXT("S");
    *body = sg_pack_close(arena, &entry.base);
    return body->ptr != NULL;
}

static void
attach(struct fixture *f, uint32_t subscription)
{
    uint32_t index = sg_pool_take(f->core->sessions);
    struct sg_session *session = sg_pool_at(f->core->sessions, index);

    session->greeted = true;
    session->peer.len = 4;
    sg_bytes_store_u32(session->peer.bytes, index);
    assert_int_equal(sg_table_put(f->core->session_of,
                                  sg_slice_of(session->peer.bytes, 4), index),
                     SG_OK);
    session->subscriptions[session->subscriptions_count++] = subscription;
    f->turn.session = session;
    sg_session_attach(&f->turn, subscription);
    f->turn.session = NULL;
}

// A delivery whose statement is durable and whose ciphertext may travel.
static void
stated(struct fixture *f, uint32_t subscription, uint32_t rendition)
{
    struct sg_state *state = f->core->state;
    struct sg_subscription *to = sg_pool_at(state->subscriptions, subscription);
    uint32_t index = sg_pool_take(state->deliveries);
    struct sg_delivery *one = sg_pool_at(state->deliveries, index);

    *one =
        (struct sg_delivery){.state = SG_DELIVERY_STATED,
                             .release = sg_state_flow(state, 1)->head_release,
                             .subscription = subscription,
                             .rendition = rendition,
                             .statement = 7};
    sg_bytes_store_u32(one->id, index);
    if (to->first == 0)
        to->first = index;
    else
        ((struct sg_delivery *)sg_pool_at(state->deliveries, to->last))->next =
            index;
    to->last = index;
    to->matched = state->next_seq;
}

static uint32_t
rendition(struct fixture *f)
{
    uint32_t index = sg_pool_take(f->core->state->renditions);
    struct sg_rendition *one = sg_pool_at(f->core->state->renditions, index);

    made = (Sgpb__ObjectMade)SGPB__OBJECT_MADE__INIT;
    one->doc = &made;
    one->object.chunks = 1;
    one->object.bytes = one->object.chunk_size = 1000;
    return index;
}

static struct fixture *
crowd(void)
{
    struct fixture *f = begin(4096, 4096, 1, 0);
    Sgpb__SignedManifest *manifest = sg_arena_take(f->mem, sizeof *manifest);
    struct sg_release *head =
        sg_pool_at(f->core->state->releases,
                   sg_state_flow(f->core->state, 1)->head_release);
    char id[16];

    *manifest = (Sgpb__SignedManifest)SGPB__SIGNED_MANIFEST__INIT;
    manifest->manifest = sg_pack_bytes(large, sizeof large);
    accepted = (Sgpb__Accepted)SGPB__ACCEPTED__INIT;
    accepted.manifest = manifest;
    head->doc = &accepted;
    f->core->options.lookup.entry = statement;
    uint32_t shared = rendition(f);
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        (void)snprintf(id, sizeof id, "S%u", i);
        uint32_t index = subscribe(f, 1, id, f->core->state->next_seq + 1000);
        stated(f, index, shared);
        attach(f, index);
    }
    sg_output_free(&f->output);
    f->output = sg_output_new(ROOM);
    f->turn.output = f->output;
    f->turn.arena = f->output->arena;
    memset(f->core->flow_due, 0, FLOWS + 1);
    f->core->any_due = false;
    return f;
}

// How many deliveries begin in this turn, which stays within its room.
static unsigned
begun(struct fixture *f)
{
    unsigned count = 0;

    sg_match_turn(&f->turn);
    assert_in_range(sg_arena_used(f->turn.arena), 0, ROOM + MOST);
    for (size_t i = 0; i < f->output->effects_count; i++)
        count += f->output->effects[i].kind == SG_EFFECT_SEND;
    sg_output_reset(f->output);
    return count;
}

static void
what_does_not_fit_a_turn_goes_in_the_next_ones(void **state)
{
    struct fixture *f = crowd();
    unsigned sum = 0, count = 0;

    (void)state;
    sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
    for (; sg_core_due(f->core) == 0; count++) {
        sum += begun(f);
        assert_in_range(count, 0, SUBSCRIBERS);
    }
    assert_int_equal(sum, SUBSCRIBERS); // each once
    assert_in_range(count, 10, SUBSCRIBERS);
    end(f);
}

static void
what_is_asked_in_the_middle_is_not_forgotten(void **state)
{
    struct fixture *f = crowd();
    unsigned sum = 0;

    (void)state;
    sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
    sum += begun(f);
    assert_in_range(sum, 1, SUBSCRIBERS - 1);
    // One of those that were looked at may be given chunks now.
    for (uint32_t i = 1; i <= SUBSCRIBERS; i++) {
        struct sg_session *session = sg_pool_at(f->core->sessions, i);
        session->send_bytes = 4096;
        session->send_messages = 1;
    }
    sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
    while (sg_core_due(f->core) == 0)
        sum += begun(f);
    assert_int_equal(sum, 2 * SUBSCRIBERS); // a begin and a chunk for each
    end(f);
}

// Of the flow's or of a session's: one subscription may have more, too.
static void
one_subscription_goes_on_as_well(void **state)
{
    for (unsigned by_session = 0; by_session < 2; by_session++) {
        struct fixture *f = crowd();
        uint32_t shared = rendition(f);
        unsigned sum = 0;

        (void)state;
        for (unsigned i = 1; i < SG_SENDING_MAX; i++)
            stated(f, 1, shared);
        if (by_session == 1)
            sg_deliver_pump(&f->turn, sg_session_of(f->core, 1));
        else
            sg_policy_due_flow(f->core, 1, SG_DUE_SEND);
        while (sg_core_due(f->core) == 0)
            sum += begun(f);
        assert_int_equal(sum, SUBSCRIBERS + SG_SENDING_MAX - 1); // each once
        end(f);
    }
}

// Many that are held are told in one turn; who has more of them hears less of it.
static void
what_is_told_at_an_attachment_stays_within_a_turn(void **state)
{
    struct fixture *f = crowd();
    struct sg_state *core = f->core->state;
    unsigned told = 0;

    (void)state;
    for (unsigned i = 1; i < SUBSCRIBERS; i++)
        stated(f, 1, 0);
    for (uint32_t d = sg_state_subscription(core, 1)->first; d != 0;
         d = sg_state_delivery(core, d)->next) {
        struct sg_delivery *one = sg_pool_at(core->deliveries, d);
        one->state = SG_DELIVERY_HELD;
        sg_deliver_tell(&f->turn, d);
    }
    assert_in_range(sg_arena_used(f->turn.arena), ROOM, ROOM + 1024 * 1024);
    for (size_t i = 0; i < f->output->effects_count; i++)
        told += f->output->effects[i].kind == SG_EFFECT_SEND;
    assert_int_equal(told, SUBSCRIBERS); // each of them, all the same
    end(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_a_turn_goes_in_the_next_ones),
        cmocka_unit_test(what_is_asked_in_the_middle_is_not_forgotten),
        cmocka_unit_test(one_subscription_goes_on_as_well),
        cmocka_unit_test(what_is_told_at_an_attachment_stays_within_a_turn),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
