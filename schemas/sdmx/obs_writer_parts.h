// obs_writer_parts - what the writers of all formats share.
#pragma once

#include "schemas/sdmx/obs_writer.h"

enum { SG_OBS_WRITER_OUT = 65536 };

struct sg_obs_writer {
    struct sg_arena *arena;
    const struct sg_structure *structure;
    struct sg_obs_writer_options options;
    struct sg_canonical_out out;
    uint8_t *buffer;
    size_t used;
    uint64_t flushes; // of buffer
    enum sg_err err;  // the first of writing; later calls do nothing
    struct sg_fault refused;
    bool begun;
    uint32_t count, dimensions; // components; of these the key
    // SDMX-ML: what stands open, and the last row's values of the levels above
    bool dataset_open, series_open;
    uint8_t action;
    struct sg_value *last; // copies in one of two rooms
    uint8_t *room[2];
    size_t room_cap[2];
    unsigned turn;
    uint8_t *level; // enum level of each component
    struct sg_obs_writer_json *json;
};

// Collects; the error is found at the end of a row.
void sg_obs_writer_bytes(struct sg_obs_writer *w, struct sg_slice bytes);
void sg_obs_writer_text(struct sg_obs_writer *w, const char *text);
void sg_obs_writer_byte(struct sg_obs_writer *w, uint8_t c);
// Remembers why a row cannot be written; returns SG_ERR_UNSUPPORTED.
enum sg_err sg_obs_writer_refuse(struct sg_obs_writer *w,
                                 const struct sg_obs *obs, int32_t component,
                                 const char *why);
// Text of a list of one value; false: it is not that.
bool sg_obs_writer_single(const struct sg_value *value, struct sg_slice *text);

// SDMX-ML: the text with what markup or a reader would take for another; are all
// characters those of XML 1.0 (2.2)?
void sg_obs_writer_escaped(struct sg_obs_writer *w, struct sg_slice text);
bool sg_obs_writer_is_xml(struct sg_slice text);
// SDMX-ML 3.0: can the value be no XML attribute, can it be a Comp, the Comp.
bool sg_obs_writer_comp_needed(const struct sg_obs_writer *w,
                               const struct sg_value *value,
                               uint32_t component);
bool sg_obs_writer_comp_fits(const struct sg_obs_writer *w,
                             const struct sg_value *value, uint32_t component);
void sg_obs_writer_comp_put(struct sg_obs_writer *w,
                            const struct sg_value *value, uint32_t component);

enum sg_err sg_obs_writer_csv_begin(struct sg_obs_writer *w);
enum sg_err sg_obs_writer_csv_put(struct sg_obs_writer *w,
                                  const struct sg_obs *obs);
enum sg_err sg_obs_writer_json_begin(struct sg_obs_writer *w);
enum sg_err sg_obs_writer_json_put(struct sg_obs_writer *w,
                                   const struct sg_obs *obs);
enum sg_err sg_obs_writer_json_end(struct sg_obs_writer *w);
enum sg_err sg_obs_writer_ml_begin(struct sg_obs_writer *w);
enum sg_err sg_obs_writer_ml_put(struct sg_obs_writer *w,
                                 const struct sg_obs *obs);
enum sg_err sg_obs_writer_ml_end(struct sg_obs_writer *w);
