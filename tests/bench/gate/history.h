// history - a long log, made of a short one: the entries that a real core wrote
// for one release with two subscribers, again and again with other names.
//
// Signatures are not made again: apply does not look at them.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/limits.h"
#include "tests/sim/sim.h"

// accepted, decision, two each of: object made, statement, key, receipt
enum { HISTORY_STEPS = 10 };

struct history {
    struct sim *sim;        // of the first entries
    struct sg_arena *arena; // of one entry
    uint64_t next, time;    // entry to be made
    unsigned step;
    bool destroys; // renditions, those of each release after the next one
    uint64_t revision, accepted, made[2], gone[2];
    uint8_t head[32], id[2][16];
    // templates, unpacked
    Sgpb__Accepted *release;
    Sgpb__Manifest *manifest;
    Sgpb__Decision *decision;
    Sgpb__ObjectMade *object[2];
    Sgpb__DeliveryEntry *delivery[2];
    Sgpb__KeyReleased *key;
    Sgpb__ReceiptAckEntry *ack[2];
    Sgpb__Delivery *statement[2]; // in delivery
    Sgpb__ReceiptAck *receipt[2]; // in ack
};

static void *
history_unpack(struct history *h, const ProtobufCMessageDescriptor *type,
               struct sg_slice bytes)
{
    void *out;

    if (sg_codec_unpack(type, bytes, h->sim->mem, &out) != SG_OK)
        abort();
    return out;
}

// The newest entry of a type before number *at.
static void *
history_last(struct history *h, uint16_t type,
             const ProtobufCMessageDescriptor *descriptor, size_t *at)
{
    while (*at > 0 && h->sim->entries[*at - 1].type != type)
        --*at;
    if (*at == 0)
        abort();
    return history_unpack(h, descriptor, h->sim->entries[--*at].body);
}

static void
history_tick(struct sim *sim, int peer)
{
    sim_peer_tick(sim, peer);
    sim_settle(sim);
    if (sim->broken != NULL) {
        fprintf(stderr, "history: %s\n", sim->broken);
        abort();
    }
}

static void
history_templates(struct history *h)
{
    size_t at = h->sim->count, made = at, key = at, accepted = at;
    size_t delivery, ack;

    h->release = history_last(h, SG_ENTRY_ACCEPTED, &sgpb__accepted__descriptor,
                              &accepted);
    h->manifest =
        history_unpack(h, &sgpb__manifest__descriptor,
                       sg_codec_slice(h->release->manifest->manifest));
    do
        h->decision = history_last(h, SG_ENTRY_DECISION,
                                   &sgpb__decision__descriptor, &at);
    while (h->decision->stage != 1);
    h->key = history_last(h, SG_ENTRY_KEY_RELEASED,
                          &sgpb__key_released__descriptor, &key);
    for (int i = 0; i < 2; i++) {
        h->object[i] = history_last(h, SG_ENTRY_OBJECT_MADE,
                                    &sgpb__object_made__descriptor, &made);
        const char *to = h->decision->deliveries[i]->subscription;
        delivery = ack = h->sim->count;
        do
            h->delivery[i] =
                history_last(h, SG_ENTRY_DELIVERY,
                             &sgpb__delivery_entry__descriptor, &delivery);
        while (strcmp(h->delivery[i]->subscription, to) != 0);
        do
            h->ack[i] =
                history_last(h, SG_ENTRY_RECEIPT_ACK,
                             &sgpb__receipt_ack_entry__descriptor, &ack);
        while (strcmp(h->ack[i]->subscription, to) != 0);
        h->statement[i] =
            history_unpack(h, &sgpb__delivery__descriptor,
                           sg_codec_slice(h->delivery[i]->delivery->body));
        h->receipt[i] = history_unpack(h, &sgpb__receipt_ack__descriptor,
                                       sg_codec_slice(h->ack[i]->ack->body));
    }
    if (h->decision->n_deliveries != 2)
        abort();
}

static void
history_open(struct history *h)
{
    struct sim *sim = sim_open(1, BUG_NONE);

    *h = (struct history){.sim = sim};
    sim->quiet = true;
    sim->releases = 2;
    sim->crash_after = 0;
    for (int round = 0; round < 60; round++)
        for (int i = 0; i < PEERS; i++)
            if (i != COLLECTOR || sim->peer[i].step < 2)
                history_tick(sim, i);
    h->arena = sg_arena_new(SG_LIMIT_ENTRY, 64 * 1024);
    h->next = sim->count;
    h->time = sim->entries[sim->count - 1].time;
    h->revision = sim->peer[PUBLISHER].revision;
    memcpy(h->head, sim->peer[PUBLISHER].head, 32);
    history_templates(h);
}

static inline void
history_close(struct history *h)
{
    sg_arena_free(&h->arena);
    sim_close(&h->sim);
}

// 32 bytes that nobody else has.
static void
history_name(struct history *h, unsigned what, uint8_t out[32])
{
    uint8_t bytes[12];

    sg_bytes_store_u64(bytes, h->next);
    sg_bytes_store_u32(bytes + 8, what);
    sg_crypto_sha256(bytes, sizeof bytes, out);
}

static struct sg_slice
history_pack(struct history *h, const ProtobufCMessage *message)
{
    struct sg_slice out;

    if (sg_codec_pack(message, h->arena, &out) != SG_OK)
        abort();
    return out;
}

static const ProtobufCMessage *
history_accepted(struct history *h)
{
    uint8_t *seed = sg_arena_take(h->arena, 32);
    uint8_t *name = sg_arena_take(h->arena, 32);
    ProtobufCBinaryData before =
        BYTES(sg_arena_copy(h->arena, sg_slice_of(h->head, 32)).ptr, 32);

    history_name(h, 1, seed);
    h->accepted = h->next;
    h->release->revision = h->manifest->revision = ++h->revision;
    h->manifest->seed_commit = BYTES(seed, 32);
    h->manifest->prev_manifest_sha256 = before;
    struct sg_slice bytes = history_pack(h, &h->manifest->base);
    h->release->manifest->manifest = BYTES(bytes.ptr, bytes.len);
    sg_crypto_sha256(bytes.ptr, bytes.len, name);
    memcpy(h->head, name, 32);
    h->release->manifest_sha256 = BYTES(name, 32);
    return &h->release->base;
}

static const ProtobufCMessage *
history_decision(struct history *h)
{
    uint8_t name[32];

    h->decision->release = h->accepted;
    for (unsigned i = 0; i < 2; i++) {
        history_name(h, i, name);
        memcpy(h->id[i], name, 16);
        h->decision->deliveries[i]->delivery_id = BYTES(h->id[i], 16);
    }
    return &h->decision->base;
}

static const ProtobufCMessage *
history_made(struct history *h, unsigned which)
{
    uint8_t *name = sg_arena_take(h->arena, 32);
    uint8_t *id = sg_arena_take(h->arena, 32);

    history_name(h, 1, name);
    history_name(h, 2, id);
    h->gone[which] = h->made[which];
    h->made[which] = h->next;
    h->object[which]->object->id = BYTES(id, 16);
    h->object[which]->sources = &h->accepted;
    h->object[which]->parameters_sha256 = BYTES(name, 32);
    return &h->object[which]->base;
}

static const ProtobufCMessage *
history_statement(struct history *h, unsigned which)
{
    Sgpb__DeliveryEntry *entry = h->delivery[which];
    Sgpb__Delivery *doc = h->statement[which];

    doc->delivery_id = BYTES(h->id[which], 16);
    doc->manifest_sha256 = BYTES(h->head, 32);
    struct sg_slice bytes = history_pack(h, &doc->base);
    entry->delivery->body = BYTES(bytes.ptr, bytes.len);
    entry->object = h->made[which];
    return &entry->base;
}

static const ProtobufCMessage *
history_key(struct history *h, unsigned which)
{
    static ProtobufCBinaryData one;

    one = BYTES(h->id[which], 16);
    h->key->deliveries = &one;
    h->key->n_deliveries = 1;
    h->key->object = h->made[which];
    return &h->key->base;
}

static const ProtobufCMessage *
history_ack(struct history *h, unsigned which)
{
    Sgpb__ReceiptAckEntry *entry = h->ack[which];
    Sgpb__ReceiptAck *doc = h->receipt[which];

    doc->delivery_id = BYTES(h->id[which], 16);
    doc->manifest_sha256 = BYTES(h->head, 32);
    struct sg_slice bytes = history_pack(h, &doc->base);
    entry->ack->body = BYTES(bytes.ptr, bytes.len);
    entry->cursor = h->accepted + 1;
    return &entry->base;
}

// What nobody has used for a day: the renditions of the release before.
static const ProtobufCMessage *
history_destroyed(struct history *h)
{
    Sgpb__Destroyed *body = sg_arena_take(h->arena, sizeof *body);

    *body = (Sgpb__Destroyed)SGPB__DESTROYED__INIT;
    body->class_ = (char *)(uintptr_t) "best_effort";
    body->ground = (char *)(uintptr_t) "unused";
    body->objects = h->gone;
    body->n_objects = h->gone[0] == 0 ? 0 : 2;
    return &body->base;
}

// Entries for each release.
static inline unsigned
history_steps(const struct history *h)
{
    return HISTORY_STEPS + h->destroys;
}

// The next entry; its body lives until the next call.
static void
history_next(struct history *h, struct sg_appended *entry)
{
    static const uint16_t types[HISTORY_STEPS + 1] = {
        SG_ENTRY_ACCEPTED,     SG_ENTRY_DECISION,     SG_ENTRY_OBJECT_MADE,
        SG_ENTRY_OBJECT_MADE,  SG_ENTRY_DELIVERY,     SG_ENTRY_DELIVERY,
        SG_ENTRY_KEY_RELEASED, SG_ENTRY_KEY_RELEASED, SG_ENTRY_RECEIPT_ACK,
        SG_ENTRY_RECEIPT_ACK,  SG_ENTRY_DESTROYED};
    static const ProtobufCMessage *(*const makes[])(
        struct history *, unsigned) = {history_made, history_statement,
                                       history_key, history_ack};
    unsigned step = h->step++ % history_steps(h);
    const ProtobufCMessage *body;

    sg_arena_reset(h->arena);
    if (step == 0)
        body = history_accepted(h);
    else if (step == 1)
        body = history_decision(h);
    else if (step == HISTORY_STEPS)
        body = history_destroyed(h);
    else
        body = makes[(step - 2) / 2](h, step % 2);
    *entry = (struct sg_appended){.seq = h->next++,
                                  .type = types[step],
                                  .time_us = h->time += 1000,
                                  .body = history_pack(h, body)};
}
