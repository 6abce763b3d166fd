// What json_scan.h promises of any bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/base/limits.h"
#include "tests/unit/sdmx/json_fixture.h"

// tokens as json_fixture.h writes them, | for \1; or NULL and why.
static const struct {
    const char *text, *tokens, *why;
} texts[] = {
    {"{}", "{}", NULL},
    {" [ ] \n", "[]", NULL},
    {"{\"a\":1,\"b\":[true,false,null,\"\"]}",
     "{na|d1|nb|[wtrue|wfalse|wnull|s|]}", NULL},
    // numbers are what was written
    {"[3.10,-0,1e5,1E+05,-12.50e-3,0.0]",
     "[d3.10|d-0|d1e5|d1E+05|d-12.50e-3|d0.0|]", NULL},
    {"12", "d12|", NULL},
    {"\t null\r", "wnull|", NULL},
    // escapes, characters of two to four bytes, pairs of surrogates
    {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[s\"\\/\b\f\n\r\t|]", NULL},
    {"[\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"]",
     "[sA\xc3\xa9\xe2\x82\xac"
     "\xf0\x9f\x98\x80|]",
     NULL},
    {"[\"\xc3\xa9 eight bytes \xf0\x9f\x98\x80\"]",
     "[s\xc3\xa9 eight bytes \xf0\x9f\x98\x80|]", NULL},
    {"{\"\\u0061\":{}}", "{na|{}}", NULL},
    {"[\"\x7f\"]", "[s\x7f|]", NULL},
    // not numbers
    {"[01]", NULL, "1:1 not a number of JSON; write others as texts"},
    {"[+5]", NULL, "1:1 neither a value nor the ] of the array"},
    {"[.5]", NULL, "1:1 neither a value nor the ] of the array"},
    {"[5.]", NULL, "1:1 not a number of JSON; write others as texts"},
    {"[1e]", NULL, "1:1 not a number of JSON; write others as texts"},
    {"[-]", NULL, "1:1 not a number of JSON; write others as texts"},
    {"[1-2]", NULL, "1:1 not a number of JSON; write others as texts"},
    {"[NaN]", NULL, "1:1 neither a value nor the ] of the array"},
    {"-", NULL, "1:0 not a number of JSON; write others as texts"},
    // not words
    {"[nul]", NULL, "1:1 a word that is not true, false or null"},
    {"[nulll]", NULL, "1:1 a word that is not true, false or null"},
    {"[falsehood]", NULL, "1:1 a word that is not true, false or null"},
    {"[True]", NULL, "1:1 neither a value nor the ] of the array"},
    {"tru", NULL, "1:0 a word that is not true, false or null"},
    // not texts
    {"[\"\\ud83d\"]", NULL, "1:1 half of a surrogate pair stands alone"},
    {"[\"\\ude00\\ud83d\"]", NULL, "1:1 half of a surrogate pair stands alone"},
    {"[\"\\ud83d\\u0041\"]", NULL, "1:1 half of a surrogate pair stands alone"},
    {"[\"\\ud83d\\ud83d\"]", NULL, "1:1 half of a surrogate pair stands alone"},
    {"[\"\\u0000\"]", NULL, "1:1 \\u0000 is no character of a text"},
    {"[\"\\u12g4\"]", NULL, "1:1 \\u without four hexadecimal digits"},
    {"[\"\\u12\"]", NULL, "1:1 \\u without four hexadecimal digits"},
    {"[\"\\x41\"]", NULL, "1:1 a backslash before something that needs none"},
    {"[\"a\nb\"]", NULL,
     "1:1 a control character or a line break within a text"},
    {"[\"a\\\nb\"]", NULL,
     "1:1 a control character or a line break within a text"},
    {"[\"a long text\x01 of many bytes\"]", NULL,
     "1:1 a control character or a line break within a text"},
    {"[\"\xc3\x28\"]", NULL, "1:1 bytes that are not UTF-8"},
    {"[\"\xed\xa0\x80\"]", NULL, "1:1 bytes that are not UTF-8"},
    {"[\"\xc0\xaf\"]", NULL, "1:1 bytes that are not UTF-8"},
    {"[\"12345678\xff\"]", NULL, "1:1 bytes that are not UTF-8"},
    // not the grammar
    {"", NULL, "1:0 no message at all"},
    {" \n ", NULL, "2:3 no message at all"},
    {"\xef\xbb\xbf{}", NULL,
     "1:0 a byte order mark; save the file as UTF-8 without one"},
    {"[1,]", NULL, "1:3 a value is missing here"},
    {"{\"a\":1,}", NULL, "1:7 a name in quotes is missing here"},
    {"{a:1}", NULL, "1:1 neither a name in quotes nor the } of the object"},
    {"{\"a\" 1}", NULL, "1:5 a name is not followed by a colon"},
    {"{\"a\":}", NULL, "1:5 a value is missing here"},
    {"[1 2]", NULL, "1:3 neither a comma nor the end of the object or array"},
    {"[1}", NULL, "1:2 neither a comma nor the end of the object or array"},
    {"{\"a\":1]", NULL,
     "1:6 neither a comma nor the end of the object or array"},
    {"{}\n{}", NULL, "2:3 text behind the end of the message"},
    {"[/**/]", NULL, "1:1 neither a value nor the ] of the array"},
    {"[\n\n\"a\",\n&]", NULL, "4:8 a value is missing here"},
    {"{\"a\":[", NULL, "1:6 the text ends before what it has opened"},
    {"[\"abc", NULL, "1:5 the text ends before what it has opened"},
    {"[\"abc\\", NULL, "1:6 the text ends before what it has opened"},
    {"[12", NULL, "1:3 the text ends before what it has opened"},
};

static struct json_fixture
read_text(struct sg_slice text, size_t step)
{
    struct json_fixture f = {0};
    json_fixture_read(&f, text, step);
    return f;
}

static void
a_text_gives_its_tokens_or_place_and_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(texts); i++) {
        struct sg_slice text = sg_slice_text(texts[i].text);
        struct json_fixture f = read_text(text, text.len + 1);
        for (size_t n = 0; n < f.len; n++)
            if (f.log[n] == 1)
                f.log[n] = '|';
        json_fixture_add(&f, "", 1);
        if (texts[i].why != NULL) {
            assert_string_equal(f.why, texts[i].why);
            assert_int_equal(f.err, SG_ERR_SYNTAX);
            assert_int_not_equal(f.fault, SG_JSON_FAULT_NONE);
        } else {
            assert_string_equal((char *)f.log, texts[i].tokens);
            assert_int_equal(f.err, SG_OK);
        }
        free(f.log);
    }
}

static void
any_split_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(texts); i++) {
        struct sg_slice text = sg_slice_text(texts[i].text);
        struct json_fixture whole = read_text(text, text.len + 1);
        for (size_t step = 1; step <= text.len; step++) {
            struct json_fixture f = read_text(text, step);
            if (!json_fixture_same(&whole, &f))
                fail_msg("%s in pieces of %zu: %s, not %s", texts[i].text, step,
                         f.why, whole.why);
            free(f.log);
        }
        free(whole.log);
    }
}

// before, then count times fill, then after
static void
expect_fault(const char *before, const char *fill, size_t count,
             const char *after, enum sg_json_fault fault)
{
    size_t n = strlen(fill), len = 0;
    char *text = malloc(strlen(before) + n * count + strlen(after) + 1);
    len += (size_t)sprintf(text, "%s", before);
    for (size_t i = 0; i < count; i++, len += n)
        memcpy(text + len, fill, n);
    len += (size_t)sprintf(text + len, "%s", after);
    struct json_fixture whole = read_text(sg_slice_of(text, len), len);
    assert_int_equal(whole.fault, fault);
    for (size_t step = 1; step < len; step = step * 5 + 2) {
        struct json_fixture f = read_text(sg_slice_of(text, len), step);
        assert_true(json_fixture_same(&whole, &f));
        free(f.log);
    }
    free(whole.log);
    free(text);
}

static void
what_is_longer_or_deeper_than_the_limits_is_refused(void **state)
{
    (void)state;
    const enum sg_json_fault none = SG_JSON_FAULT_NONE,
                             limit = SG_JSON_FAULT_LIMIT;
    expect_fault("", "[", SG_LIMIT_JSON_DEPTH + 1, "", limit);
    expect_fault("", "[", SG_LIMIT_JSON_DEPTH, "", SG_JSON_FAULT_SHORT);
    expect_fault("{\"", "n", SG_LIMIT_JSON_NAME, "\":1}", none);
    expect_fault("{\"", "n", SG_LIMIT_JSON_NAME + 1, "\":1}", limit);
    expect_fault("[\"", "s", SG_LIMIT_CELL, "\"]", none);
    expect_fault("[\"", "s", SG_LIMIT_CELL + 1, "\"]", limit);
    // the same whether the limit or the control character is met first
    expect_fault("[\"", "s", SG_LIMIT_CELL + 1, "\n\"]", limit);
    expect_fault("[", "1", SG_LIMIT_JSON_NUMBER, "]", none);
    expect_fault("[", "1", SG_LIMIT_JSON_NUMBER + 1, "]", limit);
}

static void
what_the_callback_refuses_stops_the_scan(void **state)
{
    (void)state;
    struct json_fixture f = {.refuse = SG_ERR_FULL};
    json_fixture_read(&f, SG_SLICE("[1,2]"), 1);
    assert_int_equal(f.err, SG_ERR_FULL);
    assert_int_equal(f.fault, SG_JSON_FAULT_NONE);
    assert_int_equal(f.len, 1); // the [ and no more
    free(f.log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_gives_its_tokens_or_place_and_fault),
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(what_is_longer_or_deeper_than_the_limits_is_refused),
        cmocka_unit_test(what_the_callback_refuses_stops_the_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
