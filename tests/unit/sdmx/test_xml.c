// What xml.h promises about foreign documents.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/xml.h"

struct seen {
    char log[4096];
    size_t len;
    uint32_t starts, attrs;
    enum sg_err refuse; // returned by every start
};

static void
note(struct seen *seen, const char *mark, struct sg_slice a, struct sg_slice b)
{
    int n = snprintf(seen->log + seen->len, sizeof seen->log - seen->len,
                     "%s%.*s|%.*s;", mark, SG_SLICE_ARG(a), SG_SLICE_ARG(b));
    if (n > 0 && seen->len + (size_t)n < sizeof seen->log)
        seen->len += (size_t)n;
}

static enum sg_err
on_start(void *user, const struct sg_xml_element *e)
{
    struct seen *seen = user;
    seen->starts++;
    seen->attrs += e->attr_count;
    note(seen, "<", e->ns, e->name);
    for (uint32_t i = 0; i < e->attr_count && i < 4; i++)
        note(seen, "@", e->attrs[i].name, e->attrs[i].value);
    return seen->refuse;
}

static enum sg_err
on_text(void *user, struct sg_slice text)
{
    note(user, "'", text, SG_SLICE(""));
    return SG_OK;
}

static enum sg_err
on_end(void *user, struct sg_slice ns, struct sg_slice name)
{
    note(user, ">", ns, name);
    return SG_OK;
}

static const struct sg_xml_events events = {on_start, on_text, on_end};

// Reads bytes in pieces of step bytes (0: at once).
static enum sg_err
read_doc(struct sg_slice doc, size_t step, struct seen *seen,
         struct sg_diag *diag, enum sg_xml_fault *fault)
{
    struct sg_arena *arena = sg_arena_new(1u << 20, 0);
    struct sg_xml *xml = NULL;
    assert_non_null(arena);
    assert_int_equal(sg_xml_open(arena, 7, &events, seen, &xml), SG_OK);
    enum sg_err err = SG_OK;
    step = step == 0 ? doc.len + 1 : step;
    for (size_t at = 0; at < doc.len && err == SG_OK; at += step) {
        size_t len = doc.len - at < step ? doc.len - at : step;
        err = sg_xml_feed(xml, sg_slice_of(doc.ptr + at, len), diag);
    }
    if (err == SG_OK)
        err = sg_xml_finish(xml, diag);
    else
        assert_int_equal(sg_xml_feed(xml, SG_SLICE("<a/>"), diag), err);
    *fault = sg_xml_fault(xml);
    sg_xml_close(&xml);
    assert_null(xml);
    sg_arena_free(&arena);
    return err;
}

static void
names_come_apart_and_text_comes_unescaped(void **state)
{
    (void)state;
    static const char doc[] = "<?xml version='1.0'?><m:A xmlns:m='urn:m' "
                              "m:x='1&#10;2' y='&lt;\xc3\xa9'><!-- c --><b>"
                              "t&amp;u<![CDATA[<v>]]></b></m:A>";
    for (size_t step = 0; step < 4; step++) {
        struct seen seen = {0};
        struct sg_diag diag;
        enum sg_xml_fault fault;
        assert_int_equal(
            read_doc(sg_slice_text(doc), step, &seen, &diag, &fault), SG_OK);
        assert_int_equal(fault, SG_XML_NONE);
        assert_int_equal(seen.starts, 2);
        assert_int_equal(seen.attrs, 2);
        assert_non_null(strstr(seen.log, "<urn:m|A;@x|1\n2;@y|<\xc3\xa9;"));
        assert_non_null(strstr(seen.log, ">|b;>urn:m|A;"));
    }
}

static void
utf_16_is_read_as_utf_8(void **state)
{
    (void)state;
    static const char text[] = "<a b=\"x\">y</a>";
    uint8_t doc[2 + 2 * sizeof text];
    size_t len = 0;
    doc[len++] = 0xff;
    doc[len++] = 0xfe;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        doc[len++] = (uint8_t)text[i];
        doc[len++] = 0;
    }
    struct seen seen = {0};
    struct sg_diag diag;
    enum sg_xml_fault fault;
    assert_int_equal(read_doc(sg_slice_of(doc, len), 3, &seen, &diag, &fault),
                     SG_OK);
    assert_non_null(strstr(seen.log, "<|a;@b|x;'y|;>|a;"));
}

static void
a_bad_document_is_refused_with_its_place_and_fault(void **state)
{
    (void)state;
    static const struct {
        const char *doc;
        size_t len; // 0: to the NUL
        enum sg_err err;
        enum sg_xml_fault fault;
        uint32_t line;
    } cases[] = {
        {"", 0, SG_ERR_SHORT, SG_XML_EMPTY, 0},
        {"<a>\n<b>", 0, SG_ERR_SHORT, SG_XML_SHORT, 2},
        {"<a>\n</b>", 0, SG_ERR_SYNTAX, SG_XML_SYNTAX, 2},
        {"<a>\n\n<b x=1/></a>", 0, SG_ERR_SYNTAX, SG_XML_SYNTAX, 3},
        {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", 0, SG_ERR_SYNTAX,
         SG_XML_DTD, 1},
        {"<!DOCTYPE a SYSTEM 'http://x/'><a/>", 0, SG_ERR_SYNTAX, SG_XML_DTD,
         1},
        {"<a>&x;</a>", 0, SG_ERR_SYNTAX, SG_XML_SYNTAX, 1},
        {"<a>\nb\xffz</a>", 0, SG_ERR_SYNTAX, SG_XML_ENCODING, 2},
        {"<a b='\xc3('/>", 0, SG_ERR_SYNTAX, SG_XML_ENCODING, 1},
        {"<a>x\0y</a>", 11, SG_ERR_SYNTAX, SG_XML_ENCODING, 1},
        {"<?xml version='1.0' encoding='x-unknown'?><a/>", 0, SG_ERR_SYNTAX,
         SG_XML_ENCODING, 1},
        {"DATAFLOW,FREQ\n", 0, SG_ERR_SYNTAX, SG_XML_SYNTAX, 1},
        {"<a/>\n<b/>", 0, SG_ERR_SYNTAX, SG_XML_SYNTAX, 2},
    };
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct seen seen = {0};
        struct sg_diag diag = {0};
        enum sg_xml_fault fault;
        size_t len = cases[i].len == 0 ? strlen(cases[i].doc) : cases[i].len;
        enum sg_err err =
            read_doc(sg_slice_of(cases[i].doc, len), 0, &seen, &diag, &fault);
        if (err != cases[i].err || fault != cases[i].fault ||
            diag.line != cases[i].line)
            print_message("case %zu: %s, line %u\n", i, diag.text, diag.line);
        assert_int_equal(err, cases[i].err);
        assert_int_equal(fault, cases[i].fault);
        assert_int_equal(diag.line, cases[i].line);
        assert_true(strlen(diag.text) > 10);
    }
}

// A document made of count times a piece.
static struct sg_slice
repeat(const char *head, const char *piece, size_t count, const char *tail)
{
    size_t len = strlen(head) + strlen(piece) * count + strlen(tail);
    char *out = malloc(len + 1);
    assert_non_null(out);
    char *at = out + sprintf(out, "%s", head);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, piece, strlen(piece));
        at += strlen(piece);
    }
    memcpy(at, tail, strlen(tail) + 1);
    return sg_slice_of(out, len);
}

static void
what_grows_without_end_is_refused(void **state)
{
    (void)state;
    struct sg_slice docs[4];
    docs[0] = repeat("", "<a>", SG_LIMIT_XML_DEPTH + 1, "");
    docs[1] = repeat("<a b='", "xxxxxxxxxxxxxxxx", SG_LIMIT_ROW / 8, "'/>");
    char *names = malloc(64u * SG_LIMIT_XML_NAMES);
    char *attrs = malloc(64u * SG_LIMIT_XML_ATTRS);
    assert_non_null(names);
    assert_non_null(attrs);
    size_t at = (size_t)sprintf(names, "<a>");
    for (uint32_t i = 0; i <= SG_LIMIT_XML_NAMES; i++)
        at += (size_t)sprintf(names + at, "<n%u/>", i);
    docs[2] = sg_slice_of(names, at);
    at = (size_t)sprintf(attrs, "<a");
    for (uint32_t i = 0; i <= SG_LIMIT_XML_ATTRS; i++)
        at += (size_t)sprintf(attrs + at, " n%u=''", i);
    at += (size_t)sprintf(attrs + at, "/>");
    docs[3] = sg_slice_of(attrs, at);
    for (size_t i = 0; i < SG_COUNT_OF(docs); i++) {
        struct seen seen = {0};
        struct sg_diag diag = {0};
        enum sg_xml_fault fault;
        assert_int_equal(read_doc(docs[i], 0, &seen, &diag, &fault),
                         SG_ERR_FULL);
        assert_int_equal(fault, SG_XML_LIMIT);
    }
    free((void *)(uintptr_t)docs[0].ptr);
    free((void *)(uintptr_t)docs[1].ptr);
    free(names);
    free(attrs);
}

static void
a_refusing_callback_stops_the_parser(void **state)
{
    (void)state;
    struct seen seen = {.refuse = SG_ERR_NOT_FOUND};
    struct sg_diag diag = {0};
    enum sg_xml_fault fault;
    assert_int_equal(
        read_doc(SG_SLICE("<a><b/><c/></a>"), 0, &seen, &diag, &fault),
        SG_ERR_NOT_FOUND);
    assert_int_equal(seen.starts, 1);
    assert_int_equal(fault, SG_XML_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_apart_and_text_comes_unescaped),
        cmocka_unit_test(utf_16_is_read_as_utf_8),
        cmocka_unit_test(a_bad_document_is_refused_with_its_place_and_fault),
        cmocka_unit_test(what_grows_without_end_is_refused),
        cmocka_unit_test(a_refusing_callback_stops_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
