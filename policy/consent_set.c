#include "policy/consent_set.h"

#include <stddef.h>

#include <roaring/roaring.h>

// A set is roaring's own object under our name.
static roaring_bitmap_t *
inner(struct sg_consent_set *set)
{
    return (roaring_bitmap_t *)(void *)set;
}

static const roaring_bitmap_t *
const_inner(const struct sg_consent_set *set)
{
    return (const roaring_bitmap_t *)(const void *)set;
}

struct sg_consent_set *
sg_consent_set_new(void)
{
    return (struct sg_consent_set *)(void *)roaring_bitmap_create();
}

void
sg_consent_set_free(struct sg_consent_set **set)
{
    if (*set != NULL)
        roaring_bitmap_free(inner(*set));
    *set = NULL;
}

void
sg_consent_set_add(struct sg_consent_set *set, uint32_t ordinal)
{
    roaring_bitmap_add(inner(set), ordinal);
}

void
sg_consent_set_remove(struct sg_consent_set *set, uint32_t ordinal)
{
    roaring_bitmap_remove(inner(set), ordinal);
}

bool
sg_consent_set_has(const struct sg_consent_set *set, uint32_t ordinal)
{
    return roaring_bitmap_contains(const_inner(set), ordinal);
}

uint64_t
sg_consent_set_count(const struct sg_consent_set *set)
{
    return roaring_bitmap_get_cardinality(const_inner(set));
}

uint64_t
sg_consent_set_missing(const struct sg_consent_set *a,
                       const struct sg_consent_set *b)
{
    return roaring_bitmap_andnot_cardinality(const_inner(a), const_inner(b));
}
