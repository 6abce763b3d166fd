#include "broker/core/render.h"

#include "broker/core/deliver.h"
#include "broker/core/destroy.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/lost.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "schemas/proof/seal.h"

enum {
    TOGETHER_BYTES = 1024 * 1024, // of small releases in one job
    MODE_ROW = 3,
    VERDICT_FAILED = 0,
    VERDICT_ACCEPT = 1,
    TRIES = 3,
    NO_SOURCE = 0x100, // beside the tries: what it is made from is damaged
};

// ---- apply --------------------------------------------------------------------------

enum sg_err
sg_render_open(struct sg_state *state, struct sg_rendition *rendition)
{
    rendition->doc =
        sg_pack_open(rendition->kept.mem, &sgpb__object_made__descriptor,
                     rendition->kept.body);
    if (rendition->doc == NULL || rendition->doc->n_sources != 1 ||
        rendition->doc->parameters_sha256.len != 32 ||
        rendition->doc->key_commit.len != 32)
        return SG_ERR_DAMAGE;
    rendition->release = sg_state_release_at(state, rendition->doc->sources[0]);
    if (rendition->release == 0 ||
        !sg_pack_object_open(
            rendition->doc->object,
            sg_state_release(state, rendition->release)->manifest,
            &rendition->object))
        return SG_ERR_DAMAGE;
    memcpy(rendition->parameters, rendition->doc->parameters_sha256.data, 32);
    return SG_OK;
}

enum sg_err
sg_render_index(struct sg_state *state, uint32_t index)
{
    struct sg_rendition *rendition = sg_pool_at(state->renditions, index);
    struct sg_release *of = sg_pool_at(state->releases, rendition->release);
    uint8_t at[8];
    rendition->next = of->first_rendition;
    of->first_rendition = index;
    enum sg_err err = sg_table_put(state->rendition_of,
                                   sg_state_hash(rendition->parameters), index);

    sg_bytes_store_u64(at, rendition->seq);
    if (err == SG_OK)
        err = sg_table_put(state->rendition_at, sg_slice_of(at, 8), index);
    return err != SG_OK
               ? err
               : sg_table_put(state->rendition_object,
                              sg_slice_of(rendition->object.id, 16), index);
}

void
sg_render_drop(struct sg_state *state, uint32_t index)
{
    struct sg_rendition *rendition = sg_pool_at(state->renditions, index);
    struct sg_slice parameters = sg_state_hash(rendition->parameters);
    struct sg_release *of = sg_pool_at(state->releases, rendition->release);
    uint32_t *link = &of->first_rendition;
    uint8_t at[8];

    while (*link != index)
        link = &((struct sg_rendition *)sg_pool_at(state->renditions, *link))
                    ->next;
    *link = rendition->next;
    sg_bytes_store_u64(at, rendition->seq);
    if (sg_state_find(state->rendition_of, parameters) == index)
        sg_table_remove(state->rendition_of, parameters);
    sg_table_remove(state->rendition_at, sg_slice_of(at, 8));
    sg_table_remove(state->rendition_object,
                    sg_slice_of(rendition->object.id, 16));
    sg_state_drop(&rendition->kept);
    sg_pool_give(state->renditions, index);
}

enum sg_err
sg_render_apply(struct sg_state *state, const struct sg_appended *entry,
                const void *body)
{
    uint32_t index = sg_pool_take(state->renditions);
    enum sg_err err;

    (void)body;
    if (index == 0)
        return SG_ERR_FULL;
    struct sg_rendition *rendition = sg_pool_at(state->renditions, index);
    rendition->seq = entry->seq;
    if (!sg_state_keep(&rendition->kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_render_open(state, rendition)) != SG_OK)
        return err;
    return sg_render_index(state, index);
}

// ---- parameters ------------------------------------------------------------------------

struct wanted {
    Sgpb__Rendition rendition;
    struct sg_slice packed;
    uint8_t parameters[32];
    bool converted, filtered;
};

static void
wanted_of(struct sg_turn *turn, const struct sg_release *release,
          const struct sg_subscription *to, uint32_t suppress_below,
          struct wanted *out)
{
    static const char label[] = "statgate/rendition/v1";
    const Sgpb__MinCell *cell =
        sg_state_flow(turn->state, release->flow)->terms->min_cell;

    *out = (struct wanted){.rendition = SGPB__RENDITION__INIT};
    out->rendition.media = to->media == 0 ? release->media : to->media;
    out->rendition.key_filter = to->doc->key_filter;
    out->rendition.period = to->doc->period;
    out->converted = out->rendition.media != release->media;
    out->filtered =
        to->doc->key_filter[0] != '\0' || to->doc->period[0] != '\0';
    out->rendition.suppress_below = suppress_below;
    if (suppress_below != 0 && cell != NULL) {
        out->rendition.count_component = cell->count_component;
        out->rendition.when_component = cell->when_component;
        out->rendition.when_code = cell->when_code;
    }
    bool whole = !out->filtered && suppress_below == 0;
    out->rendition.with_proof =
        whole && (release->mode == MODE_ROW || !out->converted);
    out->packed = sg_pack_close(turn->arena, &out->rendition.base);
    struct sg_slice parts[] = {sg_slice_of(label, sizeof label),
                               sg_state_hash(release->manifest), out->packed};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out->parameters);
}

static void
wanted_by(struct sg_turn *turn, const struct sg_delivery *delivery,
          struct wanted *out)
{
    wanted_of(turn, sg_state_release(turn->state, delivery->release),
              sg_state_subscription(turn->state, delivery->subscription),
              delivery->suppress_below, out);
}

uint32_t
sg_render_made(struct sg_turn *turn, const struct sg_release *release,
               const struct sg_subscription *to, uint32_t suppress_below)
{
    struct wanted wanted;

    wanted_of(turn, release, to, suppress_below, &wanted);
    return sg_state_find(turn->state->rendition_of,
                         sg_state_hash(wanted.parameters));
}

// ---- jobs --------------------------------------------------------------------------------

static struct sg_making *
making_at(const struct sg_core *core, uint32_t index)
{
    return sg_pool_at(core->makings, index);
}

static void
forget(struct sg_core *core, uint32_t index)
{
    sg_table_remove(core->render_of,
                    sg_state_hash(making_at(core, index)->parameters));
    sg_pool_give(core->makings, index);
}

// How often it was tried, and whether its sources failed.
static uint64_t
tried(const struct sg_core *core, const uint8_t parameters[32])
{
    uint64_t tries = 0;

    return sg_table_get(core->render_tries, sg_state_hash(parameters), &tries)
               ? tries
               : 0;
}

static bool
given_up(uint64_t tries)
{
    return (tries & (NO_SOURCE - 1)) >= TRIES;
}

// It was made, or given up for no fault of a worker: when it is wanted again,
// perhaps after its release came back into memory, that is its first try.
static void
not_tried(struct sg_core *core, const struct sg_making *making)
{
    sg_table_remove(core->render_tries, sg_state_hash(making->parameters));
}

// Its flow is looked at again. The release may have left memory, when nobody
// wants the rendition any more.
static void
due(struct sg_turn *turn, const struct sg_making *making)
{
    uint32_t release =
        sg_state_find(turn->state->release_of, sg_state_hash(making->manifest));

    if (release != 0)
        sg_policy_due_flow(turn->core,
                           sg_state_release(turn->state, release)->flow,
                           SG_DUE_SEND);
}

static void
new_output(struct sg_turn *turn, struct sg_making *making)
{
    making->output = (struct sg_object){.purpose = SG_SEAL_VARIANT,
                                        .chunk_size = SG_LIMIT_CHUNK};
    sg_turn_draw(turn, making->output.id, 16);
    sg_turn_draw(turn, making->output.attempt, 16);
    sg_turn_draw(turn, making->output.variant, 16);
    memcpy(making->output.manifest, making->manifest, 32);
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_MAKE_KEY, SG_AFTER_NOTHING);
    memcpy(effect->u.make_key.manifest, making->manifest, 32);
    memcpy(effect->u.make_key.variant, making->output.variant, 16);
}

// false: too many are being made; their ends wake us.
static bool
enqueue(struct sg_turn *turn, const struct sg_delivery *delivery,
        const struct wanted *wanted, uint64_t tries)
{
    struct sg_core *core = turn->core;
    struct sg_slice key = sg_state_hash(wanted->parameters);
    struct sg_object spool, leaves;
    uint32_t index = sg_pool_take(core->makings);

    if (index == 0)
        return false;
    const struct sg_release *release =
        sg_state_release(turn->state, delivery->release);
    if (!sg_release_objects(turn, release, &spool, &leaves) ||
        sg_table_put(core->render_of, key, index) != SG_OK) {
        sg_pool_give(core->makings, index);
        return false;
    }
    if (sg_table_put(core->render_tries, key, tries + 1) != SG_OK)
        sg_table_clear(core->render_tries); // full: the count begins again
    struct sg_making *making = making_at(core, index);
    making->release = delivery->release;
    memcpy(making->manifest, release->manifest, 32);
    making->bytes = spool.bytes;
    making->alone = tries > 0;
    memcpy(making->delivery_id, delivery->id, 16);
    memcpy(making->parameters, wanted->parameters, 32);
    core->render_waiting[core->render_waiting_count++] = index;
    return true;
}

uint32_t
sg_render_want(struct sg_turn *turn, uint32_t index)
{
    struct sg_core *core = turn->core;
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    struct wanted wanted;

    wanted_by(turn, delivery, &wanted);
    struct sg_slice key = sg_state_hash(wanted.parameters);
    uint64_t tries = tried(core, wanted.parameters);
    uint32_t found = sg_state_find(turn->state->rendition_of, key);
    if (found != 0 && sg_destroy_is_lost(core, found))
        return 0; // it goes first
    if (found != 0 || sg_table_get(core->render_of, key, NULL))
        return found;
    if (sg_state_release(turn->state, delivery->release)->destroyed_at != 0 ||
        sg_lost_release(core, delivery->release) || given_up(tries) ||
        sg_pool_count(turn->state->renditions) + sg_pool_count(core->makings) >=
            core->renditions_cap ||
        sg_release_detail(turn, delivery->release) == NULL)
        return 0;
    (void)enqueue(turn, delivery, &wanted, tries);
    return 0;
}

// Does the delivery that asked first still want just this? *wanted says what.
static bool
still_wanted(struct sg_turn *turn, const struct sg_making *making,
             struct wanted *wanted)
{
    uint32_t index = sg_state_find(turn->state->delivery_of,
                                   sg_slice_of(making->delivery_id, 16));

    if (index == 0 ||
        sg_state_release(turn->state, making->release)->destroyed_at != 0)
        return false;
    wanted_by(turn, sg_state_delivery(turn->state, index), wanted);
    return memcmp(wanted->parameters, making->parameters, 32) == 0;
}

static void
fill_item(struct sg_turn *turn, const struct sg_making *making, uint8_t role,
          struct sg_job_item *item)
{
    const Sgpb__Accepted *detail = sg_release_detail(turn, making->release);
    const Sgpb__Manifest *m =
        detail == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__manifest__descriptor,
                           sg_pack_slice(detail->manifest->manifest));
    struct sg_object spool, leaves;

    SG_ASSERT(m != NULL); // sg_render_want looked
    bool objects = sg_release_objects(
        turn, sg_state_release(turn->state, making->release), &spool, &leaves);
    SG_ASSERT(objects);
    memcpy(item->manifest, making->manifest, 32);
    memcpy(item->content_root, m->content_root.data, 32);
    memcpy(item->file_commit, m->file_commit.data, 32);
    item->leaves_count = m->leaves;
    item->size = m->size;
    item->secret = true;
    if (role == SG_JOB_WRITER) {
        item->input = leaves;
        item->source = spool;
        item->output = making->output;
    } else {
        item->input = making->output;
        item->source = leaves;
    }
}

static void
start(struct sg_turn *turn, const struct sg_pending_job *pending,
      const struct wanted *wanted)
{
    const struct sg_release *release = sg_state_release(
        turn->state, making_at(turn->core, pending->of[0])->release);
    struct sg_job *job =
        sg_inspect_job(turn, pending, release->flow, release->media,
                       release->mode, pending->count);
    struct sg_job_item *items =
        sg_turn_take(turn, pending->count * sizeof *items);

    for (size_t i = 0; i < pending->count; i++)
        fill_item(turn, making_at(turn->core, pending->of[i]), pending->role,
                  &items[i]);
    job->rendition = wanted->packed;
    job->items = items;
    sg_output_effect(turn->output, SG_EFFECT_START_JOB, SG_AFTER_NOTHING)
        ->u.start_job = job;
}

// One job has one structure, terms and rendition, and one publisher.
static bool
joins(const struct sg_turn *turn, const struct sg_making *first,
      const struct wanted *of_first, const struct sg_making *next,
      const struct wanted *of_next)
{
    const struct sg_release *a = sg_state_release(turn->state, first->release);
    const struct sg_release *b = sg_state_release(turn->state, next->release);

    return !first->alone && !next->alone && a->flow == b->flow &&
           a->media == b->media && a->mode == b->mode &&
           sg_slice_eq(of_first->packed, of_next->packed);
}

// Takes from the row what fits into one job; returns how many it looked at.
static size_t
collect(struct sg_turn *turn, size_t at, struct sg_pending_job *job,
        struct wanted *wanted)
{
    struct sg_core *core = turn->core;
    uint64_t bytes = 0;
    size_t from = at;

    for (; at < core->render_waiting_count && job->count < SG_LIMIT_JOB_BATCH;
         at++) {
        uint32_t index = core->render_waiting[at];
        struct sg_making *making = making_at(core, index);
        struct wanted next;
        if (!still_wanted(turn, making, &next) ||
            sg_release_detail(turn, making->release) == NULL) {
            due(turn, making);
            not_tried(core, making);
            forget(core, index);
            continue;
        }
        if (job->count > 0 &&
            (!joins(turn, making_at(core, job->of[0]), wanted, making, &next) ||
             bytes + making->bytes > TOGETHER_BYTES))
            break;
        if (job->count == 0)
            *wanted = next;
        bytes += making->bytes;
        job->of[job->count++] = index;
        new_output(turn, making);
    }
    return at - from;
}

void
sg_render_turn(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    struct wanted wanted = {0};
    size_t at = 0;

    while (at < core->render_waiting_count &&
           sg_inspect_has_room(core, SG_JOB_WRITER)) {
        struct sg_pending_job *job = sg_inspect_new_job(turn, SG_JOB_WRITER);
        if (job == NULL)
            break; // too many are running; their ends wake us
        at += collect(turn, at, job, &wanted);
        if (job->count > 0)
            start(turn, job, &wanted);
        else
            sg_inspect_end_job(core, job);
    }
    memmove(core->render_waiting, core->render_waiting + at,
            (core->render_waiting_count - at) * sizeof *core->render_waiting);
    core->render_waiting_count -= at;
}

enum sg_err
sg_render_stuck(struct sg_turn *turn, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    struct wanted wanted;

    wanted_by(turn, delivery, &wanted);
    struct sg_slice key = sg_state_hash(wanted.parameters);
    uint64_t tries = tried(turn->core, wanted.parameters);
    if (sg_state_find(turn->state->rendition_of, key) != 0 ||
        sg_table_get(turn->core->render_of, key, NULL))
        return SG_OK;
    if (sg_lost_release(turn->core, delivery->release))
        return SG_ERR_LOST;
    if (!given_up(tries))
        return SG_OK;
    return (tries & NO_SOURCE) != 0 ? SG_ERR_LOST : SG_ERR_INSPECTION;
}

static void
no_source(struct sg_core *core, const struct sg_making *making)
{
    (void)!sg_table_put(core->render_tries, sg_state_hash(making->parameters),
                        tried(core, making->parameters) | NO_SOURCE);
}

// Were its sources damaged? Asked when a worker could not work.
static void
check_sources(struct sg_turn *turn, const struct sg_making *making)
{
    struct sg_release release;
    struct sg_object spool, leaves;

    if (sg_release_named(turn->state, making->manifest, &release) != SG_OK ||
        !sg_release_objects(turn, &release, &spool, &leaves))
        return;
    sg_lost_check(turn, &spool);
    sg_lost_check(turn, &leaves);
}

// ---- answers --------------------------------------------------------------------------------

static Sgpb__Signed *
derivation(struct sg_turn *turn, const struct sg_making *job,
           const struct wanted *wanted)
{
    Sgpb__Derivation body = SGPB__DERIVATION__INIT;
    char *kinds[3];

    if (wanted->rendition.with_proof)
        return NULL;
    body.manifest_sha256 = sg_pack_bytes(job->output.manifest, 32);
    body.kinds = kinds;
    if (wanted->converted)
        kinds[body.n_kinds++] = (char *)(uintptr_t) "converted";
    if (wanted->filtered)
        kinds[body.n_kinds++] = (char *)(uintptr_t) "filtered";
    if (wanted->rendition.suppress_below != 0)
        kinds[body.n_kinds++] = (char *)(uintptr_t) "suppressed";
    body.parameters_sha256 = sg_pack_bytes(job->parameters, 32);
    body.rows_in = job->rows_in;
    body.rows_out = job->rows_out;
    body.content = sg_pack_bytes(job->content_root, 32);
    body.worker = (char *)(uintptr_t) "statgate-inspect " SG_VERSION;
    return sg_roster_sign(turn, SG_SIGN_DERIVATION, &body.base);
}

static void
write_made(struct sg_turn *turn, const struct sg_making *job,
           const struct wanted *wanted, const Sgpb__DoneItem *reviewed)
{
    Sgpb__ObjectMade body = SGPB__OBJECT_MADE__INIT;
    const struct sg_release *release =
        sg_state_release(turn->state, job->release);
    uint64_t source = release->seq;

    body.object = sg_pack_object(turn->arena, &job->output);
    body.sources = &source;
    body.n_sources = 1;
    body.kind = (char *)(uintptr_t) "rendition";
    body.parameters_sha256 = sg_pack_bytes(job->parameters, 32);
    body.observations = job->rows_out;
    body.facts = reviewed->facts;
    body.derivation = derivation(turn, job, wanted);
    body.media = wanted->rendition.media;
    body.proof_len = job->proof_len;
    body.key_commit = sg_pack_bytes(job->key_commit, 32);
    body.suppressed = job->suppressed;
    body.shared_proof_commit = reviewed->shared_proof_commit;
    sg_turn_append(turn, SG_ENTRY_OBJECT_MADE, &body.base);
    sg_destroy_used(turn, sg_state_find(turn->state->rendition_of,
                                        sg_state_hash(job->parameters)));
    sg_policy_due_flow(turn->core, release->flow, SG_DUE_SEND);
}

static void
give_up(struct sg_turn *turn, uint32_t index)
{
    const struct sg_making *making = making_at(turn->core, index);
    uint32_t release =
        sg_state_find(turn->state->release_of, sg_state_hash(making->manifest));

    memcpy(sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT,
                            SG_AFTER_NOTHING)
               ->u.object_id,
           making->output.id, 16);
    sg_destroy_key(turn->core, making->output.manifest, making->output.variant);
    due(turn, making);
    forget(turn->core, index);
    if (release != 0)
        sg_deliver_tell_release(turn, release);
}

static bool
written(struct sg_making *making, const Sgpb__DoneItem *item,
        const struct sg_job_output *made)
{
    if (item->verdict != VERDICT_ACCEPT || !made->made ||
        item->content_root.len != 32)
        return false;
    making->output.chunks = made->chunks;
    making->output.bytes = made->bytes;
    memcpy(making->output.chunk_root, made->chunk_root, 32);
    memcpy(making->key_commit, made->key_commit, 32);
    memcpy(making->content_root, item->content_root.data, 32);
    making->rows_in = item->rows_in;
    making->rows_out = item->rows;
    making->proof_len = item->proof_len;
    making->suppressed = item->suppressed;
    return true;
}

// The writer's objects count only after a judge has read them back.
static void
after_writer(struct sg_turn *turn, const struct sg_pending_job *done,
             const Sgpb__Done *answer, const struct sg_event_job *event)
{
    struct sg_core *core = turn->core;
    struct sg_pending_job *next = sg_inspect_new_job(turn, SG_JOB_REVIEW);
    struct wanted wanted = {0}, one;

    SG_ASSERT(next != NULL); // the writer's place was given back
    for (size_t i = 0; i < done->count; i++) {
        struct sg_making *making = making_at(core, done->of[i]);
        // Nobody wants it any more, or otherwise: it is not made.
        bool wants = still_wanted(turn, making, &one) &&
                     sg_release_detail(turn, making->release) != NULL;
        if (!wants)
            not_tried(core, making);
        if (!wants ||
            !written(making, answer->items[i], &event->outputs[i].output)) {
            give_up(turn, done->of[i]);
            continue;
        }
        if (next->count == 0)
            wanted = one;
        next->of[next->count++] = done->of[i];
    }
    if (next->count > 0)
        start(turn, next, &wanted);
    else
        sg_inspect_end_job(core, next);
}

static void
after_review(struct sg_turn *turn, const struct sg_pending_job *done,
             const Sgpb__Done *answer)
{
    struct wanted wanted;

    for (size_t i = 0; i < done->count; i++) {
        const struct sg_making *making = making_at(turn->core, done->of[i]);
        const Sgpb__DoneItem *item = answer->items[i];
        bool wants = still_wanted(turn, making, &wanted);
        bool right = item->verdict == VERDICT_ACCEPT &&
                     item->shared_proof_commit.len == 32 &&
                     sg_inspect_sound(item->facts) &&
                     sg_pack_is(item->content_root, making->content_root, 32);
        if (right || !wants)
            not_tried(turn->core, making);
        if (wants && right) {
            write_made(turn, making, &wanted, item);
            forget(turn->core, done->of[i]);
        } else {
            give_up(turn, done->of[i]);
        }
    }
}

void
sg_render_done(struct sg_turn *turn, const struct sg_pending_job *done,
               const Sgpb__Done *answer, const struct sg_event_job *job)
{
    for (size_t i = 0; i < done->count; i++)
        if (answer == NULL ? done->count == 1
                           : answer->items[i]->verdict == VERDICT_FAILED)
            check_sources(turn, making_at(turn->core, done->of[i]));
    if (answer != NULL && done->role == SG_JOB_WRITER) {
        after_writer(turn, done, answer, job);
    } else if (answer != NULL) {
        after_review(turn, done, answer);
    } else { // a worker died or lied: each is tried again, alone
        for (size_t i = 0; i < done->count; i++) {
            if (job->err == SG_ERR_LOST)
                no_source(turn->core, making_at(turn->core, done->of[i]));
            give_up(turn, done->of[i]);
        }
    }
}
