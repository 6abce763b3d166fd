#include "schemas/proof/content_walk.h"

enum { TAG_LEAF = 0x10, TAG_SEED = 0x13 };

void
sg_content_walk_split(const uint8_t id[SG_CONTENT_ID_LEN], unsigned level,
                      uint64_t index, const uint8_t seed[SG_CONTENT_SEED_LEN],
                      uint8_t pair[2 * SG_CONTENT_SEED_LEN])
{
    uint8_t text[1 + SG_CONTENT_ID_LEN + 1 + 8 + SG_CONTENT_SEED_LEN];

    text[0] = TAG_SEED;
    memcpy(text + 1, id, SG_CONTENT_ID_LEN);
    text[17] = (uint8_t)level;
    sg_bytes_store_u64(text + 18, index);
    memcpy(text + 26, seed, SG_CONTENT_SEED_LEN);
    sg_crypto_sha256(text, sizeof text, pair);
}

void
sg_content_walk_descend(struct sg_content_seeds *seeds, unsigned from,
                        unsigned to, uint64_t leaf)
{
    uint8_t pair[2 * SG_CONTENT_SEED_LEN];

    for (unsigned level = from; level > to; level--) {
        const bool right = (leaf >> (level - 1) & 1) != 0;

        sg_content_walk_split(seeds->id, level, leaf >> level, seeds->at[level],
                              pair);
        // The parent is not needed again: its place keeps the right seed.
        memcpy(seeds->at[level], pair + SG_CONTENT_SEED_LEN,
               SG_CONTENT_SEED_LEN);
        memcpy(seeds->at[level - 1], pair + (right ? SG_CONTENT_SEED_LEN : 0),
               SG_CONTENT_SEED_LEN);
    }
}

unsigned
sg_content_walk_next(struct sg_content_seeds *seeds, uint64_t leaf)
{
    // leaf is the first one below a right child at this level.
    const unsigned up = (unsigned)__builtin_ctzll(leaf);

    memcpy(seeds->at[up], seeds->at[up + 1], SG_CONTENT_SEED_LEN);
    return up;
}

void
sg_content_walk_leaf(const uint8_t salt[SG_CONTENT_SEED_LEN],
                     struct sg_slice leaf, uint8_t out[32])
{
    uint8_t head[1 + SG_CONTENT_SEED_LEN];
    const struct sg_slice parts[] = {{head, sizeof head}, leaf};

    head[0] = TAG_LEAF;
    memcpy(head + 1, salt, SG_CONTENT_SEED_LEN);
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

unsigned
sg_content_walk_top(uint64_t total)
{
    unsigned level = 0;

    while (UINT64_C(1) << level < total)
        level++;
    return level;
}

struct sg_content_span
sg_content_walk_span(uint64_t place, uint64_t total, struct sg_content_run run)
{
    struct sg_content_span span = {.withheld =
                                       run.count > 0 && place >= run.start};
    const unsigned top = sg_content_walk_top(total);
    uint64_t limit = total; // first leaf that is of another kind

    if (run.count > 0)
        limit = span.withheld ? run.start + run.count : run.start;
    span.last = place + 1;
    span.whole = true;
    while (span.level < top) {
        const uint64_t size = UINT64_C(2) << span.level;
        const bool whole = size <= total - place;
        const uint64_t last = whole ? place + size : total;
        if (place % size != 0 || last > limit)
            break;
        span.level++;
        span.last = last;
        span.whole = whole;
    }
    return span;
}

size_t
sg_content_walk_varint_len(uint64_t value)
{
    size_t len = 1;

    for (; value >= 0x80; value >>= 7)
        len++;
    return len;
}
