#include "policy/among.h"

#include "policy/grid.h"

// Of a set: those that can come to different decisions.
struct kinds {
    uint16_t place[SG_PLACE_COUNT];
    uint32_t count;
};

struct deciding {
    const struct sg_rules *rules;
    const struct sg_request *request;
    uint32_t day;
    const struct sg_context *context;
    struct sg_request *decided;
    struct sg_decision *out;
    bool begun;
};

static bool
is_compared(const struct sg_rules *rules)
{
    return (rules->pairs >> sg_dims_same(SG_ATTR_AREA, SG_ATTR_COUNTERPART) &
            1) != 0;
}

// Can a comparison, or a law of its own, mean this place and no other?
static bool
is_own(const struct deciding *d, enum sg_attr attr, uint16_t place)
{
    const uint16_t *code = d->request->code;

    return !sg_vocabulary_is_country(place) ||
           place == code[SG_ATTR_PROVIDER_IN] ||
           place == code[SG_ATTR_DESTINATION] ||
           place == code[SG_ATTR_STORED_IN] ||
           (attr == SG_ATTR_AREA && d->context->law_of_the_area &&
            d->rules->export_of[place].count > 0);
}

// Where areas are compared with partners, two of a kind stand for it: there may
// be a pair of different ones.
static void
find_kinds(const struct deciding *d, enum sg_attr attr,
           const struct sg_places *set, struct kinds *out)
{
    uint8_t seen[SG_PLACE_COUNT] = {0}, most = is_compared(d->rules) ? 2 : 1;
    const uint16_t *like =
        attr == SG_ATTR_AREA ? d->rules->area_like : d->rules->counterpart_like;

    out->count = 0;
    for (uint32_t p = sg_places_next(set, 0); p < SG_PLACE_COUNT;
         p = sg_places_next(set, p + 1)) {
        if (!is_own(d, attr, (uint16_t)p) && seen[like[p]]++ >= most) {
            seen[like[p]] = most;
            continue;
        }
        out->place[out->count++] = (uint16_t)p;
    }
    if (out->count == 0)
        out->place[out->count++] = SG_PLACE_UNKNOWN;
}

// ---- verdicts of one part ------------------------------------------------------

static void
refuse(struct sg_decision *out, enum sg_why why, uint32_t cannot)
{
    *out = (struct sg_decision){
        .verdict = SG_VERDICT_DENY, .why = (uint8_t)why, .cannot = cannot};
}

static void
add_rules(struct sg_decision *out, const struct sg_decision *one)
{
    uint32_t unseen = one->rules_total - one->rules_count;

    for (uint32_t i = 0; i < one->rules_count; i++) {
        uint32_t at = 0;
        while (at < out->rules_count &&
               (out->rules[at].file != one->rules[i].file ||
                out->rules[at].rule != one->rules[i].rule))
            at++;
        if (at < out->rules_count)
            continue;
        unseen++;
        if (out->rules_count < SG_DECISION_RULES)
            out->rules[out->rules_count++] = one->rules[i];
    }
    out->rules_total += unseen;
}

static void
add_files(struct sg_decision *out, const struct sg_decision *one)
{
    for (uint32_t i = 0; i < one->files_count; i++) {
        uint32_t at = 0;
        while (at < out->files_count && out->files[at] != one->files[i])
            at++;
        if (at == out->files_count && at < SG_DECISION_LAYERS)
            out->files[out->files_count++] = one->files[i];
    }
}

static void
add_obligations(struct sg_decision *out, const struct sg_decision *one)
{
    size_t count = out->obligations_count;

    for (uint32_t i = 0; i < one->obligations_count; i++) {
        if (sg_obligation_merge(out->obligations, &count, SG_LIMIT_OBLIGATIONS,
                                &one->obligations[i]))
            continue;
        refuse(out, SG_WHY_CANNOT_FULFIL, 0);
        return;
    }
    out->obligations_count = (uint32_t)count;
    if (sg_decide_conflict(out->obligations, count))
        refuse(out, SG_WHY_CONFLICT,
               SG_OBLIGATION_BIT(DELETE_AFTER_DAYS) |
                   SG_OBLIGATION_BIT(KEEP_AT_LEAST_DAYS));
}

static void
add_wait(struct sg_decision *out, const struct sg_decision *one)
{
    out->waiting_for |= one->waiting_for;
    if (one->deadline_days != 0 &&
        (out->deadline_days == 0 || one->deadline_days < out->deadline_days))
        out->deadline_days = one->deadline_days;
}

static void
unite(struct sg_decision *out, const struct sg_decision *one)
{
    add_rules(out, one);
    add_files(out, one);
    if (out->verdict == SG_VERDICT_HOLD)
        add_wait(out, one);
    else
        add_obligations(out, one);
}

// false: denied, whatever the other places say.
static bool
try(struct deciding *d, uint16_t area, uint16_t counterpart)
{
    struct sg_request request = *d->request;
    struct sg_decision one;

    request.code[SG_ATTR_AREA] = area;
    request.code[SG_ATTR_COUNTERPART] = counterpart;
    sg_decide_request(d->rules, &request, d->day, d->context, &one);
    if (!d->begun || one.verdict < d->out->verdict) {
        *d->out = one;
        *d->decided = request;
    } else if (one.verdict == d->out->verdict) {
        unite(d->out, &one);
    }
    d->begun = true;
    return d->out->verdict != SG_VERDICT_DENY;
}

static bool
try_all(struct deciding *d, const struct sg_among *among)
{
    struct kinds areas, counterparts;
    struct sg_places both = among->areas;

    find_kinds(d, SG_ATTR_AREA, &among->areas, &areas);
    find_kinds(d, SG_ATTR_COUNTERPART, &among->counterparts, &counterparts);
    for (uint32_t a = 0; a < areas.count; a++) {
        for (uint32_t c = 0; c < counterparts.count; c++) {
            if (!try(d, areas.place[a], counterparts.place[c]))
                return false;
        }
    }
    if (!is_compared(d->rules))
        return true;
    sg_places_meet(&both, &among->counterparts);
    for (uint32_t p = sg_places_next(&both, 0); p < SG_PLACE_COUNT;
         p = sg_places_next(&both, p + 1)) {
        if (!try(d, (uint16_t)p, (uint16_t)p))
            return false;
    }
    return true;
}

static uint16_t
only(const struct sg_places *set)
{
    return sg_places_count(set) == 0 ? (uint16_t)SG_PLACE_UNKNOWN
                                     : (uint16_t)sg_places_next(set, 0);
}

void
sg_among_decide(const struct sg_rules *rules, const struct sg_request *request,
                const struct sg_among *among, uint32_t day,
                const struct sg_context *context, struct sg_request *decided,
                struct sg_decision *out)
{
    struct deciding d = {rules, request, day, context, decided, out, false};
    bool areas = sg_places_count(&among->areas) > 1;
    bool counterparts = sg_places_count(&among->counterparts) > 1;

    if (rules == NULL || (!areas && !counterparts)) {
        (void)try(&d, only(&among->areas), only(&among->counterparts));
        return;
    }
    if (!try_all(&d, among) || out->verdict != SG_VERDICT_PERMIT)
        return;
    if (areas)
        decided->code[SG_ATTR_AREA] = SG_PLACE_SEVERAL;
    if (counterparts)
        decided->code[SG_ATTR_COUNTERPART] = SG_PLACE_SEVERAL;
}
