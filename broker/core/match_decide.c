#include "broker/core/consented.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/match.h"
#include "broker/core/match_parts.h"
#include "broker/core/release.h"
#include "broker/core/render.h"
#include "broker/core/roster.h"

#define DAY_US (24 * 3600 * 1000000ull)

uint32_t
sg_match_day(uint64_t now_us)
{
    return (uint32_t)(now_us / DAY_US);
}

// ---- the request of one part ----------------------------------------------------------

// The release is decided for ever under the stricter of the terms it was
// accepted under and those in force (S10). What the terms now exclude becomes
// unknown, which no permit accepts.
static void
level_r(const struct sg_release *release, const Sgpb__FlowTerms *terms,
        uint16_t *code)
{
    memcpy(code, release->codes, SG_ATTR_COUNT * sizeof *code);
    for (int a = 0; a < SG_ATTR_COUNT; a++) {
        enum sg_attr attr = (enum sg_attr)a;
        uint16_t stated = sg_flow_code(terms, attr);
        if (code[attr] == 0 || stated == 0 || stated == code[attr])
            continue;
        struct sg_stated all = {
            .claim = code[attr], .terms = &stated, .terms_count = 1};
        if (attr == SG_ATTR_LOCALISATION)
            code[attr] = stated > code[attr] ? stated : code[attr];
        else if (!sg_vocabulary_strictest(attr, &all, &code[attr]))
            code[attr] = 0;
    }
}

static uint16_t
consent_code(struct sg_turn *turn, const Sgpb__FlowTerms *terms,
             const uint16_t *code, bool community)
{
    struct sg_slice ids[SG_COUNT_OF(((struct sg_outcome *)0)->epochs)];
    size_t count = 0;

    if (!community && code[SG_ATTR_LAWFUL_BASIS] != SG_LAWFUL_BASIS_CONSENT &&
        code[SG_ATTR_SPECIAL_CONDITION] !=
            SG_SPECIAL_CONDITION_EXPLICIT_CONSENT)
        return code[SG_ATTR_LAWFUL_BASIS] == 0 ? 0 : SG_CONSENT_NOT_RELIED_ON;
    if (community && sg_flow_code(terms, SG_ATTR_COMMUNITY_CONSENT) ==
                         SG_COMMUNITY_CONSENT_NOT_CONCERNED)
        return SG_COMMUNITY_CONSENT_NOT_CONCERNED;
    for (size_t i = 0; i < terms->n_agreements && count < SG_COUNT_OF(ids); i++)
        if (sg_consented_covers(turn->state, terms->agreements[i], community,
                                code))
            ids[count++] = sg_slice_text(terms->agreements[i]);
    if (count < terms->n_agreements)
        return 0; // more than are looked at, or nobody was asked for this use:
                  // unknown, never a permit
    return sg_consent_code_all(turn->state->consent, ids, count, community,
                               turn->now);
}

void
sg_match_recipient(struct sg_turn *turn, const Sgpb__FlowTerms *terms,
                   const struct sg_subscription *to, uint16_t *code)
{
    const struct sg_state *state = turn->state;
    const Sgpb__Participant *who =
        sg_roster_participant(state, sg_slice_text(to->doc->subscriber));
    const Sgpb__Participant *from =
        sg_roster_participant(state, sg_slice_text(terms->provider));

    if (who == NULL || from == NULL || strcmp(who->state, "paused") == 0)
        return; // unknown destination and recipient: incomplete
    code[SG_ATTR_DESTINATION] = sg_vocabulary_code(
        SG_ATTR_DESTINATION, sg_slice_text(who->jurisdiction));
    code[SG_ATTR_STORED_IN] =
        sg_vocabulary_code(SG_ATTR_STORED_IN, sg_slice_text(who->stored_in));
    code[SG_ATTR_RECIPIENT] =
        sg_vocabulary_code(SG_ATTR_RECIPIENT, sg_slice_text(who->class_));
    if (turn->core->policy != NULL)
        code[SG_ATTR_PARTY] =
            sg_policy_party(turn->core->policy, sg_slice_text(who->id));
    // For another purpose than the flow's it is asked for none: incomplete.
    if (sg_flow_serves(terms, to->doc->purpose))
        code[SG_ATTR_PURPOSE] = sg_vocabulary_code(
            SG_ATTR_PURPOSE, sg_slice_text(to->doc->purpose));
    code[SG_ATTR_INSTRUMENT] =
        sg_roster_instrument(state, from, who, to->doc->purpose, turn->now);
}

// A release may claim fewer purposes than the terms; none is what they say.
static bool
release_serves(struct sg_turn *turn, const Sgpb__Accepted *detail,
               const char *purpose)
{
    const Sgpb__Manifest *m =
        detail->manifest == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__manifest__descriptor,
                           sg_pack_slice(detail->manifest->manifest));

    if (m == NULL || m->claims == NULL)
        return false;
    bool found = m->claims->n_purposes == 0;
    for (size_t i = 0; i < m->claims->n_purposes && !found; i++)
        found = strcmp(m->claims->purposes[i], purpose) == 0;
    return found;
}

// CONF_STATUS E that states no time never becomes F (sdmx-facts 1.10).
static uint64_t
embargo_of(const Sgpb__Part *part)
{
    if (part == NULL)
        return 0;
    return part->embargo_us == 0 && strcmp(part->conf_status, "E") == 0
               ? UINT64_MAX
               : part->embargo_us;
}

// Facts say "" of what is unknown; what a judge did not find at all they say
// in words (rows.h). No rows are free and unlimited.
static void
level_p(const struct sg_turn *turn, const Sgpb__Part *part,
        const struct sg_subscription *to, uint16_t *code)
{
    static const enum sg_attr attr[] = {SG_ATTR_CONF_STATUS, SG_ATTR_OBS_STATUS,
                                        SG_ATTR_NATURE};
    const char *text[] = {"F", "NORMAL", ""};

    if (part != NULL) {
        text[0] = part->conf_status;
        text[1] = part->obs_status;
        text[2] = part->nature;
    }
    for (size_t i = 0; i < SG_COUNT_OF(attr); i++)
        code[attr[i]] = sg_vocabulary_code(attr[i], sg_slice_text(text[i]));
    if (code[SG_ATTR_CONF_STATUS] == SG_CONF_STATUS_E &&
        embargo_of(part) <= turn->now)
        code[SG_ATTR_CONF_STATUS] = SG_CONF_STATUS_F;
    code[SG_ATTR_CONF_REDIST] =
        part == NULL ? (uint16_t)SG_CONF_REDIST_NOT_LIMITED
                     : sg_match_redist(turn->state, part->conf_redist,
                                       to->doc->subscriber);
}

static uint16_t
availability(const struct sg_turn *turn, const struct sg_release *release,
             const Sgpb__Part *part, uint64_t *until)
{
    uint64_t own = embargo_of(part);
    uint64_t embargo = release->embargo_us > own ? release->embargo_us : own;

    if (release->recalled_at != 0 || release->destroyed_at != 0)
        return SG_AVAILABILITY_WITHDRAWN;
    if (embargo <= turn->now)
        return SG_AVAILABILITY_RELEASED;
    *until = embargo > *until ? embargo : *until;
    return SG_AVAILABILITY_SCHEDULED;
}

// ---- the context -------------------------------------------------------------------------

static void
promises(struct sg_turn *turn, const struct sg_subscription *to,
         struct sg_context *context)
{
    const Sgpb__Subscription *doc = to->doc;
    struct sg_obligation *list =
        sg_turn_take(turn, (doc->n_promises + 1) * sizeof *list);
    struct sg_slice args[4];

    context->promises = list;
    for (size_t i = 0; i < doc->n_promises; i++) {
        const Sgpb__Subscription__Obligation *one = doc->promises[i];
        for (size_t k = 0; k < one->n_args && k < SG_COUNT_OF(args); k++)
            args[k] = sg_slice_text(one->args[k]);
        if (sg_obligation_parse(sg_slice_text(one->name), args, one->n_args,
                                &list[context->promises_count]))
            context->promises_count++;
    }
}

struct sg_context *
sg_match_context(struct sg_turn *turn, const Sgpb__FlowTerms *terms,
                 const struct sg_subscription *to, uint64_t first_held)
{
    struct sg_context *context = sg_turn_take(turn, sizeof *context);

    *context = (struct sg_context){.law_of_the_area = terms->law_of_the_area,
                                   .performs = SG_OBLIGATION_PERFORMED};
    if (first_held != 0)
        context->held_days = (uint32_t)((turn->now - first_held) / DAY_US);
    if (terms->min_cell == NULL || terms->min_cell->count_component[0] == '\0')
        context->performs &= ~SG_OBLIGATION_BIT(SUPPRESS_SMALL_CELLS);
    promises(turn, to, context);
    return context;
}

// ---- one part, and all --------------------------------------------------------------------

static void
unite(struct sg_outcome *outcome, const struct sg_decision *part)
{
    for (uint32_t i = 0; i < part->obligations_count; i++) {
        if (!sg_obligation_merge(outcome->obligations,
                                 &outcome->obligations_count,
                                 SG_LIMIT_OBLIGATIONS, &part->obligations[i])) {
            outcome->verdict = SG_VERDICT_DENY;
            outcome->why = SG_WHY_CONFLICT;
        }
        if (part->obligations[i].name == SG_OBLIGATION_SUPPRESS_SMALL_CELLS &&
            part->obligations[i].arg[0] > outcome->suppress_below)
            outcome->suppress_below = part->obligations[i].arg[0];
    }
}

static void
worst_of(struct sg_outcome *outcome)
{
    outcome->verdict = SG_VERDICT_PERMIT;
    outcome->why = SG_WHY_PERMITTED;
    for (size_t i = 0; i < outcome->parts; i++) {
        enum sg_verdict one = (enum sg_verdict)outcome->part[i].verdict;
        if (one != outcome->verdict &&
            sg_decide_worst(one, outcome->verdict) == one) {
            outcome->verdict = one;
            outcome->why = (enum sg_why)outcome->part[i].why;
            outcome->worst = i;
        }
    }
    for (size_t i = 0;
         i < outcome->parts && outcome->verdict == SG_VERDICT_PERMIT; i++)
        unite(outcome, &outcome->part[i]);
}

struct look {
    struct sg_turn *turn;
    const struct sg_release *release;
    const Sgpb__FlowTerms *terms;
    const struct sg_subscription *to;
    const struct sg_context *context;
    const char *key; // NULL: facts cannot be compared with the subscription's
    bool serves;     // the release is for the subscription's purpose
};

static struct sg_request
request_of(const struct look *look, const Sgpb__Part *part, uint64_t *until)
{
    struct sg_request request;
    uint16_t *code = request.code;

    level_r(look->release, look->terms, code);
    sg_match_recipient(look->turn, look->terms, look->to, code);
    if (!look->serves)
        code[SG_ATTR_PURPOSE] = 0;
    level_p(look->turn, part, look->to, code);
    code[SG_ATTR_CONSENT] = consent_code(look->turn, look->terms, code, false);
    code[SG_ATTR_COMMUNITY_CONSENT] =
        consent_code(look->turn, look->terms, code, true);
    code[SG_ATTR_AVAILABILITY] =
        availability(look->turn, look->release, part, until);
    if (look->context->second) // of all changes, suppression alone is performed
        code[SG_ATTR_SDC_STATE] = SG_SDC_STATE_SUPPRESSED;
    return request;
}

// A part under embargo is decided as what it is, E, which is as N. What denies
// it so is asked of what it will be at its time, since nobody would ask then: a
// permit is a hold until that time.
static void
decide_later(const struct look *look, const struct sg_match_part *at,
             struct sg_request *request, struct sg_request *worst,
             struct sg_decision *out)
{
    struct sg_request then;
    struct sg_decision later;

    if (out->verdict != SG_VERDICT_DENY ||
        request->code[SG_ATTR_AVAILABILITY] != SG_AVAILABILITY_SCHEDULED ||
        request->code[SG_ATTR_CONF_STATUS] != SG_CONF_STATUS_E ||
        embargo_of(at->part) == UINT64_MAX)
        return;
    request->code[SG_ATTR_CONF_STATUS] = SG_CONF_STATUS_F;
    sg_among_decide(look->turn->core->rules, request, &at->among,
                    sg_match_day(look->turn->now), look->context, &then,
                    &later);
    if (later.verdict == SG_VERDICT_DENY)
        return;
    *worst = then;
    *out = later;
    if (out->verdict == SG_VERDICT_PERMIT)
        out->why = SG_WHY_HELD;
    out->verdict = SG_VERDICT_HOLD;
    out->waiting_for |= 1ull << SG_ATTR_AVAILABILITY;
}

static void
decide_parts(const struct look *look, const Sgpb__Facts *facts,
             struct sg_outcome *outcome)
{
    struct sg_match_part list[SG_PARTS_MAX];

    outcome->parts = sg_match_parts(facts, look->terms, look->key, list);
    for (size_t i = 0; i < outcome->parts; i++) {
        struct sg_request request =
            request_of(look, list[i].part, &outcome->hold_until);
        outcome->index[i] = list[i].index;
        sg_among_decide(look->turn->core->rules, &request, &list[i].among,
                        sg_match_day(look->turn->now), look->context,
                        &outcome->request[i], &outcome->part[i]);
        decide_later(look, &list[i], &request, &outcome->request[i],
                     &outcome->part[i]);
    }
    worst_of(outcome);
}

// Changes are performed and the parts are decided once more (S42), on what the
// judge found in the rendition; before it is made, on the same facts as before,
// so that what can be seen already need not be made.
static void
decide_changed(const struct look *look, const Sgpb__Facts *facts,
               struct sg_outcome *outcome)
{
    struct sg_outcome *again = outcome->spare;
    struct sg_context after = *look->context;
    struct look second = *look;
    bool changes = false;

    for (size_t i = 0; i < outcome->obligations_count; i++)
        changes |= sg_obligation_kind_of(
                       (enum sg_obligation_name)outcome->obligations[i].name) ==
                   SG_OBLIGATION_KIND_CHANGE;
    if (outcome->verdict != SG_VERDICT_PERMIT || !changes)
        return;
    if (again == NULL)
        again = sg_turn_take(look->turn, sizeof *again);
    *again = (struct sg_outcome){.hold_until = outcome->hold_until};
    uint32_t made = sg_render_made(look->turn, look->release, look->to,
                                   outcome->suppress_below);
    if (made != 0) {
        const struct sg_rendition *rendition =
            sg_state_rendition(look->turn->state, made);
        facts = rendition->doc->facts;
        again->object = rendition->seq;
    }
    after.second = after.united = true;
    after.performed = outcome->obligations;
    after.performed_count = (uint32_t)outcome->obligations_count;
    second.context = &after;
    if (sg_inspect_sound(facts))
        decide_parts(&second, facts, again);
    if (again->verdict != SG_VERDICT_PERMIT) {
        memcpy(again->epochs, outcome->epochs, sizeof again->epochs);
        again->epochs_count = outcome->epochs_count;
        *outcome = *again;
    }
    outcome->spare = again;
}

// Expiry of the roster stops what crosses a border, never what stays (S06).
static void
roster_guard(struct sg_turn *turn, struct sg_outcome *outcome)
{
    const uint16_t *code = outcome->request[0].code;

    if (!sg_roster_expired(turn) || outcome->verdict != SG_VERDICT_PERMIT ||
        (code[SG_ATTR_PROVIDER_IN] != 0 &&
         code[SG_ATTR_PROVIDER_IN] == code[SG_ATTR_DESTINATION]))
        return;
    outcome->verdict = SG_VERDICT_HOLD;
    outcome->why = SG_WHY_HELD;
}

void
sg_match_decide(struct sg_turn *turn, uint32_t release, uint32_t subscription,
                uint64_t first_held, struct sg_outcome *outcome)
{
    sg_match_decide_on(turn, sg_state_release(turn->state, release),
                       subscription, first_held, outcome);
}

void
sg_match_decide_on(struct sg_turn *turn, const struct sg_release *release,
                   uint32_t subscription, uint64_t first_held,
                   struct sg_outcome *outcome)
{
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, subscription);
    const struct sg_flow *flow = sg_state_flow(turn->state, release->flow);
    const Sgpb__Accepted *detail = sg_release_detail_of(turn, release);

    *outcome = (struct sg_outcome){.spare = outcome->spare};
    for (size_t i = 0;
         i < flow->terms->n_agreements && i < SG_COUNT_OF(outcome->epochs);
         i++) {
        uint32_t index =
            sg_state_find(turn->state->agreement_of,
                          sg_slice_text(flow->terms->agreements[i]));
        outcome->epochs[outcome->epochs_count++] =
            index == 0 ? 0 : sg_state_agreement(turn->state, index)->epoch;
    }
    if (to->ended)
        return; // deny
    if (detail == NULL || !sg_inspect_sound(detail->facts)) {
        outcome->verdict = SG_VERDICT_HOLD; // until it can be read again
        outcome->why = SG_WHY_HELD;
        return;
    }
    // Under another map an area may have another name: then all is looked at.
    struct look look = {
        .turn = turn,
        .release = release,
        .terms = flow->terms,
        .to = to,
        .context = sg_match_context(turn, flow->terms, to, first_held),
        .key = detail->terms == flow->seq ? to->doc->key_filter : NULL,
        .serves = release_serves(turn, detail, to->doc->purpose)};
    decide_parts(&look, detail->facts, outcome);
    decide_changed(&look, detail->facts, outcome);
    roster_guard(turn, outcome);
}
