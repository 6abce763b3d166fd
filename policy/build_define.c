// Groups, examples, protected parameters, facts.
#include "policy/build.h"

unsigned
sg_build_group_type(unsigned dim)
{
    if (dim < SG_ATTR_COUNT && sg_vocabulary_is_place((enum sg_attr)dim))
        return SG_ATTR_PROVIDER_IN;
    return dim;
}

struct sg_group *
sg_build_find_group(const struct sg_build *b, unsigned dim,
                    struct sg_slice name)
{
    unsigned type = sg_build_group_type(dim);
    for (struct sg_group *g = b->file->groups; g != NULL; g = g->next) {
        if (g->dim == type && sg_slice_eq(g->name, name))
            return g;
    }
    return NULL;
}

static const char *
type_name(unsigned dim)
{
    if (sg_vocabulary_is_place((enum sg_attr)dim))
        return "country";
    return sg_vocabulary_attr((enum sg_attr)dim)->name;
}

// country, or an attribute that is no place. SG_ATTR_COUNT: neither.
static enum sg_attr
group_type_named(struct sg_slice name)
{
    if (sg_slice_eq(name, SG_SLICE("country")))
        return SG_ATTR_PROVIDER_IN;
    enum sg_attr attr = sg_vocabulary_attr_named(name);
    if (attr != SG_ATTR_COUNT && sg_vocabulary_is_place(attr))
        return SG_ATTR_COUNT;
    return attr;
}

// A group's name is no code of its type; country groups serve areas too.
static bool
is_code_of_type(enum sg_attr type, struct sg_slice name)
{
    if (sg_slice_eq(name, SG_SLICE("unknown")) ||
        sg_slice_eq(name, SG_SLICE("any")))
        return true;
    if (sg_vocabulary_code(type, name) != 0)
        return true;
    return sg_vocabulary_is_place(type) &&
           sg_vocabulary_code(SG_ATTR_AREA, name) != 0;
}

static uint32_t
group_count(const struct sg_build *b)
{
    uint32_t n = 0;
    for (const struct sg_group *g = b->file->groups; g != NULL; g = g->next)
        n++;
    return n;
}

void
sg_build_group_begin(struct sg_build *b, const struct sg_token *type,
                     const struct sg_token *name)
{
    if (b->err != SG_OK)
        return;
    enum sg_attr attr = group_type_named(type->text);
    char cure[128];
    if (attr == SG_ATTR_COUNT) {
        sg_cure_attr(type->text, cure, sizeof cure);
        if (sg_vocabulary_attr_named(type->text) != SG_ATTR_COUNT)
            memcpy(cure, "; write \"country\"", sizeof "; write \"country\"");
        sg_build_fail(b, type, "unknown type \"" SG_SLICE_FMT "\"%s",
                      SG_SLICE_ARG(type->text), cure);
    } else if (is_code_of_type(attr, name->text)) {
        sg_build_fail(b, name,
                      "\"" SG_SLICE_FMT "\" is already a code of type %s",
                      SG_SLICE_ARG(name->text), type_name(attr));
    } else if (sg_build_find_group(b, attr, name->text) != NULL) {
        sg_build_fail(b, name, "group " SG_SLICE_FMT " is defined twice",
                      SG_SLICE_ARG(name->text));
    } else if (group_count(b) >= SG_LIMIT_POLICY_GROUPS) {
        sg_build_fail(b, name, "more than %u groups in one file",
                      SG_LIMIT_POLICY_GROUPS);
    }
    b->group = sg_build_take(b, sizeof *b->group);
    if (b->group == NULL)
        return;
    *b->group = (struct sg_group){
        .dim = (uint8_t)attr,
        .name = name->text,
        .line = name->line,
        .column = name->column,
        .depth = b->depth,
        .used = b->depth > 0,
    };
    b->attr = attr;
    b->dim = attr;
    b->has_review = b->has_source = false;
}

void
sg_build_group_values(struct sg_build *b, const struct sg_values *in,
                      const struct sg_values *except)
{
    if (b->err != SG_OK)
        return;
    if (b->dim == SG_ATTR_PARTY) {
        sg_build_fail(b, in->first,
                      "party is compared with groups only: define party group "
                      "... from \"file\" sha256 \"...\"");
        return;
    }
    uint64_t *codes = in->codes;
    uint32_t words = sg_dims_words(b->set, b->dim);
    for (uint32_t i = 0; except != NULL && i < words; i++)
        codes[i] &= ~except->codes[i];
    if (sg_ast_has(codes, 0))
        sg_build_fail(b, in->first, "\"unknown\" cannot stand in a group");
    else if (b->dim == SG_ATTR_PROVIDER_IN &&
             sg_ast_has(codes, SG_PLACE_ANYWHERE))
        sg_build_fail(b, in->first, "ANYWHERE cannot stand in a group");
    b->group->codes = codes;
}

void
sg_build_group_end(struct sg_build *b)
{
    if (b->err != SG_OK)
        return;
    struct sg_group *g = b->group;
    bool dated = g->dim == SG_ATTR_PROVIDER_IN || g->dim == SG_ATTR_PARTY;
    if (b->lint && dated && !b->has_review)
        sg_build_note(b, SG_POLICY_WARNING, g->line, g->column,
                      "group " SG_SLICE_FMT " has no \"review by DATE\"",
                      SG_SLICE_ARG(g->name));
    if (b->lint && dated && !b->has_source)
        sg_build_note(b, SG_POLICY_WARNING, g->line, g->column,
                      "group " SG_SLICE_FMT " has no \"source\"",
                      SG_SLICE_ARG(g->name));
    g->next = b->file->groups;
    b->file->groups = g;
}

void
sg_build_example(struct sg_build *b, const struct sg_token *name,
                 struct sg_fact *facts)
{
    for (const struct sg_example *e = b->file->examples; e != NULL;
         e = e->next) {
        if (b->err == SG_OK && sg_slice_eq(e->name, name->text))
            sg_build_fail(b, name, "example " SG_SLICE_FMT " is defined twice",
                          SG_SLICE_ARG(name->text));
    }
    struct sg_example *e = sg_build_take(b, sizeof *e);
    if (e == NULL)
        return;
    *e = (struct sg_example){name->text, facts, b->file->examples};
    b->file->examples = e;
}

void
sg_build_protected(struct sg_build *b, const struct sg_token *name,
                   const struct sg_token *value)
{
    uint64_t n;
    struct sg_protected *p = sg_build_take(b, sizeof *p);
    if (p == NULL)
        return;
    if (!sg_slice_u64(value->text, &n) || n > INT32_MAX) {
        sg_build_fail(b, value, "the number is too large");
        return;
    }
    *p = (struct sg_protected){name->text, (uint32_t)n, b->file->secrets};
    b->file->secrets = p;
}

// Facts are kept last first; a later fact of one attribute wins, so they are
// applied from the end of this list.
struct sg_fact *
sg_build_fact(struct sg_build *b, struct sg_fact *after,
              const struct sg_token *attr, const struct sg_token *code)
{
    char cure[160];
    struct sg_fact *fact = sg_build_take(b, sizeof *fact);
    if (fact == NULL)
        return after;
    enum sg_attr a = sg_vocabulary_attr_named(attr->text);
    if (a == SG_ATTR_COUNT) {
        sg_cure_attr(attr->text, cure, sizeof cure);
        sg_build_fail(b, attr, "unknown attribute \"" SG_SLICE_FMT "\"%s",
                      SG_SLICE_ARG(attr->text), cure);
        return after;
    }
    uint16_t c = sg_vocabulary_code(a, code->text);
    if (a == SG_ATTR_PARTY && c == 0)
        c = sg_policy_party(b->set, code->text);
    if (c == SG_PARTY_OTHER && a == SG_ATTR_PARTY &&
        !sg_slice_eq(code->text, SG_SLICE("other")) && b->set->found_count == 0)
        sg_build_fail(b, code,
                      "\"" SG_SLICE_FMT "\" is on no list; write other",
                      SG_SLICE_ARG(code->text));
    if (c == 0 && !sg_slice_eq(code->text, SG_SLICE("unknown"))) {
        sg_cure_code(b, a, false, code->text, cure, sizeof cure);
        sg_build_fail(b, code, "\"" SG_SLICE_FMT "\" is not a code of %s%s",
                      SG_SLICE_ARG(code->text), sg_vocabulary_attr(a)->name,
                      cure);
    }
    *fact = (struct sg_fact){(uint8_t)a, c, after};
    return fact;
}
