// ml21_parts - what the files of the SDMX-ML reader share.
#pragma once

#include <stdio.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/ml21.h"
#include "schemas/sdmx/xml.h"

enum {
    SG_ML21_TEXT = 1024,      // of one header element
    SG_ML21_STRUCTURES = 256, // of one header
    SG_ML21_MASKS = 64,       // sets of dimensions that groups have
    SG_ML21_BUCKETS = 4096,
    SG_ML21_MEMO = 128,
};

// Where in the message we are; the level's name.
enum sg_ml21_level {
    SG_ML21_LEVEL_DATASET = 0,
    SG_ML21_LEVEL_GROUP,
    SG_ML21_LEVEL_ATTS, // 3.0: attributes at any part of the key
    SG_ML21_LEVEL_SERIES,
    SG_ML21_LEVEL_OBS,
    SG_ML21_LEVELS,
};

struct sg_ml21_structure { // of the header
    struct sg_slice id;    // structureID
    struct sg_slice at;    // dimensionAtObservation
    struct sg_obs_ref ref;
    bool has_ref;
};

// Bytes of a level that outlive its element.
struct sg_ml21_room {
    uint8_t *ptr;
    size_t len, cap;
};

struct sg_ml21_attribute { // of a group
    uint16_t component;
    struct sg_value value;
};

struct sg_ml21_group {
    struct sg_ml21_group *next, *next_all;
    uint64_t mask, hash;
    uint32_t count;
    uint32_t dimensions; // the first so many attributes are the key
    uint64_t line;
    bool used;
    struct sg_ml21_attribute *attributes;
};

// Attributes come in the same order again and again: what the i-th was.
struct sg_ml21_memo {
    uint8_t name[40];
    uint8_t len;    // 0: nothing
    bool misplaced; // stands at another level than the structure says
    int32_t component;
};

// The same by the number that the scanner gives.
struct sg_ml21_known {
    uint8_t place; // 1 + level, and whether in a series; 0: nothing
    int16_t component;
};

// The value that the last observation had of its own.
struct sg_ml21_last {
    uint64_t head, tail; // its bytes
    uint32_t len;        // UINT32_MAX: not kept
};

struct sg_ml21;

// What is in a data set, as one format writes it; the levels are the same.
struct sg_ml21_form {
    const char *roots[2];
    const char *refused; // any other root
    // The start of a data set; of an element within; text; the end of an
    // element within, and of the data set (depth 2).
    enum sg_err (*dataset)(struct sg_ml21 *ml,
                           const struct sg_xml_element *element);
    enum sg_err (*start)(struct sg_ml21 *ml,
                         const struct sg_xml_element *element);
    enum sg_err (*text)(struct sg_ml21 *ml, struct sg_slice text);
    enum sg_err (*end)(struct sg_ml21 *ml, struct sg_slice name);
};

// A level whose values come one by one, in elements of their own.
struct sg_ml21_gather {
    bool open;
    enum sg_ml21_level level;
    uint32_t count;
    uint64_t line; // where its element begins
    struct sg_xml_attr *attrs;
    uint8_t kinds[SG_LIMIT_XML_ATTRS]; // enum sg_value_kind of each
    struct sg_ml21_room room;
};

// A text of SDMX-ML 2.0 that is open in a data set.
enum sg_ml20_word { SG_ML20_NONE, SG_ML20_TIME, SG_ML20_KEY_FAMILY };

// Depth of the elements that are open where levels are gathered; 0: none is.
struct sg_ml21_open {
    uint32_t group, series, obs;
    uint32_t values; // Attributes and keys of generic data, Comp of 3.0
};

struct sg_ml21 {
    struct sg_arena *arena;
    const struct sg_ml21_form *form;
    struct sg_obs_sink sink;
    struct sg_xml *xml;
    uint64_t line; // of the level that is handed over; 0: where the parser is
    struct sg_ml21_gather gather;
    const uint8_t *kinds; // of the attributes handed over; NULL: all texts
    struct sg_ml21_open open;
    struct sg_ml30_comp *comp; // NULL: none was seen
    bool v20;                  // SDMX-ML 2.0
    enum sg_ml20_word word;
    bool dead;
    uint32_t depth; // of the element that is open
    uint32_t aside; // depth of one that is not read, with all in it; 0: none
    uint64_t rows;
    // header
    struct sg_obs_header header;
    struct sg_ml21_structure structures[SG_ML21_STRUCTURES];
    uint32_t structure_count;
    uint8_t header_action;
    char text[SG_ML21_TEXT];
    size_t text_len;
    bool in_header, in_structure, in_footer, header_done;
    char footer[96]; // code and severity
    // data set
    const struct sg_structure *structure;
    int32_t at; // dimension of the observations in a series; -1: none
    bool in_dataset, in_series, blind;
    uint64_t dataset_rows, series_rows;
    struct sg_ml21_memo memo[SG_ML21_LEVELS][SG_ML21_MEMO];
    struct sg_ml21_known known[SG_XML_KNOWN + 1];
    uint32_t obs_known; // the number of Obs
    struct sg_ml21_room dataset_room, series_room[2], obs_room;
    uint32_t series_turn;
    struct sg_value *dataset_values, *base, *values;
    uint64_t over[SG_OBS_CHANGED_WORDS]; // values of the observation's own
    struct sg_ml21_last last[SG_LIMIT_COMPONENTS];
    uint64_t pending[SG_OBS_CHANGED_WORDS]; // changed since the last row
    uint64_t own[SG_OBS_CHANGED_WORDS];     // changes back with the next row
    uint64_t series_line;
    bool series_has_attributes, dataset_has_attributes;
    struct sg_obs obs;
    // groups
    struct sg_ml21_group **buckets, *groups, **groups_end;
    uint64_t masks[SG_ML21_MASKS];
    uint32_t mask_count;
    bool groups_meet_obs; // the dimension of observations is in a mask
    uint64_t of_groups[SG_OBS_CHANGED_WORDS]; // what groups give values to
};

// Of 2.0, generic data are read as those of 2.1 are.
extern const struct sg_ml21_form sg_ml21_generic_form, sg_ml30_form,
    sg_ml21_compact_form;

static inline uint64_t
sg_ml21_line(const struct sg_ml21 *ml)
{
    return ml->line != 0 ? ml->line : sg_xml_place(ml->xml).line;
}

// The row that a fault of this level is told of.
static inline uint64_t
sg_ml21_row(const struct sg_ml21 *ml, enum sg_ml21_level level)
{
    return level == SG_ML21_LEVEL_DATASET ? 0 : ml->rows + 1;
}

void sg_ml21_say(struct sg_ml21 *ml, enum sg_fault_code code, uint64_t row,
                 struct sg_slice component, struct sg_slice value,
                 const char *hint);
// An element that is not read here. Annotations and DataProvider are passed over;
// of any other it is said, so that nothing gets lost in silence.
void sg_ml21_aside(struct sg_ml21 *ml, const struct sg_xml_element *element);
// Text where a data set has none: white space is passed over.
enum sg_err sg_ml21_no_text(struct sg_ml21 *ml, struct sg_slice text);
// Header and footer.
enum sg_err sg_ml21_header_start(struct sg_ml21 *ml,
                                 const struct sg_xml_element *element);
enum sg_err sg_ml21_header_text(struct sg_ml21 *ml, struct sg_slice text);
enum sg_err sg_ml21_header_end(struct sg_ml21 *ml, struct sg_slice name);
// The text so far, without white space around it; then there is none.
struct sg_slice sg_ml21_header_word(struct sg_ml21 *ml);
// The structure that a message of 2.0 names.
enum sg_err sg_ml21_header_key_family(struct sg_ml21 *ml, struct sg_slice id);
// What a data set follows; NULL: said why not.
const struct sg_ml21_structure *
sg_ml21_header_find(struct sg_ml21 *ml, struct sg_slice structure_ref,
                    struct sg_obs_ref *ref);
// Information, Append ... ; 0: none of them.
uint8_t sg_ml21_header_action(struct sg_slice word);

// Data.
enum sg_err sg_ml21_dataset_start(struct sg_ml21 *ml,
                                  const struct sg_xml_element *element);
enum sg_err sg_ml21_dataset_end(struct sg_ml21 *ml);
enum sg_err sg_ml21_series_start(struct sg_ml21 *ml,
                                 const struct sg_xml_element *element);
enum sg_err sg_ml21_series_end(struct sg_ml21 *ml);
enum sg_err sg_ml21_obs_start(struct sg_ml21 *ml,
                              const struct sg_xml_element *element);
// Index of an attribute's component; -1: none (said), -2: not for us.
int32_t sg_ml21_component(struct sg_ml21 *ml, enum sg_ml21_level level,
                          uint32_t position, const struct sg_xml_attr *attr);
// Copies bytes into room; keeps what was there valid. ptr NULL: arena full.
struct sg_slice sg_ml21_room_copy(struct sg_ml21 *ml, struct sg_ml21_room *room,
                                  struct sg_slice bytes);
// Makes room for so many bytes in one piece; what was copied stays valid.
enum sg_err sg_ml21_room_reserve(struct sg_ml21 *ml, struct sg_ml21_room *room,
                                 size_t bytes);
// A value of the i-th attribute.
enum sg_err sg_ml21_value(struct sg_ml21 *ml, struct sg_ml21_room *room,
                          uint32_t component, uint32_t i, struct sg_slice text,
                          struct sg_value *out);

// Levels that are gathered: one is open at most. What was said twice, and what
// belongs to a level that is closed already, is told; the latter has no level.
enum sg_err sg_ml21_gather_begin(struct sg_ml21 *ml, enum sg_ml21_level level,
                                 const struct sg_xml_element *element);
enum sg_err sg_ml21_gather_put(struct sg_ml21 *ml, struct sg_slice name,
                               struct sg_slice value, enum sg_value_kind kind);
// Hands the level over as if it were one element; nothing when none is open.
enum sg_err sg_ml21_gather_end(struct sg_ml21 *ml);
// The document is refused: one level is larger than one tag may be.
void sg_ml21_gather_refuse(struct sg_ml21 *ml);
// Closes what ml->open has at this depth; the end of the data set too.
enum sg_err sg_ml21_gather_close(struct sg_ml21 *ml);

// Comp of 3.0: values that cannot be XML attributes.
enum sg_err sg_ml30_comp_begin(struct sg_ml21 *ml,
                               const struct sg_xml_element *element);
enum sg_err sg_ml30_comp_start(struct sg_ml21 *ml,
                               const struct sg_xml_element *element);
enum sg_err sg_ml30_comp_text(struct sg_ml21 *ml, struct sg_slice text);
enum sg_err sg_ml30_comp_end(struct sg_ml21 *ml);

// Groups.
enum sg_err sg_ml21_group_start(struct sg_ml21 *ml, enum sg_ml21_level level,
                                const struct sg_xml_element *element);
// Sets the attributes of all groups that values belong to.
void sg_ml21_group_apply(struct sg_ml21 *ml, struct sg_value *values);
enum sg_err sg_ml21_group_flush(struct sg_ml21 *ml); // those that met no row
void sg_ml21_group_clear(struct sg_ml21 *ml);
// Hands over a row of values; pending and own say what changed.
enum sg_err sg_ml21_emit(struct sg_ml21 *ml, uint64_t line);
