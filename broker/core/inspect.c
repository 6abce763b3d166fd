#include "broker/core/inspect.h"

#include "broker/core/choice.h"
#include "broker/core/flow.h"
#include "broker/core/publish.h"
#include "broker/core/refuse.h"
#include "broker/core/rehearse.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/roster.h"
#include "broker/core/upload.h"
#include "schemas/proof/seal.h"

enum {
    TOGETHER_BYTES = 1024 * 1024, // of small releases in one job
    TRIES = 2,
    VERDICT_ACCEPT = 1,
    VERDICT_REJECT = 2,
    MODE_FILE = 1,
};

// ---- jobs ------------------------------------------------------------------------

static uint32_t *
going_on(struct sg_core *core, uint8_t role)
{
    return &core->jobs_of[role > SG_JOB_JUDGE];
}

bool
sg_inspect_has_room(const struct sg_core *core, enum sg_job_role role)
{
    return core->jobs_of[role > SG_JOB_JUDGE] < core->jobs_cap;
}

struct sg_pending_job *
sg_inspect_new_job(struct sg_turn *turn, enum sg_job_role role)
{
    struct sg_core *core = turn->core;
    uint32_t index = sg_pool_take(core->jobs);
    uint8_t key[8];

    if (index == 0)
        return NULL;
    struct sg_pending_job *job = sg_pool_at(core->jobs, index);
    job->number = ++core->jobs_made;
    job->role = (uint8_t)role;
    ++*going_on(core, job->role);
    sg_bytes_store_u64(key, job->number);
    enum sg_err err = sg_table_put(core->job_of, sg_slice_of(key, 8), index);
    SG_ASSERT(err == SG_OK);
    return job;
}

void
sg_inspect_end_job(struct sg_core *core, struct sg_pending_job *job)
{
    uint8_t key[8];

    --*going_on(core, job->role);
    sg_bytes_store_u64(key, job->number);
    uint32_t index = sg_state_find(core->job_of, sg_slice_of(key, 8));
    sg_table_remove(core->job_of, sg_slice_of(key, 8));
    sg_pool_give(core->jobs, index);
}

static struct sg_slice
inspect_terms(struct sg_turn *turn, const Sgpb__FlowTerms *terms,
              uint32_t media, uint32_t mode)
{
    Sgpb__InspectTerms out = SGPB__INSPECT_TERMS__INIT;
    size_t count = terms->n_area_map;

    out.media = media;
    out.mode = mode;
    out.dataflow = terms->dataflow;
    out.require_conf_status = terms->require_conf_status;
    if (terms->min_cell != NULL) {
        out.min_cell = terms->min_cell->n;
        out.count_component = terms->min_cell->count_component;
        out.when_component = terms->min_cell->when_component;
        out.when_code = terms->min_cell->when_code;
    }
    out.n_area_from = out.n_area_to = count;
    out.area_from = sg_turn_take(turn, (count + 1) * sizeof *out.area_from);
    out.area_to = sg_turn_take(turn, (count + 1) * sizeof *out.area_to);
    for (size_t i = 0; i < count; i++) {
        out.area_from[i] = terms->area_map[i]->code;
        out.area_to[i] = terms->area_map[i]->jurisdiction;
    }
    return sg_pack_close(turn->arena, &out.base);
}

struct sg_job *
sg_inspect_job(struct sg_turn *turn, const struct sg_pending_job *pending,
               uint32_t flow, uint32_t media, uint32_t mode, size_t count)
{
    const Sgpb__FlowTerms *terms = sg_state_flow(turn->state, flow)->terms;
    struct sg_job *job = sg_turn_take(turn, sizeof *job);
    const struct sg_structure *structure =
        sg_flow_structure(turn->state, sg_pack_slice(terms->structure_sha256));

    SG_ASSERT(structure != NULL);
    *job = (struct sg_job){
        .job = pending->number,
        .role = (enum sg_job_role)pending->role,
        .structure = structure->object,
        .terms = inspect_terms(turn, terms, media, mode),
        .items = sg_turn_take(turn, count * sizeof(struct sg_job_item)),
        .count = count};
    memcpy(job->structure_sha256, structure->sha256, 32);
    return job;
}

static struct sg_object
new_object(struct sg_turn *turn, const uint8_t manifest[32], uint32_t purpose)
{
    struct sg_object object = {.purpose = purpose,
                               .chunk_size = SG_LIMIT_CHUNK};

    sg_turn_draw(turn, object.id, 16);
    sg_turn_draw(turn, object.attempt, 16);
    memcpy(object.manifest, manifest, 32);
    return object;
}

// What a job before this one made in its place.
static void
replace(struct sg_turn *turn, struct sg_object *old, struct sg_object made)
{
    if (sg_object_exists(old))
        memcpy(sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT,
                                SG_AFTER_NOTHING)
                   ->u.object_id,
               old->id, 16);
    *old = made;
}

static void
fill_item(struct sg_turn *turn, struct sg_job_item *item,
          struct sg_upload *upload, uint8_t role)
{
    const Sgpb__Manifest *m = upload->manifest;

    memcpy(item->manifest, upload->sha256, 32);
    memcpy(item->content_root, m->content_root.data, 32);
    memcpy(item->file_commit, m->file_commit.data, 32);
    item->embargo_us = m->claims->embargo_us;
    item->leaves_count = m->leaves;
    item->size = m->size;
    replace(turn, &upload->report,
            new_object(turn, upload->sha256, SG_SEAL_REPORT));
    item->report = upload->report;
    if (role == SG_JOB_READER) {
        item->input = upload->object;
        replace(turn, &upload->leaves,
                new_object(turn, upload->sha256, SG_SEAL_LEAVES));
        item->leaves = upload->leaves;
        return;
    }
    item->input = upload->leaves;
    item->secret = true;
    item->source = upload->object;
}

static void
start(struct sg_turn *turn, struct sg_pending_job *pending)
{
    const struct sg_upload *first = sg_upload_at(turn->core, pending->of[0]);
    struct sg_job *job =
        sg_inspect_job(turn, pending, first->flow, first->manifest->media,
                       first->manifest->mode, pending->count);
    struct sg_job_item *items =
        sg_turn_take(turn, pending->count * sizeof *items);

    for (size_t i = 0; i < pending->count; i++) {
        struct sg_upload *upload = sg_upload_at(turn->core, pending->of[i]);
        fill_item(turn, &items[i], upload, pending->role);
        upload->state = pending->role == SG_JOB_READER ? SG_UPLOAD_READING
                                                       : SG_UPLOAD_JUDGING;
        upload->job = pending->number;
    }
    job->items = items;
    sg_output_effect(turn->output, SG_EFFECT_START_JOB, SG_AFTER_NOTHING)
        ->u.start_job = job;
}

void
sg_inspect_ready(struct sg_turn *turn, uint32_t upload)
{
    struct sg_core *core = turn->core;

    SG_ASSERT(core->waiting_count < core->uploads_cap);
    core->waiting[core->waiting_count++] = upload;
}

static bool
joins(const struct sg_upload *a, const struct sg_upload *b)
{
    return a->flow == b->flow && a->manifest->media == b->manifest->media &&
           a->manifest->mode == b->manifest->mode && !a->alone && !b->alone &&
           a->bytes + b->bytes <= TOGETHER_BYTES;
}

void
sg_inspect_turn(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    size_t at = 0;

    while (at < core->waiting_count &&
           sg_inspect_has_room(core, SG_JOB_READER)) {
        struct sg_pending_job *job = sg_inspect_new_job(turn, SG_JOB_READER);
        if (job == NULL)
            break; // too many are running; their ends wake us
        const struct sg_upload *first = sg_upload_at(core, core->waiting[at]);
        uint64_t bytes = 0;
        while (at < core->waiting_count && job->count < SG_LIMIT_JOB_BATCH) {
            const struct sg_upload *next =
                sg_upload_at(core, core->waiting[at]);
            if (next != first &&
                (!joins(first, next) || bytes + next->bytes > TOGETHER_BYTES))
                break;
            bytes += next->bytes;
            job->of[job->count++] = core->waiting[at++];
        }
        start(turn, job);
    }
    memmove(core->waiting, core->waiting + at,
            (core->waiting_count - at) * sizeof *core->waiting);
    core->waiting_count -= at;
}

// ---- what came of them ---------------------------------------------------------

// The verdict on one upload is known.
static void
conclude(struct sg_turn *turn, uint32_t index, enum sg_err result)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);
    uint32_t flow = upload->flow;

    upload->result = result;
    upload->state = SG_UPLOAD_DONE;
    if (!upload->rehearse) {
        sg_inspect_settle(turn, flow);
        return;
    }
    sg_rehearse_record(turn, upload);
    sg_publish_result(turn, upload, result == SG_OK ? SG_ERR_REHEARSED : result,
                      SG_NO_ENTRY, false);
    sg_release_forget(turn, upload);
    sg_upload_drop(turn, index, false);
}

static void
take_output(struct sg_object *object, const struct sg_job_output *made)
{
    if (!made->made) {
        *object = (struct sg_object){0};
        return;
    }
    object->chunks = made->chunks;
    object->bytes = made->bytes;
    memcpy(object->chunk_root, made->chunk_root, 32);
}

static void
take_item(struct sg_upload *upload, const Sgpb__DoneItem *item,
          const struct sg_job_outputs *outputs, uint8_t role)
{
    if (role == SG_JOB_READER)
        take_output(&upload->leaves, &outputs->leaves);
    take_output(&upload->report, &outputs->report);
    if (item->report_sha256.len == 32)
        memcpy(upload->report_sha256, item->report_sha256.data, 32);
    snprintf(upload->component, sizeof upload->component, "%s",
             item->component);
    snprintf(upload->code, sizeof upload->code, "%s", item->code);
    upload->faults = item->faults;
    if (role == SG_JOB_JUDGE && item->facts != NULL)
        upload->facts = sg_pack_close(upload->mem, &item->facts->base);
}

bool
sg_inspect_sound(const Sgpb__Facts *facts)
{
    return facts != NULL && facts->n_parts > 0 &&
           facts->n_parts <= SG_PARTS_MAX;
}

// What a worker may say of content that it rejects.
static enum sg_err
rejected(const Sgpb__DoneItem *item)
{
    static const enum sg_err own[] = {SG_ERR_CONTENT, SG_ERR_ACTION,
                                      SG_ERR_EMBARGO};

    for (size_t i = 0; i < SG_COUNT_OF(own); i++)
        if (strcmp(item->code, sg_err_code(own[i])) == 0)
            return own[i];
    return SG_ERR_DATA;
}

// A judge accepts: then its root must be the one that was signed, and it counted
// as many leaves: a subscriber refuses a proof over others (statement.c).
static enum sg_err
judge(struct sg_upload *upload, const Sgpb__DoneItem *item)
{
    if (item->verdict == 0)
        return SG_ERR_INSPECTION;
    if (item->verdict != VERDICT_ACCEPT)
        return rejected(item);
    if (!sg_slice_eq(sg_pack_slice(item->content_root),
                     sg_pack_slice(upload->manifest->content_root)))
        return SG_ERR_CONTENT;
    if (upload->manifest->mode != MODE_FILE &&
        upload->manifest->leaves != item->rows) {
        snprintf(upload->component, sizeof upload->component, "leaves");
        return SG_ERR_CONTENT;
    }
    return sg_inspect_sound(item->facts) ? SG_OK : SG_ERR_INSPECTION;
}

static void
after_reader(struct sg_turn *turn, const struct sg_pending_job *done,
             const Sgpb__Done *answer, const struct sg_event_job *event)
{
    struct sg_pending_job *next = sg_inspect_new_job(turn, SG_JOB_JUDGE);

    SG_ASSERT(next != NULL); // the reader's place was given back
    for (size_t i = 0; i < done->count; i++) {
        struct sg_upload *upload = sg_upload_at(turn->core, done->of[i]);
        const Sgpb__DoneItem *item = answer->items[i];
        take_item(upload, item, &event->outputs[i], SG_JOB_READER);
        if (item->verdict == VERDICT_ACCEPT &&
            sg_object_exists(&upload->leaves))
            next->of[next->count++] = done->of[i];
        else
            conclude(turn, done->of[i],
                     item->verdict == VERDICT_REJECT ? rejected(item)
                                                     : SG_ERR_INSPECTION);
    }
    if (next->count > 0)
        start(turn, next);
    else
        sg_inspect_end_job(turn->core, next);
}

static void
after_judge(struct sg_turn *turn, const struct sg_pending_job *done,
            const Sgpb__Done *answer, const struct sg_event_job *event)
{
    for (size_t i = 0; i < done->count; i++) {
        struct sg_upload *upload = sg_upload_at(turn->core, done->of[i]);
        take_item(upload, answer->items[i], &event->outputs[i], SG_JOB_JUDGE);
        conclude(turn, done->of[i], judge(upload, answer->items[i]));
    }
}

// A worker died or lied: the releases of the job are tried alone, so that one
// cannot harm the others, and then given up. Or there was nothing whole to give
// a worker, for which the publisher is not blamed.
static void
after_failure(struct sg_turn *turn, const struct sg_pending_job *done,
              enum sg_err why)
{
    for (size_t i = 0; i < done->count; i++) {
        struct sg_upload *upload = sg_upload_at(turn->core, done->of[i]);
        // It made nothing, and what was made before is made again.
        replace(turn, &upload->report, (struct sg_object){0});
        replace(turn, &upload->leaves, (struct sg_object){0});
        if (++upload->tries < TRIES) {
            upload->alone = true;
            upload->state = SG_UPLOAD_WAITING;
            sg_inspect_ready(turn, done->of[i]);
        } else {
            conclude(turn, done->of[i],
                     why == SG_ERR_LOST ? why : SG_ERR_INSPECTION);
        }
    }
}

void
sg_inspect_done(struct sg_turn *turn, const struct sg_event *event)
{
    const struct sg_event_job *job = &event->u.job;
    uint8_t key[8];

    sg_bytes_store_u64(key, job->job);
    uint32_t index = sg_state_find(turn->core->job_of, sg_slice_of(key, 8));
    if (index == 0)
        return; // cancelled
    struct sg_pending_job *slot = sg_pool_at(turn->core->jobs, index);
    struct sg_pending_job *done = sg_turn_take(turn, sizeof *done);
    *done = *slot;
    sg_inspect_end_job(turn->core, slot);
    const Sgpb__Done *answer =
        job->err != SG_OK
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__done__descriptor, job->done);
    size_t items = done->count;
    if (answer != NULL &&
        (answer->job != job->job || answer->code[0] != '\0' ||
         answer->n_items != items || job->outputs_count != items))
        answer = NULL;
    if (done->role == SG_JOB_CHOICE)
        sg_choice_done(turn, done, answer);
    else if (done->role > SG_JOB_JUDGE)
        sg_render_done(turn, done, answer, job);
    else if (answer == NULL)
        after_failure(turn, done, job->err);
    else if (done->role == SG_JOB_READER)
        after_reader(turn, done, answer, job);
    else
        after_judge(turn, done, answer, job);
}

// ---- accepted or refused, in order ------------------------------------------------

// What allowed it to come may be gone: the key or the publisher from the roster,
// the terms, the flow.
static enum sg_err
still_may(const struct sg_turn *turn, const Sgpb__Manifest *m,
          const struct sg_flow *flow)
{
    if (flow->closed || !sg_pack_is(m->terms_sha256, flow->terms_sha256, 32))
        return SG_ERR_TERMS_CHANGED;
    return sg_publish_check_key(turn, m);
}

void
sg_inspect_settle(struct sg_turn *turn, uint32_t flow)
{
    struct sg_core *core = turn->core;

    for (uint32_t index = core->flow_pending[flow]; index != 0;
         index = core->flow_pending[flow]) {
        struct sg_upload *upload = sg_upload_at(core, index);
        const struct sg_flow *of = sg_state_flow(turn->state, flow);
        bool follows =
            upload->manifest->revision == of->revision + 1 &&
            sg_pack_is(upload->manifest->prev_manifest_sha256, of->head, 32);
        // One that a worker holds is waited for even when it cannot follow.
        if (upload->state != SG_UPLOAD_DONE &&
            (follows || upload->state > SG_UPLOAD_STORING))
            return;
        if (!follows)
            upload->result = SG_ERR_REVISION; // its predecessor was refused
        else if (upload->result == SG_OK)
            upload->result = still_may(turn, upload->manifest, of);
        core->flow_pending[flow] = upload->follows;
        if (upload->result == SG_OK)
            sg_release_accept(turn, index);
        else
            sg_release_refuse(turn, index);
    }
}

void
sg_inspect_failed(struct sg_turn *turn, uint32_t index, enum sg_err err)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);

    sg_upload_close(turn, upload);
    conclude(turn, index, err);
}
