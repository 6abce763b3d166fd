#include "broker/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGN = alignof(max_align_t) };

struct block {
    struct block *next;
    size_t cap, used; // bytes
    alignas(max_align_t) unsigned char bytes[];
};

// Pieces that fit lie in blocks of equal size, kept over a reset; a larger
// piece has a block of its own that the reset gives back. So whatever sizes
// foreign messages make us ask for, turn after turn, the blocks kept hold less
// than twice the capacity.
struct sg_arena {
    size_t cap, used; // bytes given out, over all blocks
    size_t block_bytes;
    struct block *first, *current;
    struct block *large;
};

static struct block *
block_new(size_t cap)
{
    if (cap > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof *block + cap);
    if (block != NULL) {
        block->next = NULL;
        block->cap = cap;
        block->used = 0;
    }
    return block;
}

struct sg_arena *
sg_arena_new(size_t cap_bytes, size_t block_bytes)
{
    struct sg_arena *arena = calloc(1, sizeof *arena);

    if (arena == NULL)
        return NULL;
    arena->cap = cap_bytes < SIZE_MAX / 2 ? cap_bytes : SIZE_MAX / 2;
    arena->block_bytes = block_bytes == 0 ? arena->cap : block_bytes;
#ifndef SG_ARENA_EACH_MALLOC
    if (block_bytes == 0) {
        arena->first = arena->current = block_new(arena->cap);
        if (arena->first == NULL)
            sg_arena_free(&arena);
    }
#endif
    return arena;
}

static void
free_blocks(struct block **list)
{
    while (*list != NULL) {
        struct block *next = (*list)->next;
        free(*list);
        *list = next;
    }
}

void
sg_arena_free(struct sg_arena **arena)
{
    if (*arena == NULL)
        return;
    free_blocks(&(*arena)->first);
    free_blocks(&(*arena)->large);
    free(*arena);
    *arena = NULL;
}

static unsigned char *
take_own(struct sg_arena *arena, size_t size)
{
    struct block *block = block_new(size);

    if (block == NULL)
        return NULL;
    block->next = arena->large;
    arena->large = block;
    return block->bytes;
}

#ifndef SG_ARENA_EACH_MALLOC
// size is at most block_bytes: a block that is still empty always has room.
static unsigned char *
take_shared(struct sg_arena *arena, size_t size)
{
    struct block *block = arena->current;

    if (block == NULL || size > block->cap - block->used) {
        struct block *next = block == NULL ? arena->first : block->next;
        if (next == NULL) {
            next = block_new(arena->block_bytes);
            if (next == NULL)
                return NULL;
            *(block == NULL ? &arena->first : &block->next) = next;
        }
        block = arena->current = next;
    }
    block->used += size;
    return block->bytes + block->used - size;
}
#endif

uint8_t *
sg_arena_room(struct sg_arena *arena, size_t size)
{
    if (size > arena->cap - arena->used) // before rounding: cannot wrap
        return NULL;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded > arena->cap - arena->used)
        return NULL;
#ifdef SG_ARENA_EACH_MALLOC
    void *start = take_own(arena, size); // exact: each bound is seen
#else
    void *start = rounded > arena->block_bytes ? take_own(arena, size)
                                               : take_shared(arena, rounded);
#endif
    if (start == NULL)
        return NULL;
    arena->used += rounded;
    return start;
}

void *
sg_arena_take(struct sg_arena *arena, size_t size)
{
    uint8_t *start = sg_arena_room(arena, size);

    return start == NULL ? NULL : memset(start, 0, size);
}

struct sg_slice
sg_arena_copy(struct sg_arena *arena, struct sg_slice bytes)
{
    uint8_t *copy = bytes.len == SIZE_MAX
                        ? NULL
                        : (uint8_t *)sg_arena_take(arena, bytes.len + 1);

    if (copy == NULL)
        return (struct sg_slice){NULL, 0};
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    return (struct sg_slice){copy, bytes.len};
}

char *
sg_arena_printf(struct sg_arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = len < 0 ? NULL : (char *)sg_arena_take(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(arguments, format);
    (void)vsnprintf(text, (size_t)len + 1, format, arguments);
    va_end(arguments);
    return text;
}

size_t
sg_arena_used(const struct sg_arena *arena)
{
    return arena->used;
}

void
sg_arena_reset(struct sg_arena *arena)
{
    free_blocks(&arena->large);
    for (struct block *block = arena->first; block != NULL; block = block->next)
        block->used = 0;
    arena->current = arena->first;
    arena->used = 0;
}

void
sg_arena_trim(struct sg_arena *arena, size_t keep)
{
    struct block **at = &arena->first;

    while (*at != NULL && (*at)->cap <= keep) {
        keep -= (*at)->cap;
        at = &(*at)->next;
    }
    free_blocks(at);
    arena->current = arena->first;
}
