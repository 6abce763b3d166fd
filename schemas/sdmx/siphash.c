#include "schemas/sdmx/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void
sipround(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void
absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sipround(s);
    sipround(s);
    s->v0 ^= word;
}

static struct state
begin(const uint64_t key[2])
{
    return (struct state){
        key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xeeu,
        key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
}

static struct sg_siphash
finish(struct state *s, struct sg_slice bytes, size_t before)
{
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr + at, 8);
        absorb(s, word);
    }
    uint64_t last = (uint64_t)(before + bytes.len) << 56;
    for (size_t i = 0; at + i < bytes.len; i++)
        last |= (uint64_t)bytes.ptr[at + i] << (8 * i);
    absorb(s, last);
    struct sg_siphash out;
    s->v2 ^= 0xee;
    for (int i = 0; i < 4; i++)
        sipround(s);
    out.low = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    s->v1 ^= 0xdd;
    for (int i = 0; i < 4; i++)
        sipround(s);
    out.high = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    return out;
}

struct sg_siphash
sg_siphash_word(const uint64_t key[2], uint64_t word, struct sg_slice bytes)
{
    struct state s = begin(key);
    absorb(&s, word);
    return finish(&s, bytes, 8);
}

struct sg_siphash
sg_siphash_bytes(const uint64_t key[2], struct sg_slice bytes)
{
    struct state s = begin(key);
    return finish(&s, bytes, 0);
}
