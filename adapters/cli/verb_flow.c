// verb_flow - statgate flow new | list | show | close, and releases.
//
// Terms are a text of `name value` lines. Every attribute that law looks at is
// asked for; what does not apply is said so, never left out.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "adapters/cli/structure_get.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "broker/os/conf.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"

enum { TEXT = 512, ATTRIBUTES = 7, NAMES = 29 };

struct terms_text {
    char flow[TEXT], structure[TEXT], dataflow[TEXT], classification[TEXT];
    char data_kind[TEXT], unit[TEXT], identifiability[TEXT], sensitive[TEXT];
    char lawful_basis[TEXT], basis_article[TEXT], special_condition[TEXT];
    char onward[TEXT], licence[TEXT], purposes[TEXT], languages[TEXT];
    char commit[TEXT], agreements[TEXT], min_cell[TEXT], count_component[TEXT];
    char when_component[TEXT], when_code[TEXT], retention_days[TEXT];
    char law_of_the_area[TEXT], contact[TEXT], revision_policy[TEXT];
    char area_map[TEXT], whole_or_nothing[TEXT], require_conf_status[TEXT];
    char require_label[TEXT];
    char attribute[ATTRIBUTES][TEXT];
};

static const char *const attributes[ATTRIBUTES] = {
    "localisation",      "geo_detail", "validation", "emergency",
    "community_consent", "quality",    "sdc_state"};

static enum sg_err
read_terms(const char *path, struct terms_text *t, struct sg_diag *diag)
{
#define ROW(name, required)                                                    \
    {                                                                          \
#name, t->name, TEXT, required                                         \
    }
    struct sg_os_conf_row rows[NAMES + ATTRIBUTES] = {
        ROW(flow, true),
        ROW(structure, true),
        ROW(dataflow, true),
        ROW(classification, true),
        ROW(data_kind, true),
        ROW(unit, false),
        ROW(identifiability, true),
        ROW(sensitive, false),
        ROW(lawful_basis, true),
        ROW(basis_article, false),
        ROW(special_condition, true),
        ROW(onward, true),
        ROW(licence, false),
        ROW(purposes, true),
        ROW(languages, false),
        ROW(commit, true),
        ROW(agreements, false),
        ROW(min_cell, false),
        ROW(count_component, false),
        ROW(when_component, false),
        ROW(when_code, false),
        ROW(retention_days, false),
        ROW(law_of_the_area, false),
        ROW(contact, false),
        ROW(revision_policy, false),
        ROW(area_map, false),
        ROW(whole_or_nothing, false),
        ROW(require_conf_status, false),
        ROW(require_label, false),
    };
#undef ROW
    for (size_t i = 0; i < ATTRIBUTES; i++)
        rows[NAMES + i] =
            (struct sg_os_conf_row){attributes[i], t->attribute[i], TEXT, true};
    return sg_os_conf_read(path, rows, SG_COUNT_OF(rows), diag);
}

static bool
fill_attributes(struct terms_text *t, Sgpb__FlowTerms *doc,
                struct sg_arena *arena)
{
    Sgpb__TermsAttribute *all = sg_arena_take(arena, ATTRIBUTES * sizeof *all);

    doc->attributes =
        sg_arena_take(arena, ATTRIBUTES * sizeof *doc->attributes);
    if (all == NULL || doc->attributes == NULL) {
        (void)sg_cli_fail(SG_ERR_FULL, "terms");
        return false;
    }
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        all[i] = (Sgpb__TermsAttribute)SGPB__TERMS_ATTRIBUTE__INIT;
        all[i].attribute = sg_arena_printf(arena, "%s", attributes[i]);
        all[i].not_applicable = strcmp(t->attribute[i], "not_applicable") == 0;
        if (!all[i].not_applicable)
            all[i].value = t->attribute[i];
        doc->attributes[i] = &all[i];
    }
    doc->n_attributes = ATTRIBUTES;
    return true;
}

// CODE=PLACE words.
static bool
fill_map(struct terms_text *t, Sgpb__FlowTerms *doc, struct sg_arena *arena)
{
    char **words;
    size_t count;

    if (!sg_options_words("area_map", t->area_map, arena, &words, &count))
        return false;
    Sgpb__AreaMap *all = sg_arena_take(arena, (count + 1) * sizeof *all);
    doc->area_map = sg_arena_take(arena, (count + 1) * sizeof *doc->area_map);
    if (all == NULL || doc->area_map == NULL) {
        (void)sg_cli_fail(SG_ERR_FULL, "area_map");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (equals == NULL || equals == words[i]) {
            (void)sg_cli_say(SG_ERR_USAGE, "write it as in KE01=KE KE02=KE",
                             "area_map: %s", words[i]);
            return false;
        }
        *equals = '\0';
        all[i] = (Sgpb__AreaMap)SGPB__AREA_MAP__INIT;
        all[i].code = words[i];
        all[i].jurisdiction = equals + 1;
        doc->area_map[i] = &all[i];
    }
    doc->n_area_map = count;
    return true;
}

// A word that is neither yes nor no would loosen the terms unseen.
static bool
fill_choices(const struct terms_text *t, Sgpb__FlowTerms *doc)
{
    const struct {
        const char *name, *text;
        protobuf_c_boolean *out;
    } rows[] = {
        {"law_of_the_area", t->law_of_the_area, &doc->law_of_the_area},
        {"whole_or_nothing", t->whole_or_nothing, &doc->whole_or_nothing},
        {"require_conf_status", t->require_conf_status,
         &doc->require_conf_status},
        {"require_label", t->require_label, &doc->require_label}};
    bool yes;

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (!sg_options_yes(rows[i].name, rows[i].text, &yes))
            return false;
        *rows[i].out = yes;
    }
    return true;
}

static bool
fill_lists(struct terms_text *t, Sgpb__FlowTerms *doc, struct sg_arena *arena)
{
    return sg_options_words("purposes", t->purposes, arena, &doc->purposes,
                            &doc->n_purposes) &&
           sg_options_words("languages", t->languages, arena, &doc->languages,
                            &doc->n_languages) &&
           sg_options_words("agreements", t->agreements, arena,
                            &doc->agreements, &doc->n_agreements);
}

static bool
fill_numbers(struct terms_text *t, Sgpb__FlowTerms *doc, Sgpb__MinCell *cell)
{
    unsigned long long value;

    if (t->retention_days[0] != '\0') {
        if (!sg_options_number("retention_days", t->retention_days, 36500,
                               &value))
            return false;
        doc->retention_days = (uint32_t)value;
    }
    if (t->min_cell[0] == '\0')
        return true;
    if (!sg_options_number("min_cell", t->min_cell, 1000, &value))
        return false;
    cell->n = (uint32_t)value;
    cell->count_component = t->count_component;
    cell->when_component = t->when_component;
    cell->when_code = t->when_code;
    doc->min_cell = cell;
    return true;
}

// Version and predecessor: what the gate has of this flow. false: another
// participant publishes it.
static bool
follow(struct sg_gate_call *call, Sgpb__FlowTerms *doc)
{
    static const uint8_t zeros[32];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowGet get = SGPB__FLOW_GET__INIT;
    void *now = NULL;

    doc->version = 1;
    doc->prev_sha256 = sg_codec_bytes(zeros, 32);
    get.flow = doc->flow;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_GET;
    envelope.flow_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_FLOW);
    if (answer == NULL || answer->flow->flow == NULL ||
        answer->flow->flow->terms == NULL ||
        sg_codec_unpack(&sgpb__flow_terms__descriptor,
                        sg_codec_slice(answer->flow->flow->terms->body),
                        call->arena, &now) != SG_OK)
        return true;
    const Sgpb__FlowTerms *terms = now;
    doc->version = terms->version + 1;
    doc->prev_sha256 = answer->flow->flow->terms_sha256;
    return strcmp(terms->provider, doc->provider) == 0;
}

static bool
cosign(struct sg_gate_call *call, struct sg_gate_call *other,
       struct sg_slice body, Sgpb__DocumentSignature *out)
{
    uint8_t *sig = sg_arena_take(call->arena, SG_SIG_LEN);
    uint8_t *id = sg_arena_take(call->arena, 32);

    if (sig == NULL || id == NULL) {
        sg_gate_call_fault(call, SG_ERR_FULL, NULL);
        return false;
    }
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(id, 32);
    out->sig = sg_codec_bytes(sig, SG_SIG_LEN);
    return statgate_sign(other->gate, "sign", "terms", body.ptr, body.len, sig,
                         id, &call->result) == 0;
}

static void
put_terms(struct sg_gate_call *call, Sgpb__FlowTerms *doc,
          struct sg_gate_call *second)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowPut put = SGPB__FLOW_PUT__INIT;
    Sgpb__TwoSigned document = SGPB__TWO_SIGNED__INIT;
    Sgpb__DocumentSignature signatures[2], *pointers[2];
    Sgpb__Signed one;
    struct sg_slice body;

    if (sg_codec_pack(&doc->base, call->arena, &body) != SG_OK ||
        !sg_gate_call_sign(call, "sign", "terms", body, &one))
        return;
    for (int i = 0; i < 2; i++) {
        signatures[i] = (Sgpb__DocumentSignature)SGPB__DOCUMENT_SIGNATURE__INIT;
        pointers[i] = &signatures[i];
    }
    signatures[0].alg = one.alg;
    signatures[0].key_id = one.key_id;
    signatures[0].sig = one.sig;
    document.body = one.body;
    document.signatures = pointers;
    document.n_signatures = 1;
    if (second != NULL) {
        if (!cosign(call, second, body, &signatures[1]))
            return;
        document.n_signatures = 2;
    }
    if (call->dry)
        return;
    put.terms = &document;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_PUT;
    envelope.flow_put = &put;
    (void)sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_RECEIPT);
}

static int
dry_new(struct sg_gate_call *call, Sgpb__FlowTerms *doc,
        struct sg_gate_call *second)
{
    if (sg_dry_may(call, "publisher") == NULL)
        return sg_gate_call_say(call);
    bool own = follow(call, doc);
    if (call->result.exit == sg_err_exit(SG_ERR_UNREACHABLE))
        return sg_gate_call_say(call);
    if (!own) {
        sg_gate_call_fault(call, SG_ERR_FLOW, "flow");
        return sg_gate_call_say(call);
    }
    put_terms(call, doc, second);
    if (call->result.exit != 0)
        return sg_gate_call_say(call);
    return sg_dry_say(
        call->json,
        "send terms version %llu of the flow %s, signed by %s, and "
        "the structure %s",
        (unsigned long long)doc->version, doc->flow,
        second == NULL ? "one officer" : "two officers", doc->structure);
}

// A value that is no code is told here with those that there are.
static bool
codes_fit(const struct terms_text *t)
{
    const struct {
        enum sg_attr attr;
        const char *value;
    } rows[] = {{SG_ATTR_CLASSIFICATION, t->classification},
                {SG_ATTR_DATA_KIND, t->data_kind},
                {SG_ATTR_IDENTIFIABILITY, t->identifiability},
                {SG_ATTR_LAWFUL_BASIS, t->lawful_basis},
                {SG_ATTR_ONWARD, t->onward},
                {SG_ATTR_LICENCE, t->licence}};

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        if (rows[i].value[0] != '\0' &&
            strncmp(rows[i].value, "not", 3) != 0 && // applicable
            !sg_code_word(sg_vocabulary_attr(rows[i].attr)->name, rows[i].attr,
                          rows[i].value))
            return false;
    return true;
}

static int
flow_new(struct sg_gate_call *call, const char *path,
         struct sg_gate_call *second)
{
    struct terms_text *t = sg_arena_take(call->arena, sizeof *t);
    Sgpb__FlowTerms doc = SGPB__FLOW_TERMS__INIT;
    Sgpb__MinCell cell = SGPB__MIN_CELL__INIT;
    struct sg_diag diag = {0};
    uint8_t sha256[32];
    struct sg_slice blob;

    enum sg_err err = t == NULL ? SG_ERR_FULL : read_terms(path, t, &diag);
    if (err != SG_OK)
        return diag.text[0] != '\0' ? sg_cli_fail_at(err, path, &diag)
                                    : sg_cli_fail(err, path);
    if (!codes_fit(t))
        return sg_err_exit(SG_ERR_TERMS);
    err = sg_gate_call_pin(call, t->structure, sha256, &blob, &diag);
    if (err != SG_OK && diag.text[0] != '\0')
        return sg_cli_say(err, NULL, "%s: %s", t->structure, diag.text);
    if (err != SG_OK)
        return sg_cli_fail(err, t->structure);
    doc.flow = t->flow;
    doc.provider = sg_gate_call_text(call, call->participant);
    doc.structure = t->structure;
    doc.structure_sha256 = sg_codec_bytes(sha256, 32);
    doc.dataflow = t->dataflow;
    doc.classification = t->classification;
    doc.data_kind = t->data_kind;
    doc.unit = t->unit;
    doc.identifiability = t->identifiability;
    doc.sensitive = t->sensitive;
    doc.lawful_basis = t->lawful_basis;
    doc.basis_article = t->basis_article;
    doc.special_condition = t->special_condition;
    doc.onward = t->onward;
    doc.licence = t->licence;
    doc.commit = t->commit;
    doc.contact = t->contact;
    doc.revision_policy = t->revision_policy;
    if (!fill_attributes(t, &doc, call->arena) ||
        !fill_lists(t, &doc, call->arena) || !fill_numbers(t, &doc, &cell) ||
        !fill_choices(t, &doc) || !fill_map(t, &doc, call->arena))
        return sg_err_exit(SG_ERR_TERMS);
    if (call->dry)
        return dry_new(call, &doc, second);
    if (!sg_gate_call_put(call, "structure", blob, NULL))
        return sg_gate_call_say(call);
    (void)follow(call, &doc);
    put_terms(call, &doc, second);
    if (sg_gate_call_say(call) == 0 && !call->json)
        printf("%s: terms version %llu\n", t->flow,
               (unsigned long long)doc.version);
    return call->result.exit;
}

static int
flow_new_by(struct sg_gate_call *call, const char *path, const char *second)
{
    struct sg_gate_call other = {.json = call->json, .dry = call->dry};

    if (second == NULL)
        return flow_new(call, path, NULL);
    int status = sg_gate_call_open(&other, second, SG_GATE_CALL_MS)
                     ? flow_new(call, path, &other)
                     : other.result.exit;
    sg_gate_call_close(&other);
    return status;
}

// ---- list, show, close -------------------------------------------------------------

static void
print_flow(const struct sg_gate_call *call, const Sgpb__CatalogueFlow *flow,
           bool first, bool whole)
{
    void *terms = NULL;
    char time[SG_UTC_TEXT] = "";

    if (flow->terms == NULL ||
        sg_codec_unpack(&sgpb__flow_terms__descriptor,
                        sg_codec_slice(flow->terms->body), call->arena,
                        &terms) != SG_OK)
        return;
    sg_plain_message(terms);
    const Sgpb__FlowTerms *t = terms;
    if (flow->head_time != 0)
        sg_utc_format(flow->head_time, time);
    if (call->json) {
        sg_gate_call_print_member(first ? "{" : ",{", "flow", t->flow);
        sg_gate_call_print_member(",", "provider", t->provider);
        printf(",\"revision\":%llu,\"time\":\"%s\",\"terms\":%llu",
               (unsigned long long)flow->head_revision, time,
               (unsigned long long)t->version);
        sg_gate_call_print_member(",", "classification", t->classification);
        sg_gate_call_print_member(",", "structure", t->structure);
        sg_gate_call_print_member(",", "state", flow->head_state);
        printf("}");
        return;
    }
    printf("%s@%llu  %s  %s  %s%s%s\n", t->flow,
           (unsigned long long)flow->head_revision, t->provider,
           t->classification, time, flow->head_state[0] == '\0' ? "" : "  ",
           flow->head_state);
    if (!whole)
        return;
    printf("terms version %llu\nstructure %s\ndata_kind %s\nidentifiability "
           "%s\nlawful_basis %s\nspecial_condition %s\nonward %s\ncommit %s\n",
           (unsigned long long)t->version, t->structure, t->data_kind,
           t->identifiability, t->lawful_basis, t->special_condition, t->onward,
           t->commit);
    for (size_t i = 0; i < t->n_purposes; i++)
        printf("purpose %s\n", t->purposes[i]);
    for (size_t i = 0; i < t->n_attributes; i++)
        printf("%s %s\n", t->attributes[i]->attribute,
               t->attributes[i]->not_applicable ? "not_applicable"
                                                : t->attributes[i]->value);
}

static int
flow_list(struct sg_gate_call *call)
{
    uint32_t page = 0;
    bool first = true;

    do {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__CatalogueGet get = SGPB__CATALOGUE_GET__INIT;
        get.page = page;
        envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE_GET;
        envelope.catalogue_get = &get;
        const Sgpb__Envelope *answer =
            sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_CATALOGUE);
        if (answer == NULL)
            return sg_gate_call_say(call);
        if (call->json && page == 0)
            printf("[");
        for (size_t i = 0; i < answer->catalogue->n_flows; i++) {
            print_flow(call, answer->catalogue->flows[i], first, false);
            first = false;
        }
        uint32_t next = answer->catalogue->next_page;
        if (next != 0 && next <= page) { // it would never end
            sg_gate_call_fault(call, SG_ERR_PEER_MALFORMED, "next_page");
            return sg_gate_call_say(call);
        }
        page = next;
    } while (page != 0);
    if (call->json)
        printf("]\n");
    return 0;
}

static int
flow_show(struct sg_gate_call *call, const char *flow)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowGet get = SGPB__FLOW_GET__INIT;

    get.flow = sg_gate_call_text(call, flow);
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_GET;
    envelope.flow_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_FLOW);
    if (answer == NULL)
        return sg_gate_call_say(call);
    if (answer->flow->flow == NULL || answer->flow->flow->terms == NULL) {
        sg_gate_call_fault(call, SG_ERR_PEER_MALFORMED, "terms");
        return sg_gate_call_say(call);
    }
    print_flow(call, answer->flow->flow, true, true);
    if (call->json)
        printf("\n");
    return 0;
}

static int
dry_close(struct sg_gate_call *call, const char *flow, const char *code)
{
    if (sg_dry_may(call, "publisher") == NULL)
        return sg_gate_call_say(call);
    const Sgpb__FlowTerms *terms = sg_structure_terms(call, flow);
    if (terms != NULL && strcmp(terms->provider, call->participant) != 0)
        sg_gate_call_fault(call, SG_ERR_FLOW, "flow");
    if (call->result.exit != 0)
        return sg_gate_call_say(call);
    return sg_dry_say(call->json, "close the flow %s for ever, as %s", flow,
                      code);
}

static int
flow_close(struct sg_gate_call *call, const char *flow, const char *code)
{
    if (call->dry)
        return dry_close(call, flow, code);

    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowClose close = SGPB__FLOW_CLOSE__INIT;

    close.flow = sg_gate_call_text(call, flow);
    close.code = sg_gate_call_text(call, code);
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_CLOSE;
    envelope.flow_close = &close;
    (void)sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_RECEIPT);
    if (sg_gate_call_say(call) == 0 && !call->json)
        printf("closed %s\n", flow);
    return call->result.exit;
}

// It stands in the log for ever.
static const char *const reasons[] = {"ended", "replaced", "mistake", "law",
                                      NULL};

int
sg_verb_flow(int argc, char **argv)
{
    const char *home = NULL, *second = NULL, *reason = "ended";
    struct sg_gate_call call = {0};
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--second", &second, NULL, NULL},
                                     {"--reason", &reason, NULL, NULL},
                                     {"--dry-run", NULL, &call.dry, NULL},
                                     {"--json", NULL, &call.json, NULL}};
    int status = -1;

    if (argc >= 2 &&
        sg_options_take(argc, argv, 2, rows, SG_COUNT_OF(rows), &rest)) {
        const char *word = rest.count == 1 ? rest.word[0] : NULL;
        bool list = strcmp(argv[1], "list") == 0 && rest.count == 0;
        bool new = strcmp(argv[1], "new") == 0 && word != NULL;
        bool show = strcmp(argv[1], "show") == 0 && word != NULL;
        bool close = strcmp(argv[1], "close") == 0 && word != NULL;
        if (close && !sg_code_word_among("--reason", reasons, reason))
            return sg_err_exit(SG_ERR_USAGE);
        call.typed = new ? NULL : word;
        if (list || show ? !call.dry : new || close) {
            status = sg_gate_call_open(&call, home, SG_GATE_CALL_MS)
                         ? 0
                         : call.result.exit;
            if (status == 0)
                status = list   ? flow_list(&call)
                         : new  ? flow_new_by(&call, word, second)
                         : show ? flow_show(&call, word)
                                : flow_close(&call, word, reason);
            sg_gate_call_close(&call);
            return status;
        }
    }
    return sg_cli_usage(
        stderr,
        "usage: statgate flow new TERMS [--second HOME] [--dry-run] [--json]\n"
        "         [--home DIR]\n"
        "       statgate flow list | show FLOW | close FLOW [--reason CODE]\n"
        "         [--dry-run] [--json] [--home DIR]\n\n"
        "CODE: ended, replaced, mistake or law; it stands in the log.\n"
        "TERMS is a text of `name value` lines; a name that is missing is\n"
        "named. --second: home of another officer, when terms loosen.\n");
}

int
sg_verb_releases(int argc, char **argv)
{
    const char *home = NULL;
    struct sg_gate_call call = {0};
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--json", NULL, &call.json, NULL}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 0) {
        return sg_cli_usage(stderr,
                            "usage: statgate releases [--json] [--home DIR]\n\n"
                            "The newest release of every flow.\n");
    }
    int status = sg_gate_call_open(&call, home, SG_GATE_CALL_MS)
                     ? flow_list(&call)
                     : call.result.exit;
    sg_gate_call_close(&call);
    return status;
}
