// segment - walking the frames of one segment file, a window at a time.
//
// Reads, checks frames and forms, remembers places; decides nothing: whether a
// broken frame is a torn tail or damage is known only to who knows how much was
// signed (log_recover.c, verify.c). Memory: one window of at most the largest
// frame and a mebibyte, whatever the size of the file.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"
#include "schemas/proof/entry.h"

struct sg_segment {
    int fd;
    uint64_t len; // bytes to look at: of the file, or as its header says
    uint64_t at;  // where the next frame begins; may be set
    uint8_t *window;
    size_t window_cap, window_len;
    uint64_t window_at;
};

enum sg_segment_found {
    SG_SEGMENT_ENTRY,  // bytes and entry are set
    SG_SEGMENT_END,    // length 0, or no room for a frame
    SG_SEGMENT_BROKEN, // frame: length, CRC32C or padding
    SG_SEGMENT_FORM,   // frame is whole, the entry in it has not its form
    SG_SEGMENT_IO,     // could not be read
};

SG_MUST_CHECK enum sg_err sg_segment_init(struct sg_segment *segment);
void sg_segment_fini(struct sg_segment *segment);
// fd stays the caller's; at: where to begin.
void sg_segment_begin(struct sg_segment *segment, int fd, uint64_t len,
                      uint64_t at);
// On SG_SEGMENT_ENTRY, segment->at has moved behind the frame, *frame_at is
// where it began; bytes and entry live until the next call.
enum sg_segment_found sg_segment_next(struct sg_segment *segment,
                                      uint64_t *frame_at,
                                      struct sg_slice *bytes,
                                      struct sg_entry *entry);
// Moves to the next place at or after *at (a multiple of 8) where a frame seems
// to begin; false: none. O(bytes).
bool sg_segment_find(struct sg_segment *segment, uint64_t *at);
// Is everything from segment->at to the end zero? *first: the first byte that
// is not (or len). O(bytes).
SG_MUST_CHECK enum sg_err sg_segment_tail(struct sg_segment *segment,
                                          uint64_t *first);

// File name of the segment that begins with seq: 16 hex digits and ".log".
enum { SG_SEGMENT_NAME = 21 };
void sg_segment_name(uint64_t first_seq, char out[SG_SEGMENT_NAME]);
bool sg_segment_is_name(const char *name, uint64_t *first_seq);
// First sequences of the segments in a folder, ascending; free() it.
SG_MUST_CHECK enum sg_err sg_segment_list(const char *dir, uint64_t **firsts,
                                          size_t *count);
