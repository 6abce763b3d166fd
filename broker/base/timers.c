#include "broker/base/timers.h"

#include <stdlib.h>

#include "broker/base/table.h"

struct timer {
    uint64_t due_us, id;
};

struct sg_timers {
    struct timer *heap; // the parent of i is (i - 1) / 2
    uint32_t count, room, cap;
    struct sg_table *place; // id -> index in heap
};

struct sg_timers *
sg_timers_new(uint32_t cap)
{
    struct sg_timers *timers = calloc(1, sizeof *timers);

    if (timers == NULL)
        return NULL;
    timers->cap = cap;
    timers->place = sg_table_new_own(cap);
    if (timers->place == NULL)
        sg_timers_free(&timers);
    return timers;
}

void
sg_timers_free(struct sg_timers **timers)
{
    if (*timers == NULL)
        return;
    sg_table_free(&(*timers)->place);
    free((*timers)->heap);
    free(*timers);
    *timers = NULL;
}

static bool
earlier(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->id < b->id;
}

static void
put_at(struct sg_timers *timers, uint32_t index, struct timer timer)
{
    timers->heap[index] = timer;
    // The id is in the table already, or room was made for it: cannot fail.
    enum sg_err err = sg_table_put(
        timers->place, sg_slice_of(&timer.id, sizeof timer.id), index);
    SG_ASSERT(err == SG_OK);
}

static void
sift_up(struct sg_timers *timers, uint32_t index)
{
    struct timer moving = timers->heap[index];

    while (index > 0 && earlier(&moving, &timers->heap[(index - 1) / 2])) {
        put_at(timers, index, timers->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    put_at(timers, index, moving);
}

static void
sift_down(struct sg_timers *timers, uint32_t index)
{
    struct timer moving = timers->heap[index];

    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            earlier(&timers->heap[child + 1], &timers->heap[child]))
            child++;
        if (!earlier(&timers->heap[child], &moving))
            break;
        put_at(timers, index, timers->heap[child]);
        index = child;
    }
    put_at(timers, index, moving);
}

static enum sg_err
make_room(struct sg_timers *timers)
{
    if (timers->count < timers->room)
        return SG_OK;
    if (timers->count >= timers->cap)
        return SG_ERR_FULL;
    uint32_t wanted = timers->room == 0 ? 64 : timers->room * 2;
    wanted = wanted > timers->cap ? timers->cap : wanted;
    struct timer *heap = realloc(timers->heap, wanted * sizeof *heap);
    if (heap == NULL)
        return SG_ERR_MEMORY;
    timers->heap = heap;
    timers->room = wanted;
    return SG_OK;
}

enum sg_err
sg_timers_set(struct sg_timers *timers, uint64_t id, uint64_t due_us)
{
    struct sg_slice key = sg_slice_of(&id, sizeof id);
    uint64_t index;
    enum sg_err err;

    if (sg_table_get(timers->place, key, &index)) {
        timers->heap[index].due_us = due_us;
    } else {
        if ((err = make_room(timers)) != SG_OK ||
            (err = sg_table_put(timers->place, key, timers->count)) != SG_OK)
            return err;
        index = timers->count++;
        timers->heap[index] = (struct timer){due_us, id};
    }
    sift_up(timers, (uint32_t)index);
    (void)sg_table_get(timers->place, key, &index);
    sift_down(timers, (uint32_t)index);
    return SG_OK;
}

static void
take_out(struct sg_timers *timers, uint32_t index)
{
    uint64_t id = timers->heap[index].id;

    (void)sg_table_remove(timers->place, sg_slice_of(&id, sizeof id));
    struct timer last = timers->heap[--timers->count];
    if (index == timers->count)
        return;
    timers->heap[index] = last;
    sift_up(timers, index);
    uint64_t now_at;
    (void)sg_table_get(timers->place, sg_slice_of(&last.id, sizeof last.id),
                       &now_at);
    sift_down(timers, (uint32_t)now_at);
}

void
sg_timers_clear(struct sg_timers *timers, uint64_t id)
{
    uint64_t index;

    if (sg_table_get(timers->place, sg_slice_of(&id, sizeof id), &index))
        take_out(timers, (uint32_t)index);
}

bool
sg_timers_peek(const struct sg_timers *timers, uint64_t *id, uint64_t *due_us)
{
    if (timers->count == 0)
        return false;
    *id = timers->heap[0].id;
    *due_us = timers->heap[0].due_us;
    return true;
}

bool
sg_timers_pop(struct sg_timers *timers, uint64_t now_us, uint64_t *id)
{
    uint64_t due_us;

    if (!sg_timers_peek(timers, id, &due_us) || due_us > now_us)
        return false;
    take_out(timers, 0);
    return true;
}

uint32_t
sg_timers_count(const struct sg_timers *timers)
{
    return timers->count;
}
