// A code of three letters or fewer is suggested by case or from the table of
// aliases only, never by likeness: UK is not VU (decisions-domain 20).
#include <stdio.h>

#include "policy/build.h"

enum { NEAR_LEN = 64 };

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
same_but_case(struct sg_slice a, struct sg_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static uint32_t
least(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

// Edits (Levenshtein) from a to b; both at most NEAR_LEN long.
static uint32_t
edits(struct sg_slice a, struct sg_slice b)
{
    uint32_t row[NEAR_LEN + 1];
    for (uint32_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t corner = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t change = a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1;
            uint32_t next = least(row[j] + 1, row[j - 1] + 1, corner + change);
            corner = row[j];
            row[j] = next;
        }
    }
    return row[b.len];
}

struct search { // the likest of many words
    struct sg_slice word, best;
    uint32_t distance;
};

static void
offer(struct search *s, struct sg_slice candidate)
{
    uint32_t distance = UINT32_MAX;
    if (same_but_case(s->word, candidate))
        distance = 0;
    else if (s->word.len > 3 && candidate.len > 3 && s->word.len <= NEAR_LEN &&
             candidate.len <= NEAR_LEN)
        distance = edits(s->word, candidate);
    size_t longer = s->word.len > candidate.len ? s->word.len : candidate.len;
    if (distance < s->distance && distance * 5 <= longer * 2) {
        s->distance = distance;
        s->best = candidate;
    }
}

static struct search
search_for(struct sg_slice word)
{
    return (struct search){.word = word, .distance = UINT32_MAX};
}

static void
say(const struct search *s, char *out, size_t cap)
{
    out[0] = '\0';
    if (s->distance != UINT32_MAX)
        snprintf(out, cap, "; did you mean \"" SG_SLICE_FMT "\"?",
                 SG_SLICE_ARG(s->best));
}

// Words of other vocabularies and of earlier drafts.
static const char *
renamed(struct sg_slice word)
{
    static const struct {
        const char *old, *write;
    } rows[] = {
        {"origin", "; write \"provider_in\" for the sender, \"area\" for whom "
                   "the figures describe"},
        {"personal", "; write \"identifiability\""},
        {"release", "; write \"availability\""},
        {"group_consent", "; write \"community_consent\""},
        {"legal_basis", "; write \"lawful_basis\""},
        {"adequacy", "; write \"destination\" with a country group"},
    };
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (sg_slice_eq(word, sg_slice_text(rows[i].old)))
            return rows[i].write;
    }
    return NULL;
}

void
sg_cure_attr(struct sg_slice word, char *out, size_t cap)
{
    if (renamed(word) != NULL) {
        snprintf(out, cap, "%s", renamed(word));
        return;
    }
    struct search s = search_for(word);
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++)
        offer(&s, sg_slice_text(sg_vocabulary_attr((enum sg_attr)a)->name));
    say(&s, out, cap);
}

void
sg_cure_obligation(struct sg_slice word, char *out, size_t cap)
{
    struct search s = search_for(word);
    for (unsigned i = 0; i < SG_OBLIGATION_COUNT; i++)
        offer(&s,
              sg_slice_text(sg_obligation_text((enum sg_obligation_name)i)));
    say(&s, out, cap);
}

void
sg_cure_example(const struct sg_build *b, struct sg_slice word, char *out,
                size_t cap)
{
    struct search s = search_for(word);
    for (const struct sg_example *e = b->file->examples; e != NULL; e = e->next)
        offer(&s, e->name);
    say(&s, out, cap);
}

// true: out says which country was meant, or that EU is a group.
static bool
cure_place(struct sg_slice word, char *out, size_t cap)
{
    if (sg_slice_eq(word, SG_SLICE("EU"))) {
        snprintf(out, cap,
                 "; the European Union is a group: define country group EU = "
                 "...");
        return true;
    }
    uint16_t meant = sg_vocabulary_country_meant(word);
    if (meant == 0)
        return false;
    snprintf(out, cap, "; the ISO 3166-1 alpha-2 code is \"%s\"",
             sg_vocabulary_text(SG_ATTR_PROVIDER_IN, meant));
    return true;
}

void
sg_cure_code(const struct sg_build *b, unsigned dim, bool with_groups,
             struct sg_slice word, char *out, size_t cap)
{
    bool place = sg_vocabulary_is_place((enum sg_attr)dim);
    if (place && cure_place(word, out, cap))
        return;
    struct search s = search_for(word);
    uint32_t codes = sg_dims_codes(b->set, dim);
    for (uint32_t c = 1; c < codes && dim != SG_ATTR_PARTY; c++) {
        if (sg_dims_valid(b->set, dim, c))
            offer(&s, sg_slice_text(
                          sg_vocabulary_text((enum sg_attr)dim, (uint16_t)c)));
    }
    unsigned type = sg_build_group_type(dim);
    for (const struct sg_group *g = b->file->groups; with_groups && g != NULL;
         g = g->next) {
        if (g->dim == type)
            offer(&s, g->name);
    }
    say(&s, out, cap);
}
