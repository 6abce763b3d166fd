// structure_nearest - which code was probably meant.
#include "schemas/sdmx/structure.h"

// Longer values are not guessed at.
#define VALUE_MAX   64u
// Shorter codes differ by one letter from too many others.
#define LETTERS_MIN 4u

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool
same_letters(struct sg_slice a, struct sg_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static struct sg_slice
trim(struct sg_slice text)
{
    while (text.len > 0 && text.ptr[0] <= ' ')
        text = sg_slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && text.ptr[text.len - 1] <= ' ')
        text.len--;
    return text;
}

// The value is the whole name, or its first word (`PERCENT`: "Percent (%)",
// "Percentage"), or an annotation such as the country's ISO code.
static bool
is_named(const struct sg_structure *s, uint32_t list, uint32_t ordinal,
         struct sg_slice value, bool begins)
{
    struct sg_slice name =
        sg_structure_code_name(s, list, ordinal, SG_SLICE("en"));
    if (same_letters(name, value))
        return true;
    if (begins)
        return value.len >= LETTERS_MIN && name.len > value.len &&
               same_letters(sg_slice_of(name.ptr, value.len), value);
    uint32_t at = 0;
    struct sg_slice type, text;
    while (sg_structure_code_annotation(s, list, ordinal, &at, &type, &text)) {
        if (same_letters(text, value))
            return true;
    }
    return false;
}

// Letters to change, add or leave out; above most: most + 1. Case counts not.
static uint32_t
distance(struct sg_slice a, struct sg_slice b, uint32_t most)
{
    uint32_t row[VALUE_MAX + 1];
    if (a.len > b.len + most || b.len > a.len + most || b.len > VALUE_MAX)
        return most + 1;
    for (uint32_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (uint32_t i = 0; i < a.len; i++) {
        uint32_t corner = row[0];
        row[0] = i + 1;
        for (uint32_t j = 0; j < b.len; j++) {
            uint32_t change = corner + (lower(a.ptr[i]) != lower(b.ptr[j]));
            uint32_t add = row[j] + 1;
            uint32_t leave = row[j + 1] + 1;
            corner = row[j + 1];
            row[j + 1] = change < add ? change : add;
            if (leave < row[j + 1])
                row[j + 1] = leave;
        }
    }
    return row[b.len] > most ? most + 1 : row[b.len];
}

int32_t
sg_structure_nearest(const struct sg_structure *s, uint32_t list,
                     struct sg_slice value)
{
    SG_ASSERT(list < s->list_count);
    value = trim(value);
    uint32_t count = s->lists[list].count;
    if (value.len == 0 || value.len > VALUE_MAX)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (same_letters(sg_structure_code_text(s, list, i), value))
            return (int32_t)i;
    }
    for (uint32_t begins = 0; begins < 2; begins++) {
        for (uint32_t i = 0; i < count; i++) {
            if (is_named(s, list, i, value, begins != 0))
                return (int32_t)i;
        }
    }
    if (value.len < LETTERS_MIN)
        return -1;
    int32_t best = -1;
    uint32_t least = value.len < 8 ? 1 : 2;
    for (uint32_t i = 0; i < count; i++) {
        struct sg_slice code = sg_structure_code_text(s, list, i);
        uint32_t d =
            code.len < LETTERS_MIN ? least + 1 : distance(value, code, least);
        if (d > least || (best >= 0 && d == least))
            continue;
        least = d;
        best = (int32_t)i;
    }
    return best;
}
