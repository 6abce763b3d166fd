// The scanner says what expat says: events, places, faults and their words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glob.h>

#include "tests/unit/sdmx/xml_fixture.h"

static const size_t steps[] = {1, 2, 3, 7, 64, 4096, 1u << 30};

// The number of tags that the scanner read.
static uint32_t
same_as_expat(struct sg_slice doc, size_t step)
{
    struct xml_fixture expat = xml_fixture_read(doc, step, XML_EXPAT);
    uint32_t scanned = 0;
    for (enum xml_fixture_how how = XML_SCANNER; how <= XML_PORTABLE; how++) {
        struct xml_fixture ours = xml_fixture_read(doc, step, how);
        const char *what = xml_fixture_differ(&expat, &ours);
        if (what != NULL)
            print_message("%s, step %zu: %.*s\nexpat: %u:%u %s\nours: %u:%u "
                          "%s\n",
                          what, step, (int)(doc.len < 400 ? doc.len : 400),
                          (const char *)doc.ptr, expat.diag.line,
                          expat.diag.column, expat.diag.text, ours.diag.line,
                          ours.diag.column, ours.diag.text);
        assert_null(what);
        scanned = ours.scanned;
        free(ours.log);
    }
    free(expat.log);
    return scanned;
}

#define SEEN "<r xmlns:p='u'>\n<S><O T='1' V='2' p:w='3' xml:lang='e'/></S>"

// Behind SEEN; scanned: tags that it reads, or 255 where that is not the point.
static const struct {
    const char *text;
    uint32_t scanned;
} texts[] = {
    {"<S><O T=\"1\" V=\"2\"/><O T=\"3\" V=\"4\"/></S></r>", 3},
    {"\n <S>\r\n  <O T=\"1\" V=\"\"/>\r\n\t<O\r\n\tV='2'\n T = '1' />\r</S\n>"
     "<O/></r>\n",
     4},
    {"<S >t<O p:w=\"1\" xml:lang=\"fr\"/>\xc3\xa9<O V=\"2\"/></S></r>", 3},
    {"<O V=\"&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#10;\"/></r>", 1},
    {"<O V=\"a\tb\nc\rd\r\ne  f\" T='\"'/><O T=\">'\"/></r>", 2},
    {"<O T=\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd\"/>"
     "<O T=\"\x7f\"/></r>",
     2},
    // the > within a comment costs the tag behind it
    {"<!-- > --><O T=\"1\"/><?p x?><![CDATA[<O>]]><O T=\"2\"/>&amp;]]&gt;"
     "<O/><!-- --><O/></r>",
     3},
    {"<S><O T=\"1\" N=\"2\"/><O N=\"3\"/></S></r>", 2},
    {"<S xmlns='v'><S><O T=\"1\"/><O T=\"2\"/></S></S><S/></r>", 1},
    {"<S xmlns:p='v'><O p:w=\"1\"/><O p:w=\"1\"/></S><O p:w='1'/><O "
     "p:w='2'/></r>",
     2},
    {"<p:S><p:S><p:S p:x='1' x='2'/></p:S></p:S></r>", 1},
    // refused
    {"<S><O T=\"1\"/></r>", 255},
    {"<S><O T=\"1\"></S></r>", 255},
    {"<S><O T=\"1\" T=\"2\"/></S></r>", 255},
    {"<O T=\"1\"V=\"2\"/></r>", 255},
    {"<O T=\"<\"/></r>", 255},
    {"<O T=\"&\"/></r>", 255},
    {"<O T=\"&x;\"/></r>", 255},
    {"<O T=\"&#0;\"/></r>", 255},
    {"<O T=\"&#xD800;\"/></r>", 255},
    {"<O T=\"&#x110000;\"/></r>", 255},
    {"<O T=\"&#xFFFE;\"/></r>", 255},
    {"<O T=\"&#;\"/></r>", 255},
    {"<O T=\"&#X41;\"/></r>", 255},
    {"<O T=\"\1\"/></r>", 255},
    {"<O T=\"\xc3\"/></r>", 255},
    {"<O T=\"\xed\xa0\x80\"/></r>", 255},
    {"<O T=\"\xef\xbf\xbe\"/></r>", 255},
    {"<O T=\"\xc0\x80\"/></r>", 255},
    {"<O T=\"\xf4\x90\x80\x80\"/></r>", 255},
    {"<O T=1/></r>", 255},
    {"<O T/></r>", 255},
    {"<O T=\"1\"/ ></r>", 255},
    {"< O/></r>", 255},
    {"<O/></ r>", 255},
    {"<q:O/></r>", 255},
    {"<O q:T=\"1\"/></r>", 255},
    {"<O p:w=\"1\" xmlns:q='u' q:w=\"2\"/></r>", 255},
    {"<S>]]></S></r>", 255},
    {"<S>\1</S></r>", 255},
    {"<S>&y;</S></r>", 255},
    {"<S><!-- -- --></S></r>", 255},
    {"<S></S>\n</r>\n<S/>", 255},
    {"<S></S>\n</r>x", 255},
    {"<S><O T=\"1\"/><O T=\"", 255},
    {"<S><O T=\"1\"/>", 255},
    {"<S><O T=\"1\"/>\r", 255},
    {"<S><!DOCTYPE a></S></r>", 255},
};

static void
tags_that_repeat_are_read_as_expat_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(texts); i++) {
        char doc[512];
        int len = snprintf(doc, sizeof doc, "%s%s", SEEN, texts[i].text);
        for (size_t s = 0; s < SG_COUNT_OF(steps); s++) {
            uint32_t scanned =
                same_as_expat(sg_slice_of(doc, (size_t)len), steps[s]);
            // A slice's end can lie where it gives expat one tag more.
            if (texts[i].scanned == 255 || steps[s] < 4096)
                continue;
            if (scanned != texts[i].scanned)
                print_message("%s: %u\n", texts[i].text, scanned);
            assert_int_equal(scanned, texts[i].scanned);
        }
    }
}

static void
another_encoding_is_left_to_expat(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "<?xml version='1.0' encoding='ISO-8859-1'?>",
        "<?xml version='1.0' encoding='us-ascii'?>",
        "<?xml version='1.0' encoding='Utf-8'?>", "\xef\xbb\xbf"};
    static const uint32_t scanned[] = {0, 0, 1, 1};
    for (size_t i = 0; i < SG_COUNT_OF(heads); i++) {
        char doc[256];
        int len = snprintf(doc, sizeof doc,
                           "%s<r><O T='\xc3\xa9'/><O T='1'/>"
                           "</r>",
                           heads[i]);
        for (size_t s = 0; s < SG_COUNT_OF(steps); s++) {
            uint32_t tags =
                same_as_expat(sg_slice_of(doc, (size_t)len), steps[s]);
            if (steps[s] >= 4096)
                assert_int_equal(tags, scanned[i]);
        }
    }
    uint8_t wide[2 * sizeof SEEN + 16] = {0xff, 0xfe};
    static const char text[] = SEEN "</r>";
    for (size_t i = 0; i + 1 < sizeof text; i++)
        wide[2 + 2 * i] = (uint8_t)text[i];
    for (size_t s = 0; s < SG_COUNT_OF(steps); s++)
        assert_int_equal(
            same_as_expat(sg_slice_of(wide, 2 * sizeof text), steps[s]), 0);
}

// What grows: more kinds of tags and attributes than the scanner keeps, long
// tags and names, deep nesting.
static void
what_does_not_fit_its_tables_is_left_to_expat(void **state)
{
    (void)state;
    enum { ROOM = 1 << 17 };
    char *doc = malloc(ROOM);
    assert_non_null(doc);
    for (int kind = 0; kind < 5; kind++) {
        size_t at = (size_t)sprintf(doc, "<r>");
        for (int i = 0; i < 200 && kind == 0; i++) // kinds of tags
            at += (size_t)sprintf(doc + at, "<n%d/><n%d a='1'/>", i % 40, i);
        for (int turn = 0; turn < 3 && kind == 1; turn++) { // attributes
            at += (size_t)sprintf(doc + at, "<O");
            for (int i = 0; i < 80; i++)
                at += (size_t)sprintf(doc + at, " n%d=\"%d\"", i, turn);
            at += (size_t)sprintf(doc + at, "/>");
        }
        for (int turn = 0; turn < 3 && kind == 2; turn++) { // length
            at += (size_t)sprintf(doc + at, "<O a=\"&#65;");
            memset(doc + at, turn == 1 ? '>' : 'x', 30000);
            at += 30000;
            at += (size_t)sprintf(doc + at, "\"/><O a=\"1\"/>");
        }
        for (int i = 0; i < 70 && kind == 3; i++) // depth
            at += (size_t)sprintf(doc + at, "<O>");
        for (int i = 0; i < 3 && kind == 4; i++) // names
            at += (size_t)sprintf(
                doc + at, "<O a%0100d=\"1\" \xc3\xa9=\"2\" b=\"3\"/>", 1);
        at += (size_t)sprintf(doc + at, "</r>");
        for (size_t s = 3; s < SG_COUNT_OF(steps); s++)
            same_as_expat(sg_slice_of(doc, at), steps[s]);
    }
    free(doc);
}

// ---- what offices send -------------------------------------------------------

static struct sg_slice
load(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long len = ftell(file);
    rewind(file);
    assert_true(len >= 0);
    uint8_t *bytes = malloc((size_t)len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
    (void)fclose(file);
    return sg_slice_of(bytes, (size_t)len);
}

static uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void
whole_cut_and_bent(struct sg_slice doc)
{
    for (size_t s = 0; s < SG_COUNT_OF(steps); s++)
        if (doc.len < 20000 || s > 2)
            same_as_expat(doc, steps[s]);
    size_t stride = doc.len < 20000 ? 97 : doc.len / 16;
    for (size_t len = 1; len < doc.len; len += stride)
        same_as_expat(sg_slice_of(doc.ptr, len), 4096);
    uint8_t *bent = malloc(doc.len);
    uint32_t random = 1;
    memcpy(bent, doc.ptr, doc.len);
    for (int i = 0; i < 100 && doc.len < 20000; i++) {
        size_t at = next_random(&random) % doc.len;
        bent[at] ^= (uint8_t)(1u << next_random(&random) % 8);
        same_as_expat(sg_slice_of(bent, doc.len),
                      1 + next_random(&random) % 5000);
        bent[at] = doc.ptr[at];
    }
    free(bent);
}

static void
what_offices_send_is_read_as_expat_reads_it(void **state)
{
    (void)state;
    static const char *const patterns[] = {"mutations/*.ss21.xml",
                                           "national_sdg/*.xml"};
    const char *dir = getenv("SG_SHARED");
    size_t files = 0;
    for (size_t i = 0; i < SG_COUNT_OF(patterns); i++) {
        char pattern[512];
        glob_t found = {0};
        (void)snprintf(pattern, sizeof pattern, "%s/data/sdmx/%s",
                       dir != NULL ? dir : "../shared", patterns[i]);
        if (glob(pattern, 0, NULL, &found) == 0)
            for (size_t f = 0; f < found.gl_pathc; f++, files++) {
                struct sg_slice doc = load(found.gl_pathv[f]);
                whole_cut_and_bent(doc);
                free((void *)(uintptr_t)doc.ptr);
            }
        globfree(&found);
    }
    if (files == 0) {
        print_message("skipped: needs ../shared\n");
        skip();
    }
    assert_true(files >= 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_that_repeat_are_read_as_expat_reads_them),
        cmocka_unit_test(another_encoding_is_left_to_expat),
        cmocka_unit_test(what_does_not_fit_its_tables_is_left_to_expat),
        cmocka_unit_test(what_offices_send_is_read_as_expat_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
