// writer: canonical observations -> a rendition, blob(proof) | data.
//
// Two passes over the leaves: the first counts and hashes what will be
// delivered, so that the proof can stand in front; the second writes.
#include "broker/inspect/worker/rendering.h"
#include "schemas/sdmx/obs_writer.h"

struct writing {
    struct sg_rendering rendering;
    struct sg_rows_root root;     // first pass
    struct sg_obs_writer *writer; // second pass
    struct sg_sealed_out out;
};

static enum sg_err
on_count(void *context, const struct sg_obs *obs, struct sg_slice row)
{
    struct writing *writing = (struct writing *)context;
    struct sg_obs made;
    struct sg_slice bytes;
    bool kept;
    enum sg_err err =
        sg_rendering_row(&writing->rendering, obs, row, &kept, &made, &bytes);

    return err != SG_OK || !kept
               ? err
               : sg_rows_root_add(&writing->root, obs->action, bytes);
}

static enum sg_err
on_write(void *context, const struct sg_obs *obs, struct sg_slice row)
{
    struct writing *writing = (struct writing *)context;
    struct sg_obs made;
    struct sg_slice bytes;
    bool kept;
    enum sg_err err =
        sg_rendering_row(&writing->rendering, obs, row, &kept, &made, &bytes);

    return err != SG_OK || !kept ? err
                                 : sg_obs_writer_put(writing->writer, &made);
}

static enum sg_err
copy_source(struct writing *writing)
{
    struct sg_role_item *item = writing->rendering.item;
    struct sg_role_job *of = item->of;
    struct sg_sealed_in in;
    struct sg_slice plain;
    enum sg_err err = sg_sealed_in_open(&in, item->item->source, of->source_fd,
                                        &of->source_at, of->scratch);

    while (err == SG_OK) {
        if ((err = sg_sealed_in_next(&in, &plain)) != SG_OK || plain.len == 0)
            break;
        err = sg_sealed_out_write(&writing->out, plain);
    }
    sg_sealed_in_close(&in);
    return err;
}

static enum sg_err
write_rows(struct writing *writing)
{
    struct sg_role_item *item = writing->rendering.item;
    struct sg_role_job *of = item->of;
    const char *dataflow = of->job->terms->dataflow;
    const char *equals = strchr(dataflow, '=');
    const struct sg_canonical_sink sink = {.context = writing, .row = on_write};
    const struct sg_canonical_out to = {&writing->out, sg_sealed_out_write};
    struct sg_obs_writer_options options = {
        .media = (enum sg_media)of->job->rendition->media};

    if (!sg_obs_ref_parse(sg_slice_text(equals == NULL ? dataflow : equals + 1),
                          &options.ref))
        return SG_ERR_TERMS;
    options.ref.kind = SG_OBS_REF_DATAFLOW;
    options.header.id = SG_SLICE("STATGATE");
    options.header.sender = SG_SLICE("STATGATE");
    options.header.prepared = SG_SLICE("1970-01-01T00:00:00Z");
    writing->writer =
        sg_obs_writer_new(of->scratch, of->structure, &options, &to);
    if (writing->writer == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_rows_read(item, item->item->input, of->input_fd,
                                   &of->input_at, &sink);
    if (err == SG_OK)
        err = sg_obs_writer_end(writing->writer);
    if (err == SG_ERR_UNSUPPORTED)
        sg_role_reject(item, err,
                       sg_obs_writer_refused(writing->writer)->component);
    return err;
}

// First pass, proof, then the data.
static enum sg_err
make(struct writing *writing)
{
    struct sg_role_item *item = writing->rendering.item;
    struct sg_role_job *of = item->of;
    const struct sg_canonical_sink sink = {.context = writing, .row = on_count};
    uint8_t length[4], of_file[32] = {0};
    uint8_t *root = sg_arena_take(of->arena, 32);
    uint64_t at = of->input_at;
    struct sg_slice proof;

    enum sg_err err = root == NULL ? SG_ERR_FULL
                                   : sg_rows_read(item, item->item->input,
                                                  of->input_fd, &at, &sink);
    if (err == SG_OK && writing->rendering.file_level)
        err = sg_rows_file_root(item, of_file);
    if (err == SG_OK)
        err = sg_rendering_proof(&writing->rendering, &writing->root, of_file,
                                 &proof, root);
    if (err != SG_OK)
        return err;
    item->done->content_root = sg_codec_bytes(root, 32);
    item->done->proof_len = proof.len;
    item->done->rows_in = writing->rendering.rows_in;
    item->done->rows = writing->rendering.rows_out;
    item->done->suppressed = writing->rendering.plan.suppressed;
    sg_bytes_store_u32(length, (uint32_t)proof.len);
    err = sg_sealed_out_write(&writing->out, sg_slice_of(length, 4));
    if (err == SG_OK)
        err = sg_sealed_out_write(&writing->out, proof);
    if (err == SG_OK)
        err = writing->rendering.as_sent ? copy_source(writing)
                                         : write_rows(writing);
    return err;
}

enum sg_err
sg_role_writer(struct sg_role_item *item)
{
    struct sg_role_job *of = item->of;
    struct writing *writing = sg_arena_take(of->scratch, sizeof *writing);
    uint8_t sha256[32];
    const Sgpb__SealedOutput *to = item->item->output;

    if (writing == NULL || to == NULL)
        return SG_ERR_FULL;
    enum sg_err err =
        sg_rendering_begin(&writing->rendering, item, sg_codec_slice(to->key),
                           sg_codec_slice(to->attempt));
    if (err == SG_OK)
        err = sg_rows_root_begin(&writing->root, &writing->rendering.secret,
                                 of->scratch);
    if (err == SG_OK)
        err = sg_sealed_out_open(&writing->out, to, of->output_fd,
                                 of->output_at, of->scratch);
    if (err == SG_OK)
        err = make(writing);
    if (err == SG_OK)
        err = sg_sealed_out_end(&writing->out, sha256);
    if (err == SG_OK) {
        of->output_at = writing->out.at;
        item->done->output_bytes = writing->out.bytes;
        item->done->output_chunks = writing->out.index;
        item->done->verdict = SG_ROLE_ACCEPT;
    }
    sg_sealed_out_close(&writing->out);
    sg_rows_root_wipe(&writing->root);
    sg_rendering_end(&writing->rendering);
    return err;
}
