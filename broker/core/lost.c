#include "broker/core/lost.h"

#include "broker/core/deliver.h"
#include "broker/core/destroy.h"
#include "broker/core/release.h"

// By its entry: the release may leave memory and come back.
static struct sg_slice
key_of(uint64_t release, uint8_t key[8])
{
    sg_bytes_store_u64(key, release);
    return sg_slice_of(key, 8);
}

bool
sg_lost_release(const struct sg_core *core, uint32_t release)
{
    uint8_t key[8];
    uint64_t seq = sg_state_release(core->state, release)->seq;

    return sg_table_get(core->lost_of, key_of(seq, key), NULL);
}

void
sg_lost_forget(struct sg_core *core, uint64_t release)
{
    uint8_t key[8];

    sg_table_remove(core->lost_of, key_of(release, key));
}

uint32_t
sg_lost_releases(const struct sg_core *core)
{
    return sg_table_count(core->lost_of);
}

void
sg_lost_check(struct sg_turn *turn, const struct sg_object *object)
{
    if (sg_object_exists(object))
        memcpy(sg_output_effect(turn->output, SG_EFFECT_CHECK_OBJECT,
                                SG_AFTER_NOTHING)
                   ->u.object_id,
               object->id, 16);
}

void
sg_lost_object(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_core *core = turn->core;
    struct sg_slice id = sg_slice_of(event->u.object_id, 16);
    uint32_t rendition = sg_state_find(turn->state->rendition_object, id);
    struct sg_release release;
    uint8_t key[8];

    core->lost++;
    if (rendition != 0) {
        sg_destroy_lost(core, rendition);
        return;
    }
    if (sg_release_of_object(turn->state, event->u.object_id, &release) !=
            SG_OK ||
        release.destroyed_at != 0)
        return; // a structure, a refusal's report, or gone meanwhile
    struct sg_slice name = key_of(release.seq, key);
    if (sg_table_get(core->lost_of, name, NULL) ||
        sg_table_put(core->lost_of, name, 1) != SG_OK)
        return;
    uint32_t index = sg_state_release_at(turn->state, release.seq);
    if (index != 0)
        sg_deliver_tell_release(turn, index);
}
