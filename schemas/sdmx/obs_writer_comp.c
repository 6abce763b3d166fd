// Comp of SDMX-ML 3.0: several values, languages, and lists of them, which no
// XML attribute can hold.
#include "broker/base/bytes.h"
#include "schemas/sdmx/obs_writer_parts.h"

static struct sg_slice
next(struct sg_reader *r)
{
    return sg_bytes_take(r, sg_bytes_varint(r));
}

bool
sg_obs_writer_comp_needed(const struct sg_obs_writer *w,
                          const struct sg_value *value, uint32_t component)
{
    struct sg_slice text;
    return w->options.media == SG_MEDIA_ML30 &&
           (value->kind == SG_VALUE_LANGUAGES ||
            (value->kind == SG_VALUE_SEVERAL &&
             (w->structure->components[component].languages ||
              !sg_obs_writer_single(value, &text))));
}

// A count, then of each language its tag and its text.
static bool
languages_fit(struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);
    uint64_t count = sg_bytes_varint(&r);
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        struct sg_slice tag = next(&r), text = next(&r);
        if (tag.len == 0 || !sg_obs_writer_is_xml(tag) ||
            !sg_obs_writer_is_xml(text))
            return false;
    }
    return count > 0 && sg_bytes_end(&r);
}

bool
sg_obs_writer_comp_fits(const struct sg_obs_writer *w,
                        const struct sg_value *value, uint32_t component)
{
    bool languages = w->structure->components[component].languages;
    if (value->kind == SG_VALUE_LANGUAGES)
        return languages_fit(sg_obs_value_bytes(value));
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
    uint64_t count = sg_bytes_varint(&r);
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        struct sg_slice item = next(&r);
        if (!sg_obs_writer_is_xml(item) && !languages)
            return false;
        if (languages && item.len > 0 && !languages_fit(item))
            return false;
    }
    return count > 0 && sg_bytes_end(&r);
}

static void
put_languages(struct sg_obs_writer *w, struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);
    uint64_t count = sg_bytes_varint(&r);
    for (uint64_t i = 0; i < count; i++) {
        sg_obs_writer_text(w, "<com:Text xml:lang=\"");
        sg_obs_writer_escaped(w, next(&r));
        sg_obs_writer_text(w, "\">");
        sg_obs_writer_escaped(w, next(&r));
        sg_obs_writer_text(w, "</com:Text>");
    }
}

static void
put_item(struct sg_obs_writer *w, struct sg_slice item, bool languages)
{
    sg_obs_writer_text(w, "<Value>");
    if (!languages)
        sg_obs_writer_escaped(w, item);
    else if (item.len > 0)
        put_languages(w, item);
    sg_obs_writer_text(w, "</Value>");
}

void
sg_obs_writer_comp_put(struct sg_obs_writer *w, const struct sg_value *value,
                       uint32_t component)
{
    const struct sg_component *c = &w->structure->components[component];
    sg_obs_writer_text(w, "<Comp id=\"");
    sg_obs_writer_bytes(w, c->id);
    sg_obs_writer_text(w, "\" xsi:type=\"ns1:");
    sg_obs_writer_bytes(w, c->id);
    sg_obs_writer_text(w, c->kind == SG_KIND_MEASURE ? "_MEASURE\">"
                                                     : "_ATTRIBUTE\">");
    if (value->kind == SG_VALUE_LANGUAGES) {
        put_item(w, sg_obs_value_bytes(value), true);
    } else {
        struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
        uint64_t count = sg_bytes_varint(&r);
        for (uint64_t i = 0; i < count; i++)
            put_item(w, next(&r), c->languages);
    }
    sg_obs_writer_text(w, "</Comp>");
}
