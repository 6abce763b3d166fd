// The payload store and the wrapping table as names alone: what is in them must
// be what the log names, no more and no less.
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

enum { OBJECTS_MAX = 8192 };

struct sim_object {
    uint8_t id[16];
    uint64_t token; // 0: whole
    bool damaged;   // a byte of it is another one now
};

struct sim_store {
    struct sim_object object[OBJECTS_MAX];
    uint8_t key[OBJECTS_MAX][48];
    size_t objects, keys;
};

static const void *
body_of(struct sim *sim, const struct sim_entry *entry,
        const ProtobufCMessageDescriptor *type)
{
    void *body = NULL;
    enum sg_err err = sg_codec_unpack(type, entry->body, sim->mem, &body);

    SG_ASSERT(err == SG_OK);
    return body;
}

static struct sim_store *
store_of(struct sim *sim)
{
    if (sim->store == NULL)
        sim->store = sim_take(sim, sizeof *sim->store);
    return sim->store;
}

static void
add_object(struct sim *sim, const uint8_t id[16], uint64_t token)
{
    struct sim_store *store = store_of(sim);

    SG_ASSERT(store->objects < OBJECTS_MAX);
    struct sim_object *one = &store->object[store->objects++];
    memcpy(one->id, id, 16);
    one->token = token;
    one->damaged = false;
}

static void
remove_at(struct sim_store *store, size_t i)
{
    store->object[i] = store->object[--store->objects];
}

// token 0: by id.
static void
remove_object(struct sim *sim, const uint8_t *id, uint64_t token)
{
    struct sim_store *store = store_of(sim);

    for (size_t i = store->objects; i > 0; i--)
        if (token != 0 ? store->object[i - 1].token == token
                       : memcmp(store->object[i - 1].id, id, 16) == 0)
            remove_at(store, i - 1);
}

static size_t
key_at(const struct sim_store *store, const uint8_t *manifest,
       const uint8_t *variant)
{
    size_t i = 0;

    while (i < store->keys && (memcmp(store->key[i], manifest, 32) != 0 ||
                               memcmp(store->key[i] + 32, variant, 16) != 0))
        i++;
    return i;
}

static void
make_key(struct sim *sim, const uint8_t *manifest, const uint8_t *variant)
{
    struct sim_store *store = store_of(sim);

    if (key_at(store, manifest, variant) < store->keys)
        return;
    SG_ASSERT(store->keys < OBJECTS_MAX);
    memcpy(store->key[store->keys], manifest, 32);
    memcpy(store->key[store->keys++] + 32, variant, 16);
}

static void
destroy(struct sim *sim, const struct sg_effect *effect)
{
    static const uint8_t every[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff};
    struct sim_store *store = store_of(sim);
    struct sg_event event = {.kind = SG_EVENT_DESTROYED};

    sim->destroy_tries++;
    if (sim->destroy_fails > 0 && sim_below(sim, sim->destroy_one_of) == 0) {
        sim->destroy_fails--;
        event.kind = SG_EVENT_DESTROY_FAILED;
        sim_to_gate(sim, &event, 1 + sim_below(sim, 5000));
        return;
    }
    for (size_t n = 0; sim->bug != BUG_KEPT_KEY && n < effect->u.destroy.count;
         n++) {
        const uint8_t *name = effect->u.destroy.names[n];
        bool all = memcmp(name + 32, every, 16) == 0;
        for (size_t i = store->keys; i > 0; i--)
            if (memcmp(store->key[i - 1], name, all ? 32 : 48) == 0)
                memcpy(store->key[i - 1], store->key[--store->keys], 48);
    }
    event.u.destroyed.table = ++sim->tables;
    event.u.destroyed.class = "best_effort";
    sim_to_gate(sim, &event, 1000 + sim_below(sim, 5000));
}

void
sim_store_effect(struct sim *sim, const struct sg_effect *effect)
{
    const struct sg_effect_store *chunk = &effect->u.store;
    struct sim_store *store = store_of(sim);

    if (effect->kind == SG_EFFECT_BEGIN_OBJECT)
        add_object(sim, effect->u.begin.object.id, effect->u.begin.upload);
    else if (effect->kind == SG_EFFECT_DROP_OBJECT)
        remove_object(sim, NULL, effect->u.upload);
    else if (effect->kind == SG_EFFECT_REMOVE_OBJECT)
        remove_object(sim, effect->u.object_id, 0);
    else if (effect->kind == SG_EFFECT_MAKE_KEY)
        make_key(sim, effect->u.make_key.manifest, effect->u.make_key.variant);
    else if (effect->kind == SG_EFFECT_DESTROY)
        destroy(sim, effect);
    else if (effect->kind == SG_EFFECT_CHECK_OBJECT &&
             sim_store_damaged(sim, effect->u.object_id))
        sim_store_lost(sim, effect->u.object_id);
    if (effect->kind == SG_EFFECT_STORE_CHUNK && chunk->last)
        for (size_t i = 0; i < store->objects; i++)
            if (store->object[i].token == chunk->upload)
                store->object[i].token = 0;
}

void
sim_store_made(struct sim *sim, const struct sg_object *object)
{
    add_object(sim, object->id, 0);
}

// Disks forget: one of so many times.
static void
spoil(struct sim *sim, const Sgpb__ObjectRef *ref, uint64_t one_of)
{
    struct sim_store *store = store_of(sim);

    if (ref == NULL || sim->quiet || sim_below(sim, one_of) != 0)
        return;
    for (size_t i = 0; i < store->objects; i++)
        if (memcmp(store->object[i].id, ref->id.data, 16) == 0)
            store->object[i].damaged = true;
}

// What evidence says is destroyed cannot be there. A key of a release that was
// refused may have been made again.
static void
check_destroyed(struct sim *sim, const Sgpb__Destroyed *said)
{
    static const uint8_t own[16];
    struct sim_store *store = store_of(sim);
    bool accepted = strcmp(said->ground, "retention") == 0;

    for (size_t k = 0; k < store->keys; k++) {
        const uint8_t *key = store->key[k];
        bool there = false;
        for (size_t i = 0; i < said->n_variants; i++)
            there |= memcmp(key + 32, said->variants[i].data, 16) == 0;
        for (size_t i = 0; accepted && i < said->n_manifests; i++)
            there |= memcmp(key, said->manifests[i].data, 32) == 0 &&
                     memcmp(key + 32, own, 16) == 0;
        if (there)
            sim_break(sim, "a key is there that is said to be destroyed");
    }
}

void
sim_store_entry(struct sim *sim, uint16_t type, struct sg_slice bytes)
{
    struct sim_entry entry = {.body = bytes};

    if (type == SG_ENTRY_OBJECT_MADE) {
        const Sgpb__ObjectMade *b =
            body_of(sim, &entry, &sgpb__object_made__descriptor);
        spoil(sim, b->object, 8);
    } else if (type == SG_ENTRY_ACCEPTED) {
        const Sgpb__Accepted *b =
            body_of(sim, &entry, &sgpb__accepted__descriptor);
        spoil(sim, b->spool, 40);
        spoil(sim, b->leaves, 40);
    } else if (type == SG_ENTRY_DESTROYED) {
        check_destroyed(sim,
                        body_of(sim, &entry, &sgpb__destroyed__descriptor));
    }
}

bool
sim_store_damaged(struct sim *sim, const uint8_t id[16])
{
    const struct sim_store *store = store_of(sim);

    for (size_t i = 0; i < store->objects; i++)
        if (memcmp(store->object[i].id, id, 16) == 0)
            return store->object[i].damaged;
    return false;
}

void
sim_store_lost(struct sim *sim, const uint8_t id[16])
{
    struct sg_event event = {.kind = SG_EVENT_OBJECT_LOST};

    memcpy(event.u.object_id, id, 16);
    sim_to_gate(sim, &event, 500 + sim_below(sim, 5000));
}

// As env_orphan.c does after a recovery; what was not whole is gone.
void
sim_store_recover(struct sim *sim)
{
    static const uint8_t zeros[16];
    struct sim_store *store = store_of(sim);
    struct sg_event event = {.kind = SG_EVENT_ORPHANS};
    uint8_t(*names)[48] = sim_take(sim, (store->keys + 1) * sizeof *names);

    for (size_t i = store->objects; i > 0; i--)
        if (store->object[i - 1].token != 0 ||
            !sg_core_knows_object(sim->core, store->object[i - 1].id))
            remove_at(store, i - 1);
    event.u.orphans.names = (const uint8_t(*)[48])names;
    for (size_t i = 0; i < store->keys; i++) {
        const struct sg_object *object;
        uint32_t at = 0;
        bool known = sg_core_is_structure_key(sim->core, store->key[i],
                                              store->key[i] + 32);
        if (memcmp(store->key[i] + 32, zeros, 16) == 0)
            known = sg_core_knows_key(sim->core, store->key[i]);
        else
            while (!known && sg_core_next_rendition(sim->core, &at, &object))
                known = memcmp(object->variant, store->key[i] + 32, 16) == 0;
        if (!known)
            memcpy(names[event.u.orphans.count++], store->key[i], 48);
    }
    if (event.u.orphans.count > 0)
        sim_to_gate(sim, &event, 1);
    uint32_t at = 0;
    const struct sg_object *object;
    while (sg_core_next_rendition(sim->core, &at, &object)) {
        struct sg_event lost = {.kind = SG_EVENT_OBJECT_LOST};
        if (key_at(store, object->manifest, object->variant) < store->keys)
            continue;
        memcpy(lost.u.object_id, object->id, 16);
        sim_to_gate(sim, &lost, 1);
    }
}

// ---- what the log names --------------------------------------------------------

struct named {
    struct sim_store *should;
    uint64_t seq[OBJECTS_MAX]; // entry that names the object
    uint64_t key_seq[OBJECTS_MAX];
};

static void
name_object(struct named *named, const Sgpb__ObjectRef *ref, uint64_t seq)
{
    if (ref == NULL)
        return;
    named->seq[named->should->objects] = seq;
    memcpy(named->should->object[named->should->objects++].id, ref->id.data,
           16);
}

static void
name_key(struct named *named, ProtobufCBinaryData manifest,
         const Sgpb__ObjectRef *of, uint64_t seq)
{
    struct sim_store *should = named->should;

    named->key_seq[should->keys] = seq;
    memset(should->key[should->keys], 0, 48);
    memcpy(should->key[should->keys], manifest.data, 32);
    if (of != NULL && of->variant.len == 16)
        memcpy(should->key[should->keys] + 32, of->variant.data, 16);
    should->keys++;
}

static void
unname(struct named *named, uint64_t seq)
{
    struct sim_store *should = named->should;

    for (size_t i = should->objects; i > 0; i--)
        if (named->seq[i - 1] == seq) {
            remove_at(should, i - 1);
            named->seq[i - 1] = named->seq[should->objects];
        }
    for (size_t i = should->keys; i > 0; i--)
        if (named->key_seq[i - 1] == seq) {
            memcpy(should->key[i - 1], should->key[--should->keys], 48);
            named->key_seq[i - 1] = named->key_seq[should->keys];
        }
}

// Of a release that was refused before it was accepted: the report too.
static void
unname_keys(struct named *named, const uint8_t manifest[32])
{
    struct sim_store *should = named->should;

    for (size_t i = should->keys; i > 0; i--)
        if (memcmp(should->key[i - 1], manifest, 32) == 0) {
            memcpy(should->key[i - 1], should->key[--should->keys], 48);
            named->key_seq[i - 1] = named->key_seq[should->keys];
        }
}

static void
unname_refused(struct sim *sim, struct named *named, uint64_t end,
               const uint8_t manifest[32])
{
    for (uint64_t seq = 0; seq < end; seq++) {
        if (sim->entries[seq].type != SG_ENTRY_REFUSED)
            continue;
        const Sgpb__Refused *b =
            body_of(sim, &sim->entries[seq], &sgpb__refused__descriptor);
        if (b->manifest_sha256.len == 32 && // of bad input it is none
            memcmp(b->manifest_sha256.data, manifest, 32) == 0)
            unname(named, seq);
    }
}

static void
name_entry(struct sim *sim, struct named *named, const struct sim_entry *entry,
           const uint8_t (*manifest_of)[32])
{
    if (entry->type == SG_ENTRY_ACCEPTED) {
        const Sgpb__Accepted *b =
            body_of(sim, entry, &sgpb__accepted__descriptor);
        name_object(named, b->spool, entry->seq);
        name_object(named, b->leaves, entry->seq);
        name_object(named, b->report, entry->seq);
        name_key(named, b->manifest_sha256, NULL, entry->seq);
    } else if (entry->type == SG_ENTRY_REFUSED) {
        const Sgpb__Refused *b =
            body_of(sim, entry, &sgpb__refused__descriptor);
        if (b->report != NULL) { // in the place of one before
            unname_refused(sim, named, entry->seq, b->manifest_sha256.data);
            name_object(named, b->report, entry->seq);
            name_key(named, b->manifest_sha256, NULL, entry->seq);
        }
    } else if (entry->type == SG_ENTRY_STRUCTURE) {
        const Sgpb__StructureEntry *b =
            body_of(sim, entry, &sgpb__structure_entry__descriptor);
        name_object(named, b->object, entry->seq);
        name_key(named, b->sha256, b->object, entry->seq);
    } else if (entry->type == SG_ENTRY_OBJECT_MADE) {
        const Sgpb__ObjectMade *b =
            body_of(sim, entry, &sgpb__object_made__descriptor);
        name_object(named, b->object, entry->seq);
        name_key(named, BYTES(manifest_of[b->sources[0]], 32), b->object,
                 entry->seq);
    } else if (entry->type == SG_ENTRY_DESTROYED) {
        const Sgpb__Destroyed *b =
            body_of(sim, entry, &sgpb__destroyed__descriptor);
        for (size_t i = 0; i < b->n_objects; i++)
            unname(named, b->objects[i]);
        for (size_t i = 0; i < b->n_manifests; i++)
            unname_refused(sim, named, entry->seq, b->manifests[i].data);
        for (size_t i = 0; i < b->n_manifests; i++)
            for (uint64_t seq = 0; seq < entry->seq; seq++)
                if (sim->entries[seq].type == SG_ENTRY_ACCEPTED &&
                    memcmp(manifest_of[seq], b->manifests[i].data, 32) == 0) {
                    unname(named, seq);
                    unname_keys(named, manifest_of[seq]);
                }
    }
}

// Deliveries that were stated, and which of them were receipted.
struct stated {
    size_t count;
    struct {
        uint8_t id[16];
        uint64_t rendition;
        bool receipted;
    } one[ENTRIES_MAX];
};

static void
look_at_delivery(struct sim *sim, struct stated *stated,
                 const struct sim_entry *entry)
{
    struct sim_entry inner = {0};

    if (entry->type == SG_ENTRY_DELIVERY) {
        const Sgpb__DeliveryEntry *b =
            body_of(sim, entry, &sgpb__delivery_entry__descriptor);
        inner.body = sg_slice_of(b->delivery->body.data, b->delivery->body.len);
        const Sgpb__Delivery *doc =
            body_of(sim, &inner, &sgpb__delivery__descriptor);
        memcpy(stated->one[stated->count].id, doc->delivery_id.data, 16);
        stated->one[stated->count++].rendition = b->object;
    } else if (entry->type == SG_ENTRY_RECEIPT_ACK) {
        const Sgpb__ReceiptAckEntry *b =
            body_of(sim, entry, &sgpb__receipt_ack_entry__descriptor);
        inner.body = sg_slice_of(b->ack->body.data, b->ack->body.len);
        const Sgpb__ReceiptAck *ack =
            body_of(sim, &inner, &sgpb__receipt_ack__descriptor);
        for (size_t i = 0; i < stated->count; i++)
            if (memcmp(stated->one[i].id, ack->delivery_id.data, 16) == 0)
                stated->one[i].receipted = true;
    }
}

// After days of silence only what is still owed to somebody is kept (R5).
static bool
is_owed(const struct stated *stated, uint64_t rendition)
{
    for (size_t i = 0; i < stated->count; i++)
        if (stated->one[i].rendition == rendition && !stated->one[i].receipted)
            return true;
    return false;
}

void
sim_store_check(struct sim *sim)
{
    struct sim_store *store = store_of(sim);
    struct named *named = sim_take(sim, sizeof *named);
    uint8_t(*manifest_of)[32] =
        sim_take(sim, (sim->count + 1) * sizeof *manifest_of);

    struct stated *stated = sim_take(sim, sizeof *stated);

    named->should = sim_take(sim, sizeof *named->should);
    for (size_t i = 0; i < sim->count; i++) {
        if (sim->entries[i].type == SG_ENTRY_ACCEPTED) {
            const Sgpb__Accepted *b =
                body_of(sim, &sim->entries[i], &sgpb__accepted__descriptor);
            memcpy(manifest_of[i], b->manifest_sha256.data, 32);
        }
        look_at_delivery(sim, stated, &sim->entries[i]);
        name_entry(sim, named, &sim->entries[i],
                   (const uint8_t(*)[32])manifest_of);
    }
    if (named->should->objects != store->objects)
        sim_break(sim, "the store holds more or fewer objects than the log "
                       "names");
    for (size_t i = 0; i < named->should->objects; i++)
        if (sim->entries[named->seq[i]].type == SG_ENTRY_OBJECT_MADE &&
            !is_owed(stated, named->seq[i]))
            sim_break(sim, "a rendition is kept that nobody wants");
    for (size_t i = 0; i < store->objects; i++)
        if (!sg_core_knows_object(sim->core, store->object[i].id))
            sim_break(sim, "the store holds an object that nothing names");
    for (size_t i = 0; i < named->should->keys; i++)
        if (key_at(store, named->should->key[i], named->should->key[i] + 32) ==
            store->keys)
            sim_break(sim, "a key that the log names is gone");
    // The same manifest may be refused twice.
    for (size_t i = 0; i < store->keys; i++)
        if (key_at(named->should, store->key[i], store->key[i] + 32) ==
            named->should->keys)
            sim_break(sim, "a key is kept that nothing needs");
    if (getenv("SG_SIM_TRACE") != NULL)
        printf("store: %zu objects of %zu, %zu keys of %zu\n", store->objects,
               named->should->objects, store->keys, named->should->keys);
}

enum { QUIET_HALF_DAYS = 8 }; // until whatever is to be swept is

// Nobody speaks any more; what is to be swept is swept.
void
sim_quiet_days(struct sim *sim)
{
    size_t left = 0;

    for (size_t i = 0; i < sim->queue_count; i++)
        if (sim->queue[i]->peer < 0 || sim->queue[i]->envelope.ptr != NULL)
            sim->queue[left++] = sim->queue[i];
    sim->queue_count = left;
    for (int i = 0; i < QUIET_HALF_DAYS && sim->broken == NULL; i++) {
        sim_settle(sim);
        sim->now += DAY_US / 2;
    }
    sim_settle(sim);
    if (sim->broken == NULL)
        sim_store_check(sim);
}
