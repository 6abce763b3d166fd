// arena - memory that lives as long as one turn, one job or one policy.
//
// Everything decoded from a message is carved from here and dropped at once by
// sg_arena_reset; nothing in it is freed alone. Built with SG_ARENA_EACH_MALLOC
// every piece is its own malloc, so that AddressSanitizer sees each bound and
// each use after reset.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/slice.h"

struct sg_arena; // opaque

// cap_bytes: the most it ever holds; blocks of block_bytes are taken as needed
// and kept over a reset (block_bytes 0: all of cap_bytes now). NULL: no memory.
struct sg_arena *sg_arena_new(size_t cap_bytes, size_t block_bytes);
void sg_arena_free(struct sg_arena **arena); // *arena becomes NULL

// Zeroed, aligned for any type. NULL once the capacity is used up: refuse the
// message (SG_ERR_FULL), never grow. Valid until the next reset.
void *sg_arena_take(struct sg_arena *arena, size_t size);
// The same with whatever bytes are there: for buffers that are written before
// they are read, of which often little is used.
uint8_t *sg_arena_room(struct sg_arena *arena, size_t size);

// A copy of bytes followed by a NUL that len does not count. ptr NULL: full.
struct sg_slice sg_arena_copy(struct sg_arena *arena, struct sg_slice bytes);

// printf into the arena, NUL-terminated. NULL: full.
char *sg_arena_printf(struct sg_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t sg_arena_used(const struct sg_arena *arena); // bytes
void sg_arena_reset(struct sg_arena *arena);
// After a reset: of the blocks it kept, gives back what is above keep bytes.
void sg_arena_trim(struct sg_arena *arena, size_t keep);
