#include "adapters/client/manifest.h"

#include <stdio.h>
#include <string.h>

#include "broker/os/clock.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/commit.h"

#define DAY_US (24 * 3600 * 1000000ull)
enum { VALID_DAYS = 7, HEAD_ARENA = 4 * 1024 * 1024, HEAD_BLOCK = 16384 };
enum { MODE_FILE = 1, MODE_ROW = 3, ACTION_WHOLE = 1 };

// ---- what the gate says of a flow ------------------------------------------------

// One signature of the provider's own officers is enough here; the gate asks
// for two where terms loosen.
static bool
terms_signed(const struct statgate *handle, const Sgpb__TwoSigned *document,
             const Sgpb__FlowTerms *terms)
{
    const struct sg_roster *roster = &handle->home.roster;

    for (size_t i = 0; i < document->n_signatures; i++) {
        const Sgpb__DocumentSignature *one = document->signatures[i];
        const Sgpb__Participant *who;
        const Sgpb__RosterKey *key =
            sg_roster_key(roster, sg_codec_slice(one->key_id), &who);
        if (key != NULL && strcmp(who->id, terms->provider) == 0 &&
            strcmp(key->use, "sign") == 0 && key->alg == one->alg &&
            sg_sign_verify((enum sg_alg)key->alg,
                           sg_codec_slice(key->public_key), SG_SIGN_TERMS,
                           sg_codec_slice(document->body),
                           sg_codec_slice(one->sig)))
            return true;
    }
    return false;
}

static enum sg_err
take_head(struct statgate *handle, const Sgpb__CatalogueFlow *flow,
          struct sg_head *head)
{
    void *terms = NULL;
    uint8_t sha256[32];

    if (flow == NULL || flow->terms == NULL)
        return SG_ERR_PEER_MALFORMED;
    sg_crypto_sha256(flow->terms->body.data, flow->terms->body.len, sha256);
    struct sg_slice body =
        sg_arena_copy(head->arena, sg_codec_slice(flow->terms->body));
    if (body.ptr == NULL || sg_codec_unpack(&sgpb__flow_terms__descriptor, body,
                                            head->arena, &terms) != SG_OK)
        return SG_ERR_PEER_MALFORMED;
    head->terms = terms;
    if (!sg_slice_eq(sg_codec_slice(flow->terms_sha256),
                     sg_slice_of(sha256, 32)) ||
        strcmp(head->terms->flow, head->flow) != 0 ||
        !terms_signed(handle, flow->terms, head->terms))
        return SG_ERR_SIGNATURE;
    memcpy(head->terms_sha256, sha256, 32);
    head->revision = flow->head_revision;
    memset(head->manifest_sha256, 0, 32);
    if (flow->head_manifest_sha256.len == 32)
        memcpy(head->manifest_sha256, flow->head_manifest_sha256.data, 32);
    return SG_OK;
}

int
sg_manifest_head(struct statgate *handle, const char *flow, bool again,
                 struct sg_head **head, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowGet get = SGPB__FLOW_GET__INIT;
    const Sgpb__Envelope *answer;
    union {
        const char *borrowed;
        char *as_field; // packed only
    } name = {flow};

    if (!sg_slice_is_id(sg_slice_text(flow)))
        return sg_session_fail(result, SG_ERR_FLOW, "flow");
    *head = NULL;
    for (size_t i = 0; i < SG_COUNT_OF(handle->heads); i++) {
        if (strcmp(handle->heads[i].flow, flow) == 0)
            *head = &handle->heads[i];
    }
    if (*head != NULL && (*head)->terms != NULL && !again)
        return sg_session_done(result);
    if (*head == NULL)
        *head =
            &handle->heads[handle->head_next++ % SG_COUNT_OF(handle->heads)];
    sg_arena_free(&(*head)->arena);
    **head = (struct sg_head){.arena = sg_arena_new(HEAD_ARENA, HEAD_BLOCK)};
    if ((*head)->arena == NULL)
        return sg_session_fail(result, SG_ERR_MEMORY, NULL);
    get.flow = name.as_field;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_GET;
    envelope.flow_get = &get;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0}, SGPB__ENVELOPE__BODY_FLOW,
                       &answer, result) != 0)
        return result->exit;
    (void)snprintf((*head)->flow, sizeof(*head)->flow, "%s", flow);
    enum sg_err err = take_head(handle, answer->flow->flow, *head);
    if (err != SG_OK) {
        (*head)->flow[0] = '\0';
        (*head)->terms = NULL;
        return sg_session_fail(result, err, "terms");
    }
    return sg_session_done(result);
}

// ---- claims ----------------------------------------------------------------------

static char empty[] = "";

static char *
claim_of(char *text)
{
    return strcmp(text, "not applicable") == 0 ? empty : text;
}

// Sorted, unique copies of the pointers.
static char **
sorted(struct sg_arena *arena, char *const *words, size_t count, size_t *kept)
{
    char **out = sg_arena_take(arena, (count + 1) * sizeof *out);

    *kept = 0;
    for (size_t i = 0; i < count && out != NULL; i++) {
        size_t at = *kept;
        while (at > 0 && strcmp(out[at - 1], words[i]) > 0)
            at--;
        if (at > 0 && strcmp(out[at - 1], words[i]) == 0)
            continue;
        memmove(&out[at + 1], &out[at], (*kept - at) * sizeof *out);
        out[at] = words[i];
        (*kept)++;
    }
    return out;
}

static enum sg_err
claim_agreements(struct statgate *handle, const Sgpb__FlowTerms *terms,
                 struct sg_arena *arena, Sgpb__Claims *claims,
                 struct statgate_result *result)
{
    char **ids = sorted(arena, terms->agreements, terms->n_agreements,
                        &claims->n_agreements);
    claims->agreements = sg_arena_take(arena, (claims->n_agreements + 1) *
                                                  sizeof *claims->agreements);
    if (ids == NULL || claims->agreements == NULL)
        return SG_ERR_FULL;
    for (size_t i = 0; i < claims->n_agreements; i++) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__ConsentGet get = SGPB__CONSENT_GET__INIT;
        const Sgpb__Envelope *answer;
        Sgpb__AgreementRef *ref = sg_arena_take(arena, sizeof *ref);
        get.agreement = ids[i];
        envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_GET;
        envelope.consent_get = &get;
        if (ref == NULL)
            return SG_ERR_FULL;
        if (sg_session_ask(
                handle, SG_WIRE_DATA, &envelope, (struct sg_slice){NULL, 0},
                SGPB__ENVELOPE__BODY_CONSENT_IS, &answer, result) != 0)
            return SG_ERR_CONSENT;
        if (answer->consent_is->revision_sha256.len != 32)
            return SG_ERR_PEER_MALFORMED;
        *ref = (Sgpb__AgreementRef)SGPB__AGREEMENT_REF__INIT;
        ref->id = ids[i];
        struct sg_slice revision = sg_arena_copy(
            arena, sg_codec_slice(answer->consent_is->revision_sha256));
        ref->revision_sha256 = sg_codec_bytes(revision.ptr, revision.len);
        ref->epoch = answer->consent_is->epoch;
        claims->agreements[i] = ref;
    }
    return SG_OK;
}

static enum sg_err
fill_claims(struct statgate *handle, const struct statgate_release *release,
            const struct sg_head *head, struct sg_arena *arena,
            Sgpb__Claims *claims, struct statgate_result *result)
{
    const Sgpb__FlowTerms *terms = head->terms;

    *claims = (Sgpb__Claims)SGPB__CLAIMS__INIT;
    claims->classification = claim_of(terms->classification);
    claims->data_kind = claim_of(terms->data_kind);
    claims->unit = claim_of(terms->unit);
    claims->identifiability = claim_of(terms->identifiability);
    claims->sensitive = claim_of(terms->sensitive);
    claims->lawful_basis = claim_of(terms->lawful_basis);
    claims->special_condition = claim_of(terms->special_condition);
    claims->onward = claim_of(terms->onward);
    claims->licence = claim_of(terms->licence);
    claims->retention_days = terms->retention_days;
    claims->purposes =
        sorted(arena, terms->purposes, terms->n_purposes, &claims->n_purposes);
    claims->languages = sorted(arena, terms->languages, terms->n_languages,
                               &claims->n_languages);
    claims->embargo_us = release->embargo_us;
    claims->action = ACTION_WHOLE;
    claims->release_kind =
        sg_arena_printf(arena, "%s",
                        release->release_kind != NULL ? release->release_kind
                        : head->revision == 0         ? "first"
                                                      : "scheduled_revision");
    if (release->origin_label != NULL)
        claims->origin_label =
            sg_arena_printf(arena, "%s", release->origin_label);
    if (claims->purposes == NULL || claims->languages == NULL ||
        claims->origin_label == NULL || claims->release_kind == NULL)
        return SG_ERR_FULL;
    return claim_agreements(handle, terms, arena, claims, result);
}

// ---- content ---------------------------------------------------------------------

struct hashes {
    uint8_t root[32], seed[32], file[32], nonce[16];
    uint64_t leaves;
};

static enum sg_err
commit(struct statgate *handle, const struct sg_head *head,
       struct sg_content_file *file, const struct sg_secret *secret,
       uint32_t *mode, struct hashes *out)
{
    enum sg_err err;

    sg_commit_seed(secret->seed, out->seed);
    sg_os_random_fill(out->nonce, sizeof out->nonce);
    file->dataflow = head->terms->dataflow;
    err = sg_home_structure(&handle->home,
                            sg_codec_slice(head->terms->structure_sha256),
                            &file->structure);
    if (strcmp(head->terms->commit, "file") == 0) {
        *mode = MODE_FILE;
        out->leaves = 1;
        if (err != SG_OK)
            file->structure = NULL; // the bytes do without
        err = sg_content_bytes(file, secret, out->root);
        memcpy(out->file, out->root, 32);
        return err;
    }
    if (strcmp(head->terms->commit, "row") != 0)
        return SG_ERR_MODE;
    *mode = MODE_ROW;
    if (err == SG_OK)
        err = sg_content_rows(file, secret, out->root, &out->leaves);
    sg_commit_file(secret->file_salt, file->sha256, out->file);
    return err;
}

// A file that says of itself what the gate would refuse.
static int
refuse_said(const struct sg_content_file *file, struct statgate_result *result)
{
    if (file->change == 0)
        return file->embargo_us == UINT64_MAX
                   ? sg_session_fail(result, SG_ERR_EMBARGO, "EmbargoDate")
                   : sg_session_done(result);
    (void)sg_session_fail(result, SG_ERR_ACTION, "ACTION");
    result->row = file->change_row;
    result->line = file->change_line;
    return result->exit;
}

int
sg_manifest_make(struct statgate *handle,
                 const struct statgate_release *release, struct sg_head *head,
                 struct sg_content_file *file, struct sg_arena *arena,
                 struct sg_manifest_made *made, struct statgate_result *result)
{
    struct sg_home *home = &handle->home;
    Sgpb__Manifest m = SGPB__MANIFEST__INIT;
    Sgpb__Claims claims;
    struct sg_secret secret;
    struct hashes hashes;
    uint8_t random[96];

    sg_os_random_fill(random, sizeof random);
    sg_secret_from_random(random, &secret);
    sg_crypto_wipe(random, sizeof random);
    sg_secret_encode(&secret, made->secret);
    enum sg_err err = commit(handle, head, file, &secret, &m.mode, &hashes);
    sg_secret_wipe(&secret);
    if (err != SG_OK)
        return sg_session_fail(result, err, release->file);
    if (refuse_said(file, result) != 0)
        return result->exit;
    err = fill_claims(handle, release, head, arena, &claims, result);
    if (err != SG_OK)
        return result->exit != 0 ? result->exit
                                 : sg_session_fail(result, err, "claims");
    if (file->embargo_us > claims.embargo_us)
        claims.embargo_us = file->embargo_us; // what the file says holds
    m.format = 1;
    m.gate = home->gate;
    m.log_genesis = sg_codec_bytes(home->genesis, 32);
    m.publisher = home->participant;
    m.key_id = sg_codec_bytes(home->sign_id, 32);
    m.roster_sha256 = sg_codec_bytes(home->roster.sha256, 32);
    m.flow = head->flow;
    m.revision = head->revision + 1;
    m.prev_manifest_sha256 = sg_codec_bytes(head->manifest_sha256, 32);
    m.terms_sha256 = sg_codec_bytes(head->terms_sha256, 32);
    m.structure = head->terms->structure;
    m.structure_sha256 = head->terms->structure_sha256;
    m.leaves = hashes.leaves;
    m.content_root = sg_codec_bytes(hashes.root, 32);
    m.seed_commit = sg_codec_bytes(hashes.seed, 32);
    m.media = (uint32_t)file->media;
    m.size = file->size;
    m.chunk_size = SG_LIMIT_CHUNK;
    m.chunks = (m.size + m.chunk_size - 1) / m.chunk_size;
    m.file_commit = sg_codec_bytes(hashes.file, 32);
    m.claims = &claims;
    m.created = sg_os_clock_wall_us();
    m.expires = m.created + VALID_DAYS * DAY_US;
    m.nonce = sg_codec_bytes(hashes.nonce, sizeof hashes.nonce);
    if ((err = sg_codec_pack(&m.base, arena, &made->bytes)) != SG_OK)
        return sg_session_fail(result, err, NULL);
    sg_crypto_sha256(made->bytes.ptr, made->bytes.len, made->sha256);
    made->revision = m.revision;
    made->chunks = m.chunks;
    head->revision = m.revision;
    memcpy(head->manifest_sha256, made->sha256, 32);
    return sg_session_done(result);
}
