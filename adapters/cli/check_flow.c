#include "adapters/cli/check_flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/structure_get.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/sdmx/structure.h"

enum { BLOB_MAX = 64 * 1024 * 1024 };

// The structure that the terms name by its hash: the home's, if it has it.
static enum sg_err
read_kept(struct sg_check_flow *flow, struct sg_slice *blob)
{
    char path[SG_OS_PATH], hex[65];
    uint8_t *bytes, found[32];
    size_t len;

    sg_encode_hex(flow->terms->structure_sha256.data, 32, hex);
    if (!sg_os_file_path(path, "%s/structures/%s", flow->call.home, hex))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read(path, BLOB_MAX, &bytes, &len);
    if (err != SG_OK)
        return err;
    sg_crypto_sha256(bytes, len, found);
    *blob = sg_arena_copy(flow->call.arena, sg_slice_of(bytes, len));
    free(bytes);
    if (blob->ptr == NULL)
        return SG_ERR_FULL;
    return memcmp(found, flow->terms->structure_sha256.data, 32) == 0
               ? SG_OK
               : SG_ERR_CORRUPT;
}

static int
take_structure(struct sg_check_flow *flow)
{
    struct sg_gate_call *call = &flow->call;
    struct sg_slice blob;
    const uint8_t *bytes;
    size_t len;

    if (read_kept(flow, &blob) != SG_OK) {
        if (statgate_object(call->gate, "structure",
                            flow->terms->structure_sha256.data, &bytes, &len,
                            &call->result) != 0)
            return sg_gate_call_say(call);
        blob = sg_arena_copy(call->arena, sg_slice_of(bytes, len));
    }
    enum sg_err err = blob.ptr == NULL ? SG_ERR_FULL
                                       : sg_structure_open(blob, call->arena,
                                                           &flow->structure);
    if (err == SG_OK)
        return 0;
    sg_gate_call_fault(call, err, "structure");
    return sg_gate_call_say(call);
}

int
sg_check_flow_open(struct sg_check_flow *flow, bool json)
{
    struct sg_gate_call *call = &flow->call;

    call->json = json;
    call->dry = true;
    if (!sg_gate_call_open(call, flow->home, SG_GATE_CALL_MS))
        return call->result.exit;
    flow->terms = sg_structure_terms(call, flow->flow);
    if (flow->terms == NULL)
        return sg_gate_call_say(call);
    if (strcmp(flow->terms->provider, call->participant) != 0) {
        sg_gate_call_fault(call, SG_ERR_OWNER, flow->flow);
        return sg_gate_call_say(call);
    }
    int status = take_structure(flow);
    if (status != 0)
        return status;
    flow->conf_status =
        sg_structure_find(flow->structure, SG_SLICE("CONF_STATUS"));
    flow->embargo =
        sg_structure_find(flow->structure, SG_SLICE("EMBARGO_TIME"));
    return 0;
}

void
sg_check_flow_close(struct sg_check_flow *flow)
{
    if (flow->flow != NULL)
        sg_gate_call_close(&flow->call);
}

static bool
names(const struct sg_obs_ref *ref, struct sg_slice agency, struct sg_slice id)
{
    return sg_slice_eq(ref->agency, agency) && sg_slice_eq(ref->id, id);
}

bool
sg_check_flow_dataflow(const struct sg_check_flow *flow, struct sg_obs_ref *out)
{
    const char *dataflow = flow->terms->dataflow;
    const char *at = strchr(dataflow, '='); // of a URN

    out->kind = SG_OBS_REF_DATAFLOW;
    return sg_obs_ref_parse(sg_slice_text(at == NULL ? dataflow : at + 1), out);
}

bool
sg_check_flow_named(const struct sg_check_flow *flow,
                    const struct sg_obs_ref *ref)
{
    const struct sg_structure *s = flow->structure;
    struct sg_obs_ref own;

    if (ref->kind == SG_OBS_REF_DATASTRUCTURE && names(ref, s->agency, s->id))
        return true;
    for (uint32_t i = 0; i < s->flow_count; i++)
        if (ref->kind != SG_OBS_REF_DATASTRUCTURE &&
            names(ref, s->flows[i].agency, s->flows[i].id))
            return true;
    return sg_check_flow_dataflow(flow, &own) && names(ref, own.agency, own.id);
}

static bool
has_zone(const struct sg_value *value)
{
    uint64_t us;

    return value->kind == SG_VALUE_TEXT &&
           sg_utc_parse(sg_obs_value_bytes(value), &us);
}

void
sg_check_flow_obs(const struct sg_check_flow *flow, struct sg_check *check,
                  const struct sg_obs *obs)
{
    struct sg_fault fault = {.row = obs->row, .line = obs->line};

    if (flow->terms->require_conf_status &&
        (flow->conf_status < 0 ||
         obs->values[flow->conf_status].kind == SG_VALUE_ABSENT)) {
        fault.code = SG_FAULT_CONF_STATUS;
        fault.component = SG_SLICE("CONF_STATUS");
        fault.hint = SG_SLICE("the terms of the flow ask for it");
        sg_check_fault(check, &fault);
    }
    if (flow->embargo < 0 ||
        obs->values[flow->embargo].kind == SG_VALUE_ABSENT ||
        has_zone(&obs->values[flow->embargo]))
        return;
    fault.code = SG_FAULT_EMBARGO;
    fault.warning = true; // it is taken, and never leaves
    fault.component = SG_SLICE("EMBARGO_TIME");
    fault.value = sg_obs_value_bytes(&obs->values[flow->embargo]);
    fault.hint = SG_SLICE("a time without a zone never comes; write it as in "
                          "2027-03-01T09:00:00Z");
    sg_check_fault(check, &fault);
}
