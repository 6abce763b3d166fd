// consent_set - sets of record ordinals, compressed: the one door to roaring.
//
// Ordinals count the records of one agreement from 0 and never leave the gate.
// A set grows with the number of runs in it, at most 8 KiB a 65,536 ordinals.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sg_consent_set; // opaque

struct sg_consent_set *sg_consent_set_new(void); // NULL: no memory
void sg_consent_set_free(struct sg_consent_set **set);
void sg_consent_set_add(struct sg_consent_set *set, uint32_t ordinal);
void sg_consent_set_remove(struct sg_consent_set *set, uint32_t ordinal);
bool sg_consent_set_has(const struct sg_consent_set *set, uint32_t ordinal);
uint64_t sg_consent_set_count(const struct sg_consent_set *set);
// How many of a are not in b. O(containers).
uint64_t sg_consent_set_missing(const struct sg_consent_set *a,
                                const struct sg_consent_set *b);
