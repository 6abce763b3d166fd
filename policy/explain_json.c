#include "policy/explain_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
sg_explain_put(struct sg_writer *w, const char *text)
{
    sg_bytes_put(w, text, strlen(text));
}

void
sg_explain_slice(struct sg_writer *w, struct sg_slice text)
{
    if (text.len > 0)
        sg_bytes_put(w, text.ptr, text.len);
}

void
sg_explain_printf(struct sg_writer *w, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sg_explain_put(w, text);
}

static void
put_char(struct sg_writer *w, uint8_t c)
{
    char escape[8];
    if (c == '"' || c == '\\') {
        sg_bytes_put_u8(w, '\\');
        sg_bytes_put_u8(w, c);
    } else if (c < 0x20) {
        snprintf(escape, sizeof escape, "\\u%04x", c);
        sg_explain_put(w, escape);
    } else {
        sg_bytes_put_u8(w, c);
    }
}

void
sg_explain_quote(struct sg_writer *w, struct sg_slice text)
{
    sg_bytes_put_u8(w, '"');
    for (size_t i = 0; i < text.len; i++)
        put_char(w, text.ptr[i]);
    sg_bytes_put_u8(w, '"');
}

void
sg_explain_flat(struct sg_writer *w, struct sg_slice text)
{
    bool space = false, comment = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        comment = (comment || c == '#') && c != '\n';
        if (comment || c <= ' ') {
            space = true;
            continue;
        }
        if (space)
            sg_bytes_put_u8(w, ' ');
        space = false;
        put_char(w, c);
    }
}

void
sg_explain_quote_flat(struct sg_writer *w, struct sg_slice text)
{
    sg_bytes_put_u8(w, '"');
    sg_explain_flat(w, text);
    sg_bytes_put_u8(w, '"');
}
