#include "broker/base/bytes.h"
#include "schemas/sdmx/obs_writer_parts.h"

// Where a component is written.
enum level { LEVEL_DATASET, LEVEL_GROUP, LEVEL_SERIES, LEVEL_OBS };

static const char ns_root[] = "http://www.sdmx.org/resources/sdmxml/schemas/";

static bool
is_30(const struct sg_obs_writer *w)
{
    return w->options.media == SG_MEDIA_ML30;
}

static uint8_t
level_of(const struct sg_structure *s, uint32_t i)
{
    const struct sg_component *c = &s->components[i];
    bool time =
        s->time >= 0 && s->time < 64 && (c->dimensions >> s->time & 1) != 0;
    if (c->kind == SG_KIND_TIME || c->kind == SG_KIND_MEASURE)
        return LEVEL_OBS;
    if (c->kind == SG_KIND_DIMENSION)
        return s->time < 0 ? LEVEL_OBS : LEVEL_SERIES;
    if (c->attach == SG_ATTACH_DATASET)
        return LEVEL_DATASET;
    if (c->attach == SG_ATTACH_GROUP)
        return LEVEL_GROUP;
    return c->attach == SG_ATTACH_DIMENSIONS && !time && s->time >= 0
               ? LEVEL_SERIES
               : LEVEL_OBS;
}

// ---- text --------------------------------------------------------------------

// Attribute values are normalised by readers: white space goes as references.
void
sg_obs_writer_escaped(struct sg_obs_writer *w, struct sg_slice text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *instead = NULL;
        switch (text.ptr[i]) {
        case '&':
            instead = "&amp;";
            break;
        case '<':
            instead = "&lt;";
            break;
        case '>':
            instead = "&gt;";
            break;
        case '"':
            instead = "&quot;";
            break;
        case '\t':
            instead = "&#9;";
            break;
        case '\n':
            instead = "&#10;";
            break;
        case '\r':
            instead = "&#13;";
            break;
        default:
            continue;
        }
        sg_obs_writer_bytes(w, sg_slice_of(text.ptr + from, i - from));
        sg_obs_writer_text(w, instead);
        from = i + 1;
    }
    sg_obs_writer_bytes(w, sg_slice_of(text.ptr + from, text.len - from));
}

// No controls but three, no U+FFFE, U+FFFF.
bool
sg_obs_writer_is_xml(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
        if (c == 0xef && i + 2 < text.len && text.ptr[i + 1] == 0xbf &&
            text.ptr[i + 2] >= 0xbe)
            return false;
    }
    return true;
}

static void
put_attribute(struct sg_obs_writer *w, const char *name, struct sg_slice value)
{
    sg_obs_writer_byte(w, ' ');
    sg_obs_writer_text(w, name);
    sg_obs_writer_text(w, "=\"");
    sg_obs_writer_escaped(w, value);
    sg_obs_writer_byte(w, '"');
}

static void
put_element(struct sg_obs_writer *w, const char *name, struct sg_slice text)
{
    sg_obs_writer_text(w, "<mes:");
    sg_obs_writer_text(w, name);
    sg_obs_writer_byte(w, '>');
    sg_obs_writer_escaped(w, text);
    sg_obs_writer_text(w, "</mes:");
    sg_obs_writer_text(w, name);
    sg_obs_writer_byte(w, '>');
}

// ---- header ------------------------------------------------------------------

static const char *
class_of(const struct sg_obs_ref *ref)
{
    return ref->kind == SG_OBS_REF_DATASTRUCTURE   ? "DataStructure"
           : ref->kind == SG_OBS_REF_DATAPROVISION ? "ProvisionAgreement"
                                                   : "Dataflow";
}

static void
put_urn(struct sg_obs_writer *w)
{
    const struct sg_obs_ref *ref = &w->options.ref;
    sg_obs_writer_text(w, "urn:sdmx:org.sdmx.infomodel.");
    sg_obs_writer_text(w, ref->kind == SG_OBS_REF_DATAPROVISION
                              ? "registry."
                              : "datastructure.");
    sg_obs_writer_text(w, class_of(ref));
    sg_obs_writer_byte(w, '=');
    sg_obs_writer_escaped(w, ref->agency);
    sg_obs_writer_byte(w, ':');
    sg_obs_writer_escaped(w, ref->id);
    sg_obs_writer_byte(w, '(');
    sg_obs_writer_escaped(w, ref->version.len == 0 ? SG_SLICE("1.0")
                                                   : ref->version);
    sg_obs_writer_byte(w, ')');
}

static void
put_namespace(struct sg_obs_writer *w)
{
    put_urn(w);
    sg_obs_writer_text(w, ":ObsLevelDim:");
    sg_obs_writer_text(w, w->structure->time < 0 ? "AllDimensions"
                                                 : "TIME_PERIOD");
}

// 2.1 takes the reference apart.
static void
put_ref(struct sg_obs_writer *w)
{
    const struct sg_obs_ref *ref = &w->options.ref;
    sg_obs_writer_text(w, "<Ref");
    put_attribute(w, "agencyID", ref->agency);
    put_attribute(w, "id", ref->id);
    if (ref->version.len > 0)
        put_attribute(w, "version", ref->version);
    put_attribute(w, "class", sg_slice_text(class_of(ref)));
    sg_obs_writer_text(w, "/>");
}

static void
put_structure(struct sg_obs_writer *w)
{
    enum sg_obs_ref_kind kind = w->options.ref.kind;
    const char *wrap = kind == SG_OBS_REF_DATASTRUCTURE   ? "Structure"
                       : kind != SG_OBS_REF_DATAPROVISION ? "StructureUsage"
                       : is_30(w)                         ? "ProvisionAgreement"
                                  : "ProvisionAgrement"; // so spelled in 2.1
    sg_obs_writer_text(w, "<mes:Structure structureID=\"S1\" namespace=\"");
    put_namespace(w);
    sg_obs_writer_text(w, "\" dimensionAtObservation=\"");
    sg_obs_writer_text(w, w->structure->time < 0 ? "AllDimensions"
                                                 : "TIME_PERIOD");
    sg_obs_writer_text(w, "\"><com:");
    sg_obs_writer_text(w, wrap);
    sg_obs_writer_byte(w, '>');
    if (is_30(w))
        put_urn(w);
    else
        put_ref(w);
    sg_obs_writer_text(w, "</com:");
    sg_obs_writer_text(w, wrap);
    sg_obs_writer_text(w, "></mes:Structure>");
}

static struct sg_slice
or_else(struct sg_slice text, const char *other)
{
    return text.len > 0 ? text : sg_slice_text(other);
}

enum sg_err
sg_obs_writer_ml_begin(struct sg_obs_writer *w)
{
    static const char *const prefixes[][2] = {{"mes", "message"},
                                              {"ss", "data/structurespecific"},
                                              {"com", "common"}};
    const struct sg_obs_header *h = &w->options.header;
    for (uint32_t i = 0; i < w->count; i++)
        w->level[i] = level_of(w->structure, i);
    sg_obs_writer_text(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<mes:StructureSpecificData xmlns:xsi=\"http://"
                          "www.w3.org/2001/XMLSchema-instance\"");
    for (size_t i = 0; i < SG_COUNT_OF(prefixes); i++) {
        sg_obs_writer_text(w, " xmlns:");
        sg_obs_writer_text(w, prefixes[i][0]);
        sg_obs_writer_text(w, "=\"");
        sg_obs_writer_text(w, ns_root);
        sg_obs_writer_text(w, is_30(w) ? "v3_0/" : "v2_1/");
        sg_obs_writer_text(w, prefixes[i][1]);
        sg_obs_writer_byte(w, '"');
    }
    sg_obs_writer_text(w, " xmlns:ns1=\"");
    put_namespace(w);
    sg_obs_writer_text(w, "\">\n<mes:Header>");
    put_element(w, "ID", or_else(h->id, "statgate"));
    put_element(w, "Test", sg_slice_text(h->test ? "true" : "false"));
    put_element(w, "Prepared", or_else(h->prepared, "1970-01-01T00:00:00Z"));
    sg_obs_writer_text(w, "<mes:Sender");
    put_attribute(w, "id", or_else(h->sender, "statgate"));
    sg_obs_writer_text(w, "/>");
    put_structure(w);
    sg_obs_writer_text(w, "</mes:Header>\n");
    return SG_OK;
}

// ---- rows --------------------------------------------------------------------

static struct sg_slice
value_text(const struct sg_value *value)
{
    struct sg_slice text = {NULL, 0};
    if (value->kind == SG_VALUE_TEXT)
        text = sg_obs_value_bytes(value);
    else if (value->kind == SG_VALUE_SEVERAL)
        (void)!sg_obs_writer_single(value, &text);
    return text;
}

static enum sg_err
check_row(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct sg_value *v = &obs->values[i];
        if (v->kind == SG_VALUE_ABSENT)
            continue;
        if (sg_obs_writer_comp_needed(w, v, i)) {
            if (sg_obs_writer_comp_fits(w, v, i))
                continue;
            return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                        "a character that XML does not have");
        }
        struct sg_slice text = value_text(v);
        if (text.len == 0)
            return sg_obs_writer_refuse(
                w, obs, (int32_t)i,
                is_30(w) ? "SDMX-ML has no ~"
                         : "SDMX-ML 2.1 has neither several values, languages "
                           "nor ~");
        if (!sg_obs_writer_is_xml(text))
            return sg_obs_writer_refuse(w, obs, (int32_t)i,
                                        "a character that XML does not have");
    }
    return SG_OK;
}

// As XML attribute, if it can be one.
static void
put_component(struct sg_obs_writer *w, const struct sg_obs *obs, uint32_t i)
{
    if (sg_obs_writer_comp_needed(w, &obs->values[i], i))
        return;
    sg_obs_writer_byte(w, ' ');
    sg_obs_writer_bytes(w, w->structure->components[i].id);
    sg_obs_writer_text(w, "=\"");
    sg_obs_writer_escaped(w, value_text(&obs->values[i]));
    sg_obs_writer_byte(w, '"');
}

// All components of a level that the row has.
static void
put_level(struct sg_obs_writer *w, const struct sg_obs *obs, uint8_t level)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->level[i] == level && obs->values[i].kind != SG_VALUE_ABSENT)
            put_component(w, obs, i);
    }
}

// What could be no attribute of the element of this level; then its end.
static void
close_level(struct sg_obs_writer *w, const struct sg_obs *obs, uint64_t levels,
            int32_t group, const char *name)
{
    bool open = false;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct sg_value *v = &obs->values[i];
        if ((levels >> w->level[i] & 1) == 0 || v->kind == SG_VALUE_ABSENT ||
            (group >= 0 && w->structure->components[i].group != group) ||
            !sg_obs_writer_comp_needed(w, v, i))
            continue;
        if (!open)
            sg_obs_writer_byte(w, '>');
        open = true;
        sg_obs_writer_comp_put(w, v, i);
    }
    if (!open) {
        sg_obs_writer_text(w, "/>\n");
        return;
    }
    sg_obs_writer_text(w, "</");
    sg_obs_writer_text(w, name);
    sg_obs_writer_text(w, ">\n");
}

static bool
has_comp(const struct sg_obs_writer *w, const struct sg_obs *obs, uint8_t level)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->level[i] == level && obs->values[i].kind != SG_VALUE_ABSENT &&
            sg_obs_writer_comp_needed(w, &obs->values[i], i))
            return true;
    return false;
}

static bool
has_level(const struct sg_obs_writer *w, const struct sg_obs *obs,
          uint8_t level)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->level[i] == level && obs->values[i].kind != SG_VALUE_ABSENT)
            return true;
    return false;
}

static bool
same_level(const struct sg_obs_writer *w, const struct sg_obs *obs,
           uint8_t level)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->level[i] == level &&
            !sg_obs_value_eq(&w->last[i], &obs->values[i]))
            return false;
    return true;
}

static void
close_series(struct sg_obs_writer *w)
{
    if (w->series_open)
        sg_obs_writer_text(w, "</Series>\n");
    w->series_open = false;
}

static void
close_dataset(struct sg_obs_writer *w)
{
    close_series(w);
    if (w->dataset_open)
        sg_obs_writer_text(w, "</mes:DataSet>\n");
    w->dataset_open = false;
}

static void
open_dataset(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    close_dataset(w);
    sg_obs_writer_text(w, "<mes:DataSet ss:dataScope=\"");
    sg_obs_writer_text(w, class_of(&w->options.ref));
    sg_obs_writer_text(w, "\" xsi:type=\"ns1:DataSetType\" "
                          "ss:structureRef=\"S1\" ss:action=\"");
    sg_obs_writer_text(w, obs->action == SG_ACTION_REPLACE  ? "Replace"
                          : obs->action == SG_ACTION_DELETE ? "Delete"
                                                            : "Information");
    sg_obs_writer_byte(w, '"');
    put_level(w, obs, LEVEL_DATASET);
    sg_obs_writer_text(w, ">\n");
    if (has_comp(w, obs, LEVEL_DATASET)) {
        sg_obs_writer_text(w, "<Atts");
        close_level(w, obs, 1u << LEVEL_DATASET, -1, "Atts");
    }
    w->dataset_open = true;
    w->action = obs->action;
}

static void
open_group(struct sg_obs_writer *w, const struct sg_obs *obs,
           const struct sg_group *group)
{
    sg_obs_writer_text(w, "<Group xsi:type=\"ns1:");
    sg_obs_writer_bytes(w, group->id);
    sg_obs_writer_byte(w, '"');
    for (uint32_t d = 0; d < w->dimensions && d < 64; d++) {
        if ((group->dimensions >> d & 1) != 0 &&
            obs->values[d].kind != SG_VALUE_ABSENT)
            put_component(w, obs, d);
    }
}

// One Group element for each group whose attributes the row has.
static void
put_groups(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    for (uint32_t g = 0; g < w->structure->group_count; g++) {
        bool begun = false;
        for (uint32_t i = 0; i < w->count; i++) {
            if (w->level[i] != LEVEL_GROUP ||
                w->structure->components[i].group != (int32_t)g ||
                obs->values[i].kind == SG_VALUE_ABSENT)
                continue;
            if (!begun)
                open_group(w, obs, &w->structure->groups[g]);
            begun = true;
            put_component(w, obs, i);
        }
        if (begun)
            close_level(w, obs, 1u << LEVEL_GROUP, (int32_t)g, "Group");
    }
}

// Keeps the row's values for the comparison with the next.
static enum sg_err
remember(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    unsigned turn = w->turn ^= 1;
    size_t len = sg_canonical_row_size(obs->values, w->count);
    if (w->room_cap[turn] < len) {
        w->room_cap[turn] = len < 4096 ? 4096 : 2 * len;
        w->room[turn] = sg_arena_take(w->arena, w->room_cap[turn]);
        if (w->room[turn] == NULL)
            return SG_ERR_FULL;
    }
    struct sg_writer bytes = sg_writer_on(w->room[turn], len);
    sg_canonical_row_put(&bytes, obs->values, w->count);
    return sg_canonical_row_take(sg_writer_slice(&bytes), w->last, w->count);
}

static bool
has_series_key(const struct sg_obs_writer *w, const struct sg_obs *obs)
{
    for (uint32_t i = 0; i < w->structure->dimension_count; i++)
        if (obs->values[i].kind == SG_VALUE_ABSENT)
            return false;
    return true;
}

static bool
has_series_attribute(const struct sg_obs_writer *w, const struct sg_obs *obs)
{
    for (uint32_t i = w->dimensions; i < w->count; i++)
        if (w->level[i] == LEVEL_SERIES &&
            obs->values[i].kind != SG_VALUE_ABSENT)
            return true;
    return false;
}

// Attributes at a partial key: a data set of their own, so that they are
// repeated on no other row.
static enum sg_err
put_partial(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    if (w->structure->time >= 0 && has_level(w, obs, LEVEL_OBS))
        return sg_obs_writer_refuse(w, obs, w->structure->time,
                                    "an observation without its key");
    bool group = has_level(w, obs, LEVEL_GROUP) || has_series_attribute(w, obs);
    bool key =
        has_level(w, obs, w->structure->time < 0 ? LEVEL_OBS : LEVEL_SERIES);
    if (!group && key)
        return sg_obs_writer_refuse(w, obs, 0,
                                    "a key without a value or an attribute");
    open_dataset(w, obs);
    if (group) {
        const char *name = is_30(w) ? "Atts" : "Group";
        sg_obs_writer_byte(w, '<');
        sg_obs_writer_text(w, name);
        put_level(w, obs, LEVEL_SERIES);
        put_level(w, obs, LEVEL_GROUP);
        close_level(w, obs, 1u << LEVEL_SERIES | 1u << LEVEL_GROUP, -1, name);
    }
    close_dataset(w);
    return SG_OK;
}

static void
put_series(struct sg_obs_writer *w, const struct sg_obs *obs, bool fresh)
{
    if (fresh || !w->series_open || !same_level(w, obs, LEVEL_SERIES)) {
        close_series(w);
        sg_obs_writer_text(w, "<Series");
        put_level(w, obs, LEVEL_SERIES);
        sg_obs_writer_byte(w, '>');
        for (uint32_t i = 0; i < w->count; i++)
            if (w->level[i] == LEVEL_SERIES &&
                obs->values[i].kind != SG_VALUE_ABSENT &&
                sg_obs_writer_comp_needed(w, &obs->values[i], i))
                sg_obs_writer_comp_put(w, &obs->values[i], i);
        sg_obs_writer_byte(w, '\n');
        w->series_open = true;
    }
}

enum sg_err
sg_obs_writer_ml_put(struct sg_obs_writer *w, const struct sg_obs *obs)
{
    enum sg_err err = check_row(w, obs);
    if (err != SG_OK)
        return err;
    bool deletes = obs->action == SG_ACTION_DELETE;
    bool flat = w->structure->time < 0;
    if (deletes && has_level(w, obs, LEVEL_GROUP))
        return sg_obs_writer_refuse(w, obs, -1,
                                    "deleting an attribute of a group");
    bool observed = has_level(w, obs, LEVEL_OBS);
    if (!deletes && (!has_series_key(w, obs) ||
                     (!observed && !has_series_attribute(w, obs)))) {
        err = put_partial(w, obs);
        return err == SG_OK ? remember(w, obs) : err;
    }
    bool fresh = !w->dataset_open || w->action != obs->action ||
                 !same_level(w, obs, LEVEL_DATASET) ||
                 (has_level(w, obs, LEVEL_GROUP) &&
                  (!same_level(w, obs, LEVEL_GROUP) ||
                   !same_level(w, obs, LEVEL_SERIES))) ||
                 !same_level(w, obs, LEVEL_GROUP);
    if (fresh) {
        open_dataset(w, obs);
        put_groups(w, obs);
    }
    if (!flat)
        put_series(w, obs, fresh);
    if (!observed) // attributes of the series alone
        close_series(w);
    if (observed) {
        sg_obs_writer_text(w, "<Obs");
        put_level(w, obs, LEVEL_OBS);
        close_level(w, obs, 1u << LEVEL_OBS, -1, "Obs");
    }
    return remember(w, obs);
}

enum sg_err
sg_obs_writer_ml_end(struct sg_obs_writer *w)
{
    close_dataset(w);
    sg_obs_writer_text(w, "</mes:StructureSpecificData>\n");
    return SG_OK;
}
