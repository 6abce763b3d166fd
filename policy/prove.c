#include "policy/prove.h"

enum { STEPS_MOST = 2000000, DEPTH_MOST = 4096 };

struct prover {
    const struct sg_policy_set *set;
    uint32_t words;                // of a whole box
    uint32_t at[SG_DIM_COUNT + 1]; // first word of each dimension
    uint8_t *stack;                // boxes and covers of the recursion
    size_t used, cap;
    uint32_t steps, depth;
    uint64_t *left; // steps of all proofs together
    bool undecided;
    struct sg_request witness;
};

static void *
push(struct prover *p, size_t bytes)
{
    bytes = (bytes + 15) / 16 * 16;
    if (p->cap - p->used < bytes) {
        p->undecided = true;
        return NULL;
    }
    void *out = p->stack + p->used;
    p->used += bytes;
    return out;
}

static const uint64_t *
side_of(const struct prover *p, const uint64_t *box, unsigned dim)
{
    return box + p->at[dim];
}

static void
fill(const struct prover *p, uint64_t *box)
{
    memset(box, 0, p->words * sizeof *box);
    for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
        for (uint32_t c = 0; c < sg_dims_codes(p->set, d); c++) {
            if (sg_dims_valid(p->set, d, c))
                sg_ast_put(box + p->at[d], c);
        }
    }
}

// box &= other. false: nothing is left in some dimension.
static bool
meet(const struct prover *p, uint64_t *box, const struct sg_box *other)
{
    for (uint8_t i = 0; i < other->count; i++) {
        unsigned d = other->sides[i].dim;
        uint64_t any = 0;
        uint32_t words = p->at[d + 1] - p->at[d];
        for (uint32_t w = 0; w < words; w++)
            any |= box[p->at[d] + w] &= other->sides[i].codes[w];
        if (any == 0)
            return false;
    }
    return true;
}

// How many sides of other cut box; SG_DIM_COUNT + 1: they do not meet.
static uint32_t
cuts(const struct prover *p, const uint64_t *box, const struct sg_box *other)
{
    uint32_t n = 0;
    for (uint8_t i = 0; i < other->count; i++) {
        unsigned d = other->sides[i].dim;
        uint64_t both = 0, outside = 0;
        for (uint32_t w = 0; w < p->at[d + 1] - p->at[d]; w++) {
            uint64_t mine = box[p->at[d] + w];
            both |= mine & other->sides[i].codes[w];
            outside |= mine & ~other->sides[i].codes[w];
        }
        if (both == 0)
            return SG_DIM_COUNT + 1;
        n += outside != 0;
    }
    return n;
}

// ---- a point in a box -----------------------------------------------------------
enum { PLACES = 5 };
struct point {
    const struct prover *p;
    const uint64_t *box;
    uint64_t pairs;       // dimensions that constrain, as bits
    uint8_t need[PLACES]; // attributes that such pairs compare
    uint32_t need_count;
    uint16_t few[SG_PLACE_COUNT]; // codes worth trying
    uint32_t few_count;
    struct sg_request q;
};

// Countries that the box does not tell apart: as many as may have to differ.
static void
choose_few(struct point *t)
{
    uint8_t seen[1u << PLACES] = {0};
    for (uint32_t c = 0; c < SG_PLACE_COUNT; c++) {
        uint32_t signature = 0;
        for (uint32_t i = 0; i < t->need_count; i++)
            signature |=
                (uint32_t)sg_ast_has(side_of(t->p, t->box, t->need[i]), c) << i;
        if (signature == 0)
            continue;
        if (sg_vocabulary_is_country((uint16_t)c) &&
            seen[signature]++ >= t->need_count)
            continue;
        t->few[t->few_count++] = (uint16_t)c;
    }
}

static bool
pairs_fit(const struct point *t, uint32_t fixed)
{
    for (unsigned d = SG_ATTR_COUNT; d < SG_DIM_COUNT; d++) {
        uint8_t a, b;
        bool has_a = false, has_b = false;
        if ((t->pairs >> d & 1) == 0)
            continue;
        sg_dims_pair(d, &a, &b);
        for (uint32_t i = 0; i < fixed; i++) {
            has_a |= t->need[i] == a;
            has_b |= t->need[i] == b;
        }
        if (has_a && has_b &&
            !sg_ast_has(side_of(t->p, t->box, d),
                        sg_vocabulary_same(t->q.code[a], t->q.code[b])))
            return false;
    }
    return true;
}

static bool
place_next(struct point *t, uint32_t i)
{
    if (i == t->need_count)
        return true;
    for (uint32_t k = 0; k < t->few_count; k++) {
        uint16_t code = t->few[k];
        if (!sg_ast_has(side_of(t->p, t->box, t->need[i]), code))
            continue;
        t->q.code[t->need[i]] = code;
        if (pairs_fit(t, i + 1) && place_next(t, i + 1))
            return true;
    }
    return false;
}

// The lowest code of a side that is known, else unknown.
static uint16_t
any_code(const struct point *t, unsigned dim)
{
    for (uint32_t c = 1; c < sg_dims_codes(t->p->set, dim); c++) {
        if (sg_ast_has(side_of(t->p, t->box, dim), c))
            return (uint16_t)c;
    }
    return 0;
}

static void
find_needed(struct point *t)
{
    uint64_t need = 0;
    for (unsigned d = SG_ATTR_COUNT; d < SG_DIM_COUNT; d++) {
        uint8_t a, b;
        if (*side_of(t->p, t->box, d) == (1u << SG_SAME_COUNT) - 1)
            continue;
        t->pairs |= 1ull << d;
        sg_dims_pair(d, &a, &b);
        need |= 1ull << a | 1ull << b;
    }
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if ((need >> a & 1) != 0)
            t->need[t->need_count++] = (uint8_t)a;
    }
}

// A request inside box that can exist. false: none.
static bool
has_point(struct prover *p, const uint64_t *box)
{
    struct point t = {.p = p, .box = box};
    find_needed(&t);
    choose_few(&t);
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++)
        t.q.code[a] = any_code(&t, a);
    if (!place_next(&t, 0))
        return false;
    p->witness = t.q;
    return true;
}

// ---- taking a box apart ---------------------------------------------------------
static bool escapes(struct prover *p, const uint64_t *box,
                    const struct sg_box *const *cover, uint32_t count);

// The boxes of cover that meet box, the one that cuts it least first.
static const struct sg_box **
meeting(struct prover *p, const uint64_t *box,
        const struct sg_box *const *cover, uint32_t count, uint32_t *kept)
{
    const struct sg_box **out = push(p, (count + 1) * sizeof *out);
    uint32_t best = SG_DIM_COUNT + 1;
    *kept = 0;
    for (uint32_t i = 0; out != NULL && i < count; i++) {
        uint32_t n = cuts(p, box, cover[i]);
        if (n > SG_DIM_COUNT)
            continue;
        out[*kept] = cover[i];
        if (n < best) {
            out[*kept] = out[0];
            out[0] = cover[i];
            best = n;
        }
        (*kept)++;
    }
    return out;
}

// Does anything of box lie outside first and outside every box of rest?
static bool
escapes_around(struct prover *p, const uint64_t *box,
               const struct sg_box *first, const struct sg_box *const *rest,
               uint32_t count)
{
    uint64_t *left = push(p, p->words * sizeof *left);
    uint64_t *part = push(p, p->words * sizeof *part);
    if (left == NULL || part == NULL)
        return false;
    memcpy(left, box, p->words * sizeof *left);
    for (uint8_t i = 0; i < first->count; i++) {
        unsigned d = first->sides[i].dim;
        uint64_t any = 0;
        memcpy(part, left, p->words * sizeof *part);
        for (uint32_t w = 0; w < p->at[d + 1] - p->at[d]; w++) {
            any |= part[p->at[d] + w] &= ~first->sides[i].codes[w];
            left[p->at[d] + w] &= first->sides[i].codes[w];
        }
        if (any != 0 && escapes(p, part, rest, count))
            return true;
        if (p->undecided)
            return false;
    }
    return false;
}

static bool
escapes(struct prover *p, const uint64_t *box,
        const struct sg_box *const *cover, uint32_t count)
{
    uint32_t kept;
    size_t mark = p->used;
    p->steps++;
    p->depth++;
    if (p->steps > STEPS_MOST || p->depth > DEPTH_MOST || *p->left == 0)
        p->undecided = true;
    else
        --*p->left;
    const struct sg_box **met = meeting(p, box, cover, count, &kept);
    bool found = false;
    if (met == NULL || p->undecided)
        found = false;
    else if (kept == 0)
        found = has_point(p, box);
    else
        found = escapes_around(p, box, met[0], met + 1, kept - 1);
    p->depth--;
    p->used = mark;
    return found;
}

// ---- nevers ---------------------------------------------------------------------
static bool
is_live(const struct sg_rule *rule, uint32_t day)
{
    return rule->from <= day && day < rule->until;
}

static void
add_boxes(const struct sg_rule *r, const struct sg_box **out, uint32_t *count)
{
    for (uint32_t i = 0; i < r->boxes_count; i++)
        out[(*count)++] = &r->boxes[i];
}

// Forbids and holds of the day, and with guards what is built in.
static const struct sg_box **
cover_of(struct prover *p, const struct sg_file *file, uint32_t day,
         bool guards, uint32_t *count)
{
    const struct sg_rule *r;
    size_t total = 0;
    for (r = file->rules; r != NULL; r = r->next)
        total += r->boxes_count;
    for (r = p->set->guards->rules; r != NULL; r = r->next)
        total += r->boxes_count;
    const struct sg_box **out = push(p, (total + 1) * sizeof *out);
    *count = 0;
    for (r = file->rules; out != NULL && r != NULL; r = r->next) {
        if (r->effect != SG_EFFECT_PERMIT && is_live(r, day))
            add_boxes(r, out, count);
    }
    r = p->set->guards->rules;
    for (; out != NULL && guards && r != NULL; r = r->next) {
        if (r->index < SG_GUARD_PARTIAL_CONSENT)
            add_boxes(r, out, count);
    }
    return out;
}

// Everything that can be decided at all: required attributes are known, and
// with the guards an export permit lets nothing early through but what it
// names.
static void
start_box(const struct prover *p, const struct sg_file *file,
          const struct sg_rule *permit, bool guards, uint64_t *box)
{
    fill(p, box);
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if (sg_vocabulary_attr((enum sg_attr)a)->required)
            box[p->at[a]] &= ~1ull;
    }
    uint64_t early =
        1ull << SG_AVAILABILITY_SCHEDULED | 1ull << SG_AVAILABILITY_PRE_RELEASE;
    if (guards && file->layer == SG_LAYER_EXPORT)
        box[p->at[SG_ATTR_AVAILABILITY]] &= ~(early & ~permit->early);
}

// Does permit let a point of never through that cover leaves open?
static bool
lets_through(struct prover *p, const struct sg_file *file,
             const struct sg_rule *permit, const struct sg_rule *never,
             const struct sg_box *const *cover, uint32_t count, bool guards)
{
    size_t mark = p->used;
    uint64_t *box = push(p, p->words * sizeof *box);
    bool found = false;
    for (uint32_t i = 0; box != NULL && i < permit->boxes_count; i++) {
        for (uint32_t n = 0; !found && n < never->boxes_count; n++) {
            start_box(p, file, permit, guards, box);
            if (meet(p, box, &permit->boxes[i]) &&
                meet(p, box, &never->boxes[n]))
                found = escapes(p, box, cover, count);
        }
    }
    p->used = mark;
    return found;
}

static const struct sg_rule *
broken_by(struct prover *p, const struct sg_file *file,
          const struct sg_rule *never, uint32_t day, bool guards)
{
    size_t mark = p->used;
    uint32_t count;
    const struct sg_rule *by = NULL;
    const struct sg_box **cover = cover_of(p, file, day, guards, &count);
    p->steps = p->depth = 0;
    for (const struct sg_rule *r = file->rules;
         cover != NULL && by == NULL && !p->undecided && r != NULL;
         r = r->next) {
        if (r->effect == SG_EFFECT_PERMIT && is_live(r, day) &&
            lets_through(p, file, r, never, cover, count, guards))
            by = r;
    }
    p->used = mark;
    return by;
}

static uint32_t
next_day(const struct sg_file *file, uint32_t day)
{
    uint32_t next = SG_DAY_NEVER;
    for (const struct sg_rule *r = file->rules; r != NULL; r = r->next) {
        if (r->from > day && r->from < next)
            next = r->from;
        if (r->until > day && r->until < next)
            next = r->until;
    }
    return next < file->until ? next : SG_DAY_NEVER;
}

static void
prove_day(struct prover *p, const struct sg_file *file,
          const struct sg_rule *never, uint32_t day,
          struct sg_proof_result *out)
{
    const struct sg_rule *by = broken_by(p, file, never, day, false);
    if (by != NULL) {
        by = broken_by(p, file, never, day, true);
        if (by == NULL && !p->undecided)
            out->proof = SG_PROOF_WITH_GUARDS;
    }
    if (p->undecided) {
        out->proof = SG_PROOF_UNDECIDED;
    } else if (by != NULL) {
        out->proof = SG_PROOF_BROKEN;
        out->permit = by;
        out->day = day;
        out->witness = p->witness;
    }
}

void
sg_prove_never(void *stack, const struct sg_policy_set *set,
               const struct sg_file *file, const struct sg_rule *never,
               uint64_t *steps, struct sg_proof_result *out)
{
    struct prover p = {
        .set = set, .cap = SG_PROVE_STACK, .stack = stack, .left = steps};
    *out = (struct sg_proof_result){.proof = SG_PROOF_PROVED};
    for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
        p.at[d] = p.words;
        p.words += sg_dims_words(set, d);
    }
    p.at[SG_DIM_COUNT] = p.words;
    for (uint32_t day = file->since;
         day != SG_DAY_NEVER && out->proof > SG_PROOF_BROKEN;
         day = next_day(file, day))
        prove_day(&p, file, never, day, out);
}
