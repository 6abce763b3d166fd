// SDMX-ML 3.0 structure-specific data. What an element says is complete when its
// Comp elements have ended, so levels are gathered; Atts, Group, Series and Obs
// may be mixed.
// Source: SDMXDataStructureSpecific.xsd of 3.0.
#include "schemas/sdmx/ml21_parts.h"

static bool
is(struct sg_slice name, const char *word)
{
    return sg_slice_eq(name, sg_slice_text(word));
}

static enum sg_err
dataset(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    ml->open = (struct sg_ml21_open){0};
    return sg_ml21_dataset_start(ml, element);
}

// The level above is complete.
static enum sg_err
begin(struct sg_ml21 *ml, enum sg_ml21_level level, uint32_t *open,
      const struct sg_xml_element *element)
{
    enum sg_err err = sg_ml21_gather_end(ml);
    *open = element->depth;
    return err == SG_OK ? sg_ml21_gather_begin(ml, level, element) : err;
}

static enum sg_err
in_dataset(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml21_open *open = &ml->open;
    if (is(element->name, "Obs"))
        return begin(ml, SG_ML21_LEVEL_OBS, &open->obs, element);
    if (is(element->name, "Series"))
        return begin(ml, SG_ML21_LEVEL_SERIES, &open->series, element);
    if (is(element->name, "Group"))
        return begin(ml, SG_ML21_LEVEL_GROUP, &open->group, element);
    if (is(element->name, "Atts"))
        return begin(ml, SG_ML21_LEVEL_ATTS, &open->group, element);
    sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml21_open *open = &ml->open;
    uint32_t parent = element->depth - 1;
    uint32_t inmost = open->obs != 0      ? open->obs
                      : open->series != 0 ? open->series
                                          : open->group;
    if (open->values != 0)
        return sg_ml30_comp_start(ml, element);
    if (inmost == 0)
        return in_dataset(ml, element);
    if (parent == inmost && parent == open->series && is(element->name, "Obs"))
        return begin(ml, SG_ML21_LEVEL_OBS, &open->obs, element);
    if (parent == inmost && is(element->name, "Comp"))
        return sg_ml30_comp_begin(ml, element);
    sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
text(struct sg_ml21 *ml, struct sg_slice piece)
{
    return ml->open.values != 0 ? sg_ml30_comp_text(ml, piece)
                                : sg_ml21_no_text(ml, piece);
}

static enum sg_err
end(struct sg_ml21 *ml, struct sg_slice name)
{
    (void)name;
    return ml->open.values != 0 ? sg_ml30_comp_end(ml)
                                : sg_ml21_gather_close(ml);
}

const struct sg_ml21_form sg_ml30_form = {
    .roots = {"StructureSpecificData", "StructureSpecificTimeSeriesData"},
    .refused = "not a structure-specific data message of SDMX-ML 3.0",
    .dataset = dataset,
    .start = start,
    .text = text,
    .end = end,
};
