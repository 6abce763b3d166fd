// The way of a release out of the house: sign, keep, send, wait.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/manifest.h"
#include "adapters/client/publish.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/batch.h"

enum { GROUP_MAX = 64, GROUP_HEADER = 56 * 1024, MANIFEST_ROOM = 192 };
enum { GROUP_ARENA = 64 * 1024 * 1024, BLOCK = 256 * 1024 };

// One small release of a group.
struct small {
    const struct statgate_release *release;
    struct statgate_receipt *receipt;
    struct statgate_result *result;
    struct sg_manifest_made made;
    struct sg_content_file file;
    bool answered;
};

struct group {
    struct statgate *handle;
    struct sg_arena *arena;
    struct small one[GROUP_MAX];
    size_t count, left; // left: not yet answered
    size_t header, payload_len;
    uint8_t *payload; // SG_LIMIT_CHUNK
    uint64_t request;
    struct statgate_result refused; // the whole message was
    bool whole;
};

// ---- files -------------------------------------------------------------------------

static enum sg_err
spool_stdin(struct statgate *handle, char path[SG_OS_PATH])
{
    uint8_t random[16];
    uint8_t *bytes = malloc(BLOCK);
    int fd = -1;
    size_t got = 1;

    sg_os_random_fill(random, sizeof random);
    if (bytes == NULL)
        return SG_ERR_MEMORY;
    enum sg_err err = sg_home_path(&handle->home, "outbox",
                                   sg_slice_of(random, 16), ".spool", path)
                          ? sg_os_file_open(path, SG_OS_OPEN_NEW, &fd)
                          : SG_ERR_FULL;
    while (err == SG_OK && got > 0) {
        err = sg_os_file_read_some(0, bytes, BLOCK, &got);
        if (err == SG_OK && got > 0)
            err = sg_os_file_write(fd, sg_slice_of(bytes, got));
    }
    sg_os_file_close(&fd);
    free(bytes);
    return err;
}

// Size, hash, media; is it what was accepted last?
static int
look(struct statgate *handle, const struct statgate_release *release,
     struct sg_content_file *file, struct statgate_result *result)
{
    struct sg_outbox_head head;

    enum sg_err err = sg_content_look(file);
    if (err != SG_OK)
        return sg_session_fail(result, err, release->file);
    if (file->size == 0)
        return sg_session_fail(result, SG_ERR_SHORT, release->file);
    if (!release->again &&
        sg_outbox_head(&handle->home, release->flow, &head) &&
        memcmp(head.file_sha256, file->sha256, 32) == 0)
        return sg_session_fail(result, SG_ERR_UNCHANGED, release->flow);
    return sg_session_done(result);
}

// ---- answers -----------------------------------------------------------------------

int
sg_publish_accepted(struct statgate *handle, const char *flow,
                    uint64_t revision, const uint8_t manifest_sha256[32],
                    const Sgpb__Receipt *said, struct statgate_receipt *receipt,
                    struct statgate_result *result)
{
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_ACCEPTED,
        .manifest_sha256 = sg_slice_of(manifest_sha256, 32),
        .participant = sg_slice_text(handle->home.participant),
        .flow = sg_slice_text(flow),
        .revision = revision};
    struct sg_slice bytes =
        sg_arena_copy(handle->arena, sg_codec_slice(said->receipt));
    int duplicate = said->duplicate; // verifying uses the message's memory

    if (bytes.ptr == NULL)
        return sg_session_fail(result, SG_ERR_FULL, NULL);
    enum sg_err err =
        sg_session_receipt(handle, bytes, &expect, &receipt->entry);
    if (err != SG_OK)
        return sg_session_fail(result, err, "receipt");
    memcpy(receipt->manifest_sha256, manifest_sha256, 32);
    receipt->revision = revision;
    receipt->duplicate = duplicate;
    receipt->bytes = bytes.ptr;
    receipt->len = bytes.len;
    return sg_session_done(result);
}

enum sg_err
sg_publish_remember(struct statgate *handle, const char *flow,
                    const struct sg_content_file *file,
                    const struct statgate_receipt *receipt, bool sync)
{
    struct sg_outbox_head head = {.size = file->size,
                                  .revision = receipt->revision,
                                  .entry = receipt->entry,
                                  .observations = file->observations};

    memcpy(head.file_sha256, file->sha256, 32);
    memcpy(head.manifest_sha256, receipt->manifest_sha256, 32);
    enum sg_err err =
        sg_outbox_receipt(&handle->home, receipt->manifest_sha256,
                          sg_slice_of(receipt->bytes, receipt->len), sync);
    return err == SG_OK ? sg_outbox_set_head(&handle->home, flow, &head) : err;
}

// ---- small ones --------------------------------------------------------------------

void
sg_publish_forget_head(struct statgate *handle, const char *flow)
{
    for (size_t i = 0; i < SG_COUNT_OF(handle->heads); i++) {
        if (strcmp(handle->heads[i].flow, flow) == 0)
            handle->heads[i].terms = NULL;
    }
}

static void
answer_one(struct group *group, struct small *one, const Sgpb__Result *said)
{
    struct statgate *handle = group->handle;

    if (one->answered)
        return;
    one->answered = true;
    group->left--;
    if (said->receipt != NULL) {
        (void)sg_publish_accepted(handle, one->release->flow,
                                  one->made.revision, one->made.sha256,
                                  said->receipt, one->receipt, one->result);
        one->receipt->observations = one->file.observations;
    } else if (said->refusal != NULL) {
        (void)sg_session_refused(one->result, said->refusal);
    } else {
        (void)sg_session_fail(one->result, SG_ERR_PEER_MALFORMED, "result");
    }
    if (one->result->exit != 0)
        sg_publish_forget_head(handle, one->release->flow);
}

static void
on_result(void *context, const Sgpb__Envelope *envelope,
          struct sg_slice payload)
{
    struct group *group = (struct group *)context;

    (void)payload;
    if (envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED &&
        envelope->request == group->request) {
        (void)sg_session_refused(&group->refused, envelope->refused);
        group->whole = true;
        return;
    }
    if (envelope->body_case != SGPB__ENVELOPE__BODY_RESULT)
        return;
    const Sgpb__Result *said = envelope->result;
    for (size_t i = 0; i < group->count; i++) {
        if (said->manifest_sha256.len == 32 &&
            memcmp(said->manifest_sha256.data, group->one[i].made.sha256, 32) ==
                0) {
            answer_one(group, &group->one[i], said);
            return; // verifying used the memory that the message lay in
        }
    }
}

static enum sg_err
fill_publish(struct group *group, Sgpb__Publish *out)
{
    uint8_t leaves[GROUP_MAX][32], sig[SG_SIG_LEN];
    struct sg_batch_head head;
    struct sg_arena *arena = group->arena;
    size_t count = group->count;

    *out = (Sgpb__Publish)SGPB__PUBLISH__INIT;
    for (size_t i = 0; i < count; i++)
        sg_batch_leaf(group->one[i].made.bytes, leaves[i]);
    enum sg_err err =
        sg_batch_sign(group->handle->home.signer, (const uint8_t(*)[32])leaves,
                      (unsigned)count, &head, sig);
    uint8_t *bytes = sg_arena_take(arena, SG_BATCH_HEAD_LEN + SG_SIG_LEN);
    out->manifests = sg_arena_take(arena, count * sizeof *out->manifests);
    out->secret_blocks =
        sg_arena_take(arena, count * sizeof *out->secret_blocks);
    out->lengths = sg_arena_take(arena, count * sizeof *out->lengths);
    if (err != SG_OK)
        return err;
    if (bytes == NULL || out->manifests == NULL || out->secret_blocks == NULL ||
        out->lengths == NULL)
        return SG_ERR_FULL;
    sg_batch_head_encode(&head, bytes);
    memcpy(bytes + SG_BATCH_HEAD_LEN, sig, SG_SIG_LEN);
    out->head = sg_codec_bytes(bytes, SG_BATCH_HEAD_LEN);
    out->sig = sg_codec_bytes(bytes + SG_BATCH_HEAD_LEN, SG_SIG_LEN);
    out->n_manifests = out->n_secret_blocks = out->n_lengths = count;
    for (size_t i = 0; i < count; i++) {
        const struct small *one = &group->one[i];
        out->manifests[i] =
            sg_codec_bytes(one->made.bytes.ptr, one->made.bytes.len);
        out->secret_blocks[i] = sg_codec_bytes(one->made.secret, SG_SECRET_LEN);
        out->lengths[i] = (uint32_t)one->file.size;
    }
    return SG_OK;
}

// Sends until every manifest has its result; the gate knows them by their hash.
static int
deliver(struct group *group, const Sgpb__Publish *publish,
        struct statgate_result *result)
{
    struct statgate *handle = group->handle;
    uint64_t deadline = sg_session_deadline(handle->timeout_ms);
    union {
        const Sgpb__Publish *borrowed;
        Sgpb__Publish *as_field;
    } body = {publish};

    handle->other = on_result;
    handle->other_context = group;
    group->request = 0;
    group->whole = false;
    while (group->left > 0 && !group->whole) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH;
        envelope.publish = body.as_field;
        envelope.request = group->request;
        if (!sg_session_credit(handle, SG_WIRE_DATA, group->payload_len,
                               deadline, result) ||
            sg_session_send(handle, SG_WIRE_DATA, &envelope,
                            sg_slice_of(group->payload, group->payload_len),
                            result) != 0)
            break;
        group->request = envelope.request;
        uint64_t again = sg_session_deadline(SG_PUBLISH_AGAIN_MS);
        while (group->left > 0 && !group->whole &&
               handle->greeted[SG_WIRE_DATA] && sg_os_clock_mono_us() < again &&
               sg_os_clock_mono_us() < deadline)
            (void)sg_session_hear(handle, SG_PUBLISH_SLICE_MS);
        if (sg_os_clock_mono_us() >= deadline && group->left > 0) {
            (void)sg_session_fail(result, SG_ERR_UNREACHABLE, NULL);
            break;
        }
    }
    handle->other = NULL;
    if (group->whole)
        *result = group->refused;
    else if (group->left == 0)
        (void)sg_session_done(result);
    return result->exit;
}

static enum sg_err
read_payload(struct group *group, struct small *one)
{
    int fd = -1;
    uint8_t sha256[32];
    uint8_t *at = group->payload + group->payload_len;

    enum sg_err err = sg_os_file_open(one->file.path, SG_OS_OPEN_READ, &fd);
    if (err == SG_OK)
        err = sg_os_file_pread(fd, 0, at, one->file.size);
    sg_os_file_close(&fd);
    if (err != SG_OK)
        return err;
    sg_crypto_sha256(at, one->file.size, sha256);
    if (memcmp(sha256, one->file.sha256, 32) != 0)
        return SG_ERR_CONTENT; // it changed while it was read
    group->payload_len += one->file.size;
    return SG_OK;
}

// Signs, keeps, sends, waits; every item has its result afterwards.
static void
close_group(struct group *group)
{
    struct statgate *handle = group->handle;
    Sgpb__Publish publish;
    struct sg_slice packed;
    struct statgate_result result;
    uint8_t name[32];

    if (group->count == 0)
        return;
    enum sg_err err = fill_publish(group, &publish);
    publish.rehearse = group->one[0].release->rehearse != 0;
    if (err == SG_OK)
        err = sg_codec_pack(&publish.base, group->arena, &packed);
    if (err == SG_OK && !publish.rehearse) {
        size_t room = 4 + packed.len + group->payload_len;
        uint8_t *bytes = sg_arena_take(group->arena, room);
        struct sg_writer w = sg_writer_on(bytes, bytes == NULL ? 0 : room);
        sg_bytes_put_blob(&w, packed);
        sg_bytes_put(&w, group->payload, group->payload_len);
        sg_crypto_sha256(packed.ptr, packed.len, name);
        err = w.full ? SG_ERR_FULL
                     : sg_outbox_put(&handle->home, name, "group",
                                     sg_writer_slice(&w));
    }
    if (err == SG_OK)
        (void)deliver(group, &publish, &result);
    else
        (void)sg_session_fail(&result, err, "outbox");
    for (size_t i = 0; i < group->count; i++) {
        struct small *one = &group->one[i];
        if (!one->answered) {
            *one->result = result;
            sg_publish_forget_head(handle, one->release->flow);
        } else if (one->result->exit == 0 && !publish.rehearse) {
            err = sg_publish_remember(handle, one->release->flow, &one->file,
                                      one->receipt, i + 1 == group->count);
            if (err != SG_OK)
                (void)sg_session_fail(one->result, err, "outbox");
        }
    }
    if (!publish.rehearse && (group->left == 0 || group->whole))
        sg_outbox_remove(&handle->home, name, "group");
    sg_arena_reset(group->arena);
    group->count = group->left = 0;
    group->header = group->payload_len = 0;
}

static void
add_small(struct group *group, const struct statgate_release *release,
          const struct sg_content_file *file, struct statgate_receipt *receipt,
          struct statgate_result *result)
{
    struct sg_head *head;

    if (group->count == GROUP_MAX ||
        group->payload_len + file->size > SG_LIMIT_CHUNK ||
        group->header > GROUP_HEADER ||
        (group->count > 0 &&
         (group->one[0].release->rehearse != 0) != (release->rehearse != 0)))
        close_group(group);
    struct small *one = &group->one[group->count];
    *one = (struct small){.release = release,
                          .receipt = receipt,
                          .result = result,
                          .file = *file};
    memset(receipt, 0, sizeof *receipt);
    if (sg_manifest_head(group->handle, release->flow,
                         group->count == 0 && release->rehearse != 0, &head,
                         result) != 0)
        return;
    uint64_t revision = head->revision;
    uint8_t last[32];
    memcpy(last, head->manifest_sha256, 32);
    if (sg_manifest_make(group->handle, release, head, &one->file, group->arena,
                         &one->made, result) != 0)
        return;
    memcpy(receipt->manifest_sha256, one->made.sha256, 32);
    enum sg_err err = read_payload(group, one);
    if (err != SG_OK || release->rehearse) { // takes no number
        head->revision = revision;
        memcpy(head->manifest_sha256, last, 32);
    }
    if (err != SG_OK) {
        (void)sg_session_fail(result, err, release->file);
        return;
    }
    group->header += one->made.bytes.len + MANIFEST_ROOM;
    group->count++;
    group->left++;
    if (release->rehearse) // the next one has the same number
        close_group(group);
}

static enum sg_err
open_group(struct statgate *handle, struct group **group)
{
    *group = calloc(1, sizeof **group);
    if (*group == NULL)
        return SG_ERR_MEMORY;
    (*group)->handle = handle;
    (*group)->arena = sg_arena_new(GROUP_ARENA, BLOCK);
    (*group)->payload = malloc(SG_LIMIT_CHUNK);
    return (*group)->arena == NULL || (*group)->payload == NULL ? SG_ERR_MEMORY
                                                                : SG_OK;
}

static void
free_group(struct group **group)
{
    if (*group == NULL)
        return;
    sg_arena_free(&(*group)->arena);
    free((*group)->payload);
    free(*group);
    *group = NULL;
}

// ---- what was left over by a crash -----------------------------------------------------

static enum sg_err
load_group(struct group *group, uint8_t *bytes, size_t len,
           struct statgate_release *releases, struct statgate_receipt *receipts,
           struct statgate_result *results, const Sgpb__Publish **publish)
{
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes, len));
    struct sg_slice packed = sg_bytes_blob(&r);
    void *found = NULL;
    size_t at = 0;

    if (r.failed || r.len > SG_LIMIT_CHUNK ||
        sg_codec_unpack(&sgpb__publish__descriptor, packed, group->arena,
                        &found) != SG_OK)
        return SG_ERR_FORMAT;
    *publish = found;
    group->count = group->left = (*publish)->n_manifests;
    if (group->count > GROUP_MAX || (*publish)->n_lengths != group->count)
        return SG_ERR_FORMAT;
    memcpy(group->payload, r.ptr, r.len);
    group->payload_len = r.len;
    for (size_t i = 0; i < group->count; i++) {
        struct small *one = &group->one[i];
        void *manifest = NULL;
        *one = (struct small){.release = &releases[i],
                              .receipt = &receipts[i],
                              .result = &results[i]};
        one->made.bytes = sg_codec_slice((*publish)->manifests[i]);
        if (sg_codec_unpack(&sgpb__manifest__descriptor, one->made.bytes,
                            group->arena, &manifest) != SG_OK ||
            (*publish)->lengths[i] > r.len - at)
            return SG_ERR_FORMAT;
        releases[i].flow = ((Sgpb__Manifest *)manifest)->flow;
        one->made.revision = ((Sgpb__Manifest *)manifest)->revision;
        one->file.size = (*publish)->lengths[i];
        sg_crypto_sha256(one->made.bytes.ptr, one->made.bytes.len,
                         one->made.sha256);
        sg_crypto_sha256(group->payload + at, one->file.size, one->file.sha256);
        at += one->file.size;
    }
    return SG_OK;
}

// Sends a group again that a crash or a silence left without answers. found:
// its release of this flow and content, if it holds one.
static bool
replay(struct group *group, const uint8_t name[32], const char *flow,
       const uint8_t sha256[32], struct statgate_receipt *found)
{
    static const size_t most = GROUP_MAX;
    struct statgate *handle = group->handle;
    struct statgate_release *releases = calloc(most, sizeof *releases);
    struct statgate_receipt *receipts = calloc(most, sizeof *receipts);
    struct statgate_result *results = calloc(most, sizeof *results);
    struct statgate_result result;
    const Sgpb__Publish *publish = NULL;
    uint8_t *bytes = NULL;
    size_t len;
    bool fits = false;

    enum sg_err err = sg_outbox_get(&handle->home, name, "group", &bytes, &len);
    if (err == SG_OK && releases != NULL && receipts != NULL && results != NULL)
        err = load_group(group, bytes, len, releases, receipts, results,
                         &publish);
    if (err == SG_OK)
        (void)deliver(group, publish, &result);
    for (size_t i = 0; i < group->count && err == SG_OK; i++) {
        const struct small *one = &group->one[i];
        if (!one->answered || one->result->exit != 0 ||
            sg_publish_remember(handle, one->release->flow, &one->file,
                                one->receipt, true) != SG_OK)
            continue;
        if (flow != NULL && strcmp(flow, one->release->flow) == 0 &&
            memcmp(sha256, one->file.sha256, 32) == 0) {
            *found = *one->receipt;
            fits = true;
        }
    }
    if (err == SG_ERR_FORMAT || group->left == 0 || group->whole)
        sg_outbox_remove(&handle->home, name, "group");
    group->count = group->left = group->payload_len = 0;
    free(bytes);
    free(releases);
    free(receipts);
    free(results);
    return fits;
}

// true: the release wanted was among them.
static bool
replay_left(struct group *group, const char *flow, const uint8_t sha256[32],
            struct statgate_receipt *found)
{
    uint8_t name[32], last[32] = {0};
    bool fits = false;

    while (sg_outbox_left(&group->handle->home, "group", name) &&
           memcmp(name, last, 32) != 0) {
        memcpy(last, name, 32); // one that stays is not tried for ever
        fits = replay(group, name, flow, sha256, found) || fits;
        sg_arena_reset(group->arena);
    }
    return fits;
}

// ---- the public calls -----------------------------------------------------------------

int
statgate_publish_many(struct statgate *handle,
                      const struct statgate_release *releases, size_t count,
                      struct statgate_receipt *receipts,
                      struct statgate_result *results)
{
    struct group *group = NULL;
    int lock = -1;
    int worst = 0;

    sg_arena_reset(handle->arena);
    enum sg_err err = sg_outbox_lock(&handle->home, &lock);
    if (err == SG_OK)
        err = open_group(handle, &group);
    if (err == SG_OK)
        (void)replay_left(group, NULL, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        struct sg_content_file file = {.path = releases[i].file};
        if (err != SG_OK) {
            (void)sg_session_fail(&results[i], err, NULL);
            continue;
        }
        if (look(handle, &releases[i], &file, &results[i]) != 0)
            continue;
        if (file.size > SG_LIMIT_CHUNK) {
            close_group(group);
            (void)sg_publish_large(handle, &releases[i], &file, NULL, NULL,
                                   &receipts[i], &results[i]);
            continue;
        }
        add_small(group, &releases[i], &file, &receipts[i], &results[i]);
    }
    if (err == SG_OK)
        close_group(group);
    free_group(&group);
    sg_os_file_close(&lock);
    for (size_t i = 0; i < count; i++) {
        if (results[i].exit != 0)
            worst = results[i].exit;
    }
    return worst;
}

static int
publish_file(struct statgate *handle, const struct statgate_release *release,
             statgate_progress *progress, void *context,
             struct statgate_receipt *receipt, struct statgate_result *result)
{
    struct sg_content_file file = {.path = release->file};
    struct group *group = NULL;

    enum sg_err err = open_group(handle, &group);
    if (err == SG_OK)
        err = sg_content_look(&file);
    if (err == SG_OK &&
        replay_left(group, release->flow, file.sha256, receipt)) {
        free_group(&group);
        return sg_session_done(result);
    }
    if (err != SG_OK) {
        (void)sg_session_fail(result, err, release->file);
    } else if (look(handle, release, &file, result) == 0) {
        if (file.size > SG_LIMIT_CHUNK) {
            (void)sg_publish_large(handle, release, &file, progress, context,
                                   receipt, result);
        } else {
            add_small(group, release, &file, receipt, result);
            close_group(group);
        }
    }
    free_group(&group);
    return result->exit;
}

int
statgate_publish(struct statgate *handle,
                 const struct statgate_release *release,
                 statgate_progress *progress, void *context,
                 struct statgate_receipt *receipt,
                 struct statgate_result *result)
{
    struct statgate_release own = *release;
    char spool[SG_OS_PATH] = "";
    int lock = -1;
    bool spooled = strcmp(release->file, "-") == 0;

    sg_arena_reset(handle->arena);
    memset(receipt, 0, sizeof *receipt);
    enum sg_err err = sg_outbox_lock(&handle->home, &lock);
    if (err == SG_OK && spooled) {
        err = spool_stdin(handle, spool);
        own.file = spool;
    }
    if (err != SG_OK)
        (void)sg_session_fail(result, err, "outbox");
    else
        (void)publish_file(handle, &own, progress, context, receipt, result);
    if (spool[0] != '\0')
        (void)!sg_os_file_remove(spool);
    sg_os_file_close(&lock);
    return result->exit;
}
