// Any bytes as SDMX-ML data of every kind: whole and in pieces say the same.
#include "tests/unit/sdmx/obs_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct obs_fixture *f;
    if (f == NULL)
        f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    if (size < 2 || size > 1u << 16 || data[0] != '<')
        return 0;
    struct sg_slice bytes = sg_slice_of(data, size);
    enum sg_err err = obs_fixture_run(f, bytes, size, false);
    uint64_t rows = f->rows;
    size_t len = f->len;
    uint8_t *first = malloc(len + 1);
    if (len > 0)
        memcpy(first, f->bytes, len);
    SG_ASSERT(obs_fixture_run(f, bytes, 1 + size / 5, false) == err);
    SG_ASSERT(err != SG_OK ||
              (f->rows == rows && f->len == len &&
               (len == 0 || memcmp(f->bytes, first, len) == 0)));
    free(first);
    return 0;
}
