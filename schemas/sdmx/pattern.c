#include "schemas/sdmx/pattern.h"

#include "broker/base/check.h"

enum { STEPS = 256, DEEP = 16, MODEL = 64, FOREVER = -1 };

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_END };

// OP_SET consumes one character that is in the set; OP_SPLIT goes both ways.
struct step {
    enum op op;
    uint16_t a, b;
    uint64_t set[2]; // ASCII
    bool high;       // characters above 127
};

struct program {
    struct sg_slice text; // pattern
    size_t at;
    uint32_t count;
    uint32_t depth;
    bool bad;
    struct step steps[STEPS];
};

static uint16_t
add(struct program *p, enum op op)
{
    if (p->count == STEPS) {
        p->bad = true;
        return 0;
    }
    p->steps[p->count] = (struct step){.op = op};
    return (uint16_t)p->count++;
}

static void
set_range(struct step *s, unsigned low, unsigned high)
{
    for (unsigned c = low; c <= high && c < 128; c++)
        s->set[c / 64] |= 1ull << c % 64;
}

static void
set_escape(struct program *p, struct step *s, uint8_t c)
{
    struct step out = {0};
    uint8_t lower = c | 0x20;
    if (lower == 'd') {
        set_range(&out, '0', '9');
    } else if (lower == 'w') {
        set_range(&out, '0', '9');
        set_range(&out, 'A', 'Z');
        set_range(&out, 'a', 'z');
        out.high = true;
    } else if (lower == 's') {
        set_range(&out, '\t', '\n');
        set_range(&out, '\r', '\r');
        set_range(&out, ' ', ' ');
    } else if (c == 'n' || c == 't' || c == 'r') {
        unsigned v = c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
        set_range(s, v, v);
        return;
    } else if ((lower >= 'a' && lower <= 'z') || c > 127) {
        p->bad = true; // \p, \i, \c
        return;
    } else {
        set_range(s, c, c);
        return;
    }
    bool negated = c < 'a';
    for (int i = 0; i < 2; i++)
        s->set[i] |= negated ? ~out.set[i] : out.set[i];
    s->high |= negated ? !out.high : out.high;
}

static uint8_t
peek(const struct program *p)
{
    return p->at < p->text.len ? p->text.ptr[p->at] : 0;
}

static void
read_class(struct program *p, struct step *s)
{
    bool negated = peek(p) == '^';
    p->at += negated;
    while (p->at < p->text.len && peek(p) != ']') {
        uint8_t c = p->text.ptr[p->at++];
        if (c > 127 || c == '[') {
            p->bad = true;
            return;
        }
        if (c == '\\') {
            set_escape(p, s, peek(p));
            p->at++;
            continue;
        }
        unsigned high = c;
        if (peek(p) == '-' && p->at + 1 < p->text.len &&
            p->text.ptr[p->at + 1] != ']') {
            high = p->text.ptr[p->at + 1];
            p->bad |= high == '\\' || high == '[' || high > 127 || high < c;
            p->at += 2;
        }
        set_range(s, c, high);
    }
    p->bad |= peek(p) != ']';
    p->at++;
    for (int i = 0; negated && i < 2; i++)
        s->set[i] = ~s->set[i];
    s->high = negated;
}

static void read_choice(struct program *p);

static void
read_atom(struct program *p)
{
    uint8_t c = p->text.ptr[p->at++];
    if (c == '(') {
        if (++p->depth > DEEP) {
            p->bad = true;
            return;
        }
        read_choice(p);
        p->depth--;
        p->bad |= peek(p) != ')';
        p->at++;
        return;
    }
    struct step *s = &p->steps[add(p, OP_SET)];
    if (c == '[') {
        read_class(p, s);
    } else if (c == '.') {
        s->set[0] = ~(1ull << '\n' | 1ull << '\r');
        s->set[1] = ~0ull;
        s->high = true;
    } else if (c == '\\') {
        set_escape(p, s, peek(p));
        p->at++;
    } else if (c > 127 || strchr("*+?{}])", c) != NULL) {
        p->bad = true;
    } else {
        set_range(s, c, c);
    }
}

static int
read_number(struct program *p)
{
    int v = 0;
    if (peek(p) < '0' || peek(p) > '9')
        p->bad = true;
    while (peek(p) >= '0' && peek(p) <= '9' && v < STEPS)
        v = v * 10 + (p->text.ptr[p->at++] - '0');
    p->bad |= v >= STEPS;
    return v;
}

// How often the atom before stands; 1, 1 if nothing is said.
static void
read_count(struct program *p, int *low, int *high)
{
    uint8_t c = peek(p);
    *low = *high = 1;
    if (c == '?' || c == '*' || c == '+') {
        *low = c == '+';
        *high = c == '?' ? 1 : FOREVER;
        p->at++;
    } else if (c == '{') {
        p->at++;
        *low = *high = read_number(p);
        if (peek(p) == ',') {
            p->at++;
            *high = peek(p) == '}' ? FOREVER : read_number(p);
        }
        p->bad |= peek(p) != '}' || (*high != FOREVER && *high < *low);
        p->at++;
    }
}

// Makes room for one step before from .. count.
static void
insert(struct program *p, uint32_t from)
{
    add(p, OP_JUMP);
    for (uint32_t i = p->count - 1; !p->bad && i > from; i--) {
        p->steps[i] = p->steps[i - 1];
        p->steps[i].a = (uint16_t)(p->steps[i].a + 1);
        p->steps[i].b = (uint16_t)(p->steps[i].b + 1);
    }
}

static void
optional(struct program *p, uint32_t from, bool loop)
{
    insert(p, from);
    if (p->bad)
        return;
    if (loop) {
        uint16_t back = add(p, OP_JUMP);
        p->steps[back].a = (uint16_t)from;
    }
    p->steps[from] = (struct step){
        .op = OP_SPLIT, .a = (uint16_t)(from + 1), .b = (uint16_t)p->count};
}

static void
read_piece(struct program *p)
{
    uint32_t from = p->count;
    int low, high;
    read_atom(p);
    uint32_t size = p->count - from;
    read_count(p, &low, &high);
    if (p->bad || (low == 1 && high == 1))
        return;
    // Keep one copy at from as the model; it becomes the first of all.
    int copies = high == FOREVER ? low + 1 : high;
    if (copies == 0) {
        p->count = from;
        return;
    }
    if ((uint64_t)copies * (size + 2) > STEPS) {
        p->bad = true;
        return;
    }
    struct step model[MODEL];
    if (size > SG_COUNT_OF(model)) {
        p->bad = true;
        return;
    }
    memcpy(model, p->steps + from, size * sizeof *model);
    for (int i = 0; i < copies && !p->bad; i++) {
        uint32_t start = p->count;
        if (i == 0) {
            start = from;
        } else {
            uint32_t keep = from;
            for (uint32_t k = 0; k < size; k++) {
                uint16_t n = add(p, model[k].op);
                p->steps[n] = model[k];
                p->steps[n].a = (uint16_t)(model[k].a - keep + start);
                p->steps[n].b = (uint16_t)(model[k].b - keep + start);
            }
        }
        if (i >= low)
            optional(p, start, high == FOREVER);
    }
}

static void
read_choice(struct program *p)
{
    uint32_t from = p->count;
    for (;;) {
        while (!p->bad && p->at < p->text.len && peek(p) != '|' &&
               peek(p) != ')')
            read_piece(p);
        if (p->bad || peek(p) != '|')
            return;
        p->at++;
        // split -> left, right; left jumps behind right, known when read.
        insert(p, from);
        uint16_t out = add(p, OP_JUMP);
        if (p->bad)
            return;
        p->steps[from] = (struct step){
            .op = OP_SPLIT, .a = (uint16_t)(from + 1), .b = (uint16_t)p->count};
        read_choice(p);
        p->steps[out].a = (uint16_t)p->count;
        return;
    }
}

// ---- matching ----------------------------------------------------------------------

struct places {
    uint16_t at[STEPS];
    uint32_t count;
    uint64_t in[STEPS / 64];
};

static void
enter(const struct program *p, struct places *set, uint16_t first)
{
    uint16_t stack[STEPS];
    uint32_t depth = 0;
    stack[depth++] = first;
    while (depth > 0) {
        uint16_t at = stack[--depth];
        if (set->in[at / 64] >> at % 64 & 1)
            continue;
        set->in[at / 64] |= 1ull << at % 64;
        const struct step *s = &p->steps[at];
        if (s->op == OP_SET || s->op == OP_END) {
            set->at[set->count++] = at;
            continue;
        }
        if (depth + 2 > STEPS)
            return;
        stack[depth++] = s->a;
        if (s->op == OP_SPLIT)
            stack[depth++] = s->b;
    }
}

static bool
run(const struct program *p, struct sg_slice text)
{
    struct places sets[2];
    memset(sets, 0, sizeof sets);
    struct places *now = &sets[0], *next = &sets[1];
    enter(p, now, 0);
    for (size_t i = 0; i < text.len && now->count > 0; i++) {
        uint8_t c = text.ptr[i];
        if ((c & 0xc0) == 0x80)
            continue; // the rest of a character that was looked at
        memset(next, 0, sizeof *next);
        for (uint32_t k = 0; k < now->count; k++) {
            const struct step *s = &p->steps[now->at[k]];
            bool hit = s->op == OP_SET &&
                       (c > 127 ? s->high : s->set[c / 64] >> c % 64 & 1);
            if (hit)
                enter(p, next, (uint16_t)(now->at[k] + 1));
        }
        struct places *swap = now;
        now = next;
        next = swap;
    }
    for (uint32_t k = 0; k < now->count; k++)
        if (p->steps[now->at[k]].op == OP_END)
            return true;
    return false;
}

enum sg_pattern
sg_pattern_match(struct sg_slice pattern, struct sg_slice text)
{
    struct program p;
    p.text = pattern;
    p.at = 0;
    p.count = p.depth = 0;
    p.bad = false;
    read_choice(&p);
    add(&p, OP_END);
    if (p.bad || p.at < pattern.len)
        return SG_PATTERN_UNKNOWN;
    return run(&p, text) ? SG_PATTERN_YES : SG_PATTERN_NO;
}
