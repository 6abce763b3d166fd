// What the simulation sees in the entries as they are written: withdrawals, keys
// that are on their way, steps of the clock, what was made again.
#include <stdio.h>
#include <stdlib.h>

#include "broker/core/cold.h"
#include "broker/core/volatile.h"
#include "tests/sim/sim.h"

enum { WITHDRAWN = 4 };

unsigned sim_remade;

void
sim_trace(const struct sim *sim, const char *what, unsigned number)
{
    if (getenv("SG_SIM_TRACE") != NULL)
        printf("%llu %s %u\n", (unsigned long long)(sim->now - SIM_START_US),
               what, number);
}

static const void *
open_body(struct sim *sim, struct sg_slice bytes,
          const ProtobufCMessageDescriptor *type)
{
    void *body = NULL;
    enum sg_err err = sg_codec_unpack(type, bytes, sim->mem, &body);

    SG_ASSERT(err == SG_OK);
    return body;
}

static void
watch_consent(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__ConsentEventEntry *shown =
        open_body(sim, entry->body, &sgpb__consent_event_entry__descriptor);
    const Sgpb__ConsentEvent *event = open_body(
        sim, (struct sg_slice){shown->event->body.data, shown->event->body.len},
        &sgpb__consent_event__descriptor);

    if (event->to == WITHDRAWN)
        sim->withdrawn_seq = entry->seq;
}

static void
watch_decision(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__Decision *shown =
        open_body(sim, entry->body, &sgpb__decision__descriptor);

    for (size_t i = 0; i < shown->n_deliveries; i++)
        sim_trace(sim, shown->deliveries[i]->parts[0]->why,
                  shown->deliveries[i]->verdict);
}

static void
watch_destroyed(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__Destroyed *shown =
        open_body(sim, entry->body, &sgpb__destroyed__descriptor);

    sim_remade += strcmp(shown->ground, "lost") == 0;
}

// ---- keys on their way (S36) -----------------------------------------------------

static void
watch_released(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__KeyReleased *shown =
        open_body(sim, entry->body, &sgpb__key_released__descriptor);

    sim->keys++;
    for (size_t i = 0; i < shown->n_deliveries; i++) {
        SG_ASSERT(sim->keys_out_count < KEYS_OUT_MAX);
        struct sim_key *key = &sim->keys_out[sim->keys_out_count++];
        memcpy(key->delivery, shown->deliveries[i].data, 16);
        key->released = entry->seq;
    }
}

void
sim_key_settled(struct sim *sim, const uint8_t delivery[16], uint64_t released)
{
    for (size_t i = sim->keys_out_count; i > 0; i--) {
        struct sim_key *key = &sim->keys_out[i - 1];
        if (key->released == released &&
            memcmp(key->delivery, delivery, 16) == 0)
            *key = sim->keys_out[--sim->keys_out_count];
    }
}

static void
watch_cancelled(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__KeyCancelled *shown =
        open_body(sim, entry->body, &sgpb__key_cancelled__descriptor);

    sim->keys_cancelled++;
    for (size_t i = 0; i < shown->n_deliveries; i++)
        sim_key_settled(sim, shown->deliveries[i].data, shown->released);
}

// A key that was not sent leaves no entry when its delivery, kept or refused
// with one of before, has left memory; then the core must know of none either.
static bool
is_forgotten(const struct sim *sim, const struct sim_key *key)
{
    struct sg_slice id = sg_slice_of(key->delivery, 16);

    return sg_state_find(sim->core->state->delivery_of, id) == 0 &&
           !sg_table_get(sim->core->in_flight, id, NULL);
}

// All keys here are of the one agreement there is.
static void
watch_statement(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__StatementEntry *shown =
        open_body(sim, entry->body, &sgpb__statement_entry__descriptor);
    const Sgpb__Statement *doc =
        open_body(sim,
                  (struct sg_slice){shown->statement->body.data,
                                    shown->statement->body.len},
                  &sgpb__statement__descriptor);

    for (size_t i = 0; i < sim->keys_out_count; i++)
        if (sim->keys_out[i].released < doc->event_index &&
            !is_forgotten(sim, &sim->keys_out[i]))
            sim_break(sim, "a statement while a key is on its way");
}

static void
watch_started(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__GateStarted *shown =
        open_body(sim, entry->body, &sgpb__gate_started__descriptor);

    sim->noted += strcmp(shown->reason, "clock_stepped") == 0;
}

static const struct {
    enum sg_entry_type type;
    void (*watch)(struct sim *sim, const struct sg_appended *entry);
} rows[] = {
    {SG_ENTRY_CONSENT_EVENT, watch_consent},
    {SG_ENTRY_DECISION, watch_decision},
    {SG_ENTRY_DESTROYED, watch_destroyed},
    {SG_ENTRY_KEY_RELEASED, watch_released},
    {SG_ENTRY_KEY_CANCELLED, watch_cancelled},
    {SG_ENTRY_STATEMENT, watch_statement},
    {SG_ENTRY_GATE_STARTED, watch_started},
};

void
sim_watch(struct sim *sim, const struct sg_appended *entry)
{
    sim_watch_report(sim, entry);
    sim_watch_restored(sim, entry);
    if (entry->seq > 0 && entry->time_us < sim->entries[entry->seq - 1].time)
        sim_break(sim, "time goes back in the log");
    if (entry->time_us > sim->now)
        sim_break(sim, "the gate follows a clock that was set");
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        if (rows[i].type == entry->type)
            rows[i].watch(sim, entry);
}
