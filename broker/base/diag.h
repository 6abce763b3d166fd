// diag - where a text that a person wrote is wrong, and the cure.
#pragma once

#include <stdint.h>

struct sg_diag {
    uint32_t line;   // from 1; 0: the text as a whole
    uint32_t column; // from 1, in characters; 0: the line as a whole
    char text[256];  // a sentence with the cure, NUL-terminated, cut at the end
};

// Sets all fields. diag may be NULL.
void sg_diag_set(struct sg_diag *diag, uint32_t line, uint32_t column,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
