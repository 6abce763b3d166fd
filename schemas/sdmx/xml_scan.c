#include "schemas/sdmx/xml_scan.h"

#include "broker/base/check.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { CARRY_TRIES = 8 }; // a tag with more > in its values is expat's

enum outcome { DONE, UNFINISHED, ODD };

// Where the reading of one tag stands; becomes the scanner's place when the
// tag is done.
struct cursor {
    const uint8_t *at, *end;
    const uint8_t *line_at; // behind the tag's last line end; NULL: none
    uint32_t lines;
    uint64_t wide; // since line_at
    bool simd;
};

void
sg_xml_scan_init(struct sg_xml_scan *scan, const struct sg_xml_events *events,
                 void *user)
{
    scan->events = events;
    scan->user = user;
    scan->line = 1;
}

static inline bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// ---- learning ----------------------------------------------------------------

void
sg_xml_scan_forget(struct sg_xml_scan *scan)
{
    scan->tag_count = scan->tag_next = 0;
    scan->uri_count = 0;
    memset(scan->last, 0, sizeof scan->last);
}

// A copy of the URI that stays; false: no room.
static bool
keep_uri(struct sg_xml_scan *scan, struct sg_slice uri, struct sg_slice *kept)
{
    *kept = (struct sg_slice){0};
    if (uri.len == 0)
        return true;
    if (uri.len > SG_XML_SCAN_URI)
        return false;
    uint32_t i = 0;
    while (i < scan->uri_count &&
           !sg_slice_eq(uri, sg_slice_of(scan->uris[i], scan->uri_lens[i])))
        i++;
    if (i == SG_XML_SCAN_SPACES)
        return false;
    if (i == scan->uri_count) {
        memcpy(scan->uris[i], uri.ptr, uri.len);
        scan->uri_lens[i] = (uint32_t)uri.len;
        scan->uri_count++;
    }
    *kept = sg_slice_of(scan->uris[i], uri.len);
    return true;
}

// Is raw an ASCII name that fits, whose local part is name?
static bool
can_keep(struct sg_slice raw, struct sg_slice name)
{
    if (raw.len == 0 || raw.len + 2 > SG_XML_SCAN_NAME || name.len > raw.len)
        return false;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] >= 0x80)
            return false;
    return memcmp(raw.ptr + raw.len - name.len, name.ptr, name.len) == 0;
}

static void
learn_attr(struct sg_xml_scan *scan, struct sg_xml_scan_tag *tag,
           struct sg_slice raw, const struct sg_xml_attr *attr)
{
    for (uint32_t i = 0; i < tag->count; i++)
        if (sg_slice_eq(raw,
                        sg_slice_of(tag->attrs[i].text, tag->attrs[i].len)))
            return;
    if (tag->count == SG_XML_SCAN_ATTRS || scan->known == SG_XML_KNOWN ||
        !can_keep(raw, attr->name))
        return;
    struct sg_xml_scan_attr *a = &tag->attrs[tag->count];
    struct sg_slice ns;
    if (!keep_uri(scan, attr->ns, &ns))
        return;
    memcpy(a->text, raw.ptr, raw.len);
    a->text[raw.len] = '=';
    a->text[raw.len + 1] = '"';
    a->len = (uint8_t)raw.len;
    a->next = SG_XML_SCAN_NONE;
    a->known = ++scan->known;
    a->ns = ns;
    a->name = sg_slice_of(a->text + raw.len - attr->name.len, attr->name.len);
    tag->count++;
}

static struct sg_xml_scan_tag *
learn_tag(struct sg_xml_scan *scan, struct sg_slice raw,
          const struct sg_xml_element *element)
{
    for (uint32_t i = 0; i < scan->tag_count; i++)
        if (sg_slice_eq(raw,
                        sg_slice_of(scan->tags[i].text, scan->tags[i].len)))
            return &scan->tags[i];
    struct sg_slice ns;
    if (scan->known == SG_XML_KNOWN || !can_keep(raw, element->name) ||
        !keep_uri(scan, element->ns, &ns))
        return NULL;
    struct sg_xml_scan_tag *tag = &scan->tags[scan->tag_next];
    scan->tag_next = (scan->tag_next + 1) % SG_XML_SCAN_TAGS;
    if (scan->tag_count < SG_XML_SCAN_TAGS)
        scan->tag_count++;
    for (size_t i = 0; i < SG_COUNT_OF(scan->last); i++)
        if (scan->last[i] == tag)
            scan->last[i] = NULL;
    memcpy(tag->text, raw.ptr, raw.len);
    tag->len = (uint8_t)raw.len;
    tag->first = SG_XML_SCAN_NONE;
    tag->count = 0;
    tag->known = ++scan->known;
    tag->ns = ns;
    tag->name =
        sg_slice_of(tag->text + raw.len - element->name.len, element->name.len);
    return tag;
}

// Length of the name that text begins with.
static size_t
name_len(struct sg_slice text)
{
    size_t n = 0;
    while (n < text.len && !is_space(text.ptr[n]) && text.ptr[n] != '=' &&
           text.ptr[n] != '/' && text.ptr[n] != '>')
        n++;
    return n;
}

static void
move(struct sg_slice *text, size_t bytes)
{
    text->ptr += bytes;
    text->len -= bytes;
}

// Moves text behind the next attribute; *name: its name as written.
static bool
next_raw(struct sg_slice *text, struct sg_slice *name)
{
    while (text->len > 0 && is_space(text->ptr[0]))
        move(text, 1);
    *name = sg_slice_of(text->ptr, name_len(*text));
    move(text, name->len);
    while (text->len > 0 && text->ptr[0] != '"' && text->ptr[0] != '\'')
        move(text, 1);
    if (text->len == 0)
        return false;
    uint8_t quote = text->ptr[0];
    move(text, 1);
    const uint8_t *close =
        text->len == 0 ? NULL : memchr(text->ptr, quote, text->len);
    if (close == NULL)
        return false;
    move(text, (size_t)(close - text->ptr) + 1);
    return true;
}

void
sg_xml_scan_learn(struct sg_xml_scan *scan, struct sg_slice raw,
                  const struct sg_xml_element *element)
{
    if (raw.len < 3 || raw.ptr[0] != '<')
        return;
    move(&raw, 1);
    struct sg_slice name = sg_slice_of(raw.ptr, name_len(raw));
    move(&raw, name.len);
    struct sg_xml_scan_tag *tag = learn_tag(scan, name, element);
    if (tag == NULL)
        return;
    for (uint32_t i = 0; i < element->attr_count; i++) {
        if (!next_raw(&raw, &name))
            return;
        learn_attr(scan, tag, name, &element->attrs[i]);
    }
}

// ---- bytes -------------------------------------------------------------------

// Does at begin with the first len bytes of text?
static inline bool
begins(const struct cursor *c, const uint8_t text[SG_XML_SCAN_NAME], size_t len)
{
    size_t left = (size_t)(c->end - c->at);
    if (left < len)
        return false;
#if defined(__SSE2__)
    if (c->simd && left >= SG_XML_SCAN_NAME) {
        for (size_t i = 0; i < len; i += 16) {
            __m128i x =
                _mm_loadu_si128((const __m128i *)(const void *)(c->at + i));
            __m128i y =
                _mm_loadu_si128((const __m128i *)(const void *)(text + i));
            unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
            unsigned want = len - i >= 16 ? 0xffffu : (1u << (len - i)) - 1;
            if ((same & want) != want)
                return false;
        }
        return true;
    }
#endif
    return memcmp(c->at, text, len) == 0;
}

static inline bool
is_plain(uint8_t ch, uint8_t quote)
{
    return ch >= 0x20 && ch < 0x80 && ch != quote && ch != '<' && ch != '&';
}

// Behind the bytes of a value that stand for themselves.
static inline const uint8_t *
plain_end(const struct cursor *c, uint8_t quote)
{
    const uint8_t *p = c->at;
#if defined(__SSE2__)
    const __m128i q = _mm_set1_epi8((char)quote);
    const __m128i lt = _mm_set1_epi8('<');
    const __m128i amp = _mm_set1_epi8('&');
    const __m128i blank = _mm_set1_epi8(' ');
    while (c->simd && c->end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        // signed: 0x80 and above are below a blank too
        __m128i odd = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, q), _mm_cmpeq_epi8(v, lt)),
            _mm_or_si128(_mm_cmpeq_epi8(v, amp), _mm_cmplt_epi8(v, blank)));
        unsigned hits = (unsigned)_mm_movemask_epi8(odd);
        if (hits != 0)
            return p + __builtin_ctz(hits);
        p += 16;
    }
#endif
    while (p < c->end && is_plain(*p, quote))
        p++;
    return p;
}

static void
line_end(struct cursor *c)
{
    c->lines++;
    c->line_at = c->at;
    c->wide = 0;
}

// Steps over white space within a tag.
static enum outcome
skip_space(struct cursor *c)
{
    while (c->at < c->end && is_space(*c->at)) {
        uint8_t ch = *c->at++;
        if (ch == '\r') {
            if (c->at == c->end)
                return UNFINISHED;
            c->at += *c->at == '\n';
        }
        if (ch == '\r' || ch == '\n')
            line_end(c);
    }
    return c->at == c->end ? UNFINISHED : DONE;
}

// ---- values that are not as they were written ----------------------------------

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
        move(&digits, 1);
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
static enum outcome
reference(struct cursor *c, uint8_t *out, size_t *len)
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
        return UNFINISHED;
    if (c->at[n] != ';' || n < 2)
        return ODD;
    struct sg_slice name = sg_slice_of(c->at + 1, n - 1);
    c->at += n + 1;
    if (name.ptr[0] == '#') {
        uint32_t value = char_ref(sg_slice_of(name.ptr + 1, name.len - 1));
        *len += value == 0 ? 0 : put_utf8(out + *len, value);
        return value == 0 ? ODD : DONE;
    }
    for (size_t i = 0; i < SG_COUNT_OF(entities); i++)
        if (sg_slice_eq(name, sg_slice_text(entities[i].name))) {
            out[(*len)++] = entities[i].byte;
            return DONE;
        }
    return ODD;
}

// One character of a value to out, which has room for what was written.
static enum outcome
take_char(struct cursor *c, uint8_t *out, size_t *len)
{
    uint8_t ch = *c->at;
    if (ch == '&')
        return reference(c, out, len);
    if (is_space(ch)) {
        enum outcome done = DONE;
        struct cursor one = *c;
        one.at++;
        if (ch == '\r' && one.at == one.end)
            done = UNFINISHED;
        else if (ch == '\r')
            one.at += *one.at == '\n';
        if (ch == '\r' || ch == '\n')
            line_end(&one);
        *c = one;
        out[(*len)++] = ' ';
        return done;
    }
    if (ch < 0x20 || ch == '<')
        return ODD;
    unsigned bytes = ch < 0x80 ? 1 : utf8_len(c->at, (size_t)(c->end - c->at));
    if (bytes == 0)
        return c->end - c->at < 4 ? UNFINISHED : ODD;
    memcpy(out + *len, c->at, bytes);
    *len += bytes;
    c->at += bytes;
    c->wide += bytes - 1;
    return DONE;
}

// A value whose first bytes, up to c, stand for themselves.
static enum outcome
slow_value(struct sg_xml_scan *scan, struct cursor *c, const uint8_t *from,
           uint8_t quote, struct sg_slice *value)
{
    uint8_t *out = scan->scratch + scan->scratch_len;
    size_t room = SG_XML_SCAN_SCRATCH - scan->scratch_len, len = 0;
    while (c->at < c->end) {
        const uint8_t *plain = plain_end(c, quote);
        size_t run = (size_t)(plain - from);
        if (len + run + 4 > room)
            return ODD;
        memcpy(out + len, from, run);
        len += run;
        c->at = plain;
        if (plain == c->end)
            return UNFINISHED;
        if (*plain == quote) {
            c->at++;
            *value = sg_slice_of(out, len);
            scan->scratch_len += len;
            return DONE;
        }
        enum outcome done = take_char(c, out, &len);
        if (done != DONE)
            return done;
        from = c->at;
    }
    return UNFINISHED;
}

static inline enum outcome
take_value(struct sg_xml_scan *scan, struct cursor *c, uint8_t quote,
           struct sg_slice *value)
{
    const uint8_t *from = c->at;
    const uint8_t *to = plain_end(c, quote);
    c->at = to;
    if (to == c->end)
        return UNFINISHED;
    if (*to != quote)
        return slow_value(scan, c, from, quote, value);
    *value = sg_slice_of(from, (size_t)(to - from));
    c->at = to + 1;
    return DONE;
}

// ---- tags --------------------------------------------------------------------

// The attribute at c, which is not the one expected: moves c to its value.
static enum outcome
search_attr(const struct sg_xml_scan_tag *tag, struct cursor *c, uint8_t *index,
            uint8_t *quote)
{
    struct sg_slice text = sg_slice_of(c->at, (size_t)(c->end - c->at));
    struct sg_slice name = sg_slice_of(c->at, name_len(text));
    if (name.len == text.len)
        return name.len > SG_XML_SCAN_NAME ? ODD : UNFINISHED;
    *index = SG_XML_SCAN_NONE;
    for (uint8_t i = 0; i < tag->count && *index == SG_XML_SCAN_NONE; i++)
        if (tag->attrs[i].len == name.len &&
            memcmp(tag->attrs[i].text, name.ptr, name.len) == 0)
            *index = i;
    if (*index == SG_XML_SCAN_NONE)
        return ODD;
    c->at += name.len;
    enum outcome done = skip_space(c);
    if (done != DONE || *c->at != '=')
        return done != DONE ? done : ODD;
    c->at++;
    done = skip_space(c);
    if (done != DONE)
        return done;
    *quote = *c->at++;
    return *quote == '"' || *quote == '\'' ? DONE : ODD;
}

static inline enum outcome
take_attr(struct sg_xml_scan *scan, struct sg_xml_scan_tag *tag,
          struct cursor *c, uint8_t *link, struct sg_xml_attr *out)
{
    uint8_t index = *link, quote = '"';
    if (index != SG_XML_SCAN_NONE &&
        begins(c, tag->attrs[index].text, tag->attrs[index].len + 2u)) {
        c->at += tag->attrs[index].len + 2u;
    } else {
        enum outcome found = search_attr(tag, c, &index, &quote);
        if (found != DONE)
            return found;
        *link = index;
    }
    const struct sg_xml_scan_attr *a = &tag->attrs[index];
    out->ns = a->ns;
    out->name = a->name;
    out->known = a->known;
    return take_value(scan, c, quote, &out->value);
}

// All attributes and the end of the tag.
static inline enum outcome
take_attrs(struct sg_xml_scan *scan, struct sg_xml_scan_tag *tag,
           struct cursor *c, struct sg_xml_element *element, bool *empty)
{
    uint64_t seen = 0;
    uint8_t *link = &tag->first;
    for (;;) {
        if (c->at == c->end)
            return UNFINISHED;
        bool space = is_space(*c->at);
        if (space && (*c->at != ' ' || c->end - c->at < 2 || c->at[1] <= ' ')) {
            enum outcome done = skip_space(c);
            if (done != DONE)
                return done;
        } else if (space) {
            c->at++;
        }
        uint8_t ch = *c->at;
        if (ch == '>' || ch == '/') {
            *empty = ch == '/';
            if (*empty && c->end - c->at < 2)
                return UNFINISHED;
            c->at += *empty;
            return *c->at++ == '>' ? DONE : ODD;
        }
        if (!space)
            return ODD;
        if (element->attr_count == SG_XML_SCAN_ATTRS)
            return ODD; // one at least stands twice
        struct sg_xml_attr *attr = &scan->attrs[element->attr_count++];
        enum outcome done = take_attr(scan, tag, c, link, attr);
        if (done != DONE)
            return done;
        uint8_t index = *link;
        if (seen >> index & 1)
            return ODD; // twice
        seen |= 1ull << index;
        link = &tag->attrs[index].next;
    }
}

static inline bool
is_tag(const struct cursor *c, const struct sg_xml_scan_tag *tag)
{
    if (!begins(c, tag->text, tag->len) || c->end - c->at <= tag->len)
        return false;
    uint8_t after = c->at[tag->len];
    return is_space(after) || after == '>' || after == '/';
}

// The tag whose name stands at c.
static struct sg_xml_scan_tag *
find_tag(struct sg_xml_scan *scan, const struct cursor *c)
{
    struct sg_xml_scan_tag *tag = scan->last[scan->depth + 1];
    if (tag != NULL && is_tag(c, tag))
        return tag;
    for (uint32_t i = 0; i < scan->tag_count; i++)
        if (is_tag(c, &scan->tags[i]))
            return &scan->tags[i];
    return NULL;
}

// The place is behind the token that ends at c.
static inline void
arrive(struct sg_xml_scan *scan, const struct cursor *c, const uint8_t *from)
{
    uint64_t byte = scan->byte;
    scan->byte += (uint64_t)(c->at - from);
    scan->wide += c->wide;
    if (c->line_at == NULL)
        return;
    scan->line += c->lines;
    scan->line_byte = byte + (uint64_t)(c->line_at - from);
    scan->wide = c->wide;
}

static enum sg_err
say_end(struct sg_xml_scan *scan, const struct sg_xml_scan_tag *tag)
{
    scan->depth--;
    return scan->events->end == NULL
               ? SG_OK
               : scan->events->end(scan->user, tag->ns, tag->name);
}

static inline enum outcome
start_tag(struct sg_xml_scan *scan, struct cursor *c, enum sg_err *err)
{
    const uint8_t *from = c->at++;
    struct sg_xml_scan_tag *tag = find_tag(scan, c);
    if (tag == NULL) // perhaps its name is not all there
        return (size_t)(c->end - c->at) <= SG_XML_SCAN_NAME &&
                       memchr(c->at, '>', (size_t)(c->end - c->at)) == NULL
                   ? UNFINISHED
                   : ODD;
    if (scan->depth == SG_LIMIT_XML_DEPTH)
        return ODD;
    c->at += tag->len;
    struct sg_xml_element element = {.ns = tag->ns,
                                     .name = tag->name,
                                     .attrs = scan->attrs,
                                     .depth = scan->depth + 1,
                                     .known = tag->known};
    bool empty = false;
    scan->scratch_len = 0;
    enum outcome done = take_attrs(scan, tag, c, &element, &empty);
    if (done != DONE)
        return done;
    scan->read++;
    scan->open[++scan->depth] = tag;
    scan->last[scan->depth] = tag;
    if (scan->events->start != NULL)
        *err = scan->events->start(scan->user, &element);
    arrive(scan, c, from);
    if (*err == SG_OK && empty)
        *err = say_end(scan, tag);
    return DONE;
}

static inline enum outcome
end_tag(struct sg_xml_scan *scan, struct cursor *c, enum sg_err *err)
{
    const uint8_t *from = c->at;
    if (scan->depth == scan->synced)
        return ODD;
    const struct sg_xml_scan_tag *tag = scan->open[scan->depth];
    c->at += 2;
    if (c->end - c->at <= tag->len)
        return memchr(c->at, '>', (size_t)(c->end - c->at)) == NULL ? UNFINISHED
                                                                    : ODD;
    if (!begins(c, tag->text, tag->len))
        return ODD;
    c->at += tag->len;
    enum outcome done = skip_space(c);
    if (done != DONE || *c->at++ != '>')
        return done != DONE ? done : ODD;
    *err = say_end(scan, tag);
    arrive(scan, c, from);
    return DONE;
}

// ---- text --------------------------------------------------------------------

static enum sg_err
say_text(const struct sg_xml_scan *scan, const uint8_t *from, const uint8_t *to)
{
    if (to == from || scan->events->text == NULL)
        return SG_OK;
    return scan->events->text(scan->user,
                              sg_slice_of(from, (size_t)(to - from)));
}

// Text up to the next tag, or to what is not plain.
static enum outcome
take_text(struct sg_xml_scan *scan, struct cursor *c, enum sg_err *err)
{
    const uint8_t *start = c->at, *from = c->at;
    uint64_t base = scan->byte;
    enum outcome done = DONE;
    while (c->at < c->end && *c->at != '<' && *err == SG_OK) {
        uint8_t ch = *c->at;
        // ]]> must be seen whole, and what follows a CR.
        if ((ch < ' ' && ch != '\n' && ch != '\t' && ch != '\r') ||
            ch >= 0x80 || ch == '&' || ch == ']' ||
            (ch == '\r' && c->at + 1 == c->end)) {
            done = ODD;
            break;
        }
        c->at++;
        if (ch == '\r') { // becomes a line feed, or goes before one
            *err = say_text(scan, from, c->at - 1);
            from = c->at;
            if (*c->at != '\n' && *err == SG_OK)
                *err = say_text(scan, (const uint8_t *)"\n",
                                (const uint8_t *)"\n" + 1);
        }
        if (ch == '\n' || (ch == '\r' && *c->at != '\n')) {
            scan->line++;
            scan->line_byte = base + (uint64_t)(c->at - start);
            scan->wide = 0;
        }
    }
    if (*err == SG_OK)
        *err = say_text(scan, from, c->at);
    scan->byte = base + (uint64_t)(c->at - start);
    return done;
}

// ---- running -----------------------------------------------------------------

static enum sg_xml_scan_end
run(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
    enum sg_err *err)
{
    const uint8_t *at = bytes.ptr, *end = bytes.ptr + bytes.len;
    enum outcome done = DONE;
    while (at < end && done == DONE && *err == SG_OK) {
        struct cursor c = {.at = at, .end = end, .simd = !scan->portable};
        if (*at != '<') {
            done = take_text(scan, &c, err);
            at = c.at;
            continue;
        }
        if ((size_t)(end - at) > SG_XML_SCAN_CARRY)
            c.end = at + SG_XML_SCAN_CARRY;
        if (end - at < 2)
            done = UNFINISHED;
        else if (at[1] == '/')
            done = end_tag(scan, &c, err);
        else
            done = start_tag(scan, &c, err);
        if (done == DONE)
            at = c.at;
    }
    *used = (size_t)(at - bytes.ptr);
    if (*err != SG_OK)
        return SG_XML_SCAN_STOP;
    return done == ODD ? SG_XML_SCAN_ODD : SG_XML_SCAN_MORE;
}

// Adds to the carry up to the next > and tries again.
static enum sg_xml_scan_end
run_carry(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
          enum sg_err *err)
{
    const uint8_t *close = memchr(bytes.ptr, '>', bytes.len);
    size_t take = close == NULL ? bytes.len : (size_t)(close - bytes.ptr) + 1;
    *used = 0;
    if (take > SG_XML_SCAN_CARRY - scan->carry_len)
        return SG_XML_SCAN_ODD;
    memcpy(scan->carry + scan->carry_len, bytes.ptr, take);
    scan->carry_len += take;
    *used = take;
    if (close == NULL)
        return SG_XML_SCAN_MORE;
    size_t done;
    enum sg_xml_scan_end end =
        run(scan, sg_slice_of(scan->carry, scan->carry_len), &done, err);
    if (done > 0) { // the whole of it: it ends with its only >
        SG_ASSERT(done == scan->carry_len);
        scan->carry_len = 0;
    } else if (end == SG_XML_SCAN_MORE && ++scan->carry_tries > CARRY_TRIES) {
        return SG_XML_SCAN_ODD;
    }
    return end;
}

enum sg_xml_scan_end
sg_xml_scan_run(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
                enum sg_err *err)
{
    size_t done = 0;
    enum sg_xml_scan_end end = SG_XML_SCAN_MORE;
    *used = 0;
    *err = SG_OK;
    while (*used < bytes.len && scan->carry_len > 0) {
        end = run_carry(scan, sg_slice_of(bytes.ptr + *used, bytes.len - *used),
                        &done, err);
        *used += done;
        if (end != SG_XML_SCAN_MORE)
            return end;
    }
    if (*used == bytes.len)
        return end;
    bytes = sg_slice_of(bytes.ptr + *used, bytes.len - *used);
    end = run(scan, bytes, &done, err);
    *used += done;
    struct sg_slice rest = sg_slice_of(bytes.ptr + done, bytes.len - done);
    if (end != SG_XML_SCAN_MORE || rest.len == 0)
        return end;
    if (rest.len > SG_XML_SCAN_CARRY)
        return SG_XML_SCAN_ODD;
    memcpy(scan->carry, rest.ptr, rest.len);
    scan->carry_len = rest.len;
    scan->carry_tries = 0;
    *used += rest.len;
    return end;
}
