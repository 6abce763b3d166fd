#include "broker/core/choice.h"

#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/refuse.h"
#include "broker/core/session.h"

enum { VERDICT_ACCEPT = 1, VERDICT_REJECT = 2, TRIES = 2, ROOM = 4096 };

static struct sg_choosing *
choosing_at(const struct sg_core *core, uint32_t index)
{
    return sg_pool_at(core->choosings, index);
}

// Structure, key filter and period: whatever gives the same bytes has the same
// answer.
static void
name_of(const struct sg_turn *turn, const Sgpb__Subscription *doc,
        uint8_t choice[32])
{
    static const char label[] = "statgate/choice/v1";
    const struct sg_flow *flow =
        sg_state_flow(turn->state, sg_flow_find(turn->state, doc->flow));
    struct sg_slice parts[] = {
        sg_slice_of(label, sizeof label),
        sg_pack_slice(flow->terms->structure_sha256),
        sg_slice_of(doc->key_filter, strlen(doc->key_filter) + 1),
        sg_slice_text(doc->period)};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), choice);
}

// ---- asking ----------------------------------------------------------------

// His place among those that wait: that of the same choice, or a new one.
static uint32_t
place_for(struct sg_turn *turn, const uint8_t choice[32])
{
    struct sg_core *core = turn->core;
    uint32_t his = 0;

    for (uint32_t i = sg_pool_next(core->choosings, 0); i != 0;
         i = sg_pool_next(core->choosings, i)) {
        const struct sg_choosing *one = choosing_at(core, i);
        if (strcmp(one->owner, turn->who->id) != 0)
            continue;
        if (memcmp(one->choice, choice, 32) == 0)
            return i;
        his++;
    }
    return his < SG_LIMIT_CHOICES_EACH ? sg_pool_take(core->choosings) : 0;
}

// The message, to be handled again; the credit that came with it was taken. What
// was kept before stays when there is no memory.
static bool
keep_message(struct sg_turn *turn, struct sg_choosing *one)
{
    struct sg_arena *mem = sg_arena_new(SG_LIMIT_HEADER + ROOM, 0);
    Sgpb__Envelope envelope = *turn->envelope;
    struct sg_slice packed = {NULL, 0};

    envelope.grant_bytes = 0;
    envelope.grant_messages = 0;
    if (mem != NULL)
        packed = sg_pack_close(mem, &envelope.base);
    if (packed.ptr == NULL) {
        sg_arena_free(&mem);
        return false;
    }
    sg_arena_free(&one->mem);
    one->mem = mem;
    one->envelope = packed;
    one->from = turn->session->peer;
    memcpy(one->curve_key, turn->session->curve_key, 32);
    return true;
}

static void
ask(struct sg_turn *turn, const Sgpb__Subscription *doc,
    const uint8_t choice[32])
{
    uint32_t index = place_for(turn, choice);
    struct sg_choosing *one =
        index == 0 ? NULL : choosing_at(turn->core, index);
    bool fresh = one != NULL && one->mem == NULL;

    if (one == NULL || !keep_message(turn, one)) {
        if (fresh)
            sg_pool_give(turn->core->choosings, index);
        sg_turn_refuse(turn, SG_ERR_BUSY, "key_filter");
        return;
    }
    if (!fresh)
        return; // the answer goes to who asked last
    one->flow = sg_flow_find(turn->state, doc->flow);
    memcpy(one->choice, choice, 32);
    (void)snprintf(one->owner, sizeof one->owner, "%s", turn->who->id);
    turn->core->choosings_waiting++;
}

bool
sg_choice_fits(struct sg_turn *turn, const Sgpb__Subscription *doc)
{
    uint8_t choice[32];

    if (doc->key_filter[0] == '\0' && doc->period[0] == '\0')
        return true;
    name_of(turn, doc, choice);
    if (turn->chosen == NULL || memcmp(turn->chosen->choice, choice, 32) != 0) {
        ask(turn, doc, choice);
        return false;
    }
    if (turn->chosen->err != SG_OK)
        sg_turn_refuse(turn, turn->chosen->err, turn->chosen->place);
    return turn->chosen->err == SG_OK;
}

// ---- jobs ------------------------------------------------------------------

static void
start(struct sg_turn *turn, struct sg_choosing *one, uint32_t index)
{
    struct sg_pending_job *pending = sg_inspect_new_job(turn, SG_JOB_CHOICE);
    Sgpb__Rendition wanted = SGPB__RENDITION__INIT;
    const Sgpb__Envelope *envelope =
        sg_pack_open(turn->arena, &sgpb__envelope__descriptor, one->envelope);
    const Sgpb__Subscription *doc =
        envelope == NULL
            ? NULL
            : sg_pack_open(
                  turn->arena, &sgpb__subscription__descriptor,
                  sg_pack_slice(envelope->subscribe->subscription->body));

    SG_ASSERT(pending != NULL);      // there was room
    SG_ASSERT(doc != NULL);          // it was opened before
    name_of(turn, doc, one->choice); // of today's structure
    pending->of[pending->count++] = index;
    wanted.key_filter = doc->key_filter;
    wanted.period = doc->period;
    struct sg_job *job = sg_inspect_job(turn, pending, one->flow, 0, 0, 1);
    job->rendition = sg_pack_close(turn->arena, &wanted.base);
    sg_output_effect(turn->output, SG_EFFECT_START_JOB, SG_AFTER_NOTHING)
        ->u.start_job = job;
    one->started = true;
    turn->core->choosings_waiting--;
}

void
sg_choice_turn(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;

    for (uint32_t i = sg_pool_next(core->choosings, 0);
         i != 0 && core->choosings_waiting > 0 &&
         sg_inspect_has_room(core, SG_JOB_CHOICE);
         i = sg_pool_next(core->choosings, i)) {
        struct sg_choosing *one = choosing_at(core, i);
        if (!one->started)
            start(turn, one, i);
    }
}

// ---- answers ---------------------------------------------------------------

// What a worker may say is wrong; anything else is no answer.
static enum sg_err
read_answer(const Sgpb__DoneItem *item)
{
    static const enum sg_err faults[] = {SG_ERR_KEY_FIELDS, SG_ERR_KEY_CODE,
                                         SG_ERR_PERIOD, SG_ERR_PERIOD_ORDER};

    if (item->verdict == VERDICT_ACCEPT)
        return SG_OK;
    for (size_t i = 0;
         i < SG_COUNT_OF(faults) && item->verdict == VERDICT_REJECT; i++)
        if (strcmp(item->code, sg_err_code(faults[i])) == 0)
            return faults[i];
    return SG_ERR_BUSY;
}

// As if the message came now: the sender's key is looked up again.
static void
handle_again(struct sg_turn *turn, const struct sg_choosing *one,
             const struct sg_chosen *chosen)
{
    struct sg_event event = {
        .kind = SG_EVENT_MESSAGE,
        .u.message = {.from = one->from, .envelope = one->envelope}};
    const struct sg_session *session = sg_session_find(turn->core, &one->from);

    memcpy(event.u.message.curve_key, one->curve_key, 32);
    if (session == NULL || memcmp(session->curve_key, one->curve_key, 32) != 0)
        return; // he went away; who comes back asks again
    turn->chosen = chosen;
    sg_session_message(turn, &event);
    turn->chosen = NULL;
}

void
sg_choice_done(struct sg_turn *turn, const struct sg_pending_job *done,
               const Sgpb__Done *answer)
{
    uint32_t index = done->of[0];
    struct sg_choosing *one = choosing_at(turn->core, index);
    struct sg_chosen chosen = {.err = SG_ERR_BUSY, .place = "key_filter"};

    if (answer != NULL)
        chosen.err = read_answer(answer->items[0]);
    if (chosen.err == SG_ERR_BUSY && ++one->tries < TRIES) {
        one->started = false; // a worker died or lied
        turn->core->choosings_waiting++;
        return;
    }
    if (answer != NULL && chosen.err != SG_ERR_BUSY)
        chosen.place = answer->items[0]->component;
    memcpy(chosen.choice, one->choice, 32);
    // It may ask anew, under other terms of the flow: its place is free then.
    struct sg_choosing asked = *one;
    sg_pool_give(turn->core->choosings, index);
    handle_again(turn, &asked, &chosen);
    sg_arena_free(&asked.mem);
}
