#include "broker/core/snapshot.h"

#include "broker/core/consented.h"
#include "broker/core/flow.h"
#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/restored.h"
#include "broker/core/roster.h"
#include "broker/core/settle.h"
#include "broker/core/subscribe.h"
#include "broker/core/volatile.h"

// "SGSS5", then the place in the log, then sections in the order of `sections`,
// each a count and so many objects. An object is written and read by one
// function, field by field, so that the two cannot disagree; pool indexes are
// written as the place of what they point to among those written before. The
// number goes up also when rows are new in the index: an old snapshot is dropped
// with its index.
enum { BUFFER = 4096 };
static const char magic[] = "SGSS5";

struct walk {
    const struct sg_snapshot_sink *sink; // writing, else NULL
    struct sg_writer out;
    struct sg_reader in;
    enum sg_err err;
    struct sg_state *state;
    uint8_t buffer[BUFFER];
};

static void
flush(struct walk *w)
{
    if (w->err == SG_OK && w->out.len > 0)
        w->err = w->sink->put(w->sink->ctx, sg_writer_slice(&w->out));
    w->out = sg_writer_on(w->buffer, BUFFER);
}

static void
bytes(struct walk *w, void *at, size_t len)
{
    if (w->sink == NULL) {
        struct sg_slice got = sg_bytes_take(&w->in, len);
        if (got.ptr != NULL && got.len == len)
            memcpy(at, got.ptr, len);
        return;
    }
    if (w->out.len + len > BUFFER)
        flush(w);
    if (len <= BUFFER)
        sg_bytes_put(&w->out, at, len);
    else if (w->err == SG_OK)
        w->err = w->sink->put(w->sink->ctx, sg_slice_of(at, len));
}

static void
u64(struct walk *w, uint64_t *value)
{
    uint8_t at[8];

    sg_bytes_store_u64(at, *value);
    bytes(w, at, sizeof at);
    *value = sg_bytes_load_u64(at);
}

static void
u32(struct walk *w, uint32_t *value)
{
    uint64_t wide = *value;

    u64(w, &wide);
    *value = (uint32_t)wide;
}

static void
flag(struct walk *w, bool *value)
{
    uint8_t byte = *value;

    bytes(w, &byte, 1);
    *value = byte != 0;
}

// The body of the entry that brought it; empty: none is kept.
static void
kept(struct walk *w, struct sg_kept *one)
{
    uint64_t len = one->body.len;

    u64(w, &len);
    if (w->sink != NULL) {
        bytes(w, (void *)(uintptr_t)one->body.ptr, one->body.len);
        return;
    }
    struct sg_slice body = sg_bytes_take(&w->in, (size_t)len);
    if (w->in.failed || len > SG_LIMIT_ENTRY)
        w->err = SG_ERR_CORRUPT;
    else if (len > 0 && !sg_state_keep(one, body))
        w->err = SG_ERR_MEMORY;
}

static void
opened(struct walk *w, enum sg_err err)
{
    if (w->err == SG_OK && err != SG_OK)
        w->err = err == SG_ERR_MEMORY ? err : SG_ERR_CORRUPT;
}

// ---- objects ------------------------------------------------------------------------------

static void
flow(struct walk *w, uint32_t index)
{
    struct sg_flow *one = sg_pool_at(w->state->flows, index);

    kept(w, &one->kept);
    u64(w, &one->seq);
    flag(w, &one->closed);
    u64(w, &one->revision);
    bytes(w, one->head, 32);
    u64(w, &one->head_time);
    u64(w, &one->stops);
    if (w->sink == NULL && w->err == SG_OK) {
        opened(w, sg_flow_open(one));
        if (w->err == SG_OK)
            opened(w, sg_table_put(w->state->flow_of, one->id, index));
    }
}

static void
structure(struct walk *w, uint32_t index)
{
    struct sg_structure *one = sg_pool_at(w->state->structures, index);

    kept(w, &one->kept);
    u64(w, &one->seq);
    if (w->sink == NULL && w->err == SG_OK) {
        opened(w, sg_flow_open_structure(one));
        if (w->err == SG_OK)
            opened(w, sg_table_put(w->state->structure_of,
                                   sg_state_hash(one->sha256), index));
    }
}

// Flows, subscriptions and agreements are never taken back, so their index is
// the place at which they are written. 0 where one may be missing.
static void
place_ref(struct walk *w, const struct sg_pool *pool, uint32_t *index)
{
    u32(w, index);
    if (*index > sg_pool_count(pool) && w->err == SG_OK)
        w->err = SG_ERR_CORRUPT;
}

static void
flow_ref(struct walk *w, uint32_t *index)
{
    place_ref(w, w->state->flows, index);
    if (*index == 0 && w->err == SG_OK)
        w->err = SG_ERR_CORRUPT;
}

static void
codes(struct walk *w, uint16_t *code)
{
    uint8_t at[2 * SG_ATTR_COUNT];
    struct sg_writer out = sg_writer_on(at, sizeof at);

    for (size_t i = 0; i < SG_ATTR_COUNT; i++)
        sg_bytes_put_u16(&out, code[i]);
    bytes(w, at, sizeof at);
    struct sg_reader in = sg_reader_on(sg_slice_of(at, sizeof at));
    for (size_t i = 0; i < SG_ATTR_COUNT; i++)
        code[i] = sg_bytes_u16(&in);
}

static void
release(struct walk *w, uint32_t index)
{
    struct sg_release *one = sg_pool_at(w->state->releases, index);

    u64(w, &one->seq);
    flow_ref(w, &one->flow);
    u64(w, &one->revision);
    u64(w, &one->time);
    u64(w, &one->embargo_us);
    bytes(w, one->manifest, 32);
    bytes(w, one->seed_commit, 32);
    codes(w, one->codes);
    u32(w, &one->chunk_size);
    bytes(w, &one->media, 1);
    bytes(w, &one->mode, 1);
    u64(w, &one->recalled_at);
    u64(w, &one->destroyed_at);
    u64(w, &one->retain_until);
    u64(w, &one->settled);
    if (w->sink != NULL || w->err != SG_OK || w->in.failed)
        return;
    opened(w, sg_release_index(w->state, index));
    struct sg_flow *of = sg_pool_at(w->state->flows, one->flow);
    if (one->revision == of->revision)
        of->head_release = index;
}

static void
rendition(struct walk *w, uint32_t index)
{
    struct sg_rendition *one = sg_pool_at(w->state->renditions, index);

    kept(w, &one->kept);
    u64(w, &one->seq);
    if (w->sink == NULL && w->err == SG_OK) {
        opened(w, sg_render_open(w->state, one));
        if (w->err == SG_OK)
            opened(w, sg_render_index(w->state, index));
    }
}

static void
subscription(struct walk *w, uint32_t index)
{
    struct sg_subscription *one = sg_pool_at(w->state->subscriptions, index);

    kept(w, &one->kept);
    u64(w, &one->seq);
    flow_ref(w, &one->flow);
    u64(w, &one->start);
    u64(w, &one->matched);
    u64(w, &one->cursor);
    u64(w, &one->stops);
    flag(w, &one->ended);
    if (w->sink == NULL && w->err == SG_OK) {
        opened(w, sg_subscribe_open(one));
        if (w->err == SG_OK)
            opened(w, sg_subscribe_index(w->state, index));
    }
}

// An object of the log named by the number of an entry.
static void
seq_ref(struct walk *w, const struct sg_table *table, uint32_t *index,
        uint64_t seq)
{
    uint8_t at[8];

    u64(w, &seq);
    if (w->sink != NULL || seq == 0)
        return;
    sg_bytes_store_u64(at, seq);
    *index = sg_state_find(table, sg_slice_of(at, 8));
    if (*index == 0)
        w->err = SG_ERR_CORRUPT;
}

static void
delivery(struct walk *w, uint32_t index)
{
    struct sg_delivery *one = sg_pool_at(w->state->deliveries, index);
    uint64_t *const numbers[] = {
        &one->decision,   &one->decided_at,     &one->generation,
        &one->hold_until, &one->first_held,     &one->statement,
        &one->released,   &one->first_released, &one->cancelled,
        &one->ack,        &one->stops,          &one->settled};

    bytes(w, one->id, 16);
    bytes(w, &one->state, 1);
    seq_ref(w, w->state->release_at, &one->release,
            one->release == 0 ? 0
                              : sg_state_release(w->state, one->release)->seq);
    place_ref(w, w->state->subscriptions, &one->subscription);
    seq_ref(w, w->state->rendition_at, &one->rendition,
            one->rendition == 0
                ? 0
                : sg_state_rendition(w->state, one->rendition)->seq);
    for (size_t i = 0; i < SG_COUNT_OF(numbers); i++)
        u64(w, numbers[i]);
    u32(w, &one->suppress_below);
    if (w->sink != NULL || w->err != SG_OK)
        return;
    if (one->state >= SG_DELIVERY_STATES || one->release == 0 ||
        one->subscription == 0)
        w->err = SG_ERR_CORRUPT;
    else
        opened(w, sg_match_index(w->state, index));
}

static void
agreement(struct walk *w, uint32_t index)
{
    struct sg_agreement *one = sg_pool_at(w->state->agreements, index);

    kept(w, &one->kept);
    u64(w, &one->seq);
    u64(w, &one->epoch);
    u64(w, &one->stops);
    u64(w, &one->last_event);
    u64(w, &one->last_stop);
    bytes(w, one->stop_sha256, 32);
    u64(w, &one->stated);
    u64(w, &one->statement);
    if (w->sink == NULL && w->err == SG_OK) {
        opened(w, sg_consented_open(w->state, one));
        if (w->err == SG_OK)
            opened(w, sg_table_put(w->state->agreement_of, one->id, index));
    }
}

static void
record(struct walk *w, uint32_t index)
{
    struct sg_consented *one = sg_pool_at(w->state->records, index);

    place_ref(w, w->state->agreements, &one->agreement);
    bytes(w, one->record, 16);
    bytes(w, &one->state, 1);
    bytes(w, one->event_sha256, 32);
    bytes(w, one->revision_sha256, 32);
    u64(w, &one->at);
    u64(w, &one->expires);
    u64(w, &one->seq);
    bytes(w, &one->collector_len, 1);
    bytes(w, one->collector, sizeof one->collector);
    if (w->sink != NULL || w->err != SG_OK || w->in.failed)
        return;
    opened(w, sg_consented_restore(w->state, index));
}

static void
heard(struct walk *w, uint32_t index)
{
    struct sg_heard *one = sg_pool_at(w->state->heard, index);

    bytes(w, one->id, sizeof one->id);
    u64(w, &one->seq);
    u64(w, &one->epoch);
    u64(w, &one->size);
    if (w->sink != NULL || w->err != SG_OK || w->in.failed)
        return;
    one->id[sizeof one->id - 1] = '\0';
    opened(w, sg_restored_index(w->state, index));
}

static void
epochs(struct walk *w)
{
    struct sg_epochs *all = &w->state->epochs;

    u64(w, &all->now);
    flag(w, &all->waiting);
    u32(w, &all->count);
    if (all->count > SG_COUNT_OF(all->past)) {
        w->err = SG_ERR_CORRUPT;
        return;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        u64(w, &all->past[i].number);
        u64(w, &all->past[i].size);
    }
}

static void
bundle(struct walk *w, struct sg_bundle *one)
{
    kept(w, &one->kept);
    u64(w, &one->seq);
    if (w->sink == NULL && w->err == SG_OK && one->seq != 0)
        opened(w,
               one->kept.body.len == 0 ? SG_ERR_CORRUPT : sg_policy_open(one));
}

// ---- tables that are more than an index -------------------------------------------------------

static void
table(struct walk *w, struct sg_table *one, size_t key_len)
{
    uint32_t count = sg_table_count(one), at = 0;
    struct sg_slice key;
    uint8_t name[32] = {0};
    uint64_t value = 0;

    u32(w, &count);
    for (uint32_t i = 0; i < count && w->err == SG_OK && !w->in.failed; i++) {
        if (w->sink != NULL) {
            bool more = sg_table_next(one, &at, &key, &value);
            SG_ASSERT(more && key.len == key_len);
            memcpy(name, key.ptr, key_len);
        }
        bytes(w, name, key_len);
        u64(w, &value);
        if (w->sink == NULL && !w->in.failed)
            opened(w, sg_table_put(one, sg_slice_of(name, key_len), value));
    }
}

static void
roster(struct walk *w)
{
    struct sg_roster *one = &w->state->roster;

    kept(w, &one->kept);
    u64(w, &one->seq);
    if (w->sink != NULL || w->err != SG_OK || one->kept.body.len == 0)
        return;
    opened(w, sg_roster_open(one));
    if (w->err == SG_OK)
        opened(w, sg_roster_index(w->state, false));
}

struct section {
    size_t pool;  // offset of a struct sg_pool * in the state
    size_t order; // of the table that names what comes and goes; 0: none
    void (*object)(struct walk *w, uint32_t index);
};
static const struct section sections[] = {
    {offsetof(struct sg_state, flows), 0, flow},
    {offsetof(struct sg_state, structures), 0, structure},
    {offsetof(struct sg_state, releases), offsetof(struct sg_state, release_at),
     release},
    {offsetof(struct sg_state, renditions),
     offsetof(struct sg_state, rendition_at), rendition},
    {offsetof(struct sg_state, subscriptions), 0, subscription},
    {offsetof(struct sg_state, deliveries),
     offsetof(struct sg_state, delivery_of), delivery},
    {offsetof(struct sg_state, agreements), 0, agreement},
    {offsetof(struct sg_state, records), 0, record},
    {offsetof(struct sg_state, heard), offsetof(struct sg_state, heard_of),
     heard},
};

// The next object to write: by the table that names them where there is one,
// because indexes of objects that come and go differ from run to run.
static uint32_t
after(const struct sg_pool *objects, const struct sg_table *order, uint32_t at,
      uint32_t *cursor)
{
    struct sg_slice key;
    uint64_t value = 0;

    if (order == NULL)
        return sg_pool_next(objects, at);
    return sg_table_next(order, cursor, &key, &value) ? (uint32_t)value : 0;
}

static void
pool(struct walk *w, const struct section *section)
{
    const struct sg_table *order = NULL;
    struct sg_pool *objects;
    uint32_t at = 0, cursor = 0;

    memcpy(&objects, (uint8_t *)w->state + section->pool, sizeof objects);
    if (section->order != 0)
        memcpy(&order, (uint8_t *)w->state + section->order, sizeof order);
    uint32_t count = sg_pool_count(objects);
    u32(w, &count);
    for (uint32_t i = 0; i < count && w->err == SG_OK && !w->in.failed; i++) {
        at = w->sink != NULL ? after(objects, order, at, &cursor)
                             : sg_pool_take(objects);
        if (at == 0) {
            w->err = SG_ERR_CORRUPT;
            return;
        }
        section->object(w, at);
    }
}

// Where in the log the state stands; not under the hash, which is that of the
// entry before it (entry 13).
static void
position(struct walk *w)
{
    char head[sizeof magic];

    memcpy(head, magic, sizeof head);
    bytes(w, head, sizeof head);
    if (memcmp(head, magic, sizeof head) != 0)
        w->err = SG_ERR_CORRUPT;
    u64(w, &w->state->next_seq);
    u64(w, &w->state->last_time);
}

// What waits to leave memory, in order: releases by their entries, deliveries
// by their ids.
static void
settling_releases(struct walk *w)
{
    uint32_t at = w->state->settling_releases.first;
    uint64_t seq = 1;

    for (; seq != 0 && w->err == SG_OK && !w->in.failed;) {
        seq = at == 0 ? 0 : sg_state_release(w->state, at)->seq;
        u64(w, &seq); // 0 ends the row: that is genesis
        if (w->sink != NULL) {
            at = at == 0 ? 0 : sg_state_release(w->state, at)->settling;
            continue;
        }
        uint32_t index = seq == 0 ? 0 : sg_state_release_at(w->state, seq);
        if (index != 0 && index != w->state->settling_releases.last &&
            sg_state_release(w->state, index)->settling == 0)
            sg_settle_wait_release(w->state, index);
        else if (seq != 0)
            w->err = SG_ERR_CORRUPT;
    }
}

static void
settling_deliveries(struct walk *w)
{
    static const uint8_t end[16];
    uint32_t at = w->state->settling_deliveries.first;
    uint8_t id[16] = {1};

    while (memcmp(id, end, 16) != 0 && w->err == SG_OK && !w->in.failed) {
        memcpy(id, at == 0 ? end : sg_state_delivery(w->state, at)->id, 16);
        bytes(w, id, sizeof id);
        if (w->sink != NULL) {
            at = at == 0 ? 0 : sg_state_delivery(w->state, at)->settling;
            continue;
        }
        uint32_t index =
            sg_state_find(w->state->delivery_of, sg_slice_of(id, sizeof id));
        if (index != 0 && index != w->state->settling_deliveries.last &&
            sg_state_delivery(w->state, index)->settling == 0)
            sg_settle_wait_delivery(w->state, index);
        else if (memcmp(id, end, 16) != 0)
            w->err = SG_ERR_CORRUPT;
    }
}

static void
whole(struct walk *w)
{
    u64(w, &w->state->genesis_time);
    epochs(w);
    bytes(w, w->state->roster_pin, 32);
    table(w, w->state->known_keys, 32);
    table(w, w->state->revoked, 32);
    table(w, w->state->testified, 32);
    roster(w);
    u64(w, &w->state->generation);
    u64(w, &w->state->active_from);
    bundle(w, &w->state->proposed);
    bundle(w, &w->state->active);
    for (size_t i = 0; i < SG_COUNT_OF(sections) && w->err == SG_OK; i++)
        pool(w, &sections[i]);
    settling_releases(w);
    settling_deliveries(w);
}

enum sg_err
sg_snapshot_body(const struct sg_core *core,
                 const struct sg_snapshot_sink *sink)
{
    struct walk w = {.sink = sink, .state = core->state};

    w.out = sg_writer_on(w.buffer, BUFFER);
    whole(&w);
    flush(&w);
    return w.err;
}

enum sg_err
sg_snapshot_head(const struct sg_core *core,
                 const struct sg_snapshot_sink *sink)
{
    struct walk w = {.sink = sink, .state = core->state};

    w.out = sg_writer_on(w.buffer, BUFFER);
    position(&w);
    flush(&w);
    return w.err;
}

enum sg_err
sg_snapshot_write(const struct sg_core *core,
                  const struct sg_snapshot_sink *sink)
{
    enum sg_err err = sg_snapshot_head(core, sink);

    return err != SG_OK ? err : sg_snapshot_body(core, sink);
}

enum sg_err
sg_snapshot_read(struct sg_core *core, struct sg_slice snapshot)
{
    struct walk w = {.in = sg_reader_on(snapshot), .state = core->state};

    position(&w);
    whole(&w);
    if (w.err == SG_OK && !sg_bytes_end(&w.in))
        w.err = SG_ERR_CORRUPT;
    core->snapshot_at = core->state->next_seq;
    return w.err;
}

static enum sg_err
add(void *ctx, struct sg_slice piece)
{
    sg_crypto_sha256_add(ctx, piece.ptr, piece.len);
    return SG_OK;
}

void
sg_snapshot_hash(const struct sg_core *core, uint8_t out[32])
{
    struct sg_sha256 *hash = sg_crypto_sha256_new();
    struct sg_snapshot_sink sink = {.ctx = hash, .put = add};

    SG_ASSERT(hash != NULL);
    sg_crypto_sha256_init(hash);
    enum sg_err err = sg_snapshot_body(core, &sink);
    SG_ASSERT(err == SG_OK);
    sg_crypto_sha256_final(hash, out);
    sg_crypto_sha256_free(&hash);
}

// ---- one taken while the gate runs ---------------------------------------------------

struct taking {
    struct sg_arena *arena;
    struct sg_sha256 *hash;
    struct sg_piece **end;
};

static enum sg_err
keep_piece(void *ctx, struct sg_slice bytes)
{
    struct taking *taking = ctx;
    struct sg_piece *piece = sg_arena_take(taking->arena, sizeof *piece);

    if (piece == NULL)
        return SG_ERR_MEMORY;
    piece->bytes = sg_arena_copy(taking->arena, bytes);
    if (piece->bytes.ptr == NULL)
        return SG_ERR_MEMORY;
    sg_crypto_sha256_add(taking->hash, bytes.ptr, bytes.len);
    *taking->end = piece;
    taking->end = &piece->next;
    return SG_OK;
}

enum sg_err
sg_snapshot_take(const struct sg_core *core, struct sg_arena *arena,
                 struct sg_piece **body, uint8_t sha256[32])
{
    struct taking taking = {
        .arena = arena, .hash = sg_crypto_sha256_new(), .end = body};
    struct sg_snapshot_sink sink = {.ctx = &taking, .put = keep_piece};

    *body = NULL;
    if (taking.hash == NULL)
        return SG_ERR_MEMORY;
    sg_crypto_sha256_init(taking.hash);
    enum sg_err err = sg_snapshot_body(core, &sink);
    sg_crypto_sha256_final(taking.hash, sha256);
    sg_crypto_sha256_free(&taking.hash);
    return err;
}

static enum sg_err
keep_head(void *ctx, struct sg_slice bytes)
{
    struct taking *taking = ctx;
    struct sg_piece *piece = sg_arena_take(taking->arena, sizeof *piece);

    if (piece == NULL)
        return SG_ERR_MEMORY;
    piece->bytes = sg_arena_copy(taking->arena, bytes);
    piece->next = *taking->end;
    *taking->end = piece;
    return piece->bytes.ptr == NULL ? SG_ERR_MEMORY : SG_OK;
}

enum sg_err
sg_snapshot_lead(const struct sg_core *core, struct sg_arena *arena,
                 struct sg_piece **all)
{
    struct taking taking = {.arena = arena, .end = all};
    struct sg_snapshot_sink sink = {.ctx = &taking, .put = keep_head};

    return sg_snapshot_head(core, &sink);
}
