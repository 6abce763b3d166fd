// The statement on a withdrawal names every delivery that had left by then, also
// those that are over and have left memory, on as many pages as it takes (S36).
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

enum { RELEASES = 30, NAMED_MAX = 256 };
enum { RECEIPTED = 1, UNRECEIPTED, CIPHERTEXT = 4 }; // of Fate

struct named {
    uint8_t id[16];
    uint32_t fate;
    uint64_t entry;
};

struct said { // what the pages of one statement name, last page first
    struct named one[NAMED_MAX];
    size_t count;
    unsigned pages;
    uint64_t last_key;
};

// RELEASES of a flow that rests on consent, all taken by NEAR.
static struct sim *
world(void)
{
    struct sim *sim = sim_open(1, BUG_NONE);

    sim->quiet = true;
    sim->releases = RELEASES;
    sim->crash_after = 0;
    quiet_found(sim, 400);
    for (int i = 0; i < 4000 && sim->peer[PUBLISHER].revision < RELEASES; i++) {
        quiet_tick(sim, PUBLISHER);
        quiet_tick(sim, NEAR);
    }
    for (int i = 0; i < 40; i++)
        quiet_tick(sim, NEAR);
    assert_int_equal(sim->peer[NEAR].seen_count, RELEASES);
    sim_commit(sim);
    sim_settle(sim);
    return sim;
}

static void
withdraw(struct sim *sim)
{
    sim->now = sim->peer[COLLECTOR].withdraw_at > sim->now
                   ? sim->peer[COLLECTOR].withdraw_at
                   : sim->now;
    quiet_tick_until_step(sim, COLLECTOR, 3, 400);
    assert_true(sim->peer[COLLECTOR].stated);
}

static const Sgpb__Statement *
statement_at(struct sim *sim, uint64_t seq, uint8_t sha256[32])
{
    void *entry, *doc;

    assert_true(seq < sim->count);
    assert_int_equal(sim->entries[seq].type, SG_ENTRY_STATEMENT);
    assert_int_equal(sg_codec_unpack(&sgpb__statement_entry__descriptor,
                                     sim->entries[seq].body, sim->mem, &entry),
                     SG_OK);
    const ProtobufCBinaryData body =
        ((Sgpb__StatementEntry *)entry)->statement->body;
    sg_crypto_sha256(body.data, body.len, sha256);
    assert_int_equal(sg_codec_unpack(&sgpb__statement__descriptor,
                                     sg_slice_of(body.data, body.len), sim->mem,
                                     &doc),
                     SG_OK);
    return doc;
}

// From the newest entry of its kind backwards, each page as the next names it.
static void
read_pages(struct sim *sim, struct said *said)
{
    uint8_t sha256[32], wanted[32];
    uint64_t seq = sim->count - 1;

    *said = (struct said){.count = 0};
    while (seq > 0 && sim->entries[seq].type != SG_ENTRY_STATEMENT)
        seq--;
    const Sgpb__Statement *page = statement_at(sim, seq, sha256);
    assert_false(page->more);
    said->last_key = page->last_key_released;
    for (uint64_t left = page->named;;) {
        said->pages++;
        assert_int_equal(page->named, left);
        for (size_t i = 0; i < page->n_fates; i++) {
            struct named *one = &said->one[said->count++];
            assert_true(said->count <= NAMED_MAX);
            memcpy(one->id, page->fates[i]->delivery_id.data, 16);
            one->fate = page->fates[i]->fate;
            one->entry = page->fates[i]->entry;
            assert_true(one->entry < page->event_index ||
                        one->fate == RECEIPTED);
        }
        left -= page->n_fates;
        if (page->page == 0)
            break;
        memcpy(wanted, page->previous_sha256.data, 32);
        uint32_t number = page->page;
        uint64_t event = page->event_index;
        page = statement_at(sim, page->previous_entry, sha256);
        assert_memory_equal(sha256, wanted, 32);
        assert_int_equal(page->page, number - 1);
        assert_int_equal(page->event_index, event);
        assert_true(page->more);
    }
}

static size_t
times_named(const struct said *said, const uint8_t id[16], uint32_t fate)
{
    size_t times = 0;

    for (size_t i = 0; i < said->count; i++)
        times +=
            memcmp(said->one[i].id, id, 16) == 0 && said->one[i].fate == fate;
    return times;
}

// Every key that the log says was released, once.
static void
must_name_all(struct sim *sim, const struct said *said)
{
    size_t keys = 0;
    uint64_t last = 0;

    for (size_t i = 0; i < sim->count; i++) {
        void *open;
        if (sim->entries[i].type != SG_ENTRY_KEY_RELEASED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__key_released__descriptor,
                                         sim->entries[i].body, sim->mem, &open),
                         SG_OK);
        const Sgpb__KeyReleased *body = open;
        last = i;
        for (size_t k = 0; k < body->n_deliveries; k++, keys++)
            if (times_named(said, body->deliveries[k].data, RECEIPTED) != 1)
                fail_msg("key %zu, entry %zu: not named once", keys, i);
    }
    assert_int_equal(keys, RELEASES);
    assert_int_equal(said->count, RELEASES);
    assert_int_equal(said->last_key, last);
}

static void
end(struct sim *sim)
{
    sim_compare(sim);
    const char *broken = sim->broken;
    sim_close(&sim);
    if (broken != NULL)
        fail_msg("%s", broken);
}

static void
what_has_left_memory_is_named(void **state)
{
    struct sim *sim = world();
    struct said said;

    (void)state;
    assert_in_range(sg_pool_count(sim->core->state->deliveries), 1, 6);
    withdraw(sim);
    read_pages(sim, &said);
    assert_int_equal(said.pages, 1);
    must_name_all(sim, &said);
    end(sim);
}

static void
what_does_not_go_on_a_page_goes_on_the_next(void **state)
{
    struct sim *sim = world();
    struct said said;

    (void)state;
    sim->core->stating->most = 7;
    sim->core->stating->looks = 50; // several turns, and a search fits
    withdraw(sim);
    read_pages(sim, &said);
    assert_int_equal(said.pages, (RELEASES + 6) / 7);
    must_name_all(sim, &said);
    end(sim);
}

static size_t
statements_of(const struct sim *sim)
{
    size_t count = 0;

    for (size_t i = 0; i < sim->count; i++)
        count += sim->entries[i].type == SG_ENTRY_STATEMENT;
    return count;
}

static void
a_start_in_the_middle_begins_the_pages_again(void **state)
{
    struct sim *sim = world();
    struct said said;
    bool stopped = false;

    (void)state;
    sim->core->stating->most = 2;
    sim->core->stating->looks = 41;
    sim->now = sim->peer[COLLECTOR].withdraw_at;
    for (int i = 0; i < 400 && sim->core->stating->page < 3; i++) {
        sim_peer_tick(sim, COLLECTOR);
        if (sim->core->stating->revision != 0)
            sim->core->stating->looks = 4; // one release a turn
        assert_int_equal(sg_loop_turn(sim->loop, &stopped), SG_OK);
    }
    assert_int_not_equal(sim->core->stating->agreement, 0);
    assert_false(sim->peer[COLLECTOR].stated);
    sim->durable = sim->count; // the disk has the pages, and nobody knows yet
    sim_crash(sim);
    withdraw(sim);
    read_pages(sim, &said);
    assert_int_equal(said.pages, 1); // as many as a gate of its size makes
    assert_true(statements_of(sim) > 3);
    must_name_all(sim, &said);
    end(sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_left_memory_is_named),
        cmocka_unit_test(what_does_not_go_on_a_page_goes_on_the_next),
        cmocka_unit_test(a_start_in_the_middle_begins_the_pages_again),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
