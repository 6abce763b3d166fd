#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/ml_fixture.h"

#define OPEN(root, at)                                                         \
    "<?xml version='1.0'?><m:" root                                            \
    " xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message' "    \
    "xmlns:g='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic'" \
    " xmlns:c='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common'>"     \
    "<m:Header><m:ID>X</m:ID><m:Test>true</m:Test><m:Sender id='BIS'/>"        \
    "<m:Structure structureID='S1' dimensionAtObservation='" at "'>"           \
    "<c:StructureUsage><Ref agencyID='T' id='FLOW' version='1.0'/>"            \
    "</c:StructureUsage></m:Structure></m:Header>"
#define HEAD    OPEN("GenericData", "TIME_PERIOD")
#define END     "</m:GenericData>"
#define SET     "<m:DataSet structureRef='S1' action='Information'>"
#define TAIL    "</m:DataSet>" END
#define V(i, v) "<g:Value id='" i "' value='" v "'/>"
#define KEY(f, a)                                                              \
    "<g:Series><g:SeriesKey>" V("FREQ", f) V("AREA", a) "</g:SeriesKey>"
#define AT(...)    "<g:Attributes>" __VA_ARGS__ "</g:Attributes>"
#define OBS(t, v)  "<g:Obs><g:ObsDimension value='" t "'/>" VALUE(v)
#define VALUE(v)   "<g:ObsValue value='" v "'/>"
#define ONE        OBS("2020", "1") AT(V("STATUS", "N")) "</g:Obs>"
#define TWO        OBS("2021", "2") AT(V("STATUS", "N")) "</g:Obs>"
#define UNIT       AT(V("UNIT", "PT"))
#define GROUP(...) "<g:Group type='Sibling'>" __VA_ARGS__ "</g:Group>"
#define FLAT(a)                                                                \
    "<g:Obs><g:ObsKey>" V("FREQ", "A") V("AREA", a)                            \
        V("TIME_PERIOD", "2020") "</g:ObsKey>" VALUE("1")                      \
            AT(V("STATUS", "N") V("UNIT", "PT")) "</g:Obs>"

static const struct ml_message messages[] = {
    {HEAD SET KEY("A", "KE") UNIT ONE TWO "</g:Series>" TAIL, 2, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    // attributes of data set, group and series stand on each row
    {HEAD SET AT(V("SOURCE", "S")) GROUP("<g:GroupKey>" V(
         "AREA", "KE") "</g:GroupKey>" AT(V("TITLE", "T"))) KEY("A", "KE")
         UNIT ONE TWO "</g:Series>" KEY("A", "UG") UNIT ONE "</g:Series>" TAIL,
     3, "",
     V2 F "I,A,KE,2020,1,N,PT,T,S,\n" F "I,A,KE,2021,2,N,PT,T,S,\n" F
          "I,A,UG,2020,1,N,PT,,S,\n"},
    // what an observation has of its own comes, stays and goes
    {HEAD SET KEY("A", "KE") UNIT ONE OBS("2021", "1")
         AT(V("NOTE", "n") V("STATUS", "N")) "</g:Obs>" OBS("2022", "1")
             AT(V("STATUS", "N") V(
                 "NOTE", "n")) "</g:Obs><g:Obs><g:ObsDimension"
                               " id='TIME_PERIOD' value='2023'/>" AT(
                                   V("STATUS",
                                     "E")) "</g:Obs></g:Series>" KEY("A", "UG")
                                   UNIT "</g:Series>" TAIL,
     5, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,1,N,PT,,,n\n" F
          "I,A,KE,2022,1,N,PT,,,n\n" F "I,A,KE,2023,,E,PT,,,\n" F
          "I,A,UG,,,,PT,,,\n"},
    // a group and a data set that meet no observation
    {HEAD SET GROUP("<g:GroupKey>" V("AREA", "TZ") "</g:GroupKey>" AT(
         V("TITLE", "T"))) TAIL,
     1, "", V2 F "I,,TZ,,,,,T,,\n"},
    {HEAD SET AT(V("SOURCE", "S")) TAIL, 1, "", V2 F "I,,,,,,,,S,\n"},
    // flat
    {OPEN("GenericData", "AllDimensions") SET GROUP(
         "<g:GroupKey>" V("AREA", "KE") "</g:GroupKey>" AT(V("TITLE", "T")))
         FLAT("KE") FLAT("UG") TAIL,
     2, "", V2 F "I,A,KE,2020,1,N,PT,T,,\n" F "I,A,UG,2020,1,N,PT,,,\n"},
    // series of one period
    {OPEN("GenericData", "AREA") SET GROUP("<g:GroupKey>" V(
         "AREA",
         "KE") "</g:GroupKey>" AT(V("TITLE",
                                    "T"))) "<g:Series><g:SeriesKey>" V("FREQ",
                                                                       "A")
         V("TIME_PERIOD", "2020") "</g:SeriesKey>" OBS("KE", "1")
             AT(V("STATUS", "N") V(
                 "UNIT",
                 "PT")) "</g:Obs><g:Obs><g:ObsDimension id='AREA' value='UG'/>" VALUE("1")
                 AT(V("STATUS", "N")
                        V("UNIT", "PT")) "</g:Obs></g:Series>" TAIL,
     2, "", V2 F "I,A,KE,2020,1,N,PT,T,,\n" F "I,A,UG,2020,1,N,PT,,,\n"},
    // as time series
    {OPEN("GenericTimeSeriesData", "TIME_PERIOD") SET KEY("A", "KE") UNIT ONE
     "</g:Series></m:DataSet></m:GenericTimeSeriesData>",
     1, "", V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    // the text that was sent; annotations are of no interest
    {HEAD SET KEY(
         "A",
         "KE") "<c:Annotations><c:Annotation><c:AnnotationText>x"
               "</c:AnnotationText></c:Annotation></c:Annotations>" UNIT OBS(
                   "2020", "1.50")
                   AT(V("STATUS", "N") V(
                       "NOTE", "&lt;&#10;&amp; ")) "</g:Obs>" OBS("2021", "NaN")
                       AT(V("STATUS", "N")) "</g:Obs>"
                                            "</g:Series>" TAIL,
     2, "",
     V2 F "I,A,KE,2020,1.50,N,PT,,,\"<\n& \"\n" F "I,A,KE,2021,NaN,N,PT,,,\n"},
    // delete a series, everything
    {HEAD "<m:DataSet structureRef='S1' action='Delete'>" KEY(
         "A", "KE") "</g:Series>" TAIL,
     1, "", V2 F "D,A,KE,,,,,,,\n"},
    {HEAD "<m:DataSet structureRef='S1' action='Delete'/>" END, 1, "",
     V2 F "D,,,,,,,,,\n"},
    // an empty message, one that was cut
    {HEAD END, 0, "w:NO_OBSERVATIONS  0 \n", NULL},
    {HEAD SET KEY("A", "KE") UNIT ONE
     "</g:Series></m:DataSet><f:Footer "
     "xmlns:f='f'><f:Message code='510' severity='Error'><c:Text>cut"
     "</c:Text></f:Message></f:Footer>" END,
     1, "w:FOOTER  0 510 Error\n", NULL},
    // faults
    {HEAD SET KEY("A", "KE") UNIT ONE ONE "</g:Series>" TAIL, 2,
     "DUPLICATE key 2 \n", NULL},
    {HEAD SET KEY("A", "ke") UNIT ONE "</g:Series>" TAIL, 1, "CODE AREA 1 ke\n",
     NULL},
    {HEAD SET KEY("A", "KE") ONE "</g:Series>" TAIL, 1,
     "ATTR_MANDATORY UNIT 1 \n", NULL},
    {HEAD SET KEY("A", "KE") AT(V("UNIT", "PT") V("FOO", "1")) ONE TWO
     "</g:Series>" TAIL,
     2, "UNKNOWN_COMPONENT FOO 1 1\n", NULL},
    {HEAD SET KEY("A", "KE") UNIT ONE OBS("2021", "2")
         AT(V("STATUS", "N") V("UNIT", "X")) "</g:Obs></g:Series>" TAIL,
     2, "ATTR_LEVEL UNIT 2 \nw:ATTR_CONFLICT UNIT 2 X\n", NULL},
    // a value twice: which of them is meant?
    {HEAD SET KEY("A", "KE") UNIT ONE OBS("2021", "2") VALUE("3")
         AT(V("STATUS", "N")) "</g:Obs></g:Series>" TAIL,
     2, "OCCURS OBS_VALUE 2 3\n", NULL},
    // nothing that is written is passed over but annotations
    {HEAD SET "<c:Annotations><g:Obs/>x</c:Annotations>" KEY("A", "KE") UNIT ONE
     "</g:Series>" TAIL,
     1, "", NULL},
    {HEAD SET "<g:Value id='SOURCE' value='S'/>" KEY("A", "KE") UNIT ONE
     "</g:Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET KEY("A", "KE") UNIT "<g:Value id='UNIT' value='IX'/>" ONE
                                  "</g:Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET KEY("A", "KE") UNIT OBS("2021", "2")
         AT(V("STATUS", "N") "<g:Text>x</g:Text>") "</g:Obs></g:Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET KEY("A", "KE") UNIT OBS("2021", "2")
         AT(V("STATUS", "N")) "3</g:Obs></g:Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET GROUP("<g:GroupKey>" V("AREA", "KE") "</g:GroupKey>" AT(V(
         "TITLE", "T")) "<g:Obs/>") KEY("A", "KE") UNIT ONE "</g:Series>" TAIL,
     1, "XML  0 \n", NULL},
    // whose value is it?
    {HEAD SET KEY("A", "KE") UNIT OBS("2020", "1")
         AT("<g:Value value='N'/>") "</g:Obs></g:Series>" TAIL,
     1, "UNKNOWN_COMPONENT  1 N\nATTR_MANDATORY STATUS 1 \n", NULL},
    // what stands behind that which it belongs to
    {HEAD SET KEY("A", "KE") ONE UNIT "</g:Series>" TAIL, 1,
     "ATTR_LEVEL UNIT 0 PT\nATTR_MANDATORY UNIT 1 \n", NULL},
    {HEAD "<m:DataSet structureRef='S2'>" KEY("A", "KE") UNIT ONE
     "</g:Series>" TAIL,
     1, "STRUCTURE_REF  0 S2\n", NULL},
    {HEAD "<m:DataSet structureRef='S1' action='Move'>" KEY("A", "KE") UNIT ONE
     "</g:Series>" TAIL,
     1, "ACTION action 0 Move\n", NULL},
    {HEAD SET KEY("A", "KE") ONE, 1, "XML  0 \nATTR_MANDATORY UNIT 1 \n", NULL},
    {"<m:GenericMetadata xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/"
     "v2_1/message'/>",
     0, "HEADER  0 GenericMetadata\n", NULL},
};

static void
messages_mean_what_their_csv_means(void **state)
{
    (void)state;
    ml_fixture_check(SG_SLICE(obs_fixture_dsd), messages,
                     SG_COUNT_OF(messages));
}

// Two series, whose rows stand on lines 3 and 6.
static void
faults_name_the_line_of_the_observation(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    assert_int_equal(
        obs_fixture_run(
            f,
            SG_SLICE(HEAD SET "\n" KEY("A", "KE") UNIT
                     "\n" ONE "\n</g:Series>" KEY("A", "UG") UNIT
                     "\n\n"
                     "<g:Obs>\n<g:ObsDimension value='20x'/>\n" AT(
                         V("STATUS", "N")) "</g:Obs></g:Series>" TAIL),
            7, false),
        SG_OK);
    assert_string_equal(f->text, "TIME_FORMAT TIME_PERIOD 2 20x\n");
    assert_int_equal(f->line, 6);
    obs_fixture_free(f);
}

// As many values as one tag may have, and one more.
static void
an_element_without_end_is_refused(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    size_t cap = 1u << 20, len = 0;
    char *text = malloc(cap);
    (void)state;
    len += (size_t)snprintf(text, cap, "%s", HEAD SET "<g:Attributes>");
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(text + len, cap - len,
                                "<g:Value id='A%d' value='1'/>", i);
    len += (size_t)snprintf(text + len, cap - len, "</g:Attributes>" TAIL);
    assert_int_equal(obs_fixture_run(f, sg_slice_of(text, len), 999, false),
                     SG_OK);
    assert_string_equal(f->text, "XML  0 \n");
    free(text);
    obs_fixture_free(f);
}

// The same file with the namespaces of SDMX-ML 3.0.
static void
make_it_3(struct sg_slice data)
{
    uint8_t *at = (uint8_t *)(uintptr_t)data.ptr;
    for (size_t i = 0; i + 6 <= data.len; i++)
        if (memcmp(at + i, "/v2_1/", 6) == 0)
            memcpy(at + i, "/v3_0/", 6);
}

// The same figures in every format that they are to be had in.
static void
real_figures_have_one_content_in_every_format(void **state)
{
    static const char *const files[] = {
        "mutations/base_valid.csv10.csv", "mutations/base_valid.csv20.csv",
        "mutations/base_valid.ss21.xml", "mutations/base_valid.gen21.xml",
        "mutations/base_valid.ss21.xml"}; // the last one as 3.0
    struct sg_slice dsd =
        obs_fixture_shared("structures/IAEG-SDGs_SDG_1.4.xml");
    struct sg_slice first = {NULL, 0};
    (void)state;
    if (dsd.ptr == NULL) {
        print_message("skipped: needs ../shared\n");
        skip();
    }
    struct obs_fixture *f = obs_fixture_new(dsd);
    for (size_t i = 0; i < SG_COUNT_OF(files); i++) {
        struct sg_slice data = obs_fixture_shared(files[i]);
        assert_non_null(data.ptr);
        if (i == SG_COUNT_OF(files) - 1)
            make_it_3(data);
        assert_int_equal(obs_fixture_run(f, data, 3001, false), SG_OK);
        assert_string_equal(f->text, "");
        assert_int_equal(f->rows, 60);
        if (i == SG_COUNT_OF(files) - 1)
            assert_int_equal(f->media, SG_MEDIA_ML30);
        if (i == 0) {
            uint8_t *kept = malloc(f->len);
            memcpy(kept, f->bytes, f->len);
            first = sg_slice_of(kept, f->len);
        }
        if (f->len != first.len || memcmp(f->bytes, first.ptr, f->len) != 0)
            fail_msg("%s says something else", files[i]);
        obs_fixture_drop(data);
    }
    obs_fixture_drop(first);
    obs_fixture_drop(dsd);
    obs_fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_mean_what_their_csv_means),
        cmocka_unit_test(faults_name_the_line_of_the_observation),
        cmocka_unit_test(an_element_without_end_is_refused),
        cmocka_unit_test(real_figures_have_one_content_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
