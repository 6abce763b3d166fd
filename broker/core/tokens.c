#include "broker/core/tokens.h"

#include "broker/core/refuse.h"
#include "broker/core/roster.h"

static struct sg_bucket *
bucket_of(struct sg_turn *turn)
{
    struct sg_quota *quota =
        turn->who == NULL ? NULL : sg_roster_quota(turn->core, turn->who->id);

    return quota == NULL ? NULL : &quota->bucket[SG_BUCKET_VERIFY];
}

bool
sg_tokens_check(struct sg_turn *turn, size_t checks)
{
    struct sg_bucket *bucket = bucket_of(turn);

    for (size_t i = 0; bucket != NULL && i < checks; i++) {
        if (!sg_refuse_token(bucket, turn->now, SG_LIMIT_VERIFY_PER_S))
            return false;
        turn->checks++;
    }
    return true;
}

void
sg_tokens_worth(struct sg_turn *turn)
{
    struct sg_bucket *bucket = turn->checks == 0 ? NULL : bucket_of(turn);

    for (; bucket != NULL && turn->checks > 0; turn->checks--)
        sg_refuse_untake(bucket, SG_LIMIT_VERIFY_PER_S);
    turn->checks = 0;
}
