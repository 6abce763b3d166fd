// encode - hexadecimal, base64 (RFC 4648) and Z85 (ZeroMQ RFC 32) text.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

// Lower case, NUL-terminated; out has room for 2 * len + 1.
void sg_encode_hex(const void *bytes, size_t len, char *out);
bool sg_encode_unhex(struct sg_slice text, uint8_t *out, size_t len); // exact

// Standard alphabet with padding. out: 4 * ((len + 2) / 3) + 1.
void sg_encode_base64(const void *bytes, size_t len, char *out);
// Strict: padding required, no line breaks, unused bits zero. *len: bytes.
bool sg_encode_unbase64(struct sg_slice text, uint8_t *out, size_t cap,
                        size_t *len);

void sg_encode_z85(const uint8_t key[32], char out[41]);
bool sg_encode_unz85(struct sg_slice text, uint8_t key[32]); // 40 characters
