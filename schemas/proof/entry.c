#include "schemas/proof/entry.h"

#include "broker/base/limits.h"
#include "schemas/proof/merkle.h"

static const char entry_magic[4] = {'S', 'G', 'E', '1'};
static const char segment_magic[6] = {'S', 'G', 'S', 'E', 'G', '1'};

// Whole entries tried behind one that does not check; keeps a file made to
// waste time from doing so.
enum { RESCUE_TRIES = 256 };

const char *
sg_entry_type_name(unsigned type)
{
    switch (type) {
#define X(name, number, word)                                                  \
    case number:                                                               \
        return word;
        SG_ENTRY_TYPES(X)
#undef X
    default:
        return NULL;
    }
}

void
sg_entry_encode(const struct sg_entry *entry, struct sg_writer *out)
{
    SG_ASSERT(sg_entry_type_name(entry->type) != NULL);
    SG_ASSERT(entry->body.len <= SG_LIMIT_ENTRY);
    sg_bytes_put(out, entry_magic, sizeof entry_magic);
    sg_bytes_put_u16(out, entry->type);
    sg_bytes_put_u16(out, 0);
    sg_bytes_put_u64(out, entry->sequence);
    sg_bytes_put_u64(out, entry->time_us);
    sg_bytes_put(out, entry->prev, sizeof entry->prev);
    sg_bytes_put(out, entry->blind, sizeof entry->blind);
    sg_bytes_put_blob(out, entry->body);
}

enum sg_err
sg_entry_decode(struct sg_slice bytes, struct sg_entry *entry)
{
    struct sg_reader r = sg_reader_on(bytes);

    *entry = (struct sg_entry){0};
    if (bytes.len < SG_ENTRY_HEAD_LEN)
        return SG_ERR_SHORT;
    struct sg_slice magic = sg_bytes_take(&r, sizeof entry_magic);
    entry->type = sg_bytes_u16(&r);
    const uint16_t flags = sg_bytes_u16(&r);
    entry->sequence = sg_bytes_u64(&r);
    entry->time_us = sg_bytes_u64(&r);
    memcpy(entry->prev, sg_bytes_take(&r, 32).ptr, 32);
    memcpy(entry->blind, sg_bytes_take(&r, 16).ptr, 16);
    const uint32_t len = sg_bytes_u32(&r);
    if (memcmp(magic.ptr, entry_magic, sizeof entry_magic) != 0 || flags != 0 ||
        sg_entry_type_name(entry->type) == NULL || len > SG_LIMIT_ENTRY)
        return SG_ERR_FORMAT;
    entry->body = sg_bytes_take(&r, len);
    if (r.failed)
        return SG_ERR_SHORT;
    return sg_bytes_end(&r) ? SG_OK : SG_ERR_FORMAT;
}

void
sg_entry_leaf(struct sg_slice bytes, uint8_t leaf[32])
{
    sg_merkle_leaf(SG_MERKLE_LOG, bytes, leaf);
}

// ---- frames ----------------------------------------------------------------

size_t
sg_entry_frame_size(size_t entry_len)
{
    return (SG_ENTRY_FRAME_LEN + entry_len + 7) & ~(size_t)7;
}

// Over the length as it is written, then the entry.
static uint32_t
frame_crc(const uint8_t length[4], struct sg_slice entry)
{
    uint32_t crc = sg_bytes_crc32c(0, length, 4);

    return sg_bytes_crc32c(crc, entry.ptr, entry.len);
}

void
sg_entry_frame(struct sg_slice entry, struct sg_writer *out)
{
    static const uint8_t zeros[7];
    uint8_t length[4];
    const size_t size = sg_entry_frame_size(entry.len);

    SG_ASSERT(entry.len <= SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN);
    sg_bytes_store_u32(length, (uint32_t)entry.len);
    sg_bytes_put(out, length, sizeof length);
    sg_bytes_put_u32(out, frame_crc(length, entry));
    sg_bytes_put(out, entry.ptr, entry.len);
    sg_bytes_put(out, zeros, size - SG_ENTRY_FRAME_LEN - entry.len);
}

static bool
all_zero(struct sg_slice bytes)
{
    // Equal to itself one further on, and the first one is zero.
    return bytes.len == 0 ||
           (bytes.ptr[0] == 0 &&
            memcmp(bytes.ptr, bytes.ptr + 1, bytes.len - 1) == 0);
}

// An entry of a possible length stands at the front of rest; unchecked yet.
static bool
frame_at(struct sg_slice rest, struct sg_slice *entry)
{
    if (rest.len < SG_ENTRY_FRAME_LEN + SG_ENTRY_HEAD_LEN)
        return false;
    const size_t len = sg_bytes_load_u32(rest.ptr);
    if (len < SG_ENTRY_HEAD_LEN || len > SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN ||
        sg_entry_frame_size(len) > rest.len)
        return false;
    *entry = sg_slice_of(rest.ptr + SG_ENTRY_FRAME_LEN, len);
    return memcmp(entry->ptr, entry_magic, sizeof entry_magic) == 0;
}

static bool
frame_valid(struct sg_slice rest, struct sg_slice *entry, size_t *size)
{
    struct sg_entry parsed;

    if (!frame_at(rest, entry))
        return false;
    *size = sg_entry_frame_size(entry->len);
    const size_t used = SG_ENTRY_FRAME_LEN + entry->len;
    return sg_bytes_load_u32(rest.ptr + 4) == frame_crc(rest.ptr, *entry) &&
           all_zero(sg_slice_of(rest.ptr + used, *size - used)) &&
           sg_entry_decode(*entry, &parsed) == SG_OK;
}

// Does a valid frame stand anywhere behind the front of rest?
static bool
valid_follows(struct sg_slice rest)
{
    struct sg_slice entry;
    size_t size;
    unsigned tries = 0;

    for (size_t at = 8; at < rest.len; at += 8) {
        struct sg_slice later = sg_slice_of(rest.ptr + at, rest.len - at);
        if (!frame_at(later, &entry))
            continue;
        if (frame_valid(later, &entry, &size) || ++tries == RESCUE_TRIES)
            return true; // so many beginnings of entries are no torn tail
    }
    return false;
}

enum sg_entry_scan
sg_entry_scan(struct sg_slice rest, struct sg_slice *entry, size_t *frame_size)
{
    *entry = (struct sg_slice){NULL, 0};
    *frame_size = 0;
    if (frame_valid(rest, entry, frame_size))
        return SG_ENTRY_SCAN_VALID;
    *entry = (struct sg_slice){NULL, 0};
    *frame_size = 0;
    if (rest.len < 4 || sg_bytes_load_u32(rest.ptr) == 0)
        return all_zero(rest) ? SG_ENTRY_SCAN_END : SG_ENTRY_SCAN_DAMAGED;
    return valid_follows(rest) ? SG_ENTRY_SCAN_DAMAGED : SG_ENTRY_SCAN_TORN;
}

// ---- segments --------------------------------------------------------------

void
sg_entry_segment_encode(const struct sg_entry_segment *segment,
                        uint8_t out[SG_ENTRY_SEGMENT_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_ENTRY_SEGMENT_LEN);

    sg_bytes_put(&w, segment_magic, sizeof segment_magic);
    sg_bytes_put_u16(&w, 0);
    sg_bytes_put(&w, segment->genesis, sizeof segment->genesis);
    sg_bytes_put_u64(&w, segment->epoch);
    sg_bytes_put_u64(&w, segment->first_sequence);
    sg_bytes_put_u32(&w, segment->size);
    sg_bytes_put_u32(&w, sg_bytes_crc32c(0, out, w.len));
    SG_ASSERT(!w.full && w.len == SG_ENTRY_SEGMENT_LEN);
}

enum sg_err
sg_entry_segment_decode(struct sg_slice bytes, struct sg_entry_segment *segment)
{
    struct sg_reader r = sg_reader_on(bytes);

    *segment = (struct sg_entry_segment){0};
    if (bytes.len < SG_ENTRY_SEGMENT_LEN)
        return SG_ERR_SHORT;
    struct sg_slice magic = sg_bytes_take(&r, sizeof segment_magic);
    const uint16_t reserved = sg_bytes_u16(&r);
    memcpy(segment->genesis, sg_bytes_take(&r, 32).ptr, 32);
    segment->epoch = sg_bytes_u64(&r);
    segment->first_sequence = sg_bytes_u64(&r);
    segment->size = sg_bytes_u32(&r);
    const uint32_t crc = sg_bytes_u32(&r);
    if (crc != sg_bytes_crc32c(0, bytes.ptr, SG_ENTRY_SEGMENT_LEN - 4))
        return SG_ERR_CORRUPT;
    if (memcmp(magic.ptr, segment_magic, sizeof segment_magic) != 0 ||
        reserved != 0 || !sg_bytes_end(&r))
        return SG_ERR_FORMAT;
    return SG_OK;
}
