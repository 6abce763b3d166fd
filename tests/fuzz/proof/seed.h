// seed - inputs that begin with "0x" are hexadecimal text.
//
// So seeds of binary formats can be read, compared and changed like any other
// file of the tree; what the fuzzer makes itself is bytes as they are.
#pragma once

#include <stdlib.h>

#include "broker/base/slice.h"

static inline int
seed_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The bytes meant: data itself, or memory of its own that *made points to (free
// it), of their exact length, so that every read behind them is seen.
static inline struct sg_slice
seed_bytes(const uint8_t *data, size_t size, uint8_t **made)
{
    *made = NULL;
    if (size < 2 || data[0] != '0' || data[1] != 'x')
        return sg_slice_of(data, size);
    uint8_t *out = malloc(size / 2);
    size_t len = 0;
    for (size_t i = 2; out != NULL && i + 1 < size; i += 2) {
        const int high = seed_digit(data[i]), low = seed_digit(data[i + 1]);
        if (high < 0 || low < 0)
            break; // the line's end
        out[len++] = (uint8_t)(high << 4 | low);
    }
    *made = malloc(len == 0 ? 1 : len);
    if (out == NULL || *made == NULL)
        abort();
    memcpy(*made, out, len);
    free(out);
    return sg_slice_of(*made, len);
}
