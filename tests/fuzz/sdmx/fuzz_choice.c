// Any text as a key filter and a period: what is accepted can be read, what is
// refused has a place, and the two agree on how many fields there may be.
#include "schemas/sdmx/choice.h"
#include "tests/unit/sdmx/obs_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct obs_fixture *f;
    struct sg_choice choice;
    struct sg_choice_fault fault;
    char place[65] = "";

    if (f == NULL)
        f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    size_t len = line == NULL ? size : (size_t)(line - data);
    struct sg_slice key = sg_slice_of(data, len);
    struct sg_slice period =
        line == NULL ? SG_SLICE("") : sg_slice_of(line + 1, size - len - 1);
    enum sg_err read = sg_choice_read(f->structure, key, period, &choice);
    enum sg_err err = sg_choice_check(f->structure, key, period, &fault);
    SG_ASSERT(err != SG_OK || read == SG_OK);
    SG_ASSERT(err == SG_OK || err == SG_ERR_KEY_FIELDS ||
              err == SG_ERR_KEY_CODE || err == SG_ERR_PERIOD ||
              err == SG_ERR_PERIOD_ORDER);
    if (err != SG_OK) {
        sg_choice_place(err, &fault, place, sizeof place);
        SG_ASSERT(strchr(place, '"') != NULL);
    }
    return 0;
}
