#include "schemas/sdmx/obs_writer.h"

#include "broker/base/bytes.h"
#include "schemas/sdmx/obs_writer_parts.h"

struct sg_obs_writer *
sg_obs_writer_new(struct sg_arena *arena, const struct sg_structure *structure,
                  const struct sg_obs_writer_options *options,
                  const struct sg_canonical_out *out)
{
    struct sg_obs_writer *w = sg_arena_take(arena, sizeof *w);
    if (w == NULL)
        return NULL;
    w->arena = arena;
    w->structure = structure;
    w->options = *options;
    if (w->options.delimiter == 0)
        w->options.delimiter = ',';
    w->out = *out;
    w->count = structure->component_count;
    w->dimensions = sg_canonical_row_dimensions(structure);
    w->buffer = sg_arena_take(arena, SG_OBS_WRITER_OUT);
    w->last = sg_arena_take(arena, w->count * sizeof *w->last);
    w->level = sg_arena_take(arena, w->count);
    return w->buffer == NULL || w->last == NULL || w->level == NULL ? NULL : w;
}

const struct sg_fault *
sg_obs_writer_refused(const struct sg_obs_writer *writer)
{
    return &writer->refused;
}

static void
flush(struct sg_obs_writer *w)
{
    struct sg_slice bytes = sg_slice_of(w->buffer, w->used);
    w->used = 0;
    w->flushes++;
    if (w->err == SG_OK && bytes.len > 0)
        w->err = w->out.write(w->out.context, bytes);
}

void
sg_obs_writer_bytes(struct sg_obs_writer *w, struct sg_slice bytes)
{
    if (bytes.len > SG_OBS_WRITER_OUT - w->used)
        flush(w);
    if (bytes.len > SG_OBS_WRITER_OUT) {
        if (w->err == SG_OK)
            w->err = w->out.write(w->out.context, bytes);
    } else if (bytes.len > 0) {
        memcpy(w->buffer + w->used, bytes.ptr, bytes.len);
        w->used += bytes.len;
    }
}

void
sg_obs_writer_text(struct sg_obs_writer *w, const char *text)
{
    sg_obs_writer_bytes(w, sg_slice_text(text));
}

void
sg_obs_writer_byte(struct sg_obs_writer *w, uint8_t c)
{
    sg_obs_writer_bytes(w, sg_slice_of(&c, 1));
}

enum sg_err
sg_obs_writer_refuse(struct sg_obs_writer *w, const struct sg_obs *obs,
                     int32_t component, const char *why)
{
    w->refused = (struct sg_fault){
        .code = SG_FAULT_OCCURS, .hint = sg_slice_text(why), .row = obs->row};
    if (component >= 0)
        w->refused.component = w->structure->components[component].id;
    else
        w->refused.code = SG_FAULT_ACTION;
    return SG_ERR_UNSUPPORTED;
}

bool
sg_obs_writer_single(const struct sg_value *value, struct sg_slice *text)
{
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
    if (sg_bytes_varint(&r) != 1)
        return false;
    *text = sg_bytes_take(&r, sg_bytes_varint(&r));
    return sg_bytes_end(&r) && text->len > 0;
}

// How each format that is written begins, goes on and ends; end NULL: so.
static const struct form {
    enum sg_err (*begin)(struct sg_obs_writer *w);
    enum sg_err (*put)(struct sg_obs_writer *w, const struct sg_obs *obs);
    enum sg_err (*end)(struct sg_obs_writer *w);
} csv = {sg_obs_writer_csv_begin, sg_obs_writer_csv_put, NULL},
  ml = {sg_obs_writer_ml_begin, sg_obs_writer_ml_put, sg_obs_writer_ml_end},
  json = {sg_obs_writer_json_begin, sg_obs_writer_json_put,
          sg_obs_writer_json_end};

static const struct form *const forms[SG_MEDIA_END] = {
    [SG_MEDIA_CSV10] = &csv,  [SG_MEDIA_CSV20] = &csv,
    [SG_MEDIA_CSV21] = &csv,  [SG_MEDIA_ML21] = &ml,
    [SG_MEDIA_ML30] = &ml,    [SG_MEDIA_JSON20] = &json,
    [SG_MEDIA_JSON21] = &json};

bool
sg_obs_writer_writes(enum sg_media media)
{
    return media < SG_MEDIA_END && forms[media] != NULL;
}

// NULL: the format is not written.
static const struct form *
form_of(const struct sg_obs_writer *w)
{
    return sg_obs_writer_writes(w->options.media) ? forms[w->options.media]
                                                  : NULL;
}

static enum sg_err
begin(struct sg_obs_writer *w)
{
    if (form_of(w) == NULL)
        return SG_ERR_UNSUPPORTED;
    if (w->begun)
        return SG_OK;
    w->begun = true;
    return form_of(w)->begin(w);
}

enum sg_err
sg_obs_writer_put(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    enum sg_err err = begin(w);
    if (w->used > SG_OBS_WRITER_OUT / 2)
        flush(w);
    size_t before = w->used;
    uint64_t flushes = w->flushes;
    if (err == SG_OK)
        err = form_of(w)->put(w, obs);
    if (err == SG_ERR_UNSUPPORTED && w->flushes == flushes)
        w->used = before; // as if the row had not been put
    else if (err == SG_ERR_UNSUPPORTED)
        w->err = err; // a part of it is out
    return err == SG_OK ? w->err : err;
}

enum sg_err
sg_obs_writer_end(struct sg_obs_writer *w)
{
    enum sg_err err = begin(w);
    if (err == SG_OK && form_of(w)->end != NULL)
        err = form_of(w)->end(w);
    flush(w);
    return err == SG_OK ? w->err : err;
}
