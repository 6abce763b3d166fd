#include "broker/base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// ---- writing ---------------------------------------------------------------

static uint8_t *
room(struct sg_writer *w, size_t len)
{
    if (w->full || len > w->cap - w->len) {
        w->full = true;
        return NULL;
    }
    uint8_t *at = w->ptr + w->len;
    w->len += len;
    return at;
}

void
sg_bytes_put(struct sg_writer *w, const void *bytes, size_t len)
{
    uint8_t *at = room(w, len);

    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

static void
put_number(struct sg_writer *w, uint64_t value, size_t len)
{
    uint8_t *at = room(w, len);

    for (size_t i = 0; at != NULL && i < len; i++)
        at[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

void
sg_bytes_put_u8(struct sg_writer *w, uint8_t value)
{
    put_number(w, value, 1);
}

void
sg_bytes_put_u16(struct sg_writer *w, uint16_t value)
{
    put_number(w, value, 2);
}

void
sg_bytes_put_u32(struct sg_writer *w, uint32_t value)
{
    put_number(w, value, 4);
}

void
sg_bytes_put_u64(struct sg_writer *w, uint64_t value)
{
    put_number(w, value, 8);
}

void
sg_bytes_put_blob(struct sg_writer *w, struct sg_slice bytes)
{
    if (bytes.len > UINT32_MAX) {
        w->full = true;
        return;
    }
    sg_bytes_put_u32(w, (uint32_t)bytes.len);
    sg_bytes_put(w, bytes.ptr, bytes.len);
}

void
sg_bytes_put_varint(struct sg_writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        sg_bytes_put_u8(w, (uint8_t)(value | 0x80));
    sg_bytes_put_u8(w, (uint8_t)value);
}

// ---- reading ---------------------------------------------------------------

struct sg_slice
sg_bytes_take(struct sg_reader *r, size_t len)
{
    if (r->failed || len > r->len) {
        r->failed = true;
        return (struct sg_slice){NULL, 0};
    }
    struct sg_slice out = {r->ptr, len};
    if (len > 0)
        r->ptr += len;
    r->len -= len;
    return out;
}

static uint64_t
number(struct sg_reader *r, size_t len)
{
    struct sg_slice bytes = sg_bytes_take(r, len);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.ptr[i];
    return value;
}

uint8_t
sg_bytes_u8(struct sg_reader *r)
{
    return (uint8_t)number(r, 1);
}

uint16_t
sg_bytes_u16(struct sg_reader *r)
{
    return (uint16_t)number(r, 2);
}

uint32_t
sg_bytes_u32(struct sg_reader *r)
{
    return (uint32_t)number(r, 4);
}

uint64_t
sg_bytes_u64(struct sg_reader *r)
{
    return number(r, 8);
}

struct sg_slice
sg_bytes_blob(struct sg_reader *r)
{
    return sg_bytes_take(r, sg_bytes_u32(r));
}

uint64_t
sg_bytes_varint(struct sg_reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = sg_bytes_u8(r);
        // Too long, or a last group of zeros: not the shortest form.
        if (r->failed || (shift == 63 && byte > 1) || (shift > 0 && byte == 0))
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->failed = true;
    return 0;
}

bool
sg_bytes_end(const struct sg_reader *r)
{
    return !r->failed && r->len == 0;
}

// ---- plain loads and stores --------------------------------------------------

uint32_t
sg_bytes_load_u32(const uint8_t at[4])
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

uint64_t
sg_bytes_load_u64(const uint8_t at[8])
{
    return (uint64_t)sg_bytes_load_u32(at) << 32 | sg_bytes_load_u32(at + 4);
}

void
sg_bytes_store_u32(uint8_t at[4], uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void
sg_bytes_store_u64(uint8_t at[8], uint64_t value)
{
    sg_bytes_store_u32(at, (uint32_t)(value >> 32));
    sg_bytes_store_u32(at + 4, (uint32_t)value);
}

// ---- CRC32C ------------------------------------------------------------------

uint32_t
sg_bytes_crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
    // Four bits a step: the table is sixteen rows and can be read.
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *at = (const uint8_t *)bytes;

    crc = ~crc;
    for (; len > 0; len--, at++) {
        crc ^= *at;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t crc, const uint8_t *at, size_t len)
{
    uint64_t wide = ~crc;

    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; len > 0; len--, at++)
        narrow = _mm_crc32_u8(narrow, *at);
    return ~narrow;
}
#endif

uint32_t
sg_bytes_crc32c(uint32_t crc, const void *bytes, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, (const uint8_t *)bytes, len);
#endif
    return sg_bytes_crc32c_portable(crc, bytes, len);
}
