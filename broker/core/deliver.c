#include "broker/core/deliver.h"

#include "broker/core/cure.h"
#include "broker/core/destroy.h"
#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"
#include "policy/explain.h"

// ---- statements ------------------------------------------------------------------------

// What the release allows, and no more than was promised: all parts say the same.
static uint32_t
onward_of(const struct sg_outcome *outcome)
{
    for (size_t i = 0; i < outcome->obligations_count; i++)
        if (outcome->obligations[i].name == SG_OBLIGATION_NO_ONWARD)
            return SG_ONWARD_FORBIDDEN;
    return outcome->parts == 0 ? 0 : outcome->request[0].code[SG_ATTR_ONWARD];
}

static Sgpb__Signed *
statement_of(struct sg_turn *turn, const struct sg_delivery *delivery,
             const struct sg_rendition *made, const struct sg_outcome *outcome)
{
    const struct sg_release *release =
        sg_state_release(turn->state, delivery->release);
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, delivery->subscription);
    Sgpb__Delivery body = SGPB__DELIVERY__INIT;
    uint8_t sha256[32], nonce[16];

    sg_crypto_sha256(to->signature->body.data, to->signature->body.len, sha256);
    sg_turn_draw(turn, nonce, sizeof nonce);
    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.delivery_id = sg_pack_bytes(delivery->id, 16);
    body.subscriber = to->doc->subscriber;
    body.subscription_sha256 = sg_pack_bytes(sha256, 32);
    body.manifest_sha256 = sg_pack_bytes(release->manifest, 32);
    body.decision = delivery->decision;
    body.obligations = sg_turn_take(turn, (outcome->obligations_count + 1) *
                                              sizeof *body.obligations);
    for (; body.n_obligations < outcome->obligations_count;
         body.n_obligations++)
        body.obligations[body.n_obligations] = sg_deliver_obligation(
            turn, &outcome->obligations[body.n_obligations]);
    body.shared_proof_commit = made->doc->shared_proof_commit;
    body.media = made->doc->media;
    body.chunks = made->object.chunks;
    body.chunk_root = sg_pack_bytes(made->object.chunk_root, 32);
    body.key_commit = made->doc->key_commit;
    body.onward = onward_of(outcome);
    body.expires = release->retain_until;
    body.nonce = sg_pack_bytes(nonce, sizeof nonce);
    body.attempt = sg_pack_bytes(made->object.attempt, 16);
    return sg_roster_sign(turn, SG_SIGN_DELIVERY, &body.base);
}

// The delivery statement, on the decision as it is now. false: not permitted
// any more, or otherwise than the rendition was made.
static bool
state_delivery(struct sg_turn *turn, uint32_t index, uint32_t rendition)
{
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    const struct sg_rendition *made =
        sg_state_rendition(turn->state, rendition);
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, delivery->subscription);
    struct sg_outcome *outcome = sg_turn_take(turn, sizeof *outcome);
    Sgpb__DeliveryEntry body = SGPB__DELIVERY_ENTRY__INIT;

    sg_match_decide(turn, delivery->release, delivery->subscription,
                    delivery->first_held, outcome);
    if (outcome->verdict != SG_VERDICT_PERMIT ||
        outcome->suppress_below != delivery->suppress_below) {
        sg_policy_due_flow(
            turn->core, sg_state_release(turn->state, delivery->release)->flow,
            SG_DUE_DECIDE);
        return false;
    }
    body.delivery = statement_of(turn, delivery, made, outcome);
    body.object = made->seq;
    body.subscription = sg_pack_text(turn->arena, to->id);
    sg_turn_append(turn, SG_ENTRY_DELIVERY, &body.base);
    sg_destroy_used(turn, rendition);
    return true;
}

// ---- sending -----------------------------------------------------------------------------

bool
sg_deliver_sends(const struct sg_state *state, const struct sg_sending *slot)
{
    return slot->delivery != 0 &&
           sg_pool_has(state->deliveries, slot->delivery) &&
           memcmp(sg_state_delivery(state, slot->delivery)->id,
                  slot->delivery_id, 16) == 0;
}

// delivery 0: a free one.
static struct sg_sending *
slot_of(const struct sg_state *state, struct sg_session *session,
        uint32_t delivery)
{
    for (size_t i = 0; i < SG_SENDING_MAX; i++) {
        struct sg_sending *slot = &session->sending[i];
        bool sends = sg_deliver_sends(state, slot);
        if (delivery == 0 ? !sends : sends && slot->delivery == delivery)
            return slot;
    }
    return NULL;
}

static void
send_begin(struct sg_turn *turn, struct sg_session *session, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    const struct sg_release *release =
        sg_state_release(turn->state, delivery->release);
    const struct sg_rendition *made =
        sg_state_rendition(turn->state, delivery->rendition);
    const Sgpb__Accepted *detail = sg_release_detail(turn, delivery->release);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryBegin begin = SGPB__DELIVERY_BEGIN__INIT;
    const Sgpb__DeliveryEntry *entry =
        sg_deliver_statement(turn, delivery->statement);

    SG_ASSERT(detail != NULL && entry != NULL);
    begin.delivery = entry->delivery;
    begin.subscription = entry->subscription;
    begin.offset = release->seq;
    begin.manifest = detail->manifest;
    begin.derivation = made->doc->derivation;
    begin.bytes = made->object.bytes;
    begin.encoding = (char *)(uintptr_t) "none";
    begin.entry = delivery->statement;
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_BEGIN;
    envelope.delivery_begin = &begin;
    sg_turn_send(turn, &session->peer, &envelope, delivery->statement)
        ->receipt_of = delivery->statement;
}

static uint64_t
sealed_len(const struct sg_object *object, uint64_t index)
{
    uint64_t plain = index + 1 < object->chunks
                         ? object->chunk_size
                         : object->bytes - index * object->chunk_size;

    return plain + SG_TAG_LEN;
}

static void
send_chunks(struct sg_turn *turn, struct sg_session *session,
            struct sg_sending *slot)
{
    const struct sg_delivery *delivery =
        sg_state_delivery(turn->state, slot->delivery);
    const struct sg_object *object =
        &sg_state_rendition(turn->state, delivery->rendition)->object;

    if (sg_destroy_is_lost(turn->core, delivery->rendition))
        return; // it is made again, and begun again then
    for (; slot->next_index < object->chunks; slot->next_index++) {
        uint64_t len = sealed_len(object, slot->next_index);
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__DeliveryChunk chunk = SGPB__DELIVERY_CHUNK__INIT;
        if (session->send_bytes < len || session->send_messages == 0)
            return;
        session->send_bytes -= len;
        session->send_messages--;
        chunk.delivery_id = sg_pack_bytes(delivery->id, 16);
        chunk.index = slot->next_index;
        envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_CHUNK;
        envelope.delivery_chunk = &chunk;
        struct sg_effect_send *send =
            sg_turn_send(turn, &session->peer, &envelope, delivery->statement);
        send->chunk_of = true;
        send->index = slot->next_index;
        memcpy(send->object, object->id, 16);
    }
}

static bool
travels(uint8_t state)
{
    return state == SG_DELIVERY_STATED || state == SG_DELIVERY_KEYED;
}

// One step further with one delivery, if there is a place for it.
static void
advance(struct sg_turn *turn, struct sg_session *session, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    struct sg_sending *slot = slot_of(turn->state, session, index);
    bool begun = slot != NULL;

    if (!begun && (slot = slot_of(turn->state, session, 0)) == NULL)
        return;
    if (delivery->state == SG_DELIVERY_QUEUED) {
        uint32_t rendition = sg_render_want(turn, index);
        if (rendition == 0 || !state_delivery(turn, index, rendition))
            return;
    }
    if (!travels(delivery->state))
        return;
    if (!begun) {
        // The release must be readable to be shown; if it is not yet durable
        // the next turn comes here again.
        if (sg_release_detail(turn, delivery->release) == NULL ||
            sg_deliver_statement(turn, delivery->statement) == NULL) {
            sg_policy_due_flow(
                turn->core,
                sg_state_release(turn->state, delivery->release)->flow,
                SG_DUE_SEND);
            return;
        }
        *slot = (struct sg_sending){.delivery = index};
        memcpy(slot->delivery_id, delivery->id, 16);
        sg_deliver_resume(session, turn->state, slot);
        send_begin(turn, session, index);
    }
    send_chunks(turn, session, slot);
}

// false: the turn has no room for all of it. Coming again is cheap for those that
// are on their way.
static bool
pump_subscription(struct sg_turn *turn, struct sg_session *session,
                  uint32_t subscription)
{
    for (uint32_t d = sg_state_subscription(turn->state, subscription)->first;
         d != 0; d = sg_state_delivery(turn->state, d)->next) {
        if (sg_deliver_final(sg_state_delivery(turn->state, d)->state))
            continue;
        if (!sg_output_has_room(turn->output))
            return false;
        advance(turn, session, d);
    }
    return true;
}

// For one session; what the turn has no room for is left to a pass of the flow.
static void
pump_or_later(struct sg_turn *turn, struct sg_session *session,
              uint32_t subscription)
{
    if (!pump_subscription(turn, session, subscription))
        sg_policy_due_flow(
            turn->core, sg_state_subscription(turn->state, subscription)->flow,
            SG_DUE_SEND | SG_DUE_REST);
}

// A pass looks at every subscription that is there when it begins; what asks for
// one in its middle asks for another.
uint8_t
sg_deliver_flow(struct sg_turn *turn, uint32_t flow, uint8_t due)
{
    struct sg_send_at *at = &turn->core->send_at[flow];

    if (at->subscription == 0)
        at->subscription = sg_state_flow(turn->state, flow)->first_subscription;
    else if ((due & ~(SG_DUE_ROOMS | SG_DUE_REST)) != 0)
        at->again = true;
    for (; at->subscription != 0;
         at->subscription =
             sg_state_subscription(turn->state, at->subscription)->next) {
        struct sg_session *session =
            sg_session_of(turn->core, at->subscription);
        if (session != NULL &&
            !pump_subscription(turn, session, at->subscription))
            return SG_DUE_REST;
    }
    uint8_t rest = at->again ? SG_DUE_REST : 0;
    at->again = false;
    return rest;
}

void
sg_deliver_pump(struct sg_turn *turn, struct sg_session *session)
{
    for (size_t i = 0; i < session->subscriptions_count; i++)
        if (sg_session_of(turn->core, session->subscriptions[i]) == session)
            pump_or_later(turn, session, session->subscriptions[i]);
}

// ---- what the subscriber is told -------------------------------------------------------------

static void
fill_stop(struct sg_turn *turn, const struct sg_delivery *delivery,
          const struct sg_outcome *outcome, Sgpb__DeliveryStop *stop)
{
    static const struct sg_decision nothing;
    static const struct sg_request unknown;
    const struct sg_decision *why =
        outcome->parts == 0 ? &nothing : &outcome->part[outcome->worst];
    const struct sg_request *request =
        outcome->parts == 0 ? &unknown : &outcome->request[outcome->worst];
    const struct sg_rules *rules = turn->core->rules;

    stop->code = (char *)(uintptr_t)sg_err_code(SG_ERR_POLICY_NONE);
    stop->sentence = (char *)(uintptr_t)sg_err_sentence(SG_ERR_POLICY_NONE);
    if (rules == NULL)
        return;
    struct sg_explained what = {.rules = rules,
                                .request = request,
                                .day = sg_match_day(turn->now),
                                .decision = why,
                                .audience = SG_AUDIENCE_RECIPIENT};
    stop->code = (char *)(uintptr_t)sg_explain_code(&what);
    stop->sentence = (char *)(uintptr_t)sg_err_sentence(
        outcome->verdict == SG_VERDICT_HOLD ? SG_ERR_HELD : SG_ERR_DENIED);
    if (strcmp(stop->code, sg_err_code(SG_ERR_POLICY_CONTENT)) == 0) {
        // What rests on content or on others' consent reads alike (S44), and
        // so does a missing promise; which ones the rules may ask for is told
        // whatever the reason is.
        stop->cure = sg_cure_promises(turn, delivery->subscription);
        stop->sentence =
            (char *)(uintptr_t)sg_err_sentence(SG_ERR_POLICY_CONTENT);
        return;
    }
    if (why->rules_count > 0)
        stop->rule =
            sg_pack_text(turn->arena, sg_policy_rule_name(turn->core->policy,
                                                          why->rules[0]));
}

// With its reasons, as long as the turn has room for them; `why` gives them too.
static void
explain_stop(struct sg_turn *turn, const struct sg_delivery *delivery,
             Sgpb__DeliveryStop *stop)
{
    if (!sg_output_has_room(turn->output)) {
        stop->code = (char *)(uintptr_t)sg_err_code(SG_ERR_POLICY_CONTENT);
        stop->sentence =
            (char *)(uintptr_t)sg_err_sentence(SG_ERR_POLICY_CONTENT);
        return;
    }
    if (turn->told == NULL)
        turn->told = sg_turn_take(turn, sizeof *turn->told);
    sg_match_decide(turn, delivery->release, delivery->subscription,
                    delivery->first_held, turn->told);
    fill_stop(turn, delivery, turn->told, stop);
}

void
sg_deliver_tell(struct sg_turn *turn, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    struct sg_session *session =
        sg_session_of(turn->core, delivery->subscription);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryStop stop = SGPB__DELIVERY_STOP__INIT;
    enum sg_err stuck = SG_OK;

    if (session == NULL || travels(delivery->state))
        return;
    if (delivery->state == SG_DELIVERY_QUEUED &&
        (stuck = sg_render_stuck(turn, index)) == SG_OK)
        return;
    struct sg_sending *slot = slot_of(turn->state, session, index);
    if (slot != NULL)
        *slot = (struct sg_sending){0};
    stop.delivery_id = sg_pack_bytes(delivery->id, 16);
    stop.seq = delivery->decision;
    stop.subscription = sg_pack_text(
        turn->arena,
        sg_state_subscription(turn->state, delivery->subscription)->id);
    stop.offset = sg_state_release(turn->state, delivery->release)->seq;
    explain_stop(turn, delivery, &stop);
    if (stuck != SG_OK) {
        stop.code = (char *)(uintptr_t)sg_err_code(stuck);
        stop.sentence = (char *)(uintptr_t)sg_err_sentence(stuck);
        stop.cure = (char *)(uintptr_t)sg_err_cure(stuck);
        stop.rule = (char *)(uintptr_t) "";
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_STOP;
    envelope.delivery_stop = &stop;
    sg_turn_send(turn, &session->peer, &envelope, turn->state->next_seq - 1);
}

void
sg_deliver_tell_release(struct sg_turn *turn, uint32_t release)
{
    uint32_t flow = sg_state_release(turn->state, release)->flow;

    for (uint32_t i = sg_state_flow(turn->state, flow)->first_subscription;
         i != 0; i = sg_state_subscription(turn->state, i)->next) {
        if (sg_session_of(turn->core, i) == NULL)
            continue;
        for (uint32_t d = sg_state_subscription(turn->state, i)->first; d != 0;
             d = sg_state_delivery(turn->state, d)->next) {
            const struct sg_delivery *one = sg_state_delivery(turn->state, d);
            if (one->release == release && one->state == SG_DELIVERY_QUEUED)
                sg_deliver_tell(turn, d);
        }
    }
}

// ---- ATTACH ------------------------------------------------------------------------------------

static void
remember(struct sg_turn *turn, struct sg_session *session,
         const Sgpb__Attach *attach)
{
    session->have_count = 0;
    for (size_t i = 0; i < attach->n_have && i < SG_SENDING_MAX; i++)
        if (attach->have[i]->delivery_id.len == 16) {
            struct sg_have *have = &session->have[session->have_count++];
            memcpy(have->delivery_id, attach->have[i]->delivery_id.data, 16);
            have->next_index = attach->have[i]->next_index;
        }
    (void)turn;
}

void
sg_deliver_resume(struct sg_session *session, const struct sg_state *state,
                  struct sg_sending *slot)
{
    const struct sg_delivery *delivery =
        sg_state_delivery(state, slot->delivery);
    uint64_t chunks =
        sg_state_rendition(state, delivery->rendition)->object.chunks;

    for (size_t i = 0; i < session->have_count; i++)
        if (memcmp(session->have[i].delivery_id, delivery->id, 16) == 0 &&
            session->have[i].next_index <= chunks)
            slot->next_index = session->have[i].next_index;
}

// Told at an attachment: why it does not come.
static bool
is_told(uint8_t state)
{
    return state == SG_DELIVERY_DENIED || state == SG_DELIVERY_HELD ||
           state == SG_DELIVERY_QUEUED || state == SG_DELIVERY_WAITING;
}

// Each of them is decided again, so that attaching again and again is not free.
// What waits for more than a second's worth may have all of it.
static bool
may_attach(struct sg_turn *turn, uint32_t subscription)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);
    uint32_t taken = 0;

    for (uint32_t d = sg_state_subscription(turn->state, subscription)->first;
         d != 0 && taken < SG_LIMIT_TOLD_PER_S;
         d = sg_state_delivery(turn->state, d)->next) {
        if (!is_told(sg_state_delivery(turn->state, d)->state))
            continue;
        if (!sg_refuse_token(&quota->bucket[SG_BUCKET_TOLD], turn->now,
                             SG_LIMIT_TOLD_PER_S))
            return false;
        taken++;
    }
    return true;
}

static bool
listed(const struct sg_session *session, uint32_t subscription)
{
    for (size_t i = 0; i < session->subscriptions_count; i++)
        if (session->subscriptions[i] == subscription)
            return true;
    return false;
}

void
sg_deliver_attach(struct sg_turn *turn)
{
    const Sgpb__Attach *attach = turn->envelope->attach;
    struct sg_session *session = turn->session;
    uint32_t index = sg_state_find(turn->state->subscription_of,
                                   sg_slice_text(attach->subscription));
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__SubscriptionIs is = SGPB__SUBSCRIPTION_IS__INIT;

    if (index == 0 ||
        strcmp(sg_state_subscription(turn->state, index)->doc->subscriber,
               turn->who->id) != 0) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "subscription");
        return;
    }
    if (!may_attach(turn, index)) {
        sg_turn_refuse(turn, SG_ERR_BUSY, "subscription");
        return;
    }
    if (!listed(session, index)) {
        if (session->subscriptions_count == SG_ATTACHED_MAX) {
            sg_turn_refuse(turn, SG_ERR_FULL, "subscription");
            return;
        }
        session->subscriptions[session->subscriptions_count++] = index;
    }
    sg_session_attach(turn, index);
    remember(turn, session, attach);
    session->keys_out = 0; // it says itself where it stands
    is.id = attach->subscription;
    is.status = (char *)(uintptr_t) "attached";
    is.cursor = sg_state_subscription(turn->state, index)->cursor;
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIPTION;
    envelope.subscription = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
    for (uint32_t d = sg_state_subscription(turn->state, index)->first; d != 0;
         d = sg_state_delivery(turn->state, d)->next) {
        struct sg_sending *slot = slot_of(turn->state, session, d);
        if (slot != NULL)
            *slot = (struct sg_sending){0}; // begin again as `have` says
        if (is_told(sg_state_delivery(turn->state, d)->state))
            sg_deliver_tell(turn, d);
    }
    pump_or_later(turn, session, index);
}
