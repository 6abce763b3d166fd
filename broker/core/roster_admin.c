#include "broker/core/policy_admin.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"
#include "broker/core/tokens.h"
#include "schemas/proof/roster_sign.h"

enum { CURVE_LEN = 32 };

static bool
key_form(const Sgpb__RosterKey *key)
{
    if (strcmp(key->use, "transport") == 0)
        return key->alg == SG_ROSTER_TRANSPORT_ALG &&
               key->public_key.len == CURVE_LEN;
    return (key->alg == SG_ALG_ED25519 || key->alg == SG_ALG_P256) &&
           sg_crypto_key_valid((enum sg_alg)key->alg,
                               sg_pack_slice(key->public_key));
}

// A public key has one owner and one use for ever, and never comes back once it
// was revoked (S03). seen: keys of this roster so far.
static bool
key_fresh(const struct sg_state *state, const struct sg_roster_owned *key,
          struct sg_table *seen)
{
    uint64_t known;

    if (sg_table_get(state->revoked, sg_state_hash(key->id), NULL)) {
        // It may stand in the roster for the record, but only as it was.
        return sg_table_get(state->known_keys, sg_state_hash(key->id),
                            &known) &&
               known == key->owner && key->ends;
    }
    if (sg_table_get(state->known_keys, sg_state_hash(key->id), &known) &&
        known != key->owner)
        return false;
    // One key under two alg numbers is one key.
    if (sg_table_get(seen, key->public_key, NULL))
        return false;
    return sg_table_put(seen, key->public_key, 1) == SG_OK;
}

static const char *
participants_fault(const struct sg_state *state, const Sgpb__Roster *roster,
                   struct sg_table *seen)
{
    const char *fault = NULL;

    for (size_t i = 0; i < roster->n_participants && fault == NULL; i++) {
        const Sgpb__Participant *who = roster->participants[i];
        if (!sg_slice_is_id(sg_slice_text(who->id)))
            fault = "participants.id";
        for (size_t k = 0; k < i && fault == NULL; k++)
            if (strcmp(roster->participants[k]->id, who->id) == 0)
                fault = "participants.id";
        for (size_t k = 0; k < who->n_keys && fault == NULL; k++) {
            struct sg_roster_owned key = sg_roster_owned_by(who, who->keys[k]);
            if (!key_form(who->keys[k]) || !key_fresh(state, &key, seen))
                fault = "participants.keys";
        }
    }
    return fault;
}

static const char *
keys_fault(const struct sg_state *state, const Sgpb__Roster *roster)
{
    struct sg_table *seen = sg_table_new_own(SG_LIMIT_KEYS);
    const char *fault = seen == NULL ? "memory" : NULL;
    struct sg_roster_owned key;

    for (size_t i = 0; fault == NULL && sg_roster_owned_at(roster, i, &key);
         i++)
        if (key.public_key.len > 0 && !key_fresh(state, &key, seen))
            fault = key.field;
    if (fault == NULL)
        fault = participants_fault(state, roster, seen);
    sg_table_free(&seen);
    return fault;
}

static bool
same_roots(const Sgpb__Roster *a, const Sgpb__Roster *b)
{
    if (a->n_roots != b->n_roots || a->threshold != b->threshold)
        return false;
    for (size_t i = 0; i < a->n_roots; i++)
        if (!sg_slice_eq(sg_pack_slice(a->roots[i]->public_key),
                         sg_pack_slice(b->roots[i]->public_key)) ||
            strcmp(a->roots[i]->person, b->roots[i]->person) != 0)
            return false;
    return true;
}

// Signatures by k of the old and, when they change, by k of the new roots. The
// first roster is vouched for by its hash in genesis.
static bool
signed_by_roots(const struct sg_state *state, const Sgpb__SignedRoster *outer,
                const Sgpb__Roster *roster)
{
    const Sgpb__Roster *now = state->roster.doc;

    if (now != NULL && sg_roster_sign_persons(outer, now) < now->threshold)
        return false;
    return (now != NULL && same_roots(now, roster)) ||
           sg_roster_sign_persons(outer, roster) >= roster->threshold;
}

static const char *
succession_fault(const struct sg_state *state, const Sgpb__Roster *roster)
{
    static const uint8_t zeros[32];
    const struct sg_roster *now = &state->roster;
    const uint8_t *prev = now->doc == NULL ? zeros : now->sha256;

    if (roster->version != now->version + 1)
        return "version";
    return sg_pack_is(roster->prev_sha256, prev, 32) ? NULL : "prev_sha256";
}

enum sg_err
sg_roster_check(struct sg_turn *turn, const Sgpb__SignedRoster *signed_roster,
                const char **what)
{
    const struct sg_state *state = turn->state;
    const Sgpb__Roster *roster =
        sg_pack_open(turn->arena, &sgpb__roster__descriptor,
                     sg_pack_slice(signed_roster->roster));

    *what = "roster";
    if (roster == NULL)
        return SG_ERR_ROSTER;
    *what = "gate";
    if (strcmp(roster->gate, state->gate) != 0)
        return SG_ERR_ROSTER;
    *what = "expires";
    if (roster->expires <= turn->now || roster->expires <= roster->issued)
        return SG_ERR_ROSTER_EXPIRED;
    *what = "threshold";
    if (roster->threshold < 2 || roster->n_roots > SG_LIMIT_ROOTS ||
        roster->n_participants > SG_LIMIT_PARTICIPANTS ||
        roster->n_instruments > SG_LIMIT_INSTRUMENTS)
        return SG_ERR_ROSTER;
    *what = "version";
    if (roster->version < state->roster.version)
        return SG_ERR_ROSTER_OLD;
    if ((*what = succession_fault(state, roster)) != NULL)
        return SG_ERR_ROSTER;
    *what = "signatures";
    if (signed_roster->n_signatures > SG_LIMIT_ROOTS)
        return SG_ERR_ROSTER;
    // Each is tried with one key of the old and one of the new roots at most.
    if (!sg_tokens_check(turn, signed_roster->n_signatures))
        return SG_ERR_BUSY;
    if (!signed_by_roots(state, signed_roster, roster))
        return SG_ERR_ROSTER;
    *what = keys_fault(state, roster);
    return *what == NULL ? SG_OK : SG_ERR_ROSTER;
}

// ---- ZAP -------------------------------------------------------------------

// Heap sort by bytes: sift the key at `at` down within count.
static void
sift(uint8_t (*keys)[32], size_t at, size_t count)
{
    uint8_t held[32];

    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && memcmp(keys[child], keys[child + 1], 32) < 0)
            child++;
        if (memcmp(keys[at], keys[child], 32) >= 0)
            return;
        memcpy(held, keys[at], 32);
        memcpy(keys[at], keys[child], 32);
        memcpy(keys[child], held, 32);
        at = child;
    }
}

static void
sort(uint8_t (*keys)[32], size_t count)
{
    uint8_t held[32];

    for (size_t i = count / 2; i > 0; i--)
        sift(keys, i - 1, count);
    for (size_t end = count; end > 1; end--) {
        memcpy(held, keys[0], 32);
        memcpy(keys[0], keys[end - 1], 32);
        memcpy(keys[end - 1], held, 32);
        sift(keys, 0, end - 1);
    }
}

void
sg_roster_swap(struct sg_turn *turn, uint64_t after_seq)
{
    const struct sg_roster *roster = &turn->state->roster;
    uint8_t(*keys)[32] = sg_turn_take(turn, 32 * (roster->keys_count + 1));
    size_t count = 0;

    for (size_t i = 0; i < roster->keys_count; i++)
        if (roster->keys[i].use == SG_USE_TRANSPORT &&
            sg_roster_usable(turn->state, &roster->keys[i], turn->now) == SG_OK)
            memcpy(keys[count++], roster->keys[i].doc->public_key.data, 32);
    sort(keys, count);
    struct sg_effect *effect =
        sg_output_effect(turn->output, SG_EFFECT_SWAP_KEYS, after_seq);
    effect->u.swap.keys = (const uint8_t(*)[32])keys;
    effect->u.swap.count = count;
}

// ---- messages --------------------------------------------------------------

void
sg_roster_get(struct sg_turn *turn)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterIs is = SGPB__ROSTER_IS__INIT;

    if (turn->envelope->roster_get->have > turn->state->roster.version) {
        sg_turn_refuse(turn, SG_ERR_ROSTER_OLD, "have");
        return;
    }
    if (turn->envelope->roster_get->have < turn->state->roster.version)
        is.signed_ = sg_pack_bytes(turn->state->roster.signed_bytes.ptr,
                                   turn->state->roster.signed_bytes.len);
    envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER;
    envelope.roster = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

enum sg_err
sg_roster_take(struct sg_turn *turn, struct sg_slice signed_bytes,
               uint64_t *seq, const char **what)
{
    Sgpb__RosterEntry entry = SGPB__ROSTER_ENTRY__INIT;
    uint8_t sha256[32];
    const Sgpb__SignedRoster *outer = sg_pack_open(
        turn->arena, &sgpb__signed_roster__descriptor, signed_bytes);

    *what = "signed";
    if (outer == NULL)
        return SG_ERR_ROSTER;
    sg_crypto_sha256(outer->roster.data, outer->roster.len, sha256);
    if (turn->state->roster.doc == NULL &&
        memcmp(sha256, turn->state->roster_pin, 32) != 0)
        return SG_ERR_ROSTER;
    enum sg_err err = sg_roster_check(turn, outer, what);
    if (err != SG_OK)
        return err;
    const Sgpb__Roster *roster = sg_pack_open(
        turn->arena, &sgpb__roster__descriptor, sg_pack_slice(outer->roster));
    entry.version = roster->version;
    entry.sha256 = sg_pack_bytes(sha256, 32);
    entry.signed_ = sg_pack_bytes(signed_bytes.ptr, signed_bytes.len);
    entry.expires = roster->expires;
    if (turn->state->roster.doc != NULL)
        sg_refuse_aggregate(turn, true); // whose place is another's then
    *seq = sg_turn_append(turn, SG_ENTRY_ROSTER, &entry.base);
    sg_session_new_roster(turn);
    sg_roster_swap(turn, *seq);
    sg_policy_due_all(turn->core, SG_DUE_DECIDE | SG_DUE_SEND);
    return SG_OK;
}

void
sg_roster_put(struct sg_turn *turn)
{
    struct sg_slice bytes = sg_pack_slice(turn->envelope->roster_put->signed_);
    uint8_t sha256[32];
    const char *what;
    uint64_t seq;
    const Sgpb__SignedRoster *outer =
        sg_pack_open(turn->arena, &sgpb__signed_roster__descriptor, bytes);

    if (outer != NULL && turn->state->roster.doc != NULL) {
        sg_crypto_sha256(outer->roster.data, outer->roster.len, sha256);
        if (memcmp(sha256, turn->state->roster.sha256, 32) == 0) {
            sg_turn_receipt(turn, turn->state->roster.seq, true);
            return;
        }
    }
    enum sg_err err = sg_roster_take(turn, bytes, &seq, &what);
    if (err != SG_OK)
        sg_turn_refuse(turn, err, what);
    else
        sg_turn_receipt(turn, seq, false);
}

void
sg_roster_revoke(struct sg_turn *turn)
{
    const Sgpb__Signed *document = turn->envelope->revoke->revocation;
    const struct sg_state *state = turn->state;
    const Sgpb__RootKey *root =
        document == NULL ? NULL
                         : sg_roster_sign_root(state->roster.doc,
                                               sg_pack_slice(document->key_id));
    const Sgpb__Revocation *order =
        document == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__revocation__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__KeyRevoked entry = SGPB__KEY_REVOKED__INIT;
    uint64_t seq;

    if (root == NULL || order == NULL || order->key_id.len != 32 ||
        strcmp(order->gate, state->gate) != 0) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "revocation");
        return;
    }
    if (!sg_tokens_check(turn, 1)) {
        sg_turn_refuse(turn, SG_ERR_BUSY, "revocation");
        return;
    }
    if (!sg_sign_verify((enum sg_alg)root->alg, sg_pack_slice(root->public_key),
                        SG_SIGN_REVOCATION, sg_pack_slice(document->body),
                        sg_pack_slice(document->sig))) {
        sg_turn_refuse(turn, SG_ERR_SIGNATURE, "revocation");
        return;
    }
    if (sg_table_get(state->revoked, sg_pack_slice(order->key_id), &seq)) {
        sg_turn_receipt(turn, seq - 1, true);
        return;
    }
    if (sg_roster_by_id(state, sg_pack_slice(order->key_id)) == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_UNKNOWN, "key_id");
        return;
    }
    entry.key_id = order->key_id;
    entry.since = order->since;
    entry.revocation = (Sgpb__Signed *)(uintptr_t)document;
    seq = sg_turn_append(turn, SG_ENTRY_KEY_REVOKED, &entry.base);
    sg_roster_swap(turn, seq);
    sg_session_drop_unusable(turn, seq);
    sg_policy_due_all(turn->core, SG_DUE_DECIDE | SG_DUE_SEND);
    sg_turn_receipt(turn, seq, false);
}
