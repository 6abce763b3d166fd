#include "adapters/client/object.h"

#include <string.h>

#include "adapters/client/roster.h"
#include "broker/base/limits.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"

enum { WINDOW = 8, SLICE_MS = 200, AGAIN_MS = 5000 };

struct coming {
    uint64_t request;
    uint8_t *room;
    uint64_t bytes, next; // chunks that are here
    sg_session_other *other;
    void *other_context;
};

static uint64_t
chunk_len(const struct coming *c)
{
    uint64_t left = c->bytes - c->next * SG_LIMIT_CHUNK;

    return left < SG_LIMIT_CHUNK ? left : SG_LIMIT_CHUNK;
}

static void
on_chunk(void *context, const Sgpb__Envelope *envelope, struct sg_slice payload)
{
    struct coming *c = (struct coming *)context;

    if (envelope->body_case != SGPB__ENVELOPE__BODY_CHUNK) {
        if (c->other != NULL)
            c->other(c->other_context, envelope, payload);
        return;
    }
    if (c->room == NULL || envelope->chunk->index != c->next ||
        c->next * SG_LIMIT_CHUNK >= c->bytes || payload.len != chunk_len(c))
        return; // late, or of another question; what lacks is asked for again
    memcpy(c->room + c->next * SG_LIMIT_CHUNK, payload.ptr, payload.len);
    c->next++;
}

// Asks for the next chunks and waits for those that the answer promises. false:
// result says why.
static bool
ask(struct statgate *handle, enum sg_wire_lane lane, Sgpb__ObjectGet *get,
    struct coming *c, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    const Sgpb__Envelope *answer;
    uint64_t deadline;

    uint64_t left = WINDOW; // chunks
    if (c->room != NULL &&
        c->bytes - c->next * SG_LIMIT_CHUNK < (uint64_t)WINDOW * SG_LIMIT_CHUNK)
        left = (c->bytes + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK - c->next;
    get->first = c->next;
    handle->grant_bytes += left * SG_LIMIT_CHUNK;
    handle->grant_messages += (uint32_t)left;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_GET;
    envelope.object_get = get;
    if (sg_session_ask(handle, lane, &envelope, (struct sg_slice){NULL, 0},
                       SGPB__ENVELOPE__BODY_OBJECT_BEGIN, &answer, result) != 0)
        return false;
    const Sgpb__ObjectBegin *begin = answer->object_begin;
    if (begin->bytes == 0 || begin->bytes > SG_LIMIT_DOCUMENT ||
        (c->room != NULL && begin->bytes != c->bytes)) {
        (void)sg_session_fail(result, SG_ERR_PEER_MALFORMED, "bytes");
        return false;
    }
    if (c->room == NULL) {
        c->bytes = begin->bytes;
        c->room = sg_arena_take(handle->arena, (size_t)c->bytes);
    }
    if (c->room == NULL) {
        (void)sg_session_fail(result, SG_ERR_MEMORY, NULL);
        return false;
    }
    deadline = sg_session_deadline(AGAIN_MS);
    while (c->next < begin->first + begin->count &&
           sg_os_clock_mono_us() < deadline)
        (void)sg_session_hear(handle, SLICE_MS);
    return true;
}

static bool
is_it(const char *kind, struct sg_slice sha256, struct sg_slice bytes)
{
    uint8_t found[32];

    if (strcmp(kind, "roster") == 0) {
        struct sg_roster roster;
        if (sg_roster_read(bytes, &roster) != SG_OK)
            return false;
        memcpy(found, roster.sha256, 32);
        sg_roster_drop(&roster);
    } else {
        sg_crypto_sha256(bytes.ptr, bytes.len, found);
    }
    return sha256.len == 0 || sg_slice_eq(sha256, sg_slice_of(found, 32));
}

int
sg_object_fetch(struct statgate *handle, enum sg_wire_lane lane,
                const char *kind, struct sg_slice sha256,
                struct sg_slice *bytes, struct statgate_result *result)
{
    Sgpb__ObjectGet get = SGPB__OBJECT_GET__INIT;
    struct coming c = {.other = handle->other,
                       .other_context = handle->other_context};
    uint64_t deadline = sg_session_deadline(handle->timeout_ms);
    bool good;

    get.kind = (char *)(uintptr_t)kind;
    get.sha256 = sg_codec_bytes(sha256.ptr, sha256.len);
    handle->other = on_chunk;
    handle->other_context = &c;
    do {
        good = ask(handle, lane, &get, &c, result);
    } while (good && c.next * SG_LIMIT_CHUNK < c.bytes &&
             sg_os_clock_mono_us() < deadline);
    handle->other = c.other;
    handle->other_context = c.other_context;
    if (!good)
        return result->exit;
    if (c.next * SG_LIMIT_CHUNK < c.bytes)
        return sg_session_fail(result, SG_ERR_UNREACHABLE, kind);
    *bytes = sg_slice_of(c.room, (size_t)c.bytes);
    return is_it(kind, sha256, *bytes)
               ? sg_session_done(result)
               : sg_session_fail(result, SG_ERR_CORRUPT, kind);
}

int
sg_object_structure(struct statgate *handle, struct sg_slice sha256,
                    struct statgate_result *result)
{
    struct sg_slice bytes;
    char path[SG_OS_PATH], folder[SG_OS_PATH];

    if (sha256.len != 32 ||
        !sg_os_file_path(folder, "%s/structures", handle->home.path) ||
        !sg_home_path(&handle->home, "structures", sha256, "", path))
        return sg_session_fail(result, SG_ERR_STRUCTURE, NULL);
    if (sg_os_file_exists(path))
        return sg_session_done(result);
    if (sg_object_fetch(handle, SG_WIRE_DATA, "structure", sha256, &bytes,
                        result) != 0)
        return result->exit;
    enum sg_err err = sg_os_file_make_dirs(folder);
    if (err == SG_OK)
        err = sg_os_file_replace(path, bytes, false);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, "structures");
}

int
statgate_object(struct statgate *handle, const char *kind,
                const uint8_t sha256[32], const uint8_t **bytes, size_t *len,
                struct statgate_result *result)
{
    struct sg_slice got = {NULL, 0};

    sg_arena_reset(handle->arena);
    int status = sg_object_fetch(handle, SG_WIRE_DATA, kind,
                                 sg_slice_of(sha256, sha256 == NULL ? 0 : 32),
                                 &got, result);
    *bytes = got.ptr;
    *len = got.len;
    return status;
}
