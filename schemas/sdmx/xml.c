#include "schemas/sdmx/xml.h"

#include <expat.h>

#include "broker/base/limits.h"

// expat puts it between namespace and name; since 2.4.5 it refuses namespaces
// that hold it.
#define SEPARATOR '\n'

// Bytes given to expat at once: it takes an int, and looks again at an
// unfinished token from its start each time.
#define PIECE (64u * 1024)

// Open addressing over hashes of names seen, so that a document cannot grow
// expat's name tables without end.
#define NAME_SLOTS (4u * SG_LIMIT_XML_NAMES)

struct sg_xml {
    XML_Parser parser;
    const struct sg_xml_events *events;
    void *user;
    enum sg_err err; // the first error; nothing is called after it
    enum sg_xml_fault fault;
    const char *limit; // what was over its limit
    uint64_t fed;      // bytes given to expat
    uint32_t depth;
    uint32_t names;
    uint32_t name_hashes[NAME_SLOTS]; // 0: empty
    struct sg_xml_attr attrs[SG_LIMIT_XML_ATTRS];
};

static void
stop(struct sg_xml *xml, enum sg_err err, enum sg_xml_fault fault,
     const char *limit)
{
    if (xml->err != SG_OK)
        return;
    xml->err = err;
    xml->fault = fault;
    xml->limit = limit;
    XML_StopParser(xml->parser, XML_FALSE);
}

// FNV-1a over the name; two names of one hash count as one, which only makes
// the limit a little looser.
static uint32_t
hash_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash == 0 ? 1 : hash;
}

static void
count_name(struct sg_xml *xml, const char *name)
{
    uint32_t hash = hash_name(name);
    for (uint32_t at = hash;; at++) {
        uint32_t *slot = &xml->name_hashes[at & (NAME_SLOTS - 1)];
        if (*slot == hash)
            return;
        if (*slot != 0)
            continue;
        *slot = hash;
        if (++xml->names > SG_LIMIT_XML_NAMES)
            stop(xml, SG_ERR_FULL, SG_XML_LIMIT, "too many different names");
        return;
    }
}

static void
split(const char *name, struct sg_slice *ns, struct sg_slice *local)
{
    const char *cut = strchr(name, SEPARATOR);
    if (cut == NULL) {
        *ns = (struct sg_slice){0};
        *local = sg_slice_text(name);
        return;
    }
    *ns = sg_slice_of(name, (size_t)(cut - name));
    *local = sg_slice_text(cut + 1);
}

static void XMLCALL
on_start(void *user, const XML_Char *name, const XML_Char **atts)
{
    struct sg_xml *xml = user;
    if (xml->err != SG_OK)
        return;
    if (++xml->depth > SG_LIMIT_XML_DEPTH) {
        stop(xml, SG_ERR_FULL, SG_XML_LIMIT, "elements are nested too deep");
        return;
    }
    struct sg_xml_element element = {.attrs = xml->attrs, .depth = xml->depth};
    split(name, &element.ns, &element.name);
    count_name(xml, name);
    for (uint32_t i = 0; atts[2 * i] != NULL; i++) {
        if (i >= SG_LIMIT_XML_ATTRS) {
            stop(xml, SG_ERR_FULL, SG_XML_LIMIT, "too many attributes");
            return;
        }
        struct sg_xml_attr *attr = &xml->attrs[i];
        count_name(xml, atts[2 * i]);
        split(atts[2 * i], &attr->ns, &attr->name);
        attr->value = sg_slice_text(atts[2 * i + 1]);
        element.attr_count = i + 1;
    }
    if (xml->err != SG_OK || xml->events->start == NULL)
        return;
    enum sg_err err = xml->events->start(xml->user, &element);
    if (err != SG_OK)
        stop(xml, err, SG_XML_NONE, NULL);
}

static void XMLCALL
on_end(void *user, const XML_Char *name)
{
    struct sg_xml *xml = user;
    if (xml->err != SG_OK)
        return;
    xml->depth--;
    if (xml->events->end == NULL)
        return;
    struct sg_slice ns, local;
    split(name, &ns, &local);
    enum sg_err err = xml->events->end(xml->user, ns, local);
    if (err != SG_OK)
        stop(xml, err, SG_XML_NONE, NULL);
}

static void XMLCALL
on_text(void *user, const XML_Char *text, int len)
{
    struct sg_xml *xml = user;
    if (xml->err != SG_OK || xml->events->text == NULL)
        return;
    enum sg_err err =
        xml->events->text(xml->user, sg_slice_of(text, (size_t)len));
    if (err != SG_OK)
        stop(xml, err, SG_XML_NONE, NULL);
}

// A DOCTYPE brings entities; no statistical message has one.
static void XMLCALL
on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
           const XML_Char *public_id, int has_internal)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    stop(user, SG_ERR_SYNTAX, SG_XML_DTD, NULL);
}

enum sg_err
sg_xml_open(struct sg_arena *arena, uint64_t salt,
            const struct sg_xml_events *events, void *user, struct sg_xml **out)
{
    SG_ASSERT(salt != 0);
    struct sg_xml *xml = sg_arena_take(arena, sizeof *xml);
    if (xml == NULL)
        return SG_ERR_FULL;
    xml->parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (xml->parser == NULL)
        return SG_ERR_MEMORY;
    xml->events = events;
    xml->user = user;
    XML_SetHashSalt(xml->parser, (unsigned long)salt);
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_start, on_end);
    XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    *out = xml;
    return SG_OK;
}

void
sg_xml_close(struct sg_xml **xml)
{
    if (xml == NULL || *xml == NULL)
        return;
    XML_ParserFree((*xml)->parser);
    (*xml)->parser = NULL;
    *xml = NULL;
}

struct sg_xml_place
sg_xml_place(const struct sg_xml *xml)
{
    XML_Index byte = XML_GetCurrentByteIndex(xml->parser);
    return (struct sg_xml_place){
        .line = (uint32_t)XML_GetCurrentLineNumber(xml->parser),
        .column = (uint32_t)XML_GetCurrentColumnNumber(xml->parser) + 1,
        .byte = byte < 0 ? 0 : (uint64_t)byte,
    };
}

enum sg_xml_fault
sg_xml_fault(const struct sg_xml *xml)
{
    return xml->fault;
}

// What expat found wrong, in our terms.
static void
judge_error(struct sg_xml *xml, enum XML_Error error)
{
    static const struct {
        enum XML_Error error;
        enum sg_err err;
        enum sg_xml_fault fault;
    } rows[] = {
        {XML_ERROR_NO_MEMORY, SG_ERR_MEMORY, SG_XML_LIMIT},
        {XML_ERROR_NO_ELEMENTS, SG_ERR_SHORT, SG_XML_SHORT},
        {XML_ERROR_UNCLOSED_TOKEN, SG_ERR_SYNTAX, SG_XML_SYNTAX},
        {XML_ERROR_PARTIAL_CHAR, SG_ERR_SYNTAX, SG_XML_ENCODING},
        {XML_ERROR_UNKNOWN_ENCODING, SG_ERR_SYNTAX, SG_XML_ENCODING},
        {XML_ERROR_INCORRECT_ENCODING, SG_ERR_SYNTAX, SG_XML_ENCODING},
    };
    xml->err = SG_ERR_SYNTAX;
    xml->fault = SG_XML_SYNTAX;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (rows[i].error != error)
            continue;
        xml->err = rows[i].err;
        xml->fault = rows[i].fault;
    }
}

// expat calls a byte that is not UTF-8 an invalid token, like any character
// out of place; the byte itself tells which it was. 0x80 and above are never
// out of place in ASCII markup but by encoding or inside names.
static bool
is_encoding_fault(const struct sg_xml *xml)
{
    int offset = 0;
    int size = 0;
    const char *text = XML_GetInputContext(xml->parser, &offset, &size);
    if (text == NULL || offset >= size)
        return false;
    const uint8_t *at = (const uint8_t *)text + offset;
    size_t left = (size_t)(size - offset);
    return at[0] == 0 ||
           (at[0] >= 0x80 && !sg_slice_is_utf8(sg_slice_of(
                                 at, left < 4 ? left
                                              : (at[0] >= 0xf0   ? 4
                                                 : at[0] >= 0xe0 ? 3
                                                                 : 2))));
}

static void
describe(struct sg_xml *xml, struct sg_diag *diag)
{
    struct sg_xml_place at = sg_xml_place(xml);
    switch (xml->fault) {
    case SG_XML_DTD:
        sg_diag_set(diag, at.line, at.column,
                    "the document has a DOCTYPE; remove it, entities are not "
                    "accepted");
        return;
    case SG_XML_ENCODING:
        sg_diag_set(diag, at.line, at.column,
                    "bytes that are not of the document's encoding; write it "
                    "as UTF-8 and say so in the XML declaration");
        return;
    case SG_XML_LIMIT:
        sg_diag_set(diag, at.line, at.column, "%s; send a smaller document",
                    xml->limit == NULL ? "out of memory" : xml->limit);
        return;
    case SG_XML_EMPTY:
        sg_diag_set(diag, 0, 0, "the document is empty; send the whole file");
        return;
    case SG_XML_SHORT:
        sg_diag_set(diag, at.line, at.column,
                    "the document ends before its last element is closed; send "
                    "the whole file");
        return;
    case SG_XML_SYNTAX:
        sg_diag_set(diag, at.line, at.column,
                    "not well-formed XML: %s; correct this place",
                    XML_ErrorString(XML_GetErrorCode(xml->parser)));
        return;
    case SG_XML_NONE:
        return;
    }
    SG_UNREACHABLE();
}

static enum sg_err
give(struct sg_xml *xml, struct sg_slice piece, bool last, struct sg_diag *diag)
{
    if (xml->err != SG_OK)
        return xml->err;
    enum XML_Status status =
        XML_Parse(xml->parser, (const char *)piece.ptr, (int)piece.len, last);
    xml->fed += piece.len;
    if (status != XML_STATUS_OK && xml->err == SG_OK) {
        enum XML_Error error = XML_GetErrorCode(xml->parser);
        judge_error(xml, error);
        if (last && xml->fed == 0)
            xml->fault = SG_XML_EMPTY;
        else if (error == XML_ERROR_INVALID_TOKEN && is_encoding_fault(xml))
            xml->fault = SG_XML_ENCODING;
    }
    // What lies between the current token's start and the end is unfinished.
    XML_Index at = XML_GetCurrentByteIndex(xml->parser);
    if (xml->err == SG_OK && at >= 0 &&
        xml->fed - (uint64_t)at > SG_LIMIT_ROW + PIECE)
        stop(xml, SG_ERR_FULL, SG_XML_LIMIT, "one tag is too long");
    if (xml->err != SG_OK)
        describe(xml, diag);
    return xml->err;
}

enum sg_err
sg_xml_feed(struct sg_xml *xml, struct sg_slice bytes, struct sg_diag *diag)
{
    enum sg_err err = xml->err;
    for (size_t at = 0; at < bytes.len && err == SG_OK; at += PIECE) {
        size_t len = bytes.len - at < PIECE ? bytes.len - at : PIECE;
        err = give(xml, sg_slice_of(bytes.ptr + at, len), false, diag);
    }
    return err;
}

enum sg_err
sg_xml_finish(struct sg_xml *xml, struct sg_diag *diag)
{
    return give(xml, SG_SLICE(""), true, diag);
}

struct sg_slice
sg_xml_attr(const struct sg_xml_element *element, struct sg_slice name)
{
    for (uint32_t i = 0; i < element->attr_count; i++) {
        if (sg_slice_eq(element->attrs[i].name, name))
            return element->attrs[i].value;
    }
    return (struct sg_slice){0};
}
