#include "broker/inspect/worker/rendering.h"

#include "broker/base/limits.h"

enum { MODE_FILE = 1, ROOM_MIN = 64 * 1024 };

static bool
is_derived(const struct sg_rendering *rendering)
{
    return !rendering->wanted->with_proof;
}

// ---- choice ----------------------------------------------------------------------

// "A+B..C": one field a dimension (time left out); missing fields and * are any.
static enum sg_err
parse_key(struct sg_rendering *rendering)
{
    const struct sg_structure *s = rendering->item->of->structure;
    struct sg_slice left = sg_slice_text(rendering->wanted->key_filter);

    for (uint32_t i = 0; i < s->dimension_count && left.len > 0; i++) {
        const uint8_t *dot = memchr(left.ptr, '.', left.len);
        size_t len = dot == NULL ? left.len : (size_t)(dot - left.ptr);
        struct sg_slice field = {left.ptr, len};
        if (!(len == 1 && field.ptr[0] == '*'))
            rendering->code[i] = field;
        len += dot != NULL;
        left = sg_slice_of(left.ptr + len, left.len - len);
    }
    return left.len == 0 ? SG_OK : SG_ERR_SUBSCRIPTION;
}

static enum sg_err
parse_period(struct sg_rendering *rendering)
{
    struct sg_slice text = sg_slice_text(rendering->wanted->period);
    const uint8_t *slash =
        text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);

    if (text.len == 0)
        return SG_OK;
    if (slash == NULL || rendering->item->of->structure->time < 0)
        return SG_ERR_SUBSCRIPTION;
    size_t at = (size_t)(slash - text.ptr);
    rendering->start = sg_slice_of(text.ptr, at);
    rendering->end = sg_slice_of(slash + 1, text.len - at - 1);
    return SG_OK;
}

static bool
among(struct sg_slice codes, struct sg_slice value)
{
    while (codes.len > 0) {
        const uint8_t *plus = memchr(codes.ptr, '+', codes.len);
        size_t len = plus == NULL ? codes.len : (size_t)(plus - codes.ptr);
        if (sg_slice_eq(sg_slice_of(codes.ptr, len), value))
            return true;
        len += plus != NULL;
        codes = sg_slice_of(codes.ptr + len, codes.len - len);
    }
    return false;
}

// Periods are zero-padded, so text order is time order; an end of 2020 takes in
// everything that begins with 2020.
static bool
in_period(const struct sg_rendering *rendering, struct sg_slice time)
{
    if (rendering->start.len > 0 && sg_slice_cmp(time, rendering->start) < 0)
        return false;
    if (rendering->end.len == 0)
        return true;
    if (time.len > rendering->end.len)
        time.len = rendering->end.len;
    return sg_slice_cmp(time, rendering->end) <= 0;
}

static bool
chosen(const struct sg_rendering *rendering, const struct sg_obs *obs)
{
    const struct sg_structure *s = rendering->item->of->structure;

    for (uint32_t i = 0; i < s->dimension_count; i++) {
        if (rendering->code[i].len > 0 &&
            !among(rendering->code[i], sg_obs_value_bytes(&obs->values[i])))
            return false;
    }
    return s->time < 0 ||
           in_period(rendering, sg_obs_value_bytes(&obs->values[s->time]));
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
    *kept = chosen(rendering, obs);
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
    if ((err = parse_key(rendering)) != SG_OK ||
        (err = parse_period(rendering)) != SG_OK ||
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
