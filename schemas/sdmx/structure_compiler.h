// structure_compiler - what the three steps of compiling share.
//
// Private to structure_resolve.c (order, references), structure_size.c (how
// large, then room for it) and structure_compile.c (filling).
#pragma once

#include "broker/base/limits.h"
#include "schemas/sdmx/structure_blob.h"
#include "schemas/sdmx/structure_compile.h"

#define SG_STRUCTURE_URN_HEAD                                                  \
    "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure="

struct sg_structure_compiler {
    const struct sg_model *model;
    const struct sg_model_dsd *dsd;
    struct sg_arena *arena;
    struct sg_diag *diag;
    // Components in canonical order, and the code lists they use, in order of
    // first use.
    const struct sg_model_component *components[SG_LIMIT_COMPONENTS];
    struct sg_model_representation used[SG_LIMIT_COMPONENTS];
    int32_t list_of[SG_LIMIT_COMPONENTS];
    const struct sg_model_list *lists[SG_LIMIT_COMPONENTS];
    uint32_t component_count, list_count, dimension_count;
    const struct sg_structure *base; // instead of components; NULL: none
    // Those that hold here, by agency, id and version, so that the order of
    // files does not matter.
    const struct sg_model_constraint **constraints;
    uint32_t constraint_count;
    // The blob.
    uint8_t *bytes;
    struct sg_structure_head *head;
    uint32_t counts[SG_SECTION_END]; // wanted, then (again from 0) filled
    uint32_t texts_len;
};

// Bytes of one record of each section.
static inline uint32_t
sg_structure_record_size(enum sg_structure_section section)
{
    static const uint32_t sizes[SG_SECTION_END] = {
        [SG_SECTION_COMPONENTS] = sizeof(struct sg_structure_component_row),
        [SG_SECTION_LISTS] = sizeof(struct sg_structure_list_row),
        [SG_SECTION_GROUPS] = sizeof(struct sg_structure_group_row),
        [SG_SECTION_FLOWS] = sizeof(struct sg_structure_flow_row),
        [SG_SECTION_CONSTRAINTS] = sizeof(struct sg_structure_constraint_row),
        [SG_SECTION_PARTS] = sizeof(struct sg_structure_part_row),
        [SG_SECTION_VALUES] = sizeof(struct sg_structure_values_row),
        [SG_SECTION_VALUE_TEXTS] = sizeof(struct sg_structure_text),
        [SG_SECTION_CODES] = sizeof(struct sg_structure_code_row),
        [SG_SECTION_SLOTS] = sizeof(struct sg_code_slot),
        [SG_SECTION_NAMES] = sizeof(struct sg_structure_pair_row),
        [SG_SECTION_NOTES] = sizeof(struct sg_structure_pair_row),
        [SG_SECTION_TEXTS] = 1,
    };
    return sizes[section];
}

static inline uint32_t
sg_structure_slots_for(uint32_t codes)
{
    uint32_t slots = 4;
    while (slots < 2 * codes + 2)
        slots *= 2;
    return slots;
}

// diag "has WHAT; split it".
enum sg_err sg_structure_compile_full(struct sg_structure_compiler *c,
                                      const char *what);
// Components in order, with representations and code lists.
SG_MUST_CHECK enum sg_err sg_structure_resolve(struct sg_structure_compiler *c);
// The list with the codes that it takes from others as its own, in their place.
// SG_ERR_NOT_FOUND: one of these is not there, or they go in a circle; said.
SG_MUST_CHECK enum sg_err
sg_structure_extend(struct sg_structure_compiler *c,
                    const struct sg_model_list **list);
// Fills constraints. SG_ERR_NOT_FOUND: one that allows names a component that is
// not there, and would not hold.
SG_MUST_CHECK enum sg_err
sg_structure_find_constraints(struct sg_structure_compiler *c);
void sg_structure_want_constraints(struct sg_structure_compiler *c);
void sg_structure_fill_constraints(struct sg_structure_compiler *c);
// Takes the blob for what is counted from the arena, writes its head; counts
// are 0 again.
SG_MUST_CHECK enum sg_err sg_structure_lay_out(struct sg_structure_compiler *c);
// Counts everything, then lays it out.
SG_MUST_CHECK enum sg_err
sg_structure_make_room(struct sg_structure_compiler *c);
int32_t sg_structure_compile_find(const struct sg_structure_compiler *c,
                                  struct sg_slice id);
// Is it this structure, a dataflow of it, or an agreement on such a dataflow?
bool sg_structure_compile_holds(const struct sg_structure_compiler *c,
                                const struct sg_model_target *on);
// Is it a dataflow of this structure?
bool sg_structure_compile_uses(const struct sg_structure_compiler *c,
                               const struct sg_model_flow *flow);
