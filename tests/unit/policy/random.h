// random - rules and requests over a few attributes, drawn from a seed.
#pragma once

#include "tests/unit/policy/fixture.h"

static const enum sg_attr small[] = {
    SG_ATTR_DESTINATION,    SG_ATTR_AREA,    SG_ATTR_STORED_IN,
    SG_ATTR_CLASSIFICATION, SG_ATTR_CONSENT, SG_ATTR_NATURE,
    SG_ATTR_EMERGENCY};

static inline uint16_t
small_code(uint64_t *rnd, enum sg_attr attr)
{
    uint32_t n = below(rnd, 4);
    if (sg_vocabulary_is_place(attr))
        return (uint16_t)(SG_PLACE_KE + n);
    return (uint16_t)(1 + n % (sg_vocabulary_code_count(attr) - 1u));
}

static inline int
put_cond(char *out, uint64_t *rnd, bool loose, bool unless)
{
    enum sg_attr a = small[below(rnd, SG_COUNT_OF(small))];
    const char *name = sg_vocabulary_attr(a)->name;
    uint32_t form = below(rnd, 10);
    const char *one = sg_vocabulary_text(a, small_code(rnd, a));
    const char *two = sg_vocabulary_text(a, small_code(rnd, a));
    if (sg_vocabulary_is_place(a) && form < 4)
        return sprintf(out, "%s is %ssame as %s", name,
                       form % 2 == 0 ? "not " : "",
                       a == SG_ATTR_AREA ? "destination" : "provider_in");
    if (form == 4 && !unless)
        return sprintf(out, "%s is any", name);
    if (form == 5 && loose && !unless)
        return sprintf(out, "%s is unknown", name);
    if (form < 7 && sg_vocabulary_attr(a)->ordered)
        return sprintf(out, "%s is at %s %s", name,
                       form % 2 == 0 ? "least" : "most", one);
    return sprintf(out, "%s is %s of %s, %s", name,
                   form % 2 == 0 ? "one" : "none", one, two);
}

static inline int
put_all(char *out, uint64_t *rnd, bool loose, bool unless)
{
    char *at = out;
    uint32_t terms = 1 + below(rnd, 3);
    for (uint32_t i = 0; i < terms; i++) {
        at += sprintf(at, "%s", i == 0 ? "" : " and ");
        if (below(rnd, 3) == 0) {
            at += sprintf(at, "either ");
            at += put_cond(at, rnd, loose, unless);
            at += sprintf(at, " or ");
        }
        at += put_cond(at, rnd, loose, unless);
    }
    return (int)(at - out);
}

// One rule; a permit says the six that it must speak of with "is any".
static inline void
put_rule(char *out, uint64_t *rnd, int number)
{
    static const char *const effects[] = {"permit", "permit", "forbid", "hold"};
    const char *effect = effects[below(rnd, SG_COUNT_OF(effects))];
    bool loose = strcmp(effect, "permit") != 0;
    char *at = out;
    at += sprintf(at, "rule \"r%d\" %s when%s", number, effect,
                  loose ? " " : OPEN "and ");
    if (strcmp(effect, "hold") == 0)
        at += sprintf(at, "quality is any and ");
    at += put_all(at, rnd, loose, false);
    if (below(rnd, 5) < 2) {
        at += sprintf(at, " unless ");
        at += put_all(at, rnd, loose, true);
    }
    if (!loose)
        at += sprintf(at, " oblige minimum_count(%u)", 2 + below(rnd, 9));
    sprintf(at, "\n");
}

static inline struct sg_request
random_request(const struct world *w, uint64_t *rnd)
{
    struct sg_request q = request(w, "");
    for (size_t i = 0; i < SG_COUNT_OF(small); i++)
        q.code[small[i]] = below(rnd, 6) == 0 ? 0 : small_code(rnd, small[i]);
    return q;
}
