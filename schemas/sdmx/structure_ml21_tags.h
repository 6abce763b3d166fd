// structure_ml21_tags - which element of a structure message means what.
//
// The table reads like the schema: inside this, an element of that name, is
// that. What is not in it is passed over with all it holds.
#pragma once

#include <stdint.h>

#include "broker/base/slice.h"

enum sg_ml21_tag {
    SG_ML21_SKIP = 0,
    SG_ML21_ROOT, // the document
    SG_ML21_MESSAGE,
    SG_ML21_STRUCTURES,
    SG_ML21_CONTAINER, // Codelists, Dataflows ...
    SG_ML21_LIST,
    SG_ML21_EXTENSION,
    SG_ML21_EXTENDED,  // the list whose codes are taken
    SG_ML21_SELECTION, // of codes
    SG_ML21_MEMBER,
    SG_ML21_CODE,
    SG_ML21_PARENT,
    SG_ML21_ANNOTATIONS,
    SG_ML21_NOTE,
    SG_ML21_NOTE_TYPE,
    SG_ML21_NOTE_TITLE,
    SG_ML21_NOTE_TEXT,
    SG_ML21_NAME,
    SG_ML21_SCHEME, // of concepts
    SG_ML21_CONCEPT,
    SG_ML21_REPRESENTATION,
    SG_ML21_ENUMERATION,
    SG_ML21_FORMAT,
    SG_ML21_DSD,
    SG_ML21_COMPONENTS,
    SG_ML21_COMPONENT_LIST, // DimensionList, AttributeList, MeasureList
    SG_ML21_DIMENSION,
    SG_ML21_TIME,
    SG_ML21_MEASURE,
    SG_ML21_ATTRIBUTE,
    SG_ML21_IDENTITY, // ConceptIdentity
    SG_ML21_RELATION, // AttributeRelationship
    SG_ML21_ON_DATASET,
    SG_ML21_ON_DIMENSION,
    SG_ML21_ON_GROUP,
    SG_ML21_ON_OBSERVATION,
    SG_ML21_GROUP,
    SG_ML21_GROUP_DIMENSION,
    SG_ML21_GROUP_MEMBER,
    SG_ML21_FLOW,
    SG_ML21_FLOW_STRUCTURE,
    SG_ML21_AGREEMENT,
    SG_ML21_AGREEMENT_FLOW,
    SG_ML21_AGREEMENT_PROVIDER,
    SG_ML21_PROVIDERS,
    SG_ML21_PROVIDER,
    SG_ML21_CONSTRAINT,
    SG_ML21_ATTACHMENT,
    SG_ML21_TARGET,
    SG_ML21_REGION,
    SG_ML21_KEY_SET,
    SG_ML21_KEY,
    SG_ML21_KEY_VALUE,
    SG_ML21_VALUE,
    SG_ML21_RANGE,
    SG_ML21_RANGE_START,
    SG_ML21_RANGE_END,
    SG_ML21_REF,
    SG_ML21_URN,
};

// The element called name inside parent; SG_ML21_SKIP: of no interest.
enum sg_ml21_tag sg_structure_ml21_tag(enum sg_ml21_tag parent,
                                       struct sg_slice name);
// Does its text matter?
int sg_structure_ml21_has_text(enum sg_ml21_tag tag);
