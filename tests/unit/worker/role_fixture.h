// role_fixture - roles of an inspector over objects in memory.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "broker/inspect/worker/rendering.h"
#include "broker/os/file.h"
#include "broker/os/memory.h"
#include "schemas/proof/commit.h"
#include "tests/unit/sdmx/obs_fixture.h"

#define HEAD                                                                   \
    "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS,UNIT,TITLE,"              \
    "SOURCE,NOTE\n"
#define ROW(key, value, note) "T:F(1.0)," key "," value ",N,PT,,," note "\n"

struct store { // one sealed object
    int fd;
    uint8_t key[32], attempt[16];
    uint32_t purpose;
    uint64_t bytes, chunks;
};

struct fixture {
    struct sg_arena *arena, *scratch;
    const struct sg_structure *structure;
    struct sg_secret secret;
    uint8_t block[SG_SECRET_LEN], manifest[32], root[32], file[32];
    struct store spool, leaves, report, output;
    Sgpb__InspectTerms terms;
    Sgpb__Rendition rendition;
    Sgpb__DoneItem done;
    uint32_t role;
    uint64_t embargo_us; // that the manifest claims
};

static inline void
store_init(struct store *store, uint8_t seed, uint32_t purpose)
{
    assert_int_equal(sg_os_memory_open(&store->fd), SG_OK);
    memset(store->key, seed, 32);
    memset(store->attempt, seed + 1, 16);
    store->purpose = purpose;
    store->bytes = store->chunks = 0;
}

static inline Sgpb__SealedInput
as_input(struct store *store, uint8_t *manifest)
{
    Sgpb__SealedInput in = SGPB__SEALED_INPUT__INIT;
    in.attempt = sg_codec_bytes(store->attempt, 16);
    in.manifest_sha256 = sg_codec_bytes(manifest, 32);
    in.purpose = store->purpose;
    in.key = sg_codec_bytes(store->key, 32);
    in.chunks = store->chunks;
    in.bytes = store->bytes;
    in.chunk_size = 64; // many chunks
    return in;
}

static inline Sgpb__SealedOutput
as_output(struct store *store, uint8_t *manifest)
{
    Sgpb__SealedOutput out = SGPB__SEALED_OUTPUT__INIT;
    out.attempt = sg_codec_bytes(store->attempt, 16);
    out.manifest_sha256 = sg_codec_bytes(manifest, 32);
    out.purpose = store->purpose;
    out.key = sg_codec_bytes(store->key, 32);
    out.chunk_size = 64;
    return out;
}

static inline void
put(struct fixture *f, struct store *store, struct sg_slice bytes)
{
    struct sg_sealed_out out;
    Sgpb__SealedOutput to = as_output(store, f->manifest);
    uint8_t sha256[32];
    assert_int_equal(sg_sealed_out_open(&out, &to, store->fd, 0, f->scratch),
                     SG_OK);
    assert_int_equal(sg_sealed_out_write(&out, bytes), SG_OK);
    assert_int_equal(sg_sealed_out_end(&out, sha256), SG_OK);
    store->bytes = out.bytes;
    store->chunks = out.index;
    sg_sealed_out_close(&out);
}

// All plaintext of an object, in the scratch arena.
static inline struct sg_slice
get(struct fixture *f, struct store *store)
{
    struct sg_sealed_in in;
    Sgpb__SealedInput from = as_input(store, f->manifest);
    uint64_t at = 0, used = 0;
    uint8_t *all = sg_arena_take(f->arena, store->bytes + 1);
    struct sg_slice plain;
    assert_int_equal(sg_sealed_in_open(&in, &from, store->fd, &at, f->scratch),
                     SG_OK);
    for (;;) {
        assert_int_equal(sg_sealed_in_next(&in, &plain), SG_OK);
        if (plain.len == 0)
            break;
        memcpy(all + used, plain.ptr, plain.len);
        used += plain.len;
    }
    sg_sealed_in_close(&in);
    assert_int_equal(used, store->bytes);
    return sg_slice_of(all, used);
}

static inline int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sg_diag diag = {0};
    assert_int_equal(sg_crypto_start(), SG_OK);
    f->arena = sg_arena_new(256u << 20, 1 << 20);
    f->scratch = sg_arena_new(256u << 20, 1 << 20);
    assert_int_equal(
        fixture_open(f->arena, SG_SLICE(obs_fixture_dsd), &f->structure, &diag),
        SG_OK);
    for (size_t i = 0; i < 16; i++) {
        f->secret.seed[i] = (uint8_t)(i * 7 + 1);
        f->secret.id[i] = (uint8_t)(i * 5 + 2);
    }
    sg_secret_encode(&f->secret, f->block);
    memset(f->manifest, 0x4d, 32);
    store_init(&f->spool, 1, SG_SEAL_SPOOL);
    store_init(&f->leaves, 3, SG_SEAL_LEAVES);
    store_init(&f->report, 5, SG_SEAL_REPORT);
    store_init(&f->output, 7, SG_SEAL_VARIANT);
    f->terms = (Sgpb__InspectTerms)SGPB__INSPECT_TERMS__INIT;
    f->terms.media = SG_MEDIA_CSV10;
    f->terms.mode = 3;
    f->terms.dataflow = (char *)(uintptr_t) "T:F(1.0)";
    f->rendition = (Sgpb__Rendition)SGPB__RENDITION__INIT;
    f->rendition.media = SG_MEDIA_CSV10;
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    (void)close(f->spool.fd);
    (void)close(f->leaves.fd);
    (void)close(f->report.fd);
    (void)close(f->output.fd);
    sg_arena_free(&f->arena);
    sg_arena_free(&f->scratch);
    free(f);
    return 0;
}

// Runs one role over one item, as serve.c does. A judge has what was spooled
// beside the leaves.
static inline enum sg_err
run(struct fixture *f, sg_role_run *role, struct store *input,
    struct store *source)
{
    Sgpb__Job job = SGPB__JOB__INIT;
    Sgpb__JobItem item = SGPB__JOB_ITEM__INIT;
    Sgpb__SealedInput in, from;
    Sgpb__SealedOutput leaves, report, output;
    if (role == sg_role_judge && source == NULL)
        source = &f->spool;
    struct sg_role_job of = {.job = &job,
                             .structure = f->structure,
                             .arena = f->arena,
                             .scratch = f->scratch,
                             .input_fd = input->fd,
                             .source_fd = source == NULL ? -1 : source->fd,
                             .leaves_fd = f->leaves.fd,
                             .report_fd = f->report.fd,
                             .output_fd = f->output.fd};
    struct sg_role_item one = {.of = &of,
                               .item = &item,
                               .done = &f->done,
                               .secret = f->secret,
                               .has_secret = true};
    job.terms = &f->terms;
    job.rendition = &f->rendition;
    job.salt = 77;
    in = as_input(input, f->manifest);
    item.input = &in;
    if (source != NULL) {
        from = as_input(source, f->manifest);
        item.source = &from;
    }
    leaves = as_output(&f->leaves, f->manifest);
    report = as_output(&f->report, f->manifest);
    output = as_output(&f->output, f->manifest);
    if (role == sg_role_reader)
        item.leaves = &leaves;
    if (role == sg_role_reader || role == sg_role_judge)
        item.report = &report;
    if (role == sg_role_writer)
        item.output = &output;
    item.content_root = sg_codec_bytes(f->root, 32);
    item.embargo_us = f->embargo_us;
    item.file_commit = sg_codec_bytes(f->file, 32);
    f->done = (Sgpb__DoneItem)SGPB__DONE_ITEM__INIT;
    enum sg_err err = role(&one);
    sg_arena_reset(f->scratch);
    return err;
}

// Spool with its commitment, reader, and the root that a judge finds.
static inline void
read_in(struct fixture *f, const char *text)
{
    uint8_t sha256[32];
    sg_crypto_sha256((const uint8_t *)text, strlen(text), sha256);
    sg_commit_file(f->secret.file_salt, sha256, f->file);
    put(f, &f->spool, sg_slice_text(text));
    assert_int_equal(run(f, sg_role_reader, &f->spool, NULL), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    f->leaves.bytes = f->done.leaves_bytes;
    f->leaves.chunks = f->done.leaves_chunks;
    assert_int_equal(run(f, sg_role_judge, &f->leaves, NULL), SG_OK);
    assert_int_equal(f->done.content_root.len, 32);
    memcpy(f->root, f->done.content_root.data, 32);
}

static inline void
write_out(struct fixture *f)
{
    assert_int_equal(run(f, sg_role_writer, &f->leaves, &f->spool), SG_OK);
    assert_int_equal(f->done.verdict, SG_ROLE_ACCEPT);
    f->output.bytes = f->done.output_bytes;
    f->output.chunks = f->done.output_chunks;
}
