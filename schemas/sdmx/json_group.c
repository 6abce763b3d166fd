#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"

// Two ways to count the dimensions of a key are in use, where they differ: as
// they stand in the message (data set, series, observation: the samples of the
// standard), and by keyPosition. The relationship of the attributes and the
// number of values tell which was meant; where they do not, it is a fault.

// Salted, so that nobody can write a message whose keys meet in one bucket.
static uint64_t
hash_of(const struct sg_json *json, const uint32_t index[SG_JSON_DIMENSIONS],
        uint64_t mask)
{
    uint64_t hash = (mask ^ json->salt) * 0x9e3779b97f4a7c15ull;
    for (uint64_t bits = mask; bits != 0; bits &= bits - 1) {
        hash ^= index[__builtin_ctzll(bits)] + json->salt;
        hash *= 0xd6e8feb86659fd93ull;
        hash ^= hash >> 32;
    }
    return hash;
}

static bool
same_key(const struct sg_json_group *group,
         const uint32_t index[SG_JSON_DIMENSIONS])
{
    for (uint64_t bits = group->mask; bits != 0; bits &= bits - 1) {
        int d = __builtin_ctzll(bits);
        if (group->index[d] != index[d])
            return false;
    }
    return true;
}

// ---- reading -----------------------------------------------------------------

enum sg_err
sg_json_group_start(struct sg_json *json, struct sg_slice key)
{
    uint32_t n = json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR].count;
    struct sg_json_group *group = sg_arena_take(json->arena, sizeof *group);
    json->group = group;
    if (group == NULL)
        return SG_ERR_FULL;
    group->index =
        sg_arena_take(json->arena, SG_JSON_DIMENSIONS * sizeof *group->index);
    group->values = sg_arena_take(json->arena, (n + 1) * sizeof *group->values);
    if (group->index == NULL || group->values == NULL)
        return SG_ERR_FULL;
    group->line = json->line;
    if (json->dataset_bad ||
        !sg_json_data_indexes(json, key, json->group_key,
                              json->layout->dim_count, 0, "all levels")) {
        json->dataset_bad = true;
        json->next = SG_JSON_PLACE_SKIP;
        json->group = NULL;
    }
    return SG_OK;
}

// The key as one of the two orders has it.
struct reading {
    uint64_t mask, off;
    uint32_t index[SG_JSON_DIMENSIONS];
    int32_t beyond; // a dimension that has no such value; -1: none
};

static struct reading
read_key(const struct sg_json *json,
         const struct sg_json_component *const dims[SG_JSON_DIMENSIONS])
{
    struct reading r = {.beyond = -1};
    for (uint32_t i = 0; i < json->layout->dim_count; i++) {
        uint32_t order = dims[i]->order, index = json->group_key[i];
        if (index == SG_JSON_KEY_OFF) {
            r.off |= 1ull << order;
        } else if (index != SG_JSON_KEY_EMPTY) {
            r.mask |= 1ull << order;
            r.index[order] = index;
            if (index >= dims[i]->count)
                r.beyond = (int32_t)order;
        }
    }
    return r;
}

static bool
same_reading(const struct reading *a, const struct reading *b)
{
    return a->mask == b->mask && a->off == b->off &&
           memcmp(a->index, b->index, sizeof a->index) == 0;
}

// The dimensions that the attributes given depend on; 0: not said.
static uint64_t
relation_of(const struct sg_json *json, const struct sg_json_group *group)
{
    const struct sg_json_components *attrs =
        &json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR];
    uint64_t mask = 0;
    for (uint32_t i = 0; i < attrs->count; i++)
        if (group->values[i].kind != SG_VALUE_ABSENT)
            mask |= attrs->at[i].relation_mask;
    return mask;
}

// false: said why the key cannot be read.
static bool
decide(struct sg_json *json, const struct sg_json_group *group,
       struct reading *out)
{
    struct reading stands = read_key(json, json->layout->dims);
    struct reading sorted = read_key(json, json->layout->sorted);
    uint64_t relation = relation_of(json, group);
    bool a = stands.beyond < 0, b = sorted.beyond < 0;
    *out = a || !b ? stands : sorted;
    if (!a && !b) {
        uint32_t order = (uint32_t)stands.beyond;
        sg_json_data_out_of_range(json, json->layout->dims[order],
                                  stands.index[order], 0);
        return false;
    }
    if (!a || !b || same_reading(&stands, &sorted))
        return true;
    bool fits_a = stands.mask == relation, fits_b = sorted.mask == relation;
    if (relation != 0 && fits_a != fits_b) {
        *out = fits_a ? stands : sorted;
        return true;
    }
    sg_json_say(json, SG_FAULT_JSON, 0, SG_SLICE("dimensionGroupAttributes"),
                SG_SLICE(""),
                "the key can be read in two ways: by keyPosition, and as the "
                "dimensions stand in the message; let both be the same");
    return false;
}

static enum sg_err
remember_mask(struct sg_json *json, uint64_t mask)
{
    const struct sg_json_components *obs =
        &json->layout->levels[SG_JSON_LEVEL_OBS];
    for (uint32_t i = 0; i < json->mask_count; i++)
        if (json->masks[i] == mask)
            return SG_OK;
    if (json->mask_count == SG_JSON_MASKS)
        return sg_json_refuse(json, SG_SLICE("dimensionGroupAttributes"),
                              "more sets of dimensions than are accepted");
    json->masks[json->mask_count++] = mask;
    for (uint32_t i = 0; i < obs->count; i++)
        json->groups_of_obs |= (mask >> obs->at[i].order & 1) != 0;
    return SG_OK;
}

static enum sg_err
prepare(struct sg_json *json)
{
    uint32_t n = json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR].count;
    if (json->buckets == NULL)
        json->buckets =
            sg_arena_take(json->arena, SG_JSON_BUCKETS * sizeof *json->buckets);
    if (json->group_from == NULL)
        json->group_from = sg_arena_take(
            json->arena, SG_LIMIT_COMPONENTS * sizeof *json->group_from);
    SG_ASSERT(n <= SG_LIMIT_COMPONENTS);
    return json->buckets == NULL || json->group_from == NULL ? SG_ERR_FULL
                                                             : SG_OK;
}

static enum sg_err
link_group(struct sg_json *json, struct sg_json_group *group)
{
    enum sg_err err = prepare(json);
    if (err != SG_OK)
        return err;
    group->hash = hash_of(json, group->index, group->mask);
    struct sg_json_group **bucket =
        &json->buckets[group->hash % SG_JSON_BUCKETS];
    for (struct sg_json_group *g = *bucket; g != NULL; g = g->next)
        if (g->mask == group->mask && g->off == group->off &&
            same_key(g, group->index))
            return sg_json_refuse(json, SG_SLICE("dimensionGroupAttributes"),
                                  "the key stands twice");
    group->next = *bucket;
    *bucket = group;
    *json->groups_end = group;
    json->groups_end = &group->next_all;
    return group->off != 0 ? SG_OK : remember_mask(json, group->mask);
}

enum sg_err
sg_json_group_end(struct sg_json *json)
{
    struct sg_json_group *group = json->group;
    uint32_t n = json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR].count;
    bool any = false;
    json->group = NULL;
    if (group == NULL || json->dataset_bad)
        return SG_OK;
    for (uint32_t i = 0; i < n; i++)
        any |= group->values[i].kind != SG_VALUE_ABSENT;
    if (!any)
        return SG_OK; // only annotations, or what the structure has not
    struct reading key;
    if (!decide(json, group, &key)) {
        json->dataset_bad = true;
        return SG_OK;
    }
    group->mask = key.mask;
    group->off = key.off;
    memcpy(group->index, key.index, sizeof key.index);
    return link_group(json, group);
}

// ---- rows ----------------------------------------------------------------------

// Of two groups that both have the attribute and both have the row.
static bool
contradicts(struct sg_json *json, const struct sg_json_component *c,
            const struct sg_value *before, const struct sg_value *value,
            uint64_t row)
{
    if (json->row_bad || sg_obs_value_eq(before, value))
        return false;
    sg_json_say(json, SG_FAULT_ATTR_CONFLICT, row, c->id,
                value->kind == SG_VALUE_TEXT ? sg_obs_value_bytes(value)
                                             : SG_SLICE(""),
                "two groups of the observation have two values of it");
    return true;
}

static void
take_group(struct sg_json *json, struct sg_json_group *group, uint64_t row)
{
    const struct sg_json_components *attrs =
        &json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR];
    group->used = true;
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct sg_value *value = &group->values[i];
        if (value->kind == SG_VALUE_ABSENT)
            continue;
        const struct sg_json_group *before = json->group_from[i];
        if (before != NULL &&
            contradicts(json, &attrs->at[i], &before->values[i], value, row))
            json->row_bad = true;
        json->group_from[i] = group;
    }
}

void
sg_json_group_apply(struct sg_json *json, uint64_t row)
{
    const struct sg_json_components *attrs =
        &json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR];
    for (uint32_t i = 0; i < attrs->count; i++)
        json->group_from[i] = NULL;
    for (uint32_t m = 0; m < json->mask_count; m++) {
        uint64_t mask = json->masks[m];
        uint64_t hash = hash_of(json, json->dim_at, mask);
        struct sg_json_group *g = json->buckets[hash % SG_JSON_BUCKETS];
        for (; g != NULL; g = g->next)
            if (g->hash == hash && g->mask == mask && g->off == 0 &&
                same_key(g, json->dim_at))
                take_group(json, g, row);
    }
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct sg_json_group *from = json->group_from[i];
        const struct sg_value *value =
            from != NULL ? &from->values[i]
                         : sg_json_data_fallback(json, &attrs->at[i]);
        sg_json_data_set(json, attrs->at[i].component, value, true);
    }
}

static void
set_key(struct sg_json *json, const struct sg_json_group *group)
{
    static const struct sg_value none = {0}, off = {NULL, 0, SG_VALUE_OFF};
    for (uint32_t d = 0; d < json->layout->dim_count; d++) {
        const struct sg_json_component *c = json->layout->dims[d];
        const struct sg_value *value = &none;
        if ((group->mask >> d & 1) != 0)
            value = &c->values[group->index[d]];
        else if ((group->off >> d & 1) != 0)
            value = &off;
        sg_json_data_set(json, c->component, value, true);
    }
}

enum sg_err
sg_json_group_flush(struct sg_json *json)
{
    const struct sg_json_components *attrs =
        &json->layout->levels[SG_JSON_LEVEL_GROUP_ATTR];
    enum sg_err err = SG_OK;
    for (struct sg_json_group *g = json->groups; g != NULL && err == SG_OK;
         g = g->next_all) {
        if (g->used)
            continue;
        set_key(json, g);
        sg_json_data_clear(json, SG_JSON_LEVEL_SERIES_ATTR);
        for (uint32_t i = 0; i < attrs->count; i++)
            sg_json_data_set(json, attrs->at[i].component, &g->values[i], true);
        err = sg_json_data_alone(json, g->line);
    }
    return err;
}

void
sg_json_group_clear(struct sg_json *json)
{
    json->groups = NULL;
    json->groups_end = &json->groups;
    json->mask_count = 0;
    json->groups_of_obs = false;
    if (json->buckets != NULL)
        memset(json->buckets, 0, SG_JSON_BUCKETS * sizeof(void *));
}
