#include "broker/base/check.h"
#include "schemas/sdmx/ml21_parts.h"

static bool
is(struct sg_slice name, const char *word)
{
    return sg_slice_eq(name, sg_slice_text(word));
}

uint8_t
sg_ml21_header_action(struct sg_slice word)
{
    static const char *const words[] = {"Information", "Append", "Merge",
                                        "Replace", "Delete"};
    for (size_t i = 0; i < SG_COUNT_OF(words); i++)
        if (is(word, words[i]))
            return (uint8_t)words[i][0];
    return 0;
}

static enum sg_err
copy(struct sg_ml21 *ml, struct sg_slice bytes, struct sg_slice *out)
{
    *out = (struct sg_slice){NULL, 0};
    if (bytes.len == 0)
        return SG_OK;
    *out = sg_arena_copy(ml->arena, bytes);
    return out->ptr == NULL ? SG_ERR_FULL : SG_OK;
}

static enum sg_err
structure_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (ml->structure_count == SG_ML21_STRUCTURES) {
        sg_ml21_say(ml, SG_FAULT_HEADER, 0, SG_SLICE("Structure"), SG_SLICE(""),
                    "more structures than are accepted");
        return SG_OK;
    }
    struct sg_ml21_structure *s = &ml->structures[ml->structure_count++];
    ml->in_structure = true;
    enum sg_err err =
        copy(ml, sg_xml_attr(element, SG_SLICE("structureID")), &s->id);
    return err == SG_OK
               ? copy(ml,
                      sg_xml_attr(element, SG_SLICE("dimensionAtObservation")),
                      &s->at)
               : err;
}

// The element that says what kind of thing is referred to.
static void
ref_kind(struct sg_ml21 *ml, struct sg_slice name)
{
    struct sg_ml21_structure *s = &ml->structures[ml->structure_count - 1];
    if (is(name, "Structure"))
        s->ref.kind = SG_OBS_REF_DATASTRUCTURE;
    else if (is(name, "StructureUsage"))
        s->ref.kind = SG_OBS_REF_DATAFLOW;
    else if (is(name, "ProvisionAgreement") || is(name, "ProvisionAgrement"))
        s->ref.kind = SG_OBS_REF_DATAPROVISION; // 2.1 misspells it
}

static enum sg_err
ref_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml21_structure *s = &ml->structures[ml->structure_count - 1];
    struct sg_obs_ref *r = &s->ref;
    enum sg_err err =
        copy(ml, sg_xml_attr(element, SG_SLICE("agencyID")), &r->agency);
    if (err == SG_OK)
        err = copy(ml, sg_xml_attr(element, SG_SLICE("id")), &r->id);
    if (err == SG_OK)
        err = copy(ml, sg_xml_attr(element, SG_SLICE("version")), &r->version);
    s->has_ref = r->agency.len > 0 && r->id.len > 0;
    return err;
}

enum sg_err
sg_ml21_header_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    ml->text_len = 0;
    if (ml->in_footer) {
        if (!is(element->name, "Message"))
            return SG_OK;
        struct sg_slice code = sg_xml_attr(element, SG_SLICE("code"));
        struct sg_slice severity = sg_xml_attr(element, SG_SLICE("severity"));
        snprintf(ml->footer, sizeof ml->footer, "%.*s %.*s",
                 (int)(code.len < 30 ? code.len : 30),
                 code.len > 0 ? (const char *)code.ptr : "",
                 (int)(severity.len < 30 ? severity.len : 30),
                 severity.len > 0 ? (const char *)severity.ptr : "");
        return SG_OK;
    }
    if (element->depth == 3 && is(element->name, "Structure"))
        return structure_start(ml, element);
    if (element->depth == 3 && is(element->name, "Sender"))
        return copy(ml, sg_xml_attr(element, SG_SLICE("id")),
                    &ml->header.sender);
    if (element->depth == 4 && ml->in_structure)
        ref_kind(ml, element->name);
    if (element->depth == 5 && ml->in_structure && is(element->name, "Ref"))
        return ref_start(ml, element);
    return SG_OK;
}

enum sg_err
sg_ml21_header_text(struct sg_ml21 *ml, struct sg_slice text)
{
    size_t room = sizeof ml->text - ml->text_len;
    if (text.len > room)
        text.len = room;
    if (text.len > 0)
        memcpy(ml->text + ml->text_len, text.ptr, text.len);
    ml->text_len += text.len;
    return SG_OK;
}

// urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AGENCY:ID(1.0)
static enum sg_err
take_urn(struct sg_ml21 *ml, struct sg_slice text)
{
    struct sg_ml21_structure *s = &ml->structures[ml->structure_count - 1];
    const uint8_t *equal =
        text.len == 0 ? NULL : memchr(text.ptr, '=', text.len);
    if (equal == NULL || s->has_ref)
        return SG_OK;
    struct sg_slice kept, rest;
    rest = sg_slice_of(equal + 1, text.len - (size_t)(equal + 1 - text.ptr));
    enum sg_err err = copy(ml, rest, &kept);
    struct sg_obs_ref ref = {0};
    if (err == SG_OK && sg_obs_ref_parse(kept, &ref)) {
        ref.kind = s->ref.kind;
        s->ref = ref;
        s->has_ref = true;
    }
    return err;
}

static enum sg_err
footer_end(struct sg_ml21 *ml, struct sg_slice name, struct sg_slice text)
{
    if (is(name, "Footer"))
        ml->in_footer = false;
    if (!is(name, "Text") && !is(name, "Message"))
        return SG_OK;
    if (ml->footer[0] == '\0')
        return SG_OK; // said with its text
    struct sg_fault fault = {.code = SG_FAULT_FOOTER,
                             .warning = true,
                             .value = sg_slice_text(ml->footer),
                             .hint = text,
                             .line = sg_xml_place(ml->xml).line};
    ml->sink.fault(ml->sink.context, &fault);
    ml->footer[0] = '\0';
    return SG_OK;
}

enum sg_err
sg_ml21_header_key_family(struct sg_ml21 *ml, struct sg_slice id)
{
    struct sg_ml21_structure *s = &ml->structures[0];
    ml->structure_count = 1;
    s->ref.kind = SG_OBS_REF_DATASTRUCTURE;
    enum sg_err err = copy(ml, id, &s->ref.id);
    s->has_ref = s->ref.id.len > 0 && s->ref.agency.len > 0;
    return err;
}

static enum sg_err
key_family_end(struct sg_ml21 *ml, struct sg_slice name, struct sg_slice text)
{
    struct sg_obs_ref *ref = &ml->structures[0].ref;
    if (is(name, "KeyFamilyRef"))
        return sg_ml21_header_key_family(ml, text);
    enum sg_err err = copy(ml, text, &ref->agency);
    return err == SG_OK ? sg_ml21_header_key_family(ml, ref->id) : err;
}

static enum sg_err
field_end(struct sg_ml21 *ml, struct sg_slice name, struct sg_slice text)
{
    struct sg_obs_header *h = &ml->header;
    if (is(name, "ID") && h->id.len == 0)
        return copy(ml, text, &h->id);
    if (ml->v20 && (is(name, "KeyFamilyRef") || is(name, "KeyFamilyAgency")))
        return key_family_end(ml, name, text);
    if (is(name, "Prepared"))
        return copy(ml, text, &h->prepared);
    if (is(name, "EmbargoDate")) {
        h->embargoes++;
        return copy(ml, text, &h->embargo);
    }
    if (is(name, "Test"))
        h->test = is(text, "true") || is(text, "1");
    if (is(name, "DataSetAction")) {
        ml->header_action = sg_ml21_header_action(text);
        if (ml->header_action == 0)
            sg_ml21_say(ml, SG_FAULT_ACTION, 0, SG_SLICE("DataSetAction"), text,
                        NULL);
    }
    return SG_OK;
}

static struct sg_slice
trimmed(struct sg_slice s)
{
    while (s.len > 0 && s.ptr[0] <= ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

struct sg_slice
sg_ml21_header_word(struct sg_ml21 *ml)
{
    struct sg_slice text = trimmed(sg_slice_of(ml->text, ml->text_len));
    ml->text_len = 0;
    return text;
}

enum sg_err
sg_ml21_header_end(struct sg_ml21 *ml, struct sg_slice name)
{
    struct sg_slice text = sg_ml21_header_word(ml);
    enum sg_err err = SG_OK;
    if (ml->in_footer)
        return footer_end(ml, name, text);
    if (ml->in_structure) {
        if (text.len > 0)
            err = take_urn(ml, text);
        // The inner Structure has the same name; it ends before the outer.
        if (is(name, "Structure") && ml->depth == 3)
            ml->in_structure = false;
    } else if (is(name, "Header")) {
        ml->in_header = false;
        ml->header_done = true;
        if (ml->sink.header != NULL)
            ml->sink.header(ml->sink.context, &ml->header);
    } else {
        err = field_end(ml, name, text);
    }
    return err;
}

const struct sg_ml21_structure *
sg_ml21_header_find(struct sg_ml21 *ml, struct sg_slice structure_ref,
                    struct sg_obs_ref *ref)
{
    const struct sg_ml21_structure *found = NULL;
    for (uint32_t i = 0; i < ml->structure_count; i++)
        if (sg_slice_eq(ml->structures[i].id, structure_ref))
            found = &ml->structures[i];
    if (structure_ref.ptr == NULL && ml->structure_count == 1)
        found = &ml->structures[0];
    if (found == NULL || !found->has_ref) {
        sg_ml21_say(ml, SG_FAULT_STRUCTURE_REF, 0, SG_SLICE(""), structure_ref,
                    ml->v20 ? "a KeyFamilyRef and its KeyFamilyAgency must "
                              "stand in the header"
                    : found == NULL
                        ? "no Structure of the header has this structureID"
                        : "the header's Structure names no structure");
        return NULL;
    }
    *ref = found->ref;
    if (ref->kind == 0)
        ref->kind = SG_OBS_REF_DATASTRUCTURE;
    return found;
}
