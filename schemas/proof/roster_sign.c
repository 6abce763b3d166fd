#include "schemas/proof/roster_sign.h"

#include <string.h>

#include "broker/base/crypto.h"
#include "broker/base/limits.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/sign.h"

const Sgpb__RootKey *
sg_roster_sign_root(const Sgpb__Roster *by, struct sg_slice key_id)
{
    uint8_t id[32];

    for (size_t i = 0; i < by->n_roots; i++) {
        sg_crypto_key_id((enum sg_alg)by->roots[i]->alg,
                         sg_codec_slice(by->roots[i]->public_key), id);
        if (sg_slice_eq(key_id, sg_slice_of(id, sizeof id)))
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
sg_roster_sign_persons(const Sgpb__SignedRoster *signed_roster,
                       const Sgpb__Roster *by)
{
    char *persons[SG_LIMIT_ROOTS];
    size_t count = 0;

    for (size_t i = 0;
         i < signed_roster->n_signatures && count < SG_LIMIT_ROOTS; i++) {
        const Sgpb__RootSignature *one = signed_roster->signatures[i];
        const Sgpb__RootKey *root =
            sg_roster_sign_root(by, sg_codec_slice(one->key_id));
        if (root == NULL || root->person[0] == '\0' ||
            counted(persons, count, root->person))
            continue;
        if (sg_sign_verify((enum sg_alg)root->alg,
                           sg_codec_slice(root->public_key), SG_SIGN_ROSTER,
                           sg_codec_slice(signed_roster->roster),
                           sg_codec_slice(one->sig)))
            persons[count++] = root->person;
    }
    return count;
}
