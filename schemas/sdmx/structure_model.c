#include "schemas/sdmx/structure_model.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

// One number between dots; *at moves behind it and its dot.
static uint64_t
next_number(struct sg_slice version, size_t *at)
{
    uint64_t value = 0;
    while (*at < version.len && is_digit(version.ptr[*at])) {
        if (value < UINT32_MAX)
            value = value * 10 + (uint64_t)(version.ptr[*at] - '0');
        (*at)++;
    }
    if (*at < version.len)
        (*at)++;
    return value;
}

int
sg_structure_version_cmp(struct sg_slice a, struct sg_slice b)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a.len || j < b.len) {
        uint64_t left = next_number(a, &i);
        uint64_t right = next_number(b, &j);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return 0;
}

static bool
is_open(struct sg_slice version)
{
    return version.len > 0 && (memchr(version.ptr, '+', version.len) != NULL ||
                               memchr(version.ptr, '*', version.len) != NULL);
}

// Does self carry the name that ref asks for, and is it newer than best?
static bool
is_better(const struct sg_model_ref *self, const struct sg_model_ref *ref,
          const struct sg_model_ref *best)
{
    if (!sg_slice_eq(self->id, ref->id) ||
        !sg_slice_eq(self->agency, ref->agency))
        return false;
    if (sg_slice_eq(self->version, ref->version))
        return best == NULL || !sg_slice_eq(best->version, ref->version);
    if (!is_open(ref->version))
        return false;
    return best == NULL ||
           sg_structure_version_cmp(self->version, best->version) > 0;
}

struct sg_model_list *
sg_structure_model_list(const struct sg_model *model,
                        const struct sg_model_ref *ref)
{
    struct sg_model_list *best = NULL;
    bool concepts = sg_slice_eq(ref->class, SG_SLICE("ConceptScheme"));
    for (struct sg_model_list *at = model->lists; at != NULL; at = at->next) {
        // A stub says only that the list lies elsewhere.
        if (!at->stub && (at->self.class.len > 0) == concepts &&
            is_better(&at->self, ref, best == NULL ? NULL : &best->self))
            best = at;
    }
    return best;
}

struct sg_model_dsd *
sg_structure_model_dsd(const struct sg_model *model,
                       const struct sg_model_ref *ref)
{
    struct sg_model_dsd *best = NULL;
    for (struct sg_model_dsd *at = model->dsds; at != NULL; at = at->next) {
        if (is_better(&at->self, ref, best == NULL ? NULL : &best->self))
            best = at;
    }
    return best;
}

struct sg_model_flow *
sg_structure_model_flow(const struct sg_model *model,
                        const struct sg_model_ref *ref)
{
    struct sg_model_flow *best = NULL;
    for (struct sg_model_flow *at = model->flows; at != NULL; at = at->next) {
        if (is_better(&at->self, ref, best == NULL ? NULL : &best->self))
            best = at;
    }
    return best;
}

struct sg_model_agreement *
sg_structure_model_agreement(const struct sg_model *model,
                             const struct sg_model_ref *ref)
{
    struct sg_model_agreement *best = NULL;
    for (struct sg_model_agreement *at = model->agreements; at != NULL;
         at = at->next) {
        if (is_better(&at->self, ref, best == NULL ? NULL : &best->self))
            best = at;
    }
    return best;
}

struct sg_model_concept *
sg_structure_model_concept(const struct sg_model *model,
                           const struct sg_model_ref *ref)
{
    struct sg_model_concept *best = NULL;
    for (struct sg_model_concept *at = model->concepts; at != NULL;
         at = at->next) {
        if (sg_slice_eq(at->id, ref->item) &&
            is_better(&at->scheme, ref, best == NULL ? NULL : &best->scheme))
            best = at;
    }
    return best;
}

struct sg_slice
sg_structure_model_name(const struct sg_model_text *names,
                        struct sg_slice language)
{
    const struct sg_model_text *english = NULL;
    for (const struct sg_model_text *at = names; at != NULL; at = at->next) {
        if (sg_slice_eq(at->language, language))
            return at->text;
        if (english == NULL && sg_slice_eq(at->language, SG_SLICE("en")))
            english = at;
    }
    if (english != NULL)
        return english->text;
    return names == NULL ? (struct sg_slice){0} : names->text;
}

static const uint8_t *
find(struct sg_slice text, uint8_t c)
{
    return text.len == 0 ? NULL : memchr(text.ptr, c, text.len);
}

// Cuts text at the first c: before it is returned, text keeps what is behind.
// Without c all of text is returned and text becomes empty.
static struct sg_slice
cut(struct sg_slice *text, uint8_t c)
{
    const uint8_t *at = find(*text, c);
    struct sg_slice head = *text;
    if (at == NULL) {
        *text = (struct sg_slice){0};
        return head;
    }
    head.len = (size_t)(at - text->ptr);
    *text = sg_slice_of(at + 1, text->len - head.len - 1);
    return head;
}

bool
sg_structure_parse_ref(struct sg_slice text, struct sg_model_ref *out)
{
    uint32_t line = out->line;
    *out = (struct sg_model_ref){.line = line};
    struct sg_slice rest = text;
    if (find(text, '=') != NULL) {
        struct sg_slice head = cut(&rest, '=');
        while (find(head, '.') != NULL)
            (void)cut(&head, '.');
        out->class = head;
    }
    if (find(rest, ':') == NULL)
        return false;
    out->agency = cut(&rest, ':');
    if (find(rest, '(') == NULL) {
        out->id = rest;
        out->version = SG_SLICE("1.0");
        return out->agency.len > 0 && out->id.len > 0;
    }
    out->id = cut(&rest, '(');
    if (find(rest, ')') == NULL)
        return false;
    out->version = cut(&rest, ')');
    if (rest.len > 1 && rest.ptr[0] == '.')
        out->item = sg_slice_of(rest.ptr + 1, rest.len - 1);
    else if (rest.len != 0)
        return false;
    return out->agency.len > 0 && out->id.len > 0 && out->version.len > 0;
}
