#include "broker/core/share.h"

#include "broker/core/roster.h"

static const uint32_t most[SG_SHARES] = {
    [SG_SHARE_STRUCTURES] = SG_LIMIT_STRUCTURES_EACH,
    [SG_SHARE_FLOWS] = SG_LIMIT_FLOWS_EACH,
    [SG_SHARE_SUBSCRIPTIONS] = SG_LIMIT_SUBSCRIPTIONS_EACH,
    [SG_SHARE_AGREEMENTS] = SG_LIMIT_AGREEMENTS_EACH,
    [SG_SHARE_UPLOADS] = SG_LIMIT_UPLOADS_HELD,
};

bool
sg_share_left(const struct sg_turn *turn, const char *participant,
              enum sg_share share)
{
    const struct sg_quota *quota = sg_roster_quota(turn->core, participant);

    return quota != NULL && quota->held[share] < most[share];
}

void
sg_share_add(struct sg_core *core, const char *participant, enum sg_share share,
             int by)
{
    struct sg_quota *quota = sg_roster_quota(core, participant);

    if (quota != NULL && (by > 0 || quota->held[share] > 0))
        quota->held[share] = (uint32_t)((int)quota->held[share] + by);
}

// The participant whose place in the table this is.
static const char *
structure_of(struct sg_turn *turn, uint32_t index)
{
    const struct sg_structure *one = sg_pool_at(turn->state->structures, index);
    const Sgpb__StructureEntry *entry = sg_pack_open(
        turn->arena, &sgpb__structure_entry__descriptor, one->kept.body);

    return entry == NULL ? "" : entry->by;
}

static const char *
flow_of(struct sg_turn *turn, uint32_t index)
{
    return sg_state_flow(turn->state, index)->terms->provider;
}

static const char *
subscription_of(struct sg_turn *turn, uint32_t index)
{
    return sg_state_subscription(turn->state, index)->doc->subscriber;
}

static const char *
agreement_of(struct sg_turn *turn, uint32_t index)
{
    return sg_state_agreement(turn->state, index)->doc->controller;
}

static const char *
upload_of(struct sg_turn *turn, uint32_t index)
{
    const struct sg_upload *upload = sg_pool_at(turn->core->uploads, index);

    return upload->owner;
}

void
sg_share_count(struct sg_turn *turn)
{
    const struct {
        const struct sg_pool *pool;
        const char *(*of)(struct sg_turn *turn, uint32_t index);
    } tables[SG_SHARES] = {
        [SG_SHARE_STRUCTURES] = {turn->state->structures, structure_of},
        [SG_SHARE_FLOWS] = {turn->state->flows, flow_of},
        [SG_SHARE_SUBSCRIPTIONS] = {turn->state->subscriptions,
                                    subscription_of},
        [SG_SHARE_AGREEMENTS] = {turn->state->agreements, agreement_of},
        [SG_SHARE_UPLOADS] = {turn->core->uploads, upload_of},
    };

    for (unsigned s = 0; s < SG_SHARES; s++)
        for (uint32_t i = sg_pool_next(tables[s].pool, 0); i != 0;
             i = sg_pool_next(tables[s].pool, i))
            sg_share_add(turn->core, tables[s].of(turn, i), (enum sg_share)s,
                         1);
}
