#include "broker/core/destroy.h"

#include "broker/core/cold.h"
#include "broker/core/deliver.h"
#include "broker/core/flow.h"
#include "broker/core/lost.h"
#include "broker/core/overdue.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/session.h"
#include "broker/core/settle.h"
#include "broker/core/upload.h"

#define HOUR_US (3600 * 1000000ull)
#define DAY_US  (24 * HOUR_US)
#define LOOK_US (2 * 1000000ull)  // between looks when there are many
#define HALT_US (60 * 1000000ull) // after a failure that cannot be remembered

// ---- apply -----------------------------------------------------------------

// Deliveries lose their rendition: what was stated of it is stated anew once it
// is made again.
static void
detach(struct sg_state *state, uint32_t index)
{
    const struct sg_rendition *gone = sg_state_rendition(state, index);
    const struct sg_release *of = sg_state_release(state, gone->release);
    uint32_t flow = of->flow;

    if (of->deliveries == 0)
        return;
    for (uint32_t i = sg_state_flow(state, flow)->first_subscription; i != 0;
         i = sg_state_subscription(state, i)->next)
        for (uint32_t d = sg_state_subscription(state, i)->first; d != 0;
             d = sg_state_delivery(state, d)->next) {
            struct sg_delivery *one = sg_pool_at(state->deliveries, d);
            if (one->rendition != index)
                continue;
            bool moved = sg_deliver_step(one, SG_DELIVERY_UNMAKE);
            SG_ASSERT(moved); // the table knows it for every state but NONE
            one->rendition = 0;
            one->stops++;
            if (one->state == SG_DELIVERY_QUEUED ||
                one->state == SG_DELIVERY_HELD)
                one->statement = 0;
        }
}

static enum sg_err
destroyed_cold(struct sg_state *state, const uint8_t manifest[32], uint64_t seq)
{
    struct sg_release release;
    enum sg_err err = sg_cold_by_manifest(state, manifest, true, &release);

    if (err != SG_OK) // refused and rehearsed ones have keys too
        return err == SG_ERR_NOT_FOUND ? SG_OK : err;
    if (release.destroyed_at == 0)
        release.destroyed_at = seq;
    return sg_cold_amend(state, &release);
}

static enum sg_err
destroyed_release(struct sg_state *state, struct sg_slice name, uint64_t seq)
{
    uint32_t index = sg_state_find(state->release_of, name);

    if (name.len != 32)
        return SG_ERR_DAMAGE;
    enum sg_err err = sg_cold_end_report(state, name.ptr);
    if (err != SG_OK || index == 0)
        return err != SG_OK ? err : destroyed_cold(state, name.ptr, seq);
    struct sg_release *release = sg_pool_at(state->releases, index);
    if (release->destroyed_at == 0)
        release->destroyed_at = seq;
    return SG_OK;
}

enum sg_err
sg_destroy_apply(struct sg_state *state, const struct sg_appended *entry,
                 const void *body)
{
    const Sgpb__Destroyed *destroyed = body;
    enum sg_err err = SG_OK;
    uint8_t at[8];

    for (size_t i = 0; i < destroyed->n_objects; i++) {
        sg_bytes_store_u64(at, destroyed->objects[i]);
        uint32_t index = sg_state_find(state->rendition_at, sg_slice_of(at, 8));
        if (index == 0)
            return SG_ERR_DAMAGE;
        uint32_t release = sg_state_rendition(state, index)->release;
        detach(state, index);
        sg_render_drop(state, index);
        sg_settle_release(state, release, entry->seq);
    }
    for (size_t i = 0; i < destroyed->n_manifests && err == SG_OK; i++)
        err = destroyed_release(state, sg_pack_slice(destroyed->manifests[i]),
                                entry->seq);
    return err;
}

// ---- what is due -------------------------------------------------------------

static bool
has_room(const struct sg_dying *dying)
{
    return dying->count < SG_DYING_MAX;
}

static struct sg_slice
name_of(const struct sg_dying_key *key, uint8_t name[48])
{
    memcpy(name, key->manifest, 32);
    memcpy(name + 32, key->variant, 16);
    return sg_slice_of(name, 48);
}

// false: it failed, and it is not the time to try it again.
static bool
add(struct sg_turn *turn, const uint8_t manifest[32], const uint8_t *variant,
    uint32_t rendition)
{
    struct sg_dying *dying = turn->core->dying;
    struct sg_dying_key *key = &dying->key[dying->count];
    uint8_t name[48];

    memcpy(key->manifest, manifest, 32);
    key->whole = variant == NULL;
    memset(key->variant, 0xff, 16);
    if (variant != NULL)
        memcpy(key->variant, variant, 16);
    key->rendition = rendition;
    if (sg_overdue_waits(turn->core, name_of(key, name), turn->now))
        return false;
    dying->count++;
    return true;
}

static void
add_rendition(struct sg_turn *turn, uint32_t index)
{
    const struct sg_object *object =
        &sg_state_rendition(turn->state, index)->object;

    (void)add(turn, object->manifest, object->variant, index);
}

static void
find_lost(struct sg_turn *turn, struct sg_dying *dying)
{
    struct sg_core *core = turn->core;

    if (!core->lost_due)
        return;
    core->lost_due = false;
    for (uint32_t i = sg_pool_next(turn->state->renditions, 0); i != 0;
         i = sg_pool_next(turn->state->renditions, i)) {
        if ((core->rendition_going[i] & SG_GOING_DAMAGED) == 0)
            continue;
        if (!has_room(dying)) {
            core->lost_due = true;
            return;
        }
        add_rendition(turn, i);
    }
}

// The next row of a table by time whose time has come, after *row. A row that is
// not in the index yet is seen an hour later.
static bool
next_due(struct sg_turn *turn, const struct sg_dying *dying, struct sg_row *row,
         size_t *looked)
{
    if (*looked > 0)
        sg_bytes_store_u64(row->key + 8, sg_bytes_load_u64(row->key + 8) + 1);
    return dying->count < SG_DYING_MAX / 2 && (*looked)++ < 4 * SG_DYING_MAX &&
           sg_cold_next(turn->state, row) == SG_OK && row->key_len == 16 &&
           sg_bytes_load_u64(row->key) <= turn->now;
}

// Of those that have left memory, earliest end first.
static void
find_retained_cold(struct sg_turn *turn, struct sg_dying *dying)
{
    struct sg_row row = {.table = SG_COLD_RETAIN, .key_len = 16};
    struct sg_release release;
    size_t looked = 0;

    while (next_due(turn, dying, &row, &looked)) {
        // One that came back is among those in memory.
        if (sg_state_release_at(turn->state, sg_bytes_load_u64(row.key + 8)) ==
                0 &&
            sg_cold_named_release(turn->state, &row, false, &release) ==
                SG_OK &&
            release.destroyed_at == 0)
            (void)add(turn, release.manifest, NULL, 0);
    }
}

// Keys of what was refused, when the time of its report is over (S23).
static void
find_refused(struct sg_turn *turn, struct sg_dying *dying)
{
    struct sg_row row = {.table = SG_COLD_REFUSED, .key_len = 16};
    struct sg_cold_report report;
    size_t looked = 0;

    while (next_due(turn, dying, &row, &looked)) {
        // What is on its way again is wanted; a row that is gone by now is seen
        // until the index has heard of it.
        if (row.value_len == 32 &&
            sg_cold_report_of(turn->state, row.value, &report) == SG_OK &&
            report.end == sg_bytes_load_u64(row.key) &&
            sg_upload_by(turn->core, row.value) == 0)
            (void)add(turn, row.value, NULL, 0);
    }
}

// Releases whose time is over, each with its renditions.
static void
find_retained(struct sg_turn *turn, struct sg_dying *dying)
{
    const struct sg_state *state = turn->state;

    for (uint32_t i = sg_pool_next(state->releases, 0);
         i != 0 && dying->count < SG_DYING_MAX / 2;
         i = sg_pool_next(state->releases, i)) {
        const struct sg_release *release = sg_state_release(state, i);
        if (release->destroyed_at == 0 && release->retain_until != 0 &&
            turn->now >= release->retain_until)
            (void)add(turn, release->manifest, NULL, 0);
    }
    find_retained_cold(turn, dying);
    find_refused(turn, dying);
    for (uint32_t i = sg_pool_next(state->renditions, 0);
         i != 0 && has_room(dying); i = sg_pool_next(state->renditions, i)) {
        const struct sg_release *of =
            sg_state_release(state, sg_state_rendition(state, i)->release);
        if (of->destroyed_at != 0 ||
            (of->retain_until != 0 && turn->now >= of->retain_until))
            add_rendition(turn, i);
    }
}

// Keys whose release was refused, rehearsed or given up. The same manifest may
// be on its way again, or accepted by now.
static void
find_dead(struct sg_turn *turn, struct sg_dying *dying)
{
    struct sg_core *core = turn->core;
    size_t kept = 0;

    for (size_t i = 0; i < core->dead_count; i++) {
        struct sg_dying_key *key = &core->dead[i];
        // A variant is random and never comes again.
        if (key->whole && (sg_core_knows_key(core, key->manifest) ||
                           sg_upload_by(core, key->manifest) != 0))
            continue;
        key->sent = has_room(dying) && add(turn, key->manifest,
                                           key->whole ? NULL : key->variant, 0);
        core->dead[kept++] = *key;
    }
    core->dead_count = kept;
}

// What was sent of the dead is gone, or stays.
static void
end_dead(struct sg_core *core, bool gone)
{
    size_t kept = 0;

    for (size_t i = 0; i < core->dead_count; i++) {
        if (gone && core->dead[i].sent)
            continue;
        core->dead[i].sent = false;
        core->dead[kept++] = core->dead[i];
    }
    core->dead_count = kept;
}

// Renditions that nobody has used for a day and no open delivery needs (R5),
// those of releases that nothing can come of any more, and those that should
// have gone.
static void
find_unused(struct sg_turn *turn, struct sg_dying *dying)
{
    struct sg_core *core = turn->core;
    const struct sg_state *state = turn->state;

    for (uint32_t i = sg_pool_next(state->deliveries, 0); i != 0;
         i = sg_pool_next(state->deliveries, i)) {
        const struct sg_delivery *one = sg_state_delivery(state, i);
        if (one->rendition != 0 && !sg_deliver_final(one->state) &&
            one->state != SG_DELIVERY_LEFT)
            core->rendition_used[one->rendition] = turn->now;
    }
    for (uint32_t i = sg_pool_next(state->renditions, 0);
         i != 0 && has_room(dying); i = sg_pool_next(state->renditions, i)) {
        if (core->rendition_used[i] == 0)
            core->rendition_used[i] = turn->now; // since the start at the most
        if (turn->now - core->rendition_used[i] >= DAY_US ||
            (core->rendition_going[i] & SG_GOING_SENT) != 0 ||
            sg_settle_over(state, sg_state_rendition(state, i)->release))
            add_rendition(turn, i);
    }
}

enum { WHEN_LOST = 1, WHEN_HOUR = 2, WHEN_CROWDED = 4 };

static const struct {
    const char *ground;
    uint8_t when;
    void (*find)(struct sg_turn *turn, struct sg_dying *dying);
} grounds[] = {
    {"lost", WHEN_LOST, find_lost},
    {"retention", WHEN_HOUR, find_retained},
    {"left_over", WHEN_HOUR, find_dead},
    {"unused", WHEN_HOUR | WHEN_CROWDED, find_unused},
};

// ---- one group at a time -----------------------------------------------------

static void
send_off(struct sg_turn *turn, const struct sg_dying *dying)
{
    uint8_t(*names)[48] = sg_turn_take(turn, dying->count * sizeof *names);

    for (size_t i = 0; i < dying->count; i++) {
        (void)name_of(&dying->key[i], names[i]);
        if (dying->key[i].rendition != 0) // nobody is to be given it any more
            turn->core->rendition_going[dying->key[i].rendition] |=
                SG_GOING_SENT;
    }
    // At once: a key made again under the same name must be a new one.
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_DESTROY, SG_AFTER_NOTHING);
    effect->u.destroy.names = (const uint8_t(*)[48])names;
    effect->u.destroy.count = dying->count;
}

// Releases wait in memory for the end of their renditions: where many are made
// an hour is too long.
static bool
is_crowded(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    uint32_t many = core->renditions_cap / 8;

    if (sg_pool_count(turn->state->renditions) <
            (many < SG_DYING_MAX ? many : SG_DYING_MAX) ||
        turn->now < core->next_crowded)
        return false;
    core->next_crowded = turn->now + LOOK_US;
    return true;
}

uint64_t
sg_destroy_due(const struct sg_core *core)
{
    uint64_t next = sg_overdue_next(core);

    if (core->dying->busy)
        return UINT64_MAX;
    return next > core->destroy_after ? next : core->destroy_after;
}

void
sg_destroy_turn(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    struct sg_dying *dying = core->dying;
    bool retry = turn->now >= sg_overdue_next(core);
    bool hour = turn->now >= core->next_retention || retry;

    if (dying->busy || turn->now < core->destroy_after)
        return;
    core->lost_due |= retry;
    unsigned when = (core->lost_due ? WHEN_LOST : 0u) |
                    (hour ? WHEN_HOUR : 0u) |
                    (is_crowded(turn) ? WHEN_CROWDED : 0u);
    dying->count = 0;
    for (size_t i = 0; i < SG_COUNT_OF(grounds) && dying->count == 0; i++) {
        if ((grounds[i].when & when) == 0)
            continue;
        dying->ground = grounds[i].ground;
        grounds[i].find(turn, dying);
    }
    if (dying->count == 0) {
        if (!hour)
            return;
        core->next_retention = turn->now + HOUR_US;
        sg_overdue_looked(core, turn->now);
        return;
    }
    dying->busy = true; // the others of this hour follow when it is done
    send_off(turn, dying);
}

static void
remove_object(struct sg_turn *turn, const struct sg_object *object,
              uint64_t after_seq)
{
    if (sg_object_exists(object))
        memcpy(
            sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT, after_seq)
                ->u.object_id,
            object->id, 16);
}

static void
remove_release(struct sg_turn *turn, const uint8_t manifest[32], uint64_t seq)
{
    struct sg_release release;
    struct sg_object spool, leaves, report;

    // What cannot be found now is removed after the next start.
    if (sg_release_named(turn->state, manifest, &release) != SG_OK ||
        !sg_release_objects(turn, &release, &spool, &leaves))
        return;
    const Sgpb__Accepted *doc = sg_release_detail_of(turn, &release);
    sg_lost_forget(turn->core, release.seq);
    remove_object(turn, &spool, seq);
    remove_object(turn, &leaves, seq);
    if (sg_pack_object_open(doc->report, manifest, &report))
        remove_object(turn, &report, seq);
    sg_policy_due_flow(turn->core, release.flow, SG_DUE_DECIDE);
}

// What was sent of it is no part of what will be sent.
static void
forget_sending(struct sg_turn *turn, uint32_t rendition)
{
    for (uint32_t i = sg_pool_next(turn->core->sessions, 0); i != 0;
         i = sg_pool_next(turn->core->sessions, i)) {
        struct sg_session *session = sg_pool_at(turn->core->sessions, i);
        for (size_t k = 0; k < SG_SENDING_MAX; k++) {
            uint32_t delivery = session->sending[k].delivery;
            if (!sg_deliver_sends(turn->state, &session->sending[k]) ||
                sg_state_delivery(turn->state, delivery)->rendition !=
                    rendition)
                continue;
            session->sending[k] = (struct sg_sending){0};
            for (size_t h = 0; h < session->have_count; h++)
                if (memcmp(session->have[h].delivery_id,
                           sg_state_delivery(turn->state, delivery)->id,
                           16) == 0)
                    session->have[h].next_index = 0;
        }
    }
}

struct gone {                 // of the group, while it is still known
    struct sg_object *object; // renditions
    uint32_t *flow;
    size_t count;
    struct sg_object *report; // of refusals
    size_t reports;
};

// Nobody is to be shown a report of it any more.
static void
note_report(struct sg_turn *turn, const uint8_t manifest[32], struct gone *gone)
{
    struct sg_cold_report report;

    sg_table_remove(turn->core->refused_of, sg_state_hash(manifest));
    if (sg_cold_report_of(turn->state, manifest, &report) != SG_OK)
        return;
    struct sg_object *one = &gone->report[gone->reports++];
    *one = (struct sg_object){0};
    memcpy(one->id, report.id, sizeof one->id);
}

static void
fill_entry(struct sg_turn *turn, const struct sg_dying *dying,
           Sgpb__Destroyed *body, struct gone *gone)
{
    size_t room = dying->count + 1;

    body->manifests = sg_turn_take(turn, room * sizeof *body->manifests);
    body->variants = sg_turn_take(turn, room * sizeof *body->variants);
    body->objects = sg_turn_take(turn, room * sizeof *body->objects);
    gone->object = sg_turn_take(turn, room * sizeof *gone->object);
    gone->flow = sg_turn_take(turn, room * sizeof *gone->flow);
    gone->report = sg_turn_take(turn, room * sizeof *gone->report);
    for (size_t i = 0; i < dying->count; i++) {
        const struct sg_dying_key *key = &dying->key[i];
        if (key->whole) {
            note_report(turn, key->manifest, gone);
            body->manifests[body->n_manifests++] =
                sg_pack_bytes(key->manifest, 32);
        } else
            body->variants[body->n_variants++] =
                sg_pack_bytes(key->variant, 16);
        if (key->rendition == 0)
            continue;
        const struct sg_rendition *one =
            sg_state_rendition(turn->state, key->rendition);
        forget_sending(turn, key->rendition);
        turn->core->rendition_used[key->rendition] = 0;
        turn->core->rendition_going[key->rendition] = 0;
        sg_table_remove(turn->core->render_tries,
                        sg_state_hash(one->parameters));
        gone->object[gone->count] = one->object;
        gone->flow[gone->count++] =
            sg_state_release(turn->state, one->release)->flow;
        body->objects[body->n_objects++] = one->seq;
    }
}

void
sg_destroy_done(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_dying *dying = turn->core->dying;
    Sgpb__Destroyed body = SGPB__DESTROYED__INIT;
    struct gone gone = {.count = 0};
    uint8_t name[48];

    if (!dying->busy)
        return;
    fill_entry(turn, dying, &body, &gone);
    body.table = event->u.destroyed.table;
    body.class_ = (char *)(uintptr_t)event->u.destroyed.class;
    body.ground = (char *)(uintptr_t)dying->ground;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_DESTROYED, &body.base);
    for (size_t i = 0; i < gone.count; i++) {
        remove_object(turn, &gone.object[i], seq);
        sg_policy_due_flow(turn->core, gone.flow[i], SG_DUE_SEND);
    }
    for (size_t i = 0; i < gone.reports; i++)
        remove_object(turn, &gone.report[i], seq);
    for (size_t i = 0; i < body.n_manifests; i++)
        remove_release(turn, body.manifests[i].data, seq);
    for (size_t i = 0; i < dying->count; i++)
        sg_overdue_gone(turn->core, name_of(&dying->key[i], name));
    end_dead(turn->core, true);
    dying->busy = false;
    dying->count = 0;
}

// The keys are still there. Each is looked for again when its time has come: it
// may be wanted by then. More than can be remembered are found again with the
// others, which wait for them.
void
sg_destroy_failed(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_core *core = turn->core;
    struct sg_dying *dying = core->dying;
    uint8_t name[48];

    (void)event;
    if (!dying->busy)
        return;
    core->destroy_after = turn->now + LOOK_US;
    for (size_t i = 0; i < dying->count; i++)
        if (!sg_overdue_failed(core, name_of(&dying->key[i], name), turn->now))
            core->destroy_after = turn->now + HALT_US;
    end_dead(core, false);
    dying->busy = false;
    dying->count = 0;
}

// ---- told by others ------------------------------------------------------------

void
sg_destroy_key(struct sg_core *core, const uint8_t manifest[32],
               const uint8_t *variant)
{
    // More than fit are found as left over at the next start.
    if (core->dead_count == SG_DYING_MAX)
        return;
    struct sg_dying_key *key = &core->dead[core->dead_count++];
    *key = (struct sg_dying_key){.whole = variant == NULL};
    memcpy(key->manifest, manifest, 32);
    if (variant != NULL)
        memcpy(key->variant, variant, 16);
}

void
sg_destroy_orphans(struct sg_turn *turn, const struct sg_event *event)
{
    static const uint8_t zeros[16];

    for (size_t i = 0; i < event->u.orphans.count; i++) {
        const uint8_t *name = event->u.orphans.names[i];
        bool own = memcmp(name + 32, zeros, 16) == 0;
        sg_destroy_key(turn->core, name, own ? NULL : name + 32);
    }
    turn->core->next_retention = 0;
}

void
sg_destroy_used(struct sg_turn *turn, uint32_t rendition)
{
    turn->core->rendition_used[rendition] = turn->now;
}

void
sg_destroy_lost(struct sg_core *core, uint32_t rendition)
{
    core->rendition_going[rendition] |= SG_GOING_DAMAGED;
    core->lost_due = true;
}

bool
sg_destroy_is_lost(const struct sg_core *core, uint32_t rendition)
{
    return core->rendition_going[rendition] != 0;
}
