// verb_status - statgate status: what a gate says of itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "broker/base/utc.h"
#include "schemas/codec/plain.h"

// How a value is told to people.
enum as { AS_IT_IS, AS_BYTES, AS_TIME };

static const struct {
    const char *name; // in the JSON
    enum as as;
    const char *words;
} rows[] = {
    {"gate", AS_IT_IS, "gate"},
    {"entries", AS_IT_IS, "entries"},
    {"durable", AS_IT_IS, "durable entries"},
    {"roster", AS_IT_IS, "roster version"},
    {"roster_expires", AS_TIME, "roster expires"},
    {"policy_generation", AS_IT_IS, "policy generation"},
    {"flows", AS_IT_IS, "flows"},
    {"releases", AS_IT_IS, "releases"},
    {"subscriptions", AS_IT_IS, "subscriptions"},
    {"deliveries_open", AS_IT_IS, "deliveries"},
    {"sessions", AS_IT_IS, "sessions"},
    {"uploads", AS_IT_IS, "uploads"},
    {"jobs", AS_IT_IS, "jobs"},
    {"credit_used", AS_BYTES, "credit used"},
    {"unknown_keys", AS_IT_IS, "messages of unknown keys"},
    {"refused_handshakes", AS_IT_IS, "refused handshakes"},
    {"objects_lost", AS_IT_IS, "objects lost"},
    {"releases_lost", AS_IT_IS, "releases lost"},
    {"keys_overdue", AS_IT_IS, "keys overdue"},
    {"disk_full", AS_IT_IS, "disk full"},
    {"epoch", AS_IT_IS, "epoch of the log"},
    {"restored", AS_IT_IS, "restored, and waits"},
    {"waits_for", AS_IT_IS, "waits for"},
    {"peak_bytes", AS_BYTES, "peak memory"},
    {"worker_peak_bytes", AS_BYTES, "peak of a worker"},
    {"evidence_bytes", AS_BYTES, "evidence"},
    {"disk_free_bytes", AS_BYTES, "disk free"},
};

static void
print_number(json_int_t value, enum as as)
{
    char time[SG_UTC_TEXT];

    if (as == AS_TIME) {
        sg_utc_format((uint64_t)value, time);
        printf("%s\n", time);
    } else if (as == AS_BYTES) {
        printf("%.1f MiB\n", (double)value / (1024.0 * 1024.0));
    } else {
        printf("%lld\n", (long long)value);
    }
}

// Names are the gate's own: small letters and underscores.
static bool
is_word(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static void
print_words(const char *words)
{
    char *plain = strdup(words);

    if (plain != NULL)
        sg_plain_text(plain, false);
    printf("%s\n", plain == NULL ? "" : plain);
    free(plain);
}

// A row that the gate does not say is left out; what has no row is printed by
// its own name, so that a newer gate hides nothing.
static void
print_text(const json_t *all)
{
    const char *name;
    json_t *value;
    // The iterator does not change what it goes over.
    json_t *object = (json_t *)(uintptr_t)all;

    json_object_foreach(object, name, value)
    {
        const char *words = name;
        enum as as = AS_IT_IS;
        for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
            if (strcmp(rows[i].name, name) == 0) {
                words = rows[i].words;
                as = rows[i].as;
            }
        }
        if (!is_word(name))
            continue;
        printf("%-26s ", words);
        if (json_is_integer(value))
            print_number(json_integer_value(value), as);
        else if (json_is_string(value))
            print_words(json_string_value(value));
        else
            printf("%s\n", json_is_true(value) ? "yes" : "no");
    }
}

static int
print(const Sgpb__Status *status, bool as_json)
{
    json_t *all =
        json_loadb((const char *)status->json.data, status->json.len, 0, NULL);
    const struct {
        const char *name;
        uint64_t value;
    } more[] = {{"peak_bytes", status->peak_bytes},
                {"worker_peak_bytes", status->worker_peak_bytes},
                {"evidence_bytes", status->evidence_bytes},
                {"disk_free_bytes", status->disk_free_bytes}};
    int bad = 0;

    if (!json_is_object(all)) {
        json_decref(all);
        return sg_cli_fail(SG_ERR_PEER_PROTO, "status");
    }
    for (size_t i = 0; i < SG_COUNT_OF(more); i++)
        bad |= json_object_set_new(all, more[i].name,
                                   json_integer((json_int_t)more[i].value));
    if (as_json) {
        bad |=
            json_dumpf(all, stdout,
                       JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
        (void)putchar('\n');
    } else {
        print_text(all);
    }
    json_decref(all);
    return bad == 0 ? 0 : sg_cli_fail(SG_ERR_MEMORY, NULL);
}

int
sg_verb_status(int argc, char **argv)
{
    const char *home = NULL;
    struct sg_words rest;
    struct sg_gate_call call = {0};
    const struct sg_option options[] = {{"--home", &home, NULL, NULL},
                                        {"--json", NULL, &call.json, NULL}};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__StatusGet get = SGPB__STATUS_GET__INIT;
    int status = 0;

    if (!sg_options_take(argc, argv, 1, options, SG_COUNT_OF(options), &rest) ||
        rest.count != 0) {
        return sg_cli_usage(
            stderr, "usage: statgate status [--json] [--home DIR]\n\n"
                    "The state of the gate, for operators and auditors:\n"
                    "what is open, what was refused, memory and disk.\n");
    }
    if (!sg_gate_call_open(&call, home, SG_GATE_CALL_MS)) {
        status = call.result.exit;
    } else {
        envelope.body_case = SGPB__ENVELOPE__BODY_STATUS_GET;
        envelope.status_get = &get;
        const Sgpb__Envelope *answer =
            sg_gate_call_ask(&call, &envelope, SGPB__ENVELOPE__BODY_STATUS);
        status = answer == NULL ? sg_gate_call_say(&call)
                                : print(answer->status, call.json);
    }
    sg_gate_call_close(&call);
    return status;
}
