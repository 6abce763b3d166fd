#include "schemas/sdmx/ml21_parts.h"

void
sg_ml21_gather_refuse(struct sg_ml21 *ml)
{
    ml->dead = true;
    sg_ml21_say(ml, SG_FAULT_XML, 0, SG_SLICE(""), SG_SLICE(""),
                "too many values in one element; send a smaller document");
}

static enum sg_err
put(struct sg_ml21 *ml, const struct sg_xml_attr *from, enum sg_value_kind kind)
{
    struct sg_slice name = from->name, value = from->value;
    struct sg_ml21_gather *g = &ml->gather;
    if (g->count == SG_LIMIT_XML_ATTRS ||
        g->room.len + name.len + value.len > SG_LIMIT_ROW) {
        sg_ml21_gather_refuse(ml);
        return SG_OK;
    }
    g->kinds[g->count] = (uint8_t)kind;
    struct sg_xml_attr *attr = &g->attrs[g->count++];
    *attr = (struct sg_xml_attr){
        .ns = from->ns.len > 0 ? SG_SLICE("foreign") : SG_SLICE(""),
        .known = from->known,
        .name = sg_ml21_room_copy(ml, &g->room, name),
        .value = sg_ml21_room_copy(ml, &g->room, value),
    };
    return attr->name.ptr == NULL || attr->value.ptr == NULL ? SG_ERR_FULL
                                                             : SG_OK;
}

enum sg_err
sg_ml21_gather_begin(struct sg_ml21 *ml, enum sg_ml21_level level,
                     const struct sg_xml_element *element)
{
    struct sg_ml21_gather *g = &ml->gather;
    if (g->attrs == NULL)
        g->attrs =
            sg_arena_take(ml->arena, SG_LIMIT_XML_ATTRS * sizeof *g->attrs);
    if (g->attrs == NULL)
        return SG_ERR_FULL;
    g->open = true;
    g->level = level;
    g->count = 0;
    g->line = sg_xml_place(ml->xml).line;
    g->room.len = 0;
    enum sg_err err = SG_OK;
    for (uint32_t i = 0; element != NULL && i < element->attr_count; i++)
        if (err == SG_OK)
            err = put(ml, &element->attrs[i], SG_VALUE_TEXT);
    return err;
}

// Of two values of one name no reader knows which is meant.
static bool
stands_twice(const struct sg_ml21_gather *g, struct sg_slice name)
{
    for (uint32_t i = 0; i < g->count; i++)
        if (g->attrs[i].ns.len == 0 && sg_slice_eq(g->attrs[i].name, name))
            return true;
    return false;
}

enum sg_err
sg_ml21_gather_put(struct sg_ml21 *ml, struct sg_slice name,
                   struct sg_slice value, enum sg_value_kind kind)
{
    const struct sg_xml_attr attr = {.name = name, .value = value};
    struct sg_ml21_gather *g = &ml->gather;
    struct sg_slice shown = kind == SG_VALUE_TEXT ? value : SG_SLICE("");
    if (!g->open) {
        sg_ml21_say(ml, SG_FAULT_ATTR_LEVEL, 0, name, shown,
                    "it stands behind the observations of its data set or "
                    "series; write it before them");
        return SG_OK;
    }
    if (!stands_twice(g, name))
        return put(ml, &attr, kind);
    sg_ml21_say(ml, SG_FAULT_OCCURS, sg_ml21_row(ml, g->level), name, shown,
                "it stands twice in one element");
    return SG_OK;
}

enum sg_err
sg_ml21_gather_end(struct sg_ml21 *ml)
{
    struct sg_ml21_gather *g = &ml->gather;
    const struct sg_xml_element element = {.attrs = g->attrs,
                                           .attr_count = g->count};
    enum sg_err err = SG_OK;
    if (!g->open)
        return SG_OK;
    g->open = false;
    ml->line = g->line;
    ml->kinds = g->kinds;
    switch (g->level) {
    case SG_ML21_LEVEL_DATASET:
        err = sg_ml21_dataset_start(ml, &element);
        break;
    case SG_ML21_LEVEL_GROUP:
    case SG_ML21_LEVEL_ATTS:
        if (!ml->blind)
            err = sg_ml21_group_start(ml, g->level, &element);
        break;
    case SG_ML21_LEVEL_SERIES:
        err = sg_ml21_series_start(ml, &element);
        break;
    case SG_ML21_LEVEL_OBS:
        err = sg_ml21_obs_start(ml, &element);
        break;
    case SG_ML21_LEVELS:
        break;
    }
    ml->line = 0;
    ml->kinds = NULL;
    return err;
}

enum sg_err
sg_ml21_gather_close(struct sg_ml21 *ml)
{
    struct sg_ml21_open *open = &ml->open;
    enum sg_err err = SG_OK;
    if (ml->depth == open->obs) {
        open->obs = 0;
        err = sg_ml21_gather_end(ml);
    } else if (ml->depth == open->series) {
        open->series = 0;
        err = sg_ml21_gather_end(ml);
        if (err == SG_OK)
            err = sg_ml21_series_end(ml);
    } else if (ml->depth == open->group) {
        open->group = 0;
        err = sg_ml21_gather_end(ml);
    } else if (ml->depth == 2) {
        err = sg_ml21_gather_end(ml);
        if (err == SG_OK)
            err = sg_ml21_dataset_end(ml);
    }
    return err;
}
