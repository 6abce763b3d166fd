#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/ml_fixture.h"

#define SDMX20 "http://www.SDMX.org/resources/SDMXML/schemas/v2_0/"
#define OPEN(root)                                                             \
    "<?xml version='1.0'?><" root " xmlns='" SDMX20                            \
    "message' xmlns:g='" SDMX20                                                \
    "generic' xmlns:n='urn:x'><Header><ID>X</ID><Test>true</Test>"             \
    "<Sender id='BIS'/>"
#define NAMED                                                                  \
    "<KeyFamilyRef>DSD</KeyFamilyRef><KeyFamilyAgency>T</KeyFamilyAgency>"     \
    "<DataSetAction>Append</DataSetAction>"
#define FAMILY  "<g:KeyFamilyRef> DSD </g:KeyFamilyRef>"
#define GENERIC OPEN("GenericData") NAMED "</Header><DataSet>" FAMILY
#define END     "</DataSet></GenericData>"
#define COMPACT OPEN("CompactData") NAMED "</Header><n:DataSet"
#define ENDC    "</n:DataSet></CompactData>"
#define V(c, v) "<g:Value concept='" c "' value='" v "'/>"
#define AT(...) "<g:Attributes>" __VA_ARGS__ "</g:Attributes>"
#define KEY(a)                                                                 \
    "<g:Series><g:SeriesKey>" V("FREQ", "A")                                   \
        V("AREA", a) "</g:SeriesKey>" AT(V("UNIT", "PT"))
#define OBS(year, value)                                                       \
    "<g:Obs><g:Time>" year "</g:Time><g:ObsValue value='" value                \
    "'/>" AT(V("STATUS", "N")) "</g:Obs>"
#define SET                                                                    \
    OPEN("GenericData")                                                        \
    NAMED "</Header><DataSet datasetID='X' keyFamilyURI='urn:y'>" FAMILY
#define GROUP(area, title)                                                     \
    "<g:Group type='Sibling'><g:GroupKey>" V("AREA", area) "</g:GroupKey>" AT( \
        V("TITLE", title))
#define CSV                                                                    \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT,TITLE,SOURCE,NOTE\n"
#define R "datastructure,T:DSD(1.0),A,A,"

static const struct ml_message messages[] = {
    {GENERIC KEY("KE") OBS("2020", "1") OBS(" 2021\n", "2") "</g:Series>" END,
     2, "", CSV R "KE,2020,1,N,PT,,,\n" R "KE,2021,2,N,PT,,,\n"},
    // attributes of the data set; a group before series, and around its own
    {SET AT(V("SOURCE", "S")) GROUP("UG", "U") "</g:Group>" GROUP("KE", "T")
         KEY("KE") OBS("2020", "1") "</g:Series></g:Group>" KEY("UG")
             OBS("2020", "3") "</g:Series>" END,
     2, "", CSV R "KE,2020,1,N,PT,T,S,\n" R "UG,2020,3,N,PT,U,S,\n"},
    // the header alone names the structure, or its agency alone
    {OPEN("GenericData") NAMED "</Header><DataSet>" KEY("KE")
         OBS("2020", "1") "</g:Series>" END,
     1, "", NULL},
    {OPEN(
         "GenericData") "<KeyFamilyAgency>T</KeyFamilyAgency></Header><DataSet>" FAMILY
         KEY("KE") OBS("2020", "1") "</g:Series>" END,
     1, "", NULL},
    {COMPACT " datasetID='X' SOURCE='S'><n:Sibling AREA='KE' TITLE='T'/>"
             "<n:Series FREQ='A' AREA='KE' UNIT='PT'><n:Obs TIME_PERIOD='2020' "
             "OBS_VALUE='1' STATUS='N'/><n:Obs TIME_PERIOD='2021' "
             "OBS_VALUE='2' STATUS='N'/></n:Series>" ENDC,
     2, "", CSV R "KE,2020,1,N,PT,T,S,\n" R "KE,2021,2,N,PT,T,S,\n"},
    // faults
    {GENERIC KEY("KE") OBS("2020", "1") OBS("2020", "2") "</g:Series>" END, 2,
     "DUPLICATE key 2 \n", NULL},
    {GENERIC KEY("KE") OBS("2020</g:Time><g:Time>2021", "1") "</g:Series>" END,
     1, "OCCURS TIME_PERIOD 1 2021\n", NULL},
    {GENERIC KEY("KE") "<g:Obs><g:Time>20<g:x/>20</g:Time><g:ObsValue "
                       "value='1'/>" AT(
                           V("STATUS", "N")) "</g:Obs></g:Series>" END,
     1, "XML  0 \n", NULL},
    {GENERIC "<g:Series><g:SeriesKey><g:Value id='FREQ' value='A'/>"
             "</g:SeriesKey></g:Series>" END,
     0, "UNKNOWN_COMPONENT  1 A\n", NULL},
    {GENERIC KEY("KE") OBS("2020", "1") "</g:Series>" FAMILY END, 1,
     "XML  0 \n", NULL},
    {OPEN("GenericData") "</Header><DataSet>" FAMILY KEY("KE")
         OBS("2020", "1") "</g:Series>" END,
     1, "STRUCTURE_REF  0 \n", NULL},
    {OPEN("GenericData") "<KeyFamilyRef>NONE</KeyFamilyRef><KeyFamilyAgency>T"
                         "</KeyFamilyAgency></Header><DataSet>" KEY("KE")
                             OBS("2020", "1") "</g:Series>" END,
     1, "STRUCTURE_UNKNOWN Structure 0 NONE\n", NULL},
    {COMPACT "><n:Sibling AREA='KE' TITLE='T'><n:Series/></n:Sibling>" ENDC, 1,
     "XML  0 \n", NULL},
    {COMPACT "><n:Sibling AREA='KE' FOO='T'/>" ENDC, 0,
     "UNKNOWN_COMPONENT FOO 1 T\n", NULL},
    {OPEN("CrossSectionalData") NAMED "</Header><n:DataSet/>"
                                      "</CrossSectionalData>",
     0, "HEADER  0 CrossSectionalData\n", NULL},
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
