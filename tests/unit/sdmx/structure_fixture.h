// structure_fixture - structures for the tests of this folder.
#pragma once

#include "schemas/sdmx/structure_compile.h"
#include "schemas/sdmx/structure_ml21.h"

#define FIXTURE_ARENA (256u * 1024 * 1024)

// Reads the message, compiles its first structure that has components, opens
// it. view stays NULL unless SG_OK comes back.
static inline enum sg_err
fixture_read(struct sg_model *model, struct sg_slice xml, struct sg_diag *diag)
{
    static const uint8_t source[32] = {1, 2, 3};
    struct sg_structure_ml21 *reader = NULL;
    enum sg_err err = sg_structure_ml21_open(model, 99, source, &reader);
    if (err == SG_OK)
        err = sg_structure_ml21_feed(reader, xml, diag);
    if (err == SG_OK)
        err = sg_structure_ml21_finish(reader, diag);
    sg_structure_ml21_close(&reader);
    return err;
}

static inline enum sg_err
fixture_compile(struct sg_model *model, const struct sg_structure **view,
                struct sg_diag *diag)
{
    const struct sg_model_dsd *dsd = model->dsds;
    while (dsd != NULL && dsd->stub)
        dsd = dsd->next;
    if (dsd == NULL)
        return SG_ERR_NOT_FOUND;
    struct sg_slice blob;
    enum sg_err err =
        sg_structure_compile(model, dsd, model->arena, &blob, diag);
    if (err == SG_OK)
        err = sg_structure_open(blob, model->arena, view);
    return err;
}

static inline enum sg_err
fixture_open(struct sg_arena *arena, struct sg_slice xml,
             const struct sg_structure **view, struct sg_diag *diag)
{
    struct sg_model model = {.arena = arena};
    *view = NULL;
    enum sg_err err = fixture_read(&model, xml, diag);
    return err == SG_OK ? fixture_compile(&model, view, diag) : err;
}
