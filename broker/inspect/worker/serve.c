#include "broker/inspect/worker/serve.h"

#include <stdlib.h>
#include <unistd.h>

#include "broker/base/limits.h"
#include "broker/inspect/worker/role.h"
#include "broker/inspect/worker/sandbox.h"
#include "broker/os/channel.h"
#include "broker/os/file.h"
#include "broker/os/log.h"
#include "broker/os/memory.h"
#include "broker/os/process.h"
#include "schemas/codec/codec.h"
#include "schemas/sdmx/structure.h"

enum {
    FDS = 6,
    PACKET = 512 * 1024,
    ARENA_BLOCK = 256 * 1024,
    JOB_ARENA = 16 * 1024 * 1024,
    ENDED = 0,
    REFUSED = 1,
};

// What an item may take: sorting keeps the rows of one release in memory.
static const size_t scratch_cap = SG_LIMIT_WORKER_MEMORY / 4 * 3;

struct served {
    int socket;
    int fds[FDS];
    size_t fds_count;
    struct sg_arena *arena;
    struct sg_role_job job;
    struct sg_slice blob; // the structure, mapped
    uint8_t packet[PACKET];
};

static enum sg_err
take_fd(struct served *served, size_t *next, bool wanted, int *fd)
{
    *fd = -1;
    if (!wanted)
        return SG_OK;
    if (*next == served->fds_count)
        return SG_ERR_FORMAT;
    *fd = served->fds[(*next)++];
    return SG_OK;
}

// The order of the descriptors is that of worker.proto.
static enum sg_err
hand_out_fds(struct served *served, const Sgpb__JobItem *first)
{
    struct sg_role_job *job = &served->job;
    size_t next = 1;
    enum sg_err err;

    if ((err = take_fd(served, &next, first->input != NULL, &job->input_fd)) !=
            SG_OK ||
        (err = take_fd(served, &next, first->source != NULL,
                       &job->source_fd)) != SG_OK ||
        (err = take_fd(served, &next, first->leaves != NULL,
                       &job->leaves_fd)) != SG_OK ||
        (err = take_fd(served, &next, first->report != NULL,
                       &job->report_fd)) != SG_OK ||
        (err = take_fd(served, &next, first->output != NULL,
                       &job->output_fd)) != SG_OK)
        return err;
    return next == served->fds_count ? SG_OK : SG_ERR_FORMAT;
}

static enum sg_err
open_structure(struct served *served)
{
    const Sgpb__Job *job = served->job.job;
    uint8_t sha256[32];

    enum sg_err err = sg_os_memory_map(served->fds[0], &served->blob);
    if (err == SG_OK)
        err = sg_structure_open(served->blob, served->arena,
                                &served->job.structure);
    if (err != SG_OK)
        return err;
    sg_structure_sha256(served->job.structure, sha256);
    return job->structure_sha256.len == 32 &&
                   memcmp(sha256, job->structure_sha256.data, 32) == 0
               ? SG_OK
               : SG_ERR_STRUCTURE;
}

static enum sg_err
receive_job(struct served *served)
{
    struct sg_os_channel_fds fds = {served->fds, FDS, 0};
    size_t len;
    void *message;

    enum sg_err err = sg_os_channel_receive(served->socket, served->packet,
                                            PACKET, &len, &fds);
    served->fds_count = fds.count;
    if (err == SG_OK && (len == 0 || served->fds_count == 0))
        err = SG_ERR_SHORT;
    if (err == SG_OK)
        err = sg_codec_unpack(&sgpb__job__descriptor,
                              sg_slice_of(served->packet, len), served->arena,
                              &message);
    sg_crypto_wipe(served->packet, err == SG_OK ? len : 0);
    if (err != SG_OK)
        return err;
    served->job.job = message;
    if (served->job.job->n_items < 1 ||
        served->job.job->n_items > SG_LIMIT_JOB_BATCH)
        return SG_ERR_FORMAT;
    if ((err = hand_out_fds(served, served->job.job->items[0])) != SG_OK)
        return err;
    return open_structure(served);
}

static sg_role_run *
role_of(uint32_t role)
{
    static sg_role_run *const rows[] = {NULL,           sg_role_reader,
                                        sg_role_judge,  sg_role_writer,
                                        sg_role_review, sg_role_choice};

    return role < SG_COUNT_OF(rows) ? rows[role] : NULL;
}

static uint64_t
sealed_len(const Sgpb__SealedInput *input)
{
    return input == NULL ? 0 : input->bytes + input->chunks * SG_TAG_LEN;
}

static enum sg_err
run_item(struct served *served, size_t index, Sgpb__DoneItem *done)
{
    struct sg_role_item item = {.of = &served->job,
                                .item = served->job.job->items[index],
                                .done = done};
    sg_role_run *run = role_of(served->job.job->role);
    struct sg_slice secret = sg_codec_slice(item.item->secret_block);

    if (run == NULL)
        return SG_ERR_UNSUPPORTED;
    if (secret.len > 0) {
        enum sg_err err = sg_secret_decode(secret, &item.secret);
        if (err != SG_OK)
            return err;
        item.has_secret = true;
    }
    enum sg_err err = run(&item);
    sg_secret_wipe(&item.secret);
    return err;
}

// An item that could not be worked through fails with its reason; that is an
// answer. One that broke the job's order of outputs ends the job.
static enum sg_err
run_items(struct served *served, Sgpb__Done *done)
{
    size_t count = served->job.job->n_items;
    Sgpb__DoneItem *items = sg_arena_take(served->arena, count * sizeof *items);

    done->items = sg_arena_take(served->arena, count * sizeof *done->items);
    if (items == NULL || done->items == NULL)
        return SG_ERR_FULL;
    for (size_t i = 0; i < count; i++) {
        items[i] = (Sgpb__DoneItem)SGPB__DONE_ITEM__INIT;
        done->items[done->n_items++] = &items[i];
        // Where the next one begins does not depend on how far this one is read.
        const Sgpb__JobItem *item = served->job.job->items[i];
        uint64_t input_at = served->job.input_at + sealed_len(item->input);
        uint64_t source_at = served->job.source_at + sealed_len(item->source);
        enum sg_err err = run_item(served, i, &items[i]);
        served->job.input_at = input_at;
        served->job.source_at = source_at;
        sg_arena_reset(served->job.scratch);
        if (err == SG_OK)
            continue;
        if (items[i].verdict == SG_ROLE_ACCEPT)
            items[i].verdict = SG_ROLE_FAILED;
        if (items[i].code[0] == '\0')
            items[i].code = (char *)(uintptr_t)sg_err_code(err);
        if (count > 1 || items[i].leaves_bytes + items[i].output_bytes > 0)
            return err; // tried again alone
    }
    return SG_OK;
}

static void
answer(struct served *served, Sgpb__Done *done)
{
    struct sg_slice packed;

    done->peak_rss = sg_os_process_peak();
    if (sg_codec_pack(&done->base, served->arena, &packed) == SG_OK)
        (void)!sg_os_channel_send(served->socket, packed, NULL, 0);
}

static int
serve(struct served *served)
{
    Sgpb__Done done = SGPB__DONE__INIT;

    served->arena = sg_arena_new(JOB_ARENA, ARENA_BLOCK);
    served->job.scratch = sg_arena_new(scratch_cap, ARENA_BLOCK);
    served->job.arena = served->arena;
    if (served->arena == NULL || served->job.scratch == NULL)
        return REFUSED;
    enum sg_err err = receive_job(served);
    if (err == SG_OK) {
        done.job = served->job.job->job;
        err = run_items(served, &done);
    }
    if (err != SG_OK) {
        done.code = (char *)(uintptr_t)sg_err_code(err);
        done.n_items = 0;
    }
    answer(served, &done);
    return ENDED;
}

_Noreturn void
sg_serve_one(int socket)
{
    static struct served served; // one a process; too large for a stack
    enum sg_err err = sg_sandbox_enter(socket);

    if (err != SG_OK) {
        sg_log(SG_LOG_ERROR, "inspect.sandbox", "reason", sg_err_sentence(err),
               NULL);
        _exit(REFUSED);
    }
    served.socket = socket;
    _exit(serve(&served));
}
