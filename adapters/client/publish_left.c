// Releases that a crash left in the outbox, given again by the application: it
// gets the receipt of what was sent then, and no second release. And what keeps
// a release from being sent.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/publish.h"
#include "broker/base/bytes.h"
#include "schemas/codec/codec.h"

enum { LEFT_MAX = 4096 };

struct left {
    char flow[65];
    uint8_t file_sha256[32], manifest_sha256[32];
    uint64_t revision;
    bool given; // to the application
};

struct sg_publish_left {
    struct left one[LEFT_MAX];
    size_t count;
};

static bool
take_one(struct left *one, struct sg_slice manifest, struct sg_slice file,
         struct sg_arena *arena)
{
    void *found = NULL;

    if (sg_codec_unpack(&sgpb__manifest__descriptor, manifest, arena, &found) !=
        SG_OK)
        return false;
    const Sgpb__Manifest *m = found;
    if (!sg_slice_is_id(sg_slice_text(m->flow)))
        return false;
    memcpy(one->flow, m->flow, strlen(m->flow) + 1); // an id has its place
    one->revision = m->revision;
    sg_crypto_sha256(file.ptr, file.len, one->file_sha256);
    sg_crypto_sha256(manifest.ptr, manifest.len, one->manifest_sha256);
    return true;
}

// One group as it lies in the outbox: the packed request, then the files.
static void
take_group(struct sg_publish_left *left, struct sg_slice bytes,
           struct sg_arena *arena)
{
    struct sg_reader r = sg_reader_on(bytes);
    struct sg_slice packed = sg_bytes_blob(&r);
    void *found = NULL;

    if (r.failed || sg_codec_unpack(&sgpb__publish__descriptor, packed, arena,
                                    &found) != SG_OK)
        return;
    const Sgpb__Publish *publish = found;
    for (size_t i = 0; i < publish->n_manifests && left->count < LEFT_MAX &&
                       i < publish->n_lengths;
         i++) {
        struct sg_slice file = sg_bytes_take(&r, publish->lengths[i]);
        if (!r.failed &&
            take_one(&left->one[left->count],
                     sg_codec_slice(publish->manifests[i]), file, arena))
            left->count++;
    }
}

struct sg_publish_left *
sg_publish_left_look(struct statgate *handle)
{
    struct sg_publish_left *left = NULL;
    uint8_t(*names)[32];
    size_t count;

    if (sg_outbox_all(&handle->home, "group", &names, &count) != SG_OK)
        return NULL;
    if (count > 0)
        left = calloc(1, sizeof *left);
    for (size_t i = 0; i < count && left != NULL; i++) {
        uint8_t *bytes;
        size_t len;
        if (sg_outbox_get(&handle->home, names[i], "group", &bytes, &len) !=
            SG_OK)
            continue;
        sg_arena_reset(handle->scratch);
        take_group(left, sg_slice_of(bytes, len), handle->scratch);
        sg_crypto_wipe(bytes, len);
        free(bytes);
    }
    free(names);
    return left;
}

bool
sg_publish_left_take(struct sg_publish_left *left, struct statgate *handle,
                     const struct statgate_release *release,
                     struct statgate_receipt *receipt,
                     struct statgate_result *result)
{
    struct sg_content_file file = {.path = release->file};
    Sgpb__Receipt said = SGPB__RECEIPT__INIT;

    if (left == NULL || release->rehearse || sg_content_look(&file) != SG_OK)
        return false;
    for (size_t i = 0; i < left->count; i++) {
        struct left *one = &left->one[i];
        struct sg_slice kept;
        if (one->given || strcmp(one->flow, release->flow) != 0 ||
            memcmp(one->file_sha256, file.sha256, 32) != 0 ||
            !sg_outbox_find_receipt(&handle->home, one->manifest_sha256,
                                    handle->arena, &kept))
            continue;
        said.receipt = sg_codec_bytes(kept.ptr, kept.len);
        said.duplicate = true;
        one->given = sg_publish_accepted(handle, one->flow, one->revision,
                                         one->manifest_sha256, &said, receipt,
                                         result) == 0;
        if (one->given)
            return true;
    }
    return false;
}

int
sg_publish_no_data(const struct sg_content_file *file, const char *path,
                   struct statgate_result *result)
{
    (void)sg_session_fail(
        result, file->size == 0 ? SG_ERR_SHORT : SG_ERR_UNSUPPORTED, path);
    (void)snprintf(result->sentence, sizeof result->sentence, "%s",
                   file->size == 0 ? "the file is empty"
                                   : "the file is no SDMX data message that is "
                                     "known here");
    const char *cure = "send SDMX-CSV, SDMX-ML or SDMX-JSON data; statgate "
                       "check says what is wrong with a file";
    (void)snprintf(result->cure, sizeof result->cure, "%s",
                   file->foreign != NULL ? file->foreign : cure);
    return result->exit;
}

int
sg_publish_outbox_fail(struct statgate_result *result, enum sg_err err)
{
    (void)sg_session_fail(result, err, "outbox");
    if (err == SG_ERR_BUSY) {
        (void)snprintf(result->sentence, sizeof result->sentence,
                       "another program publishes from this home");
        (void)snprintf(result->cure, sizeof result->cure,
                       "wait until it has ended");
    }
    return result->exit;
}
