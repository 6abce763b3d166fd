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

struct sg_arena {
    size_t cap, used; // bytes given out, over all blocks
    size_t block_bytes;
    struct block *first, *current;
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
    arena->cap = cap_bytes;
    arena->block_bytes = block_bytes;
#ifndef SG_ARENA_EACH_MALLOC
    if (block_bytes == 0) {
        arena->first = arena->current = block_new(cap_bytes);
        if (arena->first == NULL)
            sg_arena_free(&arena);
    }
#endif
    return arena;
}

static void
free_blocks(struct sg_arena *arena)
{
    while (arena->first != NULL) {
        struct block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    arena->current = NULL;
}

void
sg_arena_free(struct sg_arena **arena)
{
    if (*arena == NULL)
        return;
    free_blocks(*arena);
    free(*arena);
    *arena = NULL;
}

// A block with room for size bytes: the next kept one, or a new one.
static struct block *
room(struct sg_arena *arena, size_t size)
{
    struct block *block = arena->current;

    while (block != NULL && size > block->cap - block->used) {
        if (block->next == NULL)
            break;
        block = block->next; // kept from before the reset, still empty
    }
    if (block != NULL && size <= block->cap - block->used)
        return arena->current = block;
    struct block *made =
        block_new(size > arena->block_bytes ? size : arena->block_bytes);
    if (made == NULL)
        return NULL;
    if (block == NULL)
        arena->first = made;
    else
        block->next = made;
    return arena->current = made;
}

void *
sg_arena_take(struct sg_arena *arena, size_t size)
{
    if (size > arena->cap - arena->used) // before rounding: cannot wrap
        return NULL;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded > arena->cap - arena->used)
        return NULL;
#ifdef SG_ARENA_EACH_MALLOC
    struct block *block = block_new(size); // exact: each bound is seen
    if (block == NULL)
        return NULL;
    block->next = arena->first;
    arena->first = block;
    void *start = block->bytes;
    (void)room;
#else
    struct block *block = room(arena, rounded);
    if (block == NULL)
        return NULL;
    void *start = block->bytes + block->used;
    block->used += rounded;
#endif
    arena->used += rounded;
    return memset(start, 0, size);
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
#ifdef SG_ARENA_EACH_MALLOC
    free_blocks(arena);
#else
    for (struct block *block = arena->first; block != NULL; block = block->next)
        block->used = 0;
    arena->current = arena->first;
#endif
    arena->used = 0;
}
