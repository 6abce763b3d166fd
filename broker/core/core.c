#include "broker/core/core.h"

#include "broker/core/choice.h"
#include "broker/core/cold.h"
#include "broker/core/consented.h"
#include "broker/core/deliver.h"
#include "broker/core/destroy.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/lost.h"
#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/restored.h"
#include "broker/core/resume.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"
#include "broker/core/settle.h"
#include "broker/core/snapshot.h"
#include "broker/core/subscribe.h"
#include "broker/core/upload.h"

// ---- apply: one row an entry type -------------------------------------------

static enum sg_err
apply_genesis(struct sg_state *state, const struct sg_appended *entry,
              const void *body)
{
    const Sgpb__Genesis *genesis = body;

    if (entry->seq != 0 || strcmp(genesis->gate, state->gate) != 0 ||
        genesis->roster_sha256.len != 32)
        return SG_ERR_DAMAGE;
    memcpy(state->roster_pin, genesis->roster_sha256.data, 32);
    state->genesis_time = entry->time_us;
    state->epochs.now = genesis->epoch;
    return SG_OK;
}

// Evidence that changes nothing the core decides on.
static enum sg_err
apply_nothing(struct sg_state *state, const struct sg_appended *entry,
              const void *body)
{
    (void)state, (void)entry, (void)body;
    return SG_OK;
}

struct apply_row {
    enum sg_entry_type type;
    const ProtobufCMessageDescriptor *body;
    enum sg_err (*apply)(struct sg_state *state,
                         const struct sg_appended *entry, const void *body);
};

static const struct apply_row apply_rows[] = {
    {SG_ENTRY_GENESIS, &sgpb__genesis__descriptor, apply_genesis},
    {SG_ENTRY_EPOCH, &sgpb__epoch__descriptor, sg_restored_apply_epoch},
    {SG_ENTRY_ROSTER, &sgpb__roster_entry__descriptor, sg_roster_apply},
    {SG_ENTRY_KEY_REVOKED, &sgpb__key_revoked__descriptor,
     sg_roster_apply_revoked},
    {SG_ENTRY_TERMS, &sgpb__terms_entry__descriptor, sg_flow_apply_terms},
    {SG_ENTRY_FLOW_CLOSED, &sgpb__flow_closed__descriptor,
     sg_flow_apply_closed},
    {SG_ENTRY_STRUCTURE, &sgpb__structure_entry__descriptor,
     sg_flow_apply_structure},
    {SG_ENTRY_POLICY, &sgpb__policy_entry__descriptor, sg_policy_apply},
    {SG_ENTRY_APPROVAL, &sgpb__approval_entry__descriptor, apply_nothing},
    {SG_ENTRY_POLICY_ACTIVE, &sgpb__policy_active__descriptor,
     sg_policy_apply_active},
    {SG_ENTRY_GATE_STARTED, &sgpb__gate_started__descriptor, apply_nothing},
    {SG_ENTRY_GATE_STOPPED, &sgpb__gate_stopped__descriptor, apply_nothing},
    {SG_ENTRY_SNAPSHOT, &sgpb__snapshot_entry__descriptor, apply_nothing},
    {SG_ENTRY_ACCEPTED, &sgpb__accepted__descriptor, sg_release_apply},
    {SG_ENTRY_REFUSED, &sgpb__refused__descriptor, sg_release_apply_refused},
    {SG_ENTRY_CONFLICT, &sgpb__refused__descriptor, sg_release_apply_refused},
    {SG_ENTRY_RECALL, &sgpb__recall_entry__descriptor, sg_release_apply_recall},
    {SG_ENTRY_DESTROYED, &sgpb__destroyed__descriptor, sg_destroy_apply},
    {SG_ENTRY_OBJECT_MADE, &sgpb__object_made__descriptor, sg_render_apply},
    {SG_ENTRY_SUBSCRIPTION, &sgpb__subscription_entry__descriptor,
     sg_subscribe_apply},
    {SG_ENTRY_SUBSCRIPTION_ENDED, &sgpb__subscription_ended__descriptor,
     sg_subscribe_apply_ended},
    {SG_ENTRY_DECISION, &sgpb__decision__descriptor, sg_match_apply},
    {SG_ENTRY_DELIVERY, &sgpb__delivery_entry__descriptor,
     sg_deliver_apply_statement},
    {SG_ENTRY_KEY_RELEASED, &sgpb__key_released__descriptor,
     sg_deliver_apply_released},
    {SG_ENTRY_KEY_CANCELLED, &sgpb__key_cancelled__descriptor,
     sg_deliver_apply_cancelled},
    {SG_ENTRY_RECEIPT_ACK, &sgpb__receipt_ack_entry__descriptor,
     sg_deliver_apply_ack},
    {SG_ENTRY_STOPPED, &sgpb__delivery_stopped__descriptor,
     sg_deliver_apply_stopped},
    {SG_ENTRY_EXPIRED, &sgpb__delivery_stopped__descriptor,
     sg_deliver_apply_expired},
    {SG_ENTRY_DUTY_OWED, &sgpb__duty__descriptor, apply_nothing},
    {SG_ENTRY_AGREEMENT, &sgpb__agreement_entry__descriptor,
     sg_consented_apply_agreement},
    {SG_ENTRY_CONSENT_EVENT, &sgpb__consent_event_entry__descriptor,
     sg_consented_apply_event},
    {SG_ENTRY_STATEMENT, &sgpb__statement_entry__descriptor,
     sg_consented_apply_statement},
    {SG_ENTRY_PAYLOAD_READ, &sgpb__payload_read__descriptor, apply_nothing},
    {SG_ENTRY_ADMIN_ACT, &sgpb__admin_act__descriptor, apply_nothing},
    {SG_ENTRY_REFUSED_AGGREGATE, &sgpb__refused_aggregate__descriptor,
     apply_nothing},
    {SG_ENTRY_CHECKPOINT_KEY, &sgpb__checkpoint_key__descriptor, apply_nothing},
    {SG_ENTRY_TESTIMONY, &sgpb__testimony__descriptor,
     sg_restored_apply_testimony},
};

enum sg_err
sg_core_apply(struct sg_core *core, const struct sg_appended *entry)
{
    struct sg_state *state = core->state;
    const struct apply_row *row = NULL;

    if (entry->seq != state->next_seq || entry->time_us < state->last_time)
        return SG_ERR_DAMAGE;
    for (size_t i = 0; i < SG_COUNT_OF(apply_rows) && row == NULL; i++)
        if (apply_rows[i].type == entry->type)
            row = &apply_rows[i];
    if (row == NULL)
        return SG_ERR_DAMAGE;
    sg_arena_reset(core->scratch);
    const void *body = sg_pack_open(core->scratch, row->body, entry->body);
    if (body == NULL)
        return SG_ERR_DAMAGE;
    enum sg_err err = row->apply(state, entry, body);
    // Entry 13 changes nothing at all (take_snapshot).
    if (err == SG_OK && entry->type != SG_ENTRY_SNAPSHOT)
        err = sg_settle_leave(state, entry->seq);
    if (err != SG_OK)
        return err;
    state->next_seq = entry->seq + 1;
    state->last_time = entry->time_us;
    return SG_OK;
}

// Of a snapshot's copy: far above what fits the caps of limits.h.
#define SNAPSHOT_MAX ((size_t)64 << 30)
enum { SNAPSHOT_BLOCK = 1024 * 1024 };

// ---- decide: one row an event -----------------------------------------------

static void
on_message(struct sg_turn *turn, const struct sg_event *event)
{
    if (turn->state->roster.doc != NULL)
        sg_session_message(turn, event);
}

static void
on_gone(struct sg_turn *turn, const struct sg_event *event)
{
    sg_session_gone(turn, &event->u.peer);
}

static void
on_durable(struct sg_turn *turn, const struct sg_event *event)
{
    if (event->u.seq + 1 > turn->core->durable)
        turn->core->durable = event->u.seq + 1;
    if (turn->core->sends_wait) // for what can be read now
        turn->core->any_due = true;
}

static void
on_indexed(struct sg_turn *turn, const struct sg_event *event)
{
    sg_core_indexed(turn->core, event->u.seq);
}

// What lies there was signed and cannot be shown any more. The operator decides
// whether the gate goes on without it.
static void
on_log_damaged(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_core *core = turn->core;

    core->log_damaged = event->u.seq + 1;
    if (!core->options.stop_on_damage)
        return;
    core->halted = SG_ERR_DAMAGE;
    core->stopping = true;
    sg_output_effect(turn->output, SG_EFFECT_STOP, turn->state->next_seq - 1)
        ->u.reason = SG_ERR_DAMAGE;
}

static void
on_disk(struct sg_turn *turn, const struct sg_event *event)
{
    turn->core->disk_full = !event->u.disk.enough;
}

static void
on_refused(struct sg_turn *turn, const struct sg_event *event)
{
    turn->core->refused_handshakes += event->u.refused;
}

// Bytes that were no message had filled memory (S54).
static void
on_flooded(struct sg_turn *turn, const struct sg_event *event)
{
    const struct sg_key *key =
        turn->state->roster.doc == NULL
            ? NULL
            : sg_roster_by_curve(turn->state, event->u.curve_key);

    if (turn->core->stopping)
        return;
    if (key == NULL)
        turn->core->unknown_keys++;
    else
        (void)sg_refuse_input(turn, sg_roster_owner(turn->state, key)->id,
                              SG_ERR_PEER_CREDIT, "wire");
}

static void
on_clock(struct sg_turn *turn, const struct sg_event *event)
{
    Sgpb__GateStarted body = SGPB__GATE_STARTED__INIT;

    // The env does not follow the step; what expires goes by the later time.
    turn->core->clock_ahead = event->u.clock.to > event->u.clock.from
                                  ? event->u.clock.to - event->u.clock.from
                                  : 0;
    body.reason = (char *)(uintptr_t) "clock_stepped";
    body.clock_from = event->u.clock.from;
    body.clock_to = event->u.clock.to;
    sg_turn_append(turn, SG_ENTRY_GATE_STARTED, &body.base);
}

static void
on_stop(struct sg_turn *turn, const struct sg_event *event)
{
    Sgpb__GateStopped body = SGPB__GATE_STOPPED__INIT;

    (void)event;
    if (turn->core->stopping)
        return;
    turn->core->stopping = true;
    body.reason = (char *)(uintptr_t) "stop";
    sg_turn_append(turn, SG_ENTRY_GATE_STOPPED, &body.base);
}

// Nothing is acknowledged and nothing leaves any more: the end, at once, also of
// a gate that is quiet or was stopping.
static void
on_failed(struct sg_turn *turn, const struct sg_event *event)
{
    (void)event;
    turn->core->stopping = true;
    sg_output_effect(turn->output, SG_EFFECT_STOP, SG_AFTER_NOTHING)->u.reason =
        SG_ERR_IO;
}

static void
on_nothing(struct sg_turn *turn, const struct sg_event *event)
{
    (void)turn, (void)event; // it woke the core; end_turn does the rest
}

static void (*const on[])(struct sg_turn *, const struct sg_event *) = {
    [SG_EVENT_MESSAGE] = on_message,
    [SG_EVENT_PEER_GONE] = on_gone,
    [SG_EVENT_UPLOAD_STORED] = sg_upload_stored,
    [SG_EVENT_JOB_DONE] = sg_inspect_done,
    [SG_EVENT_KEY_SENT] = sg_deliver_key_sent,
    [SG_EVENT_KEY_NOT_SENT] = sg_deliver_key_not_sent,
    [SG_EVENT_DURABLE] = on_durable,
    [SG_EVENT_INDEX_AT] = on_indexed,
    [SG_EVENT_TIMER] = on_nothing,
    [SG_EVENT_DISK] = on_disk,
    [SG_EVENT_FLOODED] = on_flooded,
    [SG_EVENT_CLOCK_STEPPED] = on_clock,
    [SG_EVENT_ZAP_REFUSED] = on_refused,
    [SG_EVENT_OBJECT_LOST] = sg_lost_object,
    [SG_EVENT_LOG_DAMAGED] = on_log_damaged,
    [SG_EVENT_DESTROYED] = sg_destroy_done,
    [SG_EVENT_DESTROY_FAILED] = sg_destroy_failed,
    [SG_EVENT_ORPHANS] = sg_destroy_orphans,
    [SG_EVENT_STOP] = on_stop,
    [SG_EVENT_EVIDENCE_FAILED] = on_failed,
};
_Static_assert(SG_COUNT_OF(on) == SG_EVENT_COUNT, "an event without a row");

static struct sg_turn
turn_of(struct sg_core *core, const uint8_t *random, uint64_t now_us,
        struct sg_output *output)
{
    uint64_t last = core->state->last_time;

    return (struct sg_turn){.core = core,
                            .state = core->state,
                            .output = output,
                            .arena = output->arena,
                            .now = now_us > last ? now_us : last,
                            .random = random};
}

void
sg_core_decide(struct sg_core *core, const struct sg_event *event,
               uint64_t now_us, struct sg_output *output)
{
    struct sg_turn turn = turn_of(core, event->random, now_us, output);

    SG_ASSERT((unsigned)event->kind < SG_EVENT_COUNT);
    if (core->halted != SG_OK && event->kind != SG_EVENT_MESSAGE &&
        event->kind != SG_EVENT_EVIDENCE_FAILED)
        return; // of a log that is not whole nothing more is written
    if (core->stopping && core->halted == SG_OK &&
        event->kind == SG_EVENT_MESSAGE)
        return; // nothing new is begun; peers try again
    on[event->kind](&turn, event);
}

// Entry 13 says what the state was before it; it changes nothing of it, so the
// snapshot that is taken after it must give the same hash. Last of its turn:
// the effect is handed over before anything else is decided.
static uint64_t
take_snapshot(struct sg_turn *turn)
{
    Sgpb__SnapshotEntry body = SGPB__SNAPSHOT_ENTRY__INIT;
    struct sg_core *core = turn->core;
    struct sg_piece *pieces;
    uint8_t sha256[32];

    core->snapshot_mem = sg_arena_new(SNAPSHOT_MAX, SNAPSHOT_BLOCK);
    enum sg_err err =
        core->snapshot_mem == NULL
            ? SG_ERR_MEMORY
            : sg_snapshot_take(core, core->snapshot_mem, &pieces, sha256);
    core->snapshot_at = turn->state->next_seq; // if not now, then after as many
    if (err != SG_OK)
        return turn->state->next_seq - 1;
    body.at = turn->state->next_seq - 1;
    body.state_sha256 = sg_pack_bytes(sha256, sizeof sha256);
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_SNAPSHOT, &body.base);
    core->snapshot_at = seq + 1;
    if (sg_snapshot_lead(core, core->snapshot_mem, &pieces) != SG_OK)
        return seq;
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_SNAPSHOT, SG_AFTER_NOTHING);
    memcpy(effect->u.snapshot.state_sha256, sha256, sizeof sha256);
    effect->u.snapshot.pieces = pieces;
    return seq;
}

// Rows of what left memory go to the index behind the entries of the turn.
static void
give_rows(struct sg_turn *turn)
{
    const struct sg_row *row;

    while ((row = sg_core_row(turn->core)) != NULL) {
        struct sg_effect *effect =
            sg_output_effect(turn->output, SG_EFFECT_PUT_ROW, SG_AFTER_NOTHING);
        effect->u.row.table = row->table;
        effect->u.row.key = sg_slice_of(row->key, row->key_len);
        effect->u.row.value = sg_slice_of(row->value, row->value_len);
    }
}

// With an index that cannot be read nothing more can be decided; the next start
// makes it again from the log.
static void
stop_on_failure(struct sg_turn *turn)
{
    enum sg_err err = sg_cold_failed(turn->state);

    if (err == SG_OK || turn->core->halted != SG_OK)
        return;
    turn->core->halted = err;
    sg_output_effect(turn->output, SG_EFFECT_STOP, turn->state->next_seq - 1)
        ->u.reason = err;
}

static void
end_stop(struct sg_turn *turn)
{
    if (turn->core->stopped || turn->core->halted != SG_OK)
        return;
    turn->core->stopped = true;
    if (turn->state->roster.doc != NULL)
        sg_refuse_aggregate(turn, true);
    give_rows(turn);
    sg_output_effect(turn->output, SG_EFFECT_STOP, take_snapshot(turn));
}

// What a restored gate leaves until everybody was heard.
static void
decide_owed(struct sg_turn *turn)
{
    sg_policy_slice(turn);
    sg_match_timers(turn);
    sg_match_turn(turn);
    sg_deliver_turn(turn);
    sg_choice_turn(turn);
    sg_render_turn(turn);
}

void
sg_core_end_turn(struct sg_core *core, const uint8_t random[32],
                 uint64_t now_us, struct sg_output *output)
{
    struct sg_turn turn = turn_of(core, random, now_us, output);

    sg_arena_free(&core->snapshot_mem); // handed over with its turn
    if (core->stopping) {
        end_stop(&turn);
        return;
    }
    if (core->state->roster.doc == NULL)
        return;
    if (core->was_waiting && !core->state->epochs.waiting)
        sg_policy_due_all(core, SG_DUE_MATCH | SG_DUE_DECIDE | SG_DUE_SEND);
    core->was_waiting = core->state->epochs.waiting;
    sg_consented_expire(&turn);
    sg_upload_expire(&turn);
    if (!core->was_waiting)
        decide_owed(&turn);
    sg_consented_statements(&turn);
    sg_destroy_turn(&turn);
    sg_refuse_aggregate(&turn, false);
    give_rows(&turn);
    stop_on_failure(&turn);
    if (core->halted == SG_OK &&
        core->state->next_seq - core->snapshot_at >= core->snapshot_every)
        take_snapshot(&turn);
}

enum sg_err
sg_core_found(struct sg_core *core, struct sg_slice signed_roster,
              const uint8_t random[32], uint64_t now_us,
              struct sg_output *output, const char **what)
{
    struct sg_turn turn = turn_of(core, random, now_us, output);
    uint64_t seq;

    SG_ASSERT(core->state->roster.doc == NULL);
    return sg_roster_take(&turn, signed_roster, &seq, what);
}

void
sg_core_resume(struct sg_core *core, const char *reason,
               const uint8_t random[32], uint64_t now_us,
               struct sg_output *output)
{
    struct sg_turn turn = turn_of(core, random, now_us, output);

    core->durable = core->state->next_seq;
    sg_resume_all(&turn, reason);
}

// ---- life and questions -----------------------------------------------------

void
sg_core_log_is(struct sg_core *core, const struct sg_core_log *log)
{
    core->log = *log;
}

uint64_t
sg_core_next_seq(const struct sg_core *core)
{
    return core->state->next_seq;
}

uint64_t
sg_core_last_time(const struct sg_core *core)
{
    return core->state->last_time;
}

uint64_t
sg_core_due(const struct sg_core *core)
{
    uint64_t id, due = UINT64_MAX, at;
    bool waits = core->state->epochs.waiting;

    if ((!waits && sg_match_is_due(core)) || sg_consented_is_due(core))
        return 0;
    if (!waits && sg_timers_peek(core->timers, &id, &at))
        due = at;
    at = waits ? UINT64_MAX : sg_policy_due(core);
    due = at < due ? at : due;
    at = sg_destroy_due(core);
    due = at < due ? at : due;
    at = sg_consent_next_expiry(core->state->consent);
    return at != 0 && at < due ? at : due;
}

uint64_t
sg_core_stop_epoch(const struct sg_core *core, const uint8_t delivery[16])
{
    uint32_t index =
        sg_state_find(core->state->delivery_of, sg_slice_of(delivery, 16));

    if (core->halted != SG_OK)
        return UINT64_MAX; // a withdrawal may be what was lost: no key goes
    return index == 0 ? 0 : sg_deliver_stop_epoch(core->state, index);
}

bool
sg_core_has_roster(const struct sg_core *core)
{
    return core->state->roster.doc != NULL;
}

const struct sg_row *
sg_core_row(struct sg_core *core)
{
    return sg_cold_give(core->state);
}

void
sg_core_indexed(struct sg_core *core, uint64_t seq)
{
    sg_cold_indexed(core->state, seq);
}

static bool
structure_object(const struct sg_state *state, const uint8_t id[16])
{
    for (uint32_t i = sg_pool_next(state->structures, 0); i != 0;
         i = sg_pool_next(state->structures, i)) {
        const struct sg_structure *one = sg_pool_at(state->structures, i);
        if (memcmp(one->object.id, id, 16) == 0)
            return true;
    }
    return false;
}

// What the log names and has not destroyed; all other objects are left over
// from uploads and jobs that a crash ended. A look-up that fails: it is kept.
bool
sg_core_knows_object(const struct sg_core *core, const uint8_t id[16])
{
    const struct sg_state *state = core->state;
    struct sg_release release = {0};

    if (sg_table_get(state->rendition_object, sg_slice_of(id, 16), NULL) ||
        structure_object(state, id) ||
        sg_cold_report(state, sg_slice_of(id, 16)) != SG_ERR_NOT_FOUND)
        return true;
    enum sg_err err = sg_release_of_object(state, id, &release);
    return err == SG_OK ? release.destroyed_at == 0 : err != SG_ERR_NOT_FOUND;
}

bool
sg_core_is_structure_key(const struct sg_core *core, const uint8_t manifest[32],
                         const uint8_t variant[16])
{
    const struct sg_structure *structure =
        sg_flow_structure(core->state, sg_state_hash(manifest));

    return structure != NULL &&
           memcmp(structure->object.variant, variant, 16) == 0;
}

bool
sg_core_knows_key(const struct sg_core *core, const uint8_t manifest[32])
{
    const struct sg_state *state = core->state;
    struct sg_release release;

    if (sg_core_is_structure_key(core, manifest, (const uint8_t[16]){0}) ||
        sg_cold_report(state, sg_state_hash(manifest)) != SG_ERR_NOT_FOUND)
        return true;
    enum sg_err err = sg_release_named(state, manifest, &release);
    return err == SG_OK ? release.destroyed_at == 0 : err != SG_ERR_NOT_FOUND;
}

bool
sg_core_next_rendition(const struct sg_core *core, uint32_t *at,
                       const struct sg_object **object)
{
    *at = sg_pool_next(core->state->renditions, *at);
    if (*at == 0)
        return false;
    *object = &sg_state_rendition(core->state, *at)->object;
    return true;
}

struct sg_core *
sg_core_new(const struct sg_core_options *options)
{
    struct sg_arena *home = sg_arena_new(sizeof(struct sg_core) + 64, 0);
    struct sg_core *core;

    if (home == NULL)
        return NULL;
    core = sg_arena_take(home, sizeof *core);
    SG_ASSERT(core != NULL);
    core->home = home;
    core->options = *options;
    core->snapshot_every = options->snapshot_every != 0
                               ? options->snapshot_every
                               : SG_LIMIT_SNAPSHOT;
    uint8_t public_key[32];
    sg_crypto_signer_public(options->signer, public_key);
    sg_crypto_key_id(SG_ALG_ED25519, sg_state_hash(public_key),
                     core->sign_key_id);
    core->state = sg_state_new(options);
    core->options.gate =
        sg_slice_text(core->state == NULL ? "" : core->state->gate);
    if (core->state == NULL || !sg_volatile_open(core))
        sg_core_free(&core);
    return core;
}

void
sg_core_free(struct sg_core **core)
{
    if (*core == NULL)
        return;
    struct sg_arena *home = (*core)->home;
    sg_volatile_close(*core);
    sg_state_free(&(*core)->state);
    sg_arena_free(&home);
    *core = NULL;
}
