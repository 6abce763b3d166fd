#include "schemas/vocabulary/vocabulary.h"

static const struct sg_attr_info attrs[SG_ATTR_COUNT] = {
#define X(name, text, level, source, required, ordered, type)                  \
    {text, level, source, required, ordered, SG_ATTR_TYPE_##type},
    SG_ATTR_TABLE(X)
#undef X
};

// One list of texts an attribute; a place or a party has none.
#define TEXT(attr, name, text) text,
#define TEXTS(attr)                                                            \
    static const char *const texts_##attr[] = {"unknown",                      \
                                               SG_CODES_##attr(TEXT)};
SG_CODES_LISTS(TEXTS)
#undef TEXTS
#undef TEXT
static const struct {
    const char *const *texts;
    uint16_t count;
} lists[SG_ATTR_COUNT] = {
#define LIST(attr) [SG_ATTR_##attr] = {texts_##attr, SG_##attr##_COUNT},
    SG_CODES_LISTS(LIST)
#undef LIST
};

static const struct {
    const char *alpha2, *alpha3, *name;
    uint16_t m49;
} countries[] = {
#define X(alpha2, alpha3, m49, name) {#alpha2, alpha3, name, m49},
    SG_COUNTRY_TABLE(X)
#undef X
};

static const char *const place_texts[SG_PLACE_FIRST_COUNTRY] = {
    [SG_PLACE_UNKNOWN] = "unknown",   [SG_PLACE_INTL] = "INTL",
    [SG_PLACE_ANYWHERE] = "ANYWHERE", [SG_PLACE_REGION] = "REGION",
    [SG_PLACE_WORLD] = "WORLD",       [SG_PLACE_SEVERAL] = "several",
};

// M49 and SDG groups of countries, sorted.
static const uint16_t regions[] = {
    2,   5,   9,   11,  13,  14,  15,  17,  18,  19,  21,  29,  30,
    34,  35,  39,  53,  54,  57,  61,  62,  97,  127, 135, 142, 143,
    145, 150, 151, 154, 155, 198, 199, 202, 223, 419, 420, 432, 485,
    487, 513, 514, 515, 518, 527, 543, 577, 593, 636, 722, 738, 746,
    747, 753, 830, 889, 901, 902, 903, 904, 905, 906, 907, 908, 909,
    910, 911, 912, 913, 914, 915, 916, 917, 918, 919, 951,
};

// M49 numbers of parts of a country.
static const struct {
    uint16_t m49, place;
} country_parts[] = {
    {369, SG_PLACE_IQ}, {370, SG_PLACE_IQ}, {680, SG_PLACE_GG},
    {827, SG_PLACE_GB}, {828, SG_PLACE_GB}, {829, SG_PLACE_GB},
    {835, SG_PLACE_TZ}, {836, SG_PLACE_TZ}, {920, SG_PLACE_PT},
};

const struct sg_attr_info *
sg_vocabulary_attr(enum sg_attr attr)
{
    SG_ASSERT((unsigned)attr < SG_ATTR_COUNT);
    return &attrs[attr];
}

enum sg_attr
sg_vocabulary_attr_named(struct sg_slice name)
{
    for (unsigned i = 0; i < SG_ATTR_COUNT; i++) {
        if (sg_slice_eq(name, sg_slice_text(attrs[i].name)))
            return (enum sg_attr)i;
    }
    return SG_ATTR_COUNT;
}

static bool
place_allowed(enum sg_attr attr, uint16_t place)
{
    if (sg_vocabulary_is_country(place) || place == SG_PLACE_UNKNOWN)
        return true;
    if (attrs[attr].type == SG_ATTR_TYPE_JURISDICTION)
        return place == SG_PLACE_INTL || place == SG_PLACE_ANYWHERE;
    return place >= SG_PLACE_REGION && place <= SG_PLACE_SEVERAL;
}

static uint16_t
place_code(struct sg_slice text)
{
    for (uint32_t i = 1; i <= SG_PLACE_SEVERAL; i++) {
        if (sg_slice_eq(text, sg_slice_text(place_texts[i])))
            return (uint16_t)i;
    }
    if (text.len != 2)
        return 0;
    for (size_t i = 0; i < SG_COUNT_OF(countries); i++) {
        if (memcmp(text.ptr, countries[i].alpha2, 2) == 0)
            return (uint16_t)(SG_PLACE_FIRST_COUNTRY + i);
    }
    return 0;
}

uint16_t
sg_vocabulary_code(enum sg_attr attr, struct sg_slice text)
{
    SG_ASSERT((unsigned)attr < SG_ATTR_COUNT);
    if (attrs[attr].type == SG_ATTR_TYPE_PARTY)
        return sg_slice_eq(text, SG_SLICE("other")) ? SG_PARTY_OTHER : 0;
    if (sg_vocabulary_is_place(attr)) {
        uint16_t place = place_code(text);
        return place_allowed(attr, place) ? place : 0;
    }
    for (uint16_t i = 1; i < lists[attr].count; i++) {
        if (sg_slice_eq(text, sg_slice_text(lists[attr].texts[i])))
            return i;
    }
    return 0;
}

static const char *
place_text(uint16_t place)
{
    if (sg_vocabulary_is_country(place))
        return countries[place - SG_PLACE_FIRST_COUNTRY].alpha2;
    return place <= SG_PLACE_SEVERAL ? place_texts[place] : "unknown";
}

const char *
sg_vocabulary_text(enum sg_attr attr, uint16_t code)
{
    if (code == 0 || !sg_vocabulary_is_code(attr, code))
        return "unknown";
    if (attrs[attr].type == SG_ATTR_TYPE_PARTY)
        return code == SG_PARTY_OTHER ? "other" : "listed";
    if (sg_vocabulary_is_place(attr))
        return place_text(code);
    return lists[attr].texts[code];
}

uint16_t
sg_vocabulary_code_count(enum sg_attr attr)
{
    SG_ASSERT((unsigned)attr < SG_ATTR_COUNT);
    if (attrs[attr].type == SG_ATTR_TYPE_PARTY)
        return SG_PARTY_FIRST_LISTED;
    if (sg_vocabulary_is_place(attr))
        return SG_PLACE_COUNT;
    return lists[attr].count;
}

bool
sg_vocabulary_is_code(enum sg_attr attr, uint16_t code)
{
    SG_ASSERT((unsigned)attr < SG_ATTR_COUNT);
    if (attrs[attr].type == SG_ATTR_TYPE_PARTY)
        return true;
    if (sg_vocabulary_is_place(attr))
        return place_allowed(attr, code);
    return code < sg_vocabulary_code_count(attr);
}

bool
sg_vocabulary_is_place(enum sg_attr attr)
{
    SG_ASSERT((unsigned)attr < SG_ATTR_COUNT);
    return attrs[attr].type == SG_ATTR_TYPE_JURISDICTION ||
           attrs[attr].type == SG_ATTR_TYPE_AREA;
}

bool
sg_vocabulary_is_country(uint16_t place)
{
    return place >= SG_PLACE_FIRST_COUNTRY && place < SG_PLACE_COUNT;
}

const char *
sg_vocabulary_place_name(uint16_t place)
{
    if (sg_vocabulary_is_country(place))
        return countries[place - SG_PLACE_FIRST_COUNTRY].name;
    return place_text(place);
}

// Decimal of at most 5 digits; 0: it is none (or zero).
static uint16_t
small_number(struct sg_slice text)
{
    uint64_t n;
    if (text.len == 0 || text.len > 5 || !sg_slice_u64(text, &n))
        return 0;
    return n > UINT16_MAX ? 0 : (uint16_t)n;
}

static uint16_t
country_numbered(uint16_t m49)
{
    for (size_t i = 0; i < SG_COUNT_OF(countries); i++) {
        if (m49 != 0 && countries[i].m49 == m49)
            return (uint16_t)(SG_PLACE_FIRST_COUNTRY + i);
    }
    for (size_t i = 0; i < SG_COUNT_OF(country_parts); i++) {
        if (country_parts[i].m49 == m49)
            return country_parts[i].place;
    }
    return 0;
}

static uint16_t
country_coded(struct sg_slice text)
{
    if (text.len == 2) {
        uint16_t place = place_code(text);
        return sg_vocabulary_is_country(place) ? place : 0;
    }
    for (size_t i = 0; text.len == 3 && i < SG_COUNT_OF(countries); i++) {
        if (memcmp(text.ptr, countries[i].alpha3, 3) == 0)
            return (uint16_t)(SG_PLACE_FIRST_COUNTRY + i);
    }
    return 0;
}

uint16_t
sg_vocabulary_country_meant(struct sg_slice text)
{
    if (sg_slice_eq(text, SG_SLICE("UK")))
        return SG_PLACE_GB;
    if (sg_slice_eq(text, SG_SLICE("EL")))
        return SG_PLACE_GR;
    uint16_t place = country_coded(text);
    if (place == 0)
        place = country_numbered(small_number(text));
    for (size_t i = 0; place == 0 && i < SG_COUNT_OF(countries); i++) {
        if (sg_slice_eq(text, sg_slice_text(countries[i].name)))
            place = (uint16_t)(SG_PLACE_FIRST_COUNTRY + i);
    }
    return place;
}

uint16_t
sg_vocabulary_area(struct sg_slice ref_area)
{
    uint16_t place = country_coded(ref_area), m49 = small_number(ref_area);
    if (place == 0)
        place = country_numbered(m49);
    if (place == 0 && m49 == 1)
        place = SG_PLACE_WORLD;
    for (size_t i = 0; place == 0 && i < SG_COUNT_OF(regions); i++) {
        if (regions[i] == m49)
            place = SG_PLACE_REGION;
    }
    return place;
}

uint16_t
sg_vocabulary_obs_status(struct sg_slice cl_obs_status)
{
    static const char *const groups[] = {
        [SG_OBS_STATUS_NORMAL] = "ABDGJNSUW", [SG_OBS_STATUS_PROVISIONAL] = "P",
        [SG_OBS_STATUS_ESTIMATED] = "EFI",    [SG_OBS_STATUS_MISSING] = "HKLMO",
        [SG_OBS_STATUS_SUPPRESSED] = "Q",     [SG_OBS_STATUS_UNVALIDATED] = "V",
    };
    if (cl_obs_status.len != 1 || cl_obs_status.ptr[0] == '\0')
        return 0;
    for (size_t i = 1; i < SG_COUNT_OF(groups); i++) {
        if (strchr(groups[i], cl_obs_status.ptr[0]) != NULL)
            return (uint16_t)i;
    }
    return 0;
}

static bool
is_vague(uint16_t place)
{
    return place == SG_PLACE_UNKNOWN || place == SG_PLACE_ANYWHERE ||
           place == SG_PLACE_SEVERAL;
}

enum sg_same
sg_vocabulary_same(uint16_t place_a, uint16_t place_b)
{
    if (is_vague(place_a) || is_vague(place_b))
        return SG_SAME_UNKNOWN;
    if (place_a != place_b)
        return SG_SAME_NO;
    // Two organisations, or two regions, need not be the same one.
    if (place_a == SG_PLACE_INTL || place_a == SG_PLACE_REGION)
        return SG_SAME_UNKNOWN;
    return SG_SAME_YES;
}

static bool
in_terms(const struct sg_stated *stated, uint16_t code)
{
    for (size_t i = 0; i < stated->terms_count; i++) {
        if (stated->terms[i] == code)
            return true;
    }
    return false;
}

// Is code a stricter than b? onward counts the other way round.
static bool
is_stricter(enum sg_attr attr, uint16_t a, uint16_t b)
{
    return attr == SG_ATTR_ONWARD ? a < b : a > b;
}

static uint16_t
strictest_ordered(enum sg_attr attr, const struct sg_stated *stated)
{
    uint16_t code = stated->claim;
    if (code == 0 || (stated->has_derived && stated->derived == 0))
        return 0;
    if (stated->has_derived && is_stricter(attr, stated->derived, code))
        code = stated->derived;
    for (size_t i = 0; i < stated->terms_count; i++) {
        if (stated->terms[i] == 0)
            return 0;
        if (is_stricter(attr, stated->terms[i], code))
            code = stated->terms[i];
    }
    return code;
}

bool
sg_vocabulary_strictest(enum sg_attr attr, const struct sg_stated *stated,
                        uint16_t *out)
{
    *out = 0;
    if (sg_vocabulary_attr(attr)->ordered) {
        *out = strictest_ordered(attr, stated);
        return true;
    }
    if (stated->terms_count > 0 && !in_terms(stated, stated->claim))
        return false;
    if (stated->has_derived && stated->derived != stated->claim) {
        if (!in_terms(stated, stated->derived))
            return false;
        *out = stated->derived;
        return true;
    }
    *out = stated->claim;
    return true;
}
