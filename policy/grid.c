#include "policy/grid.h"

struct slot { // one box and where it goes
    const struct sg_box *box;
    uint16_t rule;
    uint8_t effect;
    uint32_t key; // boxes of like places lie together
    uint32_t bit;
};

struct making {
    struct sg_arena *arena;
    const struct sg_policy_set *set;
    struct sg_grid *grid;
    struct slot *slots;
    uint32_t count;
    uint32_t row_words; // summary and blocks
    // scratch of one dimension
    uint64_t *base, *column, *hashes;
    const uint64_t **classes;
    uint32_t classes_count;
};

enum { MAX_CLASSES = 4096 };

static const struct sg_side *
side_of(const struct sg_box *box, unsigned dim)
{
    for (uint8_t i = 0; i < box->count; i++) {
        if (box->sides[i].dim == dim)
            return &box->sides[i];
    }
    return NULL;
}

static uint32_t
lowest(const struct sg_policy_set *set, const struct sg_box *box, unsigned dim)
{
    const struct sg_side *side = side_of(box, dim);
    uint32_t codes = sg_dims_codes(set, dim);
    for (uint32_t c = 1; side != NULL && c < codes; c++) {
        if (sg_ast_has(side->codes, c))
            return c;
    }
    return side == NULL ? 0xffff : 0;
}

static bool
is_live(const struct sg_rule *rule, uint32_t day)
{
    return rule->from <= day && day < rule->until;
}

static bool
gather(struct making *m, uint32_t day)
{
    const struct sg_rule *r;
    uint32_t total = 0;
    for (r = m->grid->file->rules; r != NULL; r = r->next)
        total += is_live(r, day) ? r->boxes_count : 0;
    m->slots = sg_arena_take(m->arena, (total + 1) * sizeof *m->slots);
    if (m->slots == NULL)
        return false;
    for (r = m->grid->file->rules; r != NULL; r = r->next) {
        for (uint32_t i = 0; is_live(r, day) && i < r->boxes_count; i++) {
            const struct sg_box *box = &r->boxes[i];
            uint32_t key = lowest(m->set, box, SG_ATTR_PROVIDER_IN) << 16 |
                           lowest(m->set, box, SG_ATTR_DESTINATION);
            m->slots[m->count++] =
                (struct slot){box, r->index, r->effect, key, 0};
        }
    }
    return true;
}

static bool
is_before(const struct slot *a, const struct slot *b)
{
    if (a->effect != b->effect)
        return a->effect < b->effect;
    return a->key <= b->key;
}

static bool
sort_slots(struct making *m)
{
    uint32_t count = m->count;
    struct slot *scratch =
        sg_arena_take(m->arena, (count + 1) * sizeof *scratch);
    if (scratch == NULL)
        return false;
    for (uint32_t step = 1; step < count; step *= 2) {
        for (uint32_t at = 0; at + step < count; at += 2 * step) {
            uint32_t most = count - at < 2 * step ? count - at : 2 * step;
            uint32_t a = at, b = at + step, end = at + most;
            for (uint32_t n = 0; n < most; n++) {
                bool left = b == end || (a < at + step &&
                                         is_before(&m->slots[a], &m->slots[b]));
                scratch[n] = left ? m->slots[a++] : m->slots[b++];
            }
            memcpy(m->slots + at, scratch, most * sizeof *scratch);
        }
    }
    return true;
}

static uint32_t
blocks_for(uint32_t boxes)
{
    return (boxes + SG_GRID_BLOCK_BITS - 1) / SG_GRID_BLOCK_BITS;
}

// Each effect begins at a block of its own.
static bool
place_slots(struct making *m)
{
    struct sg_grid *g = m->grid;
    uint32_t of_effect[SG_EFFECT_NEVER] = {0};
    for (uint32_t i = 0; i < m->count; i++)
        of_effect[m->slots[i].effect]++;
    g->forbid_blocks = blocks_for(of_effect[SG_EFFECT_FORBID]);
    g->hold_blocks = blocks_for(of_effect[SG_EFFECT_HOLD]);
    g->blocks = g->forbid_blocks + g->hold_blocks +
                blocks_for(of_effect[SG_EFFECT_PERMIT]);
    uint32_t next[SG_EFFECT_NEVER] = {
        [SG_EFFECT_FORBID] = 0,
        [SG_EFFECT_HOLD] = g->forbid_blocks * SG_GRID_BLOCK_BITS,
        [SG_EFFECT_PERMIT] =
            (g->forbid_blocks + g->hold_blocks) * SG_GRID_BLOCK_BITS,
    };
    uint16_t *rules = sg_arena_take(
        m->arena, (g->blocks * SG_GRID_BLOCK_BITS + 1) * sizeof *rules);
    if (rules == NULL)
        return false;
    for (uint32_t i = 0; i < m->count; i++) {
        m->slots[i].bit = next[m->slots[i].effect]++;
        rules[m->slots[i].bit] = m->slots[i].rule;
    }
    g->box_rule = rules;
    g->summary_words = (g->blocks + 63) / 64;
    g->summary_words = (g->summary_words + 7) / 8 * 8;
    m->row_words = g->summary_words + g->blocks * SG_GRID_BLOCK_WORDS;
    return true;
}

static uint64_t
hash_words(const uint64_t *words, uint32_t count)
{
    uint64_t h = 0x9e3779b97f4a7c15ull;
    for (uint32_t i = 0; i < count; i++) {
        h ^= words[i];
        h *= 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return h;
}

// The shared row that equals m->column. NULL: no room.
static const uint64_t *
share_row(struct making *m)
{
    uint64_t *bits = m->column + m->grid->summary_words;
    memset(m->column, 0, m->grid->summary_words * sizeof *m->column);
    for (uint32_t b = 0; b < m->grid->blocks; b++) {
        uint64_t any = 0;
        for (uint32_t w = 0; w < SG_GRID_BLOCK_WORDS; w++)
            any |= bits[b * SG_GRID_BLOCK_WORDS + w];
        if (any != 0)
            sg_ast_put(m->column, b);
    }
    uint64_t hash = hash_words(m->column, m->row_words);
    size_t bytes = m->row_words * sizeof *m->column;
    for (uint32_t i = 0; i < m->classes_count; i++) {
        if (m->hashes[i] == hash &&
            memcmp(m->classes[i], m->column, bytes) == 0)
            return m->classes[i];
    }
    if (m->classes_count == MAX_CLASSES)
        return NULL;
    // Rows are read in whole cache lines: let each begin at one.
    uint8_t *room = sg_arena_take(m->arena, bytes + 64);
    if (room == NULL)
        return NULL;
    uint64_t *row = (uint64_t *)(void *)(room + (-(uintptr_t)room & 63));
    memcpy(row, m->column, bytes);
    m->hashes[m->classes_count] = hash;
    m->classes[m->classes_count++] = row;
    return row;
}

// m->base: boxes that do not constrain dim. false: none does.
static bool
set_base(struct making *m, unsigned dim)
{
    bool constrained = false;
    uint64_t *bits = m->base + m->grid->summary_words;
    memset(m->base, 0, m->row_words * sizeof *m->base);
    for (uint32_t i = 0; i < m->count; i++) {
        if (side_of(m->slots[i].box, dim) == NULL)
            sg_ast_put(bits, m->slots[i].bit);
        else
            constrained = true;
    }
    return constrained;
}

static void
set_column(struct making *m, unsigned dim, uint32_t code)
{
    uint64_t *bits = m->column + m->grid->summary_words;
    memcpy(m->column, m->base, m->row_words * sizeof *m->column);
    for (uint32_t i = 0; i < m->count; i++) {
        const struct sg_side *side = side_of(m->slots[i].box, dim);
        if (side != NULL && sg_ast_has(side->codes, code))
            sg_ast_put(bits, m->slots[i].bit);
    }
}

static enum sg_err
make_dim(struct making *m, unsigned dim)
{
    if (!set_base(m, dim))
        return SG_OK;
    uint32_t codes = sg_dims_codes(m->set, dim);
    const uint64_t **rows = sg_arena_take(m->arena, codes * sizeof *rows);
    if (rows == NULL)
        return SG_ERR_FULL;
    m->classes_count = 0;
    for (uint32_t c = 0; c < codes; c++) {
        set_column(m, dim, c);
        rows[c] = share_row(m);
        if (rows[c] == NULL)
            return SG_ERR_FULL;
    }
    struct sg_grid *g = m->grid;
    g->dims[g->dims_count++] = (struct sg_grid_dim){rows, (uint8_t)dim};
    return SG_OK;
}

// Share of bits that the rows of a dimension let through, in 1/1024.
static uint32_t
density(const struct making *m, const struct sg_grid_dim *d)
{
    uint64_t bits = 0, codes = sg_dims_codes(m->set, d->dim);
    SG_ASSERT(codes > 0); // `unknown` at least
    for (uint32_t c = 0; c < codes; c++) {
        for (uint32_t w = m->grid->summary_words; w < m->row_words; w++)
            bits += (uint64_t)__builtin_popcountll(d->rows[c][w]);
    }
    return (uint32_t)(bits * 1024 / (codes * (m->count + 1)));
}

// The most selective dimension first: most blocks are empty after it.
static void
order_dims(struct making *m)
{
    uint32_t weight[SG_DIM_COUNT];
    struct sg_grid *g = m->grid;
    for (uint32_t i = 0; i < g->dims_count; i++) {
        struct sg_grid_dim d = g->dims[i];
        uint32_t w = density(m, &d), at = i;
        while (at > 0 && weight[at - 1] > w) {
            g->dims[at] = g->dims[at - 1];
            weight[at] = weight[at - 1];
            at--;
        }
        g->dims[at] = d;
        weight[at] = w;
    }
}

enum sg_err
sg_grid_make(struct sg_arena *arena, const struct sg_policy_set *set,
             uint16_t index, uint32_t day, struct sg_grid *grid)
{
    struct making m = {.arena = arena, .set = set, .grid = grid};
    *grid = (struct sg_grid){.file = set->files[index], .index = index};
    if (!gather(&m, day) || !sort_slots(&m) || !place_slots(&m))
        return SG_ERR_FULL;
    m.base = sg_arena_take(arena, m.row_words * sizeof *m.base + 1);
    m.column = sg_arena_take(arena, m.row_words * sizeof *m.column + 1);
    m.hashes = sg_arena_take(arena, MAX_CLASSES * sizeof *m.hashes);
    m.classes = sg_arena_take(arena, MAX_CLASSES * sizeof *m.classes);
    if (m.base == NULL || m.column == NULL || m.hashes == NULL ||
        m.classes == NULL)
        return SG_ERR_FULL;
    for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
        enum sg_err err = make_dim(&m, d);
        if (err != SG_OK)
            return err;
    }
    order_dims(&m);
    return SG_OK;
}
