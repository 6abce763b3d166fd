#include "broker/core/settle.h"

#include "broker/core/cold.h"
#include "broker/core/deliver.h"
#include "broker/core/release.h"

static struct sg_release *
release_at(struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->releases, index);
}

static struct sg_delivery *
delivery_at(struct sg_state *state, uint32_t index)
{
    return sg_pool_at(state->deliveries, index);
}

// ---- what is over ----------------------------------------------------------------

static bool
is_head(const struct sg_state *state, uint32_t release)
{
    const struct sg_release *one = sg_state_release(state, release);

    return sg_state_flow(state, one->flow)->head_release == release;
}

void
sg_settle_wait_delivery(struct sg_state *state, uint32_t index)
{
    if (state->settling_deliveries.last == 0)
        state->settling_deliveries.first = index;
    else
        delivery_at(state, state->settling_deliveries.last)->settling = index;
    state->settling_deliveries.last = index;
}

void
sg_settle_wait_release(struct sg_state *state, uint32_t index)
{
    if (state->settling_releases.last == 0)
        state->settling_releases.first = index;
    else
        release_at(state, state->settling_releases.last)->settling = index;
    state->settling_releases.last = index;
}

void
sg_settle_delivery(struct sg_state *state, uint32_t index, uint64_t seq)
{
    struct sg_delivery *delivery = delivery_at(state, index);

    if (delivery->settled != 0 || !sg_deliver_final(delivery->state) ||
        is_head(state, delivery->release))
        return;
    delivery->settled = seq;
    sg_settle_wait_delivery(state, index);
}

bool
sg_settle_over(const struct sg_state *state, uint32_t index)
{
    return sg_state_release(state, index)->deliveries == 0 &&
           !is_head(state, index);
}

void
sg_settle_release(struct sg_state *state, uint32_t index, uint64_t seq)
{
    struct sg_release *release = release_at(state, index);

    if (release->settled != 0 || release->first_rendition != 0 ||
        !sg_settle_over(state, index))
        return;
    release->settled = seq;
    sg_settle_wait_release(state, index);
}

void
sg_settle_superseded(struct sg_state *state, uint32_t index, uint64_t seq)
{
    const struct sg_flow *flow =
        sg_state_flow(state, sg_state_release(state, index)->flow);

    // Matched in order of revision, so its delivery is the last of its row.
    for (uint32_t i = flow->first_subscription; i != 0;
         i = sg_state_subscription(state, i)->next) {
        uint32_t last = sg_state_subscription(state, i)->last;
        if (last != 0 && sg_state_delivery(state, last)->release == index)
            sg_settle_delivery(state, last, seq);
    }
    sg_settle_release(state, index, seq);
}

// ---- leaving ---------------------------------------------------------------------

static void
unlink_delivery(struct sg_state *state, const struct sg_delivery *delivery)
{
    struct sg_subscription *of =
        sg_pool_at(state->subscriptions, delivery->subscription);

    if (delivery->prev == 0)
        of->first = delivery->next;
    else
        delivery_at(state, delivery->prev)->next = delivery->next;
    if (delivery->next == 0)
        of->last = delivery->prev;
    else
        delivery_at(state, delivery->next)->prev = delivery->prev;
}

// Of what never went out nobody asks by name. One that was denied in the end may
// have been stated before, and a key of it have been cancelled.
static enum sg_err
put_rows(struct sg_state *state, const struct sg_delivery *delivery)
{
    struct sg_cold_delivery row = {.state = delivery->state,
                                   .ack = delivery->ack,
                                   .released = delivery->released,
                                   .first_released = delivery->first_released,
                                   .cancelled = delivery->cancelled,
                                   .statement = delivery->statement};
    enum sg_err err = SG_OK;

    memcpy(row.id, delivery->id, sizeof row.id);
    if (row.statement != 0 || row.cancelled != 0)
        err = sg_cold_put_delivery(
            state, sg_state_release(state, delivery->release)->seq,
            delivery->subscription, &row);
    if (err == SG_OK && (row.statement != 0 || row.cancelled != 0 ||
                         row.state != SG_DELIVERY_DENIED))
        err = sg_cold_put_taker(state, row.id, delivery->subscription);
    return err;
}

static enum sg_err
let_delivery_go(struct sg_state *state, uint32_t index, uint64_t seq)
{
    const struct sg_delivery *delivery = sg_state_delivery(state, index);
    uint32_t release = delivery->release;
    struct sg_release *of = release_at(state, release);
    enum sg_err err = put_rows(state, delivery);

    unlink_delivery(state, delivery);
    sg_table_remove(state->delivery_of,
                    sg_slice_of(delivery->id, sizeof delivery->id));
    sg_pool_give(state->deliveries, index);
    of->deliveries--;
    sg_settle_release(state, release, seq);
    return err;
}

static enum sg_err
let_release_go(struct sg_state *state, uint32_t index)
{
    struct sg_release *release = release_at(state, index);

    enum sg_err err = sg_cold_put_release(state, release);
    sg_release_unindex(state, index);
    sg_state_drop(&release->kept);
    sg_pool_give(state->releases, index);
    return err;
}

// The first of those that wait to leave.
static enum sg_err
let_first_go(struct sg_state *state, uint64_t seq)
{
    uint32_t at = state->settling_deliveries.first;

    state->settling_deliveries.first = sg_state_delivery(state, at)->settling;
    if (state->settling_deliveries.first == 0)
        state->settling_deliveries.last = 0;
    return let_delivery_go(state, at, seq);
}

enum sg_err
sg_settle_make_room(struct sg_state *state, uint32_t count, uint64_t seq)
{
    enum sg_err err = SG_OK;

    for (; count > 0 && err == SG_OK; count--)
        err = state->settling_deliveries.first == 0 ? SG_ERR_DAMAGE
                                                    : let_first_go(state, seq);
    return err;
}

enum sg_err
sg_settle_leave(struct sg_state *state, uint64_t seq)
{
    enum sg_err err = SG_OK;
    uint32_t at;

    while (err == SG_OK && (at = state->settling_deliveries.first) != 0 &&
           sg_state_delivery(state, at)->settled + state->settle_after <= seq)
        err = let_first_go(state, seq);
    while (err == SG_OK && (at = state->settling_releases.first) != 0 &&
           sg_state_release(state, at)->settled + state->settle_after <= seq) {
        struct sg_release *release = release_at(state, at);
        state->settling_releases.first = release->settling;
        if (state->settling_releases.first == 0)
            state->settling_releases.last = 0;
        release->settling = 0;
        release->settled = 0;
        if (release->first_rendition == 0 && release->deliveries == 0)
            err = let_release_go(state, at);
    }
    return err;
}

// ---- coming back -----------------------------------------------------------------

enum sg_err
sg_settle_look(const struct sg_state *state, uint32_t flow, uint64_t revision,
               struct sg_release *release)
{
    enum sg_err err = sg_release_look(state, flow, revision, release);

    return err == SG_ERR_NOT_FOUND ? sg_cold_damaged(state) : err;
}

// Numbers of entries grow with the revision.
enum sg_err
sg_settle_first(const struct sg_state *state, uint32_t flow, uint64_t from,
                uint64_t *revision)
{
    const struct sg_flow *of = sg_state_flow(state, flow);
    uint64_t low = 1, high = of->revision + 1;
    struct sg_release one;

    // Most have all but the newest, if that.
    if (of->head_release != 0 &&
        sg_state_release(state, of->head_release)->seq < from)
        low = high;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        enum sg_err err = sg_settle_look(state, flow, middle, &one);
        if (err != SG_OK)
            return err;
        if (one.seq < from)
            low = middle + 1;
        else
            high = middle;
    }
    *revision = low;
    return SG_OK;
}

enum sg_err
sg_settle_return(struct sg_state *state, uint32_t flow, uint64_t seq,
                 uint32_t *index)
{
    uint64_t revision;
    struct sg_release one;
    enum sg_err err = sg_settle_first(state, flow, seq, &revision);

    if (err == SG_OK && revision > sg_state_flow(state, flow)->revision)
        err = SG_ERR_DAMAGE;
    if (err == SG_OK)
        err = sg_settle_look(state, flow, revision, &one);
    if (err != SG_OK)
        return err;
    if (one.seq != seq)
        return SG_ERR_DAMAGE;
    if ((*index = sg_pool_take(state->releases)) == 0)
        return SG_ERR_FULL;
    *release_at(state, *index) = one;
    return sg_release_index(state, *index);
}
