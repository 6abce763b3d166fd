// constraints - what has to hold for the constraints of any structure that opens.
#pragma once

#include "schemas/sdmx/check.h"
#include "schemas/sdmx/structure_compile.h"

static inline struct sg_value
constraints_value(const struct sg_structure *s, uint32_t i, uint32_t row)
{
    const struct sg_component *c = &s->components[i];
    struct sg_slice text = c->kind == SG_KIND_TIME ? SG_SLICE("2020-Q1")
                           : row == 0              ? SG_SLICE("1")
                                                   : SG_SLICE("");
    if (c->list >= 0 && s->lists[c->list].count > 0)
        text = sg_structure_code_text(s, (uint32_t)c->list,
                                      row % s->lists[c->list].count);
    return (struct sg_value){text.ptr, (uint32_t)text.len,
                             text.len == 0 ? SG_VALUE_ABSENT : SG_VALUE_TEXT};
}

// A few rows are held to them.
static inline void
constraints_check(const struct sg_structure *s, struct sg_arena *arena)
{
    const struct sg_check_options options = {.key = {1, 2}};
    const struct sg_obs_ref flow = {SG_OBS_REF_DATAFLOW, SG_SLICE("T"),
                                    SG_SLICE("F"), SG_SLICE("1.0")};
    struct sg_check *check = sg_check_new(arena, &options);
    struct sg_value *values =
        sg_arena_take(arena, (s->component_count + 1) * sizeof *values);
    if (check == NULL || values == NULL || sg_check_begin(check, s) != SG_OK)
        return;
    sg_check_named(check, &flow, 1);
    for (uint32_t row = 0; row < 4; row++) {
        struct sg_obs obs = {
            .values = values, .action = SG_ACTION_MERGE, .row = row + 1};
        memset(obs.changed, 0xff, sizeof obs.changed);
        for (uint32_t i = 0; i < s->component_count; i++)
            values[i] = constraints_value(s, i, row);
        if (sg_check_obs(check, &obs) != SG_OK)
            return;
    }
    (void)sg_check_end(check);
}

// Taken out and put in once more. false: it was refused; of a blob that lies what
// comes of it may be refused too.
static inline bool
constraints_again(const struct sg_structure *s, struct sg_arena *arena,
                  struct sg_slice *blob)
{
    const struct sg_structure *again;
    struct sg_model model = {.arena = arena};
    struct sg_diag diag = {0};
    if (sg_structure_constrain(s, s, &model, false, arena, blob, &diag) !=
        SG_OK)
        return false;
    return sg_structure_open(*blob, arena, &again) == SG_OK;
}
