#include "broker/core/effect.h"
#include "broker/core/pack.h"
#include "schemas/wire.pb-c.h"

static void
fill_receipt(Sgpb__Envelope *envelope, ProtobufCBinaryData receipt)
{
    Sgpb__Envelope__BodyCase body = envelope->body_case;

    if (body == SGPB__ENVELOPE__BODY_RECEIPT)
        envelope->receipt->receipt = receipt;
    else if (body == SGPB__ENVELOPE__BODY_REFUSED)
        envelope->refused->receipt = receipt;
    else if (body == SGPB__ENVELOPE__BODY_DELIVERY_BEGIN)
        envelope->delivery_begin->receipt = receipt;
    else if (body == SGPB__ENVELOPE__BODY_STATEMENT)
        envelope->statement->receipt = receipt;
    else if (body == SGPB__ENVELOPE__BODY_WELCOME)
        envelope->welcome->testimony = receipt;
    else if (body != SGPB__ENVELOPE__BODY_RESULT)
        SG_UNREACHABLE(); // the core asks for a receipt in no other
    else if (envelope->result->receipt != NULL)
        envelope->result->receipt->receipt = receipt;
    else if (envelope->result->refusal != NULL)
        envelope->result->refusal->receipt = receipt;
}

static void
fill_note(Sgpb__Envelope *envelope, ProtobufCBinaryData note)
{
    if (envelope->body_case == SGPB__ENVELOPE__BODY_WELCOME)
        envelope->welcome->checkpoint = note;
    else if (envelope->body_case == SGPB__ENVELOPE__BODY_CHECKPOINT)
        envelope->checkpoint->note = note;
}

static void
fill_figures(Sgpb__Envelope *envelope, const struct sg_figures *figures)
{
    if (envelope->body_case != SGPB__ENVELOPE__BODY_STATUS)
        return;
    envelope->status->peak_bytes = figures->peak;
    envelope->status->worker_peak_bytes = figures->worker_peak;
    envelope->status->evidence_bytes = figures->evidence;
    envelope->status->disk_free_bytes = figures->disk_free;
}

enum sg_err
sg_effect_fill(struct sg_arena *arena, const struct sg_effect_send *send,
               const struct sg_filling *with, struct sg_slice *envelope)
{
    struct sg_slice receipt = with->receipt, note = with->note;
    Sgpb__Envelope *open;

    *envelope = send->envelope;
    if (send->receipt_of == SG_NO_ENTRY && !send->checkpoint &&
        !send->report_of && !send->figures)
        return SG_OK;
    open = sg_pack_open(arena, &sgpb__envelope__descriptor, send->envelope);
    if (open == NULL)
        return SG_ERR_FULL;
    if (send->receipt_of != SG_NO_ENTRY)
        fill_receipt(open, sg_pack_bytes(receipt.ptr, receipt.len));
    if (send->checkpoint)
        fill_note(open, sg_pack_bytes(note.ptr, note.len));
    if (send->figures)
        fill_figures(open, &with->figures);
    if (send->report_of && open->body_case == SGPB__ENVELOPE__BODY_REPORT) {
        open->report->report =
            sg_pack_open(arena, &sgpb__report__descriptor, receipt);
        if (open->report->report == NULL)
            return SG_ERR_CORRUPT;
    }
    *envelope = sg_pack_close(arena, &open->base);
    return envelope->ptr == NULL ? SG_ERR_FULL : SG_OK;
}

enum sg_err
sg_effect_refuse(struct sg_arena *arena, struct sg_slice *envelope,
                 enum sg_err why)
{
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Envelope *open =
        sg_pack_open(arena, &sgpb__envelope__descriptor, *envelope);

    if (open == NULL)
        return SG_ERR_FULL;
    refusal.code = (char *)(uintptr_t)sg_err_code(why);
    refusal.sentence = (char *)(uintptr_t)sg_err_sentence(why);
    refusal.cure = (char *)(uintptr_t)sg_err_cure(why);
    if (open->body_case == SGPB__ENVELOPE__BODY_RECEIPT) {
        open->body_case = SGPB__ENVELOPE__BODY_REFUSED;
        open->refused = &refusal;
    } else if (open->body_case == SGPB__ENVELOPE__BODY_RESULT &&
               open->result->receipt != NULL) {
        open->result->receipt = NULL;
        open->result->refusal = &refusal;
    } else {
        return SG_OK; // what it says stands without the proof
    }
    *envelope = sg_pack_close(arena, &open->base);
    return envelope->ptr == NULL ? SG_ERR_FULL : SG_OK;
}
