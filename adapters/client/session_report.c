// A fault report of the gate as JSON, in the shape of `check --json`.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/client/session.h"
#include "broker/base/bytes.h"

enum { JSON_ROOM = 16 * 1024 * 1024 };

static void
put(struct sg_writer *out, const char *text)
{
    sg_bytes_put(out, text, strlen(text));
}

static void
put_string(struct sg_writer *out, const char *text)
{
    char escape[8];

    put(out, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)snprintf(escape, sizeof escape, "\\%c", c);
            put(out, escape);
        } else if (c < 0x20) {
            (void)snprintf(escape, sizeof escape, "\\u%04x", c);
            put(out, escape);
        } else {
            sg_bytes_put_u8(out, c);
        }
    }
    put(out, "\"");
}

static void
put_number(struct sg_writer *out, const char *name, uint64_t value)
{
    char text[64];

    (void)snprintf(text, sizeof text, ",\"%s\":%" PRIu64, name, value);
    put(out, text);
}

static void
put_faults(struct sg_writer *out, Sgpb__Fault **faults, size_t count)
{
    put(out, "[");
    for (size_t i = 0; i < count; i++) {
        put(out, i == 0 ? "{\"code\":" : ",{\"code\":");
        put_string(out, faults[i]->code);
        put(out, ",\"component\":");
        put_string(out, faults[i]->component);
        put_number(out, "row", faults[i]->row);
        put_number(out, "line", faults[i]->line);
        put(out, ",\"value\":");
        put_string(out, faults[i]->value);
        put(out, ",\"hint\":");
        put_string(out, faults[i]->hint);
        put_number(out, "count", faults[i]->count);
        put(out, "}");
    }
    put(out, "]");
}

const char *
sg_session_report_json(struct statgate *handle, const Sgpb__Report *report)
{
    uint8_t *room = sg_arena_take(handle->arena, JSON_ROOM);
    struct sg_writer out = sg_writer_on(room, room == NULL ? 0 : JSON_ROOM - 1);

    if (report == NULL)
        return NULL;
    put(&out, "{\"verdict\":");
    put_string(&out, report->verdict == 1 ? "accept" : "reject");
    put_number(&out, "observations", report->observations);
    put(&out, ",\"faults\":");
    put_faults(&out, report->faults, report->n_faults);
    put(&out, ",\"warnings\":");
    put_faults(&out, report->warnings, report->n_warnings);
    put_number(&out, "faults_total", report->faults_total);
    put(&out, "}");
    return out.full ? NULL : (const char *)room;
}
