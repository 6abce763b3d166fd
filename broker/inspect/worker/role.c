#include "broker/inspect/worker/role.h"

#include "broker/base/limits.h"
#include "schemas/codec/codec.h"
#include "schemas/facts.pb-c.h"

static char *
text(struct sg_arena *arena, struct sg_slice bytes)
{
    return (char *)(uintptr_t)sg_arena_copy(arena, bytes).ptr;
}

// What people are shown of one cause. A value from a file may be anything; a
// protobuf string may not.
static Sgpb__Fault *
fault_of(struct sg_arena *arena, const struct sg_report_cause *cause)
{
    Sgpb__Fault *out = sg_arena_take(arena, sizeof *out);
    struct sg_slice value = cause->fault.value;

    if (out == NULL)
        return NULL;
    *out = (Sgpb__Fault)SGPB__FAULT__INIT;
    if (value.len > SG_LIMIT_TEXT)
        value.len = SG_LIMIT_TEXT;
    if (!sg_slice_is_utf8(value))
        value = SG_SLICE("(not UTF-8)");
    out->code = text(arena, sg_slice_text(sg_fault_name(cause->fault.code)));
    out->component = text(arena, cause->fault.component);
    out->row = cause->fault.row;
    out->line = cause->fault.line;
    out->value = text(arena, value);
    out->hint = text(arena, cause->fault.hint);
    out->count = cause->count;
    return out->code == NULL || out->component == NULL || out->value == NULL ||
                   out->hint == NULL
               ? NULL
               : out;
}

static enum sg_err
fill(Sgpb__Report *out, struct sg_report *report, struct sg_arena *arena)
{
    uint32_t count = sg_report_count(report);

    out->faults = sg_arena_take(arena, (count + 1) * sizeof *out->faults);
    out->warnings = sg_arena_take(arena, (count + 1) * sizeof *out->warnings);
    if (out->faults == NULL || out->warnings == NULL)
        return SG_ERR_FULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct sg_report_cause *cause = sg_report_at(report, i);
        Sgpb__Fault *fault = fault_of(arena, cause);
        if (fault == NULL)
            return SG_ERR_FULL;
        if (cause->fault.warning)
            out->warnings[out->n_warnings++] = fault;
        else
            out->faults[out->n_faults++] = fault;
    }
    out->faults_total = sg_report_faults(report);
    return SG_OK;
}

// What is refused because of its data has one code; these have their own.
static enum sg_err
refused_as(struct sg_report *report, struct sg_slice *component)
{
    static const struct {
        enum sg_fault_code fault;
        enum sg_err err;
    } own[] = {{SG_FAULT_CHANGE, SG_ERR_ACTION},
               {SG_FAULT_EMBARGO_DATE, SG_ERR_EMBARGO}};
    bool found = false;

    *component = (struct sg_slice){NULL, 0};
    for (uint32_t i = 0; i < sg_report_count(report); i++) {
        const struct sg_fault *fault = &sg_report_at(report, i)->fault;
        for (size_t k = 0; k < SG_COUNT_OF(own); k++)
            if (fault->code == own[k].fault) {
                *component = fault->component;
                return own[k].err;
            }
        if (!fault->warning && !found)
            *component = fault->component;
        found |= !fault->warning;
    }
    return SG_ERR_DATA;
}

enum sg_err
sg_role_report(struct sg_role_item *item, struct sg_report *report,
               uint64_t observations, bool accept)
{
    struct sg_role_job *of = item->of;
    Sgpb__Report out = SGPB__REPORT__INIT;
    struct sg_sealed_out to;
    struct sg_slice packed;
    uint8_t *sha256 = sg_arena_take(of->arena, 32);

    if (sha256 == NULL)
        return SG_ERR_FULL;
    out.verdict = accept ? SG_ROLE_ACCEPT : SG_ROLE_REJECT;
    out.observations = observations;
    enum sg_err err = fill(&out, report, of->scratch);
    if (err == SG_OK)
        err = sg_codec_pack(&out.base, of->scratch, &packed);
    if (err != SG_OK)
        return err;
    if (!accept) {
        struct sg_slice component;
        enum sg_err as = refused_as(report, &component);
        sg_role_reject(item, as, component);
        item->done->faults = out.faults_total;
    }
    err = sg_sealed_out_open(&to, item->item->report, of->report_fd,
                             of->report_at, of->scratch);
    if (err == SG_OK)
        err = sg_sealed_out_write(&to, packed);
    if (err == SG_OK)
        err = sg_sealed_out_end(&to, sha256);
    if (err == SG_OK && to.fd >= 0) {
        of->report_at = to.at;
        item->done->report_bytes = to.bytes;
        item->done->report_chunks = to.index;
        item->done->report_sha256 = sg_codec_bytes(sha256, 32);
    }
    sg_sealed_out_close(&to);
    return err;
}

void
sg_role_reject(struct sg_role_item *item, enum sg_err err,
               struct sg_slice component)
{
    char *name = text(item->of->arena, component);

    item->done->verdict = SG_ROLE_REJECT;
    item->done->code = (char *)(uintptr_t)sg_err_code(err);
    if (name != NULL && sg_slice_is_utf8(component))
        item->done->component = name;
}
