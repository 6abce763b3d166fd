// json - reads SDMX-JSON data messages 1.0, 2.0 and 2.1, and the draft of 1.0.
//
// Owns the meaning of the message: its structure (levels, components and the
// lists of values that the data point into), the data sets, series, groups and
// observations, and what stands higher up on each row below it
// (content-root.md 2). obs.h is the front door.
// A value that is null, cut at the tail or not there at all is the default
// that the message declares for the attribute (field guide 2.1, component);
// without one, and where data are deleted, it is absent.
// Members come in any order. Where something is needed that stands behind the
// data, the first reading only collects it and the bytes are asked for once
// more; what stands higher up in one data set is collected in any case.
// Invariant: holds the message's structure, and of the data set that is open
// its attributes, its groups and a series whose attributes come behind its
// observations (SG_LIMIT_JSON_SERIES); 20 bytes a series, to know it again.
// Never does: annotations, names and links of values: they are no data.
// Source: sdmx-twg/sdmx-json, field guides and schemas 1.0, 2.0.0, 2.1.0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"

struct sg_json; // opaque; lives in the arena

// salt: of the hash by which series are known again.
struct sg_json *sg_json_new(struct sg_arena *arena,
                            const struct sg_obs_sink *sink, uint64_t salt,
                            bool portable);
SG_MUST_CHECK enum sg_err sg_json_feed(struct sg_json *json,
                                       struct sg_slice bytes);
SG_MUST_CHECK enum sg_err sg_json_end(struct sg_json *json);
// true: everything is to be fed and ended once more.
bool sg_json_again(struct sg_json *json);
uint64_t sg_json_rows(const struct sg_json *json);
// JSON10, JSON20 or JSON21 as the message says, once it has; before: UNKNOWN.
enum sg_media sg_json_media(const struct sg_json *json);
