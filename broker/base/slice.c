#include "broker/base/slice.h"

#include "broker/base/limits.h"

int
sg_slice_cmp(struct sg_slice a, struct sg_slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool
sg_slice_u64(struct sg_slice text, uint64_t *value)
{
    uint64_t sum = 0;

    if (text.len == 0 || text.len > 20)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.ptr[i] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool
sg_slice_is_id(struct sg_slice text)
{
    if (text.len == 0 || text.len > SG_LIMIT_ID)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '.' || c == '-'))
            return false;
    }
    return true;
}

// Bytes that a sequence starting with c has; 0: c starts none (RFC 3629 3, 4).
static size_t
sequence_len(uint8_t c)
{
    if (c < 0x80)
        return c != 0;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

// The second byte rules out overlong forms, surrogates and beyond U+10FFFF.
static bool
second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

bool
sg_slice_is_utf8(struct sg_slice text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t len = sequence_len(text.ptr[at]);
        if (len == 0 || len > text.len - at)
            return false;
        for (size_t i = 1; i < len; i++) {
            if ((text.ptr[at + i] & 0xc0) != 0x80)
                return false;
        }
        if (len > 1 && !second_fits(text.ptr[at], text.ptr[at + 1]))
            return false;
        at += len;
    }
    return true;
}
