#include "broker/core/subscribe.h"

#include "broker/core/choice.h"
#include "broker/core/flow.h"
#include "broker/core/policy_admin.h"
#include "broker/core/roster.h"
#include "broker/core/share.h"

enum { START_STATE = 1, START_NEXT = 2, START_OFFSET = 3, PROMISES_MAX = 32 };

uint8_t
sg_subscribe_media(const char *format)
{
    // Numbers of enum sg_media of schemas/sdmx/obs.h, which this folder may
    // not need beyond them: what writers of this version make.
    static const struct {
        const char *word;
        uint8_t media;
    } made[] = {{"", 0},     {"csv10", 1}, {"csv20", 2},  {"csv21", 3},
                {"ml21", 4}, {"ml30", 5},  {"json20", 7}, {"json21", 8}};

    for (size_t i = 0; i < SG_COUNT_OF(made); i++)
        if (strcmp(made[i].word, format) == 0)
            return made[i].media;
    return UINT8_MAX;
}

// ---- apply -------------------------------------------------------------------------

enum sg_err
sg_subscribe_open(struct sg_subscription *subscription)
{
    struct sg_arena *mem = subscription->kept.mem;
    const Sgpb__SubscriptionEntry *entry = sg_pack_open(
        mem, &sgpb__subscription_entry__descriptor, subscription->kept.body);

    if (entry == NULL || entry->subscription == NULL)
        return SG_ERR_DAMAGE;
    subscription->signature = entry->subscription;
    subscription->doc = sg_pack_open(mem, &sgpb__subscription__descriptor,
                                     sg_pack_slice(entry->subscription->body));
    if (subscription->doc == NULL)
        return SG_ERR_DAMAGE;
    subscription->id = sg_slice_text(entry->id);
    subscription->media = sg_subscribe_media(subscription->doc->format);
    return SG_OK;
}

enum sg_err
sg_subscribe_index(struct sg_state *state, uint32_t index)
{
    struct sg_subscription *subscription =
        sg_pool_at(state->subscriptions, index);
    struct sg_flow *flow = sg_pool_at(state->flows, subscription->flow);
    uint32_t *at = &flow->first_subscription;

    while (*at != 0)
        at = &((struct sg_subscription *)sg_pool_at(state->subscriptions, *at))
                  ->next;
    *at = index;
    return sg_table_put(state->subscription_of, subscription->id, index);
}

enum sg_err
sg_subscribe_apply(struct sg_state *state, const struct sg_appended *entry,
                   const void *body)
{
    const Sgpb__SubscriptionEntry *shown = body;
    struct sg_subscription next = {.seq = entry->seq, .start = shown->start};

    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    if (sg_subscribe_open(&next) != SG_OK ||
        (next.flow = sg_state_find(state->flow_of,
                                   sg_slice_text(next.doc->flow))) == 0) {
        sg_state_drop(&next.kept);
        return SG_ERR_DAMAGE;
    }
    uint32_t index = sg_state_find(state->subscription_of, next.id);
    if (index == 0) {
        if ((index = sg_pool_take(state->subscriptions)) == 0)
            return SG_ERR_FULL;
        *(struct sg_subscription *)sg_pool_at(state->subscriptions, index) =
            next;
        return sg_subscribe_index(state, index);
    }
    // Amended: same flow, new terms of use; what is on its way goes on.
    struct sg_subscription *now = sg_pool_at(state->subscriptions, index);
    if (now->flow != next.flow)
        return SG_ERR_DAMAGE;
    sg_state_drop(&now->kept);
    now->kept = next.kept;
    now->doc = next.doc;
    now->signature = next.signature;
    now->id = next.id;
    now->media = next.media;
    now->seq = next.seq;
    now->ended = false;
    now->stops++; // a key on its way was permitted under other promises
    return SG_OK;
}

enum sg_err
sg_subscribe_apply_ended(struct sg_state *state,
                         const struct sg_appended *entry, const void *body)
{
    const Sgpb__SubscriptionEnded *ended = body;
    uint32_t index =
        sg_state_find(state->subscription_of, sg_slice_text(ended->id));

    (void)entry;
    if (index == 0)
        return SG_ERR_DAMAGE;
    struct sg_subscription *subscription =
        sg_pool_at(state->subscriptions, index);
    subscription->ended = true;
    subscription->stops++;
    return SG_OK;
}

// ---- messages ------------------------------------------------------------------------

static bool
admitted(const Sgpb__Participant *who, const char *purpose)
{
    for (size_t i = 0; i < who->n_purposes; i++)
        if (strcmp(who->purposes[i], purpose) == 0)
            return true;
    return false;
}

static const char *
promises_fault(const Sgpb__Subscription *doc)
{
    struct sg_obligation one;
    struct sg_slice args[4];

    if (doc->n_promises > PROMISES_MAX)
        return "promises";
    for (size_t i = 0; i < doc->n_promises; i++) {
        const Sgpb__Subscription__Obligation *promise = doc->promises[i];
        if (promise->n_args > SG_COUNT_OF(args))
            return "promises";
        for (size_t k = 0; k < promise->n_args; k++)
            args[k] = sg_slice_text(promise->args[k]);
        if (!sg_obligation_parse(sg_slice_text(promise->name), args,
                                 promise->n_args, &one))
            return "promises";
    }
    return NULL;
}

static enum sg_err
check(struct sg_turn *turn, const Sgpb__Subscription *doc, const char **field)
{
    *field = "gate";
    if (strcmp(doc->gate, turn->state->gate) != 0)
        return SG_ERR_AUDIENCE;
    *field = "subscriber";
    if (strcmp(doc->subscriber, turn->who->id) != 0)
        return SG_ERR_SUBSCRIPTION;
    *field = "name";
    if (!sg_slice_is_id(sg_slice_text(doc->name)))
        return SG_ERR_SUBSCRIPTION;
    *field = "flow";
    uint32_t flow = sg_flow_find(turn->state, doc->flow);
    if (flow == 0)
        return SG_ERR_FLOW;
    *field = "purpose";
    if (sg_vocabulary_code(SG_ATTR_PURPOSE, sg_slice_text(doc->purpose)) == 0 ||
        !admitted(turn->who, doc->purpose) ||
        !sg_flow_serves(sg_state_flow(turn->state, flow)->terms, doc->purpose))
        return SG_ERR_PURPOSE;
    *field = "format";
    if (sg_subscribe_media(doc->format) == UINT8_MAX)
        return SG_ERR_UNSUPPORTED;
    *field = "start";
    if (doc->start < START_STATE || doc->start > START_OFFSET)
        return SG_ERR_SUBSCRIPTION;
    if ((*field = promises_fault(doc)) != NULL)
        return SG_ERR_SUBSCRIPTION;
    if (sg_roster_expired(turn))
        return SG_ERR_ROSTER_EXPIRED;
    return SG_OK;
}

static enum sg_err
check_signer(struct sg_turn *turn, const Sgpb__Signed *document)
{
    enum sg_err err;

    const struct sg_key *key = sg_roster_signer(
        turn, document, SG_SIGN_SUBSCRIPTION, SG_USE_SIGN, &err);
    if (key == NULL)
        return err;
    return key->place == turn->key->place &&
                   (key->roles & SG_ROLE_SUBSCRIBER) != 0
               ? SG_OK
               : SG_ERR_PEER_KEY_USE;
}

static void
answer(struct sg_turn *turn, const struct sg_subscription *subscription)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__SubscriptionIs is = SGPB__SUBSCRIPTION_IS__INIT;

    is.id = sg_pack_text(turn->arena, subscription->id);
    is.status = (char *)(uintptr_t)(subscription->ended ? "ended" : "active");
    is.cursor = subscription->cursor;
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIPTION;
    envelope.subscription = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

static uint64_t
start_of(const struct sg_turn *turn, const Sgpb__Subscription *doc)
{
    const struct sg_flow *flow =
        sg_state_flow(turn->state, sg_flow_find(turn->state, doc->flow));

    if (doc->start == START_OFFSET)
        return doc->offset;
    if (doc->start == START_STATE && flow->head_release != 0)
        return sg_state_release(turn->state, flow->head_release)->seq;
    return turn->state->next_seq;
}

void
sg_subscribe_put(struct sg_turn *turn)
{
    const Sgpb__Signed *document = turn->envelope->subscribe->subscription;
    const Sgpb__Subscription *doc =
        document == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__subscription__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__SubscriptionEntry body = SGPB__SUBSCRIPTION_ENTRY__INIT;
    const char *field = "subscription";
    enum sg_err err =
        doc == NULL ? SG_ERR_PEER_MALFORMED : check(turn, doc, &field);

    if (err != SG_OK) {
        sg_turn_refuse(turn, err, field);
        return;
    }
    body.id = sg_arena_printf(turn->arena, "%s/%s", doc->subscriber, doc->name);
    SG_ASSERT(body.id != NULL);
    uint32_t index =
        sg_state_find(turn->state->subscription_of, sg_slice_text(body.id));
    const struct sg_subscription *now =
        index == 0 ? NULL : sg_state_subscription(turn->state, index);
    if (now != NULL && !now->ended &&
        sg_slice_eq(sg_pack_slice(now->signature->body),
                    sg_pack_slice(document->body))) {
        answer(turn, now);
        return;
    }
    if ((err = check_signer(turn, document)) == SG_OK && now != NULL &&
        strcmp(now->doc->flow, doc->flow) != 0) {
        err = SG_ERR_SUBSCRIPTION;
        field = "flow";
    }
    if (err == SG_OK && now == NULL &&
        sg_pool_count(turn->state->subscriptions) >=
            turn->core->subscriptions_cap)
        err = SG_ERR_BUSY;
    if (err == SG_OK && now == NULL &&
        !sg_share_left(turn, doc->subscriber, SG_SHARE_SUBSCRIPTIONS))
        err = SG_ERR_FULL;
    body.start = now != NULL ? now->start : start_of(turn, doc);
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, field);
        return;
    }
    if (!sg_choice_fits(turn, doc))
        return;
    body.subscription = (Sgpb__Signed *)(uintptr_t)document;
    if (now == NULL)
        sg_share_add(turn->core, doc->subscriber, SG_SHARE_SUBSCRIPTIONS, 1);
    sg_turn_append(turn, SG_ENTRY_SUBSCRIPTION, &body.base);
    index = sg_state_find(turn->state->subscription_of, sg_slice_text(body.id));
    uint32_t flow = sg_state_subscription(turn->state, index)->flow;
    // Amended, with other promises or another purpose: decided again.
    sg_policy_due_flow(turn->core, flow,
                       now == NULL ? SG_DUE_MATCH
                                   : SG_DUE_MATCH | SG_DUE_DECIDE);
    answer(turn, sg_state_subscription(turn->state, index));
}

static uint32_t
own(const struct sg_turn *turn, const char *id)
{
    uint32_t index =
        sg_state_find(turn->state->subscription_of, sg_slice_text(id));

    return index != 0 && strcmp(sg_state_subscription(turn->state, index)
                                    ->doc->subscriber,
                                turn->who->id) == 0
               ? index
               : 0;
}

void
sg_subscribe_end(struct sg_turn *turn)
{
    uint32_t index = own(turn, turn->envelope->unsubscribe->id);
    Sgpb__SubscriptionEnded body = SGPB__SUBSCRIPTION_ENDED__INIT;

    if (index == 0) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "id");
        return;
    }
    if (!sg_state_subscription(turn->state, index)->ended) {
        body.id = turn->envelope->unsubscribe->id;
        body.reason = (char *)(uintptr_t) "subscriber";
        sg_turn_append(turn, SG_ENTRY_SUBSCRIPTION_ENDED, &body.base);
        sg_policy_due_flow(turn->core,
                           sg_state_subscription(turn->state, index)->flow,
                           SG_DUE_DECIDE);
    }
    answer(turn, sg_state_subscription(turn->state, index));
}

void
sg_subscribe_list(struct sg_turn *turn)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Subscriptions list = SGPB__SUBSCRIPTIONS__INIT;
    enum { SHOWN_MAX = 1024 };

    list.list = sg_turn_take(turn, SHOWN_MAX * sizeof *list.list);
    for (uint32_t i = sg_pool_next(turn->state->subscriptions, 0);
         i != 0 && list.n_list < SHOWN_MAX;
         i = sg_pool_next(turn->state->subscriptions, i)) {
        const struct sg_subscription *one =
            sg_state_subscription(turn->state, i);
        if (strcmp(one->doc->subscriber, turn->who->id) != 0)
            continue;
        Sgpb__SubscriptionIs *is = sg_turn_take(turn, sizeof *is);
        *is = (Sgpb__SubscriptionIs)SGPB__SUBSCRIPTION_IS__INIT;
        is->id = sg_pack_text(turn->arena, one->id);
        is->status = (char *)(uintptr_t)(one->ended ? "ended" : "active");
        is->cursor = one->cursor;
        list.list[list.n_list++] = is;
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIPTIONS;
    envelope.subscriptions = &list;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}
