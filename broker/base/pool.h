// pool - a bounded store of equal objects, addressed by index.
//
// Memory is taken at sg_pool_new and never grows: a full pool refuses. Indexes
// are stable for the life of the object and reused afterwards; 0 is never
// given out, so that a zeroed reference means "none".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sg_pool; // opaque

// cap objects of size bytes; pages are touched only when used. NULL: no memory.
struct sg_pool *sg_pool_new(uint32_t cap, size_t size);
void sg_pool_free(struct sg_pool **pool);

uint32_t sg_pool_take(struct sg_pool *pool); // zeroed object; 0: full
void sg_pool_give(struct sg_pool *pool, uint32_t index);
// Is index in use? For references that may have outlived the object.
bool sg_pool_has(const struct sg_pool *pool, uint32_t index);
// Asserts that index is in use.
void *sg_pool_at(const struct sg_pool *pool, uint32_t index);
uint32_t sg_pool_count(const struct sg_pool *pool); // in use
// The next index in use after index (0 starts); 0: no more. For walks.
uint32_t sg_pool_next(const struct sg_pool *pool, uint32_t index);
