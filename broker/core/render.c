#include "broker/core/render.h"

#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "schemas/proof/seal.h"

enum { MODE_FILE = 1, MODE_ROW = 3, VERDICT_ACCEPT = 1, TRIES = 3 };

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
    const struct sg_rendition *rendition = sg_state_rendition(state, index);
    uint8_t at[8];
    enum sg_err err = sg_table_put(state->rendition_of,
                                   sg_state_hash(rendition->parameters), index);

    sg_bytes_store_u64(at, rendition->seq);
    return err != SG_OK
               ? err
               : sg_table_put(state->rendition_at, sg_slice_of(at, 8), index);
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
wanted_by(struct sg_turn *turn, const struct sg_delivery *delivery,
          struct wanted *out)
{
    static const char label[] = "statgate/rendition/v1";
    const struct sg_release *release =
        sg_state_release(turn->state, delivery->release);
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, delivery->subscription);
    const Sgpb__MinCell *cell =
        sg_state_flow(turn->state, release->flow)->terms->min_cell;

    *out = (struct wanted){.rendition = SGPB__RENDITION__INIT};
    out->rendition.media = to->media == 0 ? release->media : to->media;
    out->rendition.key_filter = to->doc->key_filter;
    out->rendition.period = to->doc->period;
    out->converted = out->rendition.media != release->media;
    out->filtered =
        to->doc->key_filter[0] != '\0' || to->doc->period[0] != '\0';
    out->rendition.suppress_below = delivery->suppress_below;
    if (delivery->suppress_below != 0 && cell != NULL) {
        out->rendition.count_component = cell->count_component;
        out->rendition.when_component = cell->when_component;
        out->rendition.when_code = cell->when_code;
    }
    bool whole = !out->filtered && delivery->suppress_below == 0;
    out->rendition.with_proof =
        whole && (release->mode == MODE_ROW || !out->converted);
    out->packed = sg_pack_close(turn->arena, &out->rendition.base);
    struct sg_slice parts[] = {sg_slice_of(label, sizeof label),
                               sg_state_hash(release->manifest), out->packed};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out->parameters);
}

// ---- jobs --------------------------------------------------------------------------------

static void
start(struct sg_turn *turn, struct sg_pending_job *pending,
      const struct wanted *wanted)
{
    const struct sg_release *release =
        sg_state_release(turn->state, pending->release);
    struct sg_job *job = sg_inspect_job(turn, pending, release->flow,
                                        release->media, release->mode, 1);
    struct sg_job_item *item = sg_turn_take(turn, sizeof *item);
    const Sgpb__Accepted *detail = sg_release_detail(turn, pending->release);
    const Sgpb__Manifest *m =
        detail == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__manifest__descriptor,
                           sg_pack_slice(detail->manifest->manifest));
    struct sg_object spool, leaves;

    SG_ASSERT(m != NULL); // sg_render_want looked
    bool objects = sg_release_objects(turn, pending->release, &spool, &leaves);
    SG_ASSERT(objects);
    memcpy(item->manifest, release->manifest, 32);
    memcpy(item->content_root, m->content_root.data, 32);
    memcpy(item->file_commit, m->file_commit.data, 32);
    item->leaves_count = m->leaves;
    item->size = m->size;
    item->secret = true;
    if (pending->role == SG_JOB_WRITER) {
        item->input = leaves;
        item->source = spool;
        item->output = pending->output;
    } else {
        item->input = pending->output;
        item->source = leaves;
    }
    job->rendition = wanted->packed;
    job->items = item;
    sg_output_effect(turn->output, SG_EFFECT_START_JOB,
                     turn->state->next_seq - 1)
        ->u.start_job = job;
}

static void
new_output(struct sg_turn *turn, struct sg_pending_job *job)
{
    const struct sg_release *release =
        sg_state_release(turn->state, job->release);

    job->output = (struct sg_object){.purpose = SG_SEAL_VARIANT,
                                     .chunk_size = SG_LIMIT_CHUNK};
    sg_turn_draw(turn, job->output.id, 16);
    sg_turn_draw(turn, job->output.attempt, 16);
    sg_turn_draw(turn, job->output.variant, 16);
    memcpy(job->output.manifest, release->manifest, 32);
    struct sg_effect *effect = sg_output_effect(
        turn->output, SG_EFFECT_MAKE_KEY, turn->state->next_seq - 1);
    memcpy(effect->u.make_key.manifest, release->manifest, 32);
    memcpy(effect->u.make_key.variant, job->output.variant, 16);
}

uint32_t
sg_render_want(struct sg_turn *turn, uint32_t index)
{
    struct sg_core *core = turn->core;
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    struct wanted wanted;
    uint64_t tries = 0;

    wanted_by(turn, delivery, &wanted);
    struct sg_slice key = sg_state_hash(wanted.parameters);
    uint32_t found = sg_state_find(turn->state->rendition_of, key);
    if (found != 0 || sg_table_get(core->render_of, key, NULL))
        return found;
    if ((sg_table_get(core->render_tries, key, &tries) && tries >= TRIES) ||
        sg_pool_count(turn->state->renditions) >= core->renditions_cap ||
        sg_release_detail(turn, delivery->release) == NULL)
        return 0;
    struct sg_pending_job *job = sg_inspect_new_job(turn, SG_JOB_WRITER);
    if (job == NULL)
        return 0;
    job->release = delivery->release;
    job->delivery = index;
    memcpy(job->delivery_id, delivery->id, 16);
    memcpy(job->parameters, wanted.parameters, 32);
    if (sg_table_put(core->render_of, key, job->number) != SG_OK ||
        sg_table_put(core->render_tries, key, tries + 1) != SG_OK) {
        sg_table_clear(core->render_tries);
        sg_inspect_end_job(core, job);
        return 0;
    }
    new_output(turn, job);
    start(turn, job, &wanted);
    return 0;
}

// ---- answers --------------------------------------------------------------------------------

static Sgpb__Signed *
derivation(struct sg_turn *turn, const struct sg_pending_job *job,
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
write_made(struct sg_turn *turn, const struct sg_pending_job *job,
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
    sg_turn_append(turn, SG_ENTRY_OBJECT_MADE, &body.base);
    sg_policy_due_flow(turn->core, release->flow, SG_DUE_SEND);
}

static void
give_up(struct sg_turn *turn, const struct sg_pending_job *job)
{
    memcpy(sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT,
                            SG_AFTER_NOTHING)
               ->u.object_id,
           job->output.id, 16);
    sg_policy_due_flow(turn->core,
                       sg_state_release(turn->state, job->release)->flow,
                       SG_DUE_SEND);
}

// The writer's object counts only after a judge has read it back.
static bool
review(struct sg_turn *turn, const struct sg_pending_job *done,
       const Sgpb__DoneItem *item, const struct sg_job_output *made,
       const struct wanted *wanted)
{
    struct sg_pending_job *next;

    if (item->verdict != VERDICT_ACCEPT || !made->made ||
        item->content_root.len != 32 ||
        (next = sg_inspect_new_job(turn, SG_JOB_REVIEW)) == NULL)
        return false;
    uint64_t number = next->number;
    *next = *done;
    next->number = number;
    next->role = SG_JOB_REVIEW;
    next->output.chunks = made->chunks;
    next->output.bytes = made->bytes;
    memcpy(next->output.chunk_root, made->chunk_root, 32);
    memcpy(next->key_commit, made->key_commit, 32);
    memcpy(next->content_root, item->content_root.data, 32);
    next->rows_in = item->rows_in;
    next->rows_out = item->rows;
    next->proof_len = item->proof_len;
    next->suppressed = item->suppressed;
    enum sg_err err = sg_table_put(
        turn->core->render_of, sg_state_hash(done->parameters), next->number);
    SG_ASSERT(err == SG_OK);
    start(turn, next, wanted);
    return true;
}

void
sg_render_done(struct sg_turn *turn, const struct sg_pending_job *done,
               const Sgpb__Done *answer, const struct sg_event_job *job)
{
    uint32_t index = sg_state_find(turn->state->delivery_of,
                                   sg_slice_of(done->delivery_id, 16));
    const Sgpb__DoneItem *item = answer == NULL ? NULL : answer->items[0];
    struct wanted wanted;

    sg_table_remove(turn->core->render_of, sg_state_hash(done->parameters));
    if (index != 0)
        wanted_by(turn, sg_state_delivery(turn->state, index), &wanted);
    // Nobody wants it any more, or otherwise: it is not made.
    if (index == 0 || memcmp(wanted.parameters, done->parameters, 32) != 0 ||
        item == NULL) {
        give_up(turn, done);
        return;
    }
    if (done->role == SG_JOB_WRITER) {
        if (!review(turn, done, item, &job->outputs[0].output, &wanted))
            give_up(turn, done);
        return;
    }
    if (item->verdict != VERDICT_ACCEPT ||
        !sg_pack_is(item->content_root, done->content_root, 32)) {
        give_up(turn, done);
        return;
    }
    write_made(turn, done, &wanted, item);
}

void
sg_render_lost(struct sg_turn *turn, const struct sg_event *event)
{
    // The damage is the operator's to mend from a copy; deliveries of it stay
    // where they are and nothing is acknowledged that cannot be given.
    (void)event;
    turn->core->lost++;
}
