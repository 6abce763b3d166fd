#include "broker/core/flow.h"

#include "broker/core/lost.h"
#include "broker/core/policy_admin.h"
#include "broker/core/roster.h"
#include "broker/core/share.h"

// ---- apply ------------------------------------------------------------------

enum sg_err
sg_flow_open(struct sg_flow *flow)
{
    const Sgpb__TermsEntry *entry = sg_pack_open(
        flow->kept.mem, &sgpb__terms_entry__descriptor, flow->kept.body);

    if (entry == NULL || entry->terms == NULL || entry->sha256.len != 32)
        return SG_ERR_DAMAGE;
    flow->signatures = entry->terms;
    flow->terms = sg_pack_open(flow->kept.mem, &sgpb__flow_terms__descriptor,
                               sg_pack_slice(entry->terms->body));
    if (flow->terms == NULL)
        return SG_ERR_DAMAGE;
    memcpy(flow->terms_sha256, entry->sha256.data, 32);
    flow->id = sg_slice_text(flow->terms->flow);
    return SG_OK;
}

enum sg_err
sg_flow_apply_terms(struct sg_state *state, const struct sg_appended *entry,
                    const void *body)
{
    struct sg_flow next = {0};
    enum sg_err err;

    (void)body;
    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_flow_open(&next)) != SG_OK) {
        sg_state_drop(&next.kept);
        return err;
    }
    uint32_t index = sg_state_find(state->flow_of, next.id);
    if (index == 0) {
        index = sg_pool_take(state->flows);
        if (index == 0 || sg_table_put(state->flow_of, next.id, index) != SG_OK)
            return SG_ERR_FULL;
    }
    struct sg_flow *flow = sg_pool_at(state->flows, index);
    sg_state_drop(&flow->kept);
    flow->kept = next.kept;
    flow->terms = next.terms;
    flow->signatures = next.signatures;
    flow->id = next.id;
    memcpy(flow->terms_sha256, next.terms_sha256, 32);
    flow->seq = entry->seq;
    // Larger than what agreements left out of the terms could take away.
    flow->stops += 1ull << 32;
    return SG_OK;
}

enum sg_err
sg_flow_apply_closed(struct sg_state *state, const struct sg_appended *entry,
                     const void *body)
{
    const Sgpb__FlowClosed *closed = body;
    uint32_t index = sg_state_find(state->flow_of, sg_slice_text(closed->flow));

    (void)entry;
    if (index == 0)
        return SG_ERR_DAMAGE;
    ((struct sg_flow *)sg_pool_at(state->flows, index))->closed = true;
    return SG_OK;
}

enum sg_err
sg_flow_open_structure(struct sg_structure *structure)
{
    const Sgpb__StructureEntry *entry =
        sg_pack_open(structure->kept.mem, &sgpb__structure_entry__descriptor,
                     structure->kept.body);

    if (entry == NULL || entry->sha256.len != 32 ||
        !sg_pack_object_open(entry->object, entry->sha256.data,
                             &structure->object))
        return SG_ERR_DAMAGE;
    memcpy(structure->sha256, entry->sha256.data, 32);
    structure->urn = sg_slice_text(entry->urn);
    return SG_OK;
}

enum sg_err
sg_flow_apply_structure(struct sg_state *state, const struct sg_appended *entry,
                        const void *body)
{
    const Sgpb__StructureEntry *shown = body;
    uint32_t index = sg_pool_take(state->structures);
    enum sg_err err;

    if (index == 0)
        return SG_ERR_FULL;
    if (shown->sha256.len != 32 ||
        sg_state_find(state->structure_of, sg_pack_slice(shown->sha256)) != 0)
        return SG_ERR_DAMAGE;
    struct sg_structure *structure = sg_pool_at(state->structures, index);
    structure->seq = entry->seq;
    if (!sg_state_keep(&structure->kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_flow_open_structure(structure)) != SG_OK)
        return err;
    return sg_table_put(state->structure_of, sg_state_hash(structure->sha256),
                        index);
}

// ---- asking -----------------------------------------------------------------

uint32_t
sg_flow_find(const struct sg_state *state, const char *id)
{
    uint32_t index = sg_state_find(state->flow_of, sg_slice_text(id));

    return index != 0 && !sg_state_flow(state, index)->closed ? index : 0;
}

const struct sg_structure *
sg_flow_structure(const struct sg_state *state, struct sg_slice sha256)
{
    uint32_t index = sg_state_find(state->structure_of, sha256);

    return index == 0 ? NULL : sg_pool_at(state->structures, index);
}

// ---- messages ---------------------------------------------------------------

struct proposal {
    const Sgpb__TwoSigned *document;
    const Sgpb__FlowTerms *terms;
    uint8_t sha256[32];
    const struct sg_key *signer[2];
    size_t signers;
};

// Signatures of the provider's own officers, of distinct persons.
static enum sg_err
check_signers(struct sg_turn *turn, struct proposal *p)
{
    enum sg_err err = SG_ERR_SIGNATURE;

    for (size_t i = 0; i < p->document->n_signatures && i < 2; i++) {
        const Sgpb__DocumentSignature *one = p->document->signatures[i];
        Sgpb__Signed document = SGPB__SIGNED__INIT;
        document.body = p->document->body;
        document.alg = one->alg;
        document.key_id = one->key_id;
        document.sig = one->sig;
        const struct sg_key *key =
            sg_roster_signer(turn, &document, SG_SIGN_TERMS, SG_USE_SIGN, &err);
        if (key == NULL)
            return err;
        if (strcmp(sg_roster_owner(turn->state, key)->id, p->terms->provider) !=
                0 ||
            (key->roles & SG_ROLE_PUBLISHER) == 0)
            return SG_ERR_PEER_KEY_USE;
        p->signer[p->signers++] = key;
    }
    return p->signers == 0 ? SG_ERR_SIGNATURE : SG_OK;
}

static enum sg_err
check_succession(const struct sg_turn *turn, const struct proposal *p,
                 const struct sg_flow *flow, const char **field)
{
    static const uint8_t zeros[32];
    const uint8_t *prev = flow == NULL ? zeros : flow->terms_sha256;
    uint64_t version = flow == NULL ? 1 : flow->terms->version + 1;

    *field = "version";
    if (p->terms->version != version)
        return SG_ERR_TERMS_CHANGED;
    *field = "prev_sha256";
    if (!sg_pack_is(p->terms->prev_sha256, prev, 32))
        return SG_ERR_TERMS_CHANGED;
    *field = "provider";
    if (flow != NULL && strcmp(flow->terms->provider, p->terms->provider) != 0)
        return SG_ERR_OWNER;
    *field = "signatures";
    if (flow != NULL && sg_flow_looser(flow->terms, p->terms) &&
        (p->signers < 2 ||
         !sg_roster_two_persons(turn->state, p->signer[0], p->signer[1])))
        return SG_ERR_TERMS_TWO;
    return SG_OK;
}

static enum sg_err
check_proposal(struct sg_turn *turn, struct proposal *p,
               const struct sg_flow *flow, const char **field)
{
    enum sg_err err;

    *field = "provider";
    if (strcmp(p->terms->provider, turn->who->id) != 0)
        return SG_ERR_OWNER;
    if ((err = sg_flow_check_terms(p->terms, field)) != SG_OK)
        return err;
    *field = "structure_sha256";
    if (sg_flow_structure(turn->state,
                          sg_pack_slice(p->terms->structure_sha256)) == NULL)
        return SG_ERR_STRUCTURE;
    *field = NULL;
    if (sg_roster_expired(turn))
        return SG_ERR_ROSTER_EXPIRED;
    if ((err = check_signers(turn, p)) != SG_OK)
        return err;
    return check_succession(turn, p, flow, field);
}

void
sg_flow_put(struct sg_turn *turn)
{
    struct proposal p = {.document = turn->envelope->flow_put->terms};
    Sgpb__TermsEntry entry = SGPB__TERMS_ENTRY__INIT;
    const char *field = "terms";

    if (p.document != NULL)
        p.terms = sg_pack_open(turn->arena, &sgpb__flow_terms__descriptor,
                               sg_pack_slice(p.document->body));
    if (p.terms == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, field);
        return;
    }
    uint32_t index =
        sg_state_find(turn->state->flow_of, sg_slice_text(p.terms->flow));
    const struct sg_flow *flow =
        index == 0 ? NULL : sg_state_flow(turn->state, index);
    sg_crypto_sha256(p.document->body.data, p.document->body.len, p.sha256);
    if (flow != NULL && memcmp(p.sha256, flow->terms_sha256, 32) == 0 &&
        strcmp(flow->terms->provider, turn->who->id) == 0) {
        sg_turn_receipt(turn, flow->seq, true);
        return;
    }
    enum sg_err err = check_proposal(turn, &p, flow, &field);
    if (err == SG_OK && flow == NULL &&
        sg_pool_count(turn->state->flows) >= turn->core->flows_cap)
        err = SG_ERR_BUSY;
    if (err == SG_OK && flow == NULL &&
        !sg_share_left(turn, p.terms->provider, SG_SHARE_FLOWS))
        err = SG_ERR_FULL;
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, field);
        return;
    }
    entry.terms = (Sgpb__TwoSigned *)(uintptr_t)p.document;
    entry.sha256 = sg_pack_bytes(p.sha256, 32);
    entry.previous = flow == NULL ? 0 : flow->seq;
    if (flow == NULL)
        sg_share_add(turn->core, p.terms->provider, SG_SHARE_FLOWS, 1);
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_TERMS, &entry.base);
    index = sg_state_find(turn->state->flow_of, sg_slice_text(p.terms->flow));
    sg_policy_due_flow(turn->core, index, SG_DUE_DECIDE);
    sg_turn_receipt(turn, seq, false);
}

void
sg_flow_close(struct sg_turn *turn)
{
    const Sgpb__FlowClose *asked = turn->envelope->flow_close;
    uint32_t index = sg_flow_find(turn->state, asked->flow);
    Sgpb__FlowClosed body = SGPB__FLOW_CLOSED__INIT;

    if (index == 0 || strcmp(sg_state_flow(turn->state, index)->terms->provider,
                             turn->who->id) != 0) {
        sg_turn_refuse(turn, SG_ERR_FLOW, "flow");
        return;
    }
    body.flow = asked->flow;
    body.by = turn->who->id;
    body.code = asked->code;
    sg_turn_receipt(
        turn, sg_turn_append(turn, SG_ENTRY_FLOW_CLOSED, &body.base), false);
}

static char *
head_state(const struct sg_turn *turn, uint32_t release)
{
    const struct sg_release *head = sg_state_release(turn->state, release);
    const char *state = head->destroyed_at != 0                ? "destroyed"
                        : head->recalled_at != 0               ? "recalled"
                        : sg_lost_release(turn->core, release) ? "lost"
                                                               : "";

    return (char *)(uintptr_t)state;
}

Sgpb__CatalogueFlow *
sg_flow_catalogue(struct sg_turn *turn, const struct sg_flow *flow)
{
    Sgpb__CatalogueFlow *out = sg_turn_take(turn, sizeof *out);

    *out = (Sgpb__CatalogueFlow)SGPB__CATALOGUE_FLOW__INIT;
    out->terms = (Sgpb__TwoSigned *)(uintptr_t)flow->signatures;
    out->terms_sha256 = sg_pack_bytes(flow->terms_sha256, 32);
    out->head_revision = flow->revision;
    out->head_time = flow->head_time;
    if (flow->revision != 0)
        out->head_manifest_sha256 = sg_pack_bytes(flow->head, 32);
    if (flow->head_release != 0)
        out->head_state = head_state(turn, flow->head_release);
    return out;
}

void
sg_flow_get(struct sg_turn *turn)
{
    uint32_t index = sg_flow_find(turn->state, turn->envelope->flow_get->flow);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowIs is = SGPB__FLOW_IS__INIT;

    if (index == 0) {
        sg_turn_refuse(turn, SG_ERR_FLOW, "flow");
        return;
    }
    is.flow = sg_flow_catalogue(turn, sg_state_flow(turn->state, index));
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW;
    envelope.flow = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}
