// What json.h promises: the same rows as the CSV that says the same, in any
// order of members, in any pieces; each fault once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/sdmx/json_messages.h"

// ' to ", to be freed.
static struct sg_slice
quoted(const char *text)
{
    size_t len = strlen(text);
    char *out = malloc(len + 1);
    for (size_t i = 0; i <= len; i++)
        out[i] = text[i] == '\'' ? '"' : text[i];
    return sg_slice_of(out, len);
}

static void
expect(struct obs_fixture *f, size_t i, struct sg_slice json, size_t chunk)
{
    enum sg_err err = obs_fixture_run(f, json, chunk, false);
    if (strcmp(messages[i].faults, "UNSUPPORTED") == 0) {
        assert_int_equal(err, SG_ERR_UNSUPPORTED);
        f->text[0] = '\0';
        return;
    }
    assert_int_equal(err, SG_OK);
    if (f->rows != messages[i].rows || strcmp(f->text, messages[i].faults) != 0)
        fail_msg("message %zu, chunk %zu: %d rows, faults:\n%s\n%.*s", i, chunk,
                 (int)f->rows, f->text, SG_SLICE_ARG(json));
}

static void
expect_same(const struct obs_fixture *f, struct obs_fixture *g, size_t i,
            struct sg_slice json)
{
    if (messages[i].same == NULL)
        return;
    assert_int_equal(
        obs_fixture_run(g, sg_slice_text(messages[i].same), 4096, false),
        SG_OK);
    if (f->len != g->len || memcmp(f->bytes, g->bytes, f->len) != 0)
        fail_msg("message %zu: not the same rows:\n%s\n%.*s", i,
                 messages[i].same, SG_SLICE_ARG(json));
}

static void
messages_mean_what_their_csv_means_in_any_pieces(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct obs_fixture *g = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(messages); i++) {
        struct sg_slice json = quoted(messages[i].json);
        for (size_t chunk = 1; chunk < 100000; chunk = chunk * 9 + 2) {
            expect(f, i, json, chunk);
            expect_same(f, g, i, json);
            if ((messages[i].how & TWICE) != 0)
                assert_true(f->again);
        }
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
    obs_fixture_free(g);
}

static void
every_size_of_pieces_gives_the_same(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct sg_slice json = quoted(messages[i].json);
        for (size_t chunk = 1; chunk <= json.len; chunk++)
            expect(f, i, json, chunk);
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
}

// The media of a message that was read; before that only its head is known.
static void
the_version_is_what_the_message_says(void **state)
{
    static const struct {
        const char *json;
        enum sg_media head, whole;
    } cases[] = {
        {META STRUCTURE "'x':1}}", SG_MEDIA_JSON21, SG_MEDIA_JSON21},
        {"{'meta':{'schema':'schemas/2.0.0/x'},'data':{" STRUCTURE "'x':1}}",
         SG_MEDIA_JSON20, SG_MEDIA_JSON20},
        {"{'data':{'structure':{'dimensions':{}}}}", SG_MEDIA_JSON10,
         SG_MEDIA_JSON10},
        {"{'data':{'structure':{'dimensions':{}}},'$schema':'x/2.1/y'}",
         SG_MEDIA_JSON21, SG_MEDIA_JSON21},
        {"{'data':{'dataStructures':[]}}", SG_MEDIA_STRUCTURE,
         SG_MEDIA_STRUCTURE},
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_slice json = quoted(cases[i].json);
        assert_int_equal(sg_obs_media_detect(json), cases[i].head);
        (void)obs_fixture_run(f, json, 4096, false);
        assert_int_equal(f->media, cases[i].whole);
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
}

static void
faults_name_their_line(void **state)
{
    static const char text[] =
        M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
          "\n'attributes':[0],'observations':{\n\n'0'\n:\n[1\n,\n0\n]\n,"
          "'1':[2,0\n],\n\n'9':[3,0]}}}" END;
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct sg_slice json = quoted(text);
    (void)state;
    for (size_t chunk = 1; chunk < 5000; chunk = chunk * 3 + 1) {
        assert_int_equal(obs_fixture_run(f, json, chunk, false), SG_OK);
        assert_string_equal(f->text, "JSON TIME_PERIOD 3 9\n");
        assert_int_equal(f->line, 13);
    }
    obs_fixture_drop(json);
    obs_fixture_free(f);
}

// ---- order -----------------------------------------------------------------

// Where the value that begins at at ends.
static size_t
value_end(struct sg_slice text, size_t at)
{
    int depth = 0;
    bool in_text = false;
    for (; at < text.len; at++) {
        uint8_t c = text.ptr[at];
        if (in_text) {
            in_text = c != '"';
            continue;
        }
        in_text = c == '"';
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    }
    return at;
}

static bool
is_keyed(struct sg_slice member)
{
    static const char *const names[] = {"\"series\":{", "\"observations\":{",
                                        "\"dimensionGroupAttributes\":{"};
    for (size_t i = 0; i < SG_COUNT_OF(names); i++)
        if (member.len > strlen(names[i]) &&
            memcmp(member.ptr, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

// The members of objects from the last to the first, but for keys: the rows
// have their numbers by their order.
static uint8_t *
turn_round(struct sg_slice value, uint8_t *out, bool keyed)
{
    struct sg_slice parts[64];
    size_t count = 0, at = 1;
    uint8_t open = value.ptr[0];
    if (open != '{' && open != '[') {
        memcpy(out, value.ptr, value.len);
        return out + value.len;
    }
    while (at < value.len - 1) {
        size_t end = value_end(value, at);
        assert_true(count < 64);
        parts[count++] = sg_slice_of(value.ptr + at, end - at);
        at = end + 1;
    }
    *out++ = open;
    for (size_t i = 0; i < count; i++) {
        struct sg_slice part = parts[open == '{' && !keyed ? count - 1 - i : i];
        size_t name = 0;
        if (open == '{')
            name = (size_t)((const uint8_t *)memchr(part.ptr + 1, '"',
                                                    part.len - 1) -
                            part.ptr) +
                   2;
        memcpy(out, part.ptr, name);
        out = turn_round(sg_slice_of(part.ptr + name, part.len - name),
                         out + name, is_keyed(part));
        *out++ = i + 1 < count ? ',' : ' ';
    }
    *out++ = open == '{' ? '}' : ']';
    return out;
}

static void
the_order_of_members_says_nothing(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct obs_fixture *g = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(messages); i++) {
        if ((messages[i].how & ANY_ORDER) == 0)
            continue;
        struct sg_slice json = quoted(messages[i].json);
        uint8_t *turned = malloc(2 * json.len);
        uint8_t *end = turn_round(json, turned, false);
        struct sg_slice other = sg_slice_of(turned, (size_t)(end - turned));
        expect(f, i, other, 100000);
        expect_same(f, g, i, other);
        expect(f, i, other, 7);
        free(turned);
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
    obs_fixture_free(g);
}

// ---- damage ------------------------------------------------------------------

static void
whatever_is_cut_off_is_missed(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sg_slice json = quoted(messages[i].json);
        for (size_t len = 0; len < json.len; len++) {
            assert_int_equal(
                obs_fixture_run(f, sg_slice_of(json.ptr, len), 4096, false),
                SG_OK);
            if (f->text[0] == '\0')
                fail_msg("accepted: %.*s", (int)len, (const char *)json.ptr);
        }
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
}

static void
damaged_bytes_say_the_same_in_any_pieces(void **state)
{
    static char text[sizeof((struct obs_fixture *)0)->text];
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        struct sg_slice json = quoted(messages[i].json);
        uint8_t *bytes = (uint8_t *)(uintptr_t)json.ptr;
        for (size_t at = 0; at < json.len; at++) {
            uint8_t kept = bytes[at];
            bytes[at] ^= (uint8_t)(1u << at % 8);
            enum sg_err err = obs_fixture_run(f, json, json.len, false);
            uint64_t rows = f->rows;
            memcpy(text, f->text, sizeof text);
            assert_int_equal(obs_fixture_run(f, json, 1 + at % 97, false), err);
            assert_int_equal(f->rows, rows);
            assert_string_equal(f->text, text);
            bytes[at] = kept;
        }
        obs_fixture_drop(json);
    }
    obs_fixture_free(f);
}

// ---- limits --------------------------------------------------------------------

// count observations of one series, and its attributes behind them.
static struct sg_slice
long_series(size_t count)
{
    static const char head[] =
        M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
          "'observations':{",
                      tail[] = "},'attributes':[0]}}" END;
    char *text = malloc(sizeof head + sizeof tail + count * 24);
    size_t len = (size_t)sprintf(text, "%s", head);
    for (size_t i = 0; i < count; i++)
        len += (size_t)sprintf(text + len, "%s'%zu':[%zu,0]", i > 0 ? "," : "",
                               i % 4, i);
    sprintf(text + len, "%s", tail);
    struct sg_slice out = quoted(text);
    free(text);
    return out;
}

static void
a_series_waits_for_its_attributes_within_its_limit(void **state)
{
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    struct sg_slice few = long_series(1000), many = long_series(100000);
    (void)state;
    assert_int_equal(obs_fixture_run(f, few, 4096, false), SG_OK);
    assert_null(strstr(f->text, "JSON"));
    assert_null(strstr(f->text, "UNIT"));
    assert_int_equal(f->rows, 1000);
    assert_int_equal(obs_fixture_run(f, many, 4096, false), SG_OK);
    assert_non_null(strstr(f->text, "JSON  0 attributes\n"));
    assert_int_equal(f->rows, 100000);
    obs_fixture_drop(few);
    obs_fixture_drop(many);
    obs_fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_mean_what_their_csv_means_in_any_pieces),
        cmocka_unit_test(every_size_of_pieces_gives_the_same),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(the_version_is_what_the_message_says),
        cmocka_unit_test(the_order_of_members_says_nothing),
        cmocka_unit_test(whatever_is_cut_off_is_missed),
        cmocka_unit_test(damaged_bytes_say_the_same_in_any_pieces),
        cmocka_unit_test(a_series_waits_for_its_attributes_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
