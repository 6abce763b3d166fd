// slice - a borrowed run of bytes. Not NUL-terminated, never owned.
//
// Whoever made the bytes keeps them alive: a slice of a message dies with the
// turn's arena, a slice of a compiled policy dies with that policy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sg_slice {
    const uint8_t *ptr; // NULL only when len is 0
    size_t len;         // bytes
};

// Bytes in pieces, one after the other.
struct sg_piece {
    struct sg_slice bytes;
    struct sg_piece *next; // NULL: the last
};

#define SG_SLICE(literal)                                                      \
    ((struct sg_slice){(const uint8_t *)(literal), sizeof(literal) - 1})
#define SG_SLICE_FMT    "%.*s"
#define SG_SLICE_ARG(s) (int)(s).len, (const char *)(s).ptr

static inline struct sg_slice
sg_slice_of(const void *ptr, size_t len)
{
    return (struct sg_slice){(const uint8_t *)ptr, len};
}

static inline struct sg_slice
sg_slice_text(const char *text) // borrowed; NULL gives the empty slice
{
    return (struct sg_slice){(const uint8_t *)text,
                             text == NULL ? 0 : strlen(text)};
}

static inline bool
sg_slice_eq(struct sg_slice a, struct sg_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

// Order by bytes, a prefix first: negative, 0 or positive like memcmp.
int sg_slice_cmp(struct sg_slice a, struct sg_slice b);

// Decimal without sign, at most 20 digits; false: not a u64.
bool sg_slice_u64(struct sg_slice text, uint64_t *value);

// `[A-Z0-9_.-]{1,64}`: the form of every StatGate id (formats.md 0).
bool sg_slice_is_id(struct sg_slice text);

// UTF-8 (RFC 3629) without NUL.
bool sg_slice_is_utf8(struct sg_slice text);
