// verb_policy - statgate policy check | test | explain | decide.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "adapters/cli/policy_files.h"
#include "adapters/cli/policy_request.h"
#include "adapters/cli/verb_policy_gate.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "policy/check.h"
#include "policy/explain.h"

enum { SCRATCH = 1024 * 1024 * 1024, SCRATCH_BLOCK = 32 * 1024 * 1024 };
enum { TRACE_ROOM = 256 * 1024, REQUEST_MOST = 1024 * 1024 };
static const uint64_t day_us = 86400000000ull;

struct options {
    const char *paths[64];
    int count;
    const char *given, *request;
    bool json, recipient, alone, performs_all;
    bool has_day;
    uint32_t day;
};

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate policy check FILE|DIR... [--json] [--day DATE]\n"
        "       statgate policy test FILE|DIR... [--json]\n"
        "       statgate policy explain FILE|DIR... --given \"ATTR CODE, ...\"\n"
        "                               | --request REQUEST.json\n"
        "                               [--day DATE] [--json] [--alone]\n"
        "                               [--for recipient] [--any-obligation]\n"
        "       statgate policy decide FILE|DIR... [--day DATE] [--alone]\n"
        "                              < REQUESTS.jsonl\n"
        "       statgate policy propose FILE|DIR... [--dry-run] [--json] [--home DIR]\n"
        "       statgate policy approve SHA256 [--dry-run] [--json] [--home DIR]\n"
        "       statgate policy status [--json] [--home DIR]\n"
        "       statgate policy export [SHA256] -o DIR [--dry-run]\n"
        "         [--json] [--home DIR]\n"
        "\n"
        "check reads, proves every never, runs every test. explain says how a\n"
        "request is decided and why; obligations that this version does not\n"
        "perform deny, unless --any-obligation. decide reads one JSON request a\n"
        "line and prints one decision a line, all obligations granted. propose,\n"
        "approve and status speak to a gate: two persons put a law in force.\n");
}

static bool
take_value(struct options *o, const char *name, const char *value)
{
    if (value == NULL)
        return false;
    if (strcmp(name, "--given") == 0)
        o->given = value;
    else if (strcmp(name, "--request") == 0)
        o->request = value;
    else if (strcmp(name, "--for") == 0)
        o->recipient = strcmp(value, "recipient") == 0;
    else if (strcmp(name, "--day") == 0)
        o->has_day = sg_policy_day_parse(sg_slice_text(value), &o->day);
    else
        return false;
    if (strcmp(name, "--day") == 0 && !o->has_day)
        (void)sg_cli_say(SG_ERR_USAGE, "write it as in 2027-03-01",
                         "--day %s is no date", value);
    return strcmp(name, "--day") != 0 || o->has_day;
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--alone") == 0)
            o->alone = true;
        else if (strcmp(argv[i], "--any-obligation") == 0)
            o->performs_all = true;
        else if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
                return false;
            i++;
        } else if (o->count == (int)SG_COUNT_OF(o->paths))
            return false;
        else
            o->paths[o->count++] = argv[i];
    }
    return o->count > 0;
}

static uint32_t
today(const struct options *o)
{
    return o->has_day ? o->day : (uint32_t)(sg_os_clock_wall_us() / day_us);
}

static int
open_files(const struct options *o, struct sg_policy_files **files)
{
    int status = 0;
    *files = sg_policy_files_new();
    if (*files == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    for (int i = 0; i < o->count && status == 0; i++)
        status = sg_policy_files_add(*files, o->paths[i]);
    return status != 0 ? status : sg_policy_files_load(*files);
}

// ---- check, test --------------------------------------------------------------
struct report {
    const struct sg_policy_set *set;
    bool quiet;    // say only what failed or is remarked on
    json_t *lines; // NULL: print
};

static void
say_line(void *ctx, const struct sg_check_line *line)
{
    static const char *const kinds[] = {"note", "warning", "passed", "failed"};
    struct report *r = ctx;
    struct sg_slice label = sg_policy_label(r->set, line->file);
    if (r->lines != NULL) {
        json_array_append_new(r->lines,
                              json_pack("{s:s,s:s%,s:i,s:i,s:s%}", "kind",
                                        kinds[line->kind], "file", label.ptr,
                                        label.len, "line", (int)line->line,
                                        "column", (int)line->column, "text",
                                        line->text.ptr, line->text.len));
        return;
    }
    bool remark = line->kind <= SG_CHECK_WARNING;
    printf(SG_SLICE_FMT ":%u:%u: %s%s" SG_SLICE_FMT "\n", SG_SLICE_ARG(label),
           line->line, line->column, remark ? kinds[line->kind] : "",
           remark ? ": " : "", SG_SLICE_ARG(line->text));
}

static int
say_counts(const struct report *r, const struct sg_check_counts *c)
{
    bool failed = c->failed > 0;
    if (r->lines != NULL) {
        json_t *whole = json_pack(
            "{s:s,s:i,s:i,s:i,s:i,s:o}", "verdict",
            failed            ? "fail"
            : c->warnings > 0 ? "warn"
                              : "pass",
            "tests", (int)c->tests, "nevers", (int)c->nevers, "failed",
            (int)c->failed, "warnings", (int)c->warnings, "lines", r->lines);
        json_dumpf(whole, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(whole);
    } else {
        printf("%u tests, %u nevers: %u failed, %u warnings\n", c->tests,
               c->nevers, c->failed, c->warnings);
    }
    return failed ? sg_err_exit(SG_ERR_SYNTAX) : c->warnings > 0 ? 1 : 0;
}

static int
check(const struct options *o, bool tests_only)
{
    struct sg_policy_files *files;
    struct sg_check_counts counts;
    int status = open_files(o, &files);
    struct sg_arena *scratch =
        status == 0 ? sg_arena_new(SCRATCH, SCRATCH_BLOCK) : NULL;
    if (status == 0 && scratch == NULL)
        status = sg_cli_fail(SG_ERR_MEMORY, NULL);
    if (status == 0) {
        struct report r = {.set = files->set};
        struct sg_check_sink sink = {say_line, &r};
        r.lines = o->json ? json_array() : NULL;
        enum sg_err err = sg_check_set(scratch, files->set, today(o),
                                       tests_only, UINT64_MAX, &sink, &counts);
        status =
            err == SG_OK ? say_counts(&r, &counts) : sg_cli_fail(err, NULL);
    }
    sg_arena_free(&scratch);
    if (files != NULL)
        sg_policy_files_free(&files);
    return status;
}

// ---- explain ------------------------------------------------------------------
static bool
read_request(const struct options *o, const struct sg_policy_set *set,
             struct sg_policy_request *r)
{
    json_error_t error;
    if (o->given != NULL)
        return sg_policy_request_words(set, o->given, r);
    json_t *json =
        strcmp(o->request, "-") == 0
            ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
            : json_load_file(o->request, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL && error.line < 0) { // not even opened
        (void)sg_cli_say(SG_ERR_SYNTAX, "check the name", "%s", error.text);
        return false;
    }
    if (json == NULL) {
        (void)sg_cli_say(SG_ERR_SYNTAX, NULL, "%s:%d:%d: %s", o->request,
                         error.line, error.column, error.text);
        return false;
    }
    bool ok = sg_policy_request_json(set, json, r);
    json_decref(json);
    return ok;
}

static void
decide(const struct options *o, const struct sg_rules *rules,
       const struct sg_policy_request *r, uint32_t day, struct sg_decision *d)
{
    if (o->alone)
        sg_decide_alone(rules, 0, &r->q, day, &r->context, d);
    else
        sg_decide_request(rules, &r->q, day, &r->context, d);
}

static int
print_explanation(const struct options *o, const struct sg_explained *what)
{
    uint8_t *room = malloc(TRACE_ROOM);
    if (room == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    struct sg_writer w = sg_writer_on(room, TRACE_ROOM);
    if (o->json)
        sg_explain_json(&w, what);
    else
        sg_explain_text(&w, what);
    if (!w.full)
        printf("%.*s%s", (int)w.len, (const char *)w.ptr, o->json ? "\n" : "");
    int status = w.full ? sg_cli_fail(SG_ERR_FULL, "the explanation") : 0;
    free(room);
    return status;
}

static int
explain_set(const struct options *o, struct sg_policy_files *files)
{
    struct sg_policy_request r = {
        .context = {.performs = o->performs_all ? SG_OBLIGATION_ALL
                                                : SG_OBLIGATION_PERFORMED,
                    .promises_anything = true}};
    struct sg_decision d;
    if (!read_request(o, files->set, &r))
        return sg_err_exit(SG_ERR_SYNTAX);
    if (r.outside)
        return sg_cli_fail(SG_ERR_CLAIM, NULL);
    uint32_t day = r.has_day && !o->has_day ? r.day : today(o);
    struct sg_rules *rules = sg_policy_files_rules(files, day);
    if (rules == NULL)
        return 1;
    decide(o, rules, &r, day, &d);
    struct sg_explained what = {rules, &r.q, day, &d,
                                o->recipient ? SG_AUDIENCE_RECIPIENT
                                             : SG_AUDIENCE_PROVIDER};
    int status = print_explanation(o, &what);
    if (status != 0)
        return status;
    return d.verdict == SG_VERDICT_PERMIT ? 0
           : d.verdict == SG_VERDICT_HOLD ? sg_err_exit(SG_ERR_HELD)
                                          : sg_err_exit(SG_ERR_DENIED);
}

static int
explain(const struct options *o)
{
    struct sg_policy_files *files;
    if ((o->given == NULL) == (o->request == NULL))
        return usage(stderr);
    int status = open_files(o, &files);
    if (status == 0)
        status = explain_set(o, files);
    if (files != NULL)
        sg_policy_files_free(&files);
    return status;
}

// ---- decide -------------------------------------------------------------------
static json_t *
attr_names(uint64_t bits)
{
    json_t *out = json_array();
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if ((bits >> a & 1) != 0)
            json_array_append_new(
                out, json_string(sg_vocabulary_attr((enum sg_attr)a)->name));
    }
    return out;
}

static json_t *
obligations(const struct sg_decision *d)
{
    char text[80];
    json_t *out = json_array();
    for (uint32_t i = 0; i < d->obligations_count; i++) {
        sg_obligation_print(&d->obligations[i], text, sizeof text);
        json_array_append_new(out, json_string(text));
    }
    return out;
}

static void
print_decision(const struct sg_policy_set *set, const struct sg_decision *d)
{
    static const char *const layers[] = {"", "export", "hub", "import"};
    json_t *rules = json_array();
    for (uint8_t i = 0; i < d->rules_count; i++) {
        struct sg_slice name = sg_policy_rule_name(set, d->rules[i]);
        json_array_append_new(rules,
                              json_stringn((const char *)name.ptr, name.len));
    }
    json_t *out =
        json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:i}", "verdict",
                  sg_decide_verdict((enum sg_verdict)d->verdict), "why",
                  sg_decide_why((enum sg_why)d->why), "layer", layers[d->layer],
                  "rules", rules, "attributes", attr_names(d->missing),
                  "waiting_for", attr_names(d->waiting_for), "obligations",
                  obligations(d), "deadline_days", (int)d->deadline_days);
    json_dumpf(out, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(out);
}

static int
decide_line(const struct options *o, struct sg_policy_files *files,
            struct sg_rules **rules, const char *line)
{
    json_error_t error;
    struct sg_decision d = {0};
    struct sg_policy_request r = {
        .context = {.performs = SG_OBLIGATION_ALL, .promises_anything = true}};
    json_t *json = json_loads(line, 0, &error);
    if (json == NULL || !sg_policy_request_json(files->set, json, &r)) {
        json_decref(json);
        return sg_cli_fail(SG_ERR_SYNTAX, "a request is no JSON object");
    }
    json_decref(json);
    uint32_t day = r.has_day ? r.day : today(o);
    if (*rules == NULL || day < sg_compile_from(*rules) ||
        day >= sg_compile_until(*rules))
        *rules = sg_policy_files_rules(files, day);
    if (*rules == NULL)
        return 1;
    if (r.outside)
        puts("{\"verdict\":\"deny\",\"why\":\"claim_outside_terms\"}");
    else {
        decide(o, *rules, &r, day, &d);
        print_decision(files->set, &d);
    }
    return 0;
}

static int
decide_all(const struct options *o)
{
    struct sg_policy_files *files;
    struct sg_rules *rules = NULL;
    char *line = malloc(REQUEST_MOST);
    int status = open_files(o, &files);
    if (line == NULL)
        status = sg_cli_fail(SG_ERR_MEMORY, NULL);
    while (status == 0 && fgets(line, REQUEST_MOST, stdin) != NULL)
        status = decide_line(o, files, &rules, line);
    free(line);
    if (files != NULL)
        sg_policy_files_free(&files);
    return status;
}

int
sg_verb_policy(int argc, char **argv)
{
    struct options o = {0};
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc > 1 &&
        (strcmp(argv[1], "propose") == 0 || strcmp(argv[1], "approve") == 0 ||
         strcmp(argv[1], "status") == 0 || strcmp(argv[1], "export") == 0))
        return sg_verb_policy_gate(argc, argv);
    if (argc < 3 || !parse_options(argc, argv, &o))
        return usage(stderr);
    if (strcmp(argv[1], "check") == 0)
        return check(&o, false);
    if (strcmp(argv[1], "test") == 0)
        return check(&o, true);
    if (strcmp(argv[1], "explain") == 0)
        return explain(&o);
    if (strcmp(argv[1], "decide") == 0)
        return decide_all(&o);
    return usage(stderr);
}
