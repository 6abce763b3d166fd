#include "schemas/sdmx/keylog.h"

#include "broker/base/limits.h"

struct slot {
    uint32_t low, middle, high; // all 0: empty
};

struct place {
    uint32_t row, line;
};

// The table that a list is looked through in, and what came twice.
struct search {
    struct slot *slots; // at least twice as many as the list has keys
    uint32_t mask;
    struct place *places; // NULL: only counted
    uint64_t count;
};

struct sg_keylog *
sg_keylog_new(struct sg_arena *arena)
{
    struct sg_keylog *log = sg_arena_take(arena, sizeof *log);
    if (log != NULL)
        log->arena = arena;
    return log;
}

enum sg_err
sg_keylog_grow(struct sg_keylog *log, struct sg_keylog_list *list)
{
    if (list->count > UINT32_MAX / 4)
        return SG_ERR_FULL;
    struct sg_keylog_chunk *chunk = sg_arena_take(log->arena, sizeof *chunk);
    if (chunk == NULL)
        return SG_ERR_FULL;
    if (list->last == NULL)
        list->first = chunk;
    else
        list->last->next = chunk;
    list->last = chunk;
    list->count += SG_KEYLOG_CHUNK; // at most so many
    list->at = chunk->entries;
    list->end = chunk->entries + SG_KEYLOG_CHUNK;
    return SG_OK;
}

// Is the key in the table? Puts it there if it is not.
static bool
was_there(struct search *search, const struct sg_keylog_entry *e)
{
    struct slot key = {e->low, e->middle, e->high};
    if ((key.low | key.middle | key.high) == 0)
        key.low = 1;
    for (uint32_t at = key.low;; at++) { // ends: half of the slots are empty
        struct slot *slot = &search->slots[at & search->mask];
        if (slot->low == key.low && slot->middle == key.middle &&
            slot->high == key.high)
            return true;
        if ((slot->low | slot->middle | slot->high) == 0) {
            *slot = key;
            return false;
        }
    }
}

static void
look_through(struct search *search, const struct sg_keylog_list *list)
{
    uint32_t size = 2;
    while (size < 2 * list->count)
        size *= 2;
    search->mask = size - 1;
    memset(search->slots, 0, size * sizeof *search->slots);
    for (const struct sg_keylog_chunk *c = list->first; c != NULL;
         c = c->next) {
        const struct sg_keylog_entry *end =
            c == list->last ? list->at : c->entries + SG_KEYLOG_CHUNK;
        for (const struct sg_keylog_entry *e = c->entries; e < end; e++) {
            if (!was_there(search, e))
                continue;
            if (search->places != NULL)
                search->places[search->count] = (struct place){e->row, e->line};
            search->count++;
        }
    }
}

static void
look_through_all(struct search *search, const struct sg_keylog *log)
{
    search->count = 0;
    for (size_t i = 0; i < SG_KEYLOG_LISTS; i++)
        if (log->lists[i].count > 0)
            look_through(search, &log->lists[i]);
}

// By row: Shell's, with Knuth's steps.
static void
sort(struct place *places, uint64_t count)
{
    uint64_t step = 1;
    while (step < count / 3)
        step = 3 * step + 1;
    for (; step > 0; step /= 3)
        for (uint64_t i = step; i < count; i++) {
            struct place p = places[i];
            uint64_t at = i;
            for (; at >= step && places[at - step].row > p.row; at -= step)
                places[at] = places[at - step];
            places[at] = p;
        }
}

enum sg_err
sg_keylog_twice(struct sg_keylog *log,
                void (*say)(void *context, uint64_t row, uint64_t line),
                void *context)
{
    struct search search = {0};
    uint32_t most = 0;
    for (size_t i = 0; i < SG_KEYLOG_LISTS; i++)
        if (log->lists[i].count > most)
            most = log->lists[i].count;
    if (most == 0)
        return SG_OK;
    size_t size = 2;
    while (size < 2 * (size_t)most)
        size *= 2;
    search.slots = sg_arena_take(log->arena, size * sizeof *search.slots);
    if (search.slots == NULL)
        return SG_ERR_FULL;
    look_through_all(&search, log);
    if (search.count == 0)
        return SG_OK;
    search.places =
        sg_arena_take(log->arena, search.count * sizeof *search.places);
    if (search.places == NULL)
        return SG_ERR_FULL;
    look_through_all(&search, log);
    sort(search.places, search.count);
    for (uint64_t i = 0; i < search.count; i++)
        say(context, search.places[i].row, search.places[i].line);
    return SG_OK;
}
