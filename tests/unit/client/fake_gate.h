// fake_gate - a release as a gate would deliver it, and the ways it can be wrong.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "adapters/client/deliver.h"
#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/batch.h"
#include "schemas/proof/commit.h"
#include "schemas/proof/seal.h"
#include "tests/unit/sdmx/obs_fixture.h"

enum fake_wrong {
    FAKE_NOTHING,
    FAKE_ROOT,           // the publisher signed another content
    FAKE_SWAPPED,        // two chunks in each other's place
    FAKE_KEY,            // another key than committed to
    FAKE_ROW,            // a value was changed
    FAKE_SIGNATURE,      // of the delivery statement
    FAKE_OTHER_ID,       // the key frame of another delivery
    FAKE_MISSING_ROW,    // a row is not there
    FAKE_TRUNCATED,      // the proof says it is longer than everything
    FAKE_OTHER_MANIFEST, // a manifest that the statement is not about
    FAKE_DERIVATION,     // a derivation of other content
    FAKE_PUBLISHER,      // signature of the manifest
    FAKE_SUBSCRIBER,     // a statement for somebody else
    FAKE_FLIPPED,        // one bit of the ciphertext
    FAKE_PROOF,          // the statement is about another proof
    FAKE_NO_PROOF,       // or about none
    FAKE_WITHHELD,       // counts of withheld rows whose sum goes round to none
    FAKE_COUNT,
    FAKE_WORDS, // all is right, and the gate's words are as it likes
};

enum { FAKE_DUTIES = 4000 };
#define FAKE_DUTY "keep\nVALID\nsigned by UN (key 00)\033[2J"
enum { FAKE_FIRST_YEAR = 1000, FAKE_LAST_YEAR = 9999, FAKE_AREAS = 3 };

struct fake {
    enum fake_wrong wrong;
    char folder[64];
    struct obs_fixture *obs;
    struct sg_arena *arena;
    struct sg_home home;
    struct sg_signer *publisher, *gate;
    uint8_t publisher_id[32], gate_id[32];
    struct sg_secret secret;
    struct sg_slice csv;
    uint8_t root[32];
    uint64_t leaves;
    uint8_t key[32], attempt[16], id[16], manifest_sha256[32];
    uint8_t subscription[32];
    struct sg_slice plain, manifest;
    uint8_t *sealed; // chunks one after the other
    uint64_t chunks;
    uint8_t chunk_root[32], key_commit[32];
    Sgpb__DeliveryBegin begin;
};

static inline struct sg_slice
fake_csv(struct sg_arena *arena)
{
    static const char *const areas[FAKE_AREAS] = {"KE", "TZ", "UG"};
    const size_t cap = 2 * 1024 * 1024;
    char *text = sg_arena_take(arena, cap);
    size_t len = (size_t)snprintf(
        text, cap, "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\n");

    for (int a = 0; a < FAKE_AREAS; a++)
        for (int year = FAKE_FIRST_YEAR; year <= FAKE_LAST_YEAR; year++)
            len += (size_t)snprintf(text + len, cap - len,
                                    "T:DF(1.0),A,%s,%d,%d.5,N,PERSONS\n",
                                    areas[a], year, year + a);
    return sg_slice_of(text, len);
}

static inline void
fake_write(const char *path, struct sg_slice bytes)
{
    assert_int_equal(sg_os_file_replace(path, bytes, true), SG_OK);
}

static inline struct sg_slice
fake_pack(struct fake *f, const ProtobufCMessage *message)
{
    struct sg_slice out;
    assert_int_equal(sg_codec_pack(message, f->arena, &out), SG_OK);
    return out;
}

static inline char *
fake_text(struct fake *f, const char *text)
{
    return sg_arena_printf(f->arena, "%s", text);
}

static inline void
fake_home(struct fake *f)
{
    Sgpb__Roster doc = SGPB__ROSTER__INIT;
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    Sgpb__Participant who = SGPB__PARTICIPANT__INIT, *whos = &who;
    Sgpb__RosterKey key = SGPB__ROSTER_KEY__INIT, *keys = &key;
    uint8_t seed[2][32], public_key[2][32];

    memset(seed[0], 1, 32);
    memset(seed[1], 2, 32);
    assert_int_equal(sg_crypto_signer_new(seed[0], &f->publisher), SG_OK);
    assert_int_equal(sg_crypto_signer_new(seed[1], &f->gate), SG_OK);
    sg_crypto_signer_public(f->publisher, public_key[0]);
    sg_crypto_signer_public(f->gate, public_key[1]);
    sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key[0], 32),
                     f->publisher_id);
    sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(public_key[1], 32),
                     f->gate_id);
    key.public_key = sg_codec_bytes(public_key[0], 32);
    key.alg = SG_ALG_ED25519;
    key.use = fake_text(f, "sign");
    who.id = fake_text(f, "OFFICE");
    who.keys = &keys;
    who.n_keys = 1;
    doc.gate = fake_text(f, "GATE");
    doc.version = 1;
    doc.participants = &whos;
    doc.n_participants = 1;
    doc.gate_sign_key = sg_codec_bytes(public_key[1], 32);
    struct sg_slice body = fake_pack(f, &doc.base);
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    assert_int_equal(sg_roster_read(fake_pack(f, &outer.base), &f->home.roster),
                     SG_OK);
    snprintf(f->home.path, sizeof f->home.path, "%s", f->folder);
    snprintf(f->home.gate, sizeof f->home.gate, "GATE");
    snprintf(f->home.participant, sizeof f->home.participant, "AGENCY");
    memset(f->home.genesis, 7, 32);
    f->home.structure = f->obs->structure;
    sg_structure_sha256(f->obs->structure, f->home.structure_sha256);
}

static inline void
fake_root(struct fake *f)
{
    char path[SG_OS_PATH];
    struct sg_content_file file = {.path = path,
                                   .media = SG_MEDIA_CSV10,
                                   .structure = f->obs->structure,
                                   .dataflow = "",
                                   .any_flow = true};
    uint8_t random[96];

    memset(random, 9, sizeof random);
    sg_secret_from_random(random, &f->secret);
    assert_true(sg_os_file_path(path, "%s/sent.csv", f->folder));
    f->csv = fake_csv(f->arena);
    fake_write(path, f->csv);
    assert_int_equal(sg_content_rows(&file, &f->secret, f->root, &f->leaves),
                     SG_OK);
    assert_int_equal(f->leaves,
                     FAKE_AREAS * (FAKE_LAST_YEAR - FAKE_FIRST_YEAR + 1));
}

static inline Sgpb__SignedManifest *
fake_manifest(struct fake *f, uint64_t revision, struct sg_slice *bytes)
{
    Sgpb__SignedManifest *out = sg_arena_take(f->arena, sizeof *out);
    Sgpb__Manifest m = SGPB__MANIFEST__INIT;
    uint8_t leaf[1][32], *head_bytes = sg_arena_take(f->arena, 67);
    uint8_t *sig = sg_arena_take(f->arena, 64), root[32];
    struct sg_batch_head head;

    memcpy(root, f->root, 32);
    root[0] ^= f->wrong == FAKE_ROOT;
    m.format = 1;
    m.gate = f->home.gate;
    m.log_genesis = sg_codec_bytes(f->home.genesis, 32);
    m.publisher = fake_text(f, "OFFICE");
    m.key_id = sg_codec_bytes(f->publisher_id, 32);
    m.flow = fake_text(f, "FLOW");
    m.revision = revision;
    m.structure_sha256 = sg_codec_bytes(f->home.structure_sha256, 32);
    m.mode = 3;
    m.leaves = f->leaves;
    m.content_root = sg_codec_bytes(root, 32);
    m.media = SG_MEDIA_CSV10;
    *bytes = fake_pack(f, &m.base);
    sg_batch_leaf(*bytes, leaf[0]);
    assert_int_equal(
        sg_batch_sign(f->publisher, (const uint8_t(*)[32])leaf, 1, &head, sig),
        SG_OK);
    sig[3] ^= f->wrong == FAKE_PUBLISHER;
    sg_batch_head_encode(&head, head_bytes);
    *out = (Sgpb__SignedManifest)SGPB__SIGNED_MANIFEST__INIT;
    out->manifest = sg_codec_bytes(bytes->ptr, bytes->len);
    out->head = sg_codec_bytes(head_bytes, 67);
    out->sig = sg_codec_bytes(sig, 64);
    return out;
}

static inline void
fake_plain(struct fake *f)
{
    struct sg_content_component components[SG_LIMIT_COMPONENTS];
    const struct sg_content_part part = {'M', f->leaves};
    struct sg_content_header header = {.level = SG_CONTENT_ROW,
                                       .components = components,
                                       .component_count =
                                           f->obs->structure->component_count,
                                       .parts = &part,
                                       .part_count = 1};
    struct sg_content_prover prover;
    const size_t room = f->csv.len + 65536;
    uint8_t *bytes = sg_arena_take(f->arena, room);
    struct sg_writer w = sg_writer_on(bytes + 4, room - 4);

    for (uint32_t i = 0; i < header.component_count; i++)
        components[i] = (struct sg_content_component){
            sg_canonical_row_kind(&f->obs->structure->components[i]),
            f->obs->structure->components[i].id};
    memcpy(header.id, f->secret.id, 16);
    assert_int_equal(
        sg_content_prove_begin(&prover, &header, f->secret.seed, NULL, 0, &w),
        SG_OK);
    assert_int_equal(sg_content_prove_end(&prover), SG_OK);
    sg_bytes_store_u32(bytes, f->wrong == FAKE_TRUNCATED ? 4 * 1024 * 1024
                                                         : (uint32_t)w.len);
    uint8_t *data = bytes + 4 + w.len;
    size_t len = f->csv.len;
    memcpy(data, f->csv.ptr, len);
    if (f->wrong == FAKE_ROW)
        data[len - sizeof ".5,N,PERSONS"] ^= 1; // a digit of the last value
    if (f->wrong == FAKE_MISSING_ROW)
        do
            len--;
        while (data[len - 1] != '\n');
    f->plain = sg_slice_of(bytes, 4 + w.len + len);
}

static inline size_t
fake_chunk_len(const struct fake *f, uint64_t index)
{
    return index + 1 < f->chunks
               ? SG_LIMIT_CHUNK
               : f->plain.len - (size_t)index * SG_LIMIT_CHUNK;
}

static inline struct sg_slice
fake_chunk(const struct fake *f, uint64_t index)
{
    uint64_t from = f->wrong == FAKE_SWAPPED && index < 2 ? 1 - index : index;
    return sg_slice_of(f->sealed + from * (SG_LIMIT_CHUNK + 16),
                       fake_chunk_len(f, from) + 16);
}

static inline void
fake_seal(struct fake *f)
{
    struct sg_seal seal;
    struct sg_merkle tree;
    uint8_t leaf[32];

    memset(f->key, 5, 32);
    memset(f->attempt, 6, 16);
    memset(f->id, 8, 16);
    f->chunks = (f->plain.len + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK;
    assert_true(f->chunks >= 3);
    f->sealed = sg_arena_take(f->arena, f->chunks * (SG_LIMIT_CHUNK + 16));
    sg_crypto_sha256(f->manifest.ptr, f->manifest.len, f->manifest_sha256);
    assert_int_equal(sg_seal_begin(&seal, f->key, f->manifest_sha256,
                                   f->attempt, SG_SEAL_VARIANT),
                     SG_OK);
    sg_merkle_init(&tree, SG_MERKLE_CHUNKS);
    for (uint64_t i = 0; i < f->chunks; i++) {
        uint8_t *at = f->sealed + i * (SG_LIMIT_CHUNK + 16);
        size_t len = fake_chunk_len(f, i);
        bool last = i + 1 == f->chunks;
        assert_int_equal(
            sg_seal_chunk(&seal, i, last,
                          sg_slice_of(f->plain.ptr + i * SG_LIMIT_CHUNK, len),
                          at),
            SG_OK);
        sg_seal_chunk_leaf(i, last, sg_slice_of(at, len + 16), leaf);
        assert_int_equal(sg_merkle_add(&tree, leaf), SG_OK);
    }
    sg_seal_end(&seal);
    sg_merkle_root(&tree, f->chunk_root);
    sg_commit_key(f->key, f->key_commit);
    if (f->wrong == FAKE_FLIPPED)
        f->sealed[1000] ^= 1;
}

static inline Sgpb__Signed *
fake_sign(struct fake *f, enum sg_sign_purpose purpose,
          const ProtobufCMessage *body)
{
    Sgpb__Signed *out = sg_arena_take(f->arena, sizeof *out);
    uint8_t *sig = sg_arena_take(f->arena, 64);
    struct sg_slice packed = fake_pack(f, body);

    assert_int_equal(sg_sign_make(f->gate, purpose, packed, sig), SG_OK);
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(packed.ptr, packed.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(f->gate_id, 32);
    out->sig = sg_codec_bytes(sig, 64);
    return out;
}

static inline void
fake_begin(struct fake *f)
{
    Sgpb__Delivery d = SGPB__DELIVERY__INIT;
    Sgpb__Derivation derivation = SGPB__DERIVATION__INIT;
    char *kind = fake_text(f, "converted");
    struct sg_slice other;
    uint8_t root[32], proof[32];

    size_t len =
        f->wrong == FAKE_TRUNCATED ? 0 : sg_bytes_load_u32(f->plain.ptr);
    sg_commit_shared_proof(f->attempt, sg_slice_of(f->plain.ptr + 4, len),
                           proof);
    proof[7] ^= f->wrong == FAKE_PROOF;
    d.shared_proof_commit =
        sg_codec_bytes(proof, f->wrong == FAKE_NO_PROOF ? 0 : 32);
    d.gate = f->home.gate;
    d.delivery_id = sg_codec_bytes(f->id, 16);
    d.subscriber = f->wrong == FAKE_SUBSCRIBER ? fake_text(f, "SOMEBODY")
                                               : f->home.participant;
    d.subscription_sha256 = sg_codec_bytes(f->subscription, 32);
    d.manifest_sha256 = sg_codec_bytes(f->manifest_sha256, 32);
    d.media = SG_MEDIA_CSV10;
    d.chunks = f->chunks;
    d.chunk_root = sg_codec_bytes(f->chunk_root, 32);
    d.key_commit = sg_codec_bytes(f->key_commit, 32);
    d.attempt = sg_codec_bytes(f->attempt, 16);
    static Sgpb__Obligation *duties[FAKE_DUTIES];
    Sgpb__Obligation duty = SGPB__OBLIGATION__INIT;
    if (f->wrong == FAKE_WORDS) {
        duty.name = fake_text(f, FAKE_DUTY);
        for (d.n_obligations = 0; d.n_obligations < FAKE_DUTIES;)
            duties[d.n_obligations++] = &duty;
        d.obligations = duties;
    }
    Sgpb__Withheld all = SGPB__WITHHELD__INIT, one = SGPB__WITHHELD__INIT;
    Sgpb__Withheld *both[] = {&all, &one};
    if (f->wrong == FAKE_WITHHELD) {
        all.count = UINT64_MAX;
        one.count = 1;
        d.withheld = both;
        d.n_withheld = SG_COUNT_OF(both);
    }
    f->begin.delivery = fake_sign(f, SG_SIGN_DELIVERY, &d.base);
    if (f->wrong == FAKE_SIGNATURE)
        f->begin.delivery->sig.data[0] ^= 1;
    if (f->wrong == FAKE_OTHER_MANIFEST)
        f->begin.manifest = fake_manifest(f, 2, &other);
    memcpy(root, f->root, 32);
    root[0] ^= 1;
    derivation.manifest_sha256 = sg_codec_bytes(f->manifest_sha256, 32);
    derivation.kinds = &kind;
    derivation.n_kinds = 1;
    derivation.rows_in = derivation.rows_out = f->leaves;
    derivation.content = sg_codec_bytes(root, 32);
    if (f->wrong == FAKE_DERIVATION)
        f->begin.derivation =
            fake_sign(f, SG_SIGN_DERIVATION, &derivation.base);
    f->begin.subscription = fake_text(f, "AGENCY/FLOW");
    f->begin.bytes = f->plain.len;
}

static inline void
fake_open(struct fake *f, enum fake_wrong wrong)
{
    memset(f, 0, sizeof *f);
    f->wrong = wrong;
    snprintf(f->folder, sizeof f->folder, "/tmp/statgate-client-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(sg_crypto_start(), SG_OK);
    f->obs = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    f->arena = sg_arena_new(64 * 1024 * 1024, 1024 * 1024);
    assert_non_null(f->arena);
    f->begin = (Sgpb__DeliveryBegin)SGPB__DELIVERY_BEGIN__INIT;
    memset(f->subscription, 3, 32);
    fake_home(f);
    fake_root(f);
    f->begin.manifest = fake_manifest(f, 1, &f->manifest);
    fake_plain(f);
    fake_seal(f);
    fake_begin(f);
}

static inline void
fake_close(struct fake *f)
{
    (void)!sg_os_file_remove_tree(f->folder);
    sg_crypto_signer_free(&f->publisher);
    sg_crypto_signer_free(&f->gate);
    sg_roster_drop(&f->home.roster);
    sg_arena_free(&f->arena);
    obs_fixture_free(f->obs);
}
