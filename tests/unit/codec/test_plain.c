// Words of others before they are shown.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schemas/codec/plain.h"
#include "schemas/wire.pb-c.h"

static void
becomes(const char *text, bool lines, const char *expected)
{
    char room[128];

    strcpy(room, text);
    sg_plain_text(room, lines);
    assert_string_equal(room, expected);
}

static void
what_moves_turns_or_hides_is_not_shown(void **state)
{
    (void)state;
    becomes("", false, "");
    becomes("plain KE_SDG@3", false, "plain KE_SDG@3");
    becomes("\033[2J\033]0;x\a", false, "?[2J?]0;x?");
    becomes("a\tb\r\nc\x7f", false, "a?b??c?");
    becomes("a\nb\r", true, "a\nb?");
    becomes("x\xc2\x9bm\xc2\x85", false, "x?m?"); // C1
    becomes("a\xe2\x80\xae"
            "b",
            false, "a?b"); // right to left
    becomes("a\xe2\x81\xa6"
            "b\xd8\x9c",
            false, "a?b?");                            // isolate, Arabic mark
    becomes("a\xe2\x80\xa8\xe2\x80\xa9", true, "a??"); // line, paragraph
    becomes("a\xf3\xa0\x81\x81", false, "a?");         // a tag
    becomes("\xef\xbb\xbf"
            "a",
            false, "?a");
}

static void
what_people_write_stays(void **state)
{
    static const char *const texts[] = {
        "Côte d'Ivoire",
        "الأردن",
        "Қазақстан",
        "中国",
        "বাংলাদেশ",
        "🇰🇪",
        "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"}; // with a joiner

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        becomes(texts[i], false, texts[i]);
}

static void
bytes_that_are_no_utf8_are_not_shown(void **state)
{
    (void)state;
    becomes("a\xff"
            "b\xc2",
            false, "a?b?");
    becomes("\xe2\x80", false, "??");
    becomes("\xc0\x80", false, "??");
}

static void
a_text_is_cut_between_characters_and_says_so(void **state)
{
    char out[8];

    (void)state;
    sg_plain_copy(out, sizeof out, "1234567");
    assert_string_equal(out, "1234567");
    sg_plain_copy(out, sizeof out, "12345678");
    assert_string_equal(out, "1234...");
    sg_plain_copy(out, sizeof out,
                  "123\xc3\xa9"
                  "567");
    assert_string_equal(out, "123...");
    sg_plain_copy(out, sizeof out,
                  "12\xe4\xb8\xad"
                  "567");
    assert_string_equal(out, "12...");
}

static void
every_text_of_an_answer_becomes_plain(void **state)
{
    char code[] = "a\nb", cure[] = "c\nd\033", component[] = "e\xc2\x9b";
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Place place = SGPB__PLACE__INIT;

    (void)state;
    refusal.code = code;
    refusal.cure = cure;
    refusal.place = &place;
    place.component = component;
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = &refusal;
    sg_plain_message(&envelope.base);
    assert_string_equal(code, "a?b");
    assert_string_equal(cure, "c\nd?");
    assert_string_equal(component, "e?");
}

static void
a_hash_of_another_length_is_found_wherever_it_lies(void **state)
{
    static uint8_t bytes[64];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Catalogue page = SGPB__CATALOGUE__INIT;
    Sgpb__CatalogueFlow flow = SGPB__CATALOGUE_FLOW__INIT, *flows[] = {&flow};

    (void)state;
    page.flows = flows;
    page.n_flows = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE;
    envelope.catalogue = &page;
    assert_true(sg_plain_lengths(&envelope.base)); // none
    flow.terms_sha256 = (ProtobufCBinaryData){32, bytes};
    assert_true(sg_plain_lengths(&envelope.base));
    for (size_t len = 1; len <= 64; len++) {
        flow.terms_sha256.len = len;
        assert_int_equal(sg_plain_lengths(&envelope.base), len == 32);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_turns_or_hides_is_not_shown),
        cmocka_unit_test(what_people_write_stays),
        cmocka_unit_test(bytes_that_are_no_utf8_are_not_shown),
        cmocka_unit_test(a_text_is_cut_between_characters_and_says_so),
        cmocka_unit_test(every_text_of_an_answer_becomes_plain),
        cmocka_unit_test(a_hash_of_another_length_is_found_wherever_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
