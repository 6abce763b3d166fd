// What places.h promises: a set of places and its one form in facts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/vocabulary/places.h"

static struct sg_places
of(const uint16_t *list, size_t count)
{
    struct sg_places set = {0};
    for (size_t i = 0; i < count; i++)
        sg_places_add(&set, list[i]);
    return set;
}

static void
a_set_holds_what_was_put_into_it(void **unused)
{
    static const uint16_t list[] = {SG_PLACE_ZW, SG_PLACE_KE, SG_PLACE_UNKNOWN,
                                    SG_PLACE_KE};
    struct sg_places set = of(list, 4), other = of(list, 1);
    (void)unused;
    assert_int_equal(sg_places_count(&set), 3);
    assert_int_equal(sg_places_next(&set, 0), SG_PLACE_UNKNOWN);
    assert_int_equal(sg_places_next(&set, 1), SG_PLACE_KE);
    assert_int_equal(sg_places_next(&set, SG_PLACE_KE + 1), SG_PLACE_ZW);
    assert_int_equal(sg_places_next(&set, SG_PLACE_ZW + 1), SG_PLACE_COUNT);
    assert_false(sg_places_has(&set, SG_PLACE_UG));
    sg_places_meet(&set, &other);
    assert_int_equal(sg_places_count(&set), 1);
    assert_true(sg_places_has(&set, SG_PLACE_ZW));
    sg_places_add(&other, SG_PLACE_UG);
    sg_places_join(&set, &other);
    assert_int_equal(sg_places_count(&set), 2);
    sg_places_add(&set, UINT16_MAX); // no place: nobody can tell what it is
    assert_true(sg_places_has(&set, SG_PLACE_UNKNOWN));
}

static void
what_was_packed_is_opened_again(void **unused)
{
    struct sg_places set = {0}, again;
    uint8_t bytes[SG_PLACES_BYTES];
    (void)unused;
    assert_int_equal(sg_places_pack(&set, bytes), 0);
    for (uint16_t p = 0; p < SG_PLACE_COUNT; p++) {
        struct sg_places one = {0};
        sg_places_add(&one, p);
        size_t len = sg_places_pack(&one, bytes);
        assert_int_equal(len, p / 8 + 1);
        assert_true(sg_places_open(sg_slice_of(bytes, len), &again));
        assert_memory_equal(&one, &again, sizeof one);
        sg_places_join(&set, &one);
    }
    size_t len = sg_places_pack(&set, bytes);
    assert_true(sg_places_open(sg_slice_of(bytes, len), &again));
    assert_memory_equal(&set, &again, sizeof set);
}

static void
a_set_has_one_form_and_no_place_beyond_the_list(void **unused)
{
    uint8_t bytes[SG_PLACES_BYTES + 1] = {1};
    struct sg_places set;
    (void)unused;
    assert_false(sg_places_open(sg_slice_of(bytes, 0), &set));
    assert_true(sg_places_open(sg_slice_of(bytes, 1), &set));
    assert_false(sg_places_open(sg_slice_of(bytes, 2), &set)); // a zero behind
    assert_int_equal(sg_places_count(&set), 0);
    bytes[SG_PLACES_BYTES] = 1;
    assert_false(sg_places_open(sg_slice_of(bytes, sizeof bytes), &set));
    if (SG_PLACE_COUNT % 8 != 0) {
        bytes[SG_PLACES_BYTES - 1] = 0x80;
        assert_false(sg_places_open(sg_slice_of(bytes, SG_PLACES_BYTES), &set));
        assert_int_equal(sg_places_count(&set), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_holds_what_was_put_into_it),
        cmocka_unit_test(what_was_packed_is_opened_again),
        cmocka_unit_test(a_set_has_one_form_and_no_place_beyond_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
