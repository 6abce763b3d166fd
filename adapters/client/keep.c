#include "adapters/client/keep.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"

enum { RECEIPT_MAX = 64 * 1024, PATHS = 3 };
enum {
    ARENA = 16 * 1024 * 1024,
    ARENA_BLOCK = 16 * 1024,
    SIDECAR_HEAD = 5 + 32, // "SGSV1" and the genesis (deliver.c)
    SIDECAR_MAX = 64 * 1024 * 1024,
};
#define NO_DATA UINT64_MAX

// Its receipt, its data, its sidecar; the last two may have been taken away.
static bool
paths_of(const struct sg_home *home, const uint8_t id[16],
         char path[PATHS][SG_OS_PATH])
{
    struct sg_slice name = sg_slice_of(id, 16);

    return sg_home_path(home, "acks", name, "", path[0]) &&
           sg_home_path(home, "inbox", name, ".data", path[1]) &&
           sg_home_path(home, "inbox", name, ".sgv", path[2]);
}

// Not what a file is that was emptied or cut by a loss of power.
static bool
is_receipt(struct sg_slice bytes, const uint8_t id[16])
{
    struct sg_arena *arena = sg_arena_new(ARENA, ARENA_BLOCK);
    void *receipt = NULL, *ack = NULL;
    bool fits =
        arena != NULL && sg_codec_unpack(&sgpb__delivery_receipt__descriptor,
                                         bytes, arena, &receipt) == SG_OK;
    const Sgpb__Signed *document =
        fits ? ((const Sgpb__DeliveryReceipt *)receipt)->ack : NULL;

    fits =
        document != NULL &&
        sg_codec_unpack(&sgpb__receipt_ack__descriptor,
                        sg_codec_slice(document->body), arena, &ack) == SG_OK &&
        sg_slice_eq(
            sg_codec_slice(((const Sgpb__ReceiptAck *)ack)->delivery_id),
            sg_slice_of(id, 16));
    sg_arena_free(&arena);
    return fits;
}

// Lengths that the sidecar and the statement in it tell of. What a power cut
// left of either does not have them: a file grows when its bytes are there.
static bool
sidecar_fits(struct sg_slice sidecar, uint64_t size)
{
    struct sg_arena *arena = sg_arena_new(ARENA, ARENA_BLOCK);
    struct sg_reader r = sg_reader_on(sidecar);
    void *found = NULL;

    (void)sg_bytes_take(&r, SIDECAR_HEAD);
    struct sg_slice begin = sg_bytes_blob(&r);
    struct sg_slice proof = sg_bytes_blob(&r);
    (void)sg_bytes_blob(&r); // the roster
    bool fits =
        arena != NULL && sg_bytes_end(&r) &&
        sg_codec_unpack(&sgpb__delivery_begin__descriptor, begin, arena,
                        &found) == SG_OK &&
        (size == NO_DATA ||
         ((const Sgpb__DeliveryBegin *)found)->bytes == 4 + proof.len + size);
    sg_arena_free(&arena);
    return fits;
}

static bool
is_whole(char path[PATHS][SG_OS_PATH])
{
    uint64_t size = NO_DATA;
    uint8_t *bytes = NULL;
    size_t len;
    int fd = -1;

    enum sg_err err = sg_os_file_open(path[1], SG_OS_OPEN_OWN, &fd);
    if (err == SG_OK)
        err = sg_os_file_size(fd, &size);
    sg_os_file_close(&fd);
    if (err != SG_OK && err != SG_ERR_NOT_FOUND)
        return false;
    err = sg_os_file_read_own(path[2], SIDECAR_MAX, &bytes, &len);
    if (err != SG_OK) // the application has both elsewhere
        return err == SG_ERR_NOT_FOUND && size == NO_DATA;
    bool whole = sidecar_fits(sg_slice_of(bytes, len), size);
    free(bytes);
    return whole;
}

bool
sg_keep_has(const struct sg_home *home, const uint8_t id[16])
{
    char path[PATHS][SG_OS_PATH];
    uint8_t *bytes = NULL;
    size_t len;

    if (!paths_of(home, id, path) || !sg_os_file_exists(path[0]))
        return false;
    if (sg_os_file_read_own(path[0], RECEIPT_MAX, &bytes, &len) != SG_OK)
        return true; // telling the gate will say why
    bool has = is_receipt(sg_slice_of(bytes, len), id) && is_whole(path);
    free(bytes);
    if (!has)
        (void)!sg_os_file_remove(path[0]);
    return has;
}

bool
sg_keep_again(struct statgate *handle, const uint8_t id[16])
{
    for (size_t i = 0; i < handle->keeping_count; i++)
        if (memcmp(handle->keeping[i], id, 16) == 0)
            return true;
    if (handle->keeping_count == SG_KEEPING_MAX)
        return false;
    memcpy(handle->keeping[handle->keeping_count++], id, 16);
    return true;
}

enum sg_err
sg_keep_put(struct statgate *handle, const uint8_t id[16],
            struct sg_slice receipt)
{
    char folder[SG_OS_PATH], path[PATHS][SG_OS_PATH];

    if (!sg_os_file_path(folder, "%s/acks", handle->home.path) ||
        !paths_of(&handle->home, id, path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(folder);
    if (err == SG_OK)
        err = sg_os_file_put(path[0], receipt);
    if (err == SG_OK && !sg_keep_again(handle, id))
        err = SG_ERR_FULL;
    return err;
}

// ---- telling ---------------------------------------------------------------------

static enum sg_err
sync_one(const struct sg_home *home, const uint8_t id[16])
{
    char path[PATHS][SG_OS_PATH];
    enum sg_err err = paths_of(home, id, path) ? SG_OK : SG_ERR_FULL;

    for (size_t k = 0; k < PATHS && err == SG_OK; k++) {
        err = sg_os_file_sync_path(path[k]);
        if (err == SG_ERR_NOT_FOUND && k > 0)
            err = SG_OK; // the application has it elsewhere
    }
    return err;
}

static enum sg_err
make_durable(struct statgate *handle)
{
    static const char *const folders[] = {"inbox", "acks"};
    char path[PATHS][SG_OS_PATH], folder[SG_OS_PATH];
    enum sg_err err = SG_OK;

    for (size_t i = 0; i < handle->keeping_count; i++)
        for (size_t k = 0;
             k < PATHS && paths_of(&handle->home, handle->keeping[i], path);
             k++)
            sg_os_file_start_sync(path[k]);
    for (size_t i = 0; i < handle->keeping_count && err == SG_OK; i++)
        err = sync_one(&handle->home, handle->keeping[i]);
    for (size_t i = 0; i < SG_COUNT_OF(folders) && err == SG_OK; i++)
        err = sg_os_file_path(folder, "%s/%s", handle->home.path, folders[i])
                  ? sg_os_file_sync_dir(folder)
                  : SG_ERR_FULL;
    return err;
}

static int
tell(struct statgate *handle, const uint8_t id[16],
     struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    char path[PATHS][SG_OS_PATH];
    uint8_t *bytes = NULL;
    size_t len;
    void *receipt = NULL;

    enum sg_err err =
        paths_of(&handle->home, id, path)
            ? sg_os_file_read_own(path[0], RECEIPT_MAX, &bytes, &len)
            : SG_ERR_FULL;
    if (err != SG_OK)
        return sg_session_fail(result, err, "acks");
    struct sg_slice kept =
        sg_arena_copy(handle->arena, sg_slice_of(bytes, len));
    free(bytes);
    if (kept.ptr == NULL ||
        sg_codec_unpack(&sgpb__delivery_receipt__descriptor, kept,
                        handle->arena, &receipt) != SG_OK)
        return sg_session_fail(result, SG_ERR_CORRUPT, "acks");
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_RECEIPT;
    envelope.delivery_receipt = receipt;
    if (sg_session_send(handle, SG_WIRE_DATA, &envelope,
                        (struct sg_slice){NULL, 0}, result) != 0)
        return result->exit;
    // More than that many are not counted: close waits for a part of them.
    if (handle->owed_count < SG_OWED_MAX)
        handle->owed[handle->owed_count++] = envelope.request;
    return 0;
}

// What could not be made durable is not kept: the gate gives it again.
static void
unkeep(struct statgate *handle)
{
    char path[PATHS][SG_OS_PATH];

    for (size_t i = 0; i < handle->keeping_count; i++)
        if (paths_of(&handle->home, handle->keeping[i], path))
            (void)!sg_os_file_remove(path[0]);
    handle->keeping_count = 0;
}

int
sg_keep_tell(struct statgate *handle, struct statgate_result *result)
{
    size_t count = handle->keeping_count;
    int status = sg_session_done(result);

    if (count == 0)
        return status;
    enum sg_err err = make_durable(handle);
    if (err != SG_OK) {
        unkeep(handle);
        return sg_session_fail(result, err, "inbox");
    }
    // One that does not get through is asked for when the gate begins again;
    // telling may greet, and hear what goes onto the list.
    uint8_t ids[SG_KEEPING_MAX][16];
    memcpy(ids, handle->keeping, sizeof ids);
    handle->keeping_count = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = tell(handle, ids[i], result);
    return status;
}
