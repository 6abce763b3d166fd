#include "broker/os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/os/clock.h"

enum { LINE_MAX_BYTES = 2048 };

static enum sg_log_level lowest = SG_LOG_INFO;

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

// Leaves room for the closing quote, brace and line end.
static void
put(struct line *line, char c)
{
    if (line->len < sizeof line->text - 4)
        line->text[line->len++] = c;
}

static void
put_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++)
        put(line, *text);
}

static void
put_json(struct line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    put(line, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put(line, '\\');
        if (c >= 0x20) {
            put(line, (char)c);
            continue;
        }
        put_text(line, "\\u00");
        put(line, hex[c >> 4]);
        put(line, hex[c & 15]);
    }
    line->text[line->len++] = '"';
}

void
sg_log(enum sg_log_level level, const char *event, ...)
{
    static const char *const name[] = {"debug", "info", "warn", "error"};
    struct line line = {.len = 0};
    char time[SG_OS_CLOCK_TEXT];
    const char *key;
    va_list pairs;

    if (level < lowest)
        return;
    sg_os_clock_format(sg_os_clock_wall_us(), time);
    put_text(&line, "{\"time\":\"");
    put_text(&line, time);
    put_text(&line, "\",\"level\":\"");
    put_text(&line, name[level]);
    put_text(&line, "\",\"event\":");
    put_json(&line, event);
    va_start(pairs, event);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        if (line.len + strlen(key) + 8 > sizeof line.text)
            break;
        put(&line, ',');
        put_json(&line, key);
        put(&line, ':');
        put_json(&line, value == NULL ? "" : value);
    }
    va_end(pairs);
    line.text[line.len++] = '}';
    line.text[line.len++] = '\n';
    // One write, so that lines of threads and workers do not mix.
    ssize_t written = write(STDERR_FILENO, line.text, line.len);
    (void)written; // a log that cannot be written must not stop the gate
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
