// verb_consent - statgate consent agreement | give | withdraw | show.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "policy/consent.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/text.h"

enum { TEXT = 256, WAIT_S = 30 };

// ---- the text agreed to ------------------------------------------------------------

struct agreement_text {
    char id[TEXT], revision[TEXT], purpose[TEXT], lawful_basis[TEXT];
    char onward[TEXT], valid_days[TEXT], retention_days[TEXT], notice[TEXT];
    char categories[TEXT], recipients[TEXT], languages[TEXT];
    char community[TEXT], compatible_before[TEXT], prev[TEXT];
};

static enum sg_err
read_agreement(const char *path, struct agreement_text *t, struct sg_diag *diag)
{
#define ROW(name, required)                                                    \
    {                                                                          \
#name, t->name, TEXT, required                                         \
    }
    const struct sg_os_conf_row rows[] = {ROW(id, true),
                                          ROW(revision, true),
                                          ROW(purpose, true),
                                          ROW(lawful_basis, true),
                                          ROW(onward, false),
                                          ROW(valid_days, false),
                                          ROW(retention_days, false),
                                          ROW(notice, false),
                                          ROW(categories, false),
                                          ROW(recipients, true),
                                          ROW(languages, false),
                                          ROW(community, false),
                                          ROW(compatible_before, false),
                                          ROW(prev, false)};
#undef ROW
    return sg_os_conf_read(path, rows, SG_COUNT_OF(rows), diag);
}

static bool
number(const char *name, const char *text, uint32_t *out)
{
    unsigned long long value = 0;

    if (text[0] != '\0' && !sg_options_number(name, text, 36500, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool
fill_words(struct agreement_text *t, Sgpb__ConsentAgreement *doc,
           struct sg_arena *arena)
{
    bool community, before;

    if (!sg_options_yes("community", t->community, &community) ||
        !sg_options_yes("compatible_before", t->compatible_before, &before) ||
        !sg_options_words("categories", t->categories, arena,
                          &doc->data_categories, &doc->n_data_categories) ||
        !sg_options_words("recipients", t->recipients, arena,
                          &doc->recipient_classes, &doc->n_recipient_classes) ||
        !sg_options_words("languages", t->languages, arena, &doc->languages,
                          &doc->n_languages))
        return false;
    doc->community = community;
    doc->compatible_before = before;
    return true;
}

static bool
fill(struct sg_gate_call *call, struct agreement_text *t,
     Sgpb__ConsentAgreement *doc, uint8_t prev[32], uint8_t notice[32])
{
    unsigned long long revision;

    memset(prev, 0, 32);
    memset(notice, 0, 32);
    if (!sg_options_number("revision", t->revision, 1000000, &revision) ||
        !number("valid_days", t->valid_days, &doc->valid_days) ||
        !number("retention_days", t->retention_days, &doc->retention_days) ||
        !fill_words(t, doc, call->arena))
        return false;
    if (t->prev[0] != '\0' &&
        !sg_encode_unhex(sg_slice_text(t->prev), prev, 32)) {
        (void)sg_cli_say(SG_ERR_USAGE,
                         "write the SHA-256 of the revision before",
                         "prev is not 64 hexadecimal digits: %s", t->prev);
        return false;
    }
    if (t->notice[0] != '\0')
        sg_crypto_sha256(t->notice, strlen(t->notice), notice);
    doc->id = t->id;
    doc->revision = revision;
    doc->prev_sha256 = sg_codec_bytes(prev, 32);
    doc->controller = call->participant;
    doc->purpose = t->purpose;
    doc->lawful_basis = t->lawful_basis;
    doc->onward = t->onward;
    doc->notice_sha256 = sg_codec_bytes(notice, 32);
    return true;
}

static int
dry_agreement(struct sg_gate_call *call, const Sgpb__ConsentAgreement *doc)
{
    if (sg_dry_may(call, "consent") == NULL)
        return sg_gate_call_say(call);
    return sg_dry_say(call->json,
                      "sign and send revision %llu of the agreement %s",
                      (unsigned long long)doc->revision, doc->id);
}

static int
agreement(struct sg_gate_call *call, const char *path)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;
    Sgpb__TwoSigned document = SGPB__TWO_SIGNED__INIT;
    Sgpb__DocumentSignature signature = SGPB__DOCUMENT_SIGNATURE__INIT;
    Sgpb__DocumentSignature *pointer = &signature;
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    struct agreement_text *t = sg_arena_take(call->arena, sizeof *t);
    struct sg_diag diag = {0};
    uint8_t prev[32], notice[32];
    struct sg_slice body;
    Sgpb__Signed one;

    enum sg_err err = t == NULL ? SG_ERR_FULL : read_agreement(path, t, &diag);
    if (err != SG_OK)
        return diag.text[0] != '\0' ? sg_cli_fail_at(err, path, &diag)
                                    : sg_cli_fail(err, path);
    if (!fill(call, t, &doc, prev, notice))
        return sg_err_exit(SG_ERR_USAGE);
    if (sg_codec_pack(&doc.base, call->arena, &body) != SG_OK)
        return sg_cli_fail(SG_ERR_FULL, path);
    if (sg_gate_call_sign(call, "sign", "consent-agreement", body, &one)) {
        signature.alg = one.alg;
        signature.key_id = one.key_id;
        signature.sig = one.sig;
        document.body = one.body;
        document.signatures = &pointer;
        document.n_signatures = 1;
        if (call->dry)
            return dry_agreement(call, &doc);
        put.agreement = &document;
        envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
        envelope.agreement_put = &put;
        (void)sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_RECEIPT);
    }
    return sg_gate_call_say(call);
}

// ---- records -------------------------------------------------------------------------

static const Sgpb__ConsentIs *
agreement_now(struct sg_gate_call *call, const char *id)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentGet get = SGPB__CONSENT_GET__INIT;

    get.agreement = sg_gate_call_text(call, id);
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_GET;
    envelope.consent_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_CONSENT_IS);
    return answer == NULL ? NULL : answer->consent_is;
}

static const Sgpb__ConsentRecordIs *
record_now(struct sg_gate_call *call, const char *id, const uint8_t record[16])
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentRecordGet get = SGPB__CONSENT_RECORD_GET__INIT;

    get.agreement = sg_gate_call_text(call, id);
    get.record_id = sg_codec_bytes(record, 16);
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_RECORD_GET;
    envelope.consent_record_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_CONSENT_RECORD);
    return answer == NULL ? NULL : answer->consent_record;
}

static void
print_fates(const struct statgate_statement *s, enum statgate_fate_is what,
            const char *name)
{
    const char *between = "";
    char hex[33];

    printf("\"%s\":[", name);
    for (size_t i = 0; i < s->fates_count; i++) {
        if (s->fates[i].what != what)
            continue;
        sg_encode_hex(s->fates[i].delivery_id, 16, hex);
        printf("%s{\"delivery\":\"%s\",\"entry\":%llu}", between, hex,
               (unsigned long long)s->fates[i].entry);
        between = ",";
    }
    printf("],");
}

static void
print_event(const char *id, const char *state,
            const struct statgate_statement *s)
{
    char time[SG_UTC_TEXT];

    printf("{\"exit\":0,\"code\":\"ok\",\"agreement\":\"%s\","
           "\"state\":\"%s\",\"entry\":%llu,\"statement\":",
           id, state, (unsigned long long)s->event);
    if (s->text == NULL) {
        printf("null}\n");
        return;
    }
    sg_utc_format(s->answered_us, time);
    printf("{\"entry\":%llu,\"time\":\"%s\",", (unsigned long long)s->entry,
           time);
    print_fates(s, STATGATE_LEFT_RECEIPTED, "left_receipted");
    print_fates(s, STATGATE_LEFT_UNRECEIPTED, "left_unreceipted");
    print_fates(s, STATGATE_CANCELLED, "cancelled");
    print_fates(s, STATGATE_CIPHERTEXT_ONLY, "ciphertext_only");
    printf("\"file\":");
    sg_gate_call_print_string(s->path);
    printf("}}\n");
}

// The library keeps a withdrawal until its statement has come; then the same
// command asks for that.
static bool
waits(const struct sg_gate_call *call, const struct statgate_consent *wanted)
{
    char record[33], name[65], path[SG_OS_PATH];
    uint8_t hash[32];

    sg_encode_hex(wanted->record, 16, record);
    const struct sg_slice parts[] = {sg_slice_text(wanted->agreement),
                                     SG_SLICE("\n"), sg_slice_text(record),
                                     SG_SLICE("\nwithdraw")};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
    sg_encode_hex(hash, 32, name);
    return sg_os_file_path(path, "%s/consents/%s", call->home, name) &&
           sg_os_file_exists(path);
}

// Consent that is not given cannot be withdrawn; given it may be again.
static int
dry_event(struct sg_gate_call *call, const struct statgate_consent *wanted)
{
    const Sgpb__ConsentRecordIs *one = NULL;
    bool fits = true;

    if (sg_dry_may(call, "consent") != NULL &&
        agreement_now(call, wanted->agreement) != NULL)
        one = record_now(call, wanted->agreement, wanted->record);
    if (one != NULL)
        fits = wanted->withdraw
                   ? one->state == SG_CONSENT_STATE_GIVEN || waits(call, wanted)
                   : one->state < SG_CONSENT_STATE_COUNT &&
                         one->state != SG_CONSENT_STATE_REVOKED &&
                         one->state != SG_CONSENT_STATE_INVALIDATED;
    if (!fits)
        sg_gate_call_fault(call, SG_ERR_CONSENT, sg_text_consent(one->state));
    if (one == NULL || !fits)
        return sg_gate_call_say(call);
    return sg_dry_say(
        call->json, "%s consent under %s for a record that is now %s%s",
        wanted->withdraw ? "withdraw" : "give", wanted->agreement,
        sg_text_consent(one->state),
        wanted->withdraw ? ", and wait for the gate's statement" : "");
}

static int
event(struct sg_gate_call *call, const struct statgate_consent *wanted)
{
    if (call->dry)
        return dry_event(call, wanted);
    const char *state = sg_text_consent(
        wanted->withdraw ? SG_CONSENT_STATE_WITHDRAWN : SG_CONSENT_STATE_GIVEN);
    struct statgate_statement said;

    if (statgate_consent(call->gate, wanted, &said, &call->result) != 0)
        return sg_gate_call_say(call);
    if (call->json) {
        print_event(wanted->agreement, state, &said);
        return 0;
    }
    printf("%s: %s\n", wanted->agreement, state);
    if (said.text != NULL)
        printf("%skept in %s\n", said.text, said.path);
    return 0;
}

static int
show(struct sg_gate_call *call, const char *id, const uint8_t *record)
{
    const Sgpb__ConsentIs *agreed = agreement_now(call, id);
    const Sgpb__ConsentRecordIs *one = NULL;

    if (agreed != NULL && record != NULL)
        one = record_now(call, id, record);
    if (agreed == NULL || (record != NULL && one == NULL))
        return sg_gate_call_say(call);
    printf(call->json ? "{\"agreement\":\"%s\",\"epoch\":%llu,\"given\":%llu,"
                        "\"ended\":%llu"
                      : "%s: epoch %llu, %llu given, %llu ended\n",
           id, (unsigned long long)agreed->epoch,
           (unsigned long long)agreed->given,
           (unsigned long long)agreed->withdrawn);
    if (one != NULL)
        printf(call->json ? ",\"record\":\"%s\"" : "record: %s\n",
               sg_text_consent(one->state));
    if (call->json)
        printf("}\n");
    return 0;
}

static int
usage(void)
{
    return sg_cli_usage(
        stderr,
        "usage: statgate consent agreement FILE\n"
        "       statgate consent give AGREEMENT RECORD\n"
        "       statgate consent withdraw AGREEMENT RECORD [--wait SECONDS]\n"
        "       statgate consent show AGREEMENT [RECORD]\n"
        "         [--dry-run] [--json] [--home DIR]\n\n"
        "RECORD is the keyed pseudonym of a person, 32 hexadecimal\n"
        "characters; never a name or a number of the office. withdraw waits\n"
        "for the gate's signed statement on what had left before.\n");
}

int
sg_verb_consent(int argc, char **argv)
{
    const char *home = NULL, *wait = NULL;
    struct sg_gate_call call = {0};
    struct sg_words rest = {.count = 0};
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--wait", &wait, NULL, NULL},
                                     {"--dry-run", NULL, &call.dry, NULL},
                                     {"--json", NULL, &call.json, NULL}};
    struct statgate_consent wanted = {.wait_ms = WAIT_S * 1000};
    unsigned long long seconds = WAIT_S;
    const char *verb = argc < 2 ? "" : argv[1];

    bool fine = argc >= 2 &&
                sg_options_take(argc, argv, 2, rows, SG_COUNT_OF(rows), &rest);
    bool has_record =
        rest.count == 2 && sg_encode_unhex(sg_slice_text(rest.word[1]),
                                           wanted.record, sizeof wanted.record);
    bool text = strcmp(verb, "agreement") == 0 && rest.count == 1;
    bool gives = strcmp(verb, "give") == 0 && has_record;
    bool takes = strcmp(verb, "withdraw") == 0 && has_record;
    bool shows = strcmp(verb, "show") == 0 && !call.dry &&
                 (rest.count == 1 || has_record);
    if (fine && rest.count == 2 && !has_record)
        return sg_cli_say(SG_ERR_USAGE,
                          "it has 32 hexadecimal characters, and is never a "
                          "name or a number of the office",
                          "%s is no pseudonym of a person", rest.word[1]);
    if (!fine || !(text || gives || takes || shows) || (wait != NULL && !takes))
        return usage();
    if (wait != NULL && !sg_options_number("--wait", wait, 86400, &seconds))
        return sg_err_exit(SG_ERR_USAGE);
    wanted.agreement = rest.word[0];
    wanted.withdraw = takes;
    wanted.wait_ms = (uint32_t)seconds * 1000;
    int status = 0;
    if (!sg_gate_call_open(&call, home, SG_GATE_CALL_MS))
        status = call.result.exit;
    else if (text)
        status = agreement(&call, rest.word[0]);
    else if (shows)
        status = show(&call, rest.word[0], has_record ? wanted.record : NULL);
    else
        status = event(&call, &wanted);
    sg_gate_call_close(&call);
    return status;
}
