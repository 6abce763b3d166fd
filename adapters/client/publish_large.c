// A large release: begin, chunks within the gate's credit, the verdict.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/manifest.h"
#include "adapters/client/publish.h"
#include "broker/os/clock.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/batch.h"

enum { STALL_MS = 30000 };

struct upload {
    struct statgate *handle;
    const struct statgate_release *release;
    struct sg_content_file *file;
    struct sg_slice packed; // PublishBegin, as in the outbox
    const Sgpb__PublishBegin *begin;
    const Sgpb__Manifest *manifest;
    uint8_t sha256[32], name[32];
    uint64_t request, token, next, chunks;
    uint64_t reached, deadline; // most chunks sent so far; of the next one more
    bool answered, sent_all;
    Sgpb__Envelope__BodyCase body;
    struct statgate_receipt *receipt;
    struct statgate_result *result;
    statgate_progress *progress;
    void *context;
};

// Same flow and content: the same signed bytes, however often.
static void
name_item(const struct statgate_release *release,
          const struct sg_content_file *file, uint8_t name[32])
{
    struct sg_slice parts[] = {sg_slice_text(release->flow), SG_SLICE("\n"),
                               sg_slice_of(file->sha256, 32)};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), name);
}

bool
sg_publish_large_left(struct statgate *handle,
                      const struct statgate_release *release,
                      const struct sg_content_file *file)
{
    uint8_t name[32], *bytes = NULL;
    size_t len;

    name_item(release, file, name);
    bool there =
        sg_outbox_get(&handle->home, name, "item", &bytes, &len) == SG_OK;
    if (there)
        sg_crypto_wipe(bytes, len);
    free(bytes);
    return there && !release->rehearse;
}

static enum sg_err
sign_one(struct statgate *handle, const struct sg_manifest_made *made,
         const struct sg_content_file *file, bool rehearse,
         struct sg_slice *packed)
{
    Sgpb__PublishBegin begin = SGPB__PUBLISH_BEGIN__INIT;
    Sgpb__SignedManifest document = SGPB__SIGNED_MANIFEST__INIT;
    uint8_t leaf[1][32], sig[SG_SIG_LEN], head_bytes[SG_BATCH_HEAD_LEN];
    struct sg_batch_head head;

    sg_batch_leaf(made->bytes, leaf[0]);
    enum sg_err err = sg_batch_sign(handle->home.signer,
                                    (const uint8_t(*)[32])leaf, 1, &head, sig);
    if (err != SG_OK)
        return err;
    sg_batch_head_encode(&head, head_bytes);
    document.manifest = sg_codec_bytes(made->bytes.ptr, made->bytes.len);
    document.head = sg_codec_bytes(head_bytes, sizeof head_bytes);
    document.sig = sg_codec_bytes(sig, sizeof sig);
    begin.manifest = &document;
    begin.secret_block = sg_codec_bytes(made->secret, SG_SECRET_LEN);
    begin.bytes = file->size;
    begin.chunks = made->chunks;
    begin.rehearse = rehearse;
    return sg_codec_pack(&begin.base, handle->arena, packed);
}

static enum sg_err
open_item(struct upload *up)
{
    void *begin = NULL, *manifest = NULL;
    struct sg_arena *arena = up->handle->arena;

    if (sg_codec_unpack(&sgpb__publish_begin__descriptor, up->packed, arena,
                        &begin) != SG_OK)
        return SG_ERR_FORMAT;
    up->begin = begin;
    if (up->begin->manifest == NULL ||
        sg_codec_unpack(&sgpb__manifest__descriptor,
                        sg_codec_slice(up->begin->manifest->manifest), arena,
                        &manifest) != SG_OK)
        return SG_ERR_FORMAT;
    up->manifest = manifest;
    up->chunks = up->manifest->chunks;
    sg_crypto_sha256(up->begin->manifest->manifest.data,
                     up->begin->manifest->manifest.len, up->sha256);
    return SG_OK;
}

// May the item in the outbox still be accepted, or was it?
static bool
still_good(const struct upload *up, const struct sg_head *head)
{
    if (memcmp(up->sha256, head->manifest_sha256, 32) == 0)
        return true;
    return up->manifest->revision == head->revision + 1 &&
           up->manifest->terms_sha256.len == 32 &&
           memcmp(up->manifest->terms_sha256.data, head->terms_sha256, 32) ==
               0 &&
           memcmp(up->manifest->prev_manifest_sha256.data,
                  head->manifest_sha256, 32) == 0 &&
           up->manifest->expires > sg_os_clock_wall_us() + 3600000000ull;
}

static bool
reuse(struct upload *up, const struct sg_head *head)
{
    uint8_t *bytes = NULL;
    size_t len;

    if (sg_outbox_get(&up->handle->home, up->name, "item", &bytes, &len) !=
        SG_OK)
        return false;
    up->packed = sg_arena_copy(up->handle->arena, sg_slice_of(bytes, len));
    sg_crypto_wipe(bytes, len);
    free(bytes);
    return up->packed.ptr != NULL && open_item(up) == SG_OK &&
           still_good(up, head);
}

static int
prepare(struct upload *up)
{
    struct statgate *handle = up->handle;
    struct sg_manifest_made made;
    struct sg_head *head;

    name_item(up->release, up->file, up->name);
    if (sg_manifest_head(handle, up->release->flow, true, &head, up->result) !=
        0)
        return up->result->exit;
    if (!up->release->rehearse && reuse(up, head))
        return sg_session_done(up->result);
    if (sg_manifest_make(handle, up->release, head, up->file, handle->arena,
                         &made, up->result) != 0)
        return up->result->exit;
    enum sg_err err = sign_one(handle, &made, up->file,
                               up->release->rehearse != 0, &up->packed);
    if (err == SG_OK)
        err = open_item(up);
    if (err == SG_OK && !up->release->rehearse)
        err = sg_outbox_put(&handle->home, up->name, "item", up->packed);
    if (err == SG_OK && !up->release->rehearse) {
        const uint8_t(*name)[32] = (const uint8_t(*)[32])up->name;
        err = sg_outbox_sync(&handle->home, name, 1, "item");
    }
    sg_crypto_wipe(&made, sizeof made);
    return err == SG_OK ? sg_session_done(up->result)
                        : sg_session_fail(up->result, err, "outbox");
}

// ---- the conversation ----------------------------------------------------------------

static void
take_receipt(struct upload *up, const Sgpb__Receipt *said)
{
    up->answered = true;
    (void)sg_publish_accepted(up->handle, up->release->flow,
                              up->manifest->revision, up->sha256, said,
                              up->receipt, up->result);
}

static void
refused(struct upload *up, const Sgpb__Refusal *said)
{
    (void)sg_session_refused(up->result, said);
    if (sg_session_is(up->result, SG_ERR_CHUNK_ORDER)) {
        up->next = said->next_chunk;
        return;
    }
    // A chunk for an upload that a restarted gate forgot: begin again.
    if (sg_session_is(up->result, SG_ERR_NOT_FOUND) ||
        sg_session_is(up->result, SG_ERR_PEER_MALFORMED)) {
        up->token = 0;
        return;
    }
    up->answered = true;
}

static void
on_message(void *context, const Sgpb__Envelope *envelope,
           struct sg_slice payload)
{
    struct upload *up = (struct upload *)context;

    (void)payload;
    if (up->answered)
        return;
    if (envelope->body_case == SGPB__ENVELOPE__BODY_RESULT) {
        const Sgpb__Result *said = envelope->result;
        if (said->manifest_sha256.len != 32 ||
            memcmp(said->manifest_sha256.data, up->sha256, 32) != 0)
            return;
        if (said->receipt != NULL) {
            take_receipt(up, said->receipt);
        } else if (said->refusal != NULL) {
            (void)sg_session_refused(up->result, said->refusal);
            up->answered = true;
        }
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED) {
        refused(up, envelope->refused);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_PROGRESS &&
               up->progress != NULL) {
        up->progress(up->context, envelope->progress->state,
                     envelope->progress->chunks, up->chunks);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_RECEIPT &&
               envelope->request == up->request) {
        take_receipt(up, envelope->receipt);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_PUBLISH_READY &&
               envelope->request == up->request) {
        up->token = envelope->publish_ready->upload;
        up->next = envelope->publish_ready->next_chunk;
    }
}

static int
begin(struct upload *up)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    uint64_t until = sg_session_deadline(SG_PUBLISH_AGAIN_MS);
    union {
        const Sgpb__PublishBegin *borrowed;
        Sgpb__PublishBegin *as_field;
    } body = {up->begin};

    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH_BEGIN;
    envelope.publish_begin = body.as_field;
    up->token = 0;
    if (sg_session_send(up->handle, SG_WIRE_DATA, &envelope,
                        (struct sg_slice){NULL, 0}, up->result) != 0)
        return up->result->exit;
    up->request = envelope.request;
    while (up->token == 0 && !up->answered &&
           up->handle->greeted[SG_WIRE_DATA] && sg_os_clock_mono_us() < until)
        (void)sg_session_hear(up->handle, SG_PUBLISH_SLICE_MS);
    return 0;
}

// All chunks that the gate does not have; false: it must be begun again.
static bool
send_chunks(struct upload *up, int fd, uint8_t *bytes)
{
    struct statgate *handle = up->handle;
    uint64_t sent = 0;

    // A gate that asks for the same ones again and again is not waited for.
    while (up->next < up->chunks && !up->answered && up->token != 0 &&
           sg_os_clock_mono_us() < up->deadline) {
        uint64_t at = up->next * SG_LIMIT_CHUNK;
        uint64_t left = up->manifest->size - at;
        size_t len = left < SG_LIMIT_CHUNK ? (size_t)left : SG_LIMIT_CHUNK;
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__Chunk chunk = SGPB__CHUNK__INIT;
        if (!handle->greeted[SG_WIRE_DATA] ||
            sg_os_file_pread(fd, at, bytes, len) != SG_OK ||
            !sg_session_credit(handle, SG_WIRE_DATA, len, up->deadline,
                               up->result))
            return false;
        chunk.upload = up->token;
        chunk.index = up->next;
        envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
        envelope.chunk = &chunk;
        uint64_t index = up->next++;
        if (sg_session_send(handle, SG_WIRE_DATA, &envelope,
                            sg_slice_of(bytes, len), up->result) != 0)
            return false;
        if (up->next > up->reached) {
            up->reached = up->next;
            up->deadline = sg_session_deadline(handle->timeout_ms);
        }
        if (up->progress != NULL)
            up->progress(up->context, "uploading", index + 1, up->chunks);
        while (sg_session_hear(handle, 0))
            ;
        if (handle->outbox_cut != 0 && ++sent == handle->outbox_cut) {
            up->answered = true; // tests: as if the program ended here
            (void)sg_session_fail(up->result, SG_ERR_UNREACHABLE, "cut");
        }
    }
    return up->token != 0;
}

static void
converse(struct upload *up, int fd, uint8_t *bytes)
{
    struct statgate *handle = up->handle;

    up->deadline = sg_session_deadline(handle->timeout_ms);
    while (!up->answered) {
        if (sg_os_clock_mono_us() >= up->deadline) {
            (void)sg_session_fail(up->result, SG_ERR_UNREACHABLE, NULL);
            return;
        }
        if (begin(up) != 0 && !sg_session_is(up->result, SG_ERR_UNREACHABLE))
            return;
        if (up->token == 0 && !up->answered) {
            sg_session_renew(handle, SG_WIRE_DATA);
            continue;
        }
        if (!send_chunks(up, fd, bytes))
            continue;
        uint64_t again = sg_session_deadline(STALL_MS);
        while (!up->answered && up->token != 0 && up->next >= up->chunks &&
               handle->greeted[SG_WIRE_DATA] && sg_os_clock_mono_us() < again &&
               sg_os_clock_mono_us() < up->deadline)
            (void)sg_session_hear(handle, SG_PUBLISH_SLICE_MS);
    }
}

int
sg_publish_large(struct statgate *handle,
                 const struct statgate_release *release,
                 struct sg_content_file *file, statgate_progress *progress,
                 void *context, struct statgate_receipt *receipt,
                 struct statgate_result *result)
{
    struct upload up = {.handle = handle,
                        .release = release,
                        .file = file,
                        .receipt = receipt,
                        .result = result,
                        .progress = progress,
                        .context = context};
    uint8_t *bytes = malloc(SG_LIMIT_CHUNK);
    int fd = -1;

    enum sg_err err = bytes == NULL
                          ? SG_ERR_MEMORY
                          : sg_os_file_open(file->path, SG_OS_OPEN_READ, &fd);
    if (err != SG_OK) {
        (void)sg_session_fail(result, err, file->path);
    } else if (prepare(&up) == 0) {
        (void)sg_session_fail(result, SG_ERR_UNREACHABLE, NULL);
        memcpy(receipt->manifest_sha256, up.sha256, 32);
        handle->other = on_message;
        handle->other_context = &up;
        converse(&up, fd, bytes);
        handle->other = NULL;
    }
    sg_os_file_close(&fd);
    free(bytes);
    if (result->exit != 0)
        sg_publish_forget_head(handle, release->flow);
    if (result->exit == 0 && !release->rehearse) {
        err =
            sg_outbox_receipt(&handle->home, receipt->manifest_sha256,
                              sg_slice_of(receipt->bytes, receipt->len), true);
        if (err == SG_OK)
            err = sg_publish_set_head(handle, release->flow, file, receipt);
        if (err != SG_OK)
            return sg_session_fail(result, err, "outbox");
    }
    // A refusal for good ends the item; what may be tried again stays.
    enum sg_err code = sg_err_by_code(result->code);
    if (up.answered && (result->exit == 0 || !sg_err_retry(code)))
        sg_outbox_remove(&handle->home, up.name, "item");
    return result->exit;
}
