#include "broker/base/bytes.h"
#include "schemas/sdmx/obs_writer_parts.h"

static bool
must_quote(const struct sg_obs_writer *w, struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == w->options.delimiter || c == '"' || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

static void
put_doubled(struct sg_obs_writer *w, struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            sg_obs_writer_byte(w, '"');
        sg_obs_writer_byte(w, text.ptr[i]);
    }
}

static void
put_cell(struct sg_obs_writer *w, struct sg_slice text)
{
    if (!must_quote(w, text)) {
        sg_obs_writer_bytes(w, text);
        return;
    }
    sg_obs_writer_byte(w, '"');
    put_doubled(w, text);
    sg_obs_writer_byte(w, '"');
}

static void
put_ref(struct sg_obs_writer *w)
{
    const struct sg_obs_ref *ref = &w->options.ref;
    sg_obs_writer_bytes(w, ref->agency);
    sg_obs_writer_byte(w, ':');
    sg_obs_writer_bytes(w, ref->id);
    if (ref->version.len == 0)
        return;
    sg_obs_writer_byte(w, '(');
    sg_obs_writer_bytes(w, ref->version);
    sg_obs_writer_byte(w, ')');
}

static bool
is_first(const struct sg_obs_writer *w)
{
    return w->options.media == SG_MEDIA_CSV10;
}

enum sg_err
sg_obs_writer_csv_begin(struct sg_obs_writer *w)
{
    uint8_t delimiter = w->options.delimiter;
    if (is_first(w)) {
        sg_obs_writer_text(w, "DATAFLOW");
    } else {
        sg_obs_writer_text(w,
                           delimiter == ';' ? "STRUCTURE[|]" : "STRUCTURE[;]");
        sg_obs_writer_byte(w, delimiter);
        sg_obs_writer_text(w, "STRUCTURE_ID");
        sg_obs_writer_byte(w, delimiter);
        sg_obs_writer_text(w, "ACTION");
    }
    for (uint32_t i = 0; i < w->count; i++) {
        const struct sg_component *c = &w->structure->components[i];
        sg_obs_writer_byte(w, delimiter);
        if (is_first(w) && (int32_t)i == w->structure->measure) {
            sg_obs_writer_text(w, "OBS_VALUE");
            continue;
        }
        sg_obs_writer_bytes(w, c->id);
        if (is_first(w))
            continue;
        if (c->languages)
            sg_obs_writer_text(w, "[en]");
        if (c->several)
            sg_obs_writer_text(w, "[]");
    }
    sg_obs_writer_text(w, "\r\n");
    return SG_OK;
}

// Length of an item when it stands between quotes, or as it is.
static bool
item_quoted(struct sg_slice item, uint8_t sub)
{
    for (size_t i = 0; i < item.len; i++)
        if (item.ptr[i] == sub || item.ptr[i] == '"')
            return true;
    return false;
}

// One item of a list; the cell as a whole is in quotes, so each quote of ours
// and of the text is doubled once more.
static void
put_item(struct sg_obs_writer *w, struct sg_slice item, uint8_t sub,
         bool always)
{
    if (!always && !item_quoted(item, sub)) {
        put_doubled(w, item);
        return;
    }
    sg_obs_writer_text(w, "\"\"");
    for (size_t i = 0; i < item.len; i++) {
        if (item.ptr[i] == '"')
            sg_obs_writer_text(w, "\"\"\"");
        sg_obs_writer_byte(w, item.ptr[i]);
    }
    sg_obs_writer_text(w, "\"\"");
}

static bool
fits_sub(struct sg_slice text, uint8_t sub)
{
    return !item_quoted(text, sub);
}

// en:Text;fr:Texte. In a list of such values each is quoted as a whole, which
// only works if no text needs quotes of its own.
static enum sg_err
put_languages(struct sg_obs_writer *w, const struct sg_obs *obs, uint32_t i,
              struct sg_slice bytes, bool nested)
{
    uint8_t sub = w->options.delimiter == ';' ? '|' : ';';
    struct sg_reader r = sg_reader_on(bytes);
    uint64_t n = sg_bytes_varint(&r);
    if (nested)
        sg_obs_writer_text(w, "\"\"");
    for (uint64_t k = 0; k < n && !r.failed; k++) {
        struct sg_slice tag = sg_bytes_take(&r, sg_bytes_varint(&r));
        struct sg_slice text = sg_bytes_take(&r, sg_bytes_varint(&r));
        if (!fits_sub(text, sub) || !fits_sub(tag, sub))
            return sg_obs_writer_refuse(
                w, obs, (int32_t)i,
                "a text in several languages that holds the sub-field "
                "separator or a quote");
        if (k > 0)
            sg_obs_writer_byte(w, sub);
        sg_obs_writer_bytes(w, tag);
        sg_obs_writer_byte(w, ':');
        sg_obs_writer_bytes(w, text);
    }
    if (nested)
        sg_obs_writer_text(w, "\"\"");
    return SG_OK;
}

static enum sg_err
put_several(struct sg_obs_writer *w, const struct sg_obs *obs, uint32_t i)
{
    uint8_t sub = w->options.delimiter == ';' ? '|' : ';';
    const struct sg_component *c = &w->structure->components[i];
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(&obs->values[i]));
    uint64_t n = sg_bytes_varint(&r);
    for (uint64_t k = 0; k < n && !r.failed; k++) {
        struct sg_slice item = sg_bytes_take(&r, sg_bytes_varint(&r));
        if (k > 0)
            sg_obs_writer_byte(w, sub);
        enum sg_err err = SG_OK;
        if (c->languages)
            err = put_languages(w, obs, i, item, true);
        else
            put_item(w, item, sub, false);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

static enum sg_err
put_list(struct sg_obs_writer *w, const struct sg_obs *obs, uint32_t i)
{
    const struct sg_value *value = &obs->values[i];
    struct sg_slice text;
    if (is_first(w)) {
        if (value->kind != SG_VALUE_SEVERAL ||
            !sg_obs_writer_single(value, &text))
            return sg_obs_writer_refuse(
                w, obs, (int32_t)i,
                "SDMX-CSV 1.0 has neither several values nor languages");
        put_cell(w, text);
        return SG_OK;
    }
    sg_obs_writer_byte(w, '"');
    enum sg_err err =
        value->kind == SG_VALUE_SEVERAL
            ? put_several(w, obs, i)
            : put_languages(w, obs, i, sg_obs_value_bytes(value), false);
    sg_obs_writer_byte(w, '"');
    return err;
}

static enum sg_err
put_value(struct sg_obs_writer *w, const struct sg_obs *obs, uint32_t i)
{
    const struct sg_value *value = &obs->values[i];
    const struct sg_component *c = &w->structure->components[i];
    if (value->kind == SG_VALUE_ABSENT)
        return SG_OK;
    if (value->kind == SG_VALUE_OFF) {
        if (is_first(w))
            return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                        "SDMX-CSV 1.0 has no ~");
        sg_obs_writer_byte(w, '~');
        return SG_OK;
    }
    if (value->kind != SG_VALUE_TEXT)
        return put_list(w, obs, i);
    struct sg_slice text = sg_obs_value_bytes(value);
    if (!is_first(w) && i < w->dimensions && sg_slice_eq(text, SG_SLICE("~")))
        return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                    "~ means something else in SDMX-CSV 2");
    if (!is_first(w) && (c->several || c->languages))
        return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                    "text where the structure has a list");
    put_cell(w, text);
    return SG_OK;
}

enum sg_err
sg_obs_writer_csv_put(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    static const char *const kinds[] = {
        [SG_OBS_REF_DATAFLOW] = "dataflow",
        [SG_OBS_REF_DATASTRUCTURE] = "datastructure",
        [SG_OBS_REF_DATAPROVISION] = "dataprovision"};
    uint8_t action = obs->action;
    if (is_first(w) && action != SG_ACTION_MERGE)
        return sg_obs_writer_refuse(w, obs, -1, "SDMX-CSV 1.0 has no actions");
    if (!is_first(w)) {
        sg_obs_writer_text(w, kinds[w->options.ref.kind]);
        sg_obs_writer_byte(w, w->options.delimiter);
    }
    put_ref(w);
    if (!is_first(w)) {
        sg_obs_writer_byte(w, w->options.delimiter);
        // 2.0 has no M; in 2.1 it would call a whole flow a change. I says the
        // same in both.
        sg_obs_writer_byte(w, action == SG_ACTION_MERGE ? 'I' : action);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        sg_obs_writer_byte(w, w->options.delimiter);
        enum sg_err err = put_value(w, obs, i);
        if (err != SG_OK)
            return err;
    }
    sg_obs_writer_text(w, "\r\n");
    return SG_OK;
}
