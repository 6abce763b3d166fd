#include "schemas/sdmx/structure_ml21_reader.h"

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The text collected, without the white space around it, borrowed.
static struct sg_slice
collected(const struct sg_structure_ml21 *r)
{
    size_t from = 0;
    size_t to = r->text_len;
    while (from < to && is_blank(r->text[from]))
        from++;
    while (to > from && is_blank(r->text[to - 1]))
        to--;
    return sg_slice_of(r->text + from, to - from);
}

static enum sg_err
on_start(void *user, const struct sg_xml_element *e)
{
    struct sg_structure_ml21 *r = user;
    if (r->skipped > 0) {
        r->skipped++;
        return SG_OK;
    }
    enum sg_ml21_tag parent = r->stack[r->depth];
    enum sg_ml21_tag tag = sg_structure_ml21_tag(parent, e->name);
    if (tag == SG_ML21_SKIP && parent == SG_ML21_ROOT) {
        sg_diag_set(r->diag, sg_ml21_line(r), 0,
                    "not a structure message but <%.*s>; import the message "
                    "that holds the data structure",
                    SG_SLICE_ARG(e->name));
        return SG_ERR_UNSUPPORTED;
    }
    if (tag == SG_ML21_SKIP) {
        r->skipped = 1;
        return SG_OK;
    }
    r->stack[++r->depth] = tag;
    r->keep_text = sg_structure_ml21_has_text(tag);
    if (r->keep_text) {
        r->text_len = 0;
        r->language = sg_ml21_attr(r, e, SG_SLICE("lang"));
    }
    if (r->keep_text && tag != SG_ML21_URN)
        r->got = (struct sg_model_ref){0};
    return sg_structure_ml21_start(r, tag, e);
}

static enum sg_err
on_text(void *user, struct sg_slice text)
{
    struct sg_structure_ml21 *r = user;
    if (r->skipped > 0 || !r->keep_text)
        return SG_OK;
    if (text.len > TEXT_MAX - r->text_len) {
        sg_diag_set(r->diag, sg_ml21_line(r), 0,
                    "a name, annotation or value of more than %u bytes; make "
                    "it shorter",
                    TEXT_MAX);
        return SG_ERR_FULL;
    }
    memcpy(r->text + r->text_len, text.ptr, text.len);
    r->text_len += text.len;
    return SG_OK;
}

// ---- ends ------------------------------------------------------------------

static enum sg_err
end_name(struct sg_structure_ml21 *r)
{
    struct sg_model_text *name = SG_ML21_NEW(r, struct sg_model_text);
    if (name == NULL)
        return sg_ml21_full(r);
    name->language = r->language.len > 0 ? r->language : SG_SLICE("en");
    name->text = sg_ml21_copy(r, collected(r));
    struct sg_model_text **at = r->names;
    while (*at != NULL)
        at = &(*at)->next;
    *at = name;
    return SG_OK;
}

// Kept on codes only; an annotation without a type goes by its title.
static enum sg_err
end_note(struct sg_structure_ml21 *r)
{
    if (r->note->type.len == 0)
        r->note->type = r->note_title;
    if (r->note->type.len == 0)
        return SG_OK;
    if (r->note->text.len == 0)
        r->note->text = r->note_title;
    if (r->code->last_note == NULL)
        r->code->notes = r->note;
    else
        r->code->last_note->next = r->note;
    r->code->last_note = r->note;
    return SG_OK;
}

static enum sg_err
add_dim(struct sg_structure_ml21 *r, struct sg_model_dim **to)
{
    struct sg_model_dim *dim = SG_ML21_NEW(r, struct sg_model_dim);
    if (dim == NULL)
        return sg_ml21_full(r);
    dim->id = r->got.item.len > 0 ? r->got.item : r->got.id;
    dim->line = r->got.line;
    dim->next = *to;
    *to = dim;
    return SG_OK;
}

static enum sg_err
add_target(struct sg_structure_ml21 *r)
{
    struct sg_model_target *target = SG_ML21_NEW(r, struct sg_model_target);
    if (target == NULL)
        return sg_ml21_full(r);
    target->ref = r->got;
    target->ref.class = r->target_class;
    struct sg_model_target **at = &r->constraint->targets;
    while (*at != NULL)
        at = &(*at)->next;
    *at = target;
    return SG_OK;
}

static enum sg_err
add_value(struct sg_structure_ml21 *r)
{
    struct sg_model_value *value = SG_ML21_NEW(r, struct sg_model_value);
    if (value == NULL)
        return sg_ml21_full(r);
    value->text = sg_ml21_copy(r, collected(r));
    if (r->values->last == NULL)
        r->values->values = value;
    else
        r->values->last->next = value;
    r->values->last = value;
    return SG_OK;
}

// The reference inside the element that ends: a Ref, a URN, or, in 3.0 and for
// names of dimensions, its text.
static enum sg_err
take_ref(struct sg_structure_ml21 *r, enum sg_ml21_tag tag)
{
    struct sg_slice text = collected(r);
    if (r->got.id.len == 0 && text.len > 0) {
        struct sg_slice kept = sg_ml21_copy(r, text);
        if (!sg_structure_parse_ref(kept, &r->got)) {
            bool by_id = tag == SG_ML21_PARENT || tag == SG_ML21_ON_DIMENSION ||
                         tag == SG_ML21_ON_GROUP || tag == SG_ML21_GROUP_MEMBER;
            r->got = (struct sg_model_ref){.id = kept};
            if (!by_id) {
                sg_diag_set(r->diag, sg_ml21_line(r), 0,
                            "\"%.*s\" is no reference; write a Ref or a URN "
                            "urn:sdmx:...=AGENCY:ID(VERSION)",
                            SG_SLICE_ARG(kept));
                return SG_ERR_SYNTAX;
            }
        }
    }
    r->got.line = r->got.id.len == 0 ? 0 : sg_ml21_line(r);
    return SG_OK;
}

static enum sg_err
end_holder(struct sg_structure_ml21 *r, enum sg_ml21_tag tag)
{
    enum sg_err err = take_ref(r, tag);
    if (err != SG_OK || r->got.line == 0)
        return err;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (tag) {
    case SG_ML21_EXTENDED:
        r->extension->list = r->got;
        return SG_OK;
    case SG_ML21_PARENT:
        r->code->parent = r->got.item.len > 0 ? r->got.item : r->got.id;
        return SG_OK;
    case SG_ML21_ENUMERATION:
        r->representation->list = r->got;
        return SG_OK;
    case SG_ML21_IDENTITY:
        r->component->concept
        = r->got;
        return SG_OK;
    case SG_ML21_ON_DIMENSION:
        return add_dim(r, &r->component->dims);
    case SG_ML21_ON_GROUP:
        r->component->group = r->got.item.len > 0 ? r->got.item : r->got.id;
        return SG_OK;
    case SG_ML21_GROUP_MEMBER:
        return add_dim(r, &r->group->dims);
    case SG_ML21_FLOW_STRUCTURE:
        r->flow->structure = r->got;
        return SG_OK;
    case SG_ML21_AGREEMENT_FLOW:
        r->agreement->flow = r->got;
        return SG_OK;
    case SG_ML21_AGREEMENT_PROVIDER:
        r->agreement->provider = r->got;
        return SG_OK;
    case SG_ML21_TARGET:
        return add_target(r);
    default:
        return SG_OK;
    }
}

static enum sg_err
end_detail(struct sg_structure_ml21 *r, enum sg_ml21_tag tag)
{
    switch (tag) {
    case SG_ML21_NAME:
        return end_name(r);
    case SG_ML21_NOTE_TYPE:
        r->note->type = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE_TITLE:
        r->note_title = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE_TEXT: // in several languages: the first
        if (r->note->text.len == 0)
            r->note->text = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE:
        return end_note(r);
    case SG_ML21_VALUE:
        return add_value(r);
    case SG_ML21_MEMBER:
        r->member->text = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_RANGE_START:
        r->values->start = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_RANGE_END:
        r->values->end = sg_ml21_copy(r, collected(r));
        return SG_OK;
    case SG_ML21_URN: {
        // Its holder's other text is white space: not looked at any more.
        struct sg_slice urn = sg_ml21_copy(r, collected(r));
        r->text_len = 0;
        if (r->got.id.len == 0)
            (void)sg_structure_parse_ref(urn, &r->got);
        return SG_OK;
    }
    case SG_ML21_REF:
        return SG_OK;
    case SG_ML21_DIMENSION:
    case SG_ML21_TIME:
    case SG_ML21_MEASURE:
    case SG_ML21_ATTRIBUTE:
        if (r->component->id.len == 0)
        r->component->id = r->component->concept
        .item;
        r->component = NULL;
        return SG_OK;
    case SG_ML21_COMPONENTS:
        r->dsd->stub = r->dsd->components == NULL;
        return SG_OK;
    default:
        return sg_structure_ml21_has_text(tag) ? end_holder(r, tag) : SG_OK;
    }
#pragma GCC diagnostic pop
}

static enum sg_err
on_end(void *user, struct sg_slice ns, struct sg_slice name)
{
    struct sg_structure_ml21 *r = user;
    (void)ns;
    (void)name;
    if (r->skipped > 0) {
        r->skipped--;
        return SG_OK;
    }
    enum sg_ml21_tag tag = r->stack[r->depth--];
    r->keep_text = false;
    return end_detail(r, tag);
}

// ---- the reader ------------------------------------------------------------

enum sg_err
sg_structure_ml21_open(struct sg_model *model, uint64_t salt,
                       const uint8_t source_sha256[32],
                       struct sg_structure_ml21 **out)
{
    static const struct sg_xml_events events = {on_start, on_text, on_end};
    struct sg_structure_ml21 *r =
        sg_arena_take(model->arena, sizeof(struct sg_structure_ml21));
    if (r == NULL)
        return SG_ERR_FULL;
    r->text = sg_arena_take(model->arena, TEXT_MAX);
    if (r->text == NULL)
        return SG_ERR_FULL;
    r->model = model;
    r->stack[0] = SG_ML21_ROOT;
    memcpy(r->source_sha256, source_sha256, 32);
    enum sg_err err = sg_xml_open(model->arena, salt, &events, r, &r->xml);
    if (err == SG_OK)
        *out = r;
    return err;
}

void
sg_structure_ml21_close(struct sg_structure_ml21 **reader)
{
    if (reader == NULL || *reader == NULL)
        return;
    sg_xml_close(&(*reader)->xml);
    *reader = NULL;
}

enum sg_err
sg_structure_ml21_feed(struct sg_structure_ml21 *reader, struct sg_slice bytes,
                       struct sg_diag *diag)
{
    reader->diag = diag;
    return sg_xml_feed(reader->xml, bytes, diag);
}

enum sg_err
sg_structure_ml21_finish(struct sg_structure_ml21 *reader, struct sg_diag *diag)
{
    reader->diag = diag;
    return sg_xml_finish(reader->xml, diag);
}
