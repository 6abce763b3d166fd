// ml21 - reads data messages of SDMX-ML: Series, flat, groups.
//
// Owns the message's levels (header, data set, group, series, observation) and
// repeats what stands higher up on each row below it (content-root.md 2);
// obs.h is the front door. Elements are known by their local names, so that
// the DataSet of Eurostat's service, which lies in the namespace of its
// structure, is read like any other.
// Read are SG_MEDIA_ML21, structure-specific, and SG_MEDIA_GENERIC21, generic,
// both also in the forms for time series; SG_MEDIA_ML30, structure-specific data
// of 3.x; SG_MEDIA_ML20, generic and compact data.
// Invariant: holds one series, the data set's attributes and its groups.
// Source: SDMX-ML 2.1 schemas (SDMXDataStructureSpecific.xsd,
// SDMXDataGenericBase.xsd, SDMXMessage.xsd), SDMX-ML 3.0 and 2.0 schemas.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"

struct sg_ml21; // opaque; lives in the arena, expat's part does not

// media: one of those above.
struct sg_ml21 *sg_ml21_new(struct sg_arena *arena, enum sg_media media,
                            const struct sg_obs_sink *sink, uint64_t salt,
                            bool portable);
SG_MUST_CHECK enum sg_err sg_ml21_feed(struct sg_ml21 *ml,
                                       struct sg_slice bytes);
SG_MUST_CHECK enum sg_err sg_ml21_end(struct sg_ml21 *ml);
void sg_ml21_fini(struct sg_ml21 *ml);
uint64_t sg_ml21_rows(const struct sg_ml21 *ml);
