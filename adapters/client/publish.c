// The way of a release out of the house: sign, keep, send, wait.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/publish.h"
#include "adapters/client/publish_group.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"

enum { BLOCK = 256 * 1024 };

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
    if (file->size == 0 || file->media == SG_MEDIA_UNKNOWN ||
        file->foreign != NULL)
        return sg_publish_no_data(file, release->file, result);
    if (!release->again &&
        sg_outbox_head(&handle->home, release->flow, &head) &&
        memcmp(head.file_sha256, file->sha256, 32) == 0 &&
        !sg_publish_large_left(handle, release, file))
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
    receipt->observations = sg_session_observations(handle, bytes);
    receipt->bytes = bytes.ptr;
    receipt->len = bytes.len;
    return sg_session_done(result);
}

enum sg_err
sg_publish_set_head(struct statgate *handle, const char *flow,
                    const struct sg_content_file *file,
                    const struct statgate_receipt *receipt)
{
    struct sg_outbox_head head = {.size = file->size,
                                  .revision = receipt->revision,
                                  .entry = receipt->entry,
                                  .observations = receipt->observations};

    memcpy(head.file_sha256, file->sha256, 32);
    memcpy(head.manifest_sha256, receipt->manifest_sha256, 32);
    return sg_outbox_set_head(&handle->home, flow, &head);
}

void
sg_publish_forget_head(struct statgate *handle, const char *flow)
{
    for (size_t i = 0; i < SG_COUNT_OF(handle->heads); i++) {
        if (strcmp(handle->heads[i].flow, flow) == 0)
            handle->heads[i].terms = NULL;
    }
}

// ---- the public calls -----------------------------------------------------------------

int
statgate_publish_many(struct statgate *handle,
                      const struct statgate_release *releases, size_t count,
                      struct statgate_receipt *receipts,
                      struct statgate_result *results)
{
    struct sg_publish_left *left = NULL;
    struct sg_publish_window *window = NULL;
    int lock = -1;
    int worst = 0;

    sg_arena_reset(handle->arena);
    enum sg_err err = sg_outbox_lock(&handle->home, &lock);
    if (err == SG_OK)
        err = sg_publish_window_new(handle, &window);
    if (err == SG_OK) {
        left = sg_publish_left_look(handle);
        (void)sg_publish_window_left(window, NULL, NULL, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        struct sg_content_file file = {.path = releases[i].file};
        if (err != SG_OK) {
            (void)sg_session_fail(&results[i], err, NULL);
            continue;
        }
        if (sg_publish_left_take(left, handle, &releases[i], &receipts[i],
                                 &results[i]) ||
            look(handle, &releases[i], &file, &results[i]) != 0)
            continue;
        if (file.size > SG_LIMIT_CHUNK) {
            sg_publish_window_end(window);
            (void)sg_publish_large(handle, &releases[i], &file, NULL, NULL,
                                   &receipts[i], &results[i]);
            continue;
        }
        sg_publish_window_add(window, &releases[i], &file, &receipts[i],
                              &results[i]);
    }
    if (err == SG_OK)
        sg_publish_window_end(window);
    sg_publish_window_free(&window);
    free(left);
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
    struct sg_publish_window *window = NULL;

    enum sg_err err = sg_publish_window_new(handle, &window);
    if (err == SG_OK)
        err = sg_content_look(&file);
    if (err == SG_OK &&
        sg_publish_window_left(window, release->flow, file.sha256, receipt)) {
        sg_publish_window_free(&window);
        return sg_session_done(result);
    }
    if (err != SG_OK) {
        (void)sg_session_fail(result, err, release->file);
    } else if (look(handle, release, &file, result) == 0) {
        if (file.size > SG_LIMIT_CHUNK) {
            (void)sg_publish_large(handle, release, &file, progress, context,
                                   receipt, result);
        } else {
            sg_publish_window_add(window, release, &file, receipt, result);
            sg_publish_window_end(window);
        }
    }
    sg_publish_window_free(&window);
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
        (void)sg_publish_outbox_fail(result, err);
    else
        (void)publish_file(handle, &own, progress, context, receipt, result);
    if (spool[0] != '\0')
        (void)!sg_os_file_remove(spool);
    sg_os_file_close(&lock);
    return result->exit;
}
