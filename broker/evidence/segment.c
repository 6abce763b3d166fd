#include "broker/evidence/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/evidence/disk.h"
#include "broker/os/file.h"

enum { WINDOW = SG_LIMIT_ENTRY + 1024 * 1024, STEP = 1024 * 1024 };

enum sg_err
sg_segment_init(struct sg_segment *segment)
{
    *segment = (struct sg_segment){.fd = -1, .window_cap = WINDOW};
    segment->window = malloc(WINDOW);
    return segment->window == NULL ? SG_ERR_MEMORY : SG_OK;
}

void
sg_segment_fini(struct sg_segment *segment)
{
    free(segment->window);
    segment->window = NULL;
}

void
sg_segment_begin(struct sg_segment *segment, int fd, uint64_t len, uint64_t at)
{
    segment->fd = fd;
    segment->len = len;
    segment->at = segment->window_at = at;
    segment->window_len = 0;
}

// At least want bytes from segment->at in the window, or all to the end.
static enum sg_err
fill(struct sg_segment *segment, size_t want)
{
    uint64_t left = segment->len - segment->at;
    if (segment->at < segment->window_at ||
        segment->at > segment->window_at + segment->window_len) {
        segment->window_at = segment->at; // somebody went elsewhere
        segment->window_len = 0;
    }
    size_t have =
        (size_t)(segment->window_at + segment->window_len - segment->at);
    if (have >= want || have >= left)
        return SG_OK;
    memmove(segment->window,
            segment->window + (segment->at - segment->window_at), have);
    segment->window_at = segment->at;
    size_t more = want < STEP ? STEP : want;
    more = more > left ? (size_t)left : more;
    enum sg_err err = sg_disk_read(segment->fd, segment->at + have,
                                   segment->window + have, more - have);
    segment->window_len = err == SG_OK ? more : have;
    return err;
}

static struct sg_slice
rest(const struct sg_segment *segment)
{
    size_t gone = (size_t)(segment->at - segment->window_at);
    return sg_slice_of(segment->window + gone, segment->window_len - gone);
}

// How many bytes are zero before the first that is not.
static size_t
zeros(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (uint64_t word = 0; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        if (word != 0)
            break;
    }
    while (at < len && bytes[at] == 0)
        at++;
    return at;
}

enum sg_segment_found
sg_segment_next(struct sg_segment *segment, uint64_t *frame_at,
                struct sg_slice *bytes, struct sg_entry *entry)
{
    *frame_at = segment->at;
    if (segment->len - segment->at < SG_ENTRY_FRAME_LEN)
        return SG_SEGMENT_END;
    if (fill(segment, SG_ENTRY_FRAME_LEN) != SG_OK)
        return SG_SEGMENT_IO;
    uint32_t len = sg_bytes_load_u32(rest(segment).ptr);
    if (len == 0)
        return SG_SEGMENT_END;
    if (len > SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN)
        return SG_SEGMENT_BROKEN;
    if (fill(segment, sg_entry_frame_size(len)) != SG_OK)
        return SG_SEGMENT_IO;
    // No more than the frame is shown, so that a broken one is not searched
    // for what may come behind it.
    size_t size = sg_entry_frame_size(len);
    struct sg_slice frame = rest(segment);
    if (frame.len < size)
        return SG_SEGMENT_BROKEN;
    frame.len = size;
    if (sg_entry_scan(frame, bytes, &size) == SG_ENTRY_SCAN_VALID &&
        sg_entry_decode(*bytes, entry) == SG_OK) {
        segment->at += size;
        return SG_SEGMENT_ENTRY;
    }
    uint32_t crc = sg_bytes_crc32c(0, frame.ptr, 4);
    crc = sg_bytes_crc32c(crc, frame.ptr + SG_ENTRY_FRAME_LEN, len);
    bool whole = crc == sg_bytes_load_u32(frame.ptr + 4) &&
                 zeros(frame.ptr + SG_ENTRY_FRAME_LEN + len,
                       frame.len - SG_ENTRY_FRAME_LEN - len) ==
                     frame.len - SG_ENTRY_FRAME_LEN - len;
    return whole ? SG_SEGMENT_FORM : SG_SEGMENT_BROKEN;
}

bool
sg_segment_find(struct sg_segment *segment, uint64_t *at)
{
    enum { LEAST = SG_ENTRY_FRAME_LEN + SG_ENTRY_HEAD_LEN };
    for (; *at + LEAST <= segment->len; *at += 8) {
        segment->at = *at;
        if (fill(segment, LEAST) != SG_OK)
            return false;
        const uint8_t *bytes = rest(segment).ptr;
        uint32_t len = sg_bytes_load_u32(bytes);
        if (len >= SG_ENTRY_HEAD_LEN &&
            len <= SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN &&
            memcmp(bytes + SG_ENTRY_FRAME_LEN, "SGE1", 4) == 0)
            return true;
    }
    return false;
}

enum sg_err
sg_segment_tail(struct sg_segment *segment, uint64_t *first)
{
    uint64_t at = segment->at;
    *first = segment->len;
    while (at < segment->len) {
        size_t part =
            segment->len - at < STEP ? (size_t)(segment->len - at) : STEP;
        enum sg_err err = sg_disk_read(segment->fd, at, segment->window, part);
        if (err != SG_OK)
            return err;
        size_t clean = zeros(segment->window, part);
        at += clean;
        if (clean < part) {
            *first = at;
            break;
        }
    }
    segment->window_len = 0;
    segment->window_at = segment->at;
    return SG_OK;
}

void
sg_segment_name(uint64_t first_seq, char out[SG_SEGMENT_NAME])
{
    (void)snprintf(out, SG_SEGMENT_NAME, "%016llx.log",
                   (unsigned long long)first_seq);
}

bool
sg_segment_is_name(const char *name, uint64_t *first_seq)
{
    *first_seq = 0;
    if (strlen(name) != SG_SEGMENT_NAME - 1 || strcmp(name + 16, ".log") != 0)
        return false;
    for (unsigned i = 0; i < 16; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, name[i]);
        if (digit == NULL || *digit == '\0')
            return false;
        *first_seq = *first_seq << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

enum sg_err
sg_segment_list(const char *dir, uint64_t **firsts, size_t *count)
{
    char **names = NULL;
    size_t all = 0;
    *count = 0;
    *firsts = NULL;
    enum sg_err err = sg_os_file_list(dir, &names, &all);
    if (err != SG_OK)
        return err;
    *firsts = calloc(all + 1, sizeof(**firsts));
    if (*firsts == NULL)
        err = SG_ERR_MEMORY;
    for (size_t i = 0; i < all && err == SG_OK; i++) {
        if (sg_segment_is_name(names[i], &(*firsts)[*count]))
            (*count)++;
    }
    free(names);
    return err;
}
