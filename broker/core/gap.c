#include "broker/core/gap.h"

#include "broker/core/cold.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "broker/core/tokens.h"

struct gap {
    struct sg_turn *turn;
    uint32_t index;
    const struct sg_subscription *to;
    uint64_t from;
    uint32_t count;
    const struct sg_delivery *known[SG_LIMIT_GAP]; // in memory
};

static const char *
word_of(uint8_t state)
{
    static const char *const words[SG_DELIVERY_STATES] = {
        [SG_DELIVERY_NONE] = "open",       [SG_DELIVERY_HELD] = "held",
        [SG_DELIVERY_DENIED] = "denied",   [SG_DELIVERY_QUEUED] = "open",
        [SG_DELIVERY_STATED] = "sent",     [SG_DELIVERY_WAITING] = "held",
        [SG_DELIVERY_KEYED] = "sent",      [SG_DELIVERY_LEFT] = "sent",
        [SG_DELIVERY_KEPT] = "kept",       [SG_DELIVERY_REFUSED] = "refused",
        [SG_DELIVERY_STOPPED] = "stopped", [SG_DELIVERY_EXPIRED] = "expired"};

    return state < SG_DELIVERY_STATES ? words[state] : words[SG_DELIVERY_NONE];
}

static void
look_in_memory(struct gap *gap)
{
    const struct sg_state *state = gap->turn->state;
    uint64_t looked = gap->count;

    for (uint32_t d = gap->to->first; d != 0;
         d = sg_state_delivery(state, d)->next) {
        const struct sg_delivery *one = sg_state_delivery(state, d);
        uint64_t revision = sg_state_release(state, one->release)->revision;
        if (revision >= gap->from && revision - gap->from < gap->count)
            gap->known[revision - gap->from] = one;
        looked++;
    }
    sg_tokens_looked(gap->turn, looked);
}

static void
fill(Sgpb__GapRow *row, const char *word, uint64_t entry)
{
    row->state = (char *)(uintptr_t)word;
    row->entry = entry;
}

// Of what was denied in the end nothing is kept outside of memory but the log.
static enum sg_err
fill_cold(const struct gap *gap, const struct sg_release *release,
          Sgpb__GapRow *row)
{
    struct sg_cold_delivery gone;
    enum sg_err err =
        sg_cold_delivery(gap->turn->state, release->seq, gap->index, &gone);

    if (err == SG_ERR_NOT_FOUND) {
        fill(row, word_of(SG_DELIVERY_DENIED), 0);
        return SG_OK;
    }
    if (err == SG_OK)
        fill(row, word_of(gone.state), gone.statement);
    return err;
}

static enum sg_err
account(const struct gap *gap, uint32_t at, Sgpb__GapRow *row)
{
    const struct sg_delivery *known = gap->known[at];
    struct sg_release release;
    enum sg_err err = sg_release_look(gap->turn->state, gap->to->flow,
                                      gap->from + at, &release);

    if (err != SG_OK)
        return err;
    row->revision = gap->from + at;
    row->release = release.seq;
    if (release.recalled_at != 0)
        fill(row, "recalled", release.recalled_at);
    else if (release.destroyed_at != 0)
        fill(row, "destroyed", release.destroyed_at);
    else if (known != NULL)
        fill(row, word_of(known->state),
             known->statement != 0 ? known->statement : known->decision);
    else if (release.seq < gap->to->start)
        fill(row, "before", 0);
    else if (release.seq >= gap->to->matched)
        fill(row, word_of(SG_DELIVERY_NONE), 0);
    else
        return fill_cold(gap, &release, row);
    return SG_OK;
}

static void
answer(struct gap *gap, Sgpb__GapRow **rows)
{
    struct sg_turn *turn = gap->turn;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__GapIs is = SGPB__GAP_IS__INIT;
    Sgpb__Gap body = SGPB__GAP__INIT;
    uint8_t sha256[32];

    sg_crypto_sha256(gap->to->signature->body.data,
                     gap->to->signature->body.len, sha256);
    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.subscriber = gap->to->doc->subscriber;
    body.subscription_sha256 = sg_pack_bytes(sha256, 32);
    body.flow = gap->to->doc->flow;
    body.time = turn->now;
    body.rows = rows;
    body.n_rows = gap->count;
    is.gap = sg_roster_sign(turn, SG_SIGN_GAP, &body.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_GAP;
    envelope.gap = &is;
    sg_turn_reply(turn, &envelope, turn->state->next_seq - 1);
}

void
sg_gap_get(struct sg_turn *turn)
{
    const Sgpb__GapGet *asked = turn->envelope->gap_get;
    struct gap *gap = sg_turn_take(turn, sizeof *gap);
    Sgpb__GapRow **rows, *row;

    *gap = (struct gap){.turn = turn,
                        .from = asked->from,
                        .count = asked->count,
                        .index =
                            sg_state_find(turn->state->subscription_of,
                                          sg_slice_text(asked->subscription))};
    if (gap->index != 0)
        gap->to = sg_state_subscription(turn->state, gap->index);
    if (gap->to == NULL ||
        strcmp(gap->to->doc->subscriber, turn->who->id) != 0) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "subscription");
        return;
    }
    uint64_t newest = sg_state_flow(turn->state, gap->to->flow)->revision;
    if (gap->count == 0 || gap->count > SG_LIMIT_GAP || gap->from == 0 ||
        gap->from > newest || gap->count - 1 > newest - gap->from) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "revision");
        return;
    }
    look_in_memory(gap);
    rows = sg_turn_take(turn, gap->count * sizeof(*rows));
    row = sg_turn_take(turn, gap->count * sizeof *row);
    for (uint32_t i = 0; i < gap->count; i++) {
        row[i] = (Sgpb__GapRow)SGPB__GAP_ROW__INIT;
        rows[i] = &row[i];
        if (account(gap, i, &row[i]) != SG_OK) {
            sg_turn_refuse(turn, SG_ERR_BUSY, NULL); // the index is not there
            return;
        }
    }
    answer(gap, rows);
}
