#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/complex_fixture.h"
#include "tests/unit/sdmx/ml_fixture.h"

#define OPEN(version)                                                           \
    "<?xml version='1.0'?><m:StructureSpecificData "                            \
    "xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/" version            \
    "/message' xmlns:ss='http://www.sdmx.org/resources/sdmxml/schemas/" version \
    "/data/structurespecific' xmlns:c='http://www.sdmx.org/resources/sdmxml/"   \
    "schemas/" version "/common' xmlns:n='urn:x' "                              \
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"                    \
    "<m:Header><m:ID>X</m:ID><m:Test>true</m:Test><m:Sender id='BIS'/>"         \
    "<m:Structure structureID='S1' namespace='urn:x' "                          \
    "dimensionAtObservation='TIME_PERIOD'>"
#define NAMED(what)                                                            \
    "<c:" what ">urn:sdmx:org.sdmx.infomodel.x." what "=T:FLOW(1.0)</c:" what  \
    "></m:Structure></m:Header>"
#define HEAD OPEN("v3_0") NAMED("StructureUsage")
#define SET  "<m:DataSet xsi:type='n:DataSetType' ss:structureRef='S1'>"
#define TAIL "</m:DataSet></m:StructureSpecificData>"
#define ONE  "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'/>"
#define TWO  "<Obs TIME_PERIOD='2021' OBS_VALUE='2' STATUS='N'/>"
#define KE   "<Series FREQ='A' AREA='KE' UNIT='PT'>"
#define COMP(id, values)                                                       \
    "<Comp id='" id "' xsi:type='n:" id "_ATTRIBUTE'>" values "</Comp>"
#define IN(lang, text) "<c:Text xml:lang='" lang "'>" text "</c:Text>"

static const struct ml_message messages[] = {
    {HEAD SET KE ONE TWO "</Series>" TAIL, 2, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    // references to each kind of structure; the words of 3.1
    {OPEN("v3_0") NAMED("Structure") SET KE ONE "</Series>" TAIL, 1, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    {OPEN("v3_1") NAMED("ProvisionAgreement") "<m:DataSet ss:structureRef='S1'"
                                              " ss:action='Merge'>" KE ONE
                                              "</Series>" TAIL,
     1, "", V2 F "M,A,KE,2020,1,N,PT,,,\n"},
    // attributes of no, of some and of all dimensions but time
    {HEAD SET "<Atts SOURCE='S'/><Atts AREA='KE' TITLE='T'/><Group "
              "xsi:type='n:Sibling' AREA='UG' TITLE='U'/><Atts FREQ='A' "
              "AREA='UG' UNIT='IX'/>" KE ONE TWO
              "</Series><Series FREQ='A' AREA='UG'>" ONE "</Series>" TAIL,
     3, "",
     V2 F "I,A,KE,2020,1,N,PT,T,S,\n" F "I,A,KE,2021,2,N,PT,T,S,\n" F
          "I,A,UG,2020,1,N,IX,U,S,\n"},
    // series and observations in one data set
    {HEAD SET KE ONE "</Series><Obs FREQ='A' AREA='UG' TIME_PERIOD='2020' "
                     "UNIT='PT' OBS_VALUE='3' STATUS='E'/>" KE TWO
                     "</Series>" TAIL,
     3, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,UG,2020,3,E,PT,,,\n" F
          "I,A,KE,2021,2,N,PT,,,\n"},
    // what meets no observation
    {HEAD SET "<Atts SOURCE='S'/><Atts AREA='TZ' TITLE='T'/>" TAIL, 2, "",
     V2 F "I,,,,,,,,S,\n" F "I,,TZ,,,,,T,,\n"},
    // delete a series
    {HEAD "<m:DataSet ss:structureRef='S1' ss:action='Delete'><Series "
          "FREQ='A' AREA='KE'/>" TAIL,
     1, "", V2 F "D,A,KE,,,,,,,\n"},
    // values that are complex where the structure has simple ones
    {HEAD SET KE
     "<Obs TIME_PERIOD='2020' OBS_VALUE='1'>" COMP("STATUS", "<Value>N</Value>")
         COMP("NOTE", "<Value> a&lt;</Value>") "</Obs>" TWO "</Series>" TAIL,
     2, "", V2 F "I,A,KE,2020,1,N,PT,,, a<\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1'>" COMP(
         "STATUS", "<Value>N</Value><Value>E</Value>") "</Obs></Series>" TAIL,
     1, "OCCURS STATUS 1 \n", NULL},
    // faults
    {HEAD SET KE ONE ONE "</Series>" TAIL, 2, "DUPLICATE key 2 \n", NULL},
    {HEAD SET "<Series FREQ='A' AREA='KE' UNIT='PT' FOO='1'>" ONE TWO
              "</Series>" TAIL,
     2, "UNKNOWN_COMPONENT FOO 1 1\n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "STATUS", "<Value>E</Value>")
         COMP("FOO", "<Value>" IN("en", "x") "</Value>") "</Obs></Series>" TAIL,
     1, "OCCURS STATUS 1 E\nUNKNOWN_COMPONENT FOO 1 \n", NULL},
    {HEAD SET "<Atts FREQ='A' AREA='KE' NOTE='n'/>" KE ONE "</Series>" TAIL, 1,
     "ATTR_LEVEL NOTE 1 \n", NULL},
    {HEAD SET KE ONE "</Series><Atts SOURCE='S'/>" TAIL, 1,
     "ATTR_LEVEL SOURCE 0 \n", NULL},
    {HEAD SET KE ONE COMP("UNIT", "<Value>IX</Value>") "</Series>" TAIL, 1,
     "ATTR_LEVEL UNIT 0 IX\n", NULL},
    // nothing that is written is passed over but annotations
    {HEAD SET "<c:Annotations><Obs/></c:Annotations>" KE
              "<c:Annotations>x</c:Annotations>" ONE "</Series>" TAIL,
     1, "", V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    {HEAD SET KE ONE "</Series><Metadata>x</Metadata>" TAIL, 1, "XML  0 \n",
     NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>E"
                 "</Obs></Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET "<Atts SOURCE='S'><Obs/></Atts>" KE ONE "</Series>" TAIL, 1,
     "XML  0 \n", NULL},
    {HEAD "<m:DataSet ss:structureRef='S1' ss:action='Move'>" KE ONE
          "</Series>" TAIL,
     1, "ACTION action 0 Move\n", NULL},
    {HEAD SET KE ONE, 1, "XML  0 \n", NULL},
};

#define COMPLEX                                                                \
    "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"        \
    "STATUS[],UNIT,\"TITLE[en;fr]\",SOURCE,\"NOTE[][en;fr]\"\n"
#define T_EN "<Value>" IN("en", "T") "</Value>"

static const struct ml_message complex[] = {
    // a list of one is a list, however it is written
    {HEAD SET KE ONE "<Obs TIME_PERIOD='2021' OBS_VALUE='2'>" COMP(
         "STATUS", "<Value>N</Value>") "</Obs></Series>" TAIL,
     2, "", COMPLEX F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1'>" COMP(
         "STATUS",
         "<Value>E</Value><Value>N</Value>") "</Obs>" TWO
                                             "<Obs TIME_PERIOD='2022' OBS_VALUE='1'>" COMP(
                                                 "STATUS",
                                                 "<Value>E</Value><Value>N</Value>") "</Obs></Series>" TAIL,
     3, "",
     COMPLEX F "I,A,KE,2020,1,E;N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n" F
               "I,A,KE,2022,1,E;N,PT,,,\n"},
    // languages ascend, English goes without saying; white space beside
    {HEAD SET "<Atts AREA='KE'>" COMP(
         "TITLE",
         "\n<Value>\n" IN(
             "fr",
             "T&#233;") "\n<c:Text>T"
                        "</c:Text> </Value> ") "</Atts><Group AREA='UG'>" COMP("TITLE",
                                                                               T_EN) "</Group>" KE
         ONE "</Series><Series FREQ='A' AREA='UG' UNIT='PT'>" ONE "</Series>" TAIL,
     2, "",
     COMPLEX F "I,A,KE,2020,1,N,PT,en:T;fr:T\xc3\xa9,,\n" F
               "I,A,UG,2020,1,N,PT,en:T,,\n"},
    // several, each in languages
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Value>" IN("en", "V1") IN("fr", "V1") "</Value><Value>" IN(
                     "en", "V2") "</Value>") "</Obs></Series>" TAIL,
     1, "",
     COMPLEX F "I,A,KE,2020,1,N,PT,,,\"\"\"en:V1;fr:V1\"\";\"\"en:V2\"\"\"\n"},
    // nothing is said
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "") "</Obs><Obs TIME_PERIOD='2021' OBS_VALUE='2' "
                     "STATUS='N'>" COMP(
                         "NOTE", "<Value></Value>") "</Obs></Series>" TAIL,
     2, "", COMPLEX F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    // a text with mark-up is text in the end
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE",
         "<Value>" IN("en",
                      "a<![CDATA[<b>]]>") "</Value>") "</Obs></Series>" TAIL,
     1, "", COMPLEX F "I,A,KE,2020,1,N,PT,,,\"\"\"en:a<b>\"\"\"\n"},
    // faults
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1'>" COMP(
         "STATUS", "<Value>E</Value><Value>n</Value>") "</Obs></Series>" TAIL,
     1, "CODE STATUS 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Value>" IN("en", "x")
                     IN("en", "y") "</Value>") "</Obs></Series>" TAIL,
     1, "LANGUAGE NOTE 1 en\n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE",
         "<Value>" IN("en",
                      "x") "</Value><Value>y</Value>") "</Obs></Series>" TAIL,
     1, "LANGUAGE NOTE 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Value><c:StructuredText xml:lang='en'><p>x</p>"
                 "</c:StructuredText></Value>") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
    // nothing that is written gets lost
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE",
         "<Value>" IN("en", "a<b>c</b>") "</Value>") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Value>x" IN("en", "y") "</Value>") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Value>" IN("en", "y") "x</Value>") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "x") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
    {HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>" COMP(
         "NOTE", "<Text>x</Text>") "</Obs></Series>" TAIL,
     1, "TYPE NOTE 1 \n", NULL},
};

static void
messages_mean_what_their_csv_means(void **state)
{
    (void)state;
    ml_fixture_check(SG_SLICE(obs_fixture_dsd), messages,
                     SG_COUNT_OF(messages));
}

static void
values_that_are_lists_mean_what_their_csv_means(void **state)
{
    (void)state;
    ml_fixture_check(SG_SLICE(complex_dsd), complex, SG_COUNT_OF(complex));
}

// As long a text as a row may be, in many pieces, and one that is longer.
static void
a_text_is_as_long_as_a_row_at_most(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(complex_dsd));
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t size = (over ? SG_LIMIT_ROW + 10 : SG_LIMIT_ROW / 4), len = 0;
        char *text = malloc(size + 4096);
        len +=
            (size_t)sprintf(text, "%s",
                            HEAD SET KE "<Obs TIME_PERIOD='2020' OBS_VALUE='1' "
                                        "STATUS='N'><Comp id='NOTE'><Value>");
        memset(text + len, 'x', size);
        len += size;
        len += (size_t)sprintf(text + len, "%s",
                               "</Value></Comp></Obs></Series>" TAIL);
        assert_int_equal(
            obs_fixture_run(f, sg_slice_of(text, len), 70001, false), SG_OK);
        assert_string_equal(f->text, over ? "XML  0 \n" : "");
        free(text);
    }
    obs_fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_mean_what_their_csv_means),
        cmocka_unit_test(values_that_are_lists_mean_what_their_csv_means),
        cmocka_unit_test(a_text_is_as_long_as_a_row_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
