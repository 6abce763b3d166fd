// choice - which rows of a flow somebody asks for: a key filter and a period.
//
// Key filter: one field a dimension in the order of the structure, dots between,
// + between codes; an empty field, * or fields left out at the end: any. Period:
// START/END, either may be left out. Reading is mild, since what was subscribed
// under an older structure still chooses; checking is strict, for who asks now.
// Never does: I/O, allocation.
#pragma once

#include "broker/base/limits.h"
#include "schemas/sdmx/obs.h"

struct sg_choice { // slices of the texts it was read from
    struct sg_slice code[SG_LIMIT_COMPONENTS]; // "A+B"; empty: any
    struct sg_slice start, end;                // empty: open
};

// SG_ERR_SUBSCRIPTION: more fields than dimensions, or a period without slash or
// of a structure without time.
SG_MUST_CHECK enum sg_err sg_choice_read(const struct sg_structure *s,
                                         struct sg_slice key,
                                         struct sg_slice period,
                                         struct sg_choice *choice);
bool sg_choice_takes(const struct sg_choice *choice,
                     const struct sg_structure *s, const struct sg_obs *obs);

// What is wrong with a choice, for people.
struct sg_choice_fault {
    struct sg_slice component; // a dimension; empty: the whole filter or period
    struct sg_slice value;     // the code, or the end of the period
    struct sg_slice hint;      // code that was probably meant; empty: none
};

// SG_OK; SG_ERR_KEY_FIELDS, SG_ERR_KEY_CODE, SG_ERR_PERIOD, SG_ERR_PERIOD_ORDER:
// *fault says where. Codes are looked up where the dimension has a code list.
SG_MUST_CHECK enum sg_err sg_choice_check(const struct sg_structure *s,
                                          struct sg_slice key,
                                          struct sg_slice period,
                                          struct sg_choice_fault *fault);
// What err is about: DIMENSION "CODE", key "..." or period "...", cut to cap.
void sg_choice_place(enum sg_err err, const struct sg_choice_fault *fault,
                     char *out, size_t cap);
