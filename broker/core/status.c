#include "broker/core/status.h"

#include "broker/core/cure.h"
#include "broker/core/flow.h"
#include "broker/core/lost.h"
#include "broker/core/match.h"
#include "broker/core/overdue.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/restored.h"
#include "policy/explain.h"

enum { PAGE_BYTES = SG_LIMIT_HEADER - 4096, PAGE_MAX = 256, TRACE_MAX = 24576 };
enum { MISSING_MAX = 8192 };

void
sg_status_catalogue(struct sg_turn *turn)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Catalogue page = SGPB__CATALOGUE__INIT;
    uint32_t from = turn->envelope->catalogue_get->page;
    size_t bytes = 0;

    page.flows = sg_turn_take(turn, PAGE_MAX * sizeof *page.flows);
    for (uint32_t i = sg_pool_next(turn->state->flows, from); i != 0;
         i = sg_pool_next(turn->state->flows, i)) {
        const struct sg_flow *flow = sg_state_flow(turn->state, i);
        if (flow->closed)
            continue;
        bytes += flow->kept.body.len + 256;
        if (page.n_flows == PAGE_MAX ||
            (bytes > PAGE_BYTES && page.n_flows > 0))
            break;
        page.flows[page.n_flows++] = sg_flow_catalogue(turn, flow);
        page.next_page = i;
    }
    if (sg_pool_next(turn->state->flows, page.next_page) == 0)
        page.next_page = 0;
    envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE;
    envelope.catalogue = &page;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

static void
reply_trace(struct sg_turn *turn, const struct sg_release *release,
            uint32_t subscription, enum sg_audience audience)
{
    struct sg_outcome *outcome = sg_turn_take(turn, sizeof *outcome);
    uint8_t *json = sg_turn_take(turn, TRACE_MAX);
    uint8_t *text = sg_turn_take(turn, TRACE_MAX + 1);
    struct sg_writer json_out = sg_writer_on(json, TRACE_MAX);
    struct sg_writer text_out = sg_writer_on(text, TRACE_MAX);
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Trace trace = SGPB__TRACE__INIT;

    sg_match_decide_on(turn, release, subscription, 0, outcome);
    if (outcome->parts == 0 || turn->core->rules == NULL) {
        sg_turn_refuse(turn, SG_ERR_POLICY_NONE, NULL);
        return;
    }
    size_t at = outcome->worst;
    struct sg_explained what = {.rules = turn->core->rules,
                                .request = &outcome->request[at],
                                .day = sg_match_day(turn->now),
                                .decision = &outcome->part[at],
                                .audience = audience};
    sg_explain_json(&json_out, &what);
    sg_explain_text(&text_out, &what);
    if (audience == SG_AUDIENCE_RECIPIENT &&
        strcmp(sg_explain_code(&what), sg_err_code(SG_ERR_POLICY_CONTENT)) == 0)
        trace.cure = sg_cure_promises(turn, subscription);
    if (!json_out.full)
        trace.json = sg_pack_bytes(json, json_out.len);
    if (!text_out.full)
        trace.text = (char *)text;
    envelope.body_case = SGPB__ENVELOPE__BODY_TRACE;
    envelope.trace = &trace;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

void
sg_status_why(struct sg_turn *turn)
{
    const Sgpb__Why *why = turn->envelope->why;
    uint32_t flow =
        sg_state_find(turn->state->flow_of, sg_slice_text(why->flow));
    uint32_t subscription = sg_state_find(turn->state->subscription_of,
                                          sg_slice_text(why->subscription));
    struct sg_release release = {0};
    enum sg_err found =
        flow == 0 ? SG_ERR_NOT_FOUND
                  : sg_release_look(turn->state, flow, why->revision, &release);

    bool provider =
        flow != 0 && strcmp(sg_state_flow(turn->state, flow)->terms->provider,
                            turn->who->id) == 0;
    bool recipient =
        subscription != 0 &&
        strcmp(
            sg_state_subscription(turn->state, subscription)->doc->subscriber,
            turn->who->id) == 0;
    // A stranger cannot tell what exists from what does not (S44).
    if (found != SG_OK || subscription == 0 || (!provider && !recipient) ||
        sg_state_subscription(turn->state, subscription)->flow != flow) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, NULL);
        return;
    }
    reply_trace(turn, &release, subscription,
                provider ? SG_AUDIENCE_PROVIDER : SG_AUDIENCE_RECIPIENT);
}

// Ever, of all flows: their numbers have no gaps.
static uint64_t
accepted(const struct sg_state *state)
{
    uint64_t sum = 0;

    for (uint32_t i = sg_pool_next(state->flows, 0); i != 0;
         i = sg_pool_next(state->flows, i))
        sum += sg_state_flow(state, i)->revision;
    return sum;
}

void
sg_status_get(struct sg_turn *turn)
{
    const struct sg_state *state = turn->state;
    const struct sg_core *core = turn->core;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Status status = SGPB__STATUS__INIT;
    char *json = sg_arena_printf(
        turn->arena,
        "{\"gate\":\"%s\",\"entries\":%llu,\"durable\":%llu,\"roster\":%llu,"
        "\"roster_expires\":%llu,\"policy_generation\":%llu,\"flows\":%u,"
        "\"releases\":%llu,\"releases_open\":%u,\"subscriptions\":%u,\"deliveries_open\":%u,"
        "\"sessions\":%u,\"uploads\":%u,\"jobs\":%u,\"credit_used\":%llu,"
        "\"unknown_keys\":%llu,\"refused_handshakes\":%llu,"
        "\"objects_lost\":%llu,\"releases_lost\":%u,\"keys_overdue\":%u,"
        "\"log_damaged_at\":%lld,\"disk_full\":%s,\"epoch\":%llu,"
        "\"restored\":%s,\"waits_for\":\"%s\"}",
        state->gate, (unsigned long long)state->next_seq,
        (unsigned long long)core->durable,
        (unsigned long long)state->roster.version,
        (unsigned long long)state->roster.expires,
        (unsigned long long)state->generation, sg_pool_count(state->flows),
        (unsigned long long)accepted(state), sg_pool_count(state->releases),
        sg_pool_count(state->subscriptions), sg_pool_count(state->deliveries),
        sg_pool_count(core->sessions), sg_pool_count(core->uploads),
        sg_pool_count(core->jobs), (unsigned long long)core->credit_used,
        (unsigned long long)core->unknown_keys,
        (unsigned long long)core->refused_handshakes,
        (unsigned long long)core->lost, sg_lost_releases(core),
        sg_overdue_count(core), (long long)core->log_damaged - 1,
        core->disk_full ? "true" : "false",
        (unsigned long long)state->epochs.now,
        state->epochs.waiting ? "true" : "false",
        sg_restored_missing(turn, MISSING_MAX));

    SG_ASSERT(json != NULL);
    status.json = sg_pack_bytes(json, strlen(json));
    envelope.body_case = SGPB__ENVELOPE__BODY_STATUS;
    envelope.status = &status;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING)->figures = true;
}

void
sg_status_checkpoint(struct sg_turn *turn)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Checkpoint note = SGPB__CHECKPOINT__INIT;

    envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT;
    envelope.checkpoint = &note;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING)->checkpoint = true;
}
