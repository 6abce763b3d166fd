#include "broker/core/roster.h"

#include "broker/core/policy_admin.h"
#include "broker/core/restored.h"
#include "broker/core/tokens.h"

struct word {
    const char *text;
    uint8_t value;
};

static const struct word uses[] = {{"transport", SG_USE_TRANSPORT},
                                   {"sign", SG_USE_SIGN},
                                   {"log", SG_USE_LOG},
                                   {"witness", SG_USE_WITNESS},
                                   {"approve", SG_USE_APPROVE},
                                   {"root", SG_USE_ROOT}};
static const struct word roles[] = {
    {"operator", SG_ROLE_OPERATOR},   {"policy_admin", SG_ROLE_POLICY_ADMIN},
    {"publisher", SG_ROLE_PUBLISHER}, {"subscriber", SG_ROLE_SUBSCRIBER},
    {"consent", SG_ROLE_CONSENT},     {"auditor", SG_ROLE_AUDITOR}};

static uint8_t
value_of(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].text, text) == 0)
            return words[i].value;
    return 0;
}

char *
sg_roster_roles(struct sg_arena *arena, uint8_t held, const char *between)
{
    char *text = sg_arena_printf(arena, "%s", "");

    for (size_t i = 0; i < SG_COUNT_OF(roles) && text != NULL; i++)
        if ((held & roles[i].value) != 0)
            text =
                sg_arena_printf(arena, "%s%s%s", text,
                                text[0] == '\0' ? "" : between, roles[i].text);
    return text;
}

static struct sg_key
key_of(const Sgpb__RosterKey *doc, uint16_t place)
{
    struct sg_key key = {.place = place,
                         .from = doc->from,
                         .until = doc->until,
                         .doc = doc,
                         .use = value_of(uses, SG_COUNT_OF(uses), doc->use)};

    for (size_t i = 0; i < doc->n_roles; i++)
        key.roles |= value_of(roles, SG_COUNT_OF(roles), doc->roles[i]);
    sg_crypto_key_id((enum sg_alg)doc->alg, sg_pack_slice(doc->public_key),
                     key.id);
    return key;
}

static size_t
count_keys(const Sgpb__Roster *doc)
{
    size_t count = 0;

    for (size_t i = 0; i < doc->n_participants; i++)
        count += doc->participants[i]->n_keys;
    return count;
}

static struct sg_roster_owned
owned(ProtobufCBinaryData public_key, uint32_t alg, const char *participant,
      const char *person, const char *use)
{
    struct sg_roster_owned key = {.public_key = sg_pack_slice(public_key)};
    uint8_t hash[32];
    const struct sg_slice parts[] = {
        sg_slice_of(participant, strlen(participant) + 1),
        sg_slice_of(person, strlen(person) + 1),
        sg_slice_of(use, strlen(use) + 1)};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
    key.owner = sg_bytes_load_u64(hash);
    sg_crypto_key_id((enum sg_alg)alg, key.public_key, key.id);
    return key;
}

struct sg_roster_owned
sg_roster_owned_by(const Sgpb__Participant *who, const Sgpb__RosterKey *key)
{
    struct sg_roster_owned out =
        owned(key->public_key, key->alg, who->id, key->person, key->use);

    out.ends = key->until != 0;
    return out;
}

bool
sg_roster_owned_at(const Sgpb__Roster *roster, size_t at,
                   struct sg_roster_owned *key)
{
    const struct {
        ProtobufCBinaryData public_key;
        uint32_t alg;
        const char *use, *field;
    } gates[] = {
        {roster->gate_transport_key, SG_ROSTER_TRANSPORT_ALG, "transport",
         "gate_transport_key"},
        {roster->gate_log_key, SG_ALG_ED25519, "log", "gate_log_key"},
        {roster->gate_sign_key, SG_ALG_ED25519, "sign", "gate_sign_key"}};

    if (at < roster->n_roots) {
        const Sgpb__RootKey *root = roster->roots[at];
        *key = owned(root->public_key, root->alg, "", root->person, "root");
        key->field = "roots";
        return true;
    }
    if ((at -= roster->n_roots) >= SG_COUNT_OF(gates))
        return false;
    // No participant's id is empty.
    *key = owned(gates[at].public_key, gates[at].alg, "", "", gates[at].use);
    key->field = gates[at].field;
    return true;
}

static enum sg_err
index_key(struct sg_state *state, const struct sg_key *key, uint64_t number,
          bool remember)
{
    struct sg_roster *roster = &state->roster;
    enum sg_err err =
        sg_table_put(roster->by_id, sg_state_hash(key->id), number);

    if (err == SG_OK && key->use == SG_USE_TRANSPORT)
        err = sg_table_put(roster->by_public,
                           sg_pack_slice(key->doc->public_key), number);
    if (err == SG_OK && remember)
        err = sg_table_put(
            state->known_keys, sg_state_hash(key->id),
            sg_roster_owned_by(sg_roster_owner(state, key), key->doc).owner);
    return err;
}

// Keys that nobody's row holds are known for ever too.
static enum sg_err
remember_others(struct sg_state *state)
{
    struct sg_roster_owned key;
    enum sg_err err = SG_OK;

    for (size_t i = 0;
         err == SG_OK && sg_roster_owned_at(state->roster.doc, i, &key); i++)
        if (key.public_key.len > 0)
            err = sg_table_put(state->known_keys, sg_state_hash(key.id),
                               key.owner);
    return err;
}

enum sg_err
sg_roster_index(struct sg_state *state, bool remember)
{
    struct sg_roster *roster = &state->roster;
    size_t count = count_keys(roster->doc), at = 0;
    enum sg_err err = SG_OK;

    roster->by_id = sg_table_new_own(SG_LIMIT_KEYS);
    roster->by_public = sg_table_new_own(SG_LIMIT_KEYS);
    roster->by_name = sg_table_new_own(SG_LIMIT_PARTICIPANTS);
    roster->keys =
        sg_arena_take(roster->kept.mem, (count + 1) * sizeof *roster->keys);
    if (roster->by_id == NULL || roster->by_public == NULL ||
        roster->by_name == NULL || roster->keys == NULL)
        return SG_ERR_MEMORY;
    roster->keys_count = count;
    for (size_t i = 0; i < roster->doc->n_participants && err == SG_OK; i++) {
        const Sgpb__Participant *who = roster->doc->participants[i];
        err = sg_table_put(roster->by_name, sg_slice_text(who->id), i + 1);
        for (size_t k = 0; k < who->n_keys && err == SG_OK; k++, at++) {
            roster->keys[at] = key_of(who->keys[k], (uint16_t)i);
            err = index_key(state, &roster->keys[at], at + 1, remember);
        }
    }
    if (err == SG_OK && remember)
        err = remember_others(state);
    return err;
}

static void
forget(struct sg_roster *roster)
{
    sg_table_free(&roster->by_id);
    sg_table_free(&roster->by_public);
    sg_table_free(&roster->by_name);
    sg_state_drop(&roster->kept);
    *roster = (struct sg_roster){0};
}

enum sg_err
sg_roster_open(struct sg_roster *roster)
{
    struct sg_arena *mem = roster->kept.mem;
    const Sgpb__RosterEntry *entry =
        sg_pack_open(mem, &sgpb__roster_entry__descriptor, roster->kept.body);

    if (entry == NULL || entry->sha256.len != 32)
        return SG_ERR_DAMAGE;
    const Sgpb__SignedRoster *outer = sg_pack_open(
        mem, &sgpb__signed_roster__descriptor, sg_pack_slice(entry->signed_));
    roster->doc = outer == NULL ? NULL
                                : sg_pack_open(mem, &sgpb__roster__descriptor,
                                               sg_pack_slice(outer->roster));
    if (roster->doc == NULL)
        return SG_ERR_DAMAGE;
    memcpy(roster->sha256, entry->sha256.data, 32);
    roster->version = entry->version;
    roster->expires = entry->expires;
    roster->signed_bytes = sg_pack_slice(entry->signed_);
    return SG_OK;
}

enum sg_err
sg_roster_apply(struct sg_state *state, const struct sg_appended *entry,
                const void *body)
{
    struct sg_roster next = {.seq = entry->seq};
    enum sg_err err;

    (void)body;
    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_roster_open(&next)) != SG_OK) {
        sg_state_drop(&next.kept);
        return err;
    }
    forget(&state->roster);
    state->roster = next;
    err = sg_roster_index(state, true);
    if (err == SG_OK)
        sg_restored_settle(state);
    return err;
}

enum sg_err
sg_roster_apply_revoked(struct sg_state *state, const struct sg_appended *entry,
                        const void *body)
{
    const Sgpb__KeyRevoked *revoked = body;

    if (revoked->key_id.len != 32)
        return SG_ERR_DAMAGE;
    enum sg_err err = sg_table_put(
        state->revoked, sg_pack_slice(revoked->key_id), entry->seq + 1);
    if (err == SG_OK)
        sg_restored_settle(state);
    return err;
}

// ---- asking ----------------------------------------------------------------

static const struct sg_key *
key_at(const struct sg_state *state, const struct sg_table *table,
       struct sg_slice name)
{
    uint32_t number = table == NULL ? 0 : sg_state_find(table, name);

    return number == 0 ? NULL : &state->roster.keys[number - 1];
}

const struct sg_key *
sg_roster_by_curve(const struct sg_state *state, const uint8_t curve_key[32])
{
    return key_at(state, state->roster.by_public, sg_state_hash(curve_key));
}

const struct sg_key *
sg_roster_by_id(const struct sg_state *state, struct sg_slice key_id)
{
    return key_at(state, state->roster.by_id, key_id);
}

enum sg_err
sg_roster_usable(const struct sg_state *state, const struct sg_key *key,
                 uint64_t now)
{
    const Sgpb__Participant *who = sg_roster_owner(state, key);

    if (sg_table_get(state->revoked, sg_state_hash(key->id), NULL))
        return SG_ERR_PEER_REVOKED;
    if (now < key->from || (key->until != 0 && now >= key->until) ||
        strcmp(who->state, "paused") == 0)
        return SG_ERR_PEER_UNKNOWN;
    return SG_OK;
}

const Sgpb__Participant *
sg_roster_participant(const struct sg_state *state, struct sg_slice id)
{
    uint32_t place = state->roster.doc == NULL
                         ? 0
                         : sg_state_find(state->roster.by_name, id);

    return place == 0 ? NULL : state->roster.doc->participants[place - 1];
}

bool
sg_roster_has_role(const Sgpb__Participant *who, const char *role)
{
    for (size_t i = 0; i < who->n_roles; i++)
        if (strcmp(who->roles[i], role) == 0)
            return true;
    return false;
}

bool
sg_roster_expired(const struct sg_turn *turn)
{
    const struct sg_roster *roster = &turn->state->roster;

    return roster->doc == NULL ||
           turn->now + turn->core->clock_ahead >= roster->expires;
}

bool
sg_roster_two_persons(const struct sg_state *state, const struct sg_key *a,
                      const struct sg_key *b)
{
    if (a->doc->person[0] == '\0' || b->doc->person[0] == '\0')
        return false;
    // The same name at two participants may be one person with two seats, so
    // names alone have to differ.
    (void)state;
    return strcmp(a->doc->person, b->doc->person) != 0;
}

static bool
listed(char *const *list, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return count == 0;
}

static bool
is_side(const char *side, const Sgpb__Participant *who)
{
    return strcmp(side, who->id) == 0 || strcmp(side, who->jurisdiction) == 0;
}

uint16_t
sg_roster_instrument(const struct sg_state *state,
                     const Sgpb__Participant *from, const Sgpb__Participant *to,
                     const char *purpose, uint64_t now)
{
    const Sgpb__Roster *doc = state->roster.doc;

    for (size_t i = 0; i < doc->n_instruments; i++) {
        const Sgpb__Instrument *one = doc->instruments[i];
        if (is_side(one->from, from) && is_side(one->to, to) &&
            listed(one->classes, one->n_classes, to->class_) &&
            listed(one->purposes, one->n_purposes, purpose) &&
            now >= one->valid_from &&
            (one->valid_until == 0 || now < one->valid_until))
            return sg_vocabulary_code(SG_ATTR_INSTRUMENT,
                                      sg_slice_text(one->kind));
    }
    return SG_INSTRUMENT_NONE;
}

struct sg_quota *
sg_roster_quota(struct sg_core *core, const char *participant)
{
    uint32_t place = core->state->roster.doc == NULL
                         ? 0
                         : sg_state_find(core->state->roster.by_name,
                                         sg_slice_text(participant));

    return place == 0 || place > core->quotas_count ? NULL
                                                    : &core->quotas[place - 1];
}

// ---- signed documents ------------------------------------------------------

const struct sg_key *
sg_roster_signer(struct sg_turn *turn, const Sgpb__Signed *document,
                 enum sg_sign_purpose purpose, enum sg_key_use use,
                 enum sg_err *err)
{
    const struct sg_key *key =
        document == NULL
            ? NULL
            : sg_roster_by_id(turn->state, sg_pack_slice(document->key_id));

    if (key == NULL) {
        *err = SG_ERR_PEER_UNKNOWN;
        return NULL;
    }
    *err = sg_roster_usable(turn->state, key, turn->now);
    if (*err == SG_OK && key->use != use)
        *err = SG_ERR_PEER_KEY_USE;
    if (*err == SG_OK && document->alg != key->doc->alg)
        *err = SG_ERR_SIGNATURE;
    if (*err == SG_OK && !sg_tokens_check(turn, 1))
        *err = SG_ERR_BUSY;
    if (*err == SG_OK && !sg_sign_verify((enum sg_alg)document->alg,
                                         sg_pack_slice(key->doc->public_key),
                                         purpose, sg_pack_slice(document->body),
                                         sg_pack_slice(document->sig)))
        *err = SG_ERR_SIGNATURE;
    return *err == SG_OK ? key : NULL;
}

Sgpb__Signed *
sg_roster_sign(struct sg_turn *turn, enum sg_sign_purpose purpose,
               const ProtobufCMessage *body)
{
    Sgpb__Signed *out = sg_turn_take(turn, sizeof *out);
    struct sg_slice bytes = sg_pack_close(turn->arena, body);
    uint8_t *sig = sg_turn_take(turn, SG_SIG_LEN);

    SG_ASSERT(bytes.ptr != NULL);
    enum sg_err err =
        sg_sign_make(turn->core->options.signer, purpose, bytes, sig);
    SG_ASSERT(err == SG_OK);
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_pack_bytes(bytes.ptr, bytes.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_pack_bytes(turn->core->sign_key_id, 32);
    out->sig = sg_pack_bytes(sig, SG_SIG_LEN);
    return out;
}
