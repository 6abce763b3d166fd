// The index of the simulation: a list of rows, of which the newest of a key
// counts, and the newest durable snapshot.
#include <stdlib.h>

#include "broker/core/cold.h"
#include "broker/core/volatile.h"
#include "tests/sim/sim.h"

enum { SNAPSHOT_MAX = 256 * 1024 };

static enum sg_err
gather(void *ctx, struct sg_slice piece)
{
    struct sg_writer *w = ctx;

    sg_bytes_put(w, piece.ptr, piece.len);
    return w->full ? SG_ERR_FULL : SG_OK;
}

struct sg_slice
sim_serialise(struct sim *sim)
{
    struct sg_writer w = sg_writer_on(malloc(SNAPSHOT_MAX), SNAPSHOT_MAX);
    struct sg_snapshot_sink sink = {.ctx = &w, .put = gather};

    if (sg_snapshot_write(sim->core, &sink) != SG_OK)
        sim_break(sim, "a snapshot cannot be written");
    struct sg_slice bytes = sim_copy(sim, sg_writer_slice(&w));
    free(w.ptr);
    return bytes;
}

// ---- the index: a list, the newest row of a key counts --------------------------------------

static bool
same_key(const struct sg_row *a, const struct sg_row *b)
{
    return a->table == b->table && a->key_len == b->key_len &&
           memcmp(a->key, b->key, a->key_len) == 0;
}

void
sim_put_row(struct sim *sim, const struct sg_row *row)
{
    struct sg_row *copied = sim_take(sim, sizeof *copied);

    SG_ASSERT(sim->rows_count < ROWS_MAX);
    *copied = *row;
    sim->rows[sim->rows_count++] = copied;
    sim->left++;
}

void
sim_put_effect(struct sim *sim, const struct sg_effect *effect)
{
    struct sg_row row = {.table = effect->u.row.table,
                         .key_len = (uint8_t)effect->u.row.key.len,
                         .value_len = (uint16_t)effect->u.row.value.len};

    memcpy(row.key, effect->u.row.key.ptr, row.key_len);
    if (row.value_len > 0)
        memcpy(row.value, effect->u.row.value.ptr, row.value_len);
    sim_put_row(sim, &row);
}

// Rows follow from durable entries; an event says which.
void
sim_commit(struct sim *sim)
{
    struct sg_event event = {.kind = SG_EVENT_INDEX_AT,
                             .u.seq = sim->count - 1};

    if (sim->durable < sim->count)
        return;
    sim->rows_found = sim->rows_count;
    sim->rows_size = sim->count;
    sim_to_gate(sim, &event, 100);
}

enum sg_err
sim_lookup_find(void *ctx, struct sg_row *row)
{
    struct sim *sim = ctx;

    if (sim->index_broken)
        return SG_ERR_CORRUPT;
    for (size_t i = sim->rows_found; i > 0; i--)
        if (same_key(sim->rows[i - 1], row)) {
            *row = *sim->rows[i - 1];
            return row->value_len == 0 ? SG_ERR_NOT_FOUND : SG_OK;
        }
    return SG_ERR_NOT_FOUND;
}

static int
compare_keys(const struct sg_row *a, const struct sg_row *b)
{
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->key, b->key, len);

    return order != 0 ? order : (int)a->key_len - (int)b->key_len;
}

enum sg_err
sim_lookup_next(void *ctx, struct sg_row *row)
{
    struct sim *sim = ctx;
    const struct sg_row *best = NULL;
    struct sg_row found;

    for (size_t i = 0; i < sim->rows_found; i++) {
        const struct sg_row *one = sim->rows[i];
        found = *one;
        if (one->table == row->table && compare_keys(one, row) >= 0 &&
            (best == NULL || compare_keys(one, best) < 0) &&
            sim_lookup_find(sim, &found) == SG_OK)
            best = one;
    }
    if (best == NULL)
        return SG_ERR_NOT_FOUND;
    *row = *best;
    return sim_lookup_find(sim, row);
}

// The newest that is durable stays when the next one is begun.
void
sim_settle_snapshot(struct sim *sim)
{
    if (sim->snapshot_new.size != 0 && sim->snapshot_new.size <= sim->durable)
        sim->snapshot = sim->snapshot_new;
}

static struct sg_slice
joined(struct sim *sim, const struct sg_piece *pieces)
{
    struct sg_writer w = sg_writer_on(malloc(SNAPSHOT_MAX), SNAPSHOT_MAX);

    for (; pieces != NULL; pieces = pieces->next)
        sg_bytes_put(&w, pieces->bytes.ptr, pieces->bytes.len);
    SG_ASSERT(!w.full);
    struct sg_slice bytes = sim_copy(sim, sg_writer_slice(&w));
    free(w.ptr);
    return bytes;
}

void
sim_take_snapshot(struct sim *sim, const struct sg_effect *effect)
{
    uint8_t sha256[32];

    sg_snapshot_hash(sim->core, sha256);
    if (memcmp(sha256, effect->u.snapshot.state_sha256, 32) != 0)
        sim_break(sim, "a snapshot is not what its entry states");
    if (sim->entries[sim->count - 1].type != SG_ENTRY_SNAPSHOT)
        sim_break(sim, "a snapshot does not end with its entry");
    sim_settle_snapshot(sim);
    struct sg_slice bytes = joined(sim, effect->u.snapshot.pieces);
    if (!sg_slice_eq(bytes, sim_serialise(sim)))
        sim_break(sim, "a snapshot is not what would be written");
    sim->snapshot_new =
        (struct sim_snapshot){.size = sim->count, .bytes = bytes};
    sim->rows_found = sim->rows_count; // one transaction with it
    sim->rows_size = sim->count;
    if (sim->bug == BUG_SNAPSHOT)
        ((uint8_t *)(uintptr_t)
             sim->snapshot_new.bytes.ptr)[sim->snapshot_new.bytes.len / 2] ^= 1;
    sim->snapshots++;
}

// ---- what has left memory ---------------------------------------------------------------------

static void
find_taker(struct sim *sim, ProtobufCBinaryData id)
{
    const struct sg_state *state = sim->core->state;
    uint32_t subscription;

    if (sg_state_find(state->delivery_of, sg_codec_slice(id)) == 0 &&
        sg_cold_taker(state, id.data, &subscription) != SG_OK)
        sim_break(sim, "nobody knows whose a delivery was");
}

// Of every key that ever was released.
void
sim_check_takers(struct sim *sim)
{
    for (size_t i = 0; i < sim->count; i++) {
        void *open;
        if (sim->entries[i].type != SG_ENTRY_KEY_RELEASED)
            continue;
        enum sg_err err =
            sg_codec_unpack(&sgpb__key_released__descriptor,
                            sim->entries[i].body, sim->mem, &open);
        SG_ASSERT(err == SG_OK);
        const Sgpb__KeyReleased *body = open;
        for (size_t n = 0; n < body->n_deliveries; n++)
            find_taker(sim, body->deliveries[n]);
    }
}
