#include "broker/os/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/check.h"
#include "broker/base/slice.h"
#include "broker/base/utc.h"
#include "broker/os/clock.h"

// Keys are ours, short and plain.
enum { LINE_MAX_BYTES = 2048, KEY_MAX_BYTES = 64, CLOSING = 4 };

static enum sg_log_level lowest = SG_LOG_INFO;

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

// Whole or not at all; what closes the line always has room.
static bool
put(struct line *line, const char *text, size_t len)
{
    if (line->len + len > sizeof line->text - CLOSING)
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

// Bytes of the character at text, 0: none in UTF-8. Shorter than RFC 3629 asks
// for, sg_slice_is_utf8 has the last word.
static size_t
character(const char *text)
{
    unsigned char c = (unsigned char)*text;
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < len; i++) {
        if (text[i] == '\0')
            return 0;
    }
    return sg_slice_is_utf8(sg_slice_of(text, len)) ? len : 0;
}

// RFC 8259; also what a terminal would obey (DEL and C1) becomes an escape, and
// what is no UTF-8 the replacement character.
static size_t
escape(const char *text, char out[8], size_t *len)
{
    size_t used = character(text);
    unsigned char c = (unsigned char)*text;
    unsigned control = c < 0x20 || c == 0x7f ? c
                       : used == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0
                           ? (unsigned char)text[1]
                           : 0;

    if (used == 0 || control != 0) {
        *len =
            (size_t)snprintf(out, 8, "\\u%04x", used == 0 ? 0xfffd : control);
        return used == 0 ? 1 : used;
    }
    *len = 0;
    if (c == '"' || c == '\\')
        out[(*len)++] = '\\';
    memcpy(out + *len, text, used);
    *len += used;
    return used;
}

static void
put_escaped(struct line *line, const char *text)
{
    while (*text != '\0') {
        char out[8];
        size_t len;
        text += escape(text, out, &len);
        if (!put(line, out, len))
            return;
    }
}

// false: nothing of it was put, since not even its key fits.
static bool
put_pair(struct line *line, const char *key, const char *value)
{
    char start[KEY_MAX_BYTES];
    int len = snprintf(start, sizeof start, "%s\"%s\":\"",
                       line->len > 1 ? "," : "", key);

    if (len < 0 || (size_t)len >= sizeof start ||
        !put(line, start, (size_t)len))
        return false;
    put_escaped(line, value);
    line->text[line->len++] = '"'; // of CLOSING; the check of the next pair
    return true;
}

void
sg_log(enum sg_log_level level, const char *event, ...)
{
    static const char *const name[] = {"debug", "info", "warn", "error"};
    struct line line = {.text = "{", .len = 1};
    char time[SG_UTC_TEXT];
    const char *key;
    va_list pairs;

    SG_ASSERT((size_t)level < SG_COUNT_OF(name));
    if (level < lowest)
        return;
    sg_utc_format(sg_os_clock_wall_us(), time);
    (void)put_pair(&line, "time", time);
    (void)put_pair(&line, "level", name[level]);
    bool fits = put_pair(&line, "event", event);
    va_start(pairs, event);
    while (fits && (key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        fits = put_pair(&line, key, value == NULL ? "" : value);
    }
    va_end(pairs);
    memcpy(line.text + line.len, "}\n", 2);
    // One write, so that lines of threads and workers do not mix.
    int kept = errno;
    ssize_t written = write(STDERR_FILENO, line.text, line.len + 2);
    (void)written; // a log that cannot be written must not stop the gate
    errno = kept;
}

void
sg_log_set_level(enum sg_log_level level)
{
    lowest = level;
}

const char *
sg_log_number(uint64_t number, char buffer[24])
{
    (void)snprintf(buffer, 24, "%llu", (unsigned long long)number);
    return buffer;
}

bool
sg_log_allowed(struct sg_log_limit *limit, uint32_t a_minute, uint64_t now_us,
               uint64_t *left_out)
{
    uint64_t minute = now_us / 60000000u;

    if (minute != limit->minute) {
        limit->minute = minute;
        limit->written = 0;
    }
    if (limit->written >= a_minute) {
        limit->left_out++;
        return false;
    }
    limit->written++;
    *left_out = limit->left_out;
    limit->left_out = 0;
    return true;
}
