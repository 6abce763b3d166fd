// Any bytes as SDMX-JSON: whole and in pieces say the same; rows that are taken
// can be written and come back.
#include "tests/unit/sdmx/obs_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct obs_fixture *f;
    static char text[sizeof f->text];
    if (f == NULL)
        f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    if (size < 2 || size > 1u << 16 || data[0] != '{')
        return 0;
    struct sg_slice bytes = sg_slice_of(data, size);
    enum sg_err err = obs_fixture_run(f, bytes, size, false);
    uint8_t *first = malloc(f->len + 1);
    size_t len = f->len;
    uint64_t rows = f->rows;
    bool again = f->again;
    if (len > 0)
        memcpy(first, f->bytes, len);
    memcpy(text, f->text, sizeof text);
    SG_ASSERT(obs_fixture_run(f, bytes, 1 + size / 7, true) == err);
    SG_ASSERT(err != SG_OK ||
              (f->rows == rows && f->len == len && f->again == again &&
               strcmp(f->text, text) == 0 &&
               (len == 0 || memcmp(f->bytes, first, len) == 0)));
    free(first);
    return 0;
}
