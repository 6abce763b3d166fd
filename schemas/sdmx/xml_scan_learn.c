#include "schemas/sdmx/xml_scan_parts.h"

void
sg_xml_scan_init(struct sg_xml_scan *scan, const struct sg_xml_events *events,
                 void *user)
{
    scan->events = events;
    scan->user = user;
    scan->line = 1;
}

void
sg_xml_scan_forget(struct sg_xml_scan *scan)
{
    scan->tag_count = scan->tag_next = 0;
    scan->uri_count = 0;
    memset(scan->last, 0, sizeof scan->last);
}

// A copy of the URI that stays; false: no room.
static bool
keep_uri(struct sg_xml_scan *scan, struct sg_slice uri, struct sg_slice *kept)
{
    *kept = (struct sg_slice){0};
    if (uri.len == 0)
        return true;
    if (uri.len > SG_XML_SCAN_URI)
        return false;
    uint32_t i = 0;
    while (i < scan->uri_count &&
           !sg_slice_eq(uri, sg_slice_of(scan->uris[i], scan->uri_lens[i])))
        i++;
    if (i == SG_XML_SCAN_SPACES)
        return false;
    if (i == scan->uri_count) {
        memcpy(scan->uris[i], uri.ptr, uri.len);
        scan->uri_lens[i] = (uint32_t)uri.len;
        scan->uri_count++;
    }
    *kept = sg_slice_of(scan->uris[i], uri.len);
    return true;
}

// Is raw an ASCII name that fits, whose local part is name?
static bool
can_keep(struct sg_slice raw, struct sg_slice name)
{
    if (raw.len == 0 || raw.len + 2 > SG_XML_SCAN_NAME || name.len > raw.len)
        return false;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] >= 0x80)
            return false;
    return memcmp(raw.ptr + raw.len - name.len, name.ptr, name.len) == 0;
}

static void
learn_attr(struct sg_xml_scan *scan, struct sg_xml_scan_tag *tag,
           struct sg_slice raw, const struct sg_xml_attr *attr)
{
    for (uint32_t i = 0; i < tag->count; i++)
        if (sg_slice_eq(raw,
                        sg_slice_of(tag->attrs[i].text, tag->attrs[i].len)))
            return;
    if (tag->count == SG_XML_SCAN_ATTRS || scan->known == SG_XML_KNOWN ||
        !can_keep(raw, attr->name))
        return;
    struct sg_xml_scan_attr *a = &tag->attrs[tag->count];
    struct sg_slice ns;
    if (!keep_uri(scan, attr->ns, &ns))
        return;
    memcpy(a->text, raw.ptr, raw.len);
    a->text[raw.len] = '=';
    a->text[raw.len + 1] = '"';
    a->len = (uint8_t)raw.len;
    a->next = SG_XML_SCAN_NONE;
    a->ask = raw.len + 2 > 32 ? 0 : (uint32_t)((1ull << (raw.len + 2)) - 1);
    a->known = ++scan->known;
    a->ns = ns;
    a->name = sg_slice_of(a->text + raw.len - attr->name.len, attr->name.len);
    tag->count++;
}

static struct sg_xml_scan_tag *
learn_tag(struct sg_xml_scan *scan, struct sg_slice raw,
          const struct sg_xml_element *element)
{
    for (uint32_t i = 0; i < scan->tag_count; i++)
        if (sg_slice_eq(raw,
                        sg_slice_of(scan->tags[i].text, scan->tags[i].len)))
            return &scan->tags[i];
    struct sg_slice ns;
    if (scan->known == SG_XML_KNOWN || !can_keep(raw, element->name) ||
        !keep_uri(scan, element->ns, &ns))
        return NULL;
    struct sg_xml_scan_tag *tag = &scan->tags[scan->tag_next];
    scan->tag_next = (scan->tag_next + 1) % SG_XML_SCAN_TAGS;
    if (scan->tag_count < SG_XML_SCAN_TAGS)
        scan->tag_count++;
    for (size_t i = 0; i < SG_COUNT_OF(scan->last); i++)
        if (scan->last[i] == tag)
            scan->last[i] = NULL;
    memcpy(tag->text, raw.ptr, raw.len);
    tag->len = (uint8_t)raw.len;
    tag->first = SG_XML_SCAN_NONE;
    tag->count = 0;
    tag->known = ++scan->known;
    tag->ns = ns;
    tag->name =
        sg_slice_of(tag->text + raw.len - element->name.len, element->name.len);
    return tag;
}

static void
move(struct sg_slice *text, size_t bytes)
{
    text->ptr += bytes;
    text->len -= bytes;
}

// Moves text behind the next attribute; *name: its name as written.
static bool
next_raw(struct sg_slice *text, struct sg_slice *name)
{
    while (text->len > 0 && sg_xml_is_space(text->ptr[0]))
        move(text, 1);
    *name = sg_slice_of(text->ptr, sg_xml_name_len(*text));
    move(text, name->len);
    while (text->len > 0 && text->ptr[0] != '"' && text->ptr[0] != '\'')
        move(text, 1);
    if (text->len == 0)
        return false;
    uint8_t quote = text->ptr[0];
    move(text, 1);
    const uint8_t *close =
        text->len == 0 ? NULL : memchr(text->ptr, quote, text->len);
    if (close == NULL)
        return false;
    move(text, (size_t)(close - text->ptr) + 1);
    return true;
}

void
sg_xml_scan_learn(struct sg_xml_scan *scan, struct sg_slice raw,
                  const struct sg_xml_element *element)
{
    if (raw.len < 3 || raw.ptr[0] != '<')
        return;
    move(&raw, 1);
    struct sg_slice name = sg_slice_of(raw.ptr, sg_xml_name_len(raw));
    move(&raw, name.len);
    struct sg_xml_scan_tag *tag = learn_tag(scan, name, element);
    if (tag == NULL)
        return;
    for (uint32_t i = 0; i < element->attr_count; i++) {
        if (!next_raw(&raw, &name))
            return;
        learn_attr(scan, tag, name, &element->attrs[i]);
    }
}
