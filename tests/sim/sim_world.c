#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

enum { SNAPSHOT_EVERY = 40, SETTLE_AFTER = 12 };
enum { DELIVERIES = 256, FEW_DELIVERIES = 8, RELEASES = 10 };
enum { STEPS_MAX = 60000, WORLD_BYTES = 256 * 1024 * 1024, TICK_US = 40000 };
#define QUIET_US (SIM_START_US + 20ull * 1000000)

// splitmix64
uint64_t
sim_random(struct sim *sim)
{
    uint64_t z = (sim->rng += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t
sim_below(struct sim *sim, uint64_t n)
{
    return sim_random(sim) % n;
}

void
sim_bytes(struct sim *sim, void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)sim_random(sim);
}

void *
sim_take(struct sim *sim, size_t size)
{
    void *ptr = sg_arena_take(sim->mem, size);

    SG_ASSERT(ptr != NULL);
    return ptr;
}

struct sg_slice
sim_pack(struct sim *sim, const ProtobufCMessage *message)
{
    struct sg_slice out;
    enum sg_err err = sg_codec_pack(message, sim->mem, &out);

    SG_ASSERT(err == SG_OK);
    return out;
}

void
sim_break(struct sim *sim, const char *what)
{
    if (sim->broken == NULL)
        sim->broken = what;
}

struct sg_slice
sim_copy(struct sim *sim, struct sg_slice bytes)
{
    struct sg_slice out = sg_arena_copy(sim->mem, bytes);

    SG_ASSERT(out.ptr != NULL || bytes.len == 0);
    return out;
}

// ---- what will happen ----------------------------------------------------------------------

static struct sim_item *
push(struct sim *sim, uint64_t delay)
{
    struct sim_item *item = sim_take(sim, sizeof *item);

    SG_ASSERT(sim->queue_count < QUEUE_MAX);
    item->due = sim->now + delay;
    item->order = sim->order++;
    item->peer = -1;
    sim->queue[sim->queue_count++] = item;
    return item;
}

static struct sim_item *
earliest(struct sim *sim, size_t *at)
{
    struct sim_item *best = NULL;

    for (size_t i = 0; i < sim->queue_count; i++) {
        struct sim_item *one = sim->queue[i];
        if (best == NULL || one->due < best->due ||
            (one->due == best->due && one->order < best->order)) {
            best = one;
            *at = i;
        }
    }
    return best;
}

void
sim_to_gate(struct sim *sim, const struct sg_event *event, uint64_t delay)
{
    push(sim, delay)->event = *event;
}

void
sim_say(struct sim *sim, int peer, Sgpb__Envelope *envelope,
        struct sg_slice payload)
{
    struct sg_event event = {.kind = SG_EVENT_MESSAGE};
    unsigned times = 1;

    envelope->proto = 1;
    memcpy(event.u.message.curve_key, sim->peer[peer].transport, 32);
    event.u.message.from.len = 2;
    event.u.message.from.bytes[0] = (uint8_t)peer;
    event.u.message.from.bytes[1] = sim->peer[peer].generation;
    event.u.message.envelope = sim_pack(sim, &envelope->base);
    event.u.message.payload = sim_copy(sim, payload);
    if (!sim->quiet && sim_below(sim, 20) == 0)
        times = (unsigned)sim_below(sim, 3); // lost, or twice
    for (unsigned i = 0; i < times; i++)
        sim_to_gate(sim, &event, 500 + sim_below(sim, 8000));
}

// ---- env -------------------------------------------------------------------------------------

static uint64_t
env_now(void *ctx)
{
    return ((struct sim *)ctx)->now;
}

static void
env_random(void *ctx, uint8_t out[32])
{
    struct sim *sim = ctx;

    sim_bytes(sim, out, 32);
    if (sim->bug == BUG_RANDOM)
        out[0] = (uint8_t)(uintptr_t)sim->mem ^ (uint8_t)rand();
}

static size_t
env_wait(void *ctx, uint64_t due_us, struct sg_event *events, size_t cap)
{
    struct sim *sim = ctx;
    size_t count = 0, at = 0;

    sim->full_known = sim->full_told;
    while (count < cap) {
        struct sim_item *item = earliest(sim, &at);
        uint64_t now = sim->now;
        if (item == NULL || (count > 0 && item->due > now))
            return count;
        if (item->due > now && due_us <= item->due) {
            sim->now = due_us > now ? due_us : now + (due_us == 0 ? 0 : 1);
            return count;
        }
        sim->queue[at] = sim->queue[--sim->queue_count];
        if (item->due > sim->now)
            sim->now = item->due;
        if (item->peer >= 0) {
            if (item->envelope.ptr == NULL)
                sim_peer_tick(sim, item->peer);
            else if (item->generation == sim->peer[item->peer].generation)
                sim_peer_hear(sim, item->peer, item->envelope, item->payload);
            if (item->envelope.ptr == NULL) {
                struct sim_item *again = push(sim, TICK_US);
                again->peer = item->peer;
            }
            continue;
        }
        events[count] = item->event;
        env_random(sim, events[count].random);
        if (item->event.kind == SG_EVENT_DURABLE) {
            if (item->event.u.seq == UINT64_MAX) { // the disk's own step
                if (sim->crash_now || sim->disk_failed)
                    return count;
                if (item->order > sim->durable) // see env_append
                    sim->durable = (size_t)item->order;
                events[count].u.seq = sim->durable - 1;
            }
        }
        sim_fault_told(sim, &item->event);
        count++;
    }
    return count;
}

static bool
env_settle(void *ctx, uint64_t *durable)
{
    struct sim *sim = ctx;

    sim->settled++;
    if (sim->disk_failed)
        return false;
    sim->durable = sim->count;
    *durable = sim->durable;
    return !sim->crash_now;
}

static enum sg_err
env_append(void *ctx, const struct sg_appended *entries, size_t count)
{
    struct sim *sim = ctx;

    if (sim_disk_refuses(sim))
        return SG_ERR_IO;
    for (size_t i = 0; i < count; i++) {
        SG_ASSERT(sim->count < ENTRIES_MAX && entries[i].seq == sim->count);
        sim->entries[sim->count++] =
            (struct sim_entry){.seq = entries[i].seq,
                               .time = entries[i].time_us,
                               .type = entries[i].type,
                               .body = sim_copy(sim, entries[i].body)};
        sim_watch(sim, &entries[i]);
        sim_store_entry(sim, entries[i].type, entries[i].body);
        sim_trace(sim, sg_entry_type_name(entries[i].type),
                  (unsigned)sim->count);
    }
    if (sim->crash_after > 0 && --sim->crash_after == 0)
        sim->crash_now = true;
    struct sim_item *sync = push(sim, 500 + sim_below(sim, 15000));
    sync->event.kind = SG_EVENT_DURABLE;
    sync->event.u.seq = UINT64_MAX;
    sync->order = sim->count; // becomes durable up to here
    if (sim->bug == BUG_EARLY) {
        struct sg_event lie = {.kind = SG_EVENT_DURABLE,
                               .u.seq = sim->count - 1};
        sim_to_gate(sim, &lie, 0);
    }
    return SG_OK;
}

static void
send(struct sim *sim, const struct sg_effect_send *send)
{
    uint8_t receipt[8];
    struct sg_slice envelope;

    sg_bytes_store_u64(receipt, send->receipt_of);
    if (send->receipt_of != SG_NO_ENTRY && send->receipt_of >= sim->durable)
        sim_break(sim, "a receipt of an entry that is not durable");
    struct sg_filling with = {.receipt = sg_slice_of(receipt, 8)};
    if (send->checkpoint)
        with.note = sim_note(sim);
    enum sg_err err = sg_effect_fill(sim->mem, send, &with, &envelope);
    SG_ASSERT(err == SG_OK);
    if (sim->overhear != NULL && send->to.len == 2)
        sim->overhear(sim, send->to.bytes[0], envelope);
    if (send->chunk_of && sim_store_damaged(sim, send->object)) {
        sim_store_lost(sim, send->object);
        return;
    }
    if (send->to.len == 2 && sim_is_gone(sim, &send->to))
        return;
    if (send->to.len != 2 || (!sim->quiet && sim_below(sim, 25) == 0))
        return; // nobody there, or lost
    struct sim_item *item = push(sim, 500 + sim_below(sim, 8000));
    item->peer = send->to.bytes[0];
    item->generation = send->to.bytes[1];
    item->envelope = sim_copy(sim, envelope);
    sim_trace(sim, "send", item->envelope.ptr[0]);
}

static void
stored(struct sim *sim, const struct sg_effect_store *store)
{
    struct sg_event event = {.kind = SG_EVENT_UPLOAD_STORED};

    event.u.stored.upload = store->upload;
    event.u.stored.index = store->index;
    event.u.stored.bytes = store->payload.len;
    sim_to_gate(sim, &event, 200 + sim_below(sim, 2000));
    if (!store->last)
        return;
    event.u.stored.bytes = 0;
    event.u.stored.whole = true;
    sim_bytes(sim, event.u.stored.chunk_root, 32);
    sim_to_gate(sim, &event, 3000 + sim_below(sim, 9000));
}

static void
release_key(struct sim *sim, const struct sg_effect_key *key)
{
    struct sg_event event = {.kind = SG_EVENT_KEY_SENT};
    int peer = key->to.bytes[0];

    if (sim->withdrawn_seq != 0 && sim->withdrawn_seq < sim->durable)
        sim_break(sim, "a key left after a durable withdrawal");
    if (key->released >= sim->durable)
        sim_break(sim, "a key left before its entry was durable");
    memcpy(event.u.key.delivery, key->delivery, 16);
    event.u.key.released = key->released;
    if (key->to.bytes[1] != sim->peer[peer].generation) {
        event.kind = SG_EVENT_KEY_NOT_SENT;
    } else {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__DeliveryKey body = SGPB__DELIVERY_KEY__INIT;
        sim_key_settled(sim, key->delivery, key->released);
        body.delivery_id =
            (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)key->delivery};
        envelope.proto = 1;
        envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_KEY;
        envelope.delivery_key = &body;
        struct sim_item *item = push(sim, 500 + sim_below(sim, 8000));
        item->peer = peer;
        item->generation = key->to.bytes[1];
        item->envelope = sim_pack(sim, &envelope.base);
    }
    sim_to_gate(sim, &event, 100 + sim_below(sim, 500));
}

static void
env_effect(void *ctx, const struct sg_effect *effect)
{
    struct sim *sim = ctx;

    if (effect->after_seq != SG_AFTER_NOTHING &&
        effect->after_seq >= sim->durable)
        sim_break(sim, "an effect before its decision was durable");
    sim_store_effect(sim, effect);
    if (effect->kind == SG_EFFECT_SEND)
        send(sim, &effect->u.send);
    else if (effect->kind == SG_EFFECT_REMOVE_OBJECT)
        (void)sim_has_report(sim, effect->u.object_id, true);
    else if (effect->kind == SG_EFFECT_STOP && !sim->disk_told)
        sim_break(sim, "the gate stops by itself");
    else if (effect->kind == SG_EFFECT_BEGIN_OBJECT && sim->full_known)
        sim_break(sim, "an upload is taken on a full disk");
    else if (effect->kind == SG_EFFECT_STORE_CHUNK)
        stored(sim, &effect->u.store);
    else if (effect->kind == SG_EFFECT_START_JOB)
        sim_work(sim, effect->u.start_job);
    else if (effect->kind == SG_EFFECT_RELEASE_KEY)
        release_key(sim, &effect->u.key);
    else if (effect->kind == SG_EFFECT_PUT_ROW)
        sim_put_effect(sim, effect);
    else if (effect->kind == SG_EFFECT_SNAPSHOT)
        sim_take_snapshot(sim, effect);
}

static bool
lookup_entry(void *ctx, uint64_t seq, struct sg_arena *arena,
             struct sg_slice *body)
{
    struct sim *sim = ctx;

    if (seq >= sim->durable)
        return false;
    *body = sg_arena_copy(arena, sim->entries[seq].body);
    return body->ptr != NULL;
}

static bool
lookup_raw(void *ctx, uint64_t seq, struct sg_arena *arena,
           struct sg_slice *bytes)
{
    struct sim *sim = ctx;

    if (seq >= sim->durable)
        return false;
    const struct sim_entry *one = &sim->entries[seq];
    struct sg_entry entry = {.type = one->type,
                             .sequence = seq,
                             .time_us = one->time,
                             .body = one->body};
    size_t len = SG_ENTRY_HEAD_LEN + one->body.len;
    uint8_t *room = sg_arena_take(arena, len);
    struct sg_writer w = sg_writer_on(room, room == NULL ? 0 : len);
    sg_entry_encode(&entry, &w);
    *bytes = sg_writer_slice(&w);
    return !w.full;
}

// ---- starting, crashing -----------------------------------------------------------------------

static struct sg_core *
new_core(struct sim *sim)
{
    struct sg_core_options options = {
        .gate = SG_SLICE("HUB"),
        .signer = sim->gate_signer,
        .lookup = {.ctx = sim,
                   .entry = lookup_entry,
                   .raw = lookup_raw,
                   .shown = sim_note_shown,
                   .find = sim_lookup_find,
                   .next = sim_lookup_next},
        .caps = {.flows = 16,
                 .releases = 256,
                 .renditions = 64,
                 .subscriptions = 16,
                 .deliveries = sim->deliveries_cap,
                 .agreements = 8,
                 .records = 2048,
                 .uploads = 16,
                 .sessions = 64,
                 .policy_arena = 8 * 1024 * 1024},
        .snapshot_every = SNAPSHOT_EVERY,
        .settle_after = sim->settle_after};
    memcpy(options.genesis, sim->genesis, 32);
    struct sg_core *core = sg_core_new(&options);
    SG_ASSERT(core != NULL);
    return core;
}

static bool
replay(struct sim *sim, struct sg_core *core, size_t count, bool skip)
{
    for (size_t i = sg_core_next_seq(core); i < count; i++) {
        const struct sim_entry *one = &sim->entries[i];
        struct sg_appended entry = {.seq = one->seq,
                                    .type = one->type,
                                    .time_us = one->time,
                                    .body = one->body};
        if (skip && one->type == SG_ENTRY_RECEIPT_ACK) {
            entry.type = SG_ENTRY_GATE_STOPPED;
            entry.body = (struct sg_slice){0};
        }
        if (sg_core_apply(core, &entry) != SG_OK) {
            sim_break(sim, "an entry of the log cannot be applied");
            return false;
        }
    }
    return true;
}

// What recovery would give now equals what is; so does a snapshot read back.
void
sim_compare(struct sim *sim)
{
    uint8_t live[32], again[32], read[32];
    struct sg_core *core = new_core(sim);
    struct sg_slice bytes = sim_serialise(sim);

    sg_snapshot_hash(sim->core, live);
    if (replay(sim, core, sim->count, sim->bug == BUG_SKIP_APPLY)) {
        sg_snapshot_hash(core, again);
        if (memcmp(live, again, 32) != 0)
            sim_break(sim, "recovery gives another state");
    }
    sg_core_free(&core);
    core = new_core(sim);
    if (sg_snapshot_read(core, bytes) != SG_OK)
        sim_break(sim, "a snapshot cannot be read");
    else {
        sg_snapshot_hash(core, read);
        if (memcmp(live, read, 32) != 0)
            sim_break(sim, "a snapshot gives another state");
    }
    sg_core_free(&core);
}

static void
start(struct sim *sim, const char *reason)
{
    sim->loop = sg_loop_new(sim->core, &sim->env);
    SG_ASSERT(sim->loop != NULL);
    sim->durable = sim->count;
    sim_log_is(sim);
    enum sg_err err = sg_loop_start(sim->loop, reason);
    SG_ASSERT(err == SG_OK);
}

static void
check_acknowledged(struct sim *sim)
{
    const struct sim_peer *publisher = &sim->peer[PUBLISHER];

    for (uint64_t r = 1; r <= publisher->revision; r++) {
        bool found = false;
        for (size_t i = 0; i < sim->count && !found; i++) {
            void *body;
            if (sim->entries[i].type != SG_ENTRY_ACCEPTED ||
                sg_codec_unpack(&sgpb__accepted__descriptor,
                                sim->entries[i].body, sim->mem, &body) != SG_OK)
                continue;
            found = memcmp(((Sgpb__Accepted *)body)->manifest_sha256.data,
                           publisher->acknowledged[r], 32) == 0;
        }
        if (!found)
            sim_break(sim, "an acknowledged release is lost");
    }
}

// Recovery as the gate does it: from the newest snapshot that the log states.
static void
recover(struct sim *sim)
{
    struct sim_snapshot from = sim->snapshot;
    uint8_t sha256[32];
    void *body;

    sim->snapshot_new = sim->snapshot;
    sim->rows_count = sim->rows_found;
    sim->core = new_core(sim);
    if (from.size == 0)
        return;
    SG_ASSERT(from.size <= sim->count);
    const struct sim_entry *last = &sim->entries[from.size - 1];
    enum sg_err err = sg_codec_unpack(&sgpb__snapshot_entry__descriptor,
                                      last->body, sim->mem, &body);
    SG_ASSERT(last->type == SG_ENTRY_SNAPSHOT && err == SG_OK);
    if (sg_snapshot_read(sim->core, from.bytes) == SG_OK) {
        sg_snapshot_hash(sim->core, sha256);
        if (memcmp(sha256, ((Sgpb__SnapshotEntry *)body)->state_sha256.data,
                   32) == 0) {
            sim->restored++;
            return;
        }
    }
    sim_break(sim, "a snapshot is not what the log states");
}

// As the gate does it: rows that the index has already are not put again.
static bool
replay_rows(struct sim *sim)
{
    const struct sg_row *row;

    while (sg_core_next_seq(sim->core) < sim->count) {
        uint64_t seq = sg_core_next_seq(sim->core);
        if (!replay(sim, sim->core, seq + 1, false))
            return false;
        while ((row = sg_core_row(sim->core)) != NULL)
            if (seq >= sim->rows_size)
                sim_put_row(sim, row);
        if (seq < sim->rows_size)
            sg_core_indexed(sim->core, seq);
    }
    return true;
}

// The power goes: what was not durable is there or not, as the disk likes.
void
sim_crash(struct sim *sim)
{
    size_t kept = sim->durable;

    if (sim->count > kept)
        kept += sim_below(sim, sim->count - kept + 1);
    if (sim->bug == BUG_LOSE_ENTRY && kept > 12)
        for (size_t i = kept; i > 12; i--)
            if (sim->entries[i - 1].type == SG_ENTRY_ACCEPTED) {
                kept = i - 1;
                break;
            }
    sg_loop_free(&sim->loop);
    sg_core_free(&sim->core);
    if (sim_below(sim, 4) != 0)
        sim_settle_snapshot(sim);
    sim->count = sim->durable = kept;
    if (sim->snapshot.size > kept || sim->rows_size > kept) { // BUG_LOSE_ENTRY
        sim->snapshot = (struct sim_snapshot){0};
        sim->rows_found = sim->rows_size = 0;
    }
    if (sim->withdrawn_seq >= kept)
        sim->withdrawn_seq = 0;
    sim->crash_now = false;
    sim_faults_over(sim);
    sim->crashes++;
    sim_restore(sim);
    if (sim->crashes < sim->crashes_max)
        sim->crash_after = 1 + sim_below(sim, 60);
    size_t left = 0; // what the gate was doing is over; peers go on
    for (size_t i = 0; i < sim->queue_count; i++)
        if (sim->queue[i]->peer >= 0)
            sim->queue[left++] = sim->queue[i];
    sim->queue_count = left;
    for (int i = 0; i < PEERS; i++) {
        sim->peer[i].generation++;
        sim->peer[i].greeted = false;
    }
    check_acknowledged(sim);
    recover(sim);
    if (sim->broken != NULL || !replay_rows(sim))
        return;
    sim_store_recover(sim);
    start(sim, "recovery");
}

// ---- a run --------------------------------------------------------------------------------------

static void
found(struct sim *sim)
{
    Sgpb__Genesis body = SGPB__GENESIS__INIT;
    uint8_t random[32];
    const char *what;

    body.gate = (char *)(uintptr_t) "HUB";
    body.product = (char *)(uintptr_t) "statgate";
    body.epoch = sim->epoch = 1;
    body.roster_sha256 = (ProtobufCBinaryData){32, sim->roster_sha};
    struct sim_entry first = {.time = sim->now, .type = SG_ENTRY_GENESIS};
    first.body = sim_pack(sim, &body.base);
    sim->entries[sim->count++] = first;
    sim->durable = 1;
    sim->core = new_core(sim);
    if (!replay(sim, sim->core, 1, false))
        return;
    struct sg_output *output = sg_output_new(1024 * 1024);
    sim_bytes(sim, random, 32);
    enum sg_err err =
        sg_core_found(sim->core, sim->roster, random, sim->now, output, &what);
    if (err != SG_OK) {
        sim_break(sim, what);
    } else {
        err = env_append(sim, output->entries, output->entries_count);
        SG_ASSERT(err == SG_OK);
        sim->durable = sim->count;
        sim->queue_count = 0;
    }
    sg_output_free(&output);
}

static void
hash_log(struct sim *sim)
{
    uint8_t leaf[32], *room = malloc(SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN);
    struct sg_merkle tree;
    struct sg_entry entry = {0};

    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (size_t i = 0; i < sim->count; i++) {
        struct sg_writer w =
            sg_writer_on(room, SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN);
        entry.type = sim->entries[i].type;
        entry.sequence = i;
        entry.time_us = sim->entries[i].time;
        entry.body = sim->entries[i].body;
        sg_entry_encode(&entry, &w);
        sg_entry_leaf(sg_writer_slice(&w), leaf);
        memcpy(entry.prev, leaf, 32);
        enum sg_err err = sg_merkle_add(&tree, leaf);
        SG_ASSERT(err == SG_OK);
    }
    sg_merkle_root(&tree, sim->log_hash);
    free(room);
}

// A gate whose disk has failed ends by itself, and is started again.
static void
turn(struct sim *sim)
{
    bool stopped = false;
    enum sg_err err = sg_loop_turn(sim->loop, &stopped);

    sim_faults_check(sim, err, stopped);
    if (err != SG_OK && sim->broken == NULL)
        sim_crash(sim);
}

static bool
finished(const struct sim *sim)
{
    const struct sim_peer *near = &sim->peer[NEAR], *far = &sim->peer[FAR];
    size_t last = near->seen_count, also = far->seen_count;

    return sim->peer[PUBLISHER].revision == sim->releases &&
           sim->peer[COLLECTOR].stated && last + also > 0;
}

struct sim *
sim_open(uint64_t seed, enum sim_bug bug)
{
    struct sim *sim = calloc(1, sizeof *sim);

    SG_ASSERT(sim != NULL);
    sim->seed = sim->rng = seed;
    sim->bug = bug;
    sim->now = SIM_START_US;
    sim->mem = sg_arena_new(WORLD_BYTES, 1024 * 1024);
    sim->entries = sim_take(sim, ENTRIES_MAX * sizeof *sim->entries);
    sim->rows = sim_take(sim, ROWS_MAX * sizeof(struct sg_row *));
    sim->settle_after = SETTLE_AFTER;
    sim->deliveries_cap = seed % 4 == 3 ? FEW_DELIVERIES : DELIVERIES;
    sim->releases = RELEASES;
    sim->queue = sim_take(sim, QUEUE_MAX * sizeof(struct sim_item *));
    sim->env = (struct sg_env){.ctx = sim,
                               .wait = env_wait,
                               .settle = env_settle,
                               .now = env_now,
                               .random = env_random,
                               .append = env_append,
                               .effect = env_effect};
    sim->crashes_max = (unsigned)sim_below(sim, 4);
    if (sim->crashes_max > 0)
        sim->crash_after = 1 + sim_below(sim, 40);
    sim_peers_open(sim);
    found(sim);
    if (sim->broken == NULL)
        start(sim, "start");
    return sim;
}

void
sim_close(struct sim **sim)
{
    sg_loop_free(&(*sim)->loop);
    sg_core_free(&(*sim)->core);
    sim_peers_close(*sim);
    sg_arena_free(&(*sim)->mem);
    free(*sim);
    *sim = NULL;
}

void
sim_settle(struct sim *sim)
{
    sim->quiet = true;
    sim->crash_after = 0;
    sim->crash_now = false; // one that was due already
    sim_faults_end(sim);
    // What the last message gave leaves with the turn after it.
    for (int idle = 0; idle < 3 && sim->broken == NULL; idle++) {
        if (sim->queue_count > 0)
            idle = 0;
        turn(sim);
    }
}

void
sim_begin(struct sim *sim)
{
    sim_faults_begin(sim);
    sim->destroy_fails = (unsigned)sim_below(sim, 4);
    sim->destroy_one_of = 2;
    for (int i = 0; i < PEERS; i++) {
        struct sim_item *tick = push(sim, sim_below(sim, TICK_US));
        tick->peer = i;
    }
}

void
sim_step(struct sim *sim)
{
    sim->quiet = sim->now > QUIET_US;
    sim_fault(sim);
    turn(sim);
    if (sim->rows_count - sim->rows_found > 8)
        sim_commit(sim);
    if (sim->crash_now)
        sim_crash(sim);
    else if (sim->steps % 128 == 0)
        sim_compare(sim);
}

const char *
sim_run(uint64_t seed, enum sim_bug bug, uint8_t log_hash[32], unsigned *keys)
{
    struct sim *sim = sim_open(seed, bug);

    sim_begin(sim);
    while (sim->broken == NULL && !finished(sim) && sim->steps++ < STEPS_MAX) {
        if (sim->steps % 512 == 0) {
            sim_trace(sim, "revision", (unsigned)sim->peer[PUBLISHER].revision);
            sim_trace(sim, "stated", sim->peer[COLLECTOR].stated);
            sim_trace(sim, "near", (unsigned)sim->peer[NEAR].seen_count);
            sim_trace(sim, "queue", (unsigned)sim->queue_count);
        }
        sim_step(sim);
    }
    if (sim->broken == NULL && !finished(sim))
        sim_break(sim, "what is owed never came");
    if (sim->crashes == 0 && sim->reports_count > sim->reports_named)
        sim_break(sim, "reports are left over that nothing names");
    sim_quiet_days(sim);
    if (sim->broken == NULL)
        sim_compare(sim);
    sim_check_takers(sim);
    hash_log(sim);
    memcpy(log_hash, sim->log_hash, 32);
    *keys = sim->keys;
    const char *broken = sim->broken;
    sim_close(&sim);
    return broken;
}
