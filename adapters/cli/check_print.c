#include "adapters/cli/check_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/utc.h"
#include "broker/os/clock.h"

// ---- occurrences ---------------------------------------------------------------

static bool
copy(struct sg_slice *text)
{
    if (text->len == 0) {
        *text = (struct sg_slice){NULL, 0};
        return true;
    }
    uint8_t *bytes = malloc(text->len);
    if (bytes == NULL) {
        *text = (struct sg_slice){NULL, 0};
        return false;
    }
    memcpy(bytes, text->ptr, text->len);
    text->ptr = bytes;
    return true;
}

bool
sg_check_print_keep(struct sg_check_occurrences *o,
                    const struct sg_fault *fault)
{
    if (o->count == o->cap) {
        size_t cap = o->cap == 0 ? 64 : o->cap * 2;
        struct sg_fault *list = realloc(o->list, cap * sizeof *list);
        if (list == NULL)
            return false;
        o->list = list;
        o->cap = cap;
    }
    struct sg_fault *f = &o->list[o->count++];
    *f = *fault;
    bool a = copy(&f->component), b = copy(&f->value), c = copy(&f->hint);
    return a && b && c;
}

static void
drop(struct sg_slice text)
{
    union { // a slice is read-only; these three are ours
        const uint8_t *ptr;
        void *own;
    } u = {.ptr = text.ptr};
    free(u.own);
}

void
sg_check_print_drop(struct sg_check_occurrences *o)
{
    for (size_t i = 0; i < o->count; i++) {
        drop(o->list[i].component);
        drop(o->list[i].value);
        drop(o->list[i].hint);
    }
    free(o->list);
    *o = (struct sg_check_occurrences){NULL, 0, 0};
}

// ---- what is listed ------------------------------------------------------------

struct line {
    const struct sg_fault *fault;
    uint64_t count;
};

static size_t
lines(const struct sg_check_print_options *options,
      const struct sg_check_result *result)
{
    return options->all ? result->occurrences->count
                        : sg_report_count(result->report);
}

static struct line
line_at(const struct sg_check_print_options *options,
        const struct sg_check_result *result, size_t i)
{
    if (options->all)
        return (struct line){&result->occurrences->list[i], 1};
    const struct sg_report_cause *c = sg_report_at(result->report, (uint32_t)i);
    return (struct line){&c->fault, c->count};
}

// ---- text ----------------------------------------------------------------------

// Control characters would let a value write over the terminal.
void
sg_check_print_plain(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        putchar(text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? '?' : text.ptr[i]);
}

static void
print_line(const char *path, struct line line, const char *foreign)
{
    const struct sg_fault *f = line.fault;
    printf("%s:", path);
    if (f->line > 0) // 0: of the whole message
        printf("%" PRIu64 ":", f->line);
    printf(" %s%s", f->warning ? "warning: " : "", sg_fault_name(f->code));
    if (f->component.len > 0) {
        putchar(' ');
        sg_check_print_plain(f->component);
    }
    if (f->value.len > 0) {
        printf(" \"");
        sg_check_print_plain(f->value);
        putchar('"');
    }
    printf(": %s", sg_fault_sentence(f->code));
    if (f->row > 0)
        printf(" (observation %" PRIu64 ")", f->row);
    if (line.count > 1)
        printf(" - %" PRIu64 " times in all", line.count);
    printf("\n    %s", foreign != NULL ? foreign : sg_fault_cure(f->code));
    if (f->hint.len > 0 && foreign == NULL) {
        bool code = f->code == SG_FAULT_CODE;
        printf(code ? "; perhaps \"" : "; ");
        sg_check_print_plain(f->hint);
        printf(code ? "\"" : "");
    }
    putchar('\n');
}

void
sg_check_print_fault(const char *path, const struct sg_fault *fault,
                     uint64_t count)
{
    print_line(path, (struct line){fault, count}, NULL);
}

void
sg_check_print_sum(const char *path, const struct sg_check_sum *sum)
{
    if (sum->not_listed > 0)
        printf("%" PRIu64 " more faults of other causes are not listed\n",
               sum->not_listed);
    printf("%s: %" PRIu64 " observation%s, %" PRIu64 " fault%s, %" PRIu64
           " warning%s: %s\n",
           path, sum->observations, sum->observations == 1 ? "" : "s",
           sum->faults, sum->faults == 1 ? "" : "s", sum->warnings,
           sum->warnings == 1 ? "" : "s", sum->accepted ? "accept" : "reject");
}

static void
print_text(const struct sg_check_print_options *options,
           const struct sg_check_result *result)
{
    for (size_t i = 0; i < lines(options, result); i++)
        print_line(result->path, line_at(options, result, i), options->foreign);
    sg_check_print_sum(result->path,
                       &(struct sg_check_sum){
                           .observations = result->observations,
                           .faults = sg_report_faults(result->report),
                           .warnings = sg_report_warnings(result->report),
                           .not_listed = sg_report_uncounted(result->report),
                           .accepted = result->accepted});
}

// ---- JSON ----------------------------------------------------------------------

// Length of the UTF-8 character at the front; 0: none.
static size_t
character(struct sg_slice t)
{
    uint8_t c = t.ptr[0];
    size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (len > t.len || !sg_slice_is_utf8(sg_slice_of(t.ptr, len)))
        return 0;
    return len;
}

static void
put_json(struct sg_slice text)
{
    putchar('"');
    while (text.len > 0) {
        uint8_t c = text.ptr[0];
        size_t len = character(text);
        if (c < ' ' || c == 0x7f)
            printf("\\u%04x", c);
        else if (len == 0)
            printf("\\ufffd");
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            fwrite(text.ptr, 1, len, stdout);
        len = len == 0 ? 1 : len;
        text = sg_slice_of(text.ptr + len, text.len - len);
    }
    putchar('"');
}

static void
put_json_or_null(struct sg_slice text)
{
    if (text.len == 0)
        printf("null");
    else
        put_json(text);
}

static void
put_object(struct line line)
{
    const struct sg_fault *f = line.fault;
    printf("{\"code\":\"%s\",\"component\":", sg_fault_name(f->code));
    put_json_or_null(f->component);
    printf(",\"row\":%" PRIu64 ",\"line\":%" PRIu64 ",\"value\":", f->row,
           f->line);
    put_json_or_null(f->value);
    printf(",\"hint\":");
    put_json_or_null(f->hint);
    printf(",\"count\":%" PRIu64 "}", line.count);
}

static void
put_list(const struct sg_check_print_options *options,
         const struct sg_check_result *result, bool warnings)
{
    const char *between = "";
    putchar('[');
    for (size_t i = 0; i < lines(options, result); i++) {
        struct line line = line_at(options, result, i);
        if (line.fault->warning != warnings)
            continue;
        printf("%s", between);
        put_object(line);
        between = ",\n";
    }
    putchar(']');
}

static void
print_json(const struct sg_check_print_options *options,
           const struct sg_check_result *result)
{
    printf("{\"verdict\":\"%s\",\"observations\":%" PRIu64 ",\n\"faults\":",
           result->accepted ? "accept" : "reject", result->observations);
    put_list(options, result, false);
    printf(",\n\"warnings\":");
    put_list(options, result, true);
    printf(",\n\"faults_total\":%" PRIu64 ",\"warnings_total\":%" PRIu64
           ",\"not_listed\":%" PRIu64 ",\"accepted_under\":[",
           sg_report_faults(result->report), sg_report_warnings(result->report),
           sg_report_uncounted(result->report));
    for (uint32_t i = 0; i < result->under_count; i++) {
        printf("%s", i == 0 ? "" : ",");
        put_json(sg_slice_text(result->under[i]));
    }
    printf("]}\n");
}

// ---- ESS -----------------------------------------------------------------------

struct ess {
    const struct sg_check_result *result;
    char time[SG_UTC_TEXT];
    size_t number;
};

static void
put_ess(struct ess *ess, const struct sg_fault *f, uint64_t count)
{
    const struct sg_check_result *r = ess->result;
    printf("%s{\"id\":\"%zu\",\"type\":\"response\",\"event\":{\"time\":\"%s\","
           "\"actor\":\"statgate check\",\"agent\":\"StatGate " SG_VERSION
           "\",\"trigger\":\"command line\"},\"rule\":{\"language\":\"SDMX\","
           "\"expression\":\"%s\",\"severity\":\"%s\"},\"data\":{\"source\":",
           ess->number == 0 ? "" : ",\n", ess->number + 1, ess->time,
           f == NULL ? "conforms to its structure" : sg_fault_name(f->code),
           f != NULL && f->warning ? "warning" : "error");
    ess->number++;
    put_json(sg_slice_text(r->path));
    printf(",\"target\":");
    put_json(f == NULL ? SG_SLICE("") : f->component);
    printf(",\"description\":");
    char text[256];
    if (f == NULL)
        snprintf(text, sizeof text, "%" PRIu64 " observations",
                 r->observations);
    else
        snprintf(text, sizeof text,
                 "%s; observation %" PRIu64 ", line %" PRIu64 ", %" PRIu64
                 " times",
                 sg_fault_sentence(f->code), f->row, f->line, count);
    put_json(sg_slice_text(text));
    printf("},\"value\":\"%d\"}", f == NULL);
}

static void
print_ess(const struct sg_check_print_options *options,
          const struct sg_check_result *result)
{
    struct ess ess = {.result = result};
    sg_utc_format(sg_os_clock_wall_us(), ess.time);
    putchar('[');
    for (size_t i = 0; i < lines(options, result); i++) {
        struct line line = line_at(options, result, i);
        put_ess(&ess, line.fault, line.count);
    }
    if (result->accepted)
        put_ess(&ess, NULL, 0);
    printf("]\n");
}

void
sg_check_print(const struct sg_check_print_options *options,
               const struct sg_check_result *result)
{
    if (options->form == SG_CHECK_PRINT_JSON)
        print_json(options, result);
    else if (options->form == SG_CHECK_PRINT_ESS)
        print_ess(options, result);
    else
        print_text(options, result);
    // JSON says it itself, ESS has no place for it.
    for (uint32_t i = 0;
         options->form == SG_CHECK_PRINT_TEXT && i < result->under_count; i++)
        printf("%s: under %s all of it is accepted; was it made for that "
               "version?\n",
               result->path, result->under[i]);
}
