#include "adapters/cli/structure_get.h"

#include <stdio.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/options.h"
#include "adapters/cli/structure_store.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/sdmx/structure.h"

static int
fail(struct sg_gate_call *call, enum sg_err err, const char *sentence)
{
    struct statgate_result *r = &call->result;

    memset(r, 0, sizeof *r);
    r->exit = sg_err_exit(err);
    (void)snprintf(r->code, sizeof r->code, "%s", sg_err_code(err));
    (void)snprintf(r->sentence, sizeof r->sentence, "%s",
                   sentence == NULL || sentence[0] == '\0'
                       ? sg_err_sentence(err)
                       : sentence);
    (void)snprintf(r->cure, sizeof r->cure, "%s", sg_err_cure(err));
    return r->exit;
}

const Sgpb__FlowTerms *
sg_structure_terms(struct sg_gate_call *call, const char *flow)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowGet get = SGPB__FLOW_GET__INIT;
    void *terms = NULL;

    get.flow = sg_gate_call_text(call, flow);
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_GET;
    envelope.flow_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_FLOW);
    if (answer == NULL)
        return NULL;
    if (answer->flow->flow == NULL || answer->flow->flow->terms == NULL ||
        sg_codec_unpack(&sgpb__flow_terms__descriptor,
                        sg_codec_slice(answer->flow->flow->terms->body),
                        call->arena, &terms) != SG_OK ||
        ((Sgpb__FlowTerms *)terms)->structure_sha256.len != 32) {
        (void)fail(call, SG_ERR_PEER_PROTO, NULL);
        return NULL;
    }
    return terms;
}

// Where the library looks, whatever the index says.
static enum sg_err
keep(const char *home, const uint8_t sha256[32], struct sg_slice blob)
{
    char path[SG_OS_PATH], hex[65];

    sg_encode_hex(sha256, 32, hex);
    if (!sg_os_file_path(path, "%s/structures", home))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(path);
    if (err == SG_OK && !sg_os_file_path(path, "%s/structures/%s", home, hex))
        err = SG_ERR_FULL;
    return err == SG_OK ? sg_os_file_replace(path, blob, false) : err;
}

static enum sg_err
add_flow(struct sg_model *model, const struct sg_structure *s,
         struct sg_model_ref self)
{
    struct sg_model_flow *flow = sg_arena_take(model->arena, sizeof *flow);

    if (flow == NULL)
        return SG_ERR_FULL;
    flow->self = self;
    flow->structure = (struct sg_model_ref){
        .agency = s->agency, .id = s->id, .version = s->version, .line = 1};
    flow->next = model->flows;
    model->flows = flow;
    return SG_OK;
}

// The dataflows that use it, so that data which name one of them are checked:
// those compiled into it, and the one that the terms name.
static enum sg_err
add_flows(struct sg_structure_store *store, const struct sg_structure *s,
          const char *dataflow, struct sg_arena *arena)
{
    struct sg_model model = {.arena = arena};
    struct sg_model_ref named;
    enum sg_err err = SG_OK;

    for (uint32_t i = 0; i < s->flow_count && err == SG_OK; i++)
        err = add_flow(&model, s,
                       (struct sg_model_ref){.agency = s->flows[i].agency,
                                             .id = s->flows[i].id,
                                             .version = s->flows[i].version,
                                             .line = 1});
    if (err == SG_OK && dataflow != NULL &&
        sg_structure_parse_ref(sg_slice_text(dataflow), &named))
        err = add_flow(&model, s, named);
    return err == SG_OK ? sg_structure_store_add_model(store, &model) : err;
}

// Would it be taken in? The version may be known with another content.
static int
look(struct sg_gate_call *call, const struct sg_structure *structure,
     bool replace)
{
    struct sg_structure_store *store = NULL;
    struct sg_diag diag = {0};

    enum sg_err err = sg_dry_folder(call->home);
    if (err == SG_OK)
        err = sg_structure_store_open(call->home, "", &store);
    if (err == SG_OK)
        err = sg_structure_store_add(store, structure, replace, &diag);
    sg_structure_store_close(&store);
    return err == SG_OK ? 0 : fail(call, err, diag.text);
}

int
sg_structure_take(struct sg_gate_call *call, const uint8_t sha256[32],
                  const char *dataflow, bool replace, const char **urn)
{
    struct sg_structure_store *store = NULL;
    const struct sg_structure *structure = NULL;
    struct sg_diag diag = {0};
    const uint8_t *bytes;
    size_t len;

    if (statgate_object(call->gate, "structure", sha256, &bytes, &len,
                        &call->result) != 0)
        return call->result.exit;
    struct sg_slice blob = sg_arena_copy(call->arena, sg_slice_of(bytes, len));
    if (blob.ptr == NULL)
        return fail(call, SG_ERR_FULL, NULL);
    if (sg_structure_open(blob, call->arena, &structure) != SG_OK)
        return fail(call, SG_ERR_STRUCTURE,
                    "what the gate holds under this hash is no structure that "
                    "this version reads");
    if (urn != NULL)
        *urn =
            sg_arena_printf(call->arena, "%.*s", SG_SLICE_ARG(structure->urn));
    if (call->dry)
        return look(call, structure, replace);
    enum sg_err err = keep(call->home, sha256, blob);
    if (err == SG_OK)
        err = sg_structure_store_open_to_add(call->home, &store);
    if (err == SG_OK)
        err = sg_structure_store_add(store, structure, replace, &diag);
    if (err == SG_OK)
        err = add_flows(store, structure, dataflow, call->arena);
    if (err == SG_OK)
        err = sg_structure_store_save(store);
    sg_structure_store_close(&store);
    return err == SG_OK ? 0 : fail(call, err, diag.text);
}

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate structure get FLOW|SHA256 [--replace] [--dry-run]\n"
        "         [--json] [--home DIR]\n"
        "\n"
        "Takes the structure that the terms of FLOW name, or the one of this "
        "hash, from the\n"
        "gate into the home, where check and the verification of deliveries "
        "find it.\n");
}

static int
get(struct sg_gate_call *call, const char *what, bool replace)
{
    const char *urn = NULL, *dataflow = NULL;
    uint8_t sha256[32];
    char hex[65];

    if (!sg_encode_unhex(sg_slice_text(what), sha256, 32)) {
        const Sgpb__FlowTerms *terms = sg_structure_terms(call, what);
        if (terms == NULL)
            return sg_gate_call_say(call);
        memcpy(sha256, terms->structure_sha256.data, 32);
        dataflow = terms->dataflow;
    }
    if (sg_structure_take(call, sha256, dataflow, replace, &urn) != 0)
        return sg_gate_call_say(call);
    sg_encode_hex(sha256, 32, hex);
    if (call->dry)
        return sg_dry_say(call->json,
                          "take the structure %s, sha256 %s, into %s", urn, hex,
                          call->home);
    if (!call->json) {
        printf("%s\nsha256 %s\n", urn, hex);
        return 0;
    }
    printf("{\"urn\":");
    sg_gate_call_print_string(urn);
    printf(",\"sha256\":\"%s\"}\n", hex);
    return 0;
}

int
sg_structure_get(int argc, char **argv)
{
    struct sg_gate_call call = {0};
    const char *home = NULL;
    bool replace = false, help = false;
    struct sg_words rest;
    const struct sg_option rows[] = {
        {"--home", &home, NULL, NULL},
        {"--replace", NULL, &replace, NULL},
        {"--dry-run", NULL, &call.dry, NULL},
        {"--json", NULL, &call.json, NULL},
        {"--help", NULL, &help, NULL},
    };

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest))
        return sg_err_exit(SG_ERR_USAGE);
    if (help)
        return usage(stdout);
    if (rest.count != 1)
        return usage(stderr);
    int status = sg_gate_call_open(&call, home, SG_GATE_CALL_MS)
                     ? get(&call, rest.word[0], replace)
                     : call.result.exit;
    sg_gate_call_close(&call);
    return status;
}
