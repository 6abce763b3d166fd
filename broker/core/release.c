#include "broker/core/release.h"

#include "broker/core/cold.h"
#include "broker/core/destroy.h"
#include "broker/core/flow.h"
#include "broker/core/policy_admin.h"
#include "broker/core/publish.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/settle.h"
#include "broker/core/upload.h"
#include "schemas/proof/commit.h"

#define DAY_US (24 * 3600 * 1000000ull)

// ---- apply -----------------------------------------------------------------------

static struct sg_slice
place_key(uint8_t key[12], uint32_t flow, uint64_t revision)
{
    sg_bytes_store_u32(key, flow);
    sg_bytes_store_u64(key + 4, revision);
    return sg_slice_of(key, 12);
}

static void
link_in(struct sg_state *state, struct sg_flow *flow, uint32_t index)
{
    struct sg_release *release = sg_pool_at(state->releases, index);
    uint32_t after = flow->last_release;

    while (after != 0 &&
           sg_state_release(state, after)->revision > release->revision)
        after = sg_state_release(state, after)->prev;
    release->prev = after;
    release->next =
        after == 0 ? flow->first_release : sg_state_release(state, after)->next;
    if (after == 0)
        flow->first_release = index;
    else
        ((struct sg_release *)sg_pool_at(state->releases, after))->next = index;
    if (release->next == 0)
        flow->last_release = index;
    else
        ((struct sg_release *)sg_pool_at(state->releases, release->next))
            ->prev = index;
}

enum sg_err
sg_release_index(struct sg_state *state, uint32_t index)
{
    struct sg_release *release = sg_pool_at(state->releases, index);
    uint8_t at[8], place[12];
    enum sg_err err;

    sg_bytes_store_u64(at, release->seq);
    if ((err = sg_table_put(state->release_of, sg_state_hash(release->manifest),
                            index)) != SG_OK ||
        (err = sg_table_put(state->release_at, sg_slice_of(at, 8), index)) !=
            SG_OK ||
        (err = sg_table_put(state->release_by,
                            place_key(place, release->flow, release->revision),
                            index)) != SG_OK ||
        (err = sg_table_put(state->seeds, sg_state_hash(release->seed_commit),
                            index)) != SG_OK)
        return err;
    link_in(state, sg_pool_at(state->flows, release->flow), index);
    return SG_OK;
}

void
sg_release_unindex(struct sg_state *state, uint32_t index)
{
    const struct sg_release *release = sg_state_release(state, index);
    struct sg_flow *flow = sg_pool_at(state->flows, release->flow);
    uint8_t at[8], place[12];

    sg_bytes_store_u64(at, release->seq);
    sg_table_remove(state->release_of, sg_state_hash(release->manifest));
    sg_table_remove(state->release_at, sg_slice_of(at, 8));
    sg_table_remove(state->release_by,
                    place_key(place, release->flow, release->revision));
    sg_table_remove(state->seeds, sg_state_hash(release->seed_commit));
    if (release->prev == 0)
        flow->first_release = release->next;
    else
        ((struct sg_release *)sg_pool_at(state->releases, release->prev))
            ->next = release->next;
    if (release->next == 0)
        flow->last_release = release->prev;
    else
        ((struct sg_release *)sg_pool_at(state->releases, release->next))
            ->prev = release->prev;
}

static enum sg_err
fill(const struct sg_state *state, struct sg_release *release,
     const Sgpb__Accepted *body, const Sgpb__Manifest *m)
{
    const Sgpb__Participant *who =
        sg_roster_participant(state, sg_slice_text(m->publisher));
    const struct sg_flow *flow = sg_state_flow(state, release->flow);
    enum sg_attr attr;

    if (who == NULL || m->claims == NULL || body->manifest_sha256.len != 32 ||
        m->seed_commit.len != 32 || m->revision != flow->revision + 1 ||
        !sg_publish_codes(flow->terms, m->claims, who->jurisdiction,
                          release->codes, &attr))
        return SG_ERR_DAMAGE;
    release->revision = m->revision;
    release->embargo_us = m->claims->embargo_us;
    release->retain_until = body->retain_until;
    release->media = (uint8_t)m->media;
    release->mode = (uint8_t)m->mode;
    release->chunk_size = m->chunk_size;
    memcpy(release->manifest, body->manifest_sha256.data, 32);
    memcpy(release->seed_commit, m->seed_commit.data, 32);
    return SG_OK;
}

// Details of old releases are read from the log again when they are wanted; the
// newest stay at hand, because what is not durable cannot be read.
static void
trim(struct sg_state *state, uint64_t newest)
{
    uint64_t *place = &state->detailed[state->details++ % SG_DETAILS_MAX];
    uint32_t old = *place == 0 ? 0 : sg_state_release_at(state, *place);

    *place = newest;
    if (old == 0)
        return;
    struct sg_release *release = sg_pool_at(state->releases, old);
    sg_state_drop(&release->kept);
    release->doc = NULL;
}

static enum sg_err
put_objects(struct sg_state *state, const struct sg_release *release,
            const Sgpb__Accepted *body)
{
    const Sgpb__ObjectRef *const refs[] = {body->spool, body->leaves,
                                           body->report};
    enum sg_err err = SG_OK;

    for (size_t i = 0; i < SG_COUNT_OF(refs) && err == SG_OK; i++)
        if (refs[i] != NULL)
            err = refs[i]->id.len != 16
                      ? SG_ERR_DAMAGE
                      : sg_cold_put_object(state, refs[i]->id.data,
                                           release->flow, release->revision);
    return err;
}

enum sg_err
sg_release_apply(struct sg_state *state, const struct sg_appended *entry,
                 const void *body)
{
    const Sgpb__Accepted *shown = body;
    struct sg_release next = {.seq = entry->seq, .time = entry->time_us};
    enum sg_err err;

    next.flow = sg_state_find(state->flow_of, sg_slice_text(shown->flow));
    if (next.flow == 0 || shown->manifest == NULL)
        return SG_ERR_DAMAGE;
    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    next.doc = sg_pack_open(next.kept.mem, &sgpb__accepted__descriptor,
                            next.kept.body);
    const Sgpb__Manifest *m =
        next.doc == NULL
            ? NULL
            : sg_pack_open(next.kept.mem, &sgpb__manifest__descriptor,
                           sg_pack_slice(next.doc->manifest->manifest));
    err = m == NULL ? SG_ERR_DAMAGE : fill(state, &next, next.doc, m);
    uint32_t index = err == SG_OK ? sg_pool_take(state->releases) : 0;
    if (index == 0) {
        sg_state_drop(&next.kept);
        return err == SG_OK ? SG_ERR_FULL : err;
    }
    struct sg_flow *flow = sg_pool_at(state->flows, next.flow);
    uint32_t before = flow->head_release;
    *(struct sg_release *)sg_pool_at(state->releases, index) = next;
    flow->revision = next.revision;
    memcpy(flow->head, next.manifest, 32);
    flow->head_release = index;
    flow->head_time = next.time;
    if ((err = sg_release_index(state, index)) != SG_OK ||
        (err = put_objects(state, &next, shown)) != SG_OK ||
        (err = sg_cold_keep_report(state, next.manifest)) != SG_OK)
        return err;
    trim(state, entry->seq);
    if (before != 0)
        sg_settle_superseded(state, before, entry->seq);
    return SG_OK;
}

// The order names the release also when it is no longer in memory.
static enum sg_err
recall_cold(struct sg_state *state, const Sgpb__RecallEntry *recall,
            uint64_t seq)
{
    const Sgpb__RecallOrder *order =
        recall->order == NULL
            ? NULL
            : sg_pack_open(state->scratch, &sgpb__recall_order__descriptor,
                           sg_pack_slice(recall->order->body));
    uint32_t flow = order == NULL ? 0
                                  : sg_state_find(state->flow_of,
                                                  sg_slice_text(order->flow));
    struct sg_release release;

    if (flow == 0)
        return SG_ERR_DAMAGE;
    enum sg_err err =
        sg_cold_release(state, flow, order->revision, true, &release);
    if (err != SG_OK || release.seq != recall->release)
        return err == SG_OK || err == SG_ERR_NOT_FOUND ? SG_ERR_DAMAGE : err;
    if (release.recalled_at == 0)
        release.recalled_at = seq;
    return sg_cold_amend(state, &release);
}

enum sg_err
sg_release_apply_recall(struct sg_state *state, const struct sg_appended *entry,
                        const void *body)
{
    const Sgpb__RecallEntry *recall = body;
    uint32_t index = sg_state_release_at(state, recall->release);

    if (index == 0)
        return recall_cold(state, recall, entry->seq);
    struct sg_release *release = sg_pool_at(state->releases, index);
    if (release->recalled_at == 0)
        release->recalled_at = entry->seq;
    return SG_OK;
}

enum sg_err
sg_release_apply_refused(struct sg_state *state,
                         const struct sg_appended *entry, const void *body)
{
    const Sgpb__Refused *refused = body;

    if (refused->report == NULL)
        return SG_OK;
    if (refused->report->id.len != 16 || refused->manifest_sha256.len != 32)
        return SG_ERR_DAMAGE;
    return sg_cold_put_report(state, refused->report->id.data,
                              refused->manifest_sha256.data,
                              entry->time_us + SG_LIMIT_REPORT_DAYS * DAY_US);
}

// ---- asking ------------------------------------------------------------------------

uint32_t
sg_release_find(const struct sg_state *state, uint32_t flow, uint64_t revision)
{
    uint8_t key[12];

    return sg_state_find(state->release_by, place_key(key, flow, revision));
}

enum sg_err
sg_release_look(const struct sg_state *state, uint32_t flow, uint64_t revision,
                struct sg_release *release)
{
    uint32_t index = sg_release_find(state, flow, revision);

    if (index == 0)
        return revision > sg_state_flow(state, flow)->revision
                   ? SG_ERR_NOT_FOUND
                   : sg_cold_release(state, flow, revision, false, release);
    *release = *sg_state_release(state, index);
    return SG_OK;
}

enum sg_err
sg_release_named(const struct sg_state *state, const uint8_t manifest[32],
                 struct sg_release *release)
{
    uint32_t index = sg_state_find(state->release_of, sg_state_hash(manifest));

    if (index == 0)
        return sg_cold_by_manifest(state, manifest, false, release);
    *release = *sg_state_release(state, index);
    return SG_OK;
}

enum sg_err
sg_release_of_object(const struct sg_state *state, const uint8_t id[16],
                     struct sg_release *release)
{
    uint32_t flow;
    uint64_t revision;
    enum sg_err err = sg_cold_object(state, id, &flow, &revision);

    if (err != SG_OK)
        return err;
    err = sg_release_look(state, flow, revision, release);
    return err == SG_ERR_NOT_FOUND ? SG_ERR_CORRUPT : err; // it was accepted
}

const Sgpb__Accepted *
sg_release_detail(struct sg_turn *turn, uint32_t index)
{
    return sg_release_detail_of(turn, sg_state_release(turn->state, index));
}

const Sgpb__Accepted *
sg_release_detail_of(struct sg_turn *turn, const struct sg_release *release)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    struct sg_slice body;

    if (release->doc != NULL)
        return release->doc;
    if (!lookup->entry(lookup->ctx, release->seq, turn->arena, &body))
        return NULL;
    return sg_pack_open(turn->arena, &sgpb__accepted__descriptor, body);
}

bool
sg_release_objects(struct sg_turn *turn, const struct sg_release *release,
                   struct sg_object *spool, struct sg_object *leaves)
{
    const Sgpb__Accepted *doc = sg_release_detail_of(turn, release);

    if (doc == NULL ||
        !sg_pack_object_open(doc->spool, release->manifest, spool) ||
        !sg_pack_object_open(doc->leaves, release->manifest, leaves))
        return false;
    spool->chunk_size = release->chunk_size;
    return true;
}

// ---- accepted ------------------------------------------------------------------------

static void
remove_object(struct sg_turn *turn, const struct sg_object *object,
              uint64_t after_seq)
{
    if (!sg_object_exists(object))
        return;
    memcpy(sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT, after_seq)
               ->u.object_id,
           object->id, 16);
}

void
sg_release_forget(struct sg_turn *turn, const struct sg_upload *upload)
{
    remove_object(turn, &upload->leaves, SG_AFTER_NOTHING);
    remove_object(turn, &upload->report, SG_AFTER_NOTHING);
    sg_destroy_key(turn->core, upload->sha256, NULL);
}

// Microseconds; 0: no end, and so has one that lies beyond all times.
static uint64_t
end_of(const struct sg_turn *turn, uint32_t days)
{
    return days > (UINT64_MAX - turn->now) / DAY_US ? 0
           : days == 0                              ? 0
                                                    : turn->now + days * DAY_US;
}

void
sg_release_accept(struct sg_turn *turn, uint32_t index)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);
    const Sgpb__Manifest *m = upload->manifest;
    const struct sg_flow *flow = sg_state_flow(turn->state, upload->flow);
    Sgpb__Accepted body = SGPB__ACCEPTED__INIT;
    uint32_t days = m->claims->retention_days != 0
                        ? m->claims->retention_days
                        : flow->terms->retention_days;
    uint8_t commit[32];

    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.publisher = m->publisher;
    body.flow = m->flow;
    body.revision = m->revision;
    body.manifest_sha256 = sg_pack_bytes(upload->sha256, 32);
    if (sg_object_exists(&upload->report)) {
        sg_commit_report(upload->report_salt, upload->report_sha256, commit);
        body.report_commit = sg_pack_bytes(commit, 32);
    }
    sg_policy_digests(turn, &body.policy_digests, &body.n_policy_digests);
    body.roster_sha256 = sg_pack_bytes(turn->state->roster.sha256, 32);
    body.manifest =
        sg_pack_open(turn->arena, &sgpb__signed_manifest__descriptor,
                     upload->signed_manifest);
    body.spool = sg_pack_object(turn->arena, &upload->object);
    body.leaves = sg_pack_object(turn->arena, &upload->leaves);
    body.report = sg_pack_object(turn->arena, &upload->report);
    body.facts =
        sg_pack_open(turn->arena, &sgpb__facts__descriptor, upload->facts);
    SG_ASSERT(body.manifest != NULL && body.facts != NULL);
    body.retain_until = end_of(turn, days);
    body.terms = flow->seq;
    body.structure =
        sg_flow_structure(turn->state,
                          sg_pack_slice(flow->terms->structure_sha256))
            ->seq;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_ACCEPTED, &body.base);
    sg_publish_result(turn, upload, SG_OK, seq, false);
    sg_policy_due_flow(turn->core, upload->flow, SG_DUE_MATCH);
    sg_upload_drop(turn, index, true);
}

void
sg_release_refuse(struct sg_turn *turn, uint32_t index)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);
    bool report = sg_object_exists(&upload->report);
    struct sg_cold_report old;
    struct sg_object before = {0};
    uint8_t commit[32];

    // Of the same manifest, refused before: this one is in its place.
    if (sg_cold_report_of(turn->state, upload->sha256, &old) == SG_OK)
        memcpy(before.id, old.id, sizeof before.id);

    sg_commit_report(upload->report_salt, upload->report_sha256, commit);
    uint64_t seq = sg_refuse_record(
        turn, &(struct sg_refused){.publisher = upload->owner,
                                   .manifest = upload->manifest,
                                   .manifest_sha256 = upload->sha256,
                                   .code = upload->result,
                                   .worker_code = upload->code,
                                   .component = upload->component,
                                   .count = upload->faults,
                                   .report = report ? &upload->report : NULL,
                                   .report_commit = report ? commit : NULL});
    sg_publish_result(turn, upload, upload->result,
                      seq == 0 ? SG_NO_ENTRY : seq, false);
    remove_object(turn, &upload->leaves, SG_AFTER_NOTHING);
    if (seq == 0)
        remove_object(turn, &upload->report, SG_AFTER_NOTHING);
    else if (report)
        remove_object(turn, &before, seq);
    if (seq == 0 || !report) // nothing that its key opens is left
        sg_destroy_key(turn->core, upload->sha256, NULL);
    if (seq != 0 && sg_table_put(turn->core->refused_of,
                                 sg_state_hash(upload->sha256), seq) != SG_OK)
        sg_table_clear(turn->core->refused_of); // only a short way to reports
    sg_upload_drop(turn, index, false);
}

// ---- recall --------------------------------------------------------------------------

void
sg_release_recall(struct sg_turn *turn)
{
    const Sgpb__Signed *document = turn->envelope->recall->order;
    const Sgpb__RecallOrder *order =
        document == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__recall_order__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__RecallEntry body = SGPB__RECALL_ENTRY__INIT;
    enum sg_err err = SG_OK;

    if (order == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "order");
        return;
    }
    uint32_t flow =
        sg_state_find(turn->state->flow_of, sg_slice_text(order->flow));
    struct sg_release release = {0};
    enum sg_err found = flow == 0 ? SG_ERR_NOT_FOUND
                                  : sg_release_look(turn->state, flow,
                                                    order->revision, &release);
    const struct sg_key *key =
        sg_roster_signer(turn, document, SG_SIGN_RECALL, SG_USE_SIGN, &err);
    if (key != NULL &&
        (found != SG_OK ||
         strcmp(sg_roster_owner(turn->state, key)->id,
                sg_state_flow(turn->state, flow)->terms->provider) != 0))
        err = SG_ERR_FLOW;
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, "order");
        return;
    }
    body.release = release.seq;
    body.kind = order->kind;
    body.deadline = order->deadline;
    body.order = (Sgpb__Signed *)(uintptr_t)document;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_RECALL, &body.base);
    sg_policy_due_flow(turn->core, flow, SG_DUE_DECIDE);
    sg_turn_receipt(turn, seq, false);
}
