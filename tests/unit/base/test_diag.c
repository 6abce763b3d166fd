// What diag.h promises about the place of a mistake.
#include "tests/unit/base/fixture.h"

#include "broker/base/diag.h"

static void
place_and_sentence_are_kept(void **unused)
{
    struct sg_diag diag;
    (void)unused;
    sg_diag_set(&diag, 12, 3, "unknown word '%s'; did you mean '%s'?", "alow",
                "allow");
    assert_int_equal(diag.line, 12);
    assert_int_equal(diag.column, 3);
    assert_string_equal(diag.text,
                        "unknown word 'alow'; did you mean 'allow'?");
    sg_diag_set(NULL, 1, 1, "nobody asks");
}

static void
a_long_sentence_is_cut_between_characters(void **unused)
{
    struct sg_diag diag;
    char text[300];
    (void)unused;
    for (size_t before = 250; before < 258; before++) {
        memset(text, 'a', before);
        strcpy(text + before, "\xf0\x9f\x93\x88 growth");
        sg_diag_set(&diag, 1, 1, "%s", text);
        assert_true(sg_slice_is_utf8(sg_slice_text(diag.text)));
        size_t len = before <= 251 ? 255 : before < 255 ? before : 255;
        assert_int_equal(strlen(diag.text), len);
        assert_memory_equal(diag.text, text, len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_and_sentence_are_kept),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
