// What came of a call, in words; receipts and signatures of the session.
#include <stdio.h>
#include <string.h>

#include "adapters/client/session.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"
#include "schemas/evidence.pb-c.h"

int
sg_session_done(struct statgate_result *result)
{
    memset(result, 0, sizeof *result);
    (void)snprintf(result->code, sizeof result->code, "ok");
    return 0;
}

int
sg_session_fail(struct statgate_result *result, enum sg_err err,
                const char *detail)
{
    memset(result, 0, sizeof *result);
    if (err == SG_ERR_DISK)
        err = SG_ERR_DISK_HERE; // the gate says of its own what it refuses
    result->exit = sg_err_exit(err);
    (void)snprintf(result->code, sizeof result->code, "%s", sg_err_code(err));
    (void)snprintf(result->sentence, sizeof result->sentence, "%s",
                   sg_err_sentence(err));
    (void)snprintf(result->cure, sizeof result->cure, "%s", sg_err_cure(err));
    if (err == SG_ERR_IO && sg_os_file_reason()[0] != '\0')
        (void)snprintf(
            result->cure, sizeof result->cure,
            "the system says: %s; check who may read and write there",
            sg_os_file_reason());
    if (detail != NULL)
        (void)snprintf(result->component, sizeof result->component, "%s",
                       detail);
    return result->exit;
}

int
sg_session_fail_at(struct statgate_result *result, enum sg_err err,
                   const struct sg_diag *diag)
{
    (void)sg_session_fail(result, err, NULL);
    if (diag->text[0] != '\0') {
        (void)snprintf(result->sentence, sizeof result->sentence, "%s",
                       diag->text);
        if (err == SG_ERR_NOT_FOUND)
            result->cure[0] = '\0'; // the text has its own
    }
    result->line = diag->line;
    return result->exit;
}

int
sg_session_refused(struct statgate_result *result, const Sgpb__Refusal *refusal)
{
    enum sg_err err = sg_err_by_code(refusal->code);

    memset(result, 0, sizeof *result);
    // A code that this version does not know is still a refusal.
    result->exit =
        err == SG_ERR_COUNT ? sg_err_exit(SG_ERR_DENIED) : sg_err_exit(err);
    sg_plain_copy(result->code, sizeof result->code, refusal->code);
    sg_plain_copy(result->sentence, sizeof result->sentence, refusal->sentence);
    sg_plain_copy(result->cure, sizeof result->cure, refusal->cure);
    if (refusal->place != NULL) {
        sg_plain_copy(result->component, sizeof result->component,
                      refusal->place->component);
        result->row = refusal->place->row;
        result->line = refusal->place->line;
    }
    result->seq = refusal->seq;
    result->retry_after_ms = refusal->retry_after_ms;
    return result->exit;
}

bool
sg_session_is(const struct statgate_result *result, enum sg_err err)
{
    return strcmp(result->code, sg_err_code(err)) == 0;
}

enum sg_err
sg_session_receipt(struct statgate *handle, struct sg_slice receipt,
                   struct sg_receipt_expect *expect, uint64_t *entry)
{
    struct sg_home *home = &handle->home;
    struct sg_receipt_result found;
    struct sg_receipt parts;

    sg_arena_reset(handle->scratch);
    enum sg_err err =
        sg_home_receipt(home, receipt, expect, handle->scratch, &found);
    if (err != SG_OK)
        return err;
    *entry = found.sequence;
    if (sg_receipt_decode(receipt, &parts) != SG_OK)
        return SG_ERR_RECEIPT;
    return sg_home_take_checkpoint(home, parts.checkpoint, false);
}

uint64_t
sg_session_observations(struct statgate *handle, struct sg_slice receipt)
{
    struct sg_receipt parts;
    struct sg_entry entry;
    void *body = NULL;

    if (sg_receipt_decode(receipt, &parts) != SG_OK ||
        sg_entry_decode(parts.entry, &entry) != SG_OK ||
        entry.type != SG_ENTRY_ACCEPTED ||
        sg_codec_unpack(&sgpb__accepted__descriptor, entry.body,
                        handle->scratch, &body) != SG_OK)
        return 0;
    const Sgpb__Facts *facts = ((const Sgpb__Accepted *)body)->facts;
    return facts == NULL ? 0 : facts->observations;
}

enum sg_err
sg_session_sign(struct statgate *handle, enum sg_sign_purpose purpose,
                struct sg_slice body, Sgpb__Signed *out)
{
    uint8_t *sig = sg_arena_take(handle->arena, SG_SIG_LEN);

    if (sig == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_sign_make(handle->home.signer, purpose, body, sig);
    if (err != SG_OK)
        return err;
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(body.ptr, body.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(handle->home.sign_id, 32);
    out->sig = sg_codec_bytes(sig, SG_SIG_LEN);
    return SG_OK;
}

static bool
purpose_named(const char *name, enum sg_sign_purpose *purpose)
{
    for (int i = 0; i < SG_SIGN_COUNT; i++) {
        if (strcmp(name, sg_sign_purpose_name((enum sg_sign_purpose)i)) == 0) {
            *purpose = (enum sg_sign_purpose)i;
            return true;
        }
    }
    return false;
}

int
statgate_sign(struct statgate *handle, const char *use, const char *purpose,
              const uint8_t *body, size_t len, uint8_t sig[64],
              uint8_t key_id[32], struct statgate_result *result)
{
    const struct sg_os_keyfile *key = sg_home_key(&handle->home, use);
    enum sg_sign_purpose what;
    struct sg_signer *signer;

    if (!purpose_named(purpose, &what))
        return sg_session_fail(result, SG_ERR_USAGE, "purpose");
    if (key == NULL)
        return sg_session_fail(result, SG_ERR_NOT_FOUND, use);
    enum sg_err err = sg_crypto_signer_new(key->secret, &signer);
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    sg_os_keyfile_id(key, key_id);
    err = sg_sign_make(signer, what, sg_slice_of(body, len), sig);
    sg_crypto_signer_free(&signer);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, NULL);
}

// Consent events, recalls, revocations, rosters and policy go first.
static enum sg_wire_lane
lane_of(Sgpb__Envelope__BodyCase body)
{
    static const Sgpb__Envelope__BodyCase control[] = {
        SGPB__ENVELOPE__BODY_ROSTER_PUT,     SGPB__ENVELOPE__BODY_REVOKE,
        SGPB__ENVELOPE__BODY_AGREEMENT_PUT,  SGPB__ENVELOPE__BODY_CONSENT,
        SGPB__ENVELOPE__BODY_POLICY_APPROVE, SGPB__ENVELOPE__BODY_RECALL};

    for (size_t i = 0; i < SG_COUNT_OF(control); i++) {
        if (control[i] == body)
            return SG_WIRE_CONTROL;
    }
    return SG_WIRE_DATA;
}

int
statgate_call(struct statgate *handle, const uint8_t *envelope, size_t len,
              const uint8_t *payload, size_t payload_len,
              const uint8_t **answer, size_t *answer_len,
              struct statgate_result *result)
{
    const Sgpb__Envelope *got;
    struct sg_slice packed;
    void *asked = NULL;

    *answer = NULL;
    *answer_len = 0;
    sg_arena_reset(handle->arena);
    struct sg_slice bytes =
        sg_arena_copy(handle->arena, sg_slice_of(envelope, len));
    if (bytes.ptr == NULL)
        return sg_session_fail(result, SG_ERR_FULL, NULL);
    if (sg_codec_unpack(&sgpb__envelope__descriptor, bytes, handle->arena,
                        &asked) != SG_OK)
        return sg_session_fail(result, SG_ERR_PEER_MALFORMED, "envelope");
    Sgpb__Envelope *request = asked;
    if (request->body_case == SGPB__ENVELOPE__BODY_CHUNK) {
        // A chunk has no answer; the next request says how it went.
        handle->has_late = false;
        if (!sg_session_credit(handle, SG_WIRE_DATA, payload_len,
                               sg_session_deadline(handle->timeout_ms), result))
            return result->exit;
        return sg_session_send(handle, SG_WIRE_DATA, request,
                               sg_slice_of(payload, payload_len), result);
    }
    if (sg_session_ask(handle, lane_of(request->body_case), request,
                       sg_slice_of(payload, payload_len),
                       SGPB__ENVELOPE__BODY__NOT_SET, &got, result) != 0)
        return result->exit;
    if (handle->has_late) {
        handle->has_late = false;
        *result = handle->late;
        return result->exit;
    }
    enum sg_err err = sg_codec_pack(&got->base, handle->arena, &packed);
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    *answer = packed.ptr;
    *answer_len = packed.len;
    return sg_session_done(result);
}
