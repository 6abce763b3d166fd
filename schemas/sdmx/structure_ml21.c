#include "schemas/sdmx/structure_ml21.h"

#include "broker/base/limits.h"
#include "schemas/sdmx/structure_ml21_tags.h"
#include "schemas/sdmx/xml.h"

// One name, annotation or value; longer texts stand in descriptions, which
// are not read.
#define TEXT_MAX (64u * 1024)

struct sg_structure_ml21 {
    struct sg_xml *xml;
    struct sg_model *model;
    struct sg_diag *diag; // of the feed that is running
    uint8_t source_sha256[32];
    enum sg_ml21_tag stack[SG_LIMIT_XML_DEPTH + 1];
    uint32_t depth;   // of the stack; stack[0] is the document
    uint32_t skipped; // elements open below the one passed over
    bool is_3;        // SDMX 3.x

    uint8_t *text;
    size_t text_len;
    bool keep_text;
    struct sg_slice language;

    // What is being filled.
    struct sg_model_list *list;
    struct sg_model_code *code;
    struct sg_model_note *note;
    struct sg_slice note_title;
    struct sg_model_ref scheme;
    struct sg_model_concept *concept;
    struct sg_model_representation *representation;
    struct sg_model_dsd *dsd;
    struct sg_model_component *component;
    struct sg_model_group *group;
    struct sg_model_flow *flow;
    struct sg_model_agreement *agreement;
    struct sg_model_constraint *constraint;
    struct sg_model_values *values;
    struct sg_model_text **names; // of the thing that is being filled
    struct sg_model_ref got;      // reference that is being read
    bool key_set_included;
    struct sg_slice target_class;
};

static uint32_t
line_of(const struct sg_structure_ml21 *r)
{
    return sg_xml_place(r->xml).line;
}

static enum sg_err
full(struct sg_structure_ml21 *r)
{
    sg_diag_set(r->diag, line_of(r), 0,
                "the structures are too large to be read at once; send fewer "
                "in one message");
    return SG_ERR_FULL;
}

static struct sg_slice
copy(struct sg_structure_ml21 *r, struct sg_slice text)
{
    if (text.len == 0)
        return (struct sg_slice){0};
    return sg_arena_copy(r->model->arena, text);
}

static struct sg_slice
attr(struct sg_structure_ml21 *r, const struct sg_xml_element *e,
     struct sg_slice name)
{
    return copy(r, sg_xml_attr(e, name));
}

static bool
attr_is(const struct sg_xml_element *e, struct sg_slice name,
        struct sg_slice value)
{
    return sg_slice_eq(sg_xml_attr(e, name), value);
}

static bool
attr_true(const struct sg_xml_element *e, struct sg_slice name)
{
    return attr_is(e, name, SG_SLICE("true")) ||
           attr_is(e, name, SG_SLICE("1"));
}

static bool
attr_false(const struct sg_xml_element *e, struct sg_slice name)
{
    return attr_is(e, name, SG_SLICE("false")) ||
           attr_is(e, name, SG_SLICE("0"));
}

// agencyID, id and version of something maintained.
static struct sg_model_ref
self_of(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_ref self = {
        .agency = attr(r, e, SG_SLICE("agencyID")),
        .id = attr(r, e, SG_SLICE("id")),
        .version = attr(r, e, SG_SLICE("version")),
        .line = line_of(r),
    };
    if (self.version.len == 0)
        self.version = SG_SLICE("1.0");
    return self;
}

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

// ---- starts ----------------------------------------------------------------

#define NEW(r, type) ((type *)sg_arena_take((r)->model->arena, sizeof(type)))

static enum sg_err
start_list(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_list *list = NEW(r, struct sg_model_list);
    if (list == NULL)
        return full(r);
    list->self = self_of(r, e);
    list->stub = attr_true(e, SG_SLICE("isExternalReference"));
    list->next = r->model->lists;
    r->model->lists = list;
    r->list = list;
    r->names = &list->names;
    return SG_OK;
}

static enum sg_err
start_code(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_code *code = NEW(r, struct sg_model_code);
    if (code == NULL || ++r->model->codes > SG_LIMIT_CODES)
        return full(r);
    code->id = attr(r, e, SG_SLICE("id"));
    code->line = line_of(r);
    if (code->id.len == 0) {
        sg_diag_set(r->diag, code->line, 0,
                    "a code without an id in code list %.*s; give it one",
                    SG_SLICE_ARG(r->list->self.id));
        return SG_ERR_SYNTAX;
    }
    if (r->list->last == NULL)
        r->list->codes = code;
    else
        r->list->last->next = code;
    r->list->last = code;
    r->list->count++;
    r->list->stub = false; // whoever sends codes has them
    r->code = code;
    r->names = &code->names;
    return SG_OK;
}

static enum sg_err
start_note(struct sg_structure_ml21 *r)
{
    struct sg_model_note *note = NEW(r, struct sg_model_note);
    if (note == NULL)
        return full(r);
    r->note = note;
    r->note_title = (struct sg_slice){0};
    return SG_OK;
}

static enum sg_err
start_concept(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_concept *concept = NEW(r, struct sg_model_concept);
    if (concept == NULL)
        return full(r);
    concept->scheme = r->scheme;
    concept->id = attr(r, e, SG_SLICE("id"));
    concept->next = r->model->concepts;
    r->model->concepts = concept;
    r->concept = concept;
    r->component = NULL;
    r->names = &concept->names;
    return SG_OK;
}

static enum sg_err
start_representation(struct sg_structure_ml21 *r,
                     const struct sg_xml_element *e)
{
    r->representation =
        r->component != NULL ? &r->component->local : &r->concept->core;
    struct sg_facets *facets = &r->representation->facets;
    facets->min_length = facets->max_length = facets->decimals = -1;
    r->representation->given = true;
    struct sg_slice most = sg_xml_attr(e, SG_SLICE("maxOccurs"));
    r->representation->several =
        most.len > 0 && !sg_slice_eq(most, SG_SLICE("1"));
    return SG_OK;
}

static int32_t
small_number(const struct sg_xml_element *e, struct sg_slice name)
{
    uint64_t value;
    struct sg_slice text = sg_xml_attr(e, name);
    if (text.len == 0 || !sg_slice_u64(text, &value) || value > INT32_MAX)
        return -1;
    return (int32_t)value;
}

static enum sg_err
start_format(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_representation *to = r->representation;
    struct sg_slice type = sg_xml_attr(e, SG_SLICE("textType"));
    to->typed = type.len > 0;
    if (to->typed && !sg_structure_type_by_name(type, &to->type))
        to->type = SG_TYPE_STRING; // types of reference metadata only
    // A 2.1 message cannot say a value in two languages.
    to->languages = r->is_3 && attr_true(e, SG_SLICE("isMultiLingual"));
    to->facets = (struct sg_facets){
        .pattern = attr(r, e, SG_SLICE("pattern")),
        .min_value = attr(r, e, SG_SLICE("minValue")),
        .max_value = attr(r, e, SG_SLICE("maxValue")),
        .start_value = attr(r, e, SG_SLICE("startValue")),
        .end_value = attr(r, e, SG_SLICE("endValue")),
        .interval = attr(r, e, SG_SLICE("interval")),
        .start_time = attr(r, e, SG_SLICE("startTime")),
        .end_time = attr(r, e, SG_SLICE("endTime")),
        .time_interval = attr(r, e, SG_SLICE("timeInterval")),
        .min_length = small_number(e, SG_SLICE("minLength")),
        .max_length = small_number(e, SG_SLICE("maxLength")),
        .decimals = small_number(e, SG_SLICE("decimals")),
        .is_sequence = attr_true(e, SG_SLICE("isSequence")),
    };
    return SG_OK;
}

static enum sg_err
start_dsd(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_dsd *dsd = NEW(r, struct sg_model_dsd);
    if (dsd == NULL)
        return full(r);
    dsd->self = self_of(r, e);
    dsd->stub = true; // until it shows components
    memcpy(dsd->source_sha256, r->source_sha256, 32);
    dsd->next = r->model->dsds;
    r->model->dsds = dsd;
    r->dsd = dsd;
    r->names = &dsd->names;
    return SG_OK;
}

static enum sg_err
start_component(struct sg_structure_ml21 *r, const struct sg_xml_element *e,
                enum sg_component_kind kind)
{
    struct sg_model_component *c = NEW(r, struct sg_model_component);
    if (c == NULL)
        return full(r);
    int32_t position = small_number(e, SG_SLICE("position"));
    c->id = attr(r, e, SG_SLICE("id"));
    c->kind = kind;
    c->position = position > 0 ? (uint32_t)position : 0;
    c->line = line_of(r);
    c->mandatory =
        kind == SG_KIND_DIMENSION || kind == SG_KIND_TIME ||
        attr_is(e, SG_SLICE("assignmentStatus"), SG_SLICE("Mandatory")) ||
        attr_is(e, SG_SLICE("usage"), SG_SLICE("mandatory"));
    if (r->dsd->last == NULL)
        r->dsd->components = c;
    else
        r->dsd->last->next = c;
    r->dsd->last = c;
    r->dsd->stub = false;
    r->component = c;
    return SG_OK;
}

static enum sg_err
start_group(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_group *group = NEW(r, struct sg_model_group);
    if (group == NULL)
        return full(r);
    group->id = attr(r, e, SG_SLICE("id"));
    struct sg_model_group **at = &r->dsd->groups;
    while (*at != NULL)
        at = &(*at)->next;
    *at = group;
    r->group = group;
    return SG_OK;
}

static enum sg_err
start_flow(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_flow *flow = NEW(r, struct sg_model_flow);
    if (flow == NULL)
        return full(r);
    flow->self = self_of(r, e);
    flow->next = r->model->flows;
    r->model->flows = flow;
    r->flow = flow;
    r->names = &flow->names;
    return SG_OK;
}

static enum sg_err
start_agreement(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_agreement *agreement = NEW(r, struct sg_model_agreement);
    if (agreement == NULL)
        return full(r);
    agreement->self = self_of(r, e);
    agreement->next = r->model->agreements;
    r->model->agreements = agreement;
    r->agreement = agreement;
    return SG_OK;
}

static enum sg_err
start_provider(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_provider *provider = NEW(r, struct sg_model_provider);
    if (provider == NULL)
        return full(r);
    provider->scheme = r->scheme;
    provider->id = attr(r, e, SG_SLICE("id"));
    provider->next = r->model->providers;
    r->model->providers = provider;
    r->names = &provider->names;
    return SG_OK;
}

static enum sg_err
start_constraint(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_constraint *c = NEW(r, struct sg_model_constraint);
    if (c == NULL)
        return full(r);
    c->self = self_of(r, e);
    // 2.1 @type, 3.0 @role; without either 2.1 says Actual.
    c->allowed = attr_is(e, SG_SLICE("type"), SG_SLICE("Allowed")) ||
                 attr_is(e, SG_SLICE("role"), SG_SLICE("Allowed"));
    c->next = r->model->constraints;
    r->model->constraints = c;
    r->constraint = c;
    return SG_OK;
}

static enum sg_err
start_part(struct sg_structure_ml21 *r, bool key, bool include)
{
    struct sg_model_part *part = NEW(r, struct sg_model_part);
    if (part == NULL)
        return full(r);
    part->key = key;
    part->include = include;
    if (r->constraint->last == NULL)
        r->constraint->parts = part;
    else
        r->constraint->last->next = part;
    r->constraint->last = part;
    return SG_OK;
}

static enum sg_err
start_values(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_part *part = r->constraint->last;
    struct sg_model_values *values = NEW(r, struct sg_model_values);
    if (values == NULL)
        return full(r);
    values->component = attr(r, e, SG_SLICE("id"));
    values->include = !attr_false(e, SG_SLICE("include"));
    if (part->last == NULL)
        part->values = values;
    else
        part->last->next = values;
    part->last = values;
    r->values = values;
    return SG_OK;
}

static enum sg_err
start_ref(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_ref *got = &r->got;
    got->agency = attr(r, e, SG_SLICE("agencyID"));
    got->class = attr(r, e, SG_SLICE("class"));
    got->id = attr(r, e, SG_SLICE("maintainableParentID"));
    if (got->id.len > 0) {
        got->version = attr(r, e, SG_SLICE("maintainableParentVersion"));
        got->item = attr(r, e, SG_SLICE("id"));
    } else {
        got->version = attr(r, e, SG_SLICE("version"));
        got->id = attr(r, e, SG_SLICE("id"));
    }
    if (got->version.len == 0)
        got->version = SG_SLICE("1.0");
    return SG_OK;
}

static enum sg_err
start_message(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    static const char versions[3][6] = {"/v3_0", "/v3_1", "/v2_0"};
    bool has[3] = {false, false, false};
    for (size_t i = 0; i + 5 <= e->ns.len; i++) {
        for (size_t v = 0; v < 3; v++)
            has[v] = has[v] || memcmp(e->ns.ptr + i, versions[v], 5) == 0;
    }
    r->is_3 = has[0] || has[1];
    if (!has[2])
        return SG_OK;
    sg_diag_set(r->diag, line_of(r), 0,
                "a structure message of SDMX 2.0; export it as SDMX 2.1");
    return SG_ERR_UNSUPPORTED;
}

// Attributes of a relation: the widest attachment that is written wins.
static void
attach(struct sg_structure_ml21 *r, enum sg_attach to)
{
    if (r->component->attach != SG_ATTACH_GROUP)
        r->component->attach = to;
}

static enum sg_err
start_definition(struct sg_structure_ml21 *r, enum sg_ml21_tag tag,
                 const struct sg_xml_element *e)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (tag) {
    case SG_ML21_MESSAGE:
        return start_message(r, e);
    case SG_ML21_LIST:
        return start_list(r, e);
    case SG_ML21_EXTENSION:
        r->list->extended = true;
        return SG_OK;
    case SG_ML21_CODE:
        return start_code(r, e);
    case SG_ML21_NOTE:
        return start_note(r);
    case SG_ML21_SCHEME:
    case SG_ML21_PROVIDERS:
        r->scheme = self_of(r, e);
        return SG_OK;
    case SG_ML21_CONCEPT:
        return start_concept(r, e);
    case SG_ML21_REPRESENTATION:
        return start_representation(r, e);
    case SG_ML21_FORMAT:
        return start_format(r, e);
    case SG_ML21_DSD:
        return start_dsd(r, e);
    case SG_ML21_FLOW:
        return start_flow(r, e);
    case SG_ML21_AGREEMENT:
        return start_agreement(r, e);
    case SG_ML21_PROVIDER:
        return start_provider(r, e);
    case SG_ML21_REF:
        return start_ref(r, e);
    default:
        return SG_OK;
    }
}

static enum sg_err
start_detail(struct sg_structure_ml21 *r, enum sg_ml21_tag tag,
             const struct sg_xml_element *e)
{
    switch (tag) {
    case SG_ML21_DIMENSION:
        return start_component(r, e, SG_KIND_DIMENSION);
    case SG_ML21_TIME:
        return start_component(r, e, SG_KIND_TIME);
    case SG_ML21_MEASURE:
        return start_component(r, e, SG_KIND_MEASURE);
    case SG_ML21_ATTRIBUTE:
        return start_component(r, e, SG_KIND_ATTRIBUTE);
    case SG_ML21_ON_DATASET:
        attach(r, SG_ATTACH_DATASET);
        return SG_OK;
    case SG_ML21_ON_DIMENSION:
        attach(r, SG_ATTACH_DIMENSIONS);
        return SG_OK;
    case SG_ML21_ON_GROUP:
        attach(r, SG_ATTACH_GROUP);
        return SG_OK;
    case SG_ML21_ON_OBSERVATION:
        attach(r, SG_ATTACH_OBSERVATION);
        return SG_OK;
    case SG_ML21_GROUP:
        return start_group(r, e);
    case SG_ML21_CONSTRAINT:
        return start_constraint(r, e);
    case SG_ML21_TARGET:
        r->target_class = copy(r, e->name);
        return SG_OK;
    case SG_ML21_REGION:
        return start_part(r, false, !attr_false(e, SG_SLICE("include")));
    case SG_ML21_KEY_SET:
        r->key_set_included = !attr_false(e, SG_SLICE("isIncluded"));
        return SG_OK;
    case SG_ML21_KEY:
        return start_part(r, true, r->key_set_included);
    case SG_ML21_KEY_VALUE:
        return start_values(r, e);
    case SG_ML21_RANGE:
        r->values->time_range = true;
        return SG_OK;
    default:
        return start_definition(r, tag, e);
    }
#pragma GCC diagnostic pop
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
        sg_diag_set(r->diag, line_of(r), 0,
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
        r->language = attr(r, e, SG_SLICE("lang"));
    }
    if (r->keep_text && tag != SG_ML21_URN)
        r->got = (struct sg_model_ref){0};
    return start_detail(r, tag, e);
}

static enum sg_err
on_text(void *user, struct sg_slice text)
{
    struct sg_structure_ml21 *r = user;
    if (r->skipped > 0 || !r->keep_text)
        return SG_OK;
    if (text.len > TEXT_MAX - r->text_len) {
        sg_diag_set(r->diag, line_of(r), 0,
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
    struct sg_model_text *name = NEW(r, struct sg_model_text);
    if (name == NULL)
        return full(r);
    name->language = r->language.len > 0 ? r->language : SG_SLICE("en");
    name->text = copy(r, collected(r));
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
    struct sg_model_dim *dim = NEW(r, struct sg_model_dim);
    if (dim == NULL)
        return full(r);
    dim->id = r->got.item.len > 0 ? r->got.item : r->got.id;
    dim->line = r->got.line;
    dim->next = *to;
    *to = dim;
    return SG_OK;
}

static enum sg_err
add_target(struct sg_structure_ml21 *r)
{
    struct sg_model_target *target = NEW(r, struct sg_model_target);
    if (target == NULL)
        return full(r);
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
    struct sg_model_value *value = NEW(r, struct sg_model_value);
    if (value == NULL)
        return full(r);
    value->text = copy(r, collected(r));
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
        struct sg_slice kept = copy(r, text);
        if (!sg_structure_parse_ref(kept, &r->got)) {
            bool by_id = tag == SG_ML21_PARENT || tag == SG_ML21_ON_DIMENSION ||
                         tag == SG_ML21_ON_GROUP || tag == SG_ML21_GROUP_MEMBER;
            r->got = (struct sg_model_ref){.id = kept};
            if (!by_id) {
                sg_diag_set(r->diag, line_of(r), 0,
                            "\"%.*s\" is no reference; write a Ref or a URN "
                            "urn:sdmx:...=AGENCY:ID(VERSION)",
                            SG_SLICE_ARG(kept));
                return SG_ERR_SYNTAX;
            }
        }
    }
    r->got.line = r->got.id.len == 0 ? 0 : line_of(r);
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
        r->note->type = copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE_TITLE:
        r->note_title = copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE_TEXT: // in several languages: the first
        if (r->note->text.len == 0)
            r->note->text = copy(r, collected(r));
        return SG_OK;
    case SG_ML21_NOTE:
        return end_note(r);
    case SG_ML21_VALUE:
        return add_value(r);
    case SG_ML21_RANGE_START:
        r->values->start = copy(r, collected(r));
        return SG_OK;
    case SG_ML21_RANGE_END:
        r->values->end = copy(r, collected(r));
        return SG_OK;
    case SG_ML21_URN: {
        // Its holder's other text is white space: not looked at any more.
        struct sg_slice urn = copy(r, collected(r));
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
