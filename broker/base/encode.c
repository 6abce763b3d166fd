#include "broker/base/encode.h"

#include "broker/base/bytes.h"

static const char hex_digit[] = "0123456789abcdef";
static const char base64_digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char z85_digit[] =
    "0123456789abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
_Static_assert(sizeof base64_digit == 65, "64 digits");
_Static_assert(sizeof z85_digit == 86, "85 digits");

// Place of c among digits; -1: not there.
static int
value_of(const char *digits, uint8_t c)
{
    const char *at = c == 0 ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

void
sg_encode_hex(const void *bytes, size_t len, char *out)
{
    const uint8_t *at = (const uint8_t *)bytes;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digit[at[i] >> 4];
        out[2 * i + 1] = hex_digit[at[i] & 15];
    }
    out[2 * len] = '\0';
}

bool
sg_encode_unhex(struct sg_slice text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = value_of(hex_digit, text.ptr[2 * i]);
        int low = value_of(hex_digit, text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void
sg_encode_base64(const void *bytes, size_t len, char *out)
{
    const uint8_t *at = (const uint8_t *)bytes;

    for (; len > 0; at += 3) {
        size_t here = len < 3 ? len : 3;
        uint32_t group = (uint32_t)at[0] << 16;
        group |= here > 1 ? (uint32_t)at[1] << 8 : 0;
        group |= here > 2 ? at[2] : 0;
        *out++ = base64_digit[group >> 18];
        *out++ = base64_digit[group >> 12 & 63];
        *out++ = here > 1 ? base64_digit[group >> 6 & 63] : '=';
        *out++ = here > 2 ? base64_digit[group & 63] : '=';
        len -= here;
    }
    *out = '\0';
}

// Bytes in one group of four characters, 0: malformed. last: padding allowed.
static size_t
unbase64_group(const uint8_t *text, bool last, uint8_t out[3])
{
    size_t pad = !last ? 0 : text[3] != '=' ? 0 : text[2] == '=' ? 2 : 1;
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - pad ? value_of(base64_digit, text[i]) : 0;
        if (value < 0)
            return 0;
        group = group << 6 | (uint32_t)value;
    }
    if ((group & ((1u << (8 * pad)) - 1)) != 0)
        return 0; // bits that stand for nothing: a second spelling
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    return 3 - pad;
}

bool
sg_encode_unbase64(struct sg_slice text, uint8_t *out, size_t cap, size_t *len)
{
    size_t at = 0;

    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        uint8_t group[3];
        size_t count = unbase64_group(text.ptr + i, i + 4 == text.len, group);
        if (count == 0 || count > cap - at)
            return false;
        memcpy(out + at, group, count);
        at += count;
    }
    *len = at;
    return true;
}

void
sg_encode_z85(const uint8_t key[32], char out[41])
{
    for (size_t i = 0; i < 8; i++) {
        uint32_t value = sg_bytes_load_u32(key + 4 * i);
        for (size_t digit = 5; digit-- > 0; value /= 85)
            out[5 * i + digit] = z85_digit[value % 85];
    }
    out[40] = '\0';
}

bool
sg_encode_unz85(struct sg_slice text, uint8_t key[32])
{
    if (text.len != 40)
        return false;
    for (size_t i = 0; i < 8; i++) {
        uint64_t value = 0;
        for (size_t j = 0; j < 5; j++) {
            int digit = value_of(z85_digit, text.ptr[5 * i + j]);
            if (digit < 0)
                return false;
            value = value * 85 + (uint64_t)digit;
        }
        if (value > UINT32_MAX)
            return false;
        sg_bytes_store_u32(key + 4 * i, (uint32_t)value);
    }
    return true;
}
