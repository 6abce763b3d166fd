#include <stdio.h>

#include "policy/ast.h"

static const uint8_t pairs[][2] = {
    {SG_ATTR_PROVIDER_IN, SG_ATTR_AREA},
    {SG_ATTR_PROVIDER_IN, SG_ATTR_COUNTERPART},
    {SG_ATTR_PROVIDER_IN, SG_ATTR_DESTINATION},
    {SG_ATTR_PROVIDER_IN, SG_ATTR_STORED_IN},
    {SG_ATTR_AREA, SG_ATTR_COUNTERPART},
    {SG_ATTR_AREA, SG_ATTR_DESTINATION},
    {SG_ATTR_AREA, SG_ATTR_STORED_IN},
    {SG_ATTR_COUNTERPART, SG_ATTR_DESTINATION},
    {SG_ATTR_COUNTERPART, SG_ATTR_STORED_IN},
    {SG_ATTR_DESTINATION, SG_ATTR_STORED_IN},
};
_Static_assert(SG_COUNT_OF(pairs) == SG_DIM_COUNT - SG_ATTR_COUNT,
               "each pair of the five places");

uint32_t
sg_dims_codes(const struct sg_policy_set *set, unsigned dim)
{
    SG_ASSERT(dim < SG_DIM_COUNT);
    if (dim >= SG_ATTR_COUNT)
        return SG_SAME_COUNT;
    if (dim == SG_ATTR_PARTY)
        return SG_PARTY_FIRST_LISTED + set->party_count;
    return sg_vocabulary_code_count((enum sg_attr)dim);
}

uint32_t
sg_dims_words(const struct sg_policy_set *set, unsigned dim)
{
    return (sg_dims_codes(set, dim) + 63) / 64;
}

bool
sg_dims_valid(const struct sg_policy_set *set, unsigned dim, uint32_t code)
{
    if (code >= sg_dims_codes(set, dim))
        return false;
    return dim >= SG_ATTR_COUNT ||
           sg_vocabulary_is_code((enum sg_attr)dim, (uint16_t)code);
}

void
sg_dims_pair(unsigned dim, uint8_t *a, uint8_t *b)
{
    SG_ASSERT(dim >= SG_ATTR_COUNT && dim < SG_DIM_COUNT);
    *a = pairs[dim - SG_ATTR_COUNT][0];
    *b = pairs[dim - SG_ATTR_COUNT][1];
}

unsigned
sg_dims_same(enum sg_attr a, enum sg_attr b)
{
    for (unsigned i = 0; i < SG_COUNT_OF(pairs); i++) {
        if ((pairs[i][0] == a && pairs[i][1] == b) ||
            (pairs[i][0] == b && pairs[i][1] == a))
            return SG_ATTR_COUNT + i;
    }
    return SG_DIM_COUNT;
}

const char *
sg_dims_name(unsigned dim, char out[48])
{
    SG_ASSERT(dim < SG_DIM_COUNT);
    if (dim < SG_ATTR_COUNT)
        return sg_vocabulary_attr((enum sg_attr)dim)->name;
    uint8_t a, b;
    sg_dims_pair(dim, &a, &b);
    snprintf(out, 48, "%s same as %s", sg_vocabulary_attr(a)->name,
             sg_vocabulary_attr(b)->name);
    return out;
}

const char *
sg_dims_text(const struct sg_policy_set *set, unsigned dim, uint32_t code,
             char out[72])
{
    static const char *const same[] = {"unknown", "yes", "no"};
    if (dim >= SG_ATTR_COUNT)
        return code < SG_COUNT_OF(same) ? same[code] : "unknown";
    if (dim == SG_ATTR_PARTY && code >= SG_PARTY_FIRST_LISTED) {
        struct sg_slice id = sg_policy_party_id(set, (uint16_t)code);
        snprintf(out, 72, SG_SLICE_FMT, SG_SLICE_ARG(id));
        return out;
    }
    return sg_vocabulary_text((enum sg_attr)dim, (uint16_t)code);
}

uint8_t
sg_dims_source(unsigned dim)
{
    if (dim < SG_ATTR_COUNT)
        return sg_vocabulary_attr((enum sg_attr)dim)->source;
    uint8_t a, b;
    sg_dims_pair(dim, &a, &b);
    return sg_vocabulary_attr(a)->source | sg_vocabulary_attr(b)->source;
}

uint32_t
sg_dims_value(const struct sg_policy_set *set, unsigned dim,
              const struct sg_request *q)
{
    if (dim >= SG_ATTR_COUNT) {
        uint8_t a, b;
        sg_dims_pair(dim, &a, &b);
        return sg_vocabulary_same((uint16_t)sg_dims_value(set, a, q),
                                  (uint16_t)sg_dims_value(set, b, q));
    }
    uint16_t code = q->code[dim];
    return sg_dims_valid(set, dim, code) ? code : 0;
}
