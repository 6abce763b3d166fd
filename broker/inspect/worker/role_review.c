// review: reads a rendition back before its key may leave.
//
// From the leaves it works out again what must be delivered; from the rendition
// it reads what is. Both must be the same rows, and the proof in front must be
// the one and only proof over them. A writer that changes a row, drops a flag
// or adds one is refused here.
#include "broker/inspect/worker/rendering.h"
#include "schemas/proof/commit.h"

enum { MODE_FILE = 1, LENGTH = 4 };

struct reviewing {
    struct sg_rendering rendering;
    // what should be
    struct sg_sha256 *wanted;
    struct sg_rows_facts facts;
    struct sg_check *check; // takes part only in counting warnings
    // what is
    struct sg_sha256 *found;
    struct sg_rows_root root;
    uint64_t found_rows;
    struct sg_canonical_reader *rows;
    struct sg_canonical_writer *canonical;
    struct sg_obs_reader *reader;
    struct sg_sha256 *file;
    uint8_t length[LENGTH];
    size_t length_len;
    uint8_t *proof;
    size_t proof_len, proof_have;
    bool unsorted;
    bool second;     // the reader asked for the data once more
    uint64_t faults; // of the message as such
};

static void
add_row(struct sg_sha256 *hash, uint8_t action, struct sg_slice row)
{
    uint8_t head[9] = {action};

    sg_bytes_store_u64(head + 1, row.len);
    sg_crypto_sha256_add(hash, head, sizeof head);
    sg_crypto_sha256_add(hash, row.ptr, row.len);
}

// ---- what should be ----------------------------------------------------------------

static enum sg_err
on_leaf(void *context, const struct sg_obs *obs, struct sg_slice row)
{
    struct reviewing *reviewing = (struct reviewing *)context;
    struct sg_obs made;
    struct sg_slice bytes;
    bool kept;
    enum sg_err err =
        sg_rendering_row(&reviewing->rendering, obs, row, &kept, &made, &bytes);

    if (err != SG_OK || !kept)
        return err;
    add_row(reviewing->wanted, obs->action, bytes);
    sg_rows_facts_add(&reviewing->facts, &made);
    return SG_OK;
}

// ---- what is -------------------------------------------------------------------------

static enum sg_err
on_found(void *context, const struct sg_obs *obs, struct sg_slice row)
{
    struct reviewing *reviewing = (struct reviewing *)context;

    reviewing->found_rows++;
    add_row(reviewing->found, obs->action, row);
    return sg_rows_root_add(&reviewing->root, obs->action, row);
}

static enum sg_err
on_canonical(void *context, struct sg_slice bytes)
{
    return sg_canonical_reader_feed(((struct reviewing *)context)->rows, bytes);
}

static const struct sg_structure *
on_structure(void *context, const struct sg_obs_ref *ref)
{
    const struct sg_role_job *of =
        ((struct reviewing *)context)->rendering.item->of;

    return sg_rows_named(of, ref) ? of->structure : NULL;
}

static enum sg_err
on_obs(void *context, const struct sg_obs *obs)
{
    struct reviewing *reviewing = (struct reviewing *)context;
    enum sg_err err = sg_canonical_writer_put(reviewing->canonical, obs);

    reviewing->unsorted |= err == SG_ERR_ORDER;
    return err;
}

static void
on_fault(void *context, const struct sg_fault *fault)
{
    struct reviewing *reviewing = (struct reviewing *)context;

    // Our own writers give no ground for a remark either; a publisher's file
    // may have had columns of its own.
    if (!fault->warning || !reviewing->rendering.as_sent)
        reviewing->faults++;
}

// Splits length, proof and data as they come.
static enum sg_err
take(struct reviewing *reviewing, struct sg_slice plain)
{
    struct sg_arena *arena = reviewing->rendering.item->of->scratch;

    while (plain.len > 0 && reviewing->length_len < LENGTH) {
        reviewing->length[reviewing->length_len++] = plain.ptr[0];
        plain = sg_slice_of(plain.ptr + 1, plain.len - 1);
    }
    if (reviewing->length_len == LENGTH && reviewing->proof == NULL) {
        reviewing->proof_len = sg_bytes_load_u32(reviewing->length);
        if (reviewing->proof_len > SG_LIMIT_CHUNK)
            return SG_ERR_FORMAT;
        reviewing->proof = sg_arena_take(arena, reviewing->proof_len + 1);
        if (reviewing->proof == NULL)
            return SG_ERR_FULL;
    }
    size_t left = reviewing->proof_len - reviewing->proof_have;
    size_t part = plain.len < left ? plain.len : left;
    if (part > 0) {
        memcpy(reviewing->proof + reviewing->proof_have, plain.ptr, part);
        reviewing->proof_have += part;
        plain = sg_slice_of(plain.ptr + part, plain.len - part);
    }
    if (plain.len == 0)
        return SG_OK;
    if (!reviewing->second)
        sg_crypto_sha256_add(reviewing->file, plain.ptr, plain.len);
    return sg_obs_reader_feed(reviewing->reader, plain);
}

static enum sg_err
start_reading(struct reviewing *reviewing, bool sort)
{
    struct sg_role_item *item = reviewing->rendering.item;
    struct sg_role_job *of = item->of;
    const struct sg_canonical_sink sink = {.context = reviewing,
                                           .row = on_found};
    const struct sg_canonical_out out = {reviewing, on_canonical};
    const struct sg_obs_sink from = {.context = reviewing,
                                     .structure = on_structure,
                                     .obs = on_obs,
                                     .fault = on_fault};
    const struct sg_obs_reader_options options = {
        .media = (enum sg_media)of->job->rendition->media,
        .xml_salt = of->job->salt};

    sg_crypto_sha256_init(reviewing->found);
    sg_crypto_sha256_init(reviewing->file);
    sg_content_file_begin(reviewing->file, item->secret.id, item->secret.seed);
    reviewing->length_len = reviewing->proof_have = reviewing->proof_len = 0;
    reviewing->proof = NULL;
    reviewing->found_rows = 0;
    reviewing->unsorted = reviewing->second = false;
    reviewing->faults = 0;
    reviewing->rows =
        sg_canonical_reader_new(of->scratch, of->structure, &sink);
    reviewing->canonical = sg_canonical_writer_new(
        of->scratch, of->structure,
        sort ? SG_CANONICAL_MODE_SORT : SG_CANONICAL_MODE_STREAM, &out);
    reviewing->reader = sg_obs_reader_new(of->scratch, &from, &options);
    if (reviewing->rows == NULL || reviewing->canonical == NULL ||
        reviewing->reader == NULL)
        return SG_ERR_FULL;
    return sg_rows_root_begin(&reviewing->root, &reviewing->rendering.secret,
                              of->scratch);
}

static enum sg_err
read_whole(struct reviewing *reviewing, struct sg_sealed_in *in)
{
    struct sg_slice plain;
    enum sg_err err;

    for (;;) {
        if ((err = sg_sealed_in_next(in, &plain)) != SG_OK || plain.len == 0)
            break;
        if ((err = take(reviewing, plain)) != SG_OK)
            break;
    }
    return err == SG_OK ? sg_obs_reader_end(reviewing->reader) : err;
}

static enum sg_err
read_back(struct reviewing *reviewing, bool sort)
{
    struct sg_role_item *item = reviewing->rendering.item;
    struct sg_role_job *of = item->of;
    struct sg_sealed_in in;
    uint64_t at = of->input_at;

    enum sg_err err = start_reading(reviewing, sort);
    if (err == SG_OK)
        err = sg_sealed_in_open(&in, item->item->input, of->input_fd, &at,
                                of->scratch);
    if (err != SG_OK)
        return err;
    err = read_whole(reviewing, &in);
    if (err == SG_OK && sg_obs_reader_again(reviewing->reader)) {
        sg_sealed_in_rewind(&in);
        reviewing->length_len = reviewing->proof_have = 0;
        reviewing->second = true;
        err = read_whole(reviewing, &in);
    }
    if (err == SG_OK)
        err = sg_canonical_writer_end(reviewing->canonical);
    if (err == SG_OK)
        err = sg_canonical_reader_end(reviewing->rows);
    sg_obs_reader_fini(reviewing->reader);
    sg_sealed_in_close(&in);
    return err;
}

// ---- judgement ------------------------------------------------------------------------

static enum sg_err
compare(struct reviewing *reviewing)
{
    struct sg_role_item *item = reviewing->rendering.item;
    uint8_t wanted[32], found[32], of_file[32];
    uint8_t *root = sg_arena_take(item->of->arena, 32);
    uint8_t *commit = sg_arena_take(item->of->arena, 32);
    struct sg_slice proof;

    if (root == NULL || commit == NULL)
        return SG_ERR_FULL;
    sg_crypto_sha256_final(reviewing->wanted, wanted);
    sg_crypto_sha256_final(reviewing->found, found);
    sg_content_file_end(reviewing->file, item->secret.id, of_file);
    enum sg_err err = sg_rendering_proof(
        &reviewing->rendering, &reviewing->root, of_file, &proof, root);
    if (err != SG_OK)
        return err;
    item->done->content_root = sg_codec_bytes(root, 32);
    sg_commit_shared_proof(item->item->input->attempt.data, proof, commit);
    item->done->shared_proof_commit = sg_codec_bytes(commit, 32);
    item->done->rows_in = reviewing->rendering.rows_in;
    item->done->rows = reviewing->found_rows;
    item->done->suppressed = reviewing->rendering.plan.suppressed;
    item->done->proof_len = reviewing->proof_len;
    bool same = reviewing->faults == 0 && memcmp(wanted, found, 32) == 0 &&
                sg_slice_eq(proof, sg_slice_of(reviewing->proof,
                                               reviewing->proof_have)) &&
                reviewing->proof_have == reviewing->proof_len;
    // Under the publisher's root it must be his root.
    bool his = !item->of->job->rendition->with_proof ||
               (item->item->content_root.len == 32 &&
                memcmp(root, item->item->content_root.data, 32) == 0);
    if (same && his)
        item->done->verdict = SG_ROLE_ACCEPT;
    else
        sg_role_reject(item, SG_ERR_CONTENT, (struct sg_slice){NULL, 0});
    return sg_rows_facts_end(&reviewing->facts, item->of->arena,
                             reviewing->check, &item->done->facts);
}

static enum sg_err
review(struct reviewing *reviewing)
{
    struct sg_role_item *item = reviewing->rendering.item;
    struct sg_role_job *of = item->of;
    const struct sg_check_options options = {.key = {of->job->salt, 1}};
    const struct sg_canonical_sink leaves = {.context = reviewing,
                                             .row = on_leaf};

    reviewing->check = sg_check_new(of->scratch, &options);
    reviewing->wanted = sg_crypto_sha256_new();
    reviewing->found = sg_crypto_sha256_new();
    reviewing->file = sg_crypto_sha256_new();
    if (reviewing->check == NULL || reviewing->wanted == NULL ||
        reviewing->found == NULL || reviewing->file == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_rows_facts_begin(&reviewing->facts, of);
    if (err == SG_OK)
        err = sg_rows_read(item, item->item->source, of->source_fd,
                           &of->source_at, &leaves);
    if (err == SG_OK)
        err = read_back(reviewing, false);
    if (err == SG_ERR_ORDER && reviewing->unsorted)
        err = read_back(reviewing, true);
    return err == SG_OK ? compare(reviewing) : err;
}

enum sg_err
sg_role_review(struct sg_role_item *item)
{
    struct sg_role_job *of = item->of;
    struct reviewing *reviewing = sg_arena_take(of->scratch, sizeof *reviewing);
    const Sgpb__SealedInput *from = item->item->input;

    if (reviewing == NULL || from == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_rendering_begin(&reviewing->rendering, item,
                                         sg_codec_slice(from->key),
                                         sg_codec_slice(from->attempt));
    if (err == SG_OK)
        err = review(reviewing);
    sg_crypto_sha256_free(&reviewing->wanted);
    sg_crypto_sha256_free(&reviewing->found);
    sg_crypto_sha256_free(&reviewing->file);
    sg_rows_root_wipe(&reviewing->root);
    sg_rendering_end(&reviewing->rendering);
    return err;
}
