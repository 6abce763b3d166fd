// Any bytes as XML, by expat alone and with the scanner: the same verdict at
// the same place, the same events. The second document says the bytes twice
// within a root, since the scanner reads only what it has seen before.
#include "tests/unit/sdmx/xml_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(struct sg_slice doc, size_t step)
{
    struct xml_fixture expat = xml_fixture_read(doc, step, XML_EXPAT);
    for (enum xml_fixture_how how = XML_SCANNER; how <= XML_PORTABLE; how++) {
        struct xml_fixture ours = xml_fixture_read(doc, step, how);
        const char *what = xml_fixture_differ(&expat, &ours);
        if (what != NULL) {
            fprintf(stderr, "step %zu: %s\nexpat %u:%u %s\nours  %u:%u %s\n",
                    step, what, expat.diag.line, expat.diag.column,
                    expat.diag.text, ours.diag.line, ours.diag.column,
                    ours.diag.text);
            fprintf(stderr, "expat: %.*s\nours: %.*s\n", (int)expat.len,
                    (const char *)expat.log, (int)ours.len,
                    (const char *)ours.log);
            abort();
        }
        free(ours.log);
    }
    free(expat.log);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "<r xmlns:p='u' xmlns='v'>", tail[] = "</r>";
    if (size < 2 || size > 1u << 15)
        return 0;
    size_t step = data[0] < 64 ? (size_t)data[0] + 1 : size * 3;
    struct sg_slice doc = sg_slice_of(data + 1, size - 1);
    compare(doc, step);
    uint8_t *twice = malloc(sizeof head + sizeof tail + 2 * doc.len);
    size_t len = sizeof head - 1;
    memcpy(twice, head, len);
    for (int i = 0; i < 2; i++) {
        memcpy(twice + len, doc.ptr, doc.len);
        len += doc.len;
    }
    memcpy(twice + len, tail, sizeof tail - 1);
    compare(sg_slice_of(twice, len + sizeof tail - 1), step);
    free(twice);
    return 0;
}
