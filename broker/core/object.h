// object - where sealed bytes lie: a name, an attempt, a key's name.
//
// The core decides every field but what can only be known from the bytes
// (chunks, bytes, chunk_root); it never sees a key. Mirrors ObjectRef of
// evidence.proto and sg_payload_meta.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sg_object {
    uint8_t id[16];       // all zeros: there is no such object
    uint8_t attempt[16];  // of the subkey (formats.md e)
    uint8_t manifest[32]; // name of the key, AAD of the chunks
    uint8_t variant[16];  // zeros: key of the release itself
    uint8_t chunk_root[32];
    uint32_t purpose; // enum sg_seal_purpose of schemas/proof/seal.h
    uint32_t chunk_size;
    uint64_t chunks;
    uint64_t bytes; // plaintext
};

static inline bool
sg_object_exists(const struct sg_object *object)
{
    for (unsigned i = 0; i < sizeof object->id; i++)
        if (object->id[i] != 0)
            return true;
    return false;
}
