// bytes - writing and reading fixed binary layouts (formats.md 0: big endian).
//
// A writer has a fixed room and remembers that it overflowed; a reader
// remembers that it ran out. Both are checked once, at the end, so that a
// layout reads like its specification.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct sg_writer {
    uint8_t *ptr;
    size_t len, cap; // bytes
    bool full;       // something did not fit; len says nothing any more
};

struct sg_reader {
    const uint8_t *ptr;
    size_t len;  // bytes left
    bool failed; // ran out or was malformed; everything read since is zero
};

static inline struct sg_writer
sg_writer_on(void *ptr, size_t cap)
{
    return (struct sg_writer){.ptr = (uint8_t *)ptr, .cap = cap};
}

static inline struct sg_reader
sg_reader_on(struct sg_slice bytes)
{
    return (struct sg_reader){.ptr = bytes.ptr, .len = bytes.len};
}

static inline struct sg_slice
sg_writer_slice(const struct sg_writer *w)
{
    return (struct sg_slice){w->ptr, w->len};
}

void sg_bytes_put(struct sg_writer *w, const void *bytes, size_t len);
void sg_bytes_put_u8(struct sg_writer *w, uint8_t value);
void sg_bytes_put_u16(struct sg_writer *w, uint16_t value);
void sg_bytes_put_u32(struct sg_writer *w, uint32_t value);
void sg_bytes_put_u64(struct sg_writer *w, uint64_t value);
void sg_bytes_put_blob(struct sg_writer *w, struct sg_slice bytes); // u32 len
void sg_bytes_put_varint(struct sg_writer *w, uint64_t value);      // LEB128

uint8_t sg_bytes_u8(struct sg_reader *r);
uint16_t sg_bytes_u16(struct sg_reader *r);
uint32_t sg_bytes_u32(struct sg_reader *r);
uint64_t sg_bytes_u64(struct sg_reader *r);
struct sg_slice sg_bytes_take(struct sg_reader *r, size_t len); // borrowed
struct sg_slice sg_bytes_blob(struct sg_reader *r);
uint64_t sg_bytes_varint(struct sg_reader *r); // longer than shortest: failed
bool sg_bytes_end(const struct sg_reader *r);  // nothing failed, nothing left

// Plain loads and stores at fixed places.
uint32_t sg_bytes_load_u32(const uint8_t at[4]);
uint64_t sg_bytes_load_u64(const uint8_t at[8]);
void sg_bytes_store_u32(uint8_t at[4], uint32_t value);
void sg_bytes_store_u64(uint8_t at[8], uint64_t value);

// CRC32C (Castagnoli, RFC 3720 B.4); start with crc 0. SSE4.2 where the
// processor has it, table otherwise; tested equal.
uint32_t sg_bytes_crc32c(uint32_t crc, const void *bytes, size_t len);
// The table path alone; what other processors run.
uint32_t sg_bytes_crc32c_portable(uint32_t crc, const void *bytes, size_t len);
