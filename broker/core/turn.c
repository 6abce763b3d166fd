#include "broker/core/turn.h"

#include "broker/core/refuse.h"
#include "broker/core/session.h"
#include "broker/core/tokens.h"

void *
sg_turn_take(struct sg_turn *turn, size_t size)
{
    void *ptr = sg_arena_take(turn->arena, size);

    SG_ASSERT(ptr != NULL); // sg_output_has_room was asked before
    return ptr;
}

// That something was refused is no news.
static bool
is_news(enum sg_entry_type type)
{
    return type != SG_ENTRY_REFUSED && type != SG_ENTRY_CONFLICT &&
           type != SG_ENTRY_REFUSED_AGGREGATE;
}

uint64_t
sg_turn_append(struct sg_turn *turn, enum sg_entry_type type,
               const ProtobufCMessage *body)
{
    struct sg_appended *entry = sg_output_entry(turn->output);

    *entry = (struct sg_appended){.seq = turn->state->next_seq,
                                  .type = (uint16_t)type,
                                  .time_us = turn->now,
                                  .body = sg_pack_close(turn->arena, body)};
    SG_ASSERT(entry->body.ptr != NULL || entry->body.len == 0);
    SG_ASSERT(entry->body.len <= SG_LIMIT_ENTRY);
    if (is_news(type))
        sg_tokens_worth(turn); // first: a roster may take the sender away
    // What was decided fits the state it was decided on: anything else is a
    // bug, and going on would write a log that cannot be replayed.
    enum sg_err err = sg_core_apply(turn->core, entry);
    SG_ASSERT(err == SG_OK);
    return entry->seq;
}

void
sg_turn_draw(struct sg_turn *turn, void *out, size_t len)
{
    static const char label[] = "statgate/core/random/v1";
    uint8_t counter[4], hash[32];
    uint8_t *at = out;

    while (len > 0) {
        sg_bytes_store_u32(counter, turn->drawn++);
        struct sg_slice parts[] = {sg_slice_of(label, sizeof label),
                                   sg_slice_of(turn->random, 32),
                                   sg_slice_of(counter, sizeof counter)};
        sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
        size_t part = len < sizeof hash ? len : sizeof hash;
        memcpy(at, hash, part);
        at += part;
        len -= part;
    }
}

struct sg_effect_send *
sg_turn_send(struct sg_turn *turn, const struct sg_routing *to,
             Sgpb__Envelope *envelope, uint64_t after_seq)
{
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_SEND, after_seq);

    envelope->proto = 1;
    effect->u.send = (struct sg_effect_send){
        .to = *to,
        .envelope = sg_pack_close(turn->arena, &envelope->base),
        .receipt_of = SG_NO_ENTRY,
    };
    SG_ASSERT(effect->u.send.envelope.ptr != NULL);
    return &effect->u.send;
}

struct sg_effect_send *
sg_turn_reply(struct sg_turn *turn, Sgpb__Envelope *envelope,
              uint64_t after_seq)
{
    // An answer may tell of anything decided so far, so it waits for all of it.
    uint64_t latest = turn->state->next_seq - 1;

    SG_ASSERT(turn->session != NULL);
    if (turn->envelope != NULL && envelope->request == 0)
        envelope->request = turn->envelope->request;
    sg_session_grant(turn, envelope);
    if (after_seq == SG_AFTER_NOTHING || after_seq < latest)
        after_seq = latest;
    return sg_turn_send(turn, &turn->session->peer, envelope, after_seq);
}

void
sg_turn_receipt(struct sg_turn *turn, uint64_t seq, bool duplicate)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Receipt receipt = SGPB__RECEIPT__INIT;

    receipt.duplicate = duplicate;
    envelope.body_case = SGPB__ENVELOPE__BODY_RECEIPT;
    envelope.receipt = &receipt;
    sg_turn_reply(turn, &envelope, seq)->receipt_of = seq;
}

void
sg_turn_refuse(struct sg_turn *turn, enum sg_err code, const char *component)
{
    sg_refuse_reply(turn,
                    &(struct sg_refusal){.code = code, .component = component});
}
