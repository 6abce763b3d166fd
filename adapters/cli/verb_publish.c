// verb_publish - statgate publish, why.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "adapters/cli/progress.h"
#include "adapters/cli/report_print.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/base/utc.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"

enum { PUBLISH_MS = 30 * 60 * 1000 };

// The library counts chunks; states other than uploading are the gate's.
static void
on_progress(void *context, const char *state, uint64_t done, uint64_t total)
{
    struct sg_progress *progress = context;

    if (progress->total == 0) {
        sg_progress_begin(progress, "uploading", total * SG_LIMIT_CHUNK);
    } else if (strcmp(state, "uploading") != 0 && done >= total) {
        progress->doing = "waiting for the verdict on";
        done = total;
    }
    sg_progress_at(progress, done * SG_LIMIT_CHUNK);
}

static void
print_receipt(const struct statgate_release *release,
              const struct statgate_receipt *receipt, bool json)
{
    char hex[65];

    sg_encode_hex(receipt->manifest_sha256, 32, hex);
    printf(json ? "{\"exit\":0,\"code\":\"ok\",\"flow\":\"%s\","
                  "\"revision\":%llu,\"observations\":%llu,\"entry\":%llu,"
                  "\"manifest\":\"%s\",\"duplicate\":%s}\n"
                : "%s@%llu accepted: %llu observations, entry %llu, manifest "
                  "%s%s\n",
           release->flow, (unsigned long long)receipt->revision,
           (unsigned long long)receipt->observations,
           (unsigned long long)receipt->entry, hex,
           json ? (receipt->duplicate ? "true" : "false")
                : (receipt->duplicate ? " (as before)" : ""));
}

// The receipt as the gate sent it, for `verify --receipt`.
static int
keep_receipt(const char *path, const struct statgate_receipt *receipt)
{
    enum sg_err err = sg_os_file_replace(
        path, sg_slice_of(receipt->bytes, receipt->len), false);
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

// What is wrong with the data is said at once, and again by `why`.
static void
say_report(struct sg_gate_call *call, const char *path,
           const struct statgate_receipt *receipt)
{
    struct statgate_result ignored;
    const char *json;
    char hex[65];

    if (!call->json && statgate_report(call->gate, receipt->manifest_sha256,
                                       &json, &ignored) == 0)
        sg_report_print(path, json);
    (void)fflush(stdout);
    sg_encode_hex(receipt->manifest_sha256, 32, hex);
    (void)snprintf(call->result.cure, sizeof call->result.cure,
                   call->json ? "statgate why %s"
                              : "mend what is named; statgate why %s says it "
                                "again",
                   hex);
}

static void
say_refused(struct sg_gate_call *call, const char *path,
            const struct statgate_receipt *receipt)
{
    if (strcmp(call->result.code, sg_err_code(SG_ERR_DATA)) == 0)
        say_report(call, path, receipt);
    (void)sg_gate_call_say(call);
    if (call->result.exit == 0 && !call->json)
        printf("rehearsed: it would be accepted; nothing was published\n%s\n",
               call->result.cure);
}

int
sg_verb_publish(int argc, char **argv)
{
    const char *home = NULL, *flow = NULL, *kind = NULL, *embargo = NULL;
    const char *keep = NULL, *label = NULL;
    bool json = false, rehearse = false, again = false, help = false;
    struct sg_words rest;
    static const char *const labels[] = {"observed", "estimated", "modelled",
                                         "machine_generated", NULL};
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--flow", &flow, NULL, NULL},
                                     {"--kind", &kind, NULL, NULL},
                                     {"--embargo", &embargo, NULL, NULL},
                                     {"--label", &label, NULL, NULL},
                                     {"--json", NULL, &json, NULL},
                                     {"--rehearse", NULL, &rehearse, NULL},
                                     {"--dry-run", NULL, &rehearse, NULL},
                                     {"--again", NULL, &again, NULL},
                                     {"--help", NULL, &help, NULL},
                                     {"--receipt", &keep, NULL, NULL}};
    struct sg_gate_call call = {0};
    struct statgate_receipt receipt = {0};
    uint64_t until = 0;

    bool fine = sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest);
    if (fine && embargo != NULL &&
        !sg_utc_parse(sg_slice_text(embargo), &until))
        return sg_cli_say(SG_ERR_USAGE, NULL,
                          "--embargo %s is no time; write it as in "
                          "2027-03-01T09:00:00Z",
                          embargo);
    if (!fine || help || rest.count != 1 || flow == NULL) {
        return sg_cli_usage(
            help ? stdout : stderr,
            "usage: statgate publish FILE|- --flow FLOW [--rehearse|--dry-run]\n"
            "         [--again] [--kind KIND] [--embargo TIME] [--label LABEL]\n"
            "         [--json] [--receipt FILE] [--home DIR]\n\n"
            "Signs the file as the next release of the flow, sends it and waits\n"
            "for the verdict. --rehearse: check and decide, publish nothing.\n"
            "--again: although nothing changed. --embargo: nothing leaves\n"
            "before, as in 2027-03-01T09:00:00Z. --kind: first,\n"
            "scheduled_revision, major_revision, correction, resend.\n");
    }
    if (!sg_code_word("--kind", SG_ATTR_RELEASE_KIND, kind) ||
        (label != NULL && !sg_code_word_among("--label", labels, label)))
        return sg_err_exit(SG_ERR_USAGE);
    struct statgate_release release = {.flow = flow,
                                       .file = rest.word[0],
                                       .release_kind = kind,
                                       .embargo_us = until,
                                       .rehearse = rehearse,
                                       .again = again,
                                       .origin_label = label};
    struct sg_progress progress = {0};
    call.json = json;
    call.typed = flow;
    if (sg_gate_call_open(&call, home, PUBLISH_MS)) {
        (void)statgate_publish(call.gate, &release, on_progress, &progress,
                               &receipt, &call.result);
        sg_progress_end(&progress);
        if (call.result.exit == 0 && strcmp(call.result.code, "ok") == 0) {
            print_receipt(&release, &receipt, json);
            if (keep != NULL)
                call.result.exit = keep_receipt(keep, &receipt);
        } else {
            say_refused(&call, rest.word[0], &receipt);
        }
    }
    sg_gate_call_close(&call);
    return call.result.exit;
}

// ---- report, why -----------------------------------------------------------------

static bool
release_of(const char *text, char flow[65], uint64_t *revision)
{
    const char *at = strchr(text, '@');
    size_t len = at == NULL ? 0 : (size_t)(at - text);

    if (at == NULL || len > 64 ||
        !sg_slice_u64(sg_slice_text(at + 1), revision))
        return false;
    memcpy(flow, text, len);
    flow[len] = '\0';
    return true;
}

// The trace is one JSON object; what the recipient can do goes into it. As in
// every answer, no character moves the cursor.
static void
print_trace(const Sgpb__Trace *trace, bool json)
{
    char *object = strndup((const char *)trace->json.data, trace->json.len);
    size_t len = object == NULL ? 0 : strlen(object);

    if (!json) {
        printf("%s", trace->text);
        if (trace->cure[0] != '\0')
            printf("  %s\n", trace->cure);
        putchar('\n');
        free(object);
        return;
    }
    if (object != NULL)
        sg_plain_text(object, true);
    bool more = trace->cure[0] != '\0' && len > 0 && object[len - 1] == '}';
    printf("%.*s", (int)(more ? len - 1 : len), object == NULL ? "" : object);
    free(object);
    if (more) {
        printf(",\"cure\":");
        sg_gate_call_print_string(trace->cure);
        putchar('}');
    }
    putchar('\n');
}

static void
why(struct sg_gate_call *call, char *flow, uint64_t revision,
    const char *subscription)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Why body = SGPB__WHY__INIT;

    body.flow = flow;
    body.revision = revision;
    body.subscription = sg_gate_call_text(call, subscription);
    envelope.body_case = SGPB__ENVELOPE__BODY_WHY;
    envelope.why = &body;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_TRACE);
    if (answer == NULL)
        (void)sg_gate_call_say(call);
    else
        print_trace(answer->trace, call->json);
}

int
sg_verb_why(int argc, char **argv)
{
    const char *home = NULL;
    bool json = false;
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--json", NULL, &json, NULL}};
    struct sg_gate_call call = {0};
    char flow[65];
    uint64_t revision = 0;
    uint8_t manifest[32];

    bool fine = sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest);
    bool report = fine && rest.count == 1 &&
                  sg_encode_unhex(sg_slice_text(rest.word[0]), manifest, 32);
    if (!report && (!fine || rest.count != 2 ||
                    !release_of(rest.word[0], flow, &revision))) {
        return sg_cli_usage(
            stderr,
            "usage: statgate why FLOW@N SUBSCRIBER/NAME [--json] [--home DIR]\n"
            "       statgate why MANIFEST [--json]  (faults of an own release)\n\n"
            "Why a release went to a subscription, or did not. FLOW@N is what\n"
            "publish prints, SUBSCRIBER/NAME an organisation's subscription.\n");
    }
    char named[256];
    (void)snprintf(named, sizeof named, report ? "%s" : "%s %s", rest.word[0],
                   report ? "" : rest.word[1]);
    call.json = json;
    call.typed = named;
    if (sg_gate_call_open(&call, home, SG_GATE_CALL_MS)) {
        const char *text;
        if (!report)
            why(&call, flow, revision, rest.word[1]);
        else if (statgate_report(call.gate, manifest, &text, &call.result) != 0)
            (void)sg_gate_call_say(&call);
        else if (json)
            printf("%s\n", text);
        else
            sg_report_print("the file", text);
    }
    sg_gate_call_close(&call);
    return call.result.exit;
}
