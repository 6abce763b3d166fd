// text - bodies of evidence entries in words, for people.
//
// One line: `field: value`, messages in braces, bytes in hexadecimal (long ones
// by their number), times as in RFC 3339, a word behind a number that stands for
// one, texts in quotes with everything unprintable as \xNN, so that nothing in a
// body can steer a terminal. Defaults are left out, as in the bytes, but for
// verdicts. Not a format: programs read the bodies themselves.
#pragma once

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "broker/base/err.h"

// type: number of the entry's type. The writer remembers overflow.
// SG_ERR_UNSUPPORTED: no body of that type is known; SG_ERR_FORMAT,
// SG_ERR_FULL: as sg_codec_unpack.
SG_MUST_CHECK enum sg_err sg_text_body(unsigned type, struct sg_slice body,
                                       struct sg_arena *arena,
                                       struct sg_writer *out);
// "given", "withdrawn" ...: a state of consent, as policy/consent.h counts them.
const char *sg_text_consent(uint32_t state);
