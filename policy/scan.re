// scan - a policy text as tokens (policy-language 5.3). re2c.
#include "policy/build.h"

// Characters that must not stand in a text: controls, directions, BOM.
static bool
is_bad_character(const uint8_t *at, size_t left)
{
    if (at[0] < 0x20 || at[0] == 0x7f)
        return at[0] != '\t' && at[0] != '\n' && at[0] != '\r';
    if (left >= 2 && at[0] == 0xc2 && at[1] < 0xa0)
        return true; // C1 controls
    if (left < 3)
        return false;
    uint32_t c = (uint32_t)(at[0] & 0x0f) << 12 |
                 (uint32_t)(at[1] & 0x3f) << 6 | (uint32_t)(at[2] & 0x3f);
    if (at[0] == 0xe2)
        return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069);
    return at[0] == 0xef && c == 0xfeff;
}

static uint32_t
column_of(const uint8_t *line, const uint8_t *at)
{
    uint32_t column = 1;
    for (; line < at; line++)
        column += (*line & 0xc0) != 0x80; // continuation bytes do not count
    return column;
}

static void
fail_at(struct sg_build *b, uint32_t line, uint32_t column, const char *text)
{
    struct sg_token at = {.line = line, .column = column};
    sg_build_fail(b, &at, "%s", text);
}

static bool
check_characters(struct sg_build *b, struct sg_slice text)
{
    uint32_t line = 1;
    const uint8_t *start = text.ptr, *end = text.ptr + text.len;
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
        fail_at(b, 1, 1,
                "a byte order mark before the text; save it as UTF-8 without "
                "one");
        return false;
    }
    for (const uint8_t *at = start; at < end; at++) {
        if (*at == '\n') {
            line++;
            start = at + 1;
        } else if (is_bad_character(at, (size_t)(end - at))) {
            fail_at(b, line, column_of(start, at),
                    "control or direction character in a text");
            return false;
        }
    }
    if (sg_slice_is_utf8(text))
        return true;
    fail_at(b, 0, 0, "the text is not UTF-8; save it as UTF-8");
    return false;
}

// column is that of counted, which only moves on: no text is slow to read.
struct scanner {
    const uint8_t *cursor, *limit, *counted;
    uint32_t line, column;
};

static struct scanner
scanner_on(struct sg_slice text)
{
    return (struct scanner){text.ptr, text.ptr + text.len, text.ptr, 1, 1};
}

static uint32_t
column_at(struct scanner *s, const uint8_t *at)
{
    s->column += column_of(s->counted, at) - 1;
    s->counted = at;
    return s->column;
}

// The next token; raw SG_RAW_END at the end. false: no token starts here.
static bool
next_token(struct scanner *s, struct sg_token *out)
{
    const uint8_t *marker, *begin;
    enum sg_token_raw raw;
again:
    begin = s->cursor;
    /*!re2c
        re2c:define:YYCTYPE = "uint8_t";
        re2c:define:YYCURSOR = s->cursor;
        re2c:define:YYLIMIT = s->limit;
        re2c:define:YYMARKER = marker;
        re2c:yyfill:enable = 0;
        re2c:eof = 0;
        digit = [0-9];
        word = [A-Za-z_] [A-Za-z0-9_]*;
        $                   { raw = SG_RAW_END; goto done; }
        *                   { s->cursor = begin; raw = SG_RAW_END; goto bad; }
        [ \t\r]+            { goto again; }
        "#" [^\n\x00]*      { goto again; }
        "\n"                {
            s->line++;
            s->column = 1;
            s->counted = s->cursor;
            goto again;
        }
        ["] [^"\n\x00]* ["] { raw = SG_RAW_STRING; goto done; }
        digit{4} "-" digit{2} "-" digit{2} { raw = SG_RAW_DATE; goto done; }
        digit+              { raw = SG_RAW_NUMBER; goto done; }
        word                { raw = SG_RAW_ID; goto done; }
        ","                 { raw = SG_RAW_COMMA; goto done; }
        "="                 { raw = SG_RAW_EQUALS; goto done; }
        "("                 { raw = SG_RAW_OPEN; goto done; }
        ")"                 { raw = SG_RAW_CLOSE; goto done; }
    */
bad:
    out->line = s->line;
    out->column = column_at(s, begin);
    return false;
done:
    *out = (struct sg_token){
        .text = {begin, (size_t)(s->cursor - begin)},
        .line = s->line,
        .column = column_at(s, begin),
        .raw = (uint8_t)raw,
    };
    if (raw == SG_RAW_STRING) {
        out->text.ptr++;
        out->text.len -= 2;
    }
    return true;
}

static void
fail_character(struct sg_build *b, const struct sg_token *at, uint8_t c)
{
    if (c == '"')
        sg_build_fail(b, at,
                      "a text in quotes does not end on its line; close it");
    else if (c >= 0x20 && c < 0x7f)
        sg_build_fail(b, at, "unexpected character '%c'", c);
    else
        sg_build_fail(b, at,
                      "unexpected character; letters outside A-Z belong into "
                      "texts in quotes or comments");
}

// Every token is at least one byte, so text.len + 1 tokens are enough; they are
// counted first so that the arena holds no more than there are.
bool
sg_scan_text(struct sg_build *b, struct sg_slice text, struct sg_token **tokens,
             size_t *count)
{
    if (!check_characters(b, text))
        return false;
    struct sg_token one = {0};
    size_t total = 0;
    struct scanner s = scanner_on(text);
    do {
        if (!next_token(&s, &one)) {
            fail_character(b, &one, *s.cursor);
            return false;
        }
        total++;
    } while (one.raw != SG_RAW_END);
    *tokens = sg_build_take(b, total * sizeof **tokens);
    if (*tokens == NULL)
        return false;
    s = scanner_on(text);
    for (size_t i = 0; i < total; i++) {
        if (!next_token(&s, &(*tokens)[i]))
            return false;
    }
    *count = total;
    return true;
}
