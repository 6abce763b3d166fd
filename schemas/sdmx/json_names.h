// json_names - the names of SDMX-JSON data messages, for reader and writer.
//
// Owns the words of 1.0, 2.0 and 2.1 (and of the draft before 1.0, which is
// still sent): members, levels, actions, kinds of links.
// Source: sdmx-twg/sdmx-json, field guides and schemas 1.0, 2.0.0, 2.1.0.
#pragma once

#include "broker/base/slice.h"
#include "schemas/sdmx/obs.h"

// clang-format off
#define SG_JSON_NAME_TABLE(X)                                                  \
    X(ROOT_SCHEMA, "$schema") X(META, "meta") X(HEADER, "header")              \
    X(DATA, "data") X(STRUCTURE, "structure") X(STRUCTURES, "structures")      \
    X(DATASETS, "dataSets") X(ERRORS, "errors") X(SCHEMA, "schema")            \
    X(ID, "id") X(PREPARED, "prepared") X(TEST, "test") X(SENDER, "sender")    \
    X(CODE, "code") X(TITLE, "title") X(LINKS, "links") X(REL, "rel")          \
    X(URN, "urn") X(HREF, "href") X(DIMENSIONS, "dimensions")                  \
    X(MEASURES, "measures") X(ATTRIBUTES, "attributes")                        \
    X(DATASET, "dataSet") X(DATASET_DRAFT, "dataset")                          \
    X(DIMENSION_GROUP, "dimensionGroup") X(SERIES, "series")                   \
    X(OBSERVATION, "observation") X(OBSERVATIONS, "observations")              \
    X(KEY_POSITION, "keyPosition") X(DEFAULT, "default") X(VALUES, "values")   \
    X(VALUE, "value") X(NAME, "name") X(RELATIONSHIP, "relationship")          \
    X(ACTION, "action")                                                        \
    X(GROUP_ATTRIBUTES, "dimensionGroupAttributes")
// clang-format on

enum sg_json_name {
#define X(name, text) SG_JSON_NAME_##name,
    SG_JSON_NAME_TABLE(X)
#undef X
        SG_JSON_NAME_TABLE_END,
};

const char *sg_json_names_text(enum sg_json_name name);
// SG_JSON_NAME_TABLE_END: none of them.
enum sg_json_name sg_json_names_find(struct sg_slice text);

// "Merge" for 'M' ...; NULL: no action.
const char *sg_json_names_action(uint8_t sent);
// 0: no action of that name.
uint8_t sg_json_names_find_action(struct sg_slice text);

// "dataflow", "datastructure", "provisionagreement"; NULL: none.
const char *sg_json_names_rel(enum sg_obs_ref_kind kind);
// Whatever the case of its letters. SG_OBS_REF_NONE: another kind of link.
enum sg_obs_ref_kind sg_json_names_find_rel(struct sg_slice text);
