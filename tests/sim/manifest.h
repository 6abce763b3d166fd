// manifest - a good manifest of a peer of the bench, and how it is published.
//
// For tests that change one thing in it. Compiled into the test with bench.h.
#pragma once

#include "schemas/proof/batch.h"
#include "schemas/proof/commit.h"
#include "tests/sim/bench.h"

static const struct sg_slice data = {(const uint8_t *)"a,b,c\n1,2,3\n", 12};

struct made {
    Sgpb__Manifest m;
    Sgpb__Claims claims;
    uint8_t root[32], commit[32], nonce[16], zeros[32], secret[101];
};

static inline struct made *
make(struct bench *bench, int peer)
{
    struct sim *sim = bench->sim;
    struct made *made = sim_take(sim, sizeof *made);
    Sgpb__Manifest *m = &made->m;

    *m = (Sgpb__Manifest)SGPB__MANIFEST__INIT;
    made->claims = (Sgpb__Claims)SGPB__CLAIMS__INIT;
    sim_bytes(sim, made->root, 32);
    sim_bytes(sim, made->nonce, 16);
    sim_bytes(sim, made->secret, sizeof made->secret);
    memcpy(made->secret, (const uint8_t[]){'S', 'G', 'S', 'B', '1'}, 5);
    sg_commit_seed(made->secret + 5, made->commit);
    m->format = 1;
    m->gate = TEXT("HUB");
    m->log_genesis = BYTES(sim->genesis, 32);
    m->publisher = TEXT(sim->peer[peer].id);
    m->key_id = BYTES(sim->peer[peer].key_id, 32);
    m->roster_sha256 = BYTES(sim->roster_sha, 32);
    m->flow = TEXT(bench_flow[peer]);
    m->revision = 1;
    m->prev_manifest_sha256 = BYTES(made->zeros, 32);
    m->terms_sha256 = BYTES(bench->terms[peer], 32);
    m->structure = TEXT("urn:SDG");
    m->structure_sha256 = BYTES(sim->structure_sha, 32);
    m->mode = 3;
    m->leaves = 3;
    m->content_root = BYTES(made->root, 32);
    m->seed_commit = BYTES(made->commit, 32);
    m->media = 1;
    m->size = data.len;
    m->chunk_size = 262144;
    m->chunks = 1;
    m->file_commit = BYTES(made->root, 32);
    made->claims.action = 1;
    m->claims = &made->claims;
    m->created = sim->now;
    m->expires = sim->now + 24ull * 3600 * BENCH_SECOND_US;
    m->nonce = BYTES(made->nonce, 16);
    return made;
}

struct signature {
    uint8_t head[SG_BATCH_HEAD_LEN], sig[64];
};

static inline struct sg_slice
sign_as(struct bench *bench, int signer, const Sgpb__Manifest *m,
        struct signature *out)
{
    struct sg_slice bytes = sim_pack(bench->sim, &m->base);
    struct sg_batch_head head;
    uint8_t leaf[1][32];

    sg_batch_leaf(bytes, leaf[0]);
    assert_int_equal(sg_batch_sign(bench->sim->peer[signer].signer,
                                   (const uint8_t(*)[32])leaf, 1, &head,
                                   out->sig),
                     SG_OK);
    sg_batch_head_encode(&head, out->head);
    return bytes;
}

static inline const char *
send(struct bench *bench, int peer, struct sg_slice bytes,
     const struct signature *by, const uint8_t secret[101], bool rehearse)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Publish body = SGPB__PUBLISH__INIT;
    ProtobufCBinaryData one = BYTES(bytes.ptr, bytes.len);
    ProtobufCBinaryData block = BYTES(secret, 101);
    uint32_t length = (uint32_t)data.len;

    body.head = BYTES(by->head, sizeof by->head);
    body.sig = BYTES(by->sig, sizeof by->sig);
    body.manifests = &one;
    body.secret_blocks = &block;
    body.lengths = &length;
    body.rehearse = rehearse;
    body.n_manifests = body.n_secret_blocks = body.n_lengths = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH;
    envelope.publish = &body;
    return bench_ask(bench, peer, &envelope, data);
}

static inline const char *
publish(struct bench *bench, int peer, struct sg_slice bytes,
        const struct signature *by, const uint8_t secret[101])
{
    return send(bench, peer, bytes, by, secret, false);
}
