#include "broker/core/upload.h"

#include "broker/core/destroy.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/policy_admin.h"
#include "broker/core/publish.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"
#include "broker/core/share.h"
#include "schemas/proof/seal.h"

#define PATIENCE_US (3600 * 1000000ull) // without a chunk

struct sg_upload *
sg_upload_at(const struct sg_core *core, uint32_t index)
{
    return sg_pool_at(core->uploads, index);
}

uint32_t
sg_upload_by(const struct sg_core *core, const uint8_t name[32])
{
    return sg_state_find(core->upload_by, sg_state_hash(name));
}

static void
document_name(const char *owner, const uint8_t sha256[32], uint8_t name[32])
{
    const struct sg_slice parts[] = {sg_slice_of(owner, strlen(owner) + 1),
                                     sg_state_hash(sha256)};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), name);
}

struct sg_upload *
sg_upload_new(struct sg_turn *turn, enum sg_upload_kind kind, uint32_t *index)
{
    struct sg_core *core = turn->core;
    struct sg_arena *mem = sg_arena_new(SG_LIMIT_DOCUMENT * 2, 4096);
    uint8_t token[8];

    *index = mem == NULL ? 0 : sg_pool_take(core->uploads);
    if (*index == 0) {
        sg_arena_free(&mem);
        return NULL;
    }
    struct sg_upload *upload = sg_upload_at(core, *index);
    upload->mem = mem;
    upload->kind = (uint8_t)kind;
    upload->token = ++core->tokens;
    upload->peer = turn->session->peer;
    upload->request = turn->envelope->request;
    upload->deadline = turn->now + PATIENCE_US;
    snprintf(upload->owner, sizeof upload->owner, "%s", turn->who->id);
    sg_share_add(core, upload->owner, SG_SHARE_UPLOADS, 1);
    sg_bytes_store_u64(token, upload->token);
    enum sg_err err =
        sg_table_put(core->upload_of, sg_slice_of(token, 8), *index);
    SG_ASSERT(err == SG_OK); // as many as the pool holds
    return upload;
}

void
sg_upload_name(struct sg_core *core, uint32_t index, const uint8_t sha256[32])
{
    struct sg_upload *upload = sg_upload_at(core, index);

    memcpy(upload->sha256, sha256, 32);
    memcpy(upload->name, sha256, 32);
    if (upload->kind != SG_UPLOAD_RELEASE)
        document_name(upload->owner, sha256, upload->name);
    enum sg_err err =
        sg_table_put(core->upload_by, sg_state_hash(upload->name), index);
    SG_ASSERT(err == SG_OK);
}

static void
count_open(struct sg_turn *turn, const struct sg_upload *upload, int by)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, upload->owner);

    if (quota != NULL && (by > 0 || quota->uploads > 0))
        quota->uploads = (uint32_t)((int)quota->uploads + by);
}

void
sg_upload_close(struct sg_turn *turn, struct sg_upload *upload)
{
    if (upload->state == SG_UPLOAD_OPEN)
        count_open(turn, upload, -1);
    sg_output_effect(turn->output, SG_EFFECT_DROP_OBJECT, SG_AFTER_NOTHING)
        ->u.upload = upload->token;
    upload->object = (struct sg_object){0};
    upload->state = SG_UPLOAD_STORING;
}

void
sg_upload_drop(struct sg_turn *turn, uint32_t index, bool keep_bytes)
{
    struct sg_core *core = turn->core;
    struct sg_upload *upload = sg_upload_at(core, index);
    uint8_t token[8];

    if (upload->state == SG_UPLOAD_OPEN)
        count_open(turn, upload, -1);
    if (!keep_bytes && upload->state <= SG_UPLOAD_STORING)
        sg_output_effect(turn->output, SG_EFFECT_DROP_OBJECT, SG_AFTER_NOTHING)
            ->u.upload = upload->token;
    else if (!keep_bytes && sg_object_exists(&upload->object))
        memcpy(sg_output_effect(turn->output, SG_EFFECT_REMOVE_OBJECT,
                                SG_AFTER_NOTHING)
                   ->u.object_id,
               upload->object.id, 16);
    sg_bytes_store_u64(token, upload->token);
    sg_table_remove(core->upload_of, sg_slice_of(token, 8));
    if (sg_upload_by(core, upload->name) == index)
        sg_table_remove(core->upload_by, sg_state_hash(upload->name));
    sg_share_add(core, upload->owner, SG_SHARE_UPLOADS, -1);
    sg_crypto_sha256_free(&upload->hash);
    sg_arena_free(&upload->mem);
    sg_pool_give(core->uploads, index);
}

struct sg_effect_send *
sg_upload_answer(struct sg_turn *turn, const struct sg_upload *upload,
                 Sgpb__Envelope *envelope)
{
    envelope->request = upload->request;
    return sg_turn_send(turn, &upload->peer, envelope,
                        turn->state->next_seq - 1);
}

void
sg_upload_begin_object(struct sg_turn *turn, struct sg_upload *upload,
                       uint32_t chunk_size)
{
    struct sg_effect *effect;

    sg_turn_draw(turn, upload->object.id, 16);
    sg_turn_draw(turn, upload->object.attempt, 16);
    memcpy(upload->object.manifest, upload->sha256, 32);
    upload->object.purpose = SG_SEAL_SPOOL;
    upload->object.chunk_size = chunk_size;
    upload->object.chunks = upload->chunks;
    upload->object.bytes = upload->bytes;
    // Two may send one structure at a time; each has a key of its own.
    if (upload->kind == SG_UPLOAD_STRUCTURE)
        sg_turn_draw(turn, upload->object.variant, 16);
    effect =
        sg_output_effect(turn->output, SG_EFFECT_MAKE_KEY, SG_AFTER_NOTHING);
    memcpy(effect->u.make_key.manifest, upload->sha256, 32);
    memcpy(effect->u.make_key.variant, upload->object.variant, 16);
    effect = sg_output_effect(turn->output, SG_EFFECT_BEGIN_OBJECT,
                              SG_AFTER_NOTHING);
    effect->u.begin.upload = upload->token;
    effect->u.begin.object = upload->object;
    upload->state = SG_UPLOAD_OPEN;
    count_open(turn, upload, 1);
}

void
sg_upload_store(struct sg_turn *turn, struct sg_upload *upload, uint64_t index,
                struct sg_slice payload)
{
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_STORE_CHUNK, SG_AFTER_NOTHING);

    SG_ASSERT(turn->payload_left >= payload.len);
    turn->payload_left -= payload.len;
    effect->u.store =
        (struct sg_effect_store){.upload = upload->token,
                                 .index = index,
                                 .last = index + 1 == upload->chunks,
                                 .payload = payload,
                                 .payload_token = turn->message->payload_token};
    upload->next_chunk = index + 1;
    upload->got_bytes += payload.len;
    upload->deadline = turn->now + PATIENCE_US;
    if (effect->u.store.last) {
        upload->state = SG_UPLOAD_STORING;
        count_open(turn, upload, -1);
    }
}

// ---- structures and policy bundles -------------------------------------------

static void
answer_ready(struct sg_turn *turn, const struct sg_upload *upload)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectReady ready = SGPB__OBJECT_READY__INIT;

    ready.upload = upload->token;
    ready.next_chunk = upload->next_chunk;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_READY;
    envelope.object_ready = &ready;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

// Seq of the entry that holds this object already, or SG_NO_ENTRY.
static uint64_t
known_object(const struct sg_state *state, enum sg_upload_kind kind,
             struct sg_slice sha256)
{
    const struct sg_structure *structure = sg_flow_structure(state, sha256);

    if (kind == SG_UPLOAD_STRUCTURE)
        return structure == NULL ? SG_NO_ENTRY : structure->seq;
    if (state->proposed.seq != 0 &&
        sg_slice_eq(sha256, sg_state_hash(state->proposed.sha256)))
        return state->proposed.seq;
    if (state->active.seq != 0 &&
        sg_slice_eq(sha256, sg_state_hash(state->active.sha256)))
        return state->active.seq;
    return SG_NO_ENTRY;
}

static enum sg_err
check_put(struct sg_turn *turn, const Sgpb__ObjectPut *put,
          enum sg_upload_kind *kind, const char **field)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);
    uint64_t chunks = (put->bytes + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK;

    *field = "kind";
    if (strcmp(put->kind, "structure") == 0)
        *kind = SG_UPLOAD_STRUCTURE;
    else if (strcmp(put->kind, "policy") == 0)
        *kind = SG_UPLOAD_POLICY;
    else
        return SG_ERR_UNSUPPORTED;
    if (*kind == SG_UPLOAD_POLICY &&
        (turn->key->roles & SG_ROLE_POLICY_ADMIN) == 0)
        return SG_ERR_PEER_KEY_USE;
    *field = "sha256";
    if (put->sha256.len != 32)
        return SG_ERR_PEER_MALFORMED;
    *field = "bytes";
    if (put->bytes == 0 || put->bytes > SG_LIMIT_DOCUMENT ||
        chunks != put->chunks)
        return SG_ERR_PEER_MALFORMED;
    if (*kind == SG_UPLOAD_POLICY && put->bytes > SG_LIMIT_ENTRY / 2)
        return SG_ERR_FULL;
    *field = "by";
    if (*kind == SG_UPLOAD_POLICY && put->by == NULL)
        return SG_ERR_PEER_MALFORMED;
    *field = NULL;
    if (turn->core->disk_full)
        return SG_ERR_DISK;
    return quota->uploads >= SG_LIMIT_UPLOADS_EACH ||
                   !sg_share_left(turn, turn->who->id, SG_SHARE_UPLOADS)
               ? SG_ERR_BUSY
               : SG_OK;
}

// Those on their way have their places already.
static bool
structures_full(const struct sg_core *core)
{
    uint32_t count = sg_pool_count(core->state->structures);

    for (uint32_t i = sg_pool_next(core->uploads, 0); i != 0;
         i = sg_pool_next(core->uploads, i))
        count += sg_upload_at(core, i)->kind == SG_UPLOAD_STRUCTURE;
    return count >= SG_LIMIT_STRUCTURES;
}

void
sg_upload_put(struct sg_turn *turn)
{
    const Sgpb__ObjectPut *put = turn->envelope->object_put;
    enum sg_upload_kind kind;
    const char *field;
    uint8_t name[32];
    uint32_t index;
    enum sg_err err = check_put(turn, put, &kind, &field);

    if (err != SG_OK) {
        sg_turn_refuse(turn, err, field);
        return;
    }
    uint64_t known =
        known_object(turn->state, kind, sg_pack_slice(put->sha256));
    if (known != SG_NO_ENTRY) {
        sg_turn_receipt(turn, known, true);
        return;
    }
    document_name(turn->who->id, put->sha256.data, name);
    index = sg_upload_by(turn->core, name);
    if (index == 0 && kind == SG_UPLOAD_STRUCTURE &&
        (structures_full(turn->core) ||
         !sg_share_left(turn, turn->who->id, SG_SHARE_STRUCTURES))) {
        sg_turn_refuse(turn, SG_ERR_FULL, "kind");
        return;
    }
    struct sg_upload *upload = index != 0 ? sg_upload_at(turn->core, index)
                                          : sg_upload_new(turn, kind, &index);
    if (upload == NULL) {
        sg_turn_refuse(turn, SG_ERR_BUSY, NULL);
        return;
    }
    if (upload->kind != kind) {
        sg_turn_refuse(turn, SG_ERR_BUSY, "sha256");
        return;
    }
    if (kind == SG_UPLOAD_STRUCTURE && upload->hash == NULL &&
        (upload->hash = sg_crypto_sha256_new()) == NULL) {
        sg_upload_drop(turn, index, false);
        sg_turn_refuse(turn, SG_ERR_BUSY, NULL);
        return;
    }
    upload->peer = turn->session->peer;
    upload->request = turn->envelope->request;
    if (upload->bytes == 0) {
        sg_upload_name(turn->core, index, put->sha256.data);
        upload->bytes = put->bytes;
        upload->chunks = put->chunks;
        if (kind == SG_UPLOAD_STRUCTURE)
            sg_upload_begin_object(turn, upload, SG_LIMIT_CHUNK);
        else
            sg_policy_begin(turn, upload, put->by);
    }
    answer_ready(turn, upload);
}

// A document that will never be evidence; its key goes too.
static void
give_up(struct sg_turn *turn, uint32_t index, bool keep_bytes)
{
    const struct sg_upload *upload = sg_upload_at(turn->core, index);

    if (upload->kind == SG_UPLOAD_STRUCTURE)
        sg_destroy_key(turn->core, upload->sha256, upload->object.variant);
    sg_upload_drop(turn, index, keep_bytes);
}

// Bytes that are not those of the hash would stand in the way of everybody who
// has the right ones. false: refused and given up.
static bool
hash_structure(struct sg_turn *turn, uint32_t index, struct sg_slice payload)
{
    const struct sg_upload *upload = sg_upload_at(turn->core, index);
    uint8_t found[32];

    sg_crypto_sha256_add(upload->hash, payload.ptr, payload.len);
    if (upload->next_chunk + 1 < upload->chunks)
        return true;
    sg_crypto_sha256_final(upload->hash, found);
    if (memcmp(found, upload->sha256, 32) == 0)
        return true;
    sg_turn_refuse(turn, SG_ERR_CONTENT, "sha256");
    give_up(turn, index, false);
    return false;
}

static void
structure_stored(struct sg_turn *turn, uint32_t index)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);
    const struct sg_structure *known =
        sg_flow_structure(turn->state, sg_state_hash(upload->sha256));
    Sgpb__StructureEntry entry = SGPB__STRUCTURE_ENTRY__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Receipt receipt = SGPB__RECEIPT__INIT;

    uint64_t seq = known == NULL ? SG_NO_ENTRY : known->seq;

    if (known == NULL) {
        entry.sha256 = sg_pack_bytes(upload->sha256, 32);
        entry.compiled_sha256 = entry.sha256;
        entry.object = sg_pack_object(turn->arena, &upload->object);
        entry.by = upload->owner;
        seq = sg_turn_append(turn, SG_ENTRY_STRUCTURE, &entry.base);
        sg_share_add(turn->core, upload->owner, SG_SHARE_STRUCTURES, 1);
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_RECEIPT;
    envelope.receipt = &receipt;
    sg_upload_answer(turn, upload, &envelope)->receipt_of = seq;
    if (known == NULL)
        sg_upload_drop(turn, index, true);
    else
        give_up(turn, index, false); // somebody else was first
}

// ---- chunks -------------------------------------------------------------------

static struct sg_upload *
by_token(struct sg_core *core, uint64_t token, uint32_t *index)
{
    uint8_t key[8];

    sg_bytes_store_u64(key, token);
    *index = sg_state_find(core->upload_of, sg_slice_of(key, 8));
    return *index == 0 ? NULL : sg_upload_at(core, *index);
}

static uint64_t
chunk_len(const struct sg_upload *upload, uint64_t index)
{
    uint64_t size = upload->kind == SG_UPLOAD_POLICY
                        ? SG_LIMIT_CHUNK
                        : upload->object.chunk_size;

    return index + 1 < upload->chunks ? size : upload->bytes - index * size;
}

void
sg_upload_chunk(struct sg_turn *turn)
{
    const Sgpb__Chunk *chunk = turn->envelope->chunk;
    struct sg_slice payload = turn->message->payload;
    uint32_t index;
    struct sg_upload *upload = by_token(turn->core, chunk->upload, &index);

    if (upload == NULL || strcmp(upload->owner, turn->who->id) != 0) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "upload");
        return;
    }
    if (chunk->index < upload->next_chunk)
        return; // sent again after a reconnect; the first one counts
    if (upload->state != SG_UPLOAD_OPEN || chunk->index > upload->next_chunk) {
        sg_refuse_reply(turn,
                        &(struct sg_refusal){.code = SG_ERR_CHUNK_ORDER,
                                             .next_chunk = upload->next_chunk});
        return;
    }
    if (payload.len != chunk_len(upload, chunk->index)) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "payload");
        return;
    }
    upload->peer = turn->session->peer;
    if (upload->kind == SG_UPLOAD_POLICY)
        sg_policy_chunk(turn, index, payload);
    else if (upload->kind == SG_UPLOAD_RELEASE ||
             hash_structure(turn, index, payload))
        sg_upload_store(turn, upload, chunk->index, payload);
}

void
sg_upload_stored(struct sg_turn *turn, const struct sg_event *event)
{
    const struct sg_event_stored *stored = &event->u.stored;
    uint32_t index;
    struct sg_upload *upload = by_token(turn->core, stored->upload, &index);

    if (!stored->whole && stored->bytes > 0) {
        static const struct sg_routing nobody;
        sg_session_stored(turn, upload == NULL ? &nobody : &upload->peer,
                          stored->bytes);
    }
    if (upload == NULL)
        return;
    if (stored->err != SG_OK) {
        if (upload->kind == SG_UPLOAD_RELEASE)
            sg_inspect_failed(turn, index, stored->err);
        else
            give_up(turn, index, true);
        return;
    }
    if (!stored->whole)
        return;
    memcpy(upload->object.chunk_root, stored->chunk_root, 32);
    upload->state = SG_UPLOAD_WAITING;
    if (upload->kind == SG_UPLOAD_RELEASE)
        sg_inspect_ready(turn, index);
    else
        structure_stored(turn, index);
}

void
sg_upload_expire(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;

    if (turn->now < core->next_sweep)
        return;
    core->next_sweep = turn->now + PATIENCE_US / 60;
    for (uint32_t i = sg_pool_next(core->uploads, 0), next; i != 0; i = next) {
        struct sg_upload *upload = sg_upload_at(core, i);
        next = sg_pool_next(core->uploads, i);
        if (upload->state != SG_UPLOAD_OPEN || turn->now < upload->deadline)
            continue;
        if (upload->kind == SG_UPLOAD_RELEASE)
            sg_inspect_failed(turn, i, SG_ERR_SHORT);
        else
            give_up(turn, i, upload->kind == SG_UPLOAD_POLICY);
    }
}
