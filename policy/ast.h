// ast - a policy file as parsed: rules, groups, examples, tests, nevers.
//
// Internal to policy/. Everything lies in the arena of the set and never
// changes after loading. Conditions are sets of codes over dimensions: the
// attributes and, behind them, the ten comparisons `A is same as B`. Bit 0 of
// every set is "unknown".
#pragma once

#include "policy/decide.h"
#include "policy/policy.h"

enum { SG_DIM_COUNT = SG_ATTR_COUNT + 10 };

// Of what condition, unless, rule or name a token is part.
enum sg_token_raw {
    SG_RAW_END,
    SG_RAW_ID,
    SG_RAW_NUMBER,
    SG_RAW_DATE,
    SG_RAW_STRING, // text without the quotes
    SG_RAW_COMMA,
    SG_RAW_EQUALS,
    SG_RAW_OPEN,
    SG_RAW_CLOSE,
};
struct sg_token {
    struct sg_slice text; // borrowed from the file's copy in the arena
    uint32_t line, column;
    uint8_t raw;  // enum sg_token_raw
    uint8_t kind; // of the grammar
};

struct sg_text { // a list of texts
    struct sg_slice text, lang;
    struct sg_text *next;
};

struct sg_cond {
    uint8_t dim;
    bool any;              // `is any`: no constraint, said on purpose
    bool positive;         // is, is one of, at least, at most, same as
    bool fixed;            // names codes or groups (not at least, same as)
    const uint64_t *codes; // true for these; of words(dim) words
    struct sg_slice text;  // as written
    uint32_t line, column;
    struct sg_cond *next; // or
};
struct sg_term { // conditions joined by or
    struct sg_cond *conds;
    struct sg_term *next; // and
};

// A product of code sets; dimensions without a side are not constrained.
struct sg_side {
    const uint64_t *codes;
    uint8_t dim;
};
struct sg_box {
    const struct sg_side *sides; // by rising dim
    uint8_t count;
};

enum sg_effect {
    SG_EFFECT_FORBID,
    SG_EFFECT_HOLD,
    SG_EFFECT_PERMIT,
    SG_EFFECT_NEVER
};

enum { SG_HOLD_DAYS = 90 }; // where a hold says none

struct sg_rule {
    struct sg_slice name;
    uint8_t effect; // enum sg_effect
    uint32_t line, column;
    uint16_t index; // in its file
    struct sg_term *when, *unless;
    struct sg_obligation *obligations;
    uint32_t obligations_count;
    struct sg_text *because, *say;
    uint32_t from, until; // days; until exclusive
    uint32_t review;      // 0: none
    uint32_t days;        // of a hold
    const struct sg_box *boxes;
    uint32_t boxes_count;
    uint32_t early; // permit: availability codes that it names, as bits
    uint64_t waits; // hold: attributes that an event can change
    struct sg_rule *next;
};

struct sg_group {
    uint8_t dim; // SG_ATTR_PROVIDER_IN stands for type country
    bool used;
    struct sg_slice name;
    const uint64_t *codes;
    uint32_t line, column;
    uint32_t depth; // 0: in the policy itself, else in an include
    struct sg_group *next;
};

struct sg_fact {
    uint8_t attr;
    uint16_t code;
    struct sg_fact *next;
};
struct sg_example {
    struct sg_slice name;
    struct sg_fact *facts;
    struct sg_example *next;
};
struct sg_protected {
    struct sg_slice name;
    uint32_t value;
    struct sg_protected *next;
};

struct sg_test {
    struct sg_slice name;
    uint32_t line, column;
    bool has_day;
    uint32_t day;
    struct sg_request given;
    uint8_t verdict; // enum sg_verdict
    bool incomplete;
    bool has_by;
    struct sg_slice by;
    struct sg_obligation *with;
    uint32_t with_count;
    struct sg_test *next;
};

struct sg_review { // a date by which somebody looks again
    uint32_t day, line, column;
    struct sg_review *next;
};

struct sg_file {
    struct sg_slice label, text, name;
    uint8_t digest[32];
    uint32_t version;
    uint8_t layer; // enum sg_layer; NONE: not said yet
    bool import_default;
    bool built_in;         // made by the gate, not by the set
    const uint64_t *scope; // places of export and import
    uint16_t place;        // as written; 0: a group
    struct sg_slice scope_name;
    uint32_t layer_line, layer_column;
    uint32_t since, until; // days; until exclusive
    struct sg_rule *rules, *nevers;
    struct sg_rule **by_index;
    uint32_t rules_count, nevers_count;
    struct sg_group *groups;
    struct sg_example *examples;
    struct sg_protected *secrets;
    struct sg_test *tests;
    struct sg_review *reviews;
};

struct sg_note_link {
    struct sg_policy_note note;
    struct sg_note_link *next;
};

struct sg_policy_set {
    struct sg_arena *arena;
    struct sg_file **files;
    uint16_t count;
    uint16_t default_import; // index of the import default
    struct sg_file *guards;
    // Organisations on lists, sorted; from SG_PARTY_FIRST_LISTED on. While
    // texts are read the first time, found grows and the rest is empty.
    struct sg_slice *party;
    uint32_t party_count;
    struct sg_slice *found;
    uint32_t found_count, found_cap;
    struct sg_slice dimensions[64];
    uint32_t dimensions_count;
    struct sg_note_link *notes, **notes_end;
};

// ---- dimensions (dims.c) ----------------------------------------------------
uint32_t sg_dims_codes(const struct sg_policy_set *set, unsigned dim); // count
uint32_t sg_dims_words(const struct sg_policy_set *set, unsigned dim);
// All codes, with or without unknown.
bool sg_dims_valid(const struct sg_policy_set *set, unsigned dim,
                   uint32_t code);
void sg_dims_pair(unsigned dim, uint8_t *a, uint8_t *b); // dim >= ATTR_COUNT
unsigned sg_dims_same(enum sg_attr a, enum sg_attr b);   // SG_DIM_COUNT: none
const char *sg_dims_name(unsigned dim, char out[48]);
const char *sg_dims_text(const struct sg_policy_set *set, unsigned dim,
                         uint32_t code, char out[72]);
uint8_t sg_dims_source(unsigned dim); // SG_SOURCE_* bits of both sides
// The value of a dimension in a request; numbers that are no code: 0.
uint32_t sg_dims_value(const struct sg_policy_set *set, unsigned dim,
                       const struct sg_request *q);

static inline bool
sg_ast_has(const uint64_t *bits, uint32_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}
static inline void
sg_ast_put(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= 1ull << (i % 64);
}

// ---- boxes (boxes.c) ----------------------------------------------------------
// Fills rule->boxes. SG_ERR_SYNTAX: more than SG_LIMIT_POLICY_BOXES;
// SG_ERR_FULL: the arena.
SG_MUST_CHECK enum sg_err sg_boxes_expand(const struct sg_policy_set *set,
                                          struct sg_rule *rule);
// Does the rule hold for q, read from its conditions (not its boxes)?
bool sg_boxes_rule_holds(const struct sg_policy_set *set,
                         const struct sg_rule *rule,
                         const struct sg_request *q);
// Is a term (or any of its conditions) true, with unknown counting as given?
bool sg_boxes_term_holds(const struct sg_policy_set *set,
                         const struct sg_term *term, const struct sg_request *q,
                         bool unknown);
bool sg_boxes_all_hold(const struct sg_policy_set *set,
                       const struct sg_term *terms, const struct sg_request *q,
                       bool unknown);

// The rule of a reference, guards included; NULL: none.
const struct sg_rule *sg_policy_rule(const struct sg_policy_set *set,
                                     struct sg_rule_ref ref);
