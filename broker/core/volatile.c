#include "broker/core/volatile.h"

enum {
    SESSIONS = 65536,
    REFUSED_KNOWN = 65536,
    SCRATCH = 48 * 1024 * 1024,
    BLOCK = 64 * 1024,
};
#define POLICY_ARENA (256ull * 1024 * 1024)

static uint32_t
cap_of(uint32_t wanted, uint32_t limit)
{
    return wanted != 0 ? wanted : limit;
}

static void
set_caps(struct sg_core *core, const struct sg_core_caps *caps)
{
    core->flows_cap = cap_of(caps->flows, SG_LIMIT_FLOWS);
    core->releases_cap = cap_of(caps->releases, SG_LIMIT_RELEASES_OPEN);
    core->subscriptions_cap =
        cap_of(caps->subscriptions, SG_LIMIT_SUBSCRIPTIONS);
    core->deliveries_cap = cap_of(caps->deliveries, SG_LIMIT_DELIVERIES);
    core->agreements_cap = cap_of(caps->agreements, SG_LIMIT_AGREEMENTS);
    core->records_cap = cap_of(caps->records, 1000000);
    core->renditions_cap = cap_of(caps->renditions, SG_LIMIT_RENDITIONS);
    core->jobs_cap = cap_of(caps->jobs, SG_LIMIT_JOBS_EACH);
    core->uploads_cap = cap_of(caps->uploads, SG_LIMIT_UPLOADS);
}

static bool
open_tables(struct sg_core *core, uint32_t sessions)
{
    const uint8_t *key = core->options.table_key;

    core->session_of = sg_table_new(sessions, key);
    core->upload_of = sg_table_new_own(core->uploads_cap);
    core->upload_by = sg_table_new_own(core->uploads_cap);
    core->job_of = sg_table_new_own(SG_LIMIT_JOBS);
    core->render_of = sg_table_new_own(SG_LIMIT_RENDERINGS);
    core->render_tries = sg_table_new_own(core->renditions_cap);
    core->in_flight = sg_table_new_own(core->deliveries_cap);
    core->attached = sg_table_new_own(core->subscriptions_cap);
    core->refused_of = sg_table_new_own(REFUSED_KNOWN);
    core->lost_of = sg_table_new_own(core->releases_cap);
    core->overdue = sg_table_new(SG_OVERDUE_MAX, key);
    return core->session_of != NULL && core->upload_of != NULL &&
           core->upload_by != NULL && core->job_of != NULL &&
           core->render_of != NULL && core->render_tries != NULL &&
           core->in_flight != NULL && core->attached != NULL &&
           core->refused_of != NULL && core->lost_of != NULL &&
           core->overdue != NULL;
}

static bool
open_arrays(struct sg_core *core)
{
    size_t flows = core->flows_cap + 1u;
    size_t asked = SG_ASKED_MAX * sizeof *core->asked;
    size_t renditions = core->renditions_cap + 1u;
    size_t dead = SG_DYING_MAX * sizeof *core->dead;
    size_t subscriptions = core->subscriptions_cap + 1u;

    core->mem = sg_arena_new(
        flows * (8 + sizeof *core->again_at + sizeof *core->send_at) +
            subscriptions * 8 + core->uploads_cap * 8u + asked +
            SG_LIMIT_RENDERINGS * 4u + renditions * 9 + dead +
            sizeof *core->dying + sizeof *core->stating + 4096,
        0);
    if (core->mem == NULL)
        return false;
    core->flow_due = sg_arena_take(core->mem, flows);
    core->flow_pending =
        sg_arena_take(core->mem, flows * sizeof *core->flow_pending);
    core->again_at = sg_arena_take(core->mem, flows * sizeof *core->again_at);
    core->send_at = sg_arena_take(core->mem, flows * sizeof *core->send_at);
    core->match_at =
        sg_arena_take(core->mem, subscriptions * sizeof *core->match_at);
    core->waiting = sg_arena_take(core->mem, (core->uploads_cap + 1u) *
                                                 sizeof *core->waiting);
    core->render_waiting = sg_arena_take(
        core->mem, SG_LIMIT_RENDERINGS * sizeof *core->render_waiting);
    core->asked = sg_arena_take(core->mem, asked);
    core->stating = sg_arena_take(core->mem, sizeof *core->stating);
    core->dying = sg_arena_take(core->mem, sizeof *core->dying);
    core->dead = sg_arena_take(core->mem, dead);
    if (core->stating != NULL)
        *core->stating = (struct sg_stating){.most = SG_LIMIT_FATES,
                                             .looks = SG_LIMIT_MATCH_TURN};
    core->rendition_used =
        sg_arena_take(core->mem, renditions * sizeof *core->rendition_used);
    core->rendition_going = sg_arena_take(core->mem, renditions);
    return core->flow_due != NULL && core->flow_pending != NULL &&
           core->again_at != NULL && core->send_at != NULL &&
           core->match_at != NULL && core->waiting != NULL &&
           core->render_waiting != NULL && core->asked != NULL &&
           core->stating != NULL && core->dying != NULL && core->dead != NULL &&
           core->rendition_used != NULL && core->rendition_going != NULL;
}

bool
sg_volatile_open(struct sg_core *core)
{
    const struct sg_core_caps *caps = &core->options.caps;
    uint32_t sessions = cap_of(caps->sessions, SESSIONS);
    uint64_t policy =
        caps->policy_arena != 0 ? caps->policy_arena : POLICY_ARENA;

    set_caps(core, caps);
    core->sessions = sg_pool_new(sessions, sizeof(struct sg_session));
    core->uploads = sg_pool_new(core->uploads_cap, sizeof(struct sg_upload));
    core->jobs = sg_pool_new(SG_LIMIT_JOBS, sizeof(struct sg_pending_job));
    core->makings = sg_pool_new(SG_LIMIT_RENDERINGS, sizeof(struct sg_making));
    core->choosings = sg_pool_new(SG_LIMIT_CHOICES, sizeof(struct sg_choosing));
    core->timers = sg_timers_new(core->deliveries_cap);
    core->policy_mem = sg_arena_new(policy, BLOCK);
    core->scratch = sg_arena_new(SCRATCH, BLOCK);
    core->state->scratch = core->scratch;
    return core->sessions != NULL && core->uploads != NULL &&
           core->jobs != NULL && core->makings != NULL &&
           core->choosings != NULL && core->timers != NULL &&
           core->policy_mem != NULL && core->scratch != NULL &&
           open_arrays(core) && open_tables(core, sessions);
}

void
sg_volatile_close(struct sg_core *core)
{
    if (core->uploads != NULL)
        for (uint32_t i = sg_pool_next(core->uploads, 0); i != 0;
             i = sg_pool_next(core->uploads, i)) {
            struct sg_upload *upload = sg_pool_at(core->uploads, i);
            sg_crypto_sha256_free(&upload->hash);
            sg_arena_free(&upload->mem);
        }
    if (core->choosings != NULL)
        for (uint32_t i = sg_pool_next(core->choosings, 0); i != 0;
             i = sg_pool_next(core->choosings, i))
            sg_arena_free(
                &((struct sg_choosing *)sg_pool_at(core->choosings, i))->mem);
    struct sg_table **tables[] = {
        &core->session_of, &core->upload_of, &core->upload_by,
        &core->job_of,     &core->render_of, &core->render_tries,
        &core->in_flight,  &core->attached,  &core->refused_of,
        &core->lost_of,    &core->overdue};
    for (size_t i = 0; i < SG_COUNT_OF(tables); i++)
        sg_table_free(tables[i]);
    sg_pool_free(&core->sessions);
    sg_pool_free(&core->uploads);
    sg_pool_free(&core->jobs);
    sg_pool_free(&core->makings);
    sg_pool_free(&core->choosings);
    sg_timers_free(&core->timers);
    sg_arena_free(&core->policy_mem);
    sg_arena_free(&core->scratch);
    sg_arena_free(&core->mem);
    sg_arena_free(&core->quota_mem);
    sg_arena_free(&core->snapshot_mem);
}
