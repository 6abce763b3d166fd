// rows - what judge, writer and review share: canonical rows, their root, facts.
#pragma once

#include "broker/inspect/worker/role.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/content.h"
#include "schemas/sdmx/canonical.h"
#include "schemas/sdmx/check.h"
#include "schemas/vocabulary/places.h"

// Feeds the canonical stream of one sealed input to sink. *at moves behind it.
SG_MUST_CHECK enum sg_err sg_rows_read(struct sg_role_item *item,
                                       const Sgpb__SealedInput *from, int fd,
                                       uint64_t *at,
                                       const struct sg_canonical_sink *sink);

// Does a message that names ref speak of the job's structure? It may name the
// dataflow of the flow's terms, one of the structure's, or the structure itself.
bool sg_rows_named(const struct sg_role_job *of, const struct sg_obs_ref *ref);
// The constraints on the dataflow of the flow's terms hold, whatever the message
// names. After sg_check_begin.
void sg_rows_constrain(const struct sg_role_job *of, struct sg_check *check);

// ---- content root over rows ----------------------------------------------------
struct sg_rows_root {
    struct sg_content_builder builder;
    struct sg_content_part *parts; // SG_LIMIT_ACTION_PARTS
};
SG_MUST_CHECK enum sg_err sg_rows_root_begin(struct sg_rows_root *root,
                                             const struct sg_secret *secret,
                                             struct sg_arena *arena);
SG_MUST_CHECK enum sg_err sg_rows_root_add(struct sg_rows_root *root,
                                           uint8_t action, struct sg_slice row);
SG_MUST_CHECK enum sg_err sg_rows_root_end(struct sg_rows_root *root,
                                           struct sg_role_job *of,
                                           uint8_t out[32]);
void sg_rows_root_wipe(struct sg_rows_root *root);
// Adds the bytes as sent, the item's source, to hash. Reads them from where the
// item's begin and leaves that place as it is.
SG_MUST_CHECK enum sg_err sg_rows_source(struct sg_role_item *item,
                                         struct sg_sha256 *hash);
// Level file: the signed leaf is the bytes as sent. Reads
// them from where the item's begin and leaves that place as it is.
SG_MUST_CHECK enum sg_err sg_rows_file_root(struct sg_role_item *item,
                                            uint8_t root[32]);
// The header's components for a structure. From arena; NULL: full.
const struct sg_content_component *
sg_rows_components(const struct sg_structure *structure,
                   struct sg_arena *arena);

// ---- facts: codes and counts ---------------------------------------------------
// What policy looks at in a part (vocabulary.md 5).
enum sg_rows_key {
    SG_ROWS_CONF_STATUS,
    SG_ROWS_CONF_REDIST,
    SG_ROWS_EMBARGO,
    SG_ROWS_NATURE,
    SG_ROWS_OBS_STATUS, // the group, not the code
    SG_ROWS_AREA,
    SG_ROWS_COUNTERPART,
    SG_ROWS_KEYS,
};

enum {
    SG_ROWS_PARTS = 16,
    SG_ROWS_VALUE = 257, // a list of organisations is the longest
    SG_ROWS_PLACES = 2,  // keys that are places: area, counterpart
    SG_ROWS_MEMO = 256,
};

struct sg_rows_part {
    char value[SG_ROWS_KEYS][SG_ROWS_VALUE];
    struct sg_places places[SG_ROWS_PLACES];
    uint64_t rows;
};

// What place a value is: areas change with every series, lists are long.
struct sg_rows_memo {
    char value[14]; // longer ones are looked up each time
    uint16_t place;
};

// Observations that share all keys are a part. Where there would be more parts
// than SG_ROWS_PARTS, keys are given up one after the other, areas first. A
// part then still says which areas and counterparts it holds, as a set, and is
// decided for each of them; any other key that is given up is unknown, which
// never permits.
struct sg_rows_facts {
    struct sg_role_job *of;
    int32_t component[SG_ROWS_KEYS]; // -1: the structure has none
    bool given_up[SG_ROWS_KEYS];
    struct sg_rows_part part[SG_ROWS_PARTS];
    uint32_t parts, current; // current: of the row before
    struct sg_rows_memo memo[SG_ROWS_PLACES][SG_ROWS_MEMO];
    int32_t count_component, when_component;
    uint64_t observations, series, small_cells, smallest;
    bool has_smallest;
};
SG_MUST_CHECK enum sg_err sg_rows_facts_begin(struct sg_rows_facts *facts,
                                              struct sg_role_job *of);
void sg_rows_facts_add(struct sg_rows_facts *facts, const struct sg_obs *obs);
SG_MUST_CHECK enum sg_err sg_rows_facts_end(struct sg_rows_facts *facts,
                                            struct sg_arena *arena,
                                            struct sg_check *check,
                                            Sgpb__Facts **out);
// Is this row a cell with fewer than min units behind it (0 < count < min)?
bool sg_rows_small(const struct sg_obs *obs, int32_t count_component,
                   int32_t when_component, struct sg_slice when_code,
                   uint64_t min, uint64_t *count);
// The organisations that a CONF_REDIST names, as ids in order: "FR_INSEE,KE_KNBS";
// "nobody" where it is a list of none. Items of a list, or a text with commas or
// semicolons. false: not only ids, or too many, so nobody can tell who is meant.
bool sg_rows_listed(const struct sg_value *value, char *out, size_t cap);
