// Disk, room, clock and connections of the simulation: what goes wrong by seed
// besides power and bytes, and what must hold when it does.
#include "tests/sim/sim.h"

enum {
    DISK_ONE_OF = 3, // seeds whose disk fails
    DISK_AFTER = 120,
    FULL_ONE_OF = 150, // turns
    CLOCK_ONE_OF = 400,
    GONE_ONE_OF = 150,
    STEP_S = 3600, // nothing that is under way expires by it
};

unsigned sim_faults[SG_EVENT_COUNT];

static void
next_disk(struct sim *sim)
{
    sim->disk_after =
        sim_below(sim, DISK_ONE_OF) == 0 ? 1 + sim_below(sim, DISK_AFTER) : 0;
}

void
sim_faults_begin(struct sim *sim)
{
    sim->faulty = true;
    next_disk(sim);
}

// ---- the disk --------------------------------------------------------------------

bool
sim_disk_refuses(struct sim *sim)
{
    struct sg_event event = {.kind = SG_EVENT_EVIDENCE_FAILED};

    if (sim->disk_failed) // the writer takes no more, or has not seen it yet
        return sim_below(sim, 2) == 0;
    if (sim->disk_after == 0 || --sim->disk_after > 0)
        return false;
    sim->disk_failed = true;
    sim_to_gate(sim, &event, 100 + sim_below(sim, 20000));
    return false;
}

static void
tell_room(struct sim *sim, bool full)
{
    struct sg_event event = {.kind = SG_EVENT_DISK};

    event.u.disk.enough = !full;
    event.u.disk.free_bytes = full ? 0 : 1 << 30;
    sim->full = full;
    if (sim->bug != BUG_ROOM)
        sim_to_gate(sim, &event, 0);
    else
        sim->full_told = full;
}

// ---- clock and connections ----------------------------------------------------------

static void
step_clock(struct sim *sim)
{
    struct sg_event event = {.kind = SG_EVENT_CLOCK_STEPPED};
    uint64_t step = (1 + sim_below(sim, STEP_S)) * 1000000;

    event.u.clock.from = sim->now;
    event.u.clock.to =
        sim_below(sim, 2) == 0 ? sim->now + step : sim->now - step;
    sim_to_gate(sim, &event, 0);
}

// The other end connects again; the gate learns of it when it sends.
static void
break_connection(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[sim_below(sim, PEERS)];

    peer->generation++;
    peer->greeted = false;
}

bool
sim_is_gone(struct sim *sim, const struct sg_routing *to)
{
    struct sg_event event = {.kind = SG_EVENT_PEER_GONE, .u.peer = *to};

    if (to->bytes[1] == sim->peer[to->bytes[0]].generation)
        return false;
    sim_to_gate(sim, &event, 0);
    return true;
}

// ---- a turn ------------------------------------------------------------------------------

void
sim_fault(struct sim *sim)
{
    if (!sim->faulty)
        return;
    if (sim->quiet) {
        sim_faults_end(sim);
        return;
    }
    if (sim_below(sim, FULL_ONE_OF) == 0)
        tell_room(sim, !sim->full);
    if (sim_below(sim, CLOCK_ONE_OF) == 0)
        step_clock(sim);
    if (sim_below(sim, GONE_ONE_OF) == 0)
        break_connection(sim);
}

void
sim_faults_end(struct sim *sim)
{
    if (!sim->faulty)
        return;
    sim->faulty = false;
    sim->disk_after = 0;
    if (sim->full)
        tell_room(sim, false);
}

// What the gate was doing is over; there is room, or it is told again.
void
sim_faults_over(struct sim *sim)
{
    sim->disk_failed = sim->disk_told = false;
    sim->full = sim->full_told = sim->full_known = false;
    sim->stepped = sim->noted = 0;
    sim->keys_out_count = 0; // what was on its way counts as gone out
    if (sim->faulty)
        next_disk(sim);
}

void
sim_fault_told(struct sim *sim, const struct sg_event *event)
{
    sim_faults[event->kind]++;
    sim->disk_told |= event->kind == SG_EVENT_EVIDENCE_FAILED;
    if (event->kind == SG_EVENT_DISK)
        sim->full_told = !event->u.disk.enough;
    sim->stepped += event->kind == SG_EVENT_CLOCK_STEPPED;
}

// After each turn: err is what it gave.
void
sim_faults_check(struct sim *sim, enum sg_err err, bool stopped)
{
    if (err != SG_OK && (err != SG_ERR_IO || !sim->disk_failed))
        sim_break(sim, "the gate ends and its disk is well");
    if (err == SG_OK && (sim->disk_told || stopped))
        sim_break(sim, "the gate goes on without its disk");
    if (err == SG_OK && sim->stepped != sim->noted)
        sim_break(sim, "a step of the clock is not in the log");
}
