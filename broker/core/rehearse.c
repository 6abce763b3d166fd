#include "broker/core/rehearse.h"

#include "broker/core/match.h"
#include "broker/core/publish.h"
#include "broker/core/roster.h"

enum { WORDS_MAX = 960, LINE_ROOM = 224 }; // a cure has room for 1,023 bytes

// The release as acceptance would make it; NULL: its claims do not fit any more.
static const struct sg_release *
would_be(struct sg_turn *turn, const struct sg_upload *upload)
{
    struct sg_release *release = sg_turn_take(turn, sizeof *release);
    Sgpb__Accepted *detail = sg_turn_take(turn, sizeof *detail);
    const Sgpb__Manifest *m = upload->manifest;
    const Sgpb__Participant *who =
        sg_roster_participant(turn->state, sg_slice_text(m->publisher));
    enum sg_attr attr;

    *detail = (Sgpb__Accepted)SGPB__ACCEPTED__INIT;
    detail->terms = sg_state_flow(turn->state, upload->flow)->seq;
    detail->manifest =
        sg_pack_open(turn->arena, &sgpb__signed_manifest__descriptor,
                     upload->signed_manifest);
    detail->facts =
        sg_pack_open(turn->arena, &sgpb__facts__descriptor, upload->facts);
    *release = (struct sg_release){.flow = upload->flow,
                                   .revision = m->revision,
                                   .embargo_us = m->claims->embargo_us,
                                   .doc = detail};
    if (who == NULL || detail->facts == NULL ||
        !sg_publish_codes(sg_state_flow(turn->state, upload->flow)->terms,
                          m->claims, who->jurisdiction, release->codes, &attr))
        return NULL;
    return release;
}

static void
say_one(struct sg_turn *turn, const struct sg_release *release,
        uint32_t subscription, char *text)
{
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, subscription);
    struct sg_outcome *outcome = sg_turn_take(turn, sizeof *outcome);
    struct sg_slice rule = {NULL, 0};
    size_t len = strlen(text);

    sg_match_decide_on(turn, release, subscription, 0, outcome);
    if (outcome->parts > 0 && turn->core->policy != NULL &&
        outcome->part[outcome->worst].rules_count > 0)
        rule = sg_policy_rule_name(turn->core->policy,
                                   outcome->part[outcome->worst].rules[0]);
    int name = rule.len < 64 ? (int)rule.len : 64;
    const char *why = outcome->verdict == SG_VERDICT_PERMIT
                          ? ""
                          : sg_decide_why(outcome->why);
    snprintf(text + len, WORDS_MAX - len, "%.129s: %s%s%s%s%s%.*s%s\n",
             sg_pack_text(turn->arena, to->id),
             sg_decide_verdict(outcome->verdict), why[0] == '\0' ? "" : " (",
             why, why[0] == '\0' ? "" : ")", name > 0 ? " by the rule \"" : "",
             name, name > 0 ? (const char *)rule.ptr : "",
             name > 0 ? "\"" : "");
}

const char *
sg_rehearse_words(struct sg_turn *turn, const struct sg_upload *upload)
{
    const struct sg_release *release = would_be(turn, upload);
    char *text = sg_turn_take(turn, WORDS_MAX);
    size_t others = 0;

    text[0] = '\0';
    if (release == NULL)
        return NULL;
    for (uint32_t i =
             sg_state_flow(turn->state, upload->flow)->first_subscription;
         i != 0; i = sg_state_subscription(turn->state, i)->next) {
        if (sg_state_subscription(turn->state, i)->ended)
            continue;
        if (strlen(text) + LINE_ROOM + LINE_ROOM / 4 > WORDS_MAX)
            others++;
        else
            say_one(turn, release, i, text);
    }
    size_t len = strlen(text);
    if (len == 0)
        return "nobody has subscribed to the flow";
    if (others > 0)
        snprintf(text + len, WORDS_MAX - len, "and %zu more, not decided here",
                 others);
    else
        text[len - 1] = '\0';
    return text;
}

void
sg_rehearse_record(struct sg_turn *turn, const struct sg_upload *upload)
{
    Sgpb__AdminAct body = SGPB__ADMIN_ACT__INIT;

    body.verb = (char *)(uintptr_t) "rehearse";
    body.by = upload->manifest->publisher;
    body.object_sha256 = sg_pack_bytes(upload->sha256, 32);
    sg_turn_append(turn, SG_ENTRY_ADMIN_ACT, &body.base);
}
