// xml_fixture - a document read by expat alone and with the scanner, and all
// that was said, to be compared.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/check.h"
#include "schemas/sdmx/xml.h"

enum xml_fixture_how { XML_EXPAT, XML_SCANNER, XML_PORTABLE };

struct xml_fixture {
    enum sg_err err;
    enum sg_xml_fault fault;
    struct sg_diag diag;
    uint8_t *log; // events with their places; text in one piece
    size_t len, cap;
    size_t sure; // log without text that no tag has followed yet
    struct sg_xml *xml;
    uint32_t scanned; // tags that expat has not seen
    bool sliced;
};

static inline void
xml_fixture_add(struct xml_fixture *f, struct sg_slice bytes)
{
    if (f->len + bytes.len > f->cap) {
        f->cap = 2 * (f->len + bytes.len);
        f->log = realloc(f->log, f->cap);
    }
    if (bytes.len > 0)
        memcpy(f->log + f->len, bytes.ptr, bytes.len);
    f->len += bytes.len;
}

// What is said of names and values, each with its end.
static inline void
xml_fixture_name(struct xml_fixture *f, char mark, struct sg_slice text)
{
    xml_fixture_add(f, sg_slice_of(&mark, 1));
    xml_fixture_add(f, text);
    xml_fixture_add(f, SG_SLICE("\1"));
}

static inline void
xml_fixture_place(struct xml_fixture *f)
{
    char text[80];
    struct sg_xml_place at = sg_xml_place(f->xml);
    int n = snprintf(text, sizeof text, "%u,%u,%llu\n", at.line, at.column,
                     (unsigned long long)at.byte);
    xml_fixture_add(f, sg_slice_of(text, (size_t)n));
    f->sure = f->len;
}

static inline enum sg_err
xml_fixture_start(void *user, const struct sg_xml_element *e)
{
    struct xml_fixture *f = user;
    char depth = (char)('0' + e->depth);
    f->scanned += e->known != 0;
    xml_fixture_name(f, '<', e->ns);
    xml_fixture_name(f, depth, e->name);
    for (uint32_t i = 0; i < e->attr_count; i++) {
        xml_fixture_name(f, ' ', e->attrs[i].ns);
        xml_fixture_name(f, '@', e->attrs[i].name);
        xml_fixture_name(f, '=', e->attrs[i].value);
    }
    xml_fixture_place(f);
    return SG_OK;
}

static inline enum sg_err
xml_fixture_text(void *user, struct sg_slice text)
{
    xml_fixture_add(user, text);
    return SG_OK;
}

static inline enum sg_err
xml_fixture_end(void *user, struct sg_slice ns, struct sg_slice name)
{
    xml_fixture_name(user, '>', ns);
    xml_fixture_name(user, '.', name);
    xml_fixture_place(user);
    return SG_OK;
}

// In pieces of step bytes, each of its own memory so that reading beyond it is
// seen.
static inline struct xml_fixture
xml_fixture_read(struct sg_slice doc, size_t step, enum xml_fixture_how how)
{
    static const struct sg_xml_events events = {
        xml_fixture_start, xml_fixture_text, xml_fixture_end};
    struct sg_arena *arena = sg_arena_new(1u << 20, 0);
    struct xml_fixture f = {.sliced = step < doc.len};
    SG_ASSERT(sg_xml_open(arena, 7, &events, &f, &f.xml) == SG_OK);
    if (how != XML_EXPAT)
        SG_ASSERT(sg_xml_repeats(f.xml, arena, how == XML_PORTABLE) == SG_OK);
    for (size_t at = 0; at < doc.len && f.err == SG_OK; at += step) {
        size_t len = doc.len - at < step ? doc.len - at : step;
        uint8_t *piece = malloc(len);
        memcpy(piece, doc.ptr + at, len);
        f.err = sg_xml_feed(f.xml, sg_slice_of(piece, len), &f.diag);
        free(piece);
    }
    if (f.err == SG_OK)
        f.err = sg_xml_finish(f.xml, &f.diag);
    f.fault = sg_xml_fault(f.xml);
    sg_xml_close(&f.xml);
    sg_arena_free(&arena);
    return f;
}

// NULL: both said the same; else what they differ in.
static inline const char *
xml_fixture_differ(const struct xml_fixture *a, const struct xml_fixture *b)
{
    if (a->err != b->err)
        return "error";
    // Where a character ends with a slice, its faults can look like syntax.
    bool both = a->fault + b->fault == SG_XML_SYNTAX + SG_XML_ENCODING;
    if (a->fault != b->fault && !(both && a->sliced))
        return "fault";
    if (a->diag.line != b->diag.line || a->diag.column != b->diag.column)
        return "place of the fault";
    if (a->fault == b->fault && strcmp(a->diag.text, b->diag.text) != 0)
        return "words";
    if (a->sure != b->sure ||
        (a->sure > 0 && memcmp(a->log, b->log, a->sure) != 0))
        return "events";
    if (a->err == SG_OK &&
        (a->len != b->len || memcmp(a->log, b->log, a->len) != 0))
        return "text";
    return NULL;
}
