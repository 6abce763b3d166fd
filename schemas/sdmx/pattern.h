// pattern - the regular expressions of XML Schema, matched as a whole.
//
// A set of positions moves over the text (Thompson), so the time is pattern
// length times text length and nothing can be made to explode. Knows literals,
// . \d \D \w \W \s \S, escapes, classes with ranges and negation, groups, |,
// ? * + {n} {n,} {n,m}; works on bytes, a character above 127 matches as one
// in . and negated classes.
// Source: XML Schema part 2, appendix F (without \p, \i, \c and subtraction).
#pragma once

#include "broker/base/slice.h"

enum sg_pattern {
    SG_PATTERN_NO = 0,
    SG_PATTERN_YES,
    SG_PATTERN_UNKNOWN, // uses what this does not know, or is too large
};

enum sg_pattern sg_pattern_match(struct sg_slice pattern, struct sg_slice text);
