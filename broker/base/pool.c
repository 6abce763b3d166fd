#include "broker/base/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/check.h"

// Objects lie in pages that are made when first used, so that a pool of four
// million costs nothing until there are that many.
enum { PAGE_OBJECTS = 1024 };

struct page {
    uint64_t in_use[PAGE_OBJECTS / 64];
    unsigned char *objects;
};

struct sg_pool {
    size_t size;    // bytes of one object, rounded to 16
    uint32_t cap;   // objects
    uint32_t count; // in use
    uint32_t free_; // index of the first free object; 0: none
    uint32_t fresh; // objects up to here were given out at least once
    uint32_t pages;
    struct page *page;
};

struct sg_pool *
sg_pool_new(uint32_t cap, size_t size)
{
    struct sg_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pool->cap = cap;
    pool->size = size == 0 ? 16 : (size + 15) & ~(size_t)15;
    pool->pages = cap / PAGE_OBJECTS + 1;
    pool->page = calloc(pool->pages, sizeof *pool->page);
    if (pool->page == NULL)
        sg_pool_free(&pool);
    return pool;
}

void
sg_pool_free(struct sg_pool **pool)
{
    if (*pool == NULL)
        return;
    for (uint32_t i = 0; (*pool)->page != NULL && i < (*pool)->pages; i++)
        free((*pool)->page[i].objects);
    free((*pool)->page);
    free(*pool);
    *pool = NULL;
}

static unsigned char *
place(const struct sg_pool *pool, uint32_t index)
{
    return pool->page[index / PAGE_OBJECTS].objects +
           (size_t)(index % PAGE_OBJECTS) * pool->size;
}

static bool
used(const struct sg_pool *pool, uint32_t index)
{
    const struct page *page = &pool->page[index / PAGE_OBJECTS];

    return index != 0 && index <= pool->fresh && page->objects != NULL &&
           (page->in_use[index % PAGE_OBJECTS / 64] >> (index % 64) & 1) != 0;
}

static void
mark(struct sg_pool *pool, uint32_t index, bool in_use)
{
    uint64_t *word =
        &pool->page[index / PAGE_OBJECTS].in_use[index % PAGE_OBJECTS / 64];
    uint64_t bit = (uint64_t)1 << (index % 64);

    *word = in_use ? *word | bit : *word & ~bit;
}

uint32_t
sg_pool_take(struct sg_pool *pool)
{
    uint32_t index = pool->free_;

    if (index != 0) {
        memcpy(&pool->free_, place(pool, index), sizeof pool->free_);
    } else {
        if (pool->fresh >= pool->cap)
            return 0;
        index = pool->fresh + 1;
        struct page *page = &pool->page[index / PAGE_OBJECTS];
        if (page->objects == NULL)
            page->objects = malloc(PAGE_OBJECTS * pool->size);
        if (page->objects == NULL)
            return 0;
        pool->fresh = index;
    }
    memset(place(pool, index), 0, pool->size);
    mark(pool, index, true);
    pool->count++;
    return index;
}

void
sg_pool_give(struct sg_pool *pool, uint32_t index)
{
    SG_ASSERT(used(pool, index));
    memset(place(pool, index), 0, pool->size);
    memcpy(place(pool, index), &pool->free_, sizeof pool->free_);
    pool->free_ = index;
    mark(pool, index, false);
    pool->count--;
}

bool
sg_pool_has(const struct sg_pool *pool, uint32_t index)
{
    return index <= pool->cap && used(pool, index);
}

void *
sg_pool_at(const struct sg_pool *pool, uint32_t index)
{
    SG_ASSERT(used(pool, index));
    return place(pool, index);
}

uint32_t
sg_pool_count(const struct sg_pool *pool)
{
    return pool->count;
}

uint32_t
sg_pool_next(const struct sg_pool *pool, uint32_t index)
{
    while (index++ < pool->fresh) {
        if (used(pool, index))
            return index;
    }
    return 0;
}
