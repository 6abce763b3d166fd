#include "schemas/sdmx/structure_ml21_tags.h"

#include "broker/base/check.h"

// clang-format off
#define ROW(parent, name, tag) \
    {SG_ML21_##parent, sizeof(name) - 1, name, SG_ML21_##tag}

static const struct {
    enum sg_ml21_tag parent;
    size_t len;
    const char *name;
    enum sg_ml21_tag tag;
} rows[] = {
    ROW(ROOT, "Structure", MESSAGE),
    ROW(MESSAGE, "Structures", STRUCTURES),
    ROW(STRUCTURES, "OrganisationSchemes", CONTAINER),
    ROW(STRUCTURES, "DataProviderSchemes", CONTAINER),
    ROW(STRUCTURES, "Dataflows", CONTAINER),
    ROW(STRUCTURES, "Codelists", CONTAINER),
    ROW(STRUCTURES, "GeographicCodelists", CONTAINER),
    ROW(STRUCTURES, "ValueLists", CONTAINER),
    ROW(STRUCTURES, "Concepts", CONTAINER),
    ROW(STRUCTURES, "ConceptSchemes", CONTAINER),
    ROW(STRUCTURES, "DataStructures", CONTAINER),
    ROW(STRUCTURES, "Constraints", CONTAINER),
    ROW(STRUCTURES, "DataConstraints", CONTAINER),
    ROW(STRUCTURES, "ProvisionAgreements", CONTAINER),
    ROW(CONTAINER, "Codelist", LIST),
    ROW(CONTAINER, "GeographicCodelist", LIST),
    ROW(CONTAINER, "ValueList", LIST),
    ROW(CONTAINER, "ConceptScheme", SCHEME),
    ROW(CONTAINER, "DataStructure", DSD),
    ROW(CONTAINER, "Dataflow", FLOW),
    ROW(CONTAINER, "ContentConstraint", CONSTRAINT),
    ROW(CONTAINER, "DataConstraint", CONSTRAINT),
    ROW(CONTAINER, "ProvisionAgreement", AGREEMENT),
    ROW(CONTAINER, "DataProviderScheme", PROVIDERS),

    ROW(LIST, "Code", CODE),
    ROW(LIST, "GeoFeatureSetCode", CODE),
    ROW(LIST, "ValueItem", CODE),
    ROW(LIST, "CodelistExtension", EXTENSION),
    ROW(EXTENSION, "Codelist", EXTENDED),
    ROW(EXTENSION, "InclusiveCodeSelection", SELECTION),
    ROW(EXTENSION, "ExclusiveCodeSelection", SELECTION),
    ROW(SELECTION, "MemberValue", MEMBER),
    ROW(LIST, "Name", NAME),
    ROW(CODE, "Name", NAME),
    ROW(CODE, "Parent", PARENT),
    ROW(CODE, "Annotations", ANNOTATIONS),
    ROW(ANNOTATIONS, "Annotation", NOTE),
    ROW(NOTE, "AnnotationType", NOTE_TYPE),
    ROW(NOTE, "AnnotationTitle", NOTE_TITLE),
    ROW(NOTE, "AnnotationText", NOTE_TEXT),
    ROW(NOTE, "AnnotationValue", NOTE_TEXT),
    ROW(PARENT, "Ref", REF),
    ROW(PARENT, "URN", URN),

    ROW(SCHEME, "Concept", CONCEPT),
    ROW(CONCEPT, "Name", NAME),
    ROW(CONCEPT, "CoreRepresentation", REPRESENTATION),
    ROW(REPRESENTATION, "Enumeration", ENUMERATION),
    ROW(REPRESENTATION, "TextFormat", FORMAT),
    ROW(ENUMERATION, "Ref", REF),
    ROW(ENUMERATION, "URN", URN),

    ROW(DSD, "Name", NAME),
    ROW(DSD, "DataStructureComponents", COMPONENTS),
    ROW(COMPONENTS, "DimensionList", COMPONENT_LIST),
    ROW(COMPONENTS, "AttributeList", COMPONENT_LIST),
    ROW(COMPONENTS, "MeasureList", COMPONENT_LIST),
    ROW(COMPONENTS, "Group", GROUP),
    ROW(COMPONENT_LIST, "Dimension", DIMENSION),
    ROW(COMPONENT_LIST, "MeasureDimension", DIMENSION),
    ROW(COMPONENT_LIST, "TimeDimension", TIME),
    ROW(COMPONENT_LIST, "PrimaryMeasure", MEASURE),
    ROW(COMPONENT_LIST, "Measure", MEASURE),
    ROW(COMPONENT_LIST, "Attribute", ATTRIBUTE),
    ROW(COMPONENT_LIST, "ReportingYearStartDay", ATTRIBUTE),
    ROW(DIMENSION, "ConceptIdentity", IDENTITY),
    ROW(DIMENSION, "LocalRepresentation", REPRESENTATION),
    ROW(TIME, "ConceptIdentity", IDENTITY),
    ROW(TIME, "LocalRepresentation", REPRESENTATION),
    ROW(MEASURE, "ConceptIdentity", IDENTITY),
    ROW(MEASURE, "LocalRepresentation", REPRESENTATION),
    ROW(ATTRIBUTE, "ConceptIdentity", IDENTITY),
    ROW(ATTRIBUTE, "LocalRepresentation", REPRESENTATION),
    ROW(ATTRIBUTE, "AttributeRelationship", RELATION),
    ROW(IDENTITY, "Ref", REF),
    ROW(IDENTITY, "URN", URN),
    ROW(RELATION, "None", ON_DATASET),
    ROW(RELATION, "Dataflow", ON_DATASET),
    ROW(RELATION, "Dimension", ON_DIMENSION),
    ROW(RELATION, "Group", ON_GROUP),
    ROW(RELATION, "PrimaryMeasure", ON_OBSERVATION),
    ROW(RELATION, "Observation", ON_OBSERVATION),
    ROW(ON_DIMENSION, "Ref", REF),
    ROW(ON_DIMENSION, "URN", URN),
    ROW(ON_GROUP, "Ref", REF),
    ROW(ON_GROUP, "URN", URN),
    ROW(GROUP, "GroupDimension", GROUP_DIMENSION),
    ROW(GROUP_DIMENSION, "DimensionReference", GROUP_MEMBER),
    ROW(GROUP_MEMBER, "Ref", REF),
    ROW(GROUP_MEMBER, "URN", URN),

    ROW(FLOW, "Name", NAME),
    ROW(FLOW, "Structure", FLOW_STRUCTURE),
    ROW(FLOW_STRUCTURE, "Ref", REF),
    ROW(FLOW_STRUCTURE, "URN", URN),
    ROW(AGREEMENT, "StructureUsage", AGREEMENT_FLOW),
    ROW(AGREEMENT, "Dataflow", AGREEMENT_FLOW),
    ROW(AGREEMENT, "DataProvider", AGREEMENT_PROVIDER),
    ROW(AGREEMENT_FLOW, "Ref", REF),
    ROW(AGREEMENT_FLOW, "URN", URN),
    ROW(AGREEMENT_PROVIDER, "Ref", REF),
    ROW(AGREEMENT_PROVIDER, "URN", URN),
    ROW(PROVIDERS, "DataProvider", PROVIDER),
    ROW(PROVIDER, "Name", NAME),

    ROW(CONSTRAINT, "ConstraintAttachment", ATTACHMENT),
    ROW(ATTACHMENT, "DataStructure", TARGET),
    ROW(ATTACHMENT, "Dataflow", TARGET),
    ROW(ATTACHMENT, "ProvisionAgreement", TARGET),
    ROW(ATTACHMENT, "ProvisionAgrement", TARGET), // so spelt in the 2.1 schema
    ROW(TARGET, "Ref", REF),
    ROW(TARGET, "URN", URN),
    ROW(CONSTRAINT, "CubeRegion", REGION),
    ROW(CONSTRAINT, "DataKeySet", KEY_SET),
    ROW(KEY_SET, "Key", KEY),
    ROW(REGION, "KeyValue", KEY_VALUE),
    ROW(REGION, "Attribute", KEY_VALUE),
    ROW(REGION, "Component", KEY_VALUE),
    ROW(KEY, "KeyValue", KEY_VALUE),
    ROW(KEY, "Component", KEY_VALUE),
    ROW(KEY_VALUE, "Value", VALUE),
    ROW(KEY_VALUE, "TimeRange", RANGE),
    ROW(RANGE, "StartPeriod", RANGE_START),
    ROW(RANGE, "AfterPeriod", RANGE_START),
    ROW(RANGE, "EndPeriod", RANGE_END),
    ROW(RANGE, "BeforePeriod", RANGE_END),
};
// clang-format on

enum sg_ml21_tag
sg_structure_ml21_tag(enum sg_ml21_tag parent, struct sg_slice name)
{
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (rows[i].parent == parent && rows[i].len == name.len &&
            memcmp(rows[i].name, name.ptr, name.len) == 0)
            return rows[i].tag;
    }
    return SG_ML21_SKIP;
}

int
sg_structure_ml21_has_text(enum sg_ml21_tag tag)
{
    static const enum sg_ml21_tag with[] = {
        SG_ML21_NAME,
        SG_ML21_NOTE_TYPE,
        SG_ML21_NOTE_TITLE,
        SG_ML21_NOTE_TEXT,
        SG_ML21_URN,
        SG_ML21_EXTENDED,
        SG_ML21_MEMBER,
        SG_ML21_PARENT,
        SG_ML21_ENUMERATION,
        SG_ML21_IDENTITY,
        SG_ML21_ON_DIMENSION,
        SG_ML21_ON_GROUP,
        SG_ML21_GROUP_MEMBER,
        SG_ML21_FLOW_STRUCTURE,
        SG_ML21_AGREEMENT_FLOW,
        SG_ML21_AGREEMENT_PROVIDER,
        SG_ML21_TARGET,
        SG_ML21_VALUE,
        SG_ML21_RANGE_START,
        SG_ML21_RANGE_END,
    };
    for (size_t i = 0; i < SG_COUNT_OF(with); i++) {
        if (with[i] == tag)
            return 1;
    }
    return 0;
}
