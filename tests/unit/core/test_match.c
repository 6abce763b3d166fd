// Releases of the past and subscriptions that begin there: a flow whose releases
// have left memory all but the newest, in an index that counts who looks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/cold.h"
#include "broker/core/core.h"
#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/snapshot.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

enum {
    FLOWS = 2,
    REVISIONS_MAX = 4096,
    FIRST_SEQ = 100, // of a flow's first release, times its number
    LOG_MAX = 16384,
    LOG_BYTES = 64 * 1024 * 1024,
    ARENA = 16 * 1024 * 1024,
    SETTLE_AFTER = 2,
    TURNS_MAX = 2000,
};

// A core without a roster, whose flows were there before its log begins.
struct fixture {
    struct sg_core *core;
    struct sg_core_options options;
    struct sg_output *output;
    struct sg_turn turn;
    uint64_t releases[FLOWS + 1];
    struct sg_row rows[FLOWS + 1][REVISIONS_MAX + 1];
    unsigned looked;                 // since the last turn
    struct sg_appended log[LOG_MAX]; // bodies lie in mem
    size_t count;
    struct sg_arena *mem;
};

static struct fixture fixture;
static Sgpb__FlowTerms terms[FLOWS + 1];
static const char *const names[FLOWS + 1] = {"", "KE_ONE", "KE_TWO"};

// ---- the index -------------------------------------------------------------------

static enum sg_err
find_row(void *ctx, struct sg_row *row)
{
    struct fixture *f = ctx;
    uint64_t revision = sg_bytes_load_u64(row->key + row->key_len - 8);

    f->looked++;
    for (uint32_t i = 1; i <= FLOWS; i++) {
        const struct sg_row *there = &f->rows[i][revision % REVISIONS_MAX];
        if (there->value_len > 0 && there->table == row->table &&
            there->key_len == row->key_len &&
            memcmp(there->key, row->key, row->key_len) == 0) {
            *row = *there;
            return SG_OK;
        }
    }
    return SG_ERR_NOT_FOUND;
}

static bool
no_entry(void *ctx, uint64_t seq, struct sg_arena *arena, struct sg_slice *body)
{
    (void)ctx, (void)seq, (void)arena, (void)body;
    return false; // so that each release is held
}

static void
commit(struct fixture *f, struct sg_core *core)
{
    const struct sg_row *row;

    while ((row = sg_core_row(core)) != NULL)
        if (row->table == SG_COLD_RELEASE) {
            uint64_t revision = sg_bytes_load_u64(row->key + row->key_len - 8);
            uint32_t flow = row->key[3] == 'O' ? 1 : 2;
            f->rows[flow][revision % REVISIONS_MAX] = *row;
        }
    sg_core_indexed(core, core->state->next_seq);
}

// ---- a flow ----------------------------------------------------------------------

static uint64_t
seq_of(uint32_t flow, uint64_t revision)
{
    return (uint64_t)flow * FIRST_SEQ * 100 + revision;
}

static struct sg_release
release_of(uint32_t flow, uint64_t revision)
{
    struct sg_release one = {
        .flow = flow, .revision = revision, .seq = seq_of(flow, revision)};

    sg_bytes_store_u64(one.manifest, one.seq);
    sg_bytes_store_u64(one.seed_commit, one.seq);
    return one;
}

// All but the newest have left memory. recalled: a revision, or 0.
static void
add_flow(struct fixture *f, struct sg_core *core, uint64_t releases,
         uint64_t recalled)
{
    struct sg_state *state = core->state;
    uint32_t index = sg_pool_take(state->flows);
    struct sg_flow *flow = sg_pool_at(state->flows, index);

    assert_in_range(index, 1, FLOWS);
    terms[index] = (Sgpb__FlowTerms)SGPB__FLOW_TERMS__INIT;
    flow->terms = &terms[index];
    flow->id = sg_slice_text(names[index]);
    flow->revision = releases;
    assert_int_equal(sg_table_put(state->flow_of, flow->id, index), SG_OK);
    state->next_seq = seq_of(FLOWS + 1, 0);
    for (uint64_t r = 1; r <= releases; r++) {
        struct sg_release one = release_of(index, r);
        if (r == recalled)
            one.recalled_at = one.seq + 1;
        if (r < releases) {
            assert_int_equal(sg_cold_put_release(state, &one), SG_OK);
            continue;
        }
        flow->head_release = sg_pool_take(state->releases);
        *(struct sg_release *)sg_pool_at(state->releases, flow->head_release) =
            one;
        assert_int_equal(sg_release_index(state, flow->head_release), SG_OK);
    }
    commit(f, core);
}

static struct sg_core *
new_core(struct fixture *f, uint64_t recalled)
{
    struct sg_core *core = sg_core_new(&f->options);

    assert_non_null(core);
    for (uint32_t i = 1; i <= FLOWS && f->releases[i] > 0; i++)
        add_flow(f, core, f->releases[i], recalled);
    return core;
}

static struct fixture *
begin_recalled(uint32_t releases_cap, uint32_t deliveries_cap, uint64_t one,
               uint64_t two, uint64_t recalled)
{
    static const uint8_t seed[32] = {1}, random[32] = {2};
    static struct sg_signer *signer;
    struct fixture *f = &fixture;

    memset(f, 0, sizeof *f);
    if (signer == NULL)
        assert_int_equal(sg_crypto_signer_new(seed, &signer), SG_OK);
    f->options = (struct sg_core_options){
        .gate = SG_SLICE("HUB"),
        .signer = signer,
        .lookup = {.ctx = f, .find = find_row, .entry = no_entry},
        .settle_after = SETTLE_AFTER,
        .caps = {.flows = FLOWS,
                 .releases = releases_cap,
                 .renditions = 8,
                 .subscriptions = 1024,
                 .deliveries = deliveries_cap,
                 .agreements = 8,
                 .records = 8,
                 .uploads = 8,
                 .sessions = 8,
                 .policy_arena = 1024 * 1024}};
    f->releases[1] = one;
    f->releases[2] = two;
    f->core = new_core(f, recalled);
    f->output = sg_output_new(ARENA);
    f->mem = sg_arena_new(LOG_BYTES, 1024 * 1024);
    assert_non_null(f->mem);
    f->turn = (struct sg_turn){.core = f->core,
                               .state = f->core->state,
                               .output = f->output,
                               .arena = f->output->arena,
                               .now = 1,
                               .random = random};
    return f;
}

static struct fixture *
begin(uint32_t releases_cap, uint32_t deliveries_cap, uint64_t one,
      uint64_t two)
{
    return begin_recalled(releases_cap, deliveries_cap, one, two, 0);
}

static void
end(struct fixture *f)
{
    sg_output_free(&f->output);
    sg_core_free(&f->core);
    sg_arena_free(&f->mem);
}

// ---- turns -----------------------------------------------------------------------

static void
keep_log(struct fixture *f)
{
    for (size_t i = 0; i < f->output->entries_count && f->count < LOG_MAX;
         i++) {
        struct sg_appended *one = &f->log[f->count++];
        *one = f->output->entries[i];
        one->body = sg_arena_copy(f->mem, one->body);
        assert_non_null(one->body.ptr);
    }
    sg_output_reset(f->output);
}

static void
turn(struct fixture *f)
{
    f->looked = 0;
    sg_match_turn(&f->turn);
    keep_log(f);
    commit(f, f->core);
}

// Until there is nothing to do now; how many turns.
static unsigned
turns(struct fixture *f)
{
    unsigned count = 0;

    while (sg_core_due(f->core) == 0) {
        turn(f);
        assert_in_range(++count, 1, TURNS_MAX);
    }
    return count;
}

static uint32_t
subscribe(struct fixture *f, uint32_t flow, const char *id, uint64_t start)
{
    Sgpb__SubscriptionEntry body = SGPB__SUBSCRIPTION_ENTRY__INIT;
    Sgpb__Subscription doc = SGPB__SUBSCRIPTION__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    struct sg_slice packed;

    doc.flow = TEXT(names[flow]);
    doc.subscriber = TEXT("TZ_NBS");
    packed = sg_pack_close(f->turn.arena, &doc.base);
    document.body = sg_pack_bytes(packed.ptr, packed.len);
    body.subscription = &document;
    body.id = TEXT(id);
    body.start = start;
    sg_turn_append(&f->turn, SG_ENTRY_SUBSCRIPTION, &body.base);
    sg_policy_due_flow(f->core, flow, SG_DUE_MATCH);
    keep_log(f);
    return sg_state_find(f->core->state->subscription_of, sg_slice_text(id));
}

// The oldest delivery of the subscription that is open ends, if one is.
static void
expire_first(struct fixture *f, uint32_t subscription)
{
    const struct sg_state *state = f->core->state;
    uint32_t at = sg_state_subscription(state, subscription)->first;
    Sgpb__DeliveryStopped body = SGPB__DELIVERY_STOPPED__INIT;

    while (at != 0 &&
           sg_state_delivery(state, at)->state == SG_DELIVERY_EXPIRED)
        at = sg_state_delivery(state, at)->next;
    if (at == 0)
        return;
    body.delivery_id = sg_pack_bytes(sg_state_delivery(state, at)->id, 16);
    sg_turn_append(&f->turn, SG_ENTRY_EXPIRED, &body.base);
    keep_log(f);
}

// What is over leaves memory some entries later.
static void
something_else(struct fixture *f)
{
    Sgpb__Epoch body = SGPB__EPOCH__INIT;

    for (int i = 0; i < SETTLE_AFTER; i++)
        sg_turn_append(&f->turn, SG_ENTRY_EPOCH, &body.base);
    keep_log(f);
}

// Revision of its last delivery; 0: none.
static uint64_t
reached(const struct fixture *f, uint32_t subscription)
{
    const struct sg_state *state = f->core->state;
    uint32_t last = sg_state_subscription(state, subscription)->last;

    return last == 0 ? 0
                     : sg_state_release(state,
                                        sg_state_delivery(state, last)->release)
                           ->revision;
}

// Decisions of the log for the subscription: the revisions from..to, each once
// and in order, but for one that is recalled.
static void
assert_decided(struct fixture *f, const char *id, uint32_t flow, uint64_t from,
               uint64_t to, uint64_t recalled)
{
    struct sg_arena *arena = sg_arena_new(ARENA, 65536);
    uint64_t next = from;

    for (size_t i = 0; i < f->count; i++) {
        if (f->log[i].type != SG_ENTRY_DECISION)
            continue;
        sg_arena_reset(arena);
        const Sgpb__Decision *body =
            sg_pack_open(arena, &sgpb__decision__descriptor, f->log[i].body);
        assert_non_null(body);
        for (size_t k = 0; k < body->n_deliveries; k++) {
            if (strcmp(body->deliveries[k]->subscription, id) != 0)
                continue;
            next += next == recalled;
            assert_int_equal(body->release, seq_of(flow, next));
            next++;
        }
    }
    next += next == recalled;
    assert_int_equal(next, to + 1);
    sg_arena_free(&arena);
}

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
the_log_alone_gives_the_same_state(void **state)
{
    enum { RELEASES = 200 };
    struct fixture *f = begin(4096, 150, RELEASES, 0);
    uint8_t live[32], again[32];

    (void)state;
    subscribe(f, 1, "A", seq_of(1, 50));
    uint32_t b = subscribe(f, 1, "B", seq_of(1, 150));
    turns(f);
    for (int i = 0; i < 20; i++) {
        expire_first(f, b);
        turns(f);
    }
    sg_snapshot_hash(f->core, live);
    struct sg_core *core = new_core(f, 0);
    for (size_t i = 0; i < f->count; i++)
        assert_int_equal(sg_core_apply(core, &f->log[i]), SG_OK);
    sg_snapshot_hash(core, again);
    assert_memory_equal(live, again, 32);
    sg_core_free(&core);
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
    char id[8];

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

static struct sg_delivery *
first_of(struct fixture *f, uint32_t subscription)
{
    return sg_pool_at(
        f->core->state->deliveries,
        sg_state_subscription(f->core->state, subscription)->first);
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

// ---- decided again -----------------------------------------------------------------

enum { MANY = 600, EACH = 3 };

static struct fixture *
begin_many(void)
{
    struct fixture *f = begin(64, 4096, EACH, 0);
    char id[8];

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
        cmocka_unit_test(old_releases_come_back_while_new_ones_keep_their_room),
        cmocka_unit_test(what_waits_is_decided_again_in_slices),
        cmocka_unit_test(who_asks_again_and_again_keeps_nobody_from_his_look),
        cmocka_unit_test(what_sending_finds_is_decided_in_the_next_turn),
        cmocka_unit_test(what_cannot_be_read_yet_is_sent_when_the_log_has_it),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
