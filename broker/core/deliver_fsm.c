#include "broker/core/deliver.h"
#include "broker/core/roster.h"

#define NO      SG_FSM_NO
#define D(name) SG_DELIVERY_##name

static const char *const states[] = {
    "matched", "held", "denied", "queued",  "stated",  "waiting",
    "keyed",   "left", "kept",   "refused", "stopped", "expired"};
static const char *const events[] = {"deny",    "hold",   "permit", "state",
                                     "release", "cancel", "keep",   "refuse",
                                     "stop",    "expire", "unmake"};

// A key that was released stays released: KEYED and LEFT end only by what the
// subscriber says, or by the cancelling of a key that never was handed over.
// clang-format off
static const uint8_t next[SG_DELIVERY_STATES][SG_DELIVERY_EVENTS] = {
    //            DENY        HOLD        PERMIT      STATE      RELEASE   CANCEL     KEEP     REFUSE      STOP        EXPIRE      UNMAKE
    [D(NONE)] =    {D(DENIED),  D(HELD),    D(QUEUED),  NO,        NO,       NO,        NO,      NO,         NO,         NO,  NO},
    [D(HELD)] =    {D(DENIED),  D(HELD),    D(QUEUED),  NO,        NO,       NO,        NO,      NO,         D(STOPPED), D(EXPIRED),  D(HELD)},
    [D(DENIED)] =  {D(DENIED),  D(HELD),    D(QUEUED),  NO,        NO,       NO,        NO,      NO,         D(STOPPED), D(EXPIRED),  D(DENIED)},
    [D(QUEUED)] =  {D(DENIED),  D(HELD),    D(QUEUED),  D(STATED), NO,       NO,        NO,      NO,         D(STOPPED), D(EXPIRED),  D(QUEUED)},
    [D(STATED)] =  {D(DENIED),  D(WAITING), D(STATED),  D(STATED), D(KEYED), NO,        NO,      D(REFUSED), D(STOPPED), D(EXPIRED),  D(QUEUED)},
    [D(WAITING)] = {D(DENIED),  D(WAITING), D(STATED),  NO,        NO,       NO,        NO,      D(REFUSED), D(STOPPED), D(EXPIRED),  D(HELD)},
    [D(KEYED)] =   {D(LEFT),    D(KEYED),   D(KEYED),   NO,        D(KEYED), D(STATED), D(KEPT), D(REFUSED), D(LEFT),    D(LEFT),  D(LEFT)},
    [D(LEFT)] =    {D(LEFT),    D(LEFT),    NO,         NO,        NO,       D(DENIED), D(KEPT), D(REFUSED), D(LEFT),    D(LEFT),  D(LEFT)},
    [D(KEPT)] =    {NO,         NO,         NO,         NO,        NO,       NO,        NO,      NO,         NO,         NO,  D(KEPT)},
    [D(REFUSED)] = {NO,         NO,         NO,         NO,        NO,       NO,        NO,      NO,         NO,         NO,  D(REFUSED)},
    [D(STOPPED)] = {NO,         NO,         NO,         NO,        NO,       NO,        NO,      NO,         NO,         NO,  D(STOPPED)},
    [D(EXPIRED)] = {NO,         NO,         NO,         NO,        NO,       NO,        NO,      NO,         NO,         NO,  D(EXPIRED)},
};
// clang-format on

const struct sg_fsm sg_deliver_fsm = {.name = "delivery",
                                      .states = SG_DELIVERY_STATES,
                                      .events = SG_DELIVERY_EVENTS,
                                      .state_name = states,
                                      .event_name = events,
                                      .next = &next[0][0]};
_Static_assert(SG_COUNT_OF(states) == SG_DELIVERY_STATES, "a state too few");
_Static_assert(SG_COUNT_OF(events) == SG_DELIVERY_EVENTS, "an event too few");

bool
sg_deliver_step(struct sg_delivery *delivery, uint8_t event)
{
    uint8_t to = sg_fsm_next(&sg_deliver_fsm, delivery->state, event);

    if (to == SG_FSM_NO)
        return false;
    delivery->state = to;
    return true;
}

bool
sg_deliver_final(uint8_t state)
{
    return state == SG_DELIVERY_DENIED || state >= SG_DELIVERY_KEPT;
}

bool
sg_deliver_left(uint8_t state)
{
    return state == SG_DELIVERY_KEYED || state == SG_DELIVERY_LEFT ||
           state == SG_DELIVERY_KEPT;
}

uint64_t
sg_deliver_stop_epoch(const struct sg_state *state, uint32_t index)
{
    const struct sg_delivery *delivery = sg_state_delivery(state, index);
    const struct sg_release *release =
        sg_state_release(state, delivery->release);
    const struct sg_flow *flow = sg_state_flow(state, release->flow);
    uint64_t sum = delivery->stops + (release->recalled_at != 0) +
                   (release->destroyed_at != 0) + flow->stops +
                   state->generation + state->roster.version +
                   sg_table_count(state->revoked) +
                   sg_state_subscription(state, delivery->subscription)->stops;

    for (size_t i = 0; i < flow->terms->n_agreements; i++) {
        uint32_t agreement = sg_state_find(
            state->agreement_of, sg_slice_text(flow->terms->agreements[i]));
        if (agreement != 0)
            sum += sg_state_agreement(state, agreement)->stops;
    }
    return sum;
}

// ---- obligations in entries --------------------------------------------------------------

uint32_t
sg_deliver_suppress(const Sgpb__PartVerdict *part)
{
    uint64_t n = 0;

    for (size_t i = 0; i < part->n_obligations; i++)
        if (strcmp(part->obligations[i]->name,
                   sg_obligation_text(SG_OBLIGATION_SUPPRESS_SMALL_CELLS)) ==
                0 &&
            part->obligations[i]->n_args == 1 &&
            sg_slice_u64(sg_slice_text(part->obligations[i]->args[0]), &n) &&
            n <= UINT32_MAX)
            return (uint32_t)n;
    return 0;
}

Sgpb__Obligation *
sg_deliver_obligation(struct sg_turn *turn, const struct sg_obligation *one)
{
    Sgpb__Obligation *out = sg_turn_take(turn, sizeof *out);
    unsigned args = sg_obligation_arg_count((enum sg_obligation_name)one->name);

    *out = (Sgpb__Obligation)SGPB__OBLIGATION__INIT;
    out->name = sg_pack_text(
        turn->arena,
        sg_slice_text(sg_obligation_text((enum sg_obligation_name)one->name)));
    out->args = sg_turn_take(turn, (args + 1) * sizeof *out->args);
    for (unsigned i = 0; i < args && i < SG_COUNT_OF(one->arg); i++) {
        out->args[out->n_args] =
            sg_arena_printf(turn->arena, "%u", one->arg[i]);
        SG_ASSERT(out->args[out->n_args] != NULL);
        out->n_args++;
    }
    return out;
}
