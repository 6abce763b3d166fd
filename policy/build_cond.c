// Conditions: an attribute, a form, a list of codes.
#include "policy/build.h"

void
sg_build_subject(struct sg_build *b, const struct sg_token *attr)
{
    char cure[160];
    if (b->err != SG_OK)
        return;
    b->attr = sg_vocabulary_attr_named(attr->text);
    b->dim = b->attr;
    if (b->attr != SG_ATTR_COUNT)
        return;
    sg_cure_attr(attr->text, cure, sizeof cure);
    sg_build_fail(b, attr, "unknown attribute \"" SG_SLICE_FMT "\"%s",
                  SG_SLICE_ARG(attr->text), cure);
}

static void
unknown_value(struct sg_build *b, const struct sg_token *value)
{
    char cure[160];
    if (b->dim == SG_ATTR_PARTY) {
        sg_build_fail(b, value,
                      "party is compared with groups only: define party group "
                      "... from \"file\" sha256 \"...\"");
        return;
    }
    sg_cure_code(b, b->dim, true, value->text, cure, sizeof cure);
    sg_build_fail(
        b, value, "\"" SG_SLICE_FMT "\" is not a code or group of type %s%s",
        SG_SLICE_ARG(value->text),
        sg_vocabulary_is_place(b->attr) ? "country"
                                        : sg_vocabulary_attr(b->attr)->name,
        cure);
}

void
sg_build_value(struct sg_build *b, struct sg_values *values,
               const struct sg_token *value)
{
    if (b->err != SG_OK)
        return;
    uint32_t words = sg_dims_words(b->set, b->dim);
    if (values->names++ == 0) {
        values->first = value;
        values->codes = sg_build_take(b, words * sizeof *values->codes);
        if (values->codes == NULL)
            return;
    }
    values->last = value;
    uint16_t code =
        b->dim == SG_ATTR_PARTY ? 0 : sg_vocabulary_code(b->attr, value->text);
    if (code != 0) {
        sg_ast_put(values->codes, code);
        return;
    }
    if (sg_slice_eq(value->text, SG_SLICE("unknown"))) {
        sg_ast_put(values->codes, 0);
        values->has_unknown = true;
        return;
    }
    struct sg_group *group = sg_build_find_group(b, b->dim, value->text);
    if (group == NULL) {
        unknown_value(b, value);
        return;
    }
    group->used = true;
    // INTL falls out for areas, what an attribute does not know too.
    for (uint32_t c = 1; c < sg_dims_codes(b->set, b->dim); c++) {
        if (sg_ast_has(group->codes, c) && sg_dims_valid(b->set, b->dim, c))
            sg_ast_put(values->codes, c);
    }
}

static struct sg_cond *
new_cond(struct sg_build *b, const struct sg_token *attr,
         const struct sg_token *last)
{
    struct sg_cond *cond = sg_build_take(b, sizeof *cond);
    if (cond == NULL)
        return NULL;
    const uint8_t *end = last->text.ptr + last->text.len;
    *cond = (struct sg_cond){
        .dim = (uint8_t)b->dim,
        .text = {attr->text.ptr, (size_t)(end - attr->text.ptr)},
        .line = attr->line,
        .column = attr->column,
    };
    return cond;
}

static uint64_t *
complement(struct sg_build *b, const uint64_t *codes)
{
    uint64_t *out =
        sg_build_take(b, sg_dims_words(b->set, b->dim) * sizeof *out);
    for (uint32_t c = 1; out != NULL && c < sg_dims_codes(b->set, b->dim);
         c++) {
        if (sg_dims_valid(b->set, b->dim, c) && !sg_ast_has(codes, c))
            sg_ast_put(out, c);
    }
    return out;
}

// All codes from the one given upwards, or downwards.
static uint64_t *
range(struct sg_build *b, const struct sg_values *values, bool upwards)
{
    uint32_t count = sg_dims_codes(b->set, b->dim), at = 0, named = 0;
    for (uint32_t c = 0; c < count; c++) {
        if (sg_ast_has(values->codes, c)) {
            at = c;
            named++;
        }
    }
    if (named != 1 || at == 0) {
        sg_build_fail(b, values->first, "\"at least/at most\" needs one code");
        return NULL;
    }
    uint64_t *out =
        sg_build_take(b, sg_dims_words(b->set, b->dim) * sizeof *out);
    for (uint32_t c = upwards ? at : 1;
         out != NULL && c < (upwards ? count : at + 1); c++)
        sg_ast_put(out, c);
    return out;
}

// Unknown may be named only where it can take something away.
static void
check_unknown(struct sg_build *b, const struct sg_token *attr, bool positive)
{
    if (b->rule->effect == SG_EFFECT_PERMIT || b->in_unless || !positive)
        sg_build_fail(b, attr,
                      "\"unknown\" can be named only after \"is\" or \"is one "
                      "of\" in the when of a forbid, hold or never");
}

struct sg_cond *
sg_build_cond(struct sg_build *b, const struct sg_token *attr,
              enum sg_cond_form form, const struct sg_values *values)
{
    if (b->err != SG_OK)
        return NULL;
    bool ordered = form == SG_COND_AT_LEAST || form == SG_COND_AT_MOST;
    bool positive = form != SG_COND_IS_NOT && form != SG_COND_NONE_OF;
    if (ordered && !sg_vocabulary_attr(b->attr)->ordered) {
        sg_build_fail(b, attr + 2,
                      "\"" SG_SLICE_FMT "\" has no order, so \"at least/at "
                      "most\" cannot be used with it",
                      SG_SLICE_ARG(attr->text));
        return NULL;
    }
    struct sg_cond *cond = new_cond(b, attr, values->last);
    if (cond == NULL)
        return NULL;
    cond->positive = positive;
    cond->fixed = !ordered;
    if (ordered)
        cond->codes = range(b, values, form == SG_COND_AT_LEAST);
    else
        cond->codes = positive ? values->codes : complement(b, values->codes);
    if (values->has_unknown)
        check_unknown(b, attr, positive);
    return cond;
}

struct sg_cond *
sg_build_any(struct sg_build *b, const struct sg_token *attr,
             const struct sg_token *any)
{
    if (b->err == SG_OK && b->in_unless)
        sg_build_fail(b, attr,
                      "\"is any\" in unless would switch the rule off");
    struct sg_cond *cond = b->err == SG_OK ? new_cond(b, attr, any) : NULL;
    if (cond == NULL)
        return NULL;
    cond->any = cond->positive = true;
    return cond;
}

struct sg_cond *
sg_build_same(struct sg_build *b, const struct sg_token *attr,
              const struct sg_token *other, bool yes)
{
    char cure[160];
    if (b->err != SG_OK)
        return NULL;
    enum sg_attr with = sg_vocabulary_attr_named(other->text);
    if (with == SG_ATTR_COUNT) {
        sg_cure_attr(other->text, cure, sizeof cure);
        sg_build_fail(b, other, "unknown attribute \"" SG_SLICE_FMT "\"%s",
                      SG_SLICE_ARG(other->text), cure);
        return NULL;
    }
    b->dim = sg_dims_same(b->attr, with);
    if (b->dim == SG_DIM_COUNT) {
        sg_build_fail(b, other,
                      "\"same as\" compares two of provider_in, area, "
                      "counterpart, destination, stored_in");
        return NULL;
    }
    struct sg_cond *cond = new_cond(b, attr, other);
    uint64_t *codes = sg_build_take(b, sizeof *codes);
    if (cond == NULL || codes == NULL)
        return NULL;
    sg_ast_put(codes, yes ? SG_SAME_YES : SG_SAME_NO);
    cond->codes = codes;
    cond->positive = yes;
    return cond;
}

static void
add_term(struct sg_build *b, struct sg_all *all, struct sg_cond *cond,
         bool either)
{
    struct sg_term *term = sg_build_take(b, sizeof *term);
    if (term == NULL || cond == NULL)
        return;
    term->conds = cond;
    if (all->last_term == NULL)
        all->terms = term;
    else
        all->last_term->next = term;
    all->last_term = term;
    all->last_cond = cond;
    all->either = either;
}

void
sg_build_all_first(struct sg_build *b, struct sg_all *all, struct sg_cond *cond,
                   bool either)
{
    add_term(b, all, cond, either);
}

static void
mixed(struct sg_build *b, const struct sg_token *at)
{
    sg_build_fail(b, at,
                  "\"and\" and \"or\" are mixed: write \"either A or B and "
                  "C\"");
}

void
sg_build_all_and(struct sg_build *b, struct sg_all *all,
                 const struct sg_token *at, struct sg_cond *cond, bool either)
{
    if (all->alternatives)
        mixed(b, at);
    add_term(b, all, cond, either);
}

void
sg_build_all_or(struct sg_build *b, struct sg_all *all,
                const struct sg_token *at, struct sg_cond *cond)
{
    if (b->err != SG_OK || cond == NULL)
        return;
    bool only = all->terms == all->last_term;
    if (!all->either && !only) {
        mixed(b, at);
        return;
    }
    all->alternatives |= !all->either;
    all->last_cond->next = cond;
    all->last_cond = cond;
}
