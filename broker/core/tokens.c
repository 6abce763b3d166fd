#include "broker/core/tokens.h"

#include "broker/core/refuse.h"
#include "broker/core/roster.h"

// Of a token: some sixty things looked at are as much work as a question.
enum { MILLI_A_LOOK = 16 };

static struct sg_bucket *
bucket_of(struct sg_turn *turn, enum sg_bucket_kind kind)
{
    struct sg_quota *quota =
        turn->who == NULL ? NULL : sg_roster_quota(turn->core, turn->who->id);

    return quota == NULL ? NULL : &quota->bucket[kind];
}

bool
sg_tokens_check(struct sg_turn *turn, size_t checks)
{
    struct sg_bucket *bucket = bucket_of(turn, SG_BUCKET_VERIFY);

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
    struct sg_bucket *bucket =
        turn->checks == 0 ? NULL : bucket_of(turn, SG_BUCKET_VERIFY);

    for (; bucket != NULL && turn->checks > 0; turn->checks--)
        sg_refuse_untake(bucket, SG_LIMIT_VERIFY_PER_S);
    turn->checks = 0;
}

bool
sg_tokens_ask(struct sg_turn *turn)
{
    struct sg_bucket *bucket = bucket_of(turn, SG_BUCKET_ASKED);

    return bucket == NULL ||
           sg_refuse_token(bucket, turn->now, SG_LIMIT_ASKED_PER_S);
}

void
sg_tokens_looked(struct sg_turn *turn, uint64_t things)
{
    struct sg_bucket *bucket = bucket_of(turn, SG_BUCKET_ASKED);

    if (bucket != NULL)
        sg_refuse_spend(bucket, things * MILLI_A_LOOK);
}
