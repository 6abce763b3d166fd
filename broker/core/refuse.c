#include "broker/core/refuse.h"

#include "broker/core/policy_admin.h"
#include "broker/core/roster.h"

enum { AGGREGATE_US = 60 * 1000000, MILLI = 1000 };

// Whose turn it is: the first word of the code.
static char *
family_of(struct sg_turn *turn, const char *code)
{
    size_t len = 0;

    while (code[len] != '\0' && code[len] != '.')
        len++;
    return sg_pack_text(turn->arena, sg_slice_of(code, len));
}

Sgpb__Refusal *
sg_refuse_make(struct sg_turn *turn, const struct sg_refusal *refusal)
{
    Sgpb__Refusal *out = sg_turn_take(turn, sizeof *out);
    const char *code = sg_err_code(refusal->code);
    const char *sentence = refusal->sentence != NULL
                               ? refusal->sentence
                               : sg_err_sentence(refusal->code);

    *out = (Sgpb__Refusal)SGPB__REFUSAL__INIT;
    out->code = sg_pack_text(turn->arena, sg_slice_text(code));
    out->sentence = sg_pack_text(turn->arena, sg_slice_text(sentence));
    out->cure = sg_pack_text(turn->arena,
                             sg_slice_text(refusal->cure != NULL
                                               ? refusal->cure
                                               : sg_err_cure(refusal->code)));
    out->family = family_of(turn, code);
    out->next_chunk = refusal->next_chunk;
    out->head = refusal->head;
    out->seq = refusal->seq;
    out->retry_after_ms = refusal->retry_after_ms;
    if (out->retry_after_ms == 0 && sg_err_retry(refusal->code))
        out->retry_after_ms = MILLI;
    if (refusal->component != NULL && refusal->component[0] != '\0') {
        out->place = sg_turn_take(turn, sizeof *out->place);
        *out->place = (Sgpb__Place)SGPB__PLACE__INIT;
        out->place->component =
            sg_pack_text(turn->arena, sg_slice_text(refusal->component));
    }
    return out;
}

// These speak of the gate, not of what was brought; so do those that say: send
// the same again.
static bool
is_bad_input(enum sg_err code)
{
    return !sg_err_retry(code) && code != SG_ERR_NOT_FOUND &&
           code != SG_ERR_FULL;
}

// The message and its field, as in FLOW_PUT.signatures.
static const char *
place_of(struct sg_turn *turn, const char *component)
{
    const char *place = component;

    if (turn->judged[0] == '\0')
        return component;
    place =
        component == NULL || component[0] == '\0'
            ? turn->judged
            : sg_arena_printf(turn->arena, "%s.%s", turn->judged, component);
    SG_ASSERT(place != NULL);
    return place;
}

void
sg_refuse_reply(struct sg_turn *turn, const struct sg_refusal *refusal)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    struct sg_refusal told = *refusal;

    if (turn->judged != NULL && is_bad_input(told.code))
        told.seq = sg_refuse_input(turn, turn->who->id, told.code,
                                   place_of(turn, told.component));
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = sg_refuse_make(turn, &told);
    struct sg_effect_send *send =
        sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
    if (told.seq != 0)
        send->receipt_of = told.seq;
}

void
sg_refuse_rights(struct sg_turn *turn, uint8_t needed, uint8_t held,
                 const char *component)
{
    struct sg_refusal refusal = {.code = SG_ERR_PEER_RIGHTS,
                                 .component = component};
    const char *wanted = sg_roster_roles(turn->arena, needed, " or ");
    const char *has = sg_roster_roles(turn->arena, held, ", ");

    SG_ASSERT(wanted != NULL && has != NULL);
    refusal.sentence = sg_arena_printf(
        turn->arena, "%s: %s is needed, it has %s",
        sg_err_sentence(SG_ERR_PEER_RIGHTS), wanted, held == 0 ? "none" : has);
    refusal.cure = sg_arena_printf(
        turn->arena,
        "use a key that is %s; who has none asks for one: statgate join "
        "--key-role, and a roster that admits it",
        wanted);
    SG_ASSERT(refusal.sentence != NULL && refusal.cure != NULL);
    sg_refuse_reply(turn, &refusal);
}

bool
sg_refuse_token(struct sg_bucket *bucket, uint64_t now, uint32_t per_s)
{
    uint64_t full = (uint64_t)per_s * MILLI;
    uint64_t gone = now > bucket->at ? now - bucket->at : 0;

    if (bucket->at == 0 || gone > 1000000)
        bucket->milli = (uint32_t)full;
    else {
        uint64_t milli = bucket->milli + gone * per_s / MILLI;
        bucket->milli = (uint32_t)(milli > full ? full : milli);
    }
    bucket->at = now;
    if (bucket->milli < MILLI)
        return false;
    bucket->milli -= MILLI;
    return true;
}

void
sg_refuse_spend(struct sg_bucket *bucket, uint64_t milli)
{
    bucket->milli -= milli > bucket->milli ? bucket->milli : (uint32_t)milli;
}

void
sg_refuse_untake(struct sg_bucket *bucket, uint32_t per_s)
{
    uint32_t full = per_s * MILLI;

    bucket->milli += bucket->milli > full - MILLI ? 0 : MILLI;
}

void
sg_refuse_count(struct sg_turn *turn, const char *participant, enum sg_err code)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, participant);

    if (quota == NULL)
        return;
    if (quota->unrecorded++ == 0)
        quota->since = turn->now;
    snprintf(quota->code, sizeof quota->code, "%s", sg_err_code(code));
}

// An entry of its own? If not, it is counted.
static bool
one_by_one(struct sg_turn *turn, const char *participant, enum sg_err code)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, participant);

    if (quota != NULL && sg_refuse_token(&quota->bucket[SG_BUCKET_REFUSED],
                                         turn->now, SG_LIMIT_REFUSED_PER_S))
        return true;
    sg_refuse_count(turn, participant, code);
    return false;
}

static Sgpb__Refused
refused_of(struct sg_turn *turn, const char *participant, enum sg_err err,
           const char *component)
{
    char *code = (char *)(uintptr_t)sg_err_code(err);
    Sgpb__Refused body = SGPB__REFUSED__INIT;

    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.publisher = (char *)(uintptr_t)participant;
    body.roster_sha256 = sg_pack_bytes(turn->state->roster.sha256, 32);
    body.code = body.cure = code;
    if (component != NULL)
        body.component = (char *)(uintptr_t)component;
    return body;
}

uint64_t
sg_refuse_input(struct sg_turn *turn, const char *participant, enum sg_err code,
                const char *component)
{
    if (!one_by_one(turn, participant, code))
        return 0;
    Sgpb__Refused body = refused_of(turn, participant, code, component);
    return sg_turn_append(turn, SG_ENTRY_REFUSED, &body.base);
}

uint64_t
sg_refuse_record(struct sg_turn *turn, const struct sg_refused *what)
{
    if (!one_by_one(turn, what->publisher, what->code))
        return 0;
    Sgpb__Refused body =
        refused_of(turn, what->publisher, what->code, what->component);
    body.flow = what->manifest->flow;
    body.revision = what->manifest->revision;
    body.manifest_sha256 = sg_pack_bytes(what->manifest_sha256, 32);
    sg_policy_digests(turn, &body.policy_digests, &body.n_policy_digests);
    if (what->worker_code != NULL)
        body.rule = (char *)(uintptr_t)what->worker_code;
    body.count = what->count;
    body.accepted = what->accepted;
    if (what->report != NULL)
        body.report = sg_pack_object(turn->arena, what->report);
    if (what->report_commit != NULL)
        body.report_commit = sg_pack_bytes(what->report_commit, 32);
    return sg_turn_append(turn,
                          what->code == SG_ERR_CONFLICT ? SG_ENTRY_CONFLICT
                                                        : SG_ENTRY_REFUSED,
                          &body.base);
}

void
sg_refuse_aggregate(struct sg_turn *turn, bool all)
{
    const struct sg_roster *roster = &turn->state->roster;

    for (size_t i = 0; i < turn->core->quotas_count; i++) {
        struct sg_quota *quota = &turn->core->quotas[i];
        if (quota->unrecorded == 0 ||
            (!all && turn->now < quota->since + AGGREGATE_US))
            continue;
        Sgpb__RefusedAggregate body = SGPB__REFUSED_AGGREGATE__INIT;
        body.participant = roster->doc->participants[i]->id;
        body.code = quota->code;
        body.count = quota->unrecorded;
        body.since = quota->since;
        sg_turn_append(turn, SG_ENTRY_REFUSED_AGGREGATE, &body.base);
        quota->unrecorded = 0;
    }
}
