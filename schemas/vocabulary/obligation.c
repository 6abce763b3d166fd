#include "schemas/vocabulary/obligation.h"

#include <stdio.h>

enum arguments { ARGS_NONE, ARGS_INT, ARGS_N_AND_K, ARGS_LEVEL, ARGS_NAMES };
enum stricter {
    STRICTER_SAME,
    STRICTER_LARGER,
    STRICTER_SMALLER,
    STRICTER_EACH_N,
    STRICTER_UNION
};
enum { DOMINANCE_N_MOST = 5 };

static const struct row {
    const char *text;
    uint32_t least, most; // of the last number
    uint8_t kind;         // enum sg_obligation_kind
    uint8_t args;         // enum arguments
    uint8_t stricter;     // enum stricter
} rows[SG_OBLIGATION_COUNT] = {
#define X(name, text, kind, args, least, most, stricter)                       \
    {text,        least,                                                       \
     most,        SG_OBLIGATION_KIND_##kind,                                   \
     ARGS_##args, STRICTER_##stricter},
    SG_OBLIGATION_TABLE(X)
#undef X
};

static const char *const levels[] = {"", "country", "admin1", "admin2",
                                     "admin3"};

const char *
sg_obligation_text(enum sg_obligation_name name)
{
    SG_ASSERT((unsigned)name < SG_OBLIGATION_COUNT);
    return rows[name].text;
}

enum sg_obligation_kind
sg_obligation_kind_of(enum sg_obligation_name name)
{
    SG_ASSERT((unsigned)name < SG_OBLIGATION_COUNT);
    return (enum sg_obligation_kind)rows[name].kind;
}

enum sg_obligation_name
sg_obligation_named(struct sg_slice text)
{
    for (unsigned i = 0; i < SG_OBLIGATION_COUNT; i++) {
        if (sg_slice_eq(text, sg_slice_text(rows[i].text)))
            return (enum sg_obligation_name)i;
    }
    return SG_OBLIGATION_COUNT;
}

bool
sg_obligation_takes_names(enum sg_obligation_name name)
{
    SG_ASSERT((unsigned)name < SG_OBLIGATION_COUNT);
    return rows[name].args == ARGS_NAMES;
}

unsigned
sg_obligation_arg_count(enum sg_obligation_name name)
{
    SG_ASSERT((unsigned)name < SG_OBLIGATION_COUNT);
    switch ((enum arguments)rows[name].args) {
    case ARGS_INT:
    case ARGS_LEVEL:
        return 1;
    case ARGS_N_AND_K:
        return 2;
    case ARGS_NONE:
    case ARGS_NAMES:
        break;
    }
    return 0;
}

bool
sg_obligation_valid(const struct sg_obligation *one)
{
    if (one->name >= SG_OBLIGATION_COUNT)
        return false;
    const struct row *row = &rows[one->name];
    unsigned count =
        sg_obligation_arg_count((enum sg_obligation_name)one->name);
    if (row->args == ARGS_NAMES)
        return one->names != 0;
    if (count == 0)
        return true;
    if (count == 2 && (one->arg[0] < 1 || one->arg[0] > DOMINANCE_N_MOST))
        return false;
    uint32_t last = one->arg[count - 1];
    return last >= row->least && last <= row->most;
}

void
sg_obligation_usage(enum sg_obligation_name name, char *out, size_t cap)
{
    SG_ASSERT((unsigned)name < SG_OBLIGATION_COUNT);
    const struct row *row = &rows[name];
    switch ((enum arguments)row->args) {
    case ARGS_NONE:
        snprintf(out, cap, "\"%s\" takes no argument", row->text);
        return;
    case ARGS_INT:
        snprintf(out, cap, "\"%s\" is written %s(%u..%u)", row->text, row->text,
                 row->least, row->most);
        return;
    case ARGS_N_AND_K:
        snprintf(out, cap, "\"%s\" is written %s(1..%d,%u..%u)", row->text,
                 row->text, DOMINANCE_N_MOST, row->least, row->most);
        return;
    case ARGS_LEVEL:
        snprintf(out, cap, "\"%s\" is written %s(country|admin1|admin2|admin3)",
                 row->text, row->text);
        return;
    case ARGS_NAMES:
        snprintf(out, cap, "\"%s\" is written %s(NAME,...)", row->text,
                 row->text);
        return;
    }
    SG_UNREACHABLE();
}

void
sg_obligation_print(const struct sg_obligation *one, char *out, size_t cap)
{
    SG_ASSERT(one->name < SG_OBLIGATION_COUNT);
    const struct row *row = &rows[one->name];
    switch ((enum arguments)row->args) {
    case ARGS_NONE:
    case ARGS_NAMES:
        snprintf(out, cap, "%s", row->text);
        return;
    case ARGS_INT:
        snprintf(out, cap, "%s(%u)", row->text, one->arg[0]);
        return;
    case ARGS_N_AND_K:
        snprintf(out, cap, "%s(%u,%u)", row->text, one->arg[0], one->arg[1]);
        return;
    case ARGS_LEVEL:
        SG_ASSERT(one->arg[0] < SG_COUNT_OF(levels));
        snprintf(out, cap, "%s(%s)", row->text, levels[one->arg[0]]);
        return;
    }
    SG_UNREACHABLE();
}

uint32_t
sg_obligation_level(struct sg_slice text)
{
    for (uint32_t i = 1; i < SG_COUNT_OF(levels); i++) {
        if (sg_slice_eq(text, sg_slice_text(levels[i])))
            return i;
    }
    return 0;
}

const char *
sg_obligation_level_text(uint32_t level)
{
    return level < SG_COUNT_OF(levels) ? levels[level] : "";
}

bool
sg_obligation_parse(struct sg_slice name, const struct sg_slice *args,
                    size_t count, struct sg_obligation *out)
{
    enum sg_obligation_name id = sg_obligation_named(name);
    *out = (struct sg_obligation){0};
    if (id == SG_OBLIGATION_COUNT || rows[id].args == ARGS_NAMES ||
        count != sg_obligation_arg_count(id))
        return false;
    out->name = (uint8_t)id;
    for (size_t i = 0; i < count; i++) {
        uint64_t n = sg_obligation_level(args[i]);
        bool number = rows[id].args != ARGS_LEVEL;
        if (number && (!sg_slice_u64(args[i], &n) || n > UINT32_MAX))
            return false;
        out->arg[i] = (uint32_t)n;
    }
    return sg_obligation_valid(out);
}

bool
sg_obligation_satisfies(const struct sg_obligation *have,
                        const struct sg_obligation *wanted)
{
    if (have->name != wanted->name)
        return false;
    switch ((enum stricter)rows[wanted->name].stricter) {
    case STRICTER_SAME:
        return true;
    case STRICTER_LARGER:
        return have->arg[0] >= wanted->arg[0];
    case STRICTER_SMALLER:
        return have->arg[0] <= wanted->arg[0];
    case STRICTER_EACH_N:
        return have->arg[0] == wanted->arg[0] && have->arg[1] <= wanted->arg[1];
    case STRICTER_UNION:
        return (have->names & wanted->names) == wanted->names;
    }
    SG_UNREACHABLE();
}

static void
make_stricter(struct sg_obligation *old, const struct sg_obligation *one)
{
    old->hidden |= one->hidden;
    switch ((enum stricter)rows[one->name].stricter) {
    case STRICTER_SAME:
        return;
    case STRICTER_LARGER:
        old->arg[0] = old->arg[0] > one->arg[0] ? old->arg[0] : one->arg[0];
        return;
    case STRICTER_SMALLER:
        old->arg[0] = old->arg[0] < one->arg[0] ? old->arg[0] : one->arg[0];
        return;
    case STRICTER_EACH_N:
        old->arg[1] = old->arg[1] < one->arg[1] ? old->arg[1] : one->arg[1];
        return;
    case STRICTER_UNION:
        old->names |= one->names;
        return;
    }
    SG_UNREACHABLE();
}

bool
sg_obligation_merge(struct sg_obligation *list, size_t *count, size_t cap,
                    const struct sg_obligation *one)
{
    SG_ASSERT(one->name < SG_OBLIGATION_COUNT);
    bool each_n = rows[one->name].stricter == STRICTER_EACH_N;
    size_t at = 0;
    while (at < *count && (list[at].name < one->name ||
                           (each_n && list[at].name == one->name &&
                            list[at].arg[0] < one->arg[0])))
        at++;
    if (at < *count && list[at].name == one->name &&
        (!each_n || list[at].arg[0] == one->arg[0])) {
        make_stricter(&list[at], one);
        return true;
    }
    if (*count >= cap)
        return false;
    memmove(&list[at + 1], &list[at], (*count - at) * sizeof *list);
    list[at] = *one;
    (*count)++;
    return true;
}
