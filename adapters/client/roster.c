#include "adapters/client/roster.h"

#include <string.h>

#include "schemas/codec/codec.h"

enum { ROSTER_ARENA = 32 * 1024 * 1024, ROSTER_BLOCK = 64 * 1024 };
enum { ROOTS_MAX = 64 };

enum sg_err
sg_roster_read(struct sg_slice bytes, struct sg_roster *roster)
{
    void *outer = NULL, *doc = NULL;

    *roster = (struct sg_roster){0};
    roster->arena = sg_arena_new(ROSTER_ARENA, ROSTER_BLOCK);
    if (roster->arena == NULL)
        return SG_ERR_MEMORY;
    roster->bytes = sg_arena_copy(roster->arena, bytes);
    if (roster->bytes.ptr == NULL ||
        sg_codec_unpack(&sgpb__signed_roster__descriptor, roster->bytes,
                        roster->arena, &outer) != SG_OK ||
        sg_codec_unpack(&sgpb__roster__descriptor,
                        sg_codec_slice(((Sgpb__SignedRoster *)outer)->roster),
                        roster->arena, &doc) != SG_OK) {
        sg_roster_drop(roster);
        return SG_ERR_ROSTER;
    }
    roster->outer = outer;
    roster->doc = doc;
    sg_crypto_sha256(roster->outer->roster.data, roster->outer->roster.len,
                     roster->sha256);
    return SG_OK;
}

void
sg_roster_drop(struct sg_roster *roster)
{
    sg_arena_free(&roster->arena);
    *roster = (struct sg_roster){0};
}

static const Sgpb__RootKey *
root_named(const Sgpb__Roster *by, ProtobufCBinaryData key_id)
{
    uint8_t id[32];

    for (size_t i = 0; i < by->n_roots; i++) {
        sg_crypto_key_id((enum sg_alg)by->roots[i]->alg,
                         sg_codec_slice(by->roots[i]->public_key), id);
        if (key_id.len == 32 && memcmp(id, key_id.data, 32) == 0)
            return by->roots[i];
    }
    return NULL;
}

static bool
counted(char *const *persons, size_t count, const char *person)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(persons[i], person) == 0)
            return true;
    }
    return false;
}

size_t
sg_roster_persons(const struct sg_roster *roster, const Sgpb__Roster *by)
{
    char *persons[ROOTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < roster->outer->n_signatures && count < ROOTS_MAX;
         i++) {
        const Sgpb__RootSignature *one = roster->outer->signatures[i];
        const Sgpb__RootKey *root = root_named(by, one->key_id);
        if (root == NULL || root->person[0] == '\0' ||
            counted(persons, count, root->person))
            continue;
        if (sg_sign_verify((enum sg_alg)root->alg,
                           sg_codec_slice(root->public_key), SG_SIGN_ROSTER,
                           sg_codec_slice(roster->outer->roster),
                           sg_codec_slice(one->sig)))
            persons[count++] = root->person;
    }
    return count;
}

enum sg_err
sg_roster_follows(const struct sg_roster *held, const struct sg_roster *next)
{
    if (strcmp(held->doc->gate, next->doc->gate) != 0)
        return SG_ERR_ROSTER;
    if (next->doc->version < held->doc->version)
        return SG_ERR_ROSTER_OLD;
    if (next->doc->version == held->doc->version)
        return memcmp(held->sha256, next->sha256, 32) == 0 ? SG_OK
                                                           : SG_ERR_FORK;
    if (next->doc->version == held->doc->version + 1 &&
        (next->doc->prev_sha256.len != 32 ||
         memcmp(next->doc->prev_sha256.data, held->sha256, 32) != 0))
        return SG_ERR_FORK;
    // One person alone could replace the gate (S05).
    if (held->doc->threshold < 2 ||
        sg_roster_persons(next, held->doc) < held->doc->threshold)
        return SG_ERR_ROSTER;
    return SG_OK;
}

const Sgpb__RosterKey *
sg_roster_key(const struct sg_roster *roster, struct sg_slice key_id,
              const Sgpb__Participant **who)
{
    uint8_t id[32];

    for (size_t i = 0; i < roster->doc->n_participants; i++) {
        const Sgpb__Participant *one = roster->doc->participants[i];
        for (size_t k = 0; k < one->n_keys; k++) {
            sg_crypto_key_id((enum sg_alg)one->keys[k]->alg,
                             sg_codec_slice(one->keys[k]->public_key), id);
            if (sg_slice_eq(key_id, sg_slice_of(id, 32))) {
                *who = one;
                return one->keys[k];
            }
        }
    }
    return NULL;
}

const Sgpb__Participant *
sg_roster_participant(const struct sg_roster *roster, const char *id)
{
    for (size_t i = 0; i < roster->doc->n_participants; i++) {
        if (strcmp(roster->doc->participants[i]->id, id) == 0)
            return roster->doc->participants[i];
    }
    return NULL;
}

bool
sg_roster_gate_signed(const struct sg_roster *roster,
                      const Sgpb__Signed *document,
                      enum sg_sign_purpose purpose)
{
    struct sg_slice key = sg_codec_slice(roster->doc->gate_sign_key);
    uint8_t id[32];

    if (document == NULL || key.len != 32 || document->alg != SG_ALG_ED25519)
        return false;
    sg_crypto_key_id(SG_ALG_ED25519, key, id);
    return document->key_id.len == 32 &&
           memcmp(document->key_id.data, id, 32) == 0 &&
           sg_sign_verify(SG_ALG_ED25519, key, purpose,
                          sg_codec_slice(document->body),
                          sg_codec_slice(document->sig));
}
