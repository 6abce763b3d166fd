// What a message says of itself, and what becomes of it at a gate: changes are
// not published (core-design 6), an embargo must be claimed.
#include "tests/unit/worker/role_fixture.h"

#define HEAD2                                                                  \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,"    \
    "UNIT\n"
#define ROW2(action, key) "dataflow,T:F(1.0)," action "," key ",1,N,PT\n"

#define ML(header, sets)                                                       \
    "<m:StructureSpecificData xmlns:m='http://www.sdmx.org/resources/sdmxml/"  \
    "schemas/v2_1/message' xmlns:s='http://www.sdmx.org/resources/sdmxml/"     \
    "schemas/v2_1/data/structurespecific'><m:Header><m:ID>X</m:ID>"            \
    "<m:Structure structureID='S1'><c:Structure xmlns:c='http://www.sdmx.org/" \
    "resources/sdmxml/schemas/v2_1/common'><Ref agencyID='T' id='DSD' "        \
    "version='1.0'/></c:Structure></m:Structure>" header "</m:Header>" sets    \
    "</m:StructureSpecificData>"
#define SET(attributes, rows)                                                  \
    "<m:DataSet s:structureRef='S1' " attributes ">" rows "</m:DataSet>"
#define OBS(year)                                                              \
    "<Obs FREQ='A' AREA='KE' UNIT='PT' TIME_PERIOD='" year                     \
    "' OBS_VALUE='1' STATUS='N'/>"

static void
read_as(struct fixture *f, uint32_t media, const char *text)
{
    f->terms.media = media;
    put(f, &f->spool, sg_slice_text(text));
    assert_int_equal(run(f, sg_role_reader, &f->spool, NULL), SG_OK);
}

static void
is_change(const struct fixture *f, uint64_t faults)
{
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_ACTION));
    assert_string_equal(f->done.component, "ACTION");
    assert_int_equal(f->done.faults, faults);
    assert_int_equal(f->done.leaves_chunks, 0);
}

static void
what_appends_merges_or_deletes_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const changes[] = {
        HEAD2 ROW2("A", "A,KE,2020") ROW2("A", "A,KE,2021"),
        HEAD2 ROW2("M", "A,KE,2020"), HEAD2 ROW2("D", "A,KE,2020"),
        HEAD2 ROW2("I", "A,KE,2020") ROW2("M", "A,KE,2021"),
        HEAD2 ROW2("R", "A,KE,2020") ROW2("D", "A,KE,2021")};
    // The last one has no column ACTION.
    static const char without[] =
        "STRUCTURE,STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n"
        "dataflow,T:F(1.0),A,KE,2020,1,N,PT\n";
    static const char *const wholes[] = {HEAD2 ROW2("I", "A,KE,2020"),
                                         HEAD2 ROW2("R", "A,KE,2020"),
                                         HEAD2 ROW2("", "A,KE,2020"), without};
    for (size_t i = 0; i < SG_COUNT_OF(changes); i++) {
        read_as(f, SG_MEDIA_CSV21, changes[i]);
        is_change(f, 1);
    }
    for (size_t i = 0; i < SG_COUNT_OF(wholes); i++) {
        read_as(f, SG_MEDIA_CSV21, wholes[i]);
        assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    }
}

static void
a_change_has_its_place_in_the_report(void **state)
{
    struct fixture *f = *state;
    read_as(f, SG_MEDIA_CSV21,
            HEAD2 ROW2("I", "A,KE,2020") ROW2("D", "A,KE,2021")
                ROW2("I", "A,KE,2019") ROW2("D", "A,UG,2021"));
    is_change(f, 2);
    f->report.bytes = f->done.report_bytes;
    f->report.chunks = f->done.report_chunks;
    void *message;
    assert_int_equal(sg_codec_unpack(&sgpb__report__descriptor,
                                     get(f, &f->report), f->arena, &message),
                     SG_OK);
    const Sgpb__Report *report = message;
    assert_int_equal(report->n_faults, 1);
    assert_string_equal(report->faults[0]->code, "CHANGE");
    assert_string_equal(report->faults[0]->value, "D");
    assert_int_equal(report->faults[0]->row, 2);
    assert_int_equal(report->faults[0]->line, 3);
    assert_int_equal(report->faults[0]->count, 2);
}

// The data set has its own word, or that of the header; it counts also when
// nothing follows, since a whole flow of no rows is something else.
static void
data_sets_that_change_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const changes[] = {
        ML("<m:DataSetAction>Append</m:DataSetAction>", SET("", OBS("2020"))),
        ML("<m:DataSetAction>Append</m:DataSetAction>", SET("", "")),
        ML("", SET("s:action='Delete'", OBS("2020"))),
        ML("<m:DataSetAction>Replace</m:DataSetAction>",
           SET("s:action='Append'", OBS("2020"))),
        ML("", SET("s:action='Replace'", OBS("2020"))
                   SET("s:action='Delete'", ""))};
    static const char *const wholes[] = {
        ML("", SET("", OBS("2020"))),
        ML("<m:DataSetAction>Append</m:DataSetAction>",
           SET("s:action='Replace'", OBS("2020"))),
        ML("<m:DataSetAction>Information</m:DataSetAction>",
           SET("", OBS("2020")))};
    for (size_t i = 0; i < SG_COUNT_OF(changes); i++) {
        read_as(f, SG_MEDIA_ML21, changes[i]);
        is_change(f, 1);
    }
    for (size_t i = 0; i < SG_COUNT_OF(wholes); i++) {
        read_as(f, SG_MEDIA_ML21, wholes[i]);
        assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    }
}

// A reader that was taken over writes what it likes.
static void
a_judge_that_sees_deletions_refuses_them(void **state)
{
    struct fixture *f = *state;
    read_in(f, HEAD ROW("A,KE,2020", "1", "") ROW("A,KE,2021", "2", ""));
    struct sg_slice honest = get(f, &f->leaves);
    uint8_t *forged = sg_arena_take(f->arena, honest.len);
    memcpy(forged, honest.ptr, honest.len);
    size_t at = 5; // behind "SGC1" and the number of components
    for (uint8_t i = 0; i < forged[4]; i++)
        at += 2u + forged[at + 1];
    assert_int_equal(forged[at], SG_ACTION_MERGE);
    forged[at] = SG_ACTION_DELETE;
    put(f, &f->leaves, sg_slice_of(forged, honest.len));
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_CONTENT));
    // Even if that had been signed.
    memcpy(f->root, f->done.content_root.data, 32);
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_REJECT);
    assert_string_equal(f->done.code, sg_err_code(SG_ERR_ACTION));
}

#define DATE(text) "<m:EmbargoDate>" text "</m:EmbargoDate>"
#define ONE        SET("", OBS("2020"))

static void
an_embargo_that_the_manifest_does_not_hold_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char date[] = ML(DATE("1970-01-01T00:00:02+00:00"), ONE);
    static const struct {
        const char *text;
        uint64_t claimed;
        bool accepted;
    } cases[] = {
        {date, 0, false},
        {date, 1999999, false},
        {date, 2000000, true},
        {date, UINT64_MAX, true},
        {ML(DATE("1970-01-01T00:00:02"), ONE), UINT64_MAX, false}, // no zone
        {ML(DATE("1970-01-01"), ONE), UINT64_MAX, false},
        {ML(DATE(""), ONE), UINT64_MAX, false},
        {ML(DATE("soon"), ONE), UINT64_MAX, false},
        {ML(DATE("1970-01-01T00:00:02Z") DATE("1970-01-01T00:00:01Z"), ONE),
         UINT64_MAX, false},
        {ML("", ONE), 0, true},
    };
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        f->embargo_us = cases[i].claimed;
        read_as(f, SG_MEDIA_ML21, cases[i].text);
        assert_int_equal(f->done.verdict,
                         cases[i].accepted ? SG_ROLE_ACCEPT : SG_ROLE_REJECT);
        if (cases[i].accepted)
            continue;
        assert_string_equal(f->done.code, sg_err_code(SG_ERR_EMBARGO));
        assert_string_equal(f->done.component, "EmbargoDate");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_appends_merges_or_deletes_is_refused),
        TEST(a_change_has_its_place_in_the_report),
        TEST(data_sets_that_change_are_refused),
        TEST(a_judge_that_sees_deletions_refuses_them),
        TEST(an_embargo_that_the_manifest_does_not_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
