#include "schemas/sdmx/xml.h"

#include <expat.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/xml_scan.h"

// expat puts it between namespace and name; since 2.4.5 it refuses namespaces
// that hold it.
#define SEPARATOR '\n'

// Bytes given to expat at once: it takes an int, and looks again at an
// unfinished token from its start each time.
#define PIECE (64u * 1024)

// Open addressing over hashes of names seen, so that a document cannot grow
// expat's name tables without end.
#define NAME_SLOTS (4u * SG_LIMIT_XML_NAMES)

// A document is left to expat for good when more than one of so many tokens is
// its; the first ones do not count.
enum { ODD_FREE = 1024, ODD_SHARE = 4 };

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
    // The scanner's turns; scan NULL: it has none.
    struct sg_xml_scan *scan;
    bool scanning;       // its turn
    bool muted;          // expat is told of elements that were read without it
    bool in_cdata;       // expat is within
    bool declares;       // the tag at hand declares a namespace
    uint8_t head[2];     // the first bytes
    uint64_t odd;        // turns given back to expat
    int64_t byte_behind; // what expat does not count: bytes, lines, and
    int64_t line_behind; // columns of the line on which its turn began
    int64_t column_behind;
    uint64_t turn_line; // as expat counts
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

// The scanner may read tags like this one from now on.
static void
learn(struct sg_xml *xml, const struct sg_xml_element *element)
{
    int offset = 0, size = 0;
    const char *text = XML_GetInputContext(xml->parser, &offset, &size);
    int len = XML_GetCurrentByteCount(xml->parser);
    xml->scan->depth = xml->scan->synced = xml->depth;
    if (!xml->declares && text != NULL && len > 0 && len <= size - offset)
        sg_xml_scan_learn(xml->scan, sg_slice_of(text + offset, (size_t)len),
                          element);
    xml->declares = false;
}

static void XMLCALL
on_start(void *user, const XML_Char *name, const XML_Char **atts)
{
    struct sg_xml *xml = user;
    if (xml->err != SG_OK || xml->muted)
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
    if (xml->err == SG_OK && xml->scan != NULL)
        learn(xml, &element);
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
    if (--xml->depth == 0)
        xml->scan = NULL; // what follows the root is expat's
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

// ---- for the scanner's turns ---------------------------------------------------

static void XMLCALL
on_cdata_start(void *user)
{
    ((struct sg_xml *)user)->in_cdata = true;
}

static void XMLCALL
on_cdata_end(void *user)
{
    ((struct sg_xml *)user)->in_cdata = false;
}

static void XMLCALL
on_namespace(void *user, const XML_Char *prefix, const XML_Char *uri)
{
    struct sg_xml *xml = user;
    (void)prefix;
    (void)uri;
    xml->declares = true;
    if (xml->scan != NULL)
        sg_xml_scan_forget(xml->scan);
}

static void XMLCALL
on_namespace_end(void *user, const XML_Char *prefix)
{
    struct sg_xml *xml = user;
    (void)prefix;
    if (xml->scan != NULL)
        sg_xml_scan_forget(xml->scan);
}

static void XMLCALL
on_declaration(void *user, const XML_Char *version, const XML_Char *encoding,
               int standalone)
{
    struct sg_xml *xml = user;
    static const char utf8[] = "utf-8";
    (void)version;
    (void)standalone;
    for (size_t i = 0; encoding != NULL && i < sizeof utf8; i++) {
        char c = encoding[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        if (c == utf8[i])
            continue;
        xml->scan = NULL; // another encoding
        return;
    }
}

enum sg_err
sg_xml_repeats(struct sg_xml *xml, struct sg_arena *arena, bool portable)
{
    SG_ASSERT(xml->fed == 0 && xml->scan == NULL);
    xml->scan = sg_arena_take(arena, sizeof *xml->scan);
    if (xml->scan == NULL)
        return SG_ERR_FULL;
    sg_xml_scan_init(xml->scan, xml->events, xml->user);
    xml->scan->portable = portable;
    XML_SetCdataSectionHandler(xml->parser, on_cdata_start, on_cdata_end);
    XML_SetNamespaceDeclHandler(xml->parser, on_namespace, on_namespace_end);
    XML_SetXmlDeclHandler(xml->parser, on_declaration);
    return SG_OK;
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

// Of expat's current event, or of its end.
static struct sg_xml_place
expat_place(const struct sg_xml *xml)
{
    XML_Index byte = XML_GetCurrentByteIndex(xml->parser);
    uint64_t line = XML_GetCurrentLineNumber(xml->parser);
    int64_t column = (int64_t)XML_GetCurrentColumnNumber(xml->parser) + 1;
    if (line == xml->turn_line)
        column += xml->column_behind;
    return (struct sg_xml_place){
        .line = (uint32_t)((int64_t)line + xml->line_behind),
        .column = (uint32_t)column,
        .byte = byte < 0 ? 0 : (uint64_t)((int64_t)byte + xml->byte_behind),
    };
}

struct sg_xml_place
sg_xml_place(const struct sg_xml *xml)
{
    const struct sg_xml_scan *scan = xml->scan;
    if (!xml->scanning)
        return expat_place(xml);
    return (struct sg_xml_place){
        .line = scan->line,
        .column = (uint32_t)(scan->byte - scan->line_byte - scan->wide) + 1,
        .byte = scan->byte,
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
    if (at[0] < 0x80)
        return at[0] == 0;
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (left >= len)
        return !sg_slice_is_utf8(sg_slice_of(at, len));
    // The rest has not come: what is there may be the start of a character.
    bool may = at[0] >= 0xc2 && at[0] < 0xf5;
    for (size_t i = 1; i < left; i++)
        may = may && (at[i] & 0xc0) == 0x80;
    return !may;
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

// ---- turns -------------------------------------------------------------------

// Bytes that expat has not come to the end of.
static uint64_t
unfinished(const struct sg_xml *xml)
{
    XML_Index at = XML_GetCurrentByteIndex(xml->parser);
    int len = XML_GetCurrentByteCount(xml->parser);
    return at < 0 ? xml->fed : xml->fed - (uint64_t)at - (uint64_t)len;
}

// Gives the scanner its turn where expat stands between two tokens of the
// content.
static void
begin_scanning(struct sg_xml *xml)
{
    struct sg_xml_scan *scan = xml->scan;
    if (scan == NULL || xml->err != SG_OK || xml->depth == 0 || xml->in_cdata ||
        unfinished(xml) != 0)
        return;
    if (++xml->odd > ODD_FREE && xml->odd * ODD_SHARE > scan->read) {
        xml->scan = NULL; // not worth it
        return;
    }
    struct sg_xml_place place = expat_place(xml);
    scan->depth = scan->synced = xml->depth;
    scan->byte = place.byte;
    scan->line_byte = place.byte - (place.column - 1);
    scan->wide = 0;
    scan->line = place.line;
    xml->scanning = true;
}

// Tells expat what the scanner has opened and gives it what it left unread.
static enum sg_err
end_scanning(struct sg_xml *xml, struct sg_diag *diag)
{
    struct sg_xml_scan *scan = xml->scan;
    struct sg_xml_place place = sg_xml_place(xml);
    xml->scanning = false;
    xml->muted = true;
    for (uint32_t i = scan->synced + 1; i <= scan->depth; i++) {
        uint8_t tag[SG_XML_SCAN_NAME + 2];
        size_t len = scan->open[i]->len;
        tag[0] = '<';
        memcpy(tag + 1, scan->open[i]->text, len);
        tag[len + 1] = '>';
        enum sg_err err = give(xml, sg_slice_of(tag, len + 2), false, diag);
        if (err != SG_OK)
            return err;
    }
    xml->muted = false;
    xml->depth = scan->synced = scan->depth;
    uint64_t line = XML_GetCurrentLineNumber(xml->parser);
    xml->byte_behind = (int64_t)place.byte - (int64_t)xml->fed;
    xml->line_behind = (int64_t)place.line - (int64_t)line;
    xml->turn_line = line;
    xml->column_behind = (int64_t)place.column - 1 -
                         (int64_t)XML_GetCurrentColumnNumber(xml->parser);
    struct sg_slice carry = sg_slice_of(scan->carry, scan->carry_len);
    scan->carry_len = 0;
    return carry.len == 0 ? SG_OK : give(xml, carry, false, diag);
}

// What expat is given at once: up to the end of a tag, or of text within the
// root, so that the scanner may go on behind it. An unfinished token at least
// doubles.
static size_t
piece_len(const struct sg_xml *xml, struct sg_slice bytes)
{
    size_t len = bytes.len < PIECE ? bytes.len : PIECE;
    if (xml->scan == NULL)
        return len;
    uint64_t before = unfinished(xml);
    bool text = before == 0 && xml->depth > 0 && bytes.ptr[0] != '<';
    if (before >= len)
        return len;
    const uint8_t *from = bytes.ptr + before;
    const uint8_t *end = memchr(from, text ? '<' : '>', len - before);
    return end == NULL ? len : (size_t)(end - bytes.ptr) + !text;
}

// UTF-8 by its first bytes, as expat looks at them; else expat reads it all.
static void
look_at_head(struct sg_xml *xml, struct sg_slice bytes)
{
    for (size_t i = 0; i < bytes.len && xml->fed + i < 2; i++)
        xml->head[xml->fed + i] = bytes.ptr[i];
    if (xml->fed + bytes.len < 2)
        return;
    if (xml->head[0] == 0 || xml->head[1] == 0 || xml->head[0] >= 0xfe)
        xml->scan = NULL;
}

static enum sg_err
feed_expat(struct sg_xml *xml, struct sg_slice *bytes, struct sg_diag *diag)
{
    if (xml->fed < 2 && xml->scan != NULL)
        look_at_head(xml, *bytes);
    size_t len = piece_len(xml, *bytes);
    enum sg_err err = give(xml, sg_slice_of(bytes->ptr, len), false, diag);
    *bytes = sg_slice_of(bytes->ptr + len, bytes->len - len);
    begin_scanning(xml);
    return err;
}

static enum sg_err
feed_scanner(struct sg_xml *xml, struct sg_slice *bytes, struct sg_diag *diag)
{
    struct sg_xml_scan *scan = xml->scan;
    size_t used;
    enum sg_err err;
    SG_ASSERT(scan != NULL);
    enum sg_xml_scan_end end = sg_xml_scan_run(scan, *bytes, &used, &err);
    *bytes = sg_slice_of(bytes->ptr + used, bytes->len - used);
    if (end == SG_XML_SCAN_STOP)
        stop(xml, err, SG_XML_NONE, NULL);
    if (end != SG_XML_SCAN_ODD)
        return xml->err;
    bool carried = scan->carry_len > 0;
    err = end_scanning(xml, diag);
    if (err == SG_OK && carried)
        begin_scanning(xml); // the carry may have been all of it
    return err;
}

enum sg_err
sg_xml_feed(struct sg_xml *xml, struct sg_slice bytes, struct sg_diag *diag)
{
    while (bytes.len > 0 && xml->err == SG_OK) {
        enum sg_err err = xml->scanning ? feed_scanner(xml, &bytes, diag)
                                        : feed_expat(xml, &bytes, diag);
        if (err != SG_OK)
            break;
    }
    return xml->err;
}

enum sg_err
sg_xml_finish(struct sg_xml *xml, struct sg_diag *diag)
{
    if (xml->scanning && xml->err == SG_OK) {
        enum sg_err err = end_scanning(xml, diag);
        if (err != SG_OK)
            return err;
    }
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
