// Code list inheritance (SDMX 3.0, CodelistExtension): a list takes codes from
// others. What is compiled has them as its own.
#include "schemas/sdmx/keyset.h"
#include "schemas/sdmx/structure_compiler.h"

// A list of lists of lists ...; a circle ends here.
#define DEPTH_MAX 8

#define NEW(c, type) ((type *)sg_arena_take((c)->arena, sizeof(type)))

// Does the text match, % standing for any number of characters?
static bool
matches(struct sg_slice pattern, struct sg_slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '%') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '%')
        p++;
    return p == pattern.len;
}

// Codes by id.
struct index {
    struct sg_keyset *set;
    const struct sg_model_code **codes;
    uint32_t count;
};

// What stands in a structure message is no secret, and a collision only loses a
// code: the key need not be random.
static struct sg_siphash
key_of(struct sg_slice id)
{
    static const uint64_t key[2] = {0x5347, 0x6c697374};
    return sg_siphash_word(key, 0, id);
}

static enum sg_err
index_list(struct sg_structure_compiler *c, const struct sg_model_list *list,
           struct index *out)
{
    out->set = sg_keyset_new(c->arena, true);
    out->codes = sg_arena_take(c->arena, (list->count + 1) * sizeof(void *));
    if (out->set == NULL || out->codes == NULL)
        return SG_ERR_FULL;
    for (const struct sg_model_code *at = list->codes; at; at = at->next) {
        uint64_t value = out->count;
        bool known;
        enum sg_err err =
            sg_keyset_put(out->set, key_of(at->id), &value, &known);
        if (err != SG_OK)
            return err;
        out->codes[out->count++] = at;
    }
    return SG_OK;
}

static const struct sg_model_code *
code_of(const struct index *index, struct sg_slice id)
{
    uint64_t value = 0;
    return id.len > 0 && sg_keyset_get(index->set, key_of(id), &value)
               ? index->codes[value]
               : NULL;
}

// Is the code a member, or below one that cascades?
static bool
is_member(const struct index *index, const struct sg_model_extension *x,
          const struct sg_model_code *code)
{
    const struct sg_model_code *at = code;
    for (uint32_t depth = 0; at != NULL && depth <= index->count; depth++) {
        for (const struct sg_model_member *m = x->members; m; m = m->next)
            if ((depth == 0 ? !m->below_only : m->cascade) &&
                matches(m->text, at->id))
                return true;
        at = code_of(index, at->parent);
    }
    return false;
}

static bool
is_taken(const struct index *index, const struct sg_model_extension *x,
         const struct sg_model_code *code)
{
    return !x->selects || is_member(index, x, code) != x->excludes;
}

static struct sg_slice
with_prefix(struct sg_structure_compiler *c, struct sg_slice prefix,
            struct sg_slice id)
{
    if (prefix.len == 0)
        return id;
    uint8_t *out = sg_arena_take(c->arena, prefix.len + id.len + 1);
    if (out == NULL)
        return (struct sg_slice){0};
    memcpy(out, prefix.ptr, prefix.len);
    memcpy(out + prefix.len, id.ptr, id.len);
    return sg_slice_of(out, prefix.len + id.len);
}

struct growing {
    struct sg_model_list *list;
    struct sg_keyset *ids;
};

// Of one id the first is kept: the list's own go before those that it takes.
// Its own that stand there twice are found later.
static enum sg_err
put(struct sg_structure_compiler *c, struct growing *to,
    const struct sg_model_code *from, struct sg_slice id,
    struct sg_slice parent, bool own)
{
    struct sg_model_code *code = NEW(c, struct sg_model_code);
    uint64_t none = 0;
    bool known;
    if (code == NULL || id.len == 0 ||
        sg_keyset_put(to->ids, key_of(id), &none, &known) != SG_OK)
        return SG_ERR_FULL;
    if (known && !own)
        return SG_OK;
    *code = *from;
    code->next = NULL;
    code->id = id;
    code->parent = parent;
    if (to->list->last == NULL)
        to->list->codes = code;
    else
        to->list->last->next = code;
    to->list->last = code;
    return ++to->list->count > SG_LIMIT_CODES ? SG_ERR_FULL : SG_OK;
}

static enum sg_err
take(struct sg_structure_compiler *c, struct growing *to,
     const struct sg_model_extension *x, const struct sg_model_list *from)
{
    struct index index = {0};
    enum sg_err err = index_list(c, from, &index);
    for (const struct sg_model_code *at = from->codes;
         at != NULL && err == SG_OK; at = at->next) {
        if (!is_taken(&index, x, at))
            continue;
        const struct sg_model_code *above = code_of(&index, at->parent);
        struct sg_slice parent = {0};
        if (above != NULL && is_taken(&index, x, above))
            parent = with_prefix(c, x->prefix, above->id);
        err = put(c, to, at, with_prefix(c, x->prefix, at->id), parent, false);
    }
    return err;
}

static enum sg_err
refuse(struct sg_structure_compiler *c, const struct sg_model_list *list,
       const struct sg_model_ref *from, const char *why)
{
    sg_diag_set(c->diag, from->line, 0,
                "code list %.*s:%.*s(%.*s) takes codes from "
                "%.*s:%.*s(%.*s), which %s",
                SG_SLICE_ARG(list->self.agency), SG_SLICE_ARG(list->self.id),
                SG_SLICE_ARG(list->self.version), SG_SLICE_ARG(from->agency),
                SG_SLICE_ARG(from->id), SG_SLICE_ARG(from->version), why);
    return SG_ERR_NOT_FOUND;
}

static enum sg_err extend(struct sg_structure_compiler *c,
                          const struct sg_model_list **list, unsigned depth);

// One extension, with what its list takes from others in turn.
static enum sg_err
take_from(struct sg_structure_compiler *c, struct growing *to,
          const struct sg_model_list *list, const struct sg_model_extension *x,
          unsigned depth)
{
    const struct sg_model_list *other =
        sg_structure_model_list(c->model, &x->list);
    if (other == NULL)
        return refuse(c, list, &x->list,
                      "is not there; add it to the message (registries: "
                      "references=descendants)");
    if (depth == DEPTH_MAX)
        return refuse(c, list, &x->list,
                      "takes codes from others in turn, in a circle or too "
                      "often; export the list whole");
    enum sg_err err =
        other->extensions == NULL ? SG_OK : extend(c, &other, depth + 1);
    return err == SG_OK ? take(c, to, x, other) : err;
}

static enum sg_err
extend(struct sg_structure_compiler *c, const struct sg_model_list **list,
       unsigned depth)
{
    const struct sg_model_list *from = *list;
    const struct sg_model_extension *all[SG_LIMIT_COMPONENTS];
    uint32_t count = 0;
    struct growing to = {NEW(c, struct sg_model_list),
                         sg_keyset_new(c->arena, true)};
    if (to.list == NULL || to.ids == NULL)
        return SG_ERR_FULL;
    to.list->self = from->self;
    to.list->names = from->names;
    enum sg_err err = SG_OK;
    for (const struct sg_model_code *at = from->codes;
         at != NULL && err == SG_OK; at = at->next)
        err = put(c, &to, at, at->id, at->parent, true);
    for (const struct sg_model_extension *x = from->extensions; x;
         x = x->next) {
        if (count == SG_LIMIT_COMPONENTS)
            return SG_ERR_FULL;
        all[count++] = x;
    }
    // Of one id in several lists the last one's code is taken.
    while (count-- > 0 && err == SG_OK)
        err = take_from(c, &to, from, all[count], depth);
    *list = to.list;
    return err;
}

enum sg_err
sg_structure_extend(struct sg_structure_compiler *c,
                    const struct sg_model_list **list)
{
    enum sg_err err = extend(c, list, 0);
    return err == SG_ERR_FULL ? sg_structure_compile_full(
                                    c, "too many codes taken from others")
                              : err;
}
