#include "adapters/client/gap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"

enum { LAST_BYTES = 8 + 32, DOCUMENT_MAX = 64 * 1024 };

struct last { // revision 0: nothing was given out yet
    uint64_t revision;
    uint8_t manifest[32];
};

// ---- where it stands -------------------------------------------------------------

static bool
last_path(const struct sg_home *home, const char *subscription,
          char path[SG_OS_PATH])
{
    return sg_home_path_named(home, "subscriptions", subscription, ".last",
                              path);
}

// What a power cut left of it is as good as none: the next delivery begins anew.
static enum sg_err
read_last(const struct sg_home *home, const char *subscription,
          struct last *last)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    *last = (struct last){0};
    if (!last_path(home, subscription, path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read_own(path, LAST_BYTES, &bytes, &len);
    if (err != SG_OK)
        return err == SG_ERR_NOT_FOUND ? SG_OK : err;
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes, len));
    if (len == LAST_BYTES) {
        last->revision = sg_bytes_u64(&r);
        memcpy(last->manifest, sg_bytes_take(&r, 32).ptr, 32);
    }
    free(bytes);
    return SG_OK;
}

enum sg_err
sg_gap_passed(const struct sg_home *home, const char *subscription,
              uint64_t revision, const uint8_t manifest_sha256[32])
{
    uint8_t bytes[LAST_BYTES];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
    char path[SG_OS_PATH];
    struct last last;

    enum sg_err err = read_last(home, subscription, &last);
    if (err != SG_OK || last.revision >= revision)
        return err; // one that was held comes after those behind it
    sg_bytes_put_u64(&w, revision);
    sg_bytes_put(&w, manifest_sha256, 32);
    return last_path(home, subscription, path)
               ? sg_os_file_put(path, sg_slice_of(bytes, w.len))
               : SG_ERR_FULL;
}

// ---- the gate's word -------------------------------------------------------------

static bool
known_state(const char *state)
{
    static const char *const states[] = {
        "before",  "denied",  "held",    "open",     "sent",     "kept",
        "refused", "stopped", "expired", "recalled", "destroyed"};

    for (size_t i = 0; i < SG_COUNT_OF(states); i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

// It must be about each revision asked for, of this subscription and no other.
// *before: one of them, and so all that are older, was there before it.
static bool
accounts(struct statgate *handle, const struct sg_subscribe_kept *kept,
         const Sgpb__Signed *document, uint64_t from, uint32_t count,
         bool *before)
{
    const struct sg_home *home = &handle->home;
    void *body = NULL;

    if (!sg_roster_gate_signed(&home->roster, document, SG_SIGN_GAP) ||
        sg_codec_unpack(&sgpb__gap__descriptor, sg_codec_slice(document->body),
                        handle->arena, &body) != SG_OK)
        return false;
    const Sgpb__Gap *gap = body;
    if (strcmp(gap->gate, home->gate) != 0 ||
        strcmp(gap->subscriber, home->participant) != 0 ||
        strcmp(gap->flow, kept->doc->flow) != 0 ||
        !sg_slice_eq(sg_codec_slice(gap->subscription_sha256),
                     sg_slice_of(kept->sha256, 32)) ||
        gap->n_rows != count)
        return false;
    *before = false;
    for (uint32_t i = 0; i < count; i++) {
        if (gap->rows[i]->revision != from + i ||
            !known_state(gap->rows[i]->state))
            return false;
        *before |= strcmp(gap->rows[i]->state, "before") == 0;
    }
    return true;
}

// HOME/gaps/<hash of subscription>.<first revision>: the newest word on it.
static enum sg_err
keep(struct statgate *handle, const struct sg_subscribe_kept *kept,
     const Sgpb__Signed *document, uint64_t from)
{
    char path[SG_OS_PATH], suffix[32];
    struct sg_slice packed;

    (void)snprintf(suffix, sizeof suffix, ".%" PRIu64, from);
    if (!sg_os_file_path(path, "%s/gaps", handle->home.path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(path);
    if (err == SG_OK)
        err = sg_codec_pack(&document->base, handle->arena, &packed);
    if (err == SG_OK &&
        !sg_home_path(&handle->home, "gaps", sg_slice_of(kept->sha256, 32),
                      suffix, path))
        err = SG_ERR_FULL;
    return err == SG_OK ? sg_os_file_replace(path, packed, true) : err;
}

static int
say(struct statgate_result *result, uint64_t from, uint64_t to)
{
    (void)sg_session_fail(result, SG_ERR_GAP, NULL);
    if (from == to)
        (void)snprintf(result->sentence, sizeof result->sentence,
                       "revision %" PRIu64 " is missing, and the gate does "
                       "not show what became of it",
                       from);
    else
        (void)snprintf(result->sentence, sizeof result->sentence,
                       "revisions %" PRIu64 " to %" PRIu64 " are missing, and "
                       "the gate does not show what became of them",
                       from, to);
    return result->exit;
}

static int
ask(struct statgate *handle, const struct sg_subscribe_kept *kept,
    uint64_t from, uint32_t count, bool *before, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__GapGet get = SGPB__GAP_GET__INIT;
    const Sgpb__Envelope *answer;

    get.subscription = (char *)(uintptr_t)kept->id;
    get.from = from;
    get.count = count;
    envelope.body_case = SGPB__ENVELOPE__BODY_GAP_GET;
    envelope.gap_get = &get;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0}, SGPB__ENVELOPE__BODY_GAP,
                       &answer, result) != 0)
        return result->exit == sg_err_exit(SG_ERR_BUSY) ||
                       sg_session_is(result, SG_ERR_UNREACHABLE)
                   ? result->exit
                   : say(result, from, from + count - 1);
    const Sgpb__Signed *document = answer->gap->gap;
    if (!accounts(handle, kept, document, from, count, before))
        return say(result, from, from + count - 1);
    enum sg_err err = keep(handle, kept, document, from);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, "gaps");
}

static uint32_t
window(uint64_t left)
{
    return left < SG_LIMIT_GAP ? (uint32_t)left : SG_LIMIT_GAP;
}

// Backwards from the first delivery, until the subscription was not there yet.
static int
check_first(struct statgate *handle, const struct sg_subscribe_kept *kept,
            uint64_t to, struct statgate_result *result)
{
    bool before = false;

    while (to > 1 && !before) {
        uint32_t count = window(to - 1);
        to -= count;
        if (ask(handle, kept, to, count, &before, result) != 0)
            return result->exit;
    }
    return sg_session_done(result);
}

int
sg_gap_check(struct statgate *handle, const struct sg_subscribe_kept *kept,
             const Sgpb__Manifest *manifest, struct statgate_result *result)
{
    uint64_t to = manifest->revision;
    struct last last;
    enum sg_err err = read_last(&handle->home, kept->id, &last);

    if (err != SG_OK)
        return sg_session_fail(result, err, "subscriptions");
    if (last.revision == 0)
        return check_first(handle, kept, to, result);
    if (to <= last.revision)
        return sg_session_done(result);
    if (to == last.revision + 1) {
        if (sg_slice_eq(sg_codec_slice(manifest->prev_manifest_sha256),
                        sg_slice_of(last.manifest, 32)))
            return sg_session_done(result);
        (void)sg_session_fail(result, SG_ERR_GAP, NULL);
        (void)snprintf(result->sentence, sizeof result->sentence,
                       "revision %" PRIu64 " follows another revision %" PRIu64
                       " than the one that was given out",
                       to, last.revision);
        return result->exit;
    }
    for (uint64_t from = last.revision + 1; from < to; from += SG_LIMIT_GAP) {
        bool before;
        if (ask(handle, kept, from, window(to - from), &before, result) != 0)
            return result->exit;
    }
    return sg_session_done(result);
}
