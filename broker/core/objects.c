#include "broker/core/objects.h"

#include "broker/core/flow.h"
#include "broker/core/refuse.h"
#include "broker/core/session.h"
#include "broker/core/tokens.h"

// WINDOW: chunks of one answer. LOOKS: one is read and opened while so many
// entries are looked at.
enum { WINDOW = 8, LOOKS = 512 };

// What was found: bytes at hand, or an object of the payload store.
struct found {
    struct sg_slice bytes; // ptr NULL: object
    struct sg_object object;
    uint64_t size;
};

// Who may see a flow may have the structure that it is read with; catalogues
// are open to every participant.
static bool
may_have(const struct sg_turn *turn, const struct sg_structure *structure)
{
    const struct sg_state *state = turn->state;
    const Sgpb__StructureEntry *doc = sg_pack_open(
        turn->arena, &sgpb__structure_entry__descriptor, structure->kept.body);

    if ((turn->key->roles & SG_ROLE_AUDITOR) != 0 ||
        (doc != NULL && strcmp(doc->by, turn->who->id) == 0))
        return true;
    for (uint32_t i = sg_pool_next(state->flows, 0); i != 0;
         i = sg_pool_next(state->flows, i)) {
        const struct sg_flow *flow = sg_state_flow(state, i);
        if (!flow->closed &&
            sg_pack_is(flow->terms->structure_sha256, structure->sha256, 32))
            return true;
    }
    return false;
}

static bool
find_structure(const struct sg_turn *turn, struct sg_slice sha256,
               struct found *found)
{
    const struct sg_structure *structure =
        sg_flow_structure(turn->state, sha256);

    if (structure == NULL || !may_have(turn, structure))
        return false;
    found->object = structure->object;
    found->size = structure->object.bytes;
    return true;
}

static bool
find_policy(const struct sg_turn *turn, struct sg_slice sha256,
            struct found *found)
{
    const struct sg_bundle *bundles[] = {&turn->state->active,
                                         &turn->state->proposed};

    for (size_t i = 0; i < SG_COUNT_OF(bundles); i++) {
        if (bundles[i]->seq == 0 ||
            !sg_slice_eq(sha256, sg_state_hash(bundles[i]->sha256)))
            continue;
        const Sgpb__PolicyEntry *entry =
            sg_pack_open(turn->arena, &sgpb__policy_entry__descriptor,
                         bundles[i]->kept.body);
        if (entry == NULL || entry->bundle == NULL)
            return false;
        found->bytes = sg_pack_slice(entry->bundle->body);
        found->size = found->bytes.len;
        return true;
    }
    return false;
}

// Without a hash: the newest.
static bool
find_roster(const struct sg_turn *turn, struct sg_slice sha256,
            struct found *found)
{
    const struct sg_roster *roster = &turn->state->roster;

    if (sha256.len != 0 && !sg_slice_eq(sha256, sg_state_hash(roster->sha256)))
        return false;
    // The roster may be replaced before the effect is carried out.
    found->bytes = sg_arena_copy(turn->arena, roster->signed_bytes);
    found->size = found->bytes.len;
    return found->bytes.ptr != NULL;
}

static const struct {
    const char *kind;
    uint8_t roles; // of the asking key; 0: any
    bool (*find)(const struct sg_turn *turn, struct sg_slice sha256,
                 struct found *found);
} kinds[] = {
    {"structure", 0, find_structure},
    {"policy", SG_ROLE_POLICY_ADMIN | SG_ROLE_AUDITOR, find_policy},
    {"roster", 0, find_roster},
};

// As many chunks as fit the answer and the asker's credit.
static uint32_t
window(struct sg_session *session, const struct found *found, uint64_t chunks,
       uint64_t first)
{
    uint32_t count = 0;

    while (count < WINDOW && first + count < chunks &&
           session->send_messages > 0) {
        uint64_t left = found->size - (first + count) * SG_LIMIT_CHUNK;
        uint64_t len = left < SG_LIMIT_CHUNK ? left : SG_LIMIT_CHUNK;
        if (session->send_bytes < len)
            break;
        session->send_bytes -= len;
        session->send_messages--;
        count++;
    }
    return count;
}

static void
send_chunk(struct sg_turn *turn, const struct found *found, uint64_t index)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Chunk chunk = SGPB__CHUNK__INIT;
    uint64_t at = index * SG_LIMIT_CHUNK;
    uint64_t left = found->size - at;

    chunk.index = index;
    envelope.request = turn->envelope->request;
    envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
    envelope.chunk = &chunk;
    struct sg_effect_send *send = sg_turn_send(
        turn, &turn->session->peer, &envelope, turn->state->next_seq - 1);
    if (found->bytes.ptr != NULL) {
        send->payload = sg_slice_of(
            found->bytes.ptr + at,
            (size_t)(left < SG_LIMIT_CHUNK ? left : SG_LIMIT_CHUNK));
        return;
    }
    send->chunk_of = send->opened = true;
    send->index = index;
    memcpy(send->object, found->object.id, 16);
}

void
sg_objects_get(struct sg_turn *turn)
{
    const Sgpb__ObjectGet *get = turn->envelope->object_get;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectBegin begin = SGPB__OBJECT_BEGIN__INIT;
    struct found found = {.bytes = {NULL, 0}};
    size_t k = 0;

    while (k < SG_COUNT_OF(kinds) && strcmp(kinds[k].kind, get->kind) != 0)
        k++;
    if (k == SG_COUNT_OF(kinds)) {
        sg_turn_refuse(turn, SG_ERR_UNSUPPORTED, "kind");
        return;
    }
    if (kinds[k].roles != 0 && (turn->key->roles & kinds[k].roles) == 0) {
        sg_refuse_rights(turn, kinds[k].roles, turn->key->roles, "kind");
        return;
    }
    // What one may not have and what is not there read alike (S44).
    if (!kinds[k].find(turn, sg_pack_slice(get->sha256), &found)) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "sha256");
        return;
    }
    begin.sha256 = get->sha256;
    begin.bytes = found.size;
    begin.chunks = (found.size + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK;
    begin.first = get->first;
    begin.count = window(turn->session, &found, begin.chunks, get->first);
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_BEGIN;
    envelope.object_begin = &begin;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
    sg_tokens_looked(turn, (uint64_t)begin.count * LOOKS);
    for (uint64_t i = 0; i < begin.count; i++)
        send_chunk(turn, &found, get->first + i);
}
