// match_again - deliveries that wait are decided again when something changed.
//
// Owns core->again_at: how far each flow is in its pass over them. Invariant: a
// pass looks at every delivery that is there when it begins and still waits when
// it comes to it; what changes meanwhile asks for another pass, so none is kept
// from its end. Never: writes two entries on one release where one will do, or
// looks at more than the budget of a turn allows.
#include "broker/core/deliver.h"
#include "broker/core/match.h"

enum { STAGE_AGAIN = 2 };

struct changed {
    uint32_t delivery, release;
    const struct sg_outcome *outcome; // NULL: it stands in an entry
};

struct pass {
    struct sg_turn *turn;
    size_t *budget;
    struct sg_outcome *outcome; // of the one in hand
    struct changed *changed;
    size_t count;
};

static bool
looked_at_again(const struct sg_turn *turn, const struct sg_delivery *delivery)
{
    switch ((enum sg_delivery_state)delivery->state) {
    case SG_DELIVERY_HELD:
    case SG_DELIVERY_QUEUED:
    case SG_DELIVERY_STATED:
    case SG_DELIVERY_WAITING:
        return true;
    case SG_DELIVERY_DENIED: { // nothing has left: the newest gets a new look
        const struct sg_release *release =
            sg_state_release(turn->state, delivery->release);
        return sg_state_flow(turn->state, release->flow)->head_release ==
                   delivery->release &&
               delivery->statement == 0;
    }
    case SG_DELIVERY_NONE:
    case SG_DELIVERY_KEYED:
    case SG_DELIVERY_LEFT:
    case SG_DELIVERY_KEPT:
    case SG_DELIVERY_REFUSED:
    case SG_DELIVERY_STOPPED:
    case SG_DELIVERY_EXPIRED:
    case SG_DELIVERY_STATES:
        return false;
    }
    return false;
}

// Does the new outcome say something else than the one on record?
static bool
differs(const struct sg_delivery *delivery, const struct sg_outcome *outcome)
{
    bool held = delivery->state == SG_DELIVERY_HELD ||
                delivery->state == SG_DELIVERY_WAITING;

    switch (outcome->verdict) {
    case SG_VERDICT_DENY:
        return delivery->state != SG_DELIVERY_DENIED;
    case SG_VERDICT_HOLD:
        return !held || delivery->hold_until != outcome->hold_until;
    case SG_VERDICT_PERMIT:
        return held || delivery->state == SG_DELIVERY_DENIED ||
               delivery->suppress_below != outcome->suppress_below;
    }
    return true;
}

static void
look(struct pass *pass, uint32_t index)
{
    struct sg_turn *turn = pass->turn;
    const struct sg_delivery *delivery = sg_state_delivery(turn->state, index);

    --*pass->budget;
    if (pass->outcome == NULL)
        pass->outcome = sg_turn_take(turn, sizeof *pass->outcome);
    sg_match_decide(turn, delivery->release, delivery->subscription,
                    delivery->first_held, pass->outcome);
    if (!differs(delivery, pass->outcome)) {
        sg_match_wait(turn->core, index);
        return;
    }
    pass->changed[pass->count++] =
        (struct changed){index, delivery->release, pass->outcome};
    pass->outcome = NULL;
}

// The first of the subscription whose release is not before entry `from`.
static uint32_t
first_of(const struct sg_state *state, uint32_t subscription, uint64_t from)
{
    uint32_t d = sg_state_subscription(state, subscription)->first;

    while (d != 0 &&
           sg_state_release(state, sg_state_delivery(state, d)->release)->seq <
               from)
        d = sg_state_delivery(state, d)->next;
    return d;
}

// true: to its end.
static bool
go_on(struct pass *pass, struct sg_again *at)
{
    struct sg_turn *turn = pass->turn;
    const struct sg_state *state = turn->state;

    for (; at->subscription != 0;
         at->subscription =
             sg_state_subscription(state, at->subscription)->next) {
        uint32_t d = first_of(state, at->subscription, at->release);
        for (; d != 0; d = sg_state_delivery(state, d)->next) {
            const struct sg_delivery *one = sg_state_delivery(state, d);
            if (!looked_at_again(turn, one))
                continue;
            at->release = sg_state_release(state, one->release)->seq;
            if (*pass->budget == 0 || !sg_output_has_room(turn->output))
                return false;
            look(pass, d);
        }
        at->release = 0;
    }
    return true;
}

// Those of the release of number `first`, in one entry if it holds them.
static void
write(struct pass *pass, size_t first)
{
    struct sg_turn *turn = pass->turn;
    uint32_t release = pass->changed[first].release;
    struct sg_deciding *deciding =
        sg_match_begin(turn, sg_state_release(turn->state, release)->seq,
                       STAGE_AGAIN, pass->count - first);
    size_t added = 0;

    for (size_t i = first; i < pass->count && added < SG_MATCH_ADDED_MAX; i++) {
        struct changed *one = &pass->changed[i];
        if (one->release != release || one->outcome == NULL)
            continue;
        const struct sg_delivery *delivery =
            sg_state_delivery(turn->state, one->delivery);
        sg_match_add(turn, deciding, delivery->id, delivery->subscription,
                     one->outcome);
        one->outcome = NULL;
        added++;
    }
    sg_match_write(turn, deciding);
}

uint8_t
sg_match_again(struct sg_turn *turn, uint32_t flow, uint8_t due, size_t *budget)
{
    struct sg_again *at = &turn->core->again_at[flow];
    struct pass pass = {.turn = turn, .budget = budget};

    if ((due & SG_DUE_AGAIN) == 0) { // what was asked for begins now
        *at = (struct sg_again){
            .subscription =
                sg_state_flow(turn->state, flow)->first_subscription};
        due = SG_DUE_AGAIN;
    }
    pass.changed = sg_turn_take(turn, (*budget + 1) * sizeof *pass.changed);
    bool ended = go_on(&pass, at);
    for (size_t i = 0; i < pass.count; i++)
        if (pass.changed[i].outcome != NULL)
            write(&pass, i);
    for (size_t i = 0; i < pass.count; i++) {
        sg_deliver_tell(turn, pass.changed[i].delivery);
        sg_match_wait(turn->core, pass.changed[i].delivery);
    }
    return ended ? due & SG_DUE_DECIDE : due & (SG_DUE_DECIDE | SG_DUE_AGAIN);
}
