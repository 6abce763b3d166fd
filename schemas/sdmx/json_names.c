#include "schemas/sdmx/json_names.h"

#include "broker/base/check.h"

static const struct sg_slice names[] = {
#define X(name, text) {(const uint8_t *)(text), sizeof(text) - 1},
    SG_JSON_NAME_TABLE(X)
#undef X
};

static const struct {
    uint8_t sent;
    const char *word;
} actions[] = {{'I', "Information"},
               {'A', "Append"},
               {'M', "Merge"},
               {'R', "Replace"},
               {'D', "Delete"}};

static const char *const rels[] = {
    [SG_OBS_REF_DATAFLOW] = "dataflow",
    [SG_OBS_REF_DATASTRUCTURE] = "datastructure",
    [SG_OBS_REF_DATAPROVISION] = "provisionagreement",
};

const char *
sg_json_names_text(enum sg_json_name name)
{
    SG_ASSERT(name < SG_JSON_NAME_TABLE_END);
    return (const char *)names[name].ptr;
}

enum sg_json_name
sg_json_names_find(struct sg_slice text)
{
    for (uint32_t i = 0; i < SG_COUNT_OF(names); i++)
        if (sg_slice_eq(names[i], text))
            return (enum sg_json_name)i;
    return SG_JSON_NAME_TABLE_END;
}

const char *
sg_json_names_action(uint8_t sent)
{
    for (size_t i = 0; i < SG_COUNT_OF(actions); i++)
        if (actions[i].sent == sent)
            return actions[i].word;
    return NULL;
}

uint8_t
sg_json_names_find_action(struct sg_slice text)
{
    for (size_t i = 0; i < SG_COUNT_OF(actions); i++)
        if (sg_slice_eq(text, sg_slice_text(actions[i].word)))
            return actions[i].sent;
    return 0;
}

const char *
sg_json_names_rel(enum sg_obs_ref_kind kind)
{
    return kind < SG_COUNT_OF(rels) ? rels[kind] : NULL;
}

enum sg_obs_ref_kind
sg_json_names_find_rel(struct sg_slice text)
{
    for (uint32_t kind = SG_OBS_REF_DATAFLOW; kind < SG_COUNT_OF(rels);
         kind++) {
        size_t len = strlen(rels[kind]), same = 0;
        while (same < len && same < text.len &&
               (text.ptr[same] | 0x20) == rels[kind][same])
            same++;
        if (same == len && text.len == len)
            return (enum sg_obs_ref_kind)kind;
    }
    return SG_OBS_REF_NONE;
}
