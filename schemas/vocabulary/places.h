// places - a set of places: the areas, or the partners, that a part holds.
//
// Owns how a set stands in facts: place n is bit n % 8 of byte n / 8, and the
// last byte is not zero, so that one set has one form. Unknown (place 0) may be
// in a set like any other: who decides on it cannot tell what it is.
// Never does: say what a place means (vocabulary.h).
#pragma once

#include "schemas/vocabulary/vocabulary.h"

enum {
    SG_PLACES_BYTES = (SG_PLACE_COUNT + 7) / 8,
    SG_PLACES_WORDS = (SG_PLACE_COUNT + 63) / 64,
};

struct sg_places {
    uint64_t word[SG_PLACES_WORDS];
};

// place: below SG_PLACE_COUNT; any other number counts as unknown.
void sg_places_add(struct sg_places *set, uint16_t place);
bool sg_places_has(const struct sg_places *set, uint16_t place);
void sg_places_join(struct sg_places *set, const struct sg_places *other);
void sg_places_meet(struct sg_places *set, const struct sg_places *other);
uint32_t sg_places_count(const struct sg_places *set);
// The first place of the set that is from or after it; SG_PLACE_COUNT: none.
uint32_t sg_places_next(const struct sg_places *set, uint32_t from);

// Returns the length, 0 for the empty set.
size_t sg_places_pack(const struct sg_places *set,
                      uint8_t out[SG_PLACES_BYTES]);
// false: no set, or not in the one form of it; *set is empty then.
SG_MUST_CHECK bool sg_places_open(struct sg_slice bytes, struct sg_places *set);
