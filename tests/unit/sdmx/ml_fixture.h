// ml_fixture - messages of SDMX-ML, and what each must be read as.
#pragma once

#include "tests/unit/sdmx/obs_fixture.h"

struct ml_message {
    const char *xml;
    uint64_t rows;
    const char *faults;
    const char *same; // a CSV message that says the same; NULL: not compared
};

// Columns of obs_fixture_dsd, and the first cells of each row.
#define V2                                                                     \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT,TITLE,SOURCE,NOTE\n"
#define F "dataflow,T:FLOW(1.0),"

// Every message in pieces of many sizes: the same rows, faults and bytes.
static inline void
ml_fixture_check(struct sg_slice dsd, const struct ml_message *messages,
                 size_t count)
{
    struct obs_fixture *f = obs_fixture_new(dsd);
    struct obs_fixture *g = obs_fixture_new(dsd);
    for (size_t i = 0; i < count; i++)
        for (size_t chunk = 1; chunk < 100000; chunk = chunk * 9 + 2) {
            assert_int_equal(obs_fixture_run(f, sg_slice_text(messages[i].xml),
                                             chunk, false),
                             SG_OK);
            if (f->rows != messages[i].rows ||
                strcmp(f->text, messages[i].faults) != 0)
                fail_msg("%s\nchunk %zu: %d rows, faults:\n%s", messages[i].xml,
                         chunk, (int)f->rows, f->text);
            if (messages[i].same == NULL)
                continue;
            assert_int_equal(obs_fixture_run(g, sg_slice_text(messages[i].same),
                                             4096, false),
                             SG_OK);
            if (f->len != g->len || memcmp(f->bytes, g->bytes, f->len) != 0)
                fail_msg("not the same rows:\n%s\n%s", messages[i].xml,
                         messages[i].same);
        }
    obs_fixture_free(f);
    obs_fixture_free(g);
}
