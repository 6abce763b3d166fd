// lists - several values, and texts in languages, as bytes of a row.
//
// Owns the order of languages: tags ascend, and a text that is empty is absent in
// its language. Source: content-root.md 2.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "broker/base/bytes.h"

// Bytes that _put needs at the most.
size_t sg_lists_size(const struct sg_slice *parts, size_t count);
// A number, then each part behind its length.
void sg_lists_put(struct sg_writer *w, uint64_t number,
                  const struct sg_slice *parts, size_t count);
// Sorts pairs of tag and text, count slices in all, and leaves out those without
// text; returns how many slices are left. *wrong: a tag that is empty or stands
// twice; ptr NULL: none. Quadratic, of a cell's languages.
size_t sg_lists_languages(struct sg_slice *pairs, size_t count,
                          struct sg_slice *wrong);
