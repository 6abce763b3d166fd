#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/obs_fixture.h"

// In this structure TZ lies below UG, and UG below KE.
static const char below_ke[] = "Uganda</c:Name><s:Parent><Ref id='KE'/>"
                               "</s:Parent>";
static const char below_ug[] = "Tanzania</c:Name><s:Parent><Ref id='UG'/>"
                               "</s:Parent>";

#define FLOWS                                                                  \
    "<s:Dataflows><s:Dataflow agencyID='T' id='F' version='1.0'>"              \
    "<c:Name>f</c:Name><s:Structure><Ref agencyID='T' id='DSD' "               \
    "version='1.0'/></s:Structure></s:Dataflow><s:Dataflow agencyID='T' "      \
    "id='G' version='1.0'><c:Name>g</c:Name><s:Structure><Ref agencyID='T' "   \
    "id='DSD' version='1.0'/></s:Structure></s:Dataflow></s:Dataflows>"
#define AGREEMENTS                                                             \
    "<s:ProvisionAgreements><s:ProvisionAgreement agencyID='T' id='P' "        \
    "version='1.0'><c:Name>p</c:Name><s:StructureUsage><Ref agencyID='T' "     \
    "id='F' version='1.0'/></s:StructureUsage><s:DataProvider><Ref "           \
    "agencyID='T' maintainableParentID='DP' id='KE'/></s:DataProvider>"        \
    "</s:ProvisionAgreement></s:ProvisionAgreements>"
#define ON(class, id)                                                          \
    "<s:ConstraintAttachment><s:" class "><Ref agencyID='T' id='" id           \
                                        "' version='1.0'/></s:" class          \
        "></s:ConstraintAttachment>"
#define KIND(type, on, body)                                                   \
    "<s:ContentConstraint agencyID='T' id='C' version='1.0'" type ">"          \
    "<c:Name>c</c:Name>" on body "</s:ContentConstraint>"
#define ALLOWED(on, body) KIND(" type='Allowed'", on, body)
#define ON_F              ON("Dataflow", "F")
#define REGION(body)      "<s:CubeRegion>" body "</s:CubeRegion>"
#define WITHOUT(body)     "<s:CubeRegion include='false'>" body "</s:CubeRegion>"
#define IS(id, body)      "<c:KeyValue id='" id "'>" body "</c:KeyValue>"
#define NOT(id, body)                                                          \
    "<c:KeyValue id='" id "' include='false'>" body "</c:KeyValue>"
#define ATTR(id, body) "<c:Attribute id='" id "'>" body "</c:Attribute>"
#define V(value)       "<c:Value>" value "</c:Value>"
#define DEEP(value)    "<c:Value cascadeValues='true'>" value "</c:Value>"
#define BENEATH(value)                                                         \
    "<c:Value cascadeValues='excluderoot'>" value "</c:Value>"
#define TIME(body)  IS("TIME_PERIOD", "<c:TimeRange>" body "</c:TimeRange>")
#define FROM(value) "<c:StartPeriod>" value "</c:StartPeriod>"
#define TO(value)   "<c:EndPeriod>" value "</c:EndPeriod>"
#define BEYOND(name, value)                                                    \
    "<c:" name " isInclusive='false'>" value "</c:" name ">"
#define KEY_SET(included, keys)                                                \
    "<s:DataKeySet isIncluded='" included "'>" keys "</s:DataKeySet>"
#define KEY(body) "<s:Key>" body "</s:Key>"

// FREQ,AREA,TIME_PERIOD,UNIT of each row; the flow is F unless it begins with
// another name and a space.
static const char *const rows[] = {
    "A,KE,2020,PT",    "A,UG,2020,PT", "A,TZ,2021,NR",
    "Q,KE,2020-Q1,NR", "A,KE,2022,PT",
};

// What stands behind the mark, after what stands before it was copied.
static const char *
copy_to(char xml[], size_t cap, const char *from, const char *mark,
        const char *more)
{
    const char *at = strstr(from, mark);
    size_t len = strlen(xml);
    assert_non_null(at);
    int n =
        snprintf(xml + len, cap - len, "%.*s%s", (int)(at - from), from, more);
    assert_in_range(n, 0, cap - len - 1);
    return at;
}

static struct obs_fixture *
with(const char *constraints)
{
    static char xml[65536];
    const char *at = obs_fixture_dsd;
    xml[0] = '\0';
    at = copy_to(xml, sizeof xml, at, "Uganda</c:Name>", below_ke);
    at += strlen("Uganda</c:Name>");
    at = copy_to(xml, sizeof xml, at, "Tanzania</c:Name>", below_ug);
    at += strlen("Tanzania</c:Name>");
    at = copy_to(xml, sizeof xml, at, "</m:Structures>", "<s:Constraints>");
    (void)copy_to(xml, sizeof xml, constraints, "", constraints);
    (void)copy_to(xml, sizeof xml, "", "", "</s:Constraints>" FLOWS AGREEMENTS);
    (void)copy_to(xml, sizeof xml, "", "", at);
    return obs_fixture_new(sg_slice_text(xml));
}

// Reads the rows as of that dataflow or, with STRUCTURE, structure.
static void
run(struct obs_fixture *f, const char *kind, const char *name)
{
    char csv[4096];
    int at = snprintf(csv, sizeof csv,
                      "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,"
                      "UNIT,OBS_VALUE,STATUS\n");
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        at += snprintf(csv + at, sizeof csv - (size_t)at, "%s,%s,I,%s,1,N\n",
                       kind, name, rows[i]);
    assert_int_equal(obs_fixture_run(f, sg_slice_text(csv), 4096, false),
                     SG_OK);
}

static const struct {
    const char *constraints, *faults;
} within[] = {
    {ALLOWED(ON_F, REGION(IS("AREA", V("KE") V("UG")))),
     "CONSTRAINT AREA 3 TZ\n"},
    {ALLOWED(ON_F, REGION(NOT("AREA", V("KE") V("UG")))),
     "CONSTRAINT AREA 1 KE\nCONSTRAINT AREA 2 UG\n"},
    // several components in one region; each that is outside is named
    {ALLOWED(ON_F, REGION(IS("FREQ", V("A")) IS("AREA", V("KE") V("UG")))),
     "CONSTRAINT AREA 3 TZ\nCONSTRAINT FREQ 4 Q\n"},
    // one of several regions; the components before choose the region
    {ALLOWED(ON_F, REGION(IS("AREA", V("KE")) ATTR("UNIT", V("PT")))
                       REGION(IS("AREA", V("UG")) ATTR("UNIT", V("NR")))
                           REGION(IS("AREA", V("TZ")))),
     "CONSTRAINT UNIT 2 PT\nCONSTRAINT UNIT 4 NR\n"},
    {ALLOWED(ON_F, WITHOUT(IS("AREA", V("KE")) IS("FREQ", V("Q")))),
     "CONSTRAINT AREA 4 KE\n"},
    // what names no value excludes everything
    {ALLOWED(ON_F, WITHOUT("")), "CONSTRAINT FREQ 1 A\nCONSTRAINT FREQ 4 Q\n"},
    {ALLOWED(ON_F, WITHOUT(IS("AREA", "")) REGION(IS("AREA", V("KE")))),
     "CONSTRAINT AREA 1 KE\nCONSTRAINT AREA 2 UG\nCONSTRAINT AREA 3 TZ\n"},
    {ALLOWED(ON_F, REGION("")), ""},
    // included and excluded together
    {ALLOWED(ON_F, REGION(IS("AREA", V("KE"))) WITHOUT(IS("FREQ", V("Q")))),
     "CONSTRAINT AREA 2 UG\nCONSTRAINT AREA 3 TZ\nCONSTRAINT FREQ 4 Q\n"},
    // two constraints: both hold
    {ALLOWED(ON_F, REGION(IS("AREA", V("KE") V("UG"))))
         ALLOWED(ON_F, REGION(IS("AREA", V("KE") V("TZ")))),
     "CONSTRAINT AREA 2 UG\nCONSTRAINT AREA 3 TZ\n"},
    // no value: any; a value that the list does not have: none
    {ALLOWED(ON_F, REGION(IS("AREA", "") IS("FREQ", V("A")))),
     "CONSTRAINT FREQ 4 Q\n"},
    {ALLOWED(ON_F, REGION(IS("FREQ", V("M")))),
     "CONSTRAINT FREQ 1 A\nCONSTRAINT FREQ 4 Q\n"},
    // an attribute that the row lacks is not constrained
    {ALLOWED(ON_F, REGION(ATTR("TITLE", V("t")))), ""},
    // keys, partial, with attributes in them
    {ALLOWED(ON_F,
             KEY_SET("true", KEY(IS("FREQ", V("A")) IS("UNIT", V("PT"))))),
     "CONSTRAINT UNIT 3 NR\nCONSTRAINT FREQ 4 Q\n"},
    {ALLOWED(ON_F, KEY_SET("true", KEY(IS("AREA", V("KE")) IS("FREQ", V("A")))
                                       KEY(IS("AREA", V("TZ"))))),
     "CONSTRAINT AREA 2 UG\nCONSTRAINT AREA 4 KE\n"},
    {ALLOWED(ON_F, KEY_SET("false", KEY(IS("AREA", V("TZ"))))),
     "CONSTRAINT AREA 3 TZ\n"},
    // a region and keys: within one of each
    {ALLOWED(ON_F, KEY_SET("true", KEY(IS("AREA", V("KE"))))
                       REGION(IS("FREQ", V("A")))),
     "CONSTRAINT AREA 2 UG\nCONSTRAINT AREA 3 TZ\nCONSTRAINT FREQ 4 Q\n"},
    // cascades
    {ALLOWED(ON_F, REGION(IS("AREA", DEEP("UG")))), "CONSTRAINT AREA 1 KE\n"},
    {ALLOWED(ON_F, REGION(IS("AREA", BENEATH("KE")))),
     "CONSTRAINT AREA 1 KE\n"},
    {ALLOWED(ON_F, REGION(IS("AREA", V("KE") BENEATH("UG")))),
     "CONSTRAINT AREA 2 UG\n"},
    {ALLOWED(ON_F, REGION(NOT("AREA", DEEP("UG")))),
     "CONSTRAINT AREA 2 UG\nCONSTRAINT AREA 3 TZ\n"},
    // time
    {ALLOWED(ON_F, REGION(TIME(FROM("2020") TO("2021")))),
     "CONSTRAINT TIME_PERIOD 5 2022\n"},
    {ALLOWED(ON_F, REGION(TIME(FROM("2020-02")))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 4 2020-Q1\n"},
    {ALLOWED(ON_F, REGION(TIME(BEYOND("AfterPeriod", "2020")))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 4 2020-Q1\n"},
    {ALLOWED(ON_F, REGION(TIME(BEYOND("EndPeriod", "2020-Q2")))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 3 2021\n"
     "CONSTRAINT TIME_PERIOD 5 2022\n"},
    {ALLOWED(ON_F, REGION(TIME(BEYOND("BeforePeriod", "2020-Q1")))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 3 2021\n"
     "CONSTRAINT TIME_PERIOD 4 2020-Q1\nCONSTRAINT TIME_PERIOD 5 2022\n"},
    // what touches an excluded range is excluded
    {ALLOWED(ON_F, REGION(NOT("TIME_PERIOD", "<c:TimeRange>" FROM("2020-02") TO(
                                                 "2020-03") "</c:TimeRange>"))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 4 2020-Q1\n"},
    {ALLOWED(ON_F, WITHOUT(TIME(FROM("2020-02") TO("2020-03")))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 4 2020-Q1\n"},
    {ALLOWED(ON_F,
             WITHOUT(NOT("TIME_PERIOD", "<c:TimeRange>" FROM("2020-02")
                                            TO("2021") "</c:TimeRange>"))),
     "CONSTRAINT TIME_PERIOD 1 2020\nCONSTRAINT TIME_PERIOD 4 2020-Q1\n"
     "CONSTRAINT TIME_PERIOD 5 2022\n"},
    {ALLOWED(ON_F, WITHOUT(TIME(FROM("2021")))),
     "CONSTRAINT TIME_PERIOD 3 2021\nCONSTRAINT TIME_PERIOD 5 2022\n"},
    {ALLOWED(ON_F, REGION(IS("TIME_PERIOD", V("2020") V("2021") V("2022")))),
     "CONSTRAINT TIME_PERIOD 4 2020-Q1\n"},
    // Actual says what is there, not what may be; so does one without type
    {KIND(" type='Actual'", ON_F, REGION(IS("AREA", V("UG")))), ""},
    {KIND("", ON_F, REGION(IS("AREA", V("UG")))), ""},
};

static void
a_row_lies_within_all_constraints(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(within); i++) {
        struct obs_fixture *f = with(within[i].constraints);
        run(f, "dataflow", "T:F(1.0)");
        if (strcmp(f->text, within[i].faults) != 0)
            fail_msg("%s\nfaults:\n%s", within[i].constraints, f->text);
        obs_fixture_free(f);
    }
}

static void
a_constraint_holds_for_what_it_stands_on(void **state)
{
#define UGANDA REGION(IS("AREA", V("KE") V("TZ")))
    static const struct {
        const char *on, *kind, *name;
        bool holds;
    } cases[] = {
        {ALLOWED(ON_F, UGANDA), "dataflow", "T:F(1.0)", true},
        {ALLOWED(ON_F, UGANDA), "dataflow", "T:F", true},
        {ALLOWED(ON_F, UGANDA), "dataflow", "T:F(1.1)", false},
        {ALLOWED(ON_F, UGANDA), "dataflow", "T:G(1.0)", false},
        {ALLOWED(ON_F, UGANDA), "datastructure", "T:DSD(1.0)", false},
        {ALLOWED(ON("DataStructure", "DSD"), UGANDA), "dataflow", "T:G(1.0)",
         true},
        {ALLOWED(ON("DataStructure", "DSD"), UGANDA), "datastructure",
         "T:DSD(1.0)", true},
        {ALLOWED(ON("ProvisionAgreement", "P"), UGANDA), "dataprovision",
         "T:P(1.0)", true},
        {ALLOWED(ON("ProvisionAgreement", "P"), UGANDA), "dataflow", "T:F(1.0)",
         false},
        // on two dataflows
        {ALLOWED("<s:ConstraintAttachment><s:Dataflow><Ref agencyID='T' "
                 "id='F' version='1.0'/></s:Dataflow><s:Dataflow><Ref "
                 "agencyID='T' id='G' version='1.0'/></s:Dataflow>"
                 "</s:ConstraintAttachment>",
                 UGANDA),
         "dataflow", "T:G(1.0)", true},
        {ALLOWED("<s:ConstraintAttachment><s:Dataflow><Ref agencyID='T' "
                 "id='F' version='1.0'/></s:Dataflow><s:Dataflow><Ref "
                 "agencyID='T' id='G' version='1.0'/></s:Dataflow>"
                 "</s:ConstraintAttachment>",
                 UGANDA),
         "dataflow", "T:F(1.0)", true},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct obs_fixture *f = with(cases[i].on);
        run(f, cases[i].kind, cases[i].name);
        if (strcmp(f->text, cases[i].holds ? "CONSTRAINT AREA 2 UG\n" : "") !=
            0)
            fail_msg("%zu: %s %s\n%s", i, cases[i].kind, cases[i].name,
                     f->text);
        obs_fixture_free(f);
    }
}

// A deletion is not held to constraints; what it names is not taken for a value
// that was looked at.
static void
a_row_behind_a_deletion_is_looked_at(void **state)
{
    struct obs_fixture *f = with(ALLOWED(ON_F, REGION(IS("AREA", V("KE")))));
    (void)state;
    assert_int_equal(
        obs_fixture_run(
            f,
            SG_SLICE("STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,"
                     "UNIT,OBS_VALUE,STATUS\n"
                     "dataflow,T:F(1.0),I,A,KE,2020,PT,1,N\n"
                     "dataflow,T:F(1.0),D,A,UG,2020,,,\n"
                     "dataflow,T:F(1.0),I,A,UG,2021,PT,1,N\n"),
            4096, false),
        SG_OK);
    assert_string_equal(f->text, "CONSTRAINT AREA 3 UG\n");
    obs_fixture_free(f);
}

static void
what_is_wrong_already_is_not_said_twice(void **state)
{
    struct obs_fixture *f = with(ALLOWED(ON_F, REGION(IS("AREA", V("KE")))));
    (void)state;
    assert_int_equal(
        obs_fixture_run(
            f,
            SG_SLICE("DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
                     "T:F(1.0),A,XX,2020,1,N,PT\nT:F(1.0),A,,2020,1,N,PT\n"),
            4096, false),
        SG_OK);
    assert_string_equal(f->text, "CODE AREA 1 XX\nDIM_MISSING AREA 2 \n");
    obs_fixture_free(f);
}

static void
the_cure_names_constraint_and_values(void **state)
{
    static const struct {
        const char *constraints, *hint;
    } cases[] = {
        {ALLOWED(ON_F, REGION(IS("AREA", V("KE") V("UG")))),
         "T:C(1.0) allows KE, UG"},
        {ALLOWED(ON_F, REGION(NOT("AREA", V("TZ")))),
         "T:C(1.0) allows all but TZ"},
        {ALLOWED(ON_F, WITHOUT(IS("AREA", V("TZ")))), "T:C(1.0) excludes TZ"},
        {ALLOWED(ON_F, REGION(TIME(FROM("2022") TO("2023")))),
         "T:C(1.0) allows from 2022 up to 2023"},
        {ALLOWED(ON_F, REGION(TIME(FROM("2021") TO("")) IS("AREA", V("TZ")))),
         "T:C(1.0) allows TZ"},
        {ALLOWED(ON_F, REGION(TIME(TO("2019")))), "T:C(1.0) allows up to 2019"},
        {ALLOWED(ON_F, REGION(TIME(FROM("2023")))),
         "T:C(1.0) allows from 2023"},
    };
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct obs_fixture *f = with(cases[i].constraints);
        f->wants_hints = true;
        run(f, "dataflow", "T:F(1.0)");
        if (strncmp(f->text, cases[i].hint, strlen(cases[i].hint)) != 0 ||
            f->text[strlen(cases[i].hint)] != '\n')
            fail_msg("%s\n%s", cases[i].hint, f->text);
        obs_fixture_free(f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_lies_within_all_constraints),
        cmocka_unit_test(a_constraint_holds_for_what_it_stands_on),
        cmocka_unit_test(a_row_behind_a_deletion_is_looked_at),
        cmocka_unit_test(what_is_wrong_already_is_not_said_twice),
        cmocka_unit_test(the_cure_names_constraint_and_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
