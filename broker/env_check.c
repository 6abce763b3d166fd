// Compares stored objects with their chunk root, a few chunks at a time, so
// that the loop goes on meanwhile. Asked for when a reader or a subscriber says
// that what it got is not what was stored.
#include <stdlib.h>
#include <string.h>

#include "broker/base/encode.h"
#include "broker/core/core.h"
#include "broker/env_parts.h"
#include "broker/os/log.h"
#include "schemas/proof/merkle.h"
#include "schemas/proof/seal.h"

enum { WAITING_MAX = 64, CHUNKS = 16 }; // a step: 4 MiB

struct sg_env_check {
    uint8_t waiting[WAITING_MAX][16];
    uint32_t count;
    // the first of them, when begun
    bool begun;
    struct sg_payload_meta meta;
    uint64_t index;
    struct sg_merkle tree;
    uint8_t chunk[SG_LIMIT_CHUNK + SG_TAG_LEN];
};

void
sg_env_lost(struct sg_env_local *local, const uint8_t id[16])
{
    char hex[33];

    sg_encode_hex(id, 16, hex);
    sg_log(SG_LOG_ERROR, "object.lost", "object", hex, "cure",
           "put its file back from a copy, then start the gate again; "
           "renditions are made again by themselves",
           NULL);
    memcpy(sg_env_own(local, SG_EVENT_OBJECT_LOST)->event.u.object_id, id, 16);
}

bool
sg_env_knows(const struct sg_env_local *local, const uint8_t id[16])
{
    return local->core == NULL || sg_core_knows_object(local->core, id);
}

void
sg_env_check_add(struct sg_env_local *local, const uint8_t id[16])
{
    struct sg_env_check *check = local->check;

    if (check == NULL)
        check = local->check = calloc(1, sizeof *check);
    if (check == NULL || check->count == WAITING_MAX)
        return; // it will be asked for again
    for (uint32_t i = 0; i < check->count; i++)
        if (memcmp(check->waiting[i], id, 16) == 0)
            return;
    memcpy(check->waiting[check->count++], id, 16);
}

bool
sg_env_check_pending(const struct sg_env_local *local)
{
    return local->check != NULL && local->check->count > 0;
}

void
sg_env_check_free(struct sg_env_local *local)
{
    free(local->check);
    local->check = NULL;
}

static void
finish(struct sg_env_local *local, bool good)
{
    struct sg_env_check *check = local->check;

    if (!good)
        sg_env_lost(local, check->waiting[0]);
    check->count--;
    memmove(check->waiting[0], check->waiting[1], check->count * 16u);
    check->begun = false;
}

// SG_OK with *whole: it is what it should be.
static enum sg_err
step(struct sg_env_local *local, bool *whole)
{
    struct sg_env_check *check = local->check;
    struct sg_payload *payload = sg_evidence_payload(local->options.evidence);
    uint8_t leaf[32], root[32];
    enum sg_err err = SG_OK;
    size_t len;

    *whole = false;
    if (!check->begun) {
        err = sg_payload_find(payload, check->waiting[0], &check->meta);
        sg_merkle_init(&check->tree, SG_MERKLE_CHUNKS);
        check->index = 0;
        check->begun = true;
    }
    for (int i = 0;
         i < CHUNKS && err == SG_OK && check->index < check->meta.chunks; i++) {
        err = sg_payload_read(payload, check->waiting[0], check->index,
                              check->chunk, sizeof check->chunk, &len);
        if (err != SG_OK)
            return err;
        sg_seal_chunk_leaf(check->index, check->index + 1 == check->meta.chunks,
                           sg_slice_of(check->chunk, len), leaf);
        check->index++;
        err = sg_merkle_add(&check->tree, leaf);
    }
    if (err != SG_OK || check->index < check->meta.chunks)
        return err;
    *whole = true;
    sg_merkle_root(&check->tree, root);
    return memcmp(root, check->meta.chunk_root, 32) == 0 ? SG_OK
                                                         : SG_ERR_CORRUPT;
}

void
sg_env_check_step(struct sg_env_local *local)
{
    bool whole;

    if (!sg_env_check_pending(local) || local->own_count >= SG_ENV_OWN / 2)
        return;
    enum sg_err err = step(local, &whole);
    // One that was removed while it waited is nobody's any more.
    if (err == SG_ERR_NOT_FOUND &&
        !sg_env_knows(local, local->check->waiting[0]))
        finish(local, true);
    else if (err != SG_OK || whole)
        finish(local, err == SG_OK);
}
