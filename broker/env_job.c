// Jobs: puts one together for an inspector, takes its answer apart.
//
// Up to 64 small releases of one publisher are one job. Their ciphertexts lie
// one after the other in one input, and so do the outputs; lengths follow from
// the chunk numbers, which the answer claims and the store checks.
#include <stdlib.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/env_parts.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/log.h"
#include "broker/os/memory.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/commit.h"
#include "schemas/worker.pb-c.h"

enum {
    OUTPUTS = 3,             // of one item: leaves, report, output
    JOB_MS = 20 * 60 * 1000, // what a worker is told
    STRUCTURE_MAX = SG_LIMIT_DOCUMENT * 4,
};

// What an inspector is handed, in this order (worker.proto).
struct fds {
    int fd[SG_WORKERS_FDS];
    size_t count;
};

void
sg_env_job_free(struct sg_env_job *job)
{
    sg_os_file_close(&job->leaves_fd);
    sg_os_file_close(&job->report_fd);
    sg_os_file_close(&job->output_fd);
    free(job->items);
    free(job->outputs);
    free(job->done);
    free(job);
}

static struct sg_env_job *
job_new(const struct sg_job *from)
{
    struct sg_env_job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->job = from->job;
    job->role = from->role;
    job->count = from->count;
    job->leaves_fd = job->report_fd = job->output_fd = -1;
    job->items = calloc(from->count, sizeof *job->items);
    job->outputs = calloc(from->count, sizeof *job->outputs);
    if (job->items == NULL || job->outputs == NULL) {
        sg_env_job_free(job);
        return NULL;
    }
    memcpy(job->items, from->items, from->count * sizeof *job->items);
    return job;
}

// ---- putting together ------------------------------------------------------------

static uint64_t
sealed_len(uint64_t bytes, uint64_t chunks)
{
    return bytes + chunks * SG_TAG_LEN;
}

static enum sg_err
copy_object(struct sg_env_local *local, const struct sg_object *object, int fd,
            uint64_t *at)
{
    struct sg_payload *payload = sg_evidence_payload(local->options.evidence);
    size_t plain = object->bytes < object->chunk_size ? (size_t)object->bytes
                                                      : object->chunk_size;
    size_t cap = plain + SG_TAG_LEN, len;
    uint8_t *chunk = sg_arena_room(local->arena, cap);
    enum sg_err err = chunk == NULL ? SG_ERR_FULL : SG_OK;

    for (uint64_t i = 0; err == SG_OK && i < object->chunks; i++) {
        err = sg_payload_read(payload, object->id, i, chunk, cap, &len);
        if (err == SG_OK)
            err = sg_os_file_pwrite(fd, *at, sg_slice_of(chunk, len));
        *at += len;
    }
    return err;
}

// The ciphertexts of one kind of input, as one descriptor: the file itself for
// one large object, else a sealed memory file.
static enum sg_err
input_fd(struct sg_env_local *local, const struct sg_job *job, size_t offset,
         int *fd)
{
    uint64_t at = 0;

    const struct sg_object *first =
        (const struct sg_object *)(const void *)((const char *)&job->items[0] +
                                                 offset);
    if (job->count == 1 &&
        sg_payload_open_object(sg_evidence_payload(local->options.evidence),
                               first->id, fd) == SG_OK)
        return SG_OK;
    enum sg_err err = sg_os_memory_open(fd);
    for (size_t i = 0; err == SG_OK && i < job->count; i++) {
        const struct sg_object *object =
            (const struct sg_object
                 *)(const void *)((const char *)&job->items[i] + offset);
        err = copy_object(local, object, *fd, &at);
    }
    if (err == SG_OK)
        err = sg_os_memory_seal(*fd);
    return err;
}

// A file for outputs: on the disk for one release, which may be large and is
// then named without a copy; in memory for many small ones.
static enum sg_err
output_fd(struct sg_env_local *local, size_t count, int *fd)
{
    if (count == 1)
        return sg_payload_tmpfile(sg_evidence_payload(local->options.evidence),
                                  sg_env_clock_now(&local->clock), fd);
    return sg_os_memory_open(fd);
}

static enum sg_err
add_output(struct sg_env_local *local, struct fds *fds, size_t count, int *kept)
{
    int fd;
    enum sg_err err = output_fd(local, count, &fd);

    if (err != SG_OK)
        return err;
    *kept = fd; // ours; the packet carries a duplicate made by the kernel
    fds->fd[fds->count++] = fd;
    return SG_OK;
}

static enum sg_err
open_structure(struct sg_env_local *local, const struct sg_object *object,
               int *fd)
{
    size_t used = 0, len;

    if (object->bytes == 0 || object->bytes > STRUCTURE_MAX)
        return SG_ERR_FORMAT;
    uint8_t *bytes = malloc((size_t)object->bytes);
    enum sg_err err = bytes == NULL ? SG_ERR_MEMORY : SG_OK;
    for (uint64_t i = 0; err == SG_OK && i < object->chunks; i++) {
        err = sg_evidence_open_chunk(local->options.evidence, object->id, i,
                                     bytes + used, (size_t)object->bytes - used,
                                     &len);
        used += err == SG_OK ? len : 0;
    }
    if (err == SG_OK)
        err = sg_os_memory_sealed(sg_slice_of(bytes, used), fd);
    free(bytes);
    return err;
}

void
sg_env_structures_close(struct sg_env_local *local)
{
    for (size_t i = 0; i < SG_ENV_STRUCTURES; i++) {
        if (local->structure[i].used != 0)
            sg_os_file_close(&local->structure[i].fd);
        local->structure[i].used = 0;
    }
}

// A duplicate of the sealed memory; the one used longest ago makes room.
static enum sg_err
structure_fd(struct sg_env_local *local, const struct sg_object *object,
             int *fd)
{
    struct sg_env_structure *at = &local->structure[0];

    for (size_t i = 0; i < SG_ENV_STRUCTURES; i++) {
        struct sg_env_structure *one = &local->structure[i];
        if (one->used != 0 && memcmp(one->object_id, object->id, 16) == 0) {
            one->used = ++local->structures_used;
            return sg_os_file_duplicate(one->fd, fd);
        }
        if (one->used < at->used)
            at = one;
    }
    if (at->used != 0)
        sg_os_file_close(&at->fd);
    at->used = 0;
    enum sg_err err = open_structure(local, object, &at->fd);
    if (err != SG_OK)
        return err;
    memcpy(at->object_id, object->id, 16);
    at->used = ++local->structures_used;
    return sg_os_file_duplicate(at->fd, fd);
}

static enum sg_err
key_for(struct sg_env_local *local, const struct sg_object *object,
        ProtobufCBinaryData *key)
{
    struct sg_release_request request = {
        .reason = SG_RELEASE_JOB,
        .manifest_sha256 = object->manifest,
        .variant = object->variant,
    };
    uint8_t *room = sg_arena_take(local->arena, SG_KEY_LEN);

    if (room == NULL)
        return SG_ERR_FULL;
    *key = sg_codec_bytes(room, SG_KEY_LEN);
    return sg_release_key(local->options.evidence, &request, room);
}

static enum sg_err
input_of(struct sg_env_local *local, const struct sg_object *object,
         Sgpb__SealedInput **out)
{
    *out = NULL;
    if (!sg_object_exists(object))
        return SG_OK;
    Sgpb__SealedInput *made = sg_arena_take(local->arena, sizeof *made);
    if (made == NULL)
        return SG_ERR_FULL;
    *made = (Sgpb__SealedInput)SGPB__SEALED_INPUT__INIT;
    made->attempt = sg_codec_bytes(object->attempt, 16);
    made->manifest_sha256 = sg_codec_bytes(object->manifest, 32);
    made->purpose = object->purpose;
    made->chunks = object->chunks;
    made->bytes = object->bytes;
    made->chunk_size = object->chunk_size;
    *out = made;
    return key_for(local, object, &made->key);
}

static enum sg_err
output_of(struct sg_env_local *local, const struct sg_object *object,
          Sgpb__SealedOutput **out)
{
    *out = NULL;
    if (!sg_object_exists(object))
        return SG_OK;
    Sgpb__SealedOutput *made = sg_arena_take(local->arena, sizeof *made);
    if (made == NULL)
        return SG_ERR_FULL;
    *made = (Sgpb__SealedOutput)SGPB__SEALED_OUTPUT__INIT;
    made->attempt = sg_codec_bytes(object->attempt, 16);
    made->manifest_sha256 = sg_codec_bytes(object->manifest, 32);
    made->purpose = object->purpose;
    made->chunk_size = object->chunk_size;
    *out = made;
    return key_for(local, object, &made->key);
}

static enum sg_err
item_of(struct sg_env_local *local, const struct sg_job_item *from,
        Sgpb__JobItem **out)
{
    Sgpb__JobItem *made = sg_arena_take(local->arena, sizeof *made);
    uint8_t *secret = sg_arena_take(local->arena, SG_KEYS_SECRET_LEN);
    enum sg_err err;

    if (made == NULL || secret == NULL)
        return SG_ERR_FULL;
    *made = (Sgpb__JobItem)SGPB__JOB_ITEM__INIT;
    made->content_root = sg_codec_bytes(from->content_root, 32);
    made->file_commit = sg_codec_bytes(from->file_commit, 32);
    made->embargo_us = from->embargo_us;
    made->leaves_count = from->leaves_count;
    made->size = from->size;
    *out = made;
    if ((err = input_of(local, &from->input, &made->input)) != SG_OK ||
        (err = input_of(local, &from->source, &made->source)) != SG_OK ||
        (err = output_of(local, &from->leaves, &made->leaves)) != SG_OK ||
        (err = output_of(local, &from->report, &made->report)) != SG_OK ||
        (err = output_of(local, &from->output, &made->output)) != SG_OK)
        return err;
    if (!from->secret)
        return SG_OK;
    made->secret_block = sg_codec_bytes(secret, SG_KEYS_SECRET_LEN);
    return sg_evidence_get_secret(local->options.evidence, from->manifest,
                                  secret);
}

static enum sg_err
pack_job(struct sg_env_local *local, const struct sg_job *from,
         struct sg_slice *packed)
{
    Sgpb__Job job = SGPB__JOB__INIT;
    void *part;
    enum sg_err err;

    job.job = from->job;
    job.role = (uint32_t)from->role;
    job.structure_sha256 = sg_codec_bytes(from->structure_sha256, 32);
    job.max_rows = SG_LIMIT_ROWS;
    job.max_ms = JOB_MS;
    job.max_bytes = SG_LIMIT_OBJECT;
    do
        sg_os_random_fill(&job.salt, sizeof job.salt);
    while (job.salt == 0);
    if (from->terms.len > 0) {
        err = sg_codec_unpack(&sgpb__inspect_terms__descriptor, from->terms,
                              local->arena, &part);
        if (err != SG_OK)
            return err;
        job.terms = part;
    }
    if (from->rendition.len > 0) {
        err = sg_codec_unpack(&sgpb__rendition__descriptor, from->rendition,
                              local->arena, &part);
        if (err != SG_OK)
            return err;
        job.rendition = part;
    }
    job.items = sg_arena_take(local->arena, from->count * sizeof *job.items);
    if (job.items == NULL)
        return SG_ERR_FULL;
    for (job.n_items = 0; job.n_items < from->count; job.n_items++) {
        err =
            item_of(local, &from->items[job.n_items], &job.items[job.n_items]);
        if (err != SG_OK)
            return err;
    }
    return sg_codec_pack(&job.base, local->arena, packed);
}

static enum sg_err
collect_fds(struct sg_env_local *local, const struct sg_job *from,
            struct sg_env_job *job, struct fds *fds)
{
    const struct sg_job_item *item = &from->items[0];
    enum sg_err err =
        structure_fd(local, &from->structure, &fds->fd[fds->count]);

    if (err == SG_OK)
        fds->count++;
    if (err == SG_OK && sg_object_exists(&item->input)) {
        err = input_fd(local, from, offsetof(struct sg_job_item, input),
                       &fds->fd[fds->count]);
        fds->count += fds->fd[fds->count] >= 0;
    }
    if (err == SG_OK && sg_object_exists(&item->source)) {
        err = input_fd(local, from, offsetof(struct sg_job_item, source),
                       &fds->fd[fds->count]);
        fds->count += fds->fd[fds->count] >= 0;
    }
    if (err == SG_OK && sg_object_exists(&item->leaves))
        err = add_output(local, fds, from->count, &job->leaves_fd);
    if (err == SG_OK && sg_object_exists(&item->report))
        err = add_output(local, fds, from->count, &job->report_fd);
    if (err == SG_OK && sg_object_exists(&item->output))
        err = add_output(local, fds, from->count, &job->output_fd);
    return err;
}

// The job is over: its outputs are durable, or it has failed.
static void
report(struct sg_env_local *local, struct sg_env_job *job)
{
    struct sg_env_own *own = sg_env_own(local, SG_EVENT_JOB_DONE);
    struct sg_env_job **at = &local->jobs;

    while (*at != NULL && *at != job)
        at = &(*at)->next;
    if (*at == job)
        *at = job->next;
    own->job = job;
    own->event.u.job = (struct sg_event_job){
        .job = job->job,
        .err = job->err,
        .done = job->err == SG_OK ? sg_slice_of(job->done, job->done_len)
                                  : (struct sg_slice){NULL, 0},
        .outputs = job->outputs,
        .outputs_count = job->err == SG_OK ? job->count : 0,
    };
}

static void
close_inputs(struct fds *fds, const struct sg_env_job *job)
{
    for (size_t i = 0; i < fds->count; i++) {
        if (fds->fd[i] != job->leaves_fd && fds->fd[i] != job->report_fd &&
            fds->fd[i] != job->output_fd)
            sg_os_file_close(&fds->fd[i]);
    }
}

// sg_workers_start takes its descriptors over: outputs are handed as duplicates.
static enum sg_err
duplicate_outputs(struct fds *fds, const struct sg_env_job *job)
{
    for (size_t i = 0; i < fds->count; i++) {
        if (fds->fd[i] != job->leaves_fd && fds->fd[i] != job->report_fd &&
            fds->fd[i] != job->output_fd)
            continue;
        enum sg_err err = sg_os_file_duplicate(fds->fd[i], &fds->fd[i]);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

// What no worker has seen says nothing against the data: is it our disk?
static enum sg_err
not_started(enum sg_err err)
{
    static const enum sg_err ours[] = {SG_ERR_CORRUPT, SG_ERR_NOT_FOUND,
                                       SG_ERR_SHORT, SG_ERR_IO, SG_ERR_FORMAT};

    sg_log(SG_LOG_ERROR, "job.not_started", "reason", sg_err_sentence(err),
           NULL);
    for (size_t i = 0; i < SG_COUNT_OF(ours); i++) {
        if (err == ours[i])
            return SG_ERR_LOST;
    }
    return SG_ERR_INSPECTION;
}

void
sg_env_job_start(struct sg_env_local *local, const struct sg_job *from)
{
    struct fds fds = {.fd = {-1, -1, -1, -1, -1, -1}};
    struct sg_slice packed;
    struct sg_env_job *job = job_new(from);

    SG_ASSERT(job != NULL && from->count >= 1);
    job->next = local->jobs;
    local->jobs = job;
    enum sg_err err = collect_fds(local, from, job, &fds);
    if (err == SG_OK)
        err = pack_job(local, from, &packed);
    if (err == SG_OK)
        err = duplicate_outputs(&fds, job);
    if (err == SG_OK) {
        err = sg_workers_start(local->options.workers, from->job, packed,
                               fds.fd, fds.count, sg_os_clock_mono_us());
        sg_crypto_wipe((uint8_t *)(uintptr_t)packed.ptr, packed.len);
    } else {
        close_inputs(&fds, job);
    }
    if (err != SG_OK) {
        job->err = not_started(err);
        report(local, job);
    }
}

void
sg_env_job_cancel(struct sg_env_local *local, uint64_t number)
{
    sg_workers_cancel(local->options.workers, number);
    for (struct sg_env_job **at = &local->jobs; *at != NULL;
         at = &(*at)->next) {
        if ((*at)->job != number || (*at)->pending > 0)
            continue; // with the disk: it is reported and nobody asks
        struct sg_env_job *gone = *at;
        *at = gone->next;
        sg_env_job_free(gone);
        return;
    }
}

// ---- taking apart ------------------------------------------------------------------

static void
meta_of(const struct sg_object *object, uint64_t chunks, uint64_t bytes,
        struct sg_payload_meta *meta)
{
    memset(meta, 0, sizeof *meta);
    memcpy(meta->id, object->id, 16);
    memcpy(meta->attempt, object->attempt, 16);
    memcpy(meta->variant, object->variant, 16);
    memcpy(meta->manifest_sha256, object->manifest, 32);
    meta->purpose = object->purpose;
    meta->chunk_size = object->chunk_size;
    meta->chunks = chunks;
    meta->bytes = bytes;
}

// What lies at [at, at + len) of fd as a descriptor of its own.
static enum sg_err
cut_out(struct sg_env_local *local, int fd, uint64_t at, uint64_t len, int *out)
{
    enum sg_err err = sg_os_memory_open(out);
    size_t step = len < SG_LIMIT_CHUNK ? (size_t)len : SG_LIMIT_CHUNK;
    uint8_t *room = sg_arena_room(local->arena, step);

    if (err == SG_OK && room == NULL)
        err = SG_ERR_FULL;
    for (uint64_t done = 0; err == SG_OK && done < len;) {
        size_t part = len - done < step ? (size_t)(len - done) : step;
        if ((err = sg_os_file_pread(fd, at + done, room, part)) == SG_OK)
            err = sg_os_file_pwrite(*out, done, sg_slice_of(room, part));
        done += part;
    }
    return err;
}

struct output {
    const struct sg_object *object;
    struct sg_job_output *result;
    int *fd;
    uint64_t bytes, chunks; // as the worker claims
};

static void
outputs_of(struct sg_env_job *job, size_t item, const Sgpb__DoneItem *done,
           struct output out[OUTPUTS])
{
    struct sg_job_item *from = &job->items[item];
    struct sg_job_outputs *to = &job->outputs[item];

    out[0] = (struct output){&from->leaves, &to->leaves, &job->leaves_fd,
                             done->leaves_bytes, done->leaves_chunks};
    out[1] = (struct output){&from->report, &to->report, &job->report_fd,
                             done->report_bytes, done->report_chunks};
    out[2] = (struct output){&from->output, &to->output, &job->output_fd,
                             done->output_bytes, done->output_chunks};
}

static enum sg_err
key_commit(struct sg_env_local *local, const struct sg_object *object,
           uint8_t out[32])
{
    ProtobufCBinaryData key = {0, NULL};
    enum sg_err err = key_for(local, object, &key);

    if (err == SG_OK)
        sg_commit_key(key.data, out);
    if (key.data != NULL)
        sg_crypto_wipe(key.data, key.len);
    return err;
}

// One output into the store; *at moves over what it takes in the shared file.
static enum sg_err
adopt(struct sg_env_local *local, struct sg_env_job *job, struct output *out,
      uint64_t *at)
{
    struct sg_payload_meta meta;
    uint64_t want_chunks = out->object->chunk_size == 0
                               ? 0
                               : (out->bytes + out->object->chunk_size - 1) /
                                     out->object->chunk_size;
    int fd;

    if (out->bytes == 0 && out->chunks == 0)
        return SG_OK; // it made none
    if (out->chunks != want_chunks || out->bytes > SG_LIMIT_OBJECT)
        return SG_ERR_INSPECTION;
    enum sg_err err = key_commit(local, out->object, out->result->key_commit);
    if (err != SG_OK)
        return err;
    if (job->count == 1) {
        fd = *out->fd;
        *out->fd = -1;
    } else if ((err = cut_out(local, *out->fd, *at,
                              sealed_len(out->bytes, out->chunks), &fd)) !=
               SG_OK) {
        sg_os_file_close(&fd);
        return err;
    }
    *at += sealed_len(out->bytes, out->chunks);
    out->result->made = true;
    out->result->bytes = out->bytes;
    out->result->chunks = out->chunks;
    meta_of(out->object, out->chunks, out->bytes, &meta);
    meta.created_us = sg_env_clock_now(&local->clock);
    err = sg_evidence_adopt(local->options.evidence, local->next_token, &meta,
                            fd);
    if (err != SG_OK)
        return err;
    local->next_token++;
    local->queued = true;
    job->pending++;
    return SG_OK;
}

static enum sg_err
adopt_all(struct sg_env_local *local, struct sg_env_job *job,
          const Sgpb__Done *done)
{
    struct output out[OUTPUTS];
    uint64_t at[OUTPUTS] = {0};
    enum sg_err err = SG_OK;

    if (done->job != job->job || done->n_items != job->count ||
        done->code[0] != '\0')
        return SG_ERR_INSPECTION;
    job->first_token = local->next_token;
    for (size_t i = 0; i < job->count; i++) {
        outputs_of(job, i, done->items[i], out);
        for (size_t j = 0; j < OUTPUTS; j++) {
            if (!sg_object_exists(out[j].object))
                continue;
            if ((err = adopt(local, job, &out[j], &at[j])) != SG_OK)
                return err;
        }
    }
    return SG_OK;
}

void
sg_env_job_ended(struct sg_env_local *local, const struct sg_workers_done *done)
{
    struct sg_env_job *job = local->jobs;
    void *message;

    while (job != NULL && job->job != done->job)
        job = job->next;
    if (job == NULL)
        return; // cancelled
    enum sg_err err = done->err;
    if (err == SG_OK)
        err = sg_codec_unpack(&sgpb__done__descriptor, done->bytes,
                              local->arena, &message);
    if (err == SG_OK) {
        const Sgpb__Done *answer = message;
        if (answer->peak_rss > local->worker_peak)
            local->worker_peak = answer->peak_rss;
        err = adopt_all(local, job, answer);
    }
    if (err == SG_OK) {
        job->done = malloc(done->bytes.len + 1);
        SG_ASSERT(job->done != NULL);
        memcpy(job->done, done->bytes.ptr, done->bytes.len);
        job->done_len = done->bytes.len;
    }
    sg_arena_reset(local->arena);
    job->err = err == SG_OK ? SG_OK : SG_ERR_INSPECTION;
    job->ended = true;
    if (job->pending == 0)
        report(local, job);
}

// Tokens of one job follow each other in the order of its outputs that were
// made, so the place is found by counting.
static struct sg_job_output *
place_of(struct sg_env_job *job, uint64_t token)
{
    uint64_t at = job->first_token;

    for (size_t i = 0; i < job->count; i++) {
        struct sg_job_output *all[OUTPUTS] = {&job->outputs[i].leaves,
                                              &job->outputs[i].report,
                                              &job->outputs[i].output};
        for (size_t j = 0; j < OUTPUTS; j++) {
            if (all[j]->made && at++ == token)
                return all[j];
        }
    }
    return NULL;
}

bool
sg_env_job_stored(struct sg_env_local *local, uint64_t token, enum sg_err err,
                  const struct sg_payload_meta *meta)
{
    if (token < SG_ENV_TOKENS)
        return false;
    for (struct sg_env_job *job = local->jobs; job != NULL; job = job->next) {
        struct sg_job_output *place = job->ended && token >= job->first_token
                                          ? place_of(job, token)
                                          : NULL;
        if (place == NULL)
            continue;
        if (err != SG_OK)
            job->err = SG_ERR_INSPECTION;
        memcpy(place->chunk_root, meta->chunk_root, 32);
        if (--job->pending == 0)
            report(local, job);
        return true;
    }
    return true;
}
