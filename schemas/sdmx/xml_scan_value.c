#include "schemas/sdmx/xml_scan_parts.h"

// Bytes of the character at p if it is UTF-8 as XML wants it; 0: it is not.
static unsigned
utf8_len(const uint8_t *p, size_t left)
{
    uint8_t a = p[0];
    unsigned len = a < 0xc2   ? 0
                   : a < 0xe0 ? 2
                   : a < 0xf0 ? 3
                   : a < 0xf5 ? 4
                              : 0;
    if (len == 0 || left < len)
        return 0;
    for (unsigned i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (a == 0xe0 && p[1] < 0xa0) || (a == 0xed && p[1] > 0x9f) ||
               (a == 0xf0 && p[1] < 0x90) || (a == 0xf4 && p[1] > 0x8f) ||
               (a == 0xef && p[1] == 0xbf && p[2] > 0xbd);
    return bad ? 0 : len;
}

static bool
is_char(uint32_t c)
{
    return c >= 0x20 ? c < 0xd800 || (c >= 0xe000 && c < 0xfffe) ||
                           (c >= 0x10000 && c < 0x110000)
                     : c == '\t' || c == '\n' || c == '\r';
}

static size_t
put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[len] | c);
    return len;
}

// The number of &#...; or &#x...; without both ends; 0: not one.
static uint32_t
char_ref(struct sg_slice digits)
{
    uint32_t base = 10, value = 0;
    if (digits.len > 0 && digits.ptr[0] == 'x') {
        base = 16;
        digits = sg_slice_of(digits.ptr + 1, digits.len - 1);
    }
    if (digits.len == 0)
        return 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.ptr[i];
        uint32_t d = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : 99;
        uint8_t letter = c | 0x20;
        if (base == 16 && letter >= 'a' && letter <= 'f')
            d = (uint32_t)(letter - 'a') + 10;
        if (d >= base)
            return 0;
        value = value * base + d;
        if (value >= 0x110000)
            return 0;
    }
    return is_char(value) ? value : 0;
}

// &...; at c; its bytes go to out.
static enum sg_xml_token
reference(struct sg_xml_cursor *c, uint8_t *out, size_t *len)
{
    static const struct {
        char name[5];
        uint8_t byte;
    } entities[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    size_t left = (size_t)(c->end - c->at), n = 1;
    while (n < left && n < 16 && c->at[n] != ';')
        n++;
    if (n == left)
        return SG_XML_UNFINISHED;
    if (c->at[n] != ';' || n < 2)
        return SG_XML_ODD;
    struct sg_slice name = sg_slice_of(c->at + 1, n - 1);
    c->at += n + 1;
    if (name.ptr[0] == '#') {
        uint32_t value = char_ref(sg_slice_of(name.ptr + 1, name.len - 1));
        *len += value == 0 ? 0 : put_utf8(out + *len, value);
        return value == 0 ? SG_XML_ODD : SG_XML_DONE;
    }
    for (size_t i = 0; i < SG_COUNT_OF(entities); i++)
        if (sg_slice_eq(name, sg_slice_text(entities[i].name))) {
            out[(*len)++] = entities[i].byte;
            return SG_XML_DONE;
        }
    return SG_XML_ODD;
}

// One character of a value to out, which has room for what was written.
static enum sg_xml_token
take_char(struct sg_xml_cursor *c, uint8_t *out, size_t *len)
{
    uint8_t ch = *c->at;
    if (ch == '&')
        return reference(c, out, len);
    if (sg_xml_is_space(ch)) {
        enum sg_xml_token done = SG_XML_DONE;
        struct sg_xml_cursor one = *c;
        one.at++;
        if (ch == '\r' && one.at == one.end)
            done = SG_XML_UNFINISHED;
        else if (ch == '\r')
            one.at += *one.at == '\n';
        if (ch == '\r' || ch == '\n')
            sg_xml_line_end(&one);
        *c = one;
        out[(*len)++] = ' ';
        return done;
    }
    if (ch < 0x20 || ch == '<')
        return SG_XML_ODD;
    unsigned bytes = ch < 0x80 ? 1 : utf8_len(c->at, (size_t)(c->end - c->at));
    if (bytes == 0)
        return c->end - c->at < 4 ? SG_XML_UNFINISHED : SG_XML_ODD;
    memcpy(out + *len, c->at, bytes);
    *len += bytes;
    c->at += bytes;
    c->wide += bytes - 1;
    return SG_XML_DONE;
}

enum sg_xml_token
sg_xml_scan_value(struct sg_xml_scan *scan, struct sg_xml_cursor *c,
                  const uint8_t *from, uint8_t quote, struct sg_slice *value)
{
    uint8_t *out = scan->scratch + scan->scratch_len;
    size_t room = SG_XML_SCAN_SCRATCH - scan->scratch_len, len = 0;
    while (c->at < c->end) {
        const uint8_t *plain = sg_xml_plain_end(c, quote);
        size_t run = (size_t)(plain - from);
        if (len + run + 4 > room)
            return SG_XML_ODD;
        memcpy(out + len, from, run);
        len += run;
        c->at = plain;
        if (plain == c->end)
            return SG_XML_UNFINISHED;
        if (*plain == quote) {
            c->at++;
            *value = sg_slice_of(out, len);
            scan->scratch_len += len;
            return SG_XML_DONE;
        }
        enum sg_xml_token done = take_char(c, out, &len);
        if (done != SG_XML_DONE)
            return done;
        from = c->at;
    }
    return SG_XML_UNFINISHED;
}
