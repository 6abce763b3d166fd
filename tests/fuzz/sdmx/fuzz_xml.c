// Any bytes as XML, in pieces of a size that the first byte gives: the same
// events must come whatever the pieces are.
#include <stdlib.h>

#include "schemas/sdmx/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    uint64_t hash;
};

static void
add(struct sum *sum, struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        sum->hash = (sum->hash ^ text.ptr[i]) * 1099511628211u;
}

static enum sg_err
on_start(void *user, const struct sg_xml_element *e)
{
    add(user, e->ns);
    add(user, e->name);
    for (uint32_t i = 0; i < e->attr_count; i++) {
        add(user, e->attrs[i].name);
        add(user, e->attrs[i].value);
    }
    return SG_OK;
}

static enum sg_err
on_text(void *user, struct sg_slice text)
{
    add(user, text);
    return SG_OK;
}

static enum sg_err
on_end(void *user, struct sg_slice ns, struct sg_slice name)
{
    (void)ns;
    add(user, name);
    return SG_OK;
}

static enum sg_err
run(struct sg_slice doc, size_t step, struct sum *sum)
{
    static const struct sg_xml_events events = {on_start, on_text, on_end};
    struct sg_arena *arena = sg_arena_new(1u << 20, 1u << 16);
    struct sg_xml *xml = NULL;
    struct sg_diag diag;
    if (arena == NULL)
        abort();
    enum sg_err err = sg_xml_open(arena, 3, &events, sum, &xml);
    for (size_t at = 0; at < doc.len && err == SG_OK; at += step) {
        size_t len = doc.len - at < step ? doc.len - at : step;
        err = sg_xml_feed(xml, sg_slice_of(doc.ptr + at, len), &diag);
    }
    if (err == SG_OK)
        err = sg_xml_finish(xml, &diag);
    sg_xml_close(&xml);
    sg_arena_free(&arena);
    return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct sg_slice doc = sg_slice_of(data + 1, size - 1);
    struct sum whole = {14695981039346656037u};
    struct sum pieces = whole;
    enum sg_err a = run(doc, doc.len, &whole);
    enum sg_err b = run(doc, (size_t)data[0] + 1, &pieces);
    if (a == SG_OK && (b != SG_OK || whole.hash != pieces.hash))
        abort();
    return 0;
}
