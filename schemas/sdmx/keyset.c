#include "schemas/sdmx/keyset.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    KEYS = 39,
    SLAB_BITS = 7, // 128 buckets are taken at once: 64 KiB
    SLAB = 1 << SLAB_BITS,
    PAGE_BITS = 9, // 512 slabs a page of the list of slabs
    PAGE = 1 << PAGE_BITS,
    PAGES = 256, // 400 million keys
    DEPTH_MAX = 28,
};

struct bucket {
    uint8_t tags[KEYS];
    uint8_t count;
    uint8_t depth; // bits of the hash that all its keys share
    uint8_t pad[3];
    uint32_t keys[KEYS][3];
};

_Static_assert(sizeof(struct bucket) == 512, "a bucket is eight cache lines");

struct slab {
    struct bucket *buckets;
    uint64_t (*values)[KEYS]; // NULL: a set without values
};

struct sg_keyset {
    struct sg_arena *arena;
    bool with_values;
    uint64_t count;
    uint32_t buckets;
    unsigned depth;      // the directory has 2^depth places
    uint32_t *directory; // numbers of buckets
    struct slab *pages[PAGES];
};

static struct slab *
slab_of(const struct sg_keyset *set, uint32_t number)
{
    uint32_t slab = number >> SLAB_BITS;
    return &set->pages[slab >> PAGE_BITS][slab & (PAGE - 1)];
}

static struct bucket *
bucket_of(const struct sg_keyset *set, uint32_t number)
{
    return &slab_of(set, number)->buckets[number & (SLAB - 1)];
}

static uint64_t *
value_of(const struct sg_keyset *set, uint32_t number, unsigned place)
{
    return &slab_of(set, number)->values[number & (SLAB - 1)][place];
}

// A new bucket's number; false: the arena or the set is full.
static bool
add_bucket(struct sg_keyset *set, unsigned depth, uint32_t *number)
{
    uint32_t n = set->buckets, slab = n >> SLAB_BITS;
    if (slab >= PAGES * PAGE)
        return false;
    if ((n & (SLAB - 1)) == 0) {
        struct slab **page = &set->pages[slab >> PAGE_BITS];
        if (*page == NULL)
            *page = sg_arena_take(set->arena, PAGE * sizeof **page);
        if (*page == NULL)
            return false;
        struct slab *s = &(*page)[slab & (PAGE - 1)];
        s->buckets = sg_arena_take(set->arena, SLAB * sizeof *s->buckets);
        if (set->with_values)
            s->values = sg_arena_take(set->arena, SLAB * sizeof *s->values);
        if (s->buckets == NULL || (set->with_values && s->values == NULL))
            return false;
    }
    set->buckets++;
    bucket_of(set, n)->depth = (uint8_t)depth;
    *number = n;
    return true;
}

struct sg_keyset *
sg_keyset_new(struct sg_arena *arena, bool with_values)
{
    struct sg_keyset *set = sg_arena_take(arena, sizeof *set);
    if (set == NULL)
        return NULL;
    set->arena = arena;
    set->with_values = with_values;
    set->directory = sg_arena_take(arena, sizeof *set->directory);
    if (set->directory == NULL || !add_bucket(set, 0, &set->directory[0]))
        return NULL;
    return set;
}

uint64_t
sg_keyset_count(const struct sg_keyset *set)
{
    return set->count;
}

// The stored 96 bits: low, and the upper half of high, whose first bits find
// the place in the directory.
static uint32_t
place_of(const struct sg_keyset *set, struct sg_siphash key)
{
    return set->depth == 0 ? 0 : (uint32_t)(key.high >> (64 - set->depth));
}

static bool
is_key(const uint32_t stored[3], struct sg_siphash key)
{
    return stored[0] == (uint32_t)key.low &&
           stored[1] == (uint32_t)(key.low >> 32) &&
           stored[2] == (uint32_t)(key.high >> 32);
}

// Place of the key in its bucket; -1: not there.
static int
find(const struct bucket *b, struct sg_siphash key)
{
    uint8_t tag = (uint8_t)key.low;
#if defined(__SSE2__)
    uint64_t hits = 0;
    const __m128i wanted = _mm_set1_epi8((char)tag);
    for (unsigned i = 0; i < 3; i++) { // 48 bytes: beyond the tags is cut off
        __m128i v = _mm_loadu_si128(
            (const __m128i *)(const void *)((const uint8_t *)b + 16 * i));
        hits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted))
                << (16 * i);
    }
    hits &= (1ull << b->count) - 1;
    for (; hits != 0; hits &= hits - 1) {
        int i = __builtin_ctzll(hits);
        if (is_key(b->keys[i], key))
            return i;
    }
#else
    for (int i = 0; i < b->count; i++)
        if (b->tags[i] == tag && is_key(b->keys[i], key))
            return i;
#endif
    return -1;
}

static bool
double_directory(struct sg_keyset *set)
{
    if (set->depth == DEPTH_MAX)
        return false;
    size_t places = (size_t)1 << set->depth;
    uint32_t *bigger = sg_arena_take(set->arena, 2 * places * sizeof *bigger);
    if (bigger == NULL)
        return false;
    for (size_t i = 0; i < places; i++)
        bigger[2 * i] = bigger[2 * i + 1] = set->directory[i];
    set->directory = bigger;
    set->depth++;
    return true;
}

static void
move_key(struct sg_keyset *set, uint32_t from, unsigned i, uint32_t to)
{
    struct bucket *a = bucket_of(set, from), *b = bucket_of(set, to);
    unsigned at = b->count++;
    b->tags[at] = a->tags[i];
    memcpy(b->keys[at], a->keys[i], sizeof b->keys[at]);
    if (set->with_values)
        *value_of(set, to, at) = *value_of(set, from, i);
}

// Gives half of a full bucket to a new one; place is one of its places.
static bool
split(struct sg_keyset *set, uint32_t place)
{
    uint32_t old = set->directory[place], new;
    unsigned depth = bucket_of(set, old)->depth;
    if (depth == set->depth) {
        if (!double_directory(set))
            return false;
        place *= 2;
    }
    if (!add_bucket(set, depth + 1, &new))
        return false;
    struct bucket *b = bucket_of(set, old);
    b->depth++;
    unsigned kept = 0, count = b->count;
    b->count = 0;
    for (unsigned i = 0; i < count; i++) {
        if (b->keys[i][2] >> (31 - depth) & 1) {
            move_key(set, old, i, new);
        } else {
            move_key(set, old, i, old); // forward never overtakes i
            kept++;
        }
    }
    SG_ASSERT(kept == b->count);
    // Places with the first depth bits of this one: the upper half changes.
    unsigned free_bits = set->depth - depth;
    uint32_t first = place >> free_bits << free_bits;
    uint32_t half = 1u << (free_bits - 1);
    for (uint32_t i = 0; i < half; i++)
        set->directory[first + half + i] = new;
    return true;
}

enum sg_err
sg_keyset_put(struct sg_keyset *set, struct sg_siphash key, uint64_t *value,
              bool *known)
{
    for (;;) {
        uint32_t place = place_of(set, key);
        uint32_t number = set->directory[place];
        struct bucket *b = bucket_of(set, number);
        int at = find(b, key);
        *known = at >= 0;
        if (at >= 0) {
            if (set->with_values)
                *value = *value_of(set, number, (unsigned)at);
            return SG_OK;
        }
        if (b->count < KEYS) {
            unsigned i = b->count++;
            b->tags[i] = (uint8_t)key.low;
            b->keys[i][0] = (uint32_t)key.low;
            b->keys[i][1] = (uint32_t)(key.low >> 32);
            b->keys[i][2] = (uint32_t)(key.high >> 32);
            if (set->with_values)
                *value_of(set, number, i) = *value;
            set->count++;
            return SG_OK;
        }
        if (!split(set, place))
            return SG_ERR_FULL;
    }
}

bool
sg_keyset_get(const struct sg_keyset *set, struct sg_siphash key,
              uint64_t *value)
{
    uint32_t number = set->directory[place_of(set, key)];
    int at = find(bucket_of(set, number), key);
    if (at >= 0 && set->with_values)
        *value = *value_of(set, number, (unsigned)at);
    return at >= 0;
}
