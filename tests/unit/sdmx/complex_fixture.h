// complex_fixture - the structure of obs_fixture.h in SDMX-ML 3.0, where STATUS has
// several values, TITLE is in languages and NOTE has several values in languages.
#pragma once

// clang-format off
#define COMPLEX_CODE(id) "<s:Code id='" id "'><c:Name>c</c:Name></s:Code>"
#define COMPLEX_LIST(id, codes)                                                \
    "<s:Codelist agencyID='T' id='" id "' version='1.0'><c:Name>l</c:Name>"    \
    codes "</s:Codelist>"
#define COMPLEX_CODED(id)                                                      \
    "<s:Enumeration>urn:sdmx:org.sdmx.infomodel.codelist.Codelist=T:" id       \
    "(1.0)</s:Enumeration></s:LocalRepresentation>"
#define COMPLEX_ATTRIBUTE(id, usage, rep, on)                                  \
    "<s:Attribute id='" id "' usage='" usage "'>" rep                          \
    "<s:AttributeRelationship>" on "</s:AttributeRelationship></s:Attribute>"
#define COMPLEX_ONE   "<s:LocalRepresentation>"
#define COMPLEX_MANY  "<s:LocalRepresentation maxOccurs='unbounded'>"
#define COMPLEX_TEXT  "<s:TextFormat/></s:LocalRepresentation>"
#define COMPLEX_WORDS                                                          \
    "<s:TextFormat isMultiLingual='true'/></s:LocalRepresentation>"
// unit, source: their LocalRepresentation, "": a simple text.
#define COMPLEX_DSD(unit, source)                                              \
    "<m:Structure xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v3_0/" \
    "message' xmlns:s='http://www.sdmx.org/resources/sdmxml/schemas/v3_0/"     \
    "structure' xmlns:c='http://www.sdmx.org/resources/sdmxml/schemas/v3_0/"   \
    "common'><m:Structures><s:Codelists>"                                      \
    COMPLEX_LIST("CL_FREQ", COMPLEX_CODE("A") COMPLEX_CODE("Q"))               \
    COMPLEX_LIST("CL_AREA",                                                    \
                 COMPLEX_CODE("KE") COMPLEX_CODE("UG") COMPLEX_CODE("TZ"))     \
    COMPLEX_LIST("CL_STATUS", COMPLEX_CODE("N") COMPLEX_CODE("E"))             \
    "</s:Codelists><s:DataStructures><s:DataStructure agencyID='T' id='DSD' "  \
    "version='1.0'><c:Name>d</c:Name><s:DataStructureComponents>"              \
    "<s:DimensionList>"                                                        \
    "<s:Dimension id='FREQ' position='1'>"                                     \
    COMPLEX_ONE COMPLEX_CODED("CL_FREQ") "</s:Dimension>"                      \
    "<s:Dimension id='AREA' position='2'>"                                     \
    COMPLEX_ONE COMPLEX_CODED("CL_AREA") "</s:Dimension>"                      \
    "<s:TimeDimension id='TIME_PERIOD'>" COMPLEX_ONE                           \
    "<s:TextFormat textType='ObservationalTimePeriod'/>"                       \
    "</s:LocalRepresentation></s:TimeDimension></s:DimensionList>"             \
    "<s:Group id='Sibling'><s:GroupDimension><s:DimensionReference>AREA"       \
    "</s:DimensionReference></s:GroupDimension></s:Group><s:AttributeList>"    \
    COMPLEX_ATTRIBUTE("STATUS", "mandatory",                                   \
                      COMPLEX_MANY COMPLEX_CODED("CL_STATUS"),                 \
                      "<s:Observation/>")                                      \
    COMPLEX_ATTRIBUTE("UNIT", "mandatory", unit,                               \
                      "<s:Dimension>FREQ</s:Dimension>"                        \
                      "<s:Dimension>AREA</s:Dimension>")                       \
    COMPLEX_ATTRIBUTE("TITLE", "optional", COMPLEX_ONE COMPLEX_WORDS,          \
                      "<s:Group>Sibling</s:Group>")                            \
    COMPLEX_ATTRIBUTE("SOURCE", "optional", source, "<s:Dataflow/>")           \
    COMPLEX_ATTRIBUTE("NOTE", "optional", COMPLEX_MANY COMPLEX_WORDS,          \
                      "<s:Observation/>")                                      \
    "</s:AttributeList><s:MeasureList><s:Measure id='OBS_VALUE'>" COMPLEX_ONE  \
    "<s:TextFormat textType='Double'/></s:LocalRepresentation></s:Measure>"    \
    "</s:MeasureList></s:DataStructureComponents></s:DataStructure>"           \
    "</s:DataStructures></m:Structures></m:Structure>"
// clang-format on

static const char complex_dsd[] = COMPLEX_DSD("", "");
