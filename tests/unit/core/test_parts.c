// Which parts a subscription gets, and whom a list names (match_parts.h).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/match_parts.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

struct fixture {
    Sgpb__FlowTerms terms;
    Sgpb__AreaMap map, *maps[1];
    Sgpb__Facts facts;
    Sgpb__Part part[3], *parts[3];
    uint8_t bytes[SG_PLACES_BYTES];
};

// Three parts: Kenya; Uganda with Tanzania as partner; Kenya, Rwanda and an
// area that nobody knows. The fourth field of a key is the area's, the fifth
// the partner's.
static int
setup(void **state)
{
    static struct fixture f;
    struct sg_places several = {{0}};

    f = (struct fixture){.terms = SGPB__FLOW_TERMS__INIT,
                         .map = SGPB__AREA_MAP__INIT,
                         .facts = SGPB__FACTS__INIT};
    f.maps[0] = &f.map;
    f.facts.area_field = 4;
    f.facts.counterpart_field = 5;
    f.facts.n_parts = 3;
    f.facts.parts = f.parts;
    for (size_t i = 0; i < 3; i++) {
        f.part[i] = (Sgpb__Part)SGPB__PART__INIT;
        f.parts[i] = &f.part[i];
    }
    f.part[0].area = TEXT("KE");
    f.part[1].area = TEXT("UG");
    f.part[1].counterpart = TEXT("TZ");
    f.part[2].area = TEXT("several");
    sg_places_add(&several, SG_PLACE_KE);
    sg_places_add(&several, SG_PLACE_RW);
    sg_places_add(&several, SG_PLACE_UNKNOWN);
    f.part[2].areas.data = f.bytes;
    f.part[2].areas.len = sg_places_pack(&several, f.bytes);
    *state = &f;
    return 0;
}

// "012": these parts are left, in this order.
static const struct sg_match_part *
left(struct fixture *f, const char *key, const char *wanted)
{
    static struct sg_match_part list[SG_PARTS_MAX];
    size_t count = sg_match_parts(&f->facts, &f->terms, key, list);

    assert_int_equal(count, strlen(wanted));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list[i].index, wanted[i] - '0');
    return list;
}

static void
a_key_leaves_the_parts_that_hold_its_areas(void **state)
{
    static const struct {
        const char *key, *parts;
    } rows[] = {
        {NULL, "012"},
        {"", "012"},
        {"A.G", "012"},
        {"A.G..", "012"},
        {"A.G.X.*", "012"},
        {"A.G.X..*", "012"},
        {"A.G.X.800", "1"},
        {"A.G.X.800.", "1"},
        {"...404", "02"},
        {"...404+800.", "012"},
        {"...646", "2"},
        {"...NOWHERE", "2"}, // it may be the area that nobody knows
        {"...840+NOWHERE", "2"},
        {"....834", "1"},
        {"...404.834", "3"}, // nothing: the empty part
        {"...578", "3"},
        {"800", "012"}, // a field that is no area's
    };

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        left(*state, rows[i].key, rows[i].parts);
}

static void
of_a_part_only_the_areas_asked_for_are_decided(void **state)
{
    const struct sg_match_part *list = left(*state, "...646+800", "12");

    assert_int_equal(sg_places_count(&list[1].among.areas), 1);
    assert_true(sg_places_has(&list[1].among.areas, SG_PLACE_RW));
    list = left(*state, "", "012");
    assert_int_equal(sg_places_count(&list[2].among.areas), 3);
    assert_true(sg_places_has(&list[0].among.counterparts, SG_PLACE_UNKNOWN));
    assert_true(sg_places_has(&list[1].among.counterparts, SG_PLACE_TZ));
    list = left(*state, "...578", "3"); // of nothing: what was asked for
    assert_int_equal(sg_places_count(&list[0].among.areas), 1);
    assert_true(sg_places_has(&list[0].among.areas, SG_PLACE_NO));
    assert_null(list[0].part);
}

static void
a_key_means_places_as_the_judge_did(void **state)
{
    struct fixture *f = *state;

    f->map.code = TEXT("KAMPALA");
    f->map.jurisdiction = TEXT("UG");
    left(f, "...KAMPALA", "2");
    f->terms.area_map = f->maps;
    f->terms.n_area_map = 1;
    left(f, "...KAMPALA", "1");
    f->map.code = TEXT("404"); // the terms' own word comes first
    left(f, "...404", "1");
    f->facts.area_field = 0; // facts do not tell
    left(f, "...404", "012");
}

static void
several_that_does_not_say_which_is_unknown(void **state)
{
    struct fixture *f = *state;
    const struct sg_match_part *list;

    f->part[2].areas.len = 0;
    list = left(f, "", "012");
    assert_int_equal(sg_places_count(&list[2].among.areas), 1);
    assert_true(sg_places_has(&list[2].among.areas, SG_PLACE_UNKNOWN));
    left(f, "...646", "3");
    f->part[0].area = TEXT("Kenya"); // no code
    list = left(f, "", "012");
    assert_true(sg_places_has(&list[0].among.areas, SG_PLACE_UNKNOWN));
}

// ---- CONF_REDIST ---------------------------------------------------------------

static void
a_list_names_the_recipient_or_not_or_nobody_can_tell(void **unused)
{
    static const struct {
        const char *listed;
        uint16_t code;
    } rows[] = {
        {"not_limited", SG_CONF_REDIST_NOT_LIMITED},
        {"nobody", SG_CONF_REDIST_NOBODY},
        {"NO_OFFICE", SG_CONF_REDIST_RECIPIENT_NAMED},
        {"KE_KNBS,NO_OFFICE", SG_CONF_REDIST_RECIPIENT_NAMED},
        {"NO_OFFICE,STRANGER", SG_CONF_REDIST_RECIPIENT_NAMED},
        {"KE_KNBS", SG_CONF_REDIST_RECIPIENT_NOT_NAMED},
        {"KE_KNBS,STRANGER", SG_CONF_REDIST_UNKNOWN},
        {"NO_OFFICE2", SG_CONF_REDIST_UNKNOWN},
        {"", SG_CONF_REDIST_UNKNOWN},
        {",", SG_CONF_REDIST_UNKNOWN},
        {"recipient_named", SG_CONF_REDIST_UNKNOWN},
    };
    static char *const ids[] = {TEXT("KE_KNBS"), TEXT("NO_OFFICE")};
    static const uint8_t key[16] = {1};
    Sgpb__Participant who[2], *list[2];
    Sgpb__Roster roster = SGPB__ROSTER__INIT;
    static struct sg_state state;

    (void)unused;
    state = (struct sg_state){.roster = {.doc = &roster}};
    state.roster.by_name = sg_table_new(8, key);
    assert_non_null(state.roster.by_name);
    for (size_t i = 0; i < 2; i++) {
        who[i] = (Sgpb__Participant)SGPB__PARTICIPANT__INIT;
        who[i].id = ids[i];
        list[i] = &who[i];
        assert_int_equal(
            sg_table_put(state.roster.by_name, sg_slice_text(ids[i]), i + 1),
            SG_OK);
    }
    roster.participants = list;
    roster.n_participants = 2;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_int_equal(sg_match_redist(&state, rows[i].listed, "NO_OFFICE"),
                         rows[i].code);
    sg_table_free(&state.roster.by_name);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_leaves_the_parts_that_hold_its_areas),
        TEST(of_a_part_only_the_areas_asked_for_are_decided),
        TEST(a_key_means_places_as_the_judge_did),
        TEST(several_that_does_not_say_which_is_unknown),
        cmocka_unit_test(a_list_names_the_recipient_or_not_or_nobody_can_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
