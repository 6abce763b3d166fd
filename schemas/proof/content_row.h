// content_row - canonical bytes of one row, and the order of rows.
//
// A row is one value per component of the header, each a varint v and what
// follows (content-root.md 2): a prefix code, so that two different rows never
// share their bytes. Text goes in as a conforming reader reports it, numbers as
// the token that was sent.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum sg_content_value { // v of a value; text: v = SG_CONTENT_TEXT + length
    SG_CONTENT_ABSENT = 0,
    SG_CONTENT_OFF = 1,
    SG_CONTENT_LIST = 2,
    SG_CONTENT_TEXTS = 3, // languages
    SG_CONTENT_TEXT = 3,
};

void sg_content_row_absent(struct sg_writer *row);
void sg_content_row_off(struct sg_writer *row);
void sg_content_row_text(struct sg_writer *row,
                         struct sg_slice text); // empty = absent
// count 0, or one empty text: absent.
void sg_content_row_list(struct sg_writer *row, const struct sg_slice *texts,
                         size_t count);
// Tags strictly ascending by bytes, else SG_ERR_FORMAT and nothing is written.
SG_MUST_CHECK enum sg_err sg_content_row_languages(struct sg_writer *row,
                                                   const struct sg_slice *tags,
                                                   const struct sg_slice *texts,
                                                   size_t count);

// One value off the front of row; bytes: what follows v. false: malformed
// (nothing is believed of the rest).
SG_MUST_CHECK bool sg_content_row_next(struct sg_slice *row, uint8_t *value,
                                       struct sg_slice *bytes);

// Order of leaves in a part: by the first key_count values, each as bytes, a
// prefix first, absent < off < text. 0: equal keys (their order as sent stays).
// Malformed rows: any order, but never a read out of bounds.
int sg_content_row_compare(struct sg_slice a, struct sg_slice b,
                           size_t key_count);
