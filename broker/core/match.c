#include "broker/core/match.h"

#include "broker/core/deliver.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/policy_admin.h"
#include "broker/core/release.h"
#include "broker/core/settle.h"

#define DAY_US (24 * 3600 * 1000000ull)

// ---- the entry of a turn's decisions on one release ---------------------------------------

struct sg_deciding {
    Sgpb__Decision body;
    size_t cap;
};

struct sg_deciding *
sg_match_begin(struct sg_turn *turn, uint64_t release, uint32_t stage,
               size_t most)
{
    struct sg_deciding *deciding = sg_turn_take(turn, sizeof *deciding);

    deciding->body = (Sgpb__Decision)SGPB__DECISION__INIT;
    deciding->body.release = release;
    deciding->body.stage = stage;
    deciding->body.generation = turn->state->generation;
    sg_policy_digests(turn, &deciding->body.policy_digests,
                      &deciding->body.n_policy_digests);
    deciding->cap = most < SG_MATCH_ADDED_MAX ? most : SG_MATCH_ADDED_MAX;
    deciding->body.deliveries =
        sg_turn_take(turn, deciding->cap * sizeof *deciding->body.deliveries);
    return deciding;
}

static Sgpb__Obligation **
obligations_of(struct sg_turn *turn, const struct sg_obligation *list,
               size_t count)
{
    Sgpb__Obligation **out = sg_turn_take(turn, (count + 1) * sizeof *out);

    for (size_t i = 0; i < count; i++)
        out[i] = sg_deliver_obligation(turn, &list[i]);
    return out;
}

static Sgpb__PartVerdict *
part_of(struct sg_turn *turn, const struct sg_outcome *outcome, size_t i)
{
    const struct sg_decision *decision = &outcome->part[i];
    Sgpb__PartVerdict *part = sg_turn_take(turn, sizeof *part);
    uint8_t *request = sg_turn_take(turn, 2 * SG_ATTR_COUNT);

    *part = (Sgpb__PartVerdict)SGPB__PART_VERDICT__INIT;
    part->part = outcome->index[i];
    part->object = outcome->object;
    part->verdict = decision->verdict;
    for (size_t a = 0; a < SG_ATTR_COUNT; a++) {
        request[2 * a] = (uint8_t)(outcome->request[i].code[a] >> 8);
        request[2 * a + 1] = (uint8_t)outcome->request[i].code[a];
    }
    part->request = sg_pack_bytes(request, 2 * SG_ATTR_COUNT);
    part->rules = sg_turn_take(turn, SG_DECISION_RULES * sizeof *part->rules);
    for (; part->n_rules < decision->rules_count; part->n_rules++)
        part->rules[part->n_rules] =
            (uint64_t)decision->rules[part->n_rules].file << 32 |
            decision->rules[part->n_rules].rule;
    part->obligations = obligations_of(turn, decision->obligations,
                                       decision->obligations_count);
    part->n_obligations = decision->obligations_count;
    part->why = (char *)(uintptr_t)sg_decide_why((enum sg_why)decision->why);
    part->waiting_for = decision->waiting_for;
    if (decision->verdict == SG_VERDICT_HOLD)
        part->hold_until = outcome->hold_until;
    return part;
}

void
sg_match_add(struct sg_turn *turn, struct sg_deciding *deciding,
             const uint8_t delivery_id[16], uint32_t subscription,
             const struct sg_outcome *outcome)
{
    Sgpb__DeliveryVerdict *one = sg_turn_take(turn, sizeof *one);
    uint8_t *id = sg_turn_take(turn, 16);

    SG_ASSERT(deciding->body.n_deliveries < deciding->cap);
    *one = (Sgpb__DeliveryVerdict)SGPB__DELIVERY_VERDICT__INIT;
    memcpy(id, delivery_id, 16);
    one->delivery_id = sg_pack_bytes(id, 16);
    one->subscription = sg_pack_text(
        turn->arena, sg_state_subscription(turn->state, subscription)->id);
    one->verdict = outcome->verdict;
    one->parts = sg_turn_take(turn, (outcome->parts + 1) * sizeof *one->parts);
    for (; one->n_parts < outcome->parts; one->n_parts++)
        one->parts[one->n_parts] = part_of(turn, outcome, one->n_parts);
    one->consent_epochs = sg_turn_take(turn, sizeof outcome->epochs);
    memcpy(one->consent_epochs, outcome->epochs,
           outcome->epochs_count * sizeof *outcome->epochs);
    one->n_consent_epochs = outcome->epochs_count;
    deciding->body.deliveries[deciding->body.n_deliveries++] = one;
}

void
sg_match_make_room(struct sg_deciding *deciding, uint32_t deliveries)
{
    deciding->body.makes_room = deliveries;
}

uint64_t
sg_match_write(struct sg_turn *turn, struct sg_deciding *deciding)
{
    if (deciding->body.n_deliveries == 0)
        return 0;
    return sg_turn_append(turn, SG_ENTRY_DECISION, &deciding->body.base);
}

// ---- apply -----------------------------------------------------------------------------------

enum sg_err
sg_match_index(struct sg_state *state, uint32_t index)
{
    struct sg_delivery *delivery = sg_pool_at(state->deliveries, index);
    struct sg_subscription *to =
        sg_pool_at(state->subscriptions, delivery->subscription);

    if (to->last == 0)
        to->first = index;
    else
        ((struct sg_delivery *)sg_pool_at(state->deliveries, to->last))->next =
            index;
    delivery->prev = to->last;
    to->last = index;
    ((struct sg_release *)sg_pool_at(state->releases, delivery->release))
        ->deliveries++;
    return sg_table_put(state->delivery_of, sg_slice_of(delivery->id, 16),
                        index);
}

static uint32_t
new_delivery(struct sg_state *state, uint32_t release,
             const Sgpb__DeliveryVerdict *verdict)
{
    uint32_t subscription = sg_state_find(state->subscription_of,
                                          sg_slice_text(verdict->subscription));

    if (subscription == 0)
        return 0;
    struct sg_subscription *to = sg_pool_at(state->subscriptions, subscription);
    uint32_t index = sg_pool_take(state->deliveries);
    if (index == 0)
        return 0;
    struct sg_delivery *delivery = sg_pool_at(state->deliveries, index);
    memcpy(delivery->id, verdict->delivery_id.data, 16);
    delivery->release = release;
    delivery->subscription = subscription;
    to->matched = sg_state_release(state, release)->seq + 1;
    return sg_match_index(state, index) == SG_OK ? index : 0;
}

static enum sg_err
apply_verdict(struct sg_state *state, const struct sg_appended *entry,
              const Sgpb__Decision *body, uint32_t release,
              const Sgpb__DeliveryVerdict *verdict)
{
    static const uint8_t events[] = {SG_DELIVERY_DENY, SG_DELIVERY_HOLD,
                                     SG_DELIVERY_PERMIT};

    if (verdict->delivery_id.len != 16 || verdict->verdict > SG_VERDICT_PERMIT)
        return SG_ERR_DAMAGE;
    uint32_t index =
        sg_state_find(state->delivery_of, sg_pack_slice(verdict->delivery_id));
    if (index == 0 && (index = new_delivery(state, release, verdict)) == 0)
        return SG_ERR_DAMAGE;
    struct sg_delivery *delivery = sg_pool_at(state->deliveries, index);
    if (!sg_deliver_step(delivery, events[verdict->verdict]))
        return SG_ERR_DAMAGE;
    delivery->decision = entry->seq;
    delivery->decided_at = entry->time_us;
    delivery->generation = body->generation;
    delivery->hold_until = 0;
    delivery->suppress_below = 0;
    for (size_t i = 0; i < verdict->n_parts; i++) {
        const Sgpb__PartVerdict *part = verdict->parts[i];
        if (part->hold_until > delivery->hold_until)
            delivery->hold_until = part->hold_until;
        uint32_t below = sg_deliver_suppress(part);
        if (below > delivery->suppress_below)
            delivery->suppress_below = below;
    }
    if (verdict->verdict == SG_VERDICT_HOLD && delivery->first_held == 0)
        delivery->first_held = entry->time_us;
    sg_settle_delivery(state, index, entry->seq);
    return SG_OK;
}

// Where it has left memory the decision brings it back.
static enum sg_err
release_of(struct sg_state *state, const Sgpb__Decision *decision,
           uint32_t *release)
{
    *release = sg_state_release_at(state, decision->release);
    if (*release != 0)
        return SG_OK;
    if (decision->n_deliveries == 0)
        return SG_ERR_DAMAGE;
    uint32_t to =
        sg_state_find(state->subscription_of,
                      sg_slice_text(decision->deliveries[0]->subscription));
    return to == 0
               ? SG_ERR_DAMAGE
               : sg_settle_return(state, sg_state_subscription(state, to)->flow,
                                  decision->release, release);
}

enum sg_err
sg_match_apply(struct sg_state *state, const struct sg_appended *entry,
               const void *body)
{
    const Sgpb__Decision *decision = body;
    uint32_t release;
    enum sg_err err = release_of(state, decision, &release);

    if (err == SG_OK)
        err = sg_settle_make_room(state, decision->makes_room, entry->seq);
    for (size_t i = 0; i < decision->n_deliveries && err == SG_OK; i++)
        err = apply_verdict(state, entry, decision, release,
                            decision->deliveries[i]);
    return err;
}

// ---- timers ----------------------------------------------------------------------------------

void
sg_match_wait(struct sg_core *core, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(core->state, index);
    // A hold without a time is looked at again daily: rules have deadlines in
    // days.
    uint64_t due = delivery->hold_until != 0 ? delivery->hold_until
                                             : delivery->decided_at + DAY_US;

    if (delivery->state != SG_DELIVERY_HELD &&
        delivery->state != SG_DELIVERY_WAITING) {
        sg_timers_clear(core->timers, index);
        return;
    }
    enum sg_err err = sg_timers_set(core->timers, index, due);
    SG_ASSERT(err == SG_OK); // as many as deliveries
}

void
sg_match_timers(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    uint64_t id;

    while (sg_timers_pop(core->timers, turn->now, &id)) {
        if (!sg_pool_has(turn->state->deliveries, (uint32_t)id))
            continue; // it was over before its time came
        const struct sg_delivery *delivery =
            sg_state_delivery(turn->state, (uint32_t)id);
        sg_policy_due_flow(
            core, sg_state_release(turn->state, delivery->release)->flow,
            SG_DUE_DECIDE);
    }
}

// ---- what is due by flow -----------------------------------------------------------------------

// What is left to do for the flow: SG_DUE_*.
static uint8_t
look_at(struct sg_turn *turn, uint32_t flow, size_t *budget)
{
    struct sg_core *core = turn->core;
    uint8_t due = core->flow_due[flow];
    uint8_t left = due & SG_DUE_ROOMS;

    if ((left & sg_match_room(core)) != 0)
        due |= SG_DUE_MATCH;
    core->flow_due[flow] = 0;
    if ((due & SG_DUE_MATCH) != 0)
        left = 0;
    if ((due & (SG_DUE_DECIDE | SG_DUE_AGAIN)) != 0)
        left |= sg_match_again(turn, flow, due, budget);
    if ((due & SG_DUE_MATCH) != 0)
        left |= sg_match_walk(turn, flow, budget);
    core->flow_due[flow] |= left;
    if ((due & ~SG_DUE_ROOMS) != 0)
        core->flow_due[flow] |= sg_deliver_flow(turn, flow, due);
    return core->flow_due[flow]; // with what sending has found
}

bool
sg_match_is_due(const struct sg_core *core)
{
    return core->any_due || (core->match_waits & sg_match_room(core)) != 0;
}

void
sg_match_turn(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    uint32_t flows = sg_pool_count(turn->state->flows); // numbered from 1
    size_t budget = SG_LIMIT_MATCH_TURN;
    uint32_t ended = 0;
    uint8_t left = 0;

    sg_inspect_turn(turn);
    if (!sg_match_is_due(core))
        return;
    // Those behind the one that got the last of budget or room come first.
    for (uint32_t i = 0; i < flows; i++) {
        uint32_t flow = (core->match_last + i) % flows + 1;
        uint8_t of = look_at(turn, flow, &budget);
        if (ended == 0 && (of & ~SG_DUE_SEND) != 0)
            ended = flow;
        left |= of;
    }
    if (ended != 0)
        core->match_last = ended;
    core->match_waits = left & SG_DUE_ROOMS;
    core->sends_wait = (left & SG_DUE_SEND) != 0;
    core->any_due =
        (left & (SG_DUE_MATCH | SG_DUE_DECIDE | SG_DUE_AGAIN | SG_DUE_REST)) !=
        0;
}
