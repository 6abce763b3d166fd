#include "adapters/client/roster.h"

#include <string.h>

#include "schemas/codec/codec.h"
#include "schemas/proof/roster_sign.h"

enum { ROSTER_ARENA = 32 * 1024 * 1024, ROSTER_BLOCK = 64 * 1024 };

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
        sg_roster_sign_persons(next->outer, held->doc) < held->doc->threshold)
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
