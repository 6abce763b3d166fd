#include "broker/inspect/worker/rendering.h"

#include "broker/base/limits.h"

enum { MODE_FILE = 1, ROOM_MIN = 64 * 1024 };

static bool
is_derived(const struct sg_rendering *rendering)
{
    return !rendering->wanted->with_proof;
}

// ---- change ----------------------------------------------------------------------

static enum sg_err
change(struct sg_rendering *rendering, const struct sg_obs *obs,
       struct sg_slice row, struct sg_obs *out, struct sg_slice *bytes)
{
    struct sg_role_job *of = rendering->item->of;
    uint32_t count = of->structure->component_count;

    *out = *obs;
    *bytes = row;
    if (!rendering->suppress)
        return SG_OK;
    memcpy(rendering->values, obs->values, count * sizeof obs->values[0]);
    if (!sg_suppress_row(&rendering->plan, rendering->values))
        return SG_OK;
    out->values = rendering->values;
    memset(out->changed, 0xff, sizeof out->changed);
    size_t need = sg_canonical_row_size(rendering->values, count);
    if (need > rendering->room_len) {
        rendering->room_len = need < ROOM_MIN ? ROOM_MIN : need * 2;
        rendering->room = sg_arena_take(of->scratch, rendering->room_len);
        if (rendering->room == NULL)
            return SG_ERR_FULL;
    }
    struct sg_writer w = sg_writer_on(rendering->room, rendering->room_len);
    sg_canonical_row_put(&w, rendering->values, count);
    *bytes = sg_writer_slice(&w);
    return w.full ? SG_ERR_FULL : SG_OK;
}

enum sg_err
sg_rendering_row(struct sg_rendering *rendering, const struct sg_obs *obs,
                 struct sg_slice row, bool *kept, struct sg_obs *out,
                 struct sg_slice *bytes)
{
    rendering->rows_in++;
    *kept = sg_choice_takes(&rendering->choice, rendering->item->of->structure,
                            obs);
    if (!*kept)
        return SG_OK;
    rendering->rows_out++;
    return change(rendering, obs, row, out, bytes);
}

// ---- life ------------------------------------------------------------------------

static enum sg_err
plan_suppression(struct sg_rendering *rendering)
{
    const Sgpb__Rendition *wanted = rendering->wanted;
    struct sg_role_job *of = rendering->item->of;
    const struct sg_suppress_terms terms = {
        .n = wanted->suppress_below,
        .count = sg_slice_text(wanted->count_component),
        .when = sg_slice_text(wanted->when_component),
        .code = sg_slice_text(wanted->when_code),
    };

    rendering->suppress = wanted->suppress_below > 0;
    if (!rendering->suppress)
        return SG_OK;
    rendering->values =
        sg_arena_take(of->scratch, of->structure->component_count *
                                       sizeof *rendering->values);
    if (rendering->values == NULL)
        return SG_ERR_FULL;
    return sg_suppress_plan_make(of->structure, &terms, &rendering->plan);
}

// The release's own seed would open what is withheld (S17): a changed content
// has one of its own, made from what its readers have anyway.
static void
derive_secret(struct sg_rendering *rendering, struct sg_slice variant_key,
              struct sg_slice attempt)
{
    uint8_t seed[32];

    sg_crypto_hkdf(variant_key, attempt, SG_SLICE("statgate/derived/v1"), seed);
    memcpy(rendering->secret.seed, seed, 16);
    memcpy(rendering->secret.id, seed + 16, 16);
    sg_crypto_wipe(seed, sizeof seed);
}

enum sg_err
sg_rendering_begin(struct sg_rendering *rendering, struct sg_role_item *item,
                   struct sg_slice variant_key, struct sg_slice attempt)
{
    const Sgpb__Job *job = item->of->job;
    enum sg_err err;

    memset(rendering, 0, sizeof *rendering);
    rendering->item = item;
    rendering->wanted = job->rendition;
    if (job->rendition == NULL || job->terms == NULL || !item->has_secret)
        return SG_ERR_FORMAT;
    if ((err = sg_choice_read(item->of->structure,
                              sg_slice_text(job->rendition->key_filter),
                              sg_slice_text(job->rendition->period),
                              &rendering->choice)) != SG_OK ||
        (err = plan_suppression(rendering)) != SG_OK)
        return err;
    bool filtered = job->rendition->key_filter[0] != '\0' ||
                    job->rendition->period[0] != '\0';
    rendering->as_sent = job->rendition->media == job->terms->media &&
                         !filtered && !rendering->suppress;
    rendering->file_level =
        job->terms->mode == MODE_FILE && !is_derived(rendering);
    // A proof under the publisher's root is for what he signed, whole.
    if (!is_derived(rendering) &&
        (filtered || rendering->suppress ||
         (rendering->file_level && !rendering->as_sent)))
        return SG_ERR_FORMAT;
    rendering->secret = item->secret;
    if (is_derived(rendering))
        derive_secret(rendering, variant_key, attempt);
    return SG_OK;
}

void
sg_rendering_end(struct sg_rendering *rendering)
{
    sg_secret_wipe(&rendering->secret);
}

// ---- proof -----------------------------------------------------------------------

static void
header_of(struct sg_rendering *rendering, const struct sg_rows_root *rows,
          const struct sg_content_component *components,
          struct sg_content_part *file_part, struct sg_content_header *header)
{
    *header = (struct sg_content_header){.level = SG_CONTENT_ROW};
    memcpy(header->id, rendering->secret.id, SG_CONTENT_ID_LEN);
    if (rendering->file_level) {
        *file_part = (struct sg_content_part){'M', 1};
        header->level = SG_CONTENT_FILE;
        header->parts = file_part;
        header->part_count = 1;
        return;
    }
    header->components = components;
    header->component_count = rendering->item->of->structure->component_count;
    header->parts = rows->builder.parts;
    header->part_count = rows->builder.part_count;
}

enum sg_err
sg_rendering_proof(struct sg_rendering *rendering,
                   const struct sg_rows_root *rows, const uint8_t file_root[32],
                   struct sg_slice *proof, uint8_t root[32])
{
    struct sg_role_job *of = rendering->item->of;
    const struct sg_content_component *components =
        sg_rows_components(of->structure, of->scratch);
    struct sg_content_prover prover;
    struct sg_content_header header;
    struct sg_content_part file_part;
    uint64_t len;
    enum sg_err err = SG_OK;

    if (components == NULL)
        return SG_ERR_FULL;
    header_of(rendering, rows, components, &file_part, &header);
    if (rendering->file_level)
        memcpy(root, file_root, 32);
    else
        err = sg_content_root(&rows->builder, SG_CONTENT_ROW, components,
                              header.component_count, of->scratch, root);
    if (err == SG_OK)
        err = sg_content_proof_len(&header, NULL, 0, &len);
    if (err != SG_OK)
        return err;
    uint8_t *bytes = sg_arena_take(of->scratch, (size_t)len);
    if (bytes == NULL)
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(bytes, (size_t)len);
    err = sg_content_prove_begin(&prover, &header, rendering->secret.seed, NULL,
                                 0, &w);
    if (err == SG_OK)
        err = sg_content_prove_end(&prover);
    *proof = sg_writer_slice(&w);
    if (err == SG_OK)
        err = sg_content_proof_check(*proof, rendering->secret.seed, NULL, 0);
    return err;
}
