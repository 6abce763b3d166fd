// match_fixture - a core without a roster, turn by turn: flows whose releases have
// left memory all but the newest, in an index that counts who looks, and the log
// of what is decided.
#pragma once

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

#ifndef FIXTURE_SESSIONS
#define FIXTURE_SESSIONS 8
#endif

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

static inline enum sg_err
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

static inline bool
no_entry(void *ctx, uint64_t seq, struct sg_arena *arena, struct sg_slice *body)
{
    (void)ctx, (void)seq, (void)arena, (void)body;
    return false; // so that each release is held
}

static inline void
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

static inline uint64_t
seq_of(uint32_t flow, uint64_t revision)
{
    return (uint64_t)flow * FIRST_SEQ * 100 + revision;
}

static inline struct sg_release
release_of(uint32_t flow, uint64_t revision)
{
    struct sg_release one = {
        .flow = flow, .revision = revision, .seq = seq_of(flow, revision)};

    sg_bytes_store_u64(one.manifest, one.seq);
    sg_bytes_store_u64(one.seed_commit, one.seq);
    return one;
}

// All but the newest have left memory. recalled: a revision, or 0.
static inline void
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

static inline struct sg_core *
new_core(struct fixture *f, uint64_t recalled)
{
    struct sg_core *core = sg_core_new(&f->options);

    assert_non_null(core);
    for (uint32_t i = 1; i <= FLOWS && f->releases[i] > 0; i++)
        add_flow(f, core, f->releases[i], recalled);
    return core;
}

static inline struct fixture *
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
                 .sessions = FIXTURE_SESSIONS,
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

static inline struct fixture *
begin(uint32_t releases_cap, uint32_t deliveries_cap, uint64_t one,
      uint64_t two)
{
    return begin_recalled(releases_cap, deliveries_cap, one, two, 0);
}

static inline void
end(struct fixture *f)
{
    sg_output_free(&f->output);
    sg_core_free(&f->core);
    sg_arena_free(&f->mem);
}

// ---- turns -----------------------------------------------------------------------

static inline void
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

static inline void
turn(struct fixture *f)
{
    f->looked = 0;
    sg_match_turn(&f->turn);
    keep_log(f);
    commit(f, f->core);
}

// Until there is nothing to do now; how many turns.
static inline unsigned
turns(struct fixture *f)
{
    unsigned count = 0;

    while (sg_core_due(f->core) == 0) {
        turn(f);
        assert_in_range(++count, 1, TURNS_MAX);
    }
    return count;
}

static inline uint32_t
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

static inline struct sg_delivery *
first_of(struct fixture *f, uint32_t subscription)
{
    return sg_pool_at(
        f->core->state->deliveries,
        sg_state_subscription(f->core->state, subscription)->first);
}

// The oldest delivery of the subscription that is open ends, if one is.
static inline void
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
static inline void
something_else(struct fixture *f)
{
    Sgpb__AdminAct body = SGPB__ADMIN_ACT__INIT;

    for (int i = 0; i < SETTLE_AFTER; i++)
        sg_turn_append(&f->turn, SG_ENTRY_ADMIN_ACT, &body.base);
    keep_log(f);
}

// Revision of its last delivery; 0: none.
static inline uint64_t
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
static inline void
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
