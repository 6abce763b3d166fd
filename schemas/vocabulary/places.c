#include "schemas/vocabulary/places.h"

void
sg_places_add(struct sg_places *set, uint16_t place)
{
    if (place >= SG_PLACE_COUNT)
        place = SG_PLACE_UNKNOWN;
    set->word[place / 64] |= 1ull << (place % 64);
}

bool
sg_places_has(const struct sg_places *set, uint16_t place)
{
    return place < SG_PLACE_COUNT &&
           (set->word[place / 64] >> (place % 64) & 1) != 0;
}

void
sg_places_join(struct sg_places *set, const struct sg_places *other)
{
    for (size_t i = 0; i < SG_PLACES_WORDS; i++)
        set->word[i] |= other->word[i];
}

void
sg_places_meet(struct sg_places *set, const struct sg_places *other)
{
    for (size_t i = 0; i < SG_PLACES_WORDS; i++)
        set->word[i] &= other->word[i];
}

uint32_t
sg_places_count(const struct sg_places *set)
{
    uint32_t count = 0;

    for (size_t i = 0; i < SG_PLACES_WORDS; i++)
        count += (uint32_t)__builtin_popcountll(set->word[i]);
    return count;
}

uint32_t
sg_places_next(const struct sg_places *set, uint32_t from)
{
    for (uint32_t i = from / 64; i < SG_PLACES_WORDS; i++) {
        uint64_t left = set->word[i];
        if (i == from / 64)
            left &= ~0ull << (from % 64);
        if (left != 0)
            return i * 64 + (uint32_t)__builtin_ctzll(left);
    }
    return SG_PLACE_COUNT;
}

size_t
sg_places_pack(const struct sg_places *set, uint8_t out[SG_PLACES_BYTES])
{
    size_t len = 0;

    memset(out, 0, SG_PLACES_BYTES);
    for (uint32_t p = sg_places_next(set, 0); p < SG_PLACE_COUNT;
         p = sg_places_next(set, p + 1)) {
        out[p / 8] |= (uint8_t)(1u << (p % 8));
        len = p / 8 + 1;
    }
    return len;
}

bool
sg_places_open(struct sg_slice bytes, struct sg_places *set)
{
    *set = (struct sg_places){0};
    if (bytes.len == 0 || bytes.len > SG_PLACES_BYTES ||
        bytes.ptr[bytes.len - 1] == 0)
        return false;
    for (uint32_t p = 0; p < bytes.len * 8; p++) {
        if ((bytes.ptr[p / 8] >> (p % 8) & 1) == 0)
            continue;
        if (p >= SG_PLACE_COUNT) {
            *set = (struct sg_places){0};
            return false;
        }
        sg_places_add(set, (uint16_t)p);
    }
    return true;
}
