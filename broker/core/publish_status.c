#include "broker/core/flow.h"
#include "broker/core/publish.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "broker/core/upload.h"

static const char *const words[] = {
    [SG_UPLOAD_OPEN] = "uploading",     [SG_UPLOAD_STORING] = "storing",
    [SG_UPLOAD_WAITING] = "waiting",    [SG_UPLOAD_READING] = "reading",
    [SG_UPLOAD_JUDGING] = "inspecting", [SG_UPLOAD_DONE] = "inspected"};

static const struct sg_upload *
wanted(const struct sg_turn *turn, const Sgpb__PublishStatus *asked)
{
    const struct sg_core *core = turn->core;

    for (uint32_t i = sg_pool_next(core->uploads, 0); i != 0;
         i = sg_pool_next(core->uploads, i)) {
        const struct sg_upload *upload = sg_upload_at(core, i);
        if (strcmp(upload->owner, turn->who->id) != 0)
            continue;
        if (upload->token == asked->upload ||
            (upload->manifest != NULL &&
             strcmp(upload->manifest->flow, asked->flow) == 0 &&
             upload->manifest->revision == asked->revision))
            return upload;
    }
    return NULL;
}

void
sg_publish_status(struct sg_turn *turn)
{
    const Sgpb__PublishStatus *asked = turn->envelope->publish_status;
    const struct sg_upload *upload = wanted(turn, asked);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Progress progress = SGPB__PROGRESS__INIT;
    uint32_t flow = sg_flow_find(turn->state, asked->flow);

    if (upload != NULL) {
        progress.state = (char *)(uintptr_t)words[upload->state];
        progress.chunks = upload->next_chunk;
    } else {
        // Every number up to the last accepted one was accepted.
        if (flow == 0 ||
            strcmp(sg_state_flow(turn->state, flow)->terms->provider,
                   turn->who->id) != 0 ||
            asked->revision == 0 ||
            asked->revision > sg_state_flow(turn->state, flow)->revision) {
            sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "revision");
            return;
        }
        progress.state = (char *)(uintptr_t) "accepted";
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_PROGRESS;
    envelope.progress = &progress;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

// The object that a release's report lies in; only its publisher is told.
static bool
report_of(struct sg_turn *turn, struct sg_slice manifest,
          struct sg_object *object)
{
    struct sg_release release;
    uint64_t at;
    struct sg_slice body;

    if (sg_release_named(turn->state, manifest.ptr, &release) == SG_OK) {
        const Sgpb__Accepted *doc = sg_release_detail_of(turn, &release);
        return doc != NULL && strcmp(doc->publisher, turn->who->id) == 0 &&
               sg_pack_object_open(doc->report, manifest.ptr, object);
    }
    if (!sg_table_get(turn->core->refused_of, manifest, &at) ||
        !turn->core->options.lookup.entry(turn->core->options.lookup.ctx, at,
                                          turn->arena, &body))
        return false;
    const Sgpb__Refused *refused =
        sg_pack_open(turn->arena, &sgpb__refused__descriptor, body);
    return refused != NULL && strcmp(refused->publisher, turn->who->id) == 0 &&
           sg_pack_object_open(refused->report, manifest.ptr, object);
}

void
sg_publish_report(struct sg_turn *turn)
{
    struct sg_slice manifest =
        sg_pack_slice(turn->envelope->report_get->manifest_sha256);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ReportIs is = SGPB__REPORT_IS__INIT;
    struct sg_object object;

    if (manifest.len != 32 || !report_of(turn, manifest, &object) ||
        !sg_object_exists(&object)) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "manifest_sha256");
        return;
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_REPORT;
    envelope.report = &is;
    struct sg_effect_send *send =
        sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
    send->report_of = true;
    memcpy(send->object, object.id, 16);
}
