// match_walk - each subscription goes through the revisions of its flow, in order.
//
// Owns core->match_at: where each stands. Releases are looked up where they are,
// in memory or not. Invariant: a subscription leaves a revision behind when it
// was decided for it, when that is recalled or destroyed, or does not concern it;
// what there is no room for waits, and so does what is over the budget of a
// turn. Never: lets one that has far to go, or waits, hold up another.
#include "broker/core/cold.h"
#include "broker/core/deliver.h"
#include "broker/core/match.h"
#include "broker/core/release.h"
#include "broker/core/settle.h"

// FAR: a release out of memory is looked up by its revision here and by its
// entry when it comes back; that is searched for, twice, in up to 2^20 of them.
enum { STAGE_MATCH = 1, COST_NEAR = 1, COST_FAR = 40 };

struct walk {
    struct sg_turn *turn;
    uint32_t flow;
    size_t *budget;
    struct sg_outcome *outcome;
    uint8_t (*ids)[16]; // of the deliveries of one entry
    uint64_t at;        // revision
    uint32_t *group;    // subscriptions that stand there
    size_t count;
};

// Deliveries that are over and may leave before their time, up to `most`: no key
// of theirs is on its way, which might come back.
static uint32_t
may_leave(const struct sg_core *core, uint32_t most)
{
    const struct sg_state *state = core->state;
    uint32_t count = 0;

    for (uint32_t i = state->settling_deliveries.first; i != 0 && count < most;
         i = sg_state_delivery(state, i)->settling) {
        if (sg_table_get(core->in_flight,
                         sg_slice_of(sg_state_delivery(state, i)->id, 16),
                         NULL))
            break;
        count++;
    }
    return count;
}

// How many have to leave so that there is room for `more`.
static uint32_t
too_many(const struct sg_core *core, uint32_t more)
{
    uint32_t count = sg_pool_count(core->state->deliveries) + more;

    return count > core->deliveries_cap ? count - core->deliveries_cap : 0;
}

// How many of `more` deliveries there is room for.
static uint32_t
room_for(const struct sg_core *core, uint32_t more)
{
    uint32_t over = too_many(core, more);

    over -= may_leave(core, over);
    return over < more ? more - over : 0;
}

uint8_t
sg_match_room(const struct sg_core *core)
{
    const struct sg_state *state = core->state;
    uint64_t most = (uint64_t)core->releases_cap * SG_LIMIT_RETURNED_PCT / 100;
    uint8_t room = 0;

    if (room_for(core, 1) > 0)
        room |= SG_DUE_DELIVERIES;
    if (sg_pool_count(state->releases) < most)
        room |= SG_DUE_RETURN;
    return room;
}

static bool
may_go_on(const struct walk *walk)
{
    return *walk->budget > 0 && sg_output_has_room(walk->turn->output);
}

static void
spend(struct walk *walk, size_t cost)
{
    *walk->budget -= cost < *walk->budget ? cost : *walk->budget;
}

// ---- who goes on -----------------------------------------------------------------

// false: not now.
static bool
find_place(struct walk *walk, uint32_t index)
{
    struct sg_turn *turn = walk->turn;
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, index);
    uint64_t *at = &turn->core->match_at[index];

    if (*at != 0)
        return true;
    if (!may_go_on(walk))
        return false;
    spend(walk, COST_FAR);
    return sg_settle_first(turn->state, walk->flow,
                           to->start > to->matched ? to->start : to->matched,
                           at) == SG_OK;
}

// Those that are furthest on, below `end`: who is nearly there is not kept
// waiting by who has far to go. false: not all of them could be looked at.
static bool
gather(struct walk *walk, uint64_t end)
{
    const struct sg_state *state = walk->turn->state;
    bool all = true;

    walk->at = 0;
    walk->count = 0;
    for (uint32_t i = sg_state_flow(state, walk->flow)->first_subscription;
         i != 0; i = sg_state_subscription(state, i)->next) {
        if (sg_state_subscription(state, i)->ended)
            continue;
        if (!find_place(walk, i)) {
            all = false;
            continue;
        }
        uint64_t at = walk->turn->core->match_at[i];
        if (at >= end || at < walk->at)
            continue;
        if (at > walk->at)
            walk->count = 0;
        walk->at = at;
        if (walk->count < SG_MATCH_ADDED_MAX)
            walk->group[walk->count++] = i;
    }
    return all;
}

// ---- one revision ----------------------------------------------------------------

static void
follow_up(struct sg_turn *turn, const uint8_t id[16])
{
    uint32_t index =
        sg_state_find(turn->state->delivery_of, sg_slice_of(id, 16));

    sg_match_wait(turn->core, index);
    sg_deliver_tell(turn, index);
}

// Decides for those of the group that it concerns, as long as there is room;
// how many of the group are done with it.
static size_t
decide_for(struct walk *walk, struct sg_release *release)
{
    struct sg_turn *turn = walk->turn;
    const struct sg_state *state = turn->state;
    size_t room = room_for(turn->core, (uint32_t)walk->count);
    struct sg_deciding *deciding =
        sg_match_begin(turn, release->seq, STAGE_MATCH, walk->count);
    size_t done = 0, added = 0;

    release->doc = sg_release_detail_of(turn, release); // once for all of them
    for (; done < walk->count; done++) {
        uint32_t i = walk->group[done];
        const struct sg_subscription *to = sg_state_subscription(state, i);
        if (release->seq < to->start || release->seq < to->matched)
            continue;
        if (added == room)
            break;
        sg_match_decide_on(turn, release, i, 0, walk->outcome);
        sg_turn_draw(turn, walk->ids[added], 16);
        sg_match_add(turn, deciding, walk->ids[added], i, walk->outcome);
        added++;
    }
    spend(walk, added);
    sg_match_make_room(deciding, too_many(turn->core, (uint32_t)added));
    sg_match_write(turn, deciding);
    for (size_t i = 0; i < added; i++)
        follow_up(turn, walk->ids[i]);
    return done;
}

// A release that was accepted; false: it cannot be read, and the gate stops.
// What its coming back would look up is looked up now, where that may fail.
static bool
look_up(struct walk *walk, bool near, struct sg_release *release)
{
    struct sg_turn *turn = walk->turn;
    uint64_t same = walk->at;

    spend(walk, near ? COST_NEAR : COST_FAR);
    if (sg_settle_look(turn->state, walk->flow, walk->at, release) != SG_OK ||
        (!near && sg_settle_first(turn->state, walk->flow, release->seq,
                                  &same) != SG_OK))
        return false;
    return same == walk->at || sg_cold_damaged(turn->state) == SG_OK;
}

// What the group waits for now; 0: it has left the revision behind.
static uint8_t
pass(struct walk *walk)
{
    struct sg_turn *turn = walk->turn;
    bool near = sg_release_find(turn->state, walk->flow, walk->at) != 0;
    struct sg_release release;
    size_t done = walk->count;

    if (!near && (sg_match_room(turn->core) & SG_DUE_RETURN) == 0)
        return SG_DUE_RETURN;
    if (!look_up(walk, near, &release))
        return SG_DUE_MATCH;
    if (release.recalled_at == 0 && release.destroyed_at == 0)
        done = decide_for(walk, &release);
    for (size_t i = 0; i < done; i++)
        turn->core->match_at[walk->group[i]] = walk->at + 1;
    return done < walk->count ? SG_DUE_DELIVERIES : 0;
}

// ---- a flow ----------------------------------------------------------------------

// The group goes on together, to the newest release if it can.
static uint8_t
go_on(struct walk *walk, uint64_t newest)
{
    for (; walk->at <= newest; walk->at++) {
        uint8_t waits = may_go_on(walk) ? pass(walk) : SG_DUE_MATCH;
        if (waits != 0)
            return waits;
    }
    return 0;
}

uint8_t
sg_match_walk(struct sg_turn *turn, uint32_t flow, size_t *budget)
{
    uint64_t newest = sg_state_flow(turn->state, flow)->revision;
    uint64_t end = newest + 1;
    struct walk walk = {.turn = turn, .flow = flow, .budget = budget};
    uint8_t left = 0;

    if ((sg_match_room(turn->core) & SG_DUE_DELIVERIES) == 0)
        return SG_DUE_DELIVERIES; // for anybody
    if (!may_go_on(&walk))
        return SG_DUE_MATCH;
    walk.outcome = sg_turn_take(turn, sizeof *walk.outcome);
    walk.ids = sg_turn_take(turn, SG_MATCH_ADDED_MAX * sizeof *walk.ids);
    walk.group = sg_turn_take(turn, SG_MATCH_ADDED_MAX * sizeof *walk.group);
    for (;;) {
        if (!gather(&walk, end))
            left |= SG_DUE_MATCH;
        if (walk.count == 0)
            return left;
        uint8_t waits = go_on(&walk, newest);
        left |= waits;
        if (waits == SG_DUE_RETURN)
            end = walk.at; // others are not so far, or wait for the same
        else if (waits != 0)
            return left;
    }
}
