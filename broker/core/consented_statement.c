// consented_statement - what had left when consent was taken back (S36).
//
// Owns core->stating: how far the statement in hand is. A statement goes through
// every release of every flow that rests, or ever rested, on the agreement, and
// finds each delivery where it is, in memory or not. It is written in pages, each
// naming the one before it by entry and hash, so that the last one, which is
// answered with, fixes all of them. Invariant: nothing is left out: what is over
// a page goes on the next, what is over the budget of a turn is done in the next
// turn. A start begins the pages again; those of before have no last one.
#include "broker/core/cold.h"
#include "broker/core/consented.h"
#include "broker/core/deliver.h"
#include "broker/core/policy_admin.h"
#include "broker/core/roster.h"
#include "broker/core/settle.h"

enum { LEFT_RECEIPTED = 1, LEFT_UNRECEIPTED, CANCELLED, CIPHERTEXT_ONLY };
// Of a budget in look-ups: a delivery in memory, one that is not, a search.
enum { COST_NEAR = 1, COST_FAR = 2, COST_SEARCH = 20 };
enum { VERSIONS_MAX = 64 }; // of terms looked at; older ones count as naming it

static bool
names(const Sgpb__FlowTerms *terms, struct sg_slice agreement)
{
    for (size_t i = 0; i < terms->n_agreements; i++)
        if (sg_slice_eq(agreement, sg_slice_text(terms->agreements[i])))
            return true;
    return false;
}

// Is a key that was released before the event still on its way? Any: the frame
// is handed over or not within the turn, while its delivery may have left memory
// and its flow may have other terms by now.
static bool
unsettled(const struct sg_turn *turn, const struct sg_agreement *agreement)
{
    struct sg_slice id;
    uint64_t released;
    uint32_t at = 0;

    while (sg_table_next(turn->core->in_flight, &at, &id, &released)) {
        if (released <= agreement->last_stop)
            return true;
    }
    return false;
}

// ---- when a flow rested on the agreement ------------------------------------------

struct rested { // newest first; each was in force until the one before it
    uint64_t from[VERSIONS_MAX + 1];
    bool named[VERSIONS_MAX + 1];
    size_t count;
    bool ever;
};

// The terms that an entry brought; NULL: they cannot be read.
static const Sgpb__FlowTerms *
terms_at(struct sg_turn *turn, uint64_t seq, uint64_t *previous)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    struct sg_slice body;

    if (!lookup->entry(lookup->ctx, seq, turn->arena, &body))
        return NULL;
    const Sgpb__TermsEntry *entry =
        sg_pack_open(turn->arena, &sgpb__terms_entry__descriptor, body);
    if (entry == NULL || entry->terms == NULL)
        return NULL;
    *previous = entry->previous;
    return sg_pack_open(turn->arena, &sgpb__flow_terms__descriptor,
                        sg_pack_slice(entry->terms->body));
}

static void
add_version(struct rested *out, uint64_t from, bool named)
{
    out->from[out->count] = from;
    out->named[out->count++] = named;
    out->ever |= named;
}

// What cannot be known counts as naming it: rather one too many is stated.
static void
rested_of(struct sg_turn *turn, const struct sg_flow *flow,
          struct sg_slice agreement, struct rested *out, size_t *cost)
{
    uint64_t seq = 0;

    *out = (struct rested){.count = 0};
    add_version(out, flow->seq, names(flow->terms, agreement));
    if (flow->terms->version > 1) {
        const Sgpb__TermsEntry *entry = sg_pack_open(
            turn->arena, &sgpb__terms_entry__descriptor, flow->kept.body);
        SG_ASSERT(entry != NULL); // it was applied
        seq = entry->previous;
    }
    while (seq != 0 && out->count <= VERSIONS_MAX) {
        uint64_t previous = 0;
        const Sgpb__FlowTerms *terms =
            out->count < VERSIONS_MAX ? terms_at(turn, seq, &previous) : NULL;
        add_version(out, terms == NULL ? 0 : seq,
                    terms == NULL || names(terms, agreement));
        *cost += COST_SEARCH;
        seq = previous;
    }
}

static bool
rests(const struct rested *all, uint64_t from, uint64_t until)
{
    uint64_t ended = UINT64_MAX;

    for (size_t i = 0; i < all->count; i++) {
        if (all->named[i] && all->from[i] <= until && from < ended)
            return true;
        ended = all->from[i];
    }
    return false;
}

// ---- one delivery -----------------------------------------------------------------

// As of the event: a key that went after it went on a consent that held then.
static void
add_fate(struct sg_stating *s, const struct rested *rested,
         const struct sg_cold_delivery *one)
{
    struct sg_fate *fate = &s->fate[s->count];
    uint64_t key =
        one->released < s->event ? one->released : one->first_released;
    uint64_t first = one->statement != 0 ? one->statement : one->cancelled;
    uint64_t last = one->released > first ? one->released : first;

    if (first == 0 || !rests(rested, first, last))
        return;
    if (key != 0 && key < s->event) {
        fate->what = one->ack != 0 ? LEFT_RECEIPTED : LEFT_UNRECEIPTED;
        fate->entry = one->ack != 0 ? one->ack : key;
        if (key > s->last_key)
            s->last_key = key;
    } else if (one->cancelled != 0) {
        fate->what = CANCELLED;
        fate->entry = one->cancelled;
    } else {
        fate->what = CIPHERTEXT_ONLY;
        fate->entry = one->statement;
    }
    memcpy(fate->id, one->id, sizeof fate->id);
    s->count++;
}

static struct sg_cold_delivery
in_memory(const struct sg_delivery *delivery)
{
    struct sg_cold_delivery out = {.state = delivery->state,
                                   .ack = delivery->ack,
                                   .released = delivery->released,
                                   .first_released = delivery->first_released,
                                   .cancelled = delivery->cancelled,
                                   .statement = delivery->statement};

    memcpy(out.id, delivery->id, sizeof out.id);
    return out;
}

// ---- pages ------------------------------------------------------------------------

static void
send_statement(struct sg_turn *turn, const struct sg_stating *s,
               Sgpb__Signed *statement, uint64_t seq)
{
    struct sg_core *core = turn->core;
    size_t kept = 0;

    for (size_t i = 0; i < core->asked_count; i++) {
        if (core->asked[i].agreement != s->agreement ||
            core->asked[i].event > s->event) {
            core->asked[kept++] = core->asked[i];
            continue;
        }
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__StatementIs is = SGPB__STATEMENT_IS__INIT;
        is.statement = statement;
        envelope.request = core->asked[i].request;
        envelope.body_case = SGPB__ENVELOPE__BODY_STATEMENT;
        envelope.statement = &is;
        sg_turn_send(turn, &core->asked[i].peer, &envelope, seq)->receipt_of =
            seq;
    }
    core->asked_count = kept;
}

static void
fill_fates(struct sg_turn *turn, const struct sg_stating *s,
           Sgpb__Statement *body)
{
    Sgpb__Fate *fates = sg_turn_take(turn, (s->count + 1) * sizeof *fates);

    body->fates = sg_turn_take(turn, (s->count + 1) * sizeof *body->fates);
    for (; body->n_fates < s->count; body->n_fates++) {
        Sgpb__Fate *one = &fates[body->n_fates];
        const struct sg_fate *fate = &s->fate[body->n_fates];
        *one = (Sgpb__Fate)SGPB__FATE__INIT;
        one->delivery_id = sg_pack_bytes(fate->id, sizeof fate->id);
        one->fate = fate->what;
        one->entry = fate->entry;
        body->fates[body->n_fates] = one;
    }
}

// more: another page follows. The last one is the answer.
static void
write_page(struct sg_turn *turn, struct sg_stating *s, bool more)
{
    Sgpb__Statement body = SGPB__STATEMENT__INIT;
    Sgpb__StatementEntry entry = SGPB__STATEMENT_ENTRY__INIT;

    s->named += s->count;
    body.gate = (char *)(uintptr_t)turn->state->gate;
    body.event_sha256 = sg_pack_bytes(s->event_sha256, 32);
    body.event_index = s->event;
    body.last_key_released = s->last_key;
    fill_fates(turn, s, &body);
    body.answered = turn->now;
    body.page = s->page;
    if (s->page > 0) {
        body.previous_sha256 = sg_pack_bytes(s->previous_sha256, 32);
        body.previous_entry = s->previous;
    }
    body.more = more;
    body.named = s->named;
    entry.statement = sg_roster_sign(turn, SG_SIGN_STATEMENT, &body.base);
    entry.agreement = sg_pack_text(
        turn->arena, sg_state_agreement(turn->state, s->agreement)->id);
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_STATEMENT, &entry.base);
    sg_crypto_sha256(entry.statement->body.data, entry.statement->body.len,
                     s->previous_sha256);
    s->previous = seq;
    s->page++;
    s->count = 0;
    if (!more)
        send_statement(turn, s, entry.statement, seq);
}

// ---- going through all of them ----------------------------------------------------

struct walk {
    struct sg_turn *turn;
    struct sg_stating *s;
    size_t budget;
    struct rested rested; // of the flow in hand
};

static bool
spend(struct walk *walk, size_t cost)
{
    walk->budget -= cost < walk->budget ? cost : walk->budget;
    return walk->budget > 0 && sg_output_has_room(walk->turn->output);
}

static uint64_t
revision_of(const struct sg_state *state, uint32_t delivery)
{
    return sg_state_release(state, sg_state_delivery(state, delivery)->release)
        ->revision;
}

// The delivery of the release that has left memory, if one was stated.
static enum sg_err
add_cold(struct walk *walk, const struct sg_release *release)
{
    struct sg_cold_delivery one;
    enum sg_err err = sg_cold_delivery(walk->turn->state, release->seq,
                                       walk->s->subscription, &one);

    if (err == SG_OK)
        add_fate(walk->s, &walk->rested, &one);
    return err == SG_ERR_NOT_FOUND ? SG_OK : err;
}

// All releases of one subscription from s->revision on. false: not now.
static bool
go_through(struct walk *walk)
{
    struct sg_stating *s = walk->s;
    const struct sg_state *state = walk->turn->state;
    const struct sg_subscription *to =
        sg_state_subscription(state, s->subscription);
    uint32_t d = to->first; // those in memory, in order of revision
    struct sg_release release;

    if (s->revision == 0) {
        if (sg_settle_first(state, s->flow, to->start, &s->revision) != SG_OK ||
            !spend(walk, COST_SEARCH))
            return false;
    }
    for (; s->revision <= sg_state_flow(state, s->flow)->revision;
         s->revision++) {
        if (s->count == s->most) {
            write_page(walk->turn, s, true);
            d = to->first; // what is over may have left memory
        }
        while (d != 0 && revision_of(state, d) < s->revision)
            d = sg_state_delivery(state, d)->next;
        bool near = d != 0 && revision_of(state, d) == s->revision;
        if (!spend(walk, near ? COST_NEAR : COST_FAR) ||
            sg_settle_look(state, s->flow, s->revision, &release) != SG_OK)
            return false; // it is looked at again
        if (release.seq >= to->matched || release.seq > s->event)
            return true;
        if (near) {
            struct sg_cold_delivery one =
                in_memory(sg_state_delivery(state, d));
            add_fate(s, &walk->rested, &one);
        } else if (add_cold(walk, &release) != SG_OK) {
            return false;
        }
    }
    return true;
}

// false: the rest in the next turn.
static bool
go_on(struct walk *walk)
{
    struct sg_turn *turn = walk->turn;
    struct sg_stating *s = walk->s;
    struct sg_slice agreement =
        sg_state_agreement(turn->state, s->agreement)->id;

    while (s->flow != 0) {
        const struct sg_flow *flow = sg_state_flow(turn->state, s->flow);
        size_t cost = COST_NEAR;
        rested_of(turn, flow, agreement, &walk->rested, &cost);
        if (!spend(walk, cost))
            return false;
        if (s->subscription == 0)
            s->subscription = flow->first_subscription;
        while (walk->rested.ever && s->subscription != 0) {
            if (!go_through(walk))
                return false;
            s->revision = 0;
            s->subscription =
                sg_state_subscription(turn->state, s->subscription)->next;
        }
        s->subscription = 0;
        s->flow = sg_pool_next(turn->state->flows, s->flow);
    }
    return true;
}

static bool
wants(const struct sg_turn *turn, uint32_t index)
{
    const struct sg_agreement *one = sg_state_agreement(turn->state, index);

    return one->last_stop != 0 && one->last_stop >= one->stated &&
           !unsettled(turn, one);
}

// The next agreement after the last one answered; all have their turn.
static bool
begin(struct sg_turn *turn, struct sg_stating *s)
{
    const struct sg_pool *all = turn->state->agreements;
    uint32_t i = sg_pool_next(all, s->last);

    while (i != 0 && !wants(turn, i))
        i = sg_pool_next(all, i);
    if (i == 0) // from the first again
        for (i = sg_pool_next(all, 0); i != 0 && !wants(turn, i);)
            i = sg_pool_next(all, i);
    if (i == 0)
        return false;
    const struct sg_agreement *one = sg_state_agreement(turn->state, i);
    s->agreement = s->last = i;
    s->event = one->last_stop;
    memcpy(s->event_sha256, one->stop_sha256, 32);
    s->flow = sg_pool_next(turn->state->flows, 0);
    s->subscription = 0;
    s->revision = s->previous = s->named = s->last_key = 0;
    s->page = 0;
    s->count = 0;
    return true;
}

bool
sg_consented_is_due(const struct sg_core *core)
{
    return core->stating->agreement != 0;
}

void
sg_consented_statements(struct sg_turn *turn)
{
    struct sg_stating *s = turn->core->stating;
    struct walk *walk = sg_turn_take(turn, sizeof *walk);

    *walk = (struct walk){.turn = turn, .s = s, .budget = s->looks};
    while (walk->budget > 0 && sg_output_has_room(turn->output)) {
        if (s->agreement == 0 && !begin(turn, s))
            return;
        if (!go_on(walk))
            return;
        write_page(turn, s, false);
        s->agreement = 0;
    }
}
