#include "broker/core/flow.h"
#include "broker/core/publish.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"

#define DAY_US (24 * 3600 * 1000000ull)
enum { CHUNK_LEAST = 1024, NONCE_LEN = 16, MEDIA_LAST = 10 };
enum { ACTION_WHOLE = 1, ACTION_CHANGE = 2, MODE_FILE = 1, MODE_ROW = 3 };

// ---- claims against terms ------------------------------------------------------

struct claim {
    enum sg_attr attr;
    size_t field; // offset of a char * in Claims
};
static const struct claim claims_of[] = {
    {SG_ATTR_CLASSIFICATION, offsetof(Sgpb__Claims, classification)},
    {SG_ATTR_DATA_KIND, offsetof(Sgpb__Claims, data_kind)},
    {SG_ATTR_UNIT, offsetof(Sgpb__Claims, unit)},
    {SG_ATTR_IDENTIFIABILITY, offsetof(Sgpb__Claims, identifiability)},
    {SG_ATTR_SENSITIVE, offsetof(Sgpb__Claims, sensitive)},
    {SG_ATTR_LAWFUL_BASIS, offsetof(Sgpb__Claims, lawful_basis)},
    {SG_ATTR_SPECIAL_CONDITION, offsetof(Sgpb__Claims, special_condition)},
    {SG_ATTR_ONWARD, offsetof(Sgpb__Claims, onward)},
    {SG_ATTR_LICENCE, offsetof(Sgpb__Claims, licence)},
};
// Given by the terms alone.
static const enum sg_attr from_terms[] = {
    SG_ATTR_LOCALISATION, SG_ATTR_GEO_DETAIL, SG_ATTR_VALIDATION,
    SG_ATTR_EMERGENCY,    SG_ATTR_QUALITY,    SG_ATTR_SDC_STATE};

static const char *
claimed(const Sgpb__Claims *claims, const struct claim *claim)
{
    char *text;

    memcpy(&text, (const uint8_t *)claims + claim->field, sizeof text);
    return text;
}

bool
sg_publish_codes(const Sgpb__FlowTerms *terms, const Sgpb__Claims *claims,
                 const char *jurisdiction, uint16_t *out, enum sg_attr *attr)
{
    memset(out, 0, SG_ATTR_COUNT * sizeof *out);
    for (size_t i = 0; i < SG_COUNT_OF(claims_of); i++) {
        *attr = claims_of[i].attr;
        const char *text = claimed(claims, &claims_of[i]);
        uint16_t claim = sg_vocabulary_code(*attr, sg_slice_text(text));
        uint16_t stated = sg_flow_code(terms, *attr);
        if (stated == 0) { // the terms say that it does not apply
            if (text[0] != '\0')
                return false;
            continue;
        }
        if (text[0] == '\0')
            claim = stated; // nothing claimed: the terms speak
        struct sg_stated all = {
            .claim = claim, .terms = &stated, .terms_count = 1};
        if (claim == 0 || !sg_vocabulary_strictest(*attr, &all, &out[*attr]))
            return false;
    }
    for (size_t i = 0; i < SG_COUNT_OF(from_terms); i++)
        out[from_terms[i]] = sg_flow_code(terms, from_terms[i]);
    *attr = SG_ATTR_RELEASE_KIND;
    out[SG_ATTR_RELEASE_KIND] = sg_vocabulary_code(
        SG_ATTR_RELEASE_KIND, sg_slice_text(claims->release_kind));
    if (claims->release_kind[0] != '\0' && out[SG_ATTR_RELEASE_KIND] == 0)
        return false;
    out[SG_ATTR_PROVIDER_IN] =
        sg_vocabulary_code(SG_ATTR_PROVIDER_IN, sg_slice_text(jurisdiction));
    return true;
}

struct words {
    char *const *word;
    size_t count;
};

static bool
has(struct words words, const char *word)
{
    for (size_t i = 0; i < words.count; i++)
        if (strcmp(words.word[i], word) == 0)
            return true;
    return false;
}

// Sorted, unique, and all among those of the terms.
static bool
within(struct words claimed, struct words terms)
{
    for (size_t i = 0; i < claimed.count; i++)
        if (!has(terms, claimed.word[i]) ||
            (i > 0 && strcmp(claimed.word[i - 1], claimed.word[i]) >= 0))
            return false;
    return true;
}

// The agreements that a release says it rests on are those of the terms, as
// they stand. An older epoch is honest: consent was withdrawn meanwhile, which
// the decision sees. A newer one is not.
static bool
agreements_stand(const struct sg_turn *turn, const Sgpb__Claims *claims,
                 const Sgpb__FlowTerms *terms)
{
    const struct words known = {terms->agreements, terms->n_agreements};

    for (size_t i = 0; i < claims->n_agreements; i++) {
        const Sgpb__AgreementRef *one = claims->agreements[i];
        if (!has(known, one->id) ||
            (i > 0 && strcmp(claims->agreements[i - 1]->id, one->id) >= 0))
            return false;
        struct sg_consent_summary is =
            sg_consent_summary_of(turn->state->consent, sg_slice_text(one->id));
        if (!is.known || one->epoch > is.epoch ||
            !sg_pack_is(one->revision_sha256, is.revision_sha256, 32) ||
            (one->set_commit.len != 0 && one->set_commit.len != 32))
            return false;
    }
    return true;
}

// Whence the figures come (N22).
static bool
label_fits(const Sgpb__Claims *claims, const Sgpb__FlowTerms *terms)
{
    static char *labels[] = {(char *)(uintptr_t) "observed",
                             (char *)(uintptr_t) "estimated",
                             (char *)(uintptr_t) "modelled",
                             (char *)(uintptr_t) "machine_generated"};

    return claims->origin_label[0] == '\0'
               ? !terms->require_label
               : has((struct words){labels, SG_COUNT_OF(labels)},
                     claims->origin_label);
}

static enum sg_err
check_claims(const struct sg_turn *turn, const Sgpb__Manifest *manifest,
             const Sgpb__FlowTerms *terms, const char **field)
{
    uint16_t codes[SG_ATTR_COUNT];
    enum sg_attr attr;

    *field = "claims";
    if (manifest->claims == NULL)
        return SG_ERR_MANIFEST_FIELD;
    *field = "claims.action";
    if (manifest->claims->action == ACTION_CHANGE)
        return SG_ERR_ACTION;
    if (manifest->claims->action != ACTION_WHOLE)
        return SG_ERR_MANIFEST_FIELD;
    if (!sg_publish_codes(terms, manifest->claims, turn->who->jurisdiction,
                          codes, &attr)) {
        *field = sg_vocabulary_attr(attr)->name;
        return SG_ERR_CLAIM;
    }
    const Sgpb__Claims *said = manifest->claims;
    const struct {
        const char *name;
        bool fits;
    } rows[] = {{"claims.purposes",
                 within((struct words){said->purposes, said->n_purposes},
                        (struct words){terms->purposes, terms->n_purposes})},
                {"claims.languages",
                 within((struct words){said->languages, said->n_languages},
                        (struct words){terms->languages, terms->n_languages})},
                {"claims.retention_days",
                 terms->retention_days == 0 ||
                     said->retention_days <= terms->retention_days},
                {"claims.origin_label", label_fits(said, terms)},
                {"claims.agreements", agreements_stand(turn, said, terms)}};
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        *field = rows[i].name;
        if (!rows[i].fits)
            return SG_ERR_CLAIM;
    }
    return SG_OK;
}

// ---- the manifest -------------------------------------------------------------

static enum sg_err
check_form(const Sgpb__Manifest *m, const char **field)
{
    const struct {
        const char *name;
        ProtobufCBinaryData data;
        size_t len;
    } fixed[] = {{"log_genesis", m->log_genesis, 32},
                 {"key_id", m->key_id, 32},
                 {"roster_sha256", m->roster_sha256, 32},
                 {"prev_manifest_sha256", m->prev_manifest_sha256, 32},
                 {"terms_sha256", m->terms_sha256, 32},
                 {"structure_sha256", m->structure_sha256, 32},
                 {"content_root", m->content_root, 32},
                 {"seed_commit", m->seed_commit, 32},
                 {"file_commit", m->file_commit, 32},
                 {"nonce", m->nonce, NONCE_LEN}};

    *field = "format";
    if (m->format != 1)
        return SG_ERR_MANIFEST_FIELD;
    for (size_t i = 0; i < SG_COUNT_OF(fixed); i++) {
        *field = fixed[i].name;
        if (fixed[i].data.len != fixed[i].len)
            return SG_ERR_MANIFEST_FIELD;
    }
    *field = "size";
    if (m->size == 0 || m->size > SG_LIMIT_OBJECT)
        return SG_ERR_MANIFEST_FIELD;
    *field = "chunk_size";
    if (m->chunk_size < CHUNK_LEAST || m->chunk_size > SG_LIMIT_CHUNK)
        return SG_ERR_MANIFEST_FIELD;
    *field = "chunks";
    if (m->chunks != (m->size + m->chunk_size - 1) / m->chunk_size)
        return SG_ERR_MANIFEST_FIELD;
    *field = "media";
    if (m->media == 0 || m->media > MEDIA_LAST)
        return SG_ERR_MANIFEST_FIELD;
    *field = "leaves";
    if (m->leaves > SG_LIMIT_LEAVES || (m->mode == MODE_FILE && m->leaves != 1))
        return SG_ERR_MANIFEST_FIELD;
    *field = "supersedes_recall"; // nothing here holds it against the recall
    if (m->supersedes_recall.len != 0)
        return SG_ERR_UNSUPPORTED;
    *field = "revision";
    return m->revision == 0 ? SG_ERR_MANIFEST_FIELD : SG_OK;
}

static enum sg_err
check_commitment(const Sgpb__Manifest *m, const Sgpb__FlowTerms *terms,
                 const char **field)
{
    *field = "mode";
    if (m->mode != MODE_FILE && m->mode != MODE_ROW)
        return SG_ERR_MODE;
    if (m->mode < sg_flow_mode(terms)) // S22
        return SG_ERR_MODE;
    *field = "order";
    if (m->order != terms->order)
        return SG_ERR_MODE;
    *field = "content_root";
    if (m->mode == MODE_FILE &&
        !sg_pack_is(m->content_root, m->file_commit.data, 32))
        return SG_ERR_MANIFEST_FIELD;
    return SG_OK;
}

static enum sg_err
check_audience(const struct sg_turn *turn, const Sgpb__Manifest *m,
               const char **field)
{
    const struct sg_roster *roster = &turn->state->roster;

    *field = "gate";
    if (strcmp(m->gate, turn->state->gate) != 0)
        return SG_ERR_AUDIENCE;
    *field = "log_genesis";
    if (!sg_pack_is(m->log_genesis, turn->core->options.genesis, 32))
        return SG_ERR_AUDIENCE;
    *field = "roster_sha256";
    if (!sg_pack_is(m->roster_sha256, roster->sha256, 32) &&
        !sg_slice_eq(sg_pack_slice(m->roster_sha256),
                     sg_pack_slice(roster->doc->prev_sha256)))
        return SG_ERR_ROSTER_OLD;
    return SG_OK;
}

enum sg_err
sg_publish_check_key(const struct sg_turn *turn, const Sgpb__Manifest *m)
{
    const struct sg_key *key =
        sg_roster_by_id(turn->state, sg_pack_slice(m->key_id));

    if (key == NULL)
        return SG_ERR_PEER_UNKNOWN;
    if (key->use != SG_USE_SIGN || (key->roles & SG_ROLE_PUBLISHER) == 0 ||
        strcmp(sg_roster_owner(turn->state, key)->id, m->publisher) != 0)
        return SG_ERR_PEER_KEY_USE;
    return sg_roster_usable(turn->state, key, turn->now);
}

static enum sg_err
check_time(const struct sg_turn *turn, const Sgpb__Manifest *m,
           const char **field)
{
    *field = "created"; // or it would live for longer than the days below
    if (m->created > turn->now + SG_LIMIT_AHEAD_S * 1000000ull)
        return SG_ERR_MANIFEST_FIELD;
    *field = "expires";
    if (m->expires <= turn->now)
        return SG_ERR_EXPIRED;
    if (m->expires <= m->created ||
        m->expires - m->created > SG_LIMIT_MANIFEST_DAYS * DAY_US)
        return SG_ERR_MANIFEST_FIELD;
    return SG_OK;
}

static bool
is_accepted(const struct sg_turn *turn, uint32_t flow, uint64_t revision,
            const uint8_t manifest_sha256[32])
{
    struct sg_release release;

    return sg_release_look(turn->state, flow, revision, &release) == SG_OK &&
           memcmp(release.manifest, manifest_sha256, 32) == 0;
}

enum sg_err
sg_publish_check(const struct sg_turn *turn, const Sgpb__Manifest *m,
                 const uint8_t manifest_sha256[32], uint32_t *flow,
                 const char **field)
{
    enum sg_err err = check_form(m, field);

    if (err != SG_OK)
        return err;
    // A stranger learns the same of a flow that exists and of one that does
    // not (S14).
    *field = "publisher";
    *flow = 0;
    if (strcmp(m->publisher, turn->who->id) != 0)
        return SG_ERR_OWNER;
    uint32_t found = sg_flow_find(turn->state, m->flow);
    if (found == 0 || strcmp(sg_state_flow(turn->state, found)->terms->provider,
                             m->publisher) != 0)
        return SG_ERR_FLOW;
    *flow = found;
    const struct sg_flow *of = sg_state_flow(turn->state, found);
    if ((err = check_audience(turn, m, field)) != SG_OK)
        return err;
    *field = "key_id";
    if ((err = sg_publish_check_key(turn, m)) != SG_OK)
        return err;
    // What was accepted is known whatever has changed since.
    if (is_accepted(turn, *flow, m->revision, manifest_sha256))
        return SG_OK;
    *field = "terms_sha256";
    if (!sg_pack_is(m->terms_sha256, of->terms_sha256, 32))
        return SG_ERR_TERMS_CHANGED;
    *field = "structure_sha256";
    if (!sg_slice_eq(sg_pack_slice(m->structure_sha256),
                     sg_pack_slice(of->terms->structure_sha256)) ||
        strcmp(m->structure, of->terms->structure) != 0)
        return SG_ERR_STRUCTURE;
    if ((err = check_commitment(m, of->terms, field)) != SG_OK ||
        (err = check_claims(turn, m, of->terms, field)) != SG_OK ||
        (err = check_time(turn, m, field)) != SG_OK)
        return err;
    *field = NULL;
    return SG_OK;
}
