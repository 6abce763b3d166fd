// What the log shows to whom (S24): a world lives for a while, then each peer
// reads the log from its beginning. The loop is compiled in, as in the other
// tests of the simulation.
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/volatile.h"
#include "tests/sim/sim.h"

enum { ROUNDS = 400, TICK_US = 40000, PAGES_MAX = 4096 };

struct shown { // entries one peer was shown
    size_t count;
    bool has[ENTRIES_MAX];
};

struct world {
    struct sim *sim;
    struct sg_output *output;
    struct shown to[PEERS];
};

static const Sgpb__Envelope *
ask(struct world *world, int peer, uint64_t from, uint32_t count,
    uint64_t offset)
{
    struct sim *sim = world->sim;
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__EntriesGet get = SGPB__ENTRIES_GET__INIT;
    void *open;

    get.from = from;
    get.count = count;
    get.offset = offset;
    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES_GET;
    envelope.entries_get = &get;
    memcpy(event.u.message.curve_key, sim->peer[peer].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = (uint8_t)peer;
    event.u.message.from.bytes[1] = sim->peer[peer].generation;
    event.u.message.envelope = sim_pack(sim, &envelope.base);
    sg_output_reset(world->output);
    sg_core_decide(sim->core, &event, sim->now, world->output);
    assert_int_equal(world->output->entries_count, 0); // asking is no act
    assert_int_equal(world->output->effects_count, 1);
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                     world->output->effects[0].u.send.envelope,
                                     sim->mem, &open),
                     SG_OK);
    return open;
}

static void
read_all(struct world *world, int peer)
{
    struct shown *shown = &world->to[peer];
    uint64_t next = 0;

    memset(shown, 0, sizeof *shown);
    for (int i = 0; i < PAGES_MAX; i++) {
        const Sgpb__Envelope *answer = ask(world, peer, next, 7, 0);
        assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_ENTRIES);
        const Sgpb__Entries *page = answer->entries;
        assert_true(page->n_raw <= 7);
        for (size_t k = 0; k < page->n_raw; k++) {
            struct sg_entry entry;
            assert_int_equal(
                sg_entry_decode(
                    sg_slice_of(page->raw[k].data, page->raw[k].len), &entry),
                SG_OK);
            assert_true(entry.sequence >= next && entry.sequence < page->next);
            assert_false(shown->has[entry.sequence]);
            assert_true(sg_slice_eq(entry.body,
                                    world->sim->entries[entry.sequence].body));
            shown->has[entry.sequence] = true;
            shown->count++;
        }
        assert_true(page->next > next);
        next = page->next;
        assert_int_equal(page->durable, world->sim->durable);
        if (next == page->durable)
            return;
    }
    fail_msg("pages without end");
}

static void
rounds(struct world *world)
{
    for (int i = 0; i < ROUNDS; i++) {
        for (int peer = 0; peer < PEERS; peer++)
            sim_peer_tick(world->sim, peer);
        sim_settle(world->sim);
        world->sim->now += TICK_US;
    }
}

// settle_after 0: as the simulation has it.
static void
live(struct world *world, uint64_t settle_after)
{
    *world = (struct world){.sim = sim_open(3, BUG_NONE)};
    world->output = sg_output_new(16 * 1024 * 1024);
    world->sim->quiet = true;
    if (settle_after != 0)
        world->sim->core->state->settle_after = settle_after;
    rounds(world);
    for (int i = 0; i < 3; i++) { // until what nobody uses is destroyed
        world->sim->now += DAY_US;
        sim_settle(world->sim);
    }
    world->sim->releases += 8;
    rounds(world);
    assert_null(world->sim->broken);
    for (int i = 0; i < PEERS; i++)
        read_all(world, i);
}

static struct world open_world, settled_world;

static int
setup(void **state)
{
    live(&open_world, 100000); // all is in memory
    assert_true(open_world.sim->peer[COLLECTOR].stated);
    live(&settled_world, 0);
    *state = &open_world;
    return 0;
}

static void
end(struct world *world)
{
    sg_output_free(&world->output);
    sim_close(&world->sim);
}

static int
teardown(void **state)
{
    (void)state;
    end(&open_world);
    end(&settled_world);
    return 0;
}

static void
an_auditor_is_shown_every_durable_entry(void **state)
{
    const struct world *world = *state;

    assert_int_equal(world->to[ADMIN].count, world->sim->durable);
}

static bool
contains(struct sg_slice body, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= body.len; i++)
        if (memcmp(body.ptr + i, text, len) == 0)
            return true;
    return false;
}

// Of one flow with one provider and two subscribers: a subscriber sees nothing
// of the other, nothing of the publisher's, nothing of the collector's.
static void
nobody_is_shown_what_names_another(void **state)
{
    const struct world *world = *state;
    static const int subscribers[] = {NEAR, FAR};

    for (size_t s = 0; s < SG_COUNT_OF(subscribers); s++) {
        const struct shown *shown = &world->to[subscribers[s]];
        const char *other = world->sim->peer[subscribers[1 - s]].id;
        assert_true(shown->count > 3);
        for (size_t i = 0; i < world->sim->durable; i++) {
            const struct sim_entry *entry = &world->sim->entries[i];
            if (!shown->has[i] || entry->type == SG_ENTRY_ROSTER)
                continue;
            assert_false(contains(entry->body, other));
            assert_false(contains(entry->body, "KE_PANEL"));
            assert_int_not_equal(entry->type, SG_ENTRY_DECISION);
            assert_int_not_equal(entry->type, SG_ENTRY_ACCEPTED);
            assert_int_not_equal(entry->type, SG_ENTRY_OBJECT_MADE);
            assert_int_not_equal(entry->type, SG_ENTRY_CONSENT_EVENT);
        }
    }
}

// type: seen by the peers of the row, and by nobody else but the auditor.
static const struct {
    enum sg_entry_type type;
    unsigned peers; // bits
} rows[] = {
    {SG_ENTRY_GENESIS, 0},
    {SG_ENTRY_GATE_STARTED, 0},
    {SG_ENTRY_POLICY_ACTIVE, 0},
    {SG_ENTRY_ROSTER,
     1u << PUBLISHER | 1u << COLLECTOR | 1u << NEAR | 1u << FAR},
    {SG_ENTRY_POLICY, 0}, // it names the auditor himself
    {SG_ENTRY_APPROVAL, 0},
    {SG_ENTRY_STRUCTURE, 1u << PUBLISHER},
    {SG_ENTRY_TERMS, 1u << PUBLISHER},
    {SG_ENTRY_ACCEPTED, 1u << PUBLISHER},
    {SG_ENTRY_OBJECT_MADE, 1u << PUBLISHER},
    {SG_ENTRY_DECISION, 1u << PUBLISHER},
    {SG_ENTRY_DESTROYED, 1u << PUBLISHER},
    {SG_ENTRY_SUBSCRIPTION, 1u << NEAR | 1u << FAR},
    {SG_ENTRY_DELIVERY, 1u << PUBLISHER | 1u << NEAR | 1u << FAR},
    {SG_ENTRY_KEY_RELEASED, 1u << PUBLISHER | 1u << NEAR | 1u << FAR},
    {SG_ENTRY_RECEIPT_ACK, 1u << PUBLISHER | 1u << NEAR | 1u << FAR},
    {SG_ENTRY_AGREEMENT, 1u << COLLECTOR},
    {SG_ENTRY_CONSENT_EVENT, 1u << COLLECTOR},
    {SG_ENTRY_STATEMENT, 1u << COLLECTOR},
};

static void
each_type_is_shown_to_whom_its_row_says(void **state)
{
    const struct world *world = *state;

    for (size_t r = 0; r < SG_COUNT_OF(rows); r++) {
        unsigned seen = 0, all = 0;
        for (size_t i = 0; i < world->sim->durable; i++) {
            if (world->sim->entries[i].type != (uint16_t)rows[r].type)
                continue;
            all++;
            for (int peer = 0; peer < PEERS; peer++)
                if (peer != ADMIN && world->to[peer].has[i])
                    seen |= 1u << peer;
        }
        if (all == 0)
            fail_msg("no entry of type %s",
                     sg_entry_type_name((unsigned)rows[r].type));
        if (seen != rows[r].peers)
            fail_msg("%s is shown to %x",
                     sg_entry_type_name((unsigned)rows[r].type), seen);
    }
}

static ProtobufCBinaryData
delivery_to(struct sim *sim, int peer)
{
    const struct sg_state *core = sim->core->state;

    for (uint32_t i = sg_pool_next(core->deliveries, 0); i != 0;
         i = sg_pool_next(core->deliveries, i)) {
        const struct sg_delivery *one = sg_state_delivery(core, i);
        if (strcmp(
                sg_state_subscription(core, one->subscription)->doc->subscriber,
                sim->peer[peer].id) == 0)
            return BYTES((uint8_t *)(uintptr_t)one->id, 16);
    }
    fail_msg("there is no delivery to %s", sim->peer[peer].id);
    return BYTES(NULL, 0);
}

// What one recipient learns must not depend on what others may have (S44).
static void
keys_of_several_recipients_are_shown_to_the_provider_alone(void **state)
{
    struct world *world = *state;
    struct sim *sim = world->sim;
    struct sim_entry *last = &sim->entries[sim->durable - 1];
    struct sim_entry kept = *last;
    Sgpb__KeyReleased both = SGPB__KEY_RELEASED__INIT;
    ProtobufCBinaryData ids[] = {delivery_to(sim, NEAR), delivery_to(sim, FAR)};

    both.deliveries = ids;
    both.n_deliveries = 1;
    last->type = SG_ENTRY_KEY_RELEASED;
    last->body = sim_pack(sim, &both.base);
    assert_int_equal(ask(world, NEAR, last->seq, 1, 0)->entries->n_raw, 1);
    assert_int_equal(ask(world, FAR, last->seq, 1, 0)->entries->n_raw, 0);
    both.n_deliveries = 2;
    last->body = sim_pack(sim, &both.base);
    assert_int_equal(ask(world, PUBLISHER, last->seq, 1, 0)->entries->n_raw, 1);
    assert_int_equal(ask(world, NEAR, last->seq, 1, 0)->entries->n_raw, 0);
    assert_int_equal(ask(world, FAR, last->seq, 1, 0)->entries->n_raw, 0);
    *last = kept;
}

static void
what_has_left_memory_is_shown_to_its_provider_all_the_same(void **state)
{
    const struct world *world = &settled_world;
    unsigned accepted = 0, destroyed = 0;

    (void)state;
    for (size_t i = 0; i < world->sim->durable; i++) {
        uint16_t type = world->sim->entries[i].type;
        if (type != SG_ENTRY_OBJECT_MADE && type != SG_ENTRY_DESTROYED &&
            type != SG_ENTRY_ACCEPTED)
            continue;
        accepted += type == SG_ENTRY_ACCEPTED;
        destroyed += type == SG_ENTRY_DESTROYED;
        assert_true(world->to[PUBLISHER].has[i]);
        assert_false(world->to[NEAR].has[i]);
        assert_false(world->to[COLLECTOR].has[i]);
    }
    assert_true(destroyed > 0);
    assert_true(sg_pool_count(world->sim->core->state->releases) < accepted);
}

static void *
body_of(struct sim *sim, const ProtobufCMessageDescriptor *type,
        struct sg_slice bytes)
{
    void *body = NULL;

    assert_int_equal(sg_codec_unpack(type, bytes, sim->mem, &body), SG_OK);
    return body;
}

// Ids of deliveries by the statements that precede what else names them.
struct stated {
    size_t count;
    struct {
        uint8_t id[16];
        int peer;
    } one[ENTRIES_MAX];
};

static void
note_statement(struct sim *sim, const struct sim_entry *entry,
               struct stated *stated)
{
    const Sgpb__DeliveryEntry *body =
        body_of(sim, &sgpb__delivery_entry__descriptor, entry->body);
    const Sgpb__Delivery *doc = body_of(sim, &sgpb__delivery__descriptor,
                                        sg_codec_slice(body->delivery->body));
    size_t len = strlen(sim->peer[NEAR].id);
    bool near = strncmp(body->subscription, sim->peer[NEAR].id, len) == 0;

    assert_int_equal(doc->delivery_id.len, 16);
    memcpy(stated->one[stated->count].id, doc->delivery_id.data, 16);
    stated->one[stated->count++].peer = near ? NEAR : FAR;
}

// PEERS: of several.
static int
peer_of(const struct stated *stated, ProtobufCBinaryData *ids, size_t count)
{
    int peer = -1;

    for (size_t n = 0; n < count; n++) {
        size_t i = 0;
        while (i < stated->count &&
               memcmp(stated->one[i].id, ids[n].data, 16) != 0)
            i++;
        assert_true(i < stated->count);
        peer = peer == -1 || peer == stated->one[i].peer ? stated->one[i].peer
                                                         : PEERS;
    }
    return peer;
}

static void
is_shown_to(const struct world *world, uint64_t seq, int peer)
{
    assert_true(world->to[PUBLISHER].has[seq]);
    assert_int_equal(world->to[NEAR].has[seq], peer == NEAR);
    assert_int_equal(world->to[FAR].has[seq], peer == FAR);
    assert_false(world->to[COLLECTOR].has[seq]);
}

// The evidence of a delivery is its subscriber's and its provider's for ever,
// and nobody else's.
static void
what_was_delivered_long_ago_is_shown_to_its_subscriber(void **state)
{
    static struct stated stated;
    const struct world *world = &settled_world;
    struct sim *sim = world->sim;
    unsigned gone = 0, receipts = 0;

    (void)state;
    stated.count = 0;
    for (size_t i = 0; i < sim->durable; i++) {
        const struct sim_entry *entry = &sim->entries[i];
        if (entry->type == SG_ENTRY_DELIVERY) {
            note_statement(sim, entry, &stated);
            is_shown_to(world, i, stated.one[stated.count - 1].peer);
        } else if (entry->type == SG_ENTRY_KEY_RELEASED) {
            const Sgpb__KeyReleased *body =
                body_of(sim, &sgpb__key_released__descriptor, entry->body);
            gone += sg_state_find(sim->core->state->delivery_of,
                                  sg_codec_slice(body->deliveries[0])) == 0;
            is_shown_to(world, i,
                        peer_of(&stated, body->deliveries, body->n_deliveries));
        } else if (entry->type == SG_ENTRY_RECEIPT_ACK) {
            const Sgpb__ReceiptAckEntry *body =
                body_of(sim, &sgpb__receipt_ack_entry__descriptor, entry->body);
            Sgpb__ReceiptAck *ack = body_of(sim, &sgpb__receipt_ack__descriptor,
                                            sg_codec_slice(body->ack->body));
            receipts++;
            is_shown_to(world, i, peer_of(&stated, &ack->delivery_id, 1));
        }
    }
    assert_true(gone > 3 && receipts > 3);
}

// An entry that lists many who have left memory ends the page: the loop is not
// held up by looking each of them up in the index, entry after entry.
static void
a_question_looks_up_so_many_rows_and_no_more(void **state)
{
    enum { MANY = 4096 };
    struct world *world = &settled_world;
    struct sim *sim = world->sim;
    Sgpb__KeyReleased body = SGPB__KEY_RELEASED__INIT;
    struct sim_entry kept[2], *last = &sim->entries[sim->durable - 2];
    ProtobufCBinaryData *ids = sim_take(sim, (MANY + 1) * sizeof *ids);

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        ids[i] = BYTES(sim->peer[NEAR].seen[0].delivery, 16);
    ids[MANY] = BYTES(sim->peer[FAR].seen[0].delivery, 16);
    for (size_t i = 0; i <= MANY; i += MANY)
        assert_int_equal(sg_state_find(sim->core->state->delivery_of,
                                       sg_codec_slice(ids[i])),
                         0);
    body.deliveries = ids;
    body.n_deliveries = MANY + 1;
    memcpy(kept, last, sizeof kept);
    for (size_t i = 0; i < SG_COUNT_OF(kept); i++) {
        last[i].type = SG_ENTRY_KEY_RELEASED;
        last[i].body = sim_pack(sim, &body.base);
    }
    const Sgpb__Entries *page = ask(world, NEAR, last->seq, 5, 0)->entries;
    assert_int_equal(page->n_raw, 0);
    assert_int_equal(page->next, last->seq + 1);
    page = ask(world, FAR, last->seq, 5, 0)->entries; // the first is another's
    assert_int_equal(page->next, last->seq + 2);
    memcpy(last, kept, sizeof kept);
}

static void
an_entry_that_fits_no_page_comes_in_parts(void **state)
{
    struct world *world = *state;
    struct sim *sim = world->sim;
    struct sim_entry *last = &sim->entries[sim->durable - 1];
    struct sim_entry kept = *last;
    size_t len = 150000, got = 0;
    uint8_t *body = sim_take(sim, len), *whole = sim_take(sim, len + 76);

    sim_bytes(sim, body, len);
    last->body = sg_slice_of(body, len);
    for (int i = 0; i < 4; i++) {
        const Sgpb__Entries *page =
            ask(world, ADMIN, last->seq, 5, got)->entries;
        assert_int_equal(page->n_raw, 1);
        assert_int_equal(page->size, len + SG_ENTRY_HEAD_LEN);
        assert_int_equal(page->next, i < 2 ? last->seq : last->seq + 1);
        memcpy(whole + got, page->raw[0].data, page->raw[0].len);
        got += page->raw[0].len;
        if (got == page->size)
            break;
    }
    assert_int_equal(got, len + SG_ENTRY_HEAD_LEN);
    assert_memory_equal(whole + SG_ENTRY_HEAD_LEN, body, len);
    const Sgpb__Envelope *beyond = ask(world, ADMIN, last->seq, 5, got);
    assert_int_equal(beyond->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    *last = kept;
}

// Asks for pages of one entry until it is refused: how many there were.
static unsigned
asks(struct world *world, int peer, uint64_t from, uint32_t count)
{
    const Sgpb__Envelope *answer;
    unsigned asked = 0;

    do {
        answer = ask(world, peer, from, count, 0);
        asked++;
        assert_in_range(asked, 1, SG_LIMIT_ASKED_PER_S + 1);
    } while (answer->body_case == SGPB__ENVELOPE__BODY_ENTRIES);
    assert_string_equal(answer->refused->code, "peer.rate");
    assert_true(answer->refused->retry_after_ms > 0);
    return asked - 1;
}

// One participant's questions do not hold the loop up for the others (S53).
static void
who_asks_too_much_waits_and_nobody_else(void **state)
{
    struct world *world = *state;

    world->sim->now += 2000000;
    unsigned small = asks(world, NEAR, 0, 1);
    assert_int_equal(ask(world, FAR, 0, 1, 0)->body_case,
                     SGPB__ENVELOPE__BODY_ENTRIES);
    world->sim->now += 2000000;
    unsigned large = asks(world, NEAR, 0, 0); // each looks at a long stretch
    assert_in_range(small, SG_LIMIT_ASKED_PER_S / 2, SG_LIMIT_ASKED_PER_S);
    assert_in_range(large, 1, small / 2);
    world->sim->now += 2000000;
    assert_int_equal(ask(world, NEAR, 0, 1, 0)->body_case,
                     SGPB__ENVELOPE__BODY_ENTRIES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_auditor_is_shown_every_durable_entry),
        cmocka_unit_test(nobody_is_shown_what_names_another),
        cmocka_unit_test(each_type_is_shown_to_whom_its_row_says),
        cmocka_unit_test(
            keys_of_several_recipients_are_shown_to_the_provider_alone),
        cmocka_unit_test(
            what_has_left_memory_is_shown_to_its_provider_all_the_same),
        cmocka_unit_test(
            what_was_delivered_long_ago_is_shown_to_its_subscriber),
        cmocka_unit_test(a_question_looks_up_so_many_rows_and_no_more),
        cmocka_unit_test(an_entry_that_fits_no_page_comes_in_parts),
        cmocka_unit_test(who_asks_too_much_waits_and_nobody_else),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, setup, teardown)
               : 1;
}
