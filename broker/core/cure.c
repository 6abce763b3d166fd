#include "broker/core/cure.h"

#include "broker/core/flow.h"
#include "broker/core/match.h"
#include "broker/core/roster.h"
#include "policy/promise.h"

enum { CURE_MAX = 2048, OBLIGATION_TEXT = 80 };

// What the recipient knows without the release: who he is, what he asks for,
// and the terms of the flow, which every participant may read.
static uint64_t
known_of(struct sg_turn *turn, const struct sg_subscription *to,
         const Sgpb__FlowTerms *terms, struct sg_request *request)
{
    const Sgpb__Participant *from =
        sg_roster_participant(turn->state, sg_slice_text(terms->provider));
    static const enum sg_attr own[] = {SG_ATTR_DESTINATION, SG_ATTR_STORED_IN,
                                       SG_ATTR_RECIPIENT,   SG_ATTR_PARTY,
                                       SG_ATTR_PURPOSE,     SG_ATTR_INSTRUMENT};
    uint64_t known = 0;

    if (from == NULL)
        return 0;
    sg_match_recipient(turn, terms, to, request->code);
    for (size_t i = 0; i < SG_COUNT_OF(own); i++)
        known |= 1ull << own[i];
    request->code[SG_ATTR_PROVIDER_IN] = sg_vocabulary_code(
        SG_ATTR_PROVIDER_IN, sg_slice_text(from->jurisdiction));
    known |= 1ull << SG_ATTR_PROVIDER_IN;
    for (int a = 0; a < SG_ATTR_COUNT; a++) {
        uint16_t stated = sg_flow_code(terms, (enum sg_attr)a);
        if (stated == 0)
            continue;
        request->code[a] = stated;
        known |= 1ull << a;
    }
    return known;
}

static void
put(struct sg_writer *w, const char *text)
{
    sg_bytes_put(w, text, strlen(text));
}

// Quoted for a shell; obligations are letters, digits and brackets.
static void
put_promise(struct sg_writer *w, const struct sg_obligation *one)
{
    char text[OBLIGATION_TEXT];

    if (one->hidden != 0) { // a protected parameter: ask the provider for it
        put(w, " --promise '");
        put(w, sg_obligation_text((enum sg_obligation_name)one->name));
        put(w, "(...)'");
        return;
    }
    sg_obligation_print(one, text, sizeof text);
    put(w, " --promise '");
    put(w, text);
    put(w, "'");
}

// A subscription is replaced whole: what it has stands in the command too.
static void
put_command(struct sg_writer *w, const struct sg_subscription *to,
            const struct sg_context *made)
{
    const Sgpb__Subscription *doc = to->doc;
    const struct {
        const char *option, *value;
    } rows[] = {{" --name ", doc->name},     {" --purpose ", doc->purpose},
                {" --basis ", doc->basis},   {" --key ", doc->key_filter},
                {" --period ", doc->period}, {" --format ", doc->format}};

    put(w, "statgate subscribe ");
    put(w, doc->flow);
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (rows[i].value[0] == '\0')
            continue;
        put(w, rows[i].option);
        put(w, rows[i].value);
    }
    for (uint32_t i = 0; i < made->promises_count; i++)
        put_promise(w, &made->promises[i]);
}

char *
sg_cure_promises(struct sg_turn *turn, uint32_t subscription)
{
    const struct sg_subscription *to =
        sg_state_subscription(turn->state, subscription);
    const struct sg_flow *flow = sg_state_flow(turn->state, to->flow);
    struct sg_request request = {0};
    struct sg_obligation lacking[SG_LIMIT_OBLIGATIONS] = {{0}};
    uint8_t *text = sg_turn_take(turn, CURE_MAX);
    struct sg_writer w = sg_writer_on(text, CURE_MAX - 1);

    if (to->ended || turn->core->rules == NULL)
        return (char *)(uintptr_t) "";
    uint64_t known = known_of(turn, to, flow->terms, &request);
    const struct sg_context *made = sg_match_context(turn, flow->terms, to, 0);
    size_t count =
        sg_promise_lacking(turn->core->rules, sg_match_day(turn->now), &request,
                           known, made, lacking);
    if (count == 0)
        return (char *)(uintptr_t) "";
    put(&w, "the rules for you may ask for promises that this subscription "
            "does not make: ");
    put_command(&w, to, made);
    for (size_t i = 0; i < count; i++)
        put_promise(&w, &lacking[i]);
    return w.full ? (char *)(uintptr_t) "" : (char *)text;
}
