#include "broker/core/deliver.h"

#include "broker/core/cold.h"
#include "broker/core/lost.h"
#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"

enum { STAGE_KEY = 3, CANDIDATES_MAX = 512, TRIES = 8 };
#define DAY_US (24 * 3600 * 1000000ull)

const Sgpb__DeliveryEntry *
sg_deliver_statement(struct sg_turn *turn, uint64_t seq)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    struct sg_slice body = {0};

    // What this turn wrote is in its output; what is older is in the log.
    for (size_t i = turn->output->entries_count; i > 0 && body.ptr == NULL; i--)
        if (turn->output->entries[i - 1].seq == seq)
            body = turn->output->entries[i - 1].body;
    if (body.ptr == NULL &&
        !lookup->entry(lookup->ctx, seq, turn->arena, &body))
        return NULL;
    return sg_pack_open(turn->arena, &sgpb__delivery_entry__descriptor, body);
}

static struct sg_sending *
slot_named(struct sg_turn *turn, struct sg_session *session, struct sg_slice id)
{
    uint32_t index = sg_state_find(turn->state->delivery_of, id);

    for (size_t i = 0; index != 0 && i < SG_SENDING_MAX; i++)
        if (session->sending[i].delivery == index &&
            sg_deliver_sends(turn->state, &session->sending[i]))
            return &session->sending[i];
    return NULL;
}

// What came does not have the chunk root of the statement. Nobody but the disk
// can have changed it on the way, so it is looked at; the subscriber attaches
// again and is sent it anew, or what was made in its place.
static void
look_for_damage(struct sg_turn *turn, struct sg_sending *slot)
{
    const struct sg_delivery *delivery =
        sg_state_delivery(turn->state, slot->delivery);
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);

    if (sg_refuse_token(&quota->bucket[SG_BUCKET_VERIFY], turn->now,
                        SG_LIMIT_VERIFY_PER_S))
        sg_lost_check(
            turn,
            &sg_state_rendition(turn->state, delivery->rendition)->object);
    *slot = (struct sg_sending){0};
}

void
sg_deliver_ready(struct sg_turn *turn)
{
    struct sg_sending *slot =
        slot_named(turn, turn->session,
                   sg_pack_slice(turn->envelope->delivery_ready->delivery_id));

    if (slot == NULL)
        return; // stopped meanwhile, or never begun: it was told so
    const struct sg_delivery *delivery =
        sg_state_delivery(turn->state, slot->delivery);
    if (turn->envelope->delivery_ready->damaged) {
        look_for_damage(turn, slot);
        return;
    }
    if (slot->next_index <
        sg_state_rendition(turn->state, delivery->rendition)->object.chunks) {
        sg_turn_refuse(turn, SG_ERR_SHORT, "delivery_id");
        return;
    }
    slot->ready = true;
    turn->core->keys_due = true;
}

// ---- the last look -------------------------------------------------------------------------

struct candidate {
    struct sg_session *session;
    struct sg_sending *slot;
    uint32_t delivery;
    uint32_t delete_days; // the recipient is to delete after so many; 0: never
    bool looked, permitted;
};

// A key of it is on its way to where its subscriber was attached before: what
// becomes of that one is known first, or a statement could leave it out (S36).
static bool
is_in_flight(const struct sg_core *core, uint32_t delivery)
{
    const struct sg_delivery *one = sg_state_delivery(core->state, delivery);

    return sg_table_get(core->in_flight, sg_slice_of(one->id, 16), NULL);
}

static size_t
gather(struct sg_turn *turn, struct candidate *all)
{
    struct sg_core *core = turn->core;
    size_t count = 0;

    for (uint32_t i = sg_pool_next(core->sessions, 0); i != 0;
         i = sg_pool_next(core->sessions, i)) {
        struct sg_session *session = sg_pool_at(core->sessions, i);
        if (session->keys_out > 0)
            continue; // at most one frame of keys unreceipted (S36)
        for (size_t k = 0; k < SG_SENDING_MAX; k++) {
            if (!session->sending[k].ready ||
                !sg_deliver_sends(turn->state, &session->sending[k]) ||
                is_in_flight(core, session->sending[k].delivery))
                continue;
            if (count == CANDIDATES_MAX)
                return count;
            all[count++] =
                (struct candidate){.session = session,
                                   .slot = &session->sending[k],
                                   .delivery = session->sending[k].delivery};
        }
    }
    return count;
}

static uint32_t
delete_days(const struct sg_outcome *outcome)
{
    for (size_t i = 0; i < outcome->obligations_count; i++)
        if (outcome->obligations[i].name == SG_OBLIGATION_DELETE_AFTER_DAYS)
            return outcome->obligations[i].arg[0];
    return 0;
}

// Decides all candidates of one release once more; one entry.
static uint64_t
look(struct sg_turn *turn, struct candidate *all, size_t count,
     uint32_t release)
{
    struct sg_deciding *deciding = sg_match_begin(
        turn, sg_state_release(turn->state, release)->seq, STAGE_KEY, count);
    struct sg_outcome *outcome = sg_turn_take(turn, sizeof *outcome);

    for (size_t i = 0; i < count; i++) {
        const struct sg_delivery *delivery =
            sg_state_delivery(turn->state, all[i].delivery);
        if (all[i].looked || delivery->release != release)
            continue;
        all[i].looked = true;
        all[i].slot->ready = false;
        if (delivery->state != SG_DELIVERY_STATED &&
            delivery->state != SG_DELIVERY_KEYED)
            continue;
        sg_match_decide(turn, release, delivery->subscription,
                        delivery->first_held, outcome);
        if (outcome->verdict == SG_VERDICT_PERMIT &&
            outcome->suppress_below != delivery->suppress_below) {
            // What travelled is not what may go now: it is denied, and the
            // next release is made as it must be.
            outcome->verdict = SG_VERDICT_DENY;
            outcome->why = SG_WHY_NO_FIXPOINT;
        }
        all[i].permitted = outcome->verdict == SG_VERDICT_PERMIT;
        all[i].delete_days = delete_days(outcome);
        sg_match_add(turn, deciding, delivery->id, delivery->subscription,
                     outcome);
    }
    return sg_match_write(turn, deciding);
}

static void
hand_over(struct sg_turn *turn, const struct candidate *one, uint64_t seq)
{
    const struct sg_delivery *delivery =
        sg_state_delivery(turn->state, one->delivery);
    const struct sg_object *object =
        &sg_state_rendition(turn->state, delivery->rendition)->object;
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_RELEASE_KEY, seq);

    memcpy(effect->u.key.delivery, delivery->id, 16);
    effect->u.key.to = one->session->peer;
    effect->u.key.released = seq;
    effect->u.key.stop_epoch =
        sg_deliver_stop_epoch(turn->state, one->delivery);
    memcpy(effect->u.key.manifest, object->manifest, 32);
    memcpy(effect->u.key.variant, object->variant, 16);
    one->session->keys_out++;
    enum sg_err err =
        sg_table_put(turn->core->in_flight, sg_slice_of(delivery->id, 16), seq);
    SG_ASSERT(err == SG_OK); // as many as slots
}

// The duty and its day stand before the key that it comes with, so that no key
// leaves without it; once for a delivery, anew after a key that was cancelled.
static void
owe_deletion(struct sg_turn *turn, const struct candidate *one)
{
    const struct sg_delivery *delivery =
        sg_state_delivery(turn->state, one->delivery);
    Sgpb__Duty body = SGPB__DUTY__INIT;

    if (one->delete_days == 0 || delivery->released != 0)
        return;
    body.delivery_id = sg_pack_bytes(delivery->id, 16);
    body.kind =
        (char *)(uintptr_t)sg_obligation_text(SG_OBLIGATION_DELETE_AFTER_DAYS);
    body.due = turn->now + one->delete_days * DAY_US;
    body.arg = sg_arena_printf(turn->arena, "%u", one->delete_days);
    SG_ASSERT(body.arg != NULL);
    sg_turn_append(turn, SG_ENTRY_DUTY_OWED, &body.base);
}

// One `key released` for all permitted deliveries of one rendition.
static void
release_keys(struct sg_turn *turn, struct candidate *all, size_t count,
             size_t from, uint64_t decision)
{
    uint32_t rendition =
        sg_state_delivery(turn->state, all[from].delivery)->rendition;
    Sgpb__KeyReleased body = SGPB__KEY_RELEASED__INIT;

    body.deliveries = sg_turn_take(turn, count * sizeof *body.deliveries);
    for (size_t i = from; i < count; i++)
        if (all[i].permitted &&
            sg_state_delivery(turn->state, all[i].delivery)->rendition ==
                rendition) {
            owe_deletion(turn, &all[i]);
            body.deliveries[body.n_deliveries++] = sg_pack_bytes(
                sg_state_delivery(turn->state, all[i].delivery)->id, 16);
        }
    body.object = sg_state_rendition(turn->state, rendition)->seq;
    body.decision = decision;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_KEY_RELEASED, &body.base);
    for (size_t i = from; i < count; i++)
        if (all[i].permitted &&
            sg_state_delivery(turn->state, all[i].delivery)->rendition ==
                rendition) {
            all[i].permitted = false;
            hand_over(turn, &all[i], seq);
        }
}

void
sg_deliver_turn(struct sg_turn *turn)
{
    struct candidate *all;
    size_t count;

    if (!turn->core->keys_due)
        return;
    turn->core->keys_due = false;
    all = sg_turn_take(turn, CANDIDATES_MAX * sizeof *all);
    count = gather(turn, all);
    for (size_t i = 0; i < count; i++) {
        if (all[i].looked)
            continue;
        uint32_t release =
            sg_state_delivery(turn->state, all[i].delivery)->release;
        uint64_t decision = look(turn, all, count, release);
        for (size_t k = 0; k < count; k++)
            if (all[k].permitted)
                release_keys(turn, all, count, k, decision);
    }
    for (size_t i = 0; i < count; i++) {
        sg_match_wait(turn->core, all[i].delivery);
        sg_deliver_tell(turn, all[i].delivery);
    }
    if (count == CANDIDATES_MAX)
        turn->core->keys_due = turn->core->any_due = true;
}

// ---- what became of the frame --------------------------------------------------------------

void
sg_deliver_key_sent(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_slice id = sg_slice_of(event->u.key.delivery, 16);
    uint32_t index = sg_state_find(turn->state->delivery_of, id);

    sg_table_remove(turn->core->in_flight, id);
    if (index == 0)
        return;
    // Attached anew meanwhile, the subscriber waits for it again.
    struct sg_session *session = sg_session_of(
        turn->core, sg_state_delivery(turn->state, index)->subscription);
    const struct sg_sending *slot =
        session == NULL ? NULL : slot_named(turn, session, id);
    if (slot != NULL && slot->ready)
        turn->core->keys_due = true;
}

void
sg_deliver_key_not_sent(struct sg_turn *turn, const struct sg_event *event)
{
    struct sg_slice id = sg_slice_of(event->u.key.delivery, 16);
    uint32_t index = sg_state_find(turn->state->delivery_of, id);
    Sgpb__KeyCancelled body = SGPB__KEY_CANCELLED__INIT;
    ProtobufCBinaryData name = sg_pack_bytes(event->u.key.delivery, 16);
    uint64_t released;

    if (!sg_table_get(turn->core->in_flight, id, &released) ||
        released != event->u.key.released)
        return;
    sg_table_remove(turn->core->in_flight, id);
    if (index == 0)
        return; // over, and no longer in memory: there is nothing to cancel
    // With the key taken back the delivery may be over, and leave memory with
    // its release.
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    const uint32_t subscription = delivery->subscription;
    const uint32_t flow =
        sg_state_release(turn->state, delivery->release)->flow;
    body.deliveries = &name;
    body.n_deliveries = 1;
    body.released = released;
    body.cause = turn->state->next_seq - 1;
    sg_turn_append(turn, SG_ENTRY_KEY_CANCELLED, &body.base);
    struct sg_session *session = sg_session_of(turn->core, subscription);
    struct sg_sending *slot =
        session == NULL ? NULL : slot_named(turn, session, id);
    if (session != NULL && session->keys_out > 0)
        session->keys_out--;
    if (slot != NULL && ++slot->tries < TRIES) {
        slot->ready = true; // looked at again: it may go, or is denied
        turn->core->keys_due = true;
    }
    sg_policy_due_flow(turn->core, flow, SG_DUE_DECIDE);
}

// ---- receipts -------------------------------------------------------------

static enum sg_err
check_ack(struct sg_turn *turn, const Sgpb__Signed *document,
          const Sgpb__ReceiptAck *ack, uint32_t index, const char **field)
{
    const struct sg_delivery *delivery;
    const struct sg_subscription *to;
    const struct sg_key *key;
    enum sg_err err;

    *field = "delivery_id";
    if (index == 0)
        return SG_ERR_RECEIPT;
    delivery = sg_state_delivery(turn->state, index);
    to = sg_state_subscription(turn->state, delivery->subscription);
    if (strcmp(to->doc->subscriber, turn->who->id) != 0)
        return SG_ERR_RECEIPT;
    *field = "manifest_sha256";
    if (!sg_pack_is(ack->manifest_sha256,
                    sg_state_release(turn->state, delivery->release)->manifest,
                    32))
        return SG_ERR_RECEIPT;
    *field = "kept";
    if (ack->kept != 1 && ack->kept != 2)
        return SG_ERR_RECEIPT;
    *field = NULL;
    key = sg_roster_signer(turn, document, SG_SIGN_RECEIPT_ACK, SG_USE_SIGN,
                           &err);
    if (key == NULL)
        return err;
    return key->place == turn->key->place &&
                   (key->roles & SG_ROLE_SUBSCRIBER) != 0
               ? SG_OK
               : SG_ERR_PEER_KEY_USE;
}

// The receipt that the subscriber gave before: said again, it costs no check.
// It may have left memory. 0: none such, or not by this subscriber.
static uint64_t
receipt_before(const struct sg_turn *turn, const Sgpb__ReceiptAck *ack,
               uint32_t index)
{
    const struct sg_state *state = turn->state;
    struct sg_release release;
    struct sg_cold_delivery old;
    uint32_t by;

    if (index != 0) {
        const struct sg_delivery *now = sg_state_delivery(state, index);
        return strcmp(sg_state_subscription(state, now->subscription)
                          ->doc->subscriber,
                      turn->who->id) == 0
                   ? now->ack
                   : 0;
    }
    if (ack->manifest_sha256.len != 32 || ack->delivery_id.len != 16 ||
        sg_cold_taker(state, ack->delivery_id.data, &by) != SG_OK ||
        strcmp(sg_state_subscription(state, by)->doc->subscriber,
               turn->who->id) != 0 ||
        sg_release_named(state, ack->manifest_sha256.data, &release) != SG_OK ||
        sg_cold_delivery(state, release.seq, by, &old) != SG_OK)
        return 0;
    return sg_pack_is(ack->delivery_id, old.id, 16) ? old.ack : 0;
}

void
sg_deliver_receipt(struct sg_turn *turn)
{
    const Sgpb__Signed *document = turn->envelope->delivery_receipt->ack;
    const Sgpb__ReceiptAck *ack =
        document == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__receipt_ack__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__ReceiptAckEntry body = SGPB__RECEIPT_ACK_ENTRY__INIT;
    const char *field = "ack";

    if (ack == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, field);
        return;
    }
    uint32_t index = sg_state_find(turn->state->delivery_of,
                                   sg_pack_slice(ack->delivery_id));
    uint64_t before = receipt_before(turn, ack, index);
    if (before != 0) {
        sg_turn_receipt(turn, before, true);
        return;
    }
    enum sg_err err = check_ack(turn, document, ack, index, &field);
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, field);
        return;
    }
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);
    uint8_t event = ack->kept == 1 ? SG_DELIVERY_KEEP : SG_DELIVERY_REFUSE;
    if (sg_fsm_next(&sg_deliver_fsm, delivery->state, event) == SG_FSM_NO) {
        sg_turn_refuse(turn, SG_ERR_RECEIPT, "delivery_id");
        return;
    }
    bool keyed = delivery->released != 0;
    body.ack = (Sgpb__Signed *)(uintptr_t)document;
    body.subscription = sg_pack_text(
        turn->arena,
        sg_state_subscription(turn->state, delivery->subscription)->id);
    body.cursor = sg_state_release(turn->state, delivery->release)->seq + 1;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_RECEIPT_ACK, &body.base);
    struct sg_session *session = turn->session;
    struct sg_sending *slot =
        slot_named(turn, session, sg_pack_slice(ack->delivery_id));
    if (slot != NULL)
        *slot = (struct sg_sending){0};
    if (keyed && session->keys_out > 0)
        session->keys_out--;
    sg_match_wait(turn->core, index); // refused while it was held: no timer
    turn->core->keys_due = true;      // the next keys of this peer may go
    sg_turn_receipt(turn, seq, false);
    sg_deliver_pump(turn, session);
}
