// json_fixture - a text read by the JSON scanner, and all that was said of it.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/check.h"
#include "schemas/sdmx/json_scan.h"

struct json_fixture {
    enum sg_err err;
    enum sg_json_fault fault;
    char why[160]; // with line and byte
    uint64_t at;   // that byte
    uint8_t *log;  // "{", "}", "[", "]"; others: a letter, the text, "\1"
    size_t len, cap;
    enum sg_err refuse; // what the callback returns
};

static inline void
json_fixture_add(struct json_fixture *f, const void *bytes, size_t len)
{
    if (f->len + len > f->cap) {
        f->cap = 2 * (f->len + len);
        f->log = realloc(f->log, f->cap);
    }
    if (len > 0)
        memcpy(f->log + f->len, bytes, len);
    f->len += len;
}

static inline void
json_fixture_say(struct json_fixture *f, char mark, const void *text,
                 size_t len)
{
    json_fixture_add(f, &mark, 1);
    if (strchr("{}[]", mark) != NULL)
        return;
    json_fixture_add(f, text, len);
    json_fixture_add(f, "\1", 1);
}

static inline enum sg_err
json_fixture_token(void *user, enum sg_json_token token, struct sg_slice text)
{
    static const char marks[] = "{}[]nsdwww";
    struct json_fixture *f = user;
    json_fixture_say(f, marks[token], text.ptr, text.len);
    return f->refuse;
}

// In pieces of step bytes, each of its own memory so that reading beyond it is
// seen. log is to be freed.
static inline void
json_fixture_read(struct json_fixture *f, struct sg_slice text, size_t step)
{
    static const struct sg_json_events events = {.token = json_fixture_token};
    struct sg_arena *arena = sg_arena_new((size_t)1 << 26, 1u << 16);
    struct sg_json_scan scan;
    sg_json_scan_init(&scan, arena, &events, f);
    for (size_t at = 0; at < text.len && f->err == SG_OK; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        uint8_t *piece = malloc(len);
        memcpy(piece, text.ptr + at, len);
        f->err = sg_json_scan_feed(&scan, sg_slice_of(piece, len));
        free(piece);
    }
    enum sg_err end = sg_json_scan_end(&scan);
    SG_ASSERT(f->err == SG_OK || end == f->err); // as said before
    f->err = end;
    f->fault = scan.fault;
    f->at = scan.at;
    snprintf(f->why, sizeof f->why, "%llu:%llu %s",
             (unsigned long long)scan.line, (unsigned long long)scan.at,
             scan.why != NULL ? scan.why : "");
    sg_arena_free(&arena);
}

static inline bool
json_fixture_same(const struct json_fixture *a, const struct json_fixture *b)
{
    return a->err == b->err && a->fault == b->fault && a->len == b->len &&
           (a->err == SG_OK || strcmp(a->why, b->why) == 0) &&
           (a->len == 0 || memcmp(a->log, b->log, a->len) == 0);
}
