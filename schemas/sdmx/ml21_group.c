#include "broker/base/check.h"
#include "schemas/sdmx/ml21_parts.h"
#include "schemas/sdmx/siphash.h"

// Only dimensions are mixed in, in component order: equal keys, equal hashes.
static uint64_t
hash_add(uint64_t hash, uint32_t component, const struct sg_value *value)
{
    const uint64_t key[2] = {hash, 0x67726f7570ull};
    return sg_siphash_word(key, component, sg_obs_value_bytes(value)).low;
}

static bool
is_dimension(const struct sg_ml21 *ml, uint32_t component)
{
    return ml->structure->components[component].kind <= SG_KIND_TIME;
}

static enum sg_err
remember_mask(struct sg_ml21 *ml, uint64_t mask)
{
    for (uint32_t i = 0; i < ml->mask_count; i++)
        if (ml->masks[i] == mask)
            return SG_OK;
    if (ml->mask_count == SG_ML21_MASKS)
        return SG_ERR_FULL;
    ml->masks[ml->mask_count++] = mask;
    return SG_OK;
}

static enum sg_err
link_group(struct sg_ml21 *ml, struct sg_ml21_group *group)
{
    if (ml->buckets == NULL) {
        ml->buckets =
            sg_arena_take(ml->arena, SG_ML21_BUCKETS * sizeof *ml->buckets);
        if (ml->buckets == NULL)
            return SG_ERR_FULL;
    }
    struct sg_ml21_group **bucket = &ml->buckets[group->hash % SG_ML21_BUCKETS];
    group->next = *bucket;
    *bucket = group;
    *ml->groups_end = group;
    ml->groups_end = &group->next_all;
    if (ml->at >= 0 && ml->at < 64 && (group->mask >> ml->at & 1) != 0)
        ml->groups_meet_obs = true;
    for (uint32_t i = group->dimensions; i < group->count; i++) {
        uint32_t c = group->attributes[i].component;
        ml->of_groups[c / 64] |= 1ull << c % 64;
    }
    return remember_mask(ml, group->mask);
}

// Dimensions first, in component order; attributes behind.
static void
sort_group(const struct sg_ml21 *ml, struct sg_ml21_group *group)
{
    for (uint32_t i = 1; i < group->count; i++) {
        struct sg_ml21_attribute a = group->attributes[i];
        bool dim = is_dimension(ml, a.component);
        uint32_t at = i;
        for (; at > 0; at--) {
            const struct sg_ml21_attribute *b = &group->attributes[at - 1];
            bool b_dim = is_dimension(ml, b->component);
            if (b_dim == dim ? b->component < a.component : b_dim)
                break;
            group->attributes[at] = *b;
        }
        group->attributes[at] = a;
    }
    group->dimensions = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct sg_ml21_attribute *a = &group->attributes[i];
        if (!is_dimension(ml, a->component))
            break;
        group->dimensions++;
        group->mask |= 1ull << a->component % 64;
        group->hash = hash_add(group->hash, a->component, &a->value);
    }
}

// Rows that are gone could be of the group; they would lack its attributes.
static void
say_late(struct sg_ml21 *ml, const struct sg_ml21_group *group)
{
    for (uint32_t i = group->dimensions; i < group->count; i++)
        sg_ml21_say(
            ml, SG_FAULT_ATTR_LEVEL, 0,
            ml->structure->components[group->attributes[i].component].id,
            SG_SLICE(""),
            "it stands behind observations of the data set; write what belongs "
            "to part of the key before them");
}

enum sg_err
sg_ml21_group_start(struct sg_ml21 *ml, enum sg_ml21_level level,
                    const struct sg_xml_element *element)
{
    struct sg_ml21_group *group = sg_arena_take(ml->arena, sizeof *group);
    if (group == NULL)
        return SG_ERR_FULL;
    group->attributes = sg_arena_take(ml->arena, (element->attr_count + 1) *
                                                     sizeof *group->attributes);
    if (group->attributes == NULL)
        return SG_ERR_FULL;
    group->line = sg_ml21_line(ml);
    size_t bytes = 1;
    for (uint32_t i = 0; i < element->attr_count; i++)
        bytes += element->attrs[i].value.len + 16;
    struct sg_ml21_room room = {sg_arena_take(ml->arena, bytes), 0, bytes};
    if (room.ptr == NULL)
        return SG_ERR_FULL;
    for (uint32_t i = 0; i < element->attr_count; i++) {
        const struct sg_xml_attr *attr = &element->attrs[i];
        int32_t c = sg_ml21_component(ml, level, i, attr);
        // Only the first 64 components can be of a key (structure.h).
        if (c < 0 || attr->value.len == 0 ||
            (c >= 64 && is_dimension(ml, (uint32_t)c)))
            continue;
        struct sg_ml21_attribute *a = &group->attributes[group->count++];
        a->component = (uint16_t)c;
        enum sg_err err =
            sg_ml21_value(ml, &room, (uint32_t)c, i, attr->value, &a->value);
        if (err != SG_OK)
            return err;
    }
    sort_group(ml, group);
    if (group->count == group->dimensions)
        return SG_OK;
    if (ml->dataset_rows == 0)
        return link_group(ml, group);
    say_late(ml, group);
    return SG_OK;
}

// What of a group stands at the series or observation as well, or in a second
// group of it, says the same there: a row has room for one value.
static void
set_attribute(struct sg_ml21 *ml, const struct sg_ml21_attribute *attribute,
              struct sg_value *value)
{
    const struct sg_value *given = &attribute->value;
    if (value->kind != SG_VALUE_ABSENT && !sg_obs_value_eq(value, given))
        sg_ml21_say(ml, SG_FAULT_ATTR_CONFLICT, ml->rows + 1,
                    ml->structure->components[attribute->component].id,
                    given->kind == SG_VALUE_TEXT ? sg_obs_value_bytes(given)
                                                 : SG_SLICE(""),
                    "a group of the observation has another value of it");
    *value = *given;
}

static bool
belongs(const struct sg_ml21_group *group, const struct sg_value *values)
{
    for (uint32_t i = 0; i < group->dimensions; i++)
        if (!sg_obs_value_eq(&group->attributes[i].value,
                             &values[group->attributes[i].component]))
            return false;
    return true;
}

void
sg_ml21_group_apply(struct sg_ml21 *ml, struct sg_value *values)
{
    for (uint32_t m = 0; m < ml->mask_count; m++) {
        uint64_t hash = 0;
        for (uint64_t bits = ml->masks[m]; bits != 0; bits &= bits - 1) {
            uint32_t c = (uint32_t)__builtin_ctzll(bits);
            hash = hash_add(hash, c, &values[c]);
        }
        struct sg_ml21_group *g = ml->buckets[hash % SG_ML21_BUCKETS];
        for (; g != NULL; g = g->next) {
            if (g->hash != hash || g->mask != ml->masks[m] ||
                !belongs(g, values))
                continue;
            g->used = true;
            for (uint32_t i = g->dimensions; i < g->count; i++)
                set_attribute(ml, &g->attributes[i],
                              &values[g->attributes[i].component]);
        }
    }
}

enum sg_err
sg_ml21_group_flush(struct sg_ml21 *ml)
{
    size_t bytes = ml->structure->component_count * sizeof *ml->values;
    enum sg_err err = SG_OK;
    for (struct sg_ml21_group *g = ml->groups; g != NULL && err == SG_OK;
         g = g->next_all) {
        if (g->used)
            continue;
        memcpy(ml->values, ml->dataset_values, bytes);
        for (uint32_t i = 0; i < g->count; i++)
            ml->values[g->attributes[i].component] = g->attributes[i].value;
        memset(ml->own, 0xff, sizeof ml->own);
        err = sg_ml21_emit(ml, g->line);
    }
    return err;
}

void
sg_ml21_group_clear(struct sg_ml21 *ml)
{
    ml->groups = NULL;
    ml->groups_end = &ml->groups;
    ml->mask_count = 0;
    ml->groups_meet_obs = false;
    memset(ml->of_groups, 0, sizeof ml->of_groups);
    if (ml->buckets != NULL)
        memset(ml->buckets, 0, SG_ML21_BUCKETS * sizeof(void *));
}
