#include "broker/core/cold.h"

// Rows between two commits of the index: in a replay all since the snapshot.
enum { ROWS_MAX = 4000000, ROW_NAME = 1 + SG_ROW_KEY };

struct kept_row {
    struct sg_row row;
    uint64_t seq;  // entry it follows from
    uint32_t next; // put after it
};

struct sg_cold {
    struct sg_arena *home;
    struct sg_lookup lookup;
    struct sg_pool *rows;
    struct sg_table *by_key; // table, key -> the newest of its rows
    uint32_t first, last;    // in the order in which they were put
    uint32_t given;          // the last one given out; 0: none of them
    enum sg_err failed;      // of the index
};

struct sg_cold *
sg_cold_new(const struct sg_lookup *lookup)
{
    struct sg_arena *home = sg_arena_new(sizeof(struct sg_cold) + 64, 0);
    struct sg_cold *cold;

    if (home == NULL)
        return NULL;
    cold = sg_arena_take(home, sizeof *cold);
    SG_ASSERT(cold != NULL);
    cold->home = home;
    cold->lookup = *lookup;
    cold->rows = sg_pool_new(ROWS_MAX, sizeof(struct kept_row));
    cold->by_key = sg_table_new_own(ROWS_MAX);
    if (cold->rows == NULL || cold->by_key == NULL)
        sg_cold_free(&cold);
    return cold;
}

void
sg_cold_free(struct sg_cold **cold)
{
    if (*cold == NULL)
        return;
    struct sg_arena *home = (*cold)->home;
    sg_pool_free(&(*cold)->rows);
    sg_table_free(&(*cold)->by_key);
    sg_arena_free(&home);
    *cold = NULL;
}

// ---- rows ------------------------------------------------------------------------

static struct sg_slice
name_of(const struct sg_row *row, uint8_t name[ROW_NAME])
{
    name[0] = row->table;
    memcpy(name + 1, row->key, row->key_len);
    return sg_slice_of(name, 1u + row->key_len);
}

enum sg_err
sg_cold_put(struct sg_state *state, const struct sg_row *row)
{
    struct sg_cold *cold = state->cold;
    uint8_t name[ROW_NAME];
    uint32_t index = sg_pool_take(cold->rows);

    if (index == 0)
        return SG_ERR_FULL;
    struct kept_row *kept = sg_pool_at(cold->rows, index);
    kept->row = *row;
    kept->seq = state->next_seq;
    if (cold->last == 0)
        cold->first = index;
    else
        ((struct kept_row *)sg_pool_at(cold->rows, cold->last))->next = index;
    cold->last = index;
    return sg_table_put(cold->by_key, name_of(row, name), index);
}

enum sg_err
sg_cold_find(const struct sg_state *state, struct sg_row *row)
{
    struct sg_cold *cold = state->cold;
    uint8_t name[ROW_NAME];
    uint32_t index = sg_state_find(cold->by_key, name_of(row, name));
    enum sg_err err = SG_ERR_NOT_FOUND;

    row->value_len = 0;
    if (index != 0) {
        *row = ((const struct kept_row *)sg_pool_at(cold->rows, index))->row;
        return row->value_len == 0 ? SG_ERR_NOT_FOUND : SG_OK;
    }
    if (cold->lookup.find != NULL)
        err = cold->lookup.find(cold->lookup.ctx, row);
    if (err != SG_OK && err != SG_ERR_NOT_FOUND)
        cold->failed = err;
    return err;
}

enum sg_err
sg_cold_next(const struct sg_state *state, struct sg_row *row)
{
    struct sg_cold *cold = state->cold;
    enum sg_err err = cold->lookup.next == NULL
                          ? SG_ERR_NOT_FOUND
                          : cold->lookup.next(cold->lookup.ctx, row);

    if (err != SG_OK && err != SG_ERR_NOT_FOUND)
        cold->failed = err;
    return err;
}

enum sg_err
sg_cold_failed(const struct sg_state *state)
{
    return state->cold->failed;
}

enum sg_err
sg_cold_damaged(const struct sg_state *state)
{
    return state->cold->failed = SG_ERR_CORRUPT;
}

const struct sg_row *
sg_cold_give(struct sg_state *state)
{
    struct sg_cold *cold = state->cold;
    uint32_t next = cold->first;

    if (cold->given != 0)
        next = ((struct kept_row *)sg_pool_at(cold->rows, cold->given))->next;
    if (next == 0)
        return NULL;
    cold->given = next;
    return &((struct kept_row *)sg_pool_at(cold->rows, next))->row;
}

void
sg_cold_indexed(struct sg_state *state, uint64_t seq)
{
    struct sg_cold *cold = state->cold;
    uint8_t name[ROW_NAME];
    bool more = cold->given != 0; // what was not given out cannot be there

    while (more) {
        uint32_t index = cold->first;
        struct kept_row *kept = sg_pool_at(cold->rows, index);
        if (kept->seq > seq)
            return;
        struct sg_slice key = name_of(&kept->row, name);
        if (sg_state_find(cold->by_key, key) == index)
            sg_table_remove(cold->by_key, key);
        more = index != cold->given;
        if (!more)
            cold->given = 0;
        cold->first = kept->next;
        if (cold->first == 0)
            cold->last = 0;
        sg_pool_give(cold->rows, index);
    }
}

uint32_t
sg_cold_count(const struct sg_state *state)
{
    return sg_pool_count(state->cold->rows);
}

// ---- releases --------------------------------------------------------------------

void
sg_cold_release_key(struct sg_row *row, struct sg_slice flow, uint64_t revision)
{
    struct sg_writer w = sg_writer_on(row->key, sizeof row->key);

    row->table = SG_COLD_RELEASE;
    sg_bytes_put(&w, flow.ptr, flow.len);
    sg_bytes_put_u8(&w, 0);
    sg_bytes_put_u64(&w, revision);
    SG_ASSERT(!w.full); // an id is at most SG_LIMIT_ID
    row->key_len = (uint8_t)w.len;
}

static void
retain_key(struct sg_row *row, const struct sg_release *release)
{
    row->table = SG_COLD_RETAIN;
    row->key_len = 16;
    sg_bytes_store_u64(row->key, release->retain_until);
    sg_bytes_store_u64(row->key + 8, release->seq);
}

static void
hash_key(struct sg_row *row, enum sg_cold_table table, const uint8_t sha256[32])
{
    row->table = (uint8_t)table;
    row->key_len = 32;
    memcpy(row->key, sha256, 32);
}

static void
encode(const struct sg_release *release, struct sg_row *row)
{
    struct sg_writer w = sg_writer_on(row->value, sizeof row->value);

    sg_bytes_put_u64(&w, release->seq);
    sg_bytes_put_u64(&w, release->time);
    sg_bytes_put_u64(&w, release->embargo_us);
    sg_bytes_put(&w, release->manifest, 32);
    sg_bytes_put(&w, release->seed_commit, 32);
    for (size_t i = 0; i < SG_ATTR_COUNT; i++)
        sg_bytes_put_u16(&w, release->codes[i]);
    sg_bytes_put_u32(&w, release->chunk_size);
    sg_bytes_put_u8(&w, release->media);
    sg_bytes_put_u8(&w, release->mode);
    sg_bytes_put_u64(&w, release->retain_until);
    sg_bytes_put_u64(&w, release->recalled_at);
    sg_bytes_put_u64(&w, release->destroyed_at);
    SG_ASSERT(!w.full);
    row->value_len = (uint16_t)w.len;
}

static bool
decode(const struct sg_row *row, struct sg_release *release)
{
    struct sg_reader r = sg_reader_on(sg_slice_of(row->value, row->value_len));

    release->seq = sg_bytes_u64(&r);
    release->time = sg_bytes_u64(&r);
    release->embargo_us = sg_bytes_u64(&r);
    struct sg_slice manifest = sg_bytes_take(&r, 32);
    struct sg_slice seed = sg_bytes_take(&r, 32);
    for (size_t i = 0; i < SG_ATTR_COUNT; i++)
        release->codes[i] = sg_bytes_u16(&r);
    release->chunk_size = sg_bytes_u32(&r);
    release->media = sg_bytes_u8(&r);
    release->mode = sg_bytes_u8(&r);
    release->retain_until = sg_bytes_u64(&r);
    release->recalled_at = sg_bytes_u64(&r);
    release->destroyed_at = sg_bytes_u64(&r);
    if (!sg_bytes_end(&r))
        return false;
    memcpy(release->manifest, manifest.ptr, 32);
    memcpy(release->seed_commit, seed.ptr, 32);
    return true;
}

enum sg_err
sg_cold_amend(struct sg_state *state, const struct sg_release *release)
{
    struct sg_row row = {0}, retain = {0};

    sg_cold_release_key(&row, sg_state_flow(state, release->flow)->id,
                        release->revision);
    encode(release, &row);
    enum sg_err err = sg_cold_put(state, &row);
    if (err != SG_OK || release->retain_until == 0)
        return err;
    retain_key(&retain, release);
    if (release->destroyed_at == 0) {
        retain.value_len = row.key_len;
        memcpy(retain.value, row.key, row.key_len);
    }
    return sg_cold_put(state, &retain);
}

enum sg_err
sg_cold_put_release(struct sg_state *state, const struct sg_release *release)
{
    struct sg_row name = {0}, row = {0};
    enum sg_err err = sg_cold_amend(state, release);

    sg_cold_release_key(&name, sg_state_flow(state, release->flow)->id,
                        release->revision);
    hash_key(&row, SG_COLD_MANIFEST, release->manifest);
    row.value_len = name.key_len;
    memcpy(row.value, name.key, name.key_len);
    if (err == SG_OK)
        err = sg_cold_put(state, &row);
    hash_key(&row, SG_COLD_SEED, release->seed_commit);
    row.value_len = 8;
    sg_bytes_store_u64(row.value, release->seq);
    return err == SG_OK ? sg_cold_put(state, &row) : err;
}

enum sg_err
sg_cold_release(const struct sg_state *state, uint32_t flow, uint64_t revision,
                bool whole, struct sg_release *release)
{
    struct sg_row row = {0};

    sg_cold_release_key(&row, sg_state_flow(state, flow)->id, revision);
    enum sg_err err = sg_cold_find(state, &row);
    if (err != SG_OK)
        return err;
    *release = (struct sg_release){.flow = flow, .revision = revision};
    if (!decode(&row, release))
        return sg_cold_damaged(state);
    if (!whole && release->recalled_at >= state->next_seq)
        release->recalled_at = 0;
    if (!whole && release->destroyed_at >= state->next_seq)
        release->destroyed_at = 0;
    return SG_OK;
}

// The release that the row names; flow 0: none of ours.
static uint32_t
flow_named(const struct sg_state *state, const struct sg_row *name,
           uint64_t *revision)
{
    enum { TAIL = 9 }; // 00 and the revision

    if (name->value_len <= TAIL)
        return 0;
    *revision = sg_bytes_load_u64(name->value + name->value_len - 8);
    return sg_state_find(
        state->flow_of,
        sg_slice_of(name->value, (size_t)name->value_len - TAIL));
}

enum sg_err
sg_cold_named_release(const struct sg_state *state, const struct sg_row *name,
                      bool whole, struct sg_release *release)
{
    uint64_t revision;
    uint32_t flow = flow_named(state, name, &revision);

    return flow == 0 ? SG_ERR_NOT_FOUND
                     : sg_cold_release(state, flow, revision, whole, release);
}

enum sg_err
sg_cold_by_manifest(const struct sg_state *state, const uint8_t manifest[32],
                    bool whole, struct sg_release *release)
{
    struct sg_row row = {0};

    hash_key(&row, SG_COLD_MANIFEST, manifest);
    enum sg_err err = sg_cold_find(state, &row);
    return err != SG_OK ? err
                        : sg_cold_named_release(state, &row, whole, release);
}

// ---- what lies in the payload store ----------------------------------------------

enum sg_err
sg_cold_put_object(struct sg_state *state, const uint8_t id[16], uint32_t flow,
                   uint64_t revision)
{
    struct sg_row row = {0}, name = {0};

    sg_cold_release_key(&name, sg_state_flow(state, flow)->id, revision);
    row.table = SG_COLD_OBJECT;
    row.key_len = 16;
    memcpy(row.key, id, 16);
    row.value_len = name.key_len;
    memcpy(row.value, name.key, name.key_len);
    return sg_cold_put(state, &row);
}

enum sg_err
sg_cold_object(const struct sg_state *state, const uint8_t id[16],
               uint32_t *flow, uint64_t *revision)
{
    struct sg_row row = {.table = SG_COLD_OBJECT, .key_len = 16};

    memcpy(row.key, id, 16);
    enum sg_err err = sg_cold_find(state, &row);
    if (err != SG_OK)
        return err;
    *flow = flow_named(state, &row, revision);
    return *flow != 0 ? SG_OK : sg_cold_damaged(state);
}

// end, seq: of the report of the manifest; there: or the row goes.
static enum sg_err
put_refused(struct sg_state *state, const struct sg_cold_report *report,
            const uint8_t manifest[32], bool there)
{
    struct sg_row row = {.table = SG_COLD_REFUSED, .key_len = 16};

    if (report->end == 0)
        return SG_OK;
    sg_bytes_store_u64(row.key, report->end);
    sg_bytes_store_u64(row.key + 8, report->seq);
    row.value_len = there ? 32 : 0;
    memcpy(row.value, manifest, 32);
    return sg_cold_put(state, &row);
}

static enum sg_err
put_object_of(struct sg_state *state, const uint8_t id[16], bool there)
{
    struct sg_row row = {.table = SG_COLD_REPORT, .key_len = 16};

    memcpy(row.key, id, 16);
    row.value_len = there ? 8 : 0;
    sg_bytes_store_u64(row.value, state->next_seq);
    return sg_cold_put(state, &row);
}

static enum sg_err
put_manifest(struct sg_state *state, const struct sg_cold_report *report,
             const uint8_t manifest[32], bool there)
{
    struct sg_row row = {0};

    hash_key(&row, SG_COLD_REPORT, manifest);
    row.value_len = there ? 32 : 0;
    sg_bytes_store_u64(row.value, report->seq);
    sg_bytes_store_u64(row.value + 8, report->end);
    memcpy(row.value + 16, report->id, 16);
    return sg_cold_put(state, &row);
}

enum sg_err
sg_cold_report_of(const struct sg_state *state, const uint8_t manifest[32],
                  struct sg_cold_report *report)
{
    struct sg_row row = {0};

    hash_key(&row, SG_COLD_REPORT, manifest);
    enum sg_err err = sg_cold_find(state, &row);
    if (err != SG_OK)
        return err;
    if (row.value_len != 32)
        return sg_cold_damaged(state);
    report->seq = sg_bytes_load_u64(row.value);
    report->end = sg_bytes_load_u64(row.value + 8);
    memcpy(report->id, row.value + 16, 16);
    // Of a later entry: the index is ahead, and what was before is gone there.
    return report->seq >= state->next_seq ? SG_ERR_NOT_FOUND : SG_OK;
}

enum sg_err
sg_cold_end_report(struct sg_state *state, const uint8_t manifest[32])
{
    struct sg_cold_report old;
    enum sg_err err = sg_cold_report_of(state, manifest, &old);

    if (err != SG_OK)
        return err == SG_ERR_NOT_FOUND ? SG_OK : err;
    if ((err = put_refused(state, &old, manifest, false)) == SG_OK &&
        (err = put_object_of(state, old.id, false)) == SG_OK)
        err = put_manifest(state, &old, manifest, false);
    return err;
}

enum sg_err
sg_cold_keep_report(struct sg_state *state, const uint8_t manifest[32])
{
    struct sg_cold_report old;
    enum sg_err err = sg_cold_report_of(state, manifest, &old);

    if (err != SG_OK)
        return err == SG_ERR_NOT_FOUND ? SG_OK : err;
    if ((err = put_refused(state, &old, manifest, false)) != SG_OK)
        return err;
    old.end = 0;
    return put_manifest(state, &old, manifest, true);
}

enum sg_err
sg_cold_put_report(struct sg_state *state, const uint8_t id[16],
                   const uint8_t manifest[32], uint64_t end)
{
    struct sg_cold_report report = {.seq = state->next_seq, .end = end};
    enum sg_err err = sg_cold_end_report(state, manifest);

    memcpy(report.id, id, 16);
    if (err == SG_OK)
        err = put_object_of(state, id, true);
    if (err == SG_OK)
        err = put_manifest(state, &report, manifest, true);
    return err == SG_OK ? put_refused(state, &report, manifest, true) : err;
}

enum sg_err
sg_cold_report(const struct sg_state *state, struct sg_slice name)
{
    struct sg_row row = {.table = SG_COLD_REPORT, .key_len = (uint8_t)name.len};

    memcpy(row.key, name.ptr, name.len);
    return sg_cold_find(state, &row);
}

// ---- deliveries ------------------------------------------------------------------

static void
delivery_key(struct sg_row *row, uint64_t release, uint32_t subscription)
{
    row->table = SG_COLD_DELIVERY;
    row->key_len = 12;
    sg_bytes_store_u64(row->key, release);
    sg_bytes_store_u32(row->key + 8, subscription);
}

enum sg_err
sg_cold_put_delivery(struct sg_state *state, uint64_t release,
                     uint32_t subscription,
                     const struct sg_cold_delivery *delivery)
{
    struct sg_row row = {0};
    struct sg_writer w = sg_writer_on(row.value, sizeof row.value);

    delivery_key(&row, release, subscription);
    sg_bytes_put(&w, delivery->id, 16);
    sg_bytes_put_u8(&w, delivery->state);
    sg_bytes_put_u64(&w, delivery->ack);
    sg_bytes_put_u64(&w, delivery->released);
    sg_bytes_put_u64(&w, delivery->statement);
    sg_bytes_put_u64(&w, delivery->first_released);
    sg_bytes_put_u64(&w, delivery->cancelled);
    row.value_len = (uint16_t)w.len;
    return sg_cold_put(state, &row);
}

enum sg_err
sg_cold_delivery(const struct sg_state *state, uint64_t release,
                 uint32_t subscription, struct sg_cold_delivery *delivery)
{
    struct sg_row row = {0};

    delivery_key(&row, release, subscription);
    enum sg_err err = sg_cold_find(state, &row);
    if (err != SG_OK)
        return err;
    struct sg_reader r = sg_reader_on(sg_slice_of(row.value, row.value_len));
    struct sg_slice id = sg_bytes_take(&r, 16);
    delivery->state = sg_bytes_u8(&r);
    delivery->ack = sg_bytes_u64(&r);
    delivery->released = sg_bytes_u64(&r);
    delivery->statement = sg_bytes_u64(&r);
    delivery->first_released = sg_bytes_u64(&r);
    delivery->cancelled = sg_bytes_u64(&r);
    if (!sg_bytes_end(&r))
        return sg_cold_damaged(state);
    memcpy(delivery->id, id.ptr, 16);
    return SG_OK;
}

enum sg_err
sg_cold_put_taker(struct sg_state *state, const uint8_t id[16],
                  uint32_t subscription)
{
    struct sg_row row = {.table = SG_COLD_TAKER, .key_len = 16, .value_len = 4};

    memcpy(row.key, id, 16);
    sg_bytes_store_u32(row.value, subscription);
    return sg_cold_put(state, &row);
}

enum sg_err
sg_cold_taker(const struct sg_state *state, const uint8_t id[16],
              uint32_t *subscription)
{
    struct sg_row row = {.table = SG_COLD_TAKER, .key_len = 16};

    memcpy(row.key, id, 16);
    enum sg_err err = sg_cold_find(state, &row);
    if (err != SG_OK)
        return err;
    *subscription = row.value_len == 4 ? sg_bytes_load_u32(row.value) : 0;
    if (sg_pool_has(state->subscriptions, *subscription))
        return SG_OK;
    state->cold->failed = SG_ERR_CORRUPT;
    return SG_ERR_CORRUPT;
}
