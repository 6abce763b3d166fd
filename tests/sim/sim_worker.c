#include "broker/core/state.h"
#include "schemas/proof/seal.h"
#include "tests/sim/sim.h"

// What honest workers would answer, computed from what the job says. A
// publisher that means harm is tests/unit's affair; here workers that crash or
// lie are.
static Sgpb__Facts *
facts(struct sim *sim)
{
    Sgpb__Facts *out = sim_take(sim, sizeof *out);
    Sgpb__Part *part = sim_take(sim, sizeof *part);

    *out = (Sgpb__Facts)SGPB__FACTS__INIT;
    *part = (Sgpb__Part)SGPB__PART__INIT;
    part->conf_status = (char *)(uintptr_t) "F";
    part->conf_redist = (char *)(uintptr_t) "not_limited";
    part->area = (char *)(uintptr_t) "KE";
    part->observations = 3;
    out->observations = 3;
    out->series = 1;
    out->n_parts = 1;
    out->parts = sim_take(sim, sizeof *out->parts);
    out->parts[0] = part;
    if (sim->secret != NULL) { // of the one release that is on its way
        uint64_t at = sim->peer[PUBLISHER].revision % RELEASES_MAX;
        part->conf_status = TEXT(sim->secret->conf_status[at]);
        part->area = TEXT(sim->secret->area[at]);
        part->embargo_us = sim->secret->embargo[at];
        part->observations = out->observations = sim->secret->rows[at];
    }
    return out;
}

enum { REPORTS_MAX = 4096 };

static void
keep_report(struct sim *sim, const struct sg_object *object)
{
    if (sim->reports == NULL)
        sim->reports = sim_take(sim, REPORTS_MAX * sizeof *sim->reports);
    SG_ASSERT(sim->reports_count < REPORTS_MAX);
    memcpy(sim->reports[sim->reports_count++], object->id, 16);
}

bool
sim_has_report(struct sim *sim, const uint8_t id[16], bool removed)
{
    for (size_t i = 0; i < sim->reports_count; i++) {
        if (memcmp(sim->reports[i], id, 16) != 0)
            continue;
        if (removed)
            memcpy(sim->reports[i], sim->reports[--sim->reports_count], 16);
        return true;
    }
    return false;
}

// What an entry names as its report must be there: the publisher asks for it.
void
sim_watch_report(struct sim *sim, const struct sg_appended *entry)
{
    const Sgpb__ObjectRef *report = NULL;
    void *body;

    if (entry->type == SG_ENTRY_REFUSED &&
        sg_codec_unpack(&sgpb__refused__descriptor, entry->body, sim->mem,
                        &body) == SG_OK)
        report = ((const Sgpb__Refused *)body)->report;
    if (entry->type == SG_ENTRY_ACCEPTED &&
        sg_codec_unpack(&sgpb__accepted__descriptor, entry->body, sim->mem,
                        &body) == SG_OK)
        report = ((const Sgpb__Accepted *)body)->report;
    sim->reports_named += report != NULL;
    if (report != NULL && !sim_has_report(sim, report->id.data, false))
        sim_break(sim, "an entry names a report that was never made");
}

static void
made(struct sim *sim, const struct sg_object *object, struct sg_job_output *out)
{
    if (!sg_object_exists(object))
        return;
    out->made = true;
    if (object->purpose == SG_SEAL_REPORT)
        keep_report(sim, object);
    out->chunks = 1 + (object->purpose == 5 ? sim_below(sim, 3) : 0);
    out->bytes = (out->chunks - 1) * object->chunk_size + 100;
    sg_crypto_sha256(object->id, 16, out->chunk_root);
    sg_crypto_sha256(object->variant, 16, out->key_commit);
    sim_store_made(sim, object);
}

static void
too_many_parts(struct sim *sim, Sgpb__Facts *out)
{
    out->n_parts = SG_PARTS_MAX + 1;
    out->parts = sim_take(sim, out->n_parts * sizeof *out->parts);
    for (size_t i = 0; i < out->n_parts; i++)
        out->parts[i] = facts(sim)->parts[0];
}

// A worker that was taken over may say anything. All of these are as good as a
// crash: nothing is accepted and nothing leaves because of them.
static struct sg_slice
lie(struct sim *sim, Sgpb__Done *done)
{
    static const uint8_t rubbish[] = {0x0a, 0xff, 0xff, 0x7f, 0x01};
    Sgpb__DoneItem *item = done->items[0];

    switch (sim_below(sim, 7)) {
    case 0: // of another job
        done->job++;
        break;
    case 1: // fewer answers than releases
        done->n_items--;
        break;
    case 2: // accepted, and failed
        done->code = (char *)(uintptr_t) "store.io";
        break;
    case 3: // no verdict, and nothing seen
        item->verdict = 0;
        item->facts = NULL;
        break;
    case 4:
        if (item->facts == NULL) // of what could not be worked through
            item->facts = facts(sim);
        too_many_parts(sim, item->facts);
        break;
    case 5: // rows, but parts of nothing
        if (item->facts == NULL)
            item->facts = facts(sim);
        item->facts->n_parts = 0;
        break;
    default:
        return sg_slice_of(rubbish, sizeof rubbish);
    }
    return sim_pack(sim, &done->base);
}

void
sim_work(struct sim *sim, const struct sg_job *job)
{
    struct sg_event event = {.kind = SG_EVENT_JOB_DONE};
    Sgpb__Done done = SGPB__DONE__INIT;
    struct sg_job_outputs *outputs =
        sim_take(sim, job->count * sizeof *outputs);

    event.u.job.job = job->job;
    if (sim_below(sim, 40) == 0 && !sim->quiet) {
        event.u.job.err = SG_ERR_IO; // a worker died
        sim_to_gate(sim, &event, 1000 + sim_below(sim, 20000));
        return;
    }
    done.job = job->job;
    done.items = sim_take(sim, job->count * sizeof *done.items);
    for (size_t i = 0; i < job->count; i++) {
        const struct sg_job_item *item = &job->items[i];
        Sgpb__DoneItem *answer = sim_take(sim, sizeof *answer);
        *answer = (Sgpb__DoneItem)SGPB__DONE_ITEM__INIT;
        done.items[done.n_items++] = answer;
        if (sim_store_damaged(sim, item->input.id) ||
            sim_store_damaged(sim, item->source.id)) {
            answer->code = TEXT("bytes.corrupt");
            continue; // verdict 0: it could not be worked through
        }
        answer->verdict = sim->refuses ? 2 : 1;
        answer->code = TEXT(sim->refuses ? "CODE" : "");
        answer->facts = facts(sim);
        uint8_t *root = sim_take(sim, 32);
        memcpy(root, item->content_root, 32);
        answer->content_root = (ProtobufCBinaryData){32, root};
        answer->rows = answer->rows_in = 3;
        answer->shared_proof_commit = (ProtobufCBinaryData){32, root};
        made(sim, &item->leaves, &outputs[i].leaves);
        made(sim, &item->report, &outputs[i].report);
        made(sim, &item->output, &outputs[i].output);
    }
    event.u.job.done = sim_below(sim, 40) == 0 && !sim->quiet
                           ? lie(sim, &done)
                           : sim_pack(sim, &done.base);
    event.u.job.outputs = outputs;
    event.u.job.outputs_count = job->count;
    sim_to_gate(sim, &event, 1000 + sim_below(sim, 20000));
}
