#include "schemas/sdmx/ml21.h"

#include "broker/base/check.h"
#include "schemas/sdmx/ml21_parts.h"

void
sg_ml21_say(struct sg_ml21 *ml, enum sg_fault_code code, uint64_t row,
            struct sg_slice component, struct sg_slice value, const char *hint)
{
    struct sg_fault fault = {.code = code,
                             .component = component,
                             .value = value,
                             .hint = sg_slice_text(hint),
                             .row = row,
                             .line = sg_ml21_line(ml)};
    ml->sink.fault(ml->sink.context, &fault);
}

static bool
is(struct sg_slice name, const char *word)
{
    return sg_slice_eq(name, sg_slice_text(word));
}

void
sg_ml21_aside(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    char hint[160];

    ml->aside = element->depth;
    if (is(element->name, "Annotations") || is(element->name, "DataProvider"))
        return;
    (void)snprintf(hint, sizeof hint,
                   "%.*s: no such element stands here in a data message, and "
                   "nothing within it is read",
                   (int)(element->name.len < 64 ? element->name.len : 64),
                   (const char *)element->name.ptr);
    sg_ml21_say(ml, SG_FAULT_XML, 0, SG_SLICE(""), SG_SLICE(""), hint);
}

enum sg_err
sg_ml21_no_text(struct sg_ml21 *ml, struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        sg_ml21_say(ml, SG_FAULT_XML, 0, SG_SLICE(""), SG_SLICE(""),
                    "text stands between the elements of a data set, where "
                    "nothing is read; values are attributes of elements");
        break;
    }
    return SG_OK;
}

static enum sg_err
root_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (ml->v20 && is(element->name, "CompactData"))
        ml->form = &sg_ml21_compact_form;
    for (size_t i = 0; i < SG_COUNT_OF(ml->form->roots); i++)
        if (is(element->name, ml->form->roots[i]))
            return SG_OK;
    sg_ml21_say(ml, SG_FAULT_HEADER, 0, SG_SLICE(""), element->name,
                ml->v20 ? "neither a generic nor a compact data message; send "
                          "it as SDMX-ML 2.1, or as SDMX-CSV"
                        : ml->form->refused);
    ml->dead = true;
    return SG_OK;
}

static enum sg_err
below_dataset(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (element->depth == 3 && is(element->name, "Series"))
        return sg_ml21_series_start(ml, element);
    if (element->depth == 3 && is(element->name, "Group"))
        return ml->blind
                   ? SG_OK
                   : sg_ml21_group_start(ml, SG_ML21_LEVEL_GROUP, element);
    bool obs = element->depth == 3 || (element->depth == 4 && ml->in_series);
    if (!obs || !is(element->name, "Obs")) {
        sg_ml21_aside(ml, element);
        return SG_OK;
    }
    ml->obs_known = element->known;
    return sg_ml21_obs_start(ml, element);
}

static enum sg_err
specific_end(struct sg_ml21 *ml, struct sg_slice name)
{
    (void)name;
    if (ml->depth == 3 && ml->in_series)
        return sg_ml21_series_end(ml);
    return ml->depth == 2 ? sg_ml21_dataset_end(ml) : SG_OK;
}

static const struct sg_ml21_form specific = {
    .roots = {"StructureSpecificData", "StructureSpecificTimeSeriesData"},
    .refused = "not a structure-specific data message of SDMX-ML 2.1",
    .dataset = sg_ml21_dataset_start,
    .start = below_dataset,
    .text = sg_ml21_no_text,
    .end = specific_end,
};

// A group of 2.0 has an element of its own name.
static enum sg_err
in_compact(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (element->depth != 3 || is(element->name, "Series") ||
        is(element->name, "Obs") || is(element->name, "Annotations"))
        return below_dataset(ml, element);
    return ml->blind ? SG_OK
                     : sg_ml21_group_start(ml, SG_ML21_LEVEL_GROUP, element);
}

const struct sg_ml21_form sg_ml21_compact_form = {
    .roots = {"CompactData"},
    .refused = "not a compact data message of SDMX-ML 2.0",
    .dataset = sg_ml21_dataset_start,
    .start = in_compact,
    .text = sg_ml21_no_text,
    .end = specific_end,
};

static enum sg_err
on_start(void *user, const struct sg_xml_element *element)
{
    struct sg_ml21 *ml = user;
    ml->depth = element->depth;
    if (ml->dead || ml->aside != 0)
        return SG_OK;
    if (element->known != 0 && element->known == ml->obs_known &&
        element->depth == 4 && ml->in_series && ml->in_dataset)
        return sg_ml21_obs_start(ml, element);
    if (element->depth == 1)
        return root_start(ml, element);
    if (ml->in_dataset)
        return ml->form->start(ml, element);
    if (element->depth == 2) {
        if (is(element->name, "Header"))
            ml->in_header = true;
        else if (is(element->name, "Footer"))
            ml->in_footer = true;
        else if (is(element->name, "DataSet"))
            return ml->form->dataset(ml, element);
        else
            sg_ml21_aside(ml, element);
    }
    return ml->in_header || ml->in_footer ? sg_ml21_header_start(ml, element)
                                          : SG_OK;
}

static enum sg_err
on_text(void *user, struct sg_slice text)
{
    struct sg_ml21 *ml = user;
    if (ml->in_header || ml->in_footer)
        return sg_ml21_header_text(ml, text);
    return ml->in_dataset && ml->aside == 0 && !ml->dead
               ? ml->form->text(ml, text)
               : SG_OK;
}

static enum sg_err
on_end(void *user, struct sg_slice ns, struct sg_slice name)
{
    struct sg_ml21 *ml = user;
    enum sg_err err = SG_OK;
    (void)ns;
    if (ml->dead)
        return SG_OK;
    if (ml->aside != 0)
        ml->aside = ml->depth == ml->aside ? 0 : ml->aside;
    else if (ml->in_header || ml->in_footer)
        err = sg_ml21_header_end(ml, name);
    else if (ml->in_dataset)
        err = ml->form->end(ml, name);
    ml->depth--;
    return err;
}

struct sg_ml21 *
sg_ml21_new(struct sg_arena *arena, enum sg_media media,
            const struct sg_obs_sink *sink, uint64_t salt, bool portable)
{
    static const struct sg_xml_events events = {on_start, on_text, on_end};
    struct sg_ml21 *ml = sg_arena_take(arena, sizeof *ml);
    if (ml == NULL)
        return NULL;
    ml->arena = arena;
    ml->v20 = media == SG_MEDIA_ML20;
    ml->form = media == SG_MEDIA_GENERIC21 || ml->v20 ? &sg_ml21_generic_form
               : media == SG_MEDIA_ML30               ? &sg_ml30_form
                                                      : &specific;
    ml->sink = *sink;
    ml->header_action = 'I';
    ml->groups_end = &ml->groups;
    if (sg_xml_open(arena, salt, &events, ml, &ml->xml) != SG_OK)
        return NULL;
    if (sg_xml_repeats(ml->xml, arena, portable) != SG_OK) {
        sg_xml_close(&ml->xml);
        return NULL;
    }
    return ml;
}

void
sg_ml21_fini(struct sg_ml21 *ml)
{
    if (ml->xml != NULL)
        sg_xml_close(&ml->xml);
}

uint64_t
sg_ml21_rows(const struct sg_ml21 *ml)
{
    return ml->rows;
}

// The document itself is refused: one fault, and no more is read.
static enum sg_err
refuse(struct sg_ml21 *ml, enum sg_err err, const struct sg_diag *diag)
{
    enum sg_fault_code code = SG_FAULT_XML;
    switch (sg_xml_fault(ml->xml)) {
    case SG_XML_NONE:
        return err; // a callback's
    case SG_XML_DTD:
        code = SG_FAULT_DTD;
        break;
    case SG_XML_ENCODING:
        code = SG_FAULT_ENCODING;
        break;
    case SG_XML_EMPTY:
        code = SG_FAULT_EMPTY;
        break;
    case SG_XML_SYNTAX:
    case SG_XML_SHORT:
    case SG_XML_LIMIT:
        break;
    }
    ml->dead = true;
    sg_ml21_say(ml, code, 0, SG_SLICE(""), SG_SLICE(""), diag->text);
    return SG_OK;
}

enum sg_err
sg_ml21_feed(struct sg_ml21 *ml, struct sg_slice bytes)
{
    struct sg_diag diag = {0};
    if (ml->dead)
        return SG_OK;
    enum sg_err err = sg_xml_feed(ml->xml, bytes, &diag);
    return err == SG_OK ? SG_OK : refuse(ml, err, &diag);
}

enum sg_err
sg_ml21_end(struct sg_ml21 *ml)
{
    struct sg_diag diag = {0};
    if (ml->dead)
        return SG_OK;
    enum sg_err err = sg_xml_finish(ml->xml, &diag);
    if (err != SG_OK)
        return refuse(ml, err, &diag);
    if (ml->obs.dataset > 0 || ml->structure_count == 0)
        return SG_OK;
    // No data set: the structure named must be known all the same.
    struct sg_obs_ref ref;
    if (sg_ml21_header_find(ml, ml->structures[0].id, &ref) != NULL &&
        ml->sink.structure(ml->sink.context, &ref) == NULL)
        sg_ml21_say(ml, SG_FAULT_STRUCTURE_UNKNOWN, 0, SG_SLICE("Structure"),
                    ref.id, NULL);
    return SG_OK;
}
