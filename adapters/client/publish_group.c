#include "adapters/client/publish_group.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/client/manifest.h"
#include "adapters/client/publish.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/batch.h"

// WINDOW: groups on their way; with one release each it is what keeps the
// gate's workers busy, with 64 each four would do.
enum { GROUP_MAX = 64, GROUP_HEADER = 56 * 1024, MANIFEST_ROOM = 192 };
enum { GROUP_ARENA = 64 * 1024 * 1024, BLOCK = 256 * 1024, WINDOW = 32 };
enum { BURST = 16 }; // releases whose groups become durable together

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
    struct sg_arena *arena;
    struct small one[GROUP_MAX];
    size_t count, left; // left: not yet answered
    size_t header, payload_len;
    uint8_t *payload; // SG_LIMIT_CHUNK
    uint8_t name[32]; // in the outbox
    const Sgpb__Publish *publish;
    uint64_t request, again; // again: when it is sent once more
    bool unsure;             // refused before its predecessors were answered
    struct statgate_result refused; // the whole message was
    bool whole;
};

struct sg_publish_window {
    struct statgate *handle;
    struct group group[WINDOW + 1]; // a ring; the last is being filled
    size_t first, count;            // on their way, oldest first
    size_t unsent, unsent_releases; // of count, the newest: signed, not kept
    uint64_t deadline;              // of the next sign of life
    uint64_t named;                 // time in the newest name
};

static struct group *
group_at(struct sg_publish_window *window, size_t index)
{
    return &window->group[(window->first + index) % (WINDOW + 1)];
}

static struct group *
filling(struct sg_publish_window *window)
{
    return group_at(window, window->count);
}

static void
empty(struct group *group)
{
    sg_arena_reset(group->arena);
    group->count = group->left = 0;
    group->header = group->payload_len = 0;
    group->publish = NULL;
    group->request = 0;
    group->unsure = group->whole = false;
}

// ---- answers -----------------------------------------------------------------------

static void
answer_one(struct sg_publish_window *window, struct group *group,
           struct small *one, const Sgpb__Result *said)
{
    struct statgate *handle = window->handle;

    if (one->answered)
        return;
    // A message before it may have been lost on the way while this one was not:
    // its turn comes again when that is answered.
    if (said->refusal != NULL && group != group_at(window, 0) &&
        strcmp(said->refusal->code, sg_err_code(SG_ERR_REVISION)) == 0) {
        group->unsure = true;
        return;
    }
    one->answered = true;
    group->left--;
    if (said->receipt != NULL) {
        (void)sg_publish_accepted(handle, one->release->flow,
                                  one->made.revision, one->made.sha256,
                                  said->receipt, one->receipt, one->result);
    } else if (said->refusal != NULL) {
        (void)sg_session_refused(one->result, said->refusal);
    } else {
        (void)sg_session_fail(one->result, SG_ERR_PEER_MALFORMED, "result");
    }
    if (one->result->exit != 0)
        sg_publish_forget_head(handle, one->release->flow);
}

// false: it is not of this group.
static bool
take_result(struct sg_publish_window *window, struct group *group,
            const Sgpb__Envelope *envelope)
{
    if (envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED) {
        if (group->request == 0 || envelope->request != group->request)
            return false;
        // It wants a hello first; the same bytes are sent again.
        if (!window->handle->greeted[SG_WIRE_DATA])
            return true;
        (void)sg_session_refused(&group->refused, envelope->refused);
        group->whole = true;
        return true;
    }
    const Sgpb__Result *said = envelope->result;
    for (size_t i = 0; i < group->count; i++) {
        if (memcmp(said->manifest_sha256.data, group->one[i].made.sha256, 32) ==
            0) {
            answer_one(window, group, &group->one[i], said);
            return true; // verifying used the memory that the message lay in
        }
    }
    return false;
}

static void
on_result(void *context, const Sgpb__Envelope *envelope,
          struct sg_slice payload)
{
    struct sg_publish_window *window = (struct sg_publish_window *)context;

    (void)payload;
    if (envelope->body_case != SGPB__ENVELOPE__BODY_REFUSED &&
        (envelope->body_case != SGPB__ENVELOPE__BODY_RESULT ||
         envelope->result->manifest_sha256.len != 32))
        return;
    for (size_t i = 0; i < window->count; i++) {
        struct group *group = group_at(window, i);
        size_t left = group->left;
        bool whole = group->whole;
        if (!take_result(window, group, envelope))
            continue;
        if (group->left != left || group->whole != whole) // not said before
            window->deadline = sg_session_deadline(window->handle->timeout_ms);
        return;
    }
}

// ---- the end of groups --------------------------------------------------------------

static bool
is_over(const struct group *group)
{
    return group->left == 0 || group->whole;
}

static bool
is_accepted(const struct small *one)
{
    return one->answered && one->result->exit == 0;
}

// Is there a later one of its flow among the groups that end together?
static bool
has_later(struct sg_publish_window *window, size_t count, size_t at, size_t i)
{
    const char *flow = group_at(window, at)->one[i].release->flow;

    for (size_t from = i + 1; at < count; at++, from = 0) {
        const struct group *group = group_at(window, at);
        for (size_t k = from; k < group->count; k++)
            if (is_accepted(&group->one[k]) &&
                strcmp(group->one[k].release->flow, flow) == 0)
                return true;
    }
    return false;
}

// All or none: what stands behind a receipt that was cut off is not found.
static enum sg_err
keep_receipts(struct sg_publish_window *window, size_t count)
{
    enum sg_err err = SG_OK;
    bool any = false;

    for (size_t at = 0; at < count; at++) {
        struct group *group = group_at(window, at);
        for (size_t i = 0; i < group->count && !group->publish->rehearse; i++) {
            const struct small *one = &group->one[i];
            if (!is_accepted(one) || err != SG_OK)
                continue;
            any = true;
            err = sg_outbox_receipt(
                &window->handle->home, one->made.sha256,
                sg_slice_of(one->receipt->bytes, one->receipt->len), false);
        }
    }
    return any && err == SG_OK ? sg_outbox_sync_receipts(&window->handle->home)
                               : err;
}

// Receipts first, synced once for all; then the last accepted of each flow
// stands for it. false: they could not be kept, which their results say.
static bool
remember(struct sg_publish_window *window, size_t count)
{
    enum sg_err kept = keep_receipts(window, count);

    for (size_t at = 0; at < count; at++) {
        struct group *group = group_at(window, at);
        for (size_t i = 0; i < group->count && !group->publish->rehearse; i++) {
            const struct small *one = &group->one[i];
            enum sg_err err = kept;
            if (!is_accepted(one))
                continue;
            if (err == SG_OK && !has_later(window, count, at, i))
                err = sg_publish_set_head(window->handle, one->release->flow,
                                          &one->file, one->receipt);
            if (err != SG_OK)
                (void)sg_session_fail(one->result, err, "outbox");
        }
    }
    return kept == SG_OK;
}

// Every item has its result afterwards; those without an answer get *result. A
// group whose receipts are not kept stays in the outbox, and gets them again.
static void
settle(struct sg_publish_window *window, struct group *group, bool kept,
       const struct statgate_result *result)
{
    for (size_t i = 0; i < group->count; i++) {
        struct small *one = &group->one[i];
        if (one->answered)
            continue;
        *one->result = group->whole ? group->refused : *result;
        sg_publish_forget_head(window->handle, one->release->flow);
    }
    if (kept && !group->publish->rehearse && is_over(group))
        sg_outbox_remove(&window->handle->home, group->name, "group");
    empty(group);
}

// The oldest count groups, together.
static void
end_groups(struct sg_publish_window *window, size_t count,
           const struct statgate_result *result)
{
    bool kept = remember(window, count);

    for (size_t i = 0; i < count; i++) {
        settle(window, group_at(window, 0), kept, result);
        window->first = (window->first + 1) % (WINDOW + 1);
        window->count--;
    }
}

// ---- sending -------------------------------------------------------------------------

static int
send_group(struct sg_publish_window *window, struct group *group,
           struct statgate_result *result)
{
    struct statgate *handle = window->handle;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    union {
        const Sgpb__Publish *borrowed;
        Sgpb__Publish *as_field;
    } body = {group->publish};

    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH;
    envelope.publish = body.as_field;
    envelope.request = group->request;
    if (!sg_session_credit(handle, SG_WIRE_DATA, group->payload_len,
                           window->deadline, result) ||
        sg_session_send(handle, SG_WIRE_DATA, &envelope,
                        sg_slice_of(group->payload, group->payload_len),
                        result) != 0)
        return result->exit;
    group->request = envelope.request;
    group->again = sg_session_deadline(SG_PUBLISH_AGAIN_MS);
    return sg_session_done(result);
}

// Sent again: the oldest alone when it was only too early, else all, in order.
static int
send_again(struct sg_publish_window *window, struct statgate_result *result)
{
    struct group *oldest = group_at(window, 0);
    size_t count = oldest->unsure ? 1 : window->count;
    int status = sg_session_done(result);

    oldest->unsure = false;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = send_group(window, group_at(window, i), result);
    return status;
}

static size_t
count_over(struct sg_publish_window *window)
{
    size_t count = 0;

    while (count < window->count && is_over(group_at(window, count)))
        count++;
    return count;
}

// Hears until at most `most` groups are on their way; every one that is over
// has its results.
static void
drain(struct sg_publish_window *window, size_t most)
{
    struct statgate *handle = window->handle;
    struct statgate_result result;

    (void)sg_session_done(&result);
    while (window->count > most) {
        struct group *oldest = group_at(window, 0);
        uint64_t now = sg_os_clock_mono_us();
        size_t over = count_over(window);
        if (over > 0) {
            end_groups(window, over, &result);
        } else if (result.exit != 0) {
            end_groups(window, window->count, &result);
        } else if (now >= window->deadline) {
            (void)sg_session_fail(&result, SG_ERR_UNREACHABLE, NULL);
        } else if (oldest->unsure || now >= oldest->again ||
                   !handle->greeted[SG_WIRE_DATA]) {
            (void)send_again(window, &result);
        } else {
            (void)sg_session_hear(handle, SG_PUBLISH_SLICE_MS);
        }
    }
}

// ---- signing ---------------------------------------------------------------------------

static enum sg_err
fill_publish(struct sg_publish_window *window, struct group *group,
             Sgpb__Publish *out)
{
    uint8_t leaves[GROUP_MAX][32], sig[SG_SIG_LEN];
    struct sg_batch_head head;
    struct sg_arena *arena = group->arena;
    size_t count = group->count;

    *out = (Sgpb__Publish)SGPB__PUBLISH__INIT;
    for (size_t i = 0; i < count; i++)
        sg_batch_leaf(group->one[i].made.bytes, leaves[i]);
    enum sg_err err =
        sg_batch_sign(window->handle->home.signer, (const uint8_t(*)[32])leaves,
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
    out->rehearse = group->one[0].release->rehearse != 0;
    for (size_t i = 0; i < count; i++) {
        const struct small *one = &group->one[i];
        out->manifests[i] =
            sg_codec_bytes(one->made.bytes.ptr, one->made.bytes.len);
        out->secret_blocks[i] = sg_codec_bytes(one->made.secret, SG_SECRET_LEN);
        out->lengths[i] = (uint32_t)one->file.size;
    }
    return SG_OK;
}

// The time comes first, so that what a crash leaves is sent again in order.
static void
give_name(struct sg_publish_window *window, struct group *group,
          struct sg_slice packed)
{
    uint8_t hash[32];
    uint64_t now = sg_os_clock_wall_us();

    window->named = now > window->named ? now : window->named + 1;
    sg_crypto_sha256(packed.ptr, packed.len, hash);
    sg_bytes_store_u64(group->name, window->named);
    memcpy(group->name + 8, hash, 24);
}

static enum sg_err
sign_group(struct sg_publish_window *window, struct group *group)
{
    Sgpb__Publish *publish = sg_arena_take(group->arena, sizeof *publish);
    struct sg_slice packed;
    enum sg_err err =
        publish == NULL ? SG_ERR_FULL : fill_publish(window, group, publish);

    if (err == SG_OK)
        err = sg_codec_pack(&publish->base, group->arena, &packed);
    group->publish = publish;
    if (err != SG_OK || publish->rehearse)
        return err;
    size_t room = 4 + packed.len + group->payload_len;
    uint8_t *bytes = sg_arena_take(group->arena, room);
    struct sg_writer w = sg_writer_on(bytes, bytes == NULL ? 0 : room);
    sg_bytes_put_blob(&w, packed);
    sg_bytes_put(&w, group->payload, group->payload_len);
    give_name(window, group, packed);
    return w.full ? SG_ERR_FULL
                  : sg_outbox_put(&window->handle->home, group->name, "group",
                                  sg_writer_slice(&w));
}

static void
fail_group(struct sg_publish_window *window, struct group *group,
           enum sg_err err)
{
    for (size_t i = 0; i < group->count; i++) {
        (void)sg_session_fail(group->one[i].result, err, "outbox");
        sg_publish_forget_head(window->handle, group->one[i].release->flow);
    }
    empty(group);
}

// What was signed becomes durable together, and only then is sent.
static void
send_signed(struct sg_publish_window *window)
{
    uint8_t names[WINDOW][32];
    struct statgate_result result;
    size_t from = window->count - window->unsent, kept = 0;

    for (size_t i = from; i < window->count; i++)
        if (!group_at(window, i)->publish->rehearse)
            memcpy(names[kept++], group_at(window, i)->name, 32);
    enum sg_err err =
        kept == 0 ? SG_OK
                  : sg_outbox_sync(&window->handle->home,
                                   (const uint8_t(*)[32])names, kept, "group");
    window->unsent = window->unsent_releases = 0;
    if (err != SG_OK) {
        while (window->count > from)
            fail_group(window, group_at(window, --window->count), err);
        return;
    }
    window->deadline = sg_session_deadline(window->handle->timeout_ms);
    for (size_t i = from; i < window->count; i++)
        if (send_group(window, group_at(window, i), &result) != 0)
            group_at(window, i)->again = 0; // tried again when waited for
}

// Signs what was filled; it is sent when there is enough, or nothing more
// comes. The answers come later.
static void
close_group(struct sg_publish_window *window)
{
    struct group *group = filling(window);

    if (group->count == 0)
        return;
    enum sg_err err = sign_group(window, group);
    if (err != SG_OK) {
        fail_group(window, group, err);
        return;
    }
    window->count++;
    window->unsent++;
    window->unsent_releases += group->count;
    if (window->unsent_releases >= BURST)
        send_signed(window);
    if (window->count == WINDOW) {
        send_signed(window);
        drain(window, WINDOW - BURST);
    }
}

// ---- filling ---------------------------------------------------------------------------

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

static bool
joins(const struct group *group, const struct statgate_release *release,
      uint64_t size)
{
    return group->count < GROUP_MAX &&
           group->payload_len + size <= SG_LIMIT_CHUNK &&
           group->header <= GROUP_HEADER && !release->alone &&
           !release->rehearse;
}

// false: *one->result says why.
static bool
make_one(struct sg_publish_window *window, struct group *group,
         struct small *one)
{
    const struct statgate_release *release = one->release;
    struct sg_head *head;

    if (sg_manifest_head(window->handle, release->flow,
                         group->count == 0 && release->rehearse != 0, &head,
                         one->result) != 0)
        return false;
    uint64_t revision = head->revision;
    uint8_t last[32];
    memcpy(last, head->manifest_sha256, 32);
    if (sg_manifest_make(window->handle, release, head, &one->file,
                         group->arena, &one->made, one->result) != 0)
        return false;
    memcpy(one->receipt->manifest_sha256, one->made.sha256, 32);
    enum sg_err err = read_payload(group, one);
    if (err != SG_OK || release->rehearse) { // takes no number
        head->revision = revision;
        memcpy(head->manifest_sha256, last, 32);
    }
    if (err == SG_OK)
        return true;
    (void)sg_session_fail(one->result, err, release->file);
    return false;
}

void
sg_publish_window_add(struct sg_publish_window *window,
                      const struct statgate_release *release,
                      const struct sg_content_file *file,
                      struct statgate_receipt *receipt,
                      struct statgate_result *result)
{
    window->handle->other = on_result;
    window->handle->other_context = window;
    if (filling(window)->count > 0 &&
        !joins(filling(window), release, file->size))
        close_group(window);
    struct group *group = filling(window);
    struct small *one = &group->one[group->count];
    *one = (struct small){.release = release,
                          .receipt = receipt,
                          .result = result,
                          .file = *file};
    memset(receipt, 0, sizeof *receipt);
    if (make_one(window, group, one)) {
        group->header += one->made.bytes.len + MANIFEST_ROOM;
        group->count++;
        group->left++;
        if (release->rehearse || release->alone)
            close_group(window);
    }
    window->handle->other = NULL;
}

void
sg_publish_window_end(struct sg_publish_window *window)
{
    window->handle->other = on_result;
    window->handle->other_context = window;
    close_group(window);
    send_signed(window);
    drain(window, 0);
    window->handle->other = NULL;
}

enum sg_err
sg_publish_window_new(struct statgate *handle,
                      struct sg_publish_window **window)
{
    *window = calloc(1, sizeof **window);
    if (*window == NULL)
        return SG_ERR_MEMORY;
    (*window)->handle = handle;
    for (size_t i = 0; i < SG_COUNT_OF((*window)->group); i++) {
        struct group *group = &(*window)->group[i];
        group->arena = sg_arena_new(GROUP_ARENA, BLOCK);
        group->payload = malloc(SG_LIMIT_CHUNK);
        if (group->arena == NULL || group->payload == NULL) {
            sg_publish_window_free(window);
            return SG_ERR_MEMORY;
        }
    }
    return SG_OK;
}

void
sg_publish_window_free(struct sg_publish_window **window)
{
    if (*window == NULL)
        return;
    for (size_t i = 0; i < SG_COUNT_OF((*window)->group); i++) {
        sg_arena_free(&(*window)->group[i].arena);
        free((*window)->group[i].payload);
    }
    free(*window);
    *window = NULL;
}

// ---- what was left over by a crash -----------------------------------------------------

struct left { // of one group: what its items point to
    struct statgate_release release[GROUP_MAX];
    struct statgate_receipt receipt[GROUP_MAX];
    struct statgate_result result[GROUP_MAX];
};

static enum sg_err
load_one(struct group *group, struct left *left, size_t i, struct sg_reader *r)
{
    struct small *one = &group->one[i];
    void *manifest = NULL;
    struct sg_slice file = sg_bytes_take(r, group->publish->lengths[i]);

    *one = (struct small){.release = &left->release[i],
                          .receipt = &left->receipt[i],
                          .result = &left->result[i]};
    one->made.bytes = sg_codec_slice(group->publish->manifests[i]);
    if (r->failed ||
        sg_codec_unpack(&sgpb__manifest__descriptor, one->made.bytes,
                        group->arena, &manifest) != SG_OK)
        return SG_ERR_FORMAT;
    left->release[i].flow = ((Sgpb__Manifest *)manifest)->flow;
    one->made.revision = ((Sgpb__Manifest *)manifest)->revision;
    one->file.size = file.len;
    sg_crypto_sha256(one->made.bytes.ptr, one->made.bytes.len,
                     one->made.sha256);
    sg_crypto_sha256(file.ptr, file.len, one->file.sha256);
    memcpy(group->payload + group->payload_len, file.ptr, file.len);
    group->payload_len += file.len;
    return SG_OK;
}

static enum sg_err
load_group(struct group *group, struct sg_slice bytes, struct left *left)
{
    struct sg_reader r = sg_reader_on(bytes);
    struct sg_slice packed = sg_bytes_blob(&r);
    void *found = NULL;
    enum sg_err err = SG_OK;

    if (r.failed || r.len > SG_LIMIT_CHUNK ||
        sg_codec_unpack(&sgpb__publish__descriptor, packed, group->arena,
                        &found) != SG_OK)
        return SG_ERR_FORMAT;
    group->publish = found;
    size_t count = group->publish->n_manifests;
    if (count > GROUP_MAX || group->publish->n_lengths != count)
        return SG_ERR_FORMAT;
    for (size_t i = 0; i < count && err == SG_OK; i++)
        err = load_one(group, left, i, &r);
    if (err == SG_OK)
        group->count = group->left = count;
    return err;
}

// Its release of this flow and content, if it holds one.
static bool
holds(const struct group *group, const char *flow, const uint8_t sha256[32],
      struct statgate_receipt *found)
{
    bool fits = false;

    for (size_t i = 0; flow != NULL && i < group->count; i++) {
        const struct small *one = &group->one[i];
        if (!one->answered || one->result->exit != 0 ||
            strcmp(flow, one->release->flow) != 0 ||
            memcmp(sha256, one->file.sha256, 32) != 0)
            continue;
        *found = *one->receipt;
        fits = true;
    }
    return fits;
}

static bool
replay(struct sg_publish_window *window, const uint8_t name[32],
       const char *flow, const uint8_t sha256[32],
       struct statgate_receipt *found)
{
    struct group *group = filling(window);
    struct statgate_result result;
    struct left *left = calloc(1, sizeof *left);
    uint8_t *bytes = NULL;
    size_t len;
    bool fits = false;

    memcpy(group->name, name, 32);
    enum sg_err err = left == NULL ? SG_ERR_MEMORY
                                   : sg_outbox_get(&window->handle->home, name,
                                                   "group", &bytes, &len);
    if (err == SG_OK)
        err = load_group(group, sg_slice_of(bytes, len), left);
    if (err == SG_ERR_FORMAT)
        sg_outbox_remove(&window->handle->home, name, "group");
    if (err == SG_OK) {
        window->deadline = sg_session_deadline(window->handle->timeout_ms);
        window->count++;
        if (send_group(window, group, &result) != 0)
            group->again = 0;
        while (group->left > 0 && !group->whole &&
               sg_os_clock_mono_us() < window->deadline) {
            if (sg_os_clock_mono_us() >= group->again ||
                !window->handle->greeted[SG_WIRE_DATA]) {
                if (send_group(window, group, &result) != 0)
                    break;
            }
            (void)sg_session_hear(window->handle, SG_PUBLISH_SLICE_MS);
        }
        fits = holds(group, flow, sha256, found);
        (void)sg_session_fail(&result, SG_ERR_UNREACHABLE, NULL);
        end_groups(window, 1, &result);
    }
    empty(group);
    if (bytes != NULL)
        sg_crypto_wipe(bytes, len); // it holds secret blocks
    free(bytes);
    free(left);
    return fits;
}

bool
sg_publish_window_left(struct sg_publish_window *window, const char *flow,
                       const uint8_t sha256[32], struct statgate_receipt *found)
{
    uint8_t name[32], last[32] = {0};
    bool fits = false;

    window->handle->other = on_result;
    window->handle->other_context = window;
    while (sg_outbox_left(&window->handle->home, "group", name) &&
           memcmp(name, last, 32) != 0) {
        memcpy(last, name, 32); // one that stays is not tried for ever
        fits = replay(window, name, flow, sha256, found) || fits;
    }
    window->handle->other = NULL;
    return fits;
}
