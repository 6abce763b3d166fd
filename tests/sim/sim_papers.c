#include "tests/sim/sim.h"

// Who takes part and what was signed before anything moves: roster, policy,
// terms, agreement.

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
                {"HUB_OFFICE", "KE", "regional_org", "policy_admin,auditor"},
                {"KE_PANEL", "KE", "gov_agency", "consent"},
                {"TZ_NBS", "TZ", "nso", "publisher,subscriber"},
                {"UG_UBOS", "UG", "nso", "subscriber,consent"}};

Sgpb__Signed *
sim_sign(struct sim *sim, struct sg_signer *signer,
         enum sg_sign_purpose purpose, const ProtobufCMessage *body)
{
    Sgpb__Signed *out = sim_take(sim, sizeof *out);
    uint8_t *sig = sim_take(sim, 64), *id = sim_take(sim, 32), public_key[32];
    struct sg_slice bytes = sim_pack(sim, body);
    enum sg_err err = sg_sign_make(signer, purpose, bytes, sig);

    SG_ASSERT(err == SG_OK);
    sg_crypto_signer_public(signer, public_key);
    sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key, 32), id);
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = BYTES(bytes.ptr, bytes.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = BYTES(id, 32);
    out->sig = BYTES(sig, 64);
    return out;
}

static Sgpb__Signed *
sign(struct sim *sim, const struct sim_peer *peer, enum sg_sign_purpose purpose,
     const ProtobufCMessage *body)
{
    return sim_sign(sim, peer->signer, purpose, body);
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
    out->roles = sim_take(sim, 2 * sizeof *out->roles);
    const char *comma = strchr(role, ',');
    if (comma != NULL) {
        size_t len = (size_t)(comma - role);
        char *first = sim_take(sim, len + 1);
        memcpy(first, role, len);
        out->roles[out->n_roles++] = first;
    }
    out->roles[out->n_roles++] = TEXT(comma == NULL ? role : comma + 1);
    return out;
}

static Sgpb__Participant *
participant(struct sim *sim, int i)
{
    static char *purposes[] = {(char *)(uintptr_t) "official_statistics"};
    struct sim_peer *peer = &sim->peer[i];
    Sgpb__Participant *out = sim_take(sim, sizeof *out);
    uint8_t *approve = sim_take(sim, 32), *second = sim_take(sim, 32);

    *out = (Sgpb__Participant)SGPB__PARTICIPANT__INIT;
    out->id = TEXT(who[i].id);
    out->jurisdiction = out->stored_in = TEXT(who[i].in);
    out->class_ = TEXT(who[i].class);
    out->state = TEXT("active");
    out->n_purposes = 1;
    out->purposes = purposes;
    out->keys = sim_take(sim, 4 * sizeof *out->keys);
    out->keys[out->n_keys++] =
        key(sim, peer->transport, 16, "transport", "", who[i].role);
    out->keys[out->n_keys++] = key(sim, peer->public_key, 1, "sign",
                                   i == ADMIN ? "pam" : "ann", who[i].role);
    if (i == ADMIN) {
        sg_crypto_signer_public(sim->approve_signer, approve);
        out->keys[out->n_keys++] =
            key(sim, approve, 1, "approve", "quin", who[i].role);
        sg_crypto_signer_public(sim->second_signer, second);
        out->keys[out->n_keys++] = // pam has another key
            key(sim, second, 1, "approve", "pam", who[i].role);
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

Sgpb__TwoSigned *
sim_terms(struct sim *sim, int peer, const char *flow)
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

    terms.flow = TEXT(flow);
    terms.provider = TEXT(who[peer].id);
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
    terms.retention_days = sim->seed % 2 == 0 ? 2 : 0; // over when it is quiet
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
    return two(sim, sign(sim, &sim->peer[peer], SG_SIGN_TERMS, &terms.base));
}

Sgpb__TwoSigned *
sim_agreement(struct sim *sim)
{
    Sgpb__ConsentAgreement doc = SGPB__CONSENT_AGREEMENT__INIT;
    uint8_t before[32] = {0};
    char *classes[1];

    doc.id = TEXT("PANEL_1");
    doc.revision = sim->asked_again ? 2 : 1;
    if (sim->asked_again)
        memcpy(before, sim->agreement_sha, 32);
    doc.compatible_before = sim->asked_again;
    doc.prev_sha256 = BYTES(before, 32);
    doc.controller = TEXT("KE_PANEL");
    doc.purpose =
        TEXT(sim->asked[0] != NULL ? sim->asked[0] : "official_statistics");
    classes[0] = TEXT(sim->asked[1] != NULL ? sim->asked[1] : "nso");
    doc.recipient_classes = classes;
    doc.n_recipient_classes = classes[0][0] != '\0';
    doc.onward = TEXT(sim->asked[2] != NULL ? sim->asked[2] : "allowed");
    struct sg_slice bytes = sim_pack(sim, &doc.base);
    sg_crypto_sha256(bytes.ptr, bytes.len, sim->agreement_sha);
    return two(sim, sign(sim, &sim->peer[COLLECTOR], SG_SIGN_CONSENT_AGREEMENT,
                         &doc.base));
}

void
sim_peers_open(struct sim *sim)
{
    uint8_t gate[32] = {99}, approve[32] = {98}, second[32] = {97};
    enum sg_err err = sg_crypto_signer_new(gate, &sim->gate_signer);

    SG_ASSERT(err == SG_OK);
    err = sg_crypto_signer_new(approve, &sim->approve_signer);
    SG_ASSERT(err == SG_OK);
    err = sg_crypto_signer_new(second, &sim->second_signer);
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
    sg_crypto_signer_free(&sim->second_signer);
}
