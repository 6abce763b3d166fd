// SDMX-ML 2.1 and 2.0 generic data: every value is an element. What belongs to one
// level is gathered, and handed over when the next level begins.
// Source: SDMXDataGenericBase.xsd; of 2.0, where time and the structure's name
// are texts, and a group may have its series in it: SDMXGenericData.xsd.
#include "schemas/sdmx/ml21_parts.h"

static bool
is(struct sg_slice name, const char *word)
{
    return sg_slice_eq(name, sg_slice_text(word));
}

static enum sg_err
dataset(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    ml->in_dataset = true;
    ml->open = (struct sg_ml21_open){0};
    return sg_ml21_gather_begin(ml, SG_ML21_LEVEL_DATASET, element);
}

// The next level begins; the one above it is complete.
static enum sg_err
begin(struct sg_ml21 *ml, enum sg_ml21_level level)
{
    enum sg_err err = sg_ml21_gather_end(ml);
    return err == SG_OK ? sg_ml21_gather_begin(ml, level, NULL) : err;
}

static enum sg_err
put(struct sg_ml21 *ml, const struct sg_xml_element *element,
    struct sg_slice name)
{
    struct sg_slice id =
        sg_xml_attr(element, ml->v20 ? SG_SLICE("concept") : SG_SLICE("id"));
    return sg_ml21_gather_put(ml, id.len > 0 ? id : name,
                              sg_xml_attr(element, SG_SLICE("value")),
                              SG_VALUE_TEXT);
}

// Whose name need not be written: the measure, the observation's dimension.
static struct sg_slice
id_of(const struct sg_ml21 *ml, int32_t component, struct sg_slice otherwise)
{
    return ml->blind || component < 0 ? otherwise
                                      : ml->structure->components[component].id;
}

// The text of this element is a value.
static enum sg_err
word_begins(struct sg_ml21 *ml, const struct sg_xml_element *element,
            enum sg_ml20_word word)
{
    ml->open.values = element->depth;
    ml->word = word;
    ml->text_len = 0;
    return SG_OK;
}

static enum sg_err
word_ends(struct sg_ml21 *ml)
{
    enum sg_ml20_word word = ml->word;
    struct sg_slice text = sg_ml21_header_word(ml);
    ml->word = SG_ML20_NONE;
    if (word == SG_ML20_KEY_FAMILY)
        return sg_ml21_header_key_family(ml, text);
    return sg_ml21_gather_put(ml,
                              id_of(ml, ml->blind ? -1 : ml->structure->time,
                                    SG_SLICE("TIME_PERIOD")),
                              text, SG_VALUE_TEXT);
}

static enum sg_err
in_obs(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    const struct sg_structure *s = ml->structure;
    if (ml->v20 && is(element->name, "Time"))
        return word_begins(ml, element, SG_ML20_TIME);
    if (!ml->v20 && is(element->name, "ObsDimension"))
        return put(ml, element, id_of(ml, ml->at, SG_SLICE("TIME_PERIOD")));
    if (is(element->name, "ObsValue"))
        return put(
            ml, element,
            id_of(ml, ml->blind ? -1 : s->measure, SG_SLICE("OBS_VALUE")));
    if (is(element->name, "ObsKey") || is(element->name, "Attributes"))
        ml->open.values = element->depth;
    else
        sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
in_series(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (is(element->name, "Obs")) {
        ml->open.obs = element->depth;
        return begin(ml, SG_ML21_LEVEL_OBS);
    }
    if (is(element->name, "SeriesKey") || is(element->name, "Attributes"))
        ml->open.values = element->depth;
    else
        sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
in_dataset(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml21_open *open = &ml->open;
    if (ml->v20 && is(element->name, "KeyFamilyRef") && ml->gather.open)
        return word_begins(ml, element, SG_ML20_KEY_FAMILY);
    if (is(element->name, "Attributes")) {
        open->values = element->depth;
    } else if (is(element->name, "Group")) {
        open->group = element->depth;
        return begin(ml, SG_ML21_LEVEL_GROUP);
    } else if (is(element->name, "Series")) {
        open->series = element->depth;
        return begin(ml, SG_ML21_LEVEL_SERIES);
    } else if (is(element->name, "Obs")) {
        open->obs = element->depth;
        return begin(ml, SG_ML21_LEVEL_OBS);
    } else {
        sg_ml21_aside(ml, element);
    }
    return SG_OK;
}

static enum sg_err
in_group(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (ml->v20 && is(element->name, "Series")) {
        ml->open.series = element->depth;
        return begin(ml, SG_ML21_LEVEL_SERIES);
    }
    if (is(element->name, "GroupKey") || is(element->name, "Attributes"))
        ml->open.values = element->depth;
    else
        sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    const struct sg_ml21_open *open = &ml->open;
    uint32_t parent = element->depth - 1;
    if (open->values != 0 && parent == open->values &&
        is(element->name, "Value"))
        return put(ml, element, SG_SLICE(""));
    if (open->values == 0 && open->obs != 0 && parent == open->obs)
        return in_obs(ml, element);
    if (open->values == 0 && open->obs == 0 && open->series != 0 &&
        parent == open->series)
        return in_series(ml, element);
    if (open->values == 0 && open->series == 0 && open->group != 0 &&
        parent == open->group)
        return in_group(ml, element);
    if (parent == 2)
        return in_dataset(ml, element);
    sg_ml21_aside(ml, element);
    return SG_OK;
}

static enum sg_err
end(struct sg_ml21 *ml, struct sg_slice name)
{
    (void)name;
    if (ml->depth != ml->open.values)
        return sg_ml21_gather_close(ml);
    ml->open.values = 0;
    return ml->word == SG_ML20_NONE ? SG_OK : word_ends(ml);
}

static enum sg_err
text(struct sg_ml21 *ml, struct sg_slice piece)
{
    return ml->word == SG_ML20_NONE ? sg_ml21_no_text(ml, piece)
                                    : sg_ml21_header_text(ml, piece);
}

const struct sg_ml21_form sg_ml21_generic_form = {
    .roots = {"GenericData", "GenericTimeSeriesData"},
    .refused = "not a generic data message of SDMX-ML",
    .dataset = dataset,
    .start = start,
    .text = text,
    .end = end,
};
