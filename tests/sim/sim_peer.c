#include <stdio.h>

#include "tests/sim/sim.h"

// Scripted peers that really sign. Each asks for the next thing it needs until
// it has the answer; everything it asks is idempotent.

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

// One manifest under a signature of its own.
static void
put_publish(struct sim *sim, struct sg_slice bytes, const uint8_t secret[101])
{
    static const struct sg_slice data = {(const uint8_t *)"a,b,c\n1,2,3\n", 12};
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    Sgpb__Publish body = SGPB__PUBLISH__INIT;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    uint8_t leaf[1][32], head[SG_BATCH_HEAD_LEN], sig[64];
    struct sg_batch_head batch;
    ProtobufCBinaryData one[2];
    uint32_t length = 12;

    sg_batch_leaf(bytes, leaf[0]);
    enum sg_err err =
        sg_batch_sign(peer->signer, (const uint8_t(*)[32])leaf, 1, &batch, sig);
    SG_ASSERT(err == SG_OK);
    sg_batch_head_encode(&batch, head);
    body.head = BYTES(head, sizeof head);
    body.sig = BYTES(sig, 64);
    one[0] = BYTES(bytes.ptr, bytes.len);
    one[1] = BYTES(secret, 101);
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

void
sim_make_publish(struct sim *sim, uint64_t revision, const uint8_t prev[32],
                 const uint8_t *shown_seed)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    Sgpb__Manifest m = SGPB__MANIFEST__INIT;
    Sgpb__Claims claims = SGPB__CLAIMS__INIT;
    uint8_t root[32], commit[32], nonce[16], secret[101], seed[16];

    sim_bytes(sim, root, 32);
    sim_bytes(sim, nonce, 16);
    sim_bytes(sim, secret, sizeof secret);
    memcpy(secret, "SGSB1", 5);
    if (shown_seed != NULL)
        memcpy(secret + 5, shown_seed, 16);
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
    m.revision = revision;
    m.prev_manifest_sha256 = BYTES(prev, 32);
    m.terms_sha256 = BYTES(sim->terms_sha, 32);
    m.structure = TEXT("urn:SDG");
    m.structure_sha256 = BYTES(sim->structure_sha, 32);
    m.mode = 3;
    m.leaves = 3;
    m.content_root = BYTES(root, 32);
    m.seed_commit = BYTES(commit, 32);
    m.media = 1;
    m.size = 12;
    m.chunk_size = 262144;
    m.chunks = 1;
    m.file_commit = BYTES(root, 32);
    claims.action = 1;
    claims.retention_days = sim->retention_days;
    m.claims = &claims;
    m.created = sim->now;
    m.expires = sim->now + DAY_US;
    m.nonce = BYTES(nonce, 16);
    put_publish(sim, sim_pack(sim, &m.base), secret);
}

static void
publish(struct sim *sim)
{
    struct sim_peer *peer = &sim->peer[PUBLISHER];
    void *open;

    if (peer->revision == sim->releases)
        return;
    if (peer->publish.ptr == NULL)
        sim_make_publish(sim, peer->revision + 1, peer->head, NULL);
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
        put.terms = sim_terms(sim, PUBLISHER, "KE_HEALTH");
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
        uint8_t zeros[32] = {0};
        doc.gate = TEXT("HUB");
        doc.object_sha256 = BYTES(sim->bundle_sha, 32);
        doc.base_sha256 = BYTES(zeros, 32);
        doc.created = sim->now;
        doc.expires = sim->now + DAY_US;
        put.approval =
            sim_sign(sim, sim->approve_signer, SG_SIGN_APPROVAL, &doc.base);
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
    one[0] = sim_sign(sim, peer->signer, SG_SIGN_CONSENT_EVENT, &event.base);
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
        put.agreement = sim_agreement(sim);
        envelope.body_case = SGPB__ENVELOPE__BODY_AGREEMENT_PUT;
        envelope.agreement_put = &put;
        ask(sim, COLLECTOR, &envelope);
    } else if (peer->step == 1) {
        consent(sim, 0, sim->secret == NULL ? 2 : sim->secret->consent);
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
        Sgpb__Subscription__Obligation promise =
            SGPB__SUBSCRIPTION__OBLIGATION__INIT;
        Sgpb__Subscription__Obligation *promised = &promise;
        char *days = TEXT("30");
        doc.gate = TEXT("HUB");
        doc.subscriber = TEXT(peer->id);
        doc.name = TEXT("ALL");
        doc.flow = TEXT("KE_HEALTH");
        doc.key_filter = TEXT(at == NEAR ? "" : "A"); // a worker is asked
        doc.purpose = TEXT("official_statistics");
        doc.basis = TEXT("statistics_law");
        doc.format = TEXT(at == NEAR ? "" : "ml21");
        doc.start = 1;
        doc.nonce = BYTES(nonce, 16);
        promise.name = TEXT("delete_after_days");
        promise.args = &days;
        promise.n_args = 1;
        doc.promises = &promised;
        doc.n_promises = sim->promises;
        put.subscription =
            sim_sign(sim, peer->signer, SG_SIGN_SUBSCRIPTION, &doc.base);
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
            strcmp(result->refusal->code, "gate.busy") != 0 &&
            strcmp(result->refusal->code, "gate.disk") != 0)
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

void
sim_acknowledge(struct sim *sim, int at, size_t i)
{
    struct sim_peer *peer = &sim->peer[at];
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryReceipt body = SGPB__DELIVERY_RECEIPT__INIT;
    Sgpb__ReceiptAck ack = SGPB__RECEIPT_ACK__INIT;

    ack.delivery_id = BYTES(peer->seen[i].delivery, 16);
    ack.manifest_sha256 = BYTES(peer->seen[i].manifest, 32);
    ack.kept = 1;
    body.ack = sim_sign(sim, peer->signer, SG_SIGN_RECEIPT_ACK, &ack.base);
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
        sim_acknowledge(sim, at, i);
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
    sim_acknowledge(sim, at, i);
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
    if (welcome->checkpoint.len == 0)
        sim_break(sim, "a welcome without a note");
    else
        sim_note_keep(peer, sg_codec_slice(welcome->checkpoint));
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

static void
remember(struct sim_peer *peer, const Sgpb__Envelope *heard)
{
    const Sgpb__Receipt *receipt =
        heard->body_case == SGPB__ENVELOPE__BODY_RECEIPT ? heard->receipt
                                                         : NULL;

    peer->heard = (int)heard->body_case;
    peer->heard_code[0] = '\0';
    if (heard->body_case == SGPB__ENVELOPE__BODY_REFUSED)
        snprintf(peer->heard_code, sizeof peer->heard_code, "%s",
                 heard->refused->code);
    if (heard->body_case == SGPB__ENVELOPE__BODY_RESULT) {
        receipt = heard->result->receipt;
        if (heard->result->refusal != NULL)
            snprintf(peer->heard_code, sizeof peer->heard_code, "%s",
                     heard->result->refusal->code);
    }
    if (receipt != NULL && receipt->receipt.len == 8)
        peer->heard_seq = sg_bytes_load_u64(receipt->receipt.data);
    peer->heard_duplicate = receipt != NULL && receipt->duplicate;
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
    remember(peer, heard);
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
