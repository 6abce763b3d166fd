#include "broker/base/table.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// Entries lie in the order of insertion; slots hold their numbers. A removed
// entry stays as a hole until more than half are holes, then both are packed.
enum { INLINE_KEY = 16, SLOTS_MIN = 16 };

struct entry {
    uint64_t hash;
    uint64_t value;
    uint32_t len; // bytes of the key
    bool removed;
    union {
        uint8_t inline_[INLINE_KEY];
        uint8_t *heap; // len > INLINE_KEY
    } key;
};

struct sg_table {
    struct entry *entries;
    uint32_t used, room; // entries with holes; allocated
    uint32_t count, cap; // without holes
    uint32_t *slots;     // entry + 1; 0: never used
    uint32_t mask;       // slots - 1
    uint8_t sip_key[16];
    bool own; // keys are ours: XXH3
};

// ---- SipHash-2-4 (Aumasson, Bernstein 2012) -----------------------------------

static uint64_t
rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t
load_le(const uint8_t *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void
sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t
sg_table_siphash(const uint8_t key[16], struct sg_slice bytes)
{
    uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
                     k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
    size_t whole = bytes.len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t word = load_le(bytes.ptr + i, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)bytes.len << 56;
    if (bytes.len > whole)
        last |= load_le(bytes.ptr + whole, bytes.len - whole);
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// ---- the table ---------------------------------------------------------------

static uint64_t
hash_of(const struct sg_table *table, struct sg_slice key)
{
    return table->own ? XXH3_64bits(key.ptr, key.len)
                      : sg_table_siphash(table->sip_key, key);
}

static struct sg_slice
key_of(const struct entry *entry)
{
    return (struct sg_slice){entry->len > INLINE_KEY ? entry->key.heap
                                                     : entry->key.inline_,
                             entry->len};
}

static struct sg_table *
table_new(uint32_t cap)
{
    struct sg_table *table = calloc(1, sizeof *table);

    if (table == NULL)
        return NULL;
    table->cap = cap;
    table->mask = SLOTS_MIN - 1;
    table->slots = calloc(SLOTS_MIN, sizeof *table->slots);
    if (table->slots == NULL)
        sg_table_free(&table);
    return table;
}

struct sg_table *
sg_table_new(uint32_t cap, const uint8_t key[16])
{
    struct sg_table *table = table_new(cap);

    if (table != NULL)
        memcpy(table->sip_key, key, 16);
    return table;
}

struct sg_table *
sg_table_new_own(uint32_t cap)
{
    struct sg_table *table = table_new(cap);

    if (table != NULL)
        table->own = true;
    return table;
}

static void
drop_key(struct entry *entry)
{
    if (!entry->removed && entry->len > INLINE_KEY)
        free(entry->key.heap);
}

void
sg_table_free(struct sg_table **table)
{
    if (*table == NULL)
        return;
    sg_table_clear(*table);
    free((*table)->entries);
    free((*table)->slots);
    free(*table);
    *table = NULL;
}

void
sg_table_clear(struct sg_table *table)
{
    for (uint32_t i = 0; i < table->used; i++)
        drop_key(&table->entries[i]);
    table->used = table->count = 0;
    if (table->slots != NULL)
        memset(table->slots, 0,
               ((size_t)table->mask + 1) * sizeof *table->slots);
}

static struct entry *
find(const struct sg_table *table, struct sg_slice key, uint64_t hash)
{
    for (uint64_t at = hash;; at++) { // ends: a slot is free
        uint32_t slot = table->slots[at & table->mask];
        if (slot == 0)
            return NULL;
        struct entry *entry = &table->entries[slot - 1];
        if (entry->hash == hash && !entry->removed &&
            sg_slice_eq(key_of(entry), key))
            return entry;
    }
}

static void
place(struct sg_table *table, uint32_t index)
{
    uint64_t at = table->entries[index].hash;

    while (table->slots[at & table->mask] != 0)
        at++;
    table->slots[at & table->mask] = index + 1;
}

// Packs the holes away and makes slots for at least wanted entries at a load of
// at most one half.
static enum sg_err
rebuild(struct sg_table *table, uint32_t wanted)
{
    size_t slots = SLOTS_MIN;

    while (slots < (size_t)wanted * 2)
        slots *= 2;
    uint32_t *made = calloc(slots, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->used; i++) {
        if (!table->entries[i].removed)
            table->entries[kept++] = table->entries[i];
    }
    table->used = kept;
    free(table->slots);
    table->slots = made;
    table->mask = (uint32_t)(slots - 1);
    for (uint32_t i = 0; i < kept; i++)
        place(table, i);
    return SG_OK;
}

static enum sg_err
make_room(struct sg_table *table)
{
    enum sg_err err;

    if (table->count >= table->cap)
        return SG_ERR_FULL;
    if (((size_t)table->used + 1) * 2 > (size_t)table->mask + 1 &&
        (err = rebuild(table, table->count * 2 + 8)) != SG_OK)
        return err;
    if (table->used < table->room)
        return SG_OK;
    size_t room = table->room == 0 ? 8 : (size_t)table->room * 2;
    struct entry *entries = realloc(table->entries, room * sizeof *entries);
    if (entries == NULL)
        return SG_ERR_MEMORY;
    table->entries = entries;
    table->room = (uint32_t)room;
    return SG_OK;
}

enum sg_err
sg_table_put(struct sg_table *table, struct sg_slice key, uint64_t value)
{
    uint64_t hash = hash_of(table, key);
    struct entry *entry = find(table, key, hash);
    enum sg_err err;

    if (entry != NULL) {
        entry->value = value;
        return SG_OK;
    }
    if (key.len > UINT32_MAX)
        return SG_ERR_FULL;
    if ((err = make_room(table)) != SG_OK)
        return err;
    struct entry made = {
        .hash = hash, .value = value, .len = (uint32_t)key.len};
    if (key.len > INLINE_KEY) {
        made.key.heap = malloc(key.len);
        if (made.key.heap == NULL)
            return SG_ERR_MEMORY;
        memcpy(made.key.heap, key.ptr, key.len);
    } else if (key.len > 0) {
        memcpy(made.key.inline_, key.ptr, key.len);
    }
    table->entries[table->used] = made;
    place(table, table->used++);
    table->count++;
    return SG_OK;
}

bool
sg_table_get(const struct sg_table *table, struct sg_slice key, uint64_t *value)
{
    const struct entry *entry = find(table, key, hash_of(table, key));

    if (entry != NULL && value != NULL)
        *value = entry->value;
    return entry != NULL;
}

bool
sg_table_remove(struct sg_table *table, struct sg_slice key)
{
    struct entry *entry = find(table, key, hash_of(table, key));

    if (entry == NULL)
        return false;
    drop_key(entry);
    entry->removed = true; // its slot stays, so that others are still found
    table->count--;
    if (table->count == 0)
        sg_table_clear(table);
    return true;
}

uint32_t
sg_table_count(const struct sg_table *table)
{
    return table->count;
}

bool
sg_table_next(const struct sg_table *table, uint32_t *at, struct sg_slice *key,
              uint64_t *value)
{
    while (*at < table->used) {
        const struct entry *entry = &table->entries[(*at)++];
        if (entry->removed)
            continue;
        *key = key_of(entry);
        *value = entry->value;
        return true;
    }
    return false;
}
