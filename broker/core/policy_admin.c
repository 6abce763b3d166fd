#include "broker/core/policy_admin.h"

#include "broker/core/match.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/upload.h"
#include "policy/check.h"

#define DAY_US       (24 * 3600 * 1000000ull)
#define POLICY_ARENA (256ull * 1024 * 1024)
enum {
    FILES_MAX = 64,
    APPROVAL_DAYS = 14,
    CHECK_ARENA = 64 * 1024 * 1024,
    PROOF_STEPS = 4000000, // the loop waits for them: well under a second
};

// ---- apply --------------------------------------------------------------------------------

enum sg_err
sg_policy_open(struct sg_bundle *bundle)
{
    const Sgpb__PolicyEntry *entry = sg_pack_open(
        bundle->kept.mem, &sgpb__policy_entry__descriptor, bundle->kept.body);

    if (entry == NULL || entry->bundle == NULL || entry->sha256.len != 32 ||
        entry->person_sha256.len != 32)
        return SG_ERR_DAMAGE;
    bundle->doc =
        sg_pack_open(bundle->kept.mem, &sgpb__policy_bundle__descriptor,
                     sg_pack_slice(entry->bundle->body));
    if (bundle->doc == NULL || bundle->doc->n_files > FILES_MAX)
        return SG_ERR_DAMAGE;
    memcpy(bundle->sha256, entry->sha256.data, 32);
    memcpy(bundle->person, entry->person_sha256.data, 32);
    return SG_OK;
}

enum sg_err
sg_policy_apply(struct sg_state *state, const struct sg_appended *entry,
                const void *body)
{
    struct sg_bundle next = {.seq = entry->seq};
    enum sg_err err;

    (void)body;
    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_policy_open(&next)) != SG_OK) {
        sg_state_drop(&next.kept);
        return err;
    }
    sg_state_drop(&state->proposed.kept);
    state->proposed = next;
    return SG_OK;
}

enum sg_err
sg_policy_apply_active(struct sg_state *state, const struct sg_appended *entry,
                       const void *body)
{
    const Sgpb__PolicyActive *active = body;

    (void)entry;
    if (active->generation != state->generation + 1)
        return SG_ERR_DAMAGE;
    if (state->proposed.seq != 0 &&
        sg_pack_is(active->bundle_sha256, state->proposed.sha256, 32)) {
        sg_state_drop(&state->active.kept);
        state->active = state->proposed;
        state->proposed = (struct sg_bundle){0};
    } else if (state->active.seq == 0 ||
               !sg_pack_is(active->bundle_sha256, state->active.sha256, 32)) {
        return SG_ERR_DAMAGE;
    }
    state->generation = active->generation;
    state->active_from = active->from;
    return SG_OK;
}

// ---- what is due ----------------------------------------------------------------------------

void
sg_policy_due_flow(struct sg_core *core, uint32_t flow, uint8_t what)
{
    core->flow_due[flow] |= what;
    core->any_due = true;
}

void
sg_policy_due_all(struct sg_core *core, uint8_t what)
{
    for (uint32_t i = sg_pool_next(core->state->flows, 0); i != 0;
         i = sg_pool_next(core->state->flows, i))
        sg_policy_due_flow(core, i, what);
}

void
sg_policy_due_agreement(struct sg_core *core, const char *agreement)
{
    for (uint32_t i = sg_pool_next(core->state->flows, 0); i != 0;
         i = sg_pool_next(core->state->flows, i)) {
        const Sgpb__FlowTerms *terms = sg_state_flow(core->state, i)->terms;
        for (size_t k = 0; k < terms->n_agreements; k++)
            if (strcmp(terms->agreements[k], agreement) == 0)
                sg_policy_due_flow(core, i, SG_DUE_DECIDE);
    }
}

// ---- compiling --------------------------------------------------------------------------------

static size_t
files_of(const Sgpb__PolicyBundle *doc, struct sg_policy_file *files)
{
    for (size_t i = 0; i < doc->n_files; i++)
        files[i] =
            (struct sg_policy_file){.name = sg_slice_text(doc->files[i]->name),
                                    .text = sg_pack_slice(doc->files[i]->text)};
    return doc->n_files;
}

void
sg_policy_compile(struct sg_core *core, uint64_t now_us)
{
    const struct sg_bundle *active = &core->state->active;
    struct sg_policy_file files[FILES_MAX];
    struct sg_policy_fault fault;
    uint32_t day = sg_match_day(now_us);

    core->policy = NULL;
    core->rules = NULL;
    core->rules_day = day;
    core->slice_until = SG_DAY_NEVER;
    sg_arena_reset(core->policy_mem);
    if (active->seq == 0)
        return;
    size_t count = files_of(active->doc, files);
    if (sg_policy_load(core->policy_mem, files, count, NULL, &core->policy,
                       &fault) != SG_OK ||
        sg_compile_slice(core->policy_mem, core->policy, day,
                         core->state->generation, &core->rules) != SG_OK) {
        core->policy = NULL; // deny all
        core->rules = NULL;
        return;
    }
    core->slice_until = sg_compile_until(core->rules);
}

uint64_t
sg_policy_due(const struct sg_core *core)
{
    if (core->rules == NULL || core->slice_until >= SG_DAY_NEVER)
        return UINT64_MAX;
    return core->slice_until * DAY_US;
}

static void
activate(struct sg_turn *turn, const struct sg_bundle *bundle)
{
    Sgpb__PolicyActive body = SGPB__POLICY_ACTIVE__INIT;
    uint8_t(*sha256)[32];

    sha256 = sg_turn_take(turn, (bundle->doc->n_files + 1) * 32);
    body.digests =
        sg_turn_take(turn, (bundle->doc->n_files + 1) * sizeof *body.digests);
    for (; body.n_digests < bundle->doc->n_files; body.n_digests++) {
        const Sgpb__PolicyFile *file = bundle->doc->files[body.n_digests];
        sg_crypto_sha256(file->text.data, file->text.len,
                         sha256[body.n_digests]);
        body.digests[body.n_digests] =
            sg_pack_bytes(sha256[body.n_digests], 32);
    }
    body.bundle_sha256 = sg_pack_bytes(bundle->sha256, 32);
    body.generation = turn->state->generation + 1;
    body.from = turn->now;
    sg_turn_append(turn, SG_ENTRY_POLICY_ACTIVE, &body.base);
    sg_policy_compile(turn->core, turn->now);
    sg_policy_due_all(turn->core, SG_DUE_DECIDE);
}

void
sg_policy_slice(struct sg_turn *turn)
{
    if (turn->now < sg_policy_due(turn->core))
        return;
    activate(turn, &turn->state->active);
}

void
sg_policy_digests(struct sg_turn *turn, ProtobufCBinaryData **digests,
                  size_t *count)
{
    const struct sg_policy_set *set = turn->core->policy;

    *count = set == NULL ? 0 : sg_policy_count(set);
    *digests = sg_turn_take(turn, (*count + 1) * sizeof **digests);
    for (size_t i = 0; i < *count; i++)
        (*digests)[i] = sg_pack_bytes(sg_policy_digest(set, (uint16_t)i), 32);
}

// ---- proposing ----------------------------------------------------------------------------------

void
sg_policy_begin(struct sg_turn *turn, struct sg_upload *upload,
                const Sgpb__Signed *by)
{
    struct sg_slice packed = sg_pack_close(turn->arena, &by->base);

    upload->by = sg_pack_open(upload->mem, &sgpb__signed__descriptor,
                              sg_arena_copy(upload->mem, packed));
    upload->room = sg_arena_take(upload->mem, upload->bytes);
    SG_ASSERT(upload->by != NULL && upload->room != NULL);
    upload->state = SG_UPLOAD_OPEN;
    struct sg_quota *quota = sg_roster_quota(turn->core, upload->owner);
    quota->uploads++;
}

// The first test that fails, or never that is not proved.
struct failed {
    const struct sg_policy_set *set;
    struct sg_arena *arena;
    char *sentence;
};

static void
take_failed(void *context, const struct sg_check_line *line)
{
    struct failed *failed = context;

    if (line->kind != SG_CHECK_FAILED || failed->sentence != NULL)
        return;
    struct sg_slice label = sg_policy_label(failed->set, line->file);
    failed->sentence =
        sg_arena_printf(failed->arena, SG_SLICE_FMT ":%u:%u: " SG_SLICE_FMT,
                        SG_SLICE_ARG(label), line->line, line->column,
                        SG_SLICE_ARG(line->text));
}

// What two persons bring into force is what they read: its own tests and never
// statements hold.
static enum sg_err
check_claims(struct sg_arena *scratch, const struct sg_policy_set *set,
             struct sg_turn *turn, char **sentence)
{
    struct failed failed = {.set = set, .arena = turn->arena};
    const struct sg_check_sink sink = {take_failed, &failed};
    struct sg_check_counts counts;

    enum sg_err err =
        sg_check_set(scratch, set, 0, false, PROOF_STEPS, &sink, &counts);
    *sentence = failed.sentence;
    return err == SG_OK && counts.failed > 0 ? SG_ERR_POLICY_CLAIM : err;
}

static enum sg_err
check_text(const Sgpb__PolicyBundle *doc, struct sg_turn *turn, char **sentence)
{
    struct sg_arena *arena = sg_arena_new(CHECK_ARENA, 256 * 1024);
    struct sg_policy_file files[FILES_MAX];
    struct sg_policy_fault fault = {0};
    struct sg_policy_set *set;

    if (arena == NULL)
        return SG_ERR_MEMORY;
    size_t count = files_of(doc, files);
    enum sg_err err = sg_policy_load(arena, files, count, NULL, &set, &fault);
    if (err != SG_OK)
        *sentence = sg_arena_printf(turn->arena, SG_SLICE_FMT ":%u:%u: %s",
                                    SG_SLICE_ARG(fault.file), fault.at.line,
                                    fault.at.column, fault.at.text);
    else
        err = check_claims(arena, set, turn, sentence);
    sg_arena_free(&arena);
    return err;
}

static enum sg_err
check_bundle(struct sg_turn *turn, const struct sg_upload *upload,
             const Sgpb__Signed *document, const Sgpb__PolicyBundle *doc,
             const struct sg_key **key, char **sentence)
{
    static const uint8_t zeros[32];
    const struct sg_state *state = turn->state;
    const uint8_t *base = state->active.seq == 0 ? zeros : state->active.sha256;
    uint8_t sha256[32];
    enum sg_err err;

    sg_crypto_sha256(document->body.data, document->body.len, sha256);
    if (memcmp(sha256, upload->sha256, 32) != 0 || doc == NULL ||
        doc->n_files == 0 || doc->n_files > FILES_MAX ||
        strcmp(doc->gate, state->gate) != 0)
        return SG_ERR_PEER_MALFORMED;
    if (!sg_pack_is(doc->base_sha256, base, 32))
        return SG_ERR_POLICY_BASE;
    *key = sg_roster_signer(turn, document, SG_SIGN_POLICY, SG_USE_SIGN, &err);
    if (*key == NULL)
        return err;
    if (((*key)->roles & SG_ROLE_POLICY_ADMIN) == 0 ||
        (*key)->doc->person[0] == '\0')
        return SG_ERR_PEER_KEY_USE;
    return check_text(doc, turn, sentence);
}

static void
proposed(struct sg_turn *turn, uint32_t index)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);
    Sgpb__Signed document = *upload->by;
    Sgpb__PolicyEntry body = SGPB__POLICY_ENTRY__INIT;
    const struct sg_key *key = NULL;
    char *sentence = NULL;
    uint8_t person[32];

    document.body = sg_pack_bytes(upload->room, upload->bytes);
    const Sgpb__PolicyBundle *doc =
        sg_pack_open(turn->arena, &sgpb__policy_bundle__descriptor,
                     sg_pack_slice(document.body));
    enum sg_err err =
        check_bundle(turn, upload, &document, doc, &key, &sentence);
    if (err != SG_OK) {
        sg_refuse_reply(
            turn, &(struct sg_refusal){.code = err, .sentence = sentence});
    } else {
        sg_crypto_sha256(key->doc->person, strlen(key->doc->person), person);
        body.sha256 = sg_pack_bytes(upload->sha256, 32);
        body.bundle = &document;
        body.person_sha256 = sg_pack_bytes(person, 32);
        sg_turn_receipt(turn, sg_turn_append(turn, SG_ENTRY_POLICY, &body.base),
                        false);
    }
    struct sg_quota *quota = sg_roster_quota(turn->core, upload->owner);
    if (quota != NULL && quota->uploads > 0)
        quota->uploads--;
    upload->state = SG_UPLOAD_DONE;
    sg_upload_drop(turn, index, true);
}

void
sg_policy_chunk(struct sg_turn *turn, uint32_t index, struct sg_slice payload)
{
    struct sg_upload *upload = sg_upload_at(turn->core, index);

    memcpy(upload->room + upload->next_chunk * SG_LIMIT_CHUNK, payload.ptr,
           payload.len);
    if (++upload->next_chunk == upload->chunks)
        proposed(turn, index);
}

// ---- approving ------------------------------------------------------------

// By another person, for this text on this base, not stale (S45). *signer: whose
// rights it was about.
static enum sg_err
check_approval(struct sg_turn *turn, const Sgpb__Signed *document,
               const Sgpb__Approval *approval, const struct sg_key **signer)
{
    static const uint8_t zeros[32];
    const struct sg_state *state = turn->state;
    const uint8_t *base = state->active.seq == 0 ? zeros : state->active.sha256;
    uint8_t person[32];
    enum sg_err err;

    if (sg_roster_expired(turn)) // who may approve is no longer sure (S06)
        return SG_ERR_ROSTER_EXPIRED;
    if (strcmp(approval->gate, state->gate) != 0 || state->proposed.seq == 0 ||
        !sg_pack_is(approval->object_sha256, state->proposed.sha256, 32) ||
        !sg_pack_is(approval->base_sha256, base, 32))
        return SG_ERR_POLICY_BASE;
    if (approval->expires <= turn->now ||
        approval->expires <= approval->created ||
        approval->expires - approval->created > APPROVAL_DAYS * DAY_US ||
        approval->effective_from > turn->now)
        return SG_ERR_POLICY_BASE;
    const struct sg_key *key = sg_roster_signer(
        turn, document, SG_SIGN_APPROVAL, SG_USE_APPROVE, &err);
    *signer = key;
    if (key == NULL)
        return err;
    // The right lies in the key that signs, not in the connection it came by.
    if ((key->roles & SG_ROLE_POLICY_ADMIN) == 0)
        return SG_ERR_PEER_RIGHTS;
    sg_crypto_sha256(key->doc->person, strlen(key->doc->person), person);
    if (key->doc->person[0] == '\0' ||
        memcmp(person, state->proposed.person, 32) == 0)
        return SG_ERR_POLICY_TWO;
    return SG_OK;
}

void
sg_policy_approve(struct sg_turn *turn)
{
    const Sgpb__Signed *document = turn->envelope->policy_approve->approval;
    const Sgpb__Approval *approval =
        document == NULL
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__approval__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__ApprovalEntry body = SGPB__APPROVAL_ENTRY__INIT;

    if (approval == NULL) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "approval");
        return;
    }
    const struct sg_key *signer = NULL;
    enum sg_err err = check_approval(turn, document, approval, &signer);
    if (err == SG_ERR_PEER_RIGHTS) {
        sg_refuse_rights(turn, SG_ROLE_POLICY_ADMIN, signer->roles, "approval");
        return;
    }
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, "approval");
        return;
    }
    body.sha256 = approval->object_sha256;
    body.approval = (Sgpb__Signed *)(uintptr_t)document;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_APPROVAL, &body.base);
    activate(turn, &turn->state->proposed);
    sg_turn_receipt(turn, seq, false);
}

void
sg_policy_get(struct sg_turn *turn)
{
    const struct sg_state *state = turn->state;
    const struct sg_policy_set *set = turn->core->policy;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyIs is = SGPB__POLICY_IS__INIT;
    size_t count = set == NULL ? 0 : sg_policy_count(set);

    is.files = sg_turn_take(turn, (count + 1) * sizeof *is.files);
    for (; is.n_files < count; is.n_files++) {
        Sgpb__PolicyFileIs *file = sg_turn_take(turn, sizeof *file);
        uint16_t i = (uint16_t)is.n_files;
        *file = (Sgpb__PolicyFileIs)SGPB__POLICY_FILE_IS__INIT;
        file->name = sg_pack_text(turn->arena, sg_policy_name(set, i));
        file->layer = sg_pack_text(turn->arena, sg_policy_label(set, i));
        file->version = sg_policy_version(set, i);
        file->sha256 = sg_pack_bytes(sg_policy_digest(set, i), 32);
        is.files[i] = file;
    }
    if (state->active.seq != 0) {
        is.bundle_sha256 = sg_pack_bytes(state->active.sha256, 32);
        is.version = state->active.doc->version;
    }
    if (state->proposed.seq != 0)
        is.proposed_sha256 = sg_pack_bytes(state->proposed.sha256, 32);
    is.generation = state->generation;
    is.from = state->active_from;
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY;
    envelope.policy = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}
