#include "schemas/proof/entry.h"

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"

static const uint8_t magic[4] = {'S', 'G', 'E', '1'};
static const uint8_t segment_magic[8] = {'S', 'G', 'S', 'E', 'G', '1', 0, 0};

const char *
sg_entry_word(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *word;
    } rows[] = {
#define X(name, number, word) {number, word},
        SG_ENTRY_TABLE(X)
#undef X
    };

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (rows[i].type == type)
            return rows[i].word;
    }
    return NULL;
}

enum sg_err
sg_entry_encode(const struct sg_entry *entry, uint8_t *out, size_t cap,
                size_t *len)
{
    struct sg_writer w = sg_writer_on(out, cap);

    if (entry->body.len > SG_LIMIT_ENTRY - SG_ENTRY_HEAD)
        return SG_ERR_FULL;
    sg_bytes_put(&w, magic, sizeof magic);
    sg_bytes_put_u16(&w, entry->type);
    sg_bytes_put_u16(&w, 0); // flags
    sg_bytes_put_u64(&w, entry->seq);
    sg_bytes_put_u64(&w, entry->time_us);
    sg_bytes_put(&w, entry->prev, sizeof entry->prev);
    sg_bytes_put(&w, entry->blind, sizeof entry->blind);
    sg_bytes_put_blob(&w, entry->body);
    if (w.full)
        return SG_ERR_FULL;
    *len = w.len;
    return SG_OK;
}

enum sg_err
sg_entry_decode(struct sg_slice bytes, struct sg_entry *entry)
{
    struct sg_reader r = sg_reader_on(bytes);

    memset(entry, 0, sizeof *entry);
    struct sg_slice mark = sg_bytes_take(&r, sizeof magic);
    entry->type = sg_bytes_u16(&r);
    uint16_t flags = sg_bytes_u16(&r);
    entry->seq = sg_bytes_u64(&r);
    entry->time_us = sg_bytes_u64(&r);
    struct sg_slice prev = sg_bytes_take(&r, sizeof entry->prev);
    struct sg_slice blind = sg_bytes_take(&r, sizeof entry->blind);
    entry->body = sg_bytes_blob(&r);
    if (!sg_bytes_end(&r) || bytes.len > SG_LIMIT_ENTRY ||
        memcmp(mark.ptr, magic, sizeof magic) != 0 || flags != 0 ||
        sg_entry_word(entry->type) == NULL)
        return SG_ERR_FORMAT;
    memcpy(entry->prev, prev.ptr, prev.len);
    memcpy(entry->blind, blind.ptr, blind.len);
    return SG_OK;
}

void
sg_entry_leaf(struct sg_slice bytes, uint8_t out[32])
{
    static const uint8_t tag = 0x00;
    struct sg_slice parts[] = {{&tag, 1}, bytes};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

size_t
sg_entry_frame_size(size_t len)
{
    return (SG_ENTRY_FRAME_HEAD + len + 7) & ~(size_t)7;
}

// The CRC covers the length too (S29).
static uint32_t
frame_crc(const uint8_t length[4], struct sg_slice entry)
{
    return sg_bytes_crc32c(sg_bytes_crc32c(0, length, 4), entry.ptr, entry.len);
}

void
sg_entry_frame(struct sg_slice entry, uint8_t *out)
{
    size_t size = sg_entry_frame_size(entry.len);

    SG_ASSERT(entry.len >= SG_ENTRY_HEAD && entry.len <= SG_LIMIT_ENTRY);
    sg_bytes_store_u32(out, (uint32_t)entry.len);
    sg_bytes_store_u32(out + 4, frame_crc(out, entry));
    memcpy(out + SG_ENTRY_FRAME_HEAD, entry.ptr, entry.len);
    memset(out + SG_ENTRY_FRAME_HEAD + entry.len, 0,
           size - SG_ENTRY_FRAME_HEAD - entry.len);
}

enum sg_entry_found
sg_entry_scan(struct sg_slice bytes, struct sg_slice *entry, size_t *size)
{
    *entry = (struct sg_slice){NULL, 0};
    *size = 0;
    if (bytes.len < SG_ENTRY_FRAME_HEAD)
        return sg_entry_is_zero(bytes) ? SG_ENTRY_FRAME_END
                                       : SG_ENTRY_FRAME_BROKEN;
    uint32_t len = sg_bytes_load_u32(bytes.ptr);
    if (len == 0)
        return SG_ENTRY_FRAME_END;
    if (len < SG_ENTRY_HEAD || len > SG_LIMIT_ENTRY ||
        sg_entry_frame_size(len) > bytes.len)
        return SG_ENTRY_FRAME_BROKEN;
    struct sg_slice found = {bytes.ptr + SG_ENTRY_FRAME_HEAD, len};
    size_t whole = sg_entry_frame_size(len);
    struct sg_slice pad = {found.ptr + len, whole - SG_ENTRY_FRAME_HEAD - len};
    if (sg_bytes_load_u32(bytes.ptr + 4) != frame_crc(bytes.ptr, found) ||
        !sg_entry_is_zero(pad))
        return SG_ENTRY_FRAME_BROKEN;
    *entry = found;
    *size = whole;
    return SG_ENTRY_FRAME_WHOLE;
}

bool
sg_entry_is_zero(struct sg_slice bytes)
{
    size_t at = 0;

    for (; bytes.len - at >= 32; at += 32) {
        uint64_t words[4];
        memcpy(words, bytes.ptr + at, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) != 0)
            return false;
    }
    for (; at < bytes.len; at++) {
        if (bytes.ptr[at] != 0)
            return false;
    }
    return true;
}

void
sg_entry_put_segment(const struct sg_entry_segment *segment,
                     uint8_t out[SG_ENTRY_SEGMENT_HEAD])
{
    struct sg_writer w = sg_writer_on(out, SG_ENTRY_SEGMENT_HEAD);

    sg_bytes_put(&w, segment_magic, sizeof segment_magic);
    sg_bytes_put(&w, segment->genesis, sizeof segment->genesis);
    sg_bytes_put_u64(&w, segment->epoch);
    sg_bytes_put_u64(&w, segment->first_seq);
    sg_bytes_put_u32(&w, segment->size);
    sg_bytes_put_u32(&w, sg_bytes_crc32c(0, out, w.len));
    SG_ASSERT(!w.full && w.len == SG_ENTRY_SEGMENT_HEAD);
}

enum sg_err
sg_entry_get_segment(const uint8_t bytes[SG_ENTRY_SEGMENT_HEAD],
                     struct sg_entry_segment *segment)
{
    struct sg_reader r =
        sg_reader_on(sg_slice_of(bytes, SG_ENTRY_SEGMENT_HEAD));

    struct sg_slice mark = sg_bytes_take(&r, sizeof segment_magic);
    struct sg_slice genesis = sg_bytes_take(&r, sizeof segment->genesis);
    segment->epoch = sg_bytes_u64(&r);
    segment->first_seq = sg_bytes_u64(&r);
    segment->size = sg_bytes_u32(&r);
    uint32_t crc = sg_bytes_u32(&r);
    memcpy(segment->genesis, genesis.ptr, genesis.len);
    if (memcmp(mark.ptr, segment_magic, sizeof segment_magic) != 0 ||
        crc != sg_bytes_crc32c(0, bytes, SG_ENTRY_SEGMENT_HEAD - 4))
        return SG_ERR_CORRUPT;
    return SG_OK;
}
