#include "schemas/sdmx/structure_ml21_reader.h"

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
        .agency = sg_ml21_attr(r, e, SG_SLICE("agencyID")),
        .id = sg_ml21_attr(r, e, SG_SLICE("id")),
        .version = sg_ml21_attr(r, e, SG_SLICE("version")),
        .line = sg_ml21_line(r),
    };
    if (self.version.len == 0)
        self.version = SG_SLICE("1.0");
    return self;
}

static enum sg_err
start_list(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_list *list = SG_ML21_NEW(r, struct sg_model_list);
    if (list == NULL)
        return sg_ml21_full(r);
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
    struct sg_model_code *code = SG_ML21_NEW(r, struct sg_model_code);
    if (code == NULL || ++r->model->codes > SG_LIMIT_CODES)
        return sg_ml21_full(r);
    code->id = sg_ml21_attr(r, e, SG_SLICE("id"));
    code->line = sg_ml21_line(r);
    if (code->id.len == 0) {
        sg_diag_set(r->diag, code->line, 0,
                    "a code or concept without an id in %.*s; give it one",
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
    struct sg_model_note *note = SG_ML21_NEW(r, struct sg_model_note);
    if (note == NULL)
        return sg_ml21_full(r);
    r->note = note;
    r->note_title = (struct sg_slice){0};
    return SG_OK;
}

static enum sg_err
start_concept(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_concept *concept = SG_ML21_NEW(r, struct sg_model_concept);
    if (concept == NULL)
        return sg_ml21_full(r);
    concept->scheme = r->scheme;
    concept->id = sg_ml21_attr(r, e, SG_SLICE("id"));
    concept->next = r->model->concepts;
    r->model->concepts = concept;
    r->concept = concept;
    r->component = NULL;
    return start_code(r, e);
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
        .pattern = sg_ml21_attr(r, e, SG_SLICE("pattern")),
        .min_value = sg_ml21_attr(r, e, SG_SLICE("minValue")),
        .max_value = sg_ml21_attr(r, e, SG_SLICE("maxValue")),
        .start_value = sg_ml21_attr(r, e, SG_SLICE("startValue")),
        .end_value = sg_ml21_attr(r, e, SG_SLICE("endValue")),
        .interval = sg_ml21_attr(r, e, SG_SLICE("interval")),
        .start_time = sg_ml21_attr(r, e, SG_SLICE("startTime")),
        .end_time = sg_ml21_attr(r, e, SG_SLICE("endTime")),
        .time_interval = sg_ml21_attr(r, e, SG_SLICE("timeInterval")),
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
    struct sg_model_dsd *dsd = SG_ML21_NEW(r, struct sg_model_dsd);
    if (dsd == NULL)
        return sg_ml21_full(r);
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
    struct sg_model_component *c = SG_ML21_NEW(r, struct sg_model_component);
    if (c == NULL)
        return sg_ml21_full(r);
    int32_t position = small_number(e, SG_SLICE("position"));
    c->id = sg_ml21_attr(r, e, SG_SLICE("id"));
    c->kind = kind;
    c->position = position > 0 ? (uint32_t)position : 0;
    c->line = sg_ml21_line(r);
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
    struct sg_model_group *group = SG_ML21_NEW(r, struct sg_model_group);
    if (group == NULL)
        return sg_ml21_full(r);
    group->id = sg_ml21_attr(r, e, SG_SLICE("id"));
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
    struct sg_model_flow *flow = SG_ML21_NEW(r, struct sg_model_flow);
    if (flow == NULL)
        return sg_ml21_full(r);
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
    struct sg_model_agreement *agreement =
        SG_ML21_NEW(r, struct sg_model_agreement);
    if (agreement == NULL)
        return sg_ml21_full(r);
    agreement->self = self_of(r, e);
    agreement->next = r->model->agreements;
    r->model->agreements = agreement;
    r->agreement = agreement;
    return SG_OK;
}

static enum sg_err
start_provider(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_provider *provider =
        SG_ML21_NEW(r, struct sg_model_provider);
    if (provider == NULL)
        return sg_ml21_full(r);
    provider->scheme = r->scheme;
    provider->id = sg_ml21_attr(r, e, SG_SLICE("id"));
    provider->next = r->model->providers;
    r->model->providers = provider;
    r->names = &provider->names;
    return SG_OK;
}

static enum sg_err
start_constraint(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_constraint *c = SG_ML21_NEW(r, struct sg_model_constraint);
    if (c == NULL)
        return sg_ml21_full(r);
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
    struct sg_model_part *part = SG_ML21_NEW(r, struct sg_model_part);
    if (part == NULL)
        return sg_ml21_full(r);
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
add_values(struct sg_structure_ml21 *r, struct sg_slice component, bool include)
{
    struct sg_model_part *part = r->constraint->last;
    struct sg_model_values *values = SG_ML21_NEW(r, struct sg_model_values);
    if (values == NULL)
        return sg_ml21_full(r);
    values->component = component;
    values->include = include;
    if (part->last == NULL)
        part->values = values;
    else
        part->last->next = values;
    part->last = values;
    r->values = values;
    return SG_OK;
}

static enum sg_err
start_values(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    return add_values(r, sg_ml21_attr(r, e, SG_SLICE("id")),
                      !attr_false(e, SG_SLICE("include")));
}

static void
read_cascade(const struct sg_xml_element *e, bool *cascade, bool *below_only)
{
    struct sg_slice name = SG_SLICE("cascadeValues");
    *below_only = attr_is(e, name, SG_SLICE("excluderoot"));
    *cascade = *below_only || attr_is(e, name, SG_SLICE("true")) ||
               attr_is(e, name, SG_SLICE("1"));
}

static enum sg_err
start_extension(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_extension **at = &r->list->extensions;
    struct sg_model_extension *x = SG_ML21_NEW(r, struct sg_model_extension);
    if (x == NULL)
        return sg_ml21_full(r);
    x->prefix = sg_ml21_attr(r, e, SG_SLICE("prefix"));
    while (*at != NULL)
        at = &(*at)->next;
    *at = r->extension = x;
    return SG_OK;
}

static enum sg_err
start_member(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_member *member = SG_ML21_NEW(r, struct sg_model_member);
    if (member == NULL)
        return sg_ml21_full(r);
    read_cascade(e, &member->cascade, &member->below_only);
    member->next = r->extension->members;
    r->extension->members = r->member = member;
    return SG_OK;
}

// Values that cascade in another way than those before begin a list of their
// own.
static enum sg_err
start_value(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    bool cascade, below_only;
    struct sg_model_values *old = r->values;
    read_cascade(e, &cascade, &below_only);
    if (old->values != NULL &&
        (old->cascade != cascade || old->below_only != below_only)) {
        enum sg_err err = add_values(r, old->component, old->include);
        if (err != SG_OK)
            return err;
    }
    r->values->cascade = cascade;
    r->values->below_only = below_only;
    return SG_OK;
}

static enum sg_err
start_ref(struct sg_structure_ml21 *r, const struct sg_xml_element *e)
{
    struct sg_model_ref *got = &r->got;
    got->agency = sg_ml21_attr(r, e, SG_SLICE("agencyID"));
    got->class = sg_ml21_attr(r, e, SG_SLICE("class"));
    got->id = sg_ml21_attr(r, e, SG_SLICE("maintainableParentID"));
    if (got->id.len > 0) {
        got->version =
            sg_ml21_attr(r, e, SG_SLICE("maintainableParentVersion"));
        got->item = sg_ml21_attr(r, e, SG_SLICE("id"));
    } else {
        got->version = sg_ml21_attr(r, e, SG_SLICE("version"));
        got->id = sg_ml21_attr(r, e, SG_SLICE("id"));
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
    sg_diag_set(r->diag, sg_ml21_line(r), 0,
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
        return start_extension(r, e);
    case SG_ML21_SELECTION:
        r->extension->selects = true;
        r->extension->excludes =
            sg_slice_eq(e->name, SG_SLICE("ExclusiveCodeSelection"));
        return SG_OK;
    case SG_ML21_MEMBER:
        return start_member(r, e);
    case SG_ML21_CODE:
        return start_code(r, e);
    case SG_ML21_NOTE:
        return start_note(r);
    case SG_ML21_SCHEME: {
        // A measure dimension of 2.1 takes concepts for codes.
        enum sg_err err = start_list(r, e);
        if (err == SG_OK) {
            r->list->self.class = SG_SLICE("ConceptScheme");
            r->scheme = r->list->self;
        }
        return err;
    }
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

enum sg_err
sg_structure_ml21_start(struct sg_structure_ml21 *r, enum sg_ml21_tag tag,
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
        r->target_class = sg_ml21_copy(r, e->name);
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
    case SG_ML21_VALUE:
        return start_value(r, e);
    case SG_ML21_RANGE:
        r->values->time_range = true;
        return SG_OK;
    case SG_ML21_RANGE_START:
        r->values->start_open = attr_false(e, SG_SLICE("isInclusive"));
        return SG_OK;
    case SG_ML21_RANGE_END:
        r->values->end_open = attr_false(e, SG_SLICE("isInclusive"));
        return SG_OK;
    default:
        return start_definition(r, tag, e);
    }
#pragma GCC diagnostic pop
}
