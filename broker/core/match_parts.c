#include "broker/core/match_parts.h"

#include "broker/core/roster.h"

// ---- places of a part ------------------------------------------------------------

// "several" that does not say which is as good as nothing said.
static struct sg_places
places_of(enum sg_attr attr, const char *text, ProtobufCBinaryData which)
{
    uint16_t place = sg_vocabulary_code(attr, sg_slice_text(text));
    struct sg_places set = {0};

    if (place == SG_PLACE_SEVERAL &&
        sg_places_open(sg_slice_of(which.data, which.len), &set))
        return set;
    sg_places_add(&set, place == SG_PLACE_SEVERAL ? SG_PLACE_UNKNOWN : place);
    return set;
}

// ---- what the key asks for ---------------------------------------------------------

// "A+B" in this field, from 1, of a key; false: any, as the writer reads it.
static bool
field_of(const char *key, uint32_t field, struct sg_slice *codes)
{
    struct sg_slice left = sg_slice_text(key == NULL ? "" : key);

    *codes = (struct sg_slice){NULL, 0};
    for (uint32_t i = 1; field != 0 && i <= field && left.len > 0; i++) {
        const uint8_t *dot = memchr(left.ptr, '.', left.len);
        size_t len = dot == NULL ? left.len : (size_t)(dot - left.ptr);
        if (i == field)
            *codes = sg_slice_of(left.ptr, len);
        len += dot != NULL;
        left = sg_slice_of(left.ptr + len, left.len - len);
    }
    return codes->len > 0 && !sg_slice_eq(*codes, SG_SLICE("*"));
}

// The terms' own map first, then the standard lists: as the judge found areas.
static uint16_t
place_of(const Sgpb__FlowTerms *terms, struct sg_slice code)
{
    for (size_t i = 0; i < terms->n_area_map; i++) {
        if (sg_slice_eq(code, sg_slice_text(terms->area_map[i]->code)))
            return sg_vocabulary_code(
                SG_ATTR_AREA, sg_slice_text(terms->area_map[i]->jurisdiction));
    }
    return sg_vocabulary_area(code);
}

// false: any place.
static bool
asked(const char *key, uint32_t field, const Sgpb__FlowTerms *terms,
      struct sg_places *out)
{
    struct sg_slice codes;

    *out = (struct sg_places){0};
    if (!field_of(key, field, &codes))
        return false;
    while (codes.len > 0) {
        const uint8_t *plus = memchr(codes.ptr, '+', codes.len);
        size_t len = plus == NULL ? codes.len : (size_t)(plus - codes.ptr);
        sg_places_add(out, place_of(terms, sg_slice_of(codes.ptr, len)));
        len += plus != NULL;
        codes = sg_slice_of(codes.ptr + len, codes.len - len);
    }
    return true;
}

// ---- parts ---------------------------------------------------------------------------

// false: nothing of the set was asked for.
static bool
keep(struct sg_places *set, bool some, const struct sg_places *wanted)
{
    if (some)
        sg_places_meet(set, wanted);
    return sg_places_count(set) > 0;
}

size_t
sg_match_parts(const Sgpb__Facts *facts, const Sgpb__FlowTerms *terms,
               const char *key, struct sg_match_part list[SG_PARTS_MAX])
{
    struct sg_among wanted;
    bool areas = asked(key, facts->area_field, terms, &wanted.areas);
    bool counterparts =
        asked(key, facts->counterpart_field, terms, &wanted.counterparts);
    size_t count = 0;

    SG_ASSERT(facts->n_parts <= SG_PARTS_MAX);
    for (uint32_t i = 0; i < facts->n_parts; i++) {
        const Sgpb__Part *part = facts->parts[i];
        struct sg_among among = {
            places_of(SG_ATTR_AREA, part->area, part->areas),
            places_of(SG_ATTR_COUNTERPART, part->counterpart,
                      part->counterparts)};
        if (keep(&among.areas, areas, &wanted.areas) &&
            keep(&among.counterparts, counterparts, &wanted.counterparts))
            list[count++] = (struct sg_match_part){part, i, among};
    }
    if (count == 0)
        list[count++] =
            (struct sg_match_part){NULL, (uint32_t)facts->n_parts, wanted};
    return count;
}

// ---- CONF_REDIST -----------------------------------------------------------------------

uint16_t
sg_match_redist(const struct sg_state *state, const char *listed,
                const char *recipient)
{
    uint16_t code =
        sg_vocabulary_code(SG_ATTR_CONF_REDIST, sg_slice_text(listed));
    struct sg_slice left = sg_slice_text(listed);
    bool strangers = left.len == 0;

    // Ids are in capitals, so no list is one of these words.
    if (code == SG_CONF_REDIST_NOT_LIMITED || code == SG_CONF_REDIST_NOBODY)
        return code;
    while (left.len > 0) {
        const uint8_t *comma = memchr(left.ptr, ',', left.len);
        size_t len = comma == NULL ? left.len : (size_t)(comma - left.ptr);
        struct sg_slice id = sg_slice_of(left.ptr, len);
        if (sg_slice_is_id(id) && sg_slice_eq(id, sg_slice_text(recipient)))
            return SG_CONF_REDIST_RECIPIENT_NAMED;
        strangers |= sg_roster_participant(state, id) == NULL;
        len += comma != NULL;
        left = sg_slice_of(left.ptr + len, left.len - len);
    }
    return strangers ? SG_CONF_REDIST_UNKNOWN
                     : SG_CONF_REDIST_RECIPIENT_NOT_NAMED;
}
