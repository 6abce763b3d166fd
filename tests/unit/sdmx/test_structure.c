// What structure.h promises: reading, compiling, looking up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/crypto.h"
#include "tests/unit/sdmx/structure_fixture.h"

#define S(text) SG_SLICE(text)

#define HEAD                                                                   \
    "<m:Structure xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/" \
    "message' xmlns:s='s' xmlns:c='c'><m:Structures>"
#define TAIL "</m:Structures></m:Structure>"
#define REF(id)                                                                \
    "<s:ConceptIdentity><Ref id='" id "' maintainableParentID='CS' "           \
    "agencyID='A' maintainableParentVersion='1.0'/></s:ConceptIdentity>"
#define ENUM(id)                                                               \
    "<s:LocalRepresentation><s:Enumeration><Ref agencyID='A' id='" id          \
    "' version='1.0' class='Codelist'/></s:Enumeration>"                       \
    "</s:LocalRepresentation>"

static const char dsd[] =
    "<s:DataStructures><s:DataStructure agencyID='A' id='D' version='2.0'>\n"
    "<c:Name>d</c:Name><s:DataStructureComponents>\n"
    "<s:AttributeList>"
    "<s:Attribute id='OBS_STATUS' assignmentStatus='Mandatory'>" ENUM(
        "CL_ST") "<s:AttributeRelationship><s:PrimaryMeasure><Ref id='OBS_VALUE'/>"
                 "</s:PrimaryMeasure></s:AttributeRelationship></s:Attribute>\n"
                 "<s:Attribute id='UNIT' assignmentStatus='Conditional'>" REF(
                     "UNIT") "<s:AttributeRelationship><s:Dimension><Ref id='FREQ'/></s:Dimension>"
                             "<s:Dimension><Ref id='AREA'/></s:Dimension></s:AttributeRelationship>"
                             "</s:Attribute>\n"
                             "<s:Attribute id='NOTE'><s:LocalRepresentation><s:TextFormat "
                             "textType='String' maxLength='10' pattern='[a-z]+'/>"
                             "</s:LocalRepresentation><s:AttributeRelationship><s:None/>"
                             "</s:AttributeRelationship></s:Attribute>\n"
                             "<s:Attribute id='TITLE'><s:AttributeRelationship><s:Group><Ref id='G'/>"
                             "</s:Group></s:AttributeRelationship></s:Attribute>"
                             "<s:Attribute id='ALL'><s:AttributeRelationship>"
                             "<s:Dimension><Ref id='FREQ'/></s:Dimension><s:Dimension><Ref id='AREA'/>"
                             "</s:Dimension><s:Dimension><Ref id='TIME_PERIOD'/></s:Dimension>"
                             "</s:AttributeRelationship></s:Attribute>"
                             "</s:AttributeList>\n"
                             "<s:Group id='G'><s:GroupDimension><s:DimensionReference>"
                             "<Ref id='AREA'/></s:DimensionReference></s:GroupDimension></s:Group>\n"
                             "<s:DimensionList><s:TimeDimension id='TIME_PERIOD'/>"
                             "<s:Dimension id='AREA' position='2'>" ENUM(
                                 "CL_AREA") "</s:Dimension>\n"
                                            "<s:Dimension position='1'>" REF(
                                                "FREQ") "</s:Dimension>"
                                                        "</s:DimensionList>\n"
                                                        "<s:MeasureList><s:PrimaryMeasure id='OBS_VALUE'/></s:MeasureList>"
                                                        "</s:DataStructureComponents></s:DataStructure></s:DataStructures>\n";

static const char lists[] =
    "<s:Codelists>"
    "<s:Codelist agencyID='A' id='CL_FREQ'><s:Code id='A'/><s:Code id='M'/>"
    "</s:Codelist>\n"
    "<s:Codelist agencyID='A' id='CL_ST'><s:Code id='A'>"
    "<c:Name xml:lang='fr'>normal (fr)</c:Name>"
    "<c:Name xml:lang='en'>Normal</c:Name></s:Code></s:Codelist>\n"
    "<s:Codelist agencyID='A' id='CL_AREA'>"
    "<s:Code id='762'><c:Annotations><c:Annotation><c:AnnotationType>ISO"
    "</c:AnnotationType><c:AnnotationText>TJ</c:AnnotationText></c:Annotation>"
    "</c:Annotations><c:Name>Tajikistan</c:Name>"
    "<s:Parent><Ref id='142'/></s:Parent></s:Code>"
    "<s:Code id='142'><c:Name>Asia</c:Name></s:Code>"
    "<s:Code id='KG_OSH_CITY_OLD'/></s:Codelist></s:Codelists>";

static const char concepts[] =
    "<s:Concepts><s:ConceptScheme agencyID='A' id='CS' version='1.0'>"
    "<s:Concept id='FREQ'><s:CoreRepresentation><s:Enumeration><URN>"
    "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:CL_FREQ(1.0)</URN>"
    "</s:Enumeration></s:CoreRepresentation></s:Concept>"
    "<s:Concept id='UNIT'><s:CoreRepresentation><s:TextFormat "
    "textType='Integer'/></s:CoreRepresentation></s:Concept>"
    "</s:ConceptScheme></s:Concepts>";

static const char constraints[] =
    "<s:Dataflows><s:Dataflow agencyID='A' id='F' version='1.0'><s:Structure>"
    "<URN>urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=A:D(2.0)"
    "</URN></s:Structure></s:Dataflow></s:Dataflows><s:Constraints>"
    "<s:ContentConstraint agencyID='A' id='K' version='1.0' type='Allowed'>"
    "<s:ConstraintAttachment><s:Dataflow><Ref agencyID='A' id='F' "
    "version='1.0'/></s:Dataflow></s:ConstraintAttachment>"
    "<s:CubeRegion include='true'><c:KeyValue id='AREA'><c:Value>762"
    "</c:Value><c:Value>142</c:Value></c:KeyValue></s:CubeRegion>"
    "<s:DataKeySet isIncluded='false'><s:Key><c:KeyValue id='FREQ'>"
    "<c:Value>M</c:Value></c:KeyValue></s:Key></s:DataKeySet>"
    "</s:ContentConstraint></s:Constraints>";

struct fixture {
    struct sg_arena *arena;
    const struct sg_structure *s;
    struct sg_diag diag;
};

static enum sg_err
read_parts(struct fixture *f, const char *a, const char *b, const char *c,
           const char *d)
{
    static char xml[65536];
    int len = snprintf(xml, sizeof xml, HEAD "%s%s%s%s" TAIL, a, b, c, d);
    assert_in_range(len, 1, sizeof xml - 1);
    return fixture_open(f->arena, sg_slice_of(xml, (size_t)len), &f->s,
                        &f->diag);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    assert_non_null(f->arena);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    sg_arena_free(&f->arena);
    free(f);
    return 0;
}

static void
read_whole(struct fixture *f)
{
    if (read_parts(f, dsd, lists, concepts, constraints) != SG_OK)
        fail_msg("line %u: %s", f->diag.line, f->diag.text);
}

static void
components_stand_in_canonical_order_whatever_the_document_does(void **state)
{
    static const struct {
        const char *id;
        enum sg_component_kind kind;
        enum sg_type type;
        int32_t list; // -1: not coded; else any
        enum sg_attach attach;
        uint64_t dimensions;
        bool mandatory;
    } want[] = {
        {"FREQ", SG_KIND_DIMENSION, SG_TYPE_STRING, 0, 0, 0, true},
        {"AREA", SG_KIND_DIMENSION, SG_TYPE_STRING, 0, 0, 0, true},
        {"TIME_PERIOD", SG_KIND_TIME, SG_TYPE_OBSERVATIONAL_TIME, -1, 0, 0,
         true},
        {"OBS_VALUE", SG_KIND_MEASURE, SG_TYPE_DOUBLE, -1, 0, 0, false},
        {"OBS_STATUS", SG_KIND_ATTRIBUTE, SG_TYPE_STRING, 0,
         SG_ATTACH_OBSERVATION, 0, true},
        {"UNIT", SG_KIND_ATTRIBUTE, SG_TYPE_INTEGER, -1, SG_ATTACH_DIMENSIONS,
         3, false},
        {"NOTE", SG_KIND_ATTRIBUTE, SG_TYPE_STRING, -1, SG_ATTACH_DATASET, 0,
         false},
        {"TITLE", SG_KIND_ATTRIBUTE, SG_TYPE_STRING, -1, SG_ATTACH_GROUP, 2,
         false},
        {"ALL", SG_KIND_ATTRIBUTE, SG_TYPE_STRING, -1, SG_ATTACH_OBSERVATION, 0,
         false},
    };
    struct fixture *f = *state;
    read_whole(f);
    assert_int_equal(f->s->component_count, SG_COUNT_OF(want));
    assert_int_equal(f->s->dimension_count, 2);
    assert_int_equal(f->s->time, 2);
    assert_int_equal(f->s->measure, 3);
    for (uint32_t i = 0; i < SG_COUNT_OF(want); i++) {
        const struct sg_component *c = &f->s->components[i];
        assert_true(sg_slice_eq(c->id, sg_slice_text(want[i].id)));
        assert_int_equal(sg_structure_find(f->s, c->id), i);
        assert_int_equal(c->kind, want[i].kind);
        assert_int_equal(c->type, want[i].type);
        assert_int_equal(c->list >= 0, want[i].list >= 0);
        assert_int_equal(c->attach, want[i].attach);
        assert_true(c->dimensions == want[i].dimensions);
        assert_int_equal(c->mandatory, want[i].mandatory);
    }
    const struct sg_facets *note = &f->s->components[6].facets;
    assert_int_equal(note->max_length, 10);
    assert_int_equal(note->min_length, -1);
    assert_true(sg_slice_eq(note->pattern, S("[a-z]+")));
    assert_int_equal(sg_structure_find(f->s, S("FRE")), -1);
    assert_true(
        sg_slice_eq(f->s->urn, S("urn:sdmx:org.sdmx.infomodel.datastructure."
                                 "DataStructure=A:D(2.0)")));
}

static void
codes_have_names_parents_and_annotations(void **state)
{
    struct fixture *f = *state;
    read_whole(f);
    int32_t area = sg_structure_code(f->s, 1, S("762"));
    uint32_t list = (uint32_t)f->s->components[1].list;
    uint32_t status = (uint32_t)f->s->components[4].list;
    assert_int_equal(area, 0);
    assert_int_equal(sg_structure_code(f->s, 1, S("142")), 1);
    assert_int_equal(sg_structure_code(f->s, 1, S("KG_OSH_CITY_OLD")), 2);
    assert_int_equal(sg_structure_code(f->s, 1, S("KG_OSH_CITY_OLE")), -1);
    assert_int_equal(sg_structure_code(f->s, 1, S("76")), -1);
    assert_int_equal(sg_structure_code(f->s, 1, S("")), -1);
    assert_int_equal(sg_structure_code_parent(f->s, list, 0), 1);
    assert_int_equal(sg_structure_code_parent(f->s, list, 1), -1);
    assert_true(
        sg_slice_eq(sg_structure_code_note(f->s, list, 0, S("ISO")), S("TJ")));
    assert_int_equal(sg_structure_code_note(f->s, list, 1, S("ISO")).len, 0);
    static const char *const names[][2] = {
        {"en", "Normal"}, {"fr", "normal (fr)"}, {"ru", "Normal"}};
    for (size_t i = 0; i < SG_COUNT_OF(names); i++)
        assert_true(sg_slice_eq(
            sg_structure_code_name(f->s, status, 0, sg_slice_text(names[i][0])),
            sg_slice_text(names[i][1])));
}

static void
every_code_of_any_length_is_found_and_no_other(void **state)
{
    enum { CODES = 6000 };
    struct fixture *f = *state;
    char *xml = malloc(128u * CODES);
    assert_non_null(xml);
    size_t at = (size_t)sprintf(xml,
                                HEAD "%s%s<s:Codelists><s:Codelist "
                                     "agencyID='A' id='CL_FREQ'>",
                                dsd, concepts);
    for (uint32_t i = 0; i < CODES; i++)
        at += (size_t)sprintf(xml + at, "<s:Code id='%.*sC%u'/>", (int)(i % 24),
                              "PREFIX_OF_MANY_LETTERS_X", i);
    const char *rest = strstr(lists, "</s:Codelist>");
    at += (size_t)sprintf(xml + at, "%s" TAIL, rest);
    assert_int_equal(
        fixture_open(f->arena, sg_slice_of(xml, at), &f->s, &f->diag), SG_OK);
    free(xml);
    for (uint32_t i = 0; i < CODES; i++) {
        char code[64];
        int len = snprintf(code, sizeof code, "%.*sC%u", (int)(i % 24),
                           "PREFIX_OF_MANY_LETTERS_X", i);
        struct sg_slice slice = sg_slice_of(code, (size_t)len);
        assert_int_equal(sg_structure_code(f->s, 0, slice), i);
        code[len - 1] = 'x';
        assert_int_equal(sg_structure_code(f->s, 0, slice), -1);
        slice.len--;
        int32_t shorter = sg_structure_code(f->s, 0, slice);
        if (shorter >= 0)
            assert_true(sg_slice_eq(
                sg_structure_code_text(f->s, (uint32_t)f->s->components[0].list,
                                       (uint32_t)shorter),
                slice));
    }
}

// Codes that share their first and last 8 bytes, or are all one letter: what
// a fingerprint of two words cannot tell apart.
static void
codes_that_look_alike_are_told_apart(void **state)
{
    static const char many[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct fixture *f = *state;
    static char xml[32768];
    int at = snprintf(xml, sizeof xml,
                      HEAD "%s%s<s:Codelists><s:Codelist "
                           "agencyID='A' id='CL_FREQ'>",
                      dsd, concepts);
    for (int i = 0; i < 100; i++)
        at += snprintf(xml + at, sizeof xml - (size_t)at,
                       "<s:Code id='INDICATOR_%03d_PERCENT'/>", 2 * i);
    for (int len = 1; len < 40; len += 2)
        at += snprintf(xml + at, sizeof xml - (size_t)at, "<s:Code id='%.*s'/>",
                       len, many);
    at += snprintf(xml + at, sizeof xml - (size_t)at,
                   "<s:Code id='INDICATOR_002_OF_PERSONS'/>");
    for (char letter = 'B'; letter <= 'Z'; letter++)
        at += snprintf(xml + at, sizeof xml - (size_t)at, "<s:Code id='%c'/>",
                       letter);
    at += snprintf(xml + at, sizeof xml - (size_t)at, "%s" TAIL,
                   strstr(lists, "</s:Codelist>"));
    assert_int_equal(
        fixture_open(f->arena, sg_slice_of(xml, (size_t)at), &f->s, &f->diag),
        SG_OK);
    for (int i = 0; i < 200; i++) {
        char code[64];
        int len = snprintf(code, sizeof code, "INDICATOR_%03d_PERCENT", i);
        assert_int_equal(
            sg_structure_code(f->s, 0, sg_slice_of(code, (size_t)len)),
            i % 2 == 0 ? i / 2 : -1);
    }
    for (int len = 1; len < 40; len++)
        assert_int_equal(
            sg_structure_code(f->s, 0, sg_slice_of(many, (size_t)len)),
            len % 2 == 1 ? 100 + len / 2 : -1);
    for (uint8_t letter = 'B'; letter <= 'Z'; letter++) {
        uint8_t code[8] = {letter};
        for (size_t len = 1; len <= 8; len++)
            assert_int_equal(sg_structure_code(f->s, 0, sg_slice_of(code, len)),
                             len == 1 ? 121 + letter - 'B' : -1);
    }
    // Another middle, and an end made to give the same fingerprint.
    union {
        uint64_t words[3];
        char text[25];
    } forged;
    static const char code[] =
        "INDICATOR_002_OF_PERSONS"; // 24 bytes: three words
    memcpy(forged.text, code, 24);
    struct sg_slice real = sg_slice_of(code, 24);
    memcpy(&forged.words[1], "xxxxxxxx", 8);
    forged.words[2] ^= sg_structure_tail(real) ^
                       sg_structure_tail(sg_slice_of(forged.text, 24));
    struct sg_slice fake = sg_slice_of(forged.text, 24);
    assert_true(sg_structure_tail(fake) == sg_structure_tail(real));
    assert_int_equal(sg_structure_code(f->s, 0, real), 120);
    assert_int_equal(sg_structure_code(f->s, 0, fake), -1);
}

static void
the_code_that_was_meant_is_found(void **state)
{
    static const char *const cases[][2] = {
        {"tj", "762"},
        {"TAJIKISTAN", "762"},
        {"Taji", "762"},
        {" 142 ", "142"},
        {"kg_osh_city_old", "KG_OSH_CITY_OLD"},
        {"KG_OSH_CTY_OLD", "KG_OSH_CITY_OLD"},
        {"763", ""},
        {"zz", ""},
        {"", ""},
        {"ATLANTIS", ""},
    };
    struct fixture *f = *state;
    read_whole(f);
    uint32_t list = (uint32_t)f->s->components[1].list;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        int32_t got =
            sg_structure_nearest(f->s, list, sg_slice_text(cases[i][0]));
        struct sg_slice text = {0};
        if (got >= 0)
            text = sg_structure_code_text(f->s, list, (uint32_t)got);
        if (!sg_slice_eq(text, sg_slice_text(cases[i][1])))
            fail_msg("%s gives \"%.*s\"", cases[i][0], SG_SLICE_ARG(text));
    }
}

static void
constraints_on_its_dataflows_are_kept(void **state)
{
    struct fixture *f = *state;
    read_whole(f);
    assert_int_equal(f->s->flow_count, 1);
    assert_true(sg_slice_eq(f->s->flows[0].id, S("F")));
    assert_int_equal(f->s->constraint_count, 1);
    const struct sg_constraint *k = &f->s->constraints[0];
    assert_true(k->allowed);
    assert_true(sg_slice_eq(k->target, S("Dataflow=A:F(1.0)")));
    assert_int_equal(k->parts, 2);
    struct sg_constraint_part cube = sg_structure_constraint_part(f->s, k, 0);
    struct sg_constraint_part key = sg_structure_constraint_part(f->s, k, 1);
    assert_true(!cube.key && cube.include && key.key && !key.include);
    struct sg_constraint_values v =
        sg_structure_constraint_values(f->s, &cube, 0);
    assert_true(sg_slice_eq(v.component, S("AREA")));
    assert_int_equal(v.count, 2);
    assert_true(
        sg_slice_eq(sg_structure_constraint_value(f->s, &v, 1), S("142")));
    v = sg_structure_constraint_values(f->s, &key, 0);
    assert_true(
        sg_slice_eq(sg_structure_constraint_value(f->s, &v, 0), S("M")));
}

#define LIST(id, body)                                                         \
    "<s:Codelist agencyID='A' id='" id "' version='1.0'>" body "</s:Codelist>"
#define CODE(id) "<s:Code id='" id "'/>"
#define BELOW(id, parent)                                                      \
    "<s:Code id='" id "'><s:Parent>" parent "</s:Parent></s:Code>"
#define TAKES(prefix, from, selection)                                         \
    "<s:CodelistExtension" prefix "><s:Codelist>urn:sdmx:org.sdmx.infomodel."  \
    "codelist.Codelist=A:" from "(1.0)</s:Codelist>" selection                 \
    "</s:CodelistExtension>"
#define ONLY(members)                                                          \
    "<s:InclusiveCodeSelection>" members "</s:InclusiveCodeSelection>"
#define BUT(members)                                                           \
    "<s:ExclusiveCodeSelection>" members "</s:ExclusiveCodeSelection>"
#define MEMBER(cascade, text)                                                  \
    "<s:MemberValue" cascade ">" text "</s:MemberValue>"
#define DEEP  " cascadeValues='true'"
#define UNDER " cascadeValues='excluderoot'"

static void
a_code_list_takes_codes_from_others(void **state)
{
    static const char base[] =
        LIST("CL_B", CODE("X") BELOW("X1", "X") BELOW("X11", "X1") CODE("Y")
                         BELOW("Y1", "Y"));
    static const struct {
        const char *list;
        const char *codes; // with the parent behind /; NULL: refused
        const char *says;
    } cases[] = {
        {TAKES("", "CL_B", ""), "OWN X X1/X X11/X1 Y Y1/Y", ""},
        {TAKES(" prefix='P_'", "CL_B", ""),
         "OWN P_X P_X1/P_X P_X11/P_X1 P_Y P_Y1/P_Y", ""},
        {TAKES("", "CL_B", ONLY(MEMBER("", "X") MEMBER("", "Y1"))), "OWN X Y1",
         ""},
        {TAKES("", "CL_B", ONLY(MEMBER(DEEP, "X1"))), "OWN X1 X11/X1", ""},
        {TAKES("", "CL_B", ONLY(MEMBER(UNDER, "X"))), "OWN X1 X11/X1", ""},
        {TAKES("", "CL_B", ONLY(MEMBER("", "%1"))), "OWN X1 X11/X1 Y1", ""},
        {TAKES("", "CL_B", ONLY(MEMBER("", "X%1%1"))), "OWN X11", ""},
        {TAKES("", "CL_B", BUT(MEMBER(DEEP, "X"))), "OWN Y Y1/Y", ""},
        {TAKES("", "CL_B", BUT(MEMBER("", "X"))), "OWN X1 X11/X1 Y Y1/Y", ""},
        // nothing selected: nothing taken
        {TAKES("", "CL_B", ONLY(MEMBER("", "Z"))), "OWN", ""},
        // of a list that takes codes itself; the last list's are kept
        {TAKES("", "CL_C", ""), "OWN C X X1/X X11/X1 Y Y1/Y", ""},
        {TAKES("", "CL_B", ONLY(MEMBER("", "X")))
             TAKES("", "CL_C", ONLY(MEMBER("", "X"))),
         "OWN X", ""},
        {TAKES("", "CL_GONE", ""), NULL,
         "A:CL_AREA(1.0) takes codes from A:CL_GONE(1.0), which is not there"},
        {TAKES("", "CL_AREA", ""), NULL, "in a circle"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char more[4096], text[256] = "";
        (void)snprintf(
            more, sizeof more,
            "<s:Codelists>" LIST("CL_FREQ", CODE("A")) LIST("CL_ST", CODE("A"))
                LIST("CL_AREA", CODE("OWN") "%s") LIST(
                    "CL_C", CODE("C") TAKES("", "CL_B", "")) "%s</s:Codelists>",
            cases[i].list, base);
        f->diag.text[0] = '\0';
        enum sg_err err = read_parts(f, dsd, more, concepts, "");
        if (cases[i].codes == NULL) {
            assert_int_equal(err, SG_ERR_NOT_FOUND);
            if (strstr(f->diag.text, cases[i].says) == NULL)
                fail_msg("%s", f->diag.text);
            continue;
        }
        if (err != SG_OK)
            fail_msg("%zu: %s", i, f->diag.text);
        uint32_t list =
            (uint32_t)f->s->components[sg_structure_find(f->s, S("AREA"))].list;
        for (uint32_t o = 0; o < f->s->lists[list].count; o++) {
            struct sg_slice id = sg_structure_code_text(f->s, list, o);
            int32_t parent = sg_structure_code_parent(f->s, list, o);
            struct sg_slice above =
                parent < 0
                    ? S("")
                    : sg_structure_code_text(f->s, list, (uint32_t)parent);
            size_t at = strlen(text);
            (void)snprintf(text + at, sizeof text - at, "%s%.*s%s%.*s",
                           o == 0 ? "" : " ", SG_SLICE_ARG(id),
                           parent < 0 ? "" : "/", SG_SLICE_ARG(above));
        }
        if (strcmp(text, cases[i].codes) != 0)
            fail_msg("%s\n%s", cases[i].list, text);
    }
}

#define LATER(id, on, area)                                                    \
    "<s:ContentConstraint agencyID='A' id='" id "' version='1.0' "             \
    "type='Allowed'><s:ConstraintAttachment>" on                               \
    "</s:ConstraintAttachment><s:CubeRegion><c:KeyValue id='AREA'>"            \
    "<c:Value cascadeValues='true'>" area "</c:Value></c:KeyValue>"            \
    "<c:KeyValue id='TIME_PERIOD'><c:TimeRange><c:StartPeriod "                \
    "isInclusive='false'>2000</c:StartPeriod></c:TimeRange></c:KeyValue>"      \
    "</s:CubeRegion></s:ContentConstraint>"
#define ON_D                                                                   \
    "<s:DataStructure><Ref agencyID='A' id='D' version='2.0'/>"                \
    "</s:DataStructure>"
#define ON_F "<s:Dataflow><Ref agencyID='A' id='F' version='1.0'/></s:Dataflow>"

// base and what body says, as imported later.
static enum sg_err
add(struct fixture *f, const struct sg_structure *base, const char *body,
    bool replace, const struct sg_structure **out)
{
    struct sg_model model = {.arena = f->arena};
    char xml[4096];
    struct sg_slice blob;
    int len = snprintf(xml, sizeof xml, HEAD "%s" TAIL, body);
    assert_in_range(len, 1, sizeof xml - 1);
    assert_int_equal(
        fixture_read(&model, sg_slice_of(xml, (size_t)len), &f->diag), SG_OK);
    enum sg_err err = sg_structure_constrain(base, base, &model, replace,
                                             f->arena, &blob, &f->diag);
    return err == SG_OK ? sg_structure_open(blob, f->arena, out) : err;
}

static void
constraints_that_come_later_make_the_same_structure(void **state)
{
    static const char flow[] =
        "<s:Dataflows><s:Dataflow agencyID='A' id='F' version='1.0'>"
        "<s:Structure><URN>urn:sdmx:org.sdmx.infomodel.datastructure."
        "DataStructure=A:D(2.0)</URN></s:Structure></s:Dataflow></s:Dataflows>";
    static const char one[] =
        "<s:Constraints>" LATER("K1", ON_D ON_F, "762") "</s:Constraints>";
    static const char two[] =
        "<s:Constraints>" LATER("K2", ON_D, "142") "</s:Constraints>";
    static const char both[] = "<s:Constraints>" LATER("K2", ON_D, "142")
        LATER("K1", ON_D ON_F, "762") "</s:Constraints>";
    static const char other[] =
        "<s:Constraints>" LATER("K1", ON_D, "142") "</s:Constraints>";
    struct fixture *f = *state;
    char at_once[4096], with_flow[2048];
    const struct sg_structure *whole, *a, *b, *c;
    (void)snprintf(at_once, sizeof at_once, "%s%s", flow, both);
    (void)snprintf(with_flow, sizeof with_flow, "%s%s", flow, one);
    assert_int_equal(read_parts(f, dsd, lists, concepts, at_once), SG_OK);
    whole = f->s;
    assert_int_equal(whole->constraint_count, 3); // one on two things
    assert_int_equal(read_parts(f, dsd, lists, concepts, flow), SG_OK);

    // In either order, once more, and all together.
    assert_int_equal(add(f, f->s, with_flow, false, &a), SG_OK);
    assert_int_equal(a->constraint_count, 2);
    assert_int_equal(add(f, a, two, false, &b), SG_OK);
    assert_true(sg_slice_eq(b->blob, whole->blob));
    assert_int_equal(add(f, f->s, two, false, &a), SG_OK);
    assert_int_equal(add(f, a, with_flow, false, &b), SG_OK);
    assert_true(sg_slice_eq(b->blob, whole->blob));
    assert_int_equal(add(f, b, with_flow, false, &c), SG_OK);
    assert_true(sg_slice_eq(c->blob, whole->blob));

    // Another content asks for --replace; what is not named stays.
    assert_int_equal(add(f, b, other, false, &c), SG_ERR_EXISTS);
    assert_non_null(strstr(f->diag.text, "A:K1(1.0) is there with another"));
    assert_int_equal(add(f, b, other, true, &c), SG_OK);
    assert_int_equal(c->constraint_count, 2);
    assert_false(sg_slice_eq(c->blob, b->blob));
    assert_int_equal(add(f, c, with_flow, true, &a), SG_OK);
    assert_true(sg_slice_eq(a->blob, whole->blob));
}

#define NOWHERE(type)                                                          \
    "<s:Constraints><s:ContentConstraint agencyID='A' id='K' version='1.0' "   \
    "type='" type "'><s:ConstraintAttachment>" ON_D                            \
    "</s:ConstraintAttachment><s:CubeRegion><c:KeyValue id='NOWHERE'>"         \
    "<c:Value>1</c:Value></c:KeyValue></s:CubeRegion></s:ContentConstraint>"   \
    "</s:Constraints>"

static void
a_constraint_on_no_component_is_refused(void **state)
{
    static const char says[] = "constraint A:K(1.0) names NOWHERE, which is no "
                               "component of A:D(2.0)";
    struct fixture *f = *state;
    const struct sg_structure *out;
    assert_int_equal(read_parts(f, dsd, lists, concepts, NOWHERE("Allowed")),
                     SG_ERR_NOT_FOUND);
    assert_non_null(strstr(f->diag.text, says));
    // What says what is there need not hold.
    assert_int_equal(read_parts(f, dsd, lists, concepts, NOWHERE("Actual")),
                     SG_OK);
    f->diag.text[0] = '\0';
    assert_int_equal(add(f, f->s, NOWHERE("Allowed"), true, &out),
                     SG_ERR_NOT_FOUND);
    assert_non_null(strstr(f->diag.text, says));
}

static void
a_faulty_structure_is_refused_with_line_and_cure(void **state)
{
    static const struct {
        const char *dsd, *from, *to; // in dsd or lists: from becomes to
        enum sg_err err;
        uint32_t line;
        const char *says;
    } cases[] = {
        {"d", "id='CL_AREA' version", "id='CL_GONE' version", SG_ERR_NOT_FOUND,
         8, "A:CL_GONE(1.0)"},
        {"d", "<Ref id='FREQ'/></s:Dimension><s:D",
         "<Ref id='X'/></s:Dimension><s:D", SG_ERR_NOT_FOUND, 0,
         "X is no dimension"},
        {"d", "<s:Group><Ref id='G'/>", "<s:Group><Ref id='H'/>",
         SG_ERR_NOT_FOUND, 6, "belongs to group H"},
        {"d", "id='NOTE'", "id='AREA'", SG_ERR_SYNTAX, 5, "two components"},
        {"d", "<s:TimeDimension id='TIME_PERIOD'/>",
         "<s:TimeDimension id='TIME_PERIOD'/><s:TimeDimension id='T'/>",
         SG_ERR_SYNTAX, 8, "second time dimension"},
        {"l", "<s:Code id='142'>", "<s:Code id='762'>", SG_ERR_SYNTAX, 0,
         "762 is twice"},
        {"l", "<s:Code id='142'>", "<s:Code>", SG_ERR_SYNTAX, 0,
         "without an id"},
        {"l", "<s:Codelists>", "<s:Codelists", SG_ERR_SYNTAX, 0,
         "not well-formed"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        static char text[32768];
        const char *in = cases[i].dsd[0] == 'd' ? dsd : lists;
        const char *at = strstr(in, cases[i].from);
        assert_non_null(at);
        int len = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - in), in,
                           cases[i].to, at + strlen(cases[i].from));
        assert_in_range(len, 1, sizeof text - 1);
        bool is_dsd = in == dsd;
        f->diag = (struct sg_diag){0};
        assert_int_equal(read_parts(f, is_dsd ? text : dsd,
                                    is_dsd ? lists : text, concepts, ""),
                         cases[i].err);
        if (strstr(f->diag.text, cases[i].says) == NULL ||
            (cases[i].line != 0 && f->diag.line != cases[i].line))
            fail_msg("case %zu: line %u: %s", i, f->diag.line, f->diag.text);
    }
}

static void
what_is_no_structure_message_is_refused(void **state)
{
    static const char *const docs[] = {
        "<StructureSpecificData/>",
        "<Structure xmlns='http://www.SDMX.org/resources/SDMXML/schemas/v2_0/"
        "message'/>",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SG_COUNT_OF(docs); i++) {
        f->diag = (struct sg_diag){0};
        assert_int_equal(
            fixture_open(f->arena, sg_slice_text(docs[i]), &f->s, &f->diag),
            SG_ERR_UNSUPPORTED);
        assert_true(f->diag.line == 1 && strlen(f->diag.text) > 20);
    }
}

static void
the_same_message_gives_the_same_pin_and_another_another(void **state)
{
    struct fixture *f = *state;
    uint8_t first[32], second[32], third[32];
    read_whole(f);
    sg_structure_sha256(f->s, first);
    read_whole(f);
    sg_structure_sha256(f->s, second);
    assert_int_equal(read_parts(f, dsd, lists, concepts, ""), SG_OK);
    sg_structure_sha256(f->s, third);
    assert_memory_equal(first, second, 32);
    assert_memory_not_equal(first, third, 32);
    assert_int_equal(f->s->source_sha256[1], 2);
}

// Looks everything up that a blob lets be looked up.
static void
walk(const struct sg_structure *s)
{
    size_t sum = s->urn.len;
    for (uint32_t l = 0; l < s->list_count; l++) {
        for (uint32_t i = 0; i < s->lists[l].count; i++) {
            struct sg_slice code = sg_structure_code_text(s, l, i);
            sum += (size_t)sg_structure_list_code(s, &s->lists[l], code);
            sum += sg_structure_code_name(s, l, i, S("en")).len;
            sum += sg_structure_code_note(s, l, i, S("ISO")).len;
        }
    }
    for (uint32_t i = 0; i < s->constraint_count; i++) {
        for (uint32_t p = 0; p < s->constraints[i].parts; p++) {
            struct sg_constraint_part part =
                sg_structure_constraint_part(s, &s->constraints[i], p);
            for (uint32_t v = 0; v < part.count; v++) {
                struct sg_constraint_values values =
                    sg_structure_constraint_values(s, &part, v);
                for (uint32_t t = 0; t < values.count; t++)
                    sum += sg_structure_constraint_value(s, &values, t).len;
            }
        }
    }
    assert_true(sum > 0);
}

static void
a_damaged_blob_is_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    read_whole(f);
    size_t len = f->s->blob.len;
    const uint8_t *blob = f->s->blob.ptr;
    uint64_t *room = malloc(len);
    assert_non_null(room);
    uint32_t refused = 0;
    for (size_t at = 0; at < len; at++) {
        for (uint32_t bit = 0; bit < 8; bit += 7) {
            struct sg_arena *arena = sg_arena_new(1u << 20, 0);
            assert_non_null(arena);
            memcpy(room, blob, len);
            ((uint8_t *)room)[at] ^= (uint8_t)(1u << bit);
            const struct sg_structure *s = NULL;
            if (sg_structure_open(sg_slice_of(room, len), arena, &s) == SG_OK)
                walk(s);
            else
                refused++;
            sg_arena_free(&arena);
        }
    }
    assert_true(refused > len / 4);
    for (size_t cut = 0; cut < len; cut += 8) {
        const struct sg_structure *s = NULL;
        assert_int_not_equal(
            sg_structure_open(sg_slice_of(blob, cut), f->arena, &s), SG_OK);
    }
    free(room);
}

static void
references_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        const char *agency, *id, *version, *item;
    } cases[] = {
        {"urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.0)",
         true, "SDMX", "CL_FREQ", "2.0", ""},
        {"urn:sdmx:org.sdmx.infomodel.codelist.Code=IAEG-SDGs:CL(1.4)._T", true,
         "IAEG-SDGs", "CL", "1.4", "_T"},
        {"IMF.STA:DF(1.0.0)", true, "IMF.STA", "DF", "1.0.0", ""},
        {"IAEG-SDGs:SDG", true, "IAEG-SDGs", "SDG", "1.0", ""},
        {"SDG", false, "", "", "", ""},
        {"A:B(1.0", false, "", "", "", ""},
        {"A:B(1.0)x", false, "", "", "", ""},
        {"A:B()", false, "", "", "", ""},
        {":B(1.0)", false, "", "", "", ""},
        {"", false, "", "", "", ""},
    };
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_model_ref ref = {0};
        assert_int_equal(
            sg_structure_parse_ref(sg_slice_text(cases[i].text), &ref),
            cases[i].ok);
        if (!cases[i].ok)
            continue;
        assert_true(sg_slice_eq(ref.agency, sg_slice_text(cases[i].agency)));
        assert_true(sg_slice_eq(ref.id, sg_slice_text(cases[i].id)));
        assert_true(sg_slice_eq(ref.version, sg_slice_text(cases[i].version)));
        assert_true(sg_slice_eq(ref.item, sg_slice_text(cases[i].item)));
    }
    assert_true(sg_structure_version_cmp(S("1.10"), S("1.9")) > 0);
    assert_true(sg_structure_version_cmp(S("1.0"), S("1.0.0")) == 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(components_stand_in_canonical_order_whatever_the_document_does),
        T(codes_have_names_parents_and_annotations),
        T(every_code_of_any_length_is_found_and_no_other),
        T(codes_that_look_alike_are_told_apart),
        T(the_code_that_was_meant_is_found),
        T(constraints_on_its_dataflows_are_kept),
        T(a_code_list_takes_codes_from_others),
        T(a_constraint_on_no_component_is_refused),
        T(constraints_that_come_later_make_the_same_structure),
        T(a_faulty_structure_is_refused_with_line_and_cure),
        T(what_is_no_structure_message_is_refused),
        T(the_same_message_gives_the_same_pin_and_another_another),
        T(a_damaged_blob_is_refused_or_harmless),
        T(references_are_read_in_every_form),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
