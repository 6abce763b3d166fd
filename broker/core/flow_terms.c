#include "broker/core/flow.h"

// Attributes with a field of their own in the terms.
struct own {
    enum sg_attr attr;
    size_t field; // offset of a char *
    const char *name;
    bool required;
};
#define OWN(attr, field, required)                                             \
    {                                                                          \
        SG_ATTR_##attr, offsetof(Sgpb__FlowTerms, field), #field, required     \
    }
static const struct own owns[] = {
    OWN(CLASSIFICATION, classification, true),
    OWN(DATA_KIND, data_kind, true),
    OWN(IDENTIFIABILITY, identifiability, true),
    OWN(LAWFUL_BASIS, lawful_basis, true),
    OWN(SPECIAL_CONDITION, special_condition, true),
    OWN(ONWARD, onward, true),
    OWN(UNIT, unit, false),
    OWN(SENSITIVE, sensitive, false),
    OWN(LICENCE, licence, false),
};
#undef OWN

// Of the others, those that neither roster, subscription, ledger, manifest nor
// the data themselves can give: the terms must speak of each (vocabulary 2).
static const enum sg_attr spoken[] = {
    SG_ATTR_LOCALISATION, SG_ATTR_GEO_DETAIL,        SG_ATTR_VALIDATION,
    SG_ATTR_EMERGENCY,    SG_ATTR_COMMUNITY_CONSENT, SG_ATTR_QUALITY,
    SG_ATTR_SDC_STATE};

static const char *
field_of(const Sgpb__FlowTerms *terms, const struct own *own)
{
    char *text;

    memcpy(&text, (const uint8_t *)terms + own->field, sizeof text);
    return text;
}

static const Sgpb__TermsAttribute *
said(const Sgpb__FlowTerms *terms, enum sg_attr attr)
{
    const char *name = sg_vocabulary_attr(attr)->name;

    for (size_t i = 0; i < terms->n_attributes; i++)
        if (strcmp(terms->attributes[i]->attribute, name) == 0)
            return terms->attributes[i];
    return NULL;
}

uint16_t
sg_flow_code(const Sgpb__FlowTerms *terms, enum sg_attr attr)
{
    for (size_t i = 0; i < SG_COUNT_OF(owns); i++)
        if (owns[i].attr == attr)
            return sg_vocabulary_code(attr,
                                      sg_slice_text(field_of(terms, &owns[i])));
    const Sgpb__TermsAttribute *one = said(terms, attr);
    if (one == NULL || one->not_applicable)
        return 0;
    // "not_concerned" is how terms say that no community is (vocabulary 2).
    return sg_vocabulary_code(attr, sg_slice_text(one->value));
}

bool
sg_flow_serves(const Sgpb__FlowTerms *terms, const char *purpose)
{
    for (size_t i = 0; i < terms->n_purposes; i++)
        if (strcmp(terms->purposes[i], purpose) == 0)
            return true;
    return false;
}

uint32_t
sg_flow_mode(const Sgpb__FlowTerms *terms)
{
    static const char *const modes[] = {"", "file", "series", "row"};

    for (uint32_t i = 1; i < SG_COUNT_OF(modes); i++)
        if (strcmp(terms->commit, modes[i]) == 0)
            return i;
    return 0;
}

static const char *
attributes_fault(const Sgpb__FlowTerms *terms)
{
    for (size_t i = 0; i < SG_COUNT_OF(owns); i++) {
        const char *text = field_of(terms, &owns[i]);
        bool empty = text[0] == '\0';
        if ((owns[i].required && empty) ||
            (!empty && sg_flow_code(terms, owns[i].attr) == 0 &&
             strcmp(text, "not applicable") != 0))
            return owns[i].name;
    }
    for (size_t i = 0; i < SG_COUNT_OF(spoken); i++) {
        const Sgpb__TermsAttribute *one = said(terms, spoken[i]);
        if (one == NULL ||
            (!one->not_applicable &&
             sg_vocabulary_code(spoken[i], sg_slice_text(one->value)) == 0 &&
             strcmp(one->value, "unknown") != 0))
            return sg_vocabulary_attr(spoken[i])->name;
    }
    if (sg_flow_code(terms, SG_ATTR_LOCALISATION) == 0)
        return "localisation";
    return NULL;
}

static const char *
purposes_fault(const Sgpb__FlowTerms *terms)
{
    if (terms->n_purposes == 0)
        return "purposes";
    for (size_t i = 0; i < terms->n_purposes; i++)
        if (sg_vocabulary_code(SG_ATTR_PURPOSE,
                               sg_slice_text(terms->purposes[i])) == 0)
            return "purposes";
    return NULL;
}

// What a provider would rely on and this gate does not perform.
static const char *
unperformed(const Sgpb__FlowTerms *terms)
{
    const struct {
        const char *name;
        bool asked;
    } rows[] = {{"order", terms->order != 0},
                {"decoys", terms->decoys != 0},
                {"embargo", terms->embargo[0] != '\0'},
                {"tolerance", terms->tolerance[0] != '\0'},
                {"require_metadata", terms->n_require_metadata > 0},
                {"ttl_days", terms->ttl_days != 0}};

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        if (rows[i].asked)
            return rows[i].name;
    return NULL;
}

// A code stands for one place of the vocabulary.
static bool
map_sound(const Sgpb__FlowTerms *terms)
{
    for (size_t i = 0; i < terms->n_area_map; i++) {
        const Sgpb__AreaMap *one = terms->area_map[i];
        if (one->code[0] == '\0' ||
            sg_vocabulary_code(SG_ATTR_AREA,
                               sg_slice_text(one->jurisdiction)) == 0)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(terms->area_map[k]->code, one->code) == 0)
                return false;
    }
    return true;
}

enum sg_err
sg_flow_check_terms(const Sgpb__FlowTerms *terms, const char **field)
{
    bool open, asked;

    *field = "flow";
    if (!sg_slice_is_id(sg_slice_text(terms->flow)))
        return SG_ERR_TERMS;
    if ((*field = attributes_fault(terms)) != NULL ||
        (*field = purposes_fault(terms)) != NULL)
        return SG_ERR_TERMS;
    *field = "min_cell";
    if (terms->min_cell != NULL && terms->min_cell->n > 0 &&
        terms->min_cell->count_component[0] == '\0')
        return SG_ERR_TERMS;
    *field = "agreements";
    asked = strcmp(terms->lawful_basis, "consent") == 0 ||
            strcmp(terms->special_condition, "explicit_consent") == 0;
    if (asked && terms->n_agreements == 0)
        return SG_ERR_TERMS;
    *field = "area_map";
    if (!map_sound(terms))
        return SG_ERR_TERMS;
    if ((*field = unperformed(terms)) != NULL)
        return SG_ERR_UNSUPPORTED;
    *field = "commit";
    open = strcmp(terms->classification, "public") == 0 &&
           strcmp(terms->identifiability, "anonymous") == 0;
    if (strcmp(terms->commit, "row") != 0 &&
        !(strcmp(terms->commit, "file") == 0 && open)) // S22
        return SG_ERR_MODE;
    *field = NULL;
    return SG_OK;
}

// ---- looser or not ----------------------------------------------------------

static bool
subset(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        bool found = false;
        for (size_t k = 0; k < b_count && !found; k++)
            found = strcmp(a[i], b[k]) == 0;
        if (!found)
            return false;
    }
    return true;
}

// Ordered attributes: is next at least as strict? Onward lists its codes from
// the strictest, the others from the mildest. Unordered ones must be equal.
static bool
as_strict(enum sg_attr attr, uint16_t now, uint16_t next)
{
    if (now == next)
        return true;
    if (!sg_vocabulary_attr(attr)->ordered)
        return false;
    return attr == SG_ATTR_ONWARD ? next < now && next != 0 : next > now;
}

static bool
attributes_looser(const Sgpb__FlowTerms *now, const Sgpb__FlowTerms *next)
{
    for (size_t i = 0; i < SG_COUNT_OF(owns); i++)
        if (!as_strict(owns[i].attr, sg_flow_code(now, owns[i].attr),
                       sg_flow_code(next, owns[i].attr)))
            return true;
    for (size_t i = 0; i < SG_COUNT_OF(spoken); i++) {
        uint16_t a = sg_flow_code(now, spoken[i]);
        uint16_t b = sg_flow_code(next, spoken[i]);
        // localisation: none, copy_home, home_only are each stricter
        if (spoken[i] == SG_ATTR_LOCALISATION ? b < a : a != b)
            return true;
    }
    return false;
}

static bool
same_map(const Sgpb__FlowTerms *a, const Sgpb__FlowTerms *b)
{
    if (a->n_area_map != b->n_area_map)
        return false;
    for (size_t i = 0; i < a->n_area_map; i++)
        if (strcmp(a->area_map[i]->code, b->area_map[i]->code) != 0 ||
            strcmp(a->area_map[i]->jurisdiction,
                   b->area_map[i]->jurisdiction) != 0)
            return false;
    return true;
}

static bool
cell_looser(const Sgpb__MinCell *now, const Sgpb__MinCell *next)
{
    if (now == NULL || now->n == 0)
        return false;
    return next == NULL || next->n < now->n ||
           strcmp(now->count_component, next->count_component) != 0 ||
           strcmp(now->when_component, next->when_component) != 0 ||
           strcmp(now->when_code, next->when_code) != 0;
}

bool
sg_flow_looser(const Sgpb__FlowTerms *now, const Sgpb__FlowTerms *next)
{
    return attributes_looser(now, next) ||
           !subset(next->purposes, next->n_purposes, now->purposes,
                   now->n_purposes) ||
           !subset(now->agreements, now->n_agreements, next->agreements,
                   next->n_agreements) ||
           cell_looser(now->min_cell, next->min_cell) || !same_map(now, next) ||
           next->retention_days > now->retention_days ||
           (now->law_of_the_area && !next->law_of_the_area) ||
           (now->whole_or_nothing && !next->whole_or_nothing) ||
           (now->require_conf_status && !next->require_conf_status) ||
           (now->require_label && !next->require_label) ||
           sg_flow_mode(next) < sg_flow_mode(now) ||
           strcmp(now->embargo, next->embargo) != 0;
}
