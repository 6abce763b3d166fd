// What slice.h promises about borrowed bytes.
#include "tests/unit/base/fixture.h"

#include "broker/base/check.h"

static void
slices_are_ordered_by_bytes_and_a_prefix_comes_first(void **unused)
{
    static const char *const sorted[] = {"",  "A",  "AA",   "AB",
                                         "B", "BA", "\x80", "\xff"};
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(sorted); i++) {
        for (size_t j = 0; j < SG_COUNT_OF(sorted); j++) {
            struct sg_slice a = sg_slice_text(sorted[i]);
            struct sg_slice b = sg_slice_text(sorted[j]);
            int order = sg_slice_cmp(a, b);
            assert_int_equal(order > 0, i > j);
            assert_int_equal(order < 0, i < j);
            assert_int_equal(sg_slice_eq(a, b), i == j);
        }
    }
    assert_true(sg_slice_eq(sg_slice_text(NULL), SG_SLICE("")));
}

static void
numbers_are_decimal_and_fit_64_bits(void **unused)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"42", true, 42},
        {"18446744073709551615", true, UINT64_MAX},
        {"00000000000000000007", true, 7},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"000000000000000000007", false, 0}, // 21 digits
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
        {"1/", false, 0},
        {"1:", false, 0},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        uint64_t value = 0;
        assert_int_equal(sg_slice_u64(sg_slice_text(cases[i].text), &value),
                         cases[i].good);
        assert_int_equal(value, cases[i].value);
    }
}

static void
ids_are_capitals_digits_and_three_marks(void **unused)
{
    char longest[66];
    (void)unused;
    for (int c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        bool good = c > 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
                                    c) != NULL;
        assert_int_equal(sg_slice_is_id(sg_slice_of(&byte, 1)), good);
    }
    memset(longest, 'A', sizeof longest);
    assert_false(sg_slice_is_id(sg_slice_of(longest, 0)));
    assert_true(sg_slice_is_id(sg_slice_of(longest, 64)));
    assert_false(sg_slice_is_id(sg_slice_of(longest, 65)));
}

static void
utf8_has_one_form_for_each_character(void **unused)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"Zürich", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},             // a continuation alone
        {"\xc1\xbf", false},         // overlong
        {"\xe0\x9f\xbf", false},     // overlong
        {"\xf0\x8f\xbf\xbf", false}, // overlong
        {"\xed\xa0\x80", false},     // surrogate
        {"\xf4\x90\x80\x80", false}, // beyond U+10FFFF
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc2", false}, // cut
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\xc2\x41", false},
        {"\xe2\x82\x41", false},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_int_equal(sg_slice_is_utf8(sg_slice_text(cases[i].text)),
                         cases[i].good);
    assert_false(sg_slice_is_utf8(sg_slice_of("a\0b", 3)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_ordered_by_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(numbers_are_decimal_and_fit_64_bits),
        cmocka_unit_test(ids_are_capitals_digits_and_three_marks),
        cmocka_unit_test(utf8_has_one_form_for_each_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
