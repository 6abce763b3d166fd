#include "tests/sim/sim.h"

// What honest workers would answer, computed from what the job says. A
// publisher that means harm is tests/unit's affair; here crashes are.
static Sgpb__Facts *
facts(struct sim *sim)
{
    Sgpb__Facts *out = sim_take(sim, sizeof *out);
    Sgpb__Part *part = sim_take(sim, sizeof *part);

    *out = (Sgpb__Facts)SGPB__FACTS__INIT;
    *part = (Sgpb__Part)SGPB__PART__INIT;
    part->conf_status = (char *)(uintptr_t) "F";
    part->area = (char *)(uintptr_t) "KE";
    part->observations = 3;
    out->observations = 3;
    out->series = 1;
    out->n_parts = 1;
    out->parts = sim_take(sim, sizeof *out->parts);
    out->parts[0] = part;
    return out;
}

static void
made(struct sim *sim, const struct sg_object *object, struct sg_job_output *out)
{
    if (!sg_object_exists(object))
        return;
    out->made = true;
    out->chunks = 1 + (object->purpose == 5 ? sim_below(sim, 3) : 0);
    out->bytes = (out->chunks - 1) * object->chunk_size + 100;
    sg_crypto_sha256(object->id, 16, out->chunk_root);
    sg_crypto_sha256(object->variant, 16, out->key_commit);
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
        answer->verdict = 1;
        answer->facts = facts(sim);
        uint8_t *root = sim_take(sim, 32);
        memcpy(root, item->content_root, 32);
        answer->content_root = (ProtobufCBinaryData){32, root};
        answer->rows = answer->rows_in = 3;
        made(sim, &item->leaves, &outputs[i].leaves);
        made(sim, &item->report, &outputs[i].report);
        made(sim, &item->output, &outputs[i].output);
        done.items[done.n_items++] = answer;
    }
    event.u.job.done = sim_pack(sim, &done.base);
    event.u.job.outputs = outputs;
    event.u.job.outputs_count = job->count;
    sim_to_gate(sim, &event, 1000 + sim_below(sim, 20000));
}
