#include "broker/core/publish.h"

#include "broker/core/cold.h"
#include "broker/core/flow.h"
#include "broker/core/inspect.h"
#include "broker/core/refuse.h"
#include "broker/core/rehearse.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "broker/core/share.h"
#include "broker/core/tokens.h"
#include "broker/core/upload.h"
#include "schemas/proof/batch.h"
#include "schemas/proof/commit.h"
#include "schemas/proof/secret.h"

// One manifest of a request, on its way through the checks.
struct candidate {
    struct sg_slice bytes;
    const Sgpb__Manifest *manifest;
    uint8_t sha256[32];
    uint8_t leaf[32];
    uint32_t flow;
    const char *field;
    enum sg_err err;
    struct sg_slice secret, payload;
};

uint64_t
sg_publish_tail(const struct sg_core *core, uint32_t flow,
                uint8_t manifest_sha256[32])
{
    const struct sg_flow *of = sg_state_flow(core->state, flow);
    uint64_t revision = of->revision;

    memcpy(manifest_sha256, of->head, 32);
    for (uint32_t i = core->flow_pending[flow]; i != 0;) {
        const struct sg_upload *upload = sg_upload_at(core, i);
        revision = upload->manifest->revision;
        memcpy(manifest_sha256, upload->sha256, 32);
        i = upload->follows;
    }
    return revision;
}

// ---- answers -------------------------------------------------------------------

static struct sg_effect_send *
send_result(struct sg_turn *turn, const struct sg_routing *to, uint64_t request,
            Sgpb__Result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;

    envelope.request = request;
    envelope.body_case = SGPB__ENVELOPE__BODY_RESULT;
    envelope.result = result;
    return sg_turn_send(turn, to, &envelope, turn->state->next_seq - 1);
}

void
sg_publish_result(struct sg_turn *turn, const struct sg_upload *upload,
                  enum sg_err err, uint64_t seq, bool duplicate)
{
    Sgpb__Result result = SGPB__RESULT__INIT;
    Sgpb__Receipt receipt = SGPB__RECEIPT__INIT;
    uint8_t head[32];

    result.index = upload->index;
    result.manifest_sha256 = sg_pack_bytes(upload->sha256, 32);
    receipt.duplicate = duplicate;
    if (err == SG_OK)
        result.receipt = &receipt;
    else
        result.refusal = sg_refuse_make(
            turn,
            &(struct sg_refusal){
                .code = err,
                .component = upload->component,
                .seq = seq == SG_NO_ENTRY ? 0 : seq,
                .cure = err == SG_ERR_REHEARSED
                            ? sg_rehearse_words(turn, upload)
                            : NULL,
                .head = err == SG_ERR_REVISION
                            ? sg_publish_tail(turn->core, upload->flow, head)
                            : 0});
    struct sg_effect_send *send =
        send_result(turn, &upload->peer, upload->request, &result);
    if (seq != SG_NO_ENTRY && seq != 0)
        send->receipt_of = seq;
}

// Recorded is what concerns the participant's own flow, and who wants to publish
// into another's: of one that does not exist the same, or the answer would tell
// them apart (S14).
static bool
is_recorded(const struct candidate *c)
{
    if (c->manifest == NULL || c->err == SG_ERR_BUSY || c->err == SG_ERR_DISK ||
        c->err == SG_ERR_REHEARSED)
        return false;
    return c->flow != 0 || ((c->err == SG_ERR_OWNER || c->err == SG_ERR_FLOW) &&
                            sg_slice_is_id(sg_slice_text(c->manifest->flow)));
}

// A candidate that does not become an upload: recorded, and answered.
static void
refuse(struct sg_turn *turn, const struct candidate *c, uint32_t index)
{
    struct sg_upload shown = {.index = index,
                              .peer = turn->session->peer,
                              .request = turn->envelope->request,
                              .flow = c->flow};
    uint64_t seq = 0;

    memcpy(shown.sha256, c->sha256, 32);
    if (c->field != NULL)
        snprintf(shown.component, sizeof shown.component, "%s", c->field);
    if (is_recorded(c)) {
        struct sg_release accepted = {0};
        if (c->err == SG_ERR_CONFLICT &&
            sg_release_look(turn->state, c->flow, c->manifest->revision,
                            &accepted) != SG_OK)
            accepted.seq = 0;
        seq = sg_refuse_record(
            turn, &(struct sg_refused){.publisher = turn->who->id,
                                       .manifest = c->manifest,
                                       .manifest_sha256 = c->sha256,
                                       .code = c->err,
                                       .component = c->field,
                                       .accepted = accepted.seq});
    }
    sg_publish_result(turn, &shown, c->err, seq == 0 ? SG_NO_ENTRY : seq,
                      false);
}

// ---- checks --------------------------------------------------------------------

static void
examine(struct sg_turn *turn, struct candidate *c)
{
    sg_crypto_sha256(c->bytes.ptr, c->bytes.len, c->sha256);
    sg_batch_leaf(c->bytes, c->leaf);
    c->manifest =
        sg_pack_open(turn->arena, &sgpb__manifest__descriptor, c->bytes);
    c->err = c->manifest == NULL
                 ? SG_ERR_MANIFEST_CANONICAL
                 : sg_publish_check(turn, c->manifest, c->sha256, &c->flow,
                                    &c->field);
}

static enum sg_err
check_secret(const struct candidate *c)
{
    struct sg_secret secret;
    uint8_t commit[32];

    if (sg_secret_decode(c->secret, &secret) != SG_OK)
        return SG_ERR_SECRET;
    sg_commit_seed(secret.seed, commit);
    sg_secret_wipe(&secret);
    return sg_pack_is(c->manifest->seed_commit, commit, 32) ? SG_OK
                                                            : SG_ERR_SECRET;
}

// The tokens first, then one signature check for the whole batch.
static enum sg_err
check_signature(struct sg_turn *turn, struct sg_slice head, struct sg_slice sig)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);
    struct sg_batch_head decoded;

    if (sg_batch_head_decode(head, &decoded) != SG_OK)
        return SG_ERR_PEER_MALFORMED;
    const struct sg_key *key =
        sg_roster_by_id(turn->state, sg_state_hash(decoded.key_id));
    if (key == NULL || key->place != turn->key->place ||
        key->use != SG_USE_SIGN)
        return SG_ERR_PEER_KEY_USE;
    if (quota->bucket[SG_BUCKET_BAD_BATCH].milli == 0 &&
        quota->bucket[SG_BUCKET_BAD_BATCH].at != 0 &&
        turn->now < quota->bucket[SG_BUCKET_BAD_BATCH].at + 1000000)
        return SG_ERR_BUSY; // too many bad ones within this second (S13)
    if (!sg_tokens_check(turn, 1))
        return SG_ERR_BUSY;
    enum sg_err err = sg_batch_verify(head, (enum sg_alg)key->doc->alg,
                                      sg_pack_slice(key->doc->public_key), sig);
    if (err != SG_OK && !sg_refuse_token(&quota->bucket[SG_BUCKET_BAD_BATCH],
                                         turn->now, SG_LIMIT_BAD_BATCH_PER_S))
        quota->bucket[SG_BUCKET_BAD_BATCH].milli = 0;
    return err;
}

// A seed commitment is used once, for ever (formats.md b).
static enum sg_err
check_seed(const struct sg_turn *turn, const struct candidate *c)
{
    struct sg_row row = {.table = SG_COLD_SEED, .key_len = 32};

    if (sg_state_find(turn->state->seeds,
                      sg_pack_slice(c->manifest->seed_commit)) != 0)
        return SG_ERR_SEED_REUSED;
    memcpy(row.key, c->manifest->seed_commit.data, 32);
    enum sg_err err = sg_cold_find(turn->state, &row);
    if (err == SG_ERR_NOT_FOUND)
        return SG_OK;
    return err == SG_OK ? SG_ERR_SEED_REUSED : SG_ERR_BUSY;
}

// Its place in the row of revisions. SG_ERR_EXISTS: accepted already; *known:
// its entry.
static enum sg_err
check_revision(struct sg_turn *turn, const struct candidate *c, uint64_t *known)
{
    uint8_t tail[32];
    uint64_t revision = sg_publish_tail(turn->core, c->flow, tail);
    struct sg_release accepted;

    enum sg_err err =
        sg_release_look(turn->state, c->flow, c->manifest->revision, &accepted);
    if (err == SG_OK) {
        *known = accepted.seq;
        return memcmp(accepted.manifest, c->sha256, 32) == 0 ? SG_ERR_EXISTS
                                                             : SG_ERR_CONFLICT;
    }
    if (err != SG_ERR_NOT_FOUND)
        return SG_ERR_BUSY;
    if (c->manifest->revision != revision + 1 ||
        !sg_pack_is(c->manifest->prev_manifest_sha256, tail, 32))
        return SG_ERR_REVISION;
    return check_seed(turn, c);
}

static void
answer_duplicate(struct sg_turn *turn, const struct candidate *c,
                 uint32_t index, uint64_t known)
{
    struct sg_upload shown = {.index = index,
                              .peer = turn->session->peer,
                              .request = turn->envelope->request,
                              .flow = c->flow};

    memcpy(shown.sha256, c->sha256, 32);
    sg_publish_result(turn, &shown, SG_OK, known, true);
}

// ---- becoming an upload ----------------------------------------------------------

static void
enqueue(struct sg_core *core, uint32_t flow, uint32_t index)
{
    uint32_t *at = &core->flow_pending[flow];

    while (*at != 0)
        at = &sg_upload_at(core, *at)->follows;
    *at = index;
}

static Sgpb__SignedManifest *
signed_manifest(struct sg_turn *turn, struct sg_slice manifest,
                struct sg_slice head, struct sg_slice sig, uint32_t index)
{
    Sgpb__SignedManifest *out = sg_turn_take(turn, sizeof *out);

    *out = (Sgpb__SignedManifest)SGPB__SIGNED_MANIFEST__INIT;
    out->manifest = sg_pack_bytes(manifest.ptr, manifest.len);
    out->head = sg_pack_bytes(head.ptr, head.len);
    out->sig = sg_pack_bytes(sig.ptr, sig.len);
    out->index = index;
    return out;
}

static void
give_path(struct sg_turn *turn, Sgpb__SignedManifest *out,
          const struct sg_batch_place *place)
{
    out->n_path = place->path_len;
    out->path = sg_turn_take(turn, (place->path_len + 1u) * sizeof *out->path);
    for (size_t i = 0; i < place->path_len; i++) {
        uint8_t *hash = sg_turn_take(turn, 32);
        memcpy(hash, place->path[i], 32);
        out->path[i] = sg_pack_bytes(hash, 32);
    }
}

// NULL: no room. The upload holds all that acceptance needs.
static struct sg_upload *
become(struct sg_turn *turn, const struct candidate *c,
       const Sgpb__SignedManifest *document, bool rehearse, uint32_t *index)
{
    struct sg_upload *upload = sg_upload_new(turn, SG_UPLOAD_RELEASE, index);
    struct sg_secret secret;

    if (upload == NULL)
        return NULL;
    sg_upload_name(turn->core, *index, c->sha256);
    upload->flow = c->flow;
    upload->rehearse = rehearse;
    upload->signed_manifest = sg_pack_close(upload->mem, &document->base);
    upload->manifest = sg_pack_open(upload->mem, &sgpb__manifest__descriptor,
                                    sg_arena_copy(upload->mem, c->bytes));
    SG_ASSERT(upload->manifest != NULL && upload->signed_manifest.ptr != NULL);
    upload->bytes = c->manifest->size;
    upload->chunks = c->manifest->chunks;
    enum sg_err err = sg_secret_decode(c->secret, &secret);
    SG_ASSERT(err == SG_OK); // check_secret looked
    memcpy(upload->report_salt, secret.report_salt, 32);
    sg_secret_wipe(&secret);
    sg_upload_begin_object(turn, upload, c->manifest->chunk_size);
    struct sg_effect *effect = sg_output_effect(
        turn->output, SG_EFFECT_STORE_SECRET, SG_AFTER_NOTHING);
    effect->u.secret.upload = upload->token;
    memcpy(effect->u.secret.manifest, c->sha256, 32);
    effect->u.secret.block = sg_arena_copy(turn->arena, c->secret);
    SG_ASSERT(effect->u.secret.block.ptr != NULL);
    if (!rehearse)
        enqueue(turn->core, c->flow, *index);
    return upload;
}

static bool
has_room(const struct sg_turn *turn)
{
    return sg_share_left(turn, turn->who->id, SG_SHARE_UPLOADS) &&
           sg_pool_count(turn->core->uploads) < turn->core->uploads_cap &&
           sg_pool_count(turn->state->releases) + turn->core->uploads_cap <
               turn->core->releases_cap;
}

// Each rehearsal tells its publisher what the law of others would say (policy-
// language.md 5.7): not as often as he can ask.
static bool
may_rehearse(struct sg_turn *turn)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);

    return quota != NULL &&
           sg_refuse_token(&quota->bucket[SG_BUCKET_REHEARSED], turn->now,
                           SG_LIMIT_REHEARSED_PER_S);
}

// ---- PUBLISH: up to 256 small ones in one message --------------------------------

// true: it became an upload.
static bool
admit(struct sg_turn *turn, struct candidate *c, uint32_t i,
      const uint8_t (*leaves)[32])
{
    const Sgpb__Publish *publish = turn->envelope->publish;
    uint64_t known = 0;
    uint32_t index;

    if (c->err == SG_OK && (index = sg_upload_by(turn->core, c->sha256)) != 0) {
        struct sg_upload *upload = sg_upload_at(turn->core, index);
        upload->peer = turn->session->peer; // sent again: one result, to here
        upload->request = turn->envelope->request;
        upload->index = i;
        return false;
    }
    if (c->err == SG_OK)
        c->err = check_revision(turn, c, &known);
    if (c->err == SG_ERR_EXISTS) {
        answer_duplicate(turn, c, i, known);
        return false;
    }
    if (c->err == SG_OK && c->payload.len != c->manifest->size)
        c->err = SG_ERR_SHORT;
    if (c->err == SG_OK && c->manifest->chunks != 1)
        c->err = SG_ERR_FULL;
    if (c->err == SG_OK)
        c->err = check_secret(c);
    if (c->err == SG_OK && !has_room(turn))
        c->err = SG_ERR_BUSY;
    if (c->err == SG_OK && turn->core->disk_full)
        c->err = SG_ERR_DISK;
    if (c->err == SG_OK && publish->rehearse && !may_rehearse(turn))
        c->err = SG_ERR_PEER_RATE;
    if (c->err != SG_OK) {
        refuse(turn, c, i);
        return false;
    }
    Sgpb__SignedManifest *document =
        signed_manifest(turn, c->bytes, sg_pack_slice(publish->head),
                        sg_pack_slice(publish->sig), i);
    struct sg_batch_place place;
    sg_batch_place(leaves, (unsigned)publish->n_manifests, i, &place);
    give_path(turn, document, &place);
    struct sg_upload *upload =
        become(turn, c, document, publish->rehearse, &index);
    if (upload == NULL) {
        c->err = SG_ERR_BUSY;
        refuse(turn, c, i);
        return false;
    }
    upload->index = i;
    sg_upload_store(turn, upload, 0, c->payload);
    return true;
}

// Splits the payload by the lengths given; false: they do not add up.
static bool
split(const Sgpb__Publish *publish, struct sg_slice payload,
      struct candidate *all)
{
    size_t at = 0;

    for (size_t i = 0; i < publish->n_manifests; i++) {
        if (publish->lengths[i] > payload.len - at)
            return false;
        all[i] = (struct candidate){
            .bytes = sg_pack_slice(publish->manifests[i]),
            .secret = sg_pack_slice(publish->secret_blocks[i]),
            .payload = {payload.ptr + at, publish->lengths[i]}};
        at += publish->lengths[i];
    }
    return at == payload.len;
}

void
sg_publish_batch(struct sg_turn *turn)
{
    const Sgpb__Publish *publish = turn->envelope->publish;
    size_t count = publish->n_manifests;
    struct candidate *all;
    uint8_t(*leaves)[32];
    uint8_t root[32];
    struct sg_batch_head head;
    bool any = false, news = false;

    all = sg_turn_take(turn, (count + 1) * sizeof *all);
    leaves = sg_turn_take(turn, (count + 1) * sizeof *leaves);
    if (count == 0 || count > SG_LIMIT_BATCH || publish->n_lengths != count ||
        publish->n_secret_blocks != count ||
        !split(publish, turn->message->payload, all)) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "lengths");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        examine(turn, &all[i]);
        memcpy(leaves[i], all[i].leaf, 32);
        any = any || all[i].err == SG_OK;
    }
    enum sg_err err = SG_OK;
    if (any) {
        sg_batch_root((const uint8_t(*)[32])leaves, (unsigned)count, root);
        err = sg_batch_head_decode(sg_pack_slice(publish->head), &head);
        if (err != SG_OK || head.count != count ||
            memcmp(head.root, root, 32) != 0)
            err = SG_ERR_SIGNATURE;
        else
            err = check_signature(turn, sg_pack_slice(publish->head),
                                  sg_pack_slice(publish->sig));
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].err == SG_OK && err != SG_OK)
            all[i].err = err;
        if (all[i].err == SG_OK &&
            !sg_pack_is(all[i].manifest->key_id, head.key_id, 32))
            all[i].err = SG_ERR_PEER_KEY_USE;
        news |= admit(turn, &all[i], (uint32_t)i, (const uint8_t(*)[32])leaves);
    }
    if (news)
        sg_tokens_worth(turn);
}

// ---- PUBLISH_BEGIN: a large one ---------------------------------------------------

static enum sg_err
check_place(const Sgpb__SignedManifest *document, const struct candidate *c)
{
    struct sg_slice path[SG_BATCH_PATH_MAX];
    struct sg_batch_head head;
    struct sg_batch_place place;

    if (document->n_path > SG_BATCH_PATH_MAX ||
        sg_batch_head_decode(sg_pack_slice(document->head), &head) != SG_OK)
        return SG_ERR_PEER_MALFORMED;
    for (size_t i = 0; i < document->n_path; i++)
        path[i] = sg_pack_slice(document->path[i]);
    if (!sg_batch_place_of(&head, document->index, path, document->n_path,
                           &place) ||
        !sg_batch_holds(&head, c->bytes, &place) ||
        memcmp(head.key_id, c->manifest->key_id.data, 32) != 0)
        return SG_ERR_SIGNATURE;
    return SG_OK;
}

static void
answer_ready(struct sg_turn *turn, const struct sg_upload *upload)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PublishReady ready = SGPB__PUBLISH_READY__INIT;

    ready.upload = upload->token;
    ready.next_chunk = upload->next_chunk;
    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH_READY;
    envelope.publish_ready = &ready;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

static enum sg_err
check_begin(struct sg_turn *turn, const Sgpb__PublishBegin *begin,
            struct candidate *c)
{
    struct sg_quota *quota = sg_roster_quota(turn->core, turn->who->id);
    enum sg_err err;

    if (c->err != SG_OK)
        return c->err;
    c->field = "bytes";
    if (begin->bytes != c->manifest->size ||
        begin->chunks != c->manifest->chunks)
        return SG_ERR_MANIFEST_FIELD;
    c->field = "encoding";
    if (begin->encoding[0] != '\0' && strcmp(begin->encoding, "none") != 0)
        return SG_ERR_UNSUPPORTED;
    c->field = NULL;
    if ((err = check_place(begin->manifest, c)) != SG_OK ||
        (err = check_secret(c)) != SG_OK)
        return err;
    if (turn->core->disk_full)
        return SG_ERR_DISK;
    if (!has_room(turn) || quota->uploads >= SG_LIMIT_UPLOADS_EACH)
        return SG_ERR_BUSY;
    if (begin->rehearse && !may_rehearse(turn))
        return SG_ERR_PEER_RATE;
    return check_signature(turn, sg_pack_slice(begin->manifest->head),
                           sg_pack_slice(begin->manifest->sig));
}

void
sg_publish_begin(struct sg_turn *turn)
{
    const Sgpb__PublishBegin *begin = turn->envelope->publish_begin;
    struct candidate c = {0};
    uint64_t known = 0;
    uint32_t index;

    if (begin->manifest == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "manifest");
        return;
    }
    c.bytes = sg_pack_slice(begin->manifest->manifest);
    c.secret = sg_pack_slice(begin->secret_block);
    examine(turn, &c);
    index = c.err == SG_OK ? sg_upload_by(turn->core, c.sha256) : 0;
    if (index != 0 &&
        strcmp(sg_upload_at(turn->core, index)->owner, turn->who->id) == 0) {
        struct sg_upload *upload = sg_upload_at(turn->core, index);
        upload->peer = turn->session->peer; // resumed, maybe after a reconnect
        upload->request = turn->envelope->request;
        answer_ready(turn, upload);
        return;
    }
    if (c.err == SG_OK)
        c.err = check_revision(turn, &c, &known);
    if (c.err == SG_ERR_EXISTS) {
        sg_turn_receipt(turn, known, true);
        return;
    }
    c.err = check_begin(turn, begin, &c);
    struct sg_upload *upload =
        c.err != SG_OK
            ? NULL
            : become(turn, &c, begin->manifest, begin->rehearse, &index);
    if (upload == NULL) {
        if (c.err == SG_OK)
            c.err = SG_ERR_BUSY;
        refuse(turn, &c, 0);
        return;
    }
    sg_tokens_worth(turn);
    answer_ready(turn, upload);
}
