#include "broker/loop.h"

// EVENTS: of one turn, so that what waits together is written together.
// OUTPUTS: turns whose effects may wait for the disk at the same time.
// WAITING_BYTES: what they may hold meanwhile, so that a flood of what swells
// when it is unpacked does not fill memory while its refusals are written.
enum { EVENTS = 256, OUTPUTS = 16, OUTPUT_BYTES = 16 * 1024 * 1024 };
enum { WAITING_BYTES = 4 * OUTPUT_BYTES };

struct waiting { // effects of one turn, from next on not yet handed over
    struct sg_output *output;
    size_t next;
    size_t appended, scanned; // entries given to the log, effects looked at
};

struct sg_loop {
    struct sg_arena *home;
    struct sg_core *core;
    const struct sg_env *env;
    struct waiting ring[OUTPUTS];
    size_t first, count; // of ring: turns that wait, oldest first
    uint64_t durable;    // entries below it
    enum sg_err failed;  // appending
    bool stopped;
    enum sg_err reason; // why it had to stop
    struct sg_event events[EVENTS];
};

struct sg_loop *
sg_loop_new(struct sg_core *core, const struct sg_env *env)
{
    struct sg_arena *home = sg_arena_new(sizeof(struct sg_loop) + 64, 0);
    struct sg_loop *loop;

    if (home == NULL)
        return NULL;
    loop = sg_arena_take(home, sizeof *loop);
    SG_ASSERT(loop != NULL);
    *loop = (struct sg_loop){.home = home, .core = core, .env = env};
    for (size_t i = 0; i < OUTPUTS; i++) {
        loop->ring[i].output = sg_output_new(OUTPUT_BYTES);
        if (loop->ring[i].output == NULL) {
            sg_loop_free(&loop);
            return NULL;
        }
    }
    return loop;
}

void
sg_loop_free(struct sg_loop **loop)
{
    if (*loop == NULL)
        return;
    struct sg_arena *home = (*loop)->home;
    for (size_t i = 0; i < OUTPUTS; i++)
        sg_output_free(&(*loop)->ring[i].output);
    sg_arena_free(&home);
    *loop = NULL;
}

static struct sg_output *
current(struct sg_loop *loop)
{
    return loop->ring[(loop->first + loop->count - 1) % OUTPUTS].output;
}

static void
decide(struct sg_loop *loop, const struct sg_event *event)
{
    if (event->kind == SG_EVENT_DURABLE && event->u.seq >= loop->durable)
        loop->durable = event->u.seq + 1;
    sg_core_decide(loop->core, event, loop->env->now(loop->env->ctx),
                   current(loop));
}

// What was decided in the turn in hand goes to the log.
static enum sg_err
append(struct sg_loop *loop)
{
    struct waiting *now =
        &loop->ring[(loop->first + loop->count - 1) % OUTPUTS];
    const struct sg_output *output = now->output;
    size_t from = now->appended;

    now->appended = output->entries_count;
    return output->entries_count == from
               ? SG_OK
               : loop->env->append(loop->env->ctx, output->entries + from,
                                   output->entries_count - from);
}

// The last gate of a content key: the stop epoch as it is now (S36).
static void
hand_over(struct sg_loop *loop, const struct sg_effect *effect)
{
    struct sg_event no = {.kind = SG_EVENT_KEY_NOT_SENT};

    if (effect->kind != SG_EFFECT_RELEASE_KEY ||
        sg_core_stop_epoch(loop->core, effect->u.key.delivery) ==
            effect->u.key.stop_epoch) {
        // A snapshot is of the state now: every entry of it must be in the log.
        if (effect->kind == SG_EFFECT_SNAPSHOT &&
            (loop->failed = append(loop)) != SG_OK)
            return;
        loop->env->effect(loop->env->ctx, effect);
        if (effect->kind == SG_EFFECT_STOP) {
            loop->stopped = true;
            loop->reason = effect->u.reason;
        }
        return;
    }
    memcpy(no.u.key.delivery, effect->u.key.delivery, 16);
    no.u.key.released = effect->u.key.released;
    loop->env->random(loop->env->ctx, no.random);
    decide(loop, &no);
}

static bool
is_free(const struct sg_loop *loop, const struct sg_effect *effect)
{
    return effect->after_seq == SG_AFTER_NOTHING ||
           effect->after_seq < loop->durable;
}

// What became free of older turns, in order.
static void
let_go(struct sg_loop *loop)
{
    while (loop->count > 1) { // the last one is the turn in hand
        struct waiting *oldest = &loop->ring[loop->first];
        for (; oldest->next < oldest->output->effects_count; oldest->next++) {
            struct sg_effect *effect = &oldest->output->effects[oldest->next];
            if (effect->done)
                continue;
            if (!is_free(loop, effect))
                return;
            hand_over(loop, effect);
        }
        sg_output_reset(oldest->output); // what it took goes back now
        loop->first = (loop->first + 1) % OUTPUTS;
        loop->count--;
    }
}

static void
begin(struct sg_loop *loop)
{
    SG_ASSERT(loop->count < OUTPUTS);
    loop->count++;
    struct waiting *now =
        &loop->ring[(loop->first + loop->count - 1) % OUTPUTS];
    now->next = now->appended = now->scanned = 0;
    sg_output_reset(now->output);
}

// Entries first, then what waits for none of them; the rest waits its turn.
static enum sg_err
finish(struct sg_loop *loop)
{
    struct waiting *now =
        &loop->ring[(loop->first + loop->count - 1) % OUTPUTS];
    struct sg_output *output = now->output;
    uint8_t random[32];

    loop->env->random(loop->env->ctx, random);
    sg_core_end_turn(loop->core, random, loop->env->now(loop->env->ctx),
                     output);
    enum sg_err err = loop->failed != SG_OK ? loop->failed : append(loop);
    if (err != SG_OK)
        return err;
    for (; now->scanned < output->effects_count; now->scanned++) {
        struct sg_effect *effect = &output->effects[now->scanned];
        if (effect->after_seq != SG_AFTER_NOTHING)
            continue;
        effect->done = true;
        hand_over(loop, effect);
    }
    return SG_OK;
}

// Is there an output for the next turn, and memory for it?
static bool
has_output(const struct sg_loop *loop)
{
    size_t bytes = 0;

    for (size_t i = 0; i < loop->count; i++)
        bytes += sg_arena_used(
            loop->ring[(loop->first + i) % OUTPUTS].output->arena);
    return loop->count < OUTPUTS && (loop->count < 2 || bytes < WAITING_BYTES);
}

// More was asked for than an output holds: the turn ends here, and the events
// that are left get another. With no output left, the disk is waited for;
// what it lets go may be decided again, and belongs to the turn that ends.
static enum sg_err
next_output(struct sg_loop *loop)
{
    struct sg_event told = {.kind = SG_EVENT_DURABLE};
    uint64_t durable;

    let_go(loop);
    enum sg_err err = finish(loop);
    while (err == SG_OK && !has_output(loop)) {
        if (!loop->env->settle(loop->env->ctx, &durable))
            return SG_ERR_IO;
        if (durable <= loop->durable)
            continue;
        told.u.seq = durable - 1;
        loop->env->random(loop->env->ctx, told.random);
        decide(loop, &told);
        let_go(loop);
        err = finish(loop);
    }
    if (err == SG_OK)
        begin(loop);
    return err;
}

enum sg_err
sg_loop_start(struct sg_loop *loop, const char *reason)
{
    uint8_t random[32];

    loop->durable = sg_core_next_seq(loop->core);
    begin(loop);
    loop->env->random(loop->env->ctx, random);
    sg_core_resume(loop->core, reason, random, loop->env->now(loop->env->ctx),
                   current(loop));
    return finish(loop);
}

// Is an effect free that no event will wake us for?
static bool
owes(const struct sg_loop *loop)
{
    for (size_t i = 0; i < loop->count; i++) {
        const struct waiting *at = &loop->ring[(loop->first + i) % OUTPUTS];
        size_t next = at->next;
        while (next < at->output->effects_count &&
               at->output->effects[next].done)
            next++;
        if (next < at->output->effects_count)
            return is_free(loop, &at->output->effects[next]);
    }
    return false;
}

enum sg_err
sg_loop_turn(struct sg_loop *loop, bool *stopped)
{
    // With every output waiting for the disk only one event is taken at a time,
    // into the newest; it is the disk's own word that is waited for.
    bool full = loop->count + 1 >= OUTPUTS;
    uint64_t due = owes(loop) ? 0 : sg_core_due(loop->core);
    size_t count =
        loop->env->wait(loop->env->ctx, due, loop->events, full ? 1 : EVENTS);

    if (loop->count < OUTPUTS)
        begin(loop);
    for (size_t i = 0; i < count; i++) {
        enum sg_err err =
            sg_output_has_room(current(loop)) ? SG_OK : next_output(loop);
        if (err != SG_OK)
            return err;
        decide(loop, &loop->events[i]);
    }
    let_go(loop);
    enum sg_err err = finish(loop);
    *stopped = loop->stopped;
    return err == SG_OK ? loop->reason : err;
}
