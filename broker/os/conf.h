// conf - settings: one "name value" a line, # begins a comment.
//
// The caller's table says which names there are; anything else is an error with
// its line, so that a typing mistake never becomes a default.
#pragma once

#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_os_conf_row {
    const char *name;
    char *value; // where it goes, NUL-terminated; keeps what it held if absent
    size_t cap;
    bool required;
};

SG_MUST_CHECK enum sg_err sg_os_conf_read(const char *path,
                                          const struct sg_os_conf_row *rows,
                                          size_t count, struct sg_diag *diag);
