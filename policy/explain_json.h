// explain_json - JSON text into a writer. Internal to policy/.
#pragma once

#include "broker/base/bytes.h"

void sg_explain_put(struct sg_writer *w, const char *text); // as it is
void sg_explain_printf(struct sg_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3))); // at most 255 bytes
void sg_explain_quote(struct sg_writer *w, struct sg_slice text); // a string
void sg_explain_slice(struct sg_writer *w, struct sg_slice text);
// White space of any length as one space, comments left out: a condition that
// was written over several lines.
void sg_explain_flat(struct sg_writer *w, struct sg_slice text);
void sg_explain_quote_flat(struct sg_writer *w, struct sg_slice text);
