// fixture - what the tests of proof share: bytes from hexadecimal, an arena, a
// signing key, numbers that look random and are the same in every run.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/crypto.h"
#include "broker/base/slice.h"

static inline unsigned
fixture_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

// Its own decoder, so that a fault in encode.c cannot hide in a vector. Lives
// in arena.
static inline struct sg_slice
hex_len(struct sg_arena *arena, const char *text, size_t digits)
{
    uint8_t *out = sg_arena_take(arena, digits / 2 + 1);

    assert_non_null(out);
    for (size_t i = 0; i < digits / 2; i++)
        out[i] = (uint8_t)(fixture_digit(text[2 * i]) << 4 |
                           fixture_digit(text[2 * i + 1]));
    return sg_slice_of(out, digits / 2);
}

static inline struct sg_slice
hex(struct sg_arena *arena, const char *text)
{
    return hex_len(arena, text, strlen(text));
}

static inline struct sg_arena *
new_arena(void)
{
    struct sg_arena *arena = sg_arena_new(64u << 20, 1u << 16);

    assert_non_null(arena);
    assert_int_equal(sg_crypto_start(), SG_OK);
    return arena;
}

// RFC 8032 7.1, test 1.
#define TEST_SEED                                                              \
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define TEST_PUBLIC                                                            \
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

static inline struct sg_signer *
new_signer(struct sg_arena *arena, const char *seed)
{
    struct sg_signer *signer = NULL;

    assert_int_equal(sg_crypto_signer_new(hex(arena, seed).ptr, &signer),
                     SG_OK);
    return signer;
}

static inline struct sg_slice
public_of(struct sg_arena *arena, const struct sg_signer *signer)
{
    uint8_t *out = sg_arena_take(arena, 32);

    assert_non_null(out);
    sg_crypto_signer_public(signer, out);
    return sg_slice_of(out, 32);
}

// splitmix64
static inline uint64_t
draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline void
draw_bytes(uint64_t *state, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)draw(state);
}
