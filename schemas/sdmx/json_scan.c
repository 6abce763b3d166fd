#include "schemas/sdmx/json_scan.h"

#include "broker/base/limits.h"

// What may come next.
enum want {
    WANT_VALUE = 0,
    WANT_FIRST_VALUE, // or ]
    WANT_NAME,
    WANT_FIRST_NAME, // or }
    WANT_COLON,
    WANT_NEXT, // , or the end of what is open
    WANT_NOTHING,
};

enum part { PART_NONE = 0, PART_STRING, PART_NUMBER, PART_WORD };

enum { WORD = 5 }; // letters of the longest word, false

#define EACH(byte) (0x0101010101010101ull * (byte))
#define HIGH       EACH(0x80u)

void
sg_json_scan_init(struct sg_json_scan *scan, struct sg_arena *arena,
                  const struct sg_json_events *events, void *user)
{
    *scan = (struct sg_json_scan){
        .arena = arena, .events = events, .user = user, .line = 1};
}

void
sg_json_scan_again(struct sg_json_scan *scan)
{
    struct sg_json_buffer carry = scan->carry, plain = scan->plain;
    sg_json_scan_init(scan, scan->arena, scan->events, scan->user);
    scan->carry = carry;
    scan->plain = plain;
    scan->carry.len = scan->plain.len = 0;
}

bool
sg_json_scan_room(struct sg_arena *arena, struct sg_json_buffer *buffer,
                  size_t more)
{
    if (buffer->cap - buffer->len >= more)
        return true;
    size_t cap = buffer->cap < 4096 ? 4096 : buffer->cap;
    while (cap - buffer->len < more)
        cap *= 2;
    uint8_t *piece = sg_arena_room(arena, cap);
    if (piece == NULL)
        return false;
    if (buffer->len > 0)
        memcpy(piece, buffer->ptr, buffer->len);
    *buffer = (struct sg_json_buffer){piece, buffer->len, cap};
    return true;
}

// ---- refusing ----------------------------------------------------------------

static enum sg_err
refuse(struct sg_json_scan *scan, enum sg_json_fault fault, const char *why)
{
    scan->fault = fault;
    scan->why = why;
    scan->err = SG_ERR_SYNTAX;
    return scan->err;
}

static enum sg_err
refuse_byte(struct sg_json_scan *scan, uint8_t byte, const char *why)
{
    // EF BB BF is where a value, a name or an end should be.
    if (byte == 0xef && scan->at == 0)
        why = "a byte order mark; save the file as UTF-8 without one";
    return refuse(scan, SG_JSON_FAULT_SYNTAX, why);
}

static const char *
wanted(const struct sg_json_scan *scan)
{
    static const char *const texts[] = {
        [WANT_VALUE] = "a value is missing here",
        [WANT_FIRST_VALUE] = "neither a value nor the ] of the array",
        [WANT_NAME] = "a name in quotes is missing here",
        [WANT_FIRST_NAME] = "neither a name in quotes nor the } of the object",
        [WANT_COLON] = "a name is not followed by a colon",
        [WANT_NEXT] = "neither a comma nor the end of the object or array",
        [WANT_NOTHING] = "text behind the end of the message",
    };
    return texts[scan->want];
}

// ---- tokens ------------------------------------------------------------------

static inline bool
in_object(const struct sg_json_scan *scan)
{
    return (scan->objects[scan->depth / 64] >> scan->depth % 64 & 1) != 0;
}

static inline enum sg_err
tell(struct sg_json_scan *scan, enum sg_json_token token, struct sg_slice text)
{
    enum sg_err err = scan->events->token(scan->user, token, text);
    if (err != SG_OK)
        scan->err = err;
    return err;
}

static inline void
value_done(struct sg_json_scan *scan)
{
    scan->want = scan->depth == 0 ? WANT_NOTHING : WANT_NEXT;
}

static enum sg_err
open_one(struct sg_json_scan *scan, bool object)
{
    if (scan->depth == SG_LIMIT_JSON_DEPTH)
        return refuse(scan, SG_JSON_FAULT_LIMIT,
                      "objects and arrays lie too deep in one another");
    uint32_t d = ++scan->depth;
    uint64_t bit = 1ull << d % 64;
    scan->objects[d / 64] =
        object ? scan->objects[d / 64] | bit : scan->objects[d / 64] & ~bit;
    scan->want = object ? WANT_FIRST_NAME : WANT_FIRST_VALUE;
    return tell(scan, object ? SG_JSON_OBJECT : SG_JSON_ARRAY, SG_SLICE(""));
}

static enum sg_err
shut_one(struct sg_json_scan *scan)
{
    bool object = in_object(scan);
    scan->depth--;
    value_done(scan);
    return tell(scan, object ? SG_JSON_OBJECT_END : SG_JSON_ARRAY_END,
                SG_SLICE(""));
}

// ---- strings -------------------------------------------------------------------

static int
hex4(const uint8_t *at, const uint8_t *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i], lower = c | 0x20;
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static size_t
put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    size_t n = c < 0x10000 ? 3 : 4;
    out[0] = (uint8_t)(n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
    for (size_t i = 1; i < n; i++)
        out[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
    return n;
}

// \uXXXX at *at (behind the u), with its other half. NULL: all is well.
static const char *
unicode(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t *len)
{
    int first = hex4(*at, end);
    if (first < 0)
        return "\\u without four hexadecimal digits";
    *at += 4;
    uint32_t c = (uint32_t)first;
    if (c == 0)
        return "\\u0000 is no character of a text";
    if (c >= 0xd800 && c < 0xe000) {
        int second = -1;
        if (c < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u')
            second = hex4(*at + 2, end);
        if (second < 0xdc00 || second >= 0xe000)
            return "half of a surrogate pair stands alone";
        c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)second - 0xdc00);
        *at += 6;
    }
    *len += put_utf8(out + *len, c);
    return NULL;
}

static enum sg_err
unescape(struct sg_json_scan *scan, struct sg_slice raw, struct sg_slice *text)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *at = raw.ptr, *end = raw.ptr + raw.len;
    size_t len = 0;
    scan->plain.len = 0;
    if (!sg_json_scan_room(scan->arena, &scan->plain, raw.len + 1))
        return scan->err = SG_ERR_FULL;
    uint8_t *out = scan->plain.ptr;
    while (at < end) {
        if (*at != '\\') {
            out[len++] = *at++;
            continue;
        }
        uint8_t c = at[1]; // there: a string never ends in a lone backslash
        const char *found = c == 0 ? NULL : strchr(from, c);
        const char *why = NULL;
        at += 2;
        if (c == 'u')
            why = unicode(&at, end, out, &len);
        else if (found != NULL)
            out[len++] = (uint8_t)to[found - from];
        else
            why = "a backslash before something that needs none";
        if (why != NULL)
            return refuse(scan, SG_JSON_FAULT_SYNTAX, why);
    }
    *text = sg_slice_of(out, len);
    return SG_OK;
}

// The first quote, backslash or control character, or end; *high: something
// before it is above 127.
static inline const uint8_t *
plain_until(const uint8_t *at, const uint8_t *end, bool *high)
{
    uint64_t above = 0;
    while (end - at >= 8) {
        uint64_t v, quote, slash, stop;
        memcpy(&v, at, 8);
        quote = v ^ EACH('"');
        slash = v ^ EACH('\\');
        // The lowest bit set is right; those above it may not be.
        stop = ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) |
               ((v - EACH(0x20)) & ~v);
        stop &= HIGH;
        if (stop != 0) {
            above |= v & HIGH & ((stop & -stop) - 1);
            *high |= above != 0;
            return at + __builtin_ctzll(stop) / 8;
        }
        above |= v & HIGH;
        at += 8;
    }
    *high |= above != 0;
    for (; at < end && *at != '"' && *at != '\\' && *at >= 0x20; at++)
        *high |= *at >= 0x80;
    return at;
}

// What a string's bytes show so far.
struct look {
    const uint8_t *stop;  // its closing quote, what is wrong, or the end
    bool closed, control; // neither: goes on in the next feed
    bool escaped;         // a backslash somewhere
    bool pending;         // the backslash is the last byte
};

static inline struct look
look_at_string(struct sg_json_scan *scan, const uint8_t *at, const uint8_t *end)
{
    struct look s = {0};
    if (scan->escape && at < end && *at >= 0x20) {
        at++; // what the backslash of the last feed is before
        scan->escape = false;
    }
    for (;;) {
        at = plain_until(at, end, &scan->high);
        if (at == end || *at != '\\')
            break;
        s.escaped = true;
        if (end - at == 1) {
            s.pending = true;
            at = end;
            break;
        }
        if (at[1] < 0x20) {
            at++;
            break;
        }
        at += 2;
    }
    s.stop = at;
    s.closed = at < end && *at == '"';
    s.control = at < end && !s.closed;
    return s;
}

static enum sg_err
string_done(struct sg_json_scan *scan, struct sg_slice raw, bool escaped)
{
    bool name = scan->want == WANT_NAME || scan->want == WANT_FIRST_NAME;
    struct sg_slice text = raw;
    if (scan->high && !sg_slice_is_utf8(raw))
        return refuse(scan, SG_JSON_FAULT_ENCODING, "bytes that are not UTF-8");
    scan->high = false;
    if (escaped) {
        enum sg_err err = unescape(scan, raw, &text);
        if (err != SG_OK)
            return err;
    }
    if (name)
        scan->want = WANT_COLON;
    else
        value_done(scan);
    return tell(scan, name ? SG_JSON_NAME : SG_JSON_STRING, text);
}

static inline size_t
string_limit(const struct sg_json_scan *scan)
{
    return scan->want == WANT_NAME || scan->want == WANT_FIRST_NAME
               ? SG_LIMIT_JSON_NAME
               : SG_LIMIT_CELL;
}

static enum sg_err
keep(struct sg_json_scan *scan, const uint8_t *from, const uint8_t *to)
{
    size_t len = (size_t)(to - from);
    if (!sg_json_scan_room(scan->arena, &scan->carry, len + 1))
        return scan->err = SG_ERR_FULL;
    memcpy(scan->carry.ptr + scan->carry.len, from, len);
    scan->carry.len += len;
    return SG_OK;
}

// *at is behind the opening quote, or in the middle of a string begun before.
static enum sg_err
take_string(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *from = *at;
    struct look s = look_at_string(scan, from, end);
    size_t len = (size_t)(s.stop - from);
    if (scan->carry.len + len > string_limit(scan))
        return refuse(scan, SG_JSON_FAULT_LIMIT,
                      "a name or a text longer than any that is accepted");
    if (s.control)
        return refuse(scan, SG_JSON_FAULT_SYNTAX,
                      "a control character or a line break within a text");
    if (scan->part == PART_NONE && s.closed) {
        *at = s.stop + 1;
        return string_done(scan, sg_slice_of(from, len), s.escaped);
    }
    enum sg_err err = keep(scan, from, s.stop);
    scan->part = PART_STRING;
    scan->escape |= s.pending;
    *at = s.stop;
    if (err != SG_OK || !s.closed)
        return err;
    *at = s.stop + 1;
    struct sg_slice raw = sg_slice_of(scan->carry.ptr, scan->carry.len);
    scan->part = PART_NONE;
    scan->carry.len = 0;
    return string_done(scan, raw,
                       raw.len > 0 && memchr(raw.ptr, '\\', raw.len) != NULL);
}

// ---- numbers and words -----------------------------------------------------------

static inline bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool
of_number(uint8_t c)
{
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' ||
           c == 'E';
}

static const uint8_t *
digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

// RFC 8259, 6.
static bool
is_number(struct sg_slice text)
{
    const uint8_t *at = text.ptr, *end = text.ptr + text.len, *from;
    if (at < end && *at == '-')
        at++;
    from = at;
    at = digits(at, end);
    if (at == from || (*from == '0' && at - from > 1))
        return false;
    if (at < end && *at == '.') {
        from = ++at;
        at = digits(at, end);
        if (at == from)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        from = at;
        at = digits(at, end);
        if (at == from)
            return false;
    }
    return at == end;
}

static enum sg_err
bare_done(struct sg_json_scan *scan, struct sg_slice text, enum part part)
{
    static const struct {
        const char *word;
        enum sg_json_token token;
    } words[] = {{"true", SG_JSON_TRUE},
                 {"false", SG_JSON_FALSE},
                 {"null", SG_JSON_NULL}};
    if (part == PART_NUMBER) {
        if (!is_number(text))
            return refuse(scan, SG_JSON_FAULT_SYNTAX,
                          "not a number of JSON; write others as texts");
        value_done(scan);
        return tell(scan, SG_JSON_NUMBER, text);
    }
    for (size_t i = 0; i < SG_COUNT_OF(words); i++)
        if (sg_slice_eq(text, sg_slice_text(words[i].word))) {
            value_done(scan);
            return tell(scan, words[i].token, text);
        }
    return refuse(scan, SG_JSON_FAULT_SYNTAX,
                  "a word that is not true, false or null");
}

// A number or a word, whole or the rest of one; eof: nothing follows.
static enum sg_err
take_bare(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end,
          enum part part, bool eof)
{
    const uint8_t *from = *at, *stop = from;
    size_t limit = part == PART_NUMBER ? SG_LIMIT_JSON_NUMBER : WORD;
    if (part == PART_NUMBER)
        while (stop < end && of_number(*stop))
            stop++;
    else
        while (stop < end && *stop >= 'a' && *stop <= 'z')
            stop++;
    size_t len = (size_t)(stop - from);
    if (scan->carry.len + len > limit)
        return part == PART_NUMBER
                   ? refuse(scan, SG_JSON_FAULT_LIMIT,
                            "a number longer than any that is accepted")
                   : refuse(scan, SG_JSON_FAULT_SYNTAX,
                            "a word that is not true, false or null");
    *at = stop;
    if (scan->part == PART_NONE && stop < end)
        return bare_done(scan, sg_slice_of(from, len), part);
    enum sg_err err = len > 0 ? keep(scan, from, stop) : SG_OK;
    scan->part = (uint8_t)part;
    if (err != SG_OK || (stop == end && !eof))
        return err;
    struct sg_slice text = sg_slice_of(scan->carry.ptr, scan->carry.len);
    scan->part = PART_NONE;
    scan->carry.len = 0;
    return bare_done(scan, text, part);
}

// ---- the loop --------------------------------------------------------------------

static enum sg_err
take_value(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end)
{
    uint8_t c = **at;
    if (c == '"') {
        ++*at;
        return take_string(scan, at, end);
    }
    if (is_digit(c) || c == '-')
        return take_bare(scan, at, end, PART_NUMBER, false);
    if (c == '[' || c == '{') {
        ++*at;
        return open_one(scan, c == '{');
    }
    if (c == ']' && scan->want == WANT_FIRST_VALUE) {
        ++*at;
        return shut_one(scan);
    }
    if (c >= 'a' && c <= 'z')
        return take_bare(scan, at, end, PART_WORD, false);
    return refuse_byte(scan, c, wanted(scan));
}

// Does the user take the whole member?
static bool
take_member(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end)
{
    uint64_t lines = 0;
    enum sg_err err = SG_OK;
    size_t used = scan->events->member(
        scan->user, sg_slice_of(*at, (size_t)(end - *at)), &lines, &err);
    if (used == 0)
        return false;
    *at += used;
    scan->line += lines;
    scan->want = WANT_NEXT;
    scan->err = err;
    return true;
}

static enum sg_err
take_name(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end)
{
    uint8_t c = **at;
    if (c == '"' && scan->members && take_member(scan, at, end))
        return scan->err;
    if (c == '"') {
        ++*at;
        return take_string(scan, at, end);
    }
    if (c != '}' || scan->want != WANT_FIRST_NAME)
        return refuse_byte(scan, c, wanted(scan));
    ++*at;
    return shut_one(scan);
}

static enum sg_err
take_next(struct sg_json_scan *scan, const uint8_t **at)
{
    uint8_t c = **at;
    bool object = in_object(scan);
    if (c == ',') {
        ++*at;
        scan->want = object ? WANT_NAME : WANT_VALUE;
        return SG_OK;
    }
    if (c != (object ? '}' : ']'))
        return refuse_byte(scan, c, wanted(scan));
    ++*at;
    return shut_one(scan);
}

static enum sg_err
step(struct sg_json_scan *scan, const uint8_t **at, const uint8_t *end)
{
    switch ((enum want)scan->want) {
    case WANT_VALUE:
    case WANT_FIRST_VALUE:
        return take_value(scan, at, end);
    case WANT_NAME:
    case WANT_FIRST_NAME:
        return take_name(scan, at, end);
    case WANT_COLON:
        if (**at != ':')
            break;
        ++*at;
        scan->want = WANT_VALUE;
        return SG_OK;
    case WANT_NEXT:
        return take_next(scan, at);
    case WANT_NOTHING:
        break;
    }
    return refuse_byte(scan, **at, wanted(scan));
}

enum sg_err
sg_json_scan_feed(struct sg_json_scan *scan, struct sg_slice bytes)
{
    const uint8_t *at = bytes.ptr, *end = bytes.ptr + bytes.len;
    if (scan->err != SG_OK || bytes.len == 0)
        return scan->err;
    if (scan->part == PART_STRING)
        (void)take_string(scan, &at, end);
    else if (scan->part != PART_NONE)
        (void)take_bare(scan, &at, end, (enum part)scan->part, false);
    while (scan->err == SG_OK) {
        while (at < end &&
               (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
            scan->line += *at == '\n';
            at++;
        }
        if (at == end)
            break;
        scan->at = scan->base + (uint64_t)(at - bytes.ptr);
        (void)step(scan, &at, end);
    }
    scan->base += bytes.len;
    return scan->err;
}

enum sg_err
sg_json_scan_end(struct sg_json_scan *scan)
{
    const uint8_t *nowhere = (const uint8_t *)"";
    if (scan->err != SG_OK)
        return scan->err;
    if (scan->part == PART_NUMBER || scan->part == PART_WORD)
        (void)take_bare(scan, &nowhere, nowhere, (enum part)scan->part, true);
    if (scan->err != SG_OK || scan->want == WANT_NOTHING)
        return scan->err;
    scan->at = scan->base;
    if (scan->depth == 0 && scan->part == PART_NONE)
        return refuse(scan, SG_JSON_FAULT_EMPTY, "no message at all");
    return refuse(scan, SG_JSON_FAULT_SHORT,
                  "the text ends before what it has opened");
}
