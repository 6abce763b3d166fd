#include "broker/core/consented.h"
#include "broker/core/deliver.h"
#include "broker/core/policy_admin.h"
#include "broker/core/roster.h"

enum { FATES_MAX = 16384 };
enum { LEFT_RECEIPTED = 1, LEFT_UNRECEIPTED, CANCELLED, CIPHERTEXT_ONLY };

static bool
names(const struct sg_flow *flow, struct sg_slice agreement)
{
    for (size_t i = 0; i < flow->terms->n_agreements; i++)
        if (sg_slice_eq(agreement, sg_slice_text(flow->terms->agreements[i])))
            return true;
    return false;
}

// Is a key of this scope, released before the event, still on its way?
static bool
unsettled(const struct sg_turn *turn, const struct sg_agreement *agreement)
{
    struct sg_slice id;
    uint64_t released;
    uint32_t at = 0;

    while (sg_table_next(turn->core->in_flight, &at, &id, &released)) {
        uint32_t index = sg_state_find(turn->state->delivery_of, id);
        if (index == 0 || released > agreement->last_stop)
            continue;
        const struct sg_release *release = sg_state_release(
            turn->state, sg_state_delivery(turn->state, index)->release);
        if (names(sg_state_flow(turn->state, release->flow), agreement->id))
            return true;
    }
    return false;
}

// What has become of one delivery; 0: nothing of it has gone out.
static uint32_t
fate_of(const struct sg_delivery *delivery, uint64_t *entry)
{
    if (delivery->ack != 0 && delivery->released != 0) {
        *entry = delivery->ack;
        return LEFT_RECEIPTED;
    }
    if (delivery->released != 0) {
        *entry = delivery->released;
        return LEFT_UNRECEIPTED;
    }
    if (delivery->cancelled != 0) {
        *entry = delivery->cancelled;
        return CANCELLED;
    }
    *entry = delivery->statement;
    return delivery->statement != 0 ? CIPHERTEXT_ONLY : 0;
}

static void
add_fates(struct sg_turn *turn, uint32_t flow, Sgpb__Statement *out)
{
    const struct sg_state *state = turn->state;
    uint64_t before = sg_state_flow(state, flow)->released_before;

    // Receipted deliveries of old releases have left memory; their keys count.
    if (before > out->last_key_released)
        out->last_key_released = before;
    for (uint32_t i = sg_state_flow(state, flow)->first_subscription; i != 0;
         i = sg_state_subscription(state, i)->next)
        for (uint32_t d = sg_state_subscription(state, i)->first;
             d != 0 && out->n_fates < FATES_MAX;
             d = sg_state_delivery(state, d)->next) {
            const struct sg_delivery *delivery = sg_state_delivery(state, d);
            uint64_t entry;
            uint32_t what = fate_of(delivery, &entry);
            if (what == 0)
                continue;
            Sgpb__Fate *fate = sg_turn_take(turn, sizeof *fate);
            *fate = (Sgpb__Fate)SGPB__FATE__INIT;
            fate->delivery_id = sg_pack_bytes(delivery->id, 16);
            fate->fate = what;
            fate->entry = entry;
            out->fates[out->n_fates++] = fate;
            if (what <= LEFT_UNRECEIPTED &&
                delivery->released > out->last_key_released)
                out->last_key_released = delivery->released;
        }
}

static void
send_statement(struct sg_turn *turn, uint32_t agreement,
               Sgpb__Signed *statement, uint64_t seq)
{
    struct sg_core *core = turn->core;
    size_t kept = 0;

    for (size_t i = 0; i < core->asked_count; i++) {
        if (core->asked[i].agreement != agreement) {
            core->asked[kept++] = core->asked[i];
            continue;
        }
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__StatementIs is = SGPB__STATEMENT_IS__INIT;
        is.statement = statement;
        envelope.request = core->asked[i].request;
        envelope.body_case = SGPB__ENVELOPE__BODY_STATEMENT;
        envelope.statement = &is;
        sg_turn_send(turn, &core->asked[i].peer, &envelope, seq)->receipt_of =
            seq;
    }
    core->asked_count = kept;
}

static void
answer(struct sg_turn *turn, uint32_t index)
{
    const struct sg_agreement *agreement =
        sg_state_agreement(turn->state, index);
    Sgpb__Statement body = SGPB__STATEMENT__INIT;
    Sgpb__StatementEntry entry = SGPB__STATEMENT_ENTRY__INIT;

    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.event_sha256 = sg_pack_bytes(agreement->stop_sha256, 32);
    body.event_index = agreement->last_stop;
    body.fates = sg_turn_take(turn, FATES_MAX * sizeof *body.fates);
    for (uint32_t i = sg_pool_next(turn->state->flows, 0); i != 0;
         i = sg_pool_next(turn->state->flows, i))
        if (names(sg_state_flow(turn->state, i), agreement->id))
            add_fates(turn, i, &body);
    body.answered = turn->now;
    entry.statement = sg_roster_sign(turn, SG_SIGN_STATEMENT, &body.base);
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_STATEMENT, &entry.base);
    send_statement(turn, index, entry.statement, seq);
}

void
sg_consented_statements(struct sg_turn *turn)
{
    for (uint32_t i = sg_pool_next(turn->state->agreements, 0); i != 0;
         i = sg_pool_next(turn->state->agreements, i)) {
        const struct sg_agreement *one = sg_state_agreement(turn->state, i);
        if (one->last_stop != 0 && one->last_stop >= one->stated &&
            !unsettled(turn, one))
            answer(turn, i);
    }
}
