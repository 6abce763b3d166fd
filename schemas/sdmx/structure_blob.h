// structure_blob - the bytes of a compiled structure.
//
// One head, then sections of fixed-size records, each aligned to 8, then the
// texts. Numbers are those of the machine (a blob is made and mapped on one
// machine; `order` tells). A text is offset and length in the section of texts.
// Changing any of this raises SG_STRUCTURE_VERSION.
#pragma once

#include <stdint.h>

#define SG_STRUCTURE_MAGIC   "SGSTRUCT"
#define SG_STRUCTURE_VERSION 1u
#define SG_STRUCTURE_ORDER   0x01020304u

struct sg_structure_text {
    uint32_t at, len;
};

enum sg_structure_section {
    SG_SECTION_COMPONENTS,
    SG_SECTION_LISTS,
    SG_SECTION_GROUPS,
    SG_SECTION_FLOWS,
    SG_SECTION_CONSTRAINTS,
    SG_SECTION_PARTS,
    SG_SECTION_VALUES,
    SG_SECTION_VALUE_TEXTS,
    SG_SECTION_CODES,
    SG_SECTION_SLOTS,
    SG_SECTION_NAMES,
    SG_SECTION_NOTES,
    SG_SECTION_TEXTS,
    SG_SECTION_END,
};

struct sg_structure_head {
    char magic[8];
    uint32_t version, order;
    uint64_t size; // of the whole blob
    uint8_t source_sha256[32];
    struct sg_structure_text agency, id, structure_version, urn;
    struct {
        uint32_t at, count; // bytes from the start; records
    } sections[SG_SECTION_END];
};

struct sg_structure_component_row {
    struct sg_structure_text id;
    struct sg_structure_text pattern, min_value, max_value;
    struct sg_structure_text start_value, end_value, interval;
    struct sg_structure_text start_time, end_time, time_interval;
    int32_t min_length, max_length, decimals;
    int32_t group, list;
    uint8_t kind, type, attach, flags;
    uint64_t dimensions;
};

enum {
    SG_COMPONENT_MANDATORY = 1,
    SG_COMPONENT_SEVERAL = 2,
    SG_COMPONENT_LANGUAGES = 4,
    SG_COMPONENT_TYPED = 8,
    SG_COMPONENT_SEQUENCE = 16,
};

struct sg_structure_list_row {
    struct sg_structure_text agency, id, version;
    uint32_t first_code, codes;
    uint32_t first_slot, slots; // slots: a power of two
    uint64_t seed;
};

struct sg_structure_code_row {
    struct sg_structure_text text;
    uint32_t first_name, names;
    uint32_t first_note, notes;
    int32_t parent;
    uint32_t zero;
};

struct sg_structure_pair_row { // name: language, text; note: type, text
    struct sg_structure_text key, text;
};

struct sg_structure_group_row {
    struct sg_structure_text id;
    uint64_t dimensions;
};

struct sg_structure_flow_row {
    struct sg_structure_text agency, id, version;
};

struct sg_structure_constraint_row {
    struct sg_structure_text agency, id, version, target;
    uint32_t first_part, parts;
    uint32_t allowed, zero;
};

struct sg_structure_part_row {
    uint32_t first, count; // of values
    uint32_t key, include;
};

struct sg_structure_values_row {
    struct sg_structure_text component;
    uint32_t first, count; // of value texts
    uint32_t include, flags;
};

enum {
    SG_VALUES_TIME_RANGE = 1,
    SG_VALUES_START_OPEN = 2,  // the range begins behind its start
    SG_VALUES_END_OPEN = 4,    // and ends before its end
    SG_VALUES_CASCADE = 8,     // the codes below are meant too
    SG_VALUES_BELOW_ONLY = 16, // with CASCADE: not the code itself
};
