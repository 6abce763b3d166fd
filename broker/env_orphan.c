// What a crash leaves over: uploads that were forgotten, outputs of jobs that
// nobody owns, keys without anything under them. Looked for once, at the start.
#include <stdlib.h>
#include <string.h>

#include "broker/core/core.h"
#include "broker/env_parts.h"
#include "broker/os/log.h"

enum { ORPHANS_MAX = 2048 }; // of one start; the next one finds the rest

static uint64_t
sweep_objects(struct sg_env_local *local, const struct sg_core *core)
{
    struct sg_payload *payload = sg_evidence_payload(local->options.evidence);
    uint64_t removed = 0;
    uint32_t at = 0;
    uint8_t id[16];

    while (sg_payload_next(payload, &at, id)) {
        if (sg_core_knows_object(core, id))
            continue;
        if (sg_payload_remove(payload, id) == SG_OK)
            removed++;
    }
    return removed;
}

static struct sg_slice
name_of(const struct sg_object *object, uint8_t name[SG_KEYS_NAME_LEN])
{
    memcpy(name, object->manifest, 32);
    memcpy(name + 32, object->variant, 16);
    return sg_slice_of(name, SG_KEYS_NAME_LEN);
}

// Names of all renditions; one without a key can never be given to anybody.
static struct sg_table *
renditions(struct sg_env_local *local, const struct sg_core *core)
{
    const struct sg_keys *keys = sg_evidence_keys(local->options.evidence);
    struct sg_table *known = sg_table_new_own(SG_LIMIT_RENDITIONS);
    const struct sg_object *object;
    uint8_t name[SG_KEYS_NAME_LEN];
    uint32_t at = 0;

    while (known != NULL && sg_core_next_rendition(core, &at, &object)) {
        if (sg_table_put(known, name_of(object, name), at) != SG_OK)
            break; // as many as the core holds
        if (!sg_keys_has(keys, object->manifest, object->variant) &&
            local->own_count < SG_ENV_OWN / 2)
            sg_env_lost(local, object->id);
    }
    return known;
}

static bool
is_orphan(const struct sg_core *core, const struct sg_table *known,
          const uint8_t store[32], const uint8_t name[SG_KEYS_NAME_LEN])
{
    static const uint8_t zeros[16];

    if (memcmp(name, store, 32) == 0)
        return false; // the gate's own
    return memcmp(name + 32, zeros, 16) == 0
               ? !sg_core_knows_key(core, name)
               : !sg_table_get(known, sg_slice_of(name, SG_KEYS_NAME_LEN),
                               NULL) &&
                     !sg_core_is_structure_key(core, name, name + 32);
}

static uint64_t
sweep_keys(struct sg_env_local *local, const struct sg_core *core)
{
    struct sg_evidence *evidence = local->options.evidence;
    uint8_t(*found)[SG_KEYS_NAME_LEN] = calloc(ORPHANS_MAX, sizeof *found);
    struct sg_table *known = renditions(local, core);
    uint8_t store[32], name[SG_KEYS_NAME_LEN];
    uint32_t at = 0;
    size_t count = 0;

    sg_keys_store_name(sg_evidence_genesis(evidence), store);
    while (found != NULL && known != NULL && count < ORPHANS_MAX &&
           sg_keys_next(sg_evidence_keys(evidence), &at, name)) {
        if (is_orphan(core, known, store, name))
            memcpy(found[count++], name, SG_KEYS_NAME_LEN);
    }
    sg_table_free(&known);
    if (count == 0) {
        free(found);
        return 0;
    }
    struct sg_env_own *own = sg_env_own(local, SG_EVENT_ORPHANS);
    own->memory = found;
    own->event.u.orphans.names = (const uint8_t(*)[SG_KEYS_NAME_LEN])found;
    own->event.u.orphans.count = count;
    return count;
}

void
sg_env_local_sweep(struct sg_env_local *local, const struct sg_core *core)
{
    char objects_text[24], keys_text[24];
    uint64_t objects = sweep_objects(local, core);
    uint64_t keys = sweep_keys(local, core);

    local->core = core;
    if (objects + keys > 0)
        sg_log(SG_LOG_INFO, "store.swept", "objects",
               sg_log_number(objects, objects_text), "keys",
               sg_log_number(keys, keys_text), NULL);
}
