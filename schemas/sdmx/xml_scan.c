#include "schemas/sdmx/xml_scan.h"

#include "broker/base/check.h"
#include "schemas/sdmx/xml_scan_parts.h"

enum { CARRY_TRIES = 8 }; // a tag with more > in its values is expat's

// ---- bytes -------------------------------------------------------------------

#if defined(__SSE2__)
// Are the first len bytes of both the same? SG_XML_SCAN_NAME can be read.
SG_XML_SCAN_INLINE bool
same_text(const uint8_t *p, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i += 16) {
        __m128i same =
            _mm_cmpeq_epi8(sg_xml_load16(p + i), sg_xml_load16(text + i));
        unsigned want = len - i >= 16 ? 0xffffu : (1u << (len - i)) - 1;
        if (((unsigned)_mm_movemask_epi8(same) & want) != want)
            return false;
    }
    return true;
}

// Does p begin with the name of an attribute that is asked for?
SG_XML_SCAN_INLINE bool
same_name(const uint8_t *p, const struct sg_xml_scan_attr *a)
{
    __m128i same = _mm_cmpeq_epi8(sg_xml_load16(p), sg_xml_load16(a->text));
    uint32_t found = (uint32_t)_mm_movemask_epi8(same);
    if (a->ask > 0xffff) {
        same =
            _mm_cmpeq_epi8(sg_xml_load16(p + 16), sg_xml_load16(a->text + 16));
        found |= (uint32_t)_mm_movemask_epi8(same) << 16;
    }
    return a->ask != 0 && (a->ask & ~found) == 0;
}
#endif

// Does at begin with the first len bytes of text?
SG_XML_SCAN_INLINE bool
begins(const struct sg_xml_cursor *c, const uint8_t text[SG_XML_SCAN_NAME],
       size_t len)
{
    size_t left = (size_t)(c->end - c->at);
    if (left < len)
        return false;
#if defined(__SSE2__)
    if (c->simd && left >= SG_XML_SCAN_NAME)
        return same_text(c->at, text, len);
#endif
    return memcmp(c->at, text, len) == 0;
}

// Steps over white space within a tag.
static enum sg_xml_token
skip_space(struct sg_xml_cursor *c)
{
    while (c->at < c->end && sg_xml_is_space(*c->at)) {
        uint8_t ch = *c->at++;
        if (ch == '\r') {
            if (c->at == c->end)
                return SG_XML_UNFINISHED;
            c->at += *c->at == '\n';
        }
        if (ch == '\r' || ch == '\n')
            sg_xml_line_end(c);
    }
    return c->at == c->end ? SG_XML_UNFINISHED : SG_XML_DONE;
}

static enum sg_xml_token
take_value(struct sg_xml_scan *scan, struct sg_xml_cursor *c, uint8_t quote,
           struct sg_slice *value)
{
    const uint8_t *from = c->at;
    const uint8_t *to = sg_xml_plain_end(c, quote);
    c->at = to;
    if (to == c->end)
        return SG_XML_UNFINISHED;
    if (*to != quote)
        return sg_xml_scan_value(scan, c, from, quote, value);
    *value = sg_slice_of(from, (size_t)(to - from));
    c->at = to + 1;
    return SG_XML_DONE;
}

// ---- tags --------------------------------------------------------------------

// The attribute at c, which is not the one expected: moves c to its value.
static enum sg_xml_token
search_attr(const struct sg_xml_scan_tag *tag, struct sg_xml_cursor *c,
            uint8_t *index, uint8_t *quote)
{
    struct sg_slice text = sg_slice_of(c->at, (size_t)(c->end - c->at));
    struct sg_slice name = sg_slice_of(c->at, sg_xml_name_len(text));
    if (name.len == text.len)
        return name.len > SG_XML_SCAN_NAME ? SG_XML_ODD : SG_XML_UNFINISHED;
    *index = SG_XML_SCAN_NONE;
    for (uint8_t i = 0; i < tag->count && *index == SG_XML_SCAN_NONE; i++)
        if (tag->attrs[i].len == name.len &&
            memcmp(tag->attrs[i].text, name.ptr, name.len) == 0)
            *index = i;
    if (*index == SG_XML_SCAN_NONE)
        return SG_XML_ODD;
    c->at += name.len;
    enum sg_xml_token done = skip_space(c);
    if (done != SG_XML_DONE || *c->at != '=')
        return done != SG_XML_DONE ? done : SG_XML_ODD;
    c->at++;
    done = skip_space(c);
    if (done != SG_XML_DONE)
        return done;
    *quote = *c->at++;
    return *quote == '"' || *quote == '\'' ? SG_XML_DONE : SG_XML_ODD;
}

// The attributes of a tag that have been read.
struct attrs {
    struct sg_xml_scan_tag *tag;
    struct sg_xml_attr *out;
    uint32_t count;
    uint64_t seen; // bit i: tag->attrs[i]
    uint8_t *link; // to the one that came next last time
};

SG_XML_SCAN_INLINE void
name_attr(struct sg_xml_attr *out, const struct sg_xml_scan_attr *a)
{
    if (out->known == a->known)
        return; // as the tag before
    out->ns = a->ns;
    out->name = a->name;
    out->known = a->known;
}

SG_XML_SCAN_INLINE void
count_attr(struct attrs *attrs, uint8_t index)
{
    attrs->count++;
    attrs->seen |= 1ull << index;
    attrs->link = &attrs->tag->attrs[index].next;
}

// As many attributes as come in the order known and in the plainest form: a
// blank, name="value", a short value.
SG_XML_SCAN_INLINE void
plain_attrs(struct attrs *to, struct sg_xml_cursor *c)
{
#if defined(__SSE2__)
    enum { SHORT = 64, READ = 1 + SG_XML_SCAN_NAME + SHORT };
    struct attrs attrs = *to; // in registers
    const uint8_t *p = c->at, *end = c->end;
    while (c->simd && end - p >= READ && *attrs.link != SG_XML_SCAN_NONE) {
        uint8_t index = *attrs.link;
        const struct sg_xml_scan_attr *a = &attrs.tag->attrs[index];
        const uint8_t *from = p + 1 + a->len + 2;
        if (*p != ' ' || (attrs.seen >> index & 1) != 0 || !same_name(p + 1, a))
            break;
        const uint8_t *at = from;
        unsigned odd = sg_xml_odd_bytes(at, '"');
        while (odd == 0 && at < from + SHORT - 16)
            odd = sg_xml_odd_bytes(at += 16, '"');
        if (odd == 0 || at[__builtin_ctz(odd)] != '"')
            break;
        at += __builtin_ctz(odd);
        struct sg_xml_attr *out = &attrs.out[attrs.count];
        name_attr(out, a);
        out->value = sg_slice_of(from, (size_t)(at - from));
        count_attr(&attrs, index);
        p = at + 1;
    }
    c->at = p;
    *to = attrs;
#else
    (void)to;
    (void)c;
#endif
}

// Any one attribute.
static enum sg_xml_token
take_attr(struct sg_xml_scan *scan, struct attrs *attrs,
          struct sg_xml_cursor *c)
{
    uint8_t index = *attrs->link, quote = '"';
    struct sg_xml_scan_tag *tag = attrs->tag;
    if (attrs->count == SG_XML_SCAN_ATTRS)
        return SG_XML_ODD; // one at least stands twice
    if (index != SG_XML_SCAN_NONE &&
        begins(c, tag->attrs[index].text, tag->attrs[index].len + 2u)) {
        c->at += tag->attrs[index].len + 2u;
    } else {
        enum sg_xml_token found = search_attr(tag, c, &index, &quote);
        if (found != SG_XML_DONE)
            return found;
        *attrs->link = index;
    }
    if (attrs->seen >> index & 1)
        return SG_XML_ODD; // twice
    struct sg_xml_attr *out = &attrs->out[attrs->count];
    name_attr(out, &tag->attrs[index]);
    count_attr(attrs, index);
    return take_value(scan, c, quote, &out->value);
}

// All attributes and the end of the tag.
SG_XML_SCAN_INLINE enum sg_xml_token
take_attrs(struct sg_xml_scan *scan, struct attrs *attrs,
           struct sg_xml_cursor *c, bool *empty)
{
    for (;;) {
        plain_attrs(attrs, c);
        const uint8_t *before = c->at;
        if (before == c->end)
            return SG_XML_UNFINISHED;
        if (sg_xml_is_space(*before)) {
            enum sg_xml_token done = skip_space(c);
            if (done != SG_XML_DONE)
                return done;
        }
        uint8_t ch = *c->at;
        if (ch == '>' || ch == '/') {
            *empty = ch == '/';
            if (*empty && c->end - c->at < 2)
                return SG_XML_UNFINISHED;
            c->at += *empty;
            return *c->at++ == '>' ? SG_XML_DONE : SG_XML_ODD;
        }
        if (c->at == before)
            return SG_XML_ODD; // nothing between
        enum sg_xml_token done = take_attr(scan, attrs, c);
        if (done != SG_XML_DONE)
            return done;
    }
}

SG_XML_SCAN_INLINE bool
is_tag(const struct sg_xml_cursor *c, const struct sg_xml_scan_tag *tag)
{
    if (!begins(c, tag->text, tag->len) || c->end - c->at <= tag->len)
        return false;
    uint8_t after = c->at[tag->len];
    return sg_xml_is_space(after) || after == '>' || after == '/';
}

// The tag whose name stands at c.
SG_XML_SCAN_INLINE struct sg_xml_scan_tag *
find_tag(struct sg_xml_scan *scan, const struct sg_xml_cursor *c)
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
SG_XML_SCAN_INLINE void
arrive(struct sg_xml_scan *scan, const struct sg_xml_cursor *c,
       const uint8_t *from)
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

SG_XML_SCAN_INLINE enum sg_xml_token
start_tag(struct sg_xml_scan *scan, struct sg_xml_cursor *c, enum sg_err *err)
{
    const uint8_t *from = c->at++;
    struct sg_xml_scan_tag *tag = find_tag(scan, c);
    if (tag == NULL) // perhaps its name is not all there
        return (size_t)(c->end - c->at) <= SG_XML_SCAN_NAME &&
                       memchr(c->at, '>', (size_t)(c->end - c->at)) == NULL
                   ? SG_XML_UNFINISHED
                   : SG_XML_ODD;
    if (scan->depth == SG_LIMIT_XML_DEPTH)
        return SG_XML_ODD;
    c->at += tag->len;
    struct attrs attrs = {.tag = tag, .out = scan->attrs, .link = &tag->first};
    bool empty = false;
    scan->scratch_len = 0;
    enum sg_xml_token done = take_attrs(scan, &attrs, c, &empty);
    if (done != SG_XML_DONE)
        return done;
    const struct sg_xml_element element = {.ns = tag->ns,
                                           .name = tag->name,
                                           .attrs = scan->attrs,
                                           .attr_count = attrs.count,
                                           .depth = scan->depth + 1,
                                           .known = tag->known};
    scan->read++;
    scan->open[++scan->depth] = tag;
    scan->last[scan->depth] = tag;
    if (scan->events->start != NULL)
        *err = scan->events->start(scan->user, &element);
    arrive(scan, c, from);
    if (*err == SG_OK && empty)
        *err = say_end(scan, tag);
    return SG_XML_DONE;
}

SG_XML_SCAN_INLINE enum sg_xml_token
end_tag(struct sg_xml_scan *scan, struct sg_xml_cursor *c, enum sg_err *err)
{
    const uint8_t *from = c->at;
    if (scan->depth == scan->synced)
        return SG_XML_ODD;
    const struct sg_xml_scan_tag *tag = scan->open[scan->depth];
    c->at += 2;
    if (c->end - c->at <= tag->len)
        return memchr(c->at, '>', (size_t)(c->end - c->at)) == NULL
                   ? SG_XML_UNFINISHED
                   : SG_XML_ODD;
    if (!begins(c, tag->text, tag->len))
        return SG_XML_ODD;
    c->at += tag->len;
    enum sg_xml_token done = skip_space(c);
    if (done != SG_XML_DONE || *c->at++ != '>')
        return done != SG_XML_DONE ? done : SG_XML_ODD;
    *err = say_end(scan, tag);
    arrive(scan, c, from);
    return SG_XML_DONE;
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
static enum sg_xml_token
take_text(struct sg_xml_scan *scan, struct sg_xml_cursor *c, enum sg_err *err)
{
    const uint8_t *start = c->at, *from = c->at;
    uint64_t base = scan->byte;
    enum sg_xml_token done = SG_XML_DONE;
    while (c->at < c->end && *c->at != '<' && *err == SG_OK) {
        uint8_t ch = *c->at;
        // ]]> must be seen whole, and what follows a CR.
        if ((ch < ' ' && ch != '\n' && ch != '\t' && ch != '\r') ||
            ch >= 0x80 || ch == '&' || ch == ']' ||
            (ch == '\r' && c->at + 1 == c->end)) {
            done = SG_XML_ODD;
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

// White space without CR up to a tag: most of all text. false: it is not that.
SG_XML_SCAN_INLINE bool
take_blank(struct sg_xml_scan *scan, struct sg_xml_cursor *c, enum sg_err *err)
{
    const uint8_t *from = c->at, *p = from;
    for (; p < c->end && (*p == '\n' || *p == ' ' || *p == '\t'); p++)
        if (*p == '\n') {
            c->lines++;
            c->line_at = p + 1;
        }
    if (p == c->end || *p != '<') {
        c->lines = 0;
        c->line_at = NULL;
        return false;
    }
    *err = say_text(scan, from, p);
    c->at = p;
    arrive(scan, c, from);
    return true;
}

// ---- running -----------------------------------------------------------------

SG_XML_SCAN_INLINE enum sg_xml_scan_end
run_here(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
         enum sg_err *err)
{
    const uint8_t *at = bytes.ptr, *end = bytes.ptr + bytes.len;
    enum sg_xml_token done = SG_XML_DONE;
    while (at < end && done == SG_XML_DONE && *err == SG_OK) {
        struct sg_xml_cursor c = {
            .at = at, .end = end, .simd = !scan->portable};
        if (*at != '<') {
            if (!take_blank(scan, &c, err))
                done = take_text(scan, &c, err);
            at = c.at;
            continue;
        }
        if ((size_t)(end - at) > SG_XML_SCAN_CARRY)
            c.end = at + SG_XML_SCAN_CARRY;
        if (end - at < 2)
            done = SG_XML_UNFINISHED;
        else if (at[1] == '/')
            done = end_tag(scan, &c, err);
        else
            done = start_tag(scan, &c, err);
        if (done == SG_XML_DONE)
            at = c.at;
    }
    *used = (size_t)(at - bytes.ptr);
    if (*err != SG_OK)
        return SG_XML_SCAN_STOP;
    return done == SG_XML_ODD ? SG_XML_SCAN_ODD : SG_XML_SCAN_MORE;
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2"))) static enum sg_xml_scan_end
run_avx2(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
         enum sg_err *err)
{
    return run_here(scan, bytes, used, err);
}
#endif

static enum sg_xml_scan_end
run(struct sg_xml_scan *scan, struct sg_slice bytes, size_t *used,
    enum sg_err *err)
{
#if defined(__x86_64__)
    if (!scan->portable && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return run_avx2(scan, bytes, used, err);
#endif
    return run_here(scan, bytes, used, err);
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
