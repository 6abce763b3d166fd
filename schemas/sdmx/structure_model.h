// structure_model - what structure messages say, before it is compiled.
//
// Owns nothing: everything lies in the arena of the reader that filled it.
// References are kept as they were written and resolved by structure_compile,
// so the parts of a message may stand in any order and in several files.
// Invariant: lists keep the order of the document; a slice never has NUL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/diag.h"
#include "schemas/sdmx/structure.h"

// AGENCY:ID(VERSION) of something maintained, or a reference to it; item is
// what comes after it (`.FREQ`), class what the URN calls it.
struct sg_model_ref {
    struct sg_slice agency, id, version, item, class;
    uint32_t line; // 0: there is no reference
};

struct sg_model_text {
    struct sg_model_text *next;
    struct sg_slice language, text;
};

struct sg_model_note { // annotation
    struct sg_model_note *next;
    struct sg_slice type, text;
};

struct sg_model_code {
    struct sg_model_code *next;
    struct sg_slice id, parent;
    struct sg_model_text *names;
    struct sg_model_note *notes, *last_note;
    uint32_t line;
};

struct sg_model_member { // codes of another list: one, or those with % in it
    struct sg_model_member *next;
    struct sg_slice text;
    bool cascade, below_only; // with the codes below; without itself
};

// Codes taken from another list (SDMX 3.0, CodelistExtension): all of it, the
// members, or all but these; each with the prefix before it.
struct sg_model_extension {
    struct sg_model_extension *next;
    struct sg_model_ref list;
    struct sg_slice prefix;
    bool selects, excludes;
    struct sg_model_member *members;
};

struct sg_model_list { // of codes, or of concepts: self.class ConceptScheme
    struct sg_model_list *next;
    struct sg_model_ref self;
    struct sg_model_text *names;
    struct sg_model_code *codes, *last;
    uint32_t count;
    struct sg_model_extension *extensions;
    bool stub; // isExternalReference
};

struct sg_model_representation {
    struct sg_model_ref list; // line 0: not coded
    struct sg_facets facets;
    enum sg_type type;
    bool given, typed, several, languages;
};

struct sg_model_concept {
    struct sg_model_concept *next;
    struct sg_model_ref scheme; // of the concept scheme
    struct sg_slice id;         // its names are in the list of the same name
    struct sg_model_representation core;
};

struct sg_model_dim { // a dimension named by an attribute or a group
    struct sg_model_dim *next;
    struct sg_slice id;
    uint32_t line;
};

struct sg_model_group {
    struct sg_model_group *next;
    struct sg_slice id;
    struct sg_model_dim *dims;
};

struct sg_model_component {
    struct sg_model_component *next;
    struct sg_slice id;
    enum sg_component_kind kind;
    uint32_t position; // 0: not given
    uint32_t line;
    bool mandatory;
    enum sg_attach attach;
    struct sg_slice group;
    struct sg_model_dim *dims;
    struct sg_model_ref concept;
    struct sg_model_representation local;
};

struct sg_model_dsd {
    struct sg_model_dsd *next;
    struct sg_model_ref self;
    struct sg_model_text *names;
    struct sg_model_component *components, *last;
    struct sg_model_group *groups;
    bool stub; // has no components
    uint8_t source_sha256[32];
};

struct sg_model_flow {
    struct sg_model_flow *next;
    struct sg_model_ref self, structure;
    struct sg_model_text *names;
};

struct sg_model_agreement { // provision agreement
    struct sg_model_agreement *next;
    struct sg_model_ref self, flow, provider;
};

struct sg_model_provider {
    struct sg_model_provider *next;
    struct sg_model_ref scheme;
    struct sg_slice id;
    struct sg_model_text *names;
};

struct sg_model_value {
    struct sg_model_value *next;
    struct sg_slice text;
};

struct sg_model_values { // of one component in a region or key
    struct sg_model_values *next;
    struct sg_slice component;
    bool include, time_range, start_open, end_open, cascade, below_only;
    struct sg_model_value *values, *last;
    struct sg_slice start, end; // time_range
};

struct sg_model_part {
    struct sg_model_part *next;
    bool key, include;
    struct sg_model_values *values, *last;
};

struct sg_model_target {
    struct sg_model_target *next;
    struct sg_model_ref ref;
    bool known; // it is the structure at hand, or something of it
};

struct sg_model_constraint {
    struct sg_model_constraint *next;
    struct sg_model_ref self;
    bool allowed;
    struct sg_model_target *targets;
    struct sg_model_part *parts, *last;
};

// Everything read so far, from one file or several.
struct sg_model {
    struct sg_arena *arena;
    struct sg_model_list *lists;
    struct sg_model_concept *concepts;
    struct sg_model_dsd *dsds;
    struct sg_model_flow *flows;
    struct sg_model_agreement *agreements;
    struct sg_model_provider *providers;
    struct sg_model_constraint *constraints;
    uint32_t codes; // in all lists; <= SG_LIMIT_CODES
};

// The flow, list or structure that ref names; NULL: not in the model. A
// version with `+` or `*` finds the newest. O(things of that kind).
struct sg_model_list *sg_structure_model_list(const struct sg_model *model,
                                              const struct sg_model_ref *ref);
struct sg_model_dsd *sg_structure_model_dsd(const struct sg_model *model,
                                            const struct sg_model_ref *ref);
struct sg_model_flow *sg_structure_model_flow(const struct sg_model *model,
                                              const struct sg_model_ref *ref);
struct sg_model_agreement *
sg_structure_model_agreement(const struct sg_model *model,
                             const struct sg_model_ref *ref);
struct sg_model_concept *
sg_structure_model_concept(const struct sg_model *model,
                           const struct sg_model_ref *ref);

// Label in the language, else in English, else the first, else empty.
struct sg_slice sg_structure_model_name(const struct sg_model_text *names,
                                        struct sg_slice language);

// `urn:sdmx:...Class=AGENCY:ID(VERSION).ITEM` or `AGENCY:ID(VERSION)`, or, in
// short, `AGENCY:ID`. Slices of text. false: neither.
bool sg_structure_parse_ref(struct sg_slice text, struct sg_model_ref *out);

// Order of versions: numbers between dots as numbers.
int sg_structure_version_cmp(struct sg_slice a, struct sg_slice b);
