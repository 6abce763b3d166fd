#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/ml_fixture.h"

#define HEAD   HEADER("TIME_PERIOD")
#define ACROSS HEADER("AREA")
#define HEADER(at)                                                             \
    "<?xml version='1.0'?><m:StructureSpecificData "                           \
    "xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message' "     \
    "xmlns:ss='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/"        \
    "structurespecific' xmlns:c='http://www.sdmx.org/resources/sdmxml/"        \
    "schemas/v2_1/common' "                                                    \
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:n='urn:x'>"   \
    "<m:Header><m:ID>X</m:ID><m:Test>true</m:Test><m:Sender id='BIS'/>"        \
    "<m:Structure structureID='S1' namespace='urn:x' "                         \
    "dimensionAtObservation='" at "'><c:StructureUsage><Ref "                  \
    "agencyID='T' id='FLOW' version='1.0'/></c:StructureUsage></m:Structure>"  \
    "<m:DataSetAction>Information</m:DataSetAction></m:Header>"
#define SET                                                                    \
    "<m:DataSet ss:structureRef='S1' ss:action='Information' "                 \
    "xsi:type='n:DataSetType'"
#define TAIL "</m:DataSet></m:StructureSpecificData>"
#define ONE  "<Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'/>"
#define TWO  "<Obs TIME_PERIOD='2021' OBS_VALUE='2' STATUS='N'/>"
#define KE   "<Series FREQ='A' AREA='KE' UNIT='PT'"

static const struct ml_message messages[] = {
    {HEAD SET ">" KE ">" ONE TWO "</Series>" TAIL, 2, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,,,\n"},
    // attributes of data set, group and series stand on each row
    {HEAD SET " SOURCE='S'><Group xsi:type='n:Sibling' AREA='KE' TITLE='T'/>" KE
              ">" ONE TWO "</Series><Series FREQ='A' AREA='UG' UNIT='PT'>" ONE
              "</Series>" TAIL,
     3, "",
     V2 F "I,A,KE,2020,1,N,PT,T,S,\n" F "I,A,KE,2021,2,N,PT,T,S,\n" F
          "I,A,UG,2020,1,N,PT,,S,\n"},
    // what an observation has of its own comes, stays, goes and comes back
    {HEAD SET ">" KE " SOURCE='S'>" ONE "<Obs TIME_PERIOD='2021' "
              "OBS_VALUE='1' STATUS='N' NOTE='n'/><Obs NOTE='n' STATUS='N' "
              "OBS_VALUE='1' TIME_PERIOD='2022'/><Obs TIME_PERIOD='2023' "
              "STATUS='E'/></Series><Series FREQ='A' AREA='UG' UNIT='PT'/>"
              "<Series FREQ='A' AREA='UG' UNIT='PT'><Obs TIME_PERIOD='2023' "
              "STATUS='E' NOTE='n'/>" ONE "</Series>" TAIL,
     7, "ATTR_LEVEL SOURCE 1 \n",
     V2 F "I,A,KE,2020,1,N,PT,,S,\n" F "I,A,KE,2021,1,N,PT,,S,n\n" F
          "I,A,KE,2022,1,N,PT,,S,n\n" F "I,A,KE,2023,,E,PT,,S,\n" F
          "I,A,UG,,,,PT,,,\n" F "I,A,UG,2023,,E,PT,,,n\n" F
          "I,A,UG,2020,1,N,PT,,,\n"},
    // a group and a series that meet no observation: rows of their own
    {HEAD SET "><Group AREA='TZ' TITLE='T'/>" KE "/>" TAIL, 2, "",
     V2 F "I,,TZ,,,,,T,,\n" F "I,A,KE,,,,PT,,,\n"},
    {HEAD SET " SOURCE='S'/></m:StructureSpecificData>", 1, "",
     V2 F "I,,,,,,,,S,\n"},
    // flat
    {HEAD SET
     "><Group AREA='KE' TITLE='T'/><Obs FREQ='A' AREA='KE' "
     "UNIT='PT' TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'/><Obs FREQ='A' "
     "AREA='UG' UNIT='PT' TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'/>" TAIL,
     2, "", V2 F "I,A,KE,2020,1,N,PT,T,,\n" F "I,A,UG,2020,1,N,PT,,,\n"},
    // series of one period: what belongs to areas stands at observations, or
    // comes from their group
    {ACROSS SET "><Group AREA='KE' TITLE='T'/><Series FREQ='A' "
                "TIME_PERIOD='2020'><Obs AREA='KE' OBS_VALUE='1' STATUS='N' "
                "UNIT='PT'/><Obs AREA='UG' OBS_VALUE='1' STATUS='N' UNIT='PT'/>"
                "<Obs AREA='TZ' OBS_VALUE='1' STATUS='N' UNIT='IX'/></Series>"
                "<Series FREQ='A' TIME_PERIOD='2021'><Obs AREA='KE' "
                "OBS_VALUE='2' STATUS='N' UNIT='PT'/></Series>" TAIL,
     4, "",
     V2 F "I,A,KE,2020,1,N,PT,T,,\n" F "I,A,UG,2020,1,N,PT,,,\n" F
          "I,A,TZ,2020,1,N,IX,,,\n" F "I,A,KE,2021,2,N,PT,T,,\n"},
    {ACROSS SET "><Series FREQ='A' TIME_PERIOD='2020' UNIT='PT'><Obs "
                "AREA='KE' OBS_VALUE='1' STATUS='N'/></Series>" TAIL,
     1, "ATTR_LEVEL UNIT 1 \n", NULL},
    // white space, entities, an empty value
    {HEAD SET ">" KE "><Obs TIME_PERIOD='2020' OBS_VALUE='' STATUS='N' "
              "NOTE='&lt;&#10;&amp; '/></Series>" TAIL,
     1, "", V2 F "I,A,KE,2020,,N,PT,,,\"<\n& \"\n"},
    // the data set of Eurostat's service
    {HEAD "<n:DataSet ss:structureRef='S1'>" KE ">" ONE
          "</Series></n:DataSet></m:StructureSpecificData>",
     1, "", NULL},
    {HEAD SET ">" KE ">" ONE "</Series></m:DataSet>" SET ">" KE ">" ONE
              "</Series>" TAIL,
     2, "", NULL},
    {HEAD "</m:StructureSpecificData>", 0, "w:NO_OBSERVATIONS  0 \n", NULL},
    {HEAD SET
     ">" KE ">" ONE "</Series></m:DataSet><f:Footer xmlns:f='f'>"
     "<f:Message code='510' severity='Error'><c:Text>cut</c:Text></f:Message>"
     "</f:Footer></m:StructureSpecificData>",
     1, "w:FOOTER  0 510 Error\n", NULL},
    // delete a series, everything
    {HEAD "<m:DataSet ss:structureRef='S1' ss:action='Delete'><Series "
          "FREQ='A' AREA='KE'/>" TAIL,
     1, "", V2 F "D,A,KE,,,,,,,\n"},
    {HEAD "<m:DataSet ss:structureRef='S1' ss:action='Delete'>" TAIL, 1, "",
     V2 F "D,,,,,,,,,\n"},
    // faults
    {HEAD SET ">" KE ">" ONE ONE "</Series>" TAIL, 2, "DUPLICATE key 2 \n",
     NULL},
    {HEAD SET ">" KE " FOO='1'>" ONE TWO "</Series>" TAIL, 2,
     "UNKNOWN_COMPONENT FOO 1 1\n", NULL},
    {HEAD SET ">" KE ">" ONE "<Obs TIME_PERIOD='2021' STATUS='N' UNIT='X'/>"
              "</Series>" TAIL,
     2, "ATTR_LEVEL UNIT 2 \nw:ATTR_CONFLICT UNIT 2 X\n", NULL},
    {HEAD SET ">" KE " STATUS='N'><Obs TIME_PERIOD='2020'/></Series>" TAIL, 1,
     "ATTR_LEVEL STATUS 1 \n", NULL},
    {HEAD SET ">" KE ">" ONE "</Series><Group AREA='KE' TITLE='T'/>" TAIL, 1,
     "ATTR_LEVEL TITLE 0 \n", NULL},
    // a group and what it is of have one value: two groups, a group and a
    // series, a group and an observation (flat, and in a series)
    {HEAD SET "><Group AREA='KE' TITLE='T'/><Group AREA='KE' TITLE='T'/>" KE
              ">" ONE TWO "</Series>" TAIL,
     2, "", V2 F "I,A,KE,2020,1,N,PT,T,,\n" F "I,A,KE,2021,2,N,PT,T,,\n"},
    {HEAD SET "><Group AREA='KE' TITLE='T'/><Group AREA='KE' TITLE='U'/>" KE
              ">" ONE TWO "</Series>" TAIL,
     2, "ATTR_CONFLICT TITLE 1 T\n", NULL},
    {HEAD SET "><Group AREA='KE' UNIT='IX'/>" KE ">" ONE "</Series>" TAIL, 1,
     "ATTR_CONFLICT UNIT 1 IX\n", NULL},
    {HEAD SET "><Group AREA='KE' UNIT='PT'/>" KE ">" ONE "</Series>" TAIL, 1,
     "", V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    {HEAD SET "><Group AREA='KE' TITLE='T'/><Obs FREQ='A' AREA='KE' UNIT='PT' "
              "TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N' TITLE='U'/>" TAIL,
     1, "ATTR_CONFLICT TITLE 1 T\n", NULL},
    {ACROSS SET
     "><Group FREQ='A' UNIT='PT'/><Series FREQ='A' "
     "TIME_PERIOD='2020'><Obs AREA='KE' OBS_VALUE='1' STATUS='N' "
     "UNIT='IX'/><Obs AREA='UG' OBS_VALUE='1' STATUS='N'/></Series>" TAIL,
     2, "ATTR_CONFLICT UNIT 1 PT\n", NULL},
    // nothing that is written is passed over but annotations, and who provides
    {HEAD SET "><c:Annotations><Obs STATUS='E'/>x</c:Annotations>"
              "<DataProvider/>" KE "><c:Annotations/><Obs TIME_PERIOD='2020' "
              "OBS_VALUE='1' STATUS='N'><c:Annotations>x</c:Annotations></Obs>"
              "</Series>" TAIL,
     1, "", V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    {HEAD SET "><Set>" KE ">" ONE "</Series></Set>" KE ">" ONE "</Series>" TAIL,
     1, "XML  0 \n", V2 F "I,A,KE,2020,1,N,PT,,,\n"},
    {HEAD SET ">" KE "><Value STATUS='E'>7</Value>" ONE "</Series>" TAIL, 1,
     "XML  0 \n", NULL},
    {HEAD SET ">" KE "><Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'><Obs "
              "TIME_PERIOD='2021' OBS_VALUE='1'/></Obs></Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET "><Group AREA='KE' TITLE='T'><Obs/></Group>" KE ">" ONE
              "</Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET "><Obs FREQ='A' AREA='KE' UNIT='PT' TIME_PERIOD='2020' "
              "OBS_VALUE='1' STATUS='N'><Obs/></Obs>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD SET ">" KE "><Obs TIME_PERIOD='2020' OBS_VALUE='1' STATUS='N'>2</Obs>"
              "</Series>" TAIL,
     1, "XML  0 \n", NULL},
    {HEAD "<m:Dataset/>" SET ">" KE ">" ONE "</Series>" TAIL, 1, "XML  0 \n",
     NULL},
    {HEAD "<m:DataSet ss:structureRef='S2'>" KE ">" ONE "</Series>" TAIL, 1,
     "STRUCTURE_REF  0 S2\n", NULL},
    {HEAD "<m:DataSet ss:structureRef='S1' ss:action='Move'>" KE ">" ONE
          "</Series>" TAIL,
     1, "ACTION action 0 Move\n", NULL},
    {HEAD SET ">" KE ">" ONE, 1, "XML  0 \n", NULL},
    {"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x/>", 0, "DTD  0 \n",
     NULL},
    {"<?xml version='1.0'?><a/>", 0, "HEADER  0 a\n", NULL},
};

static void
messages_mean_what_their_csv_means(void **state)
{
    (void)state;
    ml_fixture_check(SG_SLICE(obs_fixture_dsd), messages,
                     SG_COUNT_OF(messages));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_mean_what_their_csv_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
