// value - does a text have the type and the facets that a structure asks?
//
// Source: SDMX 2.1 and 3.0 SDMXCommon.xsd (DataType, TextFormat), XML Schema
// part 2 for the lexical forms; sdmx-facts 1.10. Numbers are compared as
// decimal texts of any length, never as binary floating point.
#pragma once

#include <stdbool.h>

#include "broker/base/slice.h"
#include "schemas/sdmx/structure.h"

// NULL: it does; else what is wrong, in words (static text).
const char *sg_value_refused(const struct sg_component *component,
                             struct sg_slice text);
// The lexical form of the type alone.
bool sg_value_has_type(enum sg_type type, struct sg_slice text);
// xs:double: digits with point and exponent, INF, -INF, NaN.
bool sg_value_is_number(struct sg_slice text);
// Numeric order of two texts that sg_value_is_number and are finite: <0, 0, >0.
int sg_value_compare(struct sg_slice left, struct sg_slice right);
// NaN in a numeric type and #N/A in any: missing on purpose (SDMX-CSV 2.1).
bool sg_value_is_missing(const struct sg_component *component,
                         struct sg_slice text);
