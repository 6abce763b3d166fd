// What log.h promises: a line is JSON whatever the texts are.
#include "tests/unit/os/fixture.h"

#include <errno.h>

#include "broker/base/slice.h"
#include "broker/os/log.h"

// What act writes to stderr, NUL-terminated.
static char *
said(void (*act)(const void *), const void *arg)
{
    static char text[8192];
    int ends[2], kept = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    act(arg);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    assert_int_equal(close(ends[1]) | close(kept), 0);
    ssize_t len = read(ends[0], text, sizeof text - 1);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return text;
}

static void
log_value(const void *value)
{
    sg_log(SG_LOG_WARN, "test.event", "value", (const char *)value, "last", "1",
           NULL);
}

// The value as it stands in the line, without its quotes.
static const char *
value_of(char *line)
{
    char *start = strstr(line, "\"value\":\"");
    assert_non_null(start);
    start += strlen("\"value\":\"");
    char *end = strstr(start, "\",\"last\":\"1\"}\n");
    assert_non_null(end);
    *end = '\0';
    return start;
}

static void
a_line_has_time_level_event_and_pairs(void **unused)
{
    (void)unused;
    char *line = said(log_value, "x");
    assert_memory_equal(line, "{\"time\":\"2", 10);
    assert_string_equal(line +
                            strlen("{\"time\":\"2026-11-24T08:00:00.000000Z"),
                        "\",\"level\":\"warn\",\"event\":\"test.event\","
                        "\"value\":\"x\",\"last\":\"1\"}\n");
    assert_string_equal(value_of(said(log_value, NULL)), "");
}

static void
whatever_is_in_a_value_the_line_stays_harmless_json(void **unused)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"say \"no\" \\ yes", "say \\\"no\\\" \\\\ yes"},
        {"a\nb\tc\x01\x1b[31m", "a\\u000ab\\u0009c\\u0001\\u001b[31m"},
        {"\x7f", "\\u007f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, // C1: another way to say escape [
        {"Zürich \xf0\x9f\x93\x88", "Zürich \xf0\x9f\x93\x88"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"a\xff\xfe", "a\\ufffd\\ufffd"},
        {"\xe2\x82", "\\ufffd\\ufffd"}, // cut
        {"\xf0", "\\ufffd"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"}, // a surrogate
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_string_equal(value_of(said(log_value, cases[i][0])),
                            cases[i][1]);
}

// Escapes and characters are cut whole, and the line is closed all the same.
static void
a_value_too_long_is_cut_between_characters(void **unused)
{
    static const char *const tails[] = {
        "\"", "\\", "\x01", "\xf0\x9f\x93\x88", "\xff", "a"};
    char value[3000];
    (void)unused;
    for (size_t t = 0; t < SG_COUNT_OF(tails); t++) {
        for (size_t before = 1900; before < 2010; before++) {
            memset(value, 'a', before);
            value[before] = '\0';
            while (strlen(value) < 2900)
                strcat(value, tails[t]);
            char *line = said(log_value, value);
            size_t len = strlen(line);
            assert_in_range(len, 1900, 2048);
            assert_true(sg_slice_is_utf8(sg_slice_of(line, len)));
            assert_string_equal(line + len - 3, "\"}\n");
            unsigned slashes = 0; // an even number before the closing quote
            while (line[len - 4 - slashes] == '\\')
                slashes++;
            assert_int_equal(slashes % 2, 0);
        }
    }
}

static void
log_many(const void *value)
{
    sg_log(SG_LOG_ERROR, "test.many", "a", value, "b", value, "c", value, "d",
           value, NULL);
}

static void
pairs_that_do_not_fit_are_left_out_whole(void **unused)
{
    char value[700];
    (void)unused;
    for (size_t len = 400; len < sizeof value; len++) {
        memset(value, 'v', len);
        value[len] = '\0';
        char *line = said(log_many, value);
        assert_in_range(strlen(line), 1500, 2048);
        assert_string_equal(line + strlen(line) - 3, "\"}\n");
        unsigned quotes = 0;
        for (const char *c = line; *c != '\0'; c++)
            quotes += *c == '"';
        assert_int_equal(quotes % 4, 0); // keys and values, all closed
    }
}

static void
log_all_levels(const void *level)
{
    sg_log_set_level(*(const enum sg_log_level *)level);
    for (int i = SG_LOG_DEBUG; i <= SG_LOG_ERROR; i++)
        sg_log((enum sg_log_level)i, "test.level", NULL);
    sg_log_set_level(SG_LOG_INFO);
}

static void
lines_below_the_level_are_not_written(void **unused)
{
    (void)unused;
    for (int i = SG_LOG_DEBUG; i <= SG_LOG_OFF; i++) {
        enum sg_log_level level = (enum sg_log_level)i;
        unsigned lines = 0;
        for (const char *c = said(log_all_levels, &level); *c != '\0'; c++)
            lines += *c == '\n';
        assert_int_equal(lines, SG_LOG_OFF - i);
    }
}

static void
a_log_that_cannot_be_written_changes_nothing(void **unused)
{
    int kept = dup(STDERR_FILENO);
    (void)unused;
    assert_int_equal(close(STDERR_FILENO), 0);
    errno = EDOM;
    sg_log(SG_LOG_ERROR, "test.lost", NULL);
    int after = errno;
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    assert_int_equal(close(kept), 0);
    assert_int_equal(after, EDOM);
}

static void
a_limit_lets_so_many_a_minute_pass_and_counts_the_rest(void **unused)
{
    struct sg_log_limit limit = {0};
    uint64_t left_out = 99, minute = 60000000;
    (void)unused;
    for (int i = 0; i < 3; i++) {
        assert_true(sg_log_allowed(&limit, 3, 5 * minute, &left_out));
        assert_int_equal(left_out, 0);
    }
    for (int i = 0; i < 10; i++)
        assert_false(sg_log_allowed(&limit, 3, 6 * minute - 1, &left_out));
    assert_true(sg_log_allowed(&limit, 3, 6 * minute, &left_out));
    assert_int_equal(left_out, 10);
    assert_true(sg_log_allowed(&limit, 3, 6 * minute, &left_out));
    assert_int_equal(left_out, 0);
}

static void
numbers_are_decimal(void **unused)
{
    char buffer[24];
    (void)unused;
    assert_string_equal(sg_log_number(0, buffer), "0");
    assert_string_equal(sg_log_number(UINT64_MAX, buffer),
                        "18446744073709551615");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_pairs),
        cmocka_unit_test(whatever_is_in_a_value_the_line_stays_harmless_json),
        cmocka_unit_test(a_value_too_long_is_cut_between_characters),
        cmocka_unit_test(pairs_that_do_not_fit_are_left_out_whole),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(a_log_that_cannot_be_written_changes_nothing),
        cmocka_unit_test(
            a_limit_lets_so_many_a_minute_pass_and_counts_the_rest),
        cmocka_unit_test(numbers_are_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
