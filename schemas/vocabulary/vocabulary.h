// vocabulary - the words that decisions are made of: attributes, their codes,
// places, obligations (statgate vocabulary 1).
//
// Everything is a small number with a text. Code 0 of every attribute is
// "unknown" and is never a value that somebody stated. The packed request of
// a decision is one such number per attribute; it is what evidence keeps.
// All tables are constant; nothing here allocates, and no function fails but
// by saying 0 or false.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/slice.h"
#include "schemas/vocabulary/attribute_table.h"
#include "schemas/vocabulary/country_table.h"

enum { SG_VOCABULARY_VERSION = 1 };

enum sg_attr {
#define X(name, text, level, source, required, ordered, type) SG_ATTR_##name,
    SG_ATTR_TABLE(X)
#undef X
        SG_ATTR_COUNT,
};

// Codes: SG_CONSENT_GIVEN, SG_AVAILABILITY_RELEASED, SG_CONF_STATUS_F, ...
#define SG_CODE_NAME(attr, name, text) SG_##attr##_##name,
#define SG_CODE_ENUM(attr)                                                     \
    enum {                                                                     \
        SG_##attr##_UNKNOWN,                                                   \
        SG_CODES_##attr(SG_CODE_NAME) SG_##attr##_COUNT                        \
    };
SG_CODES_LISTS(SG_CODE_ENUM)
#undef SG_CODE_ENUM
#undef SG_CODE_NAME

// Codes of provider_in, destination, stored_in (countries, INTL, ANYWHERE) and
// of area, counterpart (countries, REGION, WORLD, several) are one numbering.
enum {
    SG_PLACE_UNKNOWN,
    SG_PLACE_INTL,
    SG_PLACE_ANYWHERE,
    SG_PLACE_REGION,
    SG_PLACE_WORLD,
    SG_PLACE_SEVERAL,
    SG_PLACE_FIRST_COUNTRY = 16,
    SG_PLACE_BEFORE_COUNTRIES = SG_PLACE_FIRST_COUNTRY - 1,
#define X(alpha2, alpha3, m49, name) SG_PLACE_##alpha2,
    SG_COUNTRY_TABLE(X)
#undef X
        SG_PLACE_COUNT,
};

// party: 1 is an organisation on no list; more belong to a policy set, which
// gives a number to each organisation that its lists name.
enum { SG_PARTY_UNKNOWN, SG_PARTY_OTHER, SG_PARTY_FIRST_LISTED };

// What a decision looks at: the strictest value of each attribute.
struct sg_request {
    uint16_t code[SG_ATTR_COUNT];
};

enum { SG_LEVEL_R = 1, SG_LEVEL_P = 2, SG_LEVEL_S = 4 };
enum { SG_SOURCE_C = 1, SG_SOURCE_V = 2, SG_SOURCE_D = 4 };
enum sg_attr_type {
    SG_ATTR_TYPE_CODES,
    SG_ATTR_TYPE_JURISDICTION,
    SG_ATTR_TYPE_AREA,
    SG_ATTR_TYPE_PARTY,
};

struct sg_attr_info {
    const char *name;
    uint8_t level;  // SG_LEVEL_*: release, part, subscription
    uint8_t source; // SG_SOURCE_*: claimed, verified, derived
    bool required;  // unknown is denied as incomplete
    bool ordered;   // codes go up; "at least", "at most" may be used
    uint8_t type;   // enum sg_attr_type
};

const struct sg_attr_info *sg_vocabulary_attr(enum sg_attr attr);
// SG_ATTR_COUNT: there is no such attribute.
enum sg_attr sg_vocabulary_attr_named(struct sg_slice name);

// The code with this text; 0 for "unknown" and for any other text, parties
// included (ask the policy set). Case counts.
uint16_t sg_vocabulary_code(enum sg_attr attr, struct sg_slice text);
// Text of a code, "unknown" for 0 and for numbers that are none.
const char *sg_vocabulary_text(enum sg_attr attr, uint16_t code);
// One more than the largest code (party: 2).
uint16_t sg_vocabulary_code_count(enum sg_attr attr);
// Is it a code of this attribute, 0 included? Party: always.
bool sg_vocabulary_is_code(enum sg_attr attr, uint16_t code);
bool sg_vocabulary_is_place(enum sg_attr attr); // jurisdiction or area
bool sg_vocabulary_is_country(uint16_t place);  // also XK
// "Kenya" for KE, the text of the code for other places.
const char *sg_vocabulary_place_name(uint16_t place);

// The place that REF_AREA, a user or a policy text means: alpha-2, alpha-3, M49
// number, English name, UK, EL. 0: none. Never used to decide, only to
// translate (area maps) and to name the cure.
uint16_t sg_vocabulary_country_meant(struct sg_slice text);
// REF_AREA code as area: M49 number, alpha-2 or alpha-3 of a country; M49 and
// SDG groups of countries give REGION, 1 gives WORLD; 0: unknown.
uint16_t sg_vocabulary_area(struct sg_slice ref_area);
// CL_OBS_STATUS code (A, B, ...) as code of obs_status; 0: unknown.
uint16_t sg_vocabulary_obs_status(struct sg_slice cl_obs_status);

// a is same as b (vocabulary 2): unknown where either side is vague.
enum sg_same { SG_SAME_UNKNOWN, SG_SAME_YES, SG_SAME_NO, SG_SAME_COUNT };
enum sg_same sg_vocabulary_same(uint16_t place_a, uint16_t place_b);

// The strictest of claim, terms (allowed codes, count of them) and derivation.
// derived 0 with has_derived false: nothing was derived. false: the claim is
// outside the terms (publisher.claim_outside_terms), *out is 0.
struct sg_stated {
    uint16_t claim; // 0: nothing or unknown
    const uint16_t *terms;
    size_t terms_count;
    bool has_derived;
    uint16_t derived;
};
SG_MUST_CHECK bool sg_vocabulary_strictest(enum sg_attr attr,
                                           const struct sg_stated *stated,
                                           uint16_t *out);
