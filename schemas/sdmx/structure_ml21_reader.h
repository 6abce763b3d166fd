// structure_ml21_reader - the place of a structure reader in its document.
//
// Private to structure_ml21.c (text, ends of elements) and
// structure_ml21_start.c (starts of elements).
#pragma once

#include "schemas/sdmx/structure_ml21.h"
#include "schemas/sdmx/structure_ml21_tags.h"
#include "schemas/sdmx/xml.h"

#include "broker/base/limits.h"

// One name, annotation or value; longer texts stand in descriptions, which
// are not read.
#define TEXT_MAX (64u * 1024)

struct sg_structure_ml21 {
    struct sg_xml *xml;
    struct sg_model *model;
    struct sg_diag *diag; // of the feed that is running
    uint8_t source_sha256[32];
    enum sg_ml21_tag stack[SG_LIMIT_XML_DEPTH + 1];
    uint32_t depth;   // of the stack; stack[0] is the document
    uint32_t skipped; // elements open below the one passed over
    bool is_3;        // SDMX 3.x

    uint8_t *text;
    size_t text_len;
    bool keep_text;
    struct sg_slice language;

    // What is being filled.
    struct sg_model_list *list;
    struct sg_model_code *code;
    struct sg_model_note *note;
    struct sg_slice note_title;
    struct sg_model_ref scheme;
    struct sg_model_concept *concept;
    struct sg_model_representation *representation;
    struct sg_model_dsd *dsd;
    struct sg_model_component *component;
    struct sg_model_group *group;
    struct sg_model_flow *flow;
    struct sg_model_agreement *agreement;
    struct sg_model_constraint *constraint;
    struct sg_model_values *values;
    struct sg_model_extension *extension;
    struct sg_model_member *member;
    struct sg_model_text **names; // of the thing that is being filled
    struct sg_model_ref got;      // reference that is being read
    bool key_set_included;
    struct sg_slice target_class;
};

// A new thing of the model; NULL: the arena is full.
#define SG_ML21_NEW(r, type)                                                   \
    ((type *)sg_arena_take((r)->model->arena, sizeof(type)))

static inline uint32_t
sg_ml21_line(const struct sg_structure_ml21 *r)
{
    return sg_xml_place(r->xml).line;
}

static inline enum sg_err
sg_ml21_full(struct sg_structure_ml21 *r)
{
    sg_diag_set(r->diag, sg_ml21_line(r), 0,
                "the structures are too large to be read at once; send fewer "
                "in one message");
    return SG_ERR_FULL;
}

static inline struct sg_slice
sg_ml21_copy(struct sg_structure_ml21 *r, struct sg_slice text)
{
    if (text.len == 0)
        return (struct sg_slice){0};
    return sg_arena_copy(r->model->arena, text);
}

static inline struct sg_slice
sg_ml21_attr(struct sg_structure_ml21 *r, const struct sg_xml_element *e,
             struct sg_slice name)
{
    return sg_ml21_copy(r, sg_xml_attr(e, name));
}

// What the start of an element means; it is on the stack already.
SG_MUST_CHECK enum sg_err
sg_structure_ml21_start(struct sg_structure_ml21 *r, enum sg_ml21_tag tag,
                        const struct sg_xml_element *e);
