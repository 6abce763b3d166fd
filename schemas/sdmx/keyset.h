// keyset - remembers millions of keys: has this one been here before?
//
// Extendible hashing in the caller's arena: buckets of 512 bytes for 39 keys,
// split one at a time, so that growing never stops the work and leaves nothing
// behind. Of each 128-bit key 96 bits are kept: two different ones of 200
// million are taken for one with a probability of 2^-41, for whoever does not
// know the key of the hash (siphash.h).
// Costs 18 to 22 bytes a key, directory and all; 8 more with values.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "schemas/sdmx/siphash.h"

struct sg_keyset; // opaque; lives in the arena

// NULL: arena full.
struct sg_keyset *sg_keyset_new(struct sg_arena *arena, bool with_values);
// *known: the key was there; then *value becomes what was stored with it, else
// *value is stored (value may be NULL in a set without values). SG_ERR_FULL.
SG_MUST_CHECK enum sg_err sg_keyset_put(struct sg_keyset *set,
                                        struct sg_siphash key, uint64_t *value,
                                        bool *known);
// Looks only. false: not there.
bool sg_keyset_get(const struct sg_keyset *set, struct sg_siphash key,
                   uint64_t *value);
uint64_t sg_keyset_count(const struct sg_keyset *set);
