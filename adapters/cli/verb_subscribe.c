// verb_subscribe - statgate subscribe, unsubscribe, receive, verify.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "adapters/cli/progress.h"
#include "adapters/cli/structure_get.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "schemas/sdmx/choice.h"

enum { RECEIVE_MS = 10 * 60 * 1000, BEHIND_MS = 2000, COPY = 256 * 1024 };

// ---- subscribe -------------------------------------------------------------------

// Does what is asked for fit the structure, as the gate will look? Here the code
// that was probably meant can be named too.
static bool
fits(struct sg_gate_call *call, struct sg_slice blob,
     const struct statgate_subscription *wanted)
{
    struct statgate_result *r = &call->result;
    const struct sg_structure *structure = NULL;
    struct sg_choice_fault fault;
    char place[sizeof r->component];

    if (sg_structure_open(blob, call->arena, &structure) != SG_OK)
        return true; // the gate has its own
    enum sg_err err = sg_choice_check(
        structure,
        sg_slice_text(wanted->key_filter == NULL ? "" : wanted->key_filter),
        sg_slice_text(wanted->period == NULL ? "" : wanted->period), &fault);
    if (err == SG_OK)
        return true;
    sg_choice_place(err, &fault, place, sizeof place);
    sg_gate_call_fault(call, err, place);
    if (err == SG_ERR_KEY_CODE && fault.hint.len > 0)
        (void)snprintf(r->cure, sizeof r->cure,
                       "use a code of the list; perhaps \"%.*s\"",
                       (int)fault.hint.len, (const char *)fault.hint.ptr);
    return false;
}

// The structure of the flow, where the library looks for it: rows cannot be
// verified without it. What is not here comes from the gate, by the hash in the
// provider's terms; that it cannot be had is said, and again by a delivery.
// false: what is asked for does not fit it.
static bool
pin(struct sg_gate_call *call, const struct statgate_subscription *wanted)
{
    struct sg_diag diag = {0};
    uint8_t sha256[32];
    struct sg_slice blob;
    const Sgpb__FlowTerms *terms = sg_structure_terms(call, wanted->flow);

    if (terms == NULL)
        return true; // the gate says what is wrong
    if (sg_gate_call_pin(call, terms->structure, sha256, &blob, &diag) ==
            SG_OK &&
        memcmp(sha256, terms->structure_sha256.data, 32) == 0)
        return fits(call, blob, wanted);
    if (call->dry)
        return true; // nothing is fetched
    memcpy(sha256, terms->structure_sha256.data, 32);
    if (sg_structure_take(call, sha256, terms->dataflow, false, NULL) != 0)
        fprintf(stderr,
                "statgate: the structure %s of this flow is not here, or not "
                "this version: %s\n  statgate structure import FILE\n",
                terms->structure, call->result.sentence);
    return true;
}

static bool
among(const char *word, char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], word) == 0)
            return true;
    }
    return false;
}

// May he ask, is there such a flow, and is the purpose one of his and of it?
static void
dry_subscribe(struct sg_gate_call *call,
              const struct statgate_subscription *wanted)
{
    const Sgpb__Participant *who = sg_dry_may(call, "subscriber");
    const Sgpb__FlowTerms *terms =
        who == NULL ? NULL : sg_structure_terms(call, wanted->flow);

    if (!sg_slice_is_id(sg_slice_text(wanted->name)))
        sg_gate_call_fault(call, SG_ERR_SUBSCRIPTION, "name");
    else if (terms != NULL &&
             (!among(wanted->purpose, who->purposes, who->n_purposes) ||
              !among(wanted->purpose, terms->purposes, terms->n_purposes)))
        sg_gate_call_fault(call, SG_ERR_PURPOSE, "purpose");
    else if (call->result.exit == 0)
        (void)pin(call, wanted);
    if (call->result.exit != 0)
        (void)sg_gate_call_say(call);
    else
        (void)sg_dry_say(call->json,
                         "sign and send the subscription %s to the flow %s, "
                         "for %s",
                         wanted->name, wanted->flow, wanted->purpose);
}

// Own ones that have not ended; NULL: call->result says why.
static const Sgpb__SubscriptionIs *
own_subscription(struct sg_gate_call *call, const char *name)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__SubscriptionsGet get = SGPB__SUBSCRIPTIONS_GET__INIT;
    const char *id =
        sg_arena_printf(call->arena, "%s/%s", call->participant, name);

    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIPTIONS_GET;
    envelope.subscriptions_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_SUBSCRIPTIONS);
    if (answer == NULL)
        return NULL;
    for (size_t i = 0; i < answer->subscriptions->n_list && id != NULL; i++) {
        const Sgpb__SubscriptionIs *one = answer->subscriptions->list[i];
        if (strcmp(one->id, id) == 0)
            return one;
    }
    sg_gate_call_fault(call, SG_ERR_NOT_FOUND, "id");
    return NULL;
}

static void
dry_unsubscribe(struct sg_gate_call *call, const char *name)
{
    const Sgpb__SubscriptionIs *one = own_subscription(call, name);

    if (one == NULL)
        (void)sg_gate_call_say(call);
    else
        (void)sg_dry_say(call->json, "end the subscription %s, which is %s",
                         one->id, one->status);
}

int
sg_verb_subscribe(int argc, char **argv)
{
    const char *home = NULL, *key = NULL, *period = NULL, *purpose = NULL;
    const char *basis = "", *format = NULL, *name = NULL;
    bool json = false;
    struct sg_gate_call call = {0};
    struct sg_words rest, promises = {.count = 0};
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--key", &key, NULL, NULL},
                                     {"--period", &period, NULL, NULL},
                                     {"--purpose", &purpose, NULL, NULL},
                                     {"--basis", &basis, NULL, NULL},
                                     {"--format", &format, NULL, NULL},
                                     {"--name", &name, NULL, NULL},
                                     {"--dry-run", NULL, &call.dry, NULL},
                                     {"--json", NULL, &json, NULL},
                                     {"--promise", NULL, NULL, &promises}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 1 || purpose == NULL) {
        return sg_cli_usage(
            stderr,
            "usage: statgate subscribe FLOW --purpose P [--basis B]\n"
            "         [--key KEY] [--period A/B]\n"
            "         [--format csv10|csv20|csv21|ml21|ml30|json20|json21]\n"
            "         [--promise O...] [--name NAME] [--dry-run] [--json]\n"
            "         [--home DIR]\n\n"
            "Asks for all releases of a flow to come, until unsubscribe; receive\n"
            "takes them. --key and --period: a part of it, as in A..SI_POV_DAY1\n"
            "and 2015/2020. --promise: a duty of the rules, as in no_onward.\n"
            "--name: what receive calls it; the flow where none is given.\n");
    }
    if (!sg_code_word("--purpose", SG_ATTR_PURPOSE, purpose) ||
        (basis[0] != '\0' &&
         !sg_code_word("--basis", SG_ATTR_LAWFUL_BASIS, basis)))
        return sg_err_exit(SG_ERR_USAGE);
    for (size_t i = 0; i < promises.count; i++) {
        if (!sg_code_word_promise("--promise", promises.word[i]))
            return sg_err_exit(SG_ERR_USAGE);
    }
    const struct statgate_subscription wanted = {
        .name = name == NULL ? rest.word[0] : name,
        .flow = rest.word[0],
        .key_filter = key,
        .period = period,
        .purpose = purpose,
        .basis = basis,
        .format = format,
        .promises = promises.word};
    call.json = json;
    bool there = sg_gate_call_open(&call, home, SG_GATE_CALL_MS);
    if (there && call.dry) {
        dry_subscribe(&call, &wanted);
    } else if (there) {
        if (pin(&call, &wanted))
            (void)statgate_subscribe(call.gate, &wanted, &call.result);
        if (sg_gate_call_say(&call) == 0 && !json)
            printf("subscribed as %s\n", wanted.name);
    }
    sg_gate_call_close(&call);
    return call.result.exit;
}

int
sg_verb_unsubscribe(int argc, char **argv)
{
    const char *home = NULL;
    bool json = false;
    struct sg_gate_call call = {0};
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--dry-run", NULL, &call.dry, NULL},
                                     {"--json", NULL, &json, NULL}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 1) {
        return sg_cli_usage(
            stderr,
            "usage: statgate unsubscribe NAME [--dry-run] [--json] [--home DIR]\n\n"
            "Ends a subscription; NAME is what subscribe printed.\n");
    }
    call.json = json;
    bool there = sg_gate_call_open(&call, home, SG_GATE_CALL_MS);
    if (there && call.dry) {
        dry_unsubscribe(&call, rest.word[0]);
    } else if (there) {
        (void)statgate_unsubscribe(call.gate, rest.word[0], &call.result);
        if (sg_gate_call_say(&call) == 0 && !json)
            printf("ended %s\n", rest.word[0]);
    }
    sg_gate_call_close(&call);
    return call.result.exit;
}

// ---- receive ---------------------------------------------------------------------

struct receive {
    struct sg_gate_call call;
    struct sg_progress progress;
    const char *name, *out;
    bool once, taken;
    uint32_t wait_ms;
    int stopped; // exit of the last refusal that was told; 0: none
};

static enum sg_err
copy_file(const char *from, const char *to)
{
    uint8_t *bytes = malloc(COPY);
    char part[SG_OS_PATH];
    int in = -1, out = -1;
    size_t got = 1;

    if (bytes == NULL || !sg_os_file_path(part, "%s.part", to)) {
        free(bytes);
        return SG_ERR_FULL;
    }
    (void)!sg_os_file_remove(part);
    enum sg_err err = sg_os_file_open(from, SG_OS_OPEN_READ, &in);
    if (err == SG_OK)
        err = sg_os_file_open(part, SG_OS_OPEN_NEW, &out);
    while (err == SG_OK && got > 0) {
        err = sg_os_file_read_some(in, bytes, COPY, &got);
        if (err == SG_OK && got > 0)
            err = sg_os_file_write(out, sg_slice_of(bytes, got));
    }
    if (err == SG_OK)
        err = sg_os_file_sync(out);
    sg_os_file_close(&in);
    sg_os_file_close(&out);
    free(bytes);
    if (err == SG_OK)
        err = sg_os_file_rename(part, to);
    if (err != SG_OK)
        (void)!sg_os_file_remove(part);
    return err;
}

static const char *
ending_of(const char *media)
{
    static const char *const endings[] = {"csv", "json"};

    for (size_t i = 0; i < SG_COUNT_OF(endings); i++)
        if (strncmp(media, endings[i], strlen(endings[i])) == 0)
            return endings[i];
    return "xml";
}

// FLOW@N.csv and its .sgv; the flow was checked to be an id, so it is a name.
static enum sg_err
hand_over(const struct receive *r, const struct statgate_delivery *d,
          char path[SG_OS_PATH])
{
    const char *ending = ending_of(d->media);
    char sidecar[SG_OS_PATH];

    if (r->out == NULL)
        return sg_os_file_path(path, "%s", d->data_path) ? SG_OK : SG_ERR_FULL;
    if (!sg_slice_is_id(sg_slice_text(d->flow)) ||
        !sg_os_file_path(path, "%s/%s@%llu.%s", r->out, d->flow,
                         (unsigned long long)d->revision, ending) ||
        !sg_os_file_path(sidecar, "%s.sgv", path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(r->out);
    if (err != SG_OK) // it is the folder that is wrong
        return sg_os_file_path(path, "%s", r->out) ? err : SG_ERR_FULL;
    err = copy_file(d->sidecar_path, sidecar);
    if (err == SG_OK && (err = copy_file(d->data_path, path)) != SG_OK)
        (void)!sg_os_file_remove(sidecar);
    return err == SG_OK ? sg_os_file_sync_dir(r->out) : err;
}

static void
print_taken(const struct receive *r, const struct statgate_delivery *d,
            const char *path)
{
    if (!r->call.json) {
        printf("%s\n%s", path, d->statement);
        (void)fflush(stdout);
        return;
    }
    sg_gate_call_print_member("{", "flow", d->flow);
    printf(",\"revision\":%llu", (unsigned long long)d->revision);
    sg_gate_call_print_member(",", "publisher", d->publisher);
    printf(",\"media\":\"%s\",\"observations\":", d->media);
    if (d->observations == 0)
        printf("null,\"file\":"); // the file was verified as a whole
    else
        printf("%llu,\"file\":", (unsigned long long)d->observations);
    sg_gate_call_print_string(path);
    printf(",\"statement\":");
    sg_gate_call_print_string(d->statement);
    printf("}\n");
    (void)fflush(stdout);
}

// Several deliveries may be on their way: shown is the one that moved.
static void
on_progress(void *context, const char *state, uint64_t done, uint64_t total)
{
    struct sg_progress *progress = context;

    (void)state;
    if (progress->total == 0)
        sg_progress_begin(progress, "receiving", total * SG_LIMIT_CHUNK);
    progress->total = total * SG_LIMIT_CHUNK;
    sg_progress_at(progress, done * SG_LIMIT_CHUNK);
}

static int
take_one(struct receive *r)
{
    struct statgate_delivery d;
    struct sg_gate_call *call = &r->call;
    char path[SG_OS_PATH], data[SG_OS_PATH], sidecar[SG_OS_PATH];

    // What was refused is known; whether something stands behind it is seen soon.
    uint32_t wait_ms = r->stopped != 0 && r->once && r->wait_ms > BEHIND_MS
                           ? BEHIND_MS
                           : r->wait_ms;
    statgate_watch(call->gate, on_progress, &r->progress);
    (void)statgate_next(call->gate, r->name, wait_ms, &d, &call->result);
    sg_progress_end(&r->progress);
    r->progress.total = 0; // the next delivery begins anew
    if (call->result.exit != 0) {
        if (d.stopped != 0) {
            r->stopped = sg_gate_call_say(call);
            return call->result.exit = 0;
        }
        if (r->stopped == 0 || strcmp(call->result.code, "gate.idle") != 0)
            return sg_gate_call_say(call);
        return call->result.exit = r->stopped; // it was said
    }
    enum sg_err err = hand_over(r, &d, path);
    if (err != SG_OK)
        return call->result.exit = sg_cli_fail(err, path);
    print_taken(r, &d, path);
    bool copied = r->out != NULL && sg_os_file_path(data, "%s", d.data_path) &&
                  sg_os_file_path(sidecar, "%s", d.sidecar_path);
    if (statgate_keep(call->gate, &d, &call->result) != 0)
        return sg_gate_call_say(call);
    if (copied) {
        (void)!sg_os_file_remove(data);
        (void)!sg_os_file_remove(sidecar);
    }
    r->taken = true;
    return 0;
}

static void
dry_receive(struct receive *r)
{
    struct sg_gate_call *call = &r->call;
    const Sgpb__SubscriptionIs *one = own_subscription(call, r->name);
    enum sg_err err = r->out == NULL ? SG_OK : sg_dry_folder(r->out);

    if (one != NULL && strcmp(one->status, "active") != 0)
        sg_gate_call_fault(call, SG_ERR_NOT_FOUND, one->status);
    else if (one != NULL && err != SG_OK)
        sg_gate_call_fault(call, err, "--out");
    if (call->result.exit != 0 || one == NULL)
        (void)sg_gate_call_say(call);
    else
        (void)sg_dry_say(call->json,
                         "wait for deliveries of %s, write them into %s and "
                         "sign their receipts",
                         one->id, r->out == NULL ? "the inbox" : r->out);
}

int
sg_verb_receive(int argc, char **argv)
{
    struct receive r = {.wait_ms = RECEIVE_MS};
    const char *home = NULL, *wait = NULL;
    struct sg_words rest;
    unsigned long long seconds = 0;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--out", &r.out, NULL, NULL},
                                     {"--wait", &wait, NULL, NULL},
                                     {"--once", NULL, &r.once, NULL},
                                     {"--dry-run", NULL, &r.call.dry, NULL},
                                     {"--json", NULL, &r.call.json, NULL}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 1 ||
        (wait != NULL && !sg_options_number("--wait", wait, 86400, &seconds))) {
        return sg_cli_usage(
            stderr,
            "usage: statgate receive NAME [--out DIR] [--once]\n"
            "         [--wait SECONDS] [--dry-run] [--json] [--home DIR]\n\n"
            "Waits for deliveries of the subscription, verifies each whole,\n"
            "writes it and its sidecar, and signs the receipt. What was refused\n"
            "is told once, and the next one is waited for.\n");
    }
    r.name = rest.word[0];
    if (wait != NULL)
        r.wait_ms = (uint32_t)seconds * 1000;
    bool there = sg_gate_call_open(&r.call, home, SG_GATE_CALL_MS);
    if (there && r.call.dry) {
        dry_receive(&r);
    } else if (there) {
        do {
            (void)take_one(&r);
        } while (!(r.once && r.taken) && r.call.result.exit == 0);
    }
    sg_gate_call_close(&r.call);
    return r.call.result.exit;
}

// ---- verify ----------------------------------------------------------------------

int
sg_verb_verify(int argc, char **argv)
{
    const char *home = NULL, *sidecar = NULL, *receipt = NULL, *text = NULL;
    bool json = false;
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--sidecar", &sidecar, NULL, NULL},
                                     {"--receipt", &receipt, NULL, NULL},
                                     {"--json", NULL, &json, NULL}};
    char beside[SG_OS_PATH];
    struct statgate_result result = {0};
    int worst = 0;

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        (rest.count == 0) == (receipt == NULL) ||
        (sidecar != NULL && rest.count != 1)) {
        return sg_cli_usage(
            stderr,
            "usage: statgate verify FILE... [--sidecar FILE.sgv] [--json]\n"
            "         [--home DIR]\n"
            "       statgate verify --receipt FILE [--json] [--home DIR]\n\n"
            "Offline: who signed what, how many rows, what was withheld and\n"
            "under which rule the gate says so. 0 valid, 65 not.\n");
    }
    if (home == NULL)
        home = sg_cli_home();
    for (size_t i = 0; i < rest.count || (i == 0 && receipt != NULL); i++) {
        const char *file = receipt == NULL ? rest.word[i] : NULL;
        const char *with = receipt != NULL ? receipt : sidecar;
        if (with == NULL) {
            if (!sg_os_file_path(beside, "%s.sgv", file))
                return sg_cli_fail(SG_ERR_FULL, file);
            with = beside;
        }
        int status = statgate_verify(home, file, with, &text, &result);
        if (json) {
            printf("{\"exit\":%d,\"code\":\"%s\",\"file\":", status,
                   result.code);
            sg_gate_call_print_string(file == NULL ? with : file);
            printf(",\"text\":");
            sg_gate_call_print_string(text);
            printf("}\n");
        } else {
            printf("%s: %s", file == NULL ? with : file,
                   text[0] != '\0' ? text : result.sentence);
            if (text[0] == '\0')
                printf("%s%s\n", result.component[0] != '\0' ? ": " : "",
                       result.component);
        }
        worst = status != 0 ? status : worst;
    }
    return worst;
}
