// keylog - millions of keys, and at the end: which of them came twice?
//
// Keys are written down in 64 lists by some of their bits, one after the other,
// so that the memory of the whole is never jumped about in (64 pages are few
// enough for the TLB); each list is looked through by itself when all have come,
// in a table that fits it.
// Invariant: 20 bytes a key and at most 2 KiB a list besides; of each 128-bit
// key 96 bits are kept: two different ones of 200 million are taken for one
// with a probability of 2^-41, for whoever does not know the key of the hash
// (siphash.h).
#pragma once

#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "schemas/sdmx/siphash.h"

enum { SG_KEYLOG_LISTS = 64, SG_KEYLOG_CHUNK = 102 };

struct sg_keylog_entry {
    uint32_t low, middle, high; // of the key
    uint32_t row, line;         // UINT32_MAX: that or more
};

struct sg_keylog_chunk {
    struct sg_keylog_chunk *next;
    struct sg_keylog_entry entries[SG_KEYLOG_CHUNK];
};

struct sg_keylog_list {
    struct sg_keylog_entry *at, *end; // room in the last chunk
    struct sg_keylog_chunk *first, *last;
    uint32_t count;
};

struct sg_keylog { // in the arena
    struct sg_arena *arena;
    struct sg_keylog_list lists[SG_KEYLOG_LISTS];
};

// NULL: arena full.
struct sg_keylog *sg_keylog_new(struct sg_arena *arena);
// A list that has no room. SG_ERR_FULL: arena, or 2^32 keys of one list.
SG_MUST_CHECK enum sg_err sg_keylog_grow(struct sg_keylog *log,
                                         struct sg_keylog_list *list);

// SG_ERR_FULL: arena.
SG_MUST_CHECK static inline enum sg_err
sg_keylog_add(struct sg_keylog *log, struct sg_siphash key, uint64_t row,
              uint64_t line)
{
    struct sg_keylog_list *list =
        &log->lists[key.high >> 56 & (SG_KEYLOG_LISTS - 1)];
    if (list->at == list->end) {
        enum sg_err err = sg_keylog_grow(log, list);
        if (err != SG_OK)
            return err;
    }
    *list->at++ = (struct sg_keylog_entry){
        (uint32_t)key.low, (uint32_t)(key.low >> 32),
        (uint32_t)(key.high >> 32),
        row < UINT32_MAX ? (uint32_t)row : UINT32_MAX,
        line < UINT32_MAX ? (uint32_t)line : UINT32_MAX};
    return SG_OK;
}

// Says the place of each key that an earlier one equals, in the order of rows;
// the log is done then. SG_ERR_FULL: arena.
SG_MUST_CHECK enum sg_err
sg_keylog_twice(struct sg_keylog *log,
                void (*say)(void *context, uint64_t row, uint64_t line),
                void *context);
