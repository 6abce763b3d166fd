// siphash - SipHash-2-4 with 128 bits of output, over a word and some bytes.
//
// A keyed function of foreign values: who does not know the key cannot make
// two values meet. The word comes first and tells apart what the bytes are of.
// Source: Aumasson and Bernstein, 2012; reference vectors in the test.
#pragma once

#include <stdint.h>

#include "broker/base/slice.h"

struct sg_siphash {
    uint64_t low, high;
};

// Hash of the 8 bytes of word (little endian) followed by bytes.
struct sg_siphash sg_siphash_word(const uint64_t key[2], uint64_t word,
                                  struct sg_slice bytes);
// Hash of the bytes alone, as in the paper.
struct sg_siphash sg_siphash_bytes(const uint64_t key[2],
                                   struct sg_slice bytes);
