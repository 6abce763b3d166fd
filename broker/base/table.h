// table - the one hash table: byte key -> u64 value, keyed against flooding.
//
// Keys of up to 16 bytes lie in the slot, longer ones in the table's own
// memory. Foreign keys are hashed with SipHash-2-4 under a key from the caller
// (random in the broker, fixed in the simulation); sg_table_new_own is for keys
// that we made ourselves (hashes, sequence numbers) and uses XXH3.
// Iteration order is the order of insertion, so that two replays of one log
// walk a table alike; a removed entry leaves the order of the others unchanged.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_table; // opaque

struct sg_table *sg_table_new(uint32_t cap, const uint8_t key[16]);
struct sg_table *sg_table_new_own(uint32_t cap);
void sg_table_free(struct sg_table **table);

// SG_ERR_FULL at cap, SG_ERR_MEMORY; an existing key gets the new value.
SG_MUST_CHECK enum sg_err sg_table_put(struct sg_table *table,
                                       struct sg_slice key, uint64_t value);
bool sg_table_get(const struct sg_table *table, struct sg_slice key,
                  uint64_t *value); // value may be NULL
bool sg_table_remove(struct sg_table *table, struct sg_slice key);
uint32_t sg_table_count(const struct sg_table *table);
void sg_table_clear(struct sg_table *table);

// *at starts at 0; false at the end. The table may not change in between,
// except that the entry just returned may be removed.
bool sg_table_next(const struct sg_table *table, uint32_t *at,
                   struct sg_slice *key, uint64_t *value);

// SipHash-2-4 of bytes under key; for those who need a keyed 64-bit hash.
uint64_t sg_table_siphash(const uint8_t key[16], struct sg_slice bytes);
