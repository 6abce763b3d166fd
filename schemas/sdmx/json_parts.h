// json_parts - what the files of the SDMX-JSON reader share.
#pragma once

#include <stdio.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/json.h"
#include "schemas/sdmx/json_names.h"
#include "schemas/sdmx/json_scan.h"
#include "schemas/sdmx/keylog.h"

enum {
    SG_JSON_PARTS = 256, // values of one cell
    SG_JSON_MASKS = 64,  // sets of dimensions that groups have
    SG_JSON_BUCKETS = 4096,
    SG_JSON_LAYOUTS = 256,   // structures of one message
    SG_JSON_DIMENSIONS = 64, // structure.h: what a mask can hold
};

// Places of a key, besides indexes.
#define SG_JSON_KEY_EMPTY UINT32_MAX
#define SG_JSON_KEY_OFF   (UINT32_MAX - 1) // ~

// Where in the message we are: what an open object or array is.
enum sg_json_place {
    SG_JSON_PLACE_SKIP = 0, // of no interest
    SG_JSON_PLACE_STRAY,    // a member of the data that nobody knows
    SG_JSON_PLACE_TEXT,     // no object, no array
    SG_JSON_PLACE_CELL,     // value of a component
    // objects
    SG_JSON_PLACE_ROOT,
    SG_JSON_PLACE_META,
    SG_JSON_PLACE_SENDER,
    SG_JSON_PLACE_DATA,
    SG_JSON_PLACE_STRUCTURE,
    SG_JSON_PLACE_LINK,
    SG_JSON_PLACE_DIMENSIONS,
    SG_JSON_PLACE_MEASURES,
    SG_JSON_PLACE_ATTRIBUTES,
    SG_JSON_PLACE_COMPONENT,
    SG_JSON_PLACE_VALUE,
    SG_JSON_PLACE_RELATION,
    SG_JSON_PLACE_ERROR,
    SG_JSON_PLACE_DATASET,
    SG_JSON_PLACE_ALL_SERIES,
    SG_JSON_PLACE_SERIES,
    SG_JSON_PLACE_OBSERVATIONS,
    SG_JSON_PLACE_GROUPS,
    // arrays
    SG_JSON_PLACE_STRUCTURES,
    SG_JSON_PLACE_LINKS,
    SG_JSON_PLACE_COMPONENTS,
    SG_JSON_PLACE_VALUES,
    SG_JSON_PLACE_RELATION_IDS,
    SG_JSON_PLACE_ERRORS,
    SG_JSON_PLACE_DATASETS,
    SG_JSON_PLACE_OBSERVATION,
    SG_JSON_PLACE_SERIES_CELLS,
    SG_JSON_PLACE_DATASET_CELLS,
    SG_JSON_PLACE_GROUP_CELLS,
};

// Where a component stands in the message.
enum sg_json_level {
    SG_JSON_LEVEL_DATASET = 0, // dimensions ...
    SG_JSON_LEVEL_SERIES,
    SG_JSON_LEVEL_OBS,
    SG_JSON_LEVEL_MEASURE,
    SG_JSON_LEVEL_DATASET_ATTR, // attributes ...
    SG_JSON_LEVEL_GROUP_ATTR,
    SG_JSON_LEVEL_SERIES_ATTR,
    SG_JSON_LEVEL_OBS_ATTR,
    SG_JSON_LEVELS,
};

// A component of the message's structure.
struct sg_json_component {
    struct sg_slice id;
    int32_t component;    // of the structure; -1: none of it
    uint32_t order;       // of dimensions: as they stand in the message
    int64_t key_position; // as sent; -1: not said
    bool listed;          // has values: the data have indexes of them
    bool several;         // the structure allows several values
    struct sg_value *values;
    uint32_t count, cap;
    struct sg_value fallback; // the default
    struct sg_slice *relation;
    uint32_t relation_count, relation_cap;
    uint64_t relation_mask; // of order; 0: not said
    uint64_t line;
};

struct sg_json_components {
    struct sg_json_component *at;
    uint32_t count, cap;
    bool given;
};

// One of the message's structures.
struct sg_json_layout {
    struct sg_json_components levels[SG_JSON_LEVELS];
    struct sg_obs_ref ref;
    uint64_t line;
    bool measures_given;
    bool bad;   // said; its data are only counted
    bool bound; // to the structure that it names
    // once bound
    const struct sg_json_component **cells; // of an observation
    uint32_t cell_count;
    const struct sg_json_component **attrs[SG_JSON_LEVELS];
    uint64_t present[SG_OBS_CHANGED_WORDS]; // components that it has
    const struct sg_json_component *dims[SG_JSON_DIMENSIONS];   // as they stand
    const struct sg_json_component *sorted[SG_JSON_DIMENSIONS]; // by position
    uint32_t dim_count;
};

struct sg_json_frame {
    uint8_t place;
    uint64_t seen; // bit: enum sg_json_name
};

// Tokens written down, to be taken later.
struct sg_json_tape {
    struct sg_json_buffer bytes;
    uint64_t line; // of the last token
};

// What of a data set must be known before its rows.
enum sg_json_ahead {
    SG_JSON_AHEAD_STRUCTURE = 0,
    SG_JSON_AHEAD_ACTION,
    SG_JSON_AHEAD_ATTRIBUTES,
    SG_JSON_AHEAD_GROUPS,
    SG_JSON_AHEADS,
};

struct sg_json_look { // of one data set, kept for the second reading
    struct sg_json_look *next;
    struct sg_json_tape tapes[SG_JSON_AHEADS];
};

// A value on its way.
struct sg_json_cell {
    bool open;    // an object or array of it is
    bool list;    // it is an array
    bool tagged;  // within the object of languages
    bool indexed; // numbers are indexes of the component's values
    const struct sg_json_component *of;
    struct sg_json_buffer *room;
    struct sg_slice items[SG_JSON_PARTS];
    struct sg_slice pairs[2 * SG_JSON_PARTS]; // tag, text
    uint32_t count, pair_count;
    uint32_t texts, objects; // items of either kind
    struct sg_value value;   // once it is whole
    bool lasting;            // the value lives as long as the reader
    // what is wrong with it; SG_FAULT_TABLE_END: nothing
    enum sg_fault_code code;
    struct sg_slice shown;
    const char *why;
};

// An observation that is read at once.
struct sg_json_fast {
    bool same;      // index is that of values; key is its text
    uint32_t first; // index of the first dimension that changed
    uint32_t index[SG_JSON_DIMENSIONS];
    uint32_t behind[SG_JSON_DIMENSIONS]; // where in key the next one begins
    uint32_t key_len;
    uint8_t key[16 * SG_JSON_DIMENSIONS];
    struct sg_value values[2 * SG_LIMIT_COMPONENTS];
    const struct sg_value *kept[2 * SG_LIMIT_COMPONENTS]; // NULL: values has it
};

struct sg_json_group {
    struct sg_json_group *next, *next_all;
    uint64_t mask, off; // of order
    uint64_t hash;
    uint32_t *index; // of each dimension of the mask, by order
    struct sg_value *values;
    uint64_t line;
    bool used;
};

struct sg_json {
    struct sg_arena *arena;
    struct sg_obs_sink sink;
    struct sg_json_scan scan;
    uint64_t salt;
    bool dead, second, looking, datasets_seen;
    uint64_t line; // of the token that is taken
    uint64_t rows;
    enum sg_media media;
    // where we are
    struct sg_json_frame frames[SG_LIMIT_JSON_DEPTH + 1];
    uint32_t depth;
    uint32_t skip;            // objects and arrays open of what is skipped
    enum sg_json_place next;  // what the value of the last name is
    enum sg_json_name member; // that name
    struct sg_json_cell cell;
    // header
    struct sg_obs_header header;
    struct sg_json_buffer error; // code, then title
    size_t error_code;
    // structures
    struct sg_json_layout *layouts[SG_JSON_LAYOUTS];
    uint32_t layout_count;
    bool layouts_known;
    struct sg_json_layout *layout;       // being read, or of the data set
    struct sg_json_components *level;    // being read
    struct sg_json_component *component; // being read
    struct sg_json_buffer lasting;       // values of the structures
    struct sg_json_buffer name;          // of a value, until its id is known
    struct sg_slice value_id;
    struct sg_value value;
    bool value_given;
    uint64_t value_total;
    struct sg_slice link_rel, link_urn, link_href;
    // tapes
    struct sg_json_tape *tape; // written now
    uint32_t tape_depth;
    struct sg_json_tape ahead[SG_JSON_AHEADS], held;
    struct sg_json_look *looks, **looks_end, *look_at;
    uint32_t first_look; // number of the data set
    // data set
    const struct sg_structure *structure;
    struct sg_json_layout *columns_of;
    uint32_t layout_index;
    uint8_t sent;
    bool action_said; // by the data set itself
    bool begun, blind, dataset_bad, dataset_has_attributes;
    uint64_t dataset_rows, dataset_line;
    struct sg_json_buffer dataset_room;
    // series
    bool in_series, series_bad, series_sealed, series_has_attributes;
    bool groups_applied;
    uint64_t series_rows, series_line;
    struct sg_json_buffer series_room;
    struct sg_keylog *series_seen;
    // observation
    bool row_bad;
    uint64_t row_line;
    uint32_t cell_at;
    const struct sg_json_component **cells; // of the array that is open
    uint32_t cell_count;
    struct sg_json_buffer row_room;
    struct sg_json_fast *fast; // NULL: not wanted
    struct sg_value *values;
    uint32_t dim_at[SG_JSON_DIMENSIONS];    // indexes that values come from
    uint64_t pending[SG_OBS_CHANGED_WORDS]; // changed since the last row
    struct sg_obs obs;
    // groups
    struct sg_json_group **buckets, *groups, **groups_end;
    struct sg_json_group *group; // being read
    uint32_t group_key[SG_JSON_DIMENSIONS];
    const struct sg_json_group **group_from;
    uint64_t masks[SG_JSON_MASKS];
    uint32_t mask_count;
    bool groups_of_obs; // some mask has a dimension of observations
};

// ---- json.c: the walk ------------------------------------------------------------

// One token, from the scan or from a tape.
enum sg_err sg_json_take(struct sg_json *json, enum sg_json_token token,
                         struct sg_slice text);
// row 0: the message. hint is copied by nobody.
void sg_json_say(struct sg_json *json, enum sg_fault_code code, uint64_t row,
                 struct sg_slice component, struct sg_slice value,
                 const char *hint);
// The message is not what it must be: no more of it is read.
enum sg_err sg_json_refuse(struct sg_json *json, struct sg_slice value,
                           const char *hint);
// Bytes that live as long as room is not emptied. ptr NULL: arena full.
uint8_t *sg_json_room(struct sg_json *json, struct sg_json_buffer *room,
                      size_t len);
struct sg_slice sg_json_copy(struct sg_json *json, struct sg_json_buffer *room,
                             struct sg_slice bytes);
enum sg_err sg_json_replay(struct sg_json *json, struct sg_json_tape *tape,
                           enum sg_json_place next, enum sg_json_name member);
// The next value goes to the tape, and not further for now.
void sg_json_record(struct sg_json *json, struct sg_json_tape *tape);

// ---- json_layout.c: the message's structure ----------------------------------------

enum sg_err sg_json_layout_open(struct sg_json *json, enum sg_json_place place);
enum sg_err sg_json_layout_close(struct sg_json *json,
                                 enum sg_json_place place);
enum sg_err sg_json_layout_text(struct sg_json *json, enum sg_json_place place,
                                enum sg_json_token token, struct sg_slice text);
// A value of VALUES that is no object; a name of RELATION_IDS.
enum sg_err sg_json_layout_item(struct sg_json *json, enum sg_json_place place,
                                enum sg_json_token token, struct sg_slice text);
// The cell that was begun in COMPONENT or VALUE is whole.
enum sg_err sg_json_layout_cell(struct sg_json *json);

// ---- json_bind.c: the message's structure and the one it names -----------------------

// Finds and binds. json->blind: rows can only be counted, and why is said.
enum sg_err sg_json_bind(struct sg_json *json, struct sg_json_layout *layout);

// ---- json_value.c: values -----------------------------------------------------------

void sg_json_value_begin(struct sg_json *json, struct sg_json_buffer *room,
                         const struct sg_json_component *of, bool indexed);
// Until cell.open is false; SG_ERR_FULL.
enum sg_err sg_json_value_take(struct sg_json *json, enum sg_json_token token,
                               struct sg_slice text);
// A list of one, in room. ptr NULL: arena full.
enum sg_err sg_json_value_wrap(struct sg_json *json,
                               struct sg_json_buffer *room,
                               struct sg_value *value);
// Decimal without sign and leading zeros, below UINT32_MAX - 1; false: not so.
bool sg_json_value_index(struct sg_slice text, uint32_t *index);

// ---- json_data.c: data sets -----------------------------------------------------------

enum sg_err sg_json_data_open(struct sg_json *json, enum sg_json_place place);
enum sg_err sg_json_data_close(struct sg_json *json, enum sg_json_place place);
enum sg_err sg_json_data_text(struct sg_json *json, enum sg_json_token token,
                              struct sg_slice text);
// A member of a data set or series is to come; may change json->next.
enum sg_err sg_json_data_member(struct sg_json *json, enum sg_json_place place);
// A key of ALL_SERIES, OBSERVATIONS or GROUPS.
enum sg_err sg_json_data_key(struct sg_json *json, enum sg_json_place place,
                             struct sg_slice text);
// The value of a key is no object or array as it must be.
enum sg_err sg_json_data_odd(struct sg_json *json, enum sg_json_place place);
// The next cell of the array that is open is whole.
enum sg_err sg_json_data_cell(struct sg_json *json, enum sg_json_place place);
void sg_json_data_set(struct sg_json *json, int32_t component,
                      const struct sg_value *value, bool lasting);
enum sg_err sg_json_data_emit(struct sg_json *json, uint64_t line);
// A row that is no observation: of a series, a group, a data set.
enum sg_err sg_json_data_alone(struct sg_json *json, uint64_t line);
// Nothing is said of the level's components.
void sg_json_data_clear(struct sg_json *json, enum sg_json_level level);
const struct sg_value *sg_json_data_fallback(const struct sg_json *json,
                                             const struct sg_json_component *c);
// Indexes of a key; false: said what is wrong with it.
bool sg_json_data_indexes(struct sg_json *json, struct sg_slice text,
                          uint32_t *out, uint32_t want, uint64_t row,
                          const char *what);
void sg_json_data_out_of_range(struct sg_json *json,
                               const struct sg_json_component *c,
                               uint32_t index, uint64_t row);

// The observation of values is whole: its groups, then out.
enum sg_err sg_json_data_row(struct sg_json *json);

// ---- json_fast.c: observations read at once -------------------------------------------

// The member of OBSERVATIONS at the first of bytes. 0: not taken, nothing was
// done; else its bytes, and the line feeds within.
size_t sg_json_fast_member(struct sg_json *json, struct sg_slice bytes,
                           uint64_t *lines, enum sg_err *err);

// ---- json_group.c: attributes at partial keys --------------------------------------------

enum sg_err sg_json_group_start(struct sg_json *json, struct sg_slice key);
enum sg_err sg_json_group_end(struct sg_json *json);
// Gives the row its groups' attributes.
void sg_json_group_apply(struct sg_json *json, uint64_t row);
enum sg_err sg_json_group_flush(struct sg_json *json); // those that met no row
void sg_json_group_clear(struct sg_json *json);
