#include "policy/compile.h"

#include "policy/grid.h"

static bool
in_force(const struct sg_file *file, uint32_t day)
{
    return file->since <= day && day < file->until;
}

// The first day of the slice that day lies in.
static uint32_t
slice_begin(const struct sg_policy_set *set, uint32_t day)
{
    uint32_t begin = 0, next = sg_policy_next_slice(set, 0);
    while (next <= day) {
        begin = next;
        next = sg_policy_next_slice(set, next);
    }
    return begin;
}

struct listing {
    const struct sg_policy_set *set;
    uint32_t day;
    uint16_t *lists;
    uint32_t used, cap;
};

// Import policies are asked in the order of the words after "for".
static void
sort_by_scope(const struct sg_policy_set *set, uint16_t *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint16_t one = list[i];
        uint32_t at = i;
        struct sg_slice name = set->files[one]->scope_name;
        while (at > 0 &&
               sg_slice_cmp(set->files[list[at - 1]]->scope_name, name) > 0) {
            list[at] = list[at - 1];
            at--;
        }
        list[at] = one;
    }
}

// Files in force of one layer that hold for place (hub, default: any).
static struct sg_grid_span
list_files(struct listing *l, enum sg_layer layer, bool import_default,
           uint32_t place)
{
    struct sg_grid_span span = {l->used, 0};
    for (uint16_t i = 0; i < l->set->count; i++) {
        const struct sg_file *f = l->set->files[i];
        if (f->layer != layer || f->import_default != import_default ||
            !in_force(f, l->day))
            continue;
        if (f->scope != NULL && !sg_ast_has(f->scope, place))
            continue;
        SG_ASSERT(l->used < l->cap);
        l->lists[l->used++] = i;
        span.count++;
    }
    if (layer == SG_LAYER_IMPORT)
        sort_by_scope(l->set, l->lists + span.first, span.count);
    return span;
}

static enum sg_err
list_layers(struct sg_arena *arena, struct sg_rules *rules, uint32_t day)
{
    // At most SG_LIMIT_POLICY_LAYERS of each layer and place: policy.c.
    struct listing l = {.set = rules->set, .day = day};
    l.cap = (2 * SG_PLACE_COUNT + 2) * SG_LIMIT_POLICY_LAYERS;
    l.lists = sg_arena_take(arena, l.cap * sizeof *l.lists);
    if (l.lists == NULL)
        return SG_ERR_FULL;
    for (uint32_t p = 0; p < SG_PLACE_COUNT; p++) {
        rules->export_of[p] = list_files(&l, SG_LAYER_EXPORT, false, p);
        rules->import_of[p] = list_files(&l, SG_LAYER_IMPORT, false, p);
    }
    rules->hubs = list_files(&l, SG_LAYER_HUB, false, 0);
    rules->import_default = list_files(&l, SG_LAYER_IMPORT, true, 0);
    rules->lists = l.lists;
    return SG_OK;
}

static void
note_attrs(struct sg_rules *rules)
{
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        rules->codes[a] = sg_dims_codes(rules->set, a);
        for (uint32_t c = 0; c < SG_PLACE_FIRST_COUNTRY; c++) {
            if (!sg_dims_valid(rules->set, a, c))
                rules->holes[a] |= (uint16_t)(1u << c);
        }
        if (sg_vocabulary_attr((enum sg_attr)a)->required)
            rules->required |= 1ull << a;
    }
    for (uint16_t i = 0; i < rules->set->count; i++) {
        const struct sg_grid *g = &rules->grids[i];
        for (uint32_t d = 0; d < g->dims_count; d++) {
            if (g->dims[d].dim >= SG_ATTR_COUNT)
                rules->pairs |= 1ull << g->dims[d].dim;
        }
    }
}

static const uint64_t *const *
rows_of(const struct sg_grid *g, unsigned dim)
{
    for (uint32_t i = 0; i < g->dims_count; i++) {
        if (g->dims[i].dim == dim)
            return g->dims[i].rows;
    }
    return NULL;
}

// Identical columns share a row, so equal rows are equal to every rule.
static void
note_like(const struct sg_rules *rules, unsigned dim,
          uint16_t like[SG_PLACE_COUNT])
{
    uint16_t finer[SG_PLACE_COUNT];

    memset(like, 0, SG_PLACE_COUNT * sizeof *like);
    for (uint16_t i = 0; i < rules->set->count; i++) {
        const uint64_t *const *rows = rows_of(&rules->grids[i], dim);
        if (rows == NULL)
            continue;
        for (uint32_t p = 0; p < SG_PLACE_COUNT; p++) {
            uint16_t q = 0;
            while (like[q] != like[p] || rows[q] != rows[p])
                q++; // ends at p
            finer[p] = q;
        }
        memcpy(like, finer, sizeof finer);
    }
}

enum sg_err
sg_compile_slice(struct sg_arena *arena, const struct sg_policy_set *set,
                 uint32_t day, uint64_t generation, struct sg_rules **out)
{
    *out = NULL;
    struct sg_rules *rules = sg_arena_take(arena, sizeof *rules);
    if (rules == NULL)
        return SG_ERR_FULL;
    rules->set = set;
    rules->generation = generation;
    rules->from = slice_begin(set, day);
    rules->until = sg_policy_next_slice(set, day);
    rules->grids =
        sg_arena_take(arena, (set->count + 1u) * sizeof *rules->grids);
    if (rules->grids == NULL)
        return SG_ERR_FULL;
    for (uint16_t i = 0; i < set->count; i++) {
        enum sg_err err = sg_grid_make(arena, set, i, day, &rules->grids[i]);
        if (err != SG_OK)
            return err;
    }
    note_attrs(rules);
    note_like(rules, SG_ATTR_AREA, rules->area_like);
    note_like(rules, SG_ATTR_COUNTERPART, rules->counterpart_like);
    enum sg_err err = list_layers(arena, rules, day);
    if (err == SG_OK)
        *out = rules;
    return err;
}

uint64_t
sg_compile_generation(const struct sg_rules *rules)
{
    return rules->generation;
}

uint32_t
sg_compile_from(const struct sg_rules *rules)
{
    return rules->from;
}

uint32_t
sg_compile_until(const struct sg_rules *rules)
{
    return rules->until;
}

const struct sg_policy_set *
sg_compile_set(const struct sg_rules *rules)
{
    return rules->set;
}
