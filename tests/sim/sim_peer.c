#include "tests/sim/sim.h"

// Scripted peers that really sign. Each asks for the next thing it needs until
// it has the answer; everything it asks is idempotent.

#define BYTES(ptr, len)                                                        \
    ((ProtobufCBinaryData){(len), (uint8_t *)(uintptr_t)(ptr)})
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define DAY_US        (24 * 3600 * 1000000ull)

static const char policy_text[] =
    "policy \"KE export\" version 1\n  owner \"KNBS\"\n  layer export for KE\n"
    "  in force from 2026-01-01\n  vocabulary statgate 1\n\n"
    "rule \"tables\"\n  permit\n  when data_kind is aggregate\n"
    "   and classification is public\n   and identifiability is anonymous\n"
    "   and conf_status is F\n   and availability is released\n"
    "   and purpose is one of official_statistics, sdg_reporting\n"
    "   and consent is given\n   and community_consent is not_concerned\n"
    "  because \"Statistics Act\"\n";
static const char hub_text[] =
    "policy \"hub\" version 1\n  owner \"HUB\"\n  layer hub\n"
    "  in force from 2026-01-01\n  vocabulary statgate 1\n\n"
    "rule \"all tables\"\n  permit\n  when data_kind is aggregate\n"
    "   and classification is public\n   and identifiability is anonymous\n"
    "   and conf_status is F\n   and availability is released\n"
    "   and purpose is any\n   and consent is any\n"
    "   and community_consent is not_concerned\n"
    "  because \"Charter\"\n";

static const struct {
    const char *id, *in, *class, *role;
} who[PEERS] = {{"KE_KNBS", "KE", "nso", "publisher"},
                {"HUB_OFFICE", "KE", "regional_org", "policy_admin"},
                {"KE_PANEL", "KE", "gov_agency", "consent"},
                {"TZ_NBS", "TZ", "nso", "subscriber"},
                {"UG_UBOS", "UG", "nso", "subscriber"}};

static Sgpb__Signed *
sign(struct sim *sim, const struct sim_peer *peer, enum sg_sign_purpose purpose,
     const ProtobufCMessage *body)
{
    Sgpb__Signed *out = sim_take(sim, sizeof *out);
    uint8_t *sig = sim_take(sim, 64);
    struct sg_slice bytes = sim_pack(sim, body);
    enum sg_err err = sg_sign_make(peer->signer, purpose, bytes, sig);

    SG_ASSERT(err == SG_OK);
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = BYTES(bytes.ptr, bytes.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = BYTES(peer->key_id, 32);
    out->sig = BYTES(sig, 64);
    return out;
}

static Sgpb__TwoSigned *
two(struct sim *sim, Sgpb__Signed *one)
{
    Sgpb__TwoSigned *out = sim_take(sim, sizeof *out);
    Sgpb__DocumentSignature *sig = sim_take(sim, sizeof *sig);

    *out = (Sgpb__TwoSigned)SGPB__TWO_SIGNED__INIT;
    *sig = (Sgpb__DocumentSignature)SGPB__DOCUMENT_SIGNATURE__INIT;
    sig->alg = one->alg;
    sig->key_id = one->key_id;
    sig->sig = one->sig;
    out->body = one->body;
    out->n_signatures = 1;
    out->signatures = sim_take(sim, sizeof *out->signatures);
    out->signatures[0] = sig;
    return out;
}

// ---- roster -------------------------------------------------------------------------------

static Sgpb__RosterKey *
key(struct sim *sim, const uint8_t *public_key, uint32_t alg, const char *use,
    const char *person, const char *role)
{
    Sgpb__RosterKey *out = sim_take(sim, sizeof *out);

    *out = (Sgpb__RosterKey)SGPB__ROSTER_KEY__INIT;
    out->public_key = BYTES(public_key, 32);
    out->alg = alg;
    out->use = TEXT(use);
    out->person = TEXT(person);
    out->n_roles = 1;
    out->roles = sim_take(sim, sizeof *out->roles);
    out->roles[0] = TEXT(role);
    return out;
}

static Sgpb__Participant *
participant(struct sim *sim, int i)
{
    static char *purposes[] = {(char *)(uintptr_t) "official_statistics"};
    struct sim_peer *peer = &sim->peer[i];
    Sgpb__Participant *out = sim_take(sim, sizeof *out);
    uint8_t *approve = sim_take(sim, 32);

    *out = (Sgpb__Participant)SGPB__PARTICIPANT__INIT;
    out->id = TEXT(who[i].id);
    out->jurisdiction = out->stored_in = TEXT(who[i].in);
    out->class_ = TEXT(who[i].class);
    out->state = TEXT("active");
    out->n_purposes = 1;
    out->purposes = purposes;
    out->keys = sim_take(sim, 3 * sizeof *out->keys);
    out->keys[out->n_keys++] =
        key(sim, peer->transport, 16, "transport", "", who[i].role);
    out->keys[out->n_keys++] = key(sim, peer->public_key, 1, "sign",
                                   i == ADMIN ? "pam" : "ann", who[i].role);
    if (i == ADMIN) {
        sg_crypto_signer_public(sim->approve_signer, approve);
        out->keys[out->n_keys++] =
            key(sim, approve, 1, "approve", "quin", who[i].role);
    }
    return out;
}

static void
make_roster(struct sim *sim)
{
    static const char *const persons[] = {"rosa", "remi"};
    Sgpb__Roster roster = SGPB__ROSTER__INIT;
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    struct sg_signer *root[2];
    uint8_t zeros[32] = {0};

    roster.gate = TEXT("HUB");
    roster.version = 1;
    roster.prev_sha256 = BYTES(zeros, 32);
    roster.issued = sim->now;
    roster.expires = sim->now + 365 * DAY_US;
    roster.threshold = 2;
    roster.roots = sim_take(sim, 2 * sizeof *roster.roots);
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32] = {(uint8_t)(200 + i)};
        Sgpb__RootKey *one = sim_take(sim, sizeof *one);
        uint8_t *public_key = sim_take(sim, 32);
        enum sg_err err = sg_crypto_signer_new(seed, &root[i]);
        SG_ASSERT(err == SG_OK);
        sg_crypto_signer_public(root[i], public_key);
        *one = (Sgpb__RootKey)SGPB__ROOT_KEY__INIT;
        one->public_key = BYTES(public_key, 32);
        one->alg = 1;
        one->person = TEXT(persons[i]);
        roster.roots[roster.n_roots++] = one;
    }
    roster.participants = sim_take(sim, PEERS * sizeof *roster.participants);
    for (int i = 0; i < PEERS; i++)
        roster.participants[roster.n_participants++] = participant(sim, i);
    struct sg_slice bytes = sim_pack(sim, &roster.base);
    sg_crypto_sha256(bytes.ptr, bytes.len, sim->roster_sha);
    outer.roster = BYTES(bytes.ptr, bytes.len);
    outer.signatures = sim_take(sim, 2 * sizeof *outer.signatures);
    for (size_t i = 0; i < 2; i++) {
        Sgpb__RootSignature *one = sim_take(sim, sizeof *one);
        uint8_t *sig = sim_take(sim, 64), *id = sim_take(sim, 32);
        enum sg_err err = sg_sign_make(root[i], SG_SIGN_ROSTER, bytes, sig);
        SG_ASSERT(err == SG_OK);
        sg_crypto_key_id(SG_ALG_ED25519,
                         sg_slice_of(roster.roots[i]->public_key.data, 32), id);
        *one = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
        one->key_id = BYTES(id, 32);
        one->sig = BYTES(sig, 64);
        outer.signatures[outer.n_signatures++] = one;
        sg_crypto_signer_free(&root[i]);
    }
    sim->roster = sim_pack(sim, &outer.base);
}

// ---- documents ----------------------------------------------------------------------------

static void
make_bundle(struct sim *sim)
{
    Sgpb__PolicyBundle bundle = SGPB__POLICY_BUNDLE__INIT;
    Sgpb__PolicyFile file[2] = {SGPB__POLICY_FILE__INIT,
                                SGPB__POLICY_FILE__INIT};
    Sgpb__PolicyFile *files[2] = {&file[0], &file[1]};
    uint8_t zeros[32] = {0};

    file[0].name = TEXT("ke.policy");
    file[0].text = BYTES(policy_text, sizeof policy_text - 1);
    file[1].name = TEXT("hub.policy");
    file[1].text = BYTES(hub_text, sizeof hub_text - 1);
    bundle.gate = TEXT("HUB");
    bundle.version = 1;
    bundle.base_sha256 = BYTES(zeros, 32);
    bundle.files = files;
    bundle.n_files = 2;
    sim->bundle = sim_pack(sim, &bundle.base);
    sg_crypto_sha256(sim->bundle.ptr, sim->bundle.len, sim->bundle_sha);
}

static Sgpb__TwoSigned *
make_terms(struct sim *sim)
{
    static const char *const said[][2] = {
        {"localisation", "none"},
        {"geo_detail", ""},
        {"validation", ""},
        {"emergency", ""},
        {"community_consent", "not_concerned"},
        {"quality", ""},
        {"sdc_state", "none"}};
    static char *purposes[] = {(char *)(uintptr_t) "official_statistics"};
    static char *agreements[] = {(char *)(uintptr_t) "PANEL_1"};
    Sgpb__FlowTerms terms = SGPB__FLOW_TERMS__INIT;
    uint8_t zeros[32] = {0};

    terms.flow = TEXT("KE_HEALTH");
    terms.provider = TEXT("KE_KNBS");
    terms.structure = TEXT("urn:SDG");
    terms.structure_sha256 = BYTES(sim->structure_sha, 32);
    terms.classification = TEXT("public");
    terms.data_kind = TEXT("aggregate");
    terms.identifiability = TEXT("anonymous");
    terms.lawful_basis = TEXT("consent");
    terms.special_condition = TEXT("none");
    terms.sensitive = TEXT("none");
    terms.onward = TEXT("allowed");
    terms.purposes = purposes;
    terms.n_purposes = 1;
    terms.agreements = agreements;
    terms.n_agreements = 1;
    terms.commit = TEXT("row");
    terms.version = 1;
    terms.prev_sha256 = BYTES(zeros, 32);
    terms.n_attributes = SG_COUNT_OF(said);
    terms.attributes = sim_take(sim, SG_COUNT_OF(said) * sizeof(void *));
    for (size_t i = 0; i < SG_COUNT_OF(said); i++) {
        Sgpb__TermsAttribute *one = sim_take(sim, sizeof *one);
        *one = (Sgpb__TermsAttribute)SGPB__TERMS_ATTRIBUTE__INIT;
        one->attribute = TEXT(said[i][0]);
        one->value = TEXT(said[i][1]);
        one->not_applicable = said[i][1][0] == '\0';
        terms.attributes[i] = one;
    }
    struct sg_slice bytes = sim_pack(sim, &terms.base);
    sg_crypto_sha256(bytes.ptr, bytes.len, sim->terms_sha);
    return two(sim,
               sign(sim, &sim->peer[PUBLISHER], SG_SIGN_TERMS, &terms.base));
}

static Sgpb__TwoSigned *
make_agreement(struct sim *sim)
{
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    uint8_t zeros[32] = {0};

    doc.id = TEXT("PANEL_1");
    doc.revision = 1;
    doc.prev_sha256 = BYTES(zeros, 32);
    doc.controller = TEXT("KE_PANEL");
    doc.purpose = TEXT("official_statistics");
    struct sg_slice bytes = sim_pack(sim, &doc.base);
    sg_crypto_sha256(bytes.ptr, bytes.len, sim->agreement_sha);
    return two(sim, sign(sim, &sim->peer[COLLECTOR], SG_SIGN_CONSENT_AGREEMENT,
                         &doc.base));
}

void
sim_peers_open(struct sim *sim)
{
    uint8_t gate[32] = {99}, approve[32] = {98};
    enum sg_err err = sg_crypto_signer_new(gate, &sim->gate_signer);

    SG_ASSERT(err == SG_OK);
    err = sg_crypto_signer_new(approve, &sim->approve_signer);
    SG_ASSERT(err == SG_OK);
    for (int i = 0; i < PEERS; i++) {
        struct sim_peer *peer = &sim->peer[i];
        peer->id = who[i].id;
        memset(peer->transport, 0x40 + i, 32);
        memset(peer->seed, 1 + i, 32);
        err = sg_crypto_signer_new(peer->seed, &peer->signer);
        SG_ASSERT(err == SG_OK);
        sg_crypto_signer_public(peer->signer, peer->public_key);
        sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(peer->public_key, 32),
                         peer->key_id);
    }
    sim->structure = SG_SLICE("a compiled structure");
    sg_crypto_sha256(sim->structure.ptr, sim->structure.len,
                     sim->structure_sha);
    sim->peer[COLLECTOR].withdraw_at =
        sim->now + 300000 + sim_below(sim, 3000000);
    make_roster(sim);
    make_bundle(sim);
}

void
sim_peers_close(struct sim *sim)
{
    for (int i = 0; i < PEERS; i++)
        sg_crypto_signer_free(&sim->peer[i].signer);
    sg_crypto_signer_free(&sim->gate_signer);
    sg_crypto_signer_free(&sim->approve_signer);
}

// ---- asking ---------------------------------------------------------------------------------

static void
ask(struct sim *sim, int peer, Sgpb__Envelope *envelope)
{
    envelope->request = ++sim->peer[peer].request;
    sim_say(sim, peer, envelope, (struct sg_slice){0});
}

static void
hello(struct sim *sim, int peer)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello body = SGPB__HELLO__INIT;

    body.proto_min = body.proto_max = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &body;
    body.checkpoint = BYTES(sim->peer[peer].note, sim->peer[peer].note_len);
    ask(sim, peer, &envelope);
}

static void
put_object(struct sim *sim, int peer, const char *kind, const uint8_t *sha256,
           struct sg_slice bytes, Sgpb__Signed *by)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ObjectPut body = SGPB__OBJECT_PUT__INIT;

    body.kind = TEXT(kind);
    body.sha256 = BYTES(sha256, 32);
    body.bytes = bytes.len;
    body.chunks = 1;
    body.by = by;
    envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_PUT;
    envelope.object_put = &body;
    ask(sim, peer, &envelope);
}

static void
put_chunk(struct sim *sim, int peer, uint64_t upload, struct sg_slice bytes)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Chunk body = SGPB__CHUNK__INIT;

    body.upload = upload;
    envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
    envelope.chunk = &body;
    envelope.request = ++sim->peer[peer].request;
    sim_say(sim, peer, &envelope, bytes);
}

static void
make_publish(struct sim *sim, struct sim_peer *peer)
{
    Sgpb__Manifest m = SGPB__MANIFEST__INIT;
    Sgpb__Claims claims = SGPB__CLAIMS__INIT;
    Sgpb__Publish body = SGPB__PUBLISH__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    static const struct sg_slice data = {(const uint8_t *)"a,b,c\n1,2,3\n", 12};
    uint8_t root[32], commit[32], nonce[16], secret[101], seed[16];
    uint8_t leaf[1][32], head[SG_BATCH_HEAD_LEN], sig[64];
    struct sg_batch_head batch;
    ProtobufCBinaryData one[2];
    uint32_t length = 12;

    sim_bytes(sim, root, 32);
    sim_bytes(sim, nonce, 16);
    sim_bytes(sim, secret, sizeof secret);
    memcpy(secret, "SGSB1", 5);
    memcpy(seed, secret + 5, 16);
    struct sg_slice parts[] = {SG_SLICE("statgate/seed/v1\0"),
                               sg_slice_of(seed, 16)};
    sg_crypto_sha256v(parts, 2, commit);
    m.format = 1;
    m.gate = TEXT("HUB");
    m.log_genesis = BYTES(sim->genesis, 32);
    m.publisher = TEXT("KE_KNBS");
    m.key_id = BYTES(peer->key_id, 32);
    m.roster_sha256 = BYTES(sim->roster_sha, 32);
    m.flow = TEXT("KE_HEALTH");
    m.revision = peer->revision + 1;
    m.prev_manifest_sha256 = BYTES(peer->head, 32);
    m.terms_sha256 = BYTES(sim->terms_sha, 32);
    m.structure = TEXT("urn:SDG");
    m.structure_sha256 = BYTES(sim->structure_sha, 32);
    m.mode = 3;
    m.leaves = 3;
    m.content_root = BYTES(root, 32);
    m.seed_commit = BYTES(commit, 32);
    m.media = 1;
    m.size = data.len;
    m.chunk_size = 262144;
    m.chunks = 1;
    m.file_commit = BYTES(root, 32);
    claims.action = 1;
    m.claims = &claims;
    m.created = sim->now;
    m.expires = sim->now + DAY_US;
    m.nonce = BYTES(nonce, 16);
    struct sg_slice bytes = sim_pack(sim, &m.base);
    sg_batch_leaf(bytes, leaf[0]);
    enum sg_err err =
        sg_batch_sign(peer->signer, (const uint8_t(*)[32])leaf, 1, &batch, sig);
    SG_ASSERT(err == SG_OK);
    sg_batch_head_encode(&batch, head);
    body.head = BYTES(head, sizeof head);
    body.sig = BYTES(sig, 64);
    one[0] = BYTES(bytes.ptr, bytes.len);
    one[1] = BYTES(secret, sizeof secret);
    body.manifests = &one[0];
    body.secret_blocks = &one[1];
    body.lengths = &length;
    body.n_manifests = body.n_secret_blocks = body.n_lengths = 1;
    envelope.proto = 1;
    envelope.request = ++peer->request;
    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH;
    envelope.publish = &body;
    peer->publish = sim_pack(sim, &envelope.base);
    peer->payload = data;
}

static void
publish(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    void *open;

    if (peer->revision == RELEASES_MAX)
        return;
    if (peer->publish.ptr == NULL)
        make_publish(sim, peer);
    enum sg_err err = sg_codec_unpack(&sgpb__envelope__descriptor,
                                      peer->publish, sim->mem, &open);
    SG_ASSERT(err == SG_OK);
    sim_say(sim, PUBLISHER, open, peer->payload);
}

static void
tick_publisher(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowPut put = SGPB__FLOW_PUT__INIT;

    if (peer->step == 0) {
        put_object(sim, PUBLISHER, "structure", sim->structure_sha,
                   sim->structure, NULL);
    } else if (peer->step == 1) {
        put.terms = make_terms(sim);
        envelope.body_case = SGPB__ENVELOPE__BODY_FLOW_PUT;
        envelope.flow_put = &put;
        ask(sim, PUBLISHER, &envelope);
    } else if (sim_below(sim, 3) == 0) {
        publish(sim);
    }
}

static void
tick_admin(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[ADMIN];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;

    if (peer->step == 0) {
        Sgpb__Signed by = SGPB__SIGNED__INIT;
        uint8_t *sig = sim_take(sim, 64);
        enum sg_err err =
            sg_sign_make(peer->signer, SG_SIGN_POLICY, sim->bundle, sig);
        SG_ASSERT(err == SG_OK);
        by.alg = 1;
        by.key_id = BYTES(peer->key_id, 32);
        by.sig = BYTES(sig, 64);
        put_object(sim, ADMIN, "policy", sim->bundle_sha, sim->bundle, &by);
    } else if (peer->step == 1) {
        Sgpb__PolicyApprove put = SGPB__POLICY_APPROVE__INIT;
        Sgpb__Approval doc = SGPB__APPROVAL__INIT;
        struct sim_peer second = *peer;
        uint8_t zeros[32] = {0}, public_key[32];
        doc.gate = TEXT("HUB");
        doc.object_sha256 = BYTES(sim->bundle_sha, 32);
        doc.base_sha256 = BYTES(zeros, 32);
        doc.created = sim->now;
        doc.expires = sim->now + DAY_US;
        second.signer = sim->approve_signer;
        sg_crypto_signer_public(second.signer, public_key);
        sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key, 32),
                         second.key_id);
        put.approval = sign(sim, &second, SG_SIGN_APPROVAL, &doc.base);
        envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_APPROVE;
        envelope.policy_approve = &put;
        ask(sim, ADMIN, &envelope);
    }
}

static void
consent(struct sim *sim, uint32_t from, uint32_t to)
{
    struct sim_peer *peer = &sim->peer[COLLECTOR];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent body = SGPB__CONSENT__INIT;
    Sgpb__ConsentEvent event = SGPB__CONSENT_EVENT__INIT;
    uint8_t record[16] = {7}, nonce[16] = {(uint8_t)to};
    Sgpb__Signed *one[1];

    event.agreement = TEXT("PANEL_1");
    event.revision_sha256 = BYTES(sim->agreement_sha, 32);
    event.record_id = BYTES(record, 16);
    event.from = from;
    event.to = to;
    event.prev_event_sha256 = BYTES(peer->last_event, 32);
    event.at = 1799539200000000ull + to;
    event.nonce = BYTES(nonce, 16);
    one[0] = sign(sim, peer, SG_SIGN_CONSENT_EVENT, &event.base);
    body.events = one;
    body.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &body;
    ask(sim, COLLECTOR, &envelope);
    if (peer->step == 1)
        sg_crypto_sha256(one[0]->body.data, one[0]->body.len,
                         peer->acknowledged[0]);
}

static void
tick_collector(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[COLLECTOR];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__AgreementPut put = SGPB__AGREEMENT_PUT__INIT;

    if (peer->step == 0) {
        put.agreement = make_agreement(sim);
        envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
        envelope.agreement_put = &put;
        ask(sim, COLLECTOR, &envelope);
    } else if (peer->step == 1) {
        consent(sim, 0, 2);
    } else if (peer->step == 2 && sim->now >= peer->withdraw_at &&
               sim->keys > 0 && sim_below(sim, 3) == 0) {
        consent(sim, 2, 4);
    }
}

static void
tick_subscriber(struct sim *sim, int at)
{
    struct sim_peer *peer = &sim->peer[at];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;

    if (peer->step == 0) {
        Sgpb__Subscribe put = SGPB__SUBSCRIBE__INIT;
        Sgpb__Subscription doc = SGPB__SUBSCRIPTION__INIT;
        uint8_t nonce[16] = {1};
        doc.gate = TEXT("HUB");
        doc.subscriber = TEXT(peer->id);
        doc.name = TEXT("ALL");
        doc.flow = TEXT("KE_HEALTH");
        doc.purpose = TEXT("official_statistics");
        doc.basis = TEXT("statistics_law");
        doc.format = TEXT(at == NEAR ? "" : "ml21");
        doc.start = 1;
        doc.nonce = BYTES(nonce, 16);
        put.subscription = sign(sim, peer, SG_SIGN_SUBSCRIPTION, &doc.base);
        envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIBE;
        envelope.subscribe = &put;
        ask(sim, at, &envelope);
    } else if (sim_below(sim, 6) == 0) {
        Sgpb__Attach put = SGPB__ATTACH__INIT;
        Sgpb__Have have[SEEN_MAX];
        Sgpb__Have *list[SEEN_MAX];
        for (size_t i = 0; i < peer->seen_count; i++) {
            have[i] = (Sgpb__Have)SGPB__HAVE__INIT;
            have[i].delivery_id = BYTES(peer->seen[i].delivery, 16);
            have[i].next_index = peer->seen[i].got;
            list[i] = &have[i];
        }
        put.have = list;
        put.n_have = peer->seen_count;
        put.subscription = TEXT(at == NEAR ? "TZ_NBS/ALL" : "UG_UBOS/ALL");
        envelope.grant_bytes = 2 * 1024 * 1024;
        envelope.grant_messages = 64;
        envelope.body_case = SGPB__ENVELOPE__BODY_ATTACH;
        envelope.attach = &put;
        ask(sim, at, &envelope);
    }
}

void
sim_peer_tick(struct sim *sim, int at)
{
    if (!sim->peer[at].greeted)
        hello(sim, at);
    else if (at == PUBLISHER)
        tick_publisher(sim);
    else if (at == ADMIN)
        tick_admin(sim);
    else if (at == COLLECTOR)
        tick_collector(sim);
    else
        tick_subscriber(sim, at);
}

// ---- hearing ------------------------------------------------------------------------------------

static void
hear_result(struct sim *sim, const Sgpb__Result *result)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    uint8_t sha256[32];
    void *open;

    if (peer->publish.ptr == NULL)
        return;
    enum sg_err err = sg_codec_unpack(&sgpb__envelope__descriptor,
                                      peer->publish, sim->mem, &open);
    SG_ASSERT(err == SG_OK);
    const ProtobufCBinaryData m =
        ((Sgpb__Envelope *)open)->publish->manifests[0];
    sg_crypto_sha256(m.data, m.len, sha256);
    if (memcmp(result->manifest_sha256.data, sha256, 32) != 0)
        return; // an old one, late
    if (result->receipt == NULL) {
        // A worker died, or there is no room: the same manifest again. Another
        // one could meet the first, late in the network, as a conflict.
        if (strcmp(result->refusal->code, "publisher.inspection") != 0 &&
            strcmp(result->refusal->code, "gate.busy") != 0)
            sim_break(sim, result->refusal->code);
        return;
    }
    peer->revision++;
    memcpy(peer->acknowledged[peer->revision], sha256, 32);
    memcpy(peer->head, sha256, 32);
    peer->publish = (struct sg_slice){0};
}

static size_t
seen_at(const struct sim_peer *peer, ProtobufCBinaryData id)
{
    for (size_t i = 0; i < peer->seen_count; i++)
        if (memcmp(peer->seen[i].delivery, id.data, 16) == 0)
            return i;
    return SEEN_MAX;
}

static void
acknowledge(struct sim *sim, int at, size_t i)
{
    struct sim_peer *peer = &sim->peer[at];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryReceipt body = SGPB__DELIVERY_RECEIPT__INIT;
    Sgpb__ReceiptAck ack = SGPB__RECEIPT_ACK__INIT;

    ack.delivery_id = BYTES(peer->seen[i].delivery, 16);
    ack.manifest_sha256 = BYTES(peer->seen[i].manifest, 32);
    ack.kept = 1;
    body.ack = sign(sim, peer, SG_SIGN_RECEIPT_ACK, &ack.base);
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_RECEIPT;
    envelope.delivery_receipt = &body;
    ask(sim, at, &envelope);
}

static void
ready(struct sim *sim, int at, size_t i)
{
    struct sim_peer *peer = &sim->peer[at];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryReady body = SGPB__DELIVERY_READY__INIT;

    body.delivery_id = BYTES(peer->seen[i].delivery, 16);
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_READY;
    envelope.delivery_ready = &body;
    ask(sim, at, &envelope);
}

static void
hear_begin(struct sim *sim, int at, const Sgpb__DeliveryBegin *begin)
{
    struct sim_peer *peer = &sim->peer[at];
    size_t i;
    void *open;

    enum sg_err err =
        sg_codec_unpack(&sgpb__delivery__descriptor,
                        (struct sg_slice){begin->delivery->body.data,
                                          begin->delivery->body.len},
                        sim->mem, &open);
    SG_ASSERT(err == SG_OK);
    const Sgpb__Delivery *doc = open;
    if ((i = seen_at(peer, doc->delivery_id)) == SEEN_MAX) {
        if (peer->seen_count == SEEN_MAX) {
            sim_break(sim, "deliveries without end");
            return;
        }
        i = peer->seen_count++;
        memcpy(peer->seen[i].delivery, doc->delivery_id.data, 16);
        memcpy(peer->seen[i].manifest, doc->manifest_sha256.data, 32);
        peer->seen[i].offset = begin->offset;
        peer->seen[i].chunks = doc->chunks;
    }
    if (peer->seen[i].visible)
        acknowledge(sim, at, i);
    else if (peer->seen[i].got >= peer->seen[i].chunks)
        ready(sim, at, i);
}

static void
hear_key(struct sim *sim, int at, ProtobufCBinaryData id)
{
    struct sim_peer *peer = &sim->peer[at];
    size_t i = seen_at(peer, id);

    if (i == SEEN_MAX || peer->seen[i].got < peer->seen[i].chunks) {
        sim_break(sim, "a key before its chunks");
        return;
    }
    for (size_t k = 0; k < peer->seen_count; k++)
        if (k != i && peer->seen[k].visible &&
            peer->seen[k].offset == peer->seen[i].offset)
            sim_break(sim, "a release is visible twice");
    peer->seen[i].visible = true;
    acknowledge(sim, at, i);
}

static void
hear_chunk(struct sim *sim, int at, const Sgpb__DeliveryChunk *chunk)
{
    struct sim_peer *peer = &sim->peer[at];
    size_t i = seen_at(peer, chunk->delivery_id);

    if (i == SEEN_MAX || chunk->index != peer->seen[i].got)
        return; // reordered or lost: `have` says where to go on
    if (++peer->seen[i].got == peer->seen[i].chunks)
        ready(sim, at, i);
}

static void
hear_welcome(struct sim *sim, int at, const Sgpb__Welcome *welcome)
{
    struct sim_peer *peer = &sim->peer[at];

    peer->greeted = true;
    if (welcome->checkpoint.len != sizeof peer->note) {
        sim_break(sim, "a welcome without a note");
        return;
    }
    peer->note_len = sizeof peer->note;
    if (sg_bytes_load_u64(welcome->checkpoint.data) >
        sg_bytes_load_u64(peer->note))
        memcpy(peer->note, welcome->checkpoint.data, sizeof peer->note);
}

static void
step_on(struct sim *sim, int at, Sgpb__Envelope__BodyCase body)
{
    struct sim_peer *peer = &sim->peer[at];

    if (at == COLLECTOR && body == SGPB__ENVELOPE__BODY_STATEMENT) {
        peer->stated = true;
        peer->step = 3;
    } else if (body == SGPB__ENVELOPE__BODY_RECEIPT &&
               (at == PUBLISHER || at == ADMIN || at == COLLECTOR) &&
               peer->step < 2) {
        if (at == COLLECTOR && peer->step == 1)
            memcpy(peer->last_event, peer->acknowledged[0], 32);
        peer->step++;
        peer->request++; // the same answer again is of no question
    } else if (body == SGPB__ENVELOPE__BODY_SUBSCRIPTION && peer->step == 0) {
        peer->step = 1;
    }
}

void
sim_peer_hear(struct sim *sim, int at, struct sg_slice envelope,
              struct sg_slice payload)
{
    struct sim_peer *peer = &sim->peer[at];
    void *open;

    (void)payload;
    if (sg_codec_unpack(&sgpb__envelope__descriptor, envelope, sim->mem,
                        &open) != SG_OK) {
        sim_break(sim, "an answer that is not canonical");
        return;
    }
    const Sgpb__Envelope *heard = open;
    Sgpb__Envelope__BodyCase body = heard->body_case;
    if (body == SGPB__ENVELOPE__BODY_WELCOME)
        hear_welcome(sim, at, heard->welcome);
    else if (body == SGPB__ENVELOPE__BODY_OBJECT_READY && peer->step == 0)
        put_chunk(sim, at, heard->object_ready->upload,
                  at == ADMIN ? sim->bundle : sim->structure);
    else if (body == SGPB__ENVELOPE__BODY_RESULT)
        hear_result(sim, heard->result);
    else if (body == SGPB__ENVELOPE__BODY_DELIVERY_BEGIN)
        hear_begin(sim, at, heard->delivery_begin);
    else if (body == SGPB__ENVELOPE__BODY_DELIVERY_CHUNK)
        hear_chunk(sim, at, heard->delivery_chunk);
    else if (body == SGPB__ENVELOPE__BODY_DELIVERY_KEY)
        hear_key(sim, at, heard->delivery_key->delivery_id);
    else
        // An answer counts for the question asked last; a late one to an older
        // question would move the script on too early.
        if (heard->request == peer->request ||
            body == SGPB__ENVELOPE__BODY_STATEMENT)
            step_on(sim, at, body);
}
