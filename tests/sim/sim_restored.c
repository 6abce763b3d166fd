// The world's log is brought back from a copy of all of it: a new epoch begins
// with a crash, and nothing is decided before every peer has said hello.
#include "tests/sim/sim.h"

#include <string.h>

#include "schemas/proof/note.h"

unsigned sim_epochs;

struct sg_slice
sim_note(struct sim *sim)
{
    static const uint8_t root[32];
    char origin[SG_NOTE_ORIGIN_MAX];
    uint8_t *room = sim_take(sim, SG_NOTE_MAX);
    struct sg_writer w = sg_writer_on(room, SG_NOTE_MAX);

    enum sg_err err =
        sg_note_origin(SG_SLICE("HUB"), sim->genesis, sim->epoch, origin);
    if (err == SG_OK)
        err = sg_note_sign(sg_slice_text(origin), sim->durable, root,
                           sim->gate_signer, &w);
    SG_ASSERT(err == SG_OK);
    return sg_writer_slice(&w);
}

enum sg_err
sim_note_shown(void *ctx, struct sg_slice bytes, struct sg_shown *shown)
{
    const struct sim *sim = ctx;
    struct sg_note note;

    *shown = (struct sg_shown){0};
    if (sg_note_parse(bytes, &note) != SG_OK)
        return SG_ERR_SIGNATURE;
    shown->epoch = note.epoch;
    shown->size = note.size;
    shown->held = shown->same = note.size <= sim->durable;
    return SG_OK;
}

// The roots of this world are zeros: the larger one is the later one.
void
sim_note_keep(struct sim_peer *peer, struct sg_slice bytes)
{
    struct sg_note note, held;

    if (sg_note_parse(bytes, &note) != SG_OK ||
        (peer->note_len > 0 &&
         sg_note_parse(sg_slice_of(peer->note, peer->note_len), &held) ==
             SG_OK &&
         held.size >= note.size))
        return;
    memcpy(peer->note, bytes.ptr, bytes.len);
    peer->note_len = bytes.len;
}

// Not by a random number: what was found with a seed stays with it.
void
sim_restore(struct sim *sim)
{
    if (!sim->quiet && (sim->seed + sim->crashes) % 3 == 0)
        sim->epoch++;
}

void
sim_log_is(struct sim *sim)
{
    const struct sg_core_log log = {.epoch = sim->epoch,
                                    .largest_seen = sim->count};

    sg_core_log_is(sim->core, &log);
}

// ---- what may be written while it waits ------------------------------------------

static const enum sg_entry_type allowed[] = {
    SG_ENTRY_EPOCH,        SG_ENTRY_TESTIMONY,    SG_ENTRY_GATE_STARTED,
    SG_ENTRY_ROSTER,       SG_ENTRY_KEY_REVOKED,  SG_ENTRY_RECALL,
    SG_ENTRY_SNAPSHOT,     SG_ENTRY_GATE_STOPPED, SG_ENTRY_DESTROYED,
    SG_ENTRY_STATEMENT,    SG_ENTRY_REFUSED,      SG_ENTRY_REFUSED_AGGREGATE,
    SG_ENTRY_CONSENT_EVENT};

static void
hear(struct sim *sim, struct sg_slice body)
{
    void *opened;

    if (sg_codec_unpack(&sgpb__testimony__descriptor, body, sim->mem,
                        &opened) != SG_OK)
        return;
    for (int i = 0; i < PEERS; i++)
        if (strcmp(((Sgpb__Testimony *)opened)->participant, sim->peer[i].id) ==
            0)
            sim->unheard &= ~(1u << i);
}

void
sim_watch_restored(struct sim *sim, const struct sg_appended *entry)
{
    bool fine = sim->unheard == 0;

    for (size_t i = 0; i < SG_COUNT_OF(allowed) && !fine; i++)
        fine = allowed[i] == entry->type;
    if (!fine)
        sim_break(sim, "a restored gate decides before everybody was heard");
    if (entry->type == SG_ENTRY_EPOCH) {
        sim->unheard = (1u << PEERS) - 1;
        sim_epochs++;
    } else if (entry->type == SG_ENTRY_TESTIMONY) {
        hear(sim, entry->body);
    }
}
