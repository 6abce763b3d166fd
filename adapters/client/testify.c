// testify - hands receipts of entries that a restored gate has lost back to it.
//
// Reads the receipts that the outbox keeps, newest first, and stops at the first
// whose entry the gate still has: what is older was in the copy too.
#include <string.h>

#include "adapters/client/outbox.h"
#include "adapters/client/session.h"
#include "schemas/codec/codec.h"

const char *
statgate_notice(const struct statgate *handle)
{
    return handle->notice[0] == '\0' ? NULL : handle->notice;
}

// Does the answer prove the same entry? Then the gate has never lost it.
static bool
is_same(const Sgpb__Receipt *answer, const struct sg_receipt *given)
{
    struct sg_receipt got;

    return answer->duplicate &&
           sg_receipt_decode(sg_codec_slice(answer->receipt), &got) == SG_OK &&
           sg_slice_eq(got.entry, given->entry);
}

int
statgate_testify_receipt(struct statgate *handle, const uint8_t *receipt,
                         size_t len, int *had, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Testify testify = SGPB__TESTIFY__INIT;
    const Sgpb__Envelope *answer;
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_TESTIMONY,
        .participant = sg_slice_text(handle->home.participant)};
    struct sg_receipt given;
    uint64_t seq;

    *had = 0;
    sg_arena_reset(handle->arena);
    if (sg_receipt_decode(sg_slice_of(receipt, len), &given) != SG_OK)
        return sg_session_fail(result, SG_ERR_FORMAT, "receipt");
    testify.receipt = sg_codec_bytes(receipt, len);
    envelope.body_case = SGPB__ENVELOPE__BODY_TESTIFY;
    envelope.testify = &testify;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0}, SGPB__ENVELOPE__BODY_RECEIPT,
                       &answer, result) != 0)
        return result->exit;
    *had = is_same(answer->receipt, &given);
    if (answer->receipt->duplicate)
        return sg_session_done(result);
    enum sg_err err = sg_session_receipt(
        handle, sg_codec_slice(answer->receipt->receipt), &expect, &seq);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, "receipt");
}

struct handing {
    struct statgate *handle;
    struct statgate_result *result;
    uint64_t handed;
};

// false: no further one.
static bool
hand_over(void *context, struct sg_slice receipt)
{
    struct handing *handing = context;
    int had;

    if (statgate_testify_receipt(handing->handle, receipt.ptr, receipt.len,
                                 &had, handing->result) != 0 ||
        had)
        return false;
    handing->handed++;
    return true;
}

int
statgate_testify(struct statgate *handle, uint64_t *handed,
                 struct statgate_result *result)
{
    struct handing handing = {handle, result, 0};

    (void)sg_session_done(result);
    enum sg_err err =
        sg_outbox_each_receipt(&handle->home, hand_over, &handing);
    *handed = handing.handed;
    return err == SG_OK ? result->exit : sg_session_fail(result, err, NULL);
}
