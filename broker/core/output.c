#include "broker/core/effect.h"

// RESERVE: what the answer to one message and the end of its turn can take at
// most, so that a handler never has to stop in the middle: a batch of 256
// manifests, unpacked, with their answers. KEEP: of a turn as they mostly are;
// what one that was larger took goes back, or a flood would stay in memory.
enum {
    RESERVE = 64 * 1024 * 1024,
    BLOCK = 256 * 1024,
    KEEP = 1024 * 1024,
    FIRST = 64,
};

struct sg_output *
sg_output_new(size_t arena_cap)
{
    struct sg_arena *home = sg_arena_new(sizeof(struct sg_output) + 256, 0);
    struct sg_output *output;

    if (home == NULL)
        return NULL;
    output = sg_arena_take(home, sizeof *output);
    SG_ASSERT(output != NULL);
    output->home = home;
    output->arena = sg_arena_new(arena_cap + RESERVE, BLOCK);
    output->arena_cap = arena_cap;
    if (output->arena == NULL)
        sg_output_free(&output);
    return output;
}

void
sg_output_free(struct sg_output **output)
{
    if (*output == NULL)
        return;
    struct sg_arena *home = (*output)->home;
    sg_arena_free(&(*output)->arena);
    sg_arena_free(&home);
    *output = NULL;
}

void
sg_output_reset(struct sg_output *output)
{
    sg_arena_reset(output->arena);
    sg_arena_trim(output->arena, KEEP);
    output->entries = NULL;
    output->effects = NULL;
    output->entries_count = output->entries_cap = 0;
    output->effects_count = output->effects_cap = 0;
}

bool
sg_output_has_room(const struct sg_output *output)
{
    return sg_arena_used(output->arena) < output->arena_cap;
}

// A larger array with the old content; the old one stays in the arena.
static void *
grow(struct sg_arena *arena, const void *old, size_t count, size_t *cap,
     size_t size)
{
    *cap = *cap == 0 ? FIRST : *cap * 2;
    void *grown = sg_arena_take(arena, *cap * size);
    SG_ASSERT(grown != NULL);
    if (count > 0)
        memcpy(grown, old, count * size);
    return grown;
}

struct sg_effect *
sg_output_effect(struct sg_output *output, enum sg_effect_kind kind,
                 uint64_t after_seq)
{
    if (output->effects_count == output->effects_cap)
        output->effects =
            grow(output->arena, output->effects, output->effects_count,
                 &output->effects_cap, sizeof *output->effects);
    struct sg_effect *effect = &output->effects[output->effects_count++];
    *effect = (struct sg_effect){.kind = kind, .after_seq = after_seq};
    return effect;
}

struct sg_appended *
sg_output_entry(struct sg_output *output)
{
    if (output->entries_count == output->entries_cap)
        output->entries =
            grow(output->arena, output->entries, output->entries_count,
                 &output->entries_cap, sizeof *output->entries);
    struct sg_appended *entry = &output->entries[output->entries_count++];
    *entry = (struct sg_appended){0};
    return entry;
}
